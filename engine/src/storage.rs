//! The engine's directory on the SCM tier.
//!
//! | path | what |
//! |---|---|
//! | `<pool>/vos-<target>` | a target's store |
//! | `<pool>/rdb-pool` | the pool service's store, on its ranks |
//! | `<pool>/rank.json` | what this rank must know of the pool before it can ask anyone ([`PoolRecord`]) |
//! | `NEWBORNS/<pool>/` | a pool being created; renamed to `<pool>` when it is complete |
//! | `ZOMBIES/<pool>/` | a pool being deleted; renamed from `<pool>` before anything of it is removed |
//! | `.engine.lock` | locked by the running engine |
//!
//! A pool therefore exists whole or not at all, whenever the engine dies; start-up removes what is left in NEWBORNS and
//! ZOMBIES.

use daos_common::{Der, Error, Rank, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const NEWBORNS: &str = "NEWBORNS";
const ZOMBIES: &str = "ZOMBIES";
const RECORD: &str = "rank.json";
const LOCK: &str = ".engine.lock";
const RECORD_VERSION: u32 = 1;

/// The directory. Used by the service thread.
pub struct Storage {
    root: PathBuf,
    lock: File,
}

/// One rank's record of a pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolRecord {
    /// Version of the format: 1.
    pub version: u32,
    /// Number of targets the share was made for.
    pub targets: u32,
    /// Bytes of the data tier on each target; 0 for none.
    pub blob_bytes: u64,
    /// Ranks of the pool service.
    pub service_ranks: Vec<Rank>,
}

impl PoolRecord {
    /// A record of the current version.
    pub fn new(targets: u32, blob_bytes: u64, service_ranks: Vec<Rank>) -> PoolRecord {
        PoolRecord { version: RECORD_VERSION, targets, blob_bytes, service_ranks }
    }
}

impl Storage {
    /// Takes the directory for this process.
    ///
    /// # Errors
    /// `NONEXIST`: it isn't there (not formatted or not mounted); `BUSY`: another engine runs on it; `NO_PERM`; `IO`.
    pub fn open(root: &Path) -> Result<Storage> {
        let place = root.display();
        match fs::metadata(root) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(Der::NOTDIR.err(format!("storage {place} is not a directory"))),
            Err(error) => {
                let hint = "is the SCM tier formatted and mounted? (scm_mount, dmg storage format)";
                return Err(Error::from(error).at(format!("storage {place}: {hint}")));
            }
        }
        let lock = File::create(root.join(LOCK)).map_err(|error| Error::from(error).at(&place))?;
        let flags = rustix::fs::FlockOperation::NonBlockingLockExclusive;
        rustix::fs::flock(&lock, flags)
            .map_err(|_| Der::BUSY.err(format!("storage {place} is in use by another daos_engine")))?;
        for name in [NEWBORNS, ZOMBIES] {
            fs::create_dir_all(root.join(name)).map_err(|error| Error::from(error).at(&place))?;
        }
        Ok(Storage { root: root.to_owned(), lock })
    }

    /// Gives the directory back: another engine may take it. Nothing may be done with it afterwards.
    pub fn release(&self) {
        if let Err(error) = rustix::fs::flock(&self.lock, rustix::fs::FlockOperation::Unlock) {
            tracing::error!("storage {} cannot be given back: {error}", self.root.display());
        }
    }

    /// Removes what an interrupted creation or deletion left.
    ///
    /// # Errors
    /// `IO`, `NO_PERM`: names the path.
    pub fn clean(&self) -> Result<()> {
        for name in [NEWBORNS, ZOMBIES] {
            for path in entries(&self.root.join(name))? {
                tracing::info!("removing what is left of an interrupted operation: {}", path.display());
                remove_all(&path)?;
            }
        }
        Ok(())
    }

    /// The pools, with their records or why there is none.
    ///
    /// # Errors
    /// `IO`: the directory cannot be read.
    pub fn pools(&self) -> Result<Vec<(Uuid, Result<PoolRecord>)>> {
        let paths = entries(&self.root)?;
        let uuid_of =
            |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(|name| Uuid::parse_str(name).ok());
        let pools = paths.iter().filter_map(|path| uuid_of(path));
        Ok(pools.map(|pool| (pool, self.record(pool))).collect())
    }

    /// Whether a pool is here.
    pub fn has(&self, pool: Uuid) -> bool {
        self.directory(pool).is_dir()
    }

    /// A pool's record.
    ///
    /// # Errors
    /// `NONEXIST`; `DF_INVAL`: damaged; `DF_INCOMPT`: of another version.
    pub fn record(&self, pool: Uuid) -> Result<PoolRecord> {
        let path = self.directory(pool).join(RECORD);
        let text = fs::read(&path).map_err(|error| Error::from(error).at(path.display()))?;
        let record: PoolRecord = serde_json::from_slice(&text)
            .map_err(|error| Der::DF_INVAL.err(format!("{}: damaged: {error}", path.display())))?;
        match record.version {
            RECORD_VERSION => Ok(record),
            version => Err(Der::DF_INCOMPT.err(format!("{}: version {version}", path.display()))),
        }
    }

    /// A pool's directory.
    pub fn directory(&self, pool: Uuid) -> PathBuf {
        self.root.join(pool.to_string())
    }

    /// A target's store in a pool's directory.
    pub fn target_path(directory: &Path, target: u32) -> PathBuf {
        directory.join(format!("vos-{target}"))
    }

    /// The service's store of a pool.
    pub fn service_path(&self, pool: Uuid) -> PathBuf {
        self.directory(pool).join("rdb-pool")
    }

    /// Bytes of the file system: all and free.
    ///
    /// # Errors
    /// `IO`.
    pub fn space(&self) -> Result<(u64, u64)> {
        let stat = rustix::fs::statvfs(&self.root).map_err(|error| Error::from(std::io::Error::from(error)))?;
        Ok((stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize))
    }

    /// An empty directory for a pool that is being created.
    ///
    /// # Errors
    /// `IO`, `NOSPACE`.
    pub fn begin(&self, pool: Uuid) -> Result<PathBuf> {
        let path = self.newborn(pool);
        if path.exists() {
            remove_all(&path)?;
        }
        fs::create_dir(&path).map_err(|error| Error::from(error).at(path.display()))?;
        Ok(path)
    }

    /// Makes a created pool exist, with its record.
    ///
    /// # Errors
    /// `IO`, `NOSPACE`; `EXIST`.
    pub fn finish(&self, pool: Uuid, record: &PoolRecord) -> Result<()> {
        let path = self.newborn(pool);
        write_durably(&path.join(RECORD), record)?;
        sync_directory(&path)?;
        self.rename(&path, &self.directory(pool))
    }

    /// Drops a creation that failed.
    pub fn abandon(&self, pool: Uuid) {
        if let Err(error) = remove_all(&self.newborn(pool)) {
            tracing::error!("pool {pool}: {error}; the next start of the engine removes it");
        }
    }

    /// Deletes a pool: from the rename on it doesn't exist. Absent is no error.
    ///
    /// # Errors
    /// `IO`: it may still exist.
    pub fn delete(&self, pool: Uuid) -> Result<()> {
        if !self.has(pool) {
            return Ok(());
        }
        let zombie = self.root.join(ZOMBIES).join(pool.to_string());
        if zombie.exists() {
            remove_all(&zombie)?;
        }
        self.rename(&self.directory(pool), &zombie)?;
        if let Err(error) = remove_all(&zombie) {
            tracing::error!("pool {pool}: {error}; the next start of the engine removes it");
        }
        Ok(())
    }

    fn newborn(&self, pool: Uuid) -> PathBuf {
        self.root.join(NEWBORNS).join(pool.to_string())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|error| Error::from(error).at(from.display()))?;
        for path in [from, to] {
            sync_directory(path.parent().unwrap_or(&self.root))?;
        }
        Ok(())
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let listed = fs::read_dir(directory).map_err(|error| Error::from(error).at(directory.display()))?;
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<std::io::Result<Vec<_>>>().map_err(|error| Error::from(error).at(directory.display()))
}

