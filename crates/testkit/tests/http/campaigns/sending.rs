//! From a draft to the last message: who gets one, who does not and why, and that nobody gets two, whatever happens.

use std::time::Duration;

use axum::http::Method;
use leadline_domain::permissions::Role;
use leadline_engine::{
    campaigns::feeder,
    dispatch,
    messaging::{runner, sandbox},
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    CAMPAIGNS, arrived, ask, campaign, get, letter, links, made, people, run, sandbox_path, sent, start, step,
};

#[rstest]
#[tokio::test]
async fn a_campaign_goes_to_each_person_once_and_says_why_it_left_others_out(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let mut leads = people(&site, 3).await;
    let ben = site.app.submit(json!({"name": "Ben", "phone": "+491701234567"})).await.lead.expect("a lead");
    leads.push(ben.to_string());
    // The same person about something else: one message, not two.
    let project = made(&admin, "/v1/capture/projects", json!({"name": "Other"})).await;
    let fields = json!({"name": "Person 0", "email": "person0@example.com", "projectId": project});
    leads.push(made(&admin, "/v1/identity/leads", fields).await);
    let listed = admin.post("/v1/admin/privacy/suppressions", json!({"email": "person1@example.com"})).await;
    assert!(listed.status.is_success(), "{}", listed.text());

    let id = sent(&site, &admin, &leads, json!({})).await;

    let campaign = get(&admin, &id).await;
    let progress = &campaign["progress"];
    assert_eq!(
        (&progress["recipients"], &progress["asked"], &progress["skipped"], &progress["waiting"]),
        (&json!(4), &json!(2), &json!(2), &json!(0))
    );
    assert_eq!((&campaign["figures"]["sent"], &campaign["figures"]["delivered"]), (&json!(2), &json!(2)));
    assert_eq!(site.app.count("sandbox_arrivals WHERE times = 1").await, 2);
    let rows = admin.get(&format!("{CAMPAIGNS}/{id}/recipients?which=skipped")).await.json();
    let mut reasons: Vec<_> =
        rows["data"].as_array().expect("rows").iter().map(|row| row["reason"].as_str().expect("why")).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["no_email", "suppressed"]);
    let file = admin.get(&format!("{CAMPAIGNS}/{id}/recipients.csv")).await;
    assert_eq!((file.status.as_u16(), file.text().lines().count()), (200, 5));
    assert!(file.text().contains("no_email") && file.text().contains("delivered"), "{}", file.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_was_read_was_delivered_and_sent_too(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 3).await;
    let id = sent(&site, &admin, &leads, json!({})).await;
    let open = format!("{}/open", sandbox_path(&admin).await);
    let opened = admin.post(&open, json!({"address": "person1@example.com"})).await;
    assert!(opened.status.is_success(), "{}", opened.text());
    dispatch::dispatch_all(&site.app.engine).await.expect("counted");

    let total = async |which: &str| {
        admin.get(&format!("{CAMPAIGNS}/{id}/recipients?which={which}")).await.json()["total"].as_i64()
    };
    assert_eq!([total("sent").await, total("delivered").await, total("read").await], [Some(3), Some(3), Some(1)]);
    let figures = &get(&admin, &id).await["figures"];
    assert_eq!([&figures["sent"], &figures["delivered"], &figures["read"]], [&json!(3), &json!(3), &json!(1)]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_that_dies_anywhere_goes_on_and_nobody_gets_two(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (mut site, token) = start(db).await;
    let leads = people(&site, 12).await;
    let id = {
        let admin = site.with_token(&token);
        let id = campaign(&admin, &leads, json!({})).await;
        step(&admin, &id, "start").await;
        id
    };

    // A step, a death, a step, a death: while recipients are written down, while messages are asked for, while they go out.
    for _ in 0..4 {
        feeder::round(&site.app.engine).await.expect("a step");
        site.restart().await;
    }
    runner::begin_due(&site.app.engine).await.expect("under way");
    site.restart().await;
    site.app.advance(Duration::from_secs(10));
    run(&site).await;

    let admin = site.with_token(&token);
    assert_eq!(get(&admin, &id).await["state"], json!("finished"));
    assert_eq!(site.app.count("sandbox_arrivals").await, 12);
    assert_eq!(site.app.count("sandbox_arrivals WHERE times > 1").await, 0);
    assert_eq!(site.app.count("messages WHERE cause_kind = 'campaign'").await, 12);
    assert_eq!(get(&admin, &id).await["figures"]["sent"], json!(12));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn whoever_got_a_campaign_is_in_the_inbox_once_they_answer(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 3).await;
    sent(&site, &admin, &leads, json!({})).await;
    let shown = || async {
        let inbox = admin.get("/v1/messaging/inbox").await.json();
        let rows = inbox["data"].as_array().expect("rows").clone();
        rows.iter().map(|row| (row["lastText"].clone(), row["messageCount"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(shown().await, []);

    let answer = json!({"channel": "email", "address": "person1@example.com", "text": "Yes, please"});
    let answered = admin.post(&format!("{}/answers", sandbox_path(&admin).await), answer).await;
    assert_eq!(answered.status, 200, "{}", answered.text());

    // What they were sent is above their answer.
    assert_eq!(shown().await, [(json!("Yes, please"), json!(2))]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn several_nodes_share_a_campaign_without_doubles(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 20).await;
    let id = campaign(&admin, &leads, json!({})).await;
    step(&admin, &id, "start").await;
    let engine = &site.app.engine;

    for _ in 0..4 {
        let (a, b, c) = tokio::join!(feeder::round(engine), feeder::round(engine), feeder::round(engine));
        for done in [a, b, c] {
            done.expect("a step");
        }
    }
    run(&site).await;

    assert_eq!(get(&admin, &id).await["state"], json!("finished"));
    assert_eq!(site.app.count("sandbox_arrivals WHERE times = 1").await, 20);
    assert_eq!(get(&admin, &id).await["progress"]["asked"], json!(20));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_pause_takes_back_what_waits_and_going_on_sends_the_rest(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 12).await;
    let id = campaign(&admin, &leads, json!({"perMinute": 60})).await;
    step(&admin, &id, "start").await;
    let engine = &site.app.engine;

    // Two at a time by its pace; one of them goes out before somebody stops it.
    feeder::feed_due(engine).await.expect("fed");
    let asked = get(&admin, &id).await["progress"]["asked"].as_i64().expect("a number");
    let paused = step(&admin, &id, "pause").await;
    runner::send_due(engine).await.expect("sent");
    site.app.advance(Duration::from_secs(600));
    run(&site).await;
    let while_paused = site.app.count("sandbox_arrivals").await;
    step(&admin, &id, "resume").await;
    for _ in 0..12 {
        run(&site).await;
    }

    assert!((1..=3).contains(&asked), "{asked}");
    assert_eq!((&paused["state"], &paused["progress"]["asked"]), (&json!("paused"), &json!(0)));
    assert_eq!(while_paused, 0);
    assert_eq!(get(&admin, &id).await["state"], json!("finished"));
    assert_eq!(site.app.count("sandbox_arrivals WHERE times = 1").await, 12);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_cancelled_goes_to_nobody_else(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 6).await;
    let id = campaign(&admin, &leads, json!({"perMinute": 60})).await;
    step(&admin, &id, "start").await;

    feeder::feed_due(&site.app.engine).await.expect("fed");
    runner::send_due(&site.app.engine).await.expect("sent");
    let before = site.app.count("sandbox_arrivals").await;
    step(&admin, &id, "cancel").await;
    site.app.advance(Duration::from_secs(600));
    run(&site).await;

    let campaign = get(&admin, &id).await;
    assert_eq!((&campaign["state"], &campaign["progress"]["waiting"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(site.app.count("sandbox_arrivals").await, before);
    assert_eq!(site.app.count("campaign_recipients WHERE reason = 'cancelled'").await, 6 - before);
    let again = admin.post(&format!("{CAMPAIGNS}/{id}/resume"), json!({})).await;
    assert_eq!(again.problem(), (409, "conflict".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn it_starts_when_its_time_has_come_and_keeps_quiet_hours(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 2).await;
    // It is Monday, 08:00 in UTC. It starts at ten, and it is quiet until noon, by the workspace's clock.
    let more = json!({"start": {"at": "2026-01-05T11:00", "timezone": "Europe/Berlin"},
        "quietHours": {"fromMinute": 0, "untilMinute": 720}});
    let id = campaign(&admin, &leads, more).await;
    let scheduled = step(&admin, &id, "start").await;

    run(&site).await;
    let at_eight = get(&admin, &id).await["state"].clone();
    site.app.advance(Duration::from_secs(2 * 3_600));
    run(&site).await;
    let at_ten = (get(&admin, &id).await["state"].clone(), site.app.count("sandbox_arrivals").await);
    site.app.advance(Duration::from_secs(2 * 3_600));
    run(&site).await;

    assert_eq!(
        (&scheduled["state"], &scheduled["startsAt"]),
        (&json!("scheduled"), &json!("2026-01-05T10:00:00.000Z"))
    );
    assert_eq!(at_eight, json!("scheduled"));
    assert_eq!(at_ten, (json!("running"), 0));
    assert_eq!(
        (get(&admin, &id).await["state"].clone(), site.app.count("sandbox_arrivals").await),
        (json!("finished"), 2)
    );
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_better_subject_goes_to_the_rest(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 24).await;
    let more = json!({"subjects": ["One", "Two"], "test": {"percent": 50, "metric": "clicks", "afterMinutes": 60}});
    let id = campaign(&admin, &leads, more).await;
    step(&admin, &id, "start").await;

    run(&site).await;
    let tried = site.app.count("sandbox_arrivals").await;
    site.app.advance(Duration::from_secs(600));
    // Everybody who got the second subject follows a link of it.
    for n in 0..24 {
        let letter = arrived(&admin, &format!("person{n}@example.com")).await;
        if letter["subject"] == json!("Two") {
            let html = letter["html"].as_str().expect("a page").to_owned();
            ask(&site, Method::GET, &links(&html, "l")[0], super::CHROME).await;
        }
    }
    site.app.advance(Duration::from_secs(3_600));
    run(&site).await;

    assert!((4..22).contains(&tried), "{tried}");
    let campaign = get(&admin, &id).await;
    assert_eq!((&campaign["state"], &campaign["winner"]), (&json!("finished"), &json!(1)));
    assert_eq!(site.app.count("sandbox_arrivals WHERE times = 1").await, 24);
    let second = site.app.count("sandbox_arrivals WHERE subject = 'Two'").await;
    assert!(second >= 24 - tried, "{second} of 24, {tried} were tried");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_can_be_mended_pauses_it_and_leaves_nobody_out(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 2).await;
    let id = campaign(&admin, &leads, json!({})).await;
    step(&admin, &id, "start").await;
    let channels = admin.get("/v1/messaging/channels").await.json();
    let channel = format!("/v1/messaging/channels/{}", channels["data"][0]["id"].as_str().expect("an id"));

    admin.patch(&channel, json!({"isActive": false})).await;
    run(&site).await;
    let paused = get(&admin, &id).await;
    admin.patch(&channel, json!({"isActive": true})).await;
    step(&admin, &id, "resume").await;
    run(&site).await;

    assert_eq!((&paused["state"], &paused["progress"]["waiting"]), (&json!("paused"), &json!(2)));
    assert!(paused["error"].is_string(), "{paused}");
    assert_eq!(get(&admin, &id).await["figures"]["delivered"], json!(2));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_segment_is_asked_when_it_starts_and_placeholders_are_filled_as_chosen(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    people(&site, 3).await;
    let filter = json!({"all": [{"field": "name", "op": "contains", "value": "Person"}]});
    let segment = made(&admin, "/v1/identity/segments", json!({"name": "People", "filter": filter})).await;
    let body = json!({"name": "Spring", "channel": "email", "templateId": letter(&admin).await,
        "audience": {"segmentId": segment}, "subjects": ["For {{company}}"],
        "variables": {"firstName": {"text": "friend"}, "company": {"field": "company", "fallback": "you"}}});
    let id = made(&admin, CAMPAIGNS, body).await;
    let preview = admin.get(&format!("{CAMPAIGNS}/{id}/preview")).await.json();
    people(&site, 5).await;

    step(&admin, &id, "start").await;
    run(&site).await;

    assert_eq!(get(&admin, &id).await["figures"]["sent"], json!(5));
    assert_eq!(preview["subject"], json!("For you"));
    assert!(preview["html"].as_str().is_some_and(|html| html.contains("Dear friend")), "{preview}");
    let letter = arrived(&admin, "person4@example.com").await;
    assert_eq!(letter["subject"], json!("For you"));
    assert!(letter["body"].as_str().is_some_and(|body| body.starts_with("Dear friend")), "{letter}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_follow_up_goes_to_those_who_did_not_answer(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 3).await;
    let id = sent(&site, &admin, &leads, json!({})).await;
    let channels = admin.get("/v1/messaging/channels").await.json();
    let channel = channels["data"][0]["id"].as_str().expect("an id").parse().expect("an id");

    let answer = sandbox::Answer {
        kind: leadline_domain::messaging::MessageChannel::Email,
        address: "person1@example.com".to_owned(),
        text: "Yes please".to_owned(),
    };
    sandbox::answer(&site.app.engine, &site.app.actor(), channel, &answer).await.expect("an answer");
    dispatch::dispatch_all(&site.app.engine).await.expect("events are dispatched");
    let copied = admin.post(&format!("{CAMPAIGNS}/{id}/copy"), json!({"followUp": true})).await.json();
    let copy = copied["id"].as_str().expect("an id").to_owned();
    step(&admin, &copy, "start").await;
    run(&site).await;

    assert_eq!(get(&admin, &id).await["figures"]["replied"], json!(1));
    assert_eq!((&copied["state"], &copied["audience"]["kind"]), (&json!("draft"), &json!("unanswered")));
    assert_eq!(get(&admin, &copy).await["progress"]["recipients"], json!(2));
    assert_eq!(site.app.count("sandbox_arrivals").await, 5);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn figures_are_those_of_the_messages_also_of_automations(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let template = letter(&admin).await;
    let steps = json!([{"channel": "email", "delayMinutes": 0, "templateId": template}]);
    let automation = json!({"name": "Welcome", "trigger": {"event": "lead.created"}, "steps": steps});
    let automation = made(&admin, "/v1/identity/lead-automations", automation).await;

    people(&site, 2).await;
    for _ in 0..4 {
        dispatch::dispatch_all(&site.app.engine).await.expect("events are dispatched");
        leadline_engine::automations::runner::send_due(&site.app.engine).await.expect("steps are started");
        runner::send_due(&site.app.engine).await.expect("messages are sent");
        site.app.advance(Duration::from_secs(2));
    }
    let html = arrived(&admin, "person0@example.com").await["html"].as_str().expect("a page").to_owned();
    site.app.advance(Duration::from_secs(60));
    ask(&site, Method::GET, &links(&html, "l")[0], super::CHROME).await;

    let analytics = admin.get("/v1/messaging/analytics").await.json();
    let row = &analytics["data"][0];
    assert_eq!(
        (&row["causeKind"], &row["id"], &row["name"]),
        (&json!("automation"), &json!(automation), &json!("Welcome"))
    );
    assert_eq!(
        (&row["figures"]["sent"], &row["figures"]["delivered"], &row["figures"]["humanClicks"]),
        (&json!(2), &json!(2), &json!(1))
    );
    assert_eq!(links(&html, "u").len(), 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_draft_says_what_is_wrong_with_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 1).await;
    let template = letter(&admin).await;
    let pointers = |answer: &crate::browser::Answer| {
        assert_eq!(answer.status, 422, "{}", answer.text());
        answer.pointers()
    };

    let wrong = json!({"name": " ", "channel": "sms", "templateId": template, "subjects": ["a", "b"], "perMinute": -1,
        "variables": {"nothing": {"text": "x"}}, "quietHours": {"fromMinute": 5, "untilMinute": 5},
        "start": {"at": "soon", "timezone": "Europe/Berlin"}, "audience": {"leadIds": leads}});
    let wrong = pointers(&admin.post(CAMPAIGNS, wrong).await);
    for pointer in ["/name", "/templateId", "/subjects", "/perMinute", "/variables/nothing", "/quietHours", "/start/at"]
    {
        assert!(wrong.iter().any(|at| at == pointer), "{pointer} of {wrong:?}");
    }
    let empty = made(&admin, CAMPAIGNS, json!({"name": "Empty", "channel": "email"})).await;
    let refused = pointers(&admin.post(&format!("{CAMPAIGNS}/{empty}/start"), json!({})).await);
    assert_eq!(refused, ["/audience", "/templateId"]);
    let stale = json!({"name": "Other", "version": 7});
    assert_eq!(admin.patch(&format!("{CAMPAIGNS}/{empty}"), stale).await.status, 409);
    assert_eq!(admin.delete(&format!("{CAMPAIGNS}/{empty}")).await.status, 204);
    assert_eq!(admin.get(&format!("{CAMPAIGNS}/{empty}")).await.status, 404);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn whoever_may_not_see_persons_sees_none_in_a_report(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 1).await;
    let id = sent(&site, &admin, &leads, json!({})).await;

    let viewer = site.token(Role::Viewer).await;
    let viewer = site.with_token(&viewer);
    let mut said = String::new();
    for path in ["", "/report", "/recipients", "/recipients.csv", "/preview"] {
        let answer = viewer.get(&format!("{CAMPAIGNS}/{id}{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        said += &answer.text();
    }

    assert!(!said.contains("person0@example.com") && !said.contains("Person 0"), "{said}");
    assert_eq!(viewer.post(&format!("{CAMPAIGNS}/{id}/copy"), json!({})).await.status, 403);
    let other: Value = viewer.get(&format!("{CAMPAIGNS}/{}", leads[0])).await.json();
    assert_eq!(other["code"], json!("not_found"));
    site.stop().await;
}
