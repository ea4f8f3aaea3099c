//! Aim: the control plane over its real gRPC and dRPC, with fake engines behind it: joining, pools, format, stopping,
//! crashing.

mod support;

use daos_common::Der;
use daos_proto::control::status::error_of;
use daos_proto::ctl::{RanksReq, StorageFormatReq, StorageScanReq};
use daos_proto::drpc::Method;
use daos_proto::mgmt::*;
use daos_server::server;
use daos_server::system::MemberState;
use std::time::Duration;
use support::{Host, configure, until};
use tokio::net::TcpListener;

const GIB: u64 = 1 << 30;

fn create(label: &str) -> PoolCreateReq {
    let label = PoolProperty { number: 1, value: Some(pool_property::Value::Strval(label.into())) };
    PoolCreateReq { sys: "test".into(), properties: vec![label], tier_bytes: vec![GIB, 4 * GIB], ..Default::default() }
}

/// Aim: ranks count up over two hosts, rank 0 is engine 0 of the first; every engine gets the whole group map; ranks
/// stay through restarts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_of_two_hosts_join() {
    let (dir_a, dir_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (config, listener) = configure(dir_a.path(), 2, None).await;
    let again = config.clone();
    let a = Host::start(config, listener).await;
    a.wait(MemberState::Joined).await;
    let (config, listener) = configure(dir_b.path(), 2, Some(&a.address)).await;
    let b = Host::start(config, listener).await;
    b.wait(MemberState::Joined).await;
    assert_eq!(a.ranks()[0], 0);
    let mut all = [a.ranks(), b.ranks()].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
    for host in [&a, &b] {
        for index in 0..2 {
            until("the whole group map on every engine", || {
                host.script.lock().unwrap().group.get(&index).is_some_and(|map| map.engines.len() == 4)
            })
            .await;
        }
    }
    let attach = GetAttachInfoReq { sys: "test".into(), all_ranks: true, ..Default::default() };
    let info = a.mgmt().await.get_attach_info(attach).await.unwrap().into_inner();
    assert_eq!(info.rank_uris.len(), 4);
    let mut ms_ranks = info.ms_ranks.clone();
    ms_ranks.sort_unstable();
    let mut of_a = a.ranks();
    of_a.sort_unstable();
    assert_eq!((ms_ranks, info.client_net_hint.unwrap().provider.as_str()), (of_a.clone(), "ofi+tcp"));

    let not_here = b.mgmt().await.list_pools(ListPoolsReq::default()).await.unwrap_err();
    assert_eq!(error_of(&not_here).code(), Der::NOTREPLICA);
    assert!(not_here.message().contains(&a.address), "{not_here}");

    let ranks = a.ranks();
    let address = a.address.clone();
    a.stop().await;
    let a = Host::start(again, TcpListener::bind(&address).await.unwrap()).await;
    a.wait(MemberState::Joined).await;
    assert_eq!(a.ranks(), ranks);
    b.stop().await;
    a.stop().await;
}

