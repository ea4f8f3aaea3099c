//! What a target keeps of distributed transactions, so that it outlives a crash.
//!
//! A participant keeps a *prepared* entry from its answer to the leader until it hears the outcome. The leader keeps a
//! *committed* entry, which comes to be in the same step as its own writes, until all participants have heard, or, where
//! there are none, until the client can't ask again. What is said in an entry's body is the caller's business.
//!
//! Entries hang under a container, in a tree by UUID. The container's record has a second half for them, which is a
//! record of its own:
//!
//! | word | behind the container's record |
//! |---|---|
//! | 0 | epoch that aggregation goes up to |
//! | 1 | 0 |
//! | 2 | entries: (UUID, UUID, 0) → offset of an entry |
//! | 3 | 0 |
//!
//! | word | entry |
//! |---|---|
//! | 0 | bytes of the body, state in the top 32 bits: 1 prepared, 2 committed |
//! | 1 | epoch |
//! | 2 | units of the arena that are promised to the writes |
//! | 3 | XXH3-64 of the body |
//!
//! The body follows the 32 bytes of an entry.
//!
//! An acknowledged prepare must not fail for space. What its writes will take is measured when it is prepared and stays
//! promised: other writes leave as much free, beyond what is kept for punches. The promise is of an amount, not of a place: a
//! value that needs more bytes in a row than there are can still find no room. Then the entry stays, and the commit can
//! be tried again.

use crate::VosCont;
use crate::apply::{Conditions, write_all};
use crate::arena::{Mem, damaged};
use crate::changes::{aggregated_to, validate};
use crate::record::{RECORD_BYTES, Record, container_words, make_record, sound_offset};
use crate::store::{ContState, State};
use crate::tree::{Cursor, KeyTree, Probe};
use crate::tx::{Room, Tx, set_record_word};
use daos_common::wire::tx::{TxRead, TxWrite};
use daos_common::{Der, Epoch, Result};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

/// Entries forgotten in one step.
const FORGOTTEN: usize = 256;

/// What is known of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TxState {
    /// It can be committed, and waits for the outcome.
    Prepared,
    /// Its writes stand.
    Committed,
}

/// An entry of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TxEntry {
    /// The transaction.
    pub tx: Uuid,
    /// Epoch of the prepare, or of the writes.
    pub epoch: Epoch,
    /// What is known of it.
    pub state: TxState,
    /// The caller's bytes.
    pub body: Vec<u8>,
}

