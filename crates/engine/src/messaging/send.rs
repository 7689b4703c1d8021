//! Channels with their secrets open, and handing one message to a provider. What is open lives in memory only.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use leadline_domain::{
    ids::{ChannelId, MessageId, WorkspaceId},
    messaging::Provider,
    templates::{Form, Template},
    time::{SECOND_MS, Timestamp},
};
use leadline_outbound::{
    Letter, LetterError, LetterFile, MailServer, Mailer, MailerRefused, Response, SendError, Trust,
    messages::{Handed, Reason, Text, sms_http, twilio, whatsapp, without_answer},
};
use leadline_store::channels::Channel;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::{attachments, channels::open_credentials, mailbox};
use crate::{Engine, links::Dressed, seal::Unsealable};

/// How long a provider that speaks HTTP has for its answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long one has for a file.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a message may be under way: longer than its provider may take.
const HTTP_LEASE_MS: i64 = 25 * SECOND_MS;
const MEDIA_LEASE_MS: i64 = 90 * SECOND_MS;
const MAIL_LEASE_MS: i64 = 180 * SECOND_MS;
const SANDBOX_LEASE_MS: i64 = 5 * SECOND_MS;

/// A message that is handed over.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the parts of a message under their own names")]
pub struct Outgoing {
    pub id: MessageId,
    pub address: String,
    pub subject: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
    pub template: Option<whatsapp::Template>,
    /// As it goes out, where that is not as it was written.
    pub dressed: Option<Dressed>,
    /// Of e-mail: what the mail is called that it answers.
    pub answers: Option<String>,
    /// Whether no person wrote it.
    pub is_automatic: bool,
    /// What is sent along; fetched when it is handed over.
    pub has_files: bool,
    pub workspace: WorkspaceId,
}

impl Outgoing {
    /// Its text as it goes out.
    pub(super) fn dressed_body(&self) -> &str {
        self.dressed.as_ref().map_or(&self.body, |dressed| &dressed.body)
    }

    /// Its page as it goes out.
    pub(super) fn dressed_html(&self) -> Option<&str> {
        self.dressed.as_ref().map_or(self.body_html.as_deref(), |dressed| dressed.body_html.as_deref())
    }
}

/// A channel, ready to send.
pub struct OpenChannel {
    /// Who carries its messages.
    pub provider: Provider,
    /// What of it is no secret.
    settings: BTreeMap<String, String>,
    credentials: BTreeMap<String, String>,
    mailer: Option<Result<Mailer, String>>,
    callback: String,
}

/// Channels by their ids, each with the version of which it is.
type Versions = HashMap<ChannelId, (Timestamp, Arc<OpenChannel>)>;

/// Channels that are open, each in its newest version.
#[derive(Clone, Default)]
pub struct OpenChannels {
    open: Arc<Mutex<Versions>>,
}

impl std::fmt::Debug for OpenChannels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenChannels(…)")
    }
}

impl OpenChannels {
    /// The channel with its secrets open.
    pub(super) fn open(&self, engine: &Engine, channel: &Channel) -> Result<Arc<OpenChannel>, Unsealable> {
        let known = |open: &Versions| {
            let (version, one) = open.get(&channel.id)?;
            (*version == channel.updated_at).then(|| Arc::clone(one))
        };
        if let Some(open) = known(&self.open.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(open);
        }
        let opened = Arc::new(OpenChannel::open(engine, channel)?);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(channel.id, (channel.updated_at, Arc::clone(&opened)));
        Ok(opened)
    }

