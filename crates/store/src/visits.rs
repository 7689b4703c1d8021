//! Visits, one row each (`visitor_sessions`), written by set and never per event; and which site they belong to.
//!
//! The primary key begins with workspace and visitor, so that what one person did is found without another index. The
//! only other index is by the time of the start, which never changes: a visit that grows touches no index at all. What
//! visits mean for leads is in [`standing`].

pub mod standing;

use leadline_domain::{
    ids::{ContactId, LeadId, SiteId, WorkspaceId},
    time::Timestamp,
    visits::{Page as VisitedPage, Totals, Visit},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{COUNT_CAP, Columns, Error, IntoParam, Page, Reader, Row, Tx, json_set, params},
};

/// Which visit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct VisitKey {
    /// Whose visitor it is.
    pub workspace_id: WorkspaceId,
    /// The visitor, as the embed script calls them.
    pub visitor_id: String,
    /// The visit, as the embed script calls it.
    pub session_id: String,
}

const KEY_COLUMNS: Columns = &[("workspace_id", Kind::Id), ("visitor_id", Kind::Text), ("session_id", Kind::Text)];

/// A site as its reports are judged.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `sites` under their own names")]
pub struct TrackedSite {
    pub id: SiteId,
    pub workspace_id: WorkspaceId,
    pub allowed_origins: Vec<String>,
    /// When its script last reported, to the hour.
    pub tracked_at: Option<Timestamp>,
}

/// A visit with its key and its site.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "they say it themselves")]
pub struct StoredVisit {
    pub key: VisitKey,
    pub site_id: SiteId,
    pub visit: Visit,
}

/// A row of `visitor_sessions` on its way in.
#[derive(Serialize)]
struct NewVisit<'a> {
    #[serde(flatten)]
    key: &'a VisitKey,
    site_id: SiteId,
    started_at: i64,
    seen_at: i64,
    active_seconds: i64,
    max_scroll_percent: i64,
    click_count: i64,
    pages_visited: i64,
    touch: Value,
    pages: Value,
}

const VISIT_COLUMNS: Columns = &[
    ("workspace_id", Kind::Id),
    ("visitor_id", Kind::Text),
    ("session_id", Kind::Text),
    ("site_id", Kind::Id),
    ("started_at", Kind::Integer),
    ("seen_at", Kind::Integer),
    ("active_seconds", Kind::Integer),
    ("max_scroll_percent", Kind::Integer),
    ("click_count", Kind::Integer),
    ("pages_visited", Kind::Integer),
    ("touch", Kind::Json),
    ("pages", Kind::Json),
];

/// The site of this key.
///
/// # Errors
/// Where the database fails.
pub async fn find_site(reader: &Reader, key: &str) -> Result<Option<TrackedSite>, Error> {
    let sql = format!(
        "SELECT id, workspace_id, {} AS allowed_origins, tracked_at FROM sites WHERE key = $1 AND deleted_at IS NULL",
        reader.dialect().json_text("allowed_origins"),
    );
    reader.query_one(&sql, &params![key]).await?.as_ref().map(read_site).transpose()
}

