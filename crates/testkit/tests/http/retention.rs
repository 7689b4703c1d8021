//! How long each workspace keeps what, and what it is shown before it keeps less.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_engine::retain;
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const PATH: &str = "/v1/admin/privacy/retention";

const DAY: Duration = Duration::from_secs(86_400);

async fn live(site: &Site, days: u32) {
    for _ in 0..days {
        site.app.advance(DAY);
        retain(&site.app.engine).await.expect("what is over is deleted");
    }
}

async fn send(site: &Site, key: &str, ip: &str, fields: Value) {
    let request = Request::post(format!("/f/{key}")).header("content-type", "application/json");
    let mut request = request.body(Body::from(fields.to_string())).expect("a request");
    let peer: SocketAddr = format!("{ip}:4711").parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(peer));
    let answer = site.send(request).await;
    assert!(answer.status.is_success() || answer.status.is_redirection(), "{}", answer.text());
}

/// One of each class: a request of a lead, one that was held back, one of a blocked address, a delivery and a dead
/// letter.
async fn furnish(site: &Site, admin: &Caller<'_>, receiver: &Receiver) {
    retain(&site.app.engine).await.expect("a first look");
    let form = admin.post("/v1/capture/forms", json!({"name": "Form"})).await.json();
    let key = form["key"].as_str().expect("a key").to_owned();
    admin.post("/v1/capture/blocked-ips", json!({"range": "203.0.113.9"})).await;
    let wish = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created"], "retryPlan": "none"});
    assert!(admin.post("/v1/delivery/destinations", wish).await.status.is_success());
    receiver.answers([Answers::Status(404)]);
    send(site, &key, "203.0.113.1", json!({"name": "Ada", "email": "ada@example.com"})).await;
    site.app.run_jobs().await;
    site.app.advance(Duration::from_secs(1));
    send(site, &key, "203.0.113.2", json!({"name": "Bob", "email": "bob@example.com"})).await;
    site.app.run_jobs().await;
    send(site, &key, "203.0.113.3", json!({"name": "Bot", "email": "bot@example.com", "__pg_hp": "x"})).await;
    send(site, &key, "203.0.113.9", json!({"name": "Eve", "email": "eve@example.com"})).await;
    site.app.run_jobs().await;
    assert_eq!(left(site).await, [2, 1, 1, 1, 1]);
}

async fn left(site: &Site) -> [i64; 5] {
    [
        site.app.count("lead_captures").await,
        site.app.count("quarantine").await,
        site.app.count("blocked_ip_leads").await,
        site.app.count("deliveries WHERE state = 'delivered'").await,
        site.app.count("deliveries WHERE state = 'dead'").await,
    ]
}

fn counts(preview: &Value) -> Vec<i64> {
    let classes = preview["classes"].as_array().unwrap_or_else(|| panic!("{preview}"));
    classes.iter().map(|each| each["count"].as_i64().expect("a count")).collect()
}

