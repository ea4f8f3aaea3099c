//! Free space of one tier: a persistent bit per unit, and an index of the free units in DRAM.
//!
//! A reservation takes units out of the index only; the bits follow in the transaction that makes the units
//! reachable, so a crash leaks nothing. The index is rebuilt from the bits when a store is opened.
//! Small runs go back to lists by exact size and are joined with their neighbours only when nothing else fits;
//! larger ones are joined at once.

use crate::arena::{Mem, damaged, word};
use daos_common::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Units that are taken from a large run at a time to cut small ones from.
const BUMP_UNITS: u64 = 4096;

/// The index of one tier.
pub(crate) struct Space {
    units: u64,
    free: u64,
    small_max: u64,
    small: Vec<Vec<u64>>,
    small_units: u64,
    bump: (u64, u64),
    spans: BTreeMap<u64, u64>,
    by_len: BTreeSet<(u64, u64)>,
}

impl Space {
    /// Reads the map of `units` bits at `map_off`; runs of at most `small_max` units get lists of their own.
    ///
    /// # Errors
    /// `DF_INVAL`: the map is outside of the arena.
    pub(crate) fn load(mem: &impl Mem, map_off: u64, units: u64, small_max: u64) -> Result<Space> {
        let mut space = Space {
            units,
            free: 0,
            small_max,
            small: (0..=small_max).map(|_| Vec::new()).collect(),
            small_units: 0,
            bump: (0, 0),
            spans: BTreeMap::new(),
            by_len: BTreeSet::new(),
        };
        let bits = mem.view(map_off, units.div_ceil(64) * 8)?;
        let (mut start, mut len) = (0, 0);
        for index in 0..units.div_ceil(64) {
            let word = word(bits, index as usize * 8);
            let here = (units - index * 64).min(64);
            if len == 0 && word == u64::MAX {
                continue;
            }
            if word == 0 && here == 64 {
                start = if len == 0 { index * 64 } else { start };
                len += 64;
                continue;
            }
            for bit in 0..here {
                if word >> bit & 1 == 0 {
                    start = if len == 0 { index * 64 + bit } else { start };
                    len += 1;
                } else if len != 0 {
                    space.add_span(start, len);
                    len = 0;
                }
            }
        }
        if len != 0 {
            space.add_span(start, len);
        }
        space.free = space.spans.values().sum();
        Ok(space)
    }

    /// All units.
    pub(crate) fn units(&self) -> u64 {
        self.units
    }

    /// Units that are neither used nor reserved.
    pub(crate) fn free_units(&self) -> u64 {
        self.free
    }

    /// Takes `units` units in a row, leaving at least `keep` free; the first one.
    pub(crate) fn take(&mut self, units: u64, keep: u64) -> Option<u64> {
        if units == 0 || self.free < units.checked_add(keep)? {
            return None;
        }
        let found = self.find(units).or_else(|| {
            if self.small_units == 0 && self.bump.0 == self.bump.1 {
                return None;
            }
            self.join_all();
            self.find(units)
        })?;
        self.free -= units;
        Some(found)
    }

    /// Joins what is free, so that any of it can be claimed.
    pub(crate) fn join(&mut self) {
        self.join_all();
    }

    /// Takes just these units, which must be joined; `false` if they are not all free.
    pub(crate) fn claim(&mut self, start: u64, units: u64) -> bool {
        let Some((&before, &len)) = self.spans.range(..=start).next_back() else { return false };
        let (Some(end), span_end) = (start.checked_add(units), before + len) else { return false };
        if units == 0 || end > span_end {
            return false;
        }
        self.cut(before, len, len);
        if before < start {
            self.add_span(before, start - before);
        }
        if end < span_end {
            self.add_span(end, span_end - end);
        }
        self.free -= units;
        true
    }

    /// Gives a run back.
    pub(crate) fn give(&mut self, start: u64, units: u64) {
        self.free += units;
        self.put(start, units);
    }

    fn put(&mut self, start: u64, units: u64) {
        if units <= self.small_max {
            self.small[units as usize].push(start);
            self.small_units += units;
        } else {
            self.add_span(start, units);
        }
    }

    fn find(&mut self, units: u64) -> Option<u64> {
        if units > self.small_max {
            let &(len, start) = self.by_len.range((units, 0)..).next()?;
            return Some(self.cut(start, len, units));
        }
        if let Some(start) = self.small[units as usize].pop() {
            self.small_units -= units;
            return Some(start);
        }
        if self.bump.1 - self.bump.0 < units {
            self.refill(units)?;
        }
        let start = self.bump.0;
        self.bump.0 += units;
        Some(start)
    }

    fn refill(&mut self, units: u64) -> Option<()> {
        let large = self.by_len.range((BUMP_UNITS, 0)..).next().copied();
        let (len, start) = large.or_else(|| self.by_len.last().copied().filter(|&(len, _)| len >= units))?;
        let rest = self.bump;
        self.bump = (0, 0);
        if rest.0 < rest.1 {
            self.put(rest.0, rest.1 - rest.0);
        }
        let size = len.min(BUMP_UNITS);
        let start = self.cut(start, len, size);
        self.bump = (start, start + size);
        Some(())
    }

