//! The one door. Every way in which a lead can arrive ends in [`Door::accept`], and an answer from it means that the
//! submission is on disk: committed to the store, or fsynced to the spool where the store does not answer in time.
//!
//! A submission is prepared in its request ([`mod@prepare`]: recognising fields, normalising, hashing identities), then
//! handed to a writer that commits whole batches ([`batch`]). What the store does not take goes to the spool
//! ([`spool`]) and comes back through the same door ([`replay`]). This module knows no destination and no automation.

mod arrival;
mod batch;
pub mod blocking;
mod blocklist;
pub mod chat;
pub mod conversations;
pub mod detection;
mod enrich;
pub mod form_token;
mod holding;
pub mod imports;
pub mod inbound;
mod intakes;
mod keeping;
mod prepare;
mod rate;
pub mod release;
pub mod replay;
pub mod seen_fields;
pub mod spool;
mod standing;
mod values;
mod working;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leadline_domain::{
    context::Context,
    fields::RawFields,
    ids::{LeadId, PipelineId, StageId, SubmissionId, UserId, submission_for_key},
    time::Timestamp,
    values::ToldValues,
};
use leadline_store::{Store, sources::Intake};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::{Engine, Options, geo::Geo, random_bytes, seal::Keys};

pub use batch::{Outcome, commit};
pub use blocklist::Block;
pub use intakes::Intakes;
pub use keeping::{FileKeeper, SpoolKeeper};
pub use prepare::{Nothing, Prepared, prepare};
pub use seen_fields::{SeenFields, write_seen};
pub use spool::Spool;
pub use standing::{Standing, Watch};

/// Submissions waiting for a writer. Beyond it they go to the spool: a queue that grows without bound only hides that
/// the store is too slow.
const QUEUE: usize = 4_096;

/// So many that wait are a crowd.
const CROWD: usize = 16;

/// Spooled submissions that destinations are told of at the same time.
const FORWARDED_AT_ONCE: usize = 32;

/// A submission as it came in, with everything needed to accept it now or later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Submission {
    /// Its receipt.
    pub id: SubmissionId,
    /// Whether it may be stored already: it brought its own key, or it comes from the spool.
    pub is_repeatable: bool,
    /// Where it came in.
    pub intake: Intake,
    /// The fields as they were sent.
    pub fields: RawFields,
    /// When it came in.
    pub received_at: Timestamp,
    /// How it came in.
    pub request: Request,
    /// What a person or a program at the API said beyond the fields.
    pub direct: Option<Direct>,
    /// The chat that it was read from.
    #[serde(default)]
    pub chat: Option<conversations::ChatPart>,
    /// What an inbound format said of it.
    #[serde(default)]
    pub inbound: Option<inbound::Inbound>,
    /// What was decided about it before its fields were looked at.
    #[serde(default)]
    pub standing: Standing,
    /// The file that it is a row of. Rows of files never wait in the spool.
    #[serde(skip)]
    pub imported: Option<imports::Imported>,
}

/// The request that brought a submission.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Request {
    /// Whether a browser sent it: then the IP address is the visitor's.
    pub is_browser: bool,
    /// The client's address.
    pub ip: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The body as text.
    pub raw_body: String,
    /// What a proxy and the browser told of the visitor; [`Door::accept`] finds out the rest.
    #[serde(default)]
    pub context: Context,
}

/// What the dashboard or the API says of a lead beyond the fields of a form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Direct {
    /// Who made it.
    pub actor_name: String,
    /// `user` or `token`.
    pub actor_is_token: bool,
    /// The person, where there is one.
    pub actor_user: Option<UserId>,
    /// Tags to begin with.
    pub tags: Vec<String>,
    /// Custom fields as they are, by camelCase key.
    pub custom_fields: Map<String, Value>,
    /// The stage to begin in, in place of the pipeline's first.
    pub stage: Option<(PipelineId, StageId)>,
    /// What the lead is worth. A spool of an older version knows nothing of it.
    #[serde(default)]
    pub values: ToldValues,
}

impl Submission {
    /// A submission received now. `key` is its own key, where it brought one (`Idempotency-Key` or `submissionId`).
    #[must_use]
    pub fn new(engine: &Engine, intake: Intake, fields: RawFields, request: Request, key: Option<&str>) -> Self {
        let now = engine.clock.now();
        let scope = intake.source_id.map_or(intake.workspace_id.0, |source| source.0);
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        let id = key.map_or_else(|| SubmissionId::new(now, random_bytes()), |key| submission_for_key(scope, key));
        let standing = Standing::Open;
        Self {
            id,
            is_repeatable: key.is_some(),
            intake,
            fields,
            received_at: now,
            request,
            direct: None,
            inbound: None,
            chat: None,
            standing,
            imported: None,
        }
    }

    /// What came from a blocked address: recorded and answered like any other, and never looked into.
    #[must_use]
    pub fn turned_away(engine: &Engine, intake: Intake, block: Block, request: Request, key: Option<&str>) -> Self {
        Self { standing: block.into(), ..Self::new(engine, intake, RawFields::new(), request, key) }
    }
}

