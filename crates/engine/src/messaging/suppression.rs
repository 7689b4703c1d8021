//! Who must not be written to.

use leadline_domain::{emails::Email, ids::WorkspaceId};
use leadline_store::{Error, Tx, capture::IdentityKey, messages::queue::Due, suppressions};

use crate::Engine;

/// Whether the person behind a message does not want to be written to.
pub(super) async fn is_suppressed(engine: &Engine, tx: &mut Tx, message: &Due) -> Result<bool, Error> {
    let lead = message.lead.as_ref();
    let addresses = (lead.and_then(|lead| lead.email.as_deref()), lead.and_then(|lead| lead.phone.as_deref()));
    is_listed(engine, tx, message.workspace_id, addresses).await
}

/// Whether one of these addresses is on the suppression list: whoever asked by one is left in peace by the other, too.
pub(super) async fn is_listed(
    engine: &Engine,
    tx: &mut Tx,
    workspace: WorkspaceId,
    (email, phone): (Option<&str>, Option<&str>),
) -> Result<bool, Error> {
    let key = |kind: &str, value: &str| IdentityKey(engine.keys.identity(workspace.0, kind, value));
    let email = email.and_then(Email::parse).map(|email| key("contact_email", &email.canonical));
    let phone = phone.map(|phone| key("contact_phone", phone));
    let keys: Vec<IdentityKey> = email.into_iter().chain(phone).collect();
    suppressions::is_suppressed(tx, workspace, &keys).await
}
