//! What became of messages, in figures: by the hour, for each campaign, automation and what was sent by hand.
//!
//! A figure counts messages that got somewhere (sent, delivered, opened), each once. It is written in the transaction
//! that knows of it, so that figures and messages never differ, and stays when a person is erased.

use leadline_domain::{
    ids::{CauseId, WorkspaceId},
    time::{HOUR_MS, Timestamp},
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set, params},
};

/// Hours of one campaign or automation that are listed.
const HOURS_MAX: i64 = 2_000;

/// Campaigns and automations that are listed.
const SUBJECTS_MAX: i64 = 500;

/// How many messages got how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// A provider has or had them.
    pub sent: i64,
    /// They arrived.
    pub delivered: i64,
    /// The provider says that they were read.
    pub seen: i64,
    /// They will not arrive.
    pub failed: i64,
    /// Nobody knows whether they went out.
    pub unclear: i64,
    /// They were not sent on purpose.
    pub skipped: i64,
    /// A person opened them.
    pub human_opens: i64,
    /// A machine opened them.
    pub machine_opens: i64,
    /// A person followed a link of theirs.
    pub human_clicks: i64,
    /// A machine followed a link of theirs.
    pub machine_clicks: i64,
    /// Whoever got them unsubscribed by them.
    pub unsubscribed: i64,
    /// Whoever got them wrote back.
    pub replied: i64,
}

impl Figures {
    /// Each by itself, in the order of the columns.
    fn parts(&mut self) -> [&mut i64; 12] {
        [
            &mut self.sent,
            &mut self.delivered,
            &mut self.seen,
            &mut self.failed,
            &mut self.unclear,
            &mut self.skipped,
            &mut self.human_opens,
            &mut self.machine_opens,
            &mut self.human_clicks,
            &mut self.machine_clicks,
            &mut self.unsubscribed,
            &mut self.replied,
        ]
    }

    /// Adds others.
    pub fn add(&mut self, mut other: Self) {
        self.parts().into_iter().zip(other.parts()).for_each(|(sum, more)| *sum += *more);
    }

    /// Whether all are nought.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Which messages figures are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Whose.
    pub workspace: WorkspaceId,
    /// The campaign or automation; the workspace itself for what was sent by hand.
    pub subject: CauseId,
    /// The hour, as the moment when it begins.
    pub hour: i64,
    /// The step of an automation, or the subject line of a campaign.
    pub step: i64,
    /// By which kind of channel.
    pub channel: &'static str,
    /// `user`, `automation` or `campaign`.
    pub cause: &'static str,
}

impl Group {
    /// The hour that a moment is in.
    #[must_use]
    pub fn hour_of(at: Timestamp) -> i64 {
        at.0 - at.0.rem_euclid(HOUR_MS)
    }
}

#[derive(Serialize)]
struct AddRow {
    workspace_id: WorkspaceId,
    subject_id: CauseId,
    hour: i64,
    step: i64,
    channel: &'static str,
    cause_kind: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

const COLUMNS: Columns = &[
    ("workspace_id", Kind::Id),
    ("subject_id", Kind::Id),
    ("hour", Kind::Integer),
    ("step", Kind::Integer),
    ("channel", Kind::Text),
    ("cause_kind", Kind::Text),
    ("sent", Kind::Integer),
    ("delivered", Kind::Integer),
    ("seen", Kind::Integer),
    ("failed", Kind::Integer),
    ("unclear", Kind::Integer),
    ("skipped", Kind::Integer),
    ("human_opens", Kind::Integer),
    ("machine_opens", Kind::Integer),
    ("human_clicks", Kind::Integer),
    ("machine_clicks", Kind::Integer),
    ("unsubscribed", Kind::Integer),
    ("replied", Kind::Integer),
];

/// Adds to figures, each group once. Called last in a transaction: these are rows that all nodes want, and all take them
/// in one order.
///
/// # Errors
/// Where the database fails.
pub async fn add(tx: &mut Tx, groups: &std::collections::BTreeMap<Group, Figures>) -> Result<(), Error> {
    let rows: Vec<AddRow> = groups
        .iter()
        .filter(|(_, figures)| !figures.is_nothing())
        .map(|(group, figures)| AddRow {
            workspace_id: group.workspace,
            subject_id: group.subject,
            hour: group.hour,
            step: group.step,
            channel: group.channel,
            cause_kind: group.cause,
            figures: *figures,
        })
        .collect();
    let sums: Vec<String> =
        COLUMNS[6..].iter().map(|(name, _)| format!("{name} = message_figures.{name} + excluded.{name}")).collect();
    let conflict = format!(
        "ORDER BY workspace_id, subject_id, hour, step, channel
         ON CONFLICT (workspace_id, subject_id, hour, step, channel) DO UPDATE SET {}",
        sums.join(", ")
    );
    tx.insert_set("message_figures", COLUMNS, &rows, &conflict).await.map(drop)
}

const SUMS: &str = "CAST(sum(sent) AS BIGINT) AS sent, CAST(sum(delivered) AS BIGINT) AS delivered,
    CAST(sum(seen) AS BIGINT) AS seen, CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(unclear) AS BIGINT) AS unclear,
    CAST(sum(skipped) AS BIGINT) AS skipped, CAST(sum(human_opens) AS BIGINT) AS human_opens,
    CAST(sum(machine_opens) AS BIGINT) AS machine_opens, CAST(sum(human_clicks) AS BIGINT) AS human_clicks,
    CAST(sum(machine_clicks) AS BIGINT) AS machine_clicks, CAST(sum(unsubscribed) AS BIGINT) AS unsubscribed,
    CAST(sum(replied) AS BIGINT) AS replied";