#[rstest]
#[tokio::test]
async fn a_preview_says_what_goes_and_the_next_sweep_takes_just_that(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let receiver = Receiver::start().await;
    furnish(&site, &admin, &receiver).await;
    let usual = admin.get(PATH).await.json();
    live(&site, 3).await;
    let preview = format!("{PATH}/preview");

    let as_it_is = admin.post(&preview, json!({})).await.json();
    let wish = json!({"captures": 2, "quarantine": 3, "blockedRequests": 4, "deliveries": 1, "deadLetters": 2});
    let shorter = admin.post(&preview, wish).await.json();
    let untouched = left(&site).await;
    let saved = admin.send(axum::http::Method::PATCH, PATH, Some(json!({"captures": 2, "deliveries": 1}))).await.json();
    live(&site, 1).await;

    let days: Vec<&Value> = usual["classes"].as_array().expect("classes").iter().map(|each| &each["days"]).collect();
    assert_eq!(days, [90, 90, 90, 30, 7, 730]);
    assert_eq!(counts(&as_it_is), [0, 0, 0, 0, 0, 0]);
    assert_eq!(counts(&shorter), [2, 1, 0, 1, 1, 0]);
    assert_eq!(untouched, [2, 1, 1, 1, 1], "a look changes nothing");
    assert_eq!((&saved["classes"][0]["days"], &saved["classes"][1]["days"]), (&json!(2), &json!(90)));
    assert_eq!(left(&site).await, [0, 1, 1, 0, 1]);
    assert_eq!(site.app.count("lead_submissions").await, 2, "what was sent stays with the lead");
    let audit = admin.get("/v1/admin/audit?action=retention.updated").await.json();
    assert_eq!(audit["data"][0]["data"]["changes"]["captureDays"], json!({"from": 90, "to": 2}));
    for (body, pointer) in [
        (json!({"captures": 0}), "/captures"),
        (json!({"captures": 3651}), "/captures"),
        (json!({"deadLetters": 366}), "/deadLetters"),
        (json!({"audit": 29}), "/audit"),
    ] {
        assert_eq!(admin.patch(PATH, body.clone()).await.pointers(), [pointer]);
        assert_eq!(admin.post(&preview, body).await.pointers(), [pointer]);
    }
    assert_eq!(agent.patch(PATH, json!({"captures": 1})).await.status, StatusCode::FORBIDDEN);
    let back = admin.patch(PATH, json!({"captures": null})).await.json();
    assert_eq!(back["classes"][0]["days"], 90);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn somebody_is_told_before_dead_letters_go(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let receiver = Receiver::start().await;
    furnish(&site, &admin, &receiver).await;
    let told = async || site.app.count("alerts WHERE kind = 'dead_letters.leaving' AND closed_at IS NULL").await;

    live(&site, 3).await;
    assert_eq!(told().await, 0);
    live(&site, 2).await;
    let alerts = admin.get("/v1/admin/alerts").await.json();
    assert_eq!(told().await, 1);
    assert_eq!(alerts["data"][0]["data"], json!({"count": 1, "isCapped": false, "hours": 72}), "{alerts}");

    admin.patch(PATH, json!({"deadLetters": 30})).await;
    live(&site, 1).await;
    assert_eq!(told().await, 0);
    admin.patch(PATH, json!({"deadLetters": 7})).await;
    live(&site, 2).await;
    // They are gone, and so is the alert.
    assert_eq!((told().await, left(&site).await[4]), (0, 0));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_kept_for_longer_stays_and_says_until_when(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let receiver = Receiver::start().await;
    furnish(&site, &admin, &receiver).await;
    let until = async || {
        let dead = admin.get("/v1/delivery/dead-letters").await.json()["data"][0].clone();
        let held = admin.get("/v1/capture/quarantine").await.json()["data"][0].clone();
        (dead["expiresAt"].clone(), held["expiresAt"].clone())
    };
    let before = until().await;

    admin.patch(PATH, json!({"deadLetters": 14, "quarantine": 120, "blockedRequests": 95, "captures": 100})).await;
    let after = until().await;
    live(&site, 13).await;
    let at_13 = left(&site).await;
    live(&site, 2).await;
    let at_15 = left(&site).await;
    live(&site, 79).await;
    let at_94 = left(&site).await;
    live(&site, 7).await;

    assert_eq!(before.0.as_str().map(|at| &at[..10]), Some("2026-01-12"));
    assert_eq!(after.0.as_str().map(|at| &at[..10]), Some("2026-01-19"));
    assert_ne!(before.1, after.1);
    assert_eq!((at_13, at_15), ([2, 1, 1, 1, 1], [2, 1, 1, 1, 0]));
    assert_eq!((at_94, left(&site).await), ([2, 1, 1, 0, 0], [0, 1, 0, 0, 0]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_workspace_s_days_are_not_another_s(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let receiver = Receiver::start().await;
    furnish(&site, &admin, &receiver).await;
    let (other, _) = site.app.make_workspace("other").await;
    let elsewhere = site.token_in(other, Role::Admin).await;
    let elsewhere = site.with_token(&elsewhere);
    let least = json!({"captures": 1, "quarantine": 1, "blockedRequests": 1, "deliveries": 1, "deadLetters": 1});

    live(&site, 2).await;
    let preview = elsewhere.post(&format!("{PATH}/preview"), least.clone()).await.json();
    assert!(elsewhere.patch(PATH, least).await.status.is_success());
    live(&site, 2).await;

    assert_eq!(counts(&preview), [0, 0, 0, 0, 0, 0]);
    assert_eq!(left(&site).await, [2, 1, 1, 1, 1]);
    site.stop().await;
}
