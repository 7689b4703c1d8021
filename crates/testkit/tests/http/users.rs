//! The members of a workspace.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::browser::{PASSWORD, Site};

#[rstest]
#[tokio::test]
async fn a_new_user_signs_in_with_the_password_that_was_made(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;

    let body = json!({"email": "New@Example.com", "name": "New", "role": "agent"});
    let made = admin.post("/v1/admin/users", body.clone()).await.json();
    let again = admin.post("/v1/admin/users", body).await;

    let password = made["password"].as_str().expect("a password");
    assert_eq!((&made["email"], &made["roleLabel"]), (&json!("new@example.com"), &json!("Agent")));
    let session = site.stranger().post("/v1/session", json!({"email": "new@example.com", "password": password})).await;
    assert_eq!(session.status, StatusCode::OK);
    assert_eq!(again.problem(), (409, "conflict".to_owned()));
    let users = admin.get("/v1/admin/users").await.json();
    assert_eq!(users["data"].as_array().map(Vec::len), Some(2));
    assert!(!users.to_string().contains("password"));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_admin_does_not_reach_a_super_admin(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let boss = site.member("boss@example.com", Role::SuperAdmin).await;
    let agent = site.member("agent@example.com", Role::Agent).await;
    let boss_path = format!("/v1/admin/users/{boss}");

    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(admin.patch(&boss_path, json!({"password": "a password of mine"})).await.problem(), forbidden);
    assert_eq!(admin.patch(&boss_path, json!({"role": "viewer"})).await.problem(), forbidden);
    assert_eq!(admin.delete(&boss_path).await.problem(), forbidden);
    let raise = json!({"role": "super_admin"});
    assert_eq!(admin.patch(&format!("/v1/admin/users/{agent}"), raise).await.problem(), forbidden);
    let body = json!({"email": "x@example.com", "name": "x", "role": "super_admin"});
    assert_eq!(admin.post("/v1/admin/users", body).await.problem(), forbidden);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_last_super_admin_stays(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let id = site.member("boss@example.com", Role::SuperAdmin).await;
    let boss = site.sign_in("boss@example.com").await;
    let path = format!("/v1/admin/users/{id}");

    let conflict = (409, "conflict".to_owned());
    assert_eq!(boss.patch(&path, json!({"role": "admin"})).await.problem(), conflict);
    assert_eq!(boss.patch(&path, json!({"disabled": true})).await.problem(), conflict);
    assert_eq!(boss.delete(&path).await.problem(), conflict);

    assert_eq!(boss.get("/v1/session").await.json()["role"], "super_admin");
    site.member("second@example.com", Role::SuperAdmin).await;
    assert_eq!(boss.patch(&path, json!({"role": "admin"})).await.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn being_disabled_or_given_a_password_ends_sessions(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let id = site.member("ann@example.com", Role::Agent).await;
    let path = format!("/v1/admin/users/{id}");
    let before = site.sign_in("ann@example.com").await;

    admin.patch(&path, json!({"password": PASSWORD})).await;
    assert_eq!(before.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let between = site.sign_in("ann@example.com").await;
    let view = admin.patch(&path, json!({"disabled": true})).await.json();
    assert_eq!(view["disabled"], true);
    assert_eq!(between.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let members = admin.get("/v1/admin/members").await.json();
    assert_eq!(members["data"].as_array().map(Vec::len), Some(1), "leads are not assigned to the disabled");

    admin.patch(&path, json!({"disabled": false})).await;
    site.sign_in("ann@example.com").await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn admins_do_not_take_over_users_of_other_workspaces(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (other, _) = site.app.make_workspace("other").await;
    let admin = site.signed_in("admin@example.com", Role::SuperAdmin).await;
    let foreign = leadline_engine::admin::users::NewUser {
        email: "foreign@example.com".to_owned(),
        name: "Foreign".to_owned(),
        role: Role::SuperAdmin.into(),
        password: Some(PASSWORD.to_owned()),
    };
    let made = leadline_engine::admin::users::take_in(&site.app.engine.store, site.app.now(), other, foreign).await;
    let path = format!("/v1/admin/users/{}", made.expect("a user").member.id);

    assert_eq!(admin.patch(&path, json!({"role": "viewer"})).await.problem(), (404, "not_found".to_owned()));
    assert_eq!(admin.delete(&path).await.problem(), (404, "not_found".to_owned()));
    let body = json!({"email": "foreign@example.com", "name": "Mine now", "role": "viewer"});
    let mut with_password = body.clone();
    with_password["password"] = json!("a password of mine");
    assert_eq!(admin.post("/v1/admin/users", with_password).await.problem(), (409, "conflict".to_owned()));

    let taken_in = admin.post("/v1/admin/users", body).await.json();
    assert_eq!((&taken_in["name"], &taken_in["isElsewhere"]), (&json!("Foreign"), &json!(true)));
    assert_eq!(taken_in.get("password"), None);
    let take_over = admin.patch(&path, json!({"password": "a password of mine"})).await;
    assert_eq!(take_over.problem(), (409, "conflict".to_owned()));
    assert_eq!(admin.patch(&path, json!({"role": "agent"})).await.status, StatusCode::OK);
    site.sign_in("foreign@example.com").await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_left_can_come_back_with_a_new_password(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let id = site.member("ann@example.com", Role::Agent).await;
    let ann = site.sign_in("ann@example.com").await;

    assert_eq!(admin.delete(&format!("/v1/admin/users/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let body = json!({"email": "ann@example.com", "name": "Ann", "role": "viewer", "password": "a new password"});
    let back = admin.post("/v1/admin/users", body).await.json();

    assert_eq!(back["id"], json!(id));
    let session = json!({"email": "ann@example.com", "password": "a new password"});
    assert_eq!(site.stranger().post("/v1/session", session).await.status, StatusCode::OK);
    site.stop().await;
}