impl VosCont {
    /// Tries `writes` at `epoch` as [`VosCont::try_writes`] does, promises them space, and keeps `body`, from which the
    /// caller can make them again. Durable when this returns. The epoch of the entry: `epoch`, or, when the same
    /// was prepared before, that of then.
    ///
    /// # Errors
    /// As [`VosCont::apply`]. `TX_RESTART`: `epoch` is not after what is aggregated. `TX_ID_REUSED`: there is an entry with
    /// another body. `ALREADY`: the transaction is committed.
    pub fn prepare(&self, tx: Uuid, epoch: Epoch, body: &[u8], writes: &[TxWrite]) -> Result<Epoch> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        if let Some((_, found)) = find(&state.arena, &self.cont, tx)? {
            return match found.state {
                TxState::Committed => Err(Der::ALREADY.err(format!("transaction {tx} is committed"))),
                TxState::Prepared if found.sum != xxh3_64(body) || found.len != body.len() as u64 => {
                    Err(Der::TX_ID_REUSED.err(format!("transaction {tx} is prepared with other contents")))
                }
                TxState::Prepared => Ok(found.epoch),
            };
        }
        check_epoch(&state.arena, &self.cont, epoch)?;
        let mut trial = Tx::begin(&mut state, Room::Ordinary)?;
        write_all(&mut trial, &self.cont, epoch, writes, Conditions::Check)?;
        let promised = trial.rehearse()?;
        let mut change = Tx::begin(&mut state, Room::Ordinary)?;
        change.leave(promised);
        change.note_epoch(epoch);
        put(&mut change, &self.cont, tx, &NewEntry { state: TxState::Prepared, epoch, promised, body })?;
        change.commit()?;
        state.promise(self.cont.record, promised);
        Ok(epoch)
    }

    /// Carries out the writes of a prepared transaction at `epoch` and forgets it, in one step; `false` when it isn't
    /// prepared here (any more). Conditions are not checked again.
    ///
    /// # Errors
    /// `NOSPACE`: no room in a row; `INVAL`: `epoch` is before the prepare's, or a bad write; `NO_PERM`, `REC_SIZE`: its keys
    /// were written meanwhile. The entry stays then.
    pub fn commit_prepared(&self, tx: Uuid, epoch: Epoch, writes: &[TxWrite]) -> Result<bool> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        let Some((cursor, found)) = find(&state.arena, &self.cont, tx)? else { return Ok(false) };
        if found.state == TxState::Committed {
            return Ok(false);
        }
        if epoch < found.epoch {
            return Err(Der::INVAL.err(format!("commit of {tx} at epoch {epoch}, prepared at {}", found.epoch)));
        }
        let mut change = Tx::begin(&mut state, Room::All)?;
        write_all(&mut change, &self.cont, epoch, writes, Conditions::Held)?;
        remove(&mut change, &self.cont, &cursor, &found)?;
        change.commit()?;
        state.release(self.cont.record, found.promised);
        Ok(true)
    }

    /// Forgets a prepared transaction; `false` when it isn't prepared here (any more).
    ///
    /// # Errors
    /// `ALREADY`: it is committed.
    pub fn abort_prepared(&self, tx: Uuid) -> Result<bool> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        let Some((cursor, found)) = find(&state.arena, &self.cont, tx)? else { return Ok(false) };
        if found.state == TxState::Committed {
            return Err(Der::ALREADY.err(format!("transaction {tx} is committed")));
        }
        let mut change = Tx::begin(&mut state, Room::All)?;
        remove(&mut change, &self.cont, &cursor, &found)?;
        change.commit()?;
        state.release(self.cont.record, found.promised);
        Ok(true)
    }

    /// Decides that a transaction commits: carries out `writes` at `epoch` and keeps a committed entry with `body`, in one
    /// step, durable when this returns. The epoch that it is committed at: `epoch`, or, when it was decided
    /// before, that of then.
    ///
    /// # Errors
    /// As [`VosCont::apply`]; `TX_RESTART`: `epoch` is not after what is aggregated.
    pub fn decide(&self, tx: Uuid, epoch: Epoch, body: &[u8], writes: &[TxWrite]) -> Result<Epoch> {
        self.validate_and_decide(tx, epoch, (0, &[]), body, writes)
    }

    /// As [`VosCont::decide`], if none of `reads` (the epoch of them, and what was read) has changed: the one step of a
    /// transaction with one participant, which may be asked for again.
    ///
    /// # Errors
    /// As [`VosCont::decide`]; `TX_RESTART` also if one has.
    pub fn validate_and_decide(
        &self,
        tx: Uuid,
        epoch: Epoch,
        reads: (Epoch, &[TxRead]),
        body: &[u8],
        writes: &[TxWrite],
    ) -> Result<Epoch> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        let before = find(&state.arena, &self.cont, tx)?;
        if let Some((_, found)) = before.as_ref().filter(|(_, found)| found.state == TxState::Committed) {
            return Ok(found.epoch);
        }
        check_epoch(&state.arena, &self.cont, epoch)?;
        validate(&state.arena, &self.cont, reads.0, reads.1)?;
        let room = if before.is_some() { Room::All } else { Room::Ordinary };
        let mut change = Tx::begin(&mut state, room)?;
        write_all(&mut change, &self.cont, epoch, writes, Conditions::Check)?;
        if let Some((cursor, found)) = &before {
            remove(&mut change, &self.cont, cursor, found)?;
        }
        put(&mut change, &self.cont, tx, &NewEntry { state: TxState::Committed, epoch, promised: 0, body })?;
        change.commit()?;
        if let Some((_, found)) = before {
            state.release(self.cont.record, found.promised);
        }
        Ok(epoch)
    }

    /// Forgets committed transactions; those that aren't here are no error.
    ///
    /// # Errors
    /// `INVAL`: one is prepared, and its outcome not known here.
    pub fn forget(&self, txs: &[Uuid]) -> Result<()> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        for some in txs.chunks(FORGOTTEN) {
            let mut change = Tx::begin(&mut state, Room::All)?;
            for tx in some {
                let Some((cursor, found)) = find(&change, &self.cont, *tx)? else { continue };
                if found.state == TxState::Prepared {
                    return Err(Der::INVAL.err(format!("transaction {tx} is prepared, not committed")));
                }
                remove(&mut change, &self.cont, &cursor, &found)?;
            }
            change.commit()?;
        }
        Ok(())
    }

    /// The entry of a transaction.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub fn outcome(&self, tx: Uuid) -> Result<Option<TxEntry>> {
        self.cont.check_alive()?;
        let state = self.inner.state.borrow();
        match find(&state.arena, &self.cont, tx)? {
            Some((_, found)) => Ok(Some(found.whole(&state.arena, tx)?)),
            None => Ok(None),
        }
    }

    /// All entries, by UUID.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub fn transactions(&self) -> Result<Vec<TxEntry>> {
        self.cont.check_alive()?;
        let state = self.inner.state.borrow();
        let mut all = Vec::new();
        each(&state.arena, self.cont.record, |tx, found| {
            all.push(found.whole(&state.arena, tx)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The earliest epoch that a transaction is prepared at: aggregation stays before it.
    ///
    /// # Errors
    /// `DF_INVAL`.
    pub fn oldest_prepared(&self) -> Result<Option<Epoch>> {
        self.cont.check_alive()?;
        oldest_prepared(&self.inner.state.borrow().arena, &self.cont)
    }
}

/// See [`VosCont::oldest_prepared`].
pub(crate) fn oldest_prepared(mem: &impl Mem, cont: &ContState) -> Result<Option<Epoch>> {
    let mut oldest: Option<Epoch> = None;
    each(mem, cont.record, |_, found| {
        if found.state == TxState::Prepared {
            oldest = Some(oldest.map_or(found.epoch, |epoch| epoch.min(found.epoch)));
        }
        Ok(())
    })?;
    Ok(oldest)
}

/// Bytes of the second half of a container's record.
pub(crate) const TAIL_BYTES: u64 = RECORD_BYTES;

/// The second half of the container's record at `cont`.
///
/// # Errors
/// `DF_INVAL`.
pub(crate) fn cont_tail(mem: &impl Mem, cont: u64) -> Result<Record> {
    Record::read(mem, cont.saturating_add(RECORD_BYTES))
}

/// Notes that aggregation goes up to `epoch`.
///
/// # Errors
/// `NOSPACE`: never in practice; `DF_INVAL`.
pub(crate) fn set_aggregated_to(tx: &mut Tx<'_>, cont: &ContState, epoch: Epoch) -> Result<()> {
    let tail = cont_tail(tx, cont.record)?;
    if tail.head < epoch { set_record_word(tx, tail.off, 0, epoch) } else { Ok(()) }
}

/// Frees some entries of the container at `cont`; `false` when it has none.
///
/// # Errors
/// `DF_INVAL`.
pub(crate) fn reclaim_entries(tx: &mut Tx<'_>, cont: u64) -> Result<bool> {
    let tail = cont_tail(tx, cont)?;
    if tail.root == 0 {
        return Ok(false);
    }
    let mut root = tail.root;
    for entry in KeyTree::pop_leaf(tx, &mut root)? {
        let found = Entry::read(tx, entry[3])?;
        tx.free(found.off, RECORD_BYTES + found.len);
    }
    set_record_word(tx, tail.off, Record::ROOT, root)?;
    Ok(true)
}

/// Promises anew what the prepared transactions of the container at `cont` need, after a store was opened.
///
/// # Errors
/// `DF_INVAL`.
pub(crate) fn promise_again(state: &mut State, cont: u64) -> Result<()> {
    let mut units = 0u64;
    each(&state.arena, cont, |_, found| {
        units = units.saturating_add(found.promised);
        Ok(())
    })?;
    if units != 0 {
        state.promise(cont, units);
    }
    Ok(())
}

/// An entry as found.
struct Entry {
    off: u64,
    len: u64,
    state: TxState,
    epoch: Epoch,
    promised: u64,
    sum: u64,
}

impl Entry {
    fn read(mem: &impl Mem, off: u64) -> Result<Entry> {
        sound_offset(off)?;
        let words = Record::read(mem, off)?;
        let state = match words.head >> 32 {
            1 => TxState::Prepared,
            2 => TxState::Committed,
            other => return Err(damaged(format!("a transaction in state {other}"))),
        };
        let (len, epoch, promised) = (words.key_len(), words.punches, words.root);
        Ok(Entry { off, len, state, epoch, promised, sum: words.extra })
    }

    fn whole(&self, mem: &impl Mem, tx: Uuid) -> Result<TxEntry> {
        let body = mem.view(self.off + RECORD_BYTES, self.len)?;
        if xxh3_64(body) != self.sum {
            return Err(damaged(format!("the body of transaction {tx} (checksum)")));
        }
        Ok(TxEntry { tx, epoch: self.epoch, state: self.state, body: body.to_vec() })
    }
}

struct NewEntry<'a> {
    state: TxState,
    epoch: Epoch,
    promised: u64,
    body: &'a [u8],
}

fn find(mem: &impl Mem, cont: &ContState, tx: Uuid) -> Result<Option<(Cursor, Entry)>> {
    let words = container_words(tx);
    let root = cont_tail(mem, cont.record)?.root;
    let Some(cursor) = KeyTree::seek(mem, root, &Probe::exact(words))? else { return Ok(None) };
    let entry = KeyTree::entry(mem, &cursor)?;
    if entry[..3] != words {
        return Ok(None);
    }
    Ok(Some((cursor, Entry::read(mem, entry[3])?)))
}

fn each(mem: &impl Mem, cont: u64, mut visit: impl FnMut(Uuid, &Entry) -> Result<()>) -> Result<()> {
    let mut cursor = KeyTree::first(mem, cont_tail(mem, cont)?.root)?;
    while let Some(at) = &mut cursor {
        let entry = KeyTree::entry(mem, at)?;
        visit(Uuid::from_u64_pair(entry[0], entry[1]), &Entry::read(mem, entry[3])?)?;
        if !KeyTree::advance(mem, at)? {
            break;
        }
    }
    Ok(())
}

fn put(change: &mut Tx<'_>, cont: &ContState, tx: Uuid, new: &NewEntry<'_>) -> Result<()> {
    let too_long = |_| Der::INVAL.err(format!("an entry of {} bytes for a transaction", new.body.len()));
    let len = u64::from(u32::try_from(new.body.len()).map_err(too_long)?);
    let code: u64 = if new.state == TxState::Prepared { 1 } else { 2 };
    let off = make_record(change, [len | code << 32, new.epoch, new.promised, xxh3_64(new.body)], new.body)?;
    let tail = cont_tail(change, cont.record)?;
    let mut root = tail.root;
    let words = container_words(tx);
    KeyTree::insert(change, &mut root, &Probe::exact(words), [words[0], words[1], words[2], off])?;
    if root != tail.root {
        set_record_word(change, tail.off, Record::ROOT, root)?;
    }
    Ok(())
}

fn remove(change: &mut Tx<'_>, cont: &ContState, cursor: &Cursor, entry: &Entry) -> Result<()> {
    let tail = cont_tail(change, cont.record)?;
    let mut root = tail.root;
    KeyTree::remove(change, &mut root, cursor)?;
    if root != tail.root {
        set_record_word(change, tail.off, Record::ROOT, root)?;
    }
    change.free(entry.off, RECORD_BYTES + entry.len);
    Ok(())
}

/// That aggregation does not go as far as `epoch`.
fn check_epoch(mem: &impl Mem, cont: &ContState, epoch: Epoch) -> Result<()> {
    let reached = aggregated_to(mem, cont)?;
    if epoch <= reached {
        let message = format!("a transaction at epoch {epoch}, where all up to {reached} is aggregated");
        return Err(Der::TX_RESTART.err(message));
    }
    Ok(())
}
