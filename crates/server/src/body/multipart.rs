//! `multipart/form-data` (RFC 7578), from a body that is in memory as a whole.
//!
//! Ours and not a library's: the one in reach reads a stream, takes a boundary's look-alike inside a value for the end
//! of the part, and does not know transfer encodings. All three are in the cases that the tests read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use encoding_rs::{Encoding, UTF_8};
use memchr::memmem;
use serde_json::Value;

use crate::{
    body::{Fields, charset, form::NestedFields, header_value::HeaderWithParameters, too_many, unreadable},
    error::ApiResult,
};

/// The most parts in one body.
const MAX_PARTS: usize = 200;
/// The most bytes in the headers of one part.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The longest boundary. RFC 2046 says 70; some clients take more.
const MAX_BOUNDARY_BYTES: usize = 200;

/// One part.
#[derive(Debug)]
pub struct Part<'a> {
    /// The field's name.
    pub name: String,
    /// The file's name as sent, where the part is a file.
    pub file_name: Option<String>,
    /// The part's own content type.
    pub content_type: Option<HeaderWithParameters>,
    is_base64: bool,
    body: &'a [u8],
}

/// Takes a multipart body apart. Of a file only the name is kept.
pub fn parse(body: &[u8], boundary: &str) -> ApiResult<Fields> {
    let parts = parts(body, boundary)?;
    let charset = parts.iter().find(|part| part.name == "_charset_").map(|part| part.text(None));
    let mut fields = NestedFields::default();
    for part in &parts {
        let value = match &part.file_name {
            Some(name) => base_name(name).to_owned(),
            None => part.text(charset.as_deref()),
        };
        fields.add(part.name.clone(), Value::String(value))?;
    }
    Ok(fields.finish())
}

/// The boundary of a body that came without a content type but looks like multipart.
pub fn guess_boundary(body: &[u8]) -> Option<&str> {
    let end = memmem::find(body, b"\r\n")?;
    let line = std::str::from_utf8(&body[..end]).ok()?.trim_end();
    let is_followed_by_header = body[end + 2..].get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
    line.strip_prefix("--").filter(|boundary| !boundary.is_empty() && is_followed_by_header)
}

/// The parts of a body.
pub fn parts<'a>(body: &'a [u8], boundary: &str) -> ApiResult<Vec<Part<'a>>> {
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY_BYTES {
        return Err(unreadable("the boundary is empty or too long"));
    }
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut parts = Vec::new();
    let mut next = first_delimiter(body, &finder);
    loop {
        match next {
            None => return Err(unreadable("the multipart body is cut off")),
            Some(Delimiter::Last { .. }) => return Ok(parts),
            Some(Delimiter::Part { after, .. }) => {
                if parts.len() == MAX_PARTS {
                    return Err(too_many(format!("the body has more than {MAX_PARTS} parts")));
                }
                next = find_delimiter(body, after, &finder);
                let end = next.as_ref().map(Delimiter::start);
                parts.push(parse_part(&body[after..end.unwrap_or(body.len())])?);
            }
        }
    }
}

enum Delimiter {
    /// A part begins at `after`.
    Part { start: usize, after: usize },
    /// The body ends here.
    Last { start: usize },
}

impl Delimiter {
    fn start(&self) -> usize {
        match self {
            Self::Part { start, .. } | Self::Last { start } => *start,
        }
    }
}

/// The first delimiter stands at the very start, without the line break that belongs to the others, or after a
/// preamble.
fn first_delimiter(body: &[u8], finder: &memmem::Finder<'_>) -> Option<Delimiter> {
    let opening = &finder.needle()[2..];
    if body.starts_with(opening)
        && let Some(delimiter) = classify(body, 0, opening.len())
    {
        return Some(delimiter);
    }
    find_delimiter(body, 0, finder)
}

/// The next delimiter at or after `from`.
fn find_delimiter(body: &[u8], from: usize, finder: &memmem::Finder<'_>) -> Option<Delimiter> {
    finder
        .find_iter(&body[from..])
        .map(|at| from + at)
        .find_map(|start| classify(body, start, start + finder.needle().len()))
}

/// What follows a boundary decides whether it is one: `--` at the end, or white space and a line break.
fn classify(body: &[u8], start: usize, after: usize) -> Option<Delimiter> {
    let rest = &body[after..];
    if rest.starts_with(b"--") {
        return Some(Delimiter::Last { start });
    }
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    rest[padding..].starts_with(b"\r\n").then_some(Delimiter::Part { start, after: after + padding + 2 })
}

fn parse_part(part: &[u8]) -> ApiResult<Part<'_>> {
    let end = memmem::find(&part[..part.len().min(MAX_HEADER_BYTES)], b"\r\n\r\n")
        .ok_or_else(|| unreadable("a part's headers do not end"))?;
    let headers = std::str::from_utf8(&part[..end]).map_err(|_| unreadable("a part's headers are not UTF-8"))?;
    let mut disposition = None;
    let mut content_type = None;
    let mut is_base64 = false;
    for line in headers.split("\r\n") {
        let (name, value) = parse_header(line)?;
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" => disposition = Some(HeaderWithParameters::parse(value)),
            "content-type" => content_type = Some(HeaderWithParameters::parse(value)),
            "content-transfer-encoding" => is_base64 = value.trim().eq_ignore_ascii_case("base64"),
            _ => {}
        }
    }
    let disposition = disposition.ok_or_else(|| unreadable("a part has no Content-Disposition"))?;
    let name = disposition.parameter("name").ok_or_else(|| unreadable("a part has no name"))?;
    let file_name = disposition.parameter("filename").map(unescape);
    Ok(Part { name: unescape(name), file_name, content_type, is_base64, body: &part[end + 4..] })
}

fn parse_header(line: &str) -> ApiResult<(&str, &str)> {
    let (name, value) = line.split_once(':').ok_or_else(|| unreadable("a part has a broken header"))?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_well_formed = !name.is_empty() && name.chars().all(is_token) && !value.contains(['\r', '\n', '\0']);
    if !is_well_formed {
        return Err(unreadable("a part has a broken header"));
    }
    Ok((name, value))
}

/// Browsers escape these three in names, and nothing else.
fn unescape(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// A file's name without the path that some browsers send.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

impl Part<'_> {
    /// The part's content.
    pub fn data(&self) -> Vec<u8> {
        if self.is_base64 {
            let packed: Vec<u8> = self.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            if let Ok(decoded) = STANDARD.decode(packed) {
                return decoded;
            }
        }
        self.body.to_vec()
    }

    /// The part's content as text, in its own charset or else in this one.
    fn text(&self, default_charset: Option<&str>) -> String {
        let own = self.content_type.as_ref().and_then(|value| value.parameter("charset"));
        let label = own.or(default_charset).unwrap_or("utf-8");
        charset::decode_lossy(&self.data(), Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8))
    }
}
