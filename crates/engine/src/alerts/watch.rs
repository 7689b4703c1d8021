//! The watch: looks at sources, destinations and books, opens alerts and closes them, and makes the events by which
//! other systems hear of it.
//!
//! All of it is one transaction that holds the watch's row, so that of several nodes one alerts.

use std::collections::{HashMap, HashSet};

use leadline_domain::{
    ids::{AlertId, EventId, WorkspaceId},
    silence::{self, Expectation, Facts, Tz, Verdict},
    time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    alerts::{self, Alert, Failing, SourceHealth, Watch},
    events::{self, NewEvent},
    ledger, schedules,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DESTINATION_FAILING, LEDGER_DIFFERS, SOURCE_SILENT, WHOLE};
use crate::{
    Engine,
    mails::{self, Change},
    random_bytes,
};

/// The watch's row among the schedules.
const NAME: &str = "watch";

/// How often it is due. A little less than how often it is tried, so that no try comes just too early.
const PERIOD_MS: i64 = 50 * SECOND_MS;

/// Deliveries made before that say nothing about how a destination does now.
const FAILING_WITHIN_MS: i64 = DAY_MS;

/// How far back the books are compared.
const BOOKS_WITHIN_MS: i64 = 35 * DAY_MS;

/// Looks at everything, where it is due and no other node is at it.
///
/// # Errors
/// Where the database fails.
pub async fn watch(engine: &Engine) -> Result<(), Error> {
    let now = engine.clock.now();
    let differences = ledger::list_differences(&engine.store.reader(), now.plus_ms(-BOOKS_WITHIN_MS)).await?;
    let mut tx = engine.store.begin().await?;
    if schedules::claim(&mut tx, NAME, PERIOD_MS, now).await?.is_none() {
        return tx.rollback().await;
    }
    let mut found = Found { engine, now, events: Vec::new() };
    found.look_at_sources(&mut tx).await?;
    found.look_at_destinations(&mut tx).await?;
    found.look_at_books(&mut tx, &differences).await?;
    events::append(&mut tx, &found.events).await?;
    tx.commit().await?;
    if !found.events.is_empty() {
        engine.wake.events.notify_one();
    }
    Ok(())
}

struct Found<'a> {
    engine: &'a Engine,
    now: Timestamp,
    events: Vec<NewEvent>,
}

