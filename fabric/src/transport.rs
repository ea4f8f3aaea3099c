//! What the RPC layer needs of a fabric: the seam between `Endpoint` and libfabric or the in-memory network.
//!
//! A transport moves unordered messages of at most [`crate::buffer::BUFFER_BYTES`] and reads and writes exposed memory
//! of peers. It never blocks and never calls back: what happened is in the events of [`Transport::poll`].

use crate::Access;
use crate::buffer::Buffer;
use daos_common::wire::object::BulkDesc;
use daos_common::{Error, Result};
use std::any::Any;
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::time::Instant;

/// A peer as the transport addresses it.
pub(crate) type Route = u64;

/// What became of an attempt to post an operation.
pub(crate) enum Post<T> {
    /// Under way; an event will tell its end.
    Posted,
    /// No room or no connection yet: try again later.
    Again(T),
    /// It cannot be done.
    Failed(Error),
}

/// What happened.
pub(crate) enum Event {
    /// A message came in.
    Received(Buffer),
    /// A message of ours went out wrong; its token.
    SendFailed(u64, Error),
    /// A read or write ended; its token.
    RmaDone(u64, Result<()>),
}

/// Local memory of a read or write, registered where the provider wants it so.
pub(crate) struct LocalMemory {
    pub(crate) desc: *mut c_void,
    pub(crate) _registration: Option<Box<dyn Any>>,
}

/// One read or write of contiguous memory on both sides.
pub(crate) struct Segment {
    pub(crate) write: bool,
    pub(crate) local: *mut u8,
    pub(crate) len: usize,
    pub(crate) desc: *mut c_void,
    pub(crate) remote_addr: u64,
    pub(crate) key: u64,
}

/// What is known about a peer that cannot be reached over the fabric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// Something listens at its address.
    Listening,
    /// Nothing does.
    Refused,
    /// Not known (yet).
    Unknown,
}

/// A fabric.
pub(crate) trait Transport {
    /// This endpoint's URI.
    fn uri(&self) -> &str;
    /// This endpoint's address, at most 255 bytes.
    fn address(&self) -> &[u8];
    /// The address in a URI.
    fn parse_uri(&self, uri: &str) -> Result<Vec<u8>>;
    /// A URI for an address.
    fn format_uri(&self, address: &[u8]) -> String;
    /// The route to an address.
    fn route(&self, address: &[u8]) -> Result<Route>;
    /// An empty buffer.
    fn buffer(&self) -> Buffer;
    /// Buffers in use by messages and operations.
    fn buffers_in_use(&self) -> usize;
    /// Sends a message. `token` comes back if it fails, unless it is 0 (then the message may be sent without a
    /// completion).
    fn send(&self, route: Route, buffer: Buffer, token: u64) -> Post<Buffer>;
    /// Prepares local memory for reads and writes.
    fn local(&self, memory: *mut u8, len: usize) -> Result<LocalMemory>;
    /// Reads or writes; the memory stays valid until the event.
    ///
    /// # Safety
    /// `segment.local..+len` is valid, and unaliased for a read, until [`Event::RmaDone`].
    unsafe fn rma(&self, route: Route, segment: &Segment, token: u64) -> Post<()>;
    /// The longest segment.
    fn max_segment(&self) -> usize;
    /// Opens memory to peers until the returned value is dropped.
    ///
    /// # Safety
    /// The memory stays valid, and unaliased for remote writes, until then.
    unsafe fn expose(&self, memory: *mut u8, len: usize, access: Access) -> Result<(BulkDesc, Box<dyn Any>)>;
    /// Moves things on and adds what happened to `events`; how many operations ended, without events too.
    fn poll(&self, events: &mut Vec<Event>) -> usize;
    /// Descriptors that become readable when `poll` has something to do.
    fn fds(&self) -> Vec<RawFd>;
    /// Whether `poll` may have something to do though no descriptor says so: the provider has none.
    fn must_be_polled(&self) -> bool {
        false
    }
    /// Whether the descriptors can be trusted right now: nothing is left to poll.
    fn may_sleep(&self) -> bool;
    /// Whether anything is at a peer's address, asked by another way than the fabric.
    fn reach(&self, address: &[u8]) -> Reach;
    /// The time by which timeouts run.
    fn now(&self) -> Instant;
    /// In a simulated network: lets time pass to the next delivery, at most to `limit`; whether it did.
    fn pass_time(&self, _limit: Option<Instant>) -> bool {
        false
    }
}
