//! How a visit came about: by search, an advertisement, a social network, an e-mail, an assistant, another website, or
//! directly; and what the visitor had searched for.
//!
//! Read from what a touch says: click ids, UTM parameters, the referrer. Nothing here is looked up anywhere. Which
//! hosts are what stands in `referrers/hosts.rs`, which are spam in `referrers/spam.rs`.

mod hosts;
mod spam;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::attribution::TouchParams;

/// The longest source or keyword that is kept, in characters.
const WORD_MAX_CHARS: usize = 200;

/// How a visit came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A search engine's unpaid results.
    Search,
    /// An advertisement, wherever it was shown.
    Paid,
    /// A social network or messenger.
    Social,
    /// A mail, or a newsletter's link.
    Email,
    /// An AI assistant's answer.
    Assistant,
    /// Another website.
    Referral,
    /// A link that was marked by hand in a way that is none of the others (`utm_medium=qr`).
    Campaign,
    /// The address was typed or bookmarked, or nothing tells where the visit came from.
    Direct,
    /// A website that sends made-up visits to be seen in statistics: credited to nobody.
    Spam,
}

/// How a visit came about, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// How.
    pub channel: Channel,
    /// By whom: `utm_source`, else the name or the host of the referrer.
    pub source: Option<String>,
    /// What was searched for, where that is told.
    pub keyword: Option<String>,
}

/// Classifies a visit; `None` where not even its page is known.
///
/// What an advertising platform adds counts most, then what the link's maker wrote, then where the browser was before.
#[must_use]
pub fn classify(params: &TouchParams) -> Option<Origin> {
    let referrer = params.referrer.as_deref().and_then(Referrer::read);
    let says_nothing = params.page_url.is_none() && params.utm_source.is_none() && params.utm_medium.is_none();
    if says_nothing && referrer.is_none() && params.click_ids.is_empty() {
        return None;
    }
    let is_own = referrer.as_ref().is_some_and(|referrer| referrer.is_of_the_site(params.page_url.as_deref()));
    let referrer = referrer.filter(|_| !is_own);
    let known = referrer.as_ref().and_then(Referrer::known);
    let (channel, named) = channel_of(params, referrer.as_ref(), known);
    let source = params.utm_source.clone().filter(|_| channel != Channel::Spam);
    let source = source.or_else(|| named.map(str::to_owned)).or_else(|| referrer.as_ref().map(|one| one.host.clone()));
    let searched = || referrer.as_ref().filter(|_| known.is_some()).and_then(Referrer::keyword);
    Some(Origin {
        channel,
        source: source.map(|source| shortened(&source)),
        keyword: params.utm_term.clone().or_else(searched).map(|keyword| shortened(&keyword)),
    })
}

type Known = (Channel, &'static str);

fn channel_of(
    params: &TouchParams,
    referrer: Option<&Referrer>,
    known: Option<Known>,
) -> (Channel, Option<&'static str>) {
    let utm_source = params.utm_source.as_deref().map(|source| source.trim().to_lowercase());
    let claims_spam = utm_source.as_deref().is_some_and(|source| source.contains('.') && spam::is_spam(source));
    if claims_spam || referrer.is_some_and(|referrer| spam::is_spam(&referrer.host)) {
        return (Channel::Spam, None);
    }
    if let Some(platform) = advertiser(params) {
        return (Channel::Paid, Some(platform));
    }
    let by_source = utm_source.as_deref().and_then(hosts::by_source);
    if let Some(medium) = params.utm_medium.as_deref() {
        let channel = by_medium(medium).or(by_source.map(|(channel, _)| channel)).unwrap_or(Channel::Campaign);
        return (channel, by_source.or(known).map(|(_, name)| name));
    }
    if let Some((channel, name)) = by_source {
        return (channel, Some(name));
    }
    if utm_source.is_some() {
        return (Channel::Campaign, None);
    }
    match (known, referrer) {
        (Some((channel, name)), _) => (channel, Some(name)),
        (None, Some(_)) => (Channel::Referral, None),
        // Facebook marks every link that leaves it, paid or not.
        (None, None) if params.click_ids.contains_key("fbclid") => (Channel::Social, Some("Facebook")),
        (None, None) if params.click_ids.contains_key("igshid") => (Channel::Social, Some("Instagram")),
        (None, None) => (Channel::Direct, None),
    }
}

/// The platform whose click id only its advertisements carry.
fn advertiser(params: &TouchParams) -> Option<&'static str> {
    const ADVERTISERS: [(&str, &str); 14] = [
        ("gclid", "Google"),
        ("gbraid", "Google"),
        ("wbraid", "Google"),
        ("dclid", "Google"),
        ("msclkid", "Bing"),
        ("ttclid", "TikTok"),
        ("twclid", "X"),
        ("li_fat_id", "LinkedIn"),
        ("yclid", "Yandex"),
        ("epik", "Pinterest"),
        ("sccid", "Snapchat"),
        ("rdt_cid", "Reddit"),
        ("ctwa_clid", "Facebook"),
        ("irclickid", "Impact"),
    ];
    ADVERTISERS.into_iter().find(|(id, _)| params.click_ids.contains_key(*id)).map(|(_, platform)| platform)
}

