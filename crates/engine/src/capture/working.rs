//! A lead while a batch works on it: as it was found or is made, with what each submission of the batch adds, until it
//! becomes a row.

use leadline_domain::{
    attribution::Touch,
    ids::{ContactId, LeadId, PipelineId, ProjectId, StageId},
    rank::Rank,
    scores::{self, LeadFields, Score, Scoring},
    values::Values,
};
use leadline_store::{
    capture::{Candidate, LeadTag, NewLead, Resubmitted},
    leads::LeadValues,
    search,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    conversations,
    prepare::{self, Prepared},
};
use crate::{random_bytes, reasons};

/// A lead as it will be when the batch is committed.
pub(super) struct Working {
    /// Whether the batch makes it.
    pub(super) is_new: bool,
    /// Whether it was deleted, and comes back.
    pub(super) was_deleted: bool,
    /// Whether the batch changes it. A row of a file may say nothing new.
    pub(super) is_touched: bool,
    /// What it was worth before the batch, and what it is worth.
    pub(super) values: (Values, Values),
    /// Its row. Of a lead that was there before, only what [`Working::resubmitted`] takes is filled in.
    pub(super) row: NewLead,
}

impl Working {
    /// A lead that a submission makes.
    pub(super) fn made(
        prepared: &Prepared,
        suspicion: &Score,
        lead: LeadId,
        contact: ContactId,
        (pipeline, stage): (PipelineId, StageId),
    ) -> Self {
        let submission = &prepared.submission;
        let recognised = &prepared.recognised;
        let intake = &submission.intake;
        let now = submission.received_at;
        let direct = submission.direct.as_ref();
        let touch = touch(prepared);
        let mut row = NewLead {
            id: lead,
            workspace_id: intake.workspace_id,
            project_id: intake.project_id,
            contact_id: contact,
            pipeline_id: pipeline,
            stage_id: stage,
            rank: Rank::at(now, u32::from_le_bytes(random_bytes())).as_str().to_owned(),
            name: prepared.name.clone(),
            email: prepared.email.clone(),
            phone: prepared.phone.clone(),
            phone_raw: recognised.phone_raw.clone(),
            country_code: prepared.region.clone(),
            company: recognised.company.clone(),
            title: recognised.title.clone(),
            message: recognised.message.clone(),
            source: intake.kind.clone(),
            source_id: intake.source_id,
            source_name: intake.source_name.clone(),
            tags: direct.map_or_else(|| json!([]), |by| json!(by.tags)),
            custom_fields: Value::Object(prepared.custom_fields.clone()),
            score: 0,
            score_reasons: json!([]),
            engagement: None,
            suspicion: 0,
            suspicion_reasons: json!([]),
            score_version: 0,
            assigned_to: None,
            first_touch: first_touch(prepared).unwrap_or_else(|| touch.clone()),
            last_touch: touch,
            visitor_id: recognised.visitor_id.clone(),
            context: context(prepared),
            submission_count: 1,
            last_submission_at: now.0,
            stage_entered_at: now.0,
            is_test: prepared.is_test,
            version: 1,
            created_at: now.0,
            updated_at: now.0,
            search_text: String::new(),
        };
        score(&mut row, prepared, suspicion);
        let values = (Values::default(), prepared.values.over(Values::default()));
        Self { is_new: true, was_deleted: false, is_touched: true, values, row }
    }

    /// A lead that was there before the batch.
    pub(super) fn stored(row: Candidate) -> Self {
        let unchanged = Value::Null;
        Self {
            is_new: false,
            was_deleted: row.deleted_at.is_some(),
            is_touched: false,
            values: (row.values, row.values),
            row: NewLead {
                id: row.id,
                workspace_id: row.workspace_id,
                project_id: ProjectId(Uuid::nil()),
                contact_id: row.contact_id,
                pipeline_id: row.pipeline_id,
                stage_id: row.stage_id,
                rank: String::new(),
                name: row.name,
                email: row.email,
                phone: row.phone,
                phone_raw: row.phone_raw,
                country_code: row.country_code,
                company: row.company,
                title: row.title,
                message: row.message,
                source: String::new(),
                source_id: None,
                source_name: row.source_name,
                tags: unchanged.clone(),
                custom_fields: row.custom_fields,
                score: row.score,
                score_reasons: row.score_reasons,
                engagement: row.engagement,
                suspicion: row.suspicion,
                suspicion_reasons: row.suspicion_reasons,
                score_version: row.score_version,
                assigned_to: None,
                first_touch: unchanged,
                last_touch: row.last_touch,
                visitor_id: row.visitor_id,
                context: None,
                submission_count: row.submission_count,
                last_submission_at: row.last_submission_at.0,
                stage_entered_at: 0,
                is_test: false,
                version: 0,
                created_at: row.created_at.0,
                updated_at: row.created_at.0,
                search_text: String::new(),
            },
        }
    }

