//! What people answer by e-mail, found in a real mailbox or posted: in which conversation it is, once, and what is no
//! answer at all.

use std::{sync::Arc, time::Duration};

use leadline_domain::{
    ids::{ChannelId, LeadId, MessageId},
    messaging::{MessageChannel, Provider},
};
use leadline_engine::{
    Options, dispatch,
    messaging::{
        MessagingError,
        channels::{self, Wish},
        inbox, incoming, mailbox,
        quick_send::{self, QuickSend},
        runner,
    },
};
use leadline_store::messages::list::{self, Listed, MessageFilter};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::{
    header,
    mailbox::{MailboxServer, PASSWORD, USERNAME},
    server::Server,
};

const TOKEN: &str = "a-token-of-many-letters";

fn setting(name: &str, value: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(value.to_owned()))
}

async fn letters(app: &TestApp, server: &Server, more: &[(&str, &str)]) -> ChannelId {
    let mut wish = Wish {
        name: Some("Mail".into()),
        settings: [setting("server", &server.url("?tls=none")), setting("from", "Shop <shop@example.com>")].into(),
        credentials: [setting("inboundToken", TOKEN)].into(),
        ..Wish::default()
    };
    wish.settings.extend(more.iter().map(|(name, value)| setting(name, value)));
    channels::create(&app.engine, &app.actor(), Provider::Smtp, &wish).await.expect("a channel").id
}

async fn send(app: &TestApp, lead: LeadId) -> MessageId {
    let quick = QuickSend {
        leads: vec![lead],
        kind: MessageChannel::Email,
        channel: None,
        template: None,
        subject: Some("Your roof".into()),
        text: Some("Hello {{firstName}}, shall we come?".into()),
        request: None,
    };
    let sent = quick_send::send(&app.engine, &app.actor(), &quick).await.expect("queued");
    runner::send_due(&app.engine).await.expect("sent");
    sent[0].result.expect("a message")
}

async fn ada(app: &TestApp) -> LeadId {
    app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await.lead.expect("a lead")
}

fn mail(id: &str, more: &str, text: &str) -> String {
    format!(
        "From: Ada <ada@example.com>\r\nTo: shop@example.com\r\nMessage-ID: <{id}@example.com>\r\n{more}\r\n{text}\r\n"
    )
}

fn answering(id: &str, message: MessageId, text: &str) -> String {
    mail(id, &format!("In-Reply-To: <{message}@example.com>\r\nSubject: Re: Your roof\r\n"), text)
}

async fn post(app: &TestApp, channel: ChannelId, mail: &str) -> incoming::Taken {
    app.advance(Duration::from_secs(1));
    let taken = incoming::post(&app.engine, channel, TOKEN, mail.as_bytes().to_vec()).await.expect("taken");
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    taken
}

