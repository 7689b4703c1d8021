//! The audit log: that everything is in it, that nothing changes it, and who reads it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use leadline_domain::permissions::Role;
use leadline_engine::{Mailer, Options, retain};
use leadline_outbound::Trust;
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, PASSWORD, Site};

/// Under these every change is written down, and of those below them every one that is not about leads.
const WRITTEN_DOWN: [&str; 9] = [
    "/v1/admin/",
    "/v1/delivery/",
    "/v1/capture/",
    "/v1/identity/lead-webhooks",
    "/v1/identity/custom-fields",
    "/v1/identity/lead-pipelines",
    "/v1/identity/scoring",
    "/v1/messaging/campaigns",
    "/v1/session",
];

/// What changes nothing, and why it is a POST all the same.
const CHANGES_NOTHING: [(&str, &str); 11] = [
    ("POST /v1/admin/assignment-rules/test", "tries conditions on the leads that came last"),
    ("POST /v1/admin/sign-in-provider/check", "asks a provider what it says of itself"),
    ("POST /v1/admin/privacy/retention/preview", "looks at days that it is sent"),
    ("POST /v1/admin/analysis/try", "looks at a text that it is sent"),
    ("POST /v1/delivery/template-previews", "looks at a template that it is sent"),
    ("POST /v1/identity/scoring/preview", "looks at weights that it is sent"),
    ("POST /v1/identity/lead-webhooks/{id}/requests/{request}/preview", "looks at a mapping that it is sent"),
    ("POST /v1/identity/lead-webhooks/{id}/requests/{request}/replay", "makes a lead, on whose timeline it stands"),
    ("POST /v1/identity/lead-webhooks/{id}/fetches", "makes leads, on whose timelines it stands"),
    ("POST /v1/identity/lead-pipelines/ensure-default", "makes what every workspace has, where it is missing"),
    ("POST /v1/session/second-factor", "counts for nothing before it is confirmed"),
];

/// A workspace with one of everything that can be changed.
struct World<'a> {
    admin: Caller<'a>,
    ids: HashMap<&'static str, String>,
}

impl World<'_> {
    async fn made(&mut self, name: &'static str, path: &str, body: Value) -> Value {
        let answer = self.admin.post(path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        let json = answer.json();
        self.ids.insert(name, json["id"].as_str().or(json["name"].as_str()).expect("an id").to_owned());
        json
    }

    async fn first(&mut self, name: &'static str, path: &str) {
        let list = self.admin.get(path).await.json();
        self.ids.insert(name, list["data"][0]["id"].as_str().unwrap_or_else(|| panic!("none in {path}")).to_owned());
    }

    /// The address of a route, with the id of what it changes.
    fn address(&self, route: &str, name: &str) -> String {
        route.replace("{id}", self.ids.get(name).map_or("", String::as_str))
    }
}

