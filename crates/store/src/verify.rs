//! Whether what was accepted is stored, and what was stored is delivered, given up, waiting or excluded by a rule: a few
//! questions over whole tables, all of which must be answered with none.
//!
//! Waiting is no fault; waiting with nobody at it is. The grace for that is longer than anything takes by itself.

use leadline_domain::time::{HOUR_MS, MINUTE_MS, Timestamp};

use crate::{
    ledger::{ANNOUNCEMENTS, BUCKET_MS},
    sql::{Error, Reader},
};

/// An event older than this should have been dispatched: dispatching takes milliseconds.
const EVENT_GRACE_MS: i64 = MINUTE_MS;

/// A delivery that is due for longer, while its destination gets nothing, has nobody at it.
const DELIVERY_GRACE_MS: i64 = 5 * MINUTE_MS;

/// No lease is given for so long.
const LONGEST_LEASE_MS: i64 = HOUR_MS;

/// How many of the wrong ones are named.
const EXAMPLES: usize = 5;

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What must not be.
    pub name: &'static str,
    /// How many there are.
    pub wrong: i64,
    /// Among how many.
    pub of: Option<i64>,
    /// Some of them, by id.
    pub examples: Vec<String>,
}

impl Check {
    /// Whether there are none.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.wrong == 0
    }
}

/// The books and the tables, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "numbers of what their names say")]
pub struct Totals {
    pub accepted: i64,
    pub stored: i64,
    pub excluded: i64,
    pub erased: i64,
    pub delivered: i64,
    pub dead: i64,
    pub pending: i64,
    pub cancelled: i64,
}

/// Everything that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The questions and their answers.
    pub checks: Vec<Check>,
    /// What there is.
    pub totals: Totals,
}

struct Question {
    name: &'static str,
    /// A query for the wrong ones: `what` names each, `weight` says how many it stands for.
    wrong: String,
    /// Among what.
    of: &'static str,
}

/// Asks every question, as of `now`.
///
/// # Errors
/// Where the database fails.
pub async fn run(reader: &Reader, now: Timestamp) -> Result<Report, Error> {
    let mut checks = Vec::new();
    for question in questions(now) {
        checks.push(ask(reader, question).await?);
    }
    Ok(Report { checks, totals: totals(reader).await? })
}

async fn ask(reader: &Reader, Question { name, wrong, of }: Question) -> Result<Check, Error> {
    let count = format!("SELECT CAST(coalesce(sum(weight), 0) AS BIGINT) AS n FROM ({wrong}) AS q");
    let wrong_count = reader.count(&count, &[]).await?;
    let of = reader.count(&format!("SELECT count(*) AS n FROM {of}"), &[]).await?;
    let mut examples = Vec::new();
    if wrong_count > 0 {
        let some = format!("SELECT what FROM ({wrong}) AS q ORDER BY what LIMIT {EXAMPLES}");
        examples = reader.query(&some, &[]).await?.iter().map(|row| row.get("what")).collect::<Result<_, _>>()?;
    }
    Ok(Check { name, wrong: wrong_count, of: Some(of), examples })
}

fn questions(now: Timestamp) -> Vec<Question> {
    let mut all = about_rows();
    all.push(Question {
        name: "submissions that were accepted and are not stored",
        wrong: missing(),
        of: "lead_submissions",
    });
    all.extend(about_deliveries());
    all.extend(about_work(now));
    all
}

/// One row each, by its id.
fn each(id: &str, from: &str) -> String {
    format!("SELECT CAST({id} AS TEXT) AS what, 1 AS weight FROM {from}")
}

fn about_rows() -> Vec<Question> {
    vec![
        Question {
            name: "submissions without a lead",
            wrong: each("s.id", "lead_submissions s WHERE NOT EXISTS (SELECT 1 FROM leads l WHERE l.id = s.lead_id)"),
            of: "lead_submissions",
        },
        Question {
            name: "leads whose submissions do not add up",
            wrong: each(
                "l.id",
                "leads l WHERE l.submission_count <> (SELECT count(*) FROM lead_submissions s WHERE s.lead_id = l.id)",
            ),
            of: "leads",
        },
        Question {
            name: "leads without a contact",
            wrong: each("l.id", "leads l WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = l.contact_id)"),
            of: "leads",
        },
        Question {
            name: "announced submissions that are gone",
            // The log keeps a week. Where the lead is gone too, it was erased, or the books miss it.
            wrong: each(
                "e.submission_id",
                &format!(
                    "events e JOIN leads l ON l.id = e.lead_id
                     WHERE e.kind IN {ANNOUNCEMENTS} AND e.submission_id IS NOT NULL
                       AND NOT EXISTS (SELECT 1 FROM lead_submissions s WHERE s.id = e.submission_id)"
                ),
            ),
            of: "events",
        },
        Question {
            name: "stages whose count does not add up",
            wrong: each(
                "id",
                "(SELECT s.id, (SELECT count(*) FROM leads l WHERE l.stage_id = s.id AND l.deleted_at IS NULL) AS stored,
                         (SELECT coalesce(sum(n), 0) FROM lead_stage_counts c WHERE c.stage_id = s.id) AS counted
                  FROM lead_pipeline_stages s) AS stages WHERE stored <> counted",
            ),
            of: "lead_pipeline_stages",
        },
        Question {
            name: "stages whose value does not add up",
            wrong: each(
                "id",
                "(SELECT s.id, (SELECT coalesce(sum(coalesce(l.sales_value_milli, l.quote_value_milli)), 0) FROM leads l
                                WHERE l.stage_id = s.id AND l.deleted_at IS NULL) AS stored,
                         (SELECT coalesce(sum(value_milli), 0) FROM lead_stage_counts c WHERE c.stage_id = s.id) AS counted
                  FROM lead_pipeline_stages s) AS stages WHERE stored <> counted",
            ),
            of: "lead_pipeline_stages",
        },
    ]
}

