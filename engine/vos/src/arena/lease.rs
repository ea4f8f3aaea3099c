//! Access to bytes of the arena beyond a borrow of it.
//!
//! The allocator gives a range to one owner at a time and the store's code never views or stores to the data part
//! of a value after it became visible; that is what makes both leases sound.

use super::map::Map;
use std::cell::Cell;
use std::rc::Rc;

/// Ranges, which their users mostly ask for in the order in which they were added.
#[derive(Default)]
pub(crate) struct Ranges {
    all: Vec<(u64, u64)>,
    next: Cell<usize>,
}

impl Ranges {
    /// Forgets them, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.next.set(0);
    }

    fn cover(&self, off: u64, len: u64) -> bool {
        let within = |&(start, size): &(u64, u64)| off >= start && len <= size && off - start <= size - len;
        let next = self.next.get();
        if self.all.get(next).is_some_and(within) {
            self.next.set(next + 1);
            return true;
        }
        match self.all.iter().position(within) {
            Some(found) => self.next.set(found + 1),
            None => return false,
        }
        true
    }
}

/// Exclusive access to ranges that an update reserved.
pub(crate) struct WriteLease {
    map: Rc<Map>,
    ranges: Ranges,
}

/// Shared access to ranges of values that a fetch pinned.
pub(crate) struct ReadLease {
    map: Rc<Map>,
    ranges: Ranges,
}

impl WriteLease {
    /// One over no ranges yet; `ranges` is cleared and used for its memory.
    pub(super) fn new(map: Rc<Map>, mut ranges: Ranges) -> WriteLease {
        ranges.clear();
        WriteLease { map, ranges }
    }

    /// Ends it; the memory of its ranges.
    pub(crate) fn end(&mut self) -> Ranges {
        std::mem::take(&mut self.ranges)
    }

    /// Adds a range that the allocator just gave to this update.
    pub(crate) fn add(&mut self, off: u64, len: u64) {
        if self.map.check(off, len).is_ok() {
            self.ranges.all.push((off, len));
        }
    }

    /// The bytes of a range, or of a part of one; empty if it isn't this update's.
    pub(crate) fn bytes_mut(&mut self, off: u64, len: u64) -> &mut [u8] {
        if !self.ranges.cover(off, len) {
            return &mut [];
        }
        // SAFETY: inside the mapping (checked in `add`), which `self.map` keeps; reserved for this lease alone and
        // reachable by nobody else, and the borrow of `self` keeps a second slice away.
        unsafe { std::slice::from_raw_parts_mut(self.map.at(off), len as usize) }
    }
}

impl ReadLease {
    pub(super) fn new(map: Rc<Map>) -> ReadLease {
        ReadLease { map, ranges: Ranges::default() }
    }

    /// Adds a range of a pinned value.
    pub(crate) fn add(&mut self, off: u64, len: u64) {
        if self.map.check(off, len).is_ok() {
            self.ranges.all.push((off, len));
        }
    }

    /// The bytes of a range, or of a part of one; empty if it wasn't fetched.
    pub(crate) fn bytes(&self, off: u64, len: u64) -> &[u8] {
        if !self.ranges.cover(off, len) {
            return &[];
        }
        // SAFETY: inside the mapping (checked in `add`), which `self.map` keeps; a value's bytes don't change while
        // they are pinned.
        unsafe { std::slice::from_raw_parts(self.map.at(off), len as usize) }
    }
}
