//! The history of containers: snapshots, merging of versions, going back.
//!
//! The pool service keeps the snapshots; the targets keep the versions. What a target may merge follows from what it was
//! told last ([`ContHistory`], newest `stamp` wins); a target that was told nothing merges nothing.
//!
//! A snapshot is made in two rounds, so that it holds every write acknowledged before it was asked for, none that began
//! after it was answered, and never changes:
//!
//! ```text
//! client ── ContSnapCreate ──▶ service ── Hold ──▶ every rank: merge nothing newer from here on; answer with the clock
//!                                 │  epoch = the latest clock
//!                                 ├── Close(epoch) ─▶ every rank: clocks go past it, writes under way at or below it end
//!                                 │  the snapshot is made durable
//!                                 ├── Learn(history) ▶ every rank: the hold is over
//!        ◀── reply(epoch) ────────┘
//! ```

use crate::{Epoch, ObjectId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which epochs of a container are still needed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ContHistory {
    /// Time of the service's clock at which this was so; a later one replaces an earlier one.
    pub stamp: Epoch,
    /// Epochs of the snapshots, ascending.
    pub snapshots: Vec<Epoch>,
    /// A snapshot is being made: nothing may be merged now.
    pub held: bool,
    /// The pool's property `reclaim` lets versions be merged in the background.
    pub background: bool,
}

/// Asks for the history of a container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContHistoryRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container.
    pub cont: Uuid,
}

/// What a target is to do with a container's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum HistoryAction {
    /// Merge nothing until a `Learn` that is later than this; the answer has the clock.
    Hold(Epoch),
    /// Let the clock go past this epoch, and answer when no write at or below it is under way.
    Close(Epoch),
    /// Take note.
    Learn(ContHistory),
    /// Merge versions up to this epoch, as far as they are not needed. Answered after a while at the latest; asked again
    /// until done.
    Aggregate(Epoch),
    /// Discard everything later than an epoch. Requests on the container are put off meanwhile, and until a `Learn` that is
    /// later than `stamp`. Answered and asked again likewise. One that is older than the last `Learn` does nothing.
    Discard {
        /// The epoch.
        after: Epoch,
        /// Time of the service's clock.
        stamp: Epoch,
    },
}

/// One action on every target of a rank.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContTargetRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container.
    pub cont: Uuid,
    /// What to do.
    pub action: HistoryAction,
}

/// How far a rank is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContTargetReply {
    /// The rank's clock.
    pub clock: Epoch,
    /// Every target is done.
    pub done: bool,
}

/// Asks for versions to be merged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContAggregateRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// Up to here; 0: up to now.
    pub epoch: Epoch,
}

/// Asks for a container to go back to a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContRollbackRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// The snapshot.
    pub epoch: Epoch,
}

/// How far a lasting operation is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContProgressReply {
    /// It is done; else it is to be asked again, with `epoch`.
    pub done: bool,
    /// The epoch that it is about.
    pub epoch: Epoch,
}

/// What to do with the note of which object lists the objects of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OitAction {
    /// Tell it.
    Get,
    /// The list is complete.
    Set(ObjectId),
    /// There is none any more.
    Remove,
}

/// Reads or changes which object lists the objects of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapOitRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// The snapshot.
    pub epoch: Epoch,
    /// What to do.
    pub action: OitAction,
}

/// Which object lists the objects of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapOitReply {
    /// The object; `None` without a list.
    pub oit: Option<ObjectId>,
}

/// Waits for a snapshot, for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapWaitRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// At or after this epoch.
    pub epoch: Epoch,
}

/// A snapshot that was waited for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapWaitReply {
    /// The first one; `None`: there is none yet, ask again.
    pub epoch: Option<Epoch>,
}
