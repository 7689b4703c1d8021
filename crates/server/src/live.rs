//! `GET /v1/live`: hints for open screens, as server-sent events.
//!
//! A hint says what changed, not how; the screen asks for it. One that falls behind is told to ask for everything
//! (`resync`). Streams end when the process is about to, so that a drain does not wait for them.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt, stream};
use http::HeaderName;
use leadline_domain::{ids::WorkspaceId, permissions::Permission};
use leadline_engine::live::LiveHint;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    guard::{CurrentActor, GuardedRoutes},
};

/// Proxies close what is silent for longer.
const PING_EVERY: Duration = Duration::from_secs(15);

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(live))
}

/// Hints about what changes, as server-sent events
///
/// `lead`, `delivery` and `alert` say what changed and not how; `job` says how far a job is; `resync` says that hints were missed; `ping` comes every 15
/// seconds.
#[utoipa::path(get, path = "/v1/live", tag = "live", responses((status = 200, content_type = "text/event-stream")))]
async fn live(State(app): State<App>, CurrentActor(actor): CurrentActor) -> impl IntoResponse {
    let hello = Event::default().event("hello").data(json!({"version": env!("CARGO_PKG_VERSION")}).to_string());
    let hints = hints(app.engine.live.subscribe(), actor.workspace, app.stopping());
    let events = stream::once(async move { hello }).chain(hints).map(Ok::<_, Infallible>);
    let ping = KeepAlive::new().interval(PING_EVERY).event(Event::default().event("ping").data("{}"));
    // Proxies that buffer would hold hints back.
    ([(HeaderName::from_static("x-accel-buffering"), "no")], Sse::new(events).keep_alive(ping))
}

fn hints(
    receiver: broadcast::Receiver<LiveHint>,
    workspace: WorkspaceId,
    stopping: watch::Receiver<bool>,
) -> impl Stream<Item = Event> {
    stream::unfold((receiver, stopping), move |(mut receiver, mut stopping)| async move {
        loop {
            let hint = tokio::select! {
                hint = receiver.recv() => hint,
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            };
            let event = match hint {
                Ok(hint) if hint.workspace == workspace => {
                    Event::default().event(hint.event).data(hint.data.to_string())
                }
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Lagged(_)) => Event::default().event("resync").data("{}"),
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            return Some((event, (receiver, stopping)));
        }
    })
}
