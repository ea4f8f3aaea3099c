//! Files that are not a sound store: refused with a message, never a crash.

use super::{config, get, object, put, single};
use crate::{Durability, VosCont, VosPool};
use daos_common::wire::tx::{ReadScope, TxWrite};
use daos_common::{Der, Error};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::path::Path;
use uuid::Uuid;

fn refused(path: &Path) -> Error {
    match VosPool::open(path, Durability::Process) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

/// Aim: each kind of wrong file gets its code and a message that names the file.
#[test]
fn wrong_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    assert_eq!(refused(&path).code(), Der::NONEXIST);
    assert_eq!(VosPool::create(&config(&path, 1 << 20)).err().unwrap().code(), Der::NOSPACE);
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    assert_eq!(VosPool::create(&config(&path, 16 << 20)).err().unwrap().code(), Der::EXIST);
    assert_eq!(refused(&path).code(), Der::BUSY);
    drop(pool);
    let good = std::fs::read(&path).unwrap();
    let check = |bytes: &[u8], code: Der, part: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = refused(&path);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains("vos-0") && error.message().contains(part), "{error}");
    };
    check(b"", Der::DF_INVAL, "not a store");
    check(&[0; 100], Der::DF_INVAL, "not a store");
    check(&vec![0; 16 << 20], Der::DF_INVAL, "not a store");
    check(&good[..good.len() - 1], Der::DF_INVAL, "truncated");
    check(&good[..4096], Der::DF_INVAL, "truncated");
    check(&good[..4000], Der::DF_INVAL, "not a store");
    check(&[&good[..], &[0]].concat(), Der::DF_INVAL, "extended");
    for at in [16, 33, 41, 60, 90, 110, 113] {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        check(&bad, Der::DF_INVAL, "damaged");
    }
    for (version, text) in [(1, "version 1;"), (2, "version 2;"), (9, "version 9;")] {
        let mut other = good.clone();
        other[8] = version;
        let sum = xxhash_rust::xxh3::xxh3_64(&other[..112]);
        other[112..120].copy_from_slice(&sum.to_le_bytes());
        check(&other, Der::DF_INCOMPT, text);
    }
    std::fs::write(&path, &good).unwrap();
    VosPool::open(&path, Durability::Process).unwrap();
    assert_eq!(refused(dir.path()).code(), Der::IO, "a directory");
}

/// Aim: bytes flipped anywhere behind the header give errors or wrong data, but no panic and no endless loop.
#[test]
fn damage_inside_never_crashes() {
    let seed = super::env("VOS_SEED", rand::random());
    println!("VOS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create_any_size(&config(&path, 256 << 10)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    for number in 0..200u64 {
        put(&cont, object(number % 3), number + 1, &number.to_le_bytes(), &[single(b"a", 8)], &number.to_le_bytes())
            .unwrap();
        put(&cont, object(0), number + 1, b"array", &[super::array(b"x", 4, number * 3 % 100, 5)], &[1; 20]).unwrap();
    }
    let write = |data: &[u8]| TxWrite::Update {
        oid: object(1),
        dkey: b"tx".to_vec(),
        flags: 0,
        iods: vec![single(b"a", data.len() as u64)],
        data: data.to_vec(),
    };
    for number in 0..40u128 {
        let (tx, epoch) = (Uuid::from_u128(number), 300 + number as u64);
        match number % 2 {
            0 => drop(cont.prepare(tx, epoch, &[7; 200], &[write(&[8; 300])]).unwrap()),
            _ => drop(cont.decide(tx, epoch, &[9; 20], &[write(&[8; 100])]).unwrap()),
        }
    }
    let layout = pool.inner_for_tests().state.borrow().arena.layout().clone();
    drop((pool, cont));
    let good = std::fs::read(&path).unwrap();
    for _ in 0..400 {
        let mut bad = good.clone();
        for _ in 0..rng.random_range(1..6) {
            let at = if rng.random_bool(0.2) {
                rng.random_range(4096..layout.data_off)
            } else {
                rng.random_range(layout.data_off..layout.data_off + (40 << 10))
            };
            bad[at as usize] = rng.random();
        }
        std::fs::write(&path, &bad).unwrap();
        let Ok(pool) = VosPool::open(&path, Durability::Process) else { continue };
        let _ = use_all(&pool);
    }
}

