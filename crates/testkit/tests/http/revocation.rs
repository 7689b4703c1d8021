//! What ends for somebody ends at once: their next request, and the stream that they listen to.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    response::Response,
};
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::browser::{Caller, PASSWORD, Site};

/// A stream that has begun.
async fn listen(site: &Site, caller: &Caller<'_>) -> Response {
    let mut request = Request::get("/v1/live").body(Body::empty()).expect("a request");
    request.headers_mut().extend(caller.headers.clone());
    let response = site.answer(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    response
}

/// Waits for the end of a stream. One that does not end fails the test by its time limit.
async fn ended(stream: Response) {
    to_bytes(stream.into_body(), usize::MAX).await.expect("a whole body");
}

#[derive(Clone, Copy, Debug)]
enum End {
    SessionRevoked,
    SignedOut,
    Disabled,
    Removed,
    PasswordReplaced,
    RoleChanged,
    RoleLost,
    SecondFactorDemanded,
}

#[rstest]
#[case(End::SessionRevoked)]
#[case(End::SignedOut)]
#[case(End::Disabled)]
#[case(End::Removed)]
#[case(End::PasswordReplaced)]
#[case(End::RoleChanged)]
#[case(End::RoleLost)]
#[case(End::SecondFactorDemanded)]
#[tokio::test]
async fn the_stream_of_a_session_ends_with_what_let_it_begin(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] end: End,
) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let role = json!({"name": "Night", "permissions": ["leads:view"]});
    let role = boss.post("/v1/admin/roles", role).await.json()["name"].as_str().expect("an id").to_owned();
    let blind = json!({"name": "Blind", "permissions": ["settings:view"]});
    let blind = boss.post("/v1/admin/roles", blind).await.json()["name"].as_str().expect("an id").to_owned();
    let id = site.member("ann@example.com", Role::Agent).await;
    let path = format!("/v1/admin/users/{id}");
    boss.patch(&path, json!({ "role": role })).await;
    let ann = site.sign_in("ann@example.com").await;
    let stays = listen(&site, &boss).await;
    let stream = listen(&site, &ann).await;

    let answer = match end {
        End::SessionRevoked => {
            let elsewhere = site.sign_in("ann@example.com").await;
            elsewhere.post("/v1/admin/sessions/revoke-others", json!({})).await
        }
        End::SignedOut => ann.delete("/v1/session").await,
        End::Disabled => boss.patch(&path, json!({"disabled": true})).await,
        End::Removed => boss.delete(&path).await,
        End::PasswordReplaced => boss.patch(&path, json!({"password": PASSWORD})).await,
        End::RoleChanged => boss.patch(&path, json!({ "role": blind })).await,
        End::RoleLost => {
            boss.patch(&format!("/v1/admin/roles/{role}"), json!({"permissions": ["settings:view"]})).await
        }
        End::SecondFactorDemanded => {
            let workspace = site.app.workspace;
            let demand = r#"{"requireSecondFactor": true}"#;
            site.app.execute(&format!("UPDATE workspaces SET settings = '{demand}' WHERE id = '{workspace}'")).await;
            ann.get("/v1/session").await
        }
    };
    assert!(answer.status.is_success(), "{end:?}: {}", answer.text());

    ended(stream).await;
    let refused = ann.get("/v1/identity/leads").await.status.as_u16();
    assert!(matches!(refused, 401 | 403), "{end:?}: {refused}");
    drop(stays);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_stream_of_a_token_ends_with_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let made = boss.post("/v1/admin/tokens", json!({"name": "Script", "scopes": ["leads:view"]})).await.json();
    let script = site.with_token(made["token"].as_str().expect("a token"));
    let stream = listen(&site, &script).await;

    boss.delete(&format!("/v1/admin/tokens/{}", made["id"].as_str().expect("an id"))).await;

    ended(stream).await;
    assert_eq!(script.get("/v1/identity/leads").await.problem(), (401, "invalid_token".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn guessing_from_behind_forged_addresses_has_to_wait_as_well(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    site.member("ann@example.com", Role::Agent).await;
    let mut statuses = Vec::new();
    for n in 0..60 {
        let mut caller = site.stranger();
        caller.headers.insert("x-forwarded-for", format!("198.51.100.{n}").parse().expect("a header"));
        let email = if n < 11 { "ann@example.com".to_owned() } else { format!("{n}@example.com") };
        let guess = json!({"email": email, "password": "x".repeat(300)});
        statuses.push(caller.post("/v1/session", guess).await.status.as_u16());
    }

    assert_eq!(statuses[..11], [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429], "for one account");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 50, "from one place");
    site.stop().await;
}
