//! E-mail: mails by the one server that the operator named, [`letters`] by those that customers name, and what came into
//! a customer's [`mailbox`].
//!
//! The operator's server is no user's choice, so the guard has no say there. The connection is encrypted unless the address says
//! otherwise: `smtps://` from its first byte, `smtp://` by STARTTLS, which is demanded and not merely tried.

mod letters;
mod mailbox;

pub use letters::{Letter, LetterError, LetterFile, Server as MailServer};
pub use mailbox::{Found, Mailbox, MailboxError, MailboxServer};

use std::{fmt, sync::Arc, time::Duration};

use mail_send::{
    Credentials, Error as SmtpError, SmtpClientBuilder,
    mail_builder::{MessageBuilder, headers::address::Address},
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

/// How long one message may take in all.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a server said is kept up to here.
const LONGEST_REASON_CHARS: usize = 500;

/// Which certificates a server may show.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those that this machine trusts.
    System,
    /// Those that one of these signed.
    Only(Vec<CertificateDer<'static>>),
}

/// The settings of outgoing e-mail are wrong.
#[derive(Debug, thiserror::Error)]
pub enum MailerRefused {
    /// The server's address.
    #[error("must be smtps://USER:PASSWORD@HOST or smtp://USER:PASSWORD@HOST:PORT, with ?tls=none where it has no TLS")]
    Server,
    /// A mailbox's server.
    #[error("must be imaps://HOST or imap://HOST:PORT, with ?tls=none where it has no TLS")]
    Mailbox,
    /// The sender's address.
    #[error("must be an address such as leadline@example.com or Leadline <leadline@example.com>")]
    From,
    /// A customer's server without TLS.
    #[error("must be a server with TLS")]
    NotEncrypted,
    /// A customer's server that may not be reached.
    #[error("must be a server on the public internet")]
    Private,
    /// The machine's certificates cannot be read.
    #[error("the certificates that this machine trusts cannot be read: {0}")]
    Certificates(String),
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server will not take it, however often it is asked.
    #[error("{0}")]
    Refused(String),
    /// It may take it later.
    #[error("{0}")]
    Failed(String),
}

/// A message of plain text to one person.
#[derive(Debug, Clone)]
pub struct Mail<'a> {
    /// Its name for all time: the same message sent twice carries the same.
    pub id: String,
    /// Who gets it.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Lines of text.
    pub text: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    FromTheStart,
    StartTls,
    None,
}

/// Sends e-mail.
#[derive(Clone)]
pub struct Mailer {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials<String>>,
    tls: TlsConnector,
    from_name: Option<String>,
    from: String,
    /// What looks at the server's address first, where a customer named it.
    guarded: Option<crate::client::Client>,
}

/// Without the password.
impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("server", &self.server()).field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// A mailer for this server and this sender. Nothing is sent yet.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn new(server: &str, from: &str, trust: Trust) -> Result<Self, MailerRefused> {
        let url = Url::parse(server).map_err(|_| MailerRefused::Server)?;
        let has_no_tls = match url.query() {
            None | Some("tls=required") => false,
            Some("tls=none") => true,
            Some(_) => return Err(MailerRefused::Server),
        };
        let (encryption, port) = match (url.scheme(), has_no_tls) {
            ("smtps", false) => (Encryption::FromTheStart, 465),
            ("smtp", false) => (Encryption::StartTls, 587),
            ("smtp", true) => (Encryption::None, 25),
            _ => return Err(MailerRefused::Server),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailerRefused::Server)?;
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (username, password) => {
                let plain = |text: &str| percent_decoded(text).ok_or(MailerRefused::Server);
                Some(Credentials::Plain { username: plain(username)?, secret: plain(password.unwrap_or_default())? })
            }
        };
        let (from_name, from) = split_sender(from).ok_or(MailerRefused::From)?;
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(port),
            encryption,
            credentials,
            tls: TlsConnector::from(Arc::new(tls(trust)?)),
            from_name,
            from,
            guarded: None,
        })
    }

    /// The server, as people name it.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whom messages come from.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Hands a message to the server. `Ok` means that the server has taken it, not that it was read.
    ///
    /// # Errors
    /// Where the server does not take it.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        if !is_address(mail.to) {
            return Err(MailError::Refused("this is no e-mail address".into()));
        }
        let sent = timeout(TIMEOUT, self.hand_over(mail)).await;
        sent.unwrap_or(Err(SmtpError::Timeout)).map_err(|error| judged(&error))
    }

    async fn hand_over(&self, mail: &Mail<'_>) -> Result<(), SmtpError> {
        let domain = self.from.rsplit('@').next().unwrap_or("localhost");
        let message = MessageBuilder::new()
            .message_id(format!("{}@{domain}", mail.id))
            .from(Address::new_address(self.from_name.as_deref(), self.from.as_str()))
            .to(mail.to)
            .subject(one_line(mail.subject))
            // Nobody is to be told that we are on holiday.
            .header("Auto-Submitted", mail_send::mail_builder::headers::raw::Raw::new("auto-generated"))
            .text_body(mail.text);
        let builder = self.builder();
        // What was taken is taken: how the connection ends does not matter any more.
        if self.encryption == Encryption::None {
            let mut client = builder.connect_plain().await?;
            client.send(message).await?;
            let _ended = client.quit().await;
        } else {
            let mut client = builder.connect().await?;
            client.send(message).await?;
            let _ended = client.quit().await;
        }
        Ok(())
    }

    fn builder(&self) -> SmtpClientBuilder<String> {
        let builder = SmtpClientBuilder::new_with_tls_connector(self.host.clone(), self.port, self.tls.clone())
            .implicit_tls(self.encryption == Encryption::FromTheStart)
            .timeout(TIMEOUT);
        match &self.credentials {
            Some(credentials) => builder.credentials(credentials.clone()),
            None => builder,
        }
    }
}

