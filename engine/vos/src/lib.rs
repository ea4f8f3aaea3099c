//! The versioned object store (VOS) of one target: object → dkey → akey → single values by epoch, or extents by
//! epoch and offset, in a persistent arena.
//!
//! Called by the target threads of `daos_engine`, one thread per [`VosPool`]; never by clients. It does no network
//! and no device I/O: values that belong on the data tier get a place there ([`Place::Blob`]), and the caller moves
//! the bytes between [`VosCont::reserve_update`] and [`Update::commit`], or after [`VosCont::fetch`].

//!
//! From the bottom: `arena` (mapped file, redo log; all `unsafe`), `space` (allocation), `tx` (transactions), `tree`
//! (B+tree), `record` and `extent` (what the trees hold), and the verbs: `update`, `fetch`, `list`, `query`, `reclaim`, `aggregate`, `discard`;
//! for distributed transactions `apply`, `changes`, `transactions`.

mod aggregate;
mod apply;
mod arena;
mod changes;
mod discard;
mod extent;
mod face;
mod fetch;
mod list;
mod query;
mod reclaim;
mod record;
mod space;
mod store;
mod transactions;
mod tree;
mod tx;
mod update;

pub use aggregate::Aggregation;
pub use discard::Discard;
pub use face::*;
pub use list::extents_from;
pub use query::{GET_AKEY, GET_DKEY, GET_MAX, GET_MIN, GET_RECX};
pub use transactions::{TxEntry, TxState};

#[cfg(test)]
mod tests;
