//! The pool map: the tree of fault domains, ranks and targets of one pool, with a version.

use crate::{Rank, TargetIndex};
use serde::{Deserialize, Serialize};

/// State of a component (`pool_comp_state_t`); the discriminants are upstream's bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum ComponentState {
    /// Being added.
    New = 1,
    /// Being filled by reintegration or extension.
    Up = 2,
    /// In service.
    UpIn = 4,
    /// Failed, rebuild not finished.
    Down = 8,
    /// Failed, rebuilt elsewhere.
    DownOut = 16,
    /// Being emptied on an administrator's word.
    Drain = 32,
}

/// Level of a domain (`pool_comp_type_t`); the discriminants are upstream's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum DomainKind {
    /// One engine.
    Rank = 1,
    /// One host.
    Node = 2,
    /// A group of hosts named in the fault path.
    Fault = 3,
    /// Performance group.
    Group = 200,
    /// The whole pool.
    Root = 255,
}

/// An inner node of the tree. Domain 0 is the root; every parent stands before its children.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Domain {
    /// Level.
    pub kind: DomainKind,
    /// Number of the domain within its kind; for [`DomainKind::Rank`] the rank.
    pub id: u32,
    /// Index in [`PoolMap::domains`] of the parent; the root is its own parent.
    pub parent: u32,
    /// State; a domain is as bad as all of its targets.
    pub state: ComponentState,
}

/// A leaf: one target of one rank.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Number within the pool; equals the index in [`PoolMap::targets`].
    pub id: u32,
    /// The engine.
    pub rank: Rank,
    /// Number within the engine.
    pub index: TargetIndex,
    /// State.
    pub state: ComponentState,
    /// Sequence number of the last failure; 0 if it never failed.
    pub failure_seq: u32,
    /// Map version at which it last came in.
    pub in_version: u32,
    /// Map version at which it last went out; 0 if never.
    pub out_version: u32,
}

/// One version of a pool's map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolMap {
    /// Grows by at least one with every change; not 0.
    pub version: u32,
    /// The tree without its leaves, parents first.
    pub domains: Vec<Domain>,
    /// The leaves, grouped by rank in the order of the rank domains.
    pub targets: Vec<Target>,
}
