//! Where users may send: the check of a URL when it is saved, and of an address when it is connected to.
//!
//! Receivers must be public and speak HTTPS. The operator may allow further ranges; plain HTTP is spoken only inside
//! them. Both checks are needed: the first gives a clear answer while somebody is looking, the second holds when a name
//! starts to resolve to somewhere else. Names are never resolved here, so names of public services that answer with
//! private addresses (nip.io and its like) pass the first check and stop at the second.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use url::{Host, Url};

use crate::ranges;

/// The longest URL that is accepted, in characters.
pub const MAX_URL_CHARS: usize = 2048;

/// Decides which URLs and addresses may be reached. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allow: Arc<[IpNet]>,
}

/// Why a URL or the address behind it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// It is not an absolute URL, or one that different programs would read differently.
    #[error("the address is not a complete URL such as https://example.com/hook")]
    Malformed,
    /// It has more than [`MAX_URL_CHARS`] characters.
    #[error("the address is longer than {MAX_URL_CHARS} characters")]
    TooLong,
    /// The scheme is not `https`, or it is `http` and the host is not in an allowed range.
    #[error("the address must start with https://")]
    NotHttps,
    /// It carries a user name or a password.
    #[error("the address must not hold a user name or password; use a header instead")]
    Credentials,
    /// Port 0.
    #[error("the address names a port that cannot be used")]
    Port,
    /// The host name belongs to this machine, a local network or a cloud's inside.
    #[error("the host name is not a public one")]
    PrivateName,
    /// The IP address is not on the public internet and not in an allowed range.
    #[error("the host has no address on the public internet")]
    PrivateAddress,
}

impl UrlRefused {
    /// A stable name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "url_malformed",
            Self::TooLong => "url_too_long",
            Self::NotHttps => "url_not_https",
            Self::Credentials => "url_has_credentials",
            Self::Port => "url_port_refused",
            Self::PrivateName => "url_private_name",
            Self::PrivateAddress => "url_private_address",
        }
    }
}

impl Guard {
    /// A guard that lets through the public internet and, beside it, the ranges the operator allows.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self { allow: allow.into() }
    }

    /// Parses and checks a URL that a user wants to save. The fragment is dropped, since it would never be sent.
    pub fn check_url(&self, raw: &str) -> Result<Url, UrlRefused> {
        let raw = raw.trim();
        check_spelling(raw)?;

        let mut url = Url::parse(raw).map_err(|_| UrlRefused::Malformed)?;
        url.set_fragment(None);
        self.check_parsed(&url)?;
        Ok(url)
    }

    /// Whether a connection may be made to this address.
    pub fn allows_ip(&self, ip: IpAddr) -> bool {
        self.is_allow_listed(ip) || ranges::is_public(ip)
    }

    /// The rules of [`Guard::check_url`] on a URL that is already parsed; applied again before every request.
    pub(crate) fn check_parsed(&self, url: &Url) -> Result<(), UrlRefused> {
        let host = url.host().ok_or(UrlRefused::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.is_allow_listed_host(&host) => {}
            _ => return Err(UrlRefused::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::Credentials);
        }
        if url.port() == Some(0) {
            return Err(UrlRefused::Port);
        }
        self.check_host(&host)
    }

    fn check_host(&self, host: &Host<&str>) -> Result<(), UrlRefused> {
        match host {
            Host::Ipv4(ip) => self.check_ip(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => self.check_ip(IpAddr::V6(*ip)),
            Host::Domain(_) if self.is_allow_listed_host(host) => Ok(()),
            Host::Domain(name) => check_name(name),
        }
    }

    fn check_ip(&self, ip: IpAddr) -> Result<(), UrlRefused> {
        if self.allows_ip(ip) { Ok(()) } else { Err(UrlRefused::PrivateAddress) }
    }

    /// Of names only `localhost` can stand for an allowed range: we know its addresses without asking anybody.
    fn is_allow_listed_host(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Ipv4(ip) => self.is_allow_listed(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => self.is_allow_listed(IpAddr::V6(*ip)),
            Host::Domain(name) => *name == "localhost" && LOOPBACK.into_iter().any(|ip| self.is_allow_listed(ip)),
        }
    }

    fn is_allow_listed(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|range| range.contains(&ip))
    }
}

/// What `localhost` means, whatever the machine's resolver says (RFC 6761).
pub(crate) const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Refuses spellings that the URL standard repairs silently and other parsers read as another host.
fn check_spelling(raw: &str) -> Result<(), UrlRefused> {
    if raw.chars().count() > MAX_URL_CHARS {
        return Err(UrlRefused::TooLong);
    }
    let has_authority = raw.split_once("://").is_some_and(|(_, rest)| !rest.starts_with('/'));
    let is_ambiguous = raw.contains('\\') || raw.chars().any(char::is_control);
    if !has_authority || is_ambiguous {
        return Err(UrlRefused::Malformed);
    }
    Ok(())
}

/// Endings of names that mean something else on every network: reserved for local use, or used so by convention.
const PRIVATE_SUFFIXES: [&str; 12] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "home.arpa",
    "home",
    "lan",
    "corp",
    "svc",
    "consul",
];

/// Public-looking names that clouds answer with the machine's own metadata. Those under `.internal` need no mention.
const METADATA_NAMES: [&str; 4] =
    ["metadata.packet.net", "metadata.platformequinix.com", "metadata.goog", "metadata.tencentyun.com"];

fn check_name(name: &str) -> Result<(), UrlRefused> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let has_valid_labels = name.split('.').all(|label| (1..=63).contains(&label.len()));
    if name.len() > 253 || !has_valid_labels {
        return Err(UrlRefused::Malformed);
    }

    let is_single_label = !name.contains('.');
    let is_private = PRIVATE_SUFFIXES.iter().any(|suffix| ends_with_labels(name, suffix));
    let is_metadata = METADATA_NAMES.iter().any(|host| ends_with_labels(name, host));
    if is_single_label || is_private || is_metadata {
        return Err(UrlRefused::PrivateName);
    }
    Ok(())
}

/// Whether a name is the suffix or below it, label by label.
fn ends_with_labels(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}
