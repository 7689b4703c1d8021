//! Pipelines and their stages: the default one, what an edit may look like, and why leads are won or lost.

mod closing;

use thiserror::Error;

pub use closing::{Closing, ReasonFault, ReasonList};

/// What reaching a stage means for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StageKind {
    /// Still being worked on.
    Open,
    /// Became a customer.
    Won,
    /// Did not.
    Lost,
}

impl StageKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How likely a lead in such a stage is won, in percent, where nobody said it.
    #[must_use]
    pub const fn usual_probability(self) -> i64 {
        match self {
            Self::Open => 50,
            Self::Won => 100,
            Self::Lost => 0,
        }
    }
}

/// A stage that does not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTemplate {
    /// Its name.
    pub name: &'static str,
    /// One of [`COLOURS`].
    pub color: &'static str,
    /// What reaching it means.
    pub kind: StageKind,
    /// How likely a lead in it is won, in percent.
    pub probability: i64,
}

/// The name of the pipeline that a workspace starts with.
pub const DEFAULT_PIPELINE_NAME: &str = "Leads";

/// The stages of the pipeline that a workspace starts with.
pub const DEFAULT_STAGES: [StageTemplate; 6] = [
    StageTemplate { name: "New", color: "blue", kind: StageKind::Open, probability: 10 },
    StageTemplate { name: "Contacted", color: "amber", kind: StageKind::Open, probability: 20 },
    StageTemplate { name: "Qualified", color: "purple", kind: StageKind::Open, probability: 40 },
    StageTemplate { name: "Proposal", color: "pink", kind: StageKind::Open, probability: 60 },
    StageTemplate { name: "Won", color: "green", kind: StageKind::Won, probability: 100 },
    StageTemplate { name: "Lost", color: "red", kind: StageKind::Lost, probability: 0 },
];

/// The colours that a stage may have.
pub const COLOURS: [&str; 10] = ["blue", "amber", "purple", "pink", "green", "red", "gray", "teal", "indigo", "orange"];

/// The longest name of a pipeline or a stage, in characters.
pub const NAME_MAX_CHARS: usize = 80;

/// The most stages that a pipeline may have.
pub const STAGES_MAX: usize = 30;

/// The longest time after which a stage may call its leads stale, in days.
pub const STALE_DAYS_MAX: i64 = 3_650;

/// A stage as an edit would leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageDraft<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its colour.
    pub color: &'a str,
    /// What reaching it means.
    pub kind: StageKind,
    /// How likely a lead in it is won, in percent.
    pub probability: i64,
    /// After how many days a lead in it is stale; `None` for never.
    pub stale_after_days: Option<i64>,
}

/// Why a pipeline cannot be left so. Stages are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PipelineFault {
    /// The pipeline has no name.
    #[error("a pipeline needs a name")]
    NameMissing,
    /// The pipeline's name is too long.
    #[error("a pipeline's name has at most {NAME_MAX_CHARS} characters")]
    NameTooLong,
    /// Fewer than two stages.
    #[error("a pipeline needs at least 2 stages")]
    TooFewStages,
    /// More than [`STAGES_MAX`] stages.
    #[error("a pipeline has at most {STAGES_MAX} stages")]
    TooManyStages,
    /// No stage for leads to land in.
    #[error("a pipeline needs at least one open stage")]
    NoOpenStage,
    /// The stage has no name.
    #[error("a stage needs a name")]
    StageNameMissing(usize),
    /// The stage's name is too long.
    #[error("a stage's name has at most {NAME_MAX_CHARS} characters")]
    StageNameTooLong(usize),
    /// The stage's colour is not one of [`COLOURS`].
    #[error("a stage's color is one of {}", COLOURS.join(", "))]
    StageColourUnknown(usize),
    /// The stage's probability is no percentage.
    #[error("a probability is 0 to 100")]
    ProbabilityOutOfRange(usize),
    /// The stage's leads would be stale at once, or in another life.
    #[error("leads are stale after 1 to {STALE_DAYS_MAX} days, or never")]
    StaleDaysOutOfRange(usize),
    /// A list of reasons is too long.
    #[error("a list has at most {} reasons", closing::REASONS_MAX)]
    TooManyReasons(ReasonList),
    /// A reason says nothing.
    #[error("a reason needs words")]
    ReasonMissing(ReasonList, usize),
    /// A reason says too much.
    #[error("a reason has at most {NAME_MAX_CHARS} characters")]
    ReasonTooLong(ReasonList, usize),
    /// A reason stands in its list twice.
    #[error("this reason is in the list already")]
    ReasonTwice(ReasonList, usize),
    /// A reason is demanded where none can be chosen.
    #[error("there are no reasons to choose from")]
    NothingToChoose(ReasonList),
}

impl PipelineFault {
    /// The JSON pointer to what is at fault, in a body `{"name", "stages": [{"name", "color", "kind"}]}`.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self {
            Self::NameMissing | Self::NameTooLong => "/name".to_owned(),
            Self::TooFewStages | Self::TooManyStages | Self::NoOpenStage => "/stages".to_owned(),
            Self::StageNameMissing(index) | Self::StageNameTooLong(index) => format!("/stages/{index}/name"),
            Self::StageColourUnknown(index) => format!("/stages/{index}/color"),
            Self::ProbabilityOutOfRange(index) => format!("/stages/{index}/probability"),
            Self::StaleDaysOutOfRange(index) => format!("/stages/{index}/staleAfterDays"),
            Self::TooManyReasons(list) => format!("/{}", list.field()),
            Self::ReasonMissing(list, index) | Self::ReasonTooLong(list, index) | Self::ReasonTwice(list, index) => {
                format!("/{}/{index}", list.field())
            }
            Self::NothingToChoose(list) => format!("/{}", list.demand_field()),
        }
    }
}

