//! Where the shards of an object are: from object id, pool map and redundancy level, the same on every machine.
//!
//! For each shard a walk goes down the tree of the pool map. At every domain a jump hash of (object, shard, domain)
//! picks a child; a child with nothing left to give is passed over by hashing again, at most [`PROBES`] times, then
//! by the highest hash among the children that have something left. "Left" means:
//!
//! 1. a target this object does not use yet, in a redundancy domain this group does not use yet;
//! 2. else any target in a redundancy domain this group does not use yet.
//!
//! So a group never has two shards in one redundancy domain (classes with more shards than domains are refused),
//! and shards go to different targets while there are any. Components being added are not part of the tree, so a
//! layout changes only when they come into service; adding a domain moves about its share of objects, to it.
//!
//! A shard whose target failed keeps its number and gets a spare: shards in the order in which their targets failed
//! walk again, hashed with the failure number, among the targets in service. Without a spare domain the group stays
//! degraded. A spare of a target that is `Down` holds nothing yet ([`ShardPlace::rebuilding`]). An unprotected shard
//! gets no spare before its target is `DownOut`: until then its data is not lost but out of reach.
//!
//! Cost of a layout: a copy of two counters per domain and a bit per target, then shards × depth steps.

use crate::hash::{jump, mix, murmur64};
use crate::ids::KeyOrder;
use crate::oclass::{GROUPS_MAX, ObjectClass};
use crate::pool_map::{ComponentState, DomainKind, PoolMap};
use crate::{Der, Error, ObjectId, Rank, Result, TargetIndex, hash};

/// Version of this algorithm, stored in [`crate::UnitOid::layout`].
pub const LAYOUT_VERSION: u16 = 2;

/// Jump hashes tried at a domain before its children are compared one by one.
pub const PROBES: u64 = 16;

/// The 64-bit hash that a dkey's group follows from: the number itself for objects with integer dkeys, else
/// MurmurHash64A of the bytes with seed [`hash::DKEY_SEED`]. Both as upstream.
///
/// # Errors
/// `INVAL`: an integer dkey that is not 8 bytes long.
pub fn dkey_hash(oid: ObjectId, dkey: &[u8]) -> Result<u64> {
    if oid.dkey_order() != KeyOrder::Integer {
        return Ok(murmur64(dkey, hash::DKEY_SEED));
    }
    let bytes = <[u8; 8]>::try_from(dkey);
    let wrong = |_| Error::new(Der::INVAL, format!("integer dkey of object {oid} has {} bytes, not 8", dkey.len()));
    bytes.map(u64::from_le_bytes).map_err(wrong)
}

/// One shard's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShardPlace {
    /// Number of the shard in the object, from 0: group × group size + number in the group.
    pub shard: u32,
    /// Id of the target in the pool map.
    pub target: u32,
    /// The target's engine.
    pub rank: Rank,
    /// The target's number in its engine.
    pub index: TargetIndex,
    /// The target is out of service and there is no spare: send nothing.
    pub failed: bool,
    /// The target is a spare that is not filled yet: write, but do not read.
    pub rebuilding: bool,
}

/// The places of all shards of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Version of the pool map it follows from.
    pub version: u32,
    /// Number of redundancy groups; not 0.
    pub groups: u32,
    /// Shards of a group; not 0.
    pub group_size: u32,
    /// In order of shard number; `groups` × `group_size` of them.
    pub shards: Vec<ShardPlace>,
}

impl Layout {
    /// The group of a dkey's hash.
    pub fn group_of(&self, dkey_hash: u64) -> u32 {
        jump(dkey_hash, self.groups)
    }

    /// The shards of a group below `groups`.
    pub fn group(&self, group: u32) -> &[ShardPlace] {
        let size = self.group_size as usize;
        let first = group as usize * size;
        self.shards.get(first..first + size).unwrap_or(&[])
    }

    /// The shards that hold a dkey.
    pub fn shards_of(&self, dkey_hash: u64) -> &[ShardPlace] {
        self.group(self.group_of(dkey_hash))
    }

    /// Which shard of its group holds the first data cell of a dkey of an erasure-coded object.
    pub fn erasure_start(&self, dkey_hash: u64) -> u32 {
        (dkey_hash % u64::from(self.group_size.max(1))) as u32
    }
}

