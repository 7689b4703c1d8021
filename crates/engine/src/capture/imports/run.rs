//! Making leads of a file: a block of rows in each step, with all that follows from them and where the next step goes on
//! in one transaction. The block is deleted in it, so a step that is done twice finds nothing to do.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use leadline_domain::{
    ids::{LeadId, SubmissionId},
    imports::Refusal,
    permissions::Permission,
};
use leadline_store::{
    Error, Tx,
    imports::{
        self as stored,
        blocks::{self, RefusedRow},
    },
};
use serde_json::{Value, json};

use super::{
    Cursor, import_of,
    joining::{Change, ChangeKind},
    rows::{self, ReadRow, Setup, Tally, is_contended},
    undo,
};
use crate::{
    Engine,
    capture::{Prepared, batch::Planned},
    jobs::{Handler, Job, JobError, NewResult, Outcome, Step, Stepping, Turn, Turned},
};

/// The kind of such jobs.
pub const KIND: &str = "leads.import";

/// How often a step is tried at once where other writers are quicker.
const TRIES: u32 = 12;

/// What works on imports.
pub struct Run;

impl Handler for Run {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn permission(&self, _: &Job) -> Permission {
        Permission::LeadsManage
    }

    fn can_undo(&self, _: &Job) -> bool {
        true
    }

    fn work<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(step(engine, turn))
    }

    fn undo<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(undo::step(engine, turn))
    }
}

async fn step(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let import = import_of(engine, &turn).await?;
    let cursor: Cursor = turn.cursor()?.unwrap_or_default();
    let Some(found) = rows::block(engine, &import, cursor.block).await? else {
        return Err(JobError::GiveUp("its rows were kept for a week and are gone: bring the file again".to_owned()));
    };
    let setup = Setup::load(engine, import).await?;
    let read = setup.read(engine, turn.actor(), found);
    let mut unstorable = HashSet::new();
    for _ in 0..TRIES {
        let mut tx = turn.begin(engine).await?;
        match write(&mut tx, &setup, turn.job(), (cursor, &read, &unstorable)).await {
            Ok(step) => {
                let turned = turn.commit(engine, tx, step).await?;
                note_fields(engine, &read);
                return Ok(turned);
            }
            Err(error) if is_contended(&error) => tx.rollback().await?,
            Err(error) if error.is_about_the_data() && unstorable.is_empty() => {
                tx.rollback().await?;
                unstorable = find_unstorable(engine, &turn, &prepared_of(&read)).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended.into())
}

fn prepared_of(read: &[ReadRow]) -> Vec<Arc<Prepared>> {
    read.iter().filter_map(|row| row.made.as_ref().ok()).cloned().collect()
}

fn note_fields(engine: &Engine, read: &[ReadRow]) {
    for prepared in read.iter().filter_map(|row| row.made.as_ref().ok()) {
        engine.door.seen_fields().note(prepared);
    }
}

/// What a block is, where it stands, and what of it the database cannot hold.
type Block<'a> = (Cursor, &'a [ReadRow], &'a HashSet<SubmissionId>);

async fn write(tx: &mut Tx, setup: &Setup, job: &Job, (cursor, read, unstorable): Block<'_>) -> Result<Step, Error> {
    let import = setup.import();
    let mut batch = prepared_of(read);
    batch.retain(|one| !unstorable.contains(&one.submission.id));
    let mut planned = Planned::make(tx, &batch).await?;
    planned.write(tx).await?;
    let leads: BTreeSet<LeadId> = planned.outcomes.iter().filter(|one| one.duplicate).map(|one| one.lead).collect();
    let leads: Vec<LeadId> = leads.into_iter().collect();
    let mut seen: HashSet<LeadId> = stored::known_leads(tx, job.id, &leads).await?.into_iter().collect();
    let found: HashMap<SubmissionId, LeadId> =
        batch.iter().zip(&planned.outcomes).map(|(one, outcome)| (one.submission.id, outcome.lead)).collect();
    let mut tally = Tally::of(&job.about);
    let mut step = Step { looked_at: count(read.len()), ..Step::default() };
    let mut refused = Vec::new();
    for row in read {
        let submission = row.made.as_ref().ok().map(|one| one.submission.id);
        let lead = submission.and_then(|id| found.get(&id)).copied();
        match (&row.made, lead) {
            (Ok(prepared), Some(lead)) => {
                let change = planned.changes.remove(&prepared.submission.id).unwrap_or_default();
                tally.add(row.number, rows::fate(seen.contains(&lead), change.kind), prepared);
                if change.kind.is_some() {
                    seen.insert(lead);
                    step.changed += 1;
                    step.results.push(result(row.number, lead, prepared, &change));
                }
            }
            (Ok(_), None) => refused.push((row, Refusal::Unstorable)),
            (Err(refusal), _) => refused.push((row, refusal.clone())),
        }
    }
    let mut kept = Vec::new();
    for (row, refusal) in refused {
        let reason = setup.words(&refusal);
        tally.refuse(row.number, &refusal, reason.clone());
        step.failed += 1;
        step.results.push(failure(row.number, &refusal, &reason));
        let cells = json!(row.cells).to_string();
        kept.push(RefusedRow { import_id: import.id, row_number: row.number, reason, cells });
    }
    blocks::insert_refused(tx, &kept).await?;
    blocks::delete(tx, import.id, cursor.block).await?;
    let next = cursor.block + 1;
    step.cursor = Some(json!(Cursor { block: next }));
    step.about = Some(tally.about(setup));
    step.is_last = next >= import.block_count;
    Ok(step)
}

/// What a row changed, with what it takes to put it back.
fn result(number: i64, lead: LeadId, prepared: &Prepared, change: &Change) -> NewResult {
    let mut undo = json!({"row": number, "keys": change.keys});
    if change.kind == Some(ChangeKind::Made) {
        undo["made"] = Value::Bool(true);
        undo["contact"] = json!(change.contact);
        undo["tags"] = json!(prepared.submission.direct.as_ref().map(|direct| &direct.tags));
    } else {
        undo["fields"] = Value::Object(change.fields.clone());
    }
    NewResult { row_number: Some(number), ..NewResult::of_lead(lead, Outcome::Changed).with_undo(undo) }
}

fn failure(number: i64, refusal: &Refusal, reason: &str) -> NewResult {
    NewResult {
        lead_id: None,
        row_number: Some(number),
        outcome: Outcome::Failed,
        code: Some(refusal.code().to_owned()),
        message: Some(reason.to_owned()),
        undo: None,
    }
}

/// Which rows the database refuses, by halves: what is left is written without them.
async fn find_unstorable(
    engine: &Engine,
    turn: &Turn,
    batch: &[Arc<Prepared>],
) -> Result<HashSet<SubmissionId>, JobError> {
    let mut open = vec![batch];
    let mut unstorable = HashSet::new();
    while let Some(part) = open.pop() {
        let mut tx = turn.begin(engine).await?;
        let tried = match Planned::make(&mut tx, part).await {
            Ok(planned) => planned.write(&mut tx).await,
            Err(error) => Err(error),
        };
        tx.rollback().await?;
        match (tried, part) {
            (Ok(()), _) => {}
            (Err(error), [one]) if error.is_about_the_data() => {
                unstorable.insert(one.submission.id);
            }
            (Err(error), several) if error.is_about_the_data() => {
                let (first, second) = several.split_at(several.len() / 2);
                open.extend([first, second]);
            }
            (Err(error), _) => return Err(error.into()),
        }
    }
    Ok(unstorable)
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
