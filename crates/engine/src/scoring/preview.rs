//! What other weights would make of leads that are there. Nothing is stored.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    scores::{Scoring, Weights},
};
use leadline_store::{Error, scoring::leads};

use super::scored;
use crate::Engine;

/// Leads that are looked at.
pub const LEADS: i64 = 1_000;

/// Leads that are named.
const MOVERS: usize = 10;

/// Where a band begins.
pub const BANDS: [i64; 4] = [0, 25, 50, 75];

/// What other weights would make of the newest leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// How many were looked at.
    pub leads: i64,
    /// How many of them would have another score.
    pub changed: i64,
    /// How many are in each band now.
    pub before: [i64; BANDS.len()],
    /// How many would be.
    pub after: [i64; BANDS.len()],
    /// Those that would move most, the farthest first.
    pub movers: Vec<Mover>,
}

/// A lead that would move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mover {
    /// The lead.
    pub id: LeadId,
    /// What it is called.
    pub name: String,
    /// Its score now.
    pub before: i64,
    /// What it would be.
    pub after: i64,
}

/// Looks at what these weights would make of the workspace's newest leads.
///
/// # Errors
/// Where the database fails.
pub async fn preview(engine: &Engine, workspace: WorkspaceId, weights: Weights) -> Result<Preview, Error> {
    let scoring = Scoring { version: 0, weights };
    let now = engine.clock.now();
    let found = leads::newest(&engine.store.reader(), workspace, LEADS).await?;
    let scores = found.into_iter().map(|lead| {
        let after = scored(&lead, &scoring, now).score;
        Mover { id: lead.id, before: lead.scores.score, after, name: lead.name }
    });
    Ok(summary(scores.collect()))
}

fn summary(mut leads: Vec<Mover>) -> Preview {
    let mut preview = Preview {
        leads: i64::try_from(leads.len()).unwrap_or(i64::MAX),
        changed: 0,
        before: [0; BANDS.len()],
        after: [0; BANDS.len()],
        movers: Vec::new(),
    };
    for lead in &leads {
        preview.before[band(lead.before)] += 1;
        preview.after[band(lead.after)] += 1;
    }
    leads.retain(|lead| lead.before != lead.after);
    preview.changed = i64::try_from(leads.len()).unwrap_or(i64::MAX);
    leads.sort_by_key(|lead| (-(lead.after - lead.before).abs(), lead.id));
    leads.truncate(MOVERS);
    preview.movers = leads;
    preview
}

fn band(score: i64) -> usize {
    BANDS.iter().rposition(|begins| score >= *begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn leads_are_counted_by_band_and_the_farthest_are_named() {
        let leads = (0..30).map(|n| Mover {
            id: LeadId(Uuid::from_u128(n)),
            name: n.to_string(),
            before: 24,
            after: 24 + i64::try_from(n).unwrap_or(0) * 2,
        });

        let preview = summary(leads.collect());

        assert_eq!((preview.leads, preview.changed), (30, 29));
        assert_eq!((preview.before, preview.after), ([30, 0, 0, 0], [1, 12, 13, 4]));
        let names: Vec<&str> = preview.movers.iter().map(|mover| mover.name.as_str()).collect();
        assert_eq!((names.len(), &names[..2]), (10, ["29", "28"].as_slice()));
    }
}
