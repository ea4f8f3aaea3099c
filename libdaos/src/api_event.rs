//! Events and event queues.

use crate::c::{Out, OutArray};
use crate::call::answer;
use crate::event;
use crate::handles::QUEUES;
use crate::queue::Queue;
use daos_common::{Der, Result};
use daos_sys::{DAOS_EQ_DESTROY_FORCE, DAOS_EQR_COMPLETED, DAOS_EQR_WAITING};
use daos_sys::{daos_eq_query_t, daos_event_comp_cb_t, daos_event_t, daos_handle_t};
use std::ffi::{c_int, c_uint, c_void};
use std::sync::Arc;
use std::time::Duration;

/// The queue of a handle; a wrong one is NONEXIST here, as upstream has it.
fn queue(eqh: daos_handle_t) -> Result<Arc<Queue>> {
    QUEUES.get(eqh.cookie).map_err(|error| Der::NONEXIST.err(error.message()))
}

/// A timeout in microseconds; negative: none.
fn timeout(microseconds: i64) -> Option<Duration> {
    u64::try_from(microseconds).ok().map(Duration::from_micros)
}

/// A count, or a negative error.
fn count(result: Result<usize>) -> c_int {
    match result {
        Ok(count) => c_int::try_from(count).unwrap_or(c_int::MAX),
        Err(error) => answer(Err(error)),
    }
}

daos_export::export! { Der;
    fn daos_eq_create(eqh: *mut daos_handle_t) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(eqh, "eqh") };
        answer(place.and_then(|place| {
            let cookie = QUEUES.insert(Queue::open()?)?;
            place.set(daos_handle_t { cookie });
            Ok(())
        }))
    }

    fn daos_eq_destroy(eqh: daos_handle_t, flags: c_int) -> c_int {
        answer(queue(eqh).and_then(|queue| {
            queue.close(flags & DAOS_EQ_DESTROY_FORCE as c_int != 0)?;
            QUEUES.remove(eqh.cookie).map(drop)
        }))
    }

    fn daos_eq_poll(
        eqh: daos_handle_t,
        wait_running: c_int,
        timeout_us: i64,
        nevents: c_uint,
        events: *mut *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let places = unsafe { OutArray::new(events, nevents as usize) };
        count((|| {
            if places.len() == 0 {
                return Err(Der::INVAL.err("no room for events"));
            }
            let taken = queue(eqh)?.poll(wait_running != 0, timeout(timeout_us), places.len())?;
            taken.iter().enumerate().for_each(|(index, event)| places.set(index, *event));
            Ok(taken.len())
        })())
    }

    fn daos_eq_query(
        eqh: daos_handle_t,
        query: daos_eq_query_t,
        nevents: c_uint,
        events: *mut *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let places = unsafe { OutArray::new(events, nevents as usize) };
        let (completed, running) = (query & DAOS_EQR_COMPLETED != 0, query & DAOS_EQR_WAITING != 0);
        count(queue(eqh).and_then(|queue| queue.enter(|lists| {
            if places.len() == 0 {
                let (waiting, done) = lists.counts();
                return (if running { waiting } else { 0 }) + (if completed { done } else { 0 });
            }
            let found = lists.events(completed, running);
            found.iter().enumerate().for_each(|(index, event)| places.set(index, *event));
            found.len().min(places.len())
        })))
    }

    fn daos_event_init(ev: *mut daos_event_t, eqh: daos_handle_t, parent: *mut daos_event_t) -> c_int {
        answer((|| {
            if ev.is_null() {
                return Err(crate::c::null("event"));
            }
            let queue = match (parent.is_null(), eqh.cookie) {
                // SAFETY: the contract of `c`.
                (false, _) => event::queue_of(unsafe { event::check(parent) }?)?,
                (true, 0) => Queue::hidden()?,
                (true, _) => queue(eqh)?,
            };
            // SAFETY: the contract of `c`.
            unsafe { event::init(ev, queue, parent) }
        })())
    }

    fn daos_event_fini(ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        let event = unsafe { event::check(ev) };
        answer(event.and_then(|event| {
            let queue = event::queue_of(event)?;
            match queue.enter(|lists| lists.fini(event)) {
                Ok(ended) => ended,
                // The library was finalised, or this is a forked child: nothing can be under way here.
                Err(error) if error.code() == Der::UNINIT => {
                    event::abandon(event);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        }))
    }

    fn daos_event_next(parent: *mut daos_event_t, child: *mut daos_event_t) -> *mut daos_event_t {
        // SAFETY: the contract of `c`.
        match unsafe { event::check(parent) } {
            // SAFETY: the contract of `c`.
            Ok(parent) if child.is_null() || unsafe { event::check(child) }.is_ok() => event::next_child(parent, child),
            _ => std::ptr::null_mut(),
        }
    }

    fn daos_event_test(ev: *mut daos_event_t, timeout_us: i64, flag: *mut bool) -> c_int {
        // SAFETY: the contract of `c`.
        let checked = unsafe { (event::check(ev), Out::required(flag, "flag")) };
        answer((|| {
            let (event, flag) = (checked.0?, checked.1?);
            if event::is_child(event) {
                return Err(Der::NO_PERM.err("a child event cannot be tested; test its parent"));
            }
            flag.set(event::queue_of(event)?.test(event, timeout(timeout_us))?);
            Ok(())
        })())
    }

    fn daos_event_abort(ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        let event = unsafe { event::check(ev) };
        answer(event.and_then(|event| event::queue_of(event)?.enter(|_| event::abort(event))?))
    }

    fn daos_event_parent_barrier(ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        let event = unsafe { event::check(ev) };
        answer(event.and_then(|event| event::queue_of(event)?.launch_barrier(event)))
    }

    fn daos_event_register_comp_cb(ev: *mut daos_event_t, cb: daos_event_comp_cb_t, arg: *mut c_void) -> c_int {
        // SAFETY: the contract of `c`.
        let event = unsafe { event::check(ev) };
        answer(event.and_then(|event| match event::queue_of(event)?.enter(|_| event::register(event, cb, arg)) {
            Ok(registered) => registered,
            // Of an earlier life of the library: nobody else can be at it.
            Err(_) => event::register(event, cb, arg),
        }))
    }
}

daos_export::export_undeclared! { Der;
    /// Not in an installed header, but exported upstream: libdfs calls it so that its events carry errno values.
    fn daos_event_errno_rc(ev: *mut daos_event_t) {
        // SAFETY: the contract of `c`.
        if let Ok(event) = unsafe { event::check(ev) } {
            event::use_errno(event);
        }
    }
}
