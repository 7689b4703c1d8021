//! What a receiver reads: the payload in the format that its destination chose.
//!
//! It is built once per delivery, when it is first sent, from the rows as they are then, and kept: every attempt has the
//! same bytes. [`leadline`] is our own shape; the others tell [`facts`] in other words, and [`conversions`] those of which
//! ad platforms learn something.

pub mod conversions;
mod crm;
pub mod facts;
pub mod leadline;
pub mod presets;
mod sample;
mod simple;
pub mod template;
mod visits;
mod whatconverts;

use std::sync::Arc;

use leadline_domain::{
    context::Context,
    destinations::{ContentType, Rules},
    templates::Template,
    time::Timestamp,
    values::{Amount, DEFAULT_CURRENCY},
};
use leadline_store::deliveries::{Picked, PickedLead, PickedSubmission, Told};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use self::{
    facts::{Behaviour, Evidence, Facts},
    leadline::{Lead, Payload, Stage, Submission, Workspace},
};

pub use sample::{Sample, sample};

/// The shape of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Ours.
    Leadline,
    /// All that is known, flat and in snake case.
    Crm,
    /// WhatConverts'.
    WhatConverts,
    /// Who it is, and no more.
    Simple,
    /// The destination's own.
    Template,
    /// A conversion for Google Ads.
    GoogleAds,
    /// A conversion for Meta.
    MetaCapi,
}

impl Format {
    /// All of them, ours first.
    pub const ALL: [Self; 7] =
        [Self::Leadline, Self::Crm, Self::WhatConverts, Self::Simple, Self::Template, Self::GoogleAds, Self::MetaCapi];

    /// How it is stored and chosen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leadline => "leadline",
            Self::Crm => "crm",
            Self::WhatConverts => "whatconverts",
            Self::Simple => "simple",
            Self::Template => "template",
            Self::GoogleAds => "google_ads",
            Self::MetaCapi => "meta_capi",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// A format with what it needs.
#[derive(Debug, Clone)]
pub enum Shape {
    /// One that is the same for everybody.
    Fixed(Format),
    /// A template and how it is written.
    Template(Arc<Template>, ContentType),
    /// An ad platform's, which is told of conversions alone.
    Conversions(conversions::Told),
}

/// Nothing of a delivery is to be sent, and that is right so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSent {
    /// Why, in words for people.
    pub reason: String,
}

impl NotSent {
    pub(super) fn new(reason: &str) -> Self {
        Self { reason: reason.to_owned() }
    }
}

impl Shape {
    /// The shape of a destination.
    #[must_use]
    pub fn of_destination(format: &str, template: Option<&str>, rules: &Rules) -> Self {
        match conversions::Platform::of_name(format) {
            Some(platform) => Self::Conversions(conversions::Told {
                platform,
                conversions: Arc::new(rules.conversions.clone().unwrap_or_default()),
            }),
            None => Self::of(format, template, rules.content_type),
        }
    }

    /// The ad platform that it is for.
    #[must_use]
    pub fn platform(&self) -> Option<conversions::Platform> {
        match self {
            Self::Conversions(told) => Some(told.platform),
            Self::Fixed(_) | Self::Template(..) => None,
        }
    }

    /// A shape that is no ad platform's. A template that a later version accepted and this one does not is sent as ours:
    /// better than nothing.
    #[must_use]
    pub fn of(format: &str, template: Option<&str>, content_type: ContentType) -> Self {
        // Of a later version's format nothing is known here.
        let format = Format::parse(format).unwrap_or(Format::Leadline);
        let template = template.filter(|_| format == Format::Template);
        match template.map(|text| template::parse(text, content_type)) {
            Some(Ok(template)) => Self::Template(Arc::new(template), content_type),
            Some(Err(_)) => Self::Fixed(Format::Leadline),
            None => Self::Fixed(format),
        }
    }

    /// Whether it tells a lead by [`Facts`].
    #[must_use]
    pub const fn needs_facts(&self) -> bool {
        !matches!(self, Self::Fixed(Format::Leadline))
    }

    /// A lead in this shape; `None` in ours, which is told otherwise.
    #[must_use]
    pub fn text(&self, facts: &Facts<'_>) -> Option<String> {
        match self {
            Self::Fixed(Format::Leadline | Format::Template | Format::GoogleAds | Format::MetaCapi) => None,
            Self::Conversions(_) => None,
            Self::Fixed(Format::Crm) => Some(crm::text(facts)),
            Self::Fixed(Format::WhatConverts) => Some(whatconverts::text(facts)),
            Self::Fixed(Format::Simple) => Some(simple::text(facts)),
            Self::Template(template, kind) => Some(template::text(template, *kind, &template::values(facts))),
        }
    }

    /// An event that is about no lead, or about one that is gone. No shape but ours and templates have words for it.
    fn text_without_lead(&self, payload: &Payload<'_>) -> String {
        match self {
            Self::Fixed(_) | Self::Conversions(_) => payload.to_text(),
            Self::Template(template, kind) => template::text(template, *kind, &template::values_without_lead(payload)),
        }
    }
}

/// Whether the payload of a delivery is made of more than was picked.
#[must_use]
pub fn needs_more(picked: &Picked, shape: &Shape) -> bool {
    picked.payload.is_none() && picked.lead.is_some() && shape.needs_facts()
}

