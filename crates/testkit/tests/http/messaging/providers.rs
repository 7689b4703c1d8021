//! What providers are told, what their answers mean, and what becomes of a message of which nobody knows.

use std::time::Duration;

use leadline_engine::messaging::runner;
use leadline_testkit::{Answer, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ada, channel, made, message, quick_send, run, start, status, text};

/// Where the stand-in is, without a path.
fn base(receiver: &Receiver) -> String {
    receiver.url().trim_end_matches("/hook").to_owned()
}

pub fn twilio(receiver: &Receiver) -> Value {
    json!({"kind": "twilio", "name": "Twilio",
        "settings": {"accountSid": "AC1", "from": "+15005550006", "apiUrl": base(receiver)},
        "credentials": {"authToken": "auth-token-12345"}})
}

pub fn whatsapp(receiver: &Receiver) -> Value {
    json!({"kind": "whatsapp", "name": "WhatsApp",
        "settings": {"phoneNumberId": "7", "apiUrl": format!("{}/v23.0", base(receiver))},
        "credentials": {"accessToken": "access-token-123", "appSecret": "app-secret-12345", "verifyToken": "verify-me"}})
}

fn gateway(receiver: &Receiver, more: &Value) -> Value {
    let mut settings = json!({"url": receiver.url(), "from": "Shop", "idField": "result.id"});
    settings.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!({"kind": "sms_http", "name": "Gateway", "settings": settings,
        "credentials": {"headers": "Authorization: Bearer gateway-key", "callbackToken": "call-me-back-1"}})
}

#[rstest]
#[tokio::test]
async fn twilio_is_told_in_its_own_words(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers([Answer::Body(201, json!({"sid": "SM1", "status": "queued"}).to_string())]);
    let channel = channel(&admin, twilio(&receiver)).await;
    let ada = ada(&site).await;

    let id = text(&admin, &ada, "Hi & bye + 1").await;
    run(&site).await;

    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(request.uri, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(request.header("authorization"), "Basic QUMxOmF1dGgtdG9rZW4tMTIzNDU=");
    let callback = format!("http://leadline.test/channels/{channel}/callback?message={id}");
    let told: Vec<(String, String)> = url_pairs(&request.body);
    let wanted =
        [("To", "+491701234567"), ("From", "+15005550006"), ("Body", "Hi & bye + 1"), ("StatusCallback", &callback)];
    assert_eq!(told, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let sent = message(&admin, &id).await;
    assert_eq!((&sent["status"], &sent["providerId"]), (&json!("sent"), &json!("SM1")));
    site.stop().await;
}

fn url_pairs(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[rstest]
#[tokio::test]
async fn whatsapp_takes_a_template_at_any_time_and_words_only_after_somebody_wrote(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Answer::Body(200, json!({"messages": [{"id": "wamid.1"}]}).to_string()));
    channel(&admin, whatsapp(&receiver)).await;
    let ada = ada(&site).await;
    let template = json!({"channel": "whatsapp", "name": "Welcome", "body": "Hi {{firstName}} of {{company}}",
        "providerName": "welcome_1", "language": "en_US"});
    let template = made(&admin, "/v1/messaging/templates", template).await;

    let words = quick_send(&admin, json!({"leadIds": [ada], "channel": "whatsapp", "message": "Hi"})).await;
    let sent = quick_send(&admin, json!({"leadIds": [ada], "channel": "whatsapp", "templateId": template})).await;
    run(&site).await;

    assert_eq!(words["results"][0]["code"], json!("window_closed"));
    let id = sent["results"][0]["messageId"].as_str().expect("a message");
    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(
        (request.uri.as_str(), request.header("authorization")),
        ("/v23.0/7/messages", "Bearer access-token-123")
    );
    let parameters = json!([{"type": "text", "text": "Ada"}, {"type": "text", "text": "-"}]);
    assert_eq!(
        request.json(),
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "491701234567",
            "biz_opaque_callback_data": id, "type": "template",
            "template": {"name": "welcome_1", "language": {"code": "en_US"},
                "components": [{"type": "body", "parameters": parameters}]},
        })
    );
    assert_eq!(message(&admin, id).await["body"], json!("Hi Ada of "));
    site.stop().await;
}

