//! Pool and container messages, to context 0 of the pool service leader.

use crate::pool_map::PoolMap;
use crate::{Epoch, Rank};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Value of a pool or container property.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PropValue {
    /// A number.
    Number(u64),
    /// Text (labels, owners).
    Text(String),
    /// A structure in its C layout (ACL: `struct daos_acl` with its entries; root oids: 4 `daos_obj_id_t`).
    Bytes(Vec<u8>),
}

/// One property: the `DAOS_PROP_PO_*` or `DAOS_PROP_CO_*` number and its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Prop {
    /// The number.
    pub number: u32,
    /// The value.
    pub value: PropValue,
}

/// Opens a pool handle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolConnectRequest {
    /// The pool.
    pub pool: Uuid,
    /// Handle chosen by the client; a resend carries the same.
    pub handle: Uuid,
    /// `crate::flags::OPEN_*`.
    pub flags: u64,
    /// The agent's credential (`auth.Credential`, protobuf).
    pub credential: Vec<u8>,
}

/// A connected pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolConnectReply {
    /// Its map.
    pub map: PoolMap,
    /// Its properties.
    pub props: Vec<Prop>,
    /// Ranks of the service, the leader first.
    pub service_ranks: Vec<Rank>,
}

/// A request that a pool handle alone determines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolHandleRequest {
    /// The pool.
    pub pool: Uuid,
    /// The handle.
    pub handle: Uuid,
}

/// A pool's map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolMapReply {
    /// The map.
    pub map: PoolMap,
}

/// Asks for a pool's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolQueryRequest {
    /// The pool.
    pub pool: Uuid,
    /// The handle; nil for the control plane.
    pub handle: Uuid,
    /// Also collect space from every target.
    pub space: bool,
    /// Property numbers wanted; empty for none, `[u32::MAX]` for all.
    pub props: Vec<u32>,
}

/// Space of one storage tier, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TierSpace {
    /// All.
    pub total: u64,
    /// Free.
    pub free: u64,
}

/// Space of a pool or of one target, by tier: SCM first, then the data tier.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolSpace {
    /// Sum over targets.
    pub sum: [TierSpace; 2],
    /// Smallest free bytes on one target.
    pub free_min: [u64; 2],
    /// Largest free bytes on one target.
    pub free_max: [u64; 2],
    /// Mean free bytes.
    pub free_mean: [u64; 2],
    /// Number of targets.
    pub targets: u32,
}

/// A pool's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolQueryReply {
    /// UUID.
    pub pool: Uuid,
    /// Label; may be empty.
    pub label: String,
    /// Its map.
    pub map: PoolMap,
    /// Space, when asked for.
    pub space: Option<PoolSpace>,
    /// Properties asked for.
    pub props: Vec<Prop>,
    /// Leader of the service.
    pub leader: Rank,
    /// Ranks of the service.
    pub service_ranks: Vec<Rank>,
    /// Number of open handles.
    pub handles: u32,
    /// Number of containers.
    pub containers: u32,
}

/// One container of a pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContEntry {
    /// UUID.
    pub uuid: Uuid,
    /// Label; may be empty.
    pub label: String,
}

/// A pool's containers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolListContReply {
    /// In order of label, then UUID.
    pub containers: Vec<ContEntry>,
}

/// Evicts handles of a pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolEvictRequest {
    /// The pool.
    pub pool: Uuid,
    /// Handles; empty for all of them.
    pub handles: Vec<Uuid>,
    /// Only handles of clients on this machine; empty for any.
    pub machine: String,
}

/// How many handles went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolEvictReply {
    /// Number of handles.
    pub evicted: u32,
}

/// Asks a rank for the space of its targets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetSpaceRequest {
    /// The pool.
    pub pool: Uuid,
}

/// Space of each target of a rank.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetSpaceReply {
    /// By target index: SCM, data tier.
    pub targets: Vec<[TierSpace; 2]>,
}

/// Asks the pool service whether a container handle is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HandleCheckRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
}

/// What an open container handle may do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HandleCheckReply {
    /// The container.
    pub cont: Uuid,
    /// `crate::flags::OPEN_*`.
    pub flags: u64,
    /// Version of the pool map.
    pub map_version: u32,
    /// Which epochs of the container are still needed.
    pub history: super::history::ContHistory,
}

/// Tells a rank to forget container handles.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HandleRevokeRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handles.
    pub cont_handles: Vec<Uuid>,
}

/// Reads and changes user attributes of a pool or container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttrRequest {
    /// The pool.
    pub pool: Uuid,
    /// The pool handle, or the container handle for `ContAttr`.
    pub handle: Uuid,
    /// What to do.
    pub action: AttrAction,
}

/// What to do with attributes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AttrAction {
    /// Names of all.
    List,
    /// Values of these; NONEXIST if one is missing.
    Get(Vec<String>),
    /// Set these.
    Set(Vec<(String, Vec<u8>)>),
    /// Remove these.
    Delete(Vec<String>),
}

/// Answer to an attribute request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttrReply {
    /// Names, for `List`.
    pub names: Vec<String>,
    /// Values in the order asked for, for `Get`.
    pub values: Vec<Vec<u8>>,
}

