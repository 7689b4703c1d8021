//! Which hosts are search engines, social networks, mail programs, assistants and sellers of advertisements.

use std::{collections::HashMap, sync::LazyLock};

use super::{Channel, Known};

const KNOWN: &[(Channel, &str, &[&str])] = &[
    (Channel::Search, "AOL", &["aol.com"]),
    (Channel::Search, "Ask", &["ask.com"]),
    (Channel::Search, "Baidu", &["baidu.com", "m.baidu.com"]),
    (Channel::Search, "Bing", &["bing.com", "cn.bing.com", "com.microsoft.bing"]),
    (Channel::Search, "Brave", &["search.brave.com"]),
    (Channel::Search, "Coc Coc", &["coccoc.com"]),
    (Channel::Search, "Daum", &["search.daum.net"]),
    (Channel::Search, "Dogpile", &["dogpile.com"]),
    (Channel::Search, "DuckDuckGo", &["duckduckgo.com", "com.duckduckgo.mobile.android"]),
    (Channel::Search, "Ecosia", &["ecosia.org"]),
    (Channel::Search, "Google", &["google.com", "com.google.android.googlequicksearchbox", "syndicatedsearch.goog"]),
    (Channel::Search, "GMX", &["suche.gmx.net", "search.gmx.com"]),
    (Channel::Search, "Haosou", &["so.com", "haosou.com"]),
    (Channel::Search, "Kagi", &["kagi.com"]),
    (Channel::Search, "Lycos", &["search.lycos.com"]),
    (Channel::Search, "Mail.ru", &["go.mail.ru"]),
    (Channel::Search, "MetaGer", &["metager.de", "metager.org"]),
    (Channel::Search, "Mojeek", &["mojeek.com"]),
    (Channel::Search, "MSN", &["msn.com"]),
    (Channel::Search, "Naver", &["search.naver.com", "m.search.naver.com"]),
    (Channel::Search, "Onet", &["szukaj.onet.pl"]),
    (Channel::Search, "Petal", &["petalsearch.com"]),
    (Channel::Search, "Presearch", &["presearch.com"]),
    (Channel::Search, "Qwant", &["qwant.com"]),
    (Channel::Search, "Rambler", &["nova.rambler.ru"]),
    (Channel::Search, "Seznam", &["search.seznam.cz"]),
    (Channel::Search, "Shenma", &["m.sm.cn", "sm.cn"]),
    (Channel::Search, "Sogou", &["sogou.com"]),
    (Channel::Search, "Startpage", &["startpage.com"]),
    (Channel::Search, "Swisscows", &["swisscows.com"]),
    (Channel::Search, "T-Online", &["suche.t-online.de"]),
    (Channel::Search, "WEB.DE", &["suche.web.de"]),
    (Channel::Search, "Yahoo", &["yahoo.com"]),
    (Channel::Search, "Yandex", &["yandex.com", "ya.ru"]),
    (Channel::Social, "Bluesky", &["bsky.app", "go.bsky.app"]),
    (Channel::Social, "Discord", &["discord.com", "discord.gg", "com.discord"]),
    (
        Channel::Social,
        "Facebook",
        &["facebook.com", "fb.com", "fb.me", "m.me", "messenger.com", "com.facebook.katana", "com.facebook.orca"],
    ),
    (Channel::Social, "Flickr", &["flickr.com"]),
    (Channel::Social, "Foursquare", &["foursquare.com"]),
    (Channel::Social, "Hacker News", &["news.ycombinator.com"]),
    (Channel::Social, "Instagram", &["instagram.com", "ig.me", "com.instagram.android"]),
    (Channel::Social, "KakaoTalk", &["kakao.com", "com.kakao.talk"]),
    (Channel::Social, "Line", &["line.me", "liff.line.me"]),
    (Channel::Social, "LinkedIn", &["linkedin.com", "lnkd.in", "com.linkedin.android"]),
    (Channel::Social, "Mastodon", &["mastodon.social", "mastodon.online", "mstdn.social", "fosstodon.org"]),
    (Channel::Social, "Meetup", &["meetup.com"]),
    (Channel::Social, "Nextdoor", &["nextdoor.com", "nextdoor.co.uk", "nextdoor.de"]),
    (Channel::Social, "Odnoklassniki", &["ok.ru", "odnoklassniki.ru"]),
    (Channel::Social, "Pinterest", &["pinterest.com", "pin.it", "com.pinterest"]),
    (Channel::Social, "Product Hunt", &["producthunt.com"]),
    (Channel::Social, "Quora", &["quora.com"]),
    (Channel::Social, "Reddit", &["reddit.com", "redd.it", "com.reddit.frontpage"]),
    (Channel::Social, "ShareChat", &["sharechat.com"]),
    (Channel::Social, "Snapchat", &["snapchat.com", "com.snapchat.android"]),
    (Channel::Social, "Telegram", &["t.me", "telegram.org", "telegram.me", "org.telegram.messenger"]),
    (Channel::Social, "Threads", &["threads.net", "threads.com"]),
    (Channel::Social, "TikTok", &["tiktok.com", "com.zhiliaoapp.musically"]),
    (Channel::Social, "Tumblr", &["tumblr.com", "t.umblr.com"]),
    (Channel::Social, "Twitch", &["twitch.tv"]),
    (Channel::Social, "Vimeo", &["vimeo.com"]),
    (Channel::Social, "VK", &["vk.com", "vk.ru", "away.vk.com"]),
    (Channel::Social, "WeChat", &["weixin.qq.com", "mp.weixin.qq.com", "com.tencent.mm"]),
    (Channel::Social, "Weibo", &["weibo.com", "weibo.cn", "t.cn"]),
    (Channel::Social, "WhatsApp", &["whatsapp.com", "wa.me", "com.whatsapp"]),
    (Channel::Social, "X", &["twitter.com", "t.co", "x.com", "com.twitter.android"]),
    (Channel::Social, "XING", &["xing.com", "com.xing.android"]),
    (Channel::Social, "YouTube", &["youtube.com", "youtu.be", "com.google.android.youtube"]),
    (Channel::Social, "Zhihu", &["zhihu.com"]),
    (Channel::Email, "AOL Mail", &["mail.aol.com"]),
    (Channel::Email, "Campaign Monitor", &["createsend.com", "createsend1.com", "cmail19.com", "cmail20.com"]),
    (Channel::Email, "Fastmail", &["fastmail.com"]),
    (Channel::Email, "Gmail", &["mail.google.com", "com.google.android.gm"]),
    (Channel::Email, "GMX", &["deref-gmx.net", "deref-gmx.com", "bap.navigator.gmx.net", "navigator.gmx.net"]),
    (Channel::Email, "HubSpot", &["hubspotemail.net", "hubspotlinks.com"]),
    (Channel::Email, "iCloud Mail", &["icloud.com"]),
    (Channel::Email, "Klaviyo", &["klclick.com", "klclick1.com", "klclick3.com"]),
    (Channel::Email, "Mail.ru", &["e.mail.ru", "touch.mail.ru"]),
    (Channel::Email, "Mailchimp", &["list-manage.com", "campaign-archive.com", "mailchi.mp"]),
    (Channel::Email, "Naver Mail", &["mail.naver.com"]),
    (
        Channel::Email,
        "Outlook",
        &[
            "outlook.live.com",
            "outlook.office.com",
            "outlook.office365.com",
            "outlook.com",
            "com.microsoft.office.outlook",
        ],
    ),
    (Channel::Email, "Proton Mail", &["mail.proton.me", "protonmail.com"]),
    (Channel::Email, "QQ Mail", &["mail.qq.com"]),
    (Channel::Email, "SendGrid", &["sendgrid.net"]),
    (Channel::Email, "Substack", &["substack.com"]),
    (Channel::Email, "WEB.DE", &["deref-web.de", "deref-web-02.de", "bap.navigator.web.de", "navigator.web.de"]),
    (Channel::Email, "Yahoo Mail", &["mail.yahoo.com", "mail.yahoo.co.jp", "com.yahoo.mobile.client.android.mail"]),
    (Channel::Email, "Zoho Mail", &["mail.zoho.com", "mail.zoho.eu", "mail.zoho.in"]),
    (Channel::Assistant, "Character.AI", &["character.ai"]),
    (Channel::Assistant, "ChatGPT", &["chatgpt.com", "chat.openai.com", "openai.com", "com.openai.chatgpt"]),
    (Channel::Assistant, "Claude", &["claude.ai", "anthropic.com", "com.anthropic.claude"]),
    (
        Channel::Assistant,
        "Copilot",
        &["copilot.microsoft.com", "copilot.cloud.microsoft", "m365.cloud.microsoft", "com.microsoft.copilot"],
    ),
    (Channel::Assistant, "DeepSeek", &["deepseek.com"]),
    (Channel::Assistant, "Doubao", &["doubao.com"]),
    (Channel::Assistant, "Duck.ai", &["duck.ai"]),
    (Channel::Assistant, "Gemini", &["gemini.google.com", "bard.google.com", "com.google.android.apps.bard"]),
    (Channel::Assistant, "Grok", &["grok.com", "x.ai"]),
    (Channel::Assistant, "Kimi", &["kimi.com", "kimi.moonshot.cn", "kimi.ai"]),
    (Channel::Assistant, "Meta AI", &["meta.ai"]),
    (Channel::Assistant, "Mistral", &["mistral.ai"]),
    (Channel::Assistant, "NotebookLM", &["notebooklm.google.com"]),
    (Channel::Assistant, "Perplexity", &["perplexity.ai", "ai.perplexity.app.android"]),
    (Channel::Assistant, "Phind", &["phind.com"]),
    (Channel::Assistant, "Pi", &["pi.ai"]),
    (Channel::Assistant, "Poe", &["poe.com"]),
    (Channel::Assistant, "Qwen", &["qwen.ai", "tongyi.aliyun.com"]),
    (Channel::Assistant, "You.com", &["you.com"]),
    (Channel::Assistant, "Yiyan", &["yiyan.baidu.com"]),
    (Channel::Paid, "AdRoll", &["adroll.com"]),
    (Channel::Paid, "Criteo", &["criteo.com", "criteo.net"]),
    (
        Channel::Paid,
        "Google",
        &["doubleclick.net", "googlesyndication.com", "googleadservices.com", "adservice.google.com"],
    ),
    (Channel::Paid, "MGID", &["mgid.com"]),
    (Channel::Paid, "Outbrain", &["outbrain.com"]),
    (Channel::Paid, "Revcontent", &["revcontent.com"]),
    (Channel::Paid, "Taboola", &["taboola.com"]),
    (Channel::Paid, "The Trade Desk", &["adsrvr.org"]),
];