/// The sites of these workspaces.
///
/// # Errors
/// Where the database fails.
pub async fn sites_of(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<Vec<TrackedSite>, Error> {
    let dialect = tx.dialect();
    // By `sites_of_workspace`.
    let sql = format!(
        "SELECT id, workspace_id, {} AS allowed_origins, tracked_at FROM sites
         WHERE workspace_id IN {} AND deleted_at IS NULL ORDER BY id LIMIT 10000",
        dialect.json_text("allowed_origins"),
        dialect.id_list(1),
    );
    tx.query(&sql, &[json_set(workspaces)]).await?.iter().map(read_site).collect()
}

fn read_site(row: &Row) -> Result<TrackedSite, Error> {
    Ok(TrackedSite {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        allowed_origins: row.json("allowed_origins")?,
        tracked_at: row.get("tracked_at")?,
    })
}

/// Notes that these sites report, where that was not noted since `before`.
///
/// # Errors
/// Where the database fails.
pub async fn note_sites(tx: &mut Tx, sites: &[SiteId], now: Timestamp, before: Timestamp) -> Result<(), Error> {
    let sql = format!(
        "UPDATE sites SET tracked_at = $2 WHERE id IN {} AND (tracked_at IS NULL OR tracked_at < $3)",
        tx.dialect().id_list(1)
    );
    tx.execute(&sql, &[json_set(sites), now.param(), before.param()]).await.map(drop)
}

/// What is kept of these visits, locked in the order of their keys where several writers exist.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, keys: &[VisitKey]) -> Result<Vec<StoredVisit>, Error> {
    let dialect = tx.dialect();
    // By the primary key.
    let sql = format!(
        "SELECT {} FROM visitor_sessions AS v
         WHERE (v.workspace_id, v.visitor_id, v.session_id) IN (SELECT workspace_id, visitor_id, session_id FROM {})
         ORDER BY v.workspace_id, v.visitor_id, v.session_id {}",
        visit_columns(dialect),
        dialect.set(1, KEY_COLUMNS),
        dialect.for_update(),
    );
    tx.query(&sql, &[json_set(keys)]).await?.iter().map(read_visit).collect()
}

/// The visitors among these who have `most` visits or more. Nobody counts further than that.
///
/// # Errors
/// Where the database fails.
pub async fn crowded(tx: &mut Tx, keys: &[VisitKey], most: i64) -> Result<Vec<(WorkspaceId, String)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT DISTINCT r.workspace_id, r.visitor_id FROM {}
         WHERE (SELECT count(*) FROM (SELECT 1 FROM visitor_sessions AS v
             WHERE v.workspace_id = r.workspace_id AND v.visitor_id = r.visitor_id LIMIT $2) AS few) >= $2",
        tx.dialect().set(1, KEY_COLUMNS)
    );
    let rows = tx.query(&sql, &[json_set(keys), most.param()]).await?;
    rows.iter().map(|row| Ok((row.get("workspace_id")?, row.get("visitor_id")?))).collect()
}

/// Writes visits as they are now. Those that were there should be locked (see [`lock`]).
///
/// # Errors
/// Where the database fails.
pub async fn upsert(tx: &mut Tx, visits: &[StoredVisit]) -> Result<(), Error> {
    let rows: Vec<NewVisit<'_>> = visits.iter().map(new_visit).collect();
    // Site, start and touch are those of the first time.
    let conflict = "ON CONFLICT (workspace_id, visitor_id, session_id) DO UPDATE SET
        seen_at = excluded.seen_at, active_seconds = excluded.active_seconds,
        max_scroll_percent = excluded.max_scroll_percent, click_count = excluded.click_count,
        pages_visited = excluded.pages_visited, pages = excluded.pages";
    tx.insert_set("visitor_sessions", VISIT_COLUMNS, &rows, conflict).await.map(drop)
}

fn new_visit(stored: &StoredVisit) -> NewVisit<'_> {
    let totals = stored.visit.totals();
    let json = |value: Result<Value, serde_json::Error>| value.expect("texts and numbers can be written");
    NewVisit {
        key: &stored.key,
        site_id: stored.site_id,
        started_at: stored.visit.started_at.0,
        seen_at: stored.visit.seen_at.0,
        active_seconds: totals.active_seconds,
        max_scroll_percent: totals.max_scroll_percent,
        click_count: totals.click_count,
        pages_visited: totals.pages_visited,
        touch: json(serde_json::to_value(&stored.visit.touch)),
        pages: json(serde_json::to_value(&stored.visit.pages)),
    }
}

fn visit_columns(dialect: crate::Dialect) -> String {
    format!(
        "v.workspace_id, v.visitor_id, v.session_id, v.site_id, v.started_at, v.seen_at, {} AS touch, {} AS pages",
        dialect.json_text("v.touch"),
        dialect.json_text("v.pages"),
    )
}

