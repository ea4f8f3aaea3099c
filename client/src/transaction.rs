//! Transactions: what an application reads and writes between open and commit takes effect as one, at one epoch.
//!
//! They are serialisable. Every read is of one epoch, which the first target that is read from gives; a transaction does
//! not see its own writes before it is committed. Writes stay in this process until the commit sends them, with the
//! list of what was read, to the target of the first write, which leads the rest (`daos_common::wire::tx`). A commit
//! that finds something read changed since is answered TX_RESTART: the transaction is restarted and its operations are
//! done again.
//!
//! Conditions of a write are checked when it is called, against the transaction's epoch: they are reads, which the
//! commit checks as it does any other.
//!
//! | state | allowed |
//! |---|---|
//! | open | everything but restart |
//! | committing | nothing (INPROGRESS; close: BUSY) |
//! | committed | close; commit: ALREADY |
//! | aborted | close; abort: ALREADY |
//! | failed (an answer was TX_RESTART) | restart, close |
//! | restarting | close |
//!
//! Anything else is NO_PERM. Cost: one message pair for each read and one for the commit; one more for the epoch, unless the
//! first read is a fetch whose data comes in the message, which brings it. A commit of nothing but reads sends nothing.

use crate::container::Container;
use crate::context::Context;
use crate::memory::UserMemory;
use crate::object::{Object, Route, ShardRequest};
use daos_common::wire::tx::{ReadScope, TxEpochReply, TxEpochRequest};
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Epoch, Error, Iod, ObjectId, Result, flags};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use uuid::Uuid;

/// Only reads (`DAOS_TF_RDONLY`).
pub const READ_ONLY: u64 = 1 << 0;
/// Buffers of writes are read at the commit, not at the call (`DAOS_TF_ZERO_COPY`).
pub const ZERO_COPY: u64 = 1 << 1;

/// Writes in one transaction, as upstream has it.
const WRITES_MAX: usize = (1 << 16) - 1;
/// Different things read in one transaction.
const READS_MAX: usize = 1 << 20;
/// Longest pause of the second restart; each later one's is four times as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_micros(16);
const LONGEST_PAUSE: Duration = Duration::from_micros(1 << 20);

/// A transaction, or a snapshot to read from.
pub struct Transaction {
    /// Weak: an open transaction does not keep a container open.
    container: Weak<Container>,
    handle: Uuid,
    flags: u64,
    /// Epoch of a snapshot.
    fixed: Option<Epoch>,
    state: Mutex<State>,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Takes operations.
    Open,
    /// Its commit is under way.
    Committing,
    /// It took effect.
    Committed,
    /// It has no effect.
    Aborted,
    /// It met another one and can be restarted.
    Failed,
    /// It pauses before it is open again.
    Restarting,
}

struct State {
    status: Status,
    /// Identity of this life between two restarts.
    id: Uuid,
    /// 0 until it is chosen.
    read_epoch: Epoch,
    /// 0 until it is committed.
    commit_epoch: Epoch,
    reads: HashSet<Read>,
    writes: Vec<Write>,
    restarts: u32,
}

/// Something read in one group of an object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Read {
    pub(crate) oid: ObjectId,
    pub(crate) route: Route,
    pub(crate) scope: ReadScope,
}

/// A write in one group of an object.
#[derive(Clone)]
pub(crate) struct Write {
    pub(crate) oid: ObjectId,
    pub(crate) route: Route,
    pub(crate) change: Change,
}

/// What a write does.
#[derive(Clone)]
pub(crate) enum Change {
    Update { dkey: Vec<u8>, iods: Vec<Iod>, data: Data },
    Punch { dkeys: Vec<Vec<u8>>, akeys: Vec<Vec<u8>> },
}

/// Data of an update.
#[derive(Clone)]
pub(crate) enum Data {
    Copied(Vec<u8>),
    /// In the application's memory, until the commit.
    Borrowed(UserMemory),
}

/// What a commit sends.
pub(crate) struct Committing {
    pub(crate) id: Uuid,
    pub(crate) read_epoch: Epoch,
    pub(crate) reads: Vec<Read>,
    pub(crate) writes: Vec<Write>,
}