#[derive(Clone, Copy)]
enum Child {
    Domain(usize),
    Target(usize),
}

/// A pool map prepared for placement at one redundancy level. Made once per map version, shared freely.
pub struct Placer {
    version: u32,
    places: Vec<Place>,
    nodes: Vec<TreeNode>,
    /// Number of redundancy domains with a target of the tree.
    domains: u32,
    /// Number of targets of the tree.
    present: u32,
    /// Counters before any shard is placed.
    fresh_start: Counters,
}

struct Place {
    rank: Rank,
    index: TargetIndex,
    state: ComponentState,
    failure_seq: u32,
    present: bool,
    /// Node of its rank.
    parent: usize,
    /// Node of its redundancy domain.
    domain: usize,
}

struct TreeNode {
    children: Vec<Child>,
    parent: usize,
    redundancy: Where,
}

/// Where a node stands relative to the redundancy level.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Above,
    At,
    Below,
}

/// What is left, during one layout.
#[derive(Clone)]
struct Counters {
    /// By target: may be chosen.
    usable: Vec<bool>,
    /// By node: number of usable targets below.
    targets: Vec<u32>,
    /// By node at or above the redundancy level: domains at or below it with usable targets, unused by the group.
    domains: Vec<u32>,
    /// By node at the redundancy level: used by the group being placed.
    in_group: Vec<bool>,
}

impl Placer {
    /// Prepares a map for a redundancy level (the container's `rd_lvl`); a map without that level uses the next lower one.
    ///
    /// # Errors
    /// `INVAL`: the map breaks a rule of [`PoolMap::validate`].
    pub fn new(map: &PoolMap, level: DomainKind) -> Result<Placer> {
        map.validate()?;
        let level = map.level_or_below(level);
        let mut nodes: Vec<TreeNode> = Vec::with_capacity(map.domains.len());
        let mut node_of_rank = std::collections::HashMap::new();
        for (index, domain) in map.domains.iter().enumerate() {
            let redundancy = match (domain.kind as u8).cmp(&(level as u8)) {
                std::cmp::Ordering::Greater => Where::Above,
                std::cmp::Ordering::Equal if map.is_lowest_of_kind(index) => Where::At,
                std::cmp::Ordering::Equal => Where::Above,
                std::cmp::Ordering::Less => Where::Below,
            };
            if domain.kind == DomainKind::Rank {
                node_of_rank.insert(domain.id, index);
            }
            nodes.push(TreeNode { children: Vec::new(), parent: domain.parent as usize, redundancy });
        }
        let mut places = Vec::with_capacity(map.targets.len());
        for target in &map.targets {
            let parent = node_of_rank.get(&target.rank.0).copied().unwrap_or(0);
            let mut domain = parent;
            while nodes[domain].redundancy == Where::Below {
                domain = nodes[domain].parent;
            }
            let present = target.is_placed();
            let (rank, index, state, failure_seq) = (target.rank, target.index, target.state, target.failure_seq);
            places.push(Place { rank, index, state, failure_seq, present, parent, domain });
        }
        let mut placer = Placer {
            version: map.version,
            places,
            nodes,
            domains: 0,
            present: 0,
            fresh_start: Counters { usable: vec![], targets: vec![], domains: vec![], in_group: vec![] },
        };
        placer.link_children();
        Ok(placer)
    }

    /// Hangs in the present targets and the domains that have any, in map order.
    fn link_children(&mut self) {
        self.fresh_start = self.count(|place| place.present);
        for (id, place) in self.places.iter().enumerate().filter(|(_, place)| place.present) {
            self.nodes[place.parent].children.push(Child::Target(id));
        }
        for index in 1..self.nodes.len() {
            if self.fresh_start.targets[index] > 0 {
                let parent = self.nodes[index].parent;
                self.nodes[parent].children.push(Child::Domain(index));
            }
        }
        self.domains = self.fresh_start.domains[0];
        self.present = self.fresh_start.targets[0];
    }

