//! Snapshots, aggregation and going back, through the whole engine: against a model with restarts, under load, and how
//! much space comes back.

use super::world::{POOL, TARGETS, World, code, header};
use daos_common::wire::history::{
    ContAggregateRequest, ContProgressReply, ContRollbackRequest, ContSnapWaitReply, ContSnapWaitRequest,
};
use daos_common::wire::mgmt::{DebugAction, DebugReply, DebugRequest};
use daos_common::wire::object::{
    DataPath, ObjFetchReply, ObjFetchRequest, ObjPunchRequest, ObjUpdateReply, ObjUpdateRequest,
};
use daos_common::wire::pool::{
    Comparison, ContHandleRequest, ContSnapCreateRequest, ContSnapDestroyReply, ContSnapDestroyRequest,
    ContSnapListReply, ContSnapReply, FilterKey, FilterPart, PoolFilterContReply, PoolFilterContRequest,
    PoolHandleRequest, PoolQueryReply, PoolQueryRequest,
};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Epoch, Error, Iod, IodKind, Recx, Result, flags};
use daos_fabric::Access;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

fn env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn single(size: u64) -> Iod {
    Iod { akey: b"v".to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

fn extent(idx: u64, nr: u64) -> Iod {
    Iod { akey: b"a".to_vec(), kind: IodKind::Array, size: 1, recxs: vec![Recx { idx, nr }], flags: 0 }
}

/// Asks again while the container is being rolled back or a service steps down, as the client does.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T> {
    for _ in 0..2000 {
        match attempt() {
            Err(error) if matches!(error.code(), Der::INPROGRESS | Der::NOTLEADER) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
    attempt()
}

struct Client<'a> {
    world: &'a World,
    handle: Uuid,
}

impl Client<'_> {
    /// The target that stands for an object in these tests.
    fn context(object: u64) -> usize {
        1 + (object % u64::from(TARGETS)) as usize
    }

    fn put(&self, object: u64, dkey: &str, iod: Iod, bytes: &[u8]) -> Result<Epoch> {
        let (operation, dkey) = (Uuid::new_v4(), dkey.as_bytes().to_vec());
        let (header, data) = (header(self.handle, object), DataPath::Inline);
        let body = wire::encode(&ObjUpdateRequest { header, operation, dkey, iods: vec![iod], data }).unwrap();
        let send = || self.world.send(Self::context(object), Opcode::ObjUpdate as u16, body.clone(), &[bytes]);
        Ok(wire::decode::<ObjUpdateReply>(patiently(send)?.body())?.epoch)
    }

    fn punch(&self, object: u64, dkeys: &[&str]) -> Result<()> {
        let dkeys = dkeys.iter().map(|dkey| dkey.as_bytes().to_vec()).collect();
        let (header, operation) = (header(self.handle, object), Uuid::new_v4());
        let request = ObjPunchRequest { header, operation, dkeys, akeys: Vec::new() };
        patiently(|| self.world.ask::<_, ObjUpdateReply>(Self::context(object), Opcode::ObjPunch, &request)).map(drop)
    }

    fn get(&self, object: u64, epoch: Epoch, dkey: &str, iod: Iod, room: u64) -> Result<(ObjFetchReply, Vec<u8>)> {
        let mut head = header(self.handle, object);
        head.epoch = epoch;
        let (dkey, iods) = (dkey.as_bytes().to_vec(), vec![iod]);
        let request = ObjFetchRequest { header: head, dkey, iods, data: DataPath::Inline, rooms: vec![room] };
        let body = wire::encode(&request).unwrap();
        let reply = patiently(|| self.world.send(Self::context(object), Opcode::ObjFetch as u16, body.clone(), &[]))?;
        Ok((wire::decode(reply.body())?, reply.payload().to_vec()))
    }

    fn service<Q: serde::Serialize, R: serde::de::DeserializeOwned>(&self, opcode: Opcode, request: &Q) -> Result<R> {
        patiently(|| self.world.ask(0, opcode, request))
    }

    fn snapshot(&self, name: &str) -> Result<Epoch> {
        let (cont_handle, operation) = (self.handle, Uuid::new_v4());
        let request = ContSnapCreateRequest { pool: POOL, cont_handle, operation, name: name.into() };
        Ok(self.service::<_, ContSnapReply>(Opcode::ContSnapCreate, &request)?.epoch)
    }

    fn snapshots(&self) -> Vec<Epoch> {
        let request = ContHandleRequest { pool: POOL, cont_handle: self.handle };
        let list: ContSnapListReply = self.service(Opcode::ContSnapList, &request).unwrap();
        list.snapshots.into_iter().map(|snapshot| snapshot.epoch).collect()
    }

    fn destroy(&self, low: Epoch, high: Epoch) -> Result<()> {
        let request = ContSnapDestroyRequest { pool: POOL, cont_handle: self.handle, low, high };
        self.service::<_, ContSnapDestroyReply>(Opcode::ContSnapDestroy, &request).map(drop)
    }

    fn aggregate(&self, epoch: Epoch) -> Result<()> {
        let mut request = ContAggregateRequest { pool: POOL, cont_handle: self.handle, epoch };
        loop {
            let reply: ContProgressReply = self.service(Opcode::ContAggregate, &request)?;
            if reply.done {
                return Ok(());
            }
            request.epoch = reply.epoch;
        }
    }

    fn rollback(&self, epoch: Epoch) -> Result<()> {
        let request = ContRollbackRequest { pool: POOL, cont_handle: self.handle, epoch };
        while !self.service::<_, ContProgressReply>(Opcode::ContRollback, &request)?.done {}
        Ok(())
    }

    fn free(&self, pool_handle: Uuid) -> u64 {
        let request = PoolQueryRequest { pool: POOL, handle: pool_handle, space: true, props: Vec::new() };
        self.service::<_, PoolQueryReply>(Opcode::PoolQuery, &request).unwrap().space.unwrap().sum[0].free
    }
}

const LENGTH: u64 = 3000;

/// What is stored: by object and dkey, a value and an array.
type Contents = BTreeMap<(u64, u8), (Vec<u8>, BTreeMap<u64, u8>)>;

fn change(client: &Client<'_>, rng: &mut StdRng, head: &mut Contents) {
    let key = (rng.random_range(1..5), rng.random_range(0..4u8));
    let (dkey, fill) = (format!("d{}", key.1), rng.random_range(1..=255u8));
    match rng.random_range(0..10) {
        0..4 => {
            let value = vec![fill; rng.random_range(1..500)];
            client.put(key.0, &dkey, single(value.len() as u64), &value).unwrap();
            head.entry(key).or_default().0 = value;
        }
        4..8 => {
            let at = rng.random_range(0..LENGTH);
            let nr = rng.random_range(1..=LENGTH - at);
            client.put(key.0, &dkey, extent(at, nr), &vec![fill; nr as usize]).unwrap();
            head.entry(key).or_default().1.extend((at..at + nr).map(|at| (at, fill)));
        }
        8 => {
            client.punch(key.0, &[&dkey]).unwrap();
            head.remove(&key);
        }
        _ => {
            client.punch(key.0, &[]).unwrap();
            head.retain(|(object, _), _| *object != key.0);
        }
    }
}

fn check(client: &Client<'_>, epoch: Epoch, expected: &Contents) {
    let none = Default::default();
    for key in (1..5).flat_map(|object| (0..4).map(move |dkey| (object, dkey))) {
        let (value, array) = expected.get(&key).unwrap_or(&none);
        let dkey = format!("d{}", key.1);
        let (reply, bytes) = client.get(key.0, epoch, &dkey, single(0), 500).unwrap();
        assert_eq!(reply.iods[0].size, value.len() as u64, "{key:?} at {epoch}: size");
        assert!(bytes[..value.len().min(bytes.len())] == value[..], "{key:?} at {epoch}: value");
        let (reply, bytes) = client.get(key.0, epoch, &dkey, extent(0, LENGTH), LENGTH).unwrap();
        let present: u64 = reply.iods[0].present.iter().map(|recx| recx.nr).sum();
        assert_eq!(present, array.len() as u64, "{key:?} at {epoch}: records");
        let wrong = array.iter().find(|(at, byte)| bytes.get(**at as usize) != Some(byte));
        assert!(wrong.is_none(), "{key:?} at {epoch}: {wrong:?}");
    }
}

/// Aim: whatever is overwritten, aggregated in the background and on demand, rolled back and restarted in between, HEAD
/// and every snapshot read as a plain copy of then says.
#[test]
fn model() {
    let seed = env("DAOS_SEED", rand::random());
    println!("DAOS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::empty(|_| None);
    world.aggregation_gap = Duration::ZERO;
    world.start();
    let (_, handle) = world.make_writable(0);
    let (mut head, mut kept) = (Contents::new(), BTreeMap::<Epoch, Contents>::new());
    for step in 0..env("DAOS_STEPS", 400) {
        let client = Client { world: &world, handle };
        match rng.random_range(0..100) {
            0..80 => change(&client, &mut rng, &mut head),
            80..85 => {
                let epoch = client.snapshot("").unwrap();
                assert!(kept.keys().all(|older| *older < epoch));
                kept.insert(epoch, head.clone());
            }
            85..88 if !kept.is_empty() => {
                let epoch = *kept.keys().nth(rng.random_range(0..kept.len())).unwrap();
                client.destroy(epoch, epoch).unwrap();
                kept.remove(&epoch);
            }
            88..93 => client.aggregate(0).unwrap(),
            93..96 if !kept.is_empty() => {
                let (epoch, contents) = kept.iter().nth(rng.random_range(0..kept.len())).unwrap();
                let epoch = *epoch;
                client.rollback(epoch).unwrap();
                head = contents.clone();
                kept.retain(|other, _| *other <= epoch);
            }
            96 => {
                world.stop();
                world.start();
            }
            _ => {
                check(&client, 0, &head);
                kept.iter().for_each(|(epoch, contents)| check(&client, *epoch, contents));
                assert_eq!(client.snapshots(), kept.keys().copied().collect::<Vec<_>>(), "step {step}");
            }
        }
    }
    let client = Client { world: &world, handle };
    check(&client, 0, &head);
    kept.iter().for_each(|(epoch, contents)| check(&client, *epoch, contents));
}

/// Aim: a value and large extents that are overwritten many times the size of the arena never run out of space, while what
/// a snapshot holds stays. The value is small: it needs its space in one piece, and nothing is moved to make room.
/// `DAOS_OVERWRITES` says how many times.
#[test]
fn overwriting_for_ever() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let client = Client { world: &world, handle };
    client.put(1, "kept", single(5), b"early").unwrap();
    let epoch = client.snapshot("").unwrap();
    client.put(1, "kept", single(4), b"late").unwrap();
    let arena = (64 << 20) / u64::from(TARGETS);
    let (piece, endpoint) = (2u64 << 20, world.runtime.endpoint());
    let seed = env("DAOS_SEED", rand::random());
    println!("DAOS_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bytes = vec![0u8; piece as usize];
    for round in 0..arena * env("DAOS_OVERWRITES", 100) / piece {
        let iod = match round % 3 {
            0 => single(64 << 10),
            1 => extent(0, piece),
            _ => extent(rng.random_range(0..piece), piece),
        };
        bytes[..8].copy_from_slice(&round.to_le_bytes());
        // SAFETY: `bytes` outlives the exposure, which ends before it is written again.
        let exposed = unsafe { endpoint.expose(&[(bytes.as_mut_ptr(), bytes.len())], Access::RemoteRead) }.unwrap();
        let data = DataPath::Bulk(exposed.descriptors());
        let (header, operation, dkey) = (header(handle, 1), Uuid::new_v4(), b"d".to_vec());
        let request = ObjUpdateRequest { header, operation, dkey, iods: vec![iod], data };
        let outcome: Result<ObjUpdateReply> = world.ask(Client::context(1), Opcode::ObjUpdate, &request);
        outcome.unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    let read = |epoch| client.get(1, epoch, "kept", single(0), 8).unwrap().1[..4].to_vec();
    assert_eq!((read(epoch), read(0)), (b"earl".to_vec(), b"late".to_vec()));
}

/// Aim: aggregation gives space back, up to the snapshots; in the background only where the pool's property lets it, and
/// after the gap.
#[test]
fn space_comes_back() {
    let mut world = World::empty(|_| None);
    world.aggregation_gap = Duration::ZERO;
    world.start();
    let (pool_handle, handle) = world.make_writable(0);
    let client = Client { world: &world, handle };
    let value = vec![7u8; 10_000];
    let fill = |count| {
        for _ in 0..count {
            client.put(1, "d", single(10_000), &value).unwrap();
        }
    };
    fill(1);
    let base = client.free(pool_handle);
    fill(50);
    client.aggregate(0).unwrap();
    assert!(client.free(pool_handle) + 20_000 > base, "50 old versions are gone");
    let mut snapshots = Vec::new();
    for number in 0..10 {
        fill(20);
        snapshots.push(client.snapshot(&format!("s{number}")).unwrap());
    }
    client.aggregate(0).unwrap();
    let used = base - client.free(pool_handle);
    assert!((90_000..120_000).contains(&used), "{used} bytes for 9 or 10 more versions");
    client.destroy(0, snapshots[4]).unwrap();
    client.aggregate(0).unwrap();
    let used = base - client.free(pool_handle);
    assert!((40_000..70_000).contains(&used), "{used} bytes for 4 or 5 more versions");
    fill(50);
    let waited = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        base - client.free(pool_handle) < 70_000
    });
    assert!(waited, "the background does it too");
    assert_eq!(code(client.aggregate(u64::MAX)), Der::INVAL);
}

/// Aim: a snapshot holds all that was acknowledged before it and nothing begun after it, while others write; and it never
/// changes.
#[test]
fn snapshots_under_load() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (uris, began) = (world.uris.clone(), std::sync::atomic::AtomicU64::new(0));
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        let (stop, began) = (&stop, &began);
        scope.spawn(move || {
            // A client of its own: counts up, the same number on both targets one after the other.
            let endpoint = daos_fabric::Endpoint::open(&super::world::fabric()).unwrap();
            let runtime = daos_fabric::Runtime::new(endpoint).unwrap();
            for number in 1u64.. {
                if stop.load(order) {
                    break;
                }
                for context in [1, 2] {
                    let (header, operation) = (header(handle, 2 + context as u64), Uuid::new_v4());
                    let (dkey, iods) = (b"n".to_vec(), vec![single(8)]);
                    let request = ObjUpdateRequest { header, operation, dkey, iods, data: DataPath::Inline };
                    let (body, payload) = (wire::encode(&request).unwrap(), number.to_le_bytes());
                    let peer = runtime.endpoint().peer(&uris[context]).unwrap();
                    let timeout = Duration::from_secs(20);
                    let opcode = Opcode::ObjUpdate as u16;
                    let request = daos_fabric::Request { opcode, body, payload: &[&payload], timeout };
                    runtime.block_on(runtime.endpoint().call(&peer, request)).unwrap();
                }
                began.store(number, order);
            }
        });
        let client = Client { world: &world, handle };
        let read = |epoch, context: usize| {
            let mut head = header(handle, 2 + context as u64);
            head.epoch = epoch;
            let (dkey, iods) = (b"n".to_vec(), vec![single(0)]);
            let request = ObjFetchRequest { header: head, dkey, iods, data: DataPath::Inline, rooms: vec![8] };
            let reply = world.send(context, Opcode::ObjFetch as u16, wire::encode(&request).unwrap(), &[]).unwrap();
            let bytes: [u8; 8] = reply.payload().try_into().unwrap_or_default();
            u64::from_le_bytes(bytes)
        };
        let mut seen = Vec::new();
        for _ in 0..20 {
            let before = began.load(order);
            let epoch = client.snapshot("").unwrap();
            let after = began.load(order) + 1;
            let pair = (read(epoch, 1), read(epoch, 2));
            assert!(pair.0 >= before && pair.1 >= before, "{pair:?}: {before} was acknowledged before");
            assert!(pair.0 <= after && pair.1 <= after, "{pair:?}: {after} began before at the latest");
            assert!(pair.0 == pair.1 || pair.0 == pair.1 + 1, "{pair:?}: the second is written after the first");
            seen.push((epoch, pair));
            client.aggregate(0).unwrap();
        }
        stop.store(true, order);
        for (epoch, pair) in seen {
            assert_eq!((read(epoch, 1), read(epoch, 2)), pair);
        }
        assert!(client.free(pool_handle) > 0);
    });
}

