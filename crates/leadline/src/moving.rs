//! `leadline move`: everything into another database. The old one is read and never written.
//!
//! Nobody may write meanwhile, or what they wrote would be left behind: the data folder's lock shows that no server runs
//! on it, and at the end SQLite itself is asked whether anybody wrote since the first row was read.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::{Context, bail};
use leadline_engine::{
    capture::spool,
    seal::{Keys, check},
};
use leadline_store::{
    Dialect, Durability, Store, backup,
    copying::{self, Origin, Purpose, Shape, Source, Sums, Target},
    sealed,
};

use crate::{
    Exit, address,
    backup::{parent, publish, remove_if_there},
    cli::MoveRequest,
    config::{Config, Misconfigured},
    progress::{Progress, grouped},
    secret_key, serve,
};

/// Moves everything.
pub(crate) async fn move_to(config: &Config, wanted: MoveRequest) -> anyhow::Result<Exit> {
    let (from, to) = (kind("database-url", &config.database_url)?, kind("--to", &wanted.to)?);
    if from == to {
        let text = "is of the same kind as the database that is in use; take a backup, and restore it there";
        return Err(Misconfigured::new("--to", text).into());
    }
    if !config.data_dir.is_dir() {
        let text = format!("there is no folder {}", config.data_dir.display());
        return Err(Misconfigured::new("data-dir", text).into());
    }
    let _nobody_serves_here = serve::lock(&config.data_dir).context("stop it, then run this again")?;
    let mut source = Source::open(&config.database_url).await.context("the database that is moved cannot be read")?;
    let shape = source.current_shape().await.context("the database that is moved cannot be moved as it is")?;
    let keys = keys_of(config, &mut source).await?;
    let sums = match to {
        Dialect::Postgres => into_postgres(config, &wanted, source, &shape, keys.as_ref()).await?,
        Dialect::Sqlite => into_file(config, &wanted.to, source, &shape).await?,
    };
    if wanted.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({"tables": sums}))?);
    }
    say(config, &wanted.to, &sums)?;
    Ok(Exit::Done)
}

fn kind(option: &str, url: &str) -> Result<Dialect, Misconfigured> {
    if url.starts_with("sqlite:") {
        return Ok(Dialect::Sqlite);
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Dialect::Postgres);
    }
    // What it is stays unsaid: there may be a password in it.
    Err(Misconfigured::new(option, "an address begins with postgres:// or sqlite://"))
}

/// The keys of the installation, which must be those that a database was written with.
pub(crate) async fn keys_of(config: &Config, source: &mut Source) -> anyhow::Result<Option<Keys>> {
    let found = secret_key::find(config.secret_key.as_deref(), &config.data_dir)?;
    let Some(written_with) = source.key_check().await? else { return Ok(found.map(|found| found.keys)) };
    let Some(found) = found else {
        let text = "is missing, and the database was written with one: put it back as this file, or in the variable \
                    LEADLINE_SECRET_KEY";
        return Err(Misconfigured::new(config.data_dir.join("secret.key").display().to_string(), text).into());
    };
    if let Err(refused) = check::fits(&found.keys, &written_with) {
        return Err(Misconfigured::new(found.place.to_string(), refused.to_string()).into());
    }
    Ok(Some(found.keys))
}

async fn into_postgres(
    config: &Config,
    wanted: &MoveRequest,
    mut source: Source,
    shape: &Shape,
    keys: Option<&Keys>,
) -> anyhow::Result<Sums> {
    let origin = origin(&backup::sqlite_path(&config.database_url)?)?;
    let purpose = if wanted.restart { Purpose::Restart } else { Purpose::Continue };
    let target = Target::prepare(&wanted.to, shape, &origin, purpose).await;
    let mut target = target.with_context(|| format!("{} cannot be filled", address::shown(&wanted.to)))?;
    if target.goes_on() {
        eprintln!("A move was begun before; it goes on where it stood.");
    }
    let sums = fill(&mut target, &mut source, shape, None).await?;
    tell_replaced(&source);
    if !source.close().await? {
        bail!(copying::CopyError::ChangedMeanwhile);
    }
    tell_unopened(&wanted.to, keys).await?;
    target.end().await?;
    Ok(sums)
}

