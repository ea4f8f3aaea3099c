//! Property lists (`daos_prop_t`).

use daos_common::{Der, Result};
use daos_sys as sys;
use std::ffi::{CStr, CString};

/// A list of properties to give to, or to have filled by, the library.
///
/// Values set here are owned here; values that a query filled in are malloc'ed by the library and freed on drop.
pub struct PropList {
    entries: Vec<sys::daos_prop_entry>,
    list: Box<sys::daos_prop_t>,
    owned: Vec<Owned>,
}

enum Owned {
    /// Filled by the library: pointers in it are the library's.
    Queried,
    /// Set by us; the entry points into it, when it points at all.
    Set(#[allow(dead_code, reason = "keeps the memory that the entry points to")] Memory),
}

enum Memory {
    None,
    Text(#[allow(dead_code, reason = "see Owned::Set")] CString),
    Bytes(#[allow(dead_code, reason = "see Owned::Set")] Vec<u64>),
}

/// Property numbers whose value is a string.
const TEXT: &[u32] = &[1, 6, 7, 21, 0x1001, 0x100d, 0x100e];
/// Property numbers whose value is a pointer to a structure.
const POINTER: &[u32] = &[2, 8, 0x100a, 0x1011];

impl Default for PropList {
    fn default() -> PropList {
        PropList::new()
    }
}

impl PropList {
    /// An empty list.
    pub fn new() -> PropList {
        // SAFETY: plain data whose zero value is an empty list.
        PropList { entries: Vec::new(), list: Box::new(unsafe { std::mem::zeroed() }), owned: Vec::new() }
    }

    /// A list that asks for these properties.
    pub fn query(numbers: &[u32]) -> PropList {
        let mut list = PropList::new();
        for number in numbers {
            list.entries.push(entry(*number));
            list.owned.push(Owned::Queried);
        }
        list
    }

    /// Adds a number.
    pub fn set_number(&mut self, number: u32, value: u64) {
        let mut new = entry(number);
        set_value(&mut new, value);
        self.entries.push(new);
        self.owned.push(Owned::Set(Memory::None));
    }

    /// Adds a text.
    ///
    /// # Errors
    /// `INVAL`: it has a NUL byte.
    pub fn set_text(&mut self, number: u32, value: &str) -> Result<()> {
        let text =
            CString::new(value).map_err(|_| Der::INVAL.err(format!("property value {value:?} has a NUL byte")))?;
        let mut new = entry(number);
        set_value(&mut new, text.as_ptr() as u64);
        self.entries.push(new);
        self.owned.push(Owned::Set(Memory::Text(text)));
        Ok(())
    }

    /// Adds a structure, given by its bytes (copied to 8-byte-aligned memory).
    pub fn set_bytes(&mut self, number: u32, value: &[u8]) {
        let words: Vec<u64> = value
            .chunks(8)
            .map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_ne_bytes(word)
            })
            .collect();
        let mut new = entry(number);
        set_value(&mut new, words.as_ptr() as u64);
        self.entries.push(new);
        self.owned.push(Owned::Set(Memory::Bytes(words)));
    }

    /// Adds a copy of an entry of a caller's list; what it points to must outlive this list.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn add_raw(&mut self, raw: &sys::daos_prop_entry) {
        let mut new = entry(raw.dpe_type);
        new.dpe_flags = raw.dpe_flags;
        set_value(&mut new, value(raw));
        self.entries.push(new);
        self.owned.push(Owned::Set(Memory::None));
    }

    /// Whether the list has the property.
    pub fn has(&self, number: u32) -> bool {
        self.find(number).is_some()
    }

    /// A number; `None` when the list lacks it.
    pub fn number(&self, number: u32) -> Option<u64> {
        self.find(number).map(value)
    }

    /// A text; `None` when the list lacks it or it is NULL.
    pub fn text(&self, number: u32) -> Option<String> {
        let pointer = self.find(number).filter(|_| TEXT.contains(&number)).map(value)? as *const std::ffi::c_char;
        if pointer.is_null() {
            return None;
        }
        // SAFETY: string properties point to NUL-terminated text owned by the list or the library.
        Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
    }

    /// The first `len` bytes of a structure; `None` when the list lacks it or it is NULL.
    ///
    /// # Safety
    /// The structure has at least `len` bytes.
    pub unsafe fn bytes(&self, number: u32, len: usize) -> Option<Vec<u8>> {
        let pointer = self.find(number).filter(|_| POINTER.contains(&number)).map(value)? as *const u8;
        if pointer.is_null() {
            return None;
        }
        // SAFETY: the caller knows the structure's size.
        Some(unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec())
    }

    /// For a call: the C list, valid while this lives unchanged. NULL when empty.
    pub fn raw(&mut self) -> *mut sys::daos_prop_t {
        if self.entries.is_empty() {
            return std::ptr::null_mut();
        }
        self.list.dpp_nr = self.entries.len() as u32;
        self.list.dpp_entries = self.entries.as_mut_ptr();
        &mut *self.list
    }

    fn find(&self, number: u32) -> Option<&sys::daos_prop_entry> {
        self.entries.iter().find(|entry| entry.dpe_type == number)
    }
}

impl Drop for PropList {
    fn drop(&mut self) {
        for (entry, owned) in self.entries.iter().zip(&self.owned) {
            let pointing = TEXT.contains(&entry.dpe_type) || POINTER.contains(&entry.dpe_type);
            if pointing && matches!(owned, Owned::Queried) {
                // SAFETY: the library malloc'ed it for this entry (or left it NULL).
                unsafe { libc::free(value(entry) as *mut libc::c_void) };
            }
        }
    }
}

fn entry(number: u32) -> sys::daos_prop_entry {
    // SAFETY: plain data.
    let mut new: sys::daos_prop_entry = unsafe { std::mem::zeroed() };
    new.dpe_type = number;
    new
}

fn value(entry: &sys::daos_prop_entry) -> u64 {
    // SAFETY: every member of the union is 8 bytes, and the entry is initialised.
    unsafe { std::ptr::from_ref(&entry.__bindgen_anon_1).cast::<u64>().read() }
}

fn set_value(entry: &mut sys::daos_prop_entry, value: u64) {
    // SAFETY: as in `value`.
    unsafe { std::ptr::from_mut(&mut entry.__bindgen_anon_1).cast::<u64>().write(value) }
}
