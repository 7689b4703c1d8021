//! `leadline backup`: everything in one file, beside a running server; and whether such a file is whole.
//!
//! The spool is read before the database. What was acknowledged before that is in the one or the other: what leaves the
//! spool in between is in the database by then, and having both is harmless.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use leadline_domain::time::Timestamp;
use leadline_engine::capture::spool;
use leadline_store::{
    Dialect,
    backup::{self, Archive, FORMAT, FileSum, Manifest, NewArchive},
    copying::{self, Shape, Source, Sums},
};
use uuid::Uuid;

use crate::{
    Exit, admin,
    cli::{BackupCommand, BackupRequest},
    config::{Config, Misconfigured},
    progress::{Progress, grouped},
    secret_key,
};

/// What the key is called inside a backup.
pub(crate) const KEY: &str = "secret.key";

/// What stands before the name of each file of the spool.
pub(crate) const SPOOL: &str = "spool/";

/// How backups in a folder are called, around the time.
const PREFIX: &str = "leadline-";
const SUFFIX: &str = ".backup";

const UNFINISHED: &str = ".unfinished";

/// Makes a backup, or verifies one.
pub(crate) async fn backup(config: &Config, wanted: BackupRequest) -> anyhow::Result<Exit> {
    let to = match (&wanted.command, &wanted.to) {
        (Some(BackupCommand::Verify { file, json }), _) => return verify(file, *json).await,
        (None, Some(to)) => to,
        (None, None) => return Err(Misconfigured::new("--to", "is missing").into()),
    };
    let begun_at = admin::now();
    let place = Place::find(to, begun_at, wanted.keep)?;
    let made = make(config, &place, begun_at, wanted.include_key).await;
    place.clean_up()?;
    let manifest = made?;
    place.remove_older(wanted.keep)?;
    if wanted.json {
        println!("{}", serde_json::to_string_pretty(&manifest)?);
    } else {
        println!("{}", place.path.display());
    }
    say(&manifest, config, wanted.include_key);
    Ok(Exit::Done)
}

/// Reads a backup from end to end.
async fn verify(file: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let archive = Archive::open(file).await?;
    let manifest = archive.manifest.clone();
    archive.close().await?;
    check(file, &manifest).await.with_context(|| format!("{} is not what it was", file.display()))?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&manifest)?);
    } else {
        let Manifest { product, database, begun_at, .. } = &manifest;
        println!("ok: {}, made by {product} of {database} at {begun_at}", amount(&manifest));
    }
    Ok(Exit::Done)
}

/// That every page, row and file of a backup is as its manifest says.
pub(crate) async fn check(file: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let mut archive = Archive::open(file).await?;
    for name in manifest.files.keys() {
        archive.read(name).await?;
    }
    archive.close().await?;
    let mut source = Source::open_file(file).await?;
    source.check_pages().await?;
    let shape = source.shape().await?;
    let there = summed(&mut source, &shape).await?;
    source.close().await?;
    Ok(copying::compare(&manifest.tables, &there)?)
}

async fn summed(source: &mut Source, shape: &Shape) -> anyhow::Result<Sums> {
    let mut progress = Progress::of(&source.sizes(shape).await?);
    let sums = copying::sums(source, shape, &mut |step| progress.tell(step)).await;
    progress.end();
    Ok(sums?)
}

async fn make(config: &Config, place: &Place, begun_at: Timestamp, include_key: bool) -> anyhow::Result<Manifest> {
    let key = if include_key { Some(find_key(config)?) } else { None };
    let unfinished = place.unfinished();
    // Only its owner may read it, from its first byte on.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(|| format!("{} cannot be written", unfinished.display()))?;
    let spooled = copy_spool(config, place.folder())?;
    let database = write_database(config, &unfinished).await?;
    let mut archive = NewArchive::begin(&unfinished).await?;
    let mut files = BTreeMap::new();
    let kept = [(KEY.to_owned(), key)].into_iter().filter_map(|(name, content)| Some((name, content?)));
    for (name, content) in kept {
        files.insert(name.clone(), FileSum::of(&content));
        archive.add(&name, content).await?;
    }
    for path in spool::files(spooled.path())? {
        let name = format!("{SPOOL}{}", path.file_name().unwrap_or_default().to_string_lossy());
        let content = fs::read(&path)?;
        files.insert(name.clone(), FileSum::of(&content));
        archive.add(&name, content).await?;
    }
    let (dialect, shape, tables) = database;
    let manifest = Manifest {
        format: FORMAT,
        id: Uuid::now_v7(),
        product: env!("CARGO_PKG_VERSION").to_owned(),
        schema: shape.version(),
        database: name_of(dialect).to_owned(),
        begun_at,
        has_key: include_key,
        tables,
        files,
    };
    archive.finish(&manifest).await?;
    place.publish()?;
    Ok(manifest)
}

