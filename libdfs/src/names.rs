//! Changes of the name space: mkdir, remove, move, exchange.
//!
//! Without a transaction every change is ordered so that a crash between two steps leaves an unreachable object at worst,
//! never a name without an object: names appear before what they replace goes, and names go before their objects.

use crate::entry::{self, Inode, NAME_MAX, check_name};
use crate::errno::{Errno, Result};
use crate::mount::Dfs;
use crate::node::{Node, new_directory_inode};
use crate::superblock::NO_TX;
use daos_api::{Anchor, Object, ObjectMode};
use daos_common::{ObjectId, flags};

/// Makes a directory: one message.
///
/// # Errors
/// EPERM, EINVAL, ENOTDIR, EEXIST.
pub fn mkdir(dfs: &Dfs, parent: &Node, name: &[u8], mode: u32, class: u32) -> Result<()> {
    dfs.check_writable()?;
    let directory = parent.directory()?;
    check_name(name)?;
    let mode = libc::S_IFDIR | (mode & !libc::S_IFMT);
    let inode = new_directory_inode(dfs, directory, mode, class)?;
    entry::insert(&directory.object, NO_TX, name, flags::COND_DKEY_INSERT, &inode, b"", &[])
}

/// Removes an entry and its object; a directory that is not empty only with `force`. The object's id.
///
/// # Errors
/// EPERM, EINVAL, ENOTDIR, ENOENT, ENOTEMPTY.
pub fn remove(dfs: &Dfs, parent: &Node, name: &[u8], force: bool) -> Result<ObjectId> {
    remove_if(dfs, parent, name, force, |_| Ok(()))
}

/// As [`remove`], if `check` agrees with the inode.
///
/// # Errors
/// As [`remove`], and what `check` says.
pub fn remove_if(
    dfs: &Dfs,
    parent: &Node,
    name: &[u8],
    force: bool,
    check: impl FnOnce(&Inode) -> Result<()>,
) -> Result<ObjectId> {
    dfs.check_writable()?;
    let directory = parent.directory()?;
    check_name(name)?;
    let inode = entry::fetch(&directory.object, dfs.tx, name)?.ok_or(Errno(libc::ENOENT))?;
    check(&inode)?;
    if inode.kind() == libc::S_IFDIR {
        let object = Object::open(dfs.cont, inode.oid, ObjectMode::ReadWrite)?;
        if !entry::is_empty(&object, NO_TX)? {
            if !force {
                return Errno::err(libc::ENOTEMPTY);
            }
            remove_contents(dfs, inode.oid)?;
        }
    }
    directory.object.punch_dkey(NO_TX, flags::COND_PUNCH, name)?;
    punch_object(dfs, &inode)?;
    Ok(inode.oid)
}

/// Renames; what stood under the new name is replaced, and its object's id comes back.
///
/// # Errors
/// EPERM, EINVAL (a directory over a file or below itself), ENOTDIR, ENOENT, ENOTEMPTY.
pub fn rename(dfs: &Dfs, parent: &Node, name: &[u8], new_parent: &Node, new_name: &[u8]) -> Result<Option<ObjectId>> {
    dfs.check_writable()?;
    let (from, to) = (parent.directory()?, new_parent.directory()?);
    check_name(name)?;
    check_name(new_name)?;
    let (mut inode, target) = entry::fetch_following(&from.object, NO_TX, name)?.ok_or(Errno(libc::ENOENT))?;
    if inode.kind() == libc::S_IFDIR && inode.oid == new_parent.oid {
        return Errno::err(libc::EINVAL);
    }
    let replaced = entry::fetch(&to.object, NO_TX, new_name)?;
    if let Some(replaced) = &replaced {
        if replaced.oid == inode.oid {
            return Ok(None);
        }
        check_replaceable(dfs, &inode, replaced)?;
    }
    let xattrs = entry::fetch_xattrs(&from.object, NO_TX, name)?;
    inode.ctime = entry::Time::now();
    // The replaced name goes first, so that none of its attributes is left under the new one.
    if replaced.is_some() {
        to.object.punch_dkey(NO_TX, flags::COND_PUNCH, new_name)?;
    }
    entry::insert(&to.object, NO_TX, new_name, flags::COND_DKEY_INSERT, &inode, &target, &xattrs)?;
    from.object.punch_dkey(NO_TX, flags::COND_PUNCH, name)?;
    match replaced {
        Some(replaced) => {
            punch_object(dfs, &replaced)?;
            Ok(Some(replaced.oid))
        }
        None => Ok(None),
    }
}

