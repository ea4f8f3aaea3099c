//! What the engine sees of VOS.

use crate::fetch::{Pin, fetch};
use crate::list::{Request, key_anchor, list};
use crate::store::{ContState, Inner, State};
use crate::update::{Punch, Reserved, reserve};
use crate::{arena, query, reclaim, update};
use daos_common::wire::object::{ListKind, ObjListReply, ObjQueryKeyReply};
use daos_common::{Der, Epoch, Iod, Recx, Result, UnitOid};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use uuid::Uuid;

/// The smallest arena in bytes.
pub const MIN_ARENA_BYTES: u64 = 16 << 20;

/// What survives what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// A commit survives the end of the process (class `ram`): stores go to a shared mapping, nothing is flushed.
    Process,
    /// A commit survives power loss (class `dcpm`): every commit is flushed through libpmem.
    Power,
}

/// How to make one target's store.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// The arena's file; must not exist.
    pub path: PathBuf,
    /// The pool.
    pub pool: Uuid,
    /// Size of the arena in bytes; at least 16 MiB.
    pub arena_bytes: u64,
    /// Size of the target's share of the data tier in bytes; 0 for none. The store allocates in units of 4 KiB
    /// from 0 to this; the caller maps them to a device.
    pub blob_bytes: u64,
    /// Values of more than this many bytes go to the data tier, if there is one and room on it (`data_thresh`).
    pub blob_threshold_bytes: u64,
    /// What a commit survives.
    pub durability: Durability,
}

/// Space in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Space {
    /// Arena, all and free. What updates under way and prepared transactions have reserved is not free.
    pub arena_total: u64,
    /// See `arena_total`.
    pub arena_free: u64,
    /// Data tier, all and free.
    pub blob_total: u64,
    /// See `blob_total`.
    pub blob_free: u64,
}

/// Where a run of bytes is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the arena: [`VosPool::bytes`], [`Update::bytes_mut`].
    Arena {
        /// Offset from the arena's start.
        offset: u64,
        /// Bytes.
        len: u64,
    },
    /// On the data tier. `offset` of a reservation is a multiple of 4096 and the space behind it is rounded up to 4096, so a
    /// writer may pad; a fetched piece may start anywhere in it.
    Blob {
        /// Offset in the target's share.
        offset: u64,
        /// Bytes.
        len: u64,
    },
    /// Nowhere: reads as zeros (fetch only).
    Hole {
        /// Bytes.
        len: u64,
    },
}

/// One akey's answer to a fetch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// Record size (array) or size of the value (single); 0: nothing there.
    pub size: u64,
    /// The requested bytes in order: the value, or the extents one after another, with holes.
    pub places: Vec<Place>,
    /// The parts of the requested extents that hold data, in order; empty for a single value.
    pub present: Vec<Recx>,
}

/// One target's store of one pool. Cheap to clone; not `Send`: it is opened and used on the target's thread.
#[derive(Clone)]
pub struct VosPool {
    inner: Rc<Inner>,
}

/// One container in it. Cheap to clone.
#[derive(Clone)]
pub struct VosCont {
    pub(crate) inner: Rc<Inner>,
    pub(crate) cont: Rc<ContState>,
}

/// A reserved update: space is taken, nothing is visible. Dropped without [`Update::commit`], the space returns.
pub struct Update<'a> {
    reserved: Reserved<'a>,
}

/// An answered fetch. Space it names stays unused by others while this lives.
pub struct Fetch {
    /// One per iod.
    pub iods: Vec<Fetched>,
    pin: Pin,
}

impl VosPool {
    /// Makes the store's file and opens it.
    ///
    /// # Errors
    /// `EXIST`: the file is there; `NOSPACE`: the file system or the size is too small; `IO`.
    pub fn create(config: &PoolConfig) -> Result<VosPool> {
        if config.arena_bytes < MIN_ARENA_BYTES {
            return Err(Der::NOSPACE.err(format!("an arena of {} bytes; at least 16 MiB a target", config.arena_bytes)));
        }
        VosPool::create_any_size(config)
    }

    /// Like [`VosPool::create`], also for the tiny arenas of tests.
    pub(crate) fn create_any_size(config: &PoolConfig) -> Result<VosPool> {
        Ok(VosPool::over(State::create(config)?))
    }

