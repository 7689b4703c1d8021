//! Steps that send nothing, segments in conditions and splitting off over HTTP: how they are written, what is refused at which field, and what a dry run says.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use leadline_domain::permissions::Role;
use leadline_engine::{automations::runner, scoring::rescore};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site, encoded};

const AUTOMATIONS: &str = "/v1/identity/lead-automations";
const NOBODY: &str = "0199ffff-ffff-7fff-bfff-ffffffffffff";

async fn made(caller: &Caller<'_>, path: &str, body: Value) -> Value {
    let answer = caller.post(path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

fn automation(steps: &Value) -> Value {
    json!({"name": "Steps", "trigger": {"event": "lead.created"}, "steps": steps})
}

#[rstest]
#[tokio::test]
async fn every_kind_of_step_is_kept_as_it_was_written(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let pipelines = admin.get("/v1/identity/lead-pipelines").await.json();
    let stage = pipelines["data"][0]["stages"][1]["id"].clone();
    let me = admin.get("/v1/admin/members").await.json()["data"][0]["id"].clone();
    let destination = json!({"name": "CRM", "url": "https://crm.example/hook", "events": ["lead.created"]});
    let destination = made(&admin, "/v1/delivery/destinations", destination).await;
    let steps = json!([
        {"kind": "wait", "delayMinutes": 60},
        {"kind": "wait_for_reply", "delayMinutes": 1440, "onReply": "end", "onTimeout": "go_on"},
        {"kind": "condition", "delayMinutes": 0, "filter": {"field": "score", "op": "at_least", "value": 10},
         "otherwise": "skip_next"},
        {"kind": "assign", "delayMinutes": 0},
        {"kind": "assign", "delayMinutes": 0, "assignedTo": me},
        {"kind": "add_tag", "delayMinutes": 0, "tag": "hot"},
        {"kind": "remove_tag", "delayMinutes": 0, "tag": "cold"},
        {"kind": "move_stage", "delayMinutes": 0, "stageId": stage},
        {"kind": "add_note", "delayMinutes": 0, "note": "Call them"},
        {"kind": "call_destination", "delayMinutes": 0, "destinationId": destination["id"]},
    ]);
    let mut asked = automation(&steps);
    asked["condition"] = json!({"field": "source", "op": "is", "value": "form"});
    asked["exitOn"] = json!(["stage_left", "unsubscribed"]);
    asked["exitStageId"] = stage;

    let kept = made(&admin, AUTOMATIONS, asked.clone()).await;
    let path = format!("{AUTOMATIONS}/{}", kept["id"].as_str().expect("an id"));
    let shown = admin.get(&path).await.json();

    let without_message = |step: &Value| {
        let mut step = step.clone();
        let fields = step.as_object_mut().expect("an object");
        for name in ["channel", "templateId", "fallbackChannel", "fallbackTemplateId"] {
            assert_eq!(fields.remove(name), Some(Value::Null));
        }
        step
    };
    let shown_steps: Vec<Value> = shown["steps"].as_array().expect("steps").iter().map(without_message).collect();
    assert_eq!(json!(shown_steps), steps);
    for field in ["condition", "exitStageId"] {
        assert_eq!(shown[field], asked[field], "{field}");
    }
    assert_eq!(shown["exitOn"], json!(["unsubscribed", "stage_left"]));
    let cleared = admin.patch(&path, json!({"condition": null, "exitOn": []})).await.json();
    assert_eq!((&cleared["condition"], &cleared["exitStageId"]), (&Value::Null, &Value::Null));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_wrong_with_a_step_is_pointed_at(#[values(Db::Sqlite)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let pipelines = admin.get("/v1/identity/lead-pipelines").await.json();
    let stage = &pipelines["data"][0]["stages"][1]["id"];
    for (step, pointer) in [
        (json!({"kind": "wait"}), "delayMinutes"),
        (json!({"channel": "sms"}), "templateId"),
        (json!({"kind": "add_tag"}), "tag"),
        (json!({"kind": "add_tag", "tag": "a\u{0}"}), "tag"),
        (json!({"kind": "wait", "delayMinutes": 5, "tag": "hot"}), "tag"),
        (json!({"kind": "assign", "assignedTo": NOBODY}), "assignedTo"),
        (json!({"kind": "move_stage", "stageId": NOBODY}), "stageId"),
        (json!({"kind": "move_stage", "stageId": stage, "reason": "No reason"}), "reason"),
        (json!({"kind": "call_destination", "destinationId": NOBODY}), "destinationId"),
        (json!({"kind": "condition", "filter": {"field": "nothing", "op": "is"}}), "filter/field"),
    ] {
        let refused = admin.post(AUTOMATIONS, automation(&json!([step]))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{step}: {}", refused.text());
        let errors = refused.json()["errors"].clone();
        assert_eq!(errors[0]["pointer"], format!("/steps/0/{pointer}"), "{step}: {errors}");
    }
    let segment = json!({"name": "Hot", "filter": {"all": []}, "isFollowed": false});
    let segment = made(&admin, "/v1/identity/segments", segment).await;
    let mut on_segment = automation(&json!([{"kind": "add_tag", "tag": "hot"}]));
    on_segment["trigger"] = json!({"event": "lead.segment_entered", "segmentId": segment["id"]});
    let refused = admin.post(AUTOMATIONS, on_segment).await.json();
    assert_eq!(refused["errors"][0]["pointer"], "/trigger/segmentId");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_dry_run_says_what_each_step_would_do(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let lead = made(&admin, "/v1/identity/leads", json!({"name": "Ada", "tags": ["vip"]})).await;
    let is_vip = json!({"field": "tags", "op": "any_of", "value": ["vip"]});
    let is_new = json!({"field": "tags", "op": "any_of", "value": ["new"]});
    let mut asked = automation(&json!([
        {"kind": "condition", "filter": is_vip},
        {"kind": "add_tag", "tag": "hot", "delayMinutes": 5},
        {"kind": "condition", "filter": is_new, "otherwise": "skip_next"},
        {"kind": "add_note", "note": "New"},
        {"kind": "condition", "filter": is_new},
        {"kind": "assign"},
    ]));

    let path = format!("{AUTOMATIONS}/dry-run");
    let played = made(&admin, &path, json!({"leadId": lead["id"], "automation": asked})).await;
    asked["condition"] = is_new;
    let not_met = made(&admin, &path, json!({"leadId": lead["id"], "automation": asked})).await;

    let steps = played["steps"].as_array().expect("steps");
    let reached: Vec<bool> = steps.iter().map(|step| step["isReached"] == true).collect();
    assert_eq!(reached, [true, true, true, false, true, false]);
    assert_eq!(steps[1]["words"], "Adds the tag hot");
    assert_eq!(steps[1]["message"], Value::Null);
    assert_eq!(not_met["reason"], "conditions_not_met");
    assert_eq!(site.app.count("automation_runs").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn conditions_ask_who_is_in_a_segment(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    made(&admin, "/v1/identity/leads", json!({"name": "Ada", "tags": ["vip"]})).await;
    made(&admin, "/v1/identity/leads", json!({"name": "Bob"})).await;
    let vip = json!({"name": "VIP", "filter": {"field": "tags", "op": "any_of", "value": ["vip"]}});
    let vip = made(&admin, "/v1/identity/segments", vip).await;
    let names = async |op: &str, value: Value| {
        let filter = json!({"field": "segment", "op": op, "value": value}).to_string();
        let filter = encoded(&filter);
        let found = admin.get(&format!("/v1/identity/leads?filter={filter}")).await.json();
        found["data"].as_array().expect("leads").iter().map(|lead| lead["name"].clone()).collect::<Vec<_>>()
    };

    assert_eq!(names("is", vip["id"].clone()).await, ["Ada"]);
    assert_eq!(names("none_of", json!([vip["id"]])).await, ["Bob"]);
    let view = json!({"name": "VIP leads", "filter": {"field": "segment", "op": "is", "value": vip["id"]}});
    made(&admin, "/v1/identity/views", view).await;
    let itself = json!({"filter": {"field": "segment", "op": "is", "value": vip["id"]}});
    let path = format!("/v1/identity/segments/{}", vip["id"].as_str().expect("an id"));
    assert_eq!(admin.patch(&path, itself).await.json()["errors"][0]["pointer"], "/filter/value");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_score_that_crosses_by_scoring_again_starts_it_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    site.app.submit(json!({"name": "Ben", "phone": "12"})).await;
    site.app.run_jobs().await;
    let mut asked = automation(&json!([{"kind": "add_tag", "tag": "warm"}]));
    asked["trigger"] = json!({"event": "lead.score_crossed", "score": 5});
    made(&admin, AUTOMATIONS, asked).await;
    let lead = admin.get("/v1/identity/leads").await.json()["data"][0].clone();
    assert_eq!(lead["score"], 3);
    let path = format!("/v1/identity/leads/{}", lead["id"].as_str().expect("an id"));
    admin.patch(&path, json!({"company": null})).await;
    site.app.advance(Duration::from_secs(60));

    let weights = json!({"version": 0, "weights": {"phone_not_valid": 0}});
    assert_eq!(admin.send(Method::PUT, "/v1/identity/scoring", Some(weights)).await.status, StatusCode::OK);
    admin.send(Method::POST, "/v1/identity/scoring/rescore", None).await;
    while rescore::step(&site.app.engine, 200).await.expect("a batch") {}
    site.app.run_jobs().await;
    runner::send_due(&site.app.engine).await.expect("steps are done");
    site.app.run_jobs().await;
    // Nothing that happens after it starts it again.
    site.app.advance(Duration::from_mins(10));
    admin.patch(&path, json!({"name": "Benjamin"})).await;
    site.app.run_jobs().await;

    let shown = admin.get(&path).await.json();
    assert_eq!((&shown["score"], &shown["tags"]), (&json!(10), &json!(["warm"])));
    assert_eq!(site.app.count("automation_runs").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_submission_is_split_off_by_who_may_change_leads(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let ada = site.app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await.lead.expect("a lead");
    site.app.advance(Duration::from_secs(1));
    let bob = site.app.submit(json!({"name": "Bob", "email": "ada@example.com"})).await;
    let path = format!("/v1/identity/leads/{ada}/split-off");
    let wish = json!({"submissionId": bob.receipt, "reason": "Somebody else"});
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    let refused = viewer.post(&path, wish.clone()).await;
    let split = made(&admin, &path, wish.clone()).await;
    let again = admin.post(&path, wish).await;
    let unknown = admin.post(&path, json!({"submissionId": NOBODY})).await;

    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(split["fromLeadId"], json!(ada));
    let submissions = format!("/v1/capture/submissions?leadId={}", split["leadId"].as_str().expect("an id"));
    let moved = admin.get(&submissions).await.json()["data"][0].clone();
    assert_eq!(moved["matchReason"]["splitReason"], "Somebody else");
    assert_eq!((again.status, unknown.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    site.stop().await;
}
