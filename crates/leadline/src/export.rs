//! `leadline export`: leads or contacts as a file, from the database and beside a running server.
//!
//! A file gets its name once it is whole: what was cut off is never taken for all there is.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use leadline_engine::Actor;
use leadline_server::{
    ApiError,
    exports::{ExportError, Request, TableFormat, contacts_of, leads_of, pieces},
};
use leadline_store::{Reader, Store, workspaces};

use crate::{
    Exit, admin,
    cli::{ExportFormat, ExportRequest, Exported},
    config::{Config, Misconfigured},
};

/// Writes the file, or prints it.
pub(crate) async fn export(config: &Config, wanted: ExportRequest) -> anyhow::Result<Exit> {
    let store = Store::open(&config.database_url, config.durability).await.context("the database cannot be opened")?;
    let reader = store.reader();
    let actor = actor(&reader, &wanted.workspace).await?;
    let format = format(&wanted);
    let segment = wanted.segment.as_deref().map(str::parse).transpose();
    let segment = segment.map_err(|_| Misconfigured::new("--segment", "is no id".to_owned()))?;
    let request =
        Request { filter: wanted.filter, search: wanted.search, tag: wanted.tag, segment, columns: wanted.columns };
    let output = wanted.output.as_deref();
    match wanted.what {
        Exported::Leads => {
            let table = leads_of(&reader, &actor, admin::now(), request).await.map_err(|error| refused(&error))?;
            write(pieces(reader, table, format)?, output).await?;
        }
        Exported::Contacts => {
            let table = contacts_of(&reader, &actor, admin::now(), request).await.map_err(|error| refused(&error))?;
            write(pieces(reader, table, format)?, output).await?;
        }
    }
    store.close().await;
    Ok(Exit::Done)
}

/// Whoever has the database may see all of it.
async fn actor(reader: &Reader, slug: &str) -> anyhow::Result<Actor> {
    let workspace = workspaces::find_by_slug(reader, slug).await?;
    let workspace = workspace.ok_or_else(|| anyhow!("there is no workspace {slug:?}"))?;
    Ok(Actor::system(workspace.id, "Command line"))
}

fn format(wanted: &ExportRequest) -> TableFormat {
    let ends_so = || wanted.output.as_deref().and_then(Path::extension).is_some_and(|end| end == OsStr::new("xlsx"));
    match wanted.format {
        Some(ExportFormat::Csv) => TableFormat::Csv,
        Some(ExportFormat::Xlsx) => TableFormat::Xlsx,
        None if ends_so() => TableFormat::Xlsx,
        None => TableFormat::Csv,
    }
}

fn refused(error: &ApiError) -> anyhow::Error {
    let options: Vec<String> = error
        .errors()
        .iter()
        .map(|field| format!("--{} {}", field.pointer.trim_start_matches('/'), field.message))
        .collect();
    if options.is_empty() { anyhow!("{}", error.code().title()) } else { anyhow!("{}", options.join("; ")) }
}

async fn write(pieces: impl Stream<Item = Result<Bytes, ExportError>>, output: Option<&Path>) -> anyhow::Result<()> {
    let mut pieces = std::pin::pin!(pieces);
    let Some(path) = output else {
        let mut stdout = std::io::stdout().lock();
        while let Some(piece) = pieces.next().await {
            stdout.write_all(&piece?).context("standard output does not take it")?;
        }
        return stdout.flush().context("standard output does not take it");
    };
    let unfinished = unfinished(path)?;
    let result = fill(&unfinished, pieces).await;
    if let Err(error) = result {
        let _gone = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    std::fs::rename(&unfinished, path).with_context(|| format!("{} cannot be written", path.display()))
}

async fn fill(
    path: &Path,
    mut pieces: std::pin::Pin<&mut impl Stream<Item = Result<Bytes, ExportError>>>,
) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    // It holds what people told of themselves.
    let mut file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(path).with_context(cannot)?;
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece?).with_context(cannot)?;
    }
    file.sync_all().with_context(cannot)
}

fn unfinished(path: &Path) -> anyhow::Result<PathBuf> {
    let Some(name) = path.file_name() else { bail!("{} is no name of a file", path.display()) };
    let mut name = name.to_owned();
    name.push(".unfinished");
    Ok(path.with_file_name(name))
}
