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

    /// What stands for `$1`, `$2`, …, shortened.
    #[must_use]
    pub fn params(&self) -> Vec<String> {
        let short = |param: &Param| format!("{param:?}").chars().take(PARAM_CHARS).collect();
        self.params.iter().map(short).collect()
    }
}

/// So much of a parameter is shown: a list of ids says nothing.
const PARAM_CHARS: usize = 200;

pub(crate) fn note(sql: &str, params: &[Param]) {
    // Nobody listens, unless somebody looks for plans.
    let _is_heard =
        ASKED.try_with(|asked| asked.borrow_mut().push(Asked { sql: sql.to_owned(), params: params.to_vec() }));
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
    const LARGE: [&str; 9] = [
        "leads",
        "contacts",
        "lead_submissions",
        "lead_activities",
        "lead_tags",
        "lead_stage_stays",
        "conversations",
        "messages",
        "attachments",
    ];
    let lines_with = |words: String| plan.iter().filter(|line| is_about(line, &words)).count();
    let is_scanned = |table: &&str| match dialect {
        // A strip of rows that was cut out of a table carries the table's name, and is read from end to end.
        Dialect::Sqlite => {
            let strips = lines_with(format!("CO-ROUTINE {table}")) + lines_with(format!("MATERIALIZE {table}"));
            lines_with(format!("SCAN {table}")) > strips
        }
        Dialect::Postgres => lines_with(format!("Seq Scan on {table}")) > 0,
    };
    LARGE.into_iter().filter(|table| is_scanned(table)).map(str::to_owned).collect()
}

/// Whether a line of a plan has these words, and no longer name at their end.
fn is_about(line: &str, words: &str) -> bool {
    line.split(words).nth(1).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::by_key(Dialect::Sqlite, &["SEARCH leads USING INDEX leads_by_creation (workspace_id=?)"], &[])]
    #[case::a_strip(Dialect::Sqlite, &["CO-ROUTINE leads", "SEARCH leads USING INDEX x (a=?)", "SCAN leads"], &[])]
    #[case::all(Dialect::Sqlite, &["SCAN leads"], &["leads"])]
    #[case::in_an_order(Dialect::Sqlite, &["SCAN leads USING INDEX leads_by_name"], &["leads"])]
    #[case::below_a_strip(Dialect::Sqlite, &["CO-ROUTINE leads", "SCAN leads", "SCAN leads"], &["leads"])]
    #[case::a_longer_name(Dialect::Sqlite, &["SCAN lead_tags_of", "SCAN leads_few"], &[])]
    #[case::sequential(Dialect::Postgres, &["Limit", "  ->  Parallel Seq Scan on contacts"], &["contacts"])]
    #[case::with_another_name(Dialect::Postgres, &["  ->  Seq Scan on leads l"], &["leads"])]
    #[case::index(Dialect::Postgres, &["  ->  Index Scan using leads_by_name on leads"], &[])]
    fn reading_a_large_table_from_end_to_end_is_seen(
        #[case] dialect: Dialect,
        #[case] plan: &[&str],
        #[case] expected: &[&str],
    ) {
        let plan: Vec<String> = plan.iter().map(|line| (*line).to_owned()).collect();

        assert_eq!(full_scans(dialect, &plan), expected);
    }
}
