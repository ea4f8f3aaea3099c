//! Notices that this process is a fork's child.
//!
//! Fabric connections cannot be shared with the parent, so a child that goes on without `daos_reinit` must be told
//! UNINIT and must not touch, nor tear down, what it inherited. The kernel calls us back in the child
//! (`pthread_atfork`), which costs nothing on the data path: every context compares one atomic number.
#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);
static REGISTER: Once = Once::new();

/// Begins to watch for forks; called at every initialisation, effective once.
pub(crate) fn watch() {
    REGISTER.call_once(|| {
        // SAFETY: the handler is a plain function that touches only one atomic, which is async-signal-safe.
        let rc = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        if rc != 0 {
            tracing::warn!("forks cannot be noticed (pthread_atfork: errno {rc}); do not use DAOS in a forked child");
        }
    });
}

/// How many forks lie between the process that first initialised the library and this one.
pub(crate) fn depth() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