/// Swaps two entries.
///
/// # Errors
/// EPERM, EINVAL, ENOTDIR, ENOENT.
pub fn exchange(dfs: &Dfs, parent: &Node, name: &[u8], other_parent: &Node, other_name: &[u8]) -> Result<()> {
    dfs.check_writable()?;
    let (one, other) = (parent.directory()?, other_parent.directory()?);
    check_name(name)?;
    check_name(other_name)?;
    let whole = |object: &Object, name: &[u8]| -> Result<_> {
        let (inode, target) = entry::fetch_following(object, NO_TX, name)?.ok_or(Errno(libc::ENOENT))?;
        Ok((inode, target, entry::fetch_xattrs(object, NO_TX, name)?))
    };
    let (first, first_target, first_xattrs) = whole(&one.object, name)?;
    let (second, second_target, second_xattrs) = whole(&other.object, other_name)?;
    if first.oid == second.oid {
        return Ok(());
    }
    one.object.punch_dkey(NO_TX, flags::COND_PUNCH, name)?;
    entry::insert(&one.object, NO_TX, name, flags::COND_DKEY_INSERT, &second, &second_target, &second_xattrs)?;
    other.object.punch_dkey(NO_TX, flags::COND_PUNCH, other_name)?;
    entry::insert(&other.object, NO_TX, other_name, flags::COND_DKEY_INSERT, &first, &first_target, &first_xattrs)
}

fn check_replaceable(dfs: &Dfs, moved: &Inode, replaced: &Inode) -> Result<()> {
    match (moved.kind() == libc::S_IFDIR, replaced.kind() == libc::S_IFDIR) {
        (false, true) => Errno::err(libc::EINVAL),
        (true, false) => Errno::err(libc::ENOTDIR),
        (true, true) => {
            let object = Object::open(dfs.cont, replaced.oid, ObjectMode::ReadOnly)?;
            if entry::is_empty(&object, NO_TX)? { Ok(()) } else { Errno::err(libc::ENOTEMPTY) }
        }
        (false, false) => Ok(()),
    }
}

/// Removes what is below a directory, deepest first, with a stack of our own: depth is the user's choice.
fn remove_contents(dfs: &Dfs, top: ObjectId) -> Result<()> {
    let mut pending = vec![Object::open(dfs.cont, top, ObjectMode::ReadWrite)?];
    while let Some(object) = pending.last() {
        let mut anchor = Anchor::default();
        let mut child = None;
        'listing: while !anchor.is_eof() {
            for name in object.list_dkeys(NO_TX, &mut anchor, 32, NAME_MAX)? {
                let Some(inode) = entry::fetch(object, NO_TX, &name)? else { continue };
                if inode.kind() == libc::S_IFDIR {
                    let directory = Object::open(dfs.cont, inode.oid, ObjectMode::ReadWrite)?;
                    if !entry::is_empty(&directory, NO_TX)? {
                        child = Some(directory);
                        break 'listing;
                    }
                }
                object.punch_dkey(NO_TX, 0, &name)?;
                punch_object(dfs, &inode)?;
            }
        }
        match child {
            Some(directory) => pending.push(directory),
            None => {
                pending.pop();
            }
        }
    }
    Ok(())
}

fn punch_object(dfs: &Dfs, inode: &Inode) -> Result<()> {
    if inode.kind() == libc::S_IFLNK {
        return Ok(());
    }
    Ok(Object::open(dfs.cont, inode.oid, ObjectMode::ReadWrite)?.punch(NO_TX, 0)?)
}
