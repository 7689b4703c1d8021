//! Letting a submission out of quarantine: it goes through the door as if it had come now, and makes a lead with all
//! that follows from one.

use leadline_domain::ids::SubmissionId;
use leadline_store::{
    quarantine::{self, Entry},
    workspaces,
};

use super::{AcceptError, Standing, Submission};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// Why an entry was not let out.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// There is no such entry.
    #[error("not found")]
    NotFound,
    /// What was written down cannot be read any more.
    #[error("the entry cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The door does not take it.
    #[error("the submission is not accepted")]
    Refused(#[source] AcceptError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] leadline_store::Error),
}

/// Lets an entry out. One that is out already stays as it is: the submission's id makes a repeat harmless.
///
/// # Errors
/// Where there is none, or it is not accepted.
pub async fn release(engine: &Engine, actor: &Actor, id: SubmissionId) -> Result<Entry, ReleaseError> {
    let reader = engine.store.reader();
    let entry = quarantine::find(&reader, actor.workspace, id).await?.ok_or(ReleaseError::NotFound)?;
    if entry.released_at.is_some() {
        return Ok(entry);
    }
    let text = quarantine::find_submission(&reader, actor.workspace, id).await?.ok_or(ReleaseError::NotFound)?;
    let mut submission: Submission = serde_json::from_str(&text).map_err(ReleaseError::Unreadable)?;
    let workspace = workspaces::find(&reader, actor.workspace).await?.ok_or(ReleaseError::NotFound)?;
    submission.intake.workspace_settings = workspace.settings;
    submission.standing = Standing::Released { by: actor.name.clone(), held_at: submission.received_at };
    submission.received_at = engine.clock.now();
    submission.is_repeatable = true;
    // The door has a transaction of its own, for many submissions at once. Written down first, there is never a release
    // without a word of who did it.
    let mut tx = engine.store.begin().await?;
    audit::record(&mut tx, engine.clock.now(), actor, Deed::new("quarantine.released", id, "")).await?;
    tx.commit().await?;
    engine.door.accept(submission).await.map_err(ReleaseError::Refused)?;
    quarantine::find(&reader, actor.workspace, id).await?.ok_or(ReleaseError::NotFound)
}
