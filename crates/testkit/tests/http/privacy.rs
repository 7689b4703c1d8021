//! The privacy desk: that nothing is left of whoever is erased, and all of everybody else; what a person takes along,
//! who must not be written to, and what people agreed to.

mod erase;

use std::io::Read;

use axum::{body::Body, http::Request};
use leadline_domain::permissions::Role;
use leadline_engine::jobs;
use leadline_store::{privacy::places::PLACES, testing};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

const ERASE: &str = "/v1/admin/privacy/erase";
const SUPPRESSIONS: &str = "/v1/admin/privacy/suppressions";
const LEADS: &str = "/v1/identity/leads";

async fn work(site: &Site) {
    while jobs::step(&site.app.engine).await.expect("a step") {}
}

/// Erases somebody and answers how the job ended.
pub async fn erase(site: &Site, caller: &Caller<'_>, body: Value) -> Value {
    let asked = caller.post(ERASE, body).await;
    assert_eq!(asked.status.as_u16(), 202, "{}", asked.text());
    work(site).await;
    let job = asked.json();
    caller.get(&format!("/v1/identity/jobs/{}", job["id"].as_str().expect("an id"))).await.json()
}

/// Sends a form as a browser does that wants an answer.
async fn submit(site: &Site, key: &str, fields: Value) -> Answer {
    let request = Request::post(format!("/f/{key}")).header("content-type", "application/json");
    let request = request.header("accept", "application/json").body(Body::from(fields.to_string()));
    site.send(request.expect("a request")).await
}

async fn form(caller: &Caller<'_>) -> String {
    let made = caller.post("/v1/capture/forms", json!({"name": "Contact"})).await.json();
    made["key"].as_str().expect("a key").to_owned()
}

async fn contact_of(caller: &Caller<'_>, lead: &str) -> String {
    let lead = caller.get(&format!("{LEADS}/{lead}")).await.json();
    lead["contactId"].as_str().expect("a contact").to_owned()
}

