//! Leads that somebody wants to write to.

use leadline_domain::{
    ids::{ContactId, LeadId, WorkspaceId},
    messaging::MessageChannel,
    time::Timestamp,
};

use crate::sql::{Error, IntoParam, Tx, json_set};

/// A lead that somebody wants to write to.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Recipient {
    pub lead_id: LeadId,
    pub contact_id: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// When the person wrote last in the lead's latest conversation by WhatsApp.
    wrote_at: Option<Timestamp>,
}

impl Recipient {
    /// When the person wrote last by a kind of channel, as far as that decides anything.
    #[must_use]
    pub fn last_inbound_at(&self, kind: MessageChannel) -> Option<Timestamp> {
        self.wrote_at.filter(|_| kind == MessageChannel::Whatsapp)
    }
}

/// Those of these leads that are there. By primary key; conversations by `conversations_of_lead`.
///
/// # Errors
/// Where the database fails.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId, leads: &[LeadId]) -> Result<Vec<Recipient>, Error> {
    let sql = format!(
        "SELECT l.id, l.contact_id, l.email, l.phone,
                (SELECT c.last_inbound_at FROM conversations AS c
                 WHERE c.lead_id = l.id AND c.channel = 'whatsapp' AND c.state <> 'completed'
                 ORDER BY c.created_at DESC, c.id DESC LIMIT 1) AS wrote_at
         FROM leads AS l WHERE l.id IN {} AND l.workspace_id = $2 AND l.deleted_at IS NULL",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(leads), workspace.param()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Recipient {
                lead_id: row.get("id")?,
                contact_id: row.get("contact_id")?,
                email: row.get("email")?,
                phone: row.get("phone")?,
                wrote_at: row.get("wrote_at")?,
            })
        })
        .collect()
}
