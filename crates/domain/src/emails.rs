//! E-mail addresses: which ones are usable, and when two of them are the same.
//!
//! Usable means that something could be sent to the address over the public network. Of what the RFCs allow beyond
//! that, quoted local parts, comments and address literals are refused: nobody who fills in a form has one. Tags
//! (`+news`) and dots are kept, since only the provider knows what they mean.

mod disposable;

use unicode_normalization::UnicodeNormalization;
use url::Host;

const ADDRESS_MAX_BYTES: usize = 254;
const LOCAL_MAX_BYTES: usize = 64;

/// Top-level names that never reach a public mail server.
const UNREACHABLE_ENDINGS: [&str; 6] = ["arpa", "invalid", "internal", "local", "localhost", "onion"];

/// A usable address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email {
    /// The form that identity is decided by: lower case, NFC, the domain in ASCII.
    pub canonical: String,
}

impl Email {
    /// Reads an address as people type it. `None` when nothing could be sent to it.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let address = unwrapped(raw);
        if address.len() > 4 * ADDRESS_MAX_BYTES || address.chars().any(is_unsafe) {
            return None;
        }
        let (local, domain) = address.rsplit_once('@')?;
        let local: String = local.to_lowercase().nfc().collect();
        let domain = ascii_domain(domain)?;
        let fits = local.len() <= LOCAL_MAX_BYTES && local.len() + 1 + domain.len() <= ADDRESS_MAX_BYTES;
        (fits && is_local_part(&local)).then(|| Self { canonical: format!("{local}@{domain}") })
    }

    /// The part after the `@`, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether the domain gives mailboxes that are thrown away after minutes.
    #[must_use]
    pub fn is_disposable(&self) -> bool {
        disposable::is_listed(self.domain())
    }

    /// Whether the domain is one of these, or below one of them.
    #[must_use]
    pub fn is_at<'a>(&self, domains: impl IntoIterator<Item = &'a str>) -> bool {
        domains.into_iter().any(|listed| is_at_or_below(self.domain(), listed))
    }

    /// Whether the domain gives mailboxes to anybody.
    #[must_use]
    pub fn is_free_mail(&self) -> bool {
        let domain = self.domain();
        let family = domain.split_once('.').map_or(domain, |(family, _)| family);
        FREE_MAIL_DOMAINS.contains(&domain) || FREE_MAIL_FAMILIES.contains(&family)
    }
}

/// The address with all but the first letters hidden: `a•••@e•••.com`. Takes addresses as entered as well.
#[must_use]
pub fn mask(email: &str) -> String {
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let email = email.trim();
    let Some((local, domain)) = email.rsplit_once('@') else { return format!("{}•••", first(email)) };
    let ending = domain.rsplit_once('.').map_or_else(String::new, |(_, ending)| format!(".{ending}"));
    format!("{}•••@{}•••{ending}", first(local), first(domain))
}

/// Whether `domain` is `parent` or `something.parent`.
fn is_at_or_below(domain: &str, parent: &str) -> bool {
    domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || (rest.ends_with('.') && !parent.is_empty()))
}

/// A domain as people write it into a list, in the form that addresses have: lower case, in ASCII, without `@`.
#[must_use]
pub fn listed_domain(text: &str) -> Option<String> {
    let text = text.trim();
    ascii_domain(text.strip_prefix('@').unwrap_or(text))
}

/// Without what surrounds an address in links and address books.
fn unwrapped(raw: &str) -> &str {
    let text = raw.trim();
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim();
    match text.split_at_checked("mailto:".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => {
            rest.split_once('?').map_or(rest, |(address, _)| address).trim()
        }
        _ => text,
    }
}

/// Spaces, control characters, and characters that cannot be seen or tell lies about their neighbours.
fn is_unsafe(letter: char) -> bool {
    let is_invisible = matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}');
    let is_private = matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..);
    letter.is_control() || letter.is_whitespace() || is_invisible || is_private
}

fn is_local_part(local: &str) -> bool {
    let is_letter =
        |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter) || !letter.is_ascii();
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_letter))
}

