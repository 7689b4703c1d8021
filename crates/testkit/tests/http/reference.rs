//! The reference of the leads API, endpoint by endpoint and parameter by parameter, each under its own name: what a
//! program that was written against it relies on.

use std::{collections::BTreeMap, time::Duration};

use axum::http::{Method, StatusCode};
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

const LEADS: &str = "/v1/identity/leads";
const PIPELINES: &str = "/v1/identity/lead-pipelines";
const WEBHOOKS: &str = "/v1/identity/lead-webhooks";

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn names(list: &Value) -> Vec<String> {
    list["data"].as_array().expect("a list").iter().map(|lead| text(&lead["name"])).collect()
}

/// Four leads that differ in everything that can be asked for, and the ids by which questions name it.
struct World<'a> {
    caller: Caller<'a>,
    ids: BTreeMap<&'static str, String>,
}

impl<'a> World<'a> {
    async fn make(site: &'a Site) -> Self {
        let later = || site.app.advance(Duration::from_secs(1));
        later();
        let caller = site.signed_in("admin@example.com", Role::Admin).await;
        let program = site.with_token(&site.token(Role::Admin).await);
        let stages =
            json!([{"name": "In", "color": "blue", "kind": "open"}, {"name": "Out", "color": "red", "kind": "won"}]);
        let pipeline = ok(&caller.post(PIPELINES, json!({"name": "Rent", "stages": stages})).await);
        let project = ok(&caller.post("/v1/capture/projects", json!({"name": "Harbour"})).await);
        let me = ok(&caller.get("/v1/session").await);
        let default = ok(&caller.post(&format!("{PIPELINES}/ensure-default"), json!({})).await);

        let ada = json!({"name": "Ada", "email": "ada@quill.example", "company": "Quill Ltd", "tags": ["vip"]});
        let ada = ok(&caller.post(LEADS, ada).await);
        later();
        let ben = ok(&program.post(LEADS, json!({"name": "Ben", "phone": "+49 151 12345678"})).await);
        later();
        let cy = json!({"name": "Cy", "email": "cy@dune.example", "projectId": project["id"]});
        let cy = ok(&caller.post(LEADS, cy).await);
        later();
        let hook = ok(&caller.post(WEBHOOKS, json!({"name": "Landing page"})).await);
        let address = format!("/webhooks/leads/{}", text(&hook["apiKey"]));
        let dee = ok(&site.stranger().post(&address, json!({"name": "Dee", "email": "dee@lane.example"})).await);

        let ids = BTreeMap::from([
            ("ada", text(&ada["id"])),
            ("ben", text(&ben["id"])),
            ("cy", text(&cy["id"])),
            ("dee", text(&dee["leadId"])),
            ("project", text(&project["id"])),
            ("pipeline", text(&pipeline["id"])),
            ("stage", text(&default["stages"][1]["id"])),
            ("rentStage", text(&pipeline["stages"][1]["id"])),
            ("me", text(&me["user"]["id"])),
            ("hook", text(&hook["id"])),
            ("key", text(&hook["apiKey"])),
        ]);
        let world = Self { caller, ids };
        later();
        ok(&world.send(Method::PATCH, "/v1/identity/leads/{ben}/stage", json!({"stageId": "{stage}"})).await);
        later();
        ok(&world.send(Method::PATCH, "/v1/identity/leads/{cy}/stage", json!({"stageId": "{rentStage}"})).await);
        later();
        ok(&world.send(Method::PATCH, "/v1/identity/leads/{ada}/assign", json!({"assignedTo": "{me}"})).await);
        later();
        world
    }

    /// Asks, with the ids in the place of their names.
    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let filled = |text: &str| {
            self.ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
        };
        let body = serde_json::from_str(&filled(&body.to_string())).expect("JSON");
        self.caller.send(method, &filled(path), Some(body).filter(|body: &Value| !body.is_null())).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Value::Null).await
    }
}

#[rstest]
#[case::search_by_name("search=ADA", &["Ada"])]
#[case::search_by_email("search=dune.example", &["Cy"])]
#[case::search_by_phone("search=0151%2012345678", &["Ben"])]
#[case::search_by_company("search=quill%20ltd", &["Ada"])]
#[case::stage_id("stageId={stage}", &["Ben"])]
#[case::pipeline_id("pipelineId={pipeline}", &["Cy"])]
#[case::project_id("projectId={project}", &["Cy"])]
#[case::source_manual("source=manual", &["Ada", "Cy"])]
#[case::source_api("source=api", &["Ben"])]
#[case::source_webhook("source=webhook", &["Dee"])]
#[case::source_import("source=import", &[])]
#[case::assigned_to("assignedTo={me}", &["Ada"])]
#[case::tag("tag=vip", &["Ada"])]
#[case::several("source=manual&projectId={project}&search=cy", &["Cy"])]
#[case::limit("limit=2", &["Ada", "Ben"])]
#[case::page("limit=2&page=2", &["Cy", "Dee"])]
#[case::page_behind_the_last("limit=2&page=9", &[])]
#[case::sort_order("limit=3&sortOrder=desc", &["Dee", "Cy", "Ben"])]
#[tokio::test]
async fn get_leads_by(#[case] query: &str, #[case] wanted: &[&str], #[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let order = if query.contains("sortOrder") { "sortBy=name" } else { "sortBy=name&sortOrder=asc" };

    let list = ok(&world.get(&format!("{LEADS}?{query}&{order}")).await);

    assert_eq!(names(&list), wanted);
    let is_paged = query.contains("limit");
    assert_eq!(list["total"], json!(if is_paged { 4 } else { wanted.len() }));
    site.stop().await;
}