fn tls(trust: Trust) -> Result<ClientConfig, MailerRefused> {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let refused = |error: rustls::Error| MailerRefused::Certificates(error.to_string());
    match trust {
        Trust::System => ClientConfig::with_platform_verifier().map_err(refused),
        Trust::Only(certificates) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates {
                roots.add(certificate).map_err(refused)?;
            }
            Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
        }
    }
}

/// `Name <address>`, or the address alone.
fn split_sender(sender: &str) -> Option<(Option<String>, String)> {
    let sender = sender.trim();
    let (name, address) = match sender.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"').to_owned()), address.trim()),
        None => (None, sender),
    };
    let name = name.filter(|name| !name.is_empty());
    let is_good = is_address(address) && name.as_deref().is_none_or(|name| !name.contains(char::is_control));
    is_good.then(|| (name, address.to_owned()))
}

/// Whether a server can be told this address: what it may hold beside that is the server's to say. Blanks, brackets and
/// controls would end the command that it stands in.
fn is_address(text: &str) -> bool {
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    let is_tame = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '\\');
    !local.is_empty() && !domain.is_empty() && text.len() <= 320 && text.chars().all(is_tame)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
}

/// 5xx is the server's last word, but for a sign-in that it did not like: that is mended in the settings, and the
/// message can wait for it.
fn judged(error: &SmtpError) -> MailError {
    let text: String = one_line(&error.to_string()).chars().take(LONGEST_REASON_CHARS).collect();
    match error {
        SmtpError::UnexpectedReply(reply) if (500..600).contains(&reply.code()) => {
            MailError::Refused(format!("the server answered {} {}", reply.code(), one_line(reply.message())))
        }
        SmtpError::UnexpectedReply(reply) => {
            MailError::Failed(format!("the server answered {} {}", reply.code(), one_line(reply.message())))
        }
        _ => MailError::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn mailer(server: &str) -> Result<Mailer, MailerRefused> {
        Mailer::new(server, "Leadline <leadline@example.com>", Trust::Only(Vec::new()))
    }

    #[rstest]
    #[case::from_the_start("smtps://u:p@mail.example.com", "mail.example.com:465")]
    #[case::start_tls("smtp://u:p@mail.example.com", "mail.example.com:587")]
    #[case::another_port("smtp://mail.example.com:2525?tls=required", "mail.example.com:2525")]
    #[case::no_tls("smtp://127.0.0.1?tls=none", "127.0.0.1:25")]
    fn a_server_is_named_by_an_address(#[case] url: &str, #[case] server: &str) {
        assert_eq!(mailer(url).expect("a server").server(), server);
    }

    #[rstest]
    #[case("mail.example.com")]
    #[case("https://mail.example.com")]
    #[case("smtp://")]
    #[case("smtps://mail.example.com?tls=none")]
    #[case("smtp://mail.example.com?tls=maybe")]
    fn what_names_no_server_is_refused(#[case] url: &str) {
        assert!(matches!(mailer(url), Err(MailerRefused::Server)));
    }

    #[test]
    fn a_password_is_read_as_it_is_written_in_addresses_and_is_not_shown() {
        let mailer = mailer("smtps://me%40example.com:a%2Fb+c%25@mail.example.com").expect("a server");
        let Some(Credentials::Plain { username, secret }) = &mailer.credentials else { panic!("credentials") };
        assert_eq!((username.as_str(), secret.as_str()), ("me@example.com", "a/b+c%"));
        assert!(!format!("{mailer:?}").contains("a/b"));
    }

    #[rstest]
    #[case("leadline@example.com", Some((None, "leadline@example.com")))]
    #[case("Leadline <leadline@example.com>", Some((Some("Leadline"), "leadline@example.com")))]
    #[case("\"Leadline, Inc\" <leadline@example.com>", Some((Some("Leadline, Inc"), "leadline@example.com")))]
    #[case("leadline", None)]
    #[case("a@b\r\nRCPT TO:<c@d>", None)]
    #[case("Evil\r\nBcc: c@d <a@b>", None)]
    fn senders(#[case] text: &str, #[case] wanted: Option<(Option<&str>, &str)>) {
        let split = split_sender(text);
        assert_eq!(split.as_ref().map(|(name, address)| (name.as_deref(), address.as_str())), wanted);
    }
}
