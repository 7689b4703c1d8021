//! E-mail to one user about what is theirs: once, as they wish, and without anybody's name.

use std::{sync::Arc, time::Duration};

use leadline_domain::{
    permissions::Role,
    personal_alerts::{AlertKind, Ways},
};
use leadline_engine::{
    Actor, Options,
    crm::{self, Action},
    mails::runner::send_due,
    work::{
        alerts::wish,
        tasks::{self, NewTask},
    },
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{CREDENTIALS, alerts::member, server::Server};

async fn send_all(app: &TestApp) {
    app.run_work().await;
    while send_due(&app.engine).await.expect("the store answers") > 0 {}
}

fn said(message: &Value) -> String {
    message["content"].as_str().expect("content").replace("=\r\n", "")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_theirs_reaches_them_without_a_name(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    let server = Server::start("starttls");
    let mailer = server.mailer(CREDENTIALS, "");
    app.engine.options = Arc::new(Options { mailer: Some(mailer), ..(*app.engine.options).clone() });
    let ann = member(&app, "ann@example.com", Role::Agent).await;
    let lead = app.submit(json!({"name": "Ada Lovelace", "email": "ada@example.com"})).await.lead.expect("a lead");

    crm::apply(&app.engine, &app.actor(), &Action::Assign(Some(ann)), &[lead]).await.expect("assigned");
    send_all(&app).await;
    send_all(&app).await;
    let mail = server.next();
    assert_eq!(mail["to"], json!(["ann@example.com"]));
    let text = said(&mail);
    assert!(text.contains("Subject: Leadline: A lead is yours"), "{text}");
    assert!(text.contains(&format!("http://leadline.test/leads/{lead}")) && !text.contains("Lovelace"), "{text}");
    assert_eq!(server.rest(), Vec::<Value>::new(), "once");

    // A task's title is told where it is about no lead.
    let now = app.now();
    for lead in [Some(lead), None] {
        let title = "Call Ada Lovelace".to_owned();
        let new = NewTask { lead, title, assignee: Some(ann), remind_at: Some(now), due_at: None };
        let own = Actor { user: Some(ann), ..app.actor() };
        tasks::create(&app.engine, &own, &new).await.expect("a task");
    }
    send_all(&app).await;
    let texts = [said(&server.next()), said(&server.next())];
    assert_eq!(texts.iter().filter(|text| text.contains("Lovelace")).count(), 1, "{texts:?}");

    // Who wants none gets none.
    let own = Actor { user: Some(ann), ..app.actor() };
    let none = Ways { app: true, mail: false };
    wish(&app.engine, &own, &[(AlertKind::LeadReturned, none)]).await.expect("wished");
    app.advance(Duration::from_secs(48 * 3_600));
    app.submit(json!({"name": "Ada Lovelace", "email": "ada@example.com"})).await;
    send_all(&app).await;
    assert_eq!(server.rest(), Vec::<Value>::new());
    assert_eq!(app.count("personal_alerts WHERE kind = 'lead.returned'").await, 1);
    app.stop().await;
}
