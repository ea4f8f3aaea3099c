//! Aggregation: dropping versions that no reader can see any more.
//!
//! A pass over a container goes key by key in small transactions, so that requests get in between. It drops single
//! values that a newer one or a punch hides, extents that are hidden whole, punches older than a newer one, and keys
//! with nothing left. An extent that is hidden in part is cut to what shows, in place: its data does not move, and whole
//! units around and between the parts are freed.

use crate::arena::Mem;
use crate::extent::{self, Query};
use crate::record::{self, Record, Version, free_record, object_of, punched};
use crate::store::{ContState, Inner, State};
use crate::transactions::{oldest_prepared, set_aggregated_to};
use crate::tree::{Cursor, ExtentTree, KeyTree, Probe, Words};
use crate::tx::{Room, Tx, set_record_word};
use daos_common::ids::KeyOrder;
use daos_common::{Epoch, IodKind, Result};
use std::ops::RangeInclusive;

/// Removals in one transaction.
const BATCH: usize = 64;
/// Extents looked at in one step.
const LOOK: usize = 256;

/// How far a pass has come: make a new one for each pass.
#[derive(Clone, Debug)]
pub struct Aggregation {
    epochs: RangeInclusive<Epoch>,
    begun: bool,
    /// Objects written at or before this and not later have been looked at by an earlier pass.
    since: Epoch,
    object_done: Option<Words>,
    /// Of the object at the offset.
    dkey_done: Option<(u64, Done)>,
    /// Of the dkey at the offset.
    akey_done: Option<(u64, Done)>,
    /// Of the akey at the offset: the last extent looked at.
    extent_done: Option<(u64, Words)>,
}

/// Which key a pass has come to.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) words: Words,
    pub(crate) key: Vec<u8>,
}

impl Aggregation {
    /// A pass over versions of `epochs`. The caller knows that nobody reads at an epoch in it other than its last, and
    /// that nothing is written any more at or below its last.
    pub fn new(epochs: RangeInclusive<Epoch>) -> Aggregation {
        Aggregation {
            epochs,
            begun: false,
            since: 0,
            object_done: None,
            dkey_done: None,
            akey_done: None,
            extent_done: None,
        }
    }

    /// Passes over objects that nothing was written to after `since`. The caller knows that a pass over a range that
    /// began like this one's was completed up to there.
    pub fn since(self, since: Epoch) -> Aggregation {
        Aggregation { since, ..self }
    }

    /// The last epoch of the pass once it has begun: earlier than it was asked for when a transaction was prepared before
    /// that. The next pass goes on from here.
    pub fn last(&self) -> Epoch {
        *self.epochs.end()
    }
}

/// A key or object below a record.
pub(crate) struct Child {
    pub(crate) cursor: Cursor,
    pub(crate) done: Done,
    pub(crate) record: Record,
}

/// The first child of a tree behind `done`.
pub(crate) fn next_child(mem: &impl Mem, root: u64, order: KeyOrder, done: Option<&Done>) -> Result<Option<Child>> {
    let cursor = match done {
        None => KeyTree::first(mem, root)?,
        Some(done) => {
            let bytes = (order == KeyOrder::Lexical).then_some(&done.key[..]);
            KeyTree::seek_above(mem, root, &Probe { words: done.words, bytes })?
        }
    };
    let Some(cursor) = cursor else { return Ok(None) };
    let entry = KeyTree::entry(mem, &cursor)?;
    let key = if order == KeyOrder::Lexical { record::key_bytes(mem, entry[3])?.to_vec() } else { Vec::new() };
    let done = Done { words: [entry[0], entry[1], entry[2]], key };
    Ok(Some(Child { cursor, done, record: Record::read(mem, entry[3])? }))
}

