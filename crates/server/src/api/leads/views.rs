//! How leads look outside.

use leadline_domain::{
    ids::{ActivityId, ContactId, DestinationId, LeadId, PipelineId, ProjectId, SourceId, StageId, UserId},
    phones,
    time::Timestamp,
    values::{Amount, DEFAULT_CURRENCY},
};
use leadline_store::{
    crm_links::StoredLink,
    custom_fields::CustomField,
    events::Activity,
    leads::{Card, Lead, Related},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    response::{ResponseView, Responses},
    scores,
    values::QuotableName,
    visits::EngagementView,
};
use crate::api::{analysis::AnalysisView, context::ContextView, masking::Sight};

/// A lead as a card of the board and as a row of the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CardView {
    #[schema(value_type = Uuid)]
    id: LeadId,
    name: String,
    email: Option<String>,
    /// In E.164.
    phone: Option<String>,
    /// As people read it.
    phone_display: Option<String>,
    company: Option<String>,
    title: Option<String>,
    /// `form`, `webhook`, `api`, `manual`, ….
    source: String,
    source_name: String,
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    tags: Vec<String>,
    /// By camelCase key. A lead by itself has all of them, and `_displayNames` says how people call them; in lists
    /// there are those that were asked for.
    #[schema(value_type = Object)]
    custom_fields: Map<String, Value>,
    score: i64,
    suspicion: i64,
    #[schema(value_type = Option<Uuid>)]
    assigned_to: Option<UserId>,
    assigned_to_name: Option<String>,
    #[schema(value_type = Uuid)]
    stage_id: StageId,
    #[schema(value_type = Uuid)]
    pipeline_id: PipelineId,
    submission_count: i64,
    #[schema(value_type = String, format = DateTime)]
    last_submission_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    stage_entered_at: Timestamp,
    quotable: QuotableName,
    /// In the workspace's currency, exactly.
    #[schema(example = "1250.50")]
    quote_value: Option<String>,
    /// In the workspace's currency, exactly.
    #[schema(example = "1250.50")]
    sales_value: Option<String>,
    /// Why it was won or lost; null while it is open, or where nobody said.
    close_reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Grows with every change.
    version: i64,
    is_test: bool,
    /// How it stands with the first answer; null where nobody waits for one.
    response: Option<ResponseView>,
}

impl CardView {
    /// A card with these custom fields, or with all of them.
    pub(crate) fn new(card: Card, sight: Sight, fields: Option<&[String]>) -> Self {
        let mut custom_fields = card.custom_fields;
        if let Some(fields) = fields {
            custom_fields.retain(|key, _| key != "_displayNames" && fields.contains(key));
        }
        let phone_display = match sight {
            Sight::Clear => card.phone.as_deref().map(phones::international),
            Sight::Masked => sight.phone(card.phone.clone()),
        };
        Self {
            id: card.id,
            name: sight.name(card.name),
            email: sight.email(card.email),
            phone: sight.phone(card.phone),
            phone_display,
            company: card.company,
            title: card.title,
            source: card.source,
            source_name: card.source_name,
            project_id: card.project_id,
            tags: card.tags,
            custom_fields: sight.custom_fields(custom_fields),
            score: card.score,
            suspicion: card.suspicion,
            assigned_to: card.assigned_to,
            assigned_to_name: card.assigned_to_name,
            stage_id: card.stage_id,
            pipeline_id: card.pipeline_id,
            submission_count: card.submission_count,
            last_submission_at: card.last_submission_at,
            stage_entered_at: card.stage_entered_at,
            quotable: card.values.quotable.into(),
            quote_value: card.values.quote.as_ref().map(Amount::to_string),
            sales_value: card.values.sales.as_ref().map(Amount::to_string),
            close_reason: card.close_reason,
            created_at: card.created_at,
            updated_at: card.updated_at,
            version: card.version,
            is_test: card.is_test,
            response: None,
        }
    }

    /// With how it stands with the first answer.
    pub(crate) fn with_response(self, responses: &Responses) -> Self {
        Self { response: responses.of(self.id), ..self }
    }
}

/// A whole lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeadView {
    #[serde(flatten)]
    card: CardView,
    /// Counts all leads of the installation; for people.
    number: i64,
    project_name: Option<String>,
    stage_name: Option<String>,
    /// What `quoteValue` and `salesValue` are in.
    #[schema(example = "EUR")]
    currency: String,
    #[schema(value_type = Uuid)]
    contact_id: ContactId,
    /// As entered.
    phone_raw: Option<String>,
    /// The phone's country, as an ISO region.
    country_code: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    /// The latest one.
    message: Option<String>,
    #[serde(flatten)]
    visits: EngagementView,
    #[schema(value_type = Vec<Object>)]
    score_reasons: Value,
    #[schema(value_type = Vec<Object>)]
    suspicion_reasons: Value,
    #[schema(value_type = Option<Object>)]
    first_touch: Value,
    #[schema(value_type = Option<Object>)]
    last_touch: Value,
    visitor_id: Option<String>,
    /// `in_progress` while the lead's chat goes on, else `completed`. The stage is something else.
    state: String,
    /// Of the latest submission that told anything; null where none did.
    context: Option<ContextView>,
    /// What the newest message says; null where there is none, or it was not analysed yet.
    lead_analysis: Option<AnalysisView>,
    #[schema(value_type = Option<String>, format = DateTime)]
    converted_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    /// Whether personal data is masked, for want of `pii:view`.
    masked: bool,
}

