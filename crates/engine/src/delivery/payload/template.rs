//! The payload `template`: somebody's own JSON, filled in with what is known.
//!
//! A body for receivers that take forms is written as JSON as well, an object of fields, and turned into a form's fields
//! at the end.

use std::collections::BTreeMap;

use leadline_domain::{
    destinations::ContentType,
    scores::engagement_label,
    templates::{Template, TemplateError},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{facts::Facts, leadline::Payload, simple::captured_at, visits::Visit};

/// What a placeholder can name, and what it means.
pub const PLACEHOLDERS: [(&str, &str); 68] = [
    ("event", "What happened, such as lead.created"),
    ("tenantId", "The workspace's id"),
    ("leadId", "The lead's id"),
    ("email", "The e-mail address"),
    ("phone", "The phone number, as +4930123456"),
    ("firstName", "The first word of the name"),
    ("conversationId", "The lead's latest conversation"),
    ("capturedAt", "When the submission came"),
    ("lastConversationAt", "When the lead was last talked to"),
    ("name", "The whole name"),
    ("lastName", "The name behind its first word"),
    ("company", "The company"),
    ("title", "The job title"),
    ("message", "What the person wrote"),
    ("number", "The lead's number"),
    ("tags", "The tags, with commas"),
    ("score", "The score"),
    ("suspicion", "The suspicion"),
    ("suspicionReasons", "What makes it suspicious"),
    ("engagement", "The engagement, where it is known"),
    ("engagementLabel", "Cold, Warm, Hot or Very Hot"),
    ("stage", "The stage's name"),
    ("stageId", "The stage's id"),
    ("state", "completed, or in_progress while a chat goes on"),
    ("projectName", "The project's name"),
    ("projectId", "The project's id"),
    ("source", "The kind of source, such as form"),
    ("sourceName", "The source's name"),
    ("cta", "The button or link that led to the form"),
    ("pageUrl", "The page of the form"),
    ("referrer", "The page before it"),
    ("submissionId", "The submission's id"),
    ("submissionCount", "How often the lead sent something"),
    ("createdAt", "When the lead was made"),
    ("updatedAt", "When the lead was last changed"),
    ("timeToSubmit", "Milliseconds from showing the form to sending it"),
    ("visitorId", "The visitor's id"),
    ("sessionId", "The visit's id"),
    ("sessionDurationSeconds", "Seconds spent on the website"),
    ("pagesVisited", "Pages seen"),
    ("returnVisits", "Further visits"),
    ("country", "The visitor's country, as DE"),
    ("region", "The visitor's region"),
    ("city", "The visitor's city"),
    ("postalCode", "The visitor's postal code"),
    ("timezone", "The visitor's timezone"),
    ("language", "The browser's language"),
    ("browser", "The browser"),
    ("operatingSystem", "The operating system"),
    ("ip", "The visitor's address"),
    ("userAgent", "The browser's name for itself"),
    ("channel", "Where the last visit came from: search, social, paid…"),
    ("utmSource", "utm_source of the last visit"),
    ("utmMedium", "utm_medium of the last visit"),
    ("utmCampaign", "utm_campaign of the last visit"),
    ("utmTerm", "utm_term of the last visit"),
    ("utmContent", "utm_content of the last visit"),
    ("relatedProjects", "Other projects that the person asked about"),
    ("deliveryId", "This delivery, by which a CRM calls back"),
    ("workspace", "The workspace's name in addresses"),
    ("environment", "production or development"),
    ("test", "true for tests"),
    ("customFields", "A custom field by its key: customFields.budget"),
    ("fields", "A field as it was sent, by its name: fields.budget"),
    ("clickIds", "A click id: clickIds.gclid"),
    ("firstTouch", "A detail of the first visit: firstTouch.utmSource"),
    ("lastTouch", "A detail of the last visit: lastTouch.pageUrl"),
    ("alert", "A detail of an event that is about no lead: alert.destinationName"),
];

/// Those of which a part is named.
const WITH_PARTS: [&str; 6] = ["customFields", "fields", "clickIds", "firstTouch", "lastTouch", "alert"];

fn is_known(path: &[String]) -> bool {
    let [name, parts @ ..] = path else { return false };
    let is_there = PLACEHOLDERS.iter().any(|(known, _)| known == name);
    is_there && WITH_PARTS.contains(&name.as_str()) != parts.is_empty()
}

/// Reads a template for bodies of this kind.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(text: &str, content_type: ContentType) -> Result<Template, TemplateError> {
    let template = Template::parse(text, is_known)?;
    if content_type == ContentType::Form && fields_of(text).is_none() {
        let message = "for a form's fields this must be one object of texts and numbers".to_owned();
        return Err(TemplateError { line: 1, column: 1, code: "not_a_form", message });
    }
    Ok(template)
}

/// Fills a template in and writes it as a body of this kind.
pub(super) fn text(template: &Template, content_type: ContentType, values: &Value) -> String {
    let json = template.fill(values);
    match content_type {
        ContentType::Json => json,
        ContentType::Form => as_form(&json),
    }
}

fn as_form(json: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields_of(json).unwrap_or_default() {
        form.append_pair(&name, &value);
    }
    form.finish()
}

