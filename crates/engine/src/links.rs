//! The links of messages: what makes them ours, what stands in letters because of them, and what follows when somebody,
//! or something, asks for one.
//!
//! A link names its message and carries a keyed hash of what it leads to, and nothing of the person. Where it leads is
//! never in it: that is looked up in the message as it was written, so nobody can make one that leads elsewhere.
//! [`dress`] puts links into letters; [`hits`] and [`unsubscribing`] are what follows.

pub mod hits;
pub mod unsubscribing;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leadline_domain::{campaigns::Tracking, ids::MessageId, messaging::links};
use leadline_outbound::same_secret;
use uuid::Uuid;

use crate::seal::Keys;

/// Bytes of the keyed hash in a link: with those of the message they come out even.
const HASH_BYTES: usize = 11;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The picture that tells that a letter was opened.
    Open,
    /// A link of the letter.
    Click,
    /// Where somebody unsubscribes.
    Unsubscribe,
}

impl Purpose {
    /// The first part of its path.
    const fn path(self) -> &'static str {
        match self {
            Self::Open => "o",
            Self::Click => "l",
            Self::Unsubscribe => "u",
        }
    }

    const fn hashed_as(self) -> &'static str {
        match self {
            Self::Open => "message link open",
            Self::Click => "message link click",
            Self::Unsubscribe => "message link unsubscribe",
        }
    }
}

/// What a link says, before anybody looked whether it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) message: MessageId,
    text: String,
}

impl Token {
    /// Reads a link's token; none where it cannot be one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 16 + HASH_BYTES)?;
        let message = Uuid::from_slice(&bytes[..16]).ok().map(MessageId)?;
        Some(Self { message, text: text.to_owned() })
    }

    /// Whether it is the one that leads there.
    pub(crate) fn leads_to(&self, keys: &Keys, purpose: Purpose, target: &str) -> bool {
        same_secret(&self.text, &token(keys, purpose, self.message, target))
    }
}

fn token(keys: &Keys, purpose: Purpose, message: MessageId, target: &str) -> String {
    let hash = keys.identity(message.0, purpose.hashed_as(), target);
    URL_SAFE_NO_PAD.encode([&message.0.as_bytes()[..], &hash[..HASH_BYTES]].concat())
}

/// The address of a link.
#[must_use]
pub fn address(keys: &Keys, public_url: &str, (purpose, message): (Purpose, MessageId), target: &str) -> String {
    format!("{public_url}/{}/{}", purpose.path(), token(keys, purpose, message, target))
}

/// Where whoever gets a message unsubscribes.
#[must_use]
pub fn unsubscribe_address(keys: &Keys, public_url: &str, message: MessageId) -> String {
    address(keys, public_url, (Purpose::Unsubscribe, message), "")
}

/// A letter as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dressed {
    /// Its text.
    pub body: String,
    /// The same as a page.
    pub body_html: Option<String>,
    /// Where one click ends such letters.
    pub unsubscribe: String,
}

/// Puts into a letter what belongs to letters to many: a way out that is seen, and links and a picture that tell of whom
/// they were looked at.
#[must_use]
pub fn dress(
    keys: &Keys,
    public_url: &str,
    message: MessageId,
    (body, body_html): (&str, Option<&str>),
    tracking: Tracking,
) -> Dressed {
    let unsubscribe = unsubscribe_address(keys, public_url, message);
    let tracked = |target: &str| {
        // The way out is nobody's to count.
        let is_ours = target == unsubscribe;
        (!is_ours).then(|| address(keys, public_url, (Purpose::Click, message), target))
    };
    let mut text = if tracking.text_links { links::in_text(body, tracked) } else { body.to_owned() };
    if !body.contains(&unsubscribe) {
        text = format!("{}\n\n-- \nUnsubscribe: {unsubscribe}\n", text.trim_end());
    }
    let page = body_html.map(|html| {
        let mut page = if tracking.clicks { links::in_page(html, tracked) } else { html.to_owned() };
        if !html.contains(&unsubscribe) {
            page = links::at_end_of_page(&page, &footer(&unsubscribe));
        }
        if tracking.opens {
            let picture = address(keys, public_url, (Purpose::Open, message), "");
            page = links::at_end_of_page(&page, &format!("<img src=\"{picture}\" width=\"1\" height=\"1\" alt=\"\">"));
        }
        page
    });
    Dressed { body: text, body_html: page, unsubscribe }
}

