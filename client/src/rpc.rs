//! Requests to ranks: addresses found when needed, failures retried by one set of rules.
//!
//! | answer | what happens |
//! |---|---|
//! | UNREACH | addresses forgotten, retried with back-off; given up after a few seconds of nothing but this |
//! | TIMEDOUT, INPROGRESS, TX_BUSY, OVERLOAD_RETRY, NOREPLY, HG | retried with back-off until the operation's time is over |
//! | NOTLEADER, NOTREPLICA | (service calls) the next rank of the service |
//! | STALE | (objects) the pool map is fetched and the operation placed anew |
//! | anything else | returned |
//!
//! A resend carries the same operation number, so that an update whose reply was lost is not applied twice.

use crate::context::Context;
use daos_common::wire::mgmt::{RankInfoReply, RankInfoRequest};
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Error, Rank, Result};
use daos_fabric::{Peer, Reply, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// How long a rank may refuse connections before an operation fails.
const UNREACHABLE_LIMIT: Duration = Duration::from_secs(4);
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The retry state of one operation.
pub(crate) struct Retry {
    began: Instant,
    limit: Duration,
    /// Pauses made, all and since the rank became unreachable. They count beside the clock, which need not be the
    /// fabric's.
    paused: Duration,
    unreachable: Option<(Instant, Duration)>,
    unreachable_limit: Duration,
    pause: Duration,
}

impl Retry {
    pub(crate) fn new(context: &Context) -> Retry {
        let limit = context.system().operation_timeout();
        let (began, paused) = (Instant::now(), Duration::ZERO);
        let unreachable_limit = UNREACHABLE_LIMIT;
        Retry { began, limit, paused, unreachable: None, unreachable_limit, pause: FIRST_PAUSE }
    }

    /// For an operation whose outcome matters more than an early answer: a rank that refuses connections may take all the
    /// time that the operation has.
    pub(crate) fn patient(context: &Context) -> Retry {
        let retry = Retry::new(context);
        Retry { unreachable_limit: retry.limit, ..retry }
    }

    /// Time left for the operation.
    pub(crate) fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.spent()).max(Duration::from_millis(1))
    }

    /// Waits before another attempt, or gives the error back because there must be none.
    pub(crate) async fn after(&mut self, context: &Rc<Context>, error: Error) -> Result<()> {
        if !self.allows(&error) {
            return Err(error);
        }
        tracing::debug!("retrying in {:?}: {error}", self.pause);
        context.runtime().sleep(self.pause).await;
        self.paused += self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    fn spent(&self) -> Duration {
        self.began.elapsed().max(self.paused)
    }

    fn allows(&mut self, error: &Error) -> bool {
        if self.spent() >= self.limit {
            return false;
        }
        match error.code() {
            Der::UNREACH => {
                let (since, paused) = *self.unreachable.get_or_insert((Instant::now(), self.paused));
                since.elapsed().max(self.paused - paused) < self.unreachable_limit
            }
            code => {
                self.unreachable = None;
                is_passing(code)
            }
        }
    }
}

/// Does `work`, which blocks, while `future` is under way: after its first message went out.
pub(crate) async fn meanwhile<F: Future, T>(future: F, work: impl FnOnce() -> T) -> (F::Output, T) {
    let mut future = pin!(future);
    let begun = poll_fn(|task| Poll::Ready(future.as_mut().poll(task))).await;
    let done = work();
    match begun {
        Poll::Ready(output) => (output, done),
        Poll::Pending => (future.await, done),
    }
}

/// Whether an answer may change by itself in a short while.
fn is_passing(code: Der) -> bool {
    matches!(
        code,
        Der::TIMEDOUT
            | Der::INPROGRESS
            | Der::TX_BUSY
            | Der::OVERLOAD_RETRY
            | Der::NOREPLY
            | Der::HG
            | Der::STALE
            | Der::NOTLEADER
            | Der::NOTREPLICA
    )
}

