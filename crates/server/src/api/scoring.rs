//! `/v1/identity/scoring`: what leads are scored by, its versions, a preview of others, and scoring all leads again.

use std::collections::BTreeMap;

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::RescoreId,
    permissions::Permission,
    scores::{Field, Rule, Scoring, Test, Weight, Weights},
    time::Timestamp,
};
use leadline_engine::scoring::{
    ScoringError, preview, rescore,
    versions::{self, NOTE_CHARS},
};
use leadline_store::{
    scoring::{
        jobs::{self, Job},
        versions::{self as stored, Version},
    },
    workspaces,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::{
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SettingsView, routes!(get_scoring))
        .at(Permission::SettingsManage, routes!(save_scoring))
        .at(Permission::SettingsView, routes!(list_versions))
        .at(Permission::SettingsManage, routes!(restore_version))
        .at(Permission::SettingsManage, routes!(preview_scoring))
        .at(Permission::SettingsView, routes!(get_rescore))
        .at(Permission::SettingsManage, routes!(start_rescore, cancel_rescore))
}

impl From<ScoringError> for ApiError {
    fn from(error: ScoringError) -> Self {
        match error {
            ScoringError::Stale => Self::new(Code::StaleVersion),
            ScoringError::NotFound => Self::not_found(),
            ScoringError::UnderWay => Self::new(Code::RescoreUnderWay),
            ScoringError::NoteTooLong => Self::field("/note", format!("has at most {NOTE_CHARS} characters")),
            ScoringError::Store(error) => error.into(),
        }
    }
}

/// What the workspace scores leads by.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ScoringView {
    /// The version in use; 0 for the documentation's.
    version: i64,
    weights: Vec<WeightView>,
    rules: Vec<RuleBody>,
}

/// A number of the formulas.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WeightView {
    /// Its name, which for most is the code of the reason that it weighs.
    #[schema(example = "work_email")]
    code: &'static str,
    /// `fit`, `engagement`, `suspicion`, `total` or `silence`.
    #[schema(example = "fit")]
    group: &'static str,
    value: i32,
    /// What it is where nobody set it.
    documented: i32,
    /// What it may be at least.
    least: i32,
    /// And at most.
    most: i32,
}

/// Points for leads in which a field is like this.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RuleBody {
    field: RuleField,
    /// The key of the custom field, for rules about one.
    custom_field: Option<String>,
    test: RuleTest,
    /// 1 to 200 characters; case never matters.
    value: String,
    /// From -100 to 100. What all rules add together is capped by the weight `rules`, and never below 0.
    points: i32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum RuleField {
    EmailDomain,
    Country,
    Source,
    Company,
    Title,
    Message,
    CustomField,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum RuleTest {
    Is,
    Contains,
    StartsWith,
}

impl From<RuleBody> for Rule {
    fn from(body: RuleBody) -> Self {
        let RuleBody { field, custom_field, test, value, points } = body;
        let field = match field {
            RuleField::EmailDomain => Field::EmailDomain,
            RuleField::Country => Field::Country,
            RuleField::Source => Field::Source,
            RuleField::Company => Field::Company,
            RuleField::Title => Field::Title,
            RuleField::Message => Field::Message,
            RuleField::CustomField => Field::CustomField,
        };
        let test = match test {
            RuleTest::Is => Test::Is,
            RuleTest::Contains => Test::Contains,
            RuleTest::StartsWith => Test::StartsWith,
        };
        Self { field, custom_field, test, value, points }
    }
}

impl From<Rule> for RuleBody {
    fn from(rule: Rule) -> Self {
        let Rule { field, custom_field, test, value, points } = rule;
        let field = match field {
            Field::EmailDomain => RuleField::EmailDomain,
            Field::Country => RuleField::Country,
            Field::Source => RuleField::Source,
            Field::Company => RuleField::Company,
            Field::Title => RuleField::Title,
            Field::Message => RuleField::Message,
            Field::CustomField => RuleField::CustomField,
        };
        let test = match test {
            Test::Is => RuleTest::Is,
            Test::Contains => RuleTest::Contains,
            Test::StartsWith => RuleTest::StartsWith,
        };
        Self { field, custom_field, test, value, points }
    }
}

impl From<Scoring> for ScoringView {
    fn from(Scoring { version, weights }: Scoring) -> Self {
        let shown = Weight::ALL.iter().map(|weight| WeightView {
            code: weight.code(),
            group: weight.group().as_str(),
            value: weights[*weight],
            documented: weight.documented(),
            least: *weight.range().start(),
            most: *weight.range().end(),
        });
        Self { version, weights: shown.collect(), rules: weights.rules.into_iter().map(RuleBody::from).collect() }
    }
}

/// What leads are scored by
#[utoipa::path(get, path = "/v1/identity/scoring", tag = "identity", responses((status = 200, body = ScoringView)))]
async fn get_scoring(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<ScoringView>> {
    let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(Scoring::of(&workspace.settings).into()))
}

/// Weights and rules that somebody proposes. A weight that is not named is as documented.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProposedScoring {
    /// Numbers by name.
    #[serde(default)]
    #[schema(example = json!({"work_email": 20}))]
    weights: BTreeMap<String, i64>,
    /// At most 50.
    #[serde(default)]
    rules: Vec<RuleBody>,
}

