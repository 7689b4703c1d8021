//! What the store cannot take now: submissions on the local disk, fsynced before they are answered, until they are
//! stored. A spooled submission never expires.
//!
//! The spool is a folder of segments. A record is its length, a checksum and JSON; a tail that a crash cut short was
//! never acknowledged and is passed over. One thread appends, and everything that waits shares one fsync. A closed
//! segment is deleted when all of it is stored; until then a replay may see it again, which is harmless, since
//! accepting is idempotent on the submission's id.
//!
//! Where store and spool share a disk, a full one would leave no place at all. So the spool holds some space in reserve,
//! in a file that is given up when the disk is full and made again when there is room.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use leadline_domain::{
    ids::{DeliveryId, DestinationId, SubmissionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::{Submission, chat::Update};

/// A segment is closed when it is larger than this, so that reading one back takes little memory.
const SEGMENT_BYTES: u64 = 32 * 1024 * 1024;

/// Appends that may wait for one fsync.
const WAITING: usize = 8_192;

/// The file that holds space for when the disk is full.
const RESERVE: &str = "reserve";

/// Length and checksum before each record.
const HEADER_BYTES: usize = 8;

/// What stands in the spool.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum Record {
    /// A submission that was answered and waits for the store.
    Submission(Box<Submission>),
    /// A part of a chat that was answered and waits for the store.
    Chat(Box<Update>),
    /// A destination was told of it meanwhile, and must not be told again.
    Forwarded(Forwarded),
}

/// A delivery that succeeded while the store was away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Forwarded {
    /// The submission.
    pub submission: SubmissionId,
    /// The delivery, derived from submission and destination.
    pub delivery: DeliveryId,
    /// The destination.
    pub destination: DestinationId,
    /// Its event.
    pub event: String,
    /// The body as sent.
    pub payload: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// What the receiver answered.
    pub status: u16,
}

enum Order {
    Append(Append),
    Close(oneshot::Sender<io::Result<Vec<PathBuf>>>),
}

struct Append {
    bytes: Vec<u8>,
    /// Whether it counts among what waits.
    waits: bool,
    done: oneshot::Sender<io::Result<()>>,
}

/// What the spool holds. Whether anything waits is known for certain, by writes that no replay has followed; how much
/// is an estimate, since nobody has counted what a process before left, and a replay that failed repeats itself.
#[derive(Debug, Clone, Copy, Default)]
struct Backlog {
    written: u64,
    replayed: u64,
    estimate: u64,
}

impl Backlog {
    fn is_empty(self) -> bool {
        self.written == self.replayed
    }

    fn waiting(self) -> u64 {
        if self.is_empty() { 0 } else { self.estimate.max(1) }
    }
}

/// The spool of one node. Cheap to clone.
#[derive(Clone)]
pub struct Spool {
    orders: mpsc::Sender<Order>,
    backlog: watch::Sender<Backlog>,
    appended: Arc<Notify>,
}

impl Spool {
    /// Opens the spool in `folder`, making the folder where there is none, with so many bytes in reserve.
    ///
    /// # Errors
    /// Where the folder cannot be made or read.
    pub fn open(folder: &Path, reserve_bytes: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let segments = segments(folder)?;
        let found = segments.iter().map(|path| fs::metadata(path).map_or(0, |data| data.len())).sum::<u64>();
        let next = segments.last().and_then(|path| number(path)).unwrap_or(0) + 1;
        let (orders, inbox) = mpsc::channel(WAITING);
        let backlog = watch::Sender::new(Backlog { written: u64::from(found > 0), ..Backlog::default() });
        let appended: Arc<Notify> = Arc::default();
        let writer = Writer {
            folder: folder.to_owned(),
            next,
            active: None,
            reserve_bytes,
            backlog: backlog.clone(),
            appended: Arc::clone(&appended),
        };
        std::thread::Builder::new().name("spool".into()).spawn(move || writer.run(inbox))?;
        Ok(Self { orders, backlog, appended })
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.backlog.borrow().is_empty()
    }

