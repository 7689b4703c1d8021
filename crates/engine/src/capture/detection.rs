//! What a workspace set about bots, blocked addresses and tests. What is not set has its default.

use std::net::IpAddr;

use leadline_domain::emails::Email;
use serde_json::Value;

use crate::addresses::parse_range;

/// How many submissions a minute one address may send to one source, where nothing else is set.
///
/// Far more than people behind one address send, and few enough that a flood is not stored as leads.
pub const RATE_PER_MINUTE: i64 = 300;

/// The settings of a workspace, as far as detection needs them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detection<'a>(pub &'a Value);

impl<'a> Detection<'a> {
    /// Whether a filled honeypot is caught.
    pub fn catches_honeypots(self) -> bool {
        self.0.get("botDetection").and_then(Value::as_bool).unwrap_or(true)
    }

    /// Whether who fills a honeypot is blocked.
    pub fn blocks_honeypot_ips(self) -> bool {
        self.0.get("blockHoneypotIps").and_then(Value::as_bool).unwrap_or(false)
    }

    /// From how much suspicion on submissions are held back.
    pub fn hold_at(self) -> Option<i32> {
        let limit = self.0.get("holdAtSuspicion").and_then(Value::as_i64).filter(|limit| *limit > 0);
        limit.and_then(|limit| i32::try_from(limit).ok())
    }

    /// Submissions a minute from one address to one source; `None` for any number.
    pub fn rate_per_minute(self) -> Option<i64> {
        let rate = self.0.get("rateLimitPerMinute").and_then(Value::as_i64).unwrap_or(RATE_PER_MINUTE);
        (rate > 0).then_some(rate)
    }

    /// Whether the address is on the list of those that always come through.
    pub fn trusts(self, ip: IpAddr) -> bool {
        self.has_range("trustedIps", ip)
    }

    /// Whether it is somebody's test, by where it came from or by the address that it names.
    pub fn is_test(self, ip: Option<IpAddr>, email: Option<&Email>) -> bool {
        let is_from_testers = ip.is_some_and(|ip| self.has_range("testIps", ip));
        is_from_testers || email.is_some_and(|email| self.names_a_tester(email))
    }

    /// Whether the address belongs to a competitor; `None` where none is listed.
    pub fn is_competitors(self, email: &Email) -> Option<bool> {
        let mut domains = self.list("competitorDomains").peekable();
        domains.peek()?;
        Some(email.is_at(domains))
    }

    fn names_a_tester(self, email: &Email) -> bool {
        let (addresses, domains): (Vec<_>, Vec<_>) = self.list("testEmails").partition(|entry| entry.contains('@'));
        addresses.contains(&email.canonical.as_str()) || email.is_at(domains)
    }

    fn has_range(self, name: &str, ip: IpAddr) -> bool {
        self.list(name).filter_map(parse_range).any(|range| range.contains(&ip))
    }

    fn list(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("203.0.113.9", "a@real.example.org", true)]
    #[case("203.0.112.9", "a@real.example.org", false)]
    #[case("203.0.112.9", "a@example.com", true)]
    #[case("203.0.112.9", "a@mail.example.com", true)]
    #[case("203.0.112.9", "a@notexample.com", false)]
    #[case("203.0.112.9", "qa@real.example.org", true)]
    fn a_test_is_known_by_address_or_content(#[case] ip: &str, #[case] email: &str, #[case] expected: bool) {
        let settings = json!({"testIps": ["203.0.113.0/24"], "testEmails": ["example.com", "qa@real.example.org"]});
        let email = Email::parse(email).expect("an address");

        assert_eq!(Detection(&settings).is_test(ip.parse().ok(), Some(&email)), expected);
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let none = json!({});
        let detection = Detection(&none);
        let ip = "203.0.113.9".parse().expect("an address");

        assert!(detection.catches_honeypots() && !detection.blocks_honeypot_ips());
        assert_eq!((detection.hold_at(), detection.rate_per_minute()), (None, Some(RATE_PER_MINUTE)));
        assert!(!detection.trusts(ip) && !detection.is_test(Some(ip), None));
        assert_eq!(detection.is_competitors(&Email::parse("a@b.example").expect("an address")), None);
    }
}