/// Names that stand under many endings (`google.co.in`).
const UNDER_ANY_ENDING: [(&str, Known); 5] = [
    ("google", (Channel::Search, "Google")),
    ("yahoo", (Channel::Search, "Yahoo")),
    ("yandex", (Channel::Search, "Yandex")),
    ("pinterest", (Channel::Social, "Pinterest")),
    ("startpage", (Channel::Search, "Startpage")),
];

/// What people write into `utm_source` for them, beside their names and hosts.
const NICKNAMES: [(&str, Known); 21] = [
    ("adwords", (Channel::Paid, "Google")),
    ("googleads", (Channel::Paid, "Google")),
    ("bingads", (Channel::Paid, "Bing")),
    ("facebookads", (Channel::Paid, "Facebook")),
    ("metaads", (Channel::Paid, "Facebook")),
    ("fb", (Channel::Social, "Facebook")),
    ("meta", (Channel::Social, "Facebook")),
    ("ig", (Channel::Social, "Instagram")),
    ("twitter", (Channel::Social, "X")),
    ("yt", (Channel::Social, "YouTube")),
    ("li", (Channel::Social, "LinkedIn")),
    ("wa", (Channel::Social, "WhatsApp")),
    ("ddg", (Channel::Search, "DuckDuckGo")),
    ("gmb", (Channel::Search, "Google")),
    ("gbp", (Channel::Search, "Google")),
    ("email", (Channel::Email, "E-mail")),
    ("mail", (Channel::Email, "E-mail")),
    ("newsletter", (Channel::Email, "Newsletter")),
    ("hsemail", (Channel::Email, "HubSpot")),
    ("openai", (Channel::Assistant, "ChatGPT")),
    ("bard", (Channel::Assistant, "Gemini")),
];

