//! `leadline restore`: puts back what `leadline backup` wrote, into SQLite or PostgreSQL.
//!
//! The backup is read from end to end before anything is changed. Files go first and the database last, since it is the
//! database that makes it an installation: whoever is cut off runs it again.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use leadline_domain::time::Timestamp;
use leadline_engine::{
    capture::spool,
    seal::{Keys, check as keys},
};
use leadline_store::{
    Dialect, Durability, Store,
    backup::{self, Archive, Manifest},
    copying::{self, Origin, Purpose, Source, Target},
};

use crate::{
    Exit, address, admin,
    backup::{KEY, SPOOL, check, name_of, publish, remove_if_there},
    cli::RestoreRequest,
    config::{Config, Misconfigured},
    moving::{fill, tell_replaced, tell_unopened},
    progress::{Progress, grouped},
    secret_key, serve,
};

/// Restores a backup.
pub(crate) async fn restore(config: &Config, wanted: RestoreRequest) -> anyhow::Result<Exit> {
    let is_postgres = !config.database_url.starts_with("sqlite:");
    if wanted.restart && !is_postgres {
        return Err(
            Misconfigured::new("--restart", "is for PostgreSQL; on SQLite nothing is ever half restored").into()
        );
    }
    let mut archive = Archive::open(&wanted.from).await?;
    let manifest = archive.manifest.clone();
    let damaged = || format!("{} is not what it was; nothing was changed", wanted.from.display());
    check(&wanted.from, &manifest).await.with_context(damaged)?;
    secret_key::make_data_dir(&config.data_dir)?;
    let _nobody_serves_here = serve::lock(&config.data_dir).context("stop it, then run this again")?;
    let keys = restore_key(config, &mut archive, &wanted.from).await?;
    let now = admin::now();
    if is_postgres {
        // It refuses what it cannot fill before files are touched.
        let target = prepare(config, &wanted, &manifest).await?;
        restore_spool(config, &mut archive, &manifest, wanted.replace, now).await?;
        into_postgres(config, &wanted, &manifest, target, keys.as_ref()).await?;
    } else {
        let path = backup::sqlite_path(&config.database_url)?;
        refuse_what_is_there(&path, wanted.replace).await?;
        restore_spool(config, &mut archive, &manifest, wanted.replace, now).await?;
        into_file(&wanted.from, &path, &manifest, now).await?;
    }
    archive.close().await?;
    say(config, &manifest, keys.is_some());
    Ok(Exit::Done)
}

/// The key of this installation, which must be the one that the backup was written with. Where there is none, the one
/// in the backup is put there.
async fn restore_key(config: &Config, archive: &mut Archive, from: &Path) -> anyhow::Result<Option<Keys>> {
    let mut source = Source::open_file(from).await?;
    let written_with = source.key_check().await?;
    source.close().await?;
    let mut found = secret_key::find(config.secret_key.as_deref(), &config.data_dir)?;
    if found.is_none() && archive.manifest.has_key {
        let content = archive.read(KEY).await?;
        write_new(&config.data_dir.join(KEY), &content)?;
        found = secret_key::find(None, &config.data_dir)?;
    }
    let (Some(found), Some(written_with)) = (&found, written_with) else { return Ok(found.map(|found| found.keys)) };
    if let Err(refused) = keys::fits(&found.keys, &written_with) {
        let text = format!("{refused}. Nothing was restored. Put the key of the backup's time there");
        return Err(Misconfigured::new(found.place.to_string(), text).into());
    }
    Ok(Some(found.keys.clone()))
}

fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    remove_if_there(&unfinished)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    publish(&unfinished, path)
}

/// Puts the spool's files back. What is in a spool is nowhere else, so none is written over.
async fn restore_spool(
    config: &Config,
    archive: &mut Archive,
    manifest: &Manifest,
    replace: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let folder = config.data_dir.join("spool");
    let mut files = Vec::new();
    for full in manifest.files.keys().filter(|name| name.starts_with(SPOOL)) {
        let name = full.strip_prefix(SPOOL).unwrap_or_default();
        // It becomes a path.
        if !spool::is_file_name(name) {
            bail!("the backup names a file that no spool has: {full:?}");
        }
        files.push((folder.join(name), archive.read(full).await?));
    }
    let is_the_same = |path: &PathBuf| {
        files.iter().any(|(ours, content)| ours == path && fs::read(path).is_ok_and(|there| there == *content))
    };
    let strangers = spool::files(&folder)?.iter().any(|path| !is_the_same(path));
    if strangers && !replace {
        let text = format!(
            "{} holds submissions that are nowhere else: start the server on its own database once, or keep them aside \
             with --replace",
            folder.display()
        );
        bail!(text);
    }
    if strangers {
        let aside = config.data_dir.join(format!("spool.before-{}", now.0));
        fs::rename(&folder, &aside).with_context(|| format!("{} cannot be kept", folder.display()))?;
        eprintln!("What was in the spool is in {} now.", aside.display());
    }
    if !files.is_empty() {
        fs::create_dir_all(&folder)?;
    }
    for (path, content) in &files {
        write_new(path, content)?;
    }
    Ok(())
}

