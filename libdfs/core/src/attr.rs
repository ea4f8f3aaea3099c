//! Attributes: stat, access, chmod, chown, times, size.
//!
//! A file's and a directory's last change is the newest epoch of its object; the inode's mtime counts only when it was
//! set by hand since (its `object_hlc` still equals that epoch). atime is not kept and shows the later of the others.

use crate::entry::{self, Inode, Time, check_name, offset};
use crate::errno::{Errno, Result};
use crate::lookup;
use crate::mount::Dfs;
use crate::node::{Node, NodeKind};
use crate::superblock::NO_TX;
use daos_api::{Array, Object, ObjectMode};

/// What `dfs_stat` tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stat {
    /// Type and permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Preferred I/O size: a file's chunk size.
    pub block_bytes: u64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// Last change of the contents.
    pub mtime: Time,
    /// Last change of the inode.
    pub ctime: Time,
    /// Newest epoch of the object.
    pub object_epoch: u64,
}

/// What `dfs_osetattr` changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// Permissions (with the type bits of the node).
    pub mode: Option<u32>,
    /// Last change of the contents.
    pub mtime: Option<Time>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
}

/// Size that a directory shows: that of an entry in memory upstream.
const DIRECTORY_BYTES: u64 = 128;

/// Stats an entry; the root when there is no name.
///
/// # Errors
/// EINVAL: no name and not the root; ENOENT, ENOTDIR.
pub fn stat(dfs: &Dfs, parent: &Node, name: Option<&[u8]>) -> Result<Stat> {
    let (object, name) = place(dfs, parent, name)?;
    let inode = entry::fetch(object, dfs.tx, name)?.ok_or(Errno(libc::ENOENT))?;
    of_inode(dfs, &inode, None)
}

/// Stats an open node by its entry, which must still be the same object.
///
/// # Errors
/// ENOENT: removed or replaced.
pub fn stat_node(dfs: &Dfs, node: &Node) -> Result<Stat> {
    let parent = entry_object(dfs, node, ObjectMode::ReadOnly)?;
    let inode = entry::fetch(&parent, dfs.tx, &node.name)?.ok_or(Errno(libc::ENOENT))?;
    if inode.oid != node.oid {
        return Errno::err(libc::ENOENT);
    }
    of_inode(dfs, &inode, Some(node))
}

/// The root's inode as it is now.
///
/// # Errors
/// EIO: it has none.
pub fn root_inode(dfs: &Dfs) -> Result<Inode> {
    entry::fetch(&dfs.super_object, dfs.tx, b"/")?.filter(|inode| inode.kind() == libc::S_IFDIR).ok_or(Errno(libc::EIO))
}

/// Completes an inode with size and times from its object.
///
/// # Errors
/// What the queries give.
pub fn of_inode(dfs: &Dfs, inode: &Inode, open: Option<&Node>) -> Result<Stat> {
    let mut stat = Stat { mode: inode.mode, uid: inode.uid, gid: inode.gid, ..Stat::default() };
    (stat.mtime, stat.ctime) = (inode.mtime, inode.ctime);
    match inode.kind() {
        libc::S_IFLNK => stat.size = inode.link_bytes,
        libc::S_IFDIR => {
            let epoch = match open.map(|node| &node.kind) {
                Some(NodeKind::Directory(directory)) => directory.object.max_epoch(dfs.tx)?,
                _ => Object::open(dfs.cont, inode.oid, ObjectMode::ReadOnly)?.max_epoch(dfs.tx)?,
            };
            stat.size = DIRECTORY_BYTES;
            merge_times(&mut stat, inode, epoch);
        }
        libc::S_IFREG => {
            let chunk = if inode.chunk_bytes == 0 { dfs.attributes.chunk_bytes } else { inode.chunk_bytes };
            let array = match open.map(|node| &node.kind) {
                Some(NodeKind::File(array)) => array.stat(dfs.tx)?,
                _ => {
                    Array::open_with_attr(dfs.cont, inode.oid, dfs.tx, ObjectMode::ReadOnly, 1, chunk)?.stat(dfs.tx)?
                }
            };
            stat.size = array.size;
            stat.block_bytes = chunk;
            stat.blocks = array.size.div_ceil(512);
            merge_times(&mut stat, inode, array.max_epoch);
        }
        _ => return Errno::err(libc::EINVAL),
    }
    Ok(stat)
}

fn merge_times(stat: &mut Stat, inode: &Inode, object_epoch: u64) {
    stat.object_epoch = object_epoch;
    if object_epoch == 0 {
        return;
    }
    let changed = Time::from_hlc(object_epoch);
    stat.ctime = inode.ctime.max(changed);
    if Time::from_hlc(inode.object_hlc) != changed {
        stat.mtime = changed;
    }
}

