//! The ways in: what visitors' browsers and other programs reach without a token.
//!
//! Everything that comes in here is hostile. The handlers read the body, find the source by its key, and hand the
//! fields to the one door of the engine; what they mean is decided there. Receivers that call back about what they were
//! sent, and people who follow links of messages, come in here, too, and past the door.

mod callbacks;
mod capture;
mod channels;
mod chat;
mod inbound;
mod links;
mod mail;
mod pages;
mod visits;
mod widget;

use axum::routing::{get, options, post};
pub(crate) use capture::refusal;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app::App, guard::GuardedRoutes};

/// The routes of the ways in.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .public(routes!(capture::form))
        .public(routes!(inbound::webhook, inbound::handshake))
        .public(routes!(widget::capture))
        .public(routes!(widget::script))
        .public(routes!(chat::post))
        .public(routes!(visits::report))
        .public(routes!(callbacks::crm))
        .public(routes!(channels::callback, channels::handshake))
        .public(routes!(links::follow))
        .public(routes!(links::open))
        .public(routes!(links::look, links::unsubscribe))
        .public(routes!(mail::post))
        .route("/v1/identity/webhooks/leads/{key}", post(inbound::webhook).get(inbound::handshake))
        .route("/f/{key}", options(capture::preflight))
        .route("/chat/{key}/{chat}", options(capture::preflight))
        .route("/w/{widget}/captures", options(capture::preflight))
        .route("/webhooks/leads/{key}", options(capture::preflight))
        .route("/v1/identity/webhooks/leads/{key}", options(capture::preflight))
        .route("/t/{key}", options(capture::preflight))
        .route("/thank-you", get(pages::thank_you))
}
