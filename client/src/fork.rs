//! Forks: noticed, and never in the middle of a change.
//!
//! Fabric connections cannot be shared with the parent, so a child that goes on without `daos_reinit` must be told
//! UNINIT and must not touch, nor tear down, what it inherited. The C library calls us back in the child
//! (`pthread_atfork`), which costs nothing on the data path: every context compares one atomic number.
//!
//! Other threads don't exist in the child, so a lock that one of them held at the fork would be held for ever. What is
//! shared by threads is therefore touched within a [`Section`] ([`Shared`] is a lock that does so itself), and a fork
//! waits until no thread is in one: sections are short and never wait for the network. A section costs one
//! uncontended lock; threads are spread over [`GATES`], so that they don't fight for one cache line.
//!
//! Order of locks: that of the process's state, then a section. Nothing within a section may take the state's.
#![allow(unsafe_code)]

use crate::process;
use std::cell::{Cell, UnsafeCell};
use std::io::StderrLock;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static FORKS: AtomicU32 = AtomicU32::new(0);
static REGISTER: Once = Once::new();

/// A gate on a cache line of its own.
#[repr(align(128))]
struct Gate(RwLock<()>);

static GATES: [Gate; 16] = [const { Gate(RwLock::new(())) }; 16];

thread_local! {
    /// The thread's gate, and how many sections it is in.
    static THREAD: (usize, Cell<u32>) = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        (NEXT.fetch_add(1, Ordering::Relaxed) % GATES.len(), Cell::new(0))
    };
}

/// What the forking thread holds from before the fork until after it, in parent and child.
struct Held {
    _state: process::Held,
    _gates: [RwLockWriteGuard<'static, ()>; GATES.len()],
    _log: StderrLock<'static>,
}

struct Place(UnsafeCell<Option<Held>>);

// SAFETY: written and emptied only by the thread that forks, while it holds the process's state.
unsafe impl Sync for Place {}

static HELD: Place = Place(UnsafeCell::new(None));

/// Begins to watch for forks; called at every initialisation, effective once.
pub(crate) fn watch() {
    REGISTER.call_once(|| {
        // SAFETY: the handlers are plain functions.
        let rc = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
        if rc != 0 {
            tracing::warn!("forks cannot be noticed (pthread_atfork: errno {rc}); do not use DAOS in a forked child");
        }
    });
}

/// How many forks lie between the process that first initialised the library and this one.
pub(crate) fn depth() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

extern "C" fn before() {
    // A thread that forks within a section has it to itself.
    if THREAD.try_with(|(_, nested)| nested.get() > 0).unwrap_or(true) {
        return;
    }
    let state = process::hold();
    let gates = GATES.each_ref().map(|gate| gate.0.write().unwrap_or_else(PoisonError::into_inner));
    let held = Held { _state: state, _gates: gates, _log: std::io::stderr().lock() };
    // SAFETY: this thread holds the state: nobody else is between `before` and the end of a fork.
    unsafe { *HELD.0.get() = Some(held) };
}

/// Lets go of what `before` took.
fn release() {
    if THREAD.try_with(|(_, nested)| nested.get() > 0).unwrap_or(true) {
        return;
    }
    // SAFETY: as in `before`; the state is let go when the value drops, after it was taken out.
    let held = unsafe { (*HELD.0.get()).take() };
    drop(held);
}

extern "C" fn in_parent() {
    release();
}

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    release();
}

/// No fork happens while a thread holds one.
#[must_use]
pub struct Section {
    gate: Option<RwLockReadGuard<'static, ()>>,
    counted: bool,
    /// A section belongs to its thread.
    thread: PhantomData<*const ()>,
}

/// Enters a section; within one of the same thread that is free.
pub fn section() -> Section {
    let entered = THREAD.try_with(|(gate, nested)| {
        let outermost = nested.get() == 0;
        let gate = outermost.then(|| GATES[*gate].0.read().unwrap_or_else(PoisonError::into_inner));
        nested.set(nested.get() + 1);
        gate
    });
    let counted = entered.is_ok();
    Section { gate: entered.ok().flatten(), counted, thread: PhantomData }
}

impl Drop for Section {
    fn drop(&mut self) {
        if self.counted {
            let _ = THREAD.try_with(|(_, nested)| nested.set(nested.get() - 1));
        }
        self.gate = None;
    }
}

/// A lock that no fork finds taken.
pub struct Shared<T: ?Sized>(RwLock<T>);

/// A value that others may read meanwhile.
pub struct Reading<'a, T: ?Sized> {
    // Dropped before the section.
    guard: RwLockReadGuard<'a, T>,
    _section: Section,
}

/// A value that nobody else sees meanwhile.
pub struct Writing<'a, T: ?Sized> {
    guard: RwLockWriteGuard<'a, T>,
    _section: Section,
}

impl<T> Shared<T> {
    /// A lock around a value.
    pub const fn new(value: T) -> Shared<T> {
        Shared(RwLock::new(value))
    }

    /// Takes it for reading. What a panic left is taken as it is.
    pub fn read(&self) -> Reading<'_, T> {
        let section = section();
        Reading { guard: self.0.read().unwrap_or_else(PoisonError::into_inner), _section: section }
    }

    /// Takes it for changing.
    pub fn write(&self) -> Writing<'_, T> {
        let section = section();
        Writing { guard: self.0.write().unwrap_or_else(PoisonError::into_inner), _section: section }
    }
}

impl<T: ?Sized> Deref for Reading<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T: ?Sized> Deref for Writing<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T: ?Sized> DerefMut for Writing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// Aim: a child never inherits a lock that another thread held, whatever the threads do at the fork: it takes every
    /// lock that they fight for and exits, and each child ends.
    #[test]
    fn children_find_locks_free() {
        watch();
        let locks: Arc<[Shared<u64>; 3]> = Arc::new([Shared::new(0), Shared::new(0), Shared::new(0)]);
        let stop = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (locks, stop) = (locks.clone(), stop.clone());
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        *locks[0].write() += 1;
                        let outer = locks[1].read();
                        *locks[2].write() += *outer;
                    }
                })
            })
            .collect();
        for _ in 0..300 {
            // SAFETY: the child takes locks and leaves without running anything else.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let sum = *locks[0].write() + *locks[1].write() + *locks[2].write();
                // SAFETY: as above.
                unsafe { libc::_exit(i32::from(sum == u64::MAX)) };
            }
            let mut status = -1;
            // SAFETY: a child of this process.
            unsafe { libc::waitpid(child, &mut status, 0) };
            assert_eq!(status, 0);
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