/// A new version of the weights and rules. A weight that is not named is as documented.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SaveScoringRequest {
    /// The version that it goes by; where another one was made since, nothing is saved.
    version: i64,
    /// Numbers by name.
    #[serde(default)]
    #[schema(example = json!({"work_email": 20}))]
    weights: BTreeMap<String, i64>,
    /// At most 50.
    #[serde(default)]
    rules: Vec<RuleBody>,
    /// What it is for; at most 500 characters.
    note: Option<String>,
}

fn weights(named: &BTreeMap<String, i64>, rules: Vec<RuleBody>) -> ApiResult<Weights> {
    let rules = rules.into_iter().map(Rule::from).collect();
    Weights::parse(named, rules).map_err(|faults| {
        let error = ApiError::new(Code::InvalidFields);
        faults.into_iter().fold(error, |error, fault| error.and_field(fault.pointer, fault.message))
    })
}

/// Saves a new version and scores by it
///
/// Leads that are there keep their scores until they are scored again; a re-score that goes on ends.
#[utoipa::path(put, path = "/v1/identity/scoring", tag = "identity", request_body = SaveScoringRequest,
    responses((status = 200, body = ScoringView)))]
async fn save_scoring(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<SaveScoringRequest>,
) -> ApiResult<Json<ScoringView>> {
    let weights = weights(&body.weights, body.rules)?;
    let saved = versions::save(&app.engine, &actor, body.version, weights, body.note.as_deref()).await?;
    Ok(Json(saved.into()))
}

/// A version of the weights and rules.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    version: i64,
    /// The numbers that are not as documented, by name.
    weights: BTreeMap<String, i32>,
    rules: Vec<RuleBody>,
    note: Option<String>,
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        let weights = Weights::from_json(&version.differing);
        Self {
            version: version.version,
            weights: weights.differing().into_iter().map(|(code, number)| (code.to_owned(), number)).collect(),
            rules: weights.rules.into_iter().map(RuleBody::from).collect(),
            note: version.note,
            made_by: version.made_by,
            made_at: version.made_at,
        }
    }
}

/// Lists the versions, newest first
#[utoipa::path(get, path = "/v1/identity/scoring/versions", tag = "identity", params(PageQuery),
    responses((status = 200, body = Paged<VersionView>)))]
async fn list_versions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<VersionView>>> {
    let window = query.window()?;
    let found = stored::list(&app.reader, actor.workspace, window.limit, window.offset()).await?;
    Ok(Json(window.paged(found, VersionView::from)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RestoreVersionRequest {
    /// The version in use; where another one was made since, nothing is restored.
    version: i64,
}

/// Makes a new version of what an old one says
///
/// Version 0 is the documentation's.
#[utoipa::path(post, path = "/v1/identity/scoring/versions/{version}/restore", tag = "identity",
    params(("version" = i64, Path)), request_body = RestoreVersionRequest,
    responses((status = 200, body = ScoringView)))]
async fn restore_version(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(version): Path<i64>,
    Json(body): Json<RestoreVersionRequest>,
) -> ApiResult<Json<ScoringView>> {
    let restored = versions::restore(&app.engine, &actor, body.version, version).await?;
    Ok(Json(restored.into()))
}

/// What other weights would make of the newest leads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ScoringPreviewView {
    /// How many leads were looked at: the newest 1,000 at most.
    leads: i64,
    /// How many of them would have another score.
    changed: i64,
    bands: Vec<BandView>,
    /// The ten that would move most, the farthest first.
    movers: Vec<MoverView>,
}

