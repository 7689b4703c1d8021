//! Runs: leads on their way through an automation, and the sendings of each step.
//!
//! A sending waits here until its time and asks for its message in the transaction that ends its waiting, so that it asks
//! once. Whoever changes runs locks them in the order of their ids; [`claim_due`] passes over those that somebody else
//! holds, together with their sendings.

use leadline_domain::{
    automations::{Definition, RunState, Sending, StepKind},
    ids::{AutomationId, ContactId, EventId, LeadId, MessageId, MessageTemplateId, RunId, WorkspaceId},
    messaging::{MessageChannel, Status},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// What a sending is that has not asked for its message.
const WAITING: &str = "waiting";

/// What a sending is of a step that sends nothing, and was done.
const DONE: &str = "done";

/// Runs of one lead that an event may end at once.
const RUNNING_MAX: i64 = 1_000;

/// A run to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `automation_runs` under their own names")]
pub struct NewRun {
    pub id: RunId,
    pub workspace_id: WorkspaceId,
    pub automation_id: AutomationId,
    pub version: i64,
    pub lead_id: LeadId,
    /// What started it.
    pub event_id: EventId,
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub step: i64,
    /// How many lines it has on the timeline.
    pub line_count: i64,
    /// How many automations before it started one another.
    pub depth: i64,
    pub started_at: i64,
    pub updated_at: i64,
    pub finished_at: Option<i64>,
}

const RUN_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("automation_id", Kind::Id),
    ("version", Kind::Integer),
    ("lead_id", Kind::Id),
    ("event_id", Kind::Id),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("step", Kind::Integer),
    ("line_count", Kind::Integer),
    ("depth", Kind::Integer),
    ("started_at", Kind::Integer),
    ("updated_at", Kind::Integer),
    ("finished_at", Kind::Integer),
];

/// A run.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `automation_runs` under their own names")]
pub struct StoredRun {
    pub id: RunId,
    pub workspace_id: WorkspaceId,
    pub automation_id: AutomationId,
    pub version: i64,
    pub lead_id: LeadId,
    pub state: RunState,
    /// Why it never began or left.
    pub reason: Option<String>,
    /// The step that it is at, from 0.
    pub step: i64,
    pub line_count: i64,
    pub depth: i64,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What changes of a run.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `automation_runs` under their own names")]
pub struct RunChange {
    pub id: RunId,
    pub lead_id: LeadId,
    pub state: &'static str,
    pub reason: Option<String>,
    pub step: i64,
    pub line_count: i64,
    pub updated_at: i64,
    pub finished_at: Option<i64>,
}

const CHANGE_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("lead_id", Kind::Id),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("step", Kind::Integer),
    ("line_count", Kind::Integer),
    ("updated_at", Kind::Integer),
    ("finished_at", Kind::Integer),
];

/// A sending, as it is written.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `automation_sendings` under their own names")]
pub struct SendingRow {
    pub run_id: RunId,
    pub step: i64,
    pub number: i64,
    pub workspace_id: WorkspaceId,
    /// Whose, for whoever is to be forgotten.
    pub lead_id: LeadId,
    /// What kind of step it is of.
    pub kind: &'static str,
    /// None where the step sends nothing; nor has it a template then.
    pub channel: Option<&'static str>,
    pub template_id: Option<MessageTemplateId>,
    pub message_id: Option<MessageId>,
    /// `waiting`, or how its message fares.
    pub status: &'static str,
    pub reason: Option<String>,
    pub error: Option<String>,
    pub due_at: i64,
    pub started_at: Option<i64>,
    pub sent_at: Option<i64>,
    pub updated_at: i64,
}

const SENDING_COLUMNS: Columns = &[
    ("run_id", Kind::Id),
    ("step", Kind::Integer),
    ("number", Kind::Integer),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("kind", Kind::Text),
    ("channel", Kind::Text),
    ("template_id", Kind::Id),
    ("message_id", Kind::Id),
    ("status", Kind::Text),
    ("reason", Kind::Text),
    ("error", Kind::Text),
    ("due_at", Kind::Integer),
    ("started_at", Kind::Integer),
    ("sent_at", Kind::Integer),
    ("updated_at", Kind::Integer),
];

