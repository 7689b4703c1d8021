//! Assignment rules over HTTP: who gets new leads, in turn, once, and who does not.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_engine::work::runner::work_due;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const RULES: &str = "/v1/admin/assignment-rules";
const HOUR: Duration = Duration::from_secs(3_600);

async fn rule(admin: &Caller<'_>, rule: Value) -> Value {
    let answer = admin.post(RULES, rule).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn path(rule: &Value) -> String {
    format!("{RULES}/{}", rule["id"].as_str().expect("an id"))
}

async fn come(site: &Site, names: &[&str]) {
    for name in names {
        site.app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await;
        site.app.advance(Duration::from_millis(5));
    }
    site.app.run_work().await;
}

/// Whose each lead is, in the order of their coming.
async fn owners(caller: &Caller<'_>) -> Vec<(String, String)> {
    let leads = caller.get("/v1/identity/leads?sortBy=createdAt&sortOrder=asc&limit=200").await.json();
    let text = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
    let leads = leads["data"].as_array().expect("leads");
    leads.iter().map(|lead| (text(&lead["name"]), text(&lead["assignedToName"]))).collect()
}

fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(lead, owner)| ((*lead).to_owned(), (*owner).to_owned())).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn leads_go_round_in_turn_and_each_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let (ann, bob) =
        (site.member("ann@example.com", Role::Agent).await, site.member("bob@example.com", Role::Agent).await);
    rule(&admin, json!({"name": "Everything", "method": "round_robin", "members": [ann, bob]})).await;

    come(&site, &["l1", "l2", "l3"]).await;
    site.app.run_work().await;

    assert_eq!(
        owners(&admin).await,
        given(&[("l1", "ann@example.com"), ("l2", "bob@example.com"), ("l3", "ann@example.com")])
    );
    assert_eq!(site.app.count("lead_activities WHERE kind = 'lead.assigned'").await, 3);
    assert_eq!(site.app.count("events WHERE kind = 'lead.assigned'").await, 3);
    assert_eq!(site.app.count("lead_arrivals").await, 0);
    let lead = admin.get("/v1/identity/leads?search=l2").await.json()["data"][0]["id"].clone();
    let lead = admin.get(&format!("/v1/identity/leads/{}", lead.as_str().expect("an id"))).await.json();
    let line = lead["activity"].as_array().expect("lines").iter().find(|line| line["kind"] == "lead.assigned");
    let line = line.expect("a line that tells of it");
    assert_eq!((&line["data"]["toName"], &line["data"]["ruleName"]), (&json!("bob@example.com"), &json!("Everything")));
    assert_eq!(line["actorKind"], "system");
    // Who got them is told, each of their own.
    let bob = site.sign_in("bob@example.com").await;
    let told = bob.get("/v1/identity/alerts").await.json();
    assert_eq!(
        (&told["total"], &told["data"][0]["kind"], &told["data"][0]["leadName"]),
        (&json!(1), &json!("lead.assigned"), &json!("l2"))
    );
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rules_are_asked_in_their_order(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let (ann, bob) =
        (site.member("ann@example.com", Role::Agent).await, site.member("bob@example.com", Role::Agent).await);
    let all = rule(&admin, json!({"name": "All", "method": "person", "members": [ann]})).await;
    let vip = json!({"field": "custom.tier", "op": "is", "value": "vip"});
    let vips =
        rule(&admin, json!({"name": "VIP", "method": "person", "members": [bob], "filter": vip, "position": 0})).await;
    let off = json!({"name": "Off", "method": "person", "members": [bob], "isActive": false, "position": 0});
    rule(&admin, off).await;
    let names = |rules: &Value| {
        let rules = rules["data"].as_array().expect("rules");
        rules.iter().map(|rule| rule["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&admin.get(RULES).await.json()), ["Off", "VIP", "All"]);

    site.app.submit(json!({"name": "rich", "email": "r@example.com", "tier": "vip"})).await;
    site.app.advance(Duration::from_millis(5));
    come(&site, &["usual"]).await;
    assert_eq!(owners(&admin).await, given(&[("rich", "bob@example.com"), ("usual", "ann@example.com")]));
    // Tried on those that came: one matches, which the rule before would have taken as well.
    let trial = json!({"filter": vip, "ruleId": vips["id"]});
    let trial = admin.post(&format!("{RULES}/test"), trial).await.json();
    assert_eq!(trial, json!({"lookedAt": 2, "matching": 1, "takenBefore": 0}));
    let behind = admin.post(&format!("{RULES}/test"), json!({"filter": vip})).await.json();
    assert_eq!(behind, json!({"lookedAt": 2, "matching": 1, "takenBefore": 1}));

    let moved = admin.patch(&path(&all), json!({"position": 0, "version": all["version"]})).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text());
    assert_eq!(names(&admin.get(RULES).await.json()), ["All", "Off", "VIP"]);
    let stale = admin.patch(&path(&all), json!({"name": "Old", "version": all["version"]})).await;
    assert_eq!(stale.problem(), (409, "stale_version".to_owned()));
    site.app.submit(json!({"name": "richer", "email": "r2@example.com", "tier": "vip"})).await;
    site.app.run_work().await;
    assert_eq!(owners(&admin).await[2].1, "ann@example.com");
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_away_off_work_or_gone_gets_none(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let availability = admin.get("/v1/identity/availability").await.json()["data"].clone();
    let id = |name: &str| {
        let members = availability.as_array().expect("members").clone();
        members.into_iter().find(|member| member["name"] == name).expect("a member")["userId"].clone()
    };
    let (bob, eve) =
        (site.member("bob@example.com", Role::Agent).await, site.member("eve@example.com", Role::Agent).await);
    let made = json!({"name": "Team", "method": "round_robin", "members": [id("ann@example.com"), bob, eve],
        "onlyAvailable": true});
    let team = rule(&admin, made).await;

    // Ann is away for an hour, by her own word; Bob works at night, by his boss's.
    let until = site.app.now().plus_ms(3_600_000).to_string();
    let away = ann.patch("/v1/identity/availability", json!({"awayUntil": until})).await;
    assert_eq!(away.json()["awayUntil"], json!(until), "{}", away.text());
    let nights = json!({"hours": {"days": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "until": "24:00"}});
    assert_eq!(admin.patch(&format!("/v1/admin/availability/{bob}"), nights).await.status, StatusCode::OK);
    come(&site, &["l1", "l2"]).await;
    assert_eq!(owners(&admin).await, given(&[("l1", "eve@example.com"), ("l2", "eve@example.com")]));

    // Eve leaves: nobody is there, and a rule without a fallback leaves the lead to the next.
    assert!(admin.delete(&format!("/v1/admin/users/{eve}")).await.status.is_success());
    come(&site, &["l3"]).await;
    assert_eq!(owners(&admin).await[2].1, "nobody");
    let fallback = admin.patch(&path(&team), json!({"fallbackUserId": bob})).await;
    assert_eq!(fallback.status, StatusCode::UNPROCESSABLE_ENTITY, "Eve is named still: {}", fallback.text());
    let mended = json!({"members": [id("ann@example.com"), bob], "fallbackUserId": bob});
    assert_eq!(admin.patch(&path(&team), mended).await.status, StatusCode::OK);
    come(&site, &["l4"]).await;
    assert_eq!(owners(&admin).await[3].1, "bob@example.com");

    // Ann is back, and in the night it is Bob's turn.
    site.app.advance(HOUR);
    come(&site, &["l5", "l6"]).await;
    assert_eq!(owners(&admin).await[4..], given(&[("l5", "ann@example.com"), ("l6", "ann@example.com")]));
    site.app.advance(13 * HOUR);
    come(&site, &["l7", "l8"]).await;
    assert_eq!(owners(&admin).await[6..], given(&[("l7", "bob@example.com"), ("l8", "ann@example.com")]));
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_least_busy_is_who_has_the_fewest_open_leads(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let (ann, bob) =
        (site.member("ann@example.com", Role::Agent).await, site.member("bob@example.com", Role::Agent).await);
    come(&site, &["a1", "a2", "a3"]).await;
    let leads = admin.get("/v1/identity/leads").await.json()["data"].clone();
    let stages = admin.get("/v1/identity/lead-pipelines").await.json()["data"][0]["stages"].clone();
    for lead in leads.as_array().expect("leads") {
        let lead = format!("/v1/identity/leads/{}", lead["id"].as_str().expect("an id"));
        admin.patch(&format!("{lead}/assign"), json!({"assignedTo": ann})).await;
    }
    rule(&admin, json!({"name": "Fair", "method": "least_busy", "members": [ann, bob]})).await;
    come(&site, &["l1", "l2"]).await;
    assert_eq!(owners(&admin).await[3..], given(&[("l1", "bob@example.com"), ("l2", "bob@example.com")]));

    // What is won keeps nobody busy.
    let won = stages.as_array().expect("stages").iter().find(|stage| stage["kind"] == "won").expect("a stage");
    for lead in leads.as_array().expect("leads") {
        let lead = format!("/v1/identity/leads/{}/stage", lead["id"].as_str().expect("an id"));
        assert_eq!(admin.patch(&lead, json!({"stageId": won["id"]})).await.status, StatusCode::OK);
    }
    come(&site, &["l3", "l4", "l5"]).await;
    assert_eq!(
        owners(&admin).await[5..],
        given(&[("l3", "ann@example.com"), ("l4", "ann@example.com"), ("l5", "bob@example.com")])
    );
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_has_an_owner_is_left_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let (ann, bob) =
        (site.member("ann@example.com", Role::Agent).await, site.member("bob@example.com", Role::Agent).await);
    let made = json!({"name": "All", "method": "person", "members": [ann], "takesReturning": true});
    rule(&admin, made).await;
    let lead = site.app.submit(json!({"name": "l1", "email": "l1@example.com"})).await;
    let lead = format!("/v1/identity/leads/{}", lead.lead.expect("a lead"));
    let assigned = admin.patch(&format!("{lead}/assign"), json!({"assignedTo": bob})).await;
    assert_eq!(assigned.status, StatusCode::OK, "{}", assigned.text());
    site.app.run_work().await;
    assert_eq!(owners(&admin).await, given(&[("l1", "bob@example.com")]));

    // Who comes back is given out where the lead is nobody's.
    site.app.advance(48 * HOUR);
    come(&site, &["l1"]).await;
    assert_eq!(owners(&admin).await, given(&[("l1", "bob@example.com")]));
    let bob = site.sign_in("bob@example.com").await;
    let kinds: Vec<Value> = bob.get("/v1/identity/alerts").await.json()["data"]
        .as_array()
        .expect("alerts")
        .iter()
        .map(|alert| alert["kind"].clone())
        .collect();
    assert_eq!(kinds, ["lead.returned", "lead.assigned"]);
    admin.patch(&format!("{lead}/assign"), json!({"assignedTo": null})).await;
    site.app.advance(48 * HOUR);
    come(&site, &["l1"]).await;
    assert_eq!(owners(&admin).await, given(&[("l1", "ann@example.com")]));
    site.stop().await;
}

/// Two nodes at once, on one database: no lead is given out twice, and turns are fair all the same.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_share_the_turns(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let mut members = Vec::new();
    for name in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        members.push(site.member(name, Role::Agent).await);
    }
    rule(&admin, json!({"name": "All", "method": "round_robin", "members": members})).await;
    for number in 0..30 {
        site.app.submit(json!({"name": format!("l{number}"), "email": format!("l{number}@example.com")})).await;
    }
    leadline_engine::dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");

    let engine = &site.app.engine;
    let (first, second, third) = tokio::join!(work_due(engine), work_due(engine), work_due(engine));
    let done = first.expect("done") + second.expect("done") + third.expect("done");

    assert_eq!(done, 30);
    assert_eq!(site.app.count("lead_activities WHERE kind = 'lead.assigned'").await, 30);
    let owners = owners(&admin).await;
    for name in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        assert_eq!(owners.iter().filter(|(_, owner)| owner == name).count(), 10, "{owners:?}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let ann = site.member("ann@example.com", Role::Agent).await;
    let stranger = uuid::Uuid::from_u128(9).to_string();
    let base = || json!({"name": "All", "method": "round_robin", "members": [ann]});
    for (field, value, pointer) in [
        ("name", json!(" "), "/name"),
        ("name", json!("a\u{0}b"), "/name"),
        ("members", json!([]), "/members"),
        ("members", json!([stranger]), "/members/0"),
        ("fallbackUserId", json!(stranger), "/fallbackUserId"),
        ("respondWithinMinutes", json!(0), "/respondWithinMinutes"),
        ("filter", json!({"field": "nothing", "op": "is", "value": 1}), "/filter/field"),
        ("filter", json!({"field": "company", "op": "is", "value": "\u{0}"}), "/filter/value"),
    ] {
        let mut body = base();
        body[field] = value;
        let answer = admin.post(RULES, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text());
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    let mut person = base();
    person["method"] = json!("person");
    person["members"] = json!([ann, site.member("bob@example.com", Role::Agent).await]);
    assert_eq!(admin.post(RULES, person).await.pointers(), ["/members"]);
    assert_eq!(admin.get(RULES).await.json(), json!({"data": []}));
    site.stop().await;
}
