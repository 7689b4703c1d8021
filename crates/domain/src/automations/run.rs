//! A run of an automation: one lead on its way through the steps.
//!
//! Every message of a step is a [`Sending`]: the first, the fallback behind it, and pairs of the same for each time that
//! somebody retries. A sending is there before its message is, and there is one of each number, so a step is started once
//! and falls back once, whatever is reported of it and how often.

use super::{Definition, Message, Step};
use crate::{
    ids::MessageTemplateId,
    messaging::{MessageChannel, Status},
};

/// One try of a step to do what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Which step, from 0.
    pub step: usize,
    /// Even for the step's own channel, odd for the fallback behind it; two more for each retry.
    pub number: i64,
    /// By which channel; none where the step sends nothing.
    pub channel: Option<MessageChannel>,
    /// What is said; none where the step sends nothing.
    pub template_id: Option<MessageTemplateId>,
    /// How its message fares, where [`Status::Sent`] is also what a step has done that sends none; none while it waits
    /// for its time.
    pub status: Option<Status>,
    /// Why it was not sent, by a stable name.
    pub reason: Option<String>,
}

impl Sending {
    /// Whether it is the other way of its step.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        self.number % 2 == 1
    }

    /// Whether something is still to be heard of it before the run goes on.
    fn is_open(&self) -> bool {
        matches!(self.status, None | Some(Status::Queued | Status::Sending))
    }

    /// Whether its message is out, as far as is known.
    fn is_out(&self) -> bool {
        matches!(self.status, Some(Status::Sent | Status::Delivered | Status::Read | Status::Unknown))
    }
}

/// How a run ended that came to its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Something was sent, and nothing failed.
    Completed,
    /// Something failed.
    Failed,
    /// Nothing failed, and nothing was sent.
    Skipped,
}

/// How a lead can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// By phone number.
    pub phone: bool,
    /// By e-mail.
    pub email: bool,
}

impl Reach {
    /// Whether messages of this kind have somewhere to go.
    #[must_use]
    pub fn by(self, channel: MessageChannel) -> bool {
        match channel {
            MessageChannel::Whatsapp | MessageChannel::Sms => self.phone,
            MessageChannel::Email => self.email,
        }
    }

    /// Whether any step, or its fallback, has somewhere to go, or needs nowhere to go.
    #[must_use]
    pub fn by_any(self, steps: &[Step]) -> bool {
        let has_way = |step: &Step| match step.sent() {
            Some(message) => message.channels().any(|channel| self.by(channel)),
            None => step.has_effect(),
        };
        steps.iter().any(has_way) || steps.iter().all(|step| step.sent().is_none())
    }
}

/// What follows from a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The message of a sending is out.
    Sent {
        /// The step.
        step: usize,
        /// The sending.
        number: i64,
    },
    /// A step that sends nothing is done.
    Done {
        /// The step.
        step: usize,
        /// The sending.
        number: i64,
    },
    /// The message of a sending will not arrive.
    Failed {
        /// The step.
        step: usize,
        /// The sending.
        number: i64,
    },
    /// The message of a sending was not sent, on purpose.
    Skipped {
        /// The step.
        step: usize,
        /// The sending.
        number: i64,
    },
    /// The step goes on by its other way, at once.
    FellBack(Sending),
    /// The next step waits for its time: so many minutes from now.
    Begun(Sending, i64),
    /// All steps are through.
    Ended(Ending),
}

/// What became of a step that sends nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is done, and the next step follows.
    GoOn,
    /// It is done, and the step after the next one follows.
    SkipNext,
    /// It cannot be done; the next step follows all the same.
    Failed(Trouble),
}

/// Why a step that sends nothing cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The lead would have too many tags.
    TooManyTags,
    /// There is no such stage any more.
    StageGone,
    /// The stage asks for another reason, or for one.
    Reason,
    /// There is no such member any more.
    MemberGone,
    /// There is no such destination any more, or it is switched off.
    DestinationGone,
    /// The conditions ask for what is not there any more.
    Conditions,
}

