//! The handle table of the process: a table of libgurt's, opened and closed by reference count.

use crate::{der, stubs};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_hhash, d_hlink, daos_hhash_traverse_cb_t};
use libc::{c_int, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Who has opened the table.
static USERS: Mutex<u32> = Mutex::new(0);

/// The table, where programs see it: the first member of the data symbol `daos_ht`.
fn slot() -> &'static AtomicPtr<d_hhash> {
    // SAFETY: a word that is changed through this atomic only.
    unsafe { AtomicPtr::from_ptr((&raw mut stubs::daos_ht).cast()) }
}

fn table() -> Option<*mut d_hhash> {
    let table = slot().load(Ordering::Acquire);
    (!table.is_null()).then_some(table)
}

export! { Der;
    fn daos_hhash_init_feats(feats: u32) -> c_int {
        let mut users = USERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *users == 0 {
            let mut made: *mut d_hhash = ptr::null_mut();
            // SAFETY: an out pointer.
            let answer = unsafe { sys::d_hhash_create(feats | sys::D_HASH_FT_NO_KEYINIT_LOCK, sys::D_HHASH_BITS, &mut made) };
            if answer != 0 {
                return answer;
            }
            slot().store(made, Ordering::Release);
        }
        *users += 1;
        0
    }

    fn daos_hhash_fini() -> c_int {
        let mut users = USERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *users == 0 {
            return der(Der::UNINIT);
        }
        *users -= 1;
        if *users == 0 {
            // SAFETY: the table of the first init; its last user is here.
            unsafe { sys::d_hhash_destroy(slot().swap(ptr::null_mut(), Ordering::AcqRel)) };
        }
        0
    }

    fn daos_hhash_link_lookup(key: u64) -> *mut d_hlink {
        // SAFETY: the open table.
        table().map_or(ptr::null_mut(), |table| unsafe { sys::d_hhash_link_lookup(table, key) })
    }

    fn daos_hhash_link_insert(hlink: *mut d_hlink, type_: c_int) {
        if let Some(table) = table() {
            // SAFETY: the open table and a record of the caller's.
            unsafe {
                let by_address = sys::d_hhash_is_ptrtype(table) && sys::d_hhash_key_isptr(hlink as u64);
                sys::d_hhash_link_insert(table, hlink, if by_address { sys::D_HTYPE_PTR as c_int } else { type_ });
            }
        }
    }

    fn daos_hhash_link_getref(hlink: *mut d_hlink) {
        if let Some(table) = table() {
            // SAFETY: the open table and a record of the caller's.
            unsafe { sys::d_hhash_link_getref(table, hlink) };
        }
    }

    fn daos_hhash_link_putref(hlink: *mut d_hlink) {
        if let Some(table) = table() {
            // SAFETY: the open table and a record of the caller's.
            unsafe { sys::d_hhash_link_putref(table, hlink) };
        }
    }

    fn daos_hhash_link_delete(hlink: *mut d_hlink) -> bool {
        // SAFETY: the open table and a record of the caller's.
        table().is_some_and(|table| unsafe { sys::d_hhash_link_delete(table, hlink) })
    }

    fn daos_hhash_traverse(type_: c_int, cb: daos_hhash_traverse_cb_t, arg: *mut c_void) -> c_int {
        // SAFETY: the open table and a callback of the caller's.
        table().map_or(der(Der::UNINIT), |table| unsafe { sys::d_hhash_traverse(table, type_, cb, arg) })
    }
}
