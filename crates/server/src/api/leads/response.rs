//! How it stands with the first answer to leads.

use std::collections::HashMap;

use leadline_domain::{
    ids::LeadId,
    time::{MINUTE_MS, Timestamp},
};
use leadline_engine::Actor;
use leadline_store::responses::{self, Standing};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, error::ApiResult};

/// Until when somebody was to act on a lead first, and who did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseView {
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// When somebody else was told that nobody acted.
    #[schema(value_type = Option<String>, format = DateTime)]
    escalated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    answered_by_name: Option<String>,
    /// Of working time.
    answered_in_minutes: Option<i64>,
}

/// The answers to some leads.
pub(crate) struct Responses(HashMap<LeadId, Standing>);

impl Responses {
    pub(crate) async fn load(app: &App, actor: &Actor, leads: &[LeadId]) -> ApiResult<Self> {
        Ok(Self(responses::standings(&app.reader, actor.workspace, leads).await?))
    }

    pub(crate) fn of(&self, lead: LeadId) -> Option<ResponseView> {
        let standing = self.0.get(&lead)?.clone();
        Some(ResponseView {
            started_at: standing.started_at,
            due_at: standing.due_at,
            escalated_at: standing.escalated_at,
            answered_at: standing.answered_at,
            answered_by_name: standing.answered_by_name,
            answered_in_minutes: standing.answered_in_ms.map(|ms| ms / MINUTE_MS),
        })
    }
}
