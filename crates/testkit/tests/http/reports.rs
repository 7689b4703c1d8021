//! Reports over HTTP: a small world that is counted by hand, on leads as they are and on days that are packed.

use std::time::Duration;

use leadline_domain::{permissions::Role, time::Timestamp};
use leadline_engine::reports;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site, encoded};

const REPORTS: [&str; 8] =
    ["funnel", "sources", "campaigns", "over-time", "response-time", "win-rate", "people", "projects"];

/// Three days, and the three before them.
const DAYS: &str = "from=2026-01-12&to=2026-01-14&compare=previous";

const HOUR_MS: i64 = 3_600_000;

fn at(site: &Site, time: &str) {
    site.app.set_clock(Timestamp::parse(time).expect("a time"));
}

async fn report(caller: &Caller<'_>, name: &str, query: &str) -> Value {
    let answer = caller.get(&format!("/v1/identity/reports/{name}?{query}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{name}?{query}: {}", answer.text());
    answer.json()
}

async fn all(caller: &Caller<'_>) -> Vec<Value> {
    let mut all = Vec::new();
    for name in REPORTS {
        all.push(report(caller, name, DAYS).await);
    }
    all
}

/// A team in Berlin and its leads. Of the three days are Ann, Ben and Finn.
struct World<'a> {
    site: &'a Site,
    admin: Caller<'a>,
    admin_id: String,
    stages: Vec<String>,
}

impl<'a> World<'a> {
    async fn make(site: &'a Site) -> Self {
        at(site, "2026-01-09T08:00:00Z");
        let admin_id = site.member("admin@example.com", Role::Admin).await;
        let admin = site.sign_in("admin@example.com").await;
        let settings =
            json!({"settings": {"timezone": "Europe/Berlin", "currency": "EUR", "testEmails": ["test.example"]}});
        assert_eq!(admin.patch("/v1/admin/workspace", settings).await.status.as_u16(), 200);
        let pipelines = admin.get("/v1/identity/lead-pipelines").await.json();
        let stages = pipelines["data"][0]["stages"].as_array().expect("stages");
        let stages = stages.iter().map(|stage| stage["id"].as_str().expect("an id").to_owned()).collect();
        let world = Self { site, admin, admin_id, stages };
        world.live().await;
        world
    }

    async fn live(&self) {
        self.comes("2026-01-10T10:00:00Z", "Eve", json!({})).await;
        // Past midnight in Berlin.
        let ann =
            self.comes("2026-01-11T23:30:00Z", "Ann", json!({"utm_source": "news", "utm_campaign": "=cmd()"})).await;
        self.moves("2026-01-12T00:30:00Z", &ann, 1).await;
        self.moves("2026-01-12T02:30:00Z", &ann, 2).await;
        self.moves("2026-01-12T03:30:00Z", &ann, 1).await;
        self.changes(&ann, "", json!({"salesValue": "1000", "quoteValue": "1200"})).await;
        self.changes(&ann, "/assign", json!({"assignedTo": self.admin_id})).await;
        self.moves("2026-01-12T05:30:00Z", &ann, 4).await;
        let ben = self.comes("2026-01-12T10:00:00Z", "Ben", json!({})).await;
        let cleo = self.comes("2026-01-12T11:00:00Z", "Cleo", json!({})).await;
        at(self.site, "2026-01-12T12:00:00Z");
        let note = self.admin.post(&lead_path(&ben, "/notes"), json!({"value": "called"})).await;
        assert_eq!(note.status.as_u16(), 200, "{}", note.text());
        self.moves("2026-01-13T10:00:00Z", &ben, 5).await;
        let hal = self.comes("2026-01-13T10:30:00Z", "Hal", json!({})).await;
        let merged = self.admin.post(&lead_path(&ben, "/merge"), json!({"loserId": hal, "fields": {}})).await;
        assert_eq!(merged.status.as_u16(), 200, "{}", merged.text());
        assert!(self.admin.delete(&lead_path(&cleo, "")).await.status.is_success());
        self.submits("2026-01-13T11:00:00Z", json!({"name": "Tess", "email": "tess@test.example"})).await;
        // The last second of the last day in Berlin, and the first of the next.
        let finn = self.comes("2026-01-14T22:59:59Z", "Finn", json!({})).await;
        self.changes(&finn, "", json!({"quoteValue": "300"})).await;
        self.comes("2026-01-14T23:00:00Z", "Gil", json!({})).await;
        at(self.site, "2026-01-20T09:00:00Z");
        // A working day later nobody is signed in any more.
    }

