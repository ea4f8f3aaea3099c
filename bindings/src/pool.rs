//! Pools.

use crate::check;
use daos_common::{Der, Result};
use daos_sys as sys;
use std::ffi::CString;
use std::ptr;

/// A pool handle that somebody else owns.
#[derive(Clone, Copy)]
pub struct PoolRef(sys::daos_handle_t);

/// A connected pool; disconnected on drop.
pub struct Pool(PoolRef);

impl PoolRef {
    /// A handle from C. A stale one gives `NO_HDL` in the calls.
    pub fn from_raw(handle: sys::daos_handle_t) -> PoolRef {
        PoolRef(handle)
    }

    /// The C handle.
    pub fn raw(self) -> sys::daos_handle_t {
        self.0
    }

    /// Fills the properties that `props` asks for.
    ///
    /// # Errors
    /// `NO_HDL`, `NO_PERM`.
    pub fn query_props(self, props: &mut crate::PropList) -> Result<()> {
        // SAFETY: `props` is live; NULL stands for what isn't asked for.
        let rc =
            unsafe { sys::daos_pool_query(self.0, ptr::null_mut(), ptr::null_mut(), props.raw(), ptr::null_mut()) };
        check(rc, "daos_pool_query")
    }
}

impl Pool {
    /// Connects by label or UUID; `write` asks for read and write.
    ///
    /// # Errors
    /// `NONEXIST`, `NO_PERM`, `AGENT_COMM`, `TIMEDOUT`.
    pub fn connect(pool: &str, system: Option<&str>, write: bool) -> Result<Pool> {
        let pool = CString::new(pool).map_err(|_| Der::INVAL.err("pool name has a NUL byte"))?;
        let system = system.map(CString::new).transpose().map_err(|_| Der::INVAL.err("system name has a NUL byte"))?;
        let mut handle = sys::daos_handle_t { cookie: 0 };
        // SAFETY: the strings and the handle are live.
        let rc = unsafe {
            sys::daos_pool_connect2(
                pool.as_ptr(),
                system.as_ref().map_or(ptr::null(), |s| s.as_ptr()),
                if write { 2 } else { 1 },
                &mut handle,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(rc, "daos_pool_connect")?;
        Ok(Pool(PoolRef(handle)))
    }

    /// The handle, valid while this lives.
    pub fn as_ref(&self) -> PoolRef {
        self.0
    }

    /// Gives the handle away; it is no longer disconnected on drop.
    pub fn into_raw(self) -> sys::daos_handle_t {
        let handle = self.0.0;
        std::mem::forget(self);
        handle
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { sys::daos_pool_disconnect(self.0.0, ptr::null_mut()) };
    }
}
