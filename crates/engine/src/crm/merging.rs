//! Making one lead of two that are the same person, and two of it again.
//!
//! Whose word counts in each field is decided by `leadline-domain`; here it is written, with everything that belongs to
//! the lead that goes: submissions, timeline, conversations, tags, visitors. Deliveries stay where they are: they tell
//! what was sent. The lead that goes is deleted and points at the other one. What the merge changed is kept, so that a
//! split puts back what nobody touched since.

use std::collections::BTreeMap;

use leadline_domain::{
    ids::{LeadId, MergeId, UserId},
    merging::{self, Change, Choice, Fields, Side},
    scores::Scoring,
    time::Timestamp,
    values::{Amount, Quotable, Values},
};
use leadline_store::{
    Error, Tx,
    leads::{
        self, Details, LeadValues, Locked, Tagged,
        merging::{self as stored, Absorbed, Extent, History, Merge},
    },
    search, workspaces,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Contention, Record, leads::score, retrying};
use crate::{Actor, Engine, random_bytes};

/// Rows of one kind that move with a lead.
pub const MOST_ROWS: i64 = 20_000;

/// Visitors of a lead that are remembered for a split.
const MOST_VISITORS: i64 = 1_000;

const DISPLAY_NAMES: &str = "_displayNames";

/// Why two leads were not merged, or not split.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is no such lead or merge in the workspace.
    #[error("there is no such lead or merge")]
    NotFound,
    /// The other lead is not there, or deleted.
    #[error("there is no such other lead")]
    NoOther,
    /// They are one and the same.
    #[error("a lead cannot go into itself")]
    Itself,
    /// The lead is deleted.
    #[error("the lead is deleted")]
    Deleted,
    /// They are about two projects.
    #[error("the leads are about two projects")]
    OtherProject,
    /// There is too much of it.
    #[error("too much belongs to the lead that would go")]
    TooLarge,
    /// They were split already.
    #[error("the leads were split already")]
    AlreadySplit,
    /// The lead that stayed went into another one since.
    #[error("the lead that stayed went into another one since")]
    WinnerMerged,
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

impl Contention for MergeError {
    fn is_contended(&self) -> bool {
        matches!(self, Self::Internal(Error::Contended))
    }
}

/// What a merge would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Whose word would count in each field.
    pub choices: Vec<Choice>,
    /// Tags that the lead that stays would get.
    pub tags: Vec<String>,
    /// What would move, and how many deliveries would stay.
    pub extent: Extent,
}

/// What a split left as it is, since somebody changed it.
#[derive(Debug, Clone)]
pub struct Split {
    /// The fields.
    pub left: Vec<String>,
}

/// What is kept of a merge for a split.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Before {
    changes: Vec<Change>,
    tags: Vec<String>,
    visitors: Vec<String>,
    /// Submissions that the lead had that went.
    submission_count: i64,
}

/// Tells what a merge of `loser` into `winner` would do.
///
/// # Errors
/// Where they cannot be merged.
pub async fn preview(
    engine: &Engine,
    actor: &Actor,
    winner: LeadId,
    loser: LeadId,
    wishes: &BTreeMap<String, Side>,
) -> Result<Preview, MergeError> {
    let extent = stored::extent(&engine.store.reader(), actor.workspace, loser, MOST_ROWS).await?;
    let mut tx = engine.store.begin().await?;
    let pair = Pair::lock(&mut tx, actor, winner, loser).await?;
    tx.rollback().await?;
    Ok(Preview { choices: pair.choices(wishes), tags: pair.new_tags(), extent })
}

/// Merges `loser` into `winner`.
///
/// # Errors
/// Where they cannot be merged.
pub async fn merge(
    engine: &Engine,
    actor: &Actor,
    winner: LeadId,
    loser: LeadId,
    wishes: &BTreeMap<String, Side>,
) -> Result<Merge, MergeError> {
    let extent = stored::extent(&engine.store.reader(), actor.workspace, loser, MOST_ROWS).await?;
    if [extent.submissions, extent.activities, extent.conversations].iter().any(|count| *count >= MOST_ROWS) {
        return Err(MergeError::TooLarge);
    }
    let scoring = scoring(engine, actor).await?;
    retrying(|| try_merge(engine, actor, (winner, loser), wishes, &scoring)).await
}

