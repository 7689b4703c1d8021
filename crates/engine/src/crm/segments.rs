//! Segments: making, changing and deleting named conditions. Nobody writes down who is in one: the leads are asked.

use leadline_domain::ids::SegmentId;
use leadline_store::{
    self as store,
    segments::{self as stored, SEGMENTS_MAX, Segment},
};
use serde_json::Value;

use super::{Fault, text::clean};
use crate::{Actor, Engine, random_bytes};

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
        version: 0,
        made_by: actor.name.clone(),
        created_at: now,
        updated_at: now,
    };
    let segment = edited(blank, edit)?;
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
    let segment = Segment { updated_at: engine.clock.now(), ..edited(segment, edit)? };
    stored::write(&mut tx, actor.workspace, &segment).await?;
    Ok(tx.commit().await?)
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
    Ok(tx.commit().await?)
}

fn edited(mut segment: Segment, edit: SegmentEdit) -> Result<Segment, SegmentError> {
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
    segment.filter = edit.filter.unwrap_or(segment.filter);
    segment.version += 1;
    if faults.is_empty() { Ok(segment) } else { Err(SegmentError::Invalid(faults)) }
}
