//! `leadline import`: makes leads of a file, on the database and beside a running server. The work is a job like one that
//! somebody begins in the dashboard, so a server goes on with it where this process is stopped.

use std::{
    fs::File,
    io::{IsTerminal, Write},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use leadline_domain::{
    csv,
    ids::{ImportId, JobId, WorkspaceId},
    imports::{OnMatch, REFUSED_COLUMNS, Rule, Target},
};
use leadline_engine::{
    Actor, Background, Clock, Engine, Options, Parts,
    capture::{
        imports::{self, Chosen, Told, Upload, file::Hints, rows::Tally},
        seen_fields,
    },
    jobs::{self, Job, State},
};
use leadline_outbound::{Client, Guard};
use leadline_store::{
    Store,
    imports::{Import, blocks},
    jobs as stored_jobs, projects, workspaces,
};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::{
    Exit, admin,
    cli::NewImport,
    config::{Config, Misconfigured},
    secret_key, serve,
};

/// How long to wait where another process is at the job.
const PAUSE: Duration = Duration::from_millis(200);

/// Refused rows that are read at once.
const ROWS_AT_ONCE: i64 = 1_000;

/// Imports a file, or tells what would come of it.
pub(crate) async fn import(config: &Config, wanted: NewImport) -> anyhow::Result<Exit> {
    let file = File::open(&wanted.file).with_context(|| format!("{} cannot be opened", wanted.file.display()))?;
    let size_bytes = file.metadata()?.len();
    let store = admin::open(config).await?;
    let key_file = secret_key::load(config.secret_key.as_deref(), &config.data_dir)?;
    key_file.confirm(&store).await?;
    let workspace = workspaces::find_by_slug(&store.reader(), &wanted.workspace).await?;
    let workspace = workspace.with_context(|| format!("there is no workspace {:?}", wanted.workspace))?.id;
    // A spool belongs to one process, and this one puts nothing into it.
    let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
    let parts = Parts {
        store,
        client: Client::new(Guard::new(Vec::new())).context("the HTTP client cannot be made")?,
        keys: key_file.keys,
        clock: Clock::System,
        options: Options { data_dir: scratch.path().to_owned(), ..serve::options(config) },
    };
    let (engine, running) = Engine::start(parts, Background::Writers).context("the work cannot begin")?;
    let upload = Upload { file, name: wanted.file.display().to_string(), size_bytes };
    let result = run(&engine, workspace, upload, &wanted).await;
    running.stop().await;
    engine.store.clone().close().await;
    result
}

async fn run(engine: &Engine, workspace: WorkspaceId, upload: Upload, wanted: &NewImport) -> anyhow::Result<Exit> {
    let actor = Actor::system(workspace, "Command line");
    let chosen = chosen(&engine.store, workspace, wanted).await?;
    let told = Told {
        hints: Hints { encoding: wanted.encoding.clone(), delimiter: wanted.delimiter, sheet: wanted.sheet.clone() },
        has_header: wanted.header,
    };
    let import = imports::take_in(engine, &actor, upload, told).await?;
    let rules = match rules(&import, wanted.mapping.as_deref()) {
        Ok(rules) => rules,
        Err(error) => {
            imports::drop_file(engine, &actor, import.id).await?;
            return Err(error);
        }
    };
    let import = match imports::choose(engine, &actor, import.id, Some(rules), Some(chosen)).await {
        Ok(import) => import,
        Err(error) => {
            imports::drop_file(engine, &actor, import.id).await?;
            return Err(described(error));
        }
    };
    let import = if wanted.dry_run {
        imports::start_check(engine, &actor, import.id).await?
    } else {
        imports::start(engine, &actor, import.id).await?
    };
    let id = imports::job_shown(&import).context("the job is not there")?;
    let job = finish(engine, workspace, id).await?;
    seen_fields::write_seen(engine).await?;
    if let Some(path) = &wanted.errors {
        write_refused(engine, &import, path).await?;
    }
    if wanted.dry_run {
        imports::drop_file(engine, &actor, import.id).await?;
    }
    report(&import, &job, wanted);
    Ok(if job.state == State::Done { Exit::Done } else { Exit::Failed })
}

/// What was wrong with what somebody chose, in one line.
fn described(error: imports::ImportError) -> anyhow::Error {
    match error {
        imports::ImportError::Invalid(faults) => {
            let words: Vec<String> = faults.into_iter().map(|(field, words)| format!("{field} {words}")).collect();
            Misconfigured::new("--mapping", words.join("; ")).into()
        }
        other => other.into(),
    }
}

async fn chosen(store: &Store, workspace: WorkspaceId, wanted: &NewImport) -> anyhow::Result<Chosen> {
    let project = match wanted.project.as_deref() {
        None => None,
        Some(name) => {
            let all = projects::list(&store.reader(), workspace).await?;
            let found = all.iter().find(|project| project.name == name || project.id.to_string() == name);
            let names: Vec<&str> = all.iter().map(|project| project.name.as_str()).collect();
            let unknown = || Misconfigured::new("--project", format!("{name:?} is none of {}", names.join(", ")));
            Some(found.ok_or_else(unknown)?.id)
        }
    };
    let on_match = OnMatch::parse(&wanted.on_match).ok_or_else(|| {
        Misconfigured::new("--on-match", format!("{:?} is none of update, fill, skip", wanted.on_match))
    })?;
    Ok(Chosen {
        project,
        stage: None,
        tags: wanted.tag.clone(),
        on_match,
        tells_destinations: wanted.tell_destinations,
    })
}

/// What each column is for: as the mapping says, or as it is suggested.
fn rules(import: &Import, mapping: Option<&str>) -> anyhow::Result<Vec<Rule>> {
    let mut rules: Vec<Rule> = serde_json::from_value(import.rules.clone())?;
    let Some(mapping) = mapping else { return Ok(rules) };
    let text = if mapping.trim_start().starts_with('{') {
        mapping.to_owned()
    } else {
        std::fs::read_to_string(mapping).with_context(|| format!("{mapping} cannot be read"))?
    };
    let wrong = |what: String| Misconfigured::new("--mapping", what);
    let told: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| wrong(format!("is no JSON object of columns: {error}")))?;
    for (column, target) in told {
        let place = import.columns.iter().position(|name| *name == column);
        let place = place.ok_or_else(|| wrong(format!("the file has no column {column:?}")))?;
        let target = target.as_str().unwrap_or_default();
        rules[place] = rule(target).ok_or_else(|| wrong(format!("{column:?}: {target:?} is no target")))?;
    }
    Ok(rules)
}

