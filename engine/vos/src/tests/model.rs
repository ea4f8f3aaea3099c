//! The store against a plain model in memory: the same random calls to both must give the same answers.
//!
//! `VOS_SEED` replays a run, `VOS_STEPS` lengthens it.

use crate::*;
use daos_common::flags::*;
use daos_common::wire::object::{ListKind, Listed, ListedRecx};
use daos_common::{Der, Epoch, Iod, IodKind, ObjectId, Recx, UnitOid};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

mod state;
mod tx;

use state::*;

/// One run: store, model and dice.
struct Run {
    rng: StdRng,
    path: std::path::PathBuf,
    pool: VosPool,
    cont: VosCont,
    cont_id: Uuid,
    model: Model,
    oids: Vec<UnitOid>,
    blobs: Vec<u8>,
    full: u64,
    /// Commits of prepared transactions that found no room.
    late_full: u64,
    entries: BTreeMap<Uuid, tx::Kept>,
    /// Nothing is read or written at or below.
    stable: Epoch,
}

fn oid(kind: u8, number: u64) -> UnitOid {
    UnitOid { oid: ObjectId { lo: number, hi: u64::from(kind) << 56 }, shard: number as u32 % 3, layout: 2 }
}

impl Run {
    fn new(dir: &std::path::Path, seed: u64) -> Run {
        let path = dir.join("vos-0");
        let config = PoolConfig {
            path: path.clone(),
            pool: Uuid::from_u128(1),
            arena_bytes: 320 << 10,
            blob_bytes: 600 << 10,
            blob_threshold_bytes: 600,
            durability: Durability::Process,
        };
        let pool = VosPool::create_any_size(&config).unwrap();
        let cont_id = Uuid::from_u128(9);
        let cont = pool.container(cont_id, true).unwrap();
        let oids = [0, 4, 7, 6, 3, 5].into_iter().enumerate().map(|(index, kind)| oid(kind, index as u64)).collect();
        Run {
            rng: StdRng::seed_from_u64(seed),
            path,
            pool,
            cont,
            cont_id,
            model: Model::default(),
            oids,
            blobs: vec![0; 2 << 20],
            full: 0,
            late_full: 0,
            entries: BTreeMap::new(),
            stable: 0,
        }
    }

    fn oid(&mut self) -> UnitOid {
        *self.oids.choose(&mut self.rng).unwrap()
    }

    fn epoch(&mut self) -> Epoch {
        if self.rng.random_bool(0.1) { Epoch::MAX } else { self.rng.random_range(self.stable + 1..60) }
    }

    fn key(&mut self, order: daos_common::ids::KeyOrder, count: u64) -> Key {
        let number = self.rng.random_range(0..count);
        match order {
            daos_common::ids::KeyOrder::Integer => (number * 0x0123_4567_89ab).to_le_bytes().to_vec(),
            _ => match number % 4 {
                0 => format!("key-{number}").into_bytes(),
                1 => format!("{}{number}", "a common beginning of many bytes, longer than any anchor ".repeat(3))
                    .into_bytes(),
                2 => vec![0; number as usize + 1],
                _ => format!("key-of-16-bytes-{number}\0").into_bytes(),
            },
        }
    }

    fn dkey(&mut self, oid: UnitOid) -> Key {
        self.key(oid.oid.dkey_order(), 9)
    }

    fn akey(&mut self, oid: UnitOid) -> Key {
        self.key(oid.oid.akey_order(), 5)
    }

    fn recxs(&mut self) -> Vec<Recx> {
        let mut at = 0;
        let mut recxs = Vec::new();
        for _ in 0..self.rng.random_range(1..4) {
            let idx = at + self.rng.random_range(0..RECORDS / 3);
            let nr = self.rng.random_range(1..RECORDS / 4);
            if idx + nr > RECORDS {
                break;
            }
            recxs.push(Recx { idx, nr });
            at = idx + nr;
        }
        if recxs.is_empty() {
            recxs.push(Recx { idx: 0, nr: RECORDS });
        }
        recxs
    }

    fn cond(&mut self, flags: &[u64]) -> u64 {
        if self.rng.random_bool(0.7) { 0 } else { *flags.choose(&mut self.rng).unwrap() }
    }

