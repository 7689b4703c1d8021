//! Putting an import back.

use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use super::{PEOPLE, bring, counts, go, import, lead, leads, path, work, wrong};
use crate::browser::{Caller, Site};

async fn undo(site: &Site, caller: &Caller<'_>, import: &Value) -> Value {
    let job = import["job"]["id"].as_str().expect("a job");
    let answer = caller.post(&format!("/v1/identity/jobs/{job}/undo"), json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    work(site).await;
    site.app.run_jobs().await;
    caller.get(&path(import, "")).await.json()["job"].clone()
}

#[rstest]
#[tokio::test]
async fn an_import_that_nobody_touched_leaves_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let many: String = (0..450).map(|number| format!("P{number};p{number}@example.com;;;\r\n")).collect();
    let file = format!("{PEOPLE}{many}Anna;anna@keller.example;;6;\r\n");
    let done = import(&site, &admin, file.clone(), json!({"tags": ["fair"]})).await;
    assert_eq!(counts(&done), [452, 0, 0, 1, 1]);

    let job = undo(&site, &admin, &done).await;

    assert_eq!((&job["state"], &job["undone"], &job["left"]), (&json!("undone"), &json!(453), &json!(0)));
    for table in ["leads", "contacts", "identities", "lead_submissions", "lead_activities", "lead_tags", "lead_scores"]
    {
        assert_eq!(site.app.count(table).await, 0, "{table}");
    }
    let board = admin.get("/v1/identity/board").await.json();
    assert_eq!((&board["stages"][0]["count"], wrong(&site).await), (&json!(0), vec![]));
    assert_eq!(admin.get("/v1/identity/leads?search=keller").await.json()["total"], 0);
    let again = bring(&site, &admin, file).await;
    assert_eq!(counts(&go(&site, &admin, &again, "/start").await), [452, 0, 0, 1, 1], "it can be brought again");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn leads_that_were_there_are_as_before_where_nobody_changed_them_since(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    for (name, email) in [("Anna", "anna@example.com"), ("Bob", "bob@example.com")] {
        site.app.submit(json!({"name": name, "email": email, "company": "Old GmbH", "Budget": "5"})).await;
    }
    site.app.run_jobs().await;
    let before = (lead(&admin, "Anna").await, lead(&admin, "Bob").await);
    let file = "Name,Email,Company,Phone,Budget,Size,Quote value\n\
                Anna,anna@example.com,New GmbH,+49 151 11111111,9,3,1000\n\
                Bob,bob@example.com,New GmbH,+49 151 22222222,9,3,2000\n";
    let done = import(&site, &admin, file, json!({})).await;
    assert_eq!(counts(&done), [0, 2, 0, 0, 0]);
    let bob = before.1["id"].as_str().expect("an id");
    let edited = admin.patch(&format!("/v1/identity/leads/{bob}"), json!({"company": "Bob's own"})).await;
    assert_eq!(edited.status, 200, "{}", edited.text());

    let job = undo(&site, &admin, &done).await;

    let (anna, bob) = (lead(&admin, "Anna").await, lead(&admin, "Bob").await);
    for field in ["name", "company", "phone", "customFields", "quoteValue", "score", "submissionCount", "tags"] {
        assert_eq!(anna[field], before.0[field], "{field}");
    }
    assert_eq!(
        (&bob["company"], &bob["phone"], &bob["customFields"]),
        (&json!("Bob's own"), &Value::Null, &before.1["customFields"])
    );
    assert_eq!((&job["undone"], &job["left"]), (&json!(1), &json!(1)));
    assert_eq!(wrong(&site).await, Vec::<&str>::new());
    let board = admin.get("/v1/identity/board").await.json();
    assert_eq!(board["stages"][0]["count"], 2);
    // What the file said that Anna is known by names nobody any more.
    site.app.submit(json!({"name": "Carl", "phone": "+49 151 11111111"})).await;
    assert_eq!(leads(&admin).await.len(), 3);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn leads_that_somebody_worked_with_can_be_restored_and_those_that_came_again_stay(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let file = "Name,Email\nNoted,noted@example.com\nAgain,again@example.com\nAlone,alone@example.com\n";
    let done = import(&site, &admin, file, json!({})).await;
    let noted = lead(&admin, "Noted").await["id"].as_str().expect("an id").to_owned();
    admin.post(&format!("/v1/identity/leads/{noted}/notes"), json!({"value": "called"})).await;
    site.app.submit(json!({"name": "Again", "email": "again@example.com", "message": "hello"})).await;
    site.app.run_jobs().await;

    let job = undo(&site, &admin, &done).await;

    let names: Vec<Value> = leads(&admin).await.into_iter().map(|lead| lead["name"].clone()).collect();
    assert_eq!(names, ["Again"]);
    assert_eq!((&job["undone"], &job["left"]), (&json!(2), &json!(1)));
    assert!(admin.get(&format!("/v1/identity/leads/{noted}")).await.json()["deletedAt"].is_string());
    assert_eq!((site.app.count("leads").await, wrong(&site).await), (2, vec![]));
    let board = admin.get("/v1/identity/board").await.json();
    assert_eq!(board["stages"][0]["count"], 1);
    site.stop().await;
}
