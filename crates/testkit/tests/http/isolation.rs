//! Workspaces do not see each other: every operation of the API, tried with every id of another workspace.
//!
//! The operations and their parameters come from the OpenAPI document, so a new route is tried without anybody
//! thinking of it.

use axum::http::{Method, StatusCode};
use leadline_domain::{ids::WorkspaceId, permissions::Role};
use leadline_engine::admin::tokens::{self, NewToken};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::browser::{Caller, Site};

/// The ids of everything that the first workspace has.
async fn furnish(site: &Site, owner: &Caller<'_>) -> Vec<String> {
    let id = |answer: crate::browser::Answer| {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["id"].as_str().expect("an id").to_owned()
    };
    let url = "https://receiver.example.com/hook";
    let destination = json!({"name": "CRM", "url": url, "events": ["lead.created"]});
    let mut ids = vec![
        id(owner.post("/v1/capture/projects", json!({"name": "Second"})).await),
        id(owner.post("/v1/capture/forms", json!({"name": "Form"})).await),
        id(owner.post("/v1/capture/sites", json!({"name": "Site", "allowedOrigins": []})).await),
        id(owner.post("/v1/identity/lead-webhooks", json!({"name": "Hook"})).await),
        id(owner.post("/v1/capture/widgets", json!({"name": "Shop", "phoneNumber": "+442079460001"})).await),
        id(owner.post("/v1/capture/chats", json!({"name": "Chat"})).await),
        id(owner.post("/v1/delivery/destinations", destination).await),
        id(owner.post("/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await),
        id(owner.post("/v1/messaging/templates", json!({"channel": "sms", "name": "Hi", "body": "Hi"})).await),
        id(owner.post("/v1/messaging/canned-replies", json!({"name": "Hi", "body": "Hi"})).await),
        id(owner.post("/v1/identity/segments", json!({"name": "All", "filter": {"all": []}})).await),
        id(owner.post("/v1/admin/tokens", json!({"name": "Token", "role": "viewer"})).await),
        id(owner.post("/v1/identity/leads", json!({"name": "Anna", "email": "anna@example.com"})).await),
        id(owner.post("/v1/identity/leads", json!({"name": "Ben", "email": "ben@example.com"})).await),
    ];
    let template = json!({"channel": "sms", "name": "Welcome", "body": "Hello"});
    let template = id(owner.post("/v1/messaging/templates", template).await);
    let steps = json!([{"channel": "sms", "templateId": template}]);
    let automation = json!({"name": "Welcome", "webhookSourceId": ids[3], "steps": steps});
    ids.extend([template, id(owner.post("/v1/identity/lead-automations", automation).await)]);
    let campaign = json!({"name": "Spring", "channel": "sms", "audience": {"leadIds": [ids[12], ids[13]]}});
    ids.push(id(owner.post("/v1/messaging/campaigns", campaign).await));
    ids.push(id(owner.post("/v1/admin/invitations", json!({"email": "new@example.com", "role": "agent"})).await));
    let role = owner.post("/v1/admin/roles", json!({"name": "Night", "permissions": ["leads:view"]})).await.json();
    ids.push(role["name"].as_str().expect("an id").to_owned());
    leadline_engine::dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
    let colleague = site.member("colleague@example.com", Role::Agent).await;
    let rule = json!({"name": "All", "method": "person", "members": [colleague]});
    ids.push(id(owner.post("/v1/admin/assignment-rules", rule).await));
    ids.push(id(owner.post("/v1/identity/tasks", json!({"title": "Call", "assigneeId": colleague})).await));
    ids.push(colleague);
    for (path, list) in [
        ("/v1/identity/contacts", "/data"),
        ("/v1/capture/submissions", "/data"),
        ("/v1/identity/lead-pipelines", "/data"),
        ("/v1/identity/lead-pipelines", "/data/0/stages"),
        ("/v1/delivery/deliveries", "/data"),
    ] {
        let answer = owner.get(path).await.json();
        let found = answer.pointer(list).and_then(|list| list[0]["id"].as_str());
        ids.push(found.unwrap_or_else(|| panic!("{path} has something at {list}")).to_owned());
    }
    ids
}

/// Everything that the first workspace shows to its owner.
async fn everything(owner: &Caller<'_>, document: &Value) -> Map<String, Value> {
    let mut seen = Map::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let is_a_list = item.get("get").is_some() && !path.contains('{') && path != "/v1/live";
        if !is_a_list {
            continue;
        }
        // A list of what belongs to one lead shows nothing by itself.
        let answer = owner.get(path).await;
        if answer.status.is_success() {
            seen.insert(path.clone(), answer.shown());
        }
    }
    // Who takes tables along stands there since.
    seen.remove("/v1/admin/audit");
    seen.remove("/v1/admin/audit/export.csv");
    // What a stranger does never touches a token's last use here.
    seen.remove("/v1/admin/tokens");
    seen.remove("/v1/session");
    seen
}

async fn token_of(site: &Site, workspace: WorkspaceId, role: Role) -> String {
    let token = NewToken { name: "test".into(), role: role.into(), scopes: None, expires_at: None };
    tokens::issue(&site.app.engine.store, site.app.now(), workspace, None, token).await.expect("a token").secret
}

/// A body that fits the schema, with `id` wherever an id goes.
fn body(document: &Value, schema: &Value, name: &str, id: &str) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect("a schema");
        return body(document, target, name, id);
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(options) = schema[several].as_array() {
            let option = options.iter().find(|option| option["type"] != "null").unwrap_or(&options[0]);
            return body(document, option, name, id);
        }
    }
    if let Some(choices) = schema["enum"].as_array() {
        return choices[0].clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "string" if schema["format"] == "uuid" => json!(id),
        "string" if schema["format"] == "date-time" => json!("2030-01-01T00:00:00.000Z"),
        "string" => json!(text(name)),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" => json!([body(document, &schema["items"], name, id)]),
        _ => {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            properties
                .iter()
                .map(|(name, part)| (name.clone(), body(document, part, name, id)))
                .collect::<Map<_, _>>()
                .into()
        }
    }
}

