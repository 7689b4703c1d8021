//! Segments over HTTP: who is in them, as leads come, change and go.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const SEGMENTS: &str = "/v1/identity/segments";

async fn make(caller: &Caller<'_>, name: &str, filter: Value) -> Value {
    let answer = caller.post(SEGMENTS, json!({"name": name, "filter": filter})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn path(segment: &Value) -> String {
    format!("{SEGMENTS}/{}", id(segment))
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

/// Who is in a segment: by the list of leads, the board, the list of contacts and the file, which all say the same.
async fn members(caller: &Caller<'_>, segment: &Value) -> Vec<String> {
    let query = format!("segmentId={}", id(segment));
    let sorted = |list: &Value, name: &str| {
        let list = list.as_array().expect("a list");
        let mut names: Vec<String> = list.iter().map(|each| each[name].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    };
    let leads = caller.get(&format!("/v1/identity/leads?{query}")).await.json();
    let names = sorted(&leads["data"], "name");
    let contacts = caller.get(&format!("/v1/identity/contacts?{query}")).await.json();
    assert_eq!(sorted(&contacts["data"], "displayName"), names);
    let board = caller.get(&format!("/v1/identity/board?{query}")).await.json();
    let cards: usize = board["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .map(|stage| stage["cards"].as_array().expect("cards").len())
        .sum();
    assert_eq!(cards, names.len());
    for what in ["leads", "contacts"] {
        let file = caller.get(&format!("/v1/identity/{what}/export.csv?{query}")).await.text();
        assert_eq!(file.lines().count(), names.len() + 1, "{what}: {file}");
    }
    let shown = caller.get(&path(segment)).await.json();
    assert_eq!((&shown["leadCount"], &shown["contactCount"]), (&json!(names.len()), &json!(names.len())));
    names
}

#[rstest]
#[tokio::test]
async fn who_is_in_a_segment_follows_what_happens(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let won = admin.get("/v1/identity/lead-pipelines").await.json()["data"][0]["stages"][4].clone();
    let hot = make(
        &admin,
        "Hot",
        json!({"any": [{"field": "tags", "op": "any_of", "value": ["vip"]},
                       {"all": [{"field": "custom.budget", "op": "at_least", "value": 1000},
                                {"field": "createdAt", "op": "in_last", "value": {"amount": 7, "unit": "days"}}]}]}),
    )
    .await;
    let closed = make(&admin, "Closed", json!({"field": "stageKind", "op": "is", "value": "won"})).await;
    assert_eq!(members(&admin, &hot).await, Vec::<String>::new());

    site.app.submit(json!({"name": "Ada", "email": "ada@example.com", "Budget": "5000"})).await;
    site.app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;
    assert_eq!(members(&admin, &hot).await, ["Ada"]);
    let bob = admin.get("/v1/identity/leads?search=bob").await.json()["data"][0].clone();
    let bob_path = format!("/v1/identity/leads/{}", id(&bob));
    admin.patch(&bob_path, json!({"tags": ["vip"]})).await;
    assert_eq!(members(&admin, &hot).await, ["Ada", "Bob"]);
    admin.patch(&format!("{bob_path}/stage"), json!({"stageId": won["id"]})).await;
    assert_eq!(members(&admin, &closed).await, ["Bob"]);
    admin.patch(&bob_path, json!({"tags": []})).await;
    assert_eq!(members(&admin, &hot).await, ["Ada"]);
    // Nothing happens but that time passes.
    site.app.advance(std::time::Duration::from_secs(8 * 24 * 3600));
    assert_eq!(members(&admin, &hot).await, Vec::<String>::new());
    admin.delete(&bob_path).await;
    assert_eq!(members(&admin, &closed).await, Vec::<String>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_segment_asks_what_is_kept_of_the_person(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    site.app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await;
    site.app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;
    let ada = admin.get("/v1/identity/contacts?search=ada").await.json()["data"][0].clone();
    let data = json!({"tags": ["lead-widget"], "columnData": {"lead_page_url": "https://shop.example/pricing"}});
    admin.patch(&format!("/v1/identity/contacts/{}", id(&ada)), data).await;

    for (filter, expected) in [
        (json!({"field": "contactTags", "op": "any_of", "value": ["lead-widget"]}), vec!["Ada"]),
        (json!({"field": "contactTags", "op": "none_of", "value": ["lead-widget"]}), vec!["Bob"]),
        (json!({"field": "contactTags", "op": "empty"}), vec!["Bob"]),
        (json!({"field": "contact.lead_page_url", "op": "contains", "value": "PRICING"}), vec!["Ada"]),
        (json!({"field": "contact.lead_page_url", "op": "empty"}), vec!["Bob"]),
        (json!({"field": "contactSince", "op": "this", "value": "day"}), vec!["Ada", "Bob"]),
        (json!({"field": "lifecycle", "op": "is", "value": "customer"}), vec![]),
    ] {
        let segment = make(&admin, "One", filter.clone()).await;
        assert_eq!(members(&admin, &segment).await, expected, "{filter}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_segment_is_counted_changed_and_deleted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    site.app.submit(json!({"name": "Ada", "company": "Acme"})).await;
    let acme = json!({"field": "company", "op": "is", "value": "acme"});

    let counted = admin.post(&format!("{SEGMENTS}/count"), json!({"filter": acme})).await.json();
    assert_eq!((&counted["leadCount"], &counted["contactCount"]), (&json!(1), &json!(1)));
    let segment = make(&admin, " Acme ", acme.clone()).await;
    assert_eq!((&segment["name"], &segment["filter"], &segment["version"]), (&json!("Acme"), &acme, &json!(1)));
    let other = json!({"field": "company", "op": "is", "value": "other"});
    let action = json!({"action": "tag", "tags": ["found"], "query": {"segmentId": id(&segment)}});
    let job = admin.post("/v1/identity/leads/bulk-action", action).await;
    assert_eq!((job.status, &job.json()["total"]), (StatusCode::ACCEPTED, &json!(1)), "{}", job.text());
    let changed = admin.patch(&path(&segment), json!({"filter": other, "description": "x", "version": 1})).await.json();
    assert_eq!((&changed["version"], &changed["name"]), (&json!(2), &json!("Acme")));
    assert_eq!(admin.get(&path(&segment)).await.json()["leadCount"], json!(0));
    let late = admin.patch(&path(&segment), json!({"name": "Late", "version": 1})).await;
    assert_eq!(late.problem(), (409, "stale_version".to_owned()));
    assert_eq!(admin.get(SEGMENTS).await.json()["data"][0]["description"], "x");
    assert_eq!(admin.delete(&path(&segment)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.get(&path(&segment)).await.problem().0, 404);
    let gone = admin.get(&format!("/v1/identity/leads?segmentId={}", id(&segment))).await;
    assert_eq!(gone.pointers(), ["/segmentId"]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_may_not_see_personal_data_sees_no_segment_that_asks_for_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let by_email = json!({"field": "email", "op": "is", "value": "ada@example.com"});
    let personal = make(&agent, "Ada", by_email.clone()).await;
    let open = make(&agent, "Open", json!({"field": "score", "op": "at_least", "value": 1})).await;

    let listed = viewer.get(SEGMENTS).await.json();
    assert_eq!((listed["data"].as_array().map(Vec::len), &listed["data"][0]["name"]), (Some(1), &json!("Open")));
    assert_eq!(viewer.get(&path(&personal)).await.problem().0, 404);
    for list in ["leads", "contacts", "board", "leads/export.csv", "contacts/export.xlsx"] {
        let answer = viewer.get(&format!("/v1/identity/{list}?segmentId={}", id(&personal))).await;
        assert_eq!(answer.pointers(), ["/segmentId"], "{list}");
    }
    assert_eq!(viewer.post(&format!("{SEGMENTS}/count"), json!({"filter": by_email})).await.problem().0, 403);
    assert_eq!(viewer.post(SEGMENTS, json!({"name": "x", "filter": {"all": []}})).await.problem().0, 403);
    assert_eq!(viewer.get(&path(&open)).await.status, StatusCode::OK);
    let (elsewhere, _) = site.app.make_workspace("other").await;
    let token = site.token_in(elsewhere, Role::Admin).await;
    let stranger = site.with_token(&token);
    assert_eq!(stranger.get(&format!("/v1/identity/leads?segmentId={}", id(&open))).await.pointers(), ["/segmentId"]);
    site.stop().await;
}

#[rstest]
#[case::no_name(json!({"name": " ", "filter": {"all": []}}), "/name")]
#[case::no_filter(json!({"name": "a"}), "/filter")]
#[case::bad_filter(json!({"name": "a", "filter": {"all": [{"field": "x", "op": "is"}]}}), "/filter/all/0/field")]
#[case::me(json!({"name": "a", "filter": {"field": "assignedTo", "op": "is", "value": "me"}}), "/filter/value")]
#[case::bad_key(json!({"name": "a", "filter": {"field": "contact.a\"b", "op": "empty"}}), "/filter/field")]
#[tokio::test]
async fn a_segment_that_cannot_be_is_refused(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    assert_eq!(agent.post(SEGMENTS, body).await.pointers(), [pointer]);
    site.stop().await;
}
