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
//! | 0 | bytes that follow, state in the top 32 bits: 1 prepared, 2 committed |
//! | 1 | epoch |
//! | 2 | number of runs |
//! | 3 | XXH3-64 of the 24 bytes before and of what follows |
//!
//! Behind the 32 bytes of an entry: the runs of space that are kept for its writes, each as first unit and units, and the
//! body.
//!
//! An acknowledged prepare must not fail for space. What its writes take is found out when it is prepared, and just
//! that stays reserved for it: free on the medium, but out of the index of free space (`store`). The entry names it, so that
//! it is reserved again when the store is opened. A commit that takes more all the same, since others changed the trees in
//! between, takes it from what is kept for punches; if that is not enough, the entry stays, and the commit can be
//! tried again.

use crate::VosCont;
use crate::apply::{Aim, write_all};
use crate::arena::{Mem, damaged, word};
use crate::changes::{aggregated_to, validate};
use crate::record::{RECORD_BYTES, Record, container_words, free_record, make_record, sound_offset};
use crate::store::{ContState, Tier};
use crate::tree::{Cursor, KeyTree, Probe};
use crate::tx::{Room, Run, Tx, set_record_word};
use daos_common::wire::tx::{TxRead, TxWrite};
use daos_common::{Der, Epoch, Result};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

/// Entries forgotten in one step.
const FORGOTTEN: usize = 256;

/// Bytes of a run in an entry.
const RUN_BYTES: u64 = 16;

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
                TxState::Prepared if found.body(&state.arena)? != body => {
                    Err(Der::TX_ID_REUSED.err(format!("transaction {tx} is prepared with other contents")))
                }
                TxState::Prepared => Ok(found.epoch),
            };
        }
        check_epoch(&state.arena, &self.cont, epoch)?;
        let mut trial = Tx::begin(&mut state, Room::Ordinary)?;
        write_all(&mut trial, &self.cont, epoch, writes, Aim::Try)?;
        let runs = trial.hold()?;
        let runs = joined(runs);
        state.promise(self.cont.record, tx, runs.clone());
        let kept = (|| {
            let mut change = Tx::begin(&mut state, Room::Ordinary)?;
            change.note_epoch(epoch);
            put(&mut change, &self.cont, tx, &NewEntry { state: TxState::Prepared, epoch, runs: &runs, body })?;
            change.commit()
        })();
        if kept.is_err() {
            state.release(self.cont.record, tx);
        }
        kept.map(|()| epoch)
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
        let released = state.release(self.cont.record, tx);
        let done = (|| {
            let mut change = Tx::begin(&mut state, Room::Kept)?;
            write_all(&mut change, &self.cont, epoch, writes, Aim::WriteDecided)?;
            remove(&mut change, &self.cont, &cursor, &found)?;
            change.commit()
        })();
        if done.is_err() {
            state.promise_again(self.cont.record, tx, released);
        }
        done.map(|()| true)
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
        let mut change = Tx::begin(&mut state, Room::Kept)?;
        remove(&mut change, &self.cont, &cursor, &found)?;
        change.commit()?;
        state.release(self.cont.record, tx);
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
        let room = if before.is_some() { Room::Kept } else { Room::Ordinary };
        let released = state.release(self.cont.record, tx);
        let done = (|| {
            let mut change = Tx::begin(&mut state, room)?;
            write_all(&mut change, &self.cont, epoch, writes, Aim::Write)?;
            if let Some((cursor, found)) = &before {
                remove(&mut change, &self.cont, cursor, found)?;
            }
            put(&mut change, &self.cont, tx, &NewEntry { state: TxState::Committed, epoch, runs: &[], body })?;
            change.commit()
        })();
        if done.is_err() && before.is_some() {
            state.promise_again(self.cont.record, tx, released);
        }
        done.map(|()| epoch)
    }

    /// Forgets committed transactions; those that aren't here are no error.
    ///
    /// # Errors
    /// `INVAL`: one is prepared, and its outcome not known here.
    pub fn forget(&self, txs: &[Uuid]) -> Result<()> {
        self.cont.check_alive()?;
        let mut state = self.inner.state.borrow_mut();
        for some in txs.chunks(FORGOTTEN) {
            let mut change = Tx::begin(&mut state, Room::Kept)?;
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
        sound_offset(entry[3])?;
        let found = Record::read(tx, entry[3])?;
        free_record(tx, &found, found.key_len());
    }
    set_record_word(tx, tail.off, Record::ROOT, root)?;
    Ok(true)
}

