//! Tasks: making, changing and ticking them off, and telling of them in time.

use leadline_domain::{
    ids::{EventId, LeadId, TaskId, UserId, WorkspaceId},
    permissions::Permission,
    personal_alerts::AlertKind,
    tasks::{TITLE_MAX_CHARS, Times, Told},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    events::{self, NewEvent},
    leads, personal_alerts,
    tasks::{self, DueTask, Task},
    workers,
};
use serde_json::{Value, json};

use super::{
    WorkError,
    alerts::{Telling, tell},
};
use crate::{Actor, Engine, random_bytes};

/// Tasks that are told of in one transaction.
const AT_ONCE: i64 = 100;

/// A task that somebody makes.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of a task under their own names")]
pub struct NewTask {
    pub lead: Option<LeadId>,
    pub title: String,
    /// Whoever makes it, where nobody is named.
    pub assignee: Option<UserId>,
    pub due_at: Option<Timestamp>,
    pub remind_at: Option<Timestamp>,
}

/// What somebody changes on a task. What is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of a task under their own names")]
pub struct TaskChange {
    pub title: Option<String>,
    pub assignee: Option<UserId>,
    pub due_at: Option<Option<Timestamp>>,
    pub remind_at: Option<Option<Timestamp>>,
    pub is_done: Option<bool>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Makes a task and tells its id.
///
/// # Errors
/// Where the title is empty or too long, or what it names is not there.
pub async fn create(engine: &Engine, actor: &Actor, new: &NewTask) -> Result<TaskId, WorkError> {
    let now = engine.clock.now();
    let title = checked_title(&new.title)?;
    let assignee = new.assignee.or(actor.user).ok_or_else(|| WorkError::field("/assigneeId", "is required here"))?;
    let mut tx = engine.store.begin().await?;
    if let Some(lead) = new.lead {
        let found = leads::lock(&mut tx, actor.workspace, &[lead]).await?.pop();
        if found.is_none_or(|lead| lead.deleted_at.is_some()) {
            return Err(WorkError::field("/leadId", "is no lead here"));
        }
    }
    let assignee_name = member(&mut tx, actor, assignee).await?;
    let mut task = Task {
        id: TaskId::new(now, random_bytes()),
        lead_id: new.lead,
        title,
        assignee_id: assignee,
        times: Times::default(),
        done_by_name: None,
        made_by: actor.user,
        made_by_name: actor.name.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    task.times = task.times.with(new.due_at, new.remind_at);
    tasks::write(&mut tx, actor.workspace, &task).await?;
    let data = json!({"title": task.title, "assigneeName": assignee_name, "dueAt": task.times.due_at});
    leave(&mut tx, engine, actor, &task, Some(("task.added", data))).await?;
    tell_of_gift(&mut tx, engine, actor, &task).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(task.id)
}

/// Changes a task, ticks it off, or opens it again.
///
/// # Errors
/// Where it is not there, was changed since, or cannot be so.
pub async fn update(engine: &Engine, actor: &Actor, id: TaskId, change: &TaskChange) -> Result<(), WorkError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let before = tasks::lock(&mut tx, actor.workspace, id).await?.ok_or(WorkError::NotFound)?;
    if change.version.is_some_and(|version| version != before.version) {
        return Err(WorkError::Stale);
    }
    let mut task = before.clone();
    if let Some(title) = &change.title {
        task.title = checked_title(title)?;
    }
    if let Some(assignee) = change.assignee.filter(|assignee| *assignee != before.assignee_id) {
        member(&mut tx, actor, assignee).await?;
        task.assignee_id = assignee;
    }
    let due_at = change.due_at.unwrap_or(before.times.due_at);
    task.times = before.times.with(due_at, change.remind_at.unwrap_or(before.times.remind_at));
    if let Some(is_done) = change.is_done.filter(|is_done| *is_done != before.times.done_at.is_some()) {
        task.times.done_at = is_done.then_some(now);
        task.done_by_name = is_done.then(|| actor.name.clone());
    }
    if task == before {
        return Ok(());
    }
    task.version += 1;
    task.updated_at = now;
    tasks::write(&mut tx, actor.workspace, &task).await?;
    let (was_done, is_done) = (before.times.done_at.is_some(), task.times.done_at.is_some());
    let line = match (was_done, is_done) {
        (false, true) => Some(("task.done", json!({"title": task.title}))),
        (true, false) => Some(("task.reopened", json!({"title": task.title}))),
        (true, true) | (false, false) => None,
    };
    if is_done || task.times != before.times || task.assignee_id != before.assignee_id {
        personal_alerts::delete_of_task(&mut tx, id).await?;
    }
    leave(&mut tx, engine, actor, &task, line).await?;
    if task.assignee_id != before.assignee_id && !is_done {
        tell_of_gift(&mut tx, engine, actor, &task).await?;
    }
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

/// Deletes a task.
///
/// # Errors
/// Where it is not there.
pub async fn delete(engine: &Engine, actor: &Actor, id: TaskId) -> Result<(), WorkError> {
    let mut tx = engine.store.begin().await?;
    let task = tasks::lock(&mut tx, actor.workspace, id).await?.ok_or(WorkError::NotFound)?;
    personal_alerts::delete_of_task(&mut tx, id).await?;
    tasks::delete(&mut tx, actor.workspace, id).await?;
    leave(&mut tx, engine, actor, &task, None).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

fn checked_title(title: &str) -> Result<String, WorkError> {
    let title = title.trim();
    let is_good = !title.is_empty() && title.chars().count() <= TITLE_MAX_CHARS && !title.chars().any(char::is_control);
    if is_good {
        return Ok(title.to_owned());
    }
    Err(WorkError::field("/title", "has 1 to 200 characters, in one line"))
}

/// The name of somebody who can be given a task.
async fn member(tx: &mut Tx, actor: &Actor, user: UserId) -> Result<String, WorkError> {
    let found = workers::find_in(tx, actor.workspace, &[user]).await?.remove(&user);
    let can = found.filter(|worker| worker.role.may(Permission::LeadsView));
    let message = "is no member of the workspace who sees leads";
    can.map(|worker| worker.name).ok_or_else(|| WorkError::field("/assigneeId", message))
}

async fn tell_of_gift(tx: &mut Tx, engine: &Engine, actor: &Actor, task: &Task) -> Result<(), Error> {
    if actor.user == Some(task.assignee_id) {
        return Ok(());
    }
    let telling = Telling::of_task(task.assignee_id, AlertKind::TaskAssigned, task);
    tell(engine, tx, actor.workspace, &[telling]).await
}

/// Writes the line on the lead's timeline, where there is one, and the event by which open screens look again.
async fn leave(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    task: &Task,
    line: Option<(&str, Value)>,
) -> Result<(), Error> {
    if let (Some(lead), Some((kind, data))) = (task.lead_id, line) {
        events::insert_activities(tx, &[engine.activity(actor, lead, kind, data)]).await?;
    }
    events::append(tx, &[moved(engine, actor.workspace, task)]).await
}

fn moved(engine: &Engine, workspace: WorkspaceId, task: &Task) -> NewEvent {
    let now = engine.clock.now();
    NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: workspace,
        kind: "task.moved".to_owned(),
        lead_id: task.lead_id,
        submission_id: None,
        data: json!({"taskId": task.id}),
        created_at: now.0,
        dispatched: false,
    }
}

/// Tells of tasks whose time it is, each thing of each once; tells how many tasks those were.
///
/// # Errors
/// Where the database fails.
pub async fn remind_due(engine: &Engine) -> Result<usize, Error> {
    let now = engine.clock.now();
    if !tasks::is_due(&engine.store.reader(), now).await? {
        return Ok(0);
    }
    let mut tx = engine.store.begin().await?;
    let due = tasks::claim_due(&mut tx, now, AT_ONCE).await?;
    for DueTask { workspace_id, task, is_void } in &due {
        let mut times = task.times;
        let Some((_, told)) = times.next().filter(|(at, _)| *at <= now && !is_void) else {
            tasks::note_told(&mut tx, task.id, &times, None).await?;
            continue;
        };
        let kind = match told {
            Told::Reminder => {
                times.reminded_at = Some(now);
                AlertKind::TaskReminder
            }
            Told::Overdue => {
                times.overdue_told_at = Some(now);
                AlertKind::TaskOverdue
            }
        };
        tasks::note_told(&mut tx, task.id, &times, times.next().map(|(at, _)| at)).await?;
        tell(engine, &mut tx, *workspace_id, &[Telling::of_task(task.assignee_id, kind, task)]).await?;
        events::append(&mut tx, &[moved(engine, *workspace_id, task)]).await?;
    }
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(due.len())
}
