//! Files of leads: taken in, told what their columns are, tried, and made leads of.
//!
//! A file is read once ([`mod@file`]) into blocks of rows in the database ([`packing`]), so that whichever node works on
//! the import has them. Going through them is a job: [`check`] tells what would happen, [`run`] does it, a block in each
//! step, by the same rules and with the same statements as every other submission, and [`undo`] puts it back.

mod arriving;
pub mod check;
pub mod file;
pub(super) mod joining;
pub mod packing;
pub mod rows;
pub mod run;
pub mod undo;

use std::fs::File;

use leadline_domain::{
    custom_fields::{KEY_MAX_CHARS, NAME_MAX_CHARS, is_usable_key},
    fields::RawFields,
    ids::{ImportId, JobId, ProjectId, StageId, WorkspaceId},
    imports::{CUSTOM_MAX, OnMatch, Rule, Target, set_of, suggest},
    time::{DAY_MS, Timestamp},
};
use leadline_store::{
    Error, custom_fields,
    imports::{self as stored, Import, ReadThrough, Remembered, blocks},
    jobs as stored_jobs, pipelines, projects,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, mpsc};

pub use self::arriving::Arriving;
use self::{
    file::{FileFault, Hints},
    packing::{Packed, Packer},
};
use crate::{
    Actor, Engine,
    jobs::{self, AskError, NewJob},
    random_bytes,
};

/// Files that one node reads at the same time: each holds the texts of a workbook and a few blocks.
static READING: Semaphore = Semaphore::const_new(2);

/// Blocks that wait for the database while a file is read.
const BLOCKS_WAITING: usize = 4;

/// Blocks that are written in one transaction.
const BLOCKS_AT_ONCE: usize = 8;

/// Rows of files that nobody goes on with are kept this long.
const ABANDONED_MS: i64 = 7 * DAY_MS;

/// Imports are kept as long as they can be put back, though one begins a week after its file came.
const KEPT_MS: i64 = jobs::KEPT_MS + 8 * DAY_MS;

/// What was chosen for a set of columns is remembered this long.
const REMEMBERED_MS: i64 = 365 * DAY_MS;

/// Imports that retention looks at in one go.
const OLD_AT_ONCE: i64 = 20;

const TAGS_MAX: usize = 20;
const TAG_MAX_CHARS: usize = 50;
const FILE_NAME_MAX_CHARS: usize = 200;

/// The file that a submission is a row of.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The import.
    pub import: ImportId,
    /// What is done where its lead is there already.
    pub on_match: OnMatch,
    /// Whether destinations hear of it.
    pub tells_destinations: bool,
    /// Its cells, as they were.
    pub sent: RawFields,
}

/// What is chosen beside what becomes of each column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Chosen {
    /// The project; the workspace's first where there is none.
    pub project: Option<ProjectId>,
    /// Where new leads begin; the pipeline's first stage where there is none.
    pub stage: Option<StageId>,
    /// Tags of new leads.
    pub tags: Vec<String>,
    /// What is done where a row's lead is there already.
    pub on_match: OnMatch,
    /// Whether destinations hear of what the import makes and changes.
    pub tells_destinations: bool,
}

/// A file that arrived.
#[derive(Debug)]
pub struct Upload {
    /// On our disk.
    pub file: File,
    /// What it is called.
    pub name: String,
    /// How large it is.
    pub size_bytes: u64,
}

/// What somebody says of a file.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// How it is to be read.
    pub hints: Hints,
    /// Whether its first row names the columns.
    pub has_header: Option<bool>,
}

