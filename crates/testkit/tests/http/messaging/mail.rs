//! E-mail that is posted to a channel, as mail servers and services post it, and as somebody does who means us ill.

use axum::{
    body::Body,
    http::{Request, header},
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use super::{channel, start};
use crate::browser::{Answer, Caller, Site};

const TOKEN: &str = "a-token-of-many-letters";
const MAIL: &str =
    "From: Ada <ada@example.com>\r\nMessage-ID: <1@example.com>\r\nSubject: Hello\r\n\r\nMay I ask you something?\r\n";

async fn letters(admin: &Caller<'_>) -> String {
    let body = json!({"kind": "smtp", "name": "Mail",
        "settings": {"server": "smtps://mail.example.com", "from": "Shop <shop@example.com>"},
        "credentials": {"inboundToken": TOKEN}});
    channel(admin, body).await
}

async fn post(site: &Site, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, kind);
    site.send(request.body(body.into()).expect("a request")).await
}

#[rstest]
#[case::raw("message/rfc822", MAIL.to_owned())]
#[case::bytes("application/octet-stream", MAIL.to_owned())]
#[case::object("application/json", json!({"RawEmail": MAIL, "From": "x"}).to_string())]
#[case::form("application/x-www-form-urlencoded",
    url::form_urlencoded::Serializer::new(String::new()).append_pair("body-mime", MAIL).finish())]
#[case::parts("multipart/form-data; boundary=b",
    format!("--b\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\n{MAIL}\r\n--b--\r\n"))]
#[tokio::test]
async fn a_mail_is_taken_as_services_post_it(#[case] kind: &str, #[case] body: String) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let channel = letters(&admin).await;
    let shown = admin.get(&format!("/v1/messaging/channels/{channel}")).await.json();

    let answer = post(&site, &format!("/channels/{channel}/mail?token={TOKEN}"), kind, body.clone()).await;
    let again = post(&site, &format!("/channels/{channel}/mail?token={TOKEN}"), kind, body).await;

    assert_eq!((answer.status.as_u16(), again.status.as_u16()), (200, 200), "{}", answer.text());
    assert_eq!(shown["inboundUrl"], json!(format!("http://leadline.test/channels/{channel}/mail")));
    let inbox = admin.get("/v1/messaging/inbox").await.json();
    let entry = &inbox["data"][0];
    assert_eq!((&entry["channel"], &entry["lastText"]), (&json!("email"), &json!("May I ask you something?")));
    assert_eq!((&entry["address"], &entry["unreadCount"]), (&json!("ada@example.com"), &json!(1)));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn nobody_posts_without_the_token_and_nothing_but_mail(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let channel = letters(&admin).await;
    let path = format!("/channels/{channel}/mail");
    let with_token = format!("{path}?token={TOKEN}");

    let without = post(&site, &path, "message/rfc822", MAIL).await;
    let wrong = post(&site, &format!("{path}?token=another-token-of-letters"), "message/rfc822", MAIL).await;
    let nobody = post(&site, "/channels/0199aaaa-0000-7000-8000-000000000001/mail", "message/rfc822", MAIL).await;
    let no_mail = post(&site, &with_token, "message/rfc822", "hello").await;
    let no_field = post(&site, &with_token, "application/json", json!({"text": MAIL}).to_string()).await;
    let too_large = post(&site, &with_token, "message/rfc822", vec![b'a'; 25 * 1024 * 1024 + 1]).await;
    let short = json!({"credentials": {"inboundToken": "short"}});
    let refused = admin.patch(&format!("/v1/messaging/channels/{channel}"), short).await;

    for answer in [without, wrong] {
        assert_eq!(answer.problem(), (403, "callback_forged".into()));
    }
    assert_eq!(nobody.status, 404);
    assert_eq!((no_mail.problem().0, no_field.problem().0, too_large.problem().0), (400, 400, 413));
    assert_eq!(refused.pointers(), ["/credentials/inboundToken"]);
    assert_eq!(site.app.count("messages").await, 0);
    site.stop().await;
}

/// Each is a mail of somebody's, whatever it holds.
#[rstest]
#[case::nul("\0a\0b\0", "ab")]
#[case::bidi("\u{202e}txet", "\u{202e}txet")]
#[case::page("<script>alert(1)</script>", "<script>alert(1)</script>")]
#[case::nothing("", "")]
#[tokio::test]
async fn what_a_mail_says_is_kept_as_text(
    #[case] text: &str,
    #[case] expected: &str,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let channel = letters(&admin).await;
    let mail = format!(
        "From: \"Eve\0\" <eve@example.com>\r\nMessage-ID: <\0{}@example.com>\r\nSubject: a\0b\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--x\r\n\
         Content-Type: te\0xt/html; name=\"a\0/../b.html\"\r\nContent-Disposition: attachment\r\n\r\n<script>\0\r\n--x--\r\n",
        text.len()
    );

    let answer = post(&site, &format!("/channels/{channel}/mail?token={TOKEN}"), "message/rfc822", mail).await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let said: Value = admin.get("/v1/messaging/messages").await.json()["data"][0].clone();
    assert_eq!((said["body"].as_str(), said["address"].as_str()), (Some(expected), Some("eve@example.com")));
    assert_eq!(said["attachments"][0]["fileName"], json!("b.html"));
    site.stop().await;
}
