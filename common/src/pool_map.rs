//! The pool map: the tree of fault domains, ranks and targets of one pool, with a version.
//!
//! A map is made by the pool service ([`PoolMap::from_ranks`], [`PoolMap::from_fault_domains`]), changed by it
//! ([`PoolMap::change`]), and sent to everyone; whoever takes one from the wire or from media calls
//! [`PoolMap::validate`] before using it.

use crate::{Der, Error, Rank, Result, TargetIndex};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

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
    /// Map version at which it last came in; 0 if it never was in service.
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

/// Where a rank stands, for [`PoolMap::from_ranks`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RankPlace {
    /// The engine.
    pub rank: Rank,
    /// Number of its targets; not 0.
    pub targets: u32,
    /// Fault domain, e.g. `/rack0/host3`: the last part is the node, those before it are fault domains. Empty or
    /// `/` stands for a node of its own. Case does not matter.
    pub fault_domain: String,
}

/// Bounds that no real pool reaches: what a map from the wire may hold.
const DOMAINS_MAX: usize = 1 << 20;
const TARGETS_MAX: usize = 1 << 24;

/// Bit of the first word of a compressed fault domain tree: it has a performance group level.
const TREE_HAS_GROUPS: u32 = 2;

impl ComponentState {
    /// Whether data is read from and written to a component in this state.
    pub fn in_service(self) -> bool {
        matches!(self, ComponentState::UpIn | ComponentState::Drain)
    }

    /// Whether it failed.
    pub fn failed(self) -> bool {
        matches!(self, ComponentState::Down | ComponentState::DownOut)
    }

    /// The states that may follow this one: exclude, drain, reintegrate, extend, their ends, and their reverts.
    fn may_become(self, next: ComponentState) -> bool {
        use ComponentState::*;
        matches!(
            (self, next),
            (UpIn, Down | Drain)
                | (Drain, Down | DownOut | UpIn)
                | (Down, DownOut | Up | UpIn)
                | (DownOut, Up)
                | (New, Up | UpIn | Down)
                | (Up, UpIn | Down | DownOut | New)
        )
    }

    /// Order from best to worst, for the state of a domain.
    fn badness(self) -> u8 {
        match self {
            ComponentState::UpIn => 0,
            ComponentState::Up => 1,
            ComponentState::Drain => 2,
            ComponentState::New => 3,
            ComponentState::Down => 4,
            ComponentState::DownOut => 5,
        }
    }
}

impl Target {
    /// Whether layouts are made of it: not while it is being added, for it holds nothing then and must not move what
    /// others hold.
    pub fn is_placed(&self) -> bool {
        self.state == ComponentState::UpIn || (self.state != ComponentState::New && self.in_version != 0)
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(Der::INVAL, text).at("pool map")
}

/// An inner node while a map is being built, with the node above it.
struct Branch {
    kind: DomainKind,
    id: u32,
    parent: usize,
}

impl PoolMap {
    /// A map of these ranks, all in service at `version`.
    ///
    /// # Errors
    /// `INVAL`: version 0; no rank; a rank twice; a rank without targets; fault domains of different depth.
    pub fn from_ranks(version: u32, ranks: &[RankPlace]) -> Result<PoolMap> {
        let paths: Vec<Vec<String>> = ranks.iter().map(path_of).collect();
        let depth = paths.first().map_or(0, Vec::len);
        if let Some(odd) = paths.iter().position(|path| path.len() != depth) {
            let (path, first) = (&ranks[odd].fault_domain, &ranks[0].fault_domain);
            return Err(invalid(format!("fault domain \"{path}\" has not the depth of \"{first}\"")));
        }
        let mut branches = vec![Branch { kind: DomainKind::Root, id: 0, parent: 0 }];
        let mut above = vec![0usize; ranks.len()];
        let mut next_fault = 0;
        for level in 0..depth {
            let kind = if level + 1 == depth { DomainKind::Node } else { DomainKind::Fault };
            let mut known: HashMap<&[String], usize> = HashMap::new();
            let mut next_node = 0;
            for (path, above) in paths.iter().zip(&mut above) {
                let parent = *above;
                *above = *known.entry(&path[..=level]).or_insert_with(|| {
                    let counter = if kind == DomainKind::Node { &mut next_node } else { &mut next_fault };
                    branches.push(Branch { kind, id: *counter, parent });
                    *counter += 1;
                    branches.len() - 1
                });
            }
        }
        let leaves: Vec<(Rank, u32, usize)> =
            ranks.iter().zip(&above).map(|(place, &node)| (place.rank, place.targets, node)).collect();
        PoolMap::assemble(version, &branches, leaves)
    }

