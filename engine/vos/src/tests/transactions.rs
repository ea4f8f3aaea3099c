//! Lists of writes, and what is kept of distributed transactions.

use super::audit::audit;
use super::{array, config, get, object, put, single};
use crate::{Aggregation, Durability, TxState, VosPool};
use daos_common::flags::*;
use daos_common::wire::tx::{ReadScope, TxRead, TxWrite};
use daos_common::{Der, Iod, Recx};
use uuid::Uuid;

fn update(number: u64, dkey: &[u8], iods: Vec<Iod>, data: &[u8]) -> TxWrite {
    TxWrite::Update { oid: object(number), dkey: dkey.to_vec(), flags: 0, iods, data: data.to_vec() }
}

fn update_if(flags: u64, dkey: &[u8], iods: Vec<Iod>, data: &[u8]) -> TxWrite {
    TxWrite::Update { oid: object(1), dkey: dkey.to_vec(), flags, iods, data: data.to_vec() }
}

fn punch(dkeys: &[&[u8]], akeys: &[&[u8]], flags: u64) -> TxWrite {
    let own = |keys: &[&[u8]]| keys.iter().map(|key| key.to_vec()).collect();
    TxWrite::Punch { oid: object(1), dkeys: own(dkeys), akeys: own(akeys), flags }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Aim: an update is at the epoch of its commit, and its conditions are checked at that.
#[test]
fn epoch_at_commit() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let iods = [single(b"a", 1)];
    let reserve = |flags| cont.reserve_update(object(1), 5, b"d", flags, &iods).unwrap();
    let (mut late, inserted) = (reserve(0), reserve(COND_DKEY_INSERT));
    let place = late.places()[0];
    late.bytes_mut(place).copy_from_slice(b"x");
    late.commit_at(9).unwrap();
    let value = |epoch| get(&pool, &cont, object(1), epoch, b"d", single(b"a", 0)).unwrap();
    assert_eq!((value(8), value(9)), (Vec::new(), b"x".to_vec()));
    assert_eq!(inserted.commit_at(10).unwrap_err().code(), Der::EXIST);
    assert_eq!(pool.newest_epoch().unwrap(), 9);
    let updated = cont.reserve_update(object(1), 9, b"d", COND_DKEY_UPDATE, &iods).unwrap();
    cont.punch(object(1), 11, &[b"d"], &[], 0).unwrap();
    assert_eq!(updated.commit_at(12).unwrap_err().code(), Der::NONEXIST);
    audit(&pool);
}

/// Aim: writes of a list see those before them, later ones hide earlier ones, and one that fails undoes all.
#[test]
fn a_list_is_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let value = |epoch, akey: &[u8]| get(&pool, &cont, object(1), epoch, b"d", single(akey, 0)).unwrap();
    let writes = [
        update(1, b"d", vec![single(b"a", 3), single(b"b", 1)], b"oneB"),
        update_if(COND_AKEY_UPDATE, b"d", vec![single(b"a", 5)], b"three"),
        punch(&[b"d"], &[b"b"], COND_PUNCH),
        update_if(COND_AKEY_INSERT, b"d", vec![single(b"b", 0), array(b"r", 2, 3, 2)], b"0011"),
        update(1, b"d", vec![array(b"r", 2, 3, 2)], b"2233"),
        update(1, b"d", vec![array(b"r", 2, 4, 1)], b"44"),
    ];
    cont.try_writes(7, &writes).unwrap();
    assert_eq!((audit(&pool), value(7, b"a")), (audit(&pool), Vec::new()));
    let before = pool.space();
    cont.try_writes(7, &writes).unwrap();
    assert_eq!(pool.space(), before);
    cont.apply(7, &writes).unwrap();
    assert_eq!((value(7, b"a"), value(7, b"b"), value(6, b"a")), (b"three".to_vec(), Vec::new(), Vec::new()));
    assert_eq!(get(&pool, &cont, object(1), 7, b"d", array(b"r", 2, 3, 2)).unwrap(), b"2244");
    let before = audit(&pool);
    let more = [
        update(1, b"e", vec![single(b"a", 1)], b"1"),
        punch(&[], &[], 0),
        update_if(COND_DKEY_UPDATE, b"d", vec![single(b"a", 1)], b"1"),
    ];
    assert_eq!(cont.try_writes(9, &more).unwrap_err().code(), Der::NONEXIST);
    assert_eq!(cont.apply(9, &more).unwrap_err().code(), Der::NONEXIST);
    assert_eq!(audit(&pool), before);
    let code = |write: TxWrite| cont.apply(9, &[write]).unwrap_err().code();
    assert_eq!(code(update(1, b"d", vec![single(b"a", 2)], b"1")), Der::INVAL);
    assert_eq!(code(update(1, b"d", vec![single(b"a", 2)], b"123")), Der::INVAL);
    assert_eq!(code(update(1, b"d", vec![single(b"a", u64::MAX), single(b"b", 2)], b"1")), Der::INVAL);
    assert_eq!(code(update(1, b"", vec![single(b"a", 1)], b"1")), Der::INVAL);
    assert_eq!(code(update(1, b"d", vec![array(b"a", 1, 0, 1)], b"1")), Der::NO_PERM);
    assert_eq!(code(update(1, b"d", vec![array(b"r", 1, 0, 1)], b"1")), Der::REC_SIZE);
    assert_eq!(code(punch(&[b"d", b"e"], &[b"a"], 0)), Der::INVAL);
    let many = vec![punch(&[b"d"], &[], 0); (1 << 16) + 1];
    assert_eq!(cont.apply(9, &many).unwrap_err().code(), Der::INVAL);
    cont.apply(9, &many[1..]).unwrap();
    assert_eq!(value(9, b"a"), b"");
    audit(&pool);
}

