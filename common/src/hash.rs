//! The hashes that clients and engines must agree on: a key's group and an object's place follow from them.
//!
//! | function | what | used for |
//! |---|---|---|
//! | [`murmur64`] | MurmurHash64A, little-endian words | dkey → 64 bits (seed [`DKEY_SEED`]) |
//! | [`jump`] | jump consistent hash (Lamping, Veach 2014) | 64 bits → bucket; growing from `n` to `n+1` buckets moves 1/(n+1) of the keys, all of them to the new bucket |
//! | [`mix`] | the finaliser of SplitMix64 over two words | derives keys for successive decisions |

/// Seed of the dkey hash, as upstream's.
pub const DKEY_SEED: u32 = 5731;

const MURMUR_PRIME: u64 = 0xc6a4_a793_5bd1_e995;
const MURMUR_SHIFT: u32 = 47;

/// MurmurHash64A of `key`; the same on every machine.
pub fn murmur64(key: &[u8], seed: u32) -> u64 {
    let scramble = |word: u64| {
        let word = word.wrapping_mul(MURMUR_PRIME);
        (word ^ (word >> MURMUR_SHIFT)).wrapping_mul(MURMUR_PRIME)
    };
    // Lengths are 32 bits in the C prototype.
    let length = u64::from(key.len() as u32);
    let mut hash = u64::from(seed) ^ length.wrapping_mul(MURMUR_PRIME);
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        hash = (hash ^ scramble(u64::from_le_bytes(*word))).wrapping_mul(MURMUR_PRIME);
    }
    if !rest.is_empty() {
        let mut tail = [0u8; 8];
        tail[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(tail)).wrapping_mul(MURMUR_PRIME);
    }
    hash ^= hash >> MURMUR_SHIFT;
    hash = hash.wrapping_mul(MURMUR_PRIME);
    hash ^ (hash >> MURMUR_SHIFT)
}

/// The bucket, below `buckets`, of `key`; 0 when there is at most one.
pub fn jump(mut key: u64, buckets: u32) -> u32 {
    let mut bucket = 0u32;
    let mut next = 0u64;
    while next < u64::from(buckets) {
        bucket = next as u32;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((f64::from(bucket) + 1.0) * ((1u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as u64;
    }
    bucket
}

/// A well-spread word from two.
pub fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.rotate_left(25) ^ b.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xd134_2543_de82_ef95);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: known values hold, so that stored data never moves because a hash changed by accident.
    #[test]
    fn known_values() {
        assert_eq!(murmur64(b"", 0), 0);
        assert_eq!(murmur64(b"a", 5731), 0x429f_ebda_3858_98af);
        assert_eq!(murmur64(b"abcdefg", 5731), 0x100b_099c_e303_89d7);
        assert_eq!(murmur64(b"abcdefgh", 5731), 0xfb07_7041_b671_e9e9);
        assert_eq!(murmur64(b"abcdefghijklmnopqrstuvwxyz", 5731), 0x0180_07f1_044f_f31d);
        let jumps = [0, 1, 12345, 0xdead_beef_cafe_f00d].map(|key| (jump(key, 7), jump(key, 1000)));
        assert_eq!(jumps, [(0, 0), (6, 549), (1, 938), (1, 774)]);
    }

    /// Aim: adding a bucket moves keys only into it, about 1/(n+1) of them.
    #[test]
    fn jump_moves_only_into_the_new_bucket() {
        for buckets in [1u32, 2, 7, 64] {
            let moved = (0..10_000u64)
                .map(|i| mix(i, 1))
                .filter(|&key| {
                    let (old, new) = (jump(key, buckets), jump(key, buckets + 1));
                    assert!(old == new || new == buckets);
                    old != new
                })
                .count() as f64;
            let expected = 10_000.0 / f64::from(buckets + 1);
            assert!((moved - expected).abs() < expected * 0.2 + 40.0, "{buckets}: {moved} moved, expected {expected}");
        }
        assert_eq!(jump(42, 0), 0);
        assert_eq!(jump(42, 1), 0);
    }
}
