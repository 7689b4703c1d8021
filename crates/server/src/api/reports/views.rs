//! Reports, as they are answered.

use std::collections::HashMap;

use leadline_domain::{
    ids::WorkspaceId,
    pipelines::StageKind,
    reports::{
        Both, By, Distribution, Figures, Funnel, Group, Names, Period, Span,
        counts::{Shared, WAITS_MS},
        facts::NameNumber,
        share,
    },
    values::decimal,
};
use leadline_store::{
    Reader,
    pipelines::{Pipeline, Stage},
    reports::{Named, names as names_of},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asked::{Asked, Counted};
use crate::error::ApiResult;

/// Days, from the first to the last.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct SpanView {
    #[schema(example = "2026-01-01")]
    pub(super) from: String,
    #[schema(example = "2026-01-31")]
    pub(super) to: String,
}

impl From<Span> for SpanView {
    fn from(span: Span) -> Self {
        Self { from: span.first.to_string(), to: span.last.to_string() }
    }
}

/// What a report is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportPeriodView {
    #[serde(flatten)]
    span: SpanView,
    /// The days that they are compared with.
    before: Option<SpanView>,
    /// How days are grouped: `day`, `week` or `month`.
    #[schema(example = "day")]
    interval: String,
    /// By whose clock days begin.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// Of all amounts.
    #[schema(example = "EUR")]
    currency: String,
    /// In how many minutes a lead is to be answered.
    target_minutes: i64,
}

impl ReportPeriodView {
    fn new(asked: &Asked) -> Self {
        Self {
            span: asked.period.span.into(),
            before: asked.period.before.map(SpanView::from),
            interval: asked.period.interval.as_str().to_owned(),
            timezone: asked.timezone.clone(),
            currency: asked.currency.clone(),
            target_minutes: asked.target_ms / 60_000,
        }
    }
}

/// The figures of some leads.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FiguresView {
    /// Leads that came.
    pub(super) leads: i64,
    /// Those of them that are still being worked on.
    pub(super) open: i64,
    /// Those that are in a stage that means won.
    pub(super) won: i64,
    /// Those that are in a stage that means lost.
    pub(super) lost: i64,
    /// The won among those that are won or lost, from 0 to 1.
    pub(super) win_rate: Option<f64>,
    /// What those that were won were sold for.
    #[schema(example = "12500.00")]
    pub(super) sales_value: String,
    /// What was quoted to all of them.
    pub(super) quote_value: String,
    /// What was sold, for each lead that came.
    pub(super) value_per_lead: Option<String>,
    /// Leads that somebody answered.
    pub(super) responded: i64,
    /// How long half of those waited at most.
    pub(super) median_response_ms: Option<i64>,
    /// How long nine in ten of those waited at most.
    pub(super) p90_response_ms: Option<i64>,
    /// Those that were answered within the target, among all, from 0 to 1.
    pub(super) within_target: Option<f64>,
}

impl From<Figures> for FiguresView {
    fn from(figures: Figures) -> Self {
        Self {
            leads: figures.leads,
            open: figures.open,
            won: figures.won,
            lost: figures.lost,
            win_rate: figures.win_rate.map(rounded),
            sales_value: decimal(figures.sales_milli),
            quote_value: decimal(figures.quote_milli),
            value_per_lead: figures.milli_per_lead.map(decimal),
            responded: figures.responded,
            median_response_ms: figures.median_response_ms,
            p90_response_ms: figures.p90_response_ms,
            within_target: figures.within_target.map(rounded),
        }
    }
}

/// A share as people read it: to the hundredth of a percent.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

/// A report that is a table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Report<T> {
    pub(super) period: ReportPeriodView,
    /// All leads of the period together.
    pub(super) totals: FiguresView,
    /// All leads of the period that it is compared with.
    pub(super) before: Option<FiguresView>,
    pub(super) rows: Vec<T>,
}

impl<T> Report<T> {
    pub(super) fn new(asked: &Asked, counted: Counted, rows: Vec<T>) -> Self {
        let before = asked.period.before.map(|_| counted.totals.before.figures().into());
        Self { period: ReportPeriodView::new(asked), totals: counted.totals.now.figures().into(), before, rows }
    }
}

/// The leads of a day, a week or a month.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntervalView {
    #[serde(flatten)]
    pub(super) span: SpanView,
    #[serde(flatten)]
    pub(super) figures: FiguresView,
    /// Those of the days that they are compared with.
    pub(super) before: Option<FiguresView>,
}

/// The rows of a report by days.
pub(super) fn intervals(period: &Period, figures: Vec<(Figures, Option<Figures>)>) -> Vec<IntervalView> {
    let rows = period.buckets.iter().zip(figures);
    rows.map(|(bucket, (now, before))| IntervalView {
        span: bucket.span.into(),
        figures: now.into(),
        before: before.map(FiguresView::from),
    })
    .collect()
}

