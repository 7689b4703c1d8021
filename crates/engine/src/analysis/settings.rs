//! What people set: whether messages are analysed, what is looked for, and the endpoint that may be asked.
//!
//! The endpoint's key is sealed and never told again. It is a key for one address: who gives another address gives the
//! key anew, or it would be sent to whoever answers there.

use leadline_domain::{
    analysis::OTHER,
    ids::{LeadId, SubmissionId},
    time::Timestamp,
};
use leadline_store::analyses::{self, Job, OwnTopic, Settings};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    endpoint::{Endpoint, Failure},
    outcome::{carry_out_here, of_answer, wanted},
};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

const MOST_KEYWORDS: usize = 200;
const MOST_TOPICS: usize = 40;
const MOST_WORDS: usize = 60;
const LONGEST_ENTRY: usize = 80;
const LONGEST_KEY: usize = 500;
const LONGEST_MODEL: usize = 200;

/// What an endpoint has at most, and where nothing is said.
const LONGEST_TIMEOUT_S: i64 = 60;
const USUAL_TIMEOUT_S: i64 = 20;

/// Characters of a message that is tried out.
const LONGEST_TRIED: usize = 4_000;

/// What somebody wants changed. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Whether messages are analysed at all.
    pub is_enabled: Option<bool>,
    /// All keywords from now on.
    pub keywords: Option<Vec<String>>,
    /// All topics from now on; none for ours.
    pub topics: Option<Vec<OwnTopic>>,
    /// The endpoint.
    pub endpoint: EndpointChange,
}

/// What somebody wants changed of the endpoint. `Some(None)` takes a value away.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the columns of `lead_analysis_settings` under their own names")]
pub struct EndpointChange {
    pub is_enabled: Option<bool>,
    pub base_url: Option<Option<String>>,
    pub model: Option<Option<String>>,
    pub key: Option<Option<String>>,
    pub redacts: Option<bool>,
    pub timeout_seconds: Option<i64>,
}

/// One thing that is wrong with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// Why settings are not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Some of what was said cannot be so.
    #[error("some of it is not valid")]
    Refused(Vec<Refused>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] leadline_store::Error),
}

/// What a workspace has that never set anything: estimates, and nobody else is asked.
#[must_use]
pub fn defaults() -> Settings {
    Settings {
        is_enabled: true,
        keywords: Vec::new(),
        topics: Vec::new(),
        endpoint_enabled: false,
        base_url: None,
        model: None,
        key_sealed: None,
        key_last4: None,
        redacts: true,
        timeout_seconds: USUAL_TIMEOUT_S,
        updated_at: Timestamp(0),
    }
}

/// Changes a workspace's settings.
///
/// # Errors
/// Where something about them is not valid.
pub async fn change(engine: &Engine, actor: &Actor, change: &Change) -> Result<Settings, SettingsError> {
    let mut tx = engine.store.begin().await?;
    let mut settings = analyses::lock_settings(&mut tx, actor.workspace).await?.unwrap_or_else(defaults);
    let before = compared(&settings);
    let mut refused = Vec::new();
    settings.is_enabled = change.is_enabled.unwrap_or(settings.is_enabled);
    if let Some(keywords) = &change.keywords {
        settings.keywords = entries("/keywords", keywords, MOST_KEYWORDS, &mut refused);
    }
    if let Some(topics) = &change.topics {
        settings.topics = checked_topics(topics, &mut refused);
    }
    apply_endpoint(engine, &mut settings, &change.endpoint, &mut refused);
    if !refused.is_empty() {
        return Err(SettingsError::Refused(refused));
    }
    settings.updated_at = engine.clock.now();
    analyses::save_settings(&mut tx, actor.workspace, &settings).await?;
    let deed = Deed::on_workspace("analysis.updated").with(audit::changed(&before, &compared(&settings)));
    audit::record(&mut tx, settings.updated_at, actor, deed).await?;
    tx.commit().await?;
    Ok(settings)
}

/// What is compared, to name what somebody changed. Nothing of it is told.
fn compared(settings: &Settings) -> Value {
    json!({
        "isEnabled": settings.is_enabled,
        "keywords": settings.keywords,
        "topics": format!("{:?}", settings.topics),
        "endpointEnabled": settings.endpoint_enabled,
        "baseUrl": settings.base_url,
        "model": settings.model,
        "key": settings.key_sealed,
        "redacts": settings.redacts,
        "timeoutSeconds": settings.timeout_seconds,
    })
}

fn apply_endpoint(engine: &Engine, settings: &mut Settings, change: &EndpointChange, refused: &mut Vec<Refused>) {
    if let Some(base_url) = &change.base_url {
        apply_base_url(engine, settings, base_url.as_deref(), refused);
    }
    if let Some(model) = &change.model {
        let model = model.as_deref().map(str::trim).filter(|model| !model.is_empty());
        if model.is_some_and(|model| model.chars().count() > LONGEST_MODEL || model.chars().any(char::is_control)) {
            refused.push(refusal("/endpoint/model", format!("must have at most {LONGEST_MODEL} characters")));
        }
        settings.model = model.map(str::to_owned);
    }
    if let Some(key) = &change.key {
        let key = key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        if key.is_some_and(|key| key.len() > LONGEST_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            refused.push(refusal("/endpoint/key", format!("must have at most {LONGEST_KEY} visible ASCII characters")));
        }
        settings.key_sealed = key.map(|key| engine.keys.seal(key));
        settings.key_last4 = key.map(last4);
    }
    if let Some(seconds) = change.timeout_seconds {
        if !(1..=LONGEST_TIMEOUT_S).contains(&seconds) {
            refused.push(refusal("/endpoint/timeoutSeconds", format!("must be 1 to {LONGEST_TIMEOUT_S}")));
        }
        settings.timeout_seconds = seconds;
    }
    settings.redacts = change.redacts.unwrap_or(settings.redacts);
    settings.endpoint_enabled = change.is_enabled.unwrap_or(settings.endpoint_enabled);
    if settings.endpoint_enabled && settings.base_url.is_none() {
        refused.push(refusal("/endpoint/baseUrl", "is needed where the endpoint is on".to_owned()));
    }
    if settings.endpoint_enabled && settings.model.is_none() {
        refused.push(refusal("/endpoint/model", "is needed where the endpoint is on".to_owned()));
    }
}

