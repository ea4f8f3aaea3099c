//! Snapshots, aggregation between them and going back to one, against plain copies of everything; with a data tier.
//!
//! `VOS_SEED` replays a run, `VOS_STEPS` lengthens it.

use super::{audit::audit, config, env, object};
use crate::{Aggregation, Discard, Durability, Place, PoolConfig, VosCont, VosPool};
use daos_common::ids::EPOCH_MAX;
use daos_common::{Epoch, Iod};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Records of an array.
const RECORDS: u64 = 9000;
/// Bytes of its record, by number of the akey: one that divides units, one that doesn't.
const RECORD_BYTES: [u64; 2] = [8, 3];
const BLOB_BYTES: u64 = 64 << 20;

/// What one (object, dkey) holds: a value and two arrays; 0 is a hole.
#[derive(Clone, Default, PartialEq)]
struct Content {
    value: Vec<u8>,
    arrays: [BTreeMap<u64, u8>; 2],
}

type Contents = BTreeMap<(u64, u8), Content>;

struct World {
    dir: tempfile::TempDir,
    config: PoolConfig,
    pool: VosPool,
    cont: VosCont,
    tier: Vec<u8>,
    rng: StdRng,
    epoch: Epoch,
    head: Contents,
    snapshots: BTreeMap<Epoch, Contents>,
}

impl World {
    fn new(seed: u64) -> World {
        let dir = tempfile::tempdir().unwrap();
        let small = config(&dir.path().join("vos"), 24 << 20);
        let config = PoolConfig { blob_bytes: BLOB_BYTES, blob_threshold_bytes: 6000, ..small };
        let pool = VosPool::create(&config).unwrap();
        let cont = pool.container(Uuid::from_u128(5), true).unwrap();
        let (rng, tier) = (StdRng::seed_from_u64(seed), vec![0; BLOB_BYTES as usize]);
        let (head, snapshots) = (Contents::new(), BTreeMap::new());
        World { dir, config, pool, cont, tier, rng, epoch: 10, head, snapshots }
    }

    fn write(&mut self, key: (u64, u8), iod: Iod, data: &[u8]) {
        self.epoch += self.rng.random_range(1..4);
        let (dkey, iods) = ([key.1], [iod]);
        let mut update = self.cont.reserve_update(object(key.0), self.epoch, &dkey, 0, &iods).unwrap();
        for place in update.places().to_vec() {
            match place {
                Place::Arena { .. } => update.bytes_mut(place).copy_from_slice(data),
                Place::Blob { offset, len } => self.tier[offset as usize..][..len as usize].copy_from_slice(data),
                Place::Hole { .. } => {}
            }
        }
        update.commit().unwrap();
    }

    fn change(&mut self) {
        let key = (self.rng.random_range(1..4), self.rng.random_range(0..3));
        let fill = self.rng.random_range(1..=255u8);
        match self.rng.random_range(0..20) {
            0..6 => {
                let len = if self.rng.random_bool(0.1) { 7000 } else { self.rng.random_range(0..200) };
                let value = vec![fill; len];
                self.write(key, super::single(b"v", len as u64), &value);
                self.head.entry(key).or_default().value = value;
            }
            6..18 => {
                let number = self.rng.random_range(0..2);
                let lo = self.rng.random_range(0..RECORDS);
                let longest = if self.rng.random_bool(0.3) { RECORDS } else { 300 };
                let nr = self.rng.random_range(1..=longest).min(RECORDS - lo);
                let punch = self.rng.random_bool(0.15);
                let size = if punch { 0 } else { RECORD_BYTES[number] };
                let iod = super::array(&[b'a' + number as u8], size, lo, nr);
                self.write(key, iod, &vec![fill; (nr * size) as usize]);
                let array = &mut self.head.entry(key).or_default().arrays[number];
                for at in lo..lo + nr {
                    if punch {
                        array.remove(&at);
                    } else {
                        array.insert(at, fill);
                    }
                }
            }
            18 => {
                self.epoch += 1;
                self.cont.punch(object(key.0), self.epoch, &[&[key.1]], &[], 0).unwrap();
                self.head.remove(&key);
            }
            _ => {
                self.epoch += 1;
                self.cont.punch(object(key.0), self.epoch, &[], &[], 0).unwrap();
                self.head.retain(|(object, _), _| *object != key.0);
            }
        }
    }

    fn bytes(&self, key: (u64, u8), epoch: Epoch, iod: Iod) -> Vec<u8> {
        let fetch = self.cont.fetch(object(key.0), epoch, &[key.1], 0, &[iod]).unwrap();
        let mut all = Vec::new();
        for place in &fetch.iods[0].places {
            match *place {
                Place::Hole { len } => all.resize(all.len() + len as usize, 0),
                Place::Blob { offset, len } => all.extend_from_slice(&self.tier[offset as usize..][..len as usize]),
                place => all.extend_from_slice(self.pool.bytes(&fetch, place)),
            }
        }
        all
    }

    fn check(&self, epoch: Epoch, expected: &Contents) {
        let none = Content::default();
        for key in (1..4).flat_map(|object| (0..3).map(move |dkey| (object, dkey))) {
            let content = expected.get(&key).unwrap_or(&none);
            assert!(self.bytes(key, epoch, super::single(b"v", 0)) == content.value, "{key:?} at {epoch}: value");
            for (number, record) in RECORD_BYTES.into_iter().enumerate() {
                let found = self.bytes(key, epoch, super::array(&[b'a' + number as u8], record, 0, RECORDS));
                let byte = |at: u64| content.arrays[number].get(&(at / record)).copied().unwrap_or(0);
                let wrong = (0..RECORDS * record).find(|at| found[*at as usize] != byte(*at));
                assert!(wrong.is_none(), "{key:?} at {epoch}: array {number}, byte {wrong:?}");
            }
        }
    }

