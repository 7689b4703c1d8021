//! Letters to the people behind leads, through a real SMTP server that a customer named.

use std::sync::Arc;

use leadline_domain::messaging::{MessageChannel, Provider};
use leadline_engine::{
    Options,
    messaging::{
        channels::{self, Wish},
        quick_send::{self, QuickSend},
        runner,
    },
};
use leadline_outbound::{Client, Guard, Letter, LetterError, MailServer, MailerRefused, Trust};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use super::{cases, header, server::Server};

fn client(allowed: &str) -> Client {
    let ranges = if allowed.is_empty() { Vec::new() } else { vec![allowed.parse().expect("a range")] };
    Client::new(Guard::new(ranges)).expect("a client")
}

fn letter(subject: &str) -> Letter<'_> {
    Letter {
        id: "1",
        to: "ada@example.com",
        subject,
        text: "Grüße,\n.\nwe",
        html: Some("<p>Grüße &amp; 🚀</p>"),
        unsubscribe: Some("https://leadline.test/u/abc?a=1"),
        answers: None,
        reply_to: None,
        is_automatic: false,
        files: &[],
    }
}

#[rstest]
#[case::starttls("starttls", Some(("leadline", "a password/with+signs")), "", true)]
#[case::tls("tls", None, "", true)]
#[case::plain("plain", None, "?tls=none", false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_has_text_and_page_and_a_way_out(
    #[case] mode: &'static str,
    #[case] credentials: Option<(&str, &str)>,
    #[case] query: &str,
    #[case] is_encrypted: bool,
) {
    let server = Server::start(mode);
    let url = server.url(query);
    let named = MailServer { url: &url, credentials, from: "Shop <shop@example.com>" };
    let mailer = client("127.0.0.0/8").mailer(&named, server.trust()).expect("a mailer");

    mailer.send_letter(&letter("Grüße")).await.expect("taken");

    let message = server.next();
    assert_eq!((&message["to"], &message["isEncrypted"]), (&json!(["ada@example.com"]), &json!(is_encrypted)));
    assert_eq!(header(&message, "List-Unsubscribe"), Some("<https://leadline.test/u/abc?a=1>"));
    assert_eq!(header(&message, "List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    let content = message["content"].as_str().expect("content");
    assert!(content.contains("multipart/alternative") && content.contains("text/html"), "{content}");
    assert_eq!(server.rest(), Vec::<Value>::new());
}

#[test]
fn a_server_inside_or_without_tls_is_nobodys_to_name() {
    let refused = |url: &str, allowed: &str| {
        let named = MailServer { url, credentials: None, from: "shop@example.com" };
        client(allowed).mailer(&named, Trust::Only(Vec::new())).err()
    };

    assert!(matches!(refused("smtps://10.0.0.1", ""), Some(MailerRefused::Private)));
    assert!(matches!(refused("smtps://[::1]:465", ""), Some(MailerRefused::Private)));
    assert!(matches!(refused("smtp://metadata.google.internal", ""), Some(MailerRefused::Private)));
    assert!(matches!(refused("smtp://mail.example.com?tls=none", ""), Some(MailerRefused::NotEncrypted)));
    assert!(refused("smtp://127.0.0.1?tls=none", "127.0.0.0/8").is_none());
    assert!(refused("smtps://mail.example.com", "").is_none());
}

#[rstest]
#[case::nobody("refused@example.com")]
#[case::busy("later@example.com")]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_is_known_not_to_be(#[case] to: &str) {
    let server = Server::start("plain");
    let url = server.url("?tls=none");
    let named = MailServer { url: &url, credentials: None, from: "shop@example.com" };
    let mailer = client("127.0.0.0/8").mailer(&named, server.trust()).expect("a mailer");

    let error = mailer.send_letter(&Letter { to, ..letter("Hi") }).await.expect_err("not taken");

    let is_final = to.starts_with("refused");
    assert_eq!(matches!(error, LetterError::Refused(_)), is_final, "{error}");
    assert_eq!(matches!(error, LetterError::NotTaken(_)), !is_final, "{error}");
}

/// Wherever an injection stands, there is one letter to one person, or none.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_letter_makes_a_command_or_a_header() {
    let server = Server::start("plain");
    let url = server.url("?tls=none");
    let named = MailServer { url: &url, credentials: None, from: "shop@example.com" };
    let mailer = client("127.0.0.0/8").mailer(&named, server.trust()).expect("a mailer");
    let cases = cases();
    assert!(cases.len() > 20, "only {} cases", cases.len());

    for case in &cases {
        mailer.send_letter(&Letter { text: case, html: Some(case), ..letter(case) }).await.expect("taken");
        let message = server.next();
        assert_eq!(message["to"], json!(["ada@example.com"]), "{case:?}");
        for name in ["Bcc", "Cc", "X-Injected", "Set-Cookie", "Location"] {
            assert_eq!(header(&message, name), None, "{case:?} made a header");
        }
        assert_eq!(server.rest(), Vec::<Value>::new(), "{case:?} made a second letter");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_message_by_e_mail_reaches_the_person_behind_a_lead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let server = Server::start("plain");
    let app = TestApp::start(db).await;
    let (engine, actor) = (&app.engine, app.actor());
    let setting = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let wish = Wish {
        name: Some("Mail".into()),
        settings: [setting("server", &server.url("?tls=none")), setting("from", "Shop <shop@example.com>")].into(),
        ..Wish::default()
    };
    let channel = channels::create(engine, &actor, Provider::Smtp, &wish).await.expect("a channel");
    let lead = app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await.lead.expect("a lead");
    let quick = QuickSend {
        leads: vec![lead],
        kind: MessageChannel::Email,
        channel: None,
        template: None,
        subject: Some("Hi {{firstName}}".into()),
        text: Some("Hello {{firstName}}".into()),
        request: None,
    };

    let tested = channels::test(engine, &actor, channel.id).await.expect("tested");
    quick_send::send(engine, &actor, &quick).await.expect("queued");
    runner::send_due(engine).await.expect("sent");

    assert!(tested.is_good, "{}", tested.detail);
    let message = server.next();
    assert_eq!((&message["to"], &message["from"]), (&json!(["ada@example.com"]), &json!("shop@example.com")));
    assert_eq!(header(&message, "Subject"), Some("Hi Ada"));
    assert_eq!(app.count("messages WHERE status = 'sent' AND provider_id IS NULL").await, 1);
    app.stop().await;
}

/// Wherever an injection stands in a message, there is one letter to one person over TLS, or none.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_message_makes_a_command_or_a_header(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (mut app, server) = (TestApp::start(db).await, Server::start("tls"));
    app.engine.options = Arc::new(Options { mail_trust: server.trust(), ..(*app.engine.options).clone() });
    let setting = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let wish = Wish {
        name: Some("Mail".into()),
        settings: [setting("server", &server.url("")), setting("from", "Shop <shop@example.com>")].into(),
        // As many as there are at once.
        per_minute: Some(0),
        ..Wish::default()
    };
    channels::create(&app.engine, &app.actor(), Provider::Smtp, &wish).await.expect("a channel");
    let cases = cases();
    assert!(cases.len() > 20, "only {} cases", cases.len());

    for (at, case) in cases.iter().enumerate() {
        let address = format!("ada{at}@example.com");
        let fields = json!({"name": format!("Ada{case}"), "email": address, "company": case, "custom": case});
        let lead = app.submit(fields).await.lead.expect("a lead");
        let quick = |subject: &str| QuickSend {
            leads: vec![lead],
            kind: MessageChannel::Email,
            channel: None,
            template: None,
            subject: Some(subject.to_owned()),
            text: Some(format!("{case} {{{{name}}}} {{{{company}}}}")),
            request: None,
        };
        let before = app.count("messages WHERE status = 'sent'").await;
        quick_send::send(&app.engine, &app.actor(), &quick("Hi {{name}} {{company}} {{customFields.custom}}"))
            .await
            .expect("queued");
        // A subject of more than a line is refused at once; what is left of it is sent.
        let by_hand = quick_send::send(&app.engine, &app.actor(), &quick(&format!("Hi {case}"))).await;
        runner::send_due(&app.engine).await.expect("sent");
        let count = 1 + i64::from(by_hand.is_ok_and(|sent| sent[0].result.is_ok()));
        assert_eq!(app.count("messages WHERE status = 'sent'").await - before, count, "{case:?} stopped a letter");
        for _ in 0..count {
            let message = server.next();
            assert_eq!((&message["to"], &message["isEncrypted"]), (&json!([address]), &json!(true)), "{case:?}");
            for name in ["Bcc", "Cc", "X-Injected", "Set-Cookie", "Location"] {
                assert_eq!(header(&message, name), None, "{case:?} made a header");
            }
        }

        // And through the address itself: to nobody, or to what is one address all the same.
        let fields = json!({"name": "Eve", "email": format!("eve{at}@example.com{case}")});
        let lead = app.submit(fields).await.lead.expect("a lead");
        let quick = QuickSend { leads: vec![lead], ..quick("Hi") };
        let before = app.count("messages WHERE status = 'sent'").await;
        quick_send::send(&app.engine, &app.actor(), &quick).await.expect("answered");
        runner::send_due(&app.engine).await.expect("sent");
        for _ in before..app.count("messages WHERE status = 'sent'").await {
            let message = server.next();
            let to: Vec<&str> = message["to"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let is_one = matches!(to[..], [one] if one.starts_with(&format!("eve{at}@example.com")));
            assert!(is_one, "{case:?} wrote to {to:?}");
        }
        assert_eq!(server.rest(), Vec::<Value>::new(), "{case:?} made a letter more");
    }
    app.stop().await;
}
