//! Keys that transactions hold in one container's share.
//!
//! A transaction takes all its locks at once, when it is prepared or begins to be committed, and gives them back when its
//! outcome is applied here. It never waits for one: whoever finds a lock in its way is restarted, so that there is no
//! deadlock. Requests outside transactions do wait ([`Locks::changed`]).
//!
//! A lock is on a dkey of a shard or on the whole shard, for reading or for writing. A lock for writing names the epoch
//! that the transaction takes effect after: readers at earlier epochs pass.
//!
//! In memory only. Nothing is held most of the time, and a request then pays for one look at a counter.

use daos_common::wire::tx::{ReadScope, TxPart, TxWrite};
use daos_common::{Der, Epoch, Result, UnitOid};
use futures_channel::oneshot;
use std::cell::RefCell;
use std::collections::HashMap;
use uuid::Uuid;

/// What is locked of a shard: a dkey, or all of it.
type Key = (UnitOid, Option<Vec<u8>>);

/// Locks of one container.
#[derive(Default)]
pub struct Locks {
    table: RefCell<Table>,
}

#[derive(Default)]
struct Table {
    objects: HashMap<UnitOid, ObjectLocks>,
    held: HashMap<Uuid, Held>,
    waiting: Vec<oneshot::Sender<()>>,
}

/// What one transaction holds.
struct Held {
    epoch: Epoch,
    writes: bool,
    keys: Vec<(Key, Mode)>,
}

#[derive(Default)]
struct ObjectLocks {
    whole: Lock,
    dkeys: HashMap<Vec<u8>, Lock>,
}

#[derive(Default)]
struct Lock {
    readers: Vec<Uuid>,
    writer: Option<(Uuid, Epoch)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Mode {
    Read,
    Write,
}

impl Locks {
    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.table.borrow().held.is_empty()
    }

    /// Checks that a part could be locked now.
    ///
    /// # Errors
    /// `TX_RESTART`: another transaction holds a key of it.
    pub fn check(&self, part: &TxPart) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        self.table.borrow().check(&keys_of(part))
    }

    /// Locks what a part reads and writes, all or nothing. It will take effect at or after `epoch`.
    ///
    /// # Errors
    /// `TX_RESTART`: another transaction holds a key of it.
    pub fn take(&self, tx: Uuid, epoch: Epoch, part: &TxPart) -> Result<()> {
        let keys = keys_of(part);
        let mut table = self.table.borrow_mut();
        table.check(&keys)?;
        table.insert(tx, epoch, keys);
        Ok(())
    }

    /// Locks what a transaction held before this process began.
    pub fn restore(&self, tx: Uuid, epoch: Epoch, part: &TxPart) {
        self.table.borrow_mut().insert(tx, epoch, keys_of(part));
    }

    /// Gives back what a transaction holds, if it holds anything, and wakes all who wait.
    pub fn give_back(&self, tx: Uuid) {
        let waiting = {
            let mut table = self.table.borrow_mut();
            let Some(held) = table.held.remove(&tx) else { return };
            for (key, mode) in held.keys {
                table.remove(tx, &key, mode);
            }
            std::mem::take(&mut table.waiting)
        };
        for waiter in waiting {
            // One that gave up needs no news.
            let _ = waiter.send(());
        }
    }

    /// Whether a change of dkeys, or of the whole shard (`None`), has to wait.
    pub fn blocks_change(&self, oid: UnitOid, dkeys: Option<&[Vec<u8>]>) -> bool {
        let table = self.table.borrow();
        let Some(object) = table.objects.get(&oid) else { return false };
        let free = |lock: &Lock| lock.writer.is_none() && lock.readers.is_empty();
        let open = match dkeys {
            None => object.dkeys.values().all(free),
            Some(dkeys) => dkeys.iter().all(|dkey| object.dkeys.get(dkey).is_none_or(free)),
        };
        !(open && free(&object.whole))
    }

    /// Whether a read at `epoch` of a dkey, or of the whole shard (`None`), has to wait: its answer depends on the outcome
    /// of a transaction.
    pub fn blocks_read(&self, oid: UnitOid, dkey: Option<&[u8]>, epoch: Epoch) -> bool {
        let table = self.table.borrow();
        let Some(object) = table.objects.get(&oid) else { return false };
        let open = |lock: &Lock| lock.writer.is_none_or(|(_, from)| epoch < from);
        let free = match dkey {
            None => object.dkeys.values().all(open),
            Some(dkey) => object.dkeys.get(dkey).is_none_or(open),
        };
        !(free && open(&object.whole))
    }

    /// Whether a read at `epoch` of whatever the container holds has to wait.
    pub fn blocks_listing(&self, epoch: Epoch) -> bool {
        self.table.borrow().held.values().any(|held| held.writes && epoch >= held.epoch)
    }

    /// Resolves when something was given back.
    pub fn changed(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut table = self.table.borrow_mut();
        table.waiting.retain(|waiter| !waiter.is_canceled());
        table.waiting.push(sender);
        receiver
    }
}