#[rstest]
#[case::name("name", &["Ada", "Ben", "Cy", "Dee"])]
#[case::email("email", &["Ada", "Cy", "Dee"])]
#[case::company("company", &["Ada"])]
#[case::created_at("createdAt", &["Ada", "Ben", "Cy", "Dee"])]
#[case::updated_at("updatedAt", &["Dee", "Ben", "Cy", "Ada"])]
#[tokio::test]
async fn get_leads_sort_by(#[case] field: &str, #[case] wanted: &[&str], #[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let ask = async |order: &str| {
        let list = ok(&world.get(&format!("{LEADS}?sortBy={field}&sortOrder={order}")).await);
        let mut found = names(&list);
        // Who has nothing there stands at an end; only those who have it are compared.
        found.retain(|name| wanted.contains(&name.as_str()));
        found
    };

    let (up, down) = (ask("asc").await, ask("desc").await);

    assert_eq!(up, wanted);
    assert_eq!(down.into_iter().rev().collect::<Vec<_>>(), wanted);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn get_lead_with_its_activity_log(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;

    let lead = ok(&world.get("/v1/identity/leads/{ben}").await);

    let kinds: Vec<String> =
        lead["activity"].as_array().expect("a log").iter().map(|entry| text(&entry["kind"])).collect();
    assert_eq!(
        (text(&lead["name"]), kinds),
        ("Ben".to_owned(), vec!["lead.stage_changed".into(), "lead.created".into()])
    );
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn post_and_patch_and_delete_lead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;

    let made = ok(&world.send(Method::POST, LEADS, json!({"name": "Eve", "email": "eve@example.com"})).await);
    let address = format!("{LEADS}/{}", text(&made["id"]));
    let changed = ok(&world.send(Method::PATCH, &address, json!({"title": "Head of Rent"})).await);
    let deleted = world.send(Method::DELETE, &address, Value::Null).await;

    assert_eq!((text(&changed["name"]), text(&changed["title"])), ("Eve".to_owned(), "Head of Rent".to_owned()));
    assert!(deleted.status.is_success(), "{}", deleted.text());
    assert_eq!(names(&ok(&world.get(&format!("{LEADS}?search=eve")).await)), Vec::<String>::new());
    assert_eq!(site.app.count("leads WHERE name = 'Eve'").await, 1, "it can be restored");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn patch_lead_stage(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;

    let moved = world.send(Method::PATCH, "/v1/identity/leads/{ada}/stage", json!({"stageId": "{stage}"})).await;

    assert_eq!(text(&ok(&moved)["stageId"]), world.ids["stage"]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn patch_lead_assign(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let assign = async |to: Value| {
        ok(&world.send(Method::PATCH, "/v1/identity/leads/{ben}/assign", json!({"assignedTo": to})).await)
    };

    let (taken, free) = (assign(json!("{me}")).await, assign(Value::Null).await);

    assert_eq!((text(&taken["assignedTo"]), &free["assignedTo"]), (world.ids["me"].clone(), &Value::Null));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn post_lead_convert(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let convert = async || {
        let body = json!({"name": "Ada Quill", "platform": "shop"});
        ok(&world.send(Method::POST, "/v1/identity/leads/{ada}/convert", body).await)
    };

    let (one, two) = (convert().await, convert().await);

    assert!(one["convertedAt"].is_string());
    assert_eq!((&one["contactId"], &one["convertedAt"]), (&two["contactId"], &two["convertedAt"]));
    let log = ok(&world.get("/v1/identity/leads/{ada}").await);
    assert_eq!(log["activity"][0]["kind"], json!("lead.converted"));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn post_lead_notes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;

    let noted = world.send(Method::POST, "/v1/identity/leads/{ada}/notes", json!({"value": "Asked for a call"})).await;

    assert!(noted.status.is_success(), "{}", noted.text());
    let lead = ok(&world.get("/v1/identity/leads/{ada}").await);
    assert_eq!(lead["activity"][0]["data"]["value"], json!("Asked for a call"), "{}", lead["activity"][0]);
    site.stop().await;
}

#[rstest]
#[case::move_stage(json!({"action": "move_stage", "stageId": "{stage}"}), "stageId={stage}", &["Ada", "Ben"])]
#[case::assign(json!({"action": "assign", "assignedTo": "{me}"}), "assignedTo={me}", &["Ada"])]
#[case::tag(json!({"action": "tag", "tags": ["spring"]}), "tag=spring", &["Ada"])]
#[case::delete(json!({"action": "delete"}), "", &["Ben", "Cy", "Dee"])]
#[tokio::test]
async fn post_leads_bulk_action(
    #[case] mut body: Value,
    #[case] query: &str,
    #[case] wanted: &[&str],
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    body["leadIds"] = json!(["{ada}"]);

    let answer = world.send(Method::POST, "/v1/identity/leads/bulk-action", body).await;

    assert!(answer.status.is_success(), "{}", answer.text());
    let list = ok(&world.get(&format!("{LEADS}?{query}&sortBy=name&sortOrder=asc")).await);
    assert_eq!(names(&list), wanted);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn get_and_post_and_patch_and_delete_lead_pipelines(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let stages = json!([{"name": "A", "color": "blue", "kind": "open"}, {"name": "B", "color": "red", "kind": "lost"}]);

    let made = ok(&world.send(Method::POST, PIPELINES, json!({"name": "Sale", "stages": stages})).await);
    let address = format!("{PIPELINES}/{}", text(&made["id"]));
    let renamed = ok(&world.send(Method::PATCH, &address, json!({"name": "Sales"})).await);
    let listed = ok(&world.get(PIPELINES).await);
    let deleted = world.send(Method::DELETE, &address, Value::Null).await;

    assert_eq!((text(&renamed["name"]), names(&listed).contains(&"Sales".to_owned())), ("Sales".to_owned(), true));
    assert_eq!(listed["data"][0]["stages"].as_array().map(Vec::len), Some(6), "with their stages");
    assert!(deleted.status.is_success(), "{}", deleted.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn delete_lead_pipelines_but_not_the_default(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let default = ok(&world.send(Method::POST, &format!("{PIPELINES}/ensure-default"), json!({})).await);

    let refused = world.send(Method::DELETE, &format!("{PIPELINES}/{}", text(&default["id"])), Value::Null).await;

    assert_eq!(refused.problem().0, 409, "{}", refused.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn get_and_post_and_patch_and_delete_lead_webhooks(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let ingest = async |body: Value| world.send(Method::POST, "/webhooks/leads/{key}", body).await.status.as_u16();

    let listed = ok(&world.get(WEBHOOKS).await);
    let mapping = json!({"name": "Page", "fieldMapping": {"job_title": "title"}});
    let changed = ok(&world.send(Method::PATCH, "/v1/identity/lead-webhooks/{hook}", mapping).await);
    let taken = ingest(json!({"name": "Flo", "job_title": "Head"})).await;
    let deleted = world.send(Method::DELETE, "/v1/identity/lead-webhooks/{hook}", Value::Null).await;

    assert_eq!(names(&listed), ["Landing page"]);
    assert_eq!((text(&changed["name"]), taken), ("Page".to_owned(), 200));
    assert!(deleted.status.is_success(), "{}", deleted.text());
    assert_eq!(ingest(json!({"name": "Gus"})).await, 404, "its address is gone");
    let left = ok(&world.get(&format!("{LEADS}?source=webhook&sortBy=name&sortOrder=asc")).await);
    assert_eq!(names(&left), ["Dee", "Flo"], "its leads are not");
    assert_eq!(left["data"][1]["title"], json!("Head"));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn post_lead_webhooks_regenerate_key(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;

    let renewed = world.send(Method::POST, "/v1/identity/lead-webhooks/{hook}/regenerate-key", json!({})).await;

    let key = text(&ok(&renewed)["apiKey"]);
    let post = async |path: &str| world.send(Method::POST, path, json!({"name": "Flo"})).await.status.as_u16();
    assert_eq!((post("/webhooks/leads/{key}").await, post(&format!("/webhooks/leads/{key}")).await), (404, 200));
    site.stop().await;
}

#[rstest]
#[case::short("/webhooks/leads/{key}")]
#[case::prefixed("/v1/identity/webhooks/leads/{key}")]
#[tokio::test]
async fn post_webhooks_leads(#[case] path: &str, #[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let world = World::make(&site).await;
    let path = path.replace("{key}", &world.ids["key"]);

    let taken =
        ok(&site.stranger().post(&path, json!({"contact": {"first_name": "Flo"}, "email": "flo@x.example"})).await);

    assert_eq!((&taken["stored"], &taken["duplicate"]), (&json!(true), &json!(false)));
    let lead = ok(&world.get(&format!("{LEADS}/{}", text(&taken["leadId"]))).await);
    assert_eq!((text(&lead["email"]), text(&lead["source"])), ("flo@x.example".to_owned(), "webhook".to_owned()));
    site.stop().await;
}

#[rstest]
#[case::get_leads(Method::GET, "/v1/identity/leads")]
#[case::post_leads(Method::POST, "/v1/identity/leads")]
#[case::get_lead_pipelines(Method::GET, "/v1/identity/lead-pipelines")]
#[case::get_lead_webhooks(Method::GET, "/v1/identity/lead-webhooks")]
#[tokio::test]
async fn a_bearer_token_is_needed(#[case] method: Method, #[case] path: &str) {
    let site = Site::start(Db::Sqlite).await;

    let answer = site.stranger().send(method, path, Some(json!({"name": "x"}))).await;

    assert_eq!(answer.problem().0, 401);
    site.stop().await;
}