/// The key that a submission carries in its fields: `submissionId`, however it is spelt.
#[must_use]
pub fn own_key(fields: &RawFields) -> Option<String> {
    let is_key = |name: &str| {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        name.eq_ignore_ascii_case("submissionid")
    };
    let (_, value) = fields.iter().find(|(name, _)| is_key(name))?;
    value.as_str().map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned)
}

/// What was answered to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The receipt.
    pub receipt: SubmissionId,
    /// The lead; unknown while it waits in the spool.
    pub lead: Option<LeadId>,
    /// Whether the lead was there before.
    pub duplicate: bool,
    /// Whether it is in the store (or in the spool).
    pub stored: bool,
    /// Whether it was held back: then the lead is made up. Nobody outside is ever told.
    pub held: bool,
}

/// Why a submission was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It names nobody: no name, no e-mail, no phone.
    #[error("there is no name, e-mail or phone in it")]
    Nothing,
    /// The database cannot hold it, whatever is tried.
    #[error("the database refuses this data")]
    Unstorable(#[source] leadline_store::Error),
    /// Neither the store nor the spool can take it.
    #[error("neither the store nor the spool can take it")]
    NoRoom(#[source] std::io::Error),
}

/// Where submissions come in. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    queue: mpsc::Sender<Waiting>,
    spool: Spool,
    intakes: Intakes,
    watch: Watch,
    store_is_away: Arc<AtomicBool>,
    deadline: Duration,
    keys: Arc<Keys>,
    geo: Geo,
    seen_fields: SeenFields,
    /// Held for reading while a spooled submission is sent, for writing while the spool is replayed.
    forwarding: Arc<tokio::sync::RwLock<()>>,
    /// Spooled submissions that destinations may be told of.
    to_forward: mpsc::Sender<Submission>,
}

/// A prepared submission that waits for a writer.
pub(crate) struct Waiting {
    prepared: Arc<Prepared>,
    answer: oneshot::Sender<Result<Outcome, Arc<leadline_store::Error>>>,
}

/// The other ends of the door's queues.
pub(crate) struct Queue {
    waiting: tokio::sync::Mutex<mpsc::Receiver<Waiting>>,
    to_forward: tokio::sync::Mutex<mpsc::Receiver<Submission>>,
}

