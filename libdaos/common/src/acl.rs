//! Lists: `struct daos_acl`, a header and entries of different lengths without gaps.
//!
//! Text and rules are `daos_common::acl`'s. The functions that put lists together work on the bytes, since they take
//! entries that are not valid yet (`daos_ace_create` leaves permissions to its caller).

use crate::ace::{self, HEADER_BYTES};
use crate::{der, memory};
use daos_common::Der;
use daos_common::acl::{Acl, Entry};
use daos_export::export;
use daos_sys::{self as sys, daos_ace, daos_acl};
use libc::{c_char, c_int, size_t, ssize_t};
use std::ptr;

const LIST_HEADER_BYTES: usize = size_of::<daos_acl>();

/// A list's bytes, header included.
///
/// # Safety
/// NULL or a list with the length that its header says.
pub(crate) unsafe fn bytes<'a>(acl: *const daos_acl) -> Option<&'a [u8]> {
    // SAFETY: as the caller says.
    unsafe {
        let length = acl.as_ref()?.dal_len as usize;
        Some(memory::bytes(acl, LIST_HEADER_BYTES + length))
    }
}

/// The entries of a list, as bytes; ends at the first that doesn't fit.
///
/// # Safety
/// As [`bytes`].
unsafe fn entries<'a>(acl: *const daos_acl) -> Vec<&'a [u8]> {
    // SAFETY: as the caller says.
    let mut rest = unsafe { bytes(acl) }.map_or(&[][..], |all| &all[LIST_HEADER_BYTES..]);
    let mut found = Vec::new();
    while let Some(length) = ace::length(rest).filter(|length| *length <= rest.len()) {
        let (entry, after) = rest.split_at(length);
        found.push(entry);
        rest = after;
    }
    found
}

/// A list on the C heap of these entries in this order; NULL for no memory.
fn list_of(entries: &[&[u8]]) -> *mut daos_acl {
    let body = entries.concat();
    let mut list = vec![0; LIST_HEADER_BYTES];
    list[..2].copy_from_slice(&(sys::DAOS_ACL_VERSION as u16).to_ne_bytes());
    list[4..8].copy_from_slice(&(body.len() as u32).to_ne_bytes());
    list.extend_from_slice(&body);
    memory::copy_of(&list).cast()
}

/// A list on the C heap.
pub(crate) fn to_c(acl: &Acl) -> *mut daos_acl {
    memory::copy_of(&acl.to_bytes()).cast()
}

/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn from_c(acl: *const daos_acl) -> Result<Acl, c_int> {
    // SAFETY: as the caller says.
    let bytes = unsafe { bytes(acl) }.ok_or(der(Der::INVAL))?;
    Acl::from_bytes(bytes).map_err(|error| error.rc())
}

/// Replaces `*acl` by a list of these entries.
///
/// # Safety
/// `acl` points at a list on the C heap.
unsafe fn replace(acl: *mut *mut daos_acl, entries: &[&[u8]]) -> c_int {
    let list = list_of(entries);
    if list.is_null() {
        return der(Der::NOMEM);
    }
    // SAFETY: as the caller says; the entries were copied.
    unsafe { memory::free(acl.replace(list)) };
    0
}

