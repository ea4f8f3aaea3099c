//! Walks everything reachable: the digest of what is stored, and whether the space maps say exactly what is used.

use crate::VosPool;
use crate::arena::{Mem, UNIT, word};
use crate::record::{RECORD_BYTES, Record, VALUE_HEADER, Value, key_bytes};
use crate::store::State;
use crate::transactions::{checksum, cont_tail};
use crate::tree::{ExtentTree, KeyTree};
use daos_common::IodKind;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

struct Audit<'a> {
    state: &'a State,
    digest: Xxh3,
    /// Used runs of arena and data tier: first unit, units.
    arena: BTreeMap<u64, u64>,
    blob: BTreeMap<u64, u64>,
    /// The newest epoch of any version.
    newest: u64,
}

impl Audit<'_> {
    fn used(map: &mut BTreeMap<u64, u64>, unit: u64, units: u64) {
        assert!(map.insert(unit, units).is_none(), "unit {unit} used twice");
    }

    fn arena(&mut self, off: u64, len: u64) {
        Self::used(&mut self.arena, off / UNIT, len.div_ceil(UNIT));
    }

    fn note(&mut self, words: &[u64]) {
        words.iter().for_each(|word| self.digest.update(&word.to_le_bytes()));
    }

    fn key_tree(&mut self, root: u64) -> Vec<[u64; 4]> {
        let (mut nodes, mut entries) = (Vec::new(), Vec::new());
        KeyTree::audit(&self.state.arena, root, &mut |off, len| nodes.push((off, len)), &mut |entry| {
            entries.push(entry)
        });
        nodes.into_iter().for_each(|(off, len)| self.arena(off, len));
        entries
    }

    fn record(&mut self, off: u64, depth: usize) {
        let record = Record::read(&self.state.arena, off).unwrap();
        let key = if depth >= 2 { key_bytes(&self.state.arena, off).unwrap().to_vec() } else { Vec::new() };
        self.arena(off, RECORD_BYTES + key.len() as u64 + if depth == 0 { RECORD_BYTES } else { 0 });
        if depth == 0 {
            self.transactions(off);
        }
        self.digest.update(&key);
        self.note(&[depth as u64, record.head]);
        if depth > 0 {
            self.note(&[record.extra]);
            for punch in self.key_tree(record.punches) {
                self.newest = self.newest.max(punch[0]);
                self.note(&punch[..2]);
            }
        }
        if depth == 3 {
            return self.values(&record);
        }
        for entry in self.key_tree(record.root) {
            self.note(&[entry[0], entry[1]]);
            self.record(entry[3], depth + 1);
        }
    }

    fn transactions(&mut self, cont: u64) {
        let tail = cont_tail(&self.state.arena, cont).unwrap();
        self.note(&[tail.head, tail.punches, tail.extra]);
        for entry in self.key_tree(tail.root) {
            let record = Record::read(&self.state.arena, entry[3]).unwrap();
            self.arena(entry[3], RECORD_BYTES + record.key_len());
            self.newest = self.newest.max(record.punches);
            self.note(&[entry[0], entry[1], record.head, record.punches, record.root, record.extra]);
            let body = self.state.arena.view(entry[3] + RECORD_BYTES, record.key_len()).unwrap();
            let sum = checksum([record.head, record.punches, record.root], body);
            assert_eq!(sum, record.extra, "the checksum of a transaction");
        }
    }

    fn values(&mut self, akey: &Record) {
        if akey.kind() == Some(IodKind::Array) {
            let (mut nodes, mut entries) = (Vec::new(), Vec::new());
            let mem = &self.state.arena;
            ExtentTree::audit(mem, akey.root, &mut |off, len| nodes.push((off, len)), &mut |entry| entries.push(entry));
            nodes.into_iter().for_each(|(off, len)| self.arena(off, len));
            for entry in entries {
                self.newest = self.newest.max(!entry[1]);
                self.note(&[entry[0], entry[4], entry[1], entry[2], u64::from(entry[3] != 0)]);
                self.data(entry[3], (entry[4] - entry[0]) * akey.extra);
            }
            return;
        }
        for entry in self.key_tree(akey.root) {
            self.newest = self.newest.max(entry[0]);
            self.note(&[entry[0], entry[1]]);
            if entry[3] == 0 {
                continue;
            }
            let value = Value::read(&self.state.arena, entry[3]).unwrap();
            self.note(&[value.len]);
            match value.blob {
                Some(blob) => {
                    self.arena(value.off, VALUE_HEADER);
                    Self::used(&mut self.blob, blob / 4096, value.len.div_ceil(4096));
                }
                None => {
                    self.arena(value.off, VALUE_HEADER + value.len);
                    let bytes = self.state.arena.view(value.off + VALUE_HEADER, value.len).unwrap().to_vec();
                    self.digest.update(&bytes);
                }
            }
        }
    }

    fn data(&mut self, place: u64, len: u64) {
        match place {
            0 => {}
            odd if odd & 1 == 1 => Self::used(&mut self.blob, (odd - 1) / 4096, len.div_ceil(4096)),
            off => {
                self.arena(off, len);
                let bytes = self.state.arena.view(off, len).unwrap().to_vec();
                self.digest.update(&bytes);
            }
        }
    }

    fn compare(&self, runs: &BTreeMap<u64, u64>, map_off: u64, units: u64, what: &str) {
        let bits = self.state.arena.view(map_off, units.div_ceil(512) * 64).unwrap();
        let mut expected = vec![0u64; bits.len() / 8];
        for (&unit, &count) in runs {
            for unit in unit..unit + count {
                let (index, mask) = ((unit / 64) as usize, 1 << (unit % 64));
                assert!(expected[index] & mask == 0, "{what}: unit {unit} used twice");
                expected[index] |= mask;
            }
        }
        for (index, expected) in expected.into_iter().enumerate() {
            let found = word(bits, index * 8);
            assert_eq!(found, expected, "{what}: units from {} (used {expected:x}, map {found:x})", index * 64);
        }
    }
}

/// Checks all trees and space maps of a store, and that it remembers an epoch as late as any in it; a digest of what it
/// holds.
pub(super) fn audit(pool: &VosPool) -> u64 {
    let state = pool.inner_for_tests().state.borrow();
    let layout = state.arena.layout().clone();
    let (digest, arena, blob) = (Xxh3::new(), BTreeMap::new(), BTreeMap::new());
    let mut audit = Audit { state: &state, digest, arena, blob, newest: 0 };
    audit.arena(0, layout.data_off);
    let root = state.arena.view(layout.root_off(), 64).unwrap();
    let (containers, mut destroyed) = (word(root, 0), word(root, 8));
    for entry in audit.key_tree(containers) {
        audit.record(entry[3], 0);
    }
    while destroyed != 0 {
        audit.record(destroyed, 0);
        destroyed = Record::read(&state.arena, destroyed).unwrap().extra;
    }
    let arena = audit.arena.clone();
    audit.compare(&arena, layout.map_off, layout.map_units, "arena");
    let blob = audit.blob.clone();
    audit.compare(&blob, layout.blob_map_off, layout.blob_units, "data tier");
    let remembered = state.arena.newest_epoch().unwrap();
    assert!(audit.newest <= remembered, "epoch {} in a store that remembers {remembered}", audit.newest);
    audit.digest.digest()
}