fn apply_base_url(engine: &Engine, settings: &mut Settings, base_url: Option<&str>, refused: &mut Vec<Refused>) {
    let before = settings.base_url.take();
    let Some(text) = base_url.map(str::trim).filter(|text| !text.is_empty()) else {
        (settings.key_sealed, settings.key_last4) = (None, None);
        return;
    };
    match engine.client.guard().check_url(text) {
        Ok(url) if url.query().is_some() => {
            refused.push(refusal("/endpoint/baseUrl", "must have no query".to_owned()));
        }
        Ok(url) => {
            let goes_elsewhere = before.as_deref().is_none_or(|before| origin(before) != Some(url.origin()));
            if goes_elsewhere {
                (settings.key_sealed, settings.key_last4) = (None, None);
            }
            settings.base_url = Some(url.as_str().trim_end_matches('/').to_owned());
        }
        Err(error) => refused.push(refusal("/endpoint/baseUrl", error.to_string())),
    }
}

fn origin(url: &str) -> Option<url::Origin> {
    Url::parse(url).ok().map(|url| url.origin())
}

fn last4(key: &str) -> String {
    // Of a short key the end would be most of it.
    if key.len() < 12 { "•".repeat(4) } else { key[key.len() - 4..].to_owned() }
}

fn checked_topics(topics: &[OwnTopic], refused: &mut Vec<Refused>) -> Vec<OwnTopic> {
    if topics.len() > MOST_TOPICS {
        refused.push(refusal("/topics", format!("must be at most {MOST_TOPICS}")));
        return Vec::new();
    }
    let mut checked: Vec<OwnTopic> = Vec::new();
    for (index, topic) in topics.iter().enumerate() {
        let pointer = format!("/topics/{index}");
        let name = entry(&format!("{pointer}/name"), &topic.name, refused);
        let is_there = checked.iter().any(|other| other.name.to_lowercase() == name.to_lowercase());
        if is_there || name.to_lowercase() == OTHER {
            refused.push(refusal(&format!("{pointer}/name"), "is there already".to_owned()));
        }
        let words = entries(&format!("{pointer}/words"), &topic.words, MOST_WORDS, refused);
        checked.push(OwnTopic { name, words });
    }
    checked
}

/// Entries without blanks around them, each once.
fn entries(pointer: &str, list: &[String], most: usize, refused: &mut Vec<Refused>) -> Vec<String> {
    if list.len() > most {
        refused.push(refusal(pointer, format!("must be at most {most}")));
        return Vec::new();
    }
    let mut kept: Vec<String> = Vec::new();
    for (index, text) in list.iter().enumerate() {
        let text = entry(&format!("{pointer}/{index}"), text, refused);
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

fn entry(pointer: &str, text: &str, refused: &mut Vec<Refused>) -> String {
    let text = text.trim();
    let says_something = text.chars().any(char::is_alphanumeric);
    if !says_something || text.chars().count() > LONGEST_ENTRY || text.chars().any(char::is_control) {
        refused.push(refusal(pointer, format!("must have 1 to {LONGEST_ENTRY} characters, letters among them")));
    }
    text.to_owned()
}

fn refusal(pointer: &str, message: String) -> Refused {
    Refused { pointer: pointer.to_owned(), message }
}

/// Analyses a text of the caller's as a message would be, with the endpoint where it is on. Nothing of it is stored.
///
/// # Errors
/// Where the text is empty or too long.
pub async fn try_out(engine: &Engine, actor: &Actor, message: &str) -> Result<Value, SettingsError> {
    let length = message.trim().chars().count();
    if !(1..=LONGEST_TRIED).contains(&length) {
        let wrong = refusal("/message", format!("must have 1 to {LONGEST_TRIED} characters"));
        return Err(SettingsError::Refused(vec![wrong]));
    }
    let settings = analyses::find_settings(&engine.store.reader(), actor.workspace).await?.unwrap_or_else(defaults);
    let wanted = wanted(&settings);
    let job = Job {
        submission_id: SubmissionId(Uuid::nil()),
        workspace_id: actor.workspace,
        lead_id: LeadId(Uuid::nil()),
        attempt_count: 0,
        message: message.to_owned(),
        names: Vec::new(),
        contacts: Vec::new(),
    };
    if !settings.endpoint_enabled {
        return Ok(carry_out_here(message, &wanted, None, engine.clock.now()));
    }
    let asked = match Endpoint::open(&settings, &engine.keys) {
        Ok(endpoint) => endpoint.ask(&engine.client, &job, &wanted).await.map(|answer| (endpoint, answer)),
        Err(failure) => Err::<_, Failure>(failure),
    };
    let now = engine.clock.now();
    Ok(match asked {
        Ok((endpoint, answer)) => of_answer(message, &wanted, answer, &endpoint.model, endpoint.redacts, now),
        Err(failure) => carry_out_here(message, &wanted, Some(&failure), now),
    })
}