/// Aim: a pool's life, and each refusal on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pools() {
    let dir = tempfile::tempdir().unwrap();
    let (config, listener) = configure(dir.path(), 2, None).await;
    let host = Host::start(config, listener).await;
    host.wait(MemberState::Joined).await;
    let mut mgmt = host.mgmt().await;

    let made = mgmt.pool_create(create("tank")).await.unwrap().into_inner();
    assert_eq!((made.status, made.tgt_ranks.clone(), made.tier_bytes), (0, vec![0, 1], vec![GIB, 4 * GIB]));
    let sent = host.script.lock().unwrap().last_create.clone().unwrap();
    assert_eq!((sent.ranks, sent.tier_bytes, sent.total_bytes), (vec![0, 1], vec![GIB, 4 * GIB], 0));
    // Flags; root with one host; the host with two ranks; the ranks.
    assert_eq!(sent.fault_domains, [0, 2, 1, 1, 1, 2, 2, 0, 1]);

    let total = PoolCreateReq {
        total_bytes: 100 * GIB,
        tier_ratio: vec![0.06, 0.94],
        tier_bytes: vec![],
        num_ranks: 1,
        ..create("total")
    };
    let made = mgmt.pool_create(total).await.unwrap().into_inner();
    assert_eq!((made.tgt_ranks.len(), made.tier_bytes), (1, vec![6 * GIB, 94 * GIB]));

    for (request, code, part) in [
        (create("tank"), Der::EXIST, "tank"),
        (create("no spaces"), Der::INVAL, "label"),
        (PoolCreateReq { properties: vec![], ..create("x") }, Der::INVAL, "label is missing"),
        (PoolCreateReq { ranks: vec![0, 7], ..create("x") }, Der::INVAL, "7"),
        (PoolCreateReq { num_ranks: 3, ..create("x") }, Der::INVAL, "3 ranks"),
        (PoolCreateReq { tier_bytes: vec![1, 0], ..create("x") }, Der::INVAL, "too small"),
        (PoolCreateReq { num_svc_reps: 3, ..create("x") }, Der::INVAL, "service replicas"),
        (PoolCreateReq { sys: "other".into(), ..create("x") }, Der::CONTROL_INCOMPAT, "other"),
    ] {
        let error = error_of(&mgmt.pool_create(request).await.unwrap_err());
        assert!(error.code() == code && error.message().contains(part), "{error:?} lacks {part:?}");
    }

    host.script.lock().unwrap().create_status = Der::NOSPACE.rc();
    let refused = mgmt.pool_create(create("full")).await.unwrap().into_inner();
    assert_eq!(refused.status, Der::NOSPACE.rc());
    host.script.lock().unwrap().create_status = 0;
    let list = mgmt.list_pools(ListPoolsReq::default()).await.unwrap().into_inner();
    let labels: Vec<_> = list.pools.iter().map(|pool| pool.label.as_str()).collect();
    assert!(labels.len() == 2 && !labels.contains(&"full"), "{labels:?}");

    let query = PoolQueryReq { id: "tank".into(), ..Default::default() };
    let state = mgmt.pool_query(query).await.unwrap().into_inner();
    assert_eq!((state.label.as_str(), state.state(), state.svc_reps), ("tank", PoolServiceState::Ready, vec![0]));
    let unknown = mgmt.pool_query(PoolQueryReq { id: "tonk".into(), ..Default::default() }).await.unwrap_err();
    assert_eq!(error_of(&unknown).code(), Der::NONEXIST);

    let label = PoolProperty { number: 1, value: Some(pool_property::Value::Strval("barrel".into())) };
    let rename = PoolSetPropReq { id: "tank".into(), properties: vec![label], ..Default::default() };
    mgmt.pool_set_prop(rename).await.unwrap();
    mgmt.pool_get_acl(GetAclReq { id: "barrel".into(), ..Default::default() }).await.unwrap();

    let destroy = PoolDestroyReq { id: "barrel".into(), ..Default::default() };
    host.script.lock().unwrap().containers = 2;
    let full = error_of(&mgmt.pool_destroy(destroy.clone()).await.unwrap_err());
    assert!(full.code() == Der::BUSY && full.message().contains("--recursive"), "{full}");
    host.script.lock().unwrap().evict_status = Der::BUSY.rc();
    let recursive = PoolDestroyReq { recursive: true, ..destroy };
    let busy = mgmt.pool_destroy(recursive.clone()).await.unwrap().into_inner();
    assert_eq!(busy.status, Der::BUSY.rc());
    // A rank is down: what is left is destroyed later, without another request.
    host.script.lock().unwrap().destroy_status = Der::UNREACH.rc();
    let forced = PoolDestroyReq { force: true, ..recursive };
    let partly = error_of(&mgmt.pool_destroy(forced).await.unwrap_err());
    assert!(partly.code() == Der::UNREACH && partly.message().contains("without another request"), "{partly}");
    assert_eq!(mgmt.list_pools(ListPoolsReq::default()).await.unwrap().into_inner().pools.len(), 2);
    host.script.lock().unwrap().destroy_status = 0;
    let gone = async {
        while mgmt.list_pools(ListPoolsReq::default()).await.unwrap().into_inner().pools.len() > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(support::LIMIT, gone).await.unwrap();
    host.stop().await;
}

/// Aim: nothing works before format, and says so; format is refused where it would destroy something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn format() {
    let dir = tempfile::tempdir().unwrap();
    let (mut config, listener) = configure(dir.path(), 1, None).await;
    config.auto_format = false;
    let host = Host::start(config, listener).await;
    host.wait(MemberState::AwaitFormat).await;
    let (mut mgmt, mut ctl) = (host.mgmt().await, host.ctl().await);
    let early = mgmt.system_query(SystemQueryReq::default()).await.unwrap_err();
    assert!(error_of(&early).code() == Der::NO_SERVICE && early.message().contains("dmg storage format"), "{early}");

    let formatted = ctl.storage_format(StorageFormatReq::default()).await.unwrap().into_inner();
    assert_eq!(formatted.mrets[0].state.as_ref().unwrap().error, "");
    assert_eq!(formatted.crets.len(), 1);
    host.wait(MemberState::Joined).await;
    let first = mgmt.system_query(SystemQueryReq::default()).await.unwrap().into_inner();
    assert_eq!((first.members[0].rank, first.members[0].state.as_str()), (0, "joined"));
    let scan = ctl.storage_scan(StorageScanReq::default()).await.unwrap().into_inner();
    assert_eq!(scan.scm.unwrap().namespaces[0].mount.as_ref().unwrap().rank, 0);

    let running = ctl.storage_format(StorageFormatReq { reformat: true, ..Default::default() }).await.unwrap();
    assert!(running.into_inner().mrets[0].state.as_ref().unwrap().error.contains("stop it first"));
    let stopped = mgmt.system_stop(SystemStopReq::default()).await.unwrap().into_inner();
    assert!(!stopped.results[0].errored, "{stopped:?}");
    let query = mgmt.system_query(SystemQueryReq::default()).await.unwrap().into_inner();
    assert_eq!(query.members[0].state, "stopped");
    let twice = ctl.storage_format(StorageFormatReq::default()).await.unwrap().into_inner();
    assert!(twice.mrets[0].state.as_ref().unwrap().error.contains("--force"));
    let again = ctl.storage_format(StorageFormatReq { reformat: true, ..Default::default() }).await.unwrap();
    assert_eq!(again.into_inner().mrets[0].state.as_ref().unwrap().error, "");
    host.wait(MemberState::Joined).await;
    let second = mgmt.system_query(SystemQueryReq::default()).await.unwrap().into_inner();
    assert_ne!(second.members[0].uuid, first.members[0].uuid);
    host.stop().await;
}