    #[cfg(test)]
    pub(crate) fn inner_for_tests(&self) -> &Inner {
        &self.inner
    }

    fn over(state: State) -> VosPool {
        let pool = state.arena.layout().pool;
        VosPool { inner: Rc::new(Inner { pool, state: RefCell::new(state) }) }
    }

    /// Opens a store and replays its log.
    ///
    /// # Errors
    /// `NONEXIST`; `DF_INVAL`: not a store, truncated, or damaged; `DF_INCOMPT`: another version of the format; `BUSY`: open elsewhere.
    pub fn open(path: &Path, durability: Durability) -> Result<VosPool> {
        let (arena, last_seq) = arena::Arena::open(path, durability)?;
        let state = State::over(arena, last_seq).map_err(|error| error.at(path.display()))?;
        Ok(VosPool::over(state))
    }

    /// The pool's UUID.
    pub fn pool(&self) -> Uuid {
        self.inner.pool
    }

    /// Space now.
    pub fn space(&self) -> Space {
        self.inner.state.borrow().report()
    }

    /// An epoch that every one ever committed here is at or below, also those of data that is gone; 0 in a new store.
    /// A clock that gives epochs to this store must be later than it, or new versions are hidden behind old ones.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub fn newest_epoch(&self) -> Result<Epoch> {
        self.inner.state.borrow().arena.newest_epoch()
    }

    /// Opens a container, making it if `create`.
    ///
    /// # Errors
    /// `NONEXIST`; `NOSPACE`.
    pub fn container(&self, cont: Uuid, create: bool) -> Result<VosCont> {
        Ok(VosCont { inner: Rc::clone(&self.inner), cont: reclaim::open(&self.inner, cont, create)? })
    }

    /// Makes a container unreachable; its space is freed by [`VosPool::reclaim`]. Absent is no error.
    ///
    /// # Errors
    /// `BUSY`: updates or fetches are under way.
    pub fn destroy_container(&self, cont: Uuid) -> Result<()> {
        reclaim::destroy(&self.inner, cont)
    }

    /// Frees what destroyed containers held, at most about `steps` nodes; `true` when nothing is left to free.
    ///
    /// # Errors
    /// `IO`; `DF_INVAL`.
    pub fn reclaim(&self, steps: usize) -> Result<bool> {
        reclaim::reclaim(&self.inner, steps)
    }

    /// The containers.
    pub fn containers(&self) -> Result<Vec<Uuid>> {
        reclaim::containers(&self.inner)
    }

    /// Bytes of an arena place, valid while the [`Fetch`] that named it lives; empty for a place that it didn't name.
    pub fn bytes<'a>(&'a self, fetch: &'a Fetch, place: Place) -> &'a [u8] {
        fetch.pin.bytes(place)
    }
}

