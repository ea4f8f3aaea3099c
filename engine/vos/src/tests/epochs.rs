//! The newest epoch that a store remembers.

use super::audit::audit;
use super::{array, config, object, put, single};
use crate::{Aggregation, Durability, VosPool};
use daos_common::Der;
use uuid::Uuid;

/// Aim: updates and punches raise it, older ones, reads and what isn't committed don't; it outlives the data and the
/// process.
#[test]
fn remembered_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vos-0");
    let hour = 3600 * 1_000_000_000 * daos_common::hlc::UNITS_PER_NS;
    let pool = VosPool::create(&config(&path, 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let newest = |pool: &VosPool| pool.newest_epoch().unwrap();
    assert_eq!(newest(&pool), 0);
    put(&cont, object(1), hour, b"d", &[single(b"a", 1)], b"1").unwrap();
    assert_eq!(newest(&pool), hour);
    put(&cont, object(1), 5, b"d", &[single(b"a", 1)], b"0").unwrap();
    drop(cont.reserve_update(object(1), hour + 9, b"d", 0, &[single(b"a", 1)]).unwrap());
    cont.fetch(object(1), u64::MAX, b"d", 0, &[single(b"a", 1)]).unwrap();
    let refused = put(&cont, object(1), hour + 9, b"d", &[array(b"a", 1, 0, 1)], b"x");
    assert_eq!(refused.unwrap_err().code(), Der::NO_PERM);
    assert_eq!(newest(&pool), hour);
    cont.punch(object(2), hour + 2, &[b"d"], &[], 0).unwrap();
    assert_eq!(newest(&pool), hour + 2);
    put(&cont, object(1), hour + 3, b"d", &[array(b"x", 1, 0, 1)], b"x").unwrap();
    cont.punch(object(1), hour + 4, &[], &[], 0).unwrap();
    while !cont.aggregate(&mut Aggregation::new(0..=hour + 9), 100).unwrap() {}
    drop(cont);
    pool.destroy_container(Uuid::nil()).unwrap();
    while !pool.reclaim(100).unwrap() {}
    assert_eq!(newest(&pool), hour + 4);
    drop(pool);
    for durability in [Durability::Process, Durability::Power] {
        let pool = VosPool::open(&path, durability).unwrap();
        assert_eq!(newest(&pool), hour + 4);
        pool.container(Uuid::nil(), true).unwrap();
        audit(&pool);
    }
}
