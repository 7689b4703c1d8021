//! Actions on all leads that match, over HTTP: who may, what may be asked, and what is seen of the job.

use leadline_domain::permissions::Role;
use leadline_engine::jobs;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const BULK: &str = "/v1/identity/leads/bulk-action";
const JOBS: &str = "/v1/identity/jobs";

async fn make(admin: &Caller<'_>, name: &str) -> Value {
    let email = format!("{}@example.com", name.to_lowercase());
    let made = admin.post("/v1/identity/leads", json!({"name": name, "email": email})).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text());
    made.json()
}

async fn run(site: &Site) {
    while jobs::step(&site.app.engine).await.expect("a step") {}
}

fn of(job: &Value) -> String {
    format!("{JOBS}/{}", job["id"].as_str().expect("an id"))
}

#[rstest]
#[tokio::test]
async fn all_that_match_are_done_by_a_job_that_can_be_followed_and_taken_back(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    for name in ["Anna", "Anton", "Berta"] {
        site.app.advance(std::time::Duration::from_secs(1));
        make(&admin, name).await;
    }
    let tree = json!({"all": [{"field": "name", "op": "starts_with", "value": "An"}]});

    let begun = admin.post(BULK, json!({"action": "tag", "tags": ["a"], "query": {"filter": tree}})).await;
    run(&site).await;
    let job = begun.json();
    let done = admin.get(&of(&job)).await.json();
    let results = admin.get(&format!("{}/results?outcome=changed", of(&job))).await.json();
    let masked = viewer.get(&format!("{}/results", of(&job))).await.json();
    let tagged = admin.get("/v1/identity/leads?tag=a").await.json();
    site.app.advance(std::time::Duration::from_secs(1));
    let undoing = admin.post(&format!("{}/undo", of(&job)), json!({})).await;
    run(&site).await;
    let undone = admin.get(&of(&job)).await.json();
    let listed = admin.get(&format!("{JOBS}?kind=leads.bulk&state=undone")).await.json();

    assert_eq!((begun.status.as_u16(), &job["state"], &job["total"]), (202, &json!("queued"), &json!(2)));
    assert_eq!(job["about"], json!({"action": "tag", "tags": ["a"]}));
    let counts = |job: &Value| ["done", "changed", "failed", "undone", "left"].map(|name| job[name].as_i64());
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), [Some(2), Some(2), Some(0), Some(0), Some(0)]));
    assert_eq!((&done["canUndo"], &done["startedBy"]), (&json!(true), &json!("admin@example.com")));
    let names: Vec<&str> =
        results["data"].as_array().expect("results").iter().filter_map(|row| row["leadName"].as_str()).collect();
    assert_eq!((names, &results["total"], &tagged["total"]), (vec!["Anton", "Anna"], &json!(2), &json!(2)));
    assert!(!masked.to_string().contains("Ann"), "{masked}");
    assert_eq!(undoing.status.as_u16(), 202, "{}", undoing.text());
    assert_eq!((&undone["state"], counts(&undone)), (&json!("undone"), [Some(2), Some(2), Some(0), Some(2), Some(0)]));
    assert_eq!((&undone["canUndo"], &undone["undoneBy"]), (&json!(false), &json!("admin@example.com")));
    assert_eq!((&listed["total"], &listed["data"][0]), (&json!(1), &undone));
    assert_eq!(admin.get("/v1/identity/leads?tag=a").await.json()["total"], 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_job_of_another_workspace_does_not_exist(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    make(&admin, "Anna").await;
    let job = admin.post(BULK, json!({"action": "tag", "tags": ["a"], "query": {}})).await.json();
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::SuperAdmin).await;
    let stranger = site.with_token(&token);

    let theirs = stranger.post(BULK, json!({"action": "delete", "query": {}})).await.json();
    let seen = [
        stranger.get(&of(&job)).await,
        stranger.get(&format!("{}/results", of(&job))).await,
        stranger.delete(&of(&job)).await,
        stranger.post(&format!("{}/undo", of(&job)), json!({})).await,
    ];
    run(&site).await;
    let after = stranger.post(&format!("{}/undo", of(&job)), json!({})).await;

    assert_eq!(seen.map(|answer| answer.status.as_u16()), [404; 4]);
    assert_eq!((after.status.as_u16(), &theirs["total"]), (404, &json!(0)));
    assert_eq!(stranger.get(JOBS).await.json()["total"], 1);
    assert_eq!(admin.get("/v1/identity/leads").await.json()["total"], 1, "nobody else deletes it");
    assert_eq!(admin.get(&of(&job)).await.json()["changed"], 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_a_role_may_not_do_to_one_lead_it_may_not_do_to_many(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let anna = make(&admin, "Anna").await;

    let deletes = json!({"action": "delete", "query": {}});
    let tags = json!({"action": "tag", "tags": ["a"], "query": {}});
    let refused = [
        agent.post(BULK, deletes.clone()).await,
        viewer.post(BULK, tags.clone()).await,
        agent.post(BULK, json!({"action": "restore", "query": {}})).await,
    ];
    let deleting = admin.post(BULK, deletes).await.json();
    let stopped_by_agent = agent.delete(&of(&deleting)).await;
    run(&site).await;
    let restored_by_agent = agent.post(&format!("{}/undo", of(&deleting)), json!({})).await;
    let at_once = admin.post(BULK, json!({"action": "restore", "leadIds": [anna["id"]]})).await.json();
    let path = format!("{JOBS}/{}", at_once["jobId"].as_str().expect("an id"));
    let deleted_by_agent = agent.post(&format!("{path}/undo"), json!({})).await;
    let stopped_by_viewer = viewer.delete(&path).await;

    assert_eq!(refused.map(|answer| answer.problem()), [(); 3].map(|()| (403, "forbidden".to_owned())));
    for answer in [stopped_by_agent, restored_by_agent, deleted_by_agent, stopped_by_viewer] {
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    }
    assert_eq!(agent.post(BULK, tags).await.status.as_u16(), 202);
    assert_eq!(admin.delete(&path).await.problem(), (409, "job_ended".to_owned()));
    assert_eq!(viewer.get(&path).await.json()["changed"], 1, "whoever sees leads sees what became of them");
    site.stop().await;
}

#[rstest]
#[case::both(json!({"leadIds": [], "query": {}}), "/query")]
#[case::neither(json!({}), "/leadIds")]
#[case::unknown(json!({"query": {"password": "x"}}), "/query/password")]
#[case::not_a_tree(json!({"query": {"filter": [1]}}), "/query/filter")]
#[case::unknown_field(json!({"query": {"filter": {"field": "1; DROP TABLE leads", "op": "is", "value": 1}}}),
    "/query/filter/field")]
