//! Access to bytes of the arena beyond a borrow of it.
//!
//! The allocator gives a range to one owner at a time and the store's code never views or stores to the data part
//! of a value after it became visible; that is what makes both leases sound.

use super::map::Map;
use std::rc::Rc;

/// Exclusive access to ranges that an update reserved.
pub(crate) struct WriteLease {
    map: Rc<Map>,
    ranges: Vec<(u64, u64)>,
}

/// Shared access to ranges of values that a fetch pinned.
pub(crate) struct ReadLease {
    map: Rc<Map>,
    ranges: Vec<(u64, u64)>,
}

fn covered(ranges: &[(u64, u64)], off: u64, len: u64) -> bool {
    ranges.iter().any(|&(start, size)| off >= start && len <= size && off - start <= size - len)
}

impl WriteLease {
    pub(super) fn new(map: Rc<Map>) -> WriteLease {
        WriteLease { map, ranges: Vec::new() }
    }

    /// Adds a range that the allocator just gave to this update.
    pub(crate) fn add(&mut self, off: u64, len: u64) {
        if self.map.check(off, len).is_ok() {
            self.ranges.push((off, len));
        }
    }

    /// The bytes of a range, or of a part of one; empty if it isn't this update's.
    pub(crate) fn bytes_mut(&mut self, off: u64, len: u64) -> &mut [u8] {
        if !covered(&self.ranges, off, len) {
            return &mut [];
        }
        // SAFETY: inside the mapping (checked in `add`), which `self.map` keeps; reserved for this lease alone and
        // reachable by nobody else, and the borrow of `self` keeps a second slice away.
        unsafe { std::slice::from_raw_parts_mut(self.map.at(off), len as usize) }
    }
}

impl ReadLease {
    pub(super) fn new(map: Rc<Map>) -> ReadLease {
        ReadLease { map, ranges: Vec::new() }
    }

    /// Adds a range of a pinned value.
    pub(crate) fn add(&mut self, off: u64, len: u64) {
        if self.map.check(off, len).is_ok() {
            self.ranges.push((off, len));
        }
    }

    /// The bytes of a range, or of a part of one; empty if it wasn't fetched.
    pub(crate) fn bytes(&self, off: u64, len: u64) -> &[u8] {
        if !covered(&self.ranges, off, len) {
            return &[];
        }
        // SAFETY: inside the mapping (checked in `add`), which `self.map` keeps; a value's bytes don't change while
        // they are pinned.
        unsafe { std::slice::from_raw_parts(self.map.at(off), len as usize) }
    }
}
