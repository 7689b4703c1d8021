//! The audit log: who did what to what, when, and from where.
//!
//! An entry is written in the transaction of what it tells of, so that there is never one without the other. It names
//! what changed; what it changed to stands there only where the caller hands it in, and secrets are never handed in.

use leadline_domain::{
    ids::{AuditId, WorkspaceId},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    audit::{self, AuditEntry},
};
use serde_json::{Map, Value, json};

use crate::{Actor, Engine, random_bytes};

/// The longest name of an object that is kept.
const LONGEST_NAME: usize = 200;

/// What somebody did.
#[derive(Debug, Clone)]
pub struct Deed {
    action: &'static str,
    id: Option<String>,
    name: String,
    data: Value,
}

impl Deed {
    /// An action (`role.updated`) on one thing, which the word before the dot tells the kind of.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "ids are small, and every caller has one by value")]
    pub fn new(action: &'static str, id: impl ToString, name: &str) -> Self {
        let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        Self { action, id: Some(id.to_string()), name, data: json!({}) }
    }

    /// An action on what there is one of in a workspace.
    #[must_use]
    pub fn on_workspace(action: &'static str) -> Self {
        Self { action, id: None, name: String::new(), data: json!({}) }
    }

    /// With what is worth knowing besides. Never a secret.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

/// Writes down what the actor did.
///
/// # Errors
/// Where the database fails.
pub async fn record(tx: &mut Tx, now: Timestamp, actor: &Actor, deed: Deed) -> Result<(), Error> {
    audit::append(tx, &[entry(now, actor, actor.workspace, deed)]).await
}

/// Writes down in several workspaces what somebody did who is in all of them, or in none yet.
///
/// # Errors
/// Where the database fails.
pub async fn record_in(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    workspaces: &[WorkspaceId],
    deed: &Deed,
) -> Result<(), Error> {
    let entries: Vec<AuditEntry> =
        workspaces.iter().map(|workspace| entry(now, actor, *workspace, deed.clone())).collect();
    audit::append(tx, &entries).await
}

fn entry(now: Timestamp, actor: &Actor, workspace: WorkspaceId, deed: Deed) -> AuditEntry {
    let kind = deed.action.split('.').next().unwrap_or_default();
    AuditEntry {
        id: AuditId::new(now, random_bytes()),
        workspace_id: workspace,
        actor_kind: actor.kind.as_str().to_owned(),
        actor_id: actor.user,
        credential_id: actor.credential,
        actor_name: actor.name.clone(),
        ip: actor.ip.map(|ip| ip.to_string()),
        action: deed.action.to_owned(),
        object_kind: kind.to_owned(),
        object_id: deed.id,
        object_name: deed.name,
        data: deed.data,
        created_at: now.0,
    }
}

/// Writes down that somebody takes a table of something with them, before they get it.
///
/// # Errors
/// Where the database fails.
pub async fn note_export(engine: &Engine, actor: &Actor, what: &str) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    let deed = Deed { id: None, ..Deed::new("export.made", "", what) };
    record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await
}

/// The names of what differs between two states of a thing: `{"changed": ["name", "url"]}`.
#[must_use]
pub fn changed(before: &Value, after: &Value) -> Value {
    let nothing = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&nothing), after.as_object().unwrap_or(&nothing));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| before.get(*name) != after.get(*name));
    json!({ "changed": names })
}

/// The same with what they were and are, for settings that hold no secrets.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Value {
    let named = changed(before, after);
    let names = named["changed"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let both = |name: &str| json!({ "from": before.get(name), "to": after.get(name) });
    json!({ "changes": names.map(|name| (name.to_owned(), both(name))).collect::<Map<_, _>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_told_only_where_it_may_be() {
        let before = json!({"name": "a", "secretSealed": "v1:x", "same": 1, "gone": true});
        let after = json!({"name": "b", "secretSealed": "v1:y", "same": 1, "new": 2});

        assert_eq!(changed(&before, &after), json!({"changed": ["gone", "name", "new", "secretSealed"]}));
        let told = changes(&json!({"days": 3}), &json!({"days": 4}));
        assert_eq!(told, json!({"changes": {"days": {"from": 3, "to": 4}}}));
    }
}
