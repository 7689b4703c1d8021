//! What ad platforms are told of a lead, in their own shapes, and what is made of their answers.

use std::time::Duration;

use leadline_domain::{
    conversions::{Conversions, Goal, Step},
    ids::{LeadId, StageId},
};
use leadline_engine::{
    crm::stages::{Move, move_stage},
    delivery::{
        self,
        access::WishedAccess,
        destinations::Wish,
        goals::{WishedConversions, WishedGoal},
        replay::replay_delivery,
    },
};
use leadline_store::{
    deliveries::{Delivery, State},
    destination_health, pipelines,
};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use super::{all, destination_with, only, wish};

const ACTION: &str = "customers/1234567890/conversionActions/987";

/// SHA-256 of ada@example.com, of 12025550123, and of +12025550123.
const EMAIL: &str = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
const PHONE: &str = "980239b79aee5c456445907b92af495ac97767f6d9ac081ad3a564344ae7fb9a";
const PHONE_WITH_PLUS: &str = "d5ab8b77e69a81dfc634c3556c620d5d6753df6fc28c73c88c79a9332b705382";

fn goal(on: Step) -> WishedGoal {
    WishedGoal {
        on: on.as_str().to_owned(),
        name: "Purchase".to_owned(),
        conversion_action: Some(ACTION.to_owned()),
        value: Some(90.5),
        currency: Some("eur".to_owned()),
        ..WishedGoal::default()
    }
}

fn platform(url: &str, format: &str, conversions: WishedConversions) -> Wish {
    Wish {
        events: None,
        format: Some(format.to_owned()),
        conversions: Some(Some(conversions)),
        access: WishedAccess { token: Some(Some("platform-token".to_owned())), ..WishedAccess::default() },
        ..wish(url)
    }
}

fn google(receiver: &Receiver) -> Wish {
    let url = receiver.url().replace("/hook", "/v26/customers/1234567890:uploadClickConversions");
    let conversions = WishedConversions {
        goals: vec![goal(Step::Won)],
        login_customer_id: Some("111-222-3333".to_owned()),
        ..WishedConversions::default()
    };
    platform(&url, "google_ads", conversions)
}

fn with_identifiers(mut wish: Wish) -> Wish {
    wish.conversions.as_mut().and_then(Option::as_mut).expect("conversions").with_identifiers = true;
    wish
}

fn meta(receiver: &Receiver) -> Wish {
    let url = receiver.url().replace("/hook", "/v25.0/556677/events");
    platform(&url, "meta_capi", WishedConversions { goals: vec![goal(Step::Won)], ..WishedConversions::default() })
}

async fn stage(app: &TestApp, name: &str) -> StageId {
    let found = pipelines::find(&app.engine.store.reader(), app.workspace, None).await;
    let stages = found.expect("the store answers").expect("a pipeline").stages;
    stages.iter().find(|stage| stage.name == name).expect("the stage").id
}

async fn move_to(app: &TestApp, lead: LeadId, name: &str) {
    let to = Move { stage: stage(app, name).await, below: None, op: None, reason: None };
    move_stage(&app.engine, &app.actor(), lead, &to).await.expect("moved");
    app.run_jobs().await;
}

/// A lead that came with these click ids, and was won a while later.
async fn won(app: &TestApp, mut fields: Value) -> LeadId {
    fields["name"] = "Ada".into();
    let lead = app.submit(fields).await.lead.expect("a stored lead");
    app.run_jobs().await;
    app.advance(Duration::from_secs(60));
    move_to(app, lead, "Won").await;
    lead
}

fn person() -> Value {
    json!({"email": "Ada@Example.com", "phone": "+1 202 555 0123"})
}

fn with(ids: &Value) -> Value {
    let mut fields = person();
    fields.as_object_mut().expect("an object").extend(ids.as_object().expect("an object").clone());
    fields
}

