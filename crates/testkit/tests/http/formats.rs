//! What destinations of each format are told of five leads that came in by different doors.
//!
//! The bodies stand in `golden/`, with ids and times taken out. `UPDATE_GOLDEN=1` writes them anew.

use std::{collections::BTreeSet, env, fs, net::SocketAddr, path::Path};

use axum::{body::Body, extract::ConnectInfo, http::Request};
use leadline_domain::{permissions::Role, time::Timestamp};
use leadline_testkit::{Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::Site;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/golden");
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/seeds");

const FORMATS: [&str; 4] = ["leadline", "crm", "simple", "template"];

/// A template with one placeholder of each kind.
const TEMPLATE: &str = r#"{
  "event": "{{event}}", "lead": "{{leadId}}",
  "who": ["{{firstName}}", "{{lastName | default:'-' | upper}}", "{{email}}", "{{phone | national}}"],
  "budget": "{{customFields.budget}}", "said": "{{message}}", "from": "{{source}} / {{utmSource | default:'direct'}}",
  "day": "{{capturedAt | date:'%Y'}}", "back": "{{deliveryId}}", "fixed": [1.50, true, null]
}"#;

/// The document of others that this number begins.
fn seed(number: &str) -> String {
    let missing = "the outside test material is missing: ../shared/seeds beside the project";
    let files = fs::read_dir(SEEDS).unwrap_or_else(|error| panic!("{missing} ({error})"));
    let is_it = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(number));
    let path = files.filter_map(|file| Some(file.ok()?.path())).find(|path| is_it(path)).expect(missing);
    fs::read_to_string(path).expect(missing)
}

/// A workspace with a destination of each format.
struct Desk {
    site: Site,
    token: String,
    receivers: Vec<Receiver>,
}

impl Desk {
    async fn open(db: Db) -> Self {
        let site = Site::start(db).await;
        let token = site.token(Role::Admin).await;
        let mut receivers = Vec::new();
        for format in FORMATS {
            let receiver = Receiver::start().await;
            let mut wish = json!({
                "name": format, "url": receiver.url(), "format": format,
                "events": ["lead.created", "lead.re_engaged", "lead.resubmitted"],
            });
            if format == "template" {
                wish["template"] = TEMPLATE.into();
            }
            let made = site.with_token(&token).post("/v1/delivery/destinations", wish).await;
            assert_eq!(made.status, 200, "{}", made.text());
            receivers.push(receiver);
        }
        Self { site, token, receivers }
    }

    async fn make(&self, path: &str, key: &str) -> String {
        let made = self.site.with_token(&self.token).post(path, json!({"name": "Website"})).await.json();
        made[key].as_str().expect("a key").to_owned()
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)], body: Value) {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = "10.0.0.1:4711".parse().expect("an address");
        let request = request.extension(ConnectInfo(peer)).body(Body::from(body.to_string())).expect("a request");
        let answer = self.site.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// What the destination of a format was told, the newest.
    async fn told(&self, format: &str) -> Value {
        self.site.app.run_jobs().await;
        let index = FORMATS.iter().position(|name| *name == format).expect("a format");
        self.receivers[index].received().last().expect("a request").json()
    }
}

const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// The five leads.
async fn arrive(desk: &Desk, lead: &str) {
    match lead {
        "form" => {
            let form = format!("/f/{}", desk.make("/v1/capture/forms", "key").await);
            let body = json!({
                "name": "Ada King Lovelace", "email": "ada@example.com", "phone": "+91 99999 99999",
                "company": "Engines Ltd", "message": "Please call me.\nSoon.", "budget": "5000", "location": "Pune",
                "team": "North", "__page_url": "https://shop.example/offer?utm_source=ads&utm_term=looms&gclid=G1",
                "__referrer": "https://search.example/", "__pg_tts": "41000", "__visitor_id": "v-1",
                "__session_id": "s-1",
            });
            desk.send(&form, &[("user-agent", CHROME), ("x-forwarded-for", "203.0.113.9")], body).await;
        }
        "webhook" => {
            let hook = format!("/webhooks/leads/{}", desk.make("/v1/identity/lead-webhooks", "apiKey").await);
            desk.send(&hook, &[], json!({"full_name": "Grace Hopper", "work_email": "grace@navy.example", "rank": 8}))
                .await;
        }
        "phone_only" => {
            let form = format!("/f/{}", desk.make("/v1/capture/forms", "key").await);
            desk.send(&form, &[("user-agent", CHROME)], json!({"phone": "+49 30 123456"})).await;
        }
        "hostile" => {
            let form = format!("/f/{}", desk.make("/v1/capture/forms", "key").await);
            let body = json!({
                "name": "\"},\"admin\":true,{\"x\":\"", "email": "eve@example.com",
                "message": "{{leadId}} </script>\u{2028}\u{1}\\ 😀", "budget": "=1+1",
            });
            desk.send(&form, &[("user-agent", CHROME)], body).await;
        }
        "by_hand" => {
            let body = json!({"name": "Mary Shelley", "email": "mary@example.com", "tags": ["vip"], "customFields": {"budget": 7}});
            let made = desk.site.with_token(&desk.token).post("/v1/identity/leads", body).await;
            assert_eq!(made.status, 200, "{}", made.text());
        }
        other => panic!("no lead named {other}"),
    }
}

