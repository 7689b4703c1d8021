//! Scores of a lead: how well it fits, how engaged its visitor was, how suspicious its submissions are.
//!
//! Integer arithmetic, and every score carries the reasons for its number. What is not known never scores, and what
//! only a browser can show is asked only of browsers. Where the facts come from is not known here.

mod automation;
pub mod history;
mod rules;
mod weights;

use crate::{emails::Email, names};
pub use automation::is_automated;
pub use rules::{Field, LeadFields, MOST_RULES, Rule, Test};
pub use weights::{Fault, Group, Scoring, Weight, Weights};

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
pub fn fit(facts: &FitFacts, weights: &Weights) -> Score {
    let mut score = Score::default();
    let parts = [
        (facts.email.is_some(), Weight::Email),
        (facts.email == Some(EmailKind::OwnDomain), Weight::WorkEmail),
        (facts.has_valid_phone, Weight::Phone),
        (facts.has_name, Weight::Name),
        (facts.has_company, Weight::Company),
        (facts.has_title, Weight::Title),
        (facts.message_chars >= 20, Weight::Message),
    ];
    for (_, weight) in parts.into_iter().filter(|(is_there, _)| *is_there) {
        score.add(weight, weights[weight]);
    }
    score.add(Weight::Rules, facts.rule_points.min(weights[Weight::Rules]).max(0));
    score.capped()
}

/// How well a lead fits by what its fields say, the workspace's own rules included.
#[must_use]
pub fn fit_of(lead: &LeadFields<'_>, weights: &Weights) -> Score {
    let kind = |email: Email| if email.is_free_mail() { EmailKind::FreeMail } else { EmailKind::OwnDomain };
    let facts = FitFacts {
        email: lead.email.and_then(Email::parse).map(kind),
        has_valid_phone: lead.phone.is_some(),
        has_name: names::given(lead.name, lead.source).is_some(),
        has_company: lead.company.is_some(),
        has_title: lead.title.is_some(),
        message_chars: lead.message.map_or(0, |message| message.chars().count()),
        rule_points: rules::points(&weights.rules, lead),
    };
    fit(&facts, weights)
}

/// How suspicious a submission is, 0 to 100. A signal that weighs nothing is among the reasons all the same: it was
/// seen, and may be weighed again.
#[must_use]
pub fn suspicion(facts: &SuspicionFacts<'_>, weights: &Weights) -> Score {
    let mut score = Score::default();
    for weight in signals(facts) {
        score.saw(weight, weights);
    }
    score.capped()
}

/// What a submission shows that is suspicious.
fn signals(facts: &SuspicionFacts<'_>) -> Vec<Weight> {
    let mut seen = match facts.channel {
        Channel::Browser => browser_signals(facts),
        Channel::Other => Vec::new(),
    };
    match facts.submissions_in_24h {
        Some(3..) => seen.push(Weight::ThreeSubmissionsIn24H),
        Some(2) => seen.push(Weight::TwoSubmissionsIn24H),
        Some(0..=1) | None => {}
    }
    let message_links = facts.message.map_or(0, count_links);
    let others = [
        (facts.competitor_email == Some(true), Weight::CompetitorEmail),
        (facts.disposable_email == Some(true), Weight::DisposableEmail),
        (facts.phone == Some(PhoneFact::Invalid), Weight::PhoneNotValid),
        (message_links >= 2 || facts.name.is_some_and(names_a_link), Weight::Links),
    ];
    seen.extend(others.into_iter().filter(|(was_seen, _)| *was_seen).map(|(_, weight)| weight));
    seen
}

fn browser_signals(facts: &SuspicionFacts<'_>) -> Vec<Weight> {
    let honeypot = facts.honeypot_filled.then_some(Weight::HoneypotFilled);
    let time = match facts.time_to_submit_ms {
        Some(0..5_000) => Some(Weight::SubmittedUnder5S),
        Some(5_000..=10_000) => Some(Weight::SubmittedUnder10S),
        // A time below zero is a wrong clock, which says nothing.
        Some(_) | None => None,
    };
    let session = match facts.session {
        Some(SessionFact::Missing) => Some(Weight::NoSession),
        Some(SessionFact::Idle) => Some(Weight::NoEngagement),
        Some(SessionFact::Engaged) | None => None,
    };
    let network = match facts.network {
        Some(NetworkFact::Vpn) => Some(Weight::Vpn),
        Some(NetworkFact::PossiblyVpn) => Some(Weight::PossibleVpn),
        Some(NetworkFact::Ordinary) | None => None,
    };
    let form_token = match facts.form_token {
        Some(FormTokenFact::Missing) => Some(Weight::FormTokenMissing),
        Some(FormTokenFact::Forged) => Some(Weight::FormTokenForged),
        Some(FormTokenFact::Expired) => Some(Weight::FormTokenExpired),
        Some(FormTokenFact::Valid) | None => None,
    };
    let automated = facts.user_agent.is_some_and(automation::is_automated).then_some(Weight::AutomatedUserAgent);
    let far = (facts.timezone_far_from_ip == Some(true)).then_some(Weight::TimezoneFarFromIp);
    [honeypot, time, session, network, form_token, automated, far].into_iter().flatten().collect()
}

