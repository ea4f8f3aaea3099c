//! The data tier: large values on files and block devices, through io_uring with O_DIRECT.
//!
//! A [`Device`] (bdev class `file` or `kdev`) holds blobs, each one target's share of one pool. The service thread
//! makes and deletes blobs; each target thread opens its blob with its own [`Ring`] and moves bytes. Called by the
//! engine and nobody else; knows nothing of keys and values.
//!
//! # Durability
//!
//! A write whose future completed survives `kill -9` of the engine always. It survives loss of power as far as the
//! device keeps its word: each write carries `RWF_DSYNC`, which makes the kernel flush what the write needs (data,
//! and for a file on a file system the state of its extents) through the device's cache before it completes. Space
//! is allocated when a device is formatted, so a write never fails for want of space under it.
//!
//! # Cost
//!
//! A read or write that stays in one run of clusters is one system call to submit; completions are taken in batches
//! from shared memory. No copies: the caller's buffer is what the device reads and writes.
#![deny(unsafe_code)]

mod blob;
mod device;
mod format;
#[allow(unsafe_code)]
mod memory;
#[allow(unsafe_code)]
mod ring;
mod table;

pub use blob::Blob;
pub use device::{BlobId, Device};
pub use memory::Buffer;
pub use ring::Ring;

/// Unit of O_DIRECT: offsets, lengths and addresses are multiples of this many bytes.
pub const BLOCK: u64 = 4096;

#[cfg(test)]
mod tests;