/// Why something was not done with an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error(transparent)]
    File(FileFault),
    /// The file is larger than it may be.
    #[error("the file is larger than {} MB", most_bytes / 1_000_000)]
    TooLarge {
        /// What it may have.
        most_bytes: u64,
    },
    /// There is none of this id in the workspace.
    #[error("there is no such import")]
    NotFound,
    /// Leads are made of it already.
    #[error("the import has begun")]
    Begun,
    /// Something that was chosen cannot be so: where, and what is wrong with it.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<(String, String)>),
    /// The job was not begun.
    #[error(transparent)]
    Job(AskError),
    /// The disk failed.
    #[error("the disk failed")]
    Disk(#[source] std::io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<AskError> for ImportError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Store(error) => Self::Store(error),
            other => Self::Job(other),
        }
    }
}

/// Takes a file in: reads all of it, keeps its rows, and suggests what its columns are.
///
/// # Errors
/// Where it cannot be read; nothing of it is kept then.
pub async fn take_in(engine: &Engine, actor: &Actor, upload: Upload, told: Told) -> Result<Import, ImportError> {
    let _turn = READING.acquire().await;
    let id = ImportId::new(engine.clock.now(), random_bytes());
    let name = file_name(&upload.name);
    let size = i64::try_from(upload.size_bytes).unwrap_or(i64::MAX);
    let mut tx = engine.store.begin().await?;
    let key = (actor.workspace, id);
    stored::insert(&mut tx, key, (&name, size), &actor.name, engine.clock.now()).await?;
    tx.commit().await?;
    match read_through(engine, actor.workspace, id, upload.file, told).await {
        Ok(()) => find(engine, actor.workspace, id).await,
        Err(error) => {
            // Retention would find it too, a week later.
            discard(engine, id).await?;
            Err(error)
        }
    }
}

async fn read_through(
    engine: &Engine,
    workspace: WorkspaceId,
    id: ImportId,
    file: File,
    told: Told,
) -> Result<(), ImportError> {
    let (send, blocks) = mpsc::channel(BLOCKS_WAITING);
    let reading = tokio::task::spawn_blocking(move || {
        let mut packer = Packer::new(send, told.has_header);
        file::read(file, &told.hints, &mut packer)?;
        packer.finish()
    });
    let stored = store_blocks(engine, id, blocks).await;
    let packed = reading.await.map_err(|_| ImportError::Disk(std::io::Error::other("reading stopped")))?;
    stored?;
    let packed = packed.map_err(|fault| match fault {
        FileFault::Disk(error) => ImportError::Disk(error),
        other => ImportError::File(other),
    })?;
    finish(engine, workspace, id, packed).await
}

/// Writes blocks as they come. Where it fails, whoever reads the file stops as well.
async fn store_blocks(engine: &Engine, id: ImportId, mut blocks: mpsc::Receiver<Vec<u8>>) -> Result<(), Error> {
    let mut number = 0;
    loop {
        let mut some = Vec::with_capacity(BLOCKS_AT_ONCE);
        if blocks.recv_many(&mut some, BLOCKS_AT_ONCE).await == 0 {
            return Ok(());
        }
        let mut tx = engine.store.begin().await?;
        for block in some {
            blocks::insert(&mut tx, id, number, block).await?;
            number += 1;
        }
        tx.commit().await?;
    }
}

async fn finish(engine: &Engine, workspace: WorkspaceId, id: ImportId, packed: Packed) -> Result<(), ImportError> {
    let reader = engine.store.reader();
    let names: Vec<String> = packed.columns.iter().map(|column| column.name.clone()).collect();
    let column_set = set_of(&names);
    let known = custom_fields::list(&reader, workspace).await?;
    let known = known.into_iter().map(|field| (field.key, field.name)).collect();
    let remembered = stored::recall(&reader, workspace, column_set).await?;
    let mut rules = suggest(&packed.columns, &known);
    let mut chosen = Chosen::default();
    if let Some(remembered) = &remembered {
        for (rule, name) in rules.iter_mut().zip(&names) {
            let before = remembered.rules.get(name).cloned();
            *rule = before.and_then(|before| serde_json::from_value(before).ok()).unwrap_or_else(|| rule.clone());
        }
        chosen = chosen_before(engine, workspace, &remembered.options).await?;
    }
    let mut layout = packed.layout;
    layout["isRemembered"] = json!(remembered.is_some());
    let read = ReadThrough {
        layout,
        columns: names,
        preview: json!(packed.preview),
        row_count: packed.row_count,
        block_count: packed.block_count,
        column_set,
        rules: json!(rules),
        options: json!(chosen),
    };
    let mut tx = engine.store.begin().await?;
    stored::finish(&mut tx, workspace, id, &read).await?;
    Ok(tx.commit().await?)
}