/// Checks permissions as `access(2)` does, for the real user; symlinks are followed.
///
/// # Errors
/// EACCES; EPERM: write on a read-only mount; ENOENT, EINVAL, ENOTDIR.
pub fn access(dfs: &Dfs, parent: &Node, name: Option<&[u8]>, mask: i32) -> Result<()> {
    if mask & libc::W_OK != 0 {
        dfs.check_writable()?;
    }
    let (object, name) = place(dfs, parent, name)?;
    let (inode, target) = entry::fetch_following(object, dfs.tx, name)?.ok_or(Errno(libc::ENOENT))?;
    let (inode, mode) = if inode.kind() == libc::S_IFLNK {
        let found = lookup::follow(dfs, parent, &target, libc::O_RDONLY)?;
        (found.inode.clone(), found.node.mode)
    } else {
        let mode = inode.mode;
        (inode, mode)
    };
    if mask == libc::F_OK {
        return Ok(());
    }
    // SAFETY: neither call can fail.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    check_access(&inode, mode, uid, gid, mask)
}

/// The rule of upstream's check: the owner's, group's and others' bits that apply are all looked at.
fn check_access(inode: &Inode, mode: u32, uid: u32, gid: u32, mask: i32) -> Result<()> {
    let mut applies = libc::S_IRWXO;
    if uid == inode.uid {
        applies |= libc::S_IRWXU;
    }
    if gid == inode.gid {
        applies |= libc::S_IRWXG;
    }
    let mode = mode & applies;
    let denied = [
        (libc::X_OK, libc::S_IXUSR | libc::S_IXGRP | libc::S_IXOTH),
        (libc::W_OK, libc::S_IWUSR | libc::S_IWGRP | libc::S_IWOTH),
        (libc::R_OK, libc::S_IRUSR | libc::S_IRGRP | libc::S_IROTH),
    ]
    .into_iter()
    .any(|(wanted, bits)| mask & wanted != 0 && mode & bits == 0);
    if mode == 0 || denied { Errno::err(libc::EACCES) } else { Ok(()) }
}

/// Changes permissions; symlinks are followed.
///
/// # Errors
/// EPERM, ENOTSUP (sticky bit), EINVAL (another type), ENOENT.
pub fn chmod(dfs: &Dfs, parent: &Node, name: Option<&[u8]>, mode: u32) -> Result<()> {
    dfs.check_writable()?;
    if mode & libc::S_ISVTX != 0 {
        return Errno::err(libc::ENOTSUP);
    }
    change_entry(dfs, parent, name, true, |inode, fields| {
        if mode & libc::S_IFMT != 0 && mode & libc::S_IFMT != inode.kind() {
            return Errno::err(libc::EINVAL);
        }
        fields.push((offset::MODE, ((mode & !libc::S_IFMT) | inode.kind()).to_ne_bytes().to_vec()));
        Ok(())
    })
}

/// Changes owner and group (`u32::MAX`: leave it); a symlink is followed unless O_NOFOLLOW.
///
/// # Errors
/// EPERM, ENOENT.
pub fn chown(dfs: &Dfs, parent: &Node, name: Option<&[u8]>, uid: u32, gid: u32, open_flags: i32) -> Result<()> {
    dfs.check_writable()?;
    let follow = open_flags & libc::O_NOFOLLOW == 0;
    change_entry(dfs, parent, name, follow, |_, fields| {
        if uid != u32::MAX {
            fields.push((offset::UID, uid.to_ne_bytes().to_vec()));
        }
        if gid != u32::MAX {
            fields.push((offset::GID, gid.to_ne_bytes().to_vec()));
        }
        Ok(())
    })
}

