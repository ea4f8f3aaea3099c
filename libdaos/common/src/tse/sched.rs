//! Schedulers.

use super::{C, SchedRecord, answer};
use crate::der;
use daos_common::Der;
use daos_export::export;
use daos_sys::{tse_sched_comp_cb_t, tse_sched_t};
use daos_tse::layout::SCHED_MAGIC;
use daos_tse::{EndCallback, Scheduler};
use libc::{c_int, c_void};
use std::sync::Arc;

/// A C callback and its argument.
struct End(unsafe extern "C" fn(*mut c_void, c_int) -> c_int, *mut c_void);

// SAFETY: the program registered it for whichever thread ends the scheduler.
unsafe impl Send for End {}

fn end_callback(callback: tse_sched_comp_cb_t, argument: *mut c_void) -> Option<EndCallback> {
    let end = End(callback?, argument);
    // SAFETY: the program's function and argument.
    Some(Box::new(move |result| {
        let end = end;
        // SAFETY: the program's function and argument.
        unsafe { (end.0)(end.1, result) }
    }))
}

export! { Der;
    fn tse_sched_init(sched: *mut tse_sched_t, comp_cb: tse_sched_comp_cb_t, udata: *mut c_void) -> c_int {
        if sched.is_null() {
            return der(Der::INVAL);
        }
        let record = SchedRecord(sched);
        let core = Scheduler::<C>::new(record);
        if let Some(callback) = end_callback(comp_cb, udata) {
            core.on_end(callback);
        }
        // SAFETY: the caller's memory for a scheduler, whatever is in it.
        unsafe {
            sched.write_bytes(0, 1);
            (*sched).ds_udata = udata;
            let private = record.private();
            (*private).core = Arc::into_raw(core).cast();
            (*private).magic = SCHED_MAGIC;
        }
        0
    }

    fn tse_sched_fini(sched: *mut tse_sched_t) {
        // SAFETY: the contract of the module.
        if let Some(core) = unsafe { SchedRecord::scheduler(sched) } {
            let left = core.end();
            if left > 0 {
                eprintln!("daos: tse_sched_fini: {left} tasks had not completed and never will; complete the scheduler first");
            }
        }
    }

    fn tse_sched_addref(sched: *mut tse_sched_t) {
        // SAFETY: the contract of the module.
        if let Some(core) = unsafe { SchedRecord::scheduler(sched) } {
            core.add_user();
        }
    }

    fn tse_sched_decref(sched: *mut tse_sched_t) {
        // SAFETY: the contract of the module.
        if let Some(core) = unsafe { SchedRecord::scheduler(sched) } {
            core.remove_user();
        }
    }

    fn tse_sched_register_comp_cb(
        sched: *mut tse_sched_t,
        comp_cb: tse_sched_comp_cb_t,
        arg: *mut c_void,
    ) -> c_int {
        // SAFETY: the contract of the module.
        match (unsafe { SchedRecord::scheduler(sched) }, end_callback(comp_cb, arg)) {
            (Some(core), Some(callback)) => {
                core.on_end(callback);
                answer(Ok(()))
            }
            _ => der(Der::INVAL),
        }
    }

    fn tse_sched_progress(sched: *mut tse_sched_t) {
        // SAFETY: the contract of the module.
        if let Some(core) = unsafe { SchedRecord::scheduler(sched) } {
            core.progress();
        }
    }

    fn tse_sched_check_complete(sched: *mut tse_sched_t) -> bool {
        // SAFETY: the contract of the module. A scheduler that has ended has nothing left to do.
        unsafe { SchedRecord::scheduler(sched) }.is_none_or(|core| core.is_idle())
    }

    fn tse_sched_complete(sched: *mut tse_sched_t, ret: c_int, cancel: bool) {
        // SAFETY: the contract of the module.
        if let Some(core) = unsafe { SchedRecord::scheduler(sched) }
            && core.finish(ret, cancel)
        {
            // SAFETY: the record is the caller's until this returns.
            unsafe { (*sched).ds_udata = std::ptr::null_mut() };
        }
    }
}
