//! What happens to the spool: while the store is away, destinations are told straight from it; when the store answers
//! again, everything goes back through the door, and nobody is told twice.
//!
//! Two rules make that sure. A delivery's id is derived from submission and destination, so both ways name the same
//! delivery. And sending from the spool and replaying exclude each other: a replay waits for the sends in flight, and
//! stores what they achieved before it stores the submissions.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use leadline_domain::{ids::SubmissionId, time::Timestamp};
use leadline_store::{capture::IdentityKey, privacy::rows};
use serde::Serialize;
use tokio::sync::watch;

use super::{
    Submission, chat, commit, prepare,
    spool::{self, Forwarded, Record},
};
use crate::{Engine, delivery};

/// How often the store is asked whether it answers again.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// How long it may take to say so.
const PING_DEADLINE: Duration = Duration::from_secs(2);

/// Submissions stored in one transaction.
const AT_ONCE: usize = 128;

/// Watches the spool until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let idle = engine.door.spool_handle().is_empty() && !engine.door.store_is_away();
        tokio::select! {
            () = engine.door.spool_handle().appended(), if idle => {}
            () = tokio::time::sleep(ASK_EVERY) => {}
            _ = stop.changed() => return,
        }
        let nothing_to_do = engine.door.spool_handle().is_empty() && !engine.door.store_is_away();
        if nothing_to_do {
            continue;
        }
        match replay(&engine).await {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "the spool waits on"),
        }
    }
}

/// Why a replay stopped. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store does not answer yet.
    #[error("the store does not answer")]
    StoreIsAway,
    /// The spool's files cannot be read or deleted.
    #[error("the spool cannot be read")]
    Files(#[from] std::io::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] leadline_store::Error),
}

/// Stores everything that waits in the spool.
///
/// # Errors
/// Where the store does not take it; what was stored stays so.
pub async fn replay(engine: &Engine) -> Result<(), ReplayError> {
    // Asked before sends are held up: a file that somebody locked can be read and not written, for minutes.
    let answers = tokio::time::timeout(PING_DEADLINE, engine.store.ping_writer()).await;
    if !matches!(answers, Ok(Ok(()))) {
        return Err(ReplayError::StoreIsAway);
    }
    let _no_sends_in_flight = engine.door.forwarding.write().await;
    let written = engine.door.spool_handle().written();
    let segments = engine.door.spool_handle().close_segment().await?;
    let forwarded = forwarded_in(&segments)?;
    for segment in &segments {
        replay_segment(engine, segment, &forwarded).await?;
    }
    engine.door.spool_handle().note_replayed(written);
    engine.door.mark_back();
    Ok(())
}

/// Deliveries made meanwhile may stand in a later segment than their submission.
fn forwarded_in(segments: &[PathBuf]) -> std::io::Result<HashMap<SubmissionId, Vec<Forwarded>>> {
    let mut forwarded: HashMap<SubmissionId, Vec<Forwarded>> = HashMap::new();
    for segment in segments {
        for record in spool::read(segment)? {
            if let Record::Forwarded(one) = record {
                forwarded.entry(one.submission).or_default().push(one);
            }
        }
    }
    Ok(forwarded)
}

async fn replay_segment(
    engine: &Engine,
    segment: &Path,
    forwarded: &HashMap<SubmissionId, Vec<Forwarded>>,
) -> Result<(), ReplayError> {
    let (mut submissions, mut chats) = (Vec::new(), Vec::new());
    for record in spool::read(segment)? {
        match record {
            Record::Submission(submission) => submissions.push(*submission),
            Record::Chat(update) => chats.push(*update),
            Record::Forwarded(_) => {}
        }
    }
    let submissions = without_erased(engine, submissions).await?;
    for few in submissions.chunks(AT_ONCE) {
        store(engine, few, forwarded).await?;
        engine.wake.events.notify_one();
    }
    for update in &chats {
        store_chat(engine, update, forwarded).await?;
        engine.wake.events.notify_one();
    }
    // Its records of what was forwarded are stored with the submissions they belong to, which stand in this segment
    // or an earlier one.
    std::fs::remove_file(segment)?;
    tracing::info!(submissions = submissions.len(), "stored what waited in the spool");
    Ok(())
}

