//! A year behind very many leads: what a team, its sources and its campaigns leave, spread evenly so that every question
//! that can be asked of leads finds some of them and not all.

use std::{collections::HashMap, ops::Range};

use leadline_domain::{
    custom_fields::CustomKind,
    ids::{ActivityId, LeadId, ProjectId, SourceId, StageId, SubmissionId, UserId, WorkspaceId},
    permissions::Role,
    pipelines::StageKind,
    time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp},
    values::{Amount, Quotable, Values},
};
use leadline_engine::admin::users::{self, NewUser};
use leadline_store::{
    Store, Tx,
    capture::{self, LeadTag, NewLead, NewSubmission},
    custom_fields::{self, CustomField},
    events::{self, NewActivity},
    leads::{self, LeadValues, NewStay},
    ledger::{self, Fact, Notes},
    pipelines::Pipeline,
    projects::{self, Project},
    sources::{self, Intake, Source},
};
use serde_json::{Map, Value, json};

use crate::demo::words::{CAMPAIGNS, LAST_NAMES, MESSAGES, TAGS, TITLES};

/// Over how long leads came.
pub(super) const SPAN_MS: i64 = 365 * DAY_MS;

/// The people of the team.
const PEOPLE: [&str; 6] = ["Robin", "Maya", "Tom", "Ines", "Jonas", "Wei"];

/// What leads are about, beside the first project.
const PROJECTS: [&str; 4] = ["Harbour Lofts", "Garden Court", "Old Mill", "Station Yard"];

/// The sources: their kinds and names.
const SOURCES: [(&str, &str); 5] = [
    ("form", "Request a viewing"),
    ("form", "Download the brochure"),
    ("form", "Contact"),
    ("webhook", "Property portal"),
    ("webhook", "Fair"),
];

const AREAS: [&str; 5] = ["Harbour", "Old town", "Riverside", "Hill", "Station"];
const FEATURES: [&str; 6] = ["balcony", "garden", "parking", "lift", "cellar", "view"];

/// The custom fields, of each kind; the last ones are texts.
const FIELDS: [(&str, &str, CustomKind); 20] = [
    ("budget", "Budget", CustomKind::Number),
    ("rooms", "Rooms", CustomKind::Number),
    ("floor", "Floor", CustomKind::Number),
    ("square_metres", "Square metres", CustomKind::Number),
    ("household", "Household", CustomKind::Number),
    ("move_in", "Moving in", CustomKind::Date),
    ("viewing_on", "Viewing", CustomKind::Date),
    ("contract_until", "Contract until", CustomKind::Date),
    ("area", "Area", CustomKind::Select),
    ("financing", "Financing", CustomKind::Select),
    ("features", "Features", CustomKind::MultiSelect),
    ("languages", "Languages", CustomKind::MultiSelect),
    ("listing", "Listing", CustomKind::Url),
    ("has_pets", "Pets", CustomKind::Boolean),
    ("newsletter", "Newsletter", CustomKind::Boolean),
    ("profession", "Profession", CustomKind::Text),
    ("employer", "Employer", CustomKind::Text),
    ("heard_of_us", "Heard of us", CustomKind::Text),
    ("remark", "Remark", CustomKind::Text),
    ("unit", "Unit", CustomKind::Text),
];

/// What a workspace has beside its leads.
pub(super) struct History {
    workspace: WorkspaceId,
    people: Vec<UserId>,
    projects: Vec<ProjectId>,
    sources: Vec<(SourceId, &'static str, &'static str)>,
}

/// What leads leave in other tables.
#[derive(Default)]
pub(super) struct Past {
    submissions: Vec<NewSubmission>,
    tags: Vec<LeadTag>,
    values: Vec<LeadValues>,
    stays: Vec<NewStay>,
    activities: Vec<NewActivity>,
}

impl Past {
    /// What leads are worth, in thousandths.
    pub(super) fn worth(&self) -> HashMap<LeadId, i64> {
        self.values.iter().map(|of| (of.id, of.values.milli())).collect()
    }

    pub(super) async fn write(self, tx: &mut Tx) -> anyhow::Result<()> {
        let mut notes = Notes::default();
        for one in &self.submissions {
            for fact in [Fact::Accepted, Fact::Stored] {
                notes.add(one.workspace_id, one.source_id, Timestamp(one.received_at), fact, 1);
            }
        }
        capture::insert_submissions(tx, &self.submissions).await?;
        ledger::write(tx, &notes).await?;
        capture::insert_tags(tx, &self.tags).await?;
        leads::set_values(tx, &self.values).await?;
        leads::insert_stays(tx, &self.stays).await?;
        Ok(events::insert_activities(tx, &self.activities).await?)
    }
}

/// A number that looks random and is the same in every run.
fn dice(n: u64, question: u64, sides: u64) -> u64 {
    let mut z = (n * 64 + question).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % sides.max(1)
}

