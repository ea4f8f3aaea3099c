//! Progress contexts: one fabric endpoint with the executor that drives it.
//!
//! A blocking call uses the context of its own thread and drives it until the call is done. An event queue has a
//! [`SharedContext`] that whoever calls the queue drives. There are no hidden threads: nothing happens while nobody
//! drives.

use crate::confined::Confined;
use crate::system::System;
use crate::{fork, process};
use daos_common::{Der, Rank, Result};
use daos_fabric::{Endpoint, Peer, RemoteWaker, Runtime};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One endpoint and its executor.
pub struct Context {
    system: Arc<System>,
    runtime: Runtime,
    endpoint: Endpoint,
    peers: RefCell<Peers>,
    operation_base: u64,
    operation_next: Cell<u64>,
}

/// Peers resolved so far, valid for one version of the system's addresses.
struct Peers {
    version: u64,
    resolved: HashMap<(Rank, u32), Peer>,
}

impl Context {
    fn open(system: Arc<System>) -> Result<Rc<Context>> {
        // The fabric's library has locks of its own.
        let _section = fork::section();
        let endpoint = Endpoint::open(system.fabric())?;
        Context::over(system, endpoint)
    }

    /// A context over an endpoint that is open already.
    pub(crate) fn over(system: Arc<System>, endpoint: Endpoint) -> Result<Rc<Context>> {
        let peers = Peers { version: system.addresses_version(), resolved: HashMap::new() };
        Ok(Rc::new(Context {
            runtime: Runtime::new(endpoint.clone())?,
            endpoint,
            peers: RefCell::new(peers),
            operation_base: Uuid::new_v4().as_u64_pair().0,
            operation_next: Cell::new(0),
            system,
        }))
    }

    /// The system it is attached to.
    pub fn system(&self) -> &Arc<System> {
        &self.system
    }

    /// The executor.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The endpoint.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A number for an operation that no other operation of any client has.
    pub(crate) fn operation(&self) -> Uuid {
        let number = self.operation_next.get();
        self.operation_next.set(number + 1);
        Uuid::from_u64_pair(self.operation_base, number)
    }

    pub(crate) fn known_peer(&self, rank: Rank, context: u32) -> Option<Peer> {
        let mut peers = self.peers.borrow_mut();
        let version = self.system.addresses_version();
        if peers.version != version {
            *peers = Peers { version, resolved: HashMap::new() };
        }
        peers.resolved.get(&(rank, context)).cloned()
    }

    pub(crate) fn learn_peer(&self, rank: Rank, context: u32, uri: &str) -> Result<Peer> {
        let peer = self.endpoint.peer(uri).map_err(|error| error.at(format_args!("address of rank {rank}")))?;
        self.peers.borrow_mut().resolved.insert((rank, context), peer.clone());
        Ok(peer)
    }

    fn is_current(&self) -> bool {
        process::is_current(self.system.identity(), self.system.fork_depth())
    }
}

/// The calling thread's context, if it has one.
struct ThreadSlot(RefCell<Option<Rc<Context>>>);

thread_local! {
    static THREAD: ThreadSlot = const { ThreadSlot(RefCell::new(None)) };
}

impl Drop for ThreadSlot {
    fn drop(&mut self) {
        if let Some(context) = self.0.get_mut().take() {
            discard(context);
        }
    }
}

/// Drops a context, unless a parent process owns its connections.
fn discard(context: Rc<Context>) {
    if context.system.fork_depth() != fork::depth() {
        std::mem::forget(context);
        return;
    }
    let _section = fork::section();
    drop(context);
}

/// Runs a future on the calling thread's context until it is done.
///
/// # Errors
/// `UNINIT`: the library is not initialised (in this process); what opening an endpoint answers; what the future does.
pub fn block_on<T, F: Future<Output = Result<T>>>(make: impl FnOnce(Rc<Context>) -> F) -> Result<T> {
    let mut held = THREAD.try_with(|slot| slot.0.borrow_mut().take()).ok().flatten();
    if held.as_ref().is_some_and(|context| !context.is_current())
        && let Some(stale) = held.take()
    {
        discard(stale);
    }
    // Empty also while this thread is inside another call of ours (a completion callback): that one gets its own.
    let context = match held {
        Some(context) => context,
        None => Context::open(process::system()?)?,
    };
    let result = context.runtime.block_on(make(context.clone()));
    let _ = THREAD.try_with(|slot| {
        let previous = slot.0.borrow_mut().replace(context);
        previous.map(discard)
    });
    result
}

/// Closes the calling thread's context; others close when their threads next use or leave the library.
pub fn close_thread_context() {
    if let Ok(Some(context)) = THREAD.try_with(|slot| slot.0.borrow_mut().take()) {
        discard(context);
    }
}

/// A context that any thread may drive, one at a time, with state of its user under the same lock.
///
/// One thread at a time is the driver and sleeps under the lock; a thread that only wants in for a moment (to launch
/// an operation) wakes it and goes first; further threads that want to drive wait for the driver's turns to end and
/// look in between.
pub struct SharedContext<S: 'static> {
    inner: Mutex<Confined<Inner<S>>>,
    /// The thread that holds the lock (see [`this_thread`]); 0: none.
    holder: AtomicUsize,
    /// Threads that wait for the lock while the driver holds it.
    waiting: AtomicUsize,
    /// Whether somebody drives, and the signal that something happened or the driver left.
    driver: Mutex<bool>,
    happened: Condvar,
    waker: RemoteWaker,
    identity: u64,
    fork_depth: u32,
}

