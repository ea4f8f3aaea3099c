//! Containers: open, destroy, and freeing what destroyed ones held, a few nodes a transaction.
//!
//! | offset | field of the root block |
//! |---|---|
//! | 0 | containers |
//! | 8 | first destroyed container |

use crate::arena::{Mem, set_word, word};
use crate::extent::free_entries;
use crate::record::{self, Record, Value, container_words, free_record, make_record};
use crate::store::{ContState, Inner, State};
use crate::transactions::{TAIL_BYTES, promised, reclaim_entries};
use crate::tree::{Cursor, ExtentTree, KeyTree, Probe};
use crate::tx::{Room, Tx, set_record_word};
use daos_common::{Der, IodKind, Result};
use std::cell::Cell;
use std::rc::Rc;
use uuid::Uuid;

const ROOT_BYTES: u64 = 64;
const CONTAINERS: usize = 0;
const DESTROYED: usize = 8;

fn root_word(mem: &impl Mem, off: u64, at: usize) -> Result<u64> {
    Ok(word(mem.view(off, ROOT_BYTES)?, at))
}

fn set_root_word(tx: &mut Tx<'_>, off: u64, at: usize, value: u64) -> Result<()> {
    set_word(tx.block_mut(off, ROOT_BYTES)?, at, value);
    Ok(())
}

fn find(mem: &impl Mem, root: u64, cont: Uuid) -> Result<Option<(Cursor, u64)>> {
    let words = container_words(cont);
    let Some(cursor) = KeyTree::seek(mem, root, &Probe::exact(words))? else { return Ok(None) };
    let entry = KeyTree::entry(mem, &cursor)?;
    Ok((entry[..3] == words).then_some((cursor, entry[3])))
}

/// Opens a container.
///
/// # Errors
/// As [`crate::VosPool::container`].
pub(crate) fn open(inner: &Inner, cont: Uuid, create: bool) -> Result<Rc<ContState>> {
    let mut state = inner.state.borrow_mut();
    if let Some(open) = state.containers.get(&cont) {
        return Ok(Rc::clone(open));
    }
    let root_off = state.arena.layout().root_off();
    let mut root = root_word(&state.arena, root_off, CONTAINERS)?;
    let record = match find(&state.arena, root, cont)? {
        Some((_, record)) => record,
        None if !create => return Err(Der::NONEXIST.err(format!("container {cont} is not on this target"))),
        None => {
            let mut tx = Tx::begin(&mut state, Room::Ordinary)?;
            let words = container_words(cont);
            let record = make_record(&mut tx, [words[0], words[1], 0, 0], &[0; TAIL_BYTES as usize])?;
            let before = root;
            let entry = [words[0], words[1], words[2], record];
            KeyTree::insert(&mut tx, &mut root, &Probe::exact(words), entry)?;
            if root != before {
                set_root_word(&mut tx, root_off, CONTAINERS, root)?;
            }
            tx.commit()?;
            record
        }
    };
    let open = Rc::new(ContState { record, uuid: cont, dead: Cell::new(false), in_flight: Cell::new(0) });
    state.containers.insert(cont, Rc::clone(&open));
    Ok(open)
}

/// All containers.
///
/// # Errors
/// `DF_INVAL`.
pub(crate) fn containers(inner: &Inner) -> Result<Vec<Uuid>> {
    let state = inner.state.borrow();
    let root = root_word(&state.arena, state.arena.layout().root_off(), CONTAINERS)?;
    let mut all = Vec::new();
    let mut cursor = KeyTree::first(&state.arena, root)?;
    while let Some(at) = &mut cursor {
        let entry = KeyTree::entry(&state.arena, at)?;
        all.push(Uuid::from_u64_pair(entry[0], entry[1]));
        if !KeyTree::advance(&state.arena, at)? {
            break;
        }
    }
    Ok(all)
}