/// Drops what came of persons before somebody had them erased.
async fn without_erased(engine: &Engine, submissions: Vec<Submission>) -> Result<Vec<Submission>, ReplayError> {
    let keys_of = |one: &Submission| -> Vec<IdentityKey> {
        let prepared = prepare(&engine.keys, one.clone()).ok();
        let keys = prepared.map(|prepared| prepared.contact_identities);
        keys.into_iter().flat_map(|keys| [keys.email, keys.phone]).flatten().collect()
    };
    let keys: Vec<Vec<IdentityKey>> = submissions.iter().map(keys_of).collect();
    let erased: HashMap<IdentityKey, Timestamp> =
        rows::erased(&engine.store.reader(), &keys.concat()).await?.into_iter().collect();
    let came_before = |one: &Submission, keys: &[IdentityKey]| {
        keys.iter().any(|key| erased.get(key).is_some_and(|at| one.received_at <= *at))
    };
    let (gone, stay): (Vec<_>, Vec<_>) =
        submissions.into_iter().zip(keys).partition(|(one, keys)| came_before(one, keys));
    engine.door.spool_handle().note_stored(gone.len() as u64);
    Ok(stay.into_iter().map(|(one, _)| one).collect())
}

/// A part of a chat is recorded as it would have been, and what the door is to hear of it is stored at once.
async fn store_chat(
    engine: &Engine,
    update: &chat::Update,
    forwarded: &HashMap<SubmissionId, Vec<Forwarded>>,
) -> Result<(), ReplayError> {
    match chat::record(engine, update).await {
        Ok(recorded) => {
            engine.door.mark_back();
            if let Some(submission) = recorded.submission {
                store(engine, &[submission], forwarded).await?;
            } else {
                engine.door.spool_handle().note_stored(1);
            }
            Ok(())
        }
        Err(error) if error.is_about_the_data() => {
            let conversation = super::conversations::of_chat(update.intake.source_id, &update.chat_id);
            set_aside(engine, &conversation.to_string(), Some(update), &error)
        }
        Err(error) => Err(error.into()),
    }
}

async fn store(
    engine: &Engine,
    submissions: &[Submission],
    forwarded: &HashMap<SubmissionId, Vec<Forwarded>>,
) -> Result<(), ReplayError> {
    // First what destinations know already: once the submissions are stored, the dispatcher makes their deliveries.
    let told: Vec<(&Submission, &Forwarded)> = submissions
        .iter()
        .flat_map(|one| forwarded.get(&one.id).into_iter().flatten().map(move |forwarded| (one, forwarded)))
        .collect();
    if !told.is_empty() {
        delivery::record_forwarded(engine, &told).await?;
    }
    let prepared =
        submissions.iter().filter_map(|one| prepare(&engine.keys, one.clone()).ok()).map(Arc::new).collect::<Vec<_>>();
    let ids: Vec<SubmissionId> = prepared.iter().map(|one| one.submission.id).collect();
    for (id, outcome) in ids.iter().zip(commit(&engine.store, prepared).await) {
        match outcome {
            Ok(_) => engine.door.mark_back(),
            Err(error) if error.is_about_the_data() => {
                let submission = submissions.iter().find(|one| one.id == *id);
                set_aside(engine, &id.to_string(), submission, error.as_ref())?;
            }
            Err(error) => return Err(Arc::try_unwrap(error).unwrap_or(leadline_store::Error::Contended).into()),
        }
    }
    engine.door.spool_handle().note_stored(submissions.len() as u64);
    Ok(())
}

/// A submission that the database refuses for what is in it was answered with a receipt, so it is kept beside the
/// spool for a person to look at, and said loudly.
fn set_aside(
    engine: &Engine,
    id: &str,
    refused: Option<&impl Serialize>,
    error: &leadline_store::Error,
) -> Result<(), ReplayError> {
    use std::io::Write;
    let Some(refused) = refused else { return Ok(()) };
    let path = engine.options.data_dir.join("spool").join(spool::REFUSED);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    let mut line = serde_json::to_vec(refused).map_err(std::io::Error::other)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()?;
    tracing::error!(
        submission.id = id,
        error = error as &dyn std::error::Error,
        "the database refuses a spooled submission; it is kept in refused.jsonl beside the spool"
    );
    Ok(())
}

/// Tells the destinations that are known about one spooled submission. What succeeds is noted in the spool; what fails
/// is left to the delivery that the replay makes.
pub(crate) async fn forward(engine: &Engine, submission: &Submission) {
    let _replay_waits = engine.door.forwarding.read().await;
    let store_is_back = !engine.door.store_is_away();
    if store_is_back {
        return;
    }
    let Ok(prepared) = prepare(&engine.keys, submission.clone()) else { return };
    for forwarded in delivery::forward_spooled(engine, &prepared).await {
        if let Err(error) = engine.door.spool_handle().append(Record::Forwarded(forwarded)).await {
            tracing::error!(%error, submission.id = %submission.id, "a delivery from the spool cannot be noted; it may be repeated");
        }
    }
}
