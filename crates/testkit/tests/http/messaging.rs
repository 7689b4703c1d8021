//! Messages to leads and from them: channels, templates, sending, what can go wrong, callbacks, and the inbox.

mod approvals;
mod attachments;
mod callbacks;
mod inbox;
mod mail;
mod meta;
mod packages;
mod providers;
mod sending;
mod twilio;

use leadline_domain::permissions::Role;
use leadline_engine::{dispatch, messaging::runner};
use leadline_testkit::Db;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

/// A site with an admin's token.
async fn start(db: Db) -> (Site, String) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    (site, token)
}

/// Makes something and gives its id.
async fn made(admin: &Caller<'_>, path: &str, body: Value) -> String {
    let answer = admin.post(path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn channel(admin: &Caller<'_>, body: Value) -> String {
    made(admin, "/v1/messaging/channels", body).await
}

async fn sandbox(admin: &Caller<'_>) -> String {
    channel(admin, json!({"kind": "sandbox", "name": "Sandbox"})).await
}

async fn lead(site: &Site, fields: Value) -> String {
    site.app.submit(fields).await.lead.expect("a lead").to_string()
}

async fn ada(site: &Site) -> String {
    lead(site, json!({"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+491701234567"})).await
}

/// Sends what is due until nothing is.
async fn run(site: &Site) {
    runner::send_due(&site.app.engine).await.expect("messages are sent");
    dispatch::dispatch_all(&site.app.engine).await.expect("events are dispatched");
}

async fn quick_send(admin: &Caller<'_>, body: Value) -> Value {
    let answer = admin.post("/v1/identity/leads/broadcast/quick-send", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A text message to one lead, in the queue: its id.
async fn text(admin: &Caller<'_>, lead: &str, words: &str) -> String {
    let sent = quick_send(admin, json!({"leadIds": [lead], "channel": "sms", "message": words})).await;
    sent["results"][0]["messageId"].as_str().unwrap_or_else(|| panic!("a message: {sent}")).to_owned()
}

async fn message(admin: &Caller<'_>, id: &str) -> Value {
    admin.get(&format!("/v1/messaging/messages/{id}")).await.json()
}

async fn status(admin: &Caller<'_>, id: &str) -> String {
    message(admin, id).await["status"].as_str().expect("a status").to_owned()
}

async fn events(site: &Site, kind: &str) -> i64 {
    site.app.count(&format!("events WHERE kind = '{kind}'")).await
}
