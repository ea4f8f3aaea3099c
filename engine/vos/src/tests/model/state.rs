//! The model: what a store holds, kept in plain maps and lists.

use daos_common::flags::*;
use daos_common::wire::tx::ReadScope;
use daos_common::{Der, Epoch, Iod, IodKind, Recx, UnitOid};
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Version = (Epoch, u64);
pub(super) type Key = Vec<u8>;

pub(super) const RECORDS: u64 = 48;

#[derive(Clone)]
pub(super) enum Write {
    Single(Option<Vec<u8>>),
    Extent { lo: u64, hi: u64, data: Option<Vec<u8>> },
}

#[derive(Default, Clone)]
pub(super) struct Akey {
    pub(super) punches: Vec<Version>,
    pub(super) kind: Option<IodKind>,
    pub(super) record: u64,
    pub(super) writes: Vec<(Version, Write)>,
}

#[derive(Default, Clone)]
pub(super) struct Dkey {
    pub(super) punches: Vec<Version>,
    pub(super) akeys: BTreeMap<Key, Akey>,
}

#[derive(Default, Clone)]
pub(super) struct Object {
    pub(super) punches: Vec<Version>,
    pub(super) newest: Epoch,
    pub(super) dkeys: BTreeMap<Key, Dkey>,
}

#[derive(Default, Clone)]
pub(super) struct Model {
    pub(super) clock: u64,
    pub(super) objects: BTreeMap<UnitOid, Object>,
    pub(super) changes: Vec<Change>,
}

/// That something was written or punched: an object, a dkey, an akey, or extents of it.
#[derive(Clone)]
pub(super) struct Change {
    oid: UnitOid,
    epoch: Epoch,
    dkey: Option<Key>,
    akey: Option<Key>,
    recxs: Vec<Recx>,
}

pub(super) fn newest(punches: &[Version], epoch: Epoch, floor: Version) -> Version {
    punches.iter().copied().filter(|punch| punch.0 <= epoch).max().unwrap_or_default().max(floor)
}

impl Akey {
    pub(super) fn seen(&self, epoch: Epoch, floor: Version) -> impl Iterator<Item = &(Version, Write)> {
        let floor = newest(&self.punches, epoch, floor);
        self.writes.iter().filter(move |(version, _)| version.0 <= epoch && *version > floor)
    }

    pub(super) fn exists(&self, epoch: Epoch, floor: Version) -> bool {
        self.seen(epoch, floor).any(|(_, write)| match write {
            Write::Single(data) | Write::Extent { data, .. } => data.is_some(),
        })
    }

    pub(super) fn single(&self, epoch: Epoch, floor: Version) -> Option<(Epoch, &Vec<u8>)> {
        let (version, write) = self.seen(epoch, floor).max_by_key(|(version, _)| *version)?;
        match write {
            Write::Single(Some(data)) => Some((version.0, data)),
            _ => None,
        }
    }

    /// The visible record `index` and its epoch.
    pub(super) fn record(&self, index: u64, epoch: Epoch, floor: Version) -> Option<(Epoch, &[u8])> {
        let covers = |write: &Write| matches!(write, Write::Extent { lo, hi, .. } if (*lo..*hi).contains(&index));
        let (version, write) =
            self.seen(epoch, floor).filter(|(_, write)| covers(write)).max_by_key(|(version, _)| *version)?;
        let Write::Extent { lo, data: Some(data), .. } = write else { return None };
        let at = ((index - lo) * self.record) as usize;
        Some((version.0, &data[at..at + self.record as usize]))
    }

    /// Drops what cannot be seen at or after `stable`.
    pub(super) fn aggregate(&mut self, stable: Epoch, floor: Version) {
        let floor = newest(&self.punches, stable, floor);
        let old: Vec<_> = self.seen(stable, floor).cloned().collect();
        let hides = |write: &Write, index: u64| match write {
            Write::Single(_) => true,
            Write::Extent { lo, hi, .. } => (*lo..*hi).contains(&index),
        };
        let shown = |index| old.iter().filter(|(_, write)| hides(write, index)).map(|(version, _)| *version).max();
        let visible: BTreeSet<Version> = (0..RECORDS).filter_map(shown).collect();
        self.writes.retain(|(version, _)| version.0 > stable || visible.contains(version));
    }

    pub(super) fn put(&mut self, version: Version, write: Write) {
        self.writes.retain(|(old, other)| {
            old.0 != version.0
                || match (other, &write) {
                    (Write::Single(_), _) => false,
                    (Write::Extent { lo, hi, .. }, Write::Extent { lo: a, hi: b, .. }) => (lo, hi) != (a, b),
                    _ => true,
                }
        });
        self.writes.push((version, write));
    }
}

impl Dkey {
    pub(super) fn exists(&self, epoch: Epoch, floor: Version) -> bool {
        let floor = newest(&self.punches, epoch, floor);
        self.akeys.values().any(|akey| akey.exists(epoch, floor))
    }
}

impl Object {
    pub(super) fn floor(&self, epoch: Epoch) -> Version {
        newest(&self.punches, epoch, (0, 0))
    }

    pub(super) fn exists(&self, epoch: Epoch) -> bool {
        self.dkeys.values().any(|dkey| dkey.exists(epoch, self.floor(epoch)))
    }

    pub(super) fn find(&self, dkey: &[u8], epoch: Epoch) -> Option<(&Dkey, Version)> {
        let dkey = self.dkeys.get(dkey)?;
        Some((dkey, newest(&dkey.punches, epoch, self.floor(epoch))))
    }
}

