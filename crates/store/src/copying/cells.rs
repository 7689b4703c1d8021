//! One value of a row on its way between databases, and the sum by which both sides are compared.
//!
//! The sum of a table is that of its rows' hashes, whatever their order, and a row's hash is made of a text that is the
//! same on both databases: columns by their names, ids without signs, JSON with its keys in order and its numbers as
//! digits and a power of ten (PostgreSQL writes `1e3` as `1000` and puts keys in an order of its own).

use std::{fmt::Write as _, mem};

use uuid::Uuid;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Id(Uuid),
    Text(String),
    Integer(i64),
    Boolean(bool),
    Json(String),
    Bytes(Vec<u8>),
}

/// How many rows there are, and what they add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    total: u128,
}

impl Sum {
    /// The sum as it is written down.
    #[must_use]
    pub fn checksum(self) -> String {
        format!("{:032x}", self.total)
    }

    /// The sum that was written down; `None` where the text is none.
    #[must_use]
    pub fn read(rows: u64, checksum: &str) -> Option<Self> {
        let is_whole = checksum.len() == 32;
        is_whole.then(|| u128::from_str_radix(checksum, 16).ok()).flatten().map(|total| Self { rows, total })
    }
}

/// Adds rows up. It keeps its memory from row to row.
#[derive(Default)]
pub(super) struct Adder {
    pub(super) sum: Sum,
    text: Vec<u8>,
}

impl Adder {
    pub(super) fn after(sum: Sum) -> Self {
        Self { sum, text: Vec::new() }
    }

    /// Adds a row; `Err` names the column that holds what is no JSON.
    pub(super) fn add(&mut self, row: &[Cell]) -> Result<(), usize> {
        self.text.clear();
        for (column, cell) in row.iter().enumerate() {
            write_canonical(cell, &mut self.text).ok_or(column)?;
        }
        let hash = blake3::hash(&self.text);
        let (half, _) = hash.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
        self.sum.rows += 1;
        self.sum.total = self.sum.total.wrapping_add(u128::from_le_bytes(*half));
        Ok(())
    }
}

/// What kind of value it is, how long, and the value: no two rows have the same text.
fn write_canonical(cell: &Cell, out: &mut Vec<u8>) -> Option<()> {
    let mut put = |sign: u8, bytes: &[u8]| {
        out.push(sign);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match cell {
        Cell::Null => put(b'n', &[]),
        Cell::Id(id) => put(b'u', id.as_bytes()),
        Cell::Text(text) => put(b't', text.as_bytes()),
        Cell::Integer(number) => put(b'i', &number.to_le_bytes()),
        Cell::Boolean(flag) => put(b'b', &[u8::from(*flag)]),
        Cell::Bytes(bytes) => put(b'x', bytes),
        Cell::Json(text) => put(b'j', canonical_json(text)?.as_bytes()),
    }
    Some(())
}

/// Deeper JSON than this was never taken in.
const DEPTH_MAX: usize = 200;

/// JSON as both databases would say it; `None` where it is none.
fn canonical_json(text: &str) -> Option<String> {
    let mut json = Json { rest: text };
    let value = json.value(0)?;
    json.skip_space();
    json.rest.is_empty().then_some(value)
}

struct Json<'a> {
    rest: &'a str,
}