/// The books against the rows, for each source and quarter of an hour. What is there without having been accepted is
/// wrong as well.
fn missing() -> String {
    let booked = "SELECT workspace_id, bucket, source_id, accepted - excluded_by_rule - erased AS n";
    format!(
        "SELECT 'source ' || CAST(source_id AS TEXT) || ' in the 15 minutes from ' || CAST(bucket AS TEXT) AS what,
                abs(sum(n)) AS weight
         FROM ({booked} FROM ledger_counts UNION ALL {booked} FROM ledger_deltas
               UNION ALL SELECT workspace_id, received_at - received_at % {BUCKET_MS},
                   coalesce(source_id, '00000000-0000-0000-0000-000000000000'), -1 FROM lead_submissions) AS b
         GROUP BY workspace_id, bucket, source_id HAVING sum(n) <> 0"
    )
}

fn about_deliveries() -> Vec<Question> {
    let pending = "SELECT workspace_id, owed - delivered - dead - cancelled AS n";
    vec![
        Question {
            name: "deliveries made twice",
            // By their event, and by the submission: it announces itself once to each destination.
            wrong: format!(
                "SELECT CAST(event_id AS TEXT) AS what, count(*) - 1 AS weight FROM deliveries
                 GROUP BY event_id, destination_id HAVING count(*) > 1
                 UNION ALL
                 SELECT CAST(submission_id AS TEXT), count(DISTINCT event_id) - 1 FROM deliveries
                 WHERE submission_id IS NOT NULL AND event IN {ANNOUNCEMENTS}
                 GROUP BY submission_id, destination_id HAVING count(DISTINCT event_id) > 1"
            ),
            of: "deliveries",
        },
        Question {
            name: "deliveries that arrived twice",
            // By hand, or after a lease whose holder never came back, a delivery may be sent again.
            wrong: "SELECT CAST(d.id AS TEXT) AS what, a.n - 1 - d.repeat_count AS weight FROM deliveries d
                    JOIN (SELECT delivery_id, count(*) AS n FROM delivery_attempts
                          WHERE status BETWEEN 200 AND 299 GROUP BY delivery_id HAVING count(*) > 1) AS a
                         ON a.delivery_id = d.id
                    WHERE a.n > 1 + d.repeat_count"
                .to_owned(),
            of: "deliveries",
        },
        Question {
            name: "deliveries that are owed and not there",
            wrong: format!(
                "SELECT 'workspace ' || CAST(workspace_id AS TEXT) AS what, abs(sum(n)) AS weight
                 FROM ({pending} FROM ledger_counts UNION ALL {pending} FROM ledger_deltas
                       UNION ALL SELECT workspace_id, -1 FROM deliveries
                           WHERE state = 'pending' AND submission_id IS NOT NULL) AS b
                 GROUP BY workspace_id HAVING sum(n) <> 0"
            ),
            of: "deliveries",
        },
    ]
}

fn about_work(now: Timestamp) -> Vec<Question> {
    let (event_limit, due_limit) = (now.0 - EVENT_GRACE_MS, now.0 - DELIVERY_GRACE_MS);
    let longest = now.0 + LONGEST_LEASE_MS;
    vec![
        Question {
            name: "events that nobody dispatches",
            wrong: each("id", &format!("events WHERE NOT dispatched AND created_at < {event_limit}")),
            of: "events",
        },
        Question {
            name: "deliveries that nobody makes",
            // A lease that ran out long ago, or one that nobody gives; or due, while its destination, which is not
            // paused, has nothing under way. Where it has, it is slow, and the others wait for their turn.
            wrong: each(
                "d.id",
                &format!(
                    "deliveries d LEFT JOIN destinations t ON t.id = d.destination_id
                     WHERE d.state = 'pending' AND (t.id IS NULL OR t.is_active AND t.deleted_at IS NULL)
                       AND (d.leased_until < {due_limit} OR d.leased_until > {longest}
                            OR d.leased_until IS NULL AND d.next_attempt_at < {due_limit}
                               AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.destination_id = d.destination_id
                                               AND o.state = 'pending' AND o.leased_until >= {due_limit}))"
                ),
            ),
            of: "deliveries",
        },
    ]
}

async fn totals(reader: &Reader) -> Result<Totals, Error> {
    let booked = |what: &str| {
        format!(
            "CAST((SELECT coalesce(sum({what}), 0) FROM ledger_counts)
                + (SELECT coalesce(sum({what}), 0) FROM ledger_deltas) AS BIGINT) AS {what}"
        )
    };
    let columns = ["accepted", "excluded_by_rule", "erased", "delivered", "dead", "cancelled"].map(booked).join(", ");
    let sql = format!(
        "SELECT {columns}, (SELECT count(*) FROM lead_submissions) AS stored,
             (SELECT count(*) FROM deliveries WHERE state = 'pending' AND submission_id IS NOT NULL) AS pending"
    );
    let Some(row) = reader.query_one(&sql, &[]).await? else { return Ok(Totals::default()) };
    Ok(Totals {
        accepted: row.get("accepted")?,
        stored: row.get("stored")?,
        excluded: row.get("excluded_by_rule")?,
        erased: row.get("erased")?,
        delivered: row.get("delivered")?,
        dead: row.get("dead")?,
        pending: row.get("pending")?,
        cancelled: row.get("cancelled")?,
    })
}
