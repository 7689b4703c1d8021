//! `/v1/identity/board`: the leads of a pipeline by stage, each column from its top.

use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leadline_domain::{
    ids::{LeadId, PipelineId, ProjectId, SegmentId, StageId},
    permissions::Permission,
    values::{currency_of, decimal, weighted},
};
use leadline_store::{
    leads::{self as stored, Card, Cursor},
    pipelines, workspaces,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        leads::{
            filter::{Asked, card_fields, rows},
            response::Responses,
            views::CardView,
        },
        masking::Sight,
        pipelines::{PipelineView, StageView},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(get)).at(Permission::LeadsView, routes!(get_stage))
}

/// Which leads of which pipeline.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct BoardQuery {
    /// The default pipeline where none is named.
    #[param(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    /// Words that name, e-mail, phone or company hold; without `pii:view` the company.
    search: Option<String>,
    #[param(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// A kind of source (`form`, `webhook`, `manual`, …) or the id of one.
    source: Option<String>,
    /// `me`, `none` or a user's id.
    assigned_to: Option<String>,
    tag: Option<String>,
    /// A tree of conditions as JSON, as for the list of leads.
    filter: Option<String>,
    /// Those of a segment.
    #[param(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    /// Keys of custom fields that come with each card, as for the list of leads.
    custom_fields: Option<String>,
    /// Cards in each column, at most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// The board.
#[derive(Debug, Serialize, ToSchema)]
struct BoardView {
    pipeline: PipelineView,
    stages: Vec<ColumnView>,
    /// What values are in.
    #[schema(example = "EUR")]
    currency: String,
}

/// A column of the board.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ColumnView {
    stage: StageView,
    /// How many match in all, or where counting stopped.
    count: i64,
    /// Whether there are more than `count`.
    count_is_capped: bool,
    #[serde(flatten)]
    worth: WorthView,
    /// From the top.
    cards: Vec<CardView>,
    /// Where the next page begins; null where there is none.
    next: Option<String>,
}

/// What the leads of a column are worth together: each what it was sold for, or else what was quoted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorthView {
    /// Null where counting stopped.
    #[schema(example = "1250.50")]
    value: Option<String>,
    /// Times the stage's probability. Null where counting stopped.
    #[schema(example = "625.25")]
    weighted_value: Option<String>,
}

impl WorthView {
    fn new(milli: Option<i128>, probability: i64) -> Self {
        Self { value: milli.map(decimal), weighted_value: milli.map(|milli| decimal(weighted(milli, probability))) }
    }
}

/// The first cards of every column, with counts
#[utoipa::path(get, path = "/v1/identity/board", tag = "identity", params(BoardQuery),
    responses((status = 200, body = BoardView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<BoardQuery>,
) -> ApiResult<Json<BoardView>> {
    let limit = rows(query.limit)?;
    let pipeline = pipelines::find(&app.reader, actor.workspace, query.pipeline_id).await?;
    let pipeline = pipeline.ok_or_else(ApiError::not_found)?;
    let asked = Asked {
        search: query.search,
        stage: query.stage_id,
        pipeline: None,
        project: query.project_id,
        source: query.source,
        assigned_to: query.assigned_to,
        tag: query.tag,
        filter: query.filter,
        segment: query.segment_id,
    };
    let fields = card_fields(&app, &actor, query.custom_fields).await?;
    let filter = asked.filter(&app, &actor).await?;
    let stages: Vec<StageId> = pipeline.stages.iter().map(|stage| stage.id).collect();
    let columns = stored::board(&app.reader, actor.workspace, &stages, &filter, limit + 1).await?;
    let shown: Vec<LeadId> = columns.iter().flat_map(|column| &column.cards).map(|card| card.id).collect();
    let responses = Responses::load(&app, &actor, &shown).await?;
    let sight = Sight::of(&actor);
    let view = |(column, stage): (stored::Column, &pipelines::Stage)| {
        let (cards, next) = page(column.cards, limit, sight, (&fields, &responses));
        let (count, count_is_capped) = (column.count, column.count_is_capped);
        let worth = WorthView::new(column.value_milli, stage.probability);
        ColumnView { stage: StageView::from(stage), count, count_is_capped, worth, cards, next }
    };
    let stages = columns.into_iter().zip(&pipeline.stages).map(view).collect();
    let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or_else(ApiError::not_found)?;
    let currency = currency_of(&workspace.settings).to_owned();
    Ok(Json(BoardView { pipeline: PipelineView::from(&pipeline), stages, currency }))
}

/// Which leads of a column.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct StageQuery {
    /// The `next` of the page before; from the top where there is none.
    after: Option<String>,
    /// A pipeline that the stage is not of has no cards here.
    #[param(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    /// Words that name, e-mail, phone or company hold; without `pii:view` the company.
    search: Option<String>,
    #[param(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// A kind of source (`form`, `webhook`, `manual`, …) or the id of one.
    source: Option<String>,
    /// `me`, `none` or a user's id.
    assigned_to: Option<String>,
    tag: Option<String>,
    /// A tree of conditions as JSON, as for the list of leads.
    filter: Option<String>,
    /// Those of a segment.
    #[param(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    /// Keys of custom fields that come with each card, as for the list of leads.
    custom_fields: Option<String>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// More cards of a column.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StagePageView {
    cards: Vec<CardView>,
    /// Where the next page begins; null where there is none.
    next: Option<String>,
    /// How many match in the whole column, or where counting stopped.
    count: i64,
    /// Whether there are more than `count`.
    count_is_capped: bool,
    #[serde(flatten)]
    worth: WorthView,
}