/// Under these names everybody's website is their own.
const SHARED_SITES: [&str; 16] = [
    "blogspot.com",
    "carrd.co",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "hubspotpagebuilder.com",
    "myshopify.com",
    "netlify.app",
    "pages.dev",
    "squarespace.com",
    "unbouncepages.com",
    "vercel.app",
    "web.app",
    "webflow.io",
    "wixsite.com",
    "wordpress.com",
];

static HOSTS: LazyLock<HashMap<&str, Known>> = LazyLock::new(|| {
    KNOWN.iter().flat_map(|(channel, name, hosts)| hosts.iter().map(move |host| (*host, (*channel, *name)))).collect()
});

static SOURCES: LazyLock<HashMap<String, Known>> = LazyLock::new(|| {
    // A name that stands for several things (Google sells advertisements as well) means the first of them.
    let names = KNOWN.iter().rev().map(|(channel, name, _)| (bare(name), (*channel, *name)));
    names.chain(NICKNAMES.into_iter().map(|(name, known)| (name.to_owned(), known))).collect()
});

/// What is known of a host, without `www.` and in lower case.
pub(super) fn by_host(host: &str) -> Option<Known> {
    let mut rest = host;
    loop {
        if let Some(known) = HOSTS.get(rest) {
            return Some(*known);
        }
        let Some((_, parent)) = rest.split_once('.').filter(|(_, parent)| parent.contains('.')) else { break };
        rest = parent;
    }
    let site = site_of(host);
    let name = site.split('.').next().unwrap_or_default();
    let before = host.strip_suffix(site).unwrap_or_default().trim_end_matches('.');
    // `mail.example.com` and `webmail.example.com` are where somebody reads their mail.
    if matches!(before, "mail" | "webmail" | "email" | "roundcube" | "owa") {
        return Some((Channel::Email, "Webmail"));
    }
    UNDER_ANY_ENDING.into_iter().find(|(known, _)| *known == name).map(|(_, known)| known)
}

/// What is known of a `utm_source` in lower case: a host, a name or a nickname.
pub(super) fn by_source(source: &str) -> Option<Known> {
    if source.contains('.') {
        return by_host(source.strip_prefix("www.").unwrap_or(source));
    }
    SOURCES.get(&bare(source)).copied()
}

/// The part of a host that somebody registered: `example.co.uk` of `www.example.co.uk`. Good enough to tell a website
/// from another one without carrying the list of all endings.
pub(super) fn site_of(host: &str) -> &str {
    const SECOND_LEVELS: [&str; 12] = ["ac", "co", "com", "edu", "gov", "gob", "go", "ne", "net", "nom", "or", "org"];
    let labels: Vec<&str> = host.rsplitn(4, '.').collect();
    let last = |count: usize| {
        let bytes = labels.iter().take(count).map(|label| label.len() + 1).sum::<usize>() - 1;
        &host[host.len() - bytes..]
    };
    let is_under_a_country = labels.len() >= 3 && labels[0].len() == 2 && SECOND_LEVELS.contains(&labels[1]);
    let wanted = if is_under_a_country || (labels.len() >= 3 && SHARED_SITES.contains(&last(2))) { 3 } else { 2 };
    last(wanted.min(labels.len()))
}

fn bare(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