/// A body without what differs from run to run.
fn settled(body: Value) -> Value {
    match body {
        Value::String(text) if Uuid::parse_str(&text).is_ok() => json!("(id)"),
        Value::String(text) if Timestamp::parse(&text).is_some() => json!("(time)"),
        Value::Array(items) => items.into_iter().map(settled).collect(),
        Value::Object(fields) => {
            let settle = |(name, value): (String, Value)| match name.as_str() {
                "lead_submission_id" => (name, json!("(number)")),
                "slug" => (name, json!("(slug)")),
                _ => (name, settled(value)),
            };
            Value::Object(fields.into_iter().map(settle).collect())
        }
        other => other,
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_format_tells_a_lead_in_its_own_words(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values("form", "webhook", "phone_only", "hostile", "by_hand")] lead: &str,
) {
    let desk = Desk::open(db).await;

    arrive(&desk, lead).await;

    for format in FORMATS {
        let told = format!("{:#}\n", settled(desk.told(format).await));
        let path = Path::new(FOLDER).join(format!("{lead}.{format}.json"));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &told).expect("a golden body can be written");
        }
        let golden = fs::read_to_string(&path).expect("a golden body; UPDATE_GOLDEN=1 writes it");
        assert_eq!(told, golden, "{format}");
    }
    desk.site.stop().await;
}

/// The names in the table of the document that describes the flat payload.
fn crm_fields() -> Vec<String> {
    let document = seed("002");
    let table = document.split("Lead Payload").nth(1).expect("the section").lines();
    let rows = table.skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(2).expect("a cell"));
    let words = cells.flat_map(|cell| cell.split(|char: char| !char.is_ascii_alphanumeric() && char != '_'));
    let names = words.filter(|word| word.contains('_') || matches!(*word, "email" | "email1"));
    names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_flat_payload_has_every_documented_field_and_what_is_unknown_is_said(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let desk = Desk::open(db).await;

    arrive(&desk, "form").await;

    let told = desk.told("crm").await;
    let fields = crm_fields();
    assert!(fields.len() >= 39, "{fields:?}");
    for field in &fields {
        assert!(told.get(field).is_some(), "{field} is missing in {told:#}");
    }
    let ours: Vec<&String> = told.as_object().expect("an object").keys().filter(|key| !fields.contains(key)).collect();
    assert_eq!(ours, ["custom_fields", "event", "message"]);
    assert_eq!((&told["phone_mobile"], &told["country_code"]), (&json!("+91-9999999999"), &json!("+91")));
    assert_eq!((&told["engagement_score"], &told["engagement_label"]), (&json!(0), &json!("Cold")));
    desk.site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_small_payload_has_the_documented_keys_and_one_more_for_who_came_back(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let desk = Desk::open(db).await;
    let document = seed("004");
    let example = document[document.find('{').expect("an example")..].to_owned();
    let example: Value = serde_json::Deserializer::from_str(&example).into_iter().next().expect("one").expect("JSON");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();

    arrive(&desk, "form").await;
    let first = desk.told("simple").await;
    desk.site.app.advance(std::time::Duration::from_secs(25 * 3_600));
    arrive(&desk, "form").await;
    let second = desk.told("simple").await;

    assert_eq!(keys(&first), keys(&example));
    assert_eq!((&first["event"], &first["phone"]), (&json!("lead.created"), &json!("+919999999999")));
    assert_eq!((&second["event"], &second["leadId"]), (&json!("lead.re_engaged"), &first["leadId"]));
    assert!(keys(&second).contains(&"lastConversationAt".to_owned()));
    desk.site.stop().await;
}
