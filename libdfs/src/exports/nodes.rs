//! Looking up, opening and releasing nodes; what an open node knows of itself.

use super::attributes::store_stat;
use super::{
    c_oid, class_or_default, give, global_bytes, guard, mount, not_null, open_node, optional_text, parent_of, store,
    store_global, text,
};
use daos_dfs::entry::NAME_MAX;
use daos_dfs::errno::{Errno, Result};
use daos_dfs::mount::{Dfs, Ids};
use daos_dfs::node::{self, Node, NodeKind, OpenRequest};
use daos_dfs::{attr, global, lookup};
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int};

export! { Errno;
    fn dfs_obj_local2global(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        glob: *mut sys::d_iov_t,
    ) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { store_global(glob, global::pack_node(mount(dfs)?, open_node(obj)?)?) })
    }
}

export! { Errno;
    fn dfs_obj_global2local(
        dfs: *mut sys::dfs_t,
        flags: c_int,
        glob: sys::d_iov_t,
        obj: *mut *mut sys::dfs_obj_t,
    ) -> c_int {
        guard(|| {
            not_null(obj)?;
            // SAFETY: the caller's promise.
            unsafe { store(obj, give(global::unpack_node(mount(dfs)?, flags, global_bytes(&glob)?)?)) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_lookup(
        dfs: *mut sys::dfs_t,
        path: *const c_char,
        flags: c_int,
        obj: *mut *mut sys::dfs_obj_t,
        mode: *mut sys::mode_t,
        stbuf: *mut sys::stat,
    ) -> c_int {
        guard(|| {
            not_null(obj)?;
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                store_found(mounted, lookup::lookup(mounted, text(path)?, flags)?, obj, mode, stbuf)
            }
        })
    }
}

export! { Errno;
    fn dfs_lookup_rel(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        flags: c_int,
        obj: *mut *mut sys::dfs_obj_t,
        mode: *mut sys::mode_t,
        stbuf: *mut sys::stat,
    ) -> c_int {
        guard(|| {
            not_null(obj)?;
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                let found = lookup::lookup_in(mounted, parent_of(mounted, parent)?, text(name)?, flags)?;
                store_found(mounted, found, obj, mode, stbuf)
            }
        })
    }
}

/// Gives what was looked up to the caller.
///
/// # Safety
/// `obj` is valid for a write; `mode` and `stbuf` are, or NULL.
unsafe fn store_found(
    dfs: &Dfs,
    found: lookup::Found,
    obj: *mut *mut sys::dfs_obj_t,
    mode: *mut sys::mode_t,
    stbuf: *mut sys::stat,
) -> Result<()> {
    let stat = if stbuf.is_null() { None } else { Some(attr::of_inode(dfs, &found.inode, Some(&found.node))?) };
    // SAFETY: the caller's promise.
    unsafe {
        store(mode, found.node.mode);
        if let Some(stat) = stat {
            store_stat(stbuf, &stat);
        }
        store(obj, give(found.node));
    }
    Ok(())
}

export! { Errno;
    fn dfs_open(
        dfs: *mut sys::dfs_t,
        parent: *mut sys::dfs_obj_t,
        name: *const c_char,
        mode: sys::mode_t,
        flags: c_int,
        cid: sys::daos_oclass_id_t,
        chunk_size: sys::daos_size_t,
        value: *const c_char,
        obj: *mut *mut sys::dfs_obj_t,
    ) -> c_int {
        guard(|| {
            not_null(obj)?;
            // SAFETY: the caller's promise.
            unsafe {
                let mounted = mount(dfs)?;
                let request = OpenRequest {
                    mode,
                    flags,
                    class: cid,
                    chunk_bytes: chunk_size,
                    target: optional_text(value),
                    owner: Ids::of_process(),
                };
                let (opened, _) = node::open(mounted, parent_of(mounted, parent)?, text(name)?, request)?;
                store(obj, give(opened));
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_dup(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        flags: c_int,
        new_obj: *mut *mut sys::dfs_obj_t,
    ) -> c_int {
        guard(|| {
            not_null(new_obj)?;
            if flags & libc::O_APPEND != 0 {
                return Errno::err(libc::ENOTSUP);
            }
            // SAFETY: the caller's promise.
            unsafe { store(new_obj, give(open_node(obj)?.duplicate(mount(dfs)?, flags)?)) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_release(obj: *mut sys::dfs_obj_t) -> c_int {
        guard(|| {
            not_null(obj)?;
            // SAFETY: it came from a box, and the caller gives it back here.
            drop(unsafe { Box::from_raw(obj.cast::<Node>()) });
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_obj2id(obj: *mut sys::dfs_obj_t, oid: *mut sys::daos_obj_id_t) -> c_int {
        guard(|| {
            not_null(oid)?;
            // SAFETY: the caller's promise.
            unsafe { store(oid, c_oid(open_node(obj)?.oid)) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_get_mode(obj: *mut sys::dfs_obj_t, mode: *mut sys::mode_t) -> c_int {
        guard(|| {
            not_null(mode)?;
            // SAFETY: the caller's promise.
            unsafe { store(mode, open_node(obj)?.mode) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_get_file_oh(obj: *mut sys::dfs_obj_t, oh: *mut sys::daos_handle_t) -> c_int {
        guard(|| {
            not_null(oh)?;
            // SAFETY: the caller's promise.
            unsafe { store(oh, open_node(obj)?.file()?.raw()) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_get_chunk_size(obj: *mut sys::dfs_obj_t, chunk_size: *mut sys::daos_size_t) -> c_int {
        guard(|| {
            not_null(chunk_size)?;
            // SAFETY: the caller's promise.
            unsafe { store(chunk_size, open_node(obj)?.file()?.chunk_cells()?) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_get_symlink_value(
        obj: *mut sys::dfs_obj_t,
        buf: *mut c_char,
        size: *mut sys::daos_size_t,
    ) -> c_int {
        guard(|| {
            not_null(size)?;
            // SAFETY: checked, and the caller's promise.
            unsafe {
                let NodeKind::Symlink(target) = &open_node(obj)?.kind else { return Errno::err(libc::EINVAL) };
                // The size counts the NUL; a smaller buffer gets as much as fits, without one.
                if !buf.is_null() && *size > 0 {
                    let copied = target.len().min(*size as usize);
                    std::ptr::copy_nonoverlapping(target.as_ptr().cast(), buf, copied);
                    if copied < *size as usize {
                        *buf.add(copied) = 0;
                    }
                }
                *size = target.len() as u64 + 1;
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_obj_get_info(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        info: *mut sys::dfs_obj_info_t,
    ) -> c_int {
        guard(|| {
            not_null(info)?;
            // SAFETY: the caller's promise; the structure is plain data.
            unsafe {
                let (mounted, node) = (mount(dfs)?, open_node(obj)?);
                let mut out: sys::dfs_obj_info_t = std::mem::zeroed();
                out.doi_oid = c_oid(node.oid);
                match &node.kind {
                    NodeKind::File(array) => {
                        out.doi_oclass_id = node.oid.class();
                        out.doi_chunk_size = array.chunk_cells()?;
                    }
                    NodeKind::Directory(directory) => {
                        let attributes = &mounted.attributes;
                        out.doi_oclass_id = node.oid.class();
                        let dirs = if directory.class >> 24 >= 32 { 0 } else { directory.class };
                        let pick = |own: u32, default: u32| if own == 0 { default } else { own };
                        out.doi_dir_oclass_id = class_or_default(mounted, pick(dirs, attributes.dir_class), false)?;
                        out.doi_file_oclass_id =
                            class_or_default(mounted, pick(directory.class, attributes.file_class), true)?;
                        out.doi_chunk_size =
                            if directory.chunk_bytes == 0 { attributes.chunk_bytes } else { directory.chunk_bytes };
                    }
                    NodeKind::Symlink(_) => {}
                }
                store(info, out);
            }
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_update_parent(
        obj: *mut sys::dfs_obj_t,
        src_obj: *mut sys::dfs_obj_t,
        name: *const c_char,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise, who makes no other call on `obj` meanwhile.
            unsafe {
                let parent = open_node(src_obj)?.parent_oid;
                let node = obj.cast::<Node>().as_mut().ok_or(Errno(libc::EINVAL))?;
                node.parent_oid = parent;
                if let Some(name) = optional_text(name) {
                    node.name = name[..name.len().min(NAME_MAX)].to_vec();
                }
            }
            Ok(())
        })
    }
}