    /// Counters in which the targets that satisfy `usable` are left.
    fn count(&self, usable: impl Fn(&Place) -> bool) -> Counters {
        let size = self.nodes.len();
        let usable: Vec<bool> = self.places.iter().map(usable).collect();
        let (mut targets, mut domains) = (vec![0u32; size], vec![0u32; size]);
        for (place, _) in self.places.iter().zip(&usable).filter(|(_, usable)| **usable) {
            targets[place.parent] += 1;
        }
        for index in (0..size).rev() {
            if self.nodes[index].redundancy == Where::At {
                domains[index] = u32::from(targets[index] > 0);
            }
            if index > 0 {
                let parent = self.nodes[index].parent;
                targets[parent] += targets[index];
                domains[parent] += domains[index];
            }
        }
        Counters { usable, targets, domains, in_group: vec![false; size] }
    }

    /// Version of the map.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Number of redundancy domains.
    pub fn domains(&self) -> u32 {
        self.domains
    }

    /// Number of targets that layouts are made of.
    pub fn targets(&self) -> u32 {
        self.present
    }

    /// Number of groups and size of a group of an object's class on this map.
    ///
    /// # Errors
    /// `INVAL`: the object's class is unknown or larger than the pool. `NOTSUPPORTED`: a specified-rank class.
    pub fn geometry(&self, oid: ObjectId) -> Result<(u32, u32)> {
        let class = ObjectClass::from_id(oid.class()).map_err(|error| error.at(format!("object {oid}")))?;
        if class.is_private() {
            return Err(Error::new(
                Der::NOTSUPPORTED,
                format!("object {oid}: class {class} is for tests of placement"),
            ));
        }
        let size = class.group_size(self.domains);
        if size == 0 || size > self.domains {
            let domains = self.domains;
            let text = format!("object {oid}: class {class} needs {size} fault domains, the pool has {domains}");
            return Err(Error::new(Der::INVAL, text));
        }
        let most = (self.present / size).max(1);
        let groups = if class.groups() == GROUPS_MAX { most } else { class.groups() };
        if groups > most {
            let text =
                format!("object {oid}: class {class} needs {} targets, the pool has {}", groups * size, self.present);
            return Err(Error::new(Der::INVAL, text));
        }
        Ok((groups, size))
    }

    /// The layout of an object.
    ///
    /// # Errors
    /// As [`Placer::geometry`].
    pub fn layout(&self, oid: ObjectId) -> Result<Layout> {
        let (groups, group_size) = self.geometry(oid)?;
        let key = object_key(oid);
        let mut left = self.fresh_start.clone();
        let mut shards = Vec::with_capacity((groups * group_size) as usize);
        for group in 0..groups {
            let first = shards.len();
            for shard in group * group_size..(group + 1) * group_size {
                let id = self.pick(mix(key, u64::from(shard)), &left);
                // The geometry left room for every shard; an object that finds none anyway is refused.
                let Some(id) = id else {
                    return Err(Error::new(Der::INVAL, format!("object {oid}: no target left for shard {shard}")));
                };
                self.take(&mut left, id);
                shards.push(self.shard_at(shard, id));
            }
            for shard in &shards[first..] {
                self.leave_group(&mut left, shard.target as usize);
            }
        }
        let mut layout = Layout { version: self.version, groups, group_size, shards };
        self.remap_failed(key, &mut layout);
        Ok(layout)
    }

    fn shard_at(&self, shard: u32, id: usize) -> ShardPlace {
        let place = &self.places[id];
        let (rank, index) = (place.rank, place.index);
        ShardPlace { shard, target: id as u32, rank, index, failed: !place.state.in_service(), rebuilding: false }
    }

    /// A target for `key`, by the order of preference of the module's description.
    fn pick(&self, key: u64, left: &Counters) -> Option<usize> {
        if left.domains[0] > 0 {
            return self.walk(key, left);
        }
        let free = |(_, place): &(usize, &Place)| place.present && !left.in_group[place.domain];
        let candidates = self.places.iter().enumerate().filter(free).map(|(id, _)| id);
        candidates.max_by_key(|&id| mix(key, id as u64))
    }

