//! Alerts reach those who want to know of them, once, and nothing is queued where no server is set up.

use std::{sync::Arc, time::Duration};

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    permissions::Role,
};
use leadline_engine::{
    Options,
    alerts::watch::watch,
    delivery::destinations::{self, Wish},
    mails::{runner::send_due, want},
    random_bytes,
};
use leadline_outbound::Mailer;
use leadline_store::users::{self, User};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::{CREDENTIALS, server::Server};

const MINUTE: Duration = Duration::from_secs(60);

pub async fn member(app: &TestApp, email: &str, role: Role) -> UserId {
    member_in(app, app.workspace, email, role).await
}

async fn member_in(app: &TestApp, workspace: WorkspaceId, email: &str, role: Role) -> UserId {
    let now = app.now();
    let user = User {
        id: UserId::new(now, random_bytes()),
        email: email.to_owned(),
        name: email.to_owned(),
        password_hash: String::new(),
        created_at: now,
        disabled_at: None,
    };
    let mut tx = app.engine.store.begin().await.expect("a write");
    users::insert(&mut tx, &user).await.expect("a user");
    users::insert_member(&mut tx, workspace, user.id, role.into(), now).await.expect("a member");
    tx.commit().await.expect("committed");
    user.id
}

fn send_by(app: &mut TestApp, mailer: Mailer) {
    app.engine.options = Arc::new(Options { mailer: Some(mailer), ..(*app.engine.options).clone() });
}

/// A destination that fails, and an alert of it.
async fn make_fail(app: &TestApp, receiver: &Receiver) {
    receiver.answers_otherwise(Answer::Status(503));
    let wish = Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.created".into()]),
        retry_plan: Some("none".into()),
        ..Wish::default()
    };
    destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination");
    for name in ["ada", "bob", "cora", "dan", "eve", "fay"] {
        app.submit(json!({"name": name})).await;
    }
    app.run_jobs().await;
    watch(&app.engine).await.expect("looked");
    app.run_jobs().await;
}

async fn send_all(app: &TestApp) {
    while send_due(&app.engine).await.expect("the store answers") > 0 {}
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_everybody_who_wants_to_know_and_may(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (mut app, receiver, server) = (TestApp::start(db).await, Receiver::start().await, Server::start("starttls"));
    send_by(&mut app, server.mailer(CREDENTIALS, ""));
    member(&app, "ada@example.com", Role::Admin).await;
    let bob = member(&app, "bob@example.com", Role::Admin).await;
    member(&app, "viewer@example.com", Role::Viewer).await;
    let (elsewhere, _) = app.make_workspace("elsewhere").await;
    member_in(&app, elsewhere, "stranger@example.com", Role::Admin).await;
    want(&app.engine, &app.actor(), bob, false).await.expect("saved");

    make_fail(&app, &receiver).await;
    send_all(&app).await;

    let message = server.next();
    assert_eq!(message["to"], json!(["ada@example.com"]));
    let content = message["content"].as_str().expect("content");
    assert!(content.contains("Subject: Leadline: Nothing gets through to CRM"), "{content}");
    assert!(content.contains("http://leadline.test/destinations/"), "{content}");
    app.advance(MINUTE);
    watch(&app.engine).await.expect("looked");
    send_all(&app).await;
    assert_eq!(server.rest(), Vec::<serde_json::Value>::new(), "an alert that lasts is told once");
    assert_eq!(app.count("mails WHERE state = 'sent'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_take_is_tried_again_or_given_up(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (mut app, receiver, server) = (TestApp::start(db).await, Receiver::start().await, Server::start("starttls"));
    send_by(&mut app, server.mailer(CREDENTIALS, ""));
    member(&app, "refused@example.com", Role::Admin).await;
    member(&app, "later@example.com", Role::Admin).await;
    make_fail(&app, &receiver).await;

    send_all(&app).await;

    assert_eq!(app.count("mails WHERE state = 'failed' AND last_error LIKE '%550%'").await, 1);
    let waits = "mails WHERE state = 'pending' AND last_error LIKE '%451%' AND attempt_count = ";
    assert_eq!(app.count(&format!("{waits}1")).await, 1);
    app.advance(MINUTE - Duration::from_millis(1));
    send_all(&app).await;
    assert_eq!(app.count(&format!("{waits}1")).await, 1, "not before its time");
    app.advance(Duration::from_millis(1));
    send_all(&app).await;
    assert_eq!(app.count(&format!("{waits}2")).await, 1);
    for wait in [5, 30, 120, 360] {
        app.advance(MINUTE * wait);
        send_all(&app).await;
    }
    assert_eq!(app.count("mails WHERE state = 'failed'").await, 2, "after six tries it is given up");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_nothing_piles_up(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (app, receiver) = (TestApp::start(db).await, Receiver::start().await);
    member(&app, "ada@example.com", Role::Admin).await;
    make_fail(&app, &receiver).await;
    assert_eq!(app.count("alerts WHERE closed_at IS NULL").await, 1);
    assert_eq!(app.count("mails").await, 0);
    app.stop().await;
}
