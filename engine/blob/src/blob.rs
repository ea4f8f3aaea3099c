//! One blob on one thread: addresses, widening, one request for each run of clusters.

use crate::BLOCK;
use crate::device::{Extents, Shared};
use crate::memory::Buffer;
use crate::ring::{Part, RegisteredFile, Ring};
use daos_common::{Der, Error, Result};
use std::future::Future;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Most bytes of one request to the kernel.
const PART_BYTES_MAX: u64 = 1 << 30;

/// One blob, opened on a thread with that thread's ring. Not `Send`. Cheap to clone.
#[derive(Clone)]
pub struct Blob {
    inner: Rc<Inner>,
}

struct Inner {
    ring: Ring,
    shared: Arc<Shared>,
    extents: Arc<Extents>,
    file: RegisteredFile,
    bytes: u64,
}

impl Blob {
    pub(crate) fn new(shared: Arc<Shared>, extents: Arc<Extents>, ring: &Ring) -> Blob {
        let bytes = crate::table::clusters_of(&extents.runs) * shared.superblock.cluster_bytes;
        let file = ring.register(&shared);
        Blob { inner: Rc::new(Inner { ring: ring.clone(), shared, extents, file, bytes }) }
    }

    /// Its bytes, a multiple of the device's cluster.
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    /// Reads `len` bytes at any `offset` of the blob: they are the range of the buffer that comes with it. What was
    /// never written is unspecified. Dropping the future is safe at any time.
    ///
    /// # Errors
    /// `INVAL`: outside the blob; `NONEXIST`: it was deleted; `IO` (names device and offset).
    pub fn read(
        &self,
        offset: u64,
        len: usize,
    ) -> impl Future<Output = Result<(Buffer, Range<usize>)>> + 'static + use<> {
        let inner = Rc::clone(&self.inner);
        async move {
            inner.check(offset, len as u64)?;
            let start = offset / BLOCK * BLOCK;
            let end = (offset + len as u64).next_multiple_of(BLOCK);
            let buffer = inner.ring.buffer((end - start) as usize);
            let buffer = inner.transfer(start, buffer, false).await?;
            let skip = (offset - start) as usize;
            Ok((buffer, skip..skip + len))
        }
    }

    /// Writes a buffer at `offset`, a multiple of 4096, padded with zeros to one. Durable when it completes.
    /// Dropping the future is safe at any time; the write may then happen or not.
    ///
    /// # Errors
    /// As `read`; also `INVAL`: an unaligned offset.
    pub fn write(&self, offset: u64, data: Buffer) -> impl Future<Output = Result<()>> + 'static + use<> {
        let inner = Rc::clone(&self.inner);
        async move {
            let mut data = data;
            data.pad();
            inner.check(offset, data.len() as u64)?;
            if !offset.is_multiple_of(BLOCK) {
                return Err(inner.error(Der::INVAL, format!("write at {offset}, which is no multiple of {BLOCK}")));
            }
            inner.transfer(offset, data, true).await.map(drop)
        }
    }
}

impl Inner {
    fn check(&self, offset: u64, len: u64) -> Result<()> {
        if self.extents.deleted.load(Ordering::Acquire) {
            return Err(self.error(Der::NONEXIST, "it was deleted".to_owned()));
        }
        if offset.checked_add(len).is_none_or(|end| end > self.bytes) {
            let bytes = self.bytes;
            return Err(self.error(Der::INVAL, format!("{len} bytes at {offset} are outside its {bytes} bytes")));
        }
        Ok(())
    }

    /// Moves a whole buffer from or to aligned `offset`: all parts at once, then waits for each.
    async fn transfer(self: Rc<Inner>, offset: u64, buffer: Buffer, write: bool) -> Result<Buffer> {
        let buffer = Rc::new(buffer);
        let parts = self.parts(offset, buffer.len() as u64);
        let requests: Vec<_> = parts
            .into_iter()
            .map(|(device_offset, at, len)| {
                let (file, buffer) = (self.file.clone(), Rc::clone(&buffer));
                let part = Part { write, file, device_offset, buffer, at, len, _extents: Arc::clone(&self.extents) };
                (device_offset, self.ring.start(part))
            })
            .collect();
        let mut result = Ok(());
        for (device_offset, request) in requests {
            if let Err(error) = request.await {
                let verb = if write { "writing" } else { "reading" };
                let path = self.shared.path.display();
                let text =
                    format!("{verb} {} bytes at {offset} (device offset {device_offset}): {error}", buffer.len());
                let code = if error.kind() == std::io::ErrorKind::StorageFull { Der::NOSPACE } else { Der::IO };
                result = Err(Error::new(code, text).at(format!("data device {path}: {}", self.extents.id)));
            }
        }
        result?;
        // Every request is done, and a done request has let go of the buffer.
        Rc::try_unwrap(buffer).map_err(|_| self.error(Der::MISC, "a finished request keeps its buffer".to_owned()))
    }

    /// (device offset, offset in the buffer, bytes) of each contiguous part of a range inside the blob.
    fn parts(&self, offset: u64, len: u64) -> Vec<(u64, usize, u32)> {
        let superblock = &self.shared.superblock;
        let (mut skip, mut left, mut done) = (offset, len, 0u64);
        let mut parts = Vec::with_capacity(1);
        for run in &self.extents.runs {
            let run_bytes = u64::from(run.count) * superblock.cluster_bytes;
            let run_start = superblock.data_offset + u64::from(run.first) * superblock.cluster_bytes;
            if skip >= run_bytes {
                skip -= run_bytes;
                continue;
            }
            while left > 0 && skip < run_bytes {
                let bytes = left.min(run_bytes - skip).min(PART_BYTES_MAX);
                parts.push((run_start + skip, done as usize, bytes as u32));
                skip += bytes;
                left -= bytes;
                done += bytes;
            }
            skip = 0;
        }
        parts
    }

    fn error(&self, code: Der, text: String) -> Error {
        Error::new(code, text).at(format!("data device {}: {}", self.shared.path.display(), self.extents.id))
    }
}
