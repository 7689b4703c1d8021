//! Saved views of leads: somebody's own, and those that all of a workspace see.

use leadline_domain::{ids::LeadViewId, permissions::Permission};
use leadline_store::{
    self as store,
    lead_views::{self as stored, LeadView},
};
use serde_json::Value;

use super::{Fault, text::clean};
use crate::{Actor, Engine, random_bytes};

/// Views of one workspace at most.
const VIEWS_MAX: i64 = 500;

const NAME_MAX_CHARS: usize = 80;

/// Columns of a table, and fields of a card.
const COLUMNS_MAX: usize = 60;
const COLUMN_MAX_CHARS: usize = 110;

/// What somebody says of a view. What is `None` stays, or is not there where the view is new.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of LeadView under their own names")]
pub struct ViewEdit {
    pub name: Option<String>,
    pub is_shared: Option<bool>,
    pub is_default: Option<bool>,
    pub layout: Option<String>,
    /// Read and found good by the caller, who knows what may be asked.
    pub filter: Option<Option<Value>>,
    pub sort_by: Option<Option<String>>,
    pub sort_order: Option<Option<String>>,
    pub columns: Option<Option<Vec<String>>>,
    pub card_fields: Option<Option<Vec<String>>>,
}

/// Why a view was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// There is none of this id that the actor sees.
    #[error("there is no such view")]
    NotFound,
    /// It is somebody else's, or sharing takes more than the actor may.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The workspace has as many as it may have.
    #[error("a workspace has at most {VIEWS_MAX} views")]
    Full,
    /// It cannot be so.
    #[error("{} things speak against it", .0.len())]
    Invalid(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

/// Whether somebody may change a view that they see.
#[must_use]
pub fn may_change(actor: &Actor, view: &LeadView) -> bool {
    let is_owner = actor.user.is_some() && actor.user == view.owner_id;
    is_owner || (view.is_shared && actor.role.may(Permission::SettingsManage))
}

/// Saves a new view and tells its id.
///
/// # Errors
/// Where it cannot be so, or may not be shared.
pub async fn create(engine: &Engine, actor: &Actor, edit: ViewEdit) -> Result<LeadViewId, ViewError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    if stored::count(&mut tx, actor.workspace).await? >= VIEWS_MAX {
        return Err(ViewError::Full);
    }
    let is_default = edit.is_default;
    let blank = LeadView {
        id: LeadViewId::new(now, random_bytes()),
        owner_id: actor.user,
        owner_name: actor.name.clone(),
        name: String::new(),
        is_shared: false,
        layout: "table".to_owned(),
        filter: None,
        sort_by: None,
        sort_order: None,
        columns: None,
        card_fields: None,
        created_at: now,
        updated_at: now,
    };
    let view = edited(actor, blank, edit)?;
    if view.owner_id.is_none() && !view.is_shared {
        return Err(invalid("/isShared", "must be true: this token belongs to nobody who would see the view"));
    }
    stored::write(&mut tx, actor.workspace, &view).await?;
    begin_with(&mut tx, actor, view.id, is_default).await?;
    tx.commit().await?;
    Ok(view.id)
}

/// Changes a view. Beginning with one is everybody's own choice; the rest takes its owner, or who may change settings.
///
/// # Errors
/// Where it is not there, may not be changed or cannot be so.
pub async fn update(engine: &Engine, actor: &Actor, id: LeadViewId, edit: ViewEdit) -> Result<(), ViewError> {
    let mut tx = engine.store.begin().await?;
    let view = stored::lock(&mut tx, actor.workspace, actor.user, id).await?.ok_or(ViewError::NotFound)?;
    let is_default = edit.is_default;
    let only_begins = ViewEdit { is_default: None, ..edit.clone() }.is_empty();
    if !only_begins {
        if !may_change(actor, &view) {
            return Err(ViewError::Forbidden("the view is somebody else's"));
        }
        let now = engine.clock.now();
        let view = LeadView { updated_at: now, ..edited(actor, view, edit)? };
        if !view.is_shared && view.owner_id != actor.user {
            return Err(ViewError::Forbidden("only its owner can make a view private"));
        }
        stored::write(&mut tx, actor.workspace, &view).await?;
    }
    begin_with(&mut tx, actor, id, is_default).await?;
    Ok(tx.commit().await?)
}

