//! Pipelines over HTTP: two who edit one at once, stages that go while leads come in, the pipeline of a project, and the
//! reasons that leads are won or lost for.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_store::verify;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

const PIPELINES: &str = "/v1/identity/lead-pipelines";

fn id(of: &Value) -> &str {
    of["id"].as_str().expect("an id")
}

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn default_pipeline(caller: &Caller<'_>) -> Value {
    caller.get(PIPELINES).await.json()["data"][0].clone()
}

async fn second_pipeline(caller: &Caller<'_>, extra: Value) -> Value {
    let mut wish = json!({"name": "Rent"});
    wish.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    ok(&caller.post(PIPELINES, wish).await)
}

async fn edit(caller: &Caller<'_>, pipeline: &Value, change: Value) -> Answer {
    caller.patch(&format!("{PIPELINES}/{}", id(pipeline)), change).await
}

async fn lead(caller: &Caller<'_>, body: Value) -> Value {
    ok(&caller.post("/v1/identity/leads", body).await)
}

async fn read(caller: &Caller<'_>, lead: &Value) -> Value {
    ok(&caller.get(&format!("/v1/identity/leads/{}", id(lead))).await)
}

async fn put(caller: &Caller<'_>, lead: &Value, body: Value) -> Answer {
    caller.patch(&format!("/v1/identity/leads/{}/stage", id(lead)), body).await
}

/// The books of counts and values must be right whatever happened.
async fn expect_sums_add_up(site: &Site) {
    let report = verify::run(&site.app.engine.store.reader(), site.app.now()).await.expect("the database can be read");
    for check in report.checks.iter().filter(|check| check.name.starts_with("stages whose")) {
        assert!(check.adds_up(), "{check:?}");
    }
}

