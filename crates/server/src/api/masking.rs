//! What an actor may see of personal data.
//!
//! Without `pii:view` names, e-mail addresses and phone numbers are masked here, before they leave the server, and
//! whatever may hold them in free text is hidden: messages, notes, values of custom fields, addresses' queries. What
//! belongs to a company or to the team stays.

use leadline_domain::{emails, permissions::Permission, phones};
use leadline_engine::Actor;
use serde_json::{Map, Value, json};

/// What stands in place of a text.
const HIDDEN: &str = "•••";

/// Timeline entries that name no person outside the team.
const HARMLESS_ACTIVITIES: [&str; 12] = [
    "lead.created",
    "lead.resubmitted",
    "lead.re_engaged",
    "lead.stage_changed",
    "lead.assigned",
    "lead.deleted",
    "lead.restored",
    "tags.changed",
    "delivery.delivered",
    "delivery.exhausted",
    "response.overdue",
    "response.escalated",
];

/// How personal data is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// As it is.
    Clear,
    /// Masked.
    Masked,
}

impl Sight {
    /// How this actor sees it.
    pub fn of(actor: &Actor) -> Self {
        if actor.role.may(Permission::PiiView) { Self::Clear } else { Self::Masked }
    }

    /// Whether anything is masked.
    pub fn is_masked(self) -> bool {
        self == Self::Masked
    }

    /// A person's name.
    pub fn name(self, name: String) -> String {
        match self {
            Self::Clear => name,
            Self::Masked => name.chars().take(1).chain(HIDDEN.chars()).collect(),
        }
    }

    /// An e-mail address.
    pub fn email(self, email: Option<String>) -> Option<String> {
        self.masked(email, emails::mask)
    }

    /// A phone number.
    pub fn phone(self, phone: Option<String>) -> Option<String> {
        self.masked(phone, phones::mask)
    }

    /// A text that may hold anything.
    pub fn text(self, text: Option<String>) -> Option<String> {
        self.masked(text, |_| HIDDEN.to_owned())
    }

    /// An address of a page, which carries what forms put into it.
    pub fn address(self, url: Option<String>) -> Option<String> {
        self.masked(url, |url| url.split(['?', '#']).next().unwrap_or_default().to_owned())
    }

    /// What identifies a browser.
    pub fn identifier(self, id: Option<String>) -> Option<String> {
        id.filter(|_| !self.is_masked())
    }

    /// Custom fields: their names stay.
    pub fn custom_fields(self, mut fields: Map<String, Value>) -> Map<String, Value> {
        if self.is_masked() {
            let values = fields.iter_mut().filter(|(key, _)| *key != "_displayNames");
            values.for_each(|(_, value)| *value = json!(HIDDEN));
        }
        fields
    }

    /// A touch; `null` where nothing is known of it.
    pub fn touch(self, mut touch: Value) -> Value {
        let Some(fields) = touch.as_object_mut().filter(|fields| !fields.is_empty()) else { return Value::Null };
        if self.is_masked() {
            // Addresses of pages carry what forms put into them, and click ids are a person's.
            fields.remove("clickIds");
            fields.remove("programIds");
            for name in ["pageUrl", "referrer"] {
                let Some(Value::String(url)) = fields.get_mut(name) else { continue };
                *url = url.split(['?', '#']).next().unwrap_or_default().to_owned();
            }
        }
        touch
    }

    /// What a timeline entry says.
    pub fn activity(self, kind: &str, mut data: Value) -> Value {
        if !self.is_masked() || HARMLESS_ACTIVITIES.contains(&kind) {
            return data;
        }
        match kind {
            "note.added" => json!({"value": HIDDEN}),
            "lead.updated" => {
                for change in data["changes"].as_array_mut().into_iter().flatten() {
                    change["from"] = json!(HIDDEN);
                    change["to"] = json!(HIDDEN);
                }
                data
            }
            // A provider's words may name whoever it could not reach.
            _ if kind.starts_with("automation.") => {
                if let Some(data) = data.as_object_mut() {
                    data.remove("error");
                }
                data
            }
            _ => json!({}),
        }
    }

    fn masked(self, value: Option<String>, mask: impl FnOnce(&str) -> String) -> Option<String> {
        match self {
            Self::Clear => value,
            Self::Masked => value.map(|value| mask(&value)),
        }
    }
}
