//! The client's part of transactions: what is sent when, and what each state allows.

use super::fake::{RANK, World, start};
use crate::keys::Anchor;
use crate::memory::UserMemory;
use crate::object::{OPEN_RW, Object};
use crate::transaction::{READ_ONLY, Status, Transaction, ZERO_COPY};
use crate::view::View;
use daos_common::wire::Opcode;
use daos_common::wire::tx::{ReadScope, TxWrite};
use daos_common::{Der, Iod, IodKind, Result, flags};
use daos_fabric::{MemoryConfig, MemoryNetwork};
use futures_util::future::join;
use std::sync::Arc;

fn world() -> (World, Arc<Object>) {
    let world = World::new(MemoryNetwork::new(MemoryConfig::default()));
    world.fake.clock.set(1000);
    let object = Object::open(&world.container, world.oid(0), OPEN_RW).unwrap();
    (world, object)
}

fn open(world: &World, flags: u64) -> Arc<Transaction> {
    Transaction::open(&world.container, flags).unwrap()
}

fn value(bytes: u64) -> Vec<Iod> {
    vec![Iod { akey: b"a".to_vec(), kind: IodKind::Single, size: bytes, recxs: vec![], flags: 0 }]
}

async fn put(world: &World, object: &Object, tx: &Arc<Transaction>, dkey: &str, data: &mut [u8]) -> Result<()> {
    let (iods, memory) = (value(data.len() as u64), [UserMemory::of_buffer(data)]);
    object.update(&world.client, View::In(tx.clone()), 0, dkey.into(), iods, &memory).await
}

async fn get(world: &World, object: &Object, tx: &Arc<Transaction>, dkey: &str) -> Result<()> {
    object.fetch(&world.client, View::In(tx.clone()), 0, dkey.into(), value(0), &[]).await.map(drop)
}

fn sent(world: &World, opcode: Opcode) -> u32 {
    world.fake.seen.borrow().get(&(opcode as u16)).copied().unwrap_or(0)
}

/// Aim: one epoch for all reads, also of those that begin at once; reads and writes arrive by target, the leader's first;
/// data is what it was at the call, or, on demand, at the commit.
#[test]
fn one_epoch_and_parts_by_target() {
    let (world, object) = world();
    for (flags, wanted) in [(0, 7u8), (ZERO_COPY, 9)] {
        let tx = open(&world, flags);
        assert_eq!(tx.epoch().unwrap_err().code(), Der::UNINIT);
        let mut buffer = [7u8; 3];
        world.run(async {
            let (one, two) = join(get(&world, &object, &tx, "r1"), get(&world, &object, &tx, "r2")).await;
            one.and(two).unwrap();
            get(&world, &object, &tx, "r1").await.unwrap();
            for number in 0..6 {
                put(&world, &object, &tx, &format!("w{number}"), &mut buffer).await.unwrap();
            }
        });
        assert_eq!(sent(&world, Opcode::ObjUpdate), 0);
        buffer.fill(9);
        let read = tx.epoch().unwrap();
        // Two began without an epoch: the answer of one gave it, the other was asked again.
        let fetched_at: Vec<_> = world.fake.fetched_at.borrow().iter().map(|(epoch, _)| *epoch).collect();
        assert_eq!(fetched_at, [0, 0, read, read]);
        assert!(world.fake.fetched_at.borrow().iter().all(|(_, at)| *at == flags::IN_TRANSACTION));
        world.run(tx.commit(&world.client)).unwrap();
        assert_eq!((tx.status(), tx.epoch().unwrap()), (Status::Committed, read));
        let (header, parts) = world.fake.commits.borrow_mut().pop().unwrap();
        assert_eq!(header.read_epoch, read);
        let writes: Vec<&TxWrite> = parts.iter().flat_map(|part| &part.writes).collect();
        assert_eq!(writes.len(), 6);
        let TxWrite::Update { dkey, .. } = &parts[0].writes[0] else { panic!() };
        assert_eq!(dkey, b"w0", "the first write's target leads");
        for write in writes {
            let TxWrite::Update { data, flags: 0, .. } = write else { panic!() };
            assert_eq!(*data, [wanted; 3]);
        }
        let reads: Vec<_> = parts.iter().flat_map(|part| &part.reads).collect();
        assert_eq!(reads.len(), 2, "each once");
        for part in &parts {
            let shard = part.target.target;
            let all = part.reads.iter().map(|read| read.oid).chain(part.writes.iter().map(|write| match write {
                TxWrite::Update { oid, .. } | TxWrite::Punch { oid, .. } => *oid,
            }));
            let places = object.layout().unwrap();
            for oid in all {
                assert_eq!(places.group(oid.shard)[0].index, shard);
                assert_eq!(part.target.rank, RANK);
            }
        }
        world.fake.fetched_at.borrow_mut().clear();
    }
}

