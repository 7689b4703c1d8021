//! What a receiver tells of a lead that it was sent: its own id for it, where it stands there, and the run of the tool
//! that took it.
//!
//! Whoever posts it is a program of somebody else, so ids are bounded and addresses are those of web pages. Names that
//! are ours (`lead_id`, `lead_public_id`) are never taken for theirs: receivers like to send back what they got.

use serde_json::Value;
use url::Url;

/// The longest id, in characters.
pub const LONGEST_ID: usize = 200;

/// The longest address, in characters.
pub const LONGEST_URL: usize = 2_000;

/// What is known of a lead's place in somebody else's system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrmLink {
    /// What the other system calls the lead.
    pub crm_lead_id: Option<String>,
    /// Where people look at the lead there.
    pub crm_lead_url: Option<String>,
    /// Where people look at the run that took the lead.
    pub execution_url: Option<String>,
}

/// Why a field is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Refused {
    /// The field by the name that it came under.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl CrmLink {
    /// Reads what was posted. Names count in any case, with or without `_` and `-`; empty values as if they were not
    /// there; of a name that comes twice, the last.
    ///
    /// # Errors
    /// The first field that cannot be taken.
    pub fn read(fields: &[(String, Value)]) -> Result<Self, Refused> {
        let mut link = Self::default();
        for (name, value) in fields {
            let refused = |message| Refused { field: name.clone(), message };
            match bare(name).as_str() {
                "crmleadid" => take(&mut link.crm_lead_id, id(value).map_err(refused)?),
                "crmleadurl" => take(&mut link.crm_lead_url, address(value).map_err(refused)?),
                "executionurl" => take(&mut link.execution_url, address(value).map_err(refused)?),
                _ => {}
            }
        }
        Ok(link)
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is known after this was told: field by field, the newer wins.
    #[must_use]
    pub fn over(self, known: Self) -> Self {
        Self {
            crm_lead_id: self.crm_lead_id.or(known.crm_lead_id),
            crm_lead_url: self.crm_lead_url.or(known.crm_lead_url),
            execution_url: self.execution_url.or(known.execution_url),
        }
    }
}

fn bare(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

fn take(place: &mut Option<String>, value: Option<String>) {
    if value.is_some() {
        *place = value;
    }
}

fn id(value: &Value) -> Result<Option<String>, String> {
    let id = text(value)?;
    if id.as_ref().is_some_and(|id| id.chars().count() > LONGEST_ID) {
        return Err(format!("has at most {LONGEST_ID} characters"));
    }
    Ok(id)
}

fn address(value: &Value) -> Result<Option<String>, String> {
    let Some(text) = text(value)? else { return Ok(None) };
    if text.chars().count() > LONGEST_URL {
        return Err(format!("has at most {LONGEST_URL} characters"));
    }
    let wrong = || "must be an address that begins with https:// or http://".to_owned();
    let url = Url::parse(&text).map_err(|_| wrong())?;
    let is_a_page = matches!(url.scheme(), "http" | "https") && url.has_host();
    // Somebody's name before the host is how one host is made to look like another.
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !is_a_page || !is_plain {
        return Err(wrong());
    }
    let normal = url.to_string();
    if normal.len() > LONGEST_URL { Err(format!("has at most {LONGEST_URL} characters")) } else { Ok(Some(normal)) }
}

fn text(value: &Value) -> Result<Option<String>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err("must be a text or a number".to_owned()),
    };
    if text.chars().any(char::is_control) {
        return Err("holds control characters".to_owned());
    }
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<CrmLink, Refused> {
        let Value::Object(fields) = body else { panic!("an object") };
        CrmLink::read(&fields.into_iter().collect::<Vec<_>>())
    }

    fn link(id: Option<&str>, url: Option<&str>, execution: Option<&str>) -> CrmLink {
        CrmLink {
            crm_lead_id: id.map(str::to_owned),
            crm_lead_url: url.map(str::to_owned),
            execution_url: execution.map(str::to_owned),
        }
    }

    #[rstest]
    #[case::as_documented(json!({"crm_lead_id": "L-1"}), link(Some("L-1"), None, None))]
    #[case::camel(json!({"crmLeadId": 4_711}), link(Some("4711"), None, None))]
    #[case::links(
        json!({"crmLeadUrl": "https://crm.example/l/1?tab=a", "execution_url": "https://eu1.make.com/1/x"}),
        link(None, Some("https://crm.example/l/1?tab=a"), Some("https://eu1.make.com/1/x"))
    )]
    #[case::nothing_in_it(json!({"crm_lead_id": " ", "crm_lead_url": null}), link(None, None, None))]
    #[case::our_own_ids(
        json!({"lead_id": "ours", "leadId": "ours", "lead_public_id": "ours", "id": "ours"}),
        link(None, None, None)
    )]
    fn what_is_told_is_found_by_its_names(#[case] body: Value, #[case] wanted: CrmLink) {
        assert_eq!(read(body), Ok(wanted));
    }

    #[rstest]
    #[case::script(json!({"crm_lead_url": "javascript:alert(1)"}), "crm_lead_url")]
    #[case::script_with_a_tab(json!({"crm_lead_url": "java\tscript:alert(1)"}), "crm_lead_url")]
    #[case::data(json!({"executionUrl": "data:text/html,x"}), "executionUrl")]
    #[case::relative(json!({"crm_lead_url": "/leads/1"}), "crm_lead_url")]
    #[case::no_host(json!({"crm_lead_url": "https:"}), "crm_lead_url")]
    #[case::two_hosts(json!({"crm_lead_url": "https://crm.example@evil.example/"}), "crm_lead_url")]
    #[case::long_address(json!({"crm_lead_url": format!("https://x.example/{}", "a".repeat(2_000))}), "crm_lead_url")]
    #[case::address_that_grows(json!({"crm_lead_url": format!("https://x.example/{}", "ä".repeat(900))}), "crm_lead_url")]
    #[case::long_id(json!({"crm_lead_id": "x".repeat(201)}), "crm_lead_id")]
    #[case::nul(json!({"crm_lead_id": "a\u{0}b"}), "crm_lead_id")]
    #[case::list(json!({"crm_lead_id": ["a"]}), "crm_lead_id")]
    fn what_could_do_harm_is_refused(#[case] body: Value, #[case] field: &str) {
        assert_eq!(read(body).map_err(|refused| refused.field), Err(field.to_owned()));
    }

    #[test]
    fn the_newer_wins_field_by_field() {
        let known = link(Some("1"), Some("https://crm.example/1"), None);
        let told = link(Some("2"), None, Some("https://run.example/"));

        assert_eq!(told.over(known), link(Some("2"), Some("https://crm.example/1"), Some("https://run.example/")));
    }
}
