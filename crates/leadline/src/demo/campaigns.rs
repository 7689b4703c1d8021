//! Two campaigns by the demonstration's sandbox: one that went out, with what people and machines did about it, and a
//! draft.

use anyhow::Context;
use leadline_domain::{
    campaigns::{Audience, Metric, Test},
    ids::{CampaignId, HitId, MessageId, MessageTemplateId},
    messaging::{
        MessageChannel,
        hits::{Kind, Why},
    },
    time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp},
};
use leadline_engine::{
    Actor, Engine,
    campaigns::{
        drafts::{self, Chosen, Wish},
        feeder, steering,
    },
    dispatch,
    links::hits,
    messaging::{runner, templates},
    random_bytes,
};
use leadline_store::{
    Tx,
    campaigns::{self as stored, recipients},
    leads::{self, LeadFilter, SortBy, SortOrder},
    links::{self, Hit, Reactions},
    message_figures,
};

const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const GMAIL: &str = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

const PLANS: &str = "https://harbour-lofts.example/floor-plans";
const VIEWINGS: &str = "https://harbour-lofts.example/viewings";

/// Recipients that are looked through, which are more than there are.
const ALL: i64 = 1_000;

/// Makes both. The first has gone out when this returns.
pub(super) async fn fill(engine: &Engine, owner: &Actor) -> anyhow::Result<()> {
    let order = (SortBy::CreatedAt, SortOrder::Descending);
    let found = leads::list(&engine.store.reader(), owner.workspace, &LeadFilter::default(), order, (120, 0)).await?;
    let leads = found.rows.iter().map(|lead| lead.id).collect();
    let template = letter(engine, owner).await?;
    let sent = Wish {
        name: Some("Spring viewings".into()),
        channel: Some(MessageChannel::Email),
        template_id: Some(Some(template)),
        audience: Some(Some(Chosen::Leads(leads))),
        ..Wish::default()
    };
    let sent = drafts::create(engine, owner, sent).await?;
    steering::start(engine, owner, sent).await?;
    for _ in 0..50 {
        feeder::feed_due(engine).await?;
        runner::send_due(engine).await?;
        dispatch::dispatch_all(engine).await?;
        let now =
            stored::find(&engine.store.reader(), owner.workspace, sent).await?.context("the campaign is there")?;
        if now.finished_at.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    react(engine, owner, sent).await?;
    let draft = Wish {
        name: Some("Last flats with a view".into()),
        channel: Some(MessageChannel::Email),
        template_id: Some(Some(template)),
        audience: Some(Some(Chosen::Named(Audience::Unanswered { campaign_id: sent }))),
        subjects: Some(vec!["Three flats are left".into(), "{{firstName}}, your view is still free".into()]),
        test: Some(Some(Test { percent: 30, metric: Metric::Opens, after_minutes: 120 })),
        per_minute: Some(120),
        ..Wish::default()
    };
    drafts::create(engine, owner, draft).await?;
    Ok(())
}

async fn letter(engine: &Engine, owner: &Actor) -> anyhow::Result<MessageTemplateId> {
    let wish = templates::Wish {
        channel: Some(MessageChannel::Email),
        name: Some("Spring_Viewings".into()),
        subject: Some(Some("The viewings begin, {{firstName | default:'and you are invited'}}".into())),
        body: Some(format!(
            "Dear {{{{firstName | default:'friend of the harbour'}}}},\n\nthe spring viewings begin on Saturday. Choose \
             your time: {VIEWINGS}\nThe floor plans: {PLANS}\n\nHarbour Lofts"
        )),
        body_html: Some(Some(format!(
            "<div style=\"font:16px/1.5 sans-serif;max-width:34em;margin:2em auto\"><h1 style=\"font-size:22px\">The \
             viewings begin</h1><p>Dear {{{{firstName | default:'friend of the harbour'}}}},</p><p>the spring viewings \
             begin on Saturday. <a href=\"{VIEWINGS}\">Choose your time</a>, or have a look at the \
             <a href=\"{PLANS}\">floor plans</a> first.</p><p>Harbour Lofts</p></div>"
        ))),
        ..templates::Wish::default()
    };
    Ok(templates::create(engine, owner, &wish).await.context("a template cannot be made")?.id)
}

/// What the recipients did since: as if it had gone out two days ago.
async fn react(engine: &Engine, owner: &Actor, id: CampaignId) -> anyhow::Result<()> {
    let now = engine.clock.now();
    let begun = now.plus_ms(-2 * DAY_MS);
    let reader = engine.store.reader();
    let rows = recipients::walk(&reader, owner.workspace, id, (None, ALL)).await?;
    let messages: Vec<MessageId> = rows.into_iter().filter_map(|row| row.message_id).collect();
    let mut tx = engine.store.begin().await?;
    if let Some(mut campaign) = stored::lock(&mut tx, owner.workspace, id).await? {
        campaign.started_at = Some(begun);
        campaign.finished_at = campaign.finished_at.map(|_| begun.plus_ms(3 * MINUTE_MS));
        campaign.created_at = begun.plus_ms(-HOUR_MS);
        stored::write(&mut tx, &campaign).await?;
    }
    for (n, message) in messages.into_iter().enumerate() {
        let n = i64::try_from(n)?;
        // Most in the first hours, and a few a day later.
        let at = begun.plus_ms(20 * MINUTE_MS + (n * n * 7 % 41) * HOUR_MS + n * MINUTE_MS);
        let hits: Vec<(Kind, &str, &str, Option<Why>)> = match n % 10 {
            0 | 4 | 8 => vec![(Kind::Open, "", CHROME, None)],
            1 => vec![(Kind::Open, "", CHROME, None), (Kind::Click, VIEWINGS, CHROME, None)],
            5 => vec![(Kind::Open, "", CHROME, None), (Kind::Click, PLANS, CHROME, None)],
            2 | 6 => vec![(Kind::Open, "", GMAIL, Some(Why::Mailbox))],
            3 => vec![
                (Kind::Click, VIEWINGS, CHROME, Some(Why::SeveralAtOnce)),
                (Kind::Click, PLANS, CHROME, Some(Why::SeveralAtOnce)),
            ],
            _ => Vec::new(),
        };
        look(&mut tx, engine, message, &hits, (at, now)).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn look(
    tx: &mut Tx,
    engine: &Engine,
    id: MessageId,
    found: &[(Kind, &str, &str, Option<Why>)],
    (at, now): (Timestamp, Timestamp),
) -> anyhow::Result<()> {
    let Some(message) = links::find_message(&engine.store.reader(), id).await? else { return Ok(()) };
    let Some(was) = links::lock(tx, &message).await? else { return Ok(()) };
    let at = at.min(now);
    let mut is = Reactions { hit_count: i64::try_from(found.len())?, ..was };
    for (kind, link, agent, why) in found {
        let place = match (kind, why) {
            (Kind::Open, None) => &mut is.human_open_at,
            (Kind::Open, Some(_)) => &mut is.machine_open_at,
            (_, None) => &mut is.human_click_at,
            (_, Some(_)) => &mut is.machine_click_at,
        };
        *place = place.or(Some(at));
        let hit = Hit {
            id: HitId::new(at, random_bytes()),
            kind: *kind,
            link: (*link).to_owned(),
            agent: (*agent).to_owned(),
            network: None,
            sign: *why,
            why: *why,
            hit_at: at,
        };
        links::insert_hit(tx, &message, &hit).await?;
    }
    links::write(tx, id, &is).await?;
    let figures = std::collections::BTreeMap::from([(hits::group(&message, at), hits::difference(&was, &is))]);
    message_figures::add(tx, &figures).await?;
    Ok(())
}
