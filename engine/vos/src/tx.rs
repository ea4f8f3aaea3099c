//! Transactions: changes collected in DRAM, then logged and applied as one.
//!
//! A block (node, record, line of a space map) is changed in a copy; [`Tx::commit`] compares the copies with the arena
//! and logs the words that differ. New blocks are stored straight to their place before the log is, since nothing
//! reachable points to them yet. Reads through the transaction see its copies.

use crate::arena::{Arena, LogBody, Mem, UNIT, set_word, word};
use crate::space::flip;
use crate::store::{State, Tier};
use daos_common::{Der, Epoch, Result};

/// A run of units of a tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub(crate) tier: Tier,
    pub(crate) unit: u64,
    pub(crate) units: u64,
}

struct Block {
    off: u64,
    start: usize,
    len: usize,
    fresh: bool,
    live: bool,
}

/// What a transaction has collected; kept between transactions for its memory.
#[derive(Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    blocks: Vec<Block>,
    /// Open addressing: number of the block plus one, 0 for none.
    index: Vec<u32>,
    taken: Vec<Run>,
    freed: Vec<Run>,
    direct: Vec<(u64, u64)>,
    body: LogBody,
    /// The newest epoch that the transaction writes at; 0 for none.
    epoch: Epoch,
}

impl Pending {
    const SLOTS: usize = 128;

    fn clear(&mut self) {
        self.bytes.clear();
        self.blocks.clear();
        self.index.clear();
        self.index.resize(Pending::SLOTS, 0);
        self.taken.clear();
        self.freed.clear();
        self.direct.clear();
        self.body.clear();
        self.epoch = 0;
    }

    /// The slot of a block: where it is, or where it would go.
    #[inline]
    fn slot(&self, off: u64) -> usize {
        let mask = self.index.len() - 1;
        let mut slot = ((off >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.index[slot] != 0 && self.blocks[self.index[slot] as usize - 1].off != off {
            slot = (slot + 1) & mask;
        }
        slot
    }

    #[inline]
    fn find(&self, off: u64) -> Option<usize> {
        if self.blocks.is_empty() {
            return None;
        }
        let number = self.index[self.slot(off)].checked_sub(1)? as usize;
        self.blocks[number].live.then_some(number)
    }

    /// Adds a block of `len` zero bytes.
    fn add(&mut self, off: u64, len: usize, fresh: bool) -> usize {
        if (self.blocks.len() + 1) * 2 > self.index.len() {
            let size = self.index.len() * 2;
            self.index.clear();
            self.index.resize(size, 0);
            for number in 0..self.blocks.len() {
                let slot = self.slot(self.blocks[number].off);
                self.index[slot] = number as u32 + 1;
            }
        }
        let number = self.blocks.len();
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        let slot = self.slot(off);
        self.blocks.push(Block { off, start, len, fresh, live: true });
        self.index[slot] = number as u32 + 1;
        number
    }

    fn kill(&mut self, off: u64) -> bool {
        match self.find(off) {
            Some(number) => {
                self.blocks[number].live = false;
                self.blocks[number].fresh
            }
            None => false,
        }
    }
}

/// How much of the arena's free space a transaction may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    /// All but what is kept for the others.
    Ordinary,
    /// All: for what removes data, so that it can be removed from a full store, and for what was promised to succeed.
    Kept,
}

/// One transaction. Dropped without [`Tx::commit`], nothing happened.
pub(crate) struct Tx<'a> {
    state: &'a mut State,
    keep: u64,
    committed: bool,
}

impl Mem for Tx<'_> {
    #[inline]
    fn view(&self, off: u64, len: u64) -> Result<&[u8]> {
        let pending = &self.state.pending;
        match pending.find(off) {
            Some(number) => {
                let block = &pending.blocks[number];
                pending.bytes[block.start..block.start + block.len]
                    .get(..len as usize)
                    .ok_or_else(|| crate::arena::damaged("a block is larger than it was written"))
            }
            None => self.state.arena.view(off, len),
        }
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if !self.committed {
            let taken = std::mem::take(&mut self.state.pending.taken);
            for run in &taken {
                self.state.give(*run);
            }
            self.state.pending.taken = taken;
        }
        self.state.pending.clear();
    }
}