async fn write_database(config: &Config, into: &Path) -> anyhow::Result<(Dialect, Shape, Sums)> {
    let mut source = Source::open(&config.database_url).await.context("the database cannot be read")?;
    let dialect = source.dialect();
    let shape = source.current_shape().await.context("the database cannot be backed up with this version")?;
    if dialect == Dialect::Sqlite {
        source.close().await?;
        backup::copy_sqlite(&config.database_url, into).await.context("the database cannot be copied")?;
        let mut copy = Source::open_file(into).await?;
        let sums = summed(&mut copy, &shape).await?;
        copy.close().await?;
        return Ok((dialect, shape, sums));
    }
    let mut progress = Progress::of(&source.sizes(&shape).await?);
    let written = copying::write_file(&mut source, &shape, into, &mut |step| progress.tell(step)).await;
    progress.end();
    let sums = written.context("the database cannot be copied")?;
    source.close().await?;
    Ok((dialect, shape, sums))
}

pub(crate) fn name_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
    }
}

/// What is in the spool now, beside the backup, where there is room for it.
fn copy_spool(config: &Config, beside: &Path) -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix(".leadline-spool").tempdir_in(beside)?;
    for path in spool::files(&config.data_dir.join("spool")).context("the spool cannot be read")? {
        let copied = fs::copy(&path, folder.path().join(path.file_name().unwrap_or_default()));
        match copied {
            // Stored meanwhile, so it is in the database.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            copied => drop(copied.with_context(|| format!("{} cannot be copied", path.display()))?),
        }
    }
    Ok(folder)
}

fn find_key(config: &Config) -> anyhow::Result<Vec<u8>> {
    let found = secret_key::find(config.secret_key.as_deref(), &config.data_dir)?;
    let Some(key) = found else {
        return Err(Misconfigured::new("--include-key", "there is no secret key here").into());
    };
    Ok(format!("{}\n", key.keys.write_down("\n")).into_bytes())
}

fn amount(manifest: &Manifest) -> String {
    let rows = manifest.tables.values().map(|sum| sum.rows).sum();
    let leads = manifest.tables.get("leads").map_or(0, |sum| sum.rows);
    let files = manifest.files.keys().filter(|name| name.starts_with(SPOOL)).count();
    format!("{} leads, {} rows in all, {files} files of the spool", grouped(leads), grouped(rows))
}

fn say(manifest: &Manifest, config: &Config, has_key: bool) {
    eprintln!("Backed up: {}.", amount(manifest));
    if has_key {
        eprintln!("The secret key is in there: whoever has this file can open everything that is sealed in it.");
    } else if config.secret_key.is_some() {
        eprintln!("Keep {} beside it; it is not in there.", secret_key::VARIABLE);
    } else {
        eprintln!("Keep {} beside it; it is not in there.", config.data_dir.join(KEY).display());
    }
}

/// Where a backup goes.
struct Place {
    path: PathBuf,
    is_in_a_folder_of_backups: bool,
    /// One backup at a time into a folder, or a file.
    _alone: File,
}

