//! Lists of properties: `daos_prop_t`, on the C heap with everything that its entries point at.

use crate::prop_entry::{
    copy_value, daos_prop_entry_copy, daos_prop_entry_set_byteval, daos_prop_entry_set_ptr, daos_prop_entry_set_str,
    free_value,
};
use crate::prop_valid::{entries, is_valid};
use crate::{der, memory};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, daos_prop_entry, daos_prop_t};
use libc::{c_char, c_int, c_void, size_t};
use std::ptr;

/// The entry of a type.
///
/// # Safety
/// NULL or a list.
unsafe fn find(prop: *mut daos_prop_t, number: u32) -> *mut daos_prop_entry {
    // SAFETY: as the caller says.
    unsafe {
        let at = entries(prop).iter().position(|entry| entry.dpe_type == number);
        at.map_or(ptr::null_mut(), |at| (*prop).dpp_entries.add(at))
    }
}

/// Frees entries and what they point at.
///
/// # Safety
/// A list of this library's.
unsafe fn clear(prop: &mut daos_prop_t) {
    // SAFETY: as the caller says.
    unsafe {
        if !prop.dpp_entries.is_null() {
            for at in 0..prop.dpp_nr as usize {
                free_value(&mut *prop.dpp_entries.add(at));
            }
            memory::free(prop.dpp_entries);
        }
    }
    prop.dpp_entries = ptr::null_mut();
    prop.dpp_nr = 0;
}

/// A new list with copies of these entries; NULL for no memory.
///
/// # Safety
/// Entries with values of their types.
unsafe fn list_of(from: &[&daos_prop_entry]) -> *mut daos_prop_t {
    // SAFETY: as the caller says; a fresh list with that many entries.
    unsafe {
        let list = daos_prop_alloc(from.len() as u32);
        if list.is_null() {
            return list;
        }
        for (at, entry) in from.iter().enumerate() {
            if daos_prop_entry_copy(ptr::from_ref(*entry).cast_mut(), (*list).dpp_entries.add(at)) != 0 {
                daos_prop_free(list);
                return ptr::null_mut();
            }
        }
        list
    }
}

