//! What a user agent says: which browser on which system, and what kind of device from which maker.
//!
//! The families are those of the uap project, whose patterns stand in `data/user_agents.json`. What a user agent says
//! is a claim: nothing is decided by it but the words on a page, and how suspicious a submission is (`scores`).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use ua_parser::{Extractor, Regexes, user_agent};

use crate::scores;

/// Longer ones are cut. The longest of browsers inside apps have some 500 characters.
const USER_AGENT_MAX_CHARS: usize = 1_000;

/// The longest name or version that is kept.
const WORD_MAX_CHARS: usize = 80;

/// The patterns, compiled when the first user agent is read. That takes a tenth of a second and some 30 MB.
static PATTERNS: LazyLock<Extractor<'static>> = LazyLock::new(|| {
    let mut patterns: Regexes<'static> =
        serde_json::from_str(include_str!("../data/user_agents.json")).expect("a test reads this file");
    patterns.user_agent_parsers.splice(0..0, NEWER_BROWSERS.map(browser));
    Extractor::try_from(patterns).expect("a test compiles these patterns")
});

/// Browsers that the patterns do not know yet, and what they are called. The version is the second group, as in all
/// patterns: the first is the name as the browser spells it.
const NEWER_BROWSERS: [(&str, &str); 16] = [
    (r"(MicroMessenger)/(\d+)", "WeChat Browser"),
    (r"(KAKAOTALK)/(\d+)", "KakaoTalk"),
    (r"(Telegram-Android)/(\d+)", "Telegram"),
    (r"(WeiboIntliOS_iPhone)_(\d+)", "Weibo"),
    (r"(HeyTapBrowser)/(\d+)", "HeyTap Browser"),
    (r"Safari/[\d.]+ (OPT)/(\d+)", "Opera Touch"),
    (r"(PHX)/(\d+)", "Phoenix Browser"),
    (r"(CCleaner)/(\d+)", "CCleaner"),
    (r"(Mypal)/(\d+)", "Mypal Browser"),
    // Browsers on that engine name themselves as well.
    (r"(Falkon|qutebrowser)/(\d+)", "$1"),
    (r"(QtWebEngine)/(\d+)", "Qt Web Engine"),
    (r"(Lite Browser)/(\d+)", "Lite Browser"),
    (r"Safari/[\d.]+ (Trailer)/(\d+)", "Trailer"),
    (r"Chrome/[\d.]+ (Decentr) Safari/", "Decentr Web3 Browser"),
    (r"Safari/[\d.]+ (Talon)$", "Talon Cyber Security Browser"),
    (r"^(AncestryAndroid)/(\d+)", "AncestryAndroid"),
];

fn browser((regex, name): (&'static str, &'static str)) -> user_agent::Parser<'static> {
    user_agent::Parser { regex: regex.into(), family_replacement: Some(name.into()), ..user_agent::Parser::default() }
}

/// What a device is, as far as its user agent tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Device {
    /// What kind of device.
    pub kind: Kind,
    /// Who makes it (`Apple`, `Samsung`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Which one (`iPhone`, `SM-S918B`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The operating system's family (`iOS`, `Windows`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Its version (`17.4`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The browser's family (`Chrome Mobile`, `Firefox`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// Its main version (`126`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser_version: Option<String>,
}

/// A kind of device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A computer with a desk under it, or a laptop.
    Desktop,
    /// A phone.
    Smartphone,
    /// A tablet.
    Tablet,
    /// A television.
    Tv,
    /// A games console.
    Console,
    /// A program that is nobody's browser.
    Bot,
    /// None of these, or nothing says.
    #[default]
    #[serde(other)]
    Other,
}

/// Reads a user agent; an empty one says nothing.
#[must_use]
pub fn read(user_agent: &str) -> Option<Device> {
    let user_agent = user_agent.trim();
    let user_agent =
        user_agent.char_indices().nth(USER_AGENT_MAX_CHARS).map_or(user_agent, |(end, _)| &user_agent[..end]);
    if user_agent.is_empty() {
        return None;
    }
    let (browser, system, device) = PATTERNS.extract(user_agent);
    let (make, model) = device.map_or((None, None), |device| (device.brand, device.model));
    let kind = if is_bot(user_agent) || make.as_deref() == Some("Spider") { Kind::Bot } else { kind_of(user_agent) };
    let of_a_device = |word: &&str| kind != Kind::Bot && !word.starts_with("Generic");
    let make = make.as_deref().filter(of_a_device).and_then(word);
    let (os, os_major, os_minor) =
        system.map_or((None, None, None), |system| (Some(system.os), system.major, system.minor));
    let (browser, browser_major) = browser.map_or((None, None), |browser| (Some(browser.family), browser.major));
    Some(Device {
        kind,
        // Chrome calls every Android phone "K".
        model: model.as_deref().filter(of_a_device).filter(|model| make.is_some() && *model != "K").and_then(word),
        make,
        os: os.as_deref().and_then(word),
        os_version: version(os_major.as_deref(), os_minor.as_deref()),
        browser: browser.as_deref().and_then(word),
        browser_version: browser_major.and_then(word),
    })
}

/// Whether a user agent is a program's that is nobody's browser; an empty one is, too.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    scores::is_automated(user_agent)
}

/// Compiles the patterns, so that the first visitor does not wait for it.
pub fn warm_up() {
    LazyLock::force(&PATTERNS);
}

