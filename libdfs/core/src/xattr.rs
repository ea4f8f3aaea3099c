//! Extended attributes: akeys `x:NAME` of the entry.

use crate::attr::entry_object;
use crate::entry::{self, NAME_MAX, XATTR_MAX, XATTR_PREFIX};
use crate::errno::{Errno, Result};
use crate::mount::Dfs;
use crate::node::Node;
use crate::superblock::NO_TX;
use daos_api::{Anchor, FetchValue, ObjectMode, UpdateValue};
use daos_common::{Der, flags};

/// Sets an attribute; `XATTR_CREATE` and `XATTR_REPLACE` as in setxattr(2).
///
/// # Errors
/// EPERM, EINVAL (name or value too long), EEXIST, ENODATA, ENOENT (the entry is gone).
pub fn set(dfs: &Dfs, node: &Node, name: &[u8], value: &[u8], how: i32) -> Result<()> {
    dfs.check_writable()?;
    let akey = akey(name)?;
    if value.len() > XATTR_MAX {
        return Errno::err(libc::EINVAL);
    }
    let condition = match how {
        libc::XATTR_CREATE => flags::COND_AKEY_INSERT,
        libc::XATTR_REPLACE => flags::COND_AKEY_UPDATE,
        _ => 0,
    };
    let now = entry::Time::now();
    let (seconds, nanos) = (now.seconds.to_ne_bytes(), now.nanos.to_ne_bytes());
    let parent = entry_object(dfs, node, ObjectMode::ReadWrite)?;
    let written =
        parent.update(NO_TX, condition | flags::COND_DKEY_UPDATE, &node.name, &[(&akey, UpdateValue::Single(value))]);
    match written {
        Err(error) if error.code() == Der::NONEXIST && how == libc::XATTR_REPLACE => return Errno::err(libc::ENODATA),
        other => other?,
    }
    entry::update_fields(
        &parent,
        NO_TX,
        &node.name,
        &[(entry::offset::CTIME, &seconds), (entry::offset::CTIME_NS, &nanos)],
    )
}

/// Reads an attribute into `room`; its size. No room asks for the size.
///
/// # Errors
/// ENODATA; ERANGE: the room is too small; EINVAL.
pub fn get(dfs: &Dfs, node: &Node, name: &[u8], room: &mut [u8]) -> Result<usize> {
    let akey = akey(name)?;
    let parent = entry_object(dfs, node, ObjectMode::ReadOnly)?;
    let mut akeys = [(&akey[..], FetchValue::Single { room, size: 0 })];
    match parent.fetch(dfs.tx, flags::COND_AKEY_FETCH, &node.name, &mut akeys) {
        Err(error) if error.code() == Der::NONEXIST => return Errno::err(libc::ENODATA),
        Err(error) if error.code() == Der::REC2BIG => return Errno::err(libc::ERANGE),
        other => other?,
    }
    match akeys[0].1 {
        FetchValue::Single { size, .. } => Ok(size),
        FetchValue::Bytes { .. } => Errno::err(libc::EIO),
    }
}

/// Removes an attribute.
///
/// # Errors
/// EPERM, EINVAL, ENODATA.
pub fn remove(dfs: &Dfs, node: &Node, name: &[u8]) -> Result<()> {
    dfs.check_writable()?;
    let akey = akey(name)?;
    let parent = entry_object(dfs, node, ObjectMode::ReadWrite)?;
    match parent.punch_akey(NO_TX, flags::COND_PUNCH, &node.name, &akey) {
        Err(error) if error.code() == Der::NONEXIST => Errno::err(libc::ENODATA),
        other => Ok(other?),
    }
}

/// The names, each with a NUL behind it, as listxattr(2) gives them.
///
/// # Errors
/// What listing gives.
pub fn list(dfs: &Dfs, node: &Node) -> Result<Vec<u8>> {
    let parent = entry_object(dfs, node, ObjectMode::ReadOnly)?;
    let mut names = Vec::new();
    let mut anchor = Anchor::default();
    while !anchor.is_eof() {
        for akey in parent.list_akeys(dfs.tx, &node.name, &mut anchor, 32, NAME_MAX + XATTR_PREFIX.len())? {
            if let Some(name) = akey.strip_prefix(XATTR_PREFIX) {
                names.extend_from_slice(name);
                names.push(0);
            }
        }
    }
    Ok(names)
}

fn akey(name: &[u8]) -> Result<Vec<u8>> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Errno::err(libc::EINVAL);
    }
    Ok([XATTR_PREFIX, name].concat())
}
