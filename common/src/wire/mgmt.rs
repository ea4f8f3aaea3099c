//! Management messages on the fabric.

use crate::Rank;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Asks an engine for the addresses of its contexts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RankInfoRequest {
    /// System name the caller means; empty for "whichever". Another one is refused with INVAL.
    pub system: String,
}

/// An engine's identity and addresses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RankInfoReply {
    /// Its rank.
    pub rank: Rank,
    /// Changes with every start of the process.
    pub incarnation: u64,
    /// Fabric URI of each context: 0 the service thread, `1 + i` target `i`.
    pub context_uris: Vec<String>,
}

/// Which pool: by label or UUID in text form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolFindRequest {
    /// Label or UUID.
    pub pool: String,
}

/// Where a pool's service is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolFindReply {
    /// The pool.
    pub uuid: Uuid,
    /// Ranks of its service replicas, the likely leader first.
    pub service_ranks: Vec<Rank>,
}

/// Lists the system's pools.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolListRequest {}

/// One pool of the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolListEntry {
    /// UUID.
    pub uuid: Uuid,
    /// Label.
    pub label: String,
    /// Ranks of the service.
    pub service_ranks: Vec<Rank>,
}

/// The system's pools.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolListReply {
    /// In order of label.
    pub pools: Vec<PoolListEntry>,
}

/// Creates one rank's share of a pool. Repeating it is harmless.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetCreateRequest {
    /// The pool.
    pub pool: Uuid,
    /// Bytes of SCM on this rank, over all of its targets.
    pub scm_bytes: u64,
    /// Bytes of the data tier on this rank, over all of its targets.
    pub data_bytes: u64,
    /// Values of more than this many bytes go to the data tier (pool property `data_thresh`).
    pub data_threshold_bytes: u64,
    /// Ranks of the pool service, so that the rank knows whom to ask about handles.
    pub service_ranks: Vec<Rank>,
}

/// Destroys one rank's share of a pool. Repeating it is harmless.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetDestroyRequest {
    /// The pool.
    pub pool: Uuid,
}

/// A management call that one engine received from its server and another one, where the pool service is, carries out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ForwardRequest {
    /// dRPC number of the method, of module MGMT.
    pub method: u32,
    /// Its body, protobuf.
    pub body: Vec<u8>,
}

/// Answer to a forwarded call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ForwardReply {
    /// The answer's body, protobuf.
    pub body: Vec<u8>,
}

/// One engine of the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupMember {
    /// Its rank.
    pub rank: Rank,
    /// Fabric URI of its context 0.
    pub uri: String,
    /// Its incarnation.
    pub incarnation: u64,
}

/// Tells an engine which engines the system has; an older version than it knows changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupMapRequest {
    /// Version of the system's map.
    pub version: u32,
    /// The engines.
    pub members: Vec<GroupMember>,
}

/// What tests ask of engines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DebugAction {
    /// Write this into the log.
    Mark(String),
    /// Set a parameter of fault injection (`DMG_KEY_*`).
    Parameter {
        /// Which.
        key: u32,
        /// Its value.
        value: u64,
        /// The number of times, with the place of the fault.
        extra: u64,
    },
    /// Tell whether the engine has a device of the data tier.
    Device(uuid::Uuid),
}

/// Asks an engine something for tests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DebugRequest {
    /// What.
    pub action: DebugAction,
    /// Ask all engines of the system, instead of this one.
    pub all: bool,
}

/// Answer to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DebugReply {
    /// State of the device (`bio_bs_state`); `None`: unknown here, or not asked for.
    pub device_state: Option<u32>,
}
