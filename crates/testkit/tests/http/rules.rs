//! What a destination wants beside its events, and how it is asked.

use std::time::Duration;

use leadline_domain::permissions::Role;
use leadline_engine::{delivery, dispatch};
use leadline_testkit::{Answer, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Site;

struct Desk {
    site: Site,
    token: String,
    receiver: Receiver,
    id: String,
}

impl Desk {
    async fn open(db: Db, rules: Value) -> Self {
        let site = Site::start(db).await;
        let token = site.token(Role::Admin).await;
        let receiver = Receiver::start().await;
        let mut wish = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created", "lead.resubmitted"]});
        wish.as_object_mut().expect("an object").extend(rules.as_object().expect("rules").clone());
        let made = site.with_token(&token).post("/v1/delivery/destinations", wish).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let id = made.json()["id"].as_str().expect("an id").to_owned();
        Self { site, token, receiver, id }
    }

    async fn lead(&self, name: &str, more: Value) {
        let mut body = json!({"name": name, "email": format!("{name}@example.com")});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("more").clone());
        let made = self.site.with_token(&self.token).post("/v1/identity/leads", body).await;
        assert_eq!(made.status, 200, "{}", made.text());
    }

    /// The names of the leads that were told, in their order.
    fn told(&self) -> Vec<String> {
        let name = |body: Value| body["lead"]["name"].as_str().expect("a name").to_owned();
        self.receiver.received().iter().map(|request| name(request.json())).collect()
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_holds_back_what_does_not_meet_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db, json!({"filter": {"tags": ["vip"], "sources": ["manual", "api"], "minScore": 1}})).await;

    desk.lead("ada", json!({"tags": ["vip", "new"]})).await;
    desk.lead("eve", json!({"tags": ["new"]})).await;
    desk.site.app.run_jobs().await;

    assert_eq!(desk.told(), ["ada"]);
    let path = format!("/v1/delivery/destinations/{}", desk.id);
    let shown = desk.site.with_token(&desk.token).get(&path).await.json();
    assert_eq!((&shown["filter"]["tags"], &shown["filter"]["minScore"]), (&json!(["vip"]), &json!(1)));
    let stages = desk.site.with_token(&desk.token).get("/v1/identity/lead-pipelines").await.json();
    let last = &stages["data"][0]["stages"][5]["id"];
    let elsewhere = json!({"filter": {"stageIds": [last]}});
    let changed = desk.site.with_token(&desk.token).patch(&path, elsewhere).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    desk.lead("zoe", json!({})).await;
    desk.site.app.run_jobs().await;
    assert_eq!(desk.told(), ["ada"]);
    // An empty filter lets everybody through again.
    let changed = desk.site.with_token(&desk.token).patch(&path, json!({"filter": {}})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    desk.lead("bob", json!({})).await;
    desk.site.app.run_jobs().await;
    assert_eq!(desk.told(), ["ada", "bob"]);
    desk.site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn in_order_nobody_overtakes_one_that_is_tried_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db, json!({"inOrder": true})).await;
    desk.receiver.answers([Answer::Status(500), Answer::Status(500)]);
    for name in ["ada", "bob", "cyd"] {
        desk.lead(name, json!({})).await;
        desk.site.app.advance(Duration::from_millis(5));
    }

    desk.site.app.run_jobs().await;
    assert_eq!(desk.told(), ["ada"]);
    desk.site.app.advance(Duration::from_secs(1));
    desk.site.app.run_jobs().await;
    assert_eq!(desk.told(), ["ada", "ada"]);
    desk.site.app.advance(Duration::from_secs(2));
    desk.site.app.run_jobs().await;

    assert_eq!(desk.told(), ["ada", "ada", "ada", "bob", "cyd"]);
    desk.site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_limited_receiver_is_not_sent_all_at_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db, json!({"requestsPerMinute": 2})).await;
    for name in ["ada", "bob", "cyd", "dan"] {
        desk.lead(name, json!({})).await;
    }

    dispatch::dispatch_all(&desk.site.app.engine).await.expect("events are dispatched");
    let sent = delivery::deliver_due(&desk.site.app.engine).await.expect("deliveries are made");

    assert_eq!((sent, desk.told().len()), (1, 1));
    // What waits is no failure: its attempts are not used up.
    assert_eq!(desk.site.app.count("deliveries WHERE state = 'pending' AND attempt_count = 0").await, 3);
    desk.site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_inside_the_window_is_not_told(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let desk = Desk::open(db, json!({"duplicateWindowMinutes": 30})).await;

    for minutes in [0, 29, 31] {
        desk.site.app.advance(Duration::from_secs(minutes * 60));
        desk.site.app.submit(json!({"name": "ada", "email": "ada@example.com"})).await;
        desk.site.app.run_jobs().await;
    }

    let events: Vec<Value> = desk.receiver.received().iter().map(|request| request.json()["event"].clone()).collect();
    assert_eq!(events, [json!("lead.created"), json!("lead.resubmitted")]);
    desk.site.stop().await;
}
