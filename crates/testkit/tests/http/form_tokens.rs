//! The token that the embed script puts into forms: what a submission without it, or with an old one, is suspected of.

use std::time::Duration;

use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

const HOUR: Duration = Duration::from_secs(3_600);

async fn make(site: &Site, path: &str) -> Value {
    let token = site.token(Role::Admin).await;
    site.with_token(&token).post(path, json!({"name": "Contact"})).await.json()
}

/// What a submission of these fields is suspected of.
async fn suspected(site: &Site, path: &str, mut fields: Value) -> Vec<String> {
    fields["email"] = "anna@example.org".into();
    let made = site.stranger().post(path, fields).await.json();
    let token = site.token(Role::Admin).await;
    let lead = format!("/v1/identity/leads/{}", made["leadId"].as_str().expect("a lead"));
    let lead = site.with_token(&token).get(&lead).await.json();
    let reasons = lead["suspicionReasons"].as_array().expect("reasons");
    reasons.iter().map(|reason| reason["code"].as_str().expect("a code").to_owned()).collect()
}

/// The token in the script as it is served.
async fn served(site: &Site) -> String {
    let script = site.get("/embed.js").await.text();
    let after = script.split_once("__form_token:").expect("the script sends it").1;
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || "_$".contains(*c)).collect();
    let declared = if name.is_empty() { after } else { script.split_once(&format!("{name}=")).expect("its value").1 };
    declared.trim_start_matches(['"', '\'', '`']).split(['"', '\'', '`']).next().expect("a text").to_owned()
}

#[rstest]
#[tokio::test]
async fn the_token_of_the_script_is_good_for_a_day(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let form = format!("/f/{}", make(&site, "/v1/capture/forms").await["key"].as_str().expect("a key"));

    let token = served(&site).await;
    let at_once = suspected(&site, &form, json!({"__form_token": token})).await;
    site.app.advance(23 * HOUR);
    let of_later = served(&site).await;
    site.app.advance(4 * HOUR);
    let next_day = suspected(&site, &form, json!({"__form_token": token})).await;

    assert_ne!(token, of_later);
    assert_eq!(at_once, Vec::<String>::new());
    assert_eq!(next_day, ["form_token_expired"]);
    site.stop().await;
}

#[rstest]
#[case::forged(json!({"__form_token": "76e2b.00000000"}), &["form_token_forged"])]
#[case::left_out(json!({"__visitor_id": "v-1", "__pg_tts": 60_000}), &["form_token_missing"])]
#[case::without_our_script(json!({}), &[])]
#[tokio::test]
async fn who_has_the_script_has_its_token(#[case] fields: Value, #[case] expected: &[&str]) {
    let site = Site::start(Db::Sqlite).await;
    let form = format!("/f/{}", make(&site, "/v1/capture/forms").await["key"].as_str().expect("a key"));

    assert_eq!(suspected(&site, &form, fields).await, expected);
    site.stop().await;
}

#[tokio::test]
async fn a_program_is_asked_for_no_token() {
    let site = Site::start(Db::Sqlite).await;
    let made = make(&site, "/v1/identity/lead-webhooks").await;
    let hook = format!("/webhooks/leads/{}", made["apiKey"].as_str().expect("a key"));

    let reasons = suspected(&site, &hook, json!({"__visitor_id": "v-1", "__form_token": "forged"})).await;

    assert_eq!(reasons, Vec::<String>::new());
    site.stop().await;
}
