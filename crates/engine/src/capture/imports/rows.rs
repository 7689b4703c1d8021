//! From the rows of a block to submissions that are ready to be written, each like one that came by itself.

use std::{collections::HashMap, sync::Arc};

use leadline_domain::{
    custom_fields::CustomKind,
    ids::{PipelineId, StageId, SubmissionId, derived},
    imports::{Refusal, Rule, read_row},
    time::Timestamp,
};
use leadline_store::{
    Error, custom_fields,
    imports::Import,
    pipelines,
    sources::{self, Intake},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Chosen, Imported, joining::ChangeKind, packing::NumberedRow};
use crate::{
    Actor, ActorKind, Engine,
    capture::{Direct, Prepared, Request, Standing, Submission, prepare::prepare},
    jobs::JobError,
};

/// Rows that are named as examples, of each kind.
const EXAMPLES: usize = 10;

/// What every row of an import has in common.
pub(super) struct Setup {
    import: Import,
    rules: Vec<Rule>,
    chosen: Chosen,
    intake: Intake,
    stage: Option<(PipelineId, StageId)>,
    kinds: HashMap<String, CustomKind>,
}

/// A row that was read.
pub(super) struct ReadRow {
    /// Its number in the file.
    pub(super) number: i64,
    /// Its cells.
    pub(super) cells: Vec<String>,
    /// What is made of it.
    pub(super) made: Result<Arc<Prepared>, Refusal>,
}

impl Setup {
    /// Looks up what the rows of an import need.
    pub(super) async fn load(engine: &Engine, import: Import) -> Result<Self, JobError> {
        let reader = engine.store.reader();
        let unreadable = |_| JobError::GiveUp("what was chosen for it cannot be read".to_owned());
        let rules: Vec<Rule> = serde_json::from_value(import.rules.clone()).map_err(unreadable)?;
        let chosen: Chosen = serde_json::from_value(import.options.clone()).map_err(unreadable)?;
        let intake = sources::find_direct_intake(&reader, import.workspace_id, chosen.project).await?;
        let intake = intake.ok_or_else(|| JobError::GiveUp("its project is not there any more".to_owned()))?;
        let stage = match chosen.stage {
            Some(stage) => pipelines::find_stage(&reader, import.workspace_id, stage).await?,
            None => None,
        };
        Ok(Self {
            stage: stage.map(|stage| (stage.pipeline_id, stage.id)),
            kinds: custom_fields::kinds(&reader, import.workspace_id).await?,
            intake: Intake { kind: "import".to_owned(), source_name: source_name(&import.file_name), ..intake },
            import,
            rules,
            chosen,
        })
    }

    /// Reads the rows of a block.
    pub(super) fn read(&self, engine: &Engine, actor: &Actor, rows: Vec<NumberedRow>) -> Vec<ReadRow> {
        let now = engine.clock.now();
        rows.into_iter()
            .map(|(number, cells)| {
                let made = self.prepare(engine, actor, (number, &cells), now);
                ReadRow { number, cells, made: made.map(Arc::new) }
            })
            .collect()
    }

    fn prepare(
        &self,
        engine: &Engine,
        actor: &Actor,
        (number, cells): (i64, &[String]),
        now: Timestamp,
    ) -> Result<Prepared, Refusal> {
        let row = read_row(&self.import.columns, &self.rules, cells, |key| self.kinds.get(key).copied())?;
        let more = row.tags.into_iter().filter(|tag| !self.chosen.tags.contains(tag));
        let direct = Direct {
            actor_name: actor.name.clone(),
            actor_is_token: actor.kind == ActorKind::Token,
            actor_user: actor.user,
            tags: self.chosen.tags.iter().cloned().chain(more).collect(),
            custom_fields: row.custom,
            stage: self.stage,
            values: row.values,
        };
        let submission = Submission {
            id: submission_of(&self.import, number),
            is_repeatable: false,
            intake: self.intake.clone(),
            fields: row.fields,
            received_at: now,
            request: Request::default(),
            direct: Some(direct),
            chat: None,
            inbound: None,
            standing: Standing::Open,
            imported: Some(Imported {
                import: self.import.id,
                on_match: self.chosen.on_match,
                tells_destinations: self.chosen.tells_destinations,
                sent: row.sent,
            }),
        };
        prepare(&engine.keys, submission).map_err(|_| Refusal::Nobody)
    }

    /// What to tell people of a refused row.
    pub(super) fn words(&self, refusal: &Refusal) -> String {
        refusal.words(&self.import.columns)
    }

