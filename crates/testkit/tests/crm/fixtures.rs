//! What these tests begin with: members, leads by the thousand, and short ways to read one.

use leadline_domain::{
    ids::{ContactId, LeadId, PipelineId, StageCountId, StageId, UserId},
    permissions::Role,
    rank::Rank,
    time::Timestamp,
};
use leadline_engine::random_bytes;
use leadline_store::{
    capture::{self, LeadTag, NewLead, StageDelta},
    contacts::{self, Contact},
    leads::{self, Lead},
    pipelines::{self, Pipeline, Stage},
    search, testing, users,
};
use leadline_testkit::{Db, TestApp};
use serde_json::{Value, json};

/// A member of the workspace.
pub async fn member(app: &TestApp, name: &str) -> UserId {
    let now = app.now();
    let user = users::User {
        id: UserId::new(now, random_bytes()),
        email: format!("{name}@team.example"),
        name: name.to_owned(),
        password_hash: String::new(),
        created_at: now,
        disabled_at: None,
    };
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    users::insert(&mut tx, &user).await.expect("a user");
    users::insert_member(&mut tx, app.workspace, user.id, Role::Agent.into(), now).await.expect("a member");
    tx.commit().await.expect("committed");
    user.id
}

/// A lead that came in through the door.
pub async fn lead(app: &TestApp, fields: Value) -> LeadId {
    app.submit(fields).await.lead.expect("a stored lead")
}

pub async fn read(app: &TestApp, lead: LeadId) -> Lead {
    let found = leads::find(&app.engine.store.reader(), app.workspace, lead).await;
    found.expect("the store answers").expect("the lead is there")
}

pub async fn contact(app: &TestApp, id: ContactId) -> Contact {
    let found = contacts::find(&app.engine.store.reader(), app.workspace, id).await;
    found.expect("the store answers").expect("the contact is there")
}

/// The default pipeline.
pub async fn pipeline(app: &TestApp) -> Pipeline {
    let found = pipelines::find(&app.engine.store.reader(), app.workspace, None).await;
    found.expect("the store answers").expect("a default pipeline")
}

/// The stages of the default pipeline.
pub async fn stages(app: &TestApp) -> Vec<Stage> {
    pipeline(app).await.stages
}

/// What the timeline of a lead says, newest first.
pub async fn timeline(app: &TestApp, lead: LeadId) -> Vec<(String, Value)> {
    let page = leadline_store::events::list_activities(&app.engine.store.reader(), app.workspace, lead, 100, 0).await;
    page.expect("a timeline").rows.into_iter().map(|activity| (activity.kind, activity.data)).collect()
}

/// A lead as a model of these tests knows it.
#[derive(Debug, Clone)]
pub struct Model {
    pub id: LeadId,
    pub stage: StageId,
    pub rank: String,
    pub name: String,
    pub company: Option<String>,
    pub source: &'static str,
    pub tag: Option<&'static str>,
    pub assigned_to: Option<UserId>,
    pub score: i64,
    pub created_at: i64,
    pub search_text: String,
}

/// Puts `n` leads into the store at once, spread over stages, sources, tags, owners and companies; every 500th is
/// somebody rare.
pub async fn crowd(app: &TestApp, pipeline: PipelineId, stages: &[Stage], owner: UserId, n: usize) -> Vec<Model> {
    let mut models: Vec<Model> = (0..n).map(|index| model(app.now(), stages, owner, index)).collect();
    // Leads are stored as they come.
    models.sort_by_key(|model| model.created_at);
    let rows: Vec<NewLead> = models.iter().map(|model| row(app, pipeline, model)).collect();
    let tags: Vec<LeadTag> = models
        .iter()
        .filter_map(|model| {
            model.tag.map(|tag| LeadTag { workspace_id: app.workspace, tag: tag.to_owned(), lead_id: model.id })
        })
        .collect();
    let counts: Vec<StageDelta> = stages
        .iter()
        .map(|stage| StageDelta {
            id: StageCountId::new(app.now(), random_bytes()),
            workspace_id: app.workspace,
            pipeline_id: pipeline,
            stage_id: stage.id,
            n: models.iter().filter(|model| model.stage == stage.id).count() as i64,
            value_milli: 0,
        })
        .collect();
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    capture::insert_leads(&mut tx, &rows).await.expect("leads");
    capture::insert_tags(&mut tx, &tags).await.expect("tags");
    capture::add_stage_counts(&mut tx, &counts).await.expect("counts");
    search::index(&mut tx, &models.iter().map(|model| model.id).collect::<Vec<_>>()).await.expect("an index");
    tx.commit().await.expect("committed");
    if app.db() == Db::Postgres {
        // As its autovacuum does a minute after rows came in; the tests' server has none.
        testing::execute(&app.engine.store, "ANALYZE").await.expect("statistics");
    }
    models
}

fn model(now: Timestamp, stages: &[Stage], owner: UserId, index: usize) -> Model {
    let is_rare = index % 500 == 7;
    let created = Timestamp(now.0 + (index as i64 * 7919) % 100_000);
    let name = if is_rare { format!("Zacharias {index}") } else { format!("Anna {index}") };
    let company = index.is_multiple_of(3).then(|| format!("Company {}", index % 17));
    Model {
        id: LeadId::new(created, random_bytes()),
        stage: stages[index % stages.len()].id,
        // Many share a rank, as after a stage was emptied into another.
        rank: Rank::at(Timestamp(now.0 + (index % 400) as i64), 0).as_str().to_owned(),
        search_text: search::text(&name, None, None, company.as_deref()),
        name,
        company,
        source: if is_rare { "import" } else { "form" },
        tag: if is_rare { Some("rare") } else { index.is_multiple_of(2).then_some("even") },
        assigned_to: index.is_multiple_of(5).then_some(owner),
        score: (index % 101) as i64,
        created_at: created.0,
    }
}

fn row(app: &TestApp, pipeline: PipelineId, model: &Model) -> NewLead {
    NewLead {
        id: model.id,
        workspace_id: app.workspace,
        project_id: app.project,
        contact_id: ContactId::new(app.now(), random_bytes()),
        pipeline_id: pipeline,
        stage_id: model.stage,
        rank: model.rank.clone(),
        name: model.name.clone(),
        email: None,
        phone: None,
        phone_raw: None,
        country_code: None,
        company: model.company.clone(),
        title: None,
        message: None,
        source: model.source.to_owned(),
        source_id: None,
        source_name: "Test".to_owned(),
        tags: model.tag.map_or_else(|| json!([]), |tag| json!([tag])),
        custom_fields: json!({}),
        score: model.score,
        score_reasons: json!([]),
        engagement: None,
        suspicion: 0,
        suspicion_reasons: json!([]),
        score_version: 0,
        assigned_to: model.assigned_to,
        first_touch: json!({}),
        last_touch: json!({}),
        visitor_id: None,
        context: None,
        submission_count: 1,
        last_submission_at: model.created_at,
        stage_entered_at: model.created_at,
        is_test: false,
        version: 1,
        created_at: model.created_at,
        updated_at: model.created_at,
        search_text: model.search_text.clone(),
    }
}