/// Aim: going back needs the container alone and a snapshot; it ends later snapshots; a kill in the middle is taken up;
/// nobody opens it or sees a half.
#[test]
fn going_back() {
    let mut world = World::empty(|_| None);
    world.start_program();
    let (pool_handle, handle) = world.make_writable(0);
    let client = Client { world: &world, handle };
    for number in 0..300u64 {
        client.put(1 + number % 2, &format!("old{number}"), single(8), &number.to_le_bytes()).unwrap();
    }
    let first = client.snapshot("first").unwrap();
    for number in 0..3000u64 {
        client.put(1 + number % 2, &format!("new{number}"), single(8), &number.to_le_bytes()).unwrap();
    }
    let second = client.snapshot("second").unwrap();
    assert_eq!(code(client.rollback(first + 1)), Der::NONEXIST);
    let (other, _) = world.open_cont(pool_handle, "box", flags::OPEN_RO).unwrap();
    assert_eq!(code(client.rollback(first)), Der::BUSY);
    let close = ContHandleRequest { pool: POOL, cont_handle: other };
    assert_eq!(code(Client { world: &world, handle: other }.rollback(first)), Der::NO_PERM);
    world.ask::<_, ()>(0, Opcode::ContClose, &close).unwrap();
    // Begun, and killed in the middle.
    let killer = world.kill_after(Duration::from_millis(30));
    let request = ContRollbackRequest { pool: POOL, cont_handle: handle, epoch: first };
    let begun: Result<ContProgressReply> = world.ask(0, Opcode::ContRollback, &request);
    println!("killed: {begun:?}");
    killer.join().unwrap();
    world.start_program();
    let client = Client { world: &world, handle };
    client.rollback(first).unwrap();
    assert_eq!(client.snapshots(), [first]);
    assert_ne!(first, second);
    for number in (0..300u64).step_by(7) {
        let found = client.get(1 + number % 2, 0, &format!("old{number}"), single(0), 8).unwrap();
        assert_eq!(found.1, number.to_le_bytes());
    }
    for number in (0..3000u64).step_by(17) {
        let found = client.get(1 + number % 2, 0, &format!("new{number}"), single(0), 8).unwrap();
        assert_eq!(found.0.iods[0].size, 0, "new{number} is gone");
    }
    client.put(1, "again", single(1), b"x").unwrap();
    world.open_cont(pool_handle, "box", flags::OPEN_RO).unwrap();
    world.stop();
}

