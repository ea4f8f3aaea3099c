//! Transactions against the model: lists of writes, entries, and the newest changes.

use super::*;
use daos_common::wire::tx::{ReadScope, TxRead, TxWrite};

/// An entry that the store must have, and what its body stands for.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) entry: TxEntry,
    writes: Vec<TxWrite>,
}

/// What a list of writes makes of a model.
fn after(model: &Model, epoch: Epoch, writes: &[TxWrite], conditions: bool) -> std::result::Result<Model, Der> {
    let mut model = model.clone();
    for write in writes {
        match write {
            TxWrite::Update { oid, dkey, flags, iods, data } => {
                if let Some(code) = model.conditions(*oid, epoch, dkey, *flags, iods).filter(|_| conditions) {
                    return Err(code);
                }
                let mut rest = &data[..];
                let mut pieces = Vec::new();
                for iod in iods.iter().filter(|iod| iod.size != 0) {
                    let counts: Vec<u64> = match iod.kind {
                        IodKind::Single => vec![1],
                        IodKind::Array => iod.recxs.iter().map(|recx| recx.nr).collect(),
                    };
                    for count in counts {
                        let (head, tail) = rest.split_at((count * iod.size) as usize);
                        pieces.push(head.to_vec());
                        rest = tail;
                    }
                }
                model.update(*oid, epoch, dkey, iods, pieces);
            }
            TxWrite::Punch { oid, dkeys, akeys, flags } => {
                if conditions && *flags != 0 && !model.punched_exists(*oid, epoch, dkeys, akeys) {
                    return Err(Der::NONEXIST);
                }
                model.punch(*oid, epoch, dkeys, akeys);
            }
        }
    }
    Ok(model)
}

impl Run {
    fn writes(&mut self) -> Vec<TxWrite> {
        let count = self.rng.random_range(1..5);
        (0..count).map(|_| if self.rng.random_bool(0.75) { self.update_write() } else { self.punch_write() }).collect()
    }

    fn update_write(&mut self) -> TxWrite {
        let oid = self.oid();
        let (dkey, iods) = (self.dkey(oid), self.iods(oid));
        let flags = self.cond(&[COND_DKEY_INSERT, COND_DKEY_UPDATE, COND_AKEY_INSERT, COND_PER_AKEY]);
        let bytes: u64 = iods.iter().map(|iod| iod.data_bytes().unwrap()).sum();
        let data = (0..bytes).map(|_| self.rng.random()).collect();
        TxWrite::Update { oid, dkey, flags, iods, data }
    }

    fn punch_write(&mut self) -> TxWrite {
        let oid = self.oid();
        let flags = self.cond(&[COND_PUNCH]);
        let (dkeys, akeys) = match self.rng.random_range(0..10) {
            0 => (Vec::new(), Vec::new()),
            1..5 => ((0..self.rng.random_range(1..3)).map(|_| self.dkey(oid)).collect(), Vec::new()),
            _ => (vec![self.dkey(oid)], (0..self.rng.random_range(1..3)).map(|_| self.akey(oid)).collect()),
        };
        TxWrite::Punch { oid, dkeys, akeys, flags }
    }

    fn scope(&mut self, oid: UnitOid) -> ReadScope {
        match self.rng.random_range(0..8) {
            0 => ReadScope::Object,
            1..3 => ReadScope::Dkey(self.dkey(oid)),
            dice => {
                let recxs = if dice < 5 { Vec::new() } else { self.recxs() };
                ReadScope::Akey { dkey: self.dkey(oid), akey: self.akey(oid), recxs }
            }
        }
    }

    fn reads(&mut self) -> Vec<TxRead> {
        let count = self.rng.random_range(0..3);
        let mut reads = Vec::new();
        for _ in 0..count {
            let oid = self.oid();
            reads.push(TxRead { oid, scope: self.scope(oid) });
        }
        reads
    }

    /// That the store did with a list of writes what it should; whether it carried them out.
    fn check_writes(
        &mut self,
        writes: &[TxWrite],
        result: &std::result::Result<(), Der>,
        expected: &std::result::Result<Model, Der>,
    ) -> bool {
        match result {
            Ok(()) => {
                assert!(expected.is_ok(), "carried out against {:?}", expected.as_ref().err());
                return true;
            }
            Err(Der::NOSPACE) => self.full += 1,
            Err(Der::NO_PERM) => assert!(self.kinds_clash(writes)),
            Err(Der::REC_SIZE) => {
                let arrays = |iods: &[Iod]| iods.iter().any(|iod| iod.kind == IodKind::Array && iod.size != 0);
                assert!(writes.iter().any(|write| matches!(write, TxWrite::Update { iods, .. } if arrays(iods))));
            }
            Err(code) => assert_eq!(expected.as_ref().err(), Some(code)),
        }
        false
    }

