//! WhatsApp's own templates: given to Meta in its own shape, and how they stand heard and asked for.

use axum::{
    body::Body,
    http::{Request, header},
};
use leadline_outbound::hmac_hex;
use leadline_testkit::{Answer as Reply, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use super::{channel, made, providers::whatsapp, start};
use crate::browser::{Caller, Site};

async fn account(admin: &Caller<'_>, receiver: &Receiver) -> String {
    let mut wish = whatsapp(receiver);
    wish["settings"]["businessAccountId"] = json!("99");
    channel(admin, wish).await
}

async fn template(admin: &Caller<'_>, body: &str) -> String {
    let template = json!({"channel": "whatsapp", "name": "Order shipped!", "language": "en_US", "body": body, "approval": "draft"});
    made(admin, "/v1/messaging/templates", template).await
}

async fn shown(admin: &Caller<'_>, id: &str) -> Value {
    admin.get(&format!("/v1/messaging/templates/{id}")).await.json()
}

async fn told(site: &Site, channel: &str, account: &str, value: &Value) -> u16 {
    let change = json!({"field": "message_template_status_update", "value": value});
    let body =
        json!({"object": "whatsapp_business_account", "entry": [{"id": account, "changes": [change]}]}).to_string();
    let request = Request::post(format!("/channels/{channel}/callback"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-hub-signature-256", format!("sha256={}", hmac_hex("app-secret-12345", &body)));
    site.send(request.body(Body::from(body)).expect("a request")).await.status.as_u16()
}

#[rstest]
#[tokio::test]
async fn a_template_is_given_to_meta_and_its_fate_is_heard(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers([Reply::Body(200, json!({"id": "5511", "status": "PENDING", "category": "UTILITY"}).to_string())]);
    let channel = account(&admin, &receiver).await;
    let id =
        template(&admin, "Hi {{firstName}}, your order by {{company | default:'you'}} is on its way to {{firstName}}.")
            .await;

    let answer = admin.post(&format!("/v1/messaging/templates/{id}/submission"), json!({"category": "UTILITY"})).await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(
        (request.uri.as_str(), request.header("authorization")),
        ("/v23.0/99/message_templates", "Bearer access-token-123")
    );
    let text = "Hi {{1}}, your order by {{2}} is on its way to {{3}}.";
    let examples = json!([["Ada", "Analytical Engines", "Ada"]]);
    assert_eq!(
        request.json(),
        json!({"name": "order_shipped", "language": "en_US", "category": "UTILITY",
            "components": [{"type": "BODY", "text": text, "example": {"body_text": examples}}]})
    );
    let pending = shown(&admin, &id).await;
    assert_eq!((&pending["approval"], &pending["providerName"]), (&json!("pending"), &json!("order_shipped")));

    // Another account's word, and another language's, change nothing.
    let value = |event: &str, language: &str| {
        json!({"event": event, "message_template_id": 5511, "message_template_name": "order_shipped",
            "message_template_language": language, "reason": "INVALID_FORMAT"})
    };
    assert_eq!(told(&site, &channel, "98", &value("APPROVED", "en_US")).await, 200);
    assert_eq!(told(&site, &channel, "99", &value("APPROVED", "de")).await, 200);
    assert_eq!(shown(&admin, &id).await["approval"], json!("pending"));
    assert_eq!(told(&site, &channel, "99", &value("REJECTED", "en_US")).await, 200);
    let rejected = shown(&admin, &id).await;
    assert_eq!((&rejected["approval"], &rejected["approvalReason"]), (&json!("rejected"), &json!("INVALID_FORMAT")));
    assert_eq!(told(&site, &channel, "99", &value("APPROVED", "en_US")).await, 200);
    let approved = shown(&admin, &id).await;
    assert_eq!((&approved["approval"], &approved["approvalReason"]), (&json!("approved"), &json!(null)));
    assert_eq!(site.app.count("audit_entries WHERE action = 'message_template.submitted'").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn how_templates_stand_is_asked_page_by_page(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let one = |name: &str, status: &str, reason: &str| json!({"id": "1", "name": name, "language": "en_US", "status": status, "category": "MARKETING", "rejected_reason": reason});
    receiver.answers([
        Reply::Body(200, json!({"data": [one("theirs", "APPROVED", "NONE")],
            "paging": {"cursors": {"after": "abc"}, "next": "https://graph.facebook.com/next"}}).to_string()),
        Reply::Body(200, json!({"data": [one("order_shipped", "REJECTED", "ABUSIVE_CONTENT")], "paging": {"cursors": {"after": "x"}}}).to_string()),
    ]);
    let channel = account(&admin, &receiver).await;
    let id = template(&admin, "Hi").await;
    admin.patch(&format!("/v1/messaging/templates/{id}"), json!({"providerName": "order_shipped"})).await;

    let synced = admin.post(&format!("/v1/messaging/channels/{channel}/template-sync"), json!({})).await;

    assert_eq!((synced.status.as_u16(), &synced.json()["templates"]), (200, &json!(1)), "{}", synced.text());
    let uris: Vec<String> = receiver.received().iter().map(|one| one.uri.clone()).collect();
    assert!(uris[0].starts_with("/v23.0/99/message_templates?fields=") && uris[1].ends_with("&after=abc"), "{uris:?}");
    let rejected = shown(&admin, &id).await;
    assert_eq!((&rejected["approval"], &rejected["approvalReason"]), (&json!("rejected"), &json!("ABUSIVE_CONTENT")));
    assert_eq!(rejected["category"], json!("MARKETING"));
    site.stop().await;
}

#[rstest]
#[case::refused(Reply::Body(400, json!({"error": {"code": 100, "message": "Invalid parameter", "error_user_msg": "Variables can't be at the start"}}).to_string()),
    "Variables can't be at the start (100)")]
#[case::away(Reply::Status(503), "WhatsApp answered 503")]
#[tokio::test]
async fn what_meta_has_against_a_template_is_told(#[case] answer: Reply, #[case] expected: &str) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(answer);
    account(&admin, &receiver).await;
    let id = template(&admin, "{{firstName}}").await;

    let answer = admin.post(&format!("/v1/messaging/templates/{id}/submission"), json!({"category": "UTILITY"})).await;
    let no_category = admin.post(&format!("/v1/messaging/templates/{id}/submission"), json!({"category": "ANY"})).await;

    assert_eq!(answer.problem().0, 409);
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains(expected)), "{}", answer.text());
    assert_eq!(no_category.pointers(), ["/category"]);
    assert_eq!(shown(&admin, &id).await["approval"], json!("draft"));
    site.stop().await;
}