/// What was chosen the last time, as far as it is still there. That destinations hear of a file is said each time.
async fn chosen_before(engine: &Engine, workspace: WorkspaceId, options: &Value) -> Result<Chosen, Error> {
    let mut chosen: Chosen = serde_json::from_value(options.clone()).unwrap_or_default();
    chosen.tells_destinations = false;
    let reader = engine.store.reader();
    if let Some(project) = chosen.project {
        chosen.project = projects::find(&reader, workspace, project).await?.map(|project| project.id);
    }
    if let Some(stage) = chosen.stage {
        chosen.stage = pipelines::find_stage(&reader, workspace, stage).await?.map(|stage| stage.id);
    }
    Ok(chosen)
}

/// Says what becomes of the columns, and what else is chosen. What a dry run told before counts no more.
///
/// # Errors
/// Where something cannot be so, or the import has begun.
pub async fn choose(
    engine: &Engine,
    actor: &Actor,
    id: ImportId,
    rules: Option<Vec<Rule>>,
    chosen: Option<Chosen>,
) -> Result<Import, ImportError> {
    let before = find(engine, actor.workspace, id).await?;
    let mut faults = Vec::new();
    if let Some(rules) = &rules {
        check_rules(rules, before.columns.len(), &mut faults);
    }
    if let Some(chosen) = &chosen {
        check_chosen(engine, actor.workspace, chosen, &mut faults).await?;
    }
    if !faults.is_empty() {
        return Err(ImportError::Invalid(faults));
    }
    let mut tx = engine.store.begin().await?;
    let import = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(ImportError::NotFound)?;
    if import.job_id.is_some() {
        return Err(ImportError::Begun);
    }
    let rules = rules.map_or(import.rules, |rules| json!(rules));
    let options = chosen.map_or(import.options, |chosen| json!(chosen));
    stored::choose(&mut tx, actor.workspace, id, (&rules, &options)).await?;
    stored::set_check(&mut tx, actor.workspace, id, None).await?;
    tx.commit().await?;
    find(engine, actor.workspace, id).await
}

fn check_rules(rules: &[Rule], columns: usize, faults: &mut Vec<(String, String)>) {
    if rules.len() != columns {
        faults.push(("/columns".to_owned(), format!("has one entry for each of the {columns} columns")));
        return;
    }
    let custom = rules.iter().filter(|rule| rule.target == Target::Custom).count();
    if custom > CUSTOM_MAX {
        faults.push(("/columns".to_owned(), format!("has at most {CUSTOM_MAX} custom fields")));
    }
    if !rules.iter().any(|rule| rule.target.names_somebody()) {
        let words = "needs a column with names, e-mail addresses or phone numbers";
        faults.push(("/columns".to_owned(), words.to_owned()));
    }
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.target == Target::Custom) {
        let pointer = format!("/columns/{index}/name");
        let name = rule.name.as_deref().unwrap_or_default();
        let is_name = (1..=NAME_MAX_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        let key = rule.key.as_deref().unwrap_or_default();
        if !is_name || key.chars().count() > KEY_MAX_CHARS || !is_usable_key(key) {
            faults.push((pointer, format!("has 1 to {NAME_MAX_CHARS} characters")));
        } else if rules[..index].iter().any(|other| other.key.as_deref() == Some(key)) {
            faults.push((pointer, "is the name of another column's field".to_owned()));
        }
    }
}

