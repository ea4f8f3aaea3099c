//! Object requests, on the thread of the target that owns the shard.
//!
//! A request is checked whole before anything is touched: body, handle and right, map version, clock, keys, counts,
//! sizes against the data that came or the room there is. A malformed one is answered with an error and counted.

mod fetch;
mod pipeline;
mod query;
mod read;
mod transfer;
mod update;
mod verify;

use crate::dtx::Transactions;
use crate::dtx::locks::Locks;
use crate::faults;
use crate::target::Target;
use crate::target::handles::Grant;
use crate::target::history::History;
use crate::target::share::{Opened, Share};
use crate::telemetry;
use daos_common::ids::EPOCH_MAX;
use daos_common::wire::object::{BulkDesc, DataPath, ObjHeader};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Epoch, Error, Iod, IodKind, Result, UnitOid};
use daos_fabric::Incoming;
use daos_vos::VosCont;
use serde::de::DeserializeOwned;
use std::rc::Rc;

/// I/O descriptors in one request.
const IODS_MAX: usize = 4096;
/// Extents in one request, over all descriptors.
const RECXS_MAX: usize = 64 * 1024;
/// Bytes of one key.
const KEY_MAX_BYTES: usize = 64 * 1024;
/// Bytes of data in one request.
const DATA_MAX_BYTES: u64 = 4 << 30;
/// Regions of the peer's memory in one request.
const REGIONS_MAX: usize = 64 * 1024;
/// Dkeys or akeys in one punch.
const PUNCHED_KEYS_MAX: usize = 64 * 1024;
/// Redundancy ordinal of classes without redundancy (`OR_S`).
const ORDINAL_S: u8 = 1;

