//! Erasing somebody who went through everything.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_engine::{
    capture::{imports::packing, inbound::refused, replay},
    dispatch, jobs, visits,
};
use leadline_store::{testing, verify};
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use super::{LEADS, contact_of, erase, form, submit, work};
use crate::browser::{Answer, Caller, Site};

const EMAIL: &str = "zephyrine@quillfeather.example";
const PHONE: &str = "+4917699887766";
const VISITOR: &str = "0190b5a0-5ec7-7000-8000-00000000beef";

/// What was said of them, and nobody else says: in small letters, wherever it may stand.
const TRACES: [&str; 12] = [
    "zephyrine",
    "quillfeather",
    "17699887766",
    "99 88 77 66",
    "0190b5a0-5ec7-7000-8000-00000000beef",
    "purple xylophone",
    "walrus",
    "wombat",
    "marmalade",
    "okapi",
    "203.0.113.77",
    "teapot",
];

/// What stays, of somebody in the same company.
const OTHER: &str = "otto@example.com";

async fn made(caller: &Caller<'_>, path: &str, body: Value) -> Value {
    let answer = caller.post(path, body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text());
    answer.json()
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap_or_else(|| panic!("no id: {made}")).to_owned()
}

async fn send(site: &Site, path: &str, kind: &str, body: String) -> Answer {
    let request = Request::post(path).header("content-type", kind).header("accept", "application/json");
    let peer: std::net::SocketAddr = "203.0.113.77:4711".parse().expect("an address");
    let mut request = request.body(Body::from(body)).expect("a request");
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    site.send(request).await
}

