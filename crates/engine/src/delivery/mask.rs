//! What receivers say about us that is not to be kept: a receiver that echoes its request echoes our secrets, too.
//!
//! Each secret is looked for as it is, and as JSON, PHP's JSON and addresses write it.

use serde_json::Value;
use url::form_urlencoded;

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "•••";

/// Shorter values hide nothing that could not be guessed, and hiding them would tear holes into any text.
const SHORTEST: usize = 4;

/// So much of a secret may stand at the end of what was read, where it was cut.
const LONGEST_BEGINNING: usize = 8;

/// What is to be hidden.
#[derive(Debug, Default)]
pub(super) struct Mask {
    /// The longest first: one that holds another goes as a whole.
    needles: Vec<String>,
}

impl Mask {
    /// Hides these texts.
    pub(super) fn of(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut needles: Vec<String> = secrets.into_iter().flat_map(|secret| spellings(&secret)).collect();
        needles.retain(|needle| needle.len() >= SHORTEST);
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    pub(super) fn hide(&self, text: String) -> String {
        let hide = |text: String, needle: &String| {
            if text.contains(needle.as_str()) { text.replace(needle.as_str(), HIDDEN) } else { text }
        };
        self.without_a_beginning(self.needles.iter().fold(text, hide))
    }

    /// Answers are read up to a point, which may lie inside a secret.
    fn without_a_beginning(&self, mut text: String) -> String {
        let ends_with = |needle: &String| {
            let beginnings = needle.char_indices().map(|(at, _)| &needle[..at]);
            beginnings.filter(|part| part.len() >= LONGEST_BEGINNING && text.ends_with(part)).map(str::len).max()
        };
        if let Some(length) = self.needles.iter().filter_map(ends_with).max() {
            text.truncate(text.len() - length);
            text.push_str(HIDDEN);
        }
        text
    }
}

/// What a header's value gives away: itself, and what follows a scheme such as `Bearer`.
pub(super) fn parts_of_header(value: &str) -> Vec<String> {
    let credentials = value.split_once(' ').map(|(_, credentials)| credentials.trim().to_owned());
    [Some(value.to_owned()), credentials].into_iter().flatten().collect()
}

fn spellings(secret: &str) -> Vec<String> {
    let json = Value::String(secret.to_owned()).to_string();
    let json = json.trim_matches('"').to_owned();
    let in_address: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![secret.to_owned(), json.replace('/', "\\/"), in_address.replace('+', "%20"), in_address, json]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::as_it_is("got whsec_a/b+c=", "got •••")]
    #[case::php(r#"{"secret":"whsec_a\/b+c="}"#, r#"{"secret":"•••"}"#)]
    #[case::address("?secret=whsec_a%2Fb%2Bc%3D&x=1", "?secret=•••&x=1")]
    #[case::a_header("Authorization: Bearer tok\"en", "Authorization: •••")]
    #[case::without_its_scheme("token tok\"en", "token •••")]
    #[case::in_json(r#"{"authorization":"Bearer tok\"en"}"#, r#"{"authorization":"•••"}"#)]
    #[case::cut_inside("got whsec_a/b", "got •••")]
    #[case::nothing("all is well", "all is well")]
    fn a_secret_is_hidden_however_it_is_written(#[case] answer: &str, #[case] wanted: &str) {
        let secrets = parts_of_header("Bearer tok\"en").into_iter().chain(["whsec_a/b+c=".to_owned()]);

        assert_eq!(Mask::of(secrets).hide(answer.to_owned()), wanted);
    }

    #[test]
    fn a_value_of_a_few_letters_tears_no_holes() {
        assert_eq!(Mask::of(["1".to_owned(), String::new()]).hide("1 of 10".to_owned()), "1 of 10");
    }
}
