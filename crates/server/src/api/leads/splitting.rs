//! Splitting one submission off a lead into a lead of its own.

use axum::extract::State;
use leadline_domain::ids::{LeadId, SubmissionId};
use leadline_engine::crm::splitting::{self, SplitOffError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::CurrentActor,
};

/// A submission that is not this lead's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SplitOffRequest {
    #[schema(value_type = Uuid)]
    submission_id: SubmissionId,
    /// Why, for the timelines of both; up to 500 characters.
    #[serde(default)]
    reason: Option<String>,
}

/// The lead that a submission is now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SplitOffView {
    /// The lead that the submission was split off from.
    #[schema(value_type = Uuid)]
    from_lead_id: LeadId,
    /// The lead that it is now. Merging that one into the other puts them together again.
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
}

/// Makes a lead of its own of one submission
///
/// What the lead had from this submission alone goes with it, and its sender is not taken for this lead again. What
/// people changed since stays.
#[utoipa::path(post, path = "/v1/identity/leads/{id}/split-off", tag = "identity", params(("id" = Uuid, Path)),
    request_body = SplitOffRequest, responses((status = 200, body = SplitOffView)))]
pub(super) async fn split_off(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Json(request): Json<SplitOffRequest>,
) -> ApiResult<Json<SplitOffView>> {
    let reason = request.reason.as_deref();
    let made = splitting::split_off(&app.engine, &actor, id, request.submission_id, reason).await?;
    Ok(Json(SplitOffView { from_lead_id: id, lead_id: made }))
}

impl From<SplitOffError> for ApiError {
    fn from(error: SplitOffError) -> Self {
        match error {
            SplitOffError::NotFound => Self::not_found(),
            SplitOffError::Deleted => Self::new(Code::Conflict).detail("the lead is deleted; restore it first"),
            SplitOffError::OnlyOne => Self::new(Code::Conflict).detail(error.to_string()),
            SplitOffError::ReasonTooLong => Self::field("/reason", error.to_string()),
            SplitOffError::Internal(error) => error.into(),
        }
    }
}
