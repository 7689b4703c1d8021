//! What an automation would do with a lead, and when: for whoever builds one. Nothing is sent or stored.

use leadline_domain::{
    automations::{Definition, Reach, Reason, Step, zone_of},
    emails::Email,
    ids::{LeadId, MessageTemplateId},
    messaging::{
        self, Candidate, MessageChannel, Provider,
        sending::{Facts, Skip, Template, decide},
        variables::{self, Person},
    },
    templates::Form,
    time::Timestamp,
};
use leadline_store::{
    Error,
    capture::IdentityKey,
    channels::{self, Channel},
    leads::{self, Lead},
    message_templates::{self, MessageTemplate},
    suppressions, workspaces,
};
use serde_json::Value;

use super::{
    definitions::{AutomationEdit, AutomationError, draft},
    record::due_after,
    runner::clock_of,
};
use crate::{Actor, Engine};

/// What would happen.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Why it would not begin.
    pub reason: Option<Reason>,
    /// By which clock quiet hours are read.
    pub timezone: String,
    /// What each step would do, as if all before it went well.
    pub steps: Vec<RehearsedStep>,
}

/// What a step would do.
#[derive(Debug, Clone)]
pub struct RehearsedStep {
    /// When its time comes.
    pub at: Timestamp,
    /// Whether that is later than its delay says, since it is quiet then.
    pub is_moved: bool,
    /// What is tried first.
    pub first: RehearsedMessage,
    /// What is tried if that fails, or cannot be sent.
    pub fallback: Option<RehearsedMessage>,
}

/// A message that would be sent.
#[derive(Debug, Clone)]
pub struct RehearsedMessage {
    /// By which kind of channel.
    pub channel: MessageChannel,
    /// By which channel, by its name.
    pub channel_name: Option<String>,
    /// What the template is called.
    pub template_name: Option<String>,
    /// Where it would go.
    pub address: Option<String>,
    /// What speaks against it.
    pub skip: Option<Skip>,
    /// Of e-mail: the subject.
    pub subject: Option<String>,
    /// What it would say.
    pub text: String,
}

/// Goes through an automation with a lead as if it arrived now.
///
/// # Errors
/// Where the automation cannot be so, or there is no such lead.
pub async fn rehearse(
    engine: &Engine,
    actor: &Actor,
    edit: AutomationEdit,
    lead: LeadId,
) -> Result<Rehearsal, AutomationError> {
    let reader = engine.store.reader();
    let lead = leads::find(&reader, actor.workspace, lead).await?.ok_or(AutomationError::NotFound)?;
    let definition = draft(engine, actor, edit).await?;
    let settings = workspaces::find(&reader, actor.workspace).await?.map(|found| found.settings).unwrap_or_default();
    let stage = Stage {
        channels: channels::list(&reader, actor.workspace).await?,
        templates: message_templates::list(&reader, actor.workspace).await?,
        values: values(&lead),
        is_suppressed: is_suppressed(engine, actor, &lead).await?,
        now: engine.clock.now(),
    };
    Ok(play(&stage, &definition, &lead, &settings))
}

/// What a rehearsal plays with.
struct Stage {
    channels: Vec<Channel>,
    templates: Vec<MessageTemplate>,
    values: Value,
    is_suppressed: bool,
    now: Timestamp,
}

/// Whether the person does not want to be written to, by either address.
async fn is_suppressed(engine: &Engine, actor: &Actor, lead: &Lead) -> Result<bool, Error> {
    let scope = actor.workspace.0;
    let key = |kind: &str, value: &str| IdentityKey(engine.keys.identity(scope, kind, value));
    let email = lead.card.email.as_deref().and_then(Email::parse).map(|email| key("contact_email", &email.canonical));
    let phone = lead.card.phone.as_deref().map(|phone| key("contact_phone", phone));
    let keys: Vec<IdentityKey> = email.into_iter().chain(phone).collect();
    let listed = suppressions::which_suppressed(&engine.store.reader(), actor.workspace, &keys).await?;
    Ok(!listed.is_empty())
}

