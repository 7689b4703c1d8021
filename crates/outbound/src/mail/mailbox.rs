//! A mailbox that a customer named, read by IMAP. It is opened for reading alone, unless what was read is to be marked
//! as read, and nothing else about it is ever changed.
//!
//! The server's address is looked at by the guard, and the connection is made to the very address that it let through.
//! All that the server says in one session is bounded, and so is the time that it may take.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_imap::{Session, error::Error as ImapError};
use chrono::DateTime;
use futures_util::TryStreamExt;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::{Encryption, MailerRefused, Trust, letters::refused, one_line, tls};
use crate::client::Client;

/// How long one command may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a server may say before it is hung up on, and again with each mail: a large one and what is around it.
const WORDS_MAX_BYTES: usize = 40 * 1024 * 1024;

/// What is read of a mail that is too large: its headers.
const HEAD_BYTES: u32 = 64 * 1024;

/// A mailbox that a customer named.
#[derive(Clone, Copy)]
pub struct MailboxServer<'a> {
    /// `imaps://HOST:PORT`, `imap://HOST:PORT` (STARTTLS), or the latter with `?tls=none`.
    pub url: &'a str,
    /// Who signs in.
    pub username: &'a str,
    /// With what.
    pub password: &'a str,
    /// Which folder, such as `INBOX`.
    pub folder: &'a str,
    /// Whether mails that were read are marked as read.
    pub is_marked: bool,
}

/// Why a mailbox cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MailboxError(pub String);

impl From<ImapError> for MailboxError {
    fn from(error: ImapError) -> Self {
        let text: String = one_line(&error.to_string()).chars().take(300).collect();
        Self(format!("the mailbox's server says: {text}"))
    }
}

impl From<io::Error> for MailboxError {
    fn from(error: io::Error) -> Self {
        Self(format!("the connection to the mailbox broke: {}", error.kind()))
    }
}

/// A mail of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// All of it, or its headers where it is too large.
    pub bytes: Vec<u8>,
    /// Whether it is all of it.
    pub is_whole: bool,
}

/// A mailbox that is open.
pub struct Mailbox {
    session: Session<Bounded>,
    is_marked: bool,
    /// Which counting its numbers belong to; another one means other numbers for the same mails.
    pub uid_validity: i64,
    /// The number that the next mail will have at least.
    pub uid_next: i64,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("uid_validity", &self.uid_validity).finish_non_exhaustive()
    }
}

/// Where a server is, and how it is spoken to.
struct Address {
    host: String,
    port: u16,
    encryption: Encryption,
}

fn address(url: &str) -> Result<Address, MailerRefused> {
    let url = Url::parse(url).map_err(|_| MailerRefused::Mailbox)?;
    let has_no_tls = match url.query() {
        None | Some("tls=required") => false,
        Some("tls=none") => true,
        Some(_) => return Err(MailerRefused::Mailbox),
    };
    let (encryption, port) = match (url.scheme(), has_no_tls) {
        ("imaps", false) => (Encryption::FromTheStart, 993),
        ("imap", false) => (Encryption::StartTls, 143),
        ("imap", true) => (Encryption::None, 143),
        _ => return Err(MailerRefused::Mailbox),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailerRefused::Mailbox)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(MailerRefused::Mailbox);
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Address { host, port: url.port().unwrap_or(port), encryption })
}

