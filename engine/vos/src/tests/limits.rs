//! Full stores, pinned values, large transactions, long keys, colliding handles.

use super::audit::audit;
use super::{array, config, get, object, put, single};
use crate::{Durability, Place, VosCont, VosPool};
use daos_common::wire::object::{ListKind, Listed};
use daos_common::wire::tx::TxWrite;
use daos_common::{Der, Iod, IodKind, Recx};
use uuid::Uuid;

/// Aim: a full store says NOSPACE, keeps answering, and can still punch and be emptied.
#[test]
fn full_store_reads_and_punches() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let free = pool.space();
    let mut written = 0u64;
    for size in [1 << 20, 5000, 100, 1] {
        loop {
            let data = vec![written as u8; size];
            match put(&cont, object(1), 5, &written.to_le_bytes(), &[single(b"a", size as u64)], &data) {
                Ok(()) => written += 1,
                Err(error) => {
                    assert_eq!(error.code(), Der::NOSPACE);
                    break;
                }
            }
        }
    }
    for number in 0..written {
        let value = get(&pool, &cont, object(1), 9, &number.to_le_bytes(), single(b"a", 0)).unwrap();
        assert!(!value.is_empty() && value.iter().all(|byte| *byte == number as u8));
    }
    for number in 0..300u64 {
        cont.punch(object(1), 7, &[&number.to_le_bytes()], &[], 0).unwrap();
    }
    assert!(get(&pool, &cont, object(1), 9, &0u64.to_le_bytes(), single(b"a", 0)).unwrap().is_empty());
    audit(&pool);
    drop(cont);
    pool.destroy_container(Uuid::nil()).unwrap();
    while !pool.reclaim(1000).unwrap() {}
    let after = pool.space();
    // The tree of containers is a node smaller now.
    assert!(after.arena_free >= free.arena_free, "{after:?} {free:?}");
}

/// Aim: an extent that is longer than every free run is stored in several places, also of records that don't divide them.
#[test]
fn extents_fill_fragments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let hole = 128 << 10;
    let filler = vec![1; hole];
    let value = |number: u64, data: &[u8]| {
        put(&cont, object(1), 5, &number.to_le_bytes(), &[single(b"a", data.len() as u64)], data)
    };
    let mut written = 0u64;
    while value(written, &filler).is_ok() {
        written += 1;
    }
    // Replaced at the same epoch, it is gone.
    (0..written).step_by(2).for_each(|number| value(number, &[2]).unwrap());
    for (round, record) in [(0u8, 1u64), (1, 24), (2, 1000)] {
        let records = (700 << 10) / record;
        let data: Vec<u8> = (0..records * record).map(|at| (at / 7) as u8 ^ round).collect();
        let iod = array(&[round], record, 5, records);
        put(&cont, object(1), 6, b"large", std::slice::from_ref(&iod), &data).unwrap();
        assert!(get(&pool, &cont, object(1), 9, b"large", iod).unwrap() == data, "records of {record} bytes");
    }
    assert_eq!(value(u64::MAX, &vec![3; 700 << 10]).unwrap_err().code(), Der::NOSPACE, "a value is in one piece");
    audit(&pool);
    drop((pool, cont));
    audit(&VosPool::open(&path, Durability::Process).unwrap());
}

/// Aim: what a fetch names stays as it was while the fetch lives, though it is replaced at the same epoch.
#[test]
fn pinned_values_are_not_reused() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    put(&cont, object(1), 5, b"d", &[single(b"a", 100)], &[1; 100]).unwrap();
    let fetch = cont.fetch(object(1), 5, b"d", 0, &[single(b"a", 0)]).unwrap();
    let place = fetch.iods[0].places[0];
    let early = cont.fetch(object(1), 5, b"d", 0, &[single(b"a", 0)]).unwrap();
    drop(early);
    for fill in 2..50 {
        put(&cont, object(1), 5, b"d", &[single(b"a", 100)], &[fill; 100]).unwrap();
        assert_eq!(pool.bytes(&fetch, place), [1; 100]);
    }
    assert_eq!(pool.destroy_container(Uuid::nil()).unwrap_err().code(), Der::BUSY);
    let used = pool.space().arena_free;
    drop(fetch);
    assert!(pool.space().arena_free > used);
    let other = cont.fetch(object(1), 5, b"d", 0, &[single(b"a", 0)]).unwrap();
    assert!(pool.bytes(&other, Place::Arena { offset: 0, len: 8 }).is_empty());
    assert!(pool.bytes(&other, Place::Arena { offset: u64::MAX, len: 8 }).is_empty());
    drop(other);
    let iods = [single(b"a", 100)];
    let update = cont.reserve_update(object(1), 6, b"d", 0, &iods).unwrap();
    assert_eq!(pool.destroy_container(Uuid::nil()).unwrap_err().code(), Der::BUSY);
    drop(update);
    pool.destroy_container(Uuid::nil()).unwrap();
    assert_eq!(put(&cont, object(1), 6, b"d", &[single(b"a", 1)], &[1]).unwrap_err().code(), Der::CONT_NONEXIST);
}

