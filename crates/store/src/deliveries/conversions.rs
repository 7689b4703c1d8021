//! The conversions of a destination with what their leads' clicks are known by: for the file that is uploaded by hand.

use leadline_domain::{
    attribution::Touch,
    ids::{DeliveryId, DestinationId, WorkspaceId},
    time::Timestamp,
};
use serde_json::{Map, Value};

use crate::sql::{Error, Reader, params};

/// One conversion.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// The delivery that it is.
    pub id: DeliveryId,
    /// When the lead took the step.
    pub at: Timestamp,
    /// As which goal of its destination it counts.
    pub goal: String,
    /// Where the lead came from: its last touch, its first, and every other that is known.
    pub touches: Vec<Touch>,
    /// The lead's custom fields.
    pub custom_fields: Map<String, Value>,
    /// What the lead was sold for, in thousandths of the workspace's currency.
    pub sales_value_milli: Option<i64>,
    /// That currency, where the workspace chose one.
    pub currency: Option<String>,
}

/// Which conversions.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// From then on.
    pub from: Timestamp,
    /// Until before then.
    pub to: Timestamp,
    /// The last one that was read; those after it are meant.
    pub after: Option<(Timestamp, DeliveryId)>,
}

/// The next conversions to a destination, the oldest first, whatever became of them. By `deliveries_of_destination`.
/// Leads that were deleted are left out.
///
/// # Errors
/// Where the database fails.
pub async fn list_conversions(
    reader: &Reader,
    workspace: WorkspaceId,
    destination: DestinationId,
    span: Span,
    limit: i64,
) -> Result<Vec<Conversion>, Error> {
    let dialect = reader.dialect();
    let (after_at, after_id) = span.after.unwrap_or((Timestamp(span.from.0 - 1), DeliveryId(uuid::Uuid::nil())));
    let sql = format!(
        "SELECT d.id, d.created_at, d.goal, {first} AS first_touch, {last} AS last_touch, {touches} AS touches,
             {custom} AS custom_fields, l.sales_value_milli,
             (SELECT w.settings->>'currency' FROM workspaces AS w WHERE w.id = d.workspace_id) AS currency
         FROM deliveries AS d JOIN leads AS l ON l.id = d.lead_id AND l.workspace_id = d.workspace_id
         WHERE d.destination_id = $1 AND {of_workspace} AND d.created_at >= $3 AND d.created_at < $4
           AND (d.created_at > $5 OR d.id > $6) AND d.goal IS NOT NULL AND l.deleted_at IS NULL
         ORDER BY d.created_at, d.id LIMIT $7",
        first = dialect.json_text("l.first_touch"),
        last = dialect.json_text("l.last_touch"),
        touches = dialect.json_text("l.touches"),
        custom = dialect.json_text("l.custom_fields"),
        of_workspace = dialect.equal_unindexed("d.workspace_id", 2),
    );
    let from = Timestamp(span.from.0.max(after_at.0));
    let values = params![destination, workspace, from, span.to, after_at, after_id, limit];
    let rows = reader.query(&sql, &values).await?;
    rows.iter()
        .map(|row| {
            let text = |column: &str| row.get::<Option<String>>(column);
            let custom: Option<String> = text("custom_fields")?;
            Ok(Conversion {
                id: row.get("id")?,
                at: row.get("created_at")?,
                goal: row.get("goal")?,
                touches: touches_of(&[text("last_touch")?, text("first_touch")?], text("touches")?.as_deref()),
                custom_fields: custom.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
                sales_value_milli: row.get("sales_value_milli")?,
                currency: row.get("currency")?,
            })
        })
        .collect()
}

/// Touches out of their columns. What is none (a lead that came without a visit) is left out.
#[must_use]
pub fn touches_of(single: &[Option<String>], all: Option<&str>) -> Vec<Touch> {
    let one = |text: &Option<String>| serde_json::from_str(text.as_deref()?).ok();
    let all: Vec<Touch> = all.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    single.iter().filter_map(one).chain(all).collect()
}