/// `email`, or `custom:Budget`.
fn rule(text: &str) -> Option<Rule> {
    if let Some(name) = text.strip_prefix("custom:").map(str::trim).filter(|name| !name.is_empty()) {
        return Some(Rule::custom(name));
    }
    Target::parse(text).filter(|target| *target != Target::Custom).map(Rule::of)
}

/// Works until the job has ended, whoever does its steps.
async fn finish(engine: &Engine, workspace: WorkspaceId, id: JobId) -> anyhow::Result<Job> {
    let is_watched = std::io::stderr().is_terminal();
    loop {
        let has_stepped = jobs::step(engine).await.context("the database failed; a server goes on with the import")?;
        let job = stored_jobs::find(&engine.store.reader(), workspace, id).await?.context("the job is gone")?;
        if is_watched {
            eprint!("\r{} of {} rows", job.done, job.total);
            std::io::stderr().flush()?;
        }
        if job.finished_at.is_some() {
            if is_watched {
                eprintln!();
            }
            return Ok(job);
        }
        if !has_stepped {
            sleep(PAUSE).await;
        }
    }
}

async fn write_refused(engine: &Engine, import: &Import, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    let mut out = std::io::BufWriter::new(file);
    let names: Vec<&str> = import.columns.iter().map(String::as_str).chain(REFUSED_COLUMNS).collect();
    write!(out, "\u{feff}{}", csv::line(&names))?;
    let mut after = 0;
    loop {
        let rows = blocks::list_refused(&engine.store.reader(), import.id, after, ROWS_AT_ONCE).await?;
        let Some((last, _, _)) = rows.last() else { return Ok(out.flush()?) };
        after = *last;
        for (number, reason, mut cells) in rows {
            cells.resize(import.columns.len(), String::new());
            cells.extend([number.to_string(), reason]);
            out.write_all(csv::line(&cells).as_bytes())?;
        }
    }
}

fn report(import: &Import, job: &Job, wanted: &NewImport) {
    let tally: Tally =
        job.about.get("tally").and_then(|tally| serde_json::from_value(tally.clone()).ok()).unwrap_or_default();
    if wanted.json {
        println!("{}", as_json(import.id, job, &tally, wanted.dry_run));
        return;
    }
    if let Some(error) = &job.error {
        println!("stopped: {error}");
    }
    let would = if wanted.dry_run { "would be " } else { "" };
    let rows = [
        (tally.created, format!("{would}new leads")),
        (tally.updated, format!("{would}changes of leads that were there")),
        (tally.unchanged, "say nothing new".to_owned()),
        (tally.repeated, "are of the same lead as a row before them".to_owned()),
        (tally.refused, "make no lead".to_owned()),
    ];
    for (count, words) in rows {
        println!("{count:>9}  {words}");
    }
    for row in &tally.examples.refused {
        println!("           row {}: {}", row.row, row.reason);
    }
}

fn as_json(id: ImportId, job: &Job, tally: &Tally, is_dry_run: bool) -> Value {
    json!({
        "importId": id, "jobId": job.id, "dryRun": is_dry_run, "state": job.state.as_str(), "error": job.error,
        "rows": job.done, "tally": tally,
    })
}
