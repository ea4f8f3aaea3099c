//! `libduns.so`: the unified name space, which finds the pool and container that a path stands for.
//!
//! Called by C programs through `daos_uns.h`. A path is either direct (`daos://pool/container/dir/file`) or lies on a file
//! system below a folder or file whose extended attribute `user.daos` names a container. Talks to no server.

daos_export::stubs!();

mod resolve;

use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int};
use resolve::{Options, Resolved};
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `DUNS_NO_PREFIX`
const NO_PREFIX: u32 = 1;
/// `DUNS_NO_REVERSE_LOOKUP`
const NO_REVERSE_LOOKUP: u32 = 2;
/// `DUNS_NO_CHECK_PATH`
const NO_CHECK_PATH: u32 = 4;

/// Runs a call's body: the errno it ends with.
fn guard(body: impl FnOnce() -> Result<(), c_int>) -> c_int {
    body().err().unwrap_or(0)
}

export! { Errno;
    fn duns_resolve_path(path: *const c_char, attr: *mut sys::duns_attr_t) -> c_int {
        guard(|| {
            if path.is_null() {
                return Err(libc::EINVAL);
            }
            // SAFETY: the caller's promise.
            let (path, attr) = unsafe { (CStr::from_ptr(path).to_bytes(), attr.as_mut().ok_or(libc::EINVAL)?) };
            attr.da_sys = std::ptr::null_mut();
            let options = Options {
                no_prefix: attr.da_no_prefix || attr.da_flags & NO_PREFIX != 0,
                no_reverse_lookup: attr.da_flags & NO_REVERSE_LOOKUP != 0,
                no_check_path: attr.da_flags & NO_CHECK_PATH != 0,
            };
            let resolved = resolve::resolve(Path::new(OsStr::from_bytes(path)), options)?;
            store(attr, &resolved)
        })
    }
}

export! { Errno;
    fn duns_parse_attr(
        text: *mut c_char,
        len: sys::daos_size_t,
        attr: *mut sys::duns_attr_t,
    ) -> c_int {
        guard(|| {
            if text.is_null() {
                return Err(libc::EINVAL);
            }
            // SAFETY: the caller's promise: `len` bytes, NUL or not.
            let (bytes, attr) = unsafe {
                (std::slice::from_raw_parts(text.cast::<u8>(), len as usize), attr.as_mut().ok_or(libc::EINVAL)?)
            };
            store(attr, &resolve::parse_attribute(bytes)?)
        })
    }
}

export! { Errno;
    fn duns_destroy_attr(attr: *mut sys::duns_attr_t) {
        let _ = guard(|| {
            // SAFETY: the caller's promise; the strings are from `duns_resolve_path` or `duns_set_sys_name`.
            if let Some(attr) = unsafe { attr.as_mut() } {
                for text in [&mut attr.da_rel_path, &mut attr.da_sys] {
                    // SAFETY: as above; NULL is fine.
                    unsafe { libc::free(text.cast()) };
                    *text = std::ptr::null_mut();
                }
            }
            Ok(())
        });
    }
}

export! { Errno;
    fn duns_set_sys_name(attr: *mut sys::duns_attr_t, sys_name: *const c_char) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let attr = unsafe { attr.as_mut() }.ok_or(libc::EINVAL)?;
            if sys_name.is_null() {
                return Err(libc::EINVAL);
            }
            // SAFETY: the caller's promise.
            let copy = unsafe { libc::strdup(sys_name) };
            if copy.is_null() {
                return Err(libc::ENOMEM);
            }
            // SAFETY: it is NULL or from here.
            unsafe { libc::free(attr.da_sys.cast()) };
            attr.da_sys = copy;
            Ok(())
        })
    }
}

/// Writes what was resolved into the C structure. The deprecated UUID members are filled when the names are UUIDs.
fn store(attr: &mut sys::duns_attr_t, resolved: &Resolved) -> Result<(), c_int> {
    let fill = |to: &mut [c_char; 128], from: &str| {
        to.fill(0);
        for (to, byte) in to.iter_mut().zip(from.bytes().take(127)) {
            *to = byte as c_char;
        }
    };
    fill(&mut attr.da_pool, &resolved.pool);
    fill(&mut attr.da_cont, &resolved.cont);
    if let Ok(uuid) = uuid::Uuid::parse_str(&resolved.pool) {
        attr.da_puuid = *uuid.as_bytes();
    }
    if let Ok(uuid) = uuid::Uuid::parse_str(&resolved.cont) {
        attr.da_cuuid = *uuid.as_bytes();
    }
    if let Some(layout) = resolved.layout {
        attr.da_type = layout as _;
    }
    attr.da_rel_path = std::ptr::null_mut();
    if let Some(rest) = &resolved.rest {
        let rest = CString::new(rest.as_slice()).map_err(|_| libc::EINVAL)?;
        // SAFETY: a C string; the copy is the caller's to free with `duns_destroy_attr`.
        attr.da_rel_path = unsafe { libc::strdup(rest.as_ptr()) };
        if attr.da_rel_path.is_null() {
            return Err(libc::ENOMEM);
        }
    }
    Ok(())
}
