//! Which URLs may be saved and which addresses connected to.

use std::net::IpAddr;

use leadline_outbound::{Guard, MAX_URL_CHARS, UrlRefused};
use rstest::rstest;
use serde::Deserialize;

use crate::cases;

#[derive(Deserialize)]
struct UrlCase {
    url: String,
    why: Option<String>,
}

#[derive(Deserialize)]
struct IpCase {
    ip: IpAddr,
    expect: String,
}

/// Rows of the list of dangerous URLs that point to public hosts: documentation, and another site's hole. Nothing in the
/// URL speaks against them; where they lead is decided when their name is resolved.
const PUBLIC_HOSTS: [&str; 2] = ["https://help.redacted.com/", "https://rancher.com/"];

fn is_public_host(url: &str) -> bool {
    PUBLIC_HOSTS.iter().any(|start| url.starts_with(start))
}

fn strict() -> Guard {
    Guard::default()
}

fn allowing(ranges: &[&str]) -> Guard {
    Guard::new(ranges.iter().map(|range| range.parse().unwrap()).collect())
}

#[test]
fn dangerous_urls_are_refused_when_saved() {
    for case in cases::read::<UrlCase>("ssrf/urls_refuse.json") {
        if is_public_host(&case.url) {
            assert!(strict().check_url(&case.url).is_ok(), "{} is no exception any more", case.url);
            continue;
        }

        assert!(strict().check_url(&case.url).is_err(), "{} ({:?})", case.url, case.why);
    }
}

#[test]
fn dangerous_urls_are_refused_for_their_host_and_not_only_for_being_plain_http() {
    for case in cases::read::<UrlCase>("ssrf/urls_refuse.json") {
        let Some(rest) = case.url.strip_prefix("http:") else { continue };
        if rest == "//example.com/" {
            continue;
        }

        assert!(strict().check_url(&format!("https:{rest}")).is_err(), "https:{rest}");
    }
}

#[test]
fn public_urls_are_accepted() {
    for case in cases::read::<UrlCase>("ssrf/urls_accept.json") {
        assert_eq!(strict().check_url(&case.url).map(|url| url.to_string()), Ok(case.url.clone()));
    }
}

/// The rows come from a proxy whose operator allowed two private networks, so this guard allows them too.
#[test]
fn addresses_are_classified_as_in_other_egress_proxies() {
    let guard = allowing(&["172.16.1.0/24", "192.168.1.0/24"]);

    for case in cases::read::<IpCase>("ssrf/ip_classes.json") {
        assert_eq!(guard.allows_ip(case.ip), case.expect == "allow", "{}", case.ip);
    }
}

#[rstest]
#[case::not_a_url("example.com/hook", UrlRefused::Malformed)]
#[case::no_slashes("https:example.com", UrlRefused::Malformed)]
#[case::tab_that_a_parser_would_drop("https://exam\tple.com/", UrlRefused::Malformed)]
#[case::empty_label("https://example..com/", UrlRefused::Malformed)]
#[case::zone("https://[fe80::1%25eth0]/", UrlRefused::Malformed)]
#[case::plain_http("http://example.com/", UrlRefused::NotHttps)]
#[case::web_socket("wss://example.com/", UrlRefused::NotHttps)]
#[case::user("https://me@example.com/", UrlRefused::Credentials)]
#[case::password("https://:secret@example.com/", UrlRefused::Credentials)]
#[case::port("https://example.com:0/", UrlRefused::Port)]
#[case::localhost("https://localhost/", UrlRefused::PrivateName)]
#[case::below_localhost("https://a.LocalHost/", UrlRefused::PrivateName)]
#[case::trailing_dot("https://vault.internal./", UrlRefused::PrivateName)]
#[case::percent_encoded("https://local%68ost/", UrlRefused::PrivateName)]
#[case::full_width("https://localhost/", UrlRefused::PrivateName)]
#[case::single_label("https://intranet/", UrlRefused::PrivateName)]
#[case::home("https://nas.home.arpa/", UrlRefused::PrivateName)]
#[case::full_width_digits("https://127.0.0.1/", UrlRefused::PrivateAddress)]
#[case::hexadecimal("https://0x7f.1/", UrlRefused::PrivateAddress)]
#[case::mapped("https://[::ffff:8.8.8.8]/", UrlRefused::PrivateAddress)]
#[case::teredo("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", UrlRefused::PrivateAddress)]
#[case::unique_local("https://[fd00:ec2::254]/", UrlRefused::PrivateAddress)]
#[case::azure("https://168.63.129.16/", UrlRefused::PrivateAddress)]
fn the_refusal_says_what_is_wrong(#[case] url: &str, #[case] expected: UrlRefused) {
    assert_eq!(strict().check_url(url), Err(expected), "{url}");
}

#[test]
fn the_longest_url_is_accepted_and_one_more_character_is_not() {
    let start = "https://example.com/";
    let longest = format!("{start}{}", "a".repeat(MAX_URL_CHARS - start.len()));

    assert!(strict().check_url(&longest).is_ok());
    assert_eq!(strict().check_url(&format!("{longest}a")), Err(UrlRefused::TooLong));
}

#[rstest]
#[case::names_that_only_look_private("https://mylocal.example/")]
#[case::names_that_begin_like_private_ones("https://localhost.example.com/")]
#[case::public_ipv6("https://[2606:4700:4700::1111]/")]
#[case::other_port("https://example.com:8443/hook")]
#[case::international_name("https://bücher.example/")]
fn harmless_urls_are_not_refused(#[case] url: &str) {
    assert!(strict().check_url(url).is_ok(), "{url}");
}

#[test]
fn a_url_is_trimmed_and_loses_its_fragment() {
    let url = strict().check_url("  https://example.com/hook?key=1#top\n").unwrap();

    assert_eq!(url.as_str(), "https://example.com/hook?key=1");
}

#[rstest]
#[case::address("http://127.0.0.1:9900/b/200", true)]
#[case::address_in_another_spelling("http://0x7f.1:9900/", true)]
#[case::localhost("http://localhost:9900/", true)]
#[case::https("https://127.0.0.1:9900/", true)]
#[case::address_elsewhere("http://10.0.0.1/", false)]
#[case::public_address("http://93.184.216.34/", false)]
#[case::public_name("http://example.com/", false)]
#[case::embedded_address("http://[::ffff:127.0.0.1]/", false)]
#[case::private_name("https://vault.internal/", false)]
#[case::below_localhost("http://a.localhost/", false)]
fn plain_http_and_private_hosts_are_reached_only_inside_the_allowed_range(#[case] url: &str, #[case] accepted: bool) {
    let guard = allowing(&["127.0.0.0/8"]);

    assert_eq!(guard.check_url(url).is_ok(), accepted, "{url}");
}

#[test]
fn localhost_stays_refused_where_another_range_is_allowed() {
    let guard = allowing(&["10.0.0.0/8"]);

    assert_eq!(guard.check_url("https://localhost/"), Err(UrlRefused::PrivateName));
    assert!(guard.check_url("http://10.1.2.3:5678/").is_ok());
}
