//! Malformed requests: every one is answered, none ends anything.

use super::world::{World, header};
use daos_common::Der;
use daos_common::wire::object::{BulkDesc, DataPath, ObjFetchRequest, ObjUpdateRequest};
use daos_common::wire::pool::ContHandleRequest;
use daos_common::wire::{self, Opcode};
use daos_common::{Iod, IodKind, Recx};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// Aim: random bytes for every opcode on every context are answered with an error, and the engine works on.
#[test]
fn random_bytes() {
    let (world, _, cont_handle) = World::ready_to_write(0, |_| None);
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let unknown = [0u16, 9, 19, 99, u16::MAX];
    let known = Opcode::ALL.iter().map(|opcode| *opcode as u16).filter(|number| *number != Opcode::Ping as u16);
    let numbers: Vec<u16> = known.chain(unknown).collect();
    for _ in 0..4 {
        for context in 0..world.uris.len() {
            for number in &numbers {
                let body: Vec<u8> = (0..random.random_range(0..200)).map(|_| random.random()).collect();
                let payload: Vec<u8> = (0..random.random_range(0..50)).map(|_| random.random()).collect();
                // Some random bodies are a request, of something that isn't there.
                let _ = world.send(context, *number, body, &[&payload]);
            }
        }
    }
    let close = ContHandleRequest { pool: super::world::POOL, cont_handle };
    world.ask::<_, ()>(0, Opcode::ContClose, &close).unwrap();
    for context in 0..world.uris.len() {
        let reply = world.send(context, Opcode::Ping as u16, Vec::new(), &[b"still here"]).unwrap();
        assert_eq!(reply.payload(), b"still here");
    }
}

/// Aim: bodies that decode but lie about sizes, counts and regions are refused.
#[test]
fn lies() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let iod = |size: u64, recxs: &[(u64, u64)]| Iod {
        akey: b"a".to_vec(),
        kind: IodKind::Array,
        size,
        recxs: recxs.iter().map(|&(idx, nr)| Recx { idx, nr }).collect(),
        flags: 0,
    };
    let huge = BulkDesc { addr: 1, len: u64::MAX, key: 0 };
    let nowhere = BulkDesc { addr: 0x10, len: 1 << 20, key: 77 };
    let cases: Vec<(Vec<Iod>, DataPath, &[u8])> = vec![
        (vec![], DataPath::Inline, b""),
        (vec![iod(u64::MAX, &[(0, 2)])], DataPath::Inline, b"x"),
        (vec![iod(1, &[(u64::MAX, 2)])], DataPath::Inline, b"xx"),
        (vec![iod(1, &[(0, 0)])], DataPath::Inline, b""),
        (vec![iod(1, &[(0, 10)])], DataPath::Inline, b"short"),
        (vec![iod(1, &[(0, 1 << 40)])], DataPath::Bulk(vec![huge.clone()]), b""),
        (vec![iod(1, &[(0, 100)])], DataPath::Bulk(vec![huge.clone(), huge]), b""),
        (vec![iod(1, &[(0, 1 << 20)])], DataPath::Bulk(vec![nowhere]), b""),
        (vec![Iod { akey: vec![], ..iod(1, &[(0, 1)]) }], DataPath::Inline, b"x"),
        (vec![iod(1, &[(0, 4), (2, 4)])], DataPath::Inline, b"overlap!"),
    ];
    for (number, (iods, data, payload)) in cases.into_iter().enumerate() {
        let request =
            ObjUpdateRequest { header: header(handle, 1), operation: Uuid::new_v4(), dkey: b"d".to_vec(), iods, data };
        let outcome = world.send(1, Opcode::ObjUpdate as u16, wire::encode(&request).unwrap(), &[payload]);
        println!("case {number}: {:?}", outcome.as_ref().err());
        assert!(outcome.is_err(), "case {number}");
    }
    for rooms in [vec![1, 2], vec![u64::MAX], vec![1 << 30]] {
        let request = ObjFetchRequest {
            header: header(handle, 1),
            dkey: b"d".to_vec(),
            iods: vec![iod(1, &[(0, 10)])],
            data: DataPath::Inline,
            rooms,
        };
        let outcome = world.send(1, Opcode::ObjFetch as u16, wire::encode(&request).unwrap(), &[]);
        assert_eq!(outcome.err().unwrap().code(), Der::INVAL);
    }
    world.send(1, Opcode::Ping as u16, Vec::new(), &[]).unwrap();
}
