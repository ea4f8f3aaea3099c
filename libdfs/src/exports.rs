//! The C functions of `daos_fs.h`.
//!
//! Each checks its pointers, converts, calls the module that does the work and stores the result.
//! `dfs_t` is a boxed [`Dfs`], `dfs_obj_t` a boxed [`Node`]; both are the caller's from the call that gives them to the
//! one that takes them back (`dfs_umount`, `dfs_disconnect`, `dfs_release`).

use crate::attr::{self, Change, Stat};
use crate::entry::{NAME_MAX, PATH_MAX, Time};
use crate::errno::{Errno, Result};
use crate::mount::{Dfs, Owner};
use crate::node::{self, Node, NodeKind, OpenRequest, name_buffer};
use crate::superblock::{Attributes, HINT_MAX_BYTES};
use crate::{cont, dir, global, io, lookup, names, xattr};
use daos_api::{Anchor, ContRef, PoolRef, PropList};
use daos_common::ObjectId;
use daos_common::ids::EPOCH_MAX;
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int, c_void};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs a call's body: the errno it ends with. (A panic is the export fence's to catch.)
pub(crate) fn guard(body: impl FnOnce() -> Result<()>) -> c_int {
    body().err().map_or(0, |Errno(number)| number)
}

/// The mount behind a pointer.
///
/// # Safety
/// NULL, or from a call of this library that mounts and not yet unmounted.
pub(crate) unsafe fn mount<'a>(dfs: *mut sys::dfs_t) -> Result<&'a Dfs> {
    // SAFETY: the caller's promise.
    unsafe { dfs.cast::<Dfs>().as_ref() }.ok_or(Errno(libc::EINVAL))
}

/// The node behind a pointer.
///
/// # Safety
/// NULL, or from a call of this library that opens and not yet released.
pub(crate) unsafe fn open_node<'a>(node: *mut sys::dfs_obj_t) -> Result<&'a Node> {
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
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(text) }.ok_or(Errno(libc::EINVAL))
}

/// As [`text`]; `None` for NULL.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn optional_text<'a>(text: *const c_char) -> Option<&'a [u8]> {
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
pub(crate) unsafe fn store<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller's promise.
        unsafe { out.write(value) };
    }
}

fn not_null<T>(pointer: *const T) -> Result<()> {
    if pointer.is_null() { Errno::err(libc::EINVAL) } else { Ok(()) }
}

/// A new node for the caller.
pub(crate) fn give(node: Node) -> *mut sys::dfs_obj_t {
    Box::into_raw(Box::new(node)).cast()
}

fn c_oid(oid: ObjectId) -> sys::daos_obj_id_t {
    sys::daos_obj_id_t { lo: oid.lo, hi: oid.hi }
}

/// Fills a C stat.
///
/// # Safety
/// `out` is valid for a write.
pub(crate) unsafe fn store_stat(out: *mut sys::stat, stat: &Stat) {
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
            if epoch == EPOCH_MAX || (epoch == 0 && name.is_null()) {
                return Errno::err(libc::EINVAL);
            }
            if epoch == 0 {
                // Snapshots have no names yet in this version.
                return Errno::err(libc::ENOENT);
            }
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
        guard(|| unsafe { connect(pool, sys_name, cont, flags, EPOCH_MAX, attr, dfs) })
    }
}

export! { Errno;
    fn dfs_connect_snap(
        pool: *const c_char,
        sys_name: *const c_char,
        cont: *const c_char,
        _flags: c_int,
        epoch: sys::daos_epoch_t,
        _name: *const c_char,
        dfs: *mut *mut sys::dfs_t,
    ) -> c_int {
        // SAFETY: the caller's promise.
        guard(|| unsafe { connect(pool, sys_name, cont, libc::O_RDONLY, epoch, std::ptr::null_mut(), dfs) })
    }
}

unsafe fn connect(
    pool: *const c_char,
    system: *const c_char,
    cont: *const c_char,
    flags: c_int,
    epoch: u64,
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
        let mounted = cont::connect(pool, system, cont, flags, epoch, &attributes, props)?;
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
        props.set_text(crate::mount::prop::LABEL, label)?;
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

/// The class that new objects get: the one set, or what the container would choose now.
fn class_or_default(dfs: &Dfs, class: u32, file: bool) -> Result<u32> {
    if class != 0 {
        return Ok(class);
    }
    let (kind, hint) = if file { (13, dfs.file_hint) } else { (0, dfs.dir_hint) };
    Ok(daos_api::generate_oid(dfs.cont, ObjectId { lo: 0, hi: 2 }, kind, 0, hint)?.class())
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

/// Gives bytes to a caller's iov: with no buffer the size wanted, ENOBUFS when it is too small.
///
/// # Safety
/// NULL, or a valid iov whose buffer has its length.
pub(crate) unsafe fn store_global(glob: *mut sys::d_iov_t, bytes: impl AsRef<[u8]>) -> Result<()> {
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
pub(crate) unsafe fn global_bytes(glob: &sys::d_iov_t) -> Result<&[u8]> {
    if glob.iov_buf.is_null() || glob.iov_buf_len < glob.iov_len {
        return Errno::err(libc::EINVAL);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(glob.iov_buf.cast::<u8>(), glob.iov_len) })
}

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
                let request =
                    OpenRequest { mode, flags, class: cid, chunk_bytes: chunk_size, target: optional_text(value) };
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
pub(crate) unsafe fn store_dirent(out: *mut sys::dirent, name: &[u8], mode: u32) {
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
            names::mkdir(mounted, unsafe { parent_of(mounted, parent)? }, name, mode, cid)
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
pub(crate) fn change_from(stat: &libc::stat, flags: c_int) -> Result<Change> {
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
    fn dfs_sync(dfs: *mut sys::dfs_t) -> c_int {
        // An update is durable when it is acknowledged: there is nothing left to flush.
        // SAFETY: the caller's promise.
        guard(|| unsafe { mount(dfs) }?.check_writable())
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
