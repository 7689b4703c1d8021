//! What a website's script reports, through the public way in to what a lead shows of it.

use std::time::Duration;

use axum::{body::Body, http::Request};
use leadline_domain::{permissions::Role, time::Timestamp};
use leadline_engine::{dispatch, visits};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Site};

const ORIGIN: &str = "https://www.example.com";
const VISITOR: &str = "0190b5a0-0000-7000-8000-000000000001";
const SESSION: &str = "0190b5a0-0000-7000-8000-000000000002";

/// A workspace with a website that allows its own origin, and a form.
struct Website {
    site: Site,
    token: String,
    tracker: String,
    form: String,
}

impl Website {
    async fn start(db: Db) -> Self {
        let site = Site::start(db).await;
        let token = site.token(Role::Admin).await;
        let owner = site.with_token(&token);
        let made = owner.post("/v1/capture/sites", json!({"name": "Shop", "allowedOrigins": [ORIGIN]})).await.json();
        let tracker = format!("/t/{}", made["key"].as_str().expect("a key"));
        let made = owner.post("/v1/capture/forms", json!({"name": "Contact"})).await.json();
        let form = format!("/f/{}", made["key"].as_str().expect("a key"));
        Self { site, token, tracker, form }
    }

    async fn post(&self, path: &str, origin: Option<&str>, body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path).header("content-type", "text/plain;charset=UTF-8");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.site.send(request.header("accept", "application/json").body(body.into()).expect("a request")).await
    }

    async fn report(&self, report: &Value) {
        let answer = self.post(&self.tracker, Some(ORIGIN), report.to_string()).await;
        assert_eq!(answer.status.as_u16(), 204, "{}", answer.text());
    }

    /// A report of the visit `session` in which one page was opened a minute ago.
    fn visit(&self, session: &str, seconds: i64, scroll: i64, clicks: i64) -> Value {
        let opened = self.now().0 - 60_000;
        let page = json!({"at": opened, "url": format!("{ORIGIN}/offer"), "ms": seconds * 1_000, "scroll": scroll,
                          "clicks": clicks});
        json!({"visitor": VISITOR, "session": session, "now": self.now().0, "pages": [page]})
    }

    async fn flush(&self) {
        visits::flush(&self.site.app.engine).await.expect("the visits are written");
    }

    /// Sends the form from a page of `origin` and gives the lead, after what follows a submission was done.
    async fn submit(&self, origin: &str, mut fields: Value) -> Value {
        fields["__form_token"] = self.site.form_token().into();
        let answer = self.post(&self.form, Some(origin), fields.to_string()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        dispatch::dispatch_all(&self.site.app.engine).await.expect("dispatched");
        self.lead(answer.json()["leadId"].as_str().expect("a lead")).await
    }

    async fn lead(&self, id: &str) -> Value {
        self.get(&format!("/v1/identity/leads/{id}")).await
    }

    async fn again(&self, lead: &Value) -> Value {
        self.lead(lead["id"].as_str().expect("an id")).await
    }

    async fn get(&self, path: &str) -> Value {
        self.site.with_token(&self.token).get(path).await.json()
    }

    fn now(&self) -> Timestamp {
        self.site.app.now()
    }

    async fn stop(self) {
        self.site.stop().await;
    }
}

fn anna() -> Value {
    json!({"name": "Anna", "email": "anna@example.com", "__visitor_id": VISITOR, "__session_id": SESSION,
           "__pg_tts": 60_000})
}

/// The reasons of a score: code and points.
fn codes(reasons: &Value) -> Vec<(&str, i64)> {
    let all = reasons.as_array().expect("reasons").iter();
    all.map(|one| (one["code"].as_str().expect("a code"), one["points"].as_i64().expect("points"))).collect()
}

