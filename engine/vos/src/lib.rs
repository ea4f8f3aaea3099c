//! The versioned object store (VOS) of one target: object → dkey → akey → single values by epoch, or extents by
//! epoch and offset, in a persistent arena.
//!
//! Called by the target threads of `daos_engine`, one thread per [`VosPool`]; never by clients. It does no network
//! and no device I/O: values that belong on the data tier get a place there ([`Place::Blob`]), and the caller moves
//! the bytes between [`VosCont::reserve_update`] and [`Update::commit`], or after [`VosCont::fetch`].

mod face;
pub use face::*;
