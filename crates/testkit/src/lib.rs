//! One harness for every test of behaviour: the whole application in the test's process, on SQLite or on PostgreSQL,
//! with a clock, receivers and failures of its own.
//!
//! A test says on which database it runs (`#[values(Db::Sqlite, Db::Postgres)]`), moves time with
//! [`TestApp::advance`], and lets events and deliveries go with [`TestApp::run_jobs`]; nothing happens by itself and
//! nothing waits. A missing PostgreSQL is a loud failure: `make test` starts one and sets
//! `LEADLINE_TEST_POSTGRES_URL`.

mod app;
mod receiver;
mod template;

pub use app::{Db, SECRET, TestApp};
pub use receiver::{Answer, Received, Receiver};
