//! The audit log. It is only read here: what is in it comes from those who change something.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{HeaderValue, header};
use leadline_domain::{
    csv,
    ids::{AuditId, UserId, WorkspaceId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::audit::note_export;
use leadline_store::{
    Error, Reader,
    audit::{self, AuditEntry, Filter},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::views::{PageQuery, Paged},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// Rows that are read at once for a file.
const PIECE: i64 = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::AuditView, routes!(list_entries))
        .at(Permission::AuditView, routes!(export_entries))
}

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntriesQuery {
    /// Done by this user, by themselves or with one of their tokens.
    actor: Option<Uuid>,
    /// What was done (`role.updated`), or with a dot at its end (`role.`) everything that was done to such things.
    action: Option<String>,
    /// The id of what it was done to.
    object: Option<String>,
    /// Not before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where it is absent.
    limit: Option<i64>,
}

/// The same of a table, which has no pages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TableQuery {
    /// Done by this user, by themselves or with one of their tokens.
    actor: Option<Uuid>,
    /// What was done, as in the list.
    action: Option<String>,
    /// The id of what it was done to.
    object: Option<String>,
    /// Not before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl EntriesQuery {
    fn part(self) -> (TableQuery, PageQuery) {
        let Self { actor, action, object, from, to, page, limit } = self;
        (TableQuery { actor, action, object, from, to }, PageQuery { page, limit })
    }
}

impl TableQuery {
    fn filter(self) -> ApiResult<Filter> {
        let text = |name: &str, value: Option<String>| match value {
            Some(text) if text.is_empty() || text.len() > 200 || text.chars().any(char::is_control) => {
                Err(ApiError::field(format!("/{name}"), "must have 1 to 200 characters"))
            }
            text => Ok(text),
        };
        Ok(Filter {
            actor: self.actor.map(UserId),
            action: text("action", self.action)?,
            object: text("object", self.object)?,
            from: self.from,
            until: self.to,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditEntryView {
    id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: AuditActorView,
    /// What was done: `role.updated`.
    #[schema(example = "role.updated")]
    action: String,
    object: AuditObjectView,
    /// What is worth knowing besides, such as what changed. Never a secret.
    #[schema(value_type = Object, example = json!({"changed": ["name"]}))]
    data: Value,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditActorView {
    /// `user`, `token`, `system`, or `visitor` for somebody who was not signed in.
    #[schema(example = "user")]
    kind: String,
    /// The user, also behind a token.
    id: Option<Uuid>,
    name: String,
    /// From where.
    #[schema(example = "203.0.113.9")]
    ip: Option<String>,
}

/// What it was done to.
#[derive(Debug, Serialize, ToSchema)]
struct AuditObjectView {
    #[schema(example = "role")]
    kind: String,
    id: Option<String>,
    name: String,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id.0,
            at: Timestamp(entry.created_at),
            actor: AuditActorView {
                kind: entry.actor_kind,
                id: entry.actor_id.map(|user| user.0),
                name: entry.actor_name,
                ip: entry.ip,
            },
            action: entry.action,
            object: AuditObjectView { kind: entry.object_kind, id: entry.object_id, name: entry.object_name },
            data: entry.data,
        }
    }
}

/// Who did what to what, when and from where, the newest first
#[utoipa::path(get, path = "/v1/admin/audit", tag = "audit", params(EntriesQuery),
    responses((status = 200, body = Paged<AuditEntryView>)))]
async fn list_entries(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<EntriesQuery>,
) -> ApiResult<Json<Paged<AuditEntryView>>> {
    let (query, page) = query.part();
    let window = page.window()?;
    let found = audit::list(&app.reader, actor.workspace, &query.filter()?, window.limit, window.offset()).await?;
    Ok(Json(window.paged(found, AuditEntryView::from)))
}

const HEADINGS: [&str; 10] =
    ["at", "actorKind", "actorId", "actor", "ip", "action", "objectKind", "objectId", "object", "data"];

fn cells(entry: AuditEntry) -> [String; 10] {
    [
        Timestamp(entry.created_at).to_string(),
        entry.actor_kind,
        entry.actor_id.map(|user| user.to_string()).unwrap_or_default(),
        entry.actor_name,
        entry.ip.unwrap_or_default(),
        entry.action,
        entry.object_kind,
        entry.object_id.unwrap_or_default(),
        entry.object_name,
        entry.data.to_string(),
    ]
}

/// The same entries as a table for a spreadsheet, all of them
#[utoipa::path(get, path = "/v1/admin/audit/export.csv", tag = "audit", params(TableQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_entries(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<TableQuery>,
) -> ApiResult<Response> {
    let filter = query.filter()?;
    note_export(&app.engine, &actor, "audit").await?;
    let reading = Reading { reader: app.reader.clone(), workspace: actor.workspace, filter, after: Place::Head };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.csv\"")),
    ];
    Ok((headers, Body::from_stream(stream::try_unfold(reading, next_piece))).into_response())
}

/// A file that is read piece by piece as it is sent, so that any number of rows takes as little memory.
struct Reading {
    reader: Reader,
    workspace: WorkspaceId,
    filter: Filter,
    after: Place,
}

/// Where the next piece begins.
enum Place {
    Head,
    First,
    After(Timestamp, AuditId),
    End,
}

async fn next_piece(mut reading: Reading) -> Result<Option<(String, Reading)>, Error> {
    let after = match reading.after {
        Place::Head => {
            reading.after = Place::First;
            return Ok(Some((format!("\u{feff}{}", csv::line(&HEADINGS)), reading)));
        }
        Place::First => None,
        Place::After(at, id) => Some((at, id)),
        Place::End => return Ok(None),
    };
    let rows = audit::list_after(&reading.reader, reading.workspace, &reading.filter, after, PIECE).await?;
    reading.after = rows.last().map_or(Place::End, |last| Place::After(Timestamp(last.created_at), last.id));
    Ok(Some((rows.into_iter().map(|row| csv::line(&cells(row))).collect(), reading)))
}
