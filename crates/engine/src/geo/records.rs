//! The records of the databases that people have. MaxMind and DB-IP nest theirs (`country.iso_code`), IPinfo and
//! ip-location-db have flat ones (`country_code`).

use leadline_domain::{
    context::Place,
    networks::{Marks, Network},
};
use serde::Deserialize;

/// A place as databases write it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PlaceRecord<'a> {
    #[serde(borrow)]
    country: Named<'a>,
    registered_country: Named<'a>,
    country_code: Option<&'a str>,
    subdivisions: Vec<Named<'a>>,
    region: Named<'a>,
    region_code: Option<&'a str>,
    state1: Option<&'a str>,
    city: Named<'a>,
    postal: Named<'a>,
    postal_code: Option<&'a str>,
    postcode: Option<&'a str>,
    location: Position<'a>,
    timezone: Option<&'a str>,
}

/// A name with or without a code.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Named<'a> {
    Text(#[serde(borrow)] &'a str),
    Whole {
        #[serde(default)]
        iso_code: Option<&'a str>,
        #[serde(default)]
        code: Option<&'a str>,
        #[serde(default, borrow)]
        names: Names<'a>,
    },
}

impl Default for Named<'_> {
    fn default() -> Self {
        Self::Text("")
    }
}

#[derive(Debug, Default, Deserialize)]
struct Names<'a> {
    #[serde(default)]
    en: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
struct Position<'a> {
    #[serde(default)]
    time_zone: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn code(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(*text).filter(|text| !text.is_empty()),
            Self::Whole { iso_code, code, .. } => iso_code.or(*code),
        }
    }

    fn name(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(*text).filter(|text| !text.is_empty()),
            Self::Whole { names, .. } => names.en,
        }
    }
}

impl<'a> PlaceRecord<'a> {
    pub(super) fn place(&self) -> Place<'a> {
        let state = self.subdivisions.first();
        Place {
            country: self.country.code().or(self.country_code).or_else(|| self.registered_country.code()),
            region: state.and_then(Named::name).or_else(|| self.region.name()).or(self.state1),
            region_code: state.and_then(Named::code).or(self.region_code),
            city: self.city.name(),
            postal_code: self.postal.code().or(self.postal_code).or(self.postcode),
            timezone: self.location.time_zone.or(self.timezone),
        }
    }
}

/// A network as databases write it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NetworkRecord<'a> {
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'a str>,
    #[serde(borrow)]
    asn: Option<Asn<'a>>,
    as_name: Option<&'a str>,
    isp: Option<&'a str>,
    is_hosting_provider: bool,
    is_anonymous_vpn: bool,
    is_public_proxy: bool,
    is_residential_proxy: bool,
    is_tor_exit_node: bool,
    #[serde(borrow)]
    traits: Traits<'a>,
}

/// What an enterprise database keeps inside.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traits<'a> {
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'a str>,
    user_type: Option<&'a str>,
    is_anonymous_vpn: bool,
    is_hosting_provider: bool,
    is_public_proxy: bool,
    is_tor_exit_node: bool,
}

/// `64500` or `AS64500`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Asn<'a> {
    Number(u32),
    Text(#[serde(borrow)] &'a str),
}

impl Asn<'_> {
    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim_start_matches(['A', 'S', 'a', 's']).parse().ok(),
        }
    }
}

impl NetworkRecord<'_> {
    pub(super) fn network(&self) -> Option<Network> {
        let inside = &self.traits;
        let asn = self.autonomous_system_number.or_else(|| self.asn.as_ref().and_then(Asn::number));
        let organisation = self.autonomous_system_organization.or(self.as_name).or(self.isp);
        let marks = Marks {
            is_hosting: self.is_hosting_provider || inside.is_hosting_provider || inside.user_type == Some("hosting"),
            is_vpn: self.is_anonymous_vpn
                || self.is_public_proxy
                || self.is_residential_proxy
                || inside.is_anonymous_vpn
                || inside.is_public_proxy,
            is_tor: self.is_tor_exit_node || inside.is_tor_exit_node,
        };
        Network::of(
            asn.or(inside.autonomous_system_number),
            organisation.or(inside.autonomous_system_organization),
            marks,
        )
    }
}
