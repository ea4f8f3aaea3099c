//! Transactions: optimistic reads at one epoch, validated and applied by a two-phase commit among targets.
//!
//! A transaction reads at one epoch, which the first target that it reads from gives, and keeps its writes in the
//! client. At commit the client sends everything to the leader, the first target that is written to:
//!
//! ```text
//! client ── TxCommit(parts) ──▶ leader ── TxPrepare(part) ──▶ each other participant
//!                                  │  every one: lock the keys, check that nothing read has changed since the read
//!                                  │  epoch, try the writes, keep the part durably; answer with its clock
//!                                  ▼
//!                               decision: epoch = the latest of all clocks; own part applied and the decision kept
//!                                  │  in one step of the store, durable before anybody hears of it
//!        ◀── reply(epoch) ─────────┤
//!                                  └── TxDecide(commit, epoch) ──▶ each other participant: apply, unlock
//! ```
//!
//! A participant that hears nothing asks the leader with TxStatus. A leader that knows nothing of a transaction and is
//! not at work on it answers "aborted", which is then the truth of that attempt for good. Readers at or after a prepared
//! transaction's epoch, and writers, wait until its outcome is known; transactions that meet one give up with
//! TX_RESTART. A transaction with one participant needs no prepare: the leader validates and applies in one step.
//!
//! A client that got no answer sends its TxCommit again, with the same identity: one that is committed gets the same
//! answer, one that was aborted is tried anew. Each try of the leader's has a number of its own, its `attempt`, that
//! grows: an abort, or an answer "aborted", that is late undoes the attempt that it was meant for and no later one.

use crate::{Epoch, Iod, Rank, Recx, UnitOid};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One target of the system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TxTarget {
    /// Rank of the engine.
    pub rank: Rank,
    /// Target in it.
    pub target: u32,
}

/// What of a shard a transaction has read, so that a later write to it means a conflict.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ReadScope {
    /// Anything of the shard: listed or queried dkeys.
    Object,
    /// Anything under a dkey: whether it exists, its listed or queried akeys.
    Dkey(Vec<u8>),
    /// A value, or extents of an array (none: all of the akey).
    Akey {
        /// The dkey.
        dkey: Vec<u8>,
        /// The akey.
        akey: Vec<u8>,
        /// The extents.
        recxs: Vec<Recx>,
    },
}

/// One thing read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxRead {
    /// The shard.
    pub oid: UnitOid,
    /// What of it.
    pub scope: ReadScope,
}

/// One thing to write; those of a transaction are applied in order, and each sees those before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TxWrite {
    /// As [`super::object::ObjUpdateRequest`].
    Update {
        /// The shard.
        oid: UnitOid,
        /// The dkey; not empty.
        dkey: Vec<u8>,
        /// `crate::flags::COND_*`.
        flags: u64,
        /// What is written.
        iods: Vec<Iod>,
        /// The data of all iods one after another.
        data: Vec<u8>,
    },
    /// As [`super::object::ObjPunchRequest`].
    Punch {
        /// The shard.
        oid: UnitOid,
        /// Empty: the whole shard.
        dkeys: Vec<Vec<u8>>,
        /// Akeys to punch; then `dkeys` holds exactly one.
        akeys: Vec<Vec<u8>>,
        /// `crate::flags::COND_PUNCH` or 0.
        flags: u64,
    },
}

/// What a transaction does on one target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxPart {
    /// The target.
    pub target: TxTarget,
    /// What it read there.
    pub reads: Vec<TxRead>,
    /// What it writes there.
    pub writes: Vec<TxWrite>,
}

/// Longest encoded `Vec<TxPart>` in bytes.
pub const PARTS_MAX_BYTES: usize = 64 << 20;

/// What every message about a transaction that a client's handle stands behind starts with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxHeader {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// Version of the pool map that the sender placed by; older than the target's → STALE.
    pub map_version: u32,
    /// Identity of this try to commit; a resend has the same, a restart another.
    pub tx: Uuid,
    /// Epoch of the reads; 0 when nothing was read.
    pub read_epoch: Epoch,
}

/// Asks a target for an epoch to read at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxEpochRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
}

/// Answer to the first and the last step: an epoch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxEpochReply {
    /// To read at (TxEpoch), not earlier than this (TxPrepare), of the commit (TxCommit).
    pub epoch: Epoch,
}

/// Commits a transaction; to its leader, the target of the first part. The payload is the encoded `Vec<TxPart>`, one
/// for each target; the fabric moves a long one by RMA.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxCommitRequest {
    /// The transaction.
    pub header: TxHeader,
}

/// Prepares a part, the encoded [`TxPart`] in the payload; from the leader.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxPrepareRequest {
    /// The transaction.
    pub header: TxHeader,
    /// Who decides.
    pub leader: TxTarget,
    /// Which try of the leader's this is.
    pub attempt: Epoch,
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TxOutcome {
    /// Its writes stand at this epoch.
    Committed(Epoch),
    /// Nothing of it happened, and nothing will.
    Aborted,
    /// The leader is at work on it.
    Undecided,
}

/// Tells a participant the outcome (never `Undecided`); from the leader.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxDecideRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container.
    pub cont: Uuid,
    /// The transaction.
    pub tx: Uuid,
    /// The try that ended so.
    pub attempt: Epoch,
    /// The outcome.
    pub outcome: TxOutcome,
}

/// Asks the leader for the outcome; from a participant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxStatusRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container.
    pub cont: Uuid,
    /// The transaction.
    pub tx: Uuid,
}

/// Answer to [`TxStatusRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxStatusReply {
    /// The outcome.
    pub outcome: TxOutcome,
}
