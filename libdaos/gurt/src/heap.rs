//! Binary heaps over nodes that callers embed in their records: `gurt/heap.h`.
//!
//! The order is an array of node pointers in pages of 512, reached directly, through one page of pages, or through two,
//! so growing never moves what is there: at most 512 + 512² + 512³ nodes. A node knows its index, so taking one out of
//! the middle costs O(log n) like the rest. Callbacks run under the heap's lock.

use crate::alloc::{free, zeroed_array};
use crate::der;
use daos_common::Der;
use daos_export::export;
use daos_sys::{
    DBH_FT_NOLOCK, DBH_FT_RWLOCK, DBH_MASK, DBH_POISON, DBH_SHIFT, DBH_SIZE, d_binheap, d_binheap_node, d_binheap_ops,
};
use libc::{c_int, c_void};
use std::ptr;

type Page = *mut *mut d_binheap_node;

const PAGE: u32 = DBH_SIZE;
/// Nodes reached through one page of pages.
const SECOND: u32 = PAGE * PAGE;
/// Nodes reached through two.
const THIRD: u32 = PAGE * PAGE * PAGE;

/// The heap's lock, held until dropped.
struct Held {
    heap: *mut d_binheap,
    feats: u32,
}

impl Held {
    /// # Safety
    /// A heap that was created.
    unsafe fn new(heap: *mut d_binheap, shared: bool) -> Held {
        // SAFETY: as the caller says; the lock that the features name was initialised by create.
        unsafe {
            let feats = (*heap).d_bh_feats;
            if feats & DBH_FT_NOLOCK == 0 {
                let lock = &raw mut (*heap).__bindgen_anon_1;
                match (feats & DBH_FT_RWLOCK != 0, shared) {
                    (true, true) => libc::pthread_rwlock_rdlock(lock.cast()),
                    (true, false) => libc::pthread_rwlock_wrlock(lock.cast()),
                    (false, _) => libc::pthread_mutex_lock(lock.cast()),
                };
            }
            Held { heap, feats }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.feats & DBH_FT_NOLOCK != 0 {
            return;
        }
        // SAFETY: taken in `new`; the heap outlives its calls.
        unsafe {
            let lock = &raw mut (*self.heap).__bindgen_anon_1;
            if self.feats & DBH_FT_RWLOCK != 0 {
                libc::pthread_rwlock_unlock(lock.cast());
            } else {
                libc::pthread_mutex_unlock(lock.cast());
            }
        }
    }
}

/// Where the pointer to node `index` stands; the page is there (`index` below the high water mark).
///
/// # Safety
/// A heap that was created, held by the caller.
unsafe fn slot(heap: *mut d_binheap, index: u32) -> Page {
    let at = |page: u32| (page & DBH_MASK) as usize;
    // SAFETY: pages below the high water mark exist, each with 512 entries.
    unsafe {
        if index < PAGE {
            return (*heap).d_bh_nodes1.add(index as usize);
        }
        let index = index - PAGE;
        if index < SECOND {
            return (*(*heap).d_bh_nodes2.add(at(index >> DBH_SHIFT))).add(at(index));
        }
        let index = index - SECOND;
        let pages = *(*heap).d_bh_nodes3.add(at(index >> (2 * DBH_SHIFT)));
        (*pages.add(at(index >> DBH_SHIFT))).add(at(index))
    }
}

/// Adds one page of room.
///
/// # Safety
/// As of [`slot`].
unsafe fn grow(heap: *mut d_binheap) -> Result<(), Der> {
    fn page<T>(place: &mut *mut T) -> Result<*mut T, Der> {
        if place.is_null() {
            *place = zeroed_array(PAGE as usize);
        }
        if place.is_null() { Err(Der::NOMEM) } else { Ok(*place) }
    }
    let at = |page: u32| (page & DBH_MASK) as usize;
    // SAFETY: fields of a heap that the caller holds; a page of pages has 512 entries, NULL until they are made, and
    // one that was made before a failure is found again by the next call.
    unsafe {
        let heap = &mut *heap;
        let mark = heap.d_bh_hwm;
        if mark < PAGE {
            page(&mut heap.d_bh_nodes1)?;
        } else if mark - PAGE < SECOND {
            let pages = page(&mut heap.d_bh_nodes2)?;
            page(&mut *pages.add(at((mark - PAGE) >> DBH_SHIFT)))?;
        } else if mark - PAGE - SECOND < THIRD {
            let index = mark - PAGE - SECOND;
            let folders = page(&mut heap.d_bh_nodes3)?;
            let pages = page(&mut *folders.add(at(index >> (2 * DBH_SHIFT))))?;
            page(&mut *pages.add(at(index >> DBH_SHIFT)))?;
        } else {
            return Err(Der::NOMEM);
        }
        heap.d_bh_hwm += PAGE;
    }
    Ok(())
}

/// Whether `a` stands above `b` by the caller's order.
///
/// # Safety
/// A heap that was created and nodes of the caller's.
unsafe fn above(heap: *mut d_binheap, a: *mut d_binheap_node, b: *mut d_binheap_node) -> bool {
    // SAFETY: as the caller says; create refused operations without a comparison.
    unsafe { (*(*heap).d_bh_ops).hop_compare.is_some_and(|compare| compare(a, b)) }
}

/// Puts a node at an index.
///
/// # Safety
/// As of [`slot`].
unsafe fn place(heap: *mut d_binheap, node: *mut d_binheap_node, index: u32) {
    // SAFETY: as the caller says.
    unsafe {
        (*node).chn_idx = index;
        slot(heap, index).write(node);
    }
}

/// Moves the node at `index` towards the root; returns where it ends.
///
/// # Safety
/// As of [`slot`].
unsafe fn rise(heap: *mut d_binheap, node: *mut d_binheap_node, mut index: u32) -> u32 {
    // SAFETY: indices up to the node's own.
    unsafe {
        while index > 0 {
            let parent = (index - 1) / 2;
            let other = *slot(heap, parent);
            if above(heap, other, node) {
                break;
            }
            place(heap, other, index);
            index = parent;
        }
        place(heap, node, index);
    }
    index
}

/// Moves the node at `index` towards the leaves.
///
/// # Safety
/// As of [`slot`].
unsafe fn sink(heap: *mut d_binheap, node: *mut d_binheap_node, mut index: u32) {
    // SAFETY: indices below the count.
    unsafe {
        let count = (*heap).d_bh_nodes_cnt;
        while 2 * index + 1 < count {
            let mut child = 2 * index + 1;
            let mut lower = *slot(heap, child);
            if child + 1 < count {
                let right = *slot(heap, child + 1);
                if above(heap, right, lower) {
                    (child, lower) = (child + 1, right);
                }
            }
            if above(heap, node, lower) {
                break;
            }
            place(heap, lower, index);
            index = child;
        }
        place(heap, node, index);
    }
}

/// Takes a node out; one that isn't in this heap is left alone.
///
/// # Safety
/// As of [`slot`], and a node of the caller's.
unsafe fn take_out(heap: *mut d_binheap, node: *mut d_binheap_node) {
    // SAFETY: as the caller says; indices are checked against the count.
    unsafe {
        let index = (*node).chn_idx;
        if index >= (*heap).d_bh_nodes_cnt || *slot(heap, index) != node {
            return;
        }
        let last_index = (*heap).d_bh_nodes_cnt - 1;
        let last = *slot(heap, last_index);
        (*heap).d_bh_nodes_cnt = last_index;
        if last != node && rise(heap, last, index) == index {
            sink(heap, last, index);
        }
        (*node).chn_idx = DBH_POISON;
        if let Some(exit) = (*(*heap).d_bh_ops).hop_exit {
            exit(heap, node);
        }
    }
}

/// Frees pages of pages, `depth` levels above the pages of nodes.
///
/// # Safety
/// NULL, or a page of [`grow`].
unsafe fn free_pages(page: *mut *mut c_void, depth: u32) {
    if depth > 0 && !page.is_null() {
        for at in 0..PAGE as usize {
            // SAFETY: a page of 512 entries, each NULL or a page.
            unsafe { free_pages((*page.add(at)).cast(), depth - 1) };
        }
    }
    free(page);
}

export! { Der;
    fn d_binheap_create_inplace(
        feats: u32, count: u32, priv_: *mut c_void, ops: *mut d_binheap_ops, h: *mut d_binheap,
    ) -> c_int {
        // SAFETY: NULL or the caller's operations.
        let compares = unsafe { ops.as_ref() }.is_some_and(|ops| ops.hop_compare.is_some());
        if !compares || h.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: not NULL, the caller's, who gives it up to the heap.
        unsafe {
            h.write(std::mem::zeroed());
            (*h).d_bh_feats = feats;
            (*h).d_bh_ops = ops;
            (*h).d_bh_priv = priv_;
            let lock = &raw mut (*h).__bindgen_anon_1;
            match (feats & DBH_FT_NOLOCK != 0, feats & DBH_FT_RWLOCK != 0) {
                (true, _) => {}
                (false, true) => { libc::pthread_rwlock_init(lock.cast(), ptr::null()); }
                (false, false) => { libc::pthread_mutex_init(lock.cast(), ptr::null()); }
            }
            for _ in 0..count.div_ceil(PAGE) {
                if let Err(code) = grow(h) {
                    d_binheap_destroy_inplace(h);
                    return der(code);
                }
            }
        }
        0
    }

    fn d_binheap_create(
        feats: u32, count: u32, priv_: *mut c_void, ops: *mut d_binheap_ops, h: *mut *mut d_binheap,
    ) -> c_int {
        if h.is_null() {
            return der(Der::INVAL);
        }
        let heap: *mut d_binheap = zeroed_array(1);
        if heap.is_null() {
            return der(Der::NOMEM);
        }
        // SAFETY: fresh memory.
        let rc = unsafe { d_binheap_create_inplace(feats, count, priv_, ops, heap) };
        if rc != 0 {
            free(heap);
            return rc;
        }
        // SAFETY: not NULL, the caller's.
        unsafe { h.write(heap) };
        0
    }

    fn d_binheap_destroy_inplace(h: *mut d_binheap) {
        if h.is_null() {
            return;
        }
        // SAFETY: a heap that was created and that the caller gives up.
        unsafe {
            free_pages((*h).d_bh_nodes1.cast(), 0);
            free_pages((*h).d_bh_nodes2.cast(), 1);
            free_pages((*h).d_bh_nodes3.cast(), 2);
            let (feats, lock) = ((*h).d_bh_feats, &raw mut (*h).__bindgen_anon_1);
            match (feats & DBH_FT_NOLOCK != 0, feats & DBH_FT_RWLOCK != 0) {
                (true, _) => {}
                (false, true) => { libc::pthread_rwlock_destroy(lock.cast()); }
                (false, false) => { libc::pthread_mutex_destroy(lock.cast()); }
            }
            h.write(std::mem::zeroed());
        }
    }

    fn d_binheap_destroy(h: *mut d_binheap) {
        if h.is_null() {
            return;
        }
        // SAFETY: a heap of d_binheap_create() that the caller gives up.
        unsafe { d_binheap_destroy_inplace(h) };
        free(h);
    }

    fn d_binheap_find(h: *mut d_binheap, idx: u32) -> *mut d_binheap_node {
        if h.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a heap that was created; the index is checked.
        unsafe {
            let _held = Held::new(h, true);
            if idx < (*h).d_bh_nodes_cnt { *slot(h, idx) } else { ptr::null_mut() }
        }
    }

    fn d_binheap_insert(h: *mut d_binheap, e: *mut d_binheap_node) -> c_int {
        if h.is_null() || e.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a heap that was created and a node of the caller's.
        unsafe {
            let _held = Held::new(h, false);
            let index = (*h).d_bh_nodes_cnt;
            if index == (*h).d_bh_hwm
                && let Err(code) = grow(h)
            {
                return der(code);
            }
            if let Some(enter) = (*(*h).d_bh_ops).hop_enter {
                let rc = enter(h, e);
                if rc != 0 {
                    return rc;
                }
            }
            (*h).d_bh_nodes_cnt = index + 1;
            rise(h, e, index);
        }
        0
    }

    fn d_binheap_remove(h: *mut d_binheap, e: *mut d_binheap_node) {
        if h.is_null() || e.is_null() {
            return;
        }
        // SAFETY: a heap that was created and a node of the caller's.
        unsafe {
            let _held = Held::new(h, false);
            take_out(h, e);
        }
    }

    fn d_binheap_remove_root(h: *mut d_binheap) -> *mut d_binheap_node {
        if h.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a heap that was created.
        unsafe {
            let _held = Held::new(h, false);
            if (*h).d_bh_nodes_cnt == 0 {
                return ptr::null_mut();
            }
            let root = *slot(h, 0);
            take_out(h, root);
            root
        }
    }
}