impl<'a> Json<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, sign: char) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        self.skip_space();
        self.rest.chars().next()
    }

    fn piece(&mut self, bytes: usize) -> &'a str {
        let (piece, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        piece
    }

    fn value(&mut self, depth: usize) -> Option<String> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.next()? {
            '{' => self.object(depth),
            '[' => self.list(depth),
            '"' => Some(quoted(&self.string()?)),
            '-' | '0'..='9' => self.number(),
            _ => {
                let word = ["true", "false", "null"].into_iter().find(|word| self.rest.starts_with(word))?;
                Some(self.piece(word.len()).to_owned())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<String> {
        self.take('{')?;
        let mut members: Vec<(String, String)> = Vec::new();
        while self.next()? != '}' {
            if !members.is_empty() {
                self.take(',')?;
                self.skip_space();
            }
            let key = self.string()?;
            self.take(':')?;
            members.push((key, self.value(depth + 1)?));
        }
        self.take('}')?;
        // Of two values under one key the last counts, as it does for whoever reads it.
        members.sort_by(|one, other| one.0.cmp(&other.0));
        let mut kept: Vec<(String, String)> = Vec::with_capacity(members.len());
        for member in members {
            match kept.last_mut() {
                Some(last) if last.0 == member.0 => *last = member,
                _ => kept.push(member),
            }
        }
        let members: Vec<String> = kept.iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
        Some(format!("{{{}}}", members.join(",")))
    }

    fn list(&mut self, depth: usize) -> Option<String> {
        self.take('[')?;
        let mut values = Vec::new();
        while self.next()? != ']' {
            if !values.is_empty() {
                self.take(',')?;
            }
            values.push(self.value(depth + 1)?);
        }
        self.take(']')?;
        Some(format!("[{}]", values.join(",")))
    }

    fn string(&mut self) -> Option<String> {
        let bytes = self.rest.as_bytes();
        let mut end = 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if bytes.first() != Some(&b'"') {
            return None;
        }
        serde_json::from_str(self.piece(end + 1)).ok()
    }

    fn number(&mut self) -> Option<String> {
        let is_of_a_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        let length = self.rest.bytes().take_while(|byte| is_of_a_number(*byte)).count();
        canonical_number(self.piece(length))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Digits without zeros around them, and the power of ten that they are multiplied with.
fn canonical_number(text: &str) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (digits, power) = text.split_once(['e', 'E']).map_or((text, "0"), |(digits, power)| (digits, power));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let telling = digits.trim_start_matches('0').trim_end_matches('0');
    if telling.is_empty() {
        return Some("0".to_owned());
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let power: i64 = power.parse().ok()?;
    let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(i64::try_from(zeros).ok()?)?;
    Some(format!("{sign}{telling}e{power}"))
}

/// A text that PostgreSQL can hold: it knows no U+0000. `None` where it is one already.
pub(super) fn without_nul(text: &str) -> Option<String> {
    text.contains('\0').then(|| text.replace('\0', "\u{fffd}"))
}

/// The same for JSON, where the sign is written as an escape.
pub(super) fn json_without_nul(text: &str) -> Option<String> {
    const NUL: &str = "\\u0000";
    if !text.contains(NUL) {
        return None;
    }
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    let mut has_any = false;
    while let Some(at) = rest.find('\\') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = if rest.starts_with(NUL) {
            has_any = true;
            kept.push_str("\\ufffd");
            NUL.len()
        } else {
            // A backslash and what it says something about, which may be a backslash.
            let next = rest.chars().nth(1).map_or(0, char::len_utf8);
            kept.push_str(&rest[..1 + next]);
            1 + next
        };
        rest = &rest[escape..];
    }
    kept.push_str(rest);
    has_any.then_some(kept)
}

/// A row as a line of PostgreSQL's COPY.
pub(super) fn write_line(row: &[Cell], out: &mut String) {
    for (column, cell) in row.iter().enumerate() {
        if column > 0 {
            out.push('\t');
        }
        match cell {
            Cell::Null => out.push_str("\\N"),
            Cell::Id(id) => put(out, format_args!("{}", id.hyphenated())),
            Cell::Integer(number) => put(out, format_args!("{number}")),
            Cell::Boolean(flag) => out.push(if *flag { 't' } else { 'f' }),
            Cell::Bytes(bytes) => {
                out.push_str("\\\\x");
                out.push_str(&hex::encode(bytes));
            }
            Cell::Text(text) | Cell::Json(text) => write_escaped(text, out),
        }
    }
    out.push('\n');
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a text takes everything");
}

fn write_escaped(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\n', '\r', '\t']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Lines that go to the database at once, with where that leaves the table.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    rows: u64,
}

/// So much is sent in one transaction: large enough that commits cost nothing, small enough that memory does not grow
/// with the table.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const BATCH_ROWS: u64 = 20_000;

impl Lines {
    pub(super) fn add(&mut self, row: &[Cell]) {
        write_line(row, &mut self.text);
        self.rows += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= BATCH_BYTES || self.rows >= BATCH_ROWS
    }

    pub(super) fn take(&mut self) -> (String, u64) {
        (mem::take(&mut self.text), mem::take(&mut self.rows))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::keys_in_order(r#"{"b": 1, "a": [true, null]}"#, r#"{"a":[true,null],"b":1e0}"#)]
    #[case::the_last_of_two(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3e0,"b":2e0}"#)]
    #[case::escapes(r#""\u00e9\/""#, r#""é/""#)]
    #[case::quotes_and_backslashes(r#"["a\"b","c\\"]"#, r#"["a\"b","c\\"]"#)]
    #[case::empty("{ \"a\" : [ ] , \"b\" : { } }", r#"{"a":[],"b":{}}"#)]
    #[case::large("1E+308", "1e308")]
    #[case::larger_than_any_float("-1.50e400", "-15e399")]
    #[case::spelled_out("100.00", "1e2")]
    #[case::nought("-0.0e7", "0")]
    #[case::small("0.00012", "12e-5")]
    fn json_is_the_same_however_it_is_written(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(canonical_json(text).as_deref(), Some(expected));
    }

    #[rstest]
    #[case::nothing("")]
    #[case::cut_off(r#"{"a":"#)]
    #[case::open(r#""a"#)]
    #[case::an_escape_at_the_end("\"\\")]
    #[case::two("1 2")]
    #[case::a_word("nil")]
    #[case::no_number("-")]
    #[case::no_key("{1:2}")]
    fn what_is_no_json_is_said_to_be_none(#[case] text: &str) {
        assert_eq!(canonical_json(text), None);
    }

    #[test]
    fn deep_json_ends() {
        assert_eq!(canonical_json(&"[".repeat(100_000)), None);
    }

    #[test]
    fn the_order_of_rows_does_not_count_and_everything_else_does() {
        let sum = |rows: &[Vec<Cell>]| {
            let mut adder = Adder::default();
            rows.iter().for_each(|row| adder.add(row).expect("good rows"));
            adder.sum
        };
        let (one, other) = (vec![Cell::Text("a".into()), Cell::Null], vec![Cell::Null, Cell::Integer(1)]);

        let both = sum(&[one.clone(), other.clone()]);

        assert_eq!(both, sum(&[other.clone(), one.clone()]));
        assert_ne!(both, sum(&[one.clone(), one.clone()]));
        assert_ne!(
            sum(&[vec![Cell::Text("ab".into()), Cell::Text("c".into())]]),
            sum(&[vec![Cell::Text("a".into()), Cell::Text("bc".into())]])
        );
        assert_ne!(sum(&[vec![Cell::Null]]), sum(&[vec![Cell::Text(String::new())]]));
        assert_eq!(Sum::read(2, &both.checksum()), Some(both));
        assert_eq!(Sum::read(2, "no sum"), None);
    }

    #[test]
    fn a_line_says_what_would_end_it() {
        let mut line = String::new();

        write_line(
            &[Cell::Text("a\tb\\N\nc\r".into()), Cell::Null, Cell::Bytes(vec![0, 255]), Cell::Boolean(true)],
            &mut line,
        );

        assert_eq!(line, "a\\tb\\\\N\\nc\\r\t\\N\t\\\\x00ff\tt\n");
    }

    #[rstest]
    #[case::none(r#"{"a":"b"}"#, None)]
    #[case::one(r#"{"a":"b\u0000c"}"#, Some(r#"{"a":"b\ufffdc"}"#))]
    #[case::a_backslash_before_it(r#"{"a":"b\\u0000c"}"#, None)]
    #[case::both(r#""\\\u0000\\u0000""#, Some(r#""\\\ufffd\\u0000""#))]
    fn a_sign_that_postgresql_cannot_hold_is_replaced(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(json_without_nul(text).as_deref(), expected);
    }
}
