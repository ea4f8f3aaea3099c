//! Reading and writing files.

use super::{guard, mount, not_null, open_node, store};
use daos_common::ObjectId;
use daos_dfs::errno::{Errno, Result};
use daos_dfs::io;
use daos_export::export;
use daos_sys as sys;
use libc::c_int;

export! { Errno;
    fn dfs_read(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        sgl: *mut sys::d_sg_list_t,
        off: sys::daos_off_t,
        read_size: *mut sys::daos_size_t,
        ev: *mut sys::daos_event_t,
    ) -> c_int {
        guard(|| {
            not_null(read_size)?;
            // SAFETY: the caller's promise.
            unsafe { io::read(mount(dfs)?, open_node(obj)?, whole_range(sgl, off)?, sgl, read_size, ev) }
        })
    }
}

export! { Errno;
    fn dfs_readx(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        iod: *mut sys::dfs_iod_t,
        sgl: *mut sys::d_sg_list_t,
        read_size: *mut sys::daos_size_t,
        ev: *mut sys::daos_event_t,
    ) -> c_int {
        guard(|| {
            not_null(read_size)?;
            not_null(sgl)?;
            // SAFETY: the caller's promise.
            unsafe { io::read(mount(dfs)?, open_node(obj)?, ranges_of(iod)?, sgl, read_size, ev) }
        })
    }
}

export! { Errno;
    fn dfs_write(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        sgl: *mut sys::d_sg_list_t,
        off: sys::daos_off_t,
        ev: *mut sys::daos_event_t,
    ) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { io::write(mount(dfs)?, open_node(obj)?, whole_range(sgl, off)?, sgl, ev) })
    }
}

export! { Errno;
    fn dfs_writex(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        iod: *mut sys::dfs_iod_t,
        sgl: *mut sys::d_sg_list_t,
        ev: *mut sys::daos_event_t,
    ) -> c_int {
        guard(|| {
            not_null(sgl)?;
            // SAFETY: the caller's promise.
            unsafe { io::write(mount(dfs)?, open_node(obj)?, ranges_of(iod)?, sgl, ev) }
        })
    }
}

/// One range from `off` for all of a list's bytes; none when it has none.
///
/// # Safety
/// NULL, or a valid list with `sg_nr` iovs.
unsafe fn whole_range(sgl: *mut sys::d_sg_list_t, off: u64) -> Result<Vec<sys::daos_range_t>> {
    // SAFETY: the caller's promise.
    let list = unsafe { sgl.as_ref() }.ok_or(Errno(libc::EINVAL))?;
    if list.sg_nr > 0 {
        not_null(list.sg_iovs)?;
    }
    let mut bytes = 0u64;
    for at in 0..list.sg_nr as usize {
        // SAFETY: the list has `sg_nr` iovs.
        let iov = unsafe { &*list.sg_iovs.add(at) };
        bytes = bytes.checked_add(iov.iov_len as u64).ok_or(Errno(libc::EINVAL))?;
    }
    if off.checked_add(bytes).is_none() {
        return Errno::err(libc::EINVAL);
    }
    Ok(if bytes == 0 { Vec::new() } else { vec![sys::daos_range_t { rg_idx: off, rg_len: bytes }] })
}

/// The ranges of a C descriptor.
///
/// # Safety
/// NULL, or a valid descriptor with `iod_nr` ranges.
unsafe fn ranges_of(iod: *mut sys::dfs_iod_t) -> Result<Vec<sys::daos_range_t>> {
    // SAFETY: the caller's promise.
    let iod = unsafe { iod.as_ref() }.ok_or(Errno(libc::EINVAL))?;
    if iod.iod_nr == 0 {
        return Ok(Vec::new());
    }
    not_null(iod.iod_rgs)?;
    // SAFETY: the descriptor has `iod_nr` ranges.
    let ranges = unsafe { std::slice::from_raw_parts(iod.iod_rgs, iod.iod_nr as usize) };
    Ok(ranges.iter().map(|range| sys::daos_range_t { rg_idx: range.rg_idx, rg_len: range.rg_len }).collect())
}

export! { Errno;
    fn dfs_get_size(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        size: *mut sys::daos_size_t,
    ) -> c_int {
        guard(|| {
            not_null(size)?;
            // SAFETY: the caller's promise.
            unsafe { store(size, open_node(obj)?.file()?.size(mount(dfs)?.tx)?) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_get_size_by_oid(
        dfs: *mut sys::dfs_t,
        oid: sys::daos_obj_id_t,
        chunk_size: sys::daos_size_t,
        size: *mut sys::daos_size_t,
    ) -> c_int {
        guard(|| {
            not_null(size)?;
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            let oid = ObjectId { lo: oid.lo, hi: oid.hi };
            if oid.type_byte() != 13 {
                return Errno::err(libc::EINVAL);
            }
            let chunk = if chunk_size == 0 { mounted.attributes.chunk_bytes } else { chunk_size };
            let mode = daos_api::ObjectMode::ReadOnly;
            let array = daos_api::Array::open_with_attr(mounted.cont, oid, mounted.tx, mode, 1, chunk)?;
            // SAFETY: checked above.
            unsafe { store(size, array.size(mounted.tx)?) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_punch(
        dfs: *mut sys::dfs_t,
        obj: *mut sys::dfs_obj_t,
        offset: sys::daos_off_t,
        len: sys::daos_size_t,
    ) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { io::punch(mount(dfs)?, open_node(obj)?, offset, len) })
    }
}

export! { Errno;
    fn dfs_sync(dfs: *mut sys::dfs_t) -> c_int {
        // An update is durable when it is acknowledged: there is nothing left to flush.
        // SAFETY: the caller's promise.
        guard(|| unsafe { mount(dfs) }?.check_writable())
    }
}
