//! Scores of a lead: how well it fits, how engaged its visitor was, how suspicious its submissions are.
//!
//! Integer arithmetic, and every score carries the reasons for its number. What is not known never scores, and what
//! only a browser can show is asked only of browsers. Where the facts come from is not known here.

mod automation;

pub use automation::is_automated;

/// One part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// A stable name for what was seen.
    pub code: &'static str,
    /// What it adds.
    pub points: i32,
}

/// A number and why it is that number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// The sum, capped.
    pub total: i32,
    /// Its parts.
    pub reasons: Vec<Reason>,
}

/// What the fit of a lead is read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FitFacts {
    /// The e-mail address, where there is a usable one.
    pub email: Option<EmailKind>,
    /// There is a valid phone number.
    pub has_valid_phone: bool,
    /// There is a name.
    pub has_name: bool,
    /// There is a company.
    pub has_company: bool,
    /// There is a title.
    pub has_title: bool,
    /// Characters in the message.
    pub message_chars: usize,
    /// What the workspace's own rules add.
    pub rule_points: i32,
}

/// Whose domain an address has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailKind {
    /// A provider's.
    FreeMail,
    /// Its own.
    OwnDomain,
}

/// How a submission came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Channel {
    /// Posted by a browser.
    Browser,
    /// Anything else: browser signals never apply.
    #[default]
    Other,
}

/// What is known of the visitor's tracking session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionFact {
    /// There is none.
    Missing,
    /// There is one in which nothing happened.
    Idle,
    /// There is one.
    Engaged,
}

/// What is known of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFact {
    /// An ordinary one.
    Ordinary,
    /// Perhaps a VPN or a hosting network.
    PossiblyVpn,
    /// A VPN or a hosting network.
    Vpn,
}

/// What is known of the form token that our script adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormTokenFact {
    /// Good and young.
    Valid,
    /// Not there.
    Missing,
    /// Not ours.
    Forged,
    /// Older than 24 hours.
    Expired,
}

/// What is known of the phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneFact {
    /// Valid for its country.
    Valid,
    /// Given, and not valid.
    Invalid,
}

/// What suspicion is read from. What is not known is `None`, and never scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuspicionFacts<'a> {
    /// How it came.
    pub channel: Channel,
    /// The honeypot was filled while detection is off.
    pub honeypot_filled: bool,
    /// Milliseconds from showing the form to sending it.
    pub time_to_submit_ms: Option<i64>,
    /// The tracking session; `None` where nothing tracks.
    pub session: Option<SessionFact>,
    /// The network.
    pub network: Option<NetworkFact>,
    /// Submissions in 24 hours by one visitor or IP, this one included.
    pub submissions_in_24h: Option<u32>,
    /// The address belongs to a competitor.
    pub competitor_email: Option<bool>,
    /// The address is a throwaway.
    pub disposable_email: Option<bool>,
    /// The phone number; `None` where none was given.
    pub phone: Option<PhoneFact>,
    /// The name.
    pub name: Option<&'a str>,
    /// The message.
    pub message: Option<&'a str>,
    /// The form token; `None` where the script is not in use.
    pub form_token: Option<FormTokenFact>,
    /// The user agent; `Some("")` where it was empty, `None` where it is not known.
    pub user_agent: Option<&'a str>,
    /// The browser's timezone is far from the country of the IP.
    pub timezone_far_from_ip: Option<bool>,
}

/// What engagement is read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngagementFacts {
    /// Seconds in which the page was visible.
    pub active_seconds: i64,
    /// How far down, 0 to 100.
    pub max_scroll_percent: i64,
    /// Clicks.
    pub click_count: i64,
    /// Sessions after the first.
    pub return_sessions: i64,
}

/// How well a lead fits, 0 to 100.
#[must_use]
pub fn fit(facts: &FitFacts) -> Score {
    let mut score = Score::default();
    score.add_if(facts.email.is_some(), "email", 15);
    score.add_if(facts.email == Some(EmailKind::OwnDomain), "work_email", 10);
    score.add_if(facts.has_valid_phone, "phone", 20);
    score.add_if(facts.has_name, "name", 10);
    score.add_if(facts.has_company, "company", 15);
    score.add_if(facts.has_title, "title", 10);
    score.add_if(facts.message_chars >= 20, "message", 10);
    score.add("rules", facts.rule_points.clamp(0, 10));
    score.capped()
}

