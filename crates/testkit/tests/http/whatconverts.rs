//! Destinations of the format `whatconverts`: what comes in by whichever door goes out in that shape.

use std::{fs, net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode},
};
use leadline_domain::{ids::SourceId, permissions::Role};
use leadline_engine::alerts;
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::browser::{Caller, Site};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/seeds");

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";

/// The example in the provider's own document.
fn sample() -> Value {
    let missing = "the outside test material is missing: ../shared/seeds/003_… beside the project";
    let files = fs::read_dir(SEEDS).unwrap_or_else(|error| panic!("{missing} ({error})"));
    let named =
        |path: &std::path::Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("003_"));
    let path = files.filter_map(|file| Some(file.ok()?.path())).find(|path| named(path)).expect(missing);
    let text = fs::read_to_string(path).expect(missing);
    let from = text.find('{').expect("the document has an example");
    serde_json::Deserializer::from_str(&text[from..]).into_iter().next().expect("an example").expect("JSON")
}

fn with(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    body.as_object_mut().expect("an object").extend(changes);
    body
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

/// A workspace with a destination of this format.
struct Desk {
    site: Site,
    receiver: Receiver,
    token: String,
    destination: String,
}

impl Desk {
    async fn open(db: Db) -> Self {
        Self::open_at(Site::start(db).await).await
    }

    async fn open_at(site: Site) -> Self {
        let receiver = Receiver::start().await;
        let token = site.token(Role::Admin).await;
        let events = ["lead.created", "lead.re_engaged", "lead.resubmitted", "lead.updated", "lead.stage_changed"];
        let wish = json!({"name": "CRM", "url": receiver.url(), "events": events, "format": "whatconverts"});
        let made = site.with_token(&token).post("/v1/delivery/destinations", wish).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let made = made.json();
        assert_eq!(made["format"], "whatconverts");
        let destination = made["id"].as_str().expect("an id").to_owned();
        Self { site, receiver, token, destination }
    }

    fn admin(&self) -> Caller<'_> {
        self.site.with_token(&self.token)
    }

    async fn make(&self, path: &str, key: &str) -> String {
        let made = self.admin().post(path, json!({"name": "Source"})).await.json();
        made[key].as_str().expect("a key").to_owned()
    }

    async fn hook(&self) -> String {
        format!("/webhooks/leads/{}", self.make("/v1/identity/lead-webhooks", "apiKey").await)
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Value {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = "10.0.0.1:4711".parse().expect("an address");
        let request = request.extension(ConnectInfo(peer)).body(Body::from(body.to_string())).expect("a request");
        let answer = self.site.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    /// What went out since it was asked last, when all jobs are done.
    async fn told(&self, after: usize) -> Vec<Value> {
        self.site.app.run_jobs().await;
        self.receiver.received()[after..].iter().map(leadline_testkit::Received::json).collect()
    }

    async fn told_once(&self, after: usize) -> Value {
        let mut told = self.told(after).await;
        assert_eq!(told.len(), 1, "{told:#?}");
        told.remove(0)
    }

    async fn lead(&self, receipt: &Value) -> Value {
        let id = receipt["leadId"].as_str().or(receipt["id"].as_str()).expect("a lead");
        self.admin().get(&format!("/v1/identity/leads/{id}")).await.json()
    }

    /// The shape with what goes for every new lead of ours, and these values.
    async fn expected(&self, lead: &Value, values: Value) -> Value {
        let nothing: Map<String, Value> = keys(&sample()).into_iter().map(|name| (name, Value::Null)).collect();
        let projects = self.admin().get("/v1/capture/projects").await.json();
        let score = &lead["score"];
        let ours = json!({
            "trigger": "new", "lead_id": lead["number"], "user_id": lead["contactId"], "lead_status": "Unique",
            "lead_analysis": {"Keyword Detection": null, "Lead Summary": null, "Intent Detection": null,
                              "Sentiment Detection": null, "Topic Detection": null},
            "date_created": "2026-01-05T08:00:00Z", "last_updated": "2026-01-05T08:00:00Z", "quotable": "Not Set",
            "lead_score": score, "lead_state": "Completed", "profile": projects["data"][0]["name"],
            "profile_id": self.site.app.project, "account": "default", "account_id": self.site.app.workspace,
            "duplicate": false, "spam": false,
        });
        assert!(lead["number"].is_i64() && lead["contactId"].is_string() && score.is_i64(), "{lead}");
        assert!(projects["data"][0]["name"].is_string(), "{projects}");
        with(with(Value::Object(nothing), ours), values)
    }

    async fn close(self) {
        self.site.stop().await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_providers_document_shows_comes_out_as_it_came_in(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let address = desk.site.listen().await;
    let url = format!("{address}{}", desk.hook().await);

    let answer = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .body(sample().to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);

    let told = desk.told_once(0).await;
    for (name, value) in sample().as_object().expect("an object") {
        assert_eq!(&told[name], value, "{name}");
    }
    assert_eq!(told, sample(), "and there is nothing else");
    desk.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_lead_of_the_provider_keeps_its_id_whatever_happens_to_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let hook = desk.hook().await;
    let form = format!("/f/{}", desk.make("/v1/capture/forms", "key").await);
    let receipt = desk.send(&hook, &[], sample()).await;
    assert_eq!(desk.told(0).await.len(), 1);
    desk.site.app.advance(Duration::from_secs(30));

    let changes = json!({"trigger": "update", "lead_state": "Completed", "quotable": "Yes", "quote_value": 900.5,
                         "last_updated": "2016-02-02T10:00:00Z", "call_duration_seconds": 61});
    desk.send(&hook, &[], with(sample(), changes.clone())).await;
    let updated = desk.told_once(1).await;
    desk.site.app.advance(Duration::from_secs(30));
    let fields = json!({"name": "Jerry", "email": "hello@whatconverts.com", "message": "Once more", "gclid": "G-2"});
    desk.send(&form, &[], fields.clone()).await;
    let came_again = desk.told_once(2).await;
    let lead = receipt["leadId"].as_str().expect("a lead");
    let change = json!({"name": "Jeremy Helms Jr."});
    let changed = desk.admin().patch(&format!("/v1/identity/leads/{lead}"), change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let corrected = desk.told_once(3).await;

    assert_eq!(updated, with(sample(), changes));
    for told in [&came_again, &corrected] {
        assert_eq!((&told["trigger"], &told["lead_id"]), (&json!("update"), &json!(153_928)));
        assert_eq!(told["user_id"], sample()["user_id"]);
        assert_eq!((&told["profile"], &told["quote_value"]), (&json!("My Profile"), &json!(900.5)));
        assert_eq!(told["last_updated"], "2026-01-05T08:01:00Z");
        assert_eq!(told["date_created"], sample()["date_created"]);
        assert_eq!(told["additional_fields"], fields);
        assert_eq!((&told["gclid"], &told["lead_status"]), (&json!("G-2"), &json!("Repeat")));
        assert_eq!(told["vwo_user_id"], sample()["vwo_user_id"]);
        assert_eq!(told["call_duration_seconds"], 61);
    }
    assert_eq!((&came_again["duplicate"], &corrected["duplicate"]), (&json!(true), &json!(false)));
    assert_eq!(came_again["contact_name"], "Jeremy Helms");
    assert_eq!(corrected["contact_name"], "Jeremy Helms Jr.");
    assert_eq!(corrected["field_mappings"]["Contact Person"], "Jeremy Helms Jr.");
    desk.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deleted_is_not_told_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let hook = desk.hook().await;
    let receipt = desk.send(&hook, &[], sample()).await;
    assert_eq!(desk.told(0).await.len(), 1);

    let lead = receipt["leadId"].as_str().expect("a lead");
    let change = json!({"email": null, "company": null});
    let changed = desk.admin().patch(&format!("/v1/identity/leads/{lead}"), change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());

    let told = desk.told_once(1).await;
    let deleted = [&told["contact_email_address"], &told["email_address"], &told["contact_company_name"]];
    assert_eq!(deleted, [&Value::Null; 3]);
    let mappings = json!({"Contact Person": "Jeremy Helms", "Phone Number": "(704) 469-5324"});
    assert_eq!(told["field_mappings"], mappings);
    assert_eq!(told["lead_analysis"], sample()["lead_analysis"]);
    desk.close().await;
}

#[rstest]
#[case("In Progress", "In Progess")]
#[case("in progess", "In Progess")]
#[case("Completed", "Completed")]
#[tokio::test]
async fn a_state_goes_out_in_the_providers_spelling(#[case] sent: &str, #[case] expected: &str) {
    let desk = Desk::open(Db::Sqlite).await;
    let hook = desk.hook().await;

    desk.send(&hook, &[], with(sample(), json!({"lead_state": sent}))).await;

    assert_eq!(desk.told_once(0).await["lead_state"], expected);
    desk.close().await;
}

#[tokio::test]
async fn what_the_provider_told_beside_the_contact_stays_beside_it() {
    let desk = Desk::open(Db::Sqlite).await;
    let hook = desk.hook().await;
    let mappings = json!({"Phone Number": "704.469.5324", "Best Time": "Evening"});
    let changes = json!({"phone_number": "+17045550100", "contact_email_address": null, "contact_name": null,
                         "field_mappings": mappings, "additional_fields": {"colour": "blue", "rooms": 3}});

    desk.send(&hook, &[], with(sample(), changes)).await;

    let told = desk.told_once(0).await;
    assert_eq!(
        (&told["contact_phone_number"], &told["phone_number"]),
        (&json!("+17044695324"), &json!("+17045550100"))
    );
    assert_eq!(told["contact_email_address"], "hello@whatconverts.com");
    assert_eq!(told["contact_name"], Value::Null, "an address is no name");
    let mappings = json!({"Company Name": "Call Tracking Company", "Email": "hello@whatconverts.com",
                          "Phone Number": "(704) 469-5324", "Best Time": "Evening"});
    assert_eq!(told["field_mappings"], mappings);
    assert_eq!(told["additional_fields"], json!({"colour": "blue", "rooms": 3}));
    desk.close().await;
}

#[rstest]
#[tokio::test]
async fn a_form_tells_its_visit(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open_at(Site::start_behind(db, "10.0.0.0/8").await).await;
    let form = format!("/f/{}", desk.make("/v1/capture/forms", "key").await);
    let browser = [
        ("user-agent", IPHONE),
        ("x-forwarded-for", "198.51.100.7"),
        ("cf-ipcountry", "US"),
        ("cf-ipcity", "Charlotte"),
        ("cf-region", "North Carolina"),
        ("cf-region-code", "NC"),
        ("cf-postal-code", "28226"),
    ];
    let first = json!({"at": "2026-01-01T10:00:00.000Z", "pageUrl": "https://example.com/",
                       "clickIds": {"msclkid": "M-1"}, "programIds": {"vwo_user_id": "V-1"}});
    let page = "https://example.com/contact?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_content=ad&utm_term=roof&gclid=G-1";
    let fields = json!({"your-name": "Ada", "email": "Ada@Example.com", "tel": "+1 704 469 5324", "company": "Ltd",
                        "colour": "blue", "rooms": ["1", "2"], "_fbp": "fb.1.2"});
    let reserved = json!({"pageUrl": page, "__first_touch": first.to_string(), "__visitor_id": "v-1"});

    let receipt = desk.send(&form, &browser, with(fields.clone(), reserved)).await;

    let expected = json!({
        "lead_type": "Web Form", "lead_url": page, "landing_url": "https://example.com/", "operating_system": "iOS 17.4",
        "browser": "Mobile Safari 17", "device_type": "Smartphone", "device_make": "Apple iPhone",
        "additional_fields": with(fields, json!({"pageUrl": page})), "lead_source": "google", "lead_medium": "cpc",
        "lead_campaign": "spring", "lead_content": "ad", "lead_keyword": "roof", "ip_address": "198.51.100.7",
        "contact_name": "Ada", "contact_company_name": "Ltd", "contact_email_address": "ada@example.com",
        "contact_phone_number": "+17044695324", "email_address": "ada@example.com", "phone_number": "+17044695324",
        "city": "Charlotte", "state": "NC", "zip": "28226", "country": "US",
        "field_mappings": {"Company Name": "Ltd", "Contact Person": "Ada", "Email": "ada@example.com",
                           "Phone Number": "(704) 469-5324"},
        "gclid": "G-1", "msclkid": "M-1", "facebook_browser_id": "fb.1.2", "vwo_user_id": "V-1",
    });
    let lead = desk.lead(&receipt).await;
    assert_eq!(desk.told_once(0).await, desk.expected(&lead, expected).await);
    desk.close().await;
}

#[rstest]
#[tokio::test]
async fn a_chat_is_in_progress_until_it_is_over(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let chat = format!("/chat/{}/c1", desk.make("/v1/capture/chats", "key").await);

    let receipt = desk.send(&chat, &[], json!({"text": "write to anna@example.com", "plan": "Pro"})).await;
    let opened = desk.told_once(0).await;
    desk.send(&chat, &[], json!({"name": "Anna", "state": "completed"})).await;
    let closed = desk.told_once(1).await;

    let expected = json!({
        "lead_type": "Chat", "lead_state": "In Progess",
        "additional_fields": {"email": "anna@example.com", "message": "write to anna@example.com", "plan": "Pro"},
        "contact_email_address": "anna@example.com", "email_address": "anna@example.com",
        "field_mappings": {"Email": "anna@example.com"},
    });
    let lead = desk.lead(&receipt).await;
    let expected = desk.expected(&lead, expected).await;
    assert_eq!(opened, with(expected.clone(), json!({"lead_score": opened["lead_score"]})));
    let changes = json!({
        "trigger": "update", "lead_state": "Completed", "contact_name": "Anna",
        "additional_fields": with(expected["additional_fields"].clone(), json!({"name": "Anna"})),
        "field_mappings": {"Contact Person": "Anna", "Email": "anna@example.com"},
    });
    assert_eq!(closed, with(expected, changes));
    desk.close().await;
}

#[rstest]
#[tokio::test]
async fn a_facebook_lead_tells_its_answers_flat(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let hook = desk.hook().await;
    let answers = json!([
        {"name": "full_name", "values": ["Ada Example"]}, {"name": "email", "values": ["ada@example.com"]},
        {"name": "phone_number", "values": ["+4915112345678"]}, {"name": "which_plan?", "values": ["pro", "basic"]},
    ]);
    let lead = json!({"id": "321321321", "created_time": "2021-08-27T18:12:06+0000", "ad_name": "Ad A",
                      "campaign_name": "Spring", "form_id": "456", "is_organic": false, "platform": "fb",
                      "field_data": answers});

    let receipt = desk.send(&hook, &[], lead).await;

    let expected = json!({
        "lead_type": "Web Form",
        "additional_fields": {"name": "Ada Example", "email": "ada@example.com", "phone": "+4915112345678",
                              "which_plan?": ["pro", "basic"], "form_id": "456", "is_organic": false, "platform": "fb"},
        "lead_source": "facebook", "lead_medium": "paid", "lead_campaign": "Spring", "lead_content": "Ad A",
        "contact_name": "Ada Example", "contact_email_address": "ada@example.com",
        "contact_phone_number": "+4915112345678", "email_address": "ada@example.com",
        "phone_number": "+4915112345678",
        "field_mappings": {"Contact Person": "Ada Example", "Email": "ada@example.com",
                           "Phone Number": "01511 2345678"},
    });
    let lead = desk.lead(&receipt).await;
    assert_eq!(desk.told_once(0).await, desk.expected(&lead, expected).await);
    desk.close().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_by_the_api_tells_what_little_is_known(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let draft = json!({"name": "Ada Example", "email": "ada@example.com", "customFields": {"budget": 5000}});

    let made = desk.admin().post("/v1/identity/leads", draft).await.json();

    let expected = json!({
        "lead_type": "Other",
        "additional_fields": {"name": "Ada Example", "email": "ada@example.com", "budget": 5000},
        "contact_name": "Ada Example", "contact_email_address": "ada@example.com", "email_address": "ada@example.com",
        "field_mappings": {"Contact Person": "Ada Example", "Email": "ada@example.com"},
    });
    let lead = desk.lead(&made).await;
    assert_eq!(desk.told_once(0).await, desk.expected(&lead, expected).await);
    desk.close().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_that_only_looks_like_the_providers_is_ours(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let form = format!("/f/{}", desk.make("/v1/capture/forms", "key").await);
    let fields = json!({"email": "ada@example.com", "lead_id": "1", "trigger": "update", "spam": "true", "x": "y"});

    desk.send(&form, &[], fields.clone()).await;

    let told = desk.told_once(0).await;
    assert_eq!((&told["trigger"], &told["lead_id"]), (&json!("new"), &json!(1)));
    assert_eq!((&told["spam"], told.get("x")), (&json!(false), None));
    assert_eq!(told["additional_fields"], fields);
    desk.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_each_is_told_its_own_way_and_the_same_at_every_try(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let desk = Desk::open(db).await;
    let hook = desk.hook().await;
    let other = Receiver::start().await;
    let wish = json!({"name": "Ours", "url": other.url(), "events": ["lead.created"]});
    desk.admin().post("/v1/delivery/destinations", wish).await;
    desk.receiver.answers([Answers::Status(500), Answers::Status(500), Answers::Status(500)]);
    for n in 0..3 {
        let changes = json!({"lead_id": n, "email_address": null, "contact_email_address": format!("a{n}@example.com"),
                             "contact_phone_number": null, "phone_number": null, "field_mappings": {},
                             "contact_name": format!("Number {n}")});
        desk.send(&hook, &[], with(sample(), changes)).await;
    }
    let first = desk.told(0).await;

    desk.site.app.execute("UPDATE leads SET name = 'Somebody else'").await;
    desk.site.app.advance(Duration::from_secs(1));
    let second = desk.told(3).await;

    let by_id = |told: &[Value]| {
        let mut told: Vec<(i64, String)> =
            told.iter().map(|one| (one["lead_id"].as_i64().expect("an id"), one.to_string())).collect();
        told.sort();
        told
    };
    assert_eq!(by_id(&first).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(first.iter().all(|one| one["contact_name"] == format!("Number {}", one["lead_id"])), "{first:#?}");
    assert_eq!(by_id(&first), by_id(&second));
    assert_eq!(other.received().len(), 3);
    assert!(other.received().iter().all(|one| one.json()["version"] == 1));
    desk.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_about_no_lead_is_told_in_our_own_shape(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db).await;
    let path = format!("/v1/delivery/destinations/{}", desk.destination);
    let changed = desk.admin().patch(&path, json!({"events": ["source.silent"]})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let form = desk.admin().post("/v1/capture/forms", json!({"name": "Contact"})).await.json();
    let form = SourceId(form["id"].as_str().and_then(|id| id.parse().ok()).expect("an id"));
    let wish = alerts::Wish { silent_after_minutes: 60, cooldown_minutes: 300, business_hours: None };
    let app = &desk.site.app;
    alerts::watch_source(&app.engine, &app.actor(), form, Some(wish)).await.expect("watched");

    app.advance(Duration::from_secs(2 * 3_600));
    alerts::watch::watch(&app.engine).await.expect("looked");

    let told = desk.told_once(0).await;
    assert_eq!((&told["version"], &told["event"]), (&json!(1), &json!("source.silent")));
    assert_eq!((&told["lead"], &told["alert"]["sourceName"]), (&Value::Null, &json!("Contact")));
    desk.close().await;
}

#[tokio::test]
async fn the_test_button_sends_the_shape() {
    let desk = Desk::open(Db::Sqlite).await;
    let path = format!("/v1/delivery/destinations/{}/test", desk.destination);

    let tested = desk.admin().send(Method::POST, &path, None).await.json();

    assert_eq!(tested["status"], 200);
    let told = desk.receiver.received()[0].json();
    assert_eq!(keys(&told), keys(&sample()));
    assert_eq!((&told["lead_id"], &told["contact_name"]), (&json!(0), &json!("Ada Example")));
    assert_eq!(told["additional_fields"]["message"], "This is a test.");
    desk.close().await;
}

#[tokio::test]
async fn a_format_that_nobody_knows_is_pointed_at_and_nothing_changes() {
    let desk = Desk::open(Db::Sqlite).await;
    let path = format!("/v1/delivery/destinations/{}", desk.destination);

    let answer = desk.admin().patch(&path, json!({"format": "WhatConverts"})).await;

    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    assert_eq!(answer.pointers(), ["/format"]);
    let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
    assert_eq!(
        detail,
        "unknown_format: must be one of leadline, crm, whatconverts, simple, template, google_ads, meta_capi"
    );
    assert_eq!(desk.admin().get(&path).await.json()["format"], "whatconverts");
    desk.close().await;
}
