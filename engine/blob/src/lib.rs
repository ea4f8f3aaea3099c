//! The data tier: large values on files and block devices, through io_uring with O_DIRECT.
//!
//! A [`Device`] (bdev class `file` or `kdev`) holds blobs, each one target's share of one pool. The service thread
//! makes and deletes blobs; each target thread opens its blob with its own ring and moves bytes.

mod face;
pub use face::*;
