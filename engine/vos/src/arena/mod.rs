//! The arena: one file, mapped whole, addressed by offsets from its start. All `unsafe` of the store is in here.
//!
//! [`Arena::view`] borrows bytes, [`Arena::store`] needs the arena exclusively, so the compiler keeps the two apart.
//! Two kinds of memory are used past such borrows and never touched through them meanwhile: space that an update
//! reserved and nobody can reach yet ([`WriteLease`]), and values that a fetch pinned ([`ReadLease`]).

mod format;
mod lease;
mod log;
mod map;
mod pmem;

pub(crate) use format::{BLOB_UNIT, Layout, UNIT};
pub(crate) use lease::{Ranges, ReadLease, WriteLease};
pub(crate) use log::LogBody;
#[cfg(test)]
pub(crate) use map::Event;

use crate::face::{Durability, PoolConfig};
use daos_common::{Der, Result};
use map::Map;
use std::path::Path;
use std::rc::Rc;

/// Read access to the arena, as committed or as a transaction sees it.
pub(crate) trait Mem {
    /// `len` bytes at `off`. A block that a transaction may have changed is viewed from its start.
    ///
    /// # Errors
    /// `DF_INVAL` when the range is outside the arena, so an offset read there is wrong.
    fn view(&self, off: u64, len: u64) -> Result<&[u8]>;
}

/// The mapped file and what its header says.
pub(crate) struct Arena {
    map: Rc<Map>,
    layout: Layout,
    #[cfg(test)]
    pub(crate) recorder: Option<Vec<Event>>,
}

impl Mem for Arena {
    #[inline]
    fn view(&self, off: u64, len: u64) -> Result<&[u8]> {
        self.map.check(off, len)?;
        // SAFETY: the range is inside the mapping, which lives as long as `self`; stores need `&mut self`, and memory
        // under a `WriteLease` is unreachable, so no view of it is asked for.
        Ok(unsafe { std::slice::from_raw_parts(self.map.at(off), len as usize) })
    }
}

impl Arena {
    /// Makes the file, formats it and maps it.
    ///
    /// # Errors
    /// `EXIST`; `NOSPACE`; `INVAL`; `IO`.
    pub(crate) fn create(config: &PoolConfig) -> Result<Arena> {
        let layout = Layout::plan(config)?;
        let map = map::create_file(&config.path, layout.arena_bytes, config.durability)?;
        let mut arena = Arena::over(map, layout);
        arena.format_metadata()?;
        Ok(arena)
    }

    /// Maps the file after checking its length and header, and replays its log.
    ///
    /// # Errors
    /// `NONEXIST`; `DF_INVAL`; `DF_INCOMPT`; `BUSY`; `IO`.
    pub(crate) fn open(path: &Path, durability: Durability) -> Result<(Arena, u64)> {
        let (file, layout) = map::lock_and_read_header(path)?;
        let map = map::map_file(path, file, layout.arena_bytes, durability)?;
        let mut arena = Arena::over(map, layout);
        let last_seq = arena.recover().map_err(|error| error.at(path.display()))?;
        Ok((arena, last_seq))
    }

    fn over(map: Map, layout: Layout) -> Arena {
        Arena {
            map: Rc::new(map),
            layout,
            #[cfg(test)]
            recorder: None,
        }
    }

    /// Where things are.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Copies `bytes` to `off`.
    ///
    /// # Errors
    /// `DF_INVAL` when the range is outside the arena.
    #[inline]
    pub(crate) fn store(&mut self, off: u64, bytes: &[u8]) -> Result<()> {
        self.map.check(off, bytes.len() as u64)?;
        #[cfg(test)]
        if let Some(recorder) = &mut self.recorder {
            recorder.push(Event::Store { off, bytes: bytes.to_vec() });
        }
        // SAFETY: the destination is inside the mapping, no view is alive (`&mut self`), leased memory is disjoint
        // from what the store's code writes, and `bytes` is not part of the mapping for the same reason.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.at(off), bytes.len()) };
        Ok(())
    }

    /// Keeps the compiler from moving stores across: what is stored before is stored before what follows, and that is
    /// the order in which a killed process leaves them.
    #[inline]
    pub(crate) fn order(&self) {
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }

    /// Begins to make a range survive power loss; nothing to do for [`Durability::Process`].
    ///
    /// # Errors
    /// `IO` when the file is no persistent memory and could not be synchronised.
    #[inline]
    pub(crate) fn flush(&mut self, off: u64, len: u64) -> Result<()> {
        #[cfg(test)]
        if let Some(recorder) = &mut self.recorder {
            recorder.push(Event::Flush { off, len });
        }
        self.map.flush(off, len)
    }

    /// Waits until what was flushed survives power loss.
    #[inline]
    pub(crate) fn drain(&mut self) {
        #[cfg(test)]
        if let Some(recorder) = &mut self.recorder {
            recorder.push(Event::Drain);
        }
        self.map.drain();
    }

    /// Tells the recorder of a crash test about bytes that came through a [`WriteLease`].
    pub(crate) fn note_leased(&mut self, off: u64, len: u64) -> Result<()> {
        #[cfg(test)]
        if self.recorder.is_some() {
            let bytes = self.view(off, len)?.to_vec();
            if let Some(recorder) = &mut self.recorder {
                recorder.push(Event::Store { off, bytes });
            }
        }
        self.flush(off, len)
    }

    /// A lease to fill space that the allocator handed out and nothing points to; `ranges` gives its memory.
    pub(crate) fn write_lease(&self, ranges: Ranges) -> WriteLease {
        WriteLease::new(Rc::clone(&self.map), ranges)
    }

    /// A lease to read values that are pinned against reuse.
    pub(crate) fn read_lease(&self) -> ReadLease {
        ReadLease::new(Rc::clone(&self.map))
    }
}

/// The error for something read in the arena that cannot be.
#[cold]
pub(crate) fn damaged(what: impl Into<String>) -> daos_common::Error {
    Der::DF_INVAL.err(format!("the store is damaged: {}; restore the target from its replicas", what.into()))
}

/// The little-endian word at byte `at` of `bytes`; 0 past the end.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(|slice| slice.try_into().ok()) {
        Some(array) => u64::from_le_bytes(array),
        None => 0,
    }
}

/// Sets the little-endian word at byte `at`; nothing past the end.
#[inline]
pub(crate) fn set_word(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(slice) = bytes.get_mut(at..at + 8) {
        slice.copy_from_slice(&value.to_le_bytes());
    }
}