fn text(name: &str) -> &str {
    match name {
        "email" => "stranger@example.com",
        "url" | "thankYouUrl" => "https://stranger.example.com/",
        "role" => "viewer",
        "events" => "lead.created",
        "action" => "delete",
        _ => "stranger",
    }
}

#[rstest]
#[tokio::test]
async fn no_operation_reaches_into_another_workspace(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let document = site.get("/openapi.json").await.json();
    let owner_token = site.token(Role::SuperAdmin).await;
    let owner = site.with_token(&owner_token);
    let ids = furnish(&site, &owner).await;
    let (other, _) = site.app.make_workspace("other").await;
    let stranger_token = token_of(&site, other, Role::SuperAdmin).await;
    let stranger = site.with_token(&stranger_token);
    let before = everything(&owner, &document).await;

    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if operation["security"] == json!([]) || path == "/v1/live" {
                continue;
            }
            let method: Method = method.to_uppercase().parse().expect("a method");
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let has_id = path.contains('{');
            let has_body_id = schema.is_object() && body(&document, schema, "", &ids[0]).to_string().contains(&ids[0]);
            if !has_id && !has_body_id {
                continue;
            }
            for id in &ids {
                let address = path.split('/').map(|step| if step.starts_with('{') { id } else { step });
                let address = address.collect::<Vec<_>>().join("/");
                let sent = schema.is_object().then(|| body(&document, schema, "", id));
                let answer = stranger.send(method.clone(), &address, sent).await;
                let what = format!("{method} {path} with {id}: {} {}", answer.status, answer.text());
                tried += 1;
                if has_id {
                    let hides_it =
                        answer.status == StatusCode::NOT_FOUND || answer.status == StatusCode::UNPROCESSABLE_ENTITY;
                    assert!(hides_it, "{what}");
                }
                assert!(!answer.status.is_server_error(), "{what}");
                assert!(!answer.text().contains("anna@example.com"), "{what}");
            }
        }
    }

    assert!(tried > 300, "only {tried} were tried");
    let after = everything(&owner, &document).await;
    for (path, view) in &before {
        assert_eq!(&after[path], view, "{path} changed");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_filter_by_another_workspaces_id_finds_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let document = site.get("/openapi.json").await.json();
    let owner_token = site.token(Role::SuperAdmin).await;
    let ids = furnish(&site, &site.with_token(&owner_token)).await;
    let (other, _) = site.app.make_workspace("other").await;
    let stranger_token = token_of(&site, other, Role::SuperAdmin).await;
    let stranger = site.with_token(&stranger_token);

    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query" && !path.contains('{')) {
            let name = parameter["name"].as_str().expect("a name");
            for id in &ids {
                let answer = stranger.get(&format!("{path}?{name}={id}")).await;
                let what = format!("GET {path}?{name}={id}: {} {}", answer.status, answer.text());
                tried += 1;
                assert!(!answer.status.is_server_error(), "{what}");
                assert!(!answer.text().contains("anna@example.com"), "{what}");
                // A report has its stages and days, whether anything came or not; as a table it says the same.
                let is_report = path.starts_with("/v1/identity/reports/");
                let found = match (answer.status.is_success(), is_report) {
                    (true, false) => answer.shown()["data"].as_array().map_or(0, Vec::len),
                    (true, true) if !path.ends_with(".csv") => {
                        usize::try_from(answer.json()["totals"]["leads"].as_u64().expect("a count")).expect("few")
                    }
                    (_, _) => 0,
                };
                assert_eq!(found, 0, "{what}");
            }
        }
    }

    assert!(tried > 50, "only {tried} were tried");
    site.stop().await;
}
