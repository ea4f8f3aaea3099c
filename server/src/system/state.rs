//! The system database as a value, and the changes it can undergo.
//!
//! A [`Change`] is all that ever alters a [`State`]; applying the same changes in the same order gives the same
//! state on every machine (times are part of the change). That is what a replicated log needs.

use super::member::{Member, MemberState};
use daos_common::{Der, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Version of the format on disk.
pub const SCHEMA_VERSION: u32 = 1;

/// Where a pool's service is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum PoolState {
    Creating,
    Ready,
    Destroying,
}

impl PoolState {
    /// The word that management messages carry.
    pub fn name(self) -> &'static str {
        match self {
            PoolState::Creating => "Creating",
            PoolState::Ready => "Ready",
            PoolState::Destroying => "Destroying",
        }
    }
}

/// A pool of the system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolService {
    /// The pool.
    pub uuid: Uuid,
    /// Its label, unique.
    pub label: String,
    /// State.
    pub state: PoolState,
    /// Ranks of its service.
    pub replicas: Vec<u32>,
    /// Ranks it was created on.
    pub ranks: Vec<u32>,
    /// Bytes on each rank, per tier.
    pub tier_bytes: Vec<u64>,
}

/// Everything the management service knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Format, [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the system.
    pub system: String,
    /// Number of changes applied.
    pub version: u64,
    /// Rank of the next engine that isn't engine 0 of the first server.
    pub next_rank: u32,
    /// Raised whenever the group of engines or their addresses change.
    pub map_version: u32,
    /// Engines by rank.
    pub members: BTreeMap<u32, Member>,
    /// Pools by UUID.
    pub pools: BTreeMap<Uuid, PoolService>,
    /// User attributes.
    pub attributes: BTreeMap<String, String>,
    /// Properties that were set.
    pub properties: BTreeMap<String, String>,
}

/// One step of the database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Change {
    /// A new engine; the rank must be free.
    AddMember(Member),
    /// A known engine with new data.
    UpdateMember(Member),
    /// A new pool, in state Creating.
    AddPool(PoolService),
    /// A known pool with new data.
    UpdatePool(PoolService),
    RemovePool(Uuid),
    /// Sets attributes; an empty value removes one.
    SetAttributes(BTreeMap<String, String>),
    SetProperties(BTreeMap<String, String>),
}

impl State {
    /// The empty database of a new system.
    pub fn new(system: &str) -> State {
        State {
            schema_version: SCHEMA_VERSION,
            system: system.to_string(),
            version: 0,
            // Rank 0 is kept for engine 0 of the server that bootstraps.
            next_rank: 1,
            map_version: 1,
            members: BTreeMap::new(),
            pools: BTreeMap::new(),
            attributes: BTreeMap::new(),
            properties: BTreeMap::new(),
        }
    }

