//! The file's layout and its header.
//!
//! ```text
//! 0          header, 4096 bytes
//! 4096       root block, 64 bytes: container tree, list of destroyed containers
//! 8192       log: header, 64 bytes; body
//! ...        map of the arena's space, one bit per unit of 16 bytes
//! ...        map of the data tier's space, one bit per unit of 4096 bytes
//! ...        space for nodes, records and values
//! ```
//!
//! | offset | size | header field |
//! |---|---|---|
//! | 0 | 8 | magic `DAOSVOS\x01` |
//! | 8 | 8 | version of the format |
//! | 16 | 16 | pool UUID |
//! | 32 | 8 | bytes of the arena, which are the file's |
//! | 40 | 8 | bytes of the data tier's share |
//! | 48 | 8 | values of more bytes go to the data tier |
//! | 56 | 16 | log: offset, bytes |
//! | 72 | 16 | map of the arena: offset, units |
//! | 88 | 16 | map of the data tier: offset, units |
//! | 104 | 8 | offset of the first unit for nodes, records and values |
//! | 112 | 8 | XXH3-64 of the 112 bytes before |
//!
//! All numbers are little-endian. The header never changes after the file is made. Version 2 added the newest epoch to the
//! log's header; version 3 the second half of a container's record, with its transactions (`transactions`).

use super::{Arena, set_word, word};
use crate::face::PoolConfig;
use daos_common::{Der, Result};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: u64 = u64::from_le_bytes(*b"DAOSVOS\x01");
const VERSION: u64 = 3;
const CHECKED_BYTES: usize = 112;
/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 4096;
const ROOT_OFF: u64 = 4096;
const LOG_OFF: u64 = 8192;
/// The arena's unit of space.
pub(crate) const UNIT: u64 = 16;
/// The data tier's unit of space.
pub(crate) const BLOB_UNIT: u64 = 4096;
/// The smallest arena that makes sense; [`crate::VosPool::create`] asks for more.
const MIN_ARENA: u64 = 256 << 10;

/// Where things are in the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) pool: Uuid,
    pub(crate) arena_bytes: u64,
    pub(crate) blob_bytes: u64,
    pub(crate) blob_threshold_bytes: u64,
    pub(crate) log_off: u64,
    pub(crate) log_bytes: u64,
    pub(crate) map_off: u64,
    pub(crate) map_units: u64,
    pub(crate) blob_map_off: u64,
    pub(crate) blob_units: u64,
    pub(crate) data_off: u64,
}

fn up(value: u64, to: u64) -> Option<u64> {
    value.checked_next_multiple_of(to)
}

/// Bytes of a map of `units` bits, in whole cache lines.
fn map_bytes(units: u64) -> u64 {
    units.div_ceil(512) * 64
}

impl Layout {
    /// The layout of a new store.
    pub(super) fn plan(config: &PoolConfig) -> Result<Layout> {
        let arena_bytes = config.arena_bytes / 4096 * 4096;
        if arena_bytes < MIN_ARENA {
            return Err(Der::NOSPACE.err(format!("an arena of {arena_bytes} bytes is too small")));
        }
        let layout = Layout::from_sizes(config.pool, arena_bytes, config.blob_bytes, config.blob_threshold_bytes);
        layout.ok_or_else(|| {
            Der::NOSPACE.err(format!(
                "an arena of {arena_bytes} bytes has no room for the space map of a data tier of {} bytes; \
                 give the pool more of the first tier",
                config.blob_bytes
            ))
        })
    }

    fn from_sizes(pool: Uuid, arena_bytes: u64, blob_bytes: u64, blob_threshold_bytes: u64) -> Option<Layout> {
        let log_bytes = (arena_bytes / 16).clamp(16 << 10, 1 << 20) / 4096 * 4096;
        let map_units = arena_bytes / UNIT;
        let map_off = LOG_OFF + log_bytes;
        let blob_units = blob_bytes / BLOB_UNIT;
        let blob_map_off = map_off.checked_add(map_bytes(map_units))?;
        let data_off = up(blob_map_off.checked_add(map_bytes(blob_units))?, 4096)?;
        if data_off > arena_bytes / 4 * 3 {
            return None;
        }
        Some(Layout {
            pool,
            arena_bytes,
            blob_bytes: blob_units * BLOB_UNIT,
            blob_threshold_bytes,
            log_off: LOG_OFF,
            log_bytes,
            map_off,
            map_units,
            blob_map_off,
            blob_units,
            data_off,
        })
    }

    /// Offset of the root block.
    pub(crate) fn root_off(&self) -> u64 {
        ROOT_OFF
    }

    fn encode(&self) -> Vec<u8> {
        let mut header = vec![0; HEADER_BYTES];
        set_word(&mut header, 0, MAGIC);
        set_word(&mut header, 8, VERSION);
        header[16..32].copy_from_slice(self.pool.as_bytes());
        let words = [
            self.arena_bytes,
            self.blob_bytes,
            self.blob_threshold_bytes,
            self.log_off,
            self.log_bytes,
            self.map_off,
            self.map_units,
            self.blob_map_off,
            self.blob_units,
            self.data_off,
        ];
        for (index, value) in words.into_iter().enumerate() {
            set_word(&mut header, 32 + 8 * index, value);
        }
        let sum = xxh3_64(&header[..CHECKED_BYTES]);
        set_word(&mut header, CHECKED_BYTES, sum);
        header
    }

    /// Reads a header; `file_bytes` is the length of the file that it stands in.
    pub(super) fn decode(header: &[u8], file_bytes: u64) -> Result<Layout> {
        if header.len() < HEADER_BYTES || word(header, 0) != MAGIC {
            return Err(Der::DF_INVAL.err("not a store (no magic at its start); is the path right?"));
        }
        if word(header, CHECKED_BYTES) != xxh3_64(&header[..CHECKED_BYTES]) {
            return Err(Der::DF_INVAL.err("the header is damaged (checksum); restore the target from its replicas"));
        }
        if word(header, 8) != VERSION {
            let found = word(header, 8);
            return Err(Der::DF_INCOMPT.err(format!("format version {found}; this engine reads {VERSION}")));
        }
        let pool = Uuid::from_slice(&header[16..32]).unwrap_or_default();
        let arena_bytes = word(header, 32);
        if file_bytes != arena_bytes {
            return Err(Der::DF_INVAL.err(format!(
                "the file is {file_bytes} bytes but its header says {arena_bytes}; it was truncated or extended"
            )));
        }
        let layout = Layout::from_sizes(pool, arena_bytes, word(header, 40), word(header, 48));
        match layout {
            Some(layout) if layout.encode()[..HEADER_BYTES] == header[..HEADER_BYTES] => Ok(layout),
            _ => Err(Der::DF_INVAL.err("the header contradicts itself; restore the target from its replicas")),
        }
    }
}

impl Arena {
    /// Writes the maps, and the header last, so that a half-made file is not taken for a store.
    pub(super) fn format_metadata(&mut self) -> Result<()> {
        let layout = self.layout().clone();
        let used = layout.data_off / UNIT;
        let whole = vec![0xffu8; (used / 8) as usize];
        self.store(layout.map_off, &whole)?;
        if !used.is_multiple_of(8) {
            self.store(layout.map_off + used / 8, &[((1u16 << (used % 8)) - 1) as u8])?;
        }
        self.flush(0, layout.data_off)?;
        self.drain();
        self.order();
        self.store(0, &layout.encode())?;
        self.flush(0, HEADER_BYTES as u64)?;
        self.drain();
        Ok(())
    }
}
