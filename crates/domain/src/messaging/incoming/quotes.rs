//! What somebody writes, apart from the history that their program puts below it.

/// What is kept of a history, in characters.
const QUOTED_MAX_CHARS: usize = 20_000;

/// Lines with which programs begin a history.
const SEPARATORS: [&str; 7] = [
    "-----original message-----",
    "----- original message -----",
    "-----ursprüngliche nachricht-----",
    "-------- original message --------",
    "---------- forwarded message ---------",
    "-------- ursprüngliche nachricht --------",
    "________________________________",
];

/// A text, and the history below it. Where somebody writes between the lines of the history, all of it stays.
pub(super) fn split(text: &str) -> (String, Option<String>) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = beginning(&lines) else { return (text.trim().to_owned(), None) };
    let said = lines[..at].join("\n").trim().to_owned();
    if said.is_empty() {
        return (text.trim().to_owned(), None);
    }
    let quoted: String = lines[at..].join("\n").trim().chars().take(QUOTED_MAX_CHARS).collect();
    (said, Some(quoted).filter(|text| !text.is_empty()))
}

fn beginning(lines: &[&str]) -> Option<usize> {
    let separator = lines.iter().position(|line| SEPARATORS.contains(&line.trim().to_lowercase().as_str()));
    let quote = lines.iter().position(|line| line.starts_with('>'));
    let quote = quote.filter(|at| lines[*at..].iter().all(|line| line.starts_with('>') || line.trim().is_empty()));
    let quote = quote.map(|at| introduction(lines, at));
    match (separator, quote) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// "On Monday … Ada wrote:" stands before the first quoted line, in one line or in three.
fn introduction(lines: &[&str], quote: usize) -> usize {
    let Some(last) = lines[..quote].iter().rposition(|line| !line.trim().is_empty()) else { return quote };
    if !lines[last].trim_end().ends_with(':') {
        return quote;
    }
    let first = (last.saturating_sub(2)..=last).find(|at| {
        let start = lines[*at].trim_start();
        ["On ", "Am ", "Le ", "El ", "Il ", "Op "].iter().any(|word| start.starts_with(word))
    });
    first.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_quoted("Hello\nthere", "Hello\nthere", None)]
    #[case::below(
        "Yes!\n\nOn Mon, Ada wrote:\n> Do you?\n>\n> Ada",
        "Yes!",
        Some("On Mon, Ada wrote:\n> Do you?\n>\n> Ada")
    )]
    #[case::a_long_introduction(
        "Yes\n\nOn Mon, 5 Jan 2026 at 08:00,\nShop <shop@example.com>\nwrote:\n> Hi",
        "Yes",
        Some("On Mon, 5 Jan 2026 at 08:00,\nShop <shop@example.com>\nwrote:\n> Hi")
    )]
    #[case::german(
        "Ja\n\nAm 05.01.26 um 08:00 schrieb Shop:\n> Hallo",
        "Ja",
        Some("Am 05.01.26 um 08:00 schrieb Shop:\n> Hallo")
    )]
    #[case::outlook(
        "Yes\n-----Original Message-----\nFrom: Shop\nHi",
        "Yes",
        Some("-----Original Message-----\nFrom: Shop\nHi")
    )]
    #[case::between_the_lines("> Do you?\nYes\n> Really?\nYes", "> Do you?\nYes\n> Really?\nYes", None)]
    #[case::only_history("> Hi", "> Hi", None)]
    #[case::no_introduction("Prices:\n\nall fine", "Prices:\n\nall fine", None)]
    fn a_history_is_told_apart(#[case] text: &str, #[case] said: &str, #[case] quoted: Option<&str>) {
        assert_eq!(split(text), (said.to_owned(), quoted.map(str::to_owned)));
    }
}