/// How suspicious a submission is, 0 to 100.
#[must_use]
pub fn suspicion(facts: &SuspicionFacts<'_>) -> Score {
    let mut score = Score::default();
    match facts.channel {
        Channel::Browser => add_browser_signals(&mut score, facts),
        Channel::Other => {}
    }
    match facts.submissions_in_24h {
        Some(3..) => score.add("three_submissions_in_24h", 20),
        Some(2) => score.add("two_submissions_in_24h", 10),
        Some(0..=1) | None => {}
    }
    score.add_if(facts.competitor_email == Some(true), "competitor_email", 25);
    score.add_if(facts.disposable_email == Some(true), "disposable_email", 20);
    score.add_if(facts.phone == Some(PhoneFact::Invalid), "phone_not_valid", 15);
    let message_links = facts.message.map_or(0, count_links);
    score.add_if(message_links >= 2 || facts.name.is_some_and(names_a_link), "links", 15);
    score.capped()
}

fn add_browser_signals(score: &mut Score, facts: &SuspicionFacts<'_>) {
    score.add_if(facts.honeypot_filled, "honeypot_filled", 40);
    match facts.time_to_submit_ms {
        Some(0..5_000) => score.add("submitted_under_5_s", 30),
        Some(5_000..=10_000) => score.add("submitted_under_10_s", 10),
        // A time below zero is a wrong clock, which says nothing.
        Some(_) | None => {}
    }
    match facts.session {
        Some(SessionFact::Missing) => score.add("no_session", 15),
        Some(SessionFact::Idle) => score.add("no_engagement", 10),
        Some(SessionFact::Engaged) | None => {}
    }
    match facts.network {
        Some(NetworkFact::Vpn) => score.add("vpn", 15),
        Some(NetworkFact::PossiblyVpn) => score.add("possible_vpn", 5),
        Some(NetworkFact::Ordinary) | None => {}
    }
    match facts.form_token {
        Some(FormTokenFact::Missing) => score.add("form_token_missing", 20),
        Some(FormTokenFact::Forged) => score.add("form_token_forged", 20),
        Some(FormTokenFact::Expired) => score.add("form_token_expired", 20),
        Some(FormTokenFact::Valid) | None => {}
    }
    score.add_if(facts.user_agent.is_some_and(automation::is_automated), "automated_user_agent", 15);
    score.add_if(facts.timezone_far_from_ip == Some(true), "timezone_far_from_ip", 5);
}

/// How engaged a visitor was, 0 to 100.
#[must_use]
pub fn engagement(facts: &EngagementFacts) -> Score {
    let points = |count: i64, max: i32| i32::try_from(count.max(0)).unwrap_or(max).min(max);
    let mut score = Score::default();
    score.add("duration", points(facts.active_seconds / 10, 35));
    score.add("scroll", points(facts.max_scroll_percent.saturating_mul(30) / 100, 30));
    score.add("clicks", points(facts.click_count, 20));
    score.add("returns", points(facts.return_sessions.saturating_mul(5), 15));
    score
}

/// The one number on a card, 0 to 100.
#[must_use]
pub fn lead_score(engagement: Option<i32>, fit: i32, suspicion: i32) -> i32 {
    let base = match engagement {
        Some(engagement) => (60 * engagement + 40 * fit) / 100,
        None => fit,
    };
    (base - suspicion / 2).clamp(0, 100)
}

impl Score {
    fn add(&mut self, code: &'static str, points: i32) {
        if points != 0 {
            self.total += points;
            self.reasons.push(Reason { code, points });
        }
    }

    fn add_if(&mut self, applies: bool, code: &'static str, points: i32) {
        if applies {
            self.add(code, points);
        }
    }

