//! Roles that a workspace makes.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

async fn make(caller: &Caller<'_>, name: &str, permissions: Value) -> String {
    let answer = caller.post("/v1/admin/roles", json!({"name": name, "permissions": permissions})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["name"].as_str().expect("an id").to_owned()
}

#[rstest]
#[tokio::test]
async fn a_change_of_a_role_counts_from_the_next_request(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let role = make(&boss, "Night shift", json!(["leads:view", "sources:manage"])).await;
    let ann = site.member("ann@example.com", Role::Viewer).await;
    boss.patch(&format!("/v1/admin/users/{ann}"), json!({"role": role})).await;
    let browser = site.sign_in("ann@example.com").await;
    let token = browser.post("/v1/admin/tokens", json!({"name": "Script"})).await.json();
    let script = site.with_token(token["token"].as_str().expect("a token"));
    let form = || json!({"name": "Form"});
    assert_eq!(browser.post("/v1/capture/forms", form()).await.status, StatusCode::OK);
    assert_eq!(script.post("/v1/capture/forms", form()).await.status, StatusCode::OK);

    let changed = boss.patch(&format!("/v1/admin/roles/{role}"), json!({"permissions": ["leads:view"]})).await.json();

    assert_eq!((&changed["permissions"], &changed["members"]), (&json!(["leads:view"]), &json!(1)));
    assert_eq!(browser.post("/v1/capture/forms", form()).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(script.post("/v1/capture/forms", form()).await.problem(), (403, "forbidden".to_owned()));
    let session = browser.get("/v1/session").await.json();
    assert_eq!((&session["roleLabel"], &session["permissions"]), (&json!("Night shift"), &json!(["leads:view"])));
    let token = &boss.get("/v1/admin/tokens").await.json()["data"][0];
    assert_eq!((&token["role"], &token["roleLabel"]), (&json!(role), &json!("Night shift")));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn nobody_makes_changes_or_gives_a_role_beyond_their_own(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let people = make(&boss, "People", json!(["leads:view", "users:manage"])).await;
    let strong = make(&boss, "Strong", json!(["leads:view", "settings:manage"])).await;
    let ann = site.member("ann@example.com", Role::Viewer).await;
    let bob = site.member("bob@example.com", Role::Viewer).await;
    let cat = site.member("cat@example.com", Role::Marketer).await;
    boss.patch(&format!("/v1/admin/users/{ann}"), json!({"role": people})).await;
    let ann = site.sign_in("ann@example.com").await;
    let forbidden = (403, "forbidden".to_owned());

    let beyond = json!({"name": "Beyond", "permissions": ["leads:view", "pii:view"]});
    assert_eq!(ann.post("/v1/admin/roles", beyond).await.problem(), forbidden);
    let raise = json!({"permissions": ["leads:view", "users:manage", "audit:view"]});
    assert_eq!(ann.patch(&format!("/v1/admin/roles/{people}"), raise).await.problem(), forbidden);
    assert_eq!(ann.patch(&format!("/v1/admin/roles/{strong}"), json!({"name": "x"})).await.problem(), forbidden);
    assert_eq!(ann.delete(&format!("/v1/admin/roles/{strong}")).await.problem(), forbidden);
    assert_eq!(ann.patch(&format!("/v1/admin/users/{bob}"), json!({"role": strong})).await.problem(), forbidden);
    assert_eq!(ann.patch(&format!("/v1/admin/users/{bob}"), json!({"role": "agent"})).await.problem(), forbidden);
    assert_eq!(ann.patch(&format!("/v1/admin/users/{cat}"), json!({"disabled": true})).await.problem(), forbidden);
    let invite = json!({"email": "new@example.com", "role": "admin"});
    assert_eq!(ann.post("/v1/admin/invitations", invite).await.problem(), forbidden);
    let token = json!({"name": "t", "role": strong});
    assert_eq!(ann.post("/v1/admin/tokens", token).await.problem(), forbidden);

    let within = make(&ann, "Within", json!(["leads:view"])).await;
    let given = ann.patch(&format!("/v1/admin/users/{bob}"), json!({"role": within})).await;
    assert_eq!(given.json()["roleLabel"], "Within");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_role_that_somebody_has_goes_only_for_another(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let role = make(&boss, "Night shift", json!(["leads:view"])).await;
    let path = format!("/v1/admin/roles/{role}");
    let ann = site.member("ann@example.com", Role::Agent).await;
    boss.patch(&format!("/v1/admin/users/{ann}"), json!({"role": role})).await;
    boss.post("/v1/admin/invitations", json!({"email": "new@example.com", "role": role})).await;

    assert_eq!(boss.delete(&path).await.problem(), (409, "conflict".to_owned()));
    assert_eq!(boss.delete(&format!("{path}?moveTo=god")).await.pointers(), ["/moveTo"]);
    assert_eq!(boss.delete(&format!("{path}?moveTo={role}")).await.pointers(), ["/moveTo"]);
    assert_eq!(boss.delete(&format!("{path}?moveTo=viewer")).await.status, StatusCode::NO_CONTENT);

    let users = boss.get("/v1/admin/users").await.json();
    let ann = users["data"].as_array().expect("a list").iter().find(|user| user["id"] == json!(ann));
    assert_eq!(ann.expect("Ann")["role"], "viewer");
    assert_eq!(boss.get("/v1/admin/invitations").await.json()["data"][0]["role"], "viewer");
    assert_eq!(boss.delete(&path).await.status, StatusCode::NOT_FOUND);
    let unused = make(&boss, "Unused", json!(["leads:view"])).await;
    assert_eq!(boss.delete(&format!("/v1/admin/roles/{unused}")).await.status, StatusCode::NO_CONTENT);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_last_super_admin_is_not_made_something_else(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let id = site.member("boss@example.com", Role::SuperAdmin).await;
    let boss = site.sign_in("boss@example.com").await;
    let all = boss.get("/v1/session").await.json()["permissions"].clone();
    let role = make(&boss, "Everything", all).await;

    let demoted = boss.patch(&format!("/v1/admin/users/{id}"), json!({"role": role})).await;

    assert_eq!(demoted.problem(), (409, "conflict".to_owned()));
    assert_eq!(boss.get("/v1/session").await.json()["role"], "super_admin");
    site.stop().await;
}

#[rstest]
#[case::no_permissions(json!({"name": "A", "permissions": []}), 422, "/permissions")]
#[case::unknown(json!({"name": "A", "permissions": ["leads:view", "leads:steal"]}), 422, "/permissions/1")]
#[case::no_name(json!({"name": " ", "permissions": ["leads:view"]}), 422, "/name")]
#[case::control(json!({"name": "a\u{0}", "permissions": ["leads:view"]}), 422, "/name")]
#[tokio::test]
async fn what_is_wrong_with_a_role_is_pointed_at(#[case] body: Value, #[case] status: u16, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;

    let answer = boss.post("/v1/admin/roles", body).await;

    assert_eq!((answer.status.as_u16(), answer.pointers()), (status, vec![pointer.to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn names_are_told_apart_and_built_in_roles_stay(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    make(&boss, "Night shift", json!(["leads:view"])).await;
    let conflict = (409, "conflict".to_owned());

    for name in ["night SHIFT", "Admin"] {
        let body = json!({"name": name, "permissions": ["leads:view"]});
        assert_eq!(boss.post("/v1/admin/roles", body).await.problem(), conflict, "{name}");
    }
    assert_eq!(boss.patch("/v1/admin/roles/admin", json!({"name": "x"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(boss.delete("/v1/admin/roles/viewer").await.status, StatusCode::NOT_FOUND);
    let list = boss.get("/v1/admin/roles").await.json();
    let built_in: Vec<bool> =
        list["data"].as_array().expect("a list").iter().map(|role| role["isBuiltIn"] == true).collect();
    assert_eq!(built_in, [true, true, true, true, true, false]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_token_is_kept_to_its_scopes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let body = json!({"name": "Reader", "role": "admin", "scopes": ["leads:view", "users:manage"]});
    let made = admin.post("/v1/admin/tokens", body).await.json();
    let reader = site.with_token(made["token"].as_str().expect("a token"));

    assert_eq!(made["scopes"], json!(["leads:view", "users:manage"]));
    assert_eq!(reader.get("/v1/admin/members").await.status, StatusCode::OK);
    assert_eq!(reader.get("/v1/admin/workspace").await.problem(), (403, "forbidden".to_owned()));
    let leads = reader.post("/v1/identity/leads", json!({"name": "Ada"})).await;
    assert_eq!(leads.problem(), (403, "forbidden".to_owned()));
    let raise = json!({"email": "x@example.com", "name": "x", "role": "agent"});
    assert_eq!(reader.post("/v1/admin/users", raise).await.problem(), (403, "forbidden".to_owned()));
    let beyond = json!({"name": "x", "role": "viewer", "scopes": ["leads:manage"]});
    assert_eq!(admin.post("/v1/admin/tokens", beyond).await.pointers(), ["/scopes"]);
    let unknown = json!({"name": "x", "scopes": ["x:y"]});
    assert_eq!(admin.post("/v1/admin/tokens", unknown).await.pointers(), ["/scopes/0"]);
    let empty = json!({"name": "x", "scopes": []});
    assert_eq!(admin.post("/v1/admin/tokens", empty).await.pointers(), ["/scopes"]);
    site.stop().await;
}
