//! `leadline key rotate`: a new sealing key, with the identity key kept.
//!
//! The order is what makes it safe to be cut off: both sealing keys stand in the file before any row is sealed with the
//! new one, and the old one leaves it after every row is. A variable only its operator can change, so there each of
//! these two steps is a run of its own.

use std::time::Duration;

use anyhow::{Context, bail};
use leadline_engine::seal::{Keys, resealing};
use leadline_store::{Store, sealed};
use tokio::time::{Instant, sleep};

use crate::{
    Exit,
    config::{Config, Misconfigured},
    demo,
    secret_key::{self, KeyFile, Place, VARIABLE},
    serve,
};

/// How long connections to the database may take to go.
const PATIENCE: Duration = Duration::from_secs(2);

/// Rotates the sealing key, or finishes a rotation that was begun.
pub(crate) async fn rotate(config: &Config) -> anyhow::Result<Exit> {
    let missing = || Misconfigured::new("secret key", "there is none yet; the first `leadline serve` makes one");
    if !config.data_dir.exists() {
        return Err(missing().into());
    }
    let key_file = secret_key::find(config.secret_key.as_deref(), &config.data_dir)?.ok_or_else(missing)?;
    let begins_in_the_variable = key_file.place == Place::Variable && !key_file.keys.is_rotating();
    if begins_in_the_variable {
        return begin_in_the_variable(config, &key_file).await;
    }
    let _nobody_serves_here = serve::lock(&config.data_dir).context("stop it, then run this again")?;
    let store = open_alone(config).await?;
    key_file.confirm(&store).await?;
    let keys = both(&key_file)?;
    reseal(&store, &keys).await?;
    store.close().await;
    demo::reseal(&config.data_dir, &keys)?;
    finish(&key_file.place, &keys.after_rotation())?;
    Ok(Exit::Done)
}

/// Prints a value with a new key beside the old one. Nothing is changed, so servers may run.
async fn begin_in_the_variable(config: &Config, key_file: &KeyFile) -> anyhow::Result<Exit> {
    let store = crate::admin::open(config).await?;
    key_file.confirm(&store).await?;
    store.close().await;
    println!("{}", key_file.keys.rotated().write_down(","));
    eprintln!(
        "Nothing is changed yet. The line above is the key with a new one beside it: set {VARIABLE} to it, the same for \
         every node. Then stop all of them, run `leadline key rotate` once more with it, and set what that prints."
    );
    Ok(Exit::Done)
}

/// The keys with the new one and the one before, on the disk before anything is sealed with the new one.
fn both(key_file: &KeyFile) -> anyhow::Result<Keys> {
    if key_file.keys.is_rotating() {
        eprintln!("A rotation was begun before; it is finished now.");
        return Ok(key_file.keys.clone());
    }
    let keys = key_file.keys.rotated();
    match &key_file.place {
        Place::File(path) | Place::NewFile(path) => KeyFile::replace(path, &keys)?,
        // What seals from here on must be written down somewhere first.
        Place::Variable => bail!("{VARIABLE} holds one sealing key alone"),
    }
    Ok(keys)
}

async fn reseal(store: &Store, keys: &Keys) -> anyhow::Result<()> {
    let done = resealing::reseal(store, keys).await.context(
        "not everything is sealed with the new key yet; both keys are kept, so nothing is lost: run this again",
    )?;
    eprintln!("{} rows are sealed with the new key.", done.rows);
    for (place, id) in &done.unsealable {
        eprintln!(
            "Left as it was, since no key opens it, and none did before: {}.{} of {id}",
            place.table, place.column
        );
    }
    Ok(())
}

fn finish(place: &Place, keys: &Keys) -> anyhow::Result<()> {
    match place {
        Place::File(path) | Place::NewFile(path) => {
            KeyFile::replace(path, keys)?;
            eprintln!(
                "{} holds the new key. Back it up; backups from before need the key of their time.",
                path.display()
            );
        }
        Place::Variable => {
            println!("{}", keys.write_down(","));
            eprintln!(
                "Set {VARIABLE} to the line above, the same for every node, and start them. Back it up; backups from \
                 before need the key of their time."
            );
        }
    }
    Ok(())
}

/// The database, where no running server is connected to it: it would go on sealing with the old key.
async fn open_alone(config: &Config) -> anyhow::Result<Store> {
    let store = Store::connect(&config.database_url, config.durability).await;
    let store = store.context("the database cannot be opened")?;
    let others = others_after_a_while(&store).await.context("the database cannot be read")?;
    if others > 0 {
        store.close().await;
        bail!(
            "{others} connections of other Leadline processes to this database are open: stop all of them, then run \
             this again"
        );
    }
    store.migrate().await.context("the tables cannot be brought up to date")?;
    Ok(store)
}

/// The connections of a process that ended a moment ago go by themselves.
async fn others_after_a_while(store: &Store) -> Result<i64, leadline_store::Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let others = sealed::count_other_connections(&store.reader()).await?;
        if others == 0 || Instant::now() >= deadline {
            return Ok(others);
        }
        sleep(Duration::from_millis(100)).await;
    }
}
