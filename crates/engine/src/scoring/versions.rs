//! Versions of a workspace's weights: saving one, going back to one.

use leadline_domain::{
    ids::WorkspaceId,
    scores::{Scoring, Weights},
};
use leadline_store::{
    self as store, Tx,
    scoring::{
        jobs,
        versions::{self, Version},
    },
    workspaces,
};
use serde_json::{Value, json};

use super::{ScoringError, tell};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// Characters of a note at most.
pub const NOTE_CHARS: usize = 500;

/// Makes a version of the weights and scores by it from now on. `expected` is the version that its maker went by.
///
/// A re-score that goes on ends: it would go on by other weights than it began with.
///
/// # Errors
/// [`ScoringError::Stale`] where another version was made in the meantime.
pub async fn save(
    engine: &Engine,
    actor: &Actor,
    expected: i64,
    weights: Weights,
    note: Option<&str>,
) -> Result<Scoring, ScoringError> {
    let mut tx = engine.store.begin().await?;
    let saved = make(engine, &mut tx, actor, expected, weights, note).await?;
    commit(engine, tx).await?;
    Ok(saved)
}

/// Makes a new version of what an old one says; 0 is the documentation's.
///
/// # Errors
/// [`ScoringError::NotFound`] where there is no such version, [`ScoringError::Stale`] where another one was made in the
/// meantime.
pub async fn restore(engine: &Engine, actor: &Actor, expected: i64, version: i64) -> Result<Scoring, ScoringError> {
    let mut tx = engine.store.begin().await?;
    let weights = match version {
        0 => Weights::default(),
        version => {
            let found = versions::find(&mut tx, actor.workspace, version).await?.ok_or(ScoringError::NotFound)?;
            Weights::from_json(&found.differing)
        }
    };
    let note = format!("Version {version} again");
    let saved = make(engine, &mut tx, actor, expected, weights, Some(&note)).await?;
    commit(engine, tx).await?;
    Ok(saved)
}

async fn make(
    engine: &Engine,
    tx: &mut Tx,
    actor: &Actor,
    expected: i64,
    weights: Weights,
    note: Option<&str>,
) -> Result<Scoring, ScoringError> {
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > NOTE_CHARS || note.contains('\0')) {
        return Err(ScoringError::NoteTooLong);
    }
    let mut workspace = workspaces::lock(tx, actor.workspace).await?.ok_or(ScoringError::NotFound)?;
    let current = Scoring::of(&workspace.settings);
    if current.version != expected {
        return Err(ScoringError::Stale);
    }
    let now = engine.clock.now();
    let scoring = Scoring { version: current.version + 1, weights };
    let version = Version {
        version: scoring.version,
        differing: scoring.weights.to_json(),
        note: note.map(str::to_owned),
        made_by: actor.name.clone(),
        made_at: now,
    };
    versions::insert(tx, actor.workspace, &version).await?;
    let deed = Deed::new("scoring.updated", scoring.version, "").with(json!({ "note": version.note }));
    audit::record(tx, now, actor, deed).await?;
    ride(&mut workspace.settings, &scoring);
    workspaces::update(tx, actor.workspace, &workspace.name, &workspace.settings).await?;
    jobs::cancel(tx, actor.workspace, now).await?;
    tell(engine, tx, actor.workspace).await?;
    Ok(scoring)
}

async fn commit(engine: &Engine, tx: Tx) -> Result<(), ScoringError> {
    tx.commit().await?;
    engine.wake.events.notify_one();
    // The door goes by the new weights at once, not only when it looks again.
    engine.door.intakes().forget();
    Ok(())
}

fn ride(settings: &mut Value, scoring: &Scoring) {
    if let Value::Object(settings) = settings {
        settings.insert(Scoring::KEY.to_owned(), scoring.to_json());
    }
}

/// What a workspace scores by.
pub(super) async fn current(tx: &mut Tx, workspace: WorkspaceId) -> Result<Scoring, store::Error> {
    let found = workspaces::settings_of(tx, &[workspace]).await?;
    Ok(found.first().map_or_else(Scoring::default, |(_, settings)| Scoring::of(settings)))
}
