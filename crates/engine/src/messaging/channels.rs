//! Making, changing, testing and deleting channels. Secrets are sealed, never told again, and known by their ends.

use std::collections::BTreeMap;

use leadline_domain::{emails::Email, ids::ChannelId, messaging::Provider, time::Timestamp};
use leadline_outbound::check_custom_header;
use leadline_store::{
    channels::{self, Channel},
    mailboxes,
};
use serde_json::{Map, Value, json};

use super::{Fault, MessagingError, checked_line, mailbox, sandbox, send};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
    seal::Keys,
};

const MOST_NAME_CHARS: usize = 120;
const MOST_VALUE_CHARS: usize = 2_000;
const MOST_PER_MINUTE: i64 = 600_000;
const MOST_IN_FLIGHT: i64 = 100;

/// What a channel's provider wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in settings or credentials.
    pub name: &'static str,
    /// Whether it is a secret.
    pub is_secret: bool,
    /// Whether nothing goes without it.
    pub is_required: bool,
    /// What it is where nobody says.
    pub default: Option<&'static str>,
    kind: Kind,
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    /// An address that the guard lets through.
    Url,
    /// Digits and letters, as ids at providers are.
    Id,
    /// `smtps://host:port` or `smtp://host:port`.
    MailServer,
    Sender,
    /// `imaps://host:port` or `imap://host:port`.
    Mailbox,
    /// An e-mail address.
    Address,
    Phone,
    /// Headers, one a line: `Name: value`.
    Headers,
    /// A body with `{{to}}`, `{{text}}`, `{{from}}` and `{{id}}`.
    Body,
    /// A secret that somebody makes up.
    Token,
    OneOf(&'static [&'static str]),
    Seconds,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, is_secret: false, is_required: false, default: None, kind }
}

const fn secret(name: &'static str, kind: Kind) -> Field {
    Field { is_secret: true, ..field(name, kind) }
}

const fn required(field: Field) -> Field {
    Field { is_required: true, ..field }
}

const fn or(field: Field, default: &'static str) -> Field {
    Field { default: Some(default), ..field }
}

const SANDBOX: &[Field] =
    &[or(field("plays", Kind::OneOf(&sandbox::PLANS)), "deliver"), or(field("delaySeconds", Kind::Seconds), "1")];
const WHATSAPP: &[Field] = &[
    required(field("phoneNumberId", Kind::Id)),
    field("businessAccountId", Kind::Id),
    or(field("apiUrl", Kind::Url), "https://graph.facebook.com/v23.0"),
    required(secret("accessToken", Kind::Line)),
    required(secret("appSecret", Kind::Line)),
    required(secret("verifyToken", Kind::Line)),
];
const TWILIO: &[Field] = &[
    required(field("accountSid", Kind::Id)),
    required(field("from", Kind::Phone)),
    or(field("apiUrl", Kind::Url), "https://api.twilio.com"),
    required(secret("authToken", Kind::Line)),
];
const SMS_HTTP: &[Field] = &[
    required(field("url", Kind::Url)),
    or(
        field("contentType", Kind::OneOf(&["application/json", "application/x-www-form-urlencoded"])),
        "application/json",
    ),
    or(field("body", Kind::Body), r#"{"to":"{{to}}","from":"{{from}}","text":"{{text}}","id":"{{id}}"}"#),
    field("from", Kind::Line),
    field("idField", Kind::Line),
    or(field("knowsIdempotencyKey", Kind::OneOf(&["no", "yes"])), "no"),
    secret("headers", Kind::Headers),
    secret("callbackToken", Kind::Line),
];
const SMTP: &[Field] = &[
    required(field("server", Kind::MailServer)),
    required(field("from", Kind::Sender)),
    field("username", Kind::Line),
    secret("password", Kind::Line),
    field("replyTo", Kind::Address),
    or(field("plusAddress", Kind::OneOf(&["no", "yes"])), "no"),
    field("imapServer", Kind::Mailbox),
    field("imapUsername", Kind::Line),
    field("imapFolder", Kind::Line),
    or(field("imapMarksRead", Kind::OneOf(&["no", "yes"])), "no"),
    secret("imapPassword", Kind::Line),
    secret("inboundToken", Kind::Token),
];

/// What a provider wants to know.
#[must_use]
pub const fn fields(provider: Provider) -> &'static [Field] {
    match provider {
        Provider::Sandbox => SANDBOX,
        Provider::Whatsapp => WHATSAPP,
        Provider::Twilio => TWILIO,
        Provider::SmsHttp => SMS_HTTP,
        Provider::Smtp => SMTP,
    }
}

