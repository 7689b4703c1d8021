//! Templates of payloads, from the wish to the receiver.

use std::fs;

use leadline_domain::permissions::Role;
use leadline_testkit::{Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/payloads/ssti.json");

/// Values that try to be more than text.
fn hostile_values() -> Vec<String> {
    let text = fs::read_to_string(CASES)
        .unwrap_or_else(|error| panic!("the outside test material is missing: ../shared/cases ({error})"));
    let mut values: Vec<String> = serde_json::from_str(&text).expect("a list of texts");
    values.extend([
        "\"},\"admin\":true,{\"".to_owned(),
        "a\nb\r\nc\td".to_owned(),
        "\u{1}\u{1f}\u{7f}\u{2028}".to_owned(),
        "😀𝒜".to_owned(),
        "\\\" \\u0022 \\".to_owned(),
    ]);
    values
}

async fn destination(site: &Site, token: &str, wish: Value) -> Value {
    let made = site.with_token(token).post("/v1/delivery/destinations", wish).await;
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_visitor_typed_the_body_has_the_structure_of_its_template(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let receiver = Receiver::start().await;
    let template = r#"{"m": "<{{fields.essay}}>", "n": ["{{name | trim}}"], "none": "{{customFields.nothing}}"}"#;
    let wish = json!({"name": "T", "url": receiver.url(), "events": ["lead.created"], "format": "template", "template": template});
    destination(&site, &token, wish).await;
    let mut values = hostile_values();
    values.push("€".repeat(330_000));

    for (index, value) in values.iter().enumerate() {
        site.app.submit(json!({"name": "N", "email": format!("v{index}@example.com"), "essay": value})).await;
    }
    site.app.run_jobs().await;

    let mut told: Vec<String> = Vec::new();
    for request in receiver.received() {
        let body = request.json();
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(3), "{body}");
        assert_eq!((&body["n"], &body["none"]), (&json!(["N"]), &json!("")));
        told.push(body["m"].as_str().expect("a text").to_owned());
    }
    assert_eq!(told.len(), values.len());
    for value in &values {
        assert!(told.contains(&format!("<{value}>")), "{value:.100}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_sent_as_a_form_with_the_chosen_verb_and_signed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let receiver = Receiver::start().await;
    let wish = json!({
        "name": "Web-to-Lead", "url": receiver.url(), "events": ["lead.created"], "format": "template",
        "template": {"oid": "00D", "last_name": "{{lastName | default:'Unknown'}}", "email": "{{email}}", "n": 3},
        "contentType": "form", "method": "PUT",
    });
    let made = destination(&site, &token, wish).await;
    assert_eq!((&made["contentType"], &made["method"]), (&json!("form"), &json!("PUT")));

    let body = json!({"name": "Ada K. Love&lace=1", "email": "ada@example.com"});
    site.with_token(&token).post("/v1/identity/leads", body).await;
    site.app.run_jobs().await;

    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(request.method, "PUT");
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    assert!(request.header("x-leadline-signature").starts_with("sha256="));
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        "email=ada%40example.com&last_name=K.+Love%26lace%3D1&n=3&oid=00D"
    );
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_looked_at_with_the_newest_lead_or_with_nobody(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let wish = json!({"template": r#"{"who": "{{name}}", "of": "{{projectName}}", "m": "{{message}}"}"#});
    let path = "/v1/delivery/template-previews";

    let nobody = site.with_token(&token).post(path, wish.clone()).await.json();
    for name in ["Ada", "Grace"] {
        let body = json!({"name": name, "email": format!("{name}@example.com"), "message": format!("I am {name}")});
        site.with_token(&token).post("/v1/identity/leads", body).await;
        site.app.advance(std::time::Duration::from_secs(1));
    }
    let newest = site.with_token(&token).post(path, wish.clone()).await.json();
    let body: Value = serde_json::from_str(newest["payload"].as_str().expect("a body")).expect("JSON");

    assert_eq!(nobody["leadId"], Value::Null);
    assert!(nobody["payload"].as_str().expect("a body").contains("Ada Example"), "{nobody}");
    assert_eq!(
        (&newest["leadName"], &body["who"], &body["m"]),
        (&json!("Grace"), &json!("Grace"), &json!("I am Grace"))
    );
    let (elsewhere, _) = site.app.make_workspace("elsewhere").await;
    let stranger = site.token_in(elsewhere, Role::Admin).await;
    let theirs = json!({"template": {"who": "{{name}}"}, "leadId": newest["leadId"]});
    assert_eq!(site.with_token(&stranger).post(path, theirs).await.status, 404);
    site.stop().await;
}

#[rstest]
#[case::no_json(json!({"template": "{\n  \"a\": {{email}}\n}"}), "/template", "line 2, column 9")]
#[case::unknown(json!({"template": {"a": "{{nobody}}"}}), "/template", "there is no value named nobody")]
#[case::not_there(json!({}), "/template", "is required")]
#[case::a_list_as_a_form(json!({"template": ["{{email}}"], "contentType": "form"}), "/template", "object of texts")]
#[case::nothing_to_write_as_a_form(json!({"format": "crm", "contentType": "form"}), "/contentType", "only a template")]
#[case::verb(json!({"format": "crm", "method": "DELETE"}), "/method", "POST, PUT or PATCH")]
#[case::score(json!({"format": "crm", "filter": {"minScore": 101}}), "/filter/minScore", "between 0 and 100")]
#[case::source(json!({"format": "crm", "filter": {"sources": ["form", "fax"]}}), "/filter/sources/1", "must be one of")]
#[case::tag(json!({"format": "crm", "filter": {"tags": ["a\u{0}"]}}), "/filter/tags/0", "1 to 100 characters")]
#[case::stage(json!({"format": "crm", "filter": {"stageIds": ["01a1ffd6-5bc5-7272-8cbc-f47ae4902934"]}}), "/filter/stageIds/0", "not a stage")]
#[case::one_source(json!({"format": "crm", "filter": {"sourceIds": ["01a1ffd6-5bc5-7272-8cbc-f47ae4902934"]}}), "/filter/sourceIds/0", "not a source")]
#[case::window(json!({"format": "crm", "duplicateWindowMinutes": -1}), "/duplicateWindowMinutes", "between 0 and")]
#[case::time(json!({"format": "crm", "timeoutSeconds": 31}), "/timeoutSeconds", "between 1 and 30")]
#[case::pace(json!({"format": "crm", "requestsPerMinute": 0}), "/requestsPerMinute", "between 1 and")]
#[case::width(json!({"format": "crm", "maxInFlight": 65}), "/maxInFlight", "between 1 and 64")]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_its_place(#[case] changes: Value, #[case] pointer: &str, #[case] says: &str) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let receiver = Receiver::start().await;
    let mut wish = json!({"name": "T", "url": receiver.url(), "events": ["lead.created"], "format": "template"});
    wish.as_object_mut().expect("an object").extend(changes.as_object().expect("changes").clone());

    let refused = site.with_token(&token).post("/v1/delivery/destinations", wish).await;

    assert_eq!(refused.problem(), (422, "invalid_fields".to_owned()), "{}", refused.text());
    let errors = refused.json()["errors"].clone();
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors}");
    assert_eq!(errors[0]["pointer"], pointer);
    assert!(errors[0]["message"].as_str().expect("a message").contains(says), "{errors}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_and_names_are_told_and_every_preset_can_be_looked_at() {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);

    let presets = admin.get("/v1/delivery/template-presets").await.json();
    let names = admin.get("/v1/delivery/template-placeholders").await.json();

    let ids: Vec<&str> =
        presets["data"].as_array().expect("presets").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, ["hubspot", "pipedrive", "salesforce", "zoho", "make", "zapier", "slack", "google_sheets"]);
    for preset in presets["data"].as_array().expect("presets") {
        let wish = json!({"template": preset["template"], "contentType": preset["contentType"]});
        let preview = admin.post("/v1/delivery/template-previews", wish).await;
        assert_eq!(preview.status, 200, "{}: {}", preset["id"], preview.text());
        assert!(!preview.json()["payload"].as_str().expect("a body").contains("{{"), "{}", preset["id"]);
    }
    let all: Vec<&str> =
        names["placeholders"].as_array().expect("names").iter().filter_map(|one| one["name"].as_str()).collect();
    for name in [
        "event",
        "tenantId",
        "leadId",
        "email",
        "phone",
        "firstName",
        "conversationId",
        "capturedAt",
        "lastConversationAt",
    ] {
        assert!(all.contains(&name), "{name}");
    }
    site.stop().await;
}