async fn furnish<'a>(site: &'a Site, admin: &Caller<'a>, receiver: &Receiver) -> World<'a> {
    let mut world = World { admin: admin.clone(), ids: HashMap::new() };
    world.made("project", "/v1/capture/projects", json!({"name": "Project"})).await;
    world.made("form", "/v1/capture/forms", json!({"name": "Form"})).await;
    world.made("site", "/v1/capture/sites", json!({"name": "Site", "allowedOrigins": []})).await;
    world.made("widget", "/v1/capture/widgets", json!({"name": "W", "phoneNumber": "+442079460001"})).await;
    world.made("chat", "/v1/capture/chats", json!({"name": "Chat"})).await;
    world.made("webhook", "/v1/identity/lead-webhooks", json!({"name": "Hook"})).await;
    world.made("blocked", "/v1/capture/blocked-ips", json!({"range": "203.0.113.9"})).await;
    let wish = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created"], "retryPlan": "none"});
    world.made("destination", "/v1/delivery/destinations", wish).await;
    world.made("token", "/v1/admin/tokens", json!({"name": "Token", "role": "viewer"})).await;
    world.made("suppression", "/v1/admin/privacy/suppressions", json!({"email": "no@example.com"})).await;
    world.made("invitation", "/v1/admin/invitations", json!({"email": "new@example.com", "role": "agent"})).await;
    world.made("channel", "/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await;
    let template = json!({"channel": "sms", "name": "Hi", "body": "Hi"});
    world.made("template", "/v1/messaging/templates", template).await;
    let role = json!({"name": "Night shift", "permissions": ["leads:view"]});
    let role = world.made("role", "/v1/admin/roles", role).await;
    world.ids.insert("role", role["name"].as_str().expect("an id").to_owned());
    world.made("pipeline", "/v1/identity/lead-pipelines", pipeline("Second")).await;
    admin.post("/v1/identity/custom-fields", json!({"name": "Budget", "type": "number"})).await;
    world.ids.insert("field", "budget".to_owned());
    world.ids.insert("user", site.member("member@example.com", Role::Agent).await);
    let rule = json!({"name": "A", "method": "person", "members": [world.ids["user"]]});
    world.made("rule", "/v1/admin/assignment-rules", rule).await;
    receiver.answers_otherwise(Answers::Status(404));
    site.app.submit(json!({"name": "ada", "email": "ada@example.com", "newsletter": "on"})).await;
    world.first("contact", "/v1/identity/contacts").await;
    let leads = admin.get("/v1/identity/leads").await.json();
    let campaign = json!({"name": "Spring", "channel": "sms", "templateId": world.ids["template"],
        "audience": {"leadIds": [leads["data"][0]["id"]]}});
    world.made("campaign", "/v1/messaging/campaigns", campaign).await;
    let person = admin.get(&format!("/v1/admin/privacy/persons/{}", world.ids["contact"])).await.json();
    world.ids.insert("consent", person["consents"][0]["id"].as_str().expect("a consent").to_owned());
    site.app.submit(json!({"name": "bot", "email": "bot@example.com", "__pg_hp": "x"})).await;
    site.app.run_jobs().await;
    world.first("delivery", "/v1/delivery/deliveries").await;
    world.first("quarantine", "/v1/capture/quarantine").await;
    let alert = uuid::Uuid::from_u128(77);
    let (workspace, now) = (site.app.workspace, site.app.now().0);
    let insert = format!(
        "INSERT INTO alerts (id, workspace_id, kind, subject_id, subject_name, data, opened_at)
         VALUES ('{alert}', '{workspace}', 'destination.failing', '{alert}', 'CRM', '{{}}', {now})"
    );
    site.app.execute(&insert).await;
    world.ids.insert("alert", alert.to_string());
    world
}

fn pipeline(name: &str) -> Value {
    let stage = |name: &str, kind: &str| json!({"name": name, "kind": kind, "color": "gray"});
    json!({"name": name, "stages": [stage("New", "open"), stage("Won", "won"), stage("Lost", "lost")]})
}

fn provider() -> Value {
    json!({"label": "ID", "issuer": "https://id.example.com", "clientId": "leadline", "clientSecret": "secret",
           "domains": ["example.com"], "takesPasswords": true, "isEnabled": true})
}

/// How each change is made: which thing it is made to, and with what. Deletions come last.
fn recipes() -> Vec<(&'static str, &'static str, Value)> {
    let nothing = || json!({});
    let password = || json!({ "password": PASSWORD });
    vec![
        ("PATCH /v1/admin/workspace", "", json!({"settings": {"auditDays": 90}})),
        ("POST /v1/admin/privacy/suppressions", "", json!({"email": "never@example.com"})),
        ("DELETE /v1/admin/privacy/suppressions/{id}", "suppression", nothing()),
        ("POST /v1/admin/privacy/consents/{id}/withdraw", "consent", nothing()),
        ("PATCH /v1/admin/analysis", "", json!({"keywords": ["solar"]})),
        ("PATCH /v1/admin/privacy/retention", "", json!({"captures": 30})),
        ("PATCH /v1/admin/work-settings", "", json!({"respondWithinMinutes": 15})),
        ("PATCH /v1/admin/availability/{id}", "user", json!({"awayUntil": "2030-01-01T00:00:00Z"})),
        ("POST /v1/admin/assignment-rules", "", json!({"name": "B", "method": "person", "members": ["MEMBER"]})),
        ("PATCH /v1/admin/assignment-rules/{id}", "rule", json!({"isActive": false})),
        ("DELETE /v1/admin/assignment-rules/{id}", "rule", nothing()),
        ("PATCH /v1/admin/alert-mails", "", json!({"wanted": false})),
        ("POST /v1/admin/alert-mails/test", "", nothing()),
        ("POST /v1/admin/alerts/{id}/acknowledge", "alert", nothing()),
        ("PUT /v1/admin/sign-in-provider", "", provider()),
        ("DELETE /v1/admin/sign-in-provider", "", nothing()),
        ("POST /v1/admin/users", "", json!({"email": "eve@example.com", "name": "Eve", "role": "viewer"})),
        ("PATCH /v1/admin/users/{id}", "user", json!({"role": "marketer"})),
        ("POST /v1/admin/tokens", "", json!({"name": "Another", "role": "viewer"})),
        ("POST /v1/admin/roles", "", json!({"name": "Day shift", "permissions": ["leads:view"]})),
        ("PATCH /v1/admin/roles/{id}", "role", json!({"permissions": ["leads:view", "leads:manage"]})),
        ("POST /v1/admin/invitations", "", json!({"email": "more@example.com", "role": "agent"})),
        ("POST /v1/admin/invitations/{id}/resend", "invitation", nothing()),
        ("POST /v1/admin/sessions/revoke-others", "", nothing()),
        ("POST /v1/capture/projects", "", json!({"name": "Third"})),
        ("PATCH /v1/capture/projects/{id}", "project", json!({"name": "Second"})),
        ("POST /v1/capture/forms", "", json!({"name": "More"})),
        ("PATCH /v1/capture/forms/{id}", "form", json!({"redirectStatus": 303})),
        (
            "PATCH /v1/capture/health/{id}",
            "form",
            json!({"watched": true, "silentAfterMinutes": 60, "cooldownMinutes": 60}),
        ),
        ("POST /v1/capture/sites", "", json!({"name": "More", "allowedOrigins": []})),
        ("PATCH /v1/capture/sites/{id}", "site", json!({"name": "Other"})),
        ("POST /v1/capture/widgets", "", json!({"name": "More", "phoneNumber": "+442079460002"})),
        ("PATCH /v1/capture/widgets/{id}", "widget", json!({"greeting": "Hi"})),
        ("POST /v1/capture/chats", "", json!({"name": "More"})),
        ("PATCH /v1/capture/chats/{id}", "chat", json!({"idleMinutes": 5})),
        ("POST /v1/capture/blocked-ips", "", json!({"range": "203.0.113.10"})),
        ("POST /v1/capture/quarantine/{id}/release", "quarantine", nothing()),
        (
            "POST /v1/delivery/destinations",
            "",
            json!({"name": "B", "url": "https://b.example.com/", "events": ["lead.created"]}),
        ),
        ("PATCH /v1/delivery/destinations/{id}", "destination", json!({"headers": {"X-Key": "hidden"}})),
        ("POST /v1/delivery/destinations/{id}/regenerate-secret", "destination", json!({"overlapHours": 1})),
        ("POST /v1/delivery/destinations/{id}/test", "destination", nothing()),
        ("POST /v1/delivery/dead-letters/{id}/replay", "delivery", nothing()),
        ("POST /v1/delivery/deliveries/{id}/replay", "delivery", nothing()),
        ("POST /v1/delivery/replays", "", json!({"filter": {}})),
        ("DELETE /v1/delivery/replays/{id}", "replay", nothing()),
        ("POST /v1/identity/lead-webhooks", "", json!({"name": "More"})),
        ("PATCH /v1/identity/lead-webhooks/{id}", "webhook", json!({"name": "Other"})),
        ("POST /v1/identity/lead-webhooks/{id}/regenerate-key", "webhook", nothing()),
        ("POST /v1/identity/custom-fields", "", json!({"name": "Size", "type": "text"})),
        ("PATCH /v1/identity/custom-fields/{key}", "field", json!({"name": "The budget"})),
        ("POST /v1/identity/lead-pipelines", "", pipeline("Third")),
        ("PATCH /v1/identity/lead-pipelines/{id}", "pipeline", json!({"name": "Other"})),
        ("PUT /v1/identity/scoring", "", json!({"version": 0, "weights": {}})),
        ("POST /v1/identity/scoring/versions/{version}/restore", "0", json!({"version": 1})),
        ("POST /v1/identity/scoring/rescore", "", nothing()),
        ("DELETE /v1/identity/scoring/rescore", "", nothing()),
        ("POST /v1/admin/privacy/erase", "", json!({"contactId": "CONTACT"})),
        ("POST /v1/messaging/campaigns", "", json!({"name": "Summer", "channel": "email"})),
        ("PATCH /v1/messaging/campaigns/{id}", "campaign", json!({"name": "Winter"})),
        ("POST /v1/messaging/campaigns/{id}/copy", "campaign", nothing()),
        ("POST /v1/messaging/campaigns/{id}/start", "campaign", nothing()),
        ("POST /v1/messaging/campaigns/{id}/pause", "campaign", nothing()),
        ("POST /v1/messaging/campaigns/{id}/resume", "campaign", nothing()),
        ("POST /v1/messaging/campaigns/{id}/cancel", "campaign", nothing()),
        ("DELETE /v1/messaging/campaigns/{id}", "campaign", nothing()),
        ("DELETE /v1/capture/projects/{id}", "project", nothing()),
        ("DELETE /v1/capture/forms/{id}", "form", nothing()),
        ("DELETE /v1/capture/sites/{id}", "site", nothing()),
        ("DELETE /v1/capture/widgets/{id}", "widget", nothing()),
        ("DELETE /v1/capture/chats/{id}", "chat", nothing()),
        ("DELETE /v1/capture/blocked-ips/{id}", "blocked", nothing()),
        ("DELETE /v1/delivery/destinations/{id}", "destination", nothing()),
        ("DELETE /v1/identity/lead-webhooks/{id}", "webhook", nothing()),
        ("DELETE /v1/identity/custom-fields/{key}", "field", nothing()),
        ("DELETE /v1/identity/lead-pipelines/{id}", "pipeline", nothing()),
        ("DELETE /v1/admin/users/{id}/second-factor", "user", nothing()),
        ("DELETE /v1/admin/users/{id}", "user", nothing()),
        ("DELETE /v1/admin/tokens/{id}", "token", nothing()),
        ("DELETE /v1/admin/roles/{id}", "role", nothing()),
        ("DELETE /v1/admin/invitations/{id}", "invitation", nothing()),
        ("DELETE /v1/admin/sessions/{id}", "session", nothing()),
        ("POST /v1/session/second-factor/confirm", "", json!({"code": "CODE"})),
        ("POST /v1/session/second-factor/recovery-codes", "", password()),
        ("POST /v1/session/second-factor/remove", "", password()),
        ("POST /v1/session/password", "", json!({"currentPassword": PASSWORD, "newPassword": "another horse battery"})),
        ("PATCH /v1/session", "", json!({"workspaceId": "WORKSPACE"})),
        ("POST /v1/session", "", json!({"email": "boss@example.com", "password": "another horse battery"})),
        ("DELETE /v1/session", "", nothing()),
    ]
}

/// A route that changes something and has no recipe above fails this: whoever adds one says here how it is used, and
/// sees whether it is written down.
#[rstest]
#[tokio::test]
async fn whatever_changes_something_is_written_down(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let mailer = Mailer::new("smtp://127.0.0.1:9?tls=none", "leadline@example.com", Trust::Only(Vec::new()));
    let options = Options { mailer: Some(mailer.expect("a mailer")), ..(*site.app.engine.options).clone() };
    site.app.engine.options = Arc::new(options);
    site.reopen();
    let admin = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let receiver = Receiver::start().await;
    let mut world = furnish(&site, &admin, &receiver).await;
    let recipes = recipes();
    let document: Value = serde_json::from_str(&leadline_server::openapi_json()).expect("JSON");
    for route in changing_routes(&document) {
        let is_known = recipes.iter().any(|(known, ..)| *known == route)
            || CHANGES_NOTHING.iter().any(|(known, _why)| *known == route);
        assert!(is_known, "{route} is new: add it to the recipes of this test, so that it is seen in the audit log");
    }

    let mut faults = Vec::new();
    let mut browser = admin.clone();
    for (route, name, body) in &recipes {
        prepare(&site, &mut world, route).await;
        let before = written(&site).await;
        let (method, path) = route.split_once(' ').expect("method and path");
        let mut address = world.address(path, name).replace("{key}", "budget").replace("{version}", "0");
        if *name == "session" {
            address = world.address(path, "session");
        }
        let body = filled(&site, &world, body);
        let body = (method != "DELETE").then_some(body);
        let answer = browser.send(method.parse::<Method>().expect("a method"), &address, body).await;
        if !answer.status.is_success() {
            faults.push(format!("{route}: {} {}", answer.status, answer.text()));
            continue;
        }
        if *route == "POST /v1/delivery/replays" {
            world.ids.insert("replay", answer.json()["id"].as_str().expect("an id").to_owned());
        }
        if *route == "PATCH /v1/session" {
            browser = browser.with_token_of(&answer.json());
        }
        if written(&site).await == before {
            faults.push(format!("{route} is not written down"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    site.stop().await;
}

fn changing_routes(document: &Value) -> Vec<String> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let is_written_down = WRITTEN_DOWN.iter().any(|prefix| path.starts_with(prefix));
        let methods = item.as_object().expect("operations").keys().filter(|method| *method != "get");
        routes.extend(methods.filter(|_| is_written_down).map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert!(routes.len() > 50, "the document describes the API");
    routes
}

async fn written(site: &Site) -> i64 {
    site.app.count("audit_entries").await
}

/// What must be there before a change can be made, and is not made by another one.
async fn prepare(site: &Site, world: &mut World<'_>, route: &str) {
    match route {
        "DELETE /v1/admin/sessions/{id}" => {
            site.sign_in("boss@example.com").await;
            let list = world.admin.get("/v1/admin/sessions").await.json();
            let other = list["data"].as_array().expect("a list").iter().find(|session| session["isCurrent"] == false);
            let id = other.expect("another session")["id"].as_str().expect("an id").to_owned();
            world.ids.insert("session", id);
        }
        // One that nothing leads into.
        "DELETE /v1/capture/projects/{id}" => {
            world.made("project", "/v1/capture/projects", json!({"name": "Unused"})).await;
        }
        "DELETE /v1/admin/users/{id}/second-factor" => {
            let (user, now) = (&world.ids["user"], site.app.now().0);
            let insert = format!(
                "INSERT INTO second_factors (user_id, secret_sealed, last_step, created_at, confirmed_at)
                 VALUES ('{user}', 'v1:x', 0, {now}, {now})"
            );
            site.app.execute(&insert).await;
        }
        "POST /v1/session/second-factor/confirm" => {
            let begun = world.admin.post("/v1/session/second-factor", json!({})).await.json();
            let secret = begun["secret"].as_str().expect("a secret").to_owned();
            world.ids.insert("secret", secret);
        }
        // Dead again, so that it can be replayed as one delivery and as one of many.
        "POST /v1/delivery/deliveries/{id}/replay" | "POST /v1/delivery/replays" => site.app.run_jobs().await,
        "PATCH /v1/session" => {
            let (other, _) = site.app.make_workspace("other").await;
            let own = site.app.workspace;
            let join = format!(
                "INSERT INTO memberships (workspace_id, user_id, role, created_at)
                 SELECT '{other}', user_id, role, 0 FROM memberships
                 WHERE workspace_id = '{own}' AND role = 'super_admin'"
            );
            site.app.execute(&join).await;
            world.ids.insert("workspace", other.to_string());
        }
        _ => {}
    }
}

fn filled(site: &Site, world: &World<'_>, body: &Value) -> Value {
    let mut text = body.to_string().replace("MEMBER", &world.ids["user"]);
    if let Some(secret) = world.ids.get("secret") {
        text = text.replace("CODE", &crate::second_factor::code(secret, site.app.now()));
    }
    text = text.replace("CONTACT", &world.ids["contact"]);
    if let Some(workspace) = world.ids.get("workspace") {
        text = text.replace("WORKSPACE", workspace);
    }
    serde_json::from_str(&text).expect("JSON")
}

async fn entries(caller: &Caller<'_>, query: &str) -> Vec<Value> {
    let answer = caller.get(&format!("/v1/admin/audit{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["data"].as_array().expect("a list").clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().expect("an action")).collect()
}

#[rstest]
#[tokio::test]
async fn entries_say_who_did_what_from_where_and_are_found_by_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let me = boss.get("/v1/session").await.json()["user"]["id"].as_str().expect("an id").to_owned();
    site.app.advance(Duration::from_secs(60));
    let token = boss.post("/v1/admin/tokens", json!({"name": "Script"})).await.json();
    let script = site.with_token(token["token"].as_str().expect("a token"));
    site.app.advance(Duration::from_secs(60));
    let noon = site.app.now().to_string();
    let role = json!({"name": "Night", "permissions": ["leads:view"]});
    let role = script.post("/v1/admin/roles", role).await.json()["name"].as_str().expect("an id").to_owned();
    site.app.advance(Duration::from_secs(60));
    script.patch(&format!("/v1/admin/roles/{role}"), json!({"name": "Late"})).await;
    site.member("else@example.com", Role::Agent).await;

    let all = entries(&boss, "").await;
    let of_role = entries(&boss, &format!("?object={role}")).await;
    let by_kind = entries(&boss, "?action=role.").await;
    let one_kind = entries(&boss, "?action=role.updated").await;
    let by_me = entries(&boss, &format!("?actor={me}")).await;
    let since = entries(&boss, &format!("?from={noon}&actor={me}")).await;
    let before = entries(&boss, &format!("?to={noon}&actor={me}")).await;
    let second_page = boss.get("/v1/admin/audit?page=2&limit=2").await.json();
    site.app.advance(Duration::from_secs(60));
    let file = boss.get("/v1/admin/audit/export.csv?action=role.").await;

    assert_eq!(actions(&of_role), ["role.updated", "role.created"]);
    assert_eq!((&by_kind, one_kind.len()), (&of_role, 1));
    assert_eq!(actions(&since), ["role.updated", "role.created"]);
    assert_eq!(actions(&before), ["token.created", "session.opened"]);
    assert_eq!(by_me.len(), 4);
    let change = &of_role[0];
    assert_eq!(change["data"], json!({"changes": {"name": {"from": "Night", "to": "Late"}}}));
    assert_eq!(change["actor"], json!({"kind": "token", "id": me, "name": "Script", "ip": "127.0.0.1"}));
    assert_eq!(change["object"], json!({"kind": "role", "id": role, "name": "Late"}));
    assert_eq!((second_page["total"].as_u64(), &second_page["data"][0]), (Some(all.len() as u64), &all[2]));
    assert_eq!(file.text().lines().count(), 3, "{}", file.text());
    assert!(file.text().contains("role.updated") && file.header("content-disposition").contains("audit.csv"));
    assert_eq!(actions(&entries(&boss, "").await)[0], "export.made");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_failure_to_sign_in_is_written_down_where_it_matters(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    // The installation's first workspace is the older one.
    site.app.advance(Duration::from_secs(1));
    let (other, _) = site.app.make_workspace("other").await;
    let elsewhere = site.token_in(other, Role::Admin).await;
    for email in ["boss@example.com", "nobody@example.com", "not an address; a password"] {
        site.stranger().post("/v1/session", json!({"email": email, "password": "a wrong guess"})).await;
        site.app.advance(Duration::from_secs(1));
    }

    let refused = entries(&boss, "?action=session.refused").await;

    let names: Vec<&str> = refused.iter().map(|entry| entry["object"]["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["", "nobody@example.com", "boss@example.com"]);
    assert_eq!(refused[2]["actor"]["kind"], "visitor");
    let seen = entries(&site.with_token(&elsewhere), "").await;
    assert!(!actions(&seen).contains(&"session.refused"), "{seen:?}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn nobody_changes_the_log_and_only_some_read_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let boss = site.signed_in("boss@example.com", Role::SuperAdmin).await;
    let marketer = site.signed_in("mia@example.com", Role::Marketer).await;
    let entry = entries(&boss, "").await[0]["id"].as_str().expect("an id").to_owned();

    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for path in ["/v1/admin/audit".to_owned(), format!("/v1/admin/audit/{entry}")] {
            let answer = boss.send(method.clone(), &path, Some(json!({}))).await;
            assert!(matches!(answer.status.as_u16(), 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
    assert_eq!(marketer.get("/v1/admin/audit").await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(marketer.get("/v1/admin/audit/export.csv").await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(boss.get("/v1/admin/audit?action=%00").await.problem(), (422, "invalid_fields".to_owned()));
    assert_eq!(boss.get("/v1/admin/audit?from=yesterday").await.problem(), (400, "invalid_query".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn entries_live_as_long_as_their_workspace_wants(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let (other, _) = site.app.make_workspace("other").await;
    let elsewhere = site.token_in(other, Role::Admin).await;
    let short = json!({"settings": {"auditDays": 3}});
    assert_eq!(admin.patch("/v1/admin/workspace", short).await.pointers(), ["/settings/auditDays"]);
    admin.patch("/v1/admin/workspace", json!({"settings": {"auditDays": 30}})).await;
    retain(&site.app.engine).await.expect("retained");

    // In steps, since a leap of the clock is not believed.
    for _ in 0..5 {
        site.app.advance(Duration::from_secs(6 * 86_400));
        retain(&site.app.engine).await.expect("retained");
    }
    assert!(!entries(&admin, "").await.is_empty(), "30 days are not over");
    site.app.advance(Duration::from_secs(86_400));
    retain(&site.app.engine).await.expect("retained");

    assert_eq!(entries(&admin, "").await, Vec::<Value>::new());
    assert_eq!(actions(&entries(&site.with_token(&elsewhere), "").await), ["token.created"]);
    site.stop().await;
}