/// How often a second thread that polls the same queue looks for itself.
const SECOND_LOOK: Duration = Duration::from_millis(5);

struct Inner<S> {
    context: ManuallyDrop<Rc<Context>>,
    state: Rc<S>,
}

#[allow(unsafe_code)]
impl<S> Drop for Inner<S> {
    fn drop(&mut self) {
        // In a fork's child the connections are the parent's.
        // SAFETY: taken once, here.
        discard(unsafe { ManuallyDrop::take(&mut self.context) });
    }
}

impl<S: 'static> SharedContext<S> {
    /// A context of the attached system.
    ///
    /// # Errors
    /// `UNINIT`; what opening an endpoint answers.
    pub fn open(state: S) -> Result<SharedContext<S>> {
        let context = Context::open(process::system()?)?;
        let (identity, fork_depth) = (context.system.identity(), context.system.fork_depth());
        let waker = context.runtime.remote_waker();
        let inner = confine(Inner { context: ManuallyDrop::new(context), state: Rc::new(state) });
        let (holder, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (driver, happened) = (Mutex::new(false), Condvar::new());
        Ok(SharedContext { inner, holder, waiting, driver, happened, waker, identity, fork_depth })
    }

    /// Whether the process that opened it is this one and still attached to the same system.
    pub fn is_current(&self) -> bool {
        process::is_current(self.identity, self.fork_depth)
    }

    /// Whether a fork's child inherited it.
    pub fn is_inherited(&self) -> bool {
        fork::depth() != self.fork_depth
    }

    /// Runs `work` under the lock, waking the thread that sleeps under it.
    ///
    /// # Errors
    /// `UNINIT`: the context belongs to the parent of this process, or the library was finalised. `BUSY`: this
    /// thread is inside already.
    pub fn enter<R>(&self, work: impl FnOnce(&Rc<Context>, &Rc<S>) -> R) -> Result<R> {
        if !self.is_current() {
            return Err(Der::UNINIT.err("the event queue was made before the library was (re)initialised"));
        }
        let guard = match self.inner.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if self.holder.load(Ordering::Relaxed) == this_thread() => {
                return Err(Der::BUSY.err("this thread is in the queue already"));
            }
            Err(TryLockError::WouldBlock) => {
                self.waiting.fetch_add(1, Ordering::AcqRel);
                self.waker.wake();
                let guard = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                self.waiting.fetch_sub(1, Ordering::AcqRel);
                guard
            }
        };
        self.holder.store(this_thread(), Ordering::Relaxed);
        // Also when `work` panics: the lock is then poisoned, which is ignored, and the holder must not stay.
        let _leave = OnDrop(&self.holder);
        let inner = guard.get();
        Ok(work(&inner.context, &inner.state))
    }

    /// Drives the context until `done`, which runs under the lock, says so or `timeout` passed (`None`: no limit); at
    /// least one turn. Whether it was done.
    ///
    /// # Errors
    /// As [`SharedContext::enter`].
    pub fn drive(&self, timeout: Option<Duration>, mut done: impl FnMut(&Rc<S>) -> bool) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let left = || match deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::from_secs(3600),
        };
        loop {
            let drives = self.become_driver();
            let outcome = self.enter(|context, state| self.drive_locked(context, state, drives, &left, &mut done));
            if drives {
                *self.driver.lock().unwrap_or_else(PoisonError::into_inner) = false;
                self.happened.notify_all();
            }
            if let Some(finished) = outcome? {
                return Ok(finished);
            }
            if drives {
                // Others want in for a moment: they come first.
                while self.waiting.load(Ordering::Acquire) > 0 {
                    std::thread::yield_now();
                }
            } else {
                let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = self.happened.wait_timeout_while(driver, left().min(SECOND_LOOK), |driven| *driven);
            }
        }
    }

    fn become_driver(&self) -> bool {
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        !std::mem::replace(&mut *driver, true)
    }

    /// `None`: to be continued, after others had their turn.
    fn drive_locked(
        &self,
        context: &Rc<Context>,
        state: &Rc<S>,
        drives: bool,
        left: &impl Fn() -> Duration,
        done: &mut impl FnMut(&Rc<S>) -> bool,
    ) -> Option<bool> {
        loop {
            context.runtime.turn();
            if done(state) {
                return Some(true);
            }
            let left = left();
            if left.is_zero() {
                return Some(false);
            }
            if !drives || self.waiting.load(Ordering::Acquire) > 0 {
                return None;
            }
            context.runtime.wait(left);
        }
    }
}

/// Clears the holder of a lock.
struct OnDrop<'a>(&'a AtomicUsize);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A number that no other living thread has; not 0.
fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.try_with(|here| std::ptr::from_ref(here).addr()).unwrap_or(1)
}

#[allow(unsafe_code)]
fn confine<S>(inner: Inner<S>) -> Mutex<Confined<Inner<S>>> {
    // SAFETY: the context was made here and has no clone elsewhere; `SharedContext` hands out references only under
    // its mutex, and what runs on the context (futures that hold clones) is polled and dropped only by it.
    Mutex::new(unsafe { Confined::new(inner) })
}