async fn bring(site: &Site, caller: &Caller<'_>, file: &str) -> Value {
    let mut request = Request::post("/v1/identity/imports?fileName=people.csv");
    request.headers_mut().expect("headers").extend(caller.headers.clone());
    let request = request.header("content-type", "application/octet-stream").body(Body::from(file.to_owned()));
    let answer = site.send(request.expect("a request")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

/// Leads somebody through everything that there is. Gives a lead of theirs.
async fn go_through_everything(site: &mut Site, receiver: &Receiver) -> String {
    let token = site.token(Role::SuperAdmin).await;
    let lead = {
        let admin = site.with_token(&token);
        let lead = come_in(site, &admin, receiver).await;
        be_worked_with(site, &admin, &lead).await;
        receiver.answers_otherwise(Answers::Status(404));
        be_refused(site, &admin).await;
        lead
    };
    wait_in_the_spool(site, &token).await;
    lead
}

async fn come_in(site: &Site, admin: &Caller<'_>, receiver: &Receiver) -> String {
    let events = ["lead.created", "lead.resubmitted", "lead.updated"];
    let wish = json!({"name": "CRM", "url": receiver.url(), "events": events, "retryPlan": "none"});
    made(admin, "/v1/delivery/destinations", wish).await;
    let key = form(admin).await;
    let otto = json!({"name": "Otto Other", "email": OTHER, "company": "Same Ltd", "message": "stays"});
    submit(site, &key, otto).await;
    site.app.run_jobs().await;
    receiver.answers_otherwise(Answers::Body(404, format!("no room for {EMAIL} teapot")));
    let website = made(admin, "/v1/capture/sites", json!({"name": "Shop", "allowedOrigins": []})).await;
    let now = site.app.now().0;
    let page =
        json!({"at": now - 60_000, "url": "https://shop.example/walrus", "ms": 5_000, "scroll": 10, "clicks": 1});
    let visit = json!({"visitor": VISITOR, "session": VISITOR, "now": now, "pages": [page]});
    let path = format!("/t/{}", website["key"].as_str().expect("a key"));
    send(site, &path, "text/plain", visit.to_string()).await;
    visits::flush(&site.app.engine).await.expect("written");
    let fields = json!({
        "name": "Zephyrine Quillfeather", "email": EMAIL, "phone": PHONE, "company": "Same Ltd",
        "message": "a purple xylophone", "pet": "walrus", "__visitor_id": VISITOR, "__session_id": VISITOR,
        "marketing_consent": "on", "marketing_consent_text": "teapot news", "pageUrl": "https://shop.example/?q=okapi",
    });
    let sent = send(site, &format!("/f/{key}"), "application/json", fields.to_string()).await.json();
    let lead = sent["leadId"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned();
    site.app.run_jobs().await;
    site.app.run_analyses().await;
    let chat = made(admin, "/v1/capture/chats", json!({"name": "Chat", "idleMinutes": 10})).await;
    let path = format!("/chat/{}/c1", chat["key"].as_str().expect("a key"));
    let said = json!({"state": "in_progress", "text": "my okapi is ill", "email": EMAIL, "name": "Zephyrine"});
    assert_eq!(send(site, &path, "application/json", said.to_string()).await.status, StatusCode::OK);
    let bot = json!({"name": "Zephyrine", "email": EMAIL, "message": "marmalade", "__pg_hp": "x"});
    send(site, &format!("/f/{key}"), "application/json", bot.to_string()).await;
    assert_eq!(site.app.count("quarantine").await, 1);
    site.app.run_jobs().await;
    lead
}

async fn be_worked_with(site: &Site, admin: &Caller<'_>, lead: &str) {
    made(admin, &format!("{LEADS}/{lead}/notes"), json!({"value": "likes a wombat"})).await;
    let change = json!({"title": "Countess of Marmalade", "customFields": {"pet": "wombat"}});
    assert_eq!(admin.patch(&format!("{LEADS}/{lead}"), change).await.status, StatusCode::OK);
    let member = site.member("agent@example.com", Role::Agent).await;
    admin.patch(&format!("{LEADS}/{lead}/assign"), json!({"assignedTo": member})).await;
    let twin =
        json!({"name": "Zephyrine Quillfeather", "email": "zephyrine2@quillfeather.example", "company": "Same Ltd"});
    let twin = id(&made(admin, LEADS, twin).await);
    made(admin, &format!("{LEADS}/{lead}/merge"), json!({"loserId": twin})).await;
    let named = json!({"action": "tag", "tags": ["vip"], "leadIds": [lead]});
    made(admin, &format!("{LEADS}/bulk-action"), named).await;
    let tree = json!({"all": [{"field": "email", "op": "is", "value": EMAIL}]});
    let all = json!({"action": "untag", "tags": ["vip"], "query": {"filter": tree}});
    assert_eq!(admin.post(&format!("{LEADS}/bulk-action"), all).await.status, StatusCode::ACCEPTED);
    work(site).await;
    made(admin, "/v1/identity/segments", json!({"name": "Like Zephyrine Quillfeather", "filter": tree})).await;
    let view = json!({"name": "Hers", "layout": "table", "filter": tree});
    made(&site.signed_in("boss@example.com", Role::Admin).await, "/v1/identity/views", view).await;
    admin.get(&format!("{LEADS}/export.csv")).await;
    site.app.run_jobs().await;
    let insert = format!(
        "INSERT INTO mails (id, workspace_id, user_id, recipient, subject, body, state, attempt_count, due_at, created_at)
         VALUES ('{lead}', '{workspace}', '{member}', 'agent@example.com', 'A lead', 'call {PHONE}', 'done', 1, 0, {now})",
        workspace = site.app.workspace,
        now = site.app.now().0,
    );
    site.app.execute(&insert).await;
    let insert = format!(
        "INSERT INTO audit_entries (id, workspace_id, actor_kind, actor_name, action, object_kind, object_name, data, created_at)
         VALUES ('{lead}', '{workspace}', 'user', 'Test', 'thing.named', 'thing', 'Zephyrine Quillfeather',
                 '{{\"said\": \"to {EMAIL}\"}}', {now})",
        workspace = site.app.workspace,
        now = site.app.now().0,
    );
    site.app.execute(&insert).await;
}

async fn be_refused(site: &Site, admin: &Caller<'_>) {
    let hook = made(admin, "/v1/identity/lead-webhooks", json!({"name": "Hook"})).await;
    let path = format!("/webhooks/leads/{}", hook["apiKey"].as_str().expect("a key"));
    let broken = format!("{{\"email\": \"{EMAIL}\", \"about\": \"okapi\"");
    assert!(send(site, &path, "application/json", broken).await.status.is_client_error());
    refused::keep_refused(&site.app.engine).await.expect("kept");
    assert_eq!(site.app.count("refused_requests").await, 1);
    made(admin, "/v1/capture/blocked-ips", json!({"range": "203.0.113.78", "reason": format!("{EMAIL} asked")})).await;
    let file = format!(
        "Name;E-Mail;Phone;Pet\r\nZephyrine Quillfeather;{EMAIL};;walrus\r\nOtto Other;{OTHER};;dog\r\n\
         Zephyrine;;+49 176 / 99 88 77 66;wombat\r\n"
    );
    let import = bring(site, admin, &file).await;
    let path = format!("/v1/identity/imports/{}", id(&import));
    admin.patch(&path, json!({"options": {"onMatch": "update"}})).await;
    assert_eq!(admin.post(&format!("{path}/start"), json!({})).await.status, StatusCode::ACCEPTED);
    work(site).await;
    bring(site, admin, &file).await;
    site.app.run_jobs().await;
}

/// What waits on the disk: from before, and what the database refused once.
async fn wait_in_the_spool(site: &mut Site, token: &str) {
    site.app.stop_writers().await;
    let fields = json!({"name": "Zephyrine Quillfeather", "email": EMAIL, "message": "a teapot in the spool"});
    assert!(!site.app.submit(fields).await.stored);
    assert!(!site.app.submit(json!({"name": "Late", "email": "late@example.com"})).await.stored);
    let refused = format!("{{\"email\":\"{EMAIL}\",\"pet\":\"walrus\"}}\n{{\"email\":\"{OTHER}\"}}\n");
    fs::write(site.app.data_dir().join("spool").join("refused.jsonl"), refused).expect("written");
    site.restart().await;
    assert_eq!(site.with_token(token).get(LEADS).await.status.as_u16(), 200);
}

/// Everything that is kept anywhere, by its place: each column of each table, and each file.
async fn kept(site: &Site) -> Vec<(String, Vec<u8>)> {
    let store = &site.app.engine.store;
    let mut kept = Vec::new();
    for (table, column) in testing::columns(store).await.expect("the columns") {
        let texts = testing::texts(store, &table, &format!("\"{column}\"")).await.unwrap_or_default();
        for text in texts {
            let bytes =
                if table == "import_blocks" && column == "packed" { unpacked(&text) } else { text.into_bytes() };
            kept.push((format!("{table}.{column}"), bytes));
        }
    }
    files(site.app.data_dir(), &mut kept);
    kept
}

fn unpacked(hex: &str) -> Vec<u8> {
    let hex = hex.trim_start_matches("\\x");
    let bytes: Vec<u8> =
        (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()).collect();
    format!("{:?}", packing::unpack(&bytes).expect("a block")).into_bytes()
}

fn files(folder: &Path, kept: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), kept);
        } else if let Ok(bytes) = fs::read(entry.path()) {
            kept.push((entry.path().display().to_string(), bytes));
        }
    }
}

