//! Erasing a person: the job, step by step.
//!
//! First what names them in texts, while the texts that say who they are are still there; then what belongs to them by
//! an id; their leads and contact last. Whatever came to a lead meanwhile goes in a second round, by ids that the job
//! remembers, and nothing personal is in them. In the end the database forgets what it keeps of rows that are gone.
//! Each step is one transaction, and can be done twice.

use std::collections::BTreeMap;

use leadline_domain::{
    ids::{ContactId, LeadId, StageCountId, WorkspaceId},
    permissions::Permission,
    privacy::Traces,
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    capture::{self, IdentityKey, LeadTag, StageDelta},
    events,
    leads::{self, Locked},
    privacy::{
        person::{self, Person},
        places::{self, Owner},
        rows::{self, Of},
        texts::{self, Key, Sought, Strip, Texts},
        wipe::{self, Remains},
    },
    search,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::named::{act, closely, naming};
use crate::{
    Engine, dispatch,
    erasing::KeeperError,
    jobs::{Handler, Job, JobError, Step, Stepping, Turn, Turned},
    random_bytes,
};

/// The kind of these jobs.
pub const KIND: &str = "privacy.erase";

/// Phases of a job, which is what its progress counts.
pub const PHASES: i64 = 9;

/// Rows of a table that are looked through in one question.
const STRIP: i64 = 2_000;

/// Strips without anything in them that are looked through in one step.
const STRIPS_AT_ONCE: usize = 25;

/// Identities that are walked in one question.
const IDENTITIES: i64 = 20_000;

/// Rows of each kind that are deleted in one transaction. On SQLite submissions wait behind it.
const ROWS_AT_ONCE: i64 = 200;

/// Leads that are deleted in one transaction.
const LEADS_AT_ONCE: usize = 100;

/// Works on these jobs.
pub struct Erase;

impl Handler for Erase {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn permission(&self, _: &Job) -> Permission {
        super::PERMISSION
    }

    fn can_undo(&self, _: &Job) -> bool {
        false
    }

    // Half of a person is neither there nor erased.
    fn must_end(&self) -> bool {
        true
    }

    fn work<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(step(engine, turn))
    }

    fn undo<'a>(&'a self, _: &'a Engine, _: Turn) -> Stepping<'a> {
        Box::pin(async { Err(JobError::GiveUp("What was erased cannot be brought back.".to_owned())) })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    contact_id: ContactId,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// What is on the disk, or packed.
    #[default]
    Elsewhere,
    /// What names them in texts.
    Texts,
    /// What they are known by.
    Identities,
    /// What belongs to them.
    Rows,
    /// Their leads, and they themselves.
    Leads,
    /// What came meanwhile.
    RowsAgain,
    /// What was told of them.
    Events,
    /// What the search index keeps.
    Search,
    /// What the database keeps.
    Wipe,
}

impl Phase {
    fn next(self) -> Self {
        match self {
            Self::Elsewhere => Self::Texts,
            Self::Texts => Self::Identities,
            Self::Identities => Self::Rows,
            Self::Rows => Self::Leads,
            Self::Leads => Self::RowsAgain,
            Self::RowsAgain => Self::Events,
            Self::Events => Self::Search,
            Self::Search | Self::Wipe => Self::Wipe,
        }
    }
}

/// Where a job stands. Ids, and nothing personal.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cursor {
    phase: Phase,
    leads: Vec<LeadId>,
    contacts: Vec<ContactId>,
    /// The table that is looked through.
    #[serde(default)]
    place: usize,
    /// The row behind which it goes on.
    #[serde(default)]
    after: Option<Key>,
    /// The identity behind which it goes on.
    #[serde(default)]
    behind: Option<String>,
    /// Whether the phase has begun.
    #[serde(default)]
    is_begun: bool,
}

impl Cursor {
    fn of(&self, turn: &Turn) -> Of<'_> {
        Of { workspace: turn.job().workspace_id, leads: &self.leads, contacts: &self.contacts }
    }

    fn into_next(self) -> Self {
        Self { phase: self.phase.next(), leads: self.leads, contacts: self.contacts, ..Self::default() }
    }
}

/// How much was erased, by table.
type Tally = BTreeMap<String, u64>;

async fn step(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let cursor: Cursor = turn.cursor()?.unwrap_or_default();
    match cursor.phase {
        Phase::Elsewhere => elsewhere(engine, turn).await,
        Phase::Texts => through_texts(engine, turn, cursor).await,
        Phase::Identities => identities(engine, turn, cursor).await,
        Phase::Rows => belongings(engine, turn, cursor).await,
        Phase::Leads => them(engine, turn, cursor).await,
        Phase::RowsAgain => belongings_again(engine, turn, cursor).await,
        Phase::Events => told(engine, turn, cursor).await,
        Phase::Search => searched(engine, turn, cursor).await,
        Phase::Wipe => wiped(engine, turn).await,
    }
}

