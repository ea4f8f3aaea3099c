//! Waking a runtime: from its own tasks for nothing, from other threads by an eventfd.

use daos_common::Result;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

/// What wakers of a runtime share. `woken` is set by each wake; the eventfd is written only when the runtime sleeps or
/// is about to: it announces that in `sleeping`, then looks at `woken` once more.
pub(crate) struct WakeTarget {
    woken: AtomicBool,
    sleeping: AtomicBool,
    event: OwnedFd,
}

impl WakeTarget {
    /// # Errors
    /// `IO`: no descriptors left.
    pub(crate) fn new() -> Result<Arc<WakeTarget>> {
        // SAFETY: no pointers.
        let raw = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if raw < 0 {
            return Err(daos_common::Error::from(std::io::Error::last_os_error()).at("eventfd of a runtime"));
        }
        // SAFETY: just opened, owned by nothing else.
        let event = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Arc::new(WakeTarget { woken: AtomicBool::new(true), sleeping: AtomicBool::new(false), event }))
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.event.as_raw_fd()
    }

    /// Whether there was a wake since the last call.
    pub(crate) fn take(&self) -> bool {
        self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::SeqCst)
    }

    /// Announces sleep; `false`: there was a wake, stay up.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.sleeping.store(true, Ordering::SeqCst);
        !self.woken.load(Ordering::SeqCst)
    }

    /// Ends what `fall_asleep` announced.
    pub(crate) fn wake_up(&self) {
        self.sleeping.store(false, Ordering::SeqCst);
        let mut count = 0u64;
        // SAFETY: an eventfd, 8 bytes of room. It is non-blocking; nothing to read is fine.
        unsafe { libc::read(self.event.as_raw_fd(), (&raw mut count).cast(), 8) };
    }

    /// Async-signal-safe: two atomics and a `write`.
    pub(crate) fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        if self.sleeping.load(Ordering::SeqCst) {
            let one = 1u64;
            // SAFETY: an eventfd, 8 bytes. A full counter would mean it is readable already.
            unsafe { libc::write(self.event.as_raw_fd(), (&raw const one).cast(), 8) };
        }
    }
}

impl Wake for WakeTarget {
    fn wake(self: Arc<Self>) {
        WakeTarget::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        WakeTarget::wake(self);
    }
}

/// Wakes a [`crate::Runtime`] from another thread.
#[derive(Clone)]
pub struct RemoteWaker {
    pub(crate) target: Arc<WakeTarget>,
}

impl RemoteWaker {
    /// Wakes the runtime; callable from any thread and from a signal handler.
    pub fn wake(&self) {
        WakeTarget::wake(&self.target);
    }
}
