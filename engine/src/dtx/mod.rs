//! Distributed transactions on this target: as the leader of some and a participant in others.
//!
//! The protocol stands in `daos_common::wire::tx`; what survives a crash is kept by VOS. Here: which keys are held
//! ([`locks`]), the leader's way to a decision and how the others hear of it ([`leader`]), a participant's promise and how
//! it is kept ([`participant`]), and what happens with both after a restart ([`recovery`]).
//!
//! # Why reads stay valid
//! A read at epoch R moves the engine's clock past R, and changes take their epoch when they are committed, so nothing
//! appears at or before R later, except a transaction that was prepared before: for its outcome the read waits. A
//! commit checks that nothing it has read was changed after R, and from then on holds the keys until the
//! outcome's epoch is known here.
//!
//! The clock forgets such an R in a restart. Its new life may begin before R only when R came from a host whose clock is
//! ahead, at most by the allowed skew: reads of that span are not trusted, and their transactions restarted.

pub mod leader;
pub mod locks;
pub mod participant;
pub mod peers;
pub mod recovery;

use crate::object::{answer, fail};
use crate::target::Target;
use crate::target::share::{Opened, Share};
use daos_common::hlc::{Clock, MAX_OFFSET};
use daos_common::wire::tx::{TxEpochReply, TxEpochRequest, TxHeader, TxPart, TxTarget};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Epoch, Error, Result};
use daos_fabric::Incoming;
use locks::Locks;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a request outside transactions waits for the outcome of one, before its sender is asked to come again. Less
/// than the closing of a share waits for requests.
const LOCK_PATIENCE: Duration = Duration::from_secs(4);
/// Requests of a target that may wait so.
const WAITING_MAX: usize = 256;

/// The transactions of one container on this target.
#[derive(Default)]
pub struct Transactions {
    /// Keys held.
    pub locks: Locks,
    /// Newest epoch at which a prepared one was committed here since the start.
    pub newest: Cell<Epoch>,
    /// Those that are prepared here, for other leaders.
    prepared: RefCell<HashMap<Uuid, Rc<Prepared>>>,
    /// Those that this target leads and has not decided, or has yet to tell of their abort.
    led: RefCell<HashMap<Uuid, leader::Led>>,
    /// Committed ones of which all have heard: when, and which.
    told: RefCell<VecDeque<(Instant, Uuid)>>,
    forgetting: Cell<bool>,
}

/// One that is prepared here.
struct Prepared {
    leader: TxTarget,
    /// The leader's latest try that this target knows; 0 after a restart.
    attempt: Cell<Epoch>,
    /// Epoch of the entry.
    epoch: Epoch,
    part: TxPart,
}

/// Body of a prepared entry in VOS.
#[derive(Serialize, Deserialize)]
struct PreparedBody {
    leader: TxTarget,
    part: TxPart,
}

/// Body of a committed entry in VOS: who else has to hear.
#[derive(Serialize, Deserialize)]
struct CommittedBody {
    others: Vec<TxTarget>,
}

/// Serves a message about transactions.
pub async fn serve(target: &Rc<Target>, opcode: Opcode, incoming: Incoming) {
    let outcome = match opcode {
        Opcode::TxEpoch => epoch(target, &incoming).await,
        Opcode::TxCommit => leader::commit(target, &incoming).await,
        Opcode::TxStatus => leader::status(target, &incoming),
        Opcode::TxPrepare => participant::prepare(target, &incoming).await,
        Opcode::TxDecide => participant::decide(target, &incoming),
        other => return fail(target, incoming, &Der::UNREG.err(format!("{other:?} is no transaction's message"))),
    };
    answer(target, incoming, outcome);
}

/// Gives an epoch to read at.
async fn epoch(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: TxEpochRequest = wire::decode(incoming.message.body())?;
    let (_, grant) = target.grant(request.pool, request.cont_handle).await?;
    grant.check_read()?;
    wire::encode(&TxEpochReply { epoch: target.clock.now() })
}

/// What a message of a client's transaction is about, its rights checked.
struct Session {
    share: Rc<Share>,
    cont: Uuid,
    opened: Opened,
}

impl Session {
    async fn open(target: &Rc<Target>, header: &TxHeader, parts: &[TxPart]) -> Result<Session> {
        let (share, grant) = target.grant(header.pool, header.cont_handle).await?;
        if parts.iter().any(|part| !part.writes.is_empty()) {
            grant.check_write()?;
        }
        if parts.iter().any(|part| !part.reads.is_empty()) {
            grant.check_read()?;
            if header.read_epoch == 0 {
                return Err(Der::INVAL.err(format!("transaction {} has read at no epoch", header.tx)));
            }
        }
        // After the await: from here on the container cannot be destroyed under the request.
        let opened = share.opened(grant.cont)?;
        share.history(grant.cont).check_serving()?;
        Ok(Session { share, cont: grant.cont, opened })
    }

