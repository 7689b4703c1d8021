//! Secrets that were set stand nowhere in clear: not in the database, in files, in the log, or in any answer.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::Method;
use leadline_domain::permissions::Role;
use leadline_engine::delivery::{self, destinations::Wish};
use leadline_store::{sealed::PLACES, testing};
use leadline_testkit::{Answer, Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::browser::{Caller, Site};

const PASSWORD: &str = "open-sesame-of-the-crm";
const BASIC: &str = "Basic dXNlcjpvcGVuLXNlc2FtZQ==";
const ANALYSIS_KEY: &str = "sk-analysis-key-in-clear";
const HOOK_SECRET: &str = "hmac-secret-of-the-hook";
const HEADER_SECRET: &str = "header-secret-of-the-hook";
const VERIFY_TOKEN: &str = "verify-token-of-the-hook";
const ACCESS_TOKEN: &str = "access-token-of-the-hook";
const DEVELOPER_TOKEN: &str = "developer-token-of-google-ads";
const CLIENT_SECRET: &str = "client-secret-of-oauth";
const REFRESH_TOKEN: &str = "refresh-token-of-oauth";
const NEXT_REFRESH_TOKEN: &str = "next-refresh-token-of-oauth";
const OAUTH_TOKEN: &str = "access-token-by-oauth";
const META_TOKEN: &str = "access-token-of-meta";
const CERTIFICATE: &str = include_str!("../../../outbound/tests/outbound/fixtures/receiver.crt");
const CERTIFICATE_KEY: &str = include_str!("../../../outbound/tests/outbound/fixtures/receiver.key");

/// Every line that is logged while it is watched, whatever its level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What was found where; the name says it to whoever reads a failure.
struct Found {
    place: String,
    text: String,
}

/// A destination with headers, whose secret was renewed with an overlap. Gives its path and both secrets.
async fn destination(admin: &Caller<'_>, url: &str) -> (String, Vec<String>) {
    let headers = json!({"Authorization": format!("Bearer {PASSWORD}"), "X-Other": BASIC});
    let body = json!({"name": "CRM", "url": url, "events": ["lead.created"], "headers": headers, "retryPlan": "none"});
    let made = admin.post("/v1/delivery/destinations", body).await.json();
    let path = format!("/v1/delivery/destinations/{}", made["id"].as_str().expect("an id"));
    let renewed = admin.post(&format!("{path}/regenerate-secret"), json!({"overlapHours": 168})).await.json();
    let secret = |view: &Value| view["secret"].as_str().expect("the secret, this once").to_owned();
    (path, vec![secret(&made), secret(&renewed)])
}

/// Destinations of ad platforms, asked with everything that one can be asked with. Gives their paths.
async fn platforms(admin: &Caller<'_>, [google, meta, tokens]: [&Receiver; 3]) -> [String; 2] {
    let told = json!({"access_token": OAUTH_TOKEN, "refresh_token": NEXT_REFRESH_TOKEN, "expires_in": 3_600});
    tokens.answers_otherwise(Answer::Body(200, told.to_string()));
    let echo = |sent: &[&str]| {
        let message = format!("you sent {}", sent.join(" and "));
        Answer::Body(400, json!({"error": {"message": message}}).to_string())
    };
    google.answers_otherwise(echo(&[DEVELOPER_TOKEN, CLIENT_SECRET, OAUTH_TOKEN]));
    meta.answers_otherwise(echo(&[META_TOKEN]));
    let oauth = json!({"grant": "refresh_token", "tokenUrl": tokens.url(), "clientId": "client-1",
        "clientSecret": CLIENT_SECRET, "refreshToken": REFRESH_TOKEN});
    let goals = json!([{"on": "created", "name": "Lead", "conversionAction": "customers/1/conversionActions/2"}]);
    let google = json!({"name": "Google Ads", "url": google.url(), "format": "google_ads", "token": DEVELOPER_TOKEN,
        "oauth": oauth, "conversions": {"goals": goals, "withIdentifiers": true}, "retryPlan": "none",
        "clientCertificate": {"certificate": CERTIFICATE, "key": CERTIFICATE_KEY}});
    let meta = json!({"name": "Meta", "url": meta.url(), "format": "meta_capi", "token": META_TOKEN, "retryPlan": "none",
        "conversions": {"goals": goals, "testEventCode": "TEST1"}});
    let mut paths = Vec::new();
    for body in [google, meta] {
        let made = admin.post("/v1/delivery/destinations", body).await;
        assert_eq!(made.status, 200, "{}", made.text());
        assert_eq!(made.json()["hasToken"], true);
        paths.push(format!("/v1/delivery/destinations/{}", made.json()["id"].as_str().expect("an id")));
    }
    paths.try_into().expect("two")
}

async fn hook(admin: &Caller<'_>, reception: Value) -> String {
    let mut body = json!({"name": "Hook", "verifyToken": VERIFY_TOKEN, "accessToken": ACCESS_TOKEN});
    body.as_object_mut().expect("an object").extend(reception.as_object().expect("an object").clone());
    let made = admin.post("/v1/identity/lead-webhooks", body).await;
    assert_eq!(made.status, 200, "{}", made.text());
    format!("/webhooks/leads/{}", made.json()["apiKey"].as_str().expect("a key"))
}

/// Everything that the secrets are used for: senders' proofs, an analysis, deliveries that arrive, are refused, are
/// echoed and find nobody, and the Test button.
async fn use_them(site: &Site, admin: &Caller<'_>, receiver: &Receiver, destinations: &[&str]) {
    let by_signature = hook(admin, json!({"proof": "signature", "secret": HOOK_SECRET})).await;
    let by_header = hook(admin, json!({"proof": "header", "secret": HEADER_SECRET})).await;
    let endpoint = json!({"enabled": true, "baseUrl": receiver.url(), "model": "small", "key": ANALYSIS_KEY});
    let settings = admin.patch("/v1/admin/analysis", json!({"endpoint": endpoint})).await;
    assert_eq!(settings.status, 200, "{}", settings.text());
    let sender = |name: &'static str, value: String| {
        let mut sender = site.stranger();
        sender.headers.insert(name, value.parse().expect("a header"));
        sender
    };

    let lead = json!({"name": "Ada", "email": "ada@example.com", "message": "please call"});
    let signature = format!("sha256={}", leadline_outbound::hmac_hex(HOOK_SECRET, &lead.to_string()));
    let taken = [
        sender("x-hub-signature-256", signature).post(&by_signature, lead.clone()).await,
        sender("x-webhook-secret", HEADER_SECRET.to_owned())
            .post(&by_header, json!({"email": "bob@example.com"}))
            .await,
    ];
    taken.iter().for_each(|answer| assert_eq!(answer.status, 200, "{}", answer.text()));
    // At the wrong door, where the request is refused and kept for whoever looks into it.
    let refused = sender("x-webhook-secret", HEADER_SECRET.to_owned()).post(&by_signature, lead).await;
    assert_eq!(refused.status, 401);

    let echo = format!("you sent Bearer {PASSWORD} and {BASIC}");
    receiver.answers([
        Answer::Status(200),
        Answer::Body(400, echo.clone()),
        Answer::With(400, "x-echo", echo.clone()),
        Answer::Body(200, echo),
    ]);
    site.app.run_jobs().await;
    site.app.run_analyses().await;
    for name in ["cy", "di"] {
        site.app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await;
    }
    site.app.run_jobs().await;
    for path in destinations {
        let tested = admin.send(Method::POST, &format!("{path}/test"), None).await;
        assert_eq!(tested.status, 200, "{}", tested.text());
    }
    leadline_engine::capture::inbound::refused::keep_refused(&site.app.engine).await.expect("kept");
}

