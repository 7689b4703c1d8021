//! Which statements readers send, and how the database goes about them.

use std::cell::RefCell;

use crate::{
    Dialect, Store,
    sql::{Error, Param},
};

tokio::task_local! {
    static ASKED: RefCell<Vec<Asked>>;
}

/// A statement that a reader sent.
#[derive(Debug, Clone)]
pub struct Asked {
    sql: String,
    params: Vec<Param>,
}

impl Asked {
    /// Its text, in one line.
    #[must_use]
    pub fn sql(&self) -> String {
        self.sql.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn note(sql: &str, params: &[Param]) {
    // Nobody listens, unless somebody looks for plans.
    let _is_heard = ASKED
        .try_with(|asked| asked.borrow_mut().push(Asked { sql: sql.to_owned(), params: params.to_vec() }));
}

/// The statements that some work sends through readers.
pub async fn asked_by<T>(work: impl Future<Output = T>) -> (T, Vec<Asked>) {
    ASKED
        .scope(RefCell::default(), async {
            let done = work.await;
            (done, ASKED.with(RefCell::take))
        })
        .await
}

/// How the database answers a statement, line by line.
///
/// # Errors
/// Where it cannot be asked.
pub async fn plan(store: &Store, asked: &Asked) -> Result<Vec<String>, Error> {
    let (explain, column) = match store.dialect() {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        Dialect::Postgres => ("EXPLAIN (COSTS OFF)", "QUERY PLAN"),
    };
    let rows = store.reader().query(&format!("{explain} {}", asked.sql), &asked.params).await?;
    rows.iter().map(|row| row.get(column)).collect()
}

/// The tables with very many rows that a plan reads from end to end.
#[must_use]
pub fn full_scans(dialect: Dialect, plan: &[String]) -> Vec<String> {
    const LARGE: [&str; 6] =
        ["leads", "contacts", "lead_submissions", "lead_activities", "lead_tags", "lead_stage_stays"];
    let of = |line: &String, words: &str| {
        let rest = line.split(words).nth(1)?;
        let table = rest.split_whitespace().next()?;
        LARGE.contains(&table).then(|| line.trim().to_owned())
    };
    let scans = plan.iter().filter_map(|line| match dialect {
        // A strip of rows that was cut out of a table before carries the table's name; it has no index to go by.
        Dialect::Sqlite => of(line, "SCAN "),
        Dialect::Postgres => of(line, "Seq Scan on "),
    });
    scans.collect()
}