async fn scoring(engine: &Engine, actor: &Actor) -> Result<Scoring, Error> {
    let workspace = workspaces::find(&engine.store.reader(), actor.workspace).await?;
    Ok(Scoring::of(&workspace.map(|workspace| workspace.settings).unwrap_or_default()))
}

async fn try_merge(
    engine: &Engine,
    actor: &Actor,
    (winner, loser): (LeadId, LeadId),
    wishes: &BTreeMap<String, Side>,
    scoring: &Scoring,
) -> Result<Merge, MergeError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let pair = Pair::lock(&mut tx, actor, winner, loser).await?;
    let mut changes = merging::changes(&pair.choices(wishes));
    changes.extend(pair.changes_of_history());
    let tags = pair.new_tags();
    let merge = Merge {
        id: MergeId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        winner_id: winner,
        loser_id: loser,
        loser_name: pair.loser.name.clone(),
        before: json!(Before {
            changes: changes.clone(),
            tags: tags.clone(),
            visitors: stored::visitors(&mut tx, actor.workspace, winner, MOST_VISITORS).await?,
            submission_count: pair.histories.1.submission_count,
        }),
        merged_by: actor.name.clone(),
        merged_at: now,
        split_by: None,
        split_at: None,
    };
    let after: Fields = changes.iter().map(|change| (change.field.clone(), change.after.clone())).collect();
    let count = pair.histories.0.submission_count + pair.histories.1.submission_count;
    let mut record = Record::new(engine, actor);
    let kept = Kept { lead: &pair.winner, history: &pair.histories.0, names: Some(&pair.loser) };
    write(&mut tx, &mut record, actor, (&kept, &after, count), scoring, now).await?;
    retag(&mut tx, actor, &pair.winner, (&tags, &[]), now).await?;
    stored::move_rows(&mut tx, actor.workspace, merge.id, (loser, winner)).await?;
    stored::put_away(&mut tx, actor.workspace, (loser, winner), now).await?;
    stored::insert(&mut tx, &merge).await?;
    tell_merge(&mut record, &pair, &merge, &changes);
    record.commit(tx).await?;
    Ok(merge)
}

fn tell_merge(record: &mut Record<'_>, pair: &Pair, merge: &Merge, changes: &[Change]) {
    let Pair { winner, loser, .. } = pair;
    let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    let data = json!({"mergeId": merge.id, "leadId": loser.id, "name": loser.name, "fields": fields});
    record.activity(winner.id, "lead.merged", data);
    record.event(winner.id, "lead.updated", (winner.pipeline_id, winner.stage_id), json!({"fields": fields}));
    let into = json!({"into": winner.id});
    record.event(loser.id, "lead.merged", (loser.pipeline_id, loser.stage_id), into);
    record.count((loser.pipeline_id, loser.stage_id), -1, -loser.values.milli());
}

/// Splits two leads that were merged.
///
/// # Errors
/// Where they cannot be split.
pub async fn split(engine: &Engine, actor: &Actor, merge: MergeId) -> Result<Split, MergeError> {
    let scoring = scoring(engine, actor).await?;
    retrying(|| try_split(engine, actor, merge, &scoring)).await
}