fn ascii_domain(domain: &str) -> Option<String> {
    // The parser of hosts reads percent signs as escapes, which addresses do not have.
    if domain.contains('%') {
        return None;
    }
    let Ok(Host::Domain(ascii)) = Host::parse(domain) else { return None };
    let (_, ending) = ascii.rsplit_once('.')?;
    let is_top_level =
        ending.starts_with("xn--") || (ending.len() >= 2 && ending.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let is_usable = is_top_level
        && !UNREACHABLE_ENDINGS.contains(&ending)
        && ascii.split('.').all(is_label)
        && !domain.nfkc().any(is_symbol);
    is_usable.then_some(ascii)
}

fn is_label(label: &str) -> bool {
    let is_reserved = label.get(2..4) == Some("--") && !label.starts_with("xn--");
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !is_reserved
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Signs, pictures and punctuation, which no registry lets into a name although the host parser does.
fn is_symbol(letter: char) -> bool {
    let in_symbol_block = matches!(letter, '\u{80}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2010}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}');
    in_symbol_block && !letter.is_alphanumeric() && letter != '\u{b7}'
}

/// Providers that have the same name under many endings.
const FREE_MAIL_FAMILIES: [&str; 9] =
    ["aol", "gmx", "hotmail", "live", "outlook", "protonmail", "tutanota", "yahoo", "yandex"];

/// Providers where anybody gets a mailbox.
const FREE_MAIL_DOMAINS: [&str; 84] = [
    "126.com",
    "139.com",
    "163.com",
    "abv.bg",
    "alice.it",
    "arcor.de",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "bk.ru",
    "bluewin.ch",
    "bol.com.br",
    "btinternet.com",
    "centrum.cz",
    "charter.net",
    "comcast.net",
    "cox.net",
    "daum.net",
    "docomo.ne.jp",
    "email.cz",
    "email.de",
    "ezweb.ne.jp",
    "fastmail.com",
    "fastmail.fm",
    "foxmail.com",
    "free.fr",
    "freemail.hu",
    "freenet.de",
    "gmail.com",
    "googlemail.com",
    "hanmail.net",
    "hey.com",
    "hushmail.com",
    "icloud.com",
    "ig.com.br",
    "inbox.com",
    "inbox.lv",
    "inbox.ru",
    "indiatimes.com",
    "interia.pl",
    "laposte.net",
    "libero.it",
    "list.ru",
    "mac.com",
    "mail.com",
    "mail.de",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "nate.com",
    "naver.com",
    "o2.pl",
    "onet.pl",
    "online.de",
    "optonline.net",
    "orange.fr",
    "passport.com",
    "pm.me",
    "posteo.de",
    "proton.me",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "rocketmail.com",
    "sapo.pt",
    "sbcglobal.net",
    "seznam.cz",
    "sfr.fr",
    "sina.com",
    "sky.com",
    "sohu.com",
    "t-online.de",
    "telenet.be",
    "terra.com.br",
    "tuta.io",
    "ukr.net",
    "uol.com.br",
    "verizon.net",
    "virgilio.it",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "ymail.com",
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn canonical(raw: &str) -> Option<String> {
        Email::parse(raw).map(|email| email.canonical)
    }

    #[rstest]
    #[case("ada@example.com", Some("ada@example.com"))]
    #[case("  Ada.Lovelace@EXAMPLE.Com ", Some("ada.lovelace@example.com"))]
    #[case("<ada@example.com>", Some("ada@example.com"))]
    #[case("MAILTO:ada@example.com?subject=Hi", Some("ada@example.com"))]
    #[case("ada+news@gmail.com", Some("ada+news@gmail.com"))]
    #[case("a.d.a@gmail.com", Some("a.d.a@gmail.com"))]
    #[case("o'hara@example.co.uk", Some("o'hara@example.co.uk"))]
    #[case("jörg@müller.de", Some("jörg@xn--mller-kva.de"))]
    #[case("JO\u{308}RG@MÜLLER.DE", Some("jörg@xn--mller-kva.de"))]
    #[case("ada@ｅｘａｍｐｌｅ.com", Some("ada@example.com"))]
    #[case("ada", None)]
    #[case("ada@", None)]
    #[case("@example.com", None)]
    #[case("ada@example", None)]
    #[case("ada@@example.com", None)]
    #[case("ada@b@example.com", None)]
    #[case("a..b@example.com", None)]
    #[case("ada@example..com", None)]
    #[case("ada@example.com.", None)]
    #[case("ada@-example.com", None)]
    #[case("ada@ex_ample.com", None)]
    #[case("ada@ex%61mple.com", None)]
    #[case("ada@192.168.0.1", None)]
    #[case("ada@[192.168.0.1]", None)]
    #[case("ada@example.c", None)]
    #[case("ada@example.co2", None)]
    #[case("ada@example.рф", Some("ada@example.xn--p1ai"))]
    #[case("ada@printer.local", None)]
    #[case("ada lovelace@example.com", None)]
    #[case("ada@example.com\r\nBcc: b@example.com", None)]
    #[case("ada@example.com,bob@example.com", None)]
    #[case("\"ada\"@example.com", None)]
    #[case("ada\u{202e}@example.com", None)]
    #[case("ada\u{200b}@example.com", None)]
    #[case("ada@💩.com", None)]
    #[case("", None)]
    fn addresses_are_read_as_people_type_them(#[case] raw: &str, #[case] expected: Option<&str>) {
        assert_eq!(canonical(raw).as_deref(), expected);
    }

    #[test]
    fn long_addresses_are_refused() {
        assert!(canonical(&format!("{}@example.com", "a".repeat(64))).is_some());
        assert_eq!(canonical(&format!("{}@example.com", "a".repeat(65))), None);
        assert_eq!(canonical(&format!("a@{}.com", "a".repeat(64))), None);
        assert_eq!(canonical(&format!("a@{}com", "abcdefghi.".repeat(26))), None);
        assert_eq!(canonical(&"a@b.c".repeat(1_000_000)), None);
    }

    #[rstest]
    #[case("ada@gmail.com", true)]
    #[case("ada@yahoo.co.in", true)]
    #[case("ada@gmx.net", true)]
    #[case("ada@gmail.example.com", false)]
    #[case("ada@acme.com", false)]
    fn free_mail_is_told_from_own_domains(#[case] raw: &str, #[case] expected: bool) {
        assert_eq!(Email::parse(raw).map(|email| email.is_free_mail()), Some(expected));
    }

    #[rstest]
    #[case("ada@example.com", "a•••@e•••.com")]
    #[case("Österreich@über.co.at", "Ö•••@ü•••.at")]
    #[case("ada@localhost", "a•••@l•••")]
    #[case("ada", "a•••")]
    #[case("@", "•••@•••")]
    #[case("", "•••")]
    fn masks_show_first_letters_and_the_ending(#[case] email: &str, #[case] expected: &str) {
        assert_eq!(mask(email), expected);
    }

    #[test]
    fn the_list_of_providers_is_sorted() {
        assert!(FREE_MAIL_DOMAINS.is_sorted());
    }
}
