//! What providers call back with: whether it is theirs, and what it changes.

use std::collections::{HashMap, HashSet};

use leadline_domain::{
    ids::{ChannelId, MessageId},
    messaging::{
        Provider, Status,
        callbacks::{self, Callback, Report},
    },
    time::Timestamp,
};
use leadline_outbound::{Incoming, Scheme, messages::twilio, same_secret, verify_signature};
use leadline_store::{
    Error, Tx,
    channels::{self, Channel},
    messages::outcome::{self as rows, Moved, Standing},
};
use serde_json::Value;

use super::{approvals, inbound, outcome};
use crate::Engine;

/// Things that one callback may tell of; providers send far fewer.
const MOST: usize = 1_000;

/// A request as it came.
#[derive(Clone, Copy)]
pub struct Called<'a> {
    /// The address as the provider knows it.
    pub url: &'a str,
    /// What the address says beside its path.
    pub query: &'a [(String, String)],
    /// A header by its name in lower case.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The fields of a form.
    pub fields: &'a [(String, String)],
}

/// Why a callback is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// Nobody calls this channel back, or there is none.
    #[error("there is no such channel")]
    NotFound,
    /// It is not signed, or not by the channel's provider.
    #[error("the request is not the provider's")]
    Forged,
    /// It cannot be read.
    #[error("the request cannot be read")]
    Unreadable,
    /// The channel's secrets cannot be opened.
    #[error(transparent)]
    Sealed(#[from] crate::seal::Unsealable),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

/// The channel that is called back, if anybody may.
async fn called(engine: &Engine, id: ChannelId) -> Result<Channel, CallbackError> {
    let found = channels::find_called(&engine.store.reader(), id).await?;
    let calls =
        |channel: &Channel| matches!(channel.provider, Provider::Whatsapp | Provider::Twilio | Provider::SmsHttp);
    found.filter(calls).ok_or(CallbackError::NotFound)
}

/// Whether this token is the one that Meta was given for a channel.
///
/// # Errors
/// Where there is no such channel, the token is another, or the store fails.
pub async fn verify(engine: &Engine, id: ChannelId, mode: &str, token: &str) -> Result<(), CallbackError> {
    let channel = called(engine, id).await?;
    let open = engine.channels.open(engine, &channel)?;
    let wanted = open.credential("verifyToken");
    let is_right = mode == "subscribe" && !wanted.is_empty() && same_secret(wanted, token);
    if is_right && channel.provider == Provider::Whatsapp { Ok(()) } else { Err(CallbackError::Forged) }
}

/// Takes what a channel's provider calls back with. What is unknown changes nothing.
///
/// # Errors
/// Where there is no such channel, the request is not its provider's or cannot be read, or the store fails.
pub async fn take(engine: &Engine, id: ChannelId, called_with: &Called<'_>) -> Result<(), CallbackError> {
    let channel = called(engine, id).await?;
    let callback = admit(engine, &channel, called_with)?;
    if callback.reports.len() + callback.inbound.len() + callback.templates.len() > MOST {
        return Err(CallbackError::Unreadable);
    }
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let reports = find(&mut tx, &channel, callback.reports).await?;
    apply(engine, &mut tx, &reports, now).await?;
    for said in &callback.inbound {
        inbound::receive(engine, &mut tx, &channel, said, now).await?;
    }
    approvals::apply(&mut tx, channel.workspace_id, &callback.templates, now).await?;
    channels::note_callback(&mut tx, channel.id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Who sent it is looked at before what it says.
fn admit(engine: &Engine, channel: &Channel, called: &Called<'_>) -> Result<Callback, CallbackError> {
    let open = engine.channels.open(engine, channel)?;
    let message_id = called.query.iter().find(|(name, _)| name == "message").and_then(|(_, id)| id.parse().ok());
    match channel.provider {
        Provider::Whatsapp => {
            let now_s = engine.clock.now().0 / 1_000;
            let Called { url, header, body, .. } = *called;
            let incoming = Incoming { method: "POST", url, header, body, now_s };
            verify_signature(&[Scheme::Hub], open.credential("appSecret"), &incoming)
                .map_err(|_| CallbackError::Forged)?;
            let body: Value = serde_json::from_slice(body).map_err(|_| CallbackError::Unreadable)?;
            Ok(callbacks::whatsapp(&body, open.setting("phoneNumberId"), open.setting("businessAccountId")))
        }
        Provider::Twilio => {
            let signature = (called.header)("x-twilio-signature").ok_or(CallbackError::Forged)?;
            let token = open.credential("authToken");
            if !twilio::is_signed(token, called.url, called.fields, called.body, &signature) {
                return Err(CallbackError::Forged);
            }
            Ok(callbacks::twilio(called.fields, message_id))
        }
        Provider::SmsHttp => {
            let wanted = open.credential("callbackToken");
            let in_query = called.query.iter().find(|(name, _)| name == "token").map(|(_, token)| token.clone());
            let given = (called.header)("x-callback-token").or(in_query).ok_or(CallbackError::Forged)?;
            if wanted.is_empty() || !same_secret(wanted, &given) {
                return Err(CallbackError::Forged);
            }
            Ok(callbacks::sms_http(&fields_of(called)?))
        }
        Provider::Sandbox | Provider::Smtp => Err(CallbackError::NotFound),
    }
}

/// A form's fields, or those of an object.
fn fields_of(called: &Called<'_>) -> Result<Vec<(String, String)>, CallbackError> {
    if !called.fields.is_empty() || called.body.is_empty() {
        return Ok(called.fields.to_vec());
    }
    let body: Value = serde_json::from_slice(called.body).map_err(|_| CallbackError::Unreadable)?;
    let object = body.as_object().ok_or(CallbackError::Unreadable)?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(object.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

/// Which of our messages reports are about: by our id where the provider says it, and else by the provider's.
pub(super) async fn find(
    tx: &mut Tx,
    channel: &Channel,
    reports: Vec<Report>,
) -> Result<Vec<(MessageId, Report)>, Error> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<String> =
        reports.iter().map(|report| report.provider_id.clone()).filter(|id| !id.is_empty()).collect();
    let by_provider: HashMap<String, MessageId> =
        rows::find_by_provider(tx, channel.id, &named).await?.into_iter().collect();
    let ours: Vec<MessageId> = reports.iter().filter_map(|report| report.message_id).collect();
    // Somebody else's message is none of this channel's business, whatever its provider says.
    let own: HashMap<MessageId, Standing> = rows::lock(tx, &ours)
        .await?
        .into_iter()
        .filter(|one| one.channel_id == Some(channel.id))
        .map(|one| (one.id, one))
        .collect();
    let found = reports.into_iter().filter_map(|report| {
        let ours = report.message_id.filter(|id| own.contains_key(id));
        let id = by_provider.get(&report.provider_id).copied().or(ours)?;
        Some((id, report))
    });
    Ok(found.collect())
}

/// Moves messages by what is reported of them, each forward only, and tells it.
///
/// # Errors
/// Where the database fails.
pub(super) async fn apply(
    engine: &Engine,
    tx: &mut Tx,
    reports: &[(MessageId, Report)],
    now: Timestamp,
) -> Result<(), Error> {
    let ids: Vec<MessageId> = reports.iter().map(|(id, _)| *id).collect();
    let mut standing: HashMap<MessageId, Standing> =
        rows::lock(tx, &ids).await?.into_iter().map(|one| (one.id, one)).collect();
    // Two reports of one message are two steps; those of different ones are taken together.
    let mut left: Vec<&(MessageId, Report)> = reports.iter().collect();
    while !left.is_empty() {
        let mut seen = HashSet::new();
        let (step, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|(id, _)| seen.insert(*id));
        left = later;
        let mut changes = Vec::with_capacity(step.len());
        for (id, report) in step {
            let Some(was) = standing.get_mut(id) else { continue };
            let is = after(was, report, now);
            changes.push((was.clone(), is.clone()));
            was.status = is.status;
            was.error_code = is.error_code;
            was.error_message = is.error_message;
        }
        outcome::write(engine, tx, &changes, now).await?;
    }
    Ok(())
}

fn after(was: &Standing, report: &Report, now: Timestamp) -> Moved {
    let status = was.status.after_report(report.status).unwrap_or(was.status);
    let at = report.at.unwrap_or(now);
    let mut is = Moved::to(was.id, status, now).reported(report.status, at);
    is.provider_id = Some(report.provider_id.clone()).filter(|id| !id.is_empty());
    match (&report.reason, status) {
        (Some((code, message)), Status::Failed) if was.status != Status::Failed => is.because(code, message),
        // The reason stays with what failed, and goes with what arrived all the same.
        (_, Status::Failed | Status::Skipped | Status::Unknown) => {
            Moved { error_code: was.error_code.clone(), error_message: was.error_message.clone(), ..is }
        }
        _ => is,
    }
}
