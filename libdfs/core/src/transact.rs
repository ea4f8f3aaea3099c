//! Changes of several entries as one, where the mount is balanced.

use crate::errno::{Errno, Result};
use crate::mount::Dfs;
use crate::superblock::NO_TX;
use daos_sys as sys;
use std::ptr::null_mut;

/// A transaction, closed when dropped.
struct Open(sys::daos_handle_t);

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: the handle is ours; what is not committed is dropped.
        unsafe { sys::daos_tx_close(self.0, null_mut()) };
    }
}

/// Runs `work` in a transaction if the mount is balanced, again and again while it meets others; else without one. In a
/// transaction `work` does not see its own changes.
///
/// # Errors
/// What `work` says; then nothing of it has happened if the mount is balanced. What the commit says.
pub fn transact<T>(dfs: &Dfs, mut work: impl FnMut(sys::daos_handle_t) -> Result<T>) -> Result<T> {
    if !dfs.balanced {
        return work(NO_TX);
    }
    let mut handle = NO_TX;
    // SAFETY: `handle` is live.
    daos_api::check(unsafe { sys::daos_tx_open(dfs.cont.raw(), &mut handle, 0, null_mut()) }, "daos_tx_open")?;
    let open = Open(handle);
    loop {
        let done = work(open.0).and_then(|result| {
            // SAFETY: the handle is ours.
            daos_api::check(unsafe { sys::daos_tx_commit(open.0, null_mut()) }, "daos_tx_commit")?;
            Ok(result)
        });
        match done {
            Err(Errno(libc::ERESTART)) => {
                // SAFETY: the handle is ours.
                daos_api::check(unsafe { sys::daos_tx_restart(open.0, null_mut()) }, "daos_tx_restart")?;
            }
            done => return done,
        }
    }
}
