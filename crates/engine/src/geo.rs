//! Where addresses are and whose networks they belong to, from database files that the operator supplies.
//!
//! Owns the files: reading them whole, noticing that they were replaced, and doing without those that are broken. No
//! file is shipped, since none may be given away freely. The records of MaxMind, DB-IP, IPinfo and ip-location-db are
//! understood; what they say is tidied in `domain::context` and `domain::networks`.

mod records;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use leadline_domain::{context::Location, networks::Network};
use maxminddb::Reader;

use records::{NetworkRecord, PlaceRecord};

/// Which files to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Places by address.
    pub places: Option<PathBuf>,
    /// Networks by address.
    pub networks: Option<PathBuf>,
}

/// The databases. Cheap to clone; all clones see a file that was replaced.
#[derive(Clone, Default)]
pub struct Geo {
    shelf: Arc<RwLock<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    files: Files,
    places: Database,
    networks: Database,
}

/// A file as it was read.
#[derive(Default)]
struct Database {
    reader: Option<Arc<Reader<Vec<u8>>>>,
    /// When the file had last been changed, also where it could not be read: the same fault is not told twice.
    seen: Option<Option<SystemTime>>,
}

impl Geo {
    /// Reads these files. One that cannot be read is told of in the log, and done without until it is replaced.
    #[must_use]
    pub fn open(files: Files) -> Self {
        let geo = Self::default();
        geo.follow(files);
        geo
    }

    /// Reads these files from now on, in place of those before.
    pub fn follow(&self, files: Files) {
        let mut shelf = Shelf { files, ..Shelf::default() };
        shelf.refresh();
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = shelf;
    }

    /// Reads files again that were replaced. What was read before is used until the new one is in order.
    pub fn refresh(&self) {
        let (files, seen) = {
            let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
            (shelf.files.clone(), [shelf.places.seen, shelf.networks.seen])
        };
        // Large files take a while, and visitors are looked up meanwhile: so they are read with nothing locked.
        let places = Database::newer(files.places.as_deref(), seen[0]);
        let networks = Database::newer(files.networks.as_deref(), seen[1]);
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        shelf.places.replace_by(places);
        shelf.networks.replace_by(networks);
    }

    /// What is known of an address.
    #[must_use]
    pub fn look_up(&self, ip: IpAddr) -> (Option<Location>, Option<Network>) {
        let (places, networks) = {
            let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
            (shelf.places.reader.clone(), shelf.networks.reader.clone())
        };
        let ip = ip.to_canonical();
        let location = places.as_deref().and_then(|reader| location(reader, ip));
        // A database of places may tell of networks as well.
        let network = [networks.as_deref(), places.as_deref()].into_iter().flatten();
        (location, network.filter_map(|reader| network_of(reader, ip)).next())
    }
}

impl Shelf {
    fn refresh(&mut self) {
        self.places.replace_by(Database::newer(self.files.places.as_deref(), None));
        self.networks.replace_by(Database::newer(self.files.networks.as_deref(), None));
    }
}

impl Database {
    /// The file as it is now, where it is not the one that was seen.
    fn newer(path: Option<&Path>, seen: Option<Option<SystemTime>>) -> Option<Self> {
        let path = path?;
        let changed_at = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        if seen == Some(changed_at) {
            return None;
        }
        let reader = match read(path) {
            Ok(reader) => {
                tracing::info!(file = %path.display(), kind = reader.metadata().database_type, "addresses are looked up");
                Some(Arc::new(reader))
            }
            Err(error) => {
                tracing::error!(file = %path.display(), error, "a database of addresses cannot be used");
                None
            }
        };
        Some(Self { reader, seen: Some(changed_at) })
    }

    fn replace_by(&mut self, newer: Option<Self>) {
        let Some(newer) = newer else { return };
        self.seen = newer.seen;
        if newer.reader.is_some() {
            self.reader = newer.reader;
        }
    }
}

/// Reads and checks a whole file: what is broken is found here and not by a visitor.
fn read(path: &Path) -> Result<Reader<Vec<u8>>, String> {
    let reader = Reader::open_readfile(path).map_err(|error| error.to_string())?;
    reader.verify().map_err(|error| error.to_string())?;
    Ok(reader)
}

fn location(reader: &Reader<Vec<u8>>, ip: IpAddr) -> Option<Location> {
    let record: PlaceRecord<'_> = reader.lookup(ip).ok()?.decode().ok()??;
    Location::of(&record.place())
}

fn network_of(reader: &Reader<Vec<u8>>, ip: IpAddr) -> Option<Network> {
    let record: NetworkRecord<'_> = reader.lookup(ip).ok()?.decode().ok()??;
    record.network()
}

#[cfg(test)]
mod tests;