    /// How many submissions wait, as far as this process knows: what a process before left counts as one until it is
    /// stored.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.backlog.borrow().waiting()
    }

    /// Puts a record on the disk: when this returns `Ok`, it is there.
    ///
    /// # Errors
    /// Where the disk is full or broken.
    pub async fn append(&self, record: Record) -> io::Result<()> {
        let waits = matches!(record, Record::Submission(_) | Record::Chat(_));
        let json = serde_json::to_vec(&record).map_err(io::Error::other)?;
        let (done, outcome) = oneshot::channel();
        let stopped = || io::Error::other("the spool has stopped");
        let append = Append { bytes: framed(&json), waits, done };
        self.orders.send(Order::Append(append)).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }

    /// Waits until nothing waits any more.
    pub async fn drained(&self) {
        let mut backlog = self.backlog.subscribe();
        // An error would mean that the spool is gone, and we hold it.
        let _gone = backlog.wait_for(|backlog| backlog.is_empty()).await;
    }

    /// Waits until something is appended.
    pub async fn appended(&self) {
        self.appended.notified().await;
    }

    /// Closes the segment that is being written and names all closed ones, oldest first.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub async fn close_segment(&self) -> io::Result<Vec<PathBuf>> {
        let (done, outcome) = oneshot::channel();
        let stopped = || io::Error::other("the spool has stopped");
        self.orders.send(Order::Close(done)).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }

    /// How many writes there have been: what a replay that begins now will have followed, for [`Self::note_replayed`].
    #[must_use]
    pub fn written(&self) -> u64 {
        self.backlog.borrow().written
    }

    /// Notes that everything is stored that had been written by then. What came later waits on.
    pub fn note_replayed(&self, written: u64) {
        self.backlog.send_modify(|backlog| {
            backlog.replayed = written;
            if backlog.is_empty() {
                backlog.estimate = 0;
            }
        });
        self.tell();
    }

    /// Notes that about so many more submissions are stored.
    pub fn note_stored(&self, stored: u64) {
        self.backlog.send_modify(|backlog| backlog.estimate = backlog.estimate.saturating_sub(stored));
        self.tell();
    }

    fn tell(&self) {
        metrics::gauge!("leadline_spooled_submissions").set(self.waiting() as f64);
    }
}

/// The records of a closed segment. A cut tail, and what follows a damaged record, is passed over with a log line.
///
/// # Errors
/// Where the file cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Record>> {
    let bytes = fs::read(path)?;
    let mut records = Vec::new();
    let mut rest = &bytes[..];
    while let Some((json, after)) = next_record(rest) {
        match serde_json::from_slice(json) {
            Ok(record) => records.push(record),
            Err(error) => {
                tracing::error!(segment = %path.display(), %error, "a spool record cannot be read and is passed over");
            }
        }
        rest = after;
    }
    if !rest.is_empty() {
        tracing::warn!(segment = %path.display(), bytes = rest.len(), "the spool segment ends in an unfinished record");
    }
    Ok(records)
}

/// How many submissions wait in the spool in `folder`, which no process may be writing.
///
/// # Errors
/// Where it cannot be read.
pub fn count_waiting(folder: &Path) -> io::Result<usize> {
    let mut waiting = 0;
    for segment in segments(folder)? {
        waiting += read(&segment)?.iter().filter(|record| matches!(record, Record::Submission(_))).count();
    }
    Ok(waiting)
}

/// The files in `folder` that hold submissions, oldest first: what a backup must have. A process may go on writing.
///
/// # Errors
/// Where the folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = segments(folder)?;
    files.extend(Some(folder.join(REFUSED)).filter(|path| path.exists()));
    Ok(files)
}

/// Whether a file of this name is one of those.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    name == REFUSED || name.strip_suffix(".spool").is_some_and(is_segment_number)
}

fn is_segment_number(stem: &str) -> bool {
    stem.len() == 16 && stem.bytes().all(|byte| byte.is_ascii_digit())
}

/// The file beside the segments for submissions that the database refuses for what is in them.
pub(super) const REFUSED: &str = "refused.jsonl";