async fn came_in(app: &TestApp) -> Vec<Listed> {
    let found = list::list(&app.engine.store.reader(), app.workspace, &MessageFilter::default(), (200, 0)).await;
    let mut rows = found.expect("messages").rows;
    rows.retain(|row| row.direction == "inbound");
    rows.reverse();
    rows
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_mailbox_lands_in_its_conversation_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (mut app, server, mut mailbox) = (TestApp::start(db).await, Server::start("plain"), MailboxServer::start());
    app.engine.options = Arc::new(Options { mail_trust: mailbox.trust(), ..(*app.engine.options).clone() });
    mailbox.put(&mail("old", "", "Long before"));
    let more = [("imapServer", mailbox.url()), ("imapUsername", USERNAME.to_owned())];
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let channel = letters(&app, &server, &[]).await;
    let wish = Wish {
        settings: more.iter().map(|(name, value)| setting(name, value)).collect(),
        credentials: [setting("imapPassword", PASSWORD)].into(),
        ..Wish::default()
    };
    channels::update(&app.engine, &app.actor(), channel, &wish).await.expect("it reads a mailbox now");
    let lead = ada(&app).await;
    let message = send(&app, lead).await;
    assert_eq!(mailbox::read_due(&app.engine).await.expect("read"), 1);

    let text = "Yes, come!\r\n\r\nOn Mon, Shop wrote:\r\n> Hello Ada, shall we come?\r\n";
    mailbox.put(&answering("a1", message, text));
    app.advance(Duration::from_secs(31));
    mailbox::read_due(&app.engine).await.expect("read");
    mailbox.put(&mail("b1", "From: stranger@example.org\r\n", "Who are you?").replacen(
        "From: Ada <ada@example.com>\r\n",
        "",
        1,
    ));
    app.advance(Duration::from_secs(31));
    mailbox::read_due(&app.engine).await.expect("read");
    app.advance(Duration::from_secs(31));
    mailbox::read_due(&app.engine).await.expect("read");

    let rows = came_in(&app).await;
    let said: Vec<(&str, Option<LeadId>)> = rows.iter().map(|row| (row.body.as_str(), row.lead_id)).collect();
    assert_eq!(said, [("Yes, come!", Some(lead)), ("Who are you?", None)], "and not what was there before");
    assert!(rows[0].quoted.as_deref().is_some_and(|text| text.starts_with("On Mon, Shop wrote:")), "{rows:?}");
    assert!(mailbox.look().iter().all(|flags| !flags.contains("Seen")), "left as it is: {:?}", mailbox.look());

    // The server counts anew, and has one of them again beside a new one.
    mailbox.renew();
    mailbox.put(&answering("a1", message, text));
    mailbox.put(&answering("a2", message, "And when?"));
    app.advance(Duration::from_secs(31));
    mailbox::read_due(&app.engine).await.expect("read");
    let said: Vec<String> = came_in(&app).await.into_iter().map(|row| row.body).collect();
    assert_eq!(said, ["Yes, come!", "Who are you?", "And when?"]);

    // A wrong password is told, and the right one mends it.
    let password = |text: &str| Wish { credentials: [setting("imapPassword", text)].into(), ..Wish::default() };
    channels::update(&app.engine, &app.actor(), channel, &password("wrong")).await.expect("changed");
    mailbox::read_due(&app.engine).await.expect("looked");
    assert_eq!(app.count("channels WHERE last_error LIKE '%mailbox%' AND last_error NOT LIKE '%wrong%'").await, 1);
    channels::update(&app.engine, &app.actor(), channel, &password(PASSWORD)).await.expect("changed");
    let marks = Wish { settings: [setting("imapMarksRead", "yes")].into(), ..Wish::default() };
    channels::update(&app.engine, &app.actor(), channel, &marks).await.expect("changed");
    mailbox.put(&answering("a3", message, "Hello?"));
    app.advance(Duration::from_secs(1));
    mailbox::read_due(&app.engine).await.expect("read");
    assert!(mailbox.look().last().is_some_and(|flags| flags.contains("Seen")), "{:?}", mailbox.look());
    assert!(channels::test(&app.engine, &app.actor(), channel).await.expect("tested").is_good);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_finds_its_conversation_by_what_it_answers_and_then_by_who_writes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (app, server) = (TestApp::start(db).await, Server::start("plain"));
    let channel = letters(&app, &server, &[("replyTo", "reply@example.com"), ("plusAddress", "yes")]).await;
    let lead = ada(&app).await;
    let message = send(&app, lead).await;
    let reply_to = format!("<reply+{}@example.com>", message.0.simple());
    assert!(header(&server.next(), "Reply-To").is_some_and(|address| address.contains(&reply_to)));

    // From elsewhere, by reference; by the address that was answered to; and by the sender alone.
    let elsewhere = answering("1", message, "By reference").replace("ada@example.com>", "private@example.net>");
    let by_plus =
        mail("2", &format!("Cc: {reply_to}\r\n"), "By plus").replace("ada@example.com>", "other@example.net>");
    for text in [&elsewhere, &by_plus, &mail("3", "", "By sender"), &elsewhere] {
        assert_eq!(post(&app, channel, text).await, incoming::Taken::Kept);
    }

    let rows = came_in(&app).await;
    let said: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
    assert_eq!(said, ["By reference", "By plus", "By sender"], "what is posted twice is kept once");
    assert!(rows.iter().all(|row| row.lead_id == Some(lead) && row.conversation_id == rows[0].conversation_id));
    assert_eq!(rows[0].address.as_deref(), Some("private@example.net"));
    assert_eq!(app.count("conversations WHERE address = 'ada@example.com'").await, 1, "nobody redirects it");
    assert_eq!(app.count("events WHERE kind = 'message.received'").await, 3);

    // What we answer goes to the person, and says what it answers.
    let reply =
        inbox::Reply { template: None, subject: None, text: Some("Tomorrow".into()), files: Vec::new(), request: None };
    inbox::reply(&app.engine, &app.actor(), rows[0].conversation_id, &reply).await.expect("answered");
    runner::send_due(&app.engine).await.expect("sent");
    let sent = server.next();
    assert_eq!(sent["to"], json!(["ada@example.com"]));
    assert_eq!(header(&sent, "In-Reply-To"), Some("<3@example.com>"));
    assert_eq!(header(&sent, "Auto-Submitted"), None, "a person wrote it");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_programs_write_answers_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (app, server) = (TestApp::start(db).await, Server::start("plain"));
    let channel = letters(&app, &server, &[]).await;
    let lead = ada(&app).await;
    let message = send(&app, lead).await;
    let absent = format!("Auto-Submitted: auto-replied\r\nIn-Reply-To: <{message}@example.com>\r\n");

    post(&app, channel, &mail("away", &absent, "I am away")).await;
    let own = mail("own", "", "To myself").replace("ada@example.com>", "Shop@Example.com>");
    let passed_over = post(&app, channel, &own).await;

    assert_eq!(passed_over, incoming::Taken::PassedOver);
    let rows = came_in(&app).await;
    assert_eq!(rows.iter().map(|row| (row.body.as_str(), row.is_automatic)).collect::<Vec<_>>(), [("I am away", true)]);
    assert_eq!(app.count("events WHERE kind = 'message.received'").await, 0);
    assert_eq!(app.count("conversations WHERE unread_count > 0 OR last_inbound_at IS NOT NULL").await, 0);
    assert_eq!(app.count("lead_activities WHERE kind = 'message.received'").await, 0);

    // A program that does not say so is known by how much it writes.
    for at in 0..32 {
        post(&app, channel, &mail(&format!("loop{at}"), "", "Thank you for your message")).await;
    }
    assert_eq!(app.count("events WHERE kind = 'message.received'").await, 29);
    app.stop().await;
}