impl Door {
    /// A door, and the queue behind it for [`Queue::run_writer`].
    pub(crate) fn new(store: &Store, spool: Spool, keys: Arc<Keys>, geo: Geo, options: &Options) -> (Self, Queue) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (to_forward, forwardable) = mpsc::channel(QUEUE);
        let store_is_away = Arc::new(AtomicBool::new(false));
        let door = Self {
            queue,
            spool,
            intakes: Intakes::new(store.clone(), Arc::clone(&store_is_away)),
            watch: Watch::new(store.clone(), Arc::clone(&store_is_away), options.bot_detection),
            store_is_away,
            deadline: options.store_deadline,
            keys,
            geo,
            seen_fields: SeenFields::default(),
            forwarding: Arc::default(),
            to_forward,
        };
        (door, Queue { waiting: waiting.into(), to_forward: forwardable.into() })
    }

    /// Accepts a submission: when this returns `Ok`, it is on disk.
    ///
    /// # Errors
    /// Where it names nobody, or neither the store nor the spool can take it.
    pub async fn accept(&self, mut submission: Submission) -> Result<Accepted, AcceptError> {
        enrich::enrich(&self.geo, &mut submission.request);
        self.watch.judge(&mut submission).await;
        let prepared = prepare(&self.keys, submission).map_err(|Nothing| AcceptError::Nothing)?;
        let (receipt, kind) = (prepared.submission.id, prepared.submission.intake.kind.clone());
        let prepared = Arc::new(prepared);
        let result = self.accept_prepared(Arc::clone(&prepared)).await;
        if result.as_ref().is_ok_and(|accepted| accepted.stored && !accepted.held) {
            self.seen_fields.note(&prepared);
        }
        let outcome = match &result {
            Ok(accepted) if !accepted.stored => "spooled",
            Ok(accepted) if accepted.held => "held",
            Ok(accepted) if accepted.duplicate => "resubmitted",
            Ok(_) => "created",
            Err(_) => "refused",
        };
        metrics::counter!("leadline_submissions_total", "source" => kind, "outcome" => outcome).increment(1);
        if let Err(error) = &result {
            tracing::error!(submission.id = %receipt, error = %error, "submission not accepted");
        }
        result
    }

    async fn accept_prepared(&self, prepared: Arc<Prepared>) -> Result<Accepted, AcceptError> {
        if self.store_is_away() {
            return self.spool(&prepared, "the store is away").await;
        }
        let (answer, outcome) = oneshot::channel();
        if self.queue.try_send(Waiting { prepared: Arc::clone(&prepared), answer }).is_err() {
            return self.spool(&prepared, "the writers are behind").await;
        }
        match tokio::time::timeout(self.deadline, outcome).await {
            Ok(Ok(Ok(outcome))) => Ok(outcome.accepted(prepared.submission.id)),
            Ok(Ok(Err(error))) if error.is_about_the_data() => {
                let error = Arc::try_unwrap(error).unwrap_or(leadline_store::Error::Contended);
                Err(AcceptError::Unstorable(error))
            }
            Ok(Ok(Err(error))) => {
                self.mark_away();
                self.spool(&prepared, &chain(error.as_ref())).await
            }
            Ok(Err(_writer_is_gone)) => self.spool(&prepared, "the writers have stopped").await,
            Err(_elapsed) => {
                self.mark_away();
                self.spool(&prepared, "the store missed its deadline").await
            }
        }
    }

    async fn spool(&self, prepared: &Prepared, reason: &str) -> Result<Accepted, AcceptError> {
        // A batch that missed its deadline may still commit, so the spool's copy may be stored already.
        let is_ours_alone = prepared.claim.abandon();
        let submission = Submission { is_repeatable: true, ..prepared.submission.clone() };
        let receipt = submission.id;
        let workspace = submission.intake.workspace_id;
        let record = spool::Record::Submission(Box::new(submission.clone()));
        self.spool.append(record).await.map_err(AcceptError::NoRoom)?;
        // Where a commit may be under way, or too many wait, destinations are told as of any other lead.
        if is_ours_alone && !prepared.may_be_held() {
            let _too_many_wait = self.to_forward.try_send(submission);
        }
        tracing::warn!(
            event = "lead.persistence_failed",
            submission.id = %receipt,
            workspace.id = %workspace,
            reason,
            "lead.persistence_failed: submission {receipt} waits in the spool"
        );
        Ok(Accepted { receipt, lead: None, duplicate: false, stored: false, held: false })
    }

    /// Whether submissions go straight to the spool at the moment.
    #[must_use]
    pub fn store_is_away(&self) -> bool {
        self.store_is_away.load(Ordering::SeqCst)
    }

    fn mark_away(&self) {
        let was_away = self.store_is_away.swap(true, Ordering::SeqCst);
        if !was_away {
            tracing::error!("the store is away; submissions go to the spool until it answers again");
        }
    }

    fn mark_back(&self) {
        let was_away = self.store_is_away.swap(false, Ordering::SeqCst);
        if was_away {
            tracing::info!("the store answers again");
        }
    }

    /// The spool behind this door.
    #[must_use]
    pub fn spool_handle(&self) -> &Spool {
        &self.spool
    }

    /// The one who looks at addresses before the door opens.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Whether submissions wait for the writer, more than come together now and then.
    pub(crate) fn is_crowded(&self) -> bool {
        self.queue.max_capacity() - self.queue.capacity() >= CROWD
    }

    /// Which custom fields came through this door.
    pub(crate) fn seen_fields(&self) -> &SeenFields {
        &self.seen_fields
    }

    /// The sources known to this door.
    #[must_use]
    pub fn intakes(&self) -> &Intakes {
        &self.intakes
    }
}

impl Queue {
    /// Takes what waits, commits it as one batch, answers, and begins again; until `stop` says otherwise and nothing
    /// waits.
    pub(crate) async fn run_writer(self: Arc<Self>, engine: Engine, mut stop: watch::Receiver<bool>) {
        let mut waiting = Vec::with_capacity(batch::LARGEST);
        loop {
            let taken = async {
                let mut queue = self.waiting.lock().await;
                queue.recv_many(&mut waiting, batch::LARGEST).await
            };
            tokio::select! {
                biased;
                _ = taken => {}
                _ = stop.changed() => return,
            }
            write(&engine.store, std::mem::take(&mut waiting)).await;
            engine.wake.events.notify_one();
        }
    }

    /// Tells destinations of spooled submissions, a few at a time, until `stop` says otherwise.
    pub(crate) async fn run_forwarder(self: Arc<Self>, engine: Engine, mut stop: watch::Receiver<bool>) {
        let mut queue = self.to_forward.lock().await;
        let mut sends = JoinSet::new();
        loop {
            tokio::select! {
                Some(submission) = queue.recv(), if sends.len() < FORWARDED_AT_ONCE => {
                    let engine = engine.clone();
                    sends.spawn(async move { replay::forward(&engine, &submission).await });
                }
                Some(_) = sends.join_next() => {}
                _ = stop.changed() => break,
            }
        }
        while sends.join_next().await.is_some() {}
    }
}

async fn write(store: &Store, waiting: Vec<Waiting>) {
    metrics::histogram!("leadline_batch_size").record(waiting.len() as f64);
    let (prepared, answers): (Vec<_>, Vec<_>) = waiting.into_iter().map(|one| (one.prepared, one.answer)).unzip();
    let outcomes = commit(store, prepared).await;
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // Whoever waited may have gone to the spool by now.
        let _nobody_waits = answer.send(outcome);
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