/// Notes where the job goes on, and commits.
async fn go_on(
    engine: &Engine,
    turn: Turn,
    tx: Tx,
    (before, cursor): (Phase, Cursor),
    erased: Tally,
) -> Result<Turned, JobError> {
    let mut about = turn.job().about.clone();
    let changed = erased.values().sum::<u64>();
    for (table, n) in erased.into_iter().filter(|(_, n)| *n > 0) {
        let so_far = about["erased"][&table].as_u64().unwrap_or(0);
        about["erased"][&table] = json!(so_far + n);
    }
    let step = Step {
        looked_at: i64::from(before != cursor.phase),
        changed: i64::try_from(changed).unwrap_or(i64::MAX),
        cursor: Some(json!(cursor)),
        about: Some(about),
        ..Step::default()
    };
    turn.commit(engine, tx, step).await
}

fn tally<const N: usize>(counts: [(&str, u64); N]) -> Tally {
    counts.into_iter().map(|(table, n)| (table.to_owned(), n)).collect()
}

async fn find(engine: &Engine, turn: &Turn) -> Result<Person, JobError> {
    let params: Params = turn.params()?;
    let job = turn.job();
    Ok(person::find(&engine.store.reader(), job.workspace_id, params.contact_id, job.created_at).await?)
}

async fn elsewhere(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    // What waits to be told is told now: an event whose lead is gone would find nobody to book it for.
    dispatch::dispatch_all(engine).await?;
    let found = find(engine, &turn).await?;
    let workspace = turn.job().workspace_id;
    let traces = person::traces(&engine.store.reader(), workspace, &found).await?;
    let kept = engine.keepers.erase(engine, workspace, &traces).await.map_err(|error| match error {
        KeeperError::Store(error) => JobError::Store(error),
        KeeperError::Disk(why) => {
            tracing::warn!(why, "what is kept beside the database waits to be erased");
            JobError::Store(Error::Contended)
        }
    })?;
    // What waited in the spool may be theirs as well.
    let found = find(engine, &turn).await?;
    let tx = turn.begin(engine).await?;
    let phase = if found.is_gone() { Phase::Wipe } else { Phase::Texts };
    let cursor = Cursor { phase, leads: found.lead_ids(), contacts: found.contacts.clone(), ..Cursor::default() };
    go_on(engine, turn, tx, (Phase::Elsewhere, cursor), tally([("elsewhere", kept)])).await
}

async fn through_texts(engine: &Engine, turn: Turn, mut cursor: Cursor) -> Result<Turned, JobError> {
    let found = find(engine, &turn).await?;
    let traces = person::traces(&engine.store.reader(), turn.job().workspace_id, &found).await?;
    let places: Vec<(&str, &Texts)> = places::looked_through().collect();
    for _ in 0..STRIPS_AT_ONCE {
        let Some(place) = places.get(cursor.place).copied() else { break };
        let strip = look(engine, &turn, &cursor, place, &traces).await?;
        let closely = closely(engine, place, &strip, &for_table(place.1, &traces, &cursor)).await?;
        cursor.after = strip.next;
        if cursor.after.is_none() {
            cursor.place += 1;
        }
        if !closely.is_empty() {
            let mut tx = turn.begin(engine).await?;
            wipe::overwrite_deleted(&mut tx).await?;
            let n = act(&mut tx, turn.job().workspace_id, place, &closely).await?;
            return go_on(engine, turn, tx, (Phase::Texts, cursor), tally([(place.0, n)])).await;
        }
    }
    let is_over = cursor.place >= places.len();
    let tx = turn.begin(engine).await?;
    let cursor = if is_over { cursor.into_next() } else { cursor };
    go_on(engine, turn, tx, (Phase::Texts, cursor), Tally::new()).await
}

/// In some tables a person is named by the ids of their leads, too.
fn for_table(texts: &Texts, traces: &Traces, cursor: &Cursor) -> Traces {
    let mut traces = traces.clone();
    if texts.by_id {
        cursor.leads.iter().for_each(|id| traces.add_id(&id.to_string()));
        cursor.contacts.iter().for_each(|id| traces.add_id(&id.to_string()));
    }
    traces
}

async fn look(
    engine: &Engine,
    turn: &Turn,
    cursor: &Cursor,
    place: (&str, &Texts),
    traces: &Traces,
) -> Result<Strip, Error> {
    let pieces = for_table(place.1, traces, cursor).pieces(naming(place.1));
    let sought = Sought { workspace: turn.job().workspace_id, pieces: &pieces, leads: &cursor.leads };
    texts::strip(&engine.store.reader(), place, sought, cursor.after.as_ref(), STRIP).await
}

