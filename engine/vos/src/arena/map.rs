//! The mapping itself: file, lock, libpmem.

use super::format::{HEADER_BYTES, Layout};
use super::{damaged, pmem};
use crate::face::Durability;
use daos_common::{Der, Error, Result};
use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

/// What a crash test sees of the arena's use.
#[cfg(test)]
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Bytes stored.
    Store { off: u64, bytes: Vec<u8> },
    /// A range flushed.
    Flush { off: u64, len: u64 },
    /// The flushes before this are done.
    Drain,
}

/// One file mapped whole, locked while it is.
pub(super) struct Map {
    base: NonNull<u8>,
    len: u64,
    flush: Flush,
    /// Holds the lock.
    _file: File,
}

/// How a range is made to survive power loss.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    Nothing,
    CacheLines,
    Msync,
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are what `pmem_map_file` gave, and nothing borrows from the map any more.
        unsafe { pmem::pmem_unmap(self.base.as_ptr().cast(), self.len as usize) };
    }
}

impl Map {
    /// That a range is inside.
    #[inline]
    pub(super) fn check(&self, off: u64, len: u64) -> Result<()> {
        match off.checked_add(len) {
            Some(end) if end <= self.len => Ok(()),
            _ => Err(outside(off, len, self.len)),
        }
    }

    /// The address of a checked offset.
    #[inline]
    pub(super) fn at(&self, off: u64) -> *mut u8 {
        debug_assert!(off <= self.len);
        self.base.as_ptr().wrapping_add(off as usize)
    }

    #[inline]
    pub(super) fn flush(&self, off: u64, len: u64) -> Result<()> {
        if self.flush == Flush::Nothing || len == 0 {
            return Ok(());
        }
        self.check(off, len)?;
        let address = self.at(off).cast_const().cast();
        // SAFETY: the range is inside the mapping.
        let status = unsafe {
            match self.flush {
                Flush::Nothing => 0,
                Flush::CacheLines => {
                    pmem::pmem_flush(address, len as usize);
                    0
                }
                Flush::Msync => pmem::pmem_msync(address, len as usize),
            }
        };
        if status != 0 {
            return Err(Error::from(std::io::Error::last_os_error()).at("msync of the arena"));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn drain(&self) {
        if self.flush == Flush::CacheLines {
            // SAFETY: no arguments, no preconditions.
            unsafe { pmem::pmem_drain() };
        }
    }
}

#[cold]
fn outside(off: u64, len: u64, size: u64) -> Error {
    damaged(format!("offset {off} with {len} bytes is outside of the arena of {size} bytes"))
}

fn lock(file: &File, path: &Path) -> Result<()> {
    // SAFETY: a valid descriptor.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
        return Err(Der::BUSY.err(format!("{} is open elsewhere; stop that engine first", path.display())));
    }
    Ok(())
}

/// Makes a file of `len` bytes, all allocated so that a store into the mapping can't fail, and maps it.
pub(super) fn create_file(path: &Path, len: u64, durability: Durability) -> Result<Map> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| Error::from(error).at(path.display()))?;
    let map = lock(&file, path)
        .and_then(|()| allocate(&file, path, len))
        .and_then(|()| map_file(path, file, len, durability));
    if map.is_err() {
        let _ = std::fs::remove_file(path);
    }
    map
}

fn allocate(file: &File, path: &Path, len: u64) -> Result<()> {
    let size = libc::off_t::try_from(len).map_err(|_| Der::INVAL.err("the arena's size exceeds the largest file"))?;
    // SAFETY: a valid descriptor.
    let status = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size) };
    match status {
        0 => Ok(()),
        libc::ENOSPC | libc::EFBIG => {
            Err(Der::NOSPACE
                .err(format!("{}: the file system has no room for an arena of {len} bytes", path.display())))
        }
        _ => Err(Error::from(std::io::Error::from_raw_os_error(status)).at(path.display())),
    }
}

/// Opens and locks a store's file, and reads its header; nothing of it is mapped before it is known to be one.
pub(super) fn lock_and_read_header(path: &Path) -> Result<(File, Layout)> {
    let place = || path.display();
    let mut file =
        OpenOptions::new().read(true).write(true).open(path).map_err(|error| Error::from(error).at(place()))?;
    lock(&file, path)?;
    let metadata = file.metadata().map_err(|error| Error::from(error).at(place()))?;
    if !metadata.is_file() {
        return Err(Der::DF_INVAL.err("not a regular file").at(place()));
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    (&mut file).take(HEADER_BYTES as u64).read_to_end(&mut header).map_err(|error| Error::from(error).at(place()))?;
    let layout = Layout::decode(&header, metadata.len()).map_err(|error| error.at(place()))?;
    Ok((file, layout))
}

/// Maps a locked file of exactly `len` bytes.
pub(super) fn map_file(path: &Path, file: File, len: u64, durability: Durability) -> Result<Map> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| Der::INVAL.err("a NUL in the store's path"))?;
    let mut mapped_len = 0usize;
    let mut is_pmem = 0;
    // SAFETY: `name` is NUL-terminated and the out-pointers are valid.
    let address = unsafe { pmem::pmem_map_file(name.as_ptr(), 0, 0, 0, &mut mapped_len, &mut is_pmem) };
    let Some(base) = NonNull::new(address.cast::<u8>()) else {
        // SAFETY: libpmem returns a NUL-terminated text of this thread.
        let reason = unsafe { CStr::from_ptr(pmem::pmem_errormsg()) }.to_string_lossy().into_owned();
        return Err(Der::IO.err(format!("cannot map {}: {reason}", path.display())));
    };
    let flush = match (durability, is_pmem) {
        (Durability::Process, _) => Flush::Nothing,
        (Durability::Power, 0) => Flush::Msync,
        (Durability::Power, _) => Flush::CacheLines,
    };
    let map = Map { base, len: mapped_len as u64, flush, _file: file };
    if map.len != len {
        return Err(Der::DF_INVAL.err(format!("{} is {} bytes, not {len}", path.display(), map.len)));
    }
    Ok(map)
}