    fn iods(&mut self, oid: UnitOid) -> Vec<Iod> {
        let mut iods = Vec::new();
        for _ in 0..self.rng.random_range(1..4) {
            let akey = self.akey(oid);
            // The last byte of the key decides, so that kinds seldom clash.
            let kind = if (akey[0] ^ akey[akey.len() - 1]) & 1 == 0 { IodKind::Single } else { IodKind::Array };
            let clash = self.rng.random_bool(0.01);
            let kind = match (kind, clash) {
                (IodKind::Single, true) => IodKind::Array,
                (IodKind::Array, true) => IodKind::Single,
                (kind, false) => kind,
            };
            let punch = self.rng.random_bool(0.1);
            let (size, recxs) = match kind {
                IodKind::Single => (self.rng.random_range(1..1000), Vec::new()),
                IodKind::Array => (u64::from(akey[akey.len() - 1] % 5) * 9 + 1, self.recxs()),
            };
            let flags = self.cond(&[COND_AKEY_INSERT, COND_AKEY_UPDATE, COND_AKEY_FETCH]);
            iods.push(Iod { akey, kind, size: if punch { 0 } else { size }, recxs, flags });
        }
        iods
    }

    fn expected_conditions(&self, oid: UnitOid, epoch: Epoch, dkey: &[u8], flags: u64, iods: &[Iod]) -> Option<Der> {
        self.model.conditions(oid, epoch, dkey, flags, iods)
    }

    fn update(&mut self) {
        let oid = self.oid();
        let (epoch, dkey, iods) = (self.epoch(), self.dkey(oid), self.iods(oid));
        let flags = self.cond(&[
            COND_DKEY_INSERT,
            COND_DKEY_UPDATE,
            COND_AKEY_INSERT,
            COND_AKEY_UPDATE,
            COND_PER_AKEY,
            COND_DKEY_UPDATE | COND_AKEY_INSERT,
        ]);
        let expected = self.expected_conditions(oid, epoch, &dkey, flags, &iods);
        let mut update = match self.cont.reserve_update(oid, epoch, &dkey, flags, &iods) {
            Err(error) if error.code() == Der::NOSPACE => {
                self.full += 1;
                return;
            }
            Err(error) => {
                if let Some(code) = expected {
                    assert_eq!(error.code(), code);
                } else {
                    self.expect_mismatch(oid, &dkey, &iods, error.code());
                }
                return;
            }
            Ok(update) => update,
        };
        assert_eq!(expected, None);
        let mut data = Vec::new();
        for place in update.places().to_vec() {
            let (Place::Arena { len, .. } | Place::Blob { len, .. } | Place::Hole { len }) = place;
            let bytes: Vec<u8> = (0..len).map(|_| self.rng.random()).collect();
            match place {
                Place::Arena { .. } => update.bytes_mut(place).copy_from_slice(&bytes),
                Place::Blob { offset, .. } => {
                    assert_eq!(offset % 4096, 0);
                    self.blobs[offset as usize..][..len as usize].copy_from_slice(&bytes);
                }
                Place::Hole { .. } => panic!("a hole reserved"),
            }
            data.push(bytes);
        }
        if self.rng.random_bool(0.03) {
            return;
        }
        match update.commit() {
            Ok(()) => self.model.update(oid, epoch, &dkey, &iods, data),
            Err(error) if error.code() == Der::NOSPACE => self.full += 1,
            Err(error) => self.expect_mismatch(oid, &dkey, &iods, error.code()),
        }
    }

    /// That `code` is what mixing kinds or record sizes deserves.
    fn expect_mismatch(&self, oid: UnitOid, dkey: &[u8], iods: &[Iod], code: Der) {
        assert!(code == Der::NO_PERM || code == Der::REC_SIZE, "unexpected {code:?}");
        let dkey = self.model.objects.get(&oid).and_then(|object| object.dkeys.get(dkey));
        let stored = |iod: &Iod| dkey.and_then(|dkey| dkey.akeys.get(&iod.akey)).and_then(|akey| akey.kind);
        let clash = |iod: &Iod| stored(iod).is_some_and(|kind| kind != iod.kind);
        let twice = |iod: &Iod| iods.iter().any(|other| other.akey == iod.akey && other.kind != iod.kind);
        let resized = |iod: &Iod| iod.kind == IodKind::Array;
        assert!(iods.iter().any(|iod| clash(iod) || twice(iod) || resized(iod)));
    }

