//! Filtering, sorting and custom fields over HTTP: each operator on each kind of field, and what hostile filters get.

use std::{collections::BTreeSet, path::Path};

use axum::http::StatusCode;
use leadline_domain::{permissions::Role, time::Timestamp};
use leadline_engine::capture::write_seen;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site, encoded};

async fn ask(caller: &Caller<'_>, filter: &Value) -> Answer {
    caller.get(&format!("/v1/identity/leads?limit=200&filter={}", encoded(&filter.to_string()))).await
}

/// The names that a filter finds, in alphabetical order.
async fn found(caller: &Caller<'_>, filter: &Value) -> Vec<String> {
    let answer = ask(caller, filter).await;
    assert_eq!(answer.status, StatusCode::OK, "{filter}: {}", answer.text());
    let listed = answer.json();
    let names: BTreeSet<String> = listed["data"].as_array().expect("leads").iter().map(name).collect();
    assert_eq!(listed["total"], names.len(), "{filter}");
    let board = caller.get(&format!("/v1/identity/board?filter={}", encoded(&filter.to_string()))).await.json();
    let stages = board["stages"].as_array().expect("stages");
    let cards = stages.iter().flat_map(|stage| stage["cards"].as_array().expect("cards"));
    assert_eq!(names, cards.map(name).collect(), "the board shows the same for {filter}");
    names.into_iter().collect()
}

fn name(lead: &Value) -> String {
    lead["name"].as_str().expect("a name").to_owned()
}

fn condition(field: &str, op: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    if value.is_null() { json!({"field": field, "op": op}) } else { json!({"field": field, "op": op, "value": value}) }
}

