//! A few hundred leads over six weeks, made through the same door and the same use cases as real ones, at the times at
//! which they would have come.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use leadline_domain::{
    context::Context,
    custom_fields::CustomKind,
    fields::RawFields,
    ids::{LeadId, StageId, UserId},
    time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp},
    values::{Amount, Quotable},
};
use leadline_engine::{
    Actor, Clock, Engine,
    capture::{self, Request, Submission, form_token},
    crm::{
        self, Action, Changes, Move, WorthChanges,
        custom_fields::{self, NewField},
        pipelines::{ClosingEdit, Edit, StageEdit},
    },
};
use leadline_store::{
    pipelines::{self, Pipeline, Stage},
    users,
};
use serde_json::{Value, json};

use super::{
    Sources, actor, visitors,
    words::{CAMPAIGNS, COMPANIES, FIRST_NAMES, LAST_NAMES, MESSAGES, NOTES, TAGS, TITLES},
};

/// How many people wrote.
const PEOPLE: u64 = 320;

/// Over how many days.
const DAYS: i64 = 42;

/// Why people did not buy.
const LOST_REASONS: [&str; 4] = ["Too expensive", "Chose somebody else", "No answer", "Not a fit"];

/// How many wrote a second time from elsewhere, for the finder of duplicates.
const TWINS: usize = 3;

/// The field that no person sees.
const HONEYPOT: &str = "__pg_hp";

/// What bots write.
const BOT_MESSAGES: [&str; 3] = [
    "Your website is not on the first page! We bring it there in 24 hours, guaranteed.",
    "Cheap followers, cheap links, cheap everything. Answer today.",
    "Dear owner, your invoice is attached. Open it now.",
];

/// Numbers that look random and are the same in every demonstration (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let place = self.roll(from.len() as u64);
        &from[usize::try_from(place).unwrap_or(0)]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    fn span(&mut self, from_ms: i64, to_ms: i64) -> i64 {
        let width = u64::try_from(to_ms - from_ms).unwrap_or(1).max(1);
        from_ms + i64::try_from(self.roll(width)).unwrap_or(0)
    }
}