    fn read(&self, fetch: &Fetch, place: Place) -> Vec<u8> {
        match place {
            Place::Arena { len, .. } => {
                let bytes = self.pool.bytes(fetch, place);
                assert_eq!(bytes.len() as u64, len);
                bytes.to_vec()
            }
            Place::Blob { offset, len } => self.blobs[offset as usize..][..len as usize].to_vec(),
            Place::Hole { len } => vec![0; len as usize],
        }
    }

    fn fetch(&mut self) {
        let flags = self.cond(&[COND_DKEY_FETCH, COND_AKEY_FETCH, COND_PER_AKEY]);
        self.fetch_if(flags);
    }

    fn fetch_if(&mut self, flags: u64) {
        let oid = self.oid();
        let (epoch, dkey, mut iods) = (self.epoch(), self.dkey(oid), self.iods(oid));
        for iod in &mut iods {
            iod.size = 0;
        }
        let expected = self.expected_conditions(oid, epoch, &dkey, flags, &iods);
        let fetch = match self.cont.fetch(oid, epoch, &dkey, flags, &iods) {
            Ok(fetch) => fetch,
            Err(error) => {
                assert_eq!(Some(error.code()), expected, "{error}");
                return;
            }
        };
        assert_eq!(expected, None);
        let found = self.model.objects.get(&oid).and_then(|object| object.find(&dkey, epoch));
        for (iod, fetched) in iods.iter().zip(&fetch.iods) {
            let akey = found.and_then(|(dkey, floor)| Some((dkey.akeys.get(&iod.akey)?, floor)));
            let akey = akey.filter(|(akey, _)| akey.kind == Some(iod.kind));
            let bytes: Vec<u8> = fetched.places.iter().flat_map(|place| self.read(&fetch, *place)).collect();
            match iod.kind {
                IodKind::Single => {
                    let value = akey.and_then(|(akey, floor)| akey.single(epoch, floor));
                    let value = value.map_or(&[][..], |(_, value)| value);
                    assert_eq!((fetched.size, &bytes[..]), (value.len() as u64, value));
                }
                IodKind::Array => {
                    let record = akey.map_or(0, |(akey, _)| akey.record);
                    let mut present = BTreeSet::new();
                    let mut expected = Vec::new();
                    for index in iod.recxs.iter().flat_map(|recx| recx.idx..recx.idx + recx.nr) {
                        match akey.and_then(|(akey, floor)| akey.record(index, epoch, floor)) {
                            Some((_, data)) => {
                                present.insert(index);
                                expected.extend_from_slice(data);
                            }
                            None => expected.resize(expected.len() + record as usize, 0),
                        }
                    }
                    // The record size goes with the last record that aggregation drops.
                    assert!(bytes == expected || (present.is_empty() && bytes.iter().all(|byte| *byte == 0)));
                    let shown: Vec<u64> =
                        fetched.present.iter().flat_map(|recx| recx.idx..recx.idx + recx.nr).collect();
                    assert_eq!(shown, present.iter().copied().collect::<Vec<_>>());
                    assert_eq!(fetched.size, if present.is_empty() { 0 } else { record });
                }
            }
        }
    }

    fn punch(&mut self) {
        let oid = self.oid();
        let from = if self.rng.random_bool(0.7) { self.stable + 1 } else { 50 };
        let epoch = self.rng.random_range(from..60);
        let flags = self.cond(&[COND_PUNCH]);
        let dice = self.rng.random_range(0..10);
        let dkeys: Vec<Key> = match dice {
            0 => Vec::new(),
            1..5 => (0..self.rng.random_range(1..3)).map(|_| self.dkey(oid)).collect(),
            _ => vec![self.dkey(oid)],
        };
        let akeys: Vec<Key> =
            if dice < 5 { Vec::new() } else { (0..self.rng.random_range(1..3)).map(|_| self.akey(oid)).collect() };
        let exists = self.model.punched_exists(oid, epoch, &dkeys, &akeys);
        let dkey_refs: Vec<&[u8]> = dkeys.iter().map(|key| &key[..]).collect();
        let akey_refs: Vec<&[u8]> = akeys.iter().map(|key| &key[..]).collect();
        match self.cont.punch(oid, epoch, &dkey_refs, &akey_refs, flags) {
            Ok(()) => assert!(exists || flags == 0),
            Err(error) if error.code() == Der::NOSPACE => {
                self.full += 1;
                return;
            }
            Err(error) => {
                assert_eq!(error.code(), Der::NONEXIST);
                assert!(!exists && flags != 0);
                return;
            }
        }
        self.model.punch(oid, epoch, &dkeys, &akeys);
    }

