//! Object I/O messages, each to the context of the target that owns the shard.
//!
//! Every request names the container handle; the target asks the pool service once about a handle it does not know
//! and keeps the answer until it is revoked. A handle that doesn't exist or lacks the right is answered NO_HDL or
//! NO_PERM.

use crate::{Epoch, Iod, Recx, UnitOid};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every object request starts with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjHeader {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// The shard.
    pub oid: UnitOid,
    /// Version of the pool map that the sender placed by; older than the target's → STALE.
    pub map_version: u32,
    /// Epoch of the read or write. 0: write at the target's current HLC, read the newest.
    pub epoch: Epoch,
    /// `crate::flags::COND_*`.
    pub flags: u64,
}

/// A region of the sender's memory open for RMA.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BulkDesc {
    /// Address to name in the RMA call (virtual, or 0-based, as the provider wants).
    pub addr: u64,
    /// Length in bytes.
    pub len: u64,
    /// Protection key.
    pub key: u64,
}

/// Where the data of a request is, or is to go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DataPath {
    /// Behind the body, of the request (update) or the reply (fetch).
    Inline,
    /// In the sender's memory; the regions in order form one byte string.
    Bulk(Vec<BulkDesc>),
}

/// Writes one dkey's akeys. The data is that of all iods one after another, each in the order of its recxs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjUpdateRequest {
    /// Object, handle, epoch, conditions.
    pub header: ObjHeader,
    /// Identity of the operation, the same in every resend.
    pub operation: Uuid,
    /// The dkey; not empty.
    pub dkey: Vec<u8>,
    /// What is written.
    pub iods: Vec<Iod>,
    /// Where the data is.
    pub data: DataPath,
}

/// Answer to an update or a punch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjUpdateReply {
    /// The epoch at which it stands.
    pub epoch: Epoch,
}

/// Reads one dkey's akeys. With no room given (`Bulk` of no regions and `Inline` limit 0) it answers sizes only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjFetchRequest {
    /// Object, handle, epoch, conditions.
    pub header: ObjHeader,
    /// The dkey; not empty.
    pub dkey: Vec<u8>,
    /// What is read. `size` 0 of a single value or array asks for the size.
    pub iods: Vec<Iod>,
    /// Where the data goes.
    pub data: DataPath,
    /// Room for each iod's data in bytes, in the order of the iods; data that doesn't fit is REC2BIG for a single
    /// value. All 0: sizes only. Iod `i`'s data starts at the sum of the rooms before it, for `Bulk` and `Inline`.
    pub rooms: Vec<u64>,
}

/// Part of the answer about one iod.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FetchedIod {
    /// Record size (array) or size of the value (single); 0 when nothing is there.
    pub size: u64,
    /// Bytes of the room that the data covers, holes included.
    pub data_bytes: u64,
    /// Parts of the requested extents that hold data, in the order of the request; the rest are holes. Holes are
    /// zero bytes in inline data and are left untouched by RMA. Empty for a single value.
    pub present: Vec<Recx>,
}

/// Answer to a fetch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjFetchReply {
    /// One per iod of the request.
    pub iods: Vec<FetchedIod>,
    /// Epoch that was read.
    pub epoch: Epoch,
}

/// Punches an object shard (no dkey), dkeys (no akeys), or akeys of one dkey.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjPunchRequest {
    /// Object, handle, epoch, conditions.
    pub header: ObjHeader,
    /// Identity of the operation, the same in every resend.
    pub operation: Uuid,
    /// Empty: the whole shard.
    pub dkeys: Vec<Vec<u8>>,
    /// Akeys to punch; then `dkeys` holds exactly one.
    pub akeys: Vec<Vec<u8>>,
}

/// What to list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ListKind {
    /// Dkeys of the shard.
    Dkeys,
    /// Akeys of a dkey.
    Akeys,
    /// Extents of an array akey, or the single value as one entry.
    Recxs {
        /// The akey.
        akey: Vec<u8>,
        /// Only values of this kind; `None` for either.
        kind: Option<crate::IodKind>,
        /// From the highest index down.
        descending: bool,
    },
    /// Objects of the container on this target (the shard in the header is ignored).
    Objects,
}

