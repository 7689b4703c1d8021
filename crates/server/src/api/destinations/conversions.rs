//! What ad platforms are told of, and the file that Google Ads takes in place of requests.

use std::collections::VecDeque;

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use futures_util::{Stream, stream};
use leadline_domain::{
    conversions::{Amount, Conversions, Goal, GoogleClick, Worth, google_time},
    csv,
    ids::{DestinationId, StageId, WorkspaceId},
    permissions::Permission,
    time::{DAY_MS, Timestamp},
    values::DEFAULT_CURRENCY,
};
use leadline_engine::{
    audit::note_export,
    delivery::{
        goals::{WishedConversions, WishedGoal},
        payload::Format,
    },
};
use leadline_store::{
    Error, Reader,
    deliveries::{self, Conversion, Span},
    destinations,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    Code,
    api::masking::Sight,
    app::App,
    error::{ApiError, ApiResult},
    exports::{TableFormat, attachment},
    extract::{Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().at(Permission::DestinationsView, routes!(export_conversions))
}

/// What an ad platform is told of.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConversionsView {
    /// The steps that count. A step that meets several counts as the first of them.
    goals: Vec<ConversionGoalView>,
    /// `request`, one for each conversion, or `file`: nothing is sent, and somebody uploads the file to Google Ads.
    #[serde(default)]
    #[schema(example = "request")]
    upload: Option<String>,
    /// The key of the custom field that a lead's value stands in. Where it says none, what the lead was sold for counts,
    /// and else the goal's value.
    #[serde(default)]
    value_field: Option<String>,
    /// Google Ads: the manager account by which the request is made, in digits.
    #[serde(default)]
    login_customer_id: Option<String>,
    /// Google Ads: whether hashed e-mail address and phone number go out beside a gclid, or alone.
    #[serde(default)]
    with_identifiers: bool,
    /// Meta: `system_generated` or `website`.
    #[serde(default)]
    #[schema(example = "system_generated")]
    action_source: Option<String>,
    /// Meta: shows events under "Test events" in place of counting them.
    #[serde(default)]
    test_event_code: Option<String>,
}

/// A step of a lead that counts as a conversion.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConversionGoalView {
    /// `created`, `stage` (with `stageId`), `won` (any stage that means so) or `converted`.
    #[schema(example = "won")]
    on: String,
    #[serde(default)]
    stage_id: Option<Uuid>,
    /// The event's name at Meta; the name of Google's conversion action, as files have it.
    #[schema(example = "Purchase")]
    name: String,
    /// Google's conversion action: its id, or its resource name.
    #[serde(default)]
    #[schema(example = "customers/1234567890/conversionActions/987654321")]
    conversion_action: Option<String>,
    /// What it is worth.
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    #[schema(example = "EUR")]
    currency: Option<String>,
}

impl From<ConversionsView> for WishedConversions {
    fn from(view: ConversionsView) -> Self {
        let goal = |goal: ConversionGoalView| WishedGoal {
            on: goal.on,
            stage_id: goal.stage_id.map(StageId),
            name: goal.name,
            conversion_action: goal.conversion_action,
            value: goal.value,
            currency: goal.currency,
        };
        Self {
            goals: view.goals.into_iter().map(goal).collect(),
            upload: view.upload,
            value_field: view.value_field,
            login_customer_id: view.login_customer_id,
            with_identifiers: view.with_identifiers,
            action_source: view.action_source,
            test_event_code: view.test_event_code,
        }
    }
}

impl From<Conversions> for ConversionsView {
    fn from(conversions: Conversions) -> Self {
        let goal = |goal: Goal| ConversionGoalView {
            on: goal.on.as_str().to_owned(),
            stage_id: goal.stage_id.map(|id| id.0),
            name: goal.name,
            conversion_action: goal.conversion_action,
            value: goal.value.map(Amount::value),
            currency: goal.currency,
        };
        Self {
            goals: conversions.goals.into_iter().map(goal).collect(),
            upload: Some(conversions.upload.as_str().to_owned()),
            value_field: conversions.value_field,
            login_customer_id: conversions.login_customer_id,
            with_identifiers: conversions.with_identifiers,
            action_source: Some(conversions.action_source.as_str().to_owned()),
            test_event_code: conversions.test_event_code,
        }
    }
}

/// From when to when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ConversionSpan {
    /// Conversions at this time or later; 90 days back, which is as far as Google Ads looks, unless it is said.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Conversions before this time; now, unless it is said.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// How far back Google Ads looks for clicks.
