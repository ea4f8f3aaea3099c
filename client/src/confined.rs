//! A value that many threads use, one at a time.
//!
//! A fabric endpoint and everything made from it (peers, tasks, replies) is `Rc`-based and bound to whoever drives
//! it. An event queue may be driven by any thread, so its context sits in a [`Confined`] behind the queue's mutex:
//! every clone of its `Rc`s lives inside, and is made, used and dropped only under that mutex.
#![allow(unsafe_code)]

/// Moves a value that isn't `Send` between threads, under a promise.
pub(crate) struct Confined<T>(T);

// SAFETY: `Confined::new` is unsafe and its contract is exactly that no part of the value is touched by two threads at
// the same time, and that no clone of an `Rc` in it lives outside the same exclusion.
unsafe impl<T> Send for Confined<T> {}

impl<T> Confined<T> {
    /// Confines a value.
    ///
    /// # Safety
    /// The caller keeps the value behind one mutex, together with every clone of every `Rc` reachable from it, and
    /// lets no reference derived from it outlive the guard.
    pub(crate) unsafe fn new(value: T) -> Confined<T> {
        Confined(value)
    }

    /// The value, for as long as the mutex around it is held.
    pub(crate) fn get(&self) -> &T {
        &self.0
    }
}
