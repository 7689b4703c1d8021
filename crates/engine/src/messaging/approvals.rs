//! WhatsApp's own templates: giving one to Meta to be looked at, asking how they stand, and hearing of it by callback.
//!
//! Our placeholders have names and Meta's have numbers, in the same order; what stands for them in examples is what a
//! preview shows.

use std::time::Duration;

use leadline_domain::{
    ids::{ChannelId, MessageTemplateId, WorkspaceId},
    messaging::{Approval, MessageChannel, Provider, callbacks::TemplateReport, variables},
    templates::Form,
    time::Timestamp,
};
use leadline_outbound::messages::{
    Reason,
    whatsapp_templates::{self as meta, Business, Proposal, Standing},
};
use leadline_store::{
    Error, Tx,
    channels::{self, Channel},
    message_templates::{self as rows, MessageTemplate, Sighted},
};
use serde_json::json;

use super::{MessagingError, send::OpenChannel};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Pages of a list; each has up to 200 templates.
const MOST_PAGES: usize = 10;

/// What Meta takes templates for.
pub const CATEGORIES: [&str; 3] = ["MARKETING", "UTILITY", "AUTHENTICATION"];

/// Gives a template to Meta.
///
/// # Errors
/// Where it or its channel is not there, it is for no WhatsApp, Meta refuses it or does not answer, or the store fails.
pub async fn submit(
    engine: &Engine,
    actor: &Actor,
    id: MessageTemplateId,
    (channel, category): (Option<ChannelId>, &str),
) -> Result<MessageTemplate, MessagingError> {
    if !CATEGORIES.contains(&category) {
        return Err(MessagingError::field("/category", "must be MARKETING, UTILITY or AUTHENTICATION"));
    }
    let found = rows::find(&engine.store.reader(), actor.workspace, id).await?;
    let template = found.ok_or(MessagingError::NotFound)?;
    if template.channel != MessageChannel::Whatsapp {
        return Err(MessagingError::Conflict("only templates for WhatsApp are approved by Meta".to_owned()));
    }
    let channel = choose(engine, actor, channel).await?;
    let open = engine.channels.open(engine, &channel)?;
    let name = template.provider_name.clone().unwrap_or_else(|| meta_name(&template.name));
    let text = variables::parse(&template.body, Form::Text);
    let text = text.map_err(|error| MessagingError::Conflict(error.to_string()))?;
    // Meta wants none of them empty.
    let examples: Vec<String> = text
        .values(&variables::examples())
        .into_iter()
        .map(|value| if value.is_empty() { "–".into() } else { value })
        .collect();
    let body = text.numbered();
    let proposal = Proposal { name: &name, language: &template.language, category, body: &body, examples: &examples };
    let request = meta::submit(&business(&open), &proposal, TIMEOUT);
    let request = request.ok_or_else(|| MessagingError::Conflict("the channel's address is none".to_owned()))?;
    let answer = engine.client.send(&request).await.1.map_err(|error| unanswered(&error))?;
    let standing = meta::read_submitted(&proposal, &answer).map_err(|reason| refused(&reason))?;

    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    rows::lock(&mut tx, actor.workspace, id).await?.ok_or(MessagingError::NotFound)?;
    rows::set_submitted(&mut tx, id, &sighted(standing), channel.id, now).await?;
    let deed =
        Deed::new("message_template.submitted", id, &template.name).with(json!({"name": name, "category": category}));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    rows::find(&engine.store.reader(), actor.workspace, id).await?.ok_or(MessagingError::NotFound)
}