export! { Der;
    fn daos_acl_create(aces: *mut *mut daos_ace, num_aces: u16) -> *mut daos_acl {
        let mut entries = Vec::new();
        for at in 0..usize::from(num_aces) {
            if aces.is_null() {
                return ptr::null_mut();
            }
            // SAFETY: that many pointers of the caller's, to entries or NULL.
            match unsafe { ace::bytes(*aces.add(at)) } {
                Some(entry) => entries.push(entry),
                None => return ptr::null_mut(),
            }
        }
        entries.sort_by_key(|entry| ace::kind(entry));
        list_of(&entries)
    }

    fn daos_acl_dup(acl: *mut daos_acl) -> *mut daos_acl {
        // SAFETY: NULL or a list of the caller's.
        unsafe { bytes(acl) }.map_or(ptr::null_mut(), |bytes| memory::copy_of(bytes).cast())
    }

    fn daos_acl_free(acl: *mut daos_acl) {
        // SAFETY: a list that the caller gives up.
        unsafe { memory::free(acl) };
    }

    fn daos_acl_get_size(acl: *mut daos_acl) -> ssize_t {
        // SAFETY: NULL or a list of the caller's.
        unsafe { bytes(acl) }.map_or(der(Der::INVAL) as ssize_t, |bytes| bytes.len() as ssize_t)
    }

    fn daos_acl_get_next_ace(acl: *mut daos_acl, current_ace: *mut daos_ace) -> *mut daos_ace {
        // SAFETY: NULL or a list of the caller's.
        let entries = unsafe { entries(acl) };
        let next = if current_ace.is_null() {
            entries.first()
        } else {
            let current = current_ace.cast::<u8>().cast_const();
            entries.iter().position(|entry| entry.as_ptr() == current).and_then(|at| entries.get(at + 1))
        };
        next.map_or(ptr::null_mut(), |entry| entry.as_ptr().cast_mut().cast())
    }

    fn daos_acl_get_ace_for_principal(
        acl: *mut daos_acl,
        type_: sys::daos_acl_principal_type,
        principal: *const c_char,
        ace: *mut *mut daos_ace,
    ) -> c_int {
        // SAFETY: NULL or a C string.
        let name = unsafe { ace::stored_name(type_, principal) };
        let (false, false, Some(name)) = (acl.is_null(), ace.is_null(), name) else { return der(Der::INVAL) };
        // SAFETY: a list of the caller's.
        let entries = unsafe { entries(acl) };
        let Some(found) = entries.iter().find(|entry| ace::is_about(entry, type_, &name)) else {
            return der(Der::NONEXIST);
        };
        // SAFETY: not NULL.
        unsafe { ace.write(found.as_ptr().cast_mut().cast()) };
        0
    }

    fn daos_acl_add_ace(acl: *mut *mut daos_acl, new_ace: *mut daos_ace) -> c_int {
        // SAFETY: pointers of the caller's, NULL or to a list and an entry.
        unsafe {
            let list = acl.as_ref().copied().filter(|list| !list.is_null());
            let (Some(list), Some(new)) = (list, ace::bytes(new_ace)) else { return der(Der::INVAL) };
            let (kind, name) = (ace::kind(new), ace::name(new));
            let mut all = entries(list);
            match all.iter_mut().find(|entry| ace::is_about(entry, kind, name)) {
                Some(old) => *old = new,
                None => {
                    let at = all.iter().position(|entry| ace::kind(entry) > kind).unwrap_or(all.len());
                    all.insert(at, new);
                }
            }
            replace(acl, &all)
        }
    }

    fn daos_acl_remove_ace(
        acl: *mut *mut daos_acl, type_: sys::daos_acl_principal_type, principal_name: *const c_char,
    ) -> c_int {
        // SAFETY: pointers of the caller's, NULL or to a list and a C string.
        unsafe {
            let list = acl.as_ref().copied().filter(|list| !list.is_null());
            let (Some(list), Some(name)) = (list, ace::stored_name(type_, principal_name)) else {
                return der(Der::INVAL);
            };
            let mut all = entries(list);
            let before = all.len();
            all.retain(|entry| !ace::is_about(entry, type_, &name));
            if all.len() == before {
                return der(Der::NONEXIST);
            }
            replace(acl, &all)
        }
    }

    fn daos_acl_validate(acl: *mut daos_acl) -> c_int {
        // SAFETY: NULL or a list of the caller's.
        unsafe { from_c(acl) }.map_or_else(|code| code, |_| 0)
    }

    fn daos_acl_dump(acl: *mut daos_acl) {
        // SAFETY: NULL or a list of the caller's.
        unsafe {
            let Some(list) = acl.as_ref() else {
                println!("Access Control List:\n\tNULL");
                return;
            };
            println!("Access Control List:\n\tVersion: {}\n\tLength: {}", list.dal_ver, list.dal_len);
            for entry in entries(acl) {
                ace::dump(entry, 1);
            }
        }
    }

    fn daos_acl_from_strs(ace_strs: *mut *const c_char, ace_nr: size_t, acl: *mut *mut daos_acl) -> c_int {
        if ace_strs.is_null() || ace_nr == 0 || acl.is_null() {
            return der(Der::INVAL);
        }
        let mut parsed = Vec::new();
        for at in 0..ace_nr {
            // SAFETY: that many C strings of the caller's.
            let Some(text) = (unsafe { memory::text(*ace_strs.add(at)) }) else { return der(Der::INVAL) };
            match Entry::parse(text) {
                Ok(entry) => parsed.push(entry),
                Err(error) => return error.rc(),
            }
        }
        match Acl::new(parsed) {
            Err(error) => error.rc(),
            Ok(list) => {
                let list = to_c(&list);
                // SAFETY: not NULL.
                unsafe { acl.write(list) };
                if list.is_null() { der(Der::NOMEM) } else { 0 }
            }
        }
    }

    fn daos_acl_to_strs(acl: *mut daos_acl, ace_strs: *mut *mut *mut c_char, ace_nr: *mut size_t) -> c_int {
        if ace_strs.is_null() || ace_nr.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: NULL or a list of the caller's.
        let texts = match unsafe { from_c(acl) }.and_then(|list| list.to_texts().map_err(|error| error.rc())) {
            Ok(texts) => texts,
            Err(code) => return code,
        };
        let array: *mut *mut c_char = memory::zeroed_array(texts.len());
        if array.is_null() {
            return der(Der::NOMEM);
        }
        for (at, text) in texts.iter().enumerate() {
            let string = memory::c_string(text.as_bytes());
            if string.is_null() {
                // SAFETY: what was made up to here.
                unsafe {
                    (0..at).for_each(|made| memory::free(*array.add(made)));
                    memory::free(array);
                }
                return der(Der::NOMEM);
            }
            // SAFETY: an array of that many pointers.
            unsafe { array.add(at).write(string) };
        }
        // SAFETY: not NULL. No entries: no array.
        unsafe {
            if texts.is_empty() {
                memory::free(array);
            }
            ace_strs.write(if texts.is_empty() { ptr::null_mut() } else { array });
            ace_nr.write(texts.len());
        }
        0
    }

    fn daos_acl_to_stream(stream: *mut sys::FILE, acl: *mut daos_acl, verbose: bool) -> c_int {
        if stream.is_null() {
            return der(Der::INVAL);
        }
        let mut text = String::new();
        if !acl.is_null() {
            // SAFETY: a list of the caller's.
            let lines = match unsafe { from_c(acl) }.and_then(|list| list.to_texts().map_err(|error| error.rc())) {
                Ok(lines) => lines,
                Err(code) => return code,
            };
            for line in lines {
                if verbose {
                    text += &format!("# {}\n", ace::verbose(&line).unwrap_or_default());
                }
                text += &format!("{line}\n");
            }
        }
        if text.is_empty() {
            text = "# Entries:\n#   None\n".to_owned();
        } else {
            text.insert_str(0, "# Entries:\n");
        }
        // SAFETY: an open stream of the caller's.
        let written = unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream.cast()) };
        if written == text.len() { 0 } else { der(Der::IO) }
    }
}

const _: () = assert!(LIST_HEADER_BYTES == 8 && HEADER_BYTES == 32);