/// More cards of one column
#[utoipa::path(get, path = "/v1/identity/board/stages/{stageId}", tag = "identity",
    params(("stageId" = Uuid, Path), StageQuery), responses((status = 200, body = StagePageView)))]
async fn get_stage(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(stage): Path<StageId>,
    Query(query): Query<StageQuery>,
) -> ApiResult<Json<StagePageView>> {
    let limit = rows(query.limit)?;
    let after = query.after.filter(|after| !after.is_empty()).as_deref().map(read_cursor).transpose()?;
    let found = pipelines::find_stage(&app.reader, actor.workspace, stage).await?.ok_or_else(ApiError::not_found)?;
    let probability = found.probability;
    let asks_for_another = query.stage_id.is_some_and(|only| only != stage);
    if asks_for_another {
        let worth = WorthView::new(Some(0), probability);
        return Ok(Json(StagePageView { cards: Vec::new(), next: None, count: 0, count_is_capped: false, worth }));
    }
    let asked = Asked {
        search: query.search,
        stage: Some(stage),
        pipeline: query.pipeline_id,
        project: query.project_id,
        source: query.source,
        assigned_to: query.assigned_to,
        tag: query.tag,
        filter: query.filter,
        segment: query.segment_id,
    };
    let fields = card_fields(&app, &actor, query.custom_fields).await?;
    let filter = asked.filter(&app, &actor).await?;
    let found = stored::stage_page(&app.reader, actor.workspace, stage, &filter, after.as_ref(), limit + 1).await?;
    let shown: Vec<LeadId> = found.cards.iter().map(|card| card.id).collect();
    let responses = Responses::load(&app, &actor, &shown).await?;
    let (cards, next) = page(found.cards, limit, Sight::of(&actor), (&fields, &responses));
    let (count, count_is_capped) = (found.count, found.count_is_capped);
    let worth = WorthView::new(found.value_milli, probability);
    Ok(Json(StagePageView { cards, next, count, count_is_capped, worth }))
}

/// A page of cards out of one card too many, which tells whether there is another page.
fn page(
    mut cards: Vec<Card>,
    limit: i64,
    sight: Sight,
    (fields, responses): (&[String], &Responses),
) -> (Vec<CardView>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = cards.len() > limit;
    cards.truncate(limit);
    let next = cards.last().filter(|_| has_more).map(write_cursor);
    let view = |card| CardView::new(card, sight, Some(fields)).with_response(responses);
    (cards.into_iter().map(view).collect(), next)
}

fn write_cursor(card: &Card) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", card.rank, card.id))
}

fn read_cursor(text: &str) -> ApiResult<Cursor> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (rank, id) = text.split_once(' ')?;
        let is_rank = rank.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_rank.then_some(Cursor { rank: rank.to_owned(), id: id.parse().ok()? })
    };
    read().ok_or_else(|| ApiError::field("/after", "is not the `next` of a page of this board"))
}