    /// All entries, in portions of random small size.
    fn list_all(&mut self, oid: UnitOid, epoch: Epoch, what: &ListKind, dkey: &[u8]) -> Vec<Listed> {
        let (mut anchor, mut all) = (Vec::new(), Vec::new());
        let mut room = 1 << 20;
        for _ in 0..10_000 {
            let limit = self.rng.random_range(1..5);
            if self.rng.random_bool(0.2) {
                room = self.rng.random_range(1..200);
            }
            let reply = self.cont.list(oid, epoch, what, dkey, &anchor, limit, room).unwrap();
            if reply.key_bytes_needed != 0 {
                assert!(reply.key_bytes_needed > room);
                room = reply.key_bytes_needed;
                anchor = reply.anchor;
                continue;
            }
            if let Listed::Keys(keys) = &reply.entries {
                assert!(keys.iter().map(|key| key.len() as u64).sum::<u64>() <= room);
            }
            all.push(reply.entries);
            if reply.eof {
                return all;
            }
            assert!(reply.anchor.len() <= 96);
            anchor = reply.anchor;
        }
        panic!("a list without end");
    }

    fn list_keys(&mut self) {
        let oid = self.oid();
        let (epoch, dkey) = (self.epoch(), self.dkey(oid));
        let akeys = self.rng.random_bool(0.5);
        let (what, order) =
            if akeys { (ListKind::Akeys, oid.oid.akey_order()) } else { (ListKind::Dkeys, oid.oid.dkey_order()) };
        let listed = self.list_all(oid, epoch, &what, &dkey);
        let keys: Vec<Key> = listed
            .into_iter()
            .flat_map(|part| match part {
                Listed::Keys(keys) => keys,
                _ => panic!("not keys"),
            })
            .collect();
        let object = self.model.objects.get(&oid);
        let expected: BTreeSet<Key> = if akeys {
            let found = object.and_then(|object| object.find(&dkey, epoch));
            found.map_or(BTreeSet::new(), |(dkey, floor)| {
                dkey.akeys.iter().filter(|(_, akey)| akey.exists(epoch, floor)).map(|(key, _)| key.clone()).collect()
            })
        } else {
            object.map_or(BTreeSet::new(), |object| {
                let floor = object.floor(epoch);
                object.dkeys.iter().filter(|(_, dkey)| dkey.exists(epoch, floor)).map(|(key, _)| key.clone()).collect()
            })
        };
        assert_eq!(keys.len(), expected.len());
        assert_eq!(keys.iter().cloned().collect::<BTreeSet<_>>(), expected);
        match order {
            daos_common::ids::KeyOrder::Lexical => assert!(keys.is_sorted()),
            daos_common::ids::KeyOrder::Integer => {
                assert!(keys.is_sorted_by_key(|key| u64::from_le_bytes(key[..].try_into().unwrap())));
            }
            daos_common::ids::KeyOrder::Hashed => {}
        }
    }

