//! Pools and containers: rights, exclusivity, labels, attributes, snapshots, object numbers, eviction, destruction.

use super::world::{POOL, World, code};
use daos_common::wire::Opcode;
use daos_common::wire::mgmt::{
    PoolFindReply, PoolFindRequest, PoolListReply, PoolListRequest, RankInfoReply, RankInfoRequest,
};
use daos_common::wire::pool::{
    AttrAction, AttrReply, AttrRequest, ContAllocOidsReply, ContAllocOidsRequest, ContDestroyRequest,
    ContHandleRequest, ContName, ContQueryReply, ContQueryRequest, ContSetPropRequest, ContSnapCreateRequest,
    ContSnapDestroyReply, ContSnapDestroyRequest, ContSnapListReply, ContSnapReply, PoolHandleRequest,
    PoolListContReply, PoolMapReply, PoolQueryReply, PoolQueryRequest, Prop, PropValue, SnapshotEntry,
};
use daos_common::{Der, Rank, flags};
use daos_proto::drpc::Method;
use daos_proto::mgmt;
use uuid::Uuid;

/// Aim: who may connect how, is the ACL's word; exclusive means alone; disconnect closes what hangs on a handle.
#[test]
fn connecting() {
    let world = World::new();
    world.create_pool(0);
    assert_eq!(code(world.connect("mallory@", flags::OPEN_RO)), Der::NO_PERM);
    assert_eq!(code(world.connect("bob@", flags::OPEN_RW)), Der::NO_PERM);
    assert_eq!(code(world.connect("alice@", 0)), Der::INVAL);
    let (bob, reply) = world.connect("bob@", flags::OPEN_RO).unwrap();
    assert_eq!((reply.map.targets.len(), reply.service_ranks), (2, vec![Rank(0)]));
    assert_eq!(code(world.connect("alice@", flags::OPEN_EX)), Der::BUSY);
    assert_eq!(code(world.create_cont(bob, "no")), Der::NO_PERM);
    world.ask::<_, ()>(0, Opcode::PoolDisconnect, &PoolHandleRequest { pool: POOL, handle: bob }).unwrap();
    let (alice, _) = world.connect("alice@", flags::OPEN_EX).unwrap();
    assert_eq!(code(world.connect("alice@", flags::OPEN_RO)), Der::BUSY);
    world.create_cont(alice, "box").unwrap();
    let (cont, _) = world.open_cont(alice, "box", flags::OPEN_RW).unwrap();
    for _ in 0..2 {
        world.ask::<_, ()>(0, Opcode::PoolDisconnect, &PoolHandleRequest { pool: POOL, handle: alice }).unwrap();
    }
    let query = ContQueryRequest { pool: POOL, cont_handle: cont };
    assert_eq!(code(world.ask::<_, ContQueryReply>(0, Opcode::ContQuery, &query)), Der::NO_HDL);
    let map = world.ask::<_, PoolMapReply>(0, Opcode::PoolMapFetch, &PoolHandleRequest { pool: POOL, handle: alice });
    assert_eq!(code(map), Der::NO_HDL);
}

/// Aim: the directory of pools and the rank's addresses are answered, wrong names refused.
#[test]
fn finding() {
    let world = World::new();
    world.create_pool(0);
    let find = |pool: &str| world.ask::<_, PoolFindReply>(0, Opcode::PoolFind, &PoolFindRequest { pool: pool.into() });
    assert_eq!(find("tank").unwrap().uuid, POOL);
    assert_eq!(find(&POOL.to_string()).unwrap().service_ranks, [Rank(0)]);
    assert_eq!(code(find("lake")), Der::NONEXIST);
    assert_eq!(code(find("")), Der::INVAL);
    let list: PoolListReply = world.ask(0, Opcode::PoolList, &PoolListRequest {}).unwrap();
    assert_eq!(list.pools[0].label, "tank");
    let wrong = RankInfoRequest { system: "other".into() };
    assert_eq!(code(world.ask::<_, RankInfoReply>(0, Opcode::RankInfo, &wrong)), Der::INVAL);
}

