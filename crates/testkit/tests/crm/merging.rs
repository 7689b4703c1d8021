//! One lead of two, and two of it again: whose word counts, what moves, who is taken for whom since.

use std::{collections::BTreeMap, time::Duration};

use leadline_domain::{
    ids::{LeadId, UserId},
    merging::Side,
};
use leadline_engine::crm::{
    self, Action, Changes, Refusal,
    merging::{self, MergeError},
};
use leadline_store::leads::duplicates::{self, SameBy};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{crowd, lead, member, pipeline, read, stages, timeline};

fn none() -> BTreeMap<String, Side> {
    BTreeMap::new()
}

/// Two leads of one person, whom nobody took for one.
async fn two(app: &TestApp) -> (LeadId, LeadId) {
    let first = json!({"name": "Ada", "email": "ada@example.com", "phone": "+442079460001", "budget": "10"});
    let winner = lead(app, first).await;
    app.advance(Duration::from_secs(60));
    let second = json!({"name": "A. Lovelace", "email": "ada@work.example", "company": "Engines", "room": "3"});
    let loser = lead(app, second).await;
    app.advance(Duration::from_secs(60));
    let tags = Changes { tags: Some(vec!["vip".into()]), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), loser, &tags).await.expect("tagged");
    app.advance(Duration::from_secs(60));
    (winner, loser)
}

async fn submissions_of(app: &TestApp, lead: LeadId) -> i64 {
    app.count(&format!("lead_submissions WHERE lead_id = '{lead}'")).await
}