    /// A map from the compressed tree of a management request (`mgmt.PoolCreateReq.fault_domains`): a word of flags,
    /// then breadth first a triple (level, id, number of children) for each domain, a single word for each rank.
    /// Level 1 holds the nodes. Every rank gets `targets` targets.
    ///
    /// # Errors
    /// `INVAL`: the tree is truncated, has stray words, or breaks a rule of [`PoolMap::from_ranks`].
    pub fn from_fault_domains(version: u32, tree: &[u32], targets: u32) -> Result<PoolMap> {
        let truncated = || invalid("fault domain tree is truncated");
        let (&flags, mut rest) = tree.split_first().ok_or_else(truncated)?;
        let mut branches: Vec<Branch> = Vec::new();
        // Parents that still wait for children: (branch, level, number of children).
        let mut open = std::collections::VecDeque::from([(0usize, u32::MAX, 1u32)]);
        let mut leaves = Vec::new();
        while let Some((parent, above_level, children)) = open.pop_front() {
            for _ in 0..children {
                if above_level == 1 {
                    let (&rank, after) = rest.split_first().ok_or_else(truncated)?;
                    leaves.push((Rank(rank), targets, parent));
                    rest = after;
                    continue;
                }
                let (&[level, id, count], after) = rest.split_first_chunk::<3>().ok_or_else(truncated)?;
                if level == 0 || level >= above_level {
                    return Err(invalid(format!("fault domain tree has level {level} below {above_level}")));
                }
                let kind = match (branches.len(), level) {
                    (0, _) => DomainKind::Root,
                    (_, 1) => DomainKind::Node,
                    _ if parent == 0 && flags & TREE_HAS_GROUPS != 0 => DomainKind::Group,
                    _ => DomainKind::Fault,
                };
                // A pool of bare ranks: the only level is both root and node.
                if branches.is_empty() && level == 1 {
                    branches.push(Branch { kind: DomainKind::Root, id: 0, parent: 0 });
                    branches.push(Branch { kind: DomainKind::Node, id, parent: 0 });
                } else {
                    branches.push(Branch { kind, id: if kind == DomainKind::Root { 0 } else { id }, parent });
                }
                open.push_back((branches.len() - 1, level, count));
                rest = after;
            }
        }
        if !rest.is_empty() {
            return Err(invalid(format!("fault domain tree has {} stray words", rest.len())));
        }
        PoolMap::assemble(version, &branches, leaves)
    }

    fn assemble(version: u32, branches: &[Branch], leaves: Vec<(Rank, u32, usize)>) -> Result<PoolMap> {
        let state = ComponentState::UpIn;
        let domain = |kind, id, parent: usize| Domain { kind, id, parent: parent as u32, state };
        let mut domains: Vec<Domain> = branches.iter().map(|b| domain(b.kind, b.id, b.parent)).collect();
        let mut targets = Vec::new();
        for (rank, count, node) in leaves {
            if count == 0 || targets.len() + count as usize > TARGETS_MAX {
                return Err(invalid(format!("rank {rank} with {count} targets")));
            }
            domains.push(domain(DomainKind::Rank, rank.0, node));
            for index in 0..count {
                let id = targets.len() as u32;
                targets.push(Target { id, rank, index, state, failure_seq: 0, in_version: version, out_version: 0 });
            }
        }
        let map = PoolMap { version, domains, targets };
        map.validate()?;
        Ok(map)
    }

    /// Checks every rule of the structure, so that the other functions may rely on it: to be called on each map from
    /// the wire or media.
    ///
    /// # Errors
    /// `INVAL` naming the component and the rule it breaks.
    pub fn validate(&self) -> Result<()> {
        if self.version == 0 {
            return Err(invalid("version is 0"));
        }
        if self.domains.len() > DOMAINS_MAX || self.targets.len() > TARGETS_MAX {
            return Err(invalid(format!("{} domains and {} targets", self.domains.len(), self.targets.len())));
        }
        let has_child = self.check_domains()?;
        let mut next = 0usize;
        let mut seen = std::collections::HashSet::new();
        for (index, domain) in self.domains.iter().enumerate() {
            if domain.kind != DomainKind::Rank {
                if !has_child[index] {
                    return Err(invalid(format!("domain {index} ({:?} {}) is empty", domain.kind, domain.id)));
                }
                continue;
            }
            if !seen.insert(domain.id) || domain.id == Rank::NONE.0 {
                return Err(invalid(format!("rank {} is no rank or stands twice", domain.id)));
            }
            let first = next;
            while self.targets.get(next).is_some_and(|target| target.rank.0 == domain.id) {
                let target = &self.targets[next];
                if target.id as usize != next || target.index as usize != next - first {
                    return Err(invalid(format!("target {next} has id {} and index {}", target.id, target.index)));
                }
                next += 1;
            }
            if next == first {
                return Err(invalid(format!("rank {} has no targets, or they are out of order", domain.id)));
            }
        }
        match self.targets.get(next) {
            Some(target) => Err(invalid(format!("target {next} is of rank {}, which is out of order", target.rank))),
            None => Ok(()),
        }
    }

