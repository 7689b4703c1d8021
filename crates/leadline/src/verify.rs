//! `leadline verify`: accepted = stored = delivered, given up, waiting or excluded by a rule. Looks at everything and
//! changes nothing. Where all is well it says so in one line.

use std::path::Path;

use anyhow::Context;
use leadline_engine::capture::spool;
use leadline_store::{
    Store,
    verify::{self, Check, Totals},
};
use serde_json::json;

use crate::{Exit, admin, config::Config};

/// Checks everything and prints what it found.
pub(crate) async fn verify(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let store = Store::connect(&config.database_url, config.durability).await;
    let store = store.context("the database cannot be opened")?;
    let report = verify::run(&store.reader(), admin::now()).await.context("the database cannot be read")?;
    store.close().await;
    let mut checks = report.checks;
    checks.extend(spooled(&config.data_dir.join("spool"))?);
    let all_add_up = checks.iter().all(Check::adds_up);
    if as_json {
        let totals = totals(report.totals);
        let checks: Vec<_> = checks.iter().map(row).collect();
        println!("{}", json!({"ok": all_add_up, "totals": totals, "checks": checks}));
    } else {
        checks.iter().filter(|check| !check.adds_up()).for_each(print_wrong);
        println!("{}", summary(report.totals, all_add_up));
    }
    Ok(if all_add_up { Exit::Done } else { Exit::Failed })
}

fn spooled(folder: &Path) -> anyhow::Result<[Check; 2]> {
    let there = folder.exists();
    let waiting = if there { spool::count_waiting(folder).context("the spool cannot be read")? } else { 0 };
    let refused = if there { spool::count_refused(folder).context("the spool cannot be read")? } else { 0 };
    let check = |name, wrong| {
        let wrong = i64::try_from(wrong).unwrap_or(i64::MAX);
        Check { name, wrong, of: None, examples: Vec::new() }
    };
    Ok([
        check("submissions still in the spool", waiting),
        check("submissions of the spool that the database refused", refused),
    ])
}

fn row(check: &Check) -> serde_json::Value {
    json!({
        "name": check.name, "ok": check.adds_up(), "wrong": check.wrong, "of": check.of, "examples": check.examples,
    })
}

fn totals(totals: Totals) -> serde_json::Value {
    let Totals { accepted, stored, excluded, erased, delivered, dead, pending, cancelled } = totals;
    json!({
        "accepted": accepted, "stored": stored, "excluded": excluded, "erased": erased,
        "deliveries": {"delivered": delivered, "pending": pending, "dead": dead, "cancelled": cancelled},
    })
}

fn print_wrong(check: &Check) {
    let of = check.of.map(|of| format!(" of {of}")).unwrap_or_default();
    println!("WRONG  {:>9}{of}  {}", check.wrong, check.name);
    for example in &check.examples {
        println!("           {example}");
    }
}

fn summary(totals: Totals, all_add_up: bool) -> String {
    let Totals { accepted, stored, excluded, erased, delivered, dead, pending, cancelled } = totals;
    let sign = if all_add_up { "ok" } else { "WRONG" };
    format!(
        "{sign}: {accepted} submissions accepted, {stored} stored, {excluded} excluded, {erased} erased; \
         deliveries: {delivered} delivered, {pending} pending, {dead} dead, {cancelled} cancelled"
    )
}
