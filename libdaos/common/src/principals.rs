//! Principals of access control lists, and the system's users and groups: `name@` is the local user or group.

use crate::{der, memory};
use daos_common::Der;
use daos_common::acl::{self, Principal};
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int, gid_t, uid_t};
use std::ffi::{CStr, CString};
use std::ptr;

/// Answers of the user database are at most this long.
const BUFFER_MAX: usize = 1 << 20;

/// Asks the user database with growing buffers: `ask(buffer, size)` answers an errno value, or the wanted value.
fn query<T>(mut ask: impl FnMut(*mut c_char, usize) -> Result<Option<T>, c_int>) -> Result<T, Der> {
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        match ask(buffer.as_mut_ptr(), buffer.len()) {
            Err(libc::ERANGE) if buffer.len() < BUFFER_MAX => buffer.resize(buffer.len() * 2, 0),
            // "Not found" comes in several shapes.
            Ok(None) | Err(0 | libc::ENOENT | libc::ESRCH) => return Err(Der::NONEXIST),
            Ok(Some(value)) => return Ok(value),
            Err(libc::ENOMEM) => return Err(Der::NOMEM),
            Err(_) => return Err(Der::MISC),
        }
    }
}

macro_rules! lookup {
    ($record:ty, $call:expr, $field:expr) => {
        query(|buffer, size| {
            // SAFETY: zeroed records of plain C, a buffer with its size; the answer points into both.
            unsafe {
                let mut record: $record = std::mem::zeroed();
                let mut found: *mut $record = ptr::null_mut();
                match $call(&mut record, buffer, size, &mut found) {
                    0 => Ok(found.as_ref().map($field)),
                    errno => Err(errno),
                }
            }
        })
    };
}

/// # Safety
/// A C string of the user database.
unsafe fn owned(name: *const c_char) -> Vec<u8> {
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(name) }.to_bytes().to_vec()
}

/// The local name of a principal: what stands before `@`.
///
/// # Safety
/// NULL or a C string.
unsafe fn local_name(principal: *const c_char) -> Option<CString> {
    // SAFETY: as the caller says.
    let principal = unsafe { memory::text(principal) }?;
    acl::check_principal(principal).ok()?;
    CString::new(principal.split('@').next()?).ok()
}

/// # Safety
/// `name` is writable.
unsafe fn put_principal(local: Result<Vec<u8>, Der>, name: *mut *mut c_char) -> c_int {
    let local = match local {
        Ok(local) => local,
        Err(code) => return der(code),
    };
    let principal = memory::c_string(&[&local[..], b"@"].concat());
    // SAFETY: as the caller says.
    unsafe { name.write(principal) };
    if principal.is_null() { der(Der::NOMEM) } else { 0 }
}

/// # Safety
/// `out` is writable.
unsafe fn put_id(id: Result<u32, Der>, out: *mut u32) -> c_int {
    match id {
        Err(code) => der(code),
        Ok(id) => {
            // SAFETY: as the caller says.
            unsafe { out.write(id) };
            0
        }
    }
}

export! { Der;
    fn daos_acl_principal_is_valid(name: *const c_char) -> bool {
        // SAFETY: NULL or a C string.
        unsafe { memory::text(name) }.is_some_and(|name| acl::check_principal(name).is_ok())
    }

    fn daos_acl_uid_to_principal(uid: uid_t, name: *mut *mut c_char) -> c_int {
        if name.is_null() {
            return der(Der::INVAL);
        }
        let local = lookup!(
            libc::passwd,
            |record, buffer, size, found| libc::getpwuid_r(uid, record, buffer, size, found),
            |user: &libc::passwd| owned(user.pw_name)
        );
        // SAFETY: not NULL.
        unsafe { put_principal(local, name) }
    }

    fn daos_acl_gid_to_principal(gid: gid_t, name: *mut *mut c_char) -> c_int {
        if name.is_null() {
            return der(Der::INVAL);
        }
        let local = lookup!(
            libc::group,
            |record, buffer, size, found| libc::getgrgid_r(gid, record, buffer, size, found),
            |group: &libc::group| owned(group.gr_name)
        );
        // SAFETY: not NULL.
        unsafe { put_principal(local, name) }
    }

    fn daos_acl_principal_to_uid(principal: *const c_char, uid: *mut uid_t) -> c_int {
        // SAFETY: NULL or a C string.
        let (Some(name), false) = (unsafe { local_name(principal) }, uid.is_null()) else { return der(Der::INVAL) };
        let id = lookup!(
            libc::passwd,
            |record, buffer, size, found| libc::getpwnam_r(name.as_ptr(), record, buffer, size, found),
            |user: &libc::passwd| user.pw_uid
        );
        // SAFETY: not NULL.
        unsafe { put_id(id, uid) }
    }

    fn daos_acl_principal_to_gid(principal: *const c_char, gid: *mut gid_t) -> c_int {
        // SAFETY: NULL or a C string.
        let (Some(name), false) = (unsafe { local_name(principal) }, gid.is_null()) else { return der(Der::INVAL) };
        let id = lookup!(
            libc::group,
            |record, buffer, size, found| libc::getgrnam_r(name.as_ptr(), record, buffer, size, found),
            |group: &libc::group| group.gr_gid
        );
        // SAFETY: not NULL.
        unsafe { put_id(id, gid) }
    }

    fn daos_acl_principal_from_str(
        principal_str: *const c_char, type_: *mut sys::daos_acl_principal_type, name: *mut *mut c_char,
    ) -> c_int {
        // SAFETY: NULL or a C string.
        let text = unsafe { memory::text(principal_str) };
        let (Some(text), false, false) = (text, type_.is_null(), name.is_null()) else { return der(Der::INVAL) };
        let principal = match Principal::parse(text) {
            Ok(principal) => principal,
            Err(error) => return error.rc(),
        };
        let string = match &principal {
            Principal::User(who) | Principal::Group(who) => {
                let string = memory::c_string(who.as_bytes());
                if string.is_null() {
                    return der(Der::NOMEM);
                }
                string
            }
            _ => ptr::null_mut(),
        };
        // SAFETY: not NULL.
        unsafe {
            type_.write(principal.number().into());
            name.write(string);
        }
        0
    }
}
