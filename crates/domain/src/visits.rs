//! Visits: what one visitor did on a site until 30 minutes of silence ended it.
//!
//! What a browser reports is hostile: [`Report::read`] takes what is usable, bounds it, and drops the rest. A report
//! says how things stand, not what was added, so one that is lost or comes twice does no harm: [`Visit::take`] keeps the
//! greatest value of each page. Queries of pages are read for campaigns and then forgotten, since they carry what forms
//! put into them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    attribution::{self, Touch, TouchParams},
    scores::EngagementFacts,
    time::{DAY_MS, HOUR_MS, SECOND_MS, Timestamp},
};

/// The largest report that is read: what a browser lets a beacon carry.
pub const LARGEST_REPORT: usize = 64 * 1024;

/// Pages of one visit that are kept, and of one report that are read.
const MOST_PAGES: usize = 100;

const LONGEST_ID: usize = 64;
const LONGEST_URL_CHARS: usize = 500;
const MOST_CLICKS: i64 = 1_000;

/// Nobody looks at one page longer.
const LONGEST_LOOK_MS: i64 = 4 * HOUR_MS;

/// What the clock of a browser may be beside ours within one page, before we stop to believe in its seconds.
const LENIENCE_MS: i64 = 30 * SECOND_MS;

/// What a browser says about one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The visitor's id, made by the embed script.
    pub visitor: String,
    /// The visit's id, made by the embed script.
    pub session: String,
    /// Where the first page in it was reached from.
    pub touch: TouchParams,
    /// The pages, in the order in which they were opened.
    pub pages: Vec<Page>,
}

/// One page of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What the browser calls it: when it was opened by the browser's own clock.
    pub id: i64,
    /// When it was opened, by ours.
    pub at: Timestamp,
    /// Its address, without a query.
    pub url: String,
    /// How long it was looked at, in milliseconds.
    pub active_ms: i64,
    /// How far down it was read, 0 to 100.
    pub scroll: i64,
    /// Clicks.
    pub clicks: i64,
}

/// One visit as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// When its first page was opened.
    pub started_at: Timestamp,
    /// When it was last heard of.
    pub seen_at: Timestamp,
    /// Where it came from.
    pub touch: TouchParams,
    /// Its pages, in the order in which they were opened.
    pub pages: Vec<Page>,
}

/// Whose visit a submission came from, as its event says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Arrival {
    /// Whether a browser sent it.
    pub is_browser: bool,
    /// The visitor's id, made by the embed script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitor_id: Option<String>,
    /// The visit's id, made by the embed script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Where the visit came from, as the submission says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touch: Option<Touch>,
    /// Where the visitor came from the first time, where the submission knows that to be another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_touch: Option<Touch>,
}

/// What the visits of one person add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Visits.
    pub visits: i64,
    /// Seconds in which a page was looked at.
    pub active_seconds: i64,
    /// How far down the page that was read furthest.
    pub max_scroll_percent: i64,
    /// Clicks.
    pub click_count: i64,
    /// Pages opened.
    pub pages_visited: i64,
}

impl Arrival {
    /// The visitor, where a report could be theirs.
    #[must_use]
    pub fn visitor(&self) -> Option<&str> {
        self.visitor_id.as_deref().filter(|id| self.is_browser && is_id(id))
    }
}

impl Report {
    /// Reads what a browser sent. `None` where it does not say whose visit it is, or says nothing about it.
    #[must_use]
    pub fn read(body: &[u8], received_at: Timestamp) -> Option<Self> {
        if body.len() > LARGEST_REPORT {
            return None;
        }
        let report: Value = serde_json::from_slice(body).ok()?;
        let id = |name: &str| report.get(name)?.as_str().filter(|id| is_id(id)).map(str::to_owned);
        let (visitor, session) = (id("visitor")?, id("session")?);
        let sent_at = report.get("now").and_then(whole_number).unwrap_or(received_at.0);
        let list = report.get("pages")?.as_array()?;
        let read = |page: &Value| Page::read(page, sent_at, received_at);
        let pages: Vec<Page> = list.iter().take(MOST_PAGES).filter_map(read).collect();
        let first_url = list.iter().find_map(|page| page.get("url")?.as_str())?;
        let touch = touch(first_url, report.get("referrer").and_then(Value::as_str));
        (!pages.is_empty()).then_some(Self { visitor, session, touch, pages })
    }
}