    /// Closes a channel.
    pub(super) fn forget(&self, id: ChannelId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

impl OpenChannel {
    fn open(engine: &Engine, channel: &Channel) -> Result<Self, Unsealable> {
        let credentials = open_credentials(channel, &engine.keys)?;
        let settings: BTreeMap<String, String> = channel
            .settings
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        let callback = format!("{}/channels/{}/callback", engine.options.public_url, channel.id);
        let mut open = Self { provider: channel.provider, settings, credentials, mailer: None, callback };
        if channel.provider == Provider::Smtp {
            open.mailer = Some(open.make_mailer(engine).map_err(|refused| refused.to_string()));
        }
        Ok(open)
    }

    /// How long a message of it may be under way.
    pub(super) fn lease_ms(&self) -> i64 {
        match self.provider {
            Provider::Sandbox => SANDBOX_LEASE_MS,
            Provider::Whatsapp => MEDIA_LEASE_MS,
            Provider::Twilio | Provider::SmsHttp => HTTP_LEASE_MS,
            Provider::Smtp => MAIL_LEASE_MS,
        }
    }

    /// Whether its provider knows a message that it gets twice, so that one of which nobody knows may be sent again.
    pub(super) fn knows_repeats(&self) -> bool {
        match self.provider {
            Provider::Sandbox => true,
            Provider::SmsHttp => self.setting("knowsIdempotencyKey") == "yes",
            Provider::Whatsapp | Provider::Twilio | Provider::Smtp => false,
        }
    }

    /// Something that it was told and that is no secret; empty where it was not.
    pub(super) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// A secret; empty where it has none of this name.
    pub(super) fn credential(&self, name: &str) -> &str {
        self.credentials.get(name).map_or("", String::as_str)
    }

    fn make_mailer(&self, engine: &Engine) -> Result<Mailer, MailerRefused> {
        let username = self.setting("username");
        let credentials = (!username.is_empty()).then(|| (username, self.credential("password")));
        let server = MailServer { url: self.setting("server"), credentials, from: self.setting("from") };
        engine.client.mailer(&server, engine.options.mail_trust.clone())
    }

    pub(super) fn number(&self) -> whatsapp::Number<'_> {
        whatsapp::Number {
            base: self.setting("apiUrl"),
            phone_number_id: self.setting("phoneNumberId"),
            token: self.credential("accessToken"),
        }
    }

    pub(super) fn account(&self) -> twilio::Account<'_> {
        twilio::Account {
            base: self.setting("apiUrl"),
            sid: self.setting("accountSid"),
            token: self.credential("authToken"),
            from: self.setting("from"),
        }
    }
}

/// Hands one message to its provider.
pub(super) async fn hand_over(engine: &Engine, channel: &OpenChannel, message: &Outgoing) -> Handed {
    let id = message.id.to_string();
    // Named in the address, so that a report which is quicker than our own note finds its message.
    let callback = format!("{}?message={id}", channel.callback);
    let text = Text { id: &id, to: &message.address, body: &message.body, callback: &callback };
    match channel.provider {
        // Taken by the runner itself, many at a time.
        Provider::Sandbox => Handed::Refused(Reason::new("sandbox", "a sandbox is no way out")),
        Provider::Whatsapp => {
            let media = match give_media(engine, channel, message).await {
                Ok(media) => media,
                Err(handed) => return handed,
            };
            let template = message.template.as_ref();
            let request = whatsapp::request(&channel.number(), &text, template, media.as_ref(), TIMEOUT);
            exchange(engine, request, whatsapp::read).await
        }
        Provider::Twilio => exchange(engine, twilio::request(&channel.account(), &text, TIMEOUT), twilio::read).await,
        Provider::SmsHttp => by_gateway(engine, channel, &text).await,
        Provider::Smtp => by_mail(engine, channel, message, &id).await,
    }
}

async fn exchange(
    engine: &Engine,
    request: Option<leadline_outbound::Request>,
    read: impl Fn(&Response) -> Handed,
) -> Handed {
    let Some(request) = request else {
        return Handed::Refused(Reason::new("url_malformed", "the provider's address is none"));
    };
    match engine.client.send(&request).await.1 {
        Ok(response) => read(&response),
        Err(error) => without_answer(&error),
    }
}

async fn by_gateway(engine: &Engine, channel: &OpenChannel, text: &Text<'_>) -> Handed {
    let parts =
        (Url::parse(channel.setting("url")), read_headers(channel.credential("headers")), filled_body(channel, text));
    let (Ok(url), Ok(headers), Ok(body)) = parts else {
        return Handed::Refused(Reason::new("invalid_settings", "the channel's settings cannot be used"));
    };
    let id_field = Some(channel.setting("idField")).filter(|name| !name.is_empty());
    let content_type = channel.setting("contentType");
    let gateway = sms_http::Gateway { url: &url, content_type, body: &body, headers: &headers, id_field };
    let request = sms_http::request(&gateway, text, TIMEOUT);
    exchange(engine, Some(request), |response| sms_http::read(&gateway, response)).await
}