impl Client {
    /// Whether a mailbox's server may be named like this.
    ///
    /// # Errors
    /// Where it cannot be read, or may not be reached.
    pub fn check_mailbox(&self, url: &str) -> Result<(), MailerRefused> {
        let address = address(url)?;
        let as_web = if address.encryption == Encryption::None { "http" } else { "https" };
        let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host };
        self.guard().check_url(&format!("{as_web}://{host}:{}/", address.port)).map(drop).map_err(refused)
    }

    /// Opens a mailbox.
    ///
    /// # Errors
    /// Where the server may not be reached, does not let us in, or has no such folder.
    pub async fn open_mailbox(&self, server: &MailboxServer<'_>, trust: Trust) -> Result<Mailbox, MailboxError> {
        self.check_mailbox(server.url).map_err(|error| MailboxError(format!("the mailbox's server {error}")))?;
        let address = address(server.url).map_err(|error| MailboxError(error.to_string()))?;
        let tls = TlsConnector::from(Arc::new(tls(trust).map_err(|error| MailboxError(error.to_string()))?));
        in_time(async {
            let ip = self.find_allowed(&address.host).await.map_err(MailboxError)?;
            let stream = TcpStream::connect(SocketAddr::new(ip, address.port)).await?;
            let client = greet(stream, &address, &tls).await?;
            let signed_in = client.login(server.username, server.password).await;
            let mut session = signed_in.map_err(|(error, _client)| MailboxError::from(error))?;
            let folder = if server.is_marked {
                session.select(server.folder).await
            } else {
                session.examine(server.folder).await
            };
            let folder = folder?;
            let (Some(uid_validity), uid_next) = (folder.uid_validity, folder.uid_next.unwrap_or(1)) else {
                return Err(MailboxError("the mailbox's server gives its mails no numbers".to_owned()));
            };
            Ok(Mailbox {
                session,
                is_marked: server.is_marked,
                uid_validity: uid_validity.into(),
                uid_next: uid_next.into(),
            })
        })
        .await
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, MailboxError>>) -> Result<T, MailboxError> {
    let late = || MailboxError("the mailbox's server did not answer in time".to_owned());
    timeout(TIMEOUT, work).await.unwrap_or_else(|_elapsed| Err(late()))
}

/// Until it greets us, encrypted where that is demanded. What came before the encryption is forgotten.
async fn greet(
    stream: TcpStream,
    address: &Address,
    tls: &TlsConnector,
) -> Result<async_imap::Client<Bounded>, MailboxError> {
    let stream: Box<dyn Duplex> = match address.encryption {
        Encryption::None => Box::new(stream),
        Encryption::FromTheStart => Box::new(encrypt(stream, address, tls).await?),
        Encryption::StartTls => {
            let mut client = async_imap::Client::new(Bounded::new(Box::new(stream)));
            greeting(&mut client).await?;
            client.run_command_and_check_ok("STARTTLS", None).await?;
            let plain = client.into_inner().inner;
            // Greeted already: the next words are ours.
            return Ok(async_imap::Client::new(Bounded::new(Box::new(encrypt(plain, address, tls).await?))));
        }
    };
    let mut client = async_imap::Client::new(Bounded::new(stream));
    greeting(&mut client).await?;
    Ok(client)
}

async fn greeting(client: &mut async_imap::Client<Bounded>) -> Result<(), MailboxError> {
    match client.read_response().await? {
        Some(_) => Ok(()),
        None => Err(MailboxError("the mailbox's server hung up".to_owned())),
    }
}

async fn encrypt<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    address: &Address,
    tls: &TlsConnector,
) -> Result<tokio_rustls::client::TlsStream<S>, MailboxError> {
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|_| MailboxError("the mailbox's server has no name".to_owned()))?;
    let untrusted = |error: io::Error| MailboxError(format!("the mailbox's server cannot be trusted: {error}"));
    tls.connect(name, stream).await.map_err(untrusted)
}

