//! Reports as comma-separated values. A text that a spreadsheet would compute is defused.

use axum::{body::Body, response::Response};
use leadline_domain::csv;

use super::views::{CampaignView, FiguresView, FunnelReport, GroupView, IntervalView, Report};
use crate::exports::{TableFormat, attachment};

/// What stands above figures.
const FIGURES: [&str; 12] = [
    "Leads",
    "Open",
    "Won",
    "Lost",
    "Win rate",
    "Sales value",
    "Quote value",
    "Value per lead",
    "Responded",
    "Median response (min)",
    "90% responded within (min)",
    "Within target",
];

/// What the groups too many to be shown are called.
const REST: &str = "All others";

fn maybe<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A time in minutes, with a tenth.
fn minutes(ms: Option<i64>) -> String {
    ms.map(|ms| format!("{:.1}", ms as f64 / 60_000.0)).unwrap_or_default()
}

fn cells(figures: &FiguresView) -> [String; 12] {
    [
        figures.leads.to_string(),
        figures.open.to_string(),
        figures.won.to_string(),
        figures.lost.to_string(),
        maybe(figures.win_rate),
        figures.sales_value.clone(),
        figures.quote_value.clone(),
        maybe(figures.value_per_lead.as_ref()),
        figures.responded.to_string(),
        minutes(figures.median_response_ms),
        minutes(figures.p90_response_ms),
        maybe(figures.within_target),
    ]
}

/// A table under construction.
struct Table {
    text: String,
    is_compared: bool,
}

impl Table {
    fn of_figures(first: &[&str], is_compared: bool) -> Self {
        let before = FIGURES.iter().map(|name| format!("{name} before")).filter(|_| is_compared);
        let heads: Vec<String> = first.iter().chain(&FIGURES).map(|name| (*name).to_owned()).chain(before).collect();
        Self { text: csv::BYTE_ORDER_MARK.to_owned() + &csv::line(&heads), is_compared }
    }

    fn row(&mut self, first: &[String], figures: &FiguresView, before: Option<&FiguresView>) {
        let mut row: Vec<String> = first.to_vec();
        row.extend(cells(figures));
        if self.is_compared {
            row.extend(before.map_or_else(|| [const { String::new() }; 12], cells));
        }
        self.text.push_str(&csv::line(&row));
    }

    fn finish(self, name: &str) -> Response {
        attachment(TableFormat::Csv.content_type(), &format!("{name}.csv"), Body::from(self.text))
    }
}

/// A report by days.
pub(super) fn intervals(name: &str, rows: &[IntervalView], is_compared: bool) -> Response {
    let mut table = Table::of_figures(&["From", "To"], is_compared);
    for row in rows {
        table.row(&[row.span.from.clone(), row.span.to.clone()], &row.figures, row.before.as_ref());
    }
    table.finish(name)
}

/// A report by what leads share.
pub(super) fn groups(name: &str, head: &str, report: &Report<GroupView>) -> Response {
    let mut table = Table::of_figures(&[head, "Kind", "Id"], report.before.is_some());
    for row in &report.rows {
        let called = if row.is_rest { REST.to_owned() } else { maybe(row.name.as_ref().or(row.kind.as_ref())) };
        table.row(&[called, maybe(row.kind.as_ref()), maybe(row.id)], &row.figures, row.before.as_ref());
    }
    table.finish(name)
}

/// The report by campaigns.
pub(super) fn campaigns(report: &Report<CampaignView>) -> Response {
    let mut table = Table::of_figures(&["Campaign", "Source", "Medium", "Channel"], report.before.is_some());
    for row in &report.rows {
        let campaign = if row.is_rest { REST.to_owned() } else { maybe(row.campaign.as_ref()) };
        let first = [campaign, maybe(row.source.as_ref()), maybe(row.medium.as_ref()), maybe(row.channel.as_ref())];
        table.row(&first, &row.figures, row.before.as_ref());
    }
    table.finish("campaigns")
}

/// The funnel.
pub(super) fn funnel(report: &FunnelReport) -> Response {
    let is_compared = report.before.is_some();
    let heads = [
        "Stage",
        "Kind",
        "Reached",
        "Of previous stage",
        "Of all",
        "Now here",
        "Lost from here",
        "Median time (h)",
        "Average time (h)",
    ];
    let before = ["Reached before", "Of previous stage before", "Median time (h) before"];
    let heads: Vec<&str> = heads.into_iter().chain(before.into_iter().filter(|_| is_compared)).collect();
    let mut text = csv::BYTE_ORDER_MARK.to_owned() + &csv::line(&heads);
    for row in &report.rows {
        let mut cells = vec![
            row.name.clone(),
            row.kind.clone(),
            row.reached.to_string(),
            maybe(row.from_previous),
            maybe(row.from_first),
            row.now.to_string(),
            row.lost.to_string(),
            hours(row.median_ms),
            hours(row.average_ms),
        ];
        if let Some(before) = &row.before {
            cells.extend([before.reached.to_string(), maybe(before.from_previous), hours(before.median_ms)]);
        }
        text.push_str(&csv::line(&cells));
    }
    attachment(TableFormat::Csv.content_type(), "funnel.csv", Body::from(text))
}

/// A time in hours, with a hundredth.
fn hours(ms: Option<i64>) -> String {
    ms.map(|ms| format!("{:.2}", ms as f64 / 3_600_000.0)).unwrap_or_default()
}