/// Aim: containers: labels are unique, opens obey rights and exclusivity, an open one is destroyed by force only.
#[test]
fn containers() {
    let world = World::new();
    world.create_pool(0);
    let (alice, _) = world.connect("alice@", flags::OPEN_RW).unwrap();
    let (bob, _) = world.connect("bob@", flags::OPEN_RO).unwrap();
    let cont = world.create_cont(alice, "box").unwrap();
    assert_eq!(code(world.create_cont(alice, "box")), Der::EXIST);
    assert_eq!(code(world.create_cont(alice, "not a label")), Der::INVAL);
    assert_eq!(code(world.open_cont(alice, "nobox", flags::OPEN_RW)), Der::NONEXIST);
    assert_eq!(code(world.open_cont(bob, "box", flags::OPEN_RO)), Der::NO_PERM);
    let (first, reply) = world.open_cont(alice, "box", flags::OPEN_RW).unwrap();
    assert_eq!((reply.cont, reply.label.as_str()), (cont, "box"));
    assert_eq!(code(world.open_cont(alice, "box", flags::OPEN_EX)), Der::BUSY);
    let set = |value: &str| ContSetPropRequest {
        pool: POOL,
        cont_handle: first,
        props: vec![Prop { number: 0x1001, value: PropValue::Text(value.into()) }],
    };
    world.create_cont(alice, "crate").unwrap();
    assert_eq!(code(world.ask::<_, ()>(0, Opcode::ContSetProp, &set("crate"))), Der::EXIST);
    world.ask::<_, ()>(0, Opcode::ContSetProp, &set("chest")).unwrap();
    let list: PoolListContReply =
        world.ask(0, Opcode::PoolListCont, &PoolHandleRequest { pool: POOL, handle: bob }).unwrap();
    let labels: Vec<&str> = list.containers.iter().map(|entry| entry.label.as_str()).collect();
    assert_eq!(labels, ["chest", "crate"]);
    let destroy = |handle, force| {
        let request = ContDestroyRequest { pool: POOL, handle, cont: ContName::Uuid(cont), force };
        world.ask::<_, ()>(0, Opcode::ContDestroy, &request)
    };
    assert_eq!(code(destroy(bob, false)), Der::NO_PERM);
    assert_eq!(code(destroy(alice, false)), Der::BUSY);
    destroy(alice, true).unwrap();
    assert_eq!(code(destroy(alice, true)), Der::NONEXIST);
    let query = ContQueryRequest { pool: POOL, cont_handle: first };
    assert_eq!(code(world.ask::<_, ContQueryReply>(0, Opcode::ContQuery, &query)), Der::NO_HDL);
    world.create_cont(alice, "chest").unwrap();
}

