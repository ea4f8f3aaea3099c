//! Recognises resends: an update or punch is identified by its handle and operation UUID.
//!
//! A resend of one that is done gets the same answer; of one under way, it waits for it; of one that failed, it is
//! tried again. The last [`KEPT`] are remembered, in memory: after a restart of the engine a resend is carried out again,
//! with the same data.

use daos_common::{Epoch, Result};
use futures_channel::oneshot;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Operations remembered: at 100,000 a second a resend may come 0.3 s late at the worst.
const KEPT: usize = 32 * 1024;

type Key = (Uuid, Uuid);

enum State {
    Running(Vec<oneshot::Sender<Option<Epoch>>>),
    Done(Epoch),
}

#[derive(Default)]
struct Table {
    states: HashMap<Key, State>,
    done: VecDeque<Key>,
}

/// The table of one target.
#[derive(Default)]
pub struct Operations {
    table: RefCell<Table>,
}

/// What to do with a request.
pub enum Verdict<'a> {
    /// It is new: do it and say how it went.
    New(Running<'a>),
    /// It was done, at this epoch.
    Done(Epoch),
}

/// An operation under way; dropped without [`Running::done`] it counts as failed.
pub struct Running<'a> {
    operations: &'a Operations,
    key: Option<Key>,
}

impl Operations {
    /// Looks an operation up; waits while it is under way. A nil UUID stands for itself only.
    pub async fn begin(&self, handle: Uuid, operation: Uuid) -> Verdict<'_> {
        if operation.is_nil() {
            return Verdict::New(Running { operations: self, key: None });
        }
        let key = (handle, operation);
        loop {
            let receiver = match self.table.borrow_mut().states.get_mut(&key) {
                Some(State::Done(epoch)) => return Verdict::Done(*epoch),
                Some(State::Running(waiting)) => {
                    let (sender, receiver) = oneshot::channel();
                    waiting.push(sender);
                    Some(receiver)
                }
                None => None,
            };
            match receiver {
                Some(receiver) => {
                    if let Ok(Some(epoch)) = receiver.await {
                        return Verdict::Done(epoch);
                    }
                }
                None => {
                    self.table.borrow_mut().states.insert(key, State::Running(Vec::new()));
                    return Verdict::New(Running { operations: self, key: Some(key) });
                }
            }
        }
    }

    fn settle(&self, key: Key, outcome: Option<Epoch>) {
        let mut table = self.table.borrow_mut();
        let before = match outcome {
            Some(epoch) => {
                table.done.push_back(key);
                table.states.insert(key, State::Done(epoch))
            }
            None => table.states.remove(&key),
        };
        while table.done.len() > KEPT {
            if let Some(oldest) = table.done.pop_front() {
                table.states.remove(&oldest);
            }
        }
        drop(table);
        if let Some(State::Running(waiting)) = before {
            for waiter in waiting {
                let _ = waiter.send(outcome);
            }
        }
    }
}

impl Running<'_> {
    /// It succeeded at `epoch`.
    pub fn done(mut self, epoch: Epoch) {
        if let Some(key) = self.key.take() {
            self.operations.settle(key, Some(epoch));
        }
    }

    /// Takes note of how it went.
    pub fn settle(self, outcome: &Result<Epoch>) {
        if let Ok(epoch) = outcome {
            self.done(*epoch);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.operations.settle(key, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Aim: done → same answer; under way → waits; failed → tried again; old ones are forgotten.
    #[test]
    fn resends() {
        let operations = Operations::default();
        let (handle, operation) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let Some(Verdict::New(running)) = operations.begin(handle, operation).now_or_never() else { panic!() };
        let mut resend = Box::pin(operations.begin(handle, operation));
        assert!(resend.as_mut().now_or_never().is_none());
        drop(running);
        let Some(Verdict::New(running)) = resend.as_mut().now_or_never() else { panic!() };
        running.done(42);
        assert!(matches!(operations.begin(handle, operation).now_or_never(), Some(Verdict::Done(42))));
        for number in 0..KEPT as u128 {
            let verdict = operations.begin(handle, Uuid::from_u128(1000 + number)).now_or_never();
            let Some(Verdict::New(running)) = verdict else { panic!() };
            running.done(1);
        }
        assert!(matches!(operations.begin(handle, operation).now_or_never(), Some(Verdict::New(_))));
    }
}
