//! The C functions of `daos_fs.h`.
//!
//! Each checks its pointers, converts, calls the module that does the work and stores the result.
//! `dfs_t` is a boxed [`Dfs`], `dfs_obj_t` a boxed [`Node`]; both are the caller's from the call that gives them to the
//! one that takes them back (`dfs_umount`, `dfs_disconnect`, `dfs_release`).

mod attributes;
mod data;
mod directories;
mod mounts;
mod nodes;

use daos_common::ObjectId;
use daos_dfs::errno::{Errno, Result};
use daos_dfs::mount::Dfs;
use daos_dfs::node::Node;
use daos_sys as sys;
use libc::{c_char, c_int};
use std::ffi::CStr;

/// Runs a call's body: the errno it ends with. (A panic is the export fence's to catch.)
fn guard(body: impl FnOnce() -> Result<()>) -> c_int {
    body().err().map_or(0, |Errno(number)| number)
}

/// The mount behind a pointer.
///
/// # Safety
/// NULL, or from a call of this library that mounts and not yet unmounted.
unsafe fn mount<'a>(dfs: *mut sys::dfs_t) -> Result<&'a Dfs> {
    // SAFETY: the caller's promise.
    unsafe { dfs.cast::<Dfs>().as_ref() }.ok_or(Errno(libc::EINVAL))
}

/// The node behind a pointer.
///
/// # Safety
/// NULL, or from a call of this library that opens and not yet released.
unsafe fn open_node<'a>(node: *mut sys::dfs_obj_t) -> Result<&'a Node> {
    // SAFETY: the caller's promise.
    unsafe { node.cast::<Node>().as_ref() }.ok_or(Errno(libc::EINVAL))
}

/// A directory argument: NULL is the root.
///
/// # Safety
/// As [`open_node`].
unsafe fn parent_of(dfs: &Dfs, parent: *mut sys::dfs_obj_t) -> Result<&Node> {
    // SAFETY: the caller's promise.
    let parent: &Node = unsafe { parent.cast::<Node>().as_ref() }.unwrap_or(&dfs.root);
    parent.directory().map(|_| parent)
}

/// The bytes of a C string argument.
///
/// # Safety
/// NULL, or NUL-terminated.
unsafe fn text<'a>(text: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(text) }.ok_or(Errno(libc::EINVAL))
}

/// As [`text`]; `None` for NULL.
///
/// # Safety
/// As [`text`].
unsafe fn optional_text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Errno(libc::EINVAL))
}

/// Stores a result where the caller wants it.
///
/// # Safety
/// NULL, or valid for a write.
unsafe fn store<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller's promise.
        unsafe { out.write(value) };
    }
}

fn not_null<T>(pointer: *const T) -> Result<()> {
    if pointer.is_null() { Errno::err(libc::EINVAL) } else { Ok(()) }
}

/// A new node for the caller.
fn give(node: Node) -> *mut sys::dfs_obj_t {
    Box::into_raw(Box::new(node)).cast()
}

fn c_oid(oid: ObjectId) -> sys::daos_obj_id_t {
    sys::daos_obj_id_t { lo: oid.lo, hi: oid.hi }
}

/// The class that new objects get: the one set, or what the container would choose now.
fn class_or_default(dfs: &Dfs, class: u32, file: bool) -> Result<u32> {
    if class != 0 {
        return Ok(class);
    }
    let (kind, hint) = if file { (13, dfs.file_hint) } else { (0, dfs.dir_hint) };
    Ok(daos_api::generate_oid(dfs.cont, ObjectId { lo: 0, hi: 2 }, kind, 0, hint)?.class())
}

/// Gives bytes to a caller's iov: with no buffer the size wanted, ENOBUFS when it is too small.
///
/// # Safety
/// NULL, or a valid iov whose buffer has its length.
unsafe fn store_global(glob: *mut sys::d_iov_t, bytes: impl AsRef<[u8]>) -> Result<()> {
    let bytes = bytes.as_ref();
    // SAFETY: the caller's promise.
    let glob = unsafe { glob.as_mut() }.ok_or(Errno(libc::EINVAL))?;
    if glob.iov_buf.is_null() {
        glob.iov_buf_len = bytes.len();
        return Ok(());
    }
    if glob.iov_buf_len == 0 {
        return Errno::err(libc::EINVAL);
    }
    if glob.iov_buf_len < bytes.len() {
        glob.iov_buf_len = bytes.len();
        return Errno::err(libc::ENOBUFS);
    }
    // SAFETY: the buffer has room for them.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), glob.iov_buf.cast(), bytes.len()) };
    glob.iov_len = bytes.len();
    Ok(())
}

/// The bytes of a global handle.
///
/// # Safety
/// The iov's buffer is valid for its length.
unsafe fn global_bytes(glob: &sys::d_iov_t) -> Result<&[u8]> {
    if glob.iov_buf.is_null() || glob.iov_buf_len < glob.iov_len {
        return Errno::err(libc::EINVAL);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(glob.iov_buf.cast::<u8>(), glob.iov_len) })
}
