//! What visits mean for leads: whose visitor is which lead, and what a lead's row says of it.

use leadline_domain::{
    attribution::{Touch, TouchParams},
    ids::{LeadId, WorkspaceId},
    time::Timestamp,
    visits::Totals,
};
use serde::Serialize;
use serde_json::Value;

use super::read_totals;
use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set},
};

/// That a visitor sent a submission of a lead.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// Whose lead.
    pub workspace_id: WorkspaceId,
    /// The visitor.
    pub visitor_id: String,
    /// The lead.
    pub lead_id: LeadId,
    /// In which visit it was sent last.
    pub session_id: Option<String>,
    /// When it was sent last.
    pub seen_at: i64,
}

const LINK_COLUMNS: Columns = &[
    ("workspace_id", Kind::Id),
    ("visitor_id", Kind::Text),
    ("lead_id", Kind::Id),
    ("session_id", Kind::Text),
    ("seen_at", Kind::Integer),
];

/// Visitors of one lead that are kept.
const MOST_VISITORS: i64 = 50;

/// A visitor of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Visitor {
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// As the embed script calls them.
    pub visitor_id: String,
}

const VISITOR_COLUMNS: Columns = &[("workspace_id", Kind::Id), ("visitor_id", Kind::Text)];

/// A lead, as far as visits change it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct LeadStanding {
    pub id: LeadId,
    pub workspace_id: WorkspaceId,
    pub pipeline_id: String,
    pub stage_id: String,
    pub score: i64,
    pub score_reasons: Value,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub score_version: i64,
    pub first_touch: Value,
    pub last_submission_at: Timestamp,
    pub last_visit_at: Option<Timestamp>,
    pub figures: Figures,
}

/// What a lead's row says of its visits; nothing where nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Figures {
    pub engagement: Option<i64>,
    /// The parts of it: code and points.
    pub engagement_reasons: Option<Value>,
    pub session_id: Option<String>,
    pub session_duration_seconds: Option<i64>,
    pub max_scroll_percent: Option<i64>,
    pub click_count: Option<i64>,
    pub pages_visited: Option<i64>,
    pub return_visits: Option<i64>,
    /// Every touch, once there is more to say than the first.
    pub touches: Option<Vec<Touch>>,
}

/// One visit of one of a lead's visitors.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "named as the columns they come from")]
pub struct VisitOfLead {
    pub lead_id: LeadId,
    pub visitor_id: String,
    /// When this visitor last sent a submission of this lead.
    pub sent_at: Timestamp,
    /// The visit in which that was.
    pub sent_in: Option<String>,
    pub started_at: Timestamp,
    /// When the visit was last heard of.
    pub visited_at: Timestamp,
    pub touch: TouchParams,
    pub totals: Totals,
}

/// Keeps who sent what. A lead has room for so many visitors and no more.
///
/// # Errors
/// Where the database fails.
pub async fn link(tx: &mut Tx, links: &[Link]) -> Result<(), Error> {
    if links.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = LINK_COLUMNS.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    // By `lead_visitors_of_lead`, and never more than there is room for.
    let sql = format!(
        "INSERT INTO lead_visitors ({names}) SELECT {names} FROM {set}
         WHERE (SELECT count(*) FROM (SELECT 1 FROM lead_visitors AS v WHERE v.lead_id = r.lead_id LIMIT $2) AS few) < $2
         ON CONFLICT (workspace_id, visitor_id, lead_id)
         DO UPDATE SET session_id = excluded.session_id, seen_at = excluded.seen_at",
        set = tx.dialect().set(1, LINK_COLUMNS),
    );
    tx.execute(&sql, &[json_set(links), MOST_VISITORS.param()]).await.map(drop)
}

