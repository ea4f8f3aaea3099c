//! Handle tables: records found by a 64-bit key that the table makes (a counter above D_HTYPE_BITS of type), or, once
//! `d_hhash_set_ptrtype` is called, by their address.

use crate::alloc::{free, zeroed_array};
use crate::hash_table::{self, Table};
use crate::{der, list};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_hash_table, d_hhash_traverse_cb_t, d_hlink, d_list_t, d_rlink};
use libc::{c_int, c_uint, c_void};
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// What `struct d_hhash` is: opaque to callers.
#[repr(C)]
struct HandleHash {
    table: d_hash_table,
    next_cookie: AtomicU64,
    by_address: AtomicBool,
}

/// The reference count of a link.
///
/// # Safety
/// `link` is a live `struct d_rlink`.
pub(crate) unsafe fn references<'a>(link: *mut d_rlink) -> &'a AtomicU32 {
    // SAFETY: an aligned u32 that is changed through atomics only.
    unsafe { AtomicU32::from_ptr((&raw mut (*link).rl_ref).cast()) }
}

/// Starts a link with one reference, in no table.
///
/// # Safety
/// `link` is writable.
pub(crate) unsafe fn init_link(link: *mut d_rlink) {
    // SAFETY: as the caller says.
    unsafe {
        list::init(&raw mut (*link).rl_link);
        (*link).set_rl_initialized(1);
        references(link).store(1, Ordering::Relaxed);
    }
}

/// Whether a link was never initialised, or has no reference left.
///
/// # Safety
/// `link` is readable.
pub(crate) unsafe fn is_unused(link: *mut d_rlink) -> bool {
    // SAFETY: as the caller says.
    unsafe { (*link).rl_initialized() == 0 || references(link).load(Ordering::Acquire) == 0 }
}

/// # Safety
/// `link` is the first member of a `struct d_rlink`.
pub(crate) unsafe extern "C" fn add_reference(_: *mut d_hash_table, link: *mut d_list_t) {
    // SAFETY: as the caller says.
    unsafe { references(link.cast()) }.fetch_add(1, Ordering::Relaxed);
}

/// # Safety
/// `link` is the first member of a `struct d_rlink`.
pub(crate) unsafe extern "C" fn drop_reference(_: *mut d_hash_table, link: *mut d_list_t) -> bool {
    // SAFETY: as the caller says.
    unsafe { references(link.cast()) }.fetch_sub(1, Ordering::AcqRel) == 1
}

fn record(link: *mut d_list_t) -> *mut d_hlink {
    // The link is the first member of the first member.
    const { assert!(offset_of!(d_hlink, hl_link) == 0 && offset_of!(d_rlink, rl_link) == 0) };
    link.cast()
}

fn link_of(record: *mut d_hlink) -> *mut d_list_t {
    record.cast()
}

fn key_hash(key: u64) -> u32 {
    (key >> sys::D_HTYPE_BITS) as u32
}

fn is_address(key: u64) -> bool {
    key & 1 == 0
}

unsafe extern "C" fn make_key(table: *mut d_hash_table, link: *mut d_list_t, kind: *mut c_void) {
    const { assert!(offset_of!(HandleHash, table) == 0) };
    // SAFETY: the table is the first member of its HandleHash; the argument is d_hhash_link_insert's.
    unsafe {
        let cookie = (*table.cast::<HandleHash>()).next_cookie.fetch_add(1, Ordering::Relaxed);
        let kind = u64::from(kind.cast::<c_int>().read() as u32 & sys::D_HTYPE_MASK);
        (*record(link)).hl_key = cookie << sys::D_HTYPE_BITS | kind;
    }
}

unsafe extern "C" fn hash_key(_: *mut d_hash_table, key: *const c_void, _: c_uint) -> u32 {
    // SAFETY: keys of this table are u64.
    key_hash(unsafe { key.cast::<u64>().read_unaligned() })
}

unsafe extern "C" fn same_key(_: *mut d_hash_table, link: *mut d_list_t, key: *const c_void, _: c_uint) -> bool {
    // SAFETY: keys of this table are u64, records are d_hlink.
    unsafe { (*record(link)).hl_key == key.cast::<u64>().read_unaligned() }
}

