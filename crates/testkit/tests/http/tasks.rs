//! Tasks over HTTP: making them, ticking them off, and being reminded of them.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const TASKS: &str = "/v1/identity/tasks";
const HOUR: Duration = Duration::from_secs(3_600);

async fn make(caller: &Caller<'_>, task: Value) -> Value {
    let answer = caller.post(TASKS, task).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn path(task: &Value) -> String {
    format!("{TASKS}/{}", task["id"].as_str().expect("an id"))
}

async fn titles(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let answer = caller.get(&format!("{TASKS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let tasks = answer.json()["data"].clone();
    let tasks = tasks.as_array().expect("tasks");
    tasks.iter().map(|task| task["title"].as_str().expect("a title").to_owned()).collect()
}

async fn alerts(caller: &Caller<'_>) -> Vec<String> {
    let alerts = caller.get("/v1/identity/alerts").await.json();
    let alerts = alerts["data"].as_array().expect("alerts");
    alerts.iter().map(|alert| alert["kind"].as_str().expect("a kind").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_made_listed_and_ticked_off(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let bob = site.member("bob@example.com", Role::Agent).await;
    let lead = site.app.submit(json!({"name": "ada", "email": "ada@example.com"})).await.lead.expect("a lead");
    let hours = |n: i64| site.app.now().plus_ms(n * 3_600_000);
    make(&ann, json!({"title": "Some day"})).await;
    make(&ann, json!({"title": "Tomorrow", "dueAt": hours(24)})).await;
    let call = make(&ann, json!({"title": "Call Ada", "leadId": lead, "dueAt": hours(1)})).await;
    make(&ann, json!({"title": "Bob's", "assigneeId": bob, "dueAt": hours(2)})).await;

    assert_eq!(titles(&ann, "").await, ["Call Ada", "Bob's", "Tomorrow", "Some day"]);
    assert_eq!(titles(&ann, "assignee=me").await, ["Call Ada", "Tomorrow", "Some day"]);
    assert_eq!(titles(&ann, &format!("leadId={lead}")).await, ["Call Ada"]);
    let before = crate::browser::encoded(&hours(3).to_string());
    assert_eq!(titles(&ann, &format!("dueBefore={before}")).await, ["Call Ada", "Bob's"]);
    assert_eq!(titles(&ann, &format!("dueFrom={before}")).await, ["Tomorrow", "Some day"]);
    assert_eq!((&call["leadName"], &call["assigneeName"]), (&json!("ada"), &json!("ann@example.com")));

    let done = ann.patch(&path(&call), json!({"done": true, "version": 1})).await.json();
    assert_eq!((&done["doneByName"], &done["version"]), (&json!("ann@example.com"), &json!(2)));
    let stale = ann.patch(&path(&call), json!({"done": false, "version": 1})).await;
    assert_eq!(stale.problem(), (409, "stale_version".to_owned()));
    assert_eq!(titles(&ann, "state=done").await, ["Call Ada"]);
    ann.patch(&path(&call), json!({"done": false})).await;
    assert_eq!(titles(&ann, &format!("leadId={lead}")).await, ["Call Ada"]);
    let lines = ann.get(&format!("/v1/identity/leads/{lead}")).await.json()["activity"].clone();
    let mut kinds: Vec<&str> =
        lines.as_array().expect("lines").iter().filter_map(|line| line["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["lead.created", "task.added", "task.done", "task.reopened"]);
    // A deleted lead's tasks are nobody's work.
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    admin.delete(&format!("/v1/identity/leads/{lead}")).await;
    assert_eq!(titles(&ann, "").await, ["Bob's", "Tomorrow", "Some day"]);
    assert_eq!(ann.delete(&path(&call)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.delete(&path(&call)).await.status, StatusCode::NOT_FOUND);
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_task_reminds_and_is_overdue_once_each(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let hours = |n: i64| site.app.now().plus_ms(n * 3_600_000);
    let task = make(&ann, json!({"title": "Call", "remindAt": hours(1), "dueAt": hours(2)})).await;
    site.app.run_work().await;
    assert_eq!(alerts(&ann).await, Vec::<String>::new());

    site.app.advance(HOUR);
    site.app.run_work().await;
    site.app.run_work().await;
    assert_eq!(alerts(&ann).await, ["task.reminder"]);
    let alert = ann.get("/v1/identity/alerts").await.json()["data"][0].clone();
    assert_eq!(alert["taskTitle"], "Call");
    let seen = format!("/v1/identity/alerts/{}/seen", alert["id"].as_str().expect("an id"));
    let stranger = site.signed_in("bob@example.com", Role::Agent).await;
    assert_eq!(stranger.post(&seen, json!({})).await.status, StatusCode::NOT_FOUND, "it is Ann's");
    assert_eq!(ann.post(&seen, json!({})).await.status, StatusCode::NO_CONTENT);
    site.app.advance(HOUR);
    site.app.run_work().await;
    site.app.run_work().await;
    assert_eq!(alerts(&ann).await, ["task.overdue"]);

    // Another time is told of anew, and a task that is done is told of no more.
    ann.patch(&path(&task), json!({"dueAt": hours(1), "remindAt": hours(1)})).await;
    assert_eq!(alerts(&ann).await, Vec::<String>::new());
    ann.patch(&path(&task), json!({"done": true})).await;
    site.app.advance(2 * HOUR);
    site.app.run_work().await;
    assert_eq!(alerts(&ann).await, Vec::<String>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everybody_says_what_they_want_to_be_told_of(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let bob = site.signed_in("bob@example.com", Role::Agent).await;
    let bob_id = bob.get("/v1/session").await.json()["user"]["id"].clone();
    let wishes = bob.get("/v1/identity/alert-wishes").await.json()["data"].clone();
    assert!(wishes.as_array().is_some_and(|all| all.len() == 7 && all.iter().all(|wish| wish["app"] == json!(true))));

    make(&ann, json!({"title": "For Bob", "assigneeId": bob_id})).await;
    assert_eq!(alerts(&bob).await, ["task.assigned"]);
    assert_eq!(alerts(&ann).await, Vec::<String>::new(), "who does it knows");
    bob.post("/v1/identity/alerts/seen", json!({})).await;
    let wish = json!({"kind": "task.assigned", "app": false, "mail": false});
    assert_eq!(bob.patch("/v1/identity/alert-wishes", wish).await.status, StatusCode::OK);
    make(&ann, json!({"title": "Again", "assigneeId": bob_id})).await;
    assert_eq!(alerts(&bob).await, Vec::<String>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_leads_at_once_are_one_alert(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let ann_id = ann.get("/v1/session").await.json()["user"]["id"].clone();
    let mut ids = Vec::new();
    for number in 0..6 {
        let accepted =
            site.app.submit(json!({"name": format!("l{number}"), "email": format!("l{number}@e.com")})).await;
        ids.push(accepted.lead.expect("a lead"));
    }
    let all = json!({"action": "assign", "leadIds": ids, "assignedTo": ann_id});
    assert_eq!(admin.post("/v1/identity/leads/bulk-action", all).await.status, StatusCode::OK);
    site.app.run_work().await;

    let told = ann.get("/v1/identity/alerts").await.json();
    assert_eq!((&told["total"], &told["data"][0]["count"]), (&json!(1), &json!(6)), "{told}");
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_sees_no_names_sees_none_in_tasks(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let viewer_id = viewer.get("/v1/session").await.json()["user"]["id"].clone();
    let lead = site.app.submit(json!({"name": "Ada Lovelace", "email": "ada@example.com"})).await.lead.expect("a lead");
    make(&ann, json!({"title": "Call Ada Lovelace", "leadId": lead, "assigneeId": viewer_id})).await;

    for path in [TASKS, "/v1/identity/alerts", &format!("/v1/identity/leads/{lead}")] {
        let answer = viewer.get(path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.text().contains("Lovelace"), "{path}: {}", answer.text());
    }
    assert_eq!(viewer.post(TASKS, json!({"title": "x"})).await.status, StatusCode::FORBIDDEN);
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_cannot_be_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let ann = site.signed_in("ann@example.com", Role::Agent).await;
    let nobody = uuid::Uuid::from_u128(9);
    for (body, pointer) in [
        (json!({"title": "  "}), "/title"),
        (json!({"title": "a\u{0}b"}), "/title"),
        (json!({"title": "x".repeat(201)}), "/title"),
        (json!({"title": "x", "assigneeId": nobody}), "/assigneeId"),
        (json!({"title": "x", "leadId": nobody}), "/leadId"),
        (json!({"title": "x", "dueAt": "tomorrow"}), "/dueAt"),
    ] {
        let answer = ann.post(TASKS, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text());
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    let token = site.token(Role::Agent).await;
    assert_eq!(site.with_token(&token).post(TASKS, json!({"title": "x"})).await.pointers(), ["/assigneeId"]);
    site.stop().await;
}
