//! Campaigns from a draft to their report, and what follows when somebody, or something, follows a link of a message.

mod links;
mod sending;

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use leadline_domain::permissions::Role;
use leadline_engine::{campaigns::feeder, dispatch, messaging::runner};
use leadline_testkit::Db;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

const CAMPAIGNS: &str = "/v1/messaging/campaigns";

const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// A site with an admin's token and a sandbox.
async fn start(db: Db) -> (Site, String) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    made(&site.with_token(&token), "/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await;
    (site, token)
}

/// Makes something and gives its id.
async fn made(admin: &Caller<'_>, path: &str, body: Value) -> String {
    let answer = admin.post(path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn letter(admin: &Caller<'_>) -> String {
    let template = json!({"channel": "email", "name": "Spring", "subject": "Hello {{firstName}}",
        "body": "Dear {{firstName}},\n\nsee https://shop.example/text.",
        "html": "<p>Dear {{firstName}}</p><a href=\"https://shop.example/a?x=1&amp;y=2\">A</a> \
                 <a href='https://shop.example/b'>B</a> <a href='mailto:us@shop.example'>Us</a>"});
    made(admin, "/v1/messaging/templates", template).await
}

/// So many people with an e-mail address each.
async fn people(site: &Site, count: usize) -> Vec<String> {
    let mut leads = Vec::new();
    for n in 0..count {
        let fields = json!({"name": format!("Person {n}"), "email": format!("person{n}@example.com")});
        leads.push(site.app.submit(fields).await.lead.expect("a lead").to_string());
    }
    leads
}

async fn audience(admin: &Caller<'_>, leads: &[String]) -> String {
    let body = json!({"name": "Chosen", "leadIds": leads});
    made(admin, "/v1/identity/leads/broadcast/create-audience", body).await
}

/// A campaign by e-mail to these leads, with what else is said of it.
async fn campaign(admin: &Caller<'_>, leads: &[String], more: Value) -> String {
    let audience = audience(admin, leads).await;
    let mut body = json!({"name": "Spring", "channel": "email", "templateId": letter(admin).await,
        "audience": {"audienceId": audience}});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    made(admin, CAMPAIGNS, body).await
}

async fn step(admin: &Caller<'_>, id: &str, step: &str) -> Value {
    let answer = admin.post(&format!("{CAMPAIGNS}/{id}/{step}"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn get(admin: &Caller<'_>, id: &str) -> Value {
    admin.get(&format!("{CAMPAIGNS}/{id}")).await.json()
}

/// Everything that is due is done: recipients are written down, messages asked for, sent and reported.
async fn run(site: &Site) {
    for _ in 0..6 {
        feeder::feed_due(&site.app.engine).await.expect("campaigns go on");
        runner::send_due(&site.app.engine).await.expect("messages are sent");
        dispatch::dispatch_all(&site.app.engine).await.expect("events are dispatched");
        site.app.advance(Duration::from_secs(1));
    }
}

/// A campaign that went out to these leads.
async fn sent(site: &Site, admin: &Caller<'_>, leads: &[String], more: Value) -> String {
    let id = campaign(admin, leads, more).await;
    step(admin, &id, "start").await;
    run(site).await;
    assert_eq!(get(admin, &id).await["state"], json!("finished"));
    id
}

/// The path of the sandbox, by which campaigns go out here.
async fn sandbox_path(admin: &Caller<'_>) -> String {
    let channels = admin.get("/v1/messaging/channels").await.json();
    format!("/v1/messaging/channels/{}/sandbox", channels["data"][0]["id"].as_str().expect("the sandbox"))
}

/// What arrived in the mailbox of an address.
async fn arrived(admin: &Caller<'_>, address: &str) -> Value {
    let address = crate::browser::encoded(address);
    let path = format!("{}/arrivals?address={address}", sandbox_path(admin).await);
    admin.get(&path).await.json()["data"][0].clone()
}

/// The paths of the links in a text that begin so.
fn links(text: &str, kind: &str) -> Vec<String> {
    let begin = format!("http://leadline.test/{kind}/");
    text.split(&begin).skip(1).map(|rest| format!("/{kind}/{}", &rest[..36])).collect()
}

/// A request without cookies, as a mailbox or a gateway sends it.
async fn ask(site: &Site, method: Method, path: &str, agent: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::USER_AGENT, agent);
    site.send(request.body(Body::empty()).expect("a request")).await
}
