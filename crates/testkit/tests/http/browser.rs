//! A browser or program that talks to the application in the test's process.

use axum::{Router, body::Body, http};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use leadline_domain::{ids::WorkspaceId, permissions::Role};
use leadline_engine::{
    admin::{
        tokens::{self, NewToken},
        users::{self, NewUser},
    },
    capture::form_token,
};
use leadline_server::{App, Settings};
use leadline_testkit::{Db, TestApp};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The password of everybody in these tests.
pub const PASSWORD: &str = "correct horse battery";

/// What the browser of these tests calls itself.
const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0";

/// A text as it stands in a query.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What a workbook's first sheet says, as far as these tests look.
pub fn sheet(workbook: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook)).expect("an archive");
    let mut text = String::new();
    for part in ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"] {
        archive.by_name(part).unwrap_or_else(|error| panic!("{part}: {error}"));
    }
    let mut file = archive.by_name("xl/worksheets/sheet1.xml").expect("a sheet");
    std::io::Read::read_to_string(&mut file, &mut text).expect("a text");
    text
}

/// The application behind its router.
pub struct Site {
    pub app: TestApp,
    router: Router,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// What a list shows: its JSON, or the lines of a table for a spreadsheet without their heading.
    pub fn shown(&self) -> Value {
        if self.header("content-type").starts_with("text/csv") {
            return json!({"data": self.text().lines().skip(1).collect::<Vec<_>>()});
        }
        if self.header("content-type").contains("spreadsheetml") {
            return json!({"data": sheet(&self.body).split("<row ").skip(2).collect::<Vec<_>>()});
        }
        self.json()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status and the `code` of a problem.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        (self.status.as_u16(), self.json()["code"].as_str().expect("a code").to_owned())
    }

    /// The pointers of a problem.
    pub fn pointers(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_array().expect("errors");
        errors.iter().map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
    }
}

impl Site {
    pub async fn start(db: Db) -> Self {
        Self::start_with(db, Settings::default()).await
    }

    /// The application behind proxies of this range.
    pub async fn start_behind(db: Db, proxies: &str) -> Self {
        Self::start_with(db, Settings { trusted_proxies: vec![proxies.parse().expect("a range")] }).await
    }

    async fn start_with(db: Db, settings: Settings) -> Self {
        let app = TestApp::start(db).await;
        let router = leadline_server::router(App::new(app.engine.clone(), settings));
        Self { app, router }
    }

    /// Stops the process and starts it again.
    pub async fn restart(&mut self) {
        self.app.restart().await;
        self.reopen();
    }

    /// Serves the application as it is since it was started again.
    pub fn reopen(&mut self) {
        self.router = leadline_server::router(App::new(self.app.engine.clone(), Settings::default()));
    }

    /// Sends a request as a browser does: it says which it is, unless the request says something else.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        let response = self.answer(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The answer to a request while it is sent.
    pub async fn answer(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Somebody without anything.
    pub fn stranger(&self) -> Caller<'_> {
        Caller { site: self, headers: HeaderMap::new() }
    }

    /// Somebody with this token.
    pub fn with_token(&self, token: &str) -> Caller<'_> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().expect("a header"));
        Caller { site: self, headers }
    }

    /// A token of nobody with this role.
    pub async fn token(&self, role: Role) -> String {
        self.token_in(self.app.workspace, role).await
    }

    /// A token of nobody with this role in another workspace.
    pub async fn token_in(&self, workspace: WorkspaceId, role: Role) -> String {
        let token = NewToken { name: "test".to_owned(), role: role.into(), scopes: None, expires_at: None };
        let made = tokens::issue(&self.app.engine.store, self.app.now(), workspace, None, token).await;
        made.expect("a token").secret
    }

    /// A member of the workspace, who can sign in, and their id.
    pub async fn member(&self, email: &str, role: Role) -> String {
        let (name, email) = (email.to_owned(), email.to_owned());
        let user = NewUser { email, name, role: role.into(), password: Some(PASSWORD.to_owned()) };
        let made = users::take_in(&self.app.engine.store, self.app.now(), self.app.workspace, user).await;
        made.expect("a member").member.id.to_string()
    }

    /// A browser in which a new member has signed in.
    pub async fn signed_in(&self, email: &str, role: Role) -> Caller<'_> {
        self.member(email, role).await;
        self.sign_in(email).await
    }

    /// A browser in which a member has signed in.
    pub async fn sign_in(&self, email: &str) -> Caller<'_> {
        let answer = self.stranger().post("/v1/session", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self.browser_of(&answer)
    }

    /// The browser that got this answer to signing in.
    pub fn browser_of(&self, answer: &Answer) -> Caller<'_> {
        let cookie = answer.header("set-cookie").split(';').next().expect("a cookie");
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().expect("a header"));
        Caller { site: self, headers }.with_token_of(&answer.json())
    }

    /// The form token of this hour, as the embed script has it.
    pub fn form_token(&self) -> String {
        form_token::issue(&self.app.engine.keys, self.app.now())
    }

    /// Serves the application on loopback until the test ends, and gives its address.
    pub async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    pub async fn stop(self) {
        drop(self.router);
        self.app.stop().await;
    }
}

/// Whoever sends requests with the same headers.
#[derive(Clone)]
pub struct Caller<'a> {
    site: &'a Site,
    pub headers: HeaderMap,
}

impl Caller<'_> {
    /// The same browser with the token for changes that a session came with.
    pub fn with_token_of(mut self, session: &Value) -> Self {
        let token = session["csrfToken"].as_str().expect("a CSRF token");
        self.headers.insert("x-csrf-token", token.parse().expect("a header"));
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request.headers_mut().expect("headers").extend(self.headers.clone());
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.site.send(request.expect("a request")).await
    }
}
