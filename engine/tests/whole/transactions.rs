//! Distributed transactions over the two targets of an engine: conflicts, resends, waiting readers and writers, and
//! crashes between the steps. The test plays the client, and where one died, the leader.

use super::world::{POOL, World, code, header};
use daos_common::wire::object::{DataPath, ObjFetchReply, ObjFetchRequest, ObjUpdateReply, ObjUpdateRequest};
use daos_common::wire::tx::{
    ReadScope, TxCommitRequest, TxDecideRequest, TxEpochReply, TxEpochRequest, TxHeader, TxOutcome, TxPart,
    TxPrepareRequest, TxRead, TxStatusReply, TxStatusRequest, TxTarget, TxWrite,
};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Epoch, Iod, IodKind, Rank, Result, flags, hlc};
use daos_engine::storage::Storage;
use daos_vos::{Aggregation, Durability, VosPool};
use uuid::Uuid;

const OBJECT: u64 = 40;

fn iod(size: usize) -> Iod {
    Iod { akey: b"a".to_vec(), kind: IodKind::Single, size: size as u64, recxs: Vec::new(), flags: 0 }
}

fn target(index: u32) -> TxTarget {
    TxTarget { rank: Rank(0), target: index }
}

fn part(handle: Uuid, index: u32, reads: &[&str], writes: &[(&str, &str)]) -> TxPart {
    let oid = header(handle, OBJECT).oid;
    let reads = reads.iter().map(|dkey| TxRead { oid, scope: ReadScope::Dkey(dkey.as_bytes().to_vec()) }).collect();
    let writes = writes.iter().map(|(dkey, value)| TxWrite::Update {
        oid,
        dkey: dkey.as_bytes().to_vec(),
        flags: 0,
        iods: vec![iod(value.len())],
        data: value.as_bytes().to_vec(),
    });
    TxPart { target: target(index), reads, writes: writes.collect() }
}

fn tx_header(handle: Uuid, tx: Uuid, read_epoch: Epoch) -> TxHeader {
    TxHeader { pool: POOL, cont_handle: handle, map_version: 1, tx, read_epoch }
}

fn commit(world: &World, handle: Uuid, tx: Uuid, read_epoch: Epoch, parts: Vec<TxPart>) -> Result<Epoch> {
    let context = 1 + parts[0].target.target as usize;
    let body = wire::encode(&TxCommitRequest { header: tx_header(handle, tx, read_epoch) }).unwrap();
    let reply = world.send(context, Opcode::TxCommit as u16, body, &[&wire::encode(&parts).unwrap()])?;
    Ok(wire::decode::<TxEpochReply>(reply.body())?.epoch)
}

/// Prepares for the leader `leader`; reads were at `at.0`, and this is try `at.1`.
fn prepare(world: &World, handle: Uuid, tx: Uuid, leader: u32, at: (Epoch, Epoch), part: &TxPart) -> Result<Epoch> {
    let context = 1 + part.target.target as usize;
    let request = TxPrepareRequest { header: tx_header(handle, tx, at.0), leader: target(leader), attempt: at.1 };
    let body = wire::encode(&request).unwrap();
    let reply = world.send(context, Opcode::TxPrepare as u16, body, &[&wire::encode(part).unwrap()])?;
    Ok(wire::decode::<TxEpochReply>(reply.body())?.epoch)
}

fn tell(world: &World, index: u32, cont: Uuid, tx: Uuid, attempt: Epoch, outcome: TxOutcome) -> Result<()> {
    let request = TxDecideRequest { pool: POOL, cont, tx, attempt, outcome };
    world.ask(1 + index as usize, Opcode::TxDecide, &request)
}

fn ask_outcome(world: &World, index: u32, cont: Uuid, tx: Uuid) -> TxOutcome {
    let request = TxStatusRequest { pool: POOL, cont, tx };
    world.ask::<_, TxStatusReply>(1 + index as usize, Opcode::TxStatus, &request).unwrap().outcome
}

fn epoch(world: &World, handle: Uuid, index: u32) -> Epoch {
    let request = TxEpochRequest { pool: POOL, cont_handle: handle };
    world.ask::<_, TxEpochReply>(1 + index as usize, Opcode::TxEpoch, &request).unwrap().epoch
}

fn put(world: &World, handle: Uuid, index: u32, dkey: &str, value: &str) -> Result<Epoch> {
    let request = ObjUpdateRequest {
        header: header(handle, OBJECT),
        operation: Uuid::new_v4(),
        dkey: dkey.as_bytes().to_vec(),
        iods: vec![iod(value.len())],
        data: DataPath::Inline,
    };
    let body = wire::encode(&request).unwrap();
    let reply = world.send(1 + index as usize, Opcode::ObjUpdate as u16, body, &[value.as_bytes()])?;
    Ok(wire::decode::<ObjUpdateReply>(reply.body())?.epoch)
}

