//! Fetches: find, pin, move the data out, answer.
//!
//! Cost of a small inline fetch: one copy, from the arena into the send buffer. By RMA: none from the arena; from the
//! data tier the device's buffer is what the provider reads.

use super::transfer::{self, Remote, Step};
use super::{Scope, Session, answer, check_iods, check_key, check_regions, decode, fail, regions};
use crate::target::Target;
use crate::target::share::Store;
use crate::telemetry;
use daos_blob::Buffer;
use daos_common::wire::object::{BulkDesc, DataPath, FetchedIod, ObjFetchReply, ObjFetchRequest};
use daos_common::wire::{self, INLINE_MAX_BYTES};
use daos_common::{Der, Error, IodKind, Result, flags};
use daos_fabric::Incoming;
use daos_vos::{Fetch, Fetched, Place, VosPool};
use futures_util::FutureExt;
use std::ops::Range;
use std::rc::Rc;

/// Zeros behind holes and unused room; an inline answer has at most [`INLINE_MAX_BYTES`].
static ZEROS: [u8; INLINE_MAX_BYTES] = [0; INLINE_MAX_BYTES];

/// Carries out a fetch and answers it.
pub async fn fetch(target: &Rc<Target>, incoming: Incoming) {
    let found = match find(target, &incoming).await {
        Ok(found) => found,
        Err(error) => return fail(target, incoming, &error),
    };
    match &found.request.data {
        DataPath::Bulk(regions) => {
            let outcome = push(target, &incoming, &found, regions).await;
            answer(target, incoming, outcome.and_then(|()| wire::encode(&found.reply)));
        }
        DataPath::Inline => match inline(target, &found).await {
            Ok(buffers) => found.answer_inline(target, incoming, &buffers),
            Err(error) => fail(target, incoming, &error),
        },
    }
}

/// An answered fetch, before its data moves.
struct Found {
    request: ObjFetchRequest,
    session: Session,
    fetch: Fetch,
    reply: ObjFetchReply,
    /// Pieces with their offsets in the caller's room.
    pieces: Vec<(u64, Place)>,
    bytes: u64,
}

async fn find(target: &Rc<Target>, incoming: &Incoming) -> Result<Found> {
    let request: ObjFetchRequest = decode(target, incoming)?;
    check_key("dkey", &request.dkey)?;
    check_iods(&request.iods)?;
    check_rooms(&request)?;
    let session = Session::open(target, &request.header).await?;
    session.grant.check_read()?;
    let (epoch, reported) = session.read_epoch(target, &request.header, Scope::Dkey(&request.dkey)).await?;
    let flags = request.header.flags & flags::COND_MASK;
    let fetch = session.cont.fetch(session.oid, epoch, &request.dkey, flags, &request.iods)?;
    if fetch.iods.len() != request.iods.len() {
        return Err(Der::MISC.err("the store answered another number of akeys than asked"));
    }
    let (mut pieces, mut iods) = (Vec::new(), Vec::with_capacity(fetch.iods.len()));
    let (mut start, mut bytes) = (0, 0);
    for (index, fetched) in fetch.iods.iter().enumerate() {
        let room = request.rooms.get(index).copied().unwrap_or(0);
        let single = request.iods[index].kind == IodKind::Single;
        let data_bytes = lay_out(fetched, single, start, room, &mut pieces)?;
        let present = fetched.present.clone();
        iods.push(FetchedIod { size: fetched.size, data_bytes, present });
        bytes += data_bytes;
        start += room;
    }
    let reply = ObjFetchReply { iods, epoch: reported };
    Ok(Found { request, session, fetch, reply, pieces, bytes })
}

fn check_rooms(request: &ObjFetchRequest) -> Result<()> {
    let (rooms, iods) = (request.rooms.len(), request.iods.len());
    if rooms != iods && rooms != 0 {
        return Err(Der::INVAL.err(format!("{rooms} rooms for {iods} I/O descriptors")));
    }
    let sum = request.rooms.iter().try_fold(0u64, |sum, room| sum.checked_add(*room));
    let Some(sum) = sum else { return Err(Der::INVAL.err("rooms overflow 64 bits")) };
    match regions(&request.data) {
        Some(regions) => check_regions(regions, sum),
        None if sum > INLINE_MAX_BYTES as u64 => {
            let message = format!("room of {sum} bytes in the message; more than {INLINE_MAX_BYTES} go by RMA");
            Err(Der::INVAL.err(message))
        }
        None => Ok(()),
    }
}