/// Deletes a view.
///
/// # Errors
/// Where it is not there or may not be changed.
pub async fn delete(engine: &Engine, actor: &Actor, id: LeadViewId) -> Result<(), ViewError> {
    let mut tx = engine.store.begin().await?;
    let view = stored::lock(&mut tx, actor.workspace, actor.user, id).await?.ok_or(ViewError::NotFound)?;
    if !may_change(actor, &view) {
        return Err(ViewError::Forbidden("the view is somebody else's"));
    }
    stored::delete(&mut tx, actor.workspace, id).await?;
    Ok(tx.commit().await?)
}

async fn begin_with(
    tx: &mut store::Tx,
    actor: &Actor,
    view: LeadViewId,
    is_default: Option<bool>,
) -> Result<(), ViewError> {
    match (is_default, actor.user) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(invalid("/isDefault", "this token belongs to nobody who would begin with it")),
        (Some(true), Some(user)) => Ok(stored::set_default(tx, actor.workspace, user, view).await?),
        (Some(false), Some(user)) => Ok(stored::unset_default(tx, actor.workspace, user, view).await?),
    }
}

impl ViewEdit {
    fn is_empty(&self) -> bool {
        let Self { name, is_shared, is_default, layout, filter, sort_by, sort_order, columns, card_fields } = self;
        name.is_none()
            && is_shared.is_none()
            && is_default.is_none()
            && layout.is_none()
            && filter.is_none()
            && sort_by.is_none()
            && sort_order.is_none()
            && columns.is_none()
            && card_fields.is_none()
    }
}

fn edited(actor: &Actor, mut view: LeadView, edit: ViewEdit) -> Result<LeadView, ViewError> {
    let mut faults = Vec::new();
    let becomes_shared = !view.is_shared && edit.is_shared == Some(true);
    if becomes_shared && !actor.role.may(Permission::LeadsManage) {
        return Err(ViewError::Forbidden("sharing a view needs the permission leads:manage"));
    }
    view.name = edit.name.as_deref().map_or(Some(view.name), clean).unwrap_or_default();
    if view.name.is_empty() || view.name.chars().count() > NAME_MAX_CHARS {
        faults.push(Fault::new("/name", format!("has 1 to {NAME_MAX_CHARS} characters")));
    }
    view.is_shared = edit.is_shared.unwrap_or(view.is_shared);
    view.layout = edit.layout.unwrap_or(view.layout);
    view.filter = edit.filter.unwrap_or(view.filter);
    view.sort_by = edit.sort_by.unwrap_or(view.sort_by);
    view.sort_order = edit.sort_order.unwrap_or(view.sort_order);
    view.columns = edit.columns.unwrap_or(view.columns);
    view.card_fields = edit.card_fields.unwrap_or(view.card_fields);
    for (pointer, list) in [("/columns", &view.columns), ("/cardFields", &view.card_fields)] {
        let Some(list) = list else { continue };
        let is_good = |name: &String| {
            (1..=COLUMN_MAX_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        if list.len() > COLUMNS_MAX || !list.iter().all(is_good) {
            let message = format!("are at most {COLUMNS_MAX} names of at most {COLUMN_MAX_CHARS} characters");
            faults.push(Fault::new(pointer, message));
        }
    }
    if faults.is_empty() { Ok(view) } else { Err(ViewError::Invalid(faults)) }
}

fn invalid(pointer: &str, message: &str) -> ViewError {
    ViewError::Invalid(vec![Fault::new(pointer, message)])
}
