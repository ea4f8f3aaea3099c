//! The state of one open store: arena, free space, pins, caches.

use crate::arena::{Arena, BLOB_UNIT, Ranges, UNIT};
use crate::face::{Place, PoolConfig, Space as SpaceReport};
use crate::space::Space;
use crate::tx::{Pending, Room, Run};
use daos_common::{Der, Result};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use uuid::Uuid;

/// Where space is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tier {
    Arena,
    Blob,
}

impl Tier {
    /// Bytes of a unit.
    pub(crate) fn unit(self) -> u64 {
        match self {
            Tier::Arena => UNIT,
            Tier::Blob => BLOB_UNIT,
        }
    }
}

/// An open container, shared by its handles.
pub(crate) struct ContState {
    /// Offset of its record.
    pub(crate) record: u64,
    pub(crate) uuid: Uuid,
    /// Destroyed: every call fails.
    pub(crate) dead: Cell<bool>,
    /// Updates and fetches under way.
    pub(crate) in_flight: Cell<u64>,
}

/// The lists of an update; kept between updates for their memory.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) places: Vec<Place>,
    pub(crate) runs: Vec<Run>,
    pub(crate) ranges: Ranges,
}

/// Lists of updates that are kept, and the places that one of them may have room for.
const LISTS: usize = 64;
const LIST_PLACES: usize = 1024;

/// Everything that changes.
pub(crate) struct State {
    pub(crate) arena: Arena,
    pub(crate) pending: Pending,
    lists: Vec<Lists>,
    space: Space,
    blob: Space,
    /// Units of the arena that only punches and what frees space may use.
    kept_units: u64,
    /// Space that prepared transactions will need, by the offset of their container's record.
    promises: HashMap<(u64, Uuid), Vec<Run>>,
    /// The last transaction.
    pub(crate) seq: u64,
    /// A commit failed on the medium.
    pub(crate) failed: bool,
    pub(crate) containers: HashMap<Uuid, Rc<ContState>>,
    /// Live fetches, oldest first: whether each still lives. The first has number `first_fetch`.
    fetches: VecDeque<bool>,
    first_fetch: u64,
    /// Freed runs that a fetch before the number may still read.
    retired: VecDeque<(u64, Run)>,
}

/// One open store.
pub(crate) struct Inner {
    pub(crate) pool: Uuid,
    pub(crate) state: RefCell<State>,
}

impl State {
    /// Makes a store.
    ///
    /// # Errors
    /// As [`crate::VosPool::create`].
    pub(crate) fn create(config: &PoolConfig) -> Result<State> {
        State::over(Arena::create(config)?, 0)
    }

    /// The state of an arena after recovery.
    pub(crate) fn over(arena: Arena, seq: u64) -> Result<State> {
        let layout = arena.layout().clone();
        let space = Space::load(&arena, layout.map_off, layout.map_units, 128)?;
        let blob = Space::load(&arena, layout.blob_map_off, layout.blob_units, 0)?;
        let kept_units = (layout.arena_bytes / 64).clamp(8 << 10, 4 << 20) / UNIT;
        let mut state = State {
            arena,
            pending: Pending::default(),
            lists: Vec::new(),
            space,
            blob,
            kept_units,
            promises: HashMap::new(),
            seq,
            failed: false,
            containers: HashMap::new(),
            fetches: VecDeque::new(),
            first_fetch: 0,
            retired: VecDeque::new(),
        };
        crate::reclaim::promise_all(&mut state);
        Ok(state)
    }

    /// Empty lists for an update.
    pub(crate) fn take_lists(&mut self) -> Lists {
        self.lists.pop().unwrap_or_default()
    }

    /// Takes lists back.
    pub(crate) fn give_lists(&mut self, mut lists: Lists) {
        if self.lists.len() < LISTS && lists.places.capacity() <= LIST_PLACES {
            lists.places.clear();
            lists.runs.clear();
            self.lists.push(lists);
        }
    }

    /// Units of the arena that a transaction leaves free.
    pub(crate) fn kept(&self, room: Room) -> u64 {
        match room {
            Room::Ordinary => self.kept_units,
            Room::Kept => 0,
        }
    }