/// The suspicion of a submission whose signals were stored, by these weights. A code that nobody knows any more weighs
/// nothing.
#[must_use]
pub fn reweigh<'a>(codes: impl IntoIterator<Item = &'a str>, weights: &Weights) -> Score {
    let mut score = Score::default();
    let known = codes.into_iter().filter_map(Weight::find);
    for weight in known.filter(|weight| weight.group() == Group::Suspicion) {
        score.saw(weight, weights);
    }
    score.capped()
}

/// How engaged a visitor was, 0 to 100.
#[must_use]
pub fn engagement(facts: &EngagementFacts, weights: &Weights) -> Score {
    let points = |count: i64, most: i32| i32::try_from(count.max(0)).unwrap_or(most).min(most);
    let number = |weight: Weight| i64::from(weights[weight]);
    let scroll = facts.max_scroll_percent.saturating_mul(number(Weight::Scroll)) / 100;
    let returns = facts.return_sessions.saturating_mul(number(Weight::PointsPerReturn));
    let counts = [
        (Weight::Duration, facts.active_seconds / number(Weight::SecondsPerPoint)),
        (Weight::Scroll, scroll),
        (Weight::Clicks, facts.click_count),
        (Weight::Returns, returns),
    ];
    let mut score = Score::default();
    for (weight, count) in counts {
        score.add(weight, points(count, weights[weight]));
    }
    score.capped()
}

/// Whether nothing happened in a visit worth a point, as documented: what a workspace sets changes no facts.
#[must_use]
pub fn is_idle(facts: &EngagementFacts) -> bool {
    engagement(facts, &Weights::default()).total == 0
}

/// The parts of a lead's score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// How engaged its visitor was, where that is known.
    pub engagement: Option<i32>,
    /// How well it fits.
    pub fit: i32,
    /// How suspicious it is.
    pub suspicion: i32,
    /// What silence took; zero or less.
    pub silence: i32,
}

/// The one number on a card, 0 to 100.
#[must_use]
pub fn lead_score(parts: Parts, weights: &Weights) -> i32 {
    let share = weights[Weight::EngagementShare];
    let base = match parts.engagement {
        Some(engagement) => (share * engagement + (100 - share) * parts.fit) / 100,
        None => parts.fit,
    };
    let suspicion = parts.suspicion * weights[Weight::SuspicionShare] / 100;
    (base - suspicion + parts.silence).clamp(0, 100)
}

impl Score {
    fn add(&mut self, weight: Weight, points: i32) {
        if points != 0 {
            self.total += points;
            self.reasons.push(Reason { code: weight.code(), points });
        }
    }

    fn saw(&mut self, weight: Weight, weights: &Weights) {
        let points = weights[weight];
        self.total += points;
        self.reasons.push(Reason { code: weight.code(), points });
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
        let score = engagement(
            &EngagementFacts { active_seconds, max_scroll_percent, click_count, return_sessions },
            &Weights::default(),
        );

        assert_eq!(score.total, expected);
        assert_eq!(score.reasons.iter().map(|reason| reason.points).sum::<i32>(), expected);
        assert_eq!(engagement_label(score.total), label);
    }

    #[test]
    fn engagement_names_its_parts() {
        let facts = EngagementFacts { active_seconds: 60, max_scroll_percent: 50, click_count: 3, return_sessions: 0 };

        let codes: Vec<_> =
            engagement(&facts, &Weights::default()).reasons.iter().map(|reason| (reason.code, reason.points)).collect();

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
        assert_eq!(fit(&facts, &Weights::default()).total, expected);
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

        assert_eq!(fit(&facts, &Weights::default()).total, 100);
        assert_eq!(fit(&facts, &Weights::default()).reasons.len(), 8);
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
        let score = suspicion(&facts, &Weights::default());

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
        let score = suspicion(&SuspicionFacts { name, message, ..SuspicionFacts::default() }, &Weights::default());

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

        assert_eq!(
            suspicion(&facts, &Weights::default()).reasons.iter().any(|reason| reason.code == "automated_user_agent"),
            expected
        );
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

        assert_eq!(suspicion(&facts, &Weights::default()), Score::default());
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

        let score = suspicion(&facts, &Weights::default());

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
        let parts = Parts { engagement, fit, suspicion, silence: 0 };

        assert_eq!(lead_score(parts, &Weights::default()), expected);
    }

