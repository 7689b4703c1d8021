//! Which deliveries are meant: by the log, by its counts, and by whoever sends many of them again.

use leadline_domain::{
    ids::{DestinationId, LeadId, WorkspaceId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::State;
use crate::{
    Dialect,
    sql::{IntoParam, Param},
};

/// Which deliveries are meant. Stored with jobs that go through them, so fields are only ever added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Those to this destination.
    pub destination: Option<DestinationId>,
    /// Those in this state.
    pub state: Option<State>,
    /// Those about this lead.
    pub lead: Option<LeadId>,
    /// Those of this kind of event.
    pub event: Option<String>,
    /// Those made at this time or later; of dead letters, those that died then.
    pub from: Option<Timestamp>,
    /// Those made (or, of dead letters, died) before this time.
    pub to: Option<Timestamp>,
    /// Those whose last answer had this status.
    pub http_status: Option<i64>,
    /// Those whose last error holds this text, in any case.
    pub error: Option<String>,
}

impl Filter {
    /// The time that the deliveries are in order by. Whoever looks for failures asks when they failed, which with hours
    /// between attempts is another time than when the delivery was made.
    pub(super) fn clock(&self) -> &'static str {
        match self.state {
            Some(State::Dead) => "d.finished_at",
            Some(State::Pending | State::Delivered | State::Cancelled | State::Skipped) | None => "d.created_at",
        }
    }

    /// What stands after WHERE, for the table `deliveries AS d`, with its parameters from `$1` on.
    ///
    /// The indexes that answer: `deliveries_by_event`, `deliveries_of_destination`, `deliveries_of_lead`, for dead
    /// letters `deliveries_dead` and `deliveries_dead_of`, for failures `deliveries_by_answer`, else
    /// `deliveries_of_workspace`. A status of success is looked for along time: mostly the next row has it.
    pub(super) fn conditions(&self, dialect: Dialect, workspace: WorkspaceId) -> Conditions {
        // Of one destination or lead there are few among all of the workspace.
        let is_of_one = self.destination.is_some() || self.lead.is_some();
        let of_workspace =
            if is_of_one { dialect.equal_unindexed("d.workspace_id", 1) } else { "d.workspace_id = $1".to_owned() };
        let mut these = Conditions { texts: vec![of_workspace], values: vec![workspace.param()] };
        if let Some(id) = self.destination {
            these.add("d.destination_id = ", id.param());
        }
        if let Some(id) = self.lead {
            these.add("d.lead_id = ", id.param());
        }
        if let Some(state) = self.state {
            // Written out and not a parameter, so that the indexes over one state can answer.
            these.texts.push(format!("d.state = '{}'", state.as_str()));
        }
        if let Some(event) = &self.event {
            these.add("d.event = ", event.param());
        }
        if let Some(from) = self.from {
            these.add(&format!("{} >= ", self.clock()), from.param());
        }
        if let Some(to) = self.to {
            these.add(&format!("{} < ", self.clock()), to.param());
        }
        if let Some(status) = self.http_status {
            these.add("d.last_status = ", status.param());
            let is_a_failure = !(200..300).contains(&status);
            if is_a_failure {
                these.texts.push("d.last_error IS NOT NULL".to_owned());
            }
        }
        if let Some(error) = &self.error {
            these.texts.push("d.last_error IS NOT NULL".to_owned());
            these.values.push(pattern(error).param());
            these.texts.push(format!(r"lower(d.last_error) LIKE ${} ESCAPE '\'", these.values.len()));
        }
        these
    }
}

/// Conditions with their parameters.
pub(super) struct Conditions {
    texts: Vec<String>,
    pub(super) values: Vec<Param>,
}

impl Conditions {
    /// One more, which ends where its parameter goes.
    pub(super) fn add(&mut self, text: &str, value: Param) {
        self.values.push(value);
        self.texts.push(format!("{text}${}", self.values.len()));
    }

    /// One more, whose parameters are there already.
    pub(super) fn add_text(&mut self, text: String) {
        self.texts.push(text);
    }

    pub(super) fn text(&self) -> String {
        self.texts.join(" AND ")
    }
}

fn pattern(text: &str) -> String {
    let escaped = text.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{escaped}%")
}
