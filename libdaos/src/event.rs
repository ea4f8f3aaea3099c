//! `daos_event_t`: what lies in its private part, and how its state changes.
//!
//! | offset in `ev_private` | size | field |
//! |---|---|---|
//! | 0 | 4 | magic; anything else is an event that was not initialised |
//! | 4 | 4 | status, `DAOS_EVS_*` |
//! | 8 | 8 | pointer to its [`Queue`], one reference, or 0 after fini |
//! | 16 | 40 | parent, first and last child, next and previous in the list it is in |
//! | 56 | 12 | children: all, running, completed |
//! | 68 | 4 | flags: barrier, errno |
//! | 72 | 8 | completion callbacks |
//!
//! Everything but the status is touched only under the lock of the event's queue. An event is in one list at a time:
//! a child in its parent's, another in the running or completed list of its queue.

use crate::queue::Queue;
use daos_common::{Der, Result};
use daos_sys::{DAOS_EVS_ABORTED, DAOS_EVS_COMPLETED, DAOS_EVS_READY, DAOS_EVS_RUNNING};
use daos_sys::{daos_event_comp_cb_t, daos_event_t};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const MAGIC: u32 = 0xda05_e7e4;

/// Address of an event; equal addresses are the same event.
pub(crate) type Event = *mut daos_event_t;

/// The private part.
#[repr(C)]
struct Private {
    magic: u32,
    status: AtomicU32,
    queue: *const Queue,
    parent: Event,
    first_child: Event,
    last_child: Event,
    next: Event,
    previous: Event,
    children: u32,
    children_running: u32,
    children_completed: u32,
    flags: u32,
    callbacks: *mut Vec<Callback>,
}

const FLAG_BARRIER: u32 = 1;
const FLAG_ERRNO: u32 = 2;

struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *mut daos_event_t, i32) -> i32,
    argument: *mut c_void,
}

const _: () = assert!(size_of::<Private>() <= size_of::<daos_sys::daos_event__bindgen_ty_1>());
const _: () = assert!(align_of::<Private>() <= align_of::<daos_sys::daos_event__bindgen_ty_1>());

/// A list of events, linked through them.
pub(crate) struct EventList {
    first: Event,
    last: Event,
    len: usize,
}

