//! A mounted file system: handles, attributes, the root, object numbers.

use crate::entry::{self, Inode};
use crate::errno::{Errno, Result};
use crate::hints;
use crate::node::{Directory, Node, NodeKind};
use crate::superblock::{self, Attributes, MODE_BALANCED, NO_TX};
use daos_api::{ContRef, Object, ObjectMode, PoolRef, PropList, generate_oid};
use daos_common::ObjectId;
use daos_common::ids::EPOCH_MAX;
use daos_sys as sys;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// Property numbers (`DAOS_PROP_CO_*`).
pub mod prop {
    /// Label.
    pub const LABEL: u32 = 0x1001;
    /// Layout type.
    pub const LAYOUT_TYPE: u32 = 0x1002;
    /// Redundancy factor.
    pub const REDUN_FAC: u32 = 0x1007;
    /// Superblock and root directory object ids.
    pub const ROOTS: u32 = 0x1011;
    /// Value of [`LAYOUT_TYPE`] for a file system.
    pub const LAYOUT_POSIX: u64 = 1;
}

/// Object type of directories (`DAOS_OT_MULTI_HASHED`).
const TYPE_DIRECTORY: u8 = 0;
/// Object type of files (`DAOS_OT_ARRAY_BYTE`).
const TYPE_FILE: u8 = 13;
/// Step of the 32-bit counter that spreads one allocated number over many object ids.
const OID_STEP: u32 = 999_999_937;

/// Who opened the pool and container handles of a mount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// The caller (`dfs_mount`): `dfs_umount` leaves them open.
    Caller,
    /// This library (`dfs_connect`, `dfs_global2local_all`): `dfs_disconnect` closes them.
    Library,
}

/// A mounted file system; `dfs_t` points to one.
pub struct Dfs {
    /// Pool handle.
    pub pool: PoolRef,
    /// Container handle.
    pub cont: ContRef,
    /// UUID of the container.
    pub cont_uuid: Uuid,
    /// Who closes the handles.
    pub owner: Owner,
    /// Changes are allowed.
    pub writable: bool,
    /// Operations on several objects are transactions.
    pub balanced: bool,
    /// Transaction of reads: none, or a snapshot's.
    pub tx: sys::daos_handle_t,
    /// Epoch of the snapshot; [`EPOCH_MAX`] for none.
    pub epoch: u64,
    /// Attributes from the superblock.
    pub attributes: Attributes,
    /// Class hints for directories and files.
    pub dir_hint: u16,
    /// See `dir_hint`.
    pub file_hint: u16,
    /// The superblock's object id.
    pub super_oid: ObjectId,
    /// The superblock's object, which also holds the root's own entry.
    pub super_object: Object,
    /// The root directory.
    pub root: Node,
    /// Path prefix that `dfs_lookup` skips; empty for none.
    pub prefix: Mutex<Vec<u8>>,
    /// Users that got the pool handle (`dfs_pool_get`).
    pub pool_users: AtomicU32,
    /// Users that got the container handle (`dfs_cont_get`).
    pub cont_users: AtomicU32,
    numbers: Mutex<OidNumbers>,
}

/// Object numbers: `lo` from the container's allocator, `hi` stepped through all 32-bit values.
struct OidNumbers {
    lo: Option<u64>,
    hi: u32,
    last_hi: u32,
}

impl Dfs {
    /// Mounts a POSIX container. `flags` are `O_RDONLY` or `O_RDWR`, with [`MODE_BALANCED`] for transactions.
    ///
    /// # Errors
    /// EINVAL: not a POSIX container; ENOENT: no superblock; EPERM: a balanced container mounted relaxed;
    /// EIO: no roots; EPROTO: another layout version.
    pub fn mount(pool: PoolRef, cont: ContRef, flags: i32, epoch: u64) -> Result<Dfs> {
        let mut props = PropList::query(&[prop::LAYOUT_TYPE, prop::ROOTS, prop::REDUN_FAC]);
        let info = cont.query(&mut props)?;
        if props.number(prop::LAYOUT_TYPE) != Some(prop::LAYOUT_POSIX) {
            return Errno::err(libc::EINVAL);
        }
        // SAFETY: `struct daos_prop_co_roots` is four object ids of 16 bytes.
        let roots = unsafe { props.bytes(prop::ROOTS, 64) }.ok_or(Errno(libc::EIO))?;
        let (super_oid, root_oid) = (oid_at(&roots, 0), oid_at(&roots, 16));
        if is_nil(super_oid) || is_nil(root_oid) {
            return Errno::err(libc::EIO);
        }
        let redundancy = props.number(prop::REDUN_FAC).unwrap_or(0);
        let mut dfs = Dfs::assemble(pool, cont, info.uuid, flags, epoch, super_oid, root_oid)?;
        dfs.attributes = superblock::open(&dfs.super_object, dfs.tx)?;
        if !dfs.attributes.hints.is_empty() {
            (dfs.dir_hint, dfs.file_hint) = hints::parse(&dfs.attributes.hints, redundancy)?;
        }
        let wants_balanced = flags as u32 & MODE_BALANCED != 0;
        match dfs.attributes.mode & MODE_BALANCED {
            MODE_BALANCED if !wants_balanced => return Errno::err(libc::EPERM),
            _ => dfs.balanced = wants_balanced,
        }
        let root = entry::fetch(&dfs.super_object, dfs.tx, b"/")?.ok_or(Errno(libc::ENOENT))?;
        if root.kind() != libc::S_IFDIR {
            return Errno::err(libc::ENOTDIR);
        }
        dfs.root.mode = root.mode;
        if let NodeKind::Directory(directory) = &mut dfs.root.kind {
            directory.class = root.class;
            directory.chunk_bytes = root.chunk_bytes;
        }
        Ok(dfs)
    }

