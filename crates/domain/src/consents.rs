//! What somebody agreed to in a form: which fields are consents, and to what.
//!
//! A consent is a field that says so by its name and was answered with yes. What was agreed to stands in the field's
//! value where that is a sentence, else in a field beside it (`consent_text`), else in what the form calls the field.

use serde_json::{Map, Value};

/// The longest wording that is kept, in characters.
const WORDING_MAX_CHARS: usize = 2_000;

/// Consents of one submission that are kept.
const CONSENTS_MAX: usize = 20;

/// Parts of names that make a field a consent, and what it is to.
const PURPOSES: [(&str, Purpose); 17] = [
    ("newsletter", Purpose::Marketing),
    ("marketing", Purpose::Marketing),
    ("optin", Purpose::Marketing),
    ("subscribe", Purpose::Marketing),
    ("smsconsent", Purpose::Messages),
    ("whatsappconsent", Purpose::Messages),
    ("messageconsent", Purpose::Messages),
    ("callconsent", Purpose::Messages),
    ("contactconsent", Purpose::Contact),
    ("consent", Purpose::Contact),
    ("einwilligung", Purpose::Contact),
    ("gdpr", Purpose::Privacy),
    ("dsgvo", Purpose::Privacy),
    ("datenschutz", Purpose::Privacy),
    ("privacypolicy", Purpose::Privacy),
    ("termsaccepted", Purpose::Terms),
    ("acceptterms", Purpose::Terms),
];

/// What a consent is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be written to about offers.
    Marketing,
    /// To messages or calls.
    Messages,
    /// To be contacted about the request.
    Contact,
    /// To how data is used.
    Privacy,
    /// To terms.
    Terms,
}

impl Purpose {
    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Messages => "messages",
            Self::Contact => "contact",
            Self::Privacy => "privacy",
            Self::Terms => "terms",
        }
    }
}

/// A consent that a submission carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The field, as it was sent.
    pub field: String,
    /// What it is to.
    pub purpose: Purpose,
    /// What was agreed to, as far as the submission says it.
    pub wording: String,
}

/// The consents among the fields of a submission, as they were sent.
#[must_use]
pub fn consents_in(sent: &Map<String, Value>) -> Vec<Consent> {
    let mut found = Vec::new();
    for (field, value) in sent {
        let name = plain(field);
        let is_wording = name.ends_with("text") || name.ends_with("wording") || name.ends_with("label");
        let purpose = PURPOSES.iter().find(|(part, _)| name.contains(part)).map(|(_, purpose)| *purpose);
        let Some(purpose) = purpose.filter(|_| !is_wording && found.len() < CONSENTS_MAX) else { continue };
        let Some(said) = agreed(value) else { continue };
        let beside = || {
            let names = ["text", "wording", "label"].map(|ending| format!("{name}{ending}"));
            sent.iter().find(|(other, _)| names.contains(&plain(other))).and_then(|(_, text)| text.as_str())
        };
        let wording = said.or_else(beside).unwrap_or(field);
        let wording = wording.trim().chars().take(WORDING_MAX_CHARS).collect();
        found.push(Consent { field: field.clone(), purpose, wording });
    }
    found
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// Whether a value says yes, and the sentence in which it does, where it is one.
fn agreed(value: &Value) -> Option<Option<&str>> {
    match value {
        Value::Bool(true) => Some(None),
        Value::Number(number) => (number.as_i64() == Some(1)).then_some(None),
        Value::String(text) => {
            let said = text.trim();
            let word = said.to_lowercase();
            let no =
                ["", "0", "false", "no", "off", "none", "null", "undefined", "declined", "denied", "nein", "unchecked"];
            let yes = ["1", "true", "yes", "y", "on", "checked", "agree", "agreed", "accepted", "granted", "ja"];
            let first = word.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            let denies = word.starts_with("not ") || word.contains(" not ") || word.contains("n't ");
            if no.contains(&word.as_str()) || no.contains(&first) || denies {
                return None;
            }
            if yes.contains(&word.as_str()) {
                return Some(None);
            }
            // Anything else that is ticked is the box's own words.
            said.contains(' ').then_some(Some(said))
        }
        Value::Array(several) => several.iter().find_map(agreed),
        Value::Null | Value::Bool(false) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::checkbox(json!({"marketing_consent": "on"}), Some((Purpose::Marketing, "marketing_consent")))]
    #[case::words_in_the_value(json!({"gdpr": "I agree to the privacy policy"}), Some((Purpose::Privacy, "I agree to the privacy policy")))]
    #[case::words_beside(json!({"Consent": true, "consent_text": "Call me"}), Some((Purpose::Contact, "Call me")))]
    #[case::with_a_hidden_zero(json!({"opt-in": ["0", "1"]}), Some((Purpose::Marketing, "opt-in")))]
    #[case::whatsapp(json!({"whatsappConsent": 1}), Some((Purpose::Messages, "whatsappConsent")))]
    #[case::no(json!({"marketing_consent": "no"}), None)]
    #[case::false_(json!({"consent": false}), None)]
    #[case::no_in_words(json!({"newsletter": "No, thank you"}), None)]
    #[case::denied_in_words(json!({"newsletter": "Please do not write"}), None)]
    #[case::neither(json!({"consent": "perhaps"}), None)]
    #[case::another_field(json!({"message": "I consent to everything"}), None)]
    fn a_consent_says_so_by_its_name_and_its_answer(#[case] sent: Value, #[case] expected: Option<(Purpose, &str)>) {
        let found = consents_in(sent.as_object().expect("fields"));

        let found: Vec<(Purpose, &str)> = found.iter().map(|one| (one.purpose, one.wording.as_str())).collect();
        assert_eq!(found, Vec::from_iter(expected));
    }
}
