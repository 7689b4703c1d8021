//! Searching finds exactly the leads whose text holds the words, whatever the words are made of.

use std::{path::Path, time::Duration};

use leadline_domain::ids::LeadId;
use leadline_engine::crm::{self, Changes};
use leadline_store::{
    leads::{self, LeadFilter, Search, SearchScope, SortBy, SortOrder},
    search::Terms,
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{crowd, lead, member, pipeline};

async fn found(app: &TestApp, typed: &str) -> Vec<LeadId> {
    let search = Terms::parse(typed).map(|terms| Search { terms, scope: SearchScope::Everything });
    let filter = LeadFilter { search, ..LeadFilter::default() };
    let by = (SortBy::CreatedAt, SortOrder::Ascending);
    let page = leads::list(&app.engine.store.reader(), app.workspace, &filter, by, (200, 0)).await;
    page.expect("a page").rows.into_iter().map(|card| card.id).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Index {
    UpToDate,
    Behind,
}

fn attacks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/payloads/sqli.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("the attack texts are not at {}: {error}", path.display()));
    let attacks: Vec<String> = serde_json::from_str(&text).expect("a list of texts");
    attacks.into_iter().filter(|attack| !attack.trim().is_empty()).collect()
}

/// Every attack is a company's name, and is searched for. PostgreSQL compares the column itself, SQLite asks its index
/// or the waiting events.
#[rstest]
#[tokio::test]
async fn attack_texts_find_what_holds_them_and_nothing_else(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(Index::UpToDate, Index::Behind)] index: Index,
) {
    let app = TestApp::start(db).await;
    let attacks = attacks();
    let mut texts: Vec<(LeadId, String)> = Vec::new();
    for (number, attack) in attacks.iter().enumerate() {
        let id = lead(&app, json!({"email": format!("lead{number}@example.com"), "company": attack})).await;
        texts.push((id, format!("lead{number}@example.com {}", attack.to_lowercase())));
    }
    if index == Index::UpToDate {
        app.run_jobs().await;
    }

    for attack in &attacks {
        let words = attack.to_lowercase();
        let mut expected: Vec<LeadId> = texts
            .iter()
            .filter(|(_, text)| words.split_whitespace().all(|word| text.contains(word)))
            .map(|(id, _)| *id)
            .take(200)
            .collect();
        let mut ids = found(&app, attack).await;

        expected.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids, expected, "{attack:?}");
    }
    app.stop().await;
}

#[rstest]
#[case::name("keller")]
#[case::inside_a_name("elle")]
#[case::upper_case("ANNA")]
#[case::accents("möll")]
#[case::email("@exam")]
#[case::company("acme g")]
#[case::several_words("gmbh anna")]
#[case::one_letter("k")]
#[case::phone("+4915112345678")]
#[case::phone_at_home("0151 1234-5678")]
#[case::phone_from_abroad("0049 151 12345678")]
#[case::phone_both_ways("+49 (0)151 12345678")]
#[case::part_of_a_phone("12345")]
#[tokio::test]
async fn a_lead_is_found_by_any_piece_of_it(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(Index::UpToDate, Index::Behind)] index: Index,
    #[case] typed: &str,
) {
    let app = TestApp::start(db).await;
    let fields = json!({"name": "Anna Keller-Möller", "email": "anna@example.com", "phone": "+4915112345678",
                        "company": "ACME GmbH"});
    let anna = lead(&app, fields).await;
    lead(&app, json!({"name": "Bob", "email": "bob@other.test"})).await;
    if index == Index::UpToDate {
        app.run_jobs().await;
    }

    assert_eq!(found(&app, typed).await, [anna]);
    app.stop().await;
}

#[rstest]
#[case::percent("%")]
#[case::underscore("a_n")]
#[case::backslash(r"\")]
#[case::quote("\"anna\"")]
#[case::operators("anna OR bob")]
#[case::star("ann*")]
#[case::near("NEAR(anna bob)")]
#[case::column("body:anna")]
#[tokio::test]
async fn signs_stand_for_themselves(#[values(Db::Sqlite, Db::Postgres)] db: Db, #[case] typed: &str) {
    let app = TestApp::start(db).await;
    lead(&app, json!({"name": "Anna"})).await;
    lead(&app, json!({"name": "Bob"})).await;
    app.run_jobs().await;

    assert_eq!(found(&app, typed).await, []);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_index_follows_changes_deletion_and_restoring(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let anna = lead(&app, json!({"name": "Anna"})).await;
    app.run_jobs().await;

    let renamed = Changes { name: Some(Some("Berta".into())), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), anna, &renamed).await.expect("renamed");
    assert_eq!((found(&app, "anna").await, found(&app, "berta").await), (vec![], vec![anna]), "before the dispatch");
    app.run_jobs().await;
    assert_eq!((found(&app, "anna").await, found(&app, "berta").await), (vec![], vec![anna]), "after it");

    crm::delete(&app.engine, &app.actor(), anna).await.expect("deleted");
    app.run_jobs().await;
    assert_eq!(found(&app, "berta").await, [], "deleted");

    crm::restore(&app.engine, &app.actor(), anna).await.expect("restored");
    app.run_jobs().await;
    assert_eq!(found(&app, "berta").await, [anna], "restored");
    app.stop().await;
}

/// Among the newest is one that came a moment ago, whether the index knows it or not.
#[rstest]
#[tokio::test]
async fn a_search_that_finds_many_shows_the_newest_and_says_that_there_are_more(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(Index::UpToDate, Index::Behind)] index: Index,
    #[values("anna", "a")] typed: &str,
) {
    let app = TestApp::start(db).await;
    let owner = member(&app, "owner").await;
    let pipeline = pipeline(&app).await;
    let models = crowd(&app, pipeline.id, &pipeline.stages, owner, 2_500).await;
    app.advance(Duration::from_secs(1_000));
    let last = lead(&app, json!({"name": "Anna Last"})).await;
    if index == Index::UpToDate {
        app.run_jobs().await;
    }
    let search = Terms::parse(typed).map(|terms| Search { terms, scope: SearchScope::Everything });
    let filter = LeadFilter { search, ..LeadFilter::default() };

    let by = (SortBy::CreatedAt, SortOrder::Descending);
    let page = leads::list(&app.engine.store.reader(), app.workspace, &filter, by, (10, 0)).await.expect("a page");

    let newest_first = models.iter().rev().filter(|model| model.search_text.contains(typed)).map(|model| model.id);
    let expected: Vec<LeadId> = std::iter::once(last).chain(newest_first).take(10).collect();
    let ids: Vec<LeadId> = page.rows.iter().map(|card| card.id).collect();
    assert_eq!((ids, page.total, page.total_is_capped), (expected, 2_000, true));
    app.stop().await;
}