fn use_transactions(cont: &VosCont) {
    let _ = cont.transactions();
    let writes = [TxWrite::Punch { oid: object(2), dkeys: vec![b"tx".to_vec()], akeys: Vec::new(), flags: 0 }];
    let scope = |dkey: &[u8]| ReadScope::Dkey(dkey.to_vec());
    for number in 0..50u64 {
        let tx = Uuid::from_u128(number.into());
        let _ = cont.outcome(tx);
        let _ = match number % 8 {
            0 => cont.commit_prepared(tx, 400, &writes).map(drop),
            2 => cont.abort_prepared(tx).map(drop),
            4 => cont.decide(tx, 401, b"", &writes).map(drop),
            6 => cont.prepare(tx, 402, b"other", &writes).map(drop),
            _ => cont.forget(&[tx]),
        };
        let _ = cont.changed_since(object(number % 3), &scope(&number.to_le_bytes()), 100);
    }
    let recxs = vec![daos_common::Recx { idx: 0, nr: 100 }];
    let array = ReadScope::Akey { dkey: b"array".to_vec(), akey: b"x".to_vec(), recxs };
    let _ = cont.newest_change(object(0), &array);
    let _ = cont.aggregate(&mut crate::Aggregation::new(0..=250), 200);
    let _ = cont.discard(&mut crate::Discard::new(120, |_, _| false), 200);
}

fn use_all(pool: &VosPool) -> daos_common::Result<()> {
    let cont = pool.container(Uuid::nil(), true)?;
    for number in 0..60u64 {
        let _ = get(pool, &cont, object(number % 3), u64::MAX, &number.to_le_bytes(), single(b"a", 0));
        let _ = put(&cont, object(number % 3), 300, &number.to_le_bytes(), &[single(b"a", 8)], &[0; 8]);
        let _ = put(&cont, object(0), 300 + number, b"array", &[super::array(b"x", 4, number, 5)], &[1; 20]);
    }
    let _ = get(pool, &cont, object(0), 150, b"array", super::array(b"x", 0, 0, 110));
    let what = daos_common::wire::object::ListKind::Dkeys;
    let _ = cont.list(object(0), 100, &what, b"", b"", 1000, 1 << 20);
    let recxs = daos_common::wire::object::ListKind::Recxs { akey: b"x".to_vec(), kind: None, descending: true };
    let _ = cont.list(object(0), 100, &recxs, b"array", b"", 1000, 1 << 20);
    use_transactions(&cont);
    drop(cont);
    let _ = pool.destroy_container(Uuid::nil());
    for _ in 0..50 {
        let _ = pool.reclaim(20);
    }
    Ok(())
}

/// Aim: an entry whose words or body were changed is not taken for what was prepared, and doesn't keep the store shut.
#[test]
fn damaged_entries_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let tx = Uuid::from_u128(5);
    cont.prepare(tx, 0x1234_5678_9abc, b"what was prepared, at length", &[]).unwrap();
    drop((pool, cont));
    let good = std::fs::read(&path).unwrap();
    let body = good.windows(17).position(|bytes| bytes == b"what was prepared").unwrap();
    // Length, state, epoch, number of runs, checksum, body.
    for at in [body - 32, body - 28, body - 23, body - 16, body - 9, body - 1, body + 5] {
        let mut bad = good.clone();
        bad[at] ^= 3;
        std::fs::write(&path, &bad).unwrap();
        let pool = VosPool::open(&path, Durability::Process).unwrap();
        let cont = pool.container(Uuid::nil(), false).unwrap();
        for error in [
            cont.outcome(tx).unwrap_err(),
            cont.transactions().unwrap_err(),
            cont.commit_prepared(tx, u64::MAX, &[]).unwrap_err(),
            cont.abort_prepared(tx).unwrap_err(),
        ] {
            assert_eq!(error.code(), Der::DF_INVAL, "{error}");
            assert!(error.message().contains("transaction") || error.message().contains("damaged"), "{error}");
        }
        put(&cont, object(1), 5, b"d", &[single(b"a", 1)], b"1").unwrap();
    }
}