    /// Takes the first `units` of a span.
    fn cut(&mut self, start: u64, len: u64, units: u64) -> u64 {
        self.spans.remove(&start);
        self.by_len.remove(&(len, start));
        if len > units {
            self.spans.insert(start + units, len - units);
            self.by_len.insert((len - units, start + units));
        }
        start
    }

    fn add_span(&mut self, mut start: u64, mut len: u64) {
        if let Some((&before, &size)) = self.spans.range(..start).next_back()
            && before + size == start
        {
            self.spans.remove(&before);
            self.by_len.remove(&(size, before));
            start = before;
            len += size;
        }
        if let Some(&size) = self.spans.get(&(start + len)) {
            self.spans.remove(&(start + len));
            self.by_len.remove(&(size, start + len));
            len += size;
        }
        self.spans.insert(start, len);
        self.by_len.insert((len, start));
    }

    fn join_all(&mut self) {
        let (start, end) = std::mem::take(&mut self.bump);
        if start < end {
            self.add_span(start, end - start);
        }
        for units in 1..self.small.len() {
            for start in std::mem::take(&mut self.small[units]) {
                self.add_span(start, units as u64);
            }
        }
        self.small_units = 0;
    }
}

/// Sets or clears `count` bits from `bit` on in one line of a map; they must all be the opposite before.
///
/// # Errors
/// `DF_INVAL`: a bit was not.
pub(crate) fn flip(line: &mut [u8], bit: u64, count: u64, set: bool) -> Result<()> {
    let (mut bit, end) = (bit, bit + count);
    while bit < end {
        let at = (bit / 64 * 8) as usize;
        let here = (64 - bit % 64).min(end - bit);
        let mask = (u64::MAX >> (64 - here)) << (bit % 64);
        let old = word(line, at);
        if (old & mask) != if set { 0 } else { mask } {
            return Err(damaged("its space map contradicts its trees"));
        }
        crate::arena::set_word(line, at, old ^ mask);
        bit += here;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    struct Zeros(Vec<u8>);

    impl Mem for Zeros {
        fn view(&self, off: u64, len: u64) -> Result<&[u8]> {
            self.0.get(off as usize..(off + len) as usize).ok_or_else(|| damaged("outside"))
        }
    }

    /// Aim: runs never overlap, the count of free units is exact, and all of it joins again when everything is back.
    #[test]
    fn runs_are_disjoint_and_nothing_is_lost() {
        let units = 10_000u64;
        let mut space = Space::load(&Zeros(vec![0; 2048]), 0, units, 128).unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let mut used = vec![false; units as usize];
        let mut held: Vec<(u64, u64)> = Vec::new();
        for _ in 0..20_000 {
            if rng.random_bool(0.55) {
                let len = if rng.random_bool(0.9) { rng.random_range(1..40) } else { rng.random_range(1..900) };
                if let Some(start) = space.take(len, 0) {
                    for unit in start..start + len {
                        assert!(!std::mem::replace(&mut used[unit as usize], true));
                    }
                    held.push((start, len));
                }
            } else if !held.is_empty() {
                let (start, len) = held.swap_remove(rng.random_range(0..held.len()));
                used[start as usize..(start + len) as usize].fill(false);
                space.give(start, len);
            }
            assert_eq!(space.free_units(), used.iter().filter(|taken| !**taken).count() as u64);
        }
        for (start, len) in held {
            space.give(start, len);
        }
        assert_eq!(space.take(units, 0), Some(0));
    }

    /// Aim: a claim takes what is free and just that, wherever it is in a span, and nothing that isn't.
    #[test]
    fn claims() {
        let mut space = Space::load(&Zeros(vec![0; 64]), 0, 300, 128).unwrap();
        assert_eq!((space.take(10, 0), space.take(20, 0)), (Some(0), Some(10)));
        space.give(0, 10);
        space.join();
        assert!(!space.claim(9, 2) && !space.claim(29, 2) && !space.claim(299, 2) && !space.claim(300, 1));
        assert!(!space.claim(3, 0) && !space.claim(5, u64::MAX));
        assert!(
            space.claim(3, 2) && space.claim(30, 1) && space.claim(290, 10) && space.claim(0, 3) && space.claim(5, 5)
        );
        assert!(!space.claim(4, 1) && !space.claim(295, 1));
        assert_eq!(space.free_units(), 259);
        assert_eq!((space.take(259, 0), space.take(1, 0)), (Some(31), None));
    }

    /// Aim: the index is what the bits say, across words.
    #[test]
    fn loads_the_bits() {
        let mut bits = vec![0u8; 64];
        flip(&mut bits, 3, 130, true).unwrap();
        assert!(flip(&mut bits, 100, 2, true).is_err());
        assert!(flip(&mut bits, 0, 5, false).is_err());
        let space = Space::load(&Zeros(bits), 0, 200, 0).unwrap();
        assert_eq!(space.spans.iter().map(|(a, b)| (*a, *b)).collect::<Vec<_>>(), [(0, 3), (133, 67)]);
        assert_eq!(space.free_units(), 70);
    }
}