    async fn submits(&self, time: &str, fields: Value) -> String {
        at(self.site, time);
        self.site.app.submit(fields).await.lead.expect("a stored lead").to_string()
    }

    async fn comes(&self, time: &str, name: &str, mut fields: Value) -> String {
        fields["name"] = name.into();
        fields["email"] = format!("{}@example.com", name.to_lowercase()).into();
        self.submits(time, fields).await
    }

    async fn changes(&self, lead: &str, rest: &str, body: Value) {
        let answer = self.admin.patch(&lead_path(lead, rest), body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }

    async fn moves(&self, time: &str, lead: &str, stage: usize) {
        at(self.site, time);
        self.changes(lead, "/stage", json!({"stageId": self.stages[stage]})).await;
    }
}

fn lead_path(lead: &str, rest: &str) -> String {
    format!("/v1/identity/leads/{lead}{rest}")
}

fn column(rows: &Value, name: &str) -> Vec<Value> {
    rows.as_array().expect("rows").iter().map(|row| row[name].clone()).collect()
}

#[rstest]
#[tokio::test]
async fn each_report_counts_what_became_of_the_leads_of_its_days(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let token = site.token(Role::Viewer).await;
    let viewer = site.with_token(&token);

    let over_time = report(&viewer, "over-time", DAYS).await;

    let totals = json!({
        "leads": 3, "open": 1, "won": 1, "lost": 1, "winRate": 0.5, "salesValue": "1000.00", "quoteValue": "1500.00",
        "valuePerLead": "333.333", "responded": 2, "medianResponseMs": HOUR_MS, "p90ResponseMs": 2 * HOUR_MS,
        "withinTarget": 0.3333,
    });
    assert_eq!(over_time["totals"], totals);
    let period = json!({
        "from": "2026-01-12", "to": "2026-01-14", "before": {"from": "2026-01-09", "to": "2026-01-11"},
        "interval": "day", "timezone": "Europe/Berlin", "currency": "EUR", "targetMinutes": 60,
    });
    assert_eq!(over_time["period"], period);
    let rows = &over_time["rows"];
    assert_eq!(column(rows, "from"), ["2026-01-12", "2026-01-13", "2026-01-14"]);
    assert_eq!(column(rows, "leads"), [2, 0, 1]);
    assert_eq!(column(rows, "won"), [1, 0, 0]);
    let before: Vec<Value> = column(rows, "before").iter().map(|before| before["leads"].clone()).collect();
    assert_eq!((before, &over_time["before"]["leads"]), (vec![json!(0), json!(1), json!(0)], &json!(1)));

    let funnel = report(&viewer, "funnel", DAYS).await;
    let rows = &funnel["rows"];
    assert_eq!(column(rows, "name"), ["New", "Contacted", "Qualified", "Proposal", "Won"]);
    assert_eq!(column(rows, "reached"), [3, 1, 1, 1, 1]);
    assert_eq!(column(rows, "fromPrevious"), [json!(null), json!(0.3333), json!(1.0), json!(1.0), json!(1.0)]);
    assert_eq!(column(rows, "now"), [1, 0, 0, 0, 1]);
    assert_eq!(column(rows, "lost"), [1, 0, 0, 0, 0]);
    // Ann went back and forth: what counts of a stage is all the time in it.
    let [hour, four, six] = [1, 4, 6].map(|hours| json!(hours * HOUR_MS));
    assert_eq!(column(rows, "medianMs"), [hour.clone(), four, hour, json!(null), six]);
    assert_eq!(rows[0]["averageMs"], 25 * HOUR_MS / 2);
    assert_eq!(rows[0]["before"], json!({"reached": 1, "fromPrevious": null, "medianMs": null}));
    assert_eq!(funnel["totals"], totals);

    let people = report(&viewer, "people", DAYS).await;
    assert_eq!(column(&people["rows"], "leads"), [2, 1]);
    assert_eq!((&people["rows"][0]["id"], &people["rows"][1]["id"]), (&json!(null), &json!(world.admin_id)));
    assert_eq!((&people["rows"][1]["name"], &people["rows"][1]["won"]), (&json!("admin@example.com"), &json!(1)));

    let projects = report(&viewer, "projects", DAYS).await;
    assert_eq!((&projects["rows"][0]["leads"], &projects["rows"][0]["before"]["leads"]), (&json!(3), &json!(1)));
    assert_eq!(projects["rows"][0]["id"], json!(site.app.project.to_string()));

    let campaigns = report(&viewer, "campaigns", DAYS).await;
    let of_ann = campaigns["rows"].as_array().expect("rows").iter().find(|row| row["campaign"] == "=cmd()");
    assert_eq!(of_ann.map(|row| (&row["source"], &row["salesValue"])), Some((&json!("news"), &json!("1000.00"))));

    let waits = report(&viewer, "response-time", DAYS).await["waits"].clone();
    assert_eq!(column(&waits, "leads"), [0, 0, 1, 1, 0, 0, 0, 1]);
    let win_rate = report(&viewer, "win-rate", DAYS).await;
    assert_eq!(win_rate["lostReasons"], json!([{"reason": null, "leads": 1}]));
    assert_eq!(column(&win_rate["rows"], "winRate"), [json!(0.5), json!(null), json!(null)]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn filters_narrow_every_figure(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let admin = site.sign_in("admin@example.com").await;
    let kind = report(&admin, "sources", DAYS).await["rows"][0]["kind"].as_str().expect("a kind").to_owned();
    let nobody = uuid::Uuid::from_u128(9);

    for (query, leads) in [
        (String::new(), 3),
        (format!("&assignedTo={}", world.admin_id), 1),
        ("&assignedTo=me".to_owned(), 1),
        ("&assignedTo=none".to_owned(), 2),
        (format!("&projectId={}", site.app.project), 3),
        (format!("&projectId={nobody}"), 0),
        (format!("&pipelineId={}", site.app.pipeline().await), 3),
        (format!("&source={kind}"), 3),
        (format!("&source={nobody}"), 0),
        ("&source=fax".to_owned(), 0),
        (format!("&source={}", encoded("' OR 1=1 --\0")), 0),
        ("&source=&assignedTo=&interval=&targetMinutes=120".to_owned(), 3),
    ] {
        for name in REPORTS {
            let report = report(&admin, name, &format!("{DAYS}{}", query.replace("&interval=", ""))).await;
            assert_eq!(report["totals"]["leads"], leads, "{name} {query}");
        }
    }
    let weeks = report(&admin, "over-time", "from=2026-01-01&to=2026-01-31&interval=week&compare=year").await;
    assert_eq!(column(&weeks["rows"], "leads"), [0, 1, 4, 0, 0]);
    assert_eq!(weeks["rows"][0]["before"]["leads"], 0);
    let patient = report(&admin, "over-time", &format!("{DAYS}&targetMinutes=120")).await;
    assert_eq!(patient["totals"]["withinTarget"], 0.6667);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn packed_days_say_what_the_leads_say_whatever_happens_to_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let token = site.token(Role::Viewer).await;
    let viewer = site.with_token(&token);
    let by_leads = all(&viewer).await;
    let engine = &site.app.engine;
    let minute = Duration::from_secs(60);

    reports::keep(engine, 1_000_000).await.expect("days");
    assert_eq!(site.app.count("report_days").await, 0, "a small workspace needs none");
    site.app.advance(minute);
    reports::keep(engine, 0).await.expect("days");
    assert_eq!(site.app.count("report_days WHERE packed IS NULL").await, 10, "announced from the first to yesterday");
    site.app.advance(minute);
    reports::keep(engine, 0).await.expect("days");
    assert_eq!(site.app.count("report_days WHERE packed IS NOT NULL").await, 10);
    assert_eq!(all(&viewer).await, by_leads);

    // What changes a lead makes its day be read anew, whoever does it and however.
    site.app.execute("UPDATE leads SET sales_value_milli = 2000000 WHERE name = 'Ann'").await;
    site.app.execute("DELETE FROM leads WHERE name = 'Ben'").await;
    world.comes("2026-01-13T09:00:00Z", "Late", json!({})).await;
    at(&site, "2026-01-20T10:00:00Z");
    let changed = all(&viewer).await;
    let totals = &changed[3]["totals"];
    assert_eq!((&totals["leads"], &totals["lost"], &totals["salesValue"]), (&json!(3), &json!(0), &json!("2000.00")));
    assert_eq!(column(&changed[3]["rows"], "leads"), [1, 1, 1]);
    assert_eq!(site.app.count("(SELECT DISTINCT day FROM report_changes) AS days").await, 3);
    reports::keep(engine, 0).await.expect("days");
    assert_eq!(site.app.count("report_changes").await, 0);
    assert_eq!(all(&viewer).await, changed);

    // What reports do not tell of leaves days as they are.
    site.app.execute("UPDATE leads SET score = 1, updated_at = 7, rank = rank").await;
    assert_eq!(site.app.count("report_changes").await, 0);
    site.stop().await;
}

#[rstest]
#[case::no_date("over-time", "from=yesterday", "/from")]
#[case::no_day("over-time", "to=2026-02-30", "/to")]
#[case::nothing("over-time", "to=", "/to")]
#[case::far("funnel", "to=9999-12-31", "/to")]
#[case::nul("sources", "from=2026-01-01%00", "/from")]
#[case::order("people", "from=2026-02-01&to=2026-01-01", "/to")]
#[case::too_many("projects", "from=2000-01-01&to=2026-01-01", "/to")]
#[case::compare("campaigns", "compare=decade", "/compare")]
#[case::interval("over-time", "interval=hour", "/interval")]
#[case::target("response-time", "targetMinutes=0", "/targetMinutes")]
#[case::huge_target("win-rate", "targetMinutes=9223372036854775807", "/targetMinutes")]
#[case::who("people", "assignedTo=everybody", "/assignedTo")]
#[case::pipeline("funnel", "pipelineId=00000000-0000-0000-0000-000000000001", "/pipelineId")]
#[tokio::test]
async fn what_cannot_be_reported_is_refused_with_a_pointer(
    #[case] name: &str,
    #[case] query: &str,
    #[case] pointer: &str,
) {
    let site = Site::start(Db::Sqlite).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    for ending in ["", ".csv"] {
        let refused = viewer.get(&format!("/v1/identity/reports/{name}{ending}?{query}")).await;

        assert_eq!(refused.problem(), (422, "invalid_fields".to_owned()));
        assert_eq!(refused.pointers(), [pointer]);
    }
    let unknown = viewer.get(&format!("/v1/identity/reports/{name}?x=1")).await;
    assert_eq!(unknown.problem(), (400, "invalid_query".to_owned()));
    let long = viewer.get(&format!("/v1/identity/reports/{name}?source={}", "x".repeat(5_000))).await;
    assert_eq!(long.problem().0, 422);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_table_says_what_the_report_says_and_computes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    World::make(&site).await;
    let token = site.token(Role::Viewer).await;
    let viewer = site.with_token(&token);

    for name in REPORTS {
        let rows = report(&viewer, name, DAYS).await["rows"].as_array().expect("rows").len();
        let table = viewer.get(&format!("/v1/identity/reports/{name}.csv?{DAYS}")).await;

        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(table.header("content-disposition"), format!("attachment; filename=\"{name}.csv\""));
        let text = table.text();
        let widths: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(widths, vec![widths[0]; rows + 1], "{name}: {text}");
    }
    let campaigns = viewer.get(&format!("/v1/identity/reports/campaigns.csv?{DAYS}")).await.text();
    assert!(campaigns.contains("\r\n'=cmd(),news,"), "{campaigns}");
    let over_time = viewer.get("/v1/identity/reports/over-time.csv?from=2026-01-12&to=2026-01-12").await.text();
    assert!(
        over_time.contains("2026-01-12,2026-01-12,2,0,1,1,0.5,1000.00,1200.00,500.00,2,60.0,120.0,0.5\r\n"),
        "{over_time}"
    );
    let funnel = viewer.get("/v1/identity/reports/funnel.csv?from=2026-01-12&to=2026-01-14").await.text();
    assert!(funnel.contains("\r\nContacted,open,1,0.3333,0.3333,0,0,4.00,4.00\r\n"), "{funnel}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn another_workspace_has_reports_of_its_own(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    World::make(&site).await;
    reports::keep(&site.app.engine, 0).await.expect("days");
    site.app.advance(Duration::from_secs(61));
    reports::keep(&site.app.engine, 0).await.expect("days");
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::Admin).await;
    let stranger = site.with_token(&token);
    let project = site.app.project;

    for name in REPORTS {
        let theirs = report(&stranger, name, &format!("{DAYS}&projectId={project}")).await;
        assert_eq!((&theirs["totals"]["leads"], &theirs["before"]["leads"]), (&json!(0), &json!(0)), "{name}");
    }
    let pipeline = site.app.pipeline().await;
    let funnel = stranger.get(&format!("/v1/identity/reports/funnel?pipelineId={pipeline}")).await;
    assert_eq!(funnel.problem().0, 422);
    let nobody = site.stranger().get("/v1/identity/reports/people").await;
    assert_eq!(nobody.problem().0, 401);
    site.stop().await;
}
