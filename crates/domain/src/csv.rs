//! Comma-separated values. Read by [`read`]; written here for people who open them in a spreadsheet: quoted as RFC 4180
//! has it, and with nothing in them that a spreadsheet would compute.

pub mod read;

use std::borrow::Cow;

/// What makes a spreadsheet compute a cell. Some programs read the full-width signs like the plain ones.
const FORMULA_SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Stands at the beginning of a file: it tells spreadsheets that the text is UTF-8.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One line, with its end.
#[must_use]
pub fn line<Cell: AsRef<str>>(cells: &[Cell]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&defused(cell.as_ref()))).collect();
    cells.join(",") + "\r\n"
}

/// A text that could be a formula gets an apostrophe in front, by which a spreadsheet knows text, and so does one that
/// looks as if it had got one: so [`restored`] always gives back what was there. Numbers stay as they are, a phone
/// number among them: they compute to themselves.
#[must_use]
pub fn defused(cell: &str) -> Cow<'_, str> {
    if could_be_computed(cell.trim_start_matches(APOSTROPHE)) {
        Cow::Owned(format!("{APOSTROPHE}{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// A cell of a table that was written here, as it was before its formula was defused.
#[must_use]
pub fn restored(cell: &str) -> &str {
    match cell.strip_prefix(APOSTROPHE) {
        Some(rest) if could_be_computed(rest.trim_start_matches(APOSTROPHE)) => rest,
        Some(_) | None => cell,
    }
}

const APOSTROPHE: char = '\'';

fn could_be_computed(cell: &str) -> bool {
    // What stands before the sign may be dropped on the way into the cell.
    let begins = cell.trim_start_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    let could_be_a_formula = begins.starts_with(FORMULA_SIGNS) && !is_number(cell);
    could_be_a_formula || cell.starts_with(['\t', '\r', '\n'])
}

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn quoted(cell: &str) -> String {
    let needs_quotes = cell.contains([',', '"', '\r', '\n', ';', '\t']) || cell.starts_with(' ') || cell.ends_with(' ');
    if needs_quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("Anna", "Anna")]
    #[case::comma("Keller, Anna", "\"Keller, Anna\"")]
    #[case::quote("the \"best\"", "\"the \"\"best\"\"\"")]
    #[case::lines("a\nb", "\"a\nb\"")]
    #[case::formula("=1+1", "'=1+1")]
    #[case::formula_after_spaces("  =1+1", "'  =1+1")]
    #[case::formula_after_a_tab("\t=1+1", "\"'\t=1+1\"")]
    #[case::full_width("＋1", "'＋1")]
    #[case::breaking_out("=1+1\",\"x", "\"'=1+1\"\",\"\"x\"")]
    #[case::a_phone("+491701234567", "+491701234567")]
    #[case::negative("-5", "-5")]
    #[case::a_dash("-", "'-")]
    #[case::a_sum("+1+1", "'+1+1")]
    #[case::empty("", "")]
    fn a_cell_is_text_and_stays_one(#[case] cell: &str, #[case] expected: &str) {
        assert_eq!(line(&[cell]), format!("{expected}\r\n"));
    }

    #[rstest]
    #[case("Anna")]
    #[case("'Anna")]
    #[case("=1+1")]
    #[case("'=1+1")]
    #[case("'''=1+1")]
    #[case("' =1+1")]
    #[case("+491701234567")]
    #[case("'+491701234567")]
    #[case("-5")]
    #[case("\t'")]
    #[case("'")]
    #[case("'-")]
    #[case("＝1")]
    fn what_was_defused_is_given_back(#[case] cell: &str) {
        let written = defused(cell);

        assert_eq!(restored(&written), cell);
        assert!(!could_be_computed(&written), "{written}");
    }

    #[test]
    fn cells_stand_side_by_side() {
        assert_eq!(line(&["a", "", "c"]), "a,,c\r\n");
    }
}
