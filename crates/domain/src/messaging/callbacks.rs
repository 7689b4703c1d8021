//! What providers call back with, each in its own shape: how messages fare, and what people write.
//!
//! Nothing here is believed yet: who sent it is checked before, and what a report may change after (see
//! [`super::Status::after_report`]). What is not understood is passed over.

use serde_json::{Value, json};

use super::{
    Approval, MessageChannel, Status,
    files::{self, File, FilePlace},
};
use crate::{ids::MessageId, phones::Phone, time::Timestamp};

/// The longest text that is kept of what somebody writes, in characters. WhatsApp's and SMS' are shorter.
const TEXT_MAX_CHARS: usize = 10_000;
/// The longest name or id.
const NAME_MAX_CHARS: usize = 200;

/// What a provider tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Callback {
    /// How messages fare.
    pub reports: Vec<Report>,
    /// What people write.
    pub inbound: Vec<Inbound>,
    /// How templates stand.
    pub templates: Vec<TemplateReport>,
}

/// How a template stands at Meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateReport {
    /// What Meta calls it.
    pub provider_id: Option<String>,
    /// Its name there.
    pub name: String,
    /// Its language, as `en_US`.
    pub language: String,
    /// What that comes to.
    pub approval: Approval,
    /// Why it may not be used.
    pub reason: Option<String>,
}

/// How a message fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the provider calls the message.
    pub provider_id: String,
    /// What we call it, where the provider says.
    pub message_id: Option<MessageId>,
    /// What happened.
    pub status: Status,
    /// When.
    pub at: Option<Timestamp>,
    /// Why it failed: the provider's code and words.
    pub reason: Option<(String, String)>,
}

/// What somebody writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// What the provider calls the message.
    pub provider_id: String,
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// Their phone number in E.164, or e-mail address, where it is shown.
    pub address: Option<String>,
    /// What the provider calls them where it hides their number.
    pub person_ref: Option<String>,
    /// How they call themselves.
    pub name: Option<String>,
    /// Of e-mail: the subject.
    pub subject: Option<String>,
    /// What they write.
    pub text: String,
    /// The advertisement that they clicked before.
    pub referral: Option<Value>,
    /// Of e-mail: the history below it.
    pub quoted: Option<String>,
    /// Which messages of ours it says that it answers, the nearest first.
    pub answers: Vec<MessageId>,
    /// Whether a program wrote it: it is shown, and answers nothing.
    pub is_automatic: bool,
    /// Its files.
    pub files: Vec<File>,
}

impl Inbound {
    /// A text that somebody wrote.
    #[must_use]
    pub const fn text(kind: MessageChannel, provider_id: String, address: Option<String>, text: String) -> Self {
        Self {
            provider_id,
            kind,
            address,
            person_ref: None,
            name: None,
            subject: None,
            text,
            referral: None,
            quoted: None,
            answers: Vec::new(),
            is_automatic: false,
            files: Vec::new(),
        }
    }
}

/// Reads what the WhatsApp Cloud API posts, as far as it is about this number or this account.
#[must_use]
pub fn whatsapp(body: &Value, phone_number_id: &str, account_id: &str) -> Callback {
    let mut callback = Callback::default();
    let entries = || body["entry"].as_array().into_iter().flatten();
    let own = entries().filter(|entry| !account_id.is_empty() && entry["id"].as_str() == Some(account_id));
    let own = own.flat_map(|entry| entry["changes"].as_array().into_iter().flatten());
    let updates = own.filter(|change| change["field"] == "message_template_status_update");
    callback.templates.extend(updates.filter_map(|change| template_report(&change["value"])));
    let entries = entries();
    let changes = entries.flat_map(|entry| entry["changes"].as_array().into_iter().flatten());
    for change in changes.filter(|change| change["field"] == "messages") {
        let value = &change["value"];
        if value["metadata"]["phone_number_id"].as_str() != Some(phone_number_id) {
            continue;
        }
        let list = |name: &str| value[name].as_array().into_iter().flatten();
        callback.reports.extend(list("statuses").filter_map(whatsapp_report));
        callback.inbound.extend(list("messages").filter_map(|message| whatsapp_message(message, &value["contacts"])));
    }
    callback
}

