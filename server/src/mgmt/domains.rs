//! The tree of fault domains in the form that engines take it.
//!
//! A list of u32: a word of flags (bit 1: there is a level above the hosts), then the nodes breadth first: each domain
//! as (level, id, number of children), each rank as its number. The root has the largest level, hosts have 1; the
//! root's id is 1, the others count up in the order of the list.

use crate::system::State;
use daos_common::{Der, Result};
use std::collections::BTreeMap;

/// Flag: domains above the hosts exist.
const HAS_PERFORMANCE_DOMAIN: u32 = 2;

#[derive(Default)]
struct Node {
    children: BTreeMap<String, Node>,
    ranks: Vec<u32>,
}

/// The tree over `ranks`.
///
/// # Errors
/// `NONEXIST` for a rank that isn't in the system; `INVAL` when hosts have fault paths of different depth.
pub fn compress(state: &State, ranks: &[u32]) -> Result<Vec<u32>> {
    let mut root = Node::default();
    let mut depth = None;
    for rank in ranks {
        let Some(member) = state.members.get(rank) else {
            return Err(Der::NONEXIST.err(format!("rank {rank} isn't in the system")));
        };
        let levels: Vec<&str> = member.fault_domain.split('/').filter(|level| !level.is_empty()).collect();
        if *depth.get_or_insert(levels.len()) != levels.len() {
            return Err(Der::INVAL.err(format!(
                "rank {rank} has fault path {}, whose depth differs from other hosts'; give all hosts the same depth",
                member.fault_domain
            )));
        }
        let mut node = &mut root;
        for level in levels {
            node = node.children.entry(level.to_string()).or_default();
        }
        node.ranks.push(*rank);
    }
    Ok(list(&root, depth.unwrap_or(1)))
}

fn list(root: &Node, depth: usize) -> Vec<u32> {
    let mut list = vec![if depth > 1 { HAS_PERFORMANCE_DOMAIN } else { 0 }];
    let mut nodes = vec![root];
    let mut id = 0;
    for level in (1..=depth as u32 + 1).rev() {
        for node in &nodes {
            id += 1;
            let children = node.children.len() + node.ranks.len();
            list.extend([level, id, u32::try_from(children).unwrap_or(u32::MAX)]);
        }
        if level > 1 {
            nodes = nodes.iter().flat_map(|node| node.children.values()).collect();
        }
    }
    list.extend(nodes.iter().flat_map(|node| &node.ranks));
    list
}

/// Number of fault domains (hosts) that `ranks` lie in.
pub fn count(state: &State, ranks: &[u32]) -> usize {
    let members = ranks.iter().filter_map(|rank| state.members.get(rank));
    members.map(|member| member.fault_domain.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}
