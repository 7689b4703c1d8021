//! Whether somebody looked, or a machine did: what the requests of a message's links and picture say.
//!
//! Mailboxes fetch pictures for people who never see them, and gateways of companies follow every link before a letter
//! is delivered. What one request says of itself is its [`sign`]; what several of them say together, and how soon they
//! came, is judged anew with each that comes ([`judge`]), so that a machine is recognised by what it did next.

use crate::{
    agents,
    networks::Kind as Network,
    time::{MINUTE_MS, SECOND_MS, Timestamp},
};

/// Nobody reads a letter and chooses a link of it faster.
const CLICK_TOO_SOON_MS: i64 = 10 * SECOND_MS;

/// Nobody opens a letter faster.
const OPEN_TOO_SOON_MS: i64 = 2 * SECOND_MS;

/// Nobody opens two links within this.
const AT_ONCE_MS: i64 = 2 * SECOND_MS;

/// Whoever asks for every link so soon after the letter was sent looks for what is wrong with them.
const EVERY_LINK_MS: i64 = MINUTE_MS;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The picture that nobody sees.
    Open,
    /// A link.
    Click,
    /// The page on which somebody unsubscribes. Looking at it changes nothing.
    Page,
    /// Somebody unsubscribed.
    Unsubscribe,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Click, Self::Page, Self::Unsubscribe];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Click => "click",
            Self::Page => "page",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    const fn is_link(self) -> bool {
        matches!(self, Self::Click | Self::Page)
    }
}

/// Why a request is taken for a machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It says that it fetches ahead.
    Prefetch,
    /// It says that it is a program.
    Program,
    /// A mailbox fetched the picture by itself, whether or not anybody looked.
    Mailbox,
    /// It came from a data centre.
    DataCentre,
    /// It came sooner than anybody reads.
    TooSoon,
    /// Several links were asked for at once.
    SeveralAtOnce,
    /// Every link was asked for, soon after the message was sent.
    EveryLink,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Prefetch,
        Self::Program,
        Self::Mailbox,
        Self::DataCentre,
        Self::TooSoon,
        Self::SeveralAtOnce,
        Self::EveryLink,
    ];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prefetch => "prefetch",
            Self::Program => "program",
            Self::Mailbox => "mailbox",
            Self::DataCentre => "data_centre",
            Self::TooSoon => "too_soon",
            Self::SeveralAtOnce => "several_at_once",
            Self::EveryLink => "every_link",
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }
}

/// What is known of one request by itself.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What was asked for.
    pub kind: Kind,
    /// What the program calls itself.
    pub agent: &'a str,
    /// Whether it says that nobody asked for it yet.
    pub is_prefetch: bool,
    /// Whose network it came from, where that is known.
    pub network: Option<Network>,
}

/// Programs that look at letters before people do, and that call themselves something which is on no list of crawlers.
const SCANNERS: [&str; 16] = [
    "barracuda",
    "bitdefender",
    "cloudmark",
    "fireeye",
    "fortinet",
    "kaspersky",
    "messagelabs",
    "mimecast",
    "office-scan",
    "proofpoint",
    "safelinks",
    "symantec",
    "trendmicro",
    "urldefense",
    "virustotal",
    "websense",
];

/// Mailboxes that fetch pictures through machines of their own.
const MAILBOXES: [&str; 5] = ["googleimageproxy", "ggpht.com", "yahoomailproxy", "duckduckgo-email", "protonmail"];

/// What a request says of itself that makes it a machine's.
#[must_use]
pub fn sign(request: &Request<'_>) -> Option<Why> {
    let agent = request.agent.trim().to_ascii_lowercase();
    let is_among = |names: &[&str]| names.iter().any(|name| agent.contains(name));
    // Apple's privacy protection fetches every picture on delivery, calls itself by these letters, and comes by its relay.
    let is_apple = agent == "mozilla/5.0" || request.network == Some(Network::Relay);
    if request.kind == Kind::Open && (is_among(&MAILBOXES) || is_apple) {
        return Some(Why::Mailbox);
    }
    if request.is_prefetch {
        return Some(Why::Prefetch);
    }
    if is_among(&SCANNERS) || is_among(&MAILBOXES) || agent == "mozilla/5.0" || agents::is_bot(&agent) {
        return Some(Why::Program);
    }
    // A VPN's network says nothing here: people who care for their privacy read letters, too.
    (request.network == Some(Network::Hosting)).then_some(Why::DataCentre)
}

