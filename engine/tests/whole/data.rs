//! Data: inline and by RMA, arena and data tier, holes, lists, punches, resends, restart.

use super::world::{POOL, World, code, header};
use daos_common::wire::object::{
    DataPath, ListKind, Listed, ObjFetchReply, ObjFetchRequest, ObjListReply, ObjListRequest, ObjPunchRequest,
    ObjQueryKeyReply, ObjQueryKeyRequest, ObjUpdateReply, ObjUpdateRequest,
};
use daos_common::wire::pool::ContHandleRequest;
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Iod, IodKind, Recx, Result, flags, hlc};
use daos_engine::storage::Storage;
use daos_fabric::Access;
use daos_vos::{Durability, VosPool};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::path::Path;
use uuid::Uuid;

fn array(akey: &str, recxs: &[(u64, u64)]) -> Iod {
    let recxs = recxs.iter().map(|&(idx, nr)| Recx { idx, nr }).collect();
    Iod { akey: akey.as_bytes().to_vec(), kind: IodKind::Array, size: 1, recxs, flags: 0 }
}

fn single(akey: &str, size: u64) -> Iod {
    Iod { akey: akey.as_bytes().to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

fn update_request(handle: Uuid, dkey: &str, iods: Vec<Iod>, data: DataPath) -> ObjUpdateRequest {
    let operation = Uuid::new_v4();
    ObjUpdateRequest { header: header(handle, 7), operation, dkey: dkey.as_bytes().to_vec(), iods, data }
}

fn update(world: &World, handle: Uuid, dkey: &str, iods: Vec<Iod>, bytes: &[u8]) -> Result<u64> {
    let request = update_request(handle, dkey, iods, DataPath::Inline);
    let body = wire::encode(&request).unwrap();
    let reply = world.send(1, Opcode::ObjUpdate as u16, body, &[bytes])?;
    Ok(wire::decode::<ObjUpdateReply>(reply.body())?.epoch)
}

fn fetch(world: &World, handle: Uuid, dkey: &str, iods: Vec<Iod>, rooms: Vec<u64>) -> Result<(ObjFetchReply, Vec<u8>)> {
    fetch_at(world, handle, 0, dkey, iods, rooms)
}

fn fetch_at(
    world: &World,
    handle: Uuid,
    epoch: u64,
    dkey: &str,
    iods: Vec<Iod>,
    rooms: Vec<u64>,
) -> Result<(ObjFetchReply, Vec<u8>)> {
    let mut head = header(handle, 7);
    head.epoch = epoch;
    let dkey = dkey.as_bytes().to_vec();
    let request = ObjFetchRequest { header: head, dkey, iods, data: DataPath::Inline, rooms };
    let reply = world.send(1, Opcode::ObjFetch as u16, wire::encode(&request).unwrap(), &[])?;
    Ok((wire::decode(reply.body())?, reply.payload().to_vec()))
}

fn update_rma(world: &World, handle: Uuid, dkey: &str, iods: Vec<Iod>, mut bytes: Vec<u8>) -> Result<u64> {
    let endpoint = world.runtime.endpoint();
    // Two regions, to see that they form one string of bytes.
    let half = bytes.len() / 3;
    let (first, second) = bytes.split_at_mut(half);
    let regions = [(first.as_mut_ptr(), first.len()), (second.as_mut_ptr(), second.len())];
    // SAFETY: `bytes` lives until the end of this function, and the regions are dropped before.
    let exposed = unsafe { endpoint.expose(&regions, Access::RemoteRead) }.unwrap();
    let request = update_request(handle, dkey, iods, DataPath::Bulk(exposed.descriptors()));
    let reply: ObjUpdateReply = world.ask(1, Opcode::ObjUpdate, &request)?;
    Ok(reply.epoch)
}

fn fetch_rma(
    world: &World,
    handle: Uuid,
    dkey: &str,
    iods: Vec<Iod>,
    rooms: Vec<u64>,
) -> Result<(ObjFetchReply, Vec<u8>)> {
    let endpoint = world.runtime.endpoint();
    let mut bytes = vec![0xEE; rooms.iter().sum::<u64>() as usize];
    // SAFETY: `bytes` outlives the exposure and isn't touched meanwhile.
    let exposed = unsafe { endpoint.expose(&[(bytes.as_mut_ptr(), bytes.len())], Access::RemoteWrite) }.unwrap();
    let data = DataPath::Bulk(exposed.descriptors());
    let dkey = dkey.as_bytes().to_vec();
    let request = ObjFetchRequest { header: header(handle, 7), dkey, iods, data, rooms };
    let reply = world.ask(1, Opcode::ObjFetch, &request)?;
    drop(exposed);
    Ok((reply, bytes))
}

fn random(bytes: usize) -> Vec<u8> {
    let seed = 20_261_124 + bytes as u64;
    println!("seed {seed}");
    let mut generator = StdRng::seed_from_u64(seed);
    (0..bytes).map(|_| generator.random()).collect()
}

/// Aim: small values go in and out by message; sizes, holes, rooms and REC2BIG are right; an old epoch shows old data.
#[test]
fn inline() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let first =
        update(&world, handle, "d", vec![single("s", 5), array("a", &[(10, 4), (20, 2)])], b"helloABCDxy").unwrap();
    let second = update(&world, handle, "d", vec![single("s", 3)], b"new").unwrap();
    assert!(second > first);
    let iods = vec![single("s", 0), array("a", &[(8, 8), (20, 2)]), single("none", 4)];
    let (reply, bytes) = fetch(&world, handle, "d", iods.clone(), vec![16, 10, 4]).unwrap();
    assert_eq!((reply.iods[0].size, reply.iods[0].data_bytes), (3, 3));
    assert_eq!(reply.iods[1].present, [Recx { idx: 10, nr: 4 }, Recx { idx: 20, nr: 2 }]);
    assert_eq!((reply.iods[1].size, reply.iods[2].size), (1, 0));
    assert_eq!(&bytes[..3], b"new");
    assert_eq!(&bytes[16..26], b"\0\0ABCD\0\0xy");
    let (_, bytes) = fetch_at(&world, handle, first, "d", vec![single("s", 0)], vec![16]).unwrap();
    assert_eq!(bytes, b"hello");
    let (reply, bytes) = fetch(&world, handle, "d", iods, Vec::new()).unwrap();
    assert_eq!((reply.iods[0].size, bytes.len()), (3, 0));
    assert_eq!(code(fetch(&world, handle, "d", vec![single("s", 0)], vec![2])), Der::REC2BIG);
    assert_eq!(code(update(&world, handle, "d", vec![single("s", 3)], b"four")), Der::INVAL);
    assert_eq!(code(update(&world, handle, "", vec![single("s", 1)], b"x")), Der::INVAL);
}

/// Aim: large values go by RMA, straight and gathered, with holes left untouched.
#[test]
fn by_rma() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let bytes = random(3 << 20);
    update_rma(&world, handle, "big", vec![array("a", &[(0, 3 << 20)])], bytes.clone()).unwrap();
    let (reply, got) = fetch_rma(&world, handle, "big", vec![array("a", &[(100, 1 << 20)])], vec![1 << 20]).unwrap();
    assert_eq!(reply.iods[0].data_bytes, 1 << 20);
    assert!(got == bytes[100..100 + (1 << 20)]);
    // Many small extents in one go.
    let extents: Vec<(u64, u64)> = (0..500).map(|index| (index * 100, 64)).collect();
    let bytes = random(500 * 64);
    update_rma(&world, handle, "many", vec![array("a", &extents)], bytes.clone()).unwrap();
    let (_, got) = fetch_rma(&world, handle, "many", vec![array("a", &extents)], vec![500 * 64]).unwrap();
    assert!(got == bytes);
    let (reply, got) = fetch_rma(&world, handle, "many", vec![array("a", &[(0, 20_000)])], vec![20_000]).unwrap();
    assert_eq!(&got[64..100], [0xEE; 36], "holes are left alone");
    assert_eq!(reply.iods[0].present.len(), 200);
    // Regions that are too small, and rooms beyond them.
    let request = update_request(handle, "big", vec![array("a", &[(0, 100)])], DataPath::Bulk(Vec::new()));
    assert_eq!(code(world.ask::<_, ObjUpdateReply>(1, Opcode::ObjUpdate, &request)), Der::INVAL);
}

