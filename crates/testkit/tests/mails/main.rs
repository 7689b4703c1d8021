//! E-mail to those who work here, through a real SMTP server.

mod alerts;
mod letters;
mod mailbox;
mod personal;
mod replies;
mod server;

use leadline_outbound::{Mail, MailError, Mailer, Trust};
use rstest::rstest;
use serde_json::Value;

use self::server::Server;

const CREDENTIALS: &str = "leadline:a%20password%2Fwith%2Bsigns@";

async fn send(mailer: &Mailer, to: &str, subject: &str) -> Result<(), MailError> {
    mailer.send(&Mail { id: "1".into(), to, subject, text: "Grüße,\n.\nLeadline 🚀" }).await
}

fn header<'a>(message: &'a Value, name: &str) -> Option<&'a str> {
    let lines = message["content"].as_str().expect("content").split("\r\n").take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[rstest]
#[case::starttls("starttls", CREDENTIALS, "", true)]
#[case::tls("tls", "", "", true)]
#[case::plain("plain", "", "?tls=none", false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_one_person_whole(
    #[case] mode: &'static str,
    #[case] credentials: &str,
    #[case] query: &str,
    #[case] is_encrypted: bool,
) {
    let server = Server::start(mode);
    send(&server.mailer(credentials, query), "ada@example.com", "Grüße").await.expect("taken");
    let message = server.next();
    assert_eq!(message["to"], serde_json::json!(["ada@example.com"]));
    assert_eq!(message["from"], "leadline@example.com");
    assert_eq!(message["isEncrypted"], is_encrypted);
    assert_eq!(message["isSignedIn"], !credentials.is_empty());
    assert_eq!(header(&message, "Auto-Submitted"), Some("auto-generated"));
    assert_eq!(header(&message, "Message-ID"), Some("<1@example.com>"));
    assert_eq!(server.rest(), Vec::<Value>::new());
}

#[rstest]
#[case::nobody("refused@example.com", true)]
#[case::busy("later@example.com", false)]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_decides_whether_it_is_asked_again(#[case] to: &str, #[case] is_final: bool) {
    let server = Server::start("starttls");
    let error = send(&server.mailer(CREDENTIALS, ""), to, "Hello").await.expect_err("not taken");
    assert_eq!(matches!(error, MailError::Refused(_)), is_final, "{error}");
    assert!(error.to_string().contains(if is_final { "550" } else { "451" }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_can_be_mended_and_is_not_shown() {
    let server = Server::start("starttls");
    let error = send(&server.mailer("leadline:wr0ng@", ""), "ada@example.com", "Hello").await.expect_err("not taken");
    assert!(matches!(&error, MailError::Failed(text) if !text.contains("wr0ng")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_that_cannot_prove_who_it_is() {
    let server = Server::start("starttls");
    let stranger = server.mailer_that_trusts(CREDENTIALS, "", Trust::Only(Vec::new()));
    let error = send(&stranger, "ada@example.com", "Hello").await.expect_err("not taken");
    assert!(matches!(error, MailError::Failed(_)), "{error}");
    let plain = Server::start("plain");
    let error = send(&plain.mailer(CREDENTIALS, ""), "ada@example.com", "Hello").await.expect_err("not taken");
    assert!(matches!(error, MailError::Failed(_)), "a server without TLS got a password: {error}");
    assert_eq!((server.rest(), plain.rest()), (Vec::new(), Vec::new()));
}

/// Each of these makes a second command or header where it is written as it is. Wherever it stands, there is one message
/// to one person, or none.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_an_address_or_a_subject_makes_a_command_or_a_header() {
    let server = Server::start("plain");
    let mailer = server.mailer("", "?tls=none");
    let cases = cases();
    assert!(cases.len() > 20, "only {} cases", cases.len());
    for case in &cases {
        send(&mailer, "ada@example.com", case).await.expect("taken");
        let message = server.next();
        assert_eq!(message["to"], serde_json::json!(["ada@example.com"]), "{case:?}");
        for name in ["Bcc", "Cc", "X-Injected", "Set-Cookie", "Location"] {
            assert_eq!(header(&message, name), None, "{case:?} made a header");
        }
        assert_eq!(server.rest(), Vec::<Value>::new(), "{case:?} made a second message");
        let address = format!("ada@example.com{case}");
        let has_more = send(&mailer, &address, "Hello").await.is_ok();
        if has_more {
            assert_eq!(server.next()["to"], serde_json::json!([address]), "{case:?} made another recipient");
        }
    }
}

/// Header injections that others collected, as they are and decoded, and those of SMTP.
pub fn cases() -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/payloads/crlf.json");
    let text = std::fs::read_to_string(path).expect("the cases: this needs ../shared/cases beside the project");
    let collected: Vec<String> = serde_json::from_str(&text).expect("a list");
    let of_smtp = [
        "\r\nRCPT TO:<eve@example.com>",
        "\r\nBcc: eve@example.com",
        "\n.\r\nMAIL FROM:<a@b.c>",
        ">\r\nDATA",
        "\r\n.\r\n",
    ];
    let decoded = |case: &String| case.replace("%0d", "\r").replace("%0a", "\n").replace("%%0a0a", "\n");
    let mut cases: Vec<String> = of_smtp.map(str::to_owned).to_vec();
    cases.extend(collected.iter().map(decoded));
    cases.extend(collected);
    cases
}
