//! The log: readable on a terminal, one JSON object a line elsewhere. `RUST_LOG` says how much of it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging to stderr.
pub(crate) fn start(wanted: Option<LogFormat>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,sea_orm=warn"));
    let on_terminal = if std::io::stderr().is_terminal() { LogFormat::Human } else { LogFormat::Json };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match wanted.unwrap_or(on_terminal) {
        LogFormat::Human => log.compact().init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
