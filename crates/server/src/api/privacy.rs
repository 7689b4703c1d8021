//! `/v1/admin/privacy`: what is held of a person, taking it along, erasing it, and who must not be written to.

use axum::{body::Body, extract::State, response::Response};
use http::StatusCode;
use leadline_domain::{
    ids::{ConsentId, ContactId, LeadId, SubmissionId, SuppressionId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    privacy::{self as engine, PrivacyError, Whom, consents as engine_consents, suppressions as engine_suppressions},
};
use leadline_store::{
    consents::{self, Consent},
    contacts, leads,
    privacy::{held, person},
    suppressions::{self, Suppression},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        jobs::JobView,
        masking::Sight,
        views::{All, PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    exports::{attachment, person::archive},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// Consents that are shown of one person.
const CONSENTS: i64 = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(engine::PERMISSION, routes!(erase))
        .at(engine::PERMISSION, routes!(get_person))
        .at(engine::PERMISSION, routes!(export_person))
        .at(Permission::SettingsView, routes!(list_suppressions))
        .at(engine::PERMISSION, routes!(add_suppression))
        .at(engine::PERMISSION, routes!(remove_suppression))
        .at(Permission::LeadsManage, routes!(withdraw_consent))
        .at(Permission::LeadsView, routes!(suppressions_of_lead))
        .at(Permission::LeadsView, routes!(suppressions_of_contact))
}

impl From<PrivacyError> for ApiError {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::NotFound => Self::not_found(),
            PrivacyError::Invalid(pointer, message) => Self::field(pointer, message),
            PrivacyError::AlreadySo => Self::new(Code::Conflict),
            PrivacyError::Job(error) => error.into(),
            PrivacyError::Store(error) => error.into(),
        }
    }
}

/// Whom to erase: by a contact, or by a lead of theirs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EraseRequest {
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<ContactId>,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// Whether nobody is to write to them any more, should they come back; keyed hashes of their addresses and numbers
    /// are kept for that. True where nothing is said.
    suppress: Option<bool>,
}

impl EraseRequest {
    fn whom(&self) -> ApiResult<Whom> {
        match (self.contact_id, self.lead_id) {
            (Some(contact), None) => Ok(Whom::Contact(contact)),
            (None, Some(lead)) => Ok(Whom::Lead(lead)),
            (None, None) => Err(ApiError::field("/contactId", "is required, or else leadId")),
            (Some(_), Some(_)) => Err(ApiError::field("/leadId", "cannot be told together with contactId")),
        }
    }
}

/// Erases a person everywhere
///
/// A job that cannot be put back: contact, leads, submissions, requests, conversations, deliveries, visits and whatever
/// names them elsewhere. It can be followed under `/v1/identity/jobs`.
#[utoipa::path(post, path = "/v1/admin/privacy/erase", tag = "privacy", request_body = EraseRequest,
    responses((status = 202, body = JobView, description = "It goes on by itself")))]
async fn erase(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<EraseRequest>,
) -> ApiResult<(StatusCode, Json<JobView>)> {
    let job = engine::ask(&app.engine, &actor, request.whom()?, request.suppress.unwrap_or(true)).await?;
    Ok((StatusCode::ACCEPTED, Json(JobView::new(&app, &actor, job))))
}

/// How much of a class is held.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HeldView {
    /// Such as `submissions` or `deliveries`.
    #[schema(example = "submissions")]
    class: &'static str,
    /// How many rows, counted up to 10,000.
    count: i64,
    /// Whether there are more.
    is_capped: bool,
}

/// A consent, with what proves it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentView {
    #[schema(value_type = Uuid)]
    id: ConsentId,
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    /// The submission that it came with.
    #[schema(value_type = Uuid)]
    submission_id: SubmissionId,
    /// `marketing`, `messages`, `contact`, `privacy` or `terms`.
    #[schema(example = "marketing")]
    purpose: String,
    /// The field of the form.
    field: String,
    /// What was agreed to.
    wording: String,
    source_name: String,
    /// The page of the form.
    page_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    given_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn_at: Option<Timestamp>,
    withdrawn_by: Option<String>,
}

impl ConsentView {
    pub(crate) fn new(consent: Consent, sight: Sight) -> Self {
        Self {
            id: consent.id,
            lead_id: consent.lead_id,
            submission_id: consent.submission_id,
            purpose: consent.purpose,
            field: consent.field,
            wording: sight.text(Some(consent.wording)).unwrap_or_default(),
            source_name: consent.source_name,
            page_url: sight.address(consent.page_url),
            given_at: consent.given_at,
            withdrawn_at: consent.withdrawn_at,
            withdrawn_by: consent.withdrawn_by,
        }
    }
}

