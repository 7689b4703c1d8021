//! What providers call back with: believed only when it is signed, and moving a message forward only.

use axum::{
    body::Body,
    http::{Request, header},
};
use hmac::{Hmac, KeyInit, Mac};
use leadline_outbound::hmac_hex;
use leadline_testkit::{Answer as Reply, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    ada, channel, events, made, message,
    providers::{twilio, whatsapp},
    quick_send, run, start, status, text,
};
use crate::browser::{Answer, Caller, Site};

fn signed(secret: &str, body: &str) -> String {
    format!("sha256={}", hmac_hex(secret, body))
}

async fn post(site: &Site, channel: &str, body: &str, signature: Option<&str>) -> Answer {
    let mut request =
        Request::post(format!("/channels/{channel}/callback")).header(header::CONTENT_TYPE, "application/json");
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    site.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn call(site: &Site, channel: &str, body: &Value) -> Answer {
    let body = body.to_string();
    post(site, channel, &body, Some(&signed("app-secret-12345", &body))).await
}

fn change(more: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": "7"}});
    value.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]})
}

fn report(id: &str, status: &str) -> Value {
    let mut one = json!({"id": id, "status": status, "timestamp": "1767600100", "recipient_id": "491701234567"});
    if status == "failed" {
        one["errors"] = json!([{"code": 131_026, "title": "Undeliverable"}]);
    }
    change(&json!({"statuses": [one]}))
}

/// A channel and a message that its provider took as `wamid.1`.
async fn taken(site: &Site, admin: &Caller<'_>) -> (String, String) {
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Reply::Body(200, json!({"messages": [{"id": "wamid.1"}]}).to_string()));
    let channel = channel(admin, whatsapp(&receiver)).await;
    let ada = ada(site).await;
    let template = json!({"channel": "whatsapp", "name": "Welcome", "body": "Hi", "providerName": "welcome"});
    let template = made(admin, "/v1/messaging/templates", template).await;
    let sent = quick_send(admin, json!({"leadIds": [ada], "channel": "whatsapp", "templateId": template})).await;
    run(site).await;
    (channel, sent["results"][0]["messageId"].as_str().expect("a message").to_owned())
}

fn orders(of: &[&'static str]) -> Vec<Vec<&'static str>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let without =
        |at: usize| of.iter().enumerate().filter(move |(n, _)| *n != at).map(|(_, name)| *name).collect::<Vec<_>>();
    (0..of.len())
        .flat_map(|at| orders(&without(at)).into_iter().map(move |rest| [vec![of[at]], rest].concat()))
        .collect()
}

#[rstest]
#[tokio::test]
async fn reports_in_any_order_and_often_end_in_the_same_state(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let orders = orders(&["sent", "delivered", "read", "failed"]);
    assert_eq!(orders.len(), 24);
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let (channel, id) = taken(&site, &admin).await;
    let mut ends = std::collections::BTreeSet::new();
    let sent = format!("status = 'sent', delivered_at = NULL, read_at = NULL, failed_at = NULL WHERE id = '{id}'");

    for order in &orders {
        site.app.execute(&format!("UPDATE messages SET {sent}")).await;
        let failed_before = events(&site, "message.failed").await;
        for status in order.iter().flat_map(|status| [status, status]).chain(order) {
            assert_eq!(call(&site, &channel, &report("wamid.1", status)).await.status, 200);
        }
        let mut end = message(&admin, &id).await;
        end.as_object_mut().expect("an object").remove("statusAt");
        ends.insert(end.to_string());
        assert!(events(&site, "message.failed").await - failed_before <= 1, "{order:?}");
    }

    assert_eq!(ends.len(), 1, "{ends:#?}");
    let end: Value = serde_json::from_str(ends.first().expect("one")).expect("JSON");
    assert_eq!((&end["status"], &end["error"]), (&json!("read"), &json!(null)));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_report_of_a_failure_brings_its_reason(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let (channel, id) = taken(&site, &admin).await;

    call(&site, &channel, &report("wamid.1", "failed")).await;
    call(&site, &channel, &report("wamid.1", "sent")).await;

    let failed = message(&admin, &id).await;
    assert_eq!((&failed["status"], &failed["errorCode"]), (&json!("failed"), &json!("131026")));
    assert_eq!((&failed["error"], &failed["failedAt"]), (&json!("Undeliverable"), &json!("2026-01-05T08:01:40.000Z")));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_not_signed_by_the_provider_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let (channel, id) = taken(&site, &admin).await;
    let body = report("wamid.1", "read").to_string();
    let right = signed("app-secret-12345", &body);

    let unsigned = post(&site, &channel, &body, None).await;
    let forged = post(&site, &channel, &body, Some(&signed("another-secret", &body))).await;
    let cut = post(&site, &channel, &body[..body.len() - 1], Some(&right)).await;
    let no_json = post(&site, &channel, "{", Some(&signed("app-secret-12345", "{"))).await;
    let nobody = post(&site, "0199aaaa-0000-7000-8000-000000000001", &body, Some(&right)).await;

    for answer in [unsigned, forged, cut] {
        assert_eq!(answer.problem(), (403, "callback_forged".into()));
    }
    assert_eq!(no_json.problem(), (400, "unreadable_body".into()));
    assert_eq!(nobody.status, 404);
    assert_eq!(status(&admin, &id).await, "sent");
    site.stop().await;
}

#[rstest]
#[case::never_sent(report("wamid.unknown", "read"))]
#[case::another_number(json!({"entry": [{"changes": [{"field": "messages",
    "value": {"metadata": {"phone_number_id": "8"}, "statuses": [{"id": "wamid.1", "status": "read"}]}}]}]}))]