impl<'a> Tx<'a> {
    /// Begins one that may use this much of the arena.
    ///
    /// # Errors
    /// `IO`: an earlier commit failed half-way on the medium.
    pub(crate) fn begin(state: &'a mut State, room: Room) -> Result<Tx<'a>> {
        if state.failed {
            return Err(Der::IO.err("an earlier write to the store's medium failed; restart the engine"));
        }
        state.pending.clear();
        let keep = state.kept(room);
        Ok(Tx { state, keep, committed: false })
    }

    /// The first of the 65536 numbers that versions of this transaction may have; larger than those of every one before.
    pub(crate) fn seq(&self) -> u64 {
        (self.state.seq + 1) << 16
    }

    /// Takes over a run that was reserved before; returned if this transaction doesn't commit.
    pub(crate) fn adopt(&mut self, run: Run) {
        self.state.pending.taken.push(run);
    }

    /// Notes bytes that were written to a reserved run, so that they are flushed.
    pub(crate) fn note_leased(&mut self, off: u64, len: u64) -> Result<()> {
        self.state.arena.note_leased(off, len)
    }

    /// Notes an epoch that the transaction writes at, so that the store remembers it as committed.
    pub(crate) fn note_epoch(&mut self, epoch: Epoch) {
        self.state.pending.epoch = self.state.pending.epoch.max(epoch);
    }

    /// Space for `len` bytes in the arena, contents undefined.
    ///
    /// # Errors
    /// `NOSPACE`.
    pub(crate) fn alloc(&mut self, len: u64) -> Result<u64> {
        let run = self.state.reserve(Tier::Arena, len, self.keep)?;
        self.state.pending.taken.push(run);
        Ok(run.unit * UNIT)
    }

    /// A new block of zeros.
    ///
    /// # Errors
    /// `NOSPACE`.
    pub(crate) fn alloc_block(&mut self, len: u64) -> Result<u64> {
        let off = self.alloc(len)?;
        self.state.pending.add(off, len as usize, true);
        Ok(off)
    }

    /// Stores bytes into space of [`Tx::alloc`] at once.
    ///
    /// # Errors
    /// `DF_INVAL`; `IO`.
    pub(crate) fn write_new(&mut self, off: u64, bytes: &[u8]) -> Result<()> {
        self.state.arena.store(off, bytes)?;
        self.state.pending.direct.push((off, bytes.len() as u64));
        Ok(())
    }

    /// The block of `len` bytes at `off`, to change.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub(crate) fn block_mut(&mut self, off: u64, len: u64) -> Result<&mut [u8]> {
        let state = &mut *self.state;
        let pending = &mut state.pending;
        let number = match pending.find(off) {
            Some(number) => number,
            None => {
                let bytes = state.arena.view(off, len)?;
                let number = pending.add(off, bytes.len(), false);
                let start = pending.blocks[number].start;
                pending.bytes[start..].copy_from_slice(bytes);
                number
            }
        };
        let block = &pending.blocks[number];
        Ok(&mut pending.bytes[block.start..block.start + block.len])
    }

    /// Frees space in the arena; it is reused only after the commit, and after the fetches that may read it.
    pub(crate) fn free(&mut self, off: u64, len: u64) {
        let run = Run { tier: Tier::Arena, unit: off / UNIT, units: len.div_ceil(UNIT) };
        let fresh = self.state.pending.kill(off);
        if fresh && let Some(place) = self.state.pending.taken.iter().rposition(|taken| *taken == run) {
            self.state.pending.taken.swap_remove(place);
            self.state.give(run);
        } else {
            self.state.pending.freed.push(run);
        }
    }

    /// Frees a run of any tier that is no block.
    pub(crate) fn free_run(&mut self, run: Run) {
        self.state.pending.freed.push(run);
    }

    fn mark(&mut self, run: Run, set: bool) -> Result<()> {
        let layout = self.state.arena.layout();
        let (map, all) = match run.tier {
            Tier::Arena => (layout.map_off, layout.map_units),
            Tier::Blob => (layout.blob_map_off, layout.blob_units),
        };
        let outside = || crate::arena::damaged("a value is outside of its tier");
        let end = run.unit.checked_add(run.units).filter(|end| *end <= all).ok_or_else(outside)?;
        let mut unit = run.unit;
        while unit < end {
            let here = (512 - unit % 512).min(end - unit);
            let line = self.block_mut(map + unit / 512 * 64, 64)?;
            flip(line, unit % 512, here, set)?;
            unit += here;
        }
        Ok(())
    }