    fn kinds_clash(&self, writes: &[TxWrite]) -> bool {
        let mut kinds = BTreeMap::new();
        for write in writes {
            let TxWrite::Update { oid, dkey, iods, .. } = write else { continue };
            for iod in iods {
                let object = self.model.objects.get(oid);
                let akey = object.and_then(|object| object.dkeys.get(dkey)?.akeys.get(&iod.akey));
                let stored = akey.and_then(|akey| akey.kind).unwrap_or(iod.kind);
                let first = *kinds.entry((*oid, dkey, &iod.akey)).or_insert(stored);
                if first != iod.kind || stored != iod.kind {
                    return true;
                }
            }
        }
        false
    }

    fn entry(&mut self, state: TxState) -> Option<Uuid> {
        let of_state = |kept: &&Kept| kept.entry.state == state;
        let all: Vec<Uuid> = self.entries.values().filter(of_state).map(|kept| kept.entry.tx).collect();
        all.choose(&mut self.rng).copied()
    }

    fn new_id(&mut self) -> Uuid {
        Uuid::from_u128(self.rng.random())
    }

    fn epoch_after_stable(&mut self) -> Epoch {
        self.rng.random_range(self.stable + 1..60)
    }

    /// One random call about transactions.
    pub(super) fn transaction(&mut self) {
        match self.rng.random_range(0..20) {
            0..3 => self.apply(),
            3..5 => self.try_writes(),
            5..8 => self.prepare(),
            8..11 => self.commit_prepared(),
            11 => self.abort_prepared(),
            12..15 => self.decide(),
            15 => self.forget(),
            16 => self.outcome(),
            _ => self.newest_change(),
        }
    }

    fn apply(&mut self) {
        let (epoch, writes) = (self.epoch_after_stable(), self.writes());
        let expected = after(&self.model, epoch, &writes, true);
        let result = self.cont.apply(epoch, &writes).map_err(|error| error.code());
        if self.check_writes(&writes, &result, &expected) {
            self.model = expected.unwrap();
        }
    }

    fn try_writes(&mut self) {
        let (epoch, writes) = (self.epoch_after_stable(), self.writes());
        let expected = after(&self.model, epoch, &writes, true);
        let space = self.pool.space();
        let result = self.cont.try_writes(epoch, &writes).map_err(|error| error.code());
        assert_eq!(self.pool.space(), space);
        if self.check_writes(&writes, &result, &expected) && self.rng.random_bool(0.5) {
            self.cont.apply(epoch, &writes).unwrap();
            self.model = expected.unwrap();
        }
    }

    fn prepare(&mut self) {
        let (epoch, writes) = (self.epoch_after_stable(), self.writes());
        let body: Vec<u8> = (0..self.rng.random_range(0..300)).map(|_| self.rng.random()).collect();
        let tx = self.new_id();
        if self.stable > 0 && self.rng.random_bool(0.1) {
            let refused = self.cont.prepare(tx, self.rng.random_range(1..self.stable + 1), &body, &writes);
            assert_eq!(refused.unwrap_err().code(), Der::TX_RESTART);
            return;
        }
        let expected = after(&self.model, epoch, &writes, true);
        let result = self.cont.prepare(tx, epoch, &body, &writes).map_err(|error| error.code());
        if self.check_writes(&writes, &result.map(|at| assert_eq!(at, epoch)), &expected) {
            let entry = TxEntry { tx, epoch, state: TxState::Prepared, body: body.clone() };
            self.entries.insert(tx, Kept { entry, writes: writes.clone() });
            assert_eq!(self.cont.prepare(tx, epoch + 1, &body, &writes).unwrap(), epoch);
        }
    }

    fn commit_prepared(&mut self) {
        let Some(tx) = self.entry(TxState::Prepared) else {
            let tx = self.entry(TxState::Committed).unwrap_or_else(|| self.new_id());
            assert!(!self.cont.commit_prepared(tx, 50, &[]).unwrap());
            return;
        };
        let Kept { entry, writes } = self.entries[&tx].clone();
        let epoch = self.rng.random_range(entry.epoch..62);
        let expected = after(&self.model, epoch, &writes, false);
        let result = self.cont.commit_prepared(tx, epoch, &writes).map_err(|error| error.code());
        self.late_full += u64::from(result == Err(Der::NOSPACE));
        if self.check_writes(&writes, &result.map(|done| assert!(done)), &expected) {
            self.model = expected.unwrap();
            self.entries.remove(&tx);
            assert!(!self.cont.commit_prepared(tx, epoch, &writes).unwrap());
        } else if result != Err(Der::NOSPACE) {
            // Nobody keeps others off its keys here, so that it may never succeed.
            assert!(self.cont.abort_prepared(tx).unwrap());
            self.entries.remove(&tx);
        }
    }

