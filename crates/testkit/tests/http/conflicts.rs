//! Two people who edit one lead: neither overwrites unseen what the other wrote.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

async fn lead(caller: &Caller<'_>) -> (String, Value) {
    let body = json!({"name": "Ada", "company": "Acme", "tags": ["a"], "customFields": {"plan": "S", "size": "1"}});
    let made = caller.post("/v1/identity/leads", body).await.json();
    (format!("/v1/identity/leads/{}", made["id"].as_str().expect("an id")), made)
}

fn conflicts(answer: &Answer) -> Vec<(String, Value, Value)> {
    let text = |value: &Value| value.as_str().expect("a pointer").to_owned();
    let found = answer.json()["conflicts"].as_array().expect("conflicts").clone();
    found.iter().map(|one| (text(&one["pointer"]), one["yours"].clone(), one["theirs"].clone())).collect()
}

#[rstest]
#[case::text(json!({"company": "Zenith"}), json!({"company": "Acme Ltd", "seen": {"company": "Acme"}}), "/company",
    json!("Acme Ltd"), json!("Zenith"))]
#[case::empty(json!({"title": "CEO"}), json!({"title": "CTO", "seen": {"title": null}}), "/title", json!("CTO"), json!("CEO"))]
#[case::tags(json!({"tags": ["a", "b"]}), json!({"tags": ["c"], "seen": {"tags": ["a"]}}), "/tags", json!(["c"]), json!(["a", "b"]))]
#[case::custom(json!({"customFields": {"plan": "M"}}),
    json!({"customFields": {"plan": "L"}, "seen": {"customFields": {"plan": "S"}}}), "/customFields/plan", json!("L"), json!("M"))]
#[case::amount(json!({"quoteValue": "5"}), json!({"quoteValue": "7.50", "seen": {"quoteValue": null}}), "/quoteValue",
    json!("7.50"), json!("5.00"))]
#[tokio::test]
async fn the_second_is_shown_both_values_and_nothing_is_written(
    #[case] first: Value,
    #[case] second: Value,
    #[case] pointer: &str,
    #[case] yours: Value,
    #[case] theirs: Value,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let (path, _) = lead(&agent).await;
    assert_eq!(agent.patch(&path, first).await.status, StatusCode::OK);
    let before = agent.get(&path).await.json();

    let refused = agent.patch(&path, second).await;

    assert_eq!(refused.problem(), (409, "stale_version".to_owned()));
    assert_eq!(refused.pointers(), [pointer]);
    assert_eq!(conflicts(&refused), [(pointer.to_owned(), yours, theirs)]);
    assert_eq!(agent.get(&path).await.json(), before);
    site.stop().await;
}

#[rstest]
#[case::another_field(json!({"company": "Zenith"}), json!({"title": "CEO", "seen": {"title": null}}))]
#[case::another_custom_field(json!({"customFields": {"size": "9"}}),
    json!({"customFields": {"plan": "M"}, "seen": {"customFields": {"plan": "S"}}}))]
#[case::the_same(json!({"company": "Zenith"}), json!({"company": "Zenith", "seen": {"company": "Acme"}}))]
#[case::seen_by_now(json!({"company": "Zenith"}), json!({"company": "Acme Ltd", "seen": {"company": "Zenith"}}))]
#[case::unconditional(json!({"company": "Zenith"}), json!({"company": "Acme Ltd"}))]
#[tokio::test]
async fn what_overwrites_nothing_unseen_is_written(
    #[case] first: Value,
    #[case] second: Value,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let (path, _) = lead(&agent).await;
    assert_eq!(agent.patch(&path, first).await.status, StatusCode::OK);

    let written = agent.patch(&path, second).await;

    assert_eq!(written.status, StatusCode::OK, "{}", written.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_change_that_goes_by_a_version_overwrites_no_other(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Agent).await;
    let agent = site.with_token(&token);
    let (path, made) = lead(&agent).await;
    let version = made["version"].as_i64().expect("a version");

    let first = agent.patch(&path, json!({"company": "Zenith", "version": version})).await;
    let second = agent.patch(&path, json!({"company": "Acme Ltd", "version": version})).await;
    let again = first.json()["version"].as_i64().expect("a version");
    let third = agent.patch(&path, json!({"company": "Acme Ltd", "version": again})).await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    assert_eq!(conflicts(&second), [("/company".to_owned(), json!("Acme Ltd"), json!("Zenith"))]);
    assert_eq!(third.json()["company"], "Acme Ltd");
    site.stop().await;
}