/// What marketers call their media.
fn by_medium(medium: &str) -> Option<Channel> {
    let medium: String = medium.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
    let channel = match medium.as_str() {
        "cpc" | "ppc" | "cpm" | "cpv" | "cpa" | "cpp" | "cpl" | "sem" | "ad" | "ads" | "display" | "banner"
        | "banners" | "retargeting" | "remarketing" | "programmatic" | "interstitial" | "native" | "video" | "pmax"
        | "sponsored" | "promoted" => Channel::Paid,
        "email" | "mail" | "emailing" | "newsletter" | "edm" | "crm" => Channel::Email,
        "social" | "socialmedia" | "socialnetwork" | "organicsocial" | "socialorganic" | "sm" | "post" | "story"
        | "bio" | "influencer" => Channel::Social,
        "organic" | "search" | "organicsearch" | "seo" | "gmb" | "gbp" => Channel::Search,
        "referral" | "affiliate" | "affiliates" | "partner" | "partners" | "link" => Channel::Referral,
        "ai" | "chatbot" | "assistant" | "llm" => Channel::Assistant,
        "none" | "direct" => Channel::Direct,
        paid if paid.starts_with("paid") => Channel::Paid,
        _ => return None,
    };
    Some(channel)
}

/// Where the browser was before.
struct Referrer {
    /// The host, or the name of an Android app.
    host: String,
    url: Option<Url>,
}

impl Referrer {
    /// Reads an address, with or without a scheme.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(app) = text.strip_prefix("android-app://") {
            let host = app.split(['/', '?', '#']).next().filter(|app| !app.is_empty())?.to_lowercase();
            return Some(Self { host, url: None });
        }
        let is_bare = !text.contains("://") && text.contains('.') && !text.contains(char::is_whitespace);
        let url = if is_bare { Url::parse(&format!("http://{text}")) } else { Url::parse(text) };
        let url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let host = url.host_str()?.trim_end_matches('.').to_lowercase();
        let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
        (!host.is_empty()).then_some(Self { host, url: Some(url) })
    }

    fn known(&self) -> Option<Known> {
        hosts::by_host(&self.host)
    }

    /// Whether it is a page of the same website.
    fn is_of_the_site(&self, page_url: Option<&str>) -> bool {
        let Some(page) = page_url.and_then(Self::read) else { return false };
        page.host == self.host || hosts::site_of(&page.host) == hosts::site_of(&self.host)
    }

    /// What was searched for. Most search engines have stopped to tell.
    fn keyword(&self) -> Option<String> {
        const NAMES: [&str; 8] = ["q", "query", "p", "wd", "word", "text", "search_query", "k"];
        let url = self.url.as_ref()?;
        let value = |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.replace('\0', ""));
        NAMES.into_iter().find_map(value).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(WORD_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests;
