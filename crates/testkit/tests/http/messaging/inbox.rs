//! The inbox: who answers whom.

use std::time::Duration;

use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ada, message, run, sandbox, start, text};
use crate::browser::Caller;

/// Somebody writes from the built-in phone: the conversation.
async fn write(admin: &Caller<'_>, sandbox: &str, words: &str) -> String {
    let body = json!({"channel": "sms", "address": "+49 170 1234567", "text": words});
    let answer = admin.post(&format!("/v1/messaging/channels/{sandbox}/sandbox/answers"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["conversationId"].as_str().expect("an id").to_owned()
}

async fn inbox(admin: &Caller<'_>, query: &str) -> Vec<Value> {
    let answer = admin.get(&format!("/v1/messaging/inbox?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].as_array().expect("a list").clone()
}

#[rstest]
#[tokio::test]
async fn an_answer_appears_in_the_conversation_it_answers_and_is_answered_there(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    let ada = ada(&site).await;
    let sent = text(&admin, &ada, "Shall we call you?").await;
    run(&site).await;

    site.app.advance(Duration::from_secs(60));
    let conversation = write(&admin, &sandbox, "Yes, please").await;
    let unread = admin.get("/v1/messaging/inbox/unread").await.json();
    let entry = inbox(&admin, "search=lovelace").await.remove(0);
    let reply = json!({"message": "At what time, {{firstName}}?", "requestId": "0199aaaa-0000-7000-8000-000000000001"});
    let path = format!("/v1/messaging/conversations/{conversation}");
    site.app.advance(Duration::from_secs(60));
    let first = admin.post(&format!("{path}/replies"), reply.clone()).await.json();
    let again = admin.post(&format!("{path}/replies"), reply).await.json();
    run(&site).await;
    admin.post(&format!("{path}/notes"), json!({"value": "Prefers mornings"})).await;

    assert_eq!(message(&admin, &sent).await["conversationId"], json!(conversation));
    assert_eq!((&unread["unread"], &entry["unreadCount"]), (&json!(1), &json!(1)));
    assert_eq!((&entry["lastText"], &entry["leadId"]), (&json!("Yes, please"), &json!(ada)));
    assert_eq!(first["id"], again["id"]);
    let said = admin.get(&format!("/v1/messaging/messages?conversationId={conversation}")).await.json();
    let said: Vec<(&str, &str)> = said["data"]
        .as_array()
        .expect("a list")
        .iter()
        .rev()
        .map(|one| (one["direction"].as_str().expect("text"), one["body"].as_str().expect("text")))
        .collect();
    assert_eq!(said[..2], [("outbound", "Shall we call you?"), ("inbound", "Yes, please")],);
    assert!(
        said.contains(&("outbound", "At what time, Ada?")) && said.contains(&("note", "Prefers mornings")),
        "{said:?}"
    );
    assert_eq!(site.app.count("sandbox_arrivals").await, 2, "a note goes to nobody");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn conversations_are_assigned_put_off_closed_and_come_back_when_somebody_writes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    ada(&site).await;
    let colleague = site.member("colleague@example.com", Role::Agent).await;
    let conversation = write(&admin, &sandbox, "Hello?").await;
    let path = format!("/v1/messaging/conversations/{conversation}");
    let until = site.app.now().plus_ms(3_600_000);

    let assigned = admin.patch(&path, json!({"assignedTo": colleague, "isRead": true})).await.json();
    let of_colleague = inbox(&admin, &format!("assignedTo={colleague}")).await.len();
    let of_nobody = inbox(&admin, "assignedTo=nobody").await.len();
    admin.patch(&path, json!({"snoozedUntil": until})).await;
    let (open, snoozed) = (inbox(&admin, "").await.len(), inbox(&admin, "folder=snoozed").await.len());
    site.app.advance(Duration::from_secs(3_601));
    let woken = inbox(&admin, "").await.len();
    admin.patch(&path, json!({"isClosed": true})).await;
    let (open_after, closed) = (inbox(&admin, "").await.len(), inbox(&admin, "folder=closed").await.len());
    write(&admin, &sandbox, "Still there?").await;
    let back = inbox(&admin, "unread=true").await;

    assert_eq!((&assigned["assignedTo"], &assigned["unreadCount"]), (&json!(colleague), &json!(0)));
    assert_eq!((of_colleague, of_nobody, open, snoozed, woken, open_after, closed), (1, 0, 0, 1, 1, 0, 1));
    assert_eq!((back.len(), &back[0]["closedAt"], &back[0]["assignedTo"]), (1, &json!(null), &json!(colleague)));
    site.stop().await;
}

#[rstest]
#[case::nobody(json!({"assignedTo": "0199aaaa-0000-7000-8000-000000000001"}), "/assignedTo")]
#[case::gone_by(json!({"snoozedUntil": "2020-01-01T00:00:00Z"}), "/snoozedUntil")]
#[tokio::test]
async fn what_cannot_be_done_with_a_conversation_is_refused(#[case] wish: Value, #[case] pointer: &str) {
    let (site, token) = start(Db::Sqlite).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    let conversation = write(&admin, &sandbox, "Hello?").await;

    let answer = admin.patch(&format!("/v1/messaging/conversations/{conversation}"), wish).await;

    assert_eq!(answer.pointers(), [pointer]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_arrived_counts_as_read_once_the_phone_is_opened(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    let ada = ada(&site).await;
    let send = |channel: &str| json!({"leadIds": [ada], "channel": channel, "message": "Hi"});
    let whatsapp = super::quick_send(&admin, send("whatsapp")).await["results"][0]["messageId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let sms =
        super::quick_send(&admin, send("sms")).await["results"][0]["messageId"].as_str().expect("an id").to_owned();
    run(&site).await;
    site.app.advance(Duration::from_secs(5));
    run(&site).await;

    let opened = admin
        .post(&format!("/v1/messaging/channels/{sandbox}/sandbox/open"), json!({"address": "+491701234567"}))
        .await;

    assert_eq!(opened.status, 204);
    assert_eq!(
        (super::status(&admin, &whatsapp).await.as_str(), super::status(&admin, &sms).await.as_str()),
        ("read", "delivered")
    );
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_canned_reply_is_kept_by_its_name(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let path = "/v1/messaging/canned-replies";

    let first = admin.post(path, json!({"name": "Thanks", "body": "Thank you"})).await.json();
    let second = admin.post(path, json!({"name": "Thanks", "body": "Thank you, {{firstName}}"})).await.json();
    let wrong = admin.post(path, json!({"name": "Thanks", "body": "{{nobody}}"})).await;
    let listed = admin.get(path).await.json();
    let deleted = admin.delete(&format!("{path}/{}", first["id"].as_str().expect("an id"))).await;

    assert_eq!((&first["id"], &second["body"]), (&second["id"], &json!("Thank you, {{firstName}}")));
    assert_eq!(wrong.pointers(), ["/body"]);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(deleted.status, 204);
    site.stop().await;
}

/// What the database does for the lists, as they are when there is much in them.
#[rstest]
#[tokio::test]
async fn a_long_inbox_is_paged_by_place_and_read_by_its_indexes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let sandbox = sandbox(&admin).await;
    for at in 0..12 {
        let body = json!({"channel": "sms", "address": format!("+4917012345{at:02}"), "text": format!("Hello {at}")});
        site.app.advance(Duration::from_secs(u64::from(at % 3 != 0)));
        let path = format!("/v1/messaging/channels/{sandbox}/sandbox/answers");
        assert_eq!(admin.post(&path, body).await.status, 200);
    }

    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..10 {
        let page = admin.get(&format!("/v1/messaging/inbox?limit=5{cursor}")).await.json();
        seen.extend(page["data"].as_array().expect("a list").iter().map(|row| row["id"].to_string()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let wrong = admin.get("/v1/messaging/inbox?cursor=7").await;

    let all: Vec<String> = inbox(&admin, "limit=200").await.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!((seen.len(), &seen), (12, &all), "each once, also those of one moment");
    assert_eq!(wrong.pointers(), ["/cursor"]);

    use leadline_store::{
        conversations::inbox::{self as stored, Folder, InboxFilter, Owner},
        messages::list::{self as messages, MessageFilter},
        testing::plans,
    };
    let (store, workspace, now) = (&site.app.engine.store, site.app.workspace, site.app.now());
    let reader = store.reader();
    let me = leadline_domain::ids::UserId(uuid::Uuid::from_u128(1));
    let conversation = all[0].trim_matches('"').parse().expect("an id");
    let filters = [
        InboxFilter::default(),
        InboxFilter { after: Some((now, conversation)), ..InboxFilter::default() },
        InboxFilter { folder: Folder::All, ..InboxFilter::default() },
        InboxFilter { folder: Folder::Closed, ..InboxFilter::default() },
        InboxFilter { owner: Some(Owner::User(me)), ..InboxFilter::default() },
        InboxFilter { is_unread: true, ..InboxFilter::default() },
        InboxFilter { channel: Some("sms".into()), ..InboxFilter::default() },
        InboxFilter { found: Some((Vec::new(), "+491701234501".into())), ..InboxFilter::default() },
    ];
    // PostgreSQL reads a table of twelve rows as it likes, so its own choice says nothing here.
    if db == Db::Postgres {
        site.stop().await;
        return;
    }
    for filter in &filters {
        let (page, asked) = plans::asked_by(stored::list(&reader, workspace, filter, now, (50, 0))).await;
        page.expect("a page");
        for one in &asked {
            let plan = plans::plan(store, one).await.expect("a plan");
            let is_read_whole = plan.iter().any(|line| line == "SCAN c" || line.starts_with("SCAN c "));
            assert!(!is_read_whole && plans::full_scans(store.dialect(), &plan).is_empty(), "{filter:?}: {plan:#?}");
            let sorts = plan.iter().any(|line| line.contains("TEMP B-TREE"));
            assert!(!sorts || filter.found.is_some(), "{filter:?} sorts: {plan:#?}");
        }
    }
    let filter = MessageFilter { conversation: Some(conversation), ..MessageFilter::default() };
    let (page, asked) = plans::asked_by(messages::list(&reader, workspace, &filter, (50, 0))).await;
    page.expect("a page");
    for one in &asked {
        let plan = plans::plan(store, one).await.expect("a plan");
        assert!(plan.iter().any(|line| line.contains("messages_of_conversation")), "{plan:#?}");
    }
    site.stop().await;
}
