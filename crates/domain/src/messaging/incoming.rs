//! E-mail that comes in: who wrote it, what it answers, what it says without the history below it, its files, and
//! whether a person wrote it at all.
//!
//! Nothing here is believed. What a mail may make of our memory is bounded before it is read: its parts, its headers and
//! their parameters are counted in the raw bytes, and one with more of them than any program writes is known by its
//! own headers alone. Pages are never kept as pages: what they say is taken out as text.

mod bounces;
mod quotes;

use mail_parser::{Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use uuid::Uuid;

use super::files::{self, File, FilePlace};
use crate::ids::MessageId;

/// The longest text that is kept of a mail, in characters.
pub const TEXT_MAX_CHARS: usize = 50_000;
/// The largest mail that is taken, in bytes: what the large providers send at most.
pub const MAIL_MAX_BYTES: usize = 25 * 1024 * 1024;

/// The headers of a mail, in bytes; what stands behind is not looked at.
const HEAD_MAX_BYTES: usize = 128 * 1024;
const NAME_MAX_CHARS: usize = 200;
const SUBJECT_MAX_CHARS: usize = 500;
/// Addresses and ids that are looked at of one mail.
const MOST_NAMED: usize = 100;
/// Each part and each mail inside a mail announces itself by this word.
const MOST_PARTS: usize = 200;
/// A colon may begin a header, a semicolon a parameter of one; each costs memory.
const MOST_COLON_LINES: usize = 50_000;
const MOST_SEMICOLONS: usize = 300_000;

/// A mail that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct IncomingMail {
    /// What its sender's program calls it, without brackets.
    pub message_id: Option<String>,
    /// Who wrote it.
    pub from: Option<String>,
    /// How they call themselves.
    pub name: Option<String>,
    /// To whom it went.
    pub to: Vec<String>,
    /// Which messages of ours it says that it answers, the nearest first.
    pub answers: Vec<MessageId>,
    /// One line.
    pub subject: Option<String>,
    /// What it says.
    pub text: String,
    /// The history below it.
    pub quoted: Option<String>,
    /// Its files.
    pub files: Vec<File>,
    /// Who, or what, wrote it.
    pub author: Author,
}

/// Who, or what, wrote a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A person.
    Person,
    /// A program by itself: an absence note, a list, a receipt.
    Program,
    /// A mail server, about mails of ours that did not arrive.
    Server(Vec<Bounce>),
}

/// A mail of ours that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// Which.
    pub message: MessageId,
    /// The server's code, such as `5.1.1`.
    pub code: String,
    /// What the server says of it.
    pub reason: String,
}

/// Reads a mail; none where it is none.
#[must_use]
pub fn read(raw: &[u8]) -> Option<IncomingMail> {
    let head = &raw[..raw.len().min(HEAD_MAX_BYTES)];
    let head = MessageParser::default().parse_headers(head)?;
    let from = head.from().and_then(Address::first);
    let address = from.and_then(|one| one.address()).map(|text| line(text, NAME_MAX_CHARS));
    // One that names nobody, or nothing at all, is something else that was posted here.
    if head.headers().is_empty() || (address.is_none() && head.message_id().is_none()) {
        return None;
    }
    let parser = MessageParser::new().with_mime_headers().default_header_ignore();
    let message = if is_bounded(raw) { parser.parse(raw) } else { None };
    let (text, quoted) = match &message {
        Some(message) => quotes::split(&text_of(message)),
        None => ("[This e-mail is built in a way that cannot be shown]".to_owned(), None),
    };
    let to = recipients(&head);
    let answers = answers(&head, &to);
    let author = author(&head, message.as_ref(), raw, address.as_deref(), &text);
    Some(IncomingMail {
        message_id: head.message_id().map(|id| line(id, 500)).filter(|id| !id.is_empty()),
        name: from.and_then(|one| one.name()).map(|name| line(name, NAME_MAX_CHARS)).filter(|name| !name.is_empty()),
        from: address,
        to,
        answers,
        subject: head.subject().map(|subject| line(subject, SUBJECT_MAX_CHARS)).filter(|text| !text.is_empty()),
        text,
        quoted,
        files: message.as_ref().map(files_of).unwrap_or_default(),
        author,
    })
}

/// Whether what a mail says of its own build can be followed without much memory. Mails inside mails are followed as
/// deep as they go, so their number is bounded by that of their headers.
fn is_bounded(raw: &[u8]) -> bool {
    const WORD: &[u8] = b"content-type";
    let mut parts = 0;
    let mut colon_lines = 0;
    let mut semicolons = 0;
    for one in raw.split(|byte| *byte == b'\n') {
        colon_lines += usize::from(one.contains(&b':'));
        semicolons += one.iter().filter(|byte| **byte == b';').count();
        let start = one.trim_ascii_start();
        parts += usize::from(start.len() >= WORD.len() && start[..WORD.len()].eq_ignore_ascii_case(WORD));
        if parts > MOST_PARTS || colon_lines > MOST_COLON_LINES || semicolons > MOST_SEMICOLONS {
            return false;
        }
    }
    true
}

/// The texts of a mail, those of pages as far as they are words.
fn text_of(message: &Message<'_>) -> String {
    let mut text = String::new();
    for at in 0..message.text_body_count().min(20) {
        let Some(part) = message.body_text(at) else { continue };
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.extend(part.chars().take(TEXT_MAX_CHARS));
    }
    plain(&text, TEXT_MAX_CHARS)
}

