//! Bots and blocked visitors: they are answered like everybody else, and leave nothing but what the fraud desk shows.

use std::net::SocketAddr;

use axum::{body::Body, extract::ConnectInfo, http::Request};
use leadline_domain::{ids::SubmissionId, permissions::Role};
use leadline_engine::{
    capture::{conversations, replay},
    retain, retention,
};
use leadline_store::verify;
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

use crate::browser::{Answer, Site};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const VISITOR: &str = "203.0.113.9";
const DAY: Duration = Duration::from_secs(86_400);

/// Everything that a lead leaves behind.
const TRACES: [&str; 8] = [
    "leads",
    "lead_submissions",
    "lead_captures",
    "contacts",
    "identities",
    "events",
    "lead_activities",
    "lead_stage_counts",
];

struct Desk {
    site: Site,
    token: String,
    form: String,
}

impl Desk {
    async fn start(db: Db) -> Self {
        let site = Site::start(db).await;
        let token = site.token(Role::Admin).await;
        let mut desk = Self { site, token, form: String::new() };
        let thanks = "https://shop.example.com/thanks";
        let form = desk.post("/v1/capture/forms", json!({"name": "Contact", "thankYouUrl": thanks})).await;
        desk.form = format!("/f/{}", form["key"].as_str().expect("a key"));
        desk
    }

    async fn set(&self, settings: Value) {
        let answer =
            self.site.with_token(&self.token).patch("/v1/admin/workspace", json!({"settings": settings})).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.site.with_token(&self.token).post(path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        answer.json()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.site.with_token(&self.token).get(path).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        answer.json()["data"].as_array().expect("a list").clone()
    }

    async fn quarantine(&self) -> Vec<Value> {
        self.list("/v1/capture/quarantine?state=waiting").await
    }

    /// What a browser at `ip` is answered.
    async fn submit(&self, ip: &str, content_type: &str, body: &str) -> Answer {
        self.submit_to(&self.form, ip, content_type, body).await
    }

    async fn submit_to(&self, path: &str, ip: &str, content_type: &str, body: &str) -> Answer {
        let accept = if content_type == FORM { "text/html,application/xhtml+xml" } else { "*/*" };
        let request = Request::post(path).header("content-type", content_type).header("accept", accept);
        let mut request = request.body(Body::from(body.to_owned())).expect("a request");
        let peer = SocketAddr::new(ip.parse().expect("an address"), 4711);
        request.extensions_mut().insert(ConnectInfo(peer));
        self.site.send(request).await
    }

    /// Time goes by, and then it is looked what has lived long enough.
    async fn live(&self, time: Duration) {
        self.app().advance(time);
        retain(&self.app().engine).await.expect("what is over is deleted");
    }

    async fn traces(&self) -> Vec<(&'static str, i64)> {
        let mut counted = Vec::new();
        for table in TRACES {
            counted.push((table, self.app().count(table).await));
        }
        counted
    }

    fn app(&self) -> &TestApp {
        &self.site.app
    }

    /// The newest lead, whole.
    async fn lead(&self, receipt: &Answer) -> Value {
        let id = receipt.json()["leadId"].as_str().expect("a lead").to_owned();
        self.site.with_token(&self.token).get(&format!("/v1/identity/leads/{id}")).await.json()
    }

    async fn stop(self) {
        self.site.stop().await;
    }
}

/// An answer byte for byte, with every id in place of which only an id can stand.
fn masked(answer: &Answer) -> String {
    mask_ids(&written(answer))
}

fn written(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.status);
    let mut headers: Vec<String> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
    headers.sort();
    headers.retain(|line| !line.starts_with("x-request-id"));
    text += &headers.join("\n");
    text += "\n\n";
    text += &answer.text();
    text
}

fn mask_ids(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.char_indices().map(|(at, _)| at).find(|at| is_id(&rest[*at..])) {
        masked += &rest[..at];
        masked += "ID";
        rest = &rest[at + 36..];
    }
    masked + rest
}