    fn walk(&self, key: u64, left: &Counters) -> Option<usize> {
        let (mut node, mut key) = (0usize, key);
        // Each step goes to a child, so there are at most as many as nodes.
        for _ in 0..=self.nodes.len() {
            let children = &self.nodes[node].children;
            let open = |child: &Child| match *child {
                Child::Target(id) => left.usable[id],
                Child::Domain(index) if self.nodes[index].redundancy == Where::Below => left.targets[index] > 0,
                Child::Domain(index) => left.domains[index] > 0,
            };
            let count = children.len() as u32;
            let probed = (0..PROBES).map(|probe| jump(mix(key, probe), count) as usize);
            let chosen = probed.into_iter().find(|&at| children.get(at).is_some_and(&open));
            let by_hash =
                || (0..children.len()).filter(|&at| open(&children[at])).max_by_key(|&at| mix(!key, at as u64));
            let at = chosen.or_else(by_hash)?;
            match children[at] {
                Child::Target(id) => return Some(id),
                Child::Domain(index) => node = index,
            }
            // The position among siblings stays when the map grows elsewhere; the index of the domain does not.
            key = mix(key, at as u64);
        }
        None
    }

    /// Notes that the group being placed uses target `id`.
    fn take(&self, left: &mut Counters, id: usize) {
        self.leave_domain(left, self.places[id].domain);
        if left.usable[id] {
            left.usable[id] = false;
            let mut node = self.places[id].parent;
            loop {
                left.targets[node] -= 1;
                if node == 0 {
                    break;
                }
                node = self.nodes[node].parent;
            }
        }
    }

    /// Takes a redundancy domain out of the choice of the group being placed.
    fn leave_domain(&self, left: &mut Counters, domain: usize) {
        if !std::mem::replace(&mut left.in_group[domain], true) && left.targets[domain] > 0 {
            self.add_domain(left, domain, -1);
        }
    }

    /// Ends a group: the domain of its target `id` may be chosen again if it has targets left.
    fn leave_group(&self, left: &mut Counters, id: usize) {
        let domain = self.places[id].domain;
        if std::mem::replace(&mut left.in_group[domain], false) && left.targets[domain] > 0 {
            self.add_domain(left, domain, 1);
        }
    }

    fn add_domain(&self, left: &mut Counters, domain: usize, change: i32) {
        let mut node = domain;
        loop {
            left.domains[node] = left.domains[node].wrapping_add_signed(change);
            if node == 0 {
                return;
            }
            node = self.nodes[node].parent;
        }
    }

    /// Gives the shards on failed targets their spares.
    fn remap_failed(&self, key: u64, layout: &mut Layout) {
        let mut failed: Vec<usize> = (0..layout.shards.len()).filter(|&at| layout.shards[at].failed).collect();
        if failed.is_empty() {
            return;
        }
        failed.sort_by_key(|&at| (self.places[layout.shards[at].target as usize].failure_seq, at));
        let mut left = self.count(|place| place.present && place.state.in_service());
        for shard in &layout.shards {
            self.take(&mut left, shard.target as usize);
            self.leave_group(&mut left, shard.target as usize);
        }
        let size = layout.group_size as usize;
        for at in failed {
            let lost = &self.places[layout.shards[at].target as usize];
            let down = lost.state == ComponentState::Down;
            if down && size == 1 {
                continue;
            }
            let group = at / size * size..at / size * size + size;
            let kept = group.filter(|&other| !layout.shards[other].failed);
            let kept: Vec<usize> = kept.map(|other| layout.shards[other].target as usize).collect();
            for &other in &kept {
                self.leave_domain(&mut left, self.places[other].domain);
            }
            let key = mix(mix(key, at as u64), !u64::from(lost.failure_seq));
            let spare = self.spare(key, &left);
            if let Some(id) = spare {
                self.take(&mut left, id);
                let moved = ShardPlace { rebuilding: down, ..self.shard_at(at as u32, id) };
                layout.shards[at] = moved;
            }
            for &other in kept.iter().chain(&spare) {
                self.leave_group(&mut left, other);
            }
        }
    }

    /// As [`Placer::pick`], among the targets in service.
    fn spare(&self, key: u64, left: &Counters) -> Option<usize> {
        if left.domains[0] > 0 {
            return self.walk(key, left);
        }
        let serves = |place: &Place| place.present && place.state.in_service() && !left.in_group[place.domain];
        let candidates = (0..self.places.len()).filter(|&id| serves(&self.places[id]));
        candidates.max_by_key(|&id| mix(key, id as u64))
    }
}

fn object_key(oid: ObjectId) -> u64 {
    mix(mix(oid.hi, u64::from(LAYOUT_VERSION)), oid.lo)
}

#[cfg(test)]
#[path = "placement_model.rs"]
mod tests;
