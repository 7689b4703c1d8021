//! What visitors and other programs send, through the public ways in to the tables.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Site};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

async fn make(site: &Site, path: &str, body: Value) -> Value {
    let token = site.token(Role::Admin).await;
    let answer = site.with_token(&token).post(path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn form_path(site: &Site) -> String {
    let form = make(site, "/v1/capture/forms", json!({"name": "Contact"})).await;
    format!("/f/{}", form["key"].as_str().expect("a key"))
}

async fn post(site: &Site, path: &str, content_type: &str, accept: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header("content-type", content_type).header("accept", accept);
    site.send(request.body(body.into()).expect("a request")).await
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--XX--\r\n"
}

#[rstest]
#[case::json("application/json", r#"{"Full Name":"Zoë Ω 😀","E-MAIL":"zoe@example.com","phone_mobile":"+442079460001","empty":"","color":["red","blue"]}"#.to_owned())]
#[case::urlencoded(FORM, "full_name=Zo%C3%AB+%CE%A9+%F0%9F%98%80&email=zoe%40example.com&Tel=%2B44+20+7946+0001&empty=&color=red&color=blue".to_owned())]
#[case::multipart(MULTIPART, multipart(&[("full-name", "Zoë Ω 😀"), ("EmailAddress", "zoe@example.com"), ("mobile", "+442079460001"), ("empty", ""), ("color", "red"), ("color", "blue")]))]
#[case::text_with_json("text/plain;charset=UTF-8", r#"{"name":"Zoë Ω 😀","email":"zoe@example.com","phone":"+442079460001","empty":"","color":["red","blue"]}"#.to_owned())]
#[case::text_with_a_form("text/plain", "name=Zo%C3%AB+%CE%A9+%F0%9F%98%80&email=zoe%40example.com&phone=%2B442079460001&empty=&color=red&color=blue".to_owned())]
#[tokio::test]
async fn every_kind_of_body_makes_the_same_lead(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] content_type: &str,
    #[case] body: String,
) {
    let site = Site::start(db).await;
    let path = form_path(&site).await;

    let answer = post(&site, &path, content_type, "application/json", body).await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let receipt = answer.json();
    assert_eq!((&receipt["duplicate"], &receipt["stored"]), (&json!(false), &json!(true)));
    let token = site.token(Role::Admin).await;
    let lead = site
        .with_token(&token)
        .get(&format!("/v1/identity/leads/{}", receipt["leadId"].as_str().expect("a lead")))
        .await;
    let lead = lead.json();
    assert_eq!(lead["name"], "Zoë Ω 😀");
    assert_eq!(lead["email"], "zoe@example.com");
    assert_eq!(lead["phone"], "+442079460001");
    assert_eq!(lead["customFields"]["color"], "red, blue");
    assert_eq!(lead["customFields"].get("empty"), None);
    let submissions = site.with_token(&token).get("/v1/capture/submissions").await.json();
    assert_eq!(submissions["data"][0]["fields"]["empty"], "");
    assert_eq!(submissions["data"][0]["fields"]["color"], json!(["red", "blue"]));
    site.stop().await;
}

#[rstest]
#[case::unknown_key("/f/nothing", "application/json", r#"{"name":"A"}"#, 404, "unknown_key")]
#[case::empty("FORM", "application/json", "", 400, "empty_body")]
#[case::blank("FORM", FORM, "  \r\n", 400, "empty_body")]
#[case::broken_json("FORM", "application/json", r#"{"name":"#, 400, "unreadable_body")]
#[case::broken_multipart("FORM", MULTIPART, "--XX\r\nnonsense", 400, "unreadable_body")]
#[case::nobody("FORM", "application/json", r#"{"message":"hello"}"#, 422, "nothing_to_identify_by")]
#[case::an_image("FORM", "image/png", "x", 415, "unsupported_media_type")]
#[tokio::test]
async fn what_cannot_be_taken_is_refused_as_a_problem_or_as_a_page(
    #[case] path: &str,
    #[case] content_type: &str,
    #[case] body: &'static str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let site = Site::start(Db::Sqlite).await;
    let path = if path == "FORM" { form_path(&site).await } else { path.to_owned() };

    let program = post(&site, &path, content_type, "application/json", body).await;
    let browser = post(&site, &path, content_type, "text/html,application/xhtml+xml", body).await;

    assert_eq!(program.problem(), (status, code.to_owned()));
    assert_eq!(browser.status.as_u16(), status);
    assert!(browser.header("content-type").starts_with("text/html"));
    assert!(browser.text().contains("the form"));
    assert_eq!(site.app.count("lead_submissions").await, 0);
    site.stop().await;
}

#[tokio::test]
async fn more_than_a_mebibyte_is_refused_before_it_is_read() {
    let site = Site::start(Db::Sqlite).await;
    let path = form_path(&site).await;

    let just_right = format!("{{\"name\":\"{}\"}}", "a".repeat(1024 * 1024 - 11));
    let too_much = format!("{{\"name\":\"{}\"}}", "a".repeat(1024 * 1024 - 10));

    assert_eq!(post(&site, &path, "application/json", "application/json", just_right).await.status, StatusCode::OK);
    let refused = post(&site, &path, "application/json", "application/json", too_much).await;
    assert_eq!(refused.problem(), (413, "body_too_large".to_owned()));
    site.stop().await;
}

#[rstest]
#[case::our_own_page(json!({"name": "F"}), 301, "http://leadline.test/thank-you")]
#[case::the_forms_page(json!({"name": "F", "thankYouUrl": "https://shop.example.com/thanks?a=1"}), 301, "https://shop.example.com/thanks?a=1")]
#[case::see_other(json!({"name": "F", "thankYouUrl": "https://shop.example.com/", "redirectStatus": 303}), 303, "https://shop.example.com/")]
#[tokio::test]
async fn a_browser_is_sent_on_and_never_remembers_it(#[case] wish: Value, #[case] status: u16, #[case] location: &str) {
    let site = Site::start(Db::Sqlite).await;
    let form = make(&site, "/v1/capture/forms", wish).await;
    let path = format!("/f/{}", form["key"].as_str().expect("a key"));

    let answer = post(&site, &path, FORM, "text/html", "name=A").await;

    assert_eq!(answer.status.as_u16(), status);
    assert_eq!(answer.header("location"), location);
    assert_eq!(answer.header("cache-control"), "no-store");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_repeat_gets_the_same_receipt_by_header_and_by_field(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let path = form_path(&site).await;
    let send = async |key: Option<&str>, body: &str| {
        let mut request = Request::post(&path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        site.send(request.body(Body::from(body.to_owned())).expect("a request")).await.json()["receipt"].clone()
    };
    let id = "0190b5a0-0000-7000-8000-000000000001";

    let first = send(Some(id), r#"{"name":"A"}"#).await;
    let by_header = send(Some(id), r#"{"name":"A"}"#).await;
    let by_field = send(None, &format!(r#"{{"name":"A","submissionId":"{id}"}}"#)).await;
    let another = send(None, r#"{"name":"A"}"#).await;

    assert_eq!(first, by_header);
    assert_eq!(first, by_field);
    assert_ne!(first, another);
    assert_eq!(site.app.count("lead_submissions").await, 2);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_inbound_webhook_maps_flattens_and_counts(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let hook = make(
        &site,
        "/v1/identity/lead-webhooks",
        json!({"name": "Landing page", "fieldMapping": {"job_title": "title"}}),
    )
    .await;
    let key = hook["apiKey"].as_str().expect("a key");
    let body = r#"{"job_title":"CTO","contact":{"first_name":"Anna","email":"anna@example.com"},"budget":0}"#;

    let one = post(&site, &format!("/webhooks/leads/{key}"), "application/json", "*/*", body).await;
    let two = post(&site, &format!("/v1/identity/webhooks/leads/{key}"), "application/json", "*/*", body).await;

    assert_eq!(one.status, StatusCode::OK, "{}", one.text());
    assert_eq!(two.json()["duplicate"], true);
    assert_eq!(site.app.count("leads WHERE title = 'CTO' AND email = 'anna@example.com'").await, 1);
    leadline_engine::dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
    assert_eq!(site.app.count("lead_webhooks WHERE received_count = 2 AND last_received_at IS NOT NULL").await, 1);
    site.stop().await;
}

#[tokio::test]
async fn a_regenerated_key_stops_the_old_address_at_once() {
    let site = Site::start(Db::Sqlite).await;
    let hook = make(&site, "/v1/identity/lead-webhooks", json!({"name": "Landing page"})).await;
    let path = |hook: &Value| format!("/webhooks/leads/{}", hook["apiKey"].as_str().expect("a key"));
    let body = r#"{"name":"A"}"#;
    assert_eq!(post(&site, &path(&hook), "application/json", "*/*", body).await.status, StatusCode::OK);

    let id = hook["id"].as_str().expect("an id");
    let renewed = make(&site, &format!("/v1/identity/lead-webhooks/{id}/regenerate-key"), json!({})).await;

    let old = post(&site, &path(&hook), "application/json", "*/*", body).await;
    assert_eq!(old.problem(), (404, "unknown_key".to_owned()));
    assert_eq!(post(&site, &path(&renewed), "application/json", "*/*", body).await.status, StatusCode::OK);
    site.stop().await;
}

#[tokio::test]
async fn any_site_may_send_and_is_told_so() {
    let site = Site::start(Db::Sqlite).await;
    let path = form_path(&site).await;

    let preflight = Request::options(&path).header("origin", "https://shop.example.com");
    let preflight = site.send(preflight.body(Body::empty()).expect("a request")).await;
    let answer = post(&site, &path, "text/plain", "*/*", r#"{"name":"A"}"#).await;

    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(preflight.header("access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    site.stop().await;
}
