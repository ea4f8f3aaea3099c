//! A device: formatting, opening, making and deleting blobs.

use crate::blob::Blob;
use crate::format::{BLOBS_MAX, Superblock};
use crate::memory::Pool;
use crate::ring::Ring;
use crate::table::{Run, Table, allocate, clusters_of, mark};
use crate::{BLOCK, Buffer};
use daos_common::{Der, Error, Result};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a lock may stay with an engine that just died: the kernel releases a dead process's rings late.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Identity of a blob: pool and target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlobId {
    /// The pool.
    pub pool: Uuid,
    /// The target.
    pub target: u32,
}

/// A formatted device: superblock, table of blobs, clusters. `Send + Sync`; shared by the engine's threads.
///
/// An open device is locked (`flock`) against other engines until it and all blobs opened from it are dropped.
pub struct Device {
    shared: Arc<Shared>,
}

/// What blobs keep alive.
pub(crate) struct Shared {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) superblock: Superblock,
    state: Mutex<State>,
}

/// The table in force, and what it does not say.
#[derive(Default)]
struct State {
    table: Table,
    /// Clusters of deleted blobs that someone may still write to; not reused before they are let go.
    dying: Vec<Weak<Extents>>,
    /// Extents of the blobs that are open.
    open: Vec<(BlobId, Weak<Extents>)>,
}

/// Where a blob is. Kept by its handles and by every request in flight.
pub(crate) struct Extents {
    pub(crate) id: BlobId,
    pub(crate) runs: Vec<Run>,
    /// The blob was deleted: no new requests.
    pub(crate) deleted: std::sync::atomic::AtomicBool,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A ring that is being torn down may hold the file a little longer than we do.
        if let Err(error) = self.file.unlock() {
            tracing::warn!("{}: unlocking failed: {error}", self.path.display());
        }
    }
}

impl Device {
    /// The UUID in its superblock.
    pub fn uuid(&self) -> Uuid {
        self.shared.superblock.uuid
    }

    /// Formats a file (made with `bytes`) or block device (`bytes` 0: its size). Refuses one that is formatted, or
    /// holds other data in front, unless `force`. All space is allocated. Blobs that were there are gone.
    ///
    /// # Errors
    /// `EXIST`: formatted or holding data. `NOSPACE`: the file system is full, or the device too small. `BUSY`: an
    /// engine has it open. `IO`.
    pub fn format(path: &Path, bytes: u64, force: bool) -> Result<()> {
        let place = |error: Error| error.at(format!("formatting {}", path.display()));
        let file = open_direct(path, true).map_err(place)?;
        lock(&file).map_err(place)?;
        let result = format_file(&file, bytes, force).map_err(place);
        let unlocked = file.unlock().map_err(|error| place(error.into()));
        result.and(unlocked)
    }

    /// Opens a formatted device.
    ///
    /// # Errors
    /// `NONEXIST`; `DF_INVAL`: not formatted, truncated or damaged; `DF_INCOMPT`; `BUSY`: another engine has it
    /// open; `IO`.
    pub fn open(path: &Path) -> Result<Device> {
        let place = |error: Error| error.at(format!("data device {}", path.display()));
        let file = open_direct(path, false).map_err(place)?;
        lock(&file).map_err(place)?;
        let superblock = read_superblock(&file).map_err(place)?;
        let actual = device_bytes(&file).map_err(place)?;
        if actual < superblock.device_bytes {
            let wanted = superblock.device_bytes;
            let text = format!("truncated: it has {actual} of {wanted} bytes; restore it or format it anew");
            return Err(place(Error::new(Der::DF_INVAL, text)));
        }
        let table = read_tables(&file, &superblock).map_err(place)?;
        let state = Mutex::new(State { table, ..State::default() });
        Ok(Device { shared: Arc::new(Shared { file, path: path.to_owned(), superblock, state }) })
    }

    /// Makes a blob of `bytes` (rounded up to clusters), durably. A blob of that id and size that exists is no
    /// error. Its content is unspecified until written.
    ///
    /// # Errors
    /// `NOSPACE`; `EXIST`: with another size; `IO`.
    pub fn create_blob(&self, id: BlobId, bytes: u64) -> Result<()> {
        let superblock = &self.shared.superblock;
        let wanted = bytes.div_ceil(superblock.cluster_bytes).max(1);
        let mut state = self.state();
        if let Some(runs) = state.table.blobs.get(&(id.pool, id.target)) {
            let has = clusters_of(runs);
            if has == wanted {
                return Ok(());
            }
            let text = format!("{id} exists with {} bytes, not {bytes}", has * superblock.cluster_bytes);
            return Err(self.error(Der::EXIST, text));
        }
        let used = state.used(superblock.clusters);
        let runs = allocate(&used, wanted).filter(|_| (state.table.blobs.len() as u64) < BLOBS_MAX);
        let Some(runs) = runs else {
            let free = used.iter().filter(|used| !**used).count() as u64 * superblock.cluster_bytes;
            return Err(self.error(Der::NOSPACE, format!("{id} of {bytes} bytes does not fit: {free} bytes are free")));
        };
        let mut table = state.table.clone();
        table.blobs.insert((id.pool, id.target), runs);
        self.commit(&mut state, table)
    }

