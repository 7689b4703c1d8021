//! What capture keeps of persons outside the tables' texts, and taking it out: the spool, and the rows of files.
//!
//! What waits in the spool is stored first, which drops what came of the person before they were erased (see
//! [`replay`]); what the database refused stands beside the spool in lines. Rows of files wait packed.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use leadline_domain::{
    ids::WorkspaceId,
    privacy::{Naming, Traces},
};
use leadline_store::imports::blocks;

use super::{
    imports::packing::{pack, unpack},
    replay, spool,
};
use crate::{
    Engine,
    erasing::{Erasing, Keeper, KeeperError},
};

/// Keeps submissions on the disk of this node.
pub struct SpoolKeeper;

impl Keeper for SpoolKeeper {
    fn erase<'a>(&'a self, engine: &'a Engine, _: WorkspaceId, person: &'a Traces) -> Erasing<'a> {
        Box::pin(async move {
            let door = &engine.door;
            if !door.spool_handle().is_empty() {
                replay::replay(engine).await.map_err(|error| KeeperError::Disk(error.to_string()))?;
            }
            let _nobody_adds = door.forwarding.write().await;
            let path = engine.options.data_dir.join("spool").join(spool::REFUSED);
            without_lines_about(&path, person).map_err(|error| KeeperError::Disk(error.to_string()))
        })
    }
}

/// Writes a file anew without the lines that name a person.
fn without_lines_about(path: &Path, person: &Traces) -> std::io::Result<u64> {
    if !path.exists() {
        return Ok(0);
    }
    let whole = fs::read_to_string(path)?;
    let (theirs, others): (Vec<&str>, Vec<&str>) = whole.lines().partition(|line| person.are_in(line, Naming::Alone));
    if theirs.is_empty() {
        return Ok(0);
    }
    // Over the old one, so that its bytes do not stay on the disk under no name.
    let length = whole.len();
    let mut file = File::options().write(true).open(path)?;
    let kept: String = others.iter().map(|line| format!("{line}\n")).collect();
    file.write_all(kept.as_bytes())?;
    file.write_all(&vec![b'\n'; length.saturating_sub(kept.len())])?;
    file.sync_all()?;
    file.set_len(kept.len() as u64)?;
    file.sync_all()?;
    Ok(theirs.len() as u64)
}

/// Keeps rows of files until leads are made of them.
pub struct FileKeeper;

impl Keeper for FileKeeper {
    fn erase<'a>(&'a self, engine: &'a Engine, workspace: WorkspaceId, person: &'a Traces) -> Erasing<'a> {
        Box::pin(async move {
            let reader = engine.store.reader();
            let (mut rows, mut after) = (0, None);
            while let Some((place, packed)) = blocks::next(&reader, workspace, after).await? {
                after = Some(place);
                let Ok(block) = unpack(&packed) else { continue };
                let before = block.len();
                let kept: Vec<_> =
                    block.into_iter().filter(|(_, cells)| !person.are_in(&cells.join(" \n "), Naming::Alone)).collect();
                if kept.len() == before {
                    continue;
                }
                rows += (before - kept.len()) as u64;
                let packed = pack(&kept).map_err(|error| KeeperError::Disk(error.to_string()))?;
                let mut tx = engine.store.begin().await?;
                leadline_store::privacy::wipe::overwrite_deleted(&mut tx).await?;
                blocks::replace(&mut tx, place, packed).await?;
                tx.commit().await?;
            }
            Ok(rows)
        })
    }
}