fn template_report(value: &Value) -> Option<TemplateReport> {
    let (approval, words) = Approval::of_whatsapp(value["event"].as_str()?);
    let id = &value["message_template_id"];
    let reason = [&value["rejection_info"]["reason"], &value["other_info"]["description"], &value["reason"]];
    let reason = reason.into_iter().find_map(Value::as_str).filter(|reason| !reason.is_empty() && *reason != "NONE");
    Some(TemplateReport {
        provider_id: id.as_i64().map(|id| id.to_string()).or_else(|| name_of(id)),
        name: name_of(&value["message_template_name"])?,
        language: name_of(&value["message_template_language"])?,
        approval,
        reason: reason.or(words).map(|reason| cut(reason, 500)),
    })
}

fn whatsapp_report(status: &Value) -> Option<Report> {
    let error = &status["errors"][0];
    let words = [&error["error_data"]["details"], &error["message"], &error["title"]];
    let words = words.into_iter().find_map(Value::as_str).unwrap_or("WhatsApp gave no reason");
    let reported = match status["status"].as_str()? {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" | "played" => Status::Read,
        "failed" => Status::Failed,
        _ => return None,
    };
    Some(Report {
        provider_id: name_of(&status["id"])?,
        message_id: status["biz_opaque_callback_data"].as_str().and_then(|id| id.parse().ok()),
        status: reported,
        at: seconds(&status["timestamp"]),
        reason: (reported == Status::Failed).then(|| (code_of(&error["code"]), cut(words, 500))),
    })
}

fn whatsapp_message(message: &Value, contacts: &Value) -> Option<Inbound> {
    let from = message["from"].as_str();
    let person = name_of(&message["from_user_id"]).or_else(|| name_of(&message["user_id"]));
    let contact = contacts.as_array().into_iter().flatten().find(|contact| {
        (from.is_some() && contact["wa_id"].as_str() == from)
            || (person.is_some() && name_of(&contact["user_id"]) == person)
    });
    let person_ref = person.or_else(|| contact.and_then(|contact| name_of(&contact["user_id"])));
    let address = from.and_then(phone);
    if address.is_none() && person_ref.is_none() {
        return None;
    }
    let referral = message["referral"].as_object().filter(|referral| !referral.is_empty());
    let id = name_of(&message["id"])?;
    Some(Inbound {
        person_ref,
        name: contact.and_then(|contact| name_of(&contact["profile"]["name"])),
        referral: referral.map(referral_of),
        files: whatsapp_file(message).into_iter().collect(),
        ..Inbound::text(MessageChannel::Whatsapp, id, address, whatsapp_text(message))
    })
}

/// What the provider keeps for us, where the message has a file.
fn whatsapp_file(message: &Value) -> Option<File> {
    let kind =
        message["type"].as_str().filter(|kind| ["image", "video", "audio", "document", "sticker"].contains(kind))?;
    let inside = &message[kind];
    let id = name_of(&inside["id"])?;
    let content_type = files::safe_type(inside["mime_type"].as_str().unwrap_or_default());
    let name = inside["filename"].as_str().map_or_else(|| named(kind, &content_type), files::safe_name);
    Some(File { name, content_type, place: FilePlace::AtProvider(json!({"media": id})) })
}

/// A name for a file that has none: what it is, and the ending that programs know it by.
fn named(kind: &str, content_type: &str) -> String {
    let ending = match content_type {
        "image/jpeg" => "jpg",
        "audio/mpeg" => "mp3",
        "text/plain" => "txt",
        other => other.split_once('/').map_or("bin", |(_, subtype)| subtype),
    };
    files::safe_name(&format!("{kind}.{ending}"))
}

/// What is kept of the advertisement: which one, and the click.
fn referral_of(referral: &serde_json::Map<String, Value>) -> Value {
    let kept = ["source_url", "source_type", "source_id", "headline", "body", "ctwa_clid"];
    let kept =
        kept.into_iter().filter_map(|name| Some((name.to_owned(), json!(cut(referral.get(name)?.as_str()?, 500)))));
    Value::Object(kept.collect())
}

