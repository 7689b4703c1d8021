//! Letters: e-mail to the people behind leads, by a server that a customer named. Beside what a mail is, one tells
//! whether a letter that failed can have gone out, and its server is looked at by the guard like every other address
//! that somebody chose.

use std::net::SocketAddr;

use mail_send::{
    Error as SmtpError, SmtpClient,
    mail_builder::{
        MessageBuilder,
        headers::{address::Address, raw::Raw, url::URL},
    },
    smtp::message::{IntoMessage, Message, Parameters},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{Encryption, MailError, Mailer, MailerRefused, TIMEOUT, Trust, is_address, judged, one_line};
use crate::{client::Client, guard::UrlRefused};

/// A letter to one person.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// Its name for all time.
    pub id: &'a str,
    /// Who gets it.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Lines of text.
    pub text: &'a str,
    /// The same as a page.
    pub html: Option<&'a str>,
    /// Where one click ends such letters (RFC 8058).
    pub unsubscribe: Option<&'a str>,
    /// What the mail is called that it answers, so that programs show both together.
    pub answers: Option<&'a str>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<&'a str>,
    /// Whether no person wrote it: nobody's absence is to be answered with (RFC 3834).
    pub is_automatic: bool,
    /// What is sent along.
    pub files: &'a [LetterFile],
}

/// A file of a letter.
#[derive(Debug, Clone)]
pub struct LetterFile {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub content_type: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Why a letter did not go out, or may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// The server will not take it, however often it is asked.
    #[error("{0}")]
    Refused(String),
    /// The server has not taken it, and may later.
    #[error("{0}")]
    NotTaken(String),
    /// It was on its way to the server when the connection broke: it may have gone out.
    #[error("{0}")]
    Unclear(String),
}

/// A server that a customer named.
#[derive(Clone)]
pub struct Server<'a> {
    /// `smtps://HOST:PORT`, `smtp://HOST:PORT` (STARTTLS), or the latter with `?tls=none`.
    pub url: &'a str,
    /// Who signs in, and with what.
    pub credentials: Option<(&'a str, &'a str)>,
    /// `Name <address>` or an address.
    pub from: &'a str,
}

impl Client {
    /// A mailer for a server that a customer named, looked at by the guard: it must be public, or be allowed by the
    /// operator; without TLS only the latter.
    ///
    /// # Errors
    /// Where the server cannot be read or may not be reached, or the sender is no address.
    pub fn mailer(&self, server: &Server<'_>, trust: Trust) -> Result<Mailer, MailerRefused> {
        let mut mailer = Mailer::new(server.url, server.from, trust)?;
        let as_web = if mailer.encryption == Encryption::None { "http" } else { "https" };
        let host = if mailer.host.contains(':') { format!("[{}]", mailer.host) } else { mailer.host.clone() };
        self.guard().check_url(&format!("{as_web}://{host}:{}/", mailer.port)).map_err(refused)?;
        if let Some((username, secret)) = server.credentials {
            mailer.credentials =
                Some(mail_send::Credentials::Plain { username: username.to_owned(), secret: secret.to_owned() });
        }
        mailer.guarded = Some(self.clone());
        Ok(mailer)
    }
}

pub(super) fn refused(error: UrlRefused) -> MailerRefused {
    match error {
        UrlRefused::NotHttps => MailerRefused::NotEncrypted,
        UrlRefused::Malformed | UrlRefused::TooLong | UrlRefused::Credentials | UrlRefused::Port => {
            MailerRefused::Server
        }
        UrlRefused::PrivateName | UrlRefused::PrivateAddress => MailerRefused::Private,
    }
}

impl Mailer {
    /// Hands a letter to the server. `Ok` means that the server has taken it.
    ///
    /// # Errors
    /// Where the server does not take it, or nobody knows whether it did.
    pub async fn send_letter(&self, letter: &Letter<'_>) -> Result<(), LetterError> {
        if !is_address(letter.to) {
            return Err(LetterError::Refused("this is no e-mail address".to_owned()));
        }
        let message = self.letter(letter).into_message().map_err(|error| not_taken(&error))?;
        let address = self.address().await?;
        let mut builder = self.builder();
        if let Some(address) = address {
            builder.addr = address.to_string();
        }
        if self.encryption == Encryption::None {
            let client = timeout(TIMEOUT, builder.connect_plain()).await.unwrap_or(Err(SmtpError::Timeout));
            hand_over(client.map_err(|error| not_taken(&error))?, message).await
        } else {
            let client = timeout(TIMEOUT, builder.connect()).await.unwrap_or(Err(SmtpError::Timeout));
            hand_over(client.map_err(|error| not_taken(&error))?, message).await
        }
    }

