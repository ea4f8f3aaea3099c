//! Operations under way for the tasks of one scheduler: a queue of their own, left in the scheduler's record.
//!
//! Made by the first task that needs it, released when the scheduler ends. It outlives neither the library's
//! initialisation nor a fork: a task that runs later gets a new one, and what the old one has under way never ends.

use crate::event;
use crate::queue::Queue;
use crate::task::{arguments, opcodes};
use daos_common::{Der, Result};
use daos_sys::{daos_event_t, tse_sched_t, tse_task_t};
use daos_tse::layout::{Progress, SCHED_MAGIC, SchedPrivate};
use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

/// Operations whose events are taken at once.
const BATCH: usize = 64;

/// What a scheduler finds in its record.
#[repr(C)]
pub(crate) struct Operations {
    face: Progress,
    queue: Arc<Queue>,
    under_way: AtomicUsize,
}

/// One of them. Two hold it: the body that launches it, and whoever takes its event.
#[repr(C)]
struct Operation {
    /// First, so that an event's address is its operation's.
    event: UnsafeCell<daos_event_t>,
    task: *mut tse_task_t,
}

// SAFETY: between launch and end the event is touched only under its queue's lock, then by the one who took it.
unsafe impl Send for Operation {}
// SAFETY: as above.
unsafe impl Sync for Operation {}

/// The place in a scheduler's record.
///
/// # Safety
/// The contract of [`crate::c`]: the scheduler does not end meanwhile.
unsafe fn place<'a>(sched: *mut tse_sched_t) -> Result<&'a AtomicPtr<Progress>> {
    if sched.is_null() {
        return Err(crate::c::null("scheduler"));
    }
    // SAFETY: an address inside the record, which is as large as both.
    let private = unsafe { (&raw const (*sched).ds_private).cast::<SchedPrivate>() };
    // SAFETY: a scheduler by the contract.
    unsafe {
        match (*private).magic {
            SCHED_MAGIC => Ok(&(*private).progress),
            _ => Err(Der::INVAL.err("the scheduler was not initialised: call tse_sched_init first")),
        }
    }
}

/// The operations of a scheduler, if it has launched any.
///
/// # Safety
/// As [`place`].
pub(crate) unsafe fn existing<'a>(sched: *mut tse_sched_t) -> Result<Option<&'a Operations>> {
    // SAFETY: the contract; what is there lives until the scheduler ends.
    Ok(unsafe { place(sched)?.load(Ordering::Acquire).cast::<Operations>().as_ref() })
}

/// The operations of a scheduler, made if there are none that can be used.
///
/// # Errors
/// `UNINIT`; what opening an endpoint answers.
///
/// # Safety
/// As [`place`].
unsafe fn of<'a>(sched: *mut tse_sched_t) -> Result<&'a Operations> {
    // SAFETY: the contract.
    let place = unsafe { place(sched) }?;
    let found = place.load(Ordering::Acquire);
    // SAFETY: what is there lives until the scheduler ends.
    if let Some(operations) = unsafe { found.cast::<Operations>().as_ref() }
        && operations.queue.is_current()
    {
        return Ok(operations);
    }
    let face = Progress { poll, release };
    let made = Box::into_raw(Box::new(Operations { face, queue: Queue::open()?, under_way: AtomicUsize::new(0) }));
    match place.compare_exchange(found, made.cast(), Ordering::AcqRel, Ordering::Acquire) {
        // One from before a fork or another initialisation stays in memory: others may be looking at it.
        // SAFETY: made above; it lives until the scheduler ends.
        Ok(_) => Ok(unsafe { &*made }),
        Err(other) => {
            // SAFETY: made above and known to nobody; the other one lives until the scheduler ends.
            unsafe {
                drop(Box::from_raw(made));
                Ok(&*other.cast::<Operations>())
            }
        }
    }
}

/// Launches the operation of a task, from its body.
///
/// # Safety
/// The contract of [`crate::c`]; the task runs.
pub(crate) unsafe fn start(task: *mut tse_task_t) -> c_int {
    // SAFETY: the contract.
    let launched = unsafe { launch(task) };
    let rc = crate::call::answer(launched);
    if rc != 0 {
        // SAFETY: the task runs.
        unsafe { daos_sys::tse_task_complete(task, rc) };
    }
    rc
}

