//! `/v1/identity/leads/export.csv` and the like: lists as files for a spreadsheet, all rows of them.

use axum::{body::Body, extract::State, response::Response};
use leadline_domain::{
    ids::{PipelineId, ProjectId, SegmentId, StageId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{Actor, audit::note_export, capture};
use leadline_store::{Reader, contacts, leads};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        contacts::{ContactSortName, ContactsAsked, contact_sort},
        leads::{
            SortOrderName,
            filter::{Asked, sort},
            order,
        },
        masking::Sight,
    },
    app::App,
    error::{ApiError, ApiResult},
    exports::{
        TableFormat, attachment,
        contacts::ContactTable,
        leads::{LeadTable, UnknownColumn, Wanted},
        pieces,
    },
    extract::Query,
    guard::{CurrentActor, GuardedRoutes},
};

/// The longest list of columns, in bytes.
const COLUMNS_MAX_BYTES: usize = 8 * 1024;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(export_leads_csv))
        .at(Permission::LeadsView, routes!(export_leads_xlsx))
        .at(Permission::LeadsView, routes!(export_contacts_csv))
        .at(Permission::LeadsView, routes!(export_contacts_xlsx))
}

/// Which leads, in which order, with which columns.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct LeadExport {
    /// As in the list of leads.
    search: Option<String>,
    #[param(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    #[param(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// As in the list of leads.
    source: Option<String>,
    /// As in the list of leads.
    assigned_to: Option<String>,
    tag: Option<String>,
    /// As in the list of leads.
    filter: Option<String>,
    /// Those of a segment.
    #[param(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    /// As in the list of leads.
    sort_by: Option<String>,
    #[param(inline)]
    sort_order: Option<SortOrderName>,
    /// Keys of custom fields, with commas between them; all where nothing is said.
    custom_fields: Option<String>,
    /// Names of columns in their order, with commas between them, custom fields as `custom.` with their keys; all where
    /// nothing is said.
    columns: Option<String>,
}

/// All leads that match, as comma-separated values
///
/// UTF-8 with a mark at its beginning. A text that a spreadsheet would compute has an apostrophe in front. Sent as it
/// is made; what breaks off is not a whole file.
#[utoipa::path(get, path = "/v1/identity/leads/export.csv", tag = "identity", params(LeadExport),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_leads_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<LeadExport>,
) -> ApiResult<Response> {
    export_leads(&app, &actor, query, TableFormat::Csv).await
}

/// All leads that match, as a workbook
#[utoipa::path(get, path = "/v1/identity/leads/export.xlsx", tag = "identity", params(LeadExport),
    responses((status = 200, body = Vec<u8>,
               content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn export_leads_xlsx(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<LeadExport>,
) -> ApiResult<Response> {
    export_leads(&app, &actor, query, TableFormat::Xlsx).await
}

async fn export_leads(app: &App, actor: &Actor, query: LeadExport, format: TableFormat) -> ApiResult<Response> {
    write_seen(app).await;
    let now = app.engine.clock.now();
    let table = lead_table(&app.reader, actor, now, query).await?;
    note_export(&app.engine, actor, "leads").await?;
    let pieces = pieces(app.reader.clone(), table, format).map_err(|error| ApiError::internal(&error))?;
    Ok(attachment(format.content_type(), &file_name("leads", format, now), Body::from_stream(pieces)))
}

async fn lead_table(reader: &Reader, actor: &Actor, now: Timestamp, query: LeadExport) -> ApiResult<LeadTable> {
    let (sort, order) = sort(reader, actor, query.sort_by.as_deref(), order(query.sort_order)).await?;
    let wanted = Wanted {
        columns: names("/columns", query.columns)?,
        custom_fields: names("/customFields", query.custom_fields)?,
    };
    let asked = Asked {
        search: query.search,
        stage: query.stage_id,
        pipeline: query.pipeline_id,
        project: query.project_id,
        source: query.source,
        assigned_to: query.assigned_to,
        tag: query.tag,
        filter: query.filter,
        segment: query.segment_id,
    };
    let filter = asked.read(reader, now, actor).await?;
    let walk = leads::walk(actor.workspace, filter, sort, order);
    let table = LeadTable::open(reader, actor.workspace, walk, wanted, Sight::of(actor)).await?;
    table.map_err(|UnknownColumn(name)| ApiError::field("/columns", format!("there is no column {name}")))
}

fn names(pointer: &str, list: Option<String>) -> ApiResult<Option<Vec<String>>> {
    let Some(list) = list.filter(|list| !list.is_empty()) else { return Ok(None) };
    if list.len() > COLUMNS_MAX_BYTES || list.contains('\0') {
        return Err(ApiError::field(pointer, format!("has at most {COLUMNS_MAX_BYTES} bytes, and no U+0000")));
    }
    Ok(Some(list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()))
}

/// Which contacts, in which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ContactExport {
    /// As in the list of contacts.
    search: Option<String>,
    tag: Option<String>,
    /// `lead` or `customer`.
    lifecycle: Option<String>,
    /// Those behind the leads of a segment.
    #[param(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    #[param(inline)]
    sort_by: Option<ContactSortName>,
    #[param(inline)]
    sort_order: Option<SortOrderName>,
}

/// All contacts that match, as comma-separated values
///
/// As the export of leads.
#[utoipa::path(get, path = "/v1/identity/contacts/export.csv", tag = "identity", params(ContactExport),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_contacts_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ContactExport>,
) -> ApiResult<Response> {
    export_contacts(&app, &actor, query, TableFormat::Csv).await
}