unsafe extern "C" fn hash_record(_: *mut d_hash_table, link: *mut d_list_t) -> u32 {
    // SAFETY: records of this table are d_hlink.
    key_hash(unsafe { (*record(link)).hl_key })
}

unsafe extern "C" fn free_record(_: *mut d_hash_table, link: *mut d_list_t) {
    // SAFETY: records of this table are d_hlink; their operations are the caller's.
    unsafe {
        if let Some(free) = (*record(link)).hl_ops.as_ref().and_then(|operations| operations.hop_free) {
            free(record(link));
        }
    }
}

static mut OPERATIONS: sys::d_hash_table_ops_t = sys::d_hash_table_ops_t {
    hop_key_cmp: Some(same_key),
    hop_key_init: Some(make_key),
    hop_key_hash: Some(hash_key),
    hop_rec_hash: Some(hash_record),
    hop_rec_addref: Some(add_reference),
    hop_rec_decref: Some(drop_reference),
    hop_rec_ndecref: None,
    hop_rec_free: Some(free_record),
};

/// # Safety
/// NULL or a live handle table.
unsafe fn parts<'a>(hhash: *mut sys::d_hhash) -> Option<(&'a HandleHash, Table)> {
    let hash = hhash.cast::<HandleHash>();
    // SAFETY: as the caller says; the table is its first member.
    unsafe { Some((hash.as_ref()?, Table::new(hash.cast())?)) }
}

fn release(table: Table, link: *mut d_list_t) {
    if table.drop_reference(link) {
        table.free_record(link);
    }
}

struct Visit {
    kind: c_int,
    callback: d_hhash_traverse_cb_t,
    argument: *mut c_void,
}

unsafe extern "C" fn visit_kind(link: *mut d_list_t, visit: *mut c_void) -> c_int {
    // SAFETY: the local of d_hhash_traverse; records of this table are d_hlink.
    unsafe {
        let visit = &*visit.cast::<Visit>();
        match visit.callback {
            Some(callback) if kind_of((*record(link)).hl_key) == visit.kind => callback(record(link), visit.argument),
            _ => 0,
        }
    }
}

fn kind_of(key: u64) -> c_int {
    if is_address(key) { sys::D_HTYPE_PTR as c_int } else { (key & sys::D_HTYPE_MASK as u64) as c_int }
}

