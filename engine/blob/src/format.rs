//! The superblock: what a device is, where its parts are.
//!
//! ```text
//! 0        4096     65536        65536+T      65536+2T   data
//! | super  | super' | ...        | table A    | table B  | clusters ...            |
//! ```
//!
//! Superblock (written when formatting, twice, never again; integers little-endian):
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `DAOSBLOB` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | 0 |
//! | 16 | 16 | UUID of the device |
//! | 32 | 8 | bytes of the device |
//! | 40 | 8 | bytes of a cluster |
//! | 48 | 8 | number of clusters |
//! | 56 | 8 | T, bytes of a table copy |
//! | 64 | 8 | offset of the first cluster |
//! | 72 | 8 | CRC-64/NVME of bytes 0..72 |

use crate::BLOCK;
use crc_fast::{CrcAlgorithm, checksum};
use daos_common::{Der, Error, Result};
use uuid::Uuid;

/// Bytes of a superblock that are used.
const USED: usize = 80;
const MAGIC: &[u8; 8] = b"DAOSBLOB";
const VERSION: u32 = 1;

/// Offset of the first table copy.
const TABLES: u64 = 64 << 10;
const CLUSTER_MAX: u64 = 32 << 20;
const CLUSTER_MIN: u64 = 64 << 10;
/// A device has at least about this many clusters, so that pools can share even a small one.
const CLUSTERS_WANTED: u64 = 64;
/// And at most this many, so that tables stay small: clusters of larger devices grow instead.
const CLUSTERS_MAX: u64 = 1 << 20;

/// Blobs on one device at most.
pub(crate) const BLOBS_MAX: u64 = 16384;
/// Smallest device in bytes.
pub(crate) const DEVICE_BYTES_MIN: u64 = 8 << 20;

/// A decoded superblock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Superblock {
    pub(crate) uuid: Uuid,
    pub(crate) device_bytes: u64,
    pub(crate) cluster_bytes: u64,
    pub(crate) clusters: u64,
    pub(crate) table_bytes: u64,
    pub(crate) data_offset: u64,
}

impl Superblock {
    /// Lays out a device of `device_bytes`.
    ///
    /// # Errors
    /// `NOSPACE`: smaller than [`DEVICE_BYTES_MIN`].
    pub(crate) fn plan(device_bytes: u64) -> Result<Superblock> {
        if device_bytes < DEVICE_BYTES_MIN {
            let text = format!("{device_bytes} bytes are too few for a device; it needs at least {DEVICE_BYTES_MIN}");
            return Err(Error::new(Der::NOSPACE, text));
        }
        let mut cluster_bytes = (device_bytes / CLUSTERS_WANTED + 1).next_power_of_two() / 2;
        cluster_bytes = cluster_bytes.clamp(CLUSTER_MIN, CLUSTER_MAX);
        while device_bytes / cluster_bytes > CLUSTERS_MAX {
            cluster_bytes *= 2;
        }
        // Enough for the most blobs and every cluster a run of its own.
        let upper = device_bytes / cluster_bytes;
        let blobs = BLOBS_MAX.min(upper);
        let table_bytes = crate::table::bytes_needed(blobs, upper).next_multiple_of(BLOCK);
        let data_offset = (TABLES + 2 * table_bytes).next_multiple_of(CLUSTER_MIN);
        let clusters = (device_bytes - data_offset) / cluster_bytes;
        let uuid = Uuid::new_v4();
        Ok(Superblock { uuid, device_bytes, cluster_bytes, clusters, table_bytes, data_offset })
    }

    /// Offset of table copy 0 or 1.
    pub(crate) fn table_offset(&self, copy: usize) -> u64 {
        TABLES + copy as u64 * self.table_bytes
    }

