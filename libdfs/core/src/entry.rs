//! Directory entries: one dkey per name in the directory's object.
//!
//! akey `DFS_INODE`, one-byte records from index 0, in the machine's byte order, 88 bytes:
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | u32 | mode |
//! | 4 | u64 ×2 | object id, low then high |
//! | 20 | u64 | mtime, seconds |
//! | 28 | u64 | ctime, seconds |
//! | 36 | u64 | chunk size in bytes (of the file, or default in the directory) |
//! | 44 | u32 | object class (default in the directory) |
//! | 48 | u64 | mtime, nanoseconds |
//! | 56 | u64 | ctime, nanoseconds |
//! | 64 | u32 | uid |
//! | 68 | u32 | gid |
//! | 72 | u64 | length of a symlink's target |
//! | 80 | u64 | HLC of the object when mtime was set by hand |
//!
//! akey `DFS_SLINK` holds a symlink's target without NUL; akeys `x:NAME` hold extended attributes.

use crate::errno::{Errno, Result};
use daos_api::{Anchor, Extent, FetchValue, Object, UpdateValue};
use daos_common::{Der, ObjectId, flags};
use daos_sys as sys;

/// Bytes of an inode.
pub const INODE_BYTES: usize = 88;
/// akey of the inode.
pub const INODE: &[u8] = b"DFS_INODE";
/// akey of a symlink's target.
pub const SLINK: &[u8] = b"DFS_SLINK";
/// Longest name (`DFS_MAX_NAME`).
pub const NAME_MAX: usize = 255;
/// Longest path with its NUL (`DFS_MAX_PATH`).
pub const PATH_MAX: usize = 4096;
/// Largest extended attribute (`DFS_MAX_XATTR_LEN`).
pub const XATTR_MAX: usize = 65536;
/// Prefix of extended attributes' akeys.
pub const XATTR_PREFIX: &[u8] = b"x:";

/// Offsets of the inode's fields that are updated alone.
pub mod offset {
    /// mode
    pub const MODE: u64 = 0;
    /// mtime, seconds
    pub const MTIME: u64 = 20;
    /// ctime, seconds
    pub const CTIME: u64 = 28;
    /// chunk size
    pub const CHUNK: u64 = 36;
    /// object class
    pub const CLASS: u64 = 44;
    /// mtime, nanoseconds
    pub const MTIME_NS: u64 = 48;
    /// ctime, nanoseconds
    pub const CTIME_NS: u64 = 56;
    /// uid
    pub const UID: u64 = 64;
    /// gid
    pub const GID: u64 = 68;
    /// HLC of the object
    pub const HLC: u64 = 80;
}

/// A point in time, as inodes store it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: u64,
    /// Nanoseconds.
    pub nanos: u64,
}

impl Time {
    /// The wall clock.
    pub fn now() -> Time {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time { seconds: now.as_secs(), nanos: now.subsec_nanos().into() }
    }

    /// Time of an HLC timestamp.
    pub fn from_hlc(hlc: u64) -> Time {
        let unix = daos_common::hlc::to_unix(hlc);
        Time { seconds: unix.as_secs(), nanos: unix.subsec_nanos().into() }
    }
}

/// An inode.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inode {
    /// Type and permissions.
    pub mode: u32,
    /// The object.
    pub oid: ObjectId,
    /// Last change of the contents, as far as the entry knows.
    pub mtime: Time,
    /// Last change of the inode.
    pub ctime: Time,
    /// Chunk size in bytes.
    pub chunk_bytes: u64,
    /// Object class.
    pub class: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length of a symlink's target.
    pub link_bytes: u64,
    /// HLC of the object when mtime was set by hand.
    pub object_hlc: u64,
}

impl Inode {
    /// The file type bits of the mode.
    pub fn kind(&self) -> u32 {
        self.mode & libc::S_IFMT
    }