impl Context {
    /// Sends an encoded request to one context of a rank, once.
    pub(crate) async fn send(
        &self,
        rank: Rank,
        context: u32,
        opcode: Opcode,
        body: Vec<u8>,
        payload: &[&[u8]],
        timeout: Duration,
    ) -> Result<Reply> {
        let peer = match self.known_peer(rank, context) {
            Some(peer) => peer,
            None => self.find_peer(rank, context, timeout).await?,
        };
        let request = Request { opcode: opcode as u16, body, payload, timeout };
        let reply = self.endpoint().call(&peer, request).await;
        reply.map_err(|error| {
            if error.code() == Der::UNREACH {
                self.system().forget_rank(rank);
            }
            error.at(format_args!("{opcode:?} at rank {rank}"))
        })
    }

    /// Resolves a context of a rank, asking the rank for its addresses unless they are known.
    async fn find_peer(&self, rank: Rank, context: u32, timeout: Duration) -> Result<Peer> {
        if context == 0 {
            let uri = self.system().service_uri(rank)?;
            return self.learn_peer(rank, 0, &uri);
        }
        let info = match self.system().known_rank(rank) {
            Some(info) => info,
            None => {
                let info = self.ask_rank(rank, timeout).await?;
                self.system().learn_rank(rank, info)
            }
        };
        match info.context_uris.get(context as usize) {
            Some(uri) => self.learn_peer(rank, context, uri),
            None => Err(Der::STALE.err(format!("rank {rank} has no target {}", context.saturating_sub(1)))),
        }
    }

    async fn ask_rank(&self, rank: Rank, timeout: Duration) -> Result<RankInfoReply> {
        let peer = match self.known_peer(rank, 0) {
            Some(peer) => peer,
            None => self.learn_peer(rank, 0, &self.system().service_uri(rank)?)?,
        };
        let body = encode(&RankInfoRequest { system: self.system().name().to_owned() })?;
        let request = Request { opcode: Opcode::RankInfo as u16, body, payload: &[], timeout };
        let reply = self.endpoint().call(&peer, request).await;
        let reply = reply.map_err(|error| {
            if error.code() == Der::UNREACH {
                self.system().forget_rank(rank);
            }
            error.at(format_args!("RankInfo at rank {rank}"))
        })?;
        let info: RankInfoReply = decode(reply.message.body())?;
        if info.rank != rank {
            self.system().forget_rank(rank);
            let _ = self.system().refresh_uris();
            return Err(Der::STALE.err(format!("the engine at the address of rank {rank} is rank {}", info.rank)));
        }
        Ok(info)
    }

    /// Calls a service that one of `ranks` leads, until one answers for good. The ranks are asked in order, the first
    /// first; `ranks` is called anew for every attempt.
    pub(crate) async fn call_service<Q: Serialize, R: DeserializeOwned>(
        self: &Rc<Self>,
        ranks: impl Fn() -> Vec<Rank>,
        opcode: Opcode,
        body: &Q,
    ) -> Result<R> {
        let mut retry = Retry::new(self);
        let body = encode(body)?;
        for turn in 0.. {
            let ranks = ranks();
            let Some(&rank) = ranks.get(turn % ranks.len().max(1)) else {
                return Err(Der::NO_SERVICE.err(format!("{opcode:?}: no rank of the service is known")));
            };
            match self.send(rank, 0, opcode, body.clone(), &[], retry.remaining()).await {
                Ok(reply) => return decode(reply.message.body()),
                Err(error) => {
                    if error.code() == Der::UNREACH {
                        let _ = self.system().refresh_uris();
                    }
                    retry.after(self, error).await?;
                }
            }
        }
        Err(Der::NO_SERVICE.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::cell::{Cell, RefCell};

    /// Aim: the future begins before the work and ends after it, also one that is done at once.
    #[test]
    fn work_is_done_between_message_and_answer() {
        let order = RefCell::new(Vec::new());
        let note = |what: &'static str| order.borrow_mut().push(what);
        let answered = Cell::new(false);
        let call = async {
            note("sent");
            poll_fn(|_| if answered.get() { Poll::Ready(()) } else { Poll::Pending }).await;
            note("answered");
            7
        };
        let work = || {
            note("work");
            answered.set(true);
            8
        };
        assert_eq!(meanwhile(call, work).now_or_never(), Some((7, 8)));
        assert_eq!(*order.borrow(), ["sent", "work", "answered"]);
        assert_eq!(meanwhile(async { 1 }, || 2).now_or_never(), Some((1, 2)));
    }
}