async fn define(caller: &Caller<'_>, body: Value) -> Value {
    let answer = caller.post("/v1/identity/custom-fields", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// Ada knows everything of herself, Bob little, and what Cora says is not what was asked.
async fn people(site: &Site) -> Caller<'_> {
    // A session would not live through the days that pass here.
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    for (key, kind, options) in [
        ("budget", "number", json!([])),
        ("due", "date", json!([])),
        ("plan", "select", json!(["Pro", "Free"])),
        ("likes", "multi_select", json!(["red", "green", "blue"])),
        ("agreed", "boolean", json!([])),
    ] {
        define(&admin, json!({"key": key, "name": key, "type": kind, "options": options})).await;
    }
    site.app.set_clock(at("2026-03-10T12:00:00Z"));
    let ada = json!({"source": "manual", "name": "Ada", "email": "ada@example.com", "phone": "+4915112345678", "company": "Ärzte GmbH",
                     "title": "CEO", "message": "call me", "tags": ["vip", "new"],
                     "customFields": {"budget": 5000, "due": "2026-04-01", "plan": "Pro", "likes": ["red", "blue"],
                                      "agreed": true, "note": "Über alles"}});
    assert_eq!(admin.post("/v1/identity/leads", ada).await.status, StatusCode::OK);
    site.app.set_clock(at("2026-03-15T12:00:00Z"));
    assert_eq!(
        admin.post("/v1/identity/leads", json!({"source": "manual", "name": "Bob", "tags": ["vip"]})).await.status,
        StatusCode::OK
    );
    site.app.set_clock(at("2026-03-19T23:30:00Z"));
    // A visitor's values are kept as they were sent, whether they fit or not.
    site.app
        .submit(json!({"name": "Cora", "email": "cora@example.org", "company": "100% _Fun\\", "budget": "-12.5",
                       "due": "soon", "plan": "Other", "likes": "green", "agreed": "yes",
                       "page_url": "https://x.test/?utm_source=News&utm_campaign=spring&gclid=abc"}))
        .await;
    site.app.set_clock(at("2026-03-20T12:00:00Z"));
    site.signed_in("admin@example.com", Role::Admin).await
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

const ALL: [&str; 3] = ["Ada", "Bob", "Cora"];

fn cases() -> Vec<(&'static str, &'static str, Value, &'static [&'static str])> {
    let nothing = || json!(null);
    vec![
        ("name", "is", json!("ADA"), &["Ada"]),
        ("name", "is_not", json!("ada"), &["Bob", "Cora"]),
        ("name", "any_of", json!(["ada", "BOB"]), &["Ada", "Bob"]),
        ("name", "none_of", json!(["ada", "BOB"]), &["Cora"]),
        ("name", "contains", json!("o"), &["Bob", "Cora"]),
        ("email", "contains", json!("@example."), &["Ada", "Cora"]),
        ("email", "ends_with", json!(".ORG"), &["Cora"]),
        ("email", "starts_with", json!("ada@"), &["Ada"]),
        ("email", "not_contains", json!("ada"), &["Bob", "Cora"]),
        ("email", "empty", nothing(), &["Bob"]),
        ("email", "not_empty", nothing(), &["Ada", "Cora"]),
        ("phone", "contains", json!("(151) 123-45"), &["Ada"]),
        ("country", "is", json!("DE"), &["Ada"]),
        ("country", "none_of", json!(["DE"]), &["Bob", "Cora"]),
        ("company", "contains", json!("ärzte"), &["Ada"]),
        ("company", "is", json!("ÄRZTE GMBH"), &["Ada"]),
        ("company", "contains", json!("0% _"), &["Cora"]),
        ("company", "contains", json!("%"), &["Cora"]),
        ("company", "ends_with", json!("\\"), &["Cora"]),
        ("message", "not_empty", nothing(), &["Ada"]),
        ("title", "is", json!("ceo"), &["Ada"]),
        ("source", "is", json!("manual"), &["Ada", "Bob"]),
        ("source", "is", json!("webhook"), &[]),
        ("stageKind", "is", json!("open"), &ALL),
        ("stageKind", "is_not", json!("open"), &[]),
        ("lifecycle", "is", json!("lead"), &ALL),
        ("state", "is", json!("completed"), &ALL),
        ("assignedTo", "empty", nothing(), &ALL),
        ("assignedTo", "is", json!("me"), &[]),
        ("tags", "any_of", json!(["vip", "x"]), &["Ada", "Bob"]),
        ("tags", "all_of", json!(["vip", "new"]), &["Ada"]),
        ("tags", "none_of", json!(["new"]), &["Bob", "Cora"]),
        ("tags", "empty", nothing(), &["Cora"]),
        ("tags", "not_empty", nothing(), &["Ada", "Bob"]),
        ("isTest", "is", json!(false), &ALL),
        ("isTest", "is", json!(true), &[]),
        ("submissionCount", "is", json!(1), &ALL),
        ("submissionCount", "more_than", json!(1), &[]),
        ("submissionCount", "at_least", json!(1), &ALL),
        ("submissionCount", "less_than", json!(1), &[]),
        ("score", "between", json!([0, 100]), &ALL),
        ("engagement", "empty", nothing(), &ALL),
        ("suspicion", "is_not", json!(101), &ALL),
        ("createdAt", "on", json!("2026-03-15"), &["Bob"]),
        ("createdAt", "before", json!("2026-03-15"), &["Ada"]),
        ("createdAt", "after", json!("2026-03-15T11:59:59.999Z"), &["Bob", "Cora"]),
        ("createdAt", "after", json!("2026-03-15"), &["Cora"]),
        ("createdAt", "between", json!(["2026-03-10", "2026-03-15"]), &["Ada", "Bob"]),
        // In Berlin Cora came on the 20th.
        ("createdAt", "on", json!("2026-03-20"), &["Cora"]),
        ("createdAt", "this", json!("day"), &["Cora"]),
        ("createdAt", "in_last", json!({"amount": 1, "unit": "days"}), &["Cora"]),
        ("createdAt", "in_last", json!({"amount": 12, "unit": "hours"}), &[]),
        ("createdAt", "in_last", json!({"amount": 6, "unit": "days"}), &["Bob", "Cora"]),
        ("createdAt", "more_than_ago", json!({"amount": 5, "unit": "days"}), &["Ada"]),
        ("createdAt", "more_than_ago", json!({"amount": 4, "unit": "days"}), &["Ada", "Bob"]),
        ("createdAt", "previous", json!("week"), &["Ada", "Bob"]),
        ("createdAt", "previous", json!("day"), &[]),
        ("lastSubmissionAt", "in_last", json!({"amount": 1, "unit": "weeks"}), &["Bob", "Cora"]),
        ("updatedAt", "this", json!("month"), &ALL),
        ("convertedAt", "empty", nothing(), &ALL),
        ("lastTouch.utmSource", "is", json!("news"), &["Cora"]),
        ("firstTouch.utmCampaign", "starts_with", json!("spr"), &["Cora"]),
        ("firstTouch.utmCampaign", "empty", nothing(), &["Ada", "Bob"]),
        ("lastTouch.gclid", "not_empty", nothing(), &["Cora"]),
        ("deviceKind", "is", json!("tv"), &[]),
        ("custom.budget", "at_least", json!(5000), &["Ada"]),
        ("custom.budget", "less_than", json!(0), &["Cora"]),
        ("custom.budget", "is", json!(-12.5), &["Cora"]),
        ("custom.budget", "is_not", json!(5000), &["Bob", "Cora"]),
        ("custom.budget", "empty", nothing(), &["Bob"]),
        ("custom.due", "on", json!("2026-04-01"), &["Ada"]),
        ("custom.due", "in_next", json!({"amount": 12, "unit": "days"}), &["Ada"]),
        ("custom.due", "in_next", json!({"amount": 11, "unit": "days"}), &[]),
        ("custom.due", "not_empty", nothing(), &["Ada", "Cora"]),
        ("custom.plan", "is", json!("Pro"), &["Ada"]),
        ("custom.plan", "none_of", json!(["Pro"]), &["Bob", "Cora"]),
        ("custom.likes", "any_of", json!(["green", "blue"]), &["Ada", "Cora"]),
        ("custom.likes", "all_of", json!(["red", "blue"]), &["Ada"]),
        ("custom.likes", "none_of", json!(["red"]), &["Bob", "Cora"]),
        ("custom.likes", "empty", nothing(), &["Bob"]),
        ("custom.agreed", "is", json!(true), &["Ada", "Cora"]),
        ("custom.agreed", "is", json!(false), &[]),
        ("custom.note", "contains", json!("über"), &["Ada"]),
        ("custom.note", "more_than", json!(1), &[]),
        ("custom.nothing", "not_empty", nothing(), &[]),
        ("custom.nothing", "is_not", json!("x"), &ALL),
        ("custom.$.budget", "empty", nothing(), &ALL),
    ]
}

#[rstest]
#[tokio::test]
async fn each_operator_finds_what_it_says(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = people(&site).await;
    let settings = json!({"settings": {"timezone": "Europe/Berlin"}});
    assert_eq!(admin.patch("/v1/admin/workspace", settings).await.status, StatusCode::OK);

    let mut wrong = Vec::new();
    for (field, op, value, expected) in cases() {
        let filter = condition(field, op, value);
        let names = found(&admin, &filter).await;
        if names != expected {
            wrong.push(format!("{filter}: {names:?} for {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    site.app.run_jobs().await;
    for (field, op, value, expected) in cases().into_iter().filter(|(_, op, ..)| op.contains("contains")) {
        let filter = condition(field, op, value);
        assert_eq!(found(&admin, &filter).await, expected, "with the search index: {filter}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn groups_stand_in_each_other(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = people(&site).await;
    let vip = condition("tags", "any_of", json!(["vip"]));
    let rich = condition("custom.budget", "at_least", json!(5000));
    let cora = condition("name", "is", json!("Cora"));

    assert_eq!(found(&admin, &json!({"all": [vip, rich]})).await, ["Ada"]);
    assert_eq!(found(&admin, &json!({"any": [rich, cora]})).await, ["Ada", "Cora"]);
    assert_eq!(found(&admin, &json!({"all": [{"any": [vip, cora]}, {"any": [rich, cora]}]})).await, ["Ada", "Cora"]);
    assert_eq!(found(&admin, &json!({"all": []})).await, ALL);
    assert_eq!(found(&admin, &json!({"any": [{"all": []}]})).await, ALL);
    let narrowed = format!(
        "/v1/identity/leads?search=example&tag=vip&filter={}",
        encoded(&json!({"any": [rich, cora]}).to_string())
    );
    assert_eq!(admin.get(&narrowed).await.json()["total"], 1);
    site.stop().await;
}

fn attacks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/payloads/sqli.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("the attack texts are not at {}: {error}", path.display()));
    serde_json::from_str(&text).expect("a list of texts")
}

/// Each attack is somebody's company and a custom value; as a value it finds them alone, and as a name of anything it
/// finds nothing or is refused.
#[rstest]
#[tokio::test]
async fn attack_texts_find_what_holds_them_or_are_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let attacks: Vec<String> =
        attacks().into_iter().step_by(7).filter(|attack| attack.trim() == attack && !attack.is_empty()).collect();
    for (number, attack) in attacks.iter().enumerate() {
        let lead = json!({"name": format!("L{number}"), "company": attack, "customFields": {"note": attack}});
        assert_eq!(admin.post("/v1/identity/leads", lead).await.status, StatusCode::OK);
    }

    for attack in &attacks {
        for field in ["company", "custom.note"] {
            let listed = ask(&admin, &condition(field, "is", json!(attack))).await.json();
            let same = attacks.iter().filter(|other| other.to_lowercase() == attack.to_lowercase()).count();
            assert_eq!(listed["total"], same, "{field} {attack:?}");
        }
        for filter in [
            condition(&format!("custom.{attack}"), "contains", json!("x")),
            condition(&format!("custom.{attack}"), "at_least", json!(1)),
            condition(&format!("custom.{attack}"), "any_of", json!([attack])),
            condition("tags", "all_of", json!([attack, attack])),
            condition("source", "any_of", json!([attack])),
            condition(&format!("contact.{attack}"), "contains", json!("x")),
            condition("contact.platform", "is", json!(attack)),
            condition("contactTags", "all_of", json!([attack, attack])),
            condition(attack, "is", json!(attack)),
            condition("name", attack, json!(attack)),
            condition("createdAt", "before", json!(attack)),
            condition("stageId", "is", json!(attack)),
        ] {
            let answer = ask(&admin, &filter).await;
            let is_fine = answer.status == StatusCode::UNPROCESSABLE_ENTITY || answer.json()["total"] == 0;
            assert!(is_fine, "{filter}: {} {}", answer.status, answer.text());
            let segment = admin.post("/v1/identity/segments/count", json!({"filter": filter})).await;
            let is_fine = segment.status == StatusCode::UNPROCESSABLE_ENTITY || segment.json()["leadCount"] == 0;
            assert!(is_fine, "{filter}: {} {}", segment.status, segment.text());
        }
        for path in [
            format!("/v1/identity/leads?filter={}", encoded(attack)),
            format!("/v1/identity/leads?sortBy={}", encoded(attack)),
            format!("/v1/identity/leads?sortBy=custom.{}", encoded(attack)),
            format!("/v1/identity/leads?customFields={}", encoded(attack)),
            format!("/v1/identity/leads?segmentId={}", encoded(attack)),
            format!("/v1/identity/contacts?sortBy={}", encoded(attack)),
            format!("/v1/identity/leads/export.csv?columns={}", encoded(attack)),
            format!("/v1/identity/leads/export.csv?tag={0}&columns=name,custom.{0}", encoded(attack)),
        ] {
            let status = admin.get(&path).await.status;
            assert!(matches!(status.as_u16(), 200 | 400 | 422), "{path}: {status}");
        }
        for parameter in ["search", "tag", "lifecycle"] {
            let path = format!("/v1/identity/contacts?{parameter}={}", encoded(attack));
            let answer = admin.get(&path).await;
            // Names of these people hold digits, which some attacks are made of.
            let finds_some = parameter == "search" && answer.status == StatusCode::OK;
            let is_fine = answer.status == StatusCode::UNPROCESSABLE_ENTITY || answer.json()["total"] == 0;
            assert!(is_fine || finds_some, "{path}: {} {}", answer.status, answer.text());
        }
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_list_is_sorted_by_anything_it_shows(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = people(&site).await;
    let order = |by: &str, order: &str, filter: &str| {
        let path = format!("/v1/identity/leads?sortBy={by}&sortOrder={order}{filter}");
        let admin = admin.clone();
        async move {
            let answer = admin.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
            answer.json()["data"].as_array().expect("leads").iter().map(name).collect::<Vec<_>>()
        }
    };
    let by_name = format!("&filter={}", encoded(&condition("name", "not_empty", json!(null)).to_string()));

    for filter in ["", by_name.as_str()] {
        assert_eq!(order("name", "asc", filter).await, ALL);
        assert_eq!(order("updatedAt", "desc", filter).await, ["Cora", "Bob", "Ada"]);
        assert_eq!(order("lastSubmissionAt", "asc", filter).await, ALL);
        // Who has none comes last, whichever way.
        assert_eq!(order("email", "asc", filter).await, ["Ada", "Cora", "Bob"]);
        assert_eq!(order("email", "desc", filter).await, ["Cora", "Ada", "Bob"]);
        assert_eq!(order("custom.budget", "asc", filter).await, ["Cora", "Ada", "Bob"]);
        assert_eq!(order("custom.budget", "desc", filter).await, ["Ada", "Cora", "Bob"]);
        for by in [
            "score",
            "phone",
            "company",
            "title",
            "source",
            "stage",
            "assignedTo",
            "engagement",
            "suspicion",
            "submissionCount",
            "stageEnteredAt",
            "convertedAt",
            "custom.due",
            "custom.nothing",
        ] {
            assert_eq!(order(by, "desc", filter).await.len(), 3, "{by}");
        }
    }
    assert_eq!(admin.get("/v1/identity/leads?sortBy=password").await.pointers(), ["/sortBy"]);
    site.stop().await;
}

#[rstest]
#[case::filter("filter", json!({"all": [{"field": "email", "op": "starts_with", "value": "a"}]}).to_string())]
#[case::custom("filter", json!({"field": "custom.note", "op": "contains", "value": "x"}).to_string())]
#[case::sort("sortBy", "email".to_owned())]
#[case::sort_by_custom("sortBy", "custom.note".to_owned())]
#[tokio::test]
async fn personal_data_is_not_to_be_found_out_by_asking(#[case] name: &str, #[case] value: String) {
    let site = Site::start(Db::Sqlite).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    for list in ["/v1/identity/leads", "/v1/identity/board"] {
        if name == "sortBy" && list.ends_with("board") {
            continue;
        }
        let answer = viewer.get(&format!("{list}?{name}={}", encoded(&value))).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{list}");
    }
    let open = json!({"field": "score", "op": "at_least", "value": 1});
    assert_eq!(ask(&viewer, &open).await.status, StatusCode::OK);
    let fields = viewer.get("/v1/identity/filter-fields").await.text();
    assert!(fields.contains(r#""name":"score""#) && !fields.contains(r#""name":"email""#), "{fields}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_field_that_visitors_send_is_listed_and_can_be_defined_and_renamed(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    site.app.submit(json!({"name": "Ada", "email": "a@x.test", "Team size": "12"})).await;
    site.app.submit(json!({"name": "Bob", "email": "b@x.test", "Team size": "few"})).await;
    write_seen(&site.app.engine).await.expect("written");
    write_seen(&site.app.engine).await.expect("written once");

    let listed = admin.get("/v1/identity/custom-fields").await.json();
    let field = &listed["data"][0];
    assert_eq!(
        (&field["key"], &field["name"], &field["type"], &field["seenCount"]),
        (&json!("teamSize"), &json!("Team size"), &json!(null), &json!(2))
    );

    define(&admin, json!({"key": "teamSize", "name": "Head count", "type": "number", "onCard": true})).await;
    let leads = admin.get("/v1/identity/leads?sortBy=name&sortOrder=asc").await.json();
    assert_eq!(leads["data"][0]["customFields"], json!({"teamSize": "12"}));
    let path = format!("/v1/identity/leads/{}", leads["data"][0]["id"].as_str().expect("an id"));
    assert_eq!(admin.get(&path).await.json()["customFields"]["_displayNames"]["teamSize"], "Head count");
    let renamed = admin.patch("/v1/identity/custom-fields/teamSize", json!({"name": "People"})).await.json();
    assert_eq!((&renamed["name"], &renamed["type"]), (&json!("People"), &json!("number")));
    let shown = admin.get(&path).await.json();
    assert_eq!(
        (&shown["customFields"]["teamSize"], &shown["customFields"]["_displayNames"]["teamSize"]),
        (&json!("12"), &json!("People"))
    );

    let again = json!({"key": "teamSize", "name": "x", "type": "text"});
    assert_eq!(admin.post("/v1/identity/custom-fields", again).await.problem().0, 409);
    assert_eq!(admin.delete("/v1/identity/custom-fields/teamSize").await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.get("/v1/identity/custom-fields").await.json()["data"][0]["type"], json!(null));
    assert_eq!(admin.get(&path).await.json()["customFields"]["teamSize"], "12");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn keys_that_a_visitor_makes_up_leave_room_for_fields_that_people_define(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    for body in 0..11 {
        let made_up = (0..100).map(|n| (format!("made{body}up{n}"), json!("x")));
        let fields: serde_json::Map<String, Value> = made_up.chain([("name".to_owned(), json!("Mallory"))]).collect();
        site.app.submit(Value::Object(fields)).await;
    }
    write_seen(&site.app.engine).await.expect("written");

    let defined = define(&admin, json!({"name": "Budget", "type": "number"})).await;

    assert_eq!(defined["key"], "budget");
    site.stop().await;
}

#[rstest]
#[case::number("budget", json!("much"), 422)]
#[case::good_number("budget", json!(7), 200)]
#[case::cleared("budget", json!(null), 200)]
#[case::date("due", json!("2026-02-30"), 422)]
#[case::option("plan", json!("Gold"), 422)]
#[case::options("likes", json!(["red", "pink"]), 422)]
#[case::good_options("likes", json!(["red"]), 200)]
#[case::flag("agreed", json!("yes"), 422)]
#[case::undefined("anything", json!({"a": 1}), 200)]
#[tokio::test]
async fn what_people_set_must_fit_the_definition(#[case] key: &str, #[case] value: Value, #[case] status: u16) {
    let site = Site::start(Db::Sqlite).await;
    let admin = people(&site).await;
    let id =
        admin.get("/v1/identity/leads?search=ada").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();

    let answer = admin.patch(&format!("/v1/identity/leads/{id}"), json!({"customFields": {key: value}})).await;

    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    if status == 422 {
        assert_eq!(answer.pointers(), [format!("/customFields/{key}")]);
    }
    site.stop().await;
}

#[rstest]
#[case::no_options(json!({"name": "a", "type": "select"}), "/options")]
#[case::twice(json!({"name": "a", "type": "select", "options": ["x", "x"]}), "/options/1")]
#[case::options_of_text(json!({"name": "a", "type": "text", "options": ["x"]}), "/options")]
#[case::no_name(json!({"key": "a", "name": " ", "type": "text"}), "/name")]
#[case::no_key(json!({"key": "a b", "name": "a", "type": "text"}), "/key")]
#[case::no_type(json!({"name": "a", "type": "json"}), "/type")]
#[tokio::test]
async fn a_definition_that_cannot_be_is_refused(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    assert_eq!(admin.post("/v1/identity/custom-fields", body.clone()).await.pointers(), [pointer]);
    assert_eq!(agent.post("/v1/identity/custom-fields", body).await.problem().0, 403);
    site.stop().await;
}