    /// Writes it into the front of a block.
    pub(crate) fn encode(&self, block: &mut [u8]) {
        block.fill(0);
        block[0..8].copy_from_slice(MAGIC);
        block[8..12].copy_from_slice(&VERSION.to_le_bytes());
        block[16..32].copy_from_slice(self.uuid.as_bytes());
        let words = [self.device_bytes, self.cluster_bytes, self.clusters, self.table_bytes, self.data_offset];
        for (slot, word) in block[32..72].chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let sum = checksum(CrcAlgorithm::Crc64Nvme, &block[..USED - 8]);
        block[USED - 8..USED].copy_from_slice(&sum.to_le_bytes());
    }

    /// Whether a block carries the magic, damaged or not.
    pub(crate) fn is_ours(block: &[u8]) -> bool {
        block.starts_with(MAGIC)
    }

    /// Reads it from the front of a block.
    ///
    /// # Errors
    /// `DF_INVAL`: no magic, a wrong checksum, impossible numbers. `DF_INCOMPT`: another version.
    pub(crate) fn decode(block: &[u8]) -> Result<Superblock> {
        let damaged = |what: &str| Error::new(Der::DF_INVAL, what);
        if block.len() < USED || !Superblock::is_ours(block) {
            return Err(damaged("not formatted as a DAOS data device"));
        }
        let word = |at: usize| u64_at(block, at);
        if word(USED - 8) != checksum(CrcAlgorithm::Crc64Nvme, &block[..USED - 8]) {
            return Err(damaged("superblock has a wrong checksum"));
        }
        let version = word(8) as u32;
        if version != VERSION {
            let text = format!("format version {version}; this engine knows version {VERSION}");
            return Err(Error::new(Der::DF_INCOMPT, text));
        }
        let uuid = Uuid::from_slice(&block[16..32]).map_err(|_| damaged("superblock is short"))?;
        let [device_bytes, cluster_bytes, clusters, table_bytes, data_offset] = [32, 40, 48, 56, 64].map(word);
        let superblock = Superblock { uuid, device_bytes, cluster_bytes, clusters, table_bytes, data_offset };
        match superblock.is_sound() {
            true => Ok(superblock),
            false => Err(damaged("superblock has impossible numbers")),
        }
    }

    fn is_sound(&self) -> bool {
        let tables_end = self.table_bytes.checked_mul(2).and_then(|bytes| bytes.checked_add(TABLES));
        let data_end =
            self.clusters.checked_mul(self.cluster_bytes).and_then(|bytes| bytes.checked_add(self.data_offset));
        self.cluster_bytes >= BLOCK
            && self.cluster_bytes.is_power_of_two()
            && self.clusters <= CLUSTERS_MAX
            && self.table_bytes.is_multiple_of(BLOCK)
            && self.data_offset.is_multiple_of(BLOCK)
            && tables_end.is_some_and(|end| end <= self.data_offset)
            && data_end.is_some_and(|end| end <= self.device_bytes)
    }
}

/// A little-endian word; 0 beyond the end.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|slice| slice.try_into().ok()).map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: every size of device gets a sound plan that survives the disk, and any damaged byte is noticed.
    #[test]
    fn plans() {
        for bytes in [8 << 20, 100 << 20, (1 << 30) + 5000, 64 << 30, 16 << 40, 100 << 40] {
            let plan = Superblock::plan(bytes).unwrap();
            assert!(plan.is_sound() && plan.clusters >= 32, "{plan:?}");
            assert!(plan.clusters * plan.cluster_bytes > bytes * 9 / 10);
            let mut block = vec![0xff; 4096];
            plan.encode(&mut block);
            assert_eq!(Superblock::decode(&block).unwrap(), plan);
            for at in 0..USED {
                block[at] ^= 0x10;
                assert!(Superblock::decode(&block).is_err(), "byte {at}");
                block[at] ^= 0x10;
            }
        }
        assert_eq!(Superblock::plan(16 << 40).unwrap().cluster_bytes, 32 << 20);
        assert_eq!(Superblock::plan(1 << 20).unwrap_err().code(), Der::NOSPACE);
        assert_eq!(Superblock::decode(&[0; 4096]).unwrap_err().code(), Der::DF_INVAL);
    }
}
