//! Tokens.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

async fn make(caller: &crate::browser::Caller<'_>, body: Value) -> Value {
    let answer = caller.post("/v1/admin/tokens", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn secret(token: &Value) -> &str {
    token["token"].as_str().expect("the token itself")
}

#[rstest]
#[tokio::test]
async fn a_token_is_shown_once_and_works_at_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;

    let token = make(&ann, json!({"name": "Reporting", "role": "viewer"})).await;
    let list = ann.get("/v1/admin/tokens").await.json();

    assert!(secret(&token).starts_with("ldl_"));
    assert!(secret(&token).ends_with(token["last4"].as_str().expect("four characters")));
    assert_eq!(list["data"][0]["name"], "Reporting");
    assert_eq!(list["data"][0].get("token"), None);
    let session = site.with_token(secret(&token)).get("/v1/session").await.json();
    assert_eq!((&session["role"], &session["csrfToken"]), (&json!("agent"), &json!("")));
    assert_eq!(site.with_token(secret(&token)).get("/v1/admin/members").await.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn nobody_makes_a_token_above_themselves(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Admin).await;

    let above = ann.post("/v1/admin/tokens", json!({"name": "x", "role": "super_admin"})).await;
    let unknown = ann.post("/v1/admin/tokens", json!({"name": "x", "role": "god"})).await;
    let past = ann.post("/v1/admin/tokens", json!({"name": "x", "expiresAt": "2001-01-01T00:00:00Z"})).await;

    assert_eq!(above.problem(), (403, "forbidden".to_owned()));
    assert_eq!(unknown.pointers(), ["/role"]);
    assert_eq!(past.pointers(), ["/expiresAt"]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_token_never_has_more_than_its_user_has_now(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::SuperAdmin).await;
    let id = site.member("ann@example.com", Role::Admin).await;
    let ann = site.sign_in("ann@example.com").await;
    let token = make(&ann, json!({"name": "All"})).await;
    let program = site.with_token(secret(&token));
    assert_eq!(program.get("/v1/admin/users").await.status, StatusCode::OK);

    admin.patch(&format!("/v1/admin/users/{id}"), json!({"role": "viewer"})).await;
    assert_eq!(program.get("/v1/admin/users").await.status, StatusCode::FORBIDDEN);
    admin.delete(&format!("/v1/admin/users/{id}")).await;
    assert_eq!(program.get("/v1/admin/members").await.problem(), (401, "invalid_token".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_expires(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let bob = site.signed_in("bob@example.com", Role::Agent).await;
    let token = make(&ann, json!({"name": "a"})).await;
    let path = format!("/v1/admin/tokens/{}", token["id"].as_str().expect("an id"));
    let in_an_hour = site.app.now().plus_ms(3_600_000).to_string();
    let short = make(&ann, json!({"name": "b", "expiresAt": in_an_hour})).await;

    assert_eq!(bob.delete(&path).await.problem(), (404, "not_found".to_owned()));
    assert_eq!(bob.get("/v1/admin/tokens").await.json(), json!({"data": []}));
    assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.with_token(secret(&token)).get("/v1/admin/members").await.status, StatusCode::UNAUTHORIZED);

    assert_eq!(site.with_token(secret(&short)).get("/v1/admin/members").await.status, StatusCode::OK);
    site.app.advance(Duration::from_secs(3_600));
    assert_eq!(site.with_token(secret(&short)).get("/v1/admin/members").await.status, StatusCode::UNAUTHORIZED);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_manages_tokens_sees_and_ends_everybodys_in_the_workspace(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let token = make(&ann, json!({"name": "a"})).await;
    let (other, _) = site.app.make_workspace("other").await;
    let role = Role::Admin.into();
    let new = leadline_engine::admin::tokens::NewToken { name: "b".to_owned(), role, scopes: None, expires_at: None };
    let foreign = leadline_engine::admin::tokens::issue(&site.app.engine.store, site.app.now(), other, None, new).await;
    let foreign = foreign.expect("a token");

    let list = admin.get("/v1/admin/tokens").await.json();
    let foreign_path = format!("/v1/admin/tokens/{}", foreign.credential.id);

    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(admin.delete(&foreign_path).await.status, StatusCode::NOT_FOUND);
    let path = format!("/v1/admin/tokens/{}", token["id"].as_str().expect("an id"));
    assert_eq!(admin.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.with_token(&foreign.secret).get("/v1/admin/users").await.json(), json!({"data": []}));
    site.stop().await;
}