async fn try_split(engine: &Engine, actor: &Actor, id: MergeId, scoring: &Scoring) -> Result<Split, MergeError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let merge = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(MergeError::NotFound)?;
    if merge.split_at.is_some() {
        return Err(MergeError::AlreadySplit);
    }
    let (winner, loser) = lock_both(&mut tx, actor, merge.winner_id, merge.loser_id).await?;
    let (winner, loser) = (winner.ok_or(MergeError::NotFound)?, loser.ok_or(MergeError::NotFound)?);
    if winner.merged_into.is_some() {
        return Err(MergeError::WinnerMerged);
    }
    if winner.deleted_at.is_some() {
        return Err(MergeError::Deleted);
    }
    let unreadable = |_| Error::Column { column: "before".to_owned() };
    let before: Before = serde_json::from_value(merge.before.clone()).map_err(unreadable)?;
    let history = stored::history(&mut tx, actor.workspace, winner.id).await?.ok_or(MergeError::NotFound)?;
    let mut current = fields_of(&winner);
    current.extend(fields_of_history(&history));
    let back = merging::put_back(&current, &before.changes);
    let count = (history.submission_count - before.submission_count).max(1);
    let mut record = Record::new(engine, actor);
    let kept = Kept { lead: &winner, history: &history, names: None };
    write(&mut tx, &mut record, actor, (&kept, &back.fields, count), scoring, now).await?;
    let there: Vec<String> = before.tags.iter().filter(|tag| winner.tags.contains(tag)).cloned().collect();
    retag(&mut tx, actor, &winner, (&[], &there), now).await?;
    let leads = (loser.id, winner.id);
    stored::move_rows_back(&mut tx, actor.workspace, merge.id, leads).await?;
    stored::forget_visitors(&mut tx, actor.workspace, leads, &before.visitors).await?;
    stored::take_out(&mut tx, actor.workspace, leads, now).await?;
    stored::mark_split(&mut tx, actor.workspace, merge.id, &actor.name, now).await?;
    let data = json!({"mergeId": merge.id, "leadId": loser.id, "name": loser.name, "left": back.left});
    record.activity(winner.id, "lead.split", data);
    record.activity(loser.id, "lead.split_off", json!({"mergeId": merge.id, "leadId": winner.id, "name": winner.name}));
    let fields: Vec<&String> = back.fields.keys().collect();
    record.event(winner.id, "lead.updated", (winner.pipeline_id, winner.stage_id), json!({"fields": fields}));
    record.event(loser.id, "lead.split", (loser.pipeline_id, loser.stage_id), json!({"from": winner.id}));
    record.count((loser.pipeline_id, loser.stage_id), 1, loser.values.milli());
    record.commit(tx).await?;
    Ok(Split { left: back.left })
}

/// Two leads that nobody else changes.
struct Pair {
    winner: Locked,
    loser: Locked,
    histories: (History, History),
}

async fn lock_both(
    tx: &mut Tx,
    actor: &Actor,
    winner: LeadId,
    loser: LeadId,
) -> Result<(Option<Locked>, Option<Locked>), Error> {
    let mut locked = leads::lock(tx, actor.workspace, &[winner, loser]).await?;
    let mut take = |id: LeadId| {
        let place = locked.iter().position(|lead| lead.id == id)?;
        Some(locked.swap_remove(place))
    };
    Ok((take(winner), take(loser)))
}

impl Pair {
    async fn lock(tx: &mut Tx, actor: &Actor, winner: LeadId, loser: LeadId) -> Result<Self, MergeError> {
        if winner == loser {
            return Err(MergeError::Itself);
        }
        let (winner, loser) = lock_both(tx, actor, winner, loser).await?;
        let winner = winner.ok_or(MergeError::NotFound)?;
        let loser = loser.filter(|loser| loser.deleted_at.is_none()).ok_or(MergeError::NoOther)?;
        if winner.deleted_at.is_some() {
            return Err(MergeError::Deleted);
        }
        if winner.project_id != loser.project_id {
            return Err(MergeError::OtherProject);
        }
        let ours = stored::history(tx, actor.workspace, winner.id).await?.ok_or(MergeError::NotFound)?;
        let theirs = stored::history(tx, actor.workspace, loser.id).await?.ok_or(MergeError::NoOther)?;
        Ok(Self { winner, loser, histories: (ours, theirs) })
    }

    fn choices(&self, wishes: &BTreeMap<String, Side>) -> Vec<Choice> {
        merging::choose(&fields_of(&self.winner), &fields_of(&self.loser), wishes)
    }

