//! Lists and the board say what a naive look at all leads says, whether few match or many.

use leadline_domain::ids::{LeadId, StageId, UserId};
use leadline_store::leads::{self, Assigned, Cursor, FromSource, LeadFilter, Search, SearchScope, SortBy, SortOrder};
use leadline_store::search::Terms;
use leadline_testkit::{Db, TestApp};
use rstest::rstest;

use crate::fixtures::{Model, crowd, member, pipeline};

/// More than a filter may find to be answered from what it found.
const MANY: usize = 5_000;

struct Crowd {
    app: TestApp,
    models: Vec<Model>,
    stages: Vec<StageId>,
    owner: UserId,
}

async fn start(db: Db) -> Crowd {
    let app = TestApp::start(db).await;
    let owner = member(&app, "owner").await;
    let pipeline = pipeline(&app).await;
    let models = crowd(&app, pipeline.id, &pipeline.stages, owner, MANY).await;
    Crowd { app, models, stages: pipeline.stages.iter().map(|stage| stage.id).collect(), owner }
}

/// Filters of every kind, by name: those that find few and those that find many.
fn filter(crowd: &Crowd, name: &str) -> LeadFilter {
    let search = |typed: &str, scope| Terms::parse(typed).map(|terms| Search { terms, scope });
    let all = LeadFilter::default();
    match name {
        "all" => all,
        "one stage" => LeadFilter { stage: Some(crowd.stages[2]), ..all },
        "few by source" => LeadFilter { source: Some(FromSource::Kind("import".into())), ..all },
        "many by source" => LeadFilter { source: Some(FromSource::Kind("form".into())), ..all },
        "few by tag" => LeadFilter { tag: Some("rare".into()), ..all },
        "many by tag" => LeadFilter { tag: Some("even".into()), ..all },
        "few by owner" => LeadFilter { assigned: Some(Assigned::User(crowd.owner)), ..all },
        "many by owner" => LeadFilter { assigned: Some(Assigned::Nobody), ..all },
        "few by search" => LeadFilter { search: search("zacharias", SearchScope::Everything), ..all },
        "many by search" => LeadFilter { search: search("ANNA", SearchScope::Everything), ..all },
        "short search" => LeadFilter { search: search("n 1", SearchScope::Everything), ..all },
        "company alone" => LeadFilter { search: search("anna", SearchScope::Company), ..all },
        "by company" => LeadFilter { search: search("company 11", SearchScope::Company), ..all },
        "several" => LeadFilter {
            search: search("anna", SearchScope::Everything),
            tag: Some("even".into()),
            assigned: Some(Assigned::Nobody),
            stage: Some(crowd.stages[0]),
            ..all
        },
        other => panic!("no filter is called {other}"),
    }
}

fn matches(model: &Model, filter: &LeadFilter, typed: &str) -> bool {
    let in_text = |scope| {
        let text = match scope {
            SearchScope::Everything => model.search_text.clone(),
            SearchScope::Company => model.company.clone().unwrap_or_default().to_lowercase(),
        };
        typed.to_lowercase().split_whitespace().all(|word| text.contains(word))
    };
    filter.stage.is_none_or(|stage| model.stage == stage)
        && filter.tag.as_deref().is_none_or(|tag| model.tag == Some(tag))
        && filter.source.as_ref().is_none_or(|source| *source == FromSource::Kind(model.source.to_owned()))
        && filter.assigned.is_none_or(|assigned| match assigned {
            Assigned::Nobody => model.assigned_to.is_none(),
            Assigned::User(user) => model.assigned_to == Some(user),
        })
        && filter.search.as_ref().is_none_or(|search| in_text(search.scope))
}

/// What was typed for a filter of this name.
fn typed(name: &str) -> &'static str {
    match name {
        "few by search" => "zacharias",
        "many by search" | "several" | "company alone" => "anna",
        "short search" => "n 1",
        "by company" => "company 11",
        _ => "",
    }
}

/// The ids of a column from its top.
fn column(models: &[Model], stage: StageId, filter: &LeadFilter, name: &str) -> Vec<LeadId> {
    let mut column: Vec<&Model> =
        models.iter().filter(|model| model.stage == stage && matches(model, filter, typed(name))).collect();
    column.sort_by(|one, other| (&other.rank, other.id).cmp(&(&one.rank, one.id)));
    column.into_iter().map(|model| model.id).collect()
}

