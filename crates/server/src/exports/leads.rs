//! Leads as rows of a table: the columns that there are, and what stands in them.

use std::collections::HashMap;

use leadline_domain::{
    custom_fields::is_usable_key,
    ids::{PipelineId, WorkspaceId},
    time::Timestamp,
    values::{Amount, DEFAULT_CURRENCY},
};
use leadline_store::{
    Error, Reader,
    custom_fields::{self, Held, Holder},
    leads::{self, Lead, LeadWalk, lead_ids},
    pipelines,
};
use serde_json::{Map, Value};

use super::{BETWEEN, Cell, PAGE, Sight, Table};

/// Columns of one table at most.
const COLUMNS_MAX: usize = 1_000;

/// What values without a column of their own stand under.
const REST: &str = "Other fields";

/// A lead, as it is seen.
struct Seen<'a> {
    lead: &'a Lead,
    sight: Sight,
    pipelines: &'a HashMap<PipelineId, String>,
}

impl Seen<'_> {
    fn first(&self, part: &str) -> Cell {
        Cell::json(self.sight.touch(self.lead.first_touch.clone()).get(part))
    }

    fn last(&self, part: &str) -> Cell {
        Cell::json(self.sight.touch(self.lead.last_touch.clone()).get(part))
    }
}

struct Known {
    key: &'static str,
    heading: &'static str,
    cell: fn(&Seen<'_>) -> Cell,
}

const fn column(key: &'static str, heading: &'static str, cell: fn(&Seen<'_>) -> Cell) -> Known {
    Known { key, heading, cell }
}

/// What every lead has, by the names that the list's columns have on the screen.
const KNOWN: &[Known] = &[
    column("name", "Name", |seen| Cell::text(seen.sight.name(seen.lead.card.name.clone()))),
    column("email", "Email", |seen| Cell::maybe(seen.sight.email(seen.lead.card.email.clone()))),
    column("phone", "Phone", |seen| {
        let phone = seen.lead.card.phone.clone().or_else(|| seen.lead.phone_raw.clone());
        Cell::maybe(seen.sight.phone(phone))
    }),
    column("company", "Company", |seen| Cell::maybe(seen.lead.card.company.clone())),
    column("title", "Title", |seen| Cell::maybe(seen.lead.card.title.clone())),
    column("message", "Message", |seen| Cell::maybe(seen.sight.text(seen.lead.message.clone()))),
    column("tags", "Tags", |seen| Cell::text(seen.lead.card.tags.join(BETWEEN))),
    column("stage", "Stage", |seen| Cell::maybe(seen.lead.stage_name.clone())),
    column("pipeline", "Pipeline", |seen| Cell::maybe(seen.pipelines.get(&seen.lead.card.pipeline_id).cloned())),
    column("project", "Project", |seen| Cell::maybe(seen.lead.project_name.clone())),
    column("source", "Source", |seen| Cell::text(seen.lead.card.source_name.clone())),
    column("sourceType", "Source type", |seen| Cell::text(seen.lead.card.source.clone())),
    column("assigned", "Assigned to", |seen| Cell::maybe(seen.lead.card.assigned_to_name.clone())),
    column("score", "Score", |seen| Cell::number(seen.lead.card.score)),
    column("engagement", "Engagement", |seen| seen.lead.figures.engagement.map_or(Cell::text(""), Cell::number)),
    column("suspicion", "Suspicion", |seen| Cell::number(seen.lead.card.suspicion)),
    column("submissions", "Submissions", |seen| Cell::number(seen.lead.card.submission_count)),
    column("quotable", "Quotable", |seen| Cell::text(seen.lead.card.values.quotable.as_str())),
    column("quoteValue", "Quote value", |seen| amount(seen.lead.card.values.quote)),
    column("salesValue", "Sales value", |seen| amount(seen.lead.card.values.sales)),
    column("currency", "Currency", |seen| {
        Cell::text(seen.lead.currency.clone().unwrap_or_else(|| DEFAULT_CURRENCY.to_owned()))
    }),
    column("closeReason", "Close reason", |seen| Cell::maybe(seen.lead.card.close_reason.clone())),
    column("firstChannel", "First channel", |seen| seen.first("channel")),
    column("firstSource", "First source", |seen| seen.first("utmSource")),
    column("firstMedium", "First medium", |seen| seen.first("utmMedium")),
    column("firstCampaign", "First campaign", |seen| seen.first("utmCampaign")),
    column("firstPage", "First page", |seen| seen.first("pageUrl")),
    column("firstReferrer", "First referrer", |seen| seen.first("referrer")),
    column("lastChannel", "Last channel", |seen| seen.last("channel")),
    column("lastSource", "Last source", |seen| seen.last("utmSource")),
    column("lastMedium", "Last medium", |seen| seen.last("utmMedium")),
    column("lastCampaign", "Last campaign", |seen| seen.last("utmCampaign")),
    column("lastPage", "Last page", |seen| seen.last("pageUrl")),
    column("lastReferrer", "Last referrer", |seen| seen.last("referrer")),
    column("created", "Created", |seen| Cell::text(seen.lead.card.created_at.to_string())),
    column("lastSubmission", "Last submission", |seen| Cell::text(seen.lead.card.last_submission_at.to_string())),
    column("updated", "Updated", |seen| Cell::text(seen.lead.card.updated_at.to_string())),
    column("converted", "Converted", |seen| Cell::maybe(seen.lead.converted_at.map(|at: Timestamp| at.to_string()))),
    column("id", "Lead id", |seen| Cell::text(seen.lead.card.id.to_string())),
    column("contactId", "Contact id", |seen| Cell::text(seen.lead.contact_id.to_string())),
];

fn amount(amount: Option<Amount>) -> Cell {
    amount.map_or(Cell::text(""), |amount| Cell::Number(amount.to_string()))
}

enum Column {
    Known(&'static Known),
    Custom {
        key: String,
        heading: String,
    },
    /// Custom fields without a column of their own, as JSON.
    Rest,
}

impl Column {
    fn heading(&self) -> &str {
        match self {
            Self::Known(known) => known.heading,
            Self::Custom { heading, .. } => heading,
            Self::Rest => REST,
        }
    }
}

/// Which columns somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Names of columns, custom fields as `custom.` with their keys; all where there are none.
    pub columns: Option<Vec<String>>,
    /// The custom fields among all columns, by their keys; all where there are none.
    pub custom_fields: Option<Vec<String>>,
}

/// The name of a column that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownColumn(pub String);

/// The table of leads.
pub struct LeadTable {
    walk: LeadWalk,
    workspace: WorkspaceId,
    sight: Sight,
    columns: Vec<Column>,
    pipelines: HashMap<PipelineId, String>,
}

impl LeadTable {
    /// The table of the leads of a walk, as somebody of that sight sees them.
    ///
    /// # Errors
    /// Where the database fails; within, where a column does not exist.
    pub async fn open(
        reader: &Reader,
        workspace: WorkspaceId,
        walk: LeadWalk,
        wanted: Wanted,
        sight: Sight,
    ) -> Result<Result<Self, UnknownColumn>, Error> {
        let (fields, are_all) = custom_fields::held(reader, workspace, Holder::Leads).await?;
        let columns = match columns(wanted, &fields, are_all) {
            Ok(columns) => columns,
            Err(unknown) => return Ok(Err(unknown)),
        };
        let pipelines = pipelines::list(reader, workspace).await?;
        let pipelines = pipelines.into_iter().map(|pipeline| (pipeline.id, pipeline.name)).collect();
        Ok(Ok(Self { walk, workspace, sight, columns, pipelines }))
    }

    fn row(&self, lead: &Lead) -> Vec<Cell> {
        let seen = Seen { lead, sight: self.sight, pipelines: &self.pipelines };
        let fields = self.sight.custom_fields(lead.card.custom_fields.clone());
        self.columns
            .iter()
            .map(|column| match column {
                Column::Known(known) => (known.cell)(&seen),
                Column::Custom { key, .. } => Cell::json(fields.get(key)),
                Column::Rest => rest(&fields, &self.columns),
            })
            .collect()
    }
}

impl Table for LeadTable {
    const NAME: &'static str = "Leads";

    fn headings(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.heading().to_owned()).collect()
    }

    async fn next(&mut self, reader: &Reader) -> Result<Option<Vec<Vec<Cell>>>, Error> {
        let ids = lead_ids(self.walk.next(reader, PAGE).await?);
        if ids.is_empty() {
            return Ok(None);
        }
        let leads = leads::list_by_id(reader, self.workspace, &ids).await?;
        Ok(Some(leads.iter().map(|lead| self.row(lead)).collect()))
    }
}

fn rest(fields: &Map<String, Value>, columns: &[Column]) -> Cell {
    let has_a_column =
        |key: &str| columns.iter().any(|column| matches!(column, Column::Custom { key: known, .. } if known == key));
    let rest: Map<String, Value> = fields
        .iter()
        .filter(|(key, _)| *key != "_displayNames" && !has_a_column(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if rest.is_empty() { Cell::text("") } else { Cell::text(Value::Object(rest).to_string()) }
}

fn columns(wanted: Wanted, fields: &[Held], are_all: bool) -> Result<Vec<Column>, UnknownColumn> {
    let name_of = |key: &str| {
        let field = fields.iter().find(|field| field.key == key);
        field.map_or_else(|| key.to_owned(), |field| field.name.clone())
    };
    let custom = |key: &str| {
        is_usable_key(key)
            .then(|| Column::Custom { key: key.to_owned(), heading: name_of(key) })
            .ok_or_else(|| UnknownColumn(format!("custom.{key}")))
    };
    let mut columns: Vec<Column> = match wanted {
        Wanted { columns: Some(names), .. } => names
            .iter()
            .take(COLUMNS_MAX)
            .map(|name| match name.strip_prefix("custom.") {
                Some(key) => custom(key),
                None => {
                    let known = KNOWN.iter().find(|known| known.key == name);
                    known.map(Column::Known).ok_or_else(|| UnknownColumn(name.clone()))
                }
            })
            .collect::<Result<_, _>>()?,
        Wanted { columns: None, custom_fields: Some(keys) } => {
            let custom = keys.iter().map(|key| custom(key)).collect::<Result<Vec<_>, _>>()?;
            KNOWN.iter().map(Column::Known).chain(custom).collect()
        }
        Wanted { columns: None, custom_fields: None } => {
            let custom = fields.iter().map(|field| custom(&field.key)).collect::<Result<Vec<_>, _>>()?;
            KNOWN.iter().map(Column::Known).chain(custom).chain((!are_all).then_some(Column::Rest)).collect()
        }
    };
    tell_apart(&mut columns);
    Ok(columns)
}

/// A custom field that is called like another column has its key behind its name.
fn tell_apart(columns: &mut [Column]) {
    let headings: Vec<String> = columns.iter().map(|column| column.heading().to_lowercase()).collect();
    let is_taken = |heading: &str| {
        let heading = heading.to_lowercase();
        let others = headings.iter().filter(|other| **other == heading).count();
        others > 1 || KNOWN.iter().any(|known| known.heading.to_lowercase() == heading)
    };
    for column in columns.iter_mut() {
        if let Column::Custom { key, heading } = column
            && is_taken(heading)
        {
            *heading = format!("{heading} ({key})");
        }
    }
}