/// Leads that share a source, an owner or a project.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupView {
    /// The source, the user or the project, where there is one.
    pub(super) id: Option<Uuid>,
    /// What it is called.
    pub(super) name: Option<String>,
    /// Of sources: how leads came.
    #[schema(example = "form")]
    pub(super) kind: Option<String>,
    /// Whether these are all leads of the groups that are too many to be shown.
    pub(super) is_rest: bool,
    #[serde(flatten)]
    pub(super) figures: FiguresView,
    /// Those of the days that they are compared with.
    pub(super) before: Option<FiguresView>,
}

/// The rows of a report by what leads share.
pub(super) async fn groups(
    reader: &Reader,
    workspace: WorkspaceId,
    asked: &Asked,
    counted: Counted,
    (by, groups): (By, Vec<Group>),
) -> ApiResult<Report<GroupView>> {
    // Sources have their kind in front.
    let (named, place) = match by {
        By::Source => (Named::Sources, 1),
        By::Owner => (Named::Users, 0),
        By::Project | By::Campaign => (Named::Projects, 0),
    };
    let id = |shared: &Shared| counted.names.id_of(shared[place]);
    let ids: Vec<Uuid> = groups.iter().filter_map(|group| group.shared.as_ref().and_then(id)).collect();
    let called: HashMap<Uuid, String> = names_of(reader, workspace, named, &ids).await?;
    let rows = groups
        .into_iter()
        .map(|group| {
            let id = group.shared.as_ref().and_then(id);
            let kind = group.shared.filter(|_| by == By::Source);
            GroupView {
                id,
                name: id.and_then(|id| called.get(&id).cloned()),
                kind: kind.and_then(|shared| counted.names.text_of(shared[0]).map(str::to_owned)),
                is_rest: group.shared.is_none(),
                figures: group.now.into(),
                before: asked.period.before.map(|_| group.before.into()),
            }
        })
        .collect();
    Ok(Report::new(asked, counted, rows))
}

/// Leads whose first visit had the same campaign.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignView {
    /// How the visit came about.
    #[schema(example = "paid")]
    pub(super) channel: Option<String>,
    /// `utm_source`.
    pub(super) source: Option<String>,
    /// `utm_medium`.
    pub(super) medium: Option<String>,
    /// `utm_campaign`.
    pub(super) campaign: Option<String>,
    /// Whether these are all leads of the campaigns that are too many to be shown.
    pub(super) is_rest: bool,
    #[serde(flatten)]
    pub(super) figures: FiguresView,
    /// Those of the days that they are compared with.
    pub(super) before: Option<FiguresView>,
}

/// The report by campaigns.
pub(super) fn campaigns(asked: &Asked, counted: Counted, groups: Vec<Group>) -> Report<CampaignView> {
    let rows = groups
        .into_iter()
        .map(|group| {
            let [channel, source, medium, campaign] =
                group.shared.unwrap_or_default().map(|number| counted.names.text_of(number).map(str::to_owned));
            CampaignView {
                channel,
                source,
                medium,
                campaign,
                is_rest: group.shared.is_none(),
                figures: group.now.into(),
                before: asked.period.before.map(|_| group.before.into()),
            }
        })
        .collect();
    Report::new(asked, counted, rows)
}

/// Leads that waited about as long.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WaitView {
    /// They waited so long at most; absent for those that waited longer than all others, and for those that wait still.
    pub(super) up_to_ms: Option<i64>,
    /// Whether nobody answered yet.
    pub(super) is_waiting: bool,
    pub(super) leads: i64,
    /// Those of the days that they are compared with.
    pub(super) before: Option<i64>,
}

/// How many leads waited how long.
pub(super) fn waits(now: Distribution, before: Option<Distribution>) -> Vec<WaitView> {
    let answered = now.answered.iter().enumerate().map(|(place, leads)| WaitView {
        up_to_ms: WAITS_MS.get(place).copied(),
        is_waiting: false,
        leads: *leads,
        before: before.map(|before| before.answered[place]),
    });
    let waiting =
        WaitView { up_to_ms: None, is_waiting: true, leads: now.waiting, before: before.map(|before| before.waiting) };
    answered.chain([waiting]).collect()
}

/// How soon leads were answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResponseTimeReport {
    pub(super) period: ReportPeriodView,
    /// All leads of the period together.
    pub(super) totals: FiguresView,
    /// All leads of the period that it is compared with.
    pub(super) before: Option<FiguresView>,
    /// How many leads waited how long.
    pub(super) waits: Vec<WaitView>,
    pub(super) rows: Vec<IntervalView>,
}

/// Why leads were won or lost.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonCount {
    /// Absent where nobody said why.
    pub(super) reason: Option<String>,
    pub(super) leads: i64,
}

/// Reasons by their names.
pub(super) fn reasons(counts: Vec<(NameNumber, i64)>, names: &Names) -> Vec<ReasonCount> {
    let count = |(reason, leads)| ReasonCount { reason: names.text_of(reason).map(str::to_owned), leads };
    counts.into_iter().map(count).collect()
}

