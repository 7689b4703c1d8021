//! Commands that work on the database beside a running server: migrate, token create, user create.

use std::io::{IsTerminal, Read};

use anyhow::Context;
use leadline_domain::{permissions::Role, time::Timestamp};
use leadline_engine::{
    Clock,
    admin::{
        tokens, users,
        workspaces::{self, Defaults},
    },
};
use leadline_store::{Store, workspaces::Workspace};

use crate::{
    Exit,
    cli::{NewToken, NewUser},
    config::{Config, Misconfigured},
    secret_key,
};

/// Brings the tables up to date.
pub(crate) async fn migrate(config: &Config) -> anyhow::Result<Exit> {
    open(config).await?.close().await;
    eprintln!("The tables are up to date.");
    Ok(Exit::Done)
}

/// Makes a token and prints it, and nothing else, on stdout.
pub(crate) async fn create_token(config: &Config, wanted: NewToken) -> anyhow::Result<Exit> {
    let role = role(&wanted.role)?;
    let store = open(config).await?;
    let workspace = workspace(&store, config, &wanted.workspace).await?;
    let token = tokens::NewToken { name: wanted.name, role: role.into(), scopes: None, expires_at: None };
    let made = tokens::issue(&store, now(), workspace.id, None, token).await?;
    store.close().await;
    println!("{}", made.secret);
    Ok(Exit::Done)
}

/// Makes a user. The password comes from stdin; where nothing comes, one is made and printed.
pub(crate) async fn create_user(config: &Config, wanted: NewUser) -> anyhow::Result<Exit> {
    let role = role(&wanted.role)?;
    let password = password_from_stdin()?;
    let store = open(config).await?;
    let workspace = workspace(&store, config, &wanted.workspace).await?;
    let name = wanted.name.unwrap_or_else(|| wanted.email.clone());
    let user = users::NewUser { email: wanted.email, name, role: role.into(), password };
    let made = users::take_in(&store, now(), workspace.id, user).await?;
    store.close().await;
    if let Some(password) = made.password {
        println!("{password}");
    }
    eprintln!("The user can sign in.");
    Ok(Exit::Done)
}

fn password_from_stdin() -> anyhow::Result<Option<String>> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    stdin.read_to_string(&mut text).context("the password cannot be read from stdin")?;
    let password = text.trim_end_matches(['\r', '\n']);
    Ok((!password.is_empty()).then(|| password.to_owned()))
}

fn role(name: &str) -> Result<Role, Misconfigured> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    Role::parse(name).ok_or_else(|| Misconfigured::new("--role", format!("{name:?} is none of {}", known())))
}

pub(crate) async fn open(config: &Config) -> anyhow::Result<Store> {
    secret_key::make_data_dir(&config.data_dir)?;
    Store::open(&config.database_url, config.durability).await.context("the database cannot be opened")
}

pub(crate) async fn workspace(store: &Store, config: &Config, slug: &str) -> anyhow::Result<Workspace> {
    let defaults = Defaults { reengage_hours: config.reengage_hours, bot_detection: config.bot_detection };
    Ok(workspaces::ensure(store, now(), defaults, slug).await?)
}

pub(crate) fn now() -> Timestamp {
    Clock::System.now()
}
