//! Hints between nodes, over PostgreSQL's `NOTIFY`. On SQLite there is one node, and nobody to tell.
//!
//! Hints are lost without harm: a node that reconnects has missed some, and its screens ask by themselves from time to
//! time.

use sea_orm::sqlx::postgres::PgListener;
use tokio::time::timeout;

use crate::{
    Store, WAIT,
    dialect::Dialect,
    sql::{Error, Tx, params},
};

const CHANNEL: &str = "leadline_live";

/// What PostgreSQL takes in one notification, with room to spare.
pub const LARGEST_BYTES: usize = 7_000;

/// Tells the other nodes when the transaction commits. `text` is at most [`LARGEST_BYTES`].
///
/// # Errors
/// Where the database fails.
pub async fn publish(tx: &mut Tx, text: &str) -> Result<(), Error> {
    match tx.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => {
            tx.query("SELECT pg_notify($1, $2)::text AS done", &params![CHANNEL, text]).await.map(drop)
        }
    }
}

/// Hears what nodes publish, its own node included. Reconnects by itself.
pub struct Listener(PgListener);

impl Listener {
    /// A listener, or `None` on SQLite.
    ///
    /// # Errors
    /// Where PostgreSQL cannot be reached.
    pub async fn open(store: &Store) -> Result<Option<Self>, Error> {
        if store.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let connect = async {
            let mut listener = PgListener::connect(store.url()).await?;
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        let listener = timeout(WAIT, connect).await.map_err(|_elapsed| Error::TimedOut)?.map_err(failed)?;
        Ok(Some(Self(listener)))
    }

    /// The next hint.
    ///
    /// # Errors
    /// Where the connection is gone; asking again connects again.
    pub async fn next(&mut self) -> Result<String, Error> {
        Ok(self.0.recv().await.map_err(failed)?.payload().to_owned())
    }
}

fn failed(error: sea_orm::sqlx::Error) -> Error {
    Error::Database(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))
}