/// A UUID of version 7 of this century.
fn is_id(text: &str) -> bool {
    let Some(id) = text.get(..36) else { return false };
    uuid::Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 7) && text.starts_with('0')
}

#[rstest]
#[case::json(
    JSON,
    r#"{"name":"Anna","email":"anna@example.org"}"#,
    r#"{"name":"Anna","email":"anna@example.org","__pg_hp":"x"}"#
)]
#[case::text(
    "text/plain",
    r#"{"name":"Anna","email":"anna@example.org"}"#,
    r#"{"name":"Anna","email":"anna@example.org","__pg_hp":"x"}"#
)]
#[case::form(FORM, "name=Anna&email=anna%40example.org", "name=Anna&email=anna%40example.org&__pg_hp=x")]
#[tokio::test]
async fn a_filled_honeypot_is_answered_like_everybody_and_leaves_a_quarantine_entry(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] content_type: &str,
    #[case] clean: &str,
    #[case] filled: &str,
) {
    let desk = Desk::start(db).await;
    let first = masked(&desk.submit(VISITOR, content_type, clean).await);
    let again = masked(&desk.submit(VISITOR, content_type, clean).await);
    let fresh = Desk::start(db).await;
    let before = fresh.traces().await;

    let caught = masked(&fresh.submit(VISITOR, content_type, filled).await);
    let caught_again = masked(&fresh.submit(VISITOR, content_type, filled).await);

    assert_eq!(caught, first);
    assert_eq!(caught_again, again);
    assert_eq!(fresh.traces().await, before);
    let entries = fresh.quarantine().await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["reason"], "honeypot");
    assert_eq!(entries[0]["email"], "anna@example.org");
    assert_eq!(entries[0]["fields"]["__pg_hp"], "x");
    assert_eq!(entries[0]["ip"], VISITOR);
    desk.stop().await;
    fresh.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_blocked_address_is_answered_like_everybody_whatever_it_sends(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    let json = r#"{"name":"Anna","email":"anna@example.org"}"#;
    let expected = [
        masked(&desk.submit(VISITOR, JSON, json).await),
        masked(&desk.submit(VISITOR, JSON, json).await),
        masked(&desk.submit(VISITOR, FORM, "name=Ben").await),
    ];
    let fresh = Desk::start(db).await;
    let before = fresh.traces().await;
    let block = fresh.post("/v1/capture/blocked-ips", json!({"range": "203.0.113.77/24", "reason": "spam"})).await;
    assert_eq!(block["range"], "203.0.113.0/24");

    let answers = [
        masked(&fresh.submit(VISITOR, JSON, json).await),
        masked(&fresh.submit(VISITOR, JSON, json).await),
        masked(&fresh.submit(VISITOR, FORM, "name=Ben").await),
    ];
    let unread = masked(&fresh.submit(VISITOR, JSON, r#"{"broken"#).await);

    assert_eq!(answers, expected);
    assert_eq!(unread, expected[0], "it is not even parsed");
    assert_eq!(fresh.traces().await, before);
    assert_eq!(fresh.app().count("quarantine").await, 0);
    let attempts = fresh.list("/v1/capture/blocked-attempts").await;
    assert_eq!(attempts.len(), 4);
    assert!(attempts.iter().all(|attempt| attempt["ip"] == VISITOR));
    assert_eq!(attempts.iter().filter(|attempt| attempt["rawBody"] == json).count(), 2);

    let id = block["id"].as_str().expect("an id");
    fresh.site.with_token(&fresh.token).delete(&format!("/v1/capture/blocked-ips/{id}")).await;
    fresh.submit(VISITOR, JSON, json).await;
    assert_eq!(fresh.app().count("leads").await, 1, "it is let in again");
    desk.stop().await;
    fresh.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_widget_sends_bots_and_blocked_visitors_to_whatsapp_too(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    let widget = desk.post("/v1/capture/widgets", json!({"name": "Chat", "phoneNumber": "+4915112345678"})).await;
    let path = format!("/w/{}/captures", widget["id"].as_str().expect("an id"));
    let body = |more: Value| {
        let mut body = json!({"name": "Anna", "phone": "+4915787654321", "message": "Hello, is it free?"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body.to_string()
    };
    let bot = mask_reference(&desk.submit_to(&path, VISITOR, JSON, &body(json!({"__pg_hp": "x"}))).await);
    desk.post("/v1/capture/blocked-ips", json!({"range": VISITOR})).await;
    let blocked = mask_reference(&desk.submit_to(&path, VISITOR, JSON, &body(json!({}))).await);
    assert_eq!(desk.app().count("leads").await + desk.app().count("conversations").await, 0);

    let clean = mask_reference(&desk.submit_to(&path, "203.0.113.10", JSON, &body(json!({}))).await);

    assert_eq!((&bot, &blocked), (&clean, &clean));
    assert!(clean.contains("wa.me/"), "{clean}");
    assert_eq!(desk.app().count("conversations").await, 1);
    desk.stop().await;
}

/// An answer without its ids, and without the code and the conversation that follow from the receipt.
fn mask_reference(answer: &Answer) -> String {
    let body = answer.json();
    let reference = body["reference"].as_str().expect("a reference");
    let receipt = SubmissionId(body["receipt"].as_str().and_then(|id| id.parse().ok()).expect("a receipt"));
    let conversation = conversations::of_submission(receipt).0.to_string();
    let text = written(answer).replace(&conversation, "CONVERSATION").replace(reference, "REF");
    mask_ids(&text.replace(&reference.replace('-', "%2D"), "REF"))
}

#[rstest]
#[tokio::test]
async fn above_the_rate_limit_nothing_is_lost(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    desk.set(json!({"rateLimitPerMinute": 2})).await;
    let body = |n: usize| format!("{{\"name\":\"N{n}\",\"email\":\"n{n}@example.org\"}}");

    let mut answers = Vec::new();
    for n in 0..4 {
        answers.push(masked(&desk.submit(VISITOR, JSON, &body(n)).await));
    }
    let somebody_else = desk.submit("203.0.113.10", JSON, &body(9)).await;

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(desk.app().count("leads").await, 3);
    let held = desk.quarantine().await;
    assert_eq!(held.iter().map(|entry| entry["reason"].as_str()).collect::<Vec<_>>(), [Some("rate_limited"); 2]);
    assert_eq!(masked(&somebody_else), answers[0]);
    desk.app().advance(Duration::from_secs(60));
    desk.submit(VISITOR, JSON, &body(5)).await;
    assert_eq!(desk.app().count("leads").await, 4);
    desk.stop().await;
}

#[rstest]
#[case::loopback("127.0.0.1", json!({"rateLimitPerMinute": 1}))]
#[case::private("10.1.2.3", json!({"rateLimitPerMinute": 1}))]
#[case::trusted(VISITOR, json!({"rateLimitPerMinute": 1, "trustedIps": ["203.0.113.0/24"]}))]
#[case::switched_off(VISITOR, json!({"rateLimitPerMinute": 0}))]
#[tokio::test]
async fn some_addresses_are_never_limited(#[case] ip: &str, #[case] settings: Value) {
    let desk = Desk::start(Db::Sqlite).await;
    desk.set(settings).await;

    for _ in 0..100 {
        desk.submit(ip, JSON, r#"{"name":"A"}"#).await;
    }

    assert_eq!(desk.app().count("quarantine").await, 0);
    assert_eq!(desk.app().count("lead_submissions").await, 100);
    desk.stop().await;
}

#[tokio::test]
async fn a_trusted_address_may_fill_a_honeypot_and_stand_in_a_blocked_range() {
    let desk = Desk::start(Db::Sqlite).await;
    desk.set(json!({"trustedIps": [VISITOR]})).await;
    desk.post("/v1/capture/blocked-ips", json!({"range": "203.0.113.0/24"})).await;

    desk.submit(VISITOR, JSON, r#"{"name":"A","__pg_hp":"x"}"#).await;

    assert_eq!(desk.app().count("leads").await, 1);
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_let_out_becomes_a_lead_as_if_it_had_come_now(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    let body = r#"{"name":"Anna","email":"anna@example.org","__pg_hp":"x","__pg_tts":7000,"submissionId":"0190b5a0-0000-7000-8000-000000000001"}"#;
    let receipt = desk.submit(VISITOR, JSON, body).await.json();
    let id = desk.quarantine().await[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(receipt["receipt"], id.as_str());
    desk.app().advance(Duration::from_secs(3_600));

    let path = format!("/v1/capture/quarantine/{id}/release");
    let released = desk.post(&path, json!({})).await;
    let released_again = desk.post(&path, json!({})).await;

    assert_eq!(released, released_again);
    assert_eq!(released["releasedAt"], desk.app().now().to_string());
    assert_eq!(desk.app().count("leads WHERE suspicion = 10").await, 1);
    assert_eq!(desk.app().count("lead_submissions").await, 1);
    let event = format!("events WHERE kind = 'lead.created' AND created_at = {}", desk.app().now().0);
    assert_eq!(desk.app().count(&event).await, 1);
    assert_eq!(desk.quarantine().await.len(), 0);
    let late_repeat = desk.submit(VISITOR, JSON, body).await.json();
    assert_eq!((&late_repeat["leadId"], &late_repeat["duplicate"]), (&released["leadId"], &json!(true)));
    assert_eq!(desk.app().count("lead_submissions").await, 1);
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_held_back_waits_in_the_spool_while_the_store_is_away(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut desk = Desk::start(db).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Known","email":"known@example.org"}"#).await;
    desk.post("/v1/capture/blocked-ips", json!({"range": "198.51.100.7"})).await;
    desk.submit("198.51.100.7", JSON, r#"{"name":"Blocked"}"#).await;
    let before = desk.traces().await;
    desk.site.app.stop_writers().await;

    let clean = masked(&desk.submit(VISITOR, JSON, r#"{"name":"Clean","email":"clean@example.org"}"#).await);
    let caught = masked(&desk.submit(VISITOR, JSON, r#"{"name":"Bot","email":"bot@example.org","__pg_hp":"x"}"#).await);
    let blocked = masked(&desk.submit("198.51.100.7", JSON, r#"{"name":"Blocked"}"#).await);
    desk.site.restart().await;
    replay::replay(&desk.app().engine).await.expect("replayed");
    replay::replay(&desk.app().engine).await.expect("nothing left");

    assert_eq!((&caught, &blocked), (&clean, &clean));
    assert!(clean.contains("\"stored\":false"));
    let leads = |traces: &[(&str, i64)]| traces[0].1;
    assert_eq!(leads(&desk.traces().await), leads(&before) + 1);
    assert_eq!(desk.app().count("quarantine WHERE reason = 'honeypot'").await, 1);
    assert_eq!(desk.app().count("blocked_ip_leads").await, 2);
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_fills_a_honeypot_is_blocked_where_the_workspace_wants_that(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    let bot = r#"{"name":"Bot","__pg_hp":"x"}"#;
    desk.submit(VISITOR, JSON, bot).await;
    assert_eq!(desk.app().count("blocked_ips").await, 0);
    desk.set(json!({"blockHoneypotIps": true})).await;

    desk.submit(VISITOR, JSON, bot).await;
    desk.submit("10.0.0.7", JSON, bot).await;

    let blocked = desk.list("/v1/capture/blocked-ips").await;
    assert_eq!(blocked.len(), 1, "never the address of a proxy");
    assert_eq!((&blocked[0]["range"], &blocked[0]["createdBy"]), (&json!(VISITOR), &json!("Leadline")));
    desk.stop().await;
}

#[tokio::test]
async fn a_block_ends_when_it_was_said_to() {
    let desk = Desk::start(Db::Sqlite).await;
    let until = desk.app().now().plus_ms(60_000);
    desk.post("/v1/capture/blocked-ips", json!({"range": VISITOR, "expiresAt": until})).await;
    desk.submit(VISITOR, JSON, r#"{"name":"A"}"#).await;
    assert_eq!(desk.app().count("leads").await, 0);

    desk.app().advance(Duration::from_secs(60));
    desk.submit(VISITOR, JSON, r#"{"name":"A"}"#).await;

    assert_eq!(desk.app().count("leads").await, 1);
    assert_eq!(desk.list("/v1/capture/blocked-ips").await[0]["isExpired"], true);
    desk.stop().await;
}

#[rstest]
#[case(json!({"range": "0.0.0.0/0"}), "/range")]
#[case(json!({"range": "example.com"}), "/range")]
#[case(json!({"range": VISITOR, "expiresAt": "2001-01-01T00:00:00Z"}), "/expiresAt")]
#[case(json!({"range": VISITOR, "reason": "x".repeat(501)}), "/reason")]
#[tokio::test]
async fn a_wrong_block_is_refused_with_a_pointer(#[case] body: Value, #[case] pointer: &str) {
    let desk = Desk::start(Db::Sqlite).await;

    let answer = desk.site.with_token(&desk.token).post("/v1/capture/blocked-ips", body).await;

    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    assert_eq!(answer.pointers(), [pointer]);
    desk.stop().await;
}

#[rstest]
#[case(json!({"holdAtSuspicion": 101}), "/settings/holdAtSuspicion")]
#[case(json!({"trustedIps": ["nowhere"]}), "/settings/trustedIps")]
#[case(json!({"testEmails": ["not a domain"]}), "/settings/testEmails")]
#[case(json!({"competitorDomains": ["@"]}), "/settings/competitorDomains")]
#[tokio::test]
async fn a_wrong_setting_is_refused_with_a_pointer(#[case] settings: Value, #[case] pointer: &str) {
    let desk = Desk::start(Db::Sqlite).await;

    let answer = desk.site.with_token(&desk.token).patch("/v1/admin/workspace", json!({"settings": settings})).await;

    assert_eq!(answer.pointers(), [pointer]);
    desk.stop().await;
}

#[tokio::test]
async fn where_detection_is_off_a_honeypot_only_raises_suspicion() {
    let desk = Desk::start(Db::Sqlite).await;
    desk.set(json!({"botDetection": false})).await;

    let receipt = desk.submit(VISITOR, JSON, r#"{"name":"Anna","__pg_hp":"x"}"#).await;

    let lead = desk.lead(&receipt).await;
    assert_eq!(codes(&lead), ["honeypot_filled"]);
    assert_eq!(desk.quarantine().await.len(), 0);
    desk.stop().await;
}

#[tokio::test]
async fn a_webhook_may_send_a_field_that_is_called_like_the_honeypot() {
    let desk = Desk::start(Db::Sqlite).await;
    let hook = desk.post("/v1/identity/lead-webhooks", json!({"name": "Hook"})).await;
    let path = format!("/webhooks/leads/{}", hook["apiKey"].as_str().expect("a key"));
    desk.post("/v1/capture/blocked-ips", json!({"range": VISITOR})).await;

    desk.submit_to(&path, VISITOR, JSON, r#"{"name":"Anna","__pg_hp":"x"}"#).await;

    assert_eq!(desk.app().count("leads WHERE suspicion = 0").await, 1);
    assert_eq!(desk.app().count("quarantine").await, 0);
    desk.stop().await;
}

fn codes(lead: &Value) -> Vec<&str> {
    let reasons = lead["suspicionReasons"].as_array().expect("reasons");
    reasons.iter().map(|reason| reason["code"].as_str().expect("a code")).collect()
}

#[rstest]
#[case(json!({"email": "a@mailinator.com"}), &["disposable_email"])]
#[case(json!({"email": "a@rival.example"}), &["competitor_email"])]
#[case(json!({"email": "a@sales.rival.example"}), &["competitor_email"])]
#[case(json!({"email": "a@example.org"}), &[])]
#[case(json!({"phone": "+49 30 1"}), &["phone_not_valid"])]
#[case(json!({"phone": "+4915112345678"}), &[])]
#[case(json!({"message": "https://a.example https://b.example"}), &["links"])]
#[case(json!({"message": "see https://a.example"}), &[])]
#[case(json!({"__pg_tts": 1_000}), &["submitted_under_5_s"])]
#[case(json!({"__pg_tts": 20_000}), &[])]
#[tokio::test]
async fn suspicion_is_what_the_fields_say(#[case] fields: Value, #[case] expected: &[&str]) {
    let desk = Desk::start(Db::Sqlite).await;
    desk.set(json!({"competitorDomains": ["Rival.example"]})).await;
    let mut body = json!({"name": "Anna", "__form_token": desk.site.form_token()});
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());

    let receipt = desk.submit(VISITOR, JSON, &body.to_string()).await;

    assert_eq!(codes(&desk.lead(&receipt).await), expected);
    desk.stop().await;
}

#[rstest]
#[case::a_program("curl/8.5.0")]
#[case::nothing("")]
#[tokio::test]
async fn who_does_not_call_itself_a_browser_is_a_program(#[case] user_agent: &str) {
    let desk = Desk::start(Db::Sqlite).await;
    let request = Request::post(&desk.form).header("content-type", JSON).header("user-agent", user_agent);

    let receipt = desk.site.send(request.body(Body::from(r#"{"name":"Anna"}"#)).expect("a request")).await;

    assert_eq!(codes(&desk.lead(&receipt).await), ["automated_user_agent"]);
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn how_often_a_visitor_came_in_a_day_raises_suspicion(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    let send = async |n: usize, ip: &str, visitor: &str| {
        let body = json!({"name": "A", "email": format!("n{n}@example.org"), "__visitor_id": visitor,
                          "__form_token": desk.site.form_token()});
        let receipt = desk.submit(ip, JSON, &body.to_string()).await;
        codes(&desk.lead(&receipt).await).first().copied().map(str::to_owned)
    };
    let two = || Some("two_submissions_in_24h".to_owned());
    let three = || Some("three_submissions_in_24h".to_owned());

    assert_eq!(send(0, "203.0.113.1", "visitor-one-0000").await, None);
    assert_eq!(send(1, "203.0.113.1", "visitor-two-0000").await, two(), "the same address");
    assert_eq!(send(2, "203.0.113.2", "visitor-two-0000").await, two(), "the same visitor");
    assert_eq!(send(3, "203.0.113.1", "visitor-two-0000").await, three());
    assert_eq!(send(4, "203.0.113.4", "visitor-four-000").await, None);
    desk.app().advance(Duration::from_secs(24 * 3_600));
    assert_eq!(send(5, "203.0.113.1", "visitor-two-0000").await, None, "a day later");
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_webhooks_own_address_is_nobody_who_comes_too_often(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    let hook = desk.post("/v1/identity/lead-webhooks", json!({"name": "Hook"})).await;
    let path = format!("/webhooks/leads/{}", hook["apiKey"].as_str().expect("a key"));
    let fields = json!({"__pg_tts": 1, "__pg_hp": "x"});

    for n in 0..4 {
        let mut body = fields.clone();
        body["email"] = json!(format!("n{n}@example.org"));
        desk.submit_to(&path, VISITOR, JSON, &body.to_string()).await;
        body["name"] = json!("By API");
        desk.post("/v1/identity/leads", json!({"name": format!("By API {n}")})).await;
    }

    assert_eq!(desk.app().count("leads WHERE suspicion > 0").await, 0);
    assert_eq!(desk.app().count("leads").await, 8);
    assert_eq!(desk.app().count("recent_visits").await, 0);
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_too_suspicious_is_held_where_the_workspace_wants_that(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    desk.set(json!({"holdAtSuspicion": 60})).await;

    let submit = async |email: &str| {
        let body = json!({"email": email, "__pg_tts": 1, "__form_token": desk.site.form_token()});
        desk.submit(VISITOR, JSON, &body.to_string()).await;
    };
    // Quick: 30.
    submit("a@example.org").await;
    // And from a throwaway address, for the second time: 60.
    submit("a@mailinator.com").await;

    assert_eq!(desk.app().count("leads").await, 1);
    let held = desk.quarantine().await;
    assert_eq!((&held[0]["reason"], &held[0]["suspicion"]), (&json!("suspicion"), &json!(60)));
    desk.stop().await;
}

#[rstest]
#[case(VISITOR, "a@example.org", true)]
#[case("203.0.113.10", "a@test.example", true)]
#[case("203.0.113.10", "a@example.org", false)]
#[tokio::test]
async fn tests_are_marked_by_address_and_by_content(#[case] ip: &str, #[case] email: &str, #[case] is_test: bool) {
    let desk = Desk::start(Db::Sqlite).await;
    desk.set(json!({"testIps": [VISITOR], "testEmails": ["test.example"]})).await;

    let receipt = desk.submit(ip, JSON, &json!({"email": email}).to_string()).await;

    assert_eq!(desk.lead(&receipt).await["isTest"], is_test);
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_was_held_back_goes_after_90_days(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    retain(&desk.app().engine).await.expect("a first look");
    desk.submit(VISITOR, JSON, r#"{"name":"Lead"}"#).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Bot","__pg_hp":"x"}"#).await;
    let until = desk.app().now().plus_ms(1_000);
    desk.post("/v1/capture/blocked-ips", json!({"range": "198.51.100.0/24", "expiresAt": until})).await;
    desk.post("/v1/capture/blocked-ips", json!({"range": VISITOR})).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Blocked"}"#).await;
    let kept = async || {
        let app = desk.app();
        (app.count("quarantine").await, app.count("blocked_ip_leads").await, app.count("leads").await)
    };

    // One look a day, and the last of them a second before the 90 days are over.
    for _ in 0..89 {
        desk.live(DAY).await;
    }
    desk.live(DAY - Duration::from_secs(1)).await;
    assert_eq!(kept().await, (1, 1, 1));
    desk.live(Duration::from_secs(3_600)).await;
    assert_eq!(kept().await, (0, 0, 1));
    assert_eq!(desk.app().count("recent_visits").await, 0);
    assert_eq!(desk.app().count("blocked_ips").await, 1, "a block without an end stays");
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_clock_that_leaps_takes_nothing_that_was_held_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    retain(&desk.app().engine).await.expect("a first look");
    desk.submit(VISITOR, JSON, r#"{"name":"Bot","__pg_hp":"x"}"#).await;
    let until = desk.app().now().plus_ms(1_000);
    desk.post("/v1/capture/blocked-ips", json!({"range": VISITOR, "expiresAt": until})).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Blocked"}"#).await;
    let kept = async || {
        let mut counted = Vec::new();
        for table in ["quarantine", "blocked_ip_leads", "blocked_ips", "recent_visits"] {
            counted.push(desk.app().count(table).await);
        }
        counted
    };

    desk.live(100 * DAY).await;
    desk.live(Duration::from_secs(3_600)).await;
    assert_eq!(kept().await, [1, 1, 1, 1]);
    retention::confirm(&desk.app().engine.store, desk.app().now()).await.expect("confirmed");
    desk.live(Duration::from_secs(3_600)).await;

    assert_eq!(kept().await, [0, 0, 0, 0]);
    desk.stop().await;
}

/// The books of the workspace, once they add up with the rows: accepted, stored, excluded, missing.
async fn balanced_books(desk: &Desk) -> [i64; 4] {
    desk.app().run_jobs().await;
    let report = verify::run(&desk.app().engine.store.reader(), desk.app().now()).await.expect("a readable database");
    assert!(report.checks.iter().all(verify::Check::adds_up), "{report:?}");
    let ledger = desk.site.with_token(&desk.token).get("/v1/capture/ledger").await.json();
    let totals = ["accepted", "stored", "excluded"].map(|name| ledger["totals"][name].as_i64().expect("a number"));
    assert_eq!(totals, [report.totals.accepted, report.totals.stored, report.totals.excluded]);
    [totals[0], totals[1], totals[2], ledger["missing"].as_i64().expect("a number")]
}

#[rstest]
#[tokio::test]
async fn the_books_count_what_was_held_back_as_accepted_and_excluded(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut desk = Desk::start(db).await;
    desk.post("/v1/capture/blocked-ips", json!({"range": "198.51.100.7"})).await;
    let bot = r#"{"name":"Bot","__pg_hp":"x","submissionId":"0190b5a0-0000-7000-8000-000000000001"}"#;
    desk.submit(VISITOR, JSON, r#"{"name":"Anna"}"#).await;
    desk.submit(VISITOR, JSON, bot).await;
    desk.submit(VISITOR, JSON, bot).await;
    desk.submit("198.51.100.7", JSON, r#"{"name":"Blocked"}"#).await;
    assert_eq!(balanced_books(&desk).await, [3, 1, 2, 0], "a repeat has the receipt of the first");

    desk.site.app.stop_writers().await;
    desk.submit(VISITOR, JSON, r#"{"name":"Bot","__pg_hp":"x"}"#).await;
    desk.submit("198.51.100.7", JSON, r#"{"name":"Blocked"}"#).await;
    desk.site.restart().await;
    replay::replay(&desk.app().engine).await.expect("replayed");

    assert_eq!(balanced_books(&desk).await, [5, 1, 4, 0], "by way of the spool");
    desk.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_books_count_what_was_let_out_where_its_row_is(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::start(db).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Anna","__pg_hp":"x"}"#).await;
    let path = format!("/v1/capture/quarantine/{}/release", desk.quarantine().await[0]["id"].as_str().expect("an id"));
    desk.app().advance(2 * DAY);

    desk.post(&path, json!({})).await;
    desk.post(&path, json!({})).await;

    assert_eq!(balanced_books(&desk).await, [1, 1, 0, 0]);
    let lines = desk.list("/v1/capture/ledger").await;
    let days: Vec<_> = lines.iter().map(|line| line["on"].as_str().expect("a day")).collect();
    assert_eq!(days, [&desk.app().now().to_string()[..10]]);
    desk.stop().await;
}

#[tokio::test]
async fn without_the_permission_personal_data_is_masked() {
    let desk = Desk::start(Db::Sqlite).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Anna","email":"anna@example.org","__pg_hp":"x"}"#).await;
    desk.post("/v1/capture/blocked-ips", json!({"range": VISITOR})).await;
    desk.submit(VISITOR, JSON, r#"{"name":"Anna"}"#).await;
    let viewer = desk.site.token(Role::Viewer).await;

    let held = desk.site.with_token(&viewer).get("/v1/capture/quarantine").await.text();
    let attempts = desk.site.with_token(&viewer).get("/v1/capture/blocked-attempts").await.text();
    let ranges = desk.site.with_token(&viewer).get("/v1/capture/blocked-ips").await;

    for text in [held, attempts] {
        assert!(!text.contains("anna") && !text.contains("Anna") && !text.contains(VISITOR), "{text}");
    }
    assert_eq!(ranges.status.as_u16(), 403);
    desk.stop().await;
}