impl EventList {
    pub(crate) const fn new() -> EventList {
        EventList { first: std::ptr::null_mut(), last: std::ptr::null_mut(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The events in order. Do not unlink the one that comes next meanwhile.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> + use<> {
        let mut at = self.first;
        std::iter::from_fn(move || {
            let event = (!at.is_null()).then_some(at)?;
            at = private(event).next;
            Some(event)
        })
    }

    pub(crate) fn push(&mut self, event: Event) {
        let inside = private(event);
        (inside.next, inside.previous) = (std::ptr::null_mut(), self.last);
        match self.last.is_null() {
            true => self.first = event,
            false => private(self.last).next = event,
        }
        self.last = event;
        self.len += 1;
    }

    pub(crate) fn unlink(&mut self, event: Event) {
        let inside = private(event);
        match inside.previous.is_null() {
            true => self.first = inside.next,
            false => private(inside.previous).next = inside.next,
        }
        match inside.next.is_null() {
            true => self.last = inside.previous,
            false => private(inside.next).previous = inside.previous,
        }
        (inside.next, inside.previous) = (std::ptr::null_mut(), std::ptr::null_mut());
        self.len -= 1;
    }
}

/// The private part of an event that was initialised.
fn private<'a>(event: Event) -> &'a mut Private {
    // SAFETY: events in our lists and those that passed `check` are initialised and valid until their fini, which
    // unlinks them; they are used under their queue's lock. No two of these references are held at a time for one
    // event: each is used for one statement.
    unsafe { &mut *(&raw mut (*event).ev_private).cast::<Private>() }
}

/// Checks that the caller gave an event that was initialised.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn check(event: Event) -> Result<Event> {
    if event.is_null() {
        return Err(crate::c::null("event"));
    }
    match private(event).magic {
        MAGIC => Ok(event),
        _ => Err(Der::INVAL.err("the event was not initialised: call daos_event_init first")),
    }
}

/// The queue of an event.
///
/// # Errors
/// `NONEXIST`: the event was finalised.
pub(crate) fn queue_of(event: Event) -> Result<Arc<Queue>> {
    let queue = private(event).queue;
    if queue.is_null() {
        return Err(Der::NONEXIST.err("the event was finalised"));
    }
    // SAFETY: the event holds a reference, made by `Arc::into_raw` in `init`.
    Ok(unsafe {
        Arc::increment_strong_count(queue);
        Arc::from_raw(queue)
    })
}

/// Makes the caller's memory an event of `queue`, or a child of `parent` on that one's queue.
///
/// # Errors
/// `INVAL`: the parent is running; `NO_PERM`: the parent is a child itself.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn init(event: Event, queue: Arc<Queue>, parent: Event) -> Result<()> {
    // SAFETY: the caller's memory for an event, whatever is in it.
    unsafe { event.write_bytes(0, 1) };
    let inside = private(event);
    inside.queue = Arc::into_raw(queue);
    inside.magic = MAGIC;
    if parent.is_null() {
        return Ok(());
    }
    let link = || {
        if status(parent) != DAOS_EVS_READY {
            return Err(Der::INVAL.err("the parent event is running"));
        }
        if !private(parent).parent.is_null() {
            return Err(Der::NO_PERM.err("the parent event is a child itself"));
        }
        private(event).parent = parent;
        with_children(parent, |children| children.push(event));
        private(parent).children += 1;
        Ok(())
    };
    let linked = queue_of(event)?.enter(|_| link()).and_then(|linked| linked);
    if linked.is_err() {
        release(event);
    }
    linked
}

fn with_children<R>(parent: Event, work: impl FnOnce(&mut EventList) -> R) -> R {
    let inside = private(parent);
    let mut list = EventList { first: inside.first_child, last: inside.last_child, len: inside.children as usize };
    let result = work(&mut list);
    let inside = private(parent);
    (inside.first_child, inside.last_child) = (list.first, list.last);
    result
}

/// Gives back what an event holds; it must be initialised anew before its next use.
fn release(event: Event) {
    let inside = private(event);
    if !inside.callbacks.is_null() {
        // SAFETY: made by `Box::into_raw` in `register`, taken back once.
        drop(unsafe { Box::from_raw(std::mem::replace(&mut inside.callbacks, std::ptr::null_mut())) });
    }
    let queue = std::mem::replace(&mut inside.queue, std::ptr::null());
    inside.magic = 0;
    if !queue.is_null() {
        // SAFETY: made by `Arc::into_raw` in `init`, taken back once.
        drop(unsafe { Arc::from_raw(queue) });
    }
}

/// The status, `DAOS_EVS_*`.
pub(crate) fn status(event: Event) -> u32 {
    private(event).status.load(Ordering::Acquire)
}

fn set_status(event: Event, status: u32) {
    private(event).status.store(status, Ordering::Release);
}

/// Whether it is a child.
pub(crate) fn is_child(event: Event) -> bool {
    !private(event).parent.is_null()
}

/// Whether it is done and, if it is a parent, none of its children still runs.
pub(crate) fn is_finished(event: Event) -> bool {
    matches!(status(event), DAOS_EVS_COMPLETED | DAOS_EVS_ABORTED) && private(event).children_running == 0
}

/// Makes `ev_error` a positive errno value at completion, as DFS has it.
pub(crate) fn use_errno(event: Event) {
    private(event).flags |= FLAG_ERRNO;
}

/// Adds a function to be called at completion.
pub(crate) fn register(event: Event, function: daos_event_comp_cb_t, argument: *mut c_void) -> Result<()> {
    let function = function.ok_or_else(|| crate::c::null("callback"))?;
    let inside = private(event);
    if inside.callbacks.is_null() {
        inside.callbacks = Box::into_raw(Box::default());
    }
    // SAFETY: made in the line above, or earlier likewise, and not yet taken back.
    unsafe { (*inside.callbacks).push(Callback { function, argument }) };
    Ok(())
}

/// Takes the functions to be called at completion; under the queue's lock.
fn take_callbacks(event: Event) -> Vec<Callback> {
    let callbacks = std::mem::replace(&mut private(event).callbacks, std::ptr::null_mut());
    // SAFETY: made by `Box::into_raw` in `register`, taken back once.
    if callbacks.is_null() { Vec::new() } else { *unsafe { Box::from_raw(callbacks) } }
}

/// A completion that has yet to call the program's functions.
pub(crate) struct Completion {
    event: Event,
    rc: i32,
    callbacks: Vec<Callback>,
}

impl Completion {
    /// What is to be done for an event that ends with this result; under the queue's lock.
    pub(crate) fn new(event: Event, rc: i32) -> Completion {
        Completion { event, rc, callbacks: take_callbacks(event) }
    }

    /// Whether there is anything to call.
    pub(crate) fn has_callbacks(&self) -> bool {
        !self.callbacks.is_empty()
    }

    /// Calls the functions, without any lock: they may use every queue, also that of the event, which still runs. The first
    /// failure of one is the result of an operation that had none.
    pub(crate) fn call(&mut self) {
        let rc = self.rc;
        for callback in std::mem::take(&mut self.callbacks) {
            // SAFETY: the caller registered it for this event.
            let answer = unsafe { (callback.function)(callback.argument, self.event, rc) };
            self.rc = if self.rc == 0 { answer } else { self.rc };
        }
    }