/// Shows the runs that are kept for each prepared transaction of the container at `cont`.
///
/// # Errors
/// `DF_INVAL`.
pub(crate) fn promised(mem: &impl Mem, cont: u64, mut show: impl FnMut(Uuid, Vec<Run>)) -> Result<()> {
    each(mem, cont, |tx, found| {
        if found.state == TxState::Prepared {
            show(tx, found.runs(mem)?);
        }
        Ok(())
    })
}

/// Runs in order, those that touch as one.
fn joined(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_unstable_by_key(|run| run.unit);
    runs.dedup_by(|next, run| {
        let touch = run.unit + run.units == next.unit;
        run.units += if touch { next.units } else { 0 };
        touch
    });
    runs
}

/// An entry as found.
struct Entry {
    record: Record,
    state: TxState,
    epoch: Epoch,
    /// Bytes of the runs.
    runs_len: u64,
}

impl Entry {
    fn read(mem: &impl Mem, tx: Uuid, off: u64) -> Result<Entry> {
        sound_offset(off)?;
        let record = Record::read(mem, off)?;
        let state = match record.head >> 32 {
            1 => TxState::Prepared,
            2 => TxState::Committed,
            other => return Err(damaged(format!("transaction {tx} is in state {other}"))),
        };
        let (epoch, runs_len) = (record.punches, record.root.saturating_mul(RUN_BYTES));
        let entry = Entry { record, state, epoch, runs_len };
        let sum = checksum([record.head, epoch, record.root], entry.rest(mem)?);
        if sum != record.extra || runs_len > record.key_len() {
            return Err(damaged(format!("transaction {tx} (checksum)")));
        }
        Ok(entry)
    }

    fn rest<'m>(&self, mem: &'m impl Mem) -> Result<&'m [u8]> {
        mem.view(self.record.off.saturating_add(RECORD_BYTES), self.record.key_len())
    }

    fn runs(&self, mem: &impl Mem) -> Result<Vec<Run>> {
        let bytes = mem.view(self.record.off + RECORD_BYTES, self.runs_len)?;
        let run = |bytes| Run { tier: Tier::Arena, unit: word(bytes, 0), units: word(bytes, 8) };
        Ok(bytes.chunks_exact(RUN_BYTES as usize).map(run).collect())
    }

    fn body<'m>(&self, mem: &'m impl Mem) -> Result<&'m [u8]> {
        mem.view(self.record.off + RECORD_BYTES + self.runs_len, self.record.key_len() - self.runs_len)
    }

    fn whole(&self, mem: &impl Mem, tx: Uuid) -> Result<TxEntry> {
        Ok(TxEntry { tx, epoch: self.epoch, state: self.state, body: self.body(mem)?.to_vec() })
    }
}

/// The checksum of an entry.
pub(crate) fn checksum(words: [u64; 3], rest: &[u8]) -> u64 {
    let mut sum = Xxh3::new();
    words.iter().for_each(|word| sum.update(&word.to_le_bytes()));
    sum.update(rest);
    sum.digest()
}

struct NewEntry<'a> {
    state: TxState,
    epoch: Epoch,
    runs: &'a [Run],
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
    Ok(Some((cursor, Entry::read(mem, tx, entry[3])?)))
}

fn each(mem: &impl Mem, cont: u64, mut visit: impl FnMut(Uuid, &Entry) -> Result<()>) -> Result<()> {
    let mut cursor = KeyTree::first(mem, cont_tail(mem, cont)?.root)?;
    while let Some(at) = &mut cursor {
        let entry = KeyTree::entry(mem, at)?;
        let tx = Uuid::from_u64_pair(entry[0], entry[1]);
        visit(tx, &Entry::read(mem, tx, entry[3])?)?;
        if !KeyTree::advance(mem, at)? {
            break;
        }
    }
    Ok(())
}

fn put(change: &mut Tx<'_>, cont: &ContState, tx: Uuid, new: &NewEntry<'_>) -> Result<()> {
    let mut rest = Vec::with_capacity(new.runs.len() * RUN_BYTES as usize + new.body.len());
    for run in new.runs {
        rest.extend_from_slice(&run.unit.to_le_bytes());
        rest.extend_from_slice(&run.units.to_le_bytes());
    }
    rest.extend_from_slice(new.body);
    let too_long = |_| Der::INVAL.err(format!("an entry of {} bytes for a transaction", rest.len()));
    let len = u64::from(u32::try_from(rest.len()).map_err(too_long)?);
    let code: u64 = if new.state == TxState::Prepared { 1 } else { 2 };
    let words = [len | code << 32, new.epoch, new.runs.len() as u64];
    let off = make_record(change, [words[0], words[1], words[2], checksum(words, &rest)], &rest)?;
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
    free_record(change, &entry.record, entry.record.key_len());
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
