//! Sending many deliveries again over HTTP.

use leadline_domain::permissions::Role;
use leadline_engine::delivery::replays;
use leadline_testkit::{Answer as Answers, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

const REPLAYS: &str = "/v1/delivery/replays";

#[rstest]
#[tokio::test]
async fn a_replay_of_many_tells_how_far_it_is(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let wish = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created"]});
    let made = admin.post("/v1/delivery/destinations", wish).await.json();
    receiver.answers([Answers::Status(404), Answers::Status(404)]);
    for name in ["ada", "bob"] {
        site.app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await;
    }
    site.app.run_jobs().await;

    let filter =
        json!({"filter": {"destinationId": made["id"], "event": "lead.created", "to": "2999-01-01T00:00:00Z"}});
    let begun = admin.post(REPLAYS, filter.clone()).await;
    let second = admin.post(REPLAYS, filter).await;
    let path = format!("{REPLAYS}/{}", begun.json()["id"].as_str().expect("an id"));
    replays::step(&site.app.engine, 500).await.expect("a step");
    let done = admin.get(&path).await.json();
    let list = admin.get(REPLAYS).await.json();
    let (other, _) = site.app.make_workspace("other").await;
    let stranger = site.token_in(other, Role::Admin).await;

    let counts = |job: &Value| ["total", "done", "replayed", "skipped"].map(|name| job[name].as_i64());
    assert_eq!((begun.status.as_u16(), &begun.json()["state"]), (202, &json!("queued")));
    assert_eq!(counts(&begun.json()), [Some(2), Some(0), Some(0), Some(0)]);
    assert_eq!(second.problem(), (409, "replay_under_way".to_owned()));
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), [Some(2), Some(2), Some(2), Some(0)]));
    assert_eq!((&list["total"], &list["data"][0]), (&json!(1), &done));
    assert_eq!(site.with_token(&stranger).get(&path).await.status.as_u16(), 404);
    assert_eq!(admin.delete(&path).await.status.as_u16(), 404, "it does not go on any more");
    site.stop().await;
}

#[rstest]
#[case::nothing(json!({}), "/deliveryIds")]
#[case::both(json!({"deliveryIds": [], "filter": {}}), "/filter")]
#[case::none(json!({"deliveryIds": []}), "/deliveryIds")]
#[case::too_many(json!({"deliveryIds": vec!["0199aaaa-0000-7000-8000-000000000001"; 501]}), "/deliveryIds")]
#[case::no_id(json!({"deliveryIds": ["x"]}), "/deliveryIds/0")]
#[case::state(json!({"filter": {"status": "lost"}}), "/filter/status")]
#[case::time(json!({"filter": {"from": "yesterday"}}), "/filter/from")]
#[case::nul(json!({"filter": {"event": "a\u{0}"}}), "/filter/event")]
#[tokio::test]
async fn what_cannot_be_meant_is_refused(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let token = site.token(Role::Admin).await;

    let answer = site.with_token(&token).post(REPLAYS, body).await;

    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text());
    assert_eq!(answer.pointers(), [pointer]);
    assert_eq!(site.app.count("replay_jobs").await, 0);
    site.stop().await;
}
