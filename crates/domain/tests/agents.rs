//! User agents against the uap project's own answers.

use leadline_domain::agents::{self, Device};
use serde::Deserialize;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/useragents/uap.json");
const STRINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/strings/blns.json");

#[derive(Deserialize)]
struct Case {
    ua: String,
    browser: Option<Family>,
    os: Option<Family>,
    device: Option<Maker>,
}

#[derive(Deserialize)]
struct Family {
    family: String,
    major: Option<String>,
}

#[derive(Deserialize)]
struct Maker {
    brand: Option<String>,
    model: Option<String>,
}

fn read<T: for<'a> Deserialize<'a>>(path: &str) -> T {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("the outside test material is missing: {path} ({error})"));
    serde_json::from_str(&text).expect("the file has the columns of SOURCES.md")
}

/// What was asked of how many rows, and which differ.
#[derive(Default)]
struct Figure {
    asked: usize,
    differing: Vec<String>,
}

impl Figure {
    fn compare(&mut self, user_agent: &str, actual: Option<&str>, expected: Option<&str>) {
        self.asked += 1;
        if actual != expected {
            self.differing.push(format!("{user_agent}: {actual:?}, expected {expected:?}"));
        }
    }

    /// What is wrong with it, if anything is.
    fn shortfall(&self, percent: f64, what: &str) -> Option<String> {
        let equal = 100.0 - 100.0 * self.differing.len() as f64 / self.asked as f64;
        println!("{what}: {equal:.2} % of {} equal", self.asked);
        (equal < percent).then(|| format!("{what}: only {equal:.2} % equal:\n{}", self.differing.join("\n")))
    }
}

#[test]
fn browsers_systems_and_makers_are_read_as_the_uap_project_reads_them() {
    let cases: Vec<Case> = read(CASES);
    let [mut browsers, mut versions, mut systems, mut makers, mut models] = <[Figure; 5]>::default();

    for case in &cases {
        let device = agents::read(&case.ua).unwrap_or_default();
        if let Some(browser) = &case.browser {
            browsers.compare(&case.ua, device.browser.as_deref(), named(&browser.family));
            versions.compare(&case.ua, device.browser_version.as_deref(), browser.major.as_deref());
        }
        if let Some(os) = &case.os {
            systems.compare(&case.ua, device.os.as_deref(), named(&os.family));
        }
        if let Some(maker) = case.device.as_ref().filter(|maker| is_somebodys(maker, &device)) {
            makers.compare(&case.ua, device.make.as_deref(), maker.brand.as_deref());
            models.compare(&case.ua, device.model.as_deref(), maker.model.as_deref());
        }
    }

    let shortfalls = [
        browsers.shortfall(98.0, "browser families"),
        versions.shortfall(98.0, "main versions of browsers"),
        systems.shortfall(99.0, "families of operating systems"),
        makers.shortfall(99.0, "makers of devices"),
        models.shortfall(99.0, "models of devices"),
    ];
    assert!(shortfalls.iter().all(Option::is_none), "{}", shortfalls.into_iter().flatten().collect::<String>());
}

fn named(family: &str) -> Option<&str> {
    Some(family).filter(|family| *family != "Other")
}

/// Bots have no maker, and "Generic" is none.
fn is_somebodys(maker: &Maker, device: &Device) -> bool {
    device.kind != agents::Kind::Bot && maker.brand.as_deref().is_some_and(|brand| !brand.starts_with("Generic"))
}

#[test]
fn no_text_makes_the_reader_panic() {
    let strings: Vec<String> = read(STRINGS);

    for text in strings.iter().flat_map(|text| [text.clone(), format!("Mozilla/5.0 (Linux; Android {text}) {text}")]) {
        if let Some(device) = agents::read(&text) {
            assert!(serde_json::to_string(&device).is_ok_and(|json| !json.contains("\\u0000")));
        }
    }
}
