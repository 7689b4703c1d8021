//! What an automation names must be there when it is saved: sources, stages, templates, members, destinations, segments.

use leadline_domain::{
    automations::{Act, Assignee, Definition, DefinitionFault, Message, Trigger},
    filters::LONGEST_JSON,
    ids::{DestinationId, MessageTemplateId, StageId},
    messaging::MessageChannel,
};
use leadline_store::{
    Error, Tx,
    automations::{self as stored},
    destinations, leads,
    message_templates::{self, MessageTemplate},
    pipelines, segments,
};
use serde_json::Value;

use super::definitions::fault;
use crate::{Actor, Engine, conditions::Conditions, lead_changes::stages};

/// What speaks against a definition, also by what it names.
pub(super) async fn faults(
    engine: &Engine,
    tx: &mut Tx,
    actor: &Actor,
    definition: &Definition,
) -> Result<Vec<DefinitionFault>, Error> {
    let mut faults = definition.faults();
    of_trigger(engine, tx, actor, &definition.trigger, &mut faults).await?;
    let known = Known {
        templates: message_templates::list(&engine.store.reader(), actor.workspace).await?,
        conditions: Conditions::load(engine, actor.workspace).await?,
    };
    if let Some(condition) = &definition.condition {
        known.ask("/condition", condition, &mut faults);
    }
    if let Some(stage) = definition.exit_stage_id
        && pipelines::hold_stage(tx, actor.workspace, stage).await?.is_none()
    {
        faults.push(fault("/exitStageId", "is no stage of this workspace"));
    }
    for (index, step) in definition.steps.iter().enumerate() {
        let at = |field: &str| format!("/steps/{index}/{field}");
        match &step.act {
            Act::Message(message) => known.message(message, at, &mut faults),
            Act::Condition { filter, .. } => known.ask(&at("filter"), filter, &mut faults),
            Act::Assign(Assignee::User(user)) => {
                if leads::find_member(tx, actor.workspace, *user).await?.is_none() {
                    faults.push(fault(&at("assignedTo"), "is no member of this workspace"));
                }
            }
            Act::MoveStage { stage_id, reason } => {
                if let Some((field, message)) = against_move(tx, actor, *stage_id, reason.as_deref()).await? {
                    faults.push(fault(&at(field), message));
                }
            }
            Act::CallDestination(id) => {
                if let Some(message) = against_call(engine, actor, *id).await? {
                    faults.push(fault(&at("destinationId"), message));
                }
            }
            Act::Wait
            | Act::AwaitReply { .. }
            | Act::Assign(Assignee::Rules)
            | Act::AddTag(_)
            | Act::RemoveTag(_)
            | Act::AddNote(_) => {}
        }
    }
    Ok(faults)
}

async fn of_trigger(
    engine: &Engine,
    tx: &mut Tx,
    actor: &Actor,
    trigger: &Trigger,
    faults: &mut Vec<DefinitionFault>,
) -> Result<(), Error> {
    if let Some(source) = trigger.source_id()
        && !stored::has_source(tx, actor.workspace, source).await?
    {
        faults.push(fault("/webhookSourceId", "is no source of this workspace"));
    }
    if let Trigger::StageChanged { stage_id } = trigger
        && pipelines::hold_stage(tx, actor.workspace, *stage_id).await?.is_none()
    {
        faults.push(fault("/trigger/stageId", "is no stage of this workspace"));
    }
    if let Some(segment) = trigger.segment_id() {
        match segments::find(&engine.store.reader(), actor.workspace, segment).await? {
            None => faults.push(fault("/trigger/segmentId", "is no segment of this workspace")),
            Some(segment) if !segment.is_followed => {
                faults.push(fault("/trigger/segmentId", "is not followed on timelines: switch that on first"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What keeps leads from being moved into a stage: the field and why.
async fn against_move(
    tx: &mut Tx,
    actor: &Actor,
    stage: StageId,
    reason: Option<&str>,
) -> Result<Option<(&'static str, String)>, Error> {
    let Some(stage) = pipelines::hold_stage(tx, actor.workspace, stage).await? else {
        return Ok(Some(("stageId", "is no stage of this workspace".to_owned())));
    };
    let closing = stages::closing_for(tx, actor, &stage).await?;
    Ok(closing.reason(stage.kind, reason, None).err().map(|fault| ("reason", fault.to_string())))
}

/// What keeps a destination from being told of leads.
async fn against_call(engine: &Engine, actor: &Actor, id: DestinationId) -> Result<Option<&'static str>, Error> {
    let found = destinations::find(&engine.store.reader(), actor.workspace, id).await?;
    Ok(match found {
        None => Some("is no destination of this workspace"),
        Some(destination) if destination.rules.conversions.is_some() => {
            Some("is an ad platform, which is told of conversions alone")
        }
        Some(_) => None,
    })
}

/// What a workspace has, for steps to name.
struct Known {
    templates: Vec<MessageTemplate>,
    conditions: Conditions,
}

impl Known {
    fn ask(&self, pointer: &str, filter: &Value, faults: &mut Vec<DefinitionFault>) {
        if filter.to_string().len() > LONGEST_JSON {
            faults.push(fault(pointer, format!("has at most {LONGEST_JSON} bytes")));
            return;
        }
        let refused = self.conditions.read(filter).err().unwrap_or_default();
        faults.extend(refused.into_iter().map(|one| fault(&format!("{pointer}{}", one.pointer), one.message)));
    }

    fn message(&self, message: &Message, at: impl Fn(&str) -> String, faults: &mut Vec<DefinitionFault>) {
        if let Some(words) = self.against(message.template_id, message.channel) {
            faults.push(fault(&at("templateId"), words));
        }
        match (message.fallback_channel, message.fallback_template_id) {
            (Some(channel), Some(template)) => {
                if let Some(words) = self.against(template, channel) {
                    faults.push(fault(&at("fallbackTemplateId"), words));
                }
            }
            (Some(MessageChannel::Email), None) => {
                faults.push(fault(&at("fallbackTemplateId"), "an e-mail needs a template of its own, with a subject"));
            }
            (Some(_) | None, _) => {}
        }
    }

    fn against(&self, id: MessageTemplateId, channel: MessageChannel) -> Option<String> {
        match self.templates.iter().find(|template| template.id == id) {
            None => Some("is no template of this workspace".to_owned()),
            Some(template) if template.channel != channel => {
                Some(format!("is a template for {}, and the channel is {}", template.channel.label(), channel.label()))
            }
            Some(_) => None,
        }
    }
}
