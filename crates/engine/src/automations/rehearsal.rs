//! What an automation would do with a lead, and when: for whoever builds one. Nothing is sent or stored.

use std::collections::HashMap;

use leadline_domain::{
    automations::{Act, Assignee, Definition, Otherwise, Reach, Reason, Step, StepKind, zone_of},
    ids::{DestinationId, LeadId, MessageTemplateId, StageId, UserId},
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
    channels::{self, Channel},
    destinations,
    leads::{self, Lead},
    message_templates::{self, MessageTemplate},
    pipelines, suppressions, users, workspaces,
};
use serde_json::Value;

use super::{
    definitions::{AutomationEdit, AutomationError, draft},
    record::due_after,
    runner::person_keys,
};
use crate::{
    Actor, Engine,
    conditions::{Conditions, timezone_of},
};

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
    /// When its time comes; of waiting for a reply, when that ends.
    pub at: Timestamp,
    /// Whether that is later than its delay says, since it is quiet then.
    pub is_moved: bool,
    /// What kind of step it is.
    pub kind: StepKind,
    /// What it would do, where it sends nothing; of one that is not reached, why.
    pub words: Option<String>,
    /// Whether it would have its turn.
    pub is_reached: bool,
    /// The message that is tried first.
    pub first: Option<RehearsedMessage>,
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
    let met = Met::ask(engine, actor, &definition, lead.card.id).await?;
    let names = Names::load(engine, actor, &definition).await?;
    Ok(play(&stage, &definition, &lead, &settings, (&met, &names)))
}

/// Which conditions of a definition a lead meets now.
struct Met {
    start: bool,
    /// By the place of the step that asks.
    steps: HashMap<usize, bool>,
}

impl Met {
    async fn ask(engine: &Engine, actor: &Actor, definition: &Definition, lead: LeadId) -> Result<Self, Error> {
        let reader = engine.store.reader();
        let conditions = Conditions::load(engine, actor.workspace).await?;
        let mut met = Self { start: true, steps: HashMap::new() };
        let of_steps = definition.steps.iter().enumerate().filter_map(|(place, step)| match &step.act {
            Act::Condition { filter, .. } => Some((Some(place), filter)),
            _ => None,
        });
        for (place, json) in definition.condition.iter().map(|filter| (None, filter)).chain(of_steps) {
            let is_met = match conditions.read(json) {
                Ok(asked) => !leads::matching_now(&reader, actor.workspace, &[lead], &asked).await?.is_empty(),
                Err(_) => false,
            };
            match place {
                Some(place) => drop(met.steps.insert(place, is_met)),
                None => met.start = is_met,
            }
        }
        Ok(met)
    }
}

/// What stages, members and destinations are called.
struct Names {
    stages: HashMap<StageId, String>,
    members: HashMap<UserId, String>,
    destinations: HashMap<DestinationId, String>,
}

impl Names {
    async fn load(engine: &Engine, actor: &Actor, definition: &Definition) -> Result<Self, Error> {
        let reader = engine.store.reader();
        let called = |step: &Step| if let Act::CallDestination(id) = step.act { Some(id) } else { None };
        let called: Vec<DestinationId> = definition.steps.iter().filter_map(called).collect();
        let stages = pipelines::list(&reader, actor.workspace).await?.into_iter().flat_map(|one| one.stages);
        let members = users::list_members(&reader, actor.workspace).await?;
        let destinations = destinations::find_set(&reader, &called).await?;
        Ok(Self {
            stages: stages.map(|stage| (stage.id, stage.name)).collect(),
            members: members.into_iter().map(|member| (member.id, member.name)).collect(),
            destinations: destinations.into_iter().map(|one| (one.id, one.name)).collect(),
        })
    }

    /// What a step would do that sends nothing.
    fn words(&self, step: &Step) -> Option<String> {
        fn name<'a, T: std::hash::Hash + Eq>(names: &'a HashMap<T, String>, id: &T) -> &'a str {
            names.get(id).map_or("one that is gone", String::as_str)
        }
        Some(match &step.act {
            Act::Message(_) => return None,
            Act::Wait => "Waits until then".to_owned(),
            Act::AwaitReply { .. } => "Waits for a reply until then at the latest".to_owned(),
            Act::Condition { .. } => Reason::NotMet.words().to_owned(),
            Act::Assign(Assignee::Rules) => "Leaves it to the assignment rules".to_owned(),
            Act::Assign(Assignee::User(user)) => format!("Assigns it to {}", name(&self.members, user)),
            Act::AddTag(tag) => format!("Adds the tag {tag}"),
            Act::RemoveTag(tag) => format!("Removes the tag {tag}"),
            Act::MoveStage { stage_id, .. } => format!("Moves it to {}", name(&self.stages, stage_id)),
            Act::AddNote(note) => format!("Writes the note: {note}"),
            Act::CallDestination(id) => format!("Tells {}", name(&self.destinations, id)),
        })
    }
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
    let card = &lead.card;
    let keys = person_keys(engine, actor.workspace, card.email.as_deref(), card.phone.as_deref());
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

fn play(
    stage: &Stage,
    definition: &Definition,
    lead: &Lead,
    settings: &Value,
    (met, names): (&Met, &Names),
) -> Rehearsal {
    let context = lead.context.clone().unwrap_or_default();
    let country = context["location"]["country"].as_str().or(lead.country_code.as_deref());
    let clock = leadline_domain::automations::Clock {
        browser: context["timezone"].as_str(),
        place: context["location"]["timezone"].as_str(),
        country,
    };
    let zone = zone_of(clock, timezone_of(settings));
    let mut at = stage.now;
    let mut steps = Vec::new();
    // Why what follows is not reached; and which one step is left out.
    let (mut over, mut left_out) = (false, None);
    for (place, step) in definition.steps.iter().enumerate() {
        let is_reached = !over && left_out != Some(place);
        let until = due_after(at, step.delay_minutes);
        let quiet = definition.quiet_hours.filter(|_| step.sent().is_some());
        let quiet_until = quiet.and_then(|quiet| quiet.end(until, zone));
        let then = quiet_until.unwrap_or(until);
        let mut words = names.words(step);
        if let (true, Act::Condition { otherwise, .. }) = (is_reached, &step.act) {
            match (met.steps.get(&place), otherwise) {
                (Some(true), _) => words = Some("The lead meets the conditions".to_owned()),
                (_, Otherwise::End) => over = true,
                (_, Otherwise::SkipNext) => left_out = Some(place + 1),
            }
        }
        if is_reached {
            at = then;
        } else {
            words = Some("Would not have its turn".to_owned());
        }
        steps.push(RehearsedStep {
            words,
            is_reached,
            ..stage.step(step, lead, at, quiet_until.is_some() && is_reached)
        });
    }
    let reach = Reach { phone: lead.card.phone.is_some(), email: lead.card.email.is_some() };
    let reason = match met.start {
        false => Some(Reason::NotMet),
        true => (!reach.by_any(&definition.steps)).then_some(Reason::MissingContact),
    };
    Rehearsal { reason, timezone: zone.name().to_owned(), steps }
}

impl Stage {
    fn step(&self, step: &Step, lead: &Lead, at: Timestamp, is_moved: bool) -> RehearsedStep {
        let message = step.sent();
        let fallback = message.and_then(|message| {
            let other = message.fallback()?;
            Some(self.message(other.channel, other.template_id.unwrap_or(message.template_id), lead, at))
        });
        let first = message.map(|message| self.message(message.channel, message.template_id, lead, at));
        RehearsedStep { at, is_moved, kind: step.kind(), words: None, is_reached: true, first, fallback }
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