/// What is held of a person, and where.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PersonView {
    #[schema(value_type = Uuid)]
    contact_id: ContactId,
    display_name: String,
    email: Option<String>,
    phone_number: Option<String>,
    /// All leads of theirs, also deleted and merged ones.
    lead_count: usize,
    /// Contacts that are the same person.
    contact_count: usize,
    /// Class by class.
    held: Vec<HeldView>,
    /// What they agreed to, the latest first.
    consents: Vec<ConsentView>,
    /// Why they must not be written to; empty where they may be.
    suppressed: Vec<SuppressionView>,
}

/// What is held of a person
///
/// Needs `pii:view` as well. That somebody looked is written down in the audit log.
#[utoipa::path(get, path = "/v1/admin/privacy/persons/{contactId}", tag = "privacy",
    params(("contactId" = Uuid, Path)), responses((status = 200, body = PersonView)))]
async fn get_person(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(contact): Path<ContactId>,
) -> ApiResult<Json<PersonView>> {
    let found = find(&app, &actor, contact).await?;
    let stored = contacts::find(&app.reader, actor.workspace, contact).await?.ok_or_else(ApiError::not_found)?;
    engine::note_look(&app.engine, &actor, contact, "person.viewed").await?;
    let counts = held::counts(&app.reader, actor.workspace, &found).await?;
    let keys = engine::reached_by(&app.engine.keys, actor.workspace, &found);
    let keys: Vec<_> = keys.into_iter().map(|(_, key)| key).collect();
    let consents = consents::list_of_contact(&app.reader, actor.workspace, contact, CONSENTS).await?;
    let suppressed = suppressions::which_suppressed(&app.reader, actor.workspace, &keys).await?;
    Ok(Json(PersonView {
        contact_id: contact,
        display_name: stored.display_name,
        email: stored.email,
        phone_number: stored.phone_number,
        lead_count: found.leads.len(),
        contact_count: found.contacts.len(),
        held: counts
            .into_iter()
            .map(|(class, count)| HeldView { class, count, is_capped: count == held::COUNT_CAP })
            .collect(),
        consents: consents.into_iter().map(|consent| ConsentView::new(consent, Sight::of(&actor))).collect(),
        suppressed: suppressed.into_iter().map(SuppressionView::from).collect(),
    }))
}

async fn find(app: &App, actor: &Actor, contact: ContactId) -> ApiResult<person::Person> {
    if Sight::of(actor).is_masked() {
        return Err(ApiError::new(Code::Forbidden).detail("this needs the permission pii:view"));
    }
    engine::contact_of(&app.engine, actor.workspace, Whom::Contact(contact)).await?;
    Ok(person::find(&app.reader, actor.workspace, contact, app.engine.clock.now()).await?)
}

/// Everything that is held of a person, as an archive
///
/// A zip file with a JSON and a CSV file for each class. Needs `pii:view` as well. It is written down in the audit log.
#[utoipa::path(get, path = "/v1/admin/privacy/persons/{contactId}/export", tag = "privacy",
    params(("contactId" = Uuid, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip")))]
async fn export_person(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(contact): Path<ContactId>,
) -> ApiResult<Response> {
    let found = find(&app, &actor, contact).await?;
    engine::note_look(&app.engine, &actor, contact, "person.exported").await?;
    let pieces = archive(app.reader.clone(), actor.workspace, found).map_err(|error| ApiError::internal(&error))?;
    Ok(attachment("application/zip", &format!("person-{contact}.zip"), Body::from_stream(pieces)))
}

/// Somebody who must not be written to, known by a keyed hash alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SuppressionView {
    #[schema(value_type = Uuid)]
    id: SuppressionId,
    /// `email` or `phone`.
    #[schema(example = "email")]
    kind: String,
    /// The beginning of the keyed hash, which tells nobody whose it is.
    #[schema(example = "9f86d081")]
    fingerprint: String,
    /// `erased`, `unsubscribed` by the link of a message, or `asked` where somebody put it in by hand.
    #[schema(example = "asked")]
    reason: String,
    note: Option<String>,
    added_by: String,
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
}

impl From<Suppression> for SuppressionView {
    fn from(entry: Suppression) -> Self {
        Self {
            id: entry.id,
            kind: entry.kind,
            fingerprint: hex::encode(&entry.key.0[..4]),
            reason: entry.reason,
            note: entry.note,
            added_by: entry.added_by,
            added_at: entry.added_at,
        }
    }
}

/// Lists whom nobody may write to, the latest first
#[utoipa::path(get, path = "/v1/admin/privacy/suppressions", tag = "privacy", params(PageQuery),
    responses((status = 200, body = Paged<SuppressionView>)))]