impl Place {
    fn find(to: &Path, now: Timestamp, keep: Option<u16>) -> anyhow::Result<Self> {
        let is_folder = to.is_dir() || to.as_os_str().as_encoded_bytes().ends_with(b"/");
        if keep.is_some() && !is_folder {
            return Err(Misconfigured::new("--keep", "needs a folder in --to, and it names a file").into());
        }
        let path = if is_folder { to.join(name_at(now)) } else { to.to_owned() };
        let Some(name) = path.file_name() else {
            return Err(Misconfigured::new("--to", format!("{} is no name of a file", to.display())).into());
        };
        let folder = parent(&path);
        if is_folder {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("{} cannot be made", folder.display()))?;
        } else if !folder.is_dir() {
            return Err(Misconfigured::new("--to", format!("there is no folder {}", folder.display())).into());
        }
        let lock = if is_folder { folder.join(".leadline-backup.lock") } else { with_suffix(&path, name, ".lock") };
        let alone = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock);
        let alone = alone.with_context(|| format!("{} cannot be written", lock.display()))?;
        if alone.try_lock().is_err() {
            bail!("another backup is being written to {}", to.display());
        }
        let place = Self { path, is_in_a_folder_of_backups: is_folder, _alone: alone };
        place.refuse_to_overwrite()?;
        place.remove_cut_off()?;
        Ok(place)
    }

    fn folder(&self) -> &Path {
        parent(&self.path)
    }

    fn unfinished(&self) -> PathBuf {
        with_suffix(&self.path, self.path.file_name().unwrap_or_default(), UNFINISHED)
    }

    fn refuse_to_overwrite(&self) -> anyhow::Result<()> {
        if fs::symlink_metadata(&self.path).is_ok() {
            let text = format!("{} is there already, and is not written over", self.path.display());
            return Err(Misconfigured::new("--to", text).into());
        }
        Ok(())
    }

    /// What earlier ones left that were killed.
    fn remove_cut_off(&self) -> anyhow::Result<()> {
        if !self.is_in_a_folder_of_backups {
            return remove_if_there(&self.unfinished());
        }
        for path in list(self.folder())? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.strip_suffix(UNFINISHED).is_some_and(is_a_backups_name) {
                remove_if_there(&path)?;
            } else if name.starts_with(".leadline-spool") && path.is_dir() {
                fs::remove_dir_all(&path)?;
            }
        }
        Ok(())
    }

    /// Gives the backup its name, once it is on the disk.
    fn publish(&self) -> anyhow::Result<()> {
        self.refuse_to_overwrite()?;
        publish(&self.unfinished(), &self.path)
    }

    /// Leaves the backup alone, or nothing: whole, it has got its name, and otherwise it is of no use.
    fn clean_up(&self) -> anyhow::Result<()> {
        remove_if_there(&self.unfinished())?;
        if !self.is_in_a_folder_of_backups {
            remove_if_there(&with_suffix(&self.path, self.path.file_name().unwrap_or_default(), ".lock"))?;
        }
        Ok(())
    }

    fn remove_older(&self, keep: Option<u16>) -> anyhow::Result<()> {
        let Some(keep) = keep else { return Ok(()) };
        let is_one = |path: &PathBuf| is_a_backups_name(&path.file_name().unwrap_or_default().to_string_lossy());
        let mut backups: Vec<PathBuf> = list(self.folder())?.into_iter().filter(is_one).collect();
        // By the time in their names.
        backups.sort();
        let surplus = backups.len().saturating_sub(usize::from(keep));
        for old in &backups[..surplus] {
            remove_if_there(old)?;
            eprintln!("Removed {}.", old.display());
        }
        Ok(())
    }
}

/// Gives a file its name, once its bytes and its name are safe.
pub(crate) fn publish(unfinished: &Path, path: &Path) -> anyhow::Result<()> {
    let publish = || -> io::Result<()> {
        File::open(unfinished)?.sync_all()?;
        fs::rename(unfinished, path)?;
        File::open(parent(path))?.sync_all()
    };
    publish().with_context(|| format!("{} cannot be written", path.display()))
}

pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

pub(crate) fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn list(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    Ok(entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?)
}

fn with_suffix(path: &Path, name: &std::ffi::OsStr, suffix: &str) -> PathBuf {
    let mut name: OsString = name.to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// In the order of their time, and without signs that some disks do not take.
fn name_at(now: Timestamp) -> String {
    let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{PREFIX}{time}{SUFFIX}")
}

fn is_a_backups_name(name: &str) -> bool {
    let time = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    time.is_some_and(|time| {
        time.len() == 20 && time.ends_with('Z') && time.chars().filter(char::is_ascii_digit).count() == 17
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_backups_are_taken_for_some() {
        let name = name_at(Timestamp(1_767_600_000_123));

        assert_eq!(name, "leadline-20260105T080000.123Z.backup");
        assert!(is_a_backups_name(&name));
        for other in ["leadline-2026.backup", "leadline-of-friday.backup", "leadline.backup", "leadline-.backup"] {
            assert!(!is_a_backups_name(other), "{other}");
        }
    }
}