async fn counted(app: &TestApp) -> bool {
    let there = app.count("leads WHERE deleted_at IS NULL").await;
    app.count(&format!("(SELECT sum(n) AS n FROM lead_stage_counts) AS c WHERE c.n = {there}")).await == 1
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_one_comes_to_the_other(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (winner, loser) = two(&app).await;
    let wishes = BTreeMap::from([("name".to_owned(), Side::Loser)]);

    let preview = merging::preview(&app.engine, &app.actor(), winner, loser, &wishes).await.expect("a preview");
    let merge = merging::merge(&app.engine, &app.actor(), winner, loser, &wishes).await.expect("merged");
    app.run_jobs().await;

    let chosen = |field: &str| preview.choices.iter().find(|choice| choice.field == field).map(|choice| choice.chosen);
    assert_eq!(["name", "email", "company"].map(chosen), [Some(Side::Loser), Some(Side::Winner), Some(Side::Loser)]);
    assert_eq!((preview.extent.submissions, preview.tags.as_slice()), (1, ["vip".to_owned()].as_slice()));
    let after = read(&app, winner).await;
    assert_eq!((after.card.name.as_str(), after.card.email.as_deref()), ("A. Lovelace", Some("ada@example.com")));
    assert_eq!((after.card.company.as_deref(), after.card.submission_count), (Some("Engines"), 2));
    assert_eq!((&after.card.custom_fields["budget"], &after.card.custom_fields["room"]), (&json!("10"), &json!("3")));
    assert_eq!(after.card.tags, ["vip"]);
    let gone = read(&app, loser).await;
    assert_eq!((gone.merged_into, gone.deleted_at.is_some()), (Some(winner), true));
    assert_eq!((submissions_of(&app, winner).await, submissions_of(&app, loser).await), (2, 0));
    let lines = timeline(&app, winner).await;
    assert_eq!((lines[0].0.as_str(), &lines[0].1["leadId"]), ("lead.merged", &json!(merge.loser_id)));
    assert_eq!(lines.iter().filter(|(kind, _)| kind == "lead.created").count(), 2);
    assert_eq!(app.count("events WHERE kind = 'lead.merged'").await, 1);
    assert!(counted(&app).await);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_known_as_the_one_is_taken_for_the_other_until_they_are_split(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (winner, loser) = two(&app).await;
    let merge = merging::merge(&app.engine, &app.actor(), winner, loser, &none()).await.expect("merged");

    let merged = app.submit(json!({"email": "ada@work.example", "message": "again"})).await;
    app.advance(Duration::from_secs(60));
    merging::split(&app.engine, &app.actor(), merge.id).await.expect("split");
    let split = app.submit(json!({"email": "ada@work.example", "message": "once more"})).await;

    assert_eq!((merged.lead, split.lead), (Some(winner), Some(loser)));
    assert_eq!(
        (submissions_of(&app, winner).await, submissions_of(&app, loser).await),
        (2, 2),
        "what came later stays"
    );
    assert_eq!(app.count("leads").await, 2);
    assert!(counted(&app).await);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_split_puts_back_what_nobody_changed_since(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (winner, loser) = two(&app).await;
    let (before, other) = (read(&app, winner).await, read(&app, loser).await);
    let wishes = BTreeMap::from([("name".to_owned(), Side::Loser), ("email".to_owned(), Side::Loser)]);
    let merge = merging::merge(&app.engine, &app.actor(), winner, loser, &wishes).await.expect("merged");
    app.advance(Duration::from_secs(60));
    let change = Changes { company: Some(Some("Difference".into())), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), winner, &change).await.expect("changed");
    app.advance(Duration::from_secs(60));

    let split = merging::split(&app.engine, &app.actor(), merge.id).await.expect("split");
    let again = merging::split(&app.engine, &app.actor(), merge.id).await;

    assert_eq!(split.left, ["company"]);
    let after = read(&app, winner).await;
    let shape = |lead: &leadline_store::leads::Lead| {
        let card = &lead.card;
        (card.name.clone(), card.email.clone(), card.tags.clone(), card.custom_fields.clone(), card.submission_count)
    };
    assert_eq!(shape(&after), shape(&before));
    assert_eq!((&after.first_touch, &after.last_touch), (&before.first_touch, &before.last_touch));
    assert_eq!(after.card.company.as_deref(), Some("Difference"));
    let back = read(&app, loser).await;
    assert_eq!((shape(&back), back.deleted_at, back.merged_into), (shape(&other), None, None));
    assert_eq!((submissions_of(&app, winner).await, submissions_of(&app, loser).await), (1, 1));
    assert!(timeline(&app, loser).await.iter().any(|(kind, _)| kind == "lead.created"));
    assert!(matches!(again, Err(MergeError::AlreadySplit)), "{again:?}");
    assert!(counted(&app).await);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn leads_that_went_into_one_another_are_split_in_turn(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (middle, first) = two(&app).await;
    let last = lead(&app, json!({"email": "last@example.com"})).await;
    let actor = app.actor();

    let inner = merging::merge(&app.engine, &actor, middle, first, &none()).await.expect("merged");
    app.advance(Duration::from_secs(60));
    let outer = merging::merge(&app.engine, &actor, last, middle, &none()).await.expect("merged");
    let through = app.submit(json!({"email": "ada@work.example"})).await;
    let too_early = merging::split(&app.engine, &actor, inner.id).await;
    app.advance(Duration::from_secs(60));
    merging::split(&app.engine, &actor, outer.id).await.expect("split");
    let halfway = app.submit(json!({"email": "ada@work.example"})).await;
    app.advance(Duration::from_secs(60));
    merging::split(&app.engine, &actor, inner.id).await.expect("split");

    assert_eq!((through.lead, halfway.lead), (Some(last), Some(middle)));
    assert!(matches!(too_early, Err(MergeError::WinnerMerged)), "{too_early:?}");
    assert_eq!(app.count("leads WHERE deleted_at IS NULL AND merged_into IS NULL").await, 3);
    assert!(counted(&app).await);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_merged_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (winner, loser) = two(&app).await;
    let (other, _) = app.make_workspace("other").await;
    let stranger = app.actor_in(other);
    let actor = app.actor();

    let itself = merging::merge(&app.engine, &actor, winner, winner, &none()).await;
    let theirs = merging::merge(&app.engine, &stranger, winner, loser, &none()).await;
    let merge = merging::merge(&app.engine, &actor, winner, loser, &none()).await.expect("merged");
    let twice = merging::merge(&app.engine, &actor, winner, loser, &none()).await;
    let restored = crm::apply(&app.engine, &actor, &Action::Restore, &[loser]).await.expect("answered");
    let stolen = merging::split(&app.engine, &stranger, merge.id).await;

    assert!(matches!(itself, Err(MergeError::Itself)), "{itself:?}");
    assert!(matches!(theirs, Err(MergeError::NotFound)), "{theirs:?}");
    assert!(matches!(twice, Err(MergeError::NoOther)), "{twice:?}");
    assert_eq!(restored[0].refused, Some(Refusal::Merged));
    assert!(matches!(stolen, Err(MergeError::NotFound)), "{stolen:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn probable_duplicates_are_found_by_what_is_the_same(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (a, b) = two(&app).await;
    let owner: UserId = member(&app, "ada").await;
    let models = crowd(&app, pipeline(&app).await.id, &stages(&app).await, owner, 40).await;
    let reader = app.engine.store.reader();
    let change = Changes { email: Some(Some("ada@example.com".into())), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), b, &change).await.expect("corrected");
    // Two of the crowd have the same name and company, but for the case of their letters.
    let with_company: Vec<_> = models.iter().filter(|model| model.company.is_some()).take(2).collect();
    for (model, name) in with_company.iter().zip(["Grace Hopper", "grace hopper"]) {
        let change =
            Changes { name: Some(Some(name.into())), company: Some(Some("Navy".into())), ..Changes::default() };
        crm::update(&app.engine, &app.actor(), model.id, &change).await.expect("renamed");
    }

    let by_email =
        duplicates::list(&reader, app.workspace, SameBy::Email, Some(app.project), None).await.expect("found");
    let by_phone = duplicates::list(&reader, app.workspace, SameBy::Phone, None, None).await.expect("found");
    let by_name = duplicates::list(&reader, app.workspace, SameBy::Name, None, None).await.expect("found");
    let behind = duplicates::list(&reader, app.workspace, SameBy::Email, None, Some("ada@example.com")).await;
    let (other, _) = app.make_workspace("other").await;
    let theirs = duplicates::list(&reader, other, SameBy::Email, None, None).await.expect("found");

    let ids = |found: &duplicates::Duplicates| -> Vec<Vec<LeadId>> {
        found.groups.iter().map(|group| group.cards.iter().map(|card| card.id).collect()).collect()
    };
    assert_eq!((ids(&by_email), by_email.next.as_deref()), (vec![vec![a, b]], None));
    assert_eq!(ids(&by_phone), Vec::<Vec<LeadId>>::new());
    let mut graces: Vec<LeadId> = with_company.iter().map(|model| model.id).collect();
    graces.sort_unstable();
    assert_eq!(ids(&by_name), vec![graces]);
    assert_eq!((behind.expect("found").groups.len(), theirs.groups.len()), (0, 0));
    app.stop().await;
}
