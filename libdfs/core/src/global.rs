//! Handles passed between processes: a mount or an open node as bytes.
//!
//! | offset | type | field of a mount | field of a node |
//! |---|---|---|---|
//! | 0 | u32 | magic `DFSm` | magic `DFSn` |
//! | 4 | u32 | version 1 | version 1 |
//! | 8 | 16 B | container UUID | container UUID |
//! | 24 | u64 ×2 | superblock object | object |
//! | 40 | u64 ×2 | root object | parent object |
//! | 56 | u64 | snapshot epoch | chunk size in bytes |
//! | 64 | u64 | chunk size in bytes | — |
//! | 72 | u32 ×4 | default, directory, file class; mode bits | mode, flags, class, — |
//! | 88 | u32 ×2 | writable, balanced | length of the name, — |
//! | 96 | 256 B | — | name |
//!
//! Little endian. Always [`BYTES`] long.

use crate::entry::{Inode, NAME_MAX};
use crate::errno::{Errno, Result};
use crate::mount::Dfs;
use crate::node::{Node, NodeKind};
use daos_api::{ContRef, PoolRef};
use daos_common::ObjectId;
use uuid::Uuid;

/// Length of either form.
pub const BYTES: usize = 352;

const MAGIC_MOUNT: u32 = 0x4446_536d;
const MAGIC_NODE: u32 = 0x4446_536e;
const VERSION: u32 = 1;

/// A mount as bytes.
pub fn pack_mount(dfs: &Dfs) -> [u8; BYTES] {
    let mut bytes = head(MAGIC_MOUNT, dfs.cont_uuid, dfs.super_oid, dfs.root.oid);
    put(&mut bytes, 56, &dfs.epoch.to_le_bytes());
    put(&mut bytes, 64, &dfs.attributes.chunk_bytes.to_le_bytes());
    put(&mut bytes, 72, &dfs.attributes.class.to_le_bytes());
    put(&mut bytes, 76, &dfs.attributes.dir_class.to_le_bytes());
    put(&mut bytes, 80, &dfs.attributes.file_class.to_le_bytes());
    put(&mut bytes, 84, &dfs.attributes.mode.to_le_bytes());
    put(&mut bytes, 88, &u32::from(dfs.writable).to_le_bytes());
    put(&mut bytes, 92, &u32::from(dfs.balanced).to_le_bytes());
    bytes
}

/// A mount from bytes, over handles of this process; no message is sent. `flags` 0 takes the original's.
///
/// # Errors
/// EINVAL: not a mount's bytes, or of another container.
pub fn unpack_mount(pool: PoolRef, cont: ContRef, cont_uuid: Uuid, flags: i32, bytes: &[u8]) -> Result<Dfs> {
    check(bytes, MAGIC_MOUNT, cont_uuid)?;
    let original = if half(bytes, 88) != 0 { libc::O_RDWR } else { libc::O_RDONLY };
    let flags = if flags == 0 { original } else { flags };
    let mut dfs =
        Dfs::assemble(pool, cont, cont_uuid, flags & libc::O_ACCMODE, word(bytes, 56), oid(bytes, 24), oid(bytes, 40))?;
    dfs.attributes.chunk_bytes = word(bytes, 64);
    dfs.attributes.class = half(bytes, 72);
    dfs.attributes.dir_class = half(bytes, 76);
    dfs.attributes.file_class = half(bytes, 80);
    dfs.attributes.mode = half(bytes, 84);
    dfs.balanced = half(bytes, 92) != 0;
    Ok(dfs)
}

/// A file or directory as bytes.
///
/// # Errors
/// EINVAL: a symlink.
pub fn pack_node(dfs: &Dfs, node: &Node) -> Result<[u8; BYTES]> {
    let (chunk_bytes, class) = match &node.kind {
        NodeKind::File(array) => (array.chunk_cells()?, 0),
        NodeKind::Directory(directory) => (directory.chunk_bytes, directory.class),
        NodeKind::Symlink(_) => return Errno::err(libc::EINVAL),
    };
    let mut bytes = head(MAGIC_NODE, dfs.cont_uuid, node.oid, node.parent_oid);
    put(&mut bytes, 56, &chunk_bytes.to_le_bytes());
    put(&mut bytes, 72, &node.mode.to_le_bytes());
    put(&mut bytes, 76, &node.flags.to_le_bytes());
    put(&mut bytes, 80, &class.to_le_bytes());
    put(&mut bytes, 88, &(node.name.len() as u32).to_le_bytes());
    put(&mut bytes, 96, &node.name);
    Ok(bytes)
}

/// A file or directory from bytes, opened without a message. `flags` 0 takes the original's.
///
/// # Errors
/// EINVAL: not a node's bytes, or of another container.
pub fn unpack_node(dfs: &Dfs, flags: i32, bytes: &[u8]) -> Result<Node> {
    check(bytes, MAGIC_NODE, dfs.cont_uuid)?;
    let name_bytes = half(bytes, 88) as usize;
    if name_bytes > NAME_MAX {
        return Errno::err(libc::EINVAL);
    }
    let inode = Inode {
        mode: half(bytes, 72),
        oid: oid(bytes, 24),
        chunk_bytes: word(bytes, 56),
        class: half(bytes, 80),
        ..Inode::default()
    };
    let flags = if flags == 0 { half(bytes, 76) as i32 } else { flags };
    let name = &bytes[96..96 + name_bytes];
    Node::from_inode(dfs, oid(bytes, 40), name, &inode, Vec::new(), flags)
}

fn head(magic: u32, cont: Uuid, first: ObjectId, second: ObjectId) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    put(&mut bytes, 0, &magic.to_le_bytes());
    put(&mut bytes, 4, &VERSION.to_le_bytes());
    put(&mut bytes, 8, cont.as_bytes());
    for (at, oid) in [(24, first), (40, second)] {
        put(&mut bytes, at, &oid.lo.to_le_bytes());
        put(&mut bytes, at + 8, &oid.hi.to_le_bytes());
    }
    bytes
}

fn check(bytes: &[u8], magic: u32, cont: Uuid) -> Result<()> {
    let right = bytes.len() == BYTES
        && half(bytes, 0) == magic
        && half(bytes, 4) == VERSION
        && &bytes[8..24] == cont.as_bytes();
    if right { Ok(()) } else { Errno::err(libc::EINVAL) }
}

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(field)
}

fn half(bytes: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(field)
}

fn oid(bytes: &[u8], at: usize) -> ObjectId {
    ObjectId { lo: word(bytes, at), hi: word(bytes, at + 8) }
}
