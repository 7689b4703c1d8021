//! Real deliveries, as files that a program in any language reads, and the questions that are put to it.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use leadline_domain::time::{SECOND_MS, Timestamp};
use leadline_engine::delivery::{destinations, secrets};
use leadline_testkit::{Db, Received, Receiver, TestApp};
use serde_json::json;
use tempfile::TempDir;

/// A secret that nobody here has.
pub const STRANGERS: &str = "whsec_c3RyYW5nZXJzIHNlY3JldCBvZiBlbm91Z2ggYnl0ZXM=";

/// Two deliveries of one destination, and its secrets.
pub struct Recorded {
    /// Signed with the old secret alone.
    pub before: Received,
    /// Signed during the overlap, with both.
    pub during: Received,
    pub old: String,
    pub new: String,
    /// When both were sent, in seconds.
    pub sent_s: i64,
}

/// Has a destination told of a lead at this time, renews its secret with an overlap, and has it told again.
pub async fn record(at: Timestamp) -> Recorded {
    let app = TestApp::start(Db::Sqlite).await;
    app.set_clock(at);
    let receiver = Receiver::start().await;
    let wish = destinations::Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.created".into()]),
        ..destinations::Wish::default()
    };
    let made = destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination");

    // What a careless reading of the body changes: an accent, an emoji, quotes, a line's end.
    app.submit(json!({"name": "Zoë \"Q\" 😀", "email": "zoe@example.com", "message": "one\r\ntwo </script>"})).await;
    app.run_jobs().await;
    let renewed = secrets::regenerate_secret(&app.engine, &app.actor(), made.destination.id, 24).await;
    app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;
    app.run_jobs().await;

    let [before, during] = receiver.received().try_into().expect("two deliveries");
    app.stop().await;
    let new = renewed.expect("a new secret").secret;
    Recorded { before, during, old: made.secret, new, sent_s: at.0 / SECOND_MS }
}

/// A question: is this delivery ours?
#[derive(Clone)]
pub struct Case {
    pub what: &'static str,
    /// `standard` or `plain`.
    pub way: &'static str,
    /// What time it is, in seconds.
    pub now_s: i64,
    pub secrets: Vec<String>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The right answer.
    pub is_ours: bool,
}

/// A delivery that is as it came.
pub fn genuine(way: &'static str, delivery: &Received, secret: &str, now_s: i64) -> Case {
    let headers = delivery.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned())).collect();
    Case {
        what: "as it came",
        way,
        now_s,
        secrets: vec![secret.to_owned()],
        headers,
        body: delivery.body.to_vec(),
        is_ours: true,
    }
}

impl Case {
    /// The same with another value of a header, or without it.
    pub fn with_header(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }
}

/// Writes the cases where a driver finds them.
pub fn write(cases: &[Case]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut list = String::new();
    for (number, case) in cases.iter().enumerate() {
        let headers: String = case.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        fs::write(folder.path().join(format!("headers{number}")), headers).expect("written");
        fs::write(folder.path().join(format!("body{number}")), &case.body).expect("written");
        let Case { way, now_s, secrets, .. } = case;
        writeln!(list, "{way}\t{now_s}\t{}\theaders{number}\tbody{number}", secrets.join(",")).expect("text");
    }
    fs::write(folder.path().join("cases.tsv"), list).expect("written");
    folder
}

/// Lets a program answer all cases and compares what it says.
pub fn assert_answers(language: &str, program: &mut Command, cases: &[Case]) {
    let output = program.output().unwrap_or_else(|error| panic!("{language} cannot be run: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{language}: {complaint}");
    let said = String::from_utf8_lossy(&output.stdout);
    let said: Vec<bool> = said.lines().map(|line| line == "yes").collect();
    assert_eq!(said.len(), cases.len(), "{language}: {complaint}");
    for (case, said) in cases.iter().zip(said) {
        assert_eq!(said, case.is_ours, "{language}, {}: {}", case.way, case.what);
    }
}

/// A path from the root of the project.
pub fn from_root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A driver of these tests.
pub fn driver(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers/drivers").join(name)
}
