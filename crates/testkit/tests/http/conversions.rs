//! Destinations of ad platforms over HTTP: their settings, and the file that Google Ads takes.

use std::time::Duration;

use axum::http::Method;
use leadline_domain::permissions::Role;
use leadline_testkit::{Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const DESTINATIONS: &str = "/v1/delivery/destinations";

fn by_file(receiver: &Receiver) -> Value {
    let goals = json!([{"on": "won", "name": "Sale, big", "value": 90.5, "currency": "EUR"}]);
    json!({"name": "Google Ads", "url": receiver.url(), "format": "google_ads",
        "conversions": {"goals": goals, "upload": "file", "valueField": "deal"}})
}

async fn make(admin: &Caller<'_>, body: Value) -> Value {
    let made = admin.post(DESTINATIONS, body).await;
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()
}

fn path_of(view: &Value) -> String {
    format!("{DESTINATIONS}/{}", view["id"].as_str().expect("an id"))
}

async fn win(site: &Site, admin: &Caller<'_>, mut fields: Value) {
    fields["name"] = "Ada".into();
    let lead = site.app.submit(fields).await.lead.expect("a lead");
    let pipelines = admin.get("/v1/identity/lead-pipelines").await.json();
    let stages = pipelines["data"][0]["stages"].as_array().expect("stages").clone();
    let won = stages.iter().find(|stage| stage["kind"] == "won").expect("a stage that means won");
    let moved = admin.patch(&format!("/v1/identity/leads/{lead}/stage"), json!({"stageId": won["id"]})).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    site.app.run_jobs().await;
    site.app.advance(Duration::from_secs(60));
}

#[rstest]
#[tokio::test]
async fn the_file_holds_what_google_ads_imports_and_nothing_that_computes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let made = make(&admin, by_file(&receiver)).await;
    let path = path_of(&made);

    win(&site, &admin, json!({"email": "a@example.com", "gclid": "G-1", "deal": "1200"})).await;
    win(&site, &admin, json!({"email": "b@example.com", "gclid": "-2+3"})).await;
    win(&site, &admin, json!({"email": "c@example.com", "gclid": "-G3"})).await;
    win(&site, &admin, json!({"email": "d@example.com", "wbraid": "W-1"})).await;
    win(&site, &admin, json!({"email": "e@example.com"})).await;
    let file = admin.get(&format!("{path}/conversions.csv")).await;
    let later = admin.get(&format!("{path}/conversions.csv?from=2026-01-05T08:01:00.000Z")).await;

    assert_eq!(file.status, 200, "{}", file.text());
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<String> = file.text().lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "Parameters:TimeZone=+0000",
            "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency",
            "G-1,\"Sale, big\",2026-01-05 08:00:00,1200,EUR",
            "'-G3,\"Sale, big\",2026-01-05 08:02:00,90.5,EUR",
        ]
    );
    assert_eq!(later.text().lines().count(), 3);
    let log = admin.get("/v1/delivery/deliveries?status=skipped").await.json();
    assert_eq!(log["total"], 5);
    assert_eq!(log["data"][0]["lastError"], "kept for the file that is uploaded by hand");
    assert_eq!(admin.get(&path).await.json()["health"]["skipped"], 5);
    assert_eq!(receiver.received().len(), 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_file_is_for_who_may_see_destinations_and_of_those_alone_that_have_one(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let file = format!("{}/conversions.csv", path_of(&make(&admin, by_file(&receiver)).await));
    let plain = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created"]});
    let plain = format!("{}/conversions.csv", path_of(&make(&admin, plain).await));
    let (elsewhere, _) = site.app.make_workspace("elsewhere").await;

    let mut statuses = Vec::new();
    for role in [Role::Admin, Role::Marketer, Role::Agent, Role::Viewer] {
        let token = site.token(role).await;
        statuses.push(site.with_token(&token).get(&file).await.status.as_u16());
    }
    let stranger = site.token_in(elsewhere, Role::Admin).await;

    assert_eq!(statuses, [200, 200, 403, 403]);
    assert_eq!(site.with_token(&stranger).get(&file).await.status, 404);
    assert_eq!(admin.get(&plain).await.status, 404);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn settings_are_shown_as_they_were_made_without_their_secrets(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let url = "https://googleads.googleapis.com/v26/customers/1234567890:uploadClickConversions";
    let goals = json!([{"on": "won", "name": "Sale", "conversionAction": "987", "value": 5, "currency": "eur"}]);
    let oauth = json!({"grant": "refresh_token", "tokenUrl": "https://oauth2.googleapis.com/token", "clientId": "id",
        "clientSecret": "s", "refreshToken": "r", "scopes": "ads"});
    let body = json!({"name": "Google Ads", "url": url, "format": "google_ads", "token": "developer", "oauth": oauth,
        "conversions": {"goals": goals, "loginCustomerId": "111-222-3333"}});

    let made = make(&admin, body).await;
    let path = path_of(&made);
    let renamed = admin.patch(&path, json!({"name": "Ads"})).await.json();
    let bare = admin.patch(&path, json!({"format": "simple", "oauth": null, "token": null, "conversions": null})).await;

    assert_eq!((&made["events"], &made["hasToken"]), (&json!(["lead.stage_changed"]), &json!(true)));
    let goal = json!({"on": "won", "stageId": null, "name": "Sale", "value": 5.0, "currency": "EUR",
        "conversionAction": "customers/1234567890/conversionActions/987"});
    let conversions = json!({"goals": [goal], "upload": "request", "valueField": null, "loginCustomerId": "1112223333",
        "withIdentifiers": false, "actionSource": "system_generated", "testEventCode": null});
    assert_eq!(renamed["conversions"], conversions);
    let oauth = json!({"grant": "refresh_token", "tokenUrl": "https://oauth2.googleapis.com/token", "clientId": "id",
        "scopes": "ads", "scheme": "Bearer"});
    assert_eq!(renamed["oauth"], oauth);
    let bare = bare.json();
    assert_eq!((&bare["oauth"], &bare["hasToken"], &bare["conversions"]), (&json!(null), &json!(false), &json!(null)));
    site.stop().await;
}

#[rstest]
#[case::no_goal(json!({"conversions": {"goals": []}, "token": "t"}), &["/conversions/goals"])]
#[case::nothing(json!({}), &["/conversions/goals", "/token"])]
#[case::no_token(json!({"conversions": {"goals": [{"on": "won", "name": "Sale", "conversionAction": "customers/1/conversionActions/2"}]}}), &["/token"])]
#[case::no_action(json!({"conversions": {"goals": [{"on": "won", "name": "Sale"}]}, "token": "t"}), &["/conversions/goals/0/conversionAction"])]
#[case::wrong(
    json!({"token": "t", "conversions": {"goals": [{"on": "lost", "name": "", "conversionAction": "Sale", "value": -1, "currency": "Euro"},
        {"on": "stage", "name": "S"}], "upload": "mail", "loginCustomerId": "me"}}),
    &["/conversions/goals/0/on", "/conversions/goals/0/name", "/conversions/goals/0/conversionAction",
      "/conversions/goals/0/value", "/conversions/goals/0/currency", "/conversions/goals/1/stageId",
      "/conversions/loginCustomerId", "/conversions/upload"],
)]
#[case::no_such_stage(
    json!({"token": "t", "conversions": {"goals": [{"on": "stage", "name": "S", "conversionAction": "customers/1/conversionActions/2",
        "stageId": "00000000-0000-0000-0000-000000000001"}]}}),
    &["/conversions/goals/0/stageId"],
)]
#[case::twice(
    json!({"token": "t", "conversions": {"goals": [{"on": "won", "name": "A", "conversionAction": "customers/1/conversionActions/2"},
        {"on": "won", "name": "B", "conversionAction": "customers/1/conversionActions/3"}]}}),
    &["/conversions/goals/1/on"],
)]
#[case::oauth(
    json!({"oauth": {"grant": "password", "tokenUrl": "http://10.0.0.1/", "clientId": "", "scheme": "a b"}, "token": "a\nb"}),
    &["/oauth/grant", "/oauth/tokenUrl", "/oauth/clientId", "/oauth/scheme", "/token"],
)]
#[case::certificate(
    json!({"clientCertificate": {"certificate": "", "key": ""}}),
    &["/clientCertificate/certificate", "/conversions/goals", "/token"],
)]
#[tokio::test]
async fn what_is_wrong_is_said_where_it_stands(
    #[case] part: Value,
    #[case] pointers: &[&str],
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let mut body = json!({"name": "Ads", "url": "https://example.com/", "format": "google_ads"});
    body.as_object_mut().expect("an object").extend(part.as_object().expect("an object").clone());

    let answer = site.with_token(&token).send(Method::POST, DESTINATIONS, Some(body)).await;

    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(answer.pointers(), pointers);
    site.stop().await;
}