fn bounce(message: MessageId, action: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.com\r\nTo: shop@example.com\r\nMessage-ID: <bounce@mx.example.com>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\nAction: {action}\r\n\
         Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         Message-ID: <{message}@example.com>\r\n--b--\r\n"
    )
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_fails_its_message_and_is_no_answer(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (app, server) = (TestApp::start(db).await, Server::start("plain"));
    let channel = letters(&app, &server, &[]).await;
    let lead = ada(&app).await;
    let message = send(&app, lead).await;
    let (elsewhere, _) = app.make_workspace("elsewhere").await;

    assert_eq!(post(&app, channel, &bounce(message, "delayed")).await, incoming::Taken::Reported);
    assert_eq!(app.count("messages WHERE status = 'sent'").await, 1, "it may still arrive");
    post(&app, channel, &bounce(message, "failed")).await;
    post(&app, channel, &bounce(message, "failed")).await;

    let failed = "messages WHERE status = 'failed' AND error_code = '5.1.1' AND error_message = '550 no such user'";
    assert_eq!((app.count(failed).await, app.count("messages").await), (1, 1));
    assert_eq!(app.count("events WHERE kind = 'message.failed'").await, 1);
    assert_eq!(app.count("events WHERE kind = 'message.received'").await, 0);

    // Another workspace's channel has nothing to say about it.
    let other = {
        let wish = Wish {
            name: Some("Theirs".into()),
            settings: [setting("server", &server.url("?tls=none")), setting("from", "them@example.org")].into(),
            credentials: [setting("inboundToken", TOKEN)].into(),
            ..Wish::default()
        };
        channels::create(&app.engine, &app.actor_in(elsewhere), Provider::Smtp, &wish).await.expect("a channel").id
    };
    let second = send(&app, lead).await;
    post(&app, other, &bounce(second, "failed")).await;
    assert_eq!(app.count("messages WHERE status = 'sent'").await, 1);
    app.stop().await;
}

#[rstest]
#[case::inward("imaps://10.0.0.1", "/settings/imapServer")]
#[case::no_tls("imap://mail.example.com?tls=none", "/settings/imapServer")]
#[case::nobody_signs_in("imaps://mail.example.com", "/settings/imapUsername")]
#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_may_not_be_read_is_refused(#[case] url: &str, #[case] pointer: &str) {
    let app = TestApp::start(Db::Sqlite).await;
    let wish = Wish {
        name: Some("Mail".into()),
        settings: [
            setting("server", "smtps://mail.example.com"),
            setting("from", "a@b.de"),
            setting("imapServer", url),
        ]
        .into(),
        ..Wish::default()
    };

    let refused = channels::create(&app.engine, &app.actor(), Provider::Smtp, &wish).await;

    let Err(MessagingError::Invalid(faults)) = refused else { panic!("refused") };
    assert_eq!(faults[0].pointer, pointer);
    app.stop().await;
}