/// What somebody wants a channel to be; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What to call it.
    pub name: Option<String>,
    /// Whether it carries anything at the moment.
    pub is_active: Option<bool>,
    /// How many messages it may send in a minute; 0 for as many as there are.
    pub per_minute: Option<i64>,
    /// How many it sends at the same time.
    pub max_in_flight: Option<i64>,
    /// What it needs to know; null takes something away.
    pub settings: BTreeMap<String, Option<String>>,
    /// Its secrets; null takes one away.
    pub credentials: BTreeMap<String, Option<String>>,
}

/// Makes a channel.
///
/// # Errors
/// Where something about it is not valid, there are too many, or the store fails.
pub async fn create(
    engine: &Engine,
    actor: &Actor,
    provider: Provider,
    wish: &Wish,
) -> Result<Channel, MessagingError> {
    let now = engine.clock.now();
    let mut channel = blank(actor, provider, now);
    apply(engine, &mut channel, wish)?;
    let mut tx = engine.store.begin().await?;
    if channels::count(&mut tx, actor.workspace).await? >= channels::MOST {
        return Err(MessagingError::Conflict(format!("a workspace has at most {} channels", channels::MOST)));
    }
    channels::insert(&mut tx, &channel).await?;
    mailbox::keep(&mut tx, None, &channel, now).await?;
    let deed = Deed::new("channel.created", channel.id, &channel.name).with(json!({"kind": provider}));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(channel)
}

fn blank(actor: &Actor, provider: Provider, now: Timestamp) -> Channel {
    let (per_minute, max_in_flight) = match provider {
        Provider::Sandbox => (0, 100),
        Provider::Whatsapp => (3_000, 20),
        Provider::Twilio | Provider::SmsHttp => (600, 10),
        Provider::Smtp => (300, 4),
    };
    Channel {
        id: ChannelId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        provider,
        name: String::new(),
        settings: Map::new(),
        credentials_sealed: None,
        credential_hints: Map::new(),
        is_active: true,
        per_minute,
        max_in_flight,
        next_slot_at: Timestamp(0),
        last_sent_at: None,
        last_error: None,
        last_error_at: None,
        last_callback_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

/// Changes a channel. Secrets that are not named stay.
///
/// # Errors
/// Where it is not there, something about it is not valid, or the store fails.
pub async fn update(engine: &Engine, actor: &Actor, id: ChannelId, wish: &Wish) -> Result<Channel, MessagingError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut channel = channels::lock(&mut tx, actor.workspace, id).await?.ok_or(MessagingError::NotFound)?;
    let before = shown(&channel);
    let was = channel.clone();
    apply(engine, &mut channel, wish)?;
    // Two changes within a millisecond must not look like one version to those who hold it open.
    channel.updated_at = now.max(channel.updated_at.plus_ms(1));
    channels::update(&mut tx, &channel).await?;
    mailbox::keep(&mut tx, Some(&was), &channel, now).await?;
    let deed = Deed::new("channel.updated", id, &channel.name).with(audit::changed(&before, &shown(&channel)));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    engine.wake.messages.notify_one();
    Ok(channel)
}

/// What of a channel is compared, to name what somebody changed.
fn shown(channel: &Channel) -> Value {
    json!({
        "name": channel.name,
        "settings": channel.settings,
        "credentials": channel.credentials_sealed,
        "isActive": channel.is_active,
        "perMinute": channel.per_minute,
        "maxInFlight": channel.max_in_flight,
    })
}

/// Deletes a channel and its secrets. What waits for it is not sent.
///
/// # Errors
/// Where it is not there, or the store fails.
pub async fn delete(engine: &Engine, actor: &Actor, id: ChannelId) -> Result<(), MessagingError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let channel = channels::lock(&mut tx, actor.workspace, id).await?.ok_or(MessagingError::NotFound)?;
    channels::delete(&mut tx, actor.workspace, id, now).await?;
    mailboxes::drop_of(&mut tx, id).await?;
    audit::record(&mut tx, now, actor, Deed::new("channel.deleted", id, &channel.name)).await?;
    tx.commit().await?;
    engine.channels.forget(id);
    engine.wake.messages.notify_one();
    Ok(())
}

/// What a test of a channel showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Whether it can be used.
    pub is_good: bool,
    /// What was found, in a sentence.
    pub detail: String,
}