fn traces_in(kept: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, bytes) in kept {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        for trace in TRACES.iter().filter(|trace| text.contains(**trace)) {
            let at = text.find(trace).unwrap_or(0);
            let around: String = text[at..].chars().take(120).filter(|c| !c.is_control()).collect();
            found.push(format!("{place}: {trace}: {around}"));
        }
    }
    found
}

async fn wrong(site: &Site) -> Vec<(&'static str, Vec<String>)> {
    let report = verify::run(&site.app.engine.store.reader(), site.app.now()).await.expect("readable");
    report.checks.into_iter().filter(|check| !check.adds_up()).map(|check| (check.name, check.examples)).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_whoever_is_erased_and_all_of_everybody_else(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let receiver = Receiver::start().await;
    let lead = go_through_everything(&mut site, &receiver).await;
    let token = site.token(Role::SuperAdmin).await;
    let admin = site.with_token(&token);
    let before = traces_in(&kept(&site).await);
    for trace in TRACES {
        assert!(before.iter().any(|found| found.contains(trace)), "the test keeps no {trace}");
    }
    let entries = site.app.count("audit_entries").await;

    let done = erase(&site, &admin, json!({"leadId": lead})).await;
    site.app.run_jobs().await;
    let gone = admin.get(&format!("{LEADS}/{lead}")).await;

    assert_eq!((&done["state"], &done["canUndo"]), (&json!("done"), &json!(false)), "{done}");
    assert_eq!(traces_in(&kept(&site).await), Vec::<String>::new());
    assert_eq!(gone.status.as_u16(), 404);
    assert_eq!(admin.get(&format!("{LEADS}?search=zephyrine")).await.json()["total"], 0);
    assert!(!admin.get(&format!("{LEADS}/export.csv")).await.text().to_lowercase().contains("zephyrine"));
    assert_eq!(wrong(&site).await, []);
    assert!(site.app.count("audit_entries").await >= entries, "what was done is still written down");
    assert_eq!(site.app.count("audit_entries WHERE object_name = '[erased]'").await, 1);
    let others = admin.get(&format!("{LEADS}?search=otto")).await.json();
    assert_eq!((&others["total"], &others["data"][0]["company"]), (&json!(1), &json!("Same Ltd")));
    assert_eq!(admin.get(&format!("{LEADS}?search=late")).await.json()["total"], 1, "it waited in the spool beside");
    assert!(
        fs::read_to_string(site.app.data_dir().join("spool").join("refused.jsonl"))
            .is_ok_and(|kept| kept.contains(OTHER))
    );
    assert_eq!(site.app.count("suppressions").await, 3, "two addresses and a number");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn whoever_comes_back_is_somebody_new_and_not_written_to(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let key = form(&admin).await;
    let fields = json!({"name": "Ann", "email": "ann@example.com"});
    let first = submit(&site, &key, fields.clone()).await.json()["leadId"].as_str().expect("a lead").to_owned();
    dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
    let contact = contact_of(&admin, &first).await;
    let agents = agent.post(super::ERASE, json!({"contactId": contact})).await;
    let neither = admin.post(super::ERASE, json!({})).await;
    erase(&site, &admin, json!({"contactId": contact})).await;
    let twice = admin.post(super::ERASE, json!({"contactId": contact})).await;

    site.app.advance(Duration::from_secs(60));
    let second = submit(&site, &key, fields).await.json();
    let again = contact_of(&admin, second["leadId"].as_str().expect("still accepted")).await;
    let shown = admin.get(&format!("/v1/identity/contacts/{again}")).await.json();

    assert_eq!((agents.problem().0, twice.status.as_u16()), (403, 404));
    assert_eq!(neither.pointers(), ["/contactId"]);
    assert_ne!((second["leadId"].as_str(), again.as_str()), (Some(first.as_str()), contact.as_str()));
    assert_eq!((&second["duplicate"], &shown["suppressed"]), (&json!(false), &json!(["email"])));
    erase(&site, &admin, json!({"contactId": again, "suppress": false})).await;
    assert_eq!(site.app.count("suppressions").await, 1, "what was in the list stays there");
    assert_eq!((site.app.count("leads").await, site.app.count("contacts").await), (0, 0));
    assert_eq!(wrong(&site).await, []);
    site.stop().await;
}

/// What the process logs, from now on.
fn listen() -> Arc<Mutex<Vec<u8>>> {
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let ear = Arc::clone(&heard);
    let log = tracing_subscriber::fmt().with_ansi(false);
    // Of what lies below us as much as operators see.
    let filter = "info,leadline_domain=trace,leadline_store=trace,leadline_engine=trace,leadline_outbound=trace,leadline_server=trace";
    let log = log.with_env_filter(filter).with_writer(move || Ear(Arc::clone(&ear)));
    // In a process of more than one test the first one listens for all.
    let _is_first = log.try_init();
    heard
}

struct Ear(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Nobody erases what was logged, so nothing of a person may ever be in there: not when they come in, not when
/// something about them fails, not when they are erased.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_is_ever_logged(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let heard = listen();
    let mut site = Site::start(db).await;
    let receiver = Receiver::start().await;
    let lead = go_through_everything(&mut site, &receiver).await;
    let token = site.token(Role::SuperAdmin).await;
    let admin = site.with_token(&token);
    admin.get(&format!("{LEADS}?search=zephyrine%20quillfeather")).await;
    erase(&site, &admin, json!({"leadId": lead})).await;
    site.app.run_jobs().await;
    tracing::info!("the story is over");

    let log = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let lines = String::from_utf8_lossy(&log).lines().count();
    assert!(lines > 5 && String::from_utf8_lossy(&log).contains("the story is over"), "{lines} lines were heard");
    assert!(String::from_utf8_lossy(&log).contains("lead.persistence_failed"), "what fails is logged");
    assert_eq!(traces_in(&[("the log".to_owned(), log)]), Vec::<String>::new());
    site.stop().await;
}

/// Nobody is left half erased: not by whoever stops jobs, and not by a node that dies between two steps.
#[rstest]
#[tokio::test]
async fn an_erasure_that_has_begun_is_not_stopped_and_leaves_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let (first, second) = {
        let admin = site.with_token(&token);
        let key = form(&admin).await;
        let fields = json!({"name": "Zephyrine Quillfeather", "email": EMAIL, "phone": PHONE, "message": "walrus"});
        let lead = submit(&site, &key, fields).await.json()["leadId"].as_str().expect("a lead").to_owned();
        let other = submit(&site, &key, json!({"name": "Otto", "email": OTHER})).await;
        let other = other.json()["leadId"].as_str().expect("a lead").to_owned();
        site.app.run_jobs().await;
        let ask = async |lead: &str| id(&admin.post(super::ERASE, json!({"leadId": lead})).await.json());
        (ask(&lead).await, ask(&other).await)
    };
    let path = |job: &str| format!("/v1/identity/jobs/{job}");
    let early = site.with_token(&token).delete(&path(&second)).await.status;
    for _ in 0..3 {
        jobs::step(&site.app.engine).await.expect("a step");
    }
    let halfway = traces_in(&kept(&site).await);
    let shown = site.with_token(&token).get(&path(&first)).await.json();
    let stopped = site.with_token(&token).delete(&path(&first)).await;

    // The node dies here, and another takes over once the lease is over.
    site.app.advance(Duration::from_secs(600));
    site.restart().await;
    work(&site).await;

    assert!(early.is_success(), "what has not begun can be stopped: {early}");
    assert!(!halfway.is_empty(), "the test stops halfway");
    assert_eq!((&shown["state"], &shown["canStop"]), (&json!("running"), &json!(false)));
    assert_eq!(stopped.problem(), (409, "job_must_end".to_owned()));
    assert_eq!(site.with_token(&token).get(&path(&first)).await.json()["state"], "done");
    assert_eq!(traces_in(&kept(&site).await), Vec::<String>::new());
    assert_eq!(site.app.count("leads").await, 1, "whose erasure was stopped in time is there");
    assert_eq!(wrong(&site).await, []);
    site.stop().await;
}

/// A node may die after any step; what another node does twice must do no harm.
#[rstest]
#[tokio::test]
async fn an_erasure_that_is_cut_off_goes_on_after_a_restart(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let (asked, spooled) = {
        let admin = site.with_token(&token);
        let key = form(&admin).await;
        let fields = json!({"name": "Zephyrine Quillfeather", "email": EMAIL, "phone": PHONE});
        let lead = submit(&site, &key, fields.clone()).await.json()["leadId"].as_str().expect("a lead").to_owned();
        site.app.run_jobs().await;
        (admin.post(super::ERASE, json!({"leadId": lead})).await.json(), fields)
    };
    for _ in 0..20 {
        site.app.advance(Duration::from_secs(60));
        site.restart().await;
        jobs::step(&site.app.engine).await.expect("a step");
    }
    site.app.set_clock(leadline_domain::time::Timestamp(1_767_600_000_000));
    site.app.stop_writers().await;
    assert!(!site.app.submit(spooled).await.stored, "another node's spool has it still");
    site.restart().await;
    replay::replay(&site.app.engine).await.expect("replayed");

    let job = site.with_token(&token).get(&format!("/v1/identity/jobs/{}", id(&asked))).await.json();
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!((site.app.count("leads").await, site.app.count("lead_submissions").await), (0, 0));
    assert_eq!(wrong(&site).await, []);
    site.stop().await;
}
