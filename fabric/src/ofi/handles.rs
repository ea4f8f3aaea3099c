//! Owned libfabric objects, and errors from libfabric's return codes.

use daos_common::{Der, Error, Result};
use libfabric_sys as lf;
use std::ffi::CStr;

/// A libfabric object, closed on drop. `T` starts with a `fid`, as all of them do.
pub(crate) struct Opened<T>(*mut T);

impl<T> Opened<T> {
    /// Opens with `open`, which fills the pointer and returns 0 or a negative code.
    pub(crate) fn new(what: &str, open: impl FnOnce(&mut *mut T) -> i32) -> Result<Opened<T>> {
        let mut object = std::ptr::null_mut();
        let rc = open(&mut object);
        match rc {
            0 if !object.is_null() => Ok(Opened(object)),
            _ => Err(rc_error(Der::HG, rc.into(), &format!("libfabric could not open {what}"))),
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0
    }

    pub(crate) fn fid(&self) -> *mut lf::fid {
        self.0.cast()
    }
}

impl<T> Drop for Opened<T> {
    fn drop(&mut self) {
        // SAFETY: opened by libfabric, closed once.
        let rc = unsafe { lf::lf_close(self.fid()) };
        if rc != 0 {
            tracing::debug!(rc, kind = std::any::type_name::<T>(), "libfabric object did not close");
        }
    }
}

/// What libfabric says about a code of either sign.
pub(crate) fn rc_text(rc: i64) -> String {
    // SAFETY: returns a static string for every number.
    unsafe {
        let text = lf::fi_strerror(rc.unsigned_abs() as i32);
        if text.is_null() { format!("error {rc}") } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

/// The DER_ code that a libfabric code (either sign) of an operation stands for; `otherwise` when it says nothing
/// special.
pub(crate) fn rc_error(otherwise: Der, rc: i64, what: &str) -> Error {
    let code = match rc.unsigned_abs() as i32 {
        libc::ENOMEM => Der::NOMEM,
        libc::EADDRINUSE | libc::EBUSY => Der::BUSY,
        libc::ECONNREFUSED
        | libc::ECONNRESET
        | libc::ECONNABORTED
        | libc::ENOTCONN
        | libc::EHOSTUNREACH
        | libc::ENETUNREACH
        | libc::EHOSTDOWN
        | libc::ESHUTDOWN
        | libc::EPIPE => Der::UNREACH,
        libc::ETIMEDOUT => Der::TIMEDOUT,
        _ => otherwise,
    };
    Error::new(code, format!("{what}: {}", rc_text(rc)))
}