#[rstest]
#[case::json(json!({}), r#"{"to":"+491701234567","from":"Shop","text":"Say \"hi\"","id":"ID"}"#)]
#[case::form(json!({"contentType": "application/x-www-form-urlencoded", "body": r#"{"msisdn":"{{to}}","msg":"{{text}}"}"#}),
    "msg=Say+%22hi%22&msisdn=%2B491701234567")]
#[tokio::test]
async fn a_gateway_is_told_as_its_channel_says(#[case] more: Value, #[case] expected: &str) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers([Answer::Body(200, json!({"result": {"id": 77}}).to_string())]);
    channel(&admin, gateway(&receiver, &more)).await;
    let ada = ada(&site).await;

    let id = text(&admin, &ada, "Say \"hi\"").await;
    run(&site).await;

    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(String::from_utf8_lossy(&request.body), expected.replace("ID", &id));
    assert_eq!(
        (request.header("authorization"), request.header("idempotency-key")),
        ("Bearer gateway-key", id.as_str())
    );
    assert_eq!(message(&admin, &id).await["providerId"], json!("77"));
    site.stop().await;
}

#[rstest]
#[case::refused(Answer::Body(400, json!({"code": 21211, "message": "Invalid 'To'"}).to_string()), "failed", Some("21211"))]
#[case::too_many(Answer::With(429, "retry-after", "60".into()), "queued", Some("http_429"))]
#[case::away(Answer::Status(503), "queued", Some("http_503"))]
#[case::broken_in_the_middle(Answer::Status(500), "unknown", Some("http_500"))]
#[tokio::test]
async fn an_answer_decides_whether_a_message_is_sent_again(
    #[case] answer: Answer,
    #[case] expected: &str,
    #[case] code: Option<&str>,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers([answer]);
    receiver.answers_otherwise(Answer::Body(201, json!({"sid": "SM2"}).to_string()));
    let channel = channel(&admin, twilio(&receiver)).await;
    let ada = ada(&site).await;

    let id = text(&admin, &ada, "Hi").await;
    run(&site).await;
    let after_first = message(&admin, &id).await;
    let shown = admin.get(&format!("/v1/messaging/channels/{channel}")).await.json();
    site.app.advance(Duration::from_secs(30));
    run(&site).await;
    let before_it_may = receiver.received().len();
    site.app.advance(Duration::from_secs(3_600));
    run(&site).await;

    assert_eq!((after_first["status"].as_str(), after_first["errorCode"].as_str()), (Some(expected), code));
    assert!(shown["lastError"].is_string(), "{shown}");
    let is_sent_again = expected == "queued";
    assert_eq!(receiver.received().len(), 1 + usize::from(is_sent_again));
    assert_eq!(
        before_it_may,
        1 + usize::from(is_sent_again && code != Some("http_429")),
        "not before the provider said"
    );
    assert_eq!(status(&admin, &id).await, if is_sent_again { "sent" } else { expected });
    site.stop().await;
}