    fn list_recxs(&mut self) {
        let oid = self.oid();
        let (epoch, dkey, akey) = (self.epoch(), self.dkey(oid), self.akey(oid));
        let descending = self.rng.random_bool(0.5);
        let what = ListKind::Recxs { akey: akey.clone(), kind: None, descending };
        let listed: Vec<ListedRecx> = self
            .list_all(oid, epoch, &what, &dkey)
            .into_iter()
            .flat_map(|part| match part {
                Listed::Recxs(recxs) => recxs,
                _ => panic!("not extents"),
            })
            .collect();
        let found = self.model.objects.get(&oid).and_then(|object| object.find(&dkey, epoch));
        let found = found.and_then(|(dkey, floor)| Some((dkey.akeys.get(&akey)?, floor)));
        let Some((akey, floor)) = found else { return assert!(listed.is_empty()) };
        if akey.kind == Some(IodKind::Single) {
            let expected = akey.single(epoch, floor).map(|(epoch, value)| (value.len() as u64, epoch));
            assert_eq!(listed.first().map(|entry| (entry.size, entry.epoch)), expected);
            return;
        }
        let sorted = if descending {
            listed.is_sorted_by(|a, b| a.recx.idx >= b.recx.idx + b.recx.nr)
        } else {
            listed.is_sorted_by(|a, b| a.recx.idx + a.recx.nr <= b.recx.idx)
        };
        assert!(sorted);
        let expected: BTreeMap<u64, Epoch> =
            (0..RECORDS).filter_map(|index| Some((index, akey.record(index, epoch, floor)?.0))).collect();
        let shown: BTreeMap<u64, Epoch> = listed
            .iter()
            .flat_map(|entry| (entry.recx.idx..entry.recx.idx + entry.recx.nr).map(|index| (index, entry.epoch)))
            .collect();
        assert_eq!(shown, expected);
        assert!(listed.iter().all(|entry| entry.size == akey.record));
    }

