//! The superblock: attributes of a POSIX container, under one dkey of the superblock object.
//!
//! | akey | type | value |
//! |---|---|---|
//! | DFS_MAGIC | u64 | [`MAGIC`] |
//! | DFS_SB_VERSION | u16 | [`SB_VERSION`] |
//! | DFS_LAYOUT_VERSION | u16 | [`LAYOUT_VERSION`], matched exactly |
//! | DFS_CHUNK_SIZE | u64 | default chunk size in bytes |
//! | DFS_OBJ_CLASS, DFS_DIR_OBJ_CLASS, DFS_FILE_OBJ_CLASS | u32 | default classes, 0 for automatic |
//! | DFS_MODE | u32 | 0 relaxed, 4 balanced |
//! | DFS_HINTS | text with NUL | class hints, absent when unset |
//!
//! Values are in the machine's byte order. Layout of upstream, version 3.

use crate::errno::{Errno, Result};
use daos_api::{FetchValue, Object, UpdateValue};
use daos_common::{Der, flags};
use daos_sys as sys;

/// dkey of the superblock.
const DKEY: &[u8] = b"DFS_SB_METADATA";
/// Value of DFS_MAGIC.
pub const MAGIC: u64 = 0xda05_df50_da05_df50;
/// Value of DFS_SB_VERSION.
pub const SB_VERSION: u16 = 2;
/// Value of DFS_LAYOUT_VERSION.
pub const LAYOUT_VERSION: u16 = 3;
/// Room for the hints with their NUL (`DAOS_CONT_HINT_MAX_LEN`).
pub const HINT_MAX_BYTES: usize = 128;
/// Default chunk size.
pub const DEFAULT_CHUNK_BYTES: u64 = 1 << 20;
/// Bit of DFS_MODE that says balanced.
pub const MODE_BALANCED: u32 = 4;

/// Attributes of a mounted container (`dfs_attr_t`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    /// User identifier (`da_id`); not stored.
    pub id: u64,
    /// Default chunk size in bytes.
    pub chunk_bytes: u64,
    /// Default class of everything, 0 for automatic.
    pub class: u32,
    /// Default class of directories.
    pub dir_class: u32,
    /// Default class of files.
    pub file_class: u32,
    /// 0 relaxed, 4 balanced.
    pub mode: u32,
    /// Hints; empty when unset.
    pub hints: String,
}

/// Writes a new superblock.
///
/// # Errors
/// EEXIST: there is one.
pub fn create(object: &Object, attributes: &Attributes) -> Result<()> {
    let magic = MAGIC.to_ne_bytes();
    let sb_version = SB_VERSION.to_ne_bytes();
    let layout_version = LAYOUT_VERSION.to_ne_bytes();
    let chunk = attributes.chunk_bytes.to_ne_bytes();
    let class = attributes.class.to_ne_bytes();
    let dir_class = attributes.dir_class.to_ne_bytes();
    let file_class = attributes.file_class.to_ne_bytes();
    let mode = attributes.mode.to_ne_bytes();
    let mut hints = attributes.hints.clone().into_bytes();
    let mut akeys: Vec<(&[u8], UpdateValue<'_>)> = vec![
        (b"DFS_MAGIC", UpdateValue::Single(&magic)),
        (b"DFS_SB_VERSION", UpdateValue::Single(&sb_version)),
        (b"DFS_LAYOUT_VERSION", UpdateValue::Single(&layout_version)),
        (b"DFS_CHUNK_SIZE", UpdateValue::Single(&chunk)),
        (b"DFS_OBJ_CLASS", UpdateValue::Single(&class)),
        (b"DFS_DIR_OBJ_CLASS", UpdateValue::Single(&dir_class)),
        (b"DFS_FILE_OBJ_CLASS", UpdateValue::Single(&file_class)),
        (b"DFS_MODE", UpdateValue::Single(&mode)),
    ];
    if !hints.is_empty() {
        hints.push(0);
        akeys.push((b"DFS_HINTS", UpdateValue::Single(&hints)));
    }
    Ok(object.update(NO_TX, flags::COND_DKEY_INSERT, DKEY, &akeys)?)
}

/// Reads and checks the superblock.
///
/// # Errors
/// ENOENT: there is none; EINVAL: not a DFS superblock; EPROTO: another layout version.
pub fn open(object: &Object, tx: sys::daos_handle_t) -> Result<Attributes> {
    let (mut magic, mut sb, mut layout, mut chunk) = ([0; 8], [0; 2], [0; 2], [0; 8]);
    let (mut class, mut dir_class, mut file_class, mut mode) = ([0; 4], [0; 4], [0; 4], [0; 4]);
    let mut hints = [0u8; HINT_MAX_BYTES];
    fn single(room: &mut [u8]) -> FetchValue<'_> {
        FetchValue::Single { room, size: 0 }
    }
    let mut akeys: [(&[u8], FetchValue<'_>); 9] = [
        (b"DFS_MAGIC", single(&mut magic)),
        (b"DFS_SB_VERSION", single(&mut sb)),
        (b"DFS_LAYOUT_VERSION", single(&mut layout)),
        (b"DFS_CHUNK_SIZE", single(&mut chunk)),
        (b"DFS_OBJ_CLASS", single(&mut class)),
        (b"DFS_DIR_OBJ_CLASS", single(&mut dir_class)),
        (b"DFS_FILE_OBJ_CLASS", single(&mut file_class)),
        (b"DFS_MODE", single(&mut mode)),
        (b"DFS_HINTS", single(&mut hints)),
    ];
    match object.fetch(tx, 0, DKEY, &mut akeys) {
        Err(error) if error.code() == Der::NONEXIST => return Errno::err(libc::ENOENT),
        other => other?,
    }
    let FetchValue::Single { size: magic_bytes, .. } = akeys[0].1 else { return Errno::err(libc::EIO) };
    if magic_bytes == 0 {
        return Errno::err(libc::ENOENT);
    }
    if magic_bytes != magic.len() || u64::from_ne_bytes(magic) != MAGIC {
        return Errno::err(libc::EINVAL);
    }
    if u16::from_ne_bytes(sb) > SB_VERSION || u16::from_ne_bytes(layout) != LAYOUT_VERSION {
        return Errno::err(libc::EPROTO);
    }
    let chunk_bytes = u64::from_ne_bytes(chunk);
    let hint_len = hints.iter().position(|byte| *byte == 0).unwrap_or(0);
    Ok(Attributes {
        id: 0,
        chunk_bytes: if chunk_bytes == 0 { DEFAULT_CHUNK_BYTES } else { chunk_bytes },
        class: u32::from_ne_bytes(class),
        dir_class: u32::from_ne_bytes(dir_class),
        file_class: u32::from_ne_bytes(file_class),
        mode: u32::from_ne_bytes(mode),
        hints: String::from_utf8_lossy(&hints[..hint_len]).into_owned(),
    })
}

/// No transaction (`DAOS_TX_NONE`).
pub const NO_TX: sys::daos_handle_t = sys::daos_handle_t { cookie: 0 };