/// A sending.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `automation_sendings` under their own names")]
pub struct StoredSending {
    pub run_id: RunId,
    pub step: i64,
    pub number: i64,
    pub kind: StepKind,
    /// None where the step sends nothing; nor has it a template then.
    pub channel: Option<MessageChannel>,
    pub template_id: Option<MessageTemplateId>,
    pub message_id: Option<MessageId>,
    /// How its message fares; [`Status::Sent`] is also what a step has done that sends none; none while it waits.
    pub status: Option<Status>,
    pub reason: Option<String>,
    pub error: Option<String>,
    pub due_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

impl StoredSending {
    /// As rules look at it.
    #[must_use]
    pub fn plain(&self) -> Sending {
        Sending {
            step: usize::try_from(self.step).unwrap_or_default(),
            number: self.number,
            channel: self.channel,
            template_id: self.template_id,
            status: self.status,
            reason: self.reason.clone(),
        }
    }
}

/// How the status of a sending by this channel, or by none, is written.
#[must_use]
pub fn status_text(status: Option<Status>, channel: Option<MessageChannel>) -> &'static str {
    match status {
        None => WAITING,
        Some(Status::Sent) if channel.is_none() => DONE,
        Some(status) => status.as_str(),
    }
}

/// Inserts runs, and gives those that nobody had begun.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, rows: &[NewRun]) -> Result<Vec<RunId>, Error> {
    tx.insert_new("automation_runs", RUN_COLUMNS, rows, "id").await
}

/// Inserts sendings. One that is there stays as it is.
///
/// # Errors
/// Where the database fails.
pub async fn insert_sendings(tx: &mut Tx, rows: &[SendingRow]) -> Result<(), Error> {
    let conflict = "ON CONFLICT (run_id, step, number) DO NOTHING";
    tx.insert_set("automation_sendings", SENDING_COLUMNS, rows, conflict).await.map(drop)
}

/// Writes sendings of runs that are locked.
///
/// # Errors
/// Where the database fails.
pub async fn write_sendings(tx: &mut Tx, rows: &[SendingRow]) -> Result<(), Error> {
    let conflict =
        "ON CONFLICT (run_id, step, number) DO UPDATE SET lead_id = excluded.lead_id, message_id = excluded.message_id,
                    status = excluded.status, reason = excluded.reason, error = excluded.error,
                    due_at = excluded.due_at, started_at = excluded.started_at, sent_at = excluded.sent_at,
                    updated_at = excluded.updated_at";
    tx.insert_set("automation_sendings", SENDING_COLUMNS, rows, conflict).await.map(drop)
}

/// Writes what changed of runs that are locked.
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, rows: &[RunChange]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE automation_runs SET lead_id = r.lead_id, state = r.state, reason = r.reason, step = r.step,
             line_count = r.line_count, updated_at = r.updated_at, finished_at = r.finished_at
         FROM {} WHERE automation_runs.id = r.id",
        tx.dialect().set(1, CHANGE_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// Whether a sending's time has come.
///
/// # Errors
/// Where the database fails.
pub async fn is_due(reader: &Reader, now: Timestamp) -> Result<bool, Error> {
    // By `automation_sendings_due`.
    let sql =
        "SELECT due_at FROM automation_sendings WHERE status = 'waiting' AND due_at <= $1 ORDER BY due_at LIMIT 1";
    Ok(reader.query_one(sql, &params![now]).await?.is_some())
}

/// A sending whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Of which run.
    pub run: RunId,
    /// The step.
    pub step: i64,
    /// The sending.
    pub number: i64,
}