/// Aim: the life of a participant's entry: prepared, again, across a restart, committed once, aborted once.
#[test]
fn prepared_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let writes = [update_if(COND_DKEY_INSERT, b"d", vec![single(b"a", 3)], b"abc")];
    assert_eq!(cont.prepare(id(1), 5, b"body", &writes).unwrap(), 5);
    assert_eq!(cont.prepare(id(1), 8, b"body", &writes).unwrap(), 5, "a resend");
    assert_eq!(cont.prepare(id(1), 8, b"other", &writes).unwrap_err().code(), Der::TX_ID_REUSED);
    assert_eq!(cont.prepare(id(2), 6, b"second", &writes).unwrap(), 6);
    assert_eq!(cont.forget(&[id(1)]).unwrap_err().code(), Der::INVAL);
    assert_eq!(cont.oldest_prepared().unwrap(), Some(5));
    let all = cont.transactions().unwrap();
    assert!(get(&pool, &cont, object(1), 9, b"d", single(b"a", 0)).unwrap().is_empty());
    let digest = audit(&pool);
    drop((pool, cont));
    let pool = VosPool::open(&path, Durability::Process).unwrap();
    let cont = pool.container(Uuid::nil(), false).unwrap();
    assert_eq!((audit(&pool), cont.transactions().unwrap()), (digest, all));
    assert_eq!(pool.newest_epoch().unwrap(), 6);
    let entry = cont.outcome(id(1)).unwrap().unwrap();
    assert_eq!((entry.tx, entry.epoch, entry.state, &entry.body[..]), (id(1), 5, TxState::Prepared, &b"body"[..]));
    assert_eq!(cont.commit_prepared(id(1), 4, &writes).unwrap_err().code(), Der::INVAL);
    assert!(cont.commit_prepared(id(1), 9, &writes).unwrap());
    assert!(!cont.commit_prepared(id(1), 9, &writes).unwrap());
    assert_eq!(get(&pool, &cont, object(1), 9, b"d", single(b"a", 0)).unwrap(), b"abc");
    assert!(get(&pool, &cont, object(1), 8, b"d", single(b"a", 0)).unwrap().is_empty());
    assert!(cont.abort_prepared(id(2)).unwrap());
    assert!(!cont.abort_prepared(id(2)).unwrap());
    assert_eq!((cont.transactions().unwrap(), cont.oldest_prepared().unwrap()), (Vec::new(), None));
    assert_eq!(cont.prepare(id(3), 10, b"", &writes).unwrap_err().code(), Der::EXIST);
    audit(&pool);
}