/// Copies everything, and makes a database of it. Where it is known what it must add up to, it does.
pub(crate) async fn fill(
    target: &mut Target,
    source: &mut Source,
    shape: &Shape,
    expected: Option<&Sums>,
) -> anyhow::Result<Sums> {
    let mut progress = Progress::of(&source.sizes(shape).await?);
    let filled = target.fill(source, &mut |step| progress.tell(step)).await;
    progress.end();
    let sums = filled.context("not everything could be copied; run this again, and it goes on where it stood")?;
    if let Some(expected) = expected {
        copying::compare(expected, &sums)?;
    }
    let finished = target.finish(source, &sums, &mut |step| progress.tell(step)).await;
    progress.end();
    finished.context("the copy could not be finished; run this again, and it goes on where it stood")?;
    Ok(sums)
}

/// What tells whether the file is as it was when a move that was cut off began.
fn origin(path: &Path) -> anyhow::Result<Origin> {
    let state = |path: &Path| match fs::metadata(path) {
        Ok(file) if file.len() > 0 => Ok(format!("{}:{}.{:09}", file.len(), file.mtime(), file.mtime_nsec())),
        // An empty log is none: whoever only reads makes one.
        Ok(_) => Ok(String::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Ok(Origin(format!("sqlite {} {}", state(path)?, state(Path::new(&log))?)))
}

pub(crate) fn tell_replaced(source: &Source) {
    let replaced = source.replaced();
    if replaced > 0 {
        eprintln!(
            "{} texts had the character U+0000, which PostgreSQL cannot hold; U+FFFD stands there in its place.",
            grouped(replaced)
        );
    }
}

/// What no key opens was lost before; that it is so is said, and moves on as it is.
pub(crate) async fn tell_unopened(url: &str, keys: Option<&Keys>) -> anyhow::Result<()> {
    let Some(keys) = keys else { return Ok(()) };
    let store = Store::connect(url, Durability::Full).await?;
    let unopened = check::list_unopened(&store, keys).await;
    store.close().await;
    for (place, id) in unopened.context("what is sealed cannot be read again")? {
        eprintln!("No key opens this, and none did before: {}.{} of {id}", place.table, place.column);
    }
    Ok(())
}

async fn into_file(config: &Config, to: &str, mut source: Source, shape: &Shape) -> anyhow::Result<Sums> {
    let store = Store::connect(&config.database_url, Durability::Full).await?;
    let others = sealed::count_other_connections(&store.reader()).await;
    store.close().await;
    // One of them is the snapshot's.
    if others.context("the database that is moved cannot be read")? > 1 {
        bail!("other Leadline processes are connected to the database that is moved: stop all of them");
    }
    let path = backup::sqlite_path(to)?;
    if fs::symlink_metadata(&path).is_ok() {
        let text = format!("{} is there already, and is not written over", path.display());
        return Err(Misconfigured::new("--to", text).into());
    }
    if !parent(&path).is_dir() {
        return Err(Misconfigured::new("--to", format!("there is no folder {}", parent(&path).display())).into());
    }
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    remove_if_there(unfinished)?;
    let written = write(&mut source, shape, unfinished).await;
    if written.is_err() {
        remove_if_there(unfinished)?;
    }
    let sums = written?;
    source.close().await?;
    publish(unfinished, &path)?;
    Ok(sums)
}

async fn write(source: &mut Source, shape: &Shape, path: &Path) -> anyhow::Result<Sums> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut progress = Progress::of(&source.sizes(shape).await?);
    let written = copying::write_file(source, shape, path, &mut |step| progress.tell(step)).await;
    let indexed = copying::build_search_index(path, &mut |step| progress.tell(step)).await;
    progress.end();
    let sums = written?;
    indexed?;
    Ok(sums)
}

fn say(config: &Config, to: &str, sums: &Sums) -> anyhow::Result<()> {
    let rows = sums.values().map(|sum| sum.rows).sum();
    let leads = sums.get("leads").map_or(0, |sum| sum.rows);
    eprintln!(
        "Moved: {} leads, {} rows in all. Everything was read again and is the same on both sides.",
        grouped(leads),
        grouped(rows)
    );
    let folder = config.data_dir.join("spool");
    if !spool::files(&folder).context("the spool cannot be read")?.is_empty() {
        eprintln!(
            "{} holds submissions: they are stored in the new database when the server starts.",
            folder.display()
        );
    }
    eprintln!(
        "Start the server with LEADLINE_DATABASE_URL set to {} and the same data folder and key. The old database is as \
         it was: keep it until you are content, then delete it, since it holds what people told of themselves.",
        address::shown(to)
    );
    Ok(())
}
