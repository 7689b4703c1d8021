//! Deliveries of which nothing is sent, and why: a conversion without a click is nobody's fault and no failure.

use leadline_domain::{ids::DeliveryId, time::Timestamp};
use serde::Serialize;

use super::books;
use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Tx, json_set},
};

/// A delivery of which nothing is sent.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// Which.
    pub id: DeliveryId,
    /// Why.
    pub reason: String,
}

const COLUMNS: Columns = &[("id", Kind::Id), ("reason", Kind::Text)];

/// Ends deliveries that were picked. They keep no payload, so that one that is replayed is looked at anew.
///
/// # Errors
/// Where the database fails.
pub async fn skip(tx: &mut Tx, rows: &[Skipped], now: Timestamp) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE deliveries SET state = 'skipped', leased_until = NULL, last_status = NULL, last_error = r.reason,
             finished_at = $2
         FROM {} WHERE deliveries.id = r.id AND deliveries.state = 'pending' RETURNING {}",
        tx.dialect().set(1, COLUMNS),
        books::ENTRY
    );
    let ended = tx.query(&sql, &[json_set(rows), now.param()]).await?;
    books::close(tx, &ended).await
}

/// Takes up again what was skipped and whose occasion has come again, as the rows have it now.
///
/// # Errors
/// Where the database fails.
pub(super) async fn take_up(tx: &mut Tx, rows: &[super::NewDelivery]) -> Result<(), Error> {
    let sql = format!(
        "SELECT deliveries.id, {} FROM deliveries WHERE id IN {} AND state = 'skipped' ORDER BY id {}",
        books::ENTRY,
        tx.dialect().id_list(1),
        tx.dialect().for_update(),
    );
    let ids: Vec<DeliveryId> = rows.iter().map(|row| row.id).collect();
    let before = tx.query(&sql, &[json_set(&ids)]).await?;
    if before.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE deliveries SET state = 'pending', event = r.event, event_id = r.event_id, last_error = NULL,
             finished_at = NULL, plan_attempt = 0, next_attempt_at = r.next_attempt_at, created_at = r.created_at
         FROM {} WHERE deliveries.id = r.id AND deliveries.state = 'skipped'",
        tx.dialect().set(1, super::DELIVERY_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await?;
    books::reopen(tx, &before).await
}
