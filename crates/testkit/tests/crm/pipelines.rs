//! Pipelines: the first one is made once, edits keep leads where they are, and no lead is left in a stage that is gone.

use std::sync::Arc;

use leadline_domain::ids::StageId;
use leadline_engine::{
    crm::{
        self,
        pipelines::{ClosingEdit, Edit, PipelineError, StageEdit, default_stages},
    },
    random_bytes,
};
use leadline_store::pipelines::{self, Pipeline, Stage};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{crowd, lead, member, pipeline, read};

fn kept(stage: &Stage) -> StageEdit {
    StageEdit {
        id: Some(stage.id),
        name: stage.name.clone(),
        color: stage.color.clone(),
        kind: stage.kind,
        probability: None,
        stale_after_days: None,
    }
}

fn without(pipeline: &Pipeline, gone: &[StageId], move_leads_to: Option<StageId>) -> Edit {
    let stages = pipeline.stages.iter().filter(|stage| !gone.contains(&stage.id)).map(kept).collect();
    Edit { stages: Some(stages), move_leads_to, ..Edit::default() }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_pipeline_is_made_once_however_many_ask(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = Arc::new(TestApp::start(db).await);
    let fresh = leadline_domain::ids::WorkspaceId::new(app.now(), random_bytes());

    let asked: Vec<_> = (0..8)
        .map(|_| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { crm::pipelines::ensure_default(&app.engine, &app.actor_in(fresh)).await })
        })
        .collect();
    let mut ids = Vec::new();
    for one in asked {
        ids.push(one.await.expect("no panic").expect("a pipeline"));
    }

    ids.dedup();
    let made = pipelines::list(&app.engine.store.reader(), fresh).await.expect("a list");
    let names: Vec<&str> = made[0].stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!((ids.len(), made.len()), (1, 1));
    assert_eq!(names, ["New", "Contacted", "Qualified", "Proposal", "Won", "Lost"]);
    Arc::into_inner(app).expect("nobody else has it").stop().await;
}

#[rstest]
#[tokio::test]
async fn an_edit_renames_reorders_adds_and_keeps_leads_where_they_are(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let before = pipeline(&app).await;
    let lead = lead(&app, json!({"name": "Anna"})).await;
    let mut stages: Vec<StageEdit> = before.stages.iter().map(kept).collect();
    stages[0].name = " Fresh ".into();
    stages[1].color = "teal".into();
    stages.swap(2, 3);
    let called = StageEdit { id: None, name: "Called".into(), color: "gray".into(), ..kept(&before.stages[0]) };
    stages.insert(1, called);
    let edit = Edit { name: Some("Sales".into()), stages: Some(stages), ..Edit::default() };

    crm::pipelines::update(&app.engine, &app.actor(), before.id, &edit).await.expect("edited");

    let after = pipeline(&app).await;
    let names: Vec<&str> = after.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(after.name, "Sales");
    assert_eq!(names, ["Fresh", "Called", "Contacted", "Proposal", "Qualified", "Won", "Lost"]);
    assert_eq!(after.stages[2].color, "teal");
    assert_eq!(read(&app, lead).await.card.stage_id, before.stages[0].id);
    app.stop().await;
}

