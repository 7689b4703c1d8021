//! Destinations, deliveries and dead letters.

use axum::http::Method;
use leadline_domain::permissions::Role;
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const DESTINATIONS: &str = "/v1/delivery/destinations";

async fn make(caller: &Caller<'_>, url: &str) -> Value {
    let answer = caller.post(DESTINATIONS, json!({"name": "CRM", "url": url, "events": ["lead.created"]})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn path_of(view: &Value) -> String {
    format!("{DESTINATIONS}/{}", view["id"].as_str().expect("an id"))
}

async fn read(caller: &Caller<'_>, path: &str) -> Value {
    let answer = caller.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[rstest]
#[tokio::test]
async fn a_destination_shows_its_secret_once_and_how_it_fares(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;

    let made = make(&admin, &receiver.url()).await;
    site.app.submit(json!({"name": "Ada"})).await;
    site.app.run_jobs().await;
    let list = read(&admin, DESTINATIONS).await;
    let found = read(&admin, &path_of(&made)).await;
    let renewed = admin.send(Method::POST, &format!("{}/regenerate-secret", path_of(&made)), None).await.json();

    let secret = made["secret"].as_str().expect("the secret");
    assert!(secret.starts_with("whsec_") && found.get("secret").is_none());
    assert_ne!(renewed["secret"], made["secret"]);
    assert_eq!((&list["total"], &list["page"], &list["limit"]), (&json!(1), &json!(1), &json!(50)));
    assert_eq!(list["data"][0], found);
    assert_eq!((&found["format"], &found["retryPlan"]), (&json!("leadline"), &json!("standard")));
    assert_eq!((&found["isActive"], &found["disabledReason"]), (&json!(true), &json!(null)));
    let mut health = found["health"].clone();
    let hours = health["hours"].take();
    let p95 = health["p95Ms"].take();
    let rest = json!({"pending": 0, "dead": 0, "skipped": 0, "delivered24h": 1, "failed24h": 0, "successRate": 1.0, "p95Ms": null,
        "hours": null, "lastStatus": 200, "lastError": null, "lastAttemptAt": site.app.now(), "lastFailure": null,
        "lastFailedAt": null, "breaker": null});
    assert_eq!(health, rest);
    assert!(p95.is_i64());
    let hours = hours.as_array().expect("hours");
    assert_eq!(hours.len(), 24);
    assert_eq!((&hours[23]["delivered"], &hours[22]["delivered"]), (&json!(1), &json!(0)));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_destination_is_changed_tested_and_deleted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let path = path_of(&make(&admin, &receiver.url()).await);
    receiver.answers([Answers::Status(503)]);

    let change = json!({"name": "ERP", "events": ["lead.updated", "lead.updated"], "retryPlan": "fast",
        "headers": {"X-Key": "hidden"}, "isActive": false});
    let changed = admin.patch(&path, change).await.json();
    let cleared = admin.patch(&path, json!({"headers": {}, "projectId": null})).await.json();
    let tested = admin.send(Method::POST, &format!("{path}/test"), None).await.json();
    let deleted = admin.delete(&path).await;

    assert_eq!((&changed["name"], &changed["events"]), (&json!("ERP"), &json!(["lead.updated"])));
    assert_eq!((&changed["headerNames"], &changed["isActive"]), (&json!(["X-Key"]), &json!(false)));
    assert_eq!((&cleared["headerNames"], &cleared["retryPlan"]), (&json!([]), &json!("fast")));
    assert_eq!((&tested["status"], &tested["error"]), (&json!(503), &json!("the receiver answered 503")));
    assert!(tested["durationMs"].is_i64() && tested["responseBody"].is_string());
    assert_eq!((deleted.status.as_u16(), admin.get(&path).await.status.as_u16()), (200, 404));
    assert_eq!(read(&admin, DESTINATIONS).await["data"], json!([]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_renewed_secret_may_leave_the_old_one_some_hours(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let path = path_of(&make(&admin, "https://example.com/hook").await);
    let renew = format!("{path}/regenerate-secret");
    let day = site.app.now().plus_ms(24 * 3_600_000);

    let renewed = admin.post(&renew, json!({"overlapHours": 24})).await.json();
    let during = read(&admin, &path).await;
    let listed = read(&admin, DESTINATIONS).await["data"][0].clone();
    site.app.set_clock(day);
    let after = read(&admin, &path).await;
    let at_once = admin.post(&renew, json!({})).await.json();
    let without_a_word = admin.post(&renew, json!(null)).await.json();

    assert_eq!((&renewed["previousSecretUntil"], &during["previousSecretUntil"]), (&json!(day), &json!(day)));
    assert_eq!((&listed["previousSecretUntil"], &after["previousSecretUntil"]), (&json!(day), &json!(null)));
    assert_eq!((&at_once["previousSecretUntil"], &without_a_word["previousSecretUntil"]), (&json!(null), &json!(null)));
    assert!(renewed["secret"].is_string() && during.get("secret").is_none());
    site.stop().await;
}

#[rstest]
#[case::too_long(json!({"overlapHours": 169}), 422, "invalid_fields", &["/overlapHours"])]
#[case::negative(json!({"overlapHours": -1}), 422, "invalid_fields", &["/overlapHours"])]
#[case::a_part_of_an_hour(json!({"overlapHours": 1.5}), 422, "invalid_fields", &["/overlapHours"])]
#[case::words(json!({"overlapHours": "a day"}), 422, "invalid_fields", &["/overlapHours"])]
#[case::unknown(json!({"hours": 1}), 422, "unknown_field", &["/hours"])]
#[case::a_list(json!([1]), 422, "not_an_object", &[])]
#[tokio::test]
async fn what_is_wrong_with_an_overlap_is_pointed_at(
    #[case] body: Value,
    #[case] status: u16,
    #[case] code: &str,
    #[case] pointers: &[&str],
) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let path = path_of(&make(&admin, "https://example.com/hook").await);

    let answer = admin.post(&format!("{path}/regenerate-secret"), body).await;

    assert_eq!(answer.problem(), (status, code.to_owned()));
    assert_eq!(answer.pointers(), pointers);
    site.stop().await;
}

#[rstest]
#[case::address(json!({"name": "x", "url": "https://127.1.1.1.nip.io:0/", "events": ["lead.created"]}), "invalid_fields", &["/url"])]
#[case::inside(json!({"name": "x", "url": "https://169.254.169.254/", "events": ["lead.created"]}), "invalid_fields", &["/url"])]
#[case::no_events(json!({"name": "x", "url": "https://example.com/", "events": []}), "invalid_fields", &["/events"])]
#[case::missing(json!({"url": "https://example.com/", "events": ["lead.created"]}), "invalid_fields", &["/name"])]
#[case::unknown(json!({"name": "x", "url": "https://example.com/", "events": ["lead.created"], "colour": 1}), "unknown_field", &["/colour"])]
#[case::ours(json!({"name": "x", "url": "https://example.com/", "events": ["lead.created"], "headers": {"webhook-id": "1"}}), "invalid_fields", &["/headers/webhook-id"])]
#[tokio::test]
async fn what_is_wrong_with_a_destination_is_pointed_at(
    #[case] body: Value,
    #[case] code: &str,
    #[case] pointers: &[&str],
) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;

    let answer = site.with_token(&token).post(DESTINATIONS, body).await;

    assert_eq!(answer.problem(), (422, code.to_owned()));
    assert_eq!(answer.pointers(), pointers);
    site.stop().await;
}

#[tokio::test]
async fn why_an_address_is_refused_has_a_name_for_programs() {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let body = json!({"name": "x", "url": "https://10.0.0.1/", "events": ["lead.created"]});

    let answer = site.with_token(&token).post(DESTINATIONS, body).await.json();

    let detail = answer["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("url_private_address: "), "{detail}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn deliveries_are_listed_shown_and_sent_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let destination = make(&admin, &receiver.url()).await;
    receiver.answers([Answers::Status(400)]);
    let lead = site.app.submit(json!({"name": "Ada"})).await.lead.expect("a lead");
    site.app.run_jobs().await;

    let dead = read(&admin, "/v1/delivery/dead-letters").await["data"][0].clone();
    let id = dead["id"].as_str().expect("an id");
    let replay = format!("/v1/delivery/dead-letters/{id}/replay");
    let replayed = admin.send(Method::POST, &replay, None).await.json();
    site.app.run_jobs().await;
    let again = admin.send(Method::POST, &replay, None).await;
    let detail = read(&admin, &format!("/v1/delivery/deliveries/{id}")).await;
    let filters =
        format!("destinationId={}&leadId={lead}&status=delivered", destination["id"].as_str().expect("an id"));
    let listed = read(&admin, &format!("/v1/delivery/deliveries?{filters}")).await;
    let none = read(&admin, "/v1/delivery/deliveries?status=pending").await;
    let sent_again = admin.send(Method::POST, &format!("/v1/delivery/deliveries/{id}/replay"), None).await.json();

    assert_eq!((&dead["state"], &dead["url"]), (&json!("dead"), &json!(receiver.url())));
    assert!(dead["payload"].as_str().expect("a payload").contains("Ada") && dead["expiresAt"].is_string());
    assert_eq!((&replayed["state"], replayed["nextAttemptAt"].is_string()), (&json!("pending"), true));
    assert_eq!(again.problem(), (404, "not_found".to_owned()));
    assert_eq!((&detail["state"], &detail["leadName"]), (&json!("delivered"), &json!("Ada")));
    assert_eq!(detail["nextAttemptAt"], json!(null));
    let attempts: Vec<_> = detail["attempts"].as_array().expect("attempts").iter().map(|one| &one["status"]).collect();
    assert_eq!(attempts, [&json!(200), &json!(400)]);
    assert_eq!(detail["attempts"][0]["requestHeaders"]["webhook-id"], json!(id));
    assert_eq!((&listed["total"], &listed["data"][0]["id"]), (&json!(1), &json!(id)));
    assert_eq!((&none["total"], &sent_again["state"]), (&json!(0), &json!("pending")));
    site.stop().await;
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);

    for query in ["destinationId=x", "colour=red"] {
        let answer = admin.get(&format!("/v1/delivery/deliveries?{query}")).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{query}");
    }
    for (query, pointer) in
        [("status=lost", "/status"), ("limit=201", "/limit"), ("limit=0", "/limit"), ("page=0", "/page")]
    {
        let answer = admin.get(&format!("/v1/delivery/deliveries?{query}")).await;
        assert_eq!((answer.problem().0, answer.pointers()), (422, vec![pointer.to_owned()]), "{query}");
    }
    let events = read(&admin, "/v1/delivery/events").await;
    assert!(events["data"].as_array().expect("events").contains(&json!("lead.re_engaged")));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_belongs_to_another_workspace_is_not_found(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let receiver = Receiver::start().await;
    let path = path_of(&make(&site.with_token(&token), &receiver.url()).await);
    site.app.submit(json!({"name": "Ada"})).await;
    site.app.run_jobs().await;
    let delivery = read(&site.with_token(&token), "/v1/delivery/deliveries").await["data"][0]["id"].clone();
    let delivery = format!("/v1/delivery/deliveries/{}", delivery.as_str().expect("an id"));
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::Admin).await;
    let stranger = site.with_token(&token);

    let answers = [
        stranger.get(&path).await,
        stranger.patch(&path, json!({"name": "mine"})).await,
        stranger.delete(&path).await,
        stranger.send(Method::POST, &format!("{path}/test"), None).await,
        stranger.send(Method::POST, &format!("{path}/regenerate-secret"), None).await,
        stranger.get(&delivery).await,
        stranger.send(Method::POST, &format!("{delivery}/replay"), None).await,
    ];

    for answer in answers {
        assert_eq!(answer.problem(), (404, "not_found".to_owned()));
    }
    assert_eq!(read(&stranger, DESTINATIONS).await["total"], 0);
    assert_eq!(read(&stranger, "/v1/delivery/deliveries").await["total"], 0);
    site.stop().await;
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.token(Role::Admin).await;
    let path = path_of(&make(&site.with_token(&admin), "https://example.com/hook").await);
    let (marketer, agent) = (site.token(Role::Marketer).await, site.token(Role::Agent).await);
    let marketer = site.with_token(&marketer);

    let looked = marketer.get(&path).await.status.as_u16();
    let refused = [
        marketer.patch(&path, json!({})).await,
        marketer.delete(&path).await,
        marketer.send(Method::POST, &format!("{path}/test"), None).await,
        marketer.send(Method::POST, &format!("{path}/regenerate-secret"), None).await,
        site.with_token(&agent).get(DESTINATIONS).await,
        site.with_token(&agent).get("/v1/delivery/deliveries").await,
    ];

    assert_eq!(looked, 200);
    for answer in refused {
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    }
    site.stop().await;
}
