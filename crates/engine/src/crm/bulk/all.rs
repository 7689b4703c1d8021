//! An action on all leads that match a filter: a job that goes through them.
//!
//! Where they are few, the job names them all, as they were when it was asked for. Else it goes through all leads in the
//! order of their creation, which no action moves, and asks the filter of each once. The filter means what it meant when
//! the job began: its dates were made moments then, and leads that came later are left alone.

use leadline_domain::{ids::LeadId, time::Timestamp};
use leadline_store::leads::{self, LeadFilter, Place, Sweep, Swept};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AT_ONCE, Action, KIND, Target, about, apply_to};
use crate::{
    Actor, Engine,
    crm::LeadError,
    jobs::{self, AskError, Job, JobError, NewJob, Step, Turn, Turned},
};

/// Strips that are looked through for matches before a step tells how far it is.
const STRIPS_AT_ONCE: usize = 4;

/// What such a job is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wish {
    action: Action,
    leads: Chosen,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Chosen {
    /// These, since they are few.
    Named(Vec<LeadId>),
    /// Those that match, of those that had come by then.
    Matching { filter: Box<LeadFilter>, as_of: Timestamp },
}

/// Where such a job stands.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cursor {
    /// So many of those that were named are done.
    Named(usize),
    /// This one was looked at last.
    Behind(Timestamp, LeadId),
}

/// Why such a job was not begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The action cannot be done.
    #[error(transparent)]
    Lead(#[from] LeadError),
    /// There can be no further job.
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// Begins to do `action` to all leads that match. Restoring goes through the deleted ones.
///
/// # Errors
/// Where what the action names is not there, or there are too many jobs.
pub async fn start(engine: &Engine, actor: &Actor, action: Action, filter: LeadFilter) -> Result<Job, StartError> {
    let reader = engine.store.reader();
    let named = match action {
        // Lists know no deleted leads.
        Action::Restore => None,
        Action::Move { .. } | Action::Assign(_) | Action::Delete | Action::Tag(_) | Action::Untag(_) => {
            leads::few(&reader, actor.workspace, &filter).await.map_err(LeadError::from)?
        }
    };
    let (chosen, total) = match named {
        Some(mut ids) => {
            // As they came: what is done last comes to stand on top of a column.
            ids.sort_unstable();
            let total = i64::try_from(ids.len()).unwrap_or(i64::MAX);
            (Chosen::Named(ids), total)
        }
        None => {
            let total = leads::total(&reader, actor.workspace, sweep_of(&action)).await.map_err(LeadError::from)?;
            (Chosen::Matching { filter: Box::new(filter), as_of: engine.clock.now() }, total)
        }
    };
    let mut tx = engine.store.begin().await.map_err(LeadError::from)?;
    let target = Target::hold(&mut tx, actor, &action).await?;
    demand_a_reason(&action, &target)?;
    let about = about(&action, &target);
    let params = json!(Wish { action, leads: chosen });
    let job = jobs::ask(engine, &mut tx, actor, NewJob { kind: KIND, params, about, total }).await?;
    tx.commit().await.map_err(LeadError::from)?;
    jobs::wake(engine);
    Ok(job)
}

/// A reason that is missing, or is none, would stop the job at its first lead.
fn demand_a_reason(action: &Action, target: &Target) -> Result<(), LeadError> {
    let (Action::Move { reason, .. }, Target::Stage { stage, closing }) = (action, target) else { return Ok(()) };
    closing.reason(stage.kind, reason.as_deref(), None)?;
    Ok(())
}

fn sweep_of(action: &Action) -> Sweep {
    match action {
        Action::Restore => Sweep::Deleted,
        Action::Move { .. } | Action::Assign(_) | Action::Delete | Action::Tag(_) | Action::Untag(_) => Sweep::There,
    }
}

/// What the next transaction is about.
struct Stretch {
    found: Vec<LeadId>,
    looked_at: i64,
    cursor: Option<Cursor>,
    is_last: bool,
}

/// Does the action to the next leads.
pub(super) async fn step(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let wish: Wish = turn.params()?;
    let mut stretch = next(engine, &turn, &wish).await?;
    // Whoever is named first comes to stand highest, and the newest stand on top of a column.
    stretch.found.reverse();
    let mut tx = turn.begin(engine).await?;
    let mut step = Step::default();
    if !stretch.found.is_empty() {
        let actor = turn.actor();
        let target = Target::hold(&mut tx, actor, &wish.action).await.map_err(end)?;
        let effects = apply_to(&mut tx, engine, actor, (&wish.action, &target), &stretch.found).await.map_err(end)?;
        step = super::step(&effects);
    }
    let step = Step {
        cursor: stretch.cursor.map(|cursor| json!(cursor)),
        looked_at: stretch.looked_at,
        is_last: stretch.is_last,
        ..step
    };
    turn.commit(engine, tx, step).await
}

async fn next(engine: &Engine, turn: &Turn, wish: &Wish) -> Result<Stretch, JobError> {
    let cursor: Option<Cursor> = turn.cursor()?;
    match &wish.leads {
        Chosen::Named(ids) => {
            let from = match cursor {
                Some(Cursor::Named(done)) => done,
                Some(Cursor::Behind(..)) | None => 0,
            };
            let until = ids.len().min(from + usize::try_from(AT_ONCE).unwrap_or(usize::MAX));
            let found = ids.get(from..until).unwrap_or_default().to_vec();
            Ok(Stretch {
                looked_at: i64::try_from(found.len()).unwrap_or(i64::MAX),
                found,
                cursor: Some(Cursor::Named(until)),
                is_last: until == ids.len(),
            })
        }
        Chosen::Matching { filter, as_of } => {
            let place = match cursor {
                Some(Cursor::Behind(at, id)) => Some((at, id)),
                Some(Cursor::Named(_)) | None => None,
            };
            sweep(engine, turn.actor(), (filter, sweep_of(&wish.action)), (place, *as_of)).await
        }
    }
}

/// Looks for matches until there are enough for a transaction, or it is time to tell how far the job is.
async fn sweep(
    engine: &Engine,
    actor: &Actor,
    these: (&LeadFilter, Sweep),
    (mut place, as_of): (Option<Place>, Timestamp),
) -> Result<Stretch, JobError> {
    let reader = engine.store.reader();
    let mut found = Vec::new();
    let mut looked_at = 0;
    let mut is_last = false;
    for _ in 0..STRIPS_AT_ONCE {
        let wanted = AT_ONCE - i64::try_from(found.len()).unwrap_or(AT_ONCE);
        if is_last || wanted == 0 {
            break;
        }
        let swept: Swept = leads::sweep(&reader, actor.workspace, these, (place, as_of), wanted).await?;
        found.extend(swept.found);
        looked_at += swept.looked_at;
        (place, is_last) = (swept.place, swept.is_over);
    }
    Ok(Stretch { found, looked_at, cursor: place.map(|(at, id)| Cursor::Behind(at, id)), is_last })
}

/// What was there when the job began may be gone: then it ends, and says so.
fn end(error: LeadError) -> JobError {
    match error {
        LeadError::Internal(error) => JobError::Store(error),
        LeadError::NoStage => JobError::GiveUp("The stage is gone.".to_owned()),
        LeadError::NoMember => JobError::GiveUp("The member is gone.".to_owned()),
        LeadError::Reason(fault) => JobError::GiveUp(format!("The reason {fault}.")),
        LeadError::NotFound
        | LeadError::Deleted
        | LeadError::NoNeighbour
        | LeadError::Invalid(_)
        | LeadError::Conflicts(_) => JobError::GiveUp("The action can no longer be done.".to_owned()),
    }
}