/// How many submissions the database refused when the spool in `folder` was stored.
///
/// # Errors
/// Where the file cannot be read.
pub fn count_refused(folder: &Path) -> io::Result<usize> {
    let path = folder.join(REFUSED);
    if !path.exists() {
        return Ok(0);
    }
    Ok(io::BufReader::new(File::open(path)?).split(b'\n').count())
}

fn framed(json: &[u8]) -> Vec<u8> {
    let length = u32::try_from(json.len()).expect("a submission is limited to a few MiB");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + json.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(json).to_le_bytes());
    bytes.extend_from_slice(json);
    bytes
}

fn next_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let (json, after) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    (crc32fast::hash(json) == u32::from_le_bytes(*checksum)).then_some((json, after))
}

struct Writer {
    folder: PathBuf,
    next: u64,
    active: Option<Segment>,
    reserve_bytes: usize,
    backlog: watch::Sender<Backlog>,
    appended: Arc<Notify>,
}

struct Segment {
    file: File,
    bytes: u64,
}

impl Writer {
    fn run(mut self, mut inbox: mpsc::Receiver<Order>) {
        self.make_reserve();
        let mut orders = Vec::new();
        while inbox.blocking_recv_many(&mut orders, WAITING) > 0 {
            let mut appends = Vec::new();
            for order in orders.drain(..) {
                match order {
                    Order::Append(append) => appends.push(append),
                    Order::Close(done) => {
                        self.append(std::mem::take(&mut appends));
                        self.active = None;
                        self.make_reserve();
                        let _asker_is_gone = done.send(segments(&self.folder));
                    }
                }
            }
            self.append(appends);
        }
    }

    fn append(&mut self, appends: Vec<Append>) {
        if appends.is_empty() {
            return;
        }
        let bytes: Vec<u8> = appends.iter().flat_map(|append| &append.bytes).copied().collect();
        let result = self.write(&bytes).or_else(|error| {
            if !self.give_up_reserve() {
                return Err(error);
            }
            tracing::warn!(%error, "the spool cannot be written; its reserve is given up");
            self.write(&bytes)
        });
        if result.is_ok() {
            // Before anybody is answered, and whether or not anybody still waits for the answer.
            let waiting = appends.iter().filter(|append| append.waits).count() as u64;
            self.backlog.send_modify(|backlog| {
                backlog.written += 1;
                backlog.estimate += waiting;
            });
            metrics::gauge!("leadline_spooled_submissions").set(self.backlog.borrow().waiting() as f64);
            self.appended.notify_one();
        }
        for Append { done, .. } in appends {
            let outcome = result.as_ref().copied().map_err(|error| io::Error::new(error.kind(), error.to_string()));
            let _asker_is_gone = done.send(outcome);
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let segment = match &mut self.active {
            Some(segment) if segment.bytes < SEGMENT_BYTES => segment,
            _ => {
                let segment = Segment::create(&self.folder, self.next)?;
                self.next += 1;
                self.active.insert(segment)
            }
        };
        let result = segment.file.write_all(bytes).and_then(|()| segment.file.sync_data());
        match result {
            Ok(()) => segment.bytes += bytes.len() as u64,
            Err(_) => {
                // What was refused must not stand before what is accepted later: the next append begins a new
                // segment, and this one is cut back to what was acknowledged.
                let _as_far_as_it_goes = segment.file.set_len(segment.bytes);
                self.active = None;
            }
        }
        result
    }
}

impl Writer {
    fn reserve(&self) -> PathBuf {
        self.folder.join(RESERVE)
    }

    /// Takes the reserve where it is not held. Zeros are written, since a hole in a file holds no space.
    fn make_reserve(&self) {
        let is_held = fs::metadata(self.reserve()).is_ok_and(|file| file.len() >= self.reserve_bytes as u64);
        if self.reserve_bytes == 0 || is_held {
            return;
        }
        let made = File::create(self.reserve()).and_then(|mut file| {
            let zeros = vec![0; 1024 * 1024];
            for _ in 0..self.reserve_bytes / zeros.len() {
                file.write_all(&zeros)?;
            }
            file.sync_all()
        });
        if let Err(error) = made {
            let _as_far_as_it_goes = fs::remove_file(self.reserve());
            tracing::warn!(%error, "the disk has no room for the spool's reserve");
        }
    }