fn read(row: &Row) -> Result<Figures, Error> {
    Ok(Figures {
        sent: row.get("sent")?,
        delivered: row.get("delivered")?,
        seen: row.get("seen")?,
        failed: row.get("failed")?,
        unclear: row.get("unclear")?,
        skipped: row.get("skipped")?,
        human_opens: row.get("human_opens")?,
        machine_opens: row.get("machine_opens")?,
        human_clicks: row.get("human_clicks")?,
        machine_clicks: row.get("machine_clicks")?,
        unsubscribed: row.get("unsubscribed")?,
        replied: row.get("replied")?,
    })
}

/// The figures of some campaigns or automations. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn of_subjects(
    reader: &Reader,
    workspace: WorkspaceId,
    subjects: &[CauseId],
) -> Result<Vec<(CauseId, Figures)>, Error> {
    let sql = format!(
        "SELECT subject_id, {SUMS} FROM message_figures
         WHERE workspace_id = $2 AND subject_id IN {} GROUP BY subject_id",
        reader.dialect().id_list(1)
    );
    let rows = reader.query(&sql, &[json_set(subjects), workspace.param()]).await?;
    rows.iter().map(|row| Ok((row.get("subject_id")?, read(row)?))).collect()
}

/// The figures of one subject by step: of a campaign, by subject line. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn by_step(reader: &Reader, workspace: WorkspaceId, subject: CauseId) -> Result<Vec<(i64, Figures)>, Error> {
    let sql = format!(
        "SELECT step, {SUMS} FROM message_figures WHERE workspace_id = $1 AND subject_id = $2
         GROUP BY step ORDER BY step LIMIT 100"
    );
    let rows = reader.query(&sql, &params![workspace, subject]).await?;
    rows.iter().map(|row| Ok((row.get("step")?, read(row)?))).collect()
}

/// The same, for whoever decides by it.
///
/// # Errors
/// Where the database fails.
pub async fn by_step_in(tx: &mut Tx, workspace: WorkspaceId, subject: CauseId) -> Result<Vec<(i64, Figures)>, Error> {
    let sql = format!(
        "SELECT step, {SUMS} FROM message_figures WHERE workspace_id = $1 AND subject_id = $2 GROUP BY step ORDER BY step"
    );
    let rows = tx.query(&sql, &params![workspace, subject]).await?;
    rows.iter().map(|row| Ok((row.get("step")?, read(row)?))).collect()
}

/// The figures of one subject by hour, the first hours first. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn by_hour(
    reader: &Reader,
    workspace: WorkspaceId,
    subject: CauseId,
) -> Result<Vec<(Timestamp, Figures)>, Error> {
    let sql = format!(
        "SELECT hour, {SUMS} FROM message_figures WHERE workspace_id = $1 AND subject_id = $2
         GROUP BY hour ORDER BY hour LIMIT {HOURS_MAX}"
    );
    let rows = reader.query(&sql, &params![workspace, subject]).await?;
    rows.iter().map(|row| Ok((row.get("hour")?, read(row)?))).collect()
}

/// The automations of runs. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn automations_of(tx: &mut Tx, runs: &[CauseId]) -> Result<Vec<(CauseId, CauseId)>, Error> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id, automation_id FROM automation_runs WHERE id IN {}", tx.dialect().id_list(1));
    let rows = tx.query(&sql, &[json_set(runs)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("automation_id")?))).collect()
}

/// What one subject came to in some days.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `message_figures` under their own names")]
pub struct SubjectFigures {
    pub subject: CauseId,
    pub cause_kind: String,
    pub channel: String,
    /// What the campaign or automation is called; none for what was sent by hand.
    pub name: Option<String>,
    pub figures: Figures,
}

/// What all messages of a workspace came to between two moments, by what caused them, the most first. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn by_subject(
    reader: &Reader,
    workspace: WorkspaceId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<SubjectFigures>, Error> {
    let sql = format!(
        "SELECT f.*, coalesce((SELECT c.name FROM campaigns AS c WHERE c.id = f.subject_id),
                              (SELECT a.name FROM lead_automation_workflows AS a WHERE a.id = f.subject_id)) AS name
         FROM (SELECT subject_id, cause_kind, channel, {SUMS} FROM message_figures
               WHERE workspace_id = $1 AND hour >= $2 AND hour < $3
               GROUP BY subject_id, cause_kind, channel) AS f
         ORDER BY f.sent DESC, f.subject_id, f.channel LIMIT {SUBJECTS_MAX}"
    );
    let rows = reader.query(&sql, &params![workspace, from, until]).await?;
    rows.iter()
        .map(|row| {
            Ok(SubjectFigures {
                subject: row.get("subject_id")?,
                cause_kind: row.get("cause_kind")?,
                channel: row.get("channel")?,
                name: row.get("name")?,
                figures: read(row)?,
            })
        })
        .collect()
}
