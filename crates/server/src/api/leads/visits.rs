//! What visits say of a lead, and `/v1/identity/leads/{id}/sessions`: the visits themselves.

use axum::extract::State;
use leadline_domain::{
    attribution::Touch,
    ids::{LeadId, SiteId},
    scores::{self, EngagementFacts, Scoring, Weights},
    time::{SECOND_MS, Timestamp},
    touches,
};
use leadline_store::{
    leads as stored,
    visits::{self, StoredVisit, standing::Figures},
    workspaces,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::{
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::CurrentActor,
};

/// What visits of our sites say of a lead. All null where none is known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EngagementView {
    /// 0 to 100.
    engagement: Option<i64>,
    /// `Cold`, `Warm`, `Hot` or `Very Hot`.
    engagement_label: Option<&'static str>,
    /// The parts of the engagement: `code` and `points`.
    #[schema(value_type = Vec<Object>)]
    engagement_reasons: Value,
    /// Seconds in which a page was looked at, over all visits.
    session_duration_seconds: Option<i64>,
    /// How far down the page that was read furthest, in percent.
    max_scroll_percent: Option<i64>,
    click_count: Option<i64>,
    pages_visited: Option<i64>,
    /// Visits after the first.
    return_visits: Option<i64>,
    /// The visit in which the latest submission was sent.
    session_id: Option<String>,
    /// Every touch, from the first; at most 100.
    #[schema(value_type = Vec<Object>)]
    touches: Vec<Value>,
}

impl EngagementView {
    pub(crate) fn new(figures: Figures, first_touch: &Value, sight: Sight) -> Self {
        let points = figures.engagement.and_then(|engagement| i32::try_from(engagement).ok());
        let known = |number: Option<i64>| number.unwrap_or_default();
        let facts = EngagementFacts {
            active_seconds: known(figures.session_duration_seconds),
            max_scroll_percent: known(figures.max_scroll_percent),
            click_count: known(figures.click_count),
            return_sessions: known(figures.return_visits),
        };
        // Parts are stored since weights can be set; before, they followed from the figures.
        let parts = figures.engagement_reasons.unwrap_or_else(|| documented_parts(points, &facts));
        let all = figures.touches.unwrap_or_else(|| only_touch(first_touch));
        Self {
            engagement: figures.engagement,
            engagement_label: points.map(scores::engagement_label),
            engagement_reasons: parts,
            session_duration_seconds: figures.session_duration_seconds,
            max_scroll_percent: figures.max_scroll_percent,
            click_count: figures.click_count,
            pages_visited: figures.pages_visited,
            return_visits: figures.return_visits,
            session_id: sight.identifier(figures.session_id),
            touches: all.into_iter().map(|touch| sight.touch(json!(touch))).collect(),
        }
    }
}

fn documented_parts(points: Option<i32>, facts: &EngagementFacts) -> Value {
    let parts = points.map(|_| scores::engagement(facts, &Weights::default()).reasons).unwrap_or_default();
    parts.iter().map(|part| json!({"code": part.code, "points": part.points})).collect()
}

/// A lead that had one touch keeps it as the first and the last one alone.
fn only_touch(first_touch: &Value) -> Vec<Touch> {
    let touch = serde_json::from_value::<Touch>(first_touch.clone()).ok();
    touch.filter(|touch| touches::says_something(&touch.params)).into_iter().collect()
}

/// A visit: what one visitor did on a site until 30 minutes of silence.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VisitView {
    /// As the embed script calls it; null without `pii:view`.
    session_id: Option<String>,
    /// As the embed script calls them; null without `pii:view`.
    visitor_id: Option<String>,
    #[schema(value_type = Uuid)]
    site_id: SiteId,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it was last heard of.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    active_seconds: i64,
    max_scroll_percent: i64,
    click_count: i64,
    pages_visited: i64,
    engagement: i32,
    /// Where it came from: page, referrer, campaign, click ids.
    #[schema(value_type = Object)]
    touch: Value,
    /// Its first 100 pages, in the order in which they were opened.
    pages: Vec<PageView>,
}

/// A page of a visit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Its address, without a query.
    url: String,
    /// How long it was looked at.
    seconds: i64,
    scroll_percent: i64,
    click_count: i64,
}

pub(crate) fn view(stored: StoredVisit, weights: &Weights, sight: Sight) -> VisitView {
    let StoredVisit { key, site_id, visit } = stored;
    let totals = visit.totals();
    let pages = visit.pages.into_iter().map(|page| PageView {
        at: page.at,
        url: page.url,
        seconds: page.active_ms / SECOND_MS,
        scroll_percent: page.scroll,
        click_count: page.clicks,
    });
    VisitView {
        session_id: sight.identifier(Some(key.session_id)),
        visitor_id: sight.identifier(Some(key.visitor_id)),
        site_id,
        started_at: visit.started_at,
        seen_at: visit.seen_at,
        active_seconds: totals.active_seconds,
        max_scroll_percent: totals.max_scroll_percent,
        click_count: totals.click_count,
        pages_visited: totals.pages_visited,
        engagement: scores::engagement(&totals.engagement_facts(), weights).total,
        touch: sight.touch(json!(visit.touch)),
        pages: pages.collect(),
    }
}

/// Lists the visits of a lead's visitors, newest first
///
/// Visits are kept for 90 days.
#[utoipa::path(get, path = "/v1/identity/leads/{id}/sessions", tag = "identity",
    params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Paged<VisitView>)))]
pub(super) async fn list_sessions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<VisitView>>> {
    let window = query.window()?;
    stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let found = visits::list(&app.reader, actor.workspace, id, window.limit, window.offset()).await?;
    let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or_else(ApiError::not_found)?;
    let Scoring { weights, .. } = Scoring::of(&workspace.settings);
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(found, |visit| view(visit, &weights, sight))))
}
