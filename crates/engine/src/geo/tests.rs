use std::io::Write;

use leadline_domain::networks::Kind;
use serde::Deserialize;
use tempfile::NamedTempFile;

use super::*;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/geo");

#[derive(Deserialize)]
struct Case {
    network: String,
    country: Option<String>,
    city: Option<String>,
    region: Option<String>,
    tz: Option<String>,
}

fn cases(file: &str) -> PathBuf {
    let path = Path::new(CASES).join(file);
    assert!(path.exists(), "the outside test material is missing: ../shared/cases/geo/{file} beside the project");
    path
}

/// `::2.125.160.216/125` is an IPv4 network inside the tree for IPv6.
fn first_address(network: &str) -> IpAddr {
    let address = network.split('/').next().expect("an address");
    let inside = address.strip_prefix("::").filter(|rest| rest.contains('.')).unwrap_or(address);
    inside.parse().expect("an address")
}

#[test]
fn places_are_read_as_the_makers_of_the_format_read_them() {
    let geo = Geo::open(Files { places: Some(cases("GeoIP2-City-Test.mmdb")), networks: None });
    let text = std::fs::read_to_string(cases("expected.json")).expect("a readable file");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("the columns of SOURCES.md");

    let differing: Vec<String> = cases.iter().filter_map(|case| difference(&geo, case)).collect();

    println!("geo: {} of {} places equal", cases.len() - differing.len(), cases.len());
    assert!(differing.is_empty(), "{differing:#?}");
}

fn difference(geo: &Geo, case: &Case) -> Option<String> {
    let (location, _) = geo.look_up(first_address(&case.network));
    let location = location.unwrap_or_default();
    let found = [&location.country, &location.city, &location.region_code, &location.timezone];
    let expected = [&case.country, &case.city, &case.region, &case.tz];
    (found != expected).then(|| format!("{}: {found:?}, expected {expected:?}", case.network))
}

#[test]
fn a_broken_file_is_done_without() {
    let mut broken = Vec::new();
    for folder in ["bad-data/libmaxminddb", "bad-data/maxminddb-golang", "test-data"] {
        let entries = std::fs::read_dir(cases(&format!("broken/{folder}"))).expect("a readable folder");
        broken.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    assert_eq!(broken.len(), 13, "the outside test material has changed");

    for file in broken {
        let geo = Geo::open(Files { places: Some(file.clone()), networks: Some(file) });

        for ip in ["1.1.1.1", "2.125.160.216", "2001:220::1", "::"] {
            let _either_is_fine = geo.look_up(ip.parse().expect("an address"));
        }
    }
}

#[test]
fn a_file_that_is_not_there_yet_is_read_when_it_comes_and_again_when_it_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("networks.mmdb");
    let geo = Geo::open(Files { places: None, networks: Some(path.clone()) });
    let network = |geo: &Geo| geo.look_up("203.0.113.7".parse().expect("an address")).1;
    assert_eq!(network(&geo), None);

    replace(&path, &one_network(16509, "AMAZON-02"), 1);
    assert_eq!(read(&path).map(drop), Ok(()));
    geo.refresh();
    assert_eq!(network(&geo).map(|network| network.kind), Some(Kind::Hosting));

    replace(&path, b"not a database", 2);
    geo.refresh();
    assert_eq!(network(&geo).and_then(|network| network.asn), Some(16509), "the last good one is used on");

    replace(&path, &one_network(3320, "Deutsche Telekom AG"), 3);
    geo.refresh();
    let network = network(&geo).expect("a network");
    assert_eq!((network.asn, network.kind), (Some(3320), Kind::Ordinary));
    assert_eq!(network.organisation.as_deref(), Some("Deutsche Telekom AG"));
}

#[test]
fn flat_records_are_understood() {
    let place: PlaceRecord<'_> = serde_json::from_str(
        r#"{"country_code": "US", "state1": "North Carolina", "city": "Charlotte", "postcode": "28202",
            "timezone": "America/New_York", "latitude": "35.2"}"#,
    )
    .expect("a flat record");
    let network: NetworkRecord<'_> =
        serde_json::from_str(r#"{"asn": "AS9009", "as_name": "M247", "as_domain": "m247.com"}"#)
            .expect("a flat record");

    let location = Location::of(&place.place()).expect("a place");
    assert_eq!(location.country.as_deref(), Some("US"));
    assert_eq!(location.region.as_deref(), Some("North Carolina"));
    assert_eq!(location.city.as_deref(), Some("Charlotte"));
    assert_eq!(location.postal_code.as_deref(), Some("28202"));
    assert_eq!(network.network().map(|network| (network.asn, network.kind)), Some((Some(9009), Kind::Vpn)));
}

/// Puts a file in place as an updater does, changed at the given second.
fn replace(path: &Path, bytes: &[u8], second: u64) {
    let mut file = NamedTempFile::new_in(path.parent().expect("a folder")).expect("a file");
    file.write_all(bytes).expect("a written file");
    file.as_file().set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second)).expect("a time");
    file.persist(path).expect("a file in place");
}

/// A database in which every IPv4 address belongs to one network: one node, whose both sides are the one record.
fn one_network(asn: u32, organisation: &str) -> Vec<u8> {
    let mut record = vec![0xe2];
    write_text(&mut record, "autonomous_system_number");
    write_uint(&mut record, asn);
    write_text(&mut record, "autonomous_system_organization");
    write_text(&mut record, organisation);
    let pointer = [0, 0, 17];
    let mut file = [pointer, pointer].concat();
    file.extend([0; 16]);
    file.extend(record);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    file.push(0xe0 + 9);
    for (name, number) in
        [("binary_format_major_version", 2), ("binary_format_minor_version", 0), ("ip_version", 4), ("record_size", 24)]
    {
        write_text(&mut file, name);
        file.extend([0xa2, 0, number]);
    }
    write_text(&mut file, "node_count");
    write_uint(&mut file, 1);
    write_text(&mut file, "build_epoch");
    file.extend([0x08, 0x02]);
    file.extend(1_700_000_000_u64.to_be_bytes());
    write_text(&mut file, "database_type");
    write_text(&mut file, "Test-ASN");
    write_text(&mut file, "description");
    file.push(0xe1);
    write_text(&mut file, "en");
    write_text(&mut file, "one network");
    write_text(&mut file, "languages");
    file.extend([1, 4]);
    write_text(&mut file, "en");
    file
}

fn write_text(file: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).expect("a short text");
    match length {
        0..29 => file.push(0x40 + length),
        29.. => file.extend([0x40 + 29, length - 29]),
    }
    file.extend(text.bytes());
}

fn write_uint(file: &mut Vec<u8>, number: u32) {
    file.push(0xc4);
    file.extend(number.to_be_bytes());
}