impl Table {
    fn check(&self, keys: &HashMap<Key, Mode>) -> Result<()> {
        match keys.iter().find(|(key, mode)| self.conflicts(key, **mode)) {
            None => Ok(()),
            Some(((oid, _), _)) => {
                Err(Der::TX_RESTART.err(format!("another transaction is at work on object {}", oid.oid)))
            }
        }
    }

    fn conflicts(&self, (oid, dkey): &Key, mode: Mode) -> bool {
        let Some(object) = self.objects.get(oid) else { return false };
        let meets = |lock: &Lock| lock.writer.is_some() || (mode == Mode::Write && !lock.readers.is_empty());
        let below = match dkey {
            None => object.dkeys.values().any(meets),
            Some(dkey) => object.dkeys.get(dkey).is_some_and(meets),
        };
        below || meets(&object.whole)
    }

    fn insert(&mut self, tx: Uuid, epoch: Epoch, keys: HashMap<Key, Mode>) {
        let mut held = Held { epoch, writes: false, keys: Vec::with_capacity(keys.len()) };
        for (key, mode) in keys {
            let object = self.objects.entry(key.0).or_default();
            let lock = match &key.1 {
                None => &mut object.whole,
                Some(dkey) => object.dkeys.entry(dkey.clone()).or_default(),
            };
            match mode {
                Mode::Read => lock.readers.push(tx),
                Mode::Write => {
                    lock.writer = Some((tx, epoch));
                    held.writes = true;
                }
            }
            held.keys.push((key, mode));
        }
        self.held.insert(tx, held);
    }

    fn remove(&mut self, tx: Uuid, (oid, dkey): &Key, mode: Mode) {
        let Some(object) = self.objects.get_mut(oid) else { return };
        let release = |lock: &mut Lock| match mode {
            Mode::Read => lock.readers.retain(|reader| *reader != tx),
            Mode::Write => lock.writer = lock.writer.filter(|(writer, _)| *writer != tx),
        };
        let idle = |lock: &Lock| lock.writer.is_none() && lock.readers.is_empty();
        match dkey {
            None => release(&mut object.whole),
            Some(dkey) => {
                if let Some(lock) = object.dkeys.get_mut(dkey) {
                    release(lock);
                    if idle(lock) {
                        object.dkeys.remove(dkey);
                    }
                }
            }
        }
        if idle(&object.whole) && object.dkeys.is_empty() {
            self.objects.remove(oid);
        }
    }
}