/// Serves one object request.
pub async fn serve(target: &Rc<Target>, opcode: Opcode, incoming: Incoming) {
    match opcode {
        Opcode::ObjUpdate => {
            let _timed = target.updates.begin();
            let outcome = update::update(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjPunch => {
            let outcome = update::punch(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjFetch => {
            let _timed = target.fetches.begin();
            fetch::fetch(target, incoming).await;
        }
        Opcode::ObjList => {
            let outcome = query::list(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjQueryKey => {
            let outcome = query::query_key(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjKeyAnchor => {
            let outcome = query::key_anchor(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjPipeline => {
            let outcome = pipeline::run(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjVerify => {
            let outcome = verify::verify(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        other => {
            let message = format!("{other:?} is served by context 0, not by target {}", target.index);
            fail(target, incoming, &Der::BAD_TARGET.err(message));
        }
    }
}

pub(crate) fn answer(target: &Target, incoming: Incoming, outcome: Result<Vec<u8>>) {
    match outcome {
        Ok(body) => incoming.reply(&body, &[]),
        Err(error) => fail(target, incoming, &error),
    }
}

pub(crate) fn fail(target: &Target, incoming: Incoming, error: &Error) {
    telemetry::add(&target.counters.errors, 1);
    if error.code() == Der::PROTO {
        telemetry::add(&target.counters.malformed, 1);
    }
    tracing::debug!("operation {}: {error}", incoming.opcode);
    incoming.fail(error);
}

fn decode<T: DeserializeOwned>(target: &Target, incoming: &Incoming) -> Result<T> {
    wire::decode(incoming.message.body()).map_err(|error| error.at(format!("target {}", target.index)))
}

/// What the header of a request opens.
struct Session {
    share: Rc<Share>,
    grant: Grant,
    cont: VosCont,
    dtx: Rc<Transactions>,
    history: Rc<History>,
    oid: UnitOid,
}

impl Session {
    async fn open(target: &Rc<Target>, header: &ObjHeader) -> Result<Session> {
        let (share, grant) = target.grant(header.pool, header.cont_handle).await?;
        share.check_map_version(header.map_version)?;
        // After the awaits: from here on the container cannot be destroyed under the request.
        let Opened { vos: cont, dtx } = share.opened(grant.cont)?;
        let history = share.history(grant.cont);
        history.check_serving()?;
        if faults::strikes(faults::SHARD_FAIL) {
            return Err(Der::IO.err("an injected fault"));
        }
        Ok(Session { share, grant, cont, dtx, history, oid: header.oid })
    }

    /// The epoch to write at: the caller's, or this moment. One further ahead than a peer's clock may be is refused, so
    /// that what a store remembers as its newest epoch follows the time of day.
    fn write_epoch(target: &Target, header: &ObjHeader) -> Result<Epoch> {
        match header.epoch {
            0 => Ok(target.clock.now()),
            EPOCH_MAX => Err(Der::INVAL.err("an update at epoch 2^64-1")),
            epoch => target.clock.merge(epoch).map(|()| epoch),
        }
    }

    /// The epoch to read at and the one to report: 0 and the largest mean the newest. Waits while the answer about
    /// `scope` depends on the outcome of a transaction. No change gets this epoch or an earlier one afterwards: the read
    /// can be repeated.
    ///
    /// # Errors
    /// `TX_BUSY`: the outcome takes too long; `HLC_SYNC`: the epoch is further ahead than a peer's clock may be;
    /// `TX_RESTART`: an epoch whose state is no longer kept.
    async fn read_epoch(&self, target: &Target, header: &ObjHeader, scope: Scope<'_>) -> Result<(Epoch, Epoch)> {
        let epoch = match header.epoch {
            0 | EPOCH_MAX => EPOCH_MAX,
            epoch => {
                target.clock.merge(epoch)?;
                epoch
            }
        };
        let blocked = |locks: &Locks| match scope {
            Scope::Dkey(dkey) => locks.blocks_read(self.oid, Some(dkey), epoch),
            Scope::Object => locks.blocks_read(self.oid, None, epoch),
            Scope::Container => locks.blocks_listing(epoch),
        };
        self.dtx.wait_while(target, blocked).await?;
        if epoch != EPOCH_MAX {
            self.history.check_read(&self.cont, epoch)?;
        }
        Ok((epoch, if epoch == EPOCH_MAX { target.clock.now() } else { epoch }))
    }

    /// Waits while a transaction holds one of the dkeys, or anything of the shard (`None`).
    ///
    /// # Errors
    /// `TX_BUSY`: it takes too long.
    async fn until_free(&self, target: &Target, dkeys: Option<&[Vec<u8>]>) -> Result<()> {
        self.dtx.wait_while(target, |locks| locks.blocks_change(self.oid, dkeys)).await
    }

    fn check_write(&self) -> Result<()> {
        self.grant.check_write()?;
        check_ordinal(self.oid)
    }
}

/// How much of a shard a read looks at.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Dkey(&'a [u8]),
    Object,
    /// Shards of the container on this target.
    Container,
}

/// # Errors
/// `NOTSUPPORTED`: the object's class has redundancy.
pub(crate) fn check_ordinal(oid: UnitOid) -> Result<()> {
    let ordinal = oid.oid.redundancy();
    if ordinal > ORDINAL_S {
        let message = format!(
            "object {}: its class is replicated or erasure coded (ordinal {ordinal}), which this version cannot write; \
             use a class without redundancy (S1, SX)",
            oid.oid
        );
        return Err(Der::NOTSUPPORTED.err(message));
    }
    Ok(())
}

/// Checks what a punch names.
///
/// # Errors
/// `INVAL`.
pub(crate) fn check_punch(dkeys: &[Vec<u8>], akeys: &[Vec<u8>]) -> Result<()> {
    if dkeys.len() > PUNCHED_KEYS_MAX || akeys.len() > PUNCHED_KEYS_MAX {
        return Err(Der::INVAL.err(format!("more than {PUNCHED_KEYS_MAX} keys in one punch")));
    }
    if !akeys.is_empty() && dkeys.len() != 1 {
        return Err(Der::INVAL.err(format!("a punch of akeys names one dkey, not {}", dkeys.len())));
    }
    dkeys.iter().try_for_each(|key| check_key("dkey", key))?;
    akeys.iter().try_for_each(|key| check_key("akey", key))
}

pub(crate) fn check_key(what: &str, key: &[u8]) -> Result<()> {
    match key.len() {
        0 => Err(Der::INVAL.err(format!("empty {what}"))),
        len if len > KEY_MAX_BYTES => Err(Der::INVAL.err(format!("{what} of {len} bytes; at most {KEY_MAX_BYTES}"))),
        _ => Ok(()),
    }
}

/// Checks what descriptors say by themselves and adds up their data.
pub(crate) fn check_iods(iods: &[Iod]) -> Result<u64> {
    if iods.is_empty() || iods.len() > IODS_MAX {
        return Err(Der::INVAL.err(format!("{} I/O descriptors; 1 to {IODS_MAX} are allowed", iods.len())));
    }
    let recxs: usize = iods.iter().map(|iod| iod.recxs.len()).sum();
    if recxs > RECXS_MAX {
        return Err(Der::INVAL.err(format!("{recxs} extents; at most {RECXS_MAX}")));
    }
    let mut total = 0u64;
    for iod in iods {
        check_key("akey", &iod.akey)?;
        let sound = match iod.kind {
            IodKind::Single => iod.recxs.is_empty(),
            IodKind::Array => iod.recxs.iter().all(|recx| recx.nr > 0 && recx.idx.checked_add(recx.nr).is_some()),
        };
        if !sound {
            return Err(Der::INVAL.err("extents that are empty, overflow, or stand with a single value"));
        }
        total = total.saturating_add(iod.data_bytes()?);
    }
    if total > DATA_MAX_BYTES {
        return Err(Der::INVAL.err(format!("{total} bytes of data; at most {DATA_MAX_BYTES} in one request")));
    }
    Ok(total)
}

/// Checks the peer's regions against what is to be moved.
fn check_regions(regions: &[BulkDesc], needed: u64) -> Result<()> {
    if regions.len() > REGIONS_MAX {
        return Err(Der::INVAL.err(format!("{} memory regions; at most {REGIONS_MAX}", regions.len())));
    }
    let sum = regions.iter().try_fold(0u64, |sum, region| {
        region.addr.checked_add(region.len)?;
        sum.checked_add(region.len)
    });
    match sum {
        Some(sum) if sum >= needed => Ok(()),
        Some(sum) => Err(Der::INVAL.err(format!("memory regions of {sum} bytes for {needed} bytes of data"))),
        None => Err(Der::INVAL.err("memory regions overflow 64 bits")),
    }
}

/// The peer's regions, if the data goes by RMA.
fn regions(data: &DataPath) -> Option<&[BulkDesc]> {
    match data {
        DataPath::Inline => None,
        DataPath::Bulk(regions) => Some(regions),
    }
}
