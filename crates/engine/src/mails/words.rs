//! What an e-mail about an alert says: plain text, the fact in the subject, and where to look.

use leadline_store::alerts::Alert;
use serde_json::Value;

use super::Change;
use crate::retention::{HELD, classes::DEAD_LETTERS_LEAVING};

/// The kinds of alert that somebody is told of, as features name them.
const DESTINATION_FAILING: &str = "destination.failing";
const SOURCE_SILENT: &str = "source.silent";
const LEDGER_DIFFERS: &str = "ledger.differs";

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The longest name in a subject, in characters.
const LONGEST_NAME: usize = 60;

/// The message about an alert; none where nobody has to be told.
pub(super) fn of(alert: &Alert, change: Change, public_url: &str) -> Option<Text> {
    let name = short(&alert.subject_name);
    let data = &alert.data;
    let id = alert.subject_id;
    let (subject, what, page) = match (alert.kind.as_str(), change) {
        (DESTINATION_FAILING, Change::Opened) => (
            format!("Nothing gets through to {name}"),
            format!(
                "Leadline cannot deliver to the destination {name}{}. Nothing is lost: what waits is kept and sent as \
                 soon as it answers.",
                reason(data)
            ),
            format!("/destinations/{id}"),
        ),
        (DESTINATION_FAILING, Change::Closed) => (
            format!("{name} answers again"),
            format!("The destination {name} takes deliveries again; what waited is on its way."),
            format!("/destinations/{id}"),
        ),
        (SOURCE_SILENT, Change::Opened) => (
            format!("No leads from {name}"),
            format!(
                "The source {name} has been silent for {}, longer than it should be. Please look whether its form or \
                 its sender still works.",
                duration(data["silentMinutes"].as_i64().unwrap_or_default())
            ),
            "/sources".to_owned(),
        ),
        (SOURCE_SILENT, Change::Closed) => (
            format!("Leads from {name} again"),
            format!("The source {name} brings leads again."),
            "/sources".to_owned(),
        ),
        (LEDGER_DIFFERS, Change::Opened) => (
            "The ledger does not add up".to_owned(),
            format!(
                "{} submissions were accepted that are not stored. Run `leadline verify` on the server, which names \
                 them.",
                data["missing"].as_i64().unwrap_or_default()
            ),
            "/settings/ledger".to_owned(),
        ),
        (HELD, Change::Opened) => (
            "The server's clock has leapt".to_owned(),
            format!(
                "The clock is {} days ahead of what Leadline believes, or Leadline did not run for so long. Nothing is \
                 deleted because of it until an operator runs `leadline retention confirm`.",
                data["days"].as_i64().unwrap_or_default()
            ),
            "/settings/ledger".to_owned(),
        ),
        (DEAD_LETTERS_LEAVING, Change::Opened) => (
            "Dead letters are about to go".to_owned(),
            format!(
                "{} of the deliveries that were given up are deleted within {}. Send them again or download them \
                 before, or have them kept for longer.",
                counted(data),
                duration(data["hours"].as_i64().unwrap_or_default() * 60)
            ),
            "/destinations?tab=dead".to_owned(),
        ),
        _ => return None,
    };
    let body = format!(
        "{what}\n\n{public_url}{page}\n\n-- \nYou get this because you look after a workspace of Leadline. To get no \
         more of it: {public_url}/settings/alerts\n"
    );
    Some(Text { subject: format!("Leadline: {subject}"), body })
}

fn counted(data: &Value) -> String {
    let count = data["count"].as_i64().unwrap_or_default();
    if data["isCapped"] == true { format!("More than {count}") } else { count.to_string() }
}

fn reason(data: &Value) -> String {
    let known = [data["disabledReason"].as_str(), data["error"].as_str()].into_iter().flatten().next();
    match (known, data["status"].as_i64()) {
        (Some(text), _) => format!(" ({})", short(text)),
        (None, Some(status)) => format!(" (it answers {status})"),
        (None, None) => String::new(),
    }
}

fn duration(minutes: i64) -> String {
    const DAY: i64 = 24 * 60;
    match minutes {
        ..120 => format!("{minutes} minutes"),
        120..DAY => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / DAY),
    }
}

/// One line, and not too much of it: names are what somebody typed.
pub(super) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use leadline_domain::{
        ids::{AlertId, WorkspaceId},
        time::Timestamp,
    };
    use rstest::rstest;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn alert(kind: &str, name: &str, data: Value) -> Alert {
        Alert {
            id: AlertId(Uuid::nil()),
            workspace_id: WorkspaceId(Uuid::nil()),
            kind: kind.to_owned(),
            subject_id: Uuid::nil(),
            subject_name: name.to_owned(),
            data,
            opened_at: Timestamp(0),
            acknowledged_at: None,
            acknowledged_by: None,
            closed_at: None,
        }
    }

    #[rstest]
    #[case::status(json!({"status": 503}), "(it answers 503)")]
    #[case::error(json!({"error": "connection refused", "status": null}), "(connection refused)")]
    #[case::disabled(json!({"disabledReason": "the receiver answered 410 Gone"}), "(the receiver answered 410 Gone)")]
    fn a_destination_that_fails_says_why(#[case] data: Value, #[case] wanted: &str) {
        let text = of(&alert(DESTINATION_FAILING, "CRM", data), Change::Opened, "https://l.example").expect("a text");
        assert_eq!(text.subject, "Leadline: Nothing gets through to CRM");
        assert!(text.body.contains(wanted), "{}", text.body);
        assert!(text.body.contains("https://l.example/destinations/00000000-"), "{}", text.body);
    }

    #[test]
    fn a_name_makes_no_second_line() {
        let name = format!("CRM\r\nBcc: everybody@example.com {}", "x".repeat(200));
        let text =
            of(&alert(SOURCE_SILENT, &name, json!({"silentMinutes": 3_000})), Change::Opened, "").expect("a text");
        assert!(!text.subject.contains(['\r', '\n']) && text.subject.chars().count() < 100, "{}", text.subject);
        assert!(text.body.starts_with("The source CRM"), "{}", text.body);
        assert!(text.body.contains("for 2 days"), "{}", text.body);
    }
}