/// Aim: a transaction larger than the log goes through free space, and one larger than that changes nothing.
#[test]
fn transactions_larger_than_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create_any_size(&config(&path, 2 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let extents = |from: u64, count: u64| -> Iod {
        let recxs = (0..count).map(|index| Recx { idx: (from + index * 7919) % 100_003 * 2, nr: 1 }).collect();
        Iod { akey: b"a".to_vec(), kind: IodKind::Array, size: 1, recxs, flags: 0 }
    };
    for round in 0..4 {
        put(&cont, object(1), 5 + round, b"d", &[extents(0, 3000)], &[round as u8; 3000]).unwrap();
    }
    let before = audit(&pool);
    let error = put(&cont, object(1), 20, b"d", &[extents(0, 60_000)], &[9; 60_000]).unwrap_err();
    assert_eq!(error.code(), Der::NOSPACE);
    assert_eq!(audit(&pool), before);
    drop((pool, cont));
    let pool = VosPool::open(&path, Durability::Process).unwrap();
    assert_eq!(audit(&pool), before);
}

/// Aim: punches and writes of one epoch count in the order in which they were made.
#[test]
fn order_at_one_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let value = || get(&pool, &cont, object(1), 5, b"d", single(b"a", 0)).unwrap();
    put(&cont, object(1), 5, b"d", &[single(b"a", 1)], b"x").unwrap();
    cont.punch(object(1), 5, &[b"d"], &[], 0).unwrap();
    assert_eq!(value(), b"");
    put(&cont, object(1), 5, b"d", &[single(b"a", 1)], b"y").unwrap();
    assert_eq!(value(), b"y");
    put(&cont, object(1), 5, b"d", &[array(b"r", 1, 0, 4)], b"abcd").unwrap();
    put(&cont, object(1), 5, b"d", &[array(b"r", 1, 1, 2)], b"XY").unwrap();
    assert_eq!(get(&pool, &cont, object(1), 5, b"d", array(b"r", 1, 0, 5)).unwrap(), b"aXYd\0");
}

fn fill(cont: &VosCont, from: u64) {
    let mut number = from;
    for size in [50_000, 1000, 1] {
        loop {
            let data = vec![3; size];
            match put(cont, object(9), 5, &number.to_le_bytes(), &[single(b"a", size as u64)], &data) {
                Ok(()) => number += 1,
                Err(error) => {
                    assert_eq!(error.code(), Der::NOSPACE);
                    break;
                }
            }
        }
    }
}

fn value(dkey: &[u8], len: usize, fill: u8) -> TxWrite {
    let (iods, data) = (vec![single(b"a", len as u64)], vec![fill; len]);
    TxWrite::Update { oid: object(1), dkey: dkey.to_vec(), flags: 0, iods, data }
}

/// Aim: what is prepared finds its space in a store that others filled since, also after a restart; a commit that
/// needs more than that fails and loses nothing.
#[test]
fn prepared_space_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let mut pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let mut cont = pool.container(Uuid::nil(), true).unwrap();
    let ids: Vec<Uuid> = (0..6).map(Uuid::from_u128).collect();
    let writes = |number: usize| [value(&[number as u8 + 1], 300_000 + number, number as u8), value(b"s", 9, 1)];
    for (number, tx) in ids.iter().enumerate() {
        cont.prepare(*tx, 10 + number as u64, b"body", &writes(number)).unwrap();
    }
    fill(&cont, 0);
    let space = pool.space();
    let large = [value(b"large", 2 << 20, 1)];
    for error in [
        cont.apply(20, &large).unwrap_err(),
        cont.try_writes(20, &large).unwrap_err(),
        cont.decide(Uuid::max(), 20, b"", &large).unwrap_err(),
        cont.prepare(Uuid::max(), 20, b"", &large).unwrap_err(),
        cont.prepare(Uuid::max(), 20, &[0; 2 << 20], &[]).unwrap_err(),
        cont.commit_prepared(ids[0], 20, &[value(b"large", 4 << 20, 1)]).unwrap_err(),
    ] {
        assert_eq!(error.code(), Der::NOSPACE);
        assert_eq!(pool.space(), space);
    }
    assert_eq!(cont.transactions().unwrap().len(), 6);
    assert!(cont.commit_prepared(ids[0], 30, &writes(0)).unwrap());
    fill(&cont, 10_000_000);
    assert!(cont.commit_prepared(ids[1], 30, &writes(1)).unwrap());
    let space = pool.space();
    for (at, tx) in ids.iter().enumerate().take(4).skip(2) {
        drop((pool, cont));
        pool = VosPool::open(&path, Durability::Process).unwrap();
        cont = pool.container(Uuid::nil(), false).unwrap();
        if at == 2 {
            assert_eq!(pool.space(), space);
        }
        fill(&cont, 20_000_000 + at as u64 * 1_000_000);
        assert!(cont.commit_prepared(*tx, 30, &writes(at)).unwrap());
    }
    assert!(cont.abort_prepared(ids[4]).unwrap());
    assert_eq!(cont.decide(ids[5], 30, b"", &writes(5)).unwrap(), 30);
    for number in [0, 1, 2, 3, 5] {
        let found = get(&pool, &cont, object(1), 30, &[number + 1], single(b"a", 0)).unwrap();
        assert!(found.len() == 300_000 + usize::from(number) && found.iter().all(|byte| *byte == number));
    }
    put(&cont, object(1), 40, b"after", &[single(b"a", 299_000)], &[1; 299_000]).unwrap();
    audit(&pool);
}

