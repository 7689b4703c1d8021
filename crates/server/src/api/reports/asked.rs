//! Which leads a report is about, and counting them.

use std::collections::HashMap;

use leadline_domain::{
    ids::{PipelineId, ProjectId, WorkspaceId},
    reports::{Both, Filter, From, LeadFact, Names, Outcome, Owner, Period, Span, Stages, Tally, When, Wish},
    time::MINUTE_MS,
    values::currency_of,
};
use leadline_engine::{Actor, alerts::watch::timezone_of};
use leadline_store::{Reader, leads::Assigned, pipelines, reports::Reading, workspaces};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    api::leads::filter::{assigned, said},
    app::App,
    error::{ApiError, ApiResult},
};

/// In how many minutes a lead is to be answered where nothing is said.
const TARGET_MINUTES: i64 = 60;

/// A target is thirty days at most.
const TARGET_MINUTES_MAX: i64 = 30 * 24 * 60;

/// The longest kind of a source, in bytes.
const SOURCE_MAX_BYTES: usize = 200;

/// Which leads, on which days.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// The first day, such as `2026-01-31`; 29 days before the last where it is absent.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day; today where it is absent. At most 1,100 days.
    #[param(format = Date)]
    to: Option<String>,
    /// With what it is compared: `previous` for as many days right before, `year` for the same days a year before.
    compare: Option<String>,
    /// How days are grouped: `day`, `week` or `month`; by how many they are where it is absent.
    interval: Option<String>,
    /// Leads in this pipeline.
    #[param(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    /// Leads of this project.
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Leads that came this way: a kind of source (`form`, `webhook`, …) or the id of one.
    source: Option<String>,
    /// Leads of this user, of `me`, or of `none`.
    assigned_to: Option<String>,
    /// In how many minutes a lead is to be answered; 60 where it is absent.
    #[param(minimum = 1, maximum = 43200)]
    target_minutes: Option<i64>,
}

/// The same, of the leads of one pipeline.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct FunnelQuery {
    /// The first day, such as `2026-01-31`; 29 days before the last where it is absent.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day; today where it is absent. At most 1,100 days.
    #[param(format = Date)]
    to: Option<String>,
    /// With what it is compared: `previous` for as many days right before, `year` for the same days a year before.
    compare: Option<String>,
    /// The pipeline; the default one where it is absent.
    #[param(value_type = Option<Uuid>)]
    pub(super) pipeline_id: Option<PipelineId>,
    /// Leads of this project.
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Leads that came this way: a kind of source (`form`, `webhook`, …) or the id of one.
    source: Option<String>,
    /// Leads of this user, of `me`, or of `none`.
    assigned_to: Option<String>,
    /// In how many minutes a lead is to be answered; 60 where it is absent.
    #[param(minimum = 1, maximum = 43200)]
    target_minutes: Option<i64>,
}

impl FunnelQuery {
    pub(super) fn of_pipeline(self, pipeline: PipelineId) -> ReportQuery {
        let Self { from, to, compare, pipeline_id: _, project_id, source, assigned_to, target_minutes } = self;
        ReportQuery {
            from,
            to,
            compare,
            interval: None,
            pipeline_id: Some(pipeline),
            project_id,
            source,
            assigned_to,
            target_minutes,
        }
    }
}

/// What is asked for, read and good.
pub(super) struct Asked {
    pub(super) period: Period,
    pub(super) timezone: String,
    pub(super) currency: String,
    pub(super) target_ms: i64,
    filter: Filter,
}

/// All leads of the period together, and of the one before, and what they share.
pub(super) struct Counted {
    pub(super) totals: Both<Tally>,
    pub(super) names: Names,
}

impl Asked {
    pub(super) async fn read(app: &App, actor: &Actor, query: ReportQuery) -> ApiResult<Self> {
        let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or(ApiError::not_found())?;
        let timezone = timezone_of(&workspace.settings);
        let wish = Wish {
            from: query.from.as_deref(),
            to: query.to.as_deref(),
            compare: query.compare.as_deref(),
            interval: query.interval.as_deref(),
        };
        let period = Period::read(wish, app.engine.clock.now(), timezone)
            .map_err(|fault| ApiError::field(format!("/{}", fault.parameter()), fault.to_string()))?;
        let target_minutes = query.target_minutes.unwrap_or(TARGET_MINUTES);
        if !(1..=TARGET_MINUTES_MAX).contains(&target_minutes) {
            return Err(ApiError::field("/targetMinutes", format!("must be 1 to {TARGET_MINUTES_MAX}")));
        }
        let source = said(query.source);
        if source.as_ref().is_some_and(|source| source.len() > SOURCE_MAX_BYTES) {
            return Err(ApiError::field("/source", format!("has at most {SOURCE_MAX_BYTES} bytes")));
        }
        let owner = said(query.assigned_to).map(|who| assigned(&who, actor)).transpose()?;
        let filter = Filter {
            project: query.project_id.map(|id| id.0),
            pipeline: query.pipeline_id.map(|id| id.0),
            from: source.map(|source| source.parse().map_or(From::Kind(source), From::One)),
            owner: owner.map(|owner| match owner {
                Assigned::Nobody => Owner::Nobody,
                Assigned::User(user) => Owner::User(user.0),
            }),
        };
        Ok(Self {
            period,
            timezone: timezone.to_string(),
            currency: currency_of(&workspace.settings).to_owned(),
            target_ms: target_minutes * MINUTE_MS,
            filter,
        })
    }

    /// Goes through the leads of the period, and of the one that it is compared with.
    pub(super) async fn count(
        &self,
        reader: &Reader,
        workspace: WorkspaceId,
        mut each: impl FnMut(When, &LeadFact, Outcome, &Names) + Send,
    ) -> ApiResult<Counted> {
        let pipelines = pipelines::list(reader, workspace).await?;
        let stages = pipelines.into_iter().flat_map(|pipeline| pipeline.stages);
        let mut stages = Stages::of(stages.map(|stage| (stage.id.0, stage.kind)).collect::<HashMap<_, _>>());
        let mut counted = Counted { totals: Both::default(), names: Names::default() };
        let spans = [(When::Now, Some(self.period.span)), (When::Before, self.period.before)];
        for (when, span) in spans {
            let Some(Span { from_at, until_at, .. }) = span else { continue };
            let mut reading = Reading::of(workspace, from_at, until_at);
            while let Some(leads) = reading.next(reader, &mut counted.names).await? {
                for lead in leads.iter().filter(|lead| self.filter.matches(lead, &counted.names)) {
                    let outcome = stages.outcome(lead, &counted.names);
                    counted.totals.at(when).add(lead, outcome, self.target_ms);
                    each(when, lead, outcome, &counted.names);
                }
            }
        }
        Ok(counted)
    }
}
