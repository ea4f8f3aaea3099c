//! Extents of one array akey: which version of which records is visible.
//!
//! The tree is ordered by (lo, newest first); inner entries know the highest end and the oldest and newest epoch below
//! (`tree`). A query walks what can overlap, in order of `lo`, and paints extents over one another by version. A
//! subtree whose records are already covered by newer extents is skipped, so old versions of the same extents cost
//! nothing. Cost: O(depth + visible pieces + versions not skipped).
//!
//! | word | entry of a leaf |
//! |---|---|
//! | 0 | first record |
//! | 1, 2 | epoch and seq, inverted |
//! | 3 | place: 0 punched, offset in the arena, or offset on the data tier plus 1 |
//! | 4 | behind the last record |

use crate::arena::Mem;
use crate::record::{Version, run_of};
use crate::store::Tier;
use crate::tree::{ExtentEntry, ExtentTree, Probe};
use crate::tx::{Run, Tx};
use daos_common::{Epoch, Result};
use std::ops::Range;

/// Where the data of an extent is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Data {
    Punched,
    Arena(u64),
    Blob(u64),
}

impl Data {
    fn decode(word: u64) -> Data {
        match word {
            0 => Data::Punched,
            odd if odd & 1 == 1 => Data::Blob(odd - 1),
            even => Data::Arena(even),
        }
    }

    fn encode(self) -> u64 {
        match self {
            Data::Punched => 0,
            Data::Arena(off) => off,
            Data::Blob(off) => off + 1,
        }
    }

    /// Frees the data of `bytes` bytes.
    fn free(self, tx: &mut Tx<'_>, bytes: u64) {
        match self {
            Data::Punched => {}
            Data::Arena(off) => tx.free(off, bytes),
            Data::Blob(off) => tx.free_run(run_of(Tier::Blob, off, bytes)),
        }
    }
}

/// A part of an extent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) lo: u64,
    pub(crate) hi: u64,
    pub(crate) version: Version,
    pub(crate) data: Data,
    /// Where the whole extent begins, and so its data.
    pub(crate) start: u64,
}

impl Piece {
    fn part(&self, lo: u64, hi: u64) -> Piece {
        Piece { lo, hi, ..*self }
    }
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Query {
    pub(crate) lo: u64,
    pub(crate) hi: u64,
    pub(crate) epoch: Epoch,
    /// Versions at or below are invisible.
    pub(crate) floor: Version,
    /// Stop when this many pieces with data are sure.
    pub(crate) limit: usize,
}

/// Visible pieces, in order, punched ones included. If the walk stopped by the limit, only the pieces below `sure_to`.
struct Walk<'q> {
    query: &'q Query,
    pieces: Vec<Piece>,
    spare: Vec<Piece>,
    sure: usize,
    sure_data: usize,
    stopped: bool,
}

/// The visible pieces of a range with data, in order; at least `limit` if there are as many.
///
/// # Errors
/// `DF_INVAL`, as all functions here.
pub(crate) fn visible(mem: &impl Mem, root: u64, query: &Query) -> Result<Vec<Piece>> {
    if root == 0 || query.lo >= query.hi {
        return Ok(Vec::new());
    }
    let mut walk = Walk { query, pieces: Vec::new(), spare: Vec::new(), sure: 0, sure_data: 0, stopped: false };
    walk.visit(mem, root, 0)?;
    if walk.stopped {
        walk.pieces.truncate(walk.sure);
    }
    walk.pieces.retain(|piece| piece.data != Data::Punched);
    Ok(walk.pieces)
}

