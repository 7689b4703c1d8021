//! What other products send to an inbound webhook, through the door to the tables.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode, Uri, header},
    response::IntoResponse,
};
use leadline_domain::permissions::Role;
use leadline_engine::{
    Engine, Options,
    capture::inbound::{fetch::fetch_due, refused},
    retention::classes,
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Site};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/webhooks_in");

struct Hook<'a> {
    site: &'a Site,
    token: String,
    id: String,
    path: String,
}

impl<'a> Hook<'a> {
    async fn make(site: &'a Site, wish: Value) -> Self {
        let token = site.token(Role::Admin).await;
        let mut body = json!({"name": "Inbound"});
        body.as_object_mut().expect("an object").extend(wish.as_object().expect("an object").clone());
        let made = site.with_token(&token).post("/v1/identity/lead-webhooks", body).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let made = made.json();
        let path = format!("/webhooks/leads/{}", made["apiKey"].as_str().expect("a key"));
        Self { site, token, id: made["id"].as_str().expect("an id").to_owned(), path }
    }

    async fn post(&self, content_type: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(&self.path).header("content-type", content_type);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.site.send(request.body(body.into()).expect("a request")).await
    }

    async fn json(&self, body: &Value) -> Answer {
        self.post("application/json", &[], body.to_string()).await
    }

    async fn api(&self, path: &str, body: Option<Value>) -> Answer {
        let path = format!("/v1/identity/lead-webhooks/{}/{path}", self.id);
        let caller = self.site.with_token(&self.token);
        match body {
            Some(body) => caller.post(&path, body).await,
            None => caller.get(&path).await,
        }
    }

    async fn lead(&self, id: &Value) -> Value {
        let path = format!("/v1/identity/leads/{}", id.as_str().expect("a lead"));
        self.site.with_token(&self.token).get(&path).await.json()
    }
}

fn sample(provider: &str, description: &str) -> Value {
    let text = std::fs::read_to_string(format!("{CASES}/{provider}.json")).expect("the outside test material");
    let samples: Value = serde_json::from_str(&text).expect("the file is JSON");
    let requests = samples["requests"].as_array().expect("requests").clone();
    let found = requests.into_iter().find(|request| request["desc"].as_str() == Some(description));
    found.expect("a sample of that name")["body"].take()
}

