//! How long a workspace keeps what, class by class: changing it, looking at what that would delete, and deleting it.

use leadline_domain::{
    ids::{AlertId, WorkspaceId},
    retention::{Class, Memory},
    time::{DAY_MS, HOUR_MS, Timestamp},
};
use leadline_store::{
    Error,
    alerts::{self, Alert},
    retention::{self as stored, Count},
    workspaces,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Actor, Engine,
    audit::{self, Deed},
    mails::{self, Change},
    random_bytes,
};

/// The alert that says that deliveries which were given up go soon, and nobody sent them again.
pub const DEAD_LETTERS_LEAVING: &str = "dead_letters.leaving";

/// How long before they go somebody is told.
const WARN_AHEAD_MS: i64 = 3 * DAY_MS;

/// Rows of a table that are deleted in one transaction, so that nobody waits long behind it.
const AT_ONCE: i64 = 500;

/// Why the days were not changed.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// There is no such workspace.
    #[error("there is no such workspace")]
    NotFound,
    /// A class cannot be kept for so many days.
    #[error("{0:?} cannot be kept for so many days")]
    OutOfRange(Class),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// For how many days somebody wants classes kept: `None` for as many as is usual. Classes that are not named stay.
pub type Wish = [(Class, Option<i64>)];

/// What would go at the next sweep, of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Going {
    /// The class.
    pub class: Class,
    /// How many days it would be kept.
    pub days: i64,
    /// How much goes.
    pub going: Count,
}

/// For how many days a workspace keeps each class.
///
/// # Errors
/// Where there is no such workspace.
pub async fn days(engine: &Engine, actor: &Actor) -> Result<Vec<(Class, i64)>, RetentionError> {
    let settings = settings(engine, actor).await?;
    Ok(Class::ALL.into_iter().map(|class| (class, class.days(&settings))).collect())
}

async fn settings(engine: &Engine, actor: &Actor) -> Result<Value, RetentionError> {
    let found = workspaces::find(&engine.store.reader(), actor.workspace).await?;
    Ok(found.ok_or(RetentionError::NotFound)?.settings)
}

/// Looks at what would go at the next sweep, were the days as somebody wants them. Nothing is changed.
///
/// # Errors
/// Where a class cannot be kept for so many days.
pub async fn preview(engine: &Engine, actor: &Actor, wish: &Wish) -> Result<Vec<Going>, RetentionError> {
    let mut settings = settings(engine, actor).await?;
    apply(&mut settings, wish)?;
    let reader = engine.store.reader();
    let now = believed_now(engine).await?;
    let mut found = Vec::new();
    for class in Class::ALL {
        let before = class.before(&settings, now);
        let going = stored::count_before(&reader, actor.workspace, class, before).await?;
        found.push(Going { class, days: class.days(&settings), going });
    }
    Ok(found)
}

/// The time that the next sweep would go by: what the clock leapt ahead does not count.
async fn believed_now(engine: &Engine) -> Result<Timestamp, Error> {
    let Memory { held_ms, .. } = super::memory(&engine.store).await?;
    Ok(engine.clock.now().plus_ms(-held_ms))
}

/// Changes for how many days a workspace keeps classes. The next sweep goes by it.
///
/// # Errors
/// Where a class cannot be kept for so many days.
pub async fn change(engine: &Engine, actor: &Actor, wish: &Wish) -> Result<Vec<(Class, i64)>, RetentionError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut workspace = workspaces::lock(&mut tx, actor.workspace).await?.ok_or(RetentionError::NotFound)?;
    let before = shown(&workspace.settings);
    apply(&mut workspace.settings, wish)?;
    let after = shown(&workspace.settings);
    workspaces::update(&mut tx, workspace.id, &workspace.name, &workspace.settings).await?;
    let deed = Deed::on_workspace("retention.updated").with(audit::changes(&before, &after));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(Class::ALL.into_iter().map(|class| (class, class.days(&workspace.settings))).collect())
}

fn shown(settings: &Value) -> Value {
    let days = Class::ALL.into_iter().map(|class| (class.setting().to_owned(), json!(class.days(settings))));
    Value::Object(days.collect())
}

fn apply(settings: &mut Value, wish: &Wish) -> Result<(), RetentionError> {
    for (class, days) in wish {
        let Value::Object(settings) = &mut *settings else { continue };
        match days {
            Some(days) if !class.range().contains(days) => return Err(RetentionError::OutOfRange(*class)),
            Some(days) => drop(settings.insert(class.setting().to_owned(), json!(days))),
            None => drop(settings.remove(class.setting())),
        }
    }
    Ok(())
}

/// Deletes what every workspace has kept for long enough by `now`.
///
/// # Errors
/// Where the database fails; what was deleted before that stays deleted.
pub async fn sweep(engine: &Engine, now: Timestamp) -> Result<(), Error> {
    let store = &engine.store;
    let mut tx = store.begin().await?;
    let ids = workspaces::list_ids(&mut tx).await?;
    let all = workspaces::settings_of(&mut tx, &ids).await?;
    tx.rollback().await?;
    for (workspace, settings) in all {
        loop {
            let mut tx = store.begin().await?;
            let mut deleted = 0;
            for class in Class::ALL {
                let before = class.before(&settings, now);
                deleted += stored::delete_before(&mut tx, workspace, class, before, AT_ONCE).await?;
            }
            tx.commit().await?;
            if deleted == 0 {
                break;
            }
        }
        warn(engine, workspace, &settings, now).await?;
    }
    Ok(())
}

/// Says while there is time that dead letters are about to go, or that none are any more.
async fn warn(engine: &Engine, workspace: WorkspaceId, settings: &Value, now: Timestamp) -> Result<(), Error> {
    let kept_ms = Class::DeadLetters.days(settings) * DAY_MS;
    // Where they are kept for a few days only, half of those.
    let ahead_ms = WARN_AHEAD_MS.min(kept_ms / 2);
    let before = Class::DeadLetters.before(settings, now.plus_ms(ahead_ms));
    let going = stored::count_before(&engine.store.reader(), workspace, Class::DeadLetters, before).await?;
    let mut tx = engine.store.begin().await?;
    if going.n == 0 {
        alerts::close(&mut tx, workspace, DEAD_LETTERS_LEAVING, Uuid::nil(), now).await?;
        return tx.commit().await;
    }
    let alert = Alert {
        id: AlertId::new(now, random_bytes()),
        workspace_id: workspace,
        kind: DEAD_LETTERS_LEAVING.to_owned(),
        subject_id: Uuid::nil(),
        subject_name: "Dead letters".to_owned(),
        data: json!({"count": going.n, "isCapped": going.is_capped, "hours": ahead_ms / HOUR_MS}),
        opened_at: now,
        acknowledged_at: None,
        acknowledged_by: None,
        closed_at: None,
    };
    if alerts::open(&mut tx, &alert).await? {
        mails::queue(engine, &mut tx, &alert, Change::Opened, now).await?;
    }
    tx.commit().await
}
