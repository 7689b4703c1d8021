//! What PostgreSQL's planner knows of tables that have just grown.
//!
//! It looks at a table by itself about a minute after a tenth of it is new. A job brings far more in that minute, and
//! until then the planner takes the table for as small as it was: it reads all rows of a workspace, or of a job, for each
//! step that puts two hundred of them back. SQLite plans by the indexes alone, and needs none of this.

use crate::{Dialect, Store, sql::Error};

/// The tables that a job over leads, or a campaign, fills or empties.
const GROWING: [&str; 11] = [
    "contacts",
    "identities",
    "leads",
    "lead_tags",
    "lead_submissions",
    "lead_captures",
    "lead_activities",
    "lead_scores",
    "events",
    "job_results",
    "campaign_recipients",
];

/// Lets the planner look at the tables that jobs fill, each in a transaction of its own: some 30,000 rows of each.
///
/// # Errors
/// Where the database fails.
pub async fn refresh(store: &Store) -> Result<(), Error> {
    if store.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    for table in GROWING {
        let mut tx = store.begin().await?;
        tx.execute(&format!("ANALYZE {table}"), &[]).await?;
        tx.commit().await?;
    }
    Ok(())
}