/// All contacts that match, as a workbook
#[utoipa::path(get, path = "/v1/identity/contacts/export.xlsx", tag = "identity", params(ContactExport),
    responses((status = 200, body = Vec<u8>,
               content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn export_contacts_xlsx(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ContactExport>,
) -> ApiResult<Response> {
    export_contacts(&app, &actor, query, TableFormat::Xlsx).await
}

async fn export_contacts(app: &App, actor: &Actor, query: ContactExport, format: TableFormat) -> ApiResult<Response> {
    write_seen(app).await;
    let now = app.engine.clock.now();
    let table = contact_table(&app.reader, actor, now, query).await?;
    note_export(&app.engine, actor, "contacts").await?;
    let pieces = pieces(app.reader.clone(), table, format).map_err(|error| ApiError::internal(&error))?;
    Ok(attachment(format.content_type(), &file_name("contacts", format, now), Body::from_stream(pieces)))
}

async fn contact_table(
    reader: &Reader,
    actor: &Actor,
    now: Timestamp,
    query: ContactExport,
) -> ApiResult<ContactTable> {
    let sort = contact_sort(actor, query.sort_by)?;
    let asked =
        ContactsAsked { search: query.search, tag: query.tag, lifecycle: query.lifecycle, segment: query.segment_id };
    let filter = asked.read(reader, now, actor).await?;
    let walk = contacts::walk(actor.workspace, filter, sort, order(query.sort_order));
    Ok(ContactTable::open(reader, actor.workspace, walk, Sight::of(actor)).await?)
}

/// Fields that came a moment ago have columns, too. Where they cannot be written now, their values stand together.
async fn write_seen(app: &App) {
    if let Err(error) = capture::write_seen(&app.engine).await {
        tracing::debug!(error = &error as &dyn std::error::Error, "fields that were seen are not written yet");
    }
}

fn file_name(what: &str, format: TableFormat, now: Timestamp) -> String {
    let day: String = now.to_string().chars().take(10).collect();
    format!("{what}-{day}.{}", format.extension())
}

/// What the command line exports.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A tree of conditions, as JSON; of leads alone.
    pub filter: Option<String>,
    /// Words to look for.
    pub search: Option<String>,
    /// Those with this tag.
    pub tag: Option<String>,
    /// Those of this segment.
    pub segment: Option<SegmentId>,
    /// Names of columns, with commas between them; of leads alone.
    pub columns: Option<String>,
}

/// The table of leads for the command line.
///
/// # Errors
/// What the API would answer.
pub async fn leads_of(reader: &Reader, actor: &Actor, now: Timestamp, request: Request) -> ApiResult<LeadTable> {
    let Request { filter, search, tag, segment, columns } = request;
    let query = LeadExport { filter, search, tag, segment_id: segment, columns, ..LeadExport::default() };
    lead_table(reader, actor, now, query).await
}

/// The table of contacts for the command line.
///
/// # Errors
/// What the API would answer.
pub async fn contacts_of(reader: &Reader, actor: &Actor, now: Timestamp, request: Request) -> ApiResult<ContactTable> {
    if request.filter.is_some() || request.columns.is_some() {
        return Err(ApiError::field("/filter", "conditions and columns are of leads alone"));
    }
    let Request { search, tag, segment, .. } = request;
    let query = ContactExport { search, tag, segment_id: segment, ..ContactExport::default() };
    contact_table(reader, actor, now, query).await
}
