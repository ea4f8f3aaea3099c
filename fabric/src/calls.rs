//! Calls that wait for their reply.
//!
//! A call's id is its slot's number and generation: a late reply to a call that was given up finds another generation
//! and is dropped. Deadlines are not in a queue of their own: the table remembers the earliest one that it has seen
//! and is swept when that has passed, so that a call costs no ordered insertion.

use crate::peer::PeerEntry;
use crate::{Reply, endpoint::Core};
use daos_common::{Der, Error, Result};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

enum State {
    Free,
    Waiting { peer: Rc<PeerEntry>, deadline: Instant, opcode: u16, waker: Option<Waker> },
    Done(Result<Reply>),
}

struct Slot {
    generation: u32,
    state: State,
}

/// The calls of an endpoint.
#[derive(Default)]
pub(crate) struct Calls {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// No deadline is earlier; `None`: nobody waits.
    next_sweep: Option<Instant>,
    waiting: usize,
}

impl Calls {
    /// A new call; its id is never 0.
    pub(crate) fn start(&mut self, peer: &Rc<PeerEntry>, opcode: u16, deadline: Instant) -> u64 {
        let state = State::Waiting { peer: peer.clone(), deadline, opcode, waker: None };
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot { generation: 1, state: State::Free });
                (self.slots.len() - 1) as u32
            }
        };
        let slot = &mut self.slots[index as usize];
        slot.state = state;
        peer.calls.set(peer.calls.get() + 1);
        self.waiting += 1;
        self.next_sweep = Some(self.next_sweep.map_or(deadline, |next| next.min(deadline)));
        u64::from(slot.generation) << 32 | u64::from(index)
    }

    fn slot(&mut self, id: u64) -> Option<&mut Slot> {
        let slot = self.slots.get_mut((id & 0xffff_ffff) as usize)?;
        (u64::from(slot.generation) == id >> 32).then_some(slot)
    }

    /// Whether `id` waits, and for `peer`.
    pub(crate) fn waits_for(&mut self, id: u64, peer_instance: u64) -> Option<Rc<PeerEntry>> {
        match self.slot(id) {
            Some(Slot { state: State::Waiting { peer, .. }, .. }) => {
                let known = peer.instance.get();
                (known == 0 || known == peer_instance).then(|| peer.clone())
            }
            _ => None,
        }
    }

    /// Ends a waiting call; the waker to wake.
    pub(crate) fn finish(&mut self, id: u64, result: Result<Reply>) -> Option<Waker> {
        let slot = self.slot(id)?;
        if !matches!(slot.state, State::Waiting { .. }) {
            return None;
        }
        let State::Waiting { peer, waker, .. } = std::mem::replace(&mut slot.state, State::Done(result)) else {
            return None;
        };
        peer.calls.set(peer.calls.get().saturating_sub(1));
        self.waiting -= 1;
        waker
    }

    /// Frees a call's slot, in whatever state; what it held is for the caller to drop.
    fn forget(&mut self, id: u64) -> Option<Result<Reply>> {
        let slot = self.slot(id)?;
        let state = std::mem::replace(&mut slot.state, State::Free);
        slot.generation = slot.generation.wrapping_add(1).max(1);
        self.free.push((id & 0xffff_ffff) as u32);
        match state {
            State::Waiting { peer, .. } => {
                peer.calls.set(peer.calls.get().saturating_sub(1));
                self.waiting -= 1;
                None
            }
            State::Done(result) => Some(result),
            State::Free => None,
        }
    }

    /// Calls that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// When to sweep next.
    pub(crate) fn next_sweep(&self) -> Option<Instant> {
        self.next_sweep.filter(|_| self.waiting > 0)
    }

    /// Ends every call whose deadline has passed; the wakers to wake.
    pub(crate) fn sweep(&mut self, now: Instant) -> Vec<Waker> {
        if self.next_sweep.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let mut next = None::<Instant>;
        let mut late = Vec::new();
        for (index, slot) in self.slots.iter().enumerate() {
            if let State::Waiting { deadline, peer, opcode, .. } = &slot.state {
                if *deadline <= now {
                    let id = u64::from(slot.generation) << 32 | index as u64;
                    let what = format!("no answer from {} to request {opcode} in time", peer.uri);
                    late.push((id, Error::new(Der::TIMEDOUT, what)));
                } else {
                    next = Some(next.map_or(*deadline, |next| next.min(*deadline)));
                }
            }
        }
        self.next_sweep = next;
        late.into_iter().filter_map(|(id, error)| self.finish(id, Err(error))).collect()
    }

    /// Ends every call to `peer`; the wakers to wake.
    pub(crate) fn fail_peer(&mut self, peer: &PeerEntry, error: &Error) -> Vec<Waker> {
        let ids: Vec<u64> = (self.slots.iter().enumerate())
            .filter(
                |(_, slot)| matches!(&slot.state, State::Waiting { peer: p, .. } if std::ptr::eq(Rc::as_ptr(p), peer)),
            )
            .map(|(index, slot)| u64::from(slot.generation) << 32 | index as u64)
            .collect();
        ids.into_iter().filter_map(|id| self.finish(id, Err(error.clone()))).collect()
    }
}

/// A call under way.
pub(crate) struct Call {
    core: Rc<Core>,
    /// The call, or the error that kept it from starting.
    started: Result<u64>,
}

impl Call {
    pub(crate) fn new(core: Rc<Core>, started: Result<u64>) -> Call {
        Call { core, started }
    }
}

impl Future for Call {
    type Output = Result<Reply>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let id = match &self.started {
            Ok(id) => *id,
            Err(error) => return Poll::Ready(Err(error.clone())),
        };
        let mut calls = self.core.calls.borrow_mut();
        if let Some(Slot { state: State::Waiting { waker, .. }, .. }) = calls.slot(id) {
            match waker {
                Some(old) if old.will_wake(context.waker()) => {}
                _ => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        let result = calls.forget(id);
        drop(calls);
        let over = Error::new(Der::INVAL, "a finished call was polled again");
        self.started = Err(over.clone());
        Poll::Ready(result.unwrap_or(Err(over)))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Ok(id) = self.started {
            // A reply that came gives its buffer back outside of the table's borrow.
            let result = self.core.calls.borrow_mut().forget(id);
            drop(result);
        }
    }
}