    /// The reasons stay as they are: where they add up to more, that is worth seeing.
    fn capped(mut self) -> Self {
        self.total = self.total.clamp(0, 100);
        self
    }
}

/// Addresses in a text, with a scheme or with `www.`.
fn count_links(text: &str) -> usize {
    let text = text.to_ascii_lowercase();
    let with_scheme = text.matches("http://").count() + text.matches("https://").count();
    let all_www = text.matches("www.").count();
    let www_after_scheme = text.matches("://www.").count();
    with_scheme + all_www - www_after_scheme
}

/// In a name a bare `example.com/offer` counts as well.
fn names_a_link(name: &str) -> bool {
    let is_bare_link = |word: &str| {
        let Some((host, _)) = word.split_once('/') else { return false };
        let Some((label, ending)) = host.rsplit_once('.') else { return false };
        !label.is_empty() && ending.len() >= 2 && ending.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    count_links(name) > 0 || name.split_whitespace().any(is_bare_link)
}

/// `Cold`, `Warm`, `Hot` or `Very Hot`.
#[must_use]
pub const fn engagement_label(engagement: i32) -> &'static str {
    match engagement {
        ..=20 => "Cold",
        21..=45 => "Warm",
        46..=70 => "Hot",
        _ => "Very Hot",
    }
}