    /// Deletes a blob, durably; absent is no error. Handles to it refuse further requests; its clusters are reused
    /// when the last request in flight is done.
    ///
    /// # Errors
    /// `IO`.
    pub fn delete_blob(&self, id: BlobId) -> Result<()> {
        let mut state = self.state();
        let mut table = state.table.clone();
        if table.blobs.remove(&(id.pool, id.target)).is_none() {
            return Ok(());
        }
        self.commit(&mut state, table)?;
        let open = std::mem::take(&mut state.open);
        for (other, extents) in open {
            match extents.upgrade() {
                Some(strong) if other == id => {
                    strong.deleted.store(true, std::sync::atomic::Ordering::Release);
                    state.dying.push(extents);
                }
                Some(_) => state.open.push((other, extents)),
                None => {}
            }
        }
        Ok(())
    }

    /// The blobs and their sizes in bytes.
    pub fn blobs(&self) -> Vec<(BlobId, u64)> {
        let cluster = self.shared.superblock.cluster_bytes;
        self.state().table.sizes().map(|(id, clusters)| (id, clusters * cluster)).collect()
    }

    /// All and free bytes.
    pub fn space(&self) -> (u64, u64) {
        let Superblock { cluster_bytes, clusters, .. } = self.shared.superblock;
        let free = self.state().used(clusters).iter().filter(|used| !**used).count() as u64;
        (clusters * cluster_bytes, free * cluster_bytes)
    }

    /// Bytes of a cluster: sizes of blobs are multiples of it.
    pub fn cluster_bytes(&self) -> u64 {
        self.shared.superblock.cluster_bytes
    }

    /// Opens a blob on this thread.
    ///
    /// # Errors
    /// `NONEXIST`.
    pub fn blob(&self, id: BlobId, ring: &Ring) -> Result<Blob> {
        let mut state = self.state();
        state.open.retain(|(_, extents)| extents.strong_count() > 0);
        let known = state.open.iter().find(|(other, _)| *other == id).and_then(|(_, extents)| extents.upgrade());
        let extents = match known {
            Some(extents) => extents,
            None => {
                let none = || self.error(Der::NONEXIST, format!("{id} does not exist"));
                let runs = state.table.blobs.get(&(id.pool, id.target)).ok_or_else(none)?.clone();
                let extents = Arc::new(Extents { id, runs, deleted: false.into() });
                state.open.push((id, Arc::downgrade(&extents)));
                extents
            }
        };
        drop(state);
        Ok(Blob::new(Arc::clone(&self.shared), extents, ring))
    }

    /// Stores a new table in the copy not in force, then puts it in force.
    fn commit(&self, state: &mut State, mut table: Table) -> Result<()> {
        table.sequence = state.table.sequence + 1;
        let Shared { file, superblock, .. } = &*self.shared;
        write_table(file, superblock, &table).map_err(|error| error.at(format!("data device {}", self.name())))?;
        state.table = table;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is changed only by assignments that cannot panic halfway.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        self.shared.path.display().to_string()
    }

    fn error(&self, code: Der, text: String) -> Error {
        Error::new(code, text).at(format!("data device {}", self.name()))
    }
}

impl State {
    fn used(&mut self, clusters: u64) -> Vec<bool> {
        let mut used = self.table.used(clusters);
        self.dying.retain(|extents| extents.strong_count() > 0);
        for extents in self.dying.iter().filter_map(Weak::upgrade) {
            extents.runs.iter().for_each(|run| mark(&mut used, run));
        }
        used
    }
}

impl std::fmt::Display for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "blob of pool {} target {}", self.pool, self.target)
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({})", self.name())
    }
}

/// Opens for O_DIRECT; without it where the file system has none (some in-memory ones), which loses speed only.
fn open_direct(path: &Path, create: bool) -> Result<File> {
    let options = |flags| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).truncate(false).mode(0o600).custom_flags(flags);
        options
    };
    let direct = rustix::fs::OFlags::DIRECT.bits() as i32;
    match options(direct).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(options(0).open(path)?),
        other => Ok(other?),
    }
}

fn lock(file: &File) -> Result<()> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Der::BUSY,
                    "another engine has it open; stop that engine or use another device",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

fn device_bytes(mut file: &File) -> Result<u64> {
    Ok(file.seek(SeekFrom::End(0))?)
}

