//! E-mail addresses against three outside collections, with the rows on which we decided otherwise named one by one.

use leadline_domain::emails::Email;
use rstest::rstest;
use serde::Deserialize;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/emails");

#[derive(Deserialize)]
struct Case {
    email: String,
    expect: String,
    ascii: Option<String>,
}

fn cases(file: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap_or_else(|error| {
        panic!("the outside test material is missing: ../shared/cases/emails/{file} ({error})")
    });
    // A lone surrogate is no text in Rust; what a decoder makes of it is the replacement character.
    serde_json::from_str(&text.replace("\\udc00", "\\ufffd")).expect("the file has the columns of SOURCES.md")
}

#[rstest]
#[case::isemail("isemail.json")]
#[case::validatorjs("validatorjs.json")]
#[case::email_validator("email_validator.json")]
fn usable_addresses_are_told_from_others_as_elsewhere(#[case] file: &str) {
    let cases: Vec<Case> = cases(file).into_iter().filter(|case| case.expect != "either").collect();

    let differing: Vec<&Case> = cases.iter().filter(|case| differs(case)).collect();

    let equal = 100.0 - 100.0 * differing.len() as f64 / cases.len() as f64;
    println!("{file}: {} of {} rows differ, {equal:.1} % equal", differing.len(), cases.len());
    let surprising: Vec<&str> =
        differing.iter().filter(|case| !decided_otherwise(case)).map(|case| case.email.as_str()).collect();
    assert_eq!(surprising, Vec::<&str>::new(), "{file}");
}

fn differs(case: &Case) -> bool {
    Email::parse(&case.email).is_some() != (case.expect == "accept")
}

/// A form field may come with white space or angle brackets around it; a full-width domain is the same domain; an
/// address in a form has no quotes, at most the 64 bytes of the RFC before the `@`, and a dot after it.
fn decided_otherwise(case: &Case) -> bool {
    let bare = case.email.trim().trim_start_matches('<').trim_end_matches('>');
    let (local, domain) = bare.rsplit_once('@').unwrap_or_default();
    let we_read_more_leniently = case.expect == "refuse" && (bare != case.email || domain == "ｇｍａｉｌ.com");
    let we_read_more_strictly =
        case.expect == "accept" && (local.starts_with('"') || local.len() > 64 || !domain.contains('.'));
    we_read_more_leniently || we_read_more_strictly
}

#[test]
fn the_canonical_form_is_the_ascii_form_of_the_oracle_in_lower_case() {
    for case in cases("email_validator.json") {
        let (Some(email), Some(ascii)) = (Email::parse(&case.email), case.ascii) else { continue };

        assert_eq!(email.canonical, ascii.to_lowercase());
    }
}

#[test]
fn every_disposable_domain_is_a_domain() {
    let text = std::fs::read_to_string(format!("{FOLDER}/disposable.json"))
        .expect("the outside test material is missing: ../shared/cases/emails/disposable.json");
    let domains: Vec<String> = serde_json::from_str(&text).expect("disposable.json is a list of domains");

    for domain in domains {
        let email = Email::parse(&format!("a@{domain}"));
        assert_eq!(email.as_ref().map(Email::domain), Some(domain.as_str()));
    }
}
