//! What can be done to a task: create, count, callbacks, dependencies, schedule, put back, reset.

use crate::state::{Dependent, Place, State, Task, TaskId};
use crate::{Callback, EndCallback, Host};
use daos_common::{Der, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A scheduler of tasks.
pub struct Scheduler<H: Host> {
    pub(crate) record: H::Sched,
    state: Mutex<State<H>>,
    /// A task completed or was scheduled, for the thread that ends the scheduler.
    pub(crate) changed: Condvar,
}

impl<H: Host> Scheduler<H> {
    /// A scheduler with one user.
    pub fn new(record: H::Sched) -> Arc<Scheduler<H>> {
        Arc::new(Scheduler { record, state: Mutex::new(State::new()), changed: Condvar::new() })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<H>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a user of the scheduler.
    pub fn add_user(&self) {
        self.lock().references += 1;
    }

    /// A user leaves; the last one ends the scheduler.
    pub fn remove_user(&self) {
        let last = {
            let mut state = self.lock();
            state.references = state.references.saturating_sub(1);
            state.references == 0
        };
        if last {
            self.end();
        }
    }

    /// Has `callback` called when the scheduler completes; those registered later go first.
    pub fn on_end(&self, callback: EndCallback) {
        self.lock().end_callbacks.push(callback);
    }

    /// Whether no task is scheduled, asleep or under way.
    pub fn is_idle(&self) -> bool {
        self.lock().is_idle()
    }

    /// A task with one user: its completion.
    ///
    /// # Errors
    /// `NOMEM`.
    pub fn create(&self, record: H::Task, body: Option<H::Body>) -> Result<TaskId> {
        self.lock().insert(Task::new(record, body))
    }

    /// Counts a user of a task.
    pub fn add_task_user(&self, id: TaskId) {
        if let Some(task) = self.lock().find(id) {
            task.references += 1;
        }
    }

    /// A user of a task leaves; with the last one it is freed, and if it never completed its dependents are released.
    pub fn remove_task_user(&self, id: TaskId) {
        let freed = {
            let mut state = self.lock();
            let Some(task) = state.find(id) else { return };
            if task.references > 1 {
                task.references -= 1;
                return;
            }
            // One user too few: as long as it is scheduled it has its completion's.
            if !matches!(task.place, Place::Unscheduled | Place::Done) {
                return;
            }
            state.remove(id)
        };
        let Some(mut freed) = freed else { return };
        for dependent in std::mem::take(&mut freed.dependents) {
            dependent.scheduler.release(dependent.task, Der::CANCELED.rc());
        }
        H::free(freed.record);
        // Its callbacks' arguments go here, outside of the lock.
        drop(freed);
    }

    /// Has `callback` called before the body (later ones later).
    ///
    /// # Errors
    /// `NO_PERM`: the task has completed.
    pub fn on_preparation(&self, id: TaskId, callback: Callback<H>) -> Result<()> {
        self.open_task(&mut self.lock(), id)?.preparations.push_back(callback);
        Ok(())
    }

    /// Has `callback` called at completion (later ones earlier).
    ///
    /// # Errors
    /// `NO_PERM`: the task has completed.
    pub fn on_completion(&self, id: TaskId, callback: Callback<H>) -> Result<()> {
        self.open_task(&mut self.lock(), id)?.completions.push_front(callback);
        Ok(())
    }

    /// Registers both or none.
    ///
    /// # Errors
    /// `NO_PERM`: the task has completed.
    pub fn on_both(&self, id: TaskId, preparation: Option<Callback<H>>, completion: Option<Callback<H>>) -> Result<()> {
        let mut state = self.lock();
        let task = self.open_task(&mut state, id)?;
        task.preparations.extend(preparation);
        if let Some(completion) = completion {
            task.completions.push_front(completion);
        }
        Ok(())
    }

    /// Registers a completion callback and puts the task back, or neither.
    ///
    /// # Errors
    /// `NO_PERM`: the task has completed; as [`Scheduler::reinit`].
    pub fn on_completion_and_reinit(&self, id: TaskId, callback: Callback<H>, delay_us: u64) -> Result<()> {
        let mut state = self.lock();
        self.open_task(&mut state, id)?;
        self.reinit_locked(&mut state, id, delay_us)?;
        state.task(id)?.completions.push_front(callback);
        Ok(())
    }

    fn open_task<'a>(&self, state: &'a mut State<H>, id: TaskId) -> Result<&'a mut Task<H>> {
        let task = state.task(id)?;
        if task.is_completed() {
            return Err(Der::NO_PERM.err("the task has completed: reset it first"));
        }
        Ok(task)
    }

    /// An error of a dependency is none of this task from now on.
    pub fn disable_propagation(&self, id: TaskId) {
        if let Some(task) = self.lock().find(id) {
            task.no_propagate = true;
        }
    }

    /// `id` waits for `on`, a task of any scheduler; nothing changes when that one has completed.
    ///
    /// # Errors
    /// `NO_PERM`: `id` has completed; `INVAL`: they are the same.
    pub fn depend(self: &Arc<Self>, id: TaskId, on: (&Arc<Self>, TaskId)) -> Result<()> {
        let same = Arc::ptr_eq(self, on.0);
        if same && id == on.1 {
            return Err(Der::INVAL.err("a task cannot wait for itself"));
        }
        {
            let mut state = self.lock();
            self.open_task(&mut state, id)?;
            if same && state.task(on.1)?.is_completed() {
                return Ok(());
            }
            let task = state.task(id)?;
            task.references += 1;
            task.dependencies += 1;
            task.changes = task.changes.wrapping_add(1);
            let dependent = Dependent { scheduler: self.clone(), task: id };
            state.dependencies_changed(id);
            if same {
                state.task(on.1)?.dependents.push_back(dependent);
                return Ok(());
            }
        }
        let linked = {
            let mut state = on.0.lock();
            match state.find(on.1) {
                Some(task) if !task.is_completed() => {
                    task.dependents.push_back(Dependent { scheduler: self.clone(), task: id });
                    true
                }
                _ => false,
            }
        };
        if !linked {
            self.undepend(id);
        }
        Ok(())
    }

    /// Takes back a dependency on a task of another scheduler that turned out to have completed.
    fn undepend(&self, id: TaskId) {
        {
            let mut state = self.lock();
            let Some(task) = state.find(id) else { return };
            task.dependencies -= 1;
            task.changes = task.changes.wrapping_sub(1);
            state.dependencies_changed(id);
        }
        self.remove_task_user(id);
    }

    /// Hands a task to the scheduler. `instant`: its body runs now, on this thread, if nothing is in its way (dependencies,
    /// preparation callbacks). A task without a body is running at once and waits for [`Scheduler::complete`].
    ///
    /// # Errors
    /// `NO_PERM`: it is scheduled already, or completed and not reset; `INVAL`: instant without a body or with a delay.
    pub fn schedule(&self, id: TaskId, instant: bool, delay_us: u64) -> Result<()> {
        let at_once = {
            let mut state = self.lock();
            if state.ended {
                return Err(Der::NO_PERM.err("the scheduler has ended"));
            }
            let task = state.task(id)?;
            if task.place != Place::Unscheduled {
                return Err(Der::NO_PERM.err("the task is scheduled already, or completed and not reset"));
            }
            if instant && (task.body.is_none() || delay_us != 0) {
                return Err(Der::INVAL.err("a task that is to run at once needs a body and no delay"));
            }
            let free = task.dependencies == 0 && task.preparations.is_empty();
            let (record, body) = (task.record, task.body);
            let mut at_once = None;
            if free && (instant || body.is_none()) {
                task.place = Place::Running;
                task.references += u32::from(instant);
                at_once = body.filter(|_| instant).map(|body| (body, record));
                state.inflight += 1;
            } else {
                state.enqueue(id, delay_us);
            }
            state.references += 1;
            at_once
        };
        self.changed.notify_all();
        if let Some((body, record)) = at_once {
            H::run(body, record);
            self.remove_task_user(id);
        }
        Ok(())
    }

    /// Puts a task that runs, or has completed, back to be run again, `delay_us` from now at the earliest; its result is 0
    /// again.
    ///
    /// # Errors
    /// `NO_PERM`: the scheduler is being cancelled, or the task was not run; `INVAL`: it has no body.
    pub fn reinit(&self, id: TaskId, delay_us: u64) -> Result<()> {
        self.reinit_locked(&mut self.lock(), id, delay_us)?;
        self.changed.notify_all();
        Ok(())
    }

    fn reinit_locked(&self, state: &mut State<H>, id: TaskId, delay_us: u64) -> Result<()> {
        if state.cancelling || state.ended {
            return Err(Der::NO_PERM.err("the scheduler is being cancelled"));
        }
        let task = state.task(id)?;
        if task.body.is_none() {
            return Err(Der::INVAL.err("a task without a body cannot be run again"));
        }
        match task.place {
            Place::Done => {
                task.references += 1;
                state.references += 1;
            }
            Place::Running => state.inflight -= 1,
            _ => return Err(Der::NO_PERM.err("only a task that runs or has completed can be run again")),
        }
        let task = state.task(id)?;
        task.changes = task.changes.wrapping_add(1);
        task.returns = task.returns.wrapping_add(1);
        task.cancelled = false;
        H::set_result(task.record, 0);
        state.enqueue(id, delay_us);
        Ok(())
    }

    /// Gives a completed task another body, to be scheduled anew; `change` makes the record fit, if all is well.
    ///
    /// # Errors
    /// `NO_PERM`: the scheduler is being cancelled; the task has not completed, has callbacks left or dependents, or is in
    /// a list.
    pub fn reset(&self, id: TaskId, body: Option<H::Body>, change: impl FnOnce(H::Task)) -> Result<()> {
        let mut state = self.lock();
        if state.cancelling {
            return Err(Der::NO_PERM.err("the scheduler is being cancelled"));
        }
        let task = state.task(id)?;
        if task.place != Place::Done {
            return Err(Der::NO_PERM.err("only a completed task can be reset"));
        }
        let clean = task.dependents.is_empty() && task.preparations.is_empty() && task.completions.is_empty();
        if !clean || H::is_listed(task.record) {
            return Err(Der::NO_PERM.err("the task has callbacks or dependents, or is in a list"));
        }
        task.body = body;
        task.place = Place::Unscheduled;
        H::set_result(task.record, 0);
        change(task.record);
        Ok(())
    }
}