/// The files of a message. Where the store does not give them, nothing was sent yet.
async fn files(engine: &Engine, message: &Outgoing) -> Result<Vec<LetterFile>, Handed> {
    if !message.has_files {
        return Ok(Vec::new());
    }
    let found = attachments::of_message(engine, message.workspace, message.id).await;
    found.map_err(|_| Handed::Later(Reason::new("files_not_read", "the message's files could not be read"), None))
}

/// Gives WhatsApp the file of a message, which sends it by its own name for it.
async fn give_media(
    engine: &Engine,
    channel: &OpenChannel,
    message: &Outgoing,
) -> Result<Option<whatsapp::Media>, Handed> {
    let Some(file) = files(engine, message).await?.into_iter().next() else { return Ok(None) };
    let what = (file.name.as_str(), file.content_type.as_str(), file.bytes.as_slice());
    let request = whatsapp::upload(&channel.number(), what, UPLOAD_TIMEOUT);
    let request =
        request.ok_or_else(|| Handed::Refused(Reason::new("url_malformed", "the provider's address is none")))?;
    let id = match engine.client.send(&request).await.1 {
        Ok(response) => whatsapp::read_upload(&response)?,
        // However it broke off: the file is nothing to anybody until a message names it.
        Err(SendError::Timeout | SendError::Network(_)) => {
            return Err(Handed::Later(Reason::new("media_not_taken", "the file could not be handed over"), None));
        }
        Err(error) => return Err(without_answer(&error)),
    };
    let kind = whatsapp::media_kind(&file.content_type, !message.body.trim().is_empty());
    Ok(Some(whatsapp::Media { id, kind, file_name: file.name }))
}

async fn by_mail(engine: &Engine, channel: &OpenChannel, message: &Outgoing, id: &str) -> Handed {
    let mailer = match &channel.mailer {
        Some(Ok(mailer)) => mailer,
        Some(Err(refused)) => return Handed::Refused(Reason::new("invalid_settings", refused)),
        None => return Handed::Refused(Reason::new("invalid_settings", "the channel has no mail server")),
    };
    let files = match files(engine, message).await {
        Ok(files) => files,
        Err(handed) => return handed,
    };
    let reply_to = reply_to(channel, message.id);
    let letter = Letter {
        id,
        to: &message.address,
        subject: message.subject.as_deref().unwrap_or_default(),
        text: message.dressed_body(),
        html: message.dressed_html(),
        unsubscribe: message.dressed.as_ref().map(|dressed| dressed.unsubscribe.as_str()),
        answers: message.answers.as_deref(),
        reply_to: reply_to.as_deref(),
        is_automatic: message.is_automatic,
        files: &files,
    };
    match mailer.send_letter(&letter).await {
        Ok(()) => Handed::Taken { provider_id: None },
        Err(LetterError::Refused(text)) => Handed::Refused(Reason::new("smtp_refused", &text)),
        Err(LetterError::NotTaken(text)) => Handed::Later(Reason::new("smtp_not_taken", &text), None),
        Err(LetterError::Unclear(text)) => Handed::Unclear(Reason::new("smtp_broken_off", &text)),
    }
}

/// Where answers go: with the message's id behind a plus, for mail programs that forget what they answer.
fn reply_to(channel: &OpenChannel, id: MessageId) -> Option<String> {
    let address = channel.setting("replyTo");
    let (local, domain) = address.rsplit_once('@')?;
    let has_plus = channel.setting("plusAddress") == "yes";
    Some(if has_plus { format!("{local}+{}@{domain}", id.0.simple()) } else { address.to_owned() })
}

/// Asks a provider whether its channel can be used, and says what was found.
pub(super) async fn look(engine: &Engine, channel: &OpenChannel) -> Result<String, String> {
    match channel.provider {
        Provider::Sandbox => Ok("The sandbox is ready: what is sent arrives at its phone and mailbox.".to_owned()),
        Provider::Whatsapp => fetch(engine, whatsapp::look_up(&channel.number(), TIMEOUT), "WhatsApp").await,
        Provider::Twilio => fetch(engine, twilio::look_up(&channel.account(), TIMEOUT), "Twilio").await,
        Provider::SmsHttp => match engine.client.guard().check_url(channel.setting("url")) {
            Ok(_) => Ok("The settings are whole. A gateway says only with a text whether it takes one.".to_owned()),
            Err(refused) => Err(refused.to_string()),
        },
        Provider::Smtp => match &channel.mailer {
            Some(Ok(mailer)) => {
                mailer.sign_in().await.map_err(|error| error.to_string())?;
                let takes = format!("{} takes letters from {}.", mailer.server(), mailer.from());
                if channel.setting("imapServer").is_empty() {
                    return Ok(takes);
                }
                let trust = engine.options.mail_trust.clone();
                let opened = engine.client.open_mailbox(&mailbox::server(channel), trust).await;
                opened.map_err(|error| error.to_string())?.leave().await;
                Ok(format!("{takes} The mailbox can be read."))
            }
            Some(Err(refused)) => Err(format!("The server {refused}.")),
            None => Err("The channel has no mail server.".to_owned()),
        },
    }
}

