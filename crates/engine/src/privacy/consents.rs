//! Consents that do not count any more.

use leadline_domain::ids::ConsentId;
use leadline_store::consents::{self as stored, Consent};
use serde_json::json;

use super::PrivacyError;
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// Notes that somebody takes a consent back. It stays, with when and by whom.
///
/// # Errors
/// Where there is no such consent, or it was taken back before.
pub async fn withdraw(engine: &Engine, actor: &Actor, id: ConsentId) -> Result<Consent, PrivacyError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let Some(consent) = stored::withdraw(&mut tx, actor.workspace, id, (&actor.name, now)).await? else {
        tx.rollback().await?;
        let found = stored::find(&engine.store.reader(), actor.workspace, id).await?;
        return Err(found.map_or(PrivacyError::NotFound, |_| PrivacyError::AlreadySo));
    };
    let deed = Deed::new("consent.withdrawn", id, "").with(json!({"purpose": consent.purpose}));
    audit::record(&mut tx, now, actor, deed).await?;
    let line = engine.activity(actor, consent.lead_id, "consent.withdrawn", json!({"purpose": consent.purpose}));
    leadline_store::events::insert_activities(&mut tx, &[line]).await?;
    tx.commit().await?;
    Ok(consent)
}
