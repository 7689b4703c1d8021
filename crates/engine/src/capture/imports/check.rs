//! The dry run: what would become of each row, decided by the very rules of the import, and nothing written but what was
//! counted.
//!
//! Rows of one lead may stand far apart in a file. Since no lead is made, what the rows so far are known by is noted
//! beside the job, and a row that is known by any of it repeats one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use leadline_domain::{ids::SubmissionId, permissions::Permission};
use leadline_store::{
    Tx,
    capture::IdentityKey,
    imports::{Import, blocks},
};
use serde_json::json;

use super::{
    Cursor, import_of,
    rows::{self, Fate, ReadRow, Setup, Tally, is_contended},
};
use crate::{
    Engine,
    capture::{Prepared, batch::Planned},
    jobs::{Handler, Job, JobError, Step, Stepping, Turn, Turned},
};

/// The kind of such jobs.
pub const KIND: &str = "leads.import_check";

/// How often a step is tried at once where other writers are quicker.
const TRIES: u32 = 12;

/// What works on dry runs.
pub struct Check;

impl Handler for Check {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn permission(&self, _: &Job) -> Permission {
        Permission::LeadsManage
    }

    fn can_undo(&self, _: &Job) -> bool {
        false
    }

    fn work<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(step(engine, turn))
    }

    fn undo<'a>(&'a self, _: &'a Engine, _: Turn) -> Stepping<'a> {
        Box::pin(async { Err(JobError::GiveUp("nothing was changed".to_owned())) })
    }
}

async fn step(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let import = import_of(engine, &turn).await?;
    let Some(cursor) = turn.cursor::<Cursor>()? else { return forget_keys(engine, turn, &import).await };
    let Some(found) = rows::block(engine, &import, cursor.block).await? else {
        return Err(JobError::GiveUp("the import has begun meanwhile".to_owned()));
    };
    let setup = Setup::load(engine, import).await?;
    let read = setup.read(engine, turn.actor(), found);
    for _ in 0..TRIES {
        let mut tx = turn.begin(engine).await?;
        let mut tally = Tally::of(&turn.job().about);
        match count(&mut tx, &setup, &read, &mut tally).await {
            Ok(()) => {
                let done = done(&setup, cursor, &read, &tally);
                return turn.commit(engine, tx, done).await;
            }
            Err(error) if is_contended(&error) => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(leadline_store::Error::Contended.into())
}

/// What an earlier dry run has seen is forgotten first.
async fn forget_keys(engine: &Engine, turn: Turn, import: &Import) -> Result<Turned, JobError> {
    let mut tx = turn.begin(engine).await?;
    let are_none_left = blocks::delete_keys(&mut tx, import.id).await? == 0;
    let cursor = are_none_left.then(|| json!(Cursor::default()));
    turn.commit(engine, tx, Step { cursor, ..Step::default() }).await
}

fn done(setup: &Setup, cursor: Cursor, read: &[ReadRow], tally: &Tally) -> Step {
    let next = cursor.block + 1;
    Step {
        cursor: Some(json!(Cursor { block: next })),
        looked_at: i64::try_from(read.len()).unwrap_or(i64::MAX),
        about: Some(tally.about(setup)),
        is_last: next >= setup.import().block_count,
        ..Step::default()
    }
}

async fn count(tx: &mut Tx, setup: &Setup, read: &[ReadRow], tally: &mut Tally) -> Result<(), leadline_store::Error> {
    let import = setup.import().id;
    let keys: Vec<IdentityKey> =
        read.iter().filter_map(|row| row.made.as_ref().ok()).flat_map(|one| keys_of(one)).collect();
    let mut seen: HashSet<IdentityKey> = blocks::seen_keys(tx, import, &sorted(keys)).await?.into_iter().collect();
    let fresh: Vec<Arc<Prepared>> = read
        .iter()
        .filter_map(|row| row.made.as_ref().ok())
        .filter(|one| !keys_of(one).any(|key| seen.contains(&key)))
        .cloned()
        .collect();
    let planned = Planned::make(tx, &fresh).await?;
    let found: HashMap<SubmissionId, IdentityKey> = fresh
        .iter()
        .zip(&planned.outcomes)
        .map(|(one, outcome)| (one.submission.id, IdentityKey(*outcome.lead.0.as_bytes())))
        .collect();
    let leads = found.values().copied().collect();
    seen.extend(blocks::seen_keys(tx, import, &sorted(leads)).await?);
    let mut noted = Vec::new();
    for row in read {
        let prepared = match &row.made {
            Ok(prepared) => prepared,
            Err(refusal) => {
                tally.refuse(row.number, refusal, setup.words(refusal));
                continue;
            }
        };
        // One that was known by its keys was not asked about.
        let lead = found.get(&prepared.submission.id).copied();
        let change = planned.changes.get(&prepared.submission.id).and_then(|change| change.kind);
        let repeats = lead.is_none_or(|lead| seen.contains(&lead));
        let fate = rows::fate(repeats, change);
        tally.add(row.number, fate, prepared);
        if fate != Fate::Unchanged {
            let all = keys_of(prepared).chain(lead);
            let new: Vec<IdentityKey> = all.filter(|key| seen.insert(*key)).collect();
            noted.extend(new);
        }
    }
    blocks::note_keys(tx, import, &sorted(noted)).await
}

fn keys_of(prepared: &Prepared) -> impl Iterator<Item = IdentityKey> {
    [prepared.identities.email, prepared.identities.phone].into_iter().flatten()
}

fn sorted(mut keys: Vec<IdentityKey>) -> Vec<IdentityKey> {
    keys.sort_unstable();
    keys.dedup();
    keys
}
