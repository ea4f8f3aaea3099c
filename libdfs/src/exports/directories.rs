//! Reading directories and changing the name space.

use super::attributes::store_stat;
use super::{c_oid, guard, mount, not_null, open_node, parent_of, store, text};
use daos_api::Anchor;
use daos_dfs::entry::NAME_MAX;
use daos_dfs::errno::Errno;
use daos_dfs::mount::Ids;
use daos_dfs::node::name_buffer;
use daos_dfs::{dir, names};
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int, c_void};

export! { Errno;
    fn dfs_readdir(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        anchor: *mut sys::daos_anchor_t,
        nr: *mut u32,
        dirs: *mut sys::dirent,
    ) -> c_int {
        guard(|| {
            not_null(nr)?;
            not_null(anchor)?;
            not_null(dirs)?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                let mut position = Anchor(*anchor);
                let names = dir::read(mount(dfs)?, open_node(obj)?, &mut position, *nr as usize)?;
                for (at, name) in names.iter().enumerate() {
                    store_dirent(dirs.add(at), name, 0);
                }
                *nr = names.len() as u32;
                *anchor = position.0;
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_readdirplus(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        anchor: *mut sys::daos_anchor_t,
        nr: *mut u32,
        dirs: *mut sys::dirent,
        stbufs: *mut sys::stat,
    ) -> c_int {
        guard(|| {
            not_null(nr)?;
            not_null(anchor)?;
            not_null(dirs)?;
            not_null(stbufs)?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                let mut position = Anchor(*anchor);
                let entries = dir::read_with_stats(mount(dfs)?, open_node(obj)?, &mut position, *nr as usize)?;
                for (at, (name, stat)) in entries.iter().enumerate() {
                    store_dirent(dirs.add(at), name, stat.mode);
                    store_stat(stbufs.add(at), stat);
                }
                *nr = entries.len() as u32;
                *anchor = position.0;
            }
            Ok(())
        })
    }
}

/// Fills a C dirent's name, and type when the mode is known.
///
/// # Safety
/// Valid for a write.
unsafe fn store_dirent(out: *mut sys::dirent, name: &[u8], mode: u32) {
    let buffer = name_buffer(name);
    let out = out.cast::<libc::dirent>();
    // SAFETY: the caller's promise; `d_name` has 256 bytes, as the buffer.
    unsafe {
        (*out).d_type = ((mode & libc::S_IFMT) >> 12) as u8;
        std::ptr::copy_nonoverlapping(buffer.as_ptr().cast(), (&raw mut (*out).d_name).cast::<c_char>(), NAME_MAX + 1);
    }
}

export! { Errno;
    fn dfs_iterate(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        anchor: *mut sys::daos_anchor_t,
        nr: *mut u32,
        size: usize,
        op: sys::dfs_filler_cb_t,
        arg: *mut c_void,
    ) -> c_int {
        guard(|| {
            not_null(nr)?;
            not_null(anchor)?;
            let op = op.ok_or(Errno(libc::EINVAL))?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                if size == 0 || *nr == 0 {
                    return Ok(());
                }
                let mut position = Anchor(*anchor);
                let called = dir::iterate(mount(dfs)?, open_node(obj)?, &mut position, *nr as usize, size, |name| {
                    let buffer = name_buffer(name);
                    match op(dfs, obj, buffer.as_ptr().cast(), arg) {
                        0 => Ok(()),
                        stop => Errno::err(stop),
                    }
                })?;
                *nr = called as u32;
                *anchor = position.0;
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_mkdir(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        mode: sys::mode_t,
        cid: sys::daos_oclass_id_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let (mounted, name) = unsafe { (mount(dfs)?, text(name)?) };
            // SAFETY: likewise.
            names::mkdir(mounted, unsafe { parent_of(mounted, parent)? }, name, mode, cid, Ids::of_process())
        })
    }
}

export! { Errno;
    fn dfs_remove(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        force: bool,
        oid: *mut sys::daos_obj_id_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                let removed = names::remove(mounted, parent_of(mounted, parent)?, text(name)?, force)?;
                store(oid, c_oid(removed));
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_move(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        new_parent: *mut sys::dfs_obj_t,
        new_name: *const c_char,
        oid: *mut sys::daos_obj_id_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                let (from, to) = (parent_of(mounted, parent)?, parent_of(mounted, new_parent)?);
                if let Some(replaced) = names::rename(mounted, from, text(name)?, to, text(new_name)?)? {
                    store(oid, c_oid(replaced));
                }
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_exchange(
        dfs: *mut sys::dfs_t,
        parent1: *mut sys::dfs_obj_t,
        name1: *const c_char,
        parent2: *mut sys::dfs_obj_t,
        name2: *const c_char,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                let (one, other) = (parent_of(mounted, parent1)?, parent_of(mounted, parent2)?);
                names::exchange(mounted, one, text(name1)?, other, text(name2)?)
            }
        })
    }
}
