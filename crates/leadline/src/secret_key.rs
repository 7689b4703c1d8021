//! The installation's secret key: 32 bytes, from `LEADLINE_SECRET_KEY` or from a file in the data folder that only its
//! owner can read. Without it, sealed secrets cannot be opened and people not recognised, so it is backed up with the
//! database.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::config::Misconfigured;

const FILE: &str = "secret.key";

/// Makes the data folder where there is none, for its owner alone.
pub(crate) fn make_data_dir(data_dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .with_context(|| format!("the data folder {} cannot be made", data_dir.display()))
}

/// The key from the variable, or from the file, which is made where there is none.
pub(crate) fn load(variable: Option<&str>, data_dir: &Path) -> anyhow::Result<[u8; 32]> {
    if let Some(text) = variable {
        return decode(text)
            .ok_or_else(|| Misconfigured::new("LEADLINE_SECRET_KEY", "is not 32 bytes in base64").into());
    }
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let wrong = || Misconfigured::new(path.display().to_string(), "is not 32 bytes in base64");
            decode(&text).ok_or_else(|| wrong().into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => generate(&path),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

fn generate(path: &Path) -> anyhow::Result<[u8; 32]> {
    let key: [u8; 32] = rand::random();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be made", path.display()))?;
    writeln!(file, "{}", STANDARD.encode(key))?;
    // Leads hashed with a key that a power cut takes back would not be recognised again.
    file.sync_all()?;
    Ok(key)
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

        assert_eq!(first, second);
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&data_dir), mode(&data_dir.join(FILE))), (0o700, 0o600));
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