const SPAN_MS: i64 = 90 * DAY_MS;

/// Conversions in one answer of the database.
const AT_ONCE: i64 = 500;

/// Conversions that are looked at for one file. Google Ads takes files of a hundred thousand lines and no more.
const MOST: i64 = 100_000;

/// What a conversion is called in the file, in this order.
const HEADINGS: [&str; 5] =
    ["Google Click ID", "Conversion Name", "Conversion Time", "Conversion Value", "Conversion Currency"];

/// The conversions of a Google Ads destination as the file that Google Ads takes for offline conversion import, the
/// oldest first: those of leads with a gclid, whatever became of the requests about them
#[utoipa::path(get, path = "/v1/delivery/destinations/{id}/conversions.csv", tag = "destinations",
    params(("id" = Uuid, Path), ConversionSpan),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_conversions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
    Query(span): Query<ConversionSpan>,
) -> ApiResult<Response> {
    // A click id is a person's, and the file is nothing without it.
    if Sight::of(&actor).is_masked() {
        return Err(ApiError::new(Code::Forbidden));
    }
    let found = destinations::find(&app.reader, actor.workspace, DestinationId(id)).await?;
    let destination = found.ok_or(ApiError::not_found())?;
    let is_google = destination.format == Format::GoogleAds.as_str();
    let conversions = destination.rules.conversions.filter(|_| is_google).ok_or(ApiError::not_found())?;
    note_export(&app.engine, &actor, "conversions").await?;
    let now = app.engine.clock.now();
    let (from, to) = (span.from.unwrap_or(now.plus_ms(-SPAN_MS)), span.to.unwrap_or(now.plus_ms(1)));
    let pages = Pages {
        reader: app.reader.clone(),
        workspace: actor.workspace,
        destination: destination.id,
        conversions,
        span: Span { from, to, after: None },
        left: MOST,
        ready: VecDeque::from([heading()]),
    };
    Ok(attachment(TableFormat::Csv.content_type(), "conversions.csv", Body::from_stream(pages.stream())))
}

/// All times are in UTC. No mark of the encoding here: Google Ads would take it for part of the first cell.
fn heading() -> Bytes {
    Bytes::from(format!("Parameters:TimeZone=+0000\r\n{}", csv::line(&HEADINGS)))
}

/// A file on its way out, a page at a time: it is never in memory as a whole.
struct Pages {
    reader: Reader,
    workspace: WorkspaceId,
    destination: DestinationId,
    conversions: Conversions,
    span: Span,
    left: i64,
    ready: VecDeque<Bytes>,
}

impl Pages {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Error>> {
        stream::try_unfold(self, |mut pages| async move {
            if let Some(ready) = pages.ready.pop_front() {
                return Ok(Some((ready, pages)));
            }
            Ok(pages.next().await?.map(|page| (page, pages)))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let limit = self.left.min(AT_ONCE);
        if limit == 0 {
            return Ok(None);
        }
        let (workspace, destination) = (self.workspace, self.destination);
        let rows = deliveries::list_conversions(&self.reader, workspace, destination, self.span, limit).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.span.after = Some((last.at, last.id));
        let read = i64::try_from(rows.len()).unwrap_or(limit);
        // A page that is not full is the last one.
        self.left = if read < limit { 0 } else { self.left - read };
        let lines: String = rows.iter().filter_map(|row| line(row, &self.conversions)).collect();
        Ok(Some(Bytes::from(lines)))
    }
}

/// One line; `None` for a conversion that the file has no place for.
fn line(row: &Conversion, conversions: &Conversions) -> Option<String> {
    let Some(GoogleClick::Gclid(gclid)) = GoogleClick::latest(&row.touches) else { return None };
    let goal = conversions.goal(&row.goal)?;
    let sold = row.sales_value_milli.and_then(|milli| Amount::of(milli as f64 / 1_000.0));
    let currency = row.currency.as_deref().unwrap_or(DEFAULT_CURRENCY);
    let sold = sold.map(|value| Worth { value, currency: Some(currency) });
    let worth = conversions.worth_of(goal, &row.custom_fields, sold);
    let value = worth.map(|worth| worth.value.value().to_string()).unwrap_or_default();
    let currency = worth.and_then(|worth| worth.currency).unwrap_or_default();
    Some(csv::line(&[gclid, &goal.name, &google_time(row.at), &value, currency]))
}
