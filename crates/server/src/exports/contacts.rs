//! Contacts as rows of a table.

use leadline_domain::{
    filters::CONTACT_DATA,
    ids::{ContactId, WorkspaceId},
};
use leadline_store::{
    Error, Reader,
    contacts::{self, Contact, ContactWalk},
    custom_fields::{self, Held, Holder},
};
use serde_json::{Map, Value};

use super::{BETWEEN, Cell, PAGE, Sight, Table};

const HEADINGS: [&str; 8] = ["Name", "Email", "Phone", "Lifecycle", "Tags", "Created", "Updated", "Contact id"];

/// What else is kept of a contact, as JSON.
const REST: &str = "Other data";

/// The table of contacts.
pub struct ContactTable {
    walk: ContactWalk,
    workspace: WorkspaceId,
    sight: Sight,
    /// Key and heading of data that has a column of its own.
    data: Vec<(String, String)>,
    /// Whether there are no other data.
    are_all: bool,
}

impl ContactTable {
    /// The table of the contacts of a walk, as somebody of that sight sees them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open(reader: &Reader, workspace: WorkspaceId, walk: ContactWalk, sight: Sight) -> Result<Self, Error> {
        let mut data: Vec<(String, String)> =
            CONTACT_DATA.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect();
        let (fields, are_all) = custom_fields::held(reader, workspace, Holder::Contacts).await?;
        for Held { key, name } in fields {
            if data.iter().any(|(known, _)| *known == key) {
                continue;
            }
            let is_same = |other: &str| other.to_lowercase() == name.to_lowercase();
            let is_taken = HEADINGS.into_iter().any(is_same) || data.iter().any(|(_, other)| is_same(other));
            let heading = if is_taken { format!("{name} ({key})") } else { name };
            data.push((key, heading));
        }
        Ok(Self { walk, workspace, sight, data, are_all })
    }

    fn row(&self, contact: Contact) -> Vec<Cell> {
        let data = self.sight.custom_fields(contact.column_data);
        let mut cells = vec![
            Cell::text(self.sight.name(contact.display_name)),
            Cell::maybe(self.sight.email(contact.email)),
            Cell::maybe(self.sight.phone(contact.phone_number)),
            Cell::text(contact.lifecycle),
            Cell::text(contact.tags.join(BETWEEN)),
            Cell::text(contact.created_at.to_string()),
            Cell::text(contact.updated_at.to_string()),
            Cell::text(contact.id.to_string()),
        ];
        cells.extend(self.data.iter().map(|(key, _)| Cell::json(data.get(key))));
        if !self.are_all {
            cells.push(self.rest(data));
        }
        cells
    }

    fn rest(&self, mut data: Map<String, Value>) -> Cell {
        data.retain(|key, _| key != "_displayNames" && !self.data.iter().any(|(known, _)| known == key));
        Cell::text(if data.is_empty() { String::new() } else { Value::Object(data).to_string() })
    }
}

impl Table for ContactTable {
    const NAME: &'static str = "Contacts";

    fn headings(&self) -> Vec<String> {
        let known = HEADINGS.into_iter().map(str::to_owned);
        known
            .chain(self.data.iter().map(|(_, heading)| heading.clone()))
            .chain((!self.are_all).then(|| REST.to_owned()))
            .collect()
    }

    async fn next(&mut self, reader: &Reader) -> Result<Option<Vec<Vec<Cell>>>, Error> {
        let ids: Vec<ContactId> = self.walk.next(reader, PAGE).await?.into_iter().map(ContactId).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let contacts = contacts::list_by_id(reader, self.workspace, &ids).await?;
        Ok(Some(contacts.into_iter().map(|contact| self.row(contact)).collect()))
    }
}
