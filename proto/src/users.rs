//! User and group names from the system's user database (files, LDAP, ...), by the C library. Lookups
//! block, possibly on a network.
//!
//! A fence around unsafe code; agent and tools have none of their own for this.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;

/// Enough for an entry of any size that makes sense; the database asks for more by ERANGE until here.
const ENTRY_BYTES_MAX: usize = 16 << 20;
/// Most groups of one user.
const GROUPS_MAX: usize = 1 << 17;

/// The name of a user; `None` when the database doesn't know the id.
///
/// # Errors
/// What the database says when it can't answer.
pub fn user_name(uid: u32) -> io::Result<Option<String>> {
    with_buffer(|buffer| {
        // SAFETY: a passwd is plain data that getpwuid_r fills in; null pointers are valid until then.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: `entry`, `found` and `buffer` with its length are live for the call.
        let rc = unsafe { libc::getpwuid_r(uid, &raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found) };
        // SAFETY: when something was found, the name is a NUL-terminated string in `buffer`.
        (rc, (!found.is_null()).then(|| unsafe { text(entry.pw_name) }))
    })
}

/// The name of a group; `None` when the database doesn't know the id.
///
/// # Errors
/// What the database says when it can't answer.
pub fn group_name(gid: u32) -> io::Result<Option<String>> {
    with_buffer(|buffer| {
        // SAFETY: a group is plain data that getgrgid_r fills in; null pointers are valid until then.
        let mut entry: libc::group = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: `entry`, `found` and `buffer` with its length are live for the call.
        let rc = unsafe { libc::getgrgid_r(gid, &raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found) };
        // SAFETY: when something was found, the name is a NUL-terminated string in `buffer`.
        (rc, (!found.is_null()).then(|| unsafe { text(entry.gr_name) }))
    })
}

/// The ids of all groups of `user`, `primary` among them.
///
/// # Errors
/// INVALID_INPUT for a name with a NUL byte; OUT_OF_MEMORY for a user in more groups than makes sense.
pub fn group_ids(user: &str, primary: u32) -> io::Result<Vec<u32>> {
    let user = CString::new(user)?;
    let mut capacity = 64;
    while capacity <= GROUPS_MAX {
        let mut groups = vec![0 as libc::gid_t; capacity];
        let mut count = capacity as c_int;
        // SAFETY: the name is NUL-terminated, `groups` has room for `count` ids, and both live through the call.
        let rc = unsafe { libc::getgrouplist(user.as_ptr(), primary, groups.as_mut_ptr(), &raw mut count) };
        if rc >= 0 {
            groups.truncate(usize::try_from(count).unwrap_or(0));
            return Ok(groups);
        }
        capacity *= 4;
    }
    Err(io::ErrorKind::OutOfMemory.into())
}

/// Calls `look_up` with a growing buffer until it fits.
fn with_buffer(look_up: impl Fn(&mut [c_char]) -> (c_int, Option<String>)) -> io::Result<Option<String>> {
    let mut size = 4096;
    while size <= ENTRY_BYTES_MAX {
        match look_up(&mut vec![0; size]) {
            (0, found) => return Ok(found),
            (libc::ERANGE, _) => size *= 4,
            (libc::EINTR, _) => {}
            // The ways in which databases say "no such id".
            (libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM, _) => return Ok(None),
            (error, _) => return Err(io::Error::from_raw_os_error(error)),
        }
    }
    Err(io::ErrorKind::OutOfMemory.into())
}

/// # Safety
/// `pointer` is a NUL-terminated string.
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: by this function's contract.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: root is known by id everywhere, ids that nobody has are not, and a user's groups hold the primary one.
    #[test]
    fn root_and_nobody_there() {
        assert_eq!(user_name(0).unwrap().as_deref(), Some("root"));
        assert_eq!(group_name(0).unwrap().as_deref(), Some("root"));
        assert_eq!(user_name(3_999_999_999).unwrap(), None);
        assert_eq!(group_name(3_999_999_999).unwrap(), None);
        assert!(group_ids("root", 0).unwrap().contains(&0));
        assert!(group_ids("a\0b", 0).is_err());
    }
}
