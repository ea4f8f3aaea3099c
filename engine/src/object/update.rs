//! Updates and punches: reserve, move the data in, commit.
//!
//! Cost of a small inline update: one copy of the data, from the message into the arena. By RMA: none, the provider
//! writes into the arena or into the buffer that goes to the device.

use super::transfer::{self, Remote, Step};
use super::{Session, check_iods, check_key, check_punch, check_regions, decode, regions};
use crate::faults;
use crate::target::operations::Verdict;
use crate::target::share::Store;
use crate::target::{Target, aggregation};
use crate::telemetry;
use daos_common::wire::object::{BulkDesc, ObjPunchRequest, ObjUpdateReply, ObjUpdateRequest};
use daos_common::wire::{self};
use daos_common::{Der, Epoch, Result};
use daos_fabric::Incoming;
use daos_vos::{Place, Update};
use futures_util::FutureExt;
use std::rc::Rc;

/// How often a write that finds no space is tried again after making room.
const RELIEFS: usize = 8;

/// Carries out an update.
pub async fn update(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjUpdateRequest = decode(target, incoming)?;
    check_key("dkey", &request.dkey)?;
    let bytes = check_iods(&request.iods)?;
    match regions(&request.data) {
        Some(regions) => check_regions(regions, bytes)?,
        None => check_inline(incoming.message.payload().len(), bytes)?,
    }
    let session = Session::open(target, &request.header).await?;
    session.check_write()?;
    let epoch = match target.operations.begin(request.header.cont_handle, request.operation).await {
        Verdict::Done(epoch) => {
            telemetry::add(&target.counters.resends, 1);
            epoch
        }
        Verdict::New(running) => {
            let outcome = write(target, incoming, &session, &request, bytes).await;
            running.settle(&outcome);
            outcome?
        }
    };
    wire::encode(&ObjUpdateReply { epoch })
}

fn check_inline(payload: usize, bytes: u64) -> Result<()> {
    if payload as u64 != bytes {
        return Err(Der::INVAL.err(format!("{payload} bytes came for descriptors of {bytes}")));
    }
    Ok(())
}

/// Writes; when the target is full, versions that nobody needs make room, and it is tried again.
async fn write(
    target: &Rc<Target>,
    incoming: &Incoming,
    session: &Session,
    request: &ObjUpdateRequest,
    bytes: u64,
) -> Result<Epoch> {
    let held = target.budget.take(bytes).await;
    if faults::strikes(faults::UPDATE_NOSPACE) {
        return Err(Der::NOSPACE.err("an injected fault"));
    }
    let mut outcome = write_once(target, incoming, session, request).await;
    for _ in 0..RELIEFS {
        match &outcome {
            Err(error) if error.code() == Der::NOSPACE && aggregation::relieve(target, &session.share).await => {
                outcome = write_once(target, incoming, session, request).await;
            }
            _ => break,
        }
    }
    let epoch = outcome?;
    drop(held);
    telemetry::add(&target.counters.updates, 1);
    telemetry::add(&target.counters.bytes_written, bytes);
    Ok(epoch)
}

async fn write_once(
    target: &Rc<Target>,
    incoming: &Incoming,
    session: &Session,
    request: &ObjUpdateRequest,
) -> Result<Epoch> {
    let dkey = std::slice::from_ref(&request.dkey);
    session.until_free(target, Some(dkey)).await?;
    let (header, iods) = (&request.header, &request.iods);
    // For the conditions now; the epoch of a caller that names none is that of the commit, so that the update does not
    // come to stand behind what others read meanwhile.
    let epoch = Session::write_epoch(target, header)?;
    let _under_way = session.history.begin_write(epoch)?;
    let mut reserved = session.cont.reserve_update(session.oid, epoch, &request.dkey, header.flags, iods)?;
    let store = session.share.store()?;
    match regions(&request.data) {
        Some(regions) => pull(target, incoming, store, &mut reserved, regions).await?,
        None => copy(target, incoming.message.payload(), store, &mut reserved).await?,
    }
    // Again: a transaction may have come while the data did. From here to the commit nothing else runs.
    session.until_free(target, Some(dkey)).await?;
    let epoch = if header.epoch == 0 { target.clock.now() } else { epoch };
    reserved.commit_at(epoch)?;
    Ok(epoch)
}