#[rstest]
#[case::gclid(json!({"gclid": "G-1", "wbraid": "W-1"}), json!({"gclid": "G-1"}))]
#[case::gbraid(json!({"gbraid": "B-1"}), json!({"gbraid": "B-1"}))]
#[case::wbraid(json!({"wbraid": "W-1"}), json!({"wbraid": "W-1"}))]
#[tokio::test(flavor = "multi_thread")]
async fn google_is_told_of_a_won_lead_by_one_click_id(
    #[case] ids: Value,
    #[case] named: Value,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;

    won(&app, with(&ids)).await;

    let [request] = &receiver.received()[..] else { panic!("told once") };
    let delivery = only(&app).await;
    let mut conversion = json!({
        "conversionAction": ACTION, "conversionDateTime": "2026-01-05 08:01:00+00:00", "conversionValue": 90.5,
        "currencyCode": "EUR", "orderId": delivery.id,
    });
    conversion.as_object_mut().expect("an object").extend(named.as_object().expect("an object").clone());
    assert_eq!(request.json(), json!({"conversions": [conversion], "partialFailure": true}));
    assert_eq!(request.uri, "/v26/customers/1234567890:uploadClickConversions");
    let header = |name| request.header(name);
    assert_eq!((header("developer-token"), header("login-customer-id")), ("platform-token", "1112223333"));
    assert_eq!(request.headers.keys().filter(|name| name.as_str().starts_with("webhook-")).count(), 0);
    assert_eq!((delivery.state, delivery.event.as_str()), (State::Delivered, "lead.stage_changed"));
    app.stop().await;
}

#[rstest]
#[case::beside_a_gclid(json!({"gclid": "G-1"}), true)]
#[case::alone(json!({}), true)]
#[case::not_beside_the_others(json!({"gbraid": "B-1"}), false)]
#[tokio::test(flavor = "multi_thread")]
async fn google_gets_hashes_where_it_takes_them_and_the_destination_wants_it(
    #[case] ids: Value,
    #[case] identified: bool,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, with_identifiers(google(&receiver))).await;

    won(&app, with(&ids)).await;

    let told = receiver.received()[0].json();
    let hashes = json!([{"hashedEmail": EMAIL}, {"hashedPhoneNumber": PHONE_WITH_PLUS}]);
    let wanted = if identified { hashes } else { Value::Null };
    assert_eq!(told["conversions"][0]["userIdentifiers"], wanted);
    app.stop().await;
}

#[rstest]
#[case::fbclid(json!({"fbclid": "IwAR-1"}), json!({"fbc": "fb.1.1767600000000.IwAR-1"}))]
#[case::cookies(json!({"fbc": "fb.1.1.X", "fbp": "fb.1.2.3"}), json!({"fbc": "fb.1.1.X", "fbp": "fb.1.2.3"}))]
#[case::nothing(json!({"gclid": "G-1"}), json!({}))]
#[tokio::test(flavor = "multi_thread")]
async fn meta_is_told_of_a_won_lead_by_hashes_and_what_it_knows_the_browser_by(
    #[case] ids: Value,
    #[case] known_by: Value,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, meta(&receiver)).await;

    won(&app, with(&ids)).await;

    let [request] = &receiver.received()[..] else { panic!("told once") };
    let mut told = request.json();
    let user = told["data"][0]["user_data"].as_object_mut().expect("user data");
    let external = user.remove("external_id").expect("our id of the person");
    assert_eq!(external[0].as_str().map(str::len), Some(64));
    let mut wanted = json!({"em": [EMAIL], "ph": [PHONE]});
    wanted.as_object_mut().expect("an object").extend(known_by.as_object().expect("an object").clone());
    assert_eq!(Value::Object(user.clone()), wanted);
    told["data"][0]["user_data"] = Value::Null;
    let event = json!({
        "event_name": "Purchase", "event_time": 1_767_600_060, "event_id": only(&app).await.id,
        "action_source": "system_generated", "user_data": null,
        "custom_data": {"value": 90.5, "currency": "EUR", "event_source": "crm", "lead_event_source": "Leadline"},
    });
    assert_eq!(told, json!({"data": [event]}));
    assert_eq!(request.uri, "/v25.0/556677/events?access_token=platform-token");
    app.stop().await;
}