fn whatsapp_text(message: &Value) -> String {
    let kind = message["type"].as_str().unwrap_or("unsupported");
    let inside = &message[kind];
    let interactive = &message["interactive"];
    let said = [
        &message["text"]["body"],
        &message["button"]["text"],
        &interactive["button_reply"]["title"],
        &interactive["list_reply"]["title"],
        &message["reaction"]["emoji"],
    ];
    if let Some(text) = said.into_iter().find_map(Value::as_str) {
        return cut(text, TEXT_MAX_CHARS);
    }
    // Something that is no text: what it is, and what was written beside it.
    let beside = [&inside["caption"], &inside["filename"], &inside["name"]].into_iter().find_map(Value::as_str);
    let kind = cut(kind, 40);
    cut(&beside.map_or_else(|| format!("[{kind}]"), |text| format!("[{kind}] {text}")), TEXT_MAX_CHARS)
}

/// Reads what Twilio posts about a message of ours, or what somebody wrote. `message_id` is what the address says.
#[must_use]
pub fn twilio(fields: &[(String, String)], message_id: Option<MessageId>) -> Callback {
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let Some(provider_id) = field("MessageSid").or_else(|| field("SmsSid")).map(|id| cut(id, NAME_MAX_CHARS)) else {
        return Callback::default();
    };
    let status = field("MessageStatus").or_else(|| field("SmsStatus")).unwrap_or("received");
    let reported = match status {
        "received" | "receiving" => {
            let address = field("From").and_then(sms_sender);
            let text = cut(field("Body").unwrap_or_default(), TEXT_MAX_CHARS);
            let inbound = address.map(|address| Inbound {
                files: twilio_files(&field),
                ..Inbound::text(MessageChannel::Sms, provider_id, Some(address), text)
            });
            return Callback { inbound: inbound.into_iter().collect(), ..Callback::default() };
        }
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "failed" | "undelivered" | "canceled" => Status::Failed,
        _ => return Callback::default(),
    };
    let reason = (reported == Status::Failed).then(|| {
        let code = field("ErrorCode").unwrap_or(status);
        let words = field("ErrorMessage").map_or_else(|| format!("Twilio says {status}"), str::to_owned);
        (cut(code, 64), cut(&words, 500))
    });
    Callback {
        reports: vec![Report { provider_id, message_id, status: reported, at: None, reason }],
        ..Callback::default()
    }
}

/// The pictures of a message by MMS.
fn twilio_files<'a>(field: &impl Fn(&str) -> Option<&'a str>) -> Vec<File> {
    let count = field("NumMedia").and_then(|count| count.parse::<usize>().ok()).unwrap_or_default();
    let file = |at: usize| {
        let url = field(&format!("MediaUrl{at}")).filter(|url| url.len() <= 2_000)?;
        let content_type = files::safe_type(field(&format!("MediaContentType{at}")).unwrap_or_default());
        let name = named("file", &content_type);
        Some(File { name, content_type, place: FilePlace::AtProvider(json!({"url": url})) })
    };
    (0..count.min(files::MOST_IN)).filter_map(file).collect()
}

/// Reads what a gateway posts: `{"id","status","error"?}` about a message of ours, or `{"id","from","text"}` of
/// somebody's; ours may also be named by `messageId`.
#[must_use]
pub fn sms_http(fields: &[(String, String)]) -> Callback {
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let message_id: Option<MessageId> = field("messageId").and_then(|id| id.parse().ok());
    let id = field("id").map(|id| cut(id, NAME_MAX_CHARS));
    if let (Some(from), Some(text), Some(provider_id)) = (field("from").and_then(phone), field("text"), id.clone()) {
        let inbound = Inbound::text(MessageChannel::Sms, provider_id, Some(from), cut(text, TEXT_MAX_CHARS));
        return Callback { inbound: vec![inbound], ..Callback::default() };
    }
    let reported = match field("status").unwrap_or_default().to_ascii_lowercase().as_str() {
        "sent" | "accepted" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "failed" | "undelivered" | "rejected" | "expired" => Status::Failed,
        _ => return Callback::default(),
    };
    if id.is_none() && message_id.is_none() {
        return Callback::default();
    }
    let words = field("error").unwrap_or("the gateway gave no reason");
    let reason = (reported == Status::Failed).then(|| ("gateway".to_owned(), cut(words, 500)));
    let report = Report { provider_id: id.unwrap_or_default(), message_id, status: reported, at: None, reason };
    Callback { reports: vec![report], ..Callback::default() }
}