    fn weights(numbers: &[(&str, i64)]) -> Weights {
        let numbers = numbers.iter().map(|(code, number)| ((*code).to_owned(), *number)).collect();
        Weights::parse(&numbers, Vec::new()).expect("weights")
    }

    #[test]
    fn a_signal_that_weighs_nothing_is_kept_and_can_be_weighed_again() {
        let facts = SuspicionFacts { network: Some(NetworkFact::Vpn), phone: Some(PhoneFact::Invalid), ..BROWSER };

        let seen = suspicion(&facts, &weights(&[("vpn", 0)]));
        let again = reweigh(seen.reasons.iter().map(|reason| reason.code), &weights(&[("phone_not_valid", 100)]));

        let codes = |score: &Score| score.reasons.iter().map(|reason| (reason.code, reason.points)).collect::<Vec<_>>();
        assert_eq!((codes(&seen), seen.total), (vec![("vpn", 0), ("phone_not_valid", 15)], 15));
        assert_eq!((codes(&again), again.total), (vec![("vpn", 15), ("phone_not_valid", 100)], 100));
        assert_eq!(reweigh(["charm", "email"], &Weights::default()), Score::default());
    }

    #[rstest]
    #[case(&[("email", 40)], 55)]
    #[case(&[("email", 100)], 100)]
    #[case(&[("rules", 3)], 28)]
    #[case(&[("rules", 0), ("work_email", 0)], 15)]
    fn fit_goes_by_its_weights(#[case] numbers: &[(&str, i64)], #[case] expected: i32) {
        let facts = FitFacts { email: Some(EmailKind::OwnDomain), rule_points: 5, ..FitFacts::default() };

        let score = fit(&facts, &weights(numbers));

        assert_eq!(score.total, expected);
        assert!(score.reasons.iter().all(|reason| reason.points != 0));
    }

    #[rstest]
    #[case(&[("duration", 100), ("seconds_per_point", 3)], 100)]
    #[case(&[("scroll", 100)], 96)]
    #[case(&[("clicks", 2), ("points_per_return", 1)], 44)]
    fn engagement_goes_by_its_weights(#[case] numbers: &[(&str, i64)], #[case] expected: i32) {
        let facts = EngagementFacts { active_seconds: 240, max_scroll_percent: 50, click_count: 7, return_sessions: 3 };

        let score = engagement(&facts, &weights(numbers));

        assert_eq!(score.total, expected);
    }

    #[rstest]
    #[case(&[("engagement_share", 0)], 40)]
    #[case(&[("engagement_share", 100)], 80)]
    #[case(&[("suspicion_share", 100)], 33)]
    #[case(&[("suspicion_share", 0)], 64)]
    fn the_lead_score_goes_by_its_shares(#[case] numbers: &[(&str, i64)], #[case] expected: i32) {
        let suspicion = if numbers[0].0 == "suspicion_share" { 31 } else { 0 };
        let parts = Parts { engagement: Some(80), fit: 40, suspicion, silence: 0 };

        assert_eq!(lead_score(parts, &weights(numbers)), expected);
    }

    #[test]
    fn silence_takes_points_and_no_more_than_there_are() {
        let score = |silence| lead_score(Parts { fit: 30, silence, ..Parts::default() }, &Weights::default());

        assert_eq!((score(0), score(-12), score(-90)), (30, 18, 0));
    }

    #[rstest]
    #[case("Anna", 25)]
    #[case("anna@example.com", 15)]
    #[case("Form", 15)]
    fn a_stand_in_for_a_name_fits_no_better(#[case] name: &str, #[case] total: i32) {
        let lead = LeadFields {
            email: Some("anna@gmail.com"),
            phone: None,
            country: None,
            name,
            company: None,
            title: None,
            message: None,
            source: "Form",
            custom_fields: &serde_json::Map::new(),
        };

        assert_eq!(fit_of(&lead, &Weights::default()).total, total);
    }

    #[test]
    fn rules_add_to_the_fit_of_a_lead() {
        let rule = |value: &str, points| Rule {
            field: Field::Title,
            custom_field: None,
            test: Test::Contains,
            value: value.to_owned(),
            points,
        };
        let rules = vec![rule("head", 8), rule("sales", 8), rule("intern", -8)];
        let weights = Weights::parse(&std::collections::BTreeMap::new(), rules).expect("weights");
        let none = serde_json::Map::new();
        let rule_points = |title: &str| {
            let lead = LeadFields {
                email: None,
                phone: None,
                country: None,
                name: "Anna",
                company: None,
                title: Some(title),
                message: None,
                source: "Form",
                custom_fields: &none,
            };
            fit_of(&lead, &weights).total - 20
        };

        assert_eq!(["CEO", "Head of IT", "Head of Sales", "Intern", "Sales intern"].map(rule_points), [0, 8, 10, 0, 0]);
    }
}
