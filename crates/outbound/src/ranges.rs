//! Which IP addresses belong to the public internet.
//!
//! The ranges are those of the two IANA special-purpose registries (RFC 6890 and its successors), multicast, the
//! ranges that carry an IPv4 address inside an IPv6 one, and one address that a cloud answers on. Ranges that the
//! registries call globally reachable but that no webhook receiver lives in (AS112, AMT, 6to4 relays) are refused too.
//! The operator's allow-list is not known here; see `guard`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Whether an address is on the public internet, so that anybody may send to it.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|range| range.contains(&v4)),
        IpAddr::V6(v6) => !SPECIAL_V6.iter().any(|range| range.contains(&v6)),
    }
}

const SPECIAL_V4: [Ipv4Net; 18] = [
    v4([0, 0, 0, 0], 8),        // this network
    v4([10, 0, 0, 0], 8),       // private use
    v4([100, 64, 0, 0], 10),    // carrier-grade NAT
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // Azure's platform services, public by number only
    v4([169, 254, 0, 0], 16),   // link-local, and the metadata of most clouds
    v4([172, 16, 0, 0], 12),    // private use
    v4([192, 0, 0, 0], 24),     // IETF protocol assignments
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 31, 196, 0], 24),  // AS112
    v4([192, 52, 193, 0], 24),  // AMT
    v4([192, 88, 99, 0], 24),   // 6to4 relays
    v4([192, 168, 0, 0], 16),   // private use
    v4([192, 175, 48, 0], 24),  // AS112
    v4([198, 18, 0, 0], 15),    // benchmarking
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

// Receivers live in 2000::/3. What surrounds it is refused as a whole: local, multicast, segment routing, and prefixes
// that overlay networks borrow. Of 0000::/8 only the parts that embed an IPv4 address are refused; the rest is
// unassigned.
const SPECIAL_V6: [Ipv6Net; 14] = [
    v6([0, 0], 16),          // unspecified, loopback, IPv4-compatible, IPv4-mapped, IPv4-translated
    v6([0x64, 0xff9b], 32),  // NAT64, well-known and local-use
    v6([0x100, 0], 8),       // discard-only
    v6([0x200, 0], 7),       // unassigned; used by overlay networks
    v6([0x400, 0], 6),       // unassigned
    v6([0x800, 0], 5),       // unassigned
    v6([0x1000, 0], 4),      // unassigned
    v6([0x2001, 0], 23),     // IETF protocol assignments: Teredo, benchmarking, ORCHID
    v6([0x2001, 0xdb8], 32), // documentation
    v6([0x2002, 0], 16),     // 6to4
    Ipv6Net::new_assert(Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    v6([0x3fff, 0], 20),     // documentation
    v6([0x4000, 0], 2),      // unassigned, segment routing
    v6([0x8000, 0], 1),      // unassigned, unique local, link-local, site-local, multicast
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]), prefix)
}

const fn v6(start: [u16; 2], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(start[0], start[1], 0, 0, 0, 0, 0, 0), prefix)
}