impl Page {
    fn read(page: &Value, sent_at: i64, received_at: Timestamp) -> Option<Self> {
        let id = page.get("at").and_then(whole_number)?;
        let url = page_address(page.get("url")?.as_str()?)?;
        let number = |name: &str, most: i64| page.get(name).and_then(whole_number).unwrap_or(0).clamp(0, most);
        // The browser's clock may be years off. How long ago a page was opened needs no clock that is right.
        let age_ms = sent_at.saturating_sub(id).clamp(0, DAY_MS);
        let longest = LONGEST_LOOK_MS.min(age_ms + LENIENCE_MS);
        Some(Self {
            id,
            at: received_at.plus_ms(-age_ms),
            url,
            active_ms: number("ms", longest),
            scroll: number("scroll", 100),
            clicks: number("clicks", MOST_CLICKS),
        })
    }
}

impl Visit {
    /// A visit of which this is the first that is heard.
    #[must_use]
    pub fn begin(report: Report, received_at: Timestamp) -> Self {
        let started_at = report.pages.iter().map(|page| page.at).min().unwrap_or(received_at);
        let mut visit = Self { started_at, seen_at: received_at, touch: report.touch, pages: Vec::new() };
        visit.take(report.pages, received_at);
        visit
    }

    /// Adds what is new about it. A visit keeps its first pages.
    pub fn take(&mut self, pages: Vec<Page>, received_at: Timestamp) {
        self.seen_at = self.seen_at.max(received_at);
        for page in pages {
            let has_room = self.pages.len() < MOST_PAGES;
            match self.pages.iter_mut().find(|known| known.id == page.id && known.url == page.url) {
                Some(known) => known.take(&page),
                None if has_room => self.pages.push(page),
                None => {}
            }
        }
    }

    /// What it adds up to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let sum = |of: fn(&Page) -> i64| self.pages.iter().map(of).sum::<i64>();
        Totals {
            visits: 1,
            active_seconds: sum(|page| page.active_ms) / SECOND_MS,
            max_scroll_percent: self.pages.iter().map(|page| page.scroll).max().unwrap_or(0),
            click_count: sum(|page| page.clicks),
            pages_visited: i64::try_from(self.pages.len()).unwrap_or(i64::MAX),
        }
    }
}

impl Page {
    fn take(&mut self, newer: &Self) {
        self.active_ms = self.active_ms.max(newer.active_ms);
        self.scroll = self.scroll.max(newer.scroll);
        self.clicks = self.clicks.max(newer.clicks);
    }
}

impl Totals {
    /// These and those of more visits.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            visits: self.visits + more.visits,
            active_seconds: self.active_seconds + more.active_seconds,
            max_scroll_percent: self.max_scroll_percent.max(more.max_scroll_percent),
            click_count: self.click_count + more.click_count,
            pages_visited: self.pages_visited + more.pages_visited,
        }
    }

    /// What engagement is read from.
    #[must_use]
    pub fn engagement_facts(&self) -> EngagementFacts {
        EngagementFacts {
            active_seconds: self.active_seconds,
            max_scroll_percent: self.max_scroll_percent,
            click_count: self.click_count,
            return_sessions: self.return_visits(),
        }
    }

    /// Visits after the first.
    #[must_use]
    pub fn return_visits(&self) -> i64 {
        (self.visits - 1).max(0)
    }
}

fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(is_plain)
}

fn whole_number(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    // Beyond this a float has no whole numbers to tell apart.
    (number.abs() < 9e15).then_some(number as i64)
}

/// The address of a page without its query; of a fragment only one that names a page.
fn page_address(url: &str) -> Option<String> {
    let is_web = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    if !is_web {
        return None;
    }
    let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
    let address = address.split('?').next().unwrap_or_default();
    let route = fragment.split('?').next().filter(|route| route.starts_with('/'));
    let whole = route.map_or_else(|| address.to_owned(), |route| format!("{address}#{route}"));
    Some(whole.chars().filter(|letter| !letter.is_control()).take(LONGEST_URL_CHARS).collect())
}