    /// Locks a part, checks what it read and tries what it writes; the epoch at or after which it takes effect.
    ///
    /// # Errors
    /// `TX_RESTART`: something read has changed, or another transaction is at work on it; as `VosCont::try_writes`.
    fn take(&self, target: &Target, header: &TxHeader, part: &TxPart) -> Result<Epoch> {
        self.check_read_epoch(&target.clock, header.read_epoch, part)?;
        // What the client has seen is before what it changes, also where no read of it came by here.
        target.clock.merge(header.read_epoch)?;
        let (dtx, vos) = (&self.opened.dtx, &self.opened.vos);
        let epoch = target.clock.now();
        dtx.locks.take(header.tx, epoch, part)?;
        let tried = vos.validate(header.read_epoch, &part.reads).and_then(|()| vos.try_writes(epoch, &part.writes));
        if tried.is_err() {
            dtx.locks.give_back(header.tx);
        }
        tried.map(|()| epoch)
    }

    /// That this life of the clock has been past the reads since they were answered.
    fn check_read_epoch(&self, clock: &Clock, epoch: Epoch, part: &TxPart) -> Result<()> {
        let opened = self.share.opened_at();
        let forgotten = epoch > opened && epoch <= opened.saturating_add(MAX_OFFSET) && opened > 0;
        if !part.reads.is_empty() && (forgotten || !clock.has_passed(epoch)) {
            return Err(Der::TX_RESTART.err("the transaction read just before this target was restarted"));
        }
        Ok(())
    }
}

impl Transactions {
    /// Waits while `blocked` says so, for the outcome of transactions.
    ///
    /// # Errors
    /// `TX_BUSY`: it takes too long, or too many wait; the sender may come again.
    pub async fn wait_while(&self, target: &Target, blocked: impl Fn(&Locks) -> bool) -> Result<()> {
        if self.locks.is_empty() || !blocked(&self.locks) {
            return Ok(());
        }
        let _place = target.waiting.enter(WAITING_MAX).ok_or_else(busy)?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        let mut timeout = Box::pin(target.runtime.sleep(LOCK_PATIENCE));
        while blocked(&self.locks) {
            let changed = self.locks.changed();
            futures_util::future::select(changed, &mut timeout).await;
            if Instant::now() >= deadline {
                return Err(busy());
            }
        }
        Ok(())
    }

    fn prepared(&self, tx: Uuid) -> Option<Rc<Prepared>> {
        self.prepared.borrow().get(&tx).cloned()
    }
}

fn busy() -> Error {
    Der::TX_BUSY.err("a transaction whose outcome is not known yet holds the key")
}

/// Requests that wait, counted.
#[derive(Clone, Default)]
pub struct Places(Rc<Cell<usize>>);

/// One place; dropped, it is free.
pub struct Place(Rc<Cell<usize>>);

impl Places {
    /// A place, unless `limit` are taken.
    pub fn enter(&self, limit: usize) -> Option<Place> {
        if self.0.get() >= limit {
            return None;
        }
        self.0.set(self.0.get() + 1);
        Some(Place(self.0.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// What a task in the background goes back to after each pause: nothing, once the share is closed, the container
/// destroyed or the engine stopping.
struct Anchor {
    target: Weak<Target>,
    share: Weak<Share>,
    cont: Uuid,
}

impl Anchor {
    fn new(target: &Rc<Target>, share: &Rc<Share>, cont: Uuid) -> Anchor {
        Anchor { target: Rc::downgrade(target), share: Rc::downgrade(share), cont }
    }

    fn here(&self) -> Option<(Rc<Target>, Opened)> {
        let target = self.target.upgrade()?;
        let opened = self.share.upgrade()?.known(self.cont)?;
        Some((target, opened))
    }

    fn pool(&self) -> Option<Uuid> {
        self.share.upgrade().map(|share| share.pool)
    }
}

/// Checks a part as the requests of single operations are checked.
fn check_part(part: &TxPart) -> Result<()> {
    use crate::object::{check_iods, check_key, check_ordinal, check_punch};
    use daos_common::wire::tx::{ReadScope, TxWrite};
    for read in &part.reads {
        match &read.scope {
            ReadScope::Object => {}
            ReadScope::Dkey(dkey) => check_key("dkey", dkey)?,
            ReadScope::Akey { dkey, akey, recxs } => {
                check_key("dkey", dkey)?;
                check_key("akey", akey)?;
                if recxs.iter().any(|recx| recx.nr == 0 || recx.idx.checked_add(recx.nr).is_none()) {
                    return Err(Der::INVAL.err("extents that are empty or overflow"));
                }
            }
        }
    }
    for write in &part.writes {
        match write {
            TxWrite::Update { oid, dkey, iods, data, .. } => {
                check_ordinal(*oid)?;
                check_key("dkey", dkey)?;
                let bytes = check_iods(iods)?;
                if data.len() as u64 != bytes {
                    let given = data.len();
                    return Err(Der::INVAL.err(format!("{given} bytes came for descriptors of {bytes}")));
                }
            }
            TxWrite::Punch { oid, dkeys, akeys, .. } => {
                check_ordinal(*oid)?;
                check_punch(dkeys, akeys)?;
            }
        }
    }
    Ok(())
}
