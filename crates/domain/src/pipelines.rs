//! Pipelines and their stages: the default one, and what an edit may look like.

use thiserror::Error;

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
}

/// The name of the pipeline that a workspace starts with.
pub const DEFAULT_PIPELINE_NAME: &str = "Leads";

/// The stages of the pipeline that a workspace starts with.
pub const DEFAULT_STAGES: [StageTemplate; 6] = [
    StageTemplate { name: "New", color: "blue", kind: StageKind::Open },
    StageTemplate { name: "Contacted", color: "amber", kind: StageKind::Open },
    StageTemplate { name: "Qualified", color: "purple", kind: StageKind::Open },
    StageTemplate { name: "Proposal", color: "pink", kind: StageKind::Open },
    StageTemplate { name: "Won", color: "green", kind: StageKind::Won },
    StageTemplate { name: "Lost", color: "red", kind: StageKind::Lost },
];

/// The colours that a stage may have.
pub const COLOURS: [&str; 10] = ["blue", "amber", "purple", "pink", "green", "red", "gray", "teal", "indigo", "orange"];

/// The longest name of a pipeline or a stage, in characters.
pub const NAME_MAX_CHARS: usize = 80;

/// The most stages that a pipeline may have.
pub const STAGES_MAX: usize = 30;

/// A stage as an edit would leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageDraft<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its colour.
    pub color: &'a str,
    /// What reaching it means.
    pub kind: StageKind,
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
    name.into_iter().chain(colour)
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

    const OPEN: StageDraft<'_> = StageDraft { name: "New", color: "blue", kind: StageKind::Open };
    const WON: StageDraft<'_> = StageDraft { name: "Won", color: "green", kind: StageKind::Won };

    #[test]
    fn the_default_pipeline_may_be_kept_as_it_is() {
        let stages = DEFAULT_STAGES.map(|stage| StageDraft { name: stage.name, color: stage.color, kind: stage.kind });

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
