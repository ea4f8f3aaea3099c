//! Timers of a runtime.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

/// Wakers by time; a number tells two of the same time apart.
#[derive(Default)]
pub(crate) struct Timers {
    pending: BTreeMap<(Instant, u64), Waker>,
    next: u64,
}

impl Timers {
    /// Sets a timer; the key to cancel it.
    pub(crate) fn set(&mut self, at: Instant, waker: Waker) -> (Instant, u64) {
        self.next += 1;
        let key = (at, self.next);
        self.pending.insert(key, waker);
        key
    }

    /// Replaces the waker of a timer that has not fired.
    pub(crate) fn replace(&mut self, key: (Instant, u64), waker: &Waker) {
        if let Some(old) = self.pending.get_mut(&key) {
            old.clone_from(waker);
        }
    }

    pub(crate) fn cancel(&mut self, key: (Instant, u64)) {
        self.pending.remove(&key);
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.pending.keys().next().map(|(at, _)| *at)
    }

    /// One that is due, taken out.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Waker> {
        let first = self.pending.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
