//! What a proxy in front of us says of the visitor's place and network, and what the browser says of its language.
//!
//! Content delivery networks know where an address is and say so in headers. Anybody can write such headers, so they
//! are read from a connection of a trusted proxy alone. An operator whose proxy adds none of them has it remove what
//! visitors send under these names.

use std::{borrow::Cow, net::SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, header};
use leadline_domain::{
    context::{self, Context, Location, Place},
    networks::{Marks, Network},
};

use crate::app::App;

/// The longest header that is read.
const HEADER_MAX_BYTES: usize = 500;

/// What Cloudflare says in place of a country for an exit of the Tor network.
const TOR: &str = "T1";

/// The headers for one thing, of which the first that is there counts: Cloudflare, CloudFront, Vercel, App Engine, and
/// what people call them who set them by themselves.
struct Names {
    country: &'static [&'static str],
    region: &'static [&'static str],
    region_code: &'static [&'static str],
    city: &'static [&'static str],
    postal_code: &'static [&'static str],
    timezone: &'static [&'static str],
    asn: &'static [&'static str],
    organisation: &'static [&'static str],
}

const NAMES: Names = Names {
    country: &[
        "cf-ipcountry",
        "cloudfront-viewer-country",
        "x-vercel-ip-country",
        "x-appengine-country",
        "x-geo-country",
        "x-country-code",
        "x-geoip-country-code",
        "geoip-country-code",
    ],
    region: &["cf-region", "cloudfront-viewer-country-region-name", "x-geo-region", "x-geoip-region-name"],
    region_code: &[
        "cf-region-code",
        "cloudfront-viewer-country-region",
        "x-vercel-ip-country-region",
        "x-appengine-region",
        "x-geo-region-code",
        "x-geoip-region",
    ],
    city: &[
        "cf-ipcity",
        "cloudfront-viewer-city",
        "x-vercel-ip-city",
        "x-appengine-city",
        "x-geo-city",
        "x-geoip-city",
    ],
    postal_code: &[
        "cf-postal-code",
        "cloudfront-viewer-postal-code",
        "x-vercel-ip-postal-code",
        "x-geo-postal-code",
        "x-geoip-postal-code",
    ],
    timezone: &["cf-timezone", "cloudfront-viewer-time-zone", "x-vercel-ip-timezone", "x-geo-timezone"],
    asn: &["cf-asn", "cloudfront-viewer-asn", "x-vercel-ip-as-number", "x-geo-asn"],
    organisation: &["x-geo-organization", "x-geo-organisation", "x-geoip-org"],
};

/// What is told of whoever sent a request.
#[must_use]
pub fn context_of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Context {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let is_believed = peer.is_some_and(|peer| app.is_trusted_proxy(peer));
    let mut context = if is_believed { told_by_proxy(headers) } else { Context::default() };
    let languages = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    context.language = languages.and_then(context::language_of);
    context
}

fn told_by_proxy(headers: &HeaderMap) -> Context {
    let read = |names: &[&str]| names.iter().find_map(|name| text(headers, name));
    let country = read(NAMES.country);
    let texts = [
        read(NAMES.region),
        read(NAMES.region_code),
        read(NAMES.city),
        read(NAMES.postal_code),
        read(NAMES.timezone),
        read(NAMES.organisation),
    ];
    let [region, region_code, city, postal_code, timezone, organisation] = &texts;
    let place = Place {
        country: country.as_deref(),
        region: region.as_deref(),
        region_code: region_code.as_deref(),
        city: city.as_deref(),
        postal_code: postal_code.as_deref(),
        timezone: timezone.as_deref(),
    };
    let asn = read(NAMES.asn).and_then(|asn| asn.trim_start_matches(['A', 'S', 'a', 's']).parse().ok());
    let marks = Marks { is_tor: country.as_deref() == Some(TOR), ..Marks::default() };
    Context {
        location: Location::of(&place),
        network: Network::of(asn, organisation.as_deref(), marks),
        ..Context::default()
    }
}

/// A header's text. Names of cities come as UTF-8 or percent-encoded.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let bytes = headers.get(name)?.as_bytes();
    let bytes = bytes.get(..HEADER_MAX_BYTES).unwrap_or(bytes);
    let decoded = percent_decoded(bytes);
    let text = String::from_utf8_lossy(&decoded).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn percent_decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = digit(at + 1).zip(digit(at + 2)).filter(|_| *byte == b'%');
        let code = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        decoded.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use leadline_domain::networks::Kind;
    use rstest::rstest;

    use super::*;

    fn told(pairs: &[(&'static str, &str)]) -> Context {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        told_by_proxy(&headers)
    }

    #[rstest]
    #[case::cloudflare(&[("cf-ipcountry", "BR"), ("cf-ipcity", "São Paulo"), ("cf-timezone", "America/Sao_Paulo")])]
    #[case::cloudfront(&[
        ("cloudfront-viewer-country", "BR"),
        ("cloudfront-viewer-city", "S%C3%A3o Paulo"),
        ("cloudfront-viewer-time-zone", "America/Sao_Paulo"),
    ])]
    #[case::vercel(&[
        ("x-vercel-ip-country", "br"),
        ("x-vercel-ip-city", "S%C3%A3o%20Paulo"),
        ("x-vercel-ip-timezone", "America/Sao_Paulo"),
    ])]
    #[case::by_hand(&[("x-geo-country", "BR"), ("x-geo-city", "São Paulo"), ("x-geo-timezone", "America/Sao_Paulo")])]
    fn every_network_says_the_same_in_its_own_words(#[case] headers: &[(&'static str, &str)]) {
        let location = told(headers).location.expect("a place");

        assert_eq!(location.country.as_deref(), Some("BR"));
        assert_eq!(location.city.as_deref(), Some("São Paulo"));
        assert_eq!(location.timezone.as_deref(), Some("America/Sao_Paulo"));
    }

    #[test]
    fn networks_are_told_by_number_and_tor_by_its_own_country() {
        let kind = |headers| told(headers).network.map(|network| network.kind);

        assert_eq!(kind(&[("cloudfront-viewer-asn", "16509")]), Some(Kind::Hosting));
        assert_eq!(
            kind(&[("x-geo-asn", "AS3320"), ("x-geo-organization", "Deutsche Telekom AG")]),
            Some(Kind::Ordinary)
        );
        assert_eq!(kind(&[("cf-ipcountry", "T1")]), Some(Kind::Tor));
        assert_eq!(told(&[("cf-ipcountry", "T1")]).location, None);
        assert_eq!(kind(&[("cf-ipcountry", "XX")]), None);
    }

    #[rstest]
    #[case("%", "%")]
    #[case("%4", "%4")]
    #[case("%zz", "%zz")]
    #[case("100%25", "100%")]
    #[case("%ff", "\u{fffd}")]
    #[case("%00a", "a")]
    fn broken_encodings_are_taken_as_they_are(#[case] city: &str, #[case] expected: &str) {
        let city = told(&[("x-geo-city", city)]);

        assert_eq!(city.location.and_then(|place| place.city).as_deref(), Some(expected));
    }
}
