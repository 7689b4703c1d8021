//! Signing in with a provider: who comes in, as whom, and what nobody comes in by.

mod provider;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Map, Value, json};

use self::provider::{CLIENT, Instead, Provider, SECRET, Signs};
use crate::{
    browser::{Answer, Caller, PASSWORD, Site},
    second_factor::code,
};

const PATH: &str = "/v1/admin/sign-in-provider";
const BEGIN: &str = "/v1/sign-in";

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        other => panic!("not an object: {other}"),
    }
}

fn settings(idp: &Provider, change: Value) -> Value {
    let mut settings = json!({
        "label": "Example ID", "issuer": idp.issuer(), "clientId": CLIENT, "clientSecret": SECRET,
        "domains": ["example.com"], "role": "agent", "takesPasswords": true, "isEnabled": true,
    });
    settings.as_object_mut().expect("an object").extend(fields(change));
    settings
}

async fn save(boss: &Caller<'_>, idp: &Provider, change: Value) -> Value {
    let answer = boss.send(axum::http::Method::PUT, PATH, Some(settings(idp, change))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// A super admin, and a provider that is set up.
async fn begin(site: &Site) -> (Caller<'_>, Provider) {
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    // What comes stands before it in the audit log.
    site.app.advance(Duration::from_secs(1));
    let idp = Provider::start(site.app.now().0).await;
    save(&boss, &idp, json!({})).await;
    (boss, idp)
}

/// The cookies that an answer sets, but those that it takes away.
fn cookies(answer: &Answer) -> HeaderMap {
    let lines = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let kept: Vec<&str> = lines.filter_map(|line| line.split(';').next()).filter(|pair| !pair.ends_with('=')).collect();
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, kept.join("; ").parse().expect("a header"));
    headers
}

/// A browser that was sent to the provider.
struct Gone<'a> {
    browser: Caller<'a>,
    url: String,
}

async fn go<'a>(site: &'a Site, next: &str) -> Gone<'a> {
    let mut browser = site.stranger();
    let begun = browser.post(BEGIN, json!({"workspace": "default", "next": next})).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text());
    browser.headers = cookies(&begun);
    Gone { browser, url: begun.json()["url"].as_str().expect("an address").to_owned() }
}

impl Gone<'_> {
    async fn back(&self, query: &str) -> Answer {
        self.browser.get(&format!("/v1/sign-in/default/callback?{query}")).await
    }
}

fn ann() -> Value {
    json!({"sub": "ann-1", "email": "Ann@Example.com", "email_verified": true, "name": "Ann Example"})
}

/// Goes to the provider, signs in there as somebody, and comes back.
async fn come(site: &Site, idp: &Provider, person: Value) -> Answer {
    idp.set_clock(site.app.now().0);
    let gone = go(site, "/leads").await;
    let (code, state) = idp.authorize(&gone.url, person);
    gone.back(&format!("code={code}&state={state}")).await
}

/// Why somebody was not let in; nothing where they were.
fn refused(answer: &Answer) -> Option<String> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let to = answer.header("location");
    assert!(to.starts_with('/') && !to.starts_with("//"), "{to}");
    let has_session =
        answer.headers.get_all(header::SET_COOKIE).iter().any(|line| line.as_bytes().starts_with(b"leadline_session="));
    let why = to.split_once("refused=").map(|(_, rest)| rest.split('&').next().unwrap_or_default().to_owned());
    assert_eq!(has_session, why.is_none() && !to.contains("step=code"), "{to}");
    why
}

/// The browser of whoever came in.
async fn browser<'a>(site: &'a Site, answer: &Answer) -> Caller<'a> {
    assert_eq!(refused(answer), None);
    let mut caller = site.stranger();
    caller.headers = cookies(answer);
    let session = caller.get("/v1/session").await.json();
    let csrf = session["csrfToken"].as_str().expect("a token").parse().expect("a header");
    caller.headers.insert("x-csrf-token", csrf);
    caller
}