impl Trouble {
    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooManyTags => "too_many_tags",
            Self::StageGone => "stage_gone",
            Self::Reason => "reason_refused",
            Self::MemberGone => "member_gone",
            Self::DestinationGone => "destination_gone",
            Self::Conditions => "conditions_unreadable",
        }
    }

    /// How a timeline says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TooManyTags => "The lead has too many tags",
            Self::StageGone => "The stage is gone",
            Self::Reason => "The stage asks for another reason",
            Self::MemberGone => "The member is gone",
            Self::DestinationGone => "The destination is gone or switched off",
            Self::Conditions => "The conditions ask for what is gone",
        }
    }
}

/// One lead on its way through the steps.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// What it goes by.
    pub definition: &'a Definition,
    /// The step that it is at.
    pub step: usize,
    /// How it ended, where it came to its last step.
    pub ending: Option<Ending>,
    /// Whether it goes no further: it left before its last step.
    pub has_left: bool,
    /// What was tried so far.
    pub sendings: Vec<Sending>,
}

impl<'a> Run<'a> {
    /// A run that begins, with its first sending, which waits for the first step's delay.
    #[must_use]
    pub fn begin(definition: &'a Definition) -> Option<Self> {
        let first = sending(definition.steps.first()?, 0, 0)?;
        Some(Self { definition, step: 0, ending: None, has_left: false, sendings: vec![first] })
    }

    /// What follows from a report of a message. A report that says nothing new has no effect.
    pub fn report(&mut self, step: usize, number: i64, status: Status, reason: Option<&str>) -> Vec<Effect> {
        let Some(at) = self.sendings.iter().position(|one| (one.step, one.number) == (step, number)) else {
            return Vec::new();
        };
        let one = &mut self.sendings[at];
        if !is_news(one.status, status) {
            return Vec::new();
        }
        let was_out = one.is_out();
        one.status = Some(status);
        one.reason = reason.map(str::to_owned);
        let is_out = one.is_out();
        let mut effects = Vec::new();
        match status {
            Status::Failed => effects.push(Effect::Failed { step, number }),
            Status::Skipped => effects.push(Effect::Skipped { step, number }),
            Status::Unknown | Status::Sent | Status::Delivered | Status::Read if is_out && !was_out => {
                effects.push(Effect::Sent { step, number });
            }
            Status::Queued | Status::Sending | Status::Unknown | Status::Sent | Status::Delivered | Status::Read => {}
        }
        if let Some(other) = self.fallback_of(at) {
            self.sendings.push(other.clone());
            effects.push(Effect::FellBack(other));
        }
        self.go_on(1, &mut effects);
        effects
    }

    /// What follows once a step that sends nothing had its turn.
    pub fn act(&mut self, step: usize, number: i64, done: Done) -> Vec<Effect> {
        let is_this = |one: &&mut Sending| (one.step, one.number) == (step, number) && one.status.is_none();
        let Some(one) = self.sendings.iter_mut().find(is_this) else { return Vec::new() };
        let (status, effect, by) = match done {
            Done::GoOn => (Status::Sent, Effect::Done { step, number }, 1),
            Done::SkipNext => (Status::Sent, Effect::Done { step, number }, 2),
            Done::Failed(trouble) => {
                one.reason = Some(trouble.as_str().to_owned());
                (Status::Failed, Effect::Failed { step, number }, 1)
            }
        };
        one.status = Some(status);
        let mut effects = vec![effect];
        self.go_on(by, &mut effects);
        effects
    }

    /// The other way of a step whose message failed, or was left out for what another channel need not share.
    fn fallback_of(&self, at: usize) -> Option<Sending> {
        let one = &self.sendings[at];
        let wants_another = match one.status? {
            Status::Failed => true,
            Status::Skipped => one.reason.as_deref().is_none_or(leaves_another_way),
            Status::Queued | Status::Sending | Status::Unknown | Status::Sent | Status::Delivered | Status::Read => {
                false
            }
        };
        if !wants_another || one.is_fallback() || self.has_left {
            return None;
        }
        let number = one.number + 1;
        let is_there = self.sendings.iter().any(|other| (other.step, other.number) == (one.step, number));
        if is_there { None } else { sending(self.definition.steps.get(one.step)?, one.step, number) }
    }

