//! The settings of analyses and what came of one, over HTTP.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

#[rstest]
#[tokio::test]
async fn settings_are_kept_and_a_key_is_never_told_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.with_token(&site.token(Role::Admin).await);
    let before = admin.get("/v1/admin/analysis").await.json();
    let body = json!({
        "keywords": ["panel*", " panel* ", "wallbox"], "topics": [{"name": "Solar", "words": ["panel*"]}],
        "endpoint": {"enabled": true, "baseUrl": "https://api.example.com/v1/", "model": "small", "key": "sk-abcdefgh-1234"},
    });

    let changed = admin.patch("/v1/admin/analysis", body).await;
    let viewed = admin.get("/v1/admin/analysis").await;

    assert_eq!((&before["enabled"], &before["endpoint"]["enabled"]), (&json!(true), &json!(false)));
    assert_eq!(before["endpoint"]["redacts"], true);
    assert_eq!((changed.status, changed.json()), (StatusCode::OK, viewed.json()));
    assert_eq!(viewed.json()["keywords"], json!(["panel*", "wallbox"]));
    assert_eq!(viewed.json()["topicsInUse"], json!(["Solar", "other"]));
    assert_eq!(viewed.json()["endpoint"]["baseUrl"], "https://api.example.com/v1");
    assert_eq!(viewed.json()["endpoint"]["keyLast4"], "1234");
    assert!(!viewed.text().contains("abcdefgh"));
    site.stop().await;
}

#[rstest]
#[case(json!({"keywords": ["ok", " "]}), "/keywords/1")]
#[case(json!({"keywords": vec!["a"; 201]}), "/keywords")]
#[case(json!({"topics": [{"name": "A", "words": []}, {"name": "a", "words": []}]}), "/topics/1/name")]
#[case(json!({"topics": [{"name": "Other", "words": []}]}), "/topics/0/name")]
#[case(json!({"endpoint": {"enabled": true, "baseUrl": "https://api.example.com"}}), "/endpoint/model")]
#[case(json!({"endpoint": {"baseUrl": "ftp://example.com"}}), "/endpoint/baseUrl")]
#[case(json!({"endpoint": {"timeoutSeconds": 61}}), "/endpoint/timeoutSeconds")]
#[case(json!({"endpoint": {"key": "two\nlines"}}), "/endpoint/key")]
#[case(json!({"enabled": "yes"}), "/enabled")]
#[tokio::test]
async fn what_cannot_be_set_is_pointed_at(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.with_token(&site.token(Role::Admin).await);

    let answer = admin.patch("/v1/admin/analysis", body).await;

    assert_eq!((answer.status, answer.pointers()), (StatusCode::UNPROCESSABLE_ENTITY, vec![pointer.to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_shows_its_analysis_and_hides_the_summary_with_the_message(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.with_token(&site.token(Role::Agent).await);
    let viewer = site.with_token(&site.token(Role::Viewer).await);
    let fields = json!({"name": "Ada", "email": "ada@example.com", "message": "What does it cost, Ada asks?"});
    let lead = site.app.submit(fields).await.lead.expect("a lead");
    let path = format!("/v1/identity/leads/{lead}");
    assert_eq!(agent.get(&path).await.json()["leadAnalysis"], Value::Null);

    let queued = agent.post(&format!("{path}/analyse"), json!({})).await;
    site.app.run_analyses().await;

    assert_eq!(queued.status, StatusCode::ACCEPTED);
    let seen = agent.get(&path).await.json()["leadAnalysis"].clone();
    assert_eq!((&seen["method"], &seen["intent"]["label"]), (&json!("offline"), &json!("purchase")));
    assert_eq!(seen["summary"], "What does it cost, Ada asks?");
    let masked = viewer.get(&path).await.json()["leadAnalysis"].clone();
    assert_eq!((&masked["summary"], &masked["intent"]), (&json!("•••"), &seen["intent"]));
    assert_eq!(viewer.post(&format!("{path}/analyse"), json!({})).await.status, StatusCode::FORBIDDEN);
    site.stop().await;
}

#[tokio::test]
async fn a_text_can_be_tried_and_leaves_nothing_behind() {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.with_token(&site.token(Role::Admin).await);

    let found = admin.post("/v1/admin/analysis/try", json!({"message": "Mein Paket ist beschädigt"})).await.json();
    let empty = admin.post("/v1/admin/analysis/try", json!({"message": " "})).await;

    assert_eq!((&found["language"], &found["topic"]["label"]), (&json!("de"), &json!("delivery")));
    assert_eq!(empty.pointers(), ["/message"]);
    assert_eq!(site.app.count("lead_analyses").await, 0);
    site.stop().await;
}
