//! The single-threaded runtime: executor, endpoint, pollers, timers, and when to sleep.
//!
//! # Progress
//! A turn runs ready tasks, polls the endpoint and the pollers, and fires timers. When a turn finds nothing to do, the
//! runtime spins (giving the core away with `sched_yield` each time, because a peer may share it) for a window, then
//! sleeps in `epoll_wait`. Waking from sleep costs 20 to 35 us on a virtual machine, a fruitless spin costs its
//! length. The window is measured ([`SpinWindow`]): it grows when a sleep turns out to have been short, shrinks when
//! spinning finds nothing, so that a busy runtime spins and an idle one does not.
//!
//! # Threads
//! Nothing here is `Send`, and nothing is bound to the thread: no thread-locals, no thread ids. An owner that makes
//! sure that only one thread at a time uses a runtime and all that belongs to it (endpoint, peers, futures, messages)
//! may move it between threads, for example under a mutex, with an `unsafe impl Send` of its own. Wakers and
//! [`RemoteWaker`] are `Send` and may be used from any thread at any time.

use crate::endpoint::Endpoint;
use crate::face::Poller;
use crate::timers::Timers;
use crate::wake::{RemoteWaker, WakeTarget};
use async_executor::LocalExecutor;
use daos_common::Result;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Tasks run in one turn at most, before the endpoint is polled again.
const TASKS_PER_TURN: usize = 64;
/// The first sleep while something without a descriptor must be polled; each that brings nothing doubles the next.
const POLLED_SLEEP_FIRST: Duration = Duration::from_micros(20);
/// The longest such sleep.
const POLLED_SLEEP_LONGEST: Duration = Duration::from_millis(1);

/// A single-threaded executor bound to an endpoint. Cheap to clone; not `Send`.
///
/// It polls while there is work, spins for a short, measured while after the last message, then sleeps on the
/// file descriptors of the endpoint, the pollers and a wake-up eventfd.
#[derive(Clone)]
pub struct Runtime {
    inner: Rc<Inner>,
}

struct Inner {
    executor: LocalExecutor<'static>,
    pollers: RefCell<Vec<Rc<dyn Poller>>>,
    polled_only: Cell<bool>,
    polled_sleep: Cell<Duration>,
    timers: RefCell<Timers>,
    wake: Arc<WakeTarget>,
    waker: Waker,
    epoll: OwnedFd,
    spin: Cell<SpinWindow>,
    endpoint: Endpoint,
}

impl Runtime {
    /// A runtime over an endpoint.
    ///
    /// # Errors
    /// `NOMEM`, `IO`: no descriptors left.
    pub fn new(endpoint: Endpoint) -> Result<Runtime> {
        let wake = WakeTarget::new()?;
        // SAFETY: no pointers.
        let raw = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if raw < 0 {
            return Err(daos_common::Error::from(std::io::Error::last_os_error()).at("epoll of a runtime"));
        }
        // SAFETY: just opened, owned by nothing else.
        let epoll = unsafe { OwnedFd::from_raw_fd(raw) };
        watch(&epoll, wake.fd())?;
        for fd in endpoint.fds() {
            watch(&epoll, fd)?;
        }
        let inner = Inner {
            executor: LocalExecutor::new(),
            pollers: RefCell::default(),
            polled_only: Cell::new(endpoint.must_be_polled()),
            polled_sleep: Cell::new(POLLED_SLEEP_FIRST),
            timers: RefCell::default(),
            waker: Waker::from(wake.clone()),
            wake,
            epoll,
            spin: Cell::new(SpinWindow::new()),
            endpoint,
        };
        Ok(Runtime { inner: Rc::new(inner) })
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Runs a future beside others; detach the task, or keep it: a dropped task is cancelled.
    pub fn spawn<F: Future + 'static>(&self, future: F) -> async_executor::Task<F::Output>
    where
        F::Output: 'static,
    {
        self.inner.executor.spawn(future)
    }

    /// Adds a source of completions.
    ///
    /// # Errors
    /// `IO`: its descriptor cannot be watched.
    pub fn add_poller(&self, poller: Rc<dyn Poller>) -> Result<()> {
        match poller.fd() {
            Some(fd) => watch(&self.inner.epoll, fd)?,
            None => self.inner.polled_only.set(true),
        }
        self.inner.pollers.borrow_mut().push(poller);
        Ok(())
    }

    /// For other threads to wake this runtime.
    pub fn remote_waker(&self) -> RemoteWaker {
        RemoteWaker { target: self.inner.wake.clone() }
    }

    /// One turn without blocking: tasks, completions, timers. How much happened; 0 when idle.
    pub fn turn(&self) -> usize {
        let inner = &*self.inner;
        let mut happened = inner.run_tasks();
        happened += inner.endpoint.progress();
        happened += inner.poll_pollers();
        happened += inner.fire_timers();
        // What just arrived is acted upon at once.
        happened + inner.run_tasks()
    }

    /// Turns until `future` is ready, sleeping when idle.
    ///
    /// Not to be called from within a task of this runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let inner = &*self.inner;
        let mut future = pin!(future);
        let mut context = Context::from_waker(&inner.waker);
        // The future has not been polled: that is a wake.
        let mut due = true;
        loop {
            if (inner.wake.take() || due)
                && let Poll::Ready(output) = future.as_mut().poll(&mut context)
            {
                return output;
            }
            due = false;
            if self.turn() == 0 {
                self.idle(None);
            } else {
                inner.busy();
            }
        }
    }