/// Aim: a list whose log doesn't fit in its place goes through free space, prepared or not, and 65536 writes go in one.
#[test]
fn long_lists() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create_any_size(&config(&path, 8 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let writes: Vec<TxWrite> = (0..10_000u32).map(|number| value(&(number % 5000).to_le_bytes(), 8, 1)).collect();
    cont.apply(3, &writes).unwrap();
    cont.prepare(Uuid::nil(), 4, b"", &writes).unwrap();
    assert!(cont.commit_prepared(Uuid::nil(), 5, &writes).unwrap());
    let mut same = vec![value(b"d", 1, 1); 1 << 16];
    same[(1 << 16) - 1] = value(b"d", 1, 2);
    cont.apply(6, &same).unwrap();
    assert_eq!(get(&pool, &cont, object(1), 6, b"d", single(b"a", 0)).unwrap(), [2]);
    assert_eq!(get(&pool, &cont, object(1), 7, &4999u32.to_le_bytes(), single(b"a", 0)).unwrap(), [1; 8]);
    same.push(value(b"d", 1, 3));
    assert_eq!(cont.apply(7, &same).unwrap_err().code(), Der::INVAL);
    audit(&pool);
}

/// Aim: bad arguments get INVAL and foreign anchors too.
#[test]
fn bad_arguments() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    assert_eq!(pool.container(Uuid::from_u128(3), false).err().unwrap().code(), Der::NONEXIST);
    let code =
        |oid, dkey: &[u8], iods: &[Iod]| cont.reserve_update(oid, 1, dkey, 0, iods).err().map(|error| error.code());
    let mut integer = object(1);
    integer.oid.hi = 4 << 56;
    assert_eq!(code(object(1), b"", &[single(b"a", 1)]), Some(Der::INVAL));
    assert_eq!(code(object(1), b"d", &[single(b"", 1)]), Some(Der::INVAL));
    assert_eq!(code(object(1), b"d", &[]), Some(Der::INVAL));
    assert_eq!(code(integer, b"d", &[single(b"12345678", 1)]), Some(Der::INVAL));
    assert_eq!(code(object(1), b"d", &[array(b"a", 1, 5, 0)]), Some(Der::INVAL));
    assert_eq!(code(object(1), b"d", &[array(b"a", 1, u64::MAX, 2)]), Some(Der::INVAL));
    assert_eq!(code(object(1), b"d", &[array(b"a", u64::MAX, 0, 2)]), Some(Der::INVAL));
    assert_eq!(code(object(1), b"d", &[single(b"a", u64::MAX)]), Some(Der::NOSPACE));
    let mut twice = array(b"a", 1, 5, 3);
    twice.recxs.push(Recx { idx: 7, nr: 3 });
    assert_eq!(code(object(1), b"d", &[twice]), Some(Der::INVAL));
    put(&cont, object(1), 1, b"d", &[array(b"a", 4, 0, 1)], b"abcd").unwrap();
    assert_eq!(code(object(1), b"d", &[array(b"a", 5, 0, 1)]), Some(Der::REC_SIZE));
    assert_eq!(code(object(1), b"d", &[single(b"a", 1)]), Some(Der::NO_PERM));
    assert_eq!(cont.fetch(object(1), 1, b"d", 0, &[array(b"a", 5, 0, 1)]).err().unwrap().code(), Der::INVAL);
    assert_eq!(cont.punch(object(1), 1, &[b"d", b"e"], &[b"a"], 0).unwrap_err().code(), Der::INVAL);
    let list = |anchor: &[u8], limit| cont.list(object(1), 1, &ListKind::Dkeys, b"", anchor, limit, 100).map(|_| ());
    assert_eq!(list(b"r12345678", 1).unwrap_err().code(), Der::INVAL);
    assert_eq!(list(&[0; 97], 1).unwrap_err().code(), Der::INVAL);
    assert_eq!(list(b"", 0).unwrap_err().code(), Der::INVAL);
    assert_eq!(cont.query_key(object(1), 1, 3 | 4, b"", b"").unwrap_err().code(), Der::INVAL);
    assert_eq!(cont.query_key(object(1), 1, 0, b"", b"").unwrap().max_epoch, 1);
}

