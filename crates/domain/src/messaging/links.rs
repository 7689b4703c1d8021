//! The links of a letter: finding them in a page or a text, and writing others in their place.
//!
//! Only `http` and `https` are touched, only where a browser would follow them by a click, and everything else stays as
//! it was written, to the byte. A page is never built anew: letters live from markup that no parser would keep.

use std::ops::Range;

/// Links of one letter that are tracked. Beyond, they stay what they are.
pub const LINKS_MAX: usize = 200;

/// The longest address that is tracked, in bytes.
const ADDRESS_MAX_BYTES: usize = 4_000;

/// The addresses that a page links to, in their order.
#[must_use]
pub fn of_page(page: &str) -> Vec<String> {
    places_in_page(page).into_iter().map(|(_, address)| address).collect()
}

/// The addresses in a text, in their order.
#[must_use]
pub fn of_text(text: &str) -> Vec<String> {
    places_in_text(text).into_iter().map(|place| text[place].to_owned()).collect()
}

/// A page with other addresses in its links, where `other` names one. What it names is written as it is.
#[must_use]
pub fn in_page(page: &str, other: impl Fn(&str) -> Option<String>) -> String {
    let places = places_in_page(page);
    replaced(page, places.iter().filter_map(|(place, address)| Some((place.clone(), other(address)?))))
}

/// A text with other addresses in it, where `other` names one.
#[must_use]
pub fn in_text(text: &str, other: impl Fn(&str) -> Option<String>) -> String {
    replaced(text, places_in_text(text).into_iter().filter_map(|place| Some((place.clone(), other(&text[place])?))))
}

/// A page with something more at its end.
#[must_use]
pub fn at_end_of_page(page: &str, more: &str) -> String {
    let end = page.to_ascii_lowercase().rfind("</body").unwrap_or(page.len());
    format!("{}{more}{}", &page[..end], &page[end..])
}

fn replaced(text: &str, others: impl Iterator<Item = (Range<usize>, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (place, other) in others {
        out.push_str(&text[from..place.start]);
        out.push_str(&other);
        from = place.end;
    }
    out.push_str(&text[from..]);
    out
}

fn is_web(address: &str) -> bool {
    let begins = |scheme: &str| address.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    let is_whole = !address.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    (begins("http://") || begins("https://")) && address.len() <= ADDRESS_MAX_BYTES && is_whole
}

/// Where the values of `href` stand in the tags of links, with the addresses that they mean.
fn places_in_page(page: &str) -> Vec<(Range<usize>, String)> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(open) = page[at..].find('<').map(|next| at + next) {
        if places.len() >= LINKS_MAX {
            break;
        }
        let rest = &page[open..];
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(page.len(), |end| open + end + 3);
            continue;
        }
        let name: String =
            rest[1..].chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let attributes = Attributes { page, at: open + 1 + name.len() };
        let (end, href) = attributes.read();
        at = end;
        if matches!(name.as_str(), "style" | "script" | "title" | "textarea") {
            at = end_of(page, end, &name);
        }
        if let (true, Some(place)) = (matches!(name.as_str(), "a" | "area"), href) {
            let value = &page[place.clone()];
            let address = unescaped(value.trim());
            let begin = place.start + (value.len() - value.trim_start().len());
            let place = begin..begin + value.trim().len();
            if is_web(&address) {
                places.push((place, address));
            }
        }
    }
    places
}

/// Behind the end tag of an element in which nothing is a tag.
fn end_of(page: &str, from: usize, name: &str) -> usize {
    let rest = page[from..].to_ascii_lowercase();
    rest.find(&format!("</{name}")).map_or(page.len(), |end| from + end + 2)
}

/// The attributes of one tag.
struct Attributes<'a> {
    page: &'a str,
    at: usize,
}

impl Attributes<'_> {
    /// Where the tag ends, and where the value of its first `href` stands.
    fn read(mut self) -> (usize, Option<Range<usize>>) {
        let mut href = None;
        loop {
            self.skip(|letter| letter.is_ascii_whitespace() || letter == '/');
            match self.next() {
                None => return (self.page.len(), href),
                Some('>') => return (self.at + 1, href),
                Some(_) => {}
            }
            let from = self.at;
            // A sign that is no part of a name is passed over, so that this always goes on.
            self.at += self.next().map_or(0, char::len_utf8);
            self.skip(|letter| !letter.is_ascii_whitespace() && !matches!(letter, '=' | '>' | '/'));
            let name = from..self.at;
            self.skip(|letter| letter.is_ascii_whitespace());
            if self.next() != Some('=') {
                continue;
            }
            self.at += 1;
            self.skip(|letter| letter.is_ascii_whitespace());
            let value = self.value();
            if href.is_none() && self.page[name].eq_ignore_ascii_case("href") {
                href = Some(value);
            }
        }
    }

    fn next(&self) -> Option<char> {
        self.page[self.at..].chars().next()
    }

    fn skip(&mut self, is_passed: impl Fn(char) -> bool) {
        let rest = &self.page[self.at..];
        self.at += rest.find(|letter| !is_passed(letter)).unwrap_or(rest.len());
    }

    fn value(&mut self) -> Range<usize> {
        let quote = self.next().filter(|letter| matches!(letter, '"' | '\''));
        self.at += usize::from(quote.is_some());
        let from = self.at;
        match quote {
            Some(quote) => {
                self.skip(|letter| letter != quote);
                let value = from..self.at;
                self.at = (self.at + 1).min(self.page.len());
                value
            }
            None => {
                self.skip(|letter| !letter.is_ascii_whitespace() && letter != '>');
                from..self.at
            }
        }
    }
}