/// A read that may go on.
pub(crate) struct Reading {
    /// To read at; 0 in a transaction: at the newest, and the epoch of the answer may be the transaction's.
    pub(crate) epoch: Epoch,
    pub(crate) flags: u64,
    of: Option<(Arc<Transaction>, Uuid)>,
}

impl Reading {
    /// A read outside any transaction.
    pub(crate) fn plain(epoch: Epoch) -> Reading {
        Reading { epoch, flags: 0, of: None }
    }

    /// Takes the epoch of an answer for the transaction's, if that has none yet. Another reading when the read has to be
    /// done again, at the transaction's epoch: that was another one, or the answer was an error and told none.
    ///
    /// # Errors
    /// `NO_PERM`: the transaction is not open any more; what asking for an epoch answers.
    pub(crate) async fn settle(
        &self,
        context: &Rc<Context>,
        object: &Object,
        route: Route,
        answered: Result<Epoch, &Error>,
    ) -> Result<Option<Reading>> {
        let Some((transaction, id)) = self.of.as_ref().filter(|_| self.epoch == 0) else { return Ok(None) };
        let epoch = match answered {
            Ok(epoch) => transaction.adopt_epoch(object, *id, epoch)?,
            // What was not found, or did not fit, is an answer too, but of which epoch?
            Err(error) if matches!(error.code(), Der::NONEXIST | Der::REC2BIG) => {
                transaction.choose_epoch(context, object, route, *id).await?
            }
            Err(_) => return Ok(None),
        };
        if answered.ok() == Some(epoch) {
            return Ok(None);
        }
        Ok(Some(Reading { epoch, flags: self.flags, of: self.of.clone() }))
    }

    /// Takes note of how the read went.
    pub(crate) fn end<T>(self, outcome: Result<T>) -> Result<T> {
        match (self.of, &outcome) {
            (Some((transaction, id)), Err(error)) if error.code() == Der::TX_RESTART => transaction.fail(id),
            _ => {}
        }
        outcome
    }
}

impl Transaction {
    /// Opens a transaction; sends nothing. `flags`: [`READ_ONLY`], [`ZERO_COPY`].
    ///
    /// # Errors
    /// `INVAL`: other flags.
    pub fn open(container: &Arc<Container>, flags: u64) -> Result<Arc<Transaction>> {
        if flags & !(READ_ONLY | ZERO_COPY) != 0 {
            return Err(Der::INVAL.err(format!("flags {flags:#x} of a transaction")));
        }
        Ok(Arc::new(Transaction::new(container, flags, None)))
    }

    /// Opens a snapshot as a transaction of reads; sends nothing.
    ///
    /// # Errors
    /// `INVAL`: epoch 0 or 2^64-1.
    pub fn open_snapshot(container: &Arc<Container>, epoch: Epoch) -> Result<Arc<Transaction>> {
        if epoch == 0 || epoch == daos_common::ids::EPOCH_MAX {
            return Err(Der::INVAL.err(format!("a snapshot of epoch {epoch}")));
        }
        Ok(Arc::new(Transaction::new(container, READ_ONLY, Some(epoch))))
    }

