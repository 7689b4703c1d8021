//! The second factor: setting it up, signing in with it, losing it, and demanding it of everybody.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::{
    permissions::Role,
    time::Timestamp,
    totp::{self, read_secret, step_at},
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, PASSWORD, Site};

/// The code that an app with this secret shows.
pub fn code(secret: &str, now: Timestamp) -> String {
    totp::code(&read_secret(secret).expect("a secret"), step_at(now))
}

/// Sets a second factor up and gives its secret and the recovery codes.
async fn enrol(site: &Site, who: &Caller<'_>) -> (String, Vec<String>) {
    let begun = who.post("/v1/session/second-factor", json!({})).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text());
    let secret = begun.json()["secret"].as_str().expect("a secret").to_owned();
    let confirmed = json!({"code": code(&secret, site.app.now())});
    let confirmed = who.post("/v1/session/second-factor/confirm", confirmed).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text());
    let codes = confirmed.json()["recoveryCodes"].as_array().expect("codes").clone();
    (secret, codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect())
}

async fn sign_in(site: &Site, email: &str, code: Option<&str>) -> Answer {
    let mut body = json!({"email": email, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    site.stranger().post("/v1/session", body).await
}

#[rstest]
#[tokio::test]
async fn whoever_has_one_signs_in_with_a_code_and_each_code_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let there = site.sign_in("ann@example.com").await;
    let (secret, codes) = enrol(&site, &ann).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(there.get("/v1/session").await.status, StatusCode::UNAUTHORIZED, "other sessions end");

    let used = code(&secret, site.app.now());
    assert_eq!(sign_in(&site, "ann@example.com", None).await.problem(), (401, "second_factor_needed".to_owned()));
    assert_eq!(sign_in(&site, "ann@example.com", Some(&used)).await.problem(), (401, "wrong_code".to_owned()));
    site.app.advance(Duration::from_secs(30));
    let fresh = code(&secret, site.app.now());
    let spaced = format!(" {} {} ", &fresh[..3], &fresh[3..]);
    assert_eq!(sign_in(&site, "ann@example.com", Some(&spaced)).await.status, StatusCode::OK);
    assert_eq!(sign_in(&site, "ann@example.com", Some(&fresh)).await.problem(), (401, "wrong_code".to_owned()));
    let wrong = json!({"email": "ann@example.com", "password": "a wrong guess", "code": fresh});
    let wrong = site.stranger().post("/v1/session", wrong).await;
    assert_eq!(wrong.problem(), (401, "wrong_credentials".to_owned()), "the password comes first");
    let session = ann.get("/v1/session").await.json();
    assert_eq!((&session["hasSecondFactor"], &session["needsSecondFactor"]), (&json!(true), &json!(false)));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn of_two_who_send_one_code_at_once_one_comes_in(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let (secret, codes) = enrol(&site, &ann).await;
    site.app.advance(Duration::from_secs(30));

    for one in [code(&secret, site.app.now()), codes[0].clone()] {
        let tries = tokio::join!(
            sign_in(&site, "ann@example.com", Some(&one)),
            sign_in(&site, "ann@example.com", Some(&one)),
            sign_in(&site, "ann@example.com", Some(&one))
        );
        let mut statuses = [tries.0.status.as_u16(), tries.1.status.as_u16(), tries.2.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401], "{one}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_recovery_code_works_once_however_it_is_written(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let (_, codes) = enrol(&site, &ann).await;

    let shouted = codes[0].to_uppercase().replace('-', "");
    assert_eq!(sign_in(&site, "ann@example.com", Some(&shouted)).await.status, StatusCode::OK);
    assert_eq!(sign_in(&site, "ann@example.com", Some(&codes[0])).await.problem().1, "wrong_code");
    assert_eq!(ann.get("/v1/session/second-factor").await.json()["recoveryCodesLeft"], 9);
    let renewed = ann.post("/v1/session/second-factor/recovery-codes", json!({"password": PASSWORD})).await.json();
    assert_eq!(sign_in(&site, "ann@example.com", Some(&codes[1])).await.problem().1, "wrong_code");
    let new = renewed["recoveryCodes"][0].as_str().expect("a code");
    assert_eq!(sign_in(&site, "ann@example.com", Some(new)).await.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn guessing_codes_has_to_wait_from_wherever_it_comes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start_behind(db, "127.0.0.0/8").await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let (secret, _) = enrol(&site, &ann).await;
    site.app.advance(Duration::from_secs(30));
    let from = |n: usize, code: &str| {
        let mut caller = site.stranger();
        caller.headers.insert("x-forwarded-for", format!("198.51.100.{n}").parse().expect("a header"));
        let body = json!({"email": "ann@example.com", "password": PASSWORD, "code": code});
        async move { caller.post("/v1/session", body).await }
    };

    for n in 0..10 {
        assert_eq!(from(n, "000000").await.problem().1, "wrong_code");
    }
    let refused = from(200, &code(&secret, site.app.now())).await;
    site.app.advance(Duration::from_secs(15 * 60));
    let later = from(201, &code(&secret, site.app.now())).await;

    assert_eq!(refused.problem(), (429, "too_many_attempts".to_owned()));
    assert_eq!(later.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn half_a_set_up_locks_nobody_out(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let first = ann.post("/v1/session/second-factor", json!({})).await.json();
    let second = ann.post("/v1/session/second-factor", json!({})).await.json();

    assert_eq!(sign_in(&site, "ann@example.com", None).await.status, StatusCode::OK);
    let confirm = |secret: &Value, at| json!({"code": code(secret.as_str().expect("a secret"), at)});
    let stale = ann.post("/v1/session/second-factor/confirm", confirm(&first["secret"], site.app.now())).await;
    assert_eq!(stale.pointers(), ["/code"]);
    let right = ann.post("/v1/session/second-factor/confirm", confirm(&second["secret"], site.app.now())).await;
    assert_eq!(right.status, StatusCode::OK);
    assert_eq!(ann.post("/v1/session/second-factor", json!({})).await.problem(), (409, "conflict".to_owned()));
    let picture = &second["picture"];
    assert!(picture["size"].as_u64().is_some_and(|size| size >= 21), "{picture}");
    assert!(second["address"].as_str().expect("an address").starts_with("otpauth://totp/Leadline:ann%40example.com?"));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn it_goes_with_the_password_or_by_who_manages_users(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let boss_id = site.member("boss@example.com", Role::SuperAdmin).await;
    let boss = site.sign_in("boss@example.com").await;
    let ann_id = site.member("ann@example.com", Role::Agent).await;
    let ann = site.sign_in("ann@example.com").await;
    enrol(&site, &boss).await;
    enrol(&site, &ann).await;

    let remove = "/v1/session/second-factor/remove";
    assert_eq!(boss.post(remove, json!({"password": "a wrong guess"})).await.pointers(), ["/password"]);
    let reset = |id: &str| format!("/v1/admin/users/{id}/second-factor");
    assert_eq!(admin.delete(&reset(&boss_id)).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(ann.delete(&reset(&boss_id)).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(admin.delete(&reset(&ann_id)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.delete(&reset(&ann_id)).await.status, StatusCode::NOT_FOUND);

    assert_eq!(ann.get("/v1/session").await.status, StatusCode::UNAUTHORIZED, "her sessions end");
    assert_eq!(sign_in(&site, "ann@example.com", None).await.status, StatusCode::OK);
    assert_eq!(boss.post(remove, json!({"password": PASSWORD})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(sign_in(&site, "boss@example.com", None).await.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_workspace_that_demands_one_lets_others_do_nothing_but_set_it_up(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let ann = site.signed_in("ann@example.com", Role::Admin).await;
    let script = site.token(Role::Viewer).await;
    let demand = json!({"settings": {"requireSecondFactor": true}});
    let early = boss.patch("/v1/admin/workspace", demand.clone()).await;
    assert_eq!(early.pointers(), ["/settings/requireSecondFactor"], "not before one's own");
    enrol(&site, &boss).await;

    assert_eq!(boss.patch("/v1/admin/workspace", demand).await.status, StatusCode::OK);

    let refused = (403, "second_factor_required".to_owned());
    assert_eq!(ann.get("/v1/identity/leads").await.problem(), refused);
    assert_eq!(ann.post("/v1/admin/tokens", json!({"name": "way out"})).await.problem(), refused);
    assert_eq!(
        ann.patch("/v1/admin/workspace", json!({"settings": {"requireSecondFactor": false}})).await.problem(),
        refused
    );
    assert_eq!(ann.get("/v1/session").await.json()["needsSecondFactor"], true);
    assert_eq!(boss.get("/v1/identity/leads").await.status, StatusCode::OK);
    assert_eq!(
        site.with_token(&script).get("/v1/identity/leads").await.status,
        StatusCode::OK,
        "programs have no phone"
    );
    enrol(&site, &ann).await;
    assert_eq!(ann.get("/v1/identity/leads").await.status, StatusCode::OK);
    site.stop().await;
}