/// Creates a container. Repeating it with the same UUID is harmless.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContCreateRequest {
    /// The pool.
    pub pool: Uuid,
    /// The pool handle.
    pub handle: Uuid,
    /// UUID, chosen by the client.
    pub cont: Uuid,
    /// Properties, the label among them.
    pub props: Vec<Prop>,
}

/// A container named by the user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ContName {
    /// By UUID.
    Uuid(Uuid),
    /// By label.
    Label(String),
}

/// Destroys a container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContDestroyRequest {
    /// The pool.
    pub pool: Uuid,
    /// The pool handle.
    pub handle: Uuid,
    /// The container.
    pub cont: ContName,
    /// Although it is open: its handles are revoked.
    pub force: bool,
}

/// Opens a container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContOpenRequest {
    /// The pool.
    pub pool: Uuid,
    /// The pool handle.
    pub handle: Uuid,
    /// The container.
    pub cont: ContName,
    /// Handle chosen by the client; a resend carries the same.
    pub cont_handle: Uuid,
    /// `crate::flags::OPEN_*`.
    pub flags: u64,
}

/// An open container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContOpenReply {
    /// UUID.
    pub cont: Uuid,
    /// Label; may be empty.
    pub label: String,
    /// All properties.
    pub props: Vec<Prop>,
    /// Snapshots, ascending.
    pub snapshots: Vec<Epoch>,
    /// When it was last opened and changed (HLC).
    pub open_time: u64,
    /// See `open_time`.
    pub modify_time: u64,
}

/// A request that a container handle alone determines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContHandleRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
}

/// Asks for a container's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContQueryRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
}

/// A container's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContQueryReply {
    /// All properties.
    pub props: Vec<Prop>,
    /// Number of open handles.
    pub handles: u32,
    /// Snapshots, ascending.
    pub snapshots: Vec<Epoch>,
    /// When it was last opened (HLC).
    pub open_time: u64,
    /// When it was last changed (HLC).
    pub modify_time: u64,
}

/// Changes properties of a container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSetPropRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// The new values.
    pub props: Vec<Prop>,
}

/// Reserves object numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContAllocOidsRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// How many; not 0.
    pub count: u64,
}

/// Reserved object numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContAllocOidsReply {
    /// The first; the others follow it.
    pub first: u64,
}

/// Makes a snapshot. Repeating it with the same operation gives the same snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapCreateRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// Identity of the operation, the same in every resend.
    pub operation: Uuid,
    /// Its name; may be empty.
    pub name: String,
}

/// A new snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapReply {
    /// Its epoch.
    pub epoch: Epoch,
}

/// Destroys the snapshots of an epoch range.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapDestroyRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container handle.
    pub cont_handle: Uuid,
    /// First epoch.
    pub low: Epoch,
    /// Last epoch.
    pub high: Epoch,
}

/// Destroyed snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapDestroyReply {
    /// The objects that listed their objects; nothing refers to them any more.
    pub oits: Vec<crate::ObjectId>,
}

/// A snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotEntry {
    /// Its epoch.
    pub epoch: Epoch,
    /// Its name; may be empty.
    pub name: String,
}

/// A container's snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContSnapListReply {
    /// In order of epoch.
    pub snapshots: Vec<SnapshotEntry>,
}

/// What of a container's state a filter compares (`PCF_KEY_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FilterKey {
    /// When it was last opened (HLC).
    OpenTime,
    /// When it was last changed (HLC).
    ModifyTime,
    /// Number of snapshots.
    Snapshots,
    /// Number of open handles.
    Handles,
}

/// How a filter compares (`PCF_FUNC_*`): the container's state stands on the left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Comparison {
    /// ==
    Equal,
    /// !=
    Unequal,
    /// <
    Less,
    /// <=
    LessOrEqual,
    /// >
    Greater,
    /// >=
    GreaterOrEqual,
}

impl Comparison {
    /// Whether `left` compares so with `right`.
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Unequal => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

/// One condition on a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FilterPart {
    /// What is compared.
    pub key: FilterKey,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: u64,
}

/// Lists the containers that meet conditions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolFilterContRequest {
    /// The pool.
    pub pool: Uuid,
    /// The pool handle.
    pub handle: Uuid,
    /// The conditions; none: every container meets them. At most [`FILTER_PARTS_MAX`].
    pub parts: Vec<FilterPart>,
    /// One condition is enough, instead of all.
    pub any: bool,
}

/// Conditions in one filter (`DAOS_POOL_CONT_FILTER_MAX_NPARTS`).
pub const FILTER_PARTS_MAX: usize = 8;

/// A container with its state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContInfo {
    /// UUID and label.
    pub id: ContEntry,
    /// Epoch of the newest snapshot; 0 without one.
    pub newest_snapshot: Epoch,
    /// Number of open handles.
    pub handles: u32,
    /// Number of snapshots.
    pub snapshots: u32,
    /// When it was last opened (HLC).
    pub open_time: u64,
    /// When it was last changed (HLC).
    pub modify_time: u64,
}

/// The containers that meet conditions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolFilterContReply {
    /// In order of label, then UUID.
    pub containers: Vec<ContInfo>,
}

/// Tells a rank to drop its share of a container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContTargetDestroyRequest {
    /// The pool.
    pub pool: Uuid,
    /// The container.
    pub cont: Uuid,
}