async fn fetch(engine: &Engine, fetch: Option<leadline_outbound::Fetch>, who: &str) -> Result<String, String> {
    let Some(fetch) = fetch else { return Err("The provider's address is none.".to_owned()) };
    match engine.client.get(&fetch).await {
        Ok(response) if response.is_success() => Ok(format!("{who} knows the account and took its secret.")),
        Ok(response) if matches!(response.status, 400 | 401 | 403 | 404) => {
            Err(format!("{who} answered {}: the account or its secret is wrong.", response.status))
        }
        Ok(response) => Err(format!("{who} answered {}.", response.status)),
        Err(SendError::Timeout) => Err(format!("{who} did not answer in time.")),
        Err(error) => Err(format!("{who} cannot be reached: {error}.")),
    }
}

/// Whether a mail server may be named like this: read, and let through by the guard.
pub(super) fn check_server(engine: &Engine, text: &str) -> Result<String, String> {
    let server = MailServer { url: text, credentials: None, from: "leadline@example.com" };
    let has_credentials = Url::parse(text).is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
    if has_credentials {
        return Err("must not hold a user name or password; there are fields for them".to_owned());
    }
    match engine.client.mailer(&server, Trust::Only(Vec::new())) {
        Ok(_) => Ok(text.to_owned()),
        Err(MailerRefused::Server) => {
            Err("must be smtps://HOST or smtp://HOST:PORT, with ?tls=none where it has no TLS".to_owned())
        }
        Err(refused) => Err(refused.to_string()),
    }
}

/// Whether this names a sender of e-mail.
pub(super) fn check_sender(text: &str) -> Result<String, String> {
    Mailer::new("smtps://mail.example.com", text, Trust::Only(Vec::new()))
        .map(|_| text.to_owned())
        .map_err(|refused| refused.to_string())
}

/// Headers as somebody wrote them, one a line.
pub(super) fn read_headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &str| line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    lines.map(|line| read(line).ok_or_else(|| "must be lines such as Authorization: Bearer …".to_owned())).collect()
}

const BODY_PLACEHOLDERS: [&str; 4] = ["to", "text", "from", "id"];

fn body_template(text: &str) -> Result<Template, String> {
    let is_known = |path: &[String]| matches!(path, [name] if BODY_PLACEHOLDERS.contains(&name.as_str()));
    Template::parse(text, is_known).map_err(|error| error.to_string())
}

/// Whether this is a body for a gateway: JSON with `{{to}}` and `{{text}}` in it.
pub(super) fn check_body(text: &str) -> Result<(), String> {
    body_template(text)?;
    let has = |name: &str| text.replace(' ', "").contains(&format!("{{{{{name}"));
    if has("to") && has("text") { Ok(()) } else { Err("must hold {{to}} and {{text}}".to_owned()) }
}

fn filled_body(channel: &OpenChannel, text: &Text<'_>) -> Result<String, String> {
    let values = json!({"to": text.to, "text": text.body, "from": channel.setting("from"), "id": text.id});
    let body = body_template(channel.setting("body"))?.fill(&values);
    if channel.setting("contentType") == "application/json" {
        return Ok(body);
    }
    let fields: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&body).map_err(|_| "for a form this must be one object".to_owned())?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &fields {
        form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
    }
    Ok(form.finish())
}

/// The values of a WhatsApp template's placeholders.
pub(super) fn placeholder_values(body: &str, values: &serde_json::Value) -> Vec<String> {
    leadline_domain::messaging::variables::parse(body, Form::Text).map(|text| text.values(values)).unwrap_or_default()
}