    /// Checks the inner nodes; which of them have a child.
    fn check_domains(&self) -> Result<Vec<bool>> {
        let mut has_child = vec![false; self.domains.len()];
        match self.domains.first() {
            Some(root) if root.kind == DomainKind::Root && root.parent == 0 => {}
            _ => return Err(invalid("domain 0 is not a root")),
        }
        for (index, domain) in self.domains.iter().enumerate().skip(1) {
            let parent = domain.parent as usize;
            if parent >= index {
                return Err(invalid(format!("domain {index} stands before its parent {parent}")));
            }
            let above = self.domains[parent].kind;
            let nested_fault = above == DomainKind::Fault && domain.kind == DomainKind::Fault;
            if !nested_fault && above as u8 <= domain.kind as u8 {
                return Err(invalid(format!("domain {index} ({:?}) stands below a {above:?}", domain.kind)));
            }
            has_child[parent] = true;
        }
        Ok(has_child)
    }

    /// The target with this id.
    ///
    /// # Errors
    /// `NONEXIST`.
    pub fn target(&self, id: u32) -> Result<&Target> {
        self.targets.get(id as usize).ok_or_else(|| Error::new(Der::NONEXIST, format!("pool has no target {id}")))
    }

    /// The target of this rank and index.
    ///
    /// # Errors
    /// `NONEXIST`.
    pub fn find_target(&self, rank: Rank, index: TargetIndex) -> Result<&Target> {
        let none = || Error::new(Der::NONEXIST, format!("pool has no target {index} on rank {rank}"));
        self.targets_of(rank).get(index as usize).ok_or_else(none)
    }

    /// The targets of a rank in order of index; empty if the pool is not on that rank.
    pub fn targets_of(&self, rank: Rank) -> &[Target] {
        let Some(first) = self.targets.iter().position(|target| target.rank == rank) else { return &[] };
        let rest = &self.targets[first..];
        let count = rest.iter().position(|target| target.rank != rank).unwrap_or(rest.len());
        &rest[..count]
    }

    /// The ranks, in map order.
    pub fn ranks(&self) -> impl Iterator<Item = Rank> {
        self.domains.iter().filter(|domain| domain.kind == DomainKind::Rank).map(|domain| Rank(domain.id))
    }

    /// The ranks with at least one target in service, in map order.
    pub fn ranks_in_service(&self) -> impl Iterator<Item = Rank> {
        self.ranks().filter(|&rank| self.targets_of(rank).iter().any(|target| target.state.in_service()))
    }

    /// Number of domains of a level. A map without that level counts the next lower one it has.
    pub fn domain_count(&self, level: DomainKind) -> u32 {
        let level = self.level_or_below(level);
        let counts = |&index: &usize| self.domains[index].kind == level && self.is_lowest_of_kind(index);
        (0..self.domains.len()).filter(counts).count() as u32
    }

    /// Whether no domain of the same level stands right below domain `index`: of nested fault domains only the
    /// innermost are redundancy domains.
    pub(crate) fn is_lowest_of_kind(&self, index: usize) -> bool {
        let kind = self.domains[index].kind;
        let nested = |domain: &Domain| domain.kind == kind && domain.parent as usize == index;
        kind != DomainKind::Fault || !self.domains[index + 1..].iter().any(nested)
    }

    /// `level` if the map has it, else the next lower level it has.
    pub fn level_or_below(&self, level: DomainKind) -> DomainKind {
        let kinds = self.domains.iter().map(|domain| domain.kind);
        kinds.filter(|kind| *kind as u8 <= level as u8).max_by_key(|kind| *kind as u8).unwrap_or(DomainKind::Rank)
    }

    /// Number of targets in one of these states.
    pub fn count_targets(&self, states: &[ComponentState]) -> usize {
        self.targets.iter().filter(|target| states.contains(&target.state)).count()
    }