/// Aim: waiting for a snapshot gives the first at or after an epoch, and none when there is none.
#[test]
fn waiting_for_a_snapshot() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let client = Client { world: &world, handle };
    let wait = |epoch| {
        let request = ContSnapWaitRequest { pool: POOL, cont_handle: handle, epoch };
        client.service::<_, ContSnapWaitReply>(Opcode::ContSnapWait, &request).unwrap().epoch
    };
    assert_eq!(wait(0), None);
    let (first, second) = (client.snapshot("").unwrap(), client.snapshot("").unwrap());
    assert_eq!(
        [wait(0), wait(first), wait(first + 1), wait(second + 1)],
        [Some(first), Some(first), Some(second), None]
    );
}

/// Aim: every comparison of every key, all and any of several conditions; the state that comes along is right.
#[test]
fn filtered_containers() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let client = Client { world: &world, handle };
    client.snapshot("one").unwrap();
    let newest = client.snapshot("two").unwrap();
    world.create_cont(pool_handle, "idle").unwrap();
    let ask = |parts: &[FilterPart], any| {
        let request = PoolFilterContRequest { pool: POOL, handle: pool_handle, parts: parts.to_vec(), any };
        client.service::<_, PoolFilterContReply>(Opcode::PoolFilterCont, &request)
    };
    let part = |key, comparison, value| FilterPart { key, comparison, value };
    let labels = |parts: &[FilterPart], any| {
        let found = ask(parts, any).unwrap().containers;
        found.into_iter().map(|info| info.id.label).collect::<Vec<_>>()
    };
    use Comparison::*;
    use FilterKey::*;
    let all = ask(&[], false).unwrap().containers;
    let info = all.iter().find(|info| info.id.label == "box").unwrap();
    assert_eq!((info.handles, info.snapshots, info.newest_snapshot), (1, 2, newest));
    let idle = all.iter().find(|info| info.id.label == "idle").unwrap();
    assert_eq!((idle.handles, idle.snapshots, idle.newest_snapshot, idle.open_time), (0, 0, 0, 0));
    for (key, of_box, of_idle) in [
        (Handles, 1, 0),
        (Snapshots, 2, 0),
        (OpenTime, info.open_time, idle.open_time),
        (ModifyTime, info.modify_time, idle.modify_time),
    ] {
        for comparison in [Equal, Unequal, Less, LessOrEqual, Greater, GreaterOrEqual] {
            let mut expected = Vec::new();
            let met = |value| match comparison {
                Equal => value == of_box,
                Unequal => value != of_box,
                Less => value < of_box,
                LessOrEqual => value <= of_box,
                Greater => value > of_box,
                GreaterOrEqual => value >= of_box,
            };
            expected.extend(met(of_box).then_some("box"));
            expected.extend(met(of_idle).then_some("idle"));
            assert_eq!(labels(&[part(key, comparison, of_box)], false), expected, "{key:?} {comparison:?}");
        }
    }
    let two = [part(Handles, Equal, 1), part(Snapshots, Equal, 0)];
    assert_eq!((labels(&two, false), labels(&two, true)), (vec![], vec!["box".to_owned(), "idle".to_owned()]));
    assert_eq!(code(ask(&[two[0]; 9], false)), Der::INVAL);
}

