//! Leads, as people and programs read and change them: lists, the board, and the rows behind one lead.
//!
//! A filter that finds few leads is answered from those few, and a search that finds many from the newest of them. Any
//! other filter that finds many is walked in the order of the answer, since enough of them come soon ([`found`]). No
//! request looks through more than a bounded number of rows, whatever is asked. Who locks leads does so in the order of
//! their ids, and holds their stages before (see `pipelines`).

mod among;
mod board;
mod change;
mod conditions;
pub mod duplicates;
mod found;
mod list;
pub mod merging;
mod persons;
mod reach;
mod read;
mod sort;
pub mod splitting;
mod stays;
mod sweep;
mod tally;
pub(crate) mod values;
mod walked;

use leadline_domain::{
    filters::Filter,
    ids::{ContactId, LeadId, PipelineId, ProjectId, SourceId, StageId, UserId},
    time::Timestamp,
    values::Values,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{search::Terms, visits::standing::Figures};

pub use among::{matching, matching_now, newest, owners};
pub use board::{Column, StagePage, board, stage_page};
pub use change::{
    Details, Locked, Moved, Returned, Tagged, assign, claim_free_identities, convert, delete_tags, find_identity,
    find_member, lock, lock_free, lock_in_stages, move_back, move_to, names_of_users, neighbour_below,
    release_identities, set_deleted, set_tags, top_of, update_details,
};
pub use list::{Depth, Listed, list, list_to_depth};
pub(crate) use persons::{People, of_contact, people};
pub use reach::{Reach, reach};
pub use read::{Related, find, list_by_id, list_of_contact, load, related};
pub use sort::{SortBy, SortOrder};
pub use stays::{NewStay, insert_stays};
pub use sweep::{Place, Sweep, Swept, few, sweep, total};
pub use values::{LeadValues, set_close_reason, set_values};
pub use walked::{LeadRows, LeadWalk, lead_ids, walk};

/// Which leads somebody wants to see. Nothing set means all that are not deleted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LeadFilter {
    /// Whose text holds these words.
    pub search: Option<Search>,
    /// In this stage.
    pub stage: Option<StageId>,
    /// In this pipeline.
    pub pipeline: Option<PipelineId>,
    /// About this project.
    pub project: Option<ProjectId>,
    /// That came this way.
    pub source: Option<FromSource>,
    /// That belong to this user, or to nobody.
    pub assigned: Option<Assigned>,
    /// That carry this tag.
    pub tag: Option<String>,
    /// Of which these conditions hold.
    pub conditions: Option<Filter>,
}

/// What to look for, and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Search {
    /// The words.
    pub terms: Terms,
    /// Where they may stand.
    pub scope: SearchScope,
}

/// Where a search looks. Who may not see personal data must not find it out by searching for it either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchScope {
    /// In name, e-mail, phone and company.
    Everything,
    /// In the company alone.
    Company,
}

/// Where a lead came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSource {
    /// A kind of source: `form`, `webhook`, `api`, `manual`, ….
    Kind(String),
    /// One form or inbound webhook.
    One(SourceId),
}

/// Whose lead it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assigned {
    /// Nobody's.
    Nobody,
    /// This user's.
    User(UserId),
}

/// A place in a column of the board, to go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The rank of the last card that was shown.
    pub rank: String,
    /// That card.
    pub id: LeadId,
}

/// A lead as a card of the board and as a row of the list.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Card {
    pub id: LeadId,
    pub project_id: ProjectId,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
    pub rank: String,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub source: String,
    pub source_name: String,
    pub tags: Vec<String>,
    pub custom_fields: Map<String, Value>,
    pub score: i64,
    pub suspicion: i64,
    pub assigned_to: Option<UserId>,
    pub assigned_to_name: Option<String>,
    pub submission_count: i64,
    pub last_submission_at: Timestamp,
    pub stage_entered_at: Timestamp,
    /// What it is worth.
    pub values: Values,
    /// Why it was won or lost.
    pub close_reason: Option<String>,
    pub is_test: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A whole lead, with the names of what it points at.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Lead {
    pub card: Card,
    pub number: i64,
    pub contact_id: ContactId,
    pub project_name: Option<String>,
    pub stage_name: Option<String>,
    /// The workspace's currency, where it chose one.
    pub currency: Option<String>,
    pub phone_raw: Option<String>,
    pub country_code: Option<String>,
    pub source_id: Option<SourceId>,
    pub message: Option<String>,
    /// What visits say.
    pub figures: Figures,
    pub score_reasons: Value,
    pub suspicion_reasons: Value,
    pub first_touch: Value,
    pub last_touch: Value,
    pub visitor_id: Option<String>,
    /// `in_progress` while the lead's chat goes on, else `completed`.
    pub lead_state: String,
    pub context: Option<Value>,
    pub lead_analysis: Option<Value>,
    pub converted_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// The lead that it went into.
    pub merged_into: Option<LeadId>,
}
