//! What a CRM posts back about a lead that it was sent.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, header},
};
use leadline_domain::permissions::Role;
use leadline_testkit::{Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

/// A lead that was delivered: where it is, and the id that its receiver was told.
async fn delivered(site: &Site, admin: &Caller<'_>) -> (String, String) {
    let receiver = Receiver::start().await;
    let destination = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created"]});
    let made = admin.post("/v1/delivery/destinations", destination).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let lead = site.app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await.lead.expect("a lead");
    site.app.run_jobs().await;
    let id = receiver.received()[0].header("x-leadline-delivery-id").to_owned();
    (format!("/v1/identity/leads/{lead}"), id)
}

async fn call(site: &Site, id: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(format!("/callbacks/crm/{id}")).header(header::CONTENT_TYPE, content_type);
    site.send(request.body(body.into()).expect("a request")).await
}

async fn call_json(site: &Site, id: &str, body: Value) -> Answer {
    call(site, id, "application/json", body.to_string()).await
}

fn told(lead: &Value) -> Vec<&Value> {
    let activity = lead["activity"].as_array().expect("a timeline");
    activity.iter().filter(|entry| entry["kind"] == "crm.linked").collect()
}

#[rstest]
#[tokio::test]
async fn what_a_crm_tells_is_with_the_lead_and_on_its_timeline_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (lead, send) = delivered(&site, &admin).await;
    let url = "https://crm.example/leads/7?tab=all";

    let first = call_json(&site, &send, json!({"crm_lead_id": 7, "crm_lead_url": url, "lead_id": "ours"})).await;
    let again = call_json(&site, &send, json!({"crm_lead_id": 7, "crm_lead_url": url, "lead_id": "ours"})).await;
    site.app.advance(Duration::from_millis(1));
    let form = "executionUrl=https%3A%2F%2Feu1.make.com%2F1%2Fx&crm_lead_id=8";
    let later = call(&site, &send, "application/x-www-form-urlencoded", form).await;
    site.app.run_jobs().await;
    let lead = admin.get(&lead).await.json();

    for answer in [first, again, later] {
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"stored": true})));
    }
    let [link] = &lead["crmLinks"].as_array().expect("links")[..] else { panic!("one link: {lead}") };
    assert_eq!((&link["crmLeadId"], &link["crmLeadUrl"]), (&json!("8"), &json!(url)));
    assert_eq!((&link["executionUrl"], &link["destinationName"]), (&json!("https://eu1.make.com/1/x"), &json!("CRM")));
    assert_eq!(link["updatedAt"], json!(site.app.now()));
    let told = told(&lead);
    assert_eq!(told.len(), 2, "a repeat tells nothing new");
    assert_eq!((&told[1]["data"]["crmLeadId"], &told[1]["actorName"]), (&json!("7"), &json!("CRM")));
    assert_eq!(site.app.count("events WHERE kind = 'crm.linked'").await, 2, "screens are told of each change");
    assert_eq!(site.app.count("deliveries").await, 1, "and no destination is");
    site.stop().await;
}

#[rstest]
#[case::never_made("0199aaaa-0000-7000-8000-000000000001")]
#[case::no_id_at_all("hello")]
#[case::other_signs("%F0%9F%92%A3%00")]
#[tokio::test]
async fn an_id_that_nobody_was_told_stores_nothing(#[case] id: &str, #[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;

    let answer = call_json(&site, id, json!({"crm_lead_id": "7"})).await;
    let without_sense = call(&site, id, "application/json", "{").await;

    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"stored": false})));
    assert_eq!((without_sense.status.as_u16(), without_sense.json()), (200, json!({"stored": false})));
    assert_eq!(site.app.count("crm_links").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_could_do_harm_is_refused_and_leaves_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (_, send) = delivered(&site, &admin).await;

    let script = call_json(&site, &send, json!({"crm_lead_id": "7", "crm_lead_url": "javascript:alert(1)"})).await;
    let nul = call_json(&site, &send, json!({"crm_lead_id": "a\u{0}b"})).await;
    let nothing = call_json(&site, &send, json!({"lead_id": "ours", "lead_public_id": "ours"})).await;
    let no_json = call(&site, &send, "application/json", "{").await;
    let large = call(&site, &send, "application/json", format!("{{\"a\":\"{}\"}}", "x".repeat(70_000))).await;
    let picture = call(&site, &send, "image/png", "x").await;

    assert_eq!((script.problem(), script.pointers()), ((422, "invalid_fields".into()), vec!["/crm_lead_url".into()]));
    assert_eq!((nul.problem(), nul.pointers()), ((422, "invalid_fields".into()), vec!["/crm_lead_id".into()]));
    assert_eq!(nothing.problem(), (422, "invalid_fields".into()));
    assert_eq!(no_json.problem(), (400, "unreadable_body".into()));
    assert_eq!(large.problem(), (413, "body_too_large".into()));
    assert_eq!(picture.problem(), (415, "unsupported_media_type".into()));
    assert_eq!(site.app.count("crm_links").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_receiver_in_a_loop_fills_no_timeline(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (lead, send) = delivered(&site, &admin).await;

    for number in 0..30 {
        let answer = call_json(&site, &send, json!({"crm_lead_id": number})).await;
        assert_eq!(answer.json(), json!({"stored": true}));
    }
    let lead = admin.get(&lead).await.json();

    assert_eq!(lead["crmLinks"][0]["crmLeadId"], json!("29"));
    assert_eq!(told(&lead).len(), 20);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn without_the_permission_an_address_is_cut_after_its_path(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let (lead, send) = delivered(&site, &site.with_token(&token)).await;
    let viewer = site.token(Role::Viewer).await;
    call_json(&site, &send, json!({"crm_lead_url": "https://crm.example/l/7?name=Ada"})).await;

    let seen = site.with_token(&viewer).get(&lead).await.json();

    assert_eq!(seen["crmLinks"][0]["crmLeadUrl"], json!("https://crm.example/l/7"));
    assert_eq!(told(&seen)[0]["data"], json!({}));
    site.stop().await;
}
