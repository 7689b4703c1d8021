//! A lead that a person or a program makes by hand, checked before it goes through the door.

use leadline_domain::{
    ids::{PipelineId, StageId},
    values::ToldValues,
};
use leadline_store::{custom_fields, pipelines, workspaces};
use serde_json::{Map, Value};

use super::{LeadError, leads::invalid, text};
use crate::{Actor, Engine};

const MESSAGE_MAX_CHARS: usize = 10_000;

/// What somebody says of a new lead.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Draft {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub message: Option<String>,
    pub tags: Vec<String>,
    pub custom_fields: Map<String, Value>,
    /// The stage to begin in, in place of the first of the default pipeline.
    pub stage: Option<StageId>,
    /// What it is worth.
    pub values: ToldValues,
}

/// How strictly an e-mail address and a phone number are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// One that cannot be used is refused: somebody is there to correct it.
    Refuse,
    /// One that cannot be used is kept as it was entered, as from any other source: no lead is lost for a misprint.
    Keep,
}

/// A draft that can go through the door.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The draft, cleaned.
    pub draft: Draft,
    /// Where it begins, where that was said.
    pub place: Option<(PipelineId, StageId)>,
}

/// Checks a draft.
///
/// # Errors
/// Where a value cannot be so, or there is no such stage.
pub async fn check(engine: &Engine, actor: &Actor, draft: Draft, strictness: Strictness) -> Result<Checked, LeadError> {
    let reader = engine.store.reader();
    let mut faults = Vec::new();
    if strictness == Strictness::Refuse && !draft.custom_fields.is_empty() {
        let defined = custom_fields::defined(&reader, actor.workspace).await?;
        text::fit(&draft.custom_fields, &defined, &mut faults);
    }
    let short = |pointer: &str, text: Option<&str>, faults: &mut Vec<_>| {
        text.and_then(|text| text::short(pointer, text, faults))
    };
    let cleaned = Draft {
        name: short("/name", draft.name.as_deref(), &mut faults),
        email: draft.email.as_deref().and_then(text::clean),
        phone: draft.phone.as_deref().and_then(text::clean),
        company: short("/company", draft.company.as_deref(), &mut faults),
        title: short("/title", draft.title.as_deref(), &mut faults),
        message: draft.message.as_deref().and_then(text::clean),
        tags: text::tags(&draft.tags, &mut faults),
        custom_fields: text::custom_fields(&Map::new(), draft.custom_fields, &mut faults),
        stage: draft.stage,
        values: draft.values,
    };
    if strictness == Strictness::Refuse {
        let workspace = workspaces::find(&reader, actor.workspace).await?;
        let country = workspace.as_ref().and_then(|workspace| workspace.settings["defaultCountry"].as_str());
        cleaned.email.as_deref().and_then(|email| text::email(email, &mut faults));
        cleaned.phone.as_deref().and_then(|phone| text::phone(phone, country, &mut faults));
    }
    if !faults.is_empty() {
        return Err(LeadError::Invalid(faults));
    }
    if cleaned.message.as_deref().is_some_and(|message| message.chars().count() > MESSAGE_MAX_CHARS) {
        return Err(invalid("/message", &format!("has at most {MESSAGE_MAX_CHARS} characters")));
    }
    let place = match cleaned.stage {
        None => None,
        Some(stage) => {
            let stage = pipelines::find_stage(&reader, actor.workspace, stage).await?.ok_or(LeadError::NoStage)?;
            Some((stage.pipeline_id, stage.id))
        }
    };
    Ok(Checked { draft: cleaned, place })
}
