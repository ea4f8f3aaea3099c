//! Verification: sums that tell the same data from other data, and nothing else from it.

use super::data::write_nvme;
use super::world::{World, code, header};
use daos_common::wire::object::{DataPath, ObjUpdateRequest, ObjVerifyReply, ObjVerifyRequest};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Iod, IodKind, Recx, Result};
use uuid::Uuid;

fn write(world: &World, handle: Uuid, object: u64, iod: Iod, bytes: &[u8]) {
    for (index, part) in bytes.chunks(8000).enumerate() {
        let mut iod = iod.clone();
        if let [recx] = iod.recxs.as_mut_slice() {
            // Extents of at most 8,000 bytes, each in a message.
            *recx = Recx { idx: recx.idx + index as u64 * 8000, nr: part.len() as u64 };
        }
        let (operation, dkey) = (Uuid::new_v4(), b"d".to_vec());
        let (header, data) = (header(handle, object), DataPath::Inline);
        let request = ObjUpdateRequest { header, operation, dkey, iods: vec![iod], data };
        world.send(1, Opcode::ObjUpdate as u16, wire::encode(&request).unwrap(), &[part]).unwrap();
    }
}

fn single(akey: &str, size: u64) -> Iod {
    Iod { akey: akey.as_bytes().to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

fn array(akey: &str, idx: u64) -> Iod {
    let recxs = vec![Recx { idx, nr: 1 }];
    Iod { akey: akey.as_bytes().to_vec(), kind: IodKind::Array, size: 1, recxs, flags: 0 }
}

fn part(world: &World, handle: Uuid, object: u64, epoch: u64, from: (Vec<u8>, u64)) -> Result<ObjVerifyReply> {
    let mut header = header(handle, object);
    header.epoch = epoch;
    let (akeys_anchor, record) = from;
    world.ask(1, Opcode::ObjVerify, &ObjVerifyRequest { header, dkey: b"d".to_vec(), akeys_anchor, record })
}

/// Sum, akeys and bytes of all parts, and how many there were.
fn verify(world: &World, handle: Uuid, object: u64) -> (u128, u64, u64, u32) {
    let (mut sum, mut akeys, mut bytes, mut parts, mut from) = (0u128, 0, 0, 0, (Vec::new(), 0));
    let mut epoch = 0;
    loop {
        let reply = part(world, handle, object, epoch, from).unwrap();
        (sum, akeys, bytes) = (sum.wrapping_add(reply.sum), akeys + reply.akeys, bytes + reply.bytes);
        (epoch, parts) = (reply.epoch, parts + 1);
        match reply.next {
            Some(next) => from = next,
            None => return (sum, akeys, bytes, parts),
        }
    }
}

/// Aim: the same data has the same sum, whatever pieces it was written in, overwritten or not, on the data tier or not;
/// other data, other places, names and kinds have other sums.
#[test]
fn sums_tell_data_apart() {
    let (world, _, handle) = World::ready_to_write(64 << 20, write_nvme);
    let bytes: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(7919) >> 5) as u8).collect();
    write(&world, handle, 1, array("a", 500), &bytes);
    // The same from behind, with other values first.
    write(&world, handle, 2, array("a", 1_000_000), &bytes[..1_000_000]);
    write(&world, handle, 2, array("a", 1_500_500), &bytes[1_500_000..]);
    write(&world, handle, 2, array("a", 500), &bytes[..1_600_000]);
    let first = verify(&world, handle, 1);
    assert_eq!((first.1, first.2), (1, 3_000_000));
    assert_eq!(verify(&world, handle, 2), first);
    write(&world, handle, 2, array("a", 2_000_000), b"x");
    assert_ne!(verify(&world, handle, 2).0, first.0);
    write(&world, handle, 3, array("a", 501), &bytes);
    write(&world, handle, 4, array("b", 500), &bytes);
    assert!([3, 4].iter().all(|object| verify(&world, handle, *object).0 != first.0));
    write(&world, handle, 5, array("a", 0), b"v");
    write(&world, handle, 6, single("a", 1), b"v");
    assert_ne!(verify(&world, handle, 5).0, verify(&world, handle, 6).0);
    assert_eq!(verify(&world, handle, 7), (0, 0, 0, 1));
}

/// Aim: a large dkey is read in several requests, many akeys too; an old epoch shows old data; wrong requests are refused.
#[test]
fn parts_and_epochs() {
    let (world, _, handle) = World::ready_to_write(64 << 20, write_nvme);
    for number in 0..50 {
        write(&world, handle, 1, single(&format!("akey {number}"), 4), b"data");
    }
    let before = part(&world, handle, 1, 0, (Vec::new(), 0)).unwrap();
    assert_eq!((before.akeys, before.bytes, before.next), (50, 200, None));
    let bytes = vec![7u8; 9 << 20];
    write(&world, handle, 1, array("large", 0), &bytes);
    write(&world, handle, 1, array("large too", 1 << 40), &bytes);
    let (_, akeys, read, parts) = verify(&world, handle, 1);
    assert_eq!((akeys, read), (52, 200 + (18 << 20)));
    assert!(parts > 1);
    let old = part(&world, handle, 1, before.epoch, (Vec::new(), 0)).unwrap();
    assert_eq!((old.sum, old.bytes), (before.sum, before.bytes));
    assert_eq!(code(part(&world, handle, 1, 0, (vec![1; 97], 0))), Der::INVAL);
    assert_eq!(code(part(&world, handle, 1, 0, (vec![1; 5], 0))), Der::INVAL);
}