    /// Turns until something happened or `timeout` passed (0: one turn). Whether something happened.
    pub fn wait(&self, timeout: Duration) -> bool {
        let inner = &*self.inner;
        let start = inner.endpoint.now();
        let deadline = start.checked_add(timeout);
        loop {
            // A wake from another thread is something that happened: the caller has to look why.
            let woken = inner.wake.take();
            if self.turn() > 0 || woken {
                inner.busy();
                return true;
            }
            if timeout.is_zero() || deadline.is_some_and(|at| inner.endpoint.now() >= at) {
                return false;
            }
            self.idle(deadline);
        }
    }

    /// Completes after `duration`.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static {
        let now = self.inner.endpoint.now();
        Sleep { inner: self.inner.clone(), at: now.checked_add(duration), key: None }
    }

    /// When something is due without anything arriving.
    pub(crate) fn next_time(&self) -> Option<Instant> {
        let timer = self.inner.timers.borrow().next();
        [timer, self.inner.endpoint.next_deadline()].into_iter().flatten().min()
    }

    /// Nothing happened in the last turn: spins a while, then sleeps, at most to `limit`.
    fn idle(&self, limit: Option<Instant>) {
        let inner = &*self.inner;
        let next = [limit, self.next_time()].into_iter().flatten().min();
        if inner.endpoint.pass_time(next) {
            return;
        }
        let mut spin = inner.spin.get();
        let keep_spinning = spin.idle(Instant::now());
        inner.spin.set(spin);
        if keep_spinning {
            std::thread::yield_now();
            return;
        }
        inner.sleep_until(next);
    }
}

impl Inner {
    fn run_tasks(&self) -> usize {
        let mut ran = 0;
        while ran < TASKS_PER_TURN && self.executor.try_tick() {
            ran += 1;
        }
        ran
    }

    fn poll_pollers(&self) -> usize {
        let pollers = self.pollers.borrow();
        pollers.iter().map(|poller| poller.poll()).sum()
    }

    fn fire_timers(&self) -> usize {
        if self.timers.borrow().next().is_none() {
            return 0;
        }
        let now = self.endpoint.now();
        let mut fired = 0;
        loop {
            let Some(waker) = self.timers.borrow_mut().take_due(now) else { return fired };
            waker.wake();
            fired += 1;
        }
    }

    /// Something happened.
    fn busy(&self) {
        let mut spin = self.spin.get();
        spin.busy();
        self.spin.set(spin);
        self.polled_sleep.set(POLLED_SLEEP_FIRST);
    }