/// Places one descriptor's pieces in its room; how many bytes of it they cover.
fn lay_out(fetched: &Fetched, single: bool, start: u64, room: u64, pieces: &mut Vec<(u64, Place)>) -> Result<u64> {
    if room == 0 {
        return Ok(0);
    }
    let total: u64 = fetched.places.iter().map(|place| piece_len(*place)).sum();
    if total > room || (single && fetched.size > room) {
        let needed = total.max(if single { fetched.size } else { 0 });
        return Err(Der::REC2BIG.err(format!("{needed} bytes of data for a room of {room}")));
    }
    let mut at = start;
    for place in &fetched.places {
        pieces.push((at, *place));
        at += piece_len(*place);
    }
    Ok(total)
}

fn piece_len(place: Place) -> u64 {
    let (Place::Arena { len, .. } | Place::Blob { len, .. } | Place::Hole { len }) = place;
    len
}

/// Writes the data into the peer's memory.
async fn push(target: &Target, incoming: &Incoming, found: &Found, regions: &[BulkDesc]) -> Result<()> {
    let held = target.budget.take(found.bytes).await;
    let store = found.session.share.store()?;
    let remote = Remote { endpoint: target.runtime.endpoint(), peer: incoming.peer(), regions };
    let steps = transfer::plan(found.pieces.iter().copied());
    let mut moves = Vec::with_capacity(steps.len());
    for step in steps {
        moves.push(match step {
            Step::Direct { remote: at, place } => {
                transfer::push_bytes(remote, at, store.vos.bytes(&found.fetch, place)).boxed_local()
            }
            Step::Gathered { remote: at, places, len } => {
                let mut buffer = Vec::with_capacity(transfer::length(len)?);
                places.iter().for_each(|place| buffer.extend_from_slice(store.vos.bytes(&found.fetch, *place)));
                async move { transfer::push_bytes(remote, at, &buffer).await }.boxed_local()
            }
            Step::Blob(step) => {
                let blob = store.blob.as_ref().ok_or_else(no_tier)?;
                telemetry::add(&target.counters.bytes_blob, step.len);
                transfer::push_blob(remote, blob, step).boxed_local()
            }
        });
    }
    transfer::run(moves.into_iter()).await?;
    drop(held);
    found.count(target);
    Ok(())
}

/// Reads the pieces of an inline answer that are on the data tier, in their order.
async fn inline(target: &Target, found: &Found) -> Result<Vec<(Buffer, Range<usize>)>> {
    let store: &Store = found.session.share.store()?;
    let mut buffers = Vec::new();
    for (_, place) in &found.pieces {
        if let Place::Blob { offset, len } = *place {
            let blob = store.blob.as_ref().ok_or_else(no_tier)?;
            buffers.push(blob.read(offset, transfer::length(len)?).await?);
            telemetry::add(&target.counters.bytes_blob, len);
        }
    }
    Ok(buffers)
}

impl Found {
    fn answer_inline(&self, target: &Target, incoming: Incoming, buffers: &[(Buffer, Range<usize>)]) {
        let vos = match self.session.share.store() {
            Ok(store) => &store.vos,
            Err(error) => return fail(target, incoming, &error),
        };
        match (self.gathered(vos, buffers), wire::encode(&self.reply)) {
            (Ok(payload), Ok(body)) => {
                self.count(target);
                incoming.reply(&body, &payload);
            }
            (Err(error), _) | (_, Err(error)) => fail(target, incoming, &error),
        }
    }

    /// The payload: each piece at its place in the room, zeros between.
    fn gathered<'a>(&'a self, vos: &'a VosPool, buffers: &'a [(Buffer, Range<usize>)]) -> Result<Vec<&'a [u8]>> {
        let mut payload: Vec<&[u8]> = Vec::with_capacity(self.pieces.len());
        let mut buffers = buffers.iter();
        let mut at = 0;
        for (start, place) in &self.pieces {
            // Room that an earlier descriptor left unused.
            payload.push(zeros(start.saturating_sub(at))?);
            payload.push(match place {
                Place::Arena { .. } => vos.bytes(&self.fetch, *place),
                Place::Hole { len } => zeros(*len)?,
                Place::Blob { .. } => match buffers.next() {
                    Some((buffer, range)) => buffer.get(range.clone()).ok_or_else(no_tier)?,
                    None => return Err(no_tier()),
                },
            });
            at = start + piece_len(*place);
        }
        payload.retain(|bytes| !bytes.is_empty());
        Ok(payload)
    }

    fn count(&self, target: &Target) {
        telemetry::add(&target.counters.fetches, 1);
        telemetry::add(&target.counters.bytes_read, self.bytes);
    }
}

fn zeros(len: u64) -> Result<&'static [u8]> {
    let fits = usize::try_from(len).ok().and_then(|len| ZEROS.get(..len));
    fits.ok_or_else(|| Der::INVAL.err(format!("{len} bytes in a message of at most {INLINE_MAX_BYTES}")))
}

fn no_tier() -> Error {
    Der::IO.err("the store names the data tier, but the share has none")
}
