//! `/v1/identity/leads/{id}/automation-timeline`: what automations did for a lead, and how their messages fare.

use axum::extract::State;
use leadline_domain::{
    automations::Run,
    ids::{ActivityId, AutomationId, LeadId, RunId},
    messaging::Status,
    time::Timestamp,
};
use leadline_store::{
    automations::{
        log::{self, Line, Timeline},
        runs::StoredSending,
    },
    leads,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{masking::Sight, views::All},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path},
    guard::CurrentActor,
};

/// Something that an automation did for a lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AutomationEventView {
    #[schema(value_type = Uuid)]
    id: ActivityId,
    /// `triggered`, `step_sent`, `step_done`, `step_failed`, `fallback`, `completed`, `skipped`, `exited` or `retried`.
    event: String,
    /// The same in words, as `Automation triggered`.
    title: &'static str,
    /// The name of a picture for it.
    icon: &'static str,
    #[schema(value_type = Option<Uuid>)]
    automation_id: Option<AutomationId>,
    automation_name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Which step it is about, from 1; null where it is about the whole.
    step: Option<i64>,
    /// `whatsapp`, `sms` or `email`.
    channel: Option<String>,
    /// Of a step that sends nothing: what kind it is.
    kind: Option<String>,
    /// Of a fallback: what failed before.
    from_channel: Option<String>,
    /// Of what was sent: `Pending`, `Sent`, `Delivered`, `Read`, `Failed` or `Unknown`, as it is now.
    delivery_status: Option<&'static str>,
    /// Why something failed or was left out: a stable name.
    reason: Option<String>,
    /// The same in words.
    reason_words: Option<String>,
    /// What the provider says went wrong; null without `pii:view`.
    error: Option<String>,
    /// Whether the step can be tried again now.
    can_retry: bool,
    /// Who did it, where that was a person; else the automation.
    actor_name: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What automations did for a lead, oldest first: the newest 500 lines
#[utoipa::path(get, path = "/v1/identity/leads/{id}/automation-timeline", tag = "identity",
    params(("id" = Uuid, Path)), responses((status = 200, body = All<AutomationEventView>)))]
pub(super) async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<Json<All<AutomationEventView>>> {
    leads::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let timeline = log::timeline(&app.reader, actor.workspace, id).await?;
    let sight = Sight::of(&actor);
    let events = timeline.lines.iter().map(|line| view(&timeline, line, sight)).collect();
    Ok(Json(All { data: events }))
}

fn view(timeline: &Timeline, line: &Line, sight: Sight) -> AutomationEventView {
    let text = |name: &str| line.data[name].as_str().map(str::to_owned);
    let run: Option<RunId> = text("runId").and_then(|id| id.parse().ok());
    let step = line.data["step"].as_i64();
    let event = line.kind.strip_prefix("automation.").unwrap_or(&line.kind).to_owned();
    let (title, icon) = words(&event, step.is_some());
    let of_run = run.and_then(|run| timeline.sendings.get(&run)).map(Vec::as_slice).unwrap_or_default();
    let number = line.data["number"].as_i64();
    let sending = of_run.iter().find(|one| Some(one.step + 1) == step && Some(one.number) == number);
    let is_message = matches!(event.as_str(), "step_sent" | "step_failed");
    let automation_id: Option<AutomationId> = text("automationId").and_then(|id| id.parse().ok());
    let is_there = automation_id.is_some_and(|id| !timeline.deleted.contains(&id));
    let is_latest = run.is_some() && run == latest_retryable(timeline, automation_id).map(|(run, _)| run);
    let came_to_nothing = matches!(event.as_str(), "step_failed" | "skipped");
    AutomationEventView {
        id: line.id,
        title,
        icon,
        automation_id,
        automation_name: text("automationName"),
        run_id: run,
        step,
        channel: text("channel"),
        kind: text("kind"),
        from_channel: text("fromChannel"),
        delivery_status: sending
            .filter(|one| is_message && one.channel.is_some())
            .and_then(|one| one.status)
            .map(delivery_status),
        reason: text("reason"),
        reason_words: text("words"),
        error: text("error").filter(|_| !sight.is_masked()),
        can_retry: is_there
            && is_latest
            && came_to_nothing
            && sending.is_some_and(|one| is_retried(timeline, automation_id, one)),
        actor_name: line.actor_name.clone(),
        at: line.created_at,
        event,
    }
}

/// The sending that a retry would repeat: of the newest run in which one can be.
fn latest_retryable(timeline: &Timeline, automation: Option<AutomationId>) -> Option<(RunId, (usize, i64))> {
    let mut runs: Vec<_> = timeline.runs.values().filter(|run| Some(run.automation_id) == automation).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.id)));
    runs.into_iter().find_map(|run| {
        let sendings = timeline.sendings.get(&run.id)?;
        Some((run.id, Run::failed_last(&sendings.iter().map(StoredSending::plain).collect::<Vec<_>>())?))
    })
}

fn is_retried(timeline: &Timeline, automation: Option<AutomationId>, sending: &StoredSending) -> bool {
    let place = (usize::try_from(sending.step).unwrap_or(usize::MAX), sending.number);
    latest_retryable(timeline, automation) == Some((sending.run_id, place))
}

fn words(event: &str, is_of_a_step: bool) -> (&'static str, &'static str) {
    match (event, is_of_a_step) {
        ("triggered", _) => ("Automation triggered", "bolt"),
        ("step_sent", _) => ("Step sent", "check"),
        ("step_done", _) => ("Step done", "check"),
        ("step_failed", _) => ("Step failed", "error"),
        ("fallback", _) => ("Fallback", "swap"),
        ("completed", _) => ("Automation completed", "task"),
        ("skipped", true) => ("Step skipped", "block"),
        ("skipped", false) => ("Automation skipped", "block"),
        ("exited", _) => ("Automation ended early", "exit"),
        ("retried", _) => ("Step tried again", "replay"),
        _ => ("Automation", "bolt"),
    }
}

fn delivery_status(status: Status) -> &'static str {
    match status {
        Status::Queued | Status::Sending => "Pending",
        Status::Sent => "Sent",
        Status::Delivered => "Delivered",
        Status::Read => "Read",
        Status::Failed => "Failed",
        Status::Unknown => "Unknown",
        Status::Skipped => "Skipped",
    }
}
