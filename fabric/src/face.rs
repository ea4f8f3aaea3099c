//! What engine and client see of the fabric.

use daos_common::wire::object::BulkDesc;
use daos_common::{Error, Result};
use std::future::Future;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

/// Which fabric to open.
#[derive(Clone, Debug, Default)]
pub struct FabricConfig {
    /// `ofi+tcp`, `ofi+verbs;ofi_rxm`, `ofi+shm`, ... ; see the crate's documentation for what `ofi+tcp` picks.
    pub provider: String,
    /// Network interface (`lo`, `eth0`); `None` lets the provider choose.
    pub interface: Option<String>,
    /// Fabric domain; `None` for the interface's.
    pub domain: Option<String>,
    /// Port to listen on; `None` for any.
    pub port: Option<u16>,
}

/// A peer's address, resolved. Cheap to clone; belongs to the endpoint that made it.
#[derive(Clone, Debug)]
pub struct Peer {}

/// One endpoint: sends and receives requests, moves memory. Cheap to clone; not `Send`.
#[derive(Clone)]
pub struct Endpoint {}

/// A received message's bytes; the buffer returns to the endpoint's pool on drop.
pub struct Message {}

/// A request to send.
pub struct Request<'a> {
    /// Number of the operation (`daos_common::wire::Opcode`).
    pub opcode: u16,
    /// Encoded body.
    pub body: Vec<u8>,
    /// Raw bytes behind it, gathered in order; copied into the send buffer.
    pub payload: &'a [&'a [u8]],
    /// After this the call fails with TIMEDOUT.
    pub timeout: Duration,
}

/// A successful reply.
pub struct Reply {
    /// The body; decode it with `daos_common::wire::decode(reply.body())`.
    pub message: Message,
}

/// A received request, to be answered exactly once; dropped unanswered it is answered CANCELED.
pub struct Incoming {
    /// Number of the operation.
    pub opcode: u16,
    /// Body and payload.
    pub message: Message,
}

/// Access of an exposed region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Peers may read it (update).
    RemoteRead,
    /// Peers may write it (fetch).
    RemoteWrite,
}

/// Memory open to peers until dropped.
pub struct Exposed {}

/// A source of completions beside the endpoint (io_uring), driven by the runtime.
pub trait Poller {
    /// Takes completions without blocking; how many it took.
    fn poll(&self) -> usize;
    /// Readable when `poll` would find something; `None`: must be polled.
    fn fd(&self) -> Option<RawFd>;
}

/// A single-threaded executor bound to an endpoint. Cheap to clone; not `Send`.
///
/// It polls while there is work, spins for a short, measured while after the last message, then sleeps on the
/// file descriptors of the endpoint, the pollers and a wake-up eventfd.
#[derive(Clone)]
pub struct Runtime {}

/// Wakes a [`Runtime`] from another thread.
#[derive(Clone)]
pub struct RemoteWaker {}

#[allow(unused_variables, clippy::todo)]
impl Endpoint {
    /// Opens an endpoint.
    ///
    /// # Errors
    /// `INVAL`: unknown provider or interface; `BUSY`: the port is taken; `NOMEM`.
    pub fn open(config: &FabricConfig) -> Result<Endpoint> {
        todo!()
    }

    /// `provider://host:port`, to give to peers.
    pub fn uri(&self) -> String {
        todo!()
    }

    /// Resolves a peer's URI; cached.
    ///
    /// # Errors
    /// `INVAL`: not a URI of this provider; `UNREACH`.
    pub fn peer(&self, uri: &str) -> Result<Peer> {
        todo!()
    }

    /// Sends a request and waits for its reply. Dropping the future forgets the reply.
    ///
    /// # Errors
    /// The status the peer answered with its message; `TIMEDOUT`; `UNREACH`: the peer is gone.
    pub fn call(&self, peer: &Peer, request: Request<'_>) -> impl Future<Output = Result<Reply>> + 'static {
        async { todo!() }
    }

    /// The next request, in order of arrival.
    pub fn accept(&self) -> impl Future<Output = Incoming> + 'static {
        async { todo!() }
    }

