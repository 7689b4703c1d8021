//! Twilio against its own package: what that signs is believed, and what we send is what that sends.

use std::path::Path;

use axum::{
    body::Body,
    http::{Request, header},
};
use leadline_outbound::messages::twilio::is_signed;
use leadline_testkit::{Answer as Reply, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ada, channel, message, packages, providers::twilio, run, start, text};
use crate::browser::{Answer, Site};

const TOKEN: &str = "auth-token-12345";

fn ask(question: &Value) -> Value {
    packages::ask("twilio", question)
}

fn signature(url: &str, fields: &[(&str, &str)]) -> String {
    let signed = ask(&json!({"sign": {"token": TOKEN, "url": url, "fields": fields}}));
    signed.as_str().expect("a signature").to_owned()
}

async fn call(site: &Site, path: &str, fields: &[(&str, &str)], signature: &str) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature);
    site.send(request.body(Body::from(body)).expect("a request")).await
}

#[rstest]
#[tokio::test]
async fn what_twilio_s_package_signs_is_believed_and_nothing_else(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Reply::Body(201, json!({"sid": "SM7"}).to_string()));
    let channel = channel(&admin, twilio(&receiver)).await;
    let ada = ada(&site).await;
    let id = text(&admin, &ada, "Hi").await;
    run(&site).await;

    let path = format!("/channels/{channel}/callback?message={id}");
    let report =
        [("MessageSid", "SM7"), ("MessageStatus", "delivered"), ("To", "+491701234567"), ("From", "+15005550006")];
    let signed = signature(&format!("http://leadline.test{path}"), &report);
    let forged = call(&site, &path, &[("MessageSid", "SM7"), ("MessageStatus", "failed")], &signed).await;
    let right = call(&site, &path, &report, &signed).await;
    // What somebody writes, with everything that Twilio tells beside it and signs that may be anything.
    let path = format!("/channels/{channel}/callback");
    let words = [
        ("MessageSid", "SM8"),
        ("SmsStatus", "received"),
        ("From", "+491701234567"),
        ("NumMedia", "0"),
        ("Body", "Grüße & mehr + 🚀"),
        ("FromCity", ""),
        ("Twice", "b"),
        ("Twice", "a"),
    ];
    let said = call(&site, &path, &words, &signature(&format!("http://leadline.test{path}"), &words)).await;
    // Twilio signs the standard port as well, or does not.
    let with_port = signature(&format!("http://leadline.test:80{path}"), &words);
    let again = call(&site, &path, &words, &with_port).await;

    assert_eq!((forged.problem().0, right.status.as_u16(), said.status.as_u16()), (403, 200, 200));
    assert_eq!(again.status.as_u16(), 200);
    assert_eq!(message(&admin, &id).await["status"], json!("delivered"));
    assert_eq!(site.app.count("messages WHERE direction = 'inbound' AND body = 'Grüße & mehr + 🚀'").await, 1);
    site.stop().await;
}

#[rstest]
#[case::number("+15005550006")]
#[case::service("MG0123456789abcdef0123456789abcdef")]
#[tokio::test]
async fn we_send_what_twilio_s_package_would(#[case] from: &str) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Reply::Body(201, json!({"sid": "SM1"}).to_string()));
    let mut wish = twilio(&receiver);
    wish["settings"]["from"] = json!(from);
    let channel = channel(&admin, wish).await;
    let ada = ada(&site).await;
    let words = "Grüße & mehr + 🚀\nzweite Zeile";
    let id = text(&admin, &ada, words).await;
    run(&site).await;

    let callback = format!("http://leadline.test/channels/{channel}/callback?message={id}");
    let theirs =
        ask(&json!({"send": {"sid": "AC1", "token": TOKEN, "to": "+491701234567", "from": from, "body": words,
        "callback": callback}}));

    let [ours] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!((theirs["method"].as_str(), ours.method.as_str()), (Some("POST"), "POST"));
    assert_eq!(theirs["url"].as_str(), Some(format!("https://api.twilio.com{}", ours.uri).as_str()));
    assert_eq!(theirs["authorization"].as_str(), Some(ours.header("authorization")));
    let mut fields: serde_json::Map<String, Value> =
        url::form_urlencoded::parse(&ours.body).map(|(name, value)| (name.into_owned(), json!(value))).collect();
    // The package takes a service's id for a sender, too, and the API takes it in either field.
    if let Some(service) = fields.remove("MessagingServiceSid") {
        fields.insert("From".to_owned(), service);
    }
    assert_eq!(json!(fields), theirs["fields"]);
    site.stop().await;
}

/// The examples of Twilio's own tests.
#[test]
fn the_signatures_of_twilio_s_own_tests_are_believed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/signatures/twilio.json");
    let text = std::fs::read_to_string(path).expect("the cases: this needs ../shared/cases beside the project");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list");
    assert!(cases.len() >= 2, "only {} cases", cases.len());
    for case in &cases {
        let word = |name: &str| case[name].as_str().unwrap_or_default();
        let fields: Vec<(String, String)> = serde_json::from_value(case["params_list"].clone()).unwrap_or_default();
        let is_right =
            |token: &str, url: &str, body: &str| is_signed(token, url, &fields, body.as_bytes(), word("signature"));

        assert!(is_right(word("token"), word("url"), word("body")), "{case}");
        assert!(!is_right("another", word("url"), word("body")), "{case}");
        assert!(!is_right(word("token"), &format!("{}&more=1", word("url")), word("body")), "{case}");
        if !word("body").is_empty() {
            assert!(!is_right(word("token"), word("url"), "{}"), "{case}");
        }
    }
}
