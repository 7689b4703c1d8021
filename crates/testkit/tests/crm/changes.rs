//! Changing leads: rows, timeline, events and counts stay in step.

use std::{sync::Arc, time::Duration};

use leadline_domain::ids::{LeadId, StageId, UserId};
use leadline_engine::crm::{self, Action, Changes, LeadError, Move, Refusal};
use leadline_store::leads::{self, LeadFilter};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{contact, lead, member, read, stages, timeline};

async fn column(app: &TestApp, stage: StageId) -> Vec<LeadId> {
    let filter = LeadFilter::default();
    let page = leads::stage_page(&app.engine.store.reader(), app.workspace, stage, &filter, None, 200).await;
    page.expect("a page").cards.into_iter().map(|card| card.id).collect()
}

async fn count(app: &TestApp, stage: StageId) -> i64 {
    let filter = LeadFilter::default();
    let page = leads::stage_page(&app.engine.store.reader(), app.workspace, stage, &filter, None, 1).await;
    page.expect("a page").count
}

async fn move_to(app: &TestApp, lead: LeadId, stage: StageId, below: Option<LeadId>) -> Result<(), LeadError> {
    let to = Move { stage, below, reason: None, op: Some("op1".into()) };
    crm::move_stage(&app.engine, &app.actor(), lead, &to).await
}

async fn three(app: &TestApp) -> [LeadId; 3] {
    let mut leads = Vec::new();
    for name in ["a", "b", "c"] {
        app.advance(Duration::from_secs(1));
        leads.push(lead(app, json!({"email": format!("{name}@example.com")})).await);
    }
    leads.try_into().expect("three")
}