/// What is sent for a delivery that was picked: what was sent before, or a payload from the rows as they are now.
///
/// # Errors
/// Where nothing of it is to be sent.
pub fn of_picked(
    picked: &Picked,
    told: Option<&Told>,
    shape: &Shape,
    environment: &str,
    now: Timestamp,
) -> Result<String, NotSent> {
    if let Some(payload) = &picked.payload {
        return Ok(payload.clone());
    }
    if let Shape::Conversions(platform) = shape {
        let (Some(row), Some(told)) = (&picked.lead, told) else { return Err(NotSent::new("the lead is gone")) };
        return platform.text(&facts_of(picked, row, told, environment), picked.goal.as_deref(), now);
    }
    Ok(text_of_picked(picked, told, shape, environment))
}

fn text_of_picked(picked: &Picked, told: Option<&Told>, shape: &Shape, environment: &str) -> String {
    if let (Some(row), Some(told)) = (&picked.lead, told)
        && let Some(text) = shape.text(&facts_of(picked, row, told, environment))
    {
        return text;
    }
    let workspace = Workspace { id: picked.workspace_id, slug: &picked.workspace_slug };
    let came_back = picked.event == "lead.re_engaged";
    let payload = Payload {
        lead: picked.lead.as_ref().map(lead),
        submission: picked.submission.as_ref().map(submission),
        alert: picked.event_data.as_deref(),
        test: picked.lead.as_ref().is_some_and(|lead| lead.is_test),
        conversation_id: picked.lead.as_ref().and_then(|lead| lead.conversation_id),
        last_conversation_at: picked.lead.as_ref().and_then(|lead| lead.last_conversation_at).filter(|_| came_back),
        ..Payload::new(&picked.event, picked.event_id.0, picked.created_at, workspace, environment)
    };
    shape.text_without_lead(&payload)
}

fn facts_of<'a>(picked: &'a Picked, row: &'a PickedLead, told: &'a Told, environment: &'a str) -> Facts<'a> {
    let submission = told.submission.as_ref();
    let of_submission: Option<Context> = submission.and_then(|one| read(one.context.as_deref()));
    Facts {
        event: &picked.event,
        created_at: picked.created_at,
        delivery_id: picked.id,
        workspace: Workspace { id: picked.workspace_id, slug: &picked.workspace_slug },
        environment,
        is_test: row.is_test,
        lead: lead(row),
        contact_id: Some(told.contact_id),
        phone_raw: told.phone_raw.as_deref(),
        country_code: told.country_code.as_deref(),
        context: of_submission.or_else(|| read(told.context.as_deref())).unwrap_or_default(),
        visit: Behaviour {
            visitor_id: told.visitor_id.clone(),
            session_id: told.session_id.clone(),
            engagement: told.engagement,
            session_duration_seconds: told.session_duration_seconds,
            pages_visited: told.pages_visited,
            return_visits: told.return_visits,
        },
        suspicion_reasons: told.suspicion_reasons.clone(),
        related_projects: told.related_projects.clone(),
        submission: submission.map(|one| Evidence {
            id: Some(one.id),
            received_at: Some(one.received_at),
            source: &one.source,
            fields: read(Some(&one.fields)).unwrap_or_default(),
            message: one.message.as_deref(),
            cta: one.cta.as_deref(),
            page_url: one.page_url.as_deref(),
            referrer: one.referrer.as_deref(),
            time_to_submit_ms: one.time_to_submit_ms,
            ip: one.ip.as_deref(),
            user_agent: one.user_agent.as_deref(),
        }),
        is_cause: picked.submission.is_some(),
        record: read(told.record.as_deref()),
        touches: told.touches.as_deref(),
        conversation_id: row.conversation_id,
        last_conversation_at: row.last_conversation_at,
    }
}

fn read<T: DeserializeOwned>(json: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(json?.get()).ok()
}

fn lead(row: &PickedLead) -> Lead<'_> {
    Lead {
        id: Some(row.id),
        number: Some(row.number),
        project_id: &row.project_id,
        project_name: row.project_name.as_deref(),
        name: &row.name,
        email: row.email.as_deref(),
        phone: row.phone.as_deref(),
        company: row.company.as_deref(),
        title: row.title.as_deref(),
        source: &row.source,
        source_name: &row.source_name,
        tags: &row.tags,
        custom_fields: &row.custom_fields,
        score: Some(row.score),
        suspicion: Some(row.suspicion),
        stage: Some(Stage { id: &row.stage_id, name: row.stage_name.as_deref() }),
        quotable: row.values.quotable.as_str(),
        quote_value: row.values.quote.as_ref().map(Amount::to_string),
        sales_value: row.values.sales.as_ref().map(Amount::to_string),
        currency: row.currency.as_deref().unwrap_or(DEFAULT_CURRENCY),
        close_reason: row.close_reason.as_deref(),
        state: &row.lead_state,
        submission_count: row.submission_count,
        first_touch: &row.first_touch,
        last_touch: &row.last_touch,
        lead_analysis: &row.lead_analysis,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn submission(row: &PickedSubmission) -> Submission<'_> {
    Submission {
        id: row.id,
        received_at: row.received_at,
        fields: &row.fields,
        page_url: row.page_url.as_deref(),
        referrer: row.referrer.as_deref(),
        message: row.message.as_deref(),
        match_reason: &row.match_reason,
    }
}