fn values(lead: &Lead) -> Value {
    let card = &lead.card;
    // A lead without a name is called by its address, which nobody is greeted by.
    let is_named = Some(&card.name) != card.email.as_ref()
        && Some(&card.name) != card.phone.as_ref()
        && card.name != card.source_name;
    let person = Person {
        name: is_named.then_some(card.name.as_str()),
        email: card.email.as_deref(),
        phone: card.phone.as_deref(),
        company: card.company.as_deref(),
        title: card.title.as_deref(),
        project: lead.project_name.as_deref(),
        custom_fields: card.custom_fields.clone(),
    };
    person.values()
}

fn play(stage: &Stage, definition: &Definition, lead: &Lead, settings: &Value) -> Rehearsal {
    let context = lead.context.clone().unwrap_or_default();
    let country = context["location"]["country"].as_str().or(lead.country_code.as_deref());
    let clock = leadline_domain::automations::Clock {
        browser: context["timezone"].as_str(),
        place: context["location"]["timezone"].as_str(),
        country,
    };
    let zone = zone_of(clock, clock_of(settings));
    let mut at = stage.now;
    let mut steps = Vec::new();
    for step in &definition.steps {
        at = due_after(at, step.delay_minutes);
        let quiet_until = definition.quiet_hours.and_then(|quiet| quiet.end(at, zone));
        at = quiet_until.unwrap_or(at);
        steps.push(stage.step(step, lead, at, quiet_until.is_some()));
    }
    let reach = Reach { phone: lead.card.phone.is_some(), email: lead.card.email.is_some() };
    let reason = (!reach.by_any(&definition.steps)).then_some(Reason::MissingContact);
    Rehearsal { reason, timezone: zone.name().to_owned(), steps }
}

impl Stage {
    fn step(&self, step: &Step, lead: &Lead, at: Timestamp, is_moved: bool) -> RehearsedStep {
        let fallback = step.fallback().map(|other| {
            let template = other.template_id.unwrap_or(step.template_id);
            self.message(other.channel, template, lead, at)
        });
        RehearsedStep { at, is_moved, first: self.message(step.channel, step.template_id, lead, at), fallback }
    }

    fn message(
        &self,
        kind: MessageChannel,
        template: MessageTemplateId,
        lead: &Lead,
        now: Timestamp,
    ) -> RehearsedMessage {
        let template = self.templates.iter().find(|one| one.id == template);
        let candidate = |one: &Channel| Candidate { id: one.id, provider: one.provider, is_active: one.is_active };
        let candidates: Vec<_> = self.channels.iter().map(candidate).collect();
        let chosen = messaging::choose(kind, &candidates);
        let channel = self.channels.iter().find(|one| Some(one.id) == chosen);
        let carried: Option<(Provider, bool)> = channel.map(|one| (one.provider, one.is_active));
        let facts = Facts {
            kind,
            channel: carried,
            is_channel_deleted: false,
            has_lead: true,
            email: lead.card.email.as_deref(),
            phone: lead.card.phone.as_deref(),
            address: None,
            is_suppressed: self.is_suppressed,
            template: template.map_or(Template::Gone, |one| Template::There(one.approval)),
            last_inbound_at: None,
            now,
        };
        let decided = decide(&facts);
        let filled = |text: &str| variables::fill(text, Form::Text, &self.values);
        RehearsedMessage {
            channel: kind,
            channel_name: channel.map(|one| one.name.clone()),
            template_name: template.map(|one| one.name.clone()),
            address: decided.ok().map(str::to_owned),
            skip: decided.err(),
            subject: template
                .filter(|_| kind == MessageChannel::Email)
                .and_then(|one| one.subject.as_deref())
                .map(filled),
            text: template.map(|one| filled(&one.body)).unwrap_or_default(),
        }
    }
}
