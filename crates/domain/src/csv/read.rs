//! Reading separated values, a piece of text at a time, as browsers' and spreadsheets' readers do: what ends a line and
//! what separates is guessed from the beginning, a quote that closes nothing belongs to its cell.
//!
//! A row is bounded. A quote that is never closed would take the rest of the file into one cell, so it is an error as
//! soon as the row is larger than any row is.

/// A row has at most this many bytes.
pub const ROW_MAX_BYTES: usize = 1024 * 1024;

/// A row has at most this many cells.
pub const CELLS_MAX: usize = 500;

/// What separates cells, the likeliest first.
pub const DELIMITERS: [char; 6] = [',', ';', '\t', '|', '\u{1e}', '\u{1f}'];

/// Rows that a guess goes by.
const GUESSED_BY: usize = 10;

/// What ends a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newline {
    /// `\n`, also behind a `\r`.
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r` alone.
    Cr,
}

/// How a file separates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What stands between cells.
    pub delimiter: char,
    /// What stands between rows.
    pub newline: Newline,
}

impl Shape {
    /// What the beginning of a file looks like. `delimiter` is what somebody says it is.
    #[must_use]
    pub fn guess(beginning: &str, delimiter: Option<char>) -> Self {
        let newline = guess_newline(beginning);
        Self { delimiter: delimiter.unwrap_or_else(|| guess_delimiter(beginning, newline)), newline }
    }
}

/// Why a file cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// A row is too large.
    #[error("row {row} is larger than {} KiB: is a quotation mark in it, or before it, never closed?", ROW_MAX_BYTES / 1024)]
    RowTooLarge {
        /// Which, from 1.
        row: u64,
    },
    /// A row has too many cells.
    #[error("row {row} has more than {CELLS_MAX} cells")]
    TooManyCells {
        /// Which, from 1.
        row: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a cell.
    CellBegins,
    /// In a cell without quotes.
    Plain,
    /// Behind the quote that opens a cell.
    Quoted,
    /// Behind a quote inside a quoted cell, and so many spaces: it closes, is one of two, or belongs to the cell.
    AfterQuote { spaces: usize },
}

/// Takes text and gives rows.
#[derive(Debug)]
pub struct Reader {
    shape: Shape,
    state: State,
    cell: String,
    cells: Vec<String>,
    bytes: usize,
    /// A `\r` that may be half of a `\r\n`.
    carriage: bool,
    rows: u64,
    is_first: bool,
}

impl Reader {
    /// A reader for a file of this shape.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            state: State::CellBegins,
            cell: String::new(),
            cells: Vec::new(),
            bytes: 0,
            carriage: false,
            rows: 0,
            is_first: true,
        }
    }

    /// Reads the next piece of the file and gives `take` each row that ends in it. A blank line is a row of one empty
    /// cell.
    ///
    /// # Errors
    /// Where a row is too large, or `take` refuses one.
    pub fn read<E: From<ReadFault>>(
        &mut self,
        text: &str,
        mut take: impl FnMut(Vec<String>) -> Result<(), E>,
    ) -> Result<(), E> {
        let text = if self.is_first { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        self.is_first = self.is_first && text.is_empty();
        for letter in text.chars() {
            self.letter(letter, &mut take)?;
        }
        Ok(())
    }

    /// Ends the file: what stands behind the last line's end is a row too.
    ///
    /// # Errors
    /// Where `take` refuses it.
    pub fn finish<E: From<ReadFault>>(mut self, mut take: impl FnMut(Vec<String>) -> Result<(), E>) -> Result<(), E> {
        let carriage = std::mem::take(&mut self.carriage);
        if carriage {
            self.plain('\r', &mut take)?;
        }
        let is_behind_a_line = self.state == State::CellBegins && self.cells.is_empty();
        if is_behind_a_line {
            return Ok(());
        }
        self.end_row(&mut take)
    }

    fn letter<E: From<ReadFault>>(
        &mut self,
        letter: char,
        take: &mut impl FnMut(Vec<String>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.state == State::Quoted {
            // The usual letter of a usual cell.
            if letter == '"' {
                self.state = State::AfterQuote { spaces: 0 };
                return Ok(());
            }
            return self.push(letter).map_err(E::from);
        }
        let waited = std::mem::take(&mut self.carriage);
        if waited && letter != '\n' {
            self.plain('\r', take)?;
            if self.state == State::Quoted {
                return self.letter(letter, take);
            }
        }
        match (letter, self.shape.newline) {
            // Where lines end with `\n`, one may end with `\r\n` all the same.
            ('\n', Newline::Lf) => self.end_row(take),
            ('\n', Newline::CrLf) if waited => self.end_row(take),
            ('\r', Newline::Cr) => self.end_row(take),
            ('\r', Newline::Lf | Newline::CrLf) => {
                self.carriage = true;
                Ok(())
            }
            _ => self.plain(letter, take),
        }
    }

    /// A letter that ends no row.
    fn plain<E: From<ReadFault>>(
        &mut self,
        letter: char,
        take: &mut impl FnMut(Vec<String>) -> Result<(), E>,
    ) -> Result<(), E> {
        let delimits = letter == self.shape.delimiter;
        match self.state {
            State::CellBegins | State::Plain | State::AfterQuote { .. } if delimits => {
                self.end_cell()?;
                self.state = State::CellBegins;
            }
            State::CellBegins if letter == '"' => self.state = State::Quoted,
            State::CellBegins => {
                self.state = State::Plain;
                self.push(letter)?;
            }
            State::Plain | State::Quoted => self.push(letter)?,
            State::AfterQuote { spaces: 0 } if letter == '"' => {
                self.state = State::Quoted;
                self.push('"')?;
            }
            State::AfterQuote { spaces } if letter == ' ' => self.state = State::AfterQuote { spaces: spaces + 1 },
            State::AfterQuote { spaces } => {
                // The quote closed nothing.
                self.state = State::Quoted;
                self.push('"')?;
                for _ in 0..spaces {
                    self.push(' ')?;
                }
                return self.letter(letter, take);
            }
        }
        Ok(())
    }

    fn push(&mut self, letter: char) -> Result<(), ReadFault> {
        self.bytes += letter.len_utf8();
        if self.bytes > ROW_MAX_BYTES {
            return Err(ReadFault::RowTooLarge { row: self.rows + 1 });
        }
        self.cell.push(letter);
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), ReadFault> {
        if self.cells.len() == CELLS_MAX {
            return Err(ReadFault::TooManyCells { row: self.rows + 1 });
        }
        self.cells.push(std::mem::take(&mut self.cell));
        Ok(())
    }

    fn end_row<E: From<ReadFault>>(&mut self, take: &mut impl FnMut(Vec<String>) -> Result<(), E>) -> Result<(), E> {
        self.end_cell()?;
        self.state = State::CellBegins;
        self.bytes = 0;
        self.rows += 1;
        take(std::mem::take(&mut self.cells))
    }
}

/// What the first line ends with; a line's end inside quotes counts for nothing.
fn guess_newline(beginning: &str) -> Newline {
    let mut is_quoted = false;
    let outside: String = beginning
        .chars()
        .filter(|letter| {
            is_quoted ^= *letter == '"';
            !is_quoted
        })
        .collect();
    let (feeds, returns) = (outside.find('\n'), outside.find('\r'));
    match (feeds, returns) {
        (_, None) => Newline::Lf,
        (None, Some(_)) => Newline::Cr,
        (Some(feed), Some(carriage)) if feed < carriage => Newline::Lf,
        (Some(_), Some(_)) => {
            let pairs = outside.matches("\r\n").count();
            let all = outside.matches('\r').count();
            if pairs * 2 >= all { Newline::CrLf } else { Newline::Cr }
        }
    }
}

/// What separates the first rows into the same number of cells, and into the most.
fn guess_delimiter(beginning: &str, newline: Newline) -> char {
    let mut best: Option<(usize, f64, char)> = None;
    for delimiter in DELIMITERS {
        let Some((unevenness, cells)) = evenness(beginning, Shape { delimiter, newline }) else { continue };
        let is_better = best.is_none_or(|(least, most, _)| unevenness <= least && cells > most);
        if cells > 1.99 && is_better {
            best = Some((unevenness, cells, delimiter));
        }
    }
    best.map_or(DELIMITERS[0], |(_, _, delimiter)| delimiter)
}

struct Enough;

impl From<ReadFault> for Enough {
    fn from(_: ReadFault) -> Self {
        Self
    }
}

/// By how much the numbers of cells of the first rows differ, and how many there are on average.
fn evenness(beginning: &str, shape: Shape) -> Option<(usize, f64)> {
    let mut counts = Vec::new();
    let mut reader = Reader::new(shape);
    let mut take = |row: Vec<String>| {
        let is_blank = row.len() == 1 && row[0].trim().is_empty();
        if !is_blank {
            counts.push(row.len());
        }
        if counts.len() < GUESSED_BY { Ok(()) } else { Err(Enough) }
    };
    if reader.read(beginning, &mut take).is_ok() {
        let _enough = reader.finish(&mut take);
    }
    let rows = counts.len();
    let differences = counts.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
    (rows > 0).then(|| (differences, counts.iter().sum::<usize>() as f64 / rows as f64))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rows_in(text: &str, piece: usize) -> Result<Vec<Vec<String>>, ReadFault> {
        let mut rows = Vec::new();
        let mut reader = Reader::new(Shape::guess(text, None));
        let letters: Vec<char> = text.chars().collect();
        for piece in letters.chunks(piece) {
            reader.read(&piece.iter().collect::<String>(), |row| {
                rows.push(row);
                Ok::<_, ReadFault>(())
            })?;
        }
        reader.finish(|row| {
            rows.push(row);
            Ok::<_, ReadFault>(())
        })?;
        Ok(rows)
    }

    #[rstest]
    #[case::plain("a,b\n1,2", r#"[["a", "b"], ["1", "2"]]"#)]
    #[case::line_end_at_the_end("a,b\r\n1,2\r\n", r#"[["a", "b"], ["1", "2"]]"#)]
    #[case::old_mac("a,b\r1,2", r#"[["a", "b"], ["1", "2"]]"#)]
    #[case::quotes("a,\"b,\"\"c\"\"\nd\"", r#"[["a", "b,\"c\"\nd"]]"#)]
    #[case::pairs_in_quotes("\"a\r\na\",b\r\nc,d", r#"[["a\r\na", "b"], ["c", "d"]]"#)]
    #[case::never_closed("a,\"b,c\nd", r#"[["a", "b,c\nd"]]"#)]
    #[case::closes_nothing("a,\"b\"c\",d", r#"[["a", "b\"c", "d"]]"#)]
    #[case::spaces_behind_a_quote("a,\"b\"  ,c", r#"[["a", "b", "c"]]"#)]
    #[case::a_quote_inside("a,b\",c", r#"[["a", "b\"", "c"]]"#)]
    #[case::semicolons("a;b,c;d\n1;2;3", r#"[["a", "b,c", "d"], ["1", "2", "3"]]"#)]
    #[case::tabs("a\tb\n1\t2", r#"[["a", "b"], ["1", "2"]]"#)]
    #[case::ragged("a,b,c\n1\n1,2,3,4", r#"[["a", "b", "c"], ["1"], ["1", "2", "3", "4"]]"#)]
    #[case::blank_lines("a,b\n\n1,2\n\n", r#"[["a", "b"], [""], ["1", "2"], [""]]"#)]
    #[case::byte_order_mark("\u{feff}a,b", r#"[["a", "b"]]"#)]
    #[case::quoted_with_line_ends("\"a\",\"b\"\r\n\"c\",\"d\"\r\n", r#"[["a", "b"], ["c", "d"]]"#)]
    #[case::nothing("", r#"[]"#)]
    fn rows_are_the_same_however_the_text_is_cut(#[case] text: &str, #[case] expected: &str) {
        let expected: Vec<Vec<String>> = serde_json::from_str(expected).expect("rows");
        for piece in [1, 2, 3, 1_000] {
            let rows = rows_in(text, piece).expect("a file that can be read");

            assert_eq!(rows, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_the_file() {
        let text = format!("a,b\n1,\"{}", "x\n".repeat(ROW_MAX_BYTES));

        assert_eq!(rows_in(&text, 4_096), Err(ReadFault::RowTooLarge { row: 2 }));
        assert_eq!(rows_in(&",".repeat(CELLS_MAX), 100), Err(ReadFault::TooManyCells { row: 1 }));
    }
}
