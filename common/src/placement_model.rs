//! Aim: the promises of placement hold on random pools: determinism, distinct domains, balance, little movement.

use super::*;
use crate::oclass::{S1, SX};
use crate::pool_map::RankPlace;
use proptest::prelude::*;
use std::collections::HashSet;

fn pool(nodes: u32, ranks: u32, targets: u32) -> PoolMap {
    let place = |rank| RankPlace { rank: Rank(rank), targets, fault_domain: format!("/n{}", rank / ranks) };
    PoolMap::from_ranks(1, &(0..nodes * ranks).map(place).collect::<Vec<_>>()).unwrap()
}

fn oid(lo: u64, class: u32) -> ObjectId {
    ObjectId { lo, hi: 0 }.with_class(0, class)
}

/// Node number of a place in a map of [`pool`].
fn node(place: &ShardPlace, ranks: u32) -> u32 {
    place.rank.0 / ranks
}

fn check(layout: &Layout, ranks: u32) {
    assert_eq!(layout.shards.len(), (layout.groups * layout.group_size) as usize);
    for group in 0..layout.groups {
        let shards = layout.group(group);
        let nodes: HashSet<u32> = shards.iter().map(|shard| node(shard, ranks)).collect();
        assert_eq!(nodes.len(), shards.len(), "{shards:?}");
    }
    let targets: HashSet<u32> = layout.shards.iter().map(|shard| shard.target).collect();
    assert_eq!(targets.len(), layout.shards.len(), "a target used twice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Aim: every class on every pool: layouts repeat, groups stand on distinct nodes, no target is used twice while
    /// others are free; too large classes are refused.
    #[test]
    fn layouts_are_sound(nodes in 1u32..9, ranks in 1u32..3, targets in 1u32..5, ordinal in 0usize..8, groups in 1u32..12, lo: u64) {
        let map = pool(nodes, ranks, targets);
        let placer = Placer::new(&map, DomainKind::Node).unwrap();
        let class = ([1, 8, 9, 10, 11, 32, 35, 36][ordinal] << 24) | groups;
        let size = ObjectClass::from_id(class).unwrap().group_size(nodes);
        let object = oid(lo, class);
        match placer.layout(object) {
            Err(error) => {
                prop_assert_eq!(error.code(), Der::INVAL);
                prop_assert!(size > nodes || groups * size > nodes * ranks * targets);
            }
            Ok(layout) => {
                prop_assert!(size <= nodes);
                prop_assert_eq!(&layout, &placer.layout(object).unwrap());
                // A nearly full pool of uneven leftovers may have to reuse a target for a fresh domain.
                if groups * size <= ranks * targets * nodes / 2 || size == 1 {
                    check(&layout, ranks);
                }
            }
        }
    }

    /// Aim: losing targets changes only the shards on them, spares stand on other nodes and in service, and order of
    /// failures decides reproducibly.
    #[test]
    fn failures_move_only_what_failed(lo: u64, dead in proptest::collection::vec(0u32..48, 1..6), out: bool) {
        let mut map = pool(6, 2, 4);
        let object = oid(lo, 0x0900_0004);
        let before = Placer::new(&map, DomainKind::Node).unwrap().layout(object).unwrap();
        for &target in &dead {
            map.change(&[(target, ComponentState::Down)]).unwrap();
            if out {
                map.change(&[(target, ComponentState::DownOut)]).unwrap();
            }
            if out { break; }
        }
        let dead: &[u32] = if out { &dead[..1] } else { &dead };
        let after = Placer::new(&map, DomainKind::Node).unwrap().layout(object).unwrap();
        for (old, new) in before.shards.iter().zip(&after.shards) {
            let lost = dead.contains(&old.target);
            prop_assert!(lost || old == new);
            prop_assert!(!lost || (!new.failed && new.rebuilding != out && !dead.contains(&new.target)));
        }
        check(&after, 2);
    }
}

/// Aim: objects spread evenly over targets, and the dkeys of one object evenly over its groups.
#[test]
fn balance() {
    let placer = Placer::new(&pool(8, 1, 8), DomainKind::Node).unwrap();
    let mut load = vec![0u32; 64];
    for lo in 0..20_000 {
        load[placer.layout(oid(lo, S1)).unwrap().shards[0].target as usize] += 1;
    }
    let mean = 20_000.0 / 64.0;
    let (least, most) = (*load.iter().min().unwrap(), *load.iter().max().unwrap());
    println!("S1 on 64 targets: {least}..{most}, mean {mean}");
    assert!(f64::from(least) > mean * 0.75 && f64::from(most) < mean * 1.25);
    let layout = placer.layout(oid(7, SX)).unwrap();
    assert_eq!(layout.shards.iter().map(|shard| shard.target).collect::<HashSet<_>>().len(), 64);
    let mut groups = vec![0u32; 64];
    for key in 0..20_000u32 {
        groups[layout.group_of(dkey_hash(oid(7, SX), &key.to_le_bytes()).unwrap()) as usize] += 1;
    }
    let (least, most) = (*groups.iter().min().unwrap(), *groups.iter().max().unwrap());
    println!("dkeys on 64 groups: {least}..{most}, mean {mean}");
    assert!(f64::from(least) > mean * 0.75 && f64::from(most) < mean * 1.25);
}

/// Aim: a component being added moves nothing; once in service it takes its share, and nothing else moves.
#[test]
fn extension_moves_little() {
    let old_map = pool(7, 1, 4);
    let mut map = pool(8, 1, 4);
    for target in &mut map.targets[28..] {
        target.state = ComponentState::New;
        target.in_version = 0;
    }
    let layouts = |map: &PoolMap| {
        let placer = Placer::new(map, DomainKind::Node).unwrap();
        (0..8_000).map(|lo| placer.layout(oid(lo, S1)).unwrap().shards[0].target).collect::<Vec<_>>()
    };
    let old = layouts(&old_map);
    let around = |map| crate::oclass::Surroundings::of_pool(map, DomainKind::Node, 1, 0);
    assert_eq!(around(&old_map), around(&map));
    assert!(old == layouts(&map));
    map.change_rank(Rank(7), ComponentState::Up).unwrap();
    assert!(old == layouts(&map));
    map.change_rank(Rank(7), ComponentState::Down).unwrap();
    assert!(old == layouts(&map));
    map.change_rank(Rank(7), ComponentState::Up).unwrap();
    map.change_rank(Rank(7), ComponentState::UpIn).unwrap();
    let new = layouts(&map);
    let moved: Vec<_> = old.iter().zip(&new).filter(|(old, new)| old != new).collect();
    assert!(moved.iter().all(|(_, new)| **new >= 28));
    let share = moved.len() as f64 / 8_000.0;
    println!("moved by growing 7 to 8 nodes: {share:.3}");
    assert!((0.105..0.145).contains(&share));
}

/// Aim: an unprotected shard waits while its target is down, and moves when it is given up; a group without a spare
/// domain stays degraded.
#[test]
fn unprotected_and_degraded() {
    let mut map = pool(2, 1, 2);
    let place = |map: &PoolMap, class| Placer::new(map, DomainKind::Node).unwrap().layout(oid(1, class)).unwrap();
    let home = place(&map, S1).shards[0];
    map.change(&[(home.target, ComponentState::Down)]).unwrap();
    assert!(place(&map, S1).shards[0].failed);
    map.change(&[(home.target, ComponentState::DownOut)]).unwrap();
    let moved = place(&map, S1).shards[0];
    assert!(!moved.failed && !moved.rebuilding && moved.target != home.target);

    let mut map = pool(2, 1, 2);
    map.change_rank(Rank(0), ComponentState::Down).unwrap();
    let degraded = place(&map, 0x0800_0001);
    assert_eq!(degraded.shards.iter().filter(|shard| shard.failed).count(), 1);
    assert!(degraded.shards.iter().all(|shard| shard.failed == (shard.rank == Rank(0))));
}

/// Aim: dkey hashes are fixed: integer dkeys are their own hash, others murmur; a short integer dkey is refused.
#[test]
fn dkey_hashes() {
    let integer = ObjectId::default().with_class(13, S1);
    assert_eq!(dkey_hash(integer, &77u64.to_le_bytes()).unwrap(), 77);
    assert_eq!(dkey_hash(integer, b"short").unwrap_err().code(), Der::INVAL);
    assert_eq!(dkey_hash(oid(1, S1), b"abc").unwrap(), murmur64(b"abc", 5731));
}

/// Aim: objects of unknown, test and oversized classes are refused; one replica per domain works.
#[test]
fn odd_classes() {
    let placer = Placer::new(&pool(3, 1, 2), DomainKind::Rank).unwrap();
    let code = |class| placer.layout(oid(1, class)).map(|layout| layout.shards.len()).map_err(|error| error.code());
    assert_eq!(code(0), Err(Der::INVAL));
    assert_eq!(code(51), Err(Der::INVAL));
    assert_eq!(code(18), Err(Der::NOTSUPPORTED));
    assert_eq!(code(0x0100_0007), Err(Der::INVAL));
    assert_eq!(code(0x0a00_0001), Err(Der::INVAL));
    assert_eq!(code(80), Ok(3));
    assert_eq!(code(SX), Ok(6));
}
