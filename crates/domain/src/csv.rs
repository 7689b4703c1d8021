//! Comma-separated values that people open in a spreadsheet: quoted as RFC 4180 has it, and with nothing in them that a
//! spreadsheet would compute.

use std::borrow::Cow;

/// What makes a spreadsheet compute a cell. Some programs read the full-width signs like the plain ones.
const FORMULA_SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// One line, with its end.
#[must_use]
pub fn line<Cell: AsRef<str>>(cells: &[Cell]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&defused(cell.as_ref()))).collect();
    cells.join(",") + "\r\n"
}

/// A text that could be a formula gets an apostrophe in front, by which a spreadsheet knows text. Numbers stay as they
/// are, a phone number among them: they compute to themselves.
fn defused(cell: &str) -> Cow<'_, str> {
    // What stands before the sign may be dropped on the way into the cell.
    let begins = cell.trim_start_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    let could_be_a_formula = begins.starts_with(FORMULA_SIGNS) && !is_number(cell);
    let begins_with_a_control = cell.starts_with(['\t', '\r', '\n']);
    if could_be_a_formula || begins_with_a_control { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
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

    #[test]
    fn cells_stand_side_by_side() {
        assert_eq!(line(&["a", "", "c"]), "a,,c\r\n");
    }
}
