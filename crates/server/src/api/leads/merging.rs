//! Leads that are probably one person, making one of two, and two of it again.

use std::collections::BTreeMap;

use axum::extract::State;
use leadline_domain::{
    ids::{LeadId, MergeId, ProjectId},
    merging::{Choice, Side},
    permissions::Permission,
    time::Timestamp,
    values::Amount,
};
use leadline_engine::{
    Actor,
    crm::merging::{self, MergeError, Preview},
};
use leadline_store::leads::{
    duplicates::{self, Group, SameBy},
    merging::{self as stored, Merge},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::views::CardView;
use crate::{
    api::{masking::Sight, views::All},
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::CurrentActor,
};

/// Fields that somebody can choose for at once.
const WISHES_MAX: usize = 300;

impl From<MergeError> for ApiError {
    fn from(error: MergeError) -> Self {
        let conflict = |detail: &str| Self::new(Code::Conflict).detail(detail);
        match error {
            MergeError::NotFound => Self::not_found(),
            MergeError::NoOther => Self::field("/loserId", "is not another lead here"),
            MergeError::Itself => Self::field("/loserId", "is the lead itself"),
            MergeError::OtherProject => Self::field("/loserId", "is a lead of another project"),
            MergeError::Deleted => conflict("the lead is deleted; restore it first"),
            MergeError::TooLarge => {
                conflict("more belongs to the other lead than can be moved; merge the other way round")
            }
            MergeError::AlreadySplit => conflict("these leads were split already"),
            MergeError::WinnerMerged => conflict("the lead that stayed went into another one since; split those first"),
            MergeError::Internal(error) => error.into(),
        }
    }
}

/// Whose word counts in a field: the lead's that stays, or the other one's.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MergeSide {
    Winner,
    Loser,
}

/// Which lead goes into this one, and whose word counts where it is not told by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MergeRequest {
    /// The lead that goes.
    #[schema(value_type = Uuid)]
    loser_id: LeadId,
    /// By field, `winner` or `loser`. Elsewhere the word of the lead that stays counts, unless it has none.
    #[serde(default)]
    fields: BTreeMap<String, MergeSide>,
}

impl MergeRequest {
    fn wishes(self) -> ApiResult<BTreeMap<String, Side>> {
        if self.fields.len() > WISHES_MAX {
            return Err(ApiError::field("/fields", format!("names at most {WISHES_MAX} fields")));
        }
        let side = |side| match side {
            MergeSide::Winner => Side::Winner,
            MergeSide::Loser => Side::Loser,
        };
        Ok(self.fields.into_iter().map(|(field, wish)| (field, side(wish))).collect())
    }
}

/// What a merge would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MergePreview {
    fields: Vec<MergeField>,
    /// Tags that the lead that stays would get.
    tags: Vec<String>,
    /// What would move.
    submissions: i64,
    activities: i64,
    conversations: i64,
    /// Deliveries stay where they are.
    deliveries: i64,
}

/// A field that one of the two leads has a value in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MergeField {
    /// Named as a lead's own, or `custom.` with a key.
    field: String,
    #[schema(value_type = Option<Object>)]
    winner: Value,
    #[schema(value_type = Option<Object>)]
    loser: Value,
    chosen: MergeSide,
}

impl MergePreview {
    fn new(preview: Preview, sight: Sight) -> Self {
        Self {
            fields: preview.choices.into_iter().map(|choice| MergeField::new(choice, sight)).collect(),
            tags: preview.tags,
            submissions: preview.extent.submissions,
            activities: preview.extent.activities,
            conversations: preview.extent.conversations,
            deliveries: preview.extent.deliveries,
        }
    }
}

impl MergeField {
    fn new(choice: Choice, sight: Sight) -> Self {
        let shown = |value: Value| match (choice.field.as_str(), value) {
            (_, Value::Null) => Value::Null,
            ("quoteValue" | "salesValue", value) => {
                json!(value.as_i64().and_then(Amount::from_milli).map(|amount| amount.to_string()))
            }
            ("company" | "assignedTo" | "quotable", value) => value,
            (_, value) if sight.is_masked() => json!(sight.text(Some(value.to_string()))),
            ("phone", value) => value["phone"].as_str().or(value["raw"].as_str()).map_or(Value::Null, Value::from),
            (_, value) => value,
        };
        let chosen = match choice.chosen {
            Side::Winner => MergeSide::Winner,
            Side::Loser => MergeSide::Loser,
        };
        Self { winner: shown(choice.winner.clone()), loser: shown(choice.loser.clone()), field: choice.field, chosen }
    }
}

/// Two leads that became one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MergeView {
    #[schema(value_type = Uuid)]
    id: MergeId,
    /// The lead that stayed.
    #[schema(value_type = Uuid)]
    winner_id: LeadId,
    /// The lead that went into it. Its id answers with the other one.
    #[schema(value_type = Uuid)]
    loser_id: LeadId,
    loser_name: String,
    merged_by: String,
    #[schema(value_type = String, format = DateTime)]
    merged_at: Timestamp,
    split_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    split_at: Option<Timestamp>,
    /// After a split: fields that were left as they are, since somebody changed them after the merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Vec<String>>,
}

