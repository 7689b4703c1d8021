//! Segments: making, changing and deleting named conditions. Who is in one is asked of the leads; [`super::membership`]
//! tells who comes and who goes.

use leadline_domain::ids::SegmentId;
use leadline_store::{
    self as store,
    segments::{
        self as stored, SEGMENTS_MAX, Segment,
        members::{self, FOLLOWED_MAX},
    },
};
use serde_json::Value;

use super::{Fault, text::clean};
use crate::{Actor, Engine, random_bytes};

/// Leads that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

const NAME_MAX_CHARS: usize = 80;
const DESCRIPTION_MAX_CHARS: usize = 500;

/// What somebody says of a segment. What is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Segment under their own names")]
pub struct SegmentEdit {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    /// Read and found good by the caller, who knows what may be asked.
    pub filter: Option<Value>,
    /// Whether timelines tell of it; where nobody said, as long as the workspace follows few.
    pub is_followed: Option<bool>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Why a segment was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// There is none of this id.
    #[error("there is no such segment")]
    NotFound,
    /// The workspace has as many as it may have.
    #[error("a workspace has at most {SEGMENTS_MAX} segments")]
    Full,
    /// Somebody changed it since.
    #[error("somebody else changed the segment")]
    Stale,
    /// It cannot be so.
    #[error("{} things speak against it", .0.len())]
    Invalid(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

/// Makes a segment and tells its id.
///
/// # Errors
/// Where it cannot be so.
pub async fn create(engine: &Engine, actor: &Actor, edit: SegmentEdit) -> Result<SegmentId, SegmentError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    if stored::count(&mut tx, actor.workspace).await? >= SEGMENTS_MAX {
        return Err(SegmentError::Full);
    }
    let blank = Segment {
        id: SegmentId::new(now, random_bytes()),
        name: String::new(),
        description: None,
        filter: Value::Null,
        is_followed: false,
        followed_since: None,
        version: 0,
        made_by: actor.name.clone(),
        created_at: now,
        updated_at: now,
    };
    let may_follow = members::count_followed(&mut tx, actor.workspace).await? < FOLLOWED_MAX;
    let is_followed = Some(edit.is_followed.unwrap_or(may_follow));
    let segment = edited(blank, SegmentEdit { is_followed, ..edit }, may_follow)?;
    stored::write(&mut tx, actor.workspace, &segment).await?;
    tx.commit().await?;
    Ok(segment.id)
}

/// Changes a segment.
///
/// # Errors
/// Where it is not there, cannot be so, or was changed since.
pub async fn update(engine: &Engine, actor: &Actor, id: SegmentId, edit: SegmentEdit) -> Result<(), SegmentError> {
    let mut tx = engine.store.begin().await?;
    let segment = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(SegmentError::NotFound)?;
    if edit.version.is_some_and(|version| version != segment.version) {
        return Err(SegmentError::Stale);
    }
    let may_follow = members::count_followed(&mut tx, actor.workspace).await? < FOLLOWED_MAX;
    let was_followed = segment.is_followed;
    let segment = Segment { updated_at: engine.clock.now(), ..edited(segment, edit, may_follow)? };
    stored::write(&mut tx, actor.workspace, &segment).await?;
    tx.commit().await?;
    if was_followed && !segment.is_followed {
        forget(engine, id).await?;
    }
    Ok(())
}

/// Forgets who was in a segment, some at a time. What is left where that is cut off is of no segment that is followed, and
/// looked at again if it ever is.
async fn forget(engine: &Engine, id: SegmentId) -> Result<(), store::Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let gone = members::forget(&mut tx, id, FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        if gone == 0 {
            return Ok(());
        }
    }
}

/// Deletes a segment. Nothing happens to the leads that were in it.
///
/// # Errors
/// Where it is not there.
pub async fn delete(engine: &Engine, actor: &Actor, id: SegmentId) -> Result<(), SegmentError> {
    let mut tx = engine.store.begin().await?;
    if !stored::delete(&mut tx, actor.workspace, id).await? {
        return Err(SegmentError::NotFound);
    }
    tx.commit().await?;
    Ok(forget(engine, id).await?)
}

fn edited(mut segment: Segment, edit: SegmentEdit, may_follow: bool) -> Result<Segment, SegmentError> {
    let mut faults = Vec::new();
    segment.name = edit.name.as_deref().map_or(Some(segment.name), clean).unwrap_or_default();
    if segment.name.is_empty() || segment.name.chars().count() > NAME_MAX_CHARS {
        faults.push(Fault::new("/name", format!("has 1 to {NAME_MAX_CHARS} characters")));
    }
    if let Some(description) = edit.description {
        segment.description = description.as_deref().and_then(clean);
    }
    if segment.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX_CHARS) {
        faults.push(Fault::new("/description", format!("has at most {DESCRIPTION_MAX_CHARS} characters")));
    }
    let is_followed = edit.is_followed.unwrap_or(segment.is_followed);
    if is_followed && !segment.is_followed && !may_follow {
        faults.push(Fault::new("/isFollowed", format!("a workspace follows at most {FOLLOWED_MAX} segments")));
    }
    let filter = edit.filter.unwrap_or_else(|| segment.filter.clone());
    if !is_followed || !segment.is_followed || filter != segment.filter {
        // Who is in it now is taken down first, without a word.
        segment.followed_since = None;
    }
    (segment.is_followed, segment.filter) = (is_followed, filter);
    segment.version += 1;
    if faults.is_empty() { Ok(segment) } else { Err(SegmentError::Invalid(faults)) }
}
