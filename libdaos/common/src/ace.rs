//! Entries of access control lists: `struct daos_ace`, a header of 32 bytes and, for users and groups, a name with its
//! NUL, padded to 8.

use crate::{acl, der, memory};
use daos_common::Der;
use daos_common::acl::{Acl, Entry};
use daos_export::export;
use daos_sys::{self as sys, daos_ace};
use libc::{c_char, c_int, size_t, ssize_t};
use std::mem::offset_of;
use std::ptr;

pub(crate) const HEADER_BYTES: usize = size_of::<daos_ace>();
const NAME_LENGTH: usize = offset_of!(daos_ace, dae_principal_len);
const KIND: usize = offset_of!(daos_ace, dae_principal_type);

/// The length that an entry at the start of `bytes` says it has.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..HEADER_BYTES)?;
    Some(HEADER_BYTES + usize::from(u16::from_ne_bytes([header[NAME_LENGTH], header[NAME_LENGTH + 1]])))
}

/// An entry's bytes.
///
/// # Safety
/// NULL or an entry with the length that its header says.
pub(crate) unsafe fn bytes<'a>(ace: *const daos_ace) -> Option<&'a [u8]> {
    // SAFETY: as the caller says.
    unsafe {
        let name = usize::from(ace.as_ref()?.dae_principal_len);
        Some(memory::bytes(ace, HEADER_BYTES + name))
    }
}

/// The kind of principal.
pub(crate) fn kind(entry: &[u8]) -> sys::daos_acl_principal_type {
    sys::daos_acl_principal_type::from(entry[KIND])
}

/// The name up to its NUL; empty for principals without one.
pub(crate) fn name(entry: &[u8]) -> &[u8] {
    let name = &entry[HEADER_BYTES..];
    &name[..name.iter().position(|byte| *byte == 0).unwrap_or(name.len())]
}

pub(crate) fn is_about(entry: &[u8], of_kind: sys::daos_acl_principal_type, of_name: &[u8]) -> bool {
    kind(entry) == of_kind && name(entry) == of_name
}

fn is_named(kind: sys::daos_acl_principal_type) -> bool {
    kind == sys::DAOS_ACL_USER || kind == sys::DAOS_ACL_GROUP
}

/// The name that an entry of that kind stores; `None` for an unknown kind or a name that is missing.
///
/// # Safety
/// NULL or a C string.
pub(crate) unsafe fn stored_name(kind: sys::daos_acl_principal_type, principal: *const c_char) -> Option<Vec<u8>> {
    if kind >= sys::NUM_DAOS_ACL_TYPES {
        return None;
    }
    if !is_named(kind) {
        return Some(Vec::new());
    }
    // SAFETY: as the caller says.
    let name = unsafe { memory::text(principal) }?;
    (!name.is_empty()).then(|| name.as_bytes().to_vec())
}

/// An entry by the rules, or the error.
///
/// # Safety
/// As [`bytes`].
unsafe fn parsed(ace: *const daos_ace) -> Result<Entry, c_int> {
    // SAFETY: as the caller says.
    let entry = unsafe { bytes(ace) }.ok_or(der(Der::INVAL))?;
    let header = [(sys::DAOS_ACL_VERSION as u16).to_ne_bytes(), [0, 0]].concat();
    let list = [&header, &(entry.len() as u32).to_ne_bytes()[..], entry].concat();
    let list = Acl::from_bytes(&list).map_err(|error| error.rc())?;
    list.entries().first().cloned().ok_or(der(Der::INVAL))
}

/// The long form of an entry's text, `Allow::Owner:Read/Write`.
pub(crate) fn verbose(text: &str) -> Option<String> {
    const TYPES: &[(char, &str)] = &[('A', "Allow"), ('U', "Audit"), ('L', "Alarm")];
    const FLAGS: &[(char, &str)] =
        &[('G', "Group"), ('S', "Access-Success"), ('F', "Access-Failure"), ('P', "Pool-Inherit")];
    const PERMISSIONS: &[(char, &str)] = &[
        ('r', "Read"),
        ('w', "Write"),
        ('c', "Create-Container"),
        ('d', "Delete-Container"),
        ('t', "Get-Prop"),
        ('T', "Set-Prop"),
        ('a', "Get-ACL"),
        ('A', "Set-ACL"),
        ('o', "Set-Owner"),
    ];
    let words = |letters: &str, table: &[(char, &'static str)]| {
        let word = |letter: char| table.iter().find(|(known, _)| *known == letter).map(|(_, word)| *word);
        letters.chars().map(word).collect::<Option<Vec<_>>>().map(|words| words.join("/"))
    };
    Entry::parse(text).ok()?;
    let fields: Vec<&str> = text.split(':').collect();
    let [types, flags, principal, permissions] = fields[..] else { return None };
    let who = match principal {
        "OWNER@" => "Owner",
        "GROUP@" => "Owner-Group",
        "EVERYONE@" => "Everyone",
        name => name,
    };
    let may = if permissions.is_empty() { "No-Access".to_owned() } else { words(permissions, PERMISSIONS)? };
    Some(format!("{}:{}:{who}:{may}", words(types, TYPES)?, words(flags, FLAGS)?))
}

/// Prints an entry to stdout, for debugging.
pub(crate) fn dump(entry: &[u8], tabs: usize) {
    let tab = "\t".repeat(tabs);
    let word = |at: usize| u64::from_ne_bytes(entry[at..at + 8].try_into().unwrap_or_default());
    println!("{tab}Access Control Entry:");
    println!("{tab}\tAccess Types: {:#04x}", entry[0]);
    println!("{tab}\tPrincipal Type: {}", entry[KIND]);
    println!("{tab}\tPrincipal: {}", String::from_utf8_lossy(name(entry)));
    println!("{tab}\tAccess Flags: {:#06x}", u16::from_ne_bytes([entry[4], entry[5]]));
    for (what, at) in [("Allow", 8), ("Audit", 16), ("Alarm", 24)] {
        println!("{tab}\t{what} Permissions: {:#x}", word(at));
    }
}

/// Writes a text and its NUL; -DER_TRUNC with what fits.
///
/// # Safety
/// `buf` has `len` writable bytes.
unsafe fn put(text: &str, buf: *mut c_char, len: size_t) -> c_int {
    let kept = text.len().min(len - 1);
    // SAFETY: as the caller says; len is not 0 (checked by the callers).
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), buf.cast(), kept);
        buf.add(kept).write(0);
    }
    if kept < text.len() { der(Der::TRUNC) } else { 0 }
}

