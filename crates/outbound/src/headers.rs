//! Headers that users add to a destination's requests.
//!
//! They must not frame the request anew, speak for the connection, or imitate what Leadline itself says.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Why a header cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderRefused {
    /// The name is not a header name.
    #[error("the header name is not valid")]
    Name,
    /// The value holds something other than visible ASCII, spaces and tabs.
    #[error("the header value is not valid")]
    Value,
    /// The header belongs to the connection or to Leadline.
    #[error("this header is set by Leadline")]
    Reserved,
}

impl HeaderRefused {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name => "header_name_invalid",
            Self::Value => "header_value_invalid",
            Self::Reserved => "header_reserved",
        }
    }
}

/// Checks a header that a user wants to save with a destination.
pub fn check_custom_header(name: &str, value: &str) -> Result<(), HeaderRefused> {
    let (name, _) = parse(name, value)?;
    let is_ours = OURS.contains(&name.as_str()) || OUR_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
    if is_ours { Err(HeaderRefused::Reserved) } else { Ok(()) }
}

/// Headers that frame a request or belong to one connection; nobody sets them by hand.
const FRAMING: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const OURS: [&str; 2] = ["content-type", "user-agent"];
const OUR_PREFIXES: [&str; 2] = ["x-leadline-", "webhook-"];

/// The headers of one request. Of two with the same name both are sent.
pub(crate) fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, HeaderRefused> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let (name, value) = parse(name, value)?;
        map.append(name, value);
    }
    Ok(map)
}

fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderRefused> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderRefused::Name)?;
    if FRAMING.contains(&name.as_str()) {
        return Err(HeaderRefused::Reserved);
    }
    // Beyond ASCII receivers disagree about what the bytes mean.
    if !value.is_ascii() {
        return Err(HeaderRefused::Value);
    }
    let value = HeaderValue::from_str(value).map_err(|_| HeaderRefused::Value)?;
    Ok((name, value))
}
