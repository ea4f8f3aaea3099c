//! User attributes of pools and containers: names and values of the user's own.

use crate::{ContRef, PoolRef, check};
use daos_common::{Der, Result};
use daos_sys as sys;
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

type ListCall = unsafe extern "C" fn(sys::daos_handle_t, *mut c_char, *mut usize, *mut sys::daos_event_t) -> c_int;
type GetCall = unsafe extern "C" fn(
    sys::daos_handle_t,
    c_int,
    *const *const c_char,
    *const *mut c_void,
    *mut usize,
    *mut sys::daos_event_t,
) -> c_int;
type SetCall = unsafe extern "C" fn(
    sys::daos_handle_t,
    c_int,
    *const *const c_char,
    *const *const c_void,
    *const usize,
    *mut sys::daos_event_t,
) -> c_int;
type DelCall = unsafe extern "C" fn(sys::daos_handle_t, c_int, *const *const c_char, *mut sys::daos_event_t) -> c_int;

/// How often a list or a value that grows while it is read is read again.
const ATTEMPTS_MAX: usize = 8;

macro_rules! attributes {
    ($handle:ident, $list:ident, $get:ident, $set:ident, $del:ident) => {
        impl $handle {
            /// The names of its attributes, in order.
            ///
            /// # Errors
            /// `NO_HDL`, `NO_PERM`.
            pub fn list_attrs(self) -> Result<Vec<String>> {
                list(self.raw(), sys::$list, stringify!($list))
            }

            /// The values of attributes, in the order of `names`; empty for one that isn't there.
            ///
            /// # Errors
            /// `INVAL`: an empty name or one with a NUL byte; `NO_HDL`, `NO_PERM`, `NONEXIST`.
            pub fn get_attrs(self, names: &[String]) -> Result<Vec<Vec<u8>>> {
                get(self.raw(), names, sys::$get, stringify!($get))
            }

            /// Sets attributes.
            ///
            /// # Errors
            /// `INVAL`: an empty name or value, or one that is too long; `NO_HDL`, `NO_PERM`.
            pub fn set_attrs(self, pairs: &[(String, Vec<u8>)]) -> Result<()> {
                set(self.raw(), pairs, sys::$set, stringify!($set))
            }

            /// Removes attributes; one that isn't there counts as removed.
            ///
            /// # Errors
            /// `INVAL`: an empty name; `NO_HDL`, `NO_PERM`.
            pub fn del_attrs(self, names: &[String]) -> Result<()> {
                del(self.raw(), names, sys::$del, stringify!($del))
            }
        }
    };
}

attributes!(PoolRef, daos_pool_list_attr, daos_pool_get_attr, daos_pool_set_attr, daos_pool_del_attr);
attributes!(ContRef, daos_cont_list_attr, daos_cont_get_attr, daos_cont_set_attr, daos_cont_del_attr);

fn list(handle: sys::daos_handle_t, call: ListCall, what: &str) -> Result<Vec<String>> {
    let mut buffer: Vec<u8> = Vec::new();
    for _ in 0..ATTEMPTS_MAX {
        let mut size = buffer.len();
        let place = if buffer.is_empty() { ptr::null_mut() } else { buffer.as_mut_ptr().cast() };
        // SAFETY: `place` has `size` bytes (NULL with 0) and both live through the call.
        check(unsafe { call(handle, place, &mut size, ptr::null_mut()) }, what)?;
        if size <= buffer.len() {
            let packed = &buffer[..size];
            let names = packed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            return Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect());
        }
        buffer.resize(size, 0);
    }
    Err(Der::AGAIN.err(format!("{what}: the list of attributes keeps growing")))
}

fn get(handle: sys::daos_handle_t, names: &[String], call: GetCall, what: &str) -> Result<Vec<Vec<u8>>> {
    let (_texts, pointers) = c_names(names)?;
    let mut values: Vec<Vec<u8>> = vec![Vec::new(); names.len()];
    for attempt in 0..ATTEMPTS_MAX {
        let mut sizes: Vec<usize> = values.iter().map(Vec::len).collect();
        let places: Vec<*mut c_void> = values.iter_mut().map(|value| value.as_mut_ptr().cast()).collect();
        // The first round asks for the sizes alone.
        let places = if attempt == 0 { ptr::null() } else { places.as_ptr() };
        let count = count_of(names.len())?;
        // SAFETY: the arrays have `count` elements, each place has its size in bytes, and all live through the call.
        let rc = unsafe { call(handle, count, pointers.as_ptr(), places, sizes.as_mut_ptr(), ptr::null_mut()) };
        check(rc, what)?;
        let fits = sizes.iter().zip(&values).all(|(size, value)| *size <= value.len());
        for (size, value) in sizes.iter().zip(&mut values) {
            value.resize(*size, 0);
        }
        if attempt > 0 && fits {
            return Ok(values);
        }
    }
    Err(Der::AGAIN.err(format!("{what}: the values of attributes keep growing")))
}

fn set(handle: sys::daos_handle_t, pairs: &[(String, Vec<u8>)], call: SetCall, what: &str) -> Result<()> {
    let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
    let (_texts, pointers) = c_names(&names)?;
    let values: Vec<*const c_void> = pairs.iter().map(|(_, value)| value.as_ptr().cast()).collect();
    let sizes: Vec<usize> = pairs.iter().map(|(_, value)| value.len()).collect();
    let count = count_of(pairs.len())?;
    // SAFETY: the arrays have `count` elements, each value has its size in bytes, and all live through the call.
    let rc = unsafe { call(handle, count, pointers.as_ptr(), values.as_ptr(), sizes.as_ptr(), ptr::null_mut()) };
    check(rc, what)
}

fn del(handle: sys::daos_handle_t, names: &[String], call: DelCall, what: &str) -> Result<()> {
    let (_texts, pointers) = c_names(names)?;
    // SAFETY: the array has as many elements as stated and lives through the call, as do the texts.
    check(unsafe { call(handle, count_of(names.len())?, pointers.as_ptr(), ptr::null_mut()) }, what)
}

/// The names as C texts, and pointers to them that are valid while the texts live.
fn c_names(names: &[String]) -> Result<(Vec<CString>, Vec<*const c_char>)> {
    let text = |name: &String| {
        CString::new(name.as_str()).map_err(|_| Der::INVAL.err(format!("attribute name {name:?} has a NUL byte")))
    };
    let texts = names.iter().map(text).collect::<Result<Vec<CString>>>()?;
    let pointers = texts.iter().map(|text| text.as_ptr()).collect();
    Ok((texts, pointers))
}

fn count_of(count: usize) -> Result<c_int> {
    c_int::try_from(count).map_err(|_| Der::INVAL.err(format!("{count} attributes at once")))
}