/// Where a visit came from: the campaign in its first page's address, and a page of somebody else's before it.
fn touch(first_url: &str, referrer: Option<&str>) -> TouchParams {
    let named = TouchParams { page_url: Some(first_url.replace('\0', "")), ..TouchParams::default() };
    let mut touch = attribution::complete(named);
    touch.page_url = page_address(first_url);
    let foreign = referrer.filter(|referrer| site_of(referrer) != site_of(first_url));
    touch.referrer = foreign.and_then(page_address);
    touch
}

/// `shop.example.com` and `www.example.com` are two, `www.example.com` and `example.com` one.
fn site_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::scores::{Weights, engagement};

    const NOW: Timestamp = Timestamp(1_767_600_000_000);

    fn report(value: &Value) -> Option<Report> {
        Report::read(value.to_string().as_bytes(), NOW)
    }

    fn one_page(page: &Value) -> Page {
        let whole = json!({"visitor": "v", "session": "s", "now": NOW.0, "pages": [page]});
        report(&whole).expect("a report").pages.remove(0)
    }

    #[test]
    fn a_report_says_whose_visit_it_is_where_it_came_from_and_what_was_done() {
        let sent = json!({
            "visitor": "v-1", "session": "s-1", "now": NOW.0 + 99_000, "referrer": "https://search.example/?q=crm",
            "pages": [
                {"at": NOW.0 + 39_000, "url": "https://www.example.com/?utm_source=ads&gclid=G1&email=a@b.c#top",
                 "ms": 12_345.6, "scroll": 80, "clicks": 2},
                {"at": NOW.0 + 89_000, "url": "https://www.example.com/contact#/form?x=1"},
            ],
        });

        let report = report(&sent).expect("a report");

        assert_eq!((report.visitor.as_str(), report.session.as_str()), ("v-1", "s-1"));
        assert_eq!(report.touch.utm_source.as_deref(), Some("ads"));
        assert_eq!(report.touch.click_ids["gclid"], "G1");
        assert_eq!(report.touch.page_url.as_deref(), Some("https://www.example.com/"));
        assert_eq!(report.touch.referrer.as_deref(), Some("https://search.example/"));
        let first = &report.pages[0];
        assert_eq!((first.active_ms, first.scroll, first.clicks), (12_345, 80, 2));
        // A clock 99 s ahead of ours: the page was opened a minute before it was told of.
        assert_eq!(first.at, NOW.plus_ms(-60_000));
        assert_eq!(report.pages[1].url, "https://www.example.com/contact#/form");
    }

    #[rstest]
    #[case::no_visitor(json!({"session": "s", "pages": [{"at": 1, "url": "https://a.example/"}]}))]
    #[case::an_empty_visitor(json!({"visitor": "", "session": "s", "pages": [{"at": 1, "url": "https://a.example/"}]}))]
    #[case::a_long_visitor(json!({"visitor": "v".repeat(65), "session": "s", "pages": [{"at": 1, "url": "https://a.example/"}]}))]
    #[case::an_odd_visitor(json!({"visitor": "'; --", "session": "s", "pages": [{"at": 1, "url": "https://a.example/"}]}))]
    #[case::a_number_for_a_session(json!({"visitor": "v", "session": 5, "pages": [{"at": 1, "url": "https://a.example/"}]}))]
    #[case::no_pages(json!({"visitor": "v", "session": "s", "pages": []}))]
    #[case::pages_that_are_none(json!({"visitor": "v", "session": "s", "pages": [null, 5, "x", {}, {"at": "x", "url": "https://a.example/"}, {"at": 1, "url": "javascript:alert(1)"}]}))]
    #[case::a_list(json!([1, 2]))]
    fn what_names_no_visit_is_dropped(#[case] sent: Value) {
        assert_eq!(report(&sent), None);
    }

    #[test]
    fn what_is_no_json_or_too_large_is_dropped() {
        assert_eq!(Report::read(b"", NOW), None);
        assert_eq!(Report::read(&[0xff; 10], NOW), None);
        assert_eq!(Report::read("[".repeat(10_000).as_bytes(), NOW), None);
        let large = json!({"visitor": "v", "session": "s", "pages": [{"at": 1, "url": "https://a.example/"}],
                           "x": "x".repeat(LARGEST_REPORT)});
        assert_eq!(report(&large), None);
    }

    #[test]
    fn a_bad_page_does_not_cost_the_good_ones_and_numbers_are_bounded() {
        let sent = json!({"visitor": "v", "session": "s", "now": NOW.0, "pages": [
            {"at": NOW.0, "url": 5},
            {"at": NOW.0 - 1_000, "url": "https://a.example/", "ms": 1e300, "scroll": 400, "clicks": -3},
        ]});

        let report = report(&sent).expect("a report");

        assert_eq!(report.pages.len(), 1);
        assert_eq!((report.pages[0].active_ms, report.pages[0].scroll, report.pages[0].clicks), (0, 100, 0));
    }

    #[rstest]
    #[case::more_than_the_page_is_old(10_000, 3_600_000, 40_000)]
    #[case::more_than_anybody_looks(DAY_MS, DAY_MS, LONGEST_LOOK_MS)]
    #[case::from_the_future(-5_000, 1_000, 1_000)]
    fn seconds_are_believed_within_reason(#[case] age_ms: i64, #[case] said_ms: i64, #[case] believed_ms: i64) {
        let page = one_page(&json!({"at": NOW.0 - age_ms, "url": "https://a.example/", "ms": said_ms}));

        assert_eq!(page.active_ms, believed_ms);
        assert!(page.at <= NOW);
    }

    #[test]
    fn a_report_that_comes_twice_or_out_of_order_adds_nothing() {
        let page = |ms: i64, clicks: i64| Page {
            id: 7,
            at: NOW,
            url: "https://a.example/".into(),
            active_ms: ms,
            scroll: 50,
            clicks,
        };
        let whole =
            json!({"visitor": "v", "session": "s", "now": NOW.0, "pages": [{"at": 7, "url": "https://a.example/"}]});
        let mut visit = Visit::begin(report(&whole).expect("a report"), NOW);

        visit.take(vec![page(60_000, 3)], NOW.plus_ms(2_000));
        visit.take(vec![page(60_000, 3)], NOW.plus_ms(3_000));
        visit.take(vec![page(15_000, 1)], NOW.plus_ms(1_000));

        let totals = visit.totals();
        assert_eq!((totals.active_seconds, totals.click_count, totals.pages_visited), (60, 3, 1));
        assert_eq!(visit.seen_at, NOW.plus_ms(3_000));
        assert_eq!(engagement(&totals.engagement_facts(), &Weights::default()).total, 24);
    }

    #[test]
    fn a_visit_keeps_its_first_pages_and_no_more() {
        let page = |id: i64| Page {
            id,
            at: NOW,
            url: format!("https://a.example/{id}"),
            active_ms: 1_000,
            scroll: 0,
            clicks: 0,
        };
        let mut visit = Visit { started_at: NOW, seen_at: NOW, touch: TouchParams::default(), pages: Vec::new() };

        visit.take((0..1_000).map(page).collect(), NOW);

        assert_eq!(visit.totals().pages_visited, 100);
        assert_eq!(visit.pages[0].id, 0);
    }

    #[test]
    fn a_second_visit_raises_returns() {
        let one = Totals { visits: 1, active_seconds: 150, max_scroll_percent: 100, click_count: 8, pages_visited: 3 };
        let two = Totals { max_scroll_percent: 20, click_count: 7, ..one };

        let both = Totals::default().plus(one).plus(two);

        assert_eq!((both.active_seconds, both.click_count, both.return_visits()), (300, 15, 1));
        assert_eq!(engagement(&both.engagement_facts(), &Weights::default()).total, 80);
        assert_eq!(Totals::default().return_visits(), 0);
    }

    #[rstest]
    #[case("https://www.example.com/a", None)]
    #[case("https://example.com/a", None)]
    #[case("https://shop.example.com/a?b=1", Some("https://shop.example.com/a"))]
    #[case("android-app://com.example", None)]
    #[case("", None)]
    fn a_referrer_counts_where_it_is_somebody_elses(#[case] referrer: &str, #[case] kept: Option<&str>) {
        let touch = touch("https://www.example.com/", Some(referrer));

        assert_eq!(touch.referrer.as_deref(), kept);
    }
}
