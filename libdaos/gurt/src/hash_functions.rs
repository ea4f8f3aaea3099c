//! Hashes of numbers and strings. Placement depends on some of them, so they are the reference's to the bit.

use daos_export::export;
use libc::{c_char, c_uchar, c_uint};

/// The bytes at a pointer.
///
/// # Safety
/// NULL, or `length` readable bytes that outlive the use.
pub(crate) unsafe fn bytes<'a>(at: *const u8, length: usize) -> &'a [u8] {
    if at.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(at, length) }
}

/// Bernstein's hash, times 33 and plus.
pub(crate) fn string_hash(text: &[u8]) -> u32 {
    text.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)))
}

/// Wang's 64-bit mix.
fn mix64(key: u64) -> u64 {
    let key = (!key).wrapping_add(key << 21);
    let key = key ^ (key >> 24);
    let key = key.wrapping_mul(265);
    let key = key ^ (key >> 14);
    let key = key.wrapping_mul(21);
    let key = key ^ (key >> 28);
    key.wrapping_add(key << 31)
}

/// Jenkins's mix of three words: rounds of subtractions and shifts, the word that is changed going round.
fn mix96(a: u32, b: u32, c: u32) -> u32 {
    let mut words = [a, b, c];
    for (round, shift) in [13i32, -8, 13, 12, -16, 5, 3, -10, 15].into_iter().enumerate() {
        let (this, next, last) = (round % 3, (round + 1) % 3, (round + 2) % 3);
        let shifted = |word: u32| if shift > 0 { word >> shift } else { word << -shift };
        words[this] = words[this].wrapping_sub(words[next]).wrapping_sub(words[last]) ^ shifted(words[last]);
    }
    words[2]
}

export! { Der;
    fn d_hash_mix64(key: u64) -> u64 {
        mix64(key)
    }

    fn d_hash_mix96(a: u32, b: u32, c: u32) -> u32 {
        mix96(a, b, c)
    }

    fn d_hash_srch_u64(hashes: *mut u64, nhashes: c_uint, value: u64) -> c_uint {
        if hashes.is_null() || nhashes == 0 {
            return 0;
        }
        // SAFETY: an ascending array of the caller's.
        let hashes = unsafe { std::slice::from_raw_parts(hashes, nhashes as usize) };
        // The last one that is not above the value; the first when all are.
        hashes.partition_point(|hash| *hash <= value).saturating_sub(1) as c_uint
    }

    fn d_hash_string_u32(string: *const c_char, len: c_uint) -> u32 {
        // SAFETY: len bytes of the caller's.
        string_hash(unsafe { bytes(string.cast(), len as usize) })
    }

    fn d_hash_murmur64(key: *const c_uchar, key_len: c_uint, seed: c_uint) -> u64 {
        // SAFETY: key_len bytes of the caller's.
        daos_common::hash::murmur64(unsafe { bytes(key, key_len as usize) }, seed)
    }

    fn d_hash_jump(key: u64, num_buckets: u32) -> u32 {
        if num_buckets == 0 { u32::MAX } else { daos_common::hash::jump(key, num_buckets) }
    }
}
