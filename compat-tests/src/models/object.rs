//! The object API against maps: updates of any mix of akeys with conditions, fetches into scattered buffers, I/O maps,
//! punches, listings in pages, key queries, and all of that at snapshots.

use crate::c::{EXIST, NONEXIST, Scatter, Session, Snapshot, iov, list_keys, ok};
use crate::random::Random;
use daos_sys::*;
use std::collections::BTreeMap;
use std::ptr::null_mut;

/// Records of an array.
const RECORDS: u64 = 60;
/// Akeys 0 to 3 hold single values, the others arrays of records of these sizes.
const RECORD_SIZES: [u64; 3] = [1, 8, 300];

/// An akey.
#[derive(Clone, Default)]
struct Akey {
    /// Data was written since the last punch of the key.
    exists: bool,
    single: Option<Vec<u8>>,
    records: BTreeMap<u64, Vec<u8>>,
}

type Dkey = BTreeMap<Vec<u8>, Akey>;
type Object = BTreeMap<Vec<u8>, Dkey>;

/// One akey of a call.
struct Described {
    akey: usize,
    /// Of an array: the extents.
    extents: Vec<(u64, u64)>,
}

/// An object, its model and snapshots of both.
struct World<'a> {
    session: &'a Session,
    oh: daos_handle_t,
    otype: daos_otype_t,
    model: Object,
    snapshots: Vec<(Snapshot, Object)>,
    newest: u64,
}

fn record_size(akey: usize) -> Option<u64> {
    akey.checked_sub(4).map(|array| RECORD_SIZES[array])
}

fn exists(dkey: &Dkey) -> bool {
    dkey.values().any(|akey| akey.exists)
}

/// Runs the model on one object of each kind of keys.
pub fn run(session: &Session, random: &mut Random, steps: u64) {
    let types = [DAOS_OT_MULTI_HASHED, DAOS_OT_MULTI_UINT64, DAOS_OT_MULTI_LEXICAL, DAOS_OT_DKEY_UINT64];
    for otype in types {
        let oh = session.object(otype, if random.once_in(3) { OC_S1 } else { OC_SX });
        let model = Object::new();
        let mut world = World { session, oh, otype, model, snapshots: Vec::new(), newest: 0 };
        for step in 0..steps / types.len() as u64 {
            world.step(random, &format!("type {otype} step {step}"));
        }
        // SAFETY: a plain call.
        ok(unsafe { daos_obj_close(oh, null_mut()) }, "close");
        world.snapshots.iter().for_each(|(snapshot, _)| session.drop_snapshot(snapshot));
    }
}