/// Aim: attributes, object numbers and snapshots keep what they are given, also over a restart.
#[test]
fn attributes_numbers_snapshots() {
    let (mut world, pool_handle, cont_handle) = World::ready_to_write(0, |_| None);
    let attr = |world: &World, opcode, handle, action| {
        world.ask::<_, AttrReply>(0, opcode, &AttrRequest { pool: POOL, handle, action })
    };
    let pairs = vec![("a".to_owned(), b"1".to_vec()), ("b".to_owned(), Vec::new())];
    for (opcode, handle) in [(Opcode::PoolAttr, pool_handle), (Opcode::ContAttr, cont_handle)] {
        attr(&world, opcode, handle, AttrAction::Set(pairs.clone())).unwrap();
        let get = AttrAction::Get(vec!["b".into(), "none".into()]);
        assert_eq!(code(attr(&world, opcode, handle, get)), Der::NONEXIST);
    }
    let alloc = |world: &World, count| {
        let request = ContAllocOidsRequest { pool: POOL, cont_handle, count };
        world.ask::<_, ContAllocOidsReply>(0, Opcode::ContAllocOids, &request)
    };
    assert_eq!(alloc(&world, 5).unwrap().first, 0);
    assert_eq!(code(alloc(&world, 0)), Der::INVAL);
    assert_eq!(code(alloc(&world, u64::MAX)), Der::OVERFLOW);
    let by_handle = ContHandleRequest { pool: POOL, cont_handle };
    let create = |world: &World, operation, name: &str| {
        let request = ContSnapCreateRequest { pool: POOL, cont_handle, operation, name: name.into() };
        world.ask::<_, ContSnapReply>(0, Opcode::ContSnapCreate, &request)
    };
    let operation = Uuid::new_v4();
    let snap = create(&world, operation, "first").unwrap();
    assert_eq!(create(&world, operation, "first").unwrap(), snap, "a resend finds its snapshot");
    assert_eq!(code(create(&world, Uuid::new_v4(), "first")), Der::EXIST);
    assert_eq!(code(create(&world, Uuid::new_v4(), &"n".repeat(128))), Der::INVAL);
    let second = create(&world, Uuid::new_v4(), "").unwrap();
    world.stop();
    world.start();
    for (opcode, handle) in [(Opcode::PoolAttr, pool_handle), (Opcode::ContAttr, cont_handle)] {
        assert_eq!(attr(&world, opcode, handle, AttrAction::List).unwrap().names, ["a", "b"]);
        let get = AttrAction::Get(vec!["b".into(), "a".into()]);
        assert_eq!(attr(&world, opcode, handle, get).unwrap().values, [b"".to_vec(), b"1".to_vec()]);
        attr(&world, opcode, handle, AttrAction::Delete(vec!["a".into()])).unwrap();
        assert_eq!(attr(&world, opcode, handle, AttrAction::List).unwrap().names, ["b"]);
    }
    assert_eq!(alloc(&world, 1).unwrap().first, 5);
    let list: ContSnapListReply = world.ask(0, Opcode::ContSnapList, &by_handle).unwrap();
    let entry = |epoch, name: &str| SnapshotEntry { epoch, name: name.into() };
    assert_eq!(list.snapshots, [entry(snap.epoch, "first"), entry(second.epoch, "")]);
    let destroy = |low, high| {
        let request = ContSnapDestroyRequest { pool: POOL, cont_handle, low, high };
        world.ask::<_, ContSnapDestroyReply>(0, Opcode::ContSnapDestroy, &request).map(drop)
    };
    assert_eq!(code(destroy(snap.epoch + 1, snap.epoch + 1)), Der::NONEXIST);
    assert_eq!(code(destroy(2, 1)), Der::INVAL);
    destroy(0, snap.epoch).unwrap();
    let list: ContSnapListReply = world.ask(0, Opcode::ContSnapList, &by_handle).unwrap();
    assert_eq!(list.snapshots, [entry(second.epoch, "")]);
    destroy(snap.epoch, u64::MAX).unwrap();
    let list: ContSnapListReply = world.ask(0, Opcode::ContSnapList, &by_handle).unwrap();
    assert!(list.snapshots.is_empty());
}