    /// Goes so many steps on once nothing of this one is open, and to the end behind the last.
    fn go_on(&mut self, by: usize, effects: &mut Vec<Effect>) {
        let is_open = self.sendings.iter().any(|one| one.step == self.step && one.is_open());
        if self.has_left || is_open {
            return;
        }
        if self.ending.is_none() {
            let next = self.step + by;
            if let Some(step) = self.definition.steps.get(next) {
                self.step = next;
                let Some(first) = sending(step, next, 0) else { return };
                self.sendings.push(first.clone());
                effects.push(Effect::Begun(first, step.delay_minutes));
                return;
            }
        }
        let is_any_open = self.sendings.iter().any(Sending::is_open);
        let ending = self.judged();
        // What was reported late, or sent once more, may change how it ended.
        if !is_any_open && self.ending != Some(ending) {
            self.ending = Some(ending);
            effects.push(Effect::Ended(ending));
        }
    }

    fn judged(&self) -> Ending {
        let of = |step: usize| self.sendings.iter().filter(move |one| one.step == step);
        let is_out = |step: usize| of(step).any(Sending::is_out);
        let has_failed = |step: usize| of(step).any(|one| one.status == Some(Status::Failed));
        let has_effect = |step: &usize| self.definition.steps[*step].has_effect();
        let steps = (0..self.definition.steps.len()).filter(has_effect);
        if steps.clone().any(|step| !is_out(step) && has_failed(step)) {
            return Ending::Failed;
        }
        let mut steps = steps;
        if steps.any(is_out) { Ending::Completed } else { Ending::Skipped }
    }

    /// The sending that repeats the last step that came to nothing; none where there is no such step, or something of
    /// it is still under way.
    #[must_use]
    pub fn retry(&self) -> Option<Sending> {
        let (step, number) = Self::failed_last(&self.sendings)?;
        sending(self.definition.steps.get(step)?, step, (number / 2 + 1) * 2)
    }

    /// The newest sending of the last step of which nothing arrived and nothing is under way: its step and number.
    #[must_use]
    pub fn failed_last(sendings: &[Sending]) -> Option<(usize, i64)> {
        let last = sendings.iter().map(|one| one.step).max()?;
        (0..=last).rev().find_map(|step| {
            let of_step = || sendings.iter().filter(|one| one.step == step);
            let newest = of_step().max_by_key(|one| one.number)?;
            let is_over = of_step().all(|one| matches!(one.status, Some(Status::Failed | Status::Skipped)));
            is_over.then_some((step, newest.number))
        })
    }
}

/// A sending of a step; none where it is that of a fallback that the step has not.
fn sending(step: &Step, index: usize, number: i64) -> Option<Sending> {
    let own = |message: &Message| (message.channel, message.template_id);
    let other = |message: &Message| {
        let fallback = message.fallback()?;
        Some((fallback.channel, fallback.template_id.unwrap_or(message.template_id)))
    };
    let way = match step.sent() {
        None if number % 2 == 0 => None,
        None => return None,
        Some(message) if number % 2 == 0 => Some(own(message)),
        Some(message) => Some(other(message)?),
    };
    let (channel, template_id) = way.unzip();
    Some(Sending { step: index, number, channel, template_id, status: None, reason: None })
}

/// Whether a report says more than is known. The messages see to that themselves; here reports may still come in
/// another order than they were made, since two nodes may hear of them.
fn is_news(known: Option<Status>, reported: Status) -> bool {
    match (known, reported) {
        (_, Status::Queued | Status::Sending) | (None | Some(Status::Skipped), _) => false,
        (Some(Status::Queued | Status::Sending), _) => true,
        (Some(known), Status::Skipped | Status::Unknown) => known == Status::Queued,
        (Some(known), reported) => known.after_report(reported).is_some(),
    }
}

/// Whether another channel may do what one could not, by the name of what spoke against it. Who does not want messages
/// wants none by any channel.
fn leaves_another_way(reason: &str) -> bool {
    !matches!(reason, "suppressed" | "lead_deleted")
}

#[cfg(test)]
mod tests;
