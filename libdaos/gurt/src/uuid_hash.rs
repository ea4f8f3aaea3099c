//! Tables of records found by UUID, and by what the record's own comparison adds.

use crate::alloc::zeroed_array;
use crate::handle_hash::{add_reference, drop_reference, init_link, is_unused, references};
use crate::hash_table::{self, Table};
use crate::{alloc, der};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_hash_table, d_list_t, d_ulink, d_uuid};
use libc::{c_int, c_uint, c_void};
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::Ordering;

/// What the table's keys are.
struct Key {
    uuid: *mut d_uuid,
    argument: *mut c_void,
}

const KEY_SIZE: c_uint = size_of::<Key>() as c_uint;

fn record(link: *mut d_list_t) -> *mut d_ulink {
    const { assert!(offset_of!(d_ulink, ul_link) == 0) };
    link.cast()
}

/// # Safety
/// `uuid` is readable.
unsafe fn first_word(uuid: *const d_uuid) -> u32 {
    // SAFETY: as the caller says; 16 bytes of any alignment.
    unsafe { uuid.cast::<u32>().read_unaligned() }
}

unsafe extern "C" fn hash_key(_: *mut d_hash_table, key: *const c_void, _: c_uint) -> u32 {
    // SAFETY: keys of this table are Key.
    unsafe { first_word((*key.cast::<Key>()).uuid) }
}

unsafe extern "C" fn hash_record(_: *mut d_hash_table, link: *mut d_list_t) -> u32 {
    // SAFETY: records of this table are d_ulink.
    unsafe { first_word(&raw const (*record(link)).ul_uuid) }
}

unsafe extern "C" fn same_key(_: *mut d_hash_table, link: *mut d_list_t, key: *const c_void, _: c_uint) -> bool {
    // SAFETY: keys of this table are Key, records are d_ulink; the comparison is the caller's.
    unsafe {
        let key = &*key.cast::<Key>();
        let this = record(link);
        if (*this).ul_uuid.uuid != (*key.uuid).uuid {
            return false;
        }
        match (*this).ul_ops.as_ref().and_then(|operations| operations.uop_cmp) {
            Some(compare) => compare(this, key.argument),
            None => true,
        }
    }
}

unsafe extern "C" fn free_record(_: *mut d_hash_table, link: *mut d_list_t) {
    // SAFETY: records of this table are d_ulink; their operations are the caller's.
    unsafe {
        if let Some(free) = (*record(link)).ul_ops.as_ref().and_then(|operations| operations.uop_free) {
            free(record(link));
        }
    }
}

static mut OPERATIONS: sys::d_hash_table_ops_t = sys::d_hash_table_ops_t {
    hop_key_cmp: Some(same_key),
    hop_key_init: None,
    hop_key_hash: Some(hash_key),
    hop_rec_hash: Some(hash_record),
    hop_rec_addref: Some(add_reference),
    hop_rec_decref: Some(drop_reference),
    hop_rec_ndecref: None,
    hop_rec_free: Some(free_record),
};

export! { Der;
    fn d_uhash_create(feats: u32, bits: u32, htable: *mut *mut d_hash_table) -> c_int {
        if htable.is_null() {
            return der(Der::INVAL);
        }
        let table: *mut d_hash_table = zeroed_array(1);
        // SAFETY: fresh memory, NULL included.
        unsafe {
            let answer = if table.is_null() {
                der(Der::NOMEM)
            } else {
                hash_table::create(feats, bits, ptr::null_mut(), &raw mut OPERATIONS, table)
            };
            if answer != 0 {
                alloc::free(table);
            }
            htable.write(if answer == 0 { table } else { ptr::null_mut() });
            answer
        }
    }

    fn d_uhash_destroy(htable: *mut d_hash_table) {
        // SAFETY: a table that nobody else uses.
        if unsafe { hash_table::destroy(htable, true) } == 0 {
            alloc::free(htable);
        }
    }

    fn d_uhash_ulink_init(ulink: *mut d_ulink, ul_ops: *mut sys::d_ulink_ops) {
        if !ulink.is_null() {
            // SAFETY: a record of the caller's.
            unsafe {
                (*ulink).ul_ops = ul_ops;
                init_link(&raw mut (*ulink).ul_link);
            }
        }
    }

    fn d_uhash_link_empty(ulink: *mut d_ulink) -> bool {
        // SAFETY: a record of the caller's.
        ulink.is_null() || unsafe { is_unused(&raw mut (*ulink).ul_link) }
    }

    fn d_uhash_link_last_ref(ulink: *mut d_ulink) -> bool {
        // SAFETY: a record of the caller's.
        !ulink.is_null() && unsafe { references(&raw mut (*ulink).ul_link) }.load(Ordering::Acquire) == 1
    }

    fn d_uhash_link_insert(
        htable: *mut d_hash_table, key: *mut d_uuid, cmp_args: *mut c_void, ulink: *mut d_ulink,
    ) -> c_int {
        // SAFETY: a table of the caller's.
        let Some(table) = (unsafe { Table::new(htable) }) else { return der(Der::UNINIT) };
        if key.is_null() || ulink.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a record and a UUID of the caller's.
        unsafe { (*ulink).ul_uuid = *key };
        let key = Key { uuid: key, argument: cmp_args };
        table.insert((&raw const key).cast(), KEY_SIZE, ulink.cast(), true)
    }

    fn d_uhash_link_lookup(htable: *mut d_hash_table, key: *mut d_uuid, cmp_args: *mut c_void) -> *mut d_ulink {
        // SAFETY: a table of the caller's.
        let Some(table) = unsafe { Table::new(htable) }.filter(|_| !key.is_null()) else { return ptr::null_mut() };
        let key = Key { uuid: key, argument: cmp_args };
        record(table.lookup((&raw const key).cast(), KEY_SIZE))
    }

    fn d_uhash_link_addref(htable: *mut d_hash_table, ulink: *mut d_ulink) {
        // SAFETY: a table and a record of the caller's.
        unsafe { hash_table::d_hash_rec_addref(htable, ulink.cast()) };
    }

    fn d_uhash_link_putref(htable: *mut d_hash_table, ulink: *mut d_ulink) {
        // SAFETY: a table and a record of the caller's.
        unsafe { hash_table::d_hash_rec_decref(htable, ulink.cast()) };
    }

    fn d_uhash_link_delete(htable: *mut d_hash_table, ulink: *mut d_ulink) {
        // SAFETY: a table of the caller's.
        if let Some(table) = unsafe { Table::new(htable) }.filter(|_| !ulink.is_null()) {
            table.delete_at(ulink.cast());
        }
    }
}
