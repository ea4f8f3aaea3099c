//! How tasks move on: ready ones run, completed ones release those that wait for them.

use crate::Host;
use crate::scheduler::Scheduler;
use crate::state::{Place, State, TaskId};
use std::time::Duration;

impl<H: Host> Scheduler<H> {
    /// Completes the tasks of operations that ended, runs ready tasks and releases dependents of completed ones, until
    /// nothing moves. Does nothing while the scheduler is being cancelled.
    pub fn progress(&self) {
        {
            let mut state = self.lock();
            if state.cancelling || state.ended {
                return;
            }
            state.references += 1;
        }
        H::poll(self.record, Duration::ZERO);
        self.run();
        self.remove_user();
    }

    pub(crate) fn run(&self) {
        loop {
            let moved = self.run_ready() + self.process_complete();
            if moved == 0 || self.is_idle() {
                return;
            }
        }
    }

    /// Runs the tasks that are ready now; those that become ready meanwhile have to wait for the next round.
    fn run_ready(&self) -> usize {
        let picked = {
            let mut state = self.lock();
            state.wake(H::now_us());
            state.pick()
        };
        picked.into_iter().filter(|(id, turn)| self.run_picked(*id, *turn)).count()
    }

    /// Whether it counts as a move: a task that its preparation put back does not.
    fn run_picked(&self, id: TaskId, turn: u64) -> bool {
        {
            let mut state = self.lock();
            let cancelling = state.cancelling;
            let Some(task) = state.find(id).filter(|task| task.place == Place::Picked(turn)) else { return false };
            task.references += 1;
            if !cancelling {
                task.place = Place::Running;
            }
            drop(state);
            if cancelling {
                self.cancel(id);
                self.remove_task_user(id);
                return true;
            }
        }
        let run = self.prepare(id);
        if let Some((body, record)) = run.flatten() {
            H::run(body, record);
        }
        self.remove_task_user(id);
        run.is_some()
    }

    /// Calls the preparation callbacks; one that the last of them registers is for the next time. `None`: one of them put
    /// the task back; else the body to run, if there is one and the task was not completed.
    fn prepare(&self, id: TaskId) -> Option<Option<(H::Body, H::Task)>> {
        let returns = self.lock().find(id)?.returns;
        let mut more = true;
        while more {
            let (callback, completed, record) = {
                let mut state = self.lock();
                let task = state.find(id)?;
                let Some(callback) = task.preparations.pop_front() else { break };
                more = !task.preparations.is_empty();
                (callback, task.is_completed(), task.record)
            };
            if completed {
                continue;
            }
            let result = callback(record);
            if H::result(record) == 0 {
                H::set_result(record, result);
            }
        }
        let mut state = self.lock();
        let task = state.find(id)?;
        if task.returns != returns {
            return None;
        }
        Some(task.body.filter(|_| task.place == Place::Running).map(|body| (body, task.record)))
    }

    /// Ends a task with a result: its completion callbacks run, and unless one of them put it back or gave it a dependency,
    /// it is complete, and its dependents move on. Nothing when it has completed already.
    pub fn complete(&self, id: TaskId, result: i32) {
        {
            let mut state = self.lock();
            let Some(task) = state.find(id).filter(|task| !task.is_completed()) else { return };
            if H::result(task.record) == 0 {
                H::set_result(task.record, result);
            }
        }
        if self.call_completions(id) {
            self.close(&mut self.lock(), id);
            self.process_complete();
        }
    }

    /// Calls the completion callbacks. `false`: one of them put the task back or gave it a dependency.
    pub(crate) fn call_completions(&self, id: TaskId) -> bool {
        self.add_task_user(id);
        let mut through = true;
        while through {
            let (callback, changes, record) = {
                let mut state = self.lock();
                let Some(task) = state.find(id) else { break };
                let Some(callback) = task.completions.pop_front() else { break };
                (callback, task.changes, task.record)
            };
            let result = callback(record);
            if H::result(record) == 0 {
                H::set_result(record, result);
            }
            through = self.lock().find(id).is_some_and(|task| task.changes == changes);
        }
        self.remove_task_user(id);
        through
    }

    /// Marks a task complete, to be processed.
    pub(crate) fn close(&self, state: &mut State<H>, id: TaskId) {
        let Some(place) = state.find(id).filter(|task| !task.is_completed()).map(|task| task.place) else { return };
        match place {
            Place::Running | Place::Picked(_) => {}
            Place::Unscheduled => {
                state.references += 1;
                state.inflight += 1;
            }
            _ => {
                state.dequeue(id);
                state.inflight += 1;
            }
        }
        if let Some(task) = state.find(id) {
            task.place = Place::Complete;
        }
        state.complete.push_back(id);
        self.changed.notify_all();
    }

    /// Releases the dependents of tasks that are complete now, and gives up the scheduler's hold of them.
    pub(crate) fn process_complete(&self) -> usize {
        let batch = std::mem::take(&mut self.lock().complete);
        for id in &batch {
            self.finish_task(*id);
            self.remove_user();
            self.remove_task_user(*id);
        }
        batch.len()
    }

    fn finish_task(&self, id: TaskId) {
        let record = {
            let mut state = self.lock();
            let Some(task) = state.find(id) else { return };
            task.place = Place::Done;
            let (record, cancelled) = (task.record, task.cancelled);
            if !cancelled && H::sched_result(self.record) == 0 {
                H::set_sched_result(self.record, H::result(record));
            }
            record
        };
        loop {
            let dependent = self.lock().find(id).and_then(|task| task.dependents.pop_front());
            let Some(dependent) = dependent else { break };
            dependent.scheduler.release(dependent.task, H::result(record));
        }
        self.lock().inflight -= 1;
        self.changed.notify_all();
    }

    /// A dependency of a task ended with a result.
    pub(crate) fn release(&self, id: TaskId, result: i32) {
        let completes = {
            let mut state = self.lock();
            let cancelling = state.cancelling;
            let Some(task) = state.find(id) else { return };
            if H::result(task.record) == 0 && !task.no_propagate {
                H::set_result(task.record, result);
            }
            task.dependencies -= 1;
            let completes = !cancelling && task.dependencies == 0 && task.place == Place::Running;
            state.dependencies_changed(id);
            completes
        };
        // Its body has made tasks and waits for them: with the last of them it is complete.
        if completes && self.call_completions(id) {
            self.close(&mut self.lock(), id);
        }
        self.changed.notify_all();
        self.remove_task_user(id);
    }
}
