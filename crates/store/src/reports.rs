//! What reports need of leads: narrow facts, read from the leads of a range of days.
//!
//! Facts of a day of very many leads wait packed ([`days`]), since reading a million leads for each report would take
//! seconds; a day that is not packed, or has changed since, is read from the leads themselves. Either way the facts are
//! those of the leads as they are now. What they add up to is the domain's business.

pub mod days;

use std::{collections::HashMap, ops::Range};

use leadline_domain::{
    ids::{LeadId, PipelineId, ProjectId, SourceId, StageId, UserId, WorkspaceId},
    reports::{LeadFact, Names, Stay, packing},
    time::{DAY_MS, Timestamp},
};
use uuid::Uuid;

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, json_set, params},
};

/// Days that are read at once: so many that there are few statements, and so few that facts of the busiest fit into
/// memory.
const DAYS_AT_ONCE: i64 = 31;

/// The facts of leads that came in a range of time, some days at once.
#[derive(Debug)]
pub struct Reading {
    workspace: WorkspaceId,
    from: i64,
    until: i64,
}

impl Reading {
    /// Of the leads that came from `from_at` on and before `until_at`. Deleted ones and tests are not among them.
    #[must_use]
    pub fn of(workspace: WorkspaceId, from_at: Timestamp, until_at: Timestamp) -> Self {
        Self { workspace, from: from_at.0, until: until_at.0 }
    }

    /// The next facts, in no order; nothing, where no days are left.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next(&mut self, reader: &Reader, names: &mut Names) -> Result<Option<Vec<LeadFact>>, Error> {
        if self.from >= self.until {
            return Ok(None);
        }
        let first = day_of(self.from);
        let end = ((first + DAYS_AT_ONCE) * DAY_MS).min(self.until);
        let wanted = self.from..end;
        let mut facts = Vec::new();
        let mut unpacked = self.from;
        for (day, packed) in days::packed(reader, self.workspace, first..day_of(end - 1) + 1).await? {
            let Some(leads) = packing::unpack(&packed, names) else { continue };
            let begins = (day * DAY_MS).max(self.from);
            facts.extend(read(reader, self.workspace, unpacked..begins, names).await?);
            facts.extend(leads.into_iter().filter(|lead| wanted.contains(&lead.created_at)));
            unpacked = (day + 1) * DAY_MS;
        }
        facts.extend(read(reader, self.workspace, unpacked..end, names).await?);
        self.from = end;
        Ok(Some(facts))
    }
}

/// The day, counted from the epoch, in universal time: whose days are asked for does not matter here.
fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY_MS)
}

/// The facts of the leads that came in a range, read from the leads.
async fn read(
    reader: &Reader,
    workspace: WorkspaceId,
    range: Range<i64>,
    names: &mut Names,
) -> Result<Vec<LeadFact>, Error> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let rows = reader.query(&facts_sql(reader.dialect()), &params![workspace, range.start, range.end]).await?;
    let mut facts: Vec<LeadFact> = Vec::new();
    let mut last: Option<LeadId> = None;
    for row in &rows {
        let id: LeadId = row.get("id")?;
        if last != Some(id) {
            facts.push(read_fact(row, names)?);
            last = Some(id);
        }
        let stage: Option<StageId> = row.get("stay_stage_id")?;
        if let (Some(stage), Some(lead)) = (stage, facts.last_mut()) {
            let (entered_at, left_at): (Option<i64>, Option<i64>) = (row.get("entered_at")?, row.get("left_at")?);
            let ms = left_at.unwrap_or(0) - entered_at.unwrap_or(0);
            lead.stays.push(Stay { stage: names.id(Some(stage.0)), ms: ms.max(0) });
        }
    }
    Ok(facts)
}

/// By `leads_by_creation`, and by the key of the stays for each lead. A lead has a row for each of them, or one.
fn facts_sql(dialect: Dialect) -> String {
    let touch = |name: &str| dialect.json_at("leads.first_touch", &[name]);
    format!(
        "SELECT leads.id, leads.created_at, leads.project_id, leads.pipeline_id, leads.stage_id, leads.stage_entered_at,
                leads.assigned_to, leads.source, leads.source_id, leads.close_reason, leads.responded_at,
                leads.quote_value_milli, leads.sales_value_milli, {channel} AS channel, {source} AS utm_source,
                {medium} AS utm_medium, {campaign} AS utm_campaign,
                s.stage_id AS stay_stage_id, s.entered_at, s.left_at
         FROM leads LEFT JOIN lead_stage_stays AS s ON s.lead_id = leads.id
         WHERE leads.workspace_id = $1 AND leads.deleted_at IS NULL AND leads.created_at >= $2
               AND leads.created_at < $3 AND NOT leads.is_test
         ORDER BY leads.created_at, leads.id, s.entered_at",
        channel = touch("channel"),
        source = touch("utmSource"),
        medium = touch("utmMedium"),
        campaign = touch("utmCampaign"),
    )
}

fn read_fact(row: &Row, names: &mut Names) -> Result<LeadFact, Error> {
    let project: ProjectId = row.get("project_id")?;
    let pipeline: PipelineId = row.get("pipeline_id")?;
    let stage: StageId = row.get("stage_id")?;
    let owner: Option<UserId> = row.get("assigned_to")?;
    let source: Option<SourceId> = row.get("source_id")?;
    Ok(LeadFact {
        created_at: row.get("created_at")?,
        project: names.id(Some(project.0)),
        pipeline: names.id(Some(pipeline.0)),
        stage: names.id(Some(stage.0)),
        stage_entered_at: row.get("stage_entered_at")?,
        owner: names.id(owner.map(|owner| owner.0)),
        source_kind: names.text(row.get("source")?),
        source: names.id(source.map(|source| source.0)),
        channel: names.text(row.get("channel")?),
        campaign: [
            names.text(row.get("utm_source")?),
            names.text(row.get("utm_medium")?),
            names.text(row.get("utm_campaign")?),
        ],
        close_reason: names.text(row.get("close_reason")?),
        responded_at: row.get("responded_at")?,
        quote_milli: row.get("quote_value_milli")?,
        sales_milli: row.get("sales_value_milli")?,
        stays: Vec::new(),
    })
}

/// What the rows of reports are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Sources.
    Sources,
    /// Projects.
    Projects,
    /// Users.
    Users,
}

/// What these are called, also those that are deleted. Users are asked for among those who have leads here.
///
/// # Errors
/// Where the database fails.
pub async fn names(
    reader: &Reader,
    workspace: WorkspaceId,
    of: Named,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>, Error> {
    // By their primary keys.
    let list = reader.dialect().id_list(2);
    let sql = match of {
        Named::Sources => format!("SELECT id, name FROM sources WHERE id IN {list} AND workspace_id = $1"),
        Named::Projects => format!("SELECT id, name FROM projects WHERE id IN {list} AND workspace_id = $1"),
        Named::Users => format!(
            "SELECT id, name FROM users WHERE id IN {list}
                    AND (EXISTS (SELECT 1 FROM memberships AS m WHERE m.user_id = users.id AND m.workspace_id = $1)
                         OR EXISTS (SELECT 1 FROM leads AS l WHERE l.workspace_id = $1 AND l.assigned_to = users.id
                                    AND l.deleted_at IS NULL))"
        ),
    };
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[workspace, json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get::<UserId>("id")?.0, row.get("name")?))).collect()
}
