//! Automations over HTTP: the example through channels that send, what is refused, and who sees what.

use std::time::Duration;

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_engine::{automations::runner, dispatch, messaging};
use leadline_testkit::{Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const AUTOMATIONS: &str = "/v1/identity/lead-automations";

async fn made(caller: &Caller<'_>, path: &str, body: Value) -> Value {
    let answer = caller.post(path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().expect("an id").to_owned()
}

/// What an automation needs: a source and two templates.
struct Parts {
    source: Value,
    welcome: String,
    follow_up: String,
}

async fn parts(admin: &Caller<'_>) -> Parts {
    let source = made(admin, "/v1/identity/lead-webhooks", json!({"name": "Landing page"})).await;
    let templates = "/v1/messaging/templates";
    let welcome = json!({"channel": "whatsapp", "name": "Welcome_Template", "body": "Welcome, {{firstName}}"});
    let follow_up = json!({"channel": "email", "name": "Follow_Up_Email", "subject": "Hello", "body": "Still there?"});
    let (welcome, follow_up) = (made(admin, templates, welcome).await, made(admin, templates, follow_up).await);
    Parts { source, welcome: id(&welcome), follow_up: id(&follow_up) }
}

impl Parts {
    /// WhatsApp at once with SMS behind it, e-mail two hours later.
    fn example(&self) -> Value {
        json!({
            "name": "Welcome Sequence", "webhookSourceId": id(&self.source),
            "steps": [
                {"channel": "whatsapp", "delayMinutes": 0, "templateId": self.welcome, "fallbackChannel": "sms"},
                {"channel": "email", "delayMinutes": 120, "templateId": self.follow_up},
            ],
        })
    }
}

/// Dispatches, starts steps and sends messages until nothing is left to do.
async fn go_on(site: &Site) {
    let engine = &site.app.engine;
    loop {
        dispatch::dispatch_all(engine).await.expect("events are dispatched");
        let steps = runner::send_due(engine).await.expect("steps are started");
        let messages = messaging::runner::send_due(engine).await.expect("messages are sent");
        if steps + messages == 0 {
            return;
        }
    }
}

/// The lines of a lead's timeline: icon, title, step, channel, how the message fares.
async fn timeline(caller: &Caller<'_>, lead: &str) -> Vec<String> {
    let answer = caller.get(&format!("/v1/identity/leads/{lead}/automation-timeline")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let word = |line: &Value, name: &str| line[name].as_str().map(|word| format!(" {word}")).unwrap_or_default();
    let line = |line: &Value| {
        let step = line["step"].as_i64().map(|step| format!(" {step}")).unwrap_or_default();
        let head = format!("{}:{}", line["icon"].as_str().expect("an icon"), word(line, "title"));
        format!("{head}{step}{}{}{}", word(line, "channel"), word(line, "deliveryStatus"), word(line, "reason"))
    };
    answer.json()["data"].as_array().expect("lines").iter().map(line).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_example_goes_out_by_channels_that_send(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let gateway = Receiver::start().await;
    made(&admin, "/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await;
    let sms = json!({"kind": "sms_http", "name": "Gateway", "settings": {"url": gateway.url(), "from": "Leadline"}});
    made(&admin, "/v1/messaging/channels", sms).await;
    let parts = parts(&admin).await;
    let automation = made(&admin, AUTOMATIONS, parts.example()).await;

    // The sandbox refuses numbers that end so; no other channel here carries WhatsApp.
    let fields = json!({"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+491700990001"});
    let path = format!("/webhooks/leads/{}", parts.source["apiKey"].as_str().expect("a key"));
    let lead = site.stranger().post(&path, fields.clone()).await.json()["leadId"].as_str().expect("a lead").to_owned();
    go_on(&site).await;
    site.app.advance(Duration::from_mins(1));
    site.stranger().post(&path, fields).await;
    go_on(&site).await;
    site.app.advance(Duration::from_mins(119));
    go_on(&site).await;
    site.app.advance(Duration::from_secs(10));
    go_on(&site).await;

    let told = [
        "bolt: Automation triggered",
        "error: Step failed 1 whatsapp Failed sandbox_refused",
        "swap: Fallback 1 sms",
        "check: Step sent 1 sms Sent",
        "block: Automation skipped safety_lock",
        "check: Step sent 2 email Delivered",
        "task: Automation completed",
    ];
    assert_eq!(timeline(&admin, &lead).await, told);
    let sent = gateway.received();
    assert_eq!(sent.len(), 1);
    assert_eq!((&sent[0].json()["to"], &sent[0].json()["text"]), (&json!("+491700990001"), &json!("Welcome, Ada")));
    let shown = admin.get(&format!("{AUTOMATIONS}/{}", id(&automation))).await.json();
    let stats = &shown["stats"];
    assert_eq!((&stats["triggered"], &stats["completed"], &stats["skipped"]), (&json!(1), &json!(1), &json!(1)));
    let messages = admin.get(&format!("/v1/messaging/messages?leadId={lead}")).await.json();
    assert_eq!(messages["data"].as_array().expect("messages").len(), 3);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_automation_is_made_changed_and_deleted_and_each_is_written_down(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let parts = parts(&admin).await;

    let automation = made(&admin, AUTOMATIONS, parts.example()).await;
    let path = format!("{AUTOMATIONS}/{}", id(&automation));
    assert_eq!((&automation["safetyLockMinutes"], &automation["isActive"]), (&json!(5), &json!(true)));
    assert_eq!(automation["trigger"]["event"], "lead.arrived");
    assert_eq!(automation["webhookSourceName"], "Landing page");
    assert_eq!(automation["steps"][0]["fallbackChannel"], "sms");
    let off = admin.patch(&path, json!({"isActive": false, "version": 1})).await.json();
    assert_eq!(
        (&off["isActive"], &off["version"], &off["name"]),
        (&json!(false), &json!(2), &json!("Welcome Sequence"))
    );
    let stale = admin.patch(&path, json!({"name": "Another", "version": 1})).await;
    assert_eq!(stale.problem(), (409, "stale_version".to_owned()));
    let quiet = json!({"quietHours": {"fromMinute": 1260, "untilMinute": 480}, "exitOn": ["replied"]});
    let quiet = admin.patch(&path, quiet).await.json();
    assert_eq!((&quiet["quietHours"]["fromMinute"], &quiet["exitOn"]), (&json!(1260), &json!(["replied"])));
    let loud = admin.patch(&path, json!({"quietHours": null})).await.json();
    assert_eq!(loud["quietHours"], Value::Null);
    assert_eq!(admin.get(AUTOMATIONS).await.json()["data"].as_array().expect("a list").len(), 1);
    assert_eq!(admin.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get(AUTOMATIONS).await.json()["data"], json!([]));

    for action in ["automation.created", "automation.updated", "automation.deleted"] {
        let written = site.app.count(&format!("audit_entries WHERE action = '{action}'")).await;
        assert!(written > 0, "{action}");
    }
    site.stop().await;
}

#[rstest]
#[case::no_source(json!({"webhookSourceId": null}), &["/webhookSourceId"])]
#[case::somebody_elses_source(json!({"webhookSourceId": "0190b5a0-0000-7000-8000-000000000001"}), &["/webhookSourceId"])]
#[case::no_name(json!({"name": " "}), &["/name"])]
#[case::a_name_that_no_database_takes(json!({"name": "a\u{0}b"}), &["/name"])]
#[case::no_steps(json!({"steps": []}), &["/steps"])]
#[case::no_such_template(
    json!({"steps": [{"channel": "sms", "templateId": "0190b5a0-0000-7000-8000-000000000001"}]}), &["/steps/0/templateId"])]
#[case::another_channels_template(json!({"steps": [{"channel": "sms", "templateId": "WELCOME"}]}), &["/steps/0/templateId"])]
#[case::back_to_itself(
    json!({"steps": [{"channel": "whatsapp", "templateId": "WELCOME", "fallbackChannel": "whatsapp"}]}),
    &["/steps/0/fallbackChannel"])]
#[case::email_without_a_subject(
    json!({"steps": [{"channel": "whatsapp", "templateId": "WELCOME", "fallbackChannel": "email"}]}),
    &["/steps/0/fallbackTemplateId"])]