/// That no database is in the way, or that it may be.
async fn refuse_what_is_there(path: &Path, replace: bool) -> anyhow::Result<()> {
    let is_there = fs::metadata(path).is_ok_and(|file| file.len() > 0);
    if !is_there || replace {
        return Ok(());
    }
    let is_empty = async {
        let mut source = Source::open_file(path).await?;
        let shape = source.shape().await?;
        let is_empty = source.is_empty(&shape).await?;
        source.close().await?;
        Ok::<_, copying::CopyError>(is_empty)
    };
    if is_empty.await.unwrap_or(false) {
        return Ok(());
    }
    bail!(
        "{} is not empty; with --replace it is kept under another name, and the backup takes its place",
        path.display()
    )
}

async fn into_file(from: &Path, path: &Path, manifest: &Manifest, now: Timestamp) -> anyhow::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    remove_if_there(&unfinished)?;
    let made = make_file(from, &unfinished, manifest).await;
    if made.is_err() {
        remove_if_there(&unfinished)?;
    }
    made.with_context(|| format!("{} cannot be written", path.display()))?;
    if fs::symlink_metadata(path).is_ok() {
        backup::fold_log(path).await.context("the database that is there cannot be put aside")?;
        let aside = path.with_extension(format!("db.before-{}", now.0));
        // A second name first, so that at any moment one of the two databases has the right one.
        fs::hard_link(path, &aside).with_context(|| format!("{} cannot be kept", path.display()))?;
        eprintln!("The database that was there is {} now.", aside.display());
    }
    // A log that belongs to another file would be taken for this one's.
    for end in ["-wal", "-shm"] {
        let mut log = path.as_os_str().to_owned();
        log.push(end);
        remove_if_there(Path::new(&log))?;
    }
    publish(&unfinished, path)
}

async fn make_file(from: &Path, into: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(into)?;
    fs::copy(from, into)?;
    fs::set_permissions(into, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    backup::unpack(into).await?;
    if manifest.database == name_of(Dialect::Postgres) {
        let mut progress = Progress::of(&[]);
        let built = copying::build_search_index(into, &mut |step| progress.tell(step)).await;
        progress.end();
        built?;
    }
    Ok(())
}

async fn prepare(config: &Config, wanted: &RestoreRequest, manifest: &Manifest) -> anyhow::Result<Target> {
    let source = Source::open_file(&wanted.from).await?;
    let shape = source.shape().await?;
    source.close().await?;
    let purpose = match (wanted.replace, wanted.restart) {
        (true, _) => Purpose::Replace,
        (false, true) => Purpose::Restart,
        (false, false) => Purpose::Continue,
    };
    let origin = Origin(format!("backup {}", manifest.id));
    let target = Target::prepare(&config.database_url, &shape, &origin, purpose).await;
    let target = target.with_context(|| format!("{} cannot be filled", address::shown(&config.database_url)))?;
    if target.goes_on() {
        eprintln!("This was begun before; it goes on where it stood.");
    }
    Ok(target)
}

async fn into_postgres(
    config: &Config,
    wanted: &RestoreRequest,
    manifest: &Manifest,
    mut target: Target,
    keys: Option<&Keys>,
) -> anyhow::Result<()> {
    let mut source = Source::open_file(&wanted.from).await?;
    let shape = source.shape().await?;
    fill(&mut target, &mut source, &shape, Some(&manifest.tables)).await?;
    tell_replaced(&source);
    source.close().await?;
    tell_unopened(&config.database_url, keys).await?;
    target.end().await?;
    // A backup of an older version has older tables.
    let store = Store::open(&config.database_url, Durability::Full).await?;
    store.close().await;
    Ok(())
}

fn say(config: &Config, manifest: &Manifest, has_key: bool) {
    let rows = manifest.tables.values().map(|sum| sum.rows).sum();
    let leads = manifest.tables.get("leads").map_or(0, |sum| sum.rows);
    eprintln!("Restored: {} leads, {} rows in all, as of {}.", grouped(leads), grouped(rows), manifest.begun_at);
    if !has_key {
        eprintln!("Put the secret key of that time into {} before you start.", config.data_dir.join(KEY).display());
    }
}
