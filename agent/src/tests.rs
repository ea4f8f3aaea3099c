//! The whole agent in one process: real sockets on both sides, a management service that answers as a test wants.

use crate::config::{self, AgentConfig};
use crate::monitor::{Evictions, evict};
use crate::service::Service;
use daos_common::Der;
use daos_proto::auth::{GetCredResp, Sys};
use daos_proto::drpc::{AsyncClient, Listener, Method, serve};
use daos_proto::mgmt::get_attach_info_resp::RankUri;
use daos_proto::mgmt::mgmt_svc_server::{MgmtSvc, MgmtSvcServer};
use daos_proto::mgmt::*;
use daos_proto::{Message, control, tonic};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// A management service of the system "tank" that counts questions and remembers evictions.
#[derive(Default)]
struct Tank {
    asked: AtomicU32,
    evicted: Mutex<Vec<PoolEvictReq>>,
}

#[tonic::async_trait]
impl MgmtSvc for Tank {
    async fn get_attach_info(&self, request: Request<GetAttachInfoReq>) -> Result<Response<GetAttachInfoResp>, Status> {
        assert_eq!(request.metadata().get(control::COMPONENT_KEY).unwrap(), "agent");
        assert_eq!(request.metadata().get(control::VERSION_KEY).unwrap(), control::daos_version().as_str());
        assert!(request.get_ref().all_ranks);
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Response::new(GetAttachInfoResp {
            rank_uris: vec![RankUri { rank: 0, uri: "ofi+tcp://127.0.0.1:31316".into(), ..Default::default() }],
            ms_ranks: vec![0],
            client_net_hint: Some(ClientNetHint { provider: "ofi+tcp".into(), ..Default::default() }),
            sys: "tank".into(),
            ..Default::default()
        }))
    }

    async fn pool_evict(&self, request: Request<PoolEvictReq>) -> Result<Response<PoolEvictResp>, Status> {
        self.evicted.lock().unwrap().push(request.into_inner());
        Ok(Response::new(PoolEvictResp::default()))
    }
}

async fn start_tank() -> (Arc<Tank>, String) {
    let tank = Arc::new(Tank::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = tonic::transport::Server::builder().add_service(MgmtSvcServer::from_arc(Arc::clone(&tank)));
    tokio::spawn(server.serve_with_incoming(incoming));
    (tank, address)
}

fn configuration(name: &str, address: &str) -> AgentConfig {
    let mut config = config::load(None).unwrap();
    config.name = name.into();
    config.access_points = vec![address.into()];
    config
}

async fn start_agent(folder: &tempfile::TempDir, config: AgentConfig) -> (Arc<Service>, AsyncClient) {
    let path = folder.path().join("daos_agent.sock");
    let service = Arc::new(Service::new(config));
    let listener = Listener::bind(&path, 0o666).unwrap();
    tokio::spawn(serve(listener, Arc::clone(&service), std::future::pending()));
    (service, AsyncClient::connect(path).unwrap())
}

async fn attach(client: &mut AsyncClient, sys: &str) -> GetAttachInfoResp {
    let request = GetAttachInfoReq { sys: sys.into(), ..Default::default() };
    client.call_message(Method::GetAttachInfo, &request).await.unwrap()
}

/// Aim: clients get the ranks and an interface, the management service is asked once, and a client's own choice of
/// interface is respected.
#[tokio::test]
async fn attach_information() {
    let folder = tempfile::tempdir().unwrap();
    let (tank, address) = start_tank().await;
    let (service, mut client) = start_agent(&folder, configuration("tank", &address)).await;
    let answer = attach(&mut client, "tank").await;
    assert_eq!((answer.status, answer.rank_uris.len()), (0, 1));
    assert_eq!(answer.client_net_hint.unwrap().interface, "lo");
    let request = GetAttachInfoReq { interface: "eth7".into(), ..Default::default() };
    let answer: GetAttachInfoResp = client.call_message(Method::GetAttachInfo, &request).await.unwrap();
    let hint = answer.client_net_hint.unwrap();
    assert_eq!((hint.interface.as_str(), hint.domain.as_str()), ("eth7", "eth7"));
    assert_eq!(tank.asked.load(Ordering::SeqCst), 1);
    service.attach.clear().await;
    assert_eq!(attach(&mut client, "").await.status, 0);
    assert_eq!(tank.asked.load(Ordering::SeqCst), 2);
}

/// Aim: each way of being misdirected has its status, and an absent management service is told at once.
#[tokio::test]
async fn misdirected() {
    let folder = tempfile::tempdir().unwrap();
    let (_tank, address) = start_tank().await;
    let (_, mut client) = start_agent(&folder, configuration("tank", &address)).await;
    assert_eq!(attach(&mut client, "pond").await.status, Der::INVAL.rc());

    let elsewhere = tempfile::tempdir().unwrap();
    let (_, mut client) = start_agent(&elsewhere, configuration("pond", &address)).await;
    assert_eq!(attach(&mut client, "pond").await.status, Der::CONTROL_INCOMPAT.rc());

    let nowhere = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (_, mut client) = start_agent(&nowhere, configuration("tank", &closed)).await;
    let begin = Instant::now();
    assert_eq!(attach(&mut client, "tank").await.status, Der::UNREACH.rc());
    assert!(begin.elapsed() < Duration::from_secs(2));
}

/// Aim: the credential is of the calling process, whatever it says.
#[tokio::test]
async fn credentials() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut client) = start_agent(&folder, configuration("tank", "127.0.0.1:1")).await;
    let body = client.call(Method::RequestCreds, b"ignored".to_vec()).await.unwrap();
    let answer = GetCredResp::decode(body.as_slice()).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    match daos_proto::users::user_name(uid).unwrap() {
        None => assert_eq!(answer.status, Der::MISC.rc()),
        Some(name) => {
            let sys = Sys::decode(answer.cred.unwrap().token.unwrap().data.as_slice()).unwrap();
            assert_eq!(sys.user, format!("{name}@"));
        }
    }
}

/// Aim: what a process leaves open is evicted at the management service by pool and handle; when that can't be
/// reached, it is kept.
#[tokio::test]
async fn evictions() {
    let folder = tempfile::tempdir().unwrap();
    let (tank, address) = start_tank().await;
    let (service, mut client) = start_agent(&folder, configuration("tank", &address)).await;
    let (pool, handle) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let request = PoolMonitorReq {
        sys: "tank".into(),
        pool_uuid: pool.to_string(),
        pool_handle_uuid: handle.to_string(),
        ..Default::default()
    };
    assert!(client.call(Method::NotifyPoolConnect, request.encode_to_vec()).await.unwrap().is_empty());
    assert!(service.monitor.sweep().is_empty());
    assert!(client.call(Method::NotifyExit, vec![]).await.unwrap().is_empty());
    let dead = service.monitor.sweep();
    let unreachable = configuration("tank", "127.0.0.1:1");
    let left = evict(dead.clone(), &unreachable).await;
    assert_eq!(left, dead);
    assert!(evict(left, &service.config).await.is_empty());
    let evicted = tank.evicted.lock().unwrap().clone();
    assert_eq!(evicted.len(), 1);
    assert_eq!((&evicted[0].id, &evicted[0].handles), (&pool.to_string(), &vec![handle.to_string()]));
    assert_eq!(dead, Evictions::from([(pool, BTreeSet::from([handle]))]));
    assert_eq!(client.call(Method::PoolCreate, vec![]).await.unwrap_err().code(), Der::NOSYS);
}
