//! Moves data between a peer's memory and the places of a store.
//!
//! Pieces of the arena of [`DIRECT_MIN_BYTES`] and more go straight between the peer and the arena; smaller ones that
//! follow one another are gathered in one buffer, because a transfer costs about as much as copying that many bytes.
//! Pieces of the data tier go through aligned buffers of at most [`BLOB_STEP_BYTES`]. Up to [`PARALLEL`] transfers run at
//! once.
//!
//! A transfer that has started is always awaited, also after another one failed: the provider writes into the memory
//! until it says that it is done.

use daos_blob::{Blob, Ring};
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Result};
use daos_fabric::{Endpoint, Peer};
use daos_vos::Place;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

const DIRECT_MIN_BYTES: u64 = 16 * 1024;
const GATHER_MAX_BYTES: u64 = 256 * 1024;
const BLOB_STEP_BYTES: u64 = 4 << 20;
const PARALLEL: usize = 8;

/// A piece of the data tier: where it stands in the peer's memory, and in the target's share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlobStep {
    /// Offset in the peer's regions.
    pub remote: u64,
    /// Offset in the target's share.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
}

/// One transfer.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// A large piece of the arena.
    Direct {
        /// Offset in the peer's regions.
        remote: u64,
        /// The piece.
        place: Place,
    },
    /// Small pieces of the arena that follow one another in the peer's memory.
    Gathered {
        /// Offset in the peer's regions of the first.
        remote: u64,
        /// The pieces.
        places: Vec<Place>,
        /// Their bytes together.
        len: u64,
    },
    /// A piece of the data tier.
    Blob(BlobStep),
}

/// Makes transfers out of pieces, given with their offsets in the peer's memory, ascending. Holes move nothing.
pub fn plan(pieces: impl IntoIterator<Item = (u64, Place)>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (remote, place) in pieces {
        match place {
            Place::Hole { .. } => {}
            Place::Blob { offset, len } => {
                let starts = (0..len).step_by(BLOB_STEP_BYTES as usize);
                steps.extend(starts.map(|at| {
                    let len = BLOB_STEP_BYTES.min(len - at);
                    Step::Blob(BlobStep { remote: remote + at, offset: offset + at, len })
                }));
            }
            Place::Arena { len, .. } if len >= DIRECT_MIN_BYTES => steps.push(Step::Direct { remote, place }),
            Place::Arena { len: added, .. } => match steps.last_mut() {
                Some(Step::Gathered { remote: first, places, len })
                    if *first + *len == remote && *len + added <= GATHER_MAX_BYTES =>
                {
                    places.push(place);
                    *len += added;
                }
                _ => steps.push(Step::Gathered { remote, places: vec![place], len: added }),
            },
        }
    }
    steps
}

/// Runs transfers, [`PARALLEL`] at a time; the first error, after all that were started have ended.
pub async fn run(steps: impl Iterator<Item = LocalBoxFuture<'_, Result<()>>>) -> Result<()> {
    let mut steps = steps.fuse();
    let mut running = FuturesUnordered::new();
    let mut outcome = Ok(());
    loop {
        while outcome.is_ok() && running.len() < PARALLEL {
            match steps.next() {
                Some(step) => running.push(step),
                None => break,
            }
        }
        match running.next().await {
            Some(Ok(())) => {}
            Some(Err(error)) => outcome = outcome.and(Err(error)),
            None => return outcome,
        }
    }
}

/// The peer's side of a transfer.
#[derive(Clone, Copy)]
pub struct Remote<'a> {
    /// This side's endpoint.
    pub endpoint: &'a Endpoint,
    /// The peer.
    pub peer: &'a Peer,
    /// Its regions.
    pub regions: &'a [BulkDesc],
}

/// Reads from the peer onto the data tier.
///
/// # Errors
/// What the transfer or the device says.
pub async fn pull_blob(remote: Remote<'_>, blob: &Blob, ring: &Ring, step: BlobStep) -> Result<()> {
    let mut buffer = ring.buffer(length(step.len)?);
    // SAFETY: the buffer is owned by this future, which is awaited to its end (`run`), and nothing else refers to it.
    unsafe {
        let (local, len) = (buffer.as_mut_ptr(), buffer.len());
        remote.endpoint.rma_read(remote.peer, remote.regions, step.remote, local, len).await?;
    }
    blob.write(step.offset, buffer).await
}

/// Writes from the data tier to the peer.
///
/// # Errors
/// As [`pull_blob`].
pub async fn push_blob(remote: Remote<'_>, blob: &Blob, step: BlobStep) -> Result<()> {
    let (buffer, range) = blob.read(step.offset, length(step.len)?).await?;
    push_bytes(remote, step.remote, &buffer[range]).await
}

/// Writes bytes to the peer. The future is to be awaited to its end.
///
/// # Errors
/// What the transfer says.
pub async fn push_bytes(remote: Remote<'_>, at: u64, bytes: &[u8]) -> Result<()> {
    // SAFETY: `bytes` is borrowed for as long as this future, which is awaited to its end (`run`).
    unsafe { remote.endpoint.rma_write(remote.peer, remote.regions, at, bytes.as_ptr(), bytes.len()).await }
}

/// A length as a `usize`.
///
/// # Errors
/// `INVAL`: larger than the address space.
pub fn length(len: u64) -> Result<usize> {
    usize::try_from(len).map_err(|_| Der::INVAL.err(format!("{len} bytes are too many")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: small neighbours are gathered, large ones go direct, holes separate, blob pieces are cut.
    #[test]
    fn plans() {
        let arena = |offset, len| Place::Arena { offset, len };
        let big = 3 * DIRECT_MIN_BYTES;
        let blob = Place::Blob { offset: 8192, len: BLOB_STEP_BYTES + 10 };
        let pieces = [
            (0, arena(100, 10)),
            (10, arena(500, 20)),
            (30, Place::Hole { len: 70 }),
            (100, arena(900, 5)),
            (105, arena(4096, big)),
            (105 + big, blob),
        ];
        let steps = plan(pieces);
        assert_eq!(steps.len(), 5);
        assert_eq!(steps[0], Step::Gathered { remote: 0, places: vec![arena(100, 10), arena(500, 20)], len: 30 });
        assert_eq!(steps[1], Step::Gathered { remote: 100, places: vec![arena(900, 5)], len: 5 });
        assert_eq!(steps[2], Step::Direct { remote: 105, place: arena(4096, big) });
        let second = BlobStep { remote: 105 + big + BLOB_STEP_BYTES, offset: 8192 + BLOB_STEP_BYTES, len: 10 };
        assert_eq!(steps[4], Step::Blob(second));
    }
}
