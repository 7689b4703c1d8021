//! `/v1/messaging/attachments`: files of messages. Whoever may not see personal data sees that there is a file, and no
//! more of it.

use std::collections::HashMap;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use leadline_domain::{
    ids::{AttachmentId, ConversationId, MessageId, WorkspaceId},
    messaging::files::FILE_MAX_BYTES,
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::messaging::attachments as engine;
use leadline_store::{
    Reader,
    attachments::{self, Attachment, State as Kept},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::masking::Sight,
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// A file may be shown, and nothing in it may run or fetch anything, whatever a browser takes it for.
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::MessagingSend, routes!(upload))
        .at(Permission::LeadsView, routes!(download))
        .at(Permission::MessagingSend, routes!(remove))
}

/// A file of a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttachmentView {
    #[schema(value_type = Uuid)]
    id: AttachmentId,
    file_name: String,
    /// What it says that it is.
    content_type: String,
    /// Whether it is a picture that a browser shows.
    is_picture: bool,
    size_bytes: i64,
    /// `stored`, `waiting` while its provider has it, or `refused`.
    state: &'static str,
    /// Why it is not here.
    reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl AttachmentView {
    fn new(row: Attachment, sight: Sight) -> Self {
        Self {
            id: row.id,
            file_name: sight.text(Some(row.file_name)).unwrap_or_default(),
            content_type: row.content_type,
            is_picture: row.picture_type.is_some(),
            size_bytes: row.size_bytes,
            state: row.state.as_str(),
            reason: row.reason,
            created_at: row.created_at,
        }
    }
}

/// The files of messages, by their messages.
pub(super) async fn views_of(
    app: &App,
    workspace: WorkspaceId,
    messages: &[MessageId],
    sight: Sight,
) -> ApiResult<HashMap<MessageId, Vec<AttachmentView>>> {
    let mut views: HashMap<MessageId, Vec<AttachmentView>> = HashMap::new();
    for row in attachments::of_messages(&app.reader, workspace, messages).await? {
        let Some(message) = row.message_id else { continue };
        views.entry(message).or_default().push(AttachmentView::new(row, sight));
    }
    Ok(views)
}

/// What a file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// `file`, if nothing is said.
    file_name: Option<String>,
    /// What it is, such as `application/pdf`.
    kind: Option<String>,
}

/// Takes a file into the composer of a conversation
///
/// The body is the file itself, up to 10 MiB. It goes out with the next answer that names it, and is deleted after a day
/// where none does.
#[utoipa::path(post, path = "/v1/messaging/conversations/{id}/attachments", tag = "messaging",
    params(("id" = Uuid, Path), UploadQuery),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, body = AttachmentView)))]
async fn upload(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ConversationId>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> ApiResult<(StatusCode, Json<AttachmentView>)> {
    let bytes = body::read_up_to(request, FILE_MAX_BYTES).await?;
    let what = (query.file_name.as_deref().unwrap_or("file"), query.kind.as_deref().unwrap_or_default());
    let made = engine::upload(&app.engine, &actor, id, what, &bytes.bytes).await?;
    Ok((StatusCode::CREATED, Json(AttachmentView::new(made, Sight::of(&actor)))))
}

/// How a file is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DownloadQuery {
    /// True for a picture that is to be shown; anything else is offered to be saved.
    inline: Option<bool>,
}

/// A file of a message
#[utoipa::path(get, path = "/v1/messaging/attachments/{id}", tag = "messaging",
    params(("id" = Uuid, Path), DownloadQuery),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream", description = "The file"),
        (status = 403, description = "Files may hold personal data, which is not for this role"),
    ))]
async fn download(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AttachmentId>,
    Query(query): Query<DownloadQuery>,
) -> ApiResult<Response> {
    let found = attachments::find(&app.reader, actor.workspace, id).await?;
    let file = found.filter(|file| file.state == Kept::Stored).ok_or_else(ApiError::not_found)?;
    if Sight::of(&actor).is_masked() {
        return Err(ApiError::new(Code::Forbidden));
    }
    let shown = file.picture_type.as_deref().filter(|_| query.inline.unwrap_or(false));
    // A browser is told the kind of what it may show alone; nothing else is anything but bytes to it.
    let content_type = shown.unwrap_or("application/octet-stream");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::try_from(content_type)),
        (header::CONTENT_DISPOSITION, HeaderValue::try_from(disposition(&file.file_name, shown.is_some()))),
        (header::CONTENT_LENGTH, HeaderValue::try_from(file.size_bytes.to_string())),
    ];
    let mut response = Body::from_stream(blocks(app.reader.clone(), id)).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.unwrap_or(HeaderValue::from_static("attachment")));
    }
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, NOTHING_RUNS);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// A file in blocks, as fast as somebody takes them.
fn blocks(
    reader: Reader,
    id: AttachmentId,
) -> impl futures_util::Stream<Item = Result<Bytes, leadline_store::Error>> + Send {
    stream::try_unfold((reader, 0_i64), move |(reader, number)| async move {
        let block = attachments::read_block(&reader, id, number).await?;
        Ok(block.map(|block| (Bytes::from(block), (reader, number + 1))))
    })
}

/// The name twice: in letters that every program knows, and in its own (RFC 6266).
fn disposition(name: &str, is_shown: bool) -> String {
    let how = if is_shown { "inline" } else { "attachment" };
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || " .-_()".contains(c) { c } else { '_' }).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let encoded: String = name
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// Takes a file out of the composer again
#[utoipa::path(delete, path = "/v1/messaging/attachments/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn remove(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AttachmentId>,
) -> ApiResult<StatusCode> {
    engine::remove(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("plan.pdf", false, "attachment; filename=\"plan.pdf\"; filename*=UTF-8''plan.pdf")]
    #[case("Größe 1\".png", true, "inline; filename=\"Gr__e 1_.png\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201%22.png")]
    #[case("a\r\nx: y", false, "attachment; filename=\"a__x_ y\"; filename*=UTF-8''a%0D%0Ax%3A%20y")]
    fn a_name_never_becomes_a_header(#[case] name: &str, #[case] is_shown: bool, #[case] expected: &str) {
        assert_eq!(disposition(name, is_shown), expected);
    }
}