impl MergeView {
    fn new(merge: Merge, sight: Sight) -> Self {
        Self {
            id: merge.id,
            winner_id: merge.winner_id,
            loser_id: merge.loser_id,
            loser_name: sight.name(merge.loser_name),
            merged_by: merge.merged_by,
            merged_at: merge.merged_at,
            split_by: merge.split_by,
            split_at: merge.split_at,
            left: None,
        }
    }
}

/// Tells what a merge would do
#[utoipa::path(post, path = "/v1/identity/leads/{id}/merge-preview", tag = "identity", params(("id" = Uuid, Path)),
    request_body = MergeRequest, responses((status = 200, body = MergePreview)))]
pub(super) async fn preview(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Json(request): Json<MergeRequest>,
) -> ApiResult<Json<MergePreview>> {
    let loser = request.loser_id;
    let preview = merging::preview(&app.engine, &actor, id, loser, &request.wishes()?).await?;
    Ok(Json(MergePreview::new(preview, Sight::of(&actor))))
}

/// Makes one lead of two
///
/// The other one's submissions, timeline, conversations, visitors and tags come to this lead; its deliveries stay where
/// they are. Whoever is known by what named it is taken for this lead from then on, and its id answers with this one.
#[utoipa::path(post, path = "/v1/identity/leads/{id}/merge", tag = "identity", params(("id" = Uuid, Path)),
    request_body = MergeRequest, responses((status = 200, body = MergeView)))]
pub(super) async fn merge(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Json(request): Json<MergeRequest>,
) -> ApiResult<Json<MergeView>> {
    let loser = request.loser_id;
    let merge = merging::merge(&app.engine, &actor, id, loser, &request.wishes()?).await?;
    Ok(Json(MergeView::new(merge, Sight::of(&actor))))
}

/// Lists the leads that went into this one, the latest first
#[utoipa::path(get, path = "/v1/identity/leads/{id}/merges", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = All<MergeView>)))]
pub(super) async fn list_merges(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<Json<All<MergeView>>> {
    super::stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let merges = stored::list_into(&app.reader, actor.workspace, id).await?;
    let sight = Sight::of(&actor);
    Ok(Json(All { data: merges.into_iter().map(|merge| MergeView::new(merge, sight)).collect() }))
}

/// Makes two leads again of what was merged
///
/// What the merge changed is put back where nobody changed it since, and what moved goes back. What came later stays.
#[utoipa::path(post, path = "/v1/identity/lead-merges/{id}/split", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = MergeView)))]
pub(super) async fn split(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MergeId>,
) -> ApiResult<Json<MergeView>> {
    let split = merging::split(&app.engine, &actor, id).await?;
    let merge = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(MergeView { left: Some(split.left), ..MergeView::new(merge, Sight::of(&actor)) }))
}

/// Which duplicates.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct DuplicateQuery {
    /// `email`, `phone`, or `name` for name and company; `email` where it is absent.
    by: Option<String>,
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Where to go on: the `next` of the answer before.
    after: Option<String>,
}

/// Leads that are probably one person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DuplicateGroup {
    /// What is the same: `email`, `phone` or `name`.
    by: &'static str,
    /// How many leads there are of it in the project.
    count: i64,
    /// The one that came first, and the one that came last.
    leads: Vec<CardView>,
}

/// Some groups of leads that are probably one person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DuplicateList {
    data: Vec<DuplicateGroup>,
    /// Where to go on; null where all leads were looked at. There may be groups behind it even where none came.
    next: Option<String>,
}

/// Finds leads of one project that are probably one person
///
/// A bounded number of leads is looked at for each answer. Needs the permission `pii:view` as well: what is the same
/// tells of it.
#[utoipa::path(get, path = "/v1/identity/lead-duplicates", tag = "identity", params(DuplicateQuery),
    responses((status = 200, body = DuplicateList)))]
pub(super) async fn list_duplicates(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<DuplicateQuery>,
) -> ApiResult<Json<DuplicateList>> {
    demand_sight(&actor)?;
    let by = query.by.as_deref().filter(|by| !by.is_empty()).unwrap_or("email");
    let by = SameBy::parse(by).ok_or_else(|| ApiError::field("/by", "must be email, phone or name"))?;
    // No lead holds U+0000, and PostgreSQL refuses to look for it.
    let after = query.after.map(|after| after.replace('\0', "")).filter(|after| !after.is_empty());
    let found = duplicates::list(&app.reader, actor.workspace, by, query.project_id, after.as_deref()).await?;
    let group = |group: Group| DuplicateGroup {
        by: by.as_str(),
        count: group.count,
        leads: group.cards.into_iter().map(|card| CardView::new(card, Sight::of(&actor), Some(&[]))).collect(),
    };
    Ok(Json(DuplicateList { data: found.groups.into_iter().map(group).collect(), next: found.next }))
}

fn demand_sight(actor: &Actor) -> ApiResult<()> {
    if actor.role.may(Permission::PiiView) {
        return Ok(());
    }
    Err(ApiError::new(Code::Forbidden).detail(format!("this needs the permission {}", Permission::PiiView)))
}