    /// The import.
    pub(super) fn import(&self) -> &Import {
        &self.import
    }
}

/// The submission that a row is: the same one, however often the row is looked at.
pub(super) fn submission_of(import: &Import, number: i64) -> SubmissionId {
    SubmissionId(derived("leadline import row v1", &[import.id.0.as_bytes(), &number.to_le_bytes()]))
}

fn source_name(file_name: &str) -> String {
    file_name.chars().take(100).collect()
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fate {
    /// It made a lead.
    Created,
    /// It changed a lead that was there before the file.
    Updated,
    /// It says nothing new of a lead.
    Unchanged,
    /// It is of the same lead as a row before it.
    Repeated,
}

/// What became of the rows of a file so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tally {
    /// Rows that made a lead.
    pub created: i64,
    /// Rows that changed a lead that was there before.
    pub updated: i64,
    /// Rows that say nothing new.
    pub unchanged: i64,
    /// Rows of the same lead as a row before them.
    pub repeated: i64,
    /// Rows that made no lead.
    pub refused: i64,
    /// Rows whose e-mail address cannot be used.
    pub unusable_email: i64,
    /// Rows whose phone number cannot be used.
    pub unusable_phone: i64,
    /// Rows that have neither: the same row would make a lead again.
    pub unreachable: i64,
    /// Numbers of the first rows of each kind.
    pub examples: Examples,
}

/// The first rows of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Examples {
    /// That made a lead.
    pub created: Vec<i64>,
    /// That changed one.
    pub updated: Vec<i64>,
    /// Of the same lead as a row before them.
    pub repeated: Vec<i64>,
    /// That made none, with the reason.
    pub refused: Vec<RefusedExample>,
}

/// A row that made no lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedExample {
    /// Its number.
    pub row: i64,
    /// Why, as a stable word.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

impl Tally {
    /// What was counted before.
    pub(super) fn of(about: &Value) -> Self {
        serde_json::from_value(about["tally"].clone()).unwrap_or_default()
    }

    /// What screens are told, with the numbers so far.
    pub(super) fn about(&self, setup: &Setup) -> Value {
        let import = setup.import();
        json!({"importId": import.id, "fileName": import.file_name, "tally": self})
    }

    pub(super) fn add(&mut self, number: i64, fate: Fate, prepared: &Prepared) {
        let examples = match fate {
            Fate::Created => {
                self.created += 1;
                Some(&mut self.examples.created)
            }
            Fate::Updated => {
                self.updated += 1;
                Some(&mut self.examples.updated)
            }
            Fate::Repeated => {
                self.repeated += 1;
                Some(&mut self.examples.repeated)
            }
            Fate::Unchanged => {
                self.unchanged += 1;
                None
            }
        };
        if let Some(examples) = examples.filter(|examples| examples.len() < EXAMPLES) {
            examples.push(number);
        }
        let (has_email, has_phone) = (prepared.email.is_some(), prepared.phone.is_some());
        self.unusable_email += i64::from(!has_email && prepared.recognised.email_raw.is_some());
        self.unusable_phone += i64::from(!has_phone && prepared.recognised.phone_raw.is_some());
        self.unreachable += i64::from(!has_email && !has_phone);
    }

    pub(super) fn refuse(&mut self, number: i64, refusal: &Refusal, reason: String) {
        self.refused += 1;
        if self.examples.refused.len() < EXAMPLES {
            let code = refusal.code().to_owned();
            self.examples.refused.push(RefusedExample { row: number, code, reason });
        }
    }
}

/// The rows of a block; nothing where it is not there.
pub(super) async fn block(engine: &Engine, import: &Import, number: i64) -> Result<Option<Vec<NumberedRow>>, JobError> {
    let found = leadline_store::imports::blocks::find(&engine.store.reader(), import.id, number).await?;
    let Some(packed) = found else { return Ok(None) };
    let unpacked = super::packing::unpack(&packed);
    unpacked.map(Some).map_err(|_| JobError::GiveUp("its rows cannot be read any more".to_owned()))
}

/// What the database failed with, for loops that try again.
pub(super) fn is_contended(error: &Error) -> bool {
    matches!(error, Error::Contended | Error::Exists)
}

/// What became of a row that changed something, or not. `repeats` says that a row before it was of the same lead.
pub(super) fn fate(repeats: bool, change: Option<ChangeKind>) -> Fate {
    match change {
        _ if repeats => Fate::Repeated,
        Some(ChangeKind::Made) => Fate::Created,
        Some(ChangeKind::Updated) => Fate::Updated,
        None => Fate::Unchanged,
    }
}
