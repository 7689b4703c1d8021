//! What is known of a submission before its fields are looked at: whether its address is blocked, trusted, or sends too
//! many. Asked at the door of everything that a browser sends, whichever way it comes in.

use std::sync::{Arc, atomic::AtomicBool};

use leadline_domain::{ids::BlockedIpId, time::Timestamp};
use leadline_store::{Store, sources::Intake};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Submission,
    blocklist::{Block, Blocklist},
    detection::Detection,
    rate::Limiter,
};
use crate::addresses::{self, may_be_one_visitors};

/// What was decided about a submission before its fields were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Standing {
    /// Nothing: what it says decides.
    #[default]
    Open,
    /// Its address always comes through.
    Trusted,
    /// Too many came from its address.
    RateLimited,
    /// Its address is blocked: it is recorded, and nothing else.
    Blocked {
        /// The block.
        id: BlockedIpId,
        /// Its range.
        range: String,
    },
    /// A person let it out of quarantine.
    Released {
        /// Who, as people call them.
        by: String,
        /// When it had come and was held back.
        held_at: Timestamp,
    },
}

impl From<Block> for Standing {
    fn from(block: Block) -> Self {
        Self::Blocked { id: block.id, range: block.range }
    }
}

/// The one who looks at addresses. Cheap to clone.
#[derive(Clone)]
pub struct Watch {
    blocklist: Blocklist,
    limiter: Arc<Limiter>,
    /// Whether honeypots are caught in workspaces that say nothing about it.
    bot_detection: bool,
}

impl Watch {
    pub(super) fn new(store: Store, store_is_away: Arc<AtomicBool>, bot_detection: bool) -> Self {
        Self { blocklist: Blocklist::new(store, store_is_away), limiter: Arc::default(), bot_detection }
    }

    /// The block that an address falls under. A way in for browsers asks this first, before it looks at what was sent.
    pub async fn block(&self, intake: &Intake, ip: &str, now: Timestamp) -> Option<Block> {
        let ip = addresses::parse(ip)?;
        if Detection(&intake.workspace_settings).trusts(ip) {
            return None;
        }
        self.blocklist.find(intake.workspace_id, ip, now).await
    }

    /// Forgets which addresses are blocked: that changed here.
    pub(super) fn forget(&self) {
        self.blocklist.forget();
    }

    /// Decides what can be decided by the address.
    pub(super) async fn judge(&self, submission: &mut Submission) {
        if let Value::Object(settings) = &mut submission.intake.workspace_settings {
            settings.entry("botDetection").or_insert(self.bot_detection.into());
        }
        if submission.standing == Standing::Open && submission.request.is_browser {
            submission.standing = self.standing(submission).await;
        }
    }

    async fn standing(&self, submission: &Submission) -> Standing {
        let intake = &submission.intake;
        let Some(ip) = submission.request.ip.as_deref().and_then(addresses::parse) else { return Standing::Open };
        let detection = Detection(&intake.workspace_settings);
        if detection.trusts(ip) {
            return Standing::Trusted;
        }
        let now = submission.received_at;
        if let Some(block) = self.blocklist.find(intake.workspace_id, ip, now).await {
            return block.into();
        }
        let Some(rate) = detection.rate_per_minute().filter(|_| may_be_one_visitors(ip)) else {
            return Standing::Open;
        };
        let source = intake.source_id.map_or(intake.workspace_id.0, |source| source.0);
        if self.limiter.is_over(source, ip, rate, now) { Standing::RateLimited } else { Standing::Open }
    }
}
