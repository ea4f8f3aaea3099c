//! The leader: prepares the others, decides, tells them.
//!
//! The decision is one step of the leader's own store: its part's writes and an entry that says "committed, and these have
//! to hear". Before it nothing has happened anywhere that an abort would not undo; after it the transaction is
//! committed, whatever crashes. The entry stays until all have heard, and a while longer ([`GRACE`]), so that a client
//! whose answer was lost gets it when it asks again. Of the entries that wait only for that, at most [`KEPT`] are kept.
//!
//! An abort is told to those that may have prepared. While that goes on, a client that sends the transaction again is
//! asked to come back; participants that can't be reached find out by themselves.

use super::{Anchor, CommittedBody, Session, Transactions, check_part};
use crate::target::Target;
use crate::target::share::{Opened, Share};
use crate::telemetry;
use daos_common::wire::tx::{
    TxCommitRequest, TxDecideRequest, TxEpochReply, TxHeader, TxOutcome, TxPart, TxPrepareRequest, TxStatusReply,
    TxStatusRequest, TxTarget,
};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Epoch, Error, Result};
use daos_fabric::Incoming;
use daos_vos::TxState;
use futures_channel::oneshot;
use futures_util::future::join_all;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Patience with a participant's answer.
const PREPARE_PATIENCE: Duration = Duration::from_secs(4);
/// Patience with one attempt to tell a participant the outcome.
const TELL_PATIENCE: Duration = Duration::from_secs(5);
/// How long participants are told of an abort before they are left to ask.
const ABORT_PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a client may come back for an answer: twice the time that its operations have.
const GRACE: Duration = Duration::from_secs(120);
/// Entries of a container on one target that are kept for clients to come back.
const KEPT: usize = 16 * 1024;
/// Entries forgotten at once beyond that.
const FORGOTTEN: usize = 256;
const FORGET_EVERY: Duration = Duration::from_secs(5);
/// Transactions with participants that a target leads at once: others' messages must still get in.
const LEADING_MAX: usize = 256;

/// A transaction that this target leads.
pub(super) enum Led {
    /// It is being committed; who waits for the end of that.
    Running(Vec<oneshot::Sender<()>>),
    /// It was aborted, and the others are being told.
    Aborting,
}

/// Commits a transaction.
pub async fn commit(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: TxCommitRequest = wire::decode(incoming.message.body())?;
    let payload = incoming.message.payload();
    if payload.len() > wire::tx::PARTS_MAX_BYTES {
        return Err(Der::REC2BIG.err(format!("a transaction of {} bytes", payload.len())));
    }
    let parts: Vec<TxPart> = wire::decode(payload)?;
    check_parts(target, &parts).await?;
    let header = &request.header;
    let session = Session::open(target, header, &parts).await?;
    let epoch = match begin(&session, header.tx).await? {
        Begun::Committed(epoch) => {
            telemetry::add(&target.counters.resends, 1);
            epoch
        }
        Begun::Here(running) => {
            session.share.check_map_version(header.map_version)?;
            match parts.as_slice() {
                [only] => alone(target, &session, header, only)?,
                [own, others @ ..] => together(target, &session, header, own, others, running).await?,
                [] => return Err(Der::INVAL.err("a transaction without parts")),
            }
        }
    };
    wire::encode(&TxEpochReply { epoch })
}

async fn check_parts(target: &Target, parts: &[TxPart]) -> Result<()> {
    let Some(own) = parts.first() else { return Err(Der::INVAL.err("a transaction without parts")) };
    target.check_addressee(own.target).await?;
    let mut seen = HashSet::new();
    if !parts.iter().all(|part| seen.insert(part.target)) {
        return Err(Der::INVAL.err("a transaction with two parts for one target"));
    }
    parts.iter().try_for_each(check_part)
}

enum Begun {
    Committed(Epoch),
    Here(Running),
}

/// Stands for a transaction under way; dropped, it is over.
struct Running {
    dtx: Rc<Transactions>,
    tx: Uuid,
}

impl Running {
    /// It is over, but the others still have to be told.
    fn abort(self) {
        let before = self.dtx.led.borrow_mut().insert(self.tx, Led::Aborting);
        wake(before);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut led = self.dtx.led.borrow_mut();
        if let Some(Led::Running(_)) = led.get(&self.tx) {
            let before = led.remove(&self.tx);
            drop(led);
            wake(before);
        }
    }
}

fn wake(led: Option<Led>) {
    if let Some(Led::Running(waiting)) = led {
        for waiter in waiting {
            let _ = waiter.send(());
        }
    }
}