/// What an attribute means that is written like this: the few names that addresses are written with.
fn unescaped(value: &str) -> String {
    if !value.contains('&') {
        return value.to_owned();
    }
    ["&amp;", "&#38;", "&#x26;"]
        .into_iter()
        .fold(value.replace("&quot;", "\"").replace("&#39;", "'"), |text, written| text.replace(written, "&"))
}

/// Where addresses stand in a text: up to a space or a bracket, without what ends a sentence.
fn places_in_text(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find("http") {
        if places.len() >= LINKS_MAX {
            break;
        }
        let from = at + next;
        let rest = &text[from..];
        let ends = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '<' | '>' | '"');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let address = without_end_of_sentence(word);
        let is_a_word = !text[..from].ends_with(|letter: char| letter.is_alphanumeric());
        let has_host = address.split_once("://").is_some_and(|(_, behind)| !behind.is_empty());
        if is_a_word && has_host && is_web(address) {
            places.push(from..from + address.len());
        }
        at = from + word.len().max(4);
    }
    places
}

fn without_end_of_sentence(word: &str) -> &str {
    let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
    // A bracket belongs to the address only where it was opened in it.
    match word.strip_suffix(')') {
        Some(inside) if !inside.contains('(') => without_end_of_sentence(inside),
        Some(_) | None => word,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::quoted(r#"<a class="x" href="https://a.example/?a=1&amp;b=2">Go</a>"#, &["https://a.example/?a=1&b=2"])]
    #[case::other_quotes("<A HREF='http://a.example/'>Go</A>", &["http://a.example/"])]
    #[case::no_quotes("<a href=https://a.example/x>Go</a>", &["https://a.example/x"])]
    #[case::spaces("<a\n href = \" https://a.example/ \">", &["https://a.example/"])]
    #[case::map("<area href='https://a.example/m'>", &["https://a.example/m"])]
    #[case::other_schemes("<a href='mailto:a@b.de'><a href='tel:+49'><a href='#top'><a href='/x'>", &[])]
    #[case::script("<a href='javascript:https://a.example'><a href='data:text/html,https://a.example'>", &[])]
    #[case::no_link("<img src='https://a.example/x.png'><link href='https://a.example/x.css'>", &[])]
    #[case::in_a_comment("<!-- <a href='https://a.example/'> --><a href='https://b.example/'>", &["https://b.example/"])]
    #[case::in_a_value("<img alt=\"<a href='https://a.example/'>\"><a href='https://b.example/'>", &["https://b.example/"])]
    #[case::in_a_style("<style>a:after{content:\"<a href='https://a.example'>\"}</style><a href='https://b.example/'>", &["https://b.example/"])]
    #[case::broken("<a href=\"https://a.example/ <p>text", &[])]
    #[case::signs("<a =x \"' href='https://a.example/'></a>", &["https://a.example/"])]
    #[case::nothing("1 < 2 <", &[])]
    fn links_of_a_page_are_found(#[case] page: &str, #[case] expected: &[&str]) {
        assert_eq!(of_page(page), expected);
    }

    #[rstest]
    #[case::sentence("See https://a.example/x, or http://b.example.", &["https://a.example/x", "http://b.example"])]
    #[case::brackets("(https://a.example/x) https://a.example/x_(y)", &["https://a.example/x", "https://a.example/x_(y)"])]
    #[case::in_angles("<https://a.example/x>", &["https://a.example/x"])]
    #[case::no_address("http:// https xhttps://a.example httpd", &[])]
    fn links_of_a_text_are_found(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(of_text(text), expected);
    }

    #[test]
    fn nothing_but_the_addresses_changes() {
        let page = "<p>Ü <a href=\"https://a.example/?a=1&amp;b=2\" x>Go</a><a href='mailto:a@b.de'>M</a></p>";

        let tracked = in_page(page, |address| Some(format!("https://t.example/{}", address.len())));

        assert_eq!(tracked, page.replace("https://a.example/?a=1&amp;b=2", "https://t.example/26"));
        assert_eq!(in_page(page, |_| None), page);
        assert_eq!(in_text("Go: https://a.example/.", |_| Some("X".to_owned())), "Go: X.");
        assert_eq!(at_end_of_page("<BODY>x</BODY></html>", "<i>"), "<BODY>x<i></BODY></html>");
        assert_eq!(at_end_of_page("x", "<i>"), "x<i>");
    }

    #[test]
    fn no_page_takes_long_and_none_breaks() {
        let pages = ["<a href=".repeat(20_000), "<".repeat(200_000), "<!--".repeat(50_000), "<a href='ü".repeat(9_999)];

        for page in pages {
            assert_eq!(in_page(&page, |_| None), page);
        }
    }
}
