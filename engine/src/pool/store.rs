//! The pool service's store: named records in a VOS store file, changed in transactions.
//!
//! All records are akeys of one dkey of one object, because an update of one dkey is what VOS makes visible and durable
//! as a whole: a transaction is one such update, a record that goes is one with an empty value. VOS keeps every
//! version, and records here change often, so the store is rewritten into a new file when less than a quarter of it is
//! free: only the newest versions go over, and a rename puts the new file in the old one's place.
//!
//! The interface is what a replicated log gives too: a batch goes in whole or not at all, and reading is only needed
//! at start.

use daos_common::ids::EPOCH_MAX;
use daos_common::wire::object::{ListKind, Listed};
use daos_common::{Der, Epoch, Error, Iod, IodKind, ObjectId, Result, UnitOid};
use daos_vos::{Durability, Place, PoolConfig, VosCont, VosPool};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Size of a store when `DAOS_MD_CAP` does not say: the file is sparse, so what isn't used costs nothing.
const DEFAULT_MIB: u64 = 128;
/// Smallest size.
const MIN_MIB: u64 = 16;
/// Largest size that `DAOS_MD_CAP` may ask for.
const MAX_MIB: u64 = 1 << 20;
/// Container of the records.
const RECORDS: Uuid = Uuid::from_u128(0x0072_6462_5f72_6563_6f72_6473);
const OBJECT: UnitOid = UnitOid { oid: ObjectId { lo: 1, hi: 0 }, shard: 0, layout: 0 };
const DKEY: &[u8] = b"pool";
/// Akeys listed or copied at once.
const BATCH: usize = 128;

/// A record's new value; `None` removes it.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// The store.
pub struct Store {
    path: PathBuf,
    pool: Uuid,
    durability: Durability,
    open: RefCell<Option<(VosPool, VosCont)>>,
    epoch: Cell<Epoch>,
}

impl Store {
    /// Makes a store with these records; it exists whole or not at all.
    ///
    /// # Errors
    /// `EXIST`, `NOSPACE`, `IO`.
    pub fn create(path: &Path, pool: Uuid, durability: Durability, records: &[Write]) -> Result<Store> {
        if path.exists() {
            return Err(Der::EXIST.err(format!("{} exists", path.display())));
        }
        let store = Store::closed(path, pool, durability);
        let fresh = store.fresh()?;
        store.write(&fresh.1, records)?;
        store.replace(fresh)?;
        Ok(store)
    }

    /// Opens a store.
    ///
    /// # Errors
    /// As [`VosPool::open`], with the file named; `DF_INVAL`: of another pool.
    pub fn open(path: &Path, pool: Uuid, durability: Durability) -> Result<Store> {
        let store = Store::closed(path, pool, durability);
        let place = |error: Error| error.at(path.display());
        let vos = VosPool::open(path, durability).map_err(place)?;
        if vos.pool() != pool {
            return Err(place(Der::DF_INVAL.err(format!("the store belongs to pool {}, not {pool}", vos.pool()))));
        }
        let records = vos.container(RECORDS, false).map_err(place)?;
        store.epoch.set(vos.newest_epoch().map_err(place)?);
        store.open.replace(Some((vos, records)));
        Ok(store)
    }

    fn closed(path: &Path, pool: Uuid, durability: Durability) -> Store {
        let (path, open) = (path.to_owned(), RefCell::new(None));
        Store { path, pool, durability, open, epoch: Cell::new(0) }
    }

    /// Closes the store; changes fail from here on.
    pub fn close(&self) {
        self.open.replace(None);
    }

