//! Event queues: a progress context, the events under way and those done.
//!
//! Events that were initialised without a queue share one hidden queue of the process, which `daos_event_test` drives.
//! Calls that poll, launch and test may come from any thread; see [`SharedContext`] for who sleeps and who goes first.
//!
//! The program's callbacks run without the lock: an operation that ends under it is put aside, with its event still running,
//! and the thread that leaves the lock next calls the callbacks and completes the event. So callbacks may launch
//! operations on the queue of their event, poll it, and block.

use crate::event::{self, Completion, Event, EventList};
use daos_client::{Context, SharedContext};
use daos_common::{Der, Error, Result};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

/// A queue.
pub(crate) struct Queue {
    context: SharedContext<Lists>,
}

/// The events of a queue, touched only under its lock.
#[derive(Default)]
pub(crate) struct Lists {
    running: RefCell<EventList>,
    completed: RefCell<EventList>,
    /// Completions with callbacks to call, oldest first.
    aside: RefCell<VecDeque<Completion>>,
    closing: Cell<bool>,
}

thread_local! {
    /// How many callbacks of the program's this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

impl Default for EventList {
    fn default() -> EventList {
        EventList::new()
    }
}

static WITHOUT_QUEUE: Mutex<Option<Arc<Queue>>> = Mutex::new(None);

/// Guard of the hidden queue's place, from before a fork until after it.
struct Held(UnsafeCell<Option<MutexGuard<'static, Option<Arc<Queue>>>>>);

// SAFETY: written and emptied only by the thread that forks, while it holds the lock.
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

extern "C" fn before_fork() {
    let guard = WITHOUT_QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: this thread holds the lock.
    unsafe { *HELD.0.get() = Some(guard) };
}

extern "C" fn after_fork() {
    // SAFETY: this thread holds the lock, until the guard drops.
    let guard = unsafe { (*HELD.0.get()).take() };
    drop(guard);
}

/// Has forks wait until nobody changes the hidden queue; effective once, after the client began to watch for forks, since
/// what is registered last is locked first.
pub(crate) fn watch_forks() {
    static ONCE: Once = Once::new();
    // SAFETY: plain functions.
    ONCE.call_once(|| _ = unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork)) });
}

impl Queue {
    /// A new queue.
    ///
    /// # Errors
    /// `UNINIT`; what opening an endpoint answers.
    pub(crate) fn open() -> Result<Arc<Queue>> {
        Ok(Arc::new(Queue { context: SharedContext::open(Lists::default())? }))
    }

    /// The queue of events that have none.
    ///
    /// # Errors
    /// As [`Queue::open`].
    pub(crate) fn hidden() -> Result<Arc<Queue>> {
        let mut hidden = WITHOUT_QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = hidden.as_ref().filter(|queue| queue.context.is_current()) {
            return Ok(queue.clone());
        }
        let queue = Queue::open()?;
        *hidden = Some(queue.clone());
        Ok(queue)
    }

    /// Drops the queue of events that have none, if this process made it.
    pub(crate) fn close_hidden() {
        let queue = WITHOUT_QUEUE.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(queue);
    }

    /// Runs `work` under the lock.
    ///
    /// # Errors
    /// `UNINIT`: the queue is of another life of the library.
    pub(crate) fn enter<R>(&self, work: impl FnOnce(&Lists) -> R) -> Result<R> {
        self.context.enter(|_, lists| work(lists))
    }

    /// Launches an operation for an event: its first messages go out before this returns.
    ///
    /// # Errors
    /// `NO_PERM`: the event is in use; `NONEXIST`: the queue is being destroyed; `UNINIT`. What `prepare` and the
    /// operation answer goes to the event.
    pub(crate) fn launch<M, F>(&self, event: Event, prepare: impl FnOnce() -> Result<M>) -> Result<()>
    where
        M: FnOnce(Rc<Context>) -> F,
        F: Future<Output = Result<()>> + 'static,
    {
        self.context.enter(|context, lists| {
            if lists.closing.get() {
                return Err(Der::NONEXIST.err("the event queue is being destroyed"));
            }
            event::launch(event, &mut lists.running.borrow_mut())?;
            let work = match prepare() {
                Ok(make) => make(context.clone()),
                Err(error) => {
                    lists.complete(event, Err(error));
                    return Ok(());
                }
            };
            let lists = lists.clone();
            let task = async move { lists.complete(event, work.await) };
            context.runtime().spawn(task).detach();
            context.runtime().turn();
            Ok(())
        })??;
        self.call_callbacks_unless_inside();
        Ok(())
    }

    /// Launches a barrier.
    ///
    /// # Errors
    /// `INVAL`: it has no children; `NO_PERM`: it is in use, or a child was not launched; `UNINIT`.
    pub(crate) fn launch_barrier(&self, event: Event) -> Result<()> {
        self.enter(|lists| {
            let done = event::launch_barrier(event, &mut lists.running.borrow_mut())?;
            if done {
                lists.end(Completion::new(event, 0));
            }
            Ok::<(), Error>(())
        })??;
        self.call_callbacks_unless_inside();
        Ok(())
    }

    /// A callback that launches what ends at once, with a callback that does so again, must not nest: whoever called the
    /// outer one calls the inner ones after it.
    fn call_callbacks_unless_inside(&self) {
        if DEPTH.get() == 0 {
            self.call_callbacks();
        }
    }