    fn abort_prepared(&mut self) {
        match self.entry(TxState::Prepared) {
            Some(tx) => {
                assert!(self.cont.abort_prepared(tx).unwrap());
                self.entries.remove(&tx);
            }
            None => {
                let tx = self.new_id();
                assert!(!self.cont.abort_prepared(tx).unwrap());
            }
        }
    }

    fn decide(&mut self) {
        if let Some(tx) = self.entry(TxState::Committed).filter(|_| self.rng.random_bool(0.3)) {
            let writes = self.writes();
            assert_eq!(self.cont.decide(tx, 59, b"again", &writes).unwrap(), self.entries[&tx].entry.epoch);
            return;
        }
        // Of its own part, prepared, or of one that isn't.
        let prepared = self.entry(TxState::Prepared).filter(|_| self.rng.random_bool(0.2));
        let (tx, writes) = match prepared {
            Some(tx) => (tx, self.entries[&tx].writes.clone()),
            None => (self.new_id(), self.writes()),
        };
        let (epoch, read_epoch, reads) = (self.epoch_after_stable(), self.rng.random_range(0..60), self.reads());
        let body = vec![7; self.rng.random_range(0..40)];
        let fresh =
            |read: &TxRead| read_epoch >= self.stable && self.model.newest_change(read.oid, &read.scope) <= read_epoch;
        let expected = match reads.iter().all(fresh) {
            true => after(&self.model, epoch, &writes, true),
            false => Err(Der::TX_RESTART),
        };
        let result = match reads.is_empty() {
            true => self.cont.decide(tx, epoch, &body, &writes),
            false => self.cont.validate_and_decide(tx, epoch, (read_epoch, &reads), &body, &writes),
        };
        let result = result.map(|at| assert_eq!(at, epoch)).map_err(|error| error.code());
        if self.check_writes(&writes, &result, &expected) {
            self.model = expected.unwrap();
            let entry = TxEntry { tx, epoch, state: TxState::Committed, body };
            self.entries.insert(tx, Kept { entry, writes });
        }
    }

    fn forget(&mut self) {
        let of_state = |kept: &&Kept| kept.entry.state == TxState::Committed;
        let mut all: Vec<Uuid> = self.entries.values().filter(of_state).map(|kept| kept.entry.tx).collect();
        all.truncate(self.rng.random_range(0..all.len() + 1));
        all.push(self.new_id());
        self.cont.forget(&all).unwrap();
        all.iter().for_each(|tx| drop(self.entries.remove(tx)));
        self.check_entries();
    }

    fn outcome(&mut self) {
        let tx = match self.rng.random_range(0..3) {
            0 => None,
            1 => self.entry(TxState::Prepared),
            _ => self.entry(TxState::Committed),
        };
        let tx = tx.unwrap_or_else(|| self.new_id());
        assert_eq!(self.cont.outcome(tx).unwrap(), self.entries.get(&tx).map(|kept| kept.entry.clone()));
    }

    /// That the store has just the entries that it must have.
    pub(super) fn check_entries(&self) {
        let kept: Vec<TxEntry> = self.entries.values().map(|kept| kept.entry.clone()).collect();
        assert_eq!(self.cont.transactions().unwrap(), kept);
        assert_eq!(self.cont.oldest_prepared().unwrap(), self.oldest_prepared());
    }

    pub(super) fn oldest_prepared(&self) -> Option<Epoch> {
        let prepared = self.entries.values().filter(|kept| kept.entry.state == TxState::Prepared);
        prepared.map(|kept| kept.entry.epoch).min()
    }

    fn newest_change(&mut self) {
        let oid = self.oid();
        let scope = self.scope(oid);
        let (found, expected) = (self.cont.newest_change(oid, &scope).unwrap(), self.model.newest_change(oid, &scope));
        assert!(
            found == expected || (found < expected && expected <= self.stable),
            "{found}, not {expected}: {scope:?}"
        );
        let epoch = self.rng.random_range(0..65);
        let changed = epoch < self.stable || expected > epoch;
        assert_eq!(self.cont.changed_since(oid, &scope, epoch).unwrap(), changed, "{scope:?} since {epoch}");
        assert_eq!(self.cont.aggregated_to().unwrap(), self.stable);
    }
}