    /// A mount from parts already known, with no message but the opening of a snapshot.
    ///
    /// # Errors
    /// What opening the objects gives.
    pub fn assemble(
        pool: PoolRef,
        cont: ContRef,
        cont_uuid: Uuid,
        flags: i32,
        epoch: u64,
        super_oid: ObjectId,
        root_oid: ObjectId,
    ) -> Result<Dfs> {
        let mode = access_mode(flags)?;
        let writable = mode == ObjectMode::ReadWrite && epoch == EPOCH_MAX;
        let super_object = Object::open(cont, super_oid, mode)?;
        let root_object = Object::open(cont, root_oid, mode)?;
        let root = Node {
            oid: root_oid,
            parent_oid: super_oid,
            name: b"/".to_vec(),
            mode: libc::S_IFDIR | 0o755,
            flags,
            kind: NodeKind::Directory(Directory { object: root_object, class: 0, chunk_bytes: 0 }),
        };
        let tx = if epoch == EPOCH_MAX { NO_TX } else { open_snapshot(cont, epoch)? };
        Ok(Dfs {
            pool,
            cont,
            cont_uuid,
            owner: Owner::Caller,
            writable,
            balanced: false,
            tx,
            epoch,
            attributes: Attributes { chunk_bytes: superblock::DEFAULT_CHUNK_BYTES, ..Attributes::default() },
            dir_hint: 0,
            file_hint: 0,
            super_oid,
            super_object,
            root,
            prefix: Mutex::new(Vec::new()),
            pool_users: AtomicU32::new(0),
            cont_users: AtomicU32::new(0),
            numbers: Mutex::new(OidNumbers { lo: None, hi: 0, last_hi: 0 }),
        })
    }

    /// Refuses changes on a read-only mount.
    ///
    /// # Errors
    /// EPERM.
    pub fn check_writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Errno::err(libc::EPERM) }
    }

    /// A new object id for a directory or symlink.
    ///
    /// # Errors
    /// What allocating numbers gives; EINVAL: a class that doesn't fit.
    pub fn new_directory_oid(&self, class: u32) -> Result<ObjectId> {
        Ok(generate_oid(self.cont, self.next_number()?, TYPE_DIRECTORY, class, self.dir_hint)?)
    }

    /// A new object id for a file.
    ///
    /// # Errors
    /// As [`Dfs::new_directory_oid`].
    pub fn new_file_oid(&self, class: u32) -> Result<ObjectId> {
        Ok(generate_oid(self.cont, self.next_number()?, TYPE_FILE, class, self.file_hint)?)
    }

    fn next_number(&self) -> Result<ObjectId> {
        let mut numbers = self.numbers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let lo = match numbers.lo {
            Some(lo) if numbers.hi != numbers.last_hi => lo,
            _ => {
                let lo = self.cont.alloc_oids(1)?;
                // The high parts start at a place of their own, so that ids of one `lo` are spread over placement.
                numbers.last_hi = start_number(lo);
                numbers.hi = numbers.last_hi;
                numbers.lo = Some(lo);
                lo
            }
        };
        numbers.hi = numbers.hi.wrapping_add(OID_STEP);
        while lo == 0 && numbers.hi <= 1 {
            numbers.hi = numbers.hi.wrapping_add(OID_STEP);
        }
        Ok(ObjectId { lo, hi: numbers.hi.into() })
    }

    /// Counts the holders of a handle that must be returned before the unmount.
    pub fn handles_in_use(&self) -> bool {
        self.pool_users.load(Ordering::Acquire) != 0 || self.cont_users.load(Ordering::Acquire) != 0
    }
}

impl Drop for Dfs {
    fn drop(&mut self) {
        if self.tx.cookie != 0 {
            // SAFETY: the transaction handle is ours.
            unsafe { sys::daos_tx_close(self.tx, std::ptr::null_mut()) };
        }
    }
}

