//! `leadline dev load-leads`: very many leads at once, for measurements. They are written by set and straight into the
//! tables, without events or deliveries: what the board and the search read is all there. What else a year brings, such
//! as submissions, custom fields and stages that were left, is added by [`history`].

mod history;

use std::collections::HashMap;

use anyhow::Context;
use leadline_domain::{
    ids::{ContactId, LeadId, StageCountId, StageId},
    rank::Rank,
    time::{SECOND_MS, Timestamp},
};
use leadline_store::{
    capture::{self, NewContact, NewLead, StageDelta},
    pipelines::{self, Pipeline},
    search,
    sources::{self, Intake},
    statistics,
};
use serde_json::json;

use self::history::{History, Past};
use crate::{
    Exit, admin,
    config::Config,
    demo::words::{COMPANIES, FIRST_NAMES, LAST_NAMES},
};

/// Rows in one statement.
const AT_ONCE: u64 = 5_000;

/// How leads spread over the stages: most are new, many are lost.
const STAGES_OF_TEN: [usize; 10] = [0, 0, 0, 0, 1, 1, 2, 3, 4, 5];

/// Puts `count` leads into the default workspace, of so many seconds or of a year.
pub(crate) async fn load(config: &Config, count: u64, with_history: bool) -> anyhow::Result<Exit> {
    let store = admin::open(config).await?;
    let workspace = admin::workspace(&store, config, "default").await?.id;
    let reader = store.reader();
    let intake =
        sources::find_direct_intake(&reader, workspace, None).await?.context("a workspace without a project")?;
    let pipeline = pipelines::find(&reader, workspace, None).await?.context("a workspace without a pipeline")?;
    let now = admin::now();
    let history = if with_history { Some(History::begin(&store, workspace, &intake, now).await?) } else { None };
    let apart_ms = if with_history { history::SPAN_MS / i64::try_from(count.max(1))? } else { SECOND_MS };
    let mut done = 0;
    while done < count {
        let few = done..count.min(done + AT_ONCE);
        let (contacts, mut leads): (Vec<NewContact>, Vec<NewLead>) = few
            .clone()
            .map(|n| person(n, Timestamp(now.0 - i64::try_from(count - n).unwrap_or(0) * apart_ms), &intake, &pipeline))
            .unzip();
        let past = history.as_ref().map(|history| history.of(few.clone(), &mut leads, &pipeline, now));
        let ids: Vec<LeadId> = leads.iter().map(|lead| lead.id).collect();
        let mut tx = store.begin().await?;
        capture::insert_contacts(&mut tx, &contacts).await?;
        capture::insert_leads(&mut tx, &leads).await?;
        let worth = past.as_ref().map(Past::worth).unwrap_or_default();
        capture::add_stage_counts(&mut tx, &counts(&leads, &worth, now)).await?;
        search::index(&mut tx, &ids).await?;
        if let Some(past) = past {
            past.write(&mut tx).await?;
        }
        tx.commit().await?;
        done = few.end;
    }
    statistics::refresh(&store).await?;
    store.close().await;
    eprintln!("{done} leads are in the workspace \"default\".");
    Ok(Exit::Done)
}

fn person(n: u64, at: Timestamp, intake: &Intake, pipeline: &Pipeline) -> (NewContact, NewLead) {
    let place = |step: u64, of: usize| usize::try_from(n / step).unwrap_or(0) % of;
    let (first, last) = (FIRST_NAMES[place(1, FIRST_NAMES.len())], LAST_NAMES[place(7, LAST_NAMES.len())]);
    let company = COMPANIES[place(11, COMPANIES.len())];
    let name = format!("{first} {last}");
    let email =
        format!("{}.{n}@{}.example", last.to_lowercase(), company.split(' ').next().unwrap_or("x").to_lowercase());
    let phone = format!("+491511{n:07}");
    let contact = NewContact {
        id: ContactId::new(at, rand::random()),
        workspace_id: intake.workspace_id,
        display_name: name.clone(),
        email: Some(email.clone()),
        phone_number: Some(phone.clone()),
        lifecycle: "lead",
        tags: json!([]),
        column_data: json!({}),
        created_at: at.0,
        updated_at: at.0,
    };
    let stage = &pipeline.stages[STAGES_OF_TEN[place(1, 10)].min(pipeline.stages.len() - 1)];
    let touch = json!({"at": at});
    let lead = NewLead {
        id: LeadId::new(at, rand::random()),
        workspace_id: intake.workspace_id,
        project_id: intake.project_id,
        contact_id: contact.id,
        pipeline_id: pipeline.id,
        stage_id: stage.id,
        rank: Rank::at(at, rand::random()).as_str().to_owned(),
        search_text: search::text(&name, Some(&email), Some(&phone), Some(company)),
        name,
        email: Some(email),
        phone: Some(phone),
        phone_raw: None,
        country_code: Some("DE".into()),
        company: Some(company.into()),
        title: None,
        message: None,
        source: "import".into(),
        source_id: None,
        source_name: "Load".into(),
        tags: json!([]),
        custom_fields: json!({}),
        score: i64::try_from(n % 101).unwrap_or(0),
        score_reasons: json!([]),
        engagement: None,
        suspicion: 0,
        suspicion_reasons: json!([]),
        score_version: 0,
        assigned_to: None,
        first_touch: touch.clone(),
        last_touch: touch,
        visitor_id: None,
        context: None,
        submission_count: 0,
        last_submission_at: at.0,
        stage_entered_at: at.0,
        is_test: false,
        version: 1,
        created_at: at.0,
        updated_at: at.0,
    };
    (contact, lead)
}

/// What the stages' columns count: leads, and what they are worth in thousandths.
fn counts(leads: &[NewLead], worth: &HashMap<LeadId, i64>, now: Timestamp) -> Vec<StageDelta> {
    let mut deltas: HashMap<StageId, StageDelta> = HashMap::new();
    for lead in leads {
        let delta = deltas.entry(lead.stage_id).or_insert_with(|| StageDelta {
            id: StageCountId::new(now, rand::random()),
            workspace_id: lead.workspace_id,
            pipeline_id: lead.pipeline_id,
            stage_id: lead.stage_id,
            n: 0,
            value_milli: 0,
        });
        delta.n += 1;
        delta.value_milli += worth.get(&lead.id).copied().unwrap_or_default();
    }
    deltas.into_values().collect()
}
