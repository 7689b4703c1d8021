//! Why leads are won or lost: the reasons that a pipeline offers, and which one a lead carries.

use thiserror::Error;

use super::{NAME_MAX_CHARS, PipelineFault, StageKind};

/// The most reasons in one list.
pub(super) const REASONS_MAX: usize = 30;

/// What a pipeline asks when a lead is won or lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closing {
    /// Why leads are won. Without any nobody is asked.
    pub won_reasons: Vec<String>,
    /// Why leads are lost.
    pub lost_reasons: Vec<String>,
    /// Whether no lead is won without a reason.
    pub won_reason_required: bool,
    /// Whether no lead is lost without a reason.
    pub lost_reason_required: bool,
}

/// One of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonList {
    /// Why leads are won.
    Won,
    /// Why leads are lost.
    Lost,
}

impl ReasonList {
    /// The list's field in a body.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Won => "wonReasons",
            Self::Lost => "lostReasons",
        }
    }

    /// The field that demands a reason.
    pub(super) const fn demand_field(self) -> &'static str {
        match self {
            Self::Won => "wonReasonRequired",
            Self::Lost => "lostReasonRequired",
        }
    }
}

/// Why a lead cannot be closed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReasonFault {
    /// The lead is in an open stage.
    #[error("only a lead that is won or lost has a reason")]
    IsOpen,
    /// The pipeline does not offer the reason.
    #[error("is not one of the reasons that the pipeline offers")]
    Unknown,
    /// The pipeline wants a reason.
    #[error("is required: the pipeline asks why a lead is won or lost")]
    Required,
}

impl Closing {
    /// The reasons for a stage of this kind.
    #[must_use]
    pub fn reasons(&self, kind: StageKind) -> &[String] {
        match kind {
            StageKind::Open => &[],
            StageKind::Won => &self.won_reasons,
            StageKind::Lost => &self.lost_reasons,
        }
    }

    /// Whether no lead comes into a stage of this kind without a reason.
    #[must_use]
    pub const fn requires(&self, kind: StageKind) -> bool {
        match kind {
            StageKind::Open => false,
            StageKind::Won => self.won_reason_required,
            StageKind::Lost => self.lost_reason_required,
        }
    }

    /// The reason that a lead carries in a stage of `kind`. `kept` is what it carries already, where it was in such a
    /// stage before: whoever moves a lost lead on among lost stages need not say again why. An open lead carries none.
    ///
    /// # Errors
    /// Where none may be given, another is offered, or one is missing.
    pub fn reason(
        &self,
        kind: StageKind,
        given: Option<&str>,
        kept: Option<&str>,
    ) -> Result<Option<String>, ReasonFault> {
        match (kind, given) {
            (StageKind::Open, Some(_)) => Err(ReasonFault::IsOpen),
            (StageKind::Open, None) => Ok(None),
            (StageKind::Won | StageKind::Lost, Some(given)) => {
                let is_offered = self.reasons(kind).iter().any(|reason| reason == given);
                if is_offered { Ok(Some(given.to_owned())) } else { Err(ReasonFault::Unknown) }
            }
            (StageKind::Won | StageKind::Lost, None) if kept.is_some() => Ok(kept.map(str::to_owned)),
            (StageKind::Won | StageKind::Lost, None) if self.requires(kind) => Err(ReasonFault::Required),
            (StageKind::Won | StageKind::Lost, None) => Ok(None),
        }
    }

    /// Everything that speaks against it; empty where nothing does.
    #[must_use]
    pub fn faults(&self) -> Vec<PipelineFault> {
        let lists = [
            (ReasonList::Won, &self.won_reasons, self.won_reason_required),
            (ReasonList::Lost, &self.lost_reasons, self.lost_reason_required),
        ];
        lists.into_iter().flat_map(|(list, reasons, is_required)| list_faults(list, reasons, is_required)).collect()
    }
}

fn list_faults(list: ReasonList, reasons: &[String], is_required: bool) -> Vec<PipelineFault> {
    if reasons.len() > REASONS_MAX {
        return vec![PipelineFault::TooManyReasons(list)];
    }
    let mut faults = Vec::new();
    for (index, reason) in reasons.iter().enumerate() {
        if reason.trim().is_empty() {
            faults.push(PipelineFault::ReasonMissing(list, index));
        } else if reason.chars().count() > NAME_MAX_CHARS {
            faults.push(PipelineFault::ReasonTooLong(list, index));
        } else if reasons[..index].contains(reason) {
            faults.push(PipelineFault::ReasonTwice(list, index));
        }
    }
    if is_required && reasons.is_empty() {
        faults.push(PipelineFault::NothingToChoose(list));
    }
    faults
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn closing() -> Closing {
        Closing {
            lost_reasons: vec!["Price".to_owned(), "No answer".to_owned()],
            lost_reason_required: true,
            ..Closing::default()
        }
    }

    #[rstest]
    #[case::lost(StageKind::Lost, Some("Price"), None, Ok(Some("Price")))]
    #[case::another(StageKind::Lost, Some("Price"), Some("No answer"), Ok(Some("Price")))]
    #[case::kept(StageKind::Lost, None, Some("No longer offered"), Ok(Some("No longer offered")))]
    #[case::missing(StageKind::Lost, None, None, Err(ReasonFault::Required))]
    #[case::unknown(StageKind::Lost, Some("price"), None, Err(ReasonFault::Unknown))]
    #[case::of_the_other_list(StageKind::Won, Some("Price"), None, Err(ReasonFault::Unknown))]
    #[case::not_asked(StageKind::Won, None, None, Ok(None))]
    #[case::reopened(StageKind::Open, None, Some("Price"), Ok(None))]
    #[case::open(StageKind::Open, Some("Price"), None, Err(ReasonFault::IsOpen))]
    fn a_lead_carries_the_reason_that_was_given(
        #[case] kind: StageKind,
        #[case] given: Option<&str>,
        #[case] kept: Option<&str>,
        #[case] expected: Result<Option<&str>, ReasonFault>,
    ) {
        assert_eq!(closing().reason(kind, given, kept), expected.map(|reason| reason.map(str::to_owned)));
    }

    #[rstest]
    #[case(&["Price", " "], false, &[PipelineFault::ReasonMissing(ReasonList::Lost, 1)])]
    #[case(&["Price", "Price"], false, &[PipelineFault::ReasonTwice(ReasonList::Lost, 1)])]
    #[case(&[], true, &[PipelineFault::NothingToChoose(ReasonList::Lost)])]
    #[case(&["x"; 31], false, &[PipelineFault::TooManyReasons(ReasonList::Lost)])]
    #[case(&["Price"], true, &[])]
    fn what_speaks_against_reasons_is_named(
        #[case] reasons: &[&str],
        #[case] is_required: bool,
        #[case] expected: &[PipelineFault],
    ) {
        let lost_reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
        let closing = Closing { lost_reasons, lost_reason_required: is_required, ..Closing::default() };

        assert_eq!(closing.faults(), expected);
    }

    #[test]
    fn faults_of_reasons_point_at_them() {
        assert_eq!(PipelineFault::ReasonTwice(ReasonList::Lost, 2).pointer(), "/lostReasons/2");
        assert_eq!(PipelineFault::NothingToChoose(ReasonList::Won).pointer(), "/wonReasonRequired");
    }
}