/// Everything that speaks against a pipeline of this name and these stages; empty where nothing does.
#[must_use]
pub fn faults(name: &str, stages: &[StageDraft<'_>]) -> Vec<PipelineFault> {
    let mut faults = Vec::new();
    match name_fault(name) {
        Some(NameFault::Missing) => faults.push(PipelineFault::NameMissing),
        Some(NameFault::TooLong) => faults.push(PipelineFault::NameTooLong),
        None => {}
    }
    if stages.len() < 2 {
        faults.push(PipelineFault::TooFewStages);
    }
    if stages.len() > STAGES_MAX {
        faults.push(PipelineFault::TooManyStages);
    }
    if !stages.iter().any(|stage| stage.kind == StageKind::Open) {
        faults.push(PipelineFault::NoOpenStage);
    }
    for (index, stage) in stages.iter().enumerate() {
        faults.extend(stage_faults(index, stage));
    }
    faults
}

fn stage_faults(index: usize, stage: &StageDraft<'_>) -> impl Iterator<Item = PipelineFault> {
    let name = name_fault(stage.name).map(|fault| match fault {
        NameFault::Missing => PipelineFault::StageNameMissing(index),
        NameFault::TooLong => PipelineFault::StageNameTooLong(index),
    });
    let colour = (!COLOURS.contains(&stage.color)).then_some(PipelineFault::StageColourUnknown(index));
    let probability = (!(0..=100).contains(&stage.probability)).then_some(PipelineFault::ProbabilityOutOfRange(index));
    let is_out_of_range = stage.stale_after_days.is_some_and(|days| !(1..=STALE_DAYS_MAX).contains(&days));
    let stale = is_out_of_range.then_some(PipelineFault::StaleDaysOutOfRange(index));
    name.into_iter().chain(colour).chain(probability).chain(stale)
}

enum NameFault {
    Missing,
    TooLong,
}

fn name_fault(name: &str) -> Option<NameFault> {
    if name.trim().is_empty() {
        return Some(NameFault::Missing);
    }
    (name.trim().chars().count() > NAME_MAX_CHARS).then_some(NameFault::TooLong)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OPEN: StageDraft<'_> =
        StageDraft { name: "New", color: "blue", kind: StageKind::Open, probability: 10, stale_after_days: Some(7) };
    const WON: StageDraft<'_> =
        StageDraft { name: "Won", color: "green", kind: StageKind::Won, probability: 100, stale_after_days: None };

    #[test]
    fn the_default_pipeline_may_be_kept_as_it_is() {
        let stages = DEFAULT_STAGES.map(|stage| StageDraft {
            name: stage.name,
            color: stage.color,
            kind: stage.kind,
            probability: stage.probability,
            stale_after_days: None,
        });

        assert_eq!(faults(DEFAULT_PIPELINE_NAME, &stages), vec![]);
    }

    #[rstest]
    #[case(" ", &[OPEN, WON], &[PipelineFault::NameMissing])]
    #[case("Leads", &[OPEN], &[PipelineFault::TooFewStages])]
    #[case("Leads", &[], &[PipelineFault::TooFewStages, PipelineFault::NoOpenStage])]
    #[case("Leads", &[WON, WON], &[PipelineFault::NoOpenStage])]
    #[case("Leads", &[OPEN; 31], &[PipelineFault::TooManyStages])]
    #[case("Leads", &[OPEN, StageDraft { name: "", ..WON }], &[PipelineFault::StageNameMissing(1)])]
    #[case("Leads", &[OPEN, StageDraft { color: "#fff", ..WON }], &[PipelineFault::StageColourUnknown(1)])]
    #[case("Leads", &[OPEN, StageDraft { probability: 101, ..WON }], &[PipelineFault::ProbabilityOutOfRange(1)])]
    #[case("Leads", &[StageDraft { probability: -1, ..OPEN }, WON], &[PipelineFault::ProbabilityOutOfRange(0)])]
    #[case("Leads", &[StageDraft { stale_after_days: Some(0), ..OPEN }, WON], &[PipelineFault::StaleDaysOutOfRange(0)])]
    #[case("Leads", &[StageDraft { stale_after_days: Some(i64::MAX), ..OPEN }, WON], &[PipelineFault::StaleDaysOutOfRange(0)])]
    fn what_speaks_against_a_pipeline_is_named(
        #[case] name: &str,
        #[case] stages: &[StageDraft<'_>],
        #[case] expected: &[PipelineFault],
    ) {
        assert_eq!(faults(name, stages), expected);
    }

    #[test]
    fn names_are_measured_in_characters() {
        let fits = "ä".repeat(NAME_MAX_CHARS);
        let too_long = "ä".repeat(NAME_MAX_CHARS + 1);

        assert_eq!(faults(&fits, &[OPEN, StageDraft { name: &fits, ..WON }]), vec![]);
        assert_eq!(
            faults(&too_long, &[OPEN, StageDraft { name: &too_long, ..WON }]),
            vec![PipelineFault::NameTooLong, PipelineFault::StageNameTooLong(1)]
        );
    }

    #[test]
    fn faults_point_at_what_is_wrong() {
        assert_eq!(PipelineFault::StageColourUnknown(2).pointer(), "/stages/2/color");
        assert_eq!(PipelineFault::TooFewStages.pointer(), "/stages");
    }

    #[test]
    fn kinds_read_back_from_their_names() {
        for kind in StageKind::ALL {
            assert_eq!(StageKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(StageKind::parse("Won"), None);
    }
}