/// Something goes wrong with a destination, which is logged.
async fn break_one(site: &Site, path: &str) {
    let id = path.rsplit('/').next().expect("an id");
    site.app.execute(&format!("UPDATE destinations SET headers_sealed = 'v1:broken' WHERE id = '{id}'")).await;
    site.app.submit(json!({"name": "ed"})).await;
    site.app.run_jobs().await;
}

/// What every GET of the API answers, with every id that is there wherever one goes.
async fn answers(admin: &Caller<'_>) -> Vec<Found> {
    let document: Value = serde_json::from_str(&leadline_server::openapi_json()).expect("JSON");
    let mut ids = Vec::new();
    for list in ["delivery/destinations", "delivery/deliveries", "identity/lead-webhooks", "identity/leads"] {
        let page = admin.get(&format!("/v1/{list}")).await.json();
        ids.extend(
            page["data"].as_array().expect("a list").iter().map(|row| row["id"].as_str().expect("an id").to_owned()),
        );
    }
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        if item.get("get").is_none() || path == "/v1/live" {
            continue;
        }
        let asked: Vec<String> = match (path.find('{'), path.find('}')) {
            (Some(from), Some(to)) => {
                ids.iter().map(|id| format!("{}{id}{}", &path[..from], &path[to + 1..])).collect()
            }
            _ => vec![path.clone()],
        };
        for path in asked {
            let text = admin.get(&path).await.text();
            found.push(Found { place: format!("GET {path}"), text });
        }
    }
    found
}

