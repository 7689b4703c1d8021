//! `POST /callbacks/crm/{makeSendPublicId}`: a receiver tells what it calls the lead that it was sent.
//!
//! The id is the delivery's, which only the receiver was told, and the same over all attempts. An id that nobody was
//! told gets the same friendly answer as any, with `stored: false`: there is nothing to be found out here.

use axum::extract::{Request, State};
use http::header;
use leadline_domain::{
    crm_links::{CrmLink, Refused},
    ids::DeliveryId,
};
use leadline_engine::delivery::callbacks;
use leadline_store::crm_links;
use serde::Serialize;
use utoipa::ToSchema;

use super::capture::text;
use crate::{
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
};

/// The most that a callback may have.
const LARGEST_BYTES: usize = 64 * 1024;

/// What became of a callback.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StoredView {
    /// Whether it is with the lead now. False where we sent nothing under this id, or nothing about a lead.
    stored: bool,
}

/// A CRM tells of its lead
///
/// Takes any of `crm_lead_id`, `crm_lead_url` and `execution_url` (or `crmLeadId`, `crmLeadUrl`, `executionUrl`), as
/// JSON or as a form; everything else is passed over. The id in the address is that of the delivery: the header
/// `X-Leadline-Delivery-Id`, and `make_send_public_id` in payloads that have it. Repeats are harmless; what is told
/// later wins, field by field.
#[utoipa::path(post, path = "/callbacks/crm/{send}", tag = "ways in",
    params(("send" = String, Path, description = "The delivery's id")),
    request_body(content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, body = StoredView),
        (status = 413, description = "The body is over 64 KiB"),
        (status = 415, description = "The content type is not read here"),
        (status = 422, description = "An id or an address cannot be taken, or there is none"),
        (status = 503, description = "The store does not answer; try again"),
    ))]
pub(super) async fn crm(
    State(app): State<App>,
    Path(send): Path<String>,
    request: Request,
) -> ApiResult<Json<StoredView>> {
    let content_type = text(request.headers(), header::CONTENT_TYPE);
    let body = body::read(request).await?;
    if body.bytes.len() > LARGEST_BYTES {
        return Err(ApiError::new(Code::BodyTooLarge).detail("a callback may have 64 KiB"));
    }
    let Ok(delivery) = send.trim().parse::<DeliveryId>() else { return Ok(Json(StoredView { stored: false })) };
    if !crm_links::has_target(&app.reader, delivery).await? {
        return Ok(Json(StoredView { stored: false }));
    }
    let fields = body::parse(content_type.as_deref(), &body.bytes)?.fields;
    let told = CrmLink::read(&fields).map_err(|refused| refusal(&refused))?;
    if told.is_empty() {
        let detail = "send crm_lead_id, crm_lead_url or execution_url";
        return Err(ApiError::new(Code::InvalidFields).detail(detail));
    }
    let stored = callbacks::take(&app.engine, delivery, told).await?;
    Ok(Json(StoredView { stored }))
}

fn refusal(refused: &Refused) -> ApiError {
    let name = refused.field.replace('~', "~0").replace('/', "~1");
    ApiError::field(format!("/{name}"), refused.message.clone())
}