async fn identities(engine: &Engine, turn: Turn, mut cursor: Cursor) -> Result<Turned, JobError> {
    let reader = engine.store.reader();
    let (mut found, mut is_over) = (Vec::new(), false);
    for _ in 0..STRIPS_AT_ONCE {
        let behind = cursor.behind.as_deref().and_then(IdentityKey::parse);
        let (some, next) = rows::identities(&reader, cursor.of(&turn), behind, IDENTITIES).await?;
        found.extend(some);
        is_over = next.is_none();
        cursor.behind = next.and_then(|key| json!(key).as_str().map(str::to_owned));
        if is_over {
            break;
        }
    }
    let mut tx = turn.begin(engine).await?;
    wipe::overwrite_deleted(&mut tx).await?;
    let n = rows::delete_identities(&mut tx, &found).await?;
    let cursor = if is_over { cursor.into_next() } else { cursor };
    go_on(engine, turn, tx, (Phase::Identities, cursor), tally([("identities", n)])).await
}

async fn belongings(engine: &Engine, turn: Turn, cursor: Cursor) -> Result<Turned, JobError> {
    let reader = engine.store.reader();
    let workspace = turn.job().workspace_id;
    let found = find(engine, &turn).await?;
    let visitors: Vec<String> = person::visitors(&reader, workspace, &found).await?.into_iter().collect();
    let ips = person::ips(&reader, workspace, &found).await?;
    let key = |kind: &str, value: &String| IdentityKey(engine.keys.identity(workspace.0, kind, value));
    let seen = visitors.iter().map(|visitor| key("seen_visitor", visitor));
    let seen: Vec<IdentityKey> = seen.chain(ips.iter().map(|ip| key("seen_ip", ip))).collect();
    let mut tx = turn.begin(engine).await?;
    wipe::overwrite_deleted(&mut tx).await?;
    let mut erased = Tally::new();
    let is_over = delete_rows(&mut tx, cursor.of(&turn), &mut erased).await?;
    if is_over {
        let visits = rows::visits(&mut tx, cursor.of(&turn), &visitors).await?;
        erased.insert("visitor_sessions".to_owned(), visits);
    }
    rows::recent_visits(&mut tx, &seen).await?;
    let cursor = if is_over { cursor.into_next() } else { cursor };
    go_on(engine, turn, tx, (Phase::Rows, cursor), erased).await
}

/// Deletes some of what belongs to leads and contacts, and tells whether that was all.
async fn delete_rows(tx: &mut Tx, of: Of<'_>, erased: &mut Tally) -> Result<bool, Error> {
    let workspace = of.workspace;
    let deliveries = rows::deliveries(tx, of, ROWS_AT_ONCE).await?;
    let conversations = rows::conversations(tx, of, ROWS_AT_ONCE).await?;
    let submissions = rows::submissions(tx, of, ROWS_AT_ONCE).await?;
    let merges = rows::merges(tx, of).await?;
    let ids = deliveries.iter().map(ToString::to_string).chain(conversations.iter().map(ToString::to_string));
    let ids = ids.chain(submissions.iter().map(ToString::to_string)).chain(merges.iter().map(ToString::to_string));
    rows::audit_entries(tx, workspace, &ids.collect::<Vec<_>>()).await?;
    let counts = [
        ("deliveries", &deliveries.len()),
        ("conversations", &conversations.len()),
        ("submissions", &submissions.len()),
    ];
    let full = usize::try_from(ROWS_AT_ONCE).unwrap_or(usize::MAX);
    let is_over = counts.iter().all(|(_, n)| **n < full);
    if is_over {
        erased.insert("lead_activities".to_owned(), rows::delete_of(tx, Owner::Lead, of.leads).await?);
        erased.insert("job_results".to_owned(), rows::job_results(tx, of).await?);
    }
    erased.insert("lead_merges".to_owned(), merges.len() as u64);
    erased.extend(counts.iter().map(|(name, n)| ((*name).to_owned(), **n as u64)));
    Ok(is_over)
}