/// Aim: keys of many kilobytes work at both levels, in every order, and a list of them goes on after each.
#[test]
fn long_keys() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    for kind in [0u64, 7] {
        let mut oid = object(kind);
        oid.oid.hi = kind << 56;
        let key = |number: u8| [&vec![b'k'; 20_000][..], &[number]].concat();
        for number in 0..50 {
            put(&cont, oid, 1, &key(number), &[single(&key(number), 1)], &[number]).unwrap();
        }
        let (mut anchor, mut seen) = (Vec::new(), 0);
        loop {
            let reply = cont.list(oid, 1, &ListKind::Dkeys, b"", &anchor, 1, 30_000).unwrap();
            let Listed::Keys(keys) = reply.entries else { panic!("not keys") };
            for found in keys {
                let number = found[20_000];
                assert_eq!(get(&pool, &cont, oid, 1, &found, single(&found, 0)).unwrap(), [number]);
                seen += 1;
            }
            if reply.eof {
                break;
            }
            anchor = reply.anchor;
        }
        assert_eq!(seen, 50);
        let reply = cont.list(oid, 1, &ListKind::Dkeys, b"", b"", 1, 100).unwrap();
        assert_eq!(reply.key_bytes_needed, 20_001);
    }
}

/// Aim: a small value in an akey of its own under a dkey of its own takes at most 400 bytes of the arena.
#[test]
fn bytes_per_small_value() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 32 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let before = pool.space().arena_free;
    let count = 20_000u64;
    for number in 0..count {
        let dkey = format!("dkey-{number:011}");
        put(&cont, object(1), number + 1, dkey.as_bytes(), &[single(b"akey", 64)], &[1; 64]).unwrap();
    }
    let each = (before - pool.space().arena_free) / count;
    println!("{each} bytes");
    assert!(each <= 400, "{each} bytes");
}

/// Aim: overwriting one value and one extent for ever fits in a small store when versions are aggregated.
#[test]
fn aggregation_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    for epoch in 1..20_000u64 {
        let iods = [single(b"a", 2000), array(b"r", 1, epoch % 4 * 1000, 1000)];
        put(&cont, object(1), epoch, b"d", &iods, &[epoch as u8; 3000]).unwrap();
        if epoch.is_multiple_of(2000) {
            let mut pass = crate::Aggregation::new(0..=epoch);
            while !cont.aggregate(&mut pass, 10).unwrap() {}
            assert_eq!(get(&pool, &cont, object(1), epoch, b"d", single(b"a", 0)).unwrap(), [epoch as u8; 2000]);
        }
    }
    cont.punch(object(1), 30_000, &[], &[], 0).unwrap();
    let mut pass = crate::Aggregation::new(0..=30_000);
    while !cont.aggregate(&mut pass, 100).unwrap() {}
    audit(&pool);
    let listed = cont.list(object(1), 29_999, &ListKind::Dkeys, b"", b"", 10, 100).unwrap();
    assert_eq!(listed.entries, Listed::Keys(Vec::new()));
}

/// Aim: the flushing class works on files that are no persistent memory as well.
#[test]
fn power_durability_on_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let config = crate::PoolConfig { durability: Durability::Power, ..config(&path, 16 << 20) };
    let pool = VosPool::create(&config).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    for number in 0..20u8 {
        put(&cont, object(1), 5, &[number], &[single(b"a", 3)], &[number; 3]).unwrap();
    }
    drop((pool, cont));
    let pool = VosPool::open(&path, Durability::Power).unwrap();
    let cont = pool.container(Uuid::nil(), false).unwrap();
    for number in 0..20u8 {
        assert_eq!(get(&pool, &cont, object(1), 9, &[number], single(b"a", 0)).unwrap(), [number; 3]);
    }
}