    /// Completes the event; under the queue's lock. A parent that this was the last child of, as a barrier, is next.
    pub(crate) fn settle(self, running: &mut EventList, completed: &mut EventList) -> Option<Completion> {
        let (event, rc) = (self.event, self.rc);
        let as_errno = private(event).flags & FLAG_ERRNO != 0;
        let shown = match Der::from_number(rc) {
            Some(code) if as_errno => code.errno(),
            _ => rc,
        };
        if private(event).flags & FLAG_BARRIER != 0 {
            keep_first_error(event, shown);
        } else {
            // SAFETY: an event of the caller's, valid by the contract.
            unsafe { (*event).ev_error = shown };
        }
        set_status(event, DAOS_EVS_COMPLETED);
        let parent = private(event).parent;
        if parent.is_null() {
            running.unlink(event);
            completed.push(event);
            return None;
        }
        let inside = private(parent);
        inside.children_running -= 1;
        inside.children_completed += 1;
        let all_done = inside.children_completed >= inside.children;
        let barrier = inside.flags & FLAG_BARRIER != 0 && status(parent) == DAOS_EVS_RUNNING;
        if all_done && barrier {
            return Some(Completion::new(parent, rc));
        }
        if !all_done || status(parent) == DAOS_EVS_READY {
            keep_first_error(parent, rc);
        }
        None
    }
}

/// Makes an event running; under the queue's lock.
///
/// # Errors
/// `NO_PERM`: it is not ready, or it is a parent with children that were not launched.
pub(crate) fn launch(event: Event, running: &mut EventList) -> Result<()> {
    if status(event) != DAOS_EVS_READY {
        return Err(Der::NO_PERM.err("the event is in use: wait for it first"));
    }
    let inside = private(event);
    if inside.children > inside.children_running + inside.children_completed {
        return Err(Der::NO_PERM.err("launch all children of an event before the event itself"));
    }
    set_status(event, DAOS_EVS_RUNNING);
    match private(event).parent {
        parent if parent.is_null() => running.push(event),
        parent => private(parent).children_running += 1,
    }
    Ok(())
}

/// An event's error, unless it has one.
fn keep_first_error(event: Event, rc: i32) {
    // SAFETY: an event of the caller's, valid by the contract.
    unsafe { (*event).ev_error = if (*event).ev_error != 0 { (*event).ev_error } else { rc } };
}

/// Makes an event a barrier that its last child completes, and launches it; under the queue's lock. Whether the last child
/// has completed already.
///
/// # Errors
/// `INVAL`: it has no children; `NO_PERM`: as [`launch`].
pub(crate) fn launch_barrier(event: Event, running: &mut EventList) -> Result<bool> {
    if private(event).children == 0 {
        return Err(Der::INVAL.err("an event without children cannot be a barrier"));
    }
    launch(event, running)?;
    let inside = private(event);
    inside.flags |= FLAG_BARRIER;
    Ok(inside.children == inside.children_completed)
}

/// Takes a finished event out of its queue: it is ready again.
pub(crate) fn take(event: Event, completed: &mut EventList) {
    completed.unlink(event);
    private(event).flags &= !FLAG_BARRIER;
    set_status(event, DAOS_EVS_READY);
}

/// Ends an event's life, and its children's; under the queue's lock.
///
/// # Errors
/// `BUSY`: it is running; `INVAL`: it is a child of a parent that is running.
pub(crate) fn fini(event: Event, completed: &mut EventList) -> Result<()> {
    if status(event) == DAOS_EVS_RUNNING {
        return Err(Der::BUSY.err("the event is running: wait for it first"));
    }
    let parent = private(event).parent;
    if !parent.is_null() && status(parent) != DAOS_EVS_READY {
        return Err(Der::INVAL.err("the parent event is running or was not waited for"));
    }
    let children = with_children(event, |children| children.iter().collect::<Vec<_>>());
    if children.iter().any(|child| status(*child) == DAOS_EVS_RUNNING) {
        return Err(Der::BUSY.err("a child of the event is running"));
    }
    for child in children {
        with_children(event, |children| children.unlink(child));
        private(event).children -= 1;
        set_status(child, DAOS_EVS_READY);
        private(child).parent = std::ptr::null_mut();
        release(child);
    }
    if !parent.is_null() {
        with_children(parent, |children| children.unlink(event));
        let completed = status(event) == DAOS_EVS_COMPLETED;
        let inside = private(parent);
        inside.children -= 1;
        inside.children_completed -= u32::from(completed).min(inside.children_completed);
        private(event).parent = std::ptr::null_mut();
    } else if status(event) == DAOS_EVS_COMPLETED {
        completed.unlink(event);
    }
    set_status(event, DAOS_EVS_READY);
    release(event);
    Ok(())
}

/// Ends an event's life after that of its queue's context.
pub(crate) fn abandon(event: Event) {
    release(event);
}

/// Whether `daos_event_abort` may be called on it: only on a running one, and it does nothing.
pub(crate) fn abort(event: Event) -> Result<()> {
    match status(event) {
        DAOS_EVS_RUNNING => Ok(()),
        _ => Err(Der::NO_PERM.err("only a running event can be aborted")),
    }
}

/// The child behind `child`, or the first.
pub(crate) fn next_child(parent: Event, child: Event) -> Event {
    if child.is_null() { private(parent).first_child } else { private(child).next }
}
