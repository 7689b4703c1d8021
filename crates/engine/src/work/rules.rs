//! Assignment rules: making, changing, ordering and deleting them, and trying one on the leads that came last.

use std::collections::HashSet;

use leadline_domain::{
    assignment::Method,
    ids::{AssignmentRuleId, LeadId, UserId},
};
use leadline_store::{
    Tx,
    assignment_rules::{self as stored, AssignmentRule, RULES_MAX},
    leads, workers,
};
use serde_json::{Value, json};

use super::{Context, WorkError, distinct};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

const NAME_MAX_CHARS: usize = 80;

/// People in one rule.
const MEMBERS_MAX: usize = 100;

/// A month, in minutes.
pub(super) const LONGEST_MINUTES: i64 = 60 * 24 * 31;

/// Leads that a rule is tried on.
pub const TRIED_ON: i64 = 100;

/// What somebody says of a rule. What is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of a rule under their own names")]
pub struct RuleEdit {
    pub name: Option<String>,
    pub is_active: Option<bool>,
    /// Read and found good by the caller, who knows what may be asked.
    pub filter: Option<Value>,
    pub method: Option<Method>,
    pub members: Option<Vec<UserId>>,
    pub only_available: Option<bool>,
    pub takes_returning: Option<bool>,
    pub fallback: Option<Option<UserId>>,
    pub respond_within_minutes: Option<Option<i64>>,
    /// Its place among the rules, from 0.
    pub position: Option<i64>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Makes a rule, behind the others where no place is named.
///
/// # Errors
/// Where it cannot be so.
pub async fn create(engine: &Engine, actor: &Actor, edit: RuleEdit) -> Result<AssignmentRuleId, WorkError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut rules = stored::lock(&mut tx, actor.workspace).await?;
    if i64::try_from(rules.len()).unwrap_or(i64::MAX) >= RULES_MAX {
        return Err(WorkError::Full("a workspace has at most 50 assignment rules"));
    }
    let blank = AssignmentRule {
        id: AssignmentRuleId::new(now, random_bytes()),
        position: i64::try_from(rules.len()).unwrap_or(i64::MAX),
        name: String::new(),
        is_active: true,
        filter: json!({"all": []}),
        method: Method::RoundRobin,
        members: Vec::new(),
        only_available: false,
        takes_returning: false,
        fallback_user_id: None,
        respond_within_minutes: None,
        last_user_id: None,
        assigned_count: 0,
        last_assigned_at: None,
        version: 0,
        created_at: now,
        updated_at: now,
    };
    let position = edit.position;
    let rule = edited(&mut tx, actor, blank, edit).await?;
    let (id, deed) = (rule.id, Deed::new("assignment_rule.created", rule.id, &rule.name).with(shown(&rule)));
    rules.push(rule);
    place(&mut rules, id, position);
    write_all(&mut tx, actor, &rules, &[id]).await?;
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a rule, or its place.
///
/// # Errors
/// Where it is not there, was changed since, or cannot be so.
pub async fn update(engine: &Engine, actor: &Actor, id: AssignmentRuleId, edit: RuleEdit) -> Result<(), WorkError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut rules = stored::lock(&mut tx, actor.workspace).await?;
    let index = rules.iter().position(|rule| rule.id == id).ok_or(WorkError::NotFound)?;
    let before = rules[index].clone();
    if edit.version.is_some_and(|version| version != before.version) {
        return Err(WorkError::Stale);
    }
    let position = edit.position;
    let after = AssignmentRule { updated_at: now, ..edited(&mut tx, actor, before.clone(), edit).await? };
    let deed =
        Deed::new("assignment_rule.updated", id, &after.name).with(audit::changes(&shown(&before), &shown(&after)));
    rules[index] = after;
    place(&mut rules, id, position);
    write_all(&mut tx, actor, &rules, &[id]).await?;
    audit::record(&mut tx, now, actor, deed).await?;
    Ok(tx.commit().await?)
}

/// Deletes a rule. The leads that it gave to somebody stay theirs.
///
/// # Errors
/// Where it is not there.
pub async fn delete(engine: &Engine, actor: &Actor, id: AssignmentRuleId) -> Result<(), WorkError> {
    let mut tx = engine.store.begin().await?;
    let rules = stored::lock(&mut tx, actor.workspace).await?;
    let rule = rules.iter().find(|rule| rule.id == id).ok_or(WorkError::NotFound)?;
    stored::delete(&mut tx, actor.workspace, id).await?;
    let deed = Deed::new("assignment_rule.deleted", id, &rule.name);
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    Ok(tx.commit().await?)
}

/// What a rule would have done with the leads that came last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// How many leads were looked at.
    pub looked_at: i64,
    /// How many of them match.
    pub matching: i64,
    /// How many of those a rule before it would have taken.
    pub taken_before: i64,
}

