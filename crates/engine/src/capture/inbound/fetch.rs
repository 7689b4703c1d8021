//! Leads that Facebook only gives notice of, fetched from its Graph API: one by one as notices come, or all of a form
//! when somebody asks for those that were missed.
//!
//! A notice is a row before it is answered. A worker leases what is due, asks with no transaction open, sends the lead
//! through the one door, and records what came of it. The lead's id is the submission's key, so a crash in between, a
//! second notice, and a form fetched as a whole all end in one submission. The access token goes in a header, never in
//! an address.

use std::time::Duration;

use leadline_domain::{
    fields::RawFields,
    ids::{FetchId, SourceId, submission_for_key},
    inbound::{Format, Notice, unpack},
    time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp},
};
use leadline_outbound::{Fetch as Asked, hmac_hex};
use leadline_store::{
    Error,
    fetches::{self, Fetch, Leased, NewFetch, Recorded},
    sources::Intake,
};
use serde_json::{Map, Value};
use tokio::{sync::watch, task::JoinSet};
use url::Url;

use super::{Request, opened, submissions};
use crate::{Actor, Engine, random_bytes};

/// The delays after failures. Facebook keeps leads for 90 days, and an access token is renewed by a person.
const PLAN_MS: [i64; 9] = [
    10 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    24 * HOUR_MS,
    24 * HOUR_MS,
];

/// Longer than a request may take.
const LEASE_MS: i64 = MINUTE_MS;
const TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_secs(1);

/// Fetched at the same time.
const AT_ONCE: i64 = 8;

/// Leads on one page of a form; a page stays well under what is read.
const PAGE: &str = "50";
const MAX_BODY_BYTES: usize = 1024 * 1024;

const FIELDS: &str = "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,is_organic,platform,field_data";

/// Takes notices into the queue and tells the receipts of the submissions that they will be, and how many were new.
///
/// # Errors
/// Where the store does not take them; nothing was accepted then.
pub async fn take_notices(engine: &Engine, intake: &Intake, notices: &[Notice]) -> Result<(Vec<FetchId>, u64), Error> {
    let Some(source) = intake.source_id else { return Ok((Vec::new(), 0)) };
    let id = |notice: &Notice| FetchId(submission_for_key(source.0, &notice.key()).0);
    let ids: Vec<FetchId> = notices.iter().map(id).collect();
    let rows: Vec<NewFetch> = notices
        .iter()
        .map(|notice| new_fetch(engine, intake, source, id(notice), "lead", notice.lead.clone()))
        .collect();
    let mut tx = engine.store.begin().await?;
    let new = fetches::insert(&mut tx, &rows).await?;
    tx.commit().await?;
    Ok((ids, new))
}

/// Asks for all leads of a form, and begins those anew that were given up. Leads that are there already stay one.
///
/// # Errors
/// Where the store fails.
pub async fn fetch_form(engine: &Engine, actor: &Actor, intake: &Intake, form: &str) -> Result<(), Error> {
    let Some(source) = intake.source_id else { return Ok(()) };
    let now = engine.clock.now();
    let row = new_fetch(engine, intake, source, FetchId::new(now, random_bytes()), "form", form.to_owned());
    let mut tx = engine.store.begin().await?;
    fetches::begin_again(&mut tx, actor.workspace, source, now).await?;
    fetches::insert(&mut tx, &[row]).await?;
    tx.commit().await
}

fn new_fetch(
    engine: &Engine,
    intake: &Intake,
    source: SourceId,
    id: FetchId,
    kind: &'static str,
    subject: String,
) -> NewFetch {
    let now = engine.clock.now();
    NewFetch {
        id,
        workspace_id: intake.workspace_id,
        source_id: source,
        kind,
        subject,
        state: "pending",
        attempt_count: 0,
        plan_attempt: 0,
        next_attempt_at: now.0,
        found_count: 0,
        created_at: now.0,
    }
}

/// Fetches until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = fetch_due(&engine).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "what has to be fetched waits for the store");
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Fetches what is due now, and tells how many requests that were.
///
/// # Errors
/// Where the store fails.
pub async fn fetch_due(engine: &Engine) -> Result<usize, Error> {
    let mut made = 0;
    loop {
        let now = engine.clock.now();
        // Asked first without the writer: mostly nothing is due.
        if !fetches::is_any_due(&engine.store.reader(), now).await? {
            return Ok(made);
        }
        let mut tx = engine.store.begin().await?;
        let leased = fetches::lease(&mut tx, now, now.plus_ms(LEASE_MS), AT_ONCE).await?;
        tx.commit().await?;
        if leased.is_empty() {
            return Ok(made);
        }
        made += leased.len();
        let mut under_way = JoinSet::new();
        for one in leased {
            let engine = engine.clone();
            under_way.spawn(async move { (carry_out(&engine, &one).await, one.fetch) });
        }
        let done = under_way.join_all().await;
        let mut tx = engine.store.begin().await?;
        for (recorded, fetch) in &done {
            fetches::record(&mut tx, fetch, recorded).await?;
        }
        tx.commit().await?;
    }
}