/// The sendings whose time has come, those that waited longest first. They and their runs are locked; what another node
/// holds is left to it.
///
/// # Errors
/// Where the database fails.
pub async fn claim_due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Due>, Error> {
    // By `automation_sendings_due`, and each run by its key.
    let sql = format!(
        "SELECT s.run_id, s.step, s.number FROM automation_sendings AS s JOIN automation_runs AS r ON r.id = s.run_id
         WHERE s.status = 'waiting' AND s.due_at <= $1 ORDER BY s.due_at LIMIT $2 {}",
        tx.dialect().skip_locked()
    );
    let rows = tx.query(&sql, &params![now, limit]).await?;
    rows.iter()
        .map(|row| Ok(Due { run: row.get("run_id")?, step: row.get("step")?, number: row.get("number")? }))
        .collect()
}

/// Runs that nobody else changes until the transaction ends, in the order of their ids.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, ids: &[RunId]) -> Result<Vec<StoredRun>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!("{SELECT_RUN} WHERE id IN {} ORDER BY id {}", dialect.id_list(1), dialect.for_update());
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(read_run).collect()
}

/// The newest runs of a lead by an automation, locked: those in which something may be tried again.
///
/// # Errors
/// Where the database fails.
pub async fn lock_latest(
    tx: &mut Tx,
    workspace: WorkspaceId,
    automation: AutomationId,
    lead: LeadId,
    limit: i64,
) -> Result<Vec<StoredRun>, Error> {
    // By `automation_runs_of_lead`, also of leads that went into this one (`leads_merged_into`).
    let sql = "SELECT id FROM automation_runs
               WHERE lead_id IN (SELECT l.id FROM leads AS l WHERE l.id = $1
                                 UNION ALL SELECT m.id FROM leads AS m WHERE m.merged_into = $1)
                   AND automation_id = $2 AND workspace_id = $3
               ORDER BY started_at DESC, id DESC LIMIT $4";
    let rows = tx.query(sql, &params![lead, automation, workspace, limit]).await?;
    let ids: Vec<RunId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    let mut runs = lock(tx, &ids).await?;
    runs.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.id)));
    Ok(runs)
}

/// The runs of leads that still go on.
///
/// # Errors
/// Where the database fails.
pub async fn running_of_leads(tx: &mut Tx, leads: &[LeadId]) -> Result<Vec<(RunId, LeadId)>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    // By `automation_runs_of_lead`.
    let sql = format!(
        "SELECT id, lead_id FROM automation_runs WHERE lead_id IN {} AND state = 'running' LIMIT {RUNNING_MAX}",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(leads)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("lead_id")?))).collect()
}

/// Which sendings asked for these messages.
///
/// # Errors
/// Where the database fails.
pub async fn of_messages(tx: &mut Tx, messages: &[MessageId]) -> Result<Vec<(MessageId, Due)>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    // By `automation_sendings_by_message`.
    let sql = format!(
        "SELECT message_id, run_id, step, number FROM automation_sendings WHERE message_id IN {}",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(messages)]).await?;
    rows.iter()
        .map(|row| {
            let due = Due { run: row.get("run_id")?, step: row.get("step")?, number: row.get("number")? };
            Ok((row.get("message_id")?, due))
        })
        .collect()
}

/// All sendings of runs, in their order.
///
/// # Errors
/// Where the database fails.
pub async fn sendings_of(tx: &mut Tx, runs: &[RunId]) -> Result<Vec<StoredSending>, Error> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{SELECT_SENDING} WHERE run_id IN {} ORDER BY run_id, step, number", tx.dialect().id_list(1));
    tx.query(&sql, &[json_set(runs)]).await?.iter().map(read_sending).collect()
}

/// Takes the sendings of runs away that still wait: nothing more is to be sent.
///
/// # Errors
/// Where the database fails.
pub async fn delete_waiting(tx: &mut Tx, runs: &[RunId]) -> Result<(), Error> {
    if runs.is_empty() {
        return Ok(());
    }
    let sql =
        format!("DELETE FROM automation_sendings WHERE run_id IN {} AND status = 'waiting'", tx.dialect().id_list(1));
    tx.execute(&sql, &[json_set(runs)]).await.map(drop)
}

/// A version of an automation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Version {
    /// The automation.
    pub automation_id: AutomationId,
    /// The version.
    pub version: i64,
}

