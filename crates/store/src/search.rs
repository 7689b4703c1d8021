//! Finding leads by a piece of their name, e-mail, phone number or company.
//!
//! Every lead carries what it is found by as one lower-case text ([`text`]); a search finds the leads whose text holds
//! each of its words somewhere ([`Terms`]). On PostgreSQL a trigram index on that column answers. SQLite has its index
//! in a table beside it, which [`index()`] feeds from the event log; until then a lead is found through its event, which
//! waits, so a search never misses what was just written. An index only narrows: what is found is compared with the
//! text itself, and both databases give the same leads.

use leadline_domain::ids::LeadId;
use serde::{Deserialize, Serialize};

use crate::sql::{Error, Param, Tx, json_set};

/// The shortest text that a trigram index can look up.
pub(crate) const TRIGRAM_CHARS: usize = 3;

/// More words than these say nothing more.
const WORDS_MAX: usize = 32;

/// Fewer digits than these are a piece of a postcode or a year rather than of a phone number.
const PHONE_DIGITS_MIN: usize = 4;

/// As many digits of a phone number are looked up in the index, from its end: those before them are the calling code and
/// the network's prefix, which stand in most leads and cost much to intersect.
const PHONE_DIGITS_TELLING: usize = 7;

/// Pages of the index that are merged in one transaction.
const MERGED_PAGES: i64 = 500;

/// What a lead is found by: `name email phone company` in lower case. A phone number that is not in E.164 is there as
/// entered and as its digits.
#[must_use]
pub fn text(name: &str, email: Option<&str>, phone: Option<&str>, company: Option<&str>) -> String {
    let digits = phone.map(digits_of).filter(|digits| phone.is_some_and(|phone| !phone.contains(digits.as_str())));
    let parts = [Some(name), email, phone, digits.as_deref(), company];
    let parts: Vec<&str> = parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(" ").to_lowercase()
}

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    words: Vec<String>,
    /// The digits of a phone number, without what stands before it inside its country. Alone where one word is all
    /// there is to them.
    digits: Option<String>,
}

impl Terms {
    /// Reads what was typed; `None` where there is nothing to look for.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        // PostgreSQL cannot hold U+0000, so no lead can either.
        let typed = typed.replace('\0', " ").to_lowercase();
        let mut words: Vec<String> = Vec::new();
        for word in typed.split_whitespace() {
            if words.len() < WORDS_MAX && !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        let digits = phone_digits(&typed);
        // What holds such a word holds the digits too, so they alone say all of it.
        if digits.as_ref().is_some_and(|digits| words.iter().any(|word| word.contains(digits))) {
            return Some(Self { words: Vec::new(), digits });
        }
        (!words.is_empty()).then_some(Self { words, digits })
    }

    /// The condition that `column` holds every word, or the phone number. The parameters go behind those in `params`.
    pub(crate) fn condition(&self, column: &str, params: &mut Vec<Param>) -> String {
        let mut like = |piece: &str| {
            params.push(Param::Text(Some(format!("%{}%", escape(piece)))));
            format!("{column} LIKE ${} ESCAPE '\\'", params.len())
        };
        let words: Vec<String> = self.words.iter().map(|word| like(word)).collect();
        let words = (!words.is_empty()).then(|| format!("({})", words.join(" AND ")));
        let digits = self.digits.as_deref().map(like);
        format!("({})", Vec::from_iter([words, digits].into_iter().flatten()).join(" OR "))
    }

    /// The same for a trigram index that has a language of its own, as far as such an index can tell; `None` where it
    /// cannot narrow at all.
    pub(crate) fn trigrams(&self) -> Option<String> {
        let long = |piece: &&String| piece.chars().count() >= TRIGRAM_CHARS;
        let words: Vec<String> = self.words.iter().filter(long).map(|word| quote(word)).collect();
        if words.is_empty() && !self.words.is_empty() {
            return None;
        }
        let words = (!words.is_empty()).then(|| format!("({})", words.join(" AND ")));
        let digits =
            self.digits.as_deref().map(|digits| quote(&digits[digits.len().saturating_sub(PHONE_DIGITS_TELLING)..]));
        Some(Vec::from_iter([words, digits].into_iter().flatten()).join(" OR "))
    }
}

/// Brings the index up to date with these leads. The dispatcher calls it with the leads of the events it marks.
///
/// # Errors
/// Where the database fails.
pub async fn index(tx: &mut Tx, leads: &[LeadId]) -> Result<(), Error> {
    let Some(table) = tx.dialect().search_table() else { return Ok(()) };
    if leads.is_empty() {
        return Ok(());
    }
    let list = tx.dialect().id_list(1);
    let known = format!("DELETE FROM {table} WHERE rowid IN (SELECT number FROM leads WHERE id IN {list})");
    tx.execute(&known, &[json_set(leads)]).await?;
    let current = format!(
        "INSERT INTO {table} (rowid, body)
         SELECT number, search_text FROM leads WHERE id IN {list} AND deleted_at IS NULL"
    );
    tx.execute(&current, &[json_set(leads)]).await.map(drop)
}

