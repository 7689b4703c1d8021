//! What single users are told of, under the bell and by e-mail, as each wants it.
//!
//! Whoever causes something is not told of it. Many leads at once are one alert, and e-mail names no person: it says
//! what there is to look at, and where.

use std::collections::BTreeMap;

use leadline_domain::{
    ids::{LeadId, PersonalAlertId, TaskId, UserId, WorkspaceId, derived},
    permissions::Permission,
    personal_alerts::{AlertKind, Ways},
    time::{DAY_MS, HOUR_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    events::Event,
    leads,
    personal_alerts::{self, NewPersonalAlert},
    workers,
};

use super::{WorkError, distinct};
use crate::{Actor, Engine, mails, random_bytes};

/// How long alerts are kept, seen or not.
pub const KEPT_MS: i64 = 90 * DAY_MS;

/// So many leads that come to somebody at once have an alert each; more are one.
const FEW: usize = 3;

/// Somebody who is to be told of something.
#[derive(Debug, Clone)]
pub(super) struct Telling {
    user: UserId,
    kind: AlertKind,
    lead: Option<LeadId>,
    task: Option<TaskId>,
    /// What e-mail may say of a task.
    title: Option<String>,
}

impl Telling {
    pub(super) fn of_lead(user: UserId, kind: AlertKind, lead: LeadId) -> Self {
        Self { user, kind, lead: Some(lead), task: None, title: None }
    }

    /// Of a task; of one with a lead e-mail says no title, which may name a person.
    pub(super) fn of_task(user: UserId, kind: AlertKind, task: &leadline_store::tasks::Task) -> Self {
        let title = task.lead_id.is_none().then(|| task.title.clone());
        Self { user, kind, lead: task.lead_id, task: Some(task.id), title }
    }
}

/// Tells users of leads that came to them or came back.
pub(super) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event]) -> Result<(), Error> {
    let user = |event: &Event, name: &str| event.data[name].as_str().and_then(|id| id.parse::<UserId>().ok());
    let returned: Vec<LeadId> = events
        .iter()
        .filter(|event| event.kind == "lead.re_engaged" && !event.is_quiet())
        .filter_map(|event| event.lead_id)
        .collect();
    let owners = leads::owners(tx, &returned).await?;
    let mut of_workspace: BTreeMap<WorkspaceId, Vec<Telling>> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.is_quiet()) {
        let Some(lead) = event.lead_id else { continue };
        let telling = match event.kind.as_str() {
            "lead.assigned" => {
                let to = user(event, "to").filter(|to| user(event, "by") != Some(*to));
                to.map(|to| Telling::of_lead(to, AlertKind::LeadAssigned, lead))
            }
            "lead.re_engaged" => owners.get(&lead).map(|owner| Telling::of_lead(*owner, AlertKind::LeadReturned, lead)),
            _ => None,
        };
        of_workspace.entry(event.workspace_id).or_default().extend(telling);
    }
    for (workspace, telling) in of_workspace {
        tell(engine, tx, workspace, &telling).await?;
    }
    Ok(())
}

/// Tells members what they want to be told of. Who is no member any more, or may not see leads, is told nothing.
pub(super) async fn tell(
    engine: &Engine,
    tx: &mut Tx,
    workspace: WorkspaceId,
    telling: &[Telling],
) -> Result<(), Error> {
    if telling.is_empty() {
        return Ok(());
    }
    let now = engine.clock.now();
    let users = distinct(&telling.iter().map(|one| one.user).collect::<Vec<_>>());
    let workers = workers::find_in(tx, workspace, &users).await?;
    let mut groups: BTreeMap<(UserId, AlertKind), Vec<&Telling>> = BTreeMap::new();
    for one in telling {
        groups.entry((one.user, one.kind)).or_default().push(one);
    }
    let (mut shown, mut sent) = (Vec::new(), Vec::new());
    for ((user, kind), group) in groups {
        let Some(worker) = workers.get(&user).filter(|worker| worker.role.may(Permission::LeadsView)) else {
            continue;
        };
        let Ways { app, mail } = worker.wishes.of(kind);
        let alerts = if group.len() > FEW {
            vec![together(workspace, (user, kind), group.len(), now)]
        } else {
            group.iter().map(|one| alone(workspace, one, now)).collect()
        };
        if mail {
            let title = group.first().and_then(|one| one.title.as_deref());
            sent.extend(alerts.iter().map(|alert| mails::Personal {
                worker,
                kind,
                id: alert.id,
                lead: alert.lead_id,
                count: alert.n,
                title,
            }));
        }
        if app {
            shown.extend(alerts);
        }
    }
    mails::queue_personal(engine, tx, workspace, &sent, now).await?;
    personal_alerts::insert(tx, &shown).await
}

fn alone(workspace: WorkspaceId, one: &Telling, now: Timestamp) -> NewPersonalAlert {
    NewPersonalAlert {
        id: PersonalAlertId::new(now, random_bytes()),
        workspace_id: workspace,
        user_id: one.user,
        kind: one.kind.as_str(),
        lead_id: one.lead,
        task_id: one.task,
        n: 1,
        created_at: now.0,
    }
}

/// One alert for many; more of them within the hour add to it.
fn together(
    workspace: WorkspaceId,
    (user, kind): (UserId, AlertKind),
    count: usize,
    now: Timestamp,
) -> NewPersonalAlert {
    let hour = now.0.div_euclid(HOUR_MS).to_le_bytes();
    let parts = [workspace.0.as_bytes().as_slice(), user.0.as_bytes(), kind.as_str().as_bytes(), &hour];
    NewPersonalAlert {
        id: PersonalAlertId(derived("leadline personal alert v1", &parts)),
        workspace_id: workspace,
        user_id: user,
        kind: kind.as_str(),
        lead_id: None,
        task_id: None,
        n: i64::try_from(count).unwrap_or(i64::MAX),
        created_at: now.0,
    }
}

/// Notes that the actor has seen one of their alerts, or all of them.
///
/// # Errors
/// Where the one is not there.
pub async fn see(engine: &Engine, actor: &Actor, id: Option<PersonalAlertId>) -> Result<(), WorkError> {
    let user = actor.user.ok_or(WorkError::NotFound)?;
    let mut tx = engine.store.begin().await?;
    let seen = personal_alerts::mark_seen(&mut tx, actor.workspace, user, id, engine.clock.now()).await?;
    if id.is_some() && seen == 0 {
        return Err(WorkError::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Says by which ways the actor wants alerts from now on; kinds that are not named stay as they are.
///
/// # Errors
/// Where the actor is no member.
pub async fn wish(engine: &Engine, actor: &Actor, wanted: &[(AlertKind, Ways)]) -> Result<(), WorkError> {
    let user = actor.user.ok_or(WorkError::NotFound)?;
    let mut tx = engine.store.begin().await?;
    let mut found = workers::find_in(&mut tx, actor.workspace, &[user]).await?;
    let mut wishes = found.remove(&user).ok_or(WorkError::NotFound)?.wishes;
    for (kind, ways) in wanted {
        wishes.set(*kind, *ways);
    }
    workers::set_wishes(&mut tx, actor.workspace, user, &wishes).await?;
    Ok(tx.commit().await?)
}
