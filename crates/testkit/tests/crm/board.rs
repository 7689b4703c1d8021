//! Lists and the board say what a naive look at all leads says, whether few match or many.

use std::time::Duration;

use leadline_domain::{
    filters::{Bound, Condition, Field, Filter, LeadField, Test},
    ids::{LeadId, PipelineId, StageCountId, StageId, UserId},
};
use leadline_engine::{
    crm::{
        self,
        pipelines::{ClosingEdit, default_stages},
    },
    random_bytes,
};
use leadline_store::leads::{
    self, Assigned, Cursor, Depth, FromSource, LeadFilter, Search, SearchScope, SortBy, SortOrder,
};
use leadline_store::{
    capture::{self, StageDelta},
    pipelines,
    search::Terms,
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;

use crate::fixtures::{Model, crowd, member, pipeline};

/// More than a filter may find to be answered from what it found.
const MANY: usize = 5_000;

/// A search that finds more shows the newest of them.
const SHOWN_MAX: usize = 2_000;

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
        "many by search in a stage" => {
            LeadFilter { search: search("anna", SearchScope::Everything), stage: Some(crowd.stages[1]), ..all }
        }
        "short search" => LeadFilter { search: search("n 1", SearchScope::Everything), ..all },
        "company alone" => LeadFilter { search: search("anna", SearchScope::Company), ..all },
        "few by condition" => LeadFilter { conditions: Some(scored(100.0)), ..all },
        "many by condition" => LeadFilter { conditions: Some(scored(11.0)), ..all },
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

/// Those with at least this score.
fn scored(least: f64) -> Filter {
    let from = Some(Bound { value: least, is_included: true });
    let (field, test) = (Field::Lead(LeadField::Score), Test::Number { from, until: None });
    Filter::Any(vec![Filter::Is(Condition { field, test, is_negated: false }), tagged("none such")])
}

fn tagged(tag: &str) -> Filter {
    let (field, test) = (Field::Lead(LeadField::Tags), Test::HasAny(vec![tag.to_owned()]));
    Filter::Is(Condition { field, test, is_negated: false })
}

fn matches(model: &Model, filter: &LeadFilter, typed: &str) -> bool {
    let in_text = |scope| {
        let text = match scope {
            SearchScope::Everything => model.search_text.clone(),
            SearchScope::Company => model.company.clone().unwrap_or_default().to_lowercase(),
        };
        typed.to_lowercase().split_whitespace().all(|word| text.contains(word))
    };
    let scores = |least: f64| filter.conditions == Some(scored(least)) && model.score < least as i64;
    !scores(100.0)
        && !scores(11.0)
        && filter.stage.is_none_or(|stage| model.stage == stage)
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
        "many by search" | "many by search in a stage" | "several" | "company alone" => "anna",
        "short search" => "n 1",
        "by company" => "company 11",
        _ => "",
    }
}

/// What is shown for a filter, newest first, and whether that is not all that matches.
fn shown<'a>(models: &'a [Model], filter: &LeadFilter, name: &str) -> (Vec<&'a Model>, bool) {
    let mut shown: Vec<&Model> = models.iter().filter(|model| matches(model, filter, typed(name))).collect();
    shown.sort_by_key(|model| std::cmp::Reverse(model.created_at));
    let is_capped = filter.search.is_some() && shown.len() > SHOWN_MAX;
    if is_capped {
        shown.truncate(SHOWN_MAX);
    }
    (shown, is_capped)
}

/// The ids of a column from its top, and whether there may be more. A search is shown before it is spread over stages.
fn column(models: &[Model], stage: StageId, filter: &LeadFilter, name: &str) -> (Vec<LeadId>, bool) {
    if filter.stage.is_some_and(|only| only != stage) {
        return (Vec::new(), false);
    }
    let (mut column, is_capped) = shown(models, &LeadFilter { stage: None, ..filter.clone() }, name);
    column.retain(|model| model.stage == stage);
    column.sort_by(|one, other| (&other.rank, other.id).cmp(&(&one.rank, one.id)));
    (column.into_iter().map(|model| model.id).collect(), is_capped)
}

const FILTERS: [&str; 17] = [
    "few by condition",
    "many by condition",
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
    "many by search in a stage",
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
            let (expected, is_capped) = column(&crowd.models, *stage, &filter, name);
            let ids: Vec<LeadId> = shown.cards.iter().map(|card| card.id).collect();
            assert_eq!(ids, expected[..expected.len().min(20)], "{name}");
            assert_eq!((shown.count, shown.count_is_capped), (expected.len() as i64, is_capped), "{name}");
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

    for name in ["all", "few by owner", "many by owner", "few by search", "many by search"] {
        let filter = filter(&crowd, name);
        let (expected, is_capped) = column(&crowd.models, stage, &filter, name);
        let mut seen = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = leads::stage_page(&reader, crowd.app.workspace, stage, &filter, after.as_ref(), 37).await;
            let page = page.expect("a page");
            assert_eq!((page.count, page.count_is_capped), (expected.len() as i64, is_capped), "{name}");
            let Some(last) = page.cards.last() else { break };
            after = Some(Cursor { rank: last.rank.clone(), id: last.id });
            seen.extend(page.cards.iter().map(|card| card.id));
        }

        assert_eq!(seen, expected, "{name}");
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
            // No index has this order, and all are alike in it.
            (SortBy::Suspicion, SortOrder::Descending),
        ] {
            let filter = filter(&crowd, name);
            let (mut expected, is_capped) = shown(&crowd.models, &filter, name);
            expected.sort_by(|one, other| match sort {
                SortBy::Score => (one.score, one.id).cmp(&(other.score, other.id)),
                SortBy::Name => (one.name.to_lowercase(), one.id).cmp(&(other.name.to_lowercase(), other.id)),
                SortBy::Suspicion => one.id.cmp(&other.id),
                _ => (one.created_at, one.id).cmp(&(other.created_at, other.id)),
            });
            if order == SortOrder::Descending {
                expected.reverse();
            }

            let page = leads::list(&reader, crowd.app.workspace, &filter, (sort.clone(), order), (30, 30)).await;

            let page = page.expect("a page");
            let ids: Vec<LeadId> = page.rows.iter().map(|card| card.id).collect();
            let wanted: Vec<LeadId> = expected.iter().skip(30).take(30).map(|model| model.id).collect();
            assert_eq!(ids, wanted, "{name} by {sort:?}");
            assert_eq!((page.total, page.total_is_capped), (expected.len() as i64, is_capped), "{name}");
        }
    }
    crowd.app.stop().await;
}

