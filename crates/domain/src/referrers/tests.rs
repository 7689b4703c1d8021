use std::collections::BTreeMap;

use rstest::rstest;

use super::*;

fn params(page: &str, referrer: &str) -> TouchParams {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    crate::attribution::complete(TouchParams {
        page_url: given(page),
        referrer: given(referrer),
        ..TouchParams::default()
    })
}

const HOME: &str = "https://example.com/";

#[rstest]
#[case::google(HOME, "https://www.google.com/", Channel::Search, Some("Google"))]
#[case::google_elsewhere(HOME, "https://www.google.co.in/search?q=x", Channel::Search, Some("Google"))]
#[case::not_google(HOME, "https://google.evil.example/", Channel::Referral, Some("google.evil.example"))]
#[case::not_google_either(HOME, "https://notgoogle.com/", Channel::Referral, Some("notgoogle.com"))]
#[case::gmail(HOME, "https://mail.google.com/mail/u/0/", Channel::Email, Some("Gmail"))]
#[case::gmail_app(HOME, "android-app://com.google.android.gm/", Channel::Email, Some("Gmail"))]
#[case::webmail(HOME, "https://webmail.provider.net/inbox", Channel::Email, Some("Webmail"))]
#[case::gemini(HOME, "https://gemini.google.com/app", Channel::Assistant, Some("Gemini"))]
#[case::chatgpt(HOME, "https://chatgpt.com/", Channel::Assistant, Some("ChatGPT"))]
#[case::facebook(HOME, "https://l.facebook.com/l.php?u=x", Channel::Social, Some("Facebook"))]
#[case::x(HOME, "https://t.co/abc", Channel::Social, Some("X"))]
#[case::ads(HOME, "https://googleads.g.doubleclick.net/pagead", Channel::Paid, Some("Google"))]
#[case::a_website(HOME, "https://www.partner.example/page?x=1", Channel::Referral, Some("partner.example"))]
#[case::bare_host(HOME, "partner.example", Channel::Referral, Some("partner.example"))]
#[case::nothing(HOME, "", Channel::Direct, None)]
#[case::own_page(HOME, "https://www.example.com/prices", Channel::Direct, None)]
#[case::own_shop("https://shop.example.co.uk/", "https://blog.example.co.uk/", Channel::Direct, None)]
#[case::anothers_shop(
    "https://a.myshopify.com/",
    "https://b.myshopify.com/",
    Channel::Referral,
    Some("b.myshopify.com")
)]
#[case::no_address(HOME, "javascript:alert(1)", Channel::Direct, None)]
#[case::rubbish(HOME, "http://[", Channel::Direct, None)]
#[case::spam(HOME, "http://semalt.semalt.com/crawler.php?u=x", Channel::Spam, Some("semalt.semalt.com"))]
#[case::paid_click("https://example.com/?gclid=G1", "https://www.google.com/", Channel::Paid, Some("Google"))]
#[case::paid_facebook(
    "https://example.com/?fbclid=F1&utm_source=facebook&utm_medium=paid_social",
    "https://l.facebook.com/",
    Channel::Paid,
    Some("facebook")
)]
#[case::unpaid_facebook("https://example.com/?fbclid=F1", "", Channel::Social, Some("Facebook"))]
#[case::newsletter(
    "https://example.com/?utm_source=june&utm_medium=e-mail",
    "https://www.google.com/",
    Channel::Email,
    Some("june")
)]
#[case::only_a_source("https://example.com/?utm_source=chatgpt.com", "", Channel::Assistant, Some("chatgpt.com"))]
#[case::google_unpaid("https://example.com/?utm_source=google&utm_medium=organic", "", Channel::Search, Some("google"))]
#[case::a_source_of_ones_own("https://example.com/?utm_source=flyer", "", Channel::Campaign, Some("flyer"))]
#[case::a_medium_of_ones_own("https://example.com/?utm_source=fair&utm_medium=qr", "", Channel::Campaign, Some("fair"))]
#[case::a_strange_medium(
    "https://example.com/?utm_source=linkedin&utm_medium=launch",
    "",
    Channel::Social,
    Some("linkedin")
)]
#[case::spam_with_marks(
    "https://example.com/?utm_source=google&utm_medium=cpc",
    "https://best-seo-offer.com/",
    Channel::Spam,
    Some("best-seo-offer.com")
)]
fn visits_are_told_apart(
    #[case] page: &str,
    #[case] referrer: &str,
    #[case] channel: Channel,
    #[case] source: Option<&str>,
) {
    let origin = classify(&params(page, referrer)).expect("a known page");

    assert_eq!((origin.channel, origin.source.as_deref()), (channel, source));
}

#[test]
fn of_nothing_nothing_is_said() {
    assert_eq!(classify(&TouchParams::default()), None);
}

#[test]
fn what_was_searched_for_is_kept() {
    let keyword = |page, referrer| classify(&params(page, referrer)).and_then(|origin| origin.keyword);

    assert_eq!(keyword(HOME, "https://duckduckgo.com/?q=red+shoes").as_deref(), Some("red shoes"));
    assert_eq!(keyword(HOME, "https://partner.example/?q=red+shoes"), None);
    assert_eq!(
        keyword("https://example.com/?utm_term=boots", "https://duckduckgo.com/?q=shoes").as_deref(),
        Some("boots")
    );
}

#[test]
fn a_long_source_is_cut() {
    let given =
        TouchParams { utm_source: Some("ä".repeat(9_000)), click_ids: BTreeMap::new(), ..TouchParams::default() };

    let source = classify(&given).and_then(|origin| origin.source);

    assert_eq!(source.map(|source| source.chars().count()), Some(200));
}
