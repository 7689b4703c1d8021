//! What a destination is asked with beside its headers: secrets that come and go sealed.

use super::Destination;
use crate::sql::{Error, Row, Tx, params};

/// Secrets of a destination, each sealed, where it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealedAccess {
    /// The secrets that access tokens are got with.
    pub oauth: Option<String>,
    /// The token that an ad platform asks for by a name of its own.
    pub token: Option<String>,
    /// The certificate that we show, with its key.
    pub client_certificate: Option<String>,
}

/// Writes what a destination is asked with as it is now.
///
/// # Errors
/// Where the database fails.
pub async fn write_access(tx: &mut Tx, destination: &Destination) -> Result<(), Error> {
    let SealedAccess { oauth, token, client_certificate } = &destination.access;
    let sql = "UPDATE destinations SET oauth_sealed = $3, token_sealed = $4, client_certificate_sealed = $5
               WHERE id = $1 AND workspace_id = $2";
    let (id, workspace) = (destination.id, destination.workspace_id);
    let values = params![id, workspace, oauth.as_deref(), token.as_deref(), client_certificate.as_deref()];
    tx.execute(sql, &values).await.map(drop)
}

pub(super) fn read_access(row: &Row) -> Result<SealedAccess, Error> {
    Ok(SealedAccess {
        oauth: row.get("oauth_sealed")?,
        token: row.get("token_sealed")?,
        client_certificate: row.get("client_certificate_sealed")?,
    })
}