async fn list_suppressions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<SuppressionView>>> {
    let window = query.window()?;
    let found = suppressions::list(&app.reader, actor.workspace, (window.limit, window.offset())).await?;
    Ok(Json(window.paged(found, SuppressionView::from)))
}

/// Why nobody writes to whoever has these addresses. What is said in a note is hidden without `pii:view`.
async fn suppressed(
    app: &App,
    actor: &Actor,
    (email, phone): (Option<&str>, Option<&str>),
) -> ApiResult<Json<All<SuppressionView>>> {
    let keys = &app.engine.keys;
    let email = email.and_then(|email| engine::email_key(keys, actor.workspace, email));
    let phone = phone.map(|phone| engine::phone_key(keys, actor.workspace, phone));
    let keys: Vec<_> = email.into_iter().chain(phone).collect();
    let found = suppressions::which_suppressed(&app.reader, actor.workspace, &keys).await?;
    let sight = Sight::of(actor);
    let view =
        |entry: Suppression| SuppressionView::from(Suppression { note: sight.text(entry.note.clone()), ..entry });
    Ok(Json(All { data: found.into_iter().map(view).collect() }))
}

/// Why a lead must not be written to
///
/// Empty where they may be. Either address being in the list stops messages by all channels.
#[utoipa::path(get, path = "/v1/identity/leads/{id}/suppressions", tag = "leads", params(("id" = Uuid, Path)),
    responses((status = 200, body = All<SuppressionView>)))]
async fn suppressions_of_lead(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<Json<All<SuppressionView>>> {
    let lead = leads::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    suppressed(&app, &actor, (lead.card.email.as_deref(), lead.card.phone.as_deref())).await
}

/// Why a contact must not be written to
///
/// Empty where they may be. Either address being in the list stops messages by all channels.
#[utoipa::path(get, path = "/v1/identity/contacts/{id}/suppressions", tag = "contacts", params(("id" = Uuid, Path)),
    responses((status = 200, body = All<SuppressionView>)))]
async fn suppressions_of_contact(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ContactId>,
) -> ApiResult<Json<All<SuppressionView>>> {
    let contact = contacts::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    suppressed(&app, &actor, (contact.email.as_deref(), contact.phone_number.as_deref())).await
}

/// Whom nobody may write to any more: an e-mail address or a phone number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SuppressionRequest {
    email: Option<String>,
    /// With its calling code.
    phone: Option<String>,
    /// Why, in a few words. Shown to everybody who sees the list.
    note: Option<String>,
}

/// Puts an address or a number into the list
///
/// Only a keyed hash of it is kept. What they send is accepted as before.
#[utoipa::path(post, path = "/v1/admin/privacy/suppressions", tag = "privacy", request_body = SuppressionRequest,
    responses((status = 200, body = SuppressionView)))]
async fn add_suppression(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<SuppressionRequest>,
) -> ApiResult<Json<SuppressionView>> {
    let wish = engine_suppressions::Wish { email: request.email, phone: request.phone, note: request.note };
    let added = engine_suppressions::add(&app.engine, &actor, &wish).await;
    let added = added.map_err(|error| match error {
        PrivacyError::AlreadySo => ApiError::new(Code::AlreadySuppressed),
        other => other.into(),
    })?;
    Ok(Json(added.into()))
}

/// Takes an entry out of the list: whoever it is may be written to again
#[utoipa::path(delete, path = "/v1/admin/privacy/suppressions/{id}", tag = "privacy", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn remove_suppression(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SuppressionId>,
) -> ApiResult<StatusCode> {
    engine_suppressions::remove(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that somebody takes a consent back
///
/// It stays with when it was given and when it was withdrawn.
#[utoipa::path(post, path = "/v1/admin/privacy/consents/{id}/withdraw", tag = "privacy",
    params(("id" = Uuid, Path)), responses((status = 200, body = ConsentView)))]
async fn withdraw_consent(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ConsentId>,
) -> ApiResult<Json<ConsentView>> {
    let consent = engine_consents::withdraw(&app.engine, &actor, id).await.map_err(|error| match error {
        PrivacyError::AlreadySo => ApiError::new(Code::ConsentWithdrawn),
        other => other.into(),
    })?;
    Ok(Json(ConsentView::new(consent, Sight::of(&actor))))
}
