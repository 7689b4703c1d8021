//! Extractors whose refusals are [`ApiError`]s: a JSON body, the query string, the path.
//!
//! A JSON body that does not fit its type is answered with pointers to what is wrong. Unknown fields are refused where
//! the type says `#[serde(deny_unknown_fields)]`, which every request type does.

mod strict;

use axum::{
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header, request::Parts};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;

use self::strict::Strict;
use crate::{
    body,
    error::{ApiError, ApiResult, Code},
};

/// A JSON body, in or out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        demand_json(request.headers())?;
        let bytes = body::read(request).await?;
        parse_json(&bytes.bytes).map(Self)
    }
}

/// A body that may be left out, or be null.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Option<Self>> {
        let demanded = demand_json(request.headers());
        let bytes = body::read(request).await?;
        if bytes.bytes.is_empty() {
            return Ok(None);
        }
        demanded?;
        parse_json(&bytes.bytes).map(|body: Option<T>| body.map(Self))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn demand_json(headers: &HeaderMap) -> ApiResult<()> {
    if is_json(headers) {
        return Ok(());
    }
    Err(ApiError::new(Code::UnsupportedMediaType).detail("send Content-Type: application/json"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a JSON document as `T`, with pointers in the error.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    match bytes.trim_ascii_start().first() {
        None => return Err(ApiError::new(Code::EmptyBody)),
        Some(b'[') => return Err(ApiError::new(Code::NotAnObject)),
        Some(_) => {}
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| {
        let path = pointer(error.path());
        json_error(error.inner(), path)
    })?;
    deserializer.end().map_err(|error| json_error(&error, String::new()))?;
    Ok(value)
}

fn json_error(error: &serde_json::Error, pointer: String) -> ApiError {
    if !error.is_data() {
        return ApiError::new(Code::UnreadableBody).detail(format!("not valid JSON: {error}"));
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    if let Some(name) = quoted(text, "unknown field `") {
        return ApiError::new(Code::UnknownField).and_field(child(pointer, name), "is not a field that exists here");
    }
    if let Some(name) = quoted(text, "missing field `") {
        return ApiError::field(child(pointer, name), "is required");
    }
    ApiError::field(pointer, humane(text))
}

fn quoted<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.split('`').next()
}

/// The pointer to `name` in the object at `pointer`, which may already be the pointer to it.
fn child(pointer: String, name: &str) -> String {
    let step = format!("/{}", escape(name));
    if pointer.ends_with(&step) { pointer } else { pointer + &step }
}

/// Serde's "invalid type: null, expected a string" as "must be a string, not null".
fn humane(text: &str) -> String {
    let found = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    match found.and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => format!("must be {expected}, not {found}"),
        None => text.to_owned(),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => format!("{pointer}/{}", escape(key)),
        Segment::Unknown => pointer,
    })
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// For a field of a PATCH: absent is `None`, `null` is `Some(None)`. Use it with `#[serde(default)]`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The query string.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + 'static> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let query =
            axum::extract::Query::<T>::from_request_parts(parts, state).await.map_err(|error| query_error(&error))?;
        Ok(Self(query.0))
    }
}

fn query_error(error: &QueryRejection) -> ApiError {
    let text = error.body_text();
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
    ApiError::new(Code::InvalidQuery).detail(text)
}

/// What stands in the path. Text that is no id names nothing, so it is answered like an unknown id.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let path =
            axum::extract::Path::<T>::from_request_parts(parts, state).await.map_err(|_| ApiError::not_found())?;
        Ok(Self(path.0))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Request {
        #[expect(dead_code, reason = "only its parsing is tested")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only its parsing is tested")]
        places: Vec<Place>,
        #[serde(default, deserialize_with = "present")]
        company: Option<Option<String>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Place {
        #[expect(dead_code, reason = "only its parsing is tested")]
        zip: u32,
    }

    #[rstest]
    #[case::missing(r#"{}"#, Code::InvalidFields, "/name", "is required")]
    #[case::wrong_kind(r#"{"name":null}"#, Code::InvalidFields, "/name", "must be a string, not null")]
    #[case::unknown(r#"{"name":"a","a/b~c":1}"#, Code::UnknownField, "/a~1b~0c", "is not a field that exists here")]
    #[case::nested(
        r#"{"name":"a","places":[{"zip":1},{"zip":"x"}]}"#,
        Code::InvalidFields,
        "/places/1/zip",
        "must be u32, not string \"x\""
    )]
    #[case::nested_unknown(
        r#"{"name":"a","places":[{"zap":1}]}"#,
        Code::UnknownField,
        "/places/0/zap",
        "is not a field that exists here"
    )]
    #[case::nested_array(
        r#"{"name":"a","places":[[1]]}"#,
        Code::InvalidFields,
        "/places/0",
        "must be an object, not sequence"
    )]
    #[case::nested_missing(r#"{"name":"a","places":[{}]}"#, Code::InvalidFields, "/places/0/zip", "is required")]
    fn a_wrong_field_is_pointed_at(
        #[case] body: &str,
        #[case] code: Code,
        #[case] pointer: &str,
        #[case] message: &str,
    ) {
        let error = parse_json::<Request>(body.as_bytes()).expect_err("the body is wrong");

        assert_eq!(error.code(), code);
        assert_eq!((error.errors()[0].pointer.as_str(), error.errors()[0].message.as_str()), (pointer, message));
    }

    #[rstest]
    #[case(b"{\"name\":\"a\"} x")]
    #[case(b"{\"name\":")]
    #[case(b"{\"name\":\"\xff\"}")]
    fn broken_json_is_unreadable(#[case] body: &[u8]) {
        let error = parse_json::<Request>(body).expect_err("the body is broken");

        assert_eq!(error.code(), Code::UnreadableBody);
    }

    #[test]
    fn an_array_is_not_taken_for_an_object() {
        let error = parse_json::<Request>(br#"["a",[],null]"#).expect_err("an array");

        assert_eq!(error.code(), Code::NotAnObject);
    }

    #[test]
    fn null_and_absent_differ_in_a_patch() {
        let absent: Request = parse_json(br#"{"name":"a"}"#).expect("valid");
        let cleared: Request = parse_json(br#"{"name":"a","company":null}"#).expect("valid");

        assert_eq!((absent.company, cleared.company), (None, Some(None)));
    }
}