/// Televisions, consoles and tablets call themselves phones or computers as well, so they are asked first.
fn kind_of(user_agent: &str) -> Kind {
    const TVS: [&str; 14] = [
        "TV", "HbbTV", "BRAVIA", "CrKey", "Roku", "Tizen 2", "Web0S", "NetCast", "VIERA", "AQUOS", "AFTB", "AFTM",
        "AFTS", "DTV",
    ];
    const CONSOLES: [&str; 4] = ["PlayStation", "PLAYSTATION", "Xbox", "Nintendo"];
    const TABLETS: [&str; 10] =
        ["iPad", "iPd", "Tablet", "PlayBook", "Kindle", "Silk/", "TouchPad", "Nexus 7", "Nexus 10", "GT-P"];
    const PHONES: [&str; 12] = [
        "Mobi",
        "iPhone",
        "iPod",
        "iPh",
        "Phone",
        "BlackBerry",
        "BB10",
        "Symbian",
        "SymbOS",
        "MIDP",
        "UP.Browser",
        "Opera Mini",
    ];
    const DESKTOPS: [&str; 6] = ["Windows", "Macintosh", "X11", "CrOS", "Linux", "Win98"];
    let has = |marks: &[&str]| marks.iter().any(|mark| user_agent.contains(mark));
    if has(&TVS) {
        return Kind::Tv;
    }
    if has(&CONSOLES) {
        return Kind::Console;
    }
    // Android says "Mobile" on phones alone.
    let is_android_tablet = user_agent.contains("Android") && !has(&["Mobile", "Mini", "UCBrowser"]);
    if has(&TABLETS) || is_android_tablet {
        return Kind::Tablet;
    }
    if has(&PHONES) || user_agent.contains("Android") {
        return Kind::Smartphone;
    }
    if has(&DESKTOPS) { Kind::Desktop } else { Kind::Other }
}

fn version(major: Option<&str>, minor: Option<&str>) -> Option<String> {
    let major = word(major?)?;
    let minor = minor.filter(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()) && *minor != "0").and_then(word);
    Some(minor.map_or_else(|| major.clone(), |minor| format!("{major}.{minor}")))
}

fn word(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(WORD_MAX_CHARS).collect();
    (!text.is_empty() && text != "Other").then_some(text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
    const SAMSUNG: &str = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
    const FALKON: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Falkon/22.04.0 QtWebEngine/5.15.8 Chrome/87.0.4280.144 Safari/537.36";
    const HEYTAP: &str = "Mozilla/5.0 (Linux; U; Android 15; en-gb; CPH2617 Build/AP3A.240617.008) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.72 Mobile Safari/537.36 HeyTapBrowser/45.13.6.1";
    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0";

    #[rstest]
    #[case::iphone(IPHONE, Kind::Smartphone, "Apple iPhone, iOS 17.4, Mobile Safari 17")]
    #[case::unnamed_phone(PHONE, Kind::Smartphone, "- -, Android 10, Chrome Mobile 126")]
    #[case::samsung(SAMSUNG, Kind::Smartphone, "Samsung SM-S918B, Android 14, Chrome Mobile 126")]
    #[case::named_after_its_engine(HEYTAP, Kind::Smartphone, "Oppo CPH2617, Android 15, HeyTap Browser 45")]
    #[case::named_before_its_engine(FALKON, Kind::Desktop, "- -, Linux -, Falkon 22")]
    #[case::windows(WINDOWS, Kind::Desktop, "- -, Windows 10, Firefox 127")]
    fn devices_are_told_apart(#[case] user_agent: &str, #[case] kind: Kind, #[case] expected: &str) {
        let device = read(user_agent).expect("a device");

        let Device { make, model, os, os_version, browser, browser_version, .. } = &device;
        let [make, model, os, os_version, browser, browser_version] =
            [make, model, os, os_version, browser, browser_version].map(|word| word.as_deref().unwrap_or("-"));
        let said = format!("{make} {model}, {os} {os_version}, {browser} {browser_version}");
        assert_eq!((device.kind, said.as_str()), (kind, expected));
    }

    #[rstest]
    #[case::ipad(
        "Mozilla/5.0 (iPad; CPU OS 15_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Mobile/15E148 Safari/604.1",
        Kind::Tablet
    )]
    #[case::android_tablet(
        "Mozilla/5.0 (Linux; Android 13; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        Kind::Tablet
    )]
    #[case::mac(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
        Kind::Desktop
    )]
    #[case::chromebook(
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        Kind::Desktop
    )]
    #[case::tv(
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/6.0 TV Safari/537.36",
        Kind::Tv
    )]
    #[case::console(
        "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
        Kind::Console
    )]
    #[case::google(
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        Kind::Bot
    )]
    #[case::curl("curl/8.5.0", Kind::Bot)]
    fn kinds_of_devices_are_told_apart(#[case] user_agent: &str, #[case] kind: Kind) {
        assert_eq!(read(user_agent).map(|device| device.kind), Some(kind));
    }

    #[test]
    fn an_empty_user_agent_says_nothing_and_a_long_one_is_cut() {
        assert_eq!(read(" "), None);

        let device = read(&format!("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {}", "A".repeat(100_000)));

        let words = device.map(|device| serde_json::to_string(&device).expect("plain data").len());
        assert!(words.is_some_and(|bytes| bytes < 1_000), "{words:?}");
    }
}