/// What somebody wrote, and when.
struct Letter {
    key: (&'static str, String),
    fields: Value,
    ip: String,
    at: Timestamp,
}

/// Fills the workspace.
pub(super) async fn fill(engine: &Engine, owner: &Actor, sources: &Sources) -> anyhow::Result<()> {
    define_fields(engine, owner).await?;
    let mut dice = Dice(2_026);
    let now = engine.clock.now();
    let mut letters: Vec<Letter> = (0..PEOPLE).flat_map(|n| write(&mut dice, n, now, sources)).collect();
    let twins: Vec<Letter> = letters.iter().filter_map(write_again_privately).take(TWINS).collect();
    letters.extend(twins);
    letters.sort_by_key(|letter| letter.at);
    let mut arrived: Vec<(LeadId, Timestamp)> = Vec::new();
    for few in letters.chunks(100) {
        for (lead, at) in post(engine, few).await? {
            if !arrived.iter().any(|(known, _)| *known == lead) {
                arrived.push((lead, at));
            }
        }
    }
    work(engine, owner, &mut dice, &arrived).await?;
    send_bots(engine, sources, now).await
}

async fn define_fields(engine: &Engine, owner: &Actor) -> anyhow::Result<()> {
    for (name, kind) in [("Rooms", CustomKind::Number), ("Listing", CustomKind::Text), ("Newsletter", CustomKind::Text)]
    {
        let new = NewField { key: None, name: name.into(), kind, options: Vec::new(), is_on_card: false };
        custom_fields::create(engine, owner, &new).await?;
    }
    Ok(())
}

/// A few bots, which fill the field that no person sees, for the fraud desk.
async fn send_bots(engine: &Engine, sources: &Sources, now: Timestamp) -> anyhow::Result<()> {
    for (number, message) in (0..).zip(BOT_MESSAGES) {
        let at = now.plus_ms(-(5 + 19 * number) * HOUR_MS);
        let fields = json!({
            "name": "Best Ranking", "email": format!("offer{number}@cheap-ranking.example"), "message": message,
            HONEYPOT: "https://cheap-ranking.example", "__pg_tts": 900,
        });
        let ip = format!("203.0.113.{}", 20 + number);
        let letter = Letter { key: ("form", sources.viewing.clone()), fields, ip, at };
        engine.door.accept(submission(engine, &letter, 0).await?).await?;
    }
    Ok(())
}

/// A few people who wrote just now, the first of them first.
pub(super) async fn come_lately(engine: &Engine, sources: &Sources) -> anyhow::Result<Vec<LeadId>> {
    const MINUTES_AGO: [i64; 4] = [95, 70, 34, 12];
    let mut dice = Dice(7);
    let now = engine.clock.now();
    let mut letters = Vec::new();
    for (number, minutes) in (PEOPLE..).zip(MINUTES_AGO) {
        let at = now.plus_ms(-minutes * MINUTE_MS);
        letters
            .extend(write(&mut dice, number, now, sources).into_iter().take(1).map(|letter| Letter { at, ..letter }));
    }
    Ok(post(engine, &letters).await?.into_iter().map(|(lead, _)| lead).collect())
}

/// One person's letters: one, and for some a second.
fn write(dice: &mut Dice, n: u64, now: Timestamp, sources: &Sources) -> Vec<Letter> {
    let (first, last) = (*dice.pick(&FIRST_NAMES), *dice.pick(&LAST_NAMES));
    let company = dice.chance(45).then(|| *dice.pick(&COMPANIES));
    let domain = company.map_or("example.com".to_owned(), |company| format!("{}.example", slug(company)));
    let email = format!("{}.{}{n}@{domain}", first.to_lowercase(), last.to_lowercase());
    // Recent weeks are busier than the first.
    let age_ms = dice.span(0, DAYS * DAY_MS).min(dice.span(0, DAYS * DAY_MS) + DAY_MS) + 10 * MINUTE_MS;
    let at = Timestamp(now.0 - age_ms);
    let key = match dice.roll(10) {
        0..=5 => ("form", sources.viewing.clone()),
        6..=7 => ("form", sources.brochure.clone()),
        _ => ("webhook", sources.portal.clone()),
    };
    let mut fields = json!({"name": format!("{first} {last}"), "email": email});
    if dice.chance(70) {
        fields["phone"] = format!("+44 20 7946 {:04}", n).into();
    }
    if let Some(company) = company {
        fields["company"] = company.into();
        fields["title"] = (*dice.pick(&TITLES)).into();
    }
    if dice.chance(75) {
        fields["message"] = (*dice.pick(&MESSAGES)).into();
    }
    fields["rooms"] = (1 + dice.roll(4)).into();
    if n.is_multiple_of(3) {
        fields["newsletter"] = "Yes, write to me about new flats".into();
    }
    add_visit(dice, &mut fields, key.0);
    let ip = format!("198.51.{}.{}", n / 200, 1 + n % 200);
    let letter = Letter { key, fields, ip, at };
    let comes_back = dice.chance(14) && age_ms > 2 * DAY_MS;
    let again = comes_back.then(|| {
        let mut fields = letter.fields.clone();
        fields["message"] = (*dice.pick(&MESSAGES)).into();
        let at = Timestamp(letter.at.0 + dice.span(HOUR_MS, age_ms - 10 * MINUTE_MS));
        Letter { key: letter.key.clone(), fields, ip: letter.ip.clone(), at }
    });
    [Some(letter), again].into_iter().flatten().collect()
}

/// The same person from home, whom only a person recognises: another address, machine and network.
fn write_again_privately(letter: &Letter) -> Option<Letter> {
    let mut fields = letter.fields.clone();
    let name = fields["name"].as_str()?.to_owned();
    fields["company"].as_str()?;
    fields["email"] = format!("{}@private.example", name.to_lowercase().replace(' ', ".")).into();
    fields.as_object_mut()?.retain(|field, _| field != "phone" && field != "__visitor_id");
    let ip = format!("203.0.113.{}", letter.ip.rsplit('.').next()?);
    Some(Letter { key: letter.key.clone(), fields, ip, at: letter.at.plus_ms(9 * MINUTE_MS) })
}

fn add_visit(dice: &mut Dice, fields: &mut Value, kind: &str) {
    if kind == "webhook" {
        fields["listing"] = format!("HL-{}", 100 + dice.roll(40)).into();
        return;
    }
    let (source, medium, campaign, referrer) = *dice.pick(&CAMPAIGNS);
    fields["page_url"] = "https://harbour-lofts.example/viewing".into();
    fields["__pg_tts"] = dice.span(9_000, 180_000).into();
    fields["__visitor_id"] = format!("demo-{:016x}", dice.roll(u64::MAX)).into();
    for (name, value) in
        [("utm_source", source), ("utm_medium", medium), ("utm_campaign", campaign), ("referrer", referrer)]
    {
        if !value.is_empty() {
            fields[name] = value.into();
        }
    }
    if source == "google" {
        fields["gclid"] = format!("demo{:x}", dice.roll(u64::MAX)).into();
    }
}

fn slug(company: &str) -> String {
    company.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Posts letters through the door, at their times.
async fn post(engine: &Engine, letters: &[Letter]) -> anyhow::Result<Vec<(LeadId, Timestamp)>> {
    let mut prepared = Vec::with_capacity(letters.len());
    for (number, letter) in letters.iter().enumerate() {
        let submission = submission(engine, letter, number).await?;
        prepared.extend(capture::prepare(&engine.keys, submission).ok().map(Arc::new));
    }
    let outcomes = capture::commit(&engine.store, prepared).await;
    let times = letters.iter().map(|letter| letter.at);
    outcomes.into_iter().zip(times).map(|(outcome, at)| Ok((outcome.map_err(anyhow::Error::from)?.lead, at))).collect()
}

/// What a letter is to the door; the `number` says with what and from where it is sent.
async fn submission(engine: &Engine, letter: &Letter, number: usize) -> anyhow::Result<Submission> {
    let intake = engine.door.intakes().by_key(letter.key.0, &letter.key.1).await?;
    let intake = intake.expect("the demonstration's sources were made a moment ago");
    let is_browser = letter.key.0 == "form";
    let mut sent = letter.fields.clone();
    if is_browser {
        sent["__form_token"] = form_token::issue(&engine.keys, letter.at).into();
    }
    let fields: RawFields = sent.as_object().cloned().unwrap_or_default().into_iter().collect();
    let user_agent = visitors::USER_AGENTS[number % visitors::USER_AGENTS.len()];
    let request = Request {
        is_browser,
        ip: Some(letter.ip.clone()),
        user_agent: Some(user_agent.into()),
        origin: None,
        content_type: Some("application/json".into()),
        raw_body: sent.to_string(),
        context: if is_browser { visitors::context(number / 2, user_agent) } else { Context::default() },
    };
    Ok(Submission::new(&engine_at(engine, letter.at), intake, fields, request, None))
}

/// The same engine at another time.
fn engine_at(engine: &Engine, at: Timestamp) -> Engine {
    Engine { clock: Clock::Manual(Arc::new(AtomicI64::new(at.0))), ..engine.clone() }
}

/// What the team did with the leads since.
async fn work(engine: &Engine, owner: &Actor, dice: &mut Dice, arrived: &[(LeadId, Timestamp)]) -> anyhow::Result<()> {
    let reader = engine.store.reader();
    let pipeline = pipelines::find(&reader, owner.workspace, None).await?;
    if let Some(pipeline) = &pipeline {
        set_up(engine, owner, pipeline).await?;
    }
    let stages: Vec<StageId> =
        pipeline.map(|pipeline| pipeline.stages.iter().map(|stage| stage.id).collect()).unwrap_or_default();
    let team: Vec<(UserId, String)> = users::list_members(&reader, owner.workspace)
        .await?
        .into_iter()
        .map(|member| (member.id, member.name))
        .collect();
    let now = engine.clock.now();
    for (lead, at) in arrived {
        let (user, name) = dice.pick(&team).clone();
        let somebody = actor(owner.workspace, Some(user), &name);
        follow_up(engine, &somebody, dice, (*lead, *at), &stages, now).await?;
    }
    Ok(())
}

/// Leads that nobody looks after become stale, and people are asked why a lead is lost.
async fn set_up(engine: &Engine, owner: &Actor, pipeline: &Pipeline) -> anyhow::Result<()> {
    const STALE_AFTER_DAYS: [Option<i64>; 6] = [Some(14), Some(21), Some(30), Some(30), None, None];
    let stage = |(stage, days): (&Stage, Option<i64>)| StageEdit {
        id: Some(stage.id),
        name: stage.name.clone(),
        color: stage.color.clone(),
        kind: stage.kind,
        probability: None,
        stale_after_days: Some(days),
    };
    let edit = Edit {
        stages: Some(pipeline.stages.iter().zip(STALE_AFTER_DAYS).map(stage).collect()),
        closing: ClosingEdit { lost_reasons: Some(LOST_REASONS.map(str::to_owned).to_vec()), ..ClosingEdit::default() },
        ..Edit::default()
    };
    crm::pipelines::update(engine, owner, pipeline.id, &edit).await?;
    Ok(())
}

/// How far a lead comes depends on how long it has been there.
async fn follow_up(
    engine: &Engine,
    somebody: &Actor,
    dice: &mut Dice,
    (lead, at): (LeadId, Timestamp),
    stages: &[StageId],
    now: Timestamp,
) -> anyhow::Result<()> {
    let age_days = now.ms_since(at) / DAY_MS;
    let clock = Arc::new(AtomicI64::new(at.0));
    let then = Engine { clock: Clock::Manual(Arc::clone(&clock)), ..engine.clone() };
    let later = |dice: &mut Dice| {
        let next = clock.load(Ordering::SeqCst) + dice.span(20 * MINUTE_MS, 3 * DAY_MS);
        clock.store(next.min(now.0 - MINUTE_MS).max(at.0), Ordering::SeqCst);
    };
    if dice.chance(25) {
        let tags = vec![(*dice.pick(&TAGS)).to_owned()];
        crm::apply(&then, somebody, &Action::Tag(tags), &[lead]).await?;
    }
    let answers_soon = age_days > 0 && dice.chance(60);
    if answers_soon {
        clock.store((at.0 + dice.span(2 * MINUTE_MS, 5 * HOUR_MS)).min(now.0 - MINUTE_MS), Ordering::SeqCst);
        crm::assign(&then, somebody, lead, somebody.user).await?;
    }
    let mut steps = 0;
    if dice.chance(35) {
        let worth = WorthChanges {
            quotable: Some(Quotable::Yes),
            quote_value: Some(Amount::from_milli((6 + i64::try_from(dice.roll(180)).unwrap_or(0)) * 250_000)),
            ..WorthChanges::default()
        };
        crm::update(&then, somebody, lead, &Changes { worth, ..Changes::default() }).await?;
    }
    while steps < 3 && dice.chance(u64::try_from((age_days * 6).clamp(10, 78)).unwrap_or(10)) {
        later(dice);
        steps += 1;
        if steps == 1 && !answers_soon {
            crm::assign(&then, somebody, lead, somebody.user).await?;
        }
        move_to(&then, somebody, lead, stages.get(steps).copied(), None).await?;
        if dice.chance(40) {
            let note = *dice.pick(&NOTES);
            crm::add_note(&then, somebody, lead, note).await?;
        }
    }
    let is_decided = steps > 0 && age_days > 7 && dice.chance(45);
    if is_decided {
        later(dice);
        let won = steps == 3 && dice.chance(60);
        if won {
            let sales = Amount::from_milli((4 + i64::try_from(dice.roll(160)).unwrap_or(0)) * 250_000);
            let worth = WorthChanges { sales_value: Some(sales), ..WorthChanges::default() };
            crm::update(&then, somebody, lead, &Changes { worth, ..Changes::default() }).await?;
        }
        let reason = (!won).then(|| *dice.pick(&LOST_REASONS));
        move_to(&then, somebody, lead, stages.get(if won { 4 } else { 5 }).copied(), reason).await?;
    }
    Ok(())
}

async fn move_to(
    engine: &Engine,
    actor: &Actor,
    lead: LeadId,
    stage: Option<StageId>,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    if let Some(stage) = stage {
        let to = Move { stage, below: None, reason: reason.map(str::to_owned), op: None };
        crm::move_stage(engine, actor, lead, &to).await?;
    }
    Ok(())
}
