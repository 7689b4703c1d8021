//! `/v1/capture/health`: when sources had their last lead, and how they are watched for silence.

use axum::extract::State;
use leadline_domain::{
    ids::SourceId,
    permissions::Permission,
    silence::BusinessHours,
    time::{MINUTE_MS, Timestamp},
};
use leadline_engine::alerts::{self, AlertError, Wish, watch};
use leadline_store::alerts::{self as stored, SourceHealth};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::views::All,
    app::App,
    error::ApiResult,
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::SettingsView, routes!(list_health))
        .at(Permission::SourcesManage, routes!(change_watch))
}

/// Hours of the week, by the clock of the workspace's timezone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HoursView {
    /// 1 is Monday, 7 is Sunday.
    #[schema(example = json!([1, 2, 3, 4, 5]))]
    days: Vec<u8>,
    #[schema(example = "09:00")]
    from: String,
    /// Up to `24:00`.
    #[schema(example = "17:00")]
    until: String,
}

impl HoursView {
    pub(super) fn of(hours: BusinessHours) -> Self {
        Self { days: hours.days, from: clock_text(hours.from_minute), until: clock_text(hours.until_minute) }
    }

    /// The hours; nothing, where a time is none.
    pub(super) fn read(self) -> Option<BusinessHours> {
        let (from_minute, until_minute) = (minute_of(&self.from)?, minute_of(&self.until)?);
        Some(BusinessHours { days: self.days, from_minute, until_minute })
    }
}

/// How a source is watched.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WatchView {
    silent_after_minutes: i64,
    cooldown_minutes: i64,
    business_hours: Option<HoursView>,
}

/// How a source does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SourceHealthView {
    #[schema(value_type = Uuid)]
    source_id: SourceId,
    name: String,
    kind: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received_at: Option<Timestamp>,
    /// Absent where it is not watched.
    watch: Option<WatchView>,
    /// For how long nothing came, in the hours in which leads are to be expected; absent where it is not watched.
    silent_minutes: Option<i64>,
    /// Whether there is an open alert.
    is_silent: bool,
}

fn view(source: SourceHealth, now: Timestamp) -> SourceHealthView {
    let silent_minutes = watch::silence_ms(&source, now).map(|silence| silence / MINUTE_MS);
    SourceHealthView {
        source_id: source.id,
        name: source.name,
        kind: source.kind,
        last_received_at: source.last_received_at,
        silent_minutes,
        is_silent: source.alert.is_some(),
        watch: source.watch.map(|watch| WatchView {
            silent_after_minutes: watch.silent_after_minutes,
            cooldown_minutes: watch.cooldown_minutes,
            business_hours: watch.business_hours.map(HoursView::of),
        }),
    }
}

fn clock_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn minute_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes): (u16, u16) =
        (digits(hours) && digits(minutes)).then(|| Some((hours.parse().ok()?, minutes.parse().ok()?))).flatten()?;
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

/// How a source is to be watched from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeWatchRequest {
    /// False ends the watch; the rest is then of no use.
    watched: bool,
    /// Silence of so many minutes is too long: 1 minute to 60 days. A day where it is absent.
    silent_after_minutes: Option<i64>,
    /// After an alert the next one comes no sooner. A day where it is absent.
    cooldown_minutes: Option<i64>,
    /// When leads are to be expected; always where it is absent.
    business_hours: Option<HoursView>,
}

/// A day.
const USUAL_MINUTES: i64 = 24 * 60;

fn wish(request: ChangeWatchRequest) -> Result<Option<Wish>, AlertError> {
    if !request.watched {
        return Ok(None);
    }
    let wrong = AlertError::Field("businessHours", "must have times such as 09:00, and at most 24:00");
    let business_hours = request.business_hours.map(|hours| hours.read().ok_or(wrong)).transpose()?;
    Ok(Some(Wish {
        silent_after_minutes: request.silent_after_minutes.unwrap_or(USUAL_MINUTES),
        cooldown_minutes: request.cooldown_minutes.unwrap_or(USUAL_MINUTES),
        business_hours,
    }))
}

/// How all sources do, by name
#[utoipa::path(get, path = "/v1/capture/health", tag = "capture",
    responses((status = 200, body = All<SourceHealthView>)))]
async fn list_health(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<SourceHealthView>>> {
    let now = app.engine.clock.now();
    let sources = stored::list_health(&app.reader, actor.workspace, None).await?;
    Ok(Json(All { data: sources.into_iter().map(|source| view(source, now)).collect() }))
}

/// Watches a source for silence, or no longer
#[utoipa::path(patch, path = "/v1/capture/health/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = ChangeWatchRequest, responses((status = 200, body = SourceHealthView)))]
async fn change_watch(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
    Json(request): Json<ChangeWatchRequest>,
) -> ApiResult<Json<SourceHealthView>> {
    let source = alerts::watch_source(&app.engine, &actor, id, wish(request)?).await?;
    Ok(Json(view(source, app.engine.clock.now())))
}