/// A table that is not in the list would keep whoever is erased. Whoever adds one says in the list what it holds.
#[rstest]
#[tokio::test]
async fn every_table_says_what_it_holds_of_persons(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;

    let columns = testing::columns(&app.engine.store).await.expect("the columns");

    let mut tables: Vec<String> = columns.into_iter().map(|(table, _)| table).collect();
    tables.dedup();
    let unlisted: Vec<&String> =
        tables.iter().filter(|table| !PLACES.iter().any(|place| place.table == table.as_str())).collect();
    assert_eq!(unlisted, Vec::<&String>::new(), "say in crates/store/src/privacy/places.rs what these hold of persons");
    let gone: Vec<&str> = PLACES
        .iter()
        .map(|place| place.table)
        .filter(|table| !table.starts_with("lead_search") && !table.starts_with("sqlite_"))
        .filter(|table| !tables.iter().any(|there| there == table))
        .collect();
    assert_eq!(gone, Vec::<&str>::new(), "listed and not there");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_must_not_be_written_to_is_known_by_a_hash_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    let added = admin.post(SUPPRESSIONS, json!({"email": " Ann@Example.com ", "note": "asked by phone"})).await;
    let again = admin.post(SUPPRESSIONS, json!({"email": "ann@example.com"})).await;
    let number = admin.post(SUPPRESSIONS, json!({"phone": "+44 20 7946 0001"})).await;
    let both = admin.post(SUPPRESSIONS, json!({"phone": "+442079460001", "email": "ann@example.com"})).await;
    let neither = admin.post(SUPPRESSIONS, json!({"email": "ann\u{0}"})).await;
    let agents = agent.post(SUPPRESSIONS, json!({"email": "bob@example.com"})).await;
    let viewer = site.token(Role::Viewer).await;
    let key = form(&admin).await;
    let sent = submit(&site, &key, json!({"name": "Ann", "email": "ann@example.com"})).await;
    let lead = sent.json()["leadId"].as_str().expect("still accepted").to_owned();
    let contact = contact_of(&admin, &lead).await;
    let shown = admin.get(&format!("/v1/identity/contacts/{contact}")).await.json();
    let list = admin.get(SUPPRESSIONS).await.json();

    assert_eq!((added.status.as_u16(), again.problem()), (200, (409, "already_suppressed".to_owned())));
    assert_eq!((added.json()["kind"].clone(), added.json()["reason"].clone()), (json!("email"), json!("asked")));
    assert_eq!((number.status.as_u16(), both.pointers()), (200, vec!["/email".to_owned()]));
    assert_eq!((neither.pointers(), agents.problem().0), (vec!["/email".to_owned()], 403));
    assert_eq!((&list["total"], list.to_string().contains("ann@")), (&json!(2), false));
    for text in testing::texts(&site.app.engine.store, "suppressions", "key").await.expect("readable") {
        assert!(!text.to_lowercase().contains(&hex("ann@example.com")), "{text}");
    }
    assert_eq!(shown["suppressed"], json!(["email"]));
    for path in [format!("{LEADS}/{lead}/suppressions"), format!("/v1/identity/contacts/{contact}/suppressions")] {
        let why = admin.get(&path).await.json();
        assert_eq!(why["data"].as_array().map(Vec::len), Some(1), "{why}");
        let entry = &why["data"][0];
        assert_eq!((&entry["kind"], &entry["note"]), (&json!("email"), &json!("asked by phone")));
        assert_eq!((&entry["reason"], &entry["addedBy"]), (&json!("asked"), &json!("admin@example.com")));
        let masked = site.with_token(&viewer).get(&path).await.json();
        assert_eq!((&masked["data"][0]["kind"], &masked["data"][0]["note"]), (&json!("email"), &json!("•••")));
    }
    let id = added.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(admin.delete(&format!("{SUPPRESSIONS}/{id}")).await.status.as_u16(), 204);
    assert_eq!(admin.delete(&format!("{SUPPRESSIONS}/{id}")).await.status.as_u16(), 404);
    assert_eq!(admin.get(&format!("/v1/identity/contacts/{contact}")).await.json()["suppressed"], json!([]));
    assert_eq!(admin.get(&format!("{LEADS}/{lead}/suppressions")).await.json()["data"], json!([]));
    site.stop().await;
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[rstest]
#[tokio::test]
async fn a_consent_is_kept_with_its_words_and_can_be_taken_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let key = form(&admin).await;
    let fields = json!({"name": "Ann", "email": "ann@example.com", "pageUrl": "https://shop.example/contact",
                        "marketing_consent": "on", "marketing_consent_text": "Yes, send me offers", "newsletter": "no"});
    let sent = submit(&site, &key, fields).await.json();
    let contact = contact_of(&admin, sent["leadId"].as_str().expect("a lead")).await;

    let person = admin.get(&format!("/v1/admin/privacy/persons/{contact}")).await.json();
    let consent = &person["consents"][0];
    let path = format!("/v1/admin/privacy/consents/{}/withdraw", consent["id"].as_str().expect("an id"));
    site.app.advance(std::time::Duration::from_secs(60));
    let withdrawn = admin.post(&path, json!({})).await;
    let again = admin.post(&path, json!({})).await;

    assert_eq!(person["consents"].as_array().map(Vec::len), Some(1), "{person}");
    assert_eq!((&consent["purpose"], &consent["wording"]), (&json!("marketing"), &json!("Yes, send me offers")));
    assert_eq!((&consent["submissionId"], &consent["sourceName"]), (&sent["receipt"], &json!("Contact")));
    assert_eq!((&consent["pageUrl"], &consent["withdrawnAt"]), (&json!("https://shop.example/contact"), &Value::Null));
    assert_eq!(withdrawn.json()["withdrawnBy"], "admin@example.com");
    assert_eq!(again.problem(), (409, "consent_withdrawn".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_person_takes_everything_along_and_who_looked_is_written_down(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let key = form(&admin).await;
    let fields = json!({"name": "=Ann", "email": "ann@example.com", "message": "Hello", "budget": "5000"});
    let sent = submit(&site, &key, fields).await.json();
    let lead = sent["leadId"].as_str().expect("a lead");
    submit(&site, &key, json!({"name": "Ben", "email": "ben@example.com"})).await;
    admin.post(&format!("{LEADS}/{lead}/notes"), json!({"value": "calls back"})).await;
    let contact = contact_of(&admin, lead).await;
    let path = format!("/v1/admin/privacy/persons/{contact}");

    let person = admin.get(&path).await.json();
    site.app.advance(std::time::Duration::from_secs(1));
    let archive = admin.get(&format!("{path}/export")).await;
    let agents = agent.get(&path).await;
    let nobody = admin.get(&format!("/v1/admin/privacy/persons/{lead}/export")).await;

    let held = |class: &str| {
        let classes = person["held"].as_array().expect("classes");
        classes.iter().find(|one| one["class"] == class).map(|one| one["count"].clone())
    };
    assert_eq!(
        (held("leads"), held("submissions"), held("captures")),
        (Some(json!(1)), Some(json!(1)), Some(json!(1)))
    );
    assert_eq!((agents.problem().0, nobody.status.as_u16()), (403, 404));
    assert_eq!(archive.header("content-type"), "application/zip");
    let files = unzipped(&archive.body);
    let leads: Value = serde_json::from_str(text(&files, "leads.json")).expect("JSON");
    assert_eq!((&leads[0]["email"], &leads[0]["customFields"]["budget"]), (&json!("ann@example.com"), &json!("5000")));
    assert!(text(&files, "leads.csv").contains("'=Ann"), "{}", text(&files, "leads.csv"));
    assert!(text(&files, "timeline.json").contains("calls back"));
    assert!(text(&files, "submissions.csv").contains("Hello") && text(&files, "captures.json").contains("5000"));
    assert!(!files.iter().any(|(_, text)| text.contains("ben@example.com")));
    let audit = admin.get(&format!("/v1/admin/audit?object={contact}")).await.json();
    let actions: Vec<&Value> = audit["data"].as_array().expect("entries").iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["person.exported", "person.viewed"]);
    site.stop().await;
}

pub fn unzipped(archive: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).expect("an archive");
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).expect("a file");
            let mut text = String::new();
            file.read_to_string(&mut text).expect("a text");
            (file.name().expect("a name").into_owned(), text)
        })
        .collect()
}

fn text<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    files.iter().find(|(file, _)| file == name).map_or_else(|| panic!("no {name}"), |(_, text)| text.as_str())
}