impl Walk<'_> {
    fn visit(&mut self, mem: &impl Mem, off: u64, depth: usize) -> Result<()> {
        let (count, level) = ExtentTree::node(mem, off)?;
        if depth > 16 {
            return Err(crate::arena::damaged("an extent tree is too deep"));
        }
        let query = self.query;
        for pos in 0..count {
            match ExtentTree::node_entry(mem, off, pos)? {
                ExtentEntry::Inner { lo, child, hi, oldest, newest } => {
                    if lo >= query.hi {
                        break;
                    }
                    let relevant = hi > query.lo && oldest <= query.epoch && newest >= query.floor.epoch;
                    if !relevant || self.covers(lo, hi, newest) {
                        continue;
                    }
                    if ExtentTree::node(mem, child)?.1 >= level {
                        return Err(crate::arena::damaged("an extent tree's levels do not fall"));
                    }
                    self.visit(mem, child, depth + 1)?;
                }
                ExtentEntry::Leaf { lo, hi, epoch, seq, place } => {
                    if lo >= query.hi {
                        break;
                    }
                    let version = Version { epoch, seq };
                    if hi <= lo {
                        return Err(crate::arena::damaged("an empty extent in an extent tree"));
                    }
                    if hi <= query.lo || epoch > query.epoch || version <= query.floor {
                        continue;
                    }
                    if self.enough(lo) {
                        self.stopped = true;
                    } else {
                        let piece = Piece { lo, hi, version, data: Data::decode(place), start: lo };
                        self.paint(piece.part(lo.max(query.lo), hi.min(query.hi)));
                    }
                }
            }
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    /// Whether `limit` pieces end at or before `lo`, where nothing can change any more.
    fn enough(&mut self, lo: u64) -> bool {
        while let Some(piece) = self.pieces.get(self.sure).filter(|piece| piece.hi <= lo) {
            self.sure += 1;
            self.sure_data += usize::from(piece.data != Data::Punched);
        }
        self.sure_data >= self.query.limit
    }

    /// Whether newer pieces than `newest` cover all of the range that the query asks for.
    fn covers(&self, lo: u64, hi: u64, newest: Epoch) -> bool {
        let (mut at, end) = (lo.max(self.query.lo), hi.min(self.query.hi));
        let from = self.pieces.partition_point(|piece| piece.hi <= at);
        for piece in &self.pieces[from..] {
            if piece.lo > at || piece.version.epoch <= newest {
                return false;
            }
            at = piece.hi;
            if at >= end {
                return true;
            }
        }
        at >= end
    }

    fn paint(&mut self, new: Piece) {
        if self.pieces.last().is_none_or(|last| last.hi <= new.lo) {
            self.pieces.push(new);
            return;
        }
        let from = self.pieces.partition_point(|piece| piece.hi <= new.lo);
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        let mut at = new.lo;
        let mut until = from;
        let mut tail = None;
        while let Some(old) = self.pieces.get(until).filter(|old| old.lo < new.hi) {
            if old.version >= new.version {
                if at < old.lo {
                    out.push(new.part(at, old.lo));
                }
                out.push(*old);
                at = old.hi;
            } else {
                if old.lo < new.lo {
                    out.push(old.part(old.lo, new.lo));
                }
                if old.hi > new.hi {
                    tail = Some(old.part(new.hi, old.hi));
                }
            }
            until += 1;
        }
        if at < new.hi {
            out.push(new.part(at, new.hi));
        }
        out.extend(tail);
        self.pieces.splice(from..until, out.iter().copied());
        self.spare = out;
    }
}

/// The parts of the query's range in which `version` is what shows, in order, touching ones joined.
pub(crate) fn shown(mem: &impl Mem, root: u64, query: &Query, version: Version) -> Result<Vec<(u64, u64)>> {
    let mut walk = Walk { query, pieces: Vec::new(), spare: Vec::new(), sure: 0, sure_data: 0, stopped: false };
    walk.visit(mem, root, 0)?;
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for piece in walk.pieces.iter().filter(|piece| piece.version == version) {
        match parts.last_mut().filter(|last| last.1 == piece.lo) {
            Some(last) => last.1 = piece.hi,
            None => parts.push((piece.lo, piece.hi)),
        }
    }
    Ok(parts)
}

/// Bytes of a gap inside an extent of the arena for which it is split: the two entries cost more than less would give.
const SPLIT_MIN_BYTES: u64 = 512;

/// Which parts of an extent to keep so that all of `shown` stays and whole units of its tier between, before and behind
/// are freed; the extent itself when that frees nothing.
///
/// # Errors
/// `DF_INVAL`: the extent's size.
pub(crate) fn kept_parts(entry: &[u64; 5], shown: &[(u64, u64)], record_bytes: u64) -> Result<Vec<(u64, u64)>> {
    let (lo, hi) = (entry[0], entry[4]);
    let (tier, off) = match Data::decode(entry[3]) {
        Data::Punched => return Ok(vec![(lo, hi)]),
        Data::Arena(off) => (Tier::Arena, off),
        Data::Blob(off) => (Tier::Blob, off),
    };
    if record_bytes == 0 || shown.is_empty() {
        return Ok(vec![(lo, hi)]);
    }
    let bytes = hi.checked_sub(lo).and_then(|records| records.checked_mul(record_bytes));
    if bytes.and_then(|bytes| off.checked_add(bytes)).is_none() {
        return Err(crate::arena::damaged("an extent's size"));
    }
    let unit = tier.unit();
    // A part begins at a record that begins at a unit.
    let step = unit >> record_bytes.trailing_zeros().min(unit.trailing_zeros());
    let end_unit = |at: u64| ((at - lo) * record_bytes).div_ceil(unit);
    let start_unit = |at: u64| (at - lo) * record_bytes / unit;
    let gap_min = if tier == Tier::Arena { SPLIT_MIN_BYTES / unit } else { 1 };
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for &(from, to) in shown {
        let from = lo + (from - lo) / step * step;
        match parts.last_mut() {
            Some(last) if start_unit(from) < end_unit(last.1) + gap_min => last.1 = to,
            None if start_unit(from) == 0 => parts.push((lo, to)),
            _ => parts.push((from, to)),
        }
    }
    if let Some(last) = parts.last_mut()
        && end_unit(last.1) == end_unit(hi)
    {
        last.1 = hi;
    }
    Ok(parts)
}

/// Cuts an extent, sound by [`kept_parts`], to those parts; the units of its data that no part needs are freed.
///
/// # Errors
/// `NOSPACE`.
pub(crate) fn cut(
    tx: &mut Tx<'_>,
    root: &mut u64,
    entry: &[u64; 5],
    parts: &[(u64, u64)],
    record_bytes: u64,
) -> Result<()> {
    let (tier, off) = match Data::decode(entry[3]) {
        Data::Punched => return Ok(()),
        Data::Arena(off) => (Tier::Arena, off),
        Data::Blob(off) => (Tier::Blob, off),
    };
    let Some(cursor) = ExtentTree::seek(tx, *root, &Probe::exact([entry[0], entry[1], entry[2]]))? else {
        return Ok(());
    };
    ExtentTree::remove(tx, root, &cursor)?;
    let whole = run_of(tier, off, (entry[4] - entry[0]) * record_bytes);
    let mut free = whole.unit;
    for &(lo, hi) in parts {
        let from = off + (lo - entry[0]) * record_bytes;
        let run = run_of(tier, from, (hi - lo) * record_bytes);
        if free < run.unit {
            tx.free_run(Run { tier, unit: free, units: run.unit - free });
        }
        free = run.unit + run.units;
        let data = if tier == Tier::Arena { Data::Arena(from) } else { Data::Blob(from) };
        let words = [lo, entry[1], entry[2]];
        ExtentTree::insert(tx, root, &Probe::exact(words), [lo, words[1], words[2], data.encode(), hi])?;
    }
    let end = whole.unit + whole.units;
    if free < end {
        tx.free_run(Run { tier, unit: free, units: end - free });
    }
    Ok(())
}

/// Whether data was written above `floor` and at or below `epoch`.
pub(crate) fn any_data(mem: &impl Mem, root: u64, epoch: Epoch, floor: Version) -> Result<bool> {
    if root == 0 {
        return Ok(false);
    }
    let (count, level) = ExtentTree::node(mem, root)?;
    for pos in 0..count {
        match ExtentTree::node_entry(mem, root, pos)? {
            ExtentEntry::Inner { child, oldest, newest, .. } => {
                if oldest > epoch || newest < floor.epoch {
                    continue;
                }
                if ExtentTree::node(mem, child)?.1 >= level {
                    return Err(crate::arena::damaged("an extent tree's levels do not fall"));
                }
                if any_data(mem, child, epoch, floor)? {
                    return Ok(true);
                }
            }
            ExtentEntry::Leaf { epoch: written, seq, place, .. } => {
                if place != 0 && written <= epoch && (Version { epoch: written, seq }) > floor {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// The newest epoch of any extent that overlaps a range, visible or not, if it is later than `best`; else `best`.
pub(crate) fn newest(mem: &impl Mem, root: u64, range: Range<u64>, best: Epoch) -> Result<Epoch> {
    if root == 0 {
        return Ok(best);
    }
    let mut best = best;
    let (count, level) = ExtentTree::node(mem, root)?;
    for pos in 0..count {
        match ExtentTree::node_entry(mem, root, pos)? {
            ExtentEntry::Inner { lo, child, hi, newest: below, .. } => {
                if lo >= range.end {
                    break;
                }
                if hi <= range.start || below <= best {
                    continue;
                }
                if ExtentTree::node(mem, child)?.1 >= level {
                    return Err(crate::arena::damaged("an extent tree's levels do not fall"));
                }
                best = newest(mem, child, range.clone(), best)?;
            }
            ExtentEntry::Leaf { lo, hi, epoch, .. } => {
                if lo >= range.end {
                    break;
                }
                if hi > range.start {
                    best = best.max(epoch);
                }
            }
        }
    }
    Ok(best)
}

/// The highest end, at most `below`, of the extents that begin below `below`; 0 if there are none.
fn top_below(mem: &impl Mem, root: u64, below: u64, best: u64) -> Result<u64> {
    let (count, level) = ExtentTree::node(mem, root)?;
    let mut best = best;
    for pos in (0..count).rev() {
        match ExtentTree::node_entry(mem, root, pos)? {
            ExtentEntry::Inner { lo, child, hi, .. } => {
                if lo >= below || hi <= best {
                    continue;
                }
                if ExtentTree::node(mem, child)?.1 >= level {
                    return Err(crate::arena::damaged("an extent tree's levels do not fall"));
                }
                best = top_below(mem, child, below, best)?;
            }
            ExtentEntry::Leaf { lo, hi, .. } => {
                if lo < below {
                    best = best.max(hi.min(below));
                }
            }
        }
        if best == below {
            break;
        }
    }
    Ok(best)
}

/// The highest visible pieces with data below `query.hi`, highest first, at least `limit` if there are as many; those
/// that reach below `query.lo` whole. Looks at windows that grow while they find too little.
pub(crate) fn visible_descending(mem: &impl Mem, root: u64, query: &Query) -> Result<Vec<Piece>> {
    let mut found = Vec::new();
    if root == 0 {
        return Ok(found);
    }
    let (mut end, mut window) = (query.hi, 4096u64);
    while found.len() < query.limit {
        end = top_below(mem, root, end, 0)?;
        if end == 0 {
            break;
        }
        let lo = end.saturating_sub(window);
        let part = Query { lo, hi: end, limit: usize::MAX, ..*query };
        let mut pieces = visible(mem, root, &part)?;
        // A piece at the window's edge may go on below it.
        let cut = pieces.first().filter(|piece| lo > 0 && piece.lo == lo).map(|piece| piece.hi);
        if cut.is_some() {
            pieces.remove(0);
        }
        window = window.saturating_mul(2);
        if pieces.is_empty() && cut == Some(end) {
            continue;
        }
        found.extend(pieces.into_iter().rev());
        end = cut.unwrap_or(lo);
    }
    Ok(found)
}

/// Puts an extent into the tree in place of the same one at the same epoch, whose data is freed.
///
/// # Errors
/// `NOSPACE`.
pub(crate) fn put_extent(tx: &mut Tx<'_>, root: &mut u64, piece: &Piece, record_bytes: u64) -> Result<()> {
    let Version { epoch, seq } = piece.version;
    let mut cursor = ExtentTree::seek(tx, *root, &Probe::exact([piece.lo, !epoch, 0]))?;
    while let Some(at) = &mut cursor {
        let entry = ExtentTree::entry(tx, at)?;
        if entry[0] != piece.lo || entry[1] != !epoch {
            break;
        }
        if entry[4] == piece.hi {
            ExtentTree::remove(tx, root, at)?;
            Data::decode(entry[3]).free(tx, (piece.hi - piece.lo).saturating_mul(record_bytes));
            break;
        }
        if !ExtentTree::advance(tx, at)? {
            break;
        }
    }
    let words = [piece.lo, !epoch, !seq];
    let entry = [words[0], words[1], words[2], piece.data.encode(), piece.hi];
    ExtentTree::insert(tx, root, &Probe::exact(words), entry)
}

/// Frees the data of entries taken out of a tree.
pub(crate) fn free_entries(tx: &mut Tx<'_>, entries: &[[u64; 5]], record_bytes: u64) {
    for entry in entries {
        Data::decode(entry[3]).free(tx, (entry[4].saturating_sub(entry[0])).saturating_mul(record_bytes));
    }
}
