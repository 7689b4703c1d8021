//! The inbox of a team that answers very many people: how long its list takes, its next pages, a search in it, and
//! opening one conversation. The rows are written past the product, since asking it for so many would take hours.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use leadline_store::{Dialect, Durability, Store, testing};
use reqwest::Method;
use serde_json::Value;

use crate::{
    load::{ms, quantile},
    server::{Database, Product},
};

/// One lead for so many conversations; most people write again.
const CONVERSATIONS_A_LEAD: u64 = 10;

/// Messages of a conversation.
const MESSAGES: u64 = 4;

/// Measures one database, asking each question so often.
pub(crate) async fn measure(database: Database, conversations: u64, times: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    let leads = (conversations / CONVERSATIONS_A_LEAD).max(1);
    let product = Product::start_filled(database, leads).await?;
    let store = Store::connect(product.database_url(), Durability::Full).await?;
    fill(&store, conversations, leads).await?;
    println!(
        "\n{conversations} conversations of {leads} leads on {database} (loaded in {:.0} s)",
        begun.elapsed().as_secs_f64()
    );
    let first = product.call(Method::GET, "/v1/messaging/inbox?limit=50", None).await?;
    ensure!(first["data"].as_array().is_some_and(|rows| !rows.is_empty()), "the inbox is empty: {first}");
    let name = first["data"][0]["leadName"].as_str().context("a lead's name")?.to_owned();
    let id = first["data"][0]["id"].as_str().context("an id")?.to_owned();
    let search = name.split(' ').next().unwrap_or(&name).replace('&', "");
    let next = cursor(&first)?;
    let deep = deep(&product, next.clone()).await?;
    let questions = [
        ("list", "/v1/messaging/inbox?limit=50".to_owned()),
        ("next page", format!("/v1/messaging/inbox?limit=50&cursor={next}")),
        ("a page far down", format!("/v1/messaging/inbox?limit=50&cursor={deep}")),
        ("all, with what is closed", "/v1/messaging/inbox?limit=50&folder=all".to_owned()),
        ("closed", "/v1/messaging/inbox?limit=50&folder=closed".to_owned()),
        ("unread", "/v1/messaging/inbox?limit=50&unread=true".to_owned()),
        ("nobody's", "/v1/messaging/inbox?limit=50&assignedTo=nobody".to_owned()),
        ("by one channel", "/v1/messaging/inbox?limit=50&channel=email".to_owned()),
        ("search by name", format!("/v1/messaging/inbox?limit=50&folder=all&search={search}")),
        ("search by number", "/v1/messaging/inbox?limit=50&folder=all&search=%2B491700000042".to_owned()),
        ("count of what is unread", "/v1/messaging/inbox/unread".to_owned()),
        ("open", format!("/v1/messaging/messages?conversationId={id}&limit=200")),
    ];
    println!("{:<52} {:>8} {:>8}", "", "p50 ms", "p95 ms");
    for (name, path) in &questions {
        let latencies = ask(&product, path, times).await?;
        println!("{name:<52} {:>8.1} {:>8.1}", ms(quantile(&latencies, 0.5)), ms(quantile(&latencies, 0.95)));
    }
    product.stop().await
}

fn cursor(page: &Value) -> anyhow::Result<String> {
    Ok(page["nextCursor"].as_str().context("there is no further page: ask for more conversations")?.to_owned())
}

/// A place some thousands of conversations down, or as far as there are.
async fn deep(product: &Product, mut place: String) -> anyhow::Result<String> {
    for _ in 0..50 {
        let page = product.call(Method::GET, &format!("/v1/messaging/inbox?limit=200&cursor={place}"), None).await?;
        let Some(next) = page["nextCursor"].as_str() else { break };
        next.clone_into(&mut place);
    }
    Ok(place)
}

async fn ask(product: &Product, path: &str, times: usize) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(times);
    for _ in 0..times.max(1) {
        let begin = Instant::now();
        product.call(Method::GET, path, None).await?;
        latencies.push(begin.elapsed());
    }
    latencies.sort_unstable();
    Ok(latencies)
}

