//! What is held of a person, class by class: how much, and all of it, for them to take along.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    time::Timestamp,
};
use serde_json::{Map, Value};

use super::person::Person;
use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, Param, Reader, Row, json_set, params},
};

/// Counting stops here.
pub const COUNT_CAP: i64 = 10_000;

/// Whose a row is, by which column.
#[derive(Debug, Clone, Copy)]
enum By {
    Contact(&'static str),
    Lead(&'static str),
    Submission(&'static str),
    Conversation(&'static str),
    Delivery(&'static str),
    Visitor(&'static str),
}

/// A class of what is held.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// Its name, in files and on screens.
    pub name: &'static str,
    table: &'static str,
    by: By,
    order: &'static str,
    columns: Columns,
}

use Kind::{Boolean, Id, Integer, Json, Text};

/// The classes, in the order in which people read them.
pub const CLASSES: [Class; 16] = [
    Class {
        name: "contacts",
        table: "contacts",
        by: By::Contact("id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("display_name", Text),
            ("email", Text),
            ("phone_number", Text),
            ("whatsapp_id", Text),
            ("lifecycle", Text),
            ("tags", Json),
            ("column_data", Json),
            ("created_at", Integer),
            ("updated_at", Integer),
        ],
    },
    Class {
        name: "leads",
        table: "leads",
        by: By::Lead("id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("email", Text),
            ("phone", Text),
            ("phone_raw", Text),
            ("country_code", Text),
            ("company", Text),
            ("title", Text),
            ("message", Text),
            ("source_name", Text),
            ("tags", Json),
            ("custom_fields", Json),
            ("score", Integer),
            ("score_reasons", Json),
            ("suspicion", Integer),
            ("suspicion_reasons", Json),
            ("engagement", Integer),
            ("first_touch", Json),
            ("last_touch", Json),
            ("context", Json),
            ("visitor_id", Text),
            ("lead_analysis", Json),
            ("submission_count", Integer),
            ("is_test", Boolean),
            ("created_at", Integer),
            ("updated_at", Integer),
            ("converted_at", Integer),
            ("deleted_at", Integer),
        ],
    },
    Class {
        name: "consents",
        table: "consents",
        by: By::Lead("lead_id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("lead_id", Id),
            ("submission_id", Id),
            ("purpose", Text),
            ("field", Text),
            ("wording", Text),
            ("source_name", Text),
            ("page_url", Text),
            ("given_at", Integer),
            ("withdrawn_at", Integer),
            ("withdrawn_by", Text),
        ],
    },
    Class {
        name: "submissions",
        table: "lead_submissions",
        by: By::Lead("lead_id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("lead_id", Id),
            ("source_name", Text),
            ("payload", Text),
            ("name", Text),
            ("email", Text),
            ("phone", Text),
            ("message", Text),
            ("page_url", Text),
            ("referrer", Text),
            ("context", Json),
            ("received_at", Integer),
        ],
    },
    Class {
        name: "captures",
        table: "lead_captures",
        by: By::Submission("submission_id"),
        order: "submission_id",
        columns: &[
            ("submission_id", Id),
            ("ip", Text),
            ("user_agent", Text),
            ("origin", Text),
            ("content_type", Text),
            ("raw_body", Text),
            ("captured_at", Integer),
            ("expires_at", Integer),
        ],
    },
    Class {
        name: "conversations",
        table: "conversations",
        by: By::Conversation("id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("lead_id", Id),
            ("channel", Text),
            ("state", Text),
            ("fields", Json),
            ("message_count", Integer),
            ("created_at", Integer),
            ("last_message_at", Integer),
        ],
    },
    Class {
        name: "messages",
        table: "messages",
        by: By::Conversation("conversation_id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("conversation_id", Id),
            ("direction", Text),
            ("author", Text),
            ("body", Text),
            ("sent_at", Integer),
        ],
    },
    Class {
        name: "hits",
        table: "message_hits",
        by: By::Lead("lead_id"),
        order: "lead_id, id",
        columns: &[
            ("id", Id),
            ("lead_id", Id),
            ("message_id", Id),
            ("kind", Text),
            ("link", Text),
            ("agent", Text),
            ("network", Text),
            ("why", Text),
            ("hit_at", Integer),
        ],
    },
    Class {
        name: "attachments",
        table: "attachments",
        by: By::Conversation("conversation_id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("conversation_id", Id),
            ("message_id", Id),
            ("file_name", Text),
            ("content_type", Text),
            ("size_bytes", Integer),
            ("state", Text),
            ("created_at", Integer),
        ],
    },
    Class {
        name: "timeline",
        table: "lead_activities",
        by: By::Lead("lead_id"),
        order: "lead_id, id",
        columns: &[
            ("id", Id),
            ("lead_id", Id),
            ("kind", Text),
            ("actor_name", Text),
            ("data", Json),
            ("created_at", Integer),
        ],
    },
    Class {
        name: "visits",
        table: "visitor_sessions",
        by: By::Visitor("visitor_id"),
        order: "visitor_id, session_id",
        columns: &[
            ("visitor_id", Text),
            ("session_id", Text),
            ("started_at", Integer),
            ("seen_at", Integer),
            ("active_seconds", Integer),
            ("max_scroll_percent", Integer),
            ("click_count", Integer),
            ("pages_visited", Integer),
            ("touch", Json),
            ("pages", Json),
        ],
    },
    Class {
        name: "deliveries",
        table: "deliveries",
        by: By::Lead("lead_id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("destination_id", Id),
            ("event", Text),
            ("state", Text),
            ("payload", Text),
            ("last_status", Integer),
            ("created_at", Integer),
            ("finished_at", Integer),
        ],
    },
    Class {
        name: "attempts",
        table: "delivery_attempts",
        by: By::Delivery("delivery_id"),
        order: "delivery_id, id",
        columns: &[
            ("delivery_id", Id),
            ("number", Integer),
            ("started_at", Integer),
            ("status", Integer),
            ("error", Text),
            ("response_body", Text),
        ],
    },
    Class {
        name: "analyses",
        table: "lead_analyses",
        by: By::Lead("lead_id"),
        order: "submission_id",
        columns: &[("submission_id", Id), ("lead_id", Id), ("state", Text), ("result", Json), ("received_at", Integer)],
    },
    Class {
        name: "scores",
        table: "lead_scores",
        by: By::Lead("lead_id"),
        order: "lead_id, number",
        columns: &[
            ("lead_id", Id),
            ("number", Integer),
            ("score", Integer),
            ("fit", Integer),
            ("engagement", Integer),
            ("suspicion", Integer),
            ("cause", Text),
        ],
    },
    Class {
        name: "merges",
        table: "lead_merges",
        by: By::Lead("winner_id"),
        order: "id",
        columns: &[
            ("id", Id),
            ("winner_id", Id),
            ("loser_id", Id),
            ("loser_name", Text),
            ("before", Json),
            ("merged_by", Text),
            ("merged_at", Integer),
            ("split_at", Integer),
        ],
    },
];

impl Class {
    /// The names of its columns, as they are shown.
    #[must_use]
    pub fn headings(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| shown_name(name)).collect()
    }

    /// That a row is the person's. `$1` lists their leads, `$2` their contacts.
    fn condition(&self, dialect: Dialect) -> String {
        let (leads, contacts) = (dialect.id_list(1), dialect.id_list(2));
        match self.by {
            By::Contact(column) => format!("{column} IN {contacts}"),
            By::Lead(column) => format!("{column} IN {leads}"),
            By::Submission(column) => {
                format!("{column} IN (SELECT id FROM lead_submissions WHERE lead_id IN {leads})")
            }
            By::Conversation(column) => format!(
                "{column} IN (SELECT id FROM conversations WHERE lead_id IN {leads}
                              UNION SELECT id FROM conversations WHERE contact_id IN {contacts})"
            ),
            By::Delivery(column) => format!("{column} IN (SELECT id FROM deliveries WHERE lead_id IN {leads})"),
            By::Visitor(column) => {
                format!("{column} IN (SELECT visitor_id FROM lead_visitors WHERE lead_id IN {leads})")
            }
        }
    }
}

fn listed(workspace: WorkspaceId, person: &Person) -> Vec<Param> {
    let [workspace] = params![workspace];
    vec![json_set(&person.lead_ids()), json_set(&person.contacts), workspace]
}

/// How much of each class is held of a person, each counted up to [`COUNT_CAP`]. Each by an index that begins with what
/// the rows belong to.
///
/// # Errors
/// Where the database fails.
pub async fn counts(
    reader: &Reader,
    workspace: WorkspaceId,
    person: &Person,
) -> Result<Vec<(&'static str, i64)>, Error> {
    let mut counts = Vec::with_capacity(CLASSES.len());
    for class in &CLASSES {
        let sql = format!(
            "SELECT count(*) AS n FROM (SELECT 1 AS one FROM {} WHERE {} AND workspace_id = $3 {} LIMIT {COUNT_CAP}) AS c",
            class.table,
            class.condition(reader.dialect()),
            uses_both(reader.dialect()),
        );
        counts.push((class.name, reader.count(&sql, &listed(workspace, person)).await?));
    }
    Ok(counts)
}

/// PostgreSQL wants to know the kind of each parameter, also of one that a class has no use for.
fn uses_both(dialect: Dialect) -> String {
    let texts = |parameter| format!("EXISTS (SELECT 1 FROM {} AS p)", dialect.text_list(parameter));
    format!("AND ({} OR {} OR 1 = 1)", texts(1), texts(2))
}

/// Some rows of a class, as they are shown: names of columns with their values.
///
/// # Errors
/// Where the database fails.
pub async fn rows(
    reader: &Reader,
    workspace: WorkspaceId,
    person: &Person,
    class: &Class,
    (limit, offset): (i64, i64),
) -> Result<Vec<Map<String, Value>>, Error> {
    let dialect = reader.dialect();
    let columns: Vec<String> = class
        .columns
        .iter()
        .map(|(name, kind)| match kind {
            Json => format!("{} AS {name}_text", dialect.json_text(name)),
            Id | Text | Integer | Boolean | Kind::Bytes => format!("{name} AS {name}_text"),
        })
        .collect();
    let mut values = listed(workspace, person);
    values.extend(params![limit, offset]);
    let sql = format!(
        "SELECT {columns} FROM {table} WHERE {condition} AND workspace_id = $3 {both} ORDER BY {order} LIMIT $4 OFFSET $5",
        columns = columns.join(", "),
        table = class.table,
        condition = class.condition(dialect),
        both = uses_both(dialect),
        order = class.order,
    );
    let found = reader.query(&sql, &values).await?;
    found.iter().map(|row| class.columns.iter().map(|column| shown(row, *column)).collect()).collect()
}

fn shown(row: &Row, (name, kind): (&str, Kind)) -> Result<(String, Value), Error> {
    let column = format!("{name}_text");
    let value = match kind {
        Id => row.get::<Option<LeadId>>(&column)?.map_or(Value::Null, |id| Value::from(id.to_string())),
        Boolean => row.get::<Option<bool>>(&column)?.map_or(Value::Null, Value::from),
        Integer if name.ends_with("_at") => {
            row.get::<Option<Timestamp>>(&column)?.map_or(Value::Null, |at| Value::from(at.to_string()))
        }
        Integer => row.get::<Option<i64>>(&column)?.map_or(Value::Null, Value::from),
        Json => row.json_or_none(&column)?.unwrap_or(Value::Null),
        Text | Kind::Bytes => row.get::<Option<String>>(&column)?.map_or(Value::Null, Value::from),
    };
    Ok((shown_name(name), value))
}

fn shown_name(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for part in name.split('_') {
        let mut letters = part.chars();
        let first = letters.next().map(|first| if shown.is_empty() { first } else { first.to_ascii_uppercase() });
        shown.extend(first);
        shown.push_str(letters.as_str());
    }
    shown
}
