//! Tasks.

use super::{C, SchedRecord, TaskRecord, answer};
use daos_common::{Der, Result};
use daos_export::export;
use daos_sys::{tse_sched_t, tse_task_cb_t, tse_task_func_t, tse_task_t};
use daos_tse::layout::{TASK_BUFFER, TASK_MAGIC};
use daos_tse::{Callback, Scheduler};
use libc::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

/// A C callback and its copy of the argument, aligned for anything.
struct Called {
    function: unsafe extern "C" fn(*mut tse_task_t, *mut c_void) -> c_int,
    argument: Vec<u128>,
}

/// A callback of C with a copy of `size` bytes of its argument (zero bytes without one); `None`: there is no function.
///
/// # Errors
/// `NOMEM`.
///
/// # Safety
/// `argument` is NULL or valid for `size` reads.
unsafe fn callback(function: tse_task_cb_t, argument: *const c_void, size: usize) -> Result<Option<Callback<C>>> {
    let Some(function) = function else { return Ok(None) };
    let mut copy: Vec<u128> = Vec::new();
    let words = size.div_ceil(size_of::<u128>()).max(1);
    copy.try_reserve_exact(words).map_err(|_| Der::NOMEM.err(format!("{size} bytes for a callback's argument")))?;
    copy.resize(words, 0);
    if !argument.is_null() {
        // SAFETY: valid for reads by the contract; the copy has room.
        unsafe { ptr::copy_nonoverlapping(argument.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), size) };
    }
    let called = Called { function, argument: copy };
    Ok(Some(Box::new(move |task: TaskRecord| {
        let mut called = called;
        // SAFETY: the program's function, for this task; the argument is its copy.
        unsafe { (called.function)(task.0, called.argument.as_mut_ptr().cast()) }
    })))
}

/// A callback that must be there.
///
/// # Safety
/// As [`callback`].
unsafe fn required(function: tse_task_cb_t, argument: *const c_void, size: usize) -> Result<Callback<C>> {
    // SAFETY: the contract.
    unsafe { callback(function, argument, size) }?.ok_or_else(|| Der::INVAL.err("no callback"))
}

/// A task that lives, as an error else.
///
/// # Safety
/// The contract of the module.
unsafe fn found(task: *mut tse_task_t) -> Result<TaskRecord> {
    // SAFETY: the contract.
    unsafe { TaskRecord::check(task) }.ok_or_else(|| Der::INVAL.err("not a task"))
}

/// `task` waits for `on`.
pub(super) fn depend(task: TaskRecord, on: TaskRecord) -> Result<()> {
    task.scheduler().depend(task.id(), (&on.scheduler(), on.id()))
}

pub(super) fn schedule(task: TaskRecord, instant: bool, delay_us: u64) -> Result<()> {
    task.scheduler().schedule(task.id(), instant, delay_us)
}

pub(super) fn complete(task: TaskRecord, result: c_int) {
    task.scheduler().complete(task.id(), result);
}

/// # Safety
/// The contract of the module.
unsafe fn create(
    body: tse_task_func_t,
    sched: *mut tse_sched_t,
    private: *mut c_void,
    place: *mut *mut tse_task_t,
) -> Result<()> {
    // SAFETY: the contract.
    let core = unsafe { SchedRecord::scheduler(sched) }.ok_or_else(|| Der::INVAL.err("not a scheduler"))?;
    if place.is_null() {
        return Err(Der::INVAL.err("no place for the task"));
    }
    // SAFETY: plain allocation.
    let memory = unsafe { libc::calloc(1, size_of::<tse_task_t>()) }.cast::<tse_task_t>();
    if memory.is_null() {
        return Err(Der::NOMEM.err("a task"));
    }
    let record = TaskRecord(memory);
    let id = core.create(record, body).inspect_err(|_| {
        // SAFETY: allocated above.
        unsafe { libc::free(memory.cast()) }
    })?;
    let inside = record.private();
    // SAFETY: fresh memory of a task's size, which nobody else knows.
    unsafe {
        (*inside).scheduler = Arc::<Scheduler<C>>::into_raw(core).cast();
        (*inside).id = id.to_bits();
        (*inside).record = sched.cast();
        let list = (&raw mut (*inside).list).cast::<c_void>();
        (*inside).list = [list, list];
        (*inside).private = private;
        (*inside).magic = TASK_MAGIC;
        *place = memory;
    }
    Ok(())
}

