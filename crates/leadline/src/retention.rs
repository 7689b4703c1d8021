//! `leadline retention`: by which time things are deleted, and an operator's word that the clock is right.

use anyhow::Context;
use leadline_domain::{retention::Memory, time::DAY_MS};
use leadline_engine::retention;
use serde_json::json;

use crate::{Exit, admin, config::Config};

/// Tells whether a leap of the clock is held back. Ends with 1 where it is.
pub(crate) async fn status(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let store = admin::open(config).await?;
    let memory = retention::memory(&store).await.context("the database cannot be read")?;
    store.close().await;
    let Memory { believed_at, held_ms, held_since } = memory;
    let days = held_ms / DAY_MS;
    if as_json {
        println!("{}", json!({"believedAt": believed_at, "heldDays": days, "heldSince": held_since}));
    } else {
        match (believed_at, held_since) {
            (None, _) => println!("nothing was deleted yet; the first look at the clock comes with `leadline serve`"),
            (Some(at), None) => println!("things are deleted by the clock; it was last looked at at {at}"),
            (Some(at), Some(since)) => println!(
                "the clock leapt {days} days ahead, and said {since}; things are deleted as if it were {at}. \
                 If it is right, run `leadline retention confirm`"
            ),
        }
    }
    Ok(if held_ms == 0 { Exit::Done } else { Exit::Failed })
}

/// Takes the operator's word that the clock is right.
pub(crate) async fn confirm(config: &Config) -> anyhow::Result<Exit> {
    let store = admin::open(config).await?;
    let now = admin::now();
    let before = retention::confirm(&store, now).await.context("the database cannot be written")?;
    store.close().await;
    let days = before.held_ms / DAY_MS;
    eprintln!(
        "It is {now}. {days} days that were held back count from now on; what is over is deleted within the hour."
    );
    Ok(Exit::Done)
}
