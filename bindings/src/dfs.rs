//! The two things about POSIX containers that a tool does without mounting them for use: making one, and asking how
//! it was made. A program that calls these links `libdfs.so` too.

use crate::{Container, PoolRef, PropList};
use daos_common::{Der, Error, Result};
use daos_sys as sys;
use std::ptr;
use uuid::Uuid;

/// How a POSIX container lays out its objects; 0 and empty leave the choice to the library.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DfsAttributes {
    /// Bytes of a file's chunk.
    pub chunk_bytes: u64,
    /// Object class of everything that has no other.
    pub class: u32,
    /// Object class of directories.
    pub dir_class: u32,
    /// Object class of files.
    pub file_class: u32,
    /// Consistency: relaxed 0, balanced 4.
    pub mode: u32,
    /// Hints, e.g. `file:max,dir:single`.
    pub hints: String,
}

/// Makes a POSIX container; `props` may hold any container property.
///
/// # Errors
/// `EXIST`: the label is taken; `INVAL`: a class, hint or property that doesn't fit; `NO_PERM`, `NOSPACE`.
pub fn create_posix(pool: PoolRef, props: &mut PropList, wanted: &DfsAttributes) -> Result<Uuid> {
    let mut attributes = sys::dfs_attr_t {
        da_chunk_size: wanted.chunk_bytes,
        da_oclass_id: wanted.class,
        da_dir_oclass_id: wanted.dir_class,
        da_file_oclass_id: wanted.file_class,
        da_mode: wanted.mode,
        da_props: props.raw(),
        ..Default::default()
    };
    if wanted.hints.len() >= attributes.da_hints.len() {
        return Err(Der::INVAL.err(format!("hints of {} bytes are too long", wanted.hints.len())));
    }
    for (place, byte) in attributes.da_hints.iter_mut().zip(wanted.hints.bytes()) {
        *place = byte as std::ffi::c_char;
    }
    let mut uuid: sys::uuid_t = [0; 16];
    // SAFETY: attributes, properties and the place of the UUID live through the call; no handles are asked for.
    let rc = unsafe { sys::dfs_cont_create(pool.raw(), &mut uuid, &mut attributes, ptr::null_mut(), ptr::null_mut()) };
    check_errno(rc, "dfs_cont_create")?;
    Ok(Uuid::from_bytes(uuid))
}

/// How an open POSIX container was made.
///
/// # Errors
/// `INVAL`: it isn't a POSIX container, or has no file system in it; `NO_PERM`.
pub fn query_posix(pool: PoolRef, cont: &Container) -> Result<DfsAttributes> {
    let mut dfs: *mut sys::dfs_t = ptr::null_mut();
    // SAFETY: the place of the result lives through the call.
    let rc = unsafe { sys::dfs_mount(pool.raw(), cont.as_ref().raw(), libc::O_RDONLY, &mut dfs) };
    check_errno(rc, "dfs_mount")?;
    let mut attributes = sys::dfs_attr_t::default();
    // SAFETY: the mount is ours, and is not used after its unmount.
    let rc = unsafe {
        let rc = sys::dfs_query(dfs, &mut attributes);
        sys::dfs_umount(dfs);
        rc
    };
    check_errno(rc, "dfs_query")?;
    let hints: Vec<u8> = attributes.da_hints.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
    Ok(DfsAttributes {
        chunk_bytes: attributes.da_chunk_size,
        class: attributes.da_oclass_id,
        dir_class: attributes.da_dir_oclass_id,
        file_class: attributes.da_file_oclass_id,
        mode: attributes.da_mode,
        hints: String::from_utf8_lossy(&hints).into_owned(),
    })
}

/// Turns an errno value that a DFS call returned into a result.
fn check_errno(rc: i32, what: &str) -> Result<()> {
    let code = match rc {
        0 => return Ok(()),
        libc::EPERM | libc::EACCES | libc::EROFS => Der::NO_PERM,
        libc::ENOENT => Der::NONEXIST,
        libc::EEXIST => Der::EXIST,
        libc::EINVAL => Der::INVAL,
        libc::ENOSPC => Der::NOSPACE,
        libc::ENOMEM => Der::NOMEM,
        libc::EBUSY => Der::BUSY,
        libc::ETIMEDOUT => Der::TIMEDOUT,
        libc::EHOSTUNREACH => Der::UNREACH,
        libc::ENOTSUP => Der::NOTSUPPORTED,
        libc::ENOSYS => Der::NOSYS,
        libc::EIO => Der::IO,
        _ => Der::MISC,
    };
    Err(Error::new(code, format!("{what}: {}", std::io::Error::from_raw_os_error(rc))))
}
