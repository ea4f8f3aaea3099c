//! Arrays: one-dimensional, of cells of one size, cut into chunks that are dkeys.
//!
//! | what | where |
//! |---|---|
//! | cell `i` | dkey `i / chunk + 1` (u64), akey `0` (one byte), array of records of the cell size, index `i % chunk` |
//! | metadata (type ARRAY only) | dkey 0, akey `0`, single value: u64 magic, u64 cell bytes, u64 chunk cells |
//!
//! The parts of a read or write that lie in different chunks run concurrently, at most [`CONCURRENT_CHUNKS`] at once.

use crate::context::Context;
use crate::io::Fetched;
use crate::keys::{Anchor, GET_DKEY, GET_MAX, GET_RECX, KeyList};
use crate::memory::UserMemory;
use crate::object::Object;
use crate::view::View;
use daos_common::{Der, Epoch, Iod, IodKind, Recx, Result, flags};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Chunks of one operation under way at once.
pub const CONCURRENT_CHUNKS: usize = 64;
const METADATA_MAGIC: u64 = 0xdaca_55a9_daca_55a9;
const METADATA_BYTES: usize = 24;
const AKEY: &[u8] = b"0";
/// Object type with metadata (`DAOS_OT_ARRAY`).
pub const TYPE_ARRAY: u8 = 11;
/// Object type without (`DAOS_OT_ARRAY_ATTR`).
pub const TYPE_ARRAY_ATTR: u8 = 12;
/// Object type of bytes without metadata (`DAOS_OT_ARRAY_BYTE`).
pub const TYPE_ARRAY_BYTE: u8 = 13;
/// Extents of more cells than this are not counted as tiny (`DAOS_ARRAY_RG_LEN_THD`).
const TINY_RANGE_CELLS: u64 = 16;
/// Tiny ranges that one call may have (`DAOS_ARRAY_LIST_IO_LIMIT`).
const TINY_RANGES_MAX: usize = 16 * 1024;

/// An open array.
pub struct Array {
    object: Arc<Object>,
    cell_bytes: u64,
    chunk_cells: AtomicU64,
}

/// A range of cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// First cell.
    pub index: u64,
    /// Number of cells.
    pub cells: u64,
}

/// How much a read got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReadCount {
    /// Cells within the array, holes among them.
    pub read: u64,
    /// Cells behind its end.
    pub short: u64,
}

/// Size and newest change of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArrayStat {
    /// Cells.
    pub size: u64,
    /// Newest epoch at which it was written.
    pub max_epoch: Epoch,
}

/// What of an operation falls in one chunk.
struct ChunkPart {
    dkey: u64,
    recxs: Vec<Recx>,
    memory: UserMemory,
}

