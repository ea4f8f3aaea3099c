//! The process's environment, read and changed under one lock.

use crate::der;
use daos_common::Der;
use daos_export::export;
use libc::{c_char, c_int, c_uint, size_t};
use std::ffi::CStr;
use std::sync::RwLock;

static LOCK: RwLock<()> = RwLock::new(());

/// A copy of a variable.
///
/// # Safety
/// `name` is NULL or a C string.
unsafe fn read(name: *const c_char) -> Result<Vec<u8>, Der> {
    if name.is_null() {
        return Err(Der::INVAL);
    }
    let _held = LOCK.read();
    // SAFETY: a C string; changes through this library wait for the lock.
    let value = unsafe { libc::getenv(name) };
    if value.is_null() {
        return Err(Der::NONEXIST);
    }
    // SAFETY: getenv gives a C string.
    Ok(unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
}

/// The variable's text, if it is set and UTF-8.
pub(crate) fn text(name: &CStr) -> Option<String> {
    // SAFETY: a C string.
    unsafe { read(name.as_ptr()) }.ok().and_then(|value| String::from_utf8(value).ok())
}

/// Only a number that is 0 means no.
fn is_zero(value: &[u8]) -> bool {
    std::str::from_utf8(value).ok().and_then(|text| text.trim_start().parse::<i64>().ok()) == Some(0)
}

/// The variable as yes or no, if it is set.
pub(crate) fn yes(name: &CStr) -> Option<bool> {
    // SAFETY: a C string.
    unsafe { read(name.as_ptr()) }.ok().map(|value| !is_zero(&value))
}

/// Numbers as strtoull takes them: blanks, a sign, decimal digits, and nothing behind.
fn parse_unsigned(text: &[u8], bits: u32) -> Result<u64, Der> {
    let text = std::str::from_utf8(text).map_err(|_| Der::INVAL)?.trim_start();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Der::INVAL);
    }
    let value: u64 = digits.parse().map_err(|_| Der::INVAL)?;
    let limit = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    match (negative, value > limit) {
        (_, true) => Err(Der::INVAL),
        (true, _) => Ok(value.wrapping_neg() & limit),
        (false, _) => Ok(value),
    }
}

/// # Safety
/// `name` is NULL or a C string, `out` NULL or writable.
unsafe fn number<T>(name: *const c_char, bits: u32, out: *mut T, convert: fn(u64) -> T) -> c_int {
    // SAFETY: as the caller says.
    let value = unsafe { read(name) }.and_then(|text| parse_unsigned(&text, bits));
    match value {
        _ if out.is_null() => der(Der::INVAL),
        Err(code) => der(code),
        Ok(value) => {
            // SAFETY: not NULL.
            unsafe { out.write(convert(value)) };
            0
        }
    }
}

/// The C library's answer to a bad argument.
fn refuse() -> c_int {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = libc::EINVAL };
    -1
}

/// The environment, held over a fork.
pub(crate) type Held = std::sync::RwLockWriteGuard<'static, ()>;

/// Keeps other threads from the environment.
pub(crate) fn hold() -> Held {
    LOCK.write().unwrap_or_else(|poisoned| poisoned.into_inner())
}

