//! What an automation would do with a lead: asked of one that may not be saved yet.

use axum::extract::State;
use leadline_domain::{automations::Reason, ids::LeadId, time::Timestamp};
use leadline_engine::automations::rehearsal::{self as engine, RehearsedMessage, RehearsedStep};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::definition::{NewAutomation, StepChannel, StepKindName};
use crate::{api::masking::Sight, app::App, error::ApiResult, extract::Json, guard::CurrentActor};

/// An automation, and the lead to try it with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DryRunRequest {
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    automation: NewAutomation,
}

/// What would happen, if the lead arrived now and all went well.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DryRunView {
    /// Why it would not begin: a stable name.
    reason: Option<&'static str>,
    /// The same in words.
    reason_words: Option<&'static str>,
    /// By which clock quiet hours are read: the lead's own, where it is known.
    timezone: String,
    steps: Vec<DryRunStep>,
}

/// What a step would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DryRunStep {
    /// When its time comes; of waiting for a reply, when that ends.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether quiet hours put it off.
    is_put_off: bool,
    /// What kind of step it is.
    kind: StepKindName,
    /// Whether it would have its turn.
    is_reached: bool,
    /// What it would do where it sends nothing, or why it would not have its turn; hidden without `pii:view`.
    words: Option<String>,
    /// What it would send; null where it sends nothing.
    message: Option<DryRunMessage>,
    /// What is tried if that fails, or cannot be sent.
    fallback: Option<DryRunMessage>,
}

/// A message that would be sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DryRunMessage {
    channel: StepChannel,
    /// Which of the workspace's channels would carry it.
    channel_name: Option<String>,
    template_name: Option<String>,
    /// Where it would go; masked without `pii:view`.
    address: Option<String>,
    /// What speaks against it: a stable name; null where it would be sent.
    skip_reason: Option<&'static str>,
    /// The same in words.
    skip_words: Option<String>,
    /// Of e-mail: the subject; hidden without `pii:view`.
    subject: Option<String>,
    /// What it would say; hidden without `pii:view`.
    text: Option<String>,
}

/// Tells what an automation would do with a lead, and changes nothing
#[utoipa::path(post, path = "/v1/identity/lead-automations/dry-run", tag = "identity", request_body = DryRunRequest,
    responses((status = 200, body = DryRunView)))]
pub(super) async fn rehearse(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<DryRunRequest>,
) -> ApiResult<Json<DryRunView>> {
    let edit = request.automation.edit()?;
    super::may_ask(&app, &actor, &edit).await?;
    let rehearsal = engine::rehearse(&app.engine, &actor, edit, request.lead_id).await?;
    let sight = Sight::of(&actor);
    Ok(Json(DryRunView {
        reason: rehearsal.reason.map(Reason::as_str),
        reason_words: rehearsal.reason.map(Reason::words),
        timezone: rehearsal.timezone,
        steps: rehearsal.steps.into_iter().map(|step| step_view(step, sight)).collect(),
    }))
}

fn step_view(step: RehearsedStep, sight: Sight) -> DryRunStep {
    DryRunStep {
        at: step.at,
        is_put_off: step.is_moved,
        kind: step.kind.into(),
        is_reached: step.is_reached,
        words: sight.text(step.words),
        message: step.first.map(|message| message_view(message, sight)),
        fallback: step.fallback.map(|message| message_view(message, sight)),
    }
}

fn message_view(message: RehearsedMessage, sight: Sight) -> DryRunMessage {
    let channel = StepChannel::from(message.channel);
    let address = match channel {
        StepChannel::Email => sight.email(message.address),
        StepChannel::Whatsapp | StepChannel::Sms => sight.phone(message.address),
    };
    DryRunMessage {
        channel,
        channel_name: message.channel_name,
        template_name: message.template_name,
        address,
        skip_reason: message.skip.map(|skip| skip.code()),
        skip_words: message.skip.map(|skip| skip.to_string()),
        subject: sight.text(message.subject),
        text: sight.text(Some(message.text)),
    }
}
