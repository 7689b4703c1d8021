//! What somebody says of a destination when they make or change it, and how its rules are shown.
//!
//! What ad platforms are told of is in `conversions`, what a destination is asked with in `access`.

use std::collections::BTreeMap;

use leadline_domain::{
    destinations::{Filter, Rules},
    ids::{ProjectId, SourceId, StageId},
};
use leadline_engine::delivery::{
    access::WishedAccess,
    destinations::Wish,
    rules::{WishedFilter, WishedRules},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access::{ClientCertificateRequest, OauthRequest, OauthView},
    conversions::ConversionsView,
};
use crate::extract::present;

/// What a destination is to be. `name`, `url` and `events` are needed to make one; in a change, what is absent stays as
/// it is, and null goes back to how it was at first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DestinationRequest {
    #[schema(example = "CRM")]
    name: Option<String>,
    #[schema(example = "https://crm.example.com/hooks/leads")]
    url: Option<String>,
    /// Of an ad platform's destination they follow from its conversions.
    #[schema(example = json!(["lead.created"]))]
    events: Option<Vec<String>>,
    /// The shape of the payload: `leadline` (ours, which is what it is unless something else is said), `crm`,
    /// `whatconverts`, `simple`, `template`, or an ad platform's: `google_ads`, `meta_capi`. What was sent before is
    /// tried again as it was.
    #[schema(example = "leadline")]
    format: Option<String>,
    /// The payload of the format `template`: JSON with `{{placeholders}}` in its strings, as a text or as JSON itself.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Value>)]
    template: Option<Option<Value>>,
    /// `standard` (seconds, then hours), `fast` (three retries within seconds) or `none`.
    #[schema(example = "standard")]
    retry_plan: Option<String>,
    /// The project whose leads it is told of; null for all projects.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<Option<Uuid>>,
    /// Headers for every request, all of them anew; an empty object for none. They are sealed and never shown again.
    headers: Option<BTreeMap<String, String>>,
    /// False pauses it, and holds what waits; true sends that.
    is_active: Option<bool>,
    /// The most requests at the same time, 1 to 64; 8 unless something else is said.
    max_in_flight: Option<i64>,
    /// Which leads it is told of; an empty object for all.
    filter: Option<DestinationFilterView>,
    /// Whether it is told of tests in production, too.
    includes_tests: Option<bool>,
    /// Whether it is told of anything where the installation runs in development.
    in_development: Option<bool>,
    /// A lead that comes again within so many minutes is not told of again; 0 or null for each time.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    duplicate_window_minutes: Option<Option<i64>>,
    /// A lead that comes again after so many hours counts as coming back; 0 for never, null for the workspace's setting.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    reengage_after_hours: Option<Option<i64>>,
    /// `POST`, `PUT` or `PATCH`.
    #[schema(example = "POST")]
    method: Option<String>,
    /// `json`, or `form` for templates whose fields are sent as a form's.
    #[schema(example = "json")]
    content_type: Option<String>,
    /// How long one request may take, 1 to 30; null for the installation's setting.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    timeout_seconds: Option<Option<i64>>,
    /// The most requests within a minute that each node sends; null for no limit.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    requests_per_minute: Option<Option<i64>>,
    /// Whether each delivery waits until those before it have ended.
    in_order: Option<bool>,
    /// What an ad platform is told of, all of it anew; null for nothing.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ConversionsView>)]
    conversions: Option<Option<ConversionsView>>,
    /// How access tokens are got by OAuth 2, all of it anew but for secrets that are left out; null for none. Secrets
    /// are sealed and never shown again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<OauthRequest>)]
    oauth: Option<Option<OauthRequest>>,
    /// The developer token of Google Ads, or the access token of Meta's Conversions API; null for none. It is sealed
    /// and never shown again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    token: Option<Option<String>>,
    /// The certificate that we show to a receiver which asks for one; null for none. It is sealed and never shown again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ClientCertificateRequest>)]
    client_certificate: Option<Option<ClientCertificateRequest>>,
}