    /// Every record.
    ///
    /// # Errors
    /// `DF_INVAL`, `IO`: damaged.
    pub fn load(&self) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let open = self.open.borrow();
        let Some((vos, records)) = open.as_ref() else { return Err(self.lost()) };
        let (mut found, mut anchor) = (BTreeMap::new(), Vec::new());
        loop {
            let room = BATCH as u64 * 1024;
            let listed = records.list(OBJECT, EPOCH_MAX, &ListKind::Akeys, DKEY, &anchor, BATCH as u32, room)?;
            let Listed::Keys(keys) = listed.entries else {
                return Err(Der::DF_INVAL.err(format!("{}: a list of keys gave something else", self.path.display())));
            };
            if keys.is_empty() && !listed.eof {
                return Err(Der::DF_INVAL.err(format!("{}: a list of keys does not end", self.path.display())));
            }
            for key in keys {
                if let Some(value) = self.read(vos, records, &key)? {
                    found.insert(key, value);
                }
            }
            if listed.eof {
                return Ok(found);
            }
            anchor = listed.anchor;
        }
    }

    fn read(&self, vos: &VosPool, records: &VosCont, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut iods = [single(key, 0)];
        let size = records.fetch(OBJECT, EPOCH_MAX, DKEY, 0, &iods)?.iods.first().map_or(0, |iod| iod.size);
        if size == 0 {
            return Ok(None);
        }
        iods[0].size = size;
        let fetch = records.fetch(OBJECT, EPOCH_MAX, DKEY, 0, &iods)?;
        let mut value = Vec::new();
        for place in fetch.iods.iter().flat_map(|iod| &iod.places) {
            match place {
                Place::Arena { .. } => value.extend_from_slice(vos.bytes(&fetch, *place)),
                _ => return Err(Der::DF_INVAL.err(format!("{}: a record is not in the arena", self.path.display()))),
            }
        }
        Ok(Some(value))
    }

    /// Makes changes, all of them or none, durable when this returns.
    ///
    /// # Errors
    /// `NOSPACE`; `IO`.
    pub fn commit(&self, writes: &[Write]) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        if self.is_nearly_full() {
            // A store that cannot be compacted still takes changes until it is full.
            if let Err(error) = self.compact() {
                tracing::error!("{}: cannot be compacted: {error}", self.path.display());
            }
        }
        let open = self.open.borrow();
        let Some((_, records)) = open.as_ref() else { return Err(self.lost()) };
        self.write(records, writes).map_err(|error| error.at(self.path.display()))
    }

    fn write(&self, records: &VosCont, writes: &[Write]) -> Result<()> {
        let size = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, |value| value.len() as u64);
        let iods: Vec<Iod> = writes.iter().map(|(key, value)| single(key, size(value))).collect();
        let epoch = self.epoch.get() + 1;
        let mut update = records.reserve_update(OBJECT, epoch, DKEY, 0, &iods)?;
        let places = update.places().to_vec();
        let values = writes.iter().filter_map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty());
        let mut bytes = values.flatten().copied();
        for place in places {
            update.bytes_mut(place).iter_mut().zip(&mut bytes).for_each(|(to, from)| *to = from);
        }
        if bytes.next().is_some() {
            return Err(Der::MISC.err("the store reserved less than was asked for"));
        }
        update.commit()?;
        self.epoch.set(epoch);
        Ok(())
    }

    fn is_nearly_full(&self) -> bool {
        let open = self.open.borrow();
        open.as_ref().is_some_and(|(vos, _)| {
            let space = vos.space();
            space.arena_free < space.arena_total / 4
        })
    }

    /// Rewrites the newest versions into a new file.
    fn compact(&self) -> Result<()> {
        let records: Vec<Write> = self.load()?.into_iter().map(|(key, value)| (key, Some(value))).collect();
        tracing::info!("{}: compacting {} records", self.path.display(), records.len());
        let fresh = self.fresh()?;
        for batch in records.chunks(BATCH) {
            self.write(&fresh.1, batch)?;
        }
        self.replace(fresh)
    }

    fn fresh_path(&self) -> PathBuf {
        self.path.with_extension("new")
    }

    fn fresh(&self) -> Result<(VosPool, VosCont)> {
        let path = self.fresh_path();
        if path.exists() {
            std::fs::remove_file(&path).map_err(|error| Error::from(error).at(path.display()))?;
        }
        let config = PoolConfig {
            path: path.clone(),
            pool: self.pool,
            arena_bytes: size_bytes()?,
            blob_bytes: 0,
            blob_threshold_bytes: u64::MAX,
            durability: self.durability,
        };
        let vos = VosPool::create(&config).map_err(|error| error.at(path.display()))?;
        let records = vos.container(RECORDS, true)?;
        Ok((vos, records))
    }

    fn replace(&self, fresh: (VosPool, VosCont)) -> Result<()> {
        let renamed = std::fs::rename(self.fresh_path(), &self.path);
        renamed.map_err(|error| Error::from(error).at(self.path.display()))?;
        if let Some(parent) = self.path.parent() {
            let synced = std::fs::File::open(parent).and_then(|directory| directory.sync_all());
            synced.map_err(|error| Error::from(error).at(parent.display()))?;
        }
        self.open.replace(Some(fresh));
        Ok(())
    }

    fn lost(&self) -> Error {
        Der::NOTLEADER.err(format!("{}: the service has stepped down", self.path.display()))
    }
}

fn single(key: &[u8], size: u64) -> Iod {
    Iod { akey: key.to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

fn size_bytes() -> Result<u64> {
    let mib = crate::environment::number("DAOS_MD_CAP", MAX_MIB)?.unwrap_or(DEFAULT_MIB);
    Ok(mib.max(MIN_MIB) << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: &str, value: Option<&str>) -> Write {
        (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()))
    }

    /// Aim: batches are whole, removals remove, all of it is there after reopening and after compaction.
    #[test]
    fn survives_reopening_and_compaction() {
        let dir = tempfile::tempdir().unwrap();
        let (path, pool) = (dir.path().join("rdb-pool"), Uuid::new_v4());
        let durability = Durability::Process;
        let store = Store::create(&path, pool, durability, &[write("a", Some("1")), write("b", Some("2"))]).unwrap();
        store.commit(&[write("a", Some("longer")), write("b", None), write("c", Some("3"))]).unwrap();
        let expected = BTreeMap::from([(b"a".to_vec(), b"longer".to_vec()), (b"c".to_vec(), b"3".to_vec())]);
        assert_eq!(store.load().unwrap(), expected);
        store.compact().unwrap();
        store.commit(&[write("d", Some("4"))]).unwrap();
        drop(store);
        let store = Store::open(&path, pool, durability).unwrap();
        store.commit(&[write("d", None)]).unwrap();
        assert_eq!(store.load().unwrap(), expected);
        drop(store);
        assert_eq!(Store::open(&path, Uuid::new_v4(), durability).err().unwrap().code(), Der::DF_INVAL);
    }
}