export! { Der;
    fn d_isenv_def(name: *mut c_char) -> bool {
        // SAFETY: NULL or a C string, as the header asks.
        unsafe { read(name) }.is_ok()
    }

    fn d_getenv_str(str_val: *mut c_char, str_size: size_t, name: *const c_char) -> c_int {
        if str_val.is_null() || str_size == 0 {
            return der(Der::INVAL);
        }
        // SAFETY: NULL or a C string, as the header asks.
        let value = match unsafe { read(name) } {
            Ok(value) => value,
            Err(code) => return der(code),
        };
        let kept = value.len().min(str_size - 1);
        // SAFETY: the caller's buffer has str_size bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(value.as_ptr(), str_val.cast(), kept);
            str_val.add(kept).write(0);
        }
        if kept < value.len() { der(Der::TRUNC) } else { 0 }
    }

    fn d_agetenv_str(str_val: *mut *mut c_char, name: *const c_char) -> c_int {
        // SAFETY: NULL or writable.
        let Some(out) = (unsafe { str_val.as_mut() }) else { return der(Der::INVAL) };
        *out = std::ptr::null_mut();
        // SAFETY: NULL or a C string, as the header asks.
        match unsafe { read(name) } {
            Err(code) => der(code),
            Ok(value) => {
                let copy: *mut u8 = crate::alloc::zeroed_array(value.len() + 1);
                if copy.is_null() {
                    return der(Der::NOMEM);
                }
                // SAFETY: the array has one byte more than the value.
                unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), copy, value.len()) };
                *out = copy.cast();
                0
            }
        }
    }

    fn d_freeenv_str(str_val: *mut *mut c_char) {
        // SAFETY: NULL, or what d_agetenv_str() has filled.
        if let Some(text) = unsafe { str_val.as_mut() } {
            crate::alloc::free(std::mem::replace(text, std::ptr::null_mut()));
        }
    }

    fn d_getenv_bool(name: *const c_char, bool_val: *mut bool) -> c_int {
        // SAFETY: NULL or a C string, as the header asks.
        match unsafe { read(name) } {
            _ if bool_val.is_null() => der(Der::INVAL),
            Err(code) => der(code),
            Ok(value) => {
                // SAFETY: not NULL.
                unsafe { bool_val.write(!is_zero(&value)) };
                0
            }
        }
    }

    fn d_getenv_char(name: *const c_char, char_val: *mut c_char) -> c_int {
        // SAFETY: NULL or a C string, as the header asks.
        match unsafe { read(name) } {
            _ if char_val.is_null() => der(Der::INVAL),
            Err(code) => der(code),
            Ok(value) if value.len() != 1 => der(Der::INVAL),
            Ok(value) => {
                // SAFETY: not NULL.
                unsafe { char_val.write(value[0] as c_char) };
                0
            }
        }
    }

    fn d_getenv_uint(name: *const c_char, uint_val: *mut c_uint) -> c_int {
        // SAFETY: pointers as the header asks.
        unsafe { number(name, 32, uint_val, |v| v as c_uint) }
    }

    fn d_getenv_int(name: *const c_char, uint_val: *mut c_uint) -> c_int {
        // SAFETY: pointers as the header asks.
        unsafe { number(name, 32, uint_val, |v| v as c_uint) }
    }

    fn d_getenv_uint32_t(name: *const c_char, uint32_val: *mut u32) -> c_int {
        // SAFETY: pointers as the header asks.
        unsafe { number(name, 32, uint32_val, |v| v as u32) }
    }

    fn d_getenv_uint64_t(name: *const c_char, uint64_val: *mut u64) -> c_int {
        // SAFETY: pointers as the header asks.
        unsafe { number(name, 64, uint64_val, |v| v) }
    }

    fn d_putenv(name: *mut c_char) -> c_int {
        if name.is_null() {
            return refuse();
        }
        let _held = LOCK.write();
        // SAFETY: a string that the environment keeps, as the header asks.
        unsafe { libc::putenv(name) }
    }

    fn d_setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int {
        if name.is_null() || value.is_null() {
            return refuse();
        }
        let _held = LOCK.write();
        // SAFETY: C strings, as the header asks.
        unsafe { libc::setenv(name, value, overwrite) }
    }

    fn d_unsetenv(name: *const c_char) -> c_int {
        if name.is_null() {
            return refuse();
        }
        let _held = LOCK.write();
        // SAFETY: a C string, as the header asks.
        unsafe { libc::unsetenv(name) }
    }

    fn d_clearenv() -> c_int {
        let _held = LOCK.write();
        // SAFETY: no argument.
        unsafe { libc::clearenv() }
    }
}