impl VosCont {
    /// Checks the conditions in `flags` (`daos_common::flags::COND_*`) at `epoch`, and takes space for the data of
    /// `iods`. The update is at that epoch too, unless it is committed by [`Update::commit_at`].
    ///
    /// # Errors
    /// `EXIST`, `NONEXIST` by the conditions; `NOSPACE`; `INVAL`: empty key, integer key not of 8 bytes, overlapping
    /// or empty extents; `REC_SIZE`: record size that differs from the akey's; `NO_PERM`: single value and array in one
    /// akey; `CONT_NONEXIST`: destroyed since it was opened (this one from every call).
    pub fn reserve_update<'a>(
        &self,
        oid: UnitOid,
        epoch: Epoch,
        dkey: &'a [u8],
        flags: u64,
        iods: &'a [Iod],
    ) -> Result<Update<'a>> {
        Ok(Update { reserved: reserve(&self.inner, &self.cont, oid, epoch, dkey, flags, iods)? })
    }

    /// Finds the data of `iods` at `epoch`. Absent keys are holes of size 0 unless a condition in `flags` says NONEXIST.
    ///
    /// # Errors
    /// `NONEXIST` by the conditions; `INVAL`.
    pub fn fetch(&self, oid: UnitOid, epoch: Epoch, dkey: &[u8], flags: u64, iods: &[Iod]) -> Result<Fetch> {
        let (iods, pin) = fetch(&self.inner, &self.cont, oid, epoch, dkey, flags, iods)?;
        Ok(Fetch { iods, pin })
    }

    /// Punches the whole object (no dkeys), dkeys (no akeys), or akeys of the one dkey. Punching what isn't there is
    /// no error unless `flags` has COND_PUNCH.
    ///
    /// # Errors
    /// `NONEXIST`; `NOSPACE`; `INVAL`.
    pub fn punch(&self, oid: UnitOid, epoch: Epoch, dkeys: &[&[u8]], akeys: &[&[u8]], flags: u64) -> Result<()> {
        update::punch(&self.inner, &self.cont, epoch, &Punch { oid, dkeys, akeys, flags })
    }

    /// Lists at `epoch`, in tree order from `anchor` on.
    ///
    /// # Errors
    /// `INVAL`: an anchor not from here.
    #[allow(clippy::too_many_arguments)]
    pub fn list(
        &self,
        oid: UnitOid,
        epoch: Epoch,
        what: &ListKind,
        dkey: &[u8],
        anchor: &[u8],
        limit: u32,
        room_bytes: u64,
    ) -> Result<ObjListReply> {
        list(&self.inner, &self.cont, what, &Request { oid, epoch, dkey, anchor, limit, room_bytes })
    }

    /// The anchor at which a listing of dkeys (without `akey`), or of the akeys of `dkey`, begins at a key; behind it
    /// once the key is gone. `None`: there is nothing to list.
    ///
    /// # Errors
    /// `INVAL`: a bad key.
    pub fn key_anchor(&self, oid: UnitOid, dkey: &[u8], akey: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        key_anchor(&self.inner, &self.cont, oid, dkey, akey)
    }

    /// Largest or smallest keys and records at `epoch`; `what` are `DAOS_GET_*` bits.
    ///
    /// # Errors
    /// `INVAL`: the object's keys are not integers.
    pub fn query_key(
        &self,
        oid: UnitOid,
        epoch: Epoch,
        what: u64,
        dkey: &[u8],
        akey: &[u8],
    ) -> Result<ObjQueryKeyReply> {
        query::query_key(&self.inner, &self.cont, oid, epoch, what, dkey, akey)
    }

    /// Goes on with a pass that drops versions nobody can see, for about `budget` steps of at most 64 removals;
    /// `true` when the pass is complete.
    ///
    /// # Errors
    /// `NOSPACE`: not even the space kept for this is left; `DF_INVAL`.
    pub fn aggregate(&self, pass: &mut crate::Aggregation, budget: usize) -> Result<bool> {
        crate::aggregate::aggregate(&self.inner, &self.cont, pass, budget)
    }

    /// Goes on with a pass that drops versions later than an epoch, for about `budget` steps of at most 64 removals;
    /// `true` when the pass is complete. Nothing is written to the container meanwhile.
    ///
    /// # Errors
    /// As [`VosCont::aggregate`].
    pub fn discard(&self, pass: &mut crate::Discard, budget: usize) -> Result<bool> {
        crate::discard::discard(&self.inner, &self.cont, pass, budget)
    }
}

impl Update<'_> {
    /// Where the data of the iods goes, in order (arena and blob places only).
    pub fn places(&self) -> &[Place] {
        self.reserved.places()
    }

    /// The bytes of an arena place of this update, to fill; empty for any other place.
    pub fn bytes_mut(&mut self, place: Place) -> &mut [u8] {
        match place {
            Place::Arena { offset, len } => self.reserved.lease.bytes_mut(offset, len),
            Place::Blob { .. } | Place::Hole { .. } => &mut [],
        }
    }

    /// Makes the update visible and durable, all of it or nothing, at the epoch that it was reserved with.
    ///
    /// # Errors
    /// `NOSPACE`; `EXIST`, `NONEXIST`: a condition no longer holds; nothing is changed.
    pub fn commit(self) -> Result<()> {
        self.reserved.commit(None)
    }

    /// As [`Update::commit`], at an epoch that the caller chooses now that the data has come, so that no reader of an
    /// earlier moment has looked past it. The conditions are checked anew at it.
    ///
    /// # Errors
    /// As [`Update::commit`].
    pub fn commit_at(self, epoch: Epoch) -> Result<()> {
        self.reserved.commit(Some(epoch))
    }
}
