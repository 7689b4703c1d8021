//! Links, pictures and unsubscribing: what counts, what does not, and who can do it.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use super::{CAMPAIGNS, CHROME, arrived, ask, get, links, made, people, run, sent, start};
use crate::browser::Site;

const GMAIL: &str = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

fn figures(campaign: &Value) -> [i64; 4] {
    ["humanOpens", "machineOpens", "humanClicks", "machineClicks"]
        .map(|name| campaign["figures"][name].as_i64().expect("a number"))
}

async fn post(site: &Site, path: &str, body: &'static str) -> crate::browser::Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    site.send(request.body(Body::from(body)).expect("a request")).await
}

#[rstest]
#[tokio::test]
async fn a_letter_carries_links_of_ours_a_picture_and_a_way_out(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 1).await;

    let id = sent(&site, &admin, &leads, json!({})).await;

    let letter = arrived(&admin, "person0@example.com").await;
    let (html, text) = (letter["html"].as_str().expect("a page"), letter["body"].as_str().expect("a text"));
    assert_eq!(letter["subject"], json!("Hello Person"));
    assert_eq!((links(html, "l").len(), links(html, "o").len(), links(html, "u").len()), (2, 1, 1), "{html}");
    assert!(html.contains("mailto:us@shop.example") && !html.contains("shop.example/a"), "{html}");
    assert!(text.contains("https://shop.example/text") && links(text, "u").len() == 1, "{text}");
    for path in links(html, "l") {
        assert!(!path.contains("person0") && path.len() == 39, "{path}");
    }
    let kept = admin.get(&format!("/v1/messaging/messages?causeId={id}")).await.json();
    assert!(kept["data"][0]["body"].as_str().is_some_and(|body| !body.contains("/u/")), "{kept}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_link_leads_where_the_letter_said_and_nowhere_else(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 2).await;
    let id = sent(&site, &admin, &leads, json!({})).await;
    let html = arrived(&admin, "person0@example.com").await["html"].as_str().expect("a page").to_owned();
    let other = arrived(&admin, "person1@example.com").await["html"].as_str().expect("a page").to_owned();
    let (mine, others) = (links(&html, "l"), links(&other, "l"));
    site.app.advance(Duration::from_secs(120));

    let answer = ask(&site, Method::GET, &mine[0], CHROME).await;
    let mixed = format!("{}{}", &mine[0][..25], &others[0][25..]);
    let to_another_purpose = mine[0].replace("/l/", "/u/");
    let with_a_target = format!("{}?url=https://evil.example", mine[0]);

    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "https://shop.example/a?x=1&y=2"));
    assert_eq!((answer.header("cache-control"), answer.header("referrer-policy")), ("no-store", "no-referrer"));
    assert!(answer.header("set-cookie").is_empty() && answer.header("x-robots-tag").contains("noindex"));
    for path in [mixed.as_str(), "/l/x", "/l/https%3A%2F%2Fevil.example", to_another_purpose.as_str()] {
        let refused = ask(&site, Method::GET, path, CHROME).await;
        assert_eq!((refused.status.as_u16(), refused.header("location")), (404, ""), "{path}");
    }
    let same = ask(&site, Method::GET, &with_a_target, CHROME).await;
    assert_eq!(same.header("location"), "https://shop.example/a?x=1&y=2");
    assert_eq!(figures(&get(&admin, &id).await), [0, 0, 1, 0]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn people_are_told_from_machines(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 4).await;
    let id = sent(&site, &admin, &leads, json!({})).await;
    let mut pages = Vec::new();
    for n in 0..4 {
        let letter = arrived(&admin, &format!("person{n}@example.com")).await;
        pages.push(letter["html"].as_str().expect("a page").to_owned());
    }
    site.app.advance(Duration::from_secs(300));

    // A gateway asks for all links at once, and its reader comes later.
    for path in links(&pages[0], "l") {
        ask(&site, Method::HEAD, &path, CHROME).await;
        ask(&site, Method::GET, &path, CHROME).await;
    }
    assert_eq!(figures(&get(&admin, &id).await), [0, 0, 0, 1]);
    site.app.advance(Duration::from_secs(3_600));
    ask(&site, Method::GET, &links(&pages[0], "l")[1], CHROME).await;
    // A mailbox fetches the picture for somebody; somebody else opens by themselves.
    ask(&site, Method::GET, &links(&pages[1], "o")[0], GMAIL).await;
    ask(&site, Method::GET, &links(&pages[2], "o")[0], CHROME).await;
    // Asking for the head alone is nothing.
    for path in [&links(&pages[3], "o")[0], &links(&pages[3], "l")[0], &links(&pages[3], "u")[0]] {
        assert!(ask(&site, Method::HEAD, path, CHROME).await.status.as_u16() < 400);
    }

    assert_eq!(figures(&get(&admin, &id).await), [1, 1, 1, 1]);
    assert_eq!(site.app.count("message_hits").await, 5);
    let report = admin.get(&format!("{CAMPAIGNS}/{id}/report")).await.json();
    let reasons = report["machines"].to_string();
    assert!(reasons.contains("several_at_once") && reasons.contains("mailbox"), "{reasons}");
    assert_eq!(
        report["links"][0],
        json!({"url": "https://shop.example/b", "people": 1, "humanClicks": 1,
        "machineClicks": 1})
    );
    let clicked = admin.get(&format!("{CAMPAIGNS}/{id}/recipients?which=clicked")).await.json();
    let machine = admin.get(&format!("{CAMPAIGNS}/{id}/recipients?which=machine")).await.json();
    assert_eq!((&clicked["total"], &machine["total"]), (&json!(1), &json!(1)));
    let message = clicked["data"][0]["messageId"].as_str().expect("a message").to_owned();
    let hits = admin.get(&format!("/v1/messaging/messages/{message}/hits")).await.json();
    let said: Vec<_> = hits["data"].as_array().expect("hits").iter().map(|hit| hit["reason"].clone()).collect();
    assert_eq!(said, [json!("several_at_once"), json!("several_at_once"), Value::Null]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn looking_at_the_page_unsubscribes_nobody_and_its_button_does(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 1).await;
    let id = sent(&site, &admin, &leads, json!({})).await;
    let html = arrived(&admin, "person0@example.com").await["html"].as_str().expect("a page").to_owned();
    let out = links(&html, "u").remove(0);

    for agent in [CHROME, "curl/8.5.0", GMAIL] {
        let page = ask(&site, Method::GET, &out, agent).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("<form method=\"post\">") && page.text().contains("noindex"), "{}", page.text());
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        assert!(page.header("set-cookie").is_empty() && !page.text().contains("person0"));
        ask(&site, Method::HEAD, &out, agent).await;
    }
    assert_eq!(site.app.count("suppressions").await, 0);
    let done = post(&site, &out, "unsubscribe=yes").await;
    let again = post(&site, &out, "List-Unsubscribe=One-Click").await;

    assert_eq!((done.status.as_u16(), again.status.as_u16()), (200, 200));
    assert!(done.text().contains("You are unsubscribed"), "{}", done.text());
    assert_eq!(site.app.count("suppressions WHERE reason = 'unsubscribed'").await, 1);
    assert_eq!(get(&admin, &id).await["figures"]["unsubscribed"], json!(1));
    let lead = admin.get(&format!("/v1/identity/leads/{}", leads[0])).await.json();
    assert!(lead["activity"].to_string().contains("message.unsubscribed"), "{lead}");
    let listed = admin.get("/v1/admin/privacy/suppressions").await.json();
    assert!(listed["data"][0]["note"].as_str().is_some_and(|note| note.contains("by the link")), "{listed}");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_click_in_the_mailbox_ends_further_campaigns_with_a_reason(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let fields = json!({"name": "Ada", "email": "Ada@Example.com", "newsletter_optin": "yes"});
    let leads = vec![site.app.submit(fields).await.lead.expect("a lead").to_string()];
    sent(&site, &admin, &leads, json!({})).await;
    let consents = site.app.count("consents WHERE purpose = 'marketing' AND withdrawn_at IS NULL").await;
    let html = arrived(&admin, "ada@example.com").await["html"].as_str().expect("a page").to_owned();

    let out = links(&html, "u").remove(0);
    assert_eq!(post(&site, &out, "List-Unsubscribe=One-Click").await.status, 200);
    let template = json!({"channel": "email", "name": "More", "subject": "More", "body": "More"});
    let template = made(&admin, "/v1/messaging/templates", template).await;
    let body = json!({"name": "More", "channel": "email", "templateId": template, "audience": {"leadIds": leads}});
    let more = made(&admin, CAMPAIGNS, body).await;
    super::step(&admin, &more, "start").await;
    run(&site).await;

    assert_eq!(consents, 1);
    assert_eq!(
        site.app.count("consents WHERE withdrawn_at IS NOT NULL AND withdrawn_by = 'Unsubscribe link'").await,
        1
    );
    assert_eq!(site.app.count("sandbox_arrivals").await, 1);
    let rows = admin.get(&format!("{CAMPAIGNS}/{more}/recipients")).await.json();
    assert_eq!((&rows["data"][0]["status"], &rows["data"][0]["reason"]), (&json!("skipped"), &json!("suppressed")));
    let campaign = get(&admin, &more).await;
    assert_eq!((&campaign["state"], &campaign["progress"]["skipped"]), (&json!("finished"), &json!(1)));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_switched_off_is_not_tracked_but_the_way_out_stays(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let (site, token) = start(db).await;
    let admin = site.with_token(&token);
    let leads = people(&site, 1).await;

    let tracking = json!({"tracking": {"opens": false, "clicks": false, "textLinks": true}});
    sent(&site, &admin, &leads, tracking).await;

    let letter = arrived(&admin, "person0@example.com").await;
    let (html, text) = (letter["html"].as_str().expect("a page"), letter["body"].as_str().expect("a text"));
    assert_eq!((links(html, "l").len(), links(html, "o").len(), links(html, "u").len()), (0, 0, 1), "{html}");
    assert!(html.contains("https://shop.example/b"), "{html}");
    let tracked = links(text, "l");
    site.app.advance(Duration::from_secs(60));
    assert_eq!(ask(&site, Method::GET, &tracked[0], CHROME).await.header("location"), "https://shop.example/text");
    site.stop().await;
}