/// Aim: what daos_server asks about a pool: state, properties, ACL, targets, eviction, destruction.
#[test]
fn management_calls() {
    let (world, pool_handle, _) = World::ready_to_write(0, |_| None);
    let id = POOL.to_string();
    let request = mgmt::PoolQueryReq { id: id.clone(), svc_ranks: vec![0], query_mask: 7, ..Default::default() };
    let query: mgmt::PoolQueryResp = world.drpc(Method::PoolQuery, &request);
    assert_eq!((query.status, query.label.as_str(), query.total_targets), (0, "tank", 2));
    assert_eq!((query.enabled_ranks.as_str(), query.tier_stats.len()), ("[0]", 2));
    assert!(query.tier_stats[0].free > 0 && query.tier_stats[0].total <= 64 << 20);
    let request = PoolQueryRequest { pool: POOL, handle: pool_handle, space: true, props: vec![1] };
    let query: PoolQueryReply = world.ask(0, Opcode::PoolQuery, &request).unwrap();
    assert_eq!((query.handles, query.containers, query.props.len()), (1, 1, 1));
    let request = mgmt::PoolQueryTargetReq { id: id.clone(), targets: vec![1], ..Default::default() };
    let targets: mgmt::PoolQueryTargetResp = world.drpc(Method::PoolQueryTargets, &request);
    assert_eq!((targets.status, targets.infos.len()), (0, 1));
    let number = |value| mgmt::PoolProperty { number: 5, value: Some(mgmt::pool_property::Value::Numval(value)) };
    let set = |value| mgmt::PoolSetPropReq { id: id.clone(), properties: vec![number(value)], ..Default::default() };
    let answer: mgmt::PoolSetPropResp = world.drpc(Method::PoolSetProp, &set(4));
    assert_eq!(answer.status, 0);
    let answer: mgmt::PoolSetPropResp = world.drpc(Method::PoolSetProp, &set(77));
    assert_eq!(answer.status, Der::INVAL.rc());
    let ask = mgmt::PoolGetPropReq { id: id.clone(), properties: vec![number(0)], ..Default::default() };
    let answer: mgmt::PoolGetPropResp = world.drpc(Method::PoolGetProp, &ask);
    assert_eq!(answer.properties, [number(4)]);
    let entries = vec!["A::bob@:rw".into()];
    let request = mgmt::ModifyAclReq { id: id.clone(), entries, ..Default::default() };
    let acl: mgmt::AclResp = world.drpc(Method::PoolUpdateAcl, &request);
    assert_eq!(acl.acl.unwrap().entries, ["A::OWNER@:rw", "A::bob@:rw", "A::EVERYONE@:r"]);
    world.connect("bob@", flags::OPEN_RW).unwrap();
    let request = mgmt::DeleteAclReq { id: id.clone(), principal: "u:bob@".into(), ..Default::default() };
    let acl: mgmt::AclResp = world.drpc(Method::PoolDeleteAcl, &request);
    assert_eq!(acl.acl.unwrap().owner_user, "alice@");
    let conts: mgmt::ListContResp =
        world.drpc(Method::ListContainers, &mgmt::ListContReq { id: id.clone(), ..Default::default() });
    assert_eq!(conts.containers.len(), 1);
    let destroy = |force| mgmt::PoolDestroyReq { id: id.clone(), force, ..Default::default() };
    let answer: mgmt::PoolDestroyResp = world.drpc(Method::PoolDestroy, &destroy(false));
    assert_eq!(answer.status, Der::BUSY.rc());
    let answer: mgmt::PoolEvictResp =
        world.drpc(Method::PoolEvict, &mgmt::PoolEvictReq { id: id.clone(), ..Default::default() });
    assert_eq!((answer.status, answer.count), (0, 2));
    let answer: mgmt::PoolDestroyResp = world.drpc(Method::PoolDestroy, &destroy(false));
    assert_eq!(answer.status, 0);
    let answer: mgmt::PoolDestroyResp = world.drpc(Method::PoolDestroy, &destroy(true));
    assert_eq!(answer.status, 0, "a resent destroy");
    let unknown = mgmt::PoolQueryReq { id: Uuid::new_v4().to_string(), ..Default::default() };
    let query: mgmt::PoolQueryResp = world.drpc(Method::PoolQuery, &unknown);
    assert_eq!(query.status, Der::NONEXIST.rc());
    let unsupported: mgmt::PoolDrainResp = world.drpc(Method::PoolDrain, &mgmt::PoolDrainReq::default());
    assert_eq!(unsupported.status, Der::NOTSUPPORTED.rc());
    assert!(!world.dir.path().join("scm").join(id).exists());
}
