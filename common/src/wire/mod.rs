//! Messages of the data plane: client to engine, engine to engine.
//!
//! A request is an [`Opcode`] in the RPC header, a body, and a payload. The body is one of the structs here in
//! postcard encoding (field order is the format; a change of any struct raises [`VERSION`]). The payload is raw
//! bytes behind the body (record data), or absent when the data moves by RMA. A reply carries a status (0 or a
//! negative DER_ number) in the RPC header, and a body and payload likewise; a failed request's body is an
//! [`ErrorBody`].
//!
//! Which context of an engine serves what: context 0 is the service thread (pool, container, management), context
//! `1 + i` is target `i` (objects).

pub mod history;
pub mod mgmt;
pub mod object;
pub mod pipeline;
pub mod pool;
pub mod tx;

use crate::{Der, Error, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Version of the data-plane protocol; peers with another one are refused with PROTO.
pub const VERSION: u16 = 2;

/// Data of at most this many bytes travels in the message, more goes by RMA.
pub const INLINE_MAX_BYTES: usize = 16 * 1024;

macro_rules! opcodes {
    ($($name:ident = $code:literal, $doc:literal;)*) => {
        /// What a request asks for.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Opcode { $(#[doc = $doc] $name = $code,)* }

        impl Opcode {
            /// Every opcode.
            pub const ALL: &[Opcode] = &[$(Opcode::$name,)*];

            /// The opcode of a number from the wire.
            pub fn from_number(number: u16) -> Option<Opcode> {
                match number { $($code => Some(Opcode::$name),)* _ => None }
            }
        }
    };
}

opcodes! {
    RankInfo = 1, "Context 0: [`mgmt::RankInfoRequest`] → [`mgmt::RankInfoReply`].";
    PoolFind = 2, "Context 0 of a management rank: [`mgmt::PoolFindRequest`] → [`mgmt::PoolFindReply`].";
    PoolList = 3, "Context 0 of a management rank: [`mgmt::PoolListRequest`] → [`mgmt::PoolListReply`].";
    TargetCreate = 4, "Engine to engine, context 0: [`mgmt::TargetCreateRequest`] → ().";
    TargetDestroy = 5, "Engine to engine, context 0: [`mgmt::TargetDestroyRequest`] → ().";
    Ping = 6, "Any context: () → (); the payload comes back.";
    MgmtForward = 7, "Engine to pool service, context 0: [`mgmt::ForwardRequest`] → [`mgmt::ForwardReply`].";
    GroupMap = 8, "Engine to engine, context 0: [`mgmt::GroupMapRequest`] → ().";
    Debug = 9, "Context 0: [`mgmt::DebugRequest`] → [`mgmt::DebugReply`].";

    PoolConnect = 20, "[`pool::PoolConnectRequest`] → [`pool::PoolConnectReply`].";
    PoolDisconnect = 21, "[`pool::PoolHandleRequest`] → ().";
    PoolQuery = 22, "[`pool::PoolQueryRequest`] → [`pool::PoolQueryReply`].";
    PoolAttr = 23, "[`pool::AttrRequest`] → [`pool::AttrReply`].";
    PoolListCont = 24, "[`pool::PoolHandleRequest`] → [`pool::PoolListContReply`].";
    PoolEvict = 25, "Server or agent on behalf of dead clients: [`pool::PoolEvictRequest`] → [`pool::PoolEvictReply`].";
    PoolTargetQuery = 26, "Engine to engine, context 0: [`pool::TargetSpaceRequest`] → [`pool::TargetSpaceReply`].";
    PoolHandleCheck = 27, "Engine to pool service: [`pool::HandleCheckRequest`] → [`pool::HandleCheckReply`].";
    PoolHandleRevoke = 28, "Pool service to engines: [`pool::HandleRevokeRequest`] → ().";
    PoolMapFetch = 29, "[`pool::PoolHandleRequest`] → [`pool::PoolMapReply`].";

    ContCreate = 40, "[`pool::ContCreateRequest`] → ().";
    ContDestroy = 41, "[`pool::ContDestroyRequest`] → ().";
    ContOpen = 42, "[`pool::ContOpenRequest`] → [`pool::ContOpenReply`].";
    ContClose = 43, "[`pool::ContHandleRequest`] → ().";
    ContQuery = 44, "[`pool::ContQueryRequest`] → [`pool::ContQueryReply`].";
    ContSetProp = 45, "[`pool::ContSetPropRequest`] → ().";
    ContAttr = 46, "[`pool::AttrRequest`] → [`pool::AttrReply`].";
    ContAllocOids = 47, "[`pool::ContAllocOidsRequest`] → [`pool::ContAllocOidsReply`].";
    ContSnapCreate = 48, "[`pool::ContSnapCreateRequest`] → [`pool::ContSnapReply`].";
    ContSnapDestroy = 49, "[`pool::ContSnapDestroyRequest`] → [`pool::ContSnapDestroyReply`].";
    ContSnapList = 50, "[`pool::ContHandleRequest`] → [`pool::ContSnapListReply`].";
    ContTargetDestroy = 51, "Pool service to engines, context 0: [`pool::ContTargetDestroyRequest`] → ().";
    ContHistoryFetch = 52, "Engine to pool service: [`history::ContHistoryRequest`] → [`history::ContHistory`].";
    ContTargetHistory = 53, "Pool service to engines, context 0: [`history::ContTargetRequest`] → [`history::ContTargetReply`].";
    ContAggregate = 54, "[`history::ContAggregateRequest`] → [`history::ContProgressReply`].";
    ContRollback = 55, "[`history::ContRollbackRequest`] → [`history::ContProgressReply`].";
    ContSnapOit = 56, "[`history::ContSnapOitRequest`] → [`history::ContSnapOitReply`].";
    ContSnapWait = 57, "[`history::ContSnapWaitRequest`] → [`history::ContSnapWaitReply`].";
    PoolFilterCont = 58, "[`pool::PoolFilterContRequest`] → [`pool::PoolFilterContReply`].";
    PoolStopService = 59, "[`pool::PoolHandleRequest`] → ().";

    ObjUpdate = 60, "Context of the target: [`object::ObjUpdateRequest`] → [`object::ObjUpdateReply`].";
    ObjFetch = 61, "Context of the target: [`object::ObjFetchRequest`] → [`object::ObjFetchReply`].";
    ObjPunch = 62, "Context of the target: [`object::ObjPunchRequest`] → [`object::ObjUpdateReply`].";
    ObjList = 63, "Context of the target: [`object::ObjListRequest`] → [`object::ObjListReply`].";
    ObjQueryKey = 64, "Context of the target: [`object::ObjQueryKeyRequest`] → [`object::ObjQueryKeyReply`].";
    ObjKeyAnchor = 65, "Context of the target: [`object::ObjKeyAnchorRequest`] → [`object::ObjKeyAnchorReply`].";
    ObjVerify = 66, "Context of the target: [`object::ObjVerifyRequest`] → [`object::ObjVerifyReply`].";
    ObjPipeline = 70, "Context of the target: [`pipeline::ObjPipelineRequest`] → [`pipeline::ObjPipelineReply`].";

    TxEpoch = 80, "Context of a target: [`tx::TxEpochRequest`] → [`tx::TxEpochReply`].";
    TxCommit = 81, "Context of the leader: [`tx::TxCommitRequest`] → [`tx::TxEpochReply`].";
    TxPrepare = 82, "Leader to participant: [`tx::TxPrepareRequest`] → [`tx::TxEpochReply`].";
    TxDecide = 83, "Leader to participant: [`tx::TxDecideRequest`] → ().";
    TxStatus = 84, "Participant to leader: [`tx::TxStatusRequest`] → [`tx::TxStatusReply`].";
}

/// Body of a failed reply.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The message for people; the code is the header's status.
    pub message: String,
}

/// Encodes a body.
///
/// # Errors
/// `MISC` when the value cannot be encoded (no type here has such a value).
pub fn encode<T: Serialize>(body: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(body).map_err(|error| Error::new(Der::MISC, format!("message not encodable: {error}")))
}

/// Decodes a body.
///
/// # Errors
/// `PROTO` when the bytes are not exactly one such value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((body, [])) => Ok(body),
        Ok((_, rest)) => Err(Error::new(Der::PROTO, format!("malformed message: {} stray bytes", rest.len()))),
        Err(error) => Err(Error::new(Der::PROTO, format!("malformed message: {error}"))),
    }
}
