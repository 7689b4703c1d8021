//! `--demo`: on an empty database, a workspace with people, sources, a destination and a few hundred leads of some
//! weeks. What is needed to show it again after a restart is kept beside the database.

mod automations;
mod campaigns;
mod leads;
mod messages;
mod privacy;
mod visitors;
pub(crate) mod words;
mod work;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, bail};
use http::HeaderMap;
use leadline_domain::{
    ids::{SourceId, WorkspaceId},
    permissions::Role,
};
use leadline_engine::{
    Actor, ActorKind, Engine,
    admin::{
        sessions::Place,
        users::{self, NewUser},
        workspaces::{self, Defaults, FirstUser},
    },
    delivery::destinations::{self, Wish},
    dispatch,
    seal::Keys,
    sources::{self, FormChange, WebhookChange},
};
use leadline_outbound::{Secret, verify_standard};
use leadline_server::demo::{Demo, Verify};
use serde::{Deserialize, Serialize};

use crate::config::Config;

const FILE: &str = "demo.json";

/// What the first person signs in with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) email: String,
    pub(crate) password: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    credentials: Credentials,
    form_key: String,
    site_key: String,
    /// The destination's secret, sealed.
    secret: String,
}

/// Makes the demonstration on an empty database, or finds the one that was made before.
pub(crate) async fn prepare(engine: &Engine, config: &Config) -> anyhow::Result<(Demo, Credentials)> {
    let path = config.data_dir.join(FILE);
    let kept = match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))?,
        Err(_) => make(engine, config, &path).await?,
    };
    let secret = engine.keys.open(&kept.secret)?;
    let verify = verifier(engine, Secret::parse(&secret).context("the demo secret is damaged")?);
    Ok((Demo::new(kept.form_key, kept.site_key, verify), kept.credentials))
}

/// Seals the kept secret with the newest key, where there is a demonstration in this folder.
pub(crate) fn reseal(data_dir: &Path, keys: &Keys) -> anyhow::Result<()> {
    let path = data_dir.join(FILE);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let mut kept: Kept = serde_json::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))?;
    if let Some(secret) = keys.reseal(&kept.secret)? {
        kept.secret = secret;
        let beside = path.with_extension("json.new");
        write(&beside, &kept)?;
        fs::rename(&beside, &path)?;
    }
    Ok(())
}

fn write(path: &Path, kept: &Kept) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(serde_json::to_string_pretty(kept)?.as_bytes())?;
    Ok(file.sync_all()?)
}

fn verifier(engine: &Engine, secret: Secret) -> Verify {
    let clock = engine.clock.clone();
    let secrets = [secret];
    Box::new(move |headers: &HeaderMap, body: &[u8]| {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (id, timestamp, signatures) = (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
        verify_standard(&secrets, id, timestamp, signatures, body, clock.now().0 / 1_000).is_ok()
    })
}

async fn make(engine: &Engine, config: &Config, path: &Path) -> anyhow::Result<Kept> {
    if leadline_store::users::any(&engine.store.reader()).await? {
        bail!("the database holds something already; --demo needs an empty one");
    }
    eprintln!("Making the demo workspace …");
    let credentials = Credentials { email: "demo@leadline.test".into(), password: readable_password() };
    let actor = make_workspace(engine, &credentials).await?;
    let forms = make_sources(engine, &actor).await?;
    automations::make(engine, &actor, forms.portal_id, forms.brochure_id).await?;
    leads::fill(engine, &actor, &forms).await?;
    dispatch::dispatch_all(engine).await?;
    // It hears of what comes from now on.
    let destination = destinations::create_destination(engine, &actor, &destination(config)).await;
    let destination = destination.context("the demo destination cannot be made")?;
    work::fill(engine, &actor, &forms).await?;
    messages::fill(engine, &actor).await?;
    privacy::fill(engine, &actor).await?;
    campaigns::fill(engine, &actor).await?;
    let site = sources::create_site(engine, &actor, "Harbour Lofts", std::slice::from_ref(&config.public_url)).await?;
    let kept = Kept {
        credentials,
        form_key: forms.viewing,
        site_key: site.key,
        secret: engine.keys.seal(&destination.secret),
    };
    write(path, &kept)?;
    Ok(kept)
}

async fn make_workspace(engine: &Engine, credentials: &Credentials) -> anyhow::Result<Actor> {
    let first = FirstUser {
        workspace_name: "Harbour Lofts".into(),
        email: credentials.email.clone(),
        name: "Robin Demo".into(),
        password: credentials.password.clone(),
        place: Place { ip: None, browser: "leadline serve --demo".into() },
    };
    let defaults = Defaults::from(engine.options.as_ref());
    let signed_in = workspaces::set_up(&engine.store, engine.clock.now(), defaults, first).await?;
    for (email, name, role) in [
        ("maya@leadline.test", "Maya Lindqvist", Role::Admin),
        ("tom@leadline.test", "Tom Okafor", Role::Agent),
        ("ines@leadline.test", "Ines Duarte", Role::Marketer),
    ] {
        let user = NewUser { email: email.into(), name: name.into(), role: role.into(), password: None };
        users::take_in(&engine.store, engine.clock.now(), signed_in.workspace, user).await?;
    }
    Ok(actor(signed_in.workspace, Some(signed_in.user), "Robin Demo"))
}

fn actor(workspace: WorkspaceId, user: Option<leadline_domain::ids::UserId>, name: &str) -> Actor {
    Actor { kind: ActorKind::User, user, ..Actor::system(workspace, name) }
}

/// The keys of the demonstration's sources.
pub(crate) struct Sources {
    viewing: String,
    brochure: String,
    portal: String,
    brochure_id: SourceId,
    portal_id: SourceId,
}

async fn make_sources(engine: &Engine, actor: &Actor) -> anyhow::Result<Sources> {
    let form = |name: &str| FormChange { name: Some(name.into()), ..FormChange::default() };
    let viewing = sources::create_form(engine, actor, form("Request a viewing")).await?;
    let brochure = sources::create_form(engine, actor, form("Download the brochure")).await?;
    let portal = WebhookChange { name: Some("Property portal".into()), ..WebhookChange::default() };
    let portal = sources::create_webhook(engine, actor, portal).await?;
    let (brochure_id, portal_id) = (brochure.id, portal.id);
    Ok(Sources { viewing: viewing.key, brochure: brochure.key, portal: portal.key, brochure_id, portal_id })
}

fn destination(config: &Config) -> Wish {
    let events = ["lead.created", "lead.resubmitted", "lead.re_engaged", "lead.stage_changed"];
    Wish {
        name: Some("Demo CRM".into()),
        url: Some(format!("http://{}:{}/demo/receiver", crate::serve::own_address(config), config.listen.port())),
        events: Some(events.map(str::to_owned).into()),
        format: Some("leadline".into()),
        retry_plan: Some("standard".into()),
        ..Wish::default()
    }
}

/// Twelve letters that are easy to type from a terminal: 56 bits.
fn readable_password() -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    let letter = || char::from(LETTERS[usize::from(rand::random::<u16>()) % LETTERS.len()]);
    let group = || (0..4).map(|_| letter()).collect::<String>();
    [group(), group(), group()].join("-")
}