/// More leads than are looked through where a workspace has very many.
const VERY_MANY: usize = 24_000;

/// How many of the newest are looked through there.
const LOOKED_THROUGH: usize = 20_000;

#[rstest]
#[tokio::test]
async fn a_large_workspace_is_looked_through_as_deep_as_is_wanted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let owner = member(&app, "owner").await;
    let pipeline = pipeline(&app).await;
    let mut models = crowd(&app, pipeline.id, &pipeline.stages, owner, VERY_MANY).await;
    models.sort_by_key(|model| std::cmp::Reverse((model.created_at, model.id)));
    say_that_it_is_large(&app, pipeline.id, pipeline.stages[0].id).await;
    let stages = pipeline.stages.iter().map(|stage| stage.id).collect();
    let crowd = Crowd { app, models, stages, owner };
    let reader = crowd.app.engine.store.reader();

    for (name, is_narrow) in
        [("few by source", false), ("few by condition", false), ("company alone", false), ("few by owner", true)]
    {
        for (sort, order) in [
            (SortBy::CreatedAt, SortOrder::Descending),
            (SortBy::Name, SortOrder::Ascending),
            (SortBy::Suspicion, SortOrder::Descending),
        ] {
            for depth in [Depth::Newest, Depth::All] {
                let filter = filter(&crowd, name);
                let looked_at = if is_narrow || depth == Depth::All { VERY_MANY } else { LOOKED_THROUGH };
                let (mut expected, _) = shown(&crowd.models[..looked_at], &filter, name);
                expected.sort_by(|one, other| match sort {
                    SortBy::Name => (one.name.to_lowercase(), one.id).cmp(&(other.name.to_lowercase(), other.id)),
                    SortBy::Suspicion => other.id.cmp(&one.id),
                    _ => (other.created_at, other.id).cmp(&(one.created_at, one.id)),
                });
                let by = (sort.clone(), order);

                let listed = leads::list_to_depth(&reader, crowd.app.workspace, &filter, by, (20, 10), depth)
                    .await
                    .expect("a list");

                let said = format!("{name} by {sort:?}, {depth:?}");
                let ids: Vec<LeadId> = listed.page.rows.iter().map(|card| card.id).collect();
                let wanted: Vec<LeadId> = expected.iter().skip(10).take(20).map(|model| model.id).collect();
                assert_eq!(ids, wanted, "{said}");
                let is_whole = looked_at == VERY_MANY;
                assert_eq!(listed.page.total_is_capped, !is_whole, "{said}");
                assert_eq!(listed.page.total, expected.len() as i64, "{said}");
                assert_eq!(listed.looked_through, (!is_whole).then_some(LOOKED_THROUGH as i64), "{said}");
            }
        }
    }
    crowd.app.stop().await;
}

/// Counts leads that are not there: a hundred thousand would take a minute to make.
async fn say_that_it_is_large(app: &TestApp, pipeline: PipelineId, stage: StageId) {
    let count = StageDelta {
        id: StageCountId::new(app.now(), random_bytes()),
        workspace_id: app.workspace,
        pipeline_id: pipeline,
        stage_id: stage,
        n: 100_000,
        value_milli: 0,
    };
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    capture::add_stage_counts(&mut tx, &[count]).await.expect("counts");
    tx.commit().await.expect("committed");
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

#[rstest]
#[tokio::test]
async fn newer_leads_of_another_pipeline_do_not_push_a_search_off_the_board(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let owner = member(&app, "owner").await;
    let first = pipeline(&app).await;
    let models = crowd(&app, first.id, &first.stages, owner, 100).await;
    let second =
        crm::pipelines::create(&app.engine, &app.actor(), "Second", &default_stages(), &ClosingEdit::default())
            .await
            .expect("made");
    let reader = app.engine.store.reader();
    let second = pipelines::find(&reader, app.workspace, Some(second)).await.expect("an answer").expect("a pipeline");
    app.advance(Duration::from_secs(1_000));
    crowd(&app, second.id, &second.stages, owner, SHOWN_MAX + 100).await;
    let stages: Vec<StageId> = first.stages.iter().map(|stage| stage.id).collect();
    let search = Terms::parse("anna").map(|terms| Search { terms, scope: SearchScope::Everything });
    let filter = LeadFilter { search, ..LeadFilter::default() };

    let board = leads::board(&reader, app.workspace, &stages, &filter, 20).await.expect("a board");
    let page = leads::stage_page(&reader, app.workspace, stages[0], &filter, None, 20).await.expect("a page");

    let expected = models.iter().filter(|model| model.search_text.contains("anna")).count();
    let in_stage = models.iter().filter(|model| model.stage == stages[0]).count();
    assert_eq!(board.iter().map(|column| column.count).sum::<i64>(), expected as i64);
    assert!(board.iter().all(|column| !column.count_is_capped));
    assert_eq!((page.count, page.count_is_capped), (in_stage as i64, false));
    app.stop().await;
}
