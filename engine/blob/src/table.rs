//! The blob table: which clusters belong to which blob.
//!
//! It is stored whole in one of two places by turns, so the last good one is always there: a torn write spoils only
//! the copy being written. Integers little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `DAOSBTBL` |
//! | 8 | 8 | sequence number; the greater of two valid copies counts, odd ones stand in copy 1 |
//! | 16 | 8 | bytes of the entries |
//! | 24 | 8 | number of blobs |
//! | 32 | 16 | UUID of the device |
//! | 48 | 8 | CRC-64/NVME of bytes 0..48 and the entries |
//! | 56 | ... | entries: pool UUID (16), target (4), number of runs (4), then runs: first cluster (4), clusters (4) |

use crate::device::BlobId;
use crate::format::{Superblock, u64_at};
use crc_fast::{CrcAlgorithm, Digest};
use daos_common::{Der, Error, Result};
use std::collections::BTreeMap;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"DAOSBTBL";
const HEADER: usize = 56;
const ENTRY: usize = 24;
const RUN: usize = 8;

/// Neighbouring clusters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// Bytes of a table with that many blobs and runs.
pub(crate) fn bytes_needed(blobs: u64, runs: u64) -> u64 {
    HEADER as u64 + blobs * ENTRY as u64 + runs * RUN as u64
}

/// The blobs of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Table {
    pub(crate) sequence: u64,
    /// By pool and target; runs in the order of the blob's bytes.
    pub(crate) blobs: BTreeMap<(Uuid, u32), Vec<Run>>,
}

impl Table {
    /// The table in its stored form.
    pub(crate) fn encode(&self, device: Uuid) -> Vec<u8> {
        let mut out = vec![0u8; HEADER];
        for ((pool, target), runs) in &self.blobs {
            out.extend_from_slice(pool.as_bytes());
            out.extend_from_slice(&target.to_le_bytes());
            out.extend_from_slice(&(runs.len() as u32).to_le_bytes());
            for run in runs {
                out.extend_from_slice(&run.first.to_le_bytes());
                out.extend_from_slice(&run.count.to_le_bytes());
            }
        }
        let body = (out.len() - HEADER) as u64;
        out[0..8].copy_from_slice(MAGIC);
        out[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        out[16..24].copy_from_slice(&body.to_le_bytes());
        out[24..32].copy_from_slice(&(self.blobs.len() as u64).to_le_bytes());
        out[32..48].copy_from_slice(device.as_bytes());
        let sum = sum_of(&out[..48], &out[HEADER..]);
        out[48..56].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads a stored copy.
    ///
    /// # Errors
    /// `DF_INVAL`: torn, damaged, of another device, or with clusters that do not exist or belong to two.
    pub(crate) fn decode(bytes: &[u8], superblock: &Superblock) -> Result<Table> {
        let damaged = |what: &str| Error::new(Der::DF_INVAL, format!("blob table {what}"));
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return Err(damaged("is missing"));
        }
        let size = u64_at(bytes, 16).min(u64::from(u32::MAX)) as usize;
        let body = bytes.get(HEADER..HEADER + size).ok_or_else(|| damaged("is longer than its place"))?;
        if u64_at(bytes, 48) != sum_of(&bytes[..48], body) {
            return Err(damaged("has a wrong checksum"));
        }
        if bytes[32..48] != *superblock.uuid.as_bytes() {
            return Err(damaged("belongs to another device"));
        }
        let mut table = Table { sequence: u64_at(bytes, 8), blobs: BTreeMap::new() };
        let mut used = vec![false; superblock.clusters as usize];
        let mut rest = body;
        for _ in 0..u64_at(bytes, 24) {
            let (entry, after) = rest.split_first_chunk::<ENTRY>().ok_or_else(|| damaged("is cut short"))?;
            let words = entry.as_chunks::<4>().0;
            let (target, count) = (u32::from_le_bytes(words[4]), u32::from_le_bytes(words[5]) as usize);
            let pool = Uuid::from_slice(&entry[..16]).map_err(|_| damaged("is cut short"))?;
            let runs = count.checked_mul(RUN).and_then(|bytes| after.split_at_checked(bytes));
            let (runs, after) = runs.ok_or_else(|| damaged("is cut short"))?;
            let run =
                |bytes: &[u8; RUN]| Run { first: u64_at(bytes, 0) as u32, count: (u64_at(bytes, 0) >> 32) as u32 };
            let runs: Vec<Run> = runs.as_chunks::<RUN>().0.iter().map(run).collect();
            for run in &runs {
                let clusters = used.get_mut(run.first as usize..run.first as usize + run.count as usize);
                let clusters = clusters.ok_or_else(|| damaged("names clusters beyond the device"))?;
                if clusters.contains(&true) {
                    return Err(damaged("gives a cluster to two blobs"));
                }
                clusters.fill(true);
            }
            table.blobs.insert((pool, target), runs);
            rest = after;
        }
        Ok(table)
    }

    /// Which clusters blobs use, of `clusters`.
    pub(crate) fn used(&self, clusters: u64) -> Vec<bool> {
        let mut used = vec![false; clusters as usize];
        for run in self.blobs.values().flatten() {
            mark(&mut used, run);
        }
        used
    }

    /// Blob ids and their clusters.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (BlobId, u64)> {
        self.blobs.iter().map(|(&(pool, target), runs)| (BlobId { pool, target }, clusters_of(runs)))
    }
}