    fn new_tags(&self) -> Vec<String> {
        self.loser.tags.iter().filter(|tag| !self.winner.tags.contains(tag)).cloned().collect()
    }

    /// The first visit of both and the last, and when something was heard last.
    fn changes_of_history(&self) -> Vec<Change> {
        let (ours, theirs) = &self.histories;
        let first = if theirs.created_at < ours.created_at { theirs } else { ours };
        let last = if theirs.last_submission_at > ours.last_submission_at { theirs } else { ours };
        let after = History {
            first_touch: first.first_touch.clone(),
            last_touch: last.last_touch.clone(),
            last_submission_at: last.last_submission_at,
            ..ours.clone()
        };
        let (before, after) = (fields_of_history(ours), fields_of_history(&after));
        let change = |(field, after): (String, Value)| {
            let before = before.get(&field).cloned().unwrap_or(Value::Null);
            (before != after).then_some(Change { field, before, after })
        };
        after.into_iter().filter_map(change).collect()
    }
}

/// What a lead says, by field.
fn fields_of(lead: &Locked) -> Fields {
    let name = Some(&lead.name);
    let is_called_for_want_of_a_name =
        name == lead.email.as_ref() || name == lead.phone.as_ref() || lead.name == lead.source_name;
    let phone = (lead.phone.is_some() || lead.phone_raw.is_some())
        .then(|| json!({"phone": lead.phone, "raw": lead.phone_raw, "country": lead.country_code}));
    let mut fields = Fields::new();
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("name", json!(name.filter(|_| !is_called_for_want_of_a_name)));
    put("email", json!(lead.email));
    put("phone", json!(phone));
    put("company", json!(lead.company));
    put("title", json!(lead.title));
    put("message", json!(lead.message));
    put("assignedTo", json!(lead.assigned_to));
    put("quotable", json!(lead.values.quotable.as_str()));
    put("quoteValue", json!(lead.values.quote.map(Amount::milli)));
    put("salesValue", json!(lead.values.sales.map(Amount::milli)));
    for (key, value) in lead.custom_fields.iter().filter(|(key, _)| *key != DISPLAY_NAMES) {
        put(&format!("custom.{key}"), value.clone());
    }
    fields
}

fn fields_of_history(history: &History) -> Fields {
    let mut fields = Fields::new();
    fields.insert("firstTouch".to_owned(), history.first_touch.clone());
    fields.insert("lastTouch".to_owned(), history.last_touch.clone());
    fields.insert("lastSubmissionAt".to_owned(), json!(history.last_submission_at.0));
    fields
}

/// The lead that stays.
struct Kept<'a> {
    lead: &'a Locked,
    history: &'a History,
    /// Whose custom fields' labels it takes over.
    names: Option<&'a Locked>,
}

