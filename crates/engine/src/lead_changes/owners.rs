//! Giving leads to somebody.

use std::collections::HashMap;

use leadline_domain::{
    ids::{LeadId, UserId},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    leads::{self, Locked},
};
use serde_json::json;

use super::Record;
use crate::Actor;

/// Gives leads to a member, or to nobody.
pub(crate) async fn give(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    (to, to_name): (Option<UserId>, Option<&str>),
    changing: &[&Locked],
    now: Timestamp,
) -> Result<(), Error> {
    if changing.is_empty() {
        return Ok(());
    }
    let ids: Vec<LeadId> = changing.iter().map(|lead| lead.id).collect();
    leads::assign(tx, actor.workspace, &ids, to, now).await?;
    let from: Vec<UserId> = changing.iter().filter_map(|lead| lead.assigned_to).collect();
    let names: HashMap<UserId, String> = leads::names_of_users(tx, &from).await?;
    for lead in changing {
        let from_name = lead.assigned_to.and_then(|user| names.get(&user));
        record.activity(lead.id, "lead.assigned", json!({"fromName": from_name, "toName": to_name, "to": to}));
        let data = json!({"from": lead.assigned_to, "to": to, "by": actor.user});
        record.event(lead.id, "lead.assigned", (lead.pipeline_id, lead.stage_id), data);
    }
    Ok(())
}