/// Lists keys, extents or objects from an anchor on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjListRequest {
    /// Object, handle, epoch.
    pub header: ObjHeader,
    /// What.
    pub what: ListKind,
    /// The dkey, where `what` needs one.
    pub dkey: Vec<u8>,
    /// Where to go on: what the last reply gave; empty to begin. At most 96 bytes.
    pub anchor: Vec<u8>,
    /// At most this many entries.
    pub limit: u32,
    /// At most this many bytes of keys; the first key goes out even if the room is too small → KEY2BIG with the
    /// needed size in `key_bytes_needed`.
    pub room_bytes: u64,
}

/// One listed extent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListedRecx {
    /// The extent; (0, 1) for a single value.
    pub recx: Recx,
    /// Record size.
    pub size: u64,
    /// Epoch at which it was written.
    pub epoch: Epoch,
}

/// Entries found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Listed {
    /// Dkeys or akeys.
    Keys(Vec<Vec<u8>>),
    /// Extents.
    Recxs(Vec<ListedRecx>),
    /// Objects.
    Objects(Vec<UnitOid>),
}

/// Answer to a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjListReply {
    /// The entries.
    pub entries: Listed,
    /// Where to go on; meaningless when `eof`.
    pub anchor: Vec<u8>,
    /// Nothing follows.
    pub eof: bool,
    /// Not 0: the next key has this many bytes and the room is smaller; no entries.
    pub key_bytes_needed: u64,
}

/// Finds the largest or smallest dkey, akey or record (`daos_obj_query_key`; integer keys only).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjQueryKeyRequest {
    /// Object, handle, epoch.
    pub header: ObjHeader,
    /// `DAOS_GET_*` bits: MAX 1, MIN 2, DKEY 4, AKEY 8, RECX 16.
    pub what: u64,
    /// The dkey, when it is not asked for.
    pub dkey: Vec<u8>,
    /// The akey, when it is not asked for.
    pub akey: Vec<u8>,
}

/// Answer to a key query.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjQueryKeyReply {
    /// The dkey; `None` when nothing matches.
    pub dkey: Option<Vec<u8>>,
    /// The akey.
    pub akey: Option<Vec<u8>>,
    /// The extent that holds the largest (smallest) record.
    pub recx: Option<Recx>,
    /// Newest epoch at which the shard was written.
    pub max_epoch: Epoch,
}

/// Asks where a listing of dkeys (without `akey`), or of the akeys of `dkey`, is to begin so that it begins at a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjKeyAnchorRequest {
    /// Object, handle.
    pub header: ObjHeader,
    /// The dkey; not empty.
    pub dkey: Vec<u8>,
    /// The akey.
    pub akey: Option<Vec<u8>>,
}

/// Answer to an [`ObjKeyAnchorRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjKeyAnchorReply {
    /// For [`ObjListRequest::anchor`]; `None`: there is nothing to list.
    pub anchor: Option<Vec<u8>>,
}

/// Reads a dkey whole, at most a part at a time, and sums it up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjVerifyRequest {
    /// Object, handle, epoch. Epoch 0 is answered with the one that was read.
    pub header: ObjHeader,
    /// The dkey; not empty.
    pub dkey: Vec<u8>,
    /// Where to go on: [`ObjVerifyReply::next`]; empty and 0 to begin. At most 96 bytes.
    pub akeys_anchor: Vec<u8>,
    /// First record of the akey behind the anchor.
    pub record: u64,
}

/// Answer to an [`ObjVerifyRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjVerifyReply {
    /// Sum, modulo 2^128, of hashes of dkey, akey, kind, record size, records and where they are. Replicas with the same
    /// data have the same sum over all parts, however their data is cut into extents.
    pub sum: u128,
    /// Akeys that were read to their end.
    pub akeys: u64,
    /// Bytes of data that were read.
    pub bytes: u64,
    /// Epoch that was read.
    pub epoch: Epoch,
    /// Where to go on (`akeys_anchor`, `record`); `None`: the dkey is done.
    pub next: Option<(Vec<u8>, u64)>,
}