/// Changes attributes of an open node; what they are afterwards.
///
/// # Errors
/// EPERM: read-only mount or node; ENOTSUP: sticky bit; EINVAL: another type; EIO: size of what is no file; ENOENT.
pub fn set(dfs: &Dfs, node: &Node, change: Change) -> Result<Stat> {
    dfs.check_writable()?;
    if node.flags & libc::O_ACCMODE == libc::O_RDONLY {
        return Errno::err(libc::EPERM);
    }
    if let Some(mode) = change.mode {
        if mode & libc::S_IFMT != node.mode & libc::S_IFMT {
            return Errno::err(libc::EINVAL);
        }
        if mode & libc::S_ISVTX != 0 {
            return Errno::err(libc::ENOTSUP);
        }
    }
    let parent = entry_object(dfs, node, ObjectMode::ReadWrite)?;
    let inode = entry::fetch(&parent, NO_TX, &node.name)?.ok_or(Errno(libc::ENOENT))?;
    if inode.oid != node.oid {
        return Errno::err(libc::ENOENT);
    }
    if let Some(size) = change.size {
        let NodeKind::File(array) = &node.kind else { return Errno::err(libc::EIO) };
        array.set_size(NO_TX, size)?;
    }
    let mut fields = Vec::new();
    if let Some(mode) = change.mode {
        fields.push((offset::MODE, mode.to_ne_bytes().to_vec()));
    }
    if let Some(mtime) = change.mtime {
        let hlc = of_inode(dfs, &inode, Some(node))?.object_epoch;
        fields.push((offset::MTIME, mtime.seconds.to_ne_bytes().to_vec()));
        fields.push((offset::MTIME_NS, mtime.nanos.to_ne_bytes().to_vec()));
        fields.push((offset::HLC, hlc.to_ne_bytes().to_vec()));
    }
    if let Some(uid) = change.uid {
        fields.push((offset::UID, uid.to_ne_bytes().to_vec()));
    }
    if let Some(gid) = change.gid {
        fields.push((offset::GID, gid.to_ne_bytes().to_vec()));
    }
    write_fields(&parent, &node.name, fields)?;
    let inode = entry::fetch(&parent, NO_TX, &node.name)?.ok_or(Errno(libc::ENOENT))?;
    of_inode(dfs, &inode, Some(node))
}

/// Sets what new entries of a directory inherit: chunk size or class.
///
/// # Errors
/// EPERM, ENOTSUP: not a directory.
pub fn set_inherited(dfs: &Dfs, node: &Node, chunk_bytes: Option<u64>, class: Option<u32>) -> Result<()> {
    dfs.check_writable()?;
    if node.directory().is_err() {
        return Errno::err(libc::ENOTSUP);
    }
    let parent = entry_object(dfs, node, ObjectMode::ReadWrite)?;
    let mut fields = Vec::new();
    if let Some(chunk_bytes) = chunk_bytes {
        fields.push((offset::CHUNK, chunk_bytes.to_ne_bytes().to_vec()));
    }
    if let Some(class) = class {
        fields.push((offset::CLASS, class.to_ne_bytes().to_vec()));
    }
    write_fields(&parent, &node.name, fields)
}

fn change_entry(
    dfs: &Dfs,
    parent: &Node,
    name: Option<&[u8]>,
    follow: bool,
    make: impl FnOnce(&Inode, &mut Vec<(u64, Vec<u8>)>) -> Result<()>,
) -> Result<()> {
    let (object, name) = place(dfs, parent, name)?;
    let (inode, target) = entry::fetch_following(object, NO_TX, name)?.ok_or(Errno(libc::ENOENT))?;
    let mut fields = Vec::new();
    if inode.kind() == libc::S_IFLNK && follow {
        let found = lookup::follow(dfs, parent, &target, libc::O_RDWR)?;
        make(&found.inode, &mut fields)?;
        return write_fields(&entry_object(dfs, &found.node, ObjectMode::ReadWrite)?, &found.node.name, fields);
    }
    make(&inode, &mut fields)?;
    write_fields(object, name, fields)
}

/// Writes changed fields with a new ctime; nothing when nothing changed.
fn write_fields(object: &Object, name: &[u8], mut fields: Vec<(u64, Vec<u8>)>) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    let now = Time::now();
    fields.push((offset::CTIME, now.seconds.to_ne_bytes().to_vec()));
    fields.push((offset::CTIME_NS, now.nanos.to_ne_bytes().to_vec()));
    let borrowed: Vec<(u64, &[u8])> = fields.iter().map(|(at, bytes)| (*at, &bytes[..])).collect();
    entry::update_fields(object, NO_TX, name, &borrowed)
}

/// Object and dkey of an entry; without a name those of the root.
pub fn place<'a>(dfs: &'a Dfs, parent: &'a Node, name: Option<&'a [u8]>) -> Result<(&'a Object, &'a [u8])> {
    let directory = parent.directory()?;
    match name {
        Some(name) => {
            check_name(name)?;
            Ok((&directory.object, name))
        }
        None if parent.name == b"/" => Ok((&dfs.super_object, b"/")),
        None => Errno::err(libc::EINVAL),
    }
}

/// The object that holds a node's entry; the root's is in the superblock's.
///
/// # Errors
/// What opening gives.
pub fn entry_object(dfs: &Dfs, node: &Node, mode: ObjectMode) -> Result<Object> {
    Ok(Object::open(dfs.cont, node.parent_oid, mode)?)
}
