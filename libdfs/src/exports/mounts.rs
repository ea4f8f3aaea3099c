//! Mounting, connecting, making containers; the handles behind a mount.

use super::{class_or_default, global_bytes, guard, mount, not_null, optional_text, store, store_global, text, utf8};
use daos_api::{ContRef, PoolRef, PropList};
use daos_common::ids::EPOCH_MAX;
use daos_dfs::entry::PATH_MAX;
use daos_dfs::errno::{Errno, Result};
use daos_dfs::mount::{Dfs, Moment, Owner};
use daos_dfs::superblock::{Attributes, HINT_MAX_BYTES};
use daos_dfs::{cont, global};
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int};
use std::sync::atomic::{AtomicU32, Ordering};

static INITIALISED: AtomicU32 = AtomicU32::new(0);

export! { Errno;
    fn dfs_init() -> c_int {
        guard(|| {
            daos_api::init()?;
            INITIALISED.fetch_add(1, Ordering::AcqRel);
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_fini() -> c_int {
        guard(|| {
            let before = INITIALISED.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1));
            before.map_err(|_| Errno(libc::EINVAL))?;
            Ok(daos_api::fini()?)
        })
    }
}

export! { Errno;
    fn dfs_mount(
        poh: sys::daos_handle_t,
        coh: sys::daos_handle_t,
        flags: c_int,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        guard(|| {
            not_null(dfs)?;
            let mounted = Dfs::mount(PoolRef::from_raw(poh), ContRef::from_raw(coh), flags, EPOCH_MAX)?;
            // SAFETY: checked above.
            unsafe { store(dfs, Box::into_raw(Box::new(mounted)).cast()) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_mount_snap(
        poh: sys::daos_handle_t,
        coh: sys::daos_handle_t,
        _flags: c_int,
        epoch: sys::daos_epoch_t,
        name: *const c_char,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        guard(|| {
            not_null(dfs)?;
            // SAFETY: the caller's promise.
            let name = unsafe { optional_text(name) }.map(utf8).transpose()?;
            let epoch = Moment::of_snapshot(epoch, name)?.epoch(ContRef::from_raw(coh))?;
            let mounted = Dfs::mount(PoolRef::from_raw(poh), ContRef::from_raw(coh), libc::O_RDONLY, epoch)?;
            // SAFETY: checked above.
            unsafe { store(dfs, Box::into_raw(Box::new(mounted)).cast()) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_umount(dfs: *mut sys::dfs_t) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            if mounted.owner != Owner::Caller {
                return Errno::err(libc::EINVAL);
            }
            if mounted.handles_in_use() {
                return Errno::err(libc::EBUSY);
            }
            // SAFETY: it came from a box, and the caller gives it back here.
            drop(unsafe { Box::from_raw(dfs.cast::<Dfs>()) });
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_connect(
        pool: *const c_char,
        sys_name: *const c_char,
        cont: *const c_char,
        flags: c_int,
        attr: *mut sys::dfs_attr_t,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { connect(pool, sys_name, cont, flags, Moment::Newest, attr, dfs) })
    }
}

export! { Errno;
    fn dfs_connect_snap(
        pool: *const c_char,
        sys_name: *const c_char,
        cont: *const c_char,
        _flags: c_int,
        epoch: sys::daos_epoch_t,
        name: *const c_char,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let name = unsafe { optional_text(name) }.map(utf8).transpose()?;
            let moment = Moment::of_snapshot(epoch, name)?;
            // SAFETY: as above.
            unsafe { connect(pool, sys_name, cont, libc::O_RDONLY, moment, std::ptr::null_mut(), dfs) }
        })
    }
}

/// What both forms of `dfs_connect` do.
///
/// # Safety
/// Each pointer is as `daos_fs.h` asks.
unsafe fn connect(
    pool: *const c_char,
    system: *const c_char,
    cont: *const c_char,
    flags: c_int,
    moment: Moment<'_>,
    attr: *mut sys::dfs_attr_t,
    dfs: *mut *mut sys::dfs_t,
) -> Result<()> {
    not_null(dfs)?;
    if INITIALISED.load(Ordering::Acquire) == 0 {
        return Errno::err(libc::EACCES);
    }
    // SAFETY: the caller's promise for every pointer.
    unsafe {
        let (pool, cont) = (utf8(text(pool)?)?, utf8(text(cont)?)?);
        let system = optional_text(system).map(utf8).transpose()?;
        let (attributes, props) = attributes_from(attr)?;
        let mounted = cont::connect(pool, system, cont, flags, moment, &attributes, props)?;
        store(dfs, Box::into_raw(Box::new(mounted)).cast());
    }
    Ok(())
}

export! { Errno;
    fn dfs_disconnect(dfs: *mut sys::dfs_t) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            if mounted.owner != Owner::Library {
                return Errno::err(libc::EINVAL);
            }
            if mounted.handles_in_use() {
                return Errno::err(libc::EBUSY);
            }
            // SAFETY: it came from a box, and the caller gives it back here.
            cont::disconnect(unsafe { Box::from_raw(dfs.cast::<Dfs>()) });
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_destroy(
        pool: *const c_char,
        sys_name: *const c_char,
        cont: *const c_char,
        force: c_int,
        ev: *mut sys::daos_event_t,
    ) -> c_int {
        guard(|| {
            if INITIALISED.load(Ordering::Acquire) == 0 {
                return Errno::err(libc::EACCES);
            }
            if !ev.is_null() {
                // The pool connection of this call would have to outlive it.
                return Errno::err(libc::ENOTSUP);
            }
            // SAFETY: the caller's promise.
            let (pool, cont, system) = unsafe { (text(pool)?, text(cont)?, optional_text(sys_name)) };
            let pool = daos_api::Pool::connect(utf8(pool)?, system.map(utf8).transpose()?, true)?;
            Ok(daos_api::Container::destroy(pool.as_ref(), utf8(cont)?, force != 0)?)
        })
    }
}

export! { Errno;
    fn dfs_cont_create(
        poh: sys::daos_handle_t,
        uuid: *mut sys::uuid_t,
        attr: *mut sys::dfs_attr_t,
        coh: *mut sys::daos_handle_t,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        guard(|| {
            not_null(uuid)?;
            // SAFETY: the caller's promise.
            unsafe { create_container(poh, None, attr, uuid, coh, dfs) }
        })
    }
}

export! { Errno;
    fn dfs_cont_create_with_label(
        poh: sys::daos_handle_t,
        label: *const c_char,
        attr: *mut sys::dfs_attr_t,
        uuid: *mut sys::uuid_t,
        coh: *mut sys::daos_handle_t,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            unsafe { create_container(poh, Some(utf8(text(label)?)?), attr, uuid, coh, dfs) }
        })
    }
}

/// What both forms of `dfs_cont_create` do.
///
/// # Safety
/// Each pointer is as `daos_fs.h` asks.
unsafe fn create_container(
    poh: sys::daos_handle_t,
    label: Option<&str>,
    attr: *mut sys::dfs_attr_t,
    uuid: *mut sys::uuid_t,
    coh: *mut sys::daos_handle_t,
    dfs: *mut *mut sys::dfs_t,
) -> Result<()> {
    if !dfs.is_null() && coh.is_null() {
        return Errno::err(libc::EINVAL);
    }
    let pool = PoolRef::from_raw(poh);
    // SAFETY: the caller's promise.
    let (attributes, mut props) = unsafe { attributes_from(attr) }?;
    if let Some(label) = label {
        props.set_text(daos_dfs::mount::prop::LABEL, label)?;
    }
    let (made, opened) = cont::create(pool, props, &attributes)?;
    let mode = libc::O_RDWR | attributes.mode as c_int;
    let mounted = if dfs.is_null() { None } else { Some(Dfs::mount(pool, opened.as_ref(), mode, EPOCH_MAX)?) };
    // SAFETY: the caller's promise.
    unsafe {
        store(uuid, *made.as_bytes());
        if let Some(mounted) = mounted {
            store(dfs, Box::into_raw(Box::new(mounted)).cast());
        }
        if !coh.is_null() {
            store(coh, opened.into_raw());
        }
    }
    Ok(())
}

/// Attributes and properties from a C structure; NULL for none.
///
/// # Safety
/// NULL, or valid with its property list for the life of the result.
unsafe fn attributes_from(attr: *mut sys::dfs_attr_t) -> Result<(Attributes, PropList)> {
    let mut props = PropList::new();
    // SAFETY: the caller's promise.
    let Some(attr) = (unsafe { attr.as_ref() }) else { return Ok((Attributes::default(), props)) };
    // SAFETY: likewise.
    if let Some(list) = unsafe { attr.da_props.as_ref() } {
        for at in 0..list.dpp_nr as usize {
            // SAFETY: the list has `dpp_nr` entries.
            unsafe { props.add_raw(&*list.dpp_entries.add(at)) };
        }
    }
    let hints: Vec<u8> = attr.da_hints.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    if hints.len() >= HINT_MAX_BYTES {
        return Errno::err(libc::EINVAL);
    }
    Ok((
        Attributes {
            id: attr.da_id,
            chunk_bytes: attr.da_chunk_size,
            class: attr.da_oclass_id,
            dir_class: attr.da_dir_oclass_id,
            file_class: attr.da_file_oclass_id,
            mode: attr.da_mode,
            hints: utf8(&hints)?.to_owned(),
        },
        props,
    ))
}

export! { Errno;
    fn dfs_query(dfs: *mut sys::dfs_t, attr: *mut sys::dfs_attr_t) -> c_int {
        guard(|| {
            not_null(attr)?;
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            let attributes = &mounted.attributes;
            // SAFETY: plain data.
            let mut out: sys::dfs_attr_t = unsafe { std::mem::zeroed() };
            out.da_id = attributes.id;
            out.da_chunk_size = attributes.chunk_bytes;
            out.da_oclass_id = attributes.class;
            out.da_mode = attributes.mode;
            out.da_dir_oclass_id = class_or_default(mounted, attributes.dir_class, false)?;
            out.da_file_oclass_id = class_or_default(mounted, attributes.file_class, true)?;
            for (to, from) in out.da_hints.iter_mut().zip(attributes.hints.bytes().take(HINT_MAX_BYTES - 1)) {
                *to = from as _;
            }
            // SAFETY: checked above.
            unsafe { store(attr, out) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_pool_get(dfs: *mut sys::dfs_t, poh: *mut sys::daos_handle_t) -> c_int {
        guard(|| {
            not_null(poh)?;
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            mounted.pool_users.fetch_add(1, Ordering::AcqRel);
            // SAFETY: checked above.
            unsafe { store(poh, mounted.pool.raw()) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_pool_put(dfs: *mut sys::dfs_t, poh: sys::daos_handle_t) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            put_handle(&mounted.pool_users, mounted.pool.raw().cookie == poh.cookie)
        })
    }
}

export! { Errno;
    fn dfs_cont_get(dfs: *mut sys::dfs_t, coh: *mut sys::daos_handle_t) -> c_int {
        guard(|| {
            not_null(coh)?;
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            mounted.cont_users.fetch_add(1, Ordering::AcqRel);
            // SAFETY: checked above.
            unsafe { store(coh, mounted.cont.raw()) };
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_cont_put(dfs: *mut sys::dfs_t, coh: sys::daos_handle_t) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let mounted = unsafe { mount(dfs) }?;
            put_handle(&mounted.cont_users, mounted.cont.raw().cookie == coh.cookie)
        })
    }
}

fn put_handle(users: &AtomicU32, same: bool) -> Result<()> {
    let returned =
        same && users.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1)).is_ok();
    if returned { Ok(()) } else { Errno::err(libc::EINVAL) }
}

export! { Errno;
    fn dfs_set_prefix(dfs: *mut sys::dfs_t, prefix: *const c_char) -> c_int {
        guard(|| {
            // SAFETY: the caller's promise.
            let (mounted, prefix) = unsafe { (mount(dfs)?, optional_text(prefix)) };
            let mut prefix = prefix.unwrap_or_default().to_vec();
            if !prefix.is_empty() && (prefix[0] != b'/' || prefix.len() >= PATH_MAX) {
                return Errno::err(libc::EINVAL);
            }
            if prefix.last() == Some(&b'/') {
                prefix.pop();
            }
            *mounted.prefix.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = prefix;
            Ok(())
        })
    }
}

export! { Errno;
    fn dfs_local2global(dfs: *mut sys::dfs_t, glob: *mut sys::d_iov_t) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { store_global(glob, global::pack_mount(mount(dfs)?)) })
    }
}

export! { Errno;
    fn dfs_global2local(
        poh: sys::daos_handle_t,
        coh: sys::daos_handle_t,
        flags: c_int,
        glob: sys::d_iov_t,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        guard(|| {
            not_null(dfs)?;
            let (pool, cont) = (PoolRef::from_raw(poh), ContRef::from_raw(coh));
            // SAFETY: the caller's promise.
            let bytes = unsafe { global_bytes(&glob) }?;
            let uuid = cont.query(&mut PropList::new())?.uuid;
            let mounted = global::unpack_mount(pool, cont, uuid, flags, bytes)?;
            // SAFETY: checked above.
            unsafe { store(dfs, Box::into_raw(Box::new(mounted)).cast()) };
            Ok(())
        })
    }
}