/// The content type and the body in which a provider sends a sample.
fn encoded(provider: &str, body: &Value) -> (&'static str, String) {
    let pairs =
        || body.as_object().expect("an object").iter().map(|(name, value)| (name, value.as_str().expect("a text")));
    match provider {
        "elementor" => {
            let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let text: Vec<String> =
                pairs().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
            ("application/x-www-form-urlencoded", text.join("&"))
        }
        "jotform" => {
            let part = |(name, value): (&String, &str)| {
                format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            ("multipart/form-data; boundary=XX", pairs().map(part).collect::<String>() + "--XX--\r\n")
        }
        _ => ("application/json", body.to_string()),
    }
}

#[rstest]
#[case::elementor("elementor", "advanced data body", "Ada Example", Some("ada@example.com"))]
#[case::facebook("facebook_lead_ads", "lead detail as relayed by Zapier/Make", "Ada Example", Some("ada@example.com"))]
#[case::hubspot("hubspot", "batch of three events", "ada@example.com", Some("ada@example.com"))]
#[case::jotform("jotform", "multipart/form-data with rawRequest JSON text", "Bart Simpson", Some("bart@example.com"))]
#[case::typeform("typeform", "all answer types", "Ada Example", Some("ada@example.com"))]
#[case::typeform_empty("typeform", "no answers at all", "Inbound", None)]
#[case::webflow("webflow", "form_submission v2; phone as a NUMBER", "Zaphod Beeblebrox", Some("zaphod@heartofgold.ai"))]
#[tokio::test]
async fn a_delivery_makes_one_lead_however_often_it_comes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] provider: &str,
    #[case] description: &str,
    #[case] name: &str,
    #[case] email: Option<&str>,
) {
    let site = Site::start(db).await;
    let hook = Hook::make(&site, json!({})).await;
    let (content_type, body) = encoded(provider, &sample(provider, description));

    let first = hook.post(content_type, &[], body.clone()).await;
    let again = hook.post(content_type, &[], body).await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let (first, again) = (first.json(), again.json());
    let lead = hook.lead(&first["leadId"]).await;
    assert_eq!((lead["name"].as_str(), lead["email"].as_str()), (Some(name), email));
    assert_eq!(first["leadId"], again["leadId"]);
    // Elementor gives no ids, so only its sender could say that it is a repeat.
    let has_ids = provider != "elementor";
    assert_eq!(first["receipt"] == again["receipt"], has_ids);
    assert_eq!(site.app.count("lead_submissions").await, if has_ids { 1 } else { 2 });
    assert_eq!(site.app.count("leads").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_update_reaches_the_lead_that_was_told_of_before(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let hook = Hook::make(&site, json!({"format": "whatconverts"})).await;
    let chat = |trigger: &str, email: &str, extra: Value| {
        let mut lead = json!({"trigger": trigger, "lead_id": 4711, "lead_type": "Chat", "lead_state": "In Progess",
            "contact_email_address": email, "lead_source": "google", "additional_fields": {"message": "Hello"}});
        lead.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        lead
    };

    let new = hook.json(&chat("new", "", json!({}))).await.json();
    let unnamed = hook.lead(&new["leadId"]).await;
    let update = chat("update", "jane@example.com", json!({"contact_name": "Jane Doe", "quote_value": 900}));
    let told = hook.json(&update).await.json();
    let twice = hook.json(&update).await.json();
    // The same person elsewhere is still found by e-mail, and a corrected e-mail does not make a second lead.
    let corrected = hook.json(&chat("update", "jane.doe@example.com", json!({"lead_state": "Completed"}))).await.json();

    assert_eq!(unnamed["name"], "Inbound");
    assert_eq!([&told["leadId"], &twice["leadId"], &corrected["leadId"]], [&new["leadId"]; 3]);
    assert_eq!(told["receipt"], twice["receipt"]);
    let lead = hook.lead(&new["leadId"]).await;
    assert_eq!((&lead["name"], &lead["email"]), (&json!("Jane Doe"), &json!("jane@example.com")));
    assert_eq!(lead["quoteValue"], "900.00");
    assert_eq!(lead["customFields"]["leadState"], "Completed");
    assert_eq!(site.app.count("leads").await, 1);
    assert_eq!(site.app.count("lead_submissions").await, 3);
    assert_eq!(site.app.count("events WHERE kind = 'lead.created'").await, 1);
    assert_eq!(site.app.count("events WHERE kind = 'lead.updated'").await, 2);
    let submissions = site.with_token(&hook.token).get("/v1/capture/submissions").await.json();
    let kept = submissions["data"].as_array().expect("submissions").iter().any(|one| one["fields"] == update);
    assert!(kept, "the fields as sent: {submissions}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_list_is_a_submission_each_and_one_that_names_nobody_spoils_nothing(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let hook = Hook::make(&site, json!({})).await;
    let list = json!([{"email": "a1@example.com"}, {"color": "red"}, {"email": "a2@example.com"}]);

    let answer = hook.post("application/json", &[("idempotency-key", "k-1")], list.to_string()).await;
    let again = hook.post("application/json", &[("idempotency-key", "k-1")], list.to_string()).await;
    let nobody = hook.json(&json!([{"color": "red"}])).await;
    let too_many = hook.json(&json!(vec![json!({"email": "a@example.com"}); 101])).await;

    let receipts = answer.json()["receipts"].clone();
    assert_eq!((receipts[0]["stored"].as_bool(), receipts[1].is_null()), (Some(true), true), "{receipts}");
    assert_eq!(again.json()["receipts"][2]["receipt"], receipts[2]["receipt"]);
    assert_eq!(nobody.problem(), (422, "nothing_to_identify_by".to_owned()));
    assert_eq!(too_many.problem(), (413, "too_many_fields".to_owned()));
    assert_eq!(site.app.count("leads").await, 2);
    assert_eq!(site.app.count("lead_captures WHERE raw_body LIKE '%a2@example.com%'").await, 1);
    site.stop().await;
}

#[tokio::test]
async fn what_is_about_nobody_is_heard_and_makes_nothing() {
    let site = Site::start(Db::Sqlite).await;
    let hook = Hook::make(&site, json!({})).await;
    let event = json!([{"eventId": 1, "portalId": 7, "objectId": 5, "subscriptionType": "contact.creation"}]);

    let answer = hook.json(&event).await;

    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(site.app.count("leads").await, 0);
    site.stop().await;
}

fn hub_signature(secret: &str, body: &str) -> String {
    format!("sha256={}", leadline_outbound::hmac_hex(secret, body))
}

#[tokio::test]
async fn a_source_that_demands_a_signature_takes_nothing_else() {
    let site = Site::start(Db::Sqlite).await;
    let hook = Hook::make(&site, json!({"proof": "signature", "secret": "app-secret"})).await;
    let body = r#"{"email":"ada@example.com"}"#;
    let signed = hub_signature("app-secret", body);
    let by_another = hub_signature("other-secret", body);
    let send = async |signature: Option<&str>, body: &'static str| {
        let headers: Vec<(&str, &str)> = signature.map(|value| ("x-hub-signature-256", value)).into_iter().collect();
        hook.post("application/json", &headers, body).await
    };

    assert_eq!(send(None, body).await.problem(), (401, "proof_missing".to_owned()));
    assert_eq!(send(Some(&by_another), body).await.problem(), (401, "proof_invalid".to_owned()));
    assert_eq!(send(Some(&signed[..20]), body).await.problem(), (401, "proof_invalid".to_owned()));
    assert_eq!(send(Some(&signed), r#"{"email":"bob@example.com"}"#).await.problem().0, 401);
    assert_eq!(site.app.count("leads").await, 0);
    assert_eq!(send(Some(&signed), body).await.status, StatusCode::OK);
    assert_eq!(site.app.count("sources WHERE CAST(settings AS TEXT) LIKE '%app-secret%'").await, 0);
    let listed = site.with_token(&hook.token).get("/v1/identity/lead-webhooks").await;
    assert_eq!(listed.json()["data"][0]["hasSecret"], true);
    assert!(!listed.text().contains("app-secret"));
    site.stop().await;
}

#[rstest]
#[case::header(json!({"proof": "header", "secret": "hush-hush"}), &[("x-webhook-secret", "hush-hush")], &[("x-webhook-secret", "hush")], 401)]
#[case::named_header(json!({"proof": "header", "secret": "hush-hush", "secretHeader": "Authorization"}), &[("authorization", "Bearer hush-hush")], &[("authorization", "Bearer x")], 401)]
#[case::origin(json!({"allowedOrigins": ["https://shop.example.com/"]}), &[("origin", "https://shop.example.com")], &[("origin", "https://evil.example.com")], 403)]
#[tokio::test]
async fn a_source_turns_away_who_does_not_bring_what_it_demands(
    #[case] wish: Value,
    #[case] right: &[(&str, &str)],
    #[case] wrong: &[(&str, &str)],
    #[case] status: u16,
) {
    let site = Site::start(Db::Sqlite).await;
    let hook = Hook::make(&site, wish).await;
    let body = r#"{"email":"ada@example.com"}"#;

    assert_eq!(hook.post("application/json", wrong, body).await.problem().0, status);
    assert_eq!(hook.post("application/json", &[], body).await.problem().0, status);
    assert_eq!(hook.post("application/json", right, body).await.status, StatusCode::OK);
    assert_eq!(site.app.count("leads").await, 1);
    site.stop().await;
}

#[tokio::test]
async fn the_key_of_google_is_checked_and_kept_nowhere() {
    let site = Site::start(Db::Sqlite).await;
    let hook = Hook::make(&site, json!({"format": "google", "proof": "signature", "secret": "g-key"})).await;
    let lead = |key: &str| {
        json!({"lead_id": "L-1", "google_key": key, "user_column_data": [
            {"column_id": "EMAIL", "column_name": "Email", "string_value": "ada@example.com"}]})
    };

    assert_eq!(hook.json(&lead("wrong-key")).await.problem(), (401, "proof_invalid".to_owned()));
    assert_eq!(hook.json(&lead("g-key")).await.status, StatusCode::OK);

    assert_eq!(site.app.count("leads").await, 1);
    assert_eq!(site.app.count("lead_captures WHERE raw_body LIKE '%g-key%'").await, 0);
    assert_eq!(site.app.count("lead_submissions WHERE payload LIKE '%g-key%'").await, 0);
    refused::keep_refused(&site.app.engine).await.expect("kept");
    assert_eq!(site.app.count("refused_requests").await, 1);
    assert_eq!(site.app.count("refused_requests WHERE raw_body LIKE '%wrong-key%'").await, 0);
    site.stop().await;
}

#[tokio::test]
async fn facebooks_handshake_wants_the_verify_token() {
    let site = Site::start(Db::Sqlite).await;
    let hook = Hook::make(&site, json!({"verifyToken": "TOKEN"})).await;
    let open = Hook::make(&site, json!({})).await;
    let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token";

    let right = site.get(&format!("{}?{query}=TOKEN", hook.path)).await;
    let wrong = site.get(&format!("{}?{query}=token", hook.path)).await;
    let none = site.get(&format!("{}?{query}=", open.path)).await;

    assert_eq!((right.status, right.text()), (StatusCode::OK, "1158201444".to_owned()));
    assert!(right.header("content-type").starts_with("text/plain"));
    assert_eq!(wrong.problem(), (403, "verify_token_invalid".to_owned()));
    assert_eq!(none.problem(), (403, "verify_token_invalid".to_owned()));
    site.stop().await;
}

/// A stand-in for Facebook's Graph API.
struct Graph {
    url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
}

type Told = (Arc<Mutex<Vec<(String, String)>>>, Arc<Mutex<VecDeque<(u16, Value)>>>);

impl Graph {
    async fn start(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1.0", listener.local_addr().expect("an address"));
        let (asked, answers) = (Arc::default(), Arc::new(Mutex::new(answers.into_iter().collect())));
        let told: Told = (Arc::clone(&asked), Arc::clone(&answers));
        let router = Router::new().fallback(Self::answer).with_state(told);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked, answers }
    }

    async fn answer(State((asked, answers)): State<Told>, uri: Uri, headers: HeaderMap) -> impl IntoResponse {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        asked.lock().expect("asked").push((uri.to_string(), token));
        let (status, body) = answers.lock().expect("answers").pop_front().unwrap_or((500, json!({})));
        (
            StatusCode::from_u16(status).expect("a status"),
            [(header::CONTENT_TYPE, "application/json")],
            body.to_string(),
        )
    }

    fn engine(&self, site: &Site) -> Engine {
        let mut engine = site.app.engine.clone();
        let options = Options { facebook_graph_url: self.url.clone(), ..Options::clone(&engine.options) };
        engine.options = Arc::new(options);
        engine
    }
}

fn facebook_lead(id: &str, email: &str) -> Value {
    json!({"id": id, "created_time": "2026-01-05T18:12:06+0000", "form_id": "456", "platform": "ig",
        "campaign_name": "Spring", "field_data": [{"name": "email", "values": [email]},
            {"name": "full_name", "values": ["Ada Example"]}]})
}

#[rstest]
#[tokio::test]
async fn a_notice_of_facebook_becomes_a_lead_when_the_lead_can_be_fetched(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let hook =
        Hook::make(&site, json!({"format": "facebook", "accessToken": "page-token", "secret": "app-secret"})).await;
    let problem = json!({"error": {"message": "Please reduce the amount of data", "code": 4}});
    let graph = Graph::start([(500, problem), (200, facebook_lead("321321321", "ada@example.com"))]).await;
    let engine = graph.engine(&site);
    let notice = sample("facebook_lead_ads", "one leadgen change");

    let first = hook.json(&notice).await;
    let again = hook.json(&sample("facebook_lead_ads", "same leadgen_id delivered again")).await;
    fetch_due(&engine).await.expect("asked");
    let waiting = hook.api("fetches", None).await.json()["data"][0].clone();
    assert_eq!(fetch_due(&engine).await.expect("nothing is due"), 0);
    site.app.advance(std::time::Duration::from_secs(10));
    fetch_due(&engine).await.expect("asked again");

    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    assert_eq!(
        (again.json()["receipt"].clone(), again.json()["duplicate"].clone()),
        (first.json()["receipt"].clone(), json!(true))
    );
    assert_eq!((waiting["state"].as_str(), waiting["attemptCount"].as_i64()), (Some("pending"), Some(1)));
    assert_eq!(waiting["lastError"], "Facebook answered 500: Please reduce the amount of data");
    let asked = graph.asked.lock().expect("asked").clone();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].0.starts_with("/v1.0/321321321?fields=id"), "{}", asked[1].0);
    assert!(asked[1].0.contains("appsecret_proof=") && !asked[1].0.contains("page-token"));
    assert_eq!(asked[1].1, "Bearer page-token");
    assert_eq!(site.app.count("leads WHERE email = 'ada@example.com' AND source = 'facebook'").await, 1);
    let submissions = site.with_token(&hook.token).get("/v1/capture/submissions").await.json();
    assert_eq!(submissions["data"][0]["id"], first.json()["receipt"]);
    assert_eq!(hook.api("fetches", None).await.json()["data"][0]["state"], "done");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn leads_that_were_missed_are_fetched_by_form_and_none_is_doubled(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let hook = Hook::make(&site, json!({"accessToken": "page-token"})).await;
    let page = |leads: Value, next: bool| {
        let mut page = json!({"data": leads, "paging": {"cursors": {"after": "CURSOR"}}});
        if next {
            page["paging"]["next"] = json!("https://graph.facebook.com/next");
        }
        (200, page)
    };
    let graph = Graph::start([
        page(json!([facebook_lead("1", "a@example.com"), facebook_lead("2", "b@example.com")]), true),
        page(json!([facebook_lead("3", "c@example.com")]), false),
    ])
    .await;
    let relayed = hook.json(&facebook_lead("2", "b@example.com")).await;
    assert_eq!(relayed.status, StatusCode::OK, "{}", relayed.text());

    let asked = hook.api("fetches", Some(json!({"formId": "456"}))).await;
    let wrong = hook.api("fetches", Some(json!({"formId": "456/../me"}))).await;
    fetch_due(&graph.engine(&site)).await.expect("asked");

    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    assert_eq!(wrong.problem().0, 422);
    let uris: Vec<String> = graph.asked.lock().expect("asked").iter().map(|(uri, _)| uri.clone()).collect();
    assert!(uris[0].starts_with("/v1.0/456/leads?") && uris[1].contains("after=CURSOR"), "{uris:?}");
    assert_eq!(site.app.count("leads").await, 3);
    assert_eq!(site.app.count("lead_submissions").await, 3);
    let fetched = hook.api("fetches", None).await.json()["data"][0].clone();
    assert_eq!((fetched["state"].as_str(), fetched["foundCount"].as_i64()), (Some("done"), Some(3)));
    assert!(graph.answers.lock().expect("answers").is_empty());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_refused_request_is_seen_previewed_and_replayed_through_a_changed_mapping(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let hook = Hook::make(&site, json!({})).await;
    let accepted = hook.json(&json!({"email": "ada@example.com"})).await.json();
    site.app.advance(std::time::Duration::from_secs(1));
    let body = r#"{"who":"Bob Example","wo":"x"}"#;
    assert_eq!(hook.post("application/json", &[("authorization", "Bearer t")], body).await.problem().0, 422);
    refused::keep_refused(&site.app.engine).await.expect("kept");

    let seen = hook.api("requests", None).await.json()["data"].clone();
    let request = seen[0]["id"].as_str().expect("an id").to_owned();
    let mapping = json!({"fieldMapping": {"who": "name"}});
    let as_is = hook.api(&format!("requests/{request}/preview"), Some(json!({}))).await.json();
    let preview = hook.api(&format!("requests/{request}/preview"), Some(mapping.clone())).await.json();
    let replayed = hook.api(&format!("requests/{request}/replay"), Some(mapping.clone())).await.json();
    let twice = hook.api(&format!("requests/{request}/replay"), Some(mapping)).await.json();
    let unmapped = hook.api(&format!("requests/{request}/replay"), Some(json!({}))).await.json();

    assert_eq!((seen[0]["status"].as_i64(), seen[0]["code"].as_str()), (Some(422), Some("nothing_to_identify_by")));
    assert_eq!((seen[0]["body"].as_str(), seen[0]["headers"]["authorization"].as_str()), (Some(body), Some("•••")));
    assert_eq!((seen[1]["status"].as_i64(), &seen[1]["leadId"]), (Some(200), &accepted["leadId"]));
    assert_eq!((as_is["leads"][0]["isEnough"].as_bool(), as_is["leads"][0]["name"].as_str()), (Some(false), None));
    assert_eq!(preview["leads"][0]["name"], "Bob Example");
    assert_eq!(preview["leads"][0]["customFields"]["wo"], "x");
    assert_eq!(replayed["receipts"][0]["receipt"], twice["receipts"][0]["receipt"]);
    assert_eq!(unmapped["receipts"][0]["code"], "nothing_to_identify_by");
    assert_eq!(site.app.count("leads WHERE name = 'Bob Example'").await, 1);
    assert_eq!(site.app.count("lead_submissions").await, 2);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_source_keeps_its_last_fifty_refused_requests_for_ninety_days(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let hook = Hook::make(&site, json!({})).await;
    for number in 0..60 {
        site.app.advance(std::time::Duration::from_millis(1));
        hook.json(&json!({"number": number})).await;
        if number % 20 == 0 {
            refused::keep_refused(&site.app.engine).await.expect("kept");
        }
    }
    refused::keep_refused(&site.app.engine).await.expect("kept");

    assert_eq!(site.app.count("refused_requests").await, 50);
    assert_eq!(site.app.count("refused_requests WHERE raw_body LIKE '%:59}'").await, 1);
    assert_eq!(site.app.count("refused_requests WHERE raw_body LIKE '%:9}'").await, 0);
    site.app.advance(std::time::Duration::from_secs(90 * 24 * 3_600));
    classes::sweep(&site.app.engine, site.app.now()).await.expect("deleted");
    assert_eq!(site.app.count("refused_requests").await, 0);
    site.stop().await;
}

#[tokio::test]
async fn what_a_request_holds_is_for_those_who_may_see_personal_data() {
    let site = Site::start(Db::Sqlite).await;
    let hook = Hook::make(&site, json!({})).await;
    let id = hook.json(&json!({"email": "ada@example.com"})).await.json()["receipt"].clone();
    let elsewhere = site.app.make_workspace("elsewhere").await.0;
    let stranger = site.token_in(elsewhere, Role::Admin).await;
    let viewer = site.token(Role::Viewer).await;
    let path = format!("/v1/identity/lead-webhooks/{}/requests", hook.id);
    let preview = format!("{path}/{}/preview", id.as_str().expect("an id"));

    assert_eq!(site.with_token(&stranger).get(&path).await.problem().0, 404);
    assert_eq!(site.with_token(&stranger).post(&preview, json!({})).await.problem().0, 404);
    assert_eq!(site.with_token(&viewer).get(&path).await.problem().0, 403);
    assert_eq!(hook.api("requests", None).await.json()["data"][0]["body"], r#"{"email":"ada@example.com"}"#);
    site.stop().await;
}

#[rstest]
#[case(json!({"format": "fax"}), "/format")]
#[case(json!({"proof": "trust"}), "/proof")]
#[case(json!({"proof": "signature"}), "/secret")]
#[case(json!({"secret": "abc"}), "/secret")]
#[case(json!({"secretHeader": "a b"}), "/secretHeader")]
#[case(json!({"allowedOrigins": ["nonsense"]}), "/allowedOrigins")]
#[tokio::test]
async fn settings_that_cannot_be_are_refused(#[case] wish: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let mut body = json!({"name": "Inbound"});
    body.as_object_mut().expect("an object").extend(wish.as_object().expect("an object").clone());

    let answer = site.with_token(&token).post("/v1/identity/lead-webhooks", body).await;

    assert_eq!(answer.pointers(), [pointer]);
    site.stop().await;
}
