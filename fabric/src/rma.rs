//! Reads and writes of peers' memory: split by the peer's regions and by [`SEGMENT_BYTES`], many segments in flight.
//!
//! The operations live in a table of the endpoint, which posts their segments as room appears; the future only waits.

use crate::endpoint::Core;
use crate::peer::{PeerEntry, Waiting};
use crate::transport::{LocalMemory, Post, Segment};
use crate::wire::Header;
use daos_common::wire::object::BulkDesc;
use daos_common::{Der, Error, Result};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Longest segment: long enough to cost no bandwidth, short enough that messages get between two of them on a shared
/// connection.
pub(crate) const SEGMENT_BYTES: usize = 1 << 20;
/// Segments of one operation in flight.
const IN_FLIGHT: usize = 16;

/// What an operation's end does.
pub(crate) enum AtEnd {
    /// Wakes the future.
    Wake(Option<Waker>),
    /// Delivers a message that was too long for a buffer.
    Deliver(Box<Pulled>),
}

/// A long message being pulled.
pub(crate) struct Pulled {
    pub(crate) header: Header,
    pub(crate) content: Vec<u8>,
    pub(crate) release: u64,
}

/// One operation.
pub(crate) struct RmaOp {
    peer: Rc<PeerEntry>,
    write: bool,
    remote: Vec<BulkDesc>,
    /// The next byte to post: a region and an offset in it.
    region: usize,
    region_offset: u64,
    local: *mut u8,
    memory: LocalMemory,
    /// Bytes not posted yet.
    left: usize,
    in_flight: usize,
    error: Option<Error>,
    /// In the peer's queue.
    waiting: bool,
    /// Its future is gone; it only waits for its segments.
    abandoned: bool,
    done: bool,
    at_end: AtEnd,
}

/// The operations of an endpoint.
#[derive(Default)]
pub(crate) struct RmaTable {
    ops: Vec<Option<RmaOp>>,
    free: Vec<usize>,
}

impl RmaTable {
    fn insert(&mut self, op: RmaOp) -> usize {
        match self.free.pop() {
            Some(index) => {
                self.ops[index] = Some(op);
                index
            }
            None => {
                self.ops.push(Some(op));
                self.ops.len() - 1
            }
        }
    }

    fn get(&mut self, index: usize) -> Option<&mut RmaOp> {
        self.ops.get_mut(index)?.as_mut()
    }

    fn remove(&mut self, index: usize) -> Option<RmaOp> {
        let op = self.ops.get_mut(index)?.take();
        if op.is_some() {
            self.free.push(index);
        }
        op
    }
}