/// Finds out whether it was committed before; waits while it is under way.
///
/// # Errors
/// `INPROGRESS`: an earlier try was aborted, and not all know; `TX_ID_REUSED`: it is prepared here for another leader.
async fn begin(session: &Session, tx: Uuid) -> Result<Begun> {
    let Opened { vos, dtx } = &session.opened;
    loop {
        match vos.outcome(tx)? {
            Some(entry) if entry.state == TxState::Committed => return Ok(Begun::Committed(entry.epoch)),
            Some(_) => return Err(Der::TX_ID_REUSED.err(format!("transaction {tx} has another leader"))),
            None => {}
        }
        let (sender, receiver) = oneshot::channel();
        match dtx.led.borrow_mut().entry(tx).or_insert_with(|| Led::Running(Vec::new())) {
            Led::Aborting => return Err(Der::INPROGRESS.err(format!("transaction {tx} is being undone"))),
            Led::Running(waiting) if waiting.is_empty() => {
                // The first of the list stands for the one at work.
                waiting.push(sender);
                return Ok(Begun::Here(Running { dtx: dtx.clone(), tx }));
            }
            Led::Running(waiting) => waiting.push(sender),
        }
        let _ = receiver.await;
    }
}

/// The one step of a transaction that has no other participant.
fn alone(target: &Rc<Target>, session: &Session, header: &TxHeader, part: &TxPart) -> Result<Epoch> {
    session.check_read_epoch(&target.clock, header.read_epoch, part)?;
    target.clock.merge(header.read_epoch)?;
    let Opened { vos, dtx } = &session.opened;
    dtx.locks.check(part)?;
    let body = wire::encode(&CommittedBody { others: Vec::new() })?;
    let (epoch, reads) = (target.clock.now(), (header.read_epoch, part.reads.as_slice()));
    let _under_way = session.share.history(session.cont).begin_write(epoch)?;
    let epoch = vos.validate_and_decide(header.tx, epoch, reads, &body, &part.writes)?;
    telemetry::add(&target.counters.committed, 1);
    forget_later(target, &session.share, session.cont, &session.opened, header.tx);
    Ok(epoch)
}

/// Gives locks back when dropped.
struct Locked<'a> {
    dtx: &'a Transactions,
    tx: Uuid,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.dtx.locks.give_back(self.tx);
    }
}

/// Both phases.
async fn together(
    target: &Rc<Target>,
    session: &Session,
    header: &TxHeader,
    own: &TxPart,
    others: &[TxPart],
    running: Running,
) -> Result<Epoch> {
    let _place = target.leading.enter(LEADING_MAX).ok_or_else(|| Der::TX_BUSY.err("too many transactions at once"))?;
    let attempt = target.clock.now();
    let first = session.take(target, header, own)?;
    // A snapshot of now or later waits for the outcome, and so does aggregation.
    let under_way = session.share.history(session.cont).begin_write(first);
    let locked = Locked { dtx: &session.opened.dtx, tx: header.tx };
    let under_way = under_way?;
    let request = TxPrepareRequest { header: header.clone(), leader: own.target, attempt };
    let answers = join_all(others.iter().map(|part| ask(target, &request, part))).await;
    let targets: Vec<TxTarget> = others.iter().map(|part| part.target).collect();
    let decided = decide(target, session, header.tx, own, (first, &answers), &targets);
    drop(locked);
    drop(under_way);
    match decided {
        Ok(epoch) => {
            telemetry::add(&target.counters.committed, 1);
            let news = News { tx: header.tx, attempt, outcome: TxOutcome::Committed(epoch) };
            deliver(target, &session.share, session.cont, news, targets);
            Ok(epoch)
        }
        Err(error) => {
            let unsure = |answer: &Result<Epoch>| answer.as_ref().err().is_none_or(is_silence);
            let told = targets.iter().zip(&answers).filter(|(_, answer)| unsure(answer)).map(|(to, _)| *to);
            let told: Vec<TxTarget> = told.collect();
            if !told.is_empty() {
                running.abort();
                let news = News { tx: header.tx, attempt, outcome: TxOutcome::Aborted };
                deliver(target, &session.share, session.cont, news, told);
            }
            Err(error)
        }
    }
}

async fn ask(target: &Target, request: &TxPrepareRequest, part: &TxPart) -> Result<Epoch> {
    let (body, payload) = (wire::encode(request)?, wire::encode(part)?);
    let reply = target.call_target(part.target, Opcode::TxPrepare, &body, &payload, PREPARE_PATIENCE).await?;
    Ok(wire::decode::<TxEpochReply>(reply.message.body())?.epoch)
}

/// Decides: committed, durably, or the reason why not.
fn decide(
    target: &Target,
    session: &Session,
    tx: Uuid,
    own: &TxPart,
    epochs: (Epoch, &[Result<Epoch>]),
    others: &[TxTarget],
) -> Result<Epoch> {
    let (mut epoch, answers) = epochs;
    for answer in answers {
        match answer {
            Ok(prepared) => epoch = epoch.max(*prepared),
            Err(_) => return Err(reason(answers)),
        }
    }
    target.clock.merge(epoch)?;
    let body = wire::encode(&CommittedBody { others: others.to_vec() })?;
    session.opened.vos.decide(tx, epoch, &body, &own.writes)
}