#[rstest]
#[tokio::test]
async fn a_moved_lead_changes_column_counts_and_timeline(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let lead = lead(&app, json!({"email": "a@example.com"})).await;
    app.advance(Duration::from_secs(60));

    move_to(&app, lead, stages[2].id, None).await.expect("moved");

    let after = read(&app, lead).await;
    assert_eq!((after.card.stage_id, after.card.version), (stages[2].id, 2));
    assert_eq!(after.card.stage_entered_at, app.now());
    assert_eq!((count(&app, stages[0].id).await, count(&app, stages[2].id).await), (0, 1));
    let (kind, data) = timeline(&app, lead).await.remove(0);
    assert_eq!(kind, "lead.stage_changed");
    assert_eq!((&data["fromStageName"], &data["toStageName"]), (&json!("New"), &json!("Qualified")));
    assert_eq!(app.count("events WHERE kind = 'lead.stage_changed' AND NOT dispatched").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_is_put_where_it_was_dropped(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stage = stages(&app).await[0].id;
    let [a, b, c] = three(&app).await;
    assert_eq!(column(&app, stage).await, [c, b, a], "newest first");

    move_to(&app, a, stage, Some(c)).await.expect("below c");
    assert_eq!(column(&app, stage).await, [c, a, b]);
    move_to(&app, c, stage, Some(b)).await.expect("below b, at the end");
    assert_eq!(column(&app, stage).await, [a, b, c]);
    move_to(&app, c, stage, None).await.expect("on top");
    assert_eq!(column(&app, stage).await, [c, a, b]);
    assert_eq!(count(&app, stage).await, 3);
    assert_eq!(timeline(&app, c).await.len(), 1, "changing places is nothing for the timeline");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn leads_of_the_same_rank_can_be_told_apart_by_dropping_below_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let [a, b, c] = three(&app).await;
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let rank = read(&app, a).await.card.rank;
    let place = |id| leads::Moved {
        id,
        pipeline_id: stages[0].pipeline_id,
        stage_id: stages[0].id,
        rank: rank.clone(),
        close_reason: None,
    };
    leads::move_to(&mut tx, app.workspace, &[place(a), place(b)], app.now()).await.expect("placed");
    tx.commit().await.expect("committed");

    move_to(&app, c, stages[0].id, Some(b)).await.expect("dropped");

    assert_eq!(column(&app, stages[0].id).await.last(), Some(&c));
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_neighbour_that_left_puts_the_lead_on_top(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let [a, b, c] = three(&app).await;
    move_to(&app, b, stages[1].id, None).await.expect("b leaves");

    move_to(&app, a, stages[0].id, Some(b)).await.expect("moved");

    assert_eq!(column(&app, stages[0].id).await, [a, c]);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn moves_to_nowhere_are_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stage = stages(&app).await[0].id;
    let (other, _) = app.make_workspace("other").await;
    let lead = lead(&app, json!({"email": "a@example.com"})).await;
    let nobody = LeadId(uuid::Uuid::from_u128(7));
    let to = Move { stage, below: None, reason: None, op: None };

    let no_stage = move_to(&app, lead, StageId(uuid::Uuid::from_u128(7)), None).await;
    let no_neighbour = move_to(&app, lead, stage, Some(nobody)).await;
    let itself = move_to(&app, lead, stage, Some(lead)).await;
    let foreign = crm::move_stage(&app.engine, &app.actor_in(other), lead, &to).await;

    assert!(matches!(no_stage, Err(LeadError::NoStage)), "{no_stage:?}");
    assert!(matches!(no_neighbour, Err(LeadError::NoNeighbour)), "{no_neighbour:?}");
    assert!(matches!(itself, Err(LeadError::NoNeighbour)), "{itself:?}");
    assert!(matches!(foreign, Err(LeadError::NoStage)), "{foreign:?}");
    app.stop().await;
}

/// Everybody drags at once: no lead is lost or counted twice, and nobody is told to try again.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn moves_at_the_same_time_keep_the_counts_right(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = Arc::new(TestApp::start(db).await);
    let stages: Vec<StageId> = stages(&app).await.iter().map(|stage| stage.id).collect();
    let leads = three(&app).await;

    let moves: Vec<_> = (0..60)
        .map(|n| {
            let (app, lead, stage) = (Arc::clone(&app), leads[n % 3], stages[n % 4]);
            let below = (n % 2 == 0).then(|| leads[(n + 1) % 3]);
            tokio::spawn(async move { move_to(&app, lead, stage, below).await })
        })
        .collect();
    for moved in moves {
        moved.await.expect("no panic").expect("moved");
    }

    let mut seen = 0;
    for stage in stages {
        let cards = column(&app, stage).await;
        assert_eq!(count(&app, stage).await, cards.len() as i64);
        seen += cards.len();
    }
    assert_eq!(seen, 3);
    Arc::into_inner(app).expect("nobody else has it").stop().await;
}

#[rstest]
#[tokio::test]
async fn an_edit_changes_what_it_names_and_tells_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = lead(&app, json!({"name": "Anna", "email": "a@example.com", "Budget": "10"})).await;
    let before = read(&app, lead).await;
    let changes = Changes {
        company: Some(Some("  ACME\0 ".into())),
        tags: Some(vec!["vip".into(), "vip".into()]),
        custom_fields: Some(json!({"budget": null, "floor": 3}).as_object().cloned().expect("an object")),
        ..Changes::default()
    };

    crm::update(&app.engine, &app.actor(), lead, &changes).await.expect("changed");

    let after = read(&app, lead).await;
    assert_eq!(after.card.company.as_deref(), Some("ACME"));
    assert_eq!((after.card.name.as_str(), after.card.email.as_deref()), ("Anna", Some("a@example.com")));
    assert_eq!(after.card.tags, ["vip"]);
    assert_eq!(after.card.custom_fields, json!({"floor": 3}).as_object().cloned().expect("an object"));
    assert!(after.card.version > before.card.version);
    assert!(after.card.score > before.card.score, "a company makes a lead fit better");
    assert_eq!(app.count("lead_tags WHERE tag = 'vip'").await, 1);
    assert_eq!(app.count("events WHERE kind = 'lead.updated'").await, 1);
    let kinds: Vec<String> = timeline(&app, lead).await.into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&"lead.updated".to_owned()) && kinds.contains(&"tags.changed".to_owned()), "{kinds:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_edit_that_changes_nothing_tells_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = lead(&app, json!({"name": "Anna", "email": "a@example.com"})).await;
    let changes = Changes { name: Some(Some(" Anna ".into())), tags: Some(vec![]), ..Changes::default() };

    crm::update(&app.engine, &app.actor(), lead, &changes).await.expect("unchanged");

    assert_eq!(read(&app, lead).await.card.version, 1);
    assert_eq!(app.count("events WHERE kind = 'lead.updated'").await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_without_a_name_is_called_by_what_is_left(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = lead(&app, json!({"name": "Anna", "email": "a@example.com"})).await;
    let clear = |email| Changes { name: Some(None), email, ..Changes::default() };

    crm::update(&app.engine, &app.actor(), lead, &clear(None)).await.expect("changed");
    assert_eq!(read(&app, lead).await.card.name, "a@example.com");
    crm::update(&app.engine, &app.actor(), lead, &clear(Some(None))).await.expect("changed");
    assert_eq!(read(&app, lead).await.card.name, "API", "the source");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn values_that_cannot_be_are_all_pointed_at(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = lead(&app, json!({"name": "Anna"})).await;
    let changes = Changes {
        name: Some(Some("x".repeat(201))),
        email: Some(Some("not an address".into())),
        phone: Some(Some("12".into())),
        ..Changes::default()
    };

    let refused = crm::update(&app.engine, &app.actor(), lead, &changes).await;

    let Err(LeadError::Invalid(faults)) = refused else { panic!("{refused:?}") };
    let mut pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/email", "/name", "/phone"]);
    app.stop().await;
}

/// Somebody corrects a misspelt address: who writes from the right one is known, who has the misspelt one is somebody
/// else.
#[rstest]
#[tokio::test]
async fn a_corrected_address_names_the_lead_and_the_old_one_nobody(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let anna = lead(&app, json!({"name": "Anna", "email": "anna@exmaple.com", "phone": "+4915112345678"})).await;
    let changes = Changes {
        email: Some(Some("Anna@Example.com".into())),
        phone: Some(Some("+49 151 87654321".into())),
        ..Changes::default()
    };

    crm::update(&app.engine, &app.actor(), anna, &changes).await.expect("corrected");

    let by_email = lead(&app, json!({"email": "anna@example.com"})).await;
    let by_phone = lead(&app, json!({"phone": "0049 151 87654321"})).await;
    let by_old_email = lead(&app, json!({"email": "anna@exmaple.com"})).await;
    assert_eq!((by_email, by_phone), (anna, anna));
    assert_ne!(by_old_email, anna);
    let person = contact(&app, read(&app, anna).await.contact_id).await;
    assert_eq!(person.email.as_deref(), Some("anna@example.com"));
    assert_eq!(person.phone_number.as_deref(), Some("+4915187654321"));
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_address_that_names_somebody_else_goes_on_naming_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let anna = lead(&app, json!({"name": "Anna", "email": "a@example.com"})).await;
    let bob = lead(&app, json!({"name": "Bob", "email": "b@example.com"})).await;
    let changes = Changes { email: Some(Some("b@example.com".into())), ..Changes::default() };

    crm::update(&app.engine, &app.actor(), anna, &changes).await.expect("changed");

    assert_eq!(lead(&app, json!({"email": "b@example.com"})).await, bob);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_is_assigned_to_members_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let carla = member(&app, "Carla").await;
    let lead = lead(&app, json!({"name": "Anna"})).await;

    crm::assign(&app.engine, &app.actor(), lead, Some(carla)).await.expect("assigned");
    let after = read(&app, lead).await;
    assert_eq!((after.card.assigned_to, after.card.assigned_to_name.as_deref()), (Some(carla), Some("Carla")));
    app.advance(Duration::from_secs(1));
    crm::assign(&app.engine, &app.actor(), lead, None).await.expect("taken away");
    let stranger = crm::assign(&app.engine, &app.actor(), lead, Some(UserId(uuid::Uuid::from_u128(9)))).await;

    assert!(matches!(stranger, Err(LeadError::NoMember)), "{stranger:?}");
    let (kind, data) = timeline(&app, lead).await.remove(0);
    assert_eq!((kind.as_str(), &data["fromName"], &data["toName"]), ("lead.assigned", &json!("Carla"), &json!(null)));
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_deleted_lead_is_out_of_the_counts_until_it_is_restored(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stage = stages(&app).await[0].id;
    let lead = lead(&app, json!({"name": "Anna"})).await;

    for _ in 0..2 {
        crm::delete(&app.engine, &app.actor(), lead).await.expect("deleted");
    }
    assert_eq!((count(&app, stage).await, column(&app, stage).await), (0, vec![]));
    assert!(read(&app, lead).await.deleted_at.is_some());
    let note = crm::add_note(&app.engine, &app.actor(), lead, "hello").await;
    assert!(matches!(note, Err(LeadError::Deleted)), "{note:?}");

    for _ in 0..2 {
        crm::restore(&app.engine, &app.actor(), lead).await.expect("restored");
    }
    assert_eq!((count(&app, stage).await, column(&app, stage).await), (1, vec![lead]));
    assert_eq!(app.count("lead_activities WHERE kind IN ('lead.deleted', 'lead.restored')").await, 2);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_note_is_on_top_of_the_timeline_with_its_author(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = lead(&app, json!({"name": "Anna"})).await;
    app.advance(Duration::from_secs(1));

    crm::add_note(&app.engine, &app.actor(), lead, " call back\u{0} ").await.expect("noted");
    let empty = crm::add_note(&app.engine, &app.actor(), lead, " \0").await;

    assert_eq!(timeline(&app, lead).await[0], ("note.added".to_owned(), json!({"value": "call back"})));
    assert_eq!(app.count("lead_activities WHERE kind = 'note.added' AND actor_name = 'Test'").await, 1);
    assert!(matches!(empty, Err(LeadError::Invalid(_))), "{empty:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn converting_often_at_once_makes_one_customer(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = Arc::new(TestApp::start(db).await);
    let lead = lead(&app, json!({"name": "Anna", "email": "a@example.com", "Budget": "10"})).await;
    crm::add_note(&app.engine, &app.actor(), lead, "likes blue").await.expect("noted");

    let converts: Vec<_> = (0..64)
        .map(|_| {
            let app = Arc::clone(&app);
            tokio::spawn(
                async move { crm::convert(&app.engine, &app.actor(), lead, "Anna Keller", Some("shop")).await },
            )
        })
        .collect();
    for converted in converts {
        converted.await.expect("no panic").expect("converted");
    }

    let after = read(&app, lead).await;
    let person = contact(&app, after.contact_id).await;
    assert!(after.converted_at.is_some());
    assert_eq!((person.lifecycle.as_str(), person.display_name.as_str()), ("customer", "Anna Keller"));
    assert_eq!((&person.column_data["platform"], &person.column_data["budget"]), (&json!("shop"), &json!("10")));
    assert_eq!(person.column_data["notes"][0]["value"], json!("likes blue"));
    assert_eq!((person.email.as_deref(), person.version), (Some("a@example.com"), 2));
    assert_eq!(person.column_data["notes"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.count("events WHERE kind = 'lead.converted'").await, 1);
    assert_eq!(app.count("lead_activities WHERE kind = 'lead.converted'").await, 1);
    assert_eq!(app.count("contacts").await, 1);
    Arc::into_inner(app).expect("nobody else has it").stop().await;
}

#[rstest]
#[tokio::test]
async fn converting_links_to_the_contact_that_has_the_phone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let known = lead(&app, json!({"name": "Anna", "phone": "+4915112345678"})).await;
    let other = lead(&app, json!({"name": "A. Keller", "email": "a@example.com"})).await;
    let phone = Changes { phone: Some(Some("+4915112345678".into())), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), other, &phone).await.expect("changed");

    for (lead, note) in [(known, "first"), (other, "second")] {
        crm::add_note(&app.engine, &app.actor(), lead, note).await.expect("noted");
    }
    crm::convert(&app.engine, &app.actor(), known, "Anna", None).await.expect("converted");

    crm::convert(&app.engine, &app.actor(), other, "Anna Keller", None).await.expect("converted");

    let person = contact(&app, read(&app, known).await.contact_id).await;
    let notes: Vec<&str> = person.column_data["notes"]
        .as_array()
        .expect("notes")
        .iter()
        .filter_map(|note| note["value"].as_str())
        .collect();
    assert_eq!(notes, ["first", "second"], "what was noted before stays");
    assert_eq!(read(&app, other).await.contact_id, read(&app, known).await.contact_id);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_bulk_action_answers_for_each_lead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let [a, b, c] = three(&app).await;
    let nobody = LeadId(uuid::Uuid::from_u128(7));
    crm::delete(&app.engine, &app.actor(), b).await.expect("deleted");

    let action = Action::Move { stage: stages[3].id, reason: None };
    let outcomes = crm::apply(&app.engine, &app.actor(), &action, &[a, b, nobody, c]).await.expect("done");

    let refused: Vec<Option<Refusal>> = outcomes.iter().map(|outcome| outcome.refused).collect();
    assert_eq!(refused, [None, Some(Refusal::Deleted), Some(Refusal::NotFound), None]);
    assert_eq!(column(&app, stages[3].id).await, [a, c], "in the order in which they were named");
    assert_eq!((count(&app, stages[0].id).await, count(&app, stages[3].id).await), (0, 2));
    assert_eq!(app.count("events WHERE kind = 'lead.stage_changed'").await, 2);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn bulk_tags_are_added_to_those_that_are_there(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let [a, b, _] = three(&app).await;
    let own = Changes { tags: Some(vec!["own".into(), "vip".into()]), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), a, &own).await.expect("tagged");

    let action = Action::Tag(vec!["vip".into(), "hot".into()]);
    crm::apply(&app.engine, &app.actor(), &action, &[a, b]).await.expect("done");

    assert_eq!(read(&app, a).await.card.tags, ["own", "vip", "hot"]);
    assert_eq!(read(&app, b).await.card.tags, ["vip", "hot"]);
    assert_eq!(app.count("lead_tags").await, 5);
    app.stop().await;
}
