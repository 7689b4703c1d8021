//! The WhatsApp widget, from its settings to the tables, and the feed of what it captured.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::{permissions::Role, widgets::Reference};
use leadline_engine::{capture::replay, dispatch};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

async fn admin(site: &Site) -> Caller<'_> {
    let token = site.token(Role::Admin).await;
    site.with_token(&token)
}

/// Makes a widget and gives its id.
async fn make(site: &Site, more: Value) -> String {
    let mut wish = json!({"name": "Shop", "phoneNumber": "+49 170 1234567"});
    wish.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = admin(site).await.post("/v1/capture/widgets", wish).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn send(site: &Site, widget: &str, body: Value) -> Answer {
    let request = Request::post(format!("/w/{widget}/captures")).header("content-type", "text/plain");
    site.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

#[rstest]
#[tokio::test]
async fn a_capture_makes_contact_lead_and_conversation_and_leads_to_whatsapp(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;

    let answer = send(
        &site,
        &widget,
        json!({
            "name": "Anna Keller", "phone": "+44 20 7946 0001", "message": "Is it in stock?",
            "pageUrl": "https://shop.example.com/pricing?x=1", "referrer": "https://www.google.com/",
        }),
    )
    .await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let receipt = answer.json();
    assert_eq!((&receipt["duplicate"], &receipt["stored"]), (&json!(false), &json!(true)));
    let code = receipt["reference"].as_str().expect("a code").to_owned();
    let url = receipt["redirectUrl"].as_str().expect("an address");
    assert_eq!(url, format!("https://wa.me/491701234567?text=Is%20it%20in%20stock%3F%0A%0ARef%20{code}"));
    let found = Reference::find(&format!("Is it in stock? Ref {code}")).expect("a code that is found again");
    assert_eq!(found.as_str(), code);
    let kept = format!("conversations WHERE reference = '{code}' AND state = 'open' AND channel = 'whatsapp'");
    assert_eq!(site.app.count(&format!("{kept} AND lead_id IS NOT NULL AND contact_id IS NOT NULL")).await, 1);
    let contact = "contacts WHERE phone_number = '+442079460001' AND display_name = 'Anna Keller'";
    assert_eq!(site.app.count(contact).await, 1);
    assert_eq!(
        tags_and_data(&site).await,
        (
            vec!["lead-widget".to_owned()],
            json!({
                "lead_source": "lead_widget", "widget_id": widget, "lead_page_url": "https://shop.example.com/pricing?x=1",
                "lead_referrer": "https://www.google.com/",
            })
        )
    );
    assert_eq!(site.app.count("leads WHERE source = 'widget' AND message = 'Is it in stock?'").await, 1);
    assert_eq!(site.app.count("lead_captures").await, 1);
    site.stop().await;
}

async fn tags_and_data(site: &Site) -> (Vec<String>, Value) {
    let contacts = admin(site).await.get("/v1/identity/contacts").await.json();
    let contact = &contacts["data"][0];
    let tags = serde_json::from_value(contact["tags"].clone()).expect("tags");
    (tags, contact["columnData"].clone())
}

#[rstest]
#[tokio::test]
async fn a_second_capture_keeps_the_person_and_what_people_added_to_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    send(&site, &widget, json!({"phone": "+442079460001", "pageUrl": "https://shop.example.com/a"})).await;
    site.app.execute("UPDATE contacts SET tags = '[\"vip\",\"lead-widget\"]'").await;

    let again = send(&site, &widget, json!({"phone": "+442079460001", "pageUrl": "https://shop.example.com/b"})).await;

    assert_eq!(again.json()["duplicate"], true);
    assert_eq!(site.app.count("contacts").await, 1);
    assert_eq!(site.app.count("leads").await, 1);
    assert_eq!(site.app.count("lead_captures").await, 2);
    assert_eq!(site.app.count("conversations").await, 2);
    let (tags, data) = tags_and_data(&site).await;
    assert_eq!(tags, ["vip", "lead-widget"]);
    assert_eq!(data["lead_page_url"], "https://shop.example.com/a");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn somebody_known_by_a_form_gets_the_tag_of_the_widget(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    site.app.submit(json!({"name": "Anna", "phone": "+442079460001"})).await;

    send(&site, &widget, json!({"phone": "+442079460001"})).await;

    assert_eq!(site.app.count("contacts").await, 1);
    assert_eq!(tags_and_data(&site).await.0, ["lead-widget"]);
    site.stop().await;
}

#[rstest]
#[case::no_name_sent(json!({"phone": "020 7946 0001"}))]
#[case::a_name_all_the_same(json!({"name": "X", "phone": "020 7946 0001"}))]
#[tokio::test]
async fn without_a_name_field_the_number_is_the_name(#[values(Db::Sqlite, Db::Postgres)] db: Db, #[case] body: Value) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({"nameField": false, "defaultCountry": "GB"})).await;

    send(&site, &widget, body).await;

    let named = "WHERE display_name = '+442079460001' AND phone_number = '+442079460001'";
    assert_eq!(site.app.count(&format!("contacts {named}")).await, 1);
    assert_eq!(site.app.count("leads WHERE name = '+442079460001'").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_same_submission_twice_is_one_and_gets_the_same_code(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    let body = json!({"phone": "+442079460001", "submissionId": "0190b5a0-0000-7000-8000-000000000001"});

    let one = send(&site, &widget, body.clone()).await.json();
    let two = send(&site, &widget, body).await.json();

    assert_eq!((&one["receipt"], &one["redirectUrl"]), (&two["receipt"], &two["redirectUrl"]));
    assert_eq!(site.app.count("conversations").await, 1);
    assert_eq!(site.app.count("lead_submissions").await, 1);
    site.stop().await;
}

#[rstest]
#[case::no_phone(json!({"name": "Anna"}), 422, "invalid_fields")]
#[case::empty_phone(json!({"name": "Anna", "phone": " "}), 422, "invalid_fields")]
#[case::no_digits(json!({"phone": "call me"}), 422, "invalid_fields")]
#[case::an_object(json!({"phone": {"a": {"b": 1}}}), 422, "invalid_fields")]
#[case::nothing(json!({}), 400, "empty_body")]
#[tokio::test]
async fn what_has_no_number_is_refused(#[case] body: Value, #[case] status: u16, #[case] code: &str) {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({})).await;

    let answer = send(&site, &widget, body).await;

    let (found, problem) = answer.problem();
    assert!(found == status && problem == code || found == 422, "{found} {problem}");
    assert_eq!(site.app.count("lead_submissions").await, 0);
    assert_eq!(site.app.count("conversations").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_mistyped_number_is_kept_as_it_was_typed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;

    let answer = send(&site, &widget, json!({"phone": "12345 67", "message": "Hi\u{0}\u{2028}</script>"})).await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(site.app.count("leads WHERE phone IS NULL AND phone_raw = '12345 67'").await, 1);
    assert_eq!(site.app.count("conversations WHERE contact_id IS NOT NULL").await, 1);
    site.stop().await;
}

#[tokio::test]
async fn a_widget_of_certain_websites_refuses_others() {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({"allowedOrigins": ["https://shop.example.com"]})).await;
    let from = async |origin: Option<&str>| {
        let mut request = Request::post(format!("/w/{widget}/captures")).header("content-type", "text/plain");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        site.send(request.body(Body::from(r#"{"phone":"+442079460001"}"#)).expect("a request")).await
    };

    assert_eq!(from(Some("https://shop.example.com")).await.status, StatusCode::OK);
    assert_eq!(from(Some("https://evil.example.com")).await.problem(), (403, "origin_not_allowed".to_owned()));
    assert_eq!(from(None).await.problem(), (403, "origin_not_allowed".to_owned()));
    assert_eq!(site.app.count("lead_submissions").await, 1);
    site.stop().await;
}

#[tokio::test]
async fn a_browser_without_script_is_sent_to_whatsapp() {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({})).await;

    let request = Request::post(format!("/w/{widget}/captures"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html,application/xhtml+xml");
    let answer = site.send(request.body(Body::from("phone=%2B442079460001")).expect("a request")).await;

    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.header("location").starts_with("https://wa.me/491701234567?text=Hello"));
    assert_eq!(answer.header("cache-control"), "no-store");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn while_the_store_is_away_the_code_is_told_and_later_kept(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    send(&site, &widget, json!({"phone": "+442079460001"})).await;
    site.app.stop_writers().await;

    let during = send(&site, &widget, json!({"phone": "+442079460002", "message": "Hi"})).await.json();
    assert_eq!((&during["stored"], &during["leadId"]), (&json!(false), &Value::Null));
    let code = during["reference"].as_str().expect("a code").to_owned();
    assert!(during["redirectUrl"].as_str().is_some_and(|url| url.ends_with(&code)));
    site.app.restart().await;
    replay::replay(&site.app.engine).await.expect("replayed");

    assert_eq!(site.app.count(&format!("conversations WHERE reference = '{code}' AND lead_id IS NOT NULL")).await, 1);
    assert_eq!(site.app.count("conversations").await, 2);
    assert_eq!(site.app.count("contacts WHERE phone_number = '+442079460002'").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_code_that_is_taken_passes_to_the_newer_conversation(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    let key = "0190b5a0-0000-7000-8000-000000000001";
    let first = send(&site, &widget, json!({"phone": "+442079460001"})).await.json();
    let source = widget.parse().expect("a UUID");
    let next = leadline_domain::ids::submission_for_key(source, key);
    let code = Reference::of(next);
    site.app.execute(&format!("UPDATE conversations SET reference = '{code}'")).await;

    let second = send(&site, &widget, json!({"phone": "+442079460002", "submissionId": key})).await.json();

    assert_eq!(second["stored"], true);
    assert_ne!(first["conversationId"], second["conversationId"]);
    assert_eq!(site.app.count(&format!("conversations WHERE reference = '{code}'")).await, 1);
    assert_eq!(site.app.count("conversations WHERE reference IS NULL").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_each_captured_and_one_person(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    send(&site, &widget, json!({"phone": "+442079460002"})).await;

    let sends = (0..24).map(|_| send(&site, &widget, json!({"phone": "+442079460001"})));
    let answers = futures_util::future::join_all(sends).await;

    for answer in &answers {
        assert_eq!(answer.json()["stored"], true, "{}", answer.text());
    }
    assert_eq!(site.app.count("contacts WHERE phone_number = '+442079460001'").await, 1);
    assert_eq!(site.app.count("conversations").await, 25);
    assert_eq!(site.app.count("lead_captures").await, 25);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_feed_shows_the_last_hundred_and_the_spreadsheet_computes_nothing(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    for n in 0..101 {
        site.app.advance(Duration::from_secs(1));
        let message = if n == 100 { "=HYPERLINK(\"http://evil\",\"a\")".to_owned() } else { format!("message {n}") };
        send(&site, &widget, json!({"name": "Anna", "phone": "+44 20 7946 0001", "message": message})).await;
    }
    site.app.advance(Duration::from_secs(1));
    site.app.submit(json!({"name": "By a form", "email": "form@example.com"})).await;

    let caller = admin(&site).await;
    let of_widget = caller.get(&format!("/v1/capture/captures?widgetId={widget}")).await.json();
    let all = caller.get("/v1/capture/captures").await.json();
    let table = caller.get(&format!("/v1/capture/captures/export.csv?widgetId={widget}")).await;

    let rows = of_widget["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 100);
    assert_eq!(rows[0]["phone"], "+442079460001");
    assert_eq!(rows[1]["message"], "message 99");
    assert!(rows[0]["conversationId"].is_string() && rows[0]["leadId"].is_string());
    assert_eq!(all["data"].as_array().expect("rows").len(), 100);
    assert_eq!(all["data"][0]["name"], "By a form");
    assert_eq!(all["data"][0]["conversationId"], Value::Null);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let text = table.text();
    assert_eq!(text.lines().count(), 102);
    assert!(text.contains("\"'=HYPERLINK(\"\"http://evil\"\",\"\"a\"\")\""), "{text}");
    assert!(text.contains(",+442079460001,"));
    site.stop().await;
}

#[tokio::test]
async fn who_may_not_see_people_sees_them_masked_in_the_feed_and_the_table() {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({})).await;
    let page = "https://shop.example.com/?email=anna@example.com";
    send(&site, &widget, json!({"name": "Anna", "phone": "+442079460001", "message": "secret", "pageUrl": page})).await;
    let token = site.token(Role::Viewer).await;
    let viewer = site.with_token(&token);

    let feed = viewer.get("/v1/capture/captures").await.text();
    let table = viewer.get("/v1/capture/captures/export.csv").await.text();

    for text in [feed, table] {
        for part in ["Anna", "7946", "secret", "anna@example.com"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
    site.stop().await;
}

#[tokio::test]
async fn another_workspace_sees_neither_widget_nor_captures() {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({})).await;
    send(&site, &widget, json!({"phone": "+442079460001"})).await;
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::Admin).await;
    let stranger = site.with_token(&token);

    let path = format!("/v1/capture/widgets/{widget}");
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.patch(&path, json!({"name": "Mine"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.get("/v1/capture/captures").await.json()["data"], json!([]));
    let of_widget = stranger.get(&format!("/v1/capture/captures?widgetId={widget}")).await.json();
    assert_eq!(of_widget["data"], json!([]));
    site.stop().await;
}

#[rstest]
#[case(json!({"phoneNumber": "12"}), "/phoneNumber")]
#[case(json!({"color": "red"}), "/color")]
#[case(json!({"position": "top"}), "/position")]
#[case(json!({"greeting": ""}), "/greeting")]
#[case(json!({"consentText": "x".repeat(301)}), "/consentText")]
#[case(json!({"defaultCountry": "Germany"}), "/defaultCountry")]
#[case(json!({"allowedOrigins": ["shop"]}), "/allowedOrigins")]
#[case(json!({"name": ""}), "/name")]
#[tokio::test]
async fn settings_that_would_not_work_are_refused_by_name(#[case] change: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({})).await;

    let answer = admin(&site).await.patch(&format!("/v1/capture/widgets/{widget}"), change).await;

    assert_eq!(answer.problem().0, 422);
    assert_eq!(answer.pointers(), [pointer]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_change_of_the_settings_is_kept(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({"consentText": "We keep your number."})).await;
    let path = format!("/v1/capture/widgets/{widget}");
    let change = json!({
        "name": "Support", "phoneNumber": "020 7946 0958", "defaultCountry": "gb", "nameField": false,
        "color": "#AA0000", "position": "left", "greeting": "Ask us", "consentText": null,
        "allowedOrigins": ["https://shop.example.com/"],
    });

    admin(&site).await.patch(&path, change).await;

    let kept = admin(&site).await.get(&path).await.json();
    assert_eq!(kept["phoneNumber"], "+442079460958");
    assert_eq!(kept["color"], "#aa0000");
    assert_eq!((&kept["position"], &kept["nameField"]), (&json!("left"), &json!(false)));
    assert_eq!((&kept["consentText"], &kept["defaultCountry"]), (&Value::Null, &json!("GB")));
    assert_eq!(kept["allowedOrigins"], json!(["https://shop.example.com"]));
    assert!(kept["snippet"].as_str().is_some_and(|line| line.contains(&format!("/w/{widget}.js"))));
    site.stop().await;
}

#[tokio::test]
async fn the_script_carries_the_settings_and_nothing_that_ends_it() {
    let site = Site::start(Db::Sqlite).await;
    let widget = make(&site, json!({"greeting": "</script>\u{2028} \"Hi\""})).await;

    let script = site.get(&format!("/w/{widget}.js")).await;
    let unknown = site.get("/w/0190b5a0-0000-7000-8000-000000000001.js").await;

    assert_eq!(script.status, StatusCode::OK, "{}", script.text());
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    let text = script.text();
    assert!(text.contains(r#""greeting":"\u003c/script>\u2028 \"Hi\"""#));
    assert!(text.contains("+491701234567") && !text.contains("__LEADLINE_WIDGET__"));
    assert_eq!(unknown.problem().0, 404);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_deleted_widget_takes_nothing_and_its_leads_stay(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let widget = make(&site, json!({})).await;
    send(&site, &widget, json!({"phone": "+442079460001"})).await;

    admin(&site).await.delete(&format!("/v1/capture/widgets/{widget}")).await;

    assert_eq!(send(&site, &widget, json!({"phone": "+442079460001"})).await.problem().0, 404);
    assert_eq!(site.app.count("leads").await, 1);
    dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");
    site.stop().await;
}
