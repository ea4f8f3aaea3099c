//! Texts for log messages: UUIDs, keys, names. They live in a ring of buffers of the thread, so several fit in one
//! message.

use crate::memory;
use daos_export::export;
use daos_sys::daos_key_t;
use libc::{c_char, c_void};
use std::cell::RefCell;
use std::ffi::CString;
use uuid::Uuid;

/// Texts that are valid at a time, per thread.
const RING: usize = 8;
/// Longest text.
const TEXT_MAX: usize = 128;

thread_local! {
    static TEXTS: RefCell<(Vec<CString>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

/// Keeps a text for the thread, until [`RING`] more have come.
fn keep(text: String) -> *mut c_char {
    let text = CString::new(text).unwrap_or_default();
    TEXTS.with_borrow_mut(|(texts, next)| {
        if texts.len() < RING {
            texts.push(text);
            return texts[texts.len() - 1].as_ptr().cast_mut();
        }
        let at = *next;
        *next = (at + 1) % RING;
        texts[at] = text;
        texts[at].as_ptr().cast_mut()
    })
}

/// The printable text of a key, its number if it has 8 bytes, or `????`.
fn key_text(key: &[u8]) -> String {
    let shown = &key[..key.len().min(TEXT_MAX - 1)];
    let shown = &shown[..shown.iter().position(|byte| *byte == 0).unwrap_or(shown.len())];
    let printable = shown.iter().all(|byte| (b' '..0x7f).contains(byte) && *byte != b'\'');
    let number = key.try_into().ok().map(u64::from_ne_bytes);
    let text = String::from_utf8_lossy(shown);
    match (printable, number) {
        (true, Some(number)) => format!("{text} uint64:{number}"),
        (true, None) => text.into_owned(),
        (false, Some(number)) => format!("uint64:{number}"),
        (false, None) => "????".to_owned(),
    }
}

/// A name as it is, or `????` when it can't be printed.
///
/// # Safety
/// NULL or a C string.
unsafe fn name_text(name: *const c_char) -> *mut c_char {
    if name.is_null() {
        return keep("<NULL>".to_owned());
    }
    // SAFETY: as the caller says.
    match unsafe { memory::text(name) } {
        Some(name) if name.chars().all(|c| !c.is_control() && c != '\'') => keep(name.to_owned()),
        _ => keep("????".to_owned()),
    }
}

export! { Der;
    fn DP_UUID(uuid: *const c_void) -> *mut c_char {
        // SAFETY: NULL or 16 bytes of the caller's.
        let bytes: Option<[u8; 16]> = unsafe { memory::bytes(uuid, 16) }.try_into().ok();
        keep(bytes.map_or("?".to_owned(), |bytes| Uuid::from_bytes(bytes).to_string()))
    }

    fn daos_key2str(key: *mut daos_key_t) -> *mut c_char {
        // SAFETY: NULL or a key of the caller's.
        let key = unsafe { key.as_ref().map_or(&[][..], |key| crate::iov::data(key)) };
        keep(if key.is_empty() { "<NULL>".to_owned() } else { key_text(key) })
    }

    fn daos_de2str(de: *const c_char) -> *mut c_char {
        // SAFETY: NULL or a C string.
        unsafe { name_text(de) }
    }

    fn daos_path2str(path: *const c_char) -> *mut c_char {
        // SAFETY: NULL or a C string.
        unsafe { name_text(path) }
    }

    fn daos_str_trimwhite(str_: *mut c_char) -> *mut c_char {
        if str_.is_null() {
            return str_;
        }
        // SAFETY: a C string of the caller's, cut behind its last visible character.
        unsafe {
            let text = memory::bytes(str_, libc::strlen(str_));
            let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
            let Some(first) = text.iter().position(|byte| !blank(byte)) else { return std::ptr::null_mut() };
            let end = text.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
            str_.add(end).write(0);
            str_.add(first)
        }
    }

    fn daos_file_is_dax(pathname: *const c_char) -> bool {
        // SAFETY: NULL or a C string.
        unsafe { memory::text(pathname) }.is_some_and(|path| path.starts_with("/dev/dax"))
    }
}