fn get(world: &World, handle: Uuid, index: u32, dkey: &str, at: Epoch) -> Result<String> {
    let mut head = header(handle, OBJECT);
    (head.epoch, head.flags) = (at, if at == 0 { 0 } else { flags::IN_TRANSACTION });
    let dkey = dkey.as_bytes().to_vec();
    let request = ObjFetchRequest { header: head, dkey, iods: vec![iod(0)], data: DataPath::Inline, rooms: vec![64] };
    let reply = world.send(1 + index as usize, Opcode::ObjFetch as u16, wire::encode(&request).unwrap(), &[])?;
    let size = wire::decode::<ObjFetchReply>(reply.body())?.iods[0].size as usize;
    Ok(String::from_utf8_lossy(&reply.payload()[..size]).into_owned())
}

fn container(world: &World, pool_handle: Uuid) -> Uuid {
    world.open_cont(pool_handle, "box", flags::OPEN_RO).unwrap().1.cont
}

/// Aim: a transaction on one target takes effect whole, is refused when what it read has changed, and a resend, also
/// after a restart of the engine, gets the first answer.
#[test]
fn on_one_target() {
    let (mut world, _, handle) = World::ready_to_write(0, |_| None);
    put(&world, handle, 0, "x", "1").unwrap();
    let read = epoch(&world, handle, 0);
    assert_eq!(get(&world, handle, 0, "x", read).unwrap(), "1");
    let tx = Uuid::new_v4();
    let parts = vec![part(handle, 0, &["x", "y"], &[("x", "2"), ("y", "3"), ("y", "4")])];
    let done = commit(&world, handle, tx, read, parts.clone()).unwrap();
    assert!(done > read);
    assert_eq!(
        (get(&world, handle, 0, "x", 0).unwrap(), get(&world, handle, 0, "y", 0).unwrap()),
        ("2".into(), "4".into())
    );
    assert_eq!(get(&world, handle, 0, "x", read).unwrap(), "1");
    assert_eq!(commit(&world, handle, tx, read, parts.clone()).unwrap(), done, "a resend");
    // Another transaction that read before it, and one that read what is not there and came to be.
    let late = vec![part(handle, 0, &["y"], &[("z", "5")])];
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), read, late)), Der::TX_RESTART);
    assert_eq!(get(&world, handle, 0, "z", 0).unwrap(), "");
    world.stop();
    world.start();
    let again = vec![part(handle, 0, &["x", "y"], &[("x", "2"), ("y", "3"), ("y", "4")])];
    assert_eq!(commit(&world, handle, tx, read, again).unwrap(), done, "a resend after a restart");
}

/// Aim: over two targets all or nothing; a conflict at either is the end of it, and leaves no key locked.
#[test]
fn on_two_targets() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let read = epoch(&world, handle, 0);
    let tx = Uuid::new_v4();
    let parts = |a: &str, b: &str| vec![part(handle, 0, &["a"], &[("a", a)]), part(handle, 1, &["b"], &[("b", b)])];
    let done = commit(&world, handle, tx, read, parts("1", "2")).unwrap();
    assert_eq!(
        (get(&world, handle, 0, "a", 0).unwrap(), get(&world, handle, 1, "b", 0).unwrap()),
        ("1".into(), "2".into())
    );
    assert_eq!(get(&world, handle, 1, "b", done - 1).unwrap(), "");
    assert_eq!(get(&world, handle, 1, "b", done).unwrap(), "2");
    assert_eq!(commit(&world, handle, tx, read, parts("1", "2")).unwrap(), done, "a resend");
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), read, parts("8", "9"))), Der::TX_RESTART);
    // A conflict at the participant alone.
    let read = epoch(&world, handle, 0);
    put(&world, handle, 1, "b", "3").unwrap();
    let aborted = Uuid::new_v4();
    assert_eq!(code(commit(&world, handle, aborted, read, parts("8", "9"))), Der::TX_RESTART);
    assert_eq!(
        (get(&world, handle, 0, "a", 0).unwrap(), get(&world, handle, 1, "b", 0).unwrap()),
        ("1".into(), "3".into())
    );
    let cont = container(&world, pool_handle);
    assert_eq!(ask_outcome(&world, 0, cont, aborted), TxOutcome::Aborted);
    assert_eq!(ask_outcome(&world, 0, cont, tx), TxOutcome::Committed(done));
    put(&world, handle, 0, "a", "4").unwrap();
    // Tried again at a new epoch it passes.
    let read = epoch(&world, handle, 1);
    commit(&world, handle, Uuid::new_v4(), read, parts("8", "9")).unwrap();
    assert_eq!(
        (get(&world, handle, 0, "a", 0).unwrap(), get(&world, handle, 1, "b", 0).unwrap()),
        ("8".into(), "9".into())
    );
}