fn pick<T: Copy>(n: u64, question: u64, from: &[T]) -> T {
    from[usize::try_from(dice(n, question, from.len() as u64)).unwrap_or(0)]
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

impl History {
    /// Makes the team, its projects, sources and fields.
    pub(super) async fn begin(
        store: &Store,
        workspace: WorkspaceId,
        intake: &Intake,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut people = Vec::new();
        for name in PEOPLE {
            let email = format!("{}@team.example", name.to_lowercase());
            let user = NewUser { email, name: name.to_owned(), role: Role::Agent.into(), password: None };
            people.push(users::take_in(store, now, workspace, user).await?.member.id);
        }
        let begun = now.plus_ms(-SPAN_MS);
        let mut made = vec![intake.project_id];
        let mut channels = Vec::new();
        let mut tx = store.begin().await?;
        for name in PROJECTS {
            let id = ProjectId::new(begun, rand::random());
            let project = Project { id, name: name.to_owned(), pipeline_id: None, created_at: begun };
            projects::insert(&mut tx, workspace, &project).await?;
            made.push(id);
        }
        for (kind, name) in SOURCES {
            let id = SourceId::new(begun, rand::random());
            let source = Source {
                id,
                project_id: intake.project_id,
                kind: kind.to_owned(),
                name: name.to_owned(),
                key: format!("load{}", id.0.simple()),
                settings: json!({}),
                received_count: 0,
                last_received_at: None,
                created_at: begun,
            };
            sources::insert(&mut tx, workspace, &source).await?;
            channels.push((id, kind, name));
        }
        for (key, name, kind) in FIELDS {
            custom_fields::write(&mut tx, workspace, &field(key, name, kind, begun)).await?;
        }
        tx.commit().await?;
        Ok(Self { workspace, people, projects: made, sources: channels })
    }

    /// Gives leads that are about to be stored their past.
    pub(super) fn of(&self, few: Range<u64>, rows: &mut [NewLead], pipeline: &Pipeline, now: Timestamp) -> Past {
        let mut past = Past::default();
        for (n, lead) in few.zip(rows) {
            self.dress(n, lead);
            self.walk(n, lead, pipeline, now, &mut past);
            past.submissions.extend((0..2).map(|time| self.submission(n, time, lead)));
            let tags = lead.tags.as_array().into_iter().flatten().filter_map(Value::as_str);
            past.tags.extend(tags.map(|tag| LeadTag {
                workspace_id: self.workspace,
                tag: tag.to_owned(),
                lead_id: lead.id,
            }));
        }
        past
    }

    /// Where a lead came from, and what it told.
    fn dress(&self, n: u64, lead: &mut NewLead) {
        lead.project_id = pick(n, 1, &self.projects);
        let (source, kind, name) = pick(n, 2, &self.sources);
        (lead.source_id, lead.source, lead.source_name) = (Some(source), kind.to_owned(), name.to_owned());
        lead.title = (dice(n, 3, 3) > 0).then(|| pick(n, 4, &TITLES).to_owned());
        lead.message = Some(pick(n, 5, &MESSAGES).to_owned());
        lead.assigned_to = (dice(n, 6, 4) > 0).then(|| pick(n, 7, &self.people));
        lead.engagement = (dice(n, 8, 2) > 0).then(|| whole(dice(n, 9, 101)));
        lead.suspicion = whole(dice(n, 10, 40));
        lead.submission_count = 2;
        let (source, medium, campaign, referrer) = pick(n, 11, &CAMPAIGNS);
        let channel = if source.is_empty() { "direct" } else { "campaign" };
        let touch = json!({
            "at": Timestamp(lead.created_at), "channel": channel, "utmSource": source, "utmMedium": medium,
            "utmCampaign": campaign, "referrer": referrer, "pageUrl": "https://harbour-lofts.example/viewing",
        });
        (lead.first_touch, lead.last_touch) = (touch.clone(), touch);
        // One in twenty leads has a tag; one in a thousand a rare one.
        lead.tags = match dice(n, 12, 1_000) {
            0 => json!(["rare"]),
            1..50 => json!([pick(n, 13, &TAGS)]),
            _ => json!([]),
        };
        lead.custom_fields = Value::Object(custom(n, lead.created_at));
    }

    /// How a lead went through its pipeline: the stage that it is in was settled before.
    fn walk(&self, n: u64, lead: &mut NewLead, pipeline: &Pipeline, now: Timestamp, past: &mut Past) {
        let open: Vec<StageId> =
            pipeline.stages.iter().filter(|stage| stage.kind == StageKind::Open).map(|stage| stage.id).collect();
        let place = open.iter().position(|stage| *stage == lead.stage_id);
        let passed = place.unwrap_or_else(|| 1 + usize::try_from(dice(n, 20, open.len() as u64)).unwrap_or(0));
        let mut at = lead.created_at;
        for (step, stage) in open.iter().take(passed).enumerate() {
            let left_at = (at + MINUTE_MS + whole(dice(n, 21 + step as u64, 72)) * HOUR_MS / 4).min(now.0);
            let stay =
                NewStay { lead_id: lead.id, entered_at: at, stage_id: *stage, workspace_id: self.workspace, left_at };
            if step == 0 {
                past.activities.push(self.first_answer(n, lead, left_at));
            }
            past.stays.push(stay);
            at = left_at;
        }
        lead.stage_entered_at = at;
        let is_won = pipeline.stages.iter().any(|stage| stage.id == lead.stage_id && stage.kind == StageKind::Won);
        let amount = || Amount::from_milli(whole(50 + dice(n, 30, 4_000)) * 100_000);
        if passed > 1 {
            let values = Values { quotable: Quotable::Yes, quote: amount(), sales: amount().filter(|_| is_won) };
            past.values.push(LeadValues { id: lead.id, values });
        }
    }

    fn first_answer(&self, n: u64, lead: &NewLead, at: i64) -> NewActivity {
        NewActivity {
            id: ActivityId::new(Timestamp(at), rand::random()),
            workspace_id: self.workspace,
            lead_id: lead.id,
            kind: "lead.stage_changed".to_owned(),
            actor_kind: "user",
            actor_id: Some(pick(n, 31, &self.people)),
            actor_name: pick(n, 31, &PEOPLE).to_owned(),
            data: json!({}),
            created_at: at,
        }
    }

    fn submission(&self, n: u64, time: i64, lead: &NewLead) -> NewSubmission {
        let at = Timestamp(lead.created_at + time * HOUR_MS);
        NewSubmission {
            id: SubmissionId::new(at, rand::random()),
            workspace_id: self.workspace,
            lead_id: lead.id,
            source_id: lead.source_id,
            source: lead.source.clone(),
            source_name: lead.source_name.clone(),
            payload: json!({"name": lead.name, "email": lead.email, "message": lead.message, "n": n}).to_string(),
            name: Some(lead.name.clone()),
            email: lead.email.clone(),
            phone: lead.phone.clone(),
            project: None,
            message: lead.message.clone(),
            cta: None,
            page_url: Some("https://harbour-lofts.example/viewing".to_owned()),
            referrer: None,
            match_reason: json!({"by": if time == 0 { "new" } else { "email" }}),
            received_at: at.0,
            time_to_submit_ms: Some(20_000),
            context: None,
        }
    }
}

fn field(key: &str, name: &str, kind: CustomKind, at: Timestamp) -> CustomField {
    let texts = |options: &[&str]| options.iter().map(|option| (*option).to_owned()).collect();
    let options = match key {
        "area" => texts(&AREAS),
        "features" => texts(&FEATURES),
        "financing" => texts(&["own", "bank", "open"]),
        "languages" => texts(&["de", "en", "fr"]),
        _ => Vec::new(),
    };
    CustomField {
        key: key.to_owned(),
        name: name.to_owned(),
        kind: Some(kind),
        options,
        is_on_card: key == "budget",
        seen_count: 0,
        last_seen_at: None,
        created_at: at,
        updated_at: at,
    }
}

/// Values of the custom fields. A few are so rare that almost no lead has them.
fn custom(n: u64, created_at: i64) -> Map<String, Value> {
    let day = |question: u64| {
        let at = Timestamp(created_at + whole(dice(n, question, 400)) * DAY_MS);
        Value::from(at.to_string().chars().take(10).collect::<String>())
    };
    let mut values = Map::new();
    for (place, (key, _, kind)) in FIELDS.iter().enumerate() {
        let question = 40 + place as u64;
        let value = match (*key, kind) {
            ("budget", _) => json!(dice(n, question, 1_000) * 1_000),
            (_, CustomKind::Number) => json!(dice(n, question, 200)),
            (_, CustomKind::Date) => day(question),
            ("area", _) => json!(pick(n, question, &AREAS)),
            (_, CustomKind::Select) => json!(pick(n, question, &["own", "bank", "open"])),
            ("features", _) => json!([pick(n, question, &FEATURES), "lift"]),
            (_, CustomKind::MultiSelect) => json!([pick(n, question, &["de", "en", "fr"])]),
            (_, CustomKind::Url) => json!(format!("https://harbour-lofts.example/units/{}", dice(n, question, 400))),
            (_, CustomKind::Boolean) => json!(dice(n, question, 2) == 0),
            ("unit", _) => json!(format!("HL-{}", dice(n, question, 100_000))),
            (_, CustomKind::Text) => json!(pick(n, question, &LAST_NAMES)),
        };
        values.insert((*key).to_owned(), value);
    }
    values
}