    fn check_all(&self) {
        self.check(EPOCH_MAX, &self.head);
        self.snapshots.iter().for_each(|(epoch, contents)| self.check(*epoch, contents));
        audit(&self.pool);
    }

    /// What the engine does: one pass for each stretch between snapshots.
    fn aggregate(&mut self) {
        let mut first = 0;
        let ends: Vec<Epoch> = self.snapshots.keys().copied().chain([self.epoch]).collect();
        for end in ends {
            let mut pass = Aggregation::new(first..=end);
            while !self.cont.aggregate(&mut pass, 2).unwrap() {}
            first = end + 1;
        }
    }

    /// Goes back to a snapshot; interrupted now and then, and begun again after reopening.
    fn roll_back(&mut self) {
        let at = self.rng.random_range(0..self.snapshots.len());
        let Some((&epoch, contents)) = self.snapshots.iter().nth(at) else { return };
        self.head = contents.clone();
        self.snapshots.retain(|other, _| *other <= epoch);
        let mut pass = Discard::new(epoch, |_, _| false);
        for _ in 0..self.rng.random_range(0..30) {
            if self.cont.discard(&mut pass, 1).unwrap() {
                break;
            }
        }
        self.reopen();
        let mut pass = Discard::new(epoch, |_, _| false);
        while !self.cont.discard(&mut pass, 3).unwrap() {}
        let mut again = Discard::new(epoch, |_, _| false);
        let before = audit(&self.pool);
        while !self.cont.discard(&mut again, 3).unwrap() {}
        assert_eq!(audit(&self.pool), before, "discarding twice is discarding once");
    }

    fn reopen(&mut self) {
        let empty = tempfile::tempdir().unwrap();
        let place = config(&empty.path().join("vos"), 16 << 20);
        self.pool = VosPool::create(&place).unwrap();
        self.cont = self.pool.container(Uuid::from_u128(5), true).unwrap();
        self.pool = VosPool::open(&self.config.path, Durability::Process).unwrap();
        self.cont = self.pool.container(Uuid::from_u128(5), false).unwrap();
        assert!(self.dir.path().exists());
    }
}

/// Aim: every snapshot reads as it was made whatever is overwritten, aggregated and rolled back after it; space is exact.
#[test]
fn snapshots_aggregation_rollback() {
    let seed = env("VOS_SEED", rand::random());
    println!("VOS_SEED={seed}");
    let mut world = World::new(seed);
    for step in 0..env("VOS_STEPS", 1500) {
        match world.rng.random_range(0..100) {
            0..88 => world.change(),
            88..91 => {
                world.epoch += 1;
                world.snapshots.insert(world.epoch, world.head.clone());
            }
            91..94 if !world.snapshots.is_empty() => {
                let at = world.rng.random_range(0..world.snapshots.len());
                let epoch = *world.snapshots.keys().nth(at).unwrap();
                world.snapshots.remove(&epoch);
            }
            94..98 => world.aggregate(),
            98 if !world.snapshots.is_empty() => world.roll_back(),
            _ => {}
        }
        if world.snapshots.len() > 4 {
            world.snapshots.pop_first();
        }
        if step % 50 == 0 {
            world.check_all();
        }
    }
    world.aggregate();
    world.check_all();
    world.snapshots.clear();
    world.aggregate();
    world.check_all();
}

/// Aim: extents that hide each other only in part do not pile up: 4,000 of 64 KiB, each at another place of 256 KiB, fit
/// in a store of 16 MiB, and what is used in the end is near what shows.
#[test]
fn partial_overwrites_return_their_space() {
    let seed = env("VOS_SEED", rand::random());
    println!("VOS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::from_u128(5), true).unwrap();
    let empty = pool.space().arena_free;
    for epoch in 1..=4000 {
        let at = rng.random_range(0..192 * 1024);
        let iod = super::array(b"a", 1, at, 64 * 1024);
        super::put(&cont, object(1), epoch, b"d", &[iod], &[7; 64 * 1024]).unwrap();
        if epoch % 50 == 0 {
            let mut pass = Aggregation::new(0..=epoch);
            while !cont.aggregate(&mut pass, 10).unwrap() {}
        }
    }
    let used = empty - pool.space().arena_free;
    assert!(used < 400 * 1024, "{used} bytes are used for 256 KiB");
    audit(&pool);
}

/// Aim: a pass that begins where an earlier one ended looks at objects written since, and only at those.
#[test]
fn a_pass_goes_on_from_an_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::from_u128(5), true).unwrap();
    let put = |number: u64, epoch: Epoch| {
        super::put(&cont, object(number), epoch, b"d", &[super::single(b"v", 100)], &[1; 100]).unwrap()
    };
    for epoch in 1..=10 {
        put(epoch % 2, epoch);
    }
    put(1, 20);
    put(1, 21);
    let before = pool.space().arena_free;
    let mut pass = Aggregation::new(0..=30).since(10);
    while !cont.aggregate(&mut pass, 10).unwrap() {}
    let some = pool.space().arena_free;
    let mut pass = Aggregation::new(0..=30);
    while !cont.aggregate(&mut pass, 10).unwrap() {}
    assert!(before < some && some < pool.space().arena_free, "one object was passed over, the other not");
}