#[rstest]
#[tokio::test]
async fn of_two_who_edit_a_pipeline_the_second_is_told_and_overwrites_nothing(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let seen = default_pipeline(&admin).await;
    let mut with_one_more = seen["stages"].as_array().expect("stages").clone();
    with_one_more.insert(1, json!({"name": "Called", "color": "teal", "kind": "open"}));

    let first = edit(&admin, &seen, json!({"version": seen["version"], "stages": with_one_more})).await;
    let second =
        edit(&admin, &seen, json!({"version": seen["version"], "name": "Mine", "stages": seen["stages"]})).await;

    let first = ok(&first);
    assert_eq!(first["version"].as_i64(), seen["version"].as_i64().map(|version| version + 1));
    assert_eq!((second.problem(), second.pointers()), ((409, "conflict".to_owned()), vec!["/version".to_owned()]));
    assert_eq!(default_pipeline(&admin).await, first);
    let again = edit(&admin, &seen, json!({"version": first["version"], "name": "Mine"})).await;
    assert_eq!((&ok(&again)["name"], &again.json()["stages"]), (&json!("Mine"), &first["stages"]));
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_edits_at_one_moment_one_wins(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let seen = default_pipeline(&admin).await;
    let rename = |name: &str| edit(&admin, &seen, json!({"version": seen["version"], "name": name}));

    let (one, two) = tokio::join!(rename("One"), rename("Two"));

    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let winner = if one.status == StatusCode::OK { "One" } else { "Two" };
    assert_eq!(default_pipeline(&admin).await["name"], winner);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_stage_keeps_what_was_set_until_somebody_sets_it_otherwise(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let seen = default_pipeline(&admin).await;
    let mut stages = seen["stages"].as_array().expect("stages").clone();
    stages[0]["probability"] = json!(15);
    stages[0]["staleAfterDays"] = json!(7);

    ok(&edit(&admin, &seen, json!({"stages": stages})).await);
    // As a program writes that knows of neither.
    for stage in &mut stages {
        let fields = stage.as_object_mut().expect("an object");
        fields.retain(|name, _| ["id", "name", "color", "kind"].contains(&name.as_str()));
    }
    stages[3]["kind"] = json!("won");
    let after = ok(&edit(&admin, &seen, json!({"stages": stages})).await);
    stages[0]["staleAfterDays"] = json!(null);
    let never = ok(&edit(&admin, &seen, json!({"stages": stages})).await);

    let of = |pipeline: &Value, name: &str| -> Vec<Value> {
        pipeline["stages"].as_array().expect("stages").iter().map(|stage| stage[name].clone()).collect()
    };
    assert_eq!(of(&seen, "probability"), [10, 20, 40, 60, 100, 0]);
    assert_eq!(of(&after, "probability"), [15, 20, 40, 100, 100, 0], "what becomes won is certain");
    assert_eq!(
        (&after["stages"][0]["staleAfterDays"], &never["stages"][0]["staleAfterDays"]),
        (&json!(7), &json!(null))
    );
    site.stop().await;
}

#[rstest]
#[case::one_stage(json!({"stages": [{"name": "A", "color": "blue", "kind": "open"}]}), "/stages")]
#[case::percent(json!({"stages": [{"name": "A", "color": "blue", "kind": "open", "probability": 101}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/probability")]
#[case::negative(json!({"stages": [{"name": "A", "color": "blue", "kind": "open", "probability": -1}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/probability")]
#[case::fraction(json!({"stages": [{"name": "A", "color": "blue", "kind": "open", "probability": 0.5}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/probability")]
#[case::stale_at_once(json!({"stages": [{"name": "A", "color": "blue", "kind": "open", "staleAfterDays": 0}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/staleAfterDays")]
#[case::stale_never(json!({"stages": [{"name": "A", "color": "blue", "kind": "open", "staleAfterDays": i64::MAX}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/staleAfterDays")]
#[case::huge(json!({"stages": [{"name": "A", "color": "blue", "kind": "open", "staleAfterDays": u64::MAX}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/staleAfterDays")]
#[case::colour(json!({"stages": [{"name": "A", "color": "\u{0}", "kind": "open"}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/color")]
#[case::kind(json!({"stages": [{"name": "A", "color": "blue", "kind": "maybe"}, {"name": "B", "color": "blue", "kind": "won"}]}), "/stages/0/kind")]
#[case::name(json!({"name": "\u{0}"}), "/name")]
#[case::empty_reason(json!({"lostReasons": ["Price", " \u{0}"]}), "/lostReasons/1")]
#[case::reason_twice(json!({"wonReasons": ["Price", " Price"]}), "/wonReasons/1")]
#[case::long_reason(json!({"lostReasons": ["x".repeat(81)]}), "/lostReasons/0")]
#[case::many_reasons(json!({"lostReasons": (0..31).map(|n| n.to_string()).collect::<Vec<_>>()}), "/lostReasons")]
#[case::nothing_to_choose(json!({"lostReasonRequired": true}), "/lostReasonRequired")]
#[case::no_default(json!({"isDefault": false}), "/isDefault")]
#[tokio::test]
async fn a_pipeline_that_cannot_be_so_is_refused_with_a_pointer(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] change: Value,
    #[case] pointer: &str,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let seen = default_pipeline(&admin).await;

    let refused = edit(&admin, &seen, change).await;

    assert_eq!((refused.problem(), refused.pointers()), ((422, "invalid_fields".to_owned()), vec![pointer.to_owned()]));
    assert_eq!(default_pipeline(&admin).await, seen);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_stage_with_leads_goes_only_with_a_target_and_takes_their_worth_along(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let anna = lead(&admin, json!({"name": "Anna", "quoteValue": "900.50"})).await;
    let seen = default_pipeline(&admin).await;
    assert_eq!((&seen["stages"][0]["leadCount"], &seen["stages"][1]["leadCount"]), (&json!(1), &json!(0)));
    let rest = seen["stages"].as_array().expect("stages")[1..].to_vec();

    let homeless = edit(&admin, &seen, json!({"version": seen["version"], "stages": rest})).await;
    let into_itself = edit(&admin, &seen, json!({"stages": rest, "moveLeadsTo": seen["stages"][0]["id"]})).await;
    let change = json!({"version": seen["version"], "stages": rest, "moveLeadsTo": seen["stages"][2]["id"]});
    let removed = ok(&edit(&admin, &seen, change).await);

    assert_eq!((homeless.problem().0, homeless.pointers()), (409, vec!["/moveLeadsTo".to_owned()]));
    assert_eq!((into_itself.problem().0, into_itself.pointers()), (422, vec!["/moveLeadsTo".to_owned()]));
    assert_eq!(removed["stages"].as_array().map(Vec::len), Some(5));
    assert_eq!(read(&admin, &anna).await["stageId"], seen["stages"][2]["id"]);
    let board = admin.get("/v1/identity/board").await.json();
    assert_eq!((&board["stages"][1]["count"], &board["stages"][1]["value"]), (&json!(1), &json!("900.50")));
    expect_sums_add_up(&site).await;
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_lead_is_left_in_a_stage_that_goes_while_it_is_moved_there(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    for round in 0..6 {
        let seen = default_pipeline(&admin).await;
        let anna = lead(&admin, json!({"name": format!("Anna {round}"), "quoteValue": "1"})).await;
        let mut stages = seen["stages"].as_array().expect("stages").clone();
        let gone = stages.remove(1)["id"].clone();
        stages.insert(1, json!({"name": "Fresh", "color": "teal", "kind": "open"}));
        let change = json!({"stages": stages, "moveLeadsTo": seen["stages"][0]["id"]});

        let (edited, moved) = tokio::join!(edit(&admin, &seen, change), put(&admin, &anna, json!({"stageId": gone})));

        ok(&edited);
        assert!([200, 422].contains(&moved.status.as_u16()), "{}", moved.text());
        let home = read(&admin, &anna).await["stageId"].clone();
        let there = default_pipeline(&admin).await["stages"].as_array().expect("stages").clone();
        assert!(there.iter().any(|stage| stage["id"] == home), "{home} is no stage any more");
    }
    expect_sums_add_up(&site).await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn another_pipeline_becomes_the_default_one_and_takes_new_leads(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let first = default_pipeline(&admin).await;
    let second = second_pipeline(&admin, json!({})).await;

    let made = ok(&edit(&admin, &second, json!({"isDefault": true})).await);
    let new = lead(&admin, json!({"name": "Anna"})).await;
    let deleted = admin.delete(&format!("{PIPELINES}/{}", id(&first))).await;
    let refused = admin.delete(&format!("{PIPELINES}/{}", id(&second))).await;

    assert_eq!(made["isDefault"], true);
    assert_eq!(new["pipelineId"], second["id"]);
    assert_eq!((deleted.status.as_u16(), refused.status.as_u16()), (204, 409));
    let all = admin.get(PIPELINES).await.json();
    assert_eq!((all["data"].as_array().map(Vec::len), &all["data"][0]["id"]), (Some(1), &second["id"]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_project_names_the_pipeline_that_its_leads_come_into(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let first = default_pipeline(&admin).await;
    let second = second_pipeline(&admin, json!({})).await;
    // The workspace's first project is the oldest one.
    site.app.advance(std::time::Duration::from_secs(1));
    let wish = json!({"name": "Flats", "pipelineId": second["id"]});
    let project = ok(&admin.post("/v1/capture/projects", wish).await);
    let form = ok(&admin.post("/v1/capture/forms", json!({"name": "Form", "projectId": project["id"]})).await);
    let submit = async |name: &str| {
        let path = format!("/f/{}", form["key"].as_str().expect("a key"));
        let receipt = site.stranger().post(&path, json!({"name": name, "email": format!("{name}@example.com")})).await;
        let lead = ok(&receipt)["leadId"].as_str().expect("a lead").to_owned();
        admin.get(&format!("/v1/identity/leads/{lead}")).await.json()
    };

    let by_form = submit("anna").await;
    let by_hand = lead(&admin, json!({"name": "Ben", "projectId": project["id"]})).await;
    let elsewhere = lead(&admin, json!({"name": "Carl"})).await;
    let target = first["stages"][0]["id"].as_str().expect("an id").to_owned();
    let deleted = admin.delete(&format!("{PIPELINES}/{}?moveLeadsTo={target}", id(&second))).await;
    let afterwards = submit("dora").await;

    assert_eq!(project["pipelineId"], second["id"]);
    assert_eq!((&by_form["stageId"], &by_hand["stageId"]), (&second["stages"][0]["id"], &second["stages"][0]["id"]));
    assert_eq!(elsewhere["pipelineId"], first["id"]);
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text());
    assert_eq!(afterwards["pipelineId"], first["id"]);
    let projects = admin.get("/v1/capture/projects").await.json();
    assert_eq!(projects["data"][1]["pipelineId"], json!(null));
    let foreign = json!({"pipelineId": second["id"]});
    let refused = admin.patch(&format!("/v1/capture/projects/{}", id(&project)), foreign).await;
    assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/pipelineId".to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lost_lead_says_why_until_it_is_open_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let pipeline = default_pipeline(&admin).await;
    let reasons = json!({"lostReasons": ["Price", "No answer"], "lostReasonRequired": true});
    ok(&edit(&admin, &pipeline, reasons).await);
    let (new, lost) = (&pipeline["stages"][0]["id"], &pipeline["stages"][5]["id"]);
    let anna = lead(&admin, json!({"name": "Anna"})).await;

    let silent = put(&admin, &anna, json!({"stageId": lost})).await;
    let unknown = put(&admin, &anna, json!({"stageId": lost, "reason": "Bad luck"})).await;
    let while_open = put(&admin, &anna, json!({"stageId": new, "reason": "Price"})).await;
    for refused in [&silent, &unknown, &while_open] {
        assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/reason".to_owned()]));
    }
    assert_eq!(read(&admin, &anna).await["stageId"], *new, "nothing has moved");

    let told = ok(&put(&admin, &anna, json!({"stageId": lost, "reason": "Price"})).await);
    assert_eq!(told["closeReason"], "Price");
    let timeline = read(&admin, &anna).await["activity"].as_array().expect("a timeline").clone();
    let moved = timeline.iter().find(|line| line["kind"] == "lead.stage_changed").expect("a line");
    assert_eq!(moved["data"]["reason"], "Price");
    assert_eq!(site.app.count("events WHERE kind = 'lead.stage_changed'").await, 1);

    let path = format!("/v1/identity/leads/{}", id(&anna));
    let changed = ok(&admin.patch(&path, json!({"closeReason": "No answer"})).await);
    let cleared = admin.patch(&path, json!({"closeReason": null})).await;
    assert_eq!(changed["closeReason"], "No answer");
    assert_eq!((cleared.problem().0, cleared.pointers()), (422, vec!["/closeReason".to_owned()]));

    let reopened = ok(&put(&admin, &anna, json!({"stageId": new})).await);
    assert_eq!(reopened["closeReason"], json!(null));
    let bulk = json!({"action": "move_stage", "leadIds": [anna["id"]], "stageId": lost, "reason": "Price"});
    assert_eq!(ok(&admin.post("/v1/identity/leads/bulk-action", bulk).await)["succeeded"], 1);
    assert_eq!(read(&admin, &anna).await["closeReason"], "Price");
    let bulk =
        json!({"action": "move_stage", "leadIds": [lead(&admin, json!({"name": "Ben"})).await["id"]], "stageId": lost});
    let refused = admin.post("/v1/identity/leads/bulk-action", bulk).await;
    assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/reason".to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_may_not_see_people_still_sees_why_and_how_much(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let pipeline = default_pipeline(&admin).await;
    ok(&edit(&admin, &pipeline, json!({"lostReasons": ["Price"]})).await);
    let anna = lead(&admin, json!({"name": "Anna", "email": "anna@keller.example", "quoteValue": "10"})).await;
    ok(&put(&admin, &anna, json!({"stageId": pipeline["stages"][5]["id"], "reason": "Price"})).await);

    let shown = read(&viewer, &anna).await;
    let moved = put(&viewer, &anna, json!({"stageId": pipeline["stages"][0]["id"]})).await;
    let edited = edit(&viewer, &pipeline, json!({"name": "Mine"})).await;

    assert_eq!(
        (&shown["closeReason"], &shown["quoteValue"], &shown["masked"]),
        (&json!("Price"), &json!("10.00"), &json!(true))
    );
    assert!(!shown.to_string().contains("keller"), "{shown}");
    assert_eq!((moved.status.as_u16(), edited.status.as_u16()), (403, 403));
    site.stop().await;
}
