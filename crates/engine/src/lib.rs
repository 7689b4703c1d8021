//! What happens: use cases, one transaction each; the event log's way to its consumers; the work behind it.
//!
//! A write is one function here: it decides with `leadline-domain`, stores rows, activity and events in one
//! transaction, and wakes whoever follows. Features ([`capture`], [`crm`], [`delivery`], [`analysis`], [`messaging`],
//! [`automations`], [`campaigns`], [`scoring`], [`visits`], [`alerts`], [`privacy`], [`work`], [`admin`]) never call each other; what
//! one causes in another goes through the event log and [`dispatch`]. Reads skip this crate.

pub mod addresses;
pub mod admin;
pub mod alerts;
pub mod analysis;
pub mod audit;
pub mod automations;
pub mod campaigns;
pub mod capture;
mod conditions;
mod connections;
pub mod crm;
pub mod delivery;
pub mod dispatch;
pub mod erasing;
pub mod geo;
pub mod jobs;
mod lead_changes;
pub mod links;
pub mod live;
pub mod mails;
pub mod messaging;
pub mod privacy;
mod reasons;
pub mod reports;
pub mod retention;
pub mod scoring;
pub mod seal;
pub mod sources;
mod start;
pub mod visits;
pub mod work;

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use leadline_domain::{
    ids::{ActivityId, CredentialId, EventId, LeadId, UserId, WorkspaceId},
    permissions::{Rights, Role},
    time::Timestamp,
};
use leadline_outbound::Client;
use leadline_store::{
    Store,
    events::{NewActivity, NewEvent},
};
use serde_json::Value;
use tokio::sync::Notify;

use uuid::Uuid;

use crate::{geo::Geo, live::Live, seal::Keys};
pub use leadline_outbound::{Mailer, Trust};
pub use start::{Background, Parts, Running, retain};

/// Everything a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// What is derived from the installation's secret key.
    pub keys: Arc<Keys>,
    /// The only way out.
    pub client: Client,
    /// Hints for screens that are open now.
    pub live: Live,
    /// Wakes the dispatcher and the runners.
    pub wake: Arc<Wake>,
    /// What the operator set.
    pub options: Arc<Options>,
    /// Where addresses are.
    pub geo: Geo,
    /// Where submissions come in.
    pub door: capture::Door,
    /// Destinations as they were when the store last answered.
    pub known: delivery::Known,
    /// Access tokens of destinations that ask for one.
    pub tokens: delivery::Tokens,
    /// Refused requests that wait to be kept.
    pub refused: Arc<capture::inbound::refused::Refusals>,
    /// Where browsers report visits.
    pub visits: visits::Visits,
    /// What works on jobs.
    pub jobs: jobs::Kinds,
    /// Who keeps something of persons that no table shows.
    pub keepers: erasing::Keepers,
    /// Channels with their secrets open.
    pub channels: messaging::OpenChannels,
    /// This node, among those that hear its hints.
    pub node: Uuid,
}

/// What the operator set, as far as use cases need it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the spool and the key file are.
    pub data_dir: PathBuf,
    /// How browsers reach us, without a slash at the end.
    pub public_url: String,
    /// `production` or `development`.
    pub environment: String,
    /// Default of new workspaces: hours of silence after which a submission re-engages (0 = never).
    pub reengage_hours: i64,
    /// Default of new workspaces: whether a filled honeypot makes a bot.
    pub bot_detection: bool,
    /// Whether this is a demonstration.
    pub demo: bool,
    /// How long a submission waits for the store before it goes to the spool.
    pub store_deadline: Duration,
    /// Disk space that the spool holds for when the disk is full.
    pub spool_reserve_bytes: usize,
    /// The largest file of leads that may be brought, in bytes.
    pub import_max_bytes: u64,
    /// Where Facebook's Graph API is, with its version.
    pub facebook_graph_url: String,
    /// How long one delivery attempt may take.
    pub delivery_timeout: Duration,
    /// Databases of addresses.
    pub geo: geo::Files,
    /// Sends e-mail to those who work here, where a server is set up.
    pub mailer: Option<Mailer>,
    /// Which certificates the mail servers of channels may show.
    pub mail_trust: Trust,
}

/// The time, from the system or from a test.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test moves: milliseconds since the epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Manual(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }
}

/// Wake-ups carry no data: whoever wakes looks into the store, and would find the same by polling.
#[derive(Debug, Default)]
pub struct Wake {
    /// There may be events to dispatch.
    pub events: Notify,
    /// There may be deliveries to send.
    pub deliveries: Notify,
    /// There may be messages to analyse.
    pub analyses: Notify,
    /// There may be e-mail to send.
    pub mails: Notify,
    /// There may be jobs to work on.
    pub jobs: Notify,
    /// There may be leads that wait for somebody.
    pub work: Notify,
    /// There may be messages to send.
    pub messages: Notify,
    /// There may be steps of automations to start.
    pub automations: Notify,
    /// There may be campaigns to go on with.
    pub campaigns: Notify,
}

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    /// In which workspace.
    pub workspace: WorkspaceId,
    /// A person at the dashboard, a program with a token, or ourselves.
    pub kind: ActorKind,
    /// The person, where there is one.
    pub user: Option<UserId>,
    /// The session or token, where there is one.
    pub credential: Option<CredentialId>,
    /// How the timeline names them.
    pub name: String,
    /// What they may do.
    pub role: Rights,
    /// From where they do it.
    pub ip: Option<IpAddr>,
}

impl Actor {
    /// Leadline itself, or who works with it on the command line.
    #[must_use]
    pub fn system(workspace: WorkspaceId, name: &str) -> Self {
        Self {
            workspace,
            kind: ActorKind::System,
            user: None,
            credential: None,
            name: name.to_owned(),
            role: Role::SuperAdmin.into(),
            ip: None,
        }
    }
}

/// What kind of actor does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A person at the dashboard.
    User,
    /// A program with a token.
    Token,
    /// Leadline itself.
    System,
    /// Whoever sent a submission.
    Visitor,
}

impl ActorKind {
    /// How it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Token => "token",
            Self::System => "system",
            Self::Visitor => "visitor",
        }
    }
}

/// Ten random bytes, for an id.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

impl Engine {
    /// A line for a lead's timeline, by `actor`, now.
    #[must_use]
    pub fn activity(&self, actor: &Actor, lead: LeadId, kind: &str, data: Value) -> NewActivity {
        let now = self.clock.now();
        NewActivity {
            id: ActivityId::new(now, random_bytes()),
            workspace_id: actor.workspace,
            lead_id: lead,
            kind: kind.to_owned(),
            actor_kind: actor.kind.as_str(),
            actor_id: actor.user,
            actor_name: actor.name.clone(),
            data,
            created_at: now.0,
        }
    }

    /// An event about a lead, now.
    #[must_use]
    pub fn event(&self, workspace: WorkspaceId, lead: LeadId, kind: &str, data: Value) -> NewEvent {
        let now = self.clock.now();
        NewEvent {
            id: EventId::new(now, random_bytes()),
            workspace_id: workspace,
            kind: kind.to_owned(),
            lead_id: Some(lead),
            submission_id: None,
            data,
            created_at: now.0,
            dispatched: false,
        }
    }
}
