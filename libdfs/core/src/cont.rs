//! POSIX containers: creation, and the connections that `dfs_connect` shares.

use crate::entry;
use crate::errno::{Errno, Result};
use crate::hints;
use crate::mount::{Dfs, Ids, Moment, Owner, new_inode, prop};
use crate::superblock::{self, Attributes, DEFAULT_CHUNK_BYTES, NO_TX};
use daos_api::{Container, Object, ObjectMode, Pool, PoolRef, PropList, generate_oid};
use daos_common::{Der, ObjectId, flags};
use std::time::Duration;
use uuid::Uuid;

/// Makes a POSIX container; it comes back open for writing. `props` may hold any container property.
///
/// # Errors
/// EEXIST: the label is taken; EINVAL: a class, hint or property that doesn't fit; EPERM.
pub fn create(pool: PoolRef, mut props: PropList, wanted: &Attributes) -> Result<(Uuid, Container)> {
    if !props.has(prop::LAYOUT_TYPE) {
        props.set_number(prop::LAYOUT_TYPE, prop::LAYOUT_POSIX);
    }
    let redundancy = props.number(prop::REDUN_FAC).unwrap_or(0);
    let attributes = complete(wanted)?;
    let dir_hint = if attributes.hints.is_empty() { 0 } else { hints::parse(&attributes.hints, redundancy)?.0 };
    let uuid = Container::create(pool, &mut props)?;
    let made = fill(pool, uuid, &attributes, dir_hint);
    if made.is_err() {
        // A container without a superblock is of no use; the first error is the one to tell.
        let _ = Container::destroy(pool, &uuid.to_string(), true);
    }
    Ok((uuid, made?))
}

/// Writes roots, superblock and root directory into a new container.
fn fill(pool: PoolRef, uuid: Uuid, attributes: &Attributes, dir_hint: u16) -> Result<Container> {
    let cont = Container::open(pool, &uuid.to_string(), flags::OPEN_RW as u32)?;
    let root_of =
        |number: u64| generate_oid(cont.as_ref(), ObjectId { lo: 0, hi: number }, 0, attributes.dir_class, dir_hint);
    let (super_oid, root_oid) = (root_of(0)?, root_of(1)?);
    let mut roots = Vec::with_capacity(64);
    for oid in [super_oid, root_oid, ObjectId::default(), ObjectId::default()] {
        roots.extend_from_slice(&oid.lo.to_ne_bytes());
        roots.extend_from_slice(&oid.hi.to_ne_bytes());
    }
    let mut props = PropList::new();
    props.set_bytes(prop::ROOTS, &roots);
    cont.as_ref().set_props(&mut props)?;
    let super_object = Object::open(cont.as_ref(), super_oid, ObjectMode::ReadWrite)?;
    let root = new_inode(libc::S_IFDIR | 0o755, root_oid, Ids::of_process());
    entry::insert(&super_object, NO_TX, b"/", flags::COND_DKEY_INSERT, &root, b"", &[])?;
    // The superblock comes last: a mount finds either a whole file system or none.
    superblock::create(&super_object, attributes)?;
    Ok(cont)
}

/// Fills what the caller left open.
fn complete(wanted: &Attributes) -> Result<Attributes> {
    let mut attributes = wanted.clone();
    if attributes.dir_class == 0 {
        attributes.dir_class = attributes.class;
    }
    if attributes.file_class == 0 {
        attributes.file_class = attributes.class;
    }
    if attributes.dir_class >> 24 >= 32 {
        attributes.dir_class = 0;
    }
    if attributes.hints.len() >= superblock::HINT_MAX_BYTES {
        return Errno::err(libc::EINVAL);
    }
    attributes.mode &= superblock::MODE_BALANCED;
    if attributes.chunk_bytes == 0 {
        attributes.chunk_bytes = DEFAULT_CHUNK_BYTES;
    }
    Ok(attributes)
}

/// Connects, opens and mounts by name; with O_CREAT a missing container is made under that label.
///
/// # Errors
/// ENOENT, EPERM, EINVAL; what the steps give.
pub fn connect(
    pool_name: &str,
    system: Option<&str>,
    cont_name: &str,
    open_flags: i32,
    moment: Moment<'_>,
    wanted: &Attributes,
    props: PropList,
) -> Result<Dfs> {
    let writable = open_flags & libc::O_ACCMODE == libc::O_RDWR && matches!(moment, Moment::Newest);
    let pool = Pool::connect(pool_name, system, writable)?;
    let bits = if writable { flags::OPEN_RW } else { flags::OPEN_RO } as u32;
    let opened = match Container::open(pool.as_ref(), cont_name, bits) {
        Err(error) if error.code() == Der::NONEXIST && open_flags & libc::O_CREAT != 0 => {
            let mut props = props;
            if !props.has(prop::LABEL) {
                props.set_text(prop::LABEL, cont_name)?;
            }
            match create(pool.as_ref(), props, wanted) {
                Err(Errno(libc::EEXIST)) => Container::open(pool.as_ref(), cont_name, bits)?,
                made => made?.1,
            }
        }
        opened => opened?,
    };
    let epoch = moment.epoch(opened.as_ref())?;
    let mut wait = Duration::from_millis(1);
    let mut dfs = loop {
        match Dfs::mount(pool.as_ref(), opened.as_ref(), open_flags, epoch) {
            // Another process may have made the container and not yet its superblock.
            Err(Errno(libc::ENOENT | libc::EIO)) if wait < Duration::from_secs(1) => {
                std::thread::sleep(wait);
                wait *= 4;
            }
            mounted => break mounted?,
        }
    };
    dfs.owner = Owner::Library;
    opened.into_raw();
    pool.into_raw();
    Ok(dfs)
}

/// Undoes [`connect`]: closes the handles that it opened.
pub fn disconnect(dfs: Box<Dfs>) {
    let (pool, cont) = (dfs.pool, dfs.cont);
    drop(dfs);
    // SAFETY: both handles were opened by `connect` and given to the mount alone.
    unsafe {
        daos_sys::daos_cont_close(cont.raw(), std::ptr::null_mut());
        daos_sys::daos_pool_disconnect(pool.raw(), std::ptr::null_mut());
    }
}