impl Mailbox {
    /// The numbers of mails behind this one, the oldest first.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn list_after(&mut self, last_uid: i64) -> Result<Vec<i64>, MailboxError> {
        self.search(&format!("UID {}:*", last_uid.saturating_add(1)), last_uid).await
    }

    /// The numbers of mails that came on the day of this moment (Unix milliseconds) or later, the oldest first.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn list_since(&mut self, at_ms: i64) -> Result<Vec<i64>, MailboxError> {
        self.search(&format!("SINCE {}", day(at_ms)), 0).await
    }

    /// The last mail is always told, however small its number is.
    async fn search(&mut self, query: &str, above: i64) -> Result<Vec<i64>, MailboxError> {
        let found = in_time(async { Ok(self.session.uid_search(query).await?) }).await?;
        let mut uids: Vec<i64> = found.into_iter().map(i64::from).filter(|uid| *uid > above).collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// One mail; none where it is gone.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn read(&mut self, uid: i64, most_bytes: usize) -> Result<Option<Found>, MailboxError> {
        self.session.get_mut().left = WORDS_MAX_BYTES;
        let size = self.ask(uid, "(UID RFC822.SIZE)".to_owned(), |one| one.size.map(|size| size as usize)).await?;
        let Some(size) = size else { return Ok(None) };
        let is_whole = size <= most_bytes;
        // A part of it where the server says too little: what comes is bounded by the connection as well.
        let wanted = if is_whole {
            format!("(UID BODY.PEEK[]<0.{most_bytes}>)")
        } else {
            format!("(UID BODY.PEEK[HEADER]<0.{HEAD_BYTES}>)")
        };
        let bytes = self.ask(uid, wanted, |one| one.body().or_else(|| one.header()).map(<[u8]>::to_vec)).await?;
        Ok(bytes.map(|bytes| Found { bytes, is_whole }))
    }

    async fn ask<T>(
        &mut self,
        uid: i64,
        query: String,
        take: impl Fn(&async_imap::types::Fetch) -> Option<T>,
    ) -> Result<Option<T>, MailboxError> {
        in_time(async {
            let mut found = None;
            let answers = self.session.uid_fetch(uid.to_string(), query).await?;
            let mut answers = std::pin::pin!(answers);
            while let Some(one) = answers.try_next().await? {
                // Servers tell of other mails whenever they like.
                if one.uid.map(i64::from) == Some(uid) && found.is_none() {
                    found = take(&one);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Marks a mail as read, where that is wanted.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn mark_read(&mut self, uid: i64) -> Result<(), MailboxError> {
        if !self.is_marked {
            return Ok(());
        }
        in_time(async {
            let answers = self.session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)").await?;
            let mut answers = std::pin::pin!(answers);
            while answers.try_next().await?.is_some() {}
            Ok(())
        })
        .await
    }

    /// Leaves. How that ends does not matter.
    pub async fn leave(mut self) {
        let _ended = timeout(Duration::from_secs(5), self.session.logout()).await;
    }
}

/// A day as IMAP writes it (RFC 9051, `date`), in UTC.
fn day(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default().format("%-d-%b-%Y").to_string()
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection that ends where the other side says too much.
struct Bounded {
    inner: Box<dyn Duplex>,
    left: usize,
}

impl Bounded {
    fn new(inner: Box<dyn Duplex>) -> Self {
        Self { inner, left: WORDS_MAX_BYTES }
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("left", &self.left).finish_non_exhaustive()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let read = buf.filled().len().saturating_sub(before);
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(io::Error::other("the server says too much"))),
        }
        polled
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::guard::Guard;

    #[test]
    fn a_day_is_written_as_servers_read_it() {
        assert_eq!(day(1_767_600_000_000), "5-Jan-2026");
    }

    #[rstest]
    #[case::tls("imaps://mail.example.com", true)]
    #[case::starttls("imap://mail.example.com:143", true)]
    #[case::no_tls("imap://mail.example.com?tls=none", false)]
    #[case::inward("imaps://10.0.0.1", false)]
    #[case::metadata("imaps://metadata.google.internal", false)]
    #[case::web("https://mail.example.com", false)]
    #[case::password("imaps://a:b@mail.example.com", false)]
    #[case::nothing("imaps://", false)]
    fn a_mailbox_is_on_the_public_internet(#[case] url: &str, #[case] expected: bool) {
        let client = Client::new(Guard::default()).expect("a client");

        assert_eq!(client.check_mailbox(url).is_ok(), expected);
    }
}
