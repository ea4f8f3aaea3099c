//! Bounded bytes in flight: first come, first served.

use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// A number of bytes that requests take and give back. One request larger than the whole is let in alone.
pub struct Budget {
    limit: u64,
    used: Cell<u64>,
    waiting: RefCell<VecDeque<(u64, oneshot::Sender<Held>)>>,
}

/// Bytes taken from a budget; dropped, they return.
pub struct Held {
    budget: Rc<Budget>,
    bytes: u64,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Rc<Budget> {
        Rc::new(Budget { limit, used: Cell::new(0), waiting: RefCell::default() })
    }

    /// Takes `bytes`, waiting for its turn.
    pub async fn take(self: &Rc<Self>, bytes: u64) -> Held {
        let waits = !self.waiting.borrow().is_empty() || !self.fits(bytes);
        if !waits {
            return self.hold(bytes);
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push_back((bytes, sender));
        match receiver.await {
            Ok(held) => held,
            // The queue is dropped only with the budget itself, which `self` keeps alive.
            Err(_) => self.hold(bytes),
        }
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.used.get()
    }

    fn fits(&self, bytes: u64) -> bool {
        self.used.get() == 0 || self.used.get().saturating_add(bytes) <= self.limit
    }

    fn hold(self: &Rc<Self>, bytes: u64) -> Held {
        self.used.set(self.used.get().saturating_add(bytes));
        Held { budget: self.clone(), bytes }
    }

    fn admit(self: &Rc<Self>) {
        loop {
            let next = {
                let mut waiting = self.waiting.borrow_mut();
                match waiting.front() {
                    Some((bytes, _)) if self.fits(*bytes) => waiting.pop_front(),
                    _ => None,
                }
            };
            let Some((bytes, sender)) = next else { return };
            // A waiter that is gone drops what it was given, which comes back here.
            let _ = sender.send(self.hold(bytes));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.set(self.budget.used.get().saturating_sub(self.bytes));
        self.budget.clone().admit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Aim: the limit holds, waiters get in in order, an oversized one gets in alone, a waiter that gave up costs nothing.
    #[test]
    fn limit_order_and_oversize() {
        let budget = Budget::new(100);
        let first = budget.take(60).now_or_never().unwrap();
        let mut big = Box::pin(budget.take(500));
        let mut small = Box::pin(budget.take(10));
        assert!(big.as_mut().now_or_never().is_none());
        assert!(small.as_mut().now_or_never().is_none());
        drop(first);
        let big = big.as_mut().now_or_never().unwrap();
        assert!(small.as_mut().now_or_never().is_none());
        drop(small);
        drop(big);
        assert_eq!(budget.used(), 0);
    }
}
