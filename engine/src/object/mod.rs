//! Object requests, on the thread of the target that owns the shard.
//!
//! A request is checked whole before anything is touched: body, handle and right, map version, clock, keys, counts,
//! sizes against the data that came or the room there is. A malformed one is answered with an error and counted.

mod fetch;
mod query;
mod read;
mod transfer;
mod update;
mod verify;

use crate::target::Target;
use crate::target::handles::Grant;
use crate::target::share::Share;
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
/// Redundancy ordinal of classes without redundancy (`OR_S`).
const ORDINAL_S: u8 = 1;

/// Serves one object request.
pub async fn serve(target: &Rc<Target>, opcode: Opcode, incoming: Incoming) {
    match opcode {
        Opcode::ObjUpdate => {
            let outcome = update::update(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjPunch => {
            let outcome = update::punch(target, &incoming).await;
            answer(target, incoming, outcome);
        }
        Opcode::ObjFetch => fetch::fetch(target, incoming).await,
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

fn answer(target: &Target, incoming: Incoming, outcome: Result<Vec<u8>>) {
    match outcome {
        Ok(body) => incoming.reply(&body, &[]),
        Err(error) => fail(target, incoming, &error),
    }
}

fn fail(target: &Target, incoming: Incoming, error: &Error) {
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
    oid: UnitOid,
}

impl Session {
    async fn open(target: &Rc<Target>, header: &ObjHeader) -> Result<Session> {
        let share = target.share(header.pool)?;
        share.store()?;
        let handle = header.cont_handle;
        let check = || async {
            let reply = target.check_handle(header.pool, handle).await?;
            share.learn_map_version(reply.map_version);
            Ok(reply)
        };
        let grant = share.handles.grant(handle, check).await?;
        share.check_map_version(header.map_version)?;
        // After the awaits: from here on the container cannot be destroyed under the request.
        let cont = share.container(grant.cont)?;
        Ok(Session { share, grant, cont, oid: header.oid })
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

    /// The epoch to read at and the one to report: 0 and the largest mean the newest.
    fn read_epoch(target: &Target, header: &ObjHeader) -> (Epoch, Epoch) {
        match header.epoch {
            0 | EPOCH_MAX => (EPOCH_MAX, target.clock.now()),
            epoch => (epoch, epoch),
        }
    }

    fn check_write(&self) -> Result<()> {
        self.grant.check_write()?;
        let ordinal = self.oid.oid.redundancy();
        if ordinal > ORDINAL_S {
            let message = format!(
                "object {}: its class is replicated or erasure coded (ordinal {ordinal}), which this version cannot \
                 write; use a class without redundancy (S1, SX)",
                self.oid.oid
            );
            return Err(Der::NOTSUPPORTED.err(message));
        }
        Ok(())
    }
}

fn check_key(what: &str, key: &[u8]) -> Result<()> {
    match key.len() {
        0 => Err(Der::INVAL.err(format!("empty {what}"))),
        len if len > KEY_MAX_BYTES => Err(Der::INVAL.err(format!("{what} of {len} bytes; at most {KEY_MAX_BYTES}"))),
        _ => Ok(()),
    }
}

/// Checks what descriptors say by themselves and adds up their data.
fn check_iods(iods: &[Iod]) -> Result<u64> {
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
