//! Meta against packages for its API: what those sign is believed, what they read we read, and what we send is what they
//! would send. Meta's own package knows templates alone; for messages stands `pywa`.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, header},
};
use leadline_domain::messaging::callbacks;
use leadline_outbound::{
    hmac_hex,
    messages::{
        Text,
        whatsapp::{Media, Number, request},
    },
};
use leadline_testkit::{Answer as Reply, Db, Received, Receiver};
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::{ada, callbacks::meta_cases, channel, events, made, packages, providers::whatsapp, quick_send, run, start};

fn ask(question: &Value) -> Value {
    packages::ask("meta", question)
}

/// What a package sends for us to the number of the tests.
fn theirs(tracker: &str, message: &Value) -> Value {
    let mut asked = json!({"number": "7", "token": "access-token-123", "to": "491701234567", "tracker": tracker});
    asked.as_object_mut().expect("an object").extend(message.as_object().expect("an object").clone());
    let mut sent = ask(&json!({"send": asked}));
    // Which version is called is a setting; how a component's kind is written, Meta does not mind.
    sent["path"] = json!(sent["path"].as_str().expect("a path").replace("/v26.0/", "/v23.0/"));
    if let Some(kind) = sent.pointer_mut("/body/template/components/0/type") {
        *kind = json!(kind.as_str().expect("a kind").to_lowercase());
    }
    sent
}

fn ours(request: &Received) -> Value {
    json!({"method": request.method.as_str(), "path": request.uri, "authorization": request.header("authorization"),
        "body": request.json()})
}

