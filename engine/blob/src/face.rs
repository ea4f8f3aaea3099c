//! What the engine sees of the data tier.

use daos_common::Result;
use std::future::Future;
use std::os::fd::RawFd;
use std::path::Path;
use uuid::Uuid;

/// Identity of a blob: pool and target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlobId {
    /// The pool.
    pub pool: Uuid,
    /// The target.
    pub target: u32,
}

/// A formatted device: superblock, table of blobs, clusters. `Send + Sync`; shared by the engine's threads.
pub struct Device {}

/// One blob, opened on a thread with that thread's ring. Not `Send`.
pub struct Blob {}

/// One thread's io_uring. Cheap to clone; not `Send`.
#[derive(Clone)]
pub struct Ring {}

/// Memory aligned for O_DIRECT, from the ring's pool, returned on drop.
pub struct Buffer {}

#[allow(unused_variables, clippy::todo)]
impl Device {
    /// Formats a file (made with `bytes`) or block device (`bytes` 0: its size). Refuses one that is formatted unless `force`.
    ///
    /// # Errors
    /// `EXIST`; `NOSPACE`; `IO`.
    pub fn format(path: &Path, bytes: u64, force: bool) -> Result<()> {
        todo!()
    }

    /// Opens a formatted device.
    ///
    /// # Errors
    /// `NONEXIST`; `DF_INVAL`: not formatted, truncated or damaged; `DF_INCOMPT`; `IO`.
    pub fn open(path: &Path) -> Result<Device> {
        todo!()
    }

    /// Makes a blob of `bytes` (rounded up to clusters), durably. A blob of that id and size that exists is no error.
    ///
    /// # Errors
    /// `NOSPACE`; `EXIST`: with another size; `IO`.
    pub fn create_blob(&self, id: BlobId, bytes: u64) -> Result<()> {
        todo!()
    }

    /// Deletes a blob, durably; absent is no error.
    ///
    /// # Errors
    /// `IO`.
    pub fn delete_blob(&self, id: BlobId) -> Result<()> {
        todo!()
    }

    /// The blobs and their sizes.
    pub fn blobs(&self) -> Vec<(BlobId, u64)> {
        todo!()
    }

    /// All and free bytes.
    pub fn space(&self) -> (u64, u64) {
        todo!()
    }

    /// Opens a blob on this thread.
    ///
    /// # Errors
    /// `NONEXIST`.
    pub fn blob(&self, id: BlobId, ring: &Ring) -> Result<Blob> {
        todo!()
    }
}

#[allow(clippy::todo)]
impl Ring {
    /// A ring with room for `depth` requests in flight; more wait their turn.
    ///
    /// # Errors
    /// `NOMEM`; `NOTSUPPORTED`: the kernel has no io_uring or forbids it (names the sysctl).
    pub fn new(depth: u32) -> Result<Ring> {
        let _ = depth;
        todo!()
    }

    /// Takes completions without blocking; how many.
    pub fn poll(&self) -> usize {
        todo!()
    }

    /// Readable when completions wait.
    pub fn fd(&self) -> RawFd {
        todo!()
    }

    /// An aligned buffer of at least `bytes` (its length is `bytes`; its capacity a multiple of 4096).
    pub fn buffer(&self, bytes: usize) -> Buffer {
        let _ = bytes;
        todo!()
    }
}

#[allow(unused_variables, clippy::todo)]
impl Blob {
    /// Reads `len` bytes at any `offset` of the blob.
    ///
    /// # Errors
    /// `INVAL`: outside the blob; `IO` (names device and offset).
    pub fn read(
        &self,
        offset: u64,
        len: usize,
    ) -> impl Future<Output = Result<(Buffer, std::ops::Range<usize>)>> + 'static {
        async { todo!() }
    }

    /// Writes a buffer at `offset`, a multiple of 4096, padded with zeros to one. Durable when it completes.
    ///
    /// # Errors
    /// As `read`.
    pub fn write(&self, offset: u64, data: Buffer) -> impl Future<Output = Result<()>> + 'static {
        async { todo!() }
    }
}

#[allow(clippy::todo)]
impl std::ops::Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        todo!()
    }
}

#[allow(clippy::todo)]
impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        todo!()
    }
}
