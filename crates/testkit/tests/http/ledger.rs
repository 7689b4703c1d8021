//! The ledger, the health of sources and the alerts, over HTTP.

use http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_engine::alerts::watch::watch;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

use crate::browser::{Caller, Site};

async fn form(admin: &Caller<'_>, name: &str) -> Value {
    let answer = admin.post("/v1/capture/forms", json!({"name": name})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn submit(site: &Site, form: &Value, name: &str) {
    let path = format!("/f/{}", form["key"].as_str().expect("a key"));
    let answer = site.stranger().post(&path, json!({"name": name})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_day_by_day_and_source_by_source(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Marketer).await;
    let admin_token = site.token(Role::Admin).await;
    let (caller, admin) = (site.with_token(&token), site.with_token(&admin_token));
    let settings = json!({"settings": {"timezone": "Pacific/Auckland"}});
    assert_eq!(admin.patch("/v1/admin/workspace", settings).await.status, StatusCode::OK);
    let contact = form(&admin, "Contact").await;
    submit(&site, &contact, "ada").await;
    site.app.submit(json!({"name": "bob"})).await;
    site.app.run_jobs().await;
    site.app.advance(Duration::from_secs(24 * 3_600));
    submit(&site, &contact, "cora").await;
    site.app.run_jobs().await;

    let ledger = caller.get("/v1/capture/ledger").await.json();

    // The tests begin on Monday at 08:00 UTC, which is the evening in Auckland.
    let lines: Vec<_> = ledger["data"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| (line["on"].as_str().expect("a day"), line["sourceName"].as_str(), line["accepted"].as_i64()))
        .collect();
    assert_eq!(lines[0], ("2026-01-06", Some("Contact"), Some(1)));
    assert_eq!(lines.len(), 3);
    assert!(
        lines.contains(&("2026-01-05", None, Some(1))) && lines.contains(&("2026-01-05", Some("Contact"), Some(1)))
    );
    assert_eq!((&ledger["totals"]["accepted"], &ledger["totals"]["stored"]), (&json!(3), &json!(3)));
    assert_eq!(
        (&ledger["missing"], &ledger["spooled"], &ledger["timezone"]),
        (&json!(0), &json!(0), &json!("Pacific/Auckland"))
    );
    let one_day = caller.get("/v1/capture/ledger?from=2026-01-06&until=2026-01-06").await.json();
    assert_eq!(one_day["totals"]["accepted"], 1);
    site.stop().await;
}

#[rstest]
#[case("from=yesterday", 422)]
#[case("from=2026-01-06&until=2026-01-05", 422)]
#[case("from=2024-01-01&until=2026-01-05", 422)]
#[case("until=9999-12-31", 422)]
#[case("days=7", 400)]
#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_is_none_is_refused(#[case] query: &str, #[case] status: u16) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;

    let answer = site.with_token(&token).get(&format!("/v1/capture/ledger?{query}")).await;

    assert_eq!(answer.problem().0, status, "{}", answer.text());
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_watched_in_its_business_hours_and_its_alert_acknowledged(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let contact = form(&admin, "Contact").await;
    let path = format!("/v1/capture/health/{}", contact["id"].as_str().expect("an id"));
    let hours = json!({"days": [1, 2, 3, 4, 5], "from": "09:00", "until": "24:00"});
    let wish = json!({"watched": true, "silentAfterMinutes": 60, "cooldownMinutes": 0, "businessHours": hours});

    let health = admin.patch(&path, wish).await.json();
    assert_eq!((&health["watch"]["businessHours"], &health["isSilent"]), (&hours, &json!(false)));
    site.app.advance(Duration::from_secs(3 * 3_600));
    watch(&site.app.engine).await.expect("looked");

    let health = admin.get("/v1/capture/health").await.json();
    assert_eq!((&health["data"][0]["isSilent"], &health["data"][0]["silentMinutes"]), (&json!(true), &json!(120)));
    let alerts = admin.get("/v1/admin/alerts").await.json();
    assert_eq!((&alerts["total"], &alerts["data"][0]["kind"]), (&json!(1), &json!("source.silent")));
    let seen = format!("/v1/admin/alerts/{}/acknowledge", alerts["data"][0]["id"].as_str().expect("an id"));
    let alert = admin.post(&seen, json!({})).await.json();
    assert!(alert["acknowledgedBy"].is_string() && alert["closedAt"].is_null(), "{alert}");

    let unwatched = admin.patch(&path, json!({"watched": false})).await.json();
    assert_eq!((&unwatched["watch"], &unwatched["isSilent"]), (&json!(null), &json!(false)));
    assert_eq!(admin.get("/v1/admin/alerts").await.json()["total"], 0);
    assert_eq!(admin.get("/v1/admin/alerts?state=closed").await.json()["total"], 1);
    site.stop().await;
}

#[rstest]
#[case(json!({"watched": true, "silentAfterMinutes": 0}), "/silentAfterMinutes")]
#[case(json!({"watched": true, "silentAfterMinutes": 9_000_000}), "/silentAfterMinutes")]
#[case(json!({"watched": true, "cooldownMinutes": -1}), "/cooldownMinutes")]
#[case(json!({"watched": true, "businessHours": {"days": [], "from": "09:00", "until": "17:00"}}), "/businessHours")]
#[case(json!({"watched": true, "businessHours": {"days": [1], "from": "9", "until": "17:00"}}), "/businessHours")]
#[case(json!({"watched": true, "businessHours": {"days": [1], "from": "17:00", "until": "09:00"}}), "/businessHours")]
#[case(json!({"watched": true, "businessHours": {"days": [1], "from": "09:00", "until": "24:01"}}), "/businessHours")]
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_cannot_be_is_refused(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let contact = form(&admin, "Contact").await;

    let answer = admin.patch(&format!("/v1/capture/health/{}", contact["id"].as_str().expect("an id")), body).await;

    assert_eq!((answer.problem(), answer.pointers()), ((422, "invalid_fields".into()), vec![pointer.to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn books_health_and_alerts_of_another_workspace_do_not_exist(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let contact = form(&admin, "Contact").await;
    let path = format!("/v1/capture/health/{}", contact["id"].as_str().expect("an id"));
    admin.patch(&path, json!({"watched": true, "silentAfterMinutes": 60})).await;
    submit(&site, &contact, "ada").await;
    site.app.advance(Duration::from_secs(3 * 3_600));
    site.app.run_jobs().await;
    watch(&site.app.engine).await.expect("looked");
    let id = admin.get("/v1/admin/alerts").await.json()["data"][0]["id"].as_str().expect("an alert").to_owned();

    let (elsewhere, _) = site.app.make_workspace("elsewhere").await;
    let theirs = site.token_in(elsewhere, Role::Admin).await;
    let stranger = site.with_token(&theirs);

    assert_eq!(stranger.get("/v1/capture/ledger").await.json()["totals"]["accepted"], 0);
    assert_eq!(stranger.get("/v1/capture/health").await.json()["data"], json!([]));
    assert_eq!(stranger.get("/v1/admin/alerts").await.json()["total"], 0);
    assert_eq!(stranger.patch(&path, json!({"watched": false})).await.status, StatusCode::NOT_FOUND);
    let seen = format!("/v1/admin/alerts/{id}/acknowledge");
    assert_eq!(stranger.post(&seen, json!({})).await.status, StatusCode::NOT_FOUND);
    assert!(admin.get("/v1/admin/alerts").await.json()["data"][0]["acknowledgedAt"].is_null());
    site.stop().await;
}
