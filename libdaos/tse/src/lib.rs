//! The task scheduler behind `tse_*`: tasks with dependencies, preparation and completion callbacks, delays, results that
//! travel from a task to those that wait for it.
//!
//! Called by `libdaos_common`, whose shims give it C records and C function pointers through [`Host`]; `libdaos` shares
//! with that library what lies in a `tse_sched_t` ([`layout`]), so that a scheduler can reach the operations that its
//! tasks launched. Nothing here is unsafe, does I/O, or calls a function of the program's while it holds a lock.
//!
//! # The life of a task
//! ```text
//! create ─▶ Unscheduled ─schedule─▶ Waiting ─last dependency─▶ Ready ─progress─▶ Picked ─▶ Running ─complete─▶ Complete
//!              ▲          │            ▲ ▲                       ▲                           │  ▲                 │
//!              │          └─▶ Sleeping ┘ └─────────reinit────────┴───────────────────────────┘  └ dependency      ▼
//!              └──reset── Done ◀───────────────────results handed on, dependents released──────────────────────── ┘
//! ```
//! - Ready tasks run in the order in which they were scheduled. Preparation callbacks run first, oldest first, then the
//!   body, unless one of them completed the task or put it back. An error of a preparation callback is the task's result,
//!   and its body runs all the same.
//! - Completion callbacks run newest first, each once. A callback that puts its task back ([`Scheduler::reinit`]) or gives it
//!   a new dependency ends the round: those left stay for the next completion.
//! - A running task that got dependencies completes by itself when the last of them has completed.
//! - A task's first error stays its result. It becomes the result of dependents that have none, unless they said
//!   otherwise, and does not keep them from running.
//! - Completing a task moves its dependents on at once; their bodies run when the scheduler next progresses.
//!
//! # Cost
//! One mutex per scheduler, taken for O(log tasks); two allocations per task (record, slot), one per callback.
#![forbid(unsafe_code)]

mod finish;
pub mod layout;
mod progress;
mod scheduler;
mod state;
#[cfg(test)]
mod tests;

pub use scheduler::Scheduler;
pub use state::TaskId;

use std::time::Duration;

/// What the scheduler asks of its user: where results lie, how bodies run.
pub trait Host: Sized + 'static {
    /// The record of a task that the program sees.
    type Task: Copy + Send;
    /// What a task does.
    type Body: Copy + Send;
    /// The record of a scheduler that the program sees.
    type Sched: Copy + Send + Sync;

    /// A task's result: 0 or a negative error number.
    fn result(task: Self::Task) -> i32;
    /// Sets a task's result.
    fn set_result(task: Self::Task, result: i32);
    /// Runs a task's body.
    fn run(body: Self::Body, task: Self::Task);
    /// Whether a task is in a list of the program's.
    fn is_listed(task: Self::Task) -> bool;
    /// Ends a task's record: nobody uses it any more.
    fn free(task: Self::Task);
    /// A scheduler's result.
    fn sched_result(sched: Self::Sched) -> i32;
    /// Sets a scheduler's result.
    fn set_sched_result(sched: Self::Sched, result: i32);
    /// Ends a scheduler's record: its last user is gone.
    fn end(sched: Self::Sched);
    /// Lets operations that tasks launched elsewhere move on, for at most `limit`, and completes the tasks of those that
    /// ended. How many are still under way.
    fn poll(sched: Self::Sched, limit: Duration) -> usize;
    /// A clock that never goes back, in microseconds.
    fn now_us() -> u64;
}

/// A callback of a task; it is given the task, and its result counts if the task has none.
pub type Callback<H> = Box<dyn FnOnce(<H as Host>::Task) -> i32 + Send>;

/// A callback of a scheduler's completion; it is given the result.
pub type EndCallback = Box<dyn FnOnce(i32) -> i32 + Send>;
