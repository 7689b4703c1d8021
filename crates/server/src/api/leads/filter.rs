//! Which leads a request asks for, in lists and on the board alike.

use leadline_domain::ids::{PipelineId, ProjectId, StageId};
use leadline_engine::Actor;
use leadline_store::{
    leads::{Assigned, FromSource, LeadFilter, Search, SearchScope},
    search::Terms,
};

use crate::{
    api::{masking::Sight, views::Window},
    error::{ApiError, ApiResult},
};

/// The longest search, in characters.
const SEARCH_MAX_CHARS: usize = 500;

/// The most rows on a page.
pub(crate) const ROWS_MAX: i64 = 200;

/// Rows on a page where nothing is said.
pub(crate) const ROWS: i64 = 50;

/// The filters of a request, as they stand in its query.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) search: Option<String>,
    pub(crate) stage: Option<StageId>,
    pub(crate) pipeline: Option<PipelineId>,
    pub(crate) project: Option<ProjectId>,
    pub(crate) source: Option<String>,
    pub(crate) assigned_to: Option<String>,
    pub(crate) tag: Option<String>,
}

impl Asked {
    /// Reads the filters. Who may not see personal data searches companies alone: finding a lead by its e-mail would
    /// tell the e-mail.
    pub(crate) fn filter(self, actor: &Actor) -> ApiResult<LeadFilter> {
        let search = self.search.unwrap_or_default();
        if search.chars().count() > SEARCH_MAX_CHARS {
            return Err(ApiError::field("/search", format!("has at most {SEARCH_MAX_CHARS} characters")));
        }
        let scope = match Sight::of(actor) {
            Sight::Clear => SearchScope::Everything,
            Sight::Masked => SearchScope::Company,
        };
        Ok(LeadFilter {
            search: Terms::parse(&search).map(|terms| Search { terms, scope }),
            stage: self.stage,
            pipeline: self.pipeline,
            project: self.project,
            source: said(self.source).map(|source| source.parse().map_or(FromSource::Kind(source), FromSource::One)),
            assigned: said(self.assigned_to).map(|who| assigned(&who, actor)).transpose()?,
            tag: said(self.tag),
        })
    }
}

/// A text that a query names; an empty one names nothing.
fn said(text: Option<String>) -> Option<String> {
    // No lead can hold U+0000, and PostgreSQL refuses to look for it.
    text.map(|text| text.replace('\0', "")).filter(|text| !text.is_empty())
}

fn assigned(who: &str, actor: &Actor) -> ApiResult<Assigned> {
    match who {
        "none" => Ok(Assigned::Nobody),
        "me" => {
            let user = actor.user.ok_or_else(|| ApiError::field("/assignedTo", "this token belongs to nobody"))?;
            Ok(Assigned::User(user))
        }
        id => {
            let user = id.parse().map_err(|_| ApiError::field("/assignedTo", "must be me, none or a user's id"))?;
            Ok(Assigned::User(user))
        }
    }
}

/// How many rows a request asks for.
pub(crate) fn rows(limit: Option<i64>) -> ApiResult<i64> {
    let limit = limit.unwrap_or(ROWS);
    if (1..=ROWS_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::field("/limit", format!("must be 1 to {ROWS_MAX}")))
}

/// The page that a request asks for.
pub(crate) fn window(page: Option<i64>, limit: Option<i64>) -> ApiResult<Window> {
    let (page, limit) = (page.unwrap_or(1), rows(limit)?);
    if page < 1 {
        return Err(ApiError::field("/page", "must be at least 1"));
    }
    Ok(Window { page, limit })
}
