//! The settings that the fraud desk goes by, checked before they are stored.

use leadline_domain::emails::{Email, listed_domain};
use serde_json::Value;

use super::{
    AdminError,
    workspaces::{in_range, set},
};
use crate::addresses::{parse_range, write_range};

/// Entries in one list at most.
const LONGEST_LIST: usize = 500;

/// What somebody wants changed. What is `None` stays; `Some(None)` goes back to its default.
#[derive(Debug, Clone, Default)]
pub struct DetectionChange {
    /// From how much suspicion on a browser's submission is held back; the default is never.
    pub hold_at_suspicion: Option<Option<i64>>,
    /// Whether the address of whoever fills a honeypot is blocked for a week.
    pub block_honeypot_ips: Option<Option<bool>>,
    /// Submissions a minute from one address to one source; 0 for any number.
    pub rate_limit_per_minute: Option<Option<i64>>,
    /// Addresses and networks that always come through.
    pub trusted_ips: Option<Option<Vec<String>>>,
    /// Addresses and networks whose leads are tests.
    pub test_ips: Option<Option<Vec<String>>>,
    /// E-mail addresses and domains whose leads are tests.
    pub test_emails: Option<Option<Vec<String>>>,
    /// Domains of competitors.
    pub competitor_domains: Option<Option<Vec<String>>>,
}

pub(super) fn apply(settings: &mut Value, change: &DetectionChange) -> Result<(), AdminError> {
    in_range("settings/holdAtSuspicion", change.hold_at_suspicion, 1..=100)?;
    in_range("settings/rateLimitPerMinute", change.rate_limit_per_minute, 0..=100_000)?;
    let trusted = checked("settings/trustedIps", RANGE, change.trusted_ips.as_ref(), range)?;
    let testers = checked("settings/testIps", RANGE, change.test_ips.as_ref(), range)?;
    let emails = checked("settings/testEmails", EMAIL, change.test_emails.as_ref(), email_or_domain)?;
    let competitors = checked("settings/competitorDomains", DOMAIN, change.competitor_domains.as_ref(), listed_domain)?;
    set(settings, "holdAtSuspicion", change.hold_at_suspicion);
    set(settings, "blockHoneypotIps", change.block_honeypot_ips);
    set(settings, "rateLimitPerMinute", change.rate_limit_per_minute);
    set(settings, "trustedIps", trusted);
    set(settings, "testIps", testers);
    set(settings, "testEmails", emails);
    set(settings, "competitorDomains", competitors);
    Ok(())
}

const RANGE: &str = "must hold at most 500 addresses or networks such as 203.0.113.9 or 203.0.113.0/24";
const EMAIL: &str = "must hold at most 500 e-mail addresses or domains such as qa@example.com or example.com";
const DOMAIN: &str = "must hold at most 500 domains such as example.com";

fn checked(
    field: &'static str,
    message: &'static str,
    list: Option<&Option<Vec<String>>>,
    entry: impl Fn(&str) -> Option<String>,
) -> Result<Option<Option<Vec<String>>>, AdminError> {
    let Some(Some(list)) = list else { return Ok(list.cloned()) };
    let invalid = || AdminError::Invalid { field, message };
    if list.len() > LONGEST_LIST {
        return Err(invalid());
    }
    let mut entries = list.iter().map(|text| entry(text).ok_or_else(invalid)).collect::<Result<Vec<_>, _>>()?;
    entries.sort_unstable();
    entries.dedup();
    Ok(Some(Some(entries)))
}

fn range(text: &str) -> Option<String> {
    parse_range(text).map(write_range)
}

fn email_or_domain(text: &str) -> Option<String> {
    Email::parse(text).map(|email| email.canonical).or_else(|| listed_domain(text))
}
