//! The log of deliveries, by everything that it can be asked for.

use std::time::Duration;

use leadline_domain::permissions::Role;
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const LOG: &str = "/v1/delivery/deliveries";

async fn destination(admin: &Caller<'_>, receiver: &Receiver, events: &[&str]) -> String {
    let wish = json!({"name": "CRM", "url": receiver.url(), "events": events});
    let made = admin.post("/v1/delivery/destinations", wish).await;
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()["id"].as_str().expect("an id").to_owned()
}

/// The events, states and answers of what the log lists.
async fn listed(admin: &Caller<'_>, query: &str) -> Vec<(String, String, Value)> {
    let answer = admin.get(&format!("{LOG}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let page = answer.json();
    let rows = page["data"].as_array().expect("rows");
    assert_eq!(page["total"], json!(rows.len()), "{query}");
    let text = |row: &Value, name: &str| row[name].as_str().expect("a text").to_owned();
    rows.iter().map(|row| (text(row, "event"), text(row, "state"), row["lastStatus"].clone())).collect()
}

#[rstest]
#[tokio::test]
async fn the_log_is_asked_by_destination_state_event_time_status_and_error(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (good, bad) = (Receiver::start().await, Receiver::start().await);
    let good_id = destination(&admin, &good, &["lead.created", "lead.deleted"]).await;
    let bad_id = destination(&admin, &bad, &["lead.created"]).await;
    bad.answers([Answers::Status(404), Answers::Status(503)]);
    let lead = site.app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await.lead.expect("a lead");
    site.app.run_jobs().await;
    site.app.advance(Duration::from_secs(3_600));
    let noon = site.app.now();
    admin.delete(&format!("/v1/identity/leads/{lead}")).await;
    site.app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;
    site.app.run_jobs().await;

    let created = |state: &str, status: i64| ("lead.created".to_owned(), state.to_owned(), json!(status));
    let deleted = ("lead.deleted".to_owned(), "delivered".to_owned(), json!(200));
    let (dead, waits, arrived) = (created("dead", 404), created("pending", 503), created("delivered", 200));
    assert_eq!(listed(&admin, &format!("destinationId={bad_id}")).await, [waits.clone(), dead.clone()]);
    assert_eq!(
        listed(&admin, &format!("destinationId={good_id}&event=lead.deleted")).await,
        std::slice::from_ref(&deleted)
    );
    assert_eq!(listed(&admin, "event=lead.deleted").await, [deleted]);
    assert_eq!(listed(&admin, "httpStatus=503").await, std::slice::from_ref(&waits));
    assert_eq!(listed(&admin, "httpStatus=200&event=lead.created").await, [arrived.clone(), arrived.clone()]);
    assert_eq!(listed(&admin, "error=ANSWERED%204").await, std::slice::from_ref(&dead));
    assert_eq!(listed(&admin, "error=100%25_").await, []);
    assert_eq!(listed(&admin, &format!("to={noon}&status=delivered")).await, [arrived]);
    assert_eq!(listed(&admin, &format!("from={noon}&status=pending")).await, [waits]);
    assert_eq!(listed(&admin, &format!("from={noon}&status=dead")).await, []);
    assert_eq!(listed(&admin, &format!("to={noon}&status=dead&leadId={lead}")).await, [dead]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn dead_letters_are_asked_for_by_when_they_died(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    destination(&admin, &receiver, &["lead.created"]).await;
    receiver.answers([Answers::Status(503), Answers::Status(404)]);
    site.app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await;
    site.app.run_jobs().await;
    site.app.advance(Duration::from_secs(3_600));
    let died_at = site.app.now();
    site.app.run_jobs().await;

    assert_eq!(listed(&admin, &format!("status=dead&from={died_at}")).await.len(), 1);
    assert_eq!(listed(&admin, &format!("status=dead&to={died_at}")).await.len(), 0);
    assert_eq!(listed(&admin, &format!("from={died_at}")).await.len(), 0, "it was made an hour before");
    site.stop().await;
}

#[rstest]
#[case::state("status=lost", 422)]
#[case::time("from=yesterday", 400)]
#[case::status("httpStatus=5", 422)]
#[case::nul("event=a%00b", 422)]
#[case::long(&format!("error={}", "x".repeat(201)), 422)]
#[case::unknown("statusCode=200", 400)]
#[tokio::test]
async fn what_the_log_cannot_be_asked_is_refused(
    #[case] query: &str,
    #[case] status: u16,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;

    let answer = site.with_token(&token).get(&format!("{LOG}?{query}")).await;

    assert_eq!(answer.problem().0, status, "{}", answer.text());
    site.stop().await;
}
