//! The little of XML that workbooks use: tags, attributes and text, one piece at a time and none larger than it may be.
//!
//! Office writes plain UTF-8 without declarations of its own; a document type, which is how XML makes much of little, is
//! refused.

use std::io::BufRead;

use super::FileFault;

/// A tag with its attributes has at most this many bytes.
const TAG_MAX: usize = 64 * 1024;

/// A text has at most this many bytes.
const TEXT_MAX: usize = 1024 * 1024;

/// A piece of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// `<name …>`.
    Start(Tag),
    /// `<name … />`.
    Empty(Tag),
    /// `</name>`.
    End(String),
    /// What stands between tags.
    Text(String),
}

/// A tag: its name without a namespace, and its attributes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// The name.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute, by its name without a namespace.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads pieces.
pub(super) struct Pieces<R> {
    from: R,
}

impl<R: BufRead> Pieces<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from }
    }

    /// The next piece; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, FileFault> {
        loop {
            let Some(first) = self.peek()? else { return Ok(None) };
            if first != b'<' {
                let text = self.until(b'<', TEXT_MAX)?;
                return Ok(Some(Piece::Text(unescaped(&utf_8(text)?)?)));
            }
            self.from.consume(1);
            let piece = match self.peek()? {
                Some(b'!') => self.declaration()?,
                Some(b'?') => {
                    self.skip_to(b"?>")?;
                    None
                }
                _ => Some(self.tag()?),
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, FileFault> {
        Ok(self.from.fill_buf()?.first().copied())
    }

    /// The bytes up to `end`, which is not among them and not taken.
    fn until(&mut self, end: u8, most: usize) -> Result<Vec<u8>, FileFault> {
        let mut bytes = Vec::new();
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                return Ok(bytes);
            }
            let found = buffer.iter().position(|byte| *byte == end);
            let length = found.unwrap_or(buffer.len());
            if bytes.len() + length > most {
                return Err(FileFault::TooLarge);
            }
            bytes.extend_from_slice(&buffer[..length]);
            self.from.consume(length);
            if found.is_some() {
                return Ok(bytes);
            }
        }
    }

    fn skip_to(&mut self, end: &[u8]) -> Result<(), FileFault> {
        let mut last = Vec::with_capacity(end.len());
        while let Some(byte) = self.peek()? {
            self.from.consume(1);
            if last.len() == end.len() {
                last.remove(0);
            }
            last.push(byte);
            if last == end {
                return Ok(());
            }
        }
        Err(broken("it ends inside a comment"))
    }

    /// A comment, which says nothing, or text in CDATA.
    fn declaration(&mut self) -> Result<Option<Piece>, FileFault> {
        let mut head = [0; 8];
        let mut length = 0;
        while length < head.len() {
            let Some(byte) = self.peek()? else { break };
            self.from.consume(1);
            head[length] = byte;
            length += 1;
            if head[..length] == *b"!--" {
                self.skip_to(b"-->")?;
                return Ok(None);
            }
        }
        if head != *b"![CDATA[" {
            return Err(broken("it has declarations that no workbook has"));
        }
        let mut text = Vec::new();
        while !text.ends_with(b"]]>") {
            let Some(byte) = self.peek()? else { return Err(broken("it ends inside a text")) };
            self.from.consume(1);
            if text.len() > TEXT_MAX {
                return Err(FileFault::TooLarge);
            }
            text.push(byte);
        }
        text.truncate(text.len() - 3);
        Ok(Some(Piece::Text(utf_8(text)?)))
    }

    /// A tag; its `<` is taken already. A `>` inside quotes ends nothing.
    fn tag(&mut self) -> Result<Piece, FileFault> {
        let mut text = Vec::new();
        loop {
            text.extend(self.until(b'>', TAG_MAX)?);
            if self.peek()?.is_none() || text.len() > TAG_MAX {
                return Err(broken("a tag never ends"));
            }
            self.from.consume(1);
            if quotes_are_closed(&text) {
                return parse(&utf_8(text)?);
            }
            text.push(b'>');
        }
    }
}