async fn audited(boss: &Caller<'_>, action: &str) -> Vec<Value> {
    let list = boss.get(&format!("/v1/admin/audit?action={action}")).await.json();
    list["data"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
}

#[rstest]
#[tokio::test]
async fn whoever_is_at_the_domain_joins_and_is_known_by_their_subject_from_then_on(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;

    let came = come(&site, &idp, ann()).await;
    let first = browser(&site, &came).await.get("/v1/session").await.json();
    idp.signs(Signs::Rs256);
    let renamed = json!({"sub": "ann-1", "email": "ann.married@example.com", "email_verified": "true"});
    let second = browser(&site, &come(&site, &idp, renamed).await).await.get("/v1/session").await.json();
    let entra = json!({"sub": "ben-1", "email": "ben@example.com", "xms_edov": "1"});
    assert_eq!(refused(&come(&site, &idp, entra).await), None, "Entra ID says it in its own word");

    assert_eq!(came.header("location"), "/leads");
    assert_eq!((&first["user"]["email"], &first["user"]["name"]), (&json!("ann@example.com"), &json!("Ann Example")));
    assert_eq!((&first["role"], &first["hasPassword"]), (&json!("agent"), &json!(false)));
    assert_eq!(second["user"], first["user"], "another address changes nothing");
    let joined = &audited(&boss, "user.created").await;
    assert_eq!((joined[0]["data"]["by"].clone(), joined[0]["data"]["role"].clone()), (json!("domain"), json!("Agent")));
    assert_eq!(audited(&boss, "session.opened").await[0]["data"]["by"], "Example ID");
    let shown = boss.get(PATH).await.json();
    assert!(shown["provider"]["lastUsedAt"].is_string() && !shown.to_string().contains(SECRET), "{shown}");
    let offered = site.get(BEGIN).await.json();
    assert_eq!(offered, json!({"data": [{"workspace": "default", "label": "Example ID"}], "hasOthers": false}));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn only_who_was_invited_comes_in_where_that_is_wanted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    save(&boss, &idp, json!({"role": null})).await;

    let before = refused(&come(&site, &idp, ann()).await);
    boss.post("/v1/admin/invitations", json!({"email": "ann@example.com", "role": "marketer"})).await;
    let after = browser(&site, &come(&site, &idp, ann()).await).await.get("/v1/session").await.json();

    assert_eq!(before.as_deref(), Some("not_invited"));
    assert_eq!(after["role"], "marketer");
    assert_eq!(boss.get("/v1/admin/invitations").await.json()["data"], json!([]), "it is used up");
    let refusals = audited(&boss, "session.refused").await;
    assert_eq!(refusals[0]["data"], json!({"reason": "not_invited", "by": "Example ID"}));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn no_lie_of_a_provider_lets_anybody_in(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let now = site.app.now().0 / 1_000;
    let claims: [(&str, Value, &str); 14] = [
        ("another nonce", json!({"nonce": "another"}), "token_refused"),
        ("no nonce", json!({"nonce": null}), "token_refused"),
        ("for another client", json!({"aud": "another"}), "token_refused"),
        ("for another client, too", json!({"aud": [CLIENT, "another"]}), "token_refused"),
        ("of another issuer", json!({"iss": "https://id.example.com"}), "token_refused"),
        ("expired", json!({"exp": now - 1}), "token_refused"),
        ("without an end", json!({"exp": null}), "provider_refused"),
        ("from tomorrow", json!({"iat": now + 86_400, "exp": now + 90_000}), "token_refused"),
        ("nobody", json!({"sub": ""}), "token_refused"),
        ("somebody with a long name", json!({"sub": "x".repeat(300)}), "token_refused"),
        ("somebody with a zero byte", json!({"sub": "ann\u{0}"}), "token_refused"),
        ("without an address", json!({"email": null}), "no_email"),
        ("not verified", json!({"email_verified": false}), "email_unverified"),
        ("at another domain", json!({"email": "ann@example.com.evil.test"}), "other_domain"),
    ];
    let ways = [Signs::None, Signs::Hs256, Signs::Hs256ByThePublishedKey, Signs::OtherKey, Signs::UnknownKey];
    let says = |status, body: &str| Instead::Says(status, body.to_owned());
    let answers: [(&'static str, Instead, &str); 9] = [
        ("token", says(200, "{\"access_token\": "), "provider_refused"),
        ("token", says(200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}"), "token_refused"),
        (
            "token",
            says(200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"a.b.c\"}"),
            "provider_refused",
        ),
        ("token", says(500, "oops"), "provider_refused"),
        ("token", says(400, "{\"error\":\"invalid_grant\"}"), "provider_refused"),
        ("token", says(200, &"x".repeat(200_000)), "provider_unusable"),
        ("token", Instead::Hangs, "provider_unreachable"),
        ("keys", says(200, "{\"keys\":\"none\"}"), "provider_unusable"),
        ("metadata", says(200, "[]"), "provider_unusable"),
    ];

    let mut faults = Vec::new();
    let mut check = |what: String, answer: &Answer, expected: &str| {
        let why = refused(answer);
        if why.as_deref() != Some(expected) {
            faults.push(format!("{what}: {why:?} in place of {expected}"));
        }
    };
    for (what, claims, expected) in claims {
        idp.claims(claims);
        check(what.to_owned(), &come(&site, &idp, ann()).await, expected);
    }
    idp.is_honest_again();
    for way in ways {
        idp.signs(way);
        check(format!("{way:?}"), &come(&site, &idp, ann()).await, "token_refused");
    }
    idp.is_honest_again();
    for (path, instead, expected) in answers {
        let gone = go(&site, "/").await;
        let (code, state) = idp.authorize(&gone.url, ann());
        idp.answers(path, instead.clone());
        check(format!("{path} {instead:?}"), &gone.back(&format!("code={code}&state={state}")).await, expected);
        idp.is_honest_again();
    }

    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(site.app.count("users").await, 1, "nobody joined");
    let refusals = audited(&boss, "session.refused").await;
    assert_eq!(refusals.len(), 28);
    assert!(refusals.iter().any(|one| one["data"]["reason"] == "the ID token has expired"), "{refusals:?}");
    assert_eq!(refused(&come(&site, &idp, ann()).await), None, "and then an honest answer does");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_began_for_ten_minutes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let mut faults = Vec::new();
    let mut check = |what: &str, answer: &Answer, expected: &str| {
        let why = refused(answer);
        if why.as_deref() != Some(expected) {
            faults.push(format!("{what}: {why:?} in place of {expected}"));
        }
    };

    let gone = go(&site, "/").await;
    let (code, state) = idp.authorize(&gone.url, ann());
    let answer = format!("code={code}&state={state}");
    let callback = format!("/v1/sign-in/default/callback?{answer}");
    check("no browser", &site.get(&callback).await, "over");
    check("another browser", &go(&site, "/").await.browser.get(&callback).await, "over");
    check("another state", &gone.back(&format!("code={code}&state=x{state}")).await, "over");
    check("nothing", &gone.back("").await, "over");
    check("no query", &gone.back("code=%ff&state=%00").await, "over");
    site.app.make_workspace("other").await;
    let elsewhere = gone.browser.get(&format!("/v1/sign-in/other/callback?{answer}")).await;
    check("at another workspace's address", &elsewhere, "over");
    let nowhere = gone.browser.get(&format!("/v1/sign-in/%2F%2Fevil.example%00/callback?{answer}")).await;
    check("at nobody's address", &nowhere, "over");
    assert_eq!(refused(&gone.back(&answer).await), None);
    check("twice", &gone.back(&answer).await, "over");
    let other = go(&site, "/").await;
    let (code, state) = idp.authorize(&other.url, ann());
    check(
        "by another provider",
        &other.back(&format!("code={code}&state={state}&iss=https://evil.example")).await,
        "other_issuer",
    );
    let other = go(&site, "/").await;
    let (_, state) = idp.authorize(&other.url, ann());
    check("cancelled", &other.back(&format!("error=access_denied&state={state}")).await, "cancelled");
    let other = go(&site, "/").await;
    let (_, state) = idp.authorize(&other.url, ann());
    check("an error", &other.back(&format!("error=%3Cscript%3E&state={state}")).await, "provider_refused");
    let late = go(&site, "/").await;
    let (code, state) = idp.authorize(&late.url, ann());
    site.app.advance(Duration::from_secs(601));
    check("too late", &late.back(&format!("code={code}&state={state}")).await, "over");

    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(boss.get("/v1/session").await.status, StatusCode::OK);
    leadline_engine::retain(&site.app.engine).await.expect("a first look");
    site.app.advance(Duration::from_secs(3_600));
    leadline_engine::retain(&site.app.engine).await.expect("retained");
    assert_eq!(site.app.count("sign_ins_begun").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn nobody_is_sent_to_pages_of_others(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (_boss, idp) = begin(&site).await;

    for next in ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb"] {
        let gone = go(&site, next).await;
        let (code, state) = idp.authorize(&gone.url, ann());
        let answer = gone.back(&format!("code={code}&state={state}")).await;
        assert_eq!(answer.header("location"), "/board", "{next}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_address_is_believed_once_and_opens_nobody_else_s_account(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let member = site.member("ann@example.com", Role::Marketer).await;

    let linked = browser(&site, &come(&site, &idp, ann()).await).await;
    let session = linked.get("/v1/session").await.json();
    let successor = json!({"sub": "ann-2", "email": "ann@example.com", "email_verified": true});
    let taken = refused(&come(&site, &idp, successor.clone()).await);
    boss.patch(&format!("/v1/admin/users/{member}"), json!({"disabled": true})).await;
    let disabled = refused(&come(&site, &idp, ann()).await);
    boss.patch(&format!("/v1/admin/users/{member}"), json!({"disabled": false})).await;
    boss.delete(&format!("/v1/admin/users/{member}")).await;
    let removed = refused(&come(&site, &idp, ann()).await);
    let replaced = refused(&come(&site, &idp, successor.clone()).await);
    boss.post("/v1/admin/invitations", json!({"email": "ann@example.com", "role": "agent"})).await;
    let again = browser(&site, &come(&site, &idp, successor).await).await.get("/v1/session").await.json();

    assert_eq!((&session["user"]["id"], &session["role"]), (&json!(member), &json!("marketer")));
    assert_eq!(audited(&boss, "user.linked").await.len(), 1);
    assert_eq!((taken.as_deref(), disabled.as_deref()), (Some("other_subject"), Some("disabled")));
    assert_eq!(linked.get("/v1/session").await.status, StatusCode::UNAUTHORIZED, "disabling ends sessions");
    assert_eq!((removed.as_deref(), replaced.as_deref()), (Some("not_invited"), Some("not_invited")));
    assert_eq!((&again["user"]["id"], &again["role"]), (&json!(member), &json!("agent")));
    assert_eq!(refused(&come(&site, &idp, ann()).await).as_deref(), Some("other_subject"), "the old one is forgotten");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_workspace_s_provider_opens_nothing_in_another(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    site.member("ann@example.com", Role::Agent).await;
    let ben = json!({"sub": "ben-1", "email": "ben@example.com", "email_verified": true});
    let ben = browser(&site, &come(&site, &idp, ben).await).await;
    let (other, _) = site.app.make_workspace("other").await;
    let other_boss = site.token_in(other, Role::SuperAdmin).await;
    let other_boss = site.with_token(&other_boss);
    for email in ["ann@example.com", "ben@example.com"] {
        let user = json!({"email": email, "name": "x", "role": "viewer"});
        let made = other_boss.post("/v1/admin/users", user).await;
        assert!(made.status.is_success(), "{}", made.text());
    }

    let elsewhere = refused(&come(&site, &idp, ann()).await);
    let session = ben.get("/v1/session").await.json();
    let me = session["user"]["id"].as_str().expect("an id").to_owned();
    boss.patch(&format!("/v1/admin/users/{me}"), json!({"role": "admin"})).await;
    let forbidden = (403, "forbidden".to_owned());
    let moved = ben.patch("/v1/session", json!({"workspaceId": other.to_string()})).await;
    let factor = ben.post("/v1/session/second-factor", json!({})).await;
    let password = ben.patch(&format!("/v1/admin/users/{me}"), json!({"password": "another horse battery"})).await;
    let others = ben.post("/v1/admin/sessions/revoke-others", json!({})).await;

    assert_eq!(elsewhere.as_deref(), Some("elsewhere"), "who came never before is not taken for them");
    assert_eq!(session["workspaces"].as_array().map(Vec::len), Some(1), "nor told where else they are");
    for (what, answer) in [("move", moved), ("factor", factor), ("password", password), ("sessions", others)] {
        assert_eq!(answer.problem(), forbidden, "{what}");
    }
    let ben = json!({"sub": "ben-1", "email": "ben@example.com", "email_verified": true});
    assert_eq!(refused(&come(&site, &idp, ben).await), None, "nobody elsewhere can lock them out");
    let password = json!({"email": "ann@example.com", "password": PASSWORD});
    assert_eq!(site.stranger().post("/v1/session", password).await.status, StatusCode::OK);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_second_factor_is_asked_for_after_the_provider(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let first = browser(&site, &come(&site, &idp, ann()).await).await;
    let begun = first.post("/v1/session/second-factor", json!({})).await.json();
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    let confirmed = json!({"code": code(&secret, site.app.now())});
    assert_eq!(first.post("/v1/session/second-factor/confirm", confirmed).await.status, StatusCode::OK);
    site.app.advance(Duration::from_secs(60));

    idp.set_clock(site.app.now().0);
    let gone = go(&site, "/leads").await;
    let (one, state) = idp.authorize(&gone.url, ann());
    let back = gone.back(&format!("code={one}&state={state}")).await;
    let path = "/v1/sign-in/code";
    let wrong = gone.browser.post(path, json!({"code": "000000"})).await;
    let other = site.stranger().post(path, json!({"code": code(&secret, site.app.now())})).await;
    let right = gone.browser.post(path, json!({"code": code(&secret, site.app.now())})).await;
    let twice = gone.browser.post(path, json!({"code": code(&secret, site.app.now())})).await;

    assert_eq!(back.header("location"), "/sign-in?step=code&workspace=default&next=%2Fleads");
    assert_eq!(refused(&back), None);
    assert_eq!((wrong.problem(), other.problem().1.as_str()), ((401, "wrong_code".to_owned()), "sign_in_over"));
    assert_eq!((right.status, right.json()["user"]["email"].clone()), (StatusCode::OK, json!("ann@example.com")));
    assert_eq!(twice.problem().1, "sign_in_over");
    assert_eq!(audited(&boss, "session.opened").await[0]["data"]["by"], "Example ID and code");
    let no_password = first.post("/v1/session/second-factor/remove", json!({"password": "x"})).await;
    assert_eq!(no_password.problem(), (409, "conflict".to_owned()), "there is none to confirm it by");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn passwords_can_be_turned_off_and_never_for_super_admins(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let ann_by_password = site.signed_in("ann@example.com", Role::Admin).await;
    let token = ann_by_password.post("/v1/admin/tokens", json!({"name": "Script"})).await.json();
    let put = |change: Value| boss.send(axum::http::Method::PUT, PATH, Some(settings(&idp, change)));

    let untried = put(json!({"takesPasswords": false})).await;
    let by_provider = browser(&site, &come(&site, &idp, ann()).await).await;
    let unused = put(json!({"takesPasswords": false, "isEnabled": false})).await;
    save(&boss, &idp, json!({"takesPasswords": false})).await;
    let ended = ann_by_password.get("/v1/session").await.status;
    let password = |email: &str| json!({"email": email, "password": PASSWORD});
    let anns = site.stranger().post("/v1/session", password("ann@example.com")).await;
    let guess = json!({"email": "ann@example.com", "password": "a wrong guess"});
    let guessed = site.stranger().post("/v1/session", guess).await;
    let bosses = site.stranger().post("/v1/session", password("boss@example.com")).await;
    let invited = boss.post("/v1/admin/invitations", json!({"email": "new@example.com", "role": "agent"})).await.json();
    let link = invited["link"].as_str().expect("a link").split('#').nth(1).expect("a secret").to_owned();
    let accept = json!({"token": link, "name": "New", "password": PASSWORD});
    let accepted = site.stranger().post("/v1/invitations/accept", accept).await;
    let users = boss.get("/v1/admin/users").await.json();
    let id = |email: &str| {
        let all = users["data"].as_array().expect("users");
        all.iter().find(|user| user["email"] == email).expect("there")["id"].as_str().expect("an id").to_owned()
    };
    boss.patch(&format!("/v1/admin/users/{}", id("ann@example.com")), json!({"role": "super_admin"})).await;
    let last = boss.patch(&format!("/v1/admin/users/{}", id("boss@example.com")), json!({"role": "admin"})).await;

    assert_eq!(untried.pointers(), ["/takesPasswords"], "it is tried before anybody depends on it");
    assert_eq!(unused.pointers(), ["/takesPasswords"]);
    assert_eq!(ended, StatusCode::UNAUTHORIZED);
    assert_eq!(by_provider.get("/v1/session").await.status, StatusCode::OK);
    let script = site.with_token(token["token"].as_str().expect("a token"));
    assert_eq!(script.get("/v1/identity/leads").await.status, StatusCode::OK, "programs go on");
    assert_eq!(anns.problem(), (403, "passwords_off".to_owned()));
    assert_eq!(guessed.problem(), (401, "wrong_credentials".to_owned()), "and who guesses learns nothing");
    assert_eq!(bosses.status, StatusCode::OK);
    assert_eq!(accepted.problem(), (403, "passwords_off".to_owned()));
    assert_eq!(last.status, StatusCode::OK, "Ann has a password, too: {}", last.text());
    assert_eq!(boss.delete(PATH).await.problem(), (403, "forbidden".to_owned()), "who is one no more does nothing");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_last_super_admin_with_a_password_stays_one(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let came = browser(&site, &come(&site, &idp, ann()).await).await;
    let me = |who: Value| who["user"]["id"].as_str().expect("an id").to_owned();
    let (ann, own) = (me(came.get("/v1/session").await.json()), me(boss.get("/v1/session").await.json()));
    boss.patch(&format!("/v1/admin/users/{ann}"), json!({"role": "super_admin"})).await;

    let demoted = came.patch(&format!("/v1/admin/users/{own}"), json!({"role": "admin"})).await;
    let disabled = came.patch(&format!("/v1/admin/users/{own}"), json!({"disabled": true})).await;
    let removed = came.delete(&format!("/v1/admin/users/{own}")).await;

    for answer in [demoted, disabled, removed] {
        assert_eq!(answer.problem(), (409, "conflict".to_owned()));
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_provider_is_set_up_by_super_admins_and_checked(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let idp = Provider::start(site.app.now().0).await;
    let send = async |who: &Caller<'_>, change: Value| {
        who.send(axum::http::Method::PUT, PATH, Some(settings(&idp, change))).await
    };

    assert_eq!(send(&admin, json!({})).await.problem(), (403, "forbidden".to_owned()));
    let check = format!("{PATH}/check");
    let asked = json!({"issuer": idp.issuer()});
    assert_eq!(admin.post(&check, asked.clone()).await.problem(), (403, "forbidden".to_owned()));
    for (change, pointer) in [
        (json!({"label": ""}), "/label"),
        (json!({"label": "x".repeat(41)}), "/label"),
        (json!({"issuer": "http://10.0.0.1"}), "/issuer"),
        (json!({"issuer": "https://10.0.0.1"}), "/issuer"),
        (json!({"issuer": "https://id.example.com?a=b"}), "/issuer"),
        (json!({"clientId": "a\u{0}b"}), "/clientId"),
        (json!({"clientSecret": null}), "/clientSecret"),
        (json!({"domains": []}), "/domains"),
        (json!({"domains": ["not a domain"]}), "/domains"),
        (json!({"domains": ["gmail.com"]}), "/domains"),
        (json!({"role": "super_admin"}), "/role"),
        (json!({"takesPasswords": false}), "/takesPasswords"),
    ] {
        let answer = send(&boss, change.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{change}: {}", answer.text());
        assert_eq!(answer.pointers(), [pointer], "{change}");
    }
    let saved = save(&boss, &idp, json!({"domains": ["@Example.COM", "example.com"]})).await;
    assert_eq!(saved["provider"]["domains"], json!(["example.com"]));
    assert_eq!(saved["redirectUrl"], "http://leadline.test/v1/sign-in/default/callback");
    let kept = save(&boss, &idp, json!({"clientSecret": null, "label": "Other"})).await;
    assert_eq!(kept["provider"]["label"], "Other");
    assert_eq!(refused(&come(&site, &idp, ann()).await), None, "the secret stayed");
    let elsewhere = send(&boss, json!({"clientSecret": null, "issuer": "https://id.example.com"})).await;
    assert_eq!(elsewhere.pointers(), ["/clientSecret"], "no secret goes to somebody else");

    let good = boss.post(&check, asked.clone()).await.json();
    assert_eq!((&good["isUsable"], &good["keyCount"]), (&json!(true), &json!(1)), "{good}");
    assert_eq!(good["algorithms"], json!(["RS256", "ES256"]));
    let mut problems = Vec::new();
    for (metadata, keys) in [
        (json!({"issuer": "https://other.example"}), None),
        (json!({"authorization_endpoint": "http://169.254.169.254/"}), None),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), None),
        (json!({"token_endpoint": null}), None),
        (json!({"id_token_signing_alg_values_supported": ["HS256"]}), None),
        (json!({"jwks_uri": null}), None),
        (json!({}), Some("{\"keys\":[]}")),
    ] {
        idp.says_of_itself(metadata);
        if let Some(keys) = keys {
            idp.answers("keys", Instead::Says(200, keys.to_owned()));
        }
        let found = boss.post(&check, asked.clone()).await.json();
        problems.push(found["problem"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned());
        idp.is_honest_again();
    }
    told_apart(&problems);
    let nobody = boss.post(&check, json!({"issuer": "http://127.0.0.1:9"})).await.json();
    assert_eq!(nobody["isUsable"], json!(false));
    idp.answers("metadata", Instead::Hangs);
    let slow = site.stranger().post(BEGIN, json!({"workspace": "default"})).await;
    assert_eq!(slow.problem(), (424, "provider_failed".to_owned()));
    site.stop().await;
}

/// Each problem is told in words of its own.
fn told_apart(problems: &[String]) {
    let mut seen: Vec<&String> = problems.iter().collect();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() >= 6, "{problems:#?}");
    assert!(problems[0].contains("issuer"), "{problems:#?}");
    assert!(problems[4].contains("RS256"), "{problems:#?}");
}

#[rstest]
#[tokio::test]
async fn sessions_of_a_provider_end_with_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (boss, idp) = begin(&site).await;
    let first = browser(&site, &come(&site, &idp, ann()).await).await;

    save(&boss, &idp, json!({"isEnabled": false})).await;
    assert_eq!(first.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get(BEGIN).await.json()["data"], json!([]));
    let off = site.stranger().post(BEGIN, json!({"workspace": "default"})).await;
    assert_eq!(off.status, StatusCode::NOT_FOUND);
    save(&boss, &idp, json!({})).await;
    let second = browser(&site, &come(&site, &idp, ann()).await).await;
    assert_eq!(boss.delete(PATH).await.status, StatusCode::NO_CONTENT);

    assert_eq!(second.get("/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(boss.delete(PATH).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        (boss.get(PATH).await.json()["provider"].clone(), boss.get("/v1/session").await.status),
        (Value::Null, StatusCode::OK)
    );
    assert_eq!(audited(&boss, "sign_in_provider.removed").await[0]["data"]["sessionsEnded"], 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_begins_too_often_has_to_wait(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let (_boss, idp) = begin(&site).await;
    for _ in 0..3 {
        assert_eq!(refused(&come(&site, &idp, ann()).await), None, "a success is not counted");
    }

    let mut statuses = Vec::new();
    for _ in 0..52 {
        statuses.push(site.stranger().post(BEGIN, json!({"workspace": "default"})).await.status.as_u16());
    }

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 50);
    assert_eq!(statuses[51], 429);
    assert_eq!(site.stranger().post(BEGIN, json!({"workspace": "no/such"})).await.status, StatusCode::NOT_FOUND);
    site.stop().await;
}