    fn list_objects(&mut self) {
        let epoch = self.epoch();
        let listed =
            self.list_all(UnitOid { oid: ObjectId::default(), shard: 0, layout: 0 }, epoch, &ListKind::Objects, b"");
        let listed: Vec<UnitOid> = listed
            .into_iter()
            .flat_map(|part| match part {
                Listed::Objects(objects) => objects,
                _ => panic!("not objects"),
            })
            .collect();
        let expected: BTreeSet<UnitOid> =
            self.model.objects.iter().filter(|(_, object)| object.exists(epoch)).map(|(oid, _)| *oid).collect();
        assert_eq!(listed.len(), expected.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    fn query(&mut self) {
        let oid = if self.rng.random_bool(0.8) { self.oids[1] } else { self.oid() };
        let (epoch, dkey, akey) = (self.epoch(), self.dkey(oid), self.akey(oid));
        let max = self.rng.random_bool(0.5);
        let what = self.rng.random_range(1..8u64) << 2;
        let flags = what | if max { GET_MAX } else { GET_MIN };
        let integer = |asked: u64, order| what & asked == 0 || order == daos_common::ids::KeyOrder::Integer;
        let reply = self.cont.query_key(oid, epoch, flags, &dkey, &akey);
        if !integer(GET_DKEY, oid.oid.dkey_order()) || !integer(GET_AKEY, oid.oid.akey_order()) {
            assert_eq!(reply.unwrap_err().code(), Der::INVAL);
            return;
        }
        let reply = reply.unwrap();
        let Some(object) = self.model.objects.get(&oid) else {
            assert_eq!((reply.dkey, reply.akey, reply.recx, reply.max_epoch), (None, None, None, 0));
            return;
        };
        assert!(reply.max_epoch == object.newest || (self.stable > 0 && reply.max_epoch < object.newest));
        let number = |key: &Key| u64::from_le_bytes(key[..].try_into().unwrap_or_default());
        let mut candidates = Vec::new();
        for (dkey_name, found) in &object.dkeys {
            let floor = newest(&found.punches, epoch, object.floor(epoch));
            let dkey_wanted = what & GET_DKEY != 0 || *dkey_name == dkey;
            if what & (GET_AKEY | GET_RECX) == 0 {
                if dkey_wanted && found.exists(epoch, floor) {
                    candidates.push((number(dkey_name), 0, 0));
                }
                continue;
            }
            for (akey_name, found) in &found.akeys {
                if !dkey_wanted || (what & GET_AKEY == 0 && *akey_name != akey) {
                    continue;
                }
                let ids = (number(dkey_name), if what & GET_AKEY != 0 { number(akey_name) } else { 0 });
                if what & GET_RECX == 0 {
                    candidates.extend(found.exists(epoch, floor).then_some((ids.0, ids.1, 0)));
                } else if found.kind == Some(IodKind::Array) {
                    let seen = (0..RECORDS).filter(|index| found.record(*index, epoch, floor).is_some());
                    candidates.extend(seen.map(|index| (ids.0, ids.1, index)));
                }
            }
        }
        let best = if max { candidates.iter().max() } else { candidates.iter().min() };
        let Some(best) = best else {
            assert_eq!((reply.dkey, reply.akey, reply.recx), (None, None, None));
            return;
        };
        if what & GET_DKEY != 0 {
            assert_eq!(number(&reply.dkey.unwrap()), best.0);
        }
        if what & GET_AKEY != 0 {
            assert_eq!(number(&reply.akey.unwrap()), best.1);
        }
        if what & GET_RECX != 0 {
            let recx = reply.recx.unwrap();
            assert_eq!(if max { recx.idx + recx.nr - 1 } else { recx.idx }, best.2);
        }
    }

    fn reopen(&mut self) {
        let space = self.pool.space();
        // Both handles must go before the file can be opened again.
        let spare = std::env::temp_dir().join(format!("vos-model-{}-{}", std::process::id(), self.model.clock));
        let config = PoolConfig {
            path: spare.clone(),
            pool: Uuid::nil(),
            arena_bytes: 256 << 10,
            blob_bytes: 0,
            blob_threshold_bytes: 0,
            durability: Durability::Process,
        };
        self.pool = VosPool::create_any_size(&config).unwrap();
        self.cont = self.pool.container(self.cont_id, true).unwrap();
        let _ = std::fs::remove_file(spare);
        self.pool = VosPool::open(&self.path, Durability::Process).unwrap();
        self.cont = self.pool.container(self.cont_id, false).unwrap();
        assert_eq!(self.pool.space(), space);
        self.check_entries();
        super::audit::audit(&self.pool);
    }

    /// Destroys the container; all its space must come back.
    fn renew(&mut self, empty: Space) {
        self.pool.destroy_container(self.cont_id).unwrap();
        assert_eq!(
            self.cont.list(self.oids[0], 1, &ListKind::Objects, b"", b"", 1, 1).unwrap_err().code(),
            Der::CONT_NONEXIST
        );
        while !self.pool.reclaim(20).unwrap() {}
        self.cont = self.pool.container(self.cont_id, true).unwrap();
        assert_eq!(self.pool.space(), empty, "space leaked");
        self.model = Model::default();
        self.entries.clear();
        self.stable = 0;
    }

    fn aggregate(&mut self) {
        let asked = self.rng.random_range(self.stable..self.stable.max(45) + 1);
        let stable = self.oldest_prepared().map_or(asked, |epoch| asked.min(epoch - 1));
        self.stable = stable;
        for object in self.model.objects.values_mut() {
            let floor = object.floor(stable);
            for dkey in object.dkeys.values_mut() {
                let floor = newest(&dkey.punches, stable, floor);
                dkey.akeys.values_mut().for_each(|akey| akey.aggregate(stable, floor));
            }
        }
        let mut pass = Aggregation::new(0..=asked);
        while !self.cont.aggregate(&mut pass, 3).unwrap() {
            // Values stay as they are; whether a key with punched records exists changes during the pass.
            self.fetch_if(0);
        }
        assert_eq!(pass.last(), stable);
        super::audit::audit(&self.pool);
    }

    fn steps(&mut self, steps: u64) {
        let empty = self.pool.space();
        for step in 0..steps {
            match self.rng.random_range(0..100) {
                0..40 => self.update(),
                40..50 => self.transaction(),
                50..72 => self.fetch(),
                72..80 => self.punch(),
                80..86 => self.list_keys(),
                86..92 => self.list_recxs(),
                92..94 => self.list_objects(),
                _ => self.query(),
            }
            if step % 997 == 0 {
                self.reopen();
            }
            if step % 901 == 900 {
                self.aggregate();
            }
            if step % 1801 == 1800 {
                self.renew(empty);
            }
        }
        println!("{} calls met a full store, {} of them for what was prepared", self.full, self.late_full);
        assert!(steps < 100_000 || self.full > 100, "the store was hardly ever full");
    }
}

/// Aim: the store answers as the model does, over updates, punches, fetches, lists, queries and transactions at epochs in any
/// order, reopening, full arena and destroyed containers; and no space is lost.
#[test]
fn agrees_with_the_model() {
    let seed = super::env("VOS_SEED", rand::random());
    let steps = super::env("VOS_STEPS", 100_000);
    println!("VOS_SEED={seed} VOS_STEPS={steps}");
    let dir = tempfile::tempdir().unwrap();
    Run::new(dir.path(), seed).steps(steps);
}
