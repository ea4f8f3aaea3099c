//! Operations through an event queue, a fixed number in flight.

use daos_api::check;
use daos_common::Result;
use daos_sys as sys;
use std::ptr;

/// An event queue with its events.
pub struct Queue {
    handle: sys::daos_handle_t,
    /// Never grows: events stay where they were initialised.
    events: Vec<sys::daos_event_t>,
    free: Vec<usize>,
}

impl Queue {
    /// A queue for `depth` operations in flight.
    pub fn new(depth: usize) -> Result<Queue> {
        let mut handle = sys::DAOS_HDL_INVAL;
        // SAFETY: `handle` is live.
        check(unsafe { sys::daos_eq_create(&mut handle) }, "daos_eq_create")?;
        let mut events = vec![sys::daos_event_t::default(); depth];
        for event in &mut events {
            // SAFETY: the event stays at its place until the queue drops.
            check(unsafe { sys::daos_event_init(event, handle, ptr::null_mut()) }, "daos_event_init")?;
        }
        Ok(Queue { handle, events, free: (0..depth).collect() })
    }

    /// Runs `count` operations: `launch` starts number `n` with an event and the slot whose buffers it may use.
    pub fn run(
        &mut self,
        count: usize,
        mut launch: impl FnMut(usize, usize, *mut sys::daos_event_t) -> i32,
    ) -> Result<()> {
        let mut launched = 0;
        let mut finished = 0;
        while finished < count {
            while launched < count
                && let Some(slot) = self.free.pop()
            {
                check(launch(launched, slot, &mut self.events[slot]), "launching an operation")?;
                launched += 1;
            }
            finished += self.poll()?;
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<usize> {
        let mut done: [*mut sys::daos_event_t; 64] = [ptr::null_mut(); 64];
        // SAFETY: `done` has room for 64; -1 waits for ever.
        let number = unsafe { sys::daos_eq_poll(self.handle, 1, -1, 64, done.as_mut_ptr()) };
        check(number.min(0), "daos_eq_poll")?;
        for event in &done[..number as usize] {
            // SAFETY: the queue gives back events of ours.
            check(unsafe { (**event).ev_error }, "an operation")?;
            let slot = self.events.iter().position(|own| ptr::eq(own, *event));
            self.free.extend(slot);
        }
        Ok(number as usize)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for event in &mut self.events {
            // SAFETY: initialised in `new`.
            unsafe { sys::daos_event_fini(event) };
        }
        // SAFETY: the handle is ours.
        unsafe { sys::daos_eq_destroy(self.handle, 0) };
    }
}