async fn carry_out(engine: &Engine, leased: &Leased) -> Recorded {
    let now = engine.clock.now();
    let fetch = &leased.fetch;
    let Some((key, settings)) = &leased.source else { return given_up(fetch, now, "the source was deleted") };
    let found = match ask(engine, fetch, settings).await {
        Ok(found) => found,
        Err(problem) => return failed(fetch, now, problem),
    };
    match take_in(engine, key, found.leads).await {
        Ok(taken) => recorded(fetch, now, taken, found.next_page),
        Err(problem) => failed(fetch, now, problem),
    }
}

/// What one question brought.
struct Found {
    leads: Vec<RawFields>,
    next_page: Option<String>,
}

async fn ask(engine: &Engine, fetch: &Fetch, settings: &Value) -> Result<Found, String> {
    let token = opened(&engine.keys, settings, "accessTokenSealed").ok_or("the source has no access token")?;
    let mut url = address(engine, fetch).ok_or("the address of the Graph API is not usable")?;
    if let Some(secret) = opened(&engine.keys, settings, "secretSealed") {
        url.query_pairs_mut().append_pair("appsecret_proof", &hmac_hex(&secret, &token));
    }
    let headers = vec![
        ("authorization".to_owned(), format!("Bearer {token}")),
        ("accept".to_owned(), "application/json".to_owned()),
    ];
    let asked = Asked { url, headers, timeout: TIMEOUT, max_body_bytes: MAX_BODY_BYTES };
    let answer = engine.client.get(&asked).await.map_err(|error| error.to_string())?;
    let body: Map<String, Value> = serde_json::from_slice(&answer.body)
        .map_err(|_| format!("Facebook answered {} without readable JSON", answer.status))?;
    if !answer.is_success() || body.contains_key("error") {
        return Err(refusal(answer.status, &body));
    }
    if fetch.kind == "lead" {
        return Ok(Found { leads: vec![body.into_iter().collect()], next_page: None });
    }
    let leads = body.get("data").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let paging = body.get("paging").filter(|paging| paging.get("next").is_some());
    let next_page = paging.and_then(|paging| paging["cursors"]["after"].as_str()).map(str::to_owned);
    Ok(Found { leads: leads.map(|lead| lead.clone().into_iter().collect()).collect(), next_page })
}

fn address(engine: &Engine, fetch: &Fetch) -> Option<Url> {
    let base = engine.options.facebook_graph_url.trim_end_matches('/');
    let path = if fetch.kind == "form" { format!("{}/leads", fetch.subject) } else { fetch.subject.clone() };
    let mut url = Url::parse(&format!("{base}/{path}")).ok()?;
    url.query_pairs_mut().append_pair("fields", FIELDS);
    if fetch.kind == "form" {
        url.query_pairs_mut().append_pair("limit", PAGE);
    }
    if let Some(after) = &fetch.next_page {
        url.query_pairs_mut().append_pair("after", after);
    }
    Some(url)
}

fn refusal(status: u16, body: &Map<String, Value>) -> String {
    let message = body.get("error").and_then(|error| error["message"].as_str()).unwrap_or("no reason given");
    let message: String = message.replace('\0', "").chars().take(300).collect();
    format!("Facebook answered {status}: {message}")
}

/// Sends the leads through the door, and tells how many there were.
async fn take_in(engine: &Engine, key: &str, leads: Vec<RawFields>) -> Result<i64, String> {
    let intake = engine.door.intakes().by_key("webhook", key).await.map_err(|error| error.to_string())?;
    let intake = intake.ok_or("the source was deleted")?;
    let mut taken = 0;
    for lead in leads {
        let body: Map<String, Value> = lead.iter().cloned().collect();
        let request = Request {
            content_type: Some("application/json".to_owned()),
            raw_body: Value::Object(body).to_string(),
            ..Request::default()
        };
        let contents = unpack(Some(Format::Facebook), &[lead]);
        for submission in submissions(engine, &intake, contents.leads, &request, None) {
            engine.door.accept(submission).await.map_err(|error| error.to_string())?;
            taken += 1;
        }
    }
    Ok(taken)
}

fn recorded(fetch: &Fetch, now: Timestamp, taken: i64, next_page: Option<String>) -> Recorded {
    let is_over = next_page.is_none();
    Recorded {
        state: if is_over { "done" } else { "pending" },
        plan_attempt: 0,
        next_attempt_at: now,
        next_page,
        found_count: fetch.found_count + taken,
        last_error: None,
        finished_at: is_over.then_some(now),
    }
}

fn failed(fetch: &Fetch, now: Timestamp, problem: String) -> Recorded {
    let delay = usize::try_from(fetch.plan_attempt).ok().and_then(|index| PLAN_MS.get(index));
    let Some(delay) = delay else { return given_up(fetch, now, &problem) };
    Recorded {
        state: "pending",
        plan_attempt: fetch.plan_attempt + 1,
        next_attempt_at: now.plus_ms(*delay),
        next_page: fetch.next_page.clone(),
        found_count: fetch.found_count,
        last_error: Some(problem),
        finished_at: None,
    }
}

fn given_up(fetch: &Fetch, now: Timestamp, problem: &str) -> Recorded {
    tracing::error!(
        event = "lead.fetch_failed",
        source.id = %fetch.source_id,
        "a lead could not be fetched from Facebook and was given up"
    );
    Recorded {
        state: "dead",
        plan_attempt: fetch.plan_attempt,
        next_attempt_at: now,
        next_page: fetch.next_page.clone(),
        found_count: fetch.found_count,
        last_error: Some(problem.to_owned()),
        finished_at: Some(now),
    }
}
