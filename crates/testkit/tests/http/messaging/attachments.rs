//! Files of messages: those that come in, those that go out, and who gets to see them.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, header},
};
use leadline_domain::permissions::Role;
use leadline_engine::{dispatch, messaging::attachments};
use leadline_outbound::hmac_hex;
use leadline_testkit::{Answer as Reply, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    ada, channel,
    providers::{twilio, whatsapp},
    run, start,
};
use crate::browser::{Answer, Caller, Site};

const PICTURE: &str = "GIF89a and so on";

async fn fetch(site: &Site) {
    attachments::fetch_due(&site.app.engine).await.expect("fetched");
    dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
}

/// Somebody sends files by WhatsApp.
async fn says(site: &Site, channel: &str, message: &Value) -> Answer {
    let value = json!({"metadata": {"phone_number_id": "7"}, "messages": [message]});
    let body = json!({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).to_string();
    let request = Request::post(format!("/channels/{channel}/callback"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-hub-signature-256", format!("sha256={}", hmac_hex("app-secret-12345", &body)));
    site.send(request.body(Body::from(body)).expect("a request")).await
}

async fn files_of(admin: &Caller<'_>) -> Vec<Value> {
    let all = admin.get("/v1/messaging/messages").await.json();
    let rows = all["data"].as_array().expect("a list").iter();
    rows.flat_map(|row| row["attachments"].as_array().expect("a list").clone()).collect()
}

fn picture(id: &str, media: &str) -> Value {
    json!({"id": id, "from": "491701234567", "type": "image", "image": {"id": media, "mime_type": "image/gif", "caption": "My roof"}})
}

#[rstest]
#[tokio::test]
async fn a_picture_by_whatsapp_is_fetched_and_shown_to_those_who_may(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let there = receiver.url().replace("/hook", "/files/7");
    receiver.answers([
        Reply::Status(503),
        Reply::Body(200, json!({"url": there, "mime_type": "image/gif"}).to_string()),
        Reply::Body(200, PICTURE.to_owned()),
    ]);
    let channel = channel(&admin, whatsapp(&receiver)).await;
    ada(&site).await;

    assert_eq!(says(&site, &channel, &picture("wamid.1", "m7")).await.status, 200);
    let waiting = files_of(&admin).await;
    fetch(&site).await;
    site.app.advance(Duration::from_secs(11));
    fetch(&site).await;
    let stored = files_of(&admin).await.remove(0);
    let path = format!("/v1/messaging/attachments/{}", stored["id"].as_str().expect("an id"));
    let saved = admin.get(&path).await;
    let shown = admin.get(&format!("{path}?inline=true")).await;
    let masked = site.token(Role::Viewer).await;
    let masked = site.with_token(&masked);

    assert_eq!((&waiting[0]["state"], &stored["state"]), (&json!("waiting"), &json!("stored")));
    assert_eq!((&stored["isPicture"], &stored["sizeBytes"]), (&json!(true), &json!(PICTURE.len())));
    let asked: Vec<String> = receiver.received().iter().map(|one| one.uri.clone()).collect();
    assert_eq!(asked, ["/v23.0/m7", "/v23.0/m7", "/files/7"]);
    assert_eq!(receiver.received()[2].header("authorization"), "Bearer access-token-123");
    assert_eq!((saved.text().as_str(), saved.header("content-type")), (PICTURE, "application/octet-stream"));
    assert!(saved.header("content-disposition").starts_with("attachment; filename=\"image.gif\""));
    assert_eq!((shown.header("content-type"), shown.header("x-content-type-options")), ("image/gif", "nosniff"));
    assert_eq!(shown.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(shown.header("content-disposition").starts_with("inline"));
    assert_eq!(masked.get(&path).await.problem().0, 403);
    assert_eq!(files_of(&masked).await[0]["fileName"], json!("•••"));
    site.stop().await;
}

#[rstest]
#[case::page("<html><script>alert(1)</script>", false)]
#[case::drawing("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", false)]
#[case::picture(PICTURE, true)]
#[tokio::test]
async fn only_what_is_a_picture_by_its_bytes_is_ever_shown(#[case] bytes: &str, #[case] is_shown: bool) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver
        .answers([Reply::Body(200, json!({"url": receiver.url()}).to_string()), Reply::Body(200, bytes.to_owned())]);
    let channel = channel(&admin, whatsapp(&receiver)).await;
    says(&site, &channel, &picture("wamid.1", "m7")).await;
    fetch(&site).await;

    let id = files_of(&admin).await[0]["id"].as_str().expect("an id").to_owned();
    let answer = admin.get(&format!("/v1/messaging/attachments/{id}?inline=true")).await;

    let expected = if is_shown { ("image/gif", "inline") } else { ("application/octet-stream", "attachment") };
    assert_eq!(answer.header("content-type"), expected.0);
    assert!(answer.header("content-disposition").starts_with(expected.1));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_picture_by_mms_is_fetched_from_where_twilio_sends_us_on(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    receiver.answers([Reply::With(307, "location", elsewhere.url())]);
    elsewhere.answers([Reply::Body(200, PICTURE.to_owned())]);
    let channel = channel(&admin, twilio(&receiver)).await;
    let base = receiver.url().replace("/hook", "");
    let own = format!("{base}/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1");
    let fields = [
        ("MessageSid", "MM1"),
        ("SmsStatus", "received"),
        ("From", "+491701234567"),
        ("Body", ""),
        ("NumMedia", "2"),
        ("MediaUrl0", own.as_str()),
        ("MediaContentType0", "image/gif"),
        ("MediaUrl1", "https://evil.example.com/steal"),
        ("MediaContentType1", "image/gif"),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let path = format!("/channels/{channel}/callback");
    let signature =
        super::callbacks::twilio_signature("auth-token-12345", &format!("http://leadline.test{path}"), &fields);
    let request = Request::post(&path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature);
    assert_eq!(site.send(request.body(Body::from(body)).expect("a request")).await.status, 200);
    fetch(&site).await;

    let files = files_of(&admin).await;
    let states: Vec<&str> = files.iter().map(|file| file["state"].as_str().expect("text")).collect();
    assert_eq!(states, ["stored", "refused"], "{files:?}");
    assert!(receiver.received()[0].header("authorization").starts_with("Basic "));
    assert_eq!(elsewhere.received()[0].headers.get("authorization"), None, "the secret stays with Twilio");
    site.stop().await;
}

async fn upload(site: &Site, token: &str, conversation: &str, query: &str, bytes: &[u8]) -> Answer {
    let request = Request::post(format!("/v1/messaging/conversations/{conversation}/attachments?{query}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/octet-stream");
    site.send(request.body(Body::from(bytes.to_vec())).expect("a request")).await
}

#[rstest]
#[tokio::test]
async fn a_file_from_the_composer_goes_out_by_whatsapp_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let channel = channel(&admin, whatsapp(&receiver)).await;
    ada(&site).await;
    let text = json!({"id": "wamid.0", "from": "491701234567", "type": "text", "text": {"body": "Hi"}});
    says(&site, &channel, &text).await;
    let conversation =
        admin.get("/v1/messaging/inbox").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    // A file of more than a block, so that it is put together again in order.
    let bytes: Vec<u8> = (0..700_000_u32).map(|at| (at / 7) as u8).collect();

    let made = upload(&site, &token, &conversation, "fileName=..%2Fplan.pdf&kind=application%2Fpdf", &bytes).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let file = made.json()["id"].as_str().expect("an id").to_owned();
    receiver.answers([
        Reply::Body(200, json!({"id": "given-1"}).to_string()),
        Reply::Body(200, json!({"messages": [{"id": "wamid.9"}]}).to_string()),
    ]);
    let path = format!("/v1/messaging/conversations/{conversation}/replies");
    let reply =
        json!({"message": "The plan", "attachmentIds": [file], "requestId": "0199aaaa-0000-7000-8000-000000000001"});
    let sent = admin.post(&path, reply.clone()).await;
    let again = admin.post(&path, reply).await;
    let twice = admin.post(&path, json!({"message": "Again", "attachmentIds": [file]})).await;
    run(&site).await;

    assert_eq!((sent.status.as_u16(), sent.json()["id"] == again.json()["id"]), (200, true));
    assert_eq!(sent.json()["attachments"][0]["fileName"], json!("plan.pdf"));
    assert_eq!(twice.pointers(), ["/attachmentIds"]);
    let [given, message] = &receiver.received()[..] else { panic!("two requests") };
    assert_eq!(given.uri, "/v23.0/7/media");
    assert!(given.body.windows(bytes.len()).any(|part| part == bytes), "the file is whole");
    assert_eq!(
        (&message.json()["type"], &message.json()["document"]),
        (&json!("document"), &json!({"id": "given-1", "caption": "The plan", "filename": "plan.pdf"}))
    );
    site.stop().await;
}

#[rstest]
#[case::program("fileName=setup.exe", 5, 422)]
#[case::empty("fileName=a.txt", 0, 422)]
#[case::no_name("kind=text%2Fplain", 5, 201)]
#[case::too_large("fileName=a.txt", 10 * 1024 * 1024 + 1, 413)]
#[case::right("fileName=a.txt", 10 * 1024 * 1024, 201)]
#[tokio::test]
async fn what_cannot_be_sent_is_not_taken(#[case] query: &str, #[case] size: usize, #[case] expected: u16) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let channel = channel(&admin, whatsapp(&receiver)).await;
    let text = json!({"id": "wamid.0", "from": "491701234567", "type": "text", "text": {"body": "Hi"}});
    says(&site, &channel, &text).await;
    let conversation =
        admin.get("/v1/messaging/inbox").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();

    let answer = upload(&site, &token, &conversation, query, &vec![b'a'; size]).await;
    let stranger = site.token(Role::Viewer).await;
    let refused = upload(&site, &stranger, &conversation, "fileName=a.txt", b"Hi").await;

    assert_eq!((answer.status.as_u16(), refused.status.as_u16()), (expected, 403), "{}", answer.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_file_that_nobody_sends_is_gone_after_a_day_and_one_that_is_taken_back_at_once(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let channel = channel(&admin, whatsapp(&receiver)).await;
    let text = json!({"id": "wamid.0", "from": "491701234567", "type": "text", "text": {"body": "Hi"}});
    says(&site, &channel, &text).await;
    let conversation =
        admin.get("/v1/messaging/inbox").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    leadline_engine::retain(&site.app.engine).await.expect("the clock is known");
    upload(&site, &token, &conversation, "fileName=a.txt", b"Hi").await;
    let second = upload(&site, &token, &conversation, "fileName=b.txt", b"Hi").await.json();
    let path = format!("/v1/messaging/attachments/{}", second["id"].as_str().expect("an id"));

    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.delete(&path).await.status, 404);
    assert_eq!(site.app.count("attachment_blocks").await, 1);
    for _ in 0..25 {
        site.app.advance(Duration::from_secs(3_600));
        leadline_engine::retain(&site.app.engine).await.expect("retained");
    }
    assert_eq!((site.app.count("attachments").await, site.app.count("attachment_blocks").await), (0, 0));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_person_s_files_are_in_their_archive_and_go_with_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver
        .answers([Reply::Body(200, json!({"url": receiver.url()}).to_string()), Reply::Body(200, PICTURE.to_owned())]);
    let channel = channel(&admin, whatsapp(&receiver)).await;
    let lead = ada(&site).await;
    says(&site, &channel, &picture("wamid.1", "m7")).await;
    fetch(&site).await;
    let token = site.token(Role::SuperAdmin).await;
    let admin = site.with_token(&token);
    let contact = admin.get(&format!("/v1/identity/leads/{lead}")).await.json()["contactId"].clone();
    let contact = contact.as_str().expect("an id");

    let archive = admin.get(&format!("/v1/admin/privacy/persons/{contact}/export")).await;

    let files = crate::privacy::unzipped(&archive.body);
    let (name, text) = files.iter().find(|(name, _)| name.starts_with("attachments/")).expect("a file");
    assert!(name.ends_with("image.gif") && text == PICTURE, "{name}");
    assert!(files.iter().any(|(name, _)| name == "attachments.json"));
    crate::privacy::erase(&site, &admin, json!({"leadId": lead})).await;
    assert_eq!((site.app.count("attachments").await, site.app.count("attachment_blocks").await), (0, 0));
    site.stop().await;
}
