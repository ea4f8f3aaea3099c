//! File I/O: reads and writes through the array API, blocking or with an event.
//!
//! The data never passes through here: the caller's scatter-gather list goes to the array call as it is. With an event,
//! the ranges live in a box that the completion callback frees, and the event is told to carry an errno, as DFS events do.

use crate::errno::{Errno, Result};
use crate::mount::Dfs;
use crate::node::Node;
use crate::superblock::NO_TX;
use daos_sys as sys;
use std::ffi::c_void;

/// Direction of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Read,
    Write,
}

/// A transfer under way.
struct Transfer {
    ranges: Vec<sys::daos_range_t>,
    iod: sys::daos_array_iod_t,
    /// Where the bytes read are told; NULL for a write.
    read_size: *mut sys::daos_size_t,
}

/// Reads `ranges` into the list. Without an event, `read_size` is set at return; with one, at its completion.
///
/// # Safety
/// `list`, its iovs and buffers, `read_size` and `event` are valid until the call returns, or the event completes.
///
/// # Errors
/// EINVAL: not a file; EPERM: opened for writing only.
pub unsafe fn read(
    dfs: &Dfs,
    node: &Node,
    ranges: Vec<sys::daos_range_t>,
    list: *mut sys::d_sg_list_t,
    read_size: *mut sys::daos_size_t,
    event: *mut sys::daos_event_t,
) -> Result<()> {
    if node.flags & libc::O_ACCMODE == libc::O_WRONLY {
        return Errno::err(libc::EPERM);
    }
    // SAFETY: the caller's promise.
    unsafe { transfer(dfs, node, Direction::Read, ranges, list, read_size, event) }
}

/// Writes `ranges` from the list.
///
/// # Safety
/// As [`read`].
///
/// # Errors
/// EINVAL: not a file; EPERM: read-only mount, or opened for reading only.
pub unsafe fn write(
    dfs: &Dfs,
    node: &Node,
    ranges: Vec<sys::daos_range_t>,
    list: *mut sys::d_sg_list_t,
    event: *mut sys::daos_event_t,
) -> Result<()> {
    dfs.check_writable()?;
    if node.flags & libc::O_ACCMODE == libc::O_RDONLY {
        return Errno::err(libc::EPERM);
    }
    // SAFETY: the caller's promise.
    unsafe { transfer(dfs, node, Direction::Write, ranges, list, std::ptr::null_mut(), event) }
}

/// Punches a range; up to the end or beyond, the file is cut instead.
///
/// # Errors
/// EINVAL, EPERM; what the array gives.
pub fn punch(dfs: &Dfs, node: &Node, offset: u64, length: u64) -> Result<()> {
    dfs.check_writable()?;
    let array = node.file()?;
    if node.flags & libc::O_ACCMODE == libc::O_RDONLY {
        return Errno::err(libc::EPERM);
    }
    if length == u64::MAX {
        return Ok(array.set_size(NO_TX, offset)?);
    }
    let size = array.size(NO_TX)?;
    let end = offset.saturating_add(length);
    if end >= size {
        return Ok(array.set_size(NO_TX, offset)?);
    }
    Ok(array.punch(NO_TX, offset, length)?)
}

/// Starts a transfer; without an event, ends it too.
///
/// # Safety
/// As [`read`].
unsafe fn transfer(
    dfs: &Dfs,
    node: &Node,
    direction: Direction,
    ranges: Vec<sys::daos_range_t>,
    list: *mut sys::d_sg_list_t,
    read_size: *mut sys::daos_size_t,
    event: *mut sys::daos_event_t,
) -> Result<()> {
    let array = node.file()?.raw();
    let tx = if direction == Direction::Read { dfs.tx } else { NO_TX };
    let mut transfer = Box::new(Transfer {
        iod: sys::daos_array_iod_t {
            arr_nr: ranges.len() as u64,
            arr_rgs: std::ptr::null_mut(),
            arr_nr_short_read: 0,
            arr_nr_read: 0,
        },
        ranges,
        read_size,
    });
    transfer.iod.arr_rgs = transfer.ranges.as_mut_ptr();
    let launch = |iod: *mut sys::daos_array_iod_t| {
        // SAFETY: `iod` and its ranges live in the box; the rest is the caller's promise.
        unsafe {
            match direction {
                Direction::Read => sys::daos_array_read(array, tx, iod, list, event),
                Direction::Write => sys::daos_array_write(array, tx, iod, list, event),
            }
        }
    };
    if event.is_null() {
        let rc = launch(&mut transfer.iod);
        daos_api::check(rc, "file transfer")?;
        // SAFETY: the caller's pointer, or NULL for a write.
        unsafe { transfer.tell() };
        return Ok(());
    }
    let raw = Box::into_raw(transfer);
    // SAFETY: the event is the caller's and initialised; `complete` takes the box back once.
    let rc = unsafe {
        daos_event_errno_rc(event);
        sys::daos_event_register_comp_cb(event, Some(complete), raw.cast())
    };
    if rc != 0 {
        // SAFETY: the callback was not taken, so the box is still ours.
        drop(unsafe { Box::from_raw(raw) });
        return Err(Errno(daos_common::Der::from_number(rc).unwrap_or(daos_common::Der::MISC).errno()));
    }
    // SAFETY: `raw` lives until the callback ran. A launch that fails completes the event, callback included.
    launch(unsafe { &raw mut (*raw).iod });
    Ok(())
}

impl Transfer {
    /// Tells the caller how much was read.
    ///
    /// # Safety
    /// `read_size` is valid, or NULL.
    unsafe fn tell(&self) {
        if !self.read_size.is_null() {
            // SAFETY: as above.
            unsafe { *self.read_size = self.iod.arr_nr_read };
        }
    }
}

/// Completion of an event: tells what was read and frees the transfer.
unsafe extern "C" fn complete(arg: *mut c_void, _event: *mut sys::daos_event_t, rc: i32) -> i32 {
    // SAFETY: `arg` is the box that `transfer` gave away, and completions run once.
    let transfer = unsafe { Box::from_raw(arg.cast::<Transfer>()) };
    if rc == 0 {
        // SAFETY: the caller keeps `read_size` valid until completion.
        unsafe { transfer.tell() };
    }
    0
}

unsafe extern "C" {
    /// Exported by libdaos for its sibling: `ev_error` of this event becomes a positive errno.
    fn daos_event_errno_rc(event: *mut sys::daos_event_t);
}
