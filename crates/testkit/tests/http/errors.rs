//! What every refusal looks like.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::browser::Site;

fn request(method: &str, path: &str, content_type: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", content_type);
    request.body(Body::from(body.to_owned())).expect("a request")
}

const JSON: &str = "application/json";

#[rstest]
#[case::no_such_route("GET", "/v1/nothing", JSON, "", 404, "not_found")]
#[case::wrong_method("PUT", "/v1/session", JSON, "{}", 405, "method_not_allowed")]
#[case::broken_json("POST", "/v1/session", JSON, "{\"email\":", 400, "unreadable_body")]
#[case::empty_body("POST", "/v1/session", JSON, "", 400, "empty_body")]
#[case::array("POST", "/v1/session", JSON, "[]", 422, "not_an_object")]
#[case::missing_field("POST", "/v1/session", JSON, "{\"email\":\"a\"}", 422, "invalid_fields")]
#[case::unknown_field(
    "POST",
    "/v1/session",
    JSON,
    "{\"email\":\"a\",\"password\":\"b\",\"admin\":true}",
    422,
    "unknown_field"
)]
#[case::not_json("POST", "/v1/session", "text/plain", "{}", 415, "unsupported_media_type")]
#[tokio::test]
async fn every_refusal_is_a_problem(
    #[case] method: &str,
    #[case] path: &str,
    #[case] content_type: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let site = Site::start(Db::Sqlite).await;

    let answer = site.send(request(method, path, content_type, body)).await;

    assert_eq!(answer.problem(), (status, code.to_owned()));
    let problem = answer.json();
    assert_eq!(problem["type"], json!(format!("/docs/errors#{code}")));
    assert_eq!(problem["status"], json!(status));
    assert!(problem["title"].is_string() && problem["detail"].is_string() && problem["errors"].is_array());
    assert_eq!(problem["requestId"], json!(answer.header("x-request-id")));
    site.stop().await;
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let site = Site::start(Db::Sqlite).await;

    let answer = site.send(request("PUT", "/v1/setup", JSON, "{}")).await;

    let allowed = answer.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    site.stop().await;
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_too_large() {
    let site = Site::start(Db::Sqlite).await;
    let body = format!("{{\"email\":\"{}\"}}", "x".repeat(1024 * 1024));

    let answer = site.send(request("POST", "/v1/session", JSON, &body)).await;

    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn an_id_that_is_none_names_nothing() {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.with_token(&site.token(Role::Admin).await);

    for id in ["x", "%00", "1", "%27%20OR%201=1--", "%ff%fe"] {
        let answer = admin.patch(&format!("/v1/admin/users/{id}"), json!({})).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{id}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_request_id_of_the_caller_is_not_taken_over() {
    let site = Site::start(Db::Sqlite).await;
    let request = Request::get("/v1/setup").header("x-request-id", "forged").body(Body::empty()).expect("a request");

    let answer = site.send(request).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert!(uuid::Uuid::parse_str(answer.header("x-request-id")).is_ok());
    site.stop().await;
}

#[tokio::test]
async fn every_code_is_explained() {
    let site = Site::start(Db::Sqlite).await;

    let page = site.get("/docs/errors").await.text();

    for code in leadline_server::Code::ALL {
        assert!(page.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
    }
    site.stop().await;
}
