//! The one error of the HTTP surface, as `application/problem+json` (RFC 9457).
//!
//! Whatever a handler or an extractor refuses becomes an [`ApiError`]. An internal error is logged here, once and with
//! its whole chain; the client gets the request id and nothing else. The codes stand in [`codes`], the request id comes
//! from [`crate::request_id`].

mod codes;

use std::error::Error as StdError;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use leadline_engine::admin::AdminError;
use leadline_store as store;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub use codes::Code;

/// What a handler answers.
pub type ApiResult<T> = Result<T, ApiError>;

/// A refused request.
#[derive(Debug, Clone)]
pub struct ApiError {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    conflicts: Vec<ConflictView>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where the field stands in the body, as a JSON pointer.
    #[schema(example = "/email")]
    pub pointer: String,
    /// What is wrong with it.
    #[schema(example = "is required")]
    pub message: String,
}

/// A field that somebody else changed meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictView {
    /// Where the field stands in the body, as a JSON pointer.
    #[schema(example = "/company")]
    pub pointer: String,
    /// What the request would write.
    pub yours: Value,
    /// What is there; null where it is not to be seen without `pii:view`.
    pub theirs: Value,
}

/// The body of every error answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A page that explains the code.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors#invalid_fields")]
    kind: String,
    /// A few words for people.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What was wrong with this very request.
    detail: String,
    /// A stable name for programs.
    #[schema(example = "invalid_fields")]
    code: &'static str,
    /// The fields that are wrong, if it is about fields.
    errors: Vec<FieldError>,
    /// The fields that somebody else changed meanwhile, with `stale_version` of a lead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    conflicts: Vec<ConflictView>,
    /// The id that the server's log has for the request.
    request_id: String,
}

impl ApiError {
    /// An error that says what its code means.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), conflicts: Vec::new(), headers: Vec::new() }
    }

    /// There is no such thing, or not in this workspace.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// A field is wrong. More can be added with [`Self::and_field`].
    #[must_use]
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidFields).and_field(pointer, message)
    }

    /// Something failed that the caller can do nothing about. Logs `error` with all its causes.
    #[must_use]
    pub fn internal(error: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error = %Chain(error), "request failed");
        Self::new(Code::Internal)
    }

    /// Says what was wrong with this very request.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Points at one more field.
    #[must_use]
    pub fn and_field(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError { pointer: pointer.into(), message: message.into() });
        self
    }

    /// The same, of a body that holds what was refused under `pointer`.
    #[must_use]
    pub fn within(mut self, pointer: &str) -> Self {
        for error in &mut self.errors {
            error.pointer.insert_str(0, pointer);
        }
        self
    }

    /// Shows what somebody else wrote where the request would write something else.
    #[must_use]
    pub fn in_conflict(mut self, conflict: ConflictView) -> Self {
        self.conflicts.push(conflict);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// What went wrong.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    fn problem(&self) -> Problem {
        Problem {
            kind: format!("/docs/errors#{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone().unwrap_or_else(|| self.code.meaning().to_owned()),
            code: self.code.as_str(),
            errors: self.errors.clone(),
            conflicts: self.conflicts.clone(),
            request_id: crate::request_id::current(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = (self.code.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.extend(self.headers);
        response
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Invalid { field, message } => Self::field(format!("/{field}"), message),
            AdminError::WrongCredentials => Self::new(Code::WrongCredentials),
            AdminError::TooManyAttempts { retry_after_s } => {
                Self::new(Code::TooManyAttempts).retry_after(retry_after_s)
            }
            AdminError::AlreadySetUp => Self::new(Code::AlreadySetUp),
            AdminError::NotFound => Self::not_found(),
            AdminError::Conflict(detail) => Self::new(Code::Conflict).detail(detail),
            AdminError::Forbidden(detail) => Self::new(Code::Forbidden).detail(detail),
            AdminError::SecondFactorNeeded => Self::new(Code::SecondFactorNeeded),
            AdminError::WrongCode => Self::new(Code::WrongCode),
            AdminError::PasswordsOff => Self::new(Code::PasswordsOff),
            AdminError::SignInOver => Self::new(Code::SignInOver),
            AdminError::Provider(error) => Self::new(Code::ProviderFailed).detail(error.to_string()),
            AdminError::Refused { field, message } => Self::field(format!("/{field}"), message),
            AdminError::InvitationInvalid => Self::new(Code::InvitationInvalid),
            AdminError::Hashing | AdminError::Sealed(_) => Self::internal(&error),
            AdminError::Store(error) => error.into(),
        }
    }
}

/// Answers where no route matches.
pub async fn not_found() -> ApiError {
    ApiError::not_found()
}

/// Answers where the route exists but not for this method.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed)
}

/// Turns a caught panic into a 500 that tells nothing but the request id.
#[must_use]
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::new(Code::Internal).into_response()
}

/// An error followed by its causes.
struct Chain<'a>(&'a (dyn StdError + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn codes_are_unique_snake_case() {
        let mut seen = HashSet::new();

        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} stands twice", code.as_str());
            assert!(code.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[tokio::test]
    async fn a_panic_becomes_an_error_with_the_request_id() {
        async fn handler() {
            panic!("password=hunter2");
        }
        let router = axum::Router::new()
            .route("/", axum::routing::get(handler))
            .layer(tower_http::catch_panic::CatchPanicLayer::custom(panicked))
            .layer(axum::middleware::from_fn(crate::request_id::assign));

        let request = axum::extract::Request::get("/").body(axum::body::Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");

        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = answer.headers()[crate::request_id::X_REQUEST_ID].to_str().expect("text").to_owned();
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(body.contains(&id) && !body.contains("hunter2"), "{body}");
    }

    #[test]
    fn an_internal_error_tells_nothing_of_its_cause() {
        let error = ApiError::internal(&std::io::Error::other("password=hunter2"));

        let body = serde_json::to_string(&error.problem()).expect("a problem is plain JSON");

        assert!(!body.contains("hunter2"), "{body}");
    }
}
