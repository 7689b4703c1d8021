//! Reading leads one by one, or by their ids.

use std::collections::HashMap;

use leadline_domain::{
    ids::{ContactId, LeadId, ProjectId, WorkspaceId},
    time::Timestamp,
};

use super::{
    Card, Lead,
    values::{VALUE_COLUMNS, read_values},
};
use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, json_set, params},
    visits::standing::{figure_columns, read_figures},
};

/// Leads of one person that are looked at for their projects.
const MOST_RELATED: i64 = 50;

/// Another project that the person behind a lead asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Their newest lead in it.
    pub lead_id: LeadId,
    /// The project.
    pub project_id: ProjectId,
    /// What it is called.
    pub project_name: String,
    /// When that lead was made.
    pub created_at: Timestamp,
}

/// The columns of a card, but for the assignee's name.
pub(super) fn card_columns(dialect: Dialect) -> String {
    format!(
        "leads.id, leads.project_id, leads.pipeline_id, leads.stage_id, leads.rank, leads.name, leads.email,
         leads.phone, leads.company, leads.title, leads.source, leads.source_name, {tags} AS tags,
         {custom} AS custom_fields, leads.score,
         leads.suspicion, leads.assigned_to, leads.submission_count, leads.last_submission_at,
         leads.stage_entered_at, {VALUE_COLUMNS}, leads.close_reason, leads.is_test, leads.version,
         leads.created_at, leads.updated_at",
        tags = dialect.json_text("leads.tags"),
        custom = dialect.json_text("leads.custom_fields"),
    )
}

/// One lead, also where it is deleted.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: LeadId) -> Result<Option<Lead>, Error> {
    let [workspace] = params![workspace];
    reader.query_one(&whole(reader.dialect()), &[workspace, json_set(&[id])]).await?.as_ref().map(read_lead).transpose()
}

/// These leads in their order, without those that are deleted.
///
/// # Errors
/// Where the database fails.
pub async fn list_by_id(reader: &Reader, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Lead>, Error> {
    let [workspace] = params![workspace];
    let rows = reader.query(&whole(reader.dialect()), &[workspace, json_set(ids)]).await?;
    let mut leads: Vec<Lead> = rows.iter().map(read_lead).collect::<Result<_, _>>()?;
    leads.retain(|lead| lead.deleted_at.is_none());
    let places: HashMap<LeadId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    leads.sort_by_key(|lead| places.get(&lead.card.id).copied());
    Ok(leads)
}

/// The leads of a contact, the newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_contact(
    reader: &Reader,
    workspace: WorkspaceId,
    contact: ContactId,
    limit: i64,
) -> Result<Vec<Lead>, Error> {
    // By `leads_of_contact`.
    let sql = "SELECT id FROM leads WHERE contact_id = $1 AND workspace_id = $2 AND deleted_at IS NULL
               ORDER BY created_at DESC, id DESC LIMIT $3";
    let rows = reader.query(sql, &params![contact, workspace, limit]).await?;
    let ids: Vec<LeadId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    list_by_id(reader, workspace, &ids).await
}

/// Leads that the same person has in other projects: by the contact, or by a visitor that was seen in both. Newest
/// first, the newest one of each project.
///
/// # Errors
/// Where the database fails.
pub async fn related(reader: &Reader, workspace: WorkspaceId, lead: &Lead) -> Result<Vec<Related>, Error> {
    // By `leads_of_contact` and the keys of `lead_visitors`.
    let sql = format!(
        "SELECT leads.id, leads.project_id, projects.name AS project_name, leads.created_at
         FROM leads JOIN projects ON projects.id = leads.project_id
         WHERE leads.workspace_id = $1 AND leads.project_id <> $2 AND leads.deleted_at IS NULL
           AND leads.id IN (SELECT id FROM leads WHERE contact_id = $3
                            UNION SELECT theirs.lead_id FROM lead_visitors AS ours
                            JOIN lead_visitors AS theirs
                              ON theirs.workspace_id = ours.workspace_id AND theirs.visitor_id = ours.visitor_id
                            WHERE ours.lead_id = $4 AND ours.workspace_id = $1)
         ORDER BY leads.created_at DESC, leads.id DESC LIMIT {MOST_RELATED}"
    );
    let rows = reader.query(&sql, &params![workspace, lead.card.project_id, lead.contact_id, lead.card.id]).await?;
    let mut related: Vec<Related> = Vec::new();
    for row in &rows {
        let one = Related {
            lead_id: row.get("id")?,
            project_id: row.get("project_id")?,
            project_name: row.get("project_name")?,
            created_at: row.get("created_at")?,
        };
        if !related.iter().any(|known| known.project_id == one.project_id) {
            related.push(one);
        }
    }
    Ok(related)
}

