//! Who a person is: their contacts and leads, and by what they are named elsewhere.
//!
//! Leads that were merged are one person's, and so are those with the same e-mail address. A phone number may be a
//! company's or a family's: a lead that has another address beside it is somebody else.

use std::collections::{BTreeMap, BTreeSet};

use leadline_domain::{
    ids::{ContactId, LeadId, ProjectId, WorkspaceId},
    privacy::Traces,
    time::Timestamp,
};

use crate::sql::{Error, Reader, Row, json_set, params};

/// How often the circle is widened: nobody's leads were merged so many times.
const ROUNDS: usize = 8;

/// Leads of one person, and of what they were found by, that are looked at.
const MOST: i64 = 5_000;

/// A person.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// Their contacts: mostly one.
    pub contacts: Vec<ContactId>,
    /// Their leads, deleted and merged ones as well.
    pub leads: Vec<LeadOf>,
    /// The contacts' addresses and numbers.
    pub reached_by: Vec<(Option<String>, Option<String>)>,
}

/// A lead of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct LeadOf {
    pub id: LeadId,
    pub project_id: ProjectId,
    pub contact_id: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub visitor_id: Option<String>,
    merged_into: Option<LeadId>,
    created_at: Timestamp,
}

impl Person {
    /// The ids of their leads.
    #[must_use]
    pub fn lead_ids(&self) -> Vec<LeadId> {
        self.leads.iter().map(|lead| lead.id).collect()
    }

    /// Whether there is anything of them.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.contacts.is_empty() && self.leads.is_empty()
    }
}

/// Finds the person of a contact, as they were at `as_of`: what came later came by itself. Each question goes by an
/// index: `leads_of_contact`, `leads_merged_into`, `leads_by_email` and `leads_by_phone`.
///
/// # Errors
/// Where the database fails.
pub async fn find(
    reader: &Reader,
    workspace: WorkspaceId,
    contact: ContactId,
    as_of: Timestamp,
) -> Result<Person, Error> {
    let mut circle = Circle::default();
    circle.add_contacts(reader, workspace, BTreeSet::from([contact])).await?;
    for _ in 0..ROUNDS {
        let before = (circle.contacts.len(), circle.leads.len());
        circle.widen(reader, workspace, as_of).await?;
        if before == (circle.contacts.len(), circle.leads.len()) {
            break;
        }
    }
    Ok(Person {
        contacts: circle.contacts.into_iter().collect(),
        leads: circle.leads.into_values().collect(),
        reached_by: circle.reached_by,
    })
}

#[derive(Default)]
struct Circle {
    contacts: BTreeSet<ContactId>,
    leads: BTreeMap<LeadId, LeadOf>,
    reached_by: Vec<(Option<String>, Option<String>)>,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
}

impl Circle {
    async fn add_contacts(
        &mut self,
        reader: &Reader,
        workspace: WorkspaceId,
        ids: BTreeSet<ContactId>,
    ) -> Result<(), Error> {
        let sql = format!(
            "SELECT id, email, phone_number FROM contacts WHERE id IN {} AND workspace_id = $2",
            reader.dialect().id_list(1)
        );
        let new: Vec<ContactId> = ids.difference(&self.contacts).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let [workspace] = params![workspace];
        for row in reader.query(&sql, &[json_set(&new), workspace]).await? {
            let (email, phone): (Option<String>, Option<String>) = (row.get("email")?, row.get("phone_number")?);
            self.contacts.insert(row.get("id")?);
            self.emails.extend(email.clone());
            self.phones.extend(phone.clone());
            self.reached_by.push((email, phone));
        }
        Ok(())
    }

    async fn widen(&mut self, reader: &Reader, workspace: WorkspaceId, as_of: Timestamp) -> Result<(), Error> {
        let dialect = reader.dialect();
        let leads: Vec<LeadId> = self.leads.keys().copied().collect();
        let into: Vec<LeadId> = self.leads.values().filter_map(|lead| lead.merged_into).collect();
        let contacts: Vec<ContactId> = self.contacts.iter().copied().collect();
        let (emails, phones) = (Vec::from_iter(&self.emails), Vec::from_iter(&self.phones));
        let asked = [
            (format!("contact_id IN {}", dialect.id_list(1)), json_set(&contacts)),
            (format!("merged_into IN {}", dialect.id_list(1)), json_set(&leads)),
            (format!("id IN {}", dialect.id_list(1)), json_set(&into)),
            (
                format!("email IN {} AND email IS NOT NULL AND deleted_at IS NULL", dialect.text_list(1)),
                json_set(&emails),
            ),
            (
                format!("phone IN {} AND phone IS NOT NULL AND deleted_at IS NULL", dialect.text_list(1)),
                json_set(&phones),
            ),
        ];
        for (condition, list) in asked {
            let sql = format!(
                "SELECT id, project_id, contact_id, email, phone, visitor_id, merged_into, created_at FROM leads
                 WHERE {condition} AND workspace_id = $2 ORDER BY id LIMIT $3"
            );
            let [workspace, most] = params![workspace, MOST];
            for row in reader.query(&sql, &[list, workspace, most]).await? {
                self.take(read(&row)?, as_of);
            }
        }
        let contacts = self.leads.values().map(|lead| lead.contact_id).collect();
        self.add_contacts(reader, workspace, contacts).await
    }

