//! Changes of the name space: mkdir, remove, move, exchange.
//!
//! In a balanced mount a change that touches several entries or objects is one transaction ([`transact`]). Without it every change is ordered so that a crash between two steps leaves an unreachable object at worst,
//! never a name without an object: names appear before what they replace goes, and names go before their objects.

use crate::entry::{self, Inode, NAME_MAX, check_name};
use crate::errno::{Errno, Result};
use crate::mount::{Dfs, Ids};
use crate::node::{Node, new_directory_inode};
use crate::superblock::NO_TX;
use crate::transact::transact;
use daos_api::{Anchor, Object, ObjectMode};
use daos_common::{ObjectId, flags};
use daos_sys as sys;

/// Makes a directory: one message.
///
/// # Errors
/// EPERM, EINVAL, ENOTDIR, EEXIST.
pub fn mkdir(dfs: &Dfs, parent: &Node, name: &[u8], mode: u32, class: u32, owner: Ids) -> Result<()> {
    dfs.check_writable()?;
    let directory = parent.directory()?;
    check_name(name)?;
    let mode = libc::S_IFDIR | (mode & !libc::S_IFMT);
    let inode = new_directory_inode(dfs, directory, mode, class, owner)?;
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
    check: impl Fn(&Inode) -> Result<()>,
) -> Result<ObjectId> {
    dfs.check_writable()?;
    let directory = parent.directory()?;
    check_name(name)?;
    loop {
        let removed = transact(dfs, |tx| {
            let inode = entry::fetch(&directory.object, tx, name)?.ok_or(Errno(libc::ENOENT))?;
            check(&inode)?;
            if inode.kind() == libc::S_IFDIR {
                let object = Object::open(dfs.cont, inode.oid, ObjectMode::ReadWrite)?;
                if !entry::is_empty(&object, tx)? {
                    return if force { Ok(Removed::Not(inode.oid)) } else { Errno::err(libc::ENOTEMPTY) };
                }
            }
            directory.object.punch_dkey(tx, flags::COND_PUNCH, name)?;
            punch_object(dfs, tx, &inode)?;
            Ok(Removed::Whole(inode.oid))
        })?;
        match removed {
            Removed::Whole(oid) => return Ok(oid),
            // What is below goes piece by piece, however much it is; then the directory, unless it has been filled again.
            Removed::Not(oid) => remove_contents(dfs, oid)?,
        }
    }
}

/// How far a removal came.
enum Removed {
    Whole(ObjectId),
    /// The directory is not empty.
    Not(ObjectId),
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
    transact(dfs, |tx| rename_in(dfs, tx, (&from.object, name), (&to.object, new_name), new_parent.oid))
}

fn rename_in(
    dfs: &Dfs,
    tx: sys::daos_handle_t,
    (from, name): (&Object, &[u8]),
    (to, new_name): (&Object, &[u8]),
    new_parent: ObjectId,
) -> Result<Option<ObjectId>> {
    let (mut inode, target) = entry::fetch_following(from, tx, name)?.ok_or(Errno(libc::ENOENT))?;
    if inode.kind() == libc::S_IFDIR && inode.oid == new_parent {
        return Errno::err(libc::EINVAL);
    }
    let replaced = entry::fetch(to, tx, new_name)?;
    if let Some(replaced) = &replaced {
        if replaced.oid == inode.oid {
            return Ok(None);
        }
        check_replaceable(dfs, tx, &inode, replaced)?;
    }
    let xattrs = entry::fetch_xattrs(from, tx, name)?;
    inode.ctime = entry::Time::now();
    // The replaced name goes first, so that none of its attributes is left under the new one.
    if replaced.is_some() {
        to.punch_dkey(tx, flags::COND_PUNCH, new_name)?;
    }
    let condition = if replaced.is_some() { vacated(dfs) } else { flags::COND_DKEY_INSERT };
    entry::insert(to, tx, new_name, condition, &inode, &target, &xattrs)?;
    from.punch_dkey(tx, flags::COND_PUNCH, name)?;
    match replaced {
        Some(replaced) => {
            punch_object(dfs, tx, &replaced)?;
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
    transact(dfs, |tx| {
        let whole = |object: &Object, name: &[u8]| -> Result<_> {
            let (inode, target) = entry::fetch_following(object, tx, name)?.ok_or(Errno(libc::ENOENT))?;
            Ok((inode, target, entry::fetch_xattrs(object, tx, name)?))
        };
        let (first, first_target, first_xattrs) = whole(&one.object, name)?;
        let (second, second_target, second_xattrs) = whole(&other.object, other_name)?;
        if first.oid == second.oid {
            return Ok(());
        }
        let condition = vacated(dfs);
        one.object.punch_dkey(tx, flags::COND_PUNCH, name)?;
        entry::insert(&one.object, tx, name, condition, &second, &second_target, &second_xattrs)?;
        other.object.punch_dkey(tx, flags::COND_PUNCH, other_name)?;
        entry::insert(&other.object, tx, other_name, condition, &first, &first_target, &first_xattrs)
    })
}

/// The condition of an insertion under a name that was punched just before: a transaction does not see that yet.
fn vacated(dfs: &Dfs) -> u64 {
    if dfs.balanced { 0 } else { flags::COND_DKEY_INSERT }
}

fn check_replaceable(dfs: &Dfs, tx: sys::daos_handle_t, moved: &Inode, replaced: &Inode) -> Result<()> {
    match (moved.kind() == libc::S_IFDIR, replaced.kind() == libc::S_IFDIR) {
        (false, true) => Errno::err(libc::EINVAL),
        (true, false) => Errno::err(libc::ENOTDIR),
        (true, true) => {
            let object = Object::open(dfs.cont, replaced.oid, ObjectMode::ReadOnly)?;
            if entry::is_empty(&object, tx)? { Ok(()) } else { Errno::err(libc::ENOTEMPTY) }
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
                punch_object(dfs, NO_TX, &inode)?;
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

fn punch_object(dfs: &Dfs, tx: sys::daos_handle_t, inode: &Inode) -> Result<()> {
    if inode.kind() == libc::S_IFLNK {
        return Ok(());
    }
    Ok(Object::open(dfs.cont, inode.oid, ObjectMode::ReadWrite)?.punch(tx, 0)?)
}
