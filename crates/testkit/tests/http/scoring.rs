//! What leads are scored by, and what becomes of their scores.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use leadline_domain::{permissions::Role, time::Timestamp};
use leadline_engine::{dispatch, retain, scoring::rescore, visits};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

const SCORING: &str = "/v1/identity/scoring";
const RESCORE: &str = "/v1/identity/scoring/rescore";
const DAY: Duration = Duration::from_secs(86_400);

async fn save(caller: &Caller<'_>, version: i64, weights: Value) -> Answer {
    let body = json!({"version": version, "weights": weights});
    caller.send(Method::PUT, SCORING, Some(body)).await
}

async fn saved(caller: &Caller<'_>, version: i64, weights: Value) {
    let answer = save(caller, version, weights).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

/// Sends a lead, and gives it after what follows was done.
async fn submit(site: &Site, caller: &Caller<'_>, fields: Value) -> Value {
    let accepted = site.app.submit(fields).await;
    site.app.run_jobs().await;
    lead(caller, &accepted.lead.expect("a lead").to_string()).await
}

async fn lead(caller: &Caller<'_>, id: &str) -> Value {
    caller.get(&format!("/v1/identity/leads/{id}")).await.json()
}

async fn again(caller: &Caller<'_>, before: &Value) -> Value {
    lead(caller, before["id"].as_str().expect("an id")).await
}

fn anna() -> Value {
    json!({"name": "Anna", "email": "anna@acme.example"})
}

fn codes(reasons: &Value) -> Vec<(&str, i64)> {
    let all = reasons.as_array().expect("reasons").iter();
    all.map(|one| (one["code"].as_str().expect("a code"), one["points"].as_i64().expect("points"))).collect()
}

/// The causes and scores of a lead's history, the oldest first.
async fn history(caller: &Caller<'_>, lead: &Value) -> Vec<(String, i64)> {
    let path = format!("/v1/identity/leads/{}/scores?limit=200", lead["id"].as_str().expect("an id"));
    let rows = caller.get(&path).await.json()["data"].as_array().cloned().expect("rows");
    let row =
        |row: &Value| (row["cause"].as_str().expect("a cause").to_owned(), row["score"].as_i64().expect("a score"));
    rows.iter().rev().map(row).collect()
}

fn rows(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(cause, score)| ((*cause).to_owned(), *score)).collect()
}

async fn start(caller: &Caller<'_>) -> Value {
    let answer = caller.send(Method::POST, RESCORE, None).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()
}

/// Works on re-scores until there are none, and lets consumers hear of it.
async fn finish(site: &Site, at_once: i64) {
    while rescore::step(&site.app.engine, at_once).await.expect("a batch") {}
    site.app.run_jobs().await;
}

async fn job(caller: &Caller<'_>) -> (String, i64, i64, i64) {
    let job = caller.get(RESCORE).await.json()["job"].clone();
    let number = |name: &str| job[name].as_i64().expect("a number");
    (job["state"].as_str().expect("a state").to_owned(), number("total"), number("done"), number("changed"))
}

#[rstest]
#[tokio::test]
async fn without_a_setting_leads_score_as_documented(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);

    let scoring = admin.get(SCORING).await.json();
    let lead = submit(&site, &admin, anna()).await;

    assert_eq!((&scoring["version"], &scoring["rules"]), (&json!(0), &json!([])));
    let weights = scoring["weights"].as_array().expect("weights");
    assert!(weights.iter().all(|weight| weight["value"] == weight["documented"]), "{weights:?}");
    assert_eq!(codes(&lead["scoreReasons"]), [("email", 15), ("work_email", 10), ("name", 10)]);
    assert_eq!(lead["score"], 35);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn changed_weights_and_rules_score_what_comes_next(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let before = submit(&site, &admin, anna()).await;
    let rule =
        |field: &str, points: i64| json!({"field": field, "test": "contains", "value": "acme", "points": points});
    let body = json!({"version": 0, "weights": {"email": 40, "suspicion_share": 100, "phone_not_valid": 9},
                      "rules": [rule("emailDomain", 3), rule("title", 4)]});
    assert_eq!(admin.send(Method::PUT, SCORING, Some(body)).await.status, StatusCode::OK);

    let ben = json!({"name": "Ben", "email": "ben@acme.example", "phone": "12"});
    let after = submit(&site, &admin, ben).await;
    let path = format!("/v1/identity/leads/{}", after["id"].as_str().expect("an id"));
    let edited = admin.patch(&path, json!({"title": "Acme's own"})).await.json();
    let joined = submit(&site, &admin, anna()).await;

    assert_eq!(codes(&after["scoreReasons"]), [("email", 40), ("work_email", 10), ("name", 10), ("rules", 3)]);
    assert_eq!(codes(&after["suspicionReasons"]), [("phone_not_valid", 9)]);
    assert_eq!(after["score"], 63 - 9);
    assert_eq!(edited["score"], 63 - 9 + 10 + 4);
    assert_eq!((&before["score"], &joined["score"]), (&json!(35), &json!(63)));
    site.stop().await;
}