/// Conversations that one statement writes.
const AT_ONCE: u64 = 10_000;

/// Some at a time, and on PostgreSQL its planner looks after each, as its autovacuum does a minute after rows came in.
/// SQLite keeps no statistics.
async fn fill(store: &Store, conversations: u64, leads: u64) -> anyhow::Result<()> {
    let mut done = 0;
    while done < conversations {
        let end = conversations.min(done + AT_ONCE);
        fill_some(store, (done, end), leads).await?;
        if store.dialect() == Dialect::Postgres {
            testing::execute(store, "ANALYZE").await?;
        }
        done = end;
    }
    Ok(())
}

/// Every third is closed, every seventh unread, every second somebody's, and each was written in half a minute after the
/// one before.
async fn fill_some(store: &Store, conversations: (u64, u64), leads: u64) -> anyhow::Result<()> {
    let is_sqlite = store.dialect() == Dialect::Sqlite;
    let series = |name: &str, (from, end): (u64, u64)| {
        if is_sqlite {
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {end} - 1) SELECT i FROM n) AS {name}"
            )
        } else {
            format!("(SELECT generate_series(CAST({from} AS bigint), {end} - 1) AS i) AS {name}")
        }
    };
    let id = |kind: u32, number: &str| {
        if is_sqlite {
            format!("printf('{kind:08x}-0000-7000-8000-%012x', {number})")
        } else {
            format!("CAST('{kind:08x}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0') AS uuid)")
        }
    };
    let text = |number: &str| format!("'Is the flat number ' || ({number}) || ' still to be had?'");
    let begun = 1_750_000_000_000_i64;
    let sql = format!(
        "INSERT INTO conversations (id, workspace_id, lead_id, contact_id, channel, state, tags, fields, message_count,
             created_at, updated_at, last_message_at, last_inbound_at, address, unread_count, closed_at, last_text,
             last_direction, assigned_to)
         SELECT {id}, l.workspace_id, l.id, l.contact_id,
                CASE c.i % 3 WHEN 0 THEN 'whatsapp' WHEN 1 THEN 'email' ELSE 'sms' END, 'open', '[]', '{{}}', {MESSAGES},
                {begun} + c.i * 30000, {begun} + c.i * 30000, {begun} + c.i * 30000, {begun} + c.i * 30000,
                '+49170' || (10000000 + c.i), CASE WHEN c.i % 7 = 0 THEN 1 ELSE 0 END,
                CASE WHEN c.i % 3 = 0 THEN {begun} + c.i * 30000 END, {text}, 'inbound',
                CASE WHEN c.i % 2 = 0 THEN {user} END
         FROM {series}
         JOIN (SELECT id, workspace_id, contact_id, row_number() OVER (ORDER BY id) - 1 AS r FROM leads) AS l
              ON l.r = c.i % {leads}",
        id = id(0xC0, "c.i"),
        text = text("c.i"),
        user = id(0xAA, "0"),
        series = series("c", conversations),
    );
    testing::execute(store, &sql).await?;
    let sql = format!(
        "INSERT INTO messages (id, workspace_id, conversation_id, direction, author, body, sent_at, position, created_at,
             channel, lead_id, contact_id, status, status_at)
         SELECT {id}, v.workspace_id, v.id, CASE m.i % 2 WHEN 0 THEN 'outbound' ELSE 'inbound' END, 'visitor',
                v.last_text, v.created_at - m.i * 1000, 0, v.created_at - m.i * 1000, v.channel, v.lead_id, v.contact_id,
                'received', v.created_at
         FROM {series} CROSS JOIN {messages} JOIN conversations AS v ON v.id = {conversation}",
        id = id(0xDD, &format!("c.i * {MESSAGES} + m.i")),
        conversation = id(0xC0, "c.i"),
        series = series("c", conversations),
        messages = series("m", (0, MESSAGES)),
    );
    testing::execute(store, &sql).await?;
    Ok(())
}
