//! Tasks for API calls, and their progress.

use crate::c::Out;
use crate::call::answer;
use crate::task::{self, progress};
use daos_common::{Der, Result};
use daos_sys::{daos_opc_t, tse_sched_t, tse_task_t};
use std::ffi::{c_int, c_uint, c_void};
use std::ptr;
use std::time::{Duration, Instant};

/// How long one look at the operations under way lasts at most, and the pause when there are none: tasks may be due, or
/// be completed by other threads.
const LOOK: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_micros(100);

/// # Safety
/// The contract of [`crate::c`].
unsafe fn create(
    opcode: daos_opc_t,
    sched: *mut tse_sched_t,
    dependencies: (c_uint, *mut *mut tse_task_t),
    place: *mut *mut tse_task_t,
) -> Result<()> {
    let (count, tasks) = dependencies;
    if !tasks.is_null() && count == 0 {
        return Err(Der::INVAL.err("an array of no tasks to wait for"));
    }
    // SAFETY: the contract.
    let place = unsafe { Out::required(place, "taskp") }?;
    // SAFETY: the contract.
    unsafe { progress::existing(sched) }?;
    task::check_opcode(opcode)?;
    let count = c_int::try_from(count).map_err(|_| Der::INVAL.err(format!("{count} tasks to wait for")))?;
    let mut made: *mut tse_task_t = ptr::null_mut();
    // SAFETY: the contract.
    unsafe {
        check(daos_sys::tse_task_create(Some(task::body), sched, ptr::null_mut(), &mut made))?;
        let waits = if tasks.is_null() { 0 } else { daos_sys::tse_task_register_deps(made, count, tasks) };
        if let Err(error) = task::set_opcode(made, opcode).and_then(|()| check(waits)) {
            daos_sys::tse_task_decref(made);
            return Err(error);
        }
    }
    place.set(made);
    Ok(())
}

/// An answer of libdaos_common as an error.
fn check(rc: c_int) -> Result<()> {
    match Der::from_number(rc) {
        None => Ok(()),
        Some(code) => Err(code.err("task")),
    }
}

/// Progresses until the scheduler is empty or `timeout` (`None`: no limit) has passed; whether it is empty.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn progress_until(sched: *mut tse_sched_t, timeout: Option<Duration>) -> Result<bool> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        // SAFETY: the contract.
        let operations = unsafe {
            daos_sys::tse_sched_progress(sched);
            if daos_sys::tse_sched_check_complete(sched) {
                return Ok(true);
            }
            progress::existing(sched)?
        };
        let left = deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Ok(false);
        }
        match operations.filter(|operations| operations.under_way() > 0) {
            Some(operations) => drop(operations.poll(left.min(LOOK))?),
            None => std::thread::sleep(left.min(PAUSE)),
        }
    }
}

daos_export::export! { Der;
    fn daos_task_create(
        opc: daos_opc_t,
        sched: *mut tse_sched_t,
        num_deps: c_uint,
        dep_tasks: *mut *mut tse_task_t,
        taskp: *mut *mut tse_task_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        answer(unsafe { create(opc, sched, (num_deps, dep_tasks), taskp) })
    }

    fn daos_task_reset(task: *mut tse_task_t, opc: daos_opc_t) -> c_int {
        answer(task::check_opcode(opc).and_then(|()| {
            // SAFETY: the contract of `c`.
            unsafe {
                check(daos_sys::tse_task_reset(task, Some(task::body), ptr::null_mut()))?;
                task::set_opcode(task, opc)
            }
        }))
    }

    fn daos_task_get_args(task: *mut tse_task_t) -> *mut c_void {
        // SAFETY: the contract of `c`.
        unsafe { task::record(task) }.unwrap_or(ptr::null_mut())
    }

    fn daos_task_get_priv(task: *mut tse_task_t) -> *mut c_void {
        // SAFETY: the contract of `c`.
        unsafe { task::api_private(task).map_or(ptr::null_mut(), |place| *place) }
    }

    fn daos_task_set_priv(task: *mut tse_task_t, priv_: *mut c_void) -> *mut c_void {
        // SAFETY: the contract of `c`.
        unsafe { task::api_private(task).map_or(ptr::null_mut(), |place| place.replace(priv_)) }
    }

    fn daos_progress(sched: *mut tse_sched_t, timeout: i64, is_empty: *mut bool) -> c_int {
        // SAFETY: the contract of `c`.
        let checked = unsafe { (progress::existing(sched), Out::required(is_empty, "is_empty")) };
        let finished = (|| {
            let place = checked.1?;
            checked.0?;
            place.set(false);
            // SAFETY: the contract of `c`.
            let empty = unsafe { progress_until(sched, u64::try_from(timeout).ok().map(Duration::from_micros)) }?;
            place.set(empty);
            Ok(empty)
        })();
        match finished {
            Ok(true) => 0,
            // The usual answer of a program's progress loop: nothing to be told.
            Ok(false) => Der::TIMEDOUT.rc(),
            Err(error) => answer(Err(error)),
        }
    }
}