/// What automations did in these versions.
///
/// # Errors
/// Where the database fails.
pub async fn definitions(tx: &mut Tx, versions: &[Version]) -> Result<Vec<(Version, Definition)>, Error> {
    if versions.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT v.automation_id, v.version, {definition} AS definition
         FROM {set} JOIN automation_versions AS v ON v.automation_id = r.automation_id AND v.version = r.version",
        definition = dialect.json_text("v.definition"),
        set = dialect.set(1, &[("automation_id", Kind::Id), ("version", Kind::Integer)]),
    );
    let rows = tx.query(&sql, &[json_set(versions)]).await?;
    rows.iter()
        .map(|row| {
            let version = Version { automation_id: row.get("automation_id")?, version: row.get("version")? };
            Ok((version, row.json("definition")?))
        })
        .collect()
}

/// How an automation stands, deleted or not.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The automation.
    pub id: AutomationId,
    /// What it is called.
    pub name: String,
    /// Whether it is switched on.
    pub is_active: bool,
    /// Whether it was deleted.
    pub is_deleted: bool,
}

/// How automations stand.
///
/// # Errors
/// Where the database fails.
pub async fn standings(tx: &mut Tx, ids: &[AutomationId]) -> Result<Vec<Standing>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, name, is_active, deleted_at FROM lead_automation_workflows WHERE id IN {}",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                id: row.get("id")?,
                name: row.get("name")?,
                is_active: row.get("is_active")?,
                is_deleted: row.get::<Option<Timestamp>>("deleted_at")?.is_some(),
            })
        })
        .collect()
}

/// Which of these people have written since, each with the time from which on that counts.
///
/// # Errors
/// Where the database fails.
pub async fn who_replied(tx: &mut Tx, since: &[Since]) -> Result<Vec<RunId>, Error> {
    if since.is_empty() {
        return Ok(Vec::new());
    }
    // By `conversations_of_lead`; a lead has few.
    let sql = format!(
        "SELECT r.run_id FROM {} WHERE EXISTS (SELECT 1 FROM conversations AS c
                 WHERE c.lead_id = r.lead_id AND c.last_inbound_at > r.since)",
        tx.dialect().set(1, &[("run_id", Kind::Id), ("lead_id", Kind::Id), ("since", Kind::Integer)])
    );
    tx.query(&sql, &[json_set(since)]).await?.iter().map(|row| row.get("run_id")).collect()
}

/// From when on what a lead's person writes is a reply, to a run.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "they say it themselves")]
pub struct Since {
    pub run_id: RunId,
    pub lead_id: LeadId,
    pub since: i64,
}

/// What runs need to know of a lead.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Person {
    pub id: LeadId,
    pub workspace_id: WorkspaceId,
    pub contact_id: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub country_code: Option<String>,
    /// The timezone of the browser's clock.
    pub browser_zone: Option<String>,
    /// The timezone where the address is.
    pub place_zone: Option<String>,
    /// The country where the address is.
    pub place_country: Option<String>,
    pub is_deleted: bool,
    /// The lead that it went into.
    pub merged_into: Option<LeadId>,
}

/// What runs need to know of leads, by their keys.
///
/// # Errors
/// Where the database fails.
pub async fn persons(tx: &mut Tx, ids: &[LeadId]) -> Result<Vec<Person>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, workspace_id, contact_id, email, phone, country_code, {browser} AS browser_zone,
                {place} AS place_zone, {country} AS place_country, deleted_at, merged_into
         FROM leads WHERE id IN {ids}",
        browser = dialect.json_at("context", &["timezone"]),
        place = dialect.json_at("context", &["location", "timezone"]),
        country = dialect.json_at("context", &["location", "country"]),
        ids = dialect.id_list(1),
    );
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(read_person).collect()
}

fn read_person(row: &Row) -> Result<Person, Error> {
    Ok(Person {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        contact_id: row.get("contact_id")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        country_code: row.get("country_code")?,
        browser_zone: row.get("browser_zone")?,
        place_zone: row.get("place_zone")?,
        place_country: row.get("place_country")?,
        is_deleted: row.get::<Option<Timestamp>>("deleted_at")?.is_some(),
        merged_into: row.get("merged_into")?,
    })
}

