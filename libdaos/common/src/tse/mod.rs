//! The task scheduler's C face: records of C, callbacks of C, and the functions of `daos/tse.h`.
//!
//! What a task or scheduler does is `daos-tse`'s; here C records are checked and found, and C functions called.
//!
//! # The contract of every exported function (`# Safety`)
//! A task pointer is NULL or a task that was created and has users left; a scheduler pointer is NULL or memory for one, and
//! once initialised it stays where it is until it has ended. List heads are NULL or initialised. What callbacks and bodies
//! do is the program's responsibility.

mod list;
mod sched;
mod task;

use daos_sys as sys;
use daos_tse::layout::{SCHED_MAGIC, SchedPrivate, TASK_MAGIC, TaskPrivate};
use daos_tse::{Host, Scheduler, TaskId};
use libc::c_int;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Tasks with records and functions of C.
pub(crate) struct C;

/// The address of a task's record.
#[derive(Clone, Copy)]
pub(crate) struct TaskRecord(*mut sys::tse_task_t);

// SAFETY: an address; the contract of this module makes what it points to usable from any thread.
unsafe impl Send for TaskRecord {}

/// The address of a scheduler's record.
#[derive(Clone, Copy)]
pub(crate) struct SchedRecord(*mut sys::tse_sched_t);

// SAFETY: as for `TaskRecord`.
unsafe impl Send for SchedRecord {}
// SAFETY: as for `TaskRecord`; what is behind it is changed under the scheduler's lock or through atomics.
unsafe impl Sync for SchedRecord {}

/// What a task does.
pub(crate) type Body = unsafe extern "C" fn(*mut sys::tse_task_t) -> c_int;

impl SchedRecord {
    fn private(self) -> *mut SchedPrivate {
        // SAFETY: an address inside the record, which is as large as both.
        unsafe { (&raw mut (*self.0).ds_private).cast() }
    }

    /// The scheduler of a record that is initialised and has not ended.
    ///
    /// # Safety
    /// The contract of this module.
    unsafe fn scheduler(sched: *mut sys::tse_sched_t) -> Option<Arc<Scheduler<C>>> {
        if sched.is_null() {
            return None;
        }
        let private = SchedRecord(sched).private();
        // SAFETY: initialised memory by the contract.
        let (magic, core) = unsafe { ((*private).magic, (*private).core.cast::<Scheduler<C>>()) };
        if magic != SCHED_MAGIC || core.is_null() {
            return None;
        }
        // SAFETY: made by `Arc::into_raw` in `tse_sched_init`, and its reference is there until the scheduler ends.
        Some(unsafe {
            Arc::increment_strong_count(core);
            Arc::from_raw(core)
        })
    }
}

impl TaskRecord {
    fn private(self) -> *mut TaskPrivate {
        // SAFETY: an address inside the record, which is as large as both.
        unsafe { (&raw mut (*self.0).dt_private).cast() }
    }

    /// A task that lives.
    ///
    /// # Safety
    /// The contract of this module.
    unsafe fn check(task: *mut sys::tse_task_t) -> Option<TaskRecord> {
        if task.is_null() {
            return None;
        }
        let record = TaskRecord(task);
        // SAFETY: a task's memory by the contract.
        (unsafe { (*record.private()).magic } == TASK_MAGIC).then_some(record)
    }

    fn id(self) -> TaskId {
        // SAFETY: a task that lives; set once.
        TaskId::from_bits(unsafe { (*self.private()).id })
    }

    fn scheduler(self) -> Arc<Scheduler<C>> {
        // SAFETY: a task that lives holds a reference, made by `Arc::into_raw` in `tse_task_create`.
        unsafe {
            let core = (*self.private()).scheduler.cast::<Scheduler<C>>();
            Arc::increment_strong_count(core);
            Arc::from_raw(core)
        }
    }
}

impl Host for C {
    type Task = TaskRecord;
    type Body = Body;
    type Sched = SchedRecord;

    fn result(task: TaskRecord) -> i32 {
        // SAFETY: the scheduler asks about tasks that live.
        unsafe { (*task.0).dt_result }
    }

    fn set_result(task: TaskRecord, result: i32) {
        // SAFETY: as above.
        unsafe { (*task.0).dt_result = result };
    }

    fn run(body: Body, task: TaskRecord) {
        // The answer of a body says nothing: it completes its task.
        // SAFETY: the program's function for this task.
        unsafe { body(task.0) };
    }

    fn is_listed(task: TaskRecord) -> bool {
        let private = task.private();
        // SAFETY: the scheduler asks about tasks that live.
        unsafe { (*private).list[0] != (&raw mut (*private).list).cast() }
    }

    fn free(task: TaskRecord) {
        let private = task.private();
        // SAFETY: the last user is gone: nobody else uses the record. It was made by `calloc` and `Arc::into_raw` in
        // `tse_task_create`.
        unsafe {
            (*private).magic = 0;
            drop(Arc::from_raw((*private).scheduler.cast::<Scheduler<C>>()));
            libc::free(task.0.cast());
        }
    }

    fn sched_result(sched: SchedRecord) -> i32 {
        // SAFETY: the scheduler has not ended.
        unsafe { (*sched.0).ds_result }
    }

    fn set_sched_result(sched: SchedRecord, result: i32) {
        // SAFETY: as above.
        unsafe { (*sched.0).ds_result = result };
    }

    fn end(sched: SchedRecord) {
        let private = sched.private();
        // SAFETY: the record is there until this returns; who ends a scheduler is its last user.
        let (core, progress) = unsafe {
            (*private).magic = 0;
            let progress = (*private).progress.swap(ptr::null_mut(), Ordering::AcqRel);
            (std::mem::replace(&mut (*private).core, ptr::null()), progress)
        };
        if !progress.is_null() {
            // SAFETY: left there by libdaos, taken back once.
            unsafe { ((*progress).release)(progress) };
        }
        if !core.is_null() {
            // SAFETY: made by `Arc::into_raw` in `tse_sched_init`, taken back once.
            drop(unsafe { Arc::from_raw(core.cast::<Scheduler<C>>()) });
        }
    }

    fn poll(sched: SchedRecord, limit: Duration) -> usize {
        // SAFETY: the scheduler has not ended.
        let progress = unsafe { (*sched.private()).progress.load(Ordering::Acquire) };
        if progress.is_null() {
            return 0;
        }
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        // SAFETY: left there by libdaos; it lives until its release, which is at the scheduler's end.
        unsafe { ((*progress).poll)(progress, limit) }
    }

    fn now_us() -> u64 {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_micros() as u64
    }
}

/// The answer of a C function.
fn answer(result: daos_common::Result<()>) -> c_int {
    result.map_or_else(|error| error.rc(), |()| 0)
}
