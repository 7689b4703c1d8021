//! `/v1/identity/leads/{id}/scores`: what the scores of a lead were, and the reasons that are shown.

use axum::extract::State;
use leadline_domain::{ids::LeadId, scores::history::Entry, time::Timestamp};
use leadline_store::{leads as stored, scoring::history};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::views::{PageQuery, Paged},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::CurrentActor,
};

/// The scores of a lead from some time on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScoreView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    score: i64,
    fit: i64,
    /// Null where no visit was known.
    engagement: Option<i64>,
    suspicion: i64,
    /// What silence took; zero or less.
    silence: i64,
    /// The version of the weights; 0 for the documentation's.
    version: i64,
    /// `created`, `submission`, `edit`, `visit`, `rescore` or `silence`.
    #[schema(example = "visit")]
    cause: &'static str,
}

impl From<Entry> for ScoreView {
    fn from(entry: Entry) -> Self {
        let figures = entry.figures;
        Self {
            at: entry.at,
            score: figures.score,
            fit: figures.fit,
            engagement: figures.engagement,
            suspicion: figures.suspicion,
            silence: figures.silence,
            version: entry.version,
            cause: entry.cause.as_str(),
        }
    }
}

/// Lists what the scores of a lead were, newest first
///
/// The newest 100 changes are kept. What one visit changes bit by bit is one change.
#[utoipa::path(get, path = "/v1/identity/leads/{id}/scores", tag = "identity",
    params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Paged<ScoreView>)))]
pub(super) async fn list_scores(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<ScoreView>>> {
    let window = query.window()?;
    stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let found = history::list(&app.reader, actor.workspace, id, window.limit, window.offset()).await?;
    Ok(Json(window.paged(found, ScoreView::from)))
}

/// Reasons that count. What was seen and weighs nothing is kept for the next version of the weights, and tells nobody
/// anything.
pub(crate) fn shown(reasons: Value) -> Value {
    match reasons {
        Value::Array(all) => all.into_iter().filter(|reason| reason["points"] != 0).collect(),
        other => other,
    }
}
