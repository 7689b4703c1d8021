//! IP addresses and ranges of them, as people write them into lists.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// The widest networks that may stand in a list: wider ones are slips that shut out a continent.
const WIDEST_V4: u8 = 8;
const WIDEST_V6: u8 = 16;

/// An address, or a network in CIDR notation. `None` for what is neither, and for a network that is too wide.
#[must_use]
pub fn parse_range(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let range = match text.parse::<IpNet>() {
        Ok(range) => range.trunc(),
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical()),
    };
    let widest = match range {
        IpNet::V4(_) => WIDEST_V4,
        IpNet::V6(_) => WIDEST_V6,
    };
    (range.prefix_len() >= widest).then_some(range)
}

/// The one way in which a range is written: an address alone stands without its length.
#[must_use]
pub fn write_range(range: IpNet) -> String {
    let is_one_address = range.prefix_len() == range.max_prefix_len();
    if is_one_address { range.addr().to_string() } else { range.to_string() }
}

/// The address that a request came from, as it stands in evidence.
pub(crate) fn parse(ip: &str) -> Option<IpAddr> {
    ip.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Whether the address may be one visitor's. Those of a machine itself and of private networks are a proxy's or a whole
/// office's, and say nothing about any of the visitors behind them.
pub(crate) fn may_be_one_visitors(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => {
            !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified())
        }
    }
}

/// What stands for a visitor's address: a household has a whole /64 of IPv6.
pub(crate) fn household(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => u128::from(ip) & (u128::MAX << 64),
    }
}

/// The range that shuts out the visitor at an address.
pub(crate) fn household_range(ip: IpAddr) -> IpNet {
    match ip {
        IpAddr::V4(_) => IpNet::from(ip),
        IpAddr::V6(_) => {
            let start = IpAddr::V6(Ipv6Addr::from(household(ip)));
            IpNet::new(start, 64).expect("64 bits are within the length of an IPv6 address")
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("203.0.113.9", Some("203.0.113.9"))]
    #[case(" 203.0.113.9 ", Some("203.0.113.9"))]
    #[case("203.0.113.9/32", Some("203.0.113.9"))]
    #[case("203.0.113.9/24", Some("203.0.113.0/24"))]
    #[case("::ffff:203.0.113.9", Some("203.0.113.9"))]
    #[case("2001:DB8::1", Some("2001:db8::1"))]
    #[case("2001:db8::1/48", Some("2001:db8::/48"))]
    #[case("10.0.0.0/8", Some("10.0.0.0/8"))]
    #[case("0.0.0.0/0", None)]
    #[case("::/0", None)]
    #[case("203.0.113.0/33", None)]
    #[case("203.0.113", None)]
    #[case("example.com", None)]
    #[case("", None)]
    fn a_range_is_written_in_one_way(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse_range(text).map(write_range).as_deref(), expected);
    }

    #[rstest]
    #[case("203.0.113.9", "203.0.113.9")]
    #[case("2001:db8::1:2:3:4", "2001:db8::/64")]
    fn a_visitor_is_shut_out_with_their_household(#[case] ip: &str, #[case] expected: &str) {
        assert_eq!(write_range(household_range(ip.parse().expect("an address"))), expected);
    }
}