/// Aim: what is listed and asked for is read as far as it may matter; a whole object is punched in all its shards.
#[test]
fn scopes_of_reads() {
    let (world, object) = world();
    let tx = open(&world, 0);
    world.run(async {
        let view = View::In(tx.clone());
        object.list_dkeys(&world.client, &view, &mut Anchor::default(), 10, 1000).await.unwrap();
        object.punch(&world.client, &view, 0).await.unwrap();
        tx.commit(&world.client).await.unwrap();
    });
    let (_, parts) = world.fake.commits.borrow_mut().pop().unwrap();
    assert_eq!(parts.len(), object.groups() as usize);
    for part in parts {
        assert_eq!(part.writes.len(), 1);
        assert!(matches!(&part.writes[0], TxWrite::Punch { dkeys, .. } if dkeys.is_empty()));
        assert_eq!(part.reads.len(), 1);
        assert_eq!(part.reads[0].scope, ReadScope::Object);
    }
}

/// Aim: nothing is sent to commit reads alone, or nothing at all; a snapshot's reads are at its epoch.
#[test]
fn reads_alone_send_no_commit() {
    let (world, object) = world();
    for flags in [0, READ_ONLY] {
        let tx = open(&world, flags);
        world.run(get(&world, &object, &tx, "r")).unwrap();
        world.run(tx.commit(&world.client)).unwrap();
    }
    world.run(open(&world, 0).commit(&world.client)).unwrap();
    let snapshot = Transaction::open_snapshot(&world.container, 77).unwrap();
    world.run(get(&world, &object, &snapshot, "r")).unwrap();
    assert_eq!(world.fake.fetched_at.borrow().last(), Some(&(77, 0)));
    assert_eq!(world.run(put(&world, &object, &snapshot, "w", &mut [1])).unwrap_err().code(), Der::NO_PERM);
    // One that is gone is no reason to read another state.
    world.fake.refuse.set(Some((Der::TX_RESTART, 1)));
    assert_eq!(world.run(get(&world, &object, &snapshot, "r")).unwrap_err().code(), Der::TX_RESTART);
    assert_eq!(world.run(snapshot.restart(&world.client)).unwrap_err().code(), Der::NO_PERM);
    assert_eq!(snapshot.epoch().unwrap(), 77);
    world.fake.fetched_at.borrow_mut().pop();
    world.run(snapshot.commit(&world.client)).unwrap();
    assert_eq!((sent(&world, Opcode::TxCommit), sent(&world, Opcode::TxEpoch)), (0, 0));
    // What was read once is not read older later, whatever clock answers: then it is read again.
    world.fake.clock.set(5);
    let later = open(&world, 0);
    world.run(get(&world, &object, &later, "r")).unwrap();
    assert_eq!(later.epoch().unwrap(), 1020);
    assert_eq!(world.fake.fetched_at.borrow().iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>()[3..], [0, 1020]);
    // A listing brings no epoch, and an error none either: they are asked for.
    let (listing, missing) = (open(&world, 0), open(&world, 0));
    world.fake.clock.set(5000);
    world.run(async {
        let view = View::In(listing.clone());
        object.list_dkeys(&world.client, &view, &mut Anchor::default(), 10, 1000).await.unwrap();
        world.fake.refuse.set(Some((Der::NONEXIST, 1)));
        get(&world, &object, &missing, "r").await.unwrap();
    });
    assert_eq!(sent(&world, Opcode::TxEpoch), 2);
    assert_eq!((listing.epoch().unwrap(), missing.epoch().unwrap()), (5010, 5020));
    assert_eq!(world.fake.fetched_at.borrow().last(), Some(&(5020, flags::IN_TRANSACTION)));
}

