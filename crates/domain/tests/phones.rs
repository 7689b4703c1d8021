//! Phone numbers against libphonenumber's own answers.

use leadline_domain::phones::{self, Phone};
use serde::Deserialize;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/phones/parse.json");
const STRINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/strings/blns.json");

#[derive(Deserialize)]
struct Case {
    input: String,
    region: Option<String>,
    how: String,
    valid: bool,
    e164: Option<String>,
    number_region: Option<String>,
    international: Option<String>,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(CASES)
        .expect("the outside test material is missing: ../shared/cases/phones/parse.json beside the project");
    serde_json::from_str(&text).expect("phones/parse.json has the columns of SOURCES.md")
}

#[test]
fn at_least_995_of_1000_numbers_are_read_as_libphonenumber_reads_them() {
    let cases = cases();

    let differing: Vec<String> = cases.iter().filter_map(difference).collect();

    let agreement = 1.0 - differing.len() as f64 / cases.len() as f64;
    println!("{} of {} differ ({:.2} % equal):", differing.len(), cases.len(), agreement * 100.0);
    println!("{}", differing.join("\n"));
    assert!(agreement >= 0.995, "only {:.2} % equal:\n{}", agreement * 100.0, differing.join("\n"));
}

fn difference(case: &Case) -> Option<String> {
    let phone = Phone::parse(&case.input, case.region.as_deref(), None);
    let expected = case.e164.as_deref().filter(|_| case.valid);
    let actual = phone.as_ref().map(|phone| phone.e164.as_str());
    (actual != expected)
        .then(|| format!("{:?} in {:?} ({}): {actual:?}, expected {expected:?}", case.input, case.region, case.how))
}

#[test]
fn regions_and_international_formats_agree_as_well() {
    let cases = cases();
    let valid: Vec<&Case> = cases.iter().filter(|case| case.valid && !case.how.contains("ext")).collect();

    let differing: Vec<String> = valid.iter().filter_map(|case| rendering_difference(case)).collect();

    let agreement = 1.0 - differing.len() as f64 / valid.len() as f64;
    println!("{:.2} % equal", agreement * 100.0);
    assert!(agreement >= 0.99, "only {:.2} % equal:\n{}", agreement * 100.0, differing.join("\n"));
}

fn rendering_difference(case: &Case) -> Option<String> {
    let phone = Phone::parse(&case.input, case.region.as_deref(), None)?;
    let international = phones::international(&phone.e164);
    let is_equal = Some(&international) == case.international.as_ref() && phone.region == case.number_region;
    (!is_equal).then(|| {
        format!(
            "{:?}: {international} in {:?}, expected {:?} in {:?}",
            case.input, phone.region, case.international, case.number_region
        )
    })
}

#[test]
fn no_text_makes_the_reader_panic() {
    let text = std::fs::read_to_string(STRINGS)
        .expect("the outside test material is missing: ../shared/cases/strings/blns.json beside the project");
    let strings: Vec<String> = serde_json::from_str(&text).expect("blns.json is a list of texts");

    let spellings = |text: &String| {
        [text.clone(), format!("+{text}"), format!("+49{text}"), format!("tel:{text};phone-context=+49")]
    };
    for raw in strings.iter().flat_map(spellings) {
        let read = [None, Some("DE"), Some(raw.as_str())].map(|region| Phone::parse(&raw, region, Some(&raw)));

        for phone in read.into_iter().flatten() {
            assert!(
                phone.e164.starts_with('+') && phone.e164[1..].bytes().all(|byte| byte.is_ascii_digit()),
                "{phone:?}"
            );
        }
        assert!(!phones::mask(&raw).is_empty());
        assert_eq!(phones::international(&raw).is_empty(), raw.is_empty());
    }
}