    /// Puts targets into new states, as one change: the version grows by one if any state differs. Entering
    /// `Down` or `Drain` gives a target the new version as its failure number; leaving or entering service notes the
    /// version. Whether anything changed.
    ///
    /// # Errors
    /// `NONEXIST`: no such target. `BUSY`: that state cannot follow the present one. `OVERFLOW`: no version left.
    /// After an error nothing is changed.
    pub fn change(&mut self, changes: &[(u32, ComponentState)]) -> Result<bool> {
        for &(id, next) in changes {
            let target = self.target(id)?;
            if target.state != next && !target.state.may_become(next) {
                let (rank, index, state) = (target.rank, target.index, target.state);
                let text = format!("target {index} of rank {rank} is {state:?} and cannot become {next:?}");
                return Err(Error::new(Der::BUSY, text));
            }
        }
        let differs = |&&(id, next): &&(u32, ComponentState)| self.targets[id as usize].state != next;
        if !changes.iter().any(|change| differs(&change)) {
            return Ok(false);
        }
        let overflow = || Error::new(Der::OVERFLOW, "pool map version overflows");
        self.version = self.version.checked_add(1).ok_or_else(overflow)?;
        for &(id, next) in changes {
            let target = &mut self.targets[id as usize];
            if target.state == next {
                continue;
            }
            match next {
                ComponentState::Down => {
                    target.failure_seq = self.version;
                    target.out_version = self.version;
                }
                ComponentState::Drain => target.failure_seq = self.version,
                ComponentState::DownOut => target.out_version = self.version,
                ComponentState::UpIn => target.in_version = self.version,
                ComponentState::Up | ComponentState::New => {}
            }
            target.state = next;
        }
        self.refresh_domains();
        Ok(true)
    }

    /// Puts every target of a rank into a state, skipping those for which the state is no successor. Whether
    /// anything changed.
    ///
    /// # Errors
    /// `NONEXIST`: the pool is not on that rank. As [`PoolMap::change`].
    pub fn change_rank(&mut self, rank: Rank, next: ComponentState) -> Result<bool> {
        if self.targets_of(rank).is_empty() {
            return Err(Error::new(Der::NONEXIST, format!("pool has no rank {rank}")));
        }
        let able = |target: &&Target| target.state.may_become(next);
        let changes: Vec<_> = self.targets_of(rank).iter().filter(able).map(|target| (target.id, next)).collect();
        self.change(&changes)
    }

    /// Gives each domain the best state of what is below it.
    fn refresh_domains(&mut self) {
        let mut best = vec![ComponentState::DownOut; self.domains.len()];
        let improve = |slot: &mut ComponentState, state: ComponentState| {
            if state.badness() < slot.badness() {
                *slot = state;
            }
        };
        let by_rank: HashMap<u32, usize> = self
            .domains
            .iter()
            .enumerate()
            .filter(|(_, d)| d.kind == DomainKind::Rank)
            .map(|(i, d)| (d.id, i))
            .collect();
        for target in &self.targets {
            if let Some(&slot) = by_rank.get(&target.rank.0) {
                improve(&mut best[slot], target.state);
            }
        }
        for index in (1..self.domains.len()).rev() {
            let state = best[index];
            improve(&mut best[self.domains[index].parent as usize], state);
        }
        for (domain, state) in self.domains.iter_mut().zip(best) {
            domain.state = state;
        }
    }
}

/// Parts of a fault domain; a node of its own for an empty one.
fn path_of(place: &RankPlace) -> Vec<String> {
    let parts = place.fault_domain.split('/').map(str::trim).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_lowercase).collect();
    // A slash cannot stand in a given label, so this one cannot collide.
    if parts.is_empty() { vec![format!("/rank{}", place.rank)] } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;
    use proptest::prelude::*;

    fn place(rank: u32, targets: u32, fault_domain: &str) -> RankPlace {
        RankPlace { rank: Rank(rank), targets, fault_domain: fault_domain.to_owned() }
    }

    fn racks() -> PoolMap {
        let ranks = [place(0, 2, "/r0/a"), place(1, 2, "/r0/A"), place(5, 2, "/r1/b"), place(3, 2, "/r0/c")];
        PoolMap::from_ranks(1, &ranks).unwrap()
    }