/// Asks a channel's provider whether it can be used. Nothing is sent to anybody.
///
/// # Errors
/// Where it is not there, its secrets cannot be opened, or the store fails.
pub async fn test(engine: &Engine, actor: &Actor, id: ChannelId) -> Result<Tested, MessagingError> {
    let found = channels::find(&engine.store.reader(), actor.workspace, id).await?;
    let channel = found.ok_or(MessagingError::NotFound)?;
    let mut tx = engine.store.begin().await?;
    audit::record(&mut tx, engine.clock.now(), actor, Deed::new("channel.tested", id, &channel.name)).await?;
    tx.commit().await?;
    let open = engine.channels.open(engine, &channel)?;
    let (is_good, detail) = match send::look(engine, &open).await {
        Ok(detail) => (true, detail),
        Err(detail) => (false, detail),
    };
    Ok(Tested { is_good, detail })
}

/// The secrets of a channel by their names.
///
/// # Errors
/// Where they were sealed with another key.
pub(super) fn open_credentials(
    channel: &Channel,
    keys: &Keys,
) -> Result<BTreeMap<String, String>, crate::seal::Unsealable> {
    match &channel.credentials_sealed {
        Some(sealed) => serde_json::from_str(&keys.open(sealed)?).map_err(|_| crate::seal::Unsealable),
        None => Ok(BTreeMap::new()),
    }
}

fn apply(engine: &Engine, channel: &mut Channel, wish: &Wish) -> Result<(), MessagingError> {
    let mut faults = Vec::new();
    if let Some(name) = &wish.name {
        channel.name.clone_from(name);
    }
    match checked_line("/name", &channel.name, MOST_NAME_CHARS) {
        Ok(name) => channel.name = name,
        Err(fault) => faults.push(fault),
    }
    if let Some(is_active) = wish.is_active {
        channel.is_active = is_active;
    }
    if let Some(per_minute) = wish.per_minute {
        channel.per_minute = per_minute;
    }
    if !(0..=MOST_PER_MINUTE).contains(&channel.per_minute) {
        faults.push(Fault::new("/perMinute", format!("must be 0 to {MOST_PER_MINUTE}")));
    }
    if let Some(most) = wish.max_in_flight {
        channel.max_in_flight = most;
    }
    if !(1..=MOST_IN_FLIGHT).contains(&channel.max_in_flight) {
        faults.push(Fault::new("/maxInFlight", format!("must be 1 to {MOST_IN_FLIGHT}")));
    }
    faults.extend(apply_settings(engine, channel, wish));
    faults.extend(apply_credentials(engine, channel, wish)?);
    faults.extend(mailbox_faults(channel));
    if faults.is_empty() { Ok(()) } else { Err(MessagingError::Invalid(faults)) }
}

/// A mailbox is read by somebody who signs in.
fn mailbox_faults(channel: &Channel) -> Vec<Fault> {
    if !channel.settings.contains_key("imapServer") {
        return Vec::new();
    }
    let has_name = channel.settings.contains_key("imapUsername");
    let has_password = channel.credential_hints.contains_key("imapPassword");
    let name = (!has_name).then(|| Fault::new("/settings/imapUsername", "is required to read the mailbox"));
    let password = (!has_password).then(|| Fault::new("/credentials/imapPassword", "is required to read the mailbox"));
    name.into_iter().chain(password).collect()
}

fn apply_settings(engine: &Engine, channel: &mut Channel, wish: &Wish) -> Vec<Fault> {
    let known = fields(channel.provider);
    let mut faults =
        unknown(&wish.settings, "/settings", |name| known.iter().any(|one| !one.is_secret && one.name == name));
    for field in known.iter().filter(|field| !field.is_secret) {
        match wish.settings.get(field.name) {
            Some(Some(text)) if !text.trim().is_empty() => match check(engine, field, text) {
                Ok(text) => drop(channel.settings.insert(field.name.to_owned(), text.into())),
                Err(message) => faults.push(Fault::new(format!("/settings/{}", field.name), message)),
            },
            Some(_) => drop(channel.settings.remove(field.name)),
            None => {}
        }
        let Some(default) = field.default else { continue };
        channel.settings.entry(field.name).or_insert_with(|| default.into());
    }
    for field in known.iter().filter(|field| field.is_required && !field.is_secret) {
        let pointer = format!("/settings/{}", field.name);
        let is_named = faults.iter().any(|fault| fault.pointer == pointer);
        if !channel.settings.contains_key(field.name) && !is_named {
            faults.push(Fault::new(pointer, "is required"));
        }
    }
    faults
}

