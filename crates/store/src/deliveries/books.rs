//! What the ledger is told of deliveries, in the transaction of the change. Only those that a submission made are
//! booked, in the quarter of an hour in which it was received: that is when their event was made.

use std::collections::HashSet;

use leadline_domain::{
    ids::{DeliveryId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};

use super::{NewDelivery, State};
use crate::{
    ledger::{self, Fact, Notes},
    sql::{Error, Row, Tx},
};

/// The columns that an entry is made of.
pub(super) const ENTRY: &str = "deliveries.workspace_id, deliveries.source_id, deliveries.submission_id,
    deliveries.created_at, deliveries.state";

/// Books deliveries that were made, and those of them that were made when they had arrived already.
pub(super) async fn open(tx: &mut Tx, rows: &[NewDelivery], new: &[DeliveryId]) -> Result<(), Error> {
    let new: HashSet<&DeliveryId> = new.iter().collect();
    let mut notes = Notes::default();
    for row in rows.iter().filter(|row| row.submission_id.is_some() && new.contains(&row.id)) {
        let received_at = Timestamp(row.created_at);
        notes.add(row.workspace_id, row.source_id, received_at, Fact::Owed, 1);
        if let Some(fact) = end(row.state) {
            notes.add(row.workspace_id, row.source_id, received_at, fact, 1);
        }
    }
    ledger::write(tx, &notes).await
}

/// Books deliveries that have come to an end, as their rows are now.
pub(super) async fn close(tx: &mut Tx, rows: &[Row]) -> Result<(), Error> {
    book(tx, rows, 1).await
}

/// Takes back the end of deliveries, as their rows were before.
pub(super) async fn reopen(tx: &mut Tx, rows: &[Row]) -> Result<(), Error> {
    book(tx, rows, -1).await
}

async fn book(tx: &mut Tx, rows: &[Row], n: i64) -> Result<(), Error> {
    let mut notes = Notes::default();
    for row in rows {
        let state: String = row.get("state")?;
        let fact = State::parse(&state).and_then(end);
        let submission: Option<SubmissionId> = row.get("submission_id")?;
        let (Some(fact), Some(_)) = (fact, submission) else { continue };
        let workspace: WorkspaceId = row.get("workspace_id")?;
        let source: Option<SourceId> = row.get("source_id")?;
        notes.add(workspace, source, row.get("created_at")?, fact, n);
    }
    ledger::write(tx, &notes).await
}

fn end(state: State) -> Option<Fact> {
    match state {
        State::Pending => None,
        State::Delivered => Some(Fact::Delivered),
        State::Dead => Some(Fact::Dead),
        State::Cancelled | State::Skipped => Some(Fact::Cancelled),
    }
}