/// Goes on with a pass for about `budget` steps; `true` when it is complete.
///
/// # Errors
/// As [`crate::VosCont::aggregate`].
pub(crate) fn aggregate(inner: &Inner, cont: &ContState, pass: &mut Aggregation, budget: usize) -> Result<bool> {
    cont.check_alive()?;
    let mut state = inner.state.borrow_mut();
    if !pass.begun && !pass.begin(&mut state, cont)? {
        return Ok(true);
    }
    for _ in 0..budget {
        if pass.step(&mut state, cont)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Aggregation {
    /// Stays before prepared transactions, and says durably how far the pass goes; `false` when nothing is left to do.
    fn begin(&mut self, state: &mut State, cont: &ContState) -> Result<bool> {
        if let Some(prepared) = oldest_prepared(&state.arena, cont)?.filter(|epoch| *epoch <= self.last()) {
            self.epochs = *self.epochs.start()..=prepared.saturating_sub(1);
        }
        self.begun = true;
        if self.epochs.is_empty() {
            return Ok(false);
        }
        let mut tx = Tx::begin(state, Room::Kept)?;
        set_aggregated_to(&mut tx, cont, self.last())?;
        tx.commit()?;
        Ok(true)
    }

    /// One step: a part of an akey, or the end of a key.
    fn step(&mut self, state: &mut State, cont: &ContState) -> Result<bool> {
        let mem = &state.arena;
        let objects = Record::read(mem, cont.record)?;
        let after = self.object_done.map(|words| Done { words, key: Vec::new() });
        let Some(object) = next_child(mem, objects.root, KeyOrder::Hashed, after.as_ref())? else { return Ok(true) };
        if object.record.extra <= self.since {
            self.object_done = Some(object.done.words);
            return Ok(false);
        }
        let oid = object_of(object.done.words).oid;
        let floor = punched(mem, &object.record, self.last(), Version::default())?;
        let after = self.dkey_done.as_ref().filter(|done| done.0 == object.record.off).map(|done| &done.1);
        let Some(dkey) = next_child(mem, object.record.root, oid.dkey_order(), after)? else {
            if self.finish(state, &objects, &object, 0)? {
                self.object_done = Some(object.done.words);
                self.dkey_done = None;
            }
            return Ok(false);
        };
        let floor = punched(mem, &dkey.record, self.last(), floor)?;
        let after = self.akey_done.as_ref().filter(|done| done.0 == dkey.record.off).map(|done| &done.1);
        let Some(akey) = next_child(mem, dkey.record.root, oid.akey_order(), after)? else {
            if self.finish(state, &object.record, &dkey, dkey.record.key_len())? {
                self.dkey_done = Some((object.record.off, dkey.done));
                self.akey_done = None;
            }
            return Ok(false);
        };
        let floor = punched(mem, &akey.record, self.last(), floor)?;
        let complete = match akey.record.kind() {
            Some(IodKind::Array) => self.extents(state, &akey.record, floor)?,
            _ => self.values(state, &akey.record, floor)?,
        };
        if complete {
            let akey = Child { record: Record::read(&state.arena, akey.record.off)?, ..akey };
            if self.finish(state, &dkey.record, &akey, akey.record.key_len())? {
                self.akey_done = Some((dkey.record.off, akey.done));
                self.extent_done = None;
            }
        }
        Ok(false)
    }

    /// The first version in the range that is below `newest`.
    fn superseded(&self, mem: &impl Mem, root: u64, newest: Version) -> Result<Option<(Cursor, u64)>> {
        let Some(cursor) = KeyTree::seek(mem, root, &Probe::exact([*self.epochs.start(), 0, 0]))? else {
            return Ok(None);
        };
        let entry = KeyTree::entry(mem, &cursor)?;
        let version = Version { epoch: entry[0], seq: entry[1] };
        Ok((entry[0] <= self.last() && version < newest).then_some((cursor, entry[3])))
    }

    /// Drops hidden single values; `true` when none is left.
    fn values(&self, state: &mut State, akey: &Record, floor: Version) -> Result<bool> {
        let all = Version { epoch: self.last(), seq: u64::MAX };
        let mut newest = match record::newest_value(&state.arena, akey.root, self.last(), floor)? {
            Some((version, _)) => version,
            // All are punched.
            None => all,
        };
        // A punch that hides nothing is nothing.
        let before = |cursor: Option<Cursor>| cursor.map(|at| KeyTree::entry(&state.arena, &at)).transpose();
        if let Some(first) = before(KeyTree::first(&state.arena, akey.root)?)?
            && first[3] == 0
            && (first[0], first[1]) == (newest.epoch, newest.seq)
        {
            newest = all;
        }
        if self.superseded(&state.arena, akey.root, newest)?.is_none() {
            return Ok(true);
        }
        let mut tx = Tx::begin(state, Room::Kept)?;
        let mut root = akey.root;
        let mut removed = 0;
        while removed < BATCH
            && let Some((cursor, value)) = self.superseded(&tx, root, newest)?
        {
            KeyTree::remove(&mut tx, &mut root, &cursor)?;
            if value != 0 {
                record::Value::read(&tx, value)?.free(&mut tx);
            }
            removed += 1;
        }
        set_record_word(&mut tx, akey.off, Record::ROOT, root)?;
        tx.commit()?;
        Ok(false)
    }

    /// Looks at some extents, drops the hidden ones and cuts those hidden in part; `true` when all were looked at.
    fn extents(&mut self, state: &mut State, akey: &Record, floor: Version) -> Result<bool> {
        let mem = &state.arena;
        let begin = self.extent_done.filter(|done| done.0 == akey.off).map_or([0; 3], |done| done.1);
        let mut cursor = ExtentTree::seek_above(mem, akey.root, &Probe::exact(begin))?;
        let (mut hidden, mut cuts) = (Vec::new(), Vec::new());
        let mut last = begin;
        for _ in 0..LOOK {
            let Some(at) = &mut cursor else { break };
            let entry = ExtentTree::entry(mem, at)?;
            last = [entry[0], entry[1], entry[2]];
            let version = Version { epoch: !entry[1], seq: !entry[2] };
            let query = Query { lo: entry[0], hi: entry[4], epoch: self.last(), floor, limit: usize::MAX };
            if self.epochs.contains(&version.epoch) {
                let shown = extent::shown(mem, akey.root, &query, version)?;
                let parts = extent::kept_parts(&entry, &shown, akey.extra)?;
                if shown.is_empty() {
                    hidden.push(entry);
                } else if parts != [(entry[0], entry[4])] {
                    cuts.push((entry, parts));
                }
            }
            if !ExtentTree::advance(mem, at)? {
                cursor = None;
            }
            if hidden.len() + cuts.len() >= BATCH {
                break;
            }
        }
        self.extent_done = Some((akey.off, last));
        if !hidden.is_empty() || !cuts.is_empty() {
            let mut tx = Tx::begin(state, Room::Kept)?;
            let mut root = akey.root;
            for entry in &hidden {
                let probe = Probe::exact([entry[0], entry[1], entry[2]]);
                if let Some(cursor) = ExtentTree::seek(&tx, root, &probe)? {
                    ExtentTree::remove(&mut tx, &mut root, &cursor)?;
                }
            }
            extent::free_entries(&mut tx, &hidden, akey.extra);
            for (entry, parts) in &cuts {
                extent::cut(&mut tx, &mut root, entry, parts, akey.extra)?;
            }
            set_record_word(&mut tx, akey.off, Record::ROOT, root)?;
            tx.commit()?;
        }
        Ok(cursor.is_none())
    }

    /// Drops punches of a key that a newer one makes needless, then the key if nothing is left; `true` when done.
    fn finish(&self, state: &mut State, parent: &Record, child: &Child, key_len: u64) -> Result<bool> {
        let mem = &state.arena;
        let punch = punched(mem, &child.record, self.last(), Version::default())?;
        let needless = self.superseded(mem, child.record.punches, punch)?.is_some();
        let at = |cursor: Option<Cursor>| cursor.map(|at| KeyTree::entry(mem, &at)).transpose();
        let first = at(KeyTree::first(mem, child.record.punches)?)?;
        let last = at(KeyTree::last(mem, child.record.punches)?)?;
        let inside = [first, last].into_iter().flatten().all(|entry| self.epochs.contains(&entry[0]));
        let gone = child.record.root == 0 && inside;
        if !needless && !gone {
            return Ok(true);
        }
        let mut tx = Tx::begin(state, Room::Kept)?;
        let mut punches = child.record.punches;
        let mut removed = 0;
        while removed < BATCH
            && let Some((cursor, _)) = self.superseded(&tx, punches, punch)?
        {
            KeyTree::remove(&mut tx, &mut punches, &cursor)?;
            removed += 1;
        }
        let complete = removed < BATCH;
        if complete && gone {
            KeyTree::pop_leaf(&mut tx, &mut punches)?;
            let mut root = parent.root;
            KeyTree::remove(&mut tx, &mut root, &child.cursor)?;
            set_record_word(&mut tx, parent.off, Record::ROOT, root)?;
            free_record(&mut tx, &child.record, key_len);
        } else {
            set_record_word(&mut tx, child.record.off, Record::PUNCHES, punches)?;
        }
        tx.commit()?;
        Ok(complete)
    }
}