export! { Der;
    fn daos_prop_alloc(entries_nr: u32) -> *mut daos_prop_t {
        if entries_nr > sys::DAOS_PROP_ENTRIES_MAX_NR {
            return ptr::null_mut();
        }
        let prop: *mut daos_prop_t = memory::zeroed_array(1);
        let array: *mut daos_prop_entry =
            if entries_nr == 0 { ptr::null_mut() } else { memory::zeroed_array(entries_nr as usize) };
        // SAFETY: fresh memory.
        unsafe {
            if prop.is_null() || (array.is_null() && entries_nr > 0) {
                memory::free(prop);
                memory::free(array);
                return ptr::null_mut();
            }
            prop.write(daos_prop_t { dpp_nr: entries_nr, dpp_reserv: 0, dpp_entries: array });
        }
        prop
    }

    fn daos_prop_fini(prop: *mut daos_prop_t) {
        // SAFETY: NULL or a list of the caller's.
        if let Some(prop) = unsafe { prop.as_mut() } {
            // SAFETY: as above.
            unsafe { clear(prop) };
        }
    }

    fn daos_prop_free(prop: *mut daos_prop_t) {
        // SAFETY: NULL or a list that the caller gives up.
        unsafe {
            if let Some(list) = prop.as_mut() {
                clear(list);
            }
            memory::free(prop);
        }
    }

    fn daos_prop_dup(prop: *mut daos_prop_t, pool: bool, input: bool) -> *mut daos_prop_t {
        // SAFETY: NULL or a list of the caller's.
        unsafe {
            if !is_valid(prop, pool, input) {
                return ptr::null_mut();
            }
            let is_set = |entry: &&daos_prop_entry| u32::from(entry.dpe_flags) & sys::DAOS_PROP_ENTRY_NOT_SET == 0;
            let set: Vec<&daos_prop_entry> = entries(prop).iter().filter(is_set).collect();
            if set.is_empty() { ptr::null_mut() } else { list_of(&set) }
        }
    }

    fn daos_prop_merge2(
        old_prop: *mut daos_prop_t, new_prop: *mut daos_prop_t, out_prop: *mut *mut daos_prop_t,
    ) -> c_int {
        if old_prop.is_null() || new_prop.is_null() || out_prop.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: lists of the caller's; an out pointer that isn't NULL.
        unsafe {
            let mut merged: Vec<&daos_prop_entry> = entries(old_prop).iter().collect();
            for entry in entries(new_prop) {
                match merged.iter_mut().find(|old| old.dpe_type == entry.dpe_type) {
                    Some(old) => *old = entry,
                    None => merged.push(entry),
                }
            }
            let list = list_of(&merged);
            if list.is_null() {
                return der(Der::NOMEM);
            }
            out_prop.write(list);
        }
        0
    }

    fn daos_prop_merge(old_prop: *mut daos_prop_t, new_prop: *mut daos_prop_t) -> *mut daos_prop_t {
        let mut merged = ptr::null_mut();
        // SAFETY: lists of the caller's.
        unsafe { daos_prop_merge2(old_prop, new_prop, &mut merged) };
        merged
    }

    fn daos_prop_copy(prop_req: *mut daos_prop_t, prop_reply: *mut daos_prop_t) -> c_int {
        // SAFETY: NULL or lists of the caller's.
        unsafe {
            let Some(request) = prop_req.as_mut() else { return der(Der::INVAL) };
            let reply = entries(prop_reply);
            if reply.is_empty() {
                return der(Der::PROTO);
            }
            if request.dpp_nr == 0 {
                // Asked for everything.
                request.dpp_entries = memory::zeroed_array(reply.len());
                if request.dpp_entries.is_null() {
                    return der(Der::NOMEM);
                }
                request.dpp_nr = reply.len() as u32;
            }
            for at in 0..request.dpp_nr as usize {
                let entry = &mut *request.dpp_entries.add(at);
                if entry.dpe_type == 0 {
                    let Some(next) = reply.get(at) else { return 0 };
                    entry.dpe_type = next.dpe_type;
                }
                match reply.iter().find(|from| from.dpe_type == entry.dpe_type) {
                    None => entry.dpe_flags |= sys::DAOS_PROP_ENTRY_NOT_SET as u16,
                    Some(from) => {
                        entry.dpe_flags = from.dpe_flags;
                        if let Err(code) = copy_value(from, entry) {
                            return der(code);
                        }
                    }
                }
            }
        }
        0
    }

    fn daos_prop_entry_get(prop: *mut daos_prop_t, type_: u32) -> *mut daos_prop_entry {
        // SAFETY: NULL or a list of the caller's.
        unsafe { find(prop, type_) }
    }

    fn daos_prop_set_str(prop: *mut daos_prop_t, type_: u32, str_: *const c_char, len: u64) -> c_int {
        // SAFETY: a list and a string of the caller's.
        unsafe {
            let entry = find(prop, type_);
            if entry.is_null() { der(Der::NONEXIST) } else { daos_prop_entry_set_str(entry, str_, len) }
        }
    }

    fn daos_prop_set_ptr(prop: *mut daos_prop_t, type_: u32, ptr: *const c_void, size: u64) -> c_int {
        // SAFETY: a list and bytes of the caller's.
        unsafe {
            let entry = find(prop, type_);
            if entry.is_null() { der(Der::NONEXIST) } else { daos_prop_entry_set_ptr(entry, ptr, size) }
        }
    }

    fn daos_prop_set_byteval(prop: *mut daos_prop_t, type_: u32, data: *const c_void, len: size_t) -> c_int {
        // SAFETY: a list and bytes of the caller's.
        unsafe {
            let entry = find(prop, type_);
            if entry.is_null() { der(Der::NONEXIST) } else { daos_prop_entry_set_byteval(entry, data, len) }
        }
    }
}
