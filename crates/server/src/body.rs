//! The bodies of the public ways in: read within bounds, then taken apart into fields.
//!
//! [`read`] bounds what one request and all requests together may hold in memory, and for how long. [`parse`] turns
//! JSON, urlencoded, multipart and plain-text bodies into the same ordered list of fields. What a field means is not
//! decided here, and nothing of a file but its name is kept.

mod charset;
mod form;
mod header_value;
mod json;
mod multipart;

use std::time::Duration;

use axum::{
    body::{BodyDataStream, Bytes},
    extract::Request,
};
use futures_util::StreamExt;
use http::{HeaderMap, header};
use leadline_domain::inbound::MOST_LEADS;
use serde_json::Value;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};

use crate::error::{ApiError, ApiResult, Code};
use header_value::HeaderWithParameters;

/// The most that a body may have.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The most fields that are taken from one body.
pub const MAX_FIELDS: usize = 1_000;
/// The longest name of a field, in bytes.
pub const MAX_NAME_BYTES: usize = 1_000;

/// How long a whole body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How long a request waits for others to leave room before it is sent away.
const ROOM_DEADLINE: Duration = Duration::from_secs(5);
/// What all bodies that are being read may hold together, in KiB.
const ROOM_KIB: usize = 256 * 1024;

/// Permits of one KiB. Taken as bytes arrive and not by what a request announces, so that nobody can hold room with
/// promises.
static ROOM: Semaphore = Semaphore::const_new(ROOM_KIB);

/// A body in memory. It holds its share of the common room until it is dropped.
#[derive(Debug)]
pub struct Collected {
    /// The whole body.
    pub bytes: Bytes,
    _room: Option<SemaphorePermit<'static>>,
}

/// Reads a whole body within the limits of size, time and common memory.
///
/// # Errors
/// Where it is too large, too slow, compressed, or there is no room.
pub async fn read(request: Request) -> ApiResult<Collected> {
    read_up_to(request, MAX_BODY_BYTES).await
}

/// The same for files and mails, which are larger than fields.
///
/// # Errors
/// As [`read`].
pub async fn read_up_to(request: Request, most_bytes: usize) -> ApiResult<Collected> {
    refuse_encoded(request.headers())?;
    refuse_announced_oversize(request.headers(), most_bytes)?;
    let deadline = Instant::now() + BODY_DEADLINE;
    let mut stream = request.into_body().into_data_stream();
    let mut bytes = Vec::new();
    let mut room = None;
    while let Some(chunk) = next_chunk(&mut stream, deadline).await? {
        if bytes.len() + chunk.len() > most_bytes {
            return Err(ApiError::new(Code::BodyTooLarge));
        }
        make_room(&mut room, bytes.len() + chunk.len()).await?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Collected { bytes: bytes.into(), _room: room })
}

/// Decompressing would let a small body become a large one; no form and no hook needs it.
pub(crate) fn refuse_encoded(headers: &HeaderMap) -> ApiResult<()> {
    let plain = headers.get_all(header::CONTENT_ENCODING).iter().all(|value| value.as_bytes() == b"identity");
    if plain {
        return Ok(());
    }
    Err(ApiError::new(Code::UnsupportedMediaType).detail("send the body without Content-Encoding"))
}

fn refuse_announced_oversize(headers: &HeaderMap, most_bytes: usize) -> ApiResult<()> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most_bytes as u64) {
        return Err(ApiError::new(Code::BodyTooLarge));
    }
    Ok(())
}

pub(crate) async fn next_chunk(stream: &mut BodyDataStream, deadline: Instant) -> ApiResult<Option<Bytes>> {
    match timeout_at(deadline, stream.next()).await {
        Err(_) => Err(ApiError::new(Code::RequestTimeout)),
        Ok(None) => Ok(None),
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(_))) => Err(ApiError::new(Code::UnreadableBody).detail("the body broke off")),
    }
}

async fn make_room(room: &mut Option<SemaphorePermit<'static>>, needed_bytes: usize) -> ApiResult<()> {
    let held = room.as_ref().map_or(0, SemaphorePermit::num_permits);
    let missing = u32::try_from(needed_bytes.div_ceil(1024).saturating_sub(held)).unwrap_or(u32::MAX);
    if missing == 0 {
        return Ok(());
    }
    let busy = || ApiError::new(Code::Busy).retry_after(1);
    let more = timeout(ROOM_DEADLINE, ROOM.acquire_many(missing)).await.map_err(|_| busy())?.map_err(|_| busy())?;
    match room {
        Some(held) => held.merge(more),
        None => *room = Some(more),
    }
    Ok(())
}

/// What a body turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON object.
    Json,
    /// `a=1&b=2`.
    Urlencoded,
    /// Parts, perhaps with files.
    Multipart,
}