impl World<'_> {
    fn dkey(&self, number: u64) -> Vec<u8> {
        match self.otype {
            DAOS_OT_MULTI_UINT64 | DAOS_OT_DKEY_UINT64 => (number * 1000).to_ne_bytes().to_vec(),
            _ if number.is_multiple_of(5) => [vec![b'k'; 150], number.to_string().into_bytes()].concat(),
            _ => format!("dkey {number}").into_bytes(),
        }
    }

    fn akey(&self, number: usize) -> Vec<u8> {
        match self.otype {
            DAOS_OT_MULTI_UINT64 => (number as u64 * 77).to_ne_bytes().to_vec(),
            _ => format!("a{number}").into_bytes(),
        }
    }

    /// The state to read: the newest, or a snapshot's.
    fn view(&self, random: &mut Random) -> (daos_handle_t, &Object) {
        match self.snapshots.is_empty() || random.once_in(2) {
            true => (DAOS_TX_NONE, &self.model),
            false => {
                let (snapshot, model) = random.one(&self.snapshots);
                (snapshot.th, model)
            }
        }
    }

    fn step(&mut self, random: &mut Random, at: &str) {
        match random.below(20) {
            0..=6 => self.update(random, at),
            7..=11 => self.fetch(random, at),
            12 => self.punch(random, at),
            13..=14 => self.list(random, at),
            15..=16 => self.list_recxs(random, at),
            17 => self.query(random, at),
            18 => self.max_epoch(at),
            _ => self.snapshot(random),
        }
    }

    fn snapshot(&mut self, random: &mut Random) {
        if self.snapshots.len() == 3 {
            let (gone, _) = self.snapshots.swap_remove(random.below(3) as usize);
            self.session.drop_snapshot(&gone);
        }
        self.snapshots.push((self.session.snapshot(), self.model.clone()));
    }

    /// Some different akeys, with extents where they are arrays.
    fn describe(random: &mut Random) -> Vec<Described> {
        let first = random.below(7) as usize;
        let akeys = (0..1 + random.below(4) as usize).map(|number| (first + number) % 7);
        akeys
            .map(|akey| {
                let extents = if akey < 4 { Vec::new() } else { random.extents(RECORDS, 3) };
                Described { akey, extents }
            })
            .collect()
    }

    /// Random conditions: those of the call, and those of each akey.
    fn conditions(random: &mut Random, akeys: usize, dkey: [u64; 2], akey: &[u64]) -> (u64, Vec<u64>) {
        let dkey_part = if random.once_in(5) { *random.one(&dkey) } else { 0 };
        let any = |random: &mut Random| if random.once_in(2) { *random.one(akey) } else { 0 };
        match random.below(8) {
            0 => (dkey_part | *random.one(akey), vec![0; akeys]),
            1 => (dkey_part | u64::from(DAOS_COND_PER_AKEY), (0..akeys).map(|_| any(random)).collect()),
            _ => (dkey_part, vec![0; akeys]),
        }
    }

    /// What the conditions of a call lead to.
    fn judge(model: &Object, dkey: &[u8], names: &[Vec<u8>], flags: u64, per_akey: &[u64]) -> i32 {
        let has = |flags: u64, bit: u32| flags & u64::from(bit) != 0;
        let found = model.get(dkey);
        let there = found.is_some_and(exists);
        if has(flags, DAOS_COND_DKEY_INSERT) && there {
            return EXIST;
        }
        if (has(flags, DAOS_COND_DKEY_UPDATE) || has(flags, DAOS_COND_DKEY_FETCH)) && !there {
            return NONEXIST;
        }
        for (name, own) in names.iter().zip(per_akey) {
            let flags = if has(flags, DAOS_COND_PER_AKEY) { *own } else { flags };
            let there = found.and_then(|dkey| dkey.get(name)).is_some_and(|akey| akey.exists);
            if has(flags, DAOS_COND_AKEY_INSERT) && there {
                return EXIST;
            }
            if (has(flags, DAOS_COND_AKEY_UPDATE) || has(flags, DAOS_COND_AKEY_FETCH)) && !there {
                return NONEXIST;
            }
        }
        0
    }

    fn update(&mut self, random: &mut Random, at: &str) {
        let dkey = self.dkey(random.below(12));
        let described = World::describe(random);
        let names: Vec<Vec<u8>> = described.iter().map(|one| self.akey(one.akey)).collect();
        let flags = [DAOS_COND_AKEY_INSERT, DAOS_COND_AKEY_UPDATE].map(u64::from);
        let dkey_flags = [DAOS_COND_DKEY_INSERT, DAOS_COND_DKEY_UPDATE].map(u64::from);
        let (flags, per_akey) = World::conditions(random, described.len(), dkey_flags, &flags);
        let (mut datas, mut punches, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for one in &described {
            let punch = random.once_in(6);
            let size = match record_size(one.akey) {
                Some(size) => size,
                None if random.once_in(10) => 20_000 + random.below(20_000),
                None => 1 + random.below(100),
            };
            let records: u64 = one.extents.iter().map(|(_, nr)| nr).sum();
            let bytes = if record_size(one.akey).is_some() { records * size } else { size };
            datas.push(random.bytes(if punch { 0 } else { bytes }));
            punches.push(punch);
            sizes.push(if punch { 0 } else { size });
        }
        let mut scattered: Vec<Scatter> = datas.iter().map(|data| Scatter::new(random, data)).collect();
        let mut lists: Vec<d_sg_list_t> = scattered.iter_mut().map(Scatter::list).collect();
        let mut recxs: Vec<Vec<daos_recx_t>> = described.iter().map(recxs_of).collect();
        let mut iods: Vec<daos_iod_t> = (0..described.len())
            .map(|index| iod(&names[index], &described[index], sizes[index], per_akey[index], &mut recxs[index]))
            .collect();
        let mut key = iov(&dkey);
        // SAFETY: everything passed lives through the call.
        let rc = unsafe {
            let nr = iods.len() as u32;
            let (iods, lists) = (iods.as_mut_ptr(), lists.as_mut_ptr());
            daos_obj_update(self.oh, DAOS_TX_NONE, flags, &mut key, nr, iods, lists, null_mut())
        };
        let wanted = World::judge(&self.model, &dkey, &names, flags, &per_akey);
        assert_eq!(rc, wanted, "{at}: update with conditions {flags:#x} {per_akey:?}");
        if rc != 0 {
            return;
        }
        let model = self.model.entry(dkey).or_default();
        for (index, one) in described.iter().enumerate() {
            let akey = model.entry(names[index].clone()).or_default();
            akey.exists |= !punches[index];
            match record_size(one.akey) {
                None => akey.single = (!punches[index]).then(|| datas[index].clone()),
                Some(size) => {
                    let mut data = datas[index].chunks_exact(size as usize);
                    for record in one.extents.iter().flat_map(|&(idx, nr)| idx..idx + nr) {
                        match data.next() {
                            Some(data) => akey.records.insert(record, data.to_vec()),
                            None => akey.records.remove(&record),
                        };
                    }
                }
            }
        }
    }

    fn fetch(&mut self, random: &mut Random, at: &str) {
        let dkey = self.dkey(random.below(12));
        let described = World::describe(random);
        let names: Vec<Vec<u8>> = described.iter().map(|one| self.akey(one.akey)).collect();
        let akey_flags = [u64::from(DAOS_COND_AKEY_FETCH)];
        let dkey_flags = [u64::from(DAOS_COND_DKEY_FETCH); 2];
        let (flags, per_akey) = World::conditions(random, described.len(), dkey_flags, &akey_flags);
        let (th, model) = self.view(random);
        let room = |one: &Described| match record_size(one.akey) {
            Some(size) => size * one.extents.iter().map(|(_, nr)| nr).sum::<u64>(),
            None => 50_000,
        };
        let any_size: Vec<bool> = described.iter().map(|_| random.once_in(2)).collect();
        let mut scattered: Vec<Scatter> =
            described.iter().map(|one| Scatter::new(random, &vec![0x5a; room(one) as usize])).collect();
        let mut lists: Vec<d_sg_list_t> = scattered.iter_mut().map(Scatter::list).collect();
        let mut recxs: Vec<Vec<daos_recx_t>> = described.iter().map(recxs_of).collect();
        let mut iods: Vec<daos_iod_t> = (0..described.len())
            .map(|index| {
                let one = &described[index];
                let size = if any_size[index] { 0 } else { record_size(one.akey).unwrap_or(50_000) };
                iod(&names[index], one, size, per_akey[index], &mut recxs[index])
            })
            .collect();
        let probe = random.once_in(5);
        if probe {
            iods.iter_mut().for_each(|iod| iod.iod_size = 0);
        }
        let mut places: Vec<[daos_recx_t; RECORDS as usize]> =
            vec![[daos_recx_t::default(); RECORDS as usize]; described.len()];
        let mut maps: Vec<daos_iom_t> = places
            .iter_mut()
            .map(|place| daos_iom_t {
                iom_flags: DAOS_IOMF_DETAIL,
                iom_nr: RECORDS as u32,
                iom_recxs: place.as_mut_ptr(),
                ..daos_iom_t::default()
            })
            .collect();
        let with_maps = !probe && random.once_in(2);
        let mut key = iov(&dkey);
        // SAFETY: everything passed lives through the call.
        let rc = unsafe {
            let nr = iods.len() as u32;
            let lists = if probe { null_mut() } else { lists.as_mut_ptr() };
            let maps = if with_maps { maps.as_mut_ptr() } else { null_mut() };
            daos_obj_fetch(self.oh, th, flags, &mut key, nr, iods.as_mut_ptr(), lists, maps, null_mut())
        };
        let wanted = World::judge(model, &dkey, &names, flags, &per_akey);
        assert_eq!(rc, wanted, "{at}: fetch with conditions {flags:#x} {per_akey:?}");
        if rc != 0 {
            return;
        }
        let none = Akey::default();
        for (index, one) in described.iter().enumerate() {
            let akey = model.get(&dkey).and_then(|dkey| dkey.get(&names[index])).unwrap_or(&none);
            let at = format!("{at}: akey {} of {dkey:?}, probe {probe}", one.akey);
            let (size, bytes, told) = expected(akey, one);
            assert_eq!(iods[index].iod_size, size, "{at}: size");
            if probe {
                continue;
            }
            let got = scattered[index].bytes();
            for (place, (got, wanted)) in got.iter().zip(&bytes).enumerate() {
                assert_eq!(*got, wanted.unwrap_or(0x5a), "{at}: byte {place}");
            }
            assert!(got[bytes.len()..].iter().all(|byte| *byte == 0x5a), "{at}: bytes behind the data");
            let list = lists[index];
            let told_now = if list.sg_nr_out == 0 { 0 } else { scattered[index].told() };
            assert_eq!(told_now, told, "{at}: told length");
            if with_maps && record_size(one.akey).is_some() {
                check_map(&maps[index], akey, one, &at);
            }
        }
    }

    fn punch(&mut self, random: &mut Random, at: &str) {
        let flags = if random.once_in(2) { u64::from(DAOS_COND_PUNCH) } else { 0 };
        let dkey = self.dkey(random.below(12));
        let mut key = iov(&dkey);
        let oh = self.oh;
        let missing = |there: bool| if flags != 0 && !there { NONEXIST } else { 0 };
        match random.below(8) {
            0 => {
                let wanted = missing(self.model.values().any(exists));
                // SAFETY: a plain call.
                let rc = unsafe { daos_obj_punch(oh, DAOS_TX_NONE, flags, null_mut()) };
                assert_eq!(rc, wanted, "{at}: punch of the object");
                self.model.clear();
            }
            1..=3 => {
                let first = random.below(12);
                let names: Vec<Vec<u8>> = (0..1 + random.below(3)).map(|next| self.dkey((first + next) % 12)).collect();
                let mut keys: Vec<d_iov_t> = names.iter().map(|name| iov(name)).collect();
                let there = |name: &Vec<u8>| self.model.get(name).is_some_and(exists);
                let wanted = missing(names.iter().all(there));
                // SAFETY: the keys live through the call.
                let rc = unsafe {
                    let (nr, keys) = (keys.len() as u32, keys.as_mut_ptr());
                    daos_obj_punch_dkeys(oh, DAOS_TX_NONE, flags, nr, keys, null_mut())
                };
                assert_eq!(rc, wanted, "{at}: punch of dkeys");
                // Each for itself: those that are there go also when another is missing.
                names.iter().for_each(|name| drop(self.model.remove(name)));
            }
            _ => {
                let described = World::describe(random);
                let names: Vec<Vec<u8>> = described.iter().map(|one| self.akey(one.akey)).collect();
                let mut keys: Vec<d_iov_t> = names.iter().map(|name| iov(name)).collect();
                let model = self.model.get(&dkey);
                let there = |name: &Vec<u8>| model.and_then(|dkey| dkey.get(name)).is_some_and(|akey| akey.exists);
                let wanted = missing(names.iter().all(there));
                // SAFETY: the keys live through the call.
                let rc = unsafe {
                    let (nr, keys) = (keys.len() as u32, keys.as_mut_ptr());
                    daos_obj_punch_akeys(oh, DAOS_TX_NONE, flags, &mut key, nr, keys, null_mut())
                };
                assert_eq!(rc, wanted, "{at}: punch of akeys");
                if let (0, Some(model)) = (rc, self.model.get_mut(&dkey)) {
                    names.iter().for_each(|name| drop(model.remove(name)));
                }
            }
        }
    }

    fn list(&mut self, random: &mut Random, at: &str) {
        let (th, model) = self.view(random);
        let oh = self.oh;
        let dkey = self.dkey(random.below(12));
        let (mut found, mut wanted): (Vec<Vec<u8>>, Vec<Vec<u8>>) = match random.once_in(2) {
            true => {
                let found = list_keys(random, |nr, kds, sgl, anchor| {
                    // SAFETY: the places live through the call.
                    unsafe { daos_obj_list_dkey(oh, th, nr, kds, sgl, anchor, null_mut()) }
                });
                let wanted = model.iter().filter(|(_, dkey)| exists(dkey)).map(|(name, _)| name.clone());
                (found, wanted.collect())
            }
            false => {
                let mut key = iov(&dkey);
                let found = list_keys(random, |nr, kds, sgl, anchor| {
                    // SAFETY: as above.
                    unsafe { daos_obj_list_akey(oh, th, &mut key, nr, kds, sgl, anchor, null_mut()) }
                });
                let akeys = model.get(&dkey).into_iter().flatten();
                (found, akeys.filter(|(_, akey)| akey.exists).map(|(name, _)| name.clone()).collect())
            }
        };
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{at}: keys");
    }

    fn list_recxs(&mut self, random: &mut Random, at: &str) {
        let (th, model) = self.view(random);
        let (dkey, akey) = (self.dkey(random.below(12)), 4 + random.below(3) as usize);
        let name = self.akey(akey);
        let (mut key, mut akey_iov) = (iov(&dkey), iov(&name));
        let increasing = random.once_in(2);
        let (mut anchor, mut found, mut size) = (daos_anchor_t::default(), Vec::new(), 0);
        while u32::from(anchor.da_type) != DAOS_ANCHOR_TYPE_EOF {
            let mut nr = 1 + random.below(6) as u32;
            let mut recxs = vec![daos_recx_t::default(); nr as usize];
            let mut ranges = vec![daos_epoch_range_t::default(); nr as usize];
            // SAFETY: the places live through the call.
            let rc = unsafe {
                let (recxs, ranges) = (recxs.as_mut_ptr(), ranges.as_mut_ptr());
                let (oh, anchor) = (self.oh, &mut anchor);
                let (size, nr) = (&mut size, &mut nr);
                daos_obj_list_recx(
                    oh,
                    th,
                    &mut key,
                    &mut akey_iov,
                    size,
                    nr,
                    recxs,
                    ranges,
                    anchor,
                    increasing,
                    null_mut(),
                )
            };
            ok(rc, at);
            for (recx, range) in recxs[..nr as usize].iter().zip(&ranges) {
                assert!(recx.rx_nr > 0 && range.epr_lo > 0 && range.epr_lo <= range.epr_hi, "{at}: {recx:?} {range:?}");
                found.push((recx.rx_idx, recx.rx_nr));
            }
        }
        if !increasing {
            found.reverse();
        }
        assert!(found.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{at}: order of {found:?}");
        let records: Vec<u64> = found.iter().flat_map(|&(idx, nr)| idx..idx + nr).collect();
        let wanted: Vec<u64> = model
            .get(&dkey)
            .and_then(|dkey| dkey.get(&name))
            .map_or_else(Vec::new, |akey| akey.records.keys().copied().collect());
        assert_eq!(records, wanted, "{at}: records, increasing {increasing}");
        assert!(records.is_empty() || Some(size) == record_size(akey), "{at}: record size {size}");
    }

    fn query(&mut self, random: &mut Random, at: &str) {
        let (largest, with_akey) = (random.once_in(2), random.once_in(2));
        let direction = if largest { DAOS_GET_MAX } else { DAOS_GET_MIN };
        let (th, model) = self.view(random);
        let (mut dkey_bytes, mut akey_bytes) = ([0u8; 8], [0u8; 8]);
        let (mut recx, oh) = (daos_recx_t::default(), self.oh);
        let akey = 4 + random.below(3) as usize;
        let name = self.akey(akey);
        let dkey_integer = matches!(self.otype, DAOS_OT_MULTI_UINT64 | DAOS_OT_DKEY_UINT64);
        let with_akey = with_akey && self.otype == DAOS_OT_MULTI_UINT64;
        let mut flags = u64::from(direction | DAOS_GET_DKEY | DAOS_GET_RECX);
        let (mut dkey, mut akey_iov) = (iov(&dkey_bytes), iov(&name));
        if with_akey {
            flags |= u64::from(DAOS_GET_AKEY);
            akey_iov = iov(&akey_bytes);
        }
        dkey.iov_buf = dkey_bytes.as_mut_ptr().cast();
        if with_akey {
            akey_iov.iov_buf = akey_bytes.as_mut_ptr().cast();
        }
        // SAFETY: the places live through the call.
        let rc = unsafe { daos_obj_query_key(oh, th, flags, &mut dkey, &mut akey_iov, &mut recx, null_mut()) };
        if !dkey_integer {
            assert_eq!(rc, -1003, "{at}: query of keys that are not integers");
            return;
        }
        ok(rc, at);
        let number = |key: &[u8]| u64::from_ne_bytes(key.try_into().expect("8 bytes"));
        let extreme = |keys: Vec<u64>| if largest { keys.into_iter().max() } else { keys.into_iter().min() };
        // The outermost dkey that holds a record in a fitting akey, in it the outermost such akey.
        let fits = |dkey: &Dkey| -> Vec<Vec<u8>> {
            let there = dkey.iter().filter(|(key, akey)| (with_akey || **key == name) && !akey.records.is_empty());
            there.map(|(key, _)| key.clone()).collect()
        };
        let dkeys = model.iter().filter(|(_, dkey)| !fits(dkey).is_empty()).map(|(key, _)| number(key)).collect();
        let Some(wanted) = extreme(dkeys) else {
            assert_eq!((recx.rx_idx, recx.rx_nr), (0, 0), "{at}: a record of nothing");
            return;
        };
        assert_eq!(u64::from_ne_bytes(dkey_bytes), wanted, "{at}: dkey");
        let found = &model[&wanted.to_ne_bytes().to_vec()];
        let akey = match with_akey {
            true => {
                let wanted = extreme(fits(found).iter().map(|key| number(key)).collect()).expect("it holds a record");
                assert_eq!(u64::from_ne_bytes(akey_bytes), wanted, "{at}: akey");
                &found[&wanted.to_ne_bytes().to_vec()]
            }
            false => &found[&name],
        };
        let records: Vec<u64> = akey.records.keys().copied().collect();
        let wanted = if largest { records.last() } else { records.first() };
        let got = if largest { recx.rx_idx + recx.rx_nr - 1 } else { recx.rx_idx };
        assert_eq!(Some(&got), wanted, "{at}: record of {recx:?}");
    }

    fn max_epoch(&mut self, at: &str) {
        let mut epoch = 0;
        // SAFETY: the place lives through the call.
        ok(unsafe { daos_obj_query_max_epoch(self.oh, DAOS_TX_NONE, &mut epoch, null_mut()) }, at);
        assert!(epoch >= self.newest, "{at}: newest epoch {epoch} after {}", self.newest);
        self.newest = epoch;
    }
}

fn recxs_of(one: &Described) -> Vec<daos_recx_t> {
    one.extents.iter().map(|&(rx_idx, rx_nr)| daos_recx_t { rx_idx, rx_nr }).collect()
}

fn iod(name: &[u8], one: &Described, size: u64, flags: u64, recxs: &mut [daos_recx_t]) -> daos_iod_t {
    let array = record_size(one.akey).is_some();
    daos_iod_t {
        iod_name: iov(name),
        iod_type: if array { DAOS_IOD_ARRAY } else { DAOS_IOD_SINGLE },
        iod_size: size,
        iod_flags: flags,
        iod_nr: if array { recxs.len() as u32 } else { 1 },
        iod_recxs: if array { recxs.as_mut_ptr() } else { null_mut() },
    }
}

/// What a fetch is to find: the size, the bytes (`None` where the buffer stays as it is), and the length that is told.
fn expected(akey: &Akey, one: &Described) -> (u64, Vec<Option<u8>>, usize) {
    let Some(size) = record_size(one.akey) else {
        let bytes: Vec<Option<u8>> = akey.single.iter().flatten().copied().map(Some).collect();
        return (bytes.len() as u64, bytes.clone(), bytes.len());
    };
    let records = one.extents.iter().flat_map(|&(idx, nr)| idx..idx + nr);
    let bytes: Vec<Option<u8>> = records
        .flat_map(|record| match akey.records.get(&record) {
            Some(data) => data.iter().copied().map(Some).collect(),
            None => vec![None; size as usize],
        })
        .collect();
    match bytes.iter().rposition(Option::is_some) {
        Some(last) => (size, bytes, last + 1),
        None => (0, bytes, 0),
    }
}

/// An I/O map holds the parts of the extents that have data.
fn check_map(map: &daos_iom_t, akey: &Akey, one: &Described, at: &str) {
    let mut wanted: Vec<u64> = one
        .extents
        .iter()
        .flat_map(|&(idx, nr)| idx..idx + nr)
        .filter(|record| akey.records.contains_key(record))
        .collect();
    wanted.sort_unstable();
    assert!(map.iom_nr_out <= map.iom_nr, "{at}: {map:?}");
    // SAFETY: the place has `iom_nr` elements.
    let recxs: Vec<daos_recx_t> =
        (0..map.iom_nr_out as usize).map(|index| unsafe { *map.iom_recxs.add(index) }).collect();
    let found: Vec<u64> = recxs.iter().flat_map(|recx| recx.rx_idx..recx.rx_idx + recx.rx_nr).collect();
    assert_eq!(found, wanted, "{at}: I/O map");
    if let (Some(low), Some(high)) = (wanted.iter().min(), wanted.iter().max()) {
        assert_eq!(map.iom_recx_lo.rx_idx, *low, "{at}: lowest of the I/O map");
        assert_eq!(map.iom_recx_hi.rx_idx + map.iom_recx_hi.rx_nr - 1, *high, "{at}: highest of the I/O map");
    }
}
