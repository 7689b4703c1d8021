//! Changing what a lead is worth, and why it was won or lost.

use leadline_domain::{
    pipelines::StageKind,
    time::Timestamp,
    values::{Amount, Quotable, Values},
};
use leadline_store::{
    Error, Tx,
    leads::{self, LeadValues, Locked},
    pipelines,
};
use serde_json::{Value, json};

use super::{Fault, LeadError, Record};
use crate::Actor;

/// What somebody changes. `None` leaves it, `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct WorthChanges {
    pub quotable: Option<Quotable>,
    pub quote_value: Option<Option<Amount>>,
    pub sales_value: Option<Option<Amount>>,
    pub close_reason: Option<Option<String>>,
}

/// What a lead is worth from now on, and why it was won or lost.
pub(super) struct Worth {
    values: Values,
    close_reason: Option<String>,
}

/// The lead's worth with the changes put over it.
pub(super) async fn changed(
    tx: &mut Tx,
    actor: &Actor,
    lead: &Locked,
    changes: &WorthChanges,
    faults: &mut Vec<Fault>,
) -> Result<Worth, LeadError> {
    let values = Values {
        quotable: changes.quotable.unwrap_or(lead.values.quotable),
        quote: changes.quote_value.unwrap_or(lead.values.quote),
        sales: changes.sales_value.unwrap_or(lead.values.sales),
    };
    let mut close_reason = lead.close_reason.clone();
    if let Some(wanted) = changes.close_reason.as_ref().filter(|wanted| **wanted != lead.close_reason) {
        let kind = pipelines::left_stages(tx, actor.workspace, &[lead.stage_id]).await?.remove(&lead.stage_id);
        let kind = kind.map_or(StageKind::Open, |stage| stage.kind);
        let closing = pipelines::closing_of(tx, actor.workspace, lead.pipeline_id).await?;
        match closing.reason(kind, wanted.as_deref(), None) {
            Ok(reason) => close_reason = reason,
            Err(fault) => faults.push(Fault::new("/closeReason", fault.to_string())),
        }
    }
    Ok(Worth { values, close_reason })
}

impl Worth {
    /// What differs, as it stands in the timeline: field, before, after.
    pub(super) fn differences(&self, lead: &Locked) -> Vec<(&'static str, Value, Value)> {
        let shown = |amount: Option<Amount>| json!(amount.map(|amount| amount.to_string()));
        let (before, after) = (&lead.values, &self.values);
        let mut differences = vec![
            ("quotable", json!(before.quotable.as_str()), json!(after.quotable.as_str())),
            ("quoteValue", shown(before.quote), shown(after.quote)),
            ("salesValue", shown(before.sales), shown(after.sales)),
            ("closeReason", json!(lead.close_reason), json!(self.close_reason)),
        ];
        differences.retain(|(_, from, to)| from != to);
        differences
    }

    /// Writes it, and what the lead's column is worth more or less.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        record: &mut Record<'_>,
        actor: &Actor,
        lead: &Locked,
        now: Timestamp,
    ) -> Result<(), Error> {
        leads::set_values(tx, &[LeadValues { id: lead.id, values: self.values }]).await?;
        leads::set_close_reason(tx, actor.workspace, lead.id, self.close_reason.as_deref(), now).await?;
        record.count((lead.pipeline_id, lead.stage_id), 0, self.values.milli() - lead.values.milli());
        Ok(())
    }
}