    /// Holds runs that are reserved for a prepared transaction of a container.
    pub(crate) fn promise(&mut self, cont: u64, tx: Uuid, runs: Vec<Run>) {
        let before = self.promises.insert((cont, tx), runs);
        before.into_iter().flatten().for_each(|run| self.give(run));
    }

    /// Frees what is held for a prepared transaction; the runs, which [`State::promise_again`] takes.
    pub(crate) fn release(&mut self, cont: u64, tx: Uuid) -> Vec<Run> {
        let runs = self.promises.remove(&(cont, tx)).unwrap_or_default();
        runs.iter().for_each(|run| self.give(*run));
        runs
    }

    /// Holds runs that were held before and that nobody has taken since.
    pub(crate) fn promise_again(&mut self, cont: u64, tx: Uuid, mut runs: Vec<Run>) {
        self.space.join();
        let promised = runs.len();
        runs.retain(|run| self.space.claim(run.unit, run.units));
        if runs.len() < promised {
            tracing::error!("of {promised} runs of space for prepared transaction {tx}, {} are left", runs.len());
        }
        self.promise(cont, tx, runs);
    }

    /// Frees what is held for prepared transactions of a container.
    pub(crate) fn release_all(&mut self, cont: u64) {
        let of_cont: Vec<Uuid> = self.promises.keys().filter(|key| key.0 == cont).map(|key| key.1).collect();
        of_cont.into_iter().for_each(|tx| drop(self.release(cont, tx)));
    }

    /// Takes space for `len` bytes of a tier, leaving `keep` units.
    ///
    /// # Errors
    /// `NOSPACE`.
    #[inline]
    pub(crate) fn reserve(&mut self, tier: Tier, len: u64, keep: u64) -> Result<Run> {
        let units = len.div_ceil(tier.unit());
        let space = match tier {
            Tier::Arena => &mut self.space,
            Tier::Blob => &mut self.blob,
        };
        match space.take(units, keep) {
            Some(unit) => Ok(Run { tier, unit, units }),
            None => Err(full(tier, len, space.free_units() * tier.unit())),
        }
    }

    /// Free bytes of a tier, in whatever pieces.
    pub(crate) fn free_bytes(&self, tier: Tier) -> u64 {
        let space = if tier == Tier::Arena { &self.space } else { &self.blob };
        space.free_units() * tier.unit()
    }

    /// Gives a run back that nothing reads.
    pub(crate) fn give(&mut self, run: Run) {
        match run.tier {
            Tier::Arena => self.space.give(run.unit, run.units),
            Tier::Blob => self.blob.give(run.unit, run.units),
        }
    }

    /// Gives a run back once the fetches that live now are gone.
    pub(crate) fn retire(&mut self, run: Run) {
        if self.fetches.is_empty() {
            self.give(run);
        } else {
            self.retired.push_back((self.first_fetch + self.fetches.len() as u64, run));
        }
    }

    /// Registers a fetch; its number.
    pub(crate) fn pin(&mut self) -> u64 {
        self.fetches.push_back(true);
        self.first_fetch + self.fetches.len() as u64 - 1
    }

    /// Ends a fetch.
    pub(crate) fn unpin(&mut self, number: u64) {
        if let Some(lives) = self.fetches.get_mut((number - self.first_fetch) as usize) {
            *lives = false;
        }
        while self.fetches.front() == Some(&false) {
            self.fetches.pop_front();
            self.first_fetch += 1;
        }
        let oldest = self.first_fetch;
        let none = self.fetches.is_empty();
        while let Some(&(before, run)) = self.retired.front() {
            if !none && before > oldest {
                break;
            }
            self.retired.pop_front();
            self.give(run);
        }
    }

    /// Space now.
    pub(crate) fn report(&self) -> SpaceReport {
        SpaceReport {
            arena_total: self.space.units() * UNIT,
            arena_free: self.space.free_units() * UNIT,
            blob_total: self.blob.units() * BLOB_UNIT,
            blob_free: self.blob.free_units() * BLOB_UNIT,
        }
    }
}

#[cold]
fn full(tier: Tier, len: u64, free: u64) -> daos_common::Error {
    let tier = match tier {
        Tier::Arena => "first tier",
        Tier::Blob => "data tier",
    };
    Der::NOSPACE.err(format!(
        "the target's {tier} has no {len} bytes in a row ({free} free in all); delete data or make a larger pool"
    ))
}