#[rstest]
#[case::one_stage(|edit: &mut Edit| edit.stages.as_mut().expect("stages").truncate(1), "/stages")]
#[case::no_name(|edit: &mut Edit| edit.name = Some(" ".into()), "/name")]
#[case::stage_without_a_name(|edit: &mut Edit| edit.stages.as_mut().expect("stages")[3].name.clear(), "/stages/3/name")]
#[case::unknown_colour(|edit: &mut Edit| edit.stages.as_mut().expect("stages")[2].color = "red;".into(), "/stages/2/color")]
#[tokio::test]
async fn a_pipeline_cannot_become_just_anything(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] spoil: fn(&mut Edit),
    #[case] pointer: &str,
) {
    let app = TestApp::start(db).await;
    let before = pipeline(&app).await;
    let mut edit = without(&before, &[], None);
    spoil(&mut edit);

    let refused = crm::pipelines::update(&app.engine, &app.actor(), before.id, &edit).await;

    let Err(PipelineError::Faulty(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[0].pointer(), pointer);
    assert_eq!(pipeline(&app).await, before);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_stage_with_leads_goes_only_with_a_place_for_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let before = pipeline(&app).await;
    let (new, contacted) = (before.stages[0].id, before.stages[1].id);
    let anna = lead(&app, json!({"name": "Anna"})).await;
    let deleted = lead(&app, json!({"name": "Bob"})).await;
    crm::delete(&app.engine, &app.actor(), deleted).await.expect("deleted");
    let update = |edit| {
        let (engine, actor) = (app.engine.clone(), app.actor());
        async move { crm::pipelines::update(&engine, &actor, before.id, &edit).await }
    };

    let homeless = update(without(&before, &[new], None)).await;
    let circle = update(without(&before, &[new], Some(new))).await;
    assert!(matches!(homeless, Err(PipelineError::LeadsInside)), "{homeless:?}");
    assert!(matches!(circle, Err(PipelineError::NoTarget)), "{circle:?}");

    update(without(&before, &[new], Some(contacted))).await.expect("removed");
    assert_eq!(read(&app, anna).await.card.stage_id, contacted);
    assert_eq!(read(&app, deleted).await.card.stage_id, contacted, "so that it can be restored");
    assert_eq!(app.count("events WHERE kind = 'lead.stage_changed'").await, 1);
    assert_eq!(lead_counts(&app).await, [("Contacted".to_owned(), 1)]);
    app.stop().await;
}

async fn lead_counts(app: &TestApp) -> Vec<(String, i64)> {
    let stages = pipeline(app).await.stages;
    let ids: Vec<StageId> = stages.iter().map(|stage| stage.id).collect();
    let filter = leadline_store::leads::LeadFilter::default();
    let board = leadline_store::leads::board(&app.engine.store.reader(), app.workspace, &ids, &filter, 1).await;
    let counts = board.expect("a board").into_iter().map(|column| column.count);
    stages.into_iter().map(|stage| stage.name).zip(counts).filter(|(_, count)| *count > 0).collect()
}

#[rstest]
#[tokio::test]
async fn a_crowded_stage_is_emptied_to_the_last_lead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let before = pipeline(&app).await;
    let owner = member(&app, "owner").await;
    crowd(&app, before.id, &before.stages, owner, 6 * 1_234).await;
    let (won, lost) = (before.stages[4].id, before.stages[5].id);

    let edit = without(&before, &[before.stages[2].id, lost], Some(won));
    crm::pipelines::update(&app.engine, &app.actor(), before.id, &edit).await.expect("removed");

    let counts: Vec<i64> = lead_counts(&app).await.into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, [1_234, 1_234, 1_234, 3 * 1_234]);
    assert_eq!(app.count("events WHERE kind = 'lead.stage_changed'").await, 2 * 1_234);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn deleted_leads_alone_hold_no_stage(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let before = pipeline(&app).await;
    let bob = lead(&app, json!({"name": "Bob"})).await;
    crm::delete(&app.engine, &app.actor(), bob).await.expect("deleted");

    let edit = without(&before, &[before.stages[0].id], None);
    crm::pipelines::update(&app.engine, &app.actor(), before.id, &edit).await.expect("removed");
    crm::restore(&app.engine, &app.actor(), bob).await.expect("restored");

    assert_eq!(lead_counts(&app).await, [("Contacted".to_owned(), 1)]);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_stage_of_another_pipeline_cannot_be_taken(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let first = pipeline(&app).await;
    let second =
        crm::pipelines::create(&app.engine, &app.actor(), "Second", &default_stages(), &ClosingEdit::default())
            .await
            .expect("made");
    let edit = Edit { stages: Some(first.stages.iter().map(kept).collect()), ..Edit::default() };

    let refused = crm::pipelines::update(&app.engine, &app.actor(), second, &edit).await;

    assert!(matches!(refused, Err(PipelineError::ForeignStage(0))), "{refused:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_pipeline_goes_with_its_leads_moved_and_the_default_one_stays(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let first = pipeline(&app).await;
    let engine = &app.engine;
    let id = crm::pipelines::create(engine, &app.actor(), "Second", &default_stages(), &ClosingEdit::default())
        .await
        .expect("made");
    let second = pipelines::find(&engine.store.reader(), app.workspace, Some(id)).await.expect("read").expect("there");
    let anna = lead(&app, json!({"name": "Anna"})).await;
    let to = crm::Move { stage: second.stages[1].id, below: None, reason: None, op: None };
    crm::move_stage(engine, &app.actor(), anna, &to).await.expect("moved");

    let homeless = crm::pipelines::delete(engine, &app.actor(), id, None).await;
    let default = crm::pipelines::delete(engine, &app.actor(), first.id, Some(second.stages[0].id)).await;
    crm::pipelines::delete(engine, &app.actor(), id, Some(first.stages[2].id)).await.expect("deleted");
    let again = crm::pipelines::delete(engine, &app.actor(), id, None).await;

    assert!(matches!(homeless, Err(PipelineError::LeadsInside)), "{homeless:?}");
    assert!(matches!(default, Err(PipelineError::IsDefault)), "{default:?}");
    assert!(matches!(again, Err(PipelineError::NotFound)), "{again:?}");
    let after = read(&app, anna).await;
    assert_eq!((after.card.pipeline_id, after.card.stage_id), (first.id, first.stages[2].id));
    app.stop().await;
}
