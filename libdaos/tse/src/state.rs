//! What a scheduler knows, all of it under its mutex: tasks in slots, and the queues they wait in.

use crate::scheduler::Scheduler;
use crate::{Callback, EndCallback, Host};
use daos_common::{Der, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A task of a scheduler. Slots are used again; an id of a freed task finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl TaskId {
    /// As one number, to be kept in a C record.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// What [`TaskId::to_bits`] gave.
    pub fn from_bits(bits: u64) -> TaskId {
        TaskId { slot: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Created or reset, not yet scheduled.
    Unscheduled,
    /// Scheduled, with dependencies; the number is its turn.
    Waiting(u64),
    /// Scheduled, without dependencies.
    Ready(u64),
    /// Scheduled for later: when, in microseconds, and its turn.
    Sleeping(u64, u64),
    /// About to run, by the thread that was given this number.
    Picked(u64),
    /// Body begun, not completed.
    Running,
    /// Completed; dependents not yet released.
    Complete,
    /// Completed and through.
    Done,
}

/// A task that waits for another.
pub(crate) struct Dependent<H: Host> {
    pub(crate) scheduler: Arc<Scheduler<H>>,
    pub(crate) task: TaskId,
}

/// A task.
pub(crate) struct Task<H: Host> {
    pub(crate) record: H::Task,
    pub(crate) body: Option<H::Body>,
    pub(crate) place: Place,
    /// Users: its creator until it completes, the program's, those that are just working on it, dependencies.
    pub(crate) references: u32,
    /// Tasks that it waits for.
    pub(crate) dependencies: u32,
    /// Tasks that wait for it.
    pub(crate) dependents: VecDeque<Dependent<H>>,
    pub(crate) preparations: VecDeque<Callback<H>>,
    /// Next one first.
    pub(crate) completions: VecDeque<Callback<H>>,
    /// Raised by what ends a round of completion callbacks: a new dependency, being put back.
    pub(crate) changes: u32,
    /// How often it was put back.
    pub(crate) returns: u32,
    /// An error of a dependency is none of this task.
    pub(crate) no_propagate: bool,
    /// Ended by the end of its scheduler, not by itself.
    pub(crate) cancelled: bool,
}

impl<H: Host> Task<H> {
    pub(crate) fn new(record: H::Task, body: Option<H::Body>) -> Task<H> {
        Task {
            record,
            body,
            place: Place::Unscheduled,
            references: 1,
            dependencies: 0,
            dependents: VecDeque::new(),
            preparations: VecDeque::new(),
            completions: VecDeque::new(),
            changes: 0,
            returns: 0,
            no_propagate: false,
            cancelled: false,
        }
    }

    pub(crate) fn is_completed(&self) -> bool {
        matches!(self.place, Place::Complete | Place::Done)
    }
}

struct Slot<H: Host> {
    generation: u32,
    task: Option<Box<Task<H>>>,
}

/// Everything under the mutex.
pub(crate) struct State<H: Host> {
    slots: Vec<Slot<H>>,
    free: Vec<u32>,
    /// By turn.
    ready: BTreeMap<u64, TaskId>,
    /// By time, then turn.
    sleeping: BTreeMap<(u64, u64), TaskId>,
    waiting: usize,
    pub(crate) complete: VecDeque<TaskId>,
    /// Tasks picked, running, or complete and not yet through.
    pub(crate) inflight: usize,
    /// Users: the program, each scheduled task, each thread that progresses.
    pub(crate) references: usize,
    turn: u64,
    pub(crate) cancelling: bool,
    pub(crate) completing: bool,
    pub(crate) ended: bool,
    /// Last one first.
    pub(crate) end_callbacks: Vec<EndCallback>,
}

impl<H: Host> State<H> {
    pub(crate) fn new() -> State<H> {
        State {
            slots: Vec::new(),
            free: Vec::new(),
            ready: BTreeMap::new(),
            sleeping: BTreeMap::new(),
            waiting: 0,
            complete: VecDeque::new(),
            inflight: 0,
            references: 1,
            turn: 0,
            cancelling: false,
            completing: false,
            ended: false,
            end_callbacks: Vec::new(),
        }
    }

    /// # Errors
    /// `NOMEM`: four thousand million tasks.
    pub(crate) fn insert(&mut self, task: Task<H>) -> Result<TaskId> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = u32::try_from(self.slots.len()).map_err(|_| Der::NOMEM.err("too many tasks"))?;
                self.slots.push(Slot { generation: 0, task: None });
                slot
            }
        };
        let place = &mut self.slots[slot as usize];
        place.task = Some(Box::new(task));
        Ok(TaskId { slot, generation: place.generation })
    }

    pub(crate) fn remove(&mut self, id: TaskId) -> Option<Box<Task<H>>> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)?;
        let task = slot.task.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        Some(task)
    }

    pub(crate) fn find(&mut self, id: TaskId) -> Option<&mut Task<H>> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)?;
        slot.task.as_deref_mut()
    }

    /// # Errors
    /// `NONEXIST`: it was freed.
    pub(crate) fn task(&mut self, id: TaskId) -> Result<&mut Task<H>> {
        self.find(id).ok_or_else(|| Der::NONEXIST.err("the task was freed"))
    }

    /// Tasks in a place that `wanted` names, in no particular order.
    pub(crate) fn in_place(&self, wanted: impl Fn(&Task<H>) -> bool) -> Vec<TaskId> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.task.as_deref().is_some_and(&wanted))
            .map(|(index, slot)| TaskId { slot: index as u32, generation: slot.generation })
            .collect()
    }

    /// Puts a task where it waits for its turn, which comes `delay_us` from now at the earliest.
    pub(crate) fn enqueue(&mut self, id: TaskId, delay_us: u64) {
        self.turn += 1;
        let turn = self.turn;
        if delay_us == 0 {
            return self.take_turn(id, turn);
        }
        let at = H::now_us().saturating_add(delay_us);
        if let Some(task) = self.find(id) {
            task.place = Place::Sleeping(at, turn);
            self.sleeping.insert((at, turn), id);
        }
    }

    fn take_turn(&mut self, id: TaskId, turn: u64) {
        let Some(task) = self.find(id) else { return };
        if task.dependencies == 0 {
            task.place = Place::Ready(turn);
            self.ready.insert(turn, id);
        } else {
            task.place = Place::Waiting(turn);
            self.waiting += 1;
        }
    }

    /// Takes a task that waits for its turn out of its queue. Whether it was in one.
    pub(crate) fn dequeue(&mut self, id: TaskId) -> bool {
        let Some(place) = self.find(id).map(|task| task.place) else { return false };
        match place {
            Place::Waiting(_) => self.waiting -= 1,
            Place::Ready(turn) => drop(self.ready.remove(&turn)),
            Place::Sleeping(at, turn) => drop(self.sleeping.remove(&(at, turn))),
            _ => return false,
        }
        true
    }

    /// The dependencies of a task changed: it is ready, or no longer.
    pub(crate) fn dependencies_changed(&mut self, id: TaskId) {
        let Some(task) = self.find(id) else { return };
        if let (Place::Waiting(turn), 0) | (Place::Ready(turn), 1) = (task.place, task.dependencies) {
            self.dequeue(id);
            self.take_turn(id, turn);
        }
    }

    /// Wakes those whose time has come: their turn is now.
    pub(crate) fn wake(&mut self, now_us: u64) {
        while let Some((&(at, _), &id)) = self.sleeping.first_key_value()
            && at <= now_us
        {
            self.sleeping.pop_first();
            self.enqueue(id, 0);
        }
    }

    /// Takes all ready tasks, in their order, with the numbers that they are picked under.
    pub(crate) fn pick(&mut self) -> Vec<(TaskId, u64)> {
        let ready = std::mem::take(&mut self.ready);
        let mut picked = Vec::with_capacity(ready.len());
        for (turn, id) in ready {
            if let Some(task) = self.find(id) {
                task.place = Place::Picked(turn);
                self.inflight += 1;
                picked.push((id, turn));
            }
        }
        picked
    }

    /// When the first sleeping task is due.
    pub(crate) fn next_wake_us(&self) -> Option<u64> {
        self.sleeping.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether no task is scheduled.
    pub(crate) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.sleeping.is_empty() && self.waiting == 0 && self.inflight == 0
    }
}