/// Aim: while a part is prepared, writers and readers of its keys wait, readers before it do not, transactions are
/// refused; a leader that knows nothing means "aborted"; a late abort of an earlier try undoes no later one.
#[test]
fn prepared_parts_hold_their_keys() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let cont = container(&world, pool_handle);
    put(&world, handle, 1, "p", "old").unwrap();
    let before = epoch(&world, handle, 1);
    // Nobody leads this one: the participant asks, and hears that it is aborted. Until then the key is held.
    let tx = Uuid::new_v4();
    let wanted = part(handle, 1, &["q"], &[("p", "new")]);
    let prepared = prepare(&world, handle, tx, 0, (before, 10), &wanted).unwrap();
    assert!(prepared > before);
    assert_eq!(get(&world, handle, 1, "p", before).unwrap(), "old", "no wait before its epoch");
    assert_eq!(get(&world, handle, 1, "p", 0).unwrap(), "old", "after the wait");
    put(&world, handle, 1, "q", "1").unwrap();
    // What it read has changed now.
    assert_eq!(code(prepare(&world, handle, tx, 0, (before, 20), &wanted)), Der::TX_RESTART);
    // Led by the test, in the name of a target that isn't there: held until the word comes.
    let tx = Uuid::new_v4();
    let now = epoch(&world, handle, 1);
    let prepared = prepare(&world, handle, tx, 9, (now, 10), &wanted).unwrap();
    for (reads, writes) in [(vec!["p"], vec![("r", "1")]), (vec![], vec![("q", "1")]), (vec![], vec![("p", "1")])] {
        let other = vec![part(handle, 1, &reads, &writes)];
        let now = epoch(&world, handle, 1);
        assert_eq!(code(commit(&world, handle, Uuid::new_v4(), now, other)), Der::TX_RESTART);
    }
    commit(&world, handle, Uuid::new_v4(), now, vec![part(handle, 1, &["q"], &[("r", "1")])]).unwrap();
    // The word is of the try that it is of.
    prepare(&world, handle, tx, 9, (now, 20), &wanted).unwrap();
    tell(&world, 1, cont, tx, 10, TxOutcome::Aborted).unwrap();
    assert_eq!(code(prepare(&world, handle, tx, 9, (now, 15), &wanted)), Der::INPROGRESS);
    assert_eq!(code(prepare(&world, handle, tx, 0, (now, 30), &wanted)), Der::INPROGRESS, "another leader");
    let committed = prepared + 5;
    tell(&world, 1, cont, tx, 20, TxOutcome::Committed(committed)).unwrap();
    assert_eq!(get(&world, handle, 1, "p", 0).unwrap(), "new");
    assert_eq!(get(&world, handle, 1, "p", committed - 1).unwrap(), "old");
    assert!(put(&world, handle, 1, "p", "newer").unwrap() > committed);
    // A word that comes twice, and a prepare that comes after it: nothing is done twice, and no key stays held.
    tell(&world, 1, cont, tx, 20, TxOutcome::Committed(committed)).unwrap();
    prepare(&world, handle, tx, 9, (0, 20), &part(handle, 1, &[], &[("p", "new")])).unwrap();
    tell(&world, 1, cont, tx, 20, TxOutcome::Committed(committed)).unwrap();
    assert_eq!(get(&world, handle, 1, "p", 0).unwrap(), "newer");
}

