//! The clock of the first answer over HTTP: when it runs, what stops it, and who is told when it ran out.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const SETTINGS: &str = "/v1/admin/work-settings";
const MINUTE: Duration = Duration::from_secs(60);

async fn set(admin: &Caller<'_>, settings: Value) -> Value {
    let answer = admin.patch(SETTINGS, settings).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// A new lead's address.
async fn lead(site: &Site, name: &str) -> String {
    let accepted = site.app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await;
    site.app.run_work().await;
    format!("/v1/identity/leads/{}", accepted.lead.expect("a lead"))
}

async fn response(caller: &Caller<'_>, lead: &str) -> Value {
    caller.get(lead).await.json()["response"].clone()
}

async fn alerts(caller: &Caller<'_>) -> Vec<String> {
    let alerts = caller.get("/v1/identity/alerts").await.json();
    let alerts = alerts["data"].as_array().expect("alerts");
    alerts.iter().map(|alert| alert["kind"].as_str().expect("a kind").to_owned()).collect()
}

async fn later(site: &Site, minutes: u32) {
    site.app.advance(minutes * MINUTE);
    site.app.run_work().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_runs_until_a_person_acts(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let program = site.token(Role::Admin).await;
    let program = site.with_token(&program);
    set(&admin, json!({"respondWithinMinutes": 30})).await;
    let lead = lead(&site, "ada").await;
    let begun = site.app.now();

    let waits = response(&admin, &lead).await;
    assert_eq!(waits["dueAt"], json!(begun.plus_ms(30 * 60_000)), "{waits}");
    site.app.advance(10 * MINUTE);
    program.post(&format!("{lead}/notes"), json!({"value": "seen by a program"})).await;
    admin
        .patch(&format!("{lead}/assign"), json!({"assignedTo": site.member("ann@example.com", Role::Agent).await}))
        .await;
    site.app.run_work().await;
    assert_eq!(response(&admin, &lead).await["answeredAt"], json!(null), "neither is an answer");
    site.app.advance(2 * MINUTE);
    admin.post(&format!("{lead}/notes"), json!({"value": "called her"})).await;
    site.app.run_work().await;

    let answered = response(&admin, &lead).await;
    assert_eq!((&answered["answeredInMinutes"], &answered["answeredByName"]), (&json!(12), &json!("boss@example.com")));
    later(&site, 60).await;
    assert_eq!(alerts(&site.sign_in("ann@example.com").await).await, ["lead.assigned"], "an answer ends it");
    // The list and the board say the same.
    let list = admin.get("/v1/identity/leads").await.json();
    assert_eq!(list["data"][0]["response"], answered);
    let board = admin.get("/v1/identity/board").await.json();
    assert_eq!(board["stages"][0]["cards"][0]["response"], answered);
    site.stop().await;
}

#[rstest]
#[case::by_the_stage("lead.stage_changed")]
#[case::by_assigning("lead.assigned")]
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_an_answer_and_assigning_is_where_that_is_set(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] by: &str,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    set(&admin, json!({"respondWithinMinutes": 30, "countsAssignment": true})).await;
    let lead = lead(&site, "ada").await;
    site.app.advance(5 * MINUTE);

    let changed = if by == "lead.assigned" {
        let ann = site.member("ann@example.com", Role::Agent).await;
        admin.patch(&format!("{lead}/assign"), json!({"assignedTo": ann})).await
    } else {
        let stages = admin.get("/v1/identity/lead-pipelines").await.json()["data"][0]["stages"].clone();
        admin.patch(&format!("{lead}/stage"), json!({"stageId": stages[1]["id"]})).await
    };
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    site.app.run_work().await;

    assert_eq!(response(&admin, &lead).await["answeredInMinutes"], json!(5));
    site.stop().await;
}

#[rstest]
#[case::by_hand("user", json!(7))]
#[case::by_an_automation("automation", json!(null))]
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_an_answer_where_a_person_sent_it(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] cause: &str,
    #[case] minutes: Value,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    set(&admin, json!({"respondWithinMinutes": 30})).await;
    let lead = lead(&site, "ada").await;
    site.app.advance(7 * MINUTE);

    let id = lead.rsplit('/').next().expect("an id").parse().expect("an id");
    let sent = site.app.engine.event(site.app.workspace, id, "message.sent", json!({"causeKind": cause}));
    let mut tx = site.app.engine.store.begin().await.expect("a write");
    leadline_store::events::append(&mut tx, &[sent]).await.expect("appended");
    tx.commit().await.expect("committed");
    site.app.run_work().await;

    assert_eq!(response(&admin, &lead).await["answeredInMinutes"], minutes);
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_is_told_of_step_by_step_and_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let (ann, bob) =
        (site.member("ann@example.com", Role::Agent).await, site.member("bob@example.com", Role::Agent).await);
    let boss = admin.get("/v1/session").await.json()["user"]["id"].clone();
    let settings = json!({"respondWithinMinutes": 30, "escalateAfterMinutes": 60, "escalateTo": [boss],
        "reassigns": true});
    set(&admin, settings).await;
    let rule = json!({"name": "Team", "method": "round_robin", "members": [ann, bob], "respondWithinMinutes": 10});
    assert_eq!(admin.post("/v1/admin/assignment-rules", rule).await.status, StatusCode::OK);
    let lead = lead(&site, "ada").await;
    let ann = site.sign_in("ann@example.com").await;
    let bob = site.sign_in("bob@example.com").await;

    later(&site, 9).await;
    assert_eq!(alerts(&ann).await, ["lead.assigned"]);
    later(&site, 1).await;
    later(&site, 1).await;
    assert_eq!(alerts(&ann).await, ["response.overdue", "lead.assigned"], "the rule's own target, once");
    assert_eq!(alerts(&admin).await, Vec::<String>::new());
    later(&site, 58).await;
    assert_eq!(alerts(&admin).await, Vec::<String>::new());
    later(&site, 1).await;
    later(&site, 100).await;
    assert_eq!(alerts(&admin).await, ["response.escalated"]);
    assert_eq!(alerts(&bob).await, ["lead.assigned"], "somebody else has it now");
    assert_eq!(admin.get(&lead).await.json()["assignedToName"], "bob@example.com");
    let lines = admin.get(&lead).await.json()["activity"].clone();
    let of = |kind: &str| lines.as_array().expect("lines").iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((of("response.overdue"), of("response.escalated"), of("lead.assigned")), (1, 1, 2));

    // With the answer it is over for everybody.
    bob.post(&format!("{lead}/notes"), json!({"value": "called her"})).await;
    site.app.run_work().await;
    assert_eq!(alerts(&ann).await, ["lead.assigned"]);
    assert_eq!(alerts(&admin).await, Vec::<String>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_stands_still_while_nobody_works(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let zone = json!({"settings": {"timezone": "Europe/Berlin"}});
    assert_eq!(admin.patch("/v1/admin/workspace", zone).await.status, StatusCode::OK);
    let week = json!({"days": [1, 2, 3, 4, 5], "from": "09:00", "until": "17:00"});
    let set = set(&admin, json!({"hours": week, "holidays": ["2026-01-06"], "respondWithinMinutes": 60})).await;
    assert_eq!((&set["hours"], &set["holidays"]), (&week, &json!(["2026-01-06"])));
    // Monday, 5 January 2026, 16:30 in Berlin.
    site.app.set_clock(leadline_domain::time::Timestamp::parse("2026-01-05T15:30:00Z").expect("a time"));
    let lead = lead(&site, "ada").await;

    assert_eq!(response(&admin, &lead).await["dueAt"], "2026-01-07T08:30:00.000Z");
    site.app.set_clock(leadline_domain::time::Timestamp::parse("2026-01-07T08:20:00Z").expect("a time"));
    admin.post(&format!("{lead}/notes"), json!({"value": "called her"})).await;
    site.app.run_work().await;
    assert_eq!(response(&admin, &lead).await["answeredInMinutes"], json!(50));
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_an_answer_to_a_test_or_a_file(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    set(&admin, json!({"respondWithinMinutes": 30})).await;
    let tests = json!({"settings": {"testEmails": ["@example.com"]}});
    assert_eq!(admin.patch("/v1/admin/workspace", tests).await.status, StatusCode::OK);

    let lead = lead(&site, "ada").await;

    assert_eq!(admin.get(&lead).await.json()["isTest"], json!(true));
    assert_eq!(response(&admin, &lead).await, json!(null));
    let none = set(&admin, json!({"respondWithinMinutes": null})).await;
    assert_eq!(none["respondWithinMinutes"], json!(null));
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_are_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    for (body, pointer) in [
        (json!({"hours": {"days": [], "from": "09:00", "until": "17:00"}}), "/hours"),
        (json!({"hours": {"days": [1], "from": "9", "until": "17:00"}}), "/hours"),
        (json!({"holidays": ["tomorrow"]}), "/holidays/0"),
        (json!({"holidays": ["2026-02-30"]}), "/holidays/0"),
        (json!({"respondWithinMinutes": 0}), "/respondWithinMinutes"),
        (json!({"escalateAfterMinutes": 9_999_999}), "/escalateAfterMinutes"),
        (json!({"escalateTo": [uuid::Uuid::from_u128(9)]}), "/escalateTo/0"),
    ] {
        let answer = admin.patch(SETTINGS, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text());
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    let stale = admin.patch(SETTINGS, json!({"reassigns": true, "version": 7})).await;
    assert_eq!(stale.problem(), (409, "stale_version".to_owned()));
    site.stop().await;
}