const FILTERS: [&str; 14] = [
    "all",
    "one stage",
    "few by source",
    "many by source",
    "few by tag",
    "many by tag",
    "few by owner",
    "many by owner",
    "few by search",
    "many by search",
    "short search",
    "company alone",
    "by company",
    "several",
];

#[rstest]
#[tokio::test]
async fn the_board_shows_the_top_of_each_column_and_counts_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let crowd = start(db).await;
    let reader = crowd.app.engine.store.reader();

    for name in FILTERS {
        let filter = filter(&crowd, name);
        let board = leads::board(&reader, crowd.app.workspace, &crowd.stages, &filter, 20).await.expect("a board");

        for (shown, stage) in board.iter().zip(&crowd.stages) {
            let expected = column(&crowd.models, *stage, &filter, name);
            let ids: Vec<LeadId> = shown.cards.iter().map(|card| card.id).collect();
            assert_eq!(ids, expected[..expected.len().min(20)], "{name}");
            assert_eq!((shown.count, shown.count_is_capped), (expected.len() as i64, false), "{name}");
        }
    }
    crowd.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_column_is_paged_to_its_end_without_gaps_or_repeats(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let crowd = start(db).await;
    let reader = crowd.app.engine.store.reader();
    let stage = crowd.stages[1];

    for name in ["all", "few by owner", "many by owner", "many by search"] {
        let filter = filter(&crowd, name);
        let mut seen = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = leads::stage_page(&reader, crowd.app.workspace, stage, &filter, after.as_ref(), 37).await;
            let page = page.expect("a page");
            let Some(last) = page.cards.last() else { break };
            after = Some(Cursor { rank: last.rank.clone(), id: last.id });
            seen.extend(page.cards.iter().map(|card| card.id));
        }

        assert_eq!(seen, column(&crowd.models, stage, &filter, name), "{name}");
    }
    crowd.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_list_has_every_match_in_its_order(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let crowd = start(db).await;
    let reader = crowd.app.engine.store.reader();

    for name in FILTERS {
        for (sort, order) in [
            (SortBy::CreatedAt, SortOrder::Descending),
            (SortBy::Score, SortOrder::Ascending),
            (SortBy::Name, SortOrder::Descending),
        ] {
            let filter = filter(&crowd, name);
            let mut expected: Vec<&Model> =
                crowd.models.iter().filter(|model| matches(model, &filter, typed(name))).collect();
            expected.sort_by(|one, other| match sort {
                SortBy::Score => (one.score, one.id).cmp(&(other.score, other.id)),
                SortBy::Name => (one.name.to_lowercase(), one.id).cmp(&(other.name.to_lowercase(), other.id)),
                SortBy::CreatedAt | SortBy::UpdatedAt | SortBy::LastSubmissionAt => {
                    (one.created_at, one.id).cmp(&(other.created_at, other.id))
                }
            });
            if order == SortOrder::Descending {
                expected.reverse();
            }

            let page = leads::list(&reader, crowd.app.workspace, &filter, (sort, order), (30, 30)).await;

            let page = page.expect("a page");
            let ids: Vec<LeadId> = page.rows.iter().map(|card| card.id).collect();
            let wanted: Vec<LeadId> = expected.iter().skip(30).take(30).map(|model| model.id).collect();
            assert_eq!(ids, wanted, "{name} by {sort:?}");
            assert_eq!((page.total, page.total_is_capped), (expected.len() as i64, false), "{name}");
        }
    }
    crowd.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn another_workspace_sees_none_of_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let crowd = start(db).await;
    let (other, _) = crowd.app.make_workspace("other").await;
    let reader = crowd.app.engine.store.reader();

    for name in FILTERS {
        let filter = filter(&crowd, name);
        let by = (SortBy::CreatedAt, SortOrder::Descending);
        let page = leads::list(&reader, other, &filter, by, (50, 0)).await.expect("a page");
        let board = leads::board(&reader, other, &crowd.stages, &filter, 20).await.expect("a board");

        assert_eq!((page.rows.len(), page.total), (0, 0), "{name}");
        assert!(board.iter().all(|column| column.cards.is_empty() && column.count == 0), "{name}");
    }
    crowd.app.stop().await;
}
