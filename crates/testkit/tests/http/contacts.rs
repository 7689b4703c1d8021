//! Contacts over HTTP: finding them, what is known of one, changing one.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const CONTACTS: &str = "/v1/identity/contacts";

async fn names(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let answer = caller.get(&format!("{CONTACTS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    let listed = answer.json();
    let names: Vec<String> = listed["data"]
        .as_array()
        .expect("contacts")
        .iter()
        .map(|contact| contact["displayName"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(listed["total"], names.len(), "{query}");
    names
}

async fn contact(caller: &Caller<'_>, name: &str) -> Value {
    let found = caller.get(&format!("{CONTACTS}?search={name}")).await.json();
    found["data"][0].clone()
}

fn path(contact: &Value) -> String {
    format!("{CONTACTS}/{}", contact["id"].as_str().expect("an id"))
}

async fn people(site: &Site) -> Caller<'_> {
    for (name, email) in [("Ada", "ada@example.com"), ("bob", "bob@example.org"), ("Cora", "cora@example.com")] {
        site.app.submit(json!({"name": name, "email": email, "phone": "", "company": "Example"})).await;
        site.app.advance(std::time::Duration::from_secs(1));
    }
    site.signed_in("admin@example.com", Role::Admin).await
}

#[rstest]
#[tokio::test]
async fn contacts_are_found_sorted_and_narrowed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = people(&site).await;
    let ada = contact(&admin, "ada").await;
    let change = json!({"tags": ["vip", "a\"b"], "lifecycle": "customer"});
    assert_eq!(admin.patch(&path(&ada), change).await.status, StatusCode::OK);

    assert_eq!(names(&admin, "").await, ["Cora", "bob", "Ada"]);
    assert_eq!(names(&admin, "sortBy=name&sortOrder=asc").await, ["Ada", "bob", "Cora"]);
    assert_eq!(names(&admin, "sortBy=updatedAt").await, ["Ada", "Cora", "bob"]);
    assert_eq!(names(&admin, "search=example.com").await, ["Cora", "Ada"]);
    assert_eq!(names(&admin, "search=example.com&sortBy=name&sortOrder=asc").await, ["Ada", "Cora"]);
    assert_eq!(names(&admin, "tag=vip").await, ["Ada"]);
    assert_eq!(names(&admin, "tag=a%22b").await, ["Ada"]);
    assert_eq!(names(&admin, "tag=vi").await, Vec::<String>::new());
    assert_eq!(names(&admin, "lifecycle=customer").await, ["Ada"]);
    assert_eq!(names(&admin, "lifecycle=lead&search=example").await, ["Cora", "bob"]);
    assert_eq!(admin.get(&format!("{CONTACTS}?lifecycle=x")).await.pointers(), ["/lifecycle"]);
    assert_eq!(admin.get(&format!("{CONTACTS}?sortBy=password")).await.problem().0, 400);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_contact_is_shown_with_its_leads_and_how_it_came(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let page = "https://shop.example/?utm_source=News&utm_campaign=spring&gclid=abc";
    site.app.submit(json!({"name": "Ada", "email": "ada@example.com", "page_url": page})).await;
    let project = admin.post("/v1/capture/projects", json!({"name": "Second"})).await.json();
    let again = json!({"name": "Ada", "email": "ada@example.com", "projectId": project["id"]});
    assert_eq!(admin.post("/v1/identity/leads", again).await.status, StatusCode::OK);

    let ada = contact(&admin, "ada").await;
    let shown = admin.get(&path(&ada)).await.json();

    let projects: Vec<&str> =
        shown["leads"].as_array().expect("leads").iter().filter_map(|lead| lead["projectName"].as_str()).collect();
    assert_eq!((projects.len(), projects.contains(&"Second")), (2, true), "{shown}");
    assert_eq!(shown["touches"][0]["utmCampaign"], "spring");
    assert_eq!((&shown["lifecycle"], &shown["version"]), (&json!("lead"), &json!(1)));
    let id = ada["id"].as_str().expect("an id");
    let captures = admin.get(&format!("/v1/capture/submissions?contactId={id}")).await.json();
    assert_eq!(captures["total"], 2);
    assert_eq!(admin.get(&format!("/v1/messaging/conversations?contactId={id}")).await.json()["data"], json!([]));
    assert_eq!(admin.get(&format!("{}/sessions", path(&ada))).await.json()["total"], 0);
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let masked = viewer.get(&path(&ada)).await.text();
    for secret in ["Ada", "ada@", "gclid", "utm_source=News"] {
        assert!(!masked.contains(secret), "{secret}: {masked}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_change_is_kept_and_one_on_an_old_version_says_what_is_there(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = people(&site).await;
    let ada = contact(&admin, "ada").await;
    let change = json!({"displayName": " Ada Lovelace ", "email": "ADA@Analytical.example", "phoneNumber": "+49 151 12345678",
                        "columnData": {"shoe": 38}, "version": ada["version"]});

    let changed = admin.patch(&path(&ada), change.clone()).await.json();

    assert_eq!(
        (&changed["displayName"], &changed["phoneNumber"], &changed["columnData"]["shoe"], &changed["version"]),
        (&json!("Ada Lovelace"), &json!("+4915112345678"), &json!(38), &json!(2)),
    );
    assert_eq!(names(&admin, "search=lovelace").await, ["Ada Lovelace"]);
    let same_again = admin.patch(&path(&ada), change).await;
    assert_eq!(same_again.status, StatusCode::OK, "what is so already is no conflict");
    let late = admin.patch(&path(&ada), json!({"displayName": "A. L.", "tags": [], "version": 1})).await;
    assert_eq!(late.problem(), (409, "stale_version".to_owned()));
    assert_eq!(late.pointers(), ["/displayName"]);
    assert!(late.text().contains("is \\\"Ada Lovelace\\\" now"), "{}", late.text());
    assert_eq!(admin.get(&path(&ada)).await.json()["displayName"], "Ada Lovelace");

    // Who sends the new address is this contact, and who sends the old one is not.
    let second = admin.post("/v1/capture/projects", json!({"name": "Second"})).await.json();
    for (email, is_hers) in [("ada@analytical.example", true), ("ada@example.com", false)] {
        let lead = json!({"name": "Somebody", "email": email, "projectId": second["id"]});
        let lead = admin.post("/v1/identity/leads", lead).await.json();
        assert_eq!(lead["contactId"] == ada["id"], is_hers, "{email}");
    }
    site.stop().await;
}

#[rstest]
#[case::name(json!({"displayName": " "}), "/displayName")]
#[case::email(json!({"email": "nobody"}), "/email")]
#[case::phone(json!({"phoneNumber": "12"}), "/phoneNumber")]
#[case::tags(json!({"tags": vec!["x".repeat(61)]}), "/tags/0")]
#[case::data(json!({"columnData": {"a\"b": 1}}), "/columnData/a\"b")]
#[case::lifecycle(json!({"lifecycle": "friend"}), "/lifecycle")]
#[tokio::test]
async fn a_contact_that_cannot_be_so_is_refused(#[case] change: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = people(&site).await;
    let ada = contact(&admin, "ada").await;

    assert_eq!(admin.patch(&path(&ada), change).await.pointers(), [pointer]);
    site.stop().await;
}