/// A node that dies while a message is on its way leaves one of which nobody knows.
#[rstest]
#[tokio::test]
async fn a_message_of_which_nobody_knows_is_shown_and_never_sent_again_by_itself(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    channel(&admin, twilio(&receiver)).await;
    let ada = ada(&site).await;

    let id = text(&admin, &ada, "Hi").await;
    assert_eq!(runner::begin_due(&site.app.engine).await.expect("begun"), 1);
    site.app.advance(Duration::from_secs(3_600));
    run(&site).await;
    site.app.advance(Duration::from_secs(3_600));
    run(&site).await;

    let lost = message(&admin, &id).await;
    assert_eq!((&lost["status"], &lost["errorCode"]), (&json!("unknown"), &json!("cut_off")));
    assert_eq!(receiver.received().len(), 0);
    assert_eq!(super::events(&site, "message.unknown").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_gateway_that_knows_repeats_gets_a_lost_message_again_under_the_same_key(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    channel(&admin, gateway(&receiver, &json!({"knowsIdempotencyKey": "yes"}))).await;
    let ada = ada(&site).await;

    let id = text(&admin, &ada, "Hi").await;
    assert_eq!(runner::begin_due(&site.app.engine).await.expect("begun"), 1);
    site.app.advance(Duration::from_secs(60));
    run(&site).await;

    let keys: Vec<String> = receiver.received().iter().map(|one| one.header("idempotency-key").to_owned()).collect();
    assert_eq!((keys, status(&admin, &id).await.as_str()), (vec![id.clone()], "sent"));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn secrets_go_in_and_never_come_out(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let id = channel(&admin, twilio(&receiver)).await;
    let path = format!("/v1/messaging/channels/{id}");

    let renamed = admin.patch(&path, json!({"name": "SMS"})).await;
    let shown = admin.get(&path).await;
    let ada = ada(&site).await;
    text(&admin, &ada, "Hi").await;
    run(&site).await;
    let taken_away = admin.patch(&path, json!({"credentials": {"authToken": null}})).await;

    for answer in [&renamed, &shown] {
        assert!(!answer.text().contains("auth-token"), "{}", answer.text());
        assert_eq!(answer.json()["credentials"], json!({"authToken": "••••2345"}));
    }
    assert_eq!(site.app.count("channels WHERE credentials_sealed LIKE '%auth-token%'").await, 0);
    assert_eq!(
        receiver.received()[0].header("authorization"),
        "Basic QUMxOmF1dGgtdG9rZW4tMTIzNDU=",
        "a name changes no secret"
    );
    assert_eq!(taken_away.pointers(), ["/credentials/authToken"]);
    site.stop().await;
}

#[rstest]
#[case::nothing(json!({"kind": "twilio", "name": "T"}), &["/settings/accountSid", "/settings/from", "/credentials/authToken"])]
#[case::inward(json!({"kind": "sms_http", "name": "T", "settings": {"url": "https://10.0.0.1/sms"}}), &["/settings/url"])]
#[case::plain(json!({"kind": "sms_http", "name": "T", "settings": {"url": "http://gateway.example.com/sms"}}), &["/settings/url"])]
#[case::inward_mail(json!({"kind": "smtp", "name": "T", "settings": {"server": "smtps://10.0.0.1", "from": "a@b.de"}}), &["/settings/server"])]
#[case::plain_mail(json!({"kind": "smtp", "name": "T", "settings": {"server": "smtp://mail.example.com?tls=none", "from": "a@b.de"}}),
    &["/settings/server"])]
#[case::password_in_the_address(json!({"kind": "smtp", "name": "T", "settings": {"server": "smtps://a:b@mail.example.com", "from": "a@b.de"}}),
    &["/settings/server"])]
#[case::strange(json!({"kind": "sandbox", "name": "T", "settings": {"color": "red"}}), &["/settings/color"])]
#[case::header(json!({"kind": "sms_http", "name": "T", "settings": {"url": "https://gateway.example.com"},
    "credentials": {"headers": "Host: inside"}}), &["/credentials/headers"])]
#[case::body_without_text(json!({"kind": "sms_http", "name": "T", "settings": {"url": "https://gateway.example.com", "body": "{\"to\":\"{{to}}\"}"}}),
    &["/settings/body"])]
#[case::no_kind(json!({"kind": "pigeon", "name": "T"}), &["/kind"])]
#[tokio::test]
async fn a_channel_that_cannot_be_is_refused_field_by_field(#[case] body: Value, #[case] pointers: &[&str]) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);

    let answer = admin.post("/v1/messaging/channels", body).await;

    assert_eq!((answer.problem().0, answer.pointers()), (422, pointers.iter().map(|p| (*p).to_owned()).collect()));
    site.stop().await;
}

#[rstest]
#[case::right(Answer::Status(200), true)]
#[case::wrong(Answer::Status(401), false)]
#[case::away(Answer::Hang, false)]
#[tokio::test]
async fn a_test_says_what_the_provider_says_and_sends_nothing(#[case] answer: Answer, #[case] is_good: bool) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let is_away = matches!(answer, Answer::Hang);
    receiver.answers_otherwise(answer);
    let id = channel(&admin, twilio(&receiver)).await;
    if is_away {
        drop(receiver);
    }

    let tested = admin.post(&format!("/v1/messaging/channels/{id}/test"), json!({})).await;

    assert_eq!(tested.json()["isGood"], json!(is_good), "{}", tested.text());
    assert!(!tested.text().contains("auth-token"));
    site.stop().await;
}
