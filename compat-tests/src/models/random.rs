//! Random numbers from a seed (splitmix64).

/// A generator.
pub struct Random(u64);

impl Random {
    /// One that starts at a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.word() % limit
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// Some bytes.
    pub fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.word() as u8).collect()
    }

    /// Extents below `limit` that do not overlap, in any order: (first, number).
    pub fn extents(&mut self, limit: u64, most: u64) -> Vec<(u64, u64)> {
        let mut cuts: Vec<u64> = (0..2 * (1 + self.below(most))).map(|_| self.below(limit)).collect();
        cuts.sort_unstable();
        let mut extents: Vec<(u64, u64)> =
            cuts.chunks_exact(2).filter(|pair| pair[0] < pair[1]).map(|pair| (pair[0], pair[1] - pair[0])).collect();
        if extents.is_empty() {
            extents.push((self.below(limit), 1));
        }
        if self.once_in(3) {
            extents.reverse();
        }
        extents
    }
}