fn read_visit(row: &Row) -> Result<StoredVisit, Error> {
    Ok(StoredVisit {
        key: VisitKey {
            workspace_id: row.get("workspace_id")?,
            visitor_id: row.get("visitor_id")?,
            session_id: row.get("session_id")?,
        },
        site_id: row.get("site_id")?,
        visit: Visit {
            started_at: row.get("started_at")?,
            seen_at: row.get("seen_at")?,
            touch: row.json("touch")?,
            pages: row.json::<Vec<VisitedPage>>("pages")?,
        },
    })
}

/// A page of the visits of a lead's visitors, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    lead: LeadId,
    limit: i64,
    offset: i64,
) -> Result<Page<StoredVisit>, Error> {
    // By `lead_visitors_of_lead`, then by the primary key of the visits.
    let from = "FROM lead_visitors AS l JOIN visitor_sessions AS v
                    ON v.workspace_id = l.workspace_id AND v.visitor_id = l.visitor_id
                WHERE l.lead_id = $2 AND l.workspace_id = $1";
    let sql = format!(
        "SELECT {} {from} ORDER BY v.started_at DESC, v.session_id DESC LIMIT $3 OFFSET $4",
        visit_columns(reader.dialect())
    );
    let count = format!("SELECT count(*) AS n FROM (SELECT 1 {from} LIMIT {}) AS counted", COUNT_CAP + 1);
    let rows = reader.query(&sql, &params![workspace, lead, limit, offset]).await?;
    let counted = reader.count(&count, &params![workspace, lead]).await?;
    Ok(Page::new(rows.iter().map(read_visit).collect::<Result<_, _>>()?, counted))
}

/// The same for all leads of a contact; who was a visitor of two of them comes once.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_contact(
    reader: &Reader,
    workspace: WorkspaceId,
    contact: ContactId,
    limit: i64,
    offset: i64,
) -> Result<Page<StoredVisit>, Error> {
    // By `leads_of_contact` and `lead_visitors_of_lead`, then by the primary key of the visits.
    let from = "FROM (SELECT DISTINCT l.workspace_id, l.visitor_id FROM leads
                      JOIN lead_visitors AS l ON l.lead_id = leads.id AND l.workspace_id = leads.workspace_id
                      WHERE leads.contact_id = $2 AND leads.workspace_id = $1) AS l
                JOIN visitor_sessions AS v ON v.workspace_id = l.workspace_id AND v.visitor_id = l.visitor_id";
    let sql = format!(
        "SELECT {} {from} ORDER BY v.started_at DESC, v.session_id DESC LIMIT $3 OFFSET $4",
        visit_columns(reader.dialect())
    );
    let count = format!("SELECT count(*) AS n FROM (SELECT 1 {from} LIMIT {}) AS counted", COUNT_CAP + 1);
    let rows = reader.query(&sql, &params![workspace, contact, limit, offset]).await?;
    let counted = reader.count(&count, &params![workspace, contact]).await?;
    Ok(Page::new(rows.iter().map(read_visit).collect::<Result<_, _>>()?, counted))
}

/// Deletes visits that began before a time.
///
/// # Errors
/// Where the database fails.
pub async fn delete_older(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    // By `visitor_sessions_by_start`.
    let sql = "DELETE FROM visitor_sessions WHERE (workspace_id, visitor_id, session_id) IN
               (SELECT workspace_id, visitor_id, session_id FROM visitor_sessions WHERE started_at < $1
                ORDER BY started_at LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

/// What one visit adds up to, from its columns.
fn read_totals(row: &Row) -> Result<Totals, Error> {
    Ok(Totals {
        visits: 1,
        active_seconds: row.get("active_seconds")?,
        max_scroll_percent: row.get("max_scroll_percent")?,
        click_count: row.get("click_count")?,
        pages_visited: row.get("pages_visited")?,
    })
}
