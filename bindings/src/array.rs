//! Arrays of fixed-size cells over an object.

use crate::object::sgl;
use crate::{ContRef, ObjectMode, check};
use daos_common::{ObjectId, Result};
use daos_sys as sys;
use std::ptr;

/// An open array; closed on drop.
#[derive(Debug)]
pub struct Array {
    handle: sys::daos_handle_t,
}

/// Size and time of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArrayStat {
    /// Cells up to the last one written.
    pub size: u64,
    /// Newest epoch at which it was written; 0 if never.
    pub max_epoch: u64,
}

impl Array {
    /// Opens an array whose attributes the caller keeps (`daos_array_open_with_attr`); no message is sent.
    ///
    /// # Errors
    /// `NO_HDL`, `INVAL`.
    pub fn open_with_attr(
        cont: ContRef,
        oid: ObjectId,
        tx: sys::daos_handle_t,
        mode: ObjectMode,
        cell_bytes: u64,
        chunk_cells: u64,
    ) -> Result<Array> {
        let mut handle = sys::daos_handle_t { cookie: 0 };
        // SAFETY: `handle` is live.
        let rc = unsafe {
            sys::daos_array_open_with_attr(
                cont.raw(),
                sys::daos_obj_id_t { lo: oid.lo, hi: oid.hi },
                tx,
                mode.bits(),
                cell_bytes,
                chunk_cells,
                &mut handle,
                ptr::null_mut(),
            )
        };
        check(rc, "daos_array_open_with_attr")?;
        Ok(Array { handle })
    }

    /// The C handle, valid while this lives.
    pub fn raw(&self) -> sys::daos_handle_t {
        self.handle
    }

    /// Reads ranges `(first cell, cells)` into the iovs in order; the number of cells read, short at the array's end.
    ///
    /// # Safety
    /// Each iov is room for its length, unaliased for the call.
    ///
    /// # Errors
    /// `INVAL`: ranges and iovs differ in length.
    pub unsafe fn read(
        &self,
        tx: sys::daos_handle_t,
        ranges: &mut [sys::daos_range_t],
        iovs: &mut [sys::d_iov_t],
    ) -> Result<u64> {
        let mut list = sgl(iovs);
        let mut iod = array_iod(ranges);
        // SAFETY: locals are live; the rooms are the caller's promise.
        let rc = unsafe { sys::daos_array_read(self.handle, tx, &mut iod, &mut list, ptr::null_mut()) };
        check(rc, "daos_array_read")?;
        Ok(iod.arr_nr_read)
    }

    /// Writes ranges from the iovs in order.
    ///
    /// # Safety
    /// Each iov is readable for its length for the call.
    ///
    /// # Errors
    /// `INVAL`, `NOSPACE`, `NO_PERM`.
    pub unsafe fn write(
        &self,
        tx: sys::daos_handle_t,
        ranges: &mut [sys::daos_range_t],
        iovs: &mut [sys::d_iov_t],
    ) -> Result<()> {
        let mut list = sgl(iovs);
        let mut iod = array_iod(ranges);
        // SAFETY: as in `read`.
        let rc = unsafe { sys::daos_array_write(self.handle, tx, &mut iod, &mut list, ptr::null_mut()) };
        check(rc, "daos_array_write")
    }

    /// Punches a range of cells.
    ///
    /// # Errors
    /// `NO_PERM`, and what the fabric gives.
    pub fn punch(&self, tx: sys::daos_handle_t, first: u64, cells: u64) -> Result<()> {
        let mut ranges = [sys::daos_range_t { rg_idx: first, rg_len: cells }];
        let mut iod = array_iod(&mut ranges);
        // SAFETY: locals are live.
        let rc = unsafe { sys::daos_array_punch(self.handle, tx, &mut iod, ptr::null_mut()) };
        check(rc, "daos_array_punch")
    }

    /// Cells up to the last one written.
    ///
    /// # Errors
    /// What the fabric gives.
    pub fn size(&self, tx: sys::daos_handle_t) -> Result<u64> {
        let mut size = 0;
        // SAFETY: `size` is live.
        check(unsafe { sys::daos_array_get_size(self.handle, tx, &mut size, ptr::null_mut()) }, "daos_array_get_size")?;
        Ok(size)
    }

    /// Cuts or extends the array.
    ///
    /// # Errors
    /// `NOSPACE`, `NO_PERM`.
    pub fn set_size(&self, tx: sys::daos_handle_t, size: u64) -> Result<()> {
        // SAFETY: plain values.
        check(unsafe { sys::daos_array_set_size(self.handle, tx, size, ptr::null_mut()) }, "daos_array_set_size")
    }

    /// Size and newest epoch.
    ///
    /// # Errors
    /// What the fabric gives.
    pub fn stat(&self, tx: sys::daos_handle_t) -> Result<ArrayStat> {
        let mut stat = sys::daos_array_stbuf_t { st_size: 0, st_max_epoch: 0 };
        // SAFETY: `stat` is live.
        check(unsafe { sys::daos_array_stat(self.handle, tx, &mut stat, ptr::null_mut()) }, "daos_array_stat")?;
        Ok(ArrayStat { size: stat.st_size, max_epoch: stat.st_max_epoch })
    }

    /// Chunk size in cells.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub fn chunk_cells(&self) -> Result<u64> {
        let (mut chunk, mut cell) = (0, 0);
        // SAFETY: both are live.
        check(unsafe { sys::daos_array_get_attr(self.handle, &mut chunk, &mut cell) }, "daos_array_get_attr")?;
        Ok(chunk)
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and open.
        unsafe { sys::daos_array_close(self.handle, ptr::null_mut()) };
    }
}

fn array_iod(ranges: &mut [sys::daos_range_t]) -> sys::daos_array_iod_t {
    sys::daos_array_iod_t {
        arr_nr: ranges.len() as u64,
        arr_rgs: ranges.as_mut_ptr(),
        arr_nr_short_read: 0,
        arr_nr_read: 0,
    }
}