#[rstest]
#[tokio::test]
async fn we_send_what_a_package_for_whatsapp_would(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Reply::Body(200, json!({"id": "77", "messages": [{"id": "wamid.1"}]}).to_string()));
    let channel = channel(&admin, whatsapp(&receiver)).await;
    let ada = ada(&site).await;
    let template = json!({"channel": "whatsapp", "name": "Welcome", "body": "Hi {{firstName}} of {{company}}",
        "providerName": "welcome_1", "language": "en_US"});
    let template = made(&admin, "/v1/messaging/templates", template).await;
    let sent = async |wish: Value| {
        let before = receiver.received().len();
        let mut body = json!({"leadIds": [ada], "channel": "whatsapp"});
        body.as_object_mut().expect("an object").extend(wish.as_object().expect("an object").clone());
        let answer = quick_send(&admin, body).await;
        run(&site).await;
        let id = answer["results"][0]["messageId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let requests = receiver.received();
        assert_eq!(requests.len(), before + 1, "one request");
        (id, ours(requests.last().expect("a request")))
    };

    let (id, request) = sent(json!({"templateId": template})).await;
    let named = json!({"name": "welcome_1", "language": "en_US", "values": ["Ada", "-"]});
    assert_eq!(request, theirs(&id, &json!({"template": named})));

    // Words go out once somebody wrote.
    let hello = json!({"id": "wamid.9", "from": "491701234567", "type": "text", "text": {"body": "Hello"}});
    let value = json!({"metadata": {"phone_number_id": "7"}, "messages": [hello]});
    let body = json!({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).to_string();
    let signature = format!("sha256={}", hmac_hex("app-secret-12345", &body));
    let is_signed = |secret: &str, body: &str| {
        ask(&json!({"is_signed": {"secret": secret, "body": body, "signature": signature}})) == json!(true)
    };
    assert!(
        is_signed("app-secret-12345", &body) && !is_signed("another", &body) && !is_signed("app-secret-12345", "{}")
    );
    let call = |signature: &str| {
        let request = Request::post(format!("/channels/{channel}/callback"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-hub-signature-256", signature);
        site.send(request.body(Body::from(body.clone())).expect("a request"))
    };
    assert_eq!(call("sha256=00").await.problem().0, 403);
    assert_eq!(call(&signature).await.status, 200);
    assert_eq!(events(&site, "message.received").await, 1);

    let words = "Grüße & mehr + 🚀\nhttps://example.com zweite Zeile";
    let (id, request) = sent(json!({"message": words})).await;
    assert_eq!(request, theirs(&id, &json!({"text": words})));
    site.stop().await;
}

#[rstest]
#[case::picture("image", json!({"kind": "image", "id": "77", "caption": "The roof"}))]
#[case::document("document", json!({"kind": "document", "id": "77", "name": "Plan 3.pdf", "caption": "The roof"}))]
fn we_send_a_file_as_a_package_for_whatsapp_would(#[case] kind: &'static str, #[case] file: Value) {
    let number = Number { base: "https://graph.facebook.com/v23.0", phone_number_id: "7", token: "access-token-123" };
    let media = Media { id: "77".to_owned(), kind, file_name: "Plan 3.pdf".to_owned() };
    let text = Text { id: "m1", to: "+491701234567", body: "The roof", callback: "" };

    let request = request(&number, &text, None, Some(&media), Duration::from_secs(1)).expect("a request");

    let theirs = theirs("m1", &json!({"file": file}));
    assert_eq!((theirs["method"].as_str(), theirs["path"].as_str()), (Some("POST"), Some(request.url.path())));
    assert_eq!(serde_json::from_slice::<Value>(&request.body).expect("JSON"), theirs["body"]);
}

/// The type checks of Meta's own package fail its script, so that it saying anything means that the names are known.
#[tokio::test]
async fn a_template_is_submitted_and_asked_for_as_meta_s_own_package_would() {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers([
        Reply::Body(200, json!({"id": "5511", "status": "PENDING", "category": "UTILITY"}).to_string()),
        Reply::Body(
            200,
            json!({"data": [], "paging": {"cursors": {"after": "abc"}, "next": "https://graph.facebook.com/next"}})
                .to_string(),
        ),
        Reply::Body(200, json!({"data": []}).to_string()),
    ]);
    let mut wish = whatsapp(&receiver);
    wish["settings"]["businessAccountId"] = json!("99");
    let channel = channel(&admin, wish).await;
    let template = json!({"channel": "whatsapp", "name": "Order shipped!", "language": "en_US", "approval": "draft",
        "body": "Hi {{firstName}}, your order by {{company | default:'you'}} is on its way."});
    let id = made(&admin, "/v1/messaging/templates", template).await;

    let submitted =
        admin.post(&format!("/v1/messaging/templates/{id}/submission"), json!({"category": "UTILITY"})).await;
    let synced = admin.post(&format!("/v1/messaging/channels/{channel}/template-sync"), json!({})).await;

    assert_eq!((submitted.status.as_u16(), synced.status.as_u16()), (200, 200), "{}", synced.text());
    let [submission, _, page] = &receiver.received()[..] else { panic!("three requests") };
    let theirs = ask(&json!({"submit": {"account": "99", "token": "access-token-123", "template": submission.json()}}));
    let fields = theirs["fields"].as_str().expect("a form").as_bytes();
    let fields: Map<String, Value> = url::form_urlencoded::parse(fields)
        .map(|(name, value)| (name.into_owned(), serde_json::from_str(&value).unwrap_or_else(|_| json!(value))))
        .collect();
    assert_eq!(submission.json(), Value::Object(fields));
    let address = theirs["url"].as_str().expect("an address");
    assert!(address.contains("/99/message_templates?"), "{address}");
    assert_eq!((theirs["method"].as_str(), submission.method.as_str()), (Some("POST"), "POST"));
    assert_eq!(submission.uri, "/v23.0/99/message_templates");

    let theirs = ask(&json!({"list": {"account": "99", "token": "access-token-123"}}));
    assert!(theirs["path"].as_str().is_some_and(|path| path.ends_with("/99/message_templates")), "{theirs}");
    let (_, query) = page.uri.split_once('?').expect("a question");
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = theirs["parameters"][&*name].as_str().unwrap_or_else(|| panic!("{name} is no parameter: {theirs}"));
        let known: Vec<&str> = known.split(',').collect();
        assert!(value.split(',').all(|part| known.contains(&part)), "{name}: {value} is not among {known:?}");
    }
    site.stop().await;
}

#[test]
fn what_a_package_reads_of_a_callback_we_read_of_it() {
    let cases = meta_cases();
    let payloads: Vec<&Value> = cases.iter().map(|case| &case["payload"]).collect();
    let theirs = ask(&json!({"read": payloads}));
    let theirs = theirs.as_array().expect("a list");
    assert_eq!(theirs.len(), cases.len());

    let mut compared = 0;
    for (case, read) in cases.iter().zip(theirs) {
        let number = case["payload"].pointer("/entry/0/changes/0/value/metadata/phone_number_id");
        let ours = callbacks::whatsapp(&case["payload"], number.and_then(Value::as_str).unwrap_or_default(), "");
        for one in read.as_array().expect("a list") {
            let id = one["id"].as_str().expect("an id");
            compared += 1;
            if let Some(status) = one["status"].as_str() {
                let report = ours.reports.iter().find(|report| report.provider_id == id);
                let report = report.unwrap_or_else(|| panic!("{}: {one} is not read", case["name"]));
                assert_eq!(report.status.as_str(), status, "{}", case["name"]);
                continue;
            }
            let message = ours.inbound.iter().find(|message| message.provider_id == id);
            let message = message.unwrap_or_else(|| panic!("{}: {one} is not read", case["name"]));
            let from = one["from"].as_str().map(|from| format!("+{from}"));
            assert_eq!(message.address, from, "{}", case["name"]);
            if let Some(text) = one["text"].as_str() {
                assert_eq!(message.text, text, "{}", case["name"]);
            }
        }
    }
    assert!(compared >= 15, "only {compared} messages and reports");
}