fn quotes_are_closed(text: &[u8]) -> bool {
    let mut open = None;
    for byte in text.iter().filter(|byte| matches!(byte, b'"' | b'\'')) {
        open = match open {
            None => Some(*byte),
            Some(quote) if quote == *byte => None,
            other => other,
        };
    }
    open.is_none()
}

fn parse(text: &str) -> Result<Piece, FileFault> {
    if let Some(name) = text.strip_prefix('/') {
        return Ok(Piece::End(local(name.trim()).to_owned()));
    }
    let (text, is_empty) = text.strip_suffix('/').map_or((text, false), |text| (text, true));
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut attributes = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let quote = quote.ok_or_else(|| broken("an attribute has no value"))?;
        let (value, after) = after[1..].split_once(quote).ok_or_else(|| broken("an attribute never ends"))?;
        attributes.push((local(name.trim()).to_owned(), unescaped(value)?));
        rest = after;
    }
    let tag = Tag { name: local(name).to_owned(), attributes };
    Ok(if is_empty { Piece::Empty(tag) } else { Piece::Start(tag) })
}

/// A name without its namespace.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn utf_8(bytes: Vec<u8>) -> Result<String, FileFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    // No XML has it, and no database keeps it.
    if bytes.contains(&0) {
        return Err(broken("it has signs that no workbook has"));
    }
    String::from_utf8(bytes).map_err(|_| broken("a part of it is not UTF-8"))
}

fn unescaped(text: &str) -> Result<String, FileFault> {
    if !text.contains('&') {
        return Ok(text.to_owned());
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (name, after) = after.split_once(';').ok_or_else(|| broken("a sign never ends"))?;
        plain.push(sign(name).ok_or_else(|| broken("it has signs that no workbook has"))?);
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

fn sign(name: &str) -> Option<char> {
    let number = |text: &str, radix| {
        let code = u32::from_str_radix(text, radix).ok().filter(|code| *code != 0);
        code.map(|code| char::from_u32(code).unwrap_or('\u{fffd}'))
    };
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
            Some(hexadecimal) => number(hexadecimal, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}

pub(super) fn broken(what: &str) -> FileFault {
    FileFault::Workbook(what.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use rstest::rstest;

    use super::*;

    fn pieces(text: &str, buffer: usize) -> Result<Vec<Piece>, FileFault> {
        let mut pieces = Pieces::new(BufReader::with_capacity(buffer, text.as_bytes()));
        let mut all = Vec::new();
        while let Some(piece) = pieces.next()? {
            all.push(piece);
        }
        Ok(all)
    }

    #[test]
    fn a_document_is_the_same_however_it_is_cut() {
        let text = "<?xml version=\"1.0\"?><!-- <a> --><x:c r='A>1' t=\"s\"><v>1 &lt; &#50;&#x33;</v><e/><![CDATA[<&>]]></x:c>";
        for buffer in [1, 2, 7, 1_000] {
            let found = pieces(text, buffer).expect("a document");

            let names: Vec<String> = found.iter().map(|piece| format!("{piece:?}")).collect();
            assert_eq!(names.len(), 7, "{names:?}");
            let Piece::Start(tag) = &found[0] else { panic!("{names:?}") };
            assert_eq!((tag.name.as_str(), tag.get("r"), tag.get("t")), ("c", Some("A>1"), Some("s")));
            assert_eq!(found[2], Piece::Text("1 < 23".into()));
            assert_eq!(found[5], Piece::Text("<&>".into()));
        }
    }

    #[rstest]
    #[case::entities("<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>")]
    #[case::unknown_sign("<x>&a;</x>")]
    #[case::nul("<x a=\"\0\"/>")]
    #[case::written_nul("<x a=\"&#0;\"/>")]
    #[case::cut_tag("<x a=\"1")]
    #[case::cut_comment("<!-- x")]
    #[case::no_value("<x a=1>")]
    fn what_no_workbook_has_is_refused(#[case] text: &str) {
        assert!(pieces(text, 100).is_err());
    }

    #[test]
    fn no_piece_is_larger_than_it_may_be() {
        assert!(matches!(pieces(&format!("<x>{}", "a".repeat(TEXT_MAX + 1)), 8_192), Err(FileFault::TooLarge)));
        assert!(pieces(&format!("<x {}>", "a".repeat(TAG_MAX + 1)), 8_192).is_err());
    }
}
