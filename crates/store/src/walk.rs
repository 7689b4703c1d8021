//! Going through all rows that match, however many, for whoever writes them into a file: from one end of the order to
//! the other by the place of the last row, a bounded strip at a time, so that nothing is read that nobody asks for.
//!
//! Rows are gone through by their creation, which no change moves, so what is there all the while comes exactly once.
//! For another order ids and keys are gathered in that way first, and sorted here: some tens of bytes for each row.

use std::{cmp::Ordering, collections::VecDeque, vec};

use leadline_domain::time::Timestamp;
use uuid::Uuid;

use crate::sql::{Error, Reader};

/// Rows that one statement looks at.
pub(crate) const STRIP: i64 = 5_000;

/// How much of a text counts when rows are sorted by it.
const KEY_CHARS: usize = 60;

/// Where a row stands in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was made.
    pub created_at: Timestamp,
    /// Which it is.
    pub id: Uuid,
}

/// In which direction rows are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The oldest, or the least, first.
    Up,
    /// The newest, or the greatest, first.
    Down,
}

/// A part of the order, as seen in the walk's direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Where the walk goes.
    pub direction: Direction,
    /// The row before the first.
    pub after: Option<Place>,
    /// The last row.
    pub until: Option<Place>,
}

impl Range {
    pub(crate) fn sql(&self) -> &'static str {
        match self.direction {
            Direction::Up => "ASC",
            Direction::Down => "DESC",
        }
    }

    /// The signs that compare a place with `after` and with `until`.
    pub(crate) fn signs(&self) -> [&'static str; 2] {
        match self.direction {
            Direction::Up => [">", "<="],
            Direction::Down => ["<", ">="],
        }
    }
}

/// A row that matches.
#[derive(Debug, Clone)]
pub struct Match {
    /// Where it is.
    pub place: Place,
    /// What it is sorted by as text, where that is not its creation and there is a value.
    pub key: Option<String>,
}

/// What is gone through.
pub trait Rows: Send + Sync {
    /// All that match, where an index has few enough of them.
    fn few(&self, reader: &Reader) -> impl Future<Output = Result<Option<Vec<Match>>, Error>> + Send;
    /// The newest row there is.
    fn newest(&self, reader: &Reader) -> impl Future<Output = Result<Option<Place>, Error>> + Send;
    /// The row so many rows into a range, whether it matches or not; `None` where the range has fewer.
    fn end_of_strip(&self, reader: &Reader, range: &Range)
    -> impl Future<Output = Result<Option<Place>, Error>> + Send;
    /// Those rows of a range that match.
    fn matches(&self, reader: &Reader, range: &Range) -> impl Future<Output = Result<Vec<Match>, Error>> + Send;
}

/// In which order rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were made.
    Creation,
    /// By their keys, which are numbers.
    Numbers,
    /// By their keys, which are texts.
    Texts,
}

/// A walk through rows.
pub struct Walk<R> {
    rows: R,
    order: Order,
    direction: Direction,
    state: State,
}

enum State {
    Begun,
    Strips { after: Option<Place>, last: Option<Place>, ready: VecDeque<Uuid>, is_done: bool },
    Sorted(vec::IntoIter<Uuid>),
}

impl<R: Rows> Walk<R> {
    pub(crate) fn new(rows: R, order: Order, direction: Direction) -> Self {
        Self { rows, order, direction, state: State::Begun }
    }

    /// The next rows, at most so many; none at the end.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next(&mut self, reader: &Reader, most: usize) -> Result<Vec<Uuid>, Error> {
        if matches!(self.state, State::Begun) {
            self.state = self.begin(reader).await?;
        }
        loop {
            match &mut self.state {
                State::Begun => return Ok(Vec::new()),
                State::Sorted(ids) => return Ok(ids.take(most).collect()),
                State::Strips { ready, .. } if !ready.is_empty() => {
                    let next = most.min(ready.len());
                    return Ok(ready.drain(..next).collect());
                }
                State::Strips { is_done: true, .. } => return Ok(Vec::new()),
                State::Strips { after, last, ready, is_done } => {
                    let (found, end) = strip(&self.rows, reader, self.direction, *after, *last).await?;
                    ready.extend(found.iter().map(|found| found.place.id));
                    *after = end;
                    *is_done = end.is_none();
                }
            }
        }
    }

    async fn begin(&self, reader: &Reader) -> Result<State, Error> {
        if let Some(few) = self.rows.few(reader).await? {
            return Ok(State::Sorted(self.sorted(few)));
        }
        // Whatever is made from now on stands behind the newest, where a walk upwards ends.
        let Some(newest) = self.rows.newest(reader).await? else { return Ok(State::Sorted(Vec::new().into_iter())) };
        let last = (self.direction == Direction::Up).then_some(newest);
        if self.order == Order::Creation {
            return Ok(State::Strips { after: None, last, ready: VecDeque::new(), is_done: false });
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (matches, end) = strip(&self.rows, reader, self.direction, after, last).await?;
            found.extend(matches.into_iter().map(shortened));
            if end.is_none() {
                return Ok(State::Sorted(self.sorted(found)));
            }
            after = end;
        }
    }

    fn sorted(&self, mut found: Vec<Match>) -> vec::IntoIter<Uuid> {
        let turned = |ordering: Ordering| match self.direction {
            Direction::Up => ordering,
            Direction::Down => ordering.reverse(),
        };
        let order = self.order;
        found.sort_by(|one, other| match order {
            Order::Creation => turned(one.place.cmp(&other.place)),
            Order::Numbers | Order::Texts => match (&one.key, &other.key) {
                // What has no value comes last in either direction.
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (None, None) => turned(one.place.id.cmp(&other.place.id)),
                (Some(key), Some(another)) => {
                    turned(compared(order, key, another).then(one.place.id.cmp(&other.place.id)))
                }
            },
        });
        found.into_iter().map(|found| found.place.id).collect::<Vec<_>>().into_iter()
    }
}

async fn strip<R: Rows>(
    rows: &R,
    reader: &Reader,
    direction: Direction,
    after: Option<Place>,
    last: Option<Place>,
) -> Result<(Vec<Match>, Option<Place>), Error> {
    let rest = Range { direction, after, until: last };
    let end = rows.end_of_strip(reader, &rest).await?;
    let found = rows.matches(reader, &Range { until: end.or(last), ..rest }).await?;
    Ok((found, end))
}

fn shortened(mut found: Match) -> Match {
    if let Some(key) = &mut found.key
        && let Some((end, _)) = key.char_indices().nth(KEY_CHARS)
    {
        key.truncate(end);
        key.shrink_to_fit();
    }
    found
}

fn compared(order: Order, key: &str, other: &str) -> Ordering {
    let number = |text: &str| text.trim().parse::<f64>().unwrap_or_default();
    if order == Order::Numbers { number(key).total_cmp(&number(other)) } else { key.cmp(other) }
}
