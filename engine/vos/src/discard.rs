//! Going back: dropping every version later than an epoch.
//!
//! A pass over a container goes key by key in small transactions, as aggregation does. Repeating it, whole or from
//! anywhere, changes nothing more, so that it may be interrupted at any point and begun again. Keys that have nothing
//! left go too.

use crate::aggregate::{Child, Done, next_child};
use crate::arena::Mem;
use crate::extent;
use crate::record::{self, Record, free_record, object_of};
use crate::store::{ContState, Inner, State};
use crate::transactions::set_aggregated_to;
use crate::tree::{ExtentTree, KeyTree, Probe, Words};
use crate::tx::{Room, Tx, set_record_word};
use daos_common::ids::KeyOrder;
use daos_common::{Epoch, IodKind, ObjectId, Result};

/// Removals in one transaction.
const BATCH: usize = 64;
/// Extents looked at in one step.
const LOOK: usize = 512;

/// How far a pass has come: make a new one for each pass.
#[derive(Clone, Debug)]
pub struct Discard {
    after: Epoch,
    keep: fn(ObjectId, Epoch) -> bool,
    begun: bool,
    object_done: Option<Words>,
    /// Of the object at the offset.
    dkey_done: Option<(u64, Done)>,
    /// Of the dkey at the offset.
    akey_done: Option<(u64, Done)>,
    /// Of the akey at the offset: the last extent looked at.
    extent_done: Option<(u64, Words)>,
}

impl Discard {
    /// A pass that drops versions later than `after`, but of objects that `keep` names (given the object and `after`).
    pub fn new(after: Epoch, keep: fn(ObjectId, Epoch) -> bool) -> Discard {
        Discard { after, keep, begun: false, object_done: None, dkey_done: None, akey_done: None, extent_done: None }
    }
}

