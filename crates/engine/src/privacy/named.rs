//! What is done to a row that may name a person: a close look, and then what its table says.

use leadline_domain::{
    ids::{ConversationId, WorkspaceId},
    privacy::{ERASED, Naming, Traces},
};
use leadline_store::{
    Error, Tx,
    privacy::{
        places::Owner,
        rows,
        texts::{self, Act, Key, Looked, Strip, Texts},
    },
};
use serde_json::Value;

use crate::Engine;

/// Rows that are looked at closely at once: a request may have a megabyte.
const CLOSELY_AT_ONCE: usize = 20;

/// Which traces count in such texts.
pub(super) fn naming(texts: &Texts) -> Naming {
    match texts.act {
        Act::Delete | Act::DeleteWith(_) => Naming::Alone,
        Act::Redact | Act::RedactRows => Naming::WithName,
    }
}

/// The rows of a strip that do name the person, as they are to be.
pub(super) async fn closely(
    engine: &Engine,
    place: (&str, &Texts),
    strip: &Strip,
    traces: &Traces,
) -> Result<Vec<Looked>, Error> {
    let reader = engine.store.reader();
    let (owned, open): (Vec<_>, Vec<_>) = strip.found.iter().partition(|(_, is_theirs)| *is_theirs);
    let mut named: Vec<Looked> =
        owned.into_iter().map(|(key, _)| Looked { key: key.clone(), columns: Vec::new() }).collect();
    let open: Vec<Key> = open.into_iter().map(|(key, _)| key.clone()).collect();
    for few in open.chunks(CLOSELY_AT_ONCE) {
        for row in texts::load(&reader, place, few).await? {
            let names =
                |text: &Option<String>| text.as_deref().is_some_and(|text| traces.are_in(text, naming(place.1)));
            if row.columns.iter().any(names) {
                named.push(redacted(place.1, row, traces));
            }
        }
    }
    Ok(named)
}

fn redacted(texts: &Texts, row: Looked, traces: &Traces) -> Looked {
    let one = |(at, text): (usize, Option<String>)| {
        let text = text?;
        if !texts.is_json(at) {
            return Some(if traces.are_in(&text, Naming::WithName) { ERASED.to_owned() } else { text });
        }
        let mut value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let is_changed = match texts.act {
            Act::RedactRows => traces.redact_rows(&mut value),
            Act::Redact | Act::Delete | Act::DeleteWith(_) => traces.redact(&mut value),
        };
        Some(if is_changed { value.to_string() } else { text })
    };
    match texts.act {
        // It goes as a whole: nothing of it is worth holding on to.
        Act::Delete | Act::DeleteWith(_) => Looked { key: row.key, columns: Vec::new() },
        Act::Redact | Act::RedactRows => {
            Looked { key: row.key, columns: row.columns.into_iter().enumerate().map(one).collect() }
        }
    }
}

/// Does to the rows that name the person what is done in their table, and tells how many they were.
pub(super) async fn act(
    tx: &mut Tx,
    workspace: WorkspaceId,
    place: (&str, &Texts),
    named: &[Looked],
) -> Result<u64, Error> {
    let keys: Vec<Key> = named.iter().map(|row| row.key.clone()).collect();
    let ids: Vec<String> = keys.iter().filter_map(texts::id_of).map(str::to_owned).collect();
    match place.1.act {
        Act::Delete => {
            rows::audit_entries(tx, workspace, &ids).await?;
            texts::delete(tx, place, &keys).await
        }
        Act::DeleteWith(Owner::Conversation) => {
            let ids: Vec<ConversationId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
            rows::these_conversations(tx, &ids).await
        }
        Act::DeleteWith(owner) => {
            rows::delete_of(tx, owner, &ids).await?;
            texts::delete(tx, place, &keys).await
        }
        Act::Redact | Act::RedactRows => texts::rewrite(tx, place, named).await,
    }
}
