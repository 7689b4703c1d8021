//! The installation's secret key: from `LEADLINE_SECRET_KEY` or from a file in the data folder that only its owner can
//! read. Without it, sealed secrets cannot be opened and people not recognised, so it is backed up with the database.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadline_engine::seal::{
    Keys,
    check::{self, KeyRefused},
};
use leadline_store::Store;

use crate::{admin, config::Misconfigured};

/// The variable that stands for the file.
pub(crate) const VARIABLE: &str = "LEADLINE_SECRET_KEY";

const FILE: &str = "secret.key";

const WRONG: &str = "is neither 32 bytes in base64 nor the keys that `leadline key rotate` wrote";

/// The keys, and where they stand.
#[derive(Debug, Clone)]
pub(crate) struct KeyFile {
    pub(crate) keys: Keys,
    pub(crate) place: Place,
}

/// Where keys stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the variable, which only the operator can change.
    Variable,
    /// In this file.
    File(PathBuf),
    /// In this file, which was made a moment ago.
    NewFile(PathBuf),
}

/// Makes the data folder where there is none, for its owner alone.
pub(crate) fn make_data_dir(data_dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .with_context(|| format!("the data folder {} cannot be made", data_dir.display()))
}

/// The keys from the variable, or from the file, which is made where there is none.
pub(crate) fn load(variable: Option<&str>, data_dir: &Path) -> anyhow::Result<KeyFile> {
    match find(variable, data_dir)? {
        Some(found) => Ok(found),
        None => generate(data_dir.join(FILE)),
    }
}

/// The keys from the variable, or from the file; nothing where there is neither.
pub(crate) fn find(variable: Option<&str>, data_dir: &Path) -> anyhow::Result<Option<KeyFile>> {
    if let Some(text) = variable {
        let keys = Keys::parse(text).ok_or_else(|| Misconfigured::new(VARIABLE, WRONG))?;
        return Ok(Some(KeyFile { keys, place: Place::Variable }));
    }
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let keys = Keys::parse(&text).ok_or_else(|| Misconfigured::new(path.display().to_string(), WRONG))?;
            Ok(Some(KeyFile { keys, place: Place::File(path) }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn generate(path: PathBuf) -> anyhow::Result<KeyFile> {
    let key: [u8; 32] = rand::random();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("{} cannot be made", path.display()))?;
    writeln!(file, "{}", STANDARD.encode(key))?;
    // Leads hashed with a key that a power cut takes back would not be recognised again.
    file.sync_all()?;
    Ok(KeyFile { keys: Keys::derive(&key), place: Place::NewFile(path) })
}

impl KeyFile {
    /// Makes sure that the database was written with these keys, and says what to do where it was not.
    pub(crate) async fn confirm(&self, store: &Store) -> anyhow::Result<()> {
        let refused = match check::confirm(store, &self.keys, admin::now()).await {
            Ok(()) => return Ok(()),
            Err(KeyRefused::Internal(error)) => {
                return Err(error).context("the key cannot be compared with the database");
            }
            Err(refused) => refused,
        };
        if let Place::NewFile(path) = &self.place {
            // It was made for an empty database. Left there, it would stand in the place of the right one.
            fs::remove_file(path).with_context(|| format!("{} cannot be taken away again", path.display()))?;
        }
        Err(Misconfigured::new(self.place.to_string(), self.words(&refused)).into())
    }

    fn words(&self, refused: &KeyRefused) -> String {
        let what = match (&self.place, refused) {
            (Place::NewFile(_), _) => "is missing, and the database was written with a key that stood there".to_owned(),
            (_, refused) => refused.to_string(),
        };
        format!(
            "{what}. Nothing was started and nothing changed. Put back the key that belongs to this database (it is in \
             the backup of the data folder), as this file or in {VARIABLE}; or name the database that belongs to this \
             key"
        )
    }

    /// Puts other keys into the file: at any moment it holds the old ones or the new ones, whole.
    pub(crate) fn replace(path: &Path, keys: &Keys) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            // What is linked to is replaced, and not the link.
            let path = &fs::canonicalize(path)?;
            let beside = path.with_extension("key.new");
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            // Whoever administers the machine may run this; the server must be able to read it.
            let owner = fs::metadata(path)?;
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
            writeln!(file, "{}", keys.write_down("\n"))?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            // Until the folder is on the disk, too, a power cut could bring the old file back.
            fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().with_context(|| format!("{} cannot be written", path.display()))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable => f.write_str(VARIABLE),
            Self::File(path) | Self::NewFile(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data_dir = folder.path().join("data");
        make_data_dir(&data_dir).expect("a data folder");

        let first = load(None, &data_dir).expect("a new key");
        let second = load(None, &data_dir).expect("the same key");

        assert_eq!(first.keys, second.keys);
        let path = data_dir.join(FILE);
        assert_eq!((first.place, second.place), (Place::NewFile(path.clone()), Place::File(path)));
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&data_dir), mode(&data_dir.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn replaced_keys_stand_in_the_file_for_its_owner_alone_and_leave_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let old = load(None, folder.path()).expect("a new key").keys;
        // A crash may have left half of one.
        fs::write(folder.path().join("secret.key.new"), "identity:").expect("written");

        KeyFile::replace(&path, &old.rotated()).expect("replaced");

        let found = find(None, folder.path()).expect("readable").expect("there");
        assert!(found.keys.is_rotating());
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join(FILE), "c2hvcnQ=").expect("written");

        let error = load(None, folder.path()).expect_err("a short key");

        assert!(error.is::<Misconfigured>());
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).expect("still there"), "c2hvcnQ=");
    }
}