/// A site with one visit of a minute, and a form.
async fn website(site: &Site, owner: &Caller<'_>) -> (String, String) {
    let origin = "https://www.example.com";
    let made = owner.post("/v1/capture/sites", json!({"name": "Shop", "allowedOrigins": [origin]})).await.json();
    let tracker = format!("/t/{}", made["key"].as_str().expect("a key"));
    let made = owner.post("/v1/capture/forms", json!({"name": "Contact"})).await.json();
    look(site, &tracker, ("v", site.app.now()), 60).await;
    (tracker, format!("/f/{}", made["key"].as_str().expect("a key")))
}

/// A visit of one page that was opened ten minutes before `began_at`, as far as it is by now.
async fn look(site: &Site, tracker: &str, (session, began_at): (&str, Timestamp), seconds: i64) {
    let page = json!({"at": began_at.0 - 600_000, "url": "https://www.example.com/", "ms": seconds * 1_000});
    let report = json!({"visitor": "v", "session": session, "now": site.app.now().0, "pages": [page]});
    send(site, tracker, &report).await;
    visits::flush(&site.app.engine).await.expect("the visits are written");
    dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
}

async fn send(site: &Site, path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("content-type", "text/plain").header("origin", "https://www.example.com");
    let request = request.header("accept", "application/json").body(Body::from(body.to_string()));
    let answer = site.send(request.expect("a request")).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    answer
}

async fn submit_form(site: &Site, owner: &Caller<'_>, form: &str) -> Value {
    let fields = json!({"name": "Anna", "email": "anna@acme.example", "__visitor_id": "v", "__session_id": "v",
                        "__pg_tts": 60_000, "__form_token": site.form_token()});
    let answer = send(site, form, &fields).await;
    dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
    lead(owner, answer.json()["leadId"].as_str().expect("a lead")).await
}

