//! `/v1/capture/ledger`: what each source had accepted, stored, delivered and excluded, day by day.

use std::collections::HashMap;

use axum::extract::State;
use leadline_domain::{
    days::{self, Day},
    ids::SourceId,
    permissions::Permission,
};
use leadline_engine::alerts::watch::timezone_of;
use leadline_store::{
    ledger::{self, Counts, DayOfSource, NO_SOURCE},
    workspaces,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().at(Permission::SettingsView, routes!(get_ledger))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RangeQuery {
    /// The first day, such as `2026-01-31`; two weeks before the last where it is absent.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day; today where it is absent. At most 92 days.
    #[param(format = Date)]
    until: Option<String>,
}

/// What was counted, of a source on a day or of all of them.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountsView {
    /// Submissions that were taken; whoever sent them has a receipt.
    accepted: i64,
    /// Those whose rows were seen in the store afterwards.
    stored: i64,
    /// Those that a rule kept from becoming a lead.
    excluded: i64,
    /// Those that were erased since, because somebody may ask for that.
    erased: i64,
    /// Deliveries that were made for them.
    owed: i64,
    delivered: i64,
    /// Deliveries that are to be sent, now or later.
    pending: i64,
    /// Deliveries that were given up.
    dead: i64,
    /// Deliveries that were cancelled with their destination.
    cancelled: i64,
    /// Accepted, and neither stored nor excluded: on their way for a moment, or missing.
    difference: i64,
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        Self {
            accepted: counts.accepted,
            stored: counts.stored,
            excluded: counts.excluded_by_rule,
            erased: counts.erased,
            owed: counts.owed,
            delivered: counts.delivered,
            pending: counts.pending(),
            dead: counts.dead,
            cancelled: counts.cancelled,
            difference: counts.missing(),
        }
    }
}

/// A source on a day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LineView {
    #[schema(example = "2026-01-31")]
    on: String,
    /// Absent for leads that were typed in or came through the API.
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    source_name: Option<String>,
    #[serde(flatten)]
    counts: CountsView,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LedgerView {
    /// The first day.
    from: String,
    /// The last day.
    until: String,
    timezone: String,
    /// The newest day first; days and sources without anything are left out.
    data: Vec<LineView>,
    /// All days and sources together.
    totals: CountsView,
    /// Submissions that wait on this node's disk for the store to come back. They are accepted, and not in the books
    /// yet.
    spooled: u64,
    /// Submissions since the first day that are missing: what is on its way is left out. Anything but 0 is an alert.
    missing: i64,
}

/// What was accepted, stored, delivered and excluded, day by day
#[utoipa::path(get, path = "/v1/capture/ledger", tag = "capture", params(RangeQuery),
    responses((status = 200, body = LedgerView)))]
async fn get_ledger(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(range): Query<RangeQuery>,
) -> ApiResult<Json<LedgerView>> {
    let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or(ApiError::not_found())?;
    let timezone = timezone_of(&workspace.settings);
    let days = days::list_days(range.from.as_deref(), range.until.as_deref(), app.engine.clock.now(), timezone)
        .map_err(|error| ApiError::field("/from", error.to_string()))?;
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Err(ApiError::not_found()) };
    let lines = ledger::list_days(&app.reader, actor.workspace, &asked(&days)).await?;
    let names: HashMap<SourceId, String> =
        ledger::list_source_names(&app.reader, actor.workspace).await?.into_iter().collect();
    let difference = ledger::find_difference(&app.reader, actor.workspace, first.from_at).await?;
    let mut totals = Counts::default();
    lines.iter().for_each(|line| totals.add_all(line.counts));
    Ok(Json(LedgerView {
        from: first.on.clone(),
        until: last.on.clone(),
        timezone: timezone.to_string(),
        data: lines.into_iter().rev().map(|line| view(&days, &names, &line)).collect(),
        totals: totals.into(),
        spooled: app.engine.door.spool_handle().waiting(),
        missing: difference.map_or(0, |difference| difference.missing),
    }))
}

fn asked(days: &[Day]) -> Vec<ledger::Day> {
    let day = |(n, day): (usize, &Day)| ledger::Day {
        day: i64::try_from(n).unwrap_or(i64::MAX),
        from_at: day.from_at.0,
        until_at: day.until_at.0,
    };
    days.iter().enumerate().map(day).collect()
}

fn view(days: &[Day], names: &HashMap<SourceId, String>, line: &DayOfSource) -> LineView {
    let source_id = Some(line.source).filter(|source| *source != NO_SOURCE);
    LineView {
        on: usize::try_from(line.day).ok().and_then(|day| days.get(day)).map(|day| day.on.clone()).unwrap_or_default(),
        source_id,
        source_name: source_id.and_then(|id| names.get(&id).cloned()),
        counts: line.counts.into(),
    }
}
