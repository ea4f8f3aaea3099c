//! RPC and bulk transfer over libfabric, and the single-threaded runtime that drives them.
//!
//! Called by `daos_engine` (one [`Runtime`] per target thread) and the client library (one per progress context).
//! Knows nothing of pools or objects: a request is a number, a body and a payload.

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
