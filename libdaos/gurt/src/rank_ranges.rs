//! Ranges of ranks, and their text form `[0-3,7]`.

use crate::alloc::{c_string, free, zeroed_array};
use crate::{der, ranks};
use daos_common::Der;
use daos_export::export;
use daos_sys::{d_rank_list_t, d_rank_range_list_t, d_rank_range_t};
use libc::{c_char, c_int};
use std::ptr;

/// The ranges of sorted ranks.
pub(crate) fn ranges_of(sorted: &[u32]) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &rank in sorted {
        match ranges.last_mut() {
            Some((_, high)) if high.checked_add(1) == Some(rank) => *high = rank,
            _ => ranges.push((rank, rank)),
        }
    }
    ranges
}

/// `[0-3,7]`
pub(crate) fn text(ranges: &[(u32, u32)]) -> String {
    let one = |&(low, high): &(u32, u32)| if low == high { low.to_string() } else { format!("{low}-{high}") };
    format!("[{}]", ranges.iter().map(one).collect::<Vec<_>>().join(","))
}

/// A new list with room for `size` ranges, zeroed.
fn new_list(size: u32) -> *mut d_rank_range_list_t {
    let list: *mut d_rank_range_list_t = zeroed_array(1);
    if list.is_null() || size == 0 {
        return list;
    }
    let ranges: *mut d_rank_range_t = zeroed_array(size as usize);
    if ranges.is_null() {
        free(list);
        return ptr::null_mut();
    }
    // SAFETY: fresh memory.
    unsafe { list.write(d_rank_range_list_t { rrl_ranges: ranges, rrl_nr: size }) };
    list
}

/// # Safety
/// NULL or a list that the caller gives up.
unsafe fn discard(list: *mut d_rank_range_list_t) {
    // SAFETY: as the caller says.
    if let Some(ranges) = unsafe { list.as_ref() }.map(|list| list.rrl_ranges) {
        free(ranges);
        free(list);
    }
}

export! { Der;
    fn d_rank_range_list_alloc(size: u32) -> *mut d_rank_range_list_t {
        new_list(size)
    }

    fn d_rank_range_list_realloc(range_list: *mut d_rank_range_list_t, size: u32) -> *mut d_rank_range_list_t {
        // SAFETY: NULL or a list of the caller's.
        let Some(list) = (unsafe { range_list.as_mut() }) else { return new_list(size) };
        if size == 0 {
            // SAFETY: the caller gives it up.
            unsafe { discard(range_list) };
            return ptr::null_mut();
        }
        let ranges: *mut d_rank_range_t = zeroed_array(size as usize);
        if ranges.is_null() {
            return ptr::null_mut();
        }
        if !list.rrl_ranges.is_null() {
            // SAFETY: both arrays have at least that many ranges.
            unsafe { ptr::copy_nonoverlapping(list.rrl_ranges, ranges, list.rrl_nr.min(size) as usize) };
        }
        free(list.rrl_ranges);
        list.rrl_ranges = ranges;
        list.rrl_nr = size;
        range_list
    }

    fn d_rank_range_list_create_from_ranks(rank_list: *mut d_rank_list_t) -> *mut d_rank_range_list_t {
        // SAFETY: a list of the caller's, which the reference sorts too.
        let ranges = unsafe {
            ranks::d_rank_list_sort(rank_list);
            ranges_of(ranks::slice(rank_list))
        };
        let list = new_list(ranges.len() as u32);
        if !list.is_null() {
            for (at, (lo, hi)) in ranges.into_iter().enumerate() {
                // SAFETY: fresh memory of that many ranges.
                unsafe { (*list).rrl_ranges.add(at).write(d_rank_range_t { lo, hi }) };
            }
        }
        list
    }

    fn d_rank_range_list_str(list: *mut d_rank_range_list_t, ranks_str: *mut *mut c_char) -> c_int {
        // SAFETY: a list of the caller's.
        let Some(list) = unsafe { list.as_ref() }.filter(|_| !ranks_str.is_null()) else { return der(Der::INVAL) };
        let mut ranges = Vec::new();
        if !list.rrl_ranges.is_null() {
            // SAFETY: an array of that many ranges.
            ranges.extend(
                unsafe { std::slice::from_raw_parts(list.rrl_ranges, list.rrl_nr as usize) }.iter().map(|r| (r.lo, r.hi)),
            );
        }
        let string = c_string(&text(&ranges));
        // SAFETY: not NULL.
        unsafe { ranks_str.write(string) };
        if string.is_null() { der(Der::NOMEM) } else { 0 }
    }

    fn d_rank_range_list_free(range_list: *mut d_rank_range_list_t) {
        // SAFETY: NULL or a list that the caller gives up.
        unsafe { discard(range_list) };
    }
}