impl Found<'_> {
    async fn look_at_sources(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let sources = alerts::list_watched(tx).await?;
        for source in &sources {
            let Some(watch) = &source.watch else { continue };
            match silence::judge(&expectation(source, watch), facts(source, watch), self.now) {
                Verdict::Nothing => {}
                Verdict::Silent { silence_ms } => self.say_silent(tx, source, watch, silence_ms).await?,
                Verdict::Recovered => {
                    let over = self.alert(source.workspace_id, SOURCE_SILENT, source.id.0, &source.name, &json!({}));
                    self.close(tx, &over).await?;
                    self.tell(source.workspace_id, "source.recovered", about_source(source));
                }
            }
        }
        // A source that was deleted is watched no longer.
        let watched: HashSet<Uuid> = sources.iter().map(|source| source.id.0).collect();
        for alert in alerts::list_open(tx, SOURCE_SILENT).await? {
            if !watched.contains(&alert.subject_id) {
                alerts::close(tx, alert.workspace_id, SOURCE_SILENT, alert.subject_id, self.now).await?;
            }
        }
        Ok(())
    }

    async fn say_silent(
        &mut self,
        tx: &mut Tx,
        source: &SourceHealth,
        watch: &Watch,
        silence_ms: i64,
    ) -> Result<(), Error> {
        let mut data = about_source(source);
        data["silentMinutes"] = (silence_ms / MINUTE_MS).into();
        data["silentAfterMinutes"] = watch.silent_after_minutes.into();
        data["lastSeenAt"] = last_seen(source, watch).0.into();
        if self.open(tx, source.workspace_id, SOURCE_SILENT, source.id.0, &source.name, &data).await? {
            alerts::note_alerted(tx, source.id, self.now).await?;
            self.tell(source.workspace_id, SOURCE_SILENT, data);
        }
        Ok(())
    }

    async fn look_at_destinations(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let failing = alerts::list_failing(tx, self.now.plus_ms(-FAILING_WITHIN_MS)).await?;
        let fail_now: HashSet<Uuid> = failing.iter().map(|one| one.id.0).collect();
        for one in &failing {
            let data = about_destination(one);
            if self.open(tx, one.workspace_id, DESTINATION_FAILING, one.id.0, &one.name, &data).await? {
                self.tell(one.workspace_id, DESTINATION_FAILING, data);
            }
        }
        for alert in alerts::list_open(tx, DESTINATION_FAILING).await? {
            if !fail_now.contains(&alert.subject_id) {
                self.close(tx, &alert).await?;
                self.tell(alert.workspace_id, "destination.recovered", alert.data);
            }
        }
        Ok(())
    }

    async fn look_at_books(&mut self, tx: &mut Tx, differences: &[ledger::Difference]) -> Result<(), Error> {
        let differ: HashMap<WorkspaceId, i64> = differences.iter().map(|one| (one.workspace, one.missing)).collect();
        for (workspace, missing) in &differ {
            let data = json!({"missing": missing});
            if self.open(tx, *workspace, LEDGER_DIFFERS, WHOLE, "Ledger", &data).await? {
                tracing::error!(workspace.id = %workspace, missing, "the books do not add up; run `leadline verify`");
            }
        }
        for alert in alerts::list_open(tx, LEDGER_DIFFERS).await? {
            if !differ.contains_key(&alert.workspace_id) {
                alerts::close(tx, alert.workspace_id, LEDGER_DIFFERS, WHOLE, self.now).await?;
            }
        }
        Ok(())
    }

    async fn open(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        kind: &str,
        subject: Uuid,
        name: &str,
        data: &Value,
    ) -> Result<bool, Error> {
        let alert = self.alert(workspace, kind, subject, name, data);
        let is_new = alerts::open(tx, &alert).await?;
        if is_new {
            mails::queue(self.engine, tx, &alert, Change::Opened, self.now).await?;
        }
        Ok(is_new)
    }

    /// Closes an alert and tells of it, where it was open.
    async fn close(&self, tx: &mut Tx, alert: &Alert) -> Result<(), Error> {
        if alerts::close(tx, alert.workspace_id, &alert.kind, alert.subject_id, self.now).await? {
            mails::queue(self.engine, tx, alert, Change::Closed, self.now).await?;
        }
        Ok(())
    }

    fn alert(&self, workspace: WorkspaceId, kind: &str, subject: Uuid, name: &str, data: &Value) -> Alert {
        Alert {
            id: AlertId::new(self.now, random_bytes()),
            workspace_id: workspace,
            kind: kind.to_owned(),
            subject_id: subject,
            subject_name: name.to_owned(),
            data: data.clone(),
            opened_at: self.now,
            acknowledged_at: None,
            acknowledged_by: None,
            closed_at: None,
        }
    }

    fn tell(&mut self, workspace: WorkspaceId, kind: &str, data: Value) {
        self.events.push(NewEvent {
            id: EventId::new(self.now, random_bytes()),
            workspace_id: workspace,
            kind: kind.to_owned(),
            lead_id: None,
            submission_id: None,
            data,
            created_at: self.now.0,
            dispatched: false,
        });
    }
}

fn expectation(source: &SourceHealth, watch: &Watch) -> Expectation {
    Expectation {
        silent_after_minutes: watch.silent_after_minutes,
        cooldown_minutes: watch.cooldown_minutes,
        business_hours: watch.business_hours.clone(),
        timezone: timezone_of(&source.workspace_settings),
    }
}

/// The timezone that a workspace lives in.
#[must_use]
pub fn timezone_of(workspace_settings: &Value) -> Tz {
    let name = workspace_settings.get("timezone").and_then(Value::as_str);
    name.and_then(silence::timezone).unwrap_or(Tz::UTC)
}

/// For how long a source has been silent, in the hours that count, where it is watched.
#[must_use]
pub fn silence_ms(source: &SourceHealth, now: Timestamp) -> Option<i64> {
    let watch = source.watch.as_ref()?;
    Some(silence::silence_ms(&expectation(source, watch), last_seen(source, watch), now))
}

fn last_seen(source: &SourceHealth, watch: &Watch) -> Timestamp {
    source.last_received_at.map_or(watch.watched_since, |at| at.max(watch.watched_since))
}

fn facts(source: &SourceHealth, watch: &Watch) -> Facts {
    let open_since = source.alert.as_ref().map(|data| data["lastSeenAt"].as_i64().unwrap_or_default());
    Facts {
        last_lead_at: last_seen(source, watch),
        alerted_at: watch.alerted_at,
        open_since_lead_at: open_since.map(Timestamp),
    }
}

fn about_source(source: &SourceHealth) -> Value {
    json!({
        "sourceId": source.id, "sourceName": source.name, "sourceKind": source.kind, "projectId": source.project_id,
        "lastLeadAt": source.last_received_at,
    })
}

fn about_destination(failing: &Failing) -> Value {
    json!({
        "destinationId": failing.id, "destinationName": failing.name, "projectId": failing.project_id,
        "disabledReason": failing.disabled_reason, "status": failing.last_status, "error": failing.last_error,
    })
}

/// How long an alert that is over is kept.
pub const CLOSED_KEPT_MS: i64 = 90 * DAY_MS;