/// The leads that these visitors are.
///
/// # Errors
/// Where the database fails.
pub async fn leads_of(reader: &Reader, visitors: &[Visitor]) -> Result<Vec<LeadId>, Error> {
    // By the primary key.
    let sql = format!(
        "SELECT DISTINCT l.lead_id FROM {} JOIN lead_visitors AS l
             ON l.workspace_id = r.workspace_id AND l.visitor_id = r.visitor_id",
        reader.dialect().set(1, VISITOR_COLUMNS)
    );
    reader.query(&sql, &[json_set(visitors)]).await?.iter().map(|row| row.get("lead_id")).collect()
}

/// Leads as far as visits change them, locked in the order of their ids where several writers exist.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, leads: &[LeadId]) -> Result<Vec<LeadStanding>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT leads.id, leads.workspace_id, CAST(leads.pipeline_id AS TEXT) AS pipeline_id,
                CAST(leads.stage_id AS TEXT) AS stage_id, leads.score, {score} AS score_reasons, leads.suspicion,
                {suspicion} AS suspicion_reasons, leads.score_version, {first} AS first_touch,
                leads.last_submission_at, leads.last_visit_at, {figures}
         FROM leads WHERE leads.id IN {list} ORDER BY leads.id {lock}",
        score = dialect.json_text("leads.score_reasons"),
        suspicion = dialect.json_text("leads.suspicion_reasons"),
        first = dialect.json_text("leads.first_touch"),
        figures = figure_columns(dialect),
        list = dialect.id_list(1),
        lock = dialect.for_update(),
    );
    tx.query(&sql, &[json_set(leads)]).await?.iter().map(read_standing).collect()
}

fn read_standing(row: &Row) -> Result<LeadStanding, Error> {
    Ok(LeadStanding {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        pipeline_id: row.get("pipeline_id")?,
        stage_id: row.get("stage_id")?,
        score: row.get("score")?,
        score_reasons: row.json("score_reasons")?,
        suspicion: row.get("suspicion")?,
        suspicion_reasons: row.json("suspicion_reasons")?,
        score_version: row.get("score_version")?,
        first_touch: row.json("first_touch")?,
        last_submission_at: row.get("last_submission_at")?,
        last_visit_at: row.get("last_visit_at")?,
        figures: read_figures(row)?,
    })
}

/// The columns that [`read_figures`] reads.
pub(crate) fn figure_columns(dialect: Dialect) -> String {
    format!(
        "leads.engagement, leads.session_id, leads.session_duration_seconds, leads.max_scroll_percent,
         leads.click_count, leads.pages_visited, leads.return_visits, {touches} AS touches,
         {reasons} AS engagement_reasons",
        touches = dialect.json_text("leads.touches"),
        reasons = dialect.json_text("leads.engagement_reasons"),
    )
}

pub(crate) fn read_figures(row: &Row) -> Result<Figures, Error> {
    let touches: Option<String> = row.get("touches")?;
    let reasons: Option<String> = row.get("engagement_reasons")?;
    Ok(Figures {
        engagement: row.get("engagement")?,
        engagement_reasons: reasons.and_then(|reasons| serde_json::from_str(&reasons).ok()),
        session_id: row.get("session_id")?,
        session_duration_seconds: row.get("session_duration_seconds")?,
        max_scroll_percent: row.get("max_scroll_percent")?,
        click_count: row.get("click_count")?,
        pages_visited: row.get("pages_visited")?,
        return_visits: row.get("return_visits")?,
        touches: touches.and_then(|touches| serde_json::from_str(&touches).ok()),
    })
}

