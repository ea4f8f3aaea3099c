//! VOS alone, on one core: updates and fetches of single values and extents, and lists, beside the memcpy of as many
//! bytes. The store is on the file system of `TMPDIR`; class `ram`, so nothing is flushed.

#![allow(missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use daos_common::wire::object::ListKind;
use daos_common::{Iod, IodKind, ObjectId, Recx, UnitOid};
use daos_vos::{Durability, PoolConfig, VosCont, VosPool};
use std::hint::black_box;
use uuid::Uuid;

const OBJECT: UnitOid = UnitOid { oid: ObjectId { lo: 1, hi: 0 }, shard: 0, layout: 0 };
const KEYS: u64 = 200_000;

struct Store {
    pool: VosPool,
    cont: VosCont,
    number: u64,
    _dir: tempfile::TempDir,
}

impl Store {
    fn new() -> Store {
        let dir = tempfile::tempdir().expect("a directory for the store");
        let config = PoolConfig {
            path: dir.path().join("vos-0"),
            pool: Uuid::nil(),
            arena_bytes: 2 << 30,
            blob_bytes: 0,
            blob_threshold_bytes: u64::MAX,
            durability: Durability::Process,
        };
        let pool = VosPool::create(&config).expect("a store");
        let cont = pool.container(Uuid::nil(), true).expect("a container");
        Store { pool, cont, number: 0, _dir: dir }
    }

    /// Empties the store when it is nearly full.
    fn make_room(&mut self) {
        let space = self.pool.space();
        if space.arena_free <= space.arena_total / 8 {
            self.empty();
        }
    }

    fn empty(&mut self) {
        self.pool.destroy_container(Uuid::nil()).expect("destroy");
        while !self.pool.reclaim(10_000).expect("reclaim") {}
        self.cont = self.pool.container(Uuid::nil(), true).expect("a container");
    }

    fn put(&mut self, dkey: &[u8], iods: &[Iod], data: &[u8]) {
        self.number += 1;
        let mut update = self.cont.reserve_update(OBJECT, self.number, dkey, 0, iods).expect("reserve");
        let place = update.places()[0];
        update.bytes_mut(place).copy_from_slice(data);
        update.commit().expect("commit");
    }

    fn get(&self, dkey: &[u8], iods: &[Iod], into: &mut [u8]) {
        let fetch = self.cont.fetch(OBJECT, u64::MAX, dkey, 0, iods).expect("fetch");
        let bytes = self.pool.bytes(&fetch, fetch.iods[0].places[0]);
        into.copy_from_slice(bytes);
    }
}

fn single(size: u64) -> Vec<Iod> {
    vec![Iod { akey: b"value".to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }]
}

fn extent(idx: u64, nr: u64) -> Vec<Iod> {
    vec![Iod { akey: b"0".to_vec(), kind: IodKind::Array, size: 1, recxs: vec![Recx { idx, nr }], flags: 0 }]
}

fn dkey(number: u64) -> [u8; 16] {
    let mut key = *b"dkey....padding.";
    key[4..12].copy_from_slice(&(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS).to_le_bytes());
    key
}

fn singles(criterion: &mut Criterion) {
    for size in [64usize, 4096] {
        let mut group = criterion.benchmark_group(format!("single_{size}"));
        group.throughput(Throughput::Elements(1));
        let (data, mut into) = (vec![7u8; size], vec![0u8; size]);
        let mut store = Store::new();
        let iods = single(size as u64);
        let mut next = 0;
        group.bench_function("update", |bencher| {
            bencher.iter(|| {
                next += 1;
                if u64::is_multiple_of(next, 1024) {
                    store.make_room();
                }
                store.put(&dkey(next), &iods, &data);
            });
        });
        let count = KEYS.min(100_000);
        store.empty();
        let before = store.pool.space().arena_free;
        for number in 0..count {
            store.put(&dkey(number), &iods, &data);
        }
        println!("arena bytes per value of {size}: {}", (before - store.pool.space().arena_free) / count);
        group.bench_function("fetch", |bencher| {
            bencher.iter(|| {
                next += 1;
                store.get(&dkey(next % count), &iods, &mut into);
            });
        });
        group.bench_function("memcpy", |bencher| bencher.iter(|| into.copy_from_slice(black_box(&data))));
        group.finish();
    }
}

fn extents(criterion: &mut Criterion) {
    for size in [4096usize, 1 << 20] {
        let mut group = criterion.benchmark_group(format!("extent_{size}"));
        group.throughput(Throughput::Bytes(size as u64));
        let (data, mut into) = (vec![7u8; size], vec![0u8; size]);
        let mut store = Store::new();
        let per_dkey = (1 << 20) / size as u64;
        let mut next = 0u64;
        group.bench_function("update", |bencher| {
            bencher.iter(|| {
                next += 1;
                if next.is_multiple_of(64) {
                    store.make_room();
                }
                let at = next % per_dkey * size as u64;
                store.put(&(next / per_dkey % 256).to_le_bytes(), &extent(at, size as u64), &data);
            });
        });
        store.empty();
        for number in 0..per_dkey * 256 {
            let at = number % per_dkey * size as u64;
            store.put(&(number / per_dkey).to_le_bytes(), &extent(at, size as u64), &data);
        }
        group.bench_function("fetch", |bencher| {
            bencher.iter(|| {
                next += 1;
                let at = next % per_dkey * size as u64;
                store.get(&(next / per_dkey % 256).to_le_bytes(), &extent(at, size as u64), &mut into);
            });
        });
        group.bench_function("memcpy", |bencher| bencher.iter(|| into.copy_from_slice(black_box(&data))));
        group.finish();
    }
}

fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    let mut store = Store::new();
    for number in 0..100_000 {
        store.put(&dkey(number), &single(8), &[1; 8]);
    }
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000_dkeys", |bencher| {
        let mut anchor = Vec::new();
        bencher.iter_batched(
            || std::mem::take(&mut anchor),
            |from| {
                let room = 1 << 20;
                let reply = store.cont.list(OBJECT, u64::MAX, &ListKind::Dkeys, b"", &from, 1000, room);
                black_box(reply.expect("list").entries);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(3))
        .sample_size(20);
    targets = singles, extents, lists
}
criterion_main!(benches);
