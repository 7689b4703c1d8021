//! Making an audience of leads that somebody chose.

use std::collections::BTreeSet;

use leadline_domain::ids::{AudienceId, LeadId};
use leadline_store::audiences::{self, Audience};

use super::{MessagingError, checked_line};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// Leads of one request.
pub const MOST_LEADS: usize = 10_000;

const MOST_NAME_CHARS: usize = 120;

/// Makes an audience of those of these leads that are there.
///
/// # Errors
/// Where it has no name or nobody in it, or the store fails.
pub async fn create(engine: &Engine, actor: &Actor, name: &str, leads: &[LeadId]) -> Result<Audience, MessagingError> {
    let now = engine.clock.now();
    let name = checked_line("/name", name, MOST_NAME_CHARS).map_err(|fault| MessagingError::Invalid(vec![fault]))?;
    let leads: Vec<LeadId> = leads.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if leads.is_empty() || leads.len() > MOST_LEADS {
        return Err(MessagingError::field("/leadIds", &format!("must name 1 to {MOST_LEADS} leads")));
    }
    let mut audience = Audience {
        id: AudienceId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        name,
        made_by: actor.name.clone(),
        member_count: 0,
        created_at: now,
    };
    let mut tx = engine.store.begin().await?;
    audience.member_count = audiences::insert(&mut tx, &audience, &leads).await?;
    if audience.member_count == 0 {
        return Err(MessagingError::field("/leadIds", "names no lead of this workspace"));
    }
    audit::record(&mut tx, now, actor, Deed::new("audience.created", audience.id, &audience.name)).await?;
    tx.commit().await?;
    Ok(audience)
}
