//! The trees alone, large enough to have levels, against maps of the standard library.

use super::config;
use crate::VosPool;
use crate::extent::{Data, Piece, Query, put_extent, visible, visible_descending};
use crate::record::Version;
use crate::tree::{KeyTree, Probe};
use crate::tx::{Room, Tx};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

/// Aim: insertions, removals, seeks and steps agree with a `BTreeMap`, and all invariants and the space hold.
#[test]
fn key_tree_is_a_sorted_map() {
    let seed = super::env("VOS_SEED", rand::random());
    println!("VOS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let free = pool.space().arena_free;
    let mut state = pool.inner_for_tests().state.borrow_mut();
    let mut model: BTreeMap<[u64; 3], u64> = BTreeMap::new();
    let mut root = 0;
    for round in 0..120 {
        let growing = round % 40 < 25;
        let before = root;
        let saved = model.clone();
        let mut tx = Tx::begin(&mut state, Room::Ordinary).unwrap();
        for _ in 0..300 {
            let words = [rng.random_range(0..6000), 0, 0];
            let probe = Probe::exact(words);
            if rng.random_bool(if growing { 0.8 } else { 0.1 }) {
                if model.contains_key(&words) {
                    continue;
                }
                let value = rng.random();
                KeyTree::insert(&mut tx, &mut root, &probe, [words[0], 0, 0, value]).unwrap();
                model.insert(words, value);
            } else if let Some(cursor) = KeyTree::seek(&tx, root, &probe).unwrap() {
                let entry = KeyTree::entry(&tx, &cursor).unwrap();
                assert_eq!(model.range(words..).next(), Some((&[entry[0], 0, 0], &entry[3])));
                KeyTree::remove(&mut tx, &mut root, &cursor).unwrap();
                model.remove(&[entry[0], 0, 0]);
            } else {
                assert!(model.range(words..).next().is_none());
            }
        }
        if rng.random_bool(0.1) {
            drop(tx);
            root = before;
            model = saved;
        } else {
            tx.commit().unwrap();
        }
        let mem = &state.arena;
        let mut entries = Vec::new();
        KeyTree::audit(mem, root, &mut |_, _| {}, &mut |entry| {
            entries.push(([entry[0], entry[1], entry[2]], entry[3]))
        });
        assert_eq!(entries, model.iter().map(|(key, value)| (*key, *value)).collect::<Vec<_>>());
        let words = [rng.random_range(0..6000), 0, 0];
        let floor = KeyTree::seek_floor(mem, root, &Probe::exact(words)).unwrap();
        let floor = floor.map(|cursor| KeyTree::entry(mem, &cursor).unwrap()[0]);
        assert_eq!(floor, model.range(..=words).next_back().map(|(key, _)| key[0]));
        let mut backwards = Vec::new();
        let mut cursor = KeyTree::last(mem, root).unwrap();
        while let Some(at) = &mut cursor {
            backwards.push(KeyTree::entry(mem, at).unwrap()[0]);
            if !KeyTree::retreat(mem, at).unwrap() {
                break;
            }
        }
        assert!(backwards.iter().rev().eq(model.keys().map(|key| &key[0])));
    }
    while root != 0 {
        let mut tx = Tx::begin(&mut state, Room::Kept).unwrap();
        for entry in KeyTree::pop_leaf(&mut tx, &mut root).unwrap() {
            assert_eq!(model.pop_first(), Some(([entry[0], 0, 0], entry[3])));
        }
        tx.commit().unwrap();
    }
    assert_eq!(state.report().arena_free, free);
}

/// Aim: rising keys fill their nodes.
#[test]
fn rising_keys_leave_full_nodes() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let mut state = pool.inner_for_tests().state.borrow_mut();
    let (mut root, mut bytes) = (0, 0);
    for key in 0..3200 {
        let mut tx = Tx::begin(&mut state, Room::Ordinary).unwrap();
        KeyTree::insert(&mut tx, &mut root, &Probe::exact([key, 0, 0]), [key, 0, 0, 1]).unwrap();
        tx.commit().unwrap();
    }
    KeyTree::audit(&state.arena, root, &mut |_, len| bytes += len, &mut |_| {});
    assert!(bytes < 3200 * 36, "{bytes} bytes");
}

