//! Giving leads tags and taking them.

use leadline_domain::time::Timestamp;
use leadline_store::{
    Error, Tx,
    leads::{self, Locked, Tagged},
};
use serde_json::json;

use super::Record;
use crate::Actor;

/// Gives each lead its own tags and takes others; those with whom that changes nothing are left out.
pub(crate) async fn retag(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    wanted: Vec<(&Locked, Vec<String>, Vec<String>)>,
    now: Timestamp,
) -> Result<Vec<Tagged>, Error> {
    let mut rows = Vec::new();
    for (lead, added, removed) in wanted {
        if added.is_empty() && removed.is_empty() {
            continue;
        }
        record.activity(lead.id, "tags.changed", json!({"added": added, "removed": removed}));
        let data = json!({"fields": ["tags"], "addedTags": added});
        record.event(lead.id, "lead.updated", (lead.pipeline_id, lead.stage_id), data);
        let kept = lead.tags.iter().filter(|tag| !removed.contains(tag));
        let tags = kept.chain(&added).cloned().collect();
        rows.push(Tagged { id: lead.id, tags, added, removed });
    }
    leads::set_tags(tx, actor.workspace, &rows, now).await?;
    Ok(rows)
}