#[rstest]
#[tokio::test]
async fn changed_weights_score_visits_and_a_visit_is_one_line_of_history(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (tracker, form) = website(&site, &admin).await;
    saved(&admin, 0, json!({"duration": 100, "seconds_per_point": 2, "engagement_share": 100})).await;

    let began_at = site.app.now();
    let first = submit_form(&site, &admin, &form).await;
    for seconds in [80, 100] {
        site.app.advance(Duration::from_secs(60));
        look(&site, &tracker, ("v", began_at), seconds).await;
    }
    let last = again(&admin, &first).await;

    assert_eq!((codes(&first["engagementReasons"]), &first["score"]), (vec![("duration", 30)], &json!(30)));
    assert_eq!((codes(&last["engagementReasons"]), &last["score"]), (vec![("duration", 50)], &json!(50)));
    assert_eq!(history(&admin, &first).await, rows(&[("created", 30), ("visit", 50)]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_rescore_brings_leads_up_to_date_and_tells_it_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (_, form) = website(&site, &admin).await;
    let visited = submit_form(&site, &admin, &form).await;
    let plain = submit(&site, &admin, json!({"name": "Ben", "phone": "12"})).await;
    start(&admin).await;
    finish(&site, 200).await;
    assert_eq!(job(&admin).await, ("done".to_owned(), 2, 2, 0), "nothing differs yet");
    assert_eq!(again(&admin, &visited).await["version"], visited["version"]);

    site.app.advance(Duration::from_secs(1));
    saved(&admin, 0, json!({"seconds_per_point": 2, "phone_not_valid": 0})).await;
    start(&admin).await;
    finish(&site, 200).await;

    let (visited, plain) = (again(&admin, &visited).await, again(&admin, &plain).await);
    assert_eq!((codes(&visited["engagementReasons"]), &visited["score"]), (vec![("duration", 30)], &json!(32)));
    assert_eq!((codes(&plain["suspicionReasons"]), &plain["score"]), (vec![], &json!(10)));
    assert_eq!(job(&admin).await, ("done".to_owned(), 2, 2, 2));
    assert_eq!(history(&admin, &plain).await, rows(&[("created", 3), ("rescore", 10)]));
    assert_eq!(site.app.count("events WHERE kind = 'lead.scored'").await, 2);
    let timeline: Vec<_> = plain["activity"].as_array().expect("a timeline").iter().map(|one| &one["kind"]).collect();
    assert_eq!(timeline, ["lead.created"]);
    site.app.advance(Duration::from_secs(1));
    saved(&admin, 1, json!({"phone_not_valid": 11})).await;
    start(&admin).await;
    finish(&site, 200).await;
    let weighed_again = again(&admin, &plain).await;
    assert_eq!(codes(&weighed_again["suspicionReasons"]), [("phone_not_valid", 11)], "what weighed nothing was kept");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_rescore_that_dies_goes_on_where_it_was_and_counts_nothing_twice(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    for n in 0..5 {
        site.app.submit(json!({"name": "Lead", "email": format!("lead{n}@acme.example")})).await;
        site.app.advance(Duration::from_secs(1));
    }
    site.app.run_jobs().await;
    let admin = site.with_token(&token);
    saved(&admin, 0, json!({"email": 20})).await;
    start(&admin).await;
    assert!(rescore::step(&site.app.engine, 2).await.expect("a batch"));

    site.app.execute("ALTER TABLE events RENAME TO events_away").await;
    rescore::step(&site.app.engine, 2).await.expect_err("the batch fails after its leads were written");
    site.app.execute("ALTER TABLE events_away RENAME TO events").await;
    let half_way = job(&site.with_token(&token)).await;
    site.restart().await;
    finish(&site, 2).await;

    let admin = site.with_token(&token);
    assert_eq!(half_way, ("running".to_owned(), 5, 2, 2));
    assert_eq!(job(&admin).await, ("done".to_owned(), 5, 5, 5));
    assert_eq!(site.app.count("leads WHERE score = 40 AND score_version = 1 AND version = 2").await, 5);
    assert_eq!(site.app.count("events WHERE kind = 'lead.scored'").await, 5);
    assert_eq!(site.app.count("lead_scores WHERE cause = 'rescore'").await, 5);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_rescore_goes_on_at_a_time_and_can_be_cancelled(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    for n in 0..3 {
        submit(&site, &admin, json!({"name": "Lead", "email": format!("lead{n}@acme.example")})).await;
        site.app.advance(Duration::from_secs(1));
    }
    assert_eq!(admin.get(RESCORE).await.json(), json!({"job": null}));
    assert_eq!(admin.delete(RESCORE).await.status, StatusCode::NOT_FOUND);
    start(&admin).await;

    let second = admin.send(Method::POST, RESCORE, None).await;
    rescore::step(&site.app.engine, 1).await.expect("a batch");
    let cancelled = admin.delete(RESCORE).await.json();
    let goes_on = rescore::step(&site.app.engine, 1).await.expect("a look");

    assert_eq!(second.problem(), (409, "rescore_under_way".to_owned()));
    assert_eq!((&cancelled["job"]["state"], &cancelled["job"]["done"]), (&json!("cancelled"), &json!(1)));
    assert!(!goes_on);
    start(&admin).await;
    saved(&admin, 0, json!({"email": 1})).await;
    assert_eq!(job(&admin).await.0, "cancelled", "it would go on by other weights");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_preview_tells_who_would_move_and_stores_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let anna = submit(&site, &admin, anna()).await;
    submit(&site, &admin, json!({"name": "Ben", "phone": "+442079460001"})).await;

    let body = json!({"weights": {"email": 100}, "rules": []});
    let preview = admin.post("/v1/identity/scoring/preview", body).await.json();

    assert_eq!((&preview["leads"], &preview["changed"]), (&json!(2), &json!(1)));
    let bands: Vec<_> =
        preview["bands"].as_array().expect("bands").iter().map(|b| (&b["before"], &b["after"])).collect();
    let (none, one, two) = (json!(0), json!(1), json!(2));
    assert_eq!(bands, [(&none, &none), (&two, &one), (&none, &none), (&none, &one)]);
    let mover = json!({"id": anna["id"], "name": "Anna", "before": 35, "after": 100});
    assert_eq!(preview["movers"], json!([mover]));
    assert_eq!(again(&admin, &anna).await, anna);
    assert_eq!(admin.get(SCORING).await.json()["version"], 0);
    assert_eq!(site.app.count("scoring_versions").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn every_version_is_kept_and_one_restored_is_a_new_one(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let body = json!({"version": 0, "weights": {"email": 20, "phone": 20}, "note": " For the fair "});
    admin.send(Method::PUT, SCORING, Some(body)).await;
    saved(&admin, 1, json!({"email": 30})).await;

    let stale = save(&admin, 1, json!({"email": 99})).await;
    let restored = admin.post(&format!("{SCORING}/versions/1/restore"), json!({"version": 2})).await;
    let late = admin.post(&format!("{SCORING}/versions/1/restore"), json!({"version": 2})).await;
    let unknown = admin.post(&format!("{SCORING}/versions/9/restore"), json!({"version": 3})).await;

    assert_eq!(stale.problem(), (409, "stale_version".to_owned()));
    assert_eq!((restored.status, &restored.json()["version"]), (StatusCode::OK, &json!(3)));
    assert_eq!(late.problem(), (409, "stale_version".to_owned()));
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let versions = admin.get(&format!("{SCORING}/versions")).await.json();
    let shown: Vec<_> = versions["data"].as_array().expect("versions").iter().collect();
    let seen: Vec<_> = shown.iter().map(|one| (&one["version"], &one["weights"], &one["note"])).collect();
    let (twenty, thirty) = (json!({"email": 20}), json!({"email": 30}));
    assert_eq!(
        seen,
        [
            (&json!(3), &twenty, &json!("Version 1 again")),
            (&json!(2), &thirty, &Value::Null),
            (&json!(1), &twenty, &json!("For the fair")),
        ]
    );
    let documented = admin.post(&format!("{SCORING}/versions/0/restore"), json!({"version": 3})).await.json();
    assert_eq!(documented["version"], 4);
    assert_eq!(submit(&site, &admin, anna()).await["score"], 35);
    site.stop().await;
}

#[rstest]
#[case(json!({"version": 0, "weights": {"email": 101, "vpn": -1}}), &["/weights/email", "/weights/vpn"])]
#[case(json!({"version": 0, "weights": {"charm": 5}}), &["/weights/charm"])]
#[case(json!({"version": 0, "weights": {"seconds_per_point": 0}}), &["/weights/seconds_per_point"])]
#[case(json!({"version": 0, "weights": {"email": "many"}}), &["/weights/email"])]
#[case(json!({"version": 0, "shine": 1}), &["/shine"])]
#[case::a_note_with_a_nul(json!({"version": 0, "note": "a\u{0}b"}), &["/note"])]
#[case::a_rule_with_a_nul(json!({"version": 0, "rules": [{"field": "title", "test": "is", "value": "a\u{0}b", "points": 1}]}), &["/rules/0/value"])]
#[case(json!({"weights": {}}), &["/version"])]
#[case(json!({"version": 0, "rules": [{"field": "title", "test": "is", "value": "", "points": 101}]}), &["/rules/0/value", "/rules/0/points"])]
#[case(json!({"version": 0, "rules": [{"field": "customField", "test": "is", "value": "x", "points": 1}]}), &["/rules/0/customField"])]
#[case(json!({"version": 0, "rules": [{"field": "shoe", "test": "is", "value": "x", "points": 1}]}), &["/rules/0/field"])]
#[tokio::test]
async fn what_is_wrong_with_weights_is_pointed_at(#[case] body: Value, #[case] pointers: &[&str]) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;

    let answer = site.with_token(&token).send(Method::PUT, SCORING, Some(body)).await;

    assert_eq!(
        (answer.status, answer.pointers()),
        (StatusCode::UNPROCESSABLE_ENTITY, pointers.iter().map(|one| (*one).to_owned()).collect())
    );
    site.stop().await;
}

#[rstest]
#[case(Role::Viewer, 403, 403)]
#[case(Role::Agent, 403, 403)]
#[case(Role::Admin, 200, 200)]
#[tokio::test]
async fn weights_are_for_those_who_may_see_and_change_settings(
    #[case] role: Role,
    #[case] sees: u16,
    #[case] changes: u16,
) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(role).await;
    let caller = site.with_token(&token);

    let seen = caller.get(SCORING).await.status.as_u16();
    let changed = save(&caller, 0, json!({"email": 20})).await.status.as_u16();

    assert_eq!((seen, changed), (sees, changes));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_workspaces_weights_and_rescores_are_nobody_elses(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let owner = site.with_token(&token);
    let anna = submit(&site, &owner, anna()).await;
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::Admin).await;
    let stranger = site.with_token(&token);

    saved(&stranger, 0, json!({"email": 99})).await;
    start(&stranger).await;
    start(&owner).await;
    finish(&site, 1).await;

    assert_eq!(again(&owner, &anna).await["score"], 35);
    assert_eq!((job(&owner).await, job(&stranger).await.2), (("done".to_owned(), 1, 1, 0), 0));
    assert_eq!(owner.get(SCORING).await.json()["version"], 0);
    let versions = owner.get(&format!("{SCORING}/versions")).await.json();
    assert_eq!(versions["total"], 0);
    site.stop().await;
}

/// Days go by, with a look at the clock on each.
async fn live(site: &Site, days: i64) {
    for _ in 0..days {
        site.app.advance(DAY);
        retain(&site.app.engine).await.expect("a look");
        finish(site, 200).await;
    }
}

#[rstest]
#[tokio::test]
async fn silence_takes_points_by_the_week_until_something_is_heard(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    retain(&site.app.engine).await.expect("a first look");
    let (tracker, form) = website(&site, &admin).await;
    let lead = submit_form(&site, &admin, &form).await;
    live(&site, 30).await;
    assert_eq!(again(&admin, &lead).await["score"], lead["score"], "silence costs nothing where nobody set it");

    saved(&admin, 0, json!({"silence": 2, "silence_grace_days": 7})).await;
    live(&site, 5).await;
    let silent = again(&admin, &lead).await;
    let path = format!("/v1/identity/leads/{}", lead["id"].as_str().expect("an id"));
    let edited = admin.patch(&path, json!({"company": "Acme"})).await.json();
    site.app.run_jobs().await;
    look(&site, &tracker, ("w", site.app.now()), 0).await;
    let heard = again(&admin, &lead).await;

    let reasons =
        |lead: &Value| codes(&lead["scoreReasons"]).iter().map(|(code, _)| (*code).to_owned()).collect::<Vec<_>>();
    // 35 days: four full weeks after the first, at 2 points each.
    assert_eq!(codes(&silent["scoreReasons"]).last(), Some(&("silence", -8)));
    assert_eq!(silent["score"].as_i64(), lead["score"].as_i64().map(|score| score - 8));
    assert_eq!(codes(&edited["scoreReasons"]).last(), Some(&("silence", -8)), "an edit is not a sign of life");
    assert!(!reasons(&heard).contains(&"silence".to_owned()), "{heard}");
    let causes: Vec<String> = history(&admin, &lead).await.into_iter().map(|(cause, _)| cause).collect();
    assert_eq!(causes, ["created", "silence", "silence", "edit", "visit"]);
    live(&site, 13).await;
    assert!(!reasons(&again(&admin, &lead).await).contains(&"silence".to_owned()), "it counts from the visit on");
    live(&site, 1).await;
    assert_eq!(codes(&again(&admin, &lead).await["scoreReasons"]).last(), Some(&("silence", -2)));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_clock_that_leaps_takes_no_points(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    retain(&site.app.engine).await.expect("a first look");
    saved(&admin, 0, json!({"silence": 2, "silence_grace_days": 0})).await;
    let lead = submit(&site, &admin, anna()).await;

    site.app.advance(100 * DAY);
    retain(&site.app.engine).await.expect("a look");
    finish(&site, 200).await;
    start(&admin).await;
    finish(&site, 200).await;

    assert_eq!(again(&admin, &lead).await["score"], 35);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn history_has_a_row_for_each_change_and_keeps_the_newest_hundred(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let lead = submit(&site, &admin, anna()).await;
    let path = format!("/v1/identity/leads/{}", lead["id"].as_str().expect("an id"));
    for body in [json!({"company": "Acme"}), json!({"company": "Acme Ltd"}), json!({"tags": ["x"]})] {
        admin.patch(&path, body).await;
        site.app.run_jobs().await;
    }
    assert_eq!(history(&admin, &lead).await, rows(&[("created", 35), ("edit", 50)]));

    for n in 0..101 {
        let company = if n % 2 == 0 { Value::Null } else { json!("Acme") };
        admin.patch(&path, json!({"company": company})).await;
        dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
    }

    let kept = history(&admin, &lead).await;
    assert_eq!((kept.len(), &kept[0].0[..], kept[99].1), (100, "edit", 35));
    site.stop().await;
}
