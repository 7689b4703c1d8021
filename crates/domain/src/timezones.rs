//! Whether a browser's clock fits the country that its address is in.
//!
//! Zones and countries stand in `data/timezones.txt`, with the offset of standard time. Summer time is an hour that the
//! tolerance swallows, so no rules of it are needed.

use std::{collections::HashMap, sync::LazyLock};

/// Neighbours travel, and VPN exits stand in the country next door: this many hours are near.
const NEAR_MINUTES: i32 = 3 * 60;

/// Minutes ahead of universal time, by the zone's name and by country.
struct Tables {
    zones: HashMap<&'static str, i32>,
    countries: HashMap<&'static str, Vec<i32>>,
    /// The first zone of each country, by which it is called where all of them show the same hour.
    first: HashMap<&'static str, &'static str>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables { zones: HashMap::new(), countries: HashMap::new(), first: HashMap::new() };
    for line in include_str!("../data/timezones.txt").lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(minutes)) = (words.next(), words.next().and_then(|minutes| minutes.parse().ok())) else {
            continue;
        };
        tables.zones.insert(name, minutes);
        for country in words.next().unwrap_or_default().split(',').filter(|country| !country.is_empty()) {
            tables.countries.entry(country).or_default().push(minutes);
            tables.first.entry(country).or_insert(name);
        }
    }
    tables
});

/// Whether `name` is a zone of the IANA database.
#[must_use]
pub fn is_known(name: &str) -> bool {
    TABLES.zones.contains_key(name)
}

/// Whether a zone is more than three hours from every zone of a country. `None` where one of them is not known.
#[must_use]
pub fn is_far(zone: &str, country: &str) -> Option<bool> {
    let browser = TABLES.zones.get(zone)?;
    let there = TABLES.countries.get(country)?;
    // Across the date line two clocks show nearly the same hour.
    let apart = |minutes: i32| {
        let apart = (browser - minutes).abs();
        apart.min(24 * 60 - apart)
    };
    Some(there.iter().all(|minutes| apart(*minutes) > NEAR_MINUTES))
}

/// A zone of a country in which all clocks show the same hour.
#[must_use]
pub fn only_zone_of(country: &str) -> Option<&'static str> {
    let offsets = TABLES.countries.get(country)?;
    let are_alike = offsets.iter().all(|minutes| *minutes == offsets[0]);
    are_alike.then(|| TABLES.first.get(country).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::at_home("Europe/Berlin", "DE", Some(false))]
    #[case::next_door("Europe/Warsaw", "DE", Some(false))]
    #[case::old_name("Asia/Calcutta", "IN", Some(false))]
    #[case::large_country("America/Los_Angeles", "US", Some(false))]
    #[case::its_far_islands("Pacific/Honolulu", "US", Some(false))]
    #[case::another_continent("Asia/Shanghai", "US", Some(true))]
    #[case::universal_time("UTC", "US", Some(true))]
    #[case::over_the_date_line("Pacific/Apia", "AS", Some(false))]
    #[case::no_zone("Mars/Olympus", "US", None)]
    #[case::no_country("Europe/Berlin", "XX", None)]
    fn a_clock_is_far_from_a_country_or_not(#[case] zone: &str, #[case] country: &str, #[case] expected: Option<bool>) {
        assert_eq!(is_far(zone, country), expected);
    }

    #[test]
    fn every_country_with_people_has_a_zone() {
        assert!(TABLES.countries.len() > 240, "{}", TABLES.countries.len());
        assert!(TABLES.zones.len() > 590, "{}", TABLES.zones.len());
    }
}
