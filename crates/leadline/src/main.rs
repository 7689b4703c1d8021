//! The process: command line, configuration, wiring and signals. What it does stands in the crates below.

mod address;
mod admin;
mod backup;
mod cli;
mod config;
mod demo;
mod export;
mod import;
mod key;
mod listen;
mod load_deliveries;
mod load_leads;
mod logs;
mod moving;
mod progress;
mod restore;
mod retention;
mod secret_key;
mod serve;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, ConfigCommand, DevCommand, KeyCommand, RetentionCommand, TokenCommand, UserCommand};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// It did what it was asked.
    Done = 0,
    /// It could not, or what it checked does not add up.
    Failed = 1,
    /// It was asked or configured wrongly. Clap uses the same for its own errors.
    Misused = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    // One TLS provider in the whole process; a second installation can only be the same one.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into(), Exit::Failed),
    };
    let result = runtime.block_on(run(cli));
    // A look-up that hangs in the system's resolver must not keep a stopped process alive.
    runtime.shutdown_background();
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = if error.is::<config::Misconfigured>() { Exit::Misused } else { Exit::Failed };
            report(&error, exit)
        }
    }
}

/// Says what is wrong with the arguments, or prints the help that they ask for. Clap repeats what it does not
/// understand, which may be an address with a password.
fn misused(error: &clap::Error) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let text = error.render().to_string();
    let safe = address::without_passwords(&text, &arguments);
    if safe == text {
        let _nobody_reads = error.print();
    } else {
        eprint!("{safe}");
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Misused as u8))
}

/// The one place that prints errors.
fn report(error: &anyhow::Error, exit: Exit) -> ExitCode {
    eprintln!("leadline: {}", address::hidden(&format!("{error:#}")));
    exit.into()
}

async fn run(cli: Cli) -> anyhow::Result<Exit> {
    if let Command::Config { command: ConfigCommand::PrintDefault } = cli.command {
        print!("{}", config::DEFAULT_FILE);
        return Ok(Exit::Done);
    }
    let config = config::load(&cli.options)?;
    match cli.command {
        Command::Serve => {
            logs::start(config.log);
            serve::serve(config).await
        }
        Command::Migrate => admin::migrate(&config).await,
        Command::Token { command: TokenCommand::Create(wanted) } => admin::create_token(&config, wanted).await,
        Command::User { command: UserCommand::Create(wanted) } => admin::create_user(&config, wanted).await,
        Command::Export(wanted) => export::export(&config, wanted).await,
        Command::Verify { json } => verify::verify(&config, json).await,
        Command::Import(wanted) => import::import(&config, wanted).await,
        Command::Backup(wanted) => backup::backup(&config, wanted).await,
        Command::Restore(wanted) => restore::restore(&config, wanted).await,
        Command::Move(wanted) => moving::move_to(&config, wanted).await,
        Command::Key { command: KeyCommand::Rotate } => key::rotate(&config).await,
        Command::Retention { command: RetentionCommand::Status { json } } => retention::status(&config, json).await,
        Command::Retention { command: RetentionCommand::Confirm } => retention::confirm(&config).await,
        Command::Openapi => {
            println!("{}", leadline_server::openapi_json());
            Ok(Exit::Done)
        }
        Command::Dev { command: DevCommand::LoadLeads { count, with_history } } => {
            load_leads::load(&config, count, with_history).await
        }
        Command::Dev { command: DevCommand::LoadDeliveries { count } } => load_deliveries::load(&config, count).await,
        Command::Config { .. } => Ok(Exit::Done),
    }
}