fn apply_credentials(engine: &Engine, channel: &mut Channel, wish: &Wish) -> Result<Vec<Fault>, MessagingError> {
    let known = fields(channel.provider);
    let mut faults =
        unknown(&wish.credentials, "/credentials", |name| known.iter().any(|one| one.is_secret && one.name == name));
    let mut open = open_credentials(channel, &engine.keys)?;
    for field in known.iter().filter(|field| field.is_secret) {
        match wish.credentials.get(field.name) {
            Some(Some(text)) if !text.trim().is_empty() => match check(engine, field, text) {
                Ok(text) => drop(open.insert(field.name.to_owned(), text)),
                Err(message) => faults.push(Fault::new(format!("/credentials/{}", field.name), message)),
            },
            Some(_) => drop(open.remove(field.name)),
            None => {}
        }
        let pointer = format!("/credentials/{}", field.name);
        let is_named = faults.iter().any(|fault| fault.pointer == pointer);
        if field.is_required && !open.contains_key(field.name) && !is_named {
            faults.push(Fault::new(pointer, "is required"));
        }
    }
    channel.credential_hints = open.iter().map(|(name, text)| (name.clone(), json!(hint(text)))).collect();
    if !wish.credentials.is_empty() {
        let text = serde_json::to_string(&open).expect("texts can be written");
        channel.credentials_sealed = (!open.is_empty()).then(|| engine.keys.seal(&text));
    }
    Ok(faults)
}

fn unknown(given: &BTreeMap<String, Option<String>>, place: &str, is_known: impl Fn(&str) -> bool) -> Vec<Fault> {
    let strange = given.keys().filter(|name| !is_known(name));
    let pointer = |name: &String| format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    strange.map(|name| Fault::new(pointer(name), "is nothing that this kind of channel knows")).collect()
}

/// The end of a secret that is long enough to lose nothing by it.
fn hint(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 12 {
        "••••".to_owned()
    } else {
        format!("••••{}", chars[chars.len() - 4..].iter().collect::<String>())
    }
}

fn check(engine: &Engine, field: &Field, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > MOST_VALUE_CHARS {
        return Err(format!("must have at most {MOST_VALUE_CHARS} characters"));
    }
    let may_have_lines = matches!(field.kind, Kind::Headers | Kind::Body);
    if text.chars().any(|c| c.is_control() && !(may_have_lines && matches!(c, '\n' | '\r' | '\t'))) {
        return Err("must be one line without control characters".to_owned());
    }
    match field.kind {
        Kind::Line => Ok(text.to_owned()),
        Kind::Token => {
            let is_long = text.len() >= 16 && text.chars().all(|c| c.is_ascii_graphic());
            if is_long { Ok(text.to_owned()) } else { Err("must have 16 letters and digits or more".to_owned()) }
        }
        Kind::Mailbox => {
            engine.client.check_mailbox(text).map(|()| text.to_owned()).map_err(|refused| refused.to_string())
        }
        Kind::Address => match Email::parse(text) {
            Some(_) => Ok(text.to_owned()),
            None => Err("must be an e-mail address".to_owned()),
        },
        Kind::Url => {
            let url = engine.client.guard().check_url(text).map_err(|refused| refused.to_string())?;
            Ok(url.to_string().trim_end_matches('/').to_owned())
        }
        Kind::Id => {
            let is_id = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            if is_id { Ok(text.to_owned()) } else { Err("must be made of letters and digits".to_owned()) }
        }
        Kind::MailServer => send::check_server(engine, text),
        Kind::Sender => send::check_sender(text),
        Kind::Phone => {
            let is_number =
                text.strip_prefix('+').unwrap_or(text).chars().all(|c| c.is_ascii_digit()) && text.len() >= 3;
            let is_service = text.starts_with("MG") && text.chars().all(|c| c.is_ascii_alphanumeric());
            let is_name = text.len() <= 11 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
            if is_number || is_service || is_name {
                Ok(text.to_owned())
            } else {
                Err("must be a number such as +4930123456, a sender's name, or the id of a messaging service"
                    .to_owned())
            }
        }
        Kind::Headers => send::read_headers(text)
            .and_then(|headers| {
                let refused = headers.iter().find_map(|(name, value)| check_custom_header(name, value).err());
                refused.map_or(Ok(()), |refused| Err(refused.to_string()))
            })
            .map(|()| text.to_owned()),
        Kind::Body => send::check_body(text).map(|()| text.to_owned()),
        Kind::OneOf(known) => {
            if known.contains(&text) {
                Ok(text.to_owned())
            } else {
                Err(format!("must be one of {}", known.join(", ")))
            }
        }
        Kind::Seconds => match text.parse::<i64>() {
            Ok(seconds) if (0..=3_600).contains(&seconds) => Ok(seconds.to_string()),
            Ok(_) | Err(_) => Err("must be 0 to 3600 seconds".to_owned()),
        },
    }
}
