//! What is asked of a million leads.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Product;

/// Something that is asked, in some variants.
pub(super) struct Question {
    pub(super) name: String,
    paths: Vec<String>,
}

impl Question {
    fn new(name: impl Into<String>, paths: Vec<String>) -> Self {
        Self { name: name.into(), paths }
    }

    pub(super) fn path(&self, n: usize) -> &str {
        &self.paths[n % self.paths.len()]
    }

    pub(super) fn paths(&self) -> &[String] {
        &self.paths
    }
}

/// What there is to ask by.
pub(super) struct World {
    stages: Vec<String>,
    projects: Vec<String>,
    source: String,
    people: Vec<String>,
    segment: String,
}

/// Everything that a list of leads can be sorted by.
const SORTS: [&str; 21] = [
    "createdAt",
    "updatedAt",
    "lastSubmissionAt",
    "name",
    "score",
    "email",
    "phone",
    "company",
    "title",
    "source",
    "stage",
    "assignedTo",
    "engagement",
    "suspicion",
    "submissionCount",
    "stageEnteredAt",
    "convertedAt",
    "custom.budget",
    "custom.move_in",
    "custom.area",
    "custom.unit",
];

const REPORTS: [&str; 8] =
    ["funnel", "sources", "campaigns", "over-time", "response-time", "win-rate", "people", "projects"];

const SEARCHES: [(&str, &[&str]); 5] = [
    ("name", &["amelia", "amelia hart", "okonkwo", "priya sh", "lukas", "kofi sharma", "weber", "noah b"]),
    ("e-mail", &["hart.77@", "weber.123456@", "rossi.9999", "@atlas.example"]),
    ("phone", &["+4915110200", "0151 10234567", "015112000077", "+491511"]),
    ("company", &["atlas freight", "quayside", "lumen op", "dental"]),
    ("nobody", &["zzzzqqq", "no such person", "xylophone 9"]),
];

