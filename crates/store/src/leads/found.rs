//! How a filter becomes SQL, and which of two ways answers it.

use leadline_domain::ids::{LeadId, WorkspaceId};

use super::{Assigned, FromSource, LeadFilter, SearchScope};
use crate::{
    dialect::Dialect,
    sql::{Error, IntoParam, Param, Reader, json_set},
};

/// A filter that finds at most so many leads is answered from those, and a search that finds more from the newest of
/// them: nobody looks for somebody on page forty, and a bounded answer is quick however common the name.
const FEW: usize = 2_000;

/// How many events that wait for the index a search looks through. More wait only after an outage.
const UNINDEXED_MAX: i64 = 1_000;

/// What is known of a filter before its answer is read.
pub(super) enum Found {
    /// Nothing narrows but stage and pipeline, which have counts of their own.
    All,
    /// These are all that match.
    Few(Vec<LeadId>),
    /// More than a few match a search, and these are the newest.
    Newest(Vec<LeadId>),
    /// More than a few match something else than a search.
    Many,
}

/// A condition with its parameters. More parameters may follow.
#[derive(Clone)]
pub(super) struct Where {
    /// What the rows of `leads` come from.
    pub(super) from: String,
    pub(super) text: String,
    pub(super) params: Vec<Param>,
}

/// Which leads are gone through where no index of the filter's own narrows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Those of the workspace.
    Workspace,
    /// Those of one stage, which the condition names.
    Stage,
    /// Those that another table names one by one.
    Named,
}

impl Where {
    /// What `filter` asks for, on the rows of `leads` themselves.
    pub(super) fn of(dialect: Dialect, workspace: WorkspaceId, filter: &LeadFilter, walk: Walk) -> Self {
        let mut condition = Self::indexed(dialect, workspace, filter, walk);
        if let Some(search) = &filter.search {
            let column = match search.scope {
                SearchScope::Everything => "search_text",
                SearchScope::Company => "lower(company)",
            };
            let text = search.terms.condition(column, &mut condition.params);
            condition.and(&text);
        }
        condition
    }

    fn indexed(dialect: Dialect, workspace: WorkspaceId, filter: &LeadFilter, walk: Walk) -> Self {
        let has_an_owner = matches!(filter.assigned, Some(Assigned::User(_)));
        let walk = if walk == Walk::Stage && has_an_owner { Walk::Workspace } else { walk };
        let mut condition = Self::living(dialect, workspace, walk);
        if let Some(stage) = filter.stage {
            condition.equal("leads.stage_id", &stage);
        }
        if let Some(pipeline) = filter.pipeline {
            condition.equal("leads.pipeline_id", &pipeline);
        }
        if let Some(project) = filter.project {
            condition.equal("leads.project_id", &project);
        }
        match &filter.source {
            Some(FromSource::Kind(kind)) => condition.equal("leads.source", kind),
            Some(FromSource::One(source)) => condition.equal("leads.source_id", source),
            None => {}
        }
        match filter.assigned {
            Some(Assigned::User(user)) => condition.equal("leads.assigned_to", &user),
            Some(Assigned::Nobody) => condition.and("leads.assigned_to IS NULL"),
            None => {}
        }
        if let Some(tag) = &filter.tag {
            let tag = condition.param(tag);
            condition.and(&format!(
                "EXISTS (SELECT 1 FROM lead_tags t
                         WHERE t.workspace_id = leads.workspace_id AND t.tag = ${tag} AND t.lead_id = leads.id)"
            ));
        }
        condition
    }

    /// Adds a parameter and tells its number.
    pub(super) fn param(&mut self, value: &impl IntoParam) -> usize {
        self.params.push(value.param());
        self.params.len()
    }

    pub(super) fn and(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    pub(super) fn equal(&mut self, column: &str, value: &impl IntoParam) {
        let number = self.param(value);
        self.and(&format!("{column} = ${number}"));
    }

    /// The leads of a list of ids, fetched one by one: CROSS JOIN is SQLite's way to say which side is walked.
    pub(super) fn among(workspace: WorkspaceId, ids: &[LeadId], reader: &Reader) -> Self {
        let mut condition = Self::living(reader.dialect(), workspace, Walk::Named);
        condition.params.push(json_set(ids));
        let list = reader.dialect().id_list(condition.params.len());
        condition.from = format!("{list} AS few CROSS JOIN leads");
        condition.and("leads.id = few.value");
        condition
    }

    /// The leads of the workspace that are not deleted.
    fn living(dialect: Dialect, workspace: WorkspaceId, walk: Walk) -> Self {
        let text = "leads.deleted_at IS NULL".to_owned();
        let mut condition = Self { from: "leads".to_owned(), text, params: Vec::new() };
        match walk {
            Walk::Workspace => condition.equal("leads.workspace_id", &workspace),
            Walk::Stage | Walk::Named => {
                let number = condition.param(&workspace);
                condition.and(&dialect.equal_unindexed("leads.workspace_id", number));
            }
        }
        condition
    }
}