const RECORDS: u64 = 1500;

/// Aim: visible pieces, upwards, downwards and with a limit, agree with painting record by record.
#[test]
fn extents_agree_with_painting() {
    let seed = super::env("VOS_SEED", rand::random());
    println!("VOS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let mut state = pool.inner_for_tests().state.borrow_mut();
    let mut root = 0;
    let mut extents: Vec<(u64, u64, Version, bool)> = Vec::new();
    for _ in 0..60 {
        let mut tx = Tx::begin(&mut state, Room::Ordinary).unwrap();
        for number in 0..40 {
            let lo = rng.random_range(0..RECORDS - 1);
            let nr = if rng.random_bool(0.1) { 600 } else { rng.random_range(1..20) };
            let (lo, hi) = if rng.random_bool(0.3) { (lo / 64 * 64, lo / 64 * 64 + 64) } else { (lo, lo + nr) };
            let hi = hi.min(RECORDS);
            let version = Version { epoch: rng.random_range(1..200), seq: tx.seq() << 16 | number };
            let punched = rng.random_bool(0.15);
            extents.retain(|old| (old.0, old.1, old.2.epoch) != (lo, hi, version.epoch));
            extents.push((lo, hi, version, punched));
            // The version stands for the data: nothing is stored there.
            let data = if punched { Data::Punched } else { Data::Blob(0) };
            put_extent(&mut tx, &mut root, &Piece { lo, hi, version, data, start: lo }, 0).unwrap();
        }
        tx.commit().unwrap();
        for _ in 0..30 {
            check_query(&mut rng, &state.arena, root, &extents);
        }
    }
}

fn check_query(rng: &mut StdRng, mem: &crate::arena::Arena, root: u64, extents: &[(u64, u64, Version, bool)]) {
    let lo = rng.random_range(0..RECORDS);
    let hi = rng.random_range(lo..=RECORDS);
    let epoch = rng.random_range(0..220);
    let floor = Version { epoch: rng.random_range(0..120), seq: 500 << 16 };
    let query = Query { lo, hi, epoch, floor, limit: usize::MAX };
    let mut best: Vec<Option<(Version, bool)>> = vec![None; RECORDS as usize];
    for &(a, b, version, punched) in extents.iter().filter(|extent| extent.2.epoch <= epoch && extent.2 > floor) {
        for slot in &mut best[a as usize..b as usize] {
            if slot.is_none_or(|old| old.0 < version) {
                *slot = Some((version, punched));
            }
        }
    }
    let expected = |from: u64, to: u64| -> Vec<(u64, Version)> {
        (from..to).filter_map(|index| Some((index, best[index as usize].filter(|found| !found.1)?.0))).collect()
    };
    let flat = |pieces: &[Piece]| -> Vec<(u64, Version)> {
        pieces.iter().flat_map(|piece| (piece.lo..piece.hi).map(|index| (index, piece.version))).collect()
    };
    assert_eq!(flat(&visible(mem, root, &query).unwrap()), expected(lo, hi));
    let some = visible(mem, root, &Query { limit: 3, ..query }).unwrap();
    let until = some.last().map_or(lo, |piece| piece.hi);
    assert_eq!(flat(&some), expected(lo, until));
    assert!(some.len() >= 3 || expected(until, hi).is_empty());
    let mut down = visible_descending(mem, root, &Query { lo: 0, limit: 3, ..query }).unwrap();
    down.reverse();
    let from = down.first().map_or(hi, |piece| piece.lo);
    assert_eq!(flat(&down), expected(from, hi));
    assert!(down.len() >= 3 || expected(0, from).is_empty());
    let any = extents.iter().any(|extent| !extent.3 && extent.2.epoch <= epoch && extent.2 > floor);
    assert_eq!(crate::extent::any_data(mem, root, epoch, floor).unwrap(), any);
}