/// Writes these fields over the lead that stays.
async fn write(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    (kept, fields, submission_count): (&Kept<'_>, &Fields, i64),
    scoring: &Scoring,
    now: Timestamp,
) -> Result<(), Error> {
    let Kept { lead, history, .. } = kept;
    let mut details = details(kept, fields);
    score(lead, &mut details, scoring);
    leads::update_details(tx, actor.workspace, lead.id, &details, now).await?;
    let value = |name: &str, own: Value| fields.get(name).cloned().unwrap_or(own);
    let user = value("assignedTo", json!(lead.assigned_to));
    let absorbed = Absorbed {
        message: text(&value("message", json!(lead.message))),
        assigned_to: serde_json::from_value::<Option<UserId>>(user).unwrap_or(lead.assigned_to),
        submission_count,
        last_submission_at: value("lastSubmissionAt", Value::Null)
            .as_i64()
            .map_or(history.last_submission_at, Timestamp),
        first_touch: value("firstTouch", history.first_touch.clone()),
        last_touch: value("lastTouch", history.last_touch.clone()),
    };
    stored::absorb(tx, actor.workspace, lead.id, &absorbed, now).await?;
    let values = values(lead.values, fields);
    if values != lead.values {
        leads::set_values(tx, &[LeadValues { id: lead.id, values }]).await?;
        record.count((lead.pipeline_id, lead.stage_id), 0, values.milli() - lead.values.milli());
    }
    Ok(())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn details(kept: &Kept<'_>, fields: &Fields) -> Details {
    let lead = kept.lead;
    let said = |name: &str, own: &Option<String>| fields.get(name).map_or_else(|| own.clone(), text);
    let email = said("email", &lead.email);
    let (phone, phone_raw, country_code) = match fields.get("phone") {
        None => (lead.phone.clone(), lead.phone_raw.clone(), lead.country_code.clone()),
        Some(phone) => (text(&phone["phone"]), text(&phone["raw"]), text(&phone["country"])),
    };
    let company = said("company", &lead.company);
    let name = match fields.get("name") {
        None => Some(lead.name.clone()),
        Some(name) => text(name),
    };
    let name = [name, email.clone(), phone.clone()].into_iter().flatten().next();
    let name = name.unwrap_or_else(|| lead.source_name.clone());
    let found_by = phone.as_deref().or(phone_raw.as_deref());
    Details {
        search_text: search::text(&name, email.as_deref(), found_by, company.as_deref()),
        name,
        email,
        phone,
        phone_raw,
        country_code,
        company,
        title: said("title", &lead.title),
        custom_fields: Value::Object(custom_fields(kept, fields)),
        score: 0,
        score_reasons: json!([]),
        score_version: 0,
    }
}

fn custom_fields(kept: &Kept<'_>, fields: &Fields) -> Map<String, Value> {
    let mut custom = kept.lead.custom_fields.clone();
    let changed = fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("custom.")?, value)));
    for (key, value) in changed {
        match value {
            Value::Null => drop(custom.remove(key)),
            value => drop(custom.insert(key.to_owned(), value.clone())),
        }
    }
    let labels = kept.names.and_then(|lead| lead.custom_fields.get(DISPLAY_NAMES)).and_then(Value::as_object);
    let taken: Map<String, Value> = labels
        .into_iter()
        .flatten()
        .filter(|(key, _)| custom.contains_key(*key))
        .map(|(key, label)| (key.clone(), label.clone()))
        .collect();
    if !taken.is_empty() {
        let names = custom.entry(DISPLAY_NAMES).or_insert_with(|| json!({}));
        if let Some(names) = names.as_object_mut() {
            for (key, label) in taken {
                names.entry(key).or_insert(label);
            }
        }
    }
    if let Some(names) = custom.remove(DISPLAY_NAMES).as_ref().and_then(Value::as_object) {
        // A label goes with its field.
        let kept: Map<String, Value> = names
            .iter()
            .filter(|(key, _)| custom.contains_key(*key))
            .map(|(key, name)| (key.clone(), name.clone()))
            .collect();
        if !kept.is_empty() {
            custom.insert(DISPLAY_NAMES.to_owned(), Value::Object(kept));
        }
    }
    custom
}

fn values(own: Values, fields: &Fields) -> Values {
    let amount = |name: &str, own: Option<Amount>| match fields.get(name) {
        None => own,
        Some(milli) => milli.as_i64().and_then(Amount::from_milli),
    };
    let quotable = fields.get("quotable").and_then(Value::as_str).and_then(Quotable::parse);
    Values {
        quotable: quotable.unwrap_or(own.quotable),
        quote: amount("quoteValue", own.quote),
        sales: amount("salesValue", own.sales),
    }
}

async fn retag(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Locked,
    (added, removed): (&[String], &[String]),
    now: Timestamp,
) -> Result<(), Error> {
    if added.is_empty() && removed.is_empty() {
        return Ok(());
    }
    let kept = lead.tags.iter().filter(|tag| !removed.contains(tag));
    let tags = kept.chain(added).cloned().collect();
    let row = Tagged { id: lead.id, tags, added: added.to_vec(), removed: removed.to_vec() };
    leads::set_tags(tx, actor.workspace, &[row], now).await
}