    /// Signs in at the server and leaves again: whether letters could be handed to it.
    ///
    /// # Errors
    /// Where the server does not let us in.
    pub async fn sign_in(&self) -> Result<(), LetterError> {
        let address = self.address().await?;
        let mut builder = self.builder();
        if let Some(address) = address {
            builder.addr = address.to_string();
        }
        let connected = async {
            if self.encryption == Encryption::None {
                builder.connect_plain().await?.quit().await
            } else {
                builder.connect().await?.quit().await
            }
        };
        timeout(TIMEOUT, connected).await.unwrap_or(Err(SmtpError::Timeout)).map_err(|error| not_taken(&error))
    }

    /// Where the server is, as far as the guard lets it be reached. The operator's own is no matter of the guard.
    async fn address(&self) -> Result<Option<SocketAddr>, LetterError> {
        let Some(client) = &self.guarded else { return Ok(None) };
        let found = timeout(TIMEOUT, client.find_allowed(&self.host)).await;
        let found = found.map_err(|_elapsed| LetterError::NotTaken("the server's name does not resolve".to_owned()))?;
        let ip = found.map_err(LetterError::NotTaken)?;
        Ok(Some(SocketAddr::new(ip, self.port)))
    }

    fn letter<'x>(&'x self, letter: &Letter<'x>) -> MessageBuilder<'x> {
        let domain = self.from.rsplit('@').next().unwrap_or("localhost");
        let mut message = MessageBuilder::new()
            .message_id(format!("{}@{domain}", letter.id))
            .from(Address::new_address(self.from_name.as_deref(), self.from.as_str()))
            .to(letter.to)
            .subject(one_line(letter.subject))
            .text_body(letter.text);
        if let Some(html) = letter.html {
            message = message.html_body(html);
        }
        if let Some(answered) = letter.answers.map(str::trim).filter(|id| is_message_id(id)) {
            message = message.in_reply_to(answered).references(answered);
        }
        if let Some(address) = letter.reply_to.filter(|address| is_address(address)) {
            message = message.reply_to(address);
        }
        if letter.is_automatic {
            message = message.header("Auto-Submitted", Raw::new("auto-generated"));
        }
        for file in letter.files {
            message = message.attachment(file.content_type.as_str(), file.name.as_str(), file.bytes.as_slice());
        }
        if let Some(url) = letter.unsubscribe {
            message = message
                .header("List-Unsubscribe", URL::new(url))
                .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
        }
        message
    }
}

/// What stands between the brackets of a `Message-ID`; somebody else chose it.
fn is_message_id(text: &str) -> bool {
    let is_tame = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>');
    text.contains('@') && text.len() <= 250 && text.chars().all(is_tame)
}

/// Until the text itself is under way a break means that nothing went out; from then on nobody knows.
async fn hand_over<T: AsyncRead + AsyncWrite + Unpin>(
    mut client: SmtpClient<T>,
    message: Message<'_>,
) -> Result<(), LetterError> {
    let introduce = async {
        client.mail_from(&message.mail_from.email, &Parameters::default()).await?;
        for to in &message.rcpt_to {
            client.rcpt_to(&to.email, &Parameters::default()).await?;
        }
        Ok(())
    };
    let introduced = timeout(TIMEOUT, introduce).await.unwrap_or(Err(SmtpError::Timeout));
    introduced.map_err(|error: SmtpError| not_taken(&error))?;
    let taken = timeout(TIMEOUT, client.data(&message.body)).await.unwrap_or(Err(SmtpError::Timeout));
    match taken {
        Ok(_) => {
            let _ended = client.quit().await;
            Ok(())
        }
        // An answer is an answer: what is not taken is not taken.
        Err(error @ SmtpError::UnexpectedReply(_)) => Err(not_taken(&error)),
        Err(error) => match judged(&error) {
            MailError::Refused(text) | MailError::Failed(text) => Err(LetterError::Unclear(text)),
        },
    }
}

fn not_taken(error: &SmtpError) -> LetterError {
    match judged(error) {
        MailError::Refused(text) => LetterError::Refused(text),
        MailError::Failed(text) => LetterError::NotTaken(text),
    }
}