export! { Der;
    fn d_hhash_create(feats: u32, bits: u32, hhash: *mut *mut sys::d_hhash) -> c_int {
        if hhash.is_null() {
            return der(Der::INVAL);
        }
        let made: *mut HandleHash = zeroed_array(1);
        // SAFETY: fresh zeroed memory of the right size, NULL included; zero is a valid state of its atomics.
        unsafe {
            let answer = if made.is_null() {
                der(Der::NOMEM)
            } else {
                hash_table::create(feats, bits, ptr::null_mut(), &raw mut OPERATIONS, made.cast())
            };
            if answer == 0 {
                (*made).next_cookie.store(1, Ordering::Relaxed);
            } else {
                free(made);
            }
            hhash.write(if answer == 0 { made.cast() } else { ptr::null_mut() });
            answer
        }
    }

    fn d_hhash_destroy(hhash: *mut sys::d_hhash) {
        if !hhash.is_null() {
            // SAFETY: a handle table that nobody else uses.
            unsafe { hash_table::destroy(hhash.cast(), true) };
            free(hhash);
        }
    }

    fn d_hhash_set_ptrtype(hhash: *mut sys::d_hhash) -> c_int {
        // SAFETY: a handle table of the caller's.
        let Some((hash, table)) = (unsafe { parts(hhash) }) else { return der(Der::INVAL) };
        if !hash.by_address.load(Ordering::Acquire) && !table.is_empty() {
            return der(Der::ALREADY);
        }
        hash.by_address.store(true, Ordering::Release);
        0
    }

    fn d_hhash_is_ptrtype(hhash: *mut sys::d_hhash) -> bool {
        // SAFETY: a handle table of the caller's.
        unsafe { parts(hhash) }.is_some_and(|(hash, _)| hash.by_address.load(Ordering::Acquire))
    }

    fn d_hhash_hlink_init(hlink: *mut d_hlink, hl_ops: *mut sys::d_hlink_ops) {
        if !hlink.is_null() {
            // SAFETY: a record of the caller's.
            unsafe {
                (*hlink).hl_ops = hl_ops;
                init_link(&raw mut (*hlink).hl_link);
            }
        }
    }

    fn d_hhash_link_insert(hhash: *mut sys::d_hhash, hlink: *mut d_hlink, type_: c_int) {
        // SAFETY: a handle table and a record of the caller's.
        let Some((hash, table)) = (unsafe { parts(hhash) }) else { return };
        if hlink.is_null() {
            return;
        }
        if hash.by_address.load(Ordering::Acquire) {
            // SAFETY: as above.
            unsafe { (*hlink).hl_key = hlink as u64 };
            table.add_reference(link_of(hlink));
        } else {
            let mut kind = type_;
            table.insert_anonymous(link_of(hlink), (&raw mut kind).cast());
        }
    }

    fn d_hhash_link_lookup(hhash: *mut sys::d_hhash, key: u64) -> *mut d_hlink {
        // SAFETY: a handle table of the caller's.
        let Some((hash, table)) = (unsafe { parts(hhash) }) else { return ptr::null_mut() };
        if !is_address(key) {
            return record(table.lookup((&raw const key).cast(), size_of::<u64>() as c_uint));
        }
        let hlink = key as *mut d_hlink;
        // SAFETY: a table of addresses is asked for addresses of live records only: that is its contract.
        if hlink.is_null() || !hash.by_address.load(Ordering::Acquire) || unsafe { (*hlink).hl_key } != key {
            return ptr::null_mut();
        }
        table.add_reference(link_of(hlink));
        hlink
    }

    fn d_hhash_link_getref(hhash: *mut sys::d_hhash, hlink: *mut d_hlink) {
        // SAFETY: a handle table of the caller's.
        if let Some((_, table)) = unsafe { parts(hhash) }.filter(|_| !hlink.is_null()) {
            table.add_reference(link_of(hlink));
        }
    }

    fn d_hhash_link_putref(hhash: *mut sys::d_hhash, hlink: *mut d_hlink) {
        // SAFETY: a handle table of the caller's.
        if let Some((_, table)) = unsafe { parts(hhash) }.filter(|_| !hlink.is_null()) {
            release(table, link_of(hlink));
        }
    }

    fn d_hhash_link_delete(hhash: *mut sys::d_hhash, hlink: *mut d_hlink) -> bool {
        // SAFETY: a handle table of the caller's.
        let Some((hash, table)) = (unsafe { parts(hhash) }).filter(|_| !hlink.is_null()) else { return false };
        // SAFETY: a record of the caller's.
        if !is_address(unsafe { (*hlink).hl_key }) {
            return table.delete_at(link_of(hlink));
        }
        let by_address = hash.by_address.load(Ordering::Acquire);
        if by_address {
            release(table, link_of(hlink));
        }
        by_address
    }

    fn d_hhash_link_empty(hlink: *mut d_hlink) -> bool {
        // SAFETY: a record of the caller's.
        hlink.is_null() || unsafe { is_unused(&raw mut (*hlink).hl_link) }
    }

    fn d_hhash_link_key(hlink: *mut d_hlink, key: *mut u64) {
        if !hlink.is_null() && !key.is_null() {
            // SAFETY: a record and a number of the caller's.
            unsafe { key.write((*hlink).hl_key) };
        }
    }

    fn d_hhash_key_isptr(key: u64) -> bool {
        is_address(key)
    }

    fn d_hhash_key_type(key: u64) -> c_int {
        kind_of(key)
    }

    fn d_hhash_traverse(hhash: *mut sys::d_hhash, type_: c_int, cb: d_hhash_traverse_cb_t, arg: *mut c_void) -> c_int {
        // SAFETY: a handle table of the caller's.
        let Some((_, table)) = (unsafe { parts(hhash) }) else { return der(Der::UNINIT) };
        if cb.is_none() {
            return der(Der::INVAL);
        }
        let mut visit = Visit { kind: type_, callback: cb, argument: arg };
        table.traverse(Some(visit_kind), (&raw mut visit).cast())
    }
}