/// Asks Meta how the templates of a channel's account stand, and tells how many of ours that were.
///
/// # Errors
/// Where the channel is not there, Meta does not answer, or the store fails.
pub async fn sync(engine: &Engine, actor: &Actor, channel: ChannelId) -> Result<u64, MessagingError> {
    let channel = choose(engine, actor, Some(channel)).await?;
    let open = engine.channels.open(engine, &channel)?;
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let fetch = meta::list(&business(&open), after.as_deref(), TIMEOUT);
        let fetch = fetch.ok_or_else(|| MessagingError::Conflict("the channel's address is none".to_owned()))?;
        let answer = engine.client.get(&fetch).await.map_err(|error| unanswered(&error))?;
        let (page, next) = meta::read_list(&answer).map_err(|reason| refused(&reason))?;
        found.extend(page.into_iter().map(sighted));
        after = next;
        if after.is_none() {
            break;
        }
    }
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let changed = rows::set_sighted(&mut tx, actor.workspace, &found, now).await?;
    let deed = Deed::new("message_templates.synced", channel.id, &channel.name).with(json!({"templates": changed}));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(changed)
}

/// What Meta calls back with about templates. One that is not ours changes nothing.
///
/// # Errors
/// Where the database fails.
pub(super) async fn apply(
    tx: &mut Tx,
    workspace: WorkspaceId,
    reports: &[TemplateReport],
    now: Timestamp,
) -> Result<(), Error> {
    let found: Vec<Sighted> = reports
        .iter()
        .map(|report| Sighted {
            name: report.name.clone(),
            language: report.language.clone(),
            approval: report.approval.as_str(),
            reason: report.reason.clone().filter(|_| report.approval != Approval::Approved),
            category: None,
            provider_id: report.provider_id.clone(),
        })
        .collect();
    rows::set_sighted(tx, workspace, &found, now).await.map(drop)
}

fn sighted(standing: Standing) -> Sighted {
    let (approval, words) = Approval::of_whatsapp(&standing.status);
    let reason = standing.reason.or_else(|| words.map(str::to_owned));
    Sighted {
        name: standing.name,
        language: standing.language,
        approval: approval.as_str(),
        reason: reason.filter(|_| approval != Approval::Approved).map(|text| text.chars().take(500).collect()),
        category: standing.category.map(|text| text.chars().take(40).collect()),
        provider_id: Some(standing.id.chars().take(64).collect()).filter(|id: &String| !id.is_empty()),
    }
}

/// The channel that is named, or the oldest that knows its account.
async fn choose(engine: &Engine, actor: &Actor, id: Option<ChannelId>) -> Result<Channel, MessagingError> {
    let all = channels::list(&engine.store.reader(), actor.workspace).await?;
    let fits = |channel: &Channel| {
        channel.provider == Provider::Whatsapp && channel.settings.contains_key("businessAccountId")
    };
    match id {
        Some(id) => {
            let channel = all.into_iter().find(|channel| channel.id == id).ok_or(MessagingError::NotFound)?;
            if fits(&channel) { Ok(channel) } else { Err(no_account()) }
        }
        None => all.into_iter().find(fits).ok_or_else(no_account),
    }
}

fn no_account() -> MessagingError {
    let words = "name the WhatsApp business account's id in a WhatsApp channel first";
    MessagingError::Conflict(words.to_owned())
}

fn business(open: &OpenChannel) -> Business<'_> {
    Business {
        base: open.setting("apiUrl"),
        id: open.setting("businessAccountId"),
        token: open.credential("accessToken"),
    }
}

fn unanswered(error: &leadline_outbound::SendError) -> MessagingError {
    MessagingError::Conflict(format!("WhatsApp cannot be reached: {error}"))
}

fn refused(reason: &Reason) -> MessagingError {
    MessagingError::Conflict(format!("WhatsApp refused it: {} ({})", reason.message, reason.code))
}

/// A name as Meta takes it.
fn meta_name(name: &str) -> String {
    let made: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(200).collect();
    let parts: Vec<&str> = made.split('_').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "template".to_owned() } else { parts.join("_") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Welcome!", "welcome")]
    #[case("Order  No. 7 – shipped", "order_no_7_shipped")]
    #[case("¿?", "template")]
    fn a_name_becomes_one_that_meta_takes(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(meta_name(name), expected);
    }
}
