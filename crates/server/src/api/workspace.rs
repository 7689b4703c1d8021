//! The workspace: its settings, its roles, and what it holds.

use axum::extract::State;
use leadline_domain::{
    permissions::Permission,
    retention::Class,
    time::{DAY_MS, Timestamp},
    values::currency_of,
};
use leadline_engine::{
    admin::{
        detection::DetectionChange,
        workspaces::{self as admin, Change},
    },
    alerts::watch::timezone_of,
    capture::detection::RATE_PER_MINUTE,
};
use leadline_store::workspaces::{self, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::SettingsView, routes!(get_workspace))
        .at(Permission::SettingsManage, routes!(change_workspace))
        .at(Permission::LeadsView, routes!(get_summary))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorkspaceView {
    id: Uuid,
    slug: String,
    name: String,
    settings: SettingsView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SettingsView {
    /// Hours of silence after which a submission re-engages a lead; 0 for never.
    reengage_hours: i64,
    /// Minutes within which submissions from one IP address may be the same person's; 0 for never.
    ip_window_minutes: i64,
    /// Whether a filled honeypot makes a bot.
    bot_detection: bool,
    /// The country of phone numbers without one.
    #[schema(example = "DE")]
    default_country: Option<String>,
    /// The timezone that days and business hours follow.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// The currency that leads are quoted and sold in.
    #[schema(example = "EUR")]
    currency: String,
    /// Whether everybody needs a second factor to sign in.
    require_second_factor: bool,
    /// How many days the audit log is kept.
    audit_days: i64,
    #[serde(flatten)]
    detection: DetectionView,
}

/// What the fraud desk goes by.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DetectionView {
    /// From how much suspicion on (1 to 100) what a browser sends is held back; null for never.
    hold_at_suspicion: Option<i64>,
    /// Whether the address of whoever fills a honeypot is blocked for a week.
    block_honeypot_ips: bool,
    /// Submissions a minute that one address may send to one source; what comes beyond is held back. 0 for any number.
    rate_limit_per_minute: i64,
    /// Addresses and networks that are never blocked, limited or held back.
    trusted_ips: Vec<String>,
    /// Addresses and networks whose leads are tests.
    test_ips: Vec<String>,
    /// E-mail addresses and domains whose leads are tests.
    test_emails: Vec<String>,
    /// Domains of competitors.
    competitor_domains: Vec<String>,
}