async fn them(engine: &Engine, turn: Turn, cursor: Cursor) -> Result<Turned, JobError> {
    let workspace = turn.job().workspace_id;
    let mut tx = turn.begin(engine).await?;
    wipe::overwrite_deleted(&mut tx).await?;
    let mut locked = Vec::new();
    for few in cursor.leads.chunks(500) {
        if locked.len() < LEADS_AT_ONCE {
            locked.extend(leads::lock(&mut tx, workspace, few).await?);
        }
    }
    let is_over = locked.len() <= LEADS_AT_ONCE;
    locked.truncate(LEADS_AT_ONCE);
    let ids: Vec<LeadId> = locked.iter().map(|lead| lead.id).collect();
    let now = engine.clock.now();
    let there = || locked.iter().filter(|lead| lead.deleted_at.is_none());
    let counts: Vec<StageDelta> = there().map(|lead| gone(workspace, lead, now)).collect();
    capture::add_stage_counts(&mut tx, &counts).await?;
    let tags: Vec<LeadTag> = locked.iter().flat_map(|lead| tags_of(workspace, lead)).collect();
    leads::delete_tags(&mut tx, workspace, &tags).await?;
    // For open screens; it goes with the events.
    let told: Vec<_> = there()
        .map(|lead| {
            let data = json!({"stageId": lead.stage_id, "pipelineId": lead.pipeline_id});
            engine.event(workspace, lead.id, "lead.deleted", data)
        })
        .collect();
    events::append(&mut tx, &told).await?;
    let of = Of { workspace, leads: &ids, contacts: &cursor.contacts };
    let mut erased = tally([("leads", rows::leads(&mut tx, of).await?)]);
    let mut objects: Vec<String> = ids.iter().map(ToString::to_string).collect();
    if is_over {
        erased.insert("contacts".to_owned(), rows::contacts(&mut tx, of).await?);
        objects.extend(cursor.contacts.iter().map(ToString::to_string));
    }
    rows::audit_entries(&mut tx, workspace, &objects).await?;
    let cursor = if is_over { cursor.into_next() } else { cursor };
    go_on(engine, turn, tx, (Phase::Leads, cursor), erased).await
}

fn gone(workspace_id: WorkspaceId, lead: &Locked, now: Timestamp) -> StageDelta {
    StageDelta {
        id: StageCountId::new(now, random_bytes()),
        workspace_id,
        pipeline_id: lead.pipeline_id,
        stage_id: lead.stage_id,
        n: -1,
        value_milli: -lead.values.milli(),
    }
}

fn tags_of(workspace_id: WorkspaceId, lead: &Locked) -> Vec<LeadTag> {
    let tags = lead.tags.iter();
    tags.map(|tag| LeadTag { workspace_id, tag: tag.clone(), lead_id: lead.id }).collect()
}

/// The leads are gone, so nothing new comes to them any more.
async fn belongings_again(engine: &Engine, turn: Turn, cursor: Cursor) -> Result<Turned, JobError> {
    dispatch::dispatch_all(engine).await?;
    let mut tx = turn.begin(engine).await?;
    wipe::overwrite_deleted(&mut tx).await?;
    let mut erased = Tally::new();
    let is_over = delete_rows(&mut tx, cursor.of(&turn), &mut erased).await?;
    if is_over {
        rows::visits(&mut tx, cursor.of(&turn), &[]).await?;
    }
    let cursor = if is_over { cursor.into_next() } else { cursor };
    go_on(engine, turn, tx, (Phase::RowsAgain, cursor), erased).await
}

async fn told(engine: &Engine, turn: Turn, mut cursor: Cursor) -> Result<Turned, JobError> {
    let traces = Traces::default();
    let events = places::looked_through().filter(|(table, _)| *table == "events");
    let mut n = 0;
    let mut named = Vec::new();
    for place in events {
        for _ in 0..STRIPS_AT_ONCE {
            let strip = look(engine, &turn, &cursor, place, &traces).await?;
            let found = closely(engine, place, &strip, &for_table(place.1, &traces, &cursor)).await?;
            named.extend(found.into_iter().map(|row| (place, row)));
            cursor.after = strip.next;
            if cursor.after.is_none() {
                break;
            }
        }
    }
    let mut tx = turn.begin(engine).await?;
    wipe::overwrite_deleted(&mut tx).await?;
    for (place, row) in &named {
        n += act(&mut tx, turn.job().workspace_id, *place, std::slice::from_ref(row)).await?;
    }
    let cursor = if cursor.after.is_none() { cursor.into_next() } else { cursor };
    go_on(engine, turn, tx, (Phase::Events, cursor), tally([("events", n)])).await
}

async fn searched(engine: &Engine, turn: Turn, cursor: Cursor) -> Result<Turned, JobError> {
    let mut tx = turn.begin(engine).await?;
    wipe::overwrite_deleted(&mut tx).await?;
    let goes_on = search::merge(&mut tx, !cursor.is_begun).await?;
    let cursor = if goes_on { Cursor { is_begun: true, ..cursor } } else { cursor.into_next() };
    go_on(engine, turn, tx, (Phase::Search, cursor), Tally::new()).await
}

async fn wiped(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let remains = wipe::wipe(&engine.store).await?;
    let mut about = turn.job().about.clone();
    about["remains"] = json!(remains == Remains::Copies);
    let tx = turn.begin(engine).await?;
    let step = Step { looked_at: 1, cursor: Some(json!({})), about: Some(about), is_last: true, ..Step::default() };
    turn.commit(engine, tx, step).await
}
