//! Text in the charset that a body says it has.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use crate::{
    body::unreadable,
    error::{ApiError, ApiResult, Code},
};

/// The encoding of this name, as browsers know it; UTF-8 where none is named.
pub fn encoding(label: Option<&str>) -> ApiResult<&'static Encoding> {
    let Some(label) = label else { return Ok(UTF_8) };
    Encoding::for_label(label.as_bytes())
        .ok_or_else(|| ApiError::new(Code::UnsupportedMediaType).detail(format!("the charset {label:?} is not known")))
}

/// Text of which every byte must be right. A byte order mark at its start is left out.
pub fn decode_strict<'a>(bytes: &'a [u8], label: Option<&str>) -> ApiResult<Cow<'a, str>> {
    let (text, _, had_errors) = encoding(label)?.decode(bytes);
    if had_errors {
        return Err(unreadable("the body is not text in its charset (UTF-8 where none is named)"));
    }
    Ok(text)
}

/// Text in which what is wrong becomes U+FFFD: a form field in a strange charset is no reason to lose the lead.
pub fn decode_lossy(bytes: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}
