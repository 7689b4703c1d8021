//! The recipients of a campaign as rows of a table.

use leadline_domain::{
    ids::{CampaignId, ContactId, WorkspaceId},
    time::Timestamp,
};
use leadline_store::{
    Error, Reader,
    campaigns::{
        Campaign,
        recipients::{self, Reported},
    },
};

use super::{Cell, PAGE, Sight, Table};

const HEADINGS: [&str; 17] = [
    "Name",
    "Address",
    "Status",
    "Reason",
    "Error",
    "Subject",
    "Sent",
    "Delivered",
    "Read",
    "Opened",
    "Opened by a machine",
    "Clicked",
    "Clicked by a machine",
    "Unsubscribed",
    "Replied",
    "Lead id",
    "Message id",
];

/// The table of the recipients of a campaign.
pub struct RecipientTable {
    workspace: WorkspaceId,
    campaign: CampaignId,
    subjects: Vec<String>,
    sight: Sight,
    after: Option<ContactId>,
}

impl RecipientTable {
    /// The table, as somebody of that sight sees it.
    #[must_use]
    pub fn new(workspace: WorkspaceId, campaign: &Campaign, sight: Sight) -> Self {
        Self { workspace, campaign: campaign.id, subjects: campaign.content.subjects.clone(), sight, after: None }
    }

    fn row(&self, of: Reported) -> Vec<Cell> {
        let time = |at: Option<Timestamp>| Cell::maybe(at.map(|at| at.to_string()));
        let is_letter = of.address.as_deref().is_some_and(|address| address.contains('@'));
        let address = if is_letter { self.sight.email(of.address) } else { self.sight.phone(of.address) };
        let subject = usize::try_from(of.variant).ok().and_then(|index| self.subjects.get(index).cloned());
        vec![
            Cell::maybe(of.lead_name.map(|name| self.sight.name(name))),
            Cell::maybe(address),
            Cell::text(of.status),
            Cell::maybe(of.reason),
            Cell::maybe(self.sight.text(of.error)),
            Cell::maybe(subject),
            time(of.sent_at),
            time(of.delivered_at),
            time(of.read_at),
            time(of.human_open_at),
            time(of.machine_open_at),
            time(of.human_click_at),
            time(of.machine_click_at),
            time(of.unsubscribed_at),
            time(of.replied_at),
            Cell::text(of.lead_id.to_string()),
            Cell::maybe(of.message_id.map(|id| id.to_string())),
        ]
    }
}

impl Table for RecipientTable {
    const NAME: &'static str = "Recipients";

    fn headings(&self) -> Vec<String> {
        HEADINGS.into_iter().map(str::to_owned).collect()
    }

    async fn next(&mut self, reader: &Reader) -> Result<Option<Vec<Vec<Cell>>>, Error> {
        let page = (self.after, i64::try_from(PAGE).unwrap_or(i64::MAX));
        let rows = recipients::walk(reader, self.workspace, self.campaign, page).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(last.contact_id);
        Ok(Some(rows.into_iter().map(|row| self.row(row)).collect()))
    }
}
