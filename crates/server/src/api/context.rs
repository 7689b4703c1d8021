//! What was found out about a visitor, as leads and submissions show it.

use leadline_domain::{agents, context::Context, networks};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::masking::Sight;

/// What was found out about the visitor from their request; hints, not facts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContextView {
    location: Option<LocationView>,
    network: Option<NetworkView>,
    device: Option<DeviceView>,
    /// The language that the browser asks for first, as `pt-BR`.
    language: Option<String>,
    /// The timezone of the browser's clock.
    timezone: Option<String>,
}

/// Where the address is, by a proxy's or a database's word.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LocationView {
    /// ISO 3166.
    country: Option<String>,
    region: Option<String>,
    region_code: Option<String>,
    city: Option<String>,
    /// Null without `pii:view`.
    postal_code: Option<String>,
    timezone: Option<String>,
}

/// Whose network the address belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NetworkView {
    /// The number of the autonomous system.
    asn: Option<u32>,
    organisation: Option<String>,
    kind: NetworkKind,
}

/// What a network is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NetworkKind {
    Ordinary,
    /// Carries people's browsing for them, as iCloud Private Relay does.
    Relay,
    PossiblyHosting,
    Hosting,
    Vpn,
    Tor,
}

/// What the user agent says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeviceView {
    kind: DeviceKind,
    make: Option<String>,
    model: Option<String>,
    os: Option<String>,
    os_version: Option<String>,
    browser: Option<String>,
    browser_version: Option<String>,
}

/// What kind of device it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeviceKind {
    Desktop,
    Smartphone,
    Tablet,
    Tv,
    Console,
    Bot,
    Other,
}

impl ContextView {
    /// What is kept, as this actor may see it.
    pub(crate) fn of(stored: Option<Value>, sight: Sight) -> Option<Self> {
        let context: Context = serde_json::from_value(stored?).ok()?;
        Some(Self {
            location: context.location.map(|place| LocationView {
                country: place.country,
                region: place.region,
                region_code: place.region_code,
                city: place.city,
                postal_code: sight.identifier(place.postal_code),
                timezone: place.timezone,
            }),
            network: context.network.map(|network| NetworkView {
                asn: network.asn,
                organisation: network.organisation,
                kind: network_kind(network.kind),
            }),
            device: context.device.map(|device| DeviceView {
                kind: device_kind(device.kind),
                make: device.make,
                model: device.model,
                os: device.os,
                os_version: device.os_version,
                browser: device.browser,
                browser_version: device.browser_version,
            }),
            language: context.language,
            timezone: context.timezone,
        })
    }
}

fn network_kind(kind: networks::Kind) -> NetworkKind {
    match kind {
        networks::Kind::Ordinary => NetworkKind::Ordinary,
        networks::Kind::Relay => NetworkKind::Relay,
        networks::Kind::PossiblyHosting => NetworkKind::PossiblyHosting,
        networks::Kind::Hosting => NetworkKind::Hosting,
        networks::Kind::Vpn => NetworkKind::Vpn,
        networks::Kind::Tor => NetworkKind::Tor,
    }
}

fn device_kind(kind: agents::Kind) -> DeviceKind {
    match kind {
        agents::Kind::Desktop => DeviceKind::Desktop,
        agents::Kind::Smartphone => DeviceKind::Smartphone,
        agents::Kind::Tablet => DeviceKind::Tablet,
        agents::Kind::Tv => DeviceKind::Tv,
        agents::Kind::Console => DeviceKind::Console,
        agents::Kind::Bot => DeviceKind::Bot,
        agents::Kind::Other => DeviceKind::Other,
    }
}
