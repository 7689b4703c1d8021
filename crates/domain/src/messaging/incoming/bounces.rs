//! Reports of mail servers about mails that did not arrive (RFC 3464), and those of servers that do not know it.

use mail_parser::{Message, MimeHeaders};
use uuid::Uuid;

use super::{Bounce, line};
use crate::ids::MessageId;

/// Recipients that one report may be about; a mail of ours has one.
const MOST: usize = 20;
/// What is looked through for the mail that came back, in bytes.
const LOOKED_THROUGH: usize = 512 * 1024;

/// What a report tells; none where it is about something else, such as that a mail was read. One of a delay alone tells
/// of nothing that failed.
pub(super) fn of_report(message: &Message<'_>, raw: &[u8]) -> Option<Vec<Bounce>> {
    let status = message.parts.iter().find(|part| part.is_content_type("message", "delivery-status"))?;
    let text = String::from_utf8_lossy(status.contents()).into_owned();
    let mut failed = None;
    // Lines about the report, then some about each recipient, with an empty line between.
    for group in text.replace("\r\n", "\n").split("\n\n").take(MOST + 1) {
        let field = |name: &str| field(group, name);
        if field("Action").is_some_and(|action| action.eq_ignore_ascii_case("failed")) {
            let code = field("Status").unwrap_or_else(|| "5.0.0".to_owned());
            let said = field("Diagnostic-Code").or_else(|| field("X-Postfix-Queue-ID"));
            let said = said.map(|text| text.split_once(';').map_or(text.clone(), |(_, words)| words.trim().to_owned()));
            failed = Some((code, said.unwrap_or_else(|| "the mail server gave no reason".to_owned())));
            break;
        }
    }
    let Some((code, reason)) = failed else { return Some(Vec::new()) };
    Some(about(raw, &code, &reason))
}

/// A server that writes in words: all of it is about the mail that it names.
pub(super) fn without_report(raw: &[u8], text: &str) -> Vec<Bounce> {
    about(raw, "bounced", text)
}

fn about(raw: &[u8], code: &str, reason: &str) -> Vec<Bounce> {
    let reason = line(reason, 400);
    let found = ids_in(raw).into_iter().take(MOST);
    found.map(|message| Bounce { message, code: line(code, 32), reason: reason.clone() }).collect()
}

/// A field of a group of lines, with the lines that continue it.
fn field(group: &str, name: &str) -> Option<String> {
    let mut lines = group.lines();
    let rest = lines.find_map(|one| {
        let (key, value) = one.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })?;
    let more = lines.take_while(|one| one.starts_with([' ', '\t'])).map(str::trim);
    Some(more.fold(rest, |text, one| format!("{text} {one}")))
}

/// What can be ids of our mails: the headers of the one that came back are in the report.
fn ids_in(raw: &[u8]) -> Vec<MessageId> {
    let mut found = Vec::new();
    let looked = &raw[..raw.len().min(LOOKED_THROUGH)];
    for (at, _) in looked.iter().enumerate().filter(|(_, byte)| **byte == b'<') {
        let Some(id) = looked.get(at + 1..at + 37).filter(|_| looked.get(at + 37) == Some(&b'@')) else { continue };
        let id = std::str::from_utf8(id).ok().and_then(|id| id.parse::<Uuid>().ok()).map(MessageId);
        found.extend(id.filter(|id| !found.contains(id)));
        if found.len() == MOST {
            break;
        }
    }
    found
}