#[rstest]
#[tokio::test]
async fn the_visit_before_a_form_is_on_the_lead_with_its_parts(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    let now = website.now().0;
    let landing = json!({"at": now - 90_000, "url": format!("{ORIGIN}/?utm_source=ads&gclid=G1"), "ms": 42_000,
                         "scroll": 50, "clicks": 2});
    let contact = json!({"at": now - 40_000, "url": format!("{ORIGIN}/contact?email=x"), "ms": 18_000, "clicks": 1});
    website
        .report(&json!({"visitor": VISITOR, "session": SESSION, "now": now, "referrer": "https://search.example/?q=x",
                        "pages": [landing, contact]}))
        .await;
    website.flush().await;

    let lead = website.submit(ORIGIN, anna()).await;

    assert_eq!((&lead["engagement"], &lead["engagementLabel"]), (&json!(24), &json!("Warm")));
    assert_eq!(codes(&lead["engagementReasons"]), [("duration", 6), ("scroll", 15), ("clicks", 3)]);
    assert_eq!(lead["sessionDurationSeconds"], 60);
    assert_eq!((&lead["pagesVisited"], &lead["returnVisits"]), (&json!(2), &json!(0)));
    assert_eq!((&lead["maxScrollPercent"], &lead["clickCount"]), (&json!(50), &json!(3)));
    assert_eq!((&lead["visitorId"], &lead["sessionId"]), (&json!(VISITOR), &json!(SESSION)));
    // E-mail 15 and 10 for its own domain, name 10: (60 * 24 + 40 * 35) / 100.
    assert_eq!((&lead["score"], &lead["suspicion"]), (&json!(28), &json!(0)));
    let sessions = website.get(&format!("/v1/identity/leads/{}/sessions", lead["id"].as_str().expect("an id"))).await;
    assert_eq!(sessions["total"], 1);
    let visit = &sessions["data"][0];
    assert_eq!(visit["touch"]["utmSource"], "ads");
    assert_eq!(visit["touch"]["referrer"], "https://search.example/");
    assert_eq!(visit["touch"]["clickIds"]["gclid"], "G1");
    let pages: Vec<_> =
        visit["pages"].as_array().expect("pages").iter().map(|page| (&page["url"], &page["seconds"])).collect();
    let (landing, contact) = (json!(format!("{ORIGIN}/")), json!(format!("{ORIGIN}/contact")));
    assert_eq!(pages, [(&landing, &json!(42)), (&contact, &json!(18))]);
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn visits_that_come_after_the_form_tell_on_the_lead_too(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    website.report(&website.visit("another-visit", 10, 0, 0)).await;
    website.flush().await;
    website.report(&website.visit(SESSION, 60, 50, 3)).await;

    // The report is on its way: it is too early to say that there is none.
    let lead = website.submit(ORIGIN, anna()).await;
    assert_eq!(codes(&lead["suspicionReasons"]), []);
    website.flush().await;
    let met = website.again(&lead).await;
    website.site.app.advance(Duration::from_secs(86_400));
    website.report(&website.visit("third-visit", 60, 10, 1)).await;
    website.flush().await;
    let returned = website.again(&lead).await;

    assert_eq!(codes(&met["engagementReasons"]), [("duration", 7), ("scroll", 15), ("clicks", 3), ("returns", 5)]);
    assert_eq!(met["score"], json!((60 * 30 + 40 * 35) / 100));
    assert_eq!(
        codes(&returned["engagementReasons"]),
        [("duration", 13), ("scroll", 15), ("clicks", 4), ("returns", 10)]
    );
    assert_eq!(returned["returnVisits"], 2);
    assert!(returned["version"].as_i64() > met["version"].as_i64());
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_further_form_keeps_the_engagement_in_the_score(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    website.report(&website.visit(SESSION, 60, 50, 3)).await;
    website.flush().await;
    let first = website.submit(ORIGIN, anna()).await;
    // Twice within a day would be suspicious.
    website.site.app.advance(Duration::from_secs(24 * 3_600));

    let second = website.submit(ORIGIN, anna()).await;

    assert_eq!((&first["score"], &second["score"]), (&json!(28), &json!(28)));
    website.stop().await;
}

#[rstest]
#[case::a_bot_without_any(json!({"email": "a@example.com"}), ORIGIN, &[("no_session", 15)])]
#[case::a_visitor_nobody_saw(json!({"email": "a@example.com", "__visitor_id": "nobody", "__session_id": "s"}), ORIGIN, &[("no_session", 15)])]
#[case::a_page_that_does_not_track(json!({"email": "a@example.com"}), "https://landing.example.com", &[])]
#[case::one_who_did_nothing(json!({"email": "a@example.com", "__visitor_id": "idle", "__session_id": "s"}), ORIGIN, &[("no_engagement", 10)])]
#[case::one_who_looked(json!({"email": "a@example.com", "__visitor_id": VISITOR, "__session_id": SESSION}), ORIGIN, &[])]
#[tokio::test]
async fn having_no_visit_is_suspicious_where_the_site_tracks(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] fields: Value,
    #[case] origin: &str,
    #[case] expected: &[(&str, i64)],
) {
    let website = Website::start(db).await;
    website.report(&website.visit(SESSION, 60, 50, 3)).await;
    let idle = json!({"visitor": "idle", "session": "s", "pages": [{"at": 1, "url": format!("{ORIGIN}/")}]});
    website.report(&idle).await;
    website.flush().await;

    let lead = website.submit(origin, fields).await;

    assert_eq!(codes(&lead["suspicionReasons"]), expected);
    assert_eq!(lead["suspicion"], json!(expected.iter().map(|(_, points)| points).sum::<i64>()));
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_visit_that_comes_late_takes_the_suspicion_away(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    website.report(&website.visit("somebody-else", 60, 50, 3)).await;
    website.flush().await;
    let before = json!({"email": "a@example.com", "__visitor_id": "late", "__session_id": "s"});
    let lead = website.submit(ORIGIN, before).await;
    assert_eq!(codes(&lead["suspicionReasons"]), [("no_session", 15)]);

    let mut late = website.visit("s", 60, 50, 3);
    late["visitor"] = json!("late");
    website.report(&late).await;
    website.flush().await;

    assert_eq!(codes(&website.again(&lead).await["suspicionReasons"]), []);
    website.stop().await;
}

/// What only a browser shows is asked of no program.
#[tokio::test]
async fn a_program_needs_no_visit() {
    let website = Website::start(Db::Sqlite).await;
    website.report(&website.visit(SESSION, 60, 50, 3)).await;
    website.flush().await;
    let owner = website.site.with_token(&website.token);
    let hook = owner.post("/v1/identity/lead-webhooks", json!({"name": "Hook"})).await.json();
    let path = format!("/webhooks/leads/{}", hook["apiKey"].as_str().expect("a key"));

    let by_hook = website.post(&path, Some(ORIGIN), json!({"email": "a@example.com"}).to_string()).await.json();
    let by_api = owner.post("/v1/identity/leads", json!({"email": "b@example.com"})).await.json();
    dispatch::dispatch_all(&website.site.app.engine).await.expect("dispatched");

    for lead in [by_hook["leadId"].as_str(), by_api["id"].as_str()] {
        let lead = website.lead(lead.expect("a lead")).await;
        assert_eq!(codes(&lead["suspicionReasons"]), []);
        assert_eq!((&lead["engagement"], &lead["engagementLabel"]), (&Value::Null, &Value::Null));
    }
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn repeats_and_reports_out_of_order_leave_one_row(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;

    for seconds in [15, 60, 60, 30] {
        website.report(&website.visit(SESSION, seconds, 50, seconds / 20)).await;
        website.flush().await;
    }

    let same = "visitor_sessions WHERE active_seconds = 60 AND click_count = 3 AND pages_visited = 1";
    assert_eq!(website.site.app.count("visitor_sessions").await, 1);
    assert_eq!(website.site.app.count(same).await, 1);
    assert_eq!(website.site.app.count("sites WHERE tracked_at IS NOT NULL").await, 1);
    website.stop().await;
}

#[rstest]
#[case::nothing("")]
#[case::no_json("visitor=v")]
#[case::not_utf8_cut(r#"{"visitor":"v","session":"s","pages":[{"at":1,"url":"https://a.example/"#)]
#[case::a_list("[1,2,3]")]
#[case::no_ids(r#"{"pages":[{"at":1,"url":"https://a.example/"}]}"#)]
#[case::ids_of_other_kinds(r#"{"visitor":{"$ne":1},"session":["s"],"pages":[{"at":1,"url":"https://a.example/"}]}"#)]
#[case::an_id_with_a_nul(r#"{"visitor":"v\u0000","session":"s","pages":[{"at":1,"url":"https://a.example/"}]}"#)]
#[case::pages_that_are_none(r#"{"visitor":"v","session":"s","pages":{"at":1}}"#)]
#[case::a_script_for_a_page(r#"{"visitor":"v","session":"s","pages":[{"at":1,"url":"javascript:alert(1)"}]}"#)]
#[tokio::test]
async fn what_cannot_be_used_is_heard_and_dropped(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] body: &'static str,
) {
    let website = Website::start(db).await;

    let answer = website.post(&website.tracker, Some(ORIGIN), body).await;
    website.flush().await;

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    assert_eq!(website.site.app.count("visitor_sessions").await, 0);
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn odd_values_are_bounded_and_stored_on_both_databases(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    let url = format!("{ORIGIN}/\u{0}\u{1}😀{}?utm_source=%00a&utm_campaign={}", "x".repeat(9_000), "y".repeat(9_000));
    let page = json!({"at": -9e14, "url": url, "ms": 1e308, "scroll": -1, "clicks": 1e15});

    website
        .report(
            &json!({"visitor": VISITOR, "session": SESSION, "now": 9e15, "referrer": "https://\u{0}x.example/\u{0}",
                        "pages": [page, page, {"at": 5, "url": "https://a.example/", "ms": "1", "clicks": null}]}),
        )
        .await;
    website.flush().await;

    let bounded = "visitor_sessions WHERE click_count <= 1000 AND active_seconds <= 14400 AND max_scroll_percent = 0";
    assert_eq!(website.site.app.count(bounded).await, 1);
    website.stop().await;
}

#[tokio::test]
async fn unknown_keys_other_origins_and_large_bodies_are_refused() {
    let website = Website::start(Db::Sqlite).await;
    let report = website.visit(SESSION, 60, 50, 3).to_string();

    let unknown = website.post("/t/nothing", Some(ORIGIN), report.clone()).await;
    let elsewhere = website.post(&website.tracker, Some("https://evil.example"), report.clone()).await;
    let nowhere = website.post(&website.tracker, None, report.clone()).await;
    let padded = format!("{report}{}", " ".repeat(64 * 1024 + 1 - report.len()));
    let large = website.post(&website.tracker, Some(ORIGIN), padded).await;
    let preflight = Request::options(&website.tracker).header("origin", ORIGIN).body(Body::empty());
    let preflight = website.site.send(preflight.expect("a request")).await;
    website.flush().await;

    assert_eq!(unknown.problem(), (404, "unknown_key".to_owned()));
    assert_eq!(elsewhere.problem(), (403, "forbidden".to_owned()));
    assert_eq!(nowhere.problem(), (403, "forbidden".to_owned()));
    assert_eq!(large.problem(), (413, "body_too_large".to_owned()));
    assert_eq!(large.header("access-control-allow-origin"), "*");
    assert_eq!(preflight.status.as_u16(), 204);
    assert_eq!(website.site.app.count("visitor_sessions").await, 0);
    website.stop().await;
}

#[tokio::test]
async fn a_site_that_names_no_origins_hears_all() {
    let website = Website::start(Db::Sqlite).await;
    let owner = website.site.with_token(&website.token);
    let made = owner.post("/v1/capture/sites", json!({"name": "Anywhere", "allowedOrigins": []})).await.json();
    let path = format!("/t/{}", made["key"].as_str().expect("a key"));
    let report = website.visit(SESSION, 60, 50, 3).to_string();

    let answer = website.post(&path, Some("https://new.example"), report).await;
    website.flush().await;

    assert_eq!(answer.status.as_u16(), 204);
    assert_eq!(website.site.app.count("visitor_sessions").await, 1);
    website.stop().await;
}

/// Reports never wait for the database, and what cannot be written now is written later.
#[tokio::test]
async fn reports_are_answered_while_the_writer_is_busy() {
    let website = Website::start(Db::Sqlite).await;
    website.report(&website.visit(SESSION, 15, 0, 0)).await;
    let stalled = website.site.app.stall_database().await;

    website.report(&website.visit(SESSION, 60, 50, 3)).await;
    stalled.heal().await.expect("the lock is given back");
    website.flush().await;

    assert_eq!(website.site.app.count("visitor_sessions WHERE active_seconds = 60").await, 1);
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_visitor_cannot_fill_the_database(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;

    for round in 0..3 {
        for n in 0..250 {
            website.report(&website.visit(&format!("visit-{round}-{n}"), 1, 0, 0)).await;
        }
        website.flush().await;
    }

    assert_eq!(website.site.app.count("visitor_sessions").await, 500);
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn every_touch_is_kept_and_none_is_overwritten(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    let from = |source: &str| json!({"email": "anna@example.com", "utm_source": source, "__visitor_id": VISITOR});
    website.submit(ORIGIN, from("ads")).await;
    website.site.app.advance(Duration::from_secs(3 * 86_400));
    website.submit(ORIGIN, from("newsletter")).await;
    let mut visit = website.visit("a-visit-without-a-form", 5, 0, 0);
    visit["pages"][0]["url"] = json!(format!("{ORIGIN}/?utm_source=partner"));
    website.site.app.advance(Duration::from_secs(3 * 86_400));
    visit["now"] = json!(website.now().0);
    visit["pages"][0]["at"] = json!(website.now().0 - 1_000);
    website.report(&visit).await;
    website.flush().await;
    website.site.app.advance(Duration::from_secs(3 * 86_400));

    let lead = website.submit(ORIGIN, from("ads")).await;

    let sources: Vec<_> =
        lead["touches"].as_array().expect("touches").iter().map(|touch| touch["utmSource"].as_str()).collect();
    assert_eq!(sources, [Some("ads"), Some("newsletter"), Some("partner"), Some("ads")]);
    assert_eq!(lead["firstTouch"]["utmSource"], "ads");
    assert!(lead["firstTouch"]["at"].as_str() < lead["lastTouch"]["at"].as_str());
    website.stop().await;
}

#[rstest]
#[tokio::test]
async fn visits_go_after_90_days_and_what_they_said_of_the_lead_stays(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let website = Website::start(db).await;
    website.report(&website.visit(SESSION, 60, 50, 3)).await;
    website.flush().await;
    let lead = website.submit(ORIGIN, anna()).await;
    website.site.app.advance(Duration::from_secs(89 * 86_400));
    website.report(&website.visit("a-young-one", 1, 0, 0)).await;
    website.flush().await;
    visits::retain(&website.site.app.engine, website.site.app.now()).await.expect("cleaned up");
    assert_eq!(website.site.app.count("visitor_sessions").await, 2);

    website.site.app.advance(Duration::from_secs(2 * 86_400));
    visits::retain(&website.site.app.engine, website.site.app.now()).await.expect("cleaned up");

    assert_eq!(website.site.app.count("visitor_sessions WHERE session_id = 'a-young-one'").await, 1);
    assert_eq!(website.site.app.count("visitor_sessions").await, 1);
    let after = website.again(&lead).await;
    assert!(after["engagement"].as_i64() >= lead["engagement"].as_i64());
    website.stop().await;
}

#[tokio::test]
async fn who_may_not_see_personal_data_sees_no_identifiers_of_visits() {
    let website = Website::start(Db::Sqlite).await;
    let mut visit = website.visit(SESSION, 60, 50, 3);
    visit["pages"][0]["url"] = json!(format!("{ORIGIN}/?gclid=G1&utm_source=ads"));
    website.report(&visit).await;
    website.flush().await;
    let lead = website.submit(ORIGIN, anna()).await;
    let viewer = website.site.token(Role::Viewer).await;
    let path = format!("/v1/identity/leads/{}", lead["id"].as_str().expect("an id"));

    let seen = website.site.with_token(&viewer).get(&path).await.json();
    let sessions = website.site.with_token(&viewer).get(&format!("{path}/sessions")).await.json();

    assert_eq!((&seen["visitorId"], &seen["sessionId"], &seen["engagement"]), (&Value::Null, &Value::Null, &json!(24)));
    let visit = &sessions["data"][0];
    assert_eq!((&visit["visitorId"], &visit["sessionId"]), (&Value::Null, &Value::Null));
    assert_eq!((&visit["touch"]["clickIds"], &visit["touch"]["utmSource"]), (&Value::Null, &json!("ads")));
    website.stop().await;
}
