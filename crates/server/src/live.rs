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
use leadline_domain::permissions::Permission;
use leadline_engine::{
    Actor,
    admin::sessions::{self, Authenticated},
    live::LiveHint,
};
use serde_json::json;
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    guard::{CurrentActor, GuardedRoutes},
};

/// Proxies close what is silent for longer.
const PING_EVERY: Duration = Duration::from_secs(15);

/// How often it is asked whether whoever listens may still do so: within a second of a revocation the stream is over,
/// whichever node it was revoked on.
const ASK_EVERY: Duration = Duration::from_millis(500);

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(live))
}

/// Hints about what changes, as server-sent events
///
/// `hello` begins it, with the server's version and whose stream it is, in which workspace;
/// `lead`, `task`, `delivery` and `alert` say what changed and not how; `job` says how far a job is; `session` says that the
/// caller's role changed; `resync` says that hints were missed; `ping` comes every 15 seconds. The stream ends within a
/// second of the session or token.
#[utoipa::path(get, path = "/v1/live", tag = "live", responses((status = 200, content_type = "text/event-stream")))]
async fn live(State(app): State<App>, CurrentActor(actor): CurrentActor) -> impl IntoResponse {
    let told = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "workspaceId": actor.workspace,
        "userId": actor.user,
    });
    let hello = Event::default().event("hello").data(told.to_string());
    let hints = hints(app.engine.live.subscribe(), app, actor);
    let events = stream::once(async move { hello }).chain(hints).map(Ok::<_, Infallible>);
    let ping = KeepAlive::new().interval(PING_EVERY).event(Event::default().event("ping").data("{}"));
    // Proxies that buffer would hold hints back.
    ([(HeaderName::from_static("x-accel-buffering"), "no")], Sse::new(events).keep_alive(ping))
}

fn hints(receiver: broadcast::Receiver<LiveHint>, app: App, actor: Actor) -> impl Stream<Item = Event> {
    let mut ask = interval_at(Instant::now() + ASK_EVERY, ASK_EVERY);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listening = Listening { receiver, stopping: app.stopping(), ask, app, actor };
    stream::unfold(listening, async |mut listening| Some((listening.next().await?, listening)))
}

/// Somebody who hears hints.
struct Listening {
    receiver: broadcast::Receiver<LiveHint>,
    stopping: watch::Receiver<bool>,
    ask: Interval,
    app: App,
    actor: Actor,
}

impl Listening {
    /// The next hint; none where there will be no more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let heard = tokio::select! {
                hint = self.receiver.recv() => Some(hint),
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                _ = self.ask.tick() => None,
            };
            let Some(hint) = heard else {
                match self.standing().await {
                    Standing::Same => continue,
                    // What the screen offers depends on it.
                    Standing::Changed => return Some(Event::default().event("session").data("{}")),
                    Standing::Over => return None,
                }
            };
            return Some(match hint {
                Ok(hint) if hint.workspace == self.actor.workspace => {
                    Event::default().event(hint.event).data(hint.data.to_string())
                }
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Lagged(_)) => Event::default().event("resync").data("{}"),
                Err(broadcast::error::RecvError::Closed) => return None,
            });
        }
    }

    /// How it stands with the session or token. A store that does not answer ends nothing: hints say only that something
    /// changed, and there are none while it is away.
    async fn standing(&mut self) -> Standing {
        let engine = &self.app.engine;
        let Ok(found) = sessions::still(&engine.store, engine.clock.now(), &self.actor).await else {
            return Standing::Same;
        };
        let may_listen =
            |found: &Authenticated| !found.lacks_second_factor && found.actor.role.may(Permission::LeadsView);
        match found.filter(may_listen) {
            None => Standing::Over,
            Some(found) if found.actor.role == self.actor.role => Standing::Same,
            Some(found) => {
                self.actor.role = found.actor.role;
                Standing::Changed
            }
        }
    }
}

/// How it stands with whoever listens.
enum Standing {
    Same,
    /// They may do other things than before.
    Changed,
    /// They may not listen any more.
    Over,
}