#[case::too_late(
    json!({"steps": [{"channel": "whatsapp", "templateId": "WELCOME", "delayMinutes": 43_201}]}), &["/steps/0/delayMinutes"])]
#[case::locked_for_good(json!({"safetyLockMinutes": -1}), &["/safetyLockMinutes"])]
#[case::a_tag_is_missing(json!({"trigger": {"event": "lead.tag_added"}}), &["/trigger/tag"])]
#[case::no_such_stage(
    json!({"trigger": {"event": "lead.stage_changed", "stageId": "0190b5a0-0000-7000-8000-000000000001"}}),
    &["/trigger/stageId"])]
#[tokio::test]
async fn what_cannot_be_an_automation_is_refused_with_pointers(#[case] part: Value, #[case] pointers: &[&str]) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    let parts = parts(&admin).await;
    let mut body = parts.example();
    let text = part.to_string().replace("WELCOME", &parts.welcome);
    let part: Value = serde_json::from_str(&text).expect("JSON");
    for (name, value) in part.as_object().expect("an object") {
        body[name] = value.clone();
    }

    let answer = admin.post(AUTOMATIONS, body).await;

    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    assert_eq!(answer.pointers(), pointers);
    assert_eq!(site.app.count("lead_automation_workflows").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_does_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    made(&admin, "/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await;
    let parts = parts(&admin).await;
    let ada = json!({"name": "Ada Lovelace", "email": "ada@example.com"});
    let lead = id(&made(&admin, "/v1/identity/leads", ada).await);
    let mut automation = parts.example();
    // Tests begin at 8 in the morning; two hours later it is quiet until noon.
    automation["quietHours"] = json!({"fromMinute": 540, "untilMinute": 720});
    let path = format!("{AUTOMATIONS}/dry-run");

    let played = made(&admin, &path, json!({"leadId": lead, "automation": automation})).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let masked = viewer.post(&path, json!({"leadId": lead, "automation": automation})).await;

    let [first, second] = &played["steps"].as_array().expect("steps")[..] else { panic!("two steps") };
    assert_eq!(
        (&first["message"]["skipReason"], &first["fallback"]["skipReason"]),
        (&json!("no_phone"), &json!("no_phone"))
    );
    assert_eq!(first["message"]["text"], "Welcome, Ada");
    assert_eq!((&second["message"]["address"], &second["isPutOff"]), (&json!("ada@example.com"), &json!(true)));
    assert_eq!(second["at"].as_str().map(|at| &at[11..16]), Some("12:00"));
    assert_eq!(masked.status, StatusCode::OK, "{}", masked.text());
    assert!(!masked.text().contains("ada@example.com") && !masked.text().contains("Ada"), "{}", masked.text());
    let suppressed = json!({"email": "ada@example.com", "note": "asked for it"});
    made(&admin, "/v1/admin/privacy/suppressions", suppressed).await;
    let left_alone = made(&admin, &path, json!({"leadId": lead, "automation": automation})).await;
    assert_eq!(left_alone["steps"][1]["message"]["skipReason"], "suppressed");
    go_on(&site).await;
    assert_eq!(site.app.count("automation_runs").await + site.app.count("messages").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_log_is_filtered_and_a_failed_step_is_retried_by_those_who_may_send(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("boss@example.com", Role::Admin).await;
    made(&admin, "/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await;
    let parts = parts(&admin).await;
    let mut only_whatsapp = parts.example();
    only_whatsapp["steps"] = json!([{"channel": "whatsapp", "templateId": parts.welcome}]);
    let automation = id(&made(&admin, AUTOMATIONS, only_whatsapp).await);
    let path = format!("/webhooks/leads/{}", parts.source["apiKey"].as_str().expect("a key"));
    let fields = json!({"name": "Ada Lovelace", "phone": "+491700990001"});
    let lead = site.stranger().post(&path, fields).await.json()["leadId"].as_str().expect("a lead").to_owned();
    site.stranger().post(&path, json!({"name": "Bob", "email": "bob@example.com"})).await;
    go_on(&site).await;

    let log = |query: &str| format!("{AUTOMATIONS}/{automation}/runs{query}");
    let failed = admin.get(&log("?state=failed")).await.json();
    assert_eq!((&failed["total"], &failed["data"][0]["leadId"]), (&json!(1), &json!(lead)));
    assert_eq!(failed["data"][0]["sendings"][0]["reason"], "sandbox_refused");
    assert_eq!(admin.get(&log("?state=skipped")).await.json()["data"][0]["reason"], "missing_contact");
    assert_eq!(admin.get(&log("?state=bored")).await.problem().0, 422);
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    assert!(!viewer.get(&log("")).await.text().contains("Ada"));
    let retry = format!("{AUTOMATIONS}/{automation}/retry/{lead}");
    assert_eq!(viewer.post(&retry, json!({})).await.status, StatusCode::FORBIDDEN);
    let can_retry =
        |lines: &Value| lines["data"].as_array().expect("lines").iter().filter(|line| line["canRetry"] == true).count();
    let lines = format!("/v1/identity/leads/{lead}/automation-timeline");
    assert_eq!(can_retry(&admin.get(&lines).await.json()), 1);

    let run = made(&admin, &retry, json!({})).await;
    assert_eq!(run["sendings"].as_array().expect("sendings").len(), 2);
    assert_eq!(can_retry(&admin.get(&lines).await.json()), 0);
    assert_eq!(admin.post(&retry, json!({})).await.problem(), (409, "conflict".to_owned()));
    go_on(&site).await;

    let told = timeline(&admin, &lead).await;
    assert_eq!(
        told[told.len() - 2..],
        ["replay: Step tried again 1 whatsapp", "error: Step failed 1 whatsapp Failed sandbox_refused"]
    );
    assert_eq!(can_retry(&admin.get(&lines).await.json()), 1);
    let nobody = uuid::Uuid::nil();
    assert_eq!(
        admin.post(&format!("{AUTOMATIONS}/{automation}/retry/{nobody}"), json!({})).await.status,
        StatusCode::NOT_FOUND
    );
    site.stop().await;
}
