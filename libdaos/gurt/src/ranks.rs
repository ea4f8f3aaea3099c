//! Lists of ranks: `d_rank_list_t`, whose array is on the C heap.

use crate::alloc::{c_string, free, zeroed_array};
use crate::{der, rank_ranges};
use daos_common::Der;
use daos_export::export;
use daos_sys::{d_rank_list_t, d_rank_t};
use libc::{c_char, c_int, size_t};
use std::ptr;

/// The ranks of a list, none for NULL.
///
/// # Safety
/// NULL or a list of the caller's that nobody changes meanwhile.
pub(crate) unsafe fn slice<'a>(list: *const d_rank_list_t) -> &'a [d_rank_t] {
    // SAFETY: as the caller says.
    match unsafe { list.as_ref() } {
        Some(list) if !list.rl_ranks.is_null() && list.rl_nr > 0 => {
            // SAFETY: a list's array has its number of ranks.
            unsafe { std::slice::from_raw_parts(list.rl_ranks, list.rl_nr as usize) }
        }
        _ => &[],
    }
}

/// # Safety
/// As [`slice`], and nobody reads it either.
unsafe fn slice_mut<'a>(list: *mut d_rank_list_t) -> &'a mut [d_rank_t] {
    // SAFETY: as the caller says.
    match unsafe { list.as_ref() } {
        Some(list) if !list.rl_ranks.is_null() && list.rl_nr > 0 => {
            // SAFETY: a list's array has its number of ranks.
            unsafe { std::slice::from_raw_parts_mut(list.rl_ranks, list.rl_nr as usize) }
        }
        _ => &mut [],
    }
}

/// A new list on the C heap with these ranks; NULL for no memory.
fn new_list(ranks: &[d_rank_t]) -> *mut d_rank_list_t {
    let list: *mut d_rank_list_t = zeroed_array(1);
    if list.is_null() || set(list, ranks).is_err() {
        free(list);
        return ptr::null_mut();
    }
    list
}

/// Gives a list a fresh array; the old one is freed.
fn set(list: *mut d_rank_list_t, ranks: &[d_rank_t]) -> Result<(), Der> {
    let mut array: *mut d_rank_t = ptr::null_mut();
    if !ranks.is_empty() {
        array = zeroed_array(ranks.len());
        if array.is_null() {
            return Err(Der::NOMEM);
        }
        // SAFETY: fresh memory of that many ranks.
        unsafe { ptr::copy_nonoverlapping(ranks.as_ptr(), array, ranks.len()) };
    }
    // SAFETY: the list is the caller's (or fresh); its array is this library's memory.
    unsafe {
        free((*list).rl_ranks);
        (*list).rl_ranks = array;
        (*list).rl_nr = ranks.len() as u32;
    }
    Ok(())
}

fn answer(result: Result<(), Der>) -> c_int {
    result.map_or_else(der, |()| 0)
}

/// # Safety
/// `dst` is NULL or writable, `src` NULL or a list.
unsafe fn duplicate(dst: *mut *mut d_rank_list_t, src: *const d_rank_list_t, sorted_unique: bool) -> c_int {
    if dst.is_null() {
        return der(Der::INVAL);
    }
    // SAFETY: as the caller says.
    unsafe {
        dst.write(ptr::null_mut());
        if src.is_null() {
            return 0;
        }
        let mut ranks = slice(src).to_vec();
        if sorted_unique {
            ranks.sort_unstable();
            ranks.dedup();
        }
        let list = new_list(&ranks);
        dst.write(list);
        if list.is_null() { der(Der::NOMEM) } else { 0 }
    }
}

/// Where a rank is.
///
/// # Safety
/// As [`slice`].
unsafe fn position(list: *const d_rank_list_t, rank: d_rank_t) -> Option<usize> {
    // SAFETY: as the caller says.
    unsafe { slice(list) }.iter().position(|r| *r == rank)
}

/// # Safety
/// `list` is NULL or a list, `idx` NULL or writable.
unsafe fn report(position: Option<usize>, idx: *mut c_int) -> bool {
    if let (Some(at), false) = (position, idx.is_null()) {
        // SAFETY: as the caller says.
        unsafe { idx.write(at as c_int) };
    }
    position.is_some()
}

