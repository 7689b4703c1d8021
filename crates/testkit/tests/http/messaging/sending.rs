//! From a selection of leads to the built-in phone, and everything that can go wrong on the way.

use std::time::Duration;

use leadline_domain::permissions::Role;
use leadline_engine::messaging::runner;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ada, channel, events, lead, made, message, quick_send, run, sandbox, start, status, text};

#[rstest]
#[tokio::test]
async fn a_message_goes_to_each_lead_that_has_what_the_channel_goes_by(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    let (ada, ben) = (ada(&site).await, lead(&site, json!({"name": "Ben", "email": "ben@example.com"})).await);

    let words = json!({"leadIds": [ada, ben], "channel": "sms", "message": "Hi {{firstName}}, 2 < 3?"});
    let answer = quick_send(&admin, words).await;
    run(&site).await;
    let arrived =
        admin.get(&format!("/v1/messaging/channels/{sandbox}/sandbox/arrivals?address=%2B491701234567")).await.json();
    site.app.advance(Duration::from_secs(2));
    run(&site).await;

    assert_eq!((&answer["queued"], &answer["skipped"]), (&json!(1), &json!(1)));
    let of =
        |lead: &str| answer["results"].as_array().expect("results").iter().find(|one| one["leadId"] == lead).cloned();
    assert_eq!(of(&ben).expect("Ben")["code"], json!("no_phone"));
    assert_eq!(arrived["data"][0]["body"], json!("Hi Ada, 2 < 3?"));
    let sent = of(&ada).expect("Ada")["messageId"].as_str().expect("a message").to_owned();
    let sent = message(&admin, &sent).await;
    assert_eq!(
        (&sent["status"], &sent["address"], &sent["causeKind"]),
        (&json!("delivered"), &json!("+491701234567"), &json!("user"))
    );
    assert!(sent["sentAt"].as_str() < sent["deliveredAt"].as_str() && sent["sentAt"].is_string(), "{sent}");
    for kind in ["message.sent", "message.delivered"] {
        assert_eq!(events(&site, kind).await, 1, "{kind}");
    }
    let lead = admin.get(&format!("/v1/identity/leads/{ada}")).await.json();
    assert!(lead["activity"].to_string().contains("message.sent"), "{lead}");
    let listed = admin.get(&format!("/v1/messaging/messages?leadId={ada}")).await.json();
    assert_eq!(listed["total"], json!(1));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_request_that_comes_twice_sends_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let ada = ada(&site).await;
    let request = json!({"leadIds": [ada, ada], "channel": "email", "subject": "Hello", "message": "Hi",
        "requestId": "0199aaaa-0000-7000-8000-000000000001"});

    let (first, second) = (quick_send(&admin, request.clone()).await, quick_send(&admin, request).await);
    run(&site).await;

    assert_eq!(first["results"], second["results"]);
    assert_eq!(site.app.count("messages").await, 1);
    assert_eq!(site.app.count("sandbox_arrivals WHERE times = 1").await, 1);
    site.stop().await;
}