/// A request, as it is judged among the others of its message.
#[derive(Debug, Clone, Copy)]
pub struct Hit<'a> {
    /// What was asked for.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// Which link it was.
    pub link: &'a str,
    /// What it says of itself.
    pub sign: Option<Why>,
}

/// When a message went out.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// When it was handed over.
    pub at: Timestamp,
    /// When it is known to have arrived.
    pub delivered_at: Option<Timestamp>,
    /// How many links it has.
    pub links: usize,
}

/// Why each request of a message is a machine's; none for those that are people's.
///
/// A click too soon stays a machine's also where a person's follows: the message is clicked by a person then, by that
/// later one.
#[must_use]
pub fn judge(sent: Sent, hits: &[Hit<'_>]) -> Vec<Option<Why>> {
    let looks_at_all = asks_for_every_link(sent, hits);
    hits.iter()
        .map(|hit| {
            // Whoever presses the button, or whose mailbox does, has said so.
            if hit.kind == Kind::Unsubscribe {
                return None;
            }
            if hit.sign.is_some() {
                return hit.sign;
            }
            if is_too_soon(sent, hit) {
                return Some(Why::TooSoon);
            }
            if hit.kind.is_link() && hits.iter().any(|other| is_at_once(hit, other)) {
                return Some(Why::SeveralAtOnce);
            }
            (looks_at_all && hit.kind.is_link() && is_soon(sent, hit)).then_some(Why::EveryLink)
        })
        .collect()
}

fn is_too_soon(sent: Sent, hit: &Hit<'_>) -> bool {
    let bound = if hit.kind == Kind::Open { OPEN_TOO_SOON_MS } else { CLICK_TOO_SOON_MS };
    // Gateways look before they deliver: what came before the delivery was known came by no person.
    let arrived = sent.delivered_at.unwrap_or(sent.at).max(sent.at);
    hit.at.ms_since(arrived) < bound
}

fn is_at_once(one: &Hit<'_>, other: &Hit<'_>) -> bool {
    other.kind.is_link() && one.link != other.link && one.at.ms_since(other.at).abs() < AT_ONCE_MS
}

fn is_soon(sent: Sent, hit: &Hit<'_>) -> bool {
    hit.at.ms_since(sent.at) < EVERY_LINK_MS
}

fn asks_for_every_link(sent: Sent, hits: &[Hit<'_>]) -> bool {
    let mut links: Vec<&str> =
        hits.iter().filter(|hit| hit.kind == Kind::Click && is_soon(sent, hit)).map(|hit| hit.link).collect();
    links.sort_unstable();
    links.dedup();
    links.len() > 1 && links.len() >= sent.links
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    const GMAIL: &str = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

    #[rstest]
    #[case::a_person_opens(Kind::Open, CHROME, false, None, None)]
    #[case::a_person_clicks(Kind::Click, CHROME, false, Some(Network::Ordinary), None)]
    #[case::by_a_vpn(Kind::Click, CHROME, false, Some(Network::Vpn), None)]
    #[case::by_private_relay(Kind::Click, CHROME, false, Some(Network::Relay), None)]
    #[case::gmail(Kind::Open, GMAIL, false, None, Some(Why::Mailbox))]
    #[case::yahoo(Kind::Open, "YahooMailProxy; https://help.yahoo.com", false, None, Some(Why::Mailbox))]
    #[case::apple(Kind::Open, "Mozilla/5.0", false, None, Some(Why::Mailbox))]
    #[case::apple_by_its_relay(Kind::Open, CHROME, false, Some(Network::Relay), Some(Why::Mailbox))]
    #[case::prefetch(Kind::Click, CHROME, true, None, Some(Why::Prefetch))]
    #[case::empty(Kind::Click, "", false, None, Some(Why::Program))]
    #[case::curl(Kind::Click, "curl/8.5.0", false, None, Some(Why::Program))]
    #[case::crawler(Kind::Click, "Mozilla/5.0 (compatible; bingbot/2.0)", false, None, Some(Why::Program))]
    #[case::scanner(Kind::Click, "Mozilla/5.0 (Barracuda Sentinel EE)", false, None, Some(Why::Program))]
    #[case::defender(Kind::Click, CHROME, false, Some(Network::Hosting), Some(Why::DataCentre))]
    fn a_request_says_of_itself(
        #[case] kind: Kind,
        #[case] agent: &str,
        #[case] is_prefetch: bool,
        #[case] network: Option<Network>,
        #[case] expected: Option<Why>,
    ) {
        assert_eq!(sign(&Request { kind, agent, is_prefetch, network }), expected);
    }

    fn click(at_ms: i64, link: &'static str) -> Hit<'static> {
        Hit { kind: Kind::Click, at: Timestamp(at_ms), link, sign: None }
    }

    fn open(at_ms: i64) -> Hit<'static> {
        Hit { kind: Kind::Open, ..click(at_ms, "") }
    }

    #[rstest]
    #[case::read_and_chosen(&[open(30_000), click(60_000, "a")], &[None, None])]
    #[case::too_soon(&[click(6_000, "a")], &[Some(Why::TooSoon)])]
    #[case::a_person_after_a_machine(&[click(6_000, "a"), click(90_000, "a")], &[Some(Why::TooSoon), None])]
    #[case::opened_at_once(&[open(1_500)], &[Some(Why::TooSoon)])]
    #[case::twice_on_one_link(&[click(60_000, "a"), click(60_300, "a")], &[None, None])]
    #[case::two_at_once(
        &[click(60_000, "a"), click(61_500, "b")], &[Some(Why::SeveralAtOnce), Some(Why::SeveralAtOnce)])]
    #[case::two_one_by_one(&[click(90_000, "a"), click(93_000, "b")], &[None, None])]
    #[case::every_link(
        &[click(20_000, "a"), click(30_000, "b"), click(40_000, "c")],
        &[Some(Why::EveryLink), Some(Why::EveryLink), Some(Why::EveryLink)])]
    #[case::every_link_and_a_person_later(
        &[click(20_000, "a"), click(30_000, "b"), click(40_000, "c"), click(7_200_000, "b")],
        &[Some(Why::EveryLink), Some(Why::EveryLink), Some(Why::EveryLink), None])]
    #[case::some_links(&[click(20_000, "a"), click(30_000, "b")], &[None, None])]
    #[case::with_the_page_beside(
        &[click(60_000, "a"), Hit { kind: Kind::Page, ..click(60_500, "unsubscribe") }],
        &[Some(Why::SeveralAtOnce), Some(Why::SeveralAtOnce)])]
    #[case::one_who_unsubscribes(&[Hit { kind: Kind::Unsubscribe, ..click(1_000, "") }], &[None])]
    #[case::by_its_sign(&[Hit { sign: Some(Why::Program), ..click(600_000, "a") }], &[Some(Why::Program)])]
    fn requests_are_judged_together(#[case] hits: &[Hit<'_>], #[case] expected: &[Option<Why>]) {
        let sent = Sent { at: Timestamp(0), delivered_at: Some(Timestamp(1_000)), links: 3 };

        assert_eq!(judge(sent, hits), expected);
    }

    #[test]
    fn what_comes_before_the_delivery_is_no_persons() {
        let sent = Sent { at: Timestamp(0), delivered_at: Some(Timestamp(50_000)), links: 3 };

        assert_eq!(judge(sent, &[click(40_000, "a")]), [Some(Why::TooSoon)]);
    }

    #[test]
    fn names_read_back() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::parse(kind.as_str()) == Some(kind)));
        assert!(Why::ALL.into_iter().all(|why| Why::parse(why.as_str()) == Some(why)));
    }
}