/// How many of the leads that are decided were won.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WinRateReport {
    pub(super) period: ReportPeriodView,
    /// All leads of the period together.
    pub(super) totals: FiguresView,
    /// All leads of the period that it is compared with.
    pub(super) before: Option<FiguresView>,
    /// Why leads were won, the most frequent reason first.
    pub(super) won_reasons: Vec<ReasonCount>,
    /// Why leads were lost, the most frequent reason first.
    pub(super) lost_reasons: Vec<ReasonCount>,
    pub(super) rows: Vec<IntervalView>,
}

/// A stage of the funnel; the last one is that leads were won.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunnelStepView {
    /// Absent where several stages mean won.
    pub(super) stage_id: Option<Uuid>,
    pub(super) name: String,
    #[schema(example = "blue")]
    pub(super) color: String,
    /// `open` or `won`.
    #[schema(example = "open")]
    pub(super) kind: String,
    /// Leads that came as far as here, or further.
    pub(super) reached: i64,
    /// Of those that reached the stage before, from 0 to 1.
    pub(super) from_previous: Option<f64>,
    /// Of all, from 0 to 1.
    pub(super) from_first: Option<f64>,
    /// Leads that are here now.
    pub(super) now: i64,
    /// Leads that came no further and were lost.
    pub(super) lost: i64,
    /// How long half of the leads that went on were here at most; of those that were won, how long they took.
    pub(super) median_ms: Option<i64>,
    /// How long leads that went on were here on average.
    pub(super) average_ms: Option<i64>,
    /// How it was in the days that they are compared with.
    #[schema(inline)]
    pub(super) before: Option<StepBefore>,
}

/// A stage of the funnel, before.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepBefore {
    pub(super) reached: i64,
    pub(super) from_previous: Option<f64>,
    pub(super) median_ms: Option<i64>,
}

/// How far the leads of a pipeline came.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunnelReport {
    pub(super) period: ReportPeriodView,
    pub(super) pipeline_id: Uuid,
    pub(super) pipeline_name: String,
    /// All leads of the period together.
    pub(super) totals: FiguresView,
    /// All leads of the period that it is compared with.
    pub(super) before: Option<FiguresView>,
    /// The open stages in their order, and that leads were won.
    pub(super) rows: Vec<FunnelStepView>,
}

/// The open stages of a pipeline, in their order.
pub(super) fn open_stages(pipeline: &Pipeline) -> Vec<&Stage> {
    pipeline.stages.iter().filter(|stage| stage.kind == StageKind::Open).collect()
}

/// What a funnel counted of a stage.
struct Line {
    reached: i64,
    now: i64,
    lost: i64,
    median_ms: Option<i64>,
    average_ms: Option<i64>,
}

fn lines(funnel: Funnel) -> Vec<Line> {
    let counts = funnel.counts();
    let open = counts.steps.into_iter().map(|step| Line {
        reached: step.reached,
        now: step.now,
        lost: step.lost,
        median_ms: step.median_ms,
        average_ms: step.average_ms,
    });
    let won = Line { reached: counts.won, now: counts.won, lost: 0, median_ms: counts.median_won_ms, average_ms: None };
    open.chain([won]).collect()
}

fn from_previous(lines: &[Line], place: usize) -> Option<f64> {
    let previous = place.checked_sub(1).and_then(|place| lines.get(place))?;
    share(lines.get(place)?.reached, previous.reached).map(rounded)
}

/// The funnel of a pipeline.
pub(super) fn funnel(asked: &Asked, counted: Counted, pipeline: &Pipeline, both: Both<Funnel>) -> FunnelReport {
    let stages = open_stages(pipeline);
    let mut won = pipeline.stages.iter().filter(|stage| stage.kind == StageKind::Won);
    let only_won = won.next().filter(|_| won.next().is_none());
    let (now, before) = (lines(both.now), asked.period.before.map(|_| lines(both.before)));
    let all = counted.totals.now.leads();
    let rows = now.iter().enumerate().map(|(place, line)| {
        let stage = stages.get(place).copied().or(only_won);
        let kind = if place < stages.len() { StageKind::Open } else { StageKind::Won };
        FunnelStepView {
            stage_id: stage.map(|stage| stage.id.0),
            name: stage.map_or_else(|| "Won".to_owned(), |stage| stage.name.clone()),
            color: stage.map_or_else(|| "green".to_owned(), |stage| stage.color.clone()),
            kind: kind.as_str().to_owned(),
            reached: line.reached,
            from_previous: from_previous(&now, place),
            from_first: share(line.reached, all).map(rounded),
            now: line.now,
            lost: line.lost,
            median_ms: line.median_ms,
            average_ms: line.average_ms,
            before: before.as_ref().and_then(|before| {
                let line = before.get(place)?;
                let from_previous = from_previous(before, place);
                Some(StepBefore { reached: line.reached, from_previous, median_ms: line.median_ms })
            }),
        }
    });
    let rows = rows.collect();
    let Report { period, totals, before, rows } = Report::new(asked, counted, rows);
    FunnelReport { period, pipeline_id: pipeline.id.0, pipeline_name: pipeline.name.clone(), totals, before, rows }
}