fn leads(query: &str) -> String {
    format!("/v1/identity/leads?limit=50&{query}")
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn filter(tree: &Value) -> String {
    leads(&format!("filter={}", encoded(&tree.to_string())))
}

fn id_of(thing: &Value) -> anyhow::Result<String> {
    Ok(thing["id"].as_str().context("an id")?.to_owned())
}

impl World {
    pub(super) async fn read(product: &Product) -> anyhow::Result<Self> {
        let get = |path: &'static str| product.call(Method::GET, path, None);
        let ids = |list: &Value| list.as_array().into_iter().flatten().map(id_of).collect::<anyhow::Result<Vec<_>>>();
        let pipelines = get("/v1/identity/lead-pipelines").await?;
        let some = json!({"name": "Well-off", "filter": {"all": [
            {"field": "custom.budget", "op": "at_least", "value": 900_000},
            {"field": "stageKind", "op": "is", "value": "open"},
        ]}});
        let segment = product.call(Method::POST, "/v1/identity/segments", Some(some)).await?;
        let members = get("/v1/admin/members").await?;
        Ok(Self {
            stages: ids(&pipelines["data"][0]["stages"])?,
            projects: ids(&get("/v1/capture/projects").await?["data"])?,
            source: id_of(&get("/v1/capture/forms").await?["data"][0])?,
            people: ids(if members.is_array() { &members } else { &members["data"] })?,
            segment: id_of(&segment)?,
        })
    }

    pub(super) fn questions(&self) -> Vec<Question> {
        let mut questions = vec![
            Question::new("list: first page", vec![leads("")]),
            Question::new("list: page 100", vec![leads("page=100")]),
            Question::new("board", vec!["/v1/identity/board".into()]),
            Question::new("contacts: first page", vec!["/v1/identity/contacts?limit=50".into()]),
            Question::new("contacts: by name", vec!["/v1/identity/contacts?limit=50&sortBy=name&sortOrder=asc".into()]),
            Question::new("contacts: search", vec!["/v1/identity/contacts?limit=50&search=okonkwo".into()]),
            Question::new("contacts: of a segment", vec![format!("/v1/identity/contacts?segmentId={}", self.segment)]),
            Question::new("segment: count", vec![format!("/v1/identity/segments/{}", self.segment)]),
            Question::new("segment: leads", vec![leads(&format!("segmentId={}", self.segment))]),
        ];
        questions.extend(self.parameters());
        questions.extend(self.filters());
        for sort in SORTS {
            for order in ["asc", "desc"] {
                let path = leads(&format!("sortBy={sort}&sortOrder={order}"));
                questions.push(Question::new(format!("sort: {sort} {order}"), vec![path]));
            }
        }
        let sorted = format!("stageId={}&sortBy=custom.budget&sortOrder=desc", self.stages[0]);
        questions.push(Question::new("sort: custom.budget in a stage", vec![leads(&sorted)]));
        for (name, terms) in SEARCHES {
            let paths = |list: &str| terms.iter().map(|term| format!("{list}search={}", encoded(term))).collect();
            questions.push(Question::new(format!("search: {name}"), paths("/v1/identity/leads?limit=50&")));
            questions.push(Question::new(format!("search: {name}, board"), paths("/v1/identity/board?limit=50&")));
        }
        questions.extend(self.reports());
        questions
    }

    /// What a list is narrowed by with a parameter of its own.
    fn parameters(&self) -> Vec<Question> {
        let each =
            |name: &str, values: &[String]| values.iter().map(|value| leads(&format!("{name}={value}"))).collect();
        vec![
            Question::new("stage", each("stageId", &self.stages)),
            Question::new("project", each("projectId", &self.projects)),
            Question::new("source: a kind", vec![leads("source=form"), leads("source=webhook")]),
            Question::new("source: one", vec![leads(&format!("source={}", self.source))]),
            Question::new("source: none has it", vec![leads("source=fax")]),
            Question::new("owner", each("assignedTo", &self.people)),
            Question::new("owner: nobody", vec![leads("assignedTo=none")]),
            Question::new("tag", vec![leads("tag=vip"), leads("tag=investor")]),
            Question::new("tag: rare", vec![leads("tag=rare")]),
            Question::new("board: project", vec![format!("/v1/identity/board?projectId={}", self.projects[0])]),
            Question::new("board: owner", vec![format!("/v1/identity/board?assignedTo={}", self.people[0])]),
        ]
    }

    /// Each kind of condition.
    fn filters(&self) -> Vec<Question> {
        let one = |field: &str, op: &str, value: Value| json!({"field": field, "op": op, "value": value});
        let days = |amount: i64| json!({"amount": amount, "unit": "days"});
        let budget = one("custom.budget", "at_least", json!(900_000));
        let cases: Vec<(&str, Value)> = vec![
            ("score range", one("score", "between", json!([40, 45]))),
            ("score: high", one("score", "at_least", json!(100))),
            ("date: last 7 days", one("createdAt", "in_last", days(7))),
            ("date: a month", one("createdAt", "between", json!(["2026-03-01", "2026-03-31"]))),
            ("date: changed in the last day", one("updatedAt", "in_last", days(1))),
            ("date: in the stage since", one("stageEnteredAt", "in_last", days(3))),
            ("text: title contains", one("title", "contains", json!("director"))),
            ("text: message contains", one("message", "contains", json!("parking"))),
            ("text: company is", one("company", "is", json!("Granite Works"))),
            ("text: nobody's e-mail", one("email", "is", json!("nobody@nowhere.example"))),
            ("stage kind", one("stageKind", "is", json!("won"))),
            ("campaign", one("firstTouch.utmCampaign", "is", json!("spring-viewings"))),
            ("contact lifecycle", one("lifecycle", "is", json!("customer"))),
            ("custom number", budget.clone()),
            ("custom number: rare", one("custom.budget", "is", json!(123_000))),
            ("custom number: none has it", one("custom.budget", "at_least", json!(5_000_000))),
            ("custom date", one("custom.move_in", "in_next", days(30))),
            ("custom select", one("custom.area", "any_of", json!(["Harbour", "Hill"]))),
            ("custom multi-select", one("custom.features", "any_of", json!(["garden"]))),
            ("custom text contains", one("custom.remark", "contains", json!("novak"))),
            ("custom text: rare", one("custom.unit", "is", json!("HL-4711"))),
            ("custom URL", one("custom.listing", "contains", json!("units/77"))),
            ("custom yes or no", json!({"field": "custom.has_pets", "op": "is", "value": true})),
            ("custom: empty", json!({"field": "custom.budget", "op": "empty"})),
            ("custom: a field that nobody has", one("custom.shoe_size", "is", json!("43"))),
            (
                "and",
                json!({"all": [budget.clone(), one("stageKind", "is", json!("open")), one("score", "at_least", json!(50))]}),
            ),
            (
                "or",
                json!({"any": [budget.clone(), one("tags", "any_of", json!(["rare"])), one("score", "at_least", json!(99))]}),
            ),
            (
                "and, or",
                json!({"all": [{"any": [budget, one("custom.area", "is", json!("Hill"))]},
                                       {"any": [one("createdAt", "in_last", days(90)), one("score", "at_least", json!(90))]}]}),
            ),
        ];
        cases.into_iter().map(|(name, tree)| Question::new(format!("filter: {name}"), vec![filter(&tree)])).collect()
    }

    fn reports(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        let (year, day) = today();
        let year_ago = format!("{}{day}", year - 1);
        for (span, query) in [
            ("30 days, compared", "compare=previous".to_owned()),
            ("a year", format!("from={year_ago}")),
            ("a year, compared", format!("from={year_ago}&compare=year")),
        ] {
            for report in REPORTS {
                let path = format!("/v1/identity/reports/{report}?{query}");
                questions.push(Question::new(format!("report: {report}, {span}"), vec![path]));
            }
        }
        let narrow = format!("from={year_ago}&projectId={}&assignedTo={}", self.projects[0], self.people[0]);
        questions.push(Question::new(
            "report: sources, a year, filtered",
            vec![format!("/v1/identity/reports/sources?{narrow}")],
        ));
        questions
    }
}

/// The year, and the rest of today's date.
fn today() -> (i64, String) {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let now = leadline_domain::time::Timestamp(i64::try_from(seconds).unwrap_or(0) * 1_000).to_string();
    let (year, rest) = now.split_at(4);
    // The 29th of February has no day a year before.
    let rest = rest.get(..6).unwrap_or("-01-01");
    (year.parse().unwrap_or(2_026), if rest == "-02-29" { "-02-28".to_owned() } else { rest.to_owned() })
}