#[case::nothing(json!({}))]
#[case::other_shapes(json!({"entry": "x", "object": 7}))]
#[tokio::test]
async fn what_is_about_nothing_of_ours_is_taken_and_changes_nothing(#[case] body: Value) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let (channel, id) = taken(&site, &admin).await;

    let answer = call(&site, &channel, &body).await;

    assert_eq!((answer.status.as_u16(), status(&admin, &id).await.as_str()), (200, "sent"));
    site.stop().await;
}

#[rstest]
#[case::right("subscribe", "verify-me", 200)]
#[case::wrong("subscribe", "verify-him", 403)]
#[case::another_mode("unsubscribe", "verify-me", 403)]
#[tokio::test]
async fn meta_gets_its_challenge_back_for_the_right_token(
    #[case] mode: &str,
    #[case] told: &str,
    #[case] expected: u16,
) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let channel = channel(&admin, whatsapp(&receiver)).await;

    let query = format!("hub.mode={mode}&hub.verify_token={told}&hub.challenge=%3Cb%3E7");
    let answer = site.get(&format!("/channels/{channel}/callback?{query}")).await;

    assert_eq!(answer.status.as_u16(), expected);
    if expected == 200 {
        assert_eq!((answer.text().as_str(), answer.header("content-type")), ("<b>7", "text/plain; charset=utf-8"));
    }
    site.stop().await;
}

/// Twilio's report, signed as its own library does.
pub fn twilio_signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text = sorted.iter().fold(url.to_owned(), |text, (name, value)| format!("{text}{name}{value}"));
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[rstest]
#[tokio::test]
async fn twilio_reports_by_the_address_that_it_was_told_even_before_its_answer_came(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Reply::Status(500));
    let channel = channel(&admin, twilio(&receiver)).await;
    let ada = ada(&site).await;
    let id = text(&admin, &ada, "Hi").await;
    run(&site).await;
    let before = status(&admin, &id).await;
    let path = format!("/channels/{channel}/callback?message={id}");
    let fields = [("MessageSid", "SM9"), ("MessageStatus", "delivered"), ("To", "+491701234567")];
    let send = |signature: String| {
        let body = "MessageSid=SM9&MessageStatus=delivered&To=%2B491701234567";
        let request = Request::post(path.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature);
        site.send(request.body(Body::from(body)).expect("a request"))
    };

    let url = format!("http://leadline.test{path}");
    let forged = send(twilio_signature("another-token", &url, &fields)).await;
    let after_forged = status(&admin, &id).await;
    let right = send(twilio_signature("auth-token-12345", &url, &fields)).await;

    assert_eq!((before.as_str(), forged.problem().0, after_forged.as_str()), ("unknown", 403, "unknown"));
    assert_eq!(right.status, 200);
    let known = message(&admin, &id).await;
    assert_eq!(
        (&known["status"], &known["providerId"], &known["error"]),
        (&json!("delivered"), &json!("SM9"), &json!(null))
    );
    site.stop().await;
}

