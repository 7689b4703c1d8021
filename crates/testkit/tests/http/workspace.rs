//! The workspace and what it holds.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

#[rstest]
#[tokio::test]
async fn settings_change_one_by_one_and_go_back_to_their_defaults(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.with_token(&site.token(Role::Admin).await);
    let settings = |view: &Value| view["settings"].clone();
    let before = settings(&admin.get("/v1/admin/workspace").await.json());

    let body = json!({"name": "Renamed", "settings": {"reengageHours": 0, "defaultCountry": "de",
        "holdAtSuspicion": 60, "testIps": ["203.0.113.77/24"]}});
    let changed = admin.patch("/v1/admin/workspace", body).await.json();
    let body = json!({"settings": {"reengageHours": null, "holdAtSuspicion": null, "botDetection": false}});
    let again = admin.patch("/v1/admin/workspace", body).await.json();

    let defaults = json!({"reengageHours": 24, "ipWindowMinutes": 30, "botDetection": true, "defaultCountry": null,
        "timezone": "UTC", "currency": "USD", "holdAtSuspicion": null, "blockHoneypotIps": false, "rateLimitPerMinute": 300,
        "trustedIps": [], "testIps": [], "testEmails": [], "competitorDomains": [], "requireSecondFactor": false,
        "auditDays": 730});
    assert_eq!(before, defaults);
    assert_eq!((&changed["name"], &changed["settings"]["reengageHours"]), (&json!("Renamed"), &json!(0)));
    assert_eq!(
        (&changed["settings"]["defaultCountry"], &changed["settings"]["holdAtSuspicion"]),
        (&json!("DE"), &json!(60))
    );
    let mut expected = defaults;
    expected["botDetection"] = json!(false);
    expected["defaultCountry"] = json!("DE");
    expected["testIps"] = json!(["203.0.113.0/24"]);
    assert_eq!(settings(&again), expected);
    assert_eq!(admin.get("/v1/admin/workspace").await.json(), again);
    site.stop().await;
}

#[rstest]
#[case(json!({"settings": {"reengageHours": -1}}), "/settings/reengageHours")]
#[case(json!({"settings": {"ipWindowMinutes": 100_000}}), "/settings/ipWindowMinutes")]
#[case(json!({"settings": {"defaultCountry": "Germany"}}), "/settings/defaultCountry")]
#[case(json!({"settings": {"botDetection": "yes"}}), "/settings/botDetection")]
#[case(json!({"settings": {"timezone": "Mars/Olympus"}}), "/settings/timezone")]
#[case(json!({"settings": {"color": 1}}), "/settings/color")]
#[case(json!({"name": ""}), "/name")]
#[case(json!({"slug": "x"}), "/slug")]
#[tokio::test]
async fn what_is_wrong_with_a_change_is_pointed_at(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.with_token(&site.token(Role::Admin).await);

    let answer = admin.patch("/v1/admin/workspace", body).await;

    assert_eq!((answer.status, answer.pointers()), (StatusCode::UNPROCESSABLE_ENTITY, vec![pointer.to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_summary_counts_what_is_there(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let viewer = site.with_token(&site.token(Role::Viewer).await);
    site.app.submit(json!({"name": "Ann", "email": "ann@example.com"})).await;
    site.app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;
    site.app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;

    let summary = viewer.get("/v1/admin/summary").await.json();

    assert_eq!((&summary["leads"], &summary["leadsToday"], &summary["spooled"]), (&json!(2), &json!(2), &json!(0)));
    site.app.advance(std::time::Duration::from_secs(24 * 3_600));
    assert_eq!(viewer.get("/v1/admin/summary").await.json()["leadsToday"], 0);
    site.stop().await;
}

#[tokio::test]
async fn roles_are_listed_with_what_they_may() {
    let site = Site::start(Db::Sqlite).await;

    let roles = site.with_token(&site.token(Role::Viewer).await).get("/v1/admin/roles").await.json();

    let names: Vec<&str> =
        roles["data"].as_array().expect("a list").iter().filter_map(|role| role["name"].as_str()).collect();
    assert_eq!(names, ["super_admin", "admin", "marketer", "agent", "viewer"]);
    assert_eq!(roles["data"][4]["permissions"], json!(["leads:view"]));
    site.stop().await;
}