async fn check_chosen(
    engine: &Engine,
    workspace: WorkspaceId,
    chosen: &Chosen,
    faults: &mut Vec<(String, String)>,
) -> Result<(), Error> {
    let reader = engine.store.reader();
    if let Some(project) = chosen.project
        && projects::find(&reader, workspace, project).await?.is_none()
    {
        faults.push(("/projectId".to_owned(), "names no project".to_owned()));
    }
    if let Some(stage) = chosen.stage
        && pipelines::find_stage(&reader, workspace, stage).await?.is_none()
    {
        faults.push(("/stageId".to_owned(), "names no stage".to_owned()));
    }
    let is_tag = |tag: &String| {
        (1..=TAG_MAX_CHARS).contains(&tag.chars().count()) && tag.trim() == tag && !tag.chars().any(char::is_control)
    };
    if chosen.tags.len() > TAGS_MAX || !chosen.tags.iter().all(is_tag) {
        let words = format!("has at most {TAGS_MAX} tags of 1 to {TAG_MAX_CHARS} characters");
        faults.push(("/tags".to_owned(), words));
    }
    Ok(())
}

/// Begins to go through a file without changing anything.
///
/// # Errors
/// Where the import is not there or has begun.
pub async fn start_check(engine: &Engine, actor: &Actor, id: ImportId) -> Result<Import, ImportError> {
    let before = find(engine, actor.workspace, id).await?;
    let mut tx = engine.store.begin().await?;
    let import = ready(&mut tx, actor.workspace, id).await?;
    if let Some(earlier) = before.check_job_id {
        // One at a time: they would note what they have seen in one place.
        let earlier = stored_jobs::lock(&mut tx, actor.workspace, earlier).await?;
        if let Some(earlier) = earlier.filter(|work| work.job.finished_at.is_none()) {
            stored_jobs::cancel(&mut tx, actor.workspace, earlier.job.id, engine.clock.now()).await?;
        }
    }
    let job = jobs::ask(engine, &mut tx, actor, job_of(&import, check::KIND)).await?;
    stored::set_check(&mut tx, actor.workspace, id, Some(job.id)).await?;
    tx.commit().await?;
    jobs::wake(engine);
    find(engine, actor.workspace, id).await
}

/// Begins to make leads of a file, and remembers what was chosen for its columns.
///
/// # Errors
/// Where the import is not there or has begun, or what was chosen is not there any more.
pub async fn start(engine: &Engine, actor: &Actor, id: ImportId) -> Result<Import, ImportError> {
    let before = find(engine, actor.workspace, id).await?;
    let mut faults = Vec::new();
    let rules: Vec<Rule> = serde_json::from_value(before.rules).unwrap_or_default();
    check_rules(&rules, before.columns.len(), &mut faults);
    let chosen: Chosen = serde_json::from_value(before.options).unwrap_or_default();
    check_chosen(engine, actor.workspace, &chosen, &mut faults).await?;
    if !faults.is_empty() {
        return Err(ImportError::Invalid(faults));
    }
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let import = ready(&mut tx, actor.workspace, id).await?;
    let job = jobs::ask(engine, &mut tx, actor, job_of(&import, run::KIND)).await?;
    stored::set_job(&mut tx, actor.workspace, id, job.id).await?;
    let by_name: Map<String, Value> =
        import.columns.iter().cloned().zip(rules.iter().map(|rule| json!(rule))).collect();
    let remembered = Remembered { rules: Value::Object(by_name), options: json!(chosen) };
    stored::remember(&mut tx, actor.workspace, set_of(&import.columns), &remembered, now).await?;
    tx.commit().await?;
    jobs::wake(engine);
    find(engine, actor.workspace, id).await
}

fn job_of(import: &Import, kind: &'static str) -> NewJob {
    NewJob {
        kind,
        params: json!({"importId": import.id}),
        about: json!({"importId": import.id, "fileName": import.file_name}),
        total: import.row_count,
    }
}

