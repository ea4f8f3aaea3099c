//! Lists of tasks: heads of the program's, linked through the tasks. No lock: they are the program's to protect.

use super::task::{complete, depend, schedule};
use super::{TaskRecord, answer};
use crate::der;
use daos_common::{Der, Result};
use daos_export::export;
use daos_sys::{d_list_t, tse_task_cb_t, tse_task_t};
use daos_tse::layout::TaskPrivate;
use libc::{c_int, c_void};
use std::mem::offset_of;
use std::ptr;

const LINK: usize = offset_of!(tse_task_t, dt_private) + offset_of!(TaskPrivate, list);

/// The place of a task in a list.
fn link(task: TaskRecord) -> *mut d_list_t {
    task.0.wrapping_byte_add(LINK).cast()
}

/// The task of a place in a list.
fn task_of(link: *mut d_list_t) -> TaskRecord {
    TaskRecord(link.wrapping_byte_sub(LINK).cast())
}

/// Takes a task out of its list, if it is in one.
fn unlink(task: TaskRecord) {
    let link = link(task);
    // SAFETY: a task that lives; its neighbours are those of a list of the program's.
    unsafe {
        let (next, previous) = ((*link).next, (*link).prev);
        (*previous).next = next;
        (*next).prev = previous;
        ((*link).next, (*link).prev) = (link, link);
    }
}

/// The first task of a list.
///
/// # Safety
/// The contract of the module.
unsafe fn first(head: *mut d_list_t) -> Option<TaskRecord> {
    // SAFETY: an initialised head by the contract.
    let next = if head.is_null() { head } else { unsafe { (*head).next } };
    (!next.is_null() && next != head).then(|| task_of(next))
}

/// The tasks of a list. The next one is looked up after the caller is through with one.
///
/// # Safety
/// The contract of the module; the list does not change meanwhile.
unsafe fn tasks(head: *mut d_list_t) -> impl Iterator<Item = TaskRecord> {
    // SAFETY: the contract.
    let mut at = unsafe { first(head) };
    std::iter::from_fn(move || {
        let task = at?;
        // SAFETY: a task in the list.
        let next = unsafe { (*link(task)).next };
        at = (next != head).then(|| task_of(next));
        Some(task)
    })
}

/// Calls `callback` for each task; the last answer other than 0.
///
/// # Safety
/// The contract of the module.
unsafe fn traverse(head: *mut d_list_t, callback: tse_task_cb_t, argument: *mut c_void, ahead: bool) -> c_int {
    let Some(callback) = callback else { return der(Der::INVAL) };
    // SAFETY: an initialised head by the contract; the callback may take out its own task, and with `ahead` also change
    // the list of the one behind it, which is why two places are read before each call.
    unsafe {
        let Some(mut task) = first(head) else { return if head.is_null() { der(Der::INVAL) } else { 0 } };
        let mut answer = 0;
        let mut next = (*link(task)).next;
        loop {
            let last = next == head;
            let behind = if ahead && !last { (*next).next } else { ptr::null_mut() };
            match callback(task.0, argument) {
                0 => {}
                failed => answer = failed,
            }
            if last {
                return answer;
            }
            task = task_of(next);
            next = if ahead { behind } else { (*next).next };
        }
    }
}

export! { Der;
    fn tse_task_list_add(task: *mut tse_task_t, head: *mut d_list_t) -> c_int {
        // SAFETY: the contract of the module.
        let Some(task) = (unsafe { TaskRecord::check(task) }) else { return der(Der::INVAL) };
        if head.is_null() {
            return der(Der::INVAL);
        }
        let link = link(task);
        // SAFETY: a task that lives, an initialised head.
        unsafe {
            if (*link).next != link {
                return der(Der::NO_PERM);
            }
            let last = (*head).prev;
            ((*link).next, (*link).prev) = (head, last);
            (*last).next = link;
            (*head).prev = link;
        }
        0
    }

    fn tse_task_list_del(task: *mut tse_task_t) {
        // SAFETY: the contract of the module.
        if let Some(task) = unsafe { TaskRecord::check(task) } {
            unlink(task);
        }
    }

    fn tse_task_list_first(head: *mut d_list_t) -> *mut tse_task_t {
        // SAFETY: the contract of the module.
        unsafe { first(head) }.map_or(ptr::null_mut(), |task| task.0)
    }

    fn tse_task_list_sched(head: *mut d_list_t, instant: bool) {
        // SAFETY: the contract of the module.
        while let Some(task) = unsafe { first(head) } {
            unlink(task);
            // The function has no way to say that one of them was scheduled already.
            let _: Result<()> = schedule(task, instant, 0);
        }
    }

    fn tse_task_list_abort(head: *mut d_list_t, rc: c_int) {
        // SAFETY: the contract of the module.
        while let Some(task) = unsafe { first(head) } {
            unlink(task);
            complete(task, rc);
        }
    }

    fn tse_task_list_depend(head: *mut d_list_t, task: *mut tse_task_t) -> c_int {
        // SAFETY: the contract of the module.
        match unsafe { TaskRecord::check(task) } {
            // SAFETY: the contract of the module.
            Some(on) if !head.is_null() => answer(unsafe { tasks(head) }.try_for_each(|task| depend(task, on))),
            _ => der(Der::INVAL),
        }
    }

    fn tse_task_depend_list(task: *mut tse_task_t, head: *mut d_list_t) -> c_int {
        // SAFETY: the contract of the module.
        match unsafe { TaskRecord::check(task) } {
            // SAFETY: the contract of the module.
            Some(task) if !head.is_null() => answer(unsafe { tasks(head) }.try_for_each(|on| depend(task, on))),
            _ => der(Der::INVAL),
        }
    }

    fn tse_task_list_traverse(head: *mut d_list_t, cb: tse_task_cb_t, arg: *mut c_void) -> c_int {
        // SAFETY: the contract of the module.
        unsafe { traverse(head, cb, arg, false) }
    }

    fn tse_task_list_traverse_adv(head: *mut d_list_t, cb: tse_task_cb_t, arg: *mut c_void) -> c_int {
        // SAFETY: the contract of the module.
        unsafe { traverse(head, cb, arg, true) }
    }
}
