//! `leadline verify`: accepted = stored = delivered. Looks at everything and changes nothing.

use std::path::Path;

use anyhow::Context;
use leadline_engine::capture::spool;
use leadline_store::{
    Store,
    verify::{self, Check},
};
use serde_json::json;

use crate::{Exit, config::Config};

/// Checks everything and prints what it found.
pub(crate) async fn verify(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let store = Store::connect(&config.database_url, config.durability).await;
    let store = store.context("the database cannot be opened")?;
    let mut checks = verify::run(&store.reader()).await.context("the database cannot be read")?;
    store.close().await;
    checks.push(spooled(&config.data_dir.join("spool"))?);
    let all_add_up = checks.iter().all(Check::adds_up);
    if as_json {
        println!("{}", json!({"ok": all_add_up, "checks": checks.iter().map(row).collect::<Vec<_>>()}));
    } else {
        print_table(&checks);
    }
    Ok(if all_add_up { Exit::Done } else { Exit::Failed })
}

fn spooled(folder: &Path) -> anyhow::Result<Check> {
    let waiting = if folder.exists() { spool::count_waiting(folder).context("the spool cannot be read")? } else { 0 };
    Ok(Check { name: "submissions still in the spool", wrong: i64::try_from(waiting).unwrap_or(i64::MAX), of: None })
}

fn row(check: &Check) -> serde_json::Value {
    json!({"name": check.name, "ok": check.adds_up(), "wrong": check.wrong, "of": check.of})
}

fn print_table(checks: &[Check]) {
    for check in checks {
        let sign = if check.adds_up() { "ok   " } else { "WRONG" };
        let of = check.of.map(|of| format!(" of {of}")).unwrap_or_default();
        println!("{sign}  {:>9}{of}  {}", check.wrong, check.name);
    }
}