fn remove_all(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::from(error).at(path.display())),
        _ => Ok(()),
    }
}

fn write_durably(path: &Path, record: &PoolRecord) -> Result<()> {
    let text = serde_json::to_vec_pretty(record).map_err(|error| Der::MISC.err(error.to_string()))?;
    let written = fs::write(path, text).and_then(|()| File::open(path)?.sync_all());
    written.map_err(|error| Error::from(error).at(path.display()))
}

fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| Error::from(error).at(path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a pool exists only from `finish` to `delete`; leftovers go; a second engine is refused.
    #[test]
    fn life_of_a_pool() {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(dir.path()).unwrap();
        assert_eq!(Storage::open(dir.path()).err().unwrap().code(), Der::BUSY);
        let pool = Uuid::new_v4();
        let newborn = storage.begin(pool).unwrap();
        fs::write(newborn.join("vos-0"), b"x").unwrap();
        assert!(!storage.has(pool));
        storage.clean().unwrap();
        assert!(!newborn.exists());
        storage.begin(pool).unwrap();
        let record = PoolRecord::new(2, 0, vec![Rank(3)]);
        storage.finish(pool, &record).unwrap();
        assert_eq!(storage.pools().unwrap(), vec![(pool, Ok(record))]);
        fs::write(storage.directory(pool).join(RECORD), b"{").unwrap();
        assert_eq!(storage.record(pool).unwrap_err().code(), Der::DF_INVAL);
        storage.delete(pool).unwrap();
        storage.delete(pool).unwrap();
        assert!(storage.pools().unwrap().is_empty());
    }

    /// Aim: storage that is missing is named, with the remedy.
    #[test]
    fn missing_storage() {
        let error = Storage::open(Path::new("/nonexistent/daos")).err().unwrap();
        assert_eq!(error.code(), Der::NONEXIST);
        assert!(error.message().contains("/nonexistent/daos"));
    }
}