/// Aim: a participant that was restarted holds its promise: committed by its leader, which died before it told, and
/// aborted by one that died before it decided.
#[test]
fn promises_survive_restarts() {
    let (mut world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let cont = container(&world, pool_handle);
    for dkey in ["kept", "lost"] {
        put(&world, handle, 1, dkey, "old").unwrap();
    }
    let (kept, lost) = (Uuid::new_v4(), Uuid::new_v4());
    let epoch = epoch(&world, handle, 0);
    world.stop();
    let open = |index: u32| {
        let path = Storage::target_path(&world.dir.path().join("scm").join(POOL.to_string()), index);
        VosPool::open(&path, Durability::Process).unwrap()
    };
    {
        // What the participant kept, and what the leader did before it died: decided one, told nobody.
        let (leader, participant) = (open(0), open(1));
        let prepared = participant.container(cont, false).unwrap();
        for (tx, dkey) in [(kept, "kept"), (lost, "lost")] {
            let part = part(handle, 1, &[], &[(dkey, "new")]);
            prepared.prepare(tx, epoch, &wire::encode(&(target(0), &part)).unwrap(), &part.writes).unwrap();
        }
        let own = part(handle, 0, &[], &[("own", "mine")]);
        let others = wire::encode(&vec![target(1)]).unwrap();
        leader.container(cont, true).unwrap().decide(kept, epoch, &others, &own.writes).unwrap();
    }
    world.start();
    assert_eq!(get(&world, handle, 1, "kept", 0).unwrap(), "new");
    assert_eq!(get(&world, handle, 1, "lost", 0).unwrap(), "old");
    assert_eq!(get(&world, handle, 0, "own", 0).unwrap(), "mine");
    put(&world, handle, 1, "lost", "newer").unwrap();
    assert_eq!(get(&world, handle, 1, "kept", epoch).unwrap(), "new");
    assert_eq!(ask_outcome(&world, 0, cont, kept), TxOutcome::Committed(epoch));
    assert_eq!(ask_outcome(&world, 0, cont, lost), TxOutcome::Aborted);
}

/// Aim: a read moves the clock past its epoch, one from too far ahead is refused, and a transaction whose epoch was
/// aggregated away is restarted, at its next read and at its commit.
#[test]
fn epochs_of_reads() {
    let (mut world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let cont = container(&world, pool_handle);
    put(&world, handle, 0, "k", "1").unwrap();
    let read = epoch(&world, handle, 0);
    let second = 1_000_000_000 * hlc::UNITS_PER_NS;
    let ahead = read + second / 2;
    assert_eq!(get(&world, handle, 0, "k", ahead).unwrap(), "1");
    assert!(put(&world, handle, 0, "k", "2").unwrap() > ahead);
    assert_eq!(get(&world, handle, 0, "k", ahead).unwrap(), "1", "as before");
    assert_eq!(code(get(&world, handle, 0, "k", read + 100 * second)), Der::HLC_SYNC);
    world.stop();
    {
        let path = Storage::target_path(&world.dir.path().join("scm").join(POOL.to_string()), 0);
        let vos = VosPool::open(&path, Durability::Process).unwrap();
        let mut pass = Aggregation::new(0..=read + 1);
        while !vos.container(cont, false).unwrap().aggregate(&mut pass, 100).unwrap() {}
    }
    world.start();
    assert_eq!(code(get(&world, handle, 0, "k", read)), Der::TX_RESTART);
    let late = vec![part(handle, 0, &["k"], &[("l", "1")])];
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), read, late)), Der::TX_RESTART);
}

/// Aim: requests that make no sense are refused whole: parts for other targets, twice the same, none, bad keys, data of
/// another length, reads without an epoch, without the right to write.
#[test]
fn nonsense_is_refused() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let good = part(handle, 0, &[], &[("k", "v")]);
    let elsewhere = TxPart { target: TxTarget { rank: Rank(7), target: 0 }, ..good.clone() };
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), 0, vec![elsewhere])), Der::BAD_TARGET);
    let twice = vec![good.clone(), good.clone()];
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), 0, twice)), Der::INVAL);
    let body = wire::encode(&TxCommitRequest { header: tx_header(handle, Uuid::new_v4(), 0) }).unwrap();
    for (payload, wanted) in [(wire::encode(&Vec::<TxPart>::new()).unwrap(), Der::INVAL), (vec![9; 3], Der::PROTO)] {
        assert_eq!(code(world.send(1, Opcode::TxCommit as u16, body.clone(), &[&payload])), wanted);
    }
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), 0, vec![part(handle, 0, &[], &[("", "v")])])), Der::INVAL);
    let mut long = good.clone();
    if let TxWrite::Update { data, .. } = &mut long.writes[0] {
        data.push(1);
    }
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), 0, vec![long])), Der::INVAL);
    let blind = part(handle, 0, &["k"], &[("k", "v")]);
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), 0, vec![blind.clone()])), Der::INVAL);
    // From an epoch that this clock never gave, nor heard of.
    let ahead = epoch(&world, handle, 0) + 500_000_000 * 16;
    assert_eq!(code(commit(&world, handle, Uuid::new_v4(), ahead, vec![blind])), Der::TX_RESTART);
    let (reader, _) = world.open_cont(pool_handle, "box", flags::OPEN_RO).unwrap();
    assert_eq!(code(commit(&world, reader, Uuid::new_v4(), 0, vec![good.clone()])), Der::NO_PERM);
    assert_eq!(code(commit(&world, Uuid::new_v4(), Uuid::new_v4(), 0, vec![good])), Der::NO_HDL);
    assert_eq!(get(&world, handle, 0, "k", 0).unwrap(), "");
}