/// Finds out whether few or many leads match, over the index that narrows most.
pub(super) async fn found(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<Found, Error> {
    let narrows = filter.search.is_some()
        || filter.project.is_some()
        || filter.source.is_some()
        || filter.assigned.is_some()
        || filter.tag.is_some();
    if !narrows {
        return Ok(Found::All);
    }
    let (sql, params) = probe(reader, workspace, filter);
    let rows = reader.query(&sql, &params).await?;
    let are_few = rows.len() <= FEW;
    if !are_few && filter.search.is_none() {
        return Ok(Found::Many);
    }
    let ids = rows.iter().take(FEW).map(|row| row.get("id")).collect::<Result<_, _>>()?;
    Ok(if are_few { Found::Few(ids) } else { Found::Newest(ids) })
}

fn probe(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> (String, Vec<Param>) {
    let dialect = reader.dialect();
    let condition = |walk| Where::of(dialect, workspace, filter, walk);
    let everything = |search: &&super::Search| search.scope == SearchScope::Everything;
    let trigrams = filter.search.as_ref().filter(everything).and_then(|search| search.terms.trigrams());
    if let (Some(table), Some(trigrams)) = (dialect.search_table(), trigrams) {
        return probe_table(table, condition(Walk::Named), &trigrams);
    }
    // What is not searched is walked if it finds many, so any of it tells enough.
    let order = if filter.search.is_some() { "ORDER BY leads.created_at DESC, leads.id DESC" } else { "" };
    if let Some(tag) = &filter.tag {
        return probe_tag(condition(Walk::Named), tag, order);
    }
    let by_stage = filter.stage.is_some() && filter.search.is_none();
    let condition = condition(if by_stage { Walk::Stage } else { Walk::Workspace });
    let limit = FEW + 1;
    (format!("SELECT leads.id FROM leads WHERE {} {order} LIMIT {limit}", condition.text), condition.params)
}

/// Over the table beside `leads`, and over the leads that it does not know yet. The newest are those that were stored
/// last, which is the order that the table has.
fn probe_table(table: &str, mut condition: Where, trigrams: &str) -> (String, Vec<Param>) {
    let filter = condition.text.clone();
    let query = condition.param(&trigrams);
    let limit = FEW + 1;
    let sql = format!(
        "SELECT id, number FROM (SELECT leads.id, leads.number
                                 FROM {table} CROSS JOIN leads ON leads.number = {table}.rowid
                                 WHERE {table} MATCH ${query} AND {filter}
                                 ORDER BY {table}.rowid DESC LIMIT {limit}) AS indexed
         UNION
         SELECT leads.id, leads.number
         FROM (SELECT lead_id FROM events WHERE NOT dispatched AND lead_id IS NOT NULL
               ORDER BY created_at DESC, id DESC LIMIT {UNINDEXED_MAX}) AS told
         CROSS JOIN leads WHERE leads.id = told.lead_id AND {filter}
         ORDER BY number DESC LIMIT {limit}"
    );
    (sql, condition.params)
}

fn probe_tag(mut condition: Where, tag: &str, order: &str) -> (String, Vec<Param>) {
    let filter = condition.text.clone();
    let tag = condition.param(&tag);
    let limit = FEW + 1;
    let sql = format!(
        "SELECT leads.id FROM lead_tags CROSS JOIN leads
         WHERE lead_tags.workspace_id = $1 AND lead_tags.tag = ${tag} AND leads.id = lead_tags.lead_id AND {filter}
         {order} LIMIT {limit}"
    );
    (sql, condition.params)
}