/// All visits of these leads' visitors, from the first.
///
/// # Errors
/// Where the database fails.
pub async fn visits_of(tx: &mut Tx, leads: &[LeadId]) -> Result<Vec<VisitOfLead>, Error> {
    let dialect = tx.dialect();
    // By `lead_visitors_of_lead`, then by the primary key of the visits. Both are bounded where they are written.
    let sql = format!(
        "SELECT l.lead_id, l.visitor_id, l.seen_at AS sent_at, l.session_id AS sent_in, v.started_at, v.seen_at AS visited_at,
                {touch} AS touch, v.active_seconds, v.max_scroll_percent, v.click_count, v.pages_visited
         FROM lead_visitors AS l JOIN visitor_sessions AS v
             ON v.workspace_id = l.workspace_id AND v.visitor_id = l.visitor_id
         WHERE l.lead_id IN {list} ORDER BY v.started_at",
        touch = dialect.json_text("v.touch"),
        list = dialect.id_list(1),
    );
    let rows = tx.query(&sql, &[json_set(leads)]).await?;
    rows.iter()
        .map(|row| {
            Ok(VisitOfLead {
                lead_id: row.get("lead_id")?,
                visitor_id: row.get("visitor_id")?,
                sent_at: row.get("sent_at")?,
                sent_in: row.get("sent_in")?,
                started_at: row.get("started_at")?,
                visited_at: row.get("visited_at")?,
                touch: row.json("touch")?,
                totals: read_totals(row)?,
            })
        })
        .collect()
}

/// A row of `leads`, as far as it changes.
#[derive(Serialize)]
struct Changed<'a> {
    id: LeadId,
    score: i64,
    score_reasons: &'a Value,
    score_version: i64,
    suspicion: i64,
    suspicion_reasons: &'a Value,
    last_visit_at: Option<i64>,
    engagement: Option<i64>,
    engagement_reasons: Option<&'a Value>,
    session_id: Option<&'a str>,
    session_duration_seconds: Option<i64>,
    max_scroll_percent: Option<i64>,
    click_count: Option<i64>,
    pages_visited: Option<i64>,
    return_visits: Option<i64>,
    touches: Option<&'a [Touch]>,
}

const CHANGED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("score", Kind::Integer),
    ("score_reasons", Kind::Json),
    ("score_version", Kind::Integer),
    ("suspicion", Kind::Integer),
    ("suspicion_reasons", Kind::Json),
    ("last_visit_at", Kind::Integer),
    ("engagement", Kind::Integer),
    ("engagement_reasons", Kind::Json),
    ("session_id", Kind::Text),
    ("session_duration_seconds", Kind::Integer),
    ("max_scroll_percent", Kind::Integer),
    ("click_count", Kind::Integer),
    ("pages_visited", Kind::Integer),
    ("return_visits", Kind::Integer),
    ("touches", Kind::Json),
];

/// Writes what visits change. The rows must be locked (see [`lock`]). When a lead was changed by somebody is another
/// matter, so `updated_at` stays.
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, leads: &[LeadStanding]) -> Result<(), Error> {
    if leads.is_empty() {
        return Ok(());
    }
    let rows: Vec<Changed<'_>> = leads.iter().map(changed).collect();
    let assignments: Vec<String> =
        CHANGED_COLUMNS.iter().skip(1).map(|(name, _)| format!("{name} = r.{name}")).collect();
    let sql = format!(
        "UPDATE leads SET {}, version = version + 1 FROM {} WHERE leads.id = r.id",
        assignments.join(", "),
        tx.dialect().set(1, CHANGED_COLUMNS),
    );
    tx.execute(&sql, &[json_set(&rows)]).await.map(drop)
}

fn changed(lead: &LeadStanding) -> Changed<'_> {
    let figures = &lead.figures;
    Changed {
        id: lead.id,
        score: lead.score,
        score_reasons: &lead.score_reasons,
        score_version: lead.score_version,
        suspicion: lead.suspicion,
        suspicion_reasons: &lead.suspicion_reasons,
        last_visit_at: lead.last_visit_at.map(|at| at.0),
        engagement: figures.engagement,
        engagement_reasons: figures.engagement_reasons.as_ref(),
        session_id: figures.session_id.as_deref(),
        session_duration_seconds: figures.session_duration_seconds,
        max_scroll_percent: figures.max_scroll_percent,
        click_count: figures.click_count,
        pages_visited: figures.pages_visited,
        return_visits: figures.return_visits,
        touches: figures.touches.as_deref(),
    }
}