/// What is wrong with a value is said without the value.
async fn error_pages(admin: &Caller<'_>, destination: &str) -> Vec<Found> {
    let headers = json!({"X-Bad Name": PASSWORD, "X-Control": format!("{PASSWORD}\u{1}"), "webhook-id": PASSWORD});
    let pages = [
        admin.patch(destination, json!({"headers": headers})).await,
        admin.patch(destination, json!({"token": format!("{DEVELOPER_TOKEN}\n{DEVELOPER_TOKEN}")})).await,
        admin.patch(destination, json!({"clientCertificate": {"certificate": CERTIFICATE_KEY, "key": ""}})).await,
        admin
            .patch(
                destination,
                json!({"oauth": {"grant": CLIENT_SECRET, "tokenUrl": "x", "clientId": "",
            "clientSecret": format!("{CLIENT_SECRET}\u{0}")}}),
            )
            .await,
        admin.patch("/v1/admin/analysis", json!({"endpoint": {"key": format!("{ANALYSIS_KEY}\n")}, "x": 1})).await,
        admin.patch("/v1/admin/analysis", json!({"endpoint": {"key": format!("{ANALYSIS_KEY} é")}})).await,
    ];
    let found = pages.into_iter().map(|page| {
        assert_eq!(page.status, 422, "{}", page.text());
        Found { place: "an error page".to_owned(), text: page.text() }
    });
    found.collect()
}

async fn columns(site: &Site) -> Vec<Found> {
    let store = &site.app.engine.store;
    let mut found = Vec::new();
    for (table, column) in testing::columns(store).await.expect("the columns") {
        // The index of words that SQLite keeps has tables of its own; their text is in the file, which is searched.
        let is_of_an_index = table.starts_with("lead_search") || table.starts_with("sqlite_");
        if is_of_an_index {
            continue;
        }
        for text in testing::texts(store, &table, &column).await.expect("readable") {
            found.push(Found { place: format!("{table}.{column}"), text });
        }
    }
    found
}

/// Every file of the data folder: on SQLite the database and its write-ahead log, always the spool.
fn files(folder: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("readable")).into_owned();
            found.push(Found { place: entry.path().display().to_string(), text });
        }
    }
    found
}

fn assert_nowhere(found: &[Found], secrets: &[String]) {
    for Found { place, text } in found {
        for secret in secrets {
            assert!(!text.contains(secret.as_str()), "{secret} stands in {place}: {text:.2000}");
        }
    }
}

/// That the search would find something: a place that surely holds this.
fn assert_somewhere(found: &[Found], text: &str) {
    assert!(found.iter().any(|found| found.text.contains(text)), "{text} is looked for and not found");
}