/// Aim: a crashed engine is started again, rejoins with its rank; stop and start go through the management service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_stop_start() {
    let dir = tempfile::tempdir().unwrap();
    let (config, listener) = configure(dir.path(), 1, None).await;
    let host = Host::start(config, listener).await;
    host.wait(MemberState::Joined).await;
    let instance = &host.running.server.instances[0];
    let pid = instance.status().pid.unwrap();
    daos_server::sys::signal(pid, 9);
    until("the engine is back", || {
        let status = instance.status();
        status.state == MemberState::Joined && status.pid != Some(pid)
    })
    .await;
    assert_eq!(host.ranks(), [0]);

    let mut mgmt = host.mgmt().await;
    host.script.lock().unwrap().calls.clear();
    mgmt.system_stop(SystemStopReq::default()).await.unwrap();
    assert!(host.script.lock().unwrap().calls.contains(&Method::PrepShutdown));
    assert_eq!(instance.status().state, MemberState::Stopped);
    let no_engine = mgmt.pool_create(create("x")).await.unwrap_err();
    assert_eq!(error_of(&no_engine).code(), Der::NO_SERVICE);
    let started = mgmt.system_start(SystemStartReq::default()).await.unwrap().into_inner();
    assert!(!started.results[0].errored && started.results[0].state == "joined", "{started:?}");

    let killed = RanksReq { force: true, ranks: "0".into(), check_mode: false };
    let killed = host.ctl().await.stop_ranks(killed).await.unwrap().into_inner();
    assert_eq!((killed.results[0].state.as_str(), killed.results[0].errored), ("stopped", false));
    host.stop().await;
}

/// Aim: a port or a socket directory in use is told apart from everything else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let (config, listener) = configure(dir.path(), 0, None).await;
    let second = config.clone();
    let taken = server::bind_control(&config).await.err().unwrap();
    assert!(taken.code() == Der::BUSY && taken.message().contains(&config.port.to_string()), "{taken}");
    let host = Host::start(config, listener).await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let busy = server::start(second.clone(), other).await.err().unwrap();
    assert_eq!(busy.code(), Der::BUSY, "{busy}");
    let nowhere = daos_server::config::ServerConfig { socket_dir: dir.path().join("no"), ..second };
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let missing = server::start(nowhere, other).await.err().unwrap();
    assert!(missing.message().contains("socket_dir"), "{missing}");
    host.stop().await;
}

/// Aim: attributes and properties are kept, and wrong ones refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attributes_and_properties() {
    let dir = tempfile::tempdir().unwrap();
    let (config, listener) = configure(dir.path(), 1, None).await;
    let host = Host::start(config, listener).await;
    host.wait(MemberState::Joined).await;
    let mut mgmt = host.mgmt().await;
    let attributes = [("colour".to_string(), "blue".to_string())].into();
    mgmt.system_set_attr(SystemSetAttrReq { attributes, ..Default::default() }).await.unwrap();
    let get = SystemGetAttrReq { keys: vec!["colour".into()], ..Default::default() };
    assert_eq!(mgmt.system_get_attr(get).await.unwrap().into_inner().attributes["colour"], "blue");
    let get = SystemGetAttrReq { keys: vec!["shape".into()], ..Default::default() };
    assert_eq!(error_of(&mgmt.system_get_attr(get).await.unwrap_err()).code(), Der::NONEXIST);

    let set = |key: &str, value: &str| SystemSetPropReq {
        properties: [(key.to_string(), value.to_string())].into(),
        ..Default::default()
    };
    mgmt.system_set_prop(set("pool_scrub_mode", "timed")).await.unwrap();
    for (key, value) in [("pool_scrub_mode", "sometimes"), ("daos_version", "3"), ("nonsense", "1")] {
        let error = error_of(&mgmt.system_set_prop(set(key, value)).await.unwrap_err());
        assert!(error.code() == Der::INVAL && error.message().contains(key), "{error}");
    }
    let all = mgmt.system_get_prop(SystemGetPropReq::default()).await.unwrap().into_inner().properties;
    assert_eq!((all["pool_scrub_mode"].as_str(), all["daos_system"].as_str()), ("timed", "test"));
    host.stop().await;
}