/// An import that has not begun.
async fn ready(tx: &mut leadline_store::Tx, workspace: WorkspaceId, id: ImportId) -> Result<Import, ImportError> {
    let import = stored::lock(tx, workspace, id).await?.ok_or(ImportError::NotFound)?;
    if import.job_id.is_some() { Err(ImportError::Begun) } else { Ok(import) }
}

/// Drops a file that no leads were made of.
///
/// # Errors
/// Where the import is not there or has begun.
pub async fn drop_file(engine: &Engine, actor: &Actor, id: ImportId) -> Result<(), ImportError> {
    let import = find(engine, actor.workspace, id).await?;
    if import.job_id.is_some() {
        return Err(ImportError::Begun);
    }
    if let Some(check) = import.check_job_id {
        match jobs::cancel(engine, actor, check).await {
            Ok(()) | Err(AskError::Ended | AskError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(discard(engine, id).await?)
}

async fn find(engine: &Engine, workspace: WorkspaceId, id: ImportId) -> Result<Import, ImportError> {
    stored::find(&engine.store.reader(), workspace, id).await?.ok_or(ImportError::NotFound)
}

/// Deletes all that there is of an import that has not begun.
async fn discard(engine: &Engine, id: ImportId) -> Result<(), Error> {
    empty(engine, id, true).await?;
    let mut tx = engine.store.begin().await?;
    stored::delete_unbegun(&mut tx, &[id]).await?;
    tx.commit().await
}

/// Deletes the rows of an import, a transaction for some of them.
async fn empty(engine: &Engine, id: ImportId, refused: bool) -> Result<(), Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let deleted = blocks::delete_some(&mut tx, id, refused).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}

/// Deletes what has lived long enough.
///
/// # Errors
/// Where the database fails; what was deleted before that stays deleted.
pub(crate) async fn retain(engine: &Engine, now: Timestamp) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    stored::forget(&mut tx, now.plus_ms(-REMEMBERED_MS)).await?;
    let abandoned = stored::list_abandoned(&mut tx, now.plus_ms(-ABANDONED_MS), OLD_AT_ONCE).await?;
    tx.commit().await?;
    for id in abandoned {
        empty(engine, id, false).await?;
        let mut tx = engine.store.begin().await?;
        stored::delete_unbegun(&mut tx, &[id]).await?;
        tx.commit().await?;
    }
    loop {
        let mut tx = engine.store.begin().await?;
        let old = stored::list_old(&mut tx, now.plus_ms(-KEPT_MS), OLD_AT_ONCE).await?;
        tx.commit().await?;
        if old.is_empty() {
            return Ok(());
        }
        for id in &old {
            empty(engine, *id, true).await?;
        }
        let mut tx = engine.store.begin().await?;
        stored::delete(&mut tx, &old).await?;
        tx.commit().await?;
    }
}

/// A name without folders and signs that no file has.
fn file_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = name.chars().filter(|letter| !letter.is_control()).take(FILE_NAME_MAX_CHARS).collect();
    let plain = plain.trim();
    if plain.is_empty() { "file".to_owned() } else { plain.to_owned() }
}

/// What a job of an import was asked to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    import_id: ImportId,
}

/// Where a job of an import stands.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Cursor {
    block: i64,
}

/// The import that a job is about.
async fn import_of(engine: &Engine, turn: &jobs::Turn) -> Result<Import, jobs::JobError> {
    let params: Params = turn.params()?;
    let found = stored::find(&engine.store.reader(), turn.job().workspace_id, params.import_id).await?;
    found.ok_or_else(|| jobs::JobError::GiveUp("the file is not there any more".to_owned()))
}

/// The latest job of an import, for whoever shows it.
#[must_use]
pub fn job_shown(import: &Import) -> Option<JobId> {
    import.job_id.or(import.check_job_id)
}
