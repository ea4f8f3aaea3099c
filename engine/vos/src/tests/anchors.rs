//! Anchors made of a key: where a listing begins then.

use super::{config, put, single};
use crate::VosPool;
use daos_common::wire::object::{ListKind, Listed};
use daos_common::{ObjectId, UnitOid};
use uuid::Uuid;

/// Aim: in every order of keys, short and long, a listing from a key's anchor begins with it, and with the next one
/// once it is punched; without an object or dkey there is nothing to list.
#[test]
fn listings_begin_at_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VosPool::create(&config(&dir.path().join("vos-0"), 16 << 20)).unwrap();
    let cont = pool.container(Uuid::nil(), true).unwrap();
    let name = |number: u64, length: usize| [vec![b'x'; length], number.to_be_bytes().to_vec()].concat();
    // Hashed, integer, lexical; the length of what stands before the number.
    for (otype, length) in [(0u8, 0), (4, 0), (7, 10), (7, 120)] {
        let id = ObjectId { lo: 5 + length as u64, hi: 0 }.with_class(otype, 0x0100_0001);
        let oid = UnitOid { oid: id, shard: 0, layout: 0 };
        assert_eq!(cont.key_anchor(oid, &name(0, length), None).unwrap(), None);
        for number in 0..20 {
            put(&cont, oid, 3, &name(number, length), &[single(&name(number, length), 1)], b"v").unwrap();
            put(&cont, oid, 3, &name(0, length), &[single(&name(number, length), 1)], b"v").unwrap();
        }
        let list = |anchor: &[u8], akeys: bool, limit: u32| {
            let what = if akeys { ListKind::Akeys } else { ListKind::Dkeys };
            let dkey = if akeys { name(0, length) } else { Vec::new() };
            let reply = cont.list(oid, 9, &what, &dkey, anchor, limit, 1 << 20).unwrap();
            let Listed::Keys(keys) = reply.entries else { panic!("not keys") };
            keys
        };
        for akeys in [false, true] {
            let all = list(&[], akeys, 100);
            assert_eq!(all.len(), 20);
            for (index, key) in all.iter().enumerate() {
                let anchor = match akeys {
                    false => cont.key_anchor(oid, key, None),
                    true => cont.key_anchor(oid, &name(0, length), Some(key)),
                };
                let anchor = anchor.unwrap().expect("there is something to list");
                assert!(anchor.len() <= 96);
                assert_eq!(list(&anchor, akeys, 100), all[index..], "type {otype}");
            }
        }
        let all = list(&[], false, 100);
        let anchor = cont.key_anchor(oid, &all[7], None).unwrap().unwrap();
        cont.punch(oid, 5, &[&all[7]], &[], 0).unwrap();
        assert_eq!(list(&anchor, false, 100), all[8..]);
        assert_eq!(cont.key_anchor(oid, &name(77, length), Some(&name(0, length))).unwrap(), None);
    }
}