    /// The stored form.
    pub fn pack(&self) -> [u8; INODE_BYTES] {
        let mut bytes = [0; INODE_BYTES];
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&self.mode.to_ne_bytes());
        put(&self.oid.lo.to_ne_bytes());
        put(&self.oid.hi.to_ne_bytes());
        put(&self.mtime.seconds.to_ne_bytes());
        put(&self.ctime.seconds.to_ne_bytes());
        put(&self.chunk_bytes.to_ne_bytes());
        put(&self.class.to_ne_bytes());
        put(&self.mtime.nanos.to_ne_bytes());
        put(&self.ctime.nanos.to_ne_bytes());
        put(&self.uid.to_ne_bytes());
        put(&self.gid.to_ne_bytes());
        put(&self.link_bytes.to_ne_bytes());
        put(&self.object_hlc.to_ne_bytes());
        bytes
    }

    /// From the stored form.
    pub fn unpack(bytes: &[u8; INODE_BYTES]) -> Inode {
        let word = |at: usize| {
            let mut field = [0; 8];
            field.copy_from_slice(&bytes[at..at + 8]);
            u64::from_ne_bytes(field)
        };
        let half = |at: usize| {
            let mut field = [0; 4];
            field.copy_from_slice(&bytes[at..at + 4]);
            u32::from_ne_bytes(field)
        };
        Inode {
            mode: half(0),
            oid: ObjectId { lo: word(4), hi: word(12) },
            mtime: Time { seconds: word(20), nanos: word(48) },
            ctime: Time { seconds: word(28), nanos: word(56) },
            chunk_bytes: word(36),
            class: half(44),
            uid: half(64),
            gid: half(68),
            link_bytes: word(72),
            object_hlc: word(80),
        }
    }
}

/// Checks a single name: no slash, not longer than [`NAME_MAX`], not empty.
///
/// # Errors
/// EINVAL.
pub fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.len() > NAME_MAX || name.contains(&b'/') {
        return Errno::err(libc::EINVAL);
    }
    Ok(())
}

/// Reads the inode of `name`; `None` when there is no such entry.
///
/// # Errors
/// ENOTSUP for `.`, which is no entry; what the fetch gives.
pub fn fetch(directory: &Object, tx: sys::daos_handle_t, name: &[u8]) -> Result<Option<Inode>> {
    let mut none = [];
    fetch_with(directory, tx, name, &mut none)
}

/// Reads the inode of `name` and the target of a symlink in one message.
///
/// # Errors
/// As [`fetch`]; EIO: the target's length is not the inode's.
pub fn fetch_following(directory: &Object, tx: sys::daos_handle_t, name: &[u8]) -> Result<Option<(Inode, Vec<u8>)>> {
    let mut room = [0u8; PATH_MAX];
    let mut more = [(SLINK, FetchValue::Single { room: &mut room, size: 0 })];
    let Some(inode) = fetch_with(directory, tx, name, &mut more)? else { return Ok(None) };
    if inode.kind() != libc::S_IFLNK {
        return Ok(Some((inode, Vec::new())));
    }
    let FetchValue::Single { size, .. } = more[0].1 else { return Errno::err(libc::EIO) };
    if size == 0 || size as u64 != inode.link_bytes || size >= PATH_MAX {
        return Errno::err(libc::EIO);
    }
    Ok(Some((inode, room[..size].to_vec())))
}

