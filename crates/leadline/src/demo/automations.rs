//! Two automations by the demonstration's sandbox, one of them with steps of several kinds: what they send arrives on a
//! phone and in a mailbox inside Leadline.

use anyhow::Context;
use leadline_domain::{
    automations::{Act, Exit, Message, Otherwise, QuietHours, Step, Then, Trigger},
    ids::{MessageTemplateId, SourceId},
    messaging::{MessageChannel, Provider},
};
use leadline_engine::{
    Actor, Engine,
    automations::definitions::{self, AutomationEdit},
    messaging::{channels, templates},
};
use leadline_store::message_templates;
use serde_json::json;

/// Makes them, before the leads come that start them.
pub(super) async fn make(engine: &Engine, actor: &Actor, portal: SourceId, brochure: SourceId) -> anyhow::Result<()> {
    let wish = channels::Wish { name: Some("Sandbox".into()), ..channels::Wish::default() };
    channels::create(engine, actor, Provider::Sandbox, &wish).await.context("the sandbox cannot be made")?;
    let welcome = "Hello {{firstName | default:'there'}}, this is Harbour Lofts. When would you like to see the flat?";
    let welcome = template(engine, actor, (MessageChannel::Whatsapp, "Welcome_Template"), None, welcome).await?;
    let follow_up = "Hello {{firstName | default:'there'}},\n\nthe viewings of this week are nearly full. Reply to this \
                     e-mail and we keep a place for you.\n\nHarbour Lofts";
    let follow_up = (MessageChannel::Email, "Follow_Up_Email", follow_up);
    let follow_up = letter(engine, actor, follow_up, "Your viewing at Harbour Lofts").await?;
    let thanks = "Hello {{firstName | default:'there'}},\n\nthank you for reading our brochure. Floor plans and prices \
                  are yours for the asking.\n\nHarbour Lofts";
    let thanks = letter(engine, actor, (MessageChannel::Email, "Brochure_Thanks", thanks), "Your brochure").await?;
    let first =
        Message { fallback_channel: Some(MessageChannel::Sms), ..Message::by(MessageChannel::Whatsapp, welcome) };
    let is_promising = json!({"field": "score", "op": "at_least", "value": 40});
    let sequence = AutomationEdit {
        name: Some("Welcome sequence".into()),
        description: Some(Some("Whoever asks by the portal hears from us at once".into())),
        trigger: Some(Trigger::Arrived { source_id: Some(portal) }),
        steps: Some(vec![
            Step::message(0, first),
            act(0, Act::AddTag("welcomed".into())),
            act(120, Act::Condition { filter: is_promising, otherwise: Otherwise::End }),
            step(MessageChannel::Email, 0, follow_up),
            act(1_440, Act::AwaitReply { on_reply: Then::End, on_timeout: Then::GoOn }),
            act(0, Act::AddNote("No answer to our follow-up. Call them.".into())),
        ]),
        exit_on: Some(vec![Exit::Replied, Exit::Converted]),
        ..AutomationEdit::default()
    };
    definitions::create(engine, actor, sequence).await?;
    let brochure = AutomationEdit {
        name: Some("Brochure thanks".into()),
        trigger: Some(Trigger::Created { source_id: Some(brochure) }),
        steps: Some(vec![
            step(MessageChannel::Email, 15, thanks),
            step(MessageChannel::Email, 1_440, follow_up),
            step(MessageChannel::Whatsapp, 1_440, welcome),
        ]),
        quiet_hours: Some(Some(QuietHours { from_minute: 21 * 60, until_minute: 8 * 60 })),
        exit_on: Some(Exit::ALL.to_vec()),
        ..AutomationEdit::default()
    };
    definitions::create(engine, actor, brochure).await?;
    Ok(())
}

fn step(channel: MessageChannel, delay_minutes: i64, template_id: MessageTemplateId) -> Step {
    Step::message(delay_minutes, Message::by(channel, template_id))
}

const fn act(delay_minutes: i64, act: Act) -> Step {
    Step { delay_minutes, act }
}

async fn letter(
    engine: &Engine,
    actor: &Actor,
    (channel, name, body): (MessageChannel, &str, &str),
    subject: &str,
) -> anyhow::Result<MessageTemplateId> {
    template(engine, actor, (channel, name), Some(subject), body).await
}

async fn template(
    engine: &Engine,
    actor: &Actor,
    (channel, name): (MessageChannel, &str),
    subject: Option<&str>,
    body: &str,
) -> anyhow::Result<MessageTemplateId> {
    let known = message_templates::list(&engine.store.reader(), actor.workspace).await?;
    if let Some(known) = known.into_iter().find(|one| one.channel == channel && one.name == name) {
        return Ok(known.id);
    }
    let wish = templates::Wish {
        channel: Some(channel),
        name: Some(name.into()),
        subject: Some(subject.map(str::to_owned)),
        body: Some(body.into()),
        ..templates::Wish::default()
    };
    Ok(templates::create(engine, actor, &wish).await.context("a template cannot be made")?.id)
}