/// # Errors
/// Why it could not be launched; an operation's own error goes to its task.
///
/// # Safety
/// As [`start`].
unsafe fn launch(task: *mut tse_task_t) -> Result<()> {
    // SAFETY: the contract: the task and its scheduler live.
    let (arguments, operations) = unsafe { (arguments(task)?, of(daos_sys::tse_task2sched(task))?) };
    // SAFETY: the contract: the task runs, its record and its bytes are its body's.
    unsafe {
        if opcodes::is_service_call((*arguments).opcode) && !is_final((*task).dt_result) {
            (*task).dt_result = 0;
        }
    }
    let operation = Arc::new(Operation { event: UnsafeCell::new(daos_event_t::default()), task });
    let event = operation.event.get();
    // SAFETY: memory for an event, which stays as long as the operation.
    unsafe {
        event::init(event, operations.queue.clone(), ptr::null_mut())?;
        // In flight the task must stay, whatever its other users do.
        daos_sys::tse_task_addref(task);
    }
    let for_taker = Arc::into_raw(operation.clone());
    operations.under_way.fetch_add(1, Ordering::AcqRel);
    // SAFETY: the contract: the caller filled in the arguments for this code.
    let rc = unsafe { opcodes::call(&*arguments, event) };
    if rc != 0 && event::status(event) == daos_sys::DAOS_EVS_READY {
        // Never launched, so nobody takes the event.
        // SAFETY: made above.
        drop(unsafe { Arc::from_raw(for_taker) });
        operations.end(&operation, rc);
    } else if operations.queue.take(event)? {
        // SAFETY: made above; taking the event is done once.
        drop(unsafe { Arc::from_raw(for_taker) });
        operations.end(&operation, operation.result());
    }
    Ok(())
}

/// Whether a result that a service call was given by what it depends on stays.
///
/// The original takes the task's result for that of the reply: with these it believes the reply, with any other that none
/// has come, and then starts the task anew, whose result is 0 again. HDF5's connector depends on it: it creates a container
/// after destroying one that may not have been there.
fn is_final(propagated: c_int) -> bool {
    [0, Der::INVAL.rc(), Der::UNREG.rc()].contains(&propagated)
}

impl Operation {
    fn result(&self) -> c_int {
        // SAFETY: its event was taken: nobody changes it any more.
        unsafe { (*self.event.get()).ev_error }
    }
}

impl Operations {
    /// An operation has ended: its task completes. The event is in no list.
    fn end(&self, operation: &Operation, rc: c_int) {
        event::abandon(operation.event.get());
        self.under_way.fetch_sub(1, Ordering::AcqRel);
        // SAFETY: `launch` has counted a user of the task.
        unsafe {
            daos_sys::tse_task_complete(operation.task, rc);
            daos_sys::tse_task_decref(operation.task);
        }
    }

    /// Waits for operations for at most `limit`, and completes the tasks of those that ended. How many are under way.
    ///
    /// # Errors
    /// `UNINIT`: they belong to an earlier life of the library.
    pub(crate) fn poll(&self, limit: Duration) -> Result<usize> {
        if self.under_way() > 0 {
            for event in self.queue.poll(true, Some(limit), BATCH)? {
                // SAFETY: the events of this queue are those of operations, whose other half `launch` left for whom takes
                // the event.
                let operation = unsafe { Arc::from_raw(event.cast::<Operation>().cast_const()) };
                self.end(&operation, operation.result());
            }
        }
        Ok(self.under_way())
    }

    /// How many are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }
}

unsafe extern "C" fn poll(this: *const Progress, limit_us: u64) -> usize {
    // SAFETY: the scheduler calls it with what `of` left there, before it ends.
    let operations = unsafe { &*this.cast::<Operations>() };
    daos_export::guard("progress of tasks", daos_export::Convention::Der, || {
        operations.poll(Duration::from_micros(limit_us)).unwrap_or(0)
    })
}

unsafe extern "C" fn release(this: *const Progress) {
    // SAFETY: the scheduler's last call, with what `of` left there.
    let operations = unsafe { Box::from_raw(this.cast_mut().cast::<Operations>()) };
    if operations.under_way() > 0 {
        // Their events still name the queue; it must stay.
        std::mem::forget(operations);
    }
}
