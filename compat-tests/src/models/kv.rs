//! The key-value API against a map: conditions, sizes, too little room, listings in pages, snapshots.

use crate::c::{EXIST, NONEXIST, REC2BIG, Session, Snapshot, list_keys, ok};
use crate::random::Random;
use daos_sys::*;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::ptr::null_mut;

type Model = BTreeMap<CString, Vec<u8>>;

/// An open object and its model.
struct World<'a> {
    session: &'a Session,
    oh: daos_handle_t,
    model: Model,
    snapshots: Vec<(Snapshot, Model)>,
}

/// Runs the model on a hashed and a lexical object.
pub fn run(session: &Session, random: &mut Random, steps: u64) {
    for otype in [DAOS_OT_KV_HASHED, DAOS_OT_KV_LEXICAL] {
        let (oid, mut oh) = (session.oid(otype, OC_SX), DAOS_HDL_INVAL);
        // SAFETY: a place that lives through the call.
        ok(unsafe { daos_kv_open(session.coh, oid, DAOS_OO_RW, &mut oh, null_mut()) }, "kv_open");
        let mut world = World { session, oh, model: Model::new(), snapshots: Vec::new() };
        for step in 0..steps / 2 {
            world.step(random, &format!("type {otype} step {step}"));
        }
        // SAFETY: plain calls.
        unsafe {
            ok(daos_kv_destroy(oh, DAOS_TX_NONE, null_mut()), "destroy");
            world.model.clear();
            world.list(random, "after the end");
            ok(daos_kv_close(oh, null_mut()), "close");
        }
        world.snapshots.iter().for_each(|(snapshot, _)| session.drop_snapshot(snapshot));
    }
}

impl World<'_> {
    fn key(random: &mut Random) -> CString {
        let number = random.below(40);
        let long = if number.is_multiple_of(7) { "long ".repeat(30) } else { String::new() };
        CString::new(format!("{long}key {number}")).expect("no NUL")
    }

    fn view(&self, random: &mut Random) -> (daos_handle_t, &Model) {
        match self.snapshots.is_empty() || random.once_in(2) {
            true => (DAOS_TX_NONE, &self.model),
            false => {
                let (snapshot, model) = random.one(&self.snapshots);
                (snapshot.th, model)
            }
        }
    }

    fn step(&mut self, random: &mut Random, at: &str) {
        match random.below(12) {
            0..=3 => self.put(random, at),
            4..=7 => self.get(random, at),
            8 => self.remove(random, at),
            9 | 10 => self.list(random, at),
            _ => {
                if self.snapshots.len() == 3 {
                    let (gone, _) = self.snapshots.swap_remove(random.below(3) as usize);
                    self.session.drop_snapshot(&gone);
                }
                self.snapshots.push((self.session.snapshot(), self.model.clone()));
            }
        }
    }

    fn put(&mut self, random: &mut Random, at: &str) {
        let key = World::key(random);
        let size = if random.once_in(10) { 30_000 } else { 1 + random.below(200) };
        let value = random.bytes(size);
        let flags = *random.one(&[0, 0, DAOS_COND_KEY_INSERT, DAOS_COND_KEY_UPDATE]);
        let there = self.model.contains_key(&key);
        let wanted = match flags {
            DAOS_COND_KEY_INSERT if there => EXIST,
            DAOS_COND_KEY_UPDATE if !there => NONEXIST,
            _ => 0,
        };
        // SAFETY: key and value live through the call.
        let rc = unsafe {
            let (size, value) = (value.len() as u64, value.as_ptr().cast());
            daos_kv_put(self.oh, DAOS_TX_NONE, u64::from(flags), key.as_ptr(), size, value, null_mut())
        };
        assert_eq!(rc, wanted, "{at}: put {key:?} with conditions {flags}");
        if rc == 0 {
            self.model.insert(key, value);
        }
    }

    fn get(&mut self, random: &mut Random, at: &str) {
        let key = World::key(random);
        let flags = if random.once_in(2) { u64::from(DAOS_COND_KEY_GET) } else { 0 };
        let (th, model) = self.view(random);
        let value = model.get(&key);
        let room = match random.below(4) {
            0 => 0,
            1 => 10,
            _ => 40_000,
        };
        let (mut buffer, mut size) = (vec![0x5au8; room as usize], room);
        let place = if room == 0 { null_mut() } else { buffer.as_mut_ptr().cast() };
        // SAFETY: key, size and buffer live through the call.
        let rc = unsafe { daos_kv_get(self.oh, th, flags, key.as_ptr(), &mut size, place, null_mut()) };
        let wanted = match value {
            None if flags != 0 => NONEXIST,
            Some(value) if room > 0 && value.len() as u64 > room => REC2BIG,
            _ => 0,
        };
        assert_eq!(rc, wanted, "{at}: get {key:?}, room {room}");
        if rc == NONEXIST {
            return;
        }
        let empty = Vec::new();
        let value = value.unwrap_or(&empty);
        assert_eq!(size, value.len() as u64, "{at}: size of {key:?}");
        if rc == 0 && room > 0 {
            assert_eq!(&buffer[..value.len()], &value[..], "{at}: value of {key:?}");
            assert!(buffer[value.len()..].iter().all(|byte| *byte == 0x5a), "{at}: bytes behind the value");
        }
    }

    fn remove(&mut self, random: &mut Random, at: &str) {
        let key = World::key(random);
        let flags = if random.once_in(2) { u64::from(DAOS_COND_KEY_REMOVE) } else { 0 };
        let there = self.model.remove(&key).is_some();
        // SAFETY: the key lives through the call.
        let rc = unsafe { daos_kv_remove(self.oh, DAOS_TX_NONE, flags, key.as_ptr(), null_mut()) };
        assert_eq!(rc, if flags != 0 && !there { NONEXIST } else { 0 }, "{at}: remove {key:?}");
    }

    fn list(&mut self, random: &mut Random, at: &str) {
        let (th, model) = self.view(random);
        let oh = self.oh;
        let mut found = list_keys(random, |nr, kds, sgl, anchor| {
            // SAFETY: the places live through the call.
            unsafe { daos_kv_list(oh, th, nr, kds, sgl, anchor, null_mut()) }
        });
        found.sort();
        let wanted: Vec<Vec<u8>> = model.keys().map(|key| key.as_bytes().to_vec()).collect();
        assert_eq!(found, wanted, "{at}: keys");
    }
}