export! { Der;
    fn d_rank_list_alloc(size: u32) -> *mut d_rank_list_t {
        new_list(&(0..size).collect::<Vec<_>>())
    }

    fn d_rank_list_free(rank_list: *mut d_rank_list_t) {
        // SAFETY: NULL or a list of the caller's, who gives it up.
        if let Some(list) = unsafe { rank_list.as_ref() } {
            free(list.rl_ranks);
            free(rank_list);
        }
    }

    fn d_rank_list_resize(ptr: *mut d_rank_list_t, size: u32) -> c_int {
        if ptr.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a list of the caller's.
        let mut ranks = unsafe { slice(ptr) }.to_vec();
        ranks.resize(size as usize, 0);
        answer(set(ptr, &ranks))
    }

    fn d_rank_list_dup(dst: *mut *mut d_rank_list_t, src: *const d_rank_list_t) -> c_int {
        // SAFETY: pointers as the header asks.
        unsafe { duplicate(dst, src, false) }
    }

    fn d_rank_list_dup_sort_uniq(dst: *mut *mut d_rank_list_t, src: *const d_rank_list_t) -> c_int {
        // SAFETY: pointers as the header asks.
        unsafe { duplicate(dst, src, true) }
    }

    fn d_rank_list_copy(dst: *mut d_rank_list_t, src: *mut d_rank_list_t) -> c_int {
        if dst.is_null() || src.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: lists of the caller's.
        let ranks = unsafe { slice(src) }.to_vec();
        answer(set(dst, &ranks))
    }

    fn d_rank_list_filter(src_set: *mut d_rank_list_t, dst_set: *mut d_rank_list_t, exclude: bool) {
        // SAFETY: lists of the caller's.
        let lists = unsafe { [src_set.as_ref(), dst_set.as_ref()] };
        if lists.iter().any(|list| list.is_none_or(|list| list.rl_ranks.is_null())) {
            return;
        }
        // SAFETY: lists of the caller's.
        let (filter, ranks) = unsafe { (slice(src_set).to_vec(), slice_mut(dst_set)) };
        let mut kept = 0;
        for at in 0..ranks.len() {
            if filter.contains(&ranks[at]) != exclude {
                ranks[kept] = ranks[at];
                kept += 1;
            }
        }
        // SAFETY: as above; the array keeps its size.
        unsafe { (*dst_set).rl_nr = kept as u32 };
    }

    fn d_rank_list_merge(src_set: *mut d_rank_list_t, merge_set: *mut d_rank_list_t) -> c_int {
        if src_set.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: lists of the caller's.
        let (known, more) = unsafe { (slice(src_set).to_vec(), slice(merge_set)) };
        let fresh: Vec<d_rank_t> = more.iter().copied().filter(|rank| !known.contains(rank)).collect();
        if fresh.is_empty() { 0 } else { answer(set(src_set, &[known, fresh].concat())) }
    }

    fn d_rank_list_shuffle(rank_list: *mut d_rank_list_t) {
        // SAFETY: a list of the caller's.
        let ranks = unsafe { slice_mut(rank_list) };
        for at in (1..ranks.len()).rev() {
            ranks.swap(at, crate::miscellany::random() as usize % (at + 1));
        }
    }

    fn d_rank_list_sort(rank_list: *mut d_rank_list_t) {
        // SAFETY: a list of the caller's.
        unsafe { slice_mut(rank_list) }.sort_unstable();
    }

    fn d_rank_list_bsearch(rank_list: *mut d_rank_list_t, rank: d_rank_t, idx: *mut c_int) -> bool {
        // SAFETY: a sorted list and a number of the caller's.
        unsafe { report(slice(rank_list).binary_search(&rank).ok(), idx) }
    }

    fn d_rank_list_find(rank_list: *mut d_rank_list_t, rank: d_rank_t, idx: *mut c_int) -> bool {
        // SAFETY: a list and a number of the caller's.
        unsafe { report(position(rank_list, rank), idx) }
    }

    fn d_rank_in_rank_list(rank_list: *mut d_rank_list_t, rank: d_rank_t) -> bool {
        // SAFETY: a list of the caller's.
        unsafe { position(rank_list, rank) }.is_some()
    }

    fn d_idx_in_rank_list(rank_list: *mut d_rank_list_t, rank: d_rank_t, idx: *mut u32) -> c_int {
        if rank_list.is_null() || idx.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a list and a number of the caller's.
        match unsafe { position(rank_list, rank) } {
            None => der(Der::NONEXIST),
            Some(at) => {
                // SAFETY: not NULL.
                unsafe { idx.write(at as u32) };
                0
            }
        }
    }

    fn d_rank_list_del_at(list: *mut d_rank_list_t, idx: c_int) {
        // SAFETY: a list of the caller's.
        let ranks = unsafe { slice_mut(list) };
        if let Some(at) = usize::try_from(idx).ok().filter(|at| *at < ranks.len()) {
            ranks.copy_within(at + 1.., at);
            // SAFETY: the list isn't empty, so it isn't NULL.
            unsafe { (*list).rl_nr -= 1 };
        }
    }

    fn d_rank_list_del(rank_list: *mut d_rank_list_t, rank: d_rank_t) -> c_int {
        if rank_list.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a list of the caller's.
        let mut ranks = unsafe { slice(rank_list) }.to_vec();
        match ranks.iter().position(|r| *r == rank) {
            None => 0,
            Some(at) => {
                ranks.remove(at);
                answer(set(rank_list, &ranks))
            }
        }
    }

    fn d_rank_list_append(rank_list: *mut d_rank_list_t, rank: d_rank_t) -> c_int {
        if rank_list.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a list of the caller's.
        let ranks = [unsafe { slice(rank_list) }, &[rank]].concat();
        answer(set(rank_list, &ranks))
    }

    fn d_rank_list_identical(rank_list1: *mut d_rank_list_t, rank_list2: *mut d_rank_list_t) -> bool {
        if rank_list1.is_null() || rank_list2.is_null() {
            return rank_list1 == rank_list2;
        }
        // SAFETY: lists of the caller's. As in the reference, the first is sorted and the second is not.
        unsafe {
            if rank_list1 == rank_list2 {
                return true;
            }
            if (*rank_list1).rl_nr != (*rank_list2).rl_nr {
                return false;
            }
            slice_mut(rank_list1).sort_unstable();
            slice(rank_list1) == slice(rank_list2)
        }
    }

    fn d_rank_list_dump(rank_list: *mut d_rank_list_t, name: *mut c_char, name_len: c_int) -> c_int {
        if rank_list.is_null() || name.is_null() || name_len < 0 {
            return der(Der::INVAL);
        }
        let limit = name_len as usize;
        // SAFETY: a string of the caller's, and a list.
        unsafe {
            let length = libc::strnlen(name, limit + 1);
            if length > limit {
                return der(Der::INVAL);
            }
            let name = String::from_utf8_lossy(crate::hash_functions::bytes(name.cast(), length)).into_owned();
            let ranks = slice(rank_list);
            crate::log::debug(&format!("{name}, {} ranks: {ranks:?}", ranks.len()));
        }
        0
    }

    fn d_rank_list_to_str(rank_list: *mut d_rank_list_t, rank_str: *mut *mut c_char) -> c_int {
        if rank_str.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: not NULL; a list of the caller's, which the reference sorts too.
        unsafe {
            rank_str.write(ptr::null_mut());
            if rank_list.is_null() {
                return 0;
            }
            let ranks = slice_mut(rank_list);
            ranks.sort_unstable();
            let text = c_string(&rank_ranges::text(&rank_ranges::ranges_of(ranks)));
            rank_str.write(text);
            if text.is_null() { der(Der::NOMEM) } else { 0 }
        }
    }

    fn uint32_array_to_rank_list(ints: *mut u32, len: size_t) -> *mut d_rank_list_t {
        if ints.is_null() || len == 0 {
            return new_list(&[]);
        }
        // SAFETY: an array of the caller's.
        new_list(unsafe { std::slice::from_raw_parts(ints, len) })
    }

    fn rank_list_to_uint32_array(rl: *mut d_rank_list_t, ints: *mut *mut u32, len: *mut size_t) -> c_int {
        if rl.is_null() || ints.is_null() || len.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a list of the caller's.
        let ranks = unsafe { slice(rl) };
        let array: *mut u32 = zeroed_array(ranks.len());
        if array.is_null() {
            return der(Der::NOMEM);
        }
        // SAFETY: fresh memory of that many numbers; out pointers that aren't NULL.
        unsafe {
            ptr::copy_nonoverlapping(ranks.as_ptr(), array, ranks.len());
            ints.write(array);
            len.write(ranks.len());
        }
        0
    }
}