/// Aim: the life of a leader's entry: decided once, known afterwards, forgotten; validation comes first.
#[test]
fn committed_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let writes = [update_if(COND_DKEY_INSERT, b"d", vec![single(b"a", 3)], b"abc")];
    assert_eq!(cont.decide(id(1), 5, b"parts", &writes).unwrap(), 5);
    assert_eq!(cont.decide(id(1), 9, b"parts", &writes).unwrap(), 5, "a resend");
    assert_eq!(cont.decide(id(2), 9, b"parts", &writes).unwrap_err().code(), Der::EXIST);
    assert_eq!(cont.abort_prepared(id(1)).unwrap_err().code(), Der::ALREADY);
    assert_eq!(cont.prepare(id(1), 9, b"parts", &writes).unwrap_err().code(), Der::ALREADY);
    assert!(!cont.commit_prepared(id(1), 9, &writes).unwrap());
    let read = |dkey: &[u8]| TxRead { oid: object(1), scope: ReadScope::Dkey(dkey.to_vec()) };
    let more = [update(1, b"e", vec![single(b"a", 1)], b"e")];
    let stale = cont.validate_and_decide(id(3), 9, (4, &[read(b"e"), read(b"d")]), b"", &more);
    assert_eq!(stale.unwrap_err().code(), Der::TX_RESTART);
    assert_eq!(cont.validate_and_decide(id(3), 9, (5, &[read(b"e"), read(b"d")]), b"", &more).unwrap(), 9);
    assert_eq!(cont.validate_and_decide(id(3), 10, (4, &[read(b"d")]), b"", &more).unwrap(), 9, "a resend");
    cont.prepare(id(4), 11, b"own part", &[]).unwrap();
    assert_eq!(cont.decide(id(4), 12, b"parts", &[]).unwrap(), 12);
    let digest = audit(&pool);
    drop((pool, cont));
    let pool = VosPool::open(&path, Durability::Process).unwrap();
    let cont = pool.container(Uuid::nil(), false).unwrap();
    assert_eq!(audit(&pool), digest);
    let entry = cont.outcome(id(4)).unwrap().unwrap();
    assert_eq!((entry.epoch, entry.state, &entry.body[..]), (12, TxState::Committed, &b"parts"[..]));
    assert_eq!(pool.newest_epoch().unwrap(), 12);
    cont.forget(&[id(1), id(77), id(4), id(1)]).unwrap();
    let left: Vec<_> = cont.transactions().unwrap().into_iter().map(|entry| entry.tx).collect();
    assert_eq!(left, [id(3)]);
    audit(&pool);
}