    /// Opens `regions` of this process's memory to peers.
    ///
    /// # Errors
    /// `NOMEM`.
    ///
    /// # Safety
    /// The regions stay valid, and for `RemoteWrite` unaliased, until the `Exposed` is dropped.
    pub unsafe fn expose(&self, regions: &[(*mut u8, usize)], access: Access) -> Result<Exposed> {
        todo!()
    }

    /// Reads `len` bytes of a peer's regions (as one byte string, from `offset`) to `local`.
    ///
    /// # Errors
    /// `INVAL`: outside the regions; `UNREACH`; `IO`.
    ///
    /// # Safety
    /// `local..local+len` stays valid and unaliased until the future completes; the future is not dropped before.
    pub unsafe fn rma_read(
        &self,
        peer: &Peer,
        remote: &[BulkDesc],
        offset: u64,
        local: *mut u8,
        len: usize,
    ) -> impl Future<Output = Result<()>> + 'static {
        async { todo!() }
    }

    /// Writes `len` bytes at `local` to a peer's regions.
    ///
    /// # Errors
    /// As `rma_read`.
    ///
    /// # Safety
    /// As `rma_read`, but `local` may be shared for reading.
    pub unsafe fn rma_write(
        &self,
        peer: &Peer,
        remote: &[BulkDesc],
        offset: u64,
        local: *const u8,
        len: usize,
    ) -> impl Future<Output = Result<()>> + 'static {
        async { todo!() }
    }
}

#[allow(clippy::todo)]
impl Exposed {
    /// What the peer needs to reach the regions, in their order.
    pub fn descriptors(&self) -> Vec<BulkDesc> {
        todo!()
    }
}

#[allow(clippy::todo)]
impl Message {
    /// The encoded body.
    pub fn body(&self) -> &[u8] {
        todo!()
    }

    /// The bytes behind it.
    pub fn payload(&self) -> &[u8] {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo)]
impl Incoming {
    /// The sender, as a peer for RMA.
    pub fn peer(&self) -> &Peer {
        todo!()
    }

    /// Answers with success.
    pub fn reply(self, body: &[u8], payload: &[&[u8]]) {
        todo!()
    }

    /// Answers with an error.
    pub fn fail(self, error: &Error) {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo)]
impl Runtime {
    /// A runtime over an endpoint.
    ///
    /// # Errors
    /// `NOMEM`, `IO`: no descriptors left.
    pub fn new(endpoint: Endpoint) -> Result<Runtime> {
        todo!()
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        todo!()
    }

    /// Runs a future beside others; detach the task, or keep it: a dropped task is cancelled.
    pub fn spawn<F: Future + 'static>(&self, future: F) -> async_executor::Task<F::Output>
    where
        F::Output: 'static,
    {
        todo!()
    }

    /// Adds a source of completions.
    ///
    /// # Errors
    /// `IO`: its descriptor cannot be watched.
    pub fn add_poller(&self, poller: Rc<dyn Poller>) -> Result<()> {
        todo!()
    }

    /// For other threads to wake this runtime.
    pub fn remote_waker(&self) -> RemoteWaker {
        todo!()
    }

    /// One turn without blocking: tasks, completions, timers. How much happened; 0 when idle.
    pub fn turn(&self) -> usize {
        todo!()
    }

    /// Turns until `future` is ready, sleeping when idle.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        todo!()
    }

    /// Turns until something happened or `timeout` passed (0: one turn). Whether something happened.
    pub fn wait(&self, timeout: Duration) -> bool {
        todo!()
    }

    /// Completes after `duration`.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static {
        async { todo!() }
    }
}

impl RemoteWaker {
    /// Wakes the runtime; callable from any thread and from a signal handler.
    pub fn wake(&self) {}
}