pub(super) fn write_nvme(dir: &Path) -> Option<std::path::PathBuf> {
    let (device, conf) = (dir.join("bdev"), dir.join("daos_nvme.conf"));
    let device = serde_json::json!({"class": "file", "devices": [device], "bytes": 256u64 << 20, "roles": ["data"]});
    std::fs::write(&conf, serde_json::json!({ "tiers": [device] }).to_string()).unwrap();
    Some(conf)
}

/// Aim: values above the threshold go to the data tier and come back, by message and by RMA, also after a restart.
#[test]
fn data_tier() {
    let (mut world, _, handle) = World::ready_to_write(64 << 20, write_nvme);
    let (large, middle) = (random(9 << 20), random(10_000));
    update_rma(&world, handle, "blob", vec![array("a", &[(0, 9 << 20)])], large.clone()).unwrap();
    update(&world, handle, "mid", vec![single("s", 10_000)], &middle).unwrap();
    for round in 0..2 {
        let (_, got) = fetch_rma(&world, handle, "blob", vec![array("a", &[(5, 8 << 20)])], vec![8 << 20]).unwrap();
        assert!(got == large[5..5 + (8 << 20)], "round {round}");
        let (reply, got) = fetch(&world, handle, "mid", vec![single("s", 0)], vec![16_000]).unwrap();
        assert_eq!(reply.iods[0].size, 10_000);
        assert!(got == middle);
        if round == 0 {
            world.stop();
            world.start();
        }
    }
}