/// What a lead's score was and is, by the last two rows of its history.
#[derive(Debug, Clone, Copy)]
pub struct ScoreStep {
    /// Whose.
    pub lead: LeadId,
    /// Which row is the last.
    pub number: i64,
    /// What it was before; 0 where there was none.
    pub from: i64,
    /// What it is.
    pub to: i64,
}

/// What the scores of leads were and are, where they changed since: a lead, and the time from which on that counts.
///
/// # Errors
/// Where the database fails.
pub async fn score_steps(tx: &mut Tx, leads: &[(LeadId, Timestamp)]) -> Result<Vec<ScoreStep>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    // By the key of `lead_scores`, which is lead and number.
    let sql = format!(
        "SELECT h.lead_id, h.number, h.score,
                coalesce((SELECT b.score FROM lead_scores AS b WHERE b.lead_id = h.lead_id AND b.number < h.number
                          ORDER BY b.number DESC LIMIT 1), 0) AS before
         FROM {set} JOIN lead_scores AS h
             ON h.lead_id = r.lead_id AND h.number = (SELECT max(m.number) FROM lead_scores AS m WHERE m.lead_id = r.lead_id)
         WHERE h.at >= r.since",
        set = dialect.set(1, &[("lead_id", Kind::Id), ("since", Kind::Integer)]),
    );
    let rows: Vec<Scored> = leads.iter().map(|(lead_id, since)| Scored { lead_id: *lead_id, since: since.0 }).collect();
    let rows = tx.query(&sql, &[json_set(&rows)]).await?;
    rows.iter()
        .map(|row| {
            Ok(ScoreStep {
                lead: row.get("lead_id")?,
                number: row.get("number")?,
                from: row.get("before")?,
                to: row.get("score")?,
            })
        })
        .collect()
}

#[derive(Serialize)]
struct Scored {
    lead_id: LeadId,
    since: i64,
}

pub(super) const SELECT_RUN: &str = "SELECT id, workspace_id, automation_id, version, lead_id, state, reason, step,
    line_count, depth, started_at, finished_at FROM automation_runs";

pub(super) fn read_run(row: &Row) -> Result<StoredRun, Error> {
    let state: String = row.get("state")?;
    Ok(StoredRun {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        automation_id: row.get("automation_id")?,
        version: row.get("version")?,
        lead_id: row.get("lead_id")?,
        state: RunState::parse(&state).ok_or_else(|| Error::Column { column: "state".to_owned() })?,
        reason: row.get("reason")?,
        step: row.get("step")?,
        line_count: row.get("line_count")?,
        depth: row.get("depth")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
    })
}

pub(super) const SELECT_SENDING: &str =
    "SELECT run_id, step, number, kind, channel, template_id, message_id, status, reason,
    error, due_at, started_at, sent_at, updated_at FROM automation_sendings";

pub(super) fn read_sending(row: &Row) -> Result<StoredSending, Error> {
    let wrong = |column: &str| Error::Column { column: column.to_owned() };
    let kind: String = row.get("kind")?;
    let (channel, status): (Option<String>, String) = (row.get("channel")?, row.get("status")?);
    let status = match status.as_str() {
        WAITING => None,
        DONE => Some(Status::Sent),
        other => Some(Status::parse(other).ok_or_else(|| wrong("status"))?),
    };
    let channel = channel.map(|name| MessageChannel::parse(&name).ok_or_else(|| wrong("channel")));
    Ok(StoredSending {
        run_id: row.get("run_id")?,
        step: row.get("step")?,
        number: row.get("number")?,
        kind: StepKind::parse(&kind).ok_or_else(|| wrong("kind"))?,
        channel: channel.transpose()?,
        template_id: row.get("template_id")?,
        message_id: row.get("message_id")?,
        status,
        reason: row.get("reason")?,
        error: row.get("error")?,
        due_at: row.get("due_at")?,
        started_at: row.get("started_at")?,
        sent_at: row.get("sent_at")?,
        updated_at: row.get("updated_at")?,
    })
}
