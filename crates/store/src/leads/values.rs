//! What leads are worth, and why they were won or lost. The sums of columns are kept beside their counts, as deltas in the
//! same rows, so that they cost a lead's change and a board's reading nothing of their own.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    time::Timestamp,
    values::{Amount, Quotable, Values},
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Row, Tx, json_set, params},
};

/// What [`read_values`] reads.
pub(crate) const VALUE_COLUMNS: &str = "leads.quotable, leads.quote_value_milli, leads.sales_value_milli";

/// What [`VALUE`] is made of.
pub(super) const VALUE_PARTS: [&str; 2] = ["quote_value_milli", "sales_value_milli"];

/// The one number of a lead, as `Values::milli` counts it.
pub(super) const VALUE: &str = "coalesce(leads.sales_value_milli, leads.quote_value_milli, 0)";

/// The sum of deltas, in two parts: very many very large ones are more than a number of the database holds.
pub(super) const SUM: &str = "CAST(coalesce(sum(value_milli / 1000000), 0) AS BIGINT) AS value_high,
     CAST(coalesce(sum(value_milli % 1000000), 0) AS BIGINT) AS value_low";

/// Reads [`SUM`].
pub(super) fn read_sum(row: &Row) -> Result<i128, Error> {
    let (high, low): (i64, i64) = (row.get("value_high")?, row.get("value_low")?);
    Ok(i128::from(high) * 1_000_000 + i128::from(low))
}

/// Reads [`VALUE_COLUMNS`].
pub(crate) fn read_values(row: &Row) -> Result<Values, Error> {
    let quotable: String = row.get("quotable")?;
    let wrong = |column: &str| Error::Column { column: column.to_owned() };
    let amount = |column: &str| {
        let milli: Option<i64> = row.get(column)?;
        milli.map(|milli| Amount::from_milli(milli).ok_or_else(|| wrong(column))).transpose()
    };
    Ok(Values {
        quotable: Quotable::parse(&quotable).ok_or_else(|| wrong("quotable"))?,
        quote: amount("quote_value_milli")?,
        sales: amount("sales_value_milli")?,
    })
}

/// What a lead is worth from now on.
#[derive(Debug, Clone, Copy)]
pub struct LeadValues {
    /// The lead.
    pub id: LeadId,
    /// Its values.
    pub values: Values,
}

#[derive(Serialize)]
struct ValuesRow {
    id: LeadId,
    quotable: &'static str,
    quote_value_milli: Option<i64>,
    sales_value_milli: Option<i64>,
}

const ROW_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("quotable", Kind::Text),
    ("quote_value_milli", Kind::Integer),
    ("sales_value_milli", Kind::Integer),
];

/// Writes what leads are worth, beside other changes of the same transaction that count their versions. The rows must be
/// locked or new, and the sums of their columns are the caller's to add.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn set_values(tx: &mut Tx, rows: &[LeadValues]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE leads SET quotable = r.quotable, quote_value_milli = r.quote_value_milli,
                          sales_value_milli = r.sales_value_milli
         FROM {set} WHERE leads.id = r.id",
        set = tx.dialect().set(1, ROW_COLUMNS),
    );
    let written: Vec<ValuesRow> = rows
        .iter()
        .map(|row| ValuesRow {
            id: row.id,
            quotable: row.values.quotable.as_str(),
            quote_value_milli: row.values.quote.map(Amount::milli),
            sales_value_milli: row.values.sales.map(Amount::milli),
        })
        .collect();
    let changed = tx.execute(&sql, &[json_set(&written)]).await?;
    if changed == rows.len() as u64 { Ok(()) } else { Err(Error::Contended) }
}

/// Writes why a lead was won or lost, and counts its version.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn set_close_reason(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: LeadId,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE leads SET close_reason = $3, updated_at = $4, version = version + 1
               WHERE id = $1 AND workspace_id = $2";
    let changed = tx.execute(sql, &params![id, workspace, reason, now]).await?;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}