/// How many leads have such a score.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BandView {
    from: i64,
    to: i64,
    /// As they are.
    before: i64,
    /// As they would be.
    after: i64,
}

/// A lead that would move.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MoverView {
    id: Uuid,
    name: String,
    before: i64,
    after: i64,
}

impl ScoringPreviewView {
    fn new(found: preview::Preview, sight: Sight) -> Self {
        let ends = preview::BANDS.iter().skip(1).map(|from| from - 1).chain([100]);
        let counts = found.before.into_iter().zip(found.after);
        let bands = preview::BANDS.into_iter().zip(ends).zip(counts);
        Self {
            leads: found.leads,
            changed: found.changed,
            bands: bands.map(|((from, to), (before, after))| BandView { from, to, before, after }).collect(),
            movers: found
                .movers
                .into_iter()
                .map(|mover| MoverView {
                    id: mover.id.0,
                    name: sight.name(mover.name),
                    before: mover.before,
                    after: mover.after,
                })
                .collect(),
        }
    }
}

/// Shows what other weights would make of the newest leads
///
/// Nothing is stored.
#[utoipa::path(post, path = "/v1/identity/scoring/preview", tag = "identity", request_body = ProposedScoring,
    responses((status = 200, body = ScoringPreviewView)))]
async fn preview_scoring(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<ProposedScoring>,
) -> ApiResult<Json<ScoringPreviewView>> {
    let weights = weights(&body.weights, body.rules)?;
    let found = preview::preview(&app.engine, actor.workspace, weights).await?;
    Ok(Json(ScoringPreviewView::new(found, Sight::of(&actor))))
}

/// The latest re-score.
#[derive(Debug, Serialize, ToSchema)]
struct LatestRescore {
    /// Null where there never was one.
    job: Option<RescoreView>,
}

/// A re-score: all leads are scored again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RescoreView {
    #[schema(value_type = Uuid)]
    id: RescoreId,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    #[schema(example = "running")]
    state: &'static str,
    /// `rescore` where somebody asked for it, `silence` for the daily one.
    cause: String,
    /// The version of the weights.
    version: i64,
    /// Leads when it began.
    total: i64,
    /// Leads that were looked at.
    done: i64,
    /// Leads whose scores are others now.
    changed: i64,
    started_by: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl From<Job> for RescoreView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            state: job.state.as_str(),
            cause: job.cause,
            version: job.version,
            // Leads that came since it began are looked at as well.
            total: job.total.max(job.done),
            done: job.done,
            changed: job.changed,
            started_by: job.started_by,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

/// How far the latest re-score is
#[utoipa::path(get, path = "/v1/identity/scoring/rescore", tag = "identity",
    responses((status = 200, body = LatestRescore)))]
async fn get_rescore(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<LatestRescore>> {
    let job = jobs::latest(&app.reader, actor.workspace).await?;
    Ok(Json(LatestRescore { job: job.map(RescoreView::from) }))
}

/// Scores all leads again
///
/// It goes on by itself; deleted leads are left alone.
#[utoipa::path(post, path = "/v1/identity/scoring/rescore", tag = "identity",
    responses((status = 202, body = RescoreView)))]
async fn start_rescore(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<(StatusCode, Json<RescoreView>)> {
    let job = rescore::start(&app.engine, &actor).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// Stops the re-score that goes on
///
/// Leads that were scored again stay so.
#[utoipa::path(delete, path = "/v1/identity/scoring/rescore", tag = "identity",
    responses((status = 200, body = LatestRescore)))]
async fn cancel_rescore(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<LatestRescore>> {
    rescore::cancel(&app.engine, &actor).await?;
    let job = jobs::latest(&app.reader, actor.workspace).await?;
    Ok(Json(LatestRescore { job: job.map(RescoreView::from) }))
}