fn fields_of(json: &str) -> Option<BTreeMap<String, String>> {
    let fields: Map<String, Value> = serde_json::from_str(json).ok()?;
    let text = |(name, value): (String, Value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(_) | Value::Bool(_) => Some((name, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    fields.into_iter().map(text).collect()
}

/// What placeholders stand for where an event is about no lead, or about one that is gone.
pub(super) fn values_without_lead(payload: &Payload<'_>) -> Value {
    json!({
        "event": payload.event,
        "tenantId": payload.workspace.id,
        "workspace": payload.workspace.slug,
        "environment": payload.environment,
        "createdAt": payload.created_at,
        "capturedAt": payload.created_at,
        "test": payload.test,
        "alert": payload.alert,
    })
}

/// What placeholders stand for.
pub(super) fn values(facts: &Facts<'_>) -> Value {
    let mut values = Map::new();
    of_event(&mut values, facts);
    of_lead(&mut values, facts);
    of_submission(&mut values, facts);
    of_visit(&mut values, facts);
    Value::Object(values)
}

fn put(values: &mut Map<String, Value>, name: &'static str, value: impl Serialize) {
    values.insert(name.to_owned(), json!(value));
}

fn of_event(values: &mut Map<String, Value>, facts: &Facts<'_>) {
    put(values, "event", facts.event);
    put(values, "tenantId", facts.workspace.id);
    put(values, "workspace", facts.workspace.slug);
    put(values, "environment", facts.environment);
    put(values, "deliveryId", facts.delivery_id);
    put(values, "test", facts.is_test);
    put(values, "conversationId", facts.conversation_id);
    put(values, "lastConversationAt", facts.last_conversation_at);
}

fn of_lead(values: &mut Map<String, Value>, facts: &Facts<'_>) {
    let lead = &facts.lead;
    let name = facts.name().unwrap_or_default().trim();
    let (first, rest) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    put(values, "leadId", lead.id);
    put(values, "number", lead.number);
    put(values, "name", name);
    put(values, "firstName", first);
    put(values, "lastName", rest.trim());
    put(values, "email", lead.email);
    put(values, "phone", lead.phone.or(facts.phone_raw));
    put(values, "company", lead.company);
    put(values, "title", lead.title);
    put(values, "tags", lead.tags);
    put(values, "score", lead.score);
    put(values, "suspicion", lead.suspicion);
    put(values, "suspicionReasons", &facts.suspicion_reasons);
    put(values, "stage", lead.stage.and_then(|stage| stage.name));
    put(values, "stageId", lead.stage.map(|stage| stage.id));
    put(values, "state", lead.state);
    put(values, "projectId", lead.project_id);
    put(values, "projectName", lead.project_name);
    put(values, "source", lead.source);
    put(values, "sourceName", lead.source_name);
    put(values, "submissionCount", lead.submission_count);
    put(values, "createdAt", lead.created_at);
    put(values, "updatedAt", lead.updated_at);
    put(values, "customFields", lead.custom_fields);
    put(values, "firstTouch", lead.first_touch);
    put(values, "lastTouch", lead.last_touch);
    put(values, "relatedProjects", &facts.related_projects);
}

fn of_submission(values: &mut Map<String, Value>, facts: &Facts<'_>) {
    put(values, "capturedAt", captured_at(facts));
    let Some(submission) = &facts.submission else { return };
    put(values, "submissionId", submission.id);
    put(values, "message", submission.message);
    put(values, "cta", submission.cta);
    put(values, "pageUrl", submission.page_url);
    put(values, "referrer", submission.referrer);
    put(values, "timeToSubmit", submission.time_to_submit_ms);
    put(values, "fields", &submission.fields);
}

fn of_visit(values: &mut Map<String, Value>, facts: &Facts<'_>) {
    let visit = &facts.visit;
    let label = visit.engagement.map(|engagement| engagement_label(i32::try_from(engagement).unwrap_or(i32::MAX)));
    put(values, "engagement", visit.engagement);
    put(values, "engagementLabel", label);
    put(values, "visitorId", &visit.visitor_id);
    put(values, "sessionId", &visit.session_id);
    put(values, "sessionDurationSeconds", visit.session_duration_seconds);
    put(values, "pagesVisited", visit.pages_visited);
    put(values, "returnVisits", visit.return_visits);
    let context = &facts.context;
    let place = context.location.clone().unwrap_or_default();
    put(values, "country", place.country);
    put(values, "region", place.region);
    put(values, "city", place.city);
    put(values, "postalCode", place.postal_code);
    put(values, "timezone", place.timezone.as_ref().or(context.timezone.as_ref()));
    put(values, "language", &context.language);
    let device = context.device.clone().unwrap_or_default();
    put(values, "browser", device.browser);
    put(values, "operatingSystem", device.os);
    put(values, "ip", facts.browser().and_then(|one| one.ip));
    put(values, "userAgent", facts.browser().and_then(|one| one.user_agent));
    let [last, first] = [facts.lead.last_touch, facts.lead.first_touch].map(Visit::read);
    let mut click_ids = first.params.click_ids;
    click_ids.extend(last.params.click_ids);
    put(values, "clickIds", click_ids);
    put(values, "channel", last.channel);
    put(values, "utmSource", last.params.utm_source);
    put(values, "utmMedium", last.params.utm_medium);
    put(values, "utmCampaign", last.params.utm_campaign);
    put(values, "utmTerm", last.params.utm_term);
    put(values, "utmContent", last.params.utm_content);
}
