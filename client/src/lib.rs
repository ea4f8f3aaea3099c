//! What libdaos exposes, in safe Rust: attaching to a system, pools, containers, objects, arrays, events' contexts.
//!
//! One operation is one future. It runs on a [`context::Context`] (one fabric endpoint, one executor) that the calling
//! thread drives: a blocking call drives its thread's own, an event queue has one that whoever polls drives. There are
//! no hidden threads. Pools, containers and objects belong to the process and serve every context; they cache nothing
//! but the pool map and what follows from it, and swap that whole.
//!
//! Called by libdaos (the C ABI). Never imports the engine, never sees a C type.
//!
//! Unsafe code stands in four fenced places: [`memory`] (the caller's buffers), `confined` and one line of `context`
//! (a context that several threads use under one lock), and `fork` (noticing a forked child).
#![deny(unsafe_code)]

pub mod agent;
pub mod array;
pub mod class;
mod commit;
mod confined;
pub mod container;
pub mod context;
pub mod enumerate;
pub mod fork;
pub mod global;
pub mod handle;
mod history;
pub mod io;
pub mod keys;
pub mod memory;
pub mod object;
pub mod oid;
pub mod oit;
pub mod pipeline;
pub mod pool;
pub mod process;
mod rpc;
pub mod system;
#[cfg(test)]
mod tests;
pub mod transaction;
mod verify;
pub mod view;

pub use array::Array;
pub use container::Container;
pub use context::{Context, SharedContext, block_on};
pub use memory::UserMemory;
pub use object::Object;
pub use pool::Pool;
pub use transaction::Transaction;
pub use view::View;