/// Aim: a service that steps down takes over again with all that it knew, and open handles go on.
#[test]
fn stepping_down() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let client = Client { world: &world, handle };
    let epoch = client.snapshot("kept").unwrap();
    let stop = |handle| world.ask::<_, ()>(0, Opcode::PoolStopService, &PoolHandleRequest { pool: POOL, handle });
    assert_eq!(code(stop(Uuid::new_v4())), Der::NO_HDL);
    stop(pool_handle).unwrap();
    assert_eq!(client.snapshots(), [epoch]);
    client.put(1, "d", single(1), b"x").unwrap();
    stop(pool_handle).unwrap();
    let second = client.snapshot("more").unwrap();
    assert_eq!(client.snapshots(), [epoch, second]);
}

/// Aim: the device that an engine has is known by the UUID in its superblock, another isn't; faults are refused by an
/// engine that was not started for them, and marks that are too long.
#[test]
fn debug_requests() {
    let world = World::with_nvme(super::data::write_nvme);
    let ask = |action| {
        let request = DebugRequest { action, all: true };
        world.ask::<_, DebugReply>(0, Opcode::Debug, &request).map(|reply| reply.device_state)
    };
    let block = std::fs::read(world.dir.path().join("bdev")).unwrap();
    let uuid = Uuid::from_slice(&block[16..32]).unwrap();
    assert_eq!(ask(DebugAction::Device(uuid)).unwrap(), Some(0));
    assert_eq!(ask(DebugAction::Device(Uuid::new_v4())).unwrap(), None);
    assert_eq!(ask(DebugAction::Mark("here".into())).unwrap(), None);
    assert_eq!(code(ask(DebugAction::Mark("m".repeat(256)))), Der::INVAL);
    assert_eq!(code(ask(DebugAction::Parameter { key: 0, value: 1, extra: 0 })), Der::NO_PERM);
}

/// Aim: an engine started for it fails as often as it is told to.
#[test]
fn injected_faults() {
    let mut world = World::empty(|_| None);
    world.start_program_with("DAOS_FAULT_INJECTION", "1");
    let (_, handle) = world.make_writable(0);
    let client = Client { world: &world, handle };
    let set = |value, extra| {
        let request = DebugRequest { action: DebugAction::Parameter { key: 0, value, extra }, all: false };
        world.ask::<_, DebugReply>(0, Opcode::Debug, &request).unwrap();
    };
    let put = || client.put(1, "d", single(1), b"x").map(drop);
    set(0x100_0000 | 0x1_0004, 0);
    assert_eq!(code(put()), Der::NOSPACE);
    put().unwrap();
    set(0x200_0000 | 0x1_0003, 2);
    assert_eq!([code(put()), code(put())], [Der::IO; 2]);
    put().unwrap();
    set(0, 0);
    put().unwrap();
    world.stop();
}