/// A number as providers write it, with or without the plus sign. A network has just brought somebody's words from it,
/// so that it is one although our tables may not know its range yet.
fn phone(raw: &str) -> Option<String> {
    let digits = raw.trim().trim_start_matches('+');
    let with_plus = format!("+{digits}");
    let is_whole = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    Phone::parse(&with_plus, None, None).map(|phone| phone.e164).or_else(|| is_whole.then_some(with_plus))
}

/// Who writes by SMS: a number, or a short number or a name, to which nobody can answer.
fn sms_sender(raw: &str) -> Option<String> {
    let name = || name_of(&Value::from(raw.trim().replace(char::is_control, "")));
    phone(raw).or_else(name)
}

fn seconds(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    (0..=32_503_680_000).contains(&seconds).then(|| Timestamp(seconds * 1_000))
}

fn code_of(value: &Value) -> String {
    value.as_i64().map_or_else(|| "failed".to_owned(), |code| code.to_string())
}

fn name_of(value: &Value) -> Option<String> {
    value.as_str().map(|text| cut(text, NAME_MAX_CHARS)).filter(|text| !text.is_empty())
}

/// A text without NUL, which PostgreSQL cannot hold, and no longer than this.
fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn status(status: &str, more: &Value) -> Value {
        let mut one = json!({"id": "wamid.1", "status": status, "timestamp": "1698266945"});
        one.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        message_change(&json!({"statuses": [one]}))
    }

    fn message_change(more: &Value) -> Value {
        let mut value = json!({"metadata": {"phone_number_id": "7"}});
        value.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"entry": [{"changes": [{"field": "messages", "value": value}]}]})
    }

    #[rstest]
    #[case("sent", Some(Status::Sent))]
    #[case("delivered", Some(Status::Delivered))]
    #[case("read", Some(Status::Read))]
    #[case("failed", Some(Status::Failed))]
    #[case("warning", None)]
    fn whatsapp_reports(#[case] name: &str, #[case] expected: Option<Status>) {
        let callback = whatsapp(&status(name, &json!({})), "7", "");

        assert_eq!(callback.reports.first().map(|report| report.status), expected);
        assert!(whatsapp(&status(name, &json!({})), "8", "").reports.is_empty(), "another number's");
    }

    #[test]
    fn a_failure_says_why() {
        let errors =
            json!({"errors": [{"code": 131_026, "title": "Undeliverable", "error_data": {"details": "No WhatsApp"}}]});

        let report = whatsapp(&status("failed", &errors), "7", "").reports.remove(0);

        assert_eq!(report.reason, Some(("131026".to_owned(), "No WhatsApp".to_owned())));
        assert_eq!(report.at, Some(Timestamp(1_698_266_945_000)));
    }

    #[rstest]
    #[case::text(json!({"type": "text", "text": {"body": "Hi\u{0}!"}}), "Hi!")]
    #[case::button(json!({"type": "button", "button": {"text": "Yes"}}), "Yes")]
    #[case::picture(json!({"type": "image", "image": {"caption": "My roof"}}), "[image] My roof")]
    #[case::place(json!({"type": "location", "location": {"latitude": 1}}), "[location]")]
    #[case::nothing_known(json!({}), "[unsupported]")]
    fn whatsapp_messages_are_text(#[case] mut message: Value, #[case] expected: &str) {
        message["id"] = json!("wamid.2");
        message["from"] = json!("491701234567");
        let contacts = json!([{"wa_id": "491701234567", "user_id": "DE.7", "profile": {"name": "Ada"}}]);

        let callback = whatsapp(&message_change(&json!({"messages": [message], "contacts": contacts})), "7", "");

        let said = &callback.inbound[0];
        assert_eq!((said.text.as_str(), said.name.as_deref()), (expected, Some("Ada")));
        assert_eq!((said.address.as_deref(), said.person_ref.as_deref()), (Some("+491701234567"), Some("DE.7")));
    }

    /// A range that no table knows yet, a short number and a name: what they wrote is there.
    #[rstest]
    #[case::number("+49 170 1234567", Some("+491701234567"))]
    #[case::new_range("+972987654321", Some("+972987654321"))]
    #[case::short("22922", Some("22922"))]
    #[case::name("Lieferando\u{7}", Some("Lieferando"))]
    #[case::nobody(" ", None)]
    fn nobody_s_words_are_lost_for_their_number(#[case] from: &str, #[case] expected: Option<&str>) {
        let fields = [("MessageSid", "SM1"), ("From", from), ("Body", "Hi")];
        let said = twilio(&fields.map(|(name, value)| (name.to_owned(), value.to_owned())), None).inbound;

        assert_eq!(said.first().and_then(|said| said.address.as_deref()), expected);
    }

    #[rstest]
    #[case::approved(json!({"event": "APPROVED", "reason": "NONE"}), Approval::Approved, None)]
    #[case::rejected(json!({"event": "REJECTED", "reason": "INVALID_FORMAT"}), Approval::Rejected, Some("INVALID_FORMAT"))]
    #[case::paused(json!({"event": "PAUSED", "reason": null, "other_info": {"title": "FIRST_PAUSE", "description": "Too many blocks"}}),
        Approval::Rejected, Some("Too many blocks"))]
    fn a_template_s_fate_is_heard(#[case] mut value: Value, #[case] approval: Approval, #[case] reason: Option<&str>) {
        value["message_template_id"] = json!(12_345);
        value["message_template_name"] = json!("welcome");
        value["message_template_language"] = json!("en_US");
        let body =
            json!({"entry": [{"id": "99", "changes": [{"field": "message_template_status_update", "value": value}]}]});

        let told = whatsapp(&body, "7", "99").templates;

        assert_eq!((told[0].approval, told[0].reason.as_deref()), (approval, reason));
        assert_eq!((told[0].name.as_str(), told[0].provider_id.as_deref()), ("welcome", Some("12345")));
        assert!(whatsapp(&body, "7", "98").templates.is_empty() && whatsapp(&body, "7", "").templates.is_empty());
    }

    #[rstest]
    #[case::document(json!({"type": "document", "document": {"id": "m1", "mime_type": "application/pdf", "filename": "../plan.pdf"}}), "plan.pdf")]
    #[case::picture(json!({"type": "image", "image": {"id": "m2", "mime_type": "image/jpeg"}}), "image.jpg")]
    fn files_are_asked_for_at_the_provider(#[case] mut message: Value, #[case] name: &str) {
        message["id"] = json!("wamid.5");
        message["from"] = json!("491701234567");

        let callback = whatsapp(&message_change(&json!({"messages": [message]})), "7", "");

        let file = &callback.inbound[0].files[0];
        assert_eq!(file.name, name);
        assert!(matches!(&file.place, FilePlace::AtProvider(place) if place["media"].is_string()));
    }

    #[test]
    fn the_advertisement_that_was_clicked_is_kept() {
        let message = json!({"id": "wamid.3", "from": "491701234567", "type": "text", "text": {"body": "Hi"},
            "referral": {"source_id": "12", "ctwa_clid": "ARA", "image_url": "https://x.example/1.png"}});

        let callback = whatsapp(&message_change(&json!({"messages": [message]})), "7", "");

        assert_eq!(callback.inbound[0].referral, Some(json!({"source_id": "12", "ctwa_clid": "ARA"})));
    }

    #[rstest]
    #[case(&[("MessageSid", "SM1"), ("MessageStatus", "delivered")], Some(Status::Delivered))]
    #[case(&[("MessageSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")], Some(Status::Failed))]
    #[case(&[("MessageSid", "SM1"), ("MessageStatus", "queued")], None)]
    #[case(&[("MessageStatus", "delivered")], None)]
    fn twilio_reports(#[case] fields: &[(&str, &str)], #[case] expected: Option<Status>) {
        let fields: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();

        let callback = twilio(&fields, None);

        assert_eq!(callback.reports.first().map(|report| report.status), expected);
    }

    #[test]
    fn what_somebody_writes_comes_in_by_twilio_and_by_gateways() {
        let own = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };

        let twilio = twilio(
            &own(&[("MessageSid", "SM2"), ("From", "+491701234567"), ("Body", "Hi"), ("SmsStatus", "received")]),
            None,
        );
        let gateway = sms_http(&own(&[("id", "9"), ("from", "491701234567"), ("text", "Hi")]));

        for callback in [twilio, gateway] {
            assert_eq!(
                (callback.inbound[0].address.as_deref(), callback.inbound[0].text.as_str()),
                (Some("+491701234567"), "Hi")
            );
            assert!(callback.reports.is_empty());
        }
    }
}
