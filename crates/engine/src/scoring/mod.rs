//! What leads are scored by, and scoring them again: versions of a workspace's weights, a preview of others, the job
//! that goes through all leads, what silence takes, and the history of each lead's scores.
//!
//! New submissions and visits are scored where they come in; this is about leads that are there. The formulas are in
//! `leadline-domain`.

pub mod history;
pub mod preview;
pub mod rescore;
pub mod silence;
pub mod versions;

use leadline_domain::{
    ids::WorkspaceId,
    scores::{self, EngagementFacts, LeadFields, Scoring},
    time::Timestamp,
};
use leadline_store::{
    self as store, Tx,
    events::{self, NewEvent},
    scoring::leads::{Facts, Scores},
};
use serde_json::json;

use crate::{Engine, reasons};

/// Why scoring could not be changed or begun.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// Somebody else made a version in the meantime.
    #[error("another version of the weights was made in the meantime")]
    Stale,
    /// There is no such version.
    #[error("no such version")]
    NotFound,
    /// A re-score goes on already.
    #[error("a re-score goes on already")]
    UnderWay,
    /// The note has too many characters.
    #[error("the note is too long")]
    NoteTooLong,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

/// What a lead's scores are by this scoring, at this time.
fn scored(lead: &Facts, scoring: &Scoring, as_of: Timestamp) -> Scores {
    let weights = &scoring.weights;
    let before = &lead.scores;
    let fit = scores::fit_of(&fields(lead), weights);
    let engagement = before.engagement.map(|_| scores::engagement(&engagement_facts(lead), weights));
    let suspicion = scores::reweigh(reasons::codes(&before.suspicion_reasons), weights);
    let heard_at = lead.last_visit_at.map_or(lead.last_submission_at, |visit| visit.max(lead.last_submission_at));
    let silence = weights.silence(heard_at, as_of);
    let engagement_points = engagement.as_ref().map(|score| i64::from(score.total));
    Scores {
        id: before.id,
        score: reasons::total(engagement_points, fit.total, suspicion.total.into(), silence, weights),
        score_reasons: reasons::of_lead(&fit, silence),
        engagement: engagement_points,
        engagement_reasons: engagement.map(|score| reasons::to_json(&score.reasons)),
        suspicion: suspicion.total.into(),
        suspicion_reasons: reasons::to_json(&suspicion.reasons),
        score_version: scoring.version,
    }
}

fn fields(lead: &Facts) -> LeadFields<'_> {
    LeadFields {
        email: lead.email.as_deref(),
        phone: lead.phone.as_deref(),
        country: lead.country_code.as_deref(),
        name: &lead.name,
        company: lead.company.as_deref(),
        title: lead.title.as_deref(),
        message: lead.message.as_deref(),
        source: &lead.source_name,
        custom_fields: &lead.custom_fields,
    }
}

fn engagement_facts(lead: &Facts) -> EngagementFacts {
    EngagementFacts {
        active_seconds: lead.session_duration_seconds.unwrap_or_default(),
        max_scroll_percent: lead.max_scroll_percent.unwrap_or_default(),
        click_count: lead.click_count.unwrap_or_default(),
        return_sessions: lead.return_visits.unwrap_or_default(),
    }
}

/// Tells open screens that the weights or a re-score moved on.
async fn tell(engine: &Engine, tx: &mut Tx, workspace: WorkspaceId) -> Result<(), store::Error> {
    let now = engine.clock.now();
    let moved = NewEvent {
        id: leadline_domain::ids::EventId::new(now, crate::random_bytes()),
        workspace_id: workspace,
        kind: "scoring.moved".to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[moved]).await
}