/// Copies the data that came in the message to its places.
async fn copy(target: &Target, mut payload: &[u8], store: &Store, update: &mut Update<'_>) -> Result<()> {
    for index in 0..update.places().len() {
        let place = update.places()[index];
        let (Place::Arena { len, .. } | Place::Blob { len, .. } | Place::Hole { len }) = place;
        let (head, rest) = payload.split_at_checked(transfer::length(len)?).ok_or_else(short)?;
        payload = rest;
        match place {
            Place::Arena { .. } => update.bytes_mut(place).copy_from_slice(head),
            Place::Blob { offset, .. } => {
                let (Some(blob), Some(ring)) = (&store.blob, target.ring()) else { return Err(no_tier()) };
                let mut buffer = ring.buffer(head.len());
                buffer.copy_from_slice(head);
                blob.write(offset, buffer).await?;
                telemetry::add(&target.counters.bytes_blob, len);
            }
            Place::Hole { .. } => {}
        }
    }
    if payload.is_empty() { Ok(()) } else { Err(short()) }
}

/// Reads the data from the peer's memory to its places.
async fn pull(
    target: &Target,
    incoming: &Incoming,
    store: &Store,
    update: &mut Update<'_>,
    regions: &[BulkDesc],
) -> Result<()> {
    let mut at = 0;
    let places = update.places().to_vec();
    let pieces = places.into_iter().map(|place| {
        let (Place::Arena { len, .. } | Place::Blob { len, .. } | Place::Hole { len }) = place;
        let remote = at;
        at += len;
        (remote, place)
    });
    let steps = transfer::plan(pieces);
    let remote = Remote { endpoint: target.runtime.endpoint(), peer: incoming.peer(), regions };
    let mut moves = Vec::with_capacity(steps.len());
    for step in steps {
        moves.push(match step {
            Step::Direct { remote: at, place } => {
                let local = update.bytes_mut(place);
                let (pointer, len) = (local.as_mut_ptr(), local.len());
                let endpoint = remote.endpoint.clone();
                // SAFETY: the bytes are reserved for `update`, which outlives the transfer: `run` awaits it to its
                // end, and no other step names the same place.
                let read = unsafe { endpoint.rma_read(remote.peer, regions, at, pointer, len) };
                read.boxed_local()
            }
            Step::Gathered { remote: at, places, len } => {
                let mut targets = Vec::with_capacity(places.len());
                for place in places {
                    let local = update.bytes_mut(place);
                    targets.push((local.as_mut_ptr(), local.len()));
                }
                gather(remote, at, transfer::length(len)?, targets).boxed_local()
            }
            Step::Blob(step) => {
                let (Some(blob), Some(ring)) = (&store.blob, target.ring()) else { return Err(no_tier()) };
                telemetry::add(&target.counters.bytes_blob, step.len);
                transfer::pull_blob(remote, blob, ring, step).boxed_local()
            }
        });
    }
    transfer::run(moves.into_iter()).await
}

/// Reads many small places by one transfer. The targets are places reserved for one update, which the caller keeps
/// until this future has ended.
async fn gather(remote: Remote<'_>, at: u64, len: usize, targets: Vec<(*mut u8, usize)>) -> Result<()> {
    let mut buffer = vec![0u8; len];
    // SAFETY: the buffer is owned by this future, which is awaited to its end (`transfer::run`).
    unsafe { remote.endpoint.rma_read(remote.peer, remote.regions, at, buffer.as_mut_ptr(), len).await? };
    let mut rest = buffer.as_slice();
    for (pointer, len) in targets {
        let Some((head, tail)) = rest.split_at_checked(len) else { return Err(short()) };
        // SAFETY: `pointer..pointer + len` is a place reserved for the update that the caller keeps alive; it is
        // disjoint from every other place and from the buffer.
        unsafe { std::ptr::copy_nonoverlapping(head.as_ptr(), pointer, len) };
        rest = tail;
    }
    Ok(())
}

fn short() -> daos_common::Error {
    Der::INVAL.err("the data and its descriptors differ in length")
}

fn no_tier() -> daos_common::Error {
    Der::IO.err("the store names the data tier, but the share has none")
}

/// Carries out a punch.
pub async fn punch(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjPunchRequest = decode(target, incoming)?;
    check_punch(&request.dkeys, &request.akeys)?;
    let session = Session::open(target, &request.header).await?;
    session.check_write()?;
    let epoch = match target.operations.begin(request.header.cont_handle, request.operation).await {
        Verdict::Done(epoch) => {
            telemetry::add(&target.counters.resends, 1);
            epoch
        }
        Verdict::New(running) => {
            session.until_free(target, (!request.dkeys.is_empty()).then_some(request.dkeys.as_slice())).await?;
            let epoch = Session::write_epoch(target, &request.header)?;
            let _under_way = session.history.begin_write(epoch)?;
            let dkeys: Vec<&[u8]> = request.dkeys.iter().map(Vec::as_slice).collect();
            let akeys: Vec<&[u8]> = request.akeys.iter().map(Vec::as_slice).collect();
            session.cont.punch(session.oid, epoch, &dkeys, &akeys, request.header.flags)?;
            telemetry::add(&target.counters.punches, 1);
            running.done(epoch);
            epoch
        }
    };
    wire::encode(&ObjUpdateReply { epoch })
}