    /// Aim: ranks of one node share it, levels are counted, and lookups find their targets.
    #[test]
    fn tree_from_paths() {
        let map = racks();
        let counts = [DomainKind::Fault, DomainKind::Node, DomainKind::Rank].map(|kind| map.domain_count(kind));
        assert_eq!(counts, [2, 3, 4]);
        assert_eq!(map.domain_count(DomainKind::Group), 2);
        assert_eq!(map.find_target(Rank(5), 1).unwrap().id, 5);
        assert_eq!(map.find_target(Rank(5), 2).unwrap_err().code(), Der::NONEXIST);
        assert_eq!(map.targets_of(Rank(9)).len(), 0);
        assert_eq!(map.ranks().map(|rank| rank.0).collect::<Vec<_>>(), [0, 1, 5, 3]);
        let flat = PoolMap::from_ranks(1, &[place(0, 1, ""), place(1, 1, "/")]).unwrap();
        assert_eq!(flat.domain_count(DomainKind::Node), 2);
        assert_eq!(flat.level_or_below(DomainKind::Fault), DomainKind::Node);
    }

    /// Aim: wrong constructor input is refused.
    #[test]
    fn bad_ranks() {
        let made = |version, ranks: &[RankPlace]| PoolMap::from_ranks(version, ranks).map_err(|error| error.code());
        assert_eq!(made(1, &[]), Err(Der::INVAL));
        assert_eq!(made(0, &[place(0, 1, "")]), Err(Der::INVAL));
        assert_eq!(made(1, &[place(0, 0, "")]), Err(Der::INVAL));
        assert_eq!(made(1, &[place(0, 1, ""), place(0, 1, "")]), Err(Der::INVAL));
        assert_eq!(made(1, &[place(0, 1, "/a"), place(1, 1, "/r/b")]), Err(Der::INVAL));
        assert_eq!(made(1, &[place(u32::MAX, 1, "/a")]), Err(Der::INVAL));
    }

    /// Aim: the compressed tree gives the same map as the paths, and every cut of it is refused.
    #[test]
    fn compressed_tree() {
        let tree = [1, 3, 1, 2, 2, 2, 2, 2, 3, 1, 1, 4, 2, 1, 5, 1, 1, 6, 1, 0, 1, 3, 5];
        let map = PoolMap::from_fault_domains(1, &tree, 2).unwrap();
        let counts = [DomainKind::Fault, DomainKind::Node, DomainKind::Rank].map(|kind| map.domain_count(kind));
        assert_eq!((counts, map.targets.len()), ([2, 3, 4], 8));
        for cut in 0..tree.len() {
            assert!(PoolMap::from_fault_domains(1, &tree[..cut], 2).is_err(), "cut at {cut}");
        }
        assert!(PoolMap::from_fault_domains(1, &[&tree[..], &[7]].concat(), 2).is_err());
        assert!(PoolMap::from_fault_domains(1, &[0, 2, 1, u32::MAX, 1, 1, u32::MAX], 2).is_err());
    }

    /// Aim: exclusion, rebuild, reintegration and their versions; forbidden changes leave the map alone.
    #[test]
    fn changes() {
        use ComponentState::*;
        let mut map = racks();
        assert!(map.change_rank(Rank(5), Down).unwrap());
        assert_eq!((map.version, map.target(4).unwrap().failure_seq), (2, 2));
        assert!(!map.change_rank(Rank(5), Down).unwrap());
        let rack = map.domains.iter().find(|domain| domain.kind == DomainKind::Fault && domain.id == 1).unwrap();
        assert_eq!(rack.state, Down);
        let before = map.clone();
        assert_eq!(map.change(&[(0, Drain), (4, Drain)]).unwrap_err().code(), Der::BUSY);
        assert_eq!(map.change(&[(99, Drain)]).unwrap_err().code(), Der::NONEXIST);
        assert_eq!(map, before);
        map.change_rank(Rank(5), DownOut).unwrap();
        map.change_rank(Rank(5), Up).unwrap();
        map.change_rank(Rank(5), UpIn).unwrap();
        assert_eq!((map.version, map.target(4).unwrap().in_version, map.domains[0].state), (5, 5, UpIn));
        map.validate().unwrap();
    }

    proptest! {
        /// Aim: a map survives the wire; whatever bytes a peer sends, validation never panics, and a map that
        /// passes it can be used.
        #[test]
        fn wire_maps(flip in 0usize..400, to: u8, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let map = racks();
            let mut encoded = wire::encode(&map).unwrap();
            prop_assert_eq!(&wire::decode::<PoolMap>(&encoded).unwrap(), &map);
            let at = flip % encoded.len();
            encoded[at] = to;
            for candidate in [encoded, bytes] {
                if let Ok(mut map) = wire::decode::<PoolMap>(&candidate) && map.validate().is_ok() {
                    let first = map.targets[0].rank;
                    let _ = map.change_rank(first, ComponentState::Down);
                    prop_assert!(map.domain_count(DomainKind::Node) >= 1);
                }
            }
        }
    }
}