export! { Der;
    fn daos_ace_create(type_: sys::daos_acl_principal_type, principal_name: *const c_char) -> *mut daos_ace {
        // SAFETY: NULL or a C string.
        let Some(name) = (unsafe { stored_name(type_, principal_name) }) else { return ptr::null_mut() };
        let room = if name.is_empty() { 0 } else { (name.len() + 1).next_multiple_of(8) };
        let Ok(room) = u16::try_from(room) else { return ptr::null_mut() };
        let mut entry = vec![0; HEADER_BYTES + usize::from(room)];
        entry[KIND] = type_ as u8;
        entry[NAME_LENGTH..NAME_LENGTH + 2].copy_from_slice(&room.to_ne_bytes());
        if type_ == sys::DAOS_ACL_GROUP || type_ == sys::DAOS_ACL_OWNER_GROUP {
            entry[4..6].copy_from_slice(&(sys::DAOS_ACL_FLAG_GROUP as u16).to_ne_bytes());
        }
        entry[HEADER_BYTES..HEADER_BYTES + name.len()].copy_from_slice(&name);
        memory::copy_of(&entry).cast()
    }

    fn daos_ace_free(ace: *mut daos_ace) {
        // SAFETY: an entry that the caller gives up.
        unsafe { memory::free(ace) };
    }

    fn daos_ace_get_size(ace: *mut daos_ace) -> ssize_t {
        // SAFETY: NULL or an entry of the caller's.
        unsafe { bytes(ace) }.map_or(der(Der::INVAL) as ssize_t, |bytes| bytes.len() as ssize_t)
    }

    fn daos_ace_is_valid(ace: *mut daos_ace) -> bool {
        // SAFETY: NULL or an entry of the caller's.
        unsafe { parsed(ace) }.is_ok()
    }

    fn daos_ace_dump(ace: *mut daos_ace, tabs: u32) {
        // SAFETY: NULL or an entry of the caller's.
        match unsafe { bytes(ace) } {
            Some(entry) => dump(entry, tabs.min(16) as usize),
            None => println!("Access Control Entry:\n\tNULL"),
        }
    }

    fn daos_ace_get_principal_str(ace: *mut daos_ace) -> *const c_char {
        // SAFETY: NULL or an entry of the caller's.
        let Some(entry) = (unsafe { bytes(ace) }) else { return ptr::null() };
        match kind(entry) {
            sys::DAOS_ACL_OWNER => sys::DAOS_ACL_PRINCIPAL_OWNER.as_ptr().cast(),
            sys::DAOS_ACL_OWNER_GROUP => sys::DAOS_ACL_PRINCIPAL_OWNER_GRP.as_ptr().cast(),
            sys::DAOS_ACL_EVERYONE => sys::DAOS_ACL_PRINCIPAL_EVERYONE.as_ptr().cast(),
            _ => entry[HEADER_BYTES..].as_ptr().cast(),
        }
    }

    fn daos_ace_from_str(str_: *const c_char, ace: *mut *mut daos_ace) -> c_int {
        // SAFETY: NULL or a C string.
        let (Some(text), false) = (unsafe { memory::text(str_) }, ace.is_null()) else { return der(Der::INVAL) };
        let list = match Entry::parse(text).and_then(|entry| Acl::new(vec![entry])) {
            Ok(list) => list.to_bytes(),
            Err(error) => return error.rc(),
        };
        let entry = memory::copy_of(&list[size_of::<sys::daos_acl>()..]);
        // SAFETY: not NULL.
        unsafe { ace.write(entry.cast()) };
        if entry.is_null() { der(Der::NOMEM) } else { 0 }
    }

    fn daos_ace_to_str(ace: *mut daos_ace, buf: *mut c_char, buf_len: size_t) -> c_int {
        if buf.is_null() || buf_len == 0 {
            return der(Der::INVAL);
        }
        // SAFETY: an entry and a buffer of the caller's.
        unsafe {
            match parsed(ace).and_then(|entry| entry.to_text().map_err(|error| error.rc())) {
                Ok(text) => put(&text, buf, buf_len),
                Err(code) => code,
            }
        }
    }

    fn daos_ace_str_get_verbose(ace_str: *const c_char, buf: *mut c_char, buf_len: size_t) -> c_int {
        if buf.is_null() || buf_len == 0 {
            return der(Der::INVAL);
        }
        // SAFETY: a C string and a buffer of the caller's.
        unsafe {
            match memory::text(ace_str).and_then(verbose) {
                Some(text) => put(&text, buf, buf_len),
                None => der(Der::INVAL),
            }
        }
    }
}

/// The list module's C view and this one agree on the list header.
const _: fn(&Acl) -> *mut sys::daos_acl = acl::to_c;
