//! Which leads a request asks for, in lists and on the board alike, and in which order.

use std::collections::HashMap;

use leadline_domain::{
    custom_fields::{CustomKind, is_usable_key},
    filters::{Facts, Filter, FilterFault, Kind, LONGEST_JSON, Moment, Segments},
    ids::{PipelineId, ProjectId, SegmentId, StageId, UserId},
    time::Timestamp,
};
use leadline_engine::{Actor, alerts::watch::timezone_of};
use leadline_store::{
    Reader, custom_fields,
    leads::{Assigned, FromSource, LeadFilter, Search, SearchScope, SortBy, SortOrder},
    search::Terms,
    segments, workspaces,
};
use serde_json::Value;

use crate::{
    api::{masking::Sight, views::Window},
    app::App,
    error::{ApiError, ApiResult, Code},
};

/// The longest search, in characters.
const SEARCH_MAX_CHARS: usize = 500;

/// The most rows on a page.
pub(crate) const ROWS_MAX: i64 = 200;

/// Rows on a page where nothing is said.
pub(crate) const ROWS: i64 = 50;

/// The most custom fields that come with a card.
const CARD_FIELDS_MAX: usize = 40;

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
    pub(crate) filter: Option<String>,
    pub(crate) segment: Option<SegmentId>,
}

impl Asked {
    /// Reads the filters. Who may not see personal data searches companies alone: finding a lead by its e-mail would
    /// tell the e-mail.
    pub(crate) async fn filter(self, app: &App, actor: &Actor) -> ApiResult<LeadFilter> {
        self.read(&app.reader, app.engine.clock.now(), actor).await
    }

    /// The same for whoever asks without HTTP.
    pub(crate) async fn read(self, reader: &Reader, now: Timestamp, actor: &Actor) -> ApiResult<LeadFilter> {
        let search = self.search.unwrap_or_default();
        if search.chars().count() > SEARCH_MAX_CHARS {
            return Err(ApiError::field("/search", format!("has at most {SEARCH_MAX_CHARS} characters")));
        }
        let scope = match Sight::of(actor) {
            Sight::Clear => SearchScope::Everything,
            Sight::Masked => SearchScope::Company,
        };
        let reading = match (&self.filter, self.segment) {
            (None, None) => None,
            (Some(_), _) | (_, Some(_)) => Some(FilterReading::of(reader, actor, now).await?),
        };
        let mut conditions = Vec::new();
        if let (Some(reading), Some(text)) = (&reading, said(self.filter)) {
            conditions.push(parsed(reading, actor, &text)?);
        }
        if let (Some(reading), Some(segment)) = (&reading, self.segment) {
            conditions.push(of_segment(reader, reading, actor, segment).await?);
        }
        Ok(LeadFilter {
            search: Terms::parse(&search).map(|terms| Search { terms, scope }),
            stage: self.stage,
            pipeline: self.pipeline,
            project: self.project,
            source: said(self.source).map(|source| source.parse().map_or(FromSource::Kind(source), FromSource::One)),
            assigned: said(self.assigned_to).map(|who| assigned(&who, actor)).transpose()?,
            tag: said(self.tag),
            conditions: (!conditions.is_empty()).then_some(Filter::All(conditions)),
        })
    }
}

fn parsed(reading: &FilterReading, actor: &Actor, text: &str) -> ApiResult<Filter> {
    if text.len() > LONGEST_JSON {
        return Err(ApiError::field("/filter", format!("has at most {LONGEST_JSON} bytes")));
    }
    let json: Value = serde_json::from_str(text)
        .map_err(|error| ApiError::field("/filter", format!("is not valid JSON: {error}")))?;
    reading.read(actor, &json).map_err(|faults| refused("/filter", faults))
}

/// What a segment asks. One that asks for what may not be seen does not exist: who is in it would tell.
pub(crate) async fn of_segment(
    reader: &Reader,
    reading: &FilterReading,
    actor: &Actor,
    segment: SegmentId,
) -> ApiResult<Filter> {
    let no_segment = || ApiError::field("/segmentId", "is not a segment here");
    let segment = segments::find(reader, actor.workspace, segment).await?.ok_or_else(no_segment)?;
    reading.read_for_all(actor, &segment.filter).map_err(|faults| {
        let is_forbidden = faults.iter().any(|fault| fault.is_forbidden);
        if is_forbidden { no_segment() } else { refused("/segmentId", faults) }
    })
}

/// What filters of a workspace are read with.
pub(crate) struct FilterReading {
    moment: Moment,
    custom: HashMap<String, CustomKind>,
    segments: Segments,
}

impl FilterReading {
    pub(crate) async fn load(app: &App, actor: &Actor) -> ApiResult<Self> {
        Self::of(&app.reader, actor, app.engine.clock.now()).await
    }

    pub(crate) async fn of(reader: &Reader, actor: &Actor, now: Timestamp) -> ApiResult<Self> {
        let workspace = workspaces::find(reader, actor.workspace).await?.ok_or_else(ApiError::not_found)?;
        let custom = custom_fields::kinds(reader, actor.workspace).await?;
        let moment = Moment { now, timezone: timezone_of(&workspace.settings) };
        let segments = segments::filters(reader, actor.workspace).await?;
        Ok(Self { moment, custom, segments })
    }

    pub(crate) fn read(&self, actor: &Actor, json: &Value) -> Result<Filter, Vec<FilterFault>> {
        self.read_by(actor, actor.user, json)
    }

