//! The C heap, and views of C memory.

use libc::{c_char, c_void};
use std::ffi::CStr;
use std::ptr;

/// A zeroed array, NULL for no memory.
pub(crate) fn zeroed_array<T>(count: usize) -> *mut T {
    // SAFETY: calloc takes any numbers.
    unsafe { libc::calloc(count.max(1), size_of::<T>()) }.cast()
}

/// Frees memory of the C heap; NULL is allowed.
///
/// # Safety
/// The memory is the C heap's and the caller gives it up.
pub(crate) unsafe fn free<T>(memory: *mut T) {
    // SAFETY: as the caller says.
    unsafe { libc::free(memory.cast::<c_void>()) };
}

/// A copy of bytes, NULL for no memory.
pub(crate) fn copy_of(bytes: &[u8]) -> *mut u8 {
    let copy: *mut u8 = zeroed_array(bytes.len());
    if !copy.is_null() {
        // SAFETY: fresh memory of that many bytes.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len()) };
    }
    copy
}

/// A C string with this text (up to a NUL), NULL for no memory.
pub(crate) fn c_string(text: &[u8]) -> *mut c_char {
    let length = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    copy_of(&[&text[..length], &[0]].concat()).cast()
}

/// The text of a C string, `None` for NULL or what is not UTF-8.
///
/// # Safety
/// NULL or a C string that outlives the use.
pub(crate) unsafe fn text<'a>(string: *const c_char) -> Option<&'a str> {
    if string.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(string) }.to_str().ok()
}

/// Bytes at a pointer, none for NULL.
///
/// # Safety
/// NULL or that many readable bytes that outlive the use.
pub(crate) unsafe fn bytes<'a, T>(at: *const T, length: usize) -> &'a [u8] {
    if at.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(at.cast(), length) }
}
