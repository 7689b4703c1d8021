//! Every table, and what it holds of persons behind leads. A test asks for a line here for each table that there is.
//!
//! A table whose rows belong to a lead, a contact and so on needs [`Holds::Rows`] with the column that says so, with
//! which an index must begin. One that may name somebody in a text needs [`Holds::Texts`]. A table may have both.

use super::texts::{Act, Scope, Texts};
use crate::{dialect::Kind, sql::Columns};

/// Whose rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A lead's.
    Lead,
    /// A contact's.
    Contact,
    /// A submission's.
    Submission,
    /// A conversation's.
    Conversation,
    /// A delivery's.
    Delivery,
    /// A merge's.
    Merge,
}

/// What a table holds of persons behind leads.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// Nothing, and why that is so.
    Nobody(&'static str),
    /// Rows that are deleted with what this column names.
    Rows(Owner, &'static str),
    /// Texts that may name somebody, or rows that no index leads to.
    Texts(Texts),
    /// Something that code of its own takes out: which.
    Apart(&'static str),
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its name.
    pub table: &'static str,
    /// What it holds.
    pub holds: Holds,
}

const fn nobody(table: &'static str, why: &'static str) -> Place {
    Place { table, holds: Holds::Nobody(why) }
}

const fn rows(table: &'static str, owner: Owner, column: &'static str) -> Place {
    Place { table, holds: Holds::Rows(owner, column) }
}

const fn apart(table: &'static str, how: &'static str) -> Place {
    Place { table, holds: Holds::Apart(how) }
}

const fn texts(table: &'static str, texts: Texts) -> Place {
    Place { table, holds: Holds::Texts(texts) }
}

const BY_ID: Columns = &[("id", Kind::Id)];
const SETUP: &str = "what people of the workspace set up";
const STAFF: &str = "people who work here";
const COUNTS: &str = "numbers";

/// Every table.
pub const PLACES: &[Place] = &[
    nobody("workspaces", SETUP),
    nobody("users", STAFF),
    nobody("memberships", STAFF),
    nobody("credentials", STAFF),
    nobody("roles", STAFF),
    nobody("invitations", STAFF),
    nobody("second_factors", STAFF),
    nobody("recovery_codes", STAFF),
    nobody("sign_in_providers", SETUP),
    nobody("sign_in_subjects", STAFF),
    nobody("sign_ins_begun", STAFF),
    nobody("default_lead_views", STAFF),
    nobody("projects", SETUP),
    nobody("sources", SETUP),
    nobody("sites", SETUP),
    nobody("source_watches", SETUP),
    nobody("lead_pipelines", SETUP),
    nobody("lead_pipeline_stages", SETUP),
    nobody("destinations", SETUP),
    nobody("custom_fields", "names of fields, and no values"),
    nobody("scoring_versions", SETUP),
    nobody("channels", SETUP),
    nobody("mailboxes", "how far mailboxes were read"),
    nobody("message_templates", SETUP),
    nobody("canned_replies", SETUP),
    nobody("audiences", "names of lists, and how many are in them"),
    nobody("lead_automation_workflows", SETUP),
    nobody("automation_versions", SETUP),
    nobody("campaigns", SETUP),
    nobody("message_figures", COUNTS),
    nobody("automation_locks", "keyed hashes of whoever started an automation, for 30 days"),
    nobody("lead_analysis_settings", SETUP),
    nobody("import_mappings", "names of columns, and no rows"),
    nobody("lead_stage_counts", COUNTS),
    nobody("ledger_deltas", COUNTS),
    nobody("ledger_counts", COUNTS),
    nobody("rescore_jobs", COUNTS),
    nobody("work_settings", SETUP),
    nobody("assignment_rules", SETUP),
    nobody("schedules", "when work was done last"),
    nobody("report_days", "facts of leads by days, without anything that says who they are"),
    nobody("report_changes", "days of which a lead changed"),
    nobody("installation", "a check of the key"),
    nobody("import_keys", "keyed hashes of a file's rows, gone with the file"),
    nobody("suppressions", "keyed hashes of whoever must not be written to"),
    nobody("erased_keys", "keyed hashes of whoever was erased lately"),
    nobody("seaql_migrations", "which migrations ran"),
    nobody("sqlite_sequence", COUNTS),
    rows("lead_activities", Owner::Lead, "lead_id"),
    rows("lead_stage_stays", Owner::Lead, "lead_id"),
    rows("lead_scores", Owner::Lead, "lead_id"),
    rows("lead_analyses", Owner::Lead, "lead_id"),
    rows("crm_links", Owner::Lead, "lead_id"),
    rows("consents", Owner::Lead, "lead_id"),
    rows("lead_arrivals", Owner::Lead, "lead_id"),
    rows("lead_responses", Owner::Lead, "lead_id"),
    rows("tasks", Owner::Lead, "lead_id"),
    rows("personal_alerts", Owner::Lead, "lead_id"),
    rows("automation_runs", Owner::Lead, "lead_id"),
    rows("segment_members", Owner::Lead, "lead_id"),
    rows("automation_sendings", Owner::Lead, "lead_id"),
    rows("sandbox_arrivals", Owner::Lead, "lead_id"),
    rows("audience_members", Owner::Lead, "lead_id"),
    rows("campaign_recipients", Owner::Lead, "lead_id"),
    rows("message_hits", Owner::Lead, "lead_id"),
    rows("message_reactions", Owner::Lead, "lead_id"),
    rows("lead_captures", Owner::Submission, "submission_id"),
    // A fetch bears the id of the submission that it becomes.
    rows("lead_fetches", Owner::Submission, "id"),
    rows("messages", Owner::Conversation, "conversation_id"),
    rows("attachments", Owner::Conversation, "conversation_id"),
    rows("attachment_blocks", Owner::Conversation, "conversation_id"),
    rows("delivery_attempts", Owner::Delivery, "delivery_id"),
    rows("lead_merge_rows", Owner::Merge, "merge_id"),
    apart("leads", "deleted last, by id"),
    apart("contacts", "deleted with the leads"),
    apart("lead_tags", "deleted with the leads, by their tags"),
    apart("lead_search", "deleted with the leads; what the index keeps of them is merged away"),
    apart("lead_search_config", "a part of lead_search"),
    apart("lead_search_data", "a part of lead_search"),
    apart("lead_search_docsize", "a part of lead_search"),
    apart("lead_search_idx", "a part of lead_search"),
    apart("identities", "deleted by whom they name; no index leads there, so all are walked"),
    apart("lead_submissions", "deleted by their lead, and booked as erased"),
    apart("deliveries", "deleted by their lead; those that wait are booked as cancelled"),
    apart("conversations", "deleted by their lead and contact"),
    apart("lead_merges", "deleted by either lead"),
    apart("lead_visitors", "deleted by their lead"),
    apart("visitor_sessions", "deleted by the visitors of the leads"),
    apart("recent_visits", "deleted by the keyed hashes of visitors and addresses"),
    apart("job_results", "what it takes to put a lead back, and the lead's id, are cleared"),
    apart("import_blocks", "packed rows of files; whoever keeps them takes the person's out"),
    texts(
        "events",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("data", Kind::Json)],
            lead: Some("lead_id"),
            by_id: true,
            act: Act::Delete,
        },
    ),
    texts(
        "quarantine",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[
                ("name", Kind::Text),
                ("email", Kind::Text),
                ("phone", Kind::Text),
                ("message", Kind::Text),
                ("payload", Kind::Text),
                ("submission", Kind::Text),
            ],
            lead: Some("lead_id"),
            by_id: false,
            act: Act::Delete,
        },
    ),
    texts(
        "blocked_ip_leads",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("raw_body", Kind::Text)],
            lead: Some("answered_lead_id"),
            by_id: false,
            act: Act::Delete,
        },
    ),
    texts(
        "refused_requests",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("raw_body", Kind::Text), ("headers", Kind::Json)],
            lead: None,
            by_id: false,
            act: Act::Delete,
        },
    ),
    texts(
        "conversations",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("fields", Kind::Json)],
            lead: None,
            by_id: false,
            act: Act::DeleteWith(Owner::Conversation),
        },
    ),
    texts(
        "import_refused",
        Texts {
            key: &[("import_id", Kind::Id), ("row_number", Kind::Integer)],
            scope: Scope::Imports,
            columns: &[("cells", Kind::Text), ("reason", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Delete,
        },
    ),
    texts(
        "imports",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("preview", Kind::Json), ("columns", Kind::Json), ("file_name", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::RedactRows,
        },
    ),
    texts(
        "job_results",
        Texts {
            key: &[("job_id", Kind::Id), ("seq", Kind::Integer)],
            scope: Scope::Workspace,
            columns: &[("message", Kind::Text), ("undo", Kind::Json)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "jobs",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("params", Kind::Json), ("about", Kind::Json), ("cursor", Kind::Json), ("error", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "replay_jobs",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("chosen", Kind::Json)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "lead_views",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("filter", Kind::Json), ("name", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "segments",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("filter", Kind::Json), ("name", Kind::Text), ("description", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "audit_entries",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("object_name", Kind::Text), ("data", Kind::Json)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "mails",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("subject", Kind::Text), ("body", Kind::Text), ("last_error", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "alerts",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("subject_name", Kind::Text), ("data", Kind::Json)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "blocked_ips",
        Texts {
            key: BY_ID,
            scope: Scope::Workspace,
            columns: &[("reason", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
    texts(
        "destination_hours",
        Texts {
            key: &[("destination_id", Kind::Id), ("hour", Kind::Integer)],
            scope: Scope::Workspace,
            columns: &[("last_error", Kind::Text), ("failure", Kind::Text)],
            lead: None,
            by_id: false,
            act: Act::Redact,
        },
    ),
];

/// The tables whose texts are looked through, in their order.
pub fn looked_through() -> impl Iterator<Item = (&'static str, &'static Texts)> {
    PLACES.iter().filter_map(|place| match &place.holds {
        Holds::Texts(texts) => Some((place.table, texts)),
        Holds::Nobody(_) | Holds::Rows(..) | Holds::Apart(_) => None,
    })
}

/// The tables that hold anything of persons.
pub fn holding() -> impl Iterator<Item = &'static str> {
    let mut seen = Vec::new();
    PLACES.iter().filter(|place| !matches!(place.holds, Holds::Nobody(_))).filter_map(move |place| {
        let is_new = !seen.contains(&place.table);
        seen.push(place.table);
        is_new.then_some(place.table)
    })
}

/// The tables with rows of such an owner, and the column that says whose they are.
pub(crate) fn rows_of(owner: Owner) -> impl Iterator<Item = (&'static str, &'static str)> {
    PLACES.iter().filter_map(move |place| match place.holds {
        Holds::Rows(of, column) if of == owner => Some((place.table, column)),
        Holds::Rows(..) | Holds::Nobody(_) | Holds::Texts(_) | Holds::Apart(_) => None,
    })
}
