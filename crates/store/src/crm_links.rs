//! Where leads stand in the systems that they were sent to, as those told us: a row for each lead and destination.

use leadline_domain::{
    crm_links::CrmLink,
    ids::{DeliveryId, DestinationId, LeadId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, IntoParam, Reader, Row, Tx, params};

/// What a delivery took where.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `deliveries` and `destinations` under their own names")]
pub struct Target {
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub destination_id: DestinationId,
    pub destination_name: String,
}

/// What is known of a lead's place in one system.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `crm_links` under their own names")]
pub struct StoredLink {
    pub destination_id: DestinationId,
    pub destination_name: String,
    pub link: CrmLink,
    /// How often it changed.
    pub change_count: i64,
    pub updated_at: Timestamp,
}

/// Whether there is a delivery of this id, about a lead. Whoever knows the id was sent it, so there is no workspace to
/// ask for.
///
/// # Errors
/// Where the database fails.
pub async fn has_target(reader: &Reader, delivery: DeliveryId) -> Result<bool, Error> {
    let sql = "SELECT 1 AS one FROM deliveries WHERE id = $1 AND lead_id IS NOT NULL";
    Ok(reader.query_one(sql, &params![delivery]).await?.is_some())
}

/// What a delivery took where, kept from changing until the end of the transaction, so that two calls about it come one
/// after the other. Nothing where there is no such delivery, or it is about no lead.
///
/// # Errors
/// Where the database fails.
pub async fn lock_target(tx: &mut Tx, delivery: DeliveryId) -> Result<Option<Target>, Error> {
    let sql = format!(
        "SELECT workspace_id, lead_id, destination_id,
             (SELECT name FROM destinations AS t WHERE t.id = deliveries.destination_id) AS destination_name
         FROM deliveries WHERE id = $1 AND lead_id IS NOT NULL {}",
        tx.dialect().for_update()
    );
    let found = tx.query_one(&sql, &params![delivery]).await?;
    found
        .map(|row| {
            Ok(Target {
                workspace_id: row.get("workspace_id")?,
                lead_id: row.get("lead_id")?,
                destination_id: row.get("destination_id")?,
                destination_name: row.get("destination_name")?,
            })
        })
        .transpose()
}

/// What is known of a lead's place where it was taken.
///
/// # Errors
/// Where the database fails.
pub async fn find(tx: &mut Tx, target: &Target) -> Result<Option<StoredLink>, Error> {
    let sql = format!("{SELECT} WHERE c.lead_id = $1 AND c.destination_id = $2 AND c.workspace_id = $3");
    let values = params![target.lead_id, target.destination_id, target.workspace_id];
    tx.query_one(&sql, &values).await?.as_ref().map(read).transpose()
}

/// Writes what is known of a lead's place. Two deliveries to one destination may do so at once, so what is not told
/// here stays as it is.
///
/// # Errors
/// Where the database fails.
pub async fn save(
    tx: &mut Tx,
    target: &Target,
    delivery: DeliveryId,
    link: &CrmLink,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO crm_links (lead_id, destination_id, workspace_id, delivery_id, crm_lead_id, crm_lead_url,
                   execution_url, change_count, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)
               ON CONFLICT (lead_id, destination_id) DO UPDATE SET delivery_id = excluded.delivery_id,
                   crm_lead_id = coalesce(excluded.crm_lead_id, crm_links.crm_lead_id),
                   crm_lead_url = coalesce(excluded.crm_lead_url, crm_links.crm_lead_url),
                   execution_url = coalesce(excluded.execution_url, crm_links.execution_url),
                   change_count = crm_links.change_count + 1, updated_at = excluded.updated_at";
    let values = params![
        target.lead_id,
        target.destination_id,
        target.workspace_id,
        delivery,
        link.crm_lead_id,
        link.crm_lead_url,
        link.execution_url,
        now,
    ];
    tx.execute(sql, &values).await.map(drop)
}

/// A lead is in this many systems at most, as far as a screen shows them.
const MOST_SHOWN: i64 = 50;

/// Where a lead stands elsewhere, the latest news first. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, lead: LeadId) -> Result<Vec<StoredLink>, Error> {
    let sql = format!(
        "{SELECT} WHERE c.lead_id = $1 AND c.workspace_id = $2 ORDER BY c.updated_at DESC, c.destination_id LIMIT $3"
    );
    let rows = reader.query(&sql, &[lead.param(), workspace.param(), MOST_SHOWN.param()]).await?;
    rows.iter().map(read).collect()
}

const SELECT: &str = "SELECT c.destination_id, t.name AS destination_name, c.crm_lead_id, c.crm_lead_url, \
                      c.execution_url, c.change_count, c.updated_at \
                      FROM crm_links AS c JOIN destinations AS t ON t.id = c.destination_id";

fn read(row: &Row) -> Result<StoredLink, Error> {
    Ok(StoredLink {
        destination_id: row.get("destination_id")?,
        destination_name: row.get("destination_name")?,
        link: CrmLink {
            crm_lead_id: row.get("crm_lead_id")?,
            crm_lead_url: row.get("crm_lead_url")?,
            execution_url: row.get("execution_url")?,
        },
        change_count: row.get("change_count")?,
        updated_at: row.get("updated_at")?,
    })
}