    fn take(&mut self, lead: LeadOf, as_of: Timestamp) {
        let is_told_apart = |email: &String| !self.emails.is_empty() && !self.emails.contains(email);
        let is_by_id = self.contacts.contains(&lead.contact_id)
            || lead.merged_into.is_some_and(|into| self.leads.contains_key(&into))
            || self.leads.values().any(|known| known.merged_into == Some(lead.id));
        let is_somebody_else = !is_by_id && lead.email.as_ref().is_some_and(is_told_apart);
        if is_somebody_else || lead.created_at > as_of {
            return;
        }
        self.emails.extend(lead.email.clone());
        self.phones.extend(lead.phone.clone());
        self.leads.insert(lead.id, lead);
    }
}

fn read(row: &Row) -> Result<LeadOf, Error> {
    Ok(LeadOf {
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        contact_id: row.get("contact_id")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        visitor_id: row.get("visitor_id")?,
        merged_into: row.get("merged_into")?,
        created_at: row.get("created_at")?,
    })
}

/// By what a person is named in texts: whatever their contacts, leads and submissions say.
///
/// # Errors
/// Where the database fails.
pub async fn traces(reader: &Reader, workspace: WorkspaceId, person: &Person) -> Result<Traces, Error> {
    let dialect = reader.dialect();
    let mut traces = Traces::default();
    let named = [
        (
            "SELECT display_name AS name, email, phone_number AS phone, whatsapp_id AS other FROM contacts WHERE id IN",
            json_set(&person.contacts),
        ),
        ("SELECT name, email, phone, phone_raw AS other FROM leads WHERE id IN", json_set(&person.lead_ids())),
        (
            "SELECT name, email, phone, CAST(NULL AS TEXT) AS other FROM lead_submissions WHERE lead_id IN",
            json_set(&person.lead_ids()),
        ),
    ];
    for (select, list) in named {
        let sql = format!("{select} {} AND workspace_id = $2 LIMIT $3", dialect.id_list(1));
        let [workspace, most] = params![workspace, MOST];
        for row in reader.query(&sql, &[list, workspace, most]).await? {
            let text = |name: &str| row.get::<Option<String>>(name);
            text("name")?.iter().for_each(|name| traces.add_name(name));
            text("email")?.iter().for_each(|email| traces.add_email(email));
            [text("phone")?, text("other")?].iter().flatten().for_each(|phone| traces.add_phone(phone));
        }
    }
    visitors(reader, workspace, person).await?.iter().for_each(|visitor| traces.add_id(visitor));
    Ok(traces)
}

/// The ids of their browsers.
///
/// # Errors
/// Where the database fails.
pub async fn visitors(reader: &Reader, workspace: WorkspaceId, person: &Person) -> Result<BTreeSet<String>, Error> {
    // By `lead_visitors_of_lead`.
    let sql = format!(
        "SELECT DISTINCT visitor_id FROM lead_visitors WHERE lead_id IN {} AND workspace_id = $2 LIMIT $3",
        reader.dialect().id_list(1)
    );
    let [workspace, most] = params![workspace, MOST];
    let rows = reader.query(&sql, &[json_set(&person.lead_ids()), workspace, most]).await?;
    let mut found: BTreeSet<String> = rows.iter().map(|row| row.get("visitor_id")).collect::<Result<_, _>>()?;
    found.extend(person.leads.iter().filter_map(|lead| lead.visitor_id.clone()));
    Ok(found)
}

/// The addresses from which their submissions came, as far as those are still known.
///
/// # Errors
/// Where the database fails.
pub async fn ips(reader: &Reader, workspace: WorkspaceId, person: &Person) -> Result<BTreeSet<String>, Error> {
    // By `lead_submissions_of_lead`, then by the primary key of the captures.
    let sql = format!(
        "SELECT DISTINCT c.ip FROM lead_submissions AS s JOIN lead_captures AS c ON c.submission_id = s.id
         WHERE s.lead_id IN {} AND s.workspace_id = $2 AND c.ip IS NOT NULL LIMIT $3",
        reader.dialect().id_list(1)
    );
    let [workspace, most] = params![workspace, MOST];
    let rows = reader.query(&sql, &[json_set(&person.lead_ids()), workspace, most]).await?;
    rows.iter().map(|row| row.get("ip")).collect()
}

/// The contact of a lead.
///
/// # Errors
/// Where the database fails.
pub async fn contact_of(reader: &Reader, workspace: WorkspaceId, lead: LeadId) -> Result<Option<ContactId>, Error> {
    let sql = "SELECT contact_id FROM leads WHERE id = $1 AND workspace_id = $2";
    let row = reader.query_one(sql, &params![lead, workspace]).await?;
    row.map(|row| row.get("contact_id")).transpose()
}

/// Whether there is such a contact, deleted or not.
///
/// # Errors
/// Where the database fails.
pub async fn is_there(reader: &Reader, workspace: WorkspaceId, contact: ContactId) -> Result<bool, Error> {
    let sql = "SELECT id FROM contacts WHERE id = $1 AND workspace_id = $2";
    Ok(reader.query_one(sql, &params![contact, workspace]).await?.is_some())
}
