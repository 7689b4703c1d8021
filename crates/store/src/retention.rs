//! Deleting what has lived long enough, class by class and workspace by workspace, and counting what would go.
//!
//! Each class goes by when its rows came or ended, and by an index of the workspace over that time: how long they are
//! kept may change, so no row says when it ends.

use leadline_domain::{ids::WorkspaceId, retention::Class, time::Timestamp};

use crate::{
    audit, deliveries,
    sql::{COUNT_CAP, Error, Reader, Tx, params},
};

/// Deliveries that are looked at to count those that would go.
const LOOKED_AT: i64 = 2 * COUNT_CAP;

/// Deletes up to `limit` rows of a class from before a time in each of its tables, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn delete_before(
    tx: &mut Tx,
    workspace: WorkspaceId,
    class: Class,
    before: Timestamp,
    limit: i64,
) -> Result<u64, Error> {
    let values = params![workspace, before, limit];
    match class {
        Class::Captures => {
            // By `lead_captures_of_workspace`.
            let captures = "DELETE FROM lead_captures WHERE submission_id IN
                            (SELECT submission_id FROM lead_captures WHERE workspace_id = $1 AND captured_at <= $2
                             ORDER BY captured_at LIMIT $3)";
            let refused = format!("DELETE FROM refused_requests WHERE id IN (SELECT r.id {REFUSED} LIMIT $3)");
            Ok(tx.execute(captures, &values).await? + tx.execute(&refused, &values).await?)
        }
        Class::Quarantine => {
            // By `quarantine_of_workspace`.
            let sql = "DELETE FROM quarantine WHERE id IN
                       (SELECT id FROM quarantine WHERE workspace_id = $1 AND received_at <= $2
                        ORDER BY received_at, id LIMIT $3)";
            tx.execute(sql, &values).await
        }
        Class::BlockedRequests => {
            // By `blocked_ip_leads_of_workspace`.
            let sql = "DELETE FROM blocked_ip_leads WHERE id IN
                       (SELECT id FROM blocked_ip_leads WHERE workspace_id = $1 AND attempted_at <= $2
                        ORDER BY attempted_at, id LIMIT $3)";
            tx.execute(sql, &values).await
        }
        Class::Deliveries => {
            // By `deliveries_of_workspace`: an index by time of finish would be written with every delivery to be read
            // once an hour.
            let sql = "SELECT id FROM deliveries WHERE workspace_id = $1 AND created_at < $2
                       AND state IN ('delivered', 'cancelled', 'skipped') AND finished_at < $2
                       ORDER BY created_at LIMIT $3";
            deliveries::delete_found(tx, sql, &values).await
        }
        Class::DeadLetters => {
            // By `deliveries_dead`.
            let sql = "SELECT id FROM deliveries WHERE workspace_id = $1 AND state = 'dead' AND finished_at < $2
                       ORDER BY finished_at LIMIT $3";
            deliveries::delete_found(tx, sql, &values).await
        }
        Class::Audit => audit::delete_before(tx, workspace, before, limit).await,
    }
}

/// How many rows there are, as far as they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// So many, up to 10,000.
    pub n: i64,
    /// Whether there are more.
    pub is_capped: bool,
}

/// How many rows of a class are from before a time, as far as they are counted. Of deliveries a bounded number is
/// looked at, the oldest first.
///
/// # Errors
/// Where the database fails.
pub async fn count_before(
    reader: &Reader,
    workspace: WorkspaceId,
    class: Class,
    before: Timestamp,
) -> Result<Count, Error> {
    let n = counted_before(reader, workspace, class, before).await?;
    Ok(Count { n: n.min(COUNT_CAP), is_capped: n > COUNT_CAP })
}

async fn counted_before(
    reader: &Reader,
    workspace: WorkspaceId,
    class: Class,
    before: Timestamp,
) -> Result<i64, Error> {
    let rows = match class {
        Class::Captures => {
            let captures = "SELECT 1 AS one FROM lead_captures WHERE workspace_id = $1 AND captured_at <= $2 LIMIT $3";
            let captures = count(reader, captures, workspace, before, COUNT_CAP + 1).await?;
            let refused = format!("SELECT 1 AS one {REFUSED} LIMIT $3");
            let refused = count(reader, &refused, workspace, before, COUNT_CAP + 1).await?;
            return Ok(captures + refused);
        }
        Class::Quarantine => "SELECT 1 AS one FROM quarantine WHERE workspace_id = $1 AND received_at <= $2 LIMIT $3",
        Class::BlockedRequests => {
            "SELECT 1 AS one FROM blocked_ip_leads WHERE workspace_id = $1 AND attempted_at <= $2 LIMIT $3"
        }
        Class::Deliveries => {
            let rows = "SELECT 1 AS one FROM
                        (SELECT state, finished_at FROM deliveries WHERE workspace_id = $1 AND created_at < $2
                         ORDER BY created_at LIMIT $3) AS oldest
                        WHERE state IN ('delivered', 'cancelled', 'skipped') AND finished_at < $2";
            return count(reader, rows, workspace, before, LOOKED_AT).await;
        }
        Class::DeadLetters => {
            "SELECT 1 AS one FROM deliveries WHERE workspace_id = $1 AND state = 'dead' AND finished_at < $2 LIMIT $3"
        }
        Class::Audit => "SELECT 1 AS one FROM audit_entries WHERE workspace_id = $1 AND created_at < $2 LIMIT $3",
    };
    count(reader, rows, workspace, before, COUNT_CAP + 1).await
}

async fn count(
    reader: &Reader,
    rows: &str,
    workspace: WorkspaceId,
    before: Timestamp,
    limit: i64,
) -> Result<i64, Error> {
    let sql = format!("SELECT count(*) AS n FROM ({rows}) AS counted");
    reader.count(&sql, &params![workspace, before, limit]).await
}

/// By `sources_of_workspace` and `refused_requests_of_source`.
const REFUSED: &str = "FROM sources s JOIN refused_requests r ON r.source_id = s.id AND r.received_at <= $2
                       WHERE s.workspace_id = $1";