#[rstest]
#[case::refused("990001", "failed", "sandbox_refused", &["message.failed"])]
#[case::bounced("990002", "failed", "sandbox_bounced", &["message.sent", "message.failed"])]
#[case::never_delivered("990003", "sent", "", &["message.sent"])]
#[case::broken_off("990005", "unknown", "sandbox_broken_off", &["message.unknown"])]
#[tokio::test]
async fn what_goes_wrong_is_told_with_its_reason(
    #[case] end: &str,
    #[case] expected: &str,
    #[case] code: &str,
    #[case] told: &[&str],
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let lead = lead(&site, json!({"name": "Ada", "phone": format!("+491701{end}")})).await;

    let id = text(&admin, &lead, "Hi").await;
    run(&site).await;
    site.app.advance(Duration::from_secs(600));
    run(&site).await;

    let message = message(&admin, &id).await;
    assert_eq!((message["status"].as_str(), message["errorCode"].as_str().unwrap_or_default()), (Some(expected), code));
    assert_eq!(message["error"].is_string(), !code.is_empty(), "{message}");
    let all = site.app.count("events WHERE kind LIKE 'message.%'").await;
    assert_eq!(all, i64::try_from(told.len()).expect("few"));
    for kind in told {
        assert_eq!(events(&site, kind).await, 1, "{kind}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn late_is_an_hour_late(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let lead = lead(&site, json!({"name": "Ada", "phone": "+491701990004"})).await;

    let id = text(&admin, &lead, "Hi").await;
    run(&site).await;
    let at_first = status(&admin, &id).await;
    site.app.advance(Duration::from_secs(3_601));
    run(&site).await;

    assert_eq!((at_first.as_str(), status(&admin, &id).await.as_str()), ("sent", "delivered"));
    site.stop().await;
}

/// Whoever dies between writing down that it begins and recording the answer leaves this.
#[rstest]
#[tokio::test]
async fn a_sandbox_gets_a_message_once_although_its_sender_died(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let ada = ada(&site).await;

    let id = text(&admin, &ada, "Hi").await;
    assert_eq!(runner::begin_due(&site.app.engine).await.expect("begun"), 1);
    run(&site).await;
    let under_way = status(&admin, &id).await;
    site.app.advance(Duration::from_secs(10));
    run(&site).await;

    assert_eq!((under_way.as_str(), status(&admin, &id).await.as_str()), ("sending", "sent"));
    assert_eq!(site.app.count("sandbox_arrivals WHERE times = 1").await, 1);
    let conversation = message(&admin, &id).await["conversationId"].as_str().expect("an id").to_owned();
    assert_eq!(site.app.count(&format!("conversations WHERE id = '{conversation}' AND message_count = 1")).await, 1);
    site.stop().await;
}

#[rstest]
#[case::lead_deleted("lead_deleted")]
#[case::channel_deleted("channel_deleted")]
#[case::channel_switched_off("channel_inactive")]
#[case::template_deleted("template_deleted")]
#[case::template_rejected("template_not_approved")]
#[case::phone_taken_away("no_phone")]
#[tokio::test]
async fn what_changed_while_a_message_waited_keeps_it_back_with_a_reason(
    #[case] code: &str,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    let ada = ada(&site).await;
    let template = json!({"channel": "sms", "name": "Welcome", "body": "Hi {{firstName}}"});
    let template = made(&admin, "/v1/messaging/templates", template).await;
    let request = json!({"leadIds": [ada], "channel": "sms", "templateId": template, "channelId": sandbox});
    let sent = quick_send(&admin, request).await;

    let change = match code {
        "lead_deleted" => admin.delete(&format!("/v1/identity/leads/{ada}")).await,
        "channel_deleted" => admin.delete(&format!("/v1/messaging/channels/{sandbox}")).await,
        "channel_inactive" => {
            admin.patch(&format!("/v1/messaging/channels/{sandbox}"), json!({"isActive": false})).await
        }
        "template_deleted" => admin.delete(&format!("/v1/messaging/templates/{template}")).await,
        "no_phone" => admin.patch(&format!("/v1/identity/leads/{ada}"), json!({"phone": null})).await,
        _ => admin.patch(&format!("/v1/messaging/templates/{template}"), json!({"approval": "rejected"})).await,
    };
    assert!(change.status.is_success(), "{}", change.text());
    run(&site).await;

    let message = message(&admin, sent["results"][0]["messageId"].as_str().expect("a message")).await;
    assert_eq!((&message["status"], &message["errorCode"]), (&json!("skipped"), &json!(code)));
    assert_eq!(events(&site, "message.skipped").await, 1);
    assert_eq!(site.app.count("sandbox_arrivals").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn whoever_does_not_want_to_be_written_to_is_not(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let ada = ada(&site).await;
    let waiting = text(&admin, &ada, "Hi").await;

    let listed = admin.post("/v1/admin/privacy/suppressions", json!({"email": "Ada@Example.com"})).await;
    assert!(listed.status.is_success(), "{}", listed.text());
    let later = quick_send(&admin, json!({"leadIds": [ada], "channel": "sms", "message": "Hi"})).await;
    run(&site).await;

    let waiting = message(&admin, &waiting).await;
    assert_eq!((&waiting["status"], &waiting["errorCode"]), (&json!("skipped"), &json!("suppressed")));
    assert_eq!(later["results"][0]["code"], json!("suppressed"));
    assert_eq!(site.app.count("sandbox_arrivals").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_channel_keeps_its_pace(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    channel(&admin, json!({"kind": "sandbox", "name": "Slow", "perMinute": 6})).await;
    for number in 0..3 {
        let phone = format!("+49170123456{number}");
        let lead = lead(&site, json!({"name": format!("Lead {number}"), "phone": phone})).await;
        text(&admin, &lead, "Hi").await;
    }

    let mut arrived = Vec::new();
    for _ in 0..4 {
        run(&site).await;
        arrived.push(site.app.count("sandbox_arrivals").await);
        site.app.advance(Duration::from_secs(10));
    }

    assert_eq!(arrived, [1, 2, 3, 3]);
    site.stop().await;
}

#[rstest]
#[case::unknown_variable(json!({"channel": "sms", "name": "A", "body": "{{surname}}"}), "/body")]
#[case::email_without_subject(json!({"channel": "email", "name": "A", "body": "Hi"}), "/subject")]
#[case::page_in_a_text(json!({"channel": "sms", "name": "A", "body": "Hi", "html": "<p>Hi</p>"}), "/html")]
#[case::another_channel(json!({"channel": "fax", "name": "A", "body": "Hi"}), "/channel")]
#[case::two_lines(json!({"channel": "email", "name": "A", "body": "Hi", "subject": "a\r\nBcc: b@c.de"}), "/subject")]
#[case::nul(json!({"channel": "sms", "name": "A", "body": "H\u{0}i"}), "/body")]
#[tokio::test]
async fn a_template_that_could_not_be_sent_is_not_taken(#[case] template: Value, #[case] pointer: &str) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);

    let answer = admin.post("/v1/messaging/templates", template).await;

    assert_eq!((answer.problem().0, answer.pointers()), (422, vec![pointer.to_owned()]), "{}", answer.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_page_shows_what_a_visitor_typed_and_never_runs_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let lead = lead(&site, json!({"name": "<script>alert(1)</script> O'Hara", "email": "eve@example.com"})).await;
    let template = json!({"channel": "email", "name": "Welcome", "subject": "Hi {{name}}", "body": "Hi {{name}}",
        "html": "<p title='{{name}}'>Hi {{name}}</p>"});
    let template = made(&admin, "/v1/messaging/templates", template).await;

    quick_send(&admin, json!({"leadIds": [lead], "channel": "email", "templateId": template})).await;
    run(&site).await;

    let safe = "&lt;script&gt;alert(1)&lt;/script&gt; O&#39;Hara".replace('\'', "''");
    let page = format!("<p title=''{safe}''>Hi {safe}</p>");
    assert_eq!(site.app.count(&format!("sandbox_arrivals WHERE body_html = '{page}'")).await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn without_the_permission_nobody_sends_and_nobody_reads_what_was_said(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    sandbox(&admin).await;
    let ada = ada(&site).await;
    let id = text(&admin, &ada, "Your offer, Ada").await;
    run(&site).await;
    let viewer = site.token(Role::Viewer).await;
    let viewer = site.with_token(&viewer);

    let refused = viewer
        .post("/v1/identity/leads/broadcast/quick-send", json!({"leadIds": [ada], "channel": "sms", "message": "Hi"}))
        .await;
    let seen = message(&viewer, &id).await;
    let inbox = viewer.get("/v1/messaging/inbox").await.text();

    assert_eq!(refused.status, 403);
    assert_eq!((&seen["body"], &seen["leadName"]), (&json!("•••"), &json!("A•••")));
    for personal in ["Ada", "491701234567", "offer"] {
        assert!(!seen.to_string().contains(personal) && !inbox.contains(personal), "{seen} {inbox}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_audience_is_made_of_the_leads_that_are_there(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let ada = ada(&site).await;
    let nobody = "0199aaaa-0000-7000-8000-000000000001";
    let path = "/v1/identity/leads/broadcast/create-audience";

    let made = admin.post(path, json!({"name": "Spring", "leadIds": [ada, ada, nobody]})).await.json();
    let empty = admin.post(path, json!({"name": "Nobody", "leadIds": [nobody]})).await;

    assert_eq!(made["memberCount"], json!(1));
    assert_eq!(empty.pointers(), ["/leadIds"]);
    let listed = admin.get("/v1/messaging/audiences").await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    site.stop().await;
}
