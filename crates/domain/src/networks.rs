//! Whose network an address belongs to: people's, a hosting company's, a VPN's.
//!
//! People do not browse from data centres, but programs do, and so does who hides behind a VPN. The numbers below are
//! of autonomous systems. Relays that carry ordinary people's browsing (iCloud Private Relay, company gateways) stand
//! in data centres as well and are no sign of anything.

use serde::{Deserialize, Serialize};

use crate::scores::NetworkFact;

/// The longest name of an organisation that is kept, in characters.
const NAME_MAX_CHARS: usize = 120;

/// A network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// The number of its autonomous system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// What it is.
    pub kind: Kind,
}

/// A kind of network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// People's, or one of which nothing is known.
    #[default]
    Ordinary,
    /// A relay of people's browsing.
    Relay,
    /// A hosting company's by its name.
    PossiblyHosting,
    /// A hosting company's.
    Hosting,
    /// A VPN's or an open proxy's.
    Vpn,
    /// An exit of the Tor network.
    Tor,
}

/// What a database says of an address beside the network's number and name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// It is a hosting company's.
    pub is_hosting: bool,
    /// It is a VPN's or a proxy's.
    pub is_vpn: bool,
    /// It is an exit of the Tor network.
    pub is_tor: bool,
}

impl Network {
    /// The network of this number and name; `None` where nothing is known of it.
    #[must_use]
    pub fn of(asn: Option<u32>, organisation: Option<&str>, marks: Marks) -> Option<Self> {
        let organisation = organisation.map(named).filter(|name| !name.is_empty());
        let kind = kind_of(asn, organisation.as_deref(), marks);
        let says_something = asn.is_some() || organisation.is_some() || kind != Kind::Ordinary;
        says_something.then_some(Self { asn, organisation, kind })
    }

    /// What it means for suspicion.
    #[must_use]
    pub fn fact(&self) -> NetworkFact {
        match self.kind {
            Kind::Ordinary | Kind::Relay => NetworkFact::Ordinary,
            Kind::PossiblyHosting => NetworkFact::PossiblyVpn,
            Kind::Hosting | Kind::Vpn | Kind::Tor => NetworkFact::Vpn,
        }
    }
}

fn named(organisation: &str) -> String {
    organisation.trim().chars().filter(|letter| !letter.is_control()).take(NAME_MAX_CHARS).collect()
}

fn kind_of(asn: Option<u32>, organisation: Option<&str>, marks: Marks) -> Kind {
    let is_among = |numbers: &[u32]| asn.is_some_and(|asn| numbers.contains(&asn));
    let organisation = organisation.map(str::to_lowercase).unwrap_or_default();
    let names = |words: &[&str]| words.iter().any(|word| organisation.contains(word));
    if marks.is_tor || is_among(&TOR) {
        return Kind::Tor;
    }
    if is_among(&RELAYS) {
        return Kind::Relay;
    }
    if marks.is_vpn || is_among(&VPNS) || names(&["vpn"]) {
        return Kind::Vpn;
    }
    if marks.is_hosting || is_among(&HOSTING) {
        return Kind::Hosting;
    }
    if names(&HOSTING_WORDS) { Kind::PossiblyHosting } else { Kind::Ordinary }
}

/// Apple and those who run its relay (Akamai, Cloudflare, Fastly), and gateways of companies (Zscaler, Netskope, Palo
/// Alto, Cisco).
const RELAYS: [u32; 11] = [714, 6185, 13335, 22616, 36183, 36692, 53813, 54113, 54538, 55256, 62044];

/// Operators of exits.
const TOR: [u32; 5] = [4224, 60729, 205100, 208323, 210558];

/// VPN companies, and those who host little else.
const VPNS: [u32; 14] =
    [9009, 39351, 46562, 60068, 62371, 136787, 141039, 147049, 199218, 205016, 207137, 209103, 212238, 216025];

/// Clouds, and companies that rent out servers.
const HOSTING: [u32; 104] = [
    3842, 7203, 7224, 8068, 8069, 8075, 8100, 8560, 8987, 9123, 11878, 12876, 13213, 14061, 14618, 15169, 16276, 16509,
    19318, 19527, 19994, 20473, 20773, 20860, 22612, 23470, 24940, 24961, 25697, 25820, 26347, 26496, 27357, 28753,
    29182, 29550, 29802, 30083, 30633, 31034, 31898, 32097, 32244, 33070, 33387, 34011, 35540, 35916, 36351, 36352,
    36666, 37963, 40021, 40676, 42708, 42831, 43350, 44066, 45090, 45102, 46475, 46606, 47583, 48282, 49453, 49505,
    49981, 51167, 51852, 53667, 53831, 53850, 54290, 54600, 55286, 55933, 55990, 58065, 59253, 60781, 61317, 62240,
    62567, 62904, 63018, 63473, 63949, 64286, 132203, 133752, 136907, 141995, 197540, 197695, 198610, 200130, 200350,
    202053, 202425, 212317, 213230, 394380, 396362, 396982,
];

/// What hosting companies call themselves.
const HOSTING_WORDS: [&str; 16] = [
    "cloud",
    "colo ",
    "colocation",
    "data center",
    "data centre",
    "datacenter",
    "datacentre",
    "dedicated",
    "hosting",
    "hoster",
    "proxy",
    "rechenzentrum",
    "server",
    "virtual private",
    "vps",
    "webhost",
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NONE: Marks = Marks { is_hosting: false, is_vpn: false, is_tor: false };

    #[rstest]
    #[case::at_home(Some(3320), Some("Deutsche Telekom AG"), NONE, Kind::Ordinary, NetworkFact::Ordinary)]
    #[case::amazon(Some(16509), Some("AMAZON-02"), NONE, Kind::Hosting, NetworkFact::Vpn)]
    #[case::vpn(Some(9009), Some("M247 Europe SRL"), NONE, Kind::Vpn, NetworkFact::Vpn)]
    #[case::by_its_name(
        Some(64999),
        Some("Best VPS Hosting Ltd"),
        NONE,
        Kind::PossiblyHosting,
        NetworkFact::PossiblyVpn
    )]
    #[case::private_relay(Some(36183), Some("Akamai Technologies"), NONE, Kind::Relay, NetworkFact::Ordinary)]
    #[case::marked_relay(Some(13335), None, Marks { is_hosting: true, ..NONE }, Kind::Relay, NetworkFact::Ordinary)]
    #[case::marked(Some(64999), None, Marks { is_vpn: true, ..NONE }, Kind::Vpn, NetworkFact::Vpn)]
    #[case::tor(None, None, Marks { is_tor: true, ..NONE }, Kind::Tor, NetworkFact::Vpn)]
    fn networks_are_told_apart(
        #[case] asn: Option<u32>,
        #[case] organisation: Option<&str>,
        #[case] marks: Marks,
        #[case] kind: Kind,
        #[case] fact: NetworkFact,
    ) {
        let network = Network::of(asn, organisation, marks).expect("something is known");

        assert_eq!((network.kind, network.fact()), (kind, fact));
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(Network::of(None, Some(" \u{0}"), NONE), None);
    }
}