/// Reads the inode of `name` and further akeys in one message.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_with(
    directory: &Object,
    tx: sys::daos_handle_t,
    name: &[u8],
    more: &mut [(&[u8], FetchValue<'_>)],
) -> Result<Option<Inode>> {
    if name == b"." {
        return Errno::err(libc::ENOTSUP);
    }
    let mut bytes = [0; INODE_BYTES];
    let extent = Extent { index: 0, bytes: &mut bytes[..] };
    let mut akeys: Vec<(&[u8], FetchValue<'_>)> = Vec::with_capacity(more.len() + 1);
    akeys.push((INODE, FetchValue::Bytes { extent, found: false }));
    for (akey, value) in more.iter_mut() {
        let FetchValue::Single { room, .. } = value else { return Errno::err(libc::EINVAL) };
        akeys.push((akey, FetchValue::Single { room, size: 0 }));
    }
    match directory.fetch(tx, flags::COND_DKEY_FETCH, name, &mut akeys) {
        Err(error) if error.code() == Der::NONEXIST => return Ok(None),
        other => other?,
    }
    let found = matches!(akeys[0].1, FetchValue::Bytes { found: true, .. });
    let sizes: Vec<usize> = akeys[1..]
        .iter()
        .map(|(_, value)| if let FetchValue::Single { size, .. } = value { *size } else { 0 })
        .collect();
    drop(akeys);
    for ((_, value), found_size) in more.iter_mut().zip(sizes) {
        if let FetchValue::Single { size, .. } = value {
            *size = found_size;
        }
    }
    Ok(found.then(|| Inode::unpack(&bytes)))
}

/// Writes an entry: inode, symlink target and extended attributes, all or nothing.
///
/// # Errors
/// EEXIST when `flags` has COND_DKEY_INSERT and the name is taken.
pub fn insert(
    directory: &Object,
    tx: sys::daos_handle_t,
    name: &[u8],
    flags: u64,
    inode: &Inode,
    target: &[u8],
    xattrs: &[(Vec<u8>, Vec<u8>)],
) -> Result<()> {
    let bytes = inode.pack();
    let extents = [Extent { index: 0, bytes: &bytes[..] }];
    let mut akeys: Vec<(&[u8], UpdateValue<'_>)> = vec![(INODE, UpdateValue::Bytes(&extents))];
    if inode.kind() == libc::S_IFLNK {
        akeys.push((SLINK, UpdateValue::Single(target)));
    }
    akeys.extend(xattrs.iter().map(|(akey, value)| (&akey[..], UpdateValue::Single(value))));
    Ok(directory.update(tx, flags, name, &akeys)?)
}

/// Changes fields of an existing inode: pairs of offset and bytes.
///
/// # Errors
/// ENOENT: the entry is gone.
pub fn update_fields(directory: &Object, tx: sys::daos_handle_t, name: &[u8], fields: &[(u64, &[u8])]) -> Result<()> {
    let extents: Vec<Extent<&[u8]>> =
        fields.iter().map(|(index, bytes)| Extent { index: *index, bytes: *bytes }).collect();
    Ok(directory.update(tx, flags::COND_DKEY_UPDATE, name, &[(INODE, UpdateValue::Bytes(&extents))])?)
}

/// The extended attributes of an entry: akey (with its prefix) and value.
///
/// # Errors
/// What listing and fetching give.
pub fn fetch_xattrs(directory: &Object, tx: sys::daos_handle_t, name: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut xattrs = Vec::new();
    let mut anchor = Anchor::default();
    while !anchor.is_eof() {
        for akey in directory.list_akeys(tx, name, &mut anchor, 16, NAME_MAX + XATTR_PREFIX.len())? {
            if !akey.starts_with(XATTR_PREFIX) {
                continue;
            }
            let mut room = vec![0; XATTR_MAX];
            let mut akeys = [(&akey[..], FetchValue::Single { room: &mut room, size: 0 })];
            directory.fetch(tx, 0, name, &mut akeys)?;
            let FetchValue::Single { size, .. } = akeys[0].1 else { continue };
            room.truncate(size);
            xattrs.push((akey, room));
        }
    }
    Ok(xattrs)
}

/// Whether a directory has an entry at all.
///
/// # Errors
/// What listing gives.
pub fn is_empty(directory: &Object, tx: sys::daos_handle_t) -> Result<bool> {
    let mut anchor = Anchor::default();
    while !anchor.is_eof() {
        if !directory.list_dkeys(tx, &mut anchor, 10, NAME_MAX)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the stored form has the fields where the layout says, and reads back the same.
    #[test]
    fn inode_layout() {
        let inode = Inode {
            mode: 0o100644,
            oid: ObjectId { lo: 1, hi: 2 },
            mtime: Time { seconds: 3, nanos: 4 },
            ctime: Time { seconds: 5, nanos: 6 },
            chunk_bytes: 7,
            class: 8,
            uid: 9,
            gid: 10,
            link_bytes: 11,
            object_hlc: 12,
        };
        let bytes = inode.pack();
        assert_eq!(Inode::unpack(&bytes), inode);
        for (at, value) in [(4, 1), (12, 2), (20, 3), (28, 5), (36, 7), (48, 4), (56, 6), (72, 11), (80, 12)] {
            assert_eq!(u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap()), value, "field at {at}");
        }
    }
}