    /// Reads what means the same for everybody: there is no `me` in it.
    pub(crate) fn read_for_all(&self, actor: &Actor, json: &Value) -> Result<Filter, Vec<FilterFault>> {
        self.read_by(actor, None, json)
    }

    fn read_by(&self, actor: &Actor, me: Option<UserId>, json: &Value) -> Result<Filter, Vec<FilterFault>> {
        let sees_personal = Sight::of(actor) == Sight::Clear;
        Filter::read(json, &self.facts(me, sees_personal))
    }

    /// Reads what a segment asks, which cannot be who is in it.
    pub(crate) fn read_segment(&self, actor: &Actor, id: SegmentId, json: &Value) -> Result<Filter, Vec<FilterFault>> {
        Filter::read_segment(id, json, &self.facts(None, Sight::of(actor) == Sight::Clear))
    }

    fn facts(&self, me: Option<UserId>, sees_personal: bool) -> Facts<'_> {
        Facts { moment: self.moment, me, custom: &self.custom, segments: &self.segments, sees_personal }
    }
}

/// The answer to a filter that is wrong, or asks for what may not be seen.
pub(crate) fn refused(at: &str, faults: Vec<FilterFault>) -> ApiError {
    let is_forbidden = faults.iter().all(|fault| fault.is_forbidden);
    if let (true, Some(fault)) = (is_forbidden, faults.first()) {
        return ApiError::new(Code::Forbidden).detail(fault.message.clone());
    }
    let pointed =
        |error: ApiError, fault: FilterFault| error.and_field(format!("{at}{}", fault.pointer), fault.message);
    faults.into_iter().fold(ApiError::new(Code::InvalidFields), pointed)
}

/// A text that a query names; an empty one names nothing.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    // No lead can hold U+0000, and PostgreSQL refuses to look for it.
    text.map(|text| text.replace('\0', "")).filter(|text| !text.is_empty())
}

pub(crate) fn assigned(who: &str, actor: &Actor) -> ApiResult<Assigned> {
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

/// The names of what a list can be sorted by, beside `custom.` with a key.
pub(crate) const SORTS: [(&str, SortBy); 17] = [
    ("createdAt", SortBy::CreatedAt),
    ("updatedAt", SortBy::UpdatedAt),
    ("lastSubmissionAt", SortBy::LastSubmissionAt),
    ("name", SortBy::Name),
    ("score", SortBy::Score),
    ("email", SortBy::Email),
    ("phone", SortBy::Phone),
    ("company", SortBy::Company),
    ("title", SortBy::Title),
    ("source", SortBy::Source),
    ("stage", SortBy::Stage),
    ("assignedTo", SortBy::AssignedTo),
    ("engagement", SortBy::Engagement),
    ("suspicion", SortBy::Suspicion),
    ("submissionCount", SortBy::SubmissionCount),
    ("stageEnteredAt", SortBy::StageEnteredAt),
    ("convertedAt", SortBy::ConvertedAt),
];

/// What a list of leads is sorted by. The order of names tells about names, so it is not for who may not see them.
pub(crate) async fn sort(
    reader: &Reader,
    actor: &Actor,
    by: Option<&str>,
    order: SortOrder,
) -> ApiResult<(SortBy, SortOrder)> {
    let name = by.filter(|name| !name.is_empty()).unwrap_or("createdAt");
    let unknown = || ApiError::field("/sortBy", "is not something that leads can be sorted by");
    let sort = match name.strip_prefix("custom.") {
        None => SORTS.iter().find(|(known, _)| *known == name).map(|(_, sort)| sort.clone()).ok_or_else(unknown)?,
        Some(key) if is_usable_key(key) => {
            let kinds = custom_fields::kinds(reader, actor.workspace).await?;
            SortBy::Custom { key: key.to_owned(), kind: kinds.get(key).map_or(Kind::Text, |kind| kind_of(*kind)) }
        }
        Some(_) => return Err(unknown()),
    };
    let is_personal = matches!(sort, SortBy::Name | SortBy::Email | SortBy::Phone | SortBy::Custom { .. });
    if is_personal && Sight::of(actor).is_masked() {
        let detail = format!("sorting by {name} needs the permission pii:view");
        return Err(ApiError::new(Code::Forbidden).detail(detail));
    }
    Ok((sort, order))
}

/// As what the values of a custom field are compared.
fn kind_of(kind: CustomKind) -> Kind {
    match kind {
        CustomKind::Number => Kind::Number,
        CustomKind::Date => Kind::Day,
        CustomKind::Text | CustomKind::Url | CustomKind::Select | CustomKind::MultiSelect | CustomKind::Boolean => {
            Kind::Text
        }
    }
}

/// The custom fields that come with each card: those that are asked for, or those that the workspace wants on cards.
pub(crate) async fn card_fields(app: &App, actor: &Actor, asked: Option<String>) -> ApiResult<Vec<String>> {
    let Some(asked) = asked else {
        let defined = custom_fields::defined(&app.reader, actor.workspace).await?;
        return Ok(defined.into_iter().filter(|field| field.is_on_card).map(|field| field.key).collect());
    };
    let keys: Vec<String> = asked.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect();
    if keys.len() > CARD_FIELDS_MAX {
        return Err(ApiError::field("/customFields", format!("names at most {CARD_FIELDS_MAX} fields")));
    }
    Ok(keys)
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
