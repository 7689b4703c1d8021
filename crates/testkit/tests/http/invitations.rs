//! Asking people to join a workspace.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_engine::admin::passwords;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, PASSWORD, Site};

async fn invite(caller: &Caller<'_>, email: &str) -> Value {
    let answer = caller.post("/v1/admin/invitations", json!({"email": email, "role": "agent"})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// What stands behind the hash sign.
fn secret(invitation: &Value) -> &str {
    invitation["link"].as_str().and_then(|link| link.split_once('#')).expect("a link").1
}

async fn accept(site: &Site, secret: &str, password: &str) -> Answer {
    let body = json!({"token": secret, "name": "New Person", "password": password});
    site.stranger().post("/v1/invitations/accept", body).await
}

#[rstest]
#[tokio::test]
async fn whoever_has_the_link_joins_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let made = invite(&admin, "New@Example.com").await;
    let look = json!({"token": secret(&made)});

    let offer = site.stranger().post("/v1/invitations/look", look.clone()).await.json();
    let short = accept(&site, secret(&made), "short").await;
    let joined = accept(&site, secret(&made), PASSWORD).await;
    let again = accept(&site, secret(&made), PASSWORD).await;

    assert!(made["link"].as_str().expect("a link").starts_with("http://leadline.test/invitation#"), "{made}");
    assert_eq!(made["mail"], "not_configured");
    assert_eq!(
        (&offer["email"], &offer["roleLabel"], &offer["invitedBy"]),
        (&json!("new@example.com"), &json!("Agent"), &json!("admin@example.com"))
    );
    assert_eq!(short.pointers(), ["/password"]);
    assert_eq!(joined.status, StatusCode::OK, "{}", joined.text());
    let session = site.browser_of(&joined).get("/v1/session").await.json();
    assert_eq!((&session["user"]["name"], &session["role"]), (&json!("New Person"), &json!("agent")));
    assert_eq!(again.problem(), (404, "invitation_invalid".to_owned()));
    assert_eq!(site.stranger().post("/v1/invitations/look", look).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/v1/admin/invitations").await.json(), json!({"data": []}));
    site.sign_in("new@example.com").await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn of_two_who_have_one_link_one_joins(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let made = invite(&admin, "new@example.com").await;

    let (one, two) =
        tokio::join!(accept(&site, secret(&made), PASSWORD), accept(&site, secret(&made), "another horse battery"));

    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    // Who comes a moment later finds an account and is asked for its password, or finds the link used.
    assert!(statuses == [200, 404] || statuses == [200, 401] || statuses == [200, 409], "{statuses:?}");
    assert_eq!(site.app.count("users WHERE email = 'new@example.com'").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_link_ends_when_it_is_renewed_revoked_or_old(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let made = invite(&admin, "new@example.com").await;
    let path = format!("/v1/admin/invitations/{}", made["id"].as_str().expect("an id"));
    let invalid = (404, "invitation_invalid".to_owned());

    let renewed = admin.post(&format!("{path}/resend"), json!({})).await.json();
    assert_eq!(accept(&site, secret(&made), PASSWORD).await.problem(), invalid);
    site.app.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(accept(&site, secret(&renewed), PASSWORD).await.problem(), invalid);
    assert_eq!(admin.get("/v1/admin/invitations").await.json()["data"][0]["isExpired"], true);
    let third = admin.post(&format!("{path}/resend"), json!({})).await.json();
    assert_eq!(admin.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(accept(&site, secret(&third), PASSWORD).await.problem(), invalid);
    assert_eq!(accept(&site, "made up", PASSWORD).await.problem(), invalid);
    invite(&admin, "new@example.com").await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_account_of_another_workspace_joins_with_its_own_password(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (other, _) = site.app.make_workspace("other").await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let known = leadline_engine::admin::users::NewUser {
        email: "known@example.com".to_owned(),
        name: "Known".to_owned(),
        role: Role::Viewer.into(),
        password: Some(PASSWORD.to_owned()),
    };
    let made = leadline_engine::admin::users::take_in(&site.app.engine.store, site.app.now(), other, known).await;
    made.expect("a user");

    let of_known = invite(&admin, "known@example.com").await;
    let of_new = invite(&admin, "unknown@example.com").await;
    let offer = |secret: &str| json!({ "token": secret });
    let offers = [
        site.stranger().post("/v1/invitations/look", offer(secret(&of_known))).await.json(),
        site.stranger().post("/v1/invitations/look", offer(secret(&of_new))).await.json(),
    ];
    let taken_over = accept(&site, secret(&of_known), "a password of mine").await;
    let joined = accept(&site, secret(&of_known), PASSWORD).await;

    let names = |view: &Value| view.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&of_known), names(&of_new), "who asks learns nothing of accounts elsewhere");
    assert_eq!(names(&offers[0]), names(&offers[1]));
    assert_eq!(taken_over.problem(), (401, "wrong_credentials".to_owned()));
    assert_eq!(joined.status, StatusCode::OK, "{}", joined.text());
    let session = site.browser_of(&joined).get("/v1/session").await.json();
    assert_eq!((&session["user"]["name"], &session["role"]), (&json!("Known"), &json!("agent")));
    assert_eq!(session["workspaces"].as_array().map(Vec::len), Some(2));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_left_all_workspaces_begins_anew(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let id = site.member("ann@example.com", Role::Agent).await;
    admin.delete(&format!("/v1/admin/users/{id}")).await;

    let made = invite(&admin, "ann@example.com").await;
    let joined = accept(&site, secret(&made), "a brand new password").await;

    assert_eq!(joined.json()["user"]["id"], json!(id));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_is_a_member_or_asked_already_is_not_asked_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    invite(&admin, "new@example.com").await;
    let ask = |email: &str, role: &str| json!({"email": email, "role": role});

    let member = admin.post("/v1/admin/invitations", ask("ADMIN@example.com", "agent")).await;
    let twice = admin.post("/v1/admin/invitations", ask("new@example.com", "agent")).await;
    let nobody = admin.post("/v1/admin/invitations", ask("nobody", "agent")).await;
    let god = admin.post("/v1/admin/invitations", ask("x@example.com", "god")).await;
    let above = admin.post("/v1/admin/invitations", ask("x@example.com", "super_admin")).await;

    assert_eq!(member.problem(), (409, "conflict".to_owned()));
    assert_eq!(twice.problem(), (409, "conflict".to_owned()));
    assert_eq!((nobody.pointers(), god.pointers()), (vec!["/email".to_owned()], vec!["/role".to_owned()]));
    assert_eq!(above.problem(), (403, "forbidden".to_owned()));
    site.stop().await;
}

/// What it costs is counted, not timed: a hash is what takes the time.
#[rstest]
#[case::right("ann@example.com", PASSWORD)]
#[case::wrong_password("ann@example.com", "a wrong guess")]
#[case::unknown_address("nobody@example.com", "a wrong guess")]
#[case::no_address("not an address", "a wrong guess")]
#[case::disabled("dan@example.com", PASSWORD)]
#[case::without_a_password("sso@example.com", "a wrong guess")]
#[tokio::test]
async fn signing_in_costs_the_same_whoever_it_is(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] email: &str,
    #[case] password: &str,
) {
    let site = Site::start(db).await;
    site.member("ann@example.com", Role::Agent).await;
    let dan = site.member("dan@example.com", Role::Agent).await;
    site.member("sso@example.com", Role::Agent).await;
    site.app.execute(&format!("UPDATE users SET disabled_at = 1 WHERE id = '{dan}'")).await;
    site.app.execute("UPDATE users SET password_hash = '' WHERE email = 'sso@example.com'").await;
    let (hashes, rows) = (passwords::computed(), site.app.count("audit_entries").await);

    site.stranger().post("/v1/session", json!({"email": email, "password": password})).await;

    assert_eq!(passwords::computed() - hashes, 1);
    assert_eq!(site.app.count("audit_entries").await - rows, 1, "and one entry is written, whatever came of it");
    site.stop().await;
}