/// Goes on with a pass for about `budget` steps; `true` when it is complete.
///
/// # Errors
/// As [`crate::VosCont::discard`].
pub(crate) fn discard(inner: &Inner, cont: &ContState, pass: &mut Discard, budget: usize) -> Result<bool> {
    cont.check_alive()?;
    let mut state = inner.state.borrow_mut();
    if !pass.begun {
        // A transaction that has read what goes now must not be told that nothing has changed.
        let newest = state.arena.newest_epoch()?;
        let mut tx = Tx::begin(&mut state, Room::Kept)?;
        set_aggregated_to(&mut tx, cont, newest)?;
        tx.commit()?;
        pass.begun = true;
    }
    for _ in 0..budget {
        if pass.step(&mut state, cont)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Discard {
    /// One step: a part of an akey, or the end of a key.
    fn step(&mut self, state: &mut State, cont: &ContState) -> Result<bool> {
        let mem = &state.arena;
        let objects = Record::read(mem, cont.record)?;
        let after = self.object_done.map(|words| Done { words, key: Vec::new() });
        let Some(object) = next_child(mem, objects.root, KeyOrder::Hashed, after.as_ref())? else { return Ok(true) };
        let oid = object_of(object.done.words).oid;
        if object.record.extra <= self.after || (self.keep)(oid, self.after) {
            self.object_done = Some(object.done.words);
            return Ok(false);
        }
        let after = self.dkey_done.as_ref().filter(|done| done.0 == object.record.off).map(|done| &done.1);
        let Some(dkey) = next_child(mem, object.record.root, oid.dkey_order(), after)? else {
            if self.finish(state, &objects, &object, 0, true)? {
                self.object_done = Some(object.done.words);
                self.dkey_done = None;
            }
            return Ok(false);
        };
        let after = self.akey_done.as_ref().filter(|done| done.0 == dkey.record.off).map(|done| &done.1);
        let Some(akey) = next_child(mem, dkey.record.root, oid.akey_order(), after)? else {
            if self.finish(state, &object.record, &dkey, dkey.record.key_len(), false)? {
                self.dkey_done = Some((object.record.off, dkey.done));
                self.akey_done = None;
            }
            return Ok(false);
        };
        let complete = match akey.record.kind() {
            Some(IodKind::Array) => self.extents(state, &akey.record)?,
            _ => self.values(state, &akey.record)?,
        };
        if complete {
            let akey = Child { record: Record::read(&state.arena, akey.record.off)?, ..akey };
            if self.finish(state, &dkey.record, &akey, akey.record.key_len(), false)? {
                self.akey_done = Some((dkey.record.off, akey.done));
                self.extent_done = None;
            }
        }
        Ok(false)
    }

    /// The first version after the epoch in a tree of versions.
    fn later(&self, mem: &impl Mem, root: u64) -> Result<Option<crate::tree::Cursor>> {
        match self.after.checked_add(1) {
            Some(first) => KeyTree::seek(mem, root, &Probe::exact([first, 0, 0])),
            None => Ok(None),
        }
    }

    /// Drops later single values; `true` when none is left.
    fn values(&self, state: &mut State, akey: &Record) -> Result<bool> {
        if self.later(&state.arena, akey.root)?.is_none() {
            return Ok(true);
        }
        let mut tx = Tx::begin(state, Room::Kept)?;
        let mut root = akey.root;
        for _ in 0..BATCH {
            let Some(cursor) = self.later(&tx, root)? else { break };
            let value = KeyTree::entry(&tx, &cursor)?[3];
            KeyTree::remove(&mut tx, &mut root, &cursor)?;
            if value != 0 {
                record::Value::read(&tx, value)?.free(&mut tx);
            }
        }
        set_record_word(&mut tx, akey.off, Record::ROOT, root)?;
        tx.commit()?;
        Ok(false)
    }

    /// Looks at some extents and drops the later ones; `true` when all were looked at.
    fn extents(&mut self, state: &mut State, akey: &Record) -> Result<bool> {
        let mem = &state.arena;
        let begin = self.extent_done.filter(|done| done.0 == akey.off).map_or([0; 3], |done| done.1);
        let mut cursor = ExtentTree::seek_above(mem, akey.root, &Probe::exact(begin))?;
        let (mut later, mut last) = (Vec::new(), begin);
        for _ in 0..LOOK {
            let Some(at) = &mut cursor else { break };
            let entry = ExtentTree::entry(mem, at)?;
            last = [entry[0], entry[1], entry[2]];
            if !entry[1] > self.after {
                later.push(entry);
            }
            if !ExtentTree::advance(mem, at)? {
                cursor = None;
            }
            if later.len() == BATCH {
                break;
            }
        }
        self.extent_done = Some((akey.off, last));
        if !later.is_empty() {
            let mut tx = Tx::begin(state, Room::Kept)?;
            let mut root = akey.root;
            for entry in &later {
                let probe = Probe::exact([entry[0], entry[1], entry[2]]);
                if let Some(cursor) = ExtentTree::seek(&tx, root, &probe)? {
                    ExtentTree::remove(&mut tx, &mut root, &cursor)?;
                }
            }
            extent::free_entries(&mut tx, &later, akey.extra);
            set_record_word(&mut tx, akey.off, Record::ROOT, root)?;
            tx.commit()?;
        }
        Ok(cursor.is_none())
    }

    /// Drops later punches of a key, then the key if nothing is left; `true` when done.
    fn finish(&self, state: &mut State, parent: &Record, child: &Child, key_len: u64, is_object: bool) -> Result<bool> {
        let child_record = &child.record;
        let none_later = self.later(&state.arena, child_record.punches)?.is_none();
        let empty = child_record.root == 0 && child_record.punches == 0;
        if none_later && !empty && !is_object {
            return Ok(true);
        }
        let mut tx = Tx::begin(state, Room::Kept)?;
        let mut punches = child_record.punches;
        for _ in 0..BATCH {
            let Some(cursor) = self.later(&tx, punches)? else { break };
            KeyTree::remove(&mut tx, &mut punches, &cursor)?;
        }
        let complete = self.later(&tx, punches)?.is_none();
        if complete && child_record.root == 0 && punches == 0 {
            let mut root = parent.root;
            KeyTree::remove(&mut tx, &mut root, &child.cursor)?;
            set_record_word(&mut tx, parent.off, Record::ROOT, root)?;
            free_record(&mut tx, child_record, key_len);
        } else {
            set_record_word(&mut tx, child_record.off, Record::PUNCHES, punches)?;
            if complete && is_object {
                // The newest epoch written at: from here on the object needs no other pass.
                set_record_word(&mut tx, child_record.off, Record::EXTRA, self.after)?;
            }
        }
        tx.commit()?;
        Ok(complete)
    }
}
