//! Files in messages: how many and how large, what they may be called, and which of them a browser may show.
//!
//! What a file says of its own kind is a hint for people. What a browser may show is decided by its first bytes, and
//! everything else is offered to be saved.

use serde_json::Value;

/// The largest file that is kept, in bytes.
pub const FILE_MAX_BYTES: usize = 10 * 1024 * 1024;
/// Files of one message that comes in.
pub const MOST_IN: usize = 20;
/// Files of one message that goes out.
pub const MOST_OUT: usize = 10;
/// All files of one message that goes out, in bytes.
pub const OUT_MAX_BYTES: usize = 15 * 1024 * 1024;

const NAME_MAX_CHARS: usize = 120;

/// A file of a message that comes in.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// What it is called, made harmless.
    pub name: String,
    /// What it says that it is.
    pub content_type: String,
    /// Where it is.
    pub place: FilePlace,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq)]
pub enum FilePlace {
    /// It came with the message.
    Here(Vec<u8>),
    /// Its provider has it: what to ask for.
    AtProvider(Value),
    /// It is larger than is kept: so many bytes.
    TooLarge(i64),
}

/// Endings of programs, which no message of ours carries.
const PROGRAMS: [&str; 22] = [
    "exe", "com", "bat", "cmd", "scr", "pif", "msi", "msp", "js", "jse", "vbs", "vbe", "wsf", "wsh", "ps1", "hta",
    "cpl", "jar", "lnk", "reg", "dll", "app",
];

/// Whether a file is a program by its name.
#[must_use]
pub fn is_program(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.trim().to_ascii_lowercase());
    ending.is_some_and(|ending| PROGRAMS.contains(&ending.as_str()))
}

/// A name without folders, controls, and signs that turn the direction of what follows.
#[must_use]
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept =
        last.chars().filter(|c| !c.is_control() && !turns(*c) && !matches!(c, '"' | '<' | '>' | '|' | '?' | '*'));
    let kept: String = kept.take(NAME_MAX_CHARS).collect();
    let kept = kept.trim().trim_start_matches('.').trim();
    if kept.is_empty() { "file".to_owned() } else { kept.to_owned() }
}

/// A media type, or the one of just bytes.
#[must_use]
pub fn safe_type(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_good = kind.len() <= 100
        && kind.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty())
        && kind.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '+' | '-' | '_'));
    if is_good { kind } else { "application/octet-stream".to_owned() }
}

/// What a picture is by its first bytes, of those that every browser shows and that hold no script.
#[must_use]
pub fn picture(bytes: &[u8]) -> Option<&'static str> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ if is_webp => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("plan.pdf", "plan.pdf")]
    #[case("../../etc/passwd", "passwd")]
    #[case("C:\\Users\\ada\\plan.pdf", "plan.pdf")]
    #[case("..", "file")]
    #[case("a\r\nb\0.txt", "ab.txt")]
    #[case("invoice\u{202e}fdp.exe", "invoicefdp.exe")]
    #[case("\"><script>.svg", "script.svg")]
    #[case("", "file")]
    fn a_name_becomes_harmless(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(safe_name(name), expected);
    }

    #[rstest]
    #[case("Text/HTML; charset=utf-8", "text/html")]
    #[case("image/svg+xml", "image/svg+xml")]
    #[case("text/html\r\nx: y", "application/octet-stream")]
    #[case("", "application/octet-stream")]
    fn a_kind_is_one(#[case] kind: &str, #[case] expected: &str) {
        assert_eq!(safe_type(kind), expected);
    }

    #[rstest]
    #[case(b"\x89PNG\r\n\x1a\n....", Some("image/png"))]
    #[case(b"\xff\xd8\xff\xe0", Some("image/jpeg"))]
    #[case(b"GIF89a", Some("image/gif"))]
    #[case(b"RIFF....WEBPVP8 ", Some("image/webp"))]
    #[case(b"<svg onload=alert(1)>", None)]
    #[case(b"<html>", None)]
    #[case(b"", None)]
    fn only_pictures_are_shown(#[case] bytes: &[u8], #[case] expected: Option<&str>) {
        assert_eq!(picture(bytes), expected);
    }

    #[rstest]
    #[case("setup.EXE", true)]
    #[case("run.js ", true)]
    #[case("plan.pdf", false)]
    #[case("exe", false)]
    fn programs_are_known_by_their_names(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_program(name), expected);
    }
}
