//! Asks for the messages of sendings whose time has come, and has done what sends none.
//!
//! One transaction takes what is due, looks at automation, lead and clock, and asks for the messages or does the step;
//! what another node holds is passed over. Nobody is talked to from here, so nothing is leased: a process that dies leaves
//! what it had not committed waiting, for whoever looks next.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use leadline_domain::{
    automations::{Clock, Exit, QuietHours, Reason, zone_of},
    emails::Email,
    ids::{LeadId, RunId, WorkspaceId},
    silence::Tz,
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    automations::runs::{self, Due, Person, Standing},
    capture::IdentityKey,
    suppressions, workspaces,
};
use tokio::sync::watch;

use super::{
    acts::{self, Turn},
    record::{Loaded, Record, row},
    reports::Found,
};
use crate::{Engine, conditions::timezone_of};

/// Sendings in one transaction.
const BATCH: i64 = 256;

/// Polling alone must be correct; wake-ups only make it quick.
const POLL: Duration = Duration::from_millis(500);

/// How long to wait after the store refused.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Does what is due until `stop` says otherwise.
pub async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match round(&engine).await {
            Ok(n) if n > 0 => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "automations wait for the store");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        tokio::select! {
            () = engine.wake.automations.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Does everything that is due, and tells how many sendings that were: for tests, which say themselves when.
///
/// # Errors
/// Where the store fails.
pub async fn send_due(engine: &Engine) -> Result<usize, Error> {
    let mut all = 0;
    loop {
        match round(engine).await? {
            0 => return Ok(all),
            n => all += n,
        }
    }
}

async fn round(engine: &Engine) -> Result<usize, Error> {
    let now = engine.clock.now();
    // Asked without a transaction first: mostly there is nothing, and on SQLite a transaction keeps submissions waiting.
    if !runs::is_due(&engine.store.reader(), now).await? {
        return Ok(0);
    }
    let mut tx = engine.store.begin().await?;
    let due = runs::claim_due(&mut tx, now, BATCH).await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let mut record = Record::new(engine);
    let dealt_with = ask(engine, &mut tx, &due, &mut record).await?;
    record.write(&mut tx).await?;
    tx.commit().await?;
    engine.wake.messages.notify_one();
    engine.wake.events.notify_one();
    metrics::counter!("leadline_automation_sendings_total").increment(dealt_with as u64);
    Ok(dealt_with)
}

/// What is known of the leads and workspaces of runs.
struct World {
    persons: HashMap<LeadId, Person>,
    zones: HashMap<WorkspaceId, Tz>,
    /// Who does not want messages, as far as a run would end by that.
    suppressed: HashSet<LeadId>,
}

impl World {
    async fn load(engine: &Engine, tx: &mut Tx, loaded: &[Loaded<'_>]) -> Result<Self, Error> {
        let leads: BTreeSet<LeadId> = loaded.iter().map(|one| one.stored.lead_id).collect();
        let mut persons = runs::persons(tx, &leads.into_iter().collect::<Vec<_>>()).await?;
        // Whose lead went into another one goes on as that.
        let merged: BTreeSet<LeadId> = persons.iter().filter_map(|person| person.merged_into).collect();
        persons.extend(runs::persons(tx, &merged.into_iter().collect::<Vec<_>>()).await?);
        let workspaces: BTreeSet<WorkspaceId> = loaded.iter().map(|one| one.stored.workspace_id).collect();
        let settings = workspaces::settings_of(tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
        let asks = loaded.iter().any(|one| one.run.definition.exit_on.contains(&Exit::Unsubscribed));
        let suppressed = if asks { suppressed(engine, &persons).await? } else { HashSet::new() };
        Ok(Self {
            suppressed,
            persons: persons.into_iter().map(|person| (person.id, person)).collect(),
            zones: settings.into_iter().map(|(workspace, settings)| (workspace, timezone_of(&settings))).collect(),
        })
    }

    /// Who gets the messages of a run; nobody where the lead is gone.
    fn person(&self, lead: LeadId) -> Option<&Person> {
        let person = self.persons.get(&lead)?;
        let person = person.merged_into.map_or(Some(person), |winner| self.persons.get(&winner))?;
        (!person.is_deleted).then_some(person)
    }

    fn quiet_until(&self, quiet: Option<QuietHours>, person: &Person, now: Timestamp) -> Option<Timestamp> {
        let workspace = self.zones.get(&person.workspace_id).copied().unwrap_or(Tz::UTC);
        quiet?.end(now, zone_of(clock(person), workspace))
    }
}

/// Which of these people do not want to be written to.
async fn suppressed(engine: &Engine, persons: &[Person]) -> Result<HashSet<LeadId>, Error> {
    let mut of_workspace: BTreeMap<WorkspaceId, Vec<(IdentityKey, LeadId)>> = BTreeMap::new();
    for person in persons {
        let keys = person_keys(engine, person.workspace_id, person.email.as_deref(), person.phone.as_deref());
        of_workspace.entry(person.workspace_id).or_default().extend(keys.into_iter().map(|key| (key, person.id)));
    }
    let mut suppressed = HashSet::new();
    for (workspace, keys) in of_workspace {
        let asked: Vec<IdentityKey> = keys.iter().map(|(key, _)| *key).collect();
        let listed = suppressions::which_suppressed(&engine.store.reader(), workspace, &asked).await?;
        let is_listed = |key: &IdentityKey| listed.iter().any(|one| one.key == *key);
        suppressed.extend(keys.into_iter().filter(|(key, _)| is_listed(key)).map(|(_, lead)| lead));
    }
    Ok(suppressed)
}

/// By what the list of those who do not want to be written to knows somebody.
pub(super) fn person_keys(
    engine: &Engine,
    workspace: WorkspaceId,
    email: Option<&str>,
    phone: Option<&str>,
) -> Vec<IdentityKey> {
    let key = |kind: &str, value: &str| IdentityKey(engine.keys.identity(workspace.0, kind, value));
    let email = email.and_then(Email::parse).map(|email| key("contact_email", &email.canonical));
    let phone = phone.map(|phone| key("contact_phone", phone));
    email.into_iter().chain(phone).collect()
}

/// What is known of a person's clock.
pub(super) fn clock(person: &Person) -> Clock<'_> {
    Clock {
        browser: person.browser_zone.as_deref(),
        place: person.place_zone.as_deref(),
        country: person.place_country.as_deref().or(person.country_code.as_deref()),
    }
}

/// Asks for messages, and does what sends none. Tells how many were dealt with: what somebody else holds waits on.
async fn ask(engine: &Engine, tx: &mut Tx, due: &[Due], record: &mut Record) -> Result<usize, Error> {
    let mut of_run: BTreeMap<RunId, Vec<Due>> = BTreeMap::new();
    for one in due {
        of_run.entry(one.run).or_default().push(*one);
    }
    let found = Found::load(tx, &of_run.keys().copied().collect::<Vec<_>>()).await?;
    let mut loaded = found.loaded();
    let world = World::load(engine, tx, &loaded).await?;
    let mut dealt_with = 0;
    let mut turns = Vec::new();
    for (place, one) in loaded.iter_mut().enumerate() {
        let Some(due) = of_run.get(&one.stored.id) else { continue };
        let standing = found.standing(one.stored.automation_id);
        if let Some((reason, kind)) = against(standing, &world, one) {
            let step = due.first().map(|due| due.step);
            record.leave(&mut one.stored, one.name, reason, kind, step);
            dealt_with += due.len();
            continue;
        }
        let (messages, acts): (Vec<Due>, Vec<Due>) = due.iter().partition(|due| is_message(one, **due));
        let Some(person) = world.person(one.stored.lead_id) else { continue };
        turns.extend(acts.into_iter().map(|due| Turn { place, due, lead: person.id, workspace: person.workspace_id }));
        if !messages.is_empty() {
            start(record, one, &messages, &world);
            dealt_with += messages.len();
        }
    }
    Ok(dealt_with + acts::perform(engine, tx, record, &mut loaded, &turns).await?)
}

fn is_message(loaded: &Loaded<'_>, due: Due) -> bool {
    let found = loaded.sendings.iter().find(|one| (one.step, one.number) == (due.step, due.number));
    found.is_none_or(|one| one.channel.is_some())
}

/// What keeps a run from going on.
fn against(standing: Option<&Standing>, world: &World, loaded: &Loaded<'_>) -> Option<(Reason, &'static str)> {
    let skipped = |reason| Some((reason, "automation.skipped"));
    let Some(standing) = standing.filter(|standing| !standing.is_deleted) else {
        return skipped(Reason::AutomationDeleted);
    };
    if !standing.is_active {
        return skipped(Reason::Inactive);
    }
    let Some(person) = world.person(loaded.stored.lead_id) else { return skipped(Reason::LeadDeleted) };
    let wants_none =
        world.suppressed.contains(&person.id) && loaded.run.definition.exit_on.contains(&Exit::Unsubscribed);
    wants_none.then_some((Reason::Unsubscribed, "automation.exited"))
}

/// Asks for the messages of a run, unless it is quiet where they would be read.
fn start(record: &mut Record, loaded: &mut Loaded<'_>, due: &[Due], world: &World) {
    let Some(person) = world.person(loaded.stored.lead_id) else { return };
    let now = record.now();
    let quiet_until = world.quiet_until(loaded.run.definition.quiet_hours, person, now);
    loaded.stored.lead_id = person.id;
    for due in due {
        let Some(sending) = loaded.sendings.iter_mut().find(|one| (one.step, one.number) == (due.step, due.number))
        else {
            continue;
        };
        match quiet_until {
            Some(end) => {
                sending.due_at = end;
                let later = row(&loaded.stored, sending, now);
                record.sending(later);
            }
            None => record.ask(&loaded.stored, loaded.name, Some(person.contact_id), sending),
        }
    }
    record.change(&loaded.stored);
}