/// `clean`, `review`, `suspicious` or `likely_bot`.
#[must_use]
pub const fn suspicion_label(suspicion: i32) -> &'static str {
    match suspicion {
        ..=29 => "clean",
        30..=59 => "review",
        60..=84 => "suspicious",
        _ => "likely_bot",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BROWSER: SuspicionFacts<'static> = SuspicionFacts {
        channel: Channel::Browser,
        honeypot_filled: false,
        time_to_submit_ms: None,
        session: None,
        network: None,
        submissions_in_24h: None,
        competitor_email: None,
        disposable_email: None,
        phone: None,
        name: None,
        message: None,
        form_token: None,
        user_agent: None,
        timezone_far_from_ip: None,
    };

    #[rstest]
    #[case(0, 0, 0, 0, 0, "Cold")]
    #[case(60, 50, 3, 0, 24, "Warm")]
    #[case(180, 80, 10, 0, 52, "Hot")]
    #[case(300, 100, 15, 2, 85, "Very Hot")]
    #[case(i64::MAX, i64::MAX, i64::MAX, i64::MAX, 100, "Very Hot")]
    #[case(-5, -5, -5, -5, 0, "Cold")]
    fn engagement_has_its_known_results(
        #[case] active_seconds: i64,
        #[case] max_scroll_percent: i64,
        #[case] click_count: i64,
        #[case] return_sessions: i64,
        #[case] expected: i32,
        #[case] label: &str,
    ) {
        let score = engagement(&EngagementFacts { active_seconds, max_scroll_percent, click_count, return_sessions });

        assert_eq!(score.total, expected);
        assert_eq!(score.reasons.iter().map(|reason| reason.points).sum::<i32>(), expected);
        assert_eq!(engagement_label(score.total), label);
    }

    #[test]
    fn engagement_names_its_parts() {
        let facts = EngagementFacts { active_seconds: 60, max_scroll_percent: 50, click_count: 3, return_sessions: 0 };

        let codes: Vec<_> = engagement(&facts).reasons.iter().map(|reason| (reason.code, reason.points)).collect();

        assert_eq!(codes, vec![("duration", 6), ("scroll", 15), ("clicks", 3)]);
    }

    #[rstest]
    #[case(FitFacts::default(), 0)]
    #[case(FitFacts { email: Some(EmailKind::FreeMail), ..FitFacts::default() }, 15)]
    #[case(FitFacts { email: Some(EmailKind::OwnDomain), ..FitFacts::default() }, 25)]
    #[case(FitFacts { has_valid_phone: true, ..FitFacts::default() }, 20)]
    #[case(FitFacts { has_name: true, has_company: true, has_title: true, ..FitFacts::default() }, 35)]
    #[case(FitFacts { message_chars: 19, ..FitFacts::default() }, 0)]
    #[case(FitFacts { message_chars: 20, ..FitFacts::default() }, 10)]
    #[case(FitFacts { rule_points: 50, ..FitFacts::default() }, 10)]
    #[case(FitFacts { rule_points: -50, ..FitFacts::default() }, 0)]
    fn fit_adds_up_what_is_there(#[case] facts: FitFacts, #[case] expected: i32) {
        assert_eq!(fit(&facts).total, expected);
    }

    #[test]
    fn a_perfect_fit_is_100() {
        let facts = FitFacts {
            email: Some(EmailKind::OwnDomain),
            has_valid_phone: true,
            has_name: true,
            has_company: true,
            has_title: true,
            message_chars: 400,
            rule_points: 10,
        };

        assert_eq!(fit(&facts).total, 100);
        assert_eq!(fit(&facts).reasons.len(), 8);
    }

    #[rstest]
    #[case(BROWSER, &[])]
    #[case(SuspicionFacts { honeypot_filled: true, ..BROWSER }, &[("honeypot_filled", 40)])]
    #[case(SuspicionFacts { time_to_submit_ms: Some(0), ..BROWSER }, &[("submitted_under_5_s", 30)])]
    #[case(SuspicionFacts { time_to_submit_ms: Some(4_999), ..BROWSER }, &[("submitted_under_5_s", 30)])]
    #[case(SuspicionFacts { time_to_submit_ms: Some(5_000), ..BROWSER }, &[("submitted_under_10_s", 10)])]
    #[case(SuspicionFacts { time_to_submit_ms: Some(10_000), ..BROWSER }, &[("submitted_under_10_s", 10)])]
    #[case(SuspicionFacts { time_to_submit_ms: Some(10_001), ..BROWSER }, &[])]
    #[case(SuspicionFacts { time_to_submit_ms: Some(-1), ..BROWSER }, &[])]
    #[case(SuspicionFacts { session: Some(SessionFact::Missing), ..BROWSER }, &[("no_session", 15)])]
    #[case(SuspicionFacts { session: Some(SessionFact::Idle), ..BROWSER }, &[("no_engagement", 10)])]
    #[case(SuspicionFacts { session: Some(SessionFact::Engaged), ..BROWSER }, &[])]
    #[case(SuspicionFacts { network: Some(NetworkFact::Vpn), ..BROWSER }, &[("vpn", 15)])]
    #[case(SuspicionFacts { network: Some(NetworkFact::PossiblyVpn), ..BROWSER }, &[("possible_vpn", 5)])]
    #[case(SuspicionFacts { network: Some(NetworkFact::Ordinary), ..BROWSER }, &[])]
    #[case(SuspicionFacts { submissions_in_24h: Some(1), ..BROWSER }, &[])]
    #[case(SuspicionFacts { submissions_in_24h: Some(2), ..BROWSER }, &[("two_submissions_in_24h", 10)])]
    #[case(SuspicionFacts { submissions_in_24h: Some(9), ..BROWSER }, &[("three_submissions_in_24h", 20)])]
    #[case(SuspicionFacts { competitor_email: Some(true), ..BROWSER }, &[("competitor_email", 25)])]
    #[case(SuspicionFacts { competitor_email: Some(false), ..BROWSER }, &[])]
    #[case(SuspicionFacts { disposable_email: Some(true), ..BROWSER }, &[("disposable_email", 20)])]
    #[case(SuspicionFacts { phone: Some(PhoneFact::Invalid), ..BROWSER }, &[("phone_not_valid", 15)])]
    #[case(SuspicionFacts { phone: Some(PhoneFact::Valid), ..BROWSER }, &[])]
    #[case(SuspicionFacts { form_token: Some(FormTokenFact::Missing), ..BROWSER }, &[("form_token_missing", 20)])]
    #[case(SuspicionFacts { form_token: Some(FormTokenFact::Forged), ..BROWSER }, &[("form_token_forged", 20)])]
    #[case(SuspicionFacts { form_token: Some(FormTokenFact::Expired), ..BROWSER }, &[("form_token_expired", 20)])]
    #[case(SuspicionFacts { form_token: Some(FormTokenFact::Valid), ..BROWSER }, &[])]
    #[case(SuspicionFacts { user_agent: Some(" "), ..BROWSER }, &[("automated_user_agent", 15)])]
    #[case(SuspicionFacts { timezone_far_from_ip: Some(true), ..BROWSER }, &[("timezone_far_from_ip", 5)])]
    fn each_signal_of_suspicion_scores_as_decided(
        #[case] facts: SuspicionFacts<'_>,
        #[case] expected: &[(&'static str, i32)],
    ) {
        let score = suspicion(&facts);

        let reasons: Vec<_> = score.reasons.iter().map(|reason| (reason.code, reason.points)).collect();
        assert_eq!(reasons, expected);
        assert_eq!(score.total, expected.iter().map(|(_, points)| points).sum::<i32>());
    }

    #[rstest]
    #[case(None, Some("see https://a.example"), false)]
    #[case(None, Some("HTTP://a.example and https://www.b.example"), true)]
    #[case(None, Some("www.a.example www.b.example"), true)]
    #[case(None, Some("https://www.a.example"), false)]
    #[case(Some("Win at https://a.example"), None, true)]
    #[case(Some("a.example/offer now"), None, true)]
    #[case(Some("Dr. J. Smith/Jones"), None, false)]
    #[case(Some("Dr./Mrs. Smith"), None, false)]
    fn links_are_counted_in_message_and_name(
        #[case] name: Option<&str>,
        #[case] message: Option<&str>,
        #[case] expected: bool,
    ) {
        let score = suspicion(&SuspicionFacts { name, message, ..SuspicionFacts::default() });

        assert_eq!(score.reasons.iter().any(|reason| reason.code == "links"), expected);
    }

    #[rstest]
    #[case("", true)]
    #[case("curl/8.5.0", true)]
    #[case("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36", true)]
    #[case("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", true)]
    #[case("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", false)]
    #[case("Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 Chrome/90.0 Mobile Safari/537.36", false)]
    #[case("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)", false)]
    fn programs_are_told_from_browsers_by_their_user_agent(#[case] user_agent: &str, #[case] expected: bool) {
        let facts = SuspicionFacts { user_agent: Some(user_agent), ..BROWSER };

        assert_eq!(suspicion(&facts).reasons.iter().any(|reason| reason.code == "automated_user_agent"), expected);
    }

    #[test]
    fn browser_signals_never_apply_elsewhere() {
        let facts = SuspicionFacts {
            channel: Channel::Other,
            honeypot_filled: true,
            time_to_submit_ms: Some(1),
            session: Some(SessionFact::Missing),
            network: Some(NetworkFact::Vpn),
            form_token: Some(FormTokenFact::Forged),
            user_agent: Some("curl/8"),
            timezone_far_from_ip: Some(true),
            ..BROWSER
        };

        assert_eq!(suspicion(&facts), Score::default());
    }

    #[test]
    fn suspicion_is_capped_and_keeps_its_reasons() {
        let facts = SuspicionFacts {
            honeypot_filled: true,
            time_to_submit_ms: Some(1),
            competitor_email: Some(true),
            disposable_email: Some(true),
            ..BROWSER
        };

        let score = suspicion(&facts);

        assert_eq!(score.total, 100);
        assert_eq!(score.reasons.iter().map(|reason| reason.points).sum::<i32>(), 115);
        assert_eq!(suspicion_label(score.total), "likely_bot");
    }

    #[rstest]
    #[case(None, 80, 0, 80)]
    #[case(None, 80, 31, 65)]
    #[case(None, 10, 100, 0)]
    #[case(Some(0), 80, 0, 32)]
    #[case(Some(85), 50, 0, 71)]
    #[case(Some(100), 100, 0, 100)]
    fn the_lead_score_weighs_engagement_where_it_is_known(
        #[case] engagement: Option<i32>,
        #[case] fit: i32,
        #[case] suspicion: i32,
        #[case] expected: i32,
    ) {
        assert_eq!(lead_score(engagement, fit, suspicion), expected);
    }
}