/// A text of lines without what is no text.
fn plain(text: &str, most: usize) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = lines.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control());
    kept.take(most).collect::<String>().trim().to_owned()
}

/// A text of one line.
fn line(text: &str, most: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().chars().take(most).collect()
}

fn recipients(head: &Message<'_>) -> Vec<String> {
    let listed = head.to().into_iter().chain(head.cc()).flat_map(|list| list.iter().take(MOST_NAMED));
    let listed = listed.filter_map(|one| one.address()).map(|address| line(address, NAME_MAX_CHARS));
    // What the last server put on the envelope, where it says so.
    let delivered = ["Delivered-To", "X-Original-To", "Envelope-To"].into_iter().filter_map(|name| text_in(head, name));
    listed.chain(delivered).take(MOST_NAMED).collect()
}

fn text_in(head: &Message<'_>, name: &'static str) -> Option<String> {
    head.header(name).and_then(HeaderValue::as_text).map(|text| line(text, 2_000))
}

/// By the ids that we give our mails, and by what stands behind a plus in the address that was answered to.
fn answers(head: &Message<'_>, to: &[String]) -> Vec<MessageId> {
    let ids = |value: &HeaderValue<'_>| -> Vec<String> {
        let list = value.as_text_list().unwrap_or_default();
        list.iter().rev().take(MOST_NAMED).map(|id| line(id, NAME_MAX_CHARS)).collect()
    };
    let mut found = Vec::new();
    for id in ids(head.in_reply_to()).into_iter().chain(ids(head.references())) {
        found.extend(our_id(&id));
    }
    let behind_plus = |address: &String| {
        let (local, _) = address.rsplit_once('@')?;
        local.rsplit_once('+')?.1.parse::<Uuid>().ok().map(MessageId)
    };
    found.extend(to.iter().filter_map(behind_plus));
    let mut seen = std::collections::HashSet::new();
    found.retain(|id| seen.insert(*id));
    found
}

/// The message that this id of a mail stands for, where it can be one of ours.
fn our_id(id: &str) -> Option<MessageId> {
    let (local, _) = id.trim_start_matches('<').split_once('@')?;
    // Ours are written with hyphens; anything shorter is somebody else's.
    (local.len() == 36).then(|| local.parse().ok().map(MessageId)).flatten()
}

/// What RFC 3834 and the habits of programs tell.
fn author(head: &Message<'_>, message: Option<&Message<'_>>, raw: &[u8], from: Option<&str>, text: &str) -> Author {
    let is_report =
        message.is_some_and(|one| one.parts.first().is_some_and(|root| root.is_content_type("multipart", "report")));
    if let Some(message) = message.filter(|_| is_report)
        && let Some(bounces) = bounces::of_report(message, raw)
    {
        return Author::Server(bounces);
    }
    let local = from.and_then(|from| from.split('@').next()).unwrap_or_default().to_ascii_lowercase();
    if local == "mailer-daemon" {
        return Author::Server(bounces::without_report(raw, text));
    }
    let says = |name: &'static str| text_in(head, name).map(|text| text.to_ascii_lowercase());
    let is_automatic = says("Auto-Submitted").is_some_and(|text| !text.starts_with("no"))
        || says("Precedence").is_some_and(|text| ["bulk", "junk", "list", "auto_reply"].contains(&text.as_str()))
        || ["X-Autoreply", "X-Autorespond", "X-Auto-Response", "List-Id", "List-Unsubscribe"]
            .into_iter()
            .any(|name| head.header(name).is_some())
        || head.header_raw("Return-Path").is_some_and(|path| path.trim() == "<>")
        || local == "postmaster"
        || is_report;
    if is_automatic { Author::Program } else { Author::Person }
}

fn files_of(message: &Message<'_>) -> Vec<File> {
    let mut left = MAIL_MAX_BYTES;
    let parts = message.attachments().take(files::MOST_IN);
    parts.map(|part| file_of(message, part, &mut left)).collect()
}

fn file_of(message: &Message<'_>, part: &MessagePart<'_>, left: &mut usize) -> File {
    let (bytes, otherwise): (&[u8], &str) = match &part.body {
        PartType::Message(_) => (part_bytes(message, part), "forwarded.eml"),
        PartType::Text(_) | PartType::Html(_) => (part.contents(), "text.txt"),
        PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Multipart(_) => (part.contents(), "file"),
    };
    let content_type = part.content_type().map(|kind| {
        let subtype = kind.subtype().unwrap_or("octet-stream");
        format!("{}/{subtype}", kind.ctype())
    });
    let place = if bytes.len() > files::FILE_MAX_BYTES || bytes.len() > *left {
        FilePlace::TooLarge(bytes.len() as i64)
    } else {
        *left -= bytes.len();
        FilePlace::Here(bytes.to_vec())
    };
    File {
        name: files::safe_name(part.attachment_name().unwrap_or(otherwise)),
        content_type: files::safe_type(content_type.as_deref().unwrap_or_default()),
        place,
    }
}

/// A mail inside a mail, as it came.
fn part_bytes<'a>(message: &'a Message<'_>, part: &MessagePart<'_>) -> &'a [u8] {
    message.raw_message.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