    fn new(container: &Arc<Container>, flags: u64, fixed: Option<Epoch>) -> Transaction {
        let state = State {
            status: Status::Open,
            id: Uuid::new_v4(),
            read_epoch: fixed.unwrap_or(0),
            commit_epoch: 0,
            reads: HashSet::new(),
            writes: Vec::new(),
            restarts: 0,
        };
        let handle = container.handle();
        Transaction { container: Arc::downgrade(container), handle, flags, fixed, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is.
    pub fn status(&self) -> Status {
        self.state().status
    }

    /// The epoch that it reads at; of one that read nothing, the epoch of its commit.
    ///
    /// # Errors
    /// `UNINIT`: neither is known yet.
    pub fn epoch(&self) -> Result<Epoch> {
        let state = self.state();
        match (state.read_epoch, state.commit_epoch) {
            (0, 0) => Err(Der::UNINIT.err("the transaction has neither read nor been committed")),
            (0, committed) => Ok(committed),
            (read, _) => Ok(read),
        }
    }

    /// Records a read and gives the epoch for it.
    ///
    /// # Errors
    /// `INVAL`: the object is in another container; `NO_PERM`: the transaction is not open; `OVERFLOW`: it has read too
    /// much; what asking for an epoch answers.
    pub(crate) async fn begin_read(
        self: &Arc<Self>,
        context: &Rc<Context>,
        object: &Object,
        route: Route,
        scopes: impl IntoIterator<Item = ReadScope>,
    ) -> Result<Reading> {
        let reading = self.begin_first_read(object, route, scopes)?;
        match &reading.of {
            Some((_, id)) if reading.epoch == 0 => {
                let epoch = self.choose_epoch(context, object, route, *id).await?;
                Ok(Reading { epoch, ..reading })
            }
            _ => Ok(reading),
        }
    }

    /// Records a read. If no epoch is chosen yet it has none, and [`Reading::settle`] has to be asked about its answer.
    ///
    /// # Errors
    /// As [`Transaction::begin_read`].
    pub(crate) fn begin_first_read(
        self: &Arc<Self>,
        object: &Object,
        route: Route,
        scopes: impl IntoIterator<Item = ReadScope>,
    ) -> Result<Reading> {
        self.check_container(object)?;
        let mut state = self.state();
        state.check_open()?;
        if self.fixed.is_none() && self.flags & READ_ONLY == 0 {
            let oid = object.oid();
            state.reads.extend(scopes.into_iter().map(|scope| Read { oid, route, scope }));
            if state.reads.len() > READS_MAX {
                return Err(Der::OVERFLOW.err(format!("a transaction of more than {READS_MAX} reads")));
            }
        }
        let flags = if self.fixed.is_some() { 0 } else { flags::IN_TRANSACTION };
        Ok(Reading { epoch: state.read_epoch, flags, of: Some((self.clone(), state.id)) })
    }

    /// Asks the target for an epoch. Of several reads that begin at once each asks; the first answer counts for all.
    async fn choose_epoch(&self, context: &Rc<Context>, object: &Object, route: Route, id: Uuid) -> Result<Epoch> {
        let request = ShardRequest { route, opcode: Opcode::TxEpoch, flags: 0, epoch: 0, payload: &[] };
        let ask = |header: daos_common::wire::object::ObjHeader| {
            encode(&TxEpochRequest { pool: header.pool, cont_handle: header.cont_handle })
        };
        let reply = object.call_shard(context, request, ask).await?;
        let reply: TxEpochReply = decode(reply.message.body())?;
        self.adopt_epoch(object, id, reply.epoch)
    }

    /// Takes an epoch for that of all reads, unless there is one; what it is.
    fn adopt_epoch(&self, object: &Object, id: Uuid, epoch: Epoch) -> Result<Epoch> {
        // Not before what this process has seen: its own earlier changes are visible, and nothing that it has read goes
        // back, also where clocks differ.
        let chosen = epoch.max(object.container().seen_epoch());
        let mut state = self.state();
        if state.id != id || state.status != Status::Open {
            return Err(Der::NO_PERM.err("the transaction ended while it read"));
        }
        if chosen == 0 {
            return Err(Der::PROTO.err("a target answered epoch 0"));
        }
        if state.read_epoch == 0 {
            state.read_epoch = chosen;
            object.container().see_epoch(chosen);
        }
        Ok(state.read_epoch)
    }

    /// Checks that it may be changed.
    ///
    /// # Errors
    /// `NO_PERM`: it is not open, or for reading only; `INVAL`: the object is in another container.
    pub(crate) fn check_change(&self, object: &Object) -> Result<()> {
        self.check_container(object)?;
        if self.flags & READ_ONLY != 0 {
            return Err(Der::NO_PERM.err("the transaction is for reading only"));
        }
        self.state().check_open()
    }

    /// Adds an update; its data is copied unless the transaction was opened with [`ZERO_COPY`].
    ///
    /// # Errors
    /// As [`Transaction::check_change`]; `OVERFLOW`: too many writes.
    pub(crate) fn add_update(
        &self,
        object: &Object,
        route: Route,
        dkey: Vec<u8>,
        iods: Vec<Iod>,
        memory: UserMemory,
    ) -> Result<()> {
        let data = match self.flags & ZERO_COPY {
            0 => Data::Copied(memory.as_slices(memory.len()).concat()),
            _ => Data::Borrowed(memory),
        };
        self.add(object, route, Change::Update { dkey, iods, data })
    }

    /// Adds a punch of the group (no dkey), of dkeys (no akeys), or of akeys of one dkey.
    ///
    /// # Errors
    /// As [`Transaction::add_update`].
    pub(crate) fn add_punch(
        &self,
        object: &Object,
        route: Route,
        dkeys: Vec<Vec<u8>>,
        akeys: Vec<Vec<u8>>,
    ) -> Result<()> {
        self.add(object, route, Change::Punch { dkeys, akeys })
    }

    fn add(&self, object: &Object, route: Route, change: Change) -> Result<()> {
        self.check_change(object)?;
        let mut state = self.state();
        state.check_open()?;
        if state.writes.len() >= WRITES_MAX {
            return Err(Der::OVERFLOW.err(format!("a transaction of more than {WRITES_MAX} writes")));
        }
        state.writes.push(Write { oid: object.oid(), route, change });
        Ok(())
    }

    fn check_container(&self, object: &Object) -> Result<()> {
        let other = object.container();
        if self.handle != other.handle() {
            let (oid, cont) = (object.oid(), other.uuid());
            return Err(Der::INVAL.err(format!(
                "object {oid} was opened by a handle of container {cont} that is not the transaction's"
            )));
        }
        Ok(())
    }

    /// What a change's conditions call for is known to hold: `found` is the answer to a read.
    ///
    /// # Errors
    /// `EXIST`, `NONEXIST`; another failure of the read.
    pub(crate) fn check_condition(found: Result<()>, must_exist: bool, what: &str) -> Result<()> {
        match found {
            Ok(()) if must_exist => Ok(()),
            Ok(()) => Err(Der::EXIST.err(format!("the {what} exists"))),
            Err(error) if error.code() == Der::NONEXIST && !must_exist => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Commits it.
    ///
    /// # Errors
    /// `ALREADY`: it is committed; `INPROGRESS`: its commit is under way; `NO_PERM`: it was aborted, or failed and was
    /// not restarted; `TX_RESTART`: something that it read has changed, restart it; `TX_UNCERTAIN`, `TIMEDOUT`,
    /// `UNREACH`: whether it took effect is not known; `NOSPACE`; `NO_HDL`: the container was closed. It ends
    /// with any of them but `ALREADY`, `INPROGRESS`, `NO_PERM` and `TX_RESTART`.
    pub async fn commit(&self, context: &Rc<Context>) -> Result<()> {
        let Some(committing) = self.state().begin_commit(self.fixed.is_some())? else { return Ok(()) };
        let id = committing.id;
        let outcome = match self.container.upgrade() {
            Some(container) => crate::commit::commit(context, &container, committing).await,
            None => Err(Der::NO_HDL.err("the container was closed")),
        };
        let mut state = self.state();
        if state.id == id && state.status == Status::Committing {
            state.end_commit(&outcome);
        }
        drop(state);
        if let (Ok(epoch), Some(container)) = (&outcome, self.container.upgrade()) {
            container.see_epoch(*epoch);
        }
        outcome.map(drop)
    }

    /// Drops its writes.
    ///
    /// # Errors
    /// `ALREADY`: it was aborted; `NO_PERM`: it is committed, or failed.
    pub fn abort(&self) -> Result<()> {
        let mut state = self.state();
        match state.status {
            Status::Aborted => Err(Der::ALREADY.err("the transaction was aborted before")),
            Status::Open => {
                state.clear();
                state.status = Status::Aborted;
                Ok(())
            }
            other => Err(not_open(other)),
        }
    }

    /// Begins anew after TX_RESTART: with another identity and epoch, without its reads and writes. Pauses for a random
    /// time, whose limit grows with the number of restarts up to about a second, so that others get on.
    ///
    /// # Errors
    /// `NO_PERM`: nothing was answered TX_RESTART.
    pub async fn restart(&self, context: &Rc<Context>) -> Result<()> {
        let pause = {
            let mut state = self.state();
            if state.status != Status::Failed || self.fixed.is_some() {
                return Err(Der::NO_PERM.err("the transaction did not fail with -DER_TX_RESTART"));
            }
            state.clear();
            state.status = Status::Restarting;
            state.id = Uuid::new_v4();
            state.restarts = state.restarts.saturating_add(1);
            pause_before(state.restarts, state.id.as_u64_pair().0)
        };
        if !pause.is_zero() {
            context.runtime().sleep(pause).await;
        }
        let mut state = self.state();
        state.read_epoch = 0;
        state.status = Status::Open;
        Ok(())
    }

    /// Checks that it may be closed.
    ///
    /// # Errors
    /// `BUSY`: its commit is under way.
    pub fn check_close(&self) -> Result<()> {
        match self.status() {
            Status::Committing => Err(Der::BUSY.err("the transaction is being committed")),
            _ => Ok(()),
        }
    }

    fn fail(&self, id: Uuid) {
        let mut state = self.state();
        // A snapshot has no other epoch to go on at.
        if self.fixed.is_none() && state.id == id && state.status == Status::Open {
            state.status = Status::Failed;
        }
    }
}

impl State {
    fn check_open(&self) -> Result<()> {
        if self.status == Status::Open { Ok(()) } else { Err(not_open(self.status)) }
    }

    fn clear(&mut self) {
        self.reads = HashSet::new();
        self.writes = Vec::new();
    }

    /// What there is to commit; `None` when it needs no message.
    fn begin_commit(&mut self, snapshot: bool) -> Result<Option<Committing>> {
        match self.status {
            Status::Open => {}
            Status::Committed => return Err(Der::ALREADY.err("the transaction is committed")),
            Status::Committing => return Err(Der::INPROGRESS.err("the transaction is being committed")),
            other => return Err(not_open(other)),
        }
        if self.writes.is_empty() || snapshot {
            // All that it read was the state of one epoch: that is its place in the order.
            self.status = Status::Committed;
            self.clear();
            return Ok(None);
        }
        self.status = Status::Committing;
        let (reads, writes) = (std::mem::take(&mut self.reads), std::mem::take(&mut self.writes));
        let reads = reads.into_iter().collect::<Vec<_>>();
        let read_epoch = if reads.is_empty() { 0 } else { self.read_epoch };
        Ok(Some(Committing { id: self.id, read_epoch, reads, writes }))
    }

    fn end_commit(&mut self, outcome: &Result<Epoch>) {
        self.status = match outcome {
            Ok(epoch) => {
                self.commit_epoch = *epoch;
                Status::Committed
            }
            Err(error) if error.code() == Der::TX_RESTART => Status::Failed,
            Err(_) => Status::Aborted,
        };
    }
}

fn not_open(status: Status) -> Error {
    Der::NO_PERM.err(match status {
        Status::Open => "the transaction is open",
        Status::Committing => "the transaction is being committed",
        Status::Committed => "the transaction is committed",
        Status::Aborted => "the transaction was aborted",
        Status::Failed => "the transaction failed with -DER_TX_RESTART: restart it first",
        Status::Restarting => "the transaction is being restarted",
    })
}

/// The pause before a restart, of which this is number `restarts`, from 1.
fn pause_before(restarts: u32, random: u64) -> Duration {
    let Some(exponent) = restarts.checked_sub(2) else { return Duration::ZERO };
    let limit = 4u64.checked_pow(exponent).map_or(LONGEST_PAUSE, |factor| {
        let nanos = (FIRST_PAUSE.as_nanos() as u64).saturating_mul(factor);
        Duration::from_nanos(nanos).min(LONGEST_PAUSE)
    });
    Duration::from_nanos(random % (limit.as_nanos() as u64 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the first restart is at once, later ones pause up to four times as long each, never over a second.
    #[test]
    fn pauses_grow() {
        assert_eq!(pause_before(1, u64::MAX), Duration::ZERO);
        for (restarts, limit_us) in [(2, 16), (3, 64), (4, 256), (10, 1 << 20), (11, 1 << 20), (u32::MAX, 1 << 20)] {
            let limit = Duration::from_micros(limit_us);
            assert_eq!(pause_before(restarts, limit.as_nanos() as u64), limit, "restart {restarts}");
            assert_eq!(pause_before(restarts, limit.as_nanos() as u64 + 1), Duration::ZERO, "restart {restarts}");
        }
    }
}
