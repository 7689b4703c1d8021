//! Pages, scripts and documents, and the headers they come with.

use std::{fs, path::PathBuf};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;

use crate::browser::{Answer, Site};

#[rstest]
#[case("/")]
#[case("/board")]
#[case("/v1/setup")]
#[case("/v1/session")]
#[case("/v1/nothing")]
#[case("/embed.js")]
#[case("/docs/")]
#[case("/docs/errors")]
#[case("/openapi.json")]
#[case("/healthz")]
#[tokio::test]
async fn every_answer_is_safe_to_show(#[case] path: &str) {
    let site = Site::start(Db::Sqlite).await;

    let answer = site.get(path).await;

    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    assert!(!policy.contains("script-src 'self' 'unsafe"), "{path}: {policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
    site.stop().await;
}

#[tokio::test]
async fn paths_that_climb_reach_nothing() {
    let cases = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/payloads/traversal.json");
    let text = fs::read_to_string(&cases)
        .unwrap_or_else(|error| panic!("the outside test material is missing: {}: {error}", cases.display()));
    let payloads: Vec<String> = serde_json::from_str(&text).expect("a list");
    let site = Site::start(Db::Sqlite).await;

    for payload in payloads {
        let tail = payload.replace("{FILE}", "etc/passwd");
        for prefix in ["/", "/assets/", "/docs/", "/embed/"] {
            let path = format!("{prefix}{tail}");
            let Ok(request) = axum::http::Request::get(&path).body(axum::body::Body::empty()) else { continue };
            let answer = site.send(request).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
            assert!(!answer.text().contains("root:"), "{path}");
        }
    }
    site.stop().await;
}

#[rstest]
#[case::script("/embed.js", "gzip")]
#[case::long_list("/v1/identity/filter-fields", "gzip")]
#[case::one_packet("/v1/session", "")]
#[case::live_stream("/v1/live", "")]
#[tokio::test]
async fn what_is_long_goes_compressed_and_what_is_live_at_once(#[case] path: &str, #[case] encoding: &str) {
    let site = Site::start(Db::Sqlite).await;
    let browser = site.signed_in("maya@example.com", Role::Admin).await;
    let mut request = Request::get(path).header("accept-encoding", "gzip").body(Body::empty()).expect("a request");
    request.headers_mut().extend(browser.headers.clone());

    let answer = site.answer(request).await;

    let stated = answer.headers().get("content-encoding").map_or("", |value| value.to_str().expect("text"));
    assert_eq!((answer.status(), stated), (StatusCode::OK, encoding), "{path}");
    drop(answer);
    site.stop().await;
}

#[tokio::test]
async fn the_page_says_what_to_fetch_beside_it_to_whoever_is_signed_in() {
    let site = Site::start(Db::Sqlite).await;
    let browser = site.signed_in("maya@example.com", Role::Admin).await;
    let session = "</v1/session>; rel=preload; as=fetch; crossorigin";

    let board = browser.get("/board").await;
    let filtered = browser.get("/board?stage=x").await;
    let stranger = site.get("/board").await;

    let links = |answer: &Answer| -> Vec<String> {
        answer.headers.get_all("link").iter().map(|link| link.to_str().expect("text").to_owned()).collect()
    };
    assert_eq!(links(&board), [session, "</v1/identity/board?limit=50>; rel=preload; as=fetch; crossorigin"]);
    assert_eq!(links(&filtered), [session]);
    assert_eq!(links(&stranger), [""; 0]);
    site.stop().await;
}

#[tokio::test]
async fn the_docs_page_works_without_inline_scripts() {
    let site = Site::start(Db::Sqlite).await;

    let page = site.get("/docs/").await;
    let start = site.get("/docs/swagger-initializer.js").await;
    let bundle = site.get("/docs/swagger-ui-bundle.js").await;

    assert_eq!(page.status, StatusCode::OK);
    let scripts = page.text().matches("<script").count();
    assert_eq!(page.text().matches("<script src=").count(), scripts, "{}", page.text());
    assert!(start.text().contains("/openapi.json"), "{}", start.text());
    assert!(start.header("content-type").contains("javascript"));
    assert!(bundle.body.len() > 1_000_000);
    assert_eq!(site.get("/docs/nothing.js").await.problem(), (404, "not_found".to_owned()));
    assert_eq!(site.get("/docs").await.header("location"), "/docs/");
    site.stop().await;
}
