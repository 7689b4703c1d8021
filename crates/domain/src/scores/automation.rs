//! Telling the user agents of programs from those of browsers.

/// What browsers call themselves at the start; old phones do not, but name the Java profile they carry.
const BROWSER_STARTS: [&str; 3] = ["mozilla", "opera/", "ucweb"];
const PHONE_MARKS: [&str; 3] = ["midp", "up.browser", "uc browser"];

/// What programs call themselves.
const PROGRAM_MARKS: [&str; 37] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "scan",
    "scrap",
    "fetch",
    "headless",
    "phantomjs",
    "puppeteer",
    "playwright",
    "selenium",
    "webdriver",
    "monitor",
    "preview",
    "lighthouse",
    "archive",
    "check",
    "validator",
    "inspect",
    "verification",
    "python",
    "http://",
    "https://",
    "mailto:",
    ".com",
    "curl",
    "wget",
    "uptime",
    "analy",
    "(compatible;",
    "facebookexternal",
    "favicon",
    "ptst",
    "pingdom",
    "synthetics",
    "zgrab",
];

/// Whether a user agent is empty, headless or otherwise a program's.
#[must_use]
pub fn is_automated(user_agent: &str) -> bool {
    let name = user_agent.trim().to_ascii_lowercase();
    let is_browser = BROWSER_STARTS.iter().any(|start| name.starts_with(start));
    let is_phone = PHONE_MARKS.iter().any(|mark| name.contains(mark));
    if !is_browser && !is_phone {
        return true;
    }
    let name = without_innocent_marks(&name);
    PROGRAM_MARKS.iter().any(|mark| name.contains(mark))
}

/// Cubot makes phones, old browsers were "compatible", and an app's own part in square brackets names whom it likes.
fn without_innocent_marks(name: &str) -> String {
    let name = name.split_once("[fb").map_or(name, |(browser, _)| browser);
    let mut name = name.replace("cubot", "");
    for browser in ["msie", "konqueror", "teleca"] {
        name = name.replace(&format!("(compatible; {browser}"), "");
    }
    name
}