/// Merges a part of the index, so that nothing stays in it of leads that are gone, and tells whether there may be more
/// to do. Somebody begins it, and goes on until there is no more.
///
/// # Errors
/// Where the database fails.
pub async fn merge(tx: &mut Tx, begins: bool) -> Result<bool, Error> {
    let dialect = tx.dialect();
    let Some(table) = dialect.search_table() else { return Ok(false) };
    let changes = dialect.changes_so_far();
    let before: i64 = tx.query_one(changes, &[]).await?.map_or(Ok(0), |row| row.get("n"))?;
    // Below zero it takes all of the index together; the index itself counts one change for each time it is asked.
    let pages = if begins { -MERGED_PAGES } else { MERGED_PAGES };
    tx.execute(&format!("INSERT INTO {table} ({table}, rank) VALUES ('merge', {pages})"), &[]).await?;
    let after: i64 = tx.query_one(changes, &[]).await?.map_or(Ok(0), |row| row.get("n"))?;
    Ok(begins || after - before >= 2)
}

/// The digits of what looks like a phone number: without zeros in front, which stand for the way out of a country or
/// for the country itself, and without the `(0)` that some write behind the calling code.
fn phone_digits(typed: &str) -> Option<String> {
    let typed = typed.trim().replace("(0)", "");
    let looks_like_a_number = typed.chars().all(|c| c.is_ascii_digit() || " \u{a0}+-./()".contains(c));
    let digits = digits_of(&typed);
    let digits = digits.trim_start_matches('0');
    (looks_like_a_number && digits.len() >= PHONE_DIGITS_MIN).then(|| digits.to_owned())
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A text in which LIKE sees no wildcard.
pub(crate) fn escape(piece: &str) -> String {
    let mut escaped = String::with_capacity(piece.len());
    for c in piece.chars() {
        if matches!(c, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A text in which a full-text query sees no operator.
pub(crate) fn quote(piece: &str) -> String {
    format!("\"{}\"", piece.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::e164(("Ann Lee", Some("Ann@X.de"), Some("+4917112345"), Some("ACME")), "ann lee ann@x.de +4917112345 acme")]
    #[case::name_alone(("Ann", None, None, None), "ann")]
    #[case::phone_as_entered(("Ann", None, Some("0171/123 45"), None), "ann 0171/123 45 017112345")]
    #[case::no_digits(("Ann", None, Some("call me"), Some(" ")), "ann call me")]
    fn a_lead_is_found_by_its_lower_case_text(
        #[case] lead: (&str, Option<&str>, Option<&str>, Option<&str>),
        #[case] expected: &str,
    ) {
        assert_eq!(text(lead.0, lead.1, lead.2, lead.3), expected);
    }

    #[rstest]
    #[case::national("0171 123-45", Some("17112345"))]
    #[case::abroad("0049 171 12345", Some("4917112345"))]
    #[case::both("+49 (0) 171/12345", Some("4917112345"))]
    #[case::short("017", None)]
    #[case::words("0171 ann", None)]
    fn what_looks_like_a_phone_number_is_matched_by_its_digits(#[case] typed: &str, #[case] expected: Option<&str>) {
        let terms = Terms::parse(typed).expect("there is something to look for");

        assert_eq!(terms.digits.as_deref(), expected);
    }

    #[rstest]
    #[case::empty("  \0 ", None)]
    #[case::short("a b", Some(None))]
    #[case::words("Ann \"x\"yz", Some(Some(r#"("ann" AND """x""yz")"#)))]
    #[case::short_beside_long("a ann", Some(Some(r#"("ann")"#)))]
    #[case::phone("01711", Some(Some(r#""1711""#)))]
    #[case::whole_phone("+4915110200123", Some(Some(r#""0200123""#)))]
    #[case::phone_in_parts("0171 1234", Some(Some(r#"("0171" AND "1234") OR "1711234""#)))]
    #[case::short_parts("01 71 12", Some(None))]
    fn an_index_is_asked_for_what_it_can_tell(#[case] typed: &str, #[case] expected: Option<Option<&str>>) {
        let asked = Terms::parse(typed).map(|terms| terms.trigrams());

        assert_eq!(asked, expected.map(|query| query.map(str::to_owned)));
    }

    #[test]
    fn wildcards_are_taken_literally() {
        let mut params = Vec::new();

        let condition = Terms::parse(r"50%_\").expect("a word").condition("t", &mut params);

        assert_eq!(condition, r"((t LIKE $1 ESCAPE '\'))");
        assert!(matches!(&params[0], Param::Text(Some(text)) if text == r"%50\%\_\\%"), "{params:?}");
    }
}