/// Neither a failure nor silence.
#[rstest]
#[case::google("google_ads", person(), "the lead has no click id of Google Ads (gclid, gbraid or wbraid)")]
#[case::google_by_a_formula("google_ads", json!({"gclid": "=cmd|'/c calc'!A0"}), "the lead has no click id of Google Ads")]
#[case::meta("meta_capi", json!({"gclid": "G-1"}), "nothing of the lead can be matched by Meta")]
#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_a_platform_cannot_match_is_skipped_and_says_why(
    #[case] format: &str,
    #[case] fields: Value,
    #[case] reason: &str,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let wish = if format == "google_ads" { google(&receiver) } else { meta(&receiver) };
    let made = destination_with(&app, wish).await.destination;

    won(&app, fields).await;

    let delivery = only(&app).await;
    assert_eq!((delivery.state, delivery.attempt_count), (State::Skipped, 0));
    assert!(delivery.last_error.as_deref().is_some_and(|error| error.starts_with(reason)), "{delivery:?}");
    assert_eq!(receiver.received().len(), 0);
    let health = destination_health::list(&app.engine.store.reader(), app.workspace, &[made.id], app.now()).await;
    let health = health.expect("health").remove(0);
    assert_eq!((health.skipped, health.dead, health.pending, health.failed()), (1, 0, 0, 0));
    assert_eq!(app.count("lead_activities WHERE kind LIKE 'delivery.%'").await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_was_skipped_is_told_when_it_came_by_an_ad_after_all(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;
    let lead = won(&app, person()).await;
    let skipped = only(&app).await;

    app.submit(with(&json!({"gclid": "G-2"}))).await;
    move_to(&app, lead, "Qualified").await;
    app.advance(Duration::from_secs(60));
    move_to(&app, lead, "Won").await;

    let told = only(&app).await;
    assert_eq!((told.id, told.state, told.last_error), (skipped.id, State::Delivered, None));
    let conversion = &receiver.received()[0].json()["conversions"][0];
    assert_eq!((&conversion["gclid"], &conversion["orderId"]), (&json!("G-2"), &json!(told.id)));
    assert_eq!(conversion["conversionDateTime"], "2026-01-05 08:02:00+00:00");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_conversion_that_is_replayed_is_looked_at_anew(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;
    won(&app, person()).await;
    app.submit(with(&json!({"gclid": "G-2"}))).await;

    let replayed = replay_delivery(&app.engine, &app.actor(), only(&app).await.id).await;
    app.run_jobs().await;

    assert!(replayed.expect("the store answers"));
    assert_eq!(only(&app).await.state, State::Delivered);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_goes_back_and_forth_is_told_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;
    let lead = won(&app, json!({"gclid": "G-1"})).await;

    move_to(&app, lead, "Contacted").await;
    move_to(&app, lead, "Lost").await;
    move_to(&app, lead, "Won").await;

    assert_eq!((receiver.received().len(), all(&app).await.len()), (1, 1));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_step_counts_as_what_was_chosen_for_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let qualified = stage(&app, "Qualified").await;
    let named = |step, name: &str| WishedGoal { name: name.to_owned(), ..goal(step) };
    let goals = vec![
        named(Step::Created, "Lead"),
        WishedGoal { stage_id: Some(qualified), ..named(Step::Stage, "Qualified lead") },
        named(Step::Won, "Purchase"),
    ];
    let conversions = WishedConversions { goals, value_field: Some("deal".to_owned()), ..WishedConversions::default() };
    let wish = Wish { conversions: Some(Some(conversions)), ..meta(&receiver) };
    let made = destination_with(&app, wish).await.destination;

    let fields = json!({"name": "Ada", "email": "ada@example.com", "deal": "€ 1,200.00"});
    let lead = app.submit(fields).await.lead.expect("a lead");
    app.run_jobs().await;
    move_to(&app, lead, "Contacted").await;
    move_to(&app, lead, "Qualified").await;
    move_to(&app, lead, "Won").await;

    assert_eq!(made.events, ["lead.created", "lead.stage_changed"]);
    let told: Vec<_> = receiver.received().iter().map(|one| one.json()["data"][0].clone()).collect();
    let names: Vec<_> = told.iter().map(|event| event["event_name"].clone()).collect();
    assert_eq!(names, ["Lead", "Qualified lead", "Purchase"]);
    assert!(told.iter().all(|event| event["custom_data"]["value"] == 1_200.0), "{told:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_lead_was_sold_for_is_what_its_conversion_is_worth(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;
    let lead = app.submit(json!({"name": "Ada", "gclid": "G-1"})).await.lead.expect("a stored lead");
    app.execute("UPDATE leads SET sales_value_milli = 120500").await;

    move_to(&app, lead, "Won").await;

    let conversion = &receiver.received()[0].json()["conversions"][0];
    assert_eq!((&conversion["conversionValue"], &conversion["currencyCode"]), (&json!(120.5), &json!("USD")));
    app.stop().await;
}

fn refused_by_google(code: &str) -> Answer {
    let errors = json!([{"errorCode": {"conversionUploadError": code}, "message": "no"}]);
    let error = json!({"code": 3, "message": "no, at conversions[0]", "details": [{"errors": errors}]});
    Answer::Body(200, json!({"partialFailureError": error, "results": [{}]}).to_string())
}

async fn after_one_answer(app: &TestApp, receiver: &Receiver, answer: Answer) -> Delivery {
    receiver.answers([answer]);
    won(app, json!({"gclid": "G-1"})).await;
    only(app).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_google_refuses_in_an_answer_of_200_is_a_dead_letter_with_its_reason(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination_with(&app, google(&receiver)).await.destination;

    let delivery = after_one_answer(&app, &receiver, refused_by_google("EXPIRED_EVENT")).await;

    assert_eq!((delivery.state, delivery.last_status), (State::Dead, Some(200)));
    let reason = "Google Ads refused the conversion: EXPIRED_EVENT: no, at conversions[0]";
    assert_eq!(delivery.last_error.as_deref(), Some(reason));
    let health = destination_health::list(&app.engine.store.reader(), app.workspace, &[made.id], app.now()).await;
    let health = health.expect("health").remove(0);
    assert_eq!((health.failed(), health.delivered()), (1, 0));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_click_that_google_does_not_know_yet_is_tried_again_hours_later(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;

    let waiting = after_one_answer(&app, &receiver, refused_by_google("TOO_RECENT_EVENT")).await;
    app.advance(Duration::from_secs(6 * 3_600));
    app.run_jobs().await;

    assert_eq!(waiting.state, State::Pending);
    assert_eq!(only(&app).await.state, State::Delivered);
    let received = receiver.received();
    assert_eq!((received.len(), &received[0].body), (2, &received[1].body));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_google_has_already_has_arrived(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, google(&receiver)).await;

    let delivery = after_one_answer(&app, &receiver, refused_by_google("ORDER_ID_ALREADY_IN_USE")).await;

    assert_eq!((delivery.state, delivery.last_error), (State::Delivered, None));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn meta_is_not_told_of_what_is_too_old_for_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination_with(&app, meta(&receiver)).await.destination;
    let paused = |is_active| Wish { is_active: Some(is_active), ..Wish::default() };
    let lead = app.submit(with(&json!({}))).await.lead.expect("a lead");
    app.run_jobs().await;
    let to = Move { stage: stage(&app, "Won").await, below: None, op: None, reason: None };
    move_stage(&app.engine, &app.actor(), lead, &to).await.expect("moved");
    leadline_engine::dispatch::dispatch_all(&app.engine).await.expect("dispatched");

    super::change(&app, &made, paused(false)).await;
    app.advance(Duration::from_secs(7 * 86_400 + 1));
    super::change(&app, &made, paused(true)).await;
    app.run_jobs().await;

    let delivery = only(&app).await;
    assert_eq!(delivery.state, State::Skipped);
    assert!(delivery.last_error.is_some_and(|error| error.contains("seven days")));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_test_button_sends_what_no_platform_counts(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let google = destination_with(&app, google(&receiver)).await.destination;
    let uncounted = destination_with(&app, meta(&receiver)).await.destination;
    let mut with_code = meta(&receiver);
    let conversions = with_code.conversions.as_mut().and_then(Option::as_mut).expect("conversions");
    conversions.test_event_code = Some("TEST123".to_owned());
    let with_code = destination_with(&app, with_code).await.destination;
    let test =
        async |id| delivery::destinations::test_destination(&app.engine, &app.actor(), id).await.expect("an attempt");

    let attempts = [test(google.id).await, test(uncounted.id).await, test(with_code.id).await];

    assert_eq!(attempts.each_ref().map(|attempt| attempt.status), [Some(200), None, Some(200)]);
    assert!(attempts[1].error.as_deref().is_some_and(|error| error.contains("test event code")));
    let [google, meta] = &receiver.received()[..] else { panic!("two requests") };
    assert_eq!(google.json()["validateOnly"], true);
    assert_eq!(meta.json()["test_event_code"], "TEST123");
    app.stop().await;
}

/// What older versions of a destination's settings say is read as they meant it.
#[test]
fn settings_are_kept_as_they_are_chosen() {
    let goal = Goal {
        on: Step::Won,
        stage_id: None,
        name: "Purchase".to_owned(),
        conversion_action: None,
        value: None,
        currency: None,
    };
    let conversions = Conversions { goals: vec![goal], ..Conversions::default() };

    let text = serde_json::to_string(&conversions).expect("written");

    assert_eq!(text, r#"{"goals":[{"on":"won","name":"Purchase"}]}"#);
    assert_eq!(serde_json::from_str::<Conversions>(&text).expect("read"), conversions);
}