    /// Sleeps until a descriptor is readable, a waker is woken, or `until`.
    fn sleep_until(&self, until: Option<Instant>) {
        // A tick that finds no task leaves a waker with the executor: from now on, a task made ready by another thread
        // wakes us. It is polled with our waker, which only sets a flag unless we sleep.
        let mut tick = pin!(self.executor.tick());
        let mut context = Context::from_waker(&self.waker);
        if tick.as_mut().poll(&mut context).is_ready() || !self.endpoint.may_sleep() {
            return;
        }
        if self.wake.fall_asleep() {
            let started = Instant::now();
            let mut timeout = until.map(|at| at.saturating_duration_since(started));
            if self.polled_only.get() {
                let nap = self.polled_sleep.get();
                timeout = Some(timeout.map_or(nap, |timeout| timeout.min(nap)));
                self.polled_sleep.set((nap * 2).min(POLLED_SLEEP_LONGEST));
            }
            let something = self.wait_for_descriptors(timeout);
            let mut spin = self.spin.get();
            spin.slept(something, started.elapsed());
            self.spin.set(spin);
        }
        self.wake.wake_up();
    }

    /// Whether a descriptor became readable.
    fn wait_for_descriptors(&self, timeout: Option<Duration>) -> bool {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 8];
        let spec = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs().min(3600) as libc::time_t,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let spec_pointer = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: an epoll descriptor, room for the events said, a timeout or null. epoll_pwait2 takes the timeout in
        // nanoseconds (Linux 5.11).
        let got = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                events.len() as i32,
                spec_pointer,
                std::ptr::null::<libc::sigset_t>(),
                0usize,
            )
        };
        if got < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS) {
            let millis = timeout.map_or(-1, |timeout| timeout.as_millis().min(3_600_000) as i32 + 1);
            // SAFETY: as above.
            return unsafe {
                libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), events.len() as i32, millis) > 0
            };
        }
        got > 0
    }
}

/// Adds a descriptor to an epoll set, for reading.
fn watch(epoll: &OwnedFd, fd: RawFd) -> Result<()> {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: fd as u64 };
    // SAFETY: two descriptors and a valid event.
    if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) } != 0 {
        return Err(daos_common::Error::from(std::io::Error::last_os_error()).at(format_args!("descriptor {fd}")));
    }
    Ok(())
}

/// How long to spin before sleeping, by what spinning and sleeping have brought lately.
#[derive(Clone, Copy)]
struct SpinWindow {
    window: Duration,
    /// When the current idle time began.
    since: Option<Instant>,
}

impl SpinWindow {
    /// As long as waking a sleeper costs: no spin that is shorter pays.
    const SHORTEST: Duration = Duration::from_micros(20);
    /// Beyond this a sleep costs little in comparison.
    const LONGEST: Duration = Duration::from_micros(200);

    fn new() -> SpinWindow {
        SpinWindow { window: SpinWindow::LONGEST, since: None }
    }

    fn busy(&mut self) {
        self.since = None;
    }

    /// A turn brought nothing; whether to spin on.
    fn idle(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) < self.window
    }

    /// A sleep of `length` ended, because of `something` or its time limit.
    fn slept(&mut self, something: bool, length: Duration) {
        self.window = match something && length < SpinWindow::LONGEST {
            // Spinning a little longer would have spared it.
            true => (self.window * 2).min(SpinWindow::LONGEST),
            false => (self.window / 2).max(SpinWindow::SHORTEST),
        };
        // What woke us is worth a turn before the next sleep, not a spin.
        self.since = None;
    }
}

/// A timer's future.
struct Sleep {
    inner: Rc<Inner>,
    /// `None`: for ever.
    at: Option<Instant>,
    key: Option<(Instant, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if self.inner.endpoint.now() >= at {
            return Poll::Ready(());
        }
        match self.key {
            Some(key) => self.inner.timers.borrow_mut().replace(key, context.waker()),
            None => {
                let key = self.inner.timers.borrow_mut().set(at, context.waker().clone());
                self.key = Some(key);
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.inner.timers.borrow_mut().cancel(key);
        }
    }
}