impl From<DestinationRequest> for Wish {
    fn from(request: DestinationRequest) -> Self {
        Self {
            name: request.name,
            url: request.url,
            events: request.events,
            format: request.format,
            template: request.template.map(|template| template.map(text_of)),
            rules: WishedRules {
                filter: request.filter.map(DestinationFilterView::wished),
                includes_tests: request.includes_tests,
                in_development: request.in_development,
                duplicate_window_minutes: request.duplicate_window_minutes,
                reengage_after_hours: request.reengage_after_hours,
                method: request.method,
                content_type: request.content_type,
                timeout_seconds: request.timeout_seconds,
                requests_per_minute: request.requests_per_minute,
                in_order: request.in_order,
            },
            conversions: request.conversions.map(|conversions| conversions.map(Into::into)),
            access: WishedAccess {
                oauth: request.oauth.map(|oauth| oauth.map(Into::into)),
                token: request.token,
                client_certificate: request.client_certificate.map(|certificate| certificate.map(Into::into)),
            },
            max_in_flight: request.max_in_flight,
            retry_plan: request.retry_plan,
            project_id: request.project_id.map(|project| project.map(ProjectId)),
            headers: request.headers,
            is_active: request.is_active,
        }
    }
}

/// A template as it is kept: a text as it is, JSON as it is written for people.
pub(crate) fn text_of(template: Value) -> String {
    match template {
        Value::String(text) => text,
        json => format!("{json:#}"),
    }
}

/// Which leads a destination is told of: those that meet all that is set.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DestinationFilterView {
    /// From one of these kinds of sources, such as `form`.
    #[serde(default)]
    sources: Vec<String>,
    /// From one of these sources.
    #[serde(default)]
    source_ids: Vec<Uuid>,
    /// With one of these tags.
    #[serde(default)]
    tags: Vec<String>,
    /// In one of these stages.
    #[serde(default)]
    stage_ids: Vec<Uuid>,
    /// With at least this score, 0 to 100.
    #[serde(default)]
    min_score: Option<i64>,
    /// With at most this suspicion, 0 to 100.
    #[serde(default)]
    max_suspicion: Option<i64>,
}

impl DestinationFilterView {
    fn wished(self) -> WishedFilter {
        WishedFilter {
            sources: self.sources,
            source_ids: self.source_ids.into_iter().map(SourceId).collect(),
            tags: self.tags,
            stage_ids: self.stage_ids.into_iter().map(StageId).collect(),
            min_score: self.min_score,
            max_suspicion: self.max_suspicion,
        }
    }
}

impl From<Filter> for DestinationFilterView {
    fn from(filter: Filter) -> Self {
        Self {
            sources: filter.sources,
            source_ids: filter.source_ids.into_iter().map(|id| id.0).collect(),
            tags: filter.tags,
            stage_ids: filter.stage_ids.into_iter().map(|id| id.0).collect(),
            min_score: filter.min_score,
            max_suspicion: filter.max_suspicion,
        }
    }
}

/// The rules of a destination.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DestinationRulesView {
    filter: DestinationFilterView,
    includes_tests: bool,
    in_development: bool,
    duplicate_window_minutes: Option<i64>,
    reengage_after_hours: Option<i64>,
    /// `POST`, `PUT` or `PATCH`.
    method: &'static str,
    /// `json` or `form`.
    content_type: &'static str,
    timeout_seconds: Option<i64>,
    requests_per_minute: Option<i64>,
    in_order: bool,
    /// What an ad platform is told of.
    conversions: Option<ConversionsView>,
    /// How access tokens are got; without its secrets.
    oauth: Option<OauthView>,
    /// The SHA-256 of the certificate that we show, in hexadecimal; null where there is none.
    client_certificate_sha256: Option<String>,
}

impl From<Rules> for DestinationRulesView {
    fn from(rules: Rules) -> Self {
        Self {
            filter: rules.filter.into(),
            includes_tests: rules.includes_tests,
            in_development: rules.in_development,
            duplicate_window_minutes: rules.duplicate_window_minutes,
            reengage_after_hours: rules.reengage_after_hours,
            method: rules.method.as_str(),
            content_type: rules.content_type.as_str(),
            timeout_seconds: rules.timeout_seconds,
            requests_per_minute: rules.requests_per_minute,
            in_order: rules.in_order,
            conversions: rules.conversions.map(Into::into),
            oauth: rules.oauth.map(Into::into),
            client_certificate_sha256: rules.client_certificate,
        }
    }
}