/// Aim: a commit goes on over a stale map, passing refusals and a restart of the engine with the same identity; a restart
/// of the transaction has another, a new epoch and none of the old reads and writes.
#[test]
fn identity_of_tries() {
    let (mut world, object) = world();
    let tx = open(&world, 0);
    world.run(async {
        get(&world, &object, &tx, "r").await.unwrap();
        put(&world, &object, &tx, "w", &mut [1]).await.unwrap();
    });
    world.fake.map_version.set(5);
    world.run(tx.commit(&world.client)).unwrap();
    let commits = std::mem::take(&mut *world.fake.commits.borrow_mut());
    assert_eq!(commits.iter().map(|(header, _)| header.map_version).collect::<Vec<_>>(), [1, 5]);
    assert_eq!(commits[0].0.tx, commits[1].0.tx);

    let tx = open(&world, 0);
    world.run(put(&world, &object, &tx, "w", &mut [1])).unwrap();
    world.fake.refuse.set(Some((Der::INPROGRESS, 2)));
    world.run(tx.commit(&world.client)).unwrap();
    let commits = std::mem::take(&mut *world.fake.commits.borrow_mut());
    assert_eq!((commits.len(), commits[0].0.tx, commits[0].0.read_epoch), (3, commits[2].0.tx, 0));
    assert_eq!(tx.epoch().unwrap(), world.fake.clock.get(), "of its changes");

    let tx = open(&world, 0);
    world.run(async {
        get(&world, &object, &tx, "r").await.unwrap();
        put(&world, &object, &tx, "w", &mut [1]).await.unwrap();
    });
    world.fake.refuse.set(Some((Der::TX_RESTART, 1)));
    assert_eq!(world.run(tx.commit(&world.client)).unwrap_err().code(), Der::TX_RESTART);
    let before = tx.epoch().unwrap();
    world.run(tx.restart(&world.client)).unwrap();
    assert_eq!(tx.epoch().unwrap_err().code(), Der::UNINIT);
    world.crash(1);
    world.engine.clear();
    world.engine = start(&world.network, &world.fake, 1);
    world.run(async {
        get(&world, &object, &tx, "other").await.unwrap();
        put(&world, &object, &tx, "another", &mut [2]).await.unwrap();
        tx.commit(&world.client).await.unwrap();
    });
    let commits = std::mem::take(&mut *world.fake.commits.borrow_mut());
    assert_eq!(commits.len(), 2);
    assert_ne!(commits[0].0.tx, commits[1].0.tx);
    assert!(commits[1].0.read_epoch > before);
    let parts = &commits[1].1;
    assert_eq!(
        parts.iter().map(|part| (part.reads.len(), part.writes.len())).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        (1, 1)
    );
}

/// Aim: what each state refuses, and that a read that must restart ends the try.
#[test]
fn states() {
    let (world, object) = world();
    assert_eq!(Transaction::open(&world.container, 8).err().unwrap().code(), Der::INVAL);
    let code = |result: Result<()>| result.unwrap_err().code();
    let tx = open(&world, 0);
    assert_eq!(code(world.run(tx.restart(&world.client))), Der::NO_PERM);
    world.fake.refuse.set(Some((Der::TX_RESTART, 1)));
    assert_eq!(code(world.run(get(&world, &object, &tx, "r"))), Der::TX_RESTART);
    assert_eq!(tx.status(), Status::Failed);
    assert_eq!(code(world.run(get(&world, &object, &tx, "r"))), Der::NO_PERM);
    assert_eq!(code(world.run(put(&world, &object, &tx, "w", &mut [1]))), Der::NO_PERM);
    assert_eq!(code(world.run(tx.commit(&world.client))), Der::NO_PERM);
    assert_eq!(code(tx.abort()), Der::NO_PERM);
    world.run(tx.restart(&world.client)).unwrap();
    tx.abort().unwrap();
    assert_eq!(code(tx.abort()), Der::ALREADY);
    assert_eq!(code(world.run(tx.commit(&world.client))), Der::NO_PERM);

    let tx = open(&world, 0);
    world.run(put(&world, &object, &tx, "w", &mut [1])).unwrap();
    world.fake.refuse.set(Some((Der::NOSPACE, 1)));
    assert_eq!(code(world.run(tx.commit(&world.client))), Der::NOSPACE);
    assert_eq!((tx.status(), code(world.run(tx.restart(&world.client)))), (Status::Aborted, Der::NO_PERM));

    // While the commit is under way.
    let tx = open(&world, 0);
    world.run(put(&world, &object, &tx, "w", &mut [1])).unwrap();
    world.fake.refuse.set(Some((Der::INPROGRESS, 3)));
    let committing = async {
        let (first, second) = join(tx.commit(&world.client), async {
            assert_eq!(tx.check_close().unwrap_err().code(), Der::BUSY);
            assert_eq!(put(&world, &object, &tx, "w", &mut [1]).await.unwrap_err().code(), Der::NO_PERM);
            tx.commit(&world.client).await
        })
        .await;
        first.unwrap();
        assert_eq!(second.unwrap_err().code(), Der::INPROGRESS);
    };
    world.run(committing);
    assert_eq!(code(world.run(tx.commit(&world.client))), Der::ALREADY);
    tx.check_close().unwrap();
}

/// Aim: a commit waits long for a leader that is away, and then says so.
#[test]
fn absent_leader() {
    let (world, object) = world();
    let tx = open(&world, 0);
    world.run(put(&world, &object, &tx, "w", &mut [1])).unwrap();
    world.crash(1);
    let before = world.network.elapsed();
    let code = world.run(tx.commit(&world.client)).unwrap_err().code();
    assert!(matches!(code, Der::UNREACH | Der::TIMEDOUT), "{code:?}");
    assert!((world.network.elapsed() - before).as_secs() > 30, "it waits for the engine's restart");
    assert_eq!(tx.status(), Status::Aborted);
}