fn sum_of(header: &[u8], body: &[u8]) -> u64 {
    let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
    digest.update(header);
    digest.update(body);
    digest.finalize()
}

/// Number of clusters of runs.
pub(crate) fn clusters_of(runs: &[Run]) -> u64 {
    runs.iter().map(|run| u64::from(run.count)).sum()
}

/// Marks a run's clusters as used; those beyond the end are none.
pub(crate) fn mark(used: &mut [bool], run: &Run) {
    let end = (run.first as usize + run.count as usize).min(used.len());
    if let Some(clusters) = used.get_mut(run.first as usize..end) {
        clusters.fill(true);
    }
}

/// Finds `wanted` clusters: the first gap that holds them all, else the first gaps there are. `None` if there are
/// not so many.
pub(crate) fn allocate(used: &[bool], wanted: u64) -> Option<Vec<Run>> {
    let mut gaps: Vec<Run> = Vec::new();
    let mut at = 0usize;
    for chunk in used.chunk_by(|a, b| a == b) {
        if !chunk[0] {
            let gap = Run { first: at as u32, count: chunk.len() as u32 };
            if u64::from(gap.count) >= wanted {
                return Some(vec![Run { count: wanted as u32, ..gap }]);
            }
            gaps.push(gap);
        }
        at += chunk.len();
    }
    let mut left = wanted;
    let mut runs = Vec::new();
    for gap in gaps {
        if left == 0 {
            break;
        }
        let count = u64::from(gap.count).min(left) as u32;
        runs.push(Run { count, ..gap });
        left -= u64::from(count);
    }
    (left == 0).then_some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn superblock() -> Superblock {
        Superblock::plan(64 << 20).unwrap()
    }

    /// Aim: tables survive the disk; any cut or flipped bit is noticed.
    #[test]
    fn round_trip() {
        let superblock = superblock();
        let mut table = Table { sequence: 9, ..Table::default() };
        table.blobs.insert((Uuid::from_u128(1), 0), vec![Run { first: 0, count: 3 }, Run { first: 10, count: 1 }]);
        table.blobs.insert((Uuid::from_u128(1), 1), vec![Run { first: 3, count: 4 }]);
        let bytes = table.encode(superblock.uuid);
        assert_eq!(bytes.len() as u64, bytes_needed(2, 3));
        assert_eq!(Table::decode(&bytes, &superblock).unwrap(), table);
        for bit in 0..bytes.len() * 8 {
            let mut torn = bytes.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            assert!(Table::decode(&torn, &superblock).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(Table::decode(&bytes[..cut], &superblock).is_err());
        }
        table.blobs.insert((Uuid::from_u128(2), 1), vec![Run { first: 6, count: 1 }]);
        assert!(Table::decode(&table.encode(superblock.uuid), &superblock).is_err());
        assert!(Table::decode(&bytes, &Superblock::plan(64 << 20).unwrap()).is_err());
    }

    /// Aim: one gap if one suffices, several if not, none if there is not enough.
    #[test]
    fn allocation() {
        let used = [true, false, false, true, false, false, false, true];
        let run = |first, count| Run { first, count };
        assert_eq!(allocate(&used, 2), Some(vec![run(1, 2)]));
        assert_eq!(allocate(&used, 3), Some(vec![run(4, 3)]));
        assert_eq!(allocate(&used, 4), Some(vec![run(1, 2), run(4, 2)]));
        assert_eq!(allocate(&used, 5), Some(vec![run(1, 2), run(4, 3)]));
        assert_eq!(allocate(&used, 6), None);
    }
}