impl Array {
    /// Creates an array of type ARRAY and opens it: writes its metadata.
    ///
    /// # Errors
    /// `INVAL`: not an array type, or a size of 0; `EXIST`: it is there already; as [`Object::update`].
    pub async fn create(
        context: &Rc<Context>,
        view: impl Into<View>,
        object: Arc<Object>,
        cell_bytes: u64,
        chunk_cells: u64,
    ) -> Result<Arc<Array>> {
        let array = Array::with_attributes(object, cell_bytes, chunk_cells)?;
        let mut metadata = [0u8; METADATA_BYTES];
        for (place, value) in metadata.chunks_exact_mut(8).zip([METADATA_MAGIC, cell_bytes, chunk_cells]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        let memory = [UserMemory::of_buffer(&mut metadata)];
        let (conditions, dkey) = (flags::COND_DKEY_INSERT | flags::COND_AKEY_INSERT, dkey_of(0));
        array.object.update(context, view, conditions, dkey, vec![metadata_iod()], &memory).await?;
        Ok(array)
    }

    /// Opens an array of type ARRAY: reads its metadata.
    ///
    /// # Errors
    /// `INVAL`: another type; `NONEXIST`: not created; `NO_PERM`: what is there is no array metadata.
    pub async fn open(context: &Rc<Context>, view: impl Into<View>, object: Arc<Object>) -> Result<Arc<Array>> {
        if object.oid().type_byte() != TYPE_ARRAY {
            return Err(Der::INVAL.err(format!("object {} keeps no array attributes; name them", object.oid())));
        }
        let mut metadata = [0u8; METADATA_BYTES];
        let memory = [UserMemory::of_buffer(&mut metadata)];
        let (conditions, dkey) = (flags::COND_DKEY_FETCH | flags::COND_AKEY_FETCH, dkey_of(0));
        object.fetch(context, view, conditions, dkey, vec![metadata_iod()], &memory).await?;
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| metadata[at * 8 + byte]));
        let (magic, cell_bytes, chunk_cells) = (word(0), word(1), word(2));
        if magic != METADATA_MAGIC || cell_bytes == 0 || chunk_cells == 0 {
            return Err(Der::NO_PERM.err(format!("object {} is not an array", object.oid())));
        }
        Array::with_attributes(object, cell_bytes, chunk_cells)
    }

    /// An array whose attributes the caller knows; sends nothing.
    ///
    /// # Errors
    /// `INVAL`: not an array type, or a size of 0.
    pub fn with_attributes(object: Arc<Object>, cell_bytes: u64, chunk_cells: u64) -> Result<Arc<Array>> {
        let oid = object.oid();
        if !(TYPE_ARRAY..=TYPE_ARRAY_BYTE).contains(&oid.type_byte()) || cell_bytes == 0 || chunk_cells == 0 {
            return Err(Der::INVAL.err(format!(
                "object {oid} of type {} as an array of {chunk_cells} cells of {cell_bytes} bytes a chunk",
                oid.type_byte()
            )));
        }
        Ok(Arc::new(Array { object, cell_bytes, chunk_cells: AtomicU64::new(chunk_cells) }))
    }

    /// The object.
    pub fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// Bytes of a cell.
    pub fn cell_bytes(&self) -> u64 {
        self.cell_bytes
    }

    /// Cells of a chunk.
    pub fn chunk_cells(&self) -> u64 {
        self.chunk_cells.load(Ordering::Relaxed)
    }

    /// Changes the chunk size of this handle; right only while the array is empty.
    pub fn set_chunk_cells(&self, chunk_cells: u64) {
        self.chunk_cells.store(chunk_cells.max(1), Ordering::Relaxed);
    }

    /// Writes the ranges from `memory`.
    ///
    /// # Errors
    /// `INVAL`: ranges and memory of different length; `NOTSUPPORTED`: too many tiny ranges; as [`Object::update`].
    pub async fn write(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        ranges: &[Range],
        memory: &UserMemory,
    ) -> Result<()> {
        self.check_lengths(ranges, memory)?;
        self.update(context, &view.into(), self.split(ranges, Some(memory))?, self.cell_bytes).await
    }

    /// Punches the ranges: they read as holes.
    ///
    /// # Errors
    /// As [`Array::write`].
    pub async fn punch(&self, context: &Rc<Context>, view: impl Into<View>, ranges: &[Range]) -> Result<()> {
        self.update(context, &view.into(), self.split(ranges, None)?, 0).await
    }

    async fn update(&self, context: &Rc<Context>, view: &View, parts: Vec<ChunkPart>, record_bytes: u64) -> Result<()> {
        let updates = parts.into_iter().map(|part| async move {
            let iod = self.iod(part.recxs, record_bytes);
            self.object.update(context, view, 0, dkey_of(part.dkey), vec![iod], &[part.memory]).await
        });
        finish_all(updates).await.map(drop)
    }

    /// Reads the ranges into `memory`. In an array of bytes holes read as zero, cells behind the end leave the memory
    /// as it is, and the count tells them apart; in others holes and what is behind the end leave it as it is.
    ///
    /// # Errors
    /// As [`Array::write`], [`Object::fetch`].
    pub async fn read(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        ranges: &[Range],
        memory: &UserMemory,
    ) -> Result<ReadCount> {
        let view = &view.into();
        self.check_lengths(ranges, memory)?;
        let parts = self.split(ranges, Some(memory))?;
        let wanted = ranges.iter().map(|range| range.cells).sum();
        let fetches = parts.iter().map(|part| async move {
            let iod = self.iod(part.recxs.clone(), self.cell_bytes);
            let memory = std::slice::from_ref(&part.memory);
            self.object.fetch(context, view, 0, dkey_of(part.dkey), vec![iod], memory).await
        });
        let mut found = finish_all_in_order(fetches).await?;
        if self.object.oid().type_byte() != TYPE_ARRAY_BYTE {
            return Ok(ReadCount { read: wanted, short: 0 });
        }
        let found: Vec<Fetched> = found.iter_mut().map(|iods| iods.pop().unwrap_or_default()).collect();
        let end = ranges.iter().filter(|range| range.cells > 0).map(|range| range.index + range.cells).max();
        let seen = parts.iter().zip(&found).filter_map(|(part, found)| self.data_end(part, found)).max();
        let size = match end > seen {
            true => self.size(context, view).await?.max(seen.unwrap_or(0)),
            false => u64::MAX,
        };
        for (part, found) in parts.iter().zip(&found) {
            self.zero_holes(part, found, size);
        }
        let short = ranges.iter().map(|range| (range.index + range.cells).saturating_sub(size).min(range.cells)).sum();
        Ok(ReadCount { read: wanted - short, short })
    }

    /// Index behind the last cell that a fetch of `part` found.
    fn data_end(&self, part: &ChunkPart, found: &Fetched) -> Option<u64> {
        let end = found.present.iter().map(|recx| recx.idx + recx.nr).max()?;
        Some((part.dkey - 1) * self.chunk_cells() + end)
    }

    /// Zeroes what of `part` holds no data and lies before the array's end at `size`.
    fn zero_holes(&self, part: &ChunkPart, found: &Fetched, size: u64) {
        let first = (part.dkey - 1) * self.chunk_cells();
        let limit = size.saturating_sub(first);
        let (mut present, mut before) = (found.present.iter().peekable(), 0);
        for recx in &part.recxs {
            let end = recx.idx + recx.nr;
            let mut at = recx.idx;
            let zero = |from: u64, to: u64| {
                let to = to.min(limit);
                if from < to {
                    let offset = (before + from - recx.idx) * self.cell_bytes;
                    part.memory.zero(offset, (to - from) * self.cell_bytes);
                }
            };
            while let Some(data) = present.next_if(|data| data.idx >= recx.idx && data.idx < end) {
                zero(at, data.idx);
                at = data.idx.saturating_add(data.nr).min(end);
            }
            zero(at, end);
            before += recx.nr;
        }
    }

    /// Size in cells: behind the last one that was written.
    ///
    /// # Errors
    /// As [`Object::query_key`].
    pub async fn size(&self, context: &Rc<Context>, view: impl Into<View>) -> Result<u64> {
        Ok(self.stat(context, view).await?.size)
    }

    /// Size and newest change.
    ///
    /// # Errors
    /// As [`Object::query_key`].
    pub async fn stat(&self, context: &Rc<Context>, view: impl Into<View>) -> Result<ArrayStat> {
        let what = GET_MAX | GET_DKEY | GET_RECX;
        let found = self.object.query_key(context, view, what, Vec::new(), AKEY.to_vec()).await?;
        let dkey = found.dkey.as_deref().and_then(|dkey| dkey.try_into().ok()).map_or(0, u64::from_le_bytes);
        let size = match (dkey, found.recx) {
            (0, _) | (_, None) => 0,
            (dkey, Some(recx)) => {
                (dkey - 1).saturating_mul(self.chunk_cells()).saturating_add(recx.idx).saturating_add(recx.nr)
            }
        };
        Ok(ArrayStat { size, max_epoch: found.max_epoch })
    }

    /// Truncates or extends the array to `size` cells: punches what lies behind, and makes sure that the last cell
    /// exists. The first chunk is never punched whole, so that its epoch stays.
    ///
    /// # Errors
    /// As [`Object::update`], [`Object::list_dkeys`].
    pub async fn set_size(&self, context: &Rc<Context>, view: impl Into<View>, size: u64) -> Result<()> {
        let view = &view.into();
        let chunk = self.chunk_cells();
        // The chunk that will be the last one, and the last cell's index in it.
        let (last_dkey, last_cell) = match size.checked_sub(1) {
            Some(last) => (last / chunk + 1, last % chunk),
            None => (0, 0),
        };
        let mut anchor = Anchor::default();
        let (mut last_exists, mut room) = (false, 32 * 1024);
        while !anchor.eof {
            match self.object.list_dkeys(context, view, &mut anchor, 4096, room).await? {
                KeyList::TooBig(bytes) => room = bytes,
                KeyList::Keys(dkeys) => {
                    let dkeys = dkeys.iter().filter_map(|dkey| dkey.as_slice().try_into().ok()).map(u64::from_le_bytes);
                    let cuts = dkeys.filter(|dkey| *dkey != 0 && *dkey >= last_dkey).collect::<Vec<_>>();
                    last_exists |= cuts.contains(&last_dkey);
                    let cuts = cuts.into_iter().map(|dkey| self.cut_chunk(context, view, dkey, last_dkey, last_cell));
                    finish_all(cuts).await?;
                }
            }
        }
        if size == 0 || (last_exists && self.cell_exists(context, view, last_dkey, last_cell).await?) {
            return Ok(());
        }
        let mut cell = vec![0u8; self.cell_bytes as usize];
        let memory = [UserMemory::of_buffer(&mut cell)];
        let iod = self.iod(vec![Recx { idx: last_cell, nr: 1 }], self.cell_bytes);
        self.object.update(context, view, 0, dkey_of(last_dkey), vec![iod], &memory).await
    }

    /// Removes from a chunk what lies behind the array's new end.
    async fn cut_chunk(
        &self,
        context: &Rc<Context>,
        view: &View,
        dkey: u64,
        last_dkey: u64,
        last_cell: u64,
    ) -> Result<()> {
        let chunk = self.chunk_cells();
        let from = if dkey == last_dkey { last_cell + 1 } else { 0 };
        if from == chunk {
            return Ok(());
        }
        if from == 0 && dkey != 1 {
            return self.object.punch_dkey(context, view, 0, dkey_of(dkey)).await;
        }
        let iod = self.iod(vec![Recx { idx: from, nr: chunk - from }], 0);
        self.object.update(context, view, 0, dkey_of(dkey), vec![iod], &[]).await
    }

    async fn cell_exists(&self, context: &Rc<Context>, view: &View, dkey: u64, cell: u64) -> Result<bool> {
        let iod = self.iod(vec![Recx { idx: cell, nr: 1 }], 0);
        let found = self.object.fetch(context, view, 0, dkey_of(dkey), vec![iod], &[]).await?;
        // A fetch of sizes names the akey's record size, also for a hole: only present data counts.
        Ok(found.first().is_some_and(|found| found.size > 0 && !found.present.is_empty()))
    }

    fn iod(&self, recxs: Vec<Recx>, size: u64) -> Iod {
        Iod { akey: AKEY.to_vec(), kind: IodKind::Array, size, recxs, flags: 0 }
    }

    fn check_lengths(&self, ranges: &[Range], memory: &UserMemory) -> Result<()> {
        let cells = ranges.iter().try_fold(0u64, |sum, range| sum.checked_add(range.cells));
        let bytes = cells.and_then(|cells| cells.checked_mul(self.cell_bytes));
        if bytes != Some(memory.len()) {
            return Err(Der::INVAL.err(format!(
                "array {}: {bytes:?} bytes of ranges, {} bytes of memory",
                self.object.oid(),
                memory.len()
            )));
        }
        Ok(())
    }

    /// Cuts ranges at chunk borders; ranges that fall in one chunk become one part, unless they overlap.
    fn split(&self, ranges: &[Range], memory: Option<&UserMemory>) -> Result<Vec<ChunkPart>> {
        let tiny = || ranges.iter().filter(|range| range.cells <= TINY_RANGE_CELLS).count();
        if ranges.len() > TINY_RANGES_MAX && tiny() > TINY_RANGES_MAX {
            return Err(Der::NOTSUPPORTED.err(format!("more than {TINY_RANGES_MAX} ranges of a few cells in one call")));
        }
        let chunk = self.chunk_cells();
        let mut parts: Vec<ChunkPart> = Vec::new();
        let mut part_of: HashMap<u64, usize> = HashMap::new();
        let mut offset = 0;
        for range in ranges {
            range.index.checked_add(range.cells).ok_or_else(|| {
                Der::INVAL.err(format!("array range of {} cells from {} overflows", range.cells, range.index))
            })?;
            let (mut index, mut left) = (range.index, range.cells);
            while left > 0 {
                let (dkey, idx) = (index / chunk + 1, index % chunk);
                let nr = left.min(chunk - idx);
                let recx = Recx { idx, nr };
                let bytes = nr * self.cell_bytes;
                let piece = memory.map_or_else(UserMemory::default, |memory| memory.slice(offset, bytes));
                // In increasing order the targets need no check for overlaps; anything else goes by itself.
                let joins = |part: &ChunkPart| part.recxs.last().is_some_and(|last| last.idx + last.nr <= idx);
                match part_of.get(&dkey).filter(|&&at| joins(&parts[at])) {
                    Some(&at) => {
                        parts[at].recxs.push(recx);
                        parts[at].memory.extend(&piece);
                    }
                    None => {
                        part_of.insert(dkey, parts.len());
                        parts.push(ChunkPart { dkey, recxs: vec![recx], memory: piece });
                    }
                }
                (index, left, offset) = (index + nr, left - nr, offset + bytes);
            }
        }
        Ok(parts)
    }
}

fn dkey_of(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn metadata_iod() -> Iod {
    Iod { akey: AKEY.to_vec(), kind: IodKind::Single, size: METADATA_BYTES as u64, recxs: Vec::new(), flags: 0 }
}

/// Runs all to their end, so that none touches the caller's memory afterwards; the first error, if there is one.
async fn finish_all<T>(work: impl IntoIterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    let stream = futures_util::stream::iter(work).buffer_unordered(CONCURRENT_CHUNKS);
    stream.collect::<Vec<_>>().await.into_iter().collect()
}

async fn finish_all_in_order<T>(work: impl IntoIterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    let stream = futures_util::stream::iter(work).buffered(CONCURRENT_CHUNKS);
    stream.collect::<Vec<_>>().await.into_iter().collect()
}