impl DetectionView {
    fn new(settings: &Value) -> Self {
        let list = |name: &str| {
            let entries = settings.get(name).and_then(Value::as_array).into_iter().flatten();
            entries.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let number = |name: &str| settings.get(name).and_then(Value::as_i64);
        Self {
            hold_at_suspicion: number("holdAtSuspicion"),
            block_honeypot_ips: settings.get("blockHoneypotIps").and_then(Value::as_bool).unwrap_or(false),
            rate_limit_per_minute: number("rateLimitPerMinute").unwrap_or(RATE_PER_MINUTE),
            trusted_ips: list("trustedIps"),
            test_ips: list("testIps"),
            test_emails: list("testEmails"),
            competitor_domains: list("competitorDomains"),
        }
    }
}

impl WorkspaceView {
    fn new(app: &App, workspace: Workspace) -> Self {
        let options = &app.engine.options;
        let number = |name: &str, default| workspace.settings.get(name).and_then(Value::as_i64).unwrap_or(default);
        let settings = SettingsView {
            reengage_hours: number("reengageHours", options.reengage_hours),
            ip_window_minutes: number("ipWindowMinutes", admin::IP_WINDOW_MINUTES),
            bot_detection: workspace
                .settings
                .get("botDetection")
                .and_then(Value::as_bool)
                .unwrap_or(options.bot_detection),
            default_country: workspace.settings.get("defaultCountry").and_then(Value::as_str).map(str::to_owned),
            timezone: timezone_of(&workspace.settings).to_string(),
            currency: currency_of(&workspace.settings).to_owned(),
            require_second_factor: admin::demands_second_factor(&workspace.settings),
            audit_days: Class::Audit.days(&workspace.settings),
            detection: DetectionView::new(&workspace.settings),
        };
        Self {
            id: workspace.id.0,
            slug: workspace.slug,
            name: workspace.name,
            settings,
            created_at: workspace.created_at,
        }
    }
}

/// The workspace and its settings.
#[utoipa::path(get, path = "/v1/admin/workspace", tag = "workspace", responses((status = 200, body = WorkspaceView)))]
async fn get_workspace(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<WorkspaceView>> {
    let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or(ApiError::not_found())?;
    Ok(Json(WorkspaceView::new(&app, workspace)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeWorkspaceRequest {
    name: Option<String>,
    #[serde(default)]
    settings: ChangeSettings,
}

/// What is absent stays; what is null goes back to its default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ChangeSettings {
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    reengage_hours: Option<Option<i64>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    ip_window_minutes: Option<Option<i64>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    bot_detection: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    default_country: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    timezone: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    currency: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    require_second_factor: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    audit_days: Option<Option<i64>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    hold_at_suspicion: Option<Option<i64>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    block_honeypot_ips: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    rate_limit_per_minute: Option<Option<i64>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    trusted_ips: Option<Option<Vec<String>>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    test_ips: Option<Option<Vec<String>>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    test_emails: Option<Option<Vec<String>>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    competitor_domains: Option<Option<Vec<String>>>,
}

/// Changes the workspace's name and settings.
#[utoipa::path(patch, path = "/v1/admin/workspace", tag = "workspace", request_body = ChangeWorkspaceRequest,
    responses((status = 200, body = WorkspaceView)))]
async fn change_workspace(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<ChangeWorkspaceRequest>,
) -> ApiResult<Json<WorkspaceView>> {
    let ChangeWorkspaceRequest { name, settings } = body;
    let change = Change {
        name,
        reengage_hours: settings.reengage_hours,
        ip_window_minutes: settings.ip_window_minutes,
        bot_detection: settings.bot_detection,
        default_country: settings.default_country,
        timezone: settings.timezone,
        currency: settings.currency,
        require_second_factor: settings.require_second_factor,
        audit_days: settings.audit_days,
        detection: DetectionChange {
            hold_at_suspicion: settings.hold_at_suspicion,
            block_honeypot_ips: settings.block_honeypot_ips,
            rate_limit_per_minute: settings.rate_limit_per_minute,
            trusted_ips: settings.trusted_ips,
            test_ips: settings.test_ips,
            test_emails: settings.test_emails,
            competitor_domains: settings.competitor_domains,
        },
    };
    let workspace = admin::change(&app.engine.store, app.engine.clock.now(), &actor, change).await?;
    // The door goes by the new settings at once, not only when it looks again.
    app.engine.door.intakes().forget();
    Ok(Json(WorkspaceView::new(&app, workspace)))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SummaryView {
    leads: i64,
    /// Leads that are new since midnight, UTC.
    leads_today: i64,
    sources: i64,
    destinations: i64,
    pending_deliveries: i64,
    dead_letters: i64,
    /// Submissions that wait on this node's disk for the store to come back.
    spooled: u64,
}

/// What the workspace holds, in numbers.
#[utoipa::path(get, path = "/v1/admin/summary", tag = "workspace", responses((status = 200, body = SummaryView)))]
async fn get_summary(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<SummaryView>> {
    let now = app.engine.clock.now();
    let today = Timestamp(now.0 - now.0.rem_euclid(DAY_MS));
    let summary = workspaces::summarise(&app.reader, actor.workspace, today).await?;
    Ok(Json(SummaryView {
        leads: summary.leads,
        leads_today: summary.leads_today,
        sources: summary.sources,
        destinations: summary.destinations,
        pending_deliveries: summary.pending_deliveries,
        dead_letters: summary.dead_letters,
        spooled: app.engine.door.spool_handle().waiting(),
    }))
}