/// One thread, so that the log of everything is this thread's.
#[rstest]
#[tokio::test]
async fn no_secret_stands_anywhere_in_clear_after_it_was_set(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _watched = tracing::subscriber::set_default(subscriber);
    let site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let admin = site.with_token(&token);
    let receiver = Receiver::start().await;
    let (reached, mut secrets) = destination(&admin, &receiver.url()).await;
    // A port that nobody listens on.
    let (nobody, of_nobody) = destination(&admin, "http://127.0.0.1:9/hook").await;
    secrets.extend(of_nobody);
    // Whoever has the bytes behind it has the secret.
    let bare: Vec<String> = secrets.iter().map(|secret| secret.trim_start_matches("whsec_").to_owned()).collect();
    secrets.extend(bare);
    secrets.extend(
        [PASSWORD, BASIC, ANALYSIS_KEY, HOOK_SECRET, HEADER_SECRET, VERIFY_TOKEN, ACCESS_TOKEN].map(str::to_owned),
    );

    let [at_google, at_meta, tokens] = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    let [google, meta] = platforms(&admin, [&at_google, &at_meta, &tokens]).await;
    let of_the_key = CERTIFICATE_KEY.lines().nth(1).expect("a line of the key");
    let of_platforms = [DEVELOPER_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, NEXT_REFRESH_TOKEN, OAUTH_TOKEN, META_TOKEN];
    secrets.extend(of_platforms.into_iter().chain([of_the_key]).map(str::to_owned));

    use_them(&site, &admin, &receiver, &[&reached, &nobody, &google, &meta]).await;

    let sent = receiver.received();
    assert!(sent.iter().any(|request| request.header("authorization").contains(PASSWORD)), "they are in use");
    assert!(sent.iter().any(|request| request.header("authorization").contains(ANALYSIS_KEY)), "they are in use");
    let asked: Vec<_> = at_google.received().into_iter().chain(at_meta.received()).collect();
    assert!(asked.iter().any(|request| request.header("developer-token") == DEVELOPER_TOKEN), "they are in use");
    assert!(asked.iter().any(|request| request.header("authorization").contains(OAUTH_TOKEN)), "they are in use");
    assert!(asked.iter().any(|request| request.uri.contains(META_TOKEN)), "they are in use");
    assert!(tokens.received().iter().any(|one| String::from_utf8_lossy(&one.body).contains(REFRESH_TOKEN)));
    let rows = columns(&site).await;
    assert_somewhere(&rows, "you sent ••• and ••• and •••");
    assert_somewhere(&rows, "ada@example.com");
    assert_somewhere(&rows, "you sent ••• and •••");
    assert_somewhere(&rows, "x-webhook-secret");
    assert_nowhere(&rows, &secrets);
    let answers = answers(&admin).await;
    assert_somewhere(&answers, "headerNames");
    assert_somewhere(&answers, "clientCertificateSha256\":\"");
    assert_somewhere(&answers, "previousSecretUntil\":\"2");
    assert_nowhere(&answers, &secrets);
    assert_nowhere(&error_pages(&admin, &reached).await, &secrets);
    break_one(&site, &nobody).await;
    let files = files(site.app.data_dir());
    if db == Db::Sqlite {
        assert_somewhere(&files, "ada@example.com");
    }
    assert_nowhere(&files, &secrets);
    let logged = [Found { place: "the log".to_owned(), text: log.text() }];
    assert_somewhere(&logged, "a destination cannot be used");
    assert_nowhere(&logged, &secrets);
    assert_all_listed(&site, &rows);
    site.stop().await;
}

/// Whatever is sealed is found again by a rotation of the key.
fn assert_all_listed(site: &Site, rows: &[Found]) {
    let listed: Vec<String> = PLACES.iter().map(|place| format!("{}.{}", place.table, place.column)).collect();
    for Found { place, text } in rows {
        let is_sealed = text.split('"').any(|part| site.app.engine.keys.open(part).is_ok());
        assert!(!is_sealed || listed.contains(place), "{place} holds something sealed and is not in the list");
    }
}

/// Short values are in every text by chance, and a body without them is kept as it is.
#[rstest]
#[tokio::test]
async fn what_a_receiver_says_is_kept_but_for_the_headers_that_it_repeats(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let receiver = Receiver::start().await;
    let headers =
        [("Authorization", "Bearer abc.def.ghi"), ("X-Env", "a")].map(|(name, value)| (name.into(), value.into()));
    let wish = Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.created".into()]),
        headers: Some(headers.into()),
        ..Wish::default()
    };
    let actor = site.app.actor();
    let made = delivery::destinations::create_destination(&site.app.engine, &actor, &wish).await.expect("made");
    receiver.answers([Answer::Body(200, "a token abc.def.ghi and a banana".to_owned())]);

    let attempt = delivery::destinations::test_destination(&site.app.engine, &actor, made.destination.id).await;

    let attempt = attempt.expect("sent");
    assert_eq!(attempt.response_body.as_deref(), Some("a token ••• and a banana"));
    site.stop().await;
}
