//! Blocking addresses, and letting them in again.

use leadline_domain::{ids::BlockedIpId, time::Timestamp};
use leadline_store::blocked_ips::{self, BlockedIp};

use super::blocklist::MOST_RANGES;
use crate::{
    Actor, Engine,
    addresses::{parse_range, write_range},
    audit::{self, Deed},
    random_bytes,
};

/// Longest reason of a block, in characters.
const LONGEST_REASON: usize = 500;

/// Why a block was not made or taken away.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// It is not there.
    #[error("not found")]
    NotFound,
    /// A field is wrong: the field and what is wrong with it.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] leadline_store::Error),
}

/// Blocks an address or a network. One that is blocked already stays as it is and is what is answered.
///
/// # Errors
/// Where a field is wrong, or too many are blocked.
pub async fn block(
    engine: &Engine,
    actor: &Actor,
    range: &str,
    reason: Option<&str>,
    expires_at: Option<Timestamp>,
) -> Result<BlockedIp, BlockError> {
    let wrong = "must be an address such as 203.0.113.9, or a network of at most /8 (IPv6: /16) such as 203.0.113.0/24";
    let ip_range = write_range(parse_range(range).ok_or(BlockError::Field("range", wrong))?);
    let now = engine.clock.now();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(BlockError::Field("expiresAt", "must be in the future"));
    }
    let blocked = BlockedIp {
        id: BlockedIpId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        ip_range,
        reason: checked_reason(reason)?,
        created_by: actor.name.clone(),
        created_at: now.0,
        expires_at: expires_at.map(|at| at.0),
    };
    let reader = engine.store.reader();
    if blocked_ips::count(&reader, actor.workspace, MOST_RANGES).await? >= MOST_RANGES {
        return Err(BlockError::Field("range", "is one too many: 10,000 are blocked; block a network instead"));
    }
    let mut tx = engine.store.begin().await?;
    blocked_ips::delete_expired_range(&mut tx, actor.workspace, &blocked.ip_range, now).await?;
    let inserted = blocked_ips::insert(&mut tx, std::slice::from_ref(&blocked)).await?;
    if inserted == 1 {
        let deed = Deed::new("blocked_ip.created", blocked.id, &blocked.ip_range);
        audit::record(&mut tx, now, actor, deed).await?;
    }
    tx.commit().await?;
    engine.door.watch().forget();
    if inserted == 1 {
        return Ok(blocked);
    }
    let there = blocked_ips::find_by_range(&reader, actor.workspace, &blocked.ip_range).await?;
    there.ok_or(BlockError::NotFound)
}

/// Lets an address or a network in again.
///
/// # Errors
/// Where there is no such block.
pub async fn unblock(engine: &Engine, actor: &Actor, id: BlockedIpId) -> Result<(), BlockError> {
    let mut tx = engine.store.begin().await?;
    let was_there = blocked_ips::delete(&mut tx, actor.workspace, id).await?;
    if was_there {
        audit::record(&mut tx, engine.clock.now(), actor, Deed::new("blocked_ip.deleted", id, "")).await?;
    }
    tx.commit().await?;
    engine.door.watch().forget();
    if was_there { Ok(()) } else { Err(BlockError::NotFound) }
}

fn checked_reason(reason: Option<&str>) -> Result<Option<String>, BlockError> {
    let Some(reason) = reason.map(str::trim).filter(|reason| !reason.is_empty()) else { return Ok(None) };
    let is_good = reason.chars().count() <= LONGEST_REASON && !reason.contains('\0');
    if is_good {
        Ok(Some(reason.to_owned()))
    } else {
        Err(BlockError::Field("reason", "must have at most 500 characters"))
    }
}
