//! How the demonstration's team shares its work: rules, a time for first answers, a few tasks.

use leadline_domain::{
    assignment::Method,
    ids::{LeadId, UserId},
    time::{DAY_MS, HOUR_MS, MINUTE_MS},
};
use leadline_engine::{
    Actor, Engine, dispatch,
    work::{
        rules::{self, RuleEdit},
        runner,
        settings::{self, SettingsEdit},
        tasks::{self, NewTask},
    },
};
use leadline_store::users;
use serde_json::json;

use super::{Sources, actor, leads};

/// Sets everything up, and lets the last few leads come by it.
pub(super) async fn fill(engine: &Engine, owner: &Actor, sources: &Sources) -> anyhow::Result<()> {
    let team: Vec<(UserId, String)> = users::list_members(&engine.store.reader(), owner.workspace)
        .await?
        .into_iter()
        .map(|member| (member.id, member.name))
        .collect();
    let others: Vec<UserId> = team.iter().map(|(id, _)| *id).filter(|id| Some(*id) != owner.user).collect();
    let edit = SettingsEdit {
        respond_within_minutes: Some(Some(60)),
        escalate_after_minutes: Some(Some(4 * 60)),
        escalate_to: Some(owner.user.into_iter().collect()),
        ..SettingsEdit::default()
    };
    settings::change(engine, owner, edit).await?;
    let portal = RuleEdit {
        name: Some("Portal leads".into()),
        filter: Some(json!({"all": [{"field": "source", "op": "is", "value": "webhook"}]})),
        method: Some(Method::Person),
        members: Some(others.iter().take(1).copied().collect()),
        ..RuleEdit::default()
    };
    rules::create(engine, owner, portal).await?;
    let everything = RuleEdit {
        name: Some("Everything else".into()),
        method: Some(Method::RoundRobin),
        members: Some(others),
        only_available: Some(true),
        ..RuleEdit::default()
    };
    rules::create(engine, owner, everything).await?;
    let latest = leads::come_lately(engine, sources).await?;
    dispatch::dispatch_all(engine).await?;
    while runner::work_due(engine).await? > 0 {}
    if let (Some(lead), Some((id, name))) = (latest.first(), team.first()) {
        let somebody = actor(owner.workspace, Some(*id), name);
        leadline_engine::crm::add_note(engine, &somebody, *lead, "Called back; wants to see it on Saturday.").await?;
    }
    make_tasks(engine, owner, &latest).await?;
    dispatch::dispatch_all(engine).await?;
    Ok(())
}

async fn make_tasks(engine: &Engine, owner: &Actor, latest: &[LeadId]) -> anyhow::Result<()> {
    let now = engine.clock.now();
    for (title, lead, due_ms) in [
        ("Send the floor plan", latest.get(1), Some(-3 * HOUR_MS)),
        ("Call back about the viewing", latest.first(), Some(25 * MINUTE_MS)),
        ("Ask for the keys of flat 12", None, Some(DAY_MS + 2 * HOUR_MS)),
        ("Update the price list", None, None),
    ] {
        let new = NewTask {
            lead: lead.copied(),
            title: title.into(),
            assignee: owner.user,
            due_at: due_ms.map(|ms| now.plus_ms(ms)),
            remind_at: None,
        };
        tasks::create(engine, owner, &new).await?;
    }
    Ok(())
}
