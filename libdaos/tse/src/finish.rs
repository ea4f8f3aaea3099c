//! How a scheduler ends: after all tasks, or cancelling them.

use crate::Host;
use crate::scheduler::Scheduler;
use crate::state::{Place, TaskId};
use daos_common::Der;
use std::sync::PoisonError;
use std::time::Duration;

/// How long one look at operations elsewhere lasts while waiting for them, at most.
const LOOK: Duration = Duration::from_millis(10);

impl<H: Host> Scheduler<H> {
    /// Waits for all tasks (`cancel`: ends those that have not run, waits for operations under way, ends the rest), calls
    /// the scheduler's callbacks, and gives up one user. `false`: another call is at it, or it has ended.
    ///
    /// A task that can never run, because what it waits for is nowhere scheduled, is cancelled. Cancelled tasks get their
    /// completion callbacks, with -DER_CANCELED if they had no result, and are no error of the scheduler.
    pub fn finish(&self, result: i32, cancel: bool) -> bool {
        {
            let mut state = self.lock();
            if state.ended || state.cancelling || state.completing {
                return false;
            }
            if H::sched_result(self.record) == 0 {
                H::set_sched_result(self.record, result);
            }
            (state.cancelling, state.completing) = (cancel, !cancel);
            state.references += 1;
        }
        if cancel {
            self.cancel_all();
        } else {
            self.wait_for_all();
        }
        self.call_end_callbacks();
        self.remove_user();
        self.remove_user();
        true
    }

    fn call_end_callbacks(&self) {
        loop {
            let callback = self.lock().end_callbacks.pop();
            let Some(callback) = callback else { return };
            let answer = callback(H::sched_result(self.record));
            if H::sched_result(self.record) == 0 {
                H::set_sched_result(self.record, answer);
            }
        }
    }

    fn wait_for_all(&self) {
        loop {
            H::poll(self.record, Duration::ZERO);
            self.run();
            let state = self.lock();
            if state.is_idle() {
                return;
            }
            if state.has_ready() || !state.complete.is_empty() {
                continue;
            }
            let asleep = state.next_wake_us().map(|at| Duration::from_micros(at.saturating_sub(H::now_us()).max(1)));
            if state.inflight == 0 && asleep.is_none() {
                // Nothing is under way that could make a task ready.
                drop(state);
                self.cancel_queued();
                continue;
            }
            let limit = asleep.unwrap_or(LOOK).min(LOOK);
            drop(state);
            if H::poll(self.record, limit) == 0 {
                let state = self.lock();
                if !state.has_ready() && state.complete.is_empty() && !state.is_idle() {
                    drop(self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }

    fn cancel_all(&self) {
        loop {
            self.cancel_queued();
            // Operations under way use the program's memory: they must have ended before this returns.
            while H::poll(self.record, LOOK) > 0 {}
            self.run();
            if self.lock().is_idle() {
                return;
            }
            let running = self.lock().in_place(|task| task.place == Place::Running && task.dependencies == 0);
            if running.is_empty() && self.lock().complete.is_empty() {
                // What is left waits for tasks of others.
                let left = self.lock().in_place(|task| matches!(task.place, Place::Running | Place::Picked(_)));
                left.into_iter().for_each(|id| self.cancel(id));
            }
            running.into_iter().for_each(|id| self.cancel(id));
            self.process_complete();
        }
    }

    fn cancel_queued(&self) {
        let queued = |place| matches!(place, Place::Waiting(_) | Place::Ready(_) | Place::Sleeping(..));
        let mut found = self.lock().in_place(|task| queued(task.place));
        found.sort_by_key(|id| self.lock().find(*id).map(|task| turn(task.place)));
        found.into_iter().for_each(|id| self.cancel(id));
        self.process_complete();
    }

    /// Ends a task that will not run, or not to its end.
    pub(crate) fn cancel(&self, id: TaskId) {
        {
            let mut state = self.lock();
            let Some(task) = state.find(id).filter(|task| !task.is_completed()) else { return };
            task.cancelled = true;
            if H::result(task.record) == 0 {
                H::set_result(task.record, Der::CANCELED.rc());
            }
        }
        if self.call_completions(id) {
            self.close(&mut self.lock(), id);
        }
    }

    /// The last user is gone, or the program said so: no task can be scheduled any more. Tasks that are still there are
    /// abandoned; each keeps what it needs until its own last user leaves. How many were scheduled and not complete.
    pub fn end(&self) -> usize {
        let left = {
            let mut state = self.lock();
            if std::mem::replace(&mut state.ended, true) {
                return 0;
            }
            state.in_place(|task| !matches!(task.place, Place::Unscheduled | Place::Done)).len()
        };
        H::end(self.record);
        left
    }
}

fn turn(place: Place) -> u64 {
    match place {
        Place::Waiting(turn) | Place::Ready(turn) | Place::Sleeping(_, turn) => turn,
        _ => 0,
    }
}