    fn mark_all(&mut self) -> Result<()> {
        for index in 0..self.state.pending.taken.len() {
            self.mark(self.state.pending.taken[index], true)?;
        }
        for index in 0..self.state.pending.freed.len() {
            self.mark(self.state.pending.freed[index], false)?;
        }
        Ok(())
    }

    /// What the transaction takes of the arena, with the room that its log needs for a moment: reserved for the caller.
    /// Nothing happens.
    ///
    /// # Errors
    /// `NOSPACE`, `DF_INVAL`: as a commit would say.
    pub(crate) fn hold(mut self) -> Result<Vec<Run>> {
        self.mark_all()?;
        let State { arena, pending, .. } = &mut *self.state;
        encode(arena, pending)?;
        let extension = self.log_extension()?;
        let mut runs = std::mem::take(&mut self.state.pending.taken);
        runs.extend(extension);
        Ok(runs)
    }

    /// Room for a log that is larger than the place for it.
    fn log_extension(&mut self) -> Result<Option<Run>> {
        let body_len = self.state.pending.body.len();
        if body_len <= self.state.arena.log_room() {
            return Ok(None);
        }
        let needs = || Der::NOSPACE.err(format!("no room for a log of {body_len} bytes; write less at a time"));
        Ok(Some(self.state.reserve(Tier::Arena, body_len, 0).map_err(|_| needs())?))
    }

    /// Makes everything durable and visible.
    ///
    /// # Errors
    /// `NOSPACE`, `DF_INVAL`: nothing happened. `IO`: the medium failed; the store refuses changes from here on.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.mark_all()?;
        let State { arena, pending, .. } = &mut *self.state;
        encode(arena, pending)?;
        if pending.body.len() == 0 {
            return Ok(());
        }
        let extension = self.log_extension()?;
        let result = self.store_and_log(extension);
        if let Some(run) = extension {
            self.state.give(run);
        }
        // From here on the taken runs are reachable, or it is unknown whether they are.
        self.committed = true;
        if let Err(error) = result {
            self.state.failed = true;
            return Err(error.at("commit"));
        }
        self.state.seq += 1;
        let freed = std::mem::take(&mut self.state.pending.freed);
        for run in &freed {
            self.state.retire(*run);
        }
        self.state.pending.freed = freed;
        Ok(())
    }

    fn store_and_log(&mut self, extension: Option<Run>) -> Result<()> {
        let seq = self.state.seq + 1;
        let State { arena, pending, .. } = &mut *self.state;
        for &(off, len) in &pending.direct {
            arena.flush(off, len)?;
        }
        for block in pending.blocks.iter().filter(|block| block.live && block.fresh) {
            arena.store(block.off, &pending.bytes[block.start..block.start + block.len])?;
            arena.flush(block.off, block.len as u64)?;
        }
        arena.order();
        let body_off = extension.map_or(arena.log_body_off(), |run| run.unit * UNIT);
        arena.log_and_apply(seq, body_off, &pending.body, pending.epoch)
    }
}

/// Writes the words of changed blocks that differ from the arena into the log's body.
fn encode(arena: &Arena, pending: &mut Pending) -> Result<()> {
    let Pending { blocks, bytes, body, .. } = pending;
    for block in blocks.iter().filter(|block| block.live && !block.fresh) {
        let new = &bytes[block.start..block.start + block.len];
        let old = arena.view(block.off, block.len as u64)?;
        let mut at = 0;
        while at < new.len() {
            if word(new, at) == word(old, at) {
                at += 8;
                continue;
            }
            // A run ends at two equal words: an entry's header is as long.
            let start = at;
            let mut end = at + 8;
            at += 8;
            while at < new.len() && at - end < 16 {
                at += 8;
                if word(new, at - 8) != word(old, at - 8) {
                    end = at;
                }
            }
            body.push(block.off + start as u64, &new[start..end]);
        }
    }
    Ok(())
}

/// Sets word `index` of the record at `off`, a block of 32 bytes.
///
/// # Errors
/// `DF_INVAL`.
pub(crate) fn set_record_word(tx: &mut Tx<'_>, off: u64, index: usize, value: u64) -> Result<()> {
    set_word(tx.block_mut(off, crate::record::RECORD_BYTES)?, index * 8, value);
    Ok(())
}