/// Tries conditions on the leads that came last, in the place of a rule or behind all of them.
///
/// # Errors
/// Where the conditions cannot be asked.
pub async fn try_out(
    engine: &Engine,
    actor: &Actor,
    filter: &Value,
    place: Option<AssignmentRuleId>,
) -> Result<Trial, WorkError> {
    let context = Context::load(engine, actor.workspace).await?;
    let reader = engine.store.reader();
    let count = |leads: usize| i64::try_from(leads).unwrap_or(i64::MAX);
    let cannot = |_| WorkError::field("/filter", "cannot be asked");
    let ids = leads::newest(&reader, actor.workspace, TRIED_ON).await?;
    let asked = context.conditions.read(filter).map_err(cannot)?;
    let matching: HashSet<LeadId> =
        leads::matching_now(&reader, actor.workspace, &ids, &asked).await?.into_iter().collect();
    let mut taken: HashSet<LeadId> = HashSet::new();
    let rules = stored::list(&reader, actor.workspace).await?;
    for rule in rules.iter().take_while(|rule| Some(rule.id) != place).filter(|rule| rule.is_active) {
        let Ok(asked) = context.conditions.read(&rule.filter) else { continue };
        taken.extend(leads::matching_now(&reader, actor.workspace, &ids, &asked).await?);
    }
    let taken_before = matching.intersection(&taken).count();
    Ok(Trial { looked_at: count(ids.len()), matching: count(matching.len()), taken_before: count(taken_before) })
}

async fn edited(
    tx: &mut Tx,
    actor: &Actor,
    mut rule: AssignmentRule,
    edit: RuleEdit,
) -> Result<AssignmentRule, WorkError> {
    let mut faults: Vec<(String, String)> = Vec::new();
    let mut fault = |pointer: &str, message: &str| faults.push((pointer.to_owned(), message.to_owned()));
    if let Some(name) = edit.name {
        name.trim().clone_into(&mut rule.name);
    }
    let is_a_name = (1..=NAME_MAX_CHARS).contains(&rule.name.chars().count());
    if !is_a_name || rule.name.chars().any(char::is_control) {
        fault("/name", "has 1 to 80 characters");
    }
    rule.is_active = edit.is_active.unwrap_or(rule.is_active);
    rule.filter = edit.filter.unwrap_or(rule.filter);
    rule.method = edit.method.unwrap_or(rule.method);
    rule.members = edit.members.map_or(rule.members, |members| distinct(&members));
    rule.only_available = edit.only_available.unwrap_or(rule.only_available);
    rule.takes_returning = edit.takes_returning.unwrap_or(rule.takes_returning);
    rule.fallback_user_id = edit.fallback.unwrap_or(rule.fallback_user_id);
    rule.respond_within_minutes = edit.respond_within_minutes.unwrap_or(rule.respond_within_minutes);
    match (rule.method, rule.members.len()) {
        (Method::Person, 1) | (Method::RoundRobin | Method::LeastBusy, 1..=MEMBERS_MAX) => {}
        (Method::Person, _) => fault("/members", "must name one person"),
        (Method::RoundRobin | Method::LeastBusy, _) => fault("/members", "must name 1 to 100 people"),
    }
    if rule.respond_within_minutes.is_some_and(|minutes| !(1..=LONGEST_MINUTES).contains(&minutes)) {
        fault("/respondWithinMinutes", "must be 1 minute to 31 days");
    }
    let named: Vec<UserId> = rule.members.iter().copied().chain(rule.fallback_user_id).collect();
    let there = workers::find_in(tx, actor.workspace, &named).await?;
    for (index, user) in rule.members.iter().enumerate().filter(|(_, user)| !there.contains_key(user)) {
        let _: &UserId = user;
        fault(&format!("/members/{index}"), "is no member of the workspace");
    }
    if rule.fallback_user_id.is_some_and(|user| !there.contains_key(&user)) {
        fault("/fallbackUserId", "is no member of the workspace");
    }
    rule.version += 1;
    if faults.is_empty() { Ok(rule) } else { Err(WorkError::Invalid(faults)) }
}

/// Puts a rule into its place among the others and numbers them.
fn place(rules: &mut Vec<AssignmentRule>, id: AssignmentRuleId, position: Option<i64>) {
    if let (Some(to), Some(from)) = (position, rules.iter().position(|rule| rule.id == id)) {
        let rule = rules.remove(from);
        let to = usize::try_from(to).unwrap_or_default().min(rules.len());
        rules.insert(to, rule);
    }
}

/// Writes the rules that changed, and those that stand in another place now.
async fn write_all(
    tx: &mut Tx,
    actor: &Actor,
    rules: &[AssignmentRule],
    changed: &[AssignmentRuleId],
) -> Result<(), WorkError> {
    for (position, rule) in rules.iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        if rule.position != position || changed.contains(&rule.id) {
            stored::write(tx, actor.workspace, &AssignmentRule { position, ..rule.clone() }).await?;
        }
    }
    Ok(())
}

fn shown(rule: &AssignmentRule) -> Value {
    json!({
        "name": rule.name, "isActive": rule.is_active, "filter": rule.filter, "method": rule.method.as_str(),
        "members": rule.members, "onlyAvailable": rule.only_available, "takesReturning": rule.takes_returning,
        "fallbackUserId": rule.fallback_user_id, "respondWithinMinutes": rule.respond_within_minutes,
    })
}