    /// Calls the callbacks of completions that were put aside, and completes their events.
    fn call_callbacks(&self) {
        // A queue of another life of the library completes nothing any more.
        while let Ok(Some(mut completion)) = self.enter(|lists| lists.aside.borrow_mut().pop_front()) {
            DEPTH.set(DEPTH.get() + 1);
            completion.call();
            DEPTH.set(DEPTH.get() - 1);
            let _ended = self.enter(|lists| lists.settle(completion));
        }
    }

    /// Drives until `done`, which runs under the lock, says so or `timeout` passed (`None`: no limit), calling callbacks in
    /// between. Whether it was done.
    ///
    /// # Errors
    /// `UNINIT`.
    fn drive(&self, timeout: Option<Duration>, mut done: impl FnMut(&Rc<Lists>) -> bool) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let mut aside = false;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let finished = self.context.drive(left, |lists| {
                aside = !lists.aside.borrow().is_empty();
                aside || done(lists)
            })?;
            if !aside {
                return Ok(finished);
            }
            self.call_callbacks();
        }
    }

    /// Waits for events: takes at most `room` finished ones. Returns when there is one, when `timeout` (`None`: no
    /// limit) has passed, or, with `only_running`, when none is under way.
    ///
    /// # Errors
    /// `NONEXIST`: the queue is being destroyed; `UNINIT`.
    pub(crate) fn poll(&self, only_running: bool, timeout: Option<Duration>, room: usize) -> Result<Vec<Event>> {
        let (mut taken, mut closing) = (Vec::new(), false);
        self.drive(timeout, |lists| {
            let mut completed = lists.completed.borrow_mut();
            let finished: Vec<Event> = completed.iter().filter(|event| event::is_finished(*event)).take(room).collect();
            for event in finished {
                event::take(event, &mut completed);
                taken.push(event);
            }
            closing = taken.is_empty() && lists.closing.get();
            // What is left of the completed ones waits for its children.
            !taken.is_empty() || closing || (only_running && lists.running.borrow().is_empty() && completed.is_empty())
        })?;
        match closing {
            true => Err(Der::NONEXIST.err("the event queue is being destroyed")),
            false => Ok(taken),
        }
    }

    /// Takes an event if it is finished: it is ready again. Whether it was; of several callers one is told so.
    ///
    /// # Errors
    /// `UNINIT`.
    pub(crate) fn take(&self, event: Event) -> Result<bool> {
        self.enter(|lists| {
            let finished = event::is_finished(event);
            if finished {
                event::take(event, &mut lists.completed.borrow_mut());
            }
            finished
        })
    }

    /// Whether the process that opened it is this one and still attached to the same system.
    pub(crate) fn is_current(&self) -> bool {
        self.context.is_current()
    }

    /// Waits for one event, which becomes ready; whether it is.
    ///
    /// # Errors
    /// `UNINIT`.
    pub(crate) fn test(&self, event: Event, timeout: Option<Duration>) -> Result<bool> {
        self.drive(timeout, |lists| {
            if event::is_finished(event) {
                event::take(event, &mut lists.completed.borrow_mut());
            }
            event::status(event) == daos_sys::DAOS_EVS_READY
        })
    }

    /// Destroys the queue; with `force` after everything under way has ended.
    ///
    /// # Errors
    /// `BUSY`: events are under way or not yet polled; `NONEXIST`: it is being destroyed already.
    pub(crate) fn close(&self, force: bool) -> Result<()> {
        if self.context.is_inherited() {
            return Ok(());
        }
        self.enter(|lists| {
            if lists.closing.get() {
                return Err(Der::NONEXIST.err("the event queue is being destroyed"));
            }
            let idle = lists.running.borrow().is_empty() && lists.completed.borrow().is_empty();
            if !force && !idle {
                return Err(Der::BUSY.err("events of the queue are under way or were not polled"));
            }
            lists.closing.set(true);
            Ok(())
        })??;
        self.drive(None, |lists| {
            let mut completed = lists.completed.borrow_mut();
            let finished: Vec<Event> = completed.iter().filter(|event| event::is_finished(*event)).collect();
            for event in finished {
                event::take(event, &mut completed);
            }
            lists.running.borrow().is_empty() && completed.is_empty()
        })?;
        Ok(())
    }
}

impl Lists {
    /// An operation has ended: its event completes, at once or, if there are callbacks, after them.
    fn complete(&self, event: Event, result: Result<()>) {
        if let Err(error) = &result {
            crate::call::tell(error);
        }
        self.end(Completion::new(event, result.map_or_else(|error| error.rc(), |()| 0)));
    }

    fn end(&self, completion: Completion) {
        match completion.has_callbacks() {
            true => self.aside.borrow_mut().push_back(completion),
            false => self.settle(completion),
        }
    }

    fn settle(&self, completion: Completion) {
        let parent = completion.settle(&mut self.running.borrow_mut(), &mut self.completed.borrow_mut());
        if let Some(parent) = parent {
            self.end(parent);
        }
    }

    /// Ends an event's life.
    pub(crate) fn fini(&self, event: Event) -> Result<()> {
        event::fini(event, &mut self.completed.borrow_mut())
    }

    /// Numbers of running and completed events.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.running.borrow().len(), self.completed.borrow().len())
    }

    /// Completed and running events.
    pub(crate) fn events(&self, completed: bool, running: bool) -> Vec<Event> {
        let mut events = Vec::new();
        if completed {
            events.extend(self.completed.borrow().iter());
        }
        if running {
            events.extend(self.running.borrow().iter());
        }
        events
    }
}
