//! Merging and splitting over HTTP: who may, what is seen, and what a merged lead answers.

use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const LEADS: &str = "/v1/identity/leads";
const DUPLICATES: &str = "/v1/identity/lead-duplicates";

async fn make(admin: &Caller<'_>, site: &Site, lead: Value) -> String {
    site.app.advance(std::time::Duration::from_secs(1));
    let made = admin.post(LEADS, lead).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text());
    made.json()["id"].as_str().expect("an id").to_owned()
}

#[rstest]
#[tokio::test]
async fn a_merged_lead_answers_with_the_one_that_stayed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let anna = make(&admin, &site, json!({"name": "Anna", "email": "anna@example.com", "company": "A"})).await;
    let anja = make(&admin, &site, json!({"name": "ANNA", "email": "anja@example.com", "company": "a "})).await;

    let found = admin.get(&format!("{DUPLICATES}?by=name")).await.json();
    let wish = json!({"loserId": anja, "fields": {"email": "loser"}});
    let preview = admin.post(&format!("{LEADS}/{anna}/merge-preview"), wish.clone()).await.json();
    let merge = admin.post(&format!("{LEADS}/{anna}/merge"), wish).await.json();
    let lead = admin.get(&format!("{LEADS}/{anja}")).await.json();
    let masked = viewer.get(&format!("{LEADS}/{anna}/merges")).await;
    let timeline = viewer.get(&format!("{LEADS}/{anna}")).await;
    let list = admin.get(LEADS).await.json();
    let split = format!("/v1/identity/lead-merges/{}/split", merge["id"].as_str().expect("an id"));
    let not_for_viewers = viewer.post(&split, json!({})).await;
    let parted = admin.post(&split, json!({})).await.json();

    let ids: Vec<&Value> = found["data"][0]["leads"].as_array().expect("a pair").iter().map(|one| &one["id"]).collect();
    assert_eq!((ids, &found["data"][0]["count"]), (vec![&json!(anna), &json!(anja)], &json!(2)));
    let email = preview["fields"].as_array().expect("fields").iter().find(|field| field["field"] == "email");
    let expected =
        json!({"field": "email", "winner": "anna@example.com", "loser": "anja@example.com", "chosen": "loser"});
    assert_eq!(email, Some(&expected));
    assert_eq!((&lead["id"], &lead["email"]), (&json!(anna), &json!("anja@example.com")));
    assert_eq!((&list["total"], &lead["submissionCount"]), (&json!(1), &json!(2)));
    assert_eq!(masked.json()["data"][0]["loserName"], "A•••");
    assert!(!timeline.text().contains("ANNA") && !timeline.text().contains("anja"), "{}", timeline.text());
    assert_eq!(not_for_viewers.problem(), (403, "forbidden".to_owned()));
    assert_eq!((&parted["left"], parted["splitAt"].is_string()), (&json!([]), true));
    assert_eq!(admin.get(&format!("{LEADS}/{anja}")).await.json()["email"], "anja@example.com");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_not_theirs_cannot_be_merged_or_looked_for(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let anna = make(&admin, &site, json!({"email": "anna@example.com"})).await;
    let ben = make(&admin, &site, json!({"email": "ben@example.com"})).await;
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::SuperAdmin).await;
    let stranger = site.with_token(&token);
    let token = site.token(Role::Viewer).await;
    let viewer = site.with_token(&token);
    let theirs = make(&stranger, &site, json!({"email": "eve@example.com"})).await;

    let stolen = stranger.post(&format!("{LEADS}/{anna}/merge"), json!({"loserId": ben})).await;
    let taken = stranger.post(&format!("{LEADS}/{theirs}/merge"), json!({"loserId": ben})).await;
    let given = admin.post(&format!("{LEADS}/{anna}/merge"), json!({"loserId": theirs})).await;
    let itself = admin.post(&format!("{LEADS}/{anna}/merge"), json!({"loserId": anna})).await;
    let side =
        admin.post(&format!("{LEADS}/{anna}/merge"), json!({"loserId": ben, "fields": {"a\u{0}": "both"}})).await;
    let looked = viewer.get(DUPLICATES).await;
    let hostile = admin.get(&format!("{DUPLICATES}?by=name&after=%27%20OR%201%3D1%00--")).await;

    assert_eq!((stolen.status.as_u16(), taken.pointers()), (404, vec!["/loserId".to_owned()]));
    assert_eq!((given.pointers(), itself.pointers()), (vec!["/loserId".to_owned()], vec!["/loserId".to_owned()]));
    assert_eq!(side.status.as_u16(), 422, "{}", side.text());
    assert_eq!(looked.problem(), (403, "forbidden".to_owned()));
    assert_eq!(hostile.json()["data"], json!([]));
    assert_eq!(admin.get(&format!("{DUPLICATES}?by=shoe")).await.pointers(), ["/by"]);
    assert_eq!(site.app.count("leads WHERE merged_into IS NOT NULL").await, 0);
    site.stop().await;
}
