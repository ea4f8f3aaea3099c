//! How an exported function runs its work: at once on the calling thread's context, or launched for an event.
//!
//! Without an event the function returns the result. With one it returns 0 as soon as the work is launched, and
//! the result, also that of checks before anything was sent, goes to the event; only an event that cannot be launched
//! is the function's own error.

use crate::event::{self, Event};
use daos_client::{Context, block_on};
use daos_common::{Der, Error, Result};
use daos_sys::daos_event_t;
use std::ffi::c_int;
use std::future::Future;
use std::rc::Rc;

/// A call with its event, if it has one.
pub(crate) struct Call(Event);

impl Call {
    /// A call for an event, or a blocking one.
    ///
    /// # Safety
    /// The contract of [`crate::c`].
    pub(crate) unsafe fn on(event: *mut daos_event_t) -> Call {
        Call(event)
    }

    /// Runs work that talks to the system. `prepare` checks arguments and gives the work.
    pub(crate) fn run<M, F>(self, prepare: impl FnOnce() -> Result<M>) -> c_int
    where
        M: FnOnce(Rc<Context>) -> F,
        F: Future<Output = Result<()>> + 'static,
    {
        if self.0.is_null() {
            return answer(prepare().and_then(block_on));
        }
        // SAFETY: the contract of `on`.
        answer(
            unsafe { event::check(self.0) }.and_then(event::queue_of).and_then(|queue| queue.launch(self.0, prepare)),
        )
    }

    /// Runs work that is done at once.
    pub(crate) fn finish(self, work: impl FnOnce() -> Result<()>) -> c_int {
        if self.0.is_null() {
            return answer(work());
        }
        self.run(|| work().map(|()| |_| async { Ok(()) }))
    }
}

/// The C answer for a result.
pub(crate) fn answer(result: Result<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            tell(&error);
            error.rc()
        }
    }
}

/// Logs a failure: loudly when it says something about the system rather than about the data.
pub(crate) fn tell(error: &Error) {
    match error.code() {
        Der::AGENT_COMM
        | Der::UNREACH
        | Der::TIMEDOUT
        | Der::HG
        | Der::PROTO
        | Der::DATA_LOSS
        | Der::NO_SERVICE
        | Der::NO_CERT
        | Der::BAD_CERT
        | Der::CONTROL_INCOMPAT
        | Der::AGENT_INCOMPAT
        | Der::NOTSUPPORTED
        | Der::IO
        | Der::CSUM => tracing::error!("{error}"),
        _ => tracing::debug!("{error}"),
    }
}
