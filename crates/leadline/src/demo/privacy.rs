//! Somebody in the demonstration who asked not to be written to, so that their page shows it.

use leadline_engine::{
    Actor, Engine,
    privacy::suppressions::{self, Wish},
};
use leadline_store::leads::{self, LeadFilter, SortBy, SortOrder};

/// Puts the latest lead but a few on the suppression list.
pub(super) async fn fill(engine: &Engine, owner: &Actor) -> anyhow::Result<()> {
    let order = (SortBy::CreatedAt, SortOrder::Descending);
    let found = leads::list(&engine.store.reader(), owner.workspace, &LeadFilter::default(), order, (50, 0)).await?;
    let Some(email) = found.rows.into_iter().skip(20).find_map(|lead| lead.email) else { return Ok(()) };
    let note = Some("Asked on the phone to be left alone".to_owned());
    suppressions::add(engine, owner, &Wish { email: Some(email), phone: None, note }).await?;
    Ok(())
}
