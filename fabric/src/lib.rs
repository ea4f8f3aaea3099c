//! RPC and bulk transfer over libfabric, and the single-threaded runtime that drives them.
//!
//! Called by `daos_engine` (one [`Runtime`] per target thread) and the client library (one per progress context).
//! Knows nothing of pools or objects: a request is a number, a body and a payload.
//!
//! # Rooms
//! | file | what |
//! |---|---|
//! | `endpoint.rs`, `calls.rs`, `peer.rs`, `rma.rs` | calls and answers, peers that come and go, bulk transfer |
//! | `wire.rs` | the header of a message, as a table |
//! | `transport.rs` | the seam below: what the layers above need of a fabric |
//! | `ofi/` | libfabric as a transport; `ofi/provider.rs` says what `ofi+tcp` picks |
//! | `memory.rs` | a network in memory as a transport, with virtual time: [`MemoryNetwork`] |
//! | `runtime.rs`, `timers.rs`, `wake.rs` | executor, timers, when to spin and when to sleep |
//! | [`bench`] | what the fabric itself can do, to hold others against |
//!
//! # Size of messages
//! Up to 36 KiB (with the header) a message is one send. A longer one, up to 256 MiB, is sent as a note, and its
//! receiver reads it by RMA; callers see no difference. Large data is better moved by [`Endpoint::expose`] and
//! [`Endpoint::rma_read`], without a copy.
//!
//! # Dead peers
//! A peer whose address refuses connections is UNREACH within about 20 ms of the first failed send. A peer that owes an
//! answer and has been silent for half a second is probed, so that its death, or that another process has taken its
//! address, ends the calls to it; one that is merely stuck runs into the call's timeout.
//!
//! # Limits
//! libfabric's messages about what goes wrong go to stderr only if `FI_LOG_LEVEL` is set (to `warn`, `info` or
//! `debug`; it knows no `none`). A region that is closed while a peer still writes to it may be written for as long as
//! the provider needs to notice: whoever gives up a call with a `RemoteWrite` region keeps the memory until the peer is
//! known to have stopped.

pub mod bench;
mod buffer;
mod calls;
mod endpoint;
mod face;
mod memory;
mod message;
mod ofi;
mod peer;
mod rma;
mod runtime;
mod timers;
mod transport;
mod wake;
mod wire;

pub use endpoint::Endpoint;
pub use face::{Access, Exposed, FabricConfig, Incoming, Poller, Reply, Request, Statistics};
pub use memory::{MemoryConfig, MemoryNetwork};
pub use message::Message;
pub use peer::Peer;
pub use runtime::Runtime;
pub use wake::RemoteWaker;

/// Random bits from the kernel: new in a forked process too.
pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0u8; 8];
    // SAFETY: room for 8 bytes; so few are never delivered in part once the kernel's pool is up.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if got == 8 {
        return u64::from_ne_bytes(bytes);
    }
    // No entropy call (a seccomp filter): time and process tell processes apart.
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (since.as_nanos() as u64) ^ (u64::from(std::process::id()) << 40)
}