/// These leads as the transaction sees them, also where they are deleted.
///
/// # Errors
/// Where the database fails.
pub async fn load(tx: &mut Tx, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Lead>, Error> {
    let [workspace] = params![workspace];
    tx.query(&whole(tx.dialect()), &[workspace, json_set(ids)]).await?.iter().map(read_lead).collect()
}

fn whole(dialect: Dialect) -> String {
    format!(
        "SELECT {card}, users.name AS assigned_to_name, leads.number, leads.contact_id, projects.name AS project_name,
                lead_pipeline_stages.name AS stage_name,
                (SELECT settings->>'currency' FROM workspaces WHERE workspaces.id = leads.workspace_id) AS currency,
                leads.phone_raw, leads.country_code, leads.source_id, leads.message, {figures},
                {score} AS score_reasons,
                {suspicion} AS suspicion_reasons, {first} AS first_touch, {last} AS last_touch, leads.visitor_id,
                leads.lead_state, coalesce({context}, 'null') AS context, {analysis} AS lead_analysis,
                leads.converted_at, leads.deleted_at, leads.merged_into
         FROM leads LEFT JOIN users ON users.id = leads.assigned_to
         LEFT JOIN projects ON projects.id = leads.project_id
         LEFT JOIN lead_pipeline_stages ON lead_pipeline_stages.id = leads.stage_id
         WHERE leads.workspace_id = $1 AND leads.id IN {ids} ORDER BY leads.id",
        card = card_columns(dialect),
        figures = figure_columns(dialect),
        score = dialect.json_text("leads.score_reasons"),
        suspicion = dialect.json_text("leads.suspicion_reasons"),
        first = dialect.json_text("leads.first_touch"),
        last = dialect.json_text("leads.last_touch"),
        context = dialect.json_text("leads.context"),
        analysis = dialect.json_text("leads.lead_analysis"),
        ids = dialect.id_list(2),
    )
}

/// These leads as cards, as far as they are there, in no order.
///
/// # Errors
/// Where the database fails.
pub(super) async fn load_cards(reader: &Reader, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Card>, Error> {
    let columns = card_columns(reader.dialect());
    let sql = format!(
        "SELECT {columns}, users.name AS assigned_to_name
         FROM leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id IN {} AND leads.workspace_id = $1",
        reader.dialect().id_list(2),
    );
    let [workspace] = params![workspace];
    reader.query(&sql, &[workspace, json_set(ids)]).await?.iter().map(read_card).collect()
}

pub(super) fn read_card(row: &Row) -> Result<Card, Error> {
    Ok(Card {
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        pipeline_id: row.get("pipeline_id")?,
        stage_id: row.get("stage_id")?,
        rank: row.get("rank")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        company: row.get("company")?,
        title: row.get("title")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        tags: row.json("tags")?,
        custom_fields: row.json("custom_fields")?,
        score: row.get("score")?,
        suspicion: row.get("suspicion")?,
        assigned_to: row.get("assigned_to")?,
        assigned_to_name: row.get("assigned_to_name")?,
        submission_count: row.get("submission_count")?,
        last_submission_at: row.get("last_submission_at")?,
        stage_entered_at: row.get("stage_entered_at")?,
        values: read_values(row)?,
        close_reason: row.get("close_reason")?,
        is_test: row.get("is_test")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn read_lead(row: &Row) -> Result<Lead, Error> {
    Ok(Lead {
        card: read_card(row)?,
        number: row.get("number")?,
        contact_id: row.get("contact_id")?,
        project_name: row.get("project_name")?,
        stage_name: row.get("stage_name")?,
        currency: row.get("currency")?,
        phone_raw: row.get("phone_raw")?,
        country_code: row.get("country_code")?,
        source_id: row.get("source_id")?,
        message: row.get("message")?,
        figures: read_figures(row)?,
        score_reasons: row.json("score_reasons")?,
        suspicion_reasons: row.json("suspicion_reasons")?,
        first_touch: row.json("first_touch")?,
        last_touch: row.json("last_touch")?,
        visitor_id: row.get("visitor_id")?,
        lead_state: row.get("lead_state")?,
        context: row.json("context")?,
        lead_analysis: row.json_or_none("lead_analysis")?,
        converted_at: row.get("converted_at")?,
        deleted_at: row.get("deleted_at")?,
        merged_into: row.get("merged_into")?,
    })
}