    /// Applies one change.
    ///
    /// # Errors
    /// `EXIST` or `NONEXIST` when the change doesn't fit; the state is as before then.
    pub fn apply(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::AddMember(member) => self.add_member(member)?,
            Change::UpdateMember(member) => self.update_member(member)?,
            Change::AddPool(pool) => self.add_pool(pool)?,
            Change::UpdatePool(pool) => match self.pools.get_mut(&pool.uuid) {
                Some(known) => *known = pool.clone(),
                None => return Err(Der::NONEXIST.err(format!("pool {} isn't in the system", pool.uuid))),
            },
            Change::RemovePool(uuid) => {
                if self.pools.remove(uuid).is_none() {
                    return Err(Der::NONEXIST.err(format!("pool {uuid} isn't in the system")));
                }
            }
            Change::SetAttributes(values) => merge(&mut self.attributes, values),
            Change::SetProperties(values) => merge(&mut self.properties, values),
        }
        self.version += 1;
        Ok(())
    }

    fn add_member(&mut self, member: &Member) -> Result<()> {
        if self.members.contains_key(&member.rank) {
            return Err(Der::EXIST.err(format!("rank {} is taken", member.rank)));
        }
        if let Some(other) = self.member_by_uuid(member.uuid) {
            return Err(Der::EXIST.err(format!("engine {} is rank {} already", member.uuid, other.rank)));
        }
        self.next_rank = self.next_rank.max(member.rank.saturating_add(1));
        self.members.insert(member.rank, member.clone());
        self.map_version += 1;
        Ok(())
    }

    fn update_member(&mut self, member: &Member) -> Result<()> {
        let Some(known) = self.members.get_mut(&member.rank) else {
            return Err(Der::NONEXIST.err(format!("rank {} isn't in the system", member.rank)));
        };
        let group_changes = known.state.is_in_group() != member.state.is_in_group()
            || known.uri != member.uri
            || known.incarnation != member.incarnation;
        *known = member.clone();
        self.map_version += u32::from(group_changes);
        Ok(())
    }

    fn add_pool(&mut self, pool: &PoolService) -> Result<()> {
        if self.pools.contains_key(&pool.uuid) {
            return Err(Der::EXIST.err(format!("pool {} exists", pool.uuid)));
        }
        if let Some(other) = self.pool_by_label(&pool.label) {
            return Err(Der::EXIST.err(format!("pool label {:?} is in use by pool {}", pool.label, other.uuid)));
        }
        self.pools.insert(pool.uuid, pool.clone());
        Ok(())
    }

    /// The engine with this UUID.
    pub fn member_by_uuid(&self, uuid: Uuid) -> Option<&Member> {
        self.members.values().find(|member| member.uuid == uuid)
    }

    /// The pool with this label.
    pub fn pool_by_label(&self, label: &str) -> Option<&PoolService> {
        self.pools.values().find(|pool| pool.label == label)
    }

    /// The pool that `id`, a label or a UUID in text form, names.
    ///
    /// # Errors
    /// `NONEXIST` naming the pool; `INVAL` for empty text.
    pub fn find_pool(&self, id: &str) -> Result<&PoolService> {
        if id.is_empty() {
            return Err(Der::INVAL.err("no pool is named; give its label or UUID"));
        }
        let found = match Uuid::parse_str(id) {
            Ok(uuid) => self.pools.get(&uuid),
            Err(_) => self.pool_by_label(id),
        };
        found.ok_or_else(|| Der::NONEXIST.err(format!("pool {id:?} doesn't exist in system {:?}", self.system)))
    }

    /// The pool that `id` names, if requests can be sent to it.
    ///
    /// # Errors
    /// As [`State::find_pool`]; `AGAIN` while it is being created or destroyed.
    pub fn ready_pool(&self, id: &str) -> Result<&PoolService> {
        let pool = self.find_pool(id)?;
        match pool.state {
            PoolState::Ready => Ok(pool),
            state => Err(Der::AGAIN.err(format!("pool {id:?} is in state {}, try again", state.name()))),
        }
    }

    /// Ranks that can hold pools, ascending.
    pub fn available_ranks(&self) -> Vec<u32> {
        self.members.values().filter(|member| member.state.is_available()).map(|member| member.rank).collect()
    }

    /// Members of the group map, by rank.
    pub fn group(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.state.is_in_group() && !member.uri.is_empty())
    }

    /// A copy of member `rank` in `next`, if that transition is allowed and changes something.
    pub fn member_becoming(&self, rank: u32, next: MemberState, info: &str) -> Option<Member> {
        let member = self.members.get(&rank)?;
        if !member.state.may_become(next) || (member.state == next && member.info == info) {
            return None;
        }
        Some(Member { state: next, info: info.to_string(), updated_s: super::now_s(), ..member.clone() })
    }
}

fn merge(map: &mut BTreeMap<String, String>, values: &BTreeMap<String, String>) {
    for (key, value) in values {
        match value.is_empty() {
            true => map.remove(key),
            false => map.insert(key.clone(), value.clone()),
        };
    }
}
