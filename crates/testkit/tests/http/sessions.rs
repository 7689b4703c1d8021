//! Setting up, signing in and out, passwords, sessions.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::browser::{PASSWORD, Site};

fn first_user() -> serde_json::Value {
    json!({"workspaceName": "Example Ltd", "email": "Ann@Example.com", "name": "Ann", "password": PASSWORD})
}

#[rstest]
#[tokio::test]
async fn the_first_user_sets_up_once_and_is_super_admin(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    assert_eq!(site.get("/v1/setup").await.json(), json!({"needed": true, "demo": false}));

    let answer = site.stranger().post("/v1/setup", first_user()).await;
    let again = site.stranger().post("/v1/setup", first_user()).await;

    let view = answer.json();
    assert_eq!(view["user"]["email"], "ann@example.com");
    assert_eq!((&view["role"], &view["roleLabel"]), (&json!("super_admin"), &json!("Super Admin")));
    assert_eq!(view["workspace"]["name"], "Example Ltd");
    assert_eq!(view["workspace"]["slug"], "default");
    assert_eq!(again.problem(), (409, "already_set_up".to_owned()));
    assert_eq!(site.get("/v1/setup").await.json(), json!({"needed": false, "demo": false}));
    assert_eq!(site.browser_of(&answer).get("/v1/session").await.json(), view);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn of_two_who_set_up_at_once_one_wins(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let mut other = first_user();
    other["email"] = json!("bob@example.com");

    let stranger = site.stranger();
    let (one, two) = tokio::join!(stranger.post("/v1/setup", first_user()), stranger.post("/v1/setup", other));

    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(site.app.count("users").await, 1);
    site.stop().await;
}

#[rstest]
#[case::short_password(json!({"password": "short"}), "/password")]
#[case::no_address(json!({"email": "nobody"}), "/email")]
#[case::no_name(json!({"name": "  "}), "/name")]
#[case::no_workspace(json!({"workspaceName": ""}), "/workspaceName")]
#[tokio::test]
async fn what_is_wrong_with_a_setup_is_pointed_at(#[case] change: serde_json::Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let mut body = first_user();
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }

    let answer = site.stranger().post("/v1/setup", body).await;

    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    assert_eq!(answer.pointers(), [pointer]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    site.member("ann@example.com", Role::Agent).await;

    let body = json!({"email": " ANN@example.com ", "password": PASSWORD});
    let answer = site.stranger().post("/v1/session", body).await;

    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("leadline_session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(site.app.count("credentials WHERE kind = 'session'").await, 1);
    site.stop().await;
}

#[rstest]
#[case::wrong_password("ann@example.com", "wrong horse battery")]
#[case::unknown_address("eve@example.com", PASSWORD)]
#[case::no_address("", PASSWORD)]
#[case::operators("{\"$gt\":\"\"}", PASSWORD)]
#[case::disabled("dan@example.com", PASSWORD)]
#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] email: &str,
    #[case] password: &str,
) {
    let site = Site::start(db).await;
    site.member("ann@example.com", Role::Agent).await;
    let dan = site.member("dan@example.com", Role::Agent).await;
    let admin = site.signed_in("admin@example.com", Role::SuperAdmin).await;
    admin.patch(&format!("/v1/admin/users/{dan}"), json!({"disabled": true})).await;

    let answer = site.stranger().post("/v1/session", json!({"email": email, "password": password})).await;

    assert_eq!(answer.problem(), (401, "wrong_credentials".to_owned()));
    assert!(answer.headers.get("set-cookie").is_none());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn guessing_has_to_wait(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    site.member("ann@example.com", Role::Agent).await;
    let guess = json!({"email": "ann@example.com", "password": "a wrong guess"});
    for _ in 0..10 {
        assert_eq!(site.stranger().post("/v1/session", guess.clone()).await.status, StatusCode::UNAUTHORIZED);
    }

    let right = json!({"email": "ann@example.com", "password": PASSWORD});
    let refused = site.stranger().post("/v1/session", right.clone()).await;
    site.app.advance(Duration::from_secs(15 * 60));
    let later = site.stranger().post("/v1/session", right).await;

    assert_eq!(refused.problem(), (429, "too_many_attempts".to_owned()));
    assert_eq!(refused.header("retry-after"), "901");
    assert_eq!(later.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn signing_out_ends_the_session(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let browser = site.signed_in("ann@example.com", Role::Agent).await;

    let answer = browser.delete("/v1/session").await;

    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(browser.get("/v1/session").await.problem(), (401, "not_signed_in".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_session_ends_after_thirty_days(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let browser = site.signed_in("ann@example.com", Role::Agent).await;

    site.app.advance(Duration::from_secs(30 * 24 * 3_600 - 1));
    assert_eq!(browser.get("/v1/session").await.status, StatusCode::OK);
    site.app.advance(Duration::from_secs(1));

    assert_eq!(browser.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_new_password_ends_all_other_sessions(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let here = site.signed_in("ann@example.com", Role::Agent).await;
    let there = site.sign_in("ann@example.com").await;
    let new = "another horse battery";

    let wrong = here.post("/v1/session/password", json!({"currentPassword": "x", "newPassword": new})).await;
    let short = here.post("/v1/session/password", json!({"currentPassword": PASSWORD, "newPassword": "x"})).await;
    let done = here.post("/v1/session/password", json!({"currentPassword": PASSWORD, "newPassword": new})).await;

    assert_eq!(wrong.pointers(), ["/currentPassword"]);
    assert_eq!(short.pointers(), ["/newPassword"]);
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    assert_eq!(here.get("/v1/session").await.status, StatusCode::OK);
    assert_eq!(there.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let old = site.stranger().post("/v1/session", json!({"email": "ann@example.com", "password": PASSWORD})).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_sees_and_ends_ones_own_sessions_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let ann_there = site.sign_in("ann@example.com").await;
    let bob = site.signed_in("bob@example.com", Role::SuperAdmin).await;

    let list = ann.get("/v1/admin/sessions").await.json();
    let sessions = list["data"].as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    let current = sessions.iter().find(|session| session["isCurrent"] == true).expect("the current one");
    let path = format!("/v1/admin/sessions/{}", current["id"].as_str().expect("an id"));
    assert_eq!(bob.delete(&path).await.problem(), (404, "not_found".to_owned()));

    assert_eq!(ann.post("/v1/admin/sessions/revoke-others", json!({})).await.json(), json!({"revoked": 1}));
    assert_eq!(ann_there.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bob.get("/v1/session").await.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_session_moves_between_the_workspaces_of_its_user(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (other, _) = site.app.make_workspace("other").await;
    let (foreign, _) = site.app.make_workspace("foreign").await;
    let ann = site.signed_in("ann@example.com", Role::Admin).await;
    let new = leadline_engine::admin::users::NewUser {
        email: "ann@example.com".to_owned(),
        name: "Ann".to_owned(),
        role: Role::Viewer.into(),
        password: None,
    };
    let taken_in = leadline_engine::admin::users::take_in(&site.app.engine.store, site.app.now(), other, new).await;
    taken_in.expect("a member");

    let moved = ann.patch("/v1/session", json!({"workspaceId": other.to_string()})).await.json();
    let moved_ann = ann.clone().with_token_of(&moved);
    let refused = moved_ann.patch("/v1/session", json!({"workspaceId": foreign.to_string()})).await;

    assert_eq!((&moved["workspace"]["slug"], &moved["role"]), (&json!("other"), &json!("viewer")));
    assert_eq!(moved["workspaces"].as_array().map(Vec::len), Some(2));
    assert_eq!(ann.get("/v1/session").await.json()["csrfToken"], moved["csrfToken"]);
    assert_eq!(ann.get("/v1/admin/users").await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(refused.problem(), (404, "not_found".to_owned()));
    // A page of the workspace that it came from has a token for that one alone.
    let there = ann.post("/v1/identity/leads", json!({"name": "Ada", "email": "ada@example.com"})).await;
    assert_eq!(there.problem(), (403, "csrf_token_mismatch".to_owned()));
    site.stop().await;
}