/// The object mode of `O_RDONLY`, `O_WRONLY`, `O_RDWR`.
///
/// # Errors
/// EINVAL: none of them.
pub fn access_mode(flags: i32) -> Result<ObjectMode> {
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY => Ok(ObjectMode::ReadOnly),
        libc::O_WRONLY | libc::O_RDWR => Ok(ObjectMode::ReadWrite),
        _ => Errno::err(libc::EINVAL),
    }
}

/// Who a new entry belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ids {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Ids {
    /// The effective user and group of this process.
    pub fn of_process() -> Ids {
        // SAFETY: neither call can fail.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        Ids { uid, gid }
    }
}

/// The inode of a new object, now.
pub fn new_inode(mode: u32, oid: ObjectId, owner: Ids) -> Inode {
    let now = entry::Time::now();
    Inode { mode, oid, mtime: now, ctime: now, uid: owner.uid, gid: owner.gid, ..Inode::default() }
}

/// Which state of a container is mounted.
#[derive(Clone, Copy)]
pub enum Moment<'a> {
    /// What it holds now.
    Newest,
    /// The snapshot of this epoch.
    Epoch(u64),
    /// The snapshot of this name.
    Name(&'a str),
}

impl<'a> Moment<'a> {
    /// The snapshot that a caller names by its epoch, or, if that is 0, by its name.
    ///
    /// # Errors
    /// EINVAL: neither, or the largest epoch.
    pub fn of_snapshot(epoch: u64, name: Option<&'a str>) -> Result<Moment<'a>> {
        match (epoch, name) {
            (EPOCH_MAX, _) | (0, None) => Errno::err(libc::EINVAL),
            (0, Some(name)) => Ok(Moment::Name(name)),
            (epoch, _) => Ok(Moment::Epoch(epoch)),
        }
    }

    /// Its epoch; [`EPOCH_MAX`] for the newest.
    ///
    /// # Errors
    /// ENOENT: no snapshot has the name.
    pub fn epoch(self, cont: ContRef) -> Result<u64> {
        match self {
            Moment::Newest => Ok(EPOCH_MAX),
            Moment::Epoch(epoch) => Ok(epoch),
            Moment::Name(name) => find_snapshot(cont, name),
        }
    }
}

/// The epoch of the snapshot of this name.
fn find_snapshot(cont: ContRef, name: &str) -> Result<u64> {
    const NAME_BYTES: usize = sys::DAOS_SNAPSHOT_MAX_LEN as usize;
    let mut room = 0;
    loop {
        let (mut epochs, mut texts) = (vec![0u64; room], vec![[0u8; NAME_BYTES]; room]);
        let mut names: Vec<*mut libc::c_char> = texts.iter_mut().map(|text| text.as_mut_ptr().cast()).collect();
        let (mut count, mut anchor) = (room as i32, sys::daos_anchor_t::default());
        let (to_epochs, to_names) = (epochs.as_mut_ptr(), names.as_mut_ptr());
        let none = std::ptr::null_mut();
        // SAFETY: both arrays have room for `count` elements, and each name for the longest one.
        let rc = unsafe { sys::daos_cont_list_snap(cont.raw(), &mut count, to_epochs, to_names, &mut anchor, none) };
        daos_api::check(rc, "daos_cont_list_snap")?;
        let found = usize::try_from(count).unwrap_or(0);
        if found <= room {
            let is_it = |text: &[u8; NAME_BYTES]| text.split(|byte| *byte == 0).next() == Some(name.as_bytes());
            let at = texts[..found].iter().position(is_it).filter(|_| !name.is_empty());
            return at.map(|at| epochs[at]).ok_or(Errno(libc::ENOENT));
        }
        room = found;
    }
}

fn open_snapshot(cont: ContRef, epoch: u64) -> Result<sys::daos_handle_t> {
    let mut tx = NO_TX;
    // SAFETY: `tx` is live.
    let rc = unsafe { sys::daos_tx_open_snap(cont.raw(), epoch, &mut tx, std::ptr::null_mut()) };
    daos_api::check(rc, "daos_tx_open_snap")?;
    Ok(tx)
}

fn start_number(lo: u64) -> u32 {
    let mixed = (lo ^ u64::from(std::process::id())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 32) as u32).max(2)
}

fn oid_at(bytes: &[u8], at: usize) -> ObjectId {
    let word = |at: usize| {
        let mut field = [0; 8];
        field.copy_from_slice(&bytes[at..at + 8]);
        u64::from_ne_bytes(field)
    };
    ObjectId { lo: word(at), hi: word(at + 8) }
}

fn is_nil(oid: ObjectId) -> bool {
    oid.lo == 0 && oid.hi == 0
}
