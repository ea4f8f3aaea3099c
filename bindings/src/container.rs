//! Containers.

use crate::{PoolRef, PropList, check};
use daos_common::{Der, Result};
use daos_sys as sys;
use std::ffi::CString;
use std::ptr;
use uuid::Uuid;

/// A container handle that somebody else owns.
#[derive(Clone, Copy, Debug)]
pub struct ContRef(sys::daos_handle_t);

/// An open container; closed on drop.
pub struct Container(ContRef);

/// What a query tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContInfo {
    /// UUID.
    pub uuid: Uuid,
    /// Epoch of the last snapshot; 0 for none.
    pub last_snapshot: u64,
    /// Open handles.
    pub handles: u32,
    /// Snapshots.
    pub snapshots: u32,
    /// When it was last opened (HLC).
    pub open_time: u64,
    /// When it was last changed (HLC).
    pub modify_time: u64,
}

impl ContRef {
    /// A handle from C. A stale one gives `NO_HDL` in the calls.
    pub fn from_raw(handle: sys::daos_handle_t) -> ContRef {
        ContRef(handle)
    }

    /// The C handle.
    pub fn raw(self) -> sys::daos_handle_t {
        self.0
    }

    /// Asks for the container's state and fills the properties that `props` asks for.
    ///
    /// # Errors
    /// `NO_HDL`, `NO_PERM`.
    pub fn query(self, props: &mut PropList) -> Result<ContInfo> {
        // SAFETY: plain data.
        let mut info: sys::daos_cont_info_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` and `props` are live.
        check(unsafe { sys::daos_cont_query(self.0, &mut info, props.raw(), ptr::null_mut()) }, "daos_cont_query")?;
        Ok(ContInfo {
            uuid: Uuid::from_bytes(info.ci_uuid),
            last_snapshot: info.ci_lsnapshot,
            handles: info.ci_nhandles,
            snapshots: info.ci_nsnapshots,
            open_time: info.ci_md_otime,
            modify_time: info.ci_md_mtime,
        })
    }

    /// Changes properties.
    ///
    /// # Errors
    /// `NO_PERM`, `INVAL`.
    pub fn set_props(self, props: &mut PropList) -> Result<()> {
        // SAFETY: `props` is live.
        check(unsafe { sys::daos_cont_set_prop(self.0, props.raw(), ptr::null_mut()) }, "daos_cont_set_prop")
    }

    /// Reserves `count` object numbers; the first of them.
    ///
    /// # Errors
    /// `NO_PERM`.
    pub fn alloc_oids(self, count: u64) -> Result<u64> {
        let mut first = 0;
        // SAFETY: `first` is live.
        let rc = unsafe { sys::daos_cont_alloc_oids(self.0, count, &mut first, ptr::null_mut()) };
        check(rc, "daos_cont_alloc_oids")?;
        Ok(first)
    }
}

impl Container {
    /// Creates a container; its UUID.
    ///
    /// # Errors
    /// `EXIST`: the label is taken; `INVAL`, `NO_PERM`.
    pub fn create(pool: PoolRef, props: &mut PropList) -> Result<Uuid> {
        let mut uuid: sys::uuid_t = [0; 16];
        // SAFETY: `uuid` and `props` are live.
        let rc = unsafe { sys::daos_cont_create2(pool.raw(), &mut uuid, props.raw(), ptr::null_mut()) };
        check(rc, "daos_cont_create")?;
        Ok(Uuid::from_bytes(uuid))
    }

    /// Opens by label or UUID with `DAOS_COO_*` flags.
    ///
    /// # Errors
    /// `NONEXIST`, `NO_PERM`, `BUSY`.
    pub fn open(pool: PoolRef, cont: &str, flags: u32) -> Result<Container> {
        let cont = CString::new(cont).map_err(|_| Der::INVAL.err("container name has a NUL byte"))?;
        let mut handle = sys::daos_handle_t { cookie: 0 };
        // SAFETY: the string and the handle are live.
        let rc = unsafe {
            sys::daos_cont_open2(pool.raw(), cont.as_ptr(), flags, &mut handle, ptr::null_mut(), ptr::null_mut())
        };
        check(rc, "daos_cont_open")?;
        Ok(Container(ContRef(handle)))
    }

    /// Destroys by label or UUID; `force` although it is open.
    ///
    /// # Errors
    /// `NONEXIST`, `BUSY`, `NO_PERM`.
    pub fn destroy(pool: PoolRef, cont: &str, force: bool) -> Result<()> {
        let cont = CString::new(cont).map_err(|_| Der::INVAL.err("container name has a NUL byte"))?;
        // SAFETY: the string is live.
        let rc = unsafe { sys::daos_cont_destroy2(pool.raw(), cont.as_ptr(), force.into(), ptr::null_mut()) };
        check(rc, "daos_cont_destroy")
    }

    /// The handle, valid while this lives.
    pub fn as_ref(&self) -> ContRef {
        self.0
    }

    /// Gives the handle away; it is no longer closed on drop.
    pub fn into_raw(self) -> sys::daos_handle_t {
        let handle = self.0.0;
        std::mem::forget(self);
        handle
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { sys::daos_cont_close(self.0.0, ptr::null_mut()) };
    }
}
