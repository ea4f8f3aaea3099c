//! Sorting and searching arrays that only the caller's operations can read, and bitmaps.

use crate::der;
use daos_common::Der;
use daos_export::export;
use daos_sys::daos_sort_ops_t;
use libc::{c_int, c_uint, c_void};
use std::cmp::Ordering;

/// An array behind operations.
struct Array<'a> {
    array: *mut c_void,
    length: c_int,
    operations: &'a daos_sort_ops_t,
}

impl Array<'_> {
    /// # Safety
    /// An array with that many elements, and operations on it.
    unsafe fn new<'a>(array: *mut c_void, length: c_uint, operations: *mut daos_sort_ops_t) -> Option<Array<'a>> {
        // SAFETY: as the caller says.
        Some(Array { array, length: c_int::try_from(length).ok()?, operations: unsafe { operations.as_ref() }? })
    }

    fn compare(&self, a: c_int, b: c_int) -> Ordering {
        // SAFETY: the caller's operation with indices of the array.
        self.operations.so_cmp.map_or(Ordering::Equal, |compare| unsafe { compare(self.array, a, b) }.cmp(&0))
    }

    fn compare_key(&self, at: c_int, key: u64) -> Ordering {
        // SAFETY: the caller's operation with an index of the array.
        self.operations.so_cmp_key.map_or(Ordering::Equal, |compare| unsafe { compare(self.array, at, key) }.cmp(&0))
    }

    fn swap(&self, a: c_int, b: c_int) {
        if let (Some(swap), true) = (self.operations.so_swap, a != b) {
            // SAFETY: the caller's operation with indices of the array.
            unsafe { swap(self.array, a, b) };
        }
    }

    /// Moves the element at the root of a heap of `length` elements down to its place.
    fn sift(&self, mut root: c_int, length: c_int) {
        loop {
            let mut largest = root;
            for child in [root.saturating_mul(2).saturating_add(1), root.saturating_mul(2).saturating_add(2)] {
                if child < length && self.compare(child, largest) == Ordering::Greater {
                    largest = child;
                }
            }
            if largest == root {
                return;
            }
            self.swap(root, largest);
            root = largest;
        }
    }

    /// Heap sort: needs comparing and swapping only.
    fn sort(&self) {
        (0..self.length / 2).rev().for_each(|root| self.sift(root, self.length));
        for end in (1..self.length).rev() {
            self.swap(0, end);
            self.sift(0, end);
        }
    }

    /// The first element that is not below the key.
    fn lower_bound(&self, key: u64) -> c_int {
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.compare_key(middle, key) == Ordering::Less {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn holds(&self, at: c_int, key: u64) -> bool {
        at < self.length && self.compare_key(at, key) == Ordering::Equal
    }
}

/// Words of a bitmap.
///
/// # Safety
/// NULL or that many words.
unsafe fn words<'a>(map: *const u64, size: c_int) -> &'a [u64] {
    match usize::try_from(size) {
        // SAFETY: as the caller says.
        Ok(count) if !map.is_null() && count > 0 => unsafe { std::slice::from_raw_parts(map, count) },
        _ => &[],
    }
}

export! { Der;
    fn daos_array_sort(array: *mut c_void, len: c_uint, unique: bool, ops: *mut daos_sort_ops_t) -> c_int {
        // SAFETY: an array and operations of the caller's.
        let Some(array) = (unsafe { Array::new(array, len, ops) }) else { return der(Der::INVAL) };
        array.sort();
        let twice = (1..array.length).any(|at| array.compare(at - 1, at) == Ordering::Equal);
        if unique && twice { der(Der::INVAL) } else { 0 }
    }

    fn daos_array_find(array: *mut c_void, len: c_uint, key: u64, ops: *mut daos_sort_ops_t) -> c_int {
        // SAFETY: a sorted array and operations of the caller's.
        let Some(array) = (unsafe { Array::new(array, len, ops) }) else { return -1 };
        let at = array.lower_bound(key);
        if array.holds(at, key) { at } else { -1 }
    }

    fn daos_array_find_le(array: *mut c_void, len: c_uint, key: u64, ops: *mut daos_sort_ops_t) -> c_int {
        // SAFETY: a sorted array and operations of the caller's.
        let Some(array) = (unsafe { Array::new(array, len, ops) }) else { return -1 };
        let at = array.lower_bound(key);
        if array.holds(at, key) { at } else { at - 1 }
    }

    fn daos_array_find_ge(array: *mut c_void, len: c_uint, key: u64, ops: *mut daos_sort_ops_t) -> c_int {
        // SAFETY: a sorted array and operations of the caller's.
        let Some(array) = (unsafe { Array::new(array, len, ops) }) else { return -1 };
        let at = array.lower_bound(key);
        if at < array.length { at } else { -1 }
    }

    fn daos_array_shuffle(arr: *mut c_void, len: c_uint, ops: *mut daos_sort_ops_t) {
        // SAFETY: an array and operations of the caller's.
        if let Some(array) = unsafe { Array::new(arr, len, ops) } {
            for left in (2..=array.length).rev() {
                // SAFETY: no argument.
                let other = unsafe { daos_sys::d_rand() } as c_int % left;
                array.swap(other, left - 1);
            }
        }
    }

    fn daos_count_free_bits(used: *mut u64, bmap_sz: c_int) -> c_int {
        // SAFETY: a bitmap of the caller's.
        unsafe { words(used, bmap_sz) }.iter().map(|word| word.count_zeros() as c_int).sum()
    }

    fn daos_find_bits(used: *mut u64, reserved: *mut u64, bmap_sz: c_int, bits_min: c_int, bits: *mut c_int) -> c_int {
        // SAFETY: bitmaps of the caller's, the second one may be NULL.
        let (used, reserved) = unsafe { (words(used, bmap_sz), words(reserved, bmap_sz)) };
        if bits.is_null() || bits_min < 1 {
            return -1;
        }
        // SAFETY: not NULL.
        let wanted = unsafe { bits.read() }.max(bits_min);
        let is_free = |at: usize| {
            let word = used[at / 64] | reserved.get(at / 64).copied().unwrap_or(0);
            word >> (at % 64) & 1 == 0
        };
        // The first run that is long enough, else the longest one that has at least the minimum.
        let (mut best, mut best_length, mut start, mut length) = (-1, 0, 0, 0);
        for at in 0..used.len() * 64 {
            if !is_free(at) {
                length = 0;
                continue;
            }
            if length == 0 {
                start = at as c_int;
            }
            length += 1;
            if length > best_length {
                (best, best_length) = (start, length);
            }
            if length == wanted {
                break;
            }
        }
        if best_length < bits_min {
            return -1;
        }
        // SAFETY: not NULL.
        unsafe { bits.write(best_length) };
        best
    }
}
