//! What the demonstration's team writes to leads: a sandbox, a few templates, and conversations in the inbox.

use anyhow::Context;
use leadline_domain::{ids::MessageTemplateId, messaging::MessageChannel};
use leadline_engine::{
    Actor, Engine,
    messaging::{
        attachments, inbox,
        quick_send::{self, QuickSend},
        sandbox::{self, Answer},
        templates,
    },
};
use leadline_store::{
    channels,
    leads::{self, LeadFilter, SortBy, SortOrder},
};

const TEMPLATES: [(MessageChannel, &str, Option<&str>, &str); 3] = [
    (
        MessageChannel::Whatsapp,
        "Viewing: which day",
        None,
        "Hi {{firstName | default:'there'}}, thank you for asking about {{project}}. Which day would suit you for a viewing?",
    ),
    (
        MessageChannel::Sms,
        "Viewing: reminder",
        None,
        "Hi {{firstName | default:'there'}}, see you tomorrow at {{project}}. Reply to this message if you need another time.",
    ),
    (
        MessageChannel::Email,
        "Brochure",
        Some("The brochure of {{project}}"),
        "Dear {{name | default:'Sir or Madam'}},\n\nhere is the brochure you asked for. Tell us what you are looking for, and \
         we find the flats that fit.\n\nHarbour Lofts",
    ),
];

/// A drawing of a loft, as small as a picture can be.
const FLOOR_PLAN: &[u8] = include_bytes!("floor-plan.png");

const ANSWERS: [&str; 3] = [
    "Thursday after five would be great",
    "Is there parking in the building?",
    "Thank you! Could you send the floor plan, too?",
];

/// Sets messaging up, writes to the latest leads with a phone, and lets some of them answer.
pub(super) async fn fill(engine: &Engine, owner: &Actor) -> anyhow::Result<()> {
    let channels = channels::list(&engine.store.reader(), owner.workspace).await?;
    let channel = channels.first().context("the sandbox of the automations is there")?;
    let mut first: Option<MessageTemplateId> = None;
    for (kind, name, subject, body) in TEMPLATES {
        let wish = templates::Wish {
            channel: Some(kind),
            name: Some(name.into()),
            subject: Some(subject.map(str::to_owned)),
            body: Some(body.into()),
            ..templates::Wish::default()
        };
        let made = templates::create(engine, owner, &wish).await?;
        first.get_or_insert(made.id);
    }
    let order = (SortBy::CreatedAt, SortOrder::Descending);
    let found = leads::list(&engine.store.reader(), owner.workspace, &LeadFilter::default(), order, (200, 0)).await?;
    let reached: Vec<_> = found.rows.into_iter().filter(|lead| lead.phone.is_some()).take(6).collect();
    if reached.is_empty() {
        return Ok(());
    }
    let quick = QuickSend {
        leads: reached.iter().map(|lead| lead.id).collect(),
        kind: MessageChannel::Whatsapp,
        channel: None,
        template: first,
        subject: None,
        text: None,
        request: None,
    };
    quick_send::send(engine, owner, &quick).await?;
    for (lead, text) in reached.iter().zip(ANSWERS) {
        let Some(address) = lead.phone.clone() else { continue };
        let said = Answer { kind: MessageChannel::Whatsapp, address, text: text.to_owned() };
        let arrived = sandbox::answer(engine, owner, channel.id, &said).await?;
        if text.contains("floor plan") {
            let file = ("Floor plan, third floor.png", "image/png");
            let plan = attachments::upload(engine, owner, arrived.conversation, file, FLOOR_PLAN).await?;
            let reply = inbox::Reply {
                template: None,
                subject: None,
                text: Some("Here it is. The loft faces the harbour.".into()),
                files: vec![plan.id],
                request: None,
            };
            inbox::reply(engine, owner, arrived.conversation, &reply).await?;
        }
    }
    inbox::save_canned(engine, owner, "Thanks", "Thank you, {{firstName | default:'and welcome'}}!").await?;
    Ok(())
}