    /// Gives the reserve up and tells whether there was one.
    fn give_up_reserve(&self) -> bool {
        fs::remove_file(self.reserve()).is_ok()
    }
}

impl Segment {
    fn create(folder: &Path, number: u64) -> io::Result<Self> {
        let path = folder.join(format!("{number:016}.spool"));
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        // The name must be as durable as the records.
        File::open(folder)?.sync_all()?;
        Ok(Self { file, bytes: 0 })
    }
}

fn segments(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if number(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn number(path: &Path) -> Option<u64> {
    if path.extension()? != "spool" {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(n: u128) -> Record {
        let id = uuid::Uuid::from_u128(n);
        Record::Forwarded(Forwarded {
            submission: SubmissionId(id),
            delivery: DeliveryId(id),
            destination: DestinationId(id),
            event: "lead.created".into(),
            payload: "{}".into(),
            sent_at: Timestamp(1),
            duration_ms: 2,
            status: 200,
        })
    }

    fn ids(records: &[Record]) -> Vec<u128> {
        let id = |record: &Record| match record {
            Record::Forwarded(forwarded) => forwarded.submission.0.as_u128(),
            Record::Submission(submission) => submission.id.0.as_u128(),
            Record::Chat(update) => panic!("no chat was spooled here: {}", update.chat_id),
        };
        records.iter().map(id).collect()
    }

    #[tokio::test]
    async fn what_was_appended_is_there_after_a_restart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spool = Spool::open(folder.path(), 0).expect("a spool");
        spool.append(forwarded(1)).await.expect("appended");
        spool.append(forwarded(2)).await.expect("appended");
        drop(spool);

        let again = Spool::open(folder.path(), 0).expect("a spool");
        let segments = again.close_segment().await.expect("segments");

        assert!(!again.is_empty());
        assert_eq!(segments.len(), 1);
        assert_eq!(ids(&read(&segments[0]).expect("read")), [1, 2]);
    }

    /// A count of what waits would be used up by what a process before left, and the rest would wait for good.
    #[tokio::test]
    async fn what_is_appended_during_a_replay_waits_on() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let before = Spool::open(folder.path(), 0).expect("a spool");
        before.append(forwarded(1)).await.expect("appended");
        before.append(forwarded(2)).await.expect("appended");
        drop(before);
        let spool = Spool::open(folder.path(), 0).expect("a spool");

        let written = spool.written();
        let segments = spool.close_segment().await.expect("segments");
        spool.append(forwarded(3)).await.expect("appended");
        spool.note_stored(2);
        spool.note_replayed(written);

        assert_eq!(ids(&read(&segments[0]).expect("read")), [1, 2]);
        assert!(!spool.is_empty());
        let written = spool.written();
        assert_eq!(spool.close_segment().await.expect("segments").len(), 2);
        spool.note_replayed(written);
        assert!(spool.is_empty());
    }

    #[tokio::test]
    async fn the_reserve_is_held_and_made_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let held = |bytes: u64| fs::metadata(folder.path().join(RESERVE)).is_ok_and(|file| file.len() == bytes);
        let spool = Spool::open(folder.path(), 2 * 1024 * 1024).expect("a spool");

        spool.append(forwarded(1)).await.expect("appended");
        assert!(held(2 * 1024 * 1024));
        fs::remove_file(folder.path().join(RESERVE)).expect("given up");
        spool.close_segment().await.expect("closed");

        assert!(held(2 * 1024 * 1024));
    }

    #[tokio::test]
    async fn a_tail_that_a_crash_cut_short_is_passed_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spool = Spool::open(folder.path(), 0).expect("a spool");
        spool.append(forwarded(1)).await.expect("appended");
        let segments = spool.close_segment().await.expect("segments");
        let whole = fs::read(&segments[0]).expect("read");

        for cut in 1..whole.len() {
            let mut bytes = whole.clone();
            bytes.extend_from_slice(&whole[..cut]);
            fs::write(&segments[0], bytes).expect("write");

            assert_eq!(ids(&read(&segments[0]).expect("read")), [1], "cut after {cut} bytes");
        }
    }
}