/// Which way data goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Core {
    /// Starts an operation; its number.
    ///
    /// # Safety
    /// As [`crate::Endpoint::rma_read`] and `rma_write`.
    pub(crate) unsafe fn start_rma(
        self: &Rc<Core>,
        peer: &Rc<PeerEntry>,
        remote: &[BulkDesc],
        offset: u64,
        local: (*mut u8, usize),
        direction: Direction,
        at_end: AtEnd,
    ) -> Result<usize> {
        let (local, len) = local;
        let total = remote.iter().try_fold(0u64, |sum, region| sum.checked_add(region.len));
        let fits = total.zip(offset.checked_add(len as u64)).is_some_and(|(total, end)| end <= total);
        if !fits {
            return Err(Error::new(
                Der::INVAL,
                format!("{len} bytes at {offset} are outside of the {} regions of {}", remote.len(), peer.uri),
            ));
        }
        let (region, region_offset) = locate(remote, offset);
        let memory = match len {
            0 => LocalMemory { desc: std::ptr::null_mut(), _registration: None },
            _ => self.transport.local(local, len)?,
        };
        let op = RmaOp {
            peer: peer.clone(),
            write: direction == Direction::Write,
            remote: remote.to_vec(),
            region,
            region_offset,
            local,
            memory,
            left: len,
            in_flight: 0,
            error: None,
            waiting: false,
            abandoned: false,
            done: false,
            at_end,
        };
        let index = self.rma.borrow_mut().insert(op);
        self.statistics.borrow_mut().rma_bytes += len as u64;
        if peer.is_stuck() {
            if let Some(op) = self.rma.borrow_mut().get(index) {
                op.waiting = true;
            }
            self.enqueue(peer, Waiting::Rma(index));
        } else if !self.post_segments_now(index) {
            self.enqueue(peer, Waiting::Rma(index));
        }
        Ok(index)
    }

    /// Posts what can be posted; `false`: there was no room for more, and the operation belongs in its peer's queue.
    pub(crate) fn post_segments_now(self: &Rc<Core>, index: usize) -> bool {
        let mut table = self.rma.borrow_mut();
        let Some(op) = table.get(index) else { return true };
        op.waiting = false;
        let longest = self.transport.max_segment().min(SEGMENT_BYTES);
        while op.left > 0 && op.in_flight < IN_FLIGHT && op.error.is_none() && !op.abandoned {
            let Some(region) = op.remote.get(op.region) else { break };
            let in_region = region.len - op.region_offset;
            if in_region == 0 {
                (op.region, op.region_offset) = (op.region + 1, 0);
                continue;
            }
            let len = in_region.min(op.left as u64).min(longest as u64) as usize;
            let segment = Segment {
                write: op.write,
                local: op.local,
                len,
                desc: op.memory.desc,
                remote_addr: region.addr.wrapping_add(op.region_offset),
                key: region.key,
            };
            // SAFETY: the starter of the operation keeps the memory valid until its end.
            match unsafe { self.transport.rma(op.peer.route, &segment, index as u64) } {
                Post::Posted => {
                    op.in_flight += 1;
                    op.left -= len;
                    op.region_offset += len as u64;
                    // SAFETY: stays within the operation's memory, or at its end.
                    op.local = unsafe { op.local.add(len) };
                }
                Post::Again(()) => {
                    op.waiting = true;
                    return false;
                }
                Post::Failed(error) => op.error = Some(error.at(&op.peer.uri)),
            }
        }
        drop(table);
        self.end_if_over(index);
        true
    }

    /// A segment of operation `index` ended.
    pub(crate) fn segment_done(self: &Rc<Core>, index: usize, result: Result<()>) {
        let peer = {
            let mut table = self.rma.borrow_mut();
            let Some(op) = table.get(index) else { return };
            op.in_flight = op.in_flight.saturating_sub(1);
            if let Err(error) = result
                && op.error.is_none()
            {
                op.error = Some(error.at(&op.peer.uri));
            }
            op.peer.heard_at.set(self.now());
            if op.waiting {
                return;
            }
            op.peer.clone()
        };
        if !self.post_segments_now(index) {
            self.enqueue(&peer, Waiting::Rma(index));
        }
    }

    /// The peer is gone: what is not posted won't be.
    pub(crate) fn fail_rma(self: &Rc<Core>, index: usize, error: &Error) {
        if let Some(op) = self.rma.borrow_mut().get(index) {
            op.waiting = false;
            op.error.get_or_insert_with(|| error.clone());
        }
        self.end_if_over(index);
    }

    fn end_if_over(self: &Rc<Core>, index: usize) {
        let mut table = self.rma.borrow_mut();
        let Some(op) = table.get(index) else { return };
        let stopped = op.error.is_some() || op.abandoned;
        if op.done || op.in_flight > 0 || (op.left > 0 && !stopped) {
            return;
        }
        op.done = true;
        if op.abandoned {
            table.remove(index);
            return;
        }
        match &mut op.at_end {
            AtEnd::Wake(waker) => {
                if let Some(waker) = waker.take() {
                    drop(table);
                    waker.wake();
                }
            }
            AtEnd::Deliver(_) => {
                let op = table.remove(index);
                drop(table);
                if let Some(RmaOp { at_end: AtEnd::Deliver(pulled), peer, error, .. }) = op {
                    self.pulled(peer, *pulled, error);
                }
            }
        }
    }
}

/// The region that holds byte `offset` of the regions, and the offset in it.
fn locate(remote: &[BulkDesc], mut offset: u64) -> (usize, u64) {
    for (index, region) in remote.iter().enumerate() {
        if offset < region.len {
            return (index, offset);
        }
        offset -= region.len;
    }
    (remote.len(), 0)
}

/// A read or write under way.
pub(crate) struct Rma {
    core: Rc<Core>,
    started: Result<usize>,
}

impl Rma {
    pub(crate) fn new(core: Rc<Core>, started: Result<usize>) -> Rma {
        Rma { core, started }
    }
}

impl Future for Rma {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let index = match &self.started {
            Ok(index) => *index,
            Err(error) => return Poll::Ready(Err(error.clone())),
        };
        let mut table = self.core.rma.borrow_mut();
        match table.get(index) {
            Some(op) if !op.done => {
                op.at_end = AtEnd::Wake(Some(context.waker().clone()));
                return Poll::Pending;
            }
            _ => {}
        }
        let op = table.remove(index);
        drop(table);
        self.started = Err(Error::new(Der::INVAL, "a finished transfer was polled again"));
        Poll::Ready(match op.and_then(|op| op.error) {
            Some(error) => Err(error),
            None => Ok(()),
        })
    }
}

impl Drop for Rma {
    fn drop(&mut self) {
        let Ok(index) = self.started else { return };
        let mut table = self.core.rma.borrow_mut();
        match table.get(index) {
            Some(op) if !op.done => op.abandoned = true,
            _ => {}
        }
        let over = table.get(index).is_some_and(|op| op.done || (op.in_flight == 0 && !op.waiting));
        if over {
            let op = table.remove(index);
            drop(table);
            drop(op);
        }
    }
}