/// Of several refusals the one that tells the client most: what lets it do better, else that somebody is silent, for
/// which it is to try again.
fn reason(answers: &[Result<Epoch>]) -> Error {
    let errors = || answers.iter().filter_map(|answer| answer.as_ref().err());
    let spoken = errors().find(|error| error.code() == Der::TX_RESTART).or_else(|| errors().find(|e| !is_silence(e)));
    match (spoken, errors().next()) {
        (Some(error), _) => error.clone(),
        (None, Some(silent)) => Der::INPROGRESS.err(format!("a participant does not answer: {silent}")),
        (None, None) => Der::MISC.into(),
    }
}

/// Whether an error leaves open what the other side has done.
fn is_silence(error: &Error) -> bool {
    matches!(error.code(), Der::UNREACH | Der::TIMEDOUT | Der::NOREPLY | Der::HG | Der::PROTO)
}

/// What is told.
#[derive(Clone, Copy)]
pub(super) struct News {
    pub(super) tx: Uuid,
    pub(super) attempt: Epoch,
    pub(super) outcome: TxOutcome,
}

/// Tells participants the outcome, in the background, until all have heard.
pub(super) fn deliver(target: &Rc<Target>, share: &Rc<Share>, cont: Uuid, news: News, others: Vec<TxTarget>) {
    let (anchor, share_then) = (Anchor::new(target, share, cont), Rc::downgrade(share));
    let task = async move {
        let told = join_all(others.iter().map(|to| tell(&anchor, *to, news))).await;
        let (Some((target, opened)), Some(share)) = (anchor.here(), share_then.upgrade()) else { return };
        match news.outcome {
            TxOutcome::Committed(_) if told.iter().all(|told| *told) => {
                forget_later(&target, &share, cont, &opened, news.tx);
            }
            TxOutcome::Committed(_) => {}
            _ => drop(opened.dtx.led.borrow_mut().remove(&news.tx)),
        }
    };
    target.runtime.spawn(task).detach();
}

/// Whether it has heard; an abort is given up after a while, everything when the share is closed.
async fn tell(anchor: &Anchor, to: TxTarget, news: News) -> bool {
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let (Some((target, _)), Some(pool)) = (anchor.here(), anchor.pool()) else { return false };
        let News { tx, attempt, outcome } = news;
        let Ok(body) = wire::encode(&TxDecideRequest { pool, cont: anchor.cont, tx, attempt, outcome }) else {
            return false;
        };
        match target.call_target(to, Opcode::TxDecide, &body, &[], TELL_PATIENCE).await {
            Ok(_) => return true,
            Err(error) => tracing::debug!("transaction {tx}: {error}"),
        }
        if outcome == TxOutcome::Aborted && began.elapsed() > ABORT_PATIENCE {
            return false;
        }
        let resting = target.runtime.sleep(pause);
        drop(target);
        resting.await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Answers a participant's question.
pub fn status(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: TxStatusRequest = wire::decode(incoming.message.body())?;
    let share = target.share(request.pool)?;
    share.store()?;
    // What is not open has no transaction under way; it may hold one that is committed.
    let outcome = match share.existing(request.cont)? {
        None => TxOutcome::Aborted,
        Some(Opened { vos, dtx }) => match vos.outcome(request.tx)? {
            Some(entry) if entry.state == TxState::Committed => TxOutcome::Committed(entry.epoch),
            _ if matches!(dtx.led.borrow().get(&request.tx), Some(Led::Running(_))) => TxOutcome::Undecided,
            _ => TxOutcome::Aborted,
        },
    };
    wire::encode(&TxStatusReply { outcome })
}

/// Has an entry forgotten when no client will ask for it any more.
pub(super) fn forget_later(target: &Rc<Target>, share: &Rc<Share>, cont: Uuid, opened: &Opened, tx: Uuid) {
    let dtx = &opened.dtx;
    dtx.told.borrow_mut().push_back((Instant::now(), tx));
    if dtx.told.borrow().len() >= KEPT + FORGOTTEN {
        forget(opened, |_, left| left > KEPT);
    }
    if dtx.forgetting.replace(true) {
        return;
    }
    let (anchor, runtime) = (Anchor::new(target, share, cont), target.runtime.clone());
    let task = async move {
        loop {
            runtime.sleep(FORGET_EVERY).await;
            let Some((_, opened)) = anchor.here() else { return };
            forget(&opened, |since, _| since.elapsed() > GRACE);
            if opened.dtx.told.borrow().is_empty() {
                return opened.dtx.forgetting.set(false);
            }
        }
    };
    target.runtime.spawn(task).detach();
}

fn forget(opened: &Opened, due: impl Fn(Instant, usize) -> bool) {
    let mut told = opened.dtx.told.borrow_mut();
    let mut gone = Vec::new();
    while let Some((since, tx)) = told.front().copied().filter(|(since, _)| due(*since, told.len())) {
        let _ = since;
        gone.push(tx);
        told.pop_front();
    }
    if let Err(error) = opened.vos.forget(&gone) {
        tracing::warn!("{} entries of transactions are not forgotten: {error}", gone.len());
    }
}
