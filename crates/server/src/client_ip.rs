//! Where a request comes from, behind proxies or not.
//!
//! Anybody can write an `X-Forwarded-For`. What counts is the last hop that none of our own proxies added: the list is
//! read from the right, as long as each address is one of theirs.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{HeaderMap, request::Parts};
use ipnet::IpNet;

use crate::app::App;

/// The address of whoever sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl FromRequestParts<App> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        // Only a test's request comes without a connection.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip());
        Ok(Self(app.client_ip(peer, &parts.headers)))
    }
}

/// The last address that no trusted proxy vouches for.
#[must_use]
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(client, trusted) {
        // A hop that is no address ends the chain: whoever wrote it can have written the rest.
        let Some(hop) = hops.next().and_then(parse_hop) else { break };
        client = hop;
    }
    client
}

/// Whether it is a proxy of ours.
pub(crate) fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|range| range.contains(&ip))
}

/// An address with or without a port, IPv6 with or without brackets.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let ip = bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_proxy_is_trusted("192.0.2.1", &["203.0.113.9"], "", "192.0.2.1")]
    #[case::direct("192.0.2.1", &[], "10.0.0.0/8", "192.0.2.1")]
    #[case::spoofed_by_a_stranger("192.0.2.1", &["203.0.113.9"], "10.0.0.0/8", "192.0.2.1")]
    #[case::one_proxy("10.0.0.1", &["203.0.113.9"], "10.0.0.0/8", "203.0.113.9")]
    #[case::spoofed_through_a_proxy("10.0.0.1", &["6.6.6.6, 203.0.113.9"], "10.0.0.0/8", "203.0.113.9")]
    #[case::two_proxies("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "10.0.0.0/8", "203.0.113.9")]
    #[case::two_lines("10.0.0.1", &["6.6.6.6, 203.0.113.9", "10.0.0.2"], "10.0.0.0/8", "203.0.113.9")]
    #[case::all_are_proxies("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.0/8", "10.0.0.3")]
    #[case::rubbish_at_the_end("10.0.0.1", &["203.0.113.9, '; drop"], "10.0.0.0/8", "10.0.0.1")]
    #[case::rubbish_before("10.0.0.1", &["::::, 256.1.1.1, 203.0.113.9"], "10.0.0.0/8", "203.0.113.9")]
    #[case::empty("10.0.0.1", &[""], "10.0.0.0/8", "10.0.0.1")]
    #[case::with_a_port("10.0.0.1", &["203.0.113.9:4711"], "10.0.0.0/8", "203.0.113.9")]
    #[case::ipv6("::1", &["[2001:db8::1]:443"], "::1/128", "2001:db8::1")]
    #[case::ipv6_without_a_port("::1", &["2001:db8::1"], "::1/128", "2001:db8::1")]
    #[case::mapped_ipv4("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], "10.0.0.0/8", "203.0.113.9")]
    fn the_client_is_the_last_hop_that_no_proxy_of_ours_added(
        #[case] peer: &str,
        #[case] forwarded: &[&str],
        #[case] trusted: &str,
        #[case] client: &str,
    ) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().expect("a header"));
        }
        let trusted: Vec<IpNet> = trusted.split(' ').filter_map(|range| range.parse().ok()).collect();

        let resolved = resolve(peer.parse().expect("an address"), &headers, &trusted);

        assert_eq!(resolved.to_string(), client);
    }
}
