//! Attributes and extended attributes.

use super::{guard, mount, not_null, open_node, optional_text, parent_of, text};
use daos_dfs::attr::{self, Change, Stat};
use daos_dfs::entry::Time;
use daos_dfs::errno::{Errno, Result};
use daos_dfs::node::{Node, NodeKind};
use daos_dfs::xattr;
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int, c_void};

/// Fills a C stat.
///
/// # Safety
/// `out` is valid for a write.
pub(super) unsafe fn store_stat(out: *mut sys::stat, stat: &Stat) {
    // SAFETY: `struct stat` is plain data.
    let mut c: libc::stat = unsafe { std::mem::zeroed() };
    let atime = stat.mtime.max(stat.ctime);
    c.st_mode = stat.mode;
    c.st_nlink = 1;
    c.st_uid = stat.uid;
    c.st_gid = stat.gid;
    c.st_size = stat.size as i64;
    c.st_blksize = stat.block_bytes as _;
    c.st_blocks = stat.blocks as i64;
    (c.st_mtime, c.st_mtime_nsec) = (stat.mtime.seconds as i64, stat.mtime.nanos as i64);
    (c.st_ctime, c.st_ctime_nsec) = (stat.ctime.seconds as i64, stat.ctime.nanos as i64);
    (c.st_atime, c.st_atime_nsec) = (atime.seconds as i64, atime.nanos as i64);
    // SAFETY: the caller's promise; both names are the system's `struct stat`.
    unsafe { out.cast::<libc::stat>().write(c) };
}

export! { Errno;
    fn dfs_stat(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        stbuf: *mut sys::stat,
    ) -> c_int {
        guard(|| {
            not_null(stbuf)?;
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                store_stat(stbuf, &attr::stat(mounted, parent_of(mounted, parent)?, optional_text(name))?);
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_ostat(dfs: *mut sys::dfs_t, obj: *mut sys::dfs_obj_t, stbuf: *mut sys::stat) -> c_int {
        guard(|| {
            not_null(stbuf)?;
            // SAFETY: the caller's promise.
            unsafe { store_stat(stbuf, &attr::stat_node(mount(dfs)?, open_node(obj)?)?) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_osetattr(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        stbuf: *mut sys::stat,
        flags: c_int,
    ) -> c_int {
        guard(|| {
            not_null(stbuf)?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                let change = change_from(&*stbuf.cast::<libc::stat>(), flags)?;
                store_stat(stbuf, &attr::set(mount(dfs)?, open_node(obj)?, change)?);
            }
            Ok(())
        })
    }
}

/// What `DFS_SET_ATTR_*` bits take from a stat. Setting atime is accepted and does nothing: it is not kept.
///
/// # Errors
/// EINVAL: an unknown bit.
fn change_from(stat: &libc::stat, flags: c_int) -> Result<Change> {
    const MODE: c_int = 1;
    const ATIME: c_int = 2;
    const MTIME: c_int = 4;
    const SIZE: c_int = 8;
    const UID: c_int = 16;
    const GID: c_int = 32;
    if flags & !(MODE | ATIME | MTIME | SIZE | UID | GID) != 0 {
        return Errno::err(libc::EINVAL);
    }
    let wanted = |bit: c_int| flags & bit != 0;
    let mtime = Time { seconds: stat.st_mtime as u64, nanos: stat.st_mtime_nsec as u64 };
    Ok(Change {
        mode: wanted(MODE).then_some(stat.st_mode),
        mtime: wanted(MTIME).then_some(mtime),
        size: wanted(SIZE).then_some(stat.st_size as u64),
        uid: wanted(UID).then_some(stat.st_uid),
        gid: wanted(GID).then_some(stat.st_gid),
    })
}

export! { Errno;
    fn dfs_access(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        mask: c_int,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                attr::access(mounted, parent_of(mounted, parent)?, optional_text(name), mask)
            }
        })
    }
}

export! { Errno;
    fn dfs_chmod(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        mode: sys::mode_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                attr::chmod(mounted, parent_of(mounted, parent)?, optional_text(name), mode)
            }
        })
    }
}

export! { Errno;
    fn dfs_chown(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        uid: sys::uid_t,
        gid: sys::gid_t,
        flags: c_int,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                attr::chown(mounted, parent_of(mounted, parent)?, optional_text(name), uid, gid, flags)
            }
        })
    }
}

export! { Errno;
    fn dfs_setxattr(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        name: *const c_char,
        value: *const c_void,
        size: sys::daos_size_t,
        flags: c_int,
    ) -> c_int {
        guard(|| {
            if size > 0 {
                not_null(value)?;
            }
            // SAFETY: the caller's promise.
            unsafe {
                let value = if size == 0 { &[][..] } else { std::slice::from_raw_parts(value.cast::<u8>(), size as usize) };
                xattr::set(mount(dfs)?, open_node(obj)?, text(name)?, value, flags)
            }
        })
    }
}

export! { Errno;
    fn dfs_getxattr(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        name: *const c_char,
        value: *mut c_void,
        size: *mut sys::daos_size_t,
    ) -> c_int {
        guard(|| {
            not_null(size)?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                let room: &mut [u8] = if value.is_null() || *size == 0 {
                    &mut []
                } else {
                    std::slice::from_raw_parts_mut(value.cast::<u8>(), *size as usize)
                };
                *size = xattr::get(mount(dfs)?, open_node(obj)?, text(name)?, room)? as u64;
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_removexattr(dfs: *mut sys::dfs_t, obj: *mut sys::dfs_obj_t, name: *const c_char) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { xattr::remove(mount(dfs)?, open_node(obj)?, text(name)?) })
    }
}

export! { Errno;
    fn dfs_listxattr(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        list: *mut c_char,
        size: *mut sys::daos_size_t,
    ) -> c_int {
        guard(|| {
            not_null(size)?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                let names = xattr::list(mount(dfs)?, open_node(obj)?)?;
                let room = if list.is_null() { 0 } else { *size as usize };
                std::ptr::copy_nonoverlapping(names.as_ptr().cast(), list, names.len().min(room));
                *size = names.len() as u64;
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_obj_set_chunk_size(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        _flags: c_int,
        csize: sys::daos_size_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let (mounted, node) = unsafe { (mount(dfs)?, open_node(obj)?) };
            attr::set_inherited(mounted, node, Some(csize), None)?;
            // SAFETY: the node is the caller's, who makes no other call on it meanwhile.
            if let NodeKind::Directory(directory) = unsafe { &mut (*obj.cast::<Node>()).kind } {
                directory.chunk_bytes = csize;
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_obj_set_oclass(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        _flags: c_int,
        cid: sys::daos_oclass_id_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let (mounted, node) = unsafe { (mount(dfs)?, open_node(obj)?) };
            attr::set_inherited(mounted, node, None, Some(cid))?;
            // SAFETY: as in `dfs_obj_set_chunk_size`.
            if let NodeKind::Directory(directory) = unsafe { &mut (*obj.cast::<Node>()).kind } {
                directory.class = cid;
            }
            Ok(())
        })
    }
}