#[case::nul(json!({"query": {"filter": {"field": "name", "op": "is", "value": "a\u{0}"}}}), "/query/filter/value")]
#[case::no_id(json!({"query": {"stageId": "' OR 1=1 --"}}), "/query/stageId")]
#[case::nobody(json!({"query": {"assignedTo": "everybody"}}), "/query/assignedTo")]
#[case::long(json!({"query": {"search": "x".repeat(501)}}), "/query/search")]
#[case::huge(json!({"query": {"filter": {"all": vec![json!({"field": "name", "op": "is", "value": "x"}); 51]}}}),
    "/query/filter")]
#[tokio::test]
async fn a_query_that_cannot_be_is_refused(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let mut body = body;
    body["action"] = json!("delete");

    let answer = site.with_token(&token).post(BULK, body).await;

    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text());
    assert!(answer.pointers()[0].starts_with(pointer), "{:?}", answer.pointers());
    assert_eq!(site.app.count("jobs").await, 0);
    site.stop().await;
}

/// Texts that break a statement if they get into one, as whatever a filter takes.
#[rstest]
#[tokio::test]
async fn hostile_texts_find_nothing_and_break_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    make(&admin, "Anna").await;

    for text in ["' OR '1'='1", "\\", "%", "_", "\"; DROP TABLE leads; --", "$1", "a\u{0}b", "\u{202e}"] {
        for query in [
            json!({"search": format!("{text}zz")}),
            json!({"tag": text}),
            json!({"source": text}),
            json!({"filter": {"field": "company", "op": "contains", "value": format!("{}zz", text.replace('\0', ""))}}),
        ] {
            let begun = admin.post(BULK, json!({"action": "delete", "query": query})).await;
            assert!(!begun.status.is_server_error(), "{query}: {}", begun.text());
            run(&site).await;
        }
    }
    let list = admin.get(&format!("{JOBS}?kind=%27%20OR%201%3D1%00&limit=200")).await.json();

    assert_eq!(site.app.count("leads WHERE deleted_at IS NULL").await, 1);
    assert_eq!(site.app.count("jobs WHERE state <> 'done' OR changed > 0").await, 0);
    assert_eq!(list["total"], 0);
    assert_eq!(admin.get(&format!("{JOBS}?state=burnt")).await.problem(), (422, "invalid_fields".to_owned()));
    site.stop().await;
}
