//! What the client does with answers that are not final.

use super::fake::{World, start};
use crate::memory::UserMemory;
use crate::object::{OPEN_RO, OPEN_RW, Object};
use daos_common::wire::Opcode;
use daos_common::{Der, Iod, IodKind, Result};
use daos_fabric::{MemoryConfig, MemoryNetwork};
use std::sync::Arc;
use std::time::Duration;

fn world() -> World {
    World::new(MemoryNetwork::new(MemoryConfig::default()))
}

fn value(bytes: u64) -> Vec<Iod> {
    vec![Iod { akey: b"a".to_vec(), kind: IodKind::Single, size: bytes, recxs: vec![], flags: 0 }]
}

async fn put(world: &World, object: &Object, data: &mut [u8]) -> Result<()> {
    let memory = [UserMemory::of_buffer(data)];
    object.update(&world.client, 0, 0, b"dkey".to_vec(), value(data.len() as u64), &memory).await
}

fn open(world: &World) -> Arc<Object> {
    Object::open(&world.container, world.oid(0), OPEN_RW).unwrap()
}

/// Aim: values small (in the message) and large (by RMA) come back as they were written.
#[test]
fn data_travels_both_ways() {
    let world = world();
    let object = open(&world);
    for bytes in [1usize, 100, 16 * 1024, 16 * 1024 + 1, 1 << 20] {
        let mut data: Vec<u8> = (0..bytes).map(|at| (at * 7 + bytes) as u8).collect();
        let mut back = vec![0u8; bytes + 9];
        world.run(async {
            put(&world, &object, &mut data).await.unwrap();
            let memory = [UserMemory::of_buffer(&mut back)];
            let found = object.fetch(&world.client, 0, 0, b"dkey".to_vec(), value(0), &memory).await.unwrap();
            assert_eq!(found[0].size, bytes as u64);
        });
        assert_eq!(back[..bytes], data[..]);
        assert_eq!(back[bytes..], [0; 9]);
    }
}

/// Aim: a stale map is fetched once and the operation goes on, the same one, without the caller's notice.
#[test]
fn stale_map_is_refreshed() {
    let world = world();
    let object = open(&world);
    world.fake.map_version.set(5);
    world.run(put(&world, &object, &mut [1, 2, 3])).unwrap();
    assert_eq!(world.container.pool().map_version(), 5);
    assert_eq!(object.layout().unwrap().version, 5);
    let operations = world.fake.operations.borrow();
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0], operations[1]);
    assert_eq!(world.fake.seen.borrow()[&(Opcode::PoolMapFetch as u16)], 1);
}

/// Aim: passing refusals are waited out with the same operation number; final ones are returned at once.
#[test]
fn passing_refusals_are_retried() {
    let world = world();
    let object = open(&world);
    for code in [Der::INPROGRESS, Der::TX_BUSY, Der::OVERLOAD_RETRY] {
        world.fake.operations.borrow_mut().clear();
        world.fake.refuse.set(Some((code, 4)));
        world.run(put(&world, &object, &mut [1])).unwrap();
        let operations = world.fake.operations.borrow().clone();
        assert_eq!(operations.len(), 5);
        assert!(operations.windows(2).all(|pair| pair[0] == pair[1]), "{code:?}");
    }
    for code in [Der::NO_PERM, Der::EXIST, Der::NOSPACE, Der::NO_HDL] {
        world.fake.operations.borrow_mut().clear();
        world.fake.refuse.set(Some((code, 1)));
        assert_eq!(world.run(put(&world, &object, &mut [1])).unwrap_err().code(), code);
        assert_eq!(world.fake.operations.borrow().len(), 1);
    }
}

/// Aim: a refusal that never passes ends the operation when its time is over, not earlier and not much later.
#[test]
fn time_of_an_operation_is_bounded() {
    let world = world();
    let object = open(&world);
    world.fake.refuse.set(Some((Der::INPROGRESS, u32::MAX)));
    let before = world.network.elapsed();
    assert_eq!(world.run(put(&world, &object, &mut [1])).unwrap_err().code(), Der::INPROGRESS);
    let took = world.network.elapsed() - before;
    assert!(took >= Duration::from_secs(58) && took < Duration::from_secs(65), "{took:?}");
}

/// Aim: a dead engine is reported within seconds.
#[test]
fn dead_engine_is_reported() {
    let world = world();
    let object = open(&world);
    world.run(put(&world, &object, &mut [1])).unwrap();
    world.crash(1);
    let before = world.network.elapsed();
    assert_eq!(world.run(put(&world, &object, &mut [1])).unwrap_err().code(), Der::UNREACH);
    let took = world.network.elapsed() - before;
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(8), "{took:?}");
}

/// Aim: an engine that comes back at other addresses in time is found again, and the operation is the same one.
#[test]
fn restarted_engine_is_found() {
    let mut world = world();
    let object = open(&world);
    world.run(put(&world, &object, &mut [1])).unwrap();
    world.crash(1);
    // Gone before the new one opens: they have the same names.
    world.engine.clear();
    world.engine = start(&world.network, &world.fake, 1);
    world.fake.operations.borrow_mut().clear();
    world.run(put(&world, &object, &mut [7])).unwrap();
    let operations = world.fake.operations.borrow();
    assert!(operations.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(world.fake.seen.borrow()[&(Opcode::RankInfo as u16)] >= 2);
}

/// Aim: checks that need no engine send nothing.
#[test]
fn wrong_arguments_send_nothing() {
    let world = world();
    let object = open(&world);
    let reader = Object::open(&world.container, world.oid(0), OPEN_RO).unwrap();
    world.run(async {
        assert_eq!(put(&world, &reader, &mut [1]).await.unwrap_err().code(), Der::NO_PERM);
        let short = [UserMemory::of_buffer(&mut [0; 3])];
        let wrong = object.update(&world.client, 0, 0, b"d".to_vec(), value(4), &short).await;
        assert_eq!(wrong.unwrap_err().code(), Der::REC2BIG);
        let empty = object.update(&world.client, 0, 0, vec![], value(3), &short).await;
        assert_eq!(empty.unwrap_err().code(), Der::INVAL);
    });
    assert!(world.fake.seen.borrow().is_empty());
    let replicated = daos_common::ObjectId { lo: 9, hi: 7 }.with_class(0, 0x0800_0001);
    assert!(Object::open(&world.container, replicated, OPEN_RW).is_err());
}