/// Aim: what was acknowledged is there after a restart, and handles are still open.
#[test]
fn restart() {
    let (mut world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    for number in 0..100u64 {
        let (dkey, value) = (format!("key {number}"), number.to_le_bytes());
        update(&world, handle, &dkey, vec![single("v", 8)], &value).unwrap();
    }
    world.stop();
    world.start();
    for number in 0..100u64 {
        let (_, bytes) = fetch(&world, handle, &format!("key {number}"), vec![single("v", 8)], vec![8]).unwrap();
        assert_eq!(bytes, number.to_le_bytes());
    }
    update(&world, handle, "after", vec![single("v", 1)], b"x").unwrap();
    let (second, _) = world.open_cont(pool_handle, "box", flags::OPEN_RO).unwrap();
    assert_eq!(code(update(&world, second, "ro", vec![single("v", 1)], b"x")), Der::NO_PERM);
}

/// Writes to the store of a stopped engine's first target, as an engine with the clock at `epoch` would have.
fn write_behind(world: &World, epoch: u64, dkey: &str, value: &[u8]) {
    let path = Storage::target_path(&world.dir.path().join("scm").join(POOL.to_string()), 0);
    let pool = VosPool::open(&path, Durability::Process).unwrap();
    let cont = pool.container(pool.containers().unwrap()[0], false).unwrap();
    let iods = [single("v", value.len() as u64)];
    let mut update = cont.reserve_update(header(Uuid::nil(), 7).oid, epoch, dkey.as_bytes(), 0, &iods).unwrap();
    let place = update.places()[0];
    update.bytes_mut(place).copy_from_slice(value);
    update.commit().unwrap();
}

/// Aim: when the host's clock is an hour behind what is stored, new versions are newer all the same, over restarts; the
/// engine takes back epochs that it gave, and still refuses ones from further ahead; a store of the end of time is refused.
#[test]
fn clock_set_back() {
    let (mut world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    let value = || vec![single("v", 3)];
    let now = update(&world, handle, "d", value(), b"one").unwrap();
    world.stop();
    let hour = 3600 * 1_000_000_000 * hlc::UNITS_PER_NS;
    write_behind(&world, now + hour, "d", b"two");
    let mut newest = now + hour;
    for text in [b"3rd", b"4th"] {
        world.start();
        let epoch = update(&world, handle, "d", value(), text).unwrap();
        assert!(epoch > newest && epoch < newest + hlc::MAX_OFFSET, "{epoch} after {newest}");
        assert_eq!(fetch(&world, handle, "d", value(), vec![3]).unwrap().1, text);
        assert_eq!(fetch_at(&world, handle, now + hour, "d", value(), vec![3]).unwrap().1, b"two");
        let mut request = update_request(handle, "e", value(), DataPath::Inline);
        let mut send = |epoch| {
            (request.operation, request.header.epoch) = (Uuid::new_v4(), epoch);
            let reply = world.send(1, Opcode::ObjUpdate as u16, wire::encode(&request).unwrap(), &[b"own"])?;
            wire::decode::<ObjUpdateReply>(reply.body())
        };
        assert_eq!(send(epoch).unwrap().epoch, epoch);
        assert_eq!(code(send(epoch + hlc::MAX_OFFSET)), Der::HLC_SYNC);
        let punch = ObjPunchRequest {
            header: header(handle, 7),
            operation: Uuid::new_v4(),
            dkeys: vec![b"e".to_vec()],
            akeys: Vec::new(),
        };
        newest = world.ask::<_, ObjUpdateReply>(1, Opcode::ObjPunch, &punch).unwrap().epoch;
        assert!(newest > epoch);
        assert_eq!(fetch(&world, handle, "e", value(), vec![3]).unwrap().0.iods[0].size, 0);
        world.stop();
    }
    write_behind(&world, u64::MAX - 1, "d", b"end");
    world.start();
    let error = update(&world, handle, "d", value(), b"new").unwrap_err();
    assert_eq!(error.code(), Der::DF_INVAL, "{error}");
    assert!(error.message().contains("vos-0"), "{error}");
    world.create_cont(pool_handle, "still").unwrap();
}

/// Aim: lists in pieces give every key once; key queries and punches at every level work.
#[test]
fn lists_and_punches() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let mut expected: Vec<Vec<u8>> = Vec::new();
    for number in 0..50 {
        let dkey = format!("dkey-{number:02}");
        update(&world, handle, &dkey, vec![single("a1", 1), array("a2", &[(3, 2)])], b"abc").unwrap();
        expected.push(dkey.into_bytes());
    }
    assert_eq!(list(&world, handle, ListKind::Dkeys, ""), expected);
    let akeys = list(&world, handle, ListKind::Akeys, "dkey-00");
    assert_eq!(akeys, [b"a1".to_vec(), b"a2".to_vec()]);
    let punch = |dkeys: &[&str], akeys: &[&str], flags: u64| {
        let mut head = header(handle, 7);
        head.flags = flags;
        let own = |keys: &[&str]| keys.iter().map(|key| key.as_bytes().to_vec()).collect();
        let request = ObjPunchRequest { header: head, operation: Uuid::new_v4(), dkeys: own(dkeys), akeys: own(akeys) };
        world.ask::<_, ObjUpdateReply>(1, Opcode::ObjPunch, &request)
    };
    punch(&["dkey-00"], &["a1"], 0).unwrap();
    assert_eq!(list(&world, handle, ListKind::Akeys, "dkey-00"), [b"a2".to_vec()]);
    punch(&["dkey-01", "dkey-02"], &[], 0).unwrap();
    assert_eq!(list(&world, handle, ListKind::Dkeys, "").len(), 48);
    assert_eq!(code(punch(&["never"], &[], flags::COND_PUNCH)), Der::NONEXIST);
    assert_eq!(code(punch(&["one", "two"], &["a"], 0)), Der::INVAL);
    punch(&[], &[], 0).unwrap();
    assert!(list(&world, handle, ListKind::Dkeys, "").is_empty());
    let query = ObjQueryKeyRequest { header: header(handle, 7), what: 1 << 9, dkey: Vec::new(), akey: Vec::new() };
    assert_eq!(code(world.ask::<_, ObjQueryKeyReply>(1, Opcode::ObjQueryKey, &query)), Der::INVAL);
}

fn list(world: &World, handle: Uuid, what: ListKind, dkey: &str) -> Vec<Vec<u8>> {
    let (mut keys, mut anchor) = (Vec::new(), Vec::new());
    loop {
        let request = ObjListRequest {
            header: header(handle, 7),
            what: what.clone(),
            dkey: dkey.as_bytes().to_vec(),
            anchor,
            limit: 7,
            room_bytes: 4096,
        };
        let reply: ObjListReply = world.ask(1, Opcode::ObjList, &request).unwrap();
        let Listed::Keys(found) = reply.entries else { panic!("not keys") };
        keys.extend(found);
        if reply.eof {
            keys.sort();
            return keys;
        }
        anchor = reply.anchor;
    }
}

/// Aim: a resent update is not applied twice; a conditional insert that is resent still succeeds; a true second fails.
#[test]
fn resends_and_conditions() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let mut request = update_request(handle, "c", vec![single("v", 1)], DataPath::Inline);
    request.header.flags = flags::COND_DKEY_INSERT;
    let send = |request: &ObjUpdateRequest, value: &[u8]| {
        let reply = world.send(1, Opcode::ObjUpdate as u16, wire::encode(request).unwrap(), &[value])?;
        wire::decode::<ObjUpdateReply>(reply.body())
    };
    let first = send(&request, b"1").unwrap();
    update(&world, handle, "c", vec![single("v", 1)], b"2").unwrap();
    assert_eq!(send(&request, b"1").unwrap(), first);
    assert_eq!(fetch(&world, handle, "c", vec![single("v", 1)], vec![1]).unwrap().1, b"2");
    request.operation = Uuid::new_v4();
    assert_eq!(code(send(&request, b"3")), Der::EXIST);
}