fn footer(unsubscribe: &str) -> String {
    format!(
        "<p style=\"font:12px sans-serif;color:#666;margin-top:32px\">You get this because you asked us for something. \
         <a href=\"{unsubscribe}\" style=\"color:#666\">Unsubscribe</a></p>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "https://leadline.test";

    fn message(n: u128) -> MessageId {
        MessageId(Uuid::from_u128(n))
    }

    #[test]
    fn a_link_is_short_and_good_for_its_message_purpose_and_target_alone() {
        let (keys, others) = (Keys::derive(&[1; 32]), Keys::derive(&[2; 32]));
        let link = address(&keys, PUBLIC, (Purpose::Click, message(1)), "https://a.example/");

        let text = link.strip_prefix("https://leadline.test/l/").expect("a path");
        let token = Token::read(text).expect("a token");
        assert_eq!((text.len(), token.message), (36, message(1)));
        assert!(token.leads_to(&keys, Purpose::Click, "https://a.example/"));
        assert!(!token.leads_to(&keys, Purpose::Click, "https://b.example/"));
        assert!(!token.leads_to(&keys, Purpose::Unsubscribe, "https://a.example/"));
        assert!(!token.leads_to(&others, Purpose::Click, "https://a.example/"));
        let mut changed = token.clone();
        changed.message = message(2);
        assert!(!changed.leads_to(&keys, Purpose::Click, "https://a.example/"));
        assert!(keys.rotated().after_rotation() != keys);
        assert!(token.leads_to(&keys.rotated().after_rotation(), Purpose::Click, "https://a.example/"));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in
            ["", "x", &"A".repeat(35), &"A".repeat(37), &"=".repeat(36), "../../etc/passwd", "ü".repeat(18).as_str()]
        {
            assert_eq!(Token::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_letter_gets_a_way_out_tracked_links_and_a_picture() {
        let keys = Keys::derive(&[1; 32]);
        let page = "<html><body><a href=\"https://a.example/x?a=1&amp;b=2\">Go</a></body></html>";

        let tracking = Tracking { opens: true, clicks: true, text_links: true };
        let dressed = dress(&keys, PUBLIC, message(1), ("See https://a.example/x.", Some(page)), tracking);

        let html = dressed.body_html.expect("a page");
        let target = address(&keys, PUBLIC, (Purpose::Click, message(1)), "https://a.example/x?a=1&b=2");
        assert!(html.contains(&format!("<a href=\"{target}\">Go</a>")), "{html}");
        assert!(html.contains(&format!("<a href=\"{}\"", dressed.unsubscribe)), "{html}");
        assert!(html.contains("/o/") && html.ends_with("alt=\"\"></body></html>"), "{html}");
        assert!(dressed.body.contains("/l/") && dressed.body.contains(&dressed.unsubscribe), "{}", dressed.body);
    }

    #[test]
    fn what_is_switched_off_is_left_alone_but_the_way_out_stays() {
        let keys = Keys::derive(&[1; 32]);
        let out = unsubscribe_address(&keys, PUBLIC, message(1));
        let (text, page) =
            (format!("Bye: {out}"), format!("<a href='https://a.example/'>x</a><a href='{out}'>Bye</a>"));

        let plain = dress(&keys, PUBLIC, message(1), (&text, Some(&page)), Tracking::NONE);
        let tracked = dress(&keys, PUBLIC, message(1), (&text, Some(&page)), Tracking::USUAL);

        assert_eq!((plain.body.as_str(), plain.body_html.as_deref()), (text.as_str(), Some(page.as_str())));
        assert!(tracked.body_html.is_some_and(|html| html.contains(&format!("<a href='{out}'>Bye</a>"))));
    }
}