    /// A further submission fills what was empty, adds to the custom fields, and is the latest word in message and
    /// touch. What the lead is called and reached by stays: corrections show on the submissions' cards.
    pub(super) fn join(&mut self, prepared: &Prepared, suspicion: &Score) {
        let recognised = &prepared.recognised;
        self.is_touched = true;
        self.values.1 = prepared.values.over(self.values.1);
        let row = &mut self.row;
        if let Some(name) = recognised.name.as_ref().filter(|_| is_called_for_want_of_a_name(row, prepared)) {
            row.name.clone_from(name);
        }
        fill(&mut row.email, prepared.email.as_ref());
        if row.phone.is_none() && (prepared.phone.is_some() || row.phone_raw.is_none()) {
            row.phone.clone_from(&prepared.phone);
            row.phone_raw.clone_from(&recognised.phone_raw);
            fill(&mut row.country_code, prepared.region.as_ref());
        }
        fill(&mut row.company, recognised.company.as_ref());
        fill(&mut row.title, recognised.title.as_ref());
        fill(&mut row.visitor_id, recognised.visitor_id.as_ref());
        if recognised.message.is_some() {
            row.message.clone_from(&recognised.message);
        }
        let mut custom = row.custom_fields.as_object().cloned().unwrap_or_default();
        prepare::merge_custom(&mut custom, &prepared.custom_fields);
        row.custom_fields = Value::Object(custom);
        let touch = touch(prepared);
        if touch_says_something(&touch) {
            row.last_touch = touch;
        }
        row.submission_count += i64::from(!conversations::is_update(prepared));
        row.context = context(prepared).or(row.context.take());
        row.last_submission_at = row.last_submission_at.max(prepared.submission.received_at.0);
        row.updated_at = row.last_submission_at;
        score(row, prepared, suspicion);
    }

    /// By how many leads its column has more, and by how many thousandths they are worth more.
    pub(super) fn adds(&self) -> (i64, i64) {
        let (before, now) = (self.values.0.milli(), self.values.1.milli());
        if self.is_new || self.was_deleted { (1, now) } else { (0, now - before) }
    }

    /// What it is worth, where that changed.
    pub(super) fn changed_values(&self) -> Option<LeadValues> {
        let (before, values) = self.values;
        (before != values).then_some(LeadValues { id: self.row.id, values })
    }

    /// What a further submission changes of a lead that was there before.
    pub(super) fn resubmitted(self) -> Resubmitted {
        let row = self.row;
        Resubmitted {
            id: row.id,
            name: row.name,
            email: row.email,
            phone: row.phone,
            phone_raw: row.phone_raw,
            country_code: row.country_code,
            company: row.company,
            title: row.title,
            message: row.message,
            custom_fields: row.custom_fields,
            score: row.score,
            score_reasons: row.score_reasons,
            suspicion: row.suspicion,
            suspicion_reasons: row.suspicion_reasons,
            score_version: row.score_version,
            last_touch: row.last_touch,
            visitor_id: row.visitor_id,
            context: row.context,
            submission_count: row.submission_count,
            last_submission_at: row.last_submission_at,
            updated_at: row.updated_at,
            search_text: row.search_text,
        }
    }

    /// The tags that it begins with, one row each.
    pub(super) fn tags(&self) -> impl Iterator<Item = LeadTag> {
        let tags = self.row.tags.as_array().cloned().unwrap_or_default();
        let (workspace_id, lead_id) = (self.row.workspace_id, self.row.id);
        tags.into_iter().filter_map(|tag| tag.as_str().map(str::to_owned)).map(move |tag| LeadTag {
            workspace_id,
            tag,
            lead_id,
        })
    }
}

/// Whether a lead's name is but its address, or where it came from.
pub(super) fn is_called_for_want_of_a_name(row: &NewLead, prepared: &Prepared) -> bool {
    Some(&row.name) == row.email.as_ref()
        || Some(&row.name) == row.phone.as_ref()
        || row.name == prepared.submission.intake.source_name
}

pub(super) fn fill(ours: &mut Option<String>, theirs: Option<&String>) {
    if ours.is_none() {
        *ours = theirs.cloned();
    }
}

/// Something was heard of the lead just now, so silence takes nothing.
fn score(row: &mut NewLead, prepared: &Prepared, suspicion: &Score) {
    row.suspicion = i64::from(suspicion.total);
    row.suspicion_reasons = reasons::to_json(&suspicion.reasons);
    rescore(row, &prepared.submission.intake.workspace_settings);
}

/// Scores a lead anew by what is known of it; its suspicion stays.
pub(super) fn rescore(row: &mut NewLead, workspace_settings: &Value) {
    let Scoring { version, weights } = Scoring::of(workspace_settings);
    let none = Map::new();
    let fit = scores::fit_of(
        &LeadFields {
            email: row.email.as_deref(),
            phone: row.phone.as_deref(),
            country: row.country_code.as_deref(),
            name: &row.name,
            company: row.company.as_deref(),
            title: row.title.as_deref(),
            message: row.message.as_deref(),
            source: &row.source_name,
            custom_fields: row.custom_fields.as_object().unwrap_or(&none),
        },
        &weights,
    );
    row.score = reasons::total(row.engagement, fit.total, row.suspicion, 0, &weights);
    row.score_reasons = reasons::of_lead(&fit, 0);
    row.score_version = version;
    let phone = row.phone.as_deref().or(row.phone_raw.as_deref());
    row.search_text = search::text(&row.name, row.email.as_deref(), phone, row.company.as_deref());
}

/// What was found out about the visitor, where anything was.
pub(super) fn context(prepared: &Prepared) -> Option<Value> {
    Some(&prepared.context).filter(|context| !context.is_empty()).and_then(|context| serde_json::to_value(context).ok())
}

fn touch(prepared: &Prepared) -> Value {
    Touch { at: prepared.submission.received_at, params: prepared.recognised.touch.clone() }.to_json()
}

/// The visit that came first, as the visitor's browser remembers it; never one of the future.
fn first_touch(prepared: &Prepared) -> Option<Value> {
    let first = prepared.recognised.first_touch.as_ref()?;
    let is_earlier = first.at <= prepared.submission.received_at;
    is_earlier.then(|| first.to_json())
}

fn touch_says_something(touch: &Value) -> bool {
    touch.as_object().is_some_and(|touch| touch.len() > 1)
}