/// Holds the space of prepared transactions again, after the store was opened. What can't be read is left to those who
/// need it.
pub(crate) fn promise_all(state: &mut State) {
    let mut promises = Vec::new();
    let mut collect = || -> Result<()> {
        let root = root_word(&state.arena, state.arena.layout().root_off(), CONTAINERS)?;
        let mut cursor = KeyTree::first(&state.arena, root)?;
        while let Some(at) = &mut cursor {
            let record = KeyTree::entry(&state.arena, at)?[3];
            promised(&state.arena, record, |tx, runs| promises.push((record, tx, runs)))?;
            if !KeyTree::advance(&state.arena, at)? {
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = collect() {
        tracing::error!("prepared transactions of a store, whose space is not all kept: {error}");
    }
    for (record, tx, runs) in promises {
        state.promise_again(record, tx, runs);
    }
}

/// Makes a container unreachable.
///
/// # Errors
/// As [`crate::VosPool::destroy_container`].
pub(crate) fn destroy(inner: &Inner, cont: Uuid) -> Result<()> {
    let mut state = inner.state.borrow_mut();
    if let Some(open) = state.containers.get(&cont)
        && open.in_flight.get() != 0
    {
        return Err(Der::BUSY.err(format!("container {cont} has {} calls under way", open.in_flight.get())));
    }
    let root_off = state.arena.layout().root_off();
    let mut root = root_word(&state.arena, root_off, CONTAINERS)?;
    let Some((cursor, record)) = find(&state.arena, root, cont)? else { return Ok(()) };
    let mut tx = Tx::begin(&mut state, Room::Kept)?;
    KeyTree::remove(&mut tx, &mut root, &cursor)?;
    set_root_word(&mut tx, root_off, CONTAINERS, root)?;
    let next = root_word(&tx, root_off, DESTROYED)?;
    set_record_word(&mut tx, record, Record::EXTRA, next)?;
    set_root_word(&mut tx, root_off, DESTROYED, record)?;
    tx.commit()?;
    state.release_all(record);
    if let Some(open) = state.containers.remove(&cont) {
        open.dead.set(true);
    }
    Ok(())
}

/// Frees what destroyed containers held, in at most `steps` transactions of about a node each.
///
/// # Errors
/// As [`crate::VosPool::reclaim`].
pub(crate) fn reclaim(inner: &Inner, steps: usize) -> Result<bool> {
    let mut state = inner.state.borrow_mut();
    for _ in 0..steps {
        if !step(&mut state)? {
            return Ok(true);
        }
    }
    let root_off = state.arena.layout().root_off();
    Ok(root_word(&state.arena, root_off, DESTROYED)? == 0)
}

/// Frees one leaf or record of the first destroyed container; `false` when there is none.
fn step(state: &mut State) -> Result<bool> {
    let root_off = state.arena.layout().root_off();
    let cont = root_word(&state.arena, root_off, DESTROYED)?;
    if cont == 0 {
        return Ok(false);
    }
    let mut tx = Tx::begin(state, Room::Kept)?;
    let cont = Record::read(&tx, cont)?;
    if !reclaim_entries(&mut tx, cont.off)? && !step_below(&mut tx, &cont, 0)? {
        set_root_word(&mut tx, root_off, DESTROYED, cont.extra)?;
        free_record(&mut tx, &cont, TAIL_BYTES);
    }
    tx.commit()?;
    Ok(true)
}

/// Depth of the akeys, whose trees hold values.
const AKEYS: usize = 3;

/// Frees something below a record: of its first child, or that child; `false` when nothing is below.
fn step_below(tx: &mut Tx<'_>, record: &Record, depth: usize) -> Result<bool> {
    if depth > 0 && record.punches != 0 {
        let mut root = record.punches;
        KeyTree::pop_leaf(tx, &mut root)?;
        set_record_word(tx, record.off, Record::PUNCHES, root)?;
        return Ok(true);
    }
    if record.root == 0 {
        return Ok(false);
    }
    let mut root = record.root;
    if depth == AKEYS {
        pop_values(tx, record, &mut root)?;
        set_record_word(tx, record.off, Record::ROOT, root)?;
        return Ok(true);
    }
    let Some(cursor) = KeyTree::first(tx, root)? else { return Ok(false) };
    let child = Record::read(tx, KeyTree::entry(tx, &cursor)?[3])?;
    if step_below(tx, &child, depth + 1)? {
        return Ok(true);
    }
    KeyTree::remove(tx, &mut root, &cursor)?;
    if root != record.root {
        set_record_word(tx, record.off, Record::ROOT, root)?;
    }
    free_record(tx, &child, if depth == 0 { 0 } else { child.key_len() });
    Ok(true)
}

fn pop_values(tx: &mut Tx<'_>, akey: &Record, root: &mut u64) -> Result<()> {
    if akey.kind() == Some(IodKind::Array) {
        let entries = ExtentTree::pop_leaf(tx, root)?;
        free_entries(tx, &entries, akey.extra);
        return Ok(());
    }
    for entry in KeyTree::pop_leaf(tx, root)? {
        if entry[3] != 0 {
            record::sound_offset(entry[3])?;
            Value::read(tx, entry[3])?.free(tx);
        }
    }
    Ok(())
}