/// Aim: a change is found in just the scopes that it touches, also when a later one hides it.
#[test]
fn newest_changes() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let newest = |scope: ReadScope| cont.newest_change(object(1), &scope).unwrap();
    let dkey = |dkey: &[u8]| ReadScope::Dkey(dkey.to_vec());
    let akey = |dkey: &[u8], akey: &[u8], recxs: &[(u64, u64)]| ReadScope::Akey {
        dkey: dkey.to_vec(),
        akey: akey.to_vec(),
        recxs: recxs.iter().map(|&(idx, nr)| Recx { idx, nr }).collect(),
    };
    assert_eq!((newest(ReadScope::Object), newest(dkey(b"d"))), (0, 0));
    put(&cont, object(1), 5, b"d", &[single(b"a", 1)], b"1").unwrap();
    put(&cont, object(1), 4, b"d", &[single(b"a", 1), array(b"r", 1, 10, 10)], &[1; 11]).unwrap();
    put(&cont, object(1), 6, b"e", &[array(b"r", 1, 0, 100)], &[1; 100]).unwrap();
    for epoch in 7..107 {
        put(&cont, object(1), epoch, b"e", &[array(b"r", 1, epoch * 10, 15)], &[1; 15]).unwrap();
    }
    assert_eq!((newest(ReadScope::Object), newest(dkey(b"d")), newest(dkey(b"e"))), (106, 5, 106));
    assert_eq!((newest(akey(b"d", b"a", &[])), newest(akey(b"d", b"r", &[]))), (5, 4));
    assert_eq!(newest(akey(b"d", b"r", &[(0, 10)])), 0);
    assert_eq!(newest(akey(b"d", b"r", &[(0, 11)])), 4);
    assert_eq!(newest(akey(b"e", b"r", &[(0, 70), (80, 1)])), 8);
    assert_eq!(newest(akey(b"e", b"r", &[(84, 2), (1075, 1)])), 8);
    assert_eq!(newest(akey(b"e", b"r", &[(1074, 1)])), 106);
    cont.punch(object(1), 200, &[b"d"], &[b"r"], 0).unwrap();
    assert_eq!((newest(akey(b"d", b"a", &[])), newest(akey(b"d", b"r", &[(0, 1)]))), (5, 200));
    cont.punch(object(1), 201, &[b"d"], &[], 0).unwrap();
    assert_eq!((newest(akey(b"d", b"a", &[])), newest(dkey(b"d")), newest(dkey(b"e"))), (201, 201, 106));
    cont.punch(object(1), 202, &[], &[], 0).unwrap();
    assert_eq!((newest(akey(b"e", b"a", &[])), newest(dkey(b"none")), newest(ReadScope::Object)), (202, 202, 202));
    assert!(cont.changed_since(object(1), &dkey(b"e"), 201).unwrap());
    assert!(!cont.changed_since(object(1), &dkey(b"e"), 202).unwrap());
    assert_eq!(cont.newest_change(object(2), &ReadScope::Object).unwrap(), 0);
    assert_eq!(cont.newest_change(object(1), &dkey(b"")).unwrap_err().code(), Der::INVAL);
    // All of it goes away, and with it what tells of it.
    while !cont.aggregate(&mut Aggregation::new(0..=300), 100).unwrap() {}
    assert_eq!((newest(ReadScope::Object), cont.aggregated_to().unwrap()), (0, 300));
    assert!(cont.changed_since(object(1), &dkey(b"e"), 299).unwrap());
    assert!(!cont.changed_since(object(1), &dkey(b"e"), 300).unwrap());
}

/// Aim: aggregation stays before what is prepared, and nothing is prepared or decided where it has been.
#[test]
fn aggregation_waits_for_prepared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    for epoch in [10, 20, 30, 40] {
        put(&cont, object(1), epoch, b"d", &[single(b"a", 1)], &[epoch as u8]).unwrap();
    }
    cont.prepare(id(1), 25, b"", &[update(1, b"d", vec![single(b"a", 1)], b"x")]).unwrap();
    let mut pass = Aggregation::new(0..=50);
    while !cont.aggregate(&mut pass, 100).unwrap() {}
    assert_eq!((pass.last(), cont.aggregated_to().unwrap()), (24, 24));
    let value = |cont: &crate::VosCont, pool: &VosPool, epoch| {
        get(pool, cont, object(1), epoch, b"d", single(b"a", 0)).unwrap()
    };
    assert_eq!(
        (value(&cont, &pool, 15), value(&cont, &pool, 24), value(&cont, &pool, 35)),
        (vec![], vec![20], vec![30])
    );
    assert_eq!(cont.prepare(id(2), 24, b"", &[]).unwrap_err().code(), Der::TX_RESTART);
    assert_eq!(cont.decide(id(2), 24, b"", &[]).unwrap_err().code(), Der::TX_RESTART);
    cont.commit_prepared(id(1), 26, &[update(1, b"d", vec![single(b"a", 1)], b"x")]).unwrap();
    while !cont.aggregate(&mut Aggregation::new(0..=50), 100).unwrap() {}
    assert_eq!((value(&cont, &pool, 26), value(&cont, &pool, 50)), (vec![], vec![40]));
    drop((pool, cont));
    let pool = VosPool::open(&path, Durability::Process).unwrap();
    let cont = pool.container(Uuid::nil(), false).unwrap();
    assert_eq!(cont.aggregated_to().unwrap(), 50);
    // A pass at an epoch that nothing is at.
    cont.prepare(id(3), 60, b"", &[]).unwrap();
    let mut pass = Aggregation::new(60..=70);
    assert!(cont.aggregate(&mut pass, 1).unwrap());
    assert_eq!((pass.last(), cont.aggregated_to().unwrap()), (59, 50));
    audit(&pool);
}
