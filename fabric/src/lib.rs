//! RPC and bulk transfer over libfabric, and the single-threaded runtime that drives them.
//!
//! Called by `daos_engine` (one [`Runtime`] per target thread) and the client library (one per progress context).
//! Knows nothing of pools or objects: a request is a number, a body and a payload.

mod face;
pub use face::*;