impl LeadView {
    /// A lead whose custom fields are called as the workspace defined it, and else as they came.
    pub(crate) fn new(mut lead: Lead, defined: &[CustomField], responses: &Responses, sight: Sight) -> Self {
        name_fields(&mut lead.card.custom_fields, defined);
        Self {
            card: CardView::new(lead.card, sight, None).with_response(responses),
            number: lead.number,
            project_name: lead.project_name,
            stage_name: lead.stage_name,
            currency: lead.currency.unwrap_or_else(|| DEFAULT_CURRENCY.to_owned()),
            contact_id: lead.contact_id,
            phone_raw: sight.phone(lead.phone_raw),
            country_code: lead.country_code,
            source_id: lead.source_id,
            message: sight.text(lead.message),
            visits: EngagementView::new(lead.figures, &lead.first_touch, sight),
            score_reasons: lead.score_reasons,
            suspicion_reasons: scores::shown(lead.suspicion_reasons),
            first_touch: sight.touch(lead.first_touch),
            last_touch: sight.touch(lead.last_touch),
            visitor_id: sight.identifier(lead.visitor_id),
            state: lead.lead_state,
            context: ContextView::of(lead.context, sight),
            lead_analysis: AnalysisView::of(lead.lead_analysis, sight),
            converted_at: lead.converted_at,
            deleted_at: lead.deleted_at,
            masked: sight.is_masked(),
        }
    }
}

fn name_fields(fields: &mut Map<String, Value>, defined: &[CustomField]) {
    let names: Vec<&CustomField> = defined.iter().filter(|field| fields.contains_key(&field.key)).collect();
    if names.is_empty() {
        return;
    }
    let shown = fields.entry("_displayNames").or_insert_with(|| Value::Object(Map::new()));
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(names.into_iter().map(|field| (field.key.clone(), field.name.clone().into())));
    }
}

/// A lead with the newest part of its timeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeadDetail {
    #[serde(flatten)]
    lead: LeadView,
    /// Other projects that the same person asked about, the newest first; at most 50 leads are looked at.
    related_projects: Vec<RelatedView>,
    /// What systems that it was sent to told of it, the latest news first; at most 50.
    crm_links: Vec<CrmLinkView>,
    /// Newest first, at most 100.
    activity: Vec<ActivityView>,
    /// How many there are in all.
    activity_total: i64,
}

impl LeadDetail {
    pub(crate) fn new(
        lead: LeadView,
        related: Vec<Related>,
        crm_links: Vec<CrmLinkView>,
        activity: Vec<ActivityView>,
        activity_total: i64,
    ) -> Self {
        let related_projects = related.into_iter().map(RelatedView::from).collect();
        Self { lead, related_projects, crm_links, activity, activity_total }
    }
}

/// What a system that the lead was sent to told of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CrmLinkView {
    #[schema(value_type = Uuid)]
    destination_id: DestinationId,
    destination_name: String,
    /// What it calls the lead.
    crm_lead_id: Option<String>,
    /// Where people look at the lead there. Without `pii:view` what follows the path is left out.
    crm_lead_url: Option<String>,
    /// Where people look at the run that took the lead.
    execution_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl CrmLinkView {
    pub(crate) fn new(stored: StoredLink, sight: Sight) -> Self {
        Self {
            destination_id: stored.destination_id,
            destination_name: stored.destination_name,
            crm_lead_id: stored.link.crm_lead_id,
            crm_lead_url: sight.address(stored.link.crm_lead_url),
            execution_url: sight.address(stored.link.execution_url),
            updated_at: stored.updated_at,
        }
    }
}

/// Another project that the same person asked about, with their newest lead in it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelatedView {
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    project_name: String,
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Related> for RelatedView {
    fn from(related: Related) -> Self {
        let Related { lead_id, project_id, project_name, created_at } = related;
        Self { project_id, project_name, lead_id, created_at }
    }
}

/// A line of a lead's timeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityView {
    #[schema(value_type = Uuid)]
    id: ActivityId,
    /// `lead.created`, `lead.stage_changed`, `note.added`, ….
    kind: String,
    /// `user`, `token`, `system` or `visitor`.
    actor_kind: String,
    actor_name: String,
    /// What belongs to the kind.
    #[schema(value_type = Object)]
    data: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl ActivityView {
    pub(crate) fn new(activity: Activity, sight: Sight) -> Self {
        Self {
            data: sight.activity(&activity.kind, activity.data),
            id: activity.id,
            kind: activity.kind,
            actor_kind: activity.actor_kind,
            actor_name: activity.actor_name,
            created_at: activity.created_at,
        }
    }
}