/// Fields in the order they came; a name that comes twice stands here twice.
pub type Fields = Vec<(String, Value)>;

/// A body taken apart.
#[derive(Debug)]
pub struct Parsed {
    /// What it was.
    pub kind: Kind,
    /// Its fields.
    pub fields: Fields,
}

/// Takes a body apart, by its content type where it has one and by its looks where not.
///
/// # Errors
/// Where the body is not what it says, has too many fields, or is of a kind that is not read here.
pub fn parse(content_type: Option<&str>, body: &[u8]) -> ApiResult<Parsed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::new(Code::EmptyBody));
    }
    let content_type = content_type.map(HeaderWithParameters::parse);
    let charset = content_type.as_ref().and_then(|value| value.parameter("charset"));
    match content_type.as_ref().map(|value| value.value.as_str()) {
        None | Some("") => parse_by_looks(body, None),
        Some("text/plain") => parse_by_looks(body, charset),
        Some("application/x-www-form-urlencoded") => parse_urlencoded(body, charset),
        Some("multipart/form-data") => {
            let boundary = content_type.as_ref().and_then(|value| value.parameter("boundary"));
            parse_multipart(body, boundary.ok_or_else(|| unreadable("the content type has no boundary"))?)
        }
        Some(kind) if kind.ends_with("/json") || kind.ends_with("+json") => parse_json(body, charset),
        Some(kind) => Err(ApiError::new(Code::UnsupportedMediaType).detail(format!(
            "{kind:?} is not read here; send JSON, application/x-www-form-urlencoded, multipart/form-data or text/plain"
        ))),
    }
}

/// The same for a body that may be a list of objects, each of which is a submission.
///
/// # Errors
/// As [`parse`], and where the list has too many objects.
pub fn parse_items(content_type: Option<&str>, body: &[u8]) -> ApiResult<Vec<Fields>> {
    match parse(content_type, body) {
        Ok(parsed) => Ok(vec![parsed.fields]),
        Err(error) if error.code() == Code::NotAnObject => {
            let content_type = content_type.map(HeaderWithParameters::parse);
            let charset = content_type.as_ref().and_then(|value| value.parameter("charset"));
            json::parse_list(&charset::decode_strict(body, charset)?, MOST_LEADS)
        }
        Err(error) => Err(error),
    }
}

/// Whether a body that nobody looks into would be read as JSON, by its content type and its first letter.
#[must_use]
pub fn looks_like_json(content_type: Option<&str>, body: &[u8]) -> bool {
    let kind = content_type.map(HeaderWithParameters::parse).map(|value| value.value);
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    match kind.as_deref() {
        Some("multipart/form-data") => false,
        Some(kind) if kind.ends_with("/json") || kind.ends_with("+json") => true,
        Some(_) | None => start.starts_with(b"{") || start.starts_with(b"["),
    }
}

fn parse_by_looks(body: &[u8], charset: Option<&str>) -> ApiResult<Parsed> {
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    if start.starts_with(b"{") || start.starts_with(b"[") {
        return parse_json(body, charset);
    }
    if let Some(boundary) = multipart::guess_boundary(start) {
        return parse_multipart(start, boundary);
    }
    if start.contains(&b'=') {
        return parse_urlencoded(body, charset);
    }
    Err(unreadable("the body is neither JSON nor urlencoded"))
}

fn parse_json(body: &[u8], charset: Option<&str>) -> ApiResult<Parsed> {
    let text = charset::decode_strict(body, charset)?;
    Ok(Parsed { kind: Kind::Json, fields: json::parse_object(&text)? })
}

/// JSON under the content type of forms is a common slip (it is curl's default); no form begins with a brace.
fn parse_urlencoded(body: &[u8], charset: Option<&str>) -> ApiResult<Parsed> {
    if body.trim_ascii_start().starts_with(b"{")
        && let Ok(parsed) = parse_json(body, charset)
    {
        return Ok(parsed);
    }
    Ok(Parsed { kind: Kind::Urlencoded, fields: form::parse(body, charset)? })
}

fn parse_multipart(body: &[u8], boundary: &str) -> ApiResult<Parsed> {
    Ok(Parsed { kind: Kind::Multipart, fields: multipart::parse(body, boundary)? })
}

pub(crate) fn unreadable(detail: &str) -> ApiError {
    ApiError::new(Code::UnreadableBody).detail(detail)
}

pub(crate) fn too_many(detail: String) -> ApiError {
    ApiError::new(Code::TooManyFields).detail(detail)
}

fn refuse_long_name(name: &str) -> ApiResult<()> {
    if name.len() > MAX_NAME_BYTES {
        return Err(too_many(format!("a field's name has more than {MAX_NAME_BYTES} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
