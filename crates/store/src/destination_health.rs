//! How destinations fare, for the screens: what waits and what died, counted up to a cap by indexes, and what came of
//! the last day's attempts, from the counts by hour.

use std::collections::HashMap;

use leadline_domain::{
    breaker::Open,
    durations::{BUCKETS, percentile_ms},
    ids::{DestinationId, WorkspaceId},
    time::{HOUR_MS, Timestamp},
};

use crate::{
    breakers,
    destination_hours::{self, Hour, Last},
    sql::{Error, IntoParam, Reader, Row, json_set},
};

/// How many hours are looked at, the current one among them.
const HOURS: i64 = 24;

/// How a destination fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Deliveries that wait, counted up to a cap.
    pub pending: i64,
    /// Dead letters, counted up to a cap.
    pub dead: i64,
    /// Deliveries of which nothing was sent, counted up to a cap.
    pub skipped: i64,
    /// The last 24 hours, each with what arrived in it and what did not; the oldest first.
    pub hours: Vec<Counts>,
    /// What 95 of 100 attempts of those hours took at most, about.
    pub p95_ms: Option<i64>,
    /// What came of the last attempt.
    pub last: Option<Last>,
    /// Where its deliveries are held back: since when, and when it is tried next.
    pub breaker: Option<Open>,
    /// The last attempt of those hours that failed, and what was wrong.
    pub failure: Option<(Timestamp, String)>,
}

impl Health {
    /// Attempts of the last 24 hours that arrived.
    #[must_use]
    pub fn delivered(&self) -> i64 {
        self.hours.iter().map(|hour| hour.delivered).sum()
    }

    /// Attempts of the last 24 hours that did not.
    #[must_use]
    pub fn failed(&self) -> i64 {
        self.hours.iter().map(|hour| hour.failed).sum()
    }
}

/// What came of the attempts of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// When it began.
    pub at: Timestamp,
    /// Attempts that arrived.
    pub delivered: i64,
    /// Attempts that did not.
    pub failed: i64,
}

/// How these destinations fare, in the order of `ids`, by two statements.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[DestinationId],
    now: Timestamp,
) -> Result<Vec<Health>, Error> {
    let since = Timestamp(now.0 - now.0.rem_euclid(HOUR_MS) - (HOURS - 1) * HOUR_MS);
    let mut queues = queues(reader, workspace, ids).await?;
    let mut hours: HashMap<DestinationId, Vec<Hour>> = HashMap::new();
    for hour in destination_hours::list(reader, workspace, ids, since).await? {
        hours.entry(hour.destination_id).or_default().push(hour);
    }
    let of = |id: &DestinationId| {
        let (pending, dead, skipped, breaker) = queues.remove(id).unwrap_or_default();
        Health { pending, dead, skipped, breaker, ..of_hours(&hours.remove(id).unwrap_or_default(), since) }
    };
    Ok(ids.iter().map(of).collect())
}

fn of_hours(hours: &[Hour], since: Timestamp) -> Health {
    let recent = || hours.iter().filter(|hour| hour.hour >= since);
    let mut durations = [0; BUCKETS];
    for hour in recent() {
        durations.iter_mut().zip(hour.durations).for_each(|(sum, count)| *sum += count);
    }
    let counts = (0..HOURS).map(|n| {
        let at = since.plus_ms(n * HOUR_MS);
        let found = hours.iter().find(|hour| hour.hour == at);
        Counts { at, delivered: found.map_or(0, |hour| hour.delivered), failed: found.map_or(0, |hour| hour.failed) }
    });
    Health {
        hours: counts.collect(),
        p95_ms: percentile_ms(&durations, 95),
        last: hours.last().map(|hour| hour.last.clone()),
        failure: recent().filter_map(|hour| hour.failure.clone()).next_back(),
        ..Health::default()
    }
}

/// Counting stops here; a screen shows "10,000+" and a long queue costs no long count.
const CAP: i64 = 10_000;

async fn queues(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[DestinationId],
) -> Result<HashMap<DestinationId, (i64, i64, i64, Option<Open>)>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let count = |condition: &str| {
        format!(
            "(SELECT count(*) FROM (SELECT 1 FROM deliveries AS d WHERE d.destination_id = t.id AND {condition}
              LIMIT $3) AS q)"
        )
    };
    // By `deliveries_first`, `deliveries_later`, `deliveries_dead_of` and `deliveries_skipped_of`.
    let sql = format!(
        "SELECT t.id, {breaker}, {first} + {later} AS pending, {dead} AS dead, {skipped} AS skipped FROM destinations AS t
         WHERE t.id IN {list} AND t.workspace_id = $2",
        first = count("d.state = 'pending' AND d.plan_attempt = 0"),
        later = count("d.state = 'pending' AND d.plan_attempt > 0"),
        dead = count("d.state = 'dead'"),
        skipped = count("d.state = 'skipped'"),
        list = reader.dialect().id_list(1),
        breaker = breakers::COLUMNS,
    );
    let rows = reader.query(&sql, &[json_set(ids), workspace.param(), CAP.param()]).await?;
    let read = |row: &Row| {
        let breaker = breakers::read(row)?.open;
        Ok((row.get("id")?, (row.get("pending")?, row.get("dead")?, row.get("skipped")?, breaker)))
    };
    rows.iter().map(read).collect()
}