/// What a part locks; a key that is read and written is locked for writing.
fn keys_of(part: &TxPart) -> HashMap<Key, Mode> {
    let mut keys: HashMap<Key, Mode> = HashMap::new();
    let mut add = |key: Key, mode: Mode| {
        let held = keys.entry(key).or_insert(mode);
        *held = (*held).max(mode);
    };
    for read in &part.reads {
        let dkey = match &read.scope {
            ReadScope::Object => None,
            ReadScope::Dkey(dkey) | ReadScope::Akey { dkey, .. } => Some(dkey.clone()),
        };
        add((read.oid, dkey), Mode::Read);
    }
    for write in &part.writes {
        match write {
            TxWrite::Update { oid, dkey, .. } => add((*oid, Some(dkey.clone())), Mode::Write),
            TxWrite::Punch { oid, dkeys, .. } if dkeys.is_empty() => add((*oid, None), Mode::Write),
            TxWrite::Punch { oid, dkeys, .. } => {
                dkeys.iter().for_each(|dkey| add((*oid, Some(dkey.clone())), Mode::Write));
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use daos_common::wire::tx::{TxRead, TxTarget};
    use daos_common::{ObjectId, Rank};
    use futures_util::FutureExt;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    fn oid(lo: u64) -> UnitOid {
        UnitOid { oid: ObjectId { lo, hi: 0 }, shard: 0, layout: 1 }
    }

    fn part(reads: &[(u64, Option<u8>)], writes: &[(u64, Option<u8>)]) -> TxPart {
        let reads = reads.iter().map(|(object, dkey)| TxRead {
            oid: oid(*object),
            scope: dkey.map_or(ReadScope::Object, |dkey| ReadScope::Dkey(vec![dkey])),
        });
        let writes = writes.iter().map(|(object, dkey)| TxWrite::Punch {
            oid: oid(*object),
            dkeys: dkey.iter().map(|dkey| vec![*dkey]).collect(),
            akeys: Vec::new(),
            flags: 0,
        });
        let target = TxTarget { rank: Rank(0), target: 0 };
        TxPart { target, reads: reads.collect(), writes: writes.collect() }
    }

    /// Aim: what stands in whose way, between dkeys, the whole shard and other shards, before and after the epoch.
    #[test]
    fn who_waits_for_whom() {
        let locks = Locks::default();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(locks.is_empty() && !locks.blocks_change(oid(1), None));
        locks.take(one, 100, &part(&[(1, Some(7))], &[(1, Some(8))])).unwrap();
        assert!(!locks.is_empty());
        // Readers of what is read pass, writers wait; readers of what is written wait from the epoch on.
        assert!(!locks.blocks_read(oid(1), Some(&[7]), Epoch::MAX));
        assert!(locks.blocks_change(oid(1), Some(&[vec![9], vec![7]])));
        assert!(!locks.blocks_change(oid(1), Some(&[vec![9]])) && !locks.blocks_change(oid(2), None));
        assert!(locks.blocks_read(oid(1), Some(&[8]), 100) && !locks.blocks_read(oid(1), Some(&[8]), 99));
        assert!(locks.blocks_read(oid(1), None, 100) && !locks.blocks_read(oid(1), None, 99));
        assert!(locks.blocks_listing(100) && !locks.blocks_listing(99));
        assert!(locks.blocks_change(oid(1), None));
        // Other transactions: readers share, everything else is refused.
        for (reads, writes) in [
            (vec![(1, Some(8))], vec![]),
            (vec![], vec![(1, Some(7))]),
            (vec![(1, None)], vec![]),
            (vec![], vec![(1, None)]),
        ] {
            let refused = locks.take(two, 101, &part(&reads, &writes)).unwrap_err();
            assert_eq!(refused.code(), Der::TX_RESTART, "{reads:?} {writes:?}");
            assert!(locks.check(&part(&reads, &writes)).is_err());
        }
        locks.take(two, 101, &part(&[(1, Some(7)), (2, None)], &[(1, Some(9))])).unwrap();
        let mut waiter = locks.changed();
        assert!((&mut waiter).now_or_never().is_none());
        locks.give_back(one);
        assert!(waiter.now_or_never().is_some());
        assert!(locks.blocks_change(oid(1), Some(&[vec![7]])) && !locks.blocks_read(oid(1), Some(&[8]), 100));
        assert!(locks.blocks_change(oid(2), Some(&[vec![1]])) && !locks.blocks_read(oid(2), None, 500));
        locks.give_back(two);
        locks.give_back(two);
        assert!(locks.is_empty() && locks.table.borrow().objects.is_empty());
    }

    /// Aim: random takes and returns keep the rule that a writer is alone, and leave nothing behind.
    #[test]
    fn writers_are_alone() {
        let seed: u64 = rand::rng().random();
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let locks = Locks::default();
        let mut held: HashMap<Uuid, TxPart> = HashMap::new();
        for number in 0..4000u128 {
            let mut some = |most: usize| -> Vec<(u64, Option<u8>)> {
                let key = |random: &mut StdRng| {
                    (random.random_range(0..3), random.random_bool(0.8).then(|| random.random_range(0..4)))
                };
                (0..random.random_range(0..=most)).map(|_| key(&mut random)).collect()
            };
            let wanted = part(&some(3), &some(2));
            let clash = held.values().any(|other| overlap(&wanted, other));
            let taken = locks.take(Uuid::from_u128(number), 1, &wanted);
            assert_eq!(taken.is_err(), clash, "{wanted:?} against {held:?}");
            if taken.is_ok() {
                held.insert(Uuid::from_u128(number), wanted);
            }
            if random.random_bool(0.5) {
                let victim = held.keys().next().copied();
                if let Some(victim) = victim {
                    held.remove(&victim);
                    locks.give_back(victim);
                }
            }
        }
        held.keys().for_each(|tx| locks.give_back(*tx));
        assert!(locks.is_empty() && locks.table.borrow().objects.is_empty());
    }

    /// The model: whether one writes what the other reads or writes.
    fn overlap(one: &TxPart, other: &TxPart) -> bool {
        let (one, other) = (keys_of(one), keys_of(other));
        one.iter().any(|((object, dkey), mode)| {
            other.iter().any(|((object2, dkey2), mode2)| {
                let same = object == object2 && (dkey.is_none() || dkey2.is_none() || dkey == dkey2);
                same && (*mode == Mode::Write || *mode2 == Mode::Write)
            })
        })
    }
}