fn format_file(file: &File, bytes: u64, force: bool) -> Result<()> {
    let kind = file.metadata()?.file_type();
    let existing = device_bytes(file)?;
    if !force {
        refuse_data(file, existing)?;
    }
    let whole = if bytes == 0 { existing } else { bytes };
    let superblock = Superblock::plan(whole / BLOCK * BLOCK)?;
    if kind.is_block_device() {
        if existing < whole {
            return Err(Error::new(Der::NOSPACE, format!("the block device has {existing} of {whole} bytes")));
        }
    } else {
        file.set_len(superblock.device_bytes)?;
        reserve(file, superblock.device_bytes)?;
    }
    // The superblock goes last: before it is there, the device is not formatted.
    let blank = aligned(BLOCK as usize);
    write_all(file, &blank, 0)?;
    write_all(file, &blank, BLOCK)?;
    write_all(file, &blank, superblock.table_offset(1))?;
    write_table(file, &superblock, &Table::default())?;
    let mut block = aligned(BLOCK as usize);
    superblock.encode(&mut block);
    write_all(file, &block, BLOCK)?;
    file.sync_data()?;
    write_all(file, &block, 0)?;
    file.sync_all()?;
    Ok(())
}

fn refuse_data(file: &File, existing: u64) -> Result<()> {
    let mut front = aligned((64 << 10).min((existing / BLOCK * BLOCK) as usize).max(BLOCK as usize));
    let got = read_up_to(file, &mut front, 0)?;
    let front = &front[..got];
    let what = match () {
        () if Superblock::is_ours(front) => "it is formatted already",
        () if front.iter().any(|byte| *byte != 0) => "it holds data of something else",
        () => return Ok(()),
    };
    Err(Error::new(Der::EXIST, format!("{what}; formatting with force destroys its content")))
}

/// Allocates every byte of a file, so that later writes cannot run out of space.
fn reserve(file: &File, bytes: u64) -> Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        // A file system that cannot reserve: what is written is allocated.
        Err(rustix::io::Errno::OPNOTSUPP) => {
            let zeros = aligned(1 << 20);
            let mut at = 0;
            while at < bytes {
                let part = (bytes - at).min(zeros.len() as u64);
                write_all(file, &zeros[..part as usize], at)?;
                at += part;
            }
            Ok(())
        }
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

/// The first superblock, or the second where the first is damaged.
fn read_superblock(file: &File) -> Result<Superblock> {
    let mut blocks = aligned(2 * BLOCK as usize);
    let got = read_up_to(file, &mut blocks, 0)?;
    let (first, second) = blocks[..got].split_at(got.min(BLOCK as usize));
    match Superblock::decode(first) {
        Err(error) if error.code() == Der::DF_INVAL => Superblock::decode(second).map_err(|_| error),
        other => other,
    }
}

/// The newer of the valid table copies.
fn read_tables(file: &File, superblock: &Superblock) -> Result<Table> {
    let copies = [0, 1].map(|copy| {
        let mut bytes = aligned(superblock.table_bytes as usize);
        let got = read_up_to(file, &mut bytes, superblock.table_offset(copy))?;
        Table::decode(&bytes[..got], superblock)
    });
    match copies {
        [Ok(a), Ok(b)] => Ok(if a.sequence > b.sequence { a } else { b }),
        [Ok(table), Err(_)] | [Err(_), Ok(table)] => Ok(table),
        [Err(error), Err(_)] => Err(error.at("both copies of the blob table are unusable")),
    }
}

/// Writes a table to the copy its sequence number names, durably.
fn write_table(file: &File, superblock: &Superblock, table: &Table) -> Result<()> {
    let encoded = table.encode(superblock.uuid);
    if encoded.len() as u64 > superblock.table_bytes {
        return Err(Error::new(Der::NOSPACE, format!("blob table of {} bytes is full", superblock.table_bytes)));
    }
    let mut block = aligned(encoded.len());
    block[..encoded.len()].copy_from_slice(&encoded);
    write_all(file, &block, superblock.table_offset((table.sequence % 2) as usize))?;
    Ok(file.sync_data()?)
}

/// Zeroed aligned memory, at least `bytes`, a multiple of a block.
fn aligned(bytes: usize) -> Buffer {
    // A pool of its own, so the memory is fresh.
    Rc::new(Pool::default()).buffer(bytes.next_multiple_of(BLOCK as usize))
}

fn write_all(file: &File, bytes: &[u8], offset: u64) -> Result<()> {
    Ok(file.write_all_at(bytes, offset)?)
}

/// Reads until the end of the file or the slice; how much.
fn read_up_to(file: &File, bytes: &mut [u8], offset: u64) -> Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match file.read_at(&mut bytes[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // O_DIRECT refuses to go on from an end of file inside a block.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput && done > 0 => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}