fn condition_code(exists: bool, flags: u64, insert: u64, must: u64) -> Option<Der> {
    if exists && flags & insert != 0 {
        Some(Der::EXIST)
    } else if !exists && flags & must != 0 {
        Some(Der::NONEXIST)
    } else {
        None
    }
}

impl Model {
    /// What the conditions of an update or a fetch say.
    pub(super) fn conditions(&self, oid: UnitOid, epoch: Epoch, dkey: &[u8], flags: u64, iods: &[Iod]) -> Option<Der> {
        let found = self.objects.get(&oid).and_then(|object| object.find(dkey, epoch));
        let exists = found.is_some_and(|(dkey, floor)| dkey.exists(epoch, floor));
        condition_code(exists, flags, COND_DKEY_INSERT, COND_DKEY_UPDATE | COND_DKEY_FETCH).or_else(|| {
            iods.iter().find_map(|iod| {
                let flags = if flags & COND_PER_AKEY != 0 { iod.flags } else { flags };
                let akey = found.and_then(|(dkey, floor)| Some((dkey.akeys.get(&iod.akey)?, floor)));
                let exists = akey.is_some_and(|(akey, floor)| akey.exists(epoch, floor));
                condition_code(exists, flags, COND_AKEY_INSERT, COND_AKEY_UPDATE | COND_AKEY_FETCH)
            })
        })
    }

    /// Whether all that a punch names exists.
    pub(super) fn punched_exists(&self, oid: UnitOid, epoch: Epoch, dkeys: &[Key], akeys: &[Key]) -> bool {
        let object = self.objects.get(&oid);
        if dkeys.is_empty() {
            return object.is_some_and(|object| object.exists(epoch));
        }
        dkeys.iter().all(|dkey| {
            let found = object.and_then(|object| object.find(dkey, epoch));
            found.is_some_and(|(dkey, floor)| match akeys {
                [] => dkey.exists(epoch, floor),
                akeys => akeys.iter().all(|akey| dkey.akeys.get(akey).is_some_and(|akey| akey.exists(epoch, floor))),
            })
        })
    }

    /// An update; `data` holds one value or extent after another.
    pub(super) fn update(&mut self, oid: UnitOid, epoch: Epoch, dkey: &[u8], iods: &[Iod], data: Vec<Vec<u8>>) {
        let object = self.objects.entry(oid).or_default();
        object.newest = object.newest.max(epoch);
        let dkey_name = dkey;
        let dkey = object.dkeys.entry(dkey.to_vec()).or_default();
        let mut data = data.into_iter();
        for iod in iods {
            self.clock += 1;
            let version = (epoch, self.clock);
            let akey = dkey.akeys.entry(iod.akey.clone()).or_default();
            akey.kind = Some(iod.kind);
            let recxs = if iod.kind == IodKind::Array { iod.recxs.clone() } else { Vec::new() };
            self.changes.push(Change {
                oid,
                epoch,
                dkey: Some(dkey_name.to_vec()),
                akey: Some(iod.akey.clone()),
                recxs,
            });
            match iod.kind {
                IodKind::Single => {
                    akey.put(version, Write::Single(if iod.size == 0 { None } else { data.next() }));
                }
                IodKind::Array => {
                    if iod.size != 0 {
                        akey.record = iod.size;
                    }
                    for recx in &iod.recxs {
                        let data = if iod.size == 0 { None } else { data.next() };
                        akey.put(version, Write::Extent { lo: recx.idx, hi: recx.idx + recx.nr, data });
                    }
                }
            }
        }
    }

    /// A punch.
    pub(super) fn punch(&mut self, oid: UnitOid, epoch: Epoch, dkeys: &[Key], akeys: &[Key]) {
        self.clock += 1;
        let version = (epoch, self.clock);
        let put = |punches: &mut Vec<Version>| {
            punches.retain(|punch| punch.0 != epoch);
            punches.push(version);
        };
        let mut change = |dkey: Option<&Key>, akey: Option<&Key>| {
            self.changes.push(Change { oid, epoch, dkey: dkey.cloned(), akey: akey.cloned(), recxs: Vec::new() });
        };
        let object = self.objects.entry(oid).or_default();
        object.newest = object.newest.max(epoch);
        if dkeys.is_empty() {
            put(&mut object.punches);
            change(None, None);
        }
        for name in dkeys {
            let dkey = object.dkeys.entry(name.clone()).or_default();
            if akeys.is_empty() {
                put(&mut dkey.punches);
                change(Some(name), None);
            }
            for akey in akeys {
                put(&mut dkey.akeys.entry(akey.clone()).or_default().punches);
                change(Some(name), Some(akey));
            }
        }
    }

    /// The newest epoch at which anything in the scope changed.
    pub(super) fn newest_change(&self, oid: UnitOid, scope: &ReadScope) -> Epoch {
        let overlap = |a: &[Recx], b: &[Recx]| {
            let meet = |a: &Recx, b: &Recx| a.idx < b.idx + b.nr && b.idx < a.idx + a.nr;
            a.is_empty() || b.is_empty() || a.iter().any(|a| b.iter().any(|b| meet(a, b)))
        };
        let same = |name: &Option<Key>, key: &Key| name.as_ref().is_none_or(|name| name == key);
        let touches = |change: &&Change| match scope {
            ReadScope::Object => true,
            ReadScope::Dkey(dkey) => same(&change.dkey, dkey),
            ReadScope::Akey { dkey, akey, recxs } => {
                same(&change.dkey, dkey) && same(&change.akey, akey) && overlap(&change.recxs, recxs)
            }
        };
        let all = self.changes.iter().filter(|change| change.oid == oid).filter(touches);
        all.map(|change| change.epoch).max().unwrap_or(0)
    }
}