export! { Der;
    fn tse_task_create(
        task_func: tse_task_func_t,
        sched: *mut tse_sched_t,
        priv_: *mut c_void,
        taskp: *mut *mut tse_task_t,
    ) -> c_int {
        // SAFETY: the contract of the module.
        answer(unsafe { create(task_func, sched, priv_, taskp) })
    }

    fn tse_task_schedule(task: *mut tse_task_t, instant: bool) -> c_int {
        // SAFETY: the contract of the module.
        answer(unsafe { found(task) }.and_then(|task| schedule(task, instant, 0)))
    }

    fn tse_task_schedule_with_delay(task: *mut tse_task_t, instant: bool, delay: u64) -> c_int {
        // SAFETY: the contract of the module.
        answer(unsafe { found(task) }.and_then(|task| schedule(task, instant, delay)))
    }

    fn tse_task_complete(task: *mut tse_task_t, ret: c_int) {
        // SAFETY: the contract of the module.
        if let Some(task) = unsafe { TaskRecord::check(task) } {
            complete(task, ret);
        }
    }

    fn tse_task_addref(task: *mut tse_task_t) {
        // SAFETY: the contract of the module.
        if let Some(task) = unsafe { TaskRecord::check(task) } {
            task.scheduler().add_task_user(task.id());
        }
    }

    fn tse_task_decref(task: *mut tse_task_t) {
        // SAFETY: the contract of the module.
        if let Some(task) = unsafe { TaskRecord::check(task) } {
            task.scheduler().remove_task_user(task.id());
        }
    }

    fn tse_task_register_comp_cb(
        task: *mut tse_task_t,
        comp_cb: tse_task_cb_t,
        arg: *mut c_void,
        arg_size: usize,
    ) -> c_int {
        // SAFETY: the contract of the module.
        let checked = unsafe { found(task).and_then(|task| Ok((task, required(comp_cb, arg, arg_size)?))) };
        answer(checked.and_then(|(task, callback)| task.scheduler().on_completion(task.id(), callback)))
    }

    fn tse_task_register_comp_cb_and_reinit(
        task: *mut tse_task_t,
        comp_cb: tse_task_cb_t,
        arg: *mut c_void,
        arg_size: usize,
        delay: u64,
    ) -> c_int {
        // SAFETY: the contract of the module.
        let checked = unsafe { found(task).and_then(|task| Ok((task, required(comp_cb, arg, arg_size)?))) };
        answer(checked.and_then(|(task, callback)| {
            task.scheduler().on_completion_and_reinit(task.id(), callback, delay)
        }))
    }

    fn tse_task_register_cbs(
        task: *mut tse_task_t,
        prep_cb: tse_task_cb_t,
        prep_data: *mut c_void,
        prep_data_size: usize,
        comp_cb: tse_task_cb_t,
        comp_data: *mut c_void,
        comp_data_size: usize,
    ) -> c_int {
        answer((|| {
            // SAFETY: the contract of the module.
            let (task, preparation, completion) = unsafe {
                (found(task)?, callback(prep_cb, prep_data, prep_data_size)?, callback(comp_cb, comp_data, comp_data_size)?)
            };
            if preparation.is_none() && completion.is_none() {
                return Err(Der::INVAL.err("no callback"));
            }
            task.scheduler().on_both(task.id(), preparation, completion)
        })())
    }

    fn tse_task_register_deps(task: *mut tse_task_t, num_deps: c_int, dep_tasks: *mut *mut tse_task_t) -> c_int {
        answer((|| {
            // SAFETY: the contract of the module.
            let task = unsafe { found(task) }?;
            let count = usize::try_from(num_deps).unwrap_or(0);
            if count > 0 && dep_tasks.is_null() {
                return Err(Der::INVAL.err("no tasks to wait for"));
            }
            for index in 0..count {
                // SAFETY: an array of that many tasks by the contract of the module.
                depend(task, unsafe { found(*dep_tasks.add(index)) }?)?;
            }
            Ok(())
        })())
    }

    fn tse_task_reinit(task: *mut tse_task_t) -> c_int {
        // SAFETY: the contract of the module.
        answer(unsafe { found(task) }.and_then(|task| task.scheduler().reinit(task.id(), 0)))
    }

    fn tse_task_reinit_with_delay(task: *mut tse_task_t, delay: u64) -> c_int {
        // SAFETY: the contract of the module.
        answer(unsafe { found(task) }.and_then(|task| task.scheduler().reinit(task.id(), delay)))
    }

    fn tse_task_reset(task: *mut tse_task_t, task_func: tse_task_func_t, priv_: *mut c_void) -> c_int {
        // SAFETY: the contract of the module.
        answer(unsafe { found(task) }.and_then(|task| {
            // SAFETY: a task that lives, under its scheduler's lock.
            task.scheduler().reset(task.id(), task_func, |task| unsafe { (*task.private()).private = priv_ })
        }))
    }

    fn tse_disable_propagate(task: *mut tse_task_t) {
        // SAFETY: the contract of the module.
        if let Some(task) = unsafe { TaskRecord::check(task) } {
            task.scheduler().disable_propagation(task.id());
        }
    }

    fn tse_task2sched(task: *mut tse_task_t) -> *mut tse_sched_t {
        // SAFETY: the contract of the module.
        unsafe { TaskRecord::check(task).map_or(ptr::null_mut(), |task| (*task.private()).record.cast()) }
    }

    fn tse_task_get_priv(task: *mut tse_task_t) -> *mut c_void {
        // SAFETY: the contract of the module.
        unsafe { TaskRecord::check(task).map_or(ptr::null_mut(), |task| (*task.private()).private) }
    }

    fn tse_task_set_priv(task: *mut tse_task_t, priv_: *mut c_void) -> *mut c_void {
        // SAFETY: the contract of the module.
        unsafe {
            TaskRecord::check(task)
                .map_or(ptr::null_mut(), |task| std::mem::replace(&mut (*task.private()).private, priv_))
        }
    }

    fn tse_task_buf_embedded(task: *mut tse_task_t, size: c_int) -> *mut c_void {
        let Ok(size) = usize::try_from(size) else { return ptr::null_mut() };
        let room = size.next_multiple_of(8);
        // SAFETY: the contract of the module.
        match unsafe { TaskRecord::check(task) } {
            Some(task) if room <= TASK_BUFFER => {
                let inside = task.private();
                // SAFETY: a task that lives; its buffer is its user's.
                unsafe {
                    (*inside).embedded = room as u64;
                    (&raw mut (*inside).buffer).cast()
                }
            }
            _ => ptr::null_mut(),
        }
    }
}