/// What Meta publishes as examples of its callbacks.
pub fn meta_cases() -> Vec<Value> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/webhooks_in/whatsapp_cloud.json");
    let text = std::fs::read_to_string(path).expect("the cases: this needs ../shared/cases beside the project");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list");
    assert!(cases.len() > 30, "only {} cases", cases.len());
    cases
}

#[tokio::test]
async fn every_callback_that_meta_describes_is_taken() {
    let cases = meta_cases();
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let mut wish = whatsapp(&receiver);
    wish["settings"]["phoneNumberId"] = json!("1122334455667");
    let channel = channel(&admin, wish).await;

    for case in &cases {
        let answer = call(&site, &channel, &case["payload"]).await;
        assert_eq!(answer.status, 200, "{}: {}", case["name"], answer.text());
    }

    assert!(site.app.count("messages WHERE direction = 'inbound' AND channel = 'whatsapp'").await >= 5);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_first_whatsapp_message_lands_in_the_conversation_made_at_capture(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let channel = channel(&admin, whatsapp(&receiver)).await;
    let widget = made(&admin, "/v1/capture/widgets", json!({"name": "Shop", "phoneNumber": "+491701234567"})).await;
    let capture = |phone: &str, name: &str| {
        let body = json!({"name": name, "phone": phone}).to_string();
        let request = Request::post(format!("/w/{widget}/captures")).header("content-type", "text/plain");
        site.send(request.body(Body::from(body)).expect("a request"))
    };
    let (ada, ben) = (capture("+442079460001", "Ada").await.json(), capture("+442079460002", "Ben").await.json());
    let code = ada["reference"].as_str().expect("a code");
    let said = |id: &str, more: Value| {
        let mut one = json!({"id": id, "type": "text", "timestamp": "1767600100"});
        one.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        change(&json!({"messages": [one]}))
    };

    // By the code although the number is hidden; then by the person's id; and by the number alone.
    let first = said(
        "wamid.a",
        json!({"from_user_id": "GB.7", "text": {"body": format!("Hello\n\nRef {code}")},
        "referral": {"source_id": "12", "ctwa_clid": "ARA"}}),
    );
    let second = said("wamid.b", json!({"from_user_id": "GB.7", "text": {"body": "Are you there?"}}));
    let by_number = said("wamid.c", json!({"from": "442079460002", "text": {"body": "Hi, it is Ben"}}));
    let stranger = said("wamid.d", json!({"from": "442079460009", "text": {"body": "Who are you?"}}));
    for body in [&first, &first, &second, &by_number, &stranger, &stranger] {
        assert_eq!(call(&site, &channel, body).await.status, 200);
    }
    run(&site).await;

    let of = |lead: &Value| {
        format!("messages WHERE direction = 'inbound' AND lead_id = '{}'", lead["leadId"].as_str().expect("a lead"))
    };
    assert_eq!((site.app.count(&of(&ada)).await, site.app.count(&of(&ben)).await), (2, 1));
    assert_eq!(site.app.count("messages WHERE direction = 'inbound' AND lead_id IS NULL").await, 1);
    assert_eq!(site.app.count("conversations").await, 3, "two made at capture, one for the stranger");
    assert_eq!(site.app.count("conversations WHERE unread_count = 2 AND person_ref = 'GB.7'").await, 1);
    assert_eq!(events(&site, "message.received").await, 4);
    assert_eq!(site.app.count("contacts WHERE CAST(column_data AS TEXT) LIKE '%ctwa_clid%'").await, 1);
    let lead = admin.get(&format!("/v1/identity/leads/{}", ben["leadId"].as_str().expect("a lead"))).await.json();
    assert!(lead["activity"].to_string().contains("message.received"), "{lead}");
    site.stop().await;
}
