//! What ad platforms read: a lead's step in each platform's documented shape, and what its answers mean.
//!
//! A lead that a platform cannot match is not sent, and says so; that is [`NotSent`], not a failure. E-mail addresses
//! and phone numbers leave as hashes alone.

pub mod answers;
mod google_ads;
mod meta;

use std::sync::Arc;

use leadline_domain::{
    attribution::Touch,
    conversions::{Amount, Conversions, Goal, Upload, Worth},
    time::Timestamp,
};
use sha2::{Digest, Sha256};

use super::{Format, NotSent, facts::Facts};

/// An ad platform that conversions are told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Google Ads, `uploadClickConversions`.
    GoogleAds,
    /// Meta, the Conversions API.
    Meta,
}

impl Platform {
    /// The platform that this format is for.
    #[must_use]
    pub const fn of(format: Format) -> Option<Self> {
        match format {
            Format::GoogleAds => Some(Self::GoogleAds),
            Format::MetaCapi => Some(Self::Meta),
            Format::Leadline | Format::Crm | Format::WhatConverts | Format::Simple | Format::Template => None,
        }
    }

    /// The platform that a format of this name is for.
    #[must_use]
    pub fn of_name(format: &str) -> Option<Self> {
        Format::parse(format).and_then(Self::of)
    }

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::GoogleAds => "Google Ads",
            Self::Meta => "Meta",
        }
    }
}

/// A platform with what it is told of.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which platform.
    pub platform: Platform,
    /// What it is told of.
    pub conversions: Arc<Conversions>,
}

/// Whether a conversion counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Real,
    /// The test button sends it.
    Trial,
}

/// One conversion of one lead.
struct Conversion<'a> {
    facts: &'a Facts<'a>,
    conversions: &'a Conversions,
    goal: &'a Goal,
    touches: Vec<Touch>,
    purpose: Purpose,
}

impl Conversion<'_> {
    /// What it is worth.
    fn worth(&self) -> Option<Worth<'_>> {
        let lead = &self.facts.lead;
        let value = lead.sales_value.as_ref().and_then(|value| Amount::read(value));
        let sold = value.map(|value| Worth { value, currency: Some(lead.currency) });
        self.conversions.worth_of(self.goal, &self.facts.custom_fields(), sold)
    }
}

impl Told {
    /// A lead's conversion as its platform reads it.
    ///
    /// # Errors
    /// Where nothing of it is to be sent, with the reason.
    pub(super) fn text(&self, facts: &Facts<'_>, goal: Option<&str>, now: Timestamp) -> Result<String, NotSent> {
        let goal = goal.and_then(|key| self.conversions.goal(key)).ok_or_else(|| {
            NotSent::new("the step that it is about is not among the destination's conversions any more")
        })?;
        if self.conversions.upload == Upload::File {
            return Err(NotSent::new("kept for the file that is uploaded by hand"));
        }
        self.written(facts, goal, touches_of(facts), Purpose::Real, now)
    }

    /// What the test button sends: a made-up click, which the platform does not count.
    ///
    /// # Errors
    /// Where the platform would count it, or there is nothing to be sent.
    pub(super) fn trial(&self, facts: &Facts<'_>, touches: Vec<Touch>, now: Timestamp) -> Result<String, NotSent> {
        let goal = self.conversions.goals.first().ok_or_else(|| NotSent::new("there are no conversions to try"))?;
        if self.conversions.upload == Upload::File {
            return Err(NotSent::new("nothing was sent: conversions of this destination are uploaded by hand"));
        }
        let would_count = self.platform == Platform::Meta && self.conversions.test_event_code.is_none();
        if would_count {
            return Err(NotSent::new("nothing was sent: without a test event code Meta would count the test as real"));
        }
        self.written(facts, goal, touches, Purpose::Trial, now)
    }

    fn written(
        &self,
        facts: &Facts<'_>,
        goal: &Goal,
        touches: Vec<Touch>,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<String, NotSent> {
        let conversion = Conversion { facts, conversions: &self.conversions, goal, touches, purpose };
        match self.platform {
            Platform::GoogleAds => google_ads::text(&conversion),
            Platform::Meta => meta::text(&conversion, now),
        }
    }
}

/// Where a lead came from: its last touch, its first, and every other that is known.
fn touches_of(facts: &Facts<'_>) -> Vec<Touch> {
    let single = [facts.lead.last_touch, facts.lead.first_touch];
    let single = single.into_iter().filter_map(|touch| serde_json::from_str(touch.get()).ok());
    let all: Vec<Touch> = facts.touches.and_then(|all| serde_json::from_str(all.get()).ok()).unwrap_or_default();
    single.chain(all).collect()
}

fn hashed(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The conversions that a destination is told of, where it is an ad platform's.
#[must_use]
pub fn of_destination<'a>(format: &str, conversions: Option<&'a Conversions>) -> Option<(Platform, &'a Conversions)> {
    Some((Platform::of_name(format)?, conversions?))
}
