//! Whether what was accepted is stored, and what was stored was delivered: a few questions over whole tables, all of
//! which must be answered with none.

use crate::sql::{Error, Reader};

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What must not be.
    pub name: &'static str,
    /// How many there are.
    pub wrong: i64,
    /// Among how many.
    pub of: Option<i64>,
}

impl Check {
    /// Whether there are none.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.wrong == 0
    }
}

/// Question, what is counted, and among what.
const QUESTIONS: &[(&str, &str, &str)] = &[
    (
        "submissions without a lead",
        "lead_submissions s WHERE NOT EXISTS (SELECT 1 FROM leads l WHERE l.id = s.lead_id)",
        "lead_submissions",
    ),
    (
        "leads whose submissions do not add up",
        "leads l WHERE l.submission_count <> (SELECT count(*) FROM lead_submissions s WHERE s.lead_id = l.id)",
        "leads",
    ),
    (
        "leads without a contact",
        "leads l WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = l.contact_id)",
        "leads",
    ),
    (
        "stages whose count does not add up",
        "(SELECT s.id, (SELECT count(*) FROM leads l WHERE l.stage_id = s.id AND l.deleted_at IS NULL) AS stored,
                 (SELECT coalesce(sum(n), 0) FROM lead_stage_counts c WHERE c.stage_id = s.id) AS counted
          FROM lead_pipeline_stages s) AS stages WHERE stored <> counted",
        "lead_pipeline_stages",
    ),
    ("events that wait to be dispatched", "events WHERE NOT dispatched", "events"),
    ("deliveries that are neither delivered nor dead", "deliveries WHERE state = 'pending'", "deliveries"),
];

/// Asks every question.
///
/// # Errors
/// Where the database fails.
pub async fn run(reader: &Reader) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::with_capacity(QUESTIONS.len());
    for (name, wrong, of) in QUESTIONS {
        let wrong = reader.count(&format!("SELECT count(*) AS n FROM {wrong}"), &[]).await?;
        let of = reader.count(&format!("SELECT count(*) AS n FROM {of}"), &[]).await?;
        checks.push(Check { name, wrong, of: Some(of) });
    }
    Ok(checks)
}
