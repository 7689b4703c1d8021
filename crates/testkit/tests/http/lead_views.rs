//! Saved views over HTTP: whose they are, who sees them and who may change them.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const VIEWS: &str = "/v1/identity/views";

async fn save(caller: &Caller<'_>, body: Value) -> Value {
    let answer = caller.post(VIEWS, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn path(view: &Value) -> String {
    format!("{VIEWS}/{}", view["id"].as_str().expect("an id"))
}

async fn names(caller: &Caller<'_>) -> Vec<String> {
    let views = caller.get(VIEWS).await.json();
    views["data"]
        .as_array()
        .expect("views")
        .iter()
        .map(|view| view["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[rstest]
#[tokio::test]
async fn a_view_is_kept_as_it_was_saved(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let body = json!({"name": " Hot ", "layout": "board", "filter": {"all": [{"field": "score", "op": "at_least", "value": 70}]},
                      "sortBy": "custom.budget", "sortOrder": "asc", "columns": ["name", "custom.budget"],
                      "cardFields": ["tags"], "isDefault": true});

    let saved = save(&agent, body.clone()).await;

    assert_eq!(saved["name"], "Hot");
    for field in ["layout", "filter", "sortBy", "sortOrder", "columns", "cardFields", "isDefault"] {
        assert_eq!(saved[field], body[field], "{field}");
    }
    assert_eq!(agent.get(&path(&saved)).await.json(), saved);
    let changed = agent.patch(&path(&saved), json!({"name": "Warm", "filter": null, "isDefault": false})).await.json();
    assert_eq!(
        (&changed["name"], &changed["filter"], &changed["isDefault"]),
        (&json!("Warm"), &json!(null), &json!(false))
    );
    assert_eq!(changed["columns"], body["columns"]);
    assert_eq!(agent.delete(&path(&saved)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(names(&agent).await, Vec::<String>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_private_view_is_there_for_its_owner_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let owner = site.signed_in("owner@example.com", Role::Agent).await;
    let admin = site.signed_in("admin@example.com", Role::SuperAdmin).await;
    let private = save(&owner, json!({"name": "Mine"})).await;

    assert_eq!(names(&owner).await, ["Mine"]);
    assert_eq!(names(&admin).await, Vec::<String>::new());
    assert_eq!(admin.get(&path(&private)).await.problem().0, 404);
    assert_eq!(admin.patch(&path(&private), json!({"name": "x"})).await.problem().0, 404);
    assert_eq!(admin.delete(&path(&private)).await.problem().0, 404);
    let (elsewhere, _) = site.app.make_workspace("other").await;
    let token = site.token_in(elsewhere, Role::Admin).await;
    assert_eq!(site.with_token(&token).get(&path(&private)).await.problem().0, 404);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_shared_view_is_changed_by_its_owner_and_by_who_may_change_settings(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let owner = site.signed_in("owner@example.com", Role::Agent).await;
    let colleague = site.signed_in("colleague@example.com", Role::Agent).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let view = save(&owner, json!({"name": "Ours", "isShared": true})).await;

    assert_eq!(names(&colleague).await, ["Ours"]);
    assert_eq!(colleague.get(&path(&view)).await.json()["mayChange"], false);
    assert_eq!(colleague.patch(&path(&view), json!({"name": "x"})).await.problem().0, 403);
    assert_eq!(colleague.delete(&path(&view)).await.problem().0, 403);
    let begun = colleague.patch(&path(&view), json!({"isDefault": true})).await.json();
    assert_eq!(begun["isDefault"], true);
    assert_eq!(owner.get(&path(&view)).await.json()["isDefault"], false);
    assert_eq!(admin.patch(&path(&view), json!({"isShared": false})).await.problem().0, 403);
    assert_eq!(admin.patch(&path(&view), json!({"name": "All of ours"})).await.json()["name"], "All of ours");
    assert_eq!(admin.delete(&path(&view)).await.status, StatusCode::NO_CONTENT);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_may_not_see_personal_data_sees_no_view_that_asks_for_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let by_email = json!({"field": "email", "op": "is", "value": "ada@example.com"});
    let personal = save(&agent, json!({"name": "Ada", "isShared": true, "filter": by_email})).await;
    save(&agent, json!({"name": "Open", "isShared": true})).await;

    assert_eq!(names(&viewer).await, ["Open"]);
    assert_eq!(viewer.get(&path(&personal)).await.problem().0, 404);
    assert_eq!(viewer.post(VIEWS, json!({"name": "x", "filter": by_email})).await.problem().0, 403);
    assert_eq!(viewer.post(VIEWS, json!({"name": "x", "isShared": true})).await.problem().0, 403);
    save(&viewer, json!({"name": "Own"})).await;
    assert_eq!(names(&viewer).await, ["Open", "Own"]);
    site.stop().await;
}

#[rstest]
#[case::no_name(json!({"name": ""}), "/name")]
#[case::bad_filter(json!({"name": "a", "filter": {"all": [{"field": "x", "op": "is"}]}}), "/filter/all/0/field")]
#[case::bad_sort(json!({"name": "a", "sortBy": "x"}), "/sortBy")]
#[case::bad_layout(json!({"name": "a", "layout": "list"}), "/layout")]
#[case::many_columns(json!({"name": "a", "columns": vec!["x"; 61]}), "/columns")]
#[tokio::test]
async fn a_view_that_cannot_be_is_refused(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    assert_eq!(agent.post(VIEWS, body).await.pointers(), [pointer]);
    site.stop().await;
}
