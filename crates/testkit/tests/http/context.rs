//! What is found out about the visitor behind a submission, and what is not believed.

use std::{net::SocketAddr, path::Path};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_engine::{capture::replay, geo::Files};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

const PROXY: &str = "10.0.0.1:4711";
const STRANGER: &str = "203.0.113.9:4711";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";

/// What a browser sends through a content delivery network.
const TOLD: [(&str, &str); 8] = [
    ("user-agent", IPHONE),
    ("accept-language", "de-AT,de;q=0.9"),
    ("x-forwarded-for", "198.51.100.7"),
    ("cf-ipcountry", "AT"),
    ("cf-ipcity", "Wien"),
    ("cf-region", "Wien"),
    ("cf-postal-code", "1010"),
    ("cf-timezone", "Europe/Vienna"),
];

async fn source(site: &Site, path: &str) -> String {
    let token = site.token(Role::Admin).await;
    let made = site.with_token(&token).post(path, json!({"name": "Source"})).await.json();
    match made["apiKey"].as_str() {
        Some(key) => format!("/webhooks/leads/{key}"),
        None => format!("/f/{}", made["key"].as_str().expect("a key")),
    }
}

async fn form(site: &Site) -> String {
    source(site, "/v1/capture/forms").await
}

async fn post(site: &Site, path: &str, peer: &str, headers: &[(&str, &str)], fields: Value) -> Value {
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer: SocketAddr = peer.parse().expect("an address");
    let request = request.extension(ConnectInfo(peer)).body(Body::from(fields.to_string())).expect("a request");
    let answer = site.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn lead(site: &Site, receipt: &Value) -> Value {
    seen_by(site, receipt, Role::Admin).await
}

async fn seen_by(site: &Site, receipt: &Value, role: Role) -> Value {
    let token = site.token(role).await;
    let path = format!("/v1/identity/leads/{}", receipt["leadId"].as_str().expect("a lead"));
    site.with_token(&token).get(&path).await.json()
}

fn reasons(lead: &Value) -> Vec<&str> {
    let reasons = lead["suspicionReasons"].as_array().expect("reasons");
    reasons.iter().filter_map(|reason| reason["code"].as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn what_a_proxy_and_a_browser_tell_stands_with_lead_and_submission(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start_behind(db, "10.0.0.0/8").await;
    let path = form(&site).await;

    let fields = json!({"name": "Ada", "__timezone": "Europe/Vienna", "pageUrl": "https://example.com/",
                        "referrer": "https://www.google.at/"});
    let receipt = post(&site, &path, PROXY, &TOLD, fields).await;

    let lead = lead(&site, &receipt).await;
    let expected = json!({
        "location": {"country": "AT", "region": "Wien", "regionCode": null, "city": "Wien", "postalCode": "1010",
                     "timezone": "Europe/Vienna"},
        "network": null,
        "device": {"kind": "smartphone", "make": "Apple", "model": "iPhone", "os": "iOS", "osVersion": "17.4",
                   "browser": "Mobile Safari", "browserVersion": "17"},
        "language": "de-AT",
        "timezone": "Europe/Vienna",
    });
    assert_eq!(lead["context"], expected);
    assert_eq!((&lead["firstTouch"]["channel"], &lead["firstTouch"]["source"]), (&json!("search"), &json!("Google")));
    assert_eq!(lead["customFields"].get("timezone"), None, "{}", lead["customFields"]);
    let token = site.token(Role::Admin).await;
    let submissions = site.with_token(&token).get("/v1/capture/submissions").await.json();
    assert_eq!(submissions["data"][0]["context"], expected);
    site.stop().await;
}

#[tokio::test]
async fn a_strangers_word_about_their_place_is_not_believed() {
    let site = Site::start_behind(Db::Sqlite, "10.0.0.0/8").await;
    let path = form(&site).await;

    let receipt = post(&site, &path, STRANGER, &TOLD, json!({"name": "Ada"})).await;

    let context = lead(&site, &receipt).await["context"].clone();
    assert_eq!((&context["location"], &context["network"]), (&Value::Null, &Value::Null));
    assert_eq!(context["device"]["make"], "Apple");
    site.stop().await;
}

#[rstest]
#[case::hosting("16509", "Asia/Tokyo", &["vpn", "timezone_far_from_ip"])]
#[case::at_home("8447", "Europe/Vienna", &[])]
#[case::no_zone("8447", "nonsense", &[])]
#[tokio::test]
async fn a_network_and_a_clock_may_be_suspicious(#[case] asn: &str, #[case] zone: &str, #[case] expected: &[&str]) {
    let site = Site::start_behind(Db::Sqlite, "10.0.0.0/8").await;
    let path = form(&site).await;
    let headers = [TOLD.as_slice(), &[("cf-asn", asn)]].concat();

    let receipt = post(&site, &path, PROXY, &headers, json!({"name": "Ada", "__timezone": zone})).await;

    let lead = lead(&site, &receipt).await;
    let ours: Vec<&str> =
        reasons(&lead).into_iter().filter(|code| code.contains("vpn") || code.contains("timezone")).collect();
    assert_eq!(ours, expected);
    site.stop().await;
}

#[tokio::test]
async fn of_the_server_behind_a_webhook_nothing_is_said() {
    let site = Site::start_behind(Db::Sqlite, "10.0.0.0/8").await;
    let path = source(&site, "/v1/identity/lead-webhooks").await;
    let headers = [TOLD.as_slice(), &[("cf-asn", "16509")]].concat();

    let receipt = post(&site, &path, PROXY, &headers, json!({"name": "Ada", "__timezone": "Asia/Tokyo"})).await;

    let lead = lead(&site, &receipt).await;
    assert_eq!(lead["context"]["location"], Value::Null);
    assert_eq!(lead["context"]["device"], Value::Null);
    assert_eq!(reasons(&lead), Vec::<&str>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_further_submission_says_where_somebody_is_now_or_leaves_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start_behind(db, "10.0.0.0/8").await;
    let path = form(&site).await;
    let webhook = source(&site, "/v1/identity/lead-webhooks").await;
    let ada = json!({"name": "Ada", "email": "ada@example.com"});
    let city = async |receipt: &Value| lead(&site, receipt).await["context"]["location"]["city"].clone();

    post(&site, &path, PROXY, &TOLD, ada.clone()).await;
    let by_program = post(&site, &webhook, PROXY, &[], ada.clone()).await;
    assert_eq!(city(&by_program).await, "Wien");

    let elsewhere = [("user-agent", IPHONE), ("cf-ipcountry", "AT"), ("cf-ipcity", "Graz")];
    let again = post(&site, &path, PROXY, &elsewhere, ada).await;

    assert_eq!(again["leadId"], by_program["leadId"]);
    assert_eq!(city(&again).await, "Graz");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_was_found_out_survives_the_spool(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start_behind(db, "10.0.0.0/8").await;
    let path = form(&site).await;
    site.app.stop_writers().await;
    let spooled = post(&site, &path, PROXY, &TOLD, json!({"name": "Ada", "__timezone": "Asia/Tokyo"})).await;
    assert_eq!(spooled["stored"], false);

    site.app.restart().await;
    replay::replay(&site.app.engine).await.expect("replayed");
    site.reopen();

    let token = site.token(Role::Admin).await;
    let submission = site.with_token(&token).get("/v1/capture/submissions").await.json()["data"][0].clone();
    assert_eq!(submission["context"]["location"]["city"], "Wien");
    assert_eq!(submission["context"]["device"]["model"], "iPhone");
    assert_eq!(reasons(&lead(&site, &submission).await), ["timezone_far_from_ip"]);
    site.stop().await;
}

#[tokio::test]
async fn a_database_of_places_tells_what_no_proxy_told() {
    let site = Site::start_behind(Db::Sqlite, "10.0.0.0/8").await;
    let path = form(&site).await;
    let places = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/geo/GeoIP2-City-Test.mmdb");
    assert!(Path::new(places).exists(), "the outside test material is missing: ../shared/cases/geo");
    site.app.engine.geo.follow(Files { places: Some(places.into()), networks: None });

    let headers = [("user-agent", IPHONE), ("x-forwarded-for", "2.125.160.216")];
    let receipt = post(&site, &path, PROXY, &headers, json!({"name": "Ada"})).await;

    let location = lead(&site, &receipt).await["context"]["location"].clone();
    assert_eq!((&location["country"], &location["city"]), (&json!("GB"), &json!("Boxford")));
    assert_eq!((&location["region"], &location["postalCode"]), (&json!("England"), &json!("OX1")));
    site.stop().await;
}

#[tokio::test]
async fn without_the_permission_no_postal_code_and_no_ids_are_shown() {
    let site = Site::start_behind(Db::Sqlite, "10.0.0.0/8").await;
    let path = form(&site).await;
    let fields = json!({"name": "Ada", "gclid": "G-1", "hubspotutk": "H-1", "pageUrl": "https://example.com/"});

    let receipt = post(&site, &path, PROXY, &TOLD, fields).await;

    let lead = seen_by(&site, &receipt, Role::Viewer).await;
    assert_eq!(lead["masked"], true);
    assert_eq!(lead["context"]["location"]["city"], "Wien");
    assert_eq!(lead["context"]["location"]["postalCode"], Value::Null);
    assert_eq!(lead["firstTouch"].get("clickIds").or(lead["firstTouch"].get("programIds")), None);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn ids_of_other_programs_are_kept_with_the_touch(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start_behind(db, "10.0.0.0/8").await;
    let path = form(&site).await;

    let fields = json!({
        "name": "Ada", "gclid": "G-1", "gbraid": "GB-1", "wbraid": "WB-1", "msclkid": "M-1", "fbclid": "F-1",
        "facebook_browser_id": "fb.1.1621529626600.927228660", "facebook_click_id": "fb.1.1621529626598.IwAR1",
        "_ga": "GA1.2.1017418163.1594157791", "unbounce_page_id": "f8e32bbc", "unbounce_variant_id": "b",
        "unbounce_visitor_id": "107.210.21.188", "vwo_account_id": "512835", "vwo_experiment_id": "2",
        "vwo_variant_id": "3", "vwo_user_id": "D4A1", "salesforce_user_id": "152", "roistat_visit_id": "wqe",
        "hubspot_visitor_id": "5a72", "utm_source": "google",
    });
    let receipt = post(&site, &path, PROXY, &TOLD, fields).await;

    let lead = lead(&site, &receipt).await;
    assert_eq!(
        lead["firstTouch"]["clickIds"],
        json!({"gclid": "G-1", "gbraid": "GB-1", "wbraid": "WB-1", "msclkid": "M-1", "fbclid": "F-1",
               "fbp": "fb.1.1621529626600.927228660", "fbc": "fb.1.1621529626598.IwAR1"})
    );
    assert_eq!(
        lead["firstTouch"]["programIds"],
        json!({"google_analytics_client_id": "1017418163.1594157791", "unbounce_page_id": "f8e32bbc",
               "unbounce_variant_id": "b", "unbounce_visitor_id": "107.210.21.188", "vwo_account_id": "512835",
               "vwo_experiment_id": "2", "vwo_variant_id": "3", "vwo_user_id": "D4A1", "salesforce_user_id": "152",
               "roistat_visit_id": "wqe", "hubspot_visitor_id": "5a72"})
    );
    assert_eq!((&lead["firstTouch"]["channel"], &lead["firstTouch"]["source"]), (&json!("paid"), &json!("google")));
    site.stop().await;
}