/// Aim: a closed handle is refused by targets that knew it; wrong map versions, classes and far clocks are too.
#[test]
fn refusals() {
    let (world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    update(&world, handle, "d", vec![single("v", 1)], b"1").unwrap();
    let mut request = update_request(handle, "d", vec![single("v", 1)], DataPath::Inline);
    let send = |request: &ObjUpdateRequest| {
        world.send(1, Opcode::ObjUpdate as u16, wire::encode(request).unwrap(), &[b"x"]).map(|_| ())
    };
    request.header.map_version = 0;
    assert_eq!(code(send(&request)), Der::STALE);
    request.header.map_version = 1;
    request.header.oid.oid.hi = (8 << 48) | (1 << 32);
    assert_eq!(code(send(&request)), Der::NOTSUPPORTED);
    request.header.oid.oid.hi = (1 << 48) | (1 << 32);
    request.header.epoch = u64::MAX - 1;
    assert_eq!(code(send(&request)), Der::HLC_SYNC);
    request.header.epoch = 0;
    request.header.pool = Uuid::new_v4();
    assert_eq!(code(send(&request)), Der::NONEXIST);
    let (other, _) = world.open_cont(pool_handle, "box", flags::OPEN_RO).unwrap();
    fetch(&world, other, "d", vec![single("v", 1)], vec![1]).unwrap();
    let close = ContHandleRequest { pool: super::world::POOL, cont_handle: handle };
    world.ask::<_, ()>(0, Opcode::ContClose, &close).unwrap();
    assert_eq!(code(update(&world, handle, "d", vec![single("v", 1)], b"1")), Der::NO_HDL);
    fetch(&world, other, "d", vec![single("v", 1)], vec![1]).unwrap();
}

/// Aim: figures of the engine alone, over loopback, from one client thread; `cargo test --release -- --ignored figures`.
#[test]
#[ignore = "a measurement; needs an idle machine and a release build"]
fn figures() {
    let (world, _, handle) = World::ready_to_write(0, |_| None);
    let (value, rounds) = (random(4096), 2000u32);
    let time = |name: &str, rounds: u32, bytes: u64, job: &mut dyn FnMut(u32)| {
        let began = std::time::Instant::now();
        (0..rounds).for_each(job);
        let each = began.elapsed() / rounds;
        println!("{name}: {each:?} each, {:.0} MB/s", bytes as f64 / each.as_secs_f64() / 1e6);
    };
    time("ping", rounds, 0, &mut |_| drop(world.send(1, Opcode::Ping as u16, Vec::new(), &[]).unwrap()));
    time("4 KiB update", rounds, 4096, &mut |round| {
        update(&world, handle, &format!("k{}", round % 500), vec![array("a", &[(0, 4096)])], &value).unwrap();
    });
    time("4 KiB fetch", rounds, 4096, &mut |round| {
        drop(fetch(&world, handle, &format!("k{}", round % 500), vec![array("a", &[(0, 4096)])], vec![4096]).unwrap());
    });
    let value = random(1 << 20);
    time("1 MiB update", 20, 1 << 20, &mut |_| {
        update_rma(&world, handle, "m", vec![array("a", &[(0, 1 << 20)])], value.clone()).unwrap();
    });
    time("1 MiB fetch", 100, 1 << 20, &mut |_| {
        drop(fetch_rma(&world, handle, "m", vec![array("a", &[(0, 1 << 20)])], vec![1 << 20]).unwrap());
    });
}
