//! A participant: promises the leader that its part can be committed, and waits for the outcome.
//!
//! The promise is an entry in VOS and locks on the part's keys. It ends with the leader's word (TxDecide), or with the
//! answer to this target's own question (TxStatus), which it asks after [`FIRST_QUESTION`] and then ever more seldom, also
//! after a restart.
//!
//! A leader may try a transaction again after it gave one try up. What it says of an earlier try then must not
//! undo a later one, however late it arrives: each try has a number, and an abort counts only for a try not after its own.

use super::{Anchor, Prepared, PreparedBody, Session, check_part};
use crate::target::Target;
use crate::target::share::{Opened, Share};
use crate::telemetry;
use daos_common::wire::tx::{
    TxDecideRequest, TxEpochReply, TxOutcome, TxPart, TxPrepareRequest, TxStatusReply, TxStatusRequest,
};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Epoch, Result};
use daos_fabric::Incoming;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// Silence of the leader before it is asked.
const FIRST_QUESTION: Duration = Duration::from_millis(300);
/// Longest time between two questions.
const LAST_QUESTION: Duration = Duration::from_secs(2);
/// Patience with an answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// Prepares a part.
pub async fn prepare(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: TxPrepareRequest = wire::decode(incoming.message.body())?;
    let part: TxPart = wire::decode(incoming.message.payload())?;
    check_part(&part)?;
    target.check_addressee(part.target).await?;
    let header = &request.header;
    let session = Session::open(target, header, std::slice::from_ref(&part)).await?;
    session.share.check_map_version(header.map_version)?;
    let dtx = &session.opened.dtx;
    if let Some(known) = dtx.prepared(header.tx) {
        // What the leader of another try says about that one would count for this one, so that one has to end first.
        if request.attempt < known.attempt.get() || request.leader != known.leader {
            return Err(Der::INPROGRESS.err(format!("transaction {}: another try is prepared", header.tx)));
        }
        known.attempt.set(request.attempt);
    } else {
        let epoch = session.take(target, header, &part)?;
        let body = PreparedBody { leader: request.leader, part };
        let kept = wire::encode(&body)
            .and_then(|bytes| session.opened.vos.prepare(header.tx, epoch, &bytes, &body.part.writes));
        if let Err(error) = kept {
            dtx.locks.give_back(header.tx);
            return Err(error);
        }
        let PreparedBody { leader, part } = body;
        let prepared = Prepared { leader, attempt: Cell::new(request.attempt), epoch, part };
        dtx.prepared.borrow_mut().insert(header.tx, Rc::new(prepared));
        watch(target, &session.share, session.cont, header.tx, FIRST_QUESTION);
        telemetry::add(&target.counters.prepared, 1);
    }
    wire::encode(&TxEpochReply { epoch: target.clock.now() })
}

/// Takes the leader's word. A transaction that is not prepared here has been dealt with before.
pub fn decide(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: TxDecideRequest = wire::decode(incoming.message.body())?;
    let share = target.share(request.pool)?;
    share.store()?;
    if let Some(opened) = share.known(request.cont) {
        settle(target, &opened, request.tx, request.attempt, request.outcome)?;
    }
    wire::encode(&())
}

/// Asks the leader from time to time, until the outcome is known.
pub(super) fn watch(target: &Rc<Target>, share: &Rc<Share>, cont: Uuid, tx: Uuid, first: Duration) {
    let (anchor, runtime) = (Anchor::new(target, share, cont), target.runtime.clone());
    let mut pause = first;
    let task = async move {
        loop {
            runtime.sleep(pause).await;
            pause = (pause * 2).clamp(FIRST_QUESTION, LAST_QUESTION);
            let Some((target, opened)) = anchor.here() else { return };
            let Some(prepared) = opened.dtx.prepared(tx) else { return };
            let Some(pool) = anchor.pool() else { return };
            drop(opened);
            let attempt = prepared.attempt.get();
            let outcome = ask(&target, &prepared, TxStatusRequest { pool, cont, tx }).await;
            let Some((_, opened)) = anchor.here() else { return };
            let settled = outcome.and_then(|outcome| settle(&target, &opened, tx, attempt, outcome));
            if let Err(error) = settled {
                tracing::debug!("transaction {tx}: {error}");
            }
        }
    };
    target.runtime.spawn(task).detach();
}

async fn ask(target: &Target, prepared: &Prepared, request: TxStatusRequest) -> Result<TxOutcome> {
    let body = wire::encode(&request)?;
    let reply = target.call_target(prepared.leader, Opcode::TxStatus, &body, &[], ANSWER_PATIENCE).await?;
    Ok(wire::decode::<TxStatusReply>(reply.message.body())?.outcome)
}

/// Applies an outcome that stands for the tries up to `attempt`.
///
/// # Errors
/// As `VosCont::commit_prepared`; the transaction stays prepared then, and the leader is asked again.
fn settle(target: &Target, opened: &Opened, tx: Uuid, attempt: Epoch, outcome: TxOutcome) -> Result<()> {
    let (dtx, vos) = (&opened.dtx, &opened.vos);
    let Some(prepared) = dtx.prepared(tx) else { return Ok(()) };
    match outcome {
        TxOutcome::Undecided => return Ok(()),
        TxOutcome::Aborted if attempt < prepared.attempt.get() => return Ok(()),
        TxOutcome::Aborted => drop(vos.abort_prepared(tx)?),
        // Committed before it was prepared: the message came late, all of it was done before.
        TxOutcome::Committed(epoch) if epoch < prepared.epoch => drop(vos.abort_prepared(tx)?),
        TxOutcome::Committed(epoch) => {
            // The decision stands, however far this host's clock is behind: what comes next is after it.
            target.clock.start_after(epoch)?;
            vos.commit_prepared(tx, epoch, &prepared.part.writes)?;
            dtx.newest.set(dtx.newest.get().max(epoch));
        }
    }
    dtx.prepared.borrow_mut().remove(&tx);
    dtx.locks.give_back(tx);
    Ok(())
}
