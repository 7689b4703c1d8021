//! What the numbers of a workbook look like to whoever typed them: days are counted from 1900, or from 1904, and a
//! number's format says that it is a day.

use leadline_domain::time::{DAY_MS, Timestamp};

/// How a cell's number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shown {
    /// As a number.
    #[default]
    Number,
    /// As a day, or a day and a time.
    Day,
    /// As a time of the day.
    Time,
}

/// The formats that every workbook has.
pub(super) fn built_in(id: u32) -> Shown {
    match id {
        14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Day,
        18..=21 | 32..=35 | 45..=47 | 55 | 56 => Shown::Time,
        _ => Shown::Number,
    }
}

/// What a format of the workbook's own shows: letters of days and times outside of quotes and brackets.
pub(super) fn of_code(code: &str) -> Shown {
    let mut letters = String::new();
    let mut signs = code.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => {
                signs.by_ref().find(|sign| *sign == '"');
            }
            '[' => {
                // `[h]` counts hours beyond a day; `[Red]` and `[$-409]` are no part of the value.
                let inside: String = signs.by_ref().take_while(|sign| *sign != ']').collect();
                if matches!(inside.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") {
                    letters.push('h');
                }
            }
            '\\' | '_' | '*' => {
                signs.next();
            }
            ';' => break,
            other => letters.extend(other.to_lowercase()),
        }
    }
    if letters.contains("general") {
        Shown::Number
    } else if letters.contains(['y', 'd']) || (letters.contains('m') && !letters.contains(['h', 's'])) {
        Shown::Day
    } else if letters.contains(['h', 's']) {
        Shown::Time
    } else {
        Shown::Number
    }
}

/// A number of the sheet as text.
pub(super) fn text(raw: &str, shown: Shown, counts_from_1904: bool) -> String {
    let Ok(number) = raw.trim().parse::<f64>() else { return raw.trim().to_owned() };
    match shown {
        Shown::Day => day(number, counts_from_1904).unwrap_or_else(|| plain(number, raw)),
        Shown::Time if (0.0..1.0).contains(&number) => time(number),
        Shown::Number | Shown::Time => plain(number, raw),
    }
}

/// Phone numbers and article numbers are numbers to a spreadsheet: no exponent, no fraction that was not typed.
fn plain(number: f64, raw: &str) -> String {
    let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
    if is_whole {
        return format!("{number:.0}");
    }
    // Fifteen digits are what the spreadsheet itself shows; the file has the noise behind them.
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    if number.is_finite() { rounded.to_string() } else { raw.trim().to_owned() }
}

fn day(number: f64, counts_from_1904: bool) -> Option<String> {
    // Excel thinks that 1900 was a leap year, so days before March of it are off by one; leads are younger.
    let epoch = if counts_from_1904 { -24_107 } else { -25_569 };
    if !(1.0..2_958_466.0).contains(&number) {
        return None;
    }
    let seconds = (number * 86_400.0).round() as i64;
    let at = Timestamp((seconds + epoch * 86_400) * 1_000);
    let text = at.to_string();
    let (day, rest) = text.split_once('T')?;
    let is_midnight = at.0.rem_euclid(DAY_MS) == 0;
    Some(if is_midnight { day.to_owned() } else { format!("{day}T{}", rest.get(..8)?) })
}

fn time(number: f64) -> String {
    let seconds = (number * 86_400.0).round() as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::phone("4915112345678", Shown::Number, "4915112345678")]
    #[case::exponent("4.915112345678E12", Shown::Number, "4915112345678")]
    #[case::noise("0.30000000000000004", Shown::Number, "0.3")]
    #[case::fraction("12.5", Shown::Number, "12.5")]
    #[case::day("46053", Shown::Day, "2026-01-31")]
    #[case::day_and_time("46053.5", Shown::Day, "2026-01-31T12:00:00")]
    #[case::time("0.75", Shown::Time, "18:00:00")]
    #[case::no_day("-3", Shown::Day, "-3")]
    #[case::no_number("n/a", Shown::Day, "n/a")]
    fn a_number_reads_as_it_was_typed(#[case] raw: &str, #[case] shown: Shown, #[case] expected: &str) {
        assert_eq!(text(raw, shown, false), expected);
    }

    #[test]
    fn a_workbook_may_count_from_1904() {
        assert_eq!(text("44591", Shown::Day, true), "2026-01-31");
    }

    #[rstest]
    #[case("0.00", Shown::Number)]
    #[case("General", Shown::Number)]
    #[case("#,##0 \"days\"", Shown::Number)]
    #[case("[Red]0.0", Shown::Number)]
    #[case("yyyy-mm-dd", Shown::Day)]
    #[case("[$-407]d. mmmm yyyy", Shown::Day)]
    #[case("dd/mm/yyyy hh:mm", Shown::Day)]
    #[case("hh:mm", Shown::Time)]
    #[case("[h]:mm", Shown::Time)]
    fn a_format_says_what_its_numbers_are(#[case] code: &str, #[case] expected: Shown) {
        assert_eq!(of_code(code), expected);
    }
}
