//! dmg against a management service that answers as a test wants.

use crate::cmd::pool;
use crate::config;
use crate::context::Context;
use clap::Parser;
use daos_common::{Der, Error};
use daos_proto::control::{self, status::status_of};
use daos_proto::ctl::ctl_svc_server::{CtlSvc, CtlSvcServer};
use daos_proto::ctl::{
    ScanScmResp, ScmMountResult, ScmNamespace, StorageFormatReq, StorageFormatResp, StorageScanReq, StorageScanResp,
    scm_namespace::Mount,
};
use daos_proto::mgmt::mgmt_svc_server::{MgmtSvc, MgmtSvcServer};
use daos_proto::mgmt::*;
use std::sync::{Arc, Mutex};
use tonic::{Request, Response, Status};

#[derive(Default)]
struct Tank {
    created: Mutex<Vec<PoolCreateReq>>,
}

#[tonic::async_trait]
impl MgmtSvc for Tank {
    async fn pool_create(&self, request: Request<PoolCreateReq>) -> Result<Response<PoolCreateResp>, Status> {
        assert_eq!(request.metadata().get(control::COMPONENT_KEY).unwrap(), "admin");
        let request = request.into_inner();
        let answer = PoolCreateResp {
            svc_reps: vec![0],
            tgt_ranks: vec![0],
            tier_bytes: request.tier_bytes.clone(),
            ..Default::default()
        };
        self.created.lock().unwrap().push(request);
        Ok(Response::new(answer))
    }

    async fn pool_query(&self, request: Request<PoolQueryReq>) -> Result<Response<PoolQueryResp>, Status> {
        match request.get_ref().id.as_str() {
            "busy" => Ok(Response::new(PoolQueryResp { status: Der::BUSY.rc(), ..Default::default() })),
            id => Err(status_of(&Der::NONEXIST.err(format!("there is no pool {id}")))),
        }
    }
}

#[tonic::async_trait]
impl CtlSvc for Tank {
    async fn storage_scan(&self, _: Request<StorageScanReq>) -> Result<Response<StorageScanResp>, Status> {
        let mount = Mount { path: "/mnt/daos".into(), usable_bytes: 1000, rank: 0, ..Default::default() };
        let namespace = ScmNamespace { size: 2000, mount: Some(mount), ..Default::default() };
        let scm = ScanScmResp { namespaces: vec![namespace], ..Default::default() };
        Ok(Response::new(StorageScanResp { scm: Some(scm), ..Default::default() }))
    }

    async fn storage_format(&self, _: Request<StorageFormatReq>) -> Result<Response<StorageFormatResp>, Status> {
        let mount = ScmMountResult { mntpoint: "/mnt/daos".into(), ..Default::default() };
        Ok(Response::new(StorageFormatResp { mrets: vec![mount], crets: vec![] }))
    }
}

async fn start() -> (Arc<Tank>, Context) {
    let tank = Arc::new(Tank::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config::load(None).unwrap();
    config.hosts = vec![listener.local_addr().unwrap().to_string()];
    let server = tonic::transport::Server::builder()
        .add_service(MgmtSvcServer::from_arc(Arc::clone(&tank)))
        .add_service(CtlSvcServer::from_arc(Arc::clone(&tank)));
    tokio::spawn(server.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
    (tank, Context { config, quiet: true })
}

#[derive(Parser)]
struct Line<T: clap::Args> {
    #[command(flatten)]
    command: T,
}

fn parse<T: clap::Args>(line: &str) -> T {
    Line::<T>::try_parse_from(format!("dmg {line}").split_whitespace()).unwrap().command
}

/// Aim: the request of a creation carries what the options say; a share is taken of what the hosts have free.
#[tokio::test]
async fn creation() {
    let (tank, context) = start().await;
    let line = "tank -z 50% -u joe -g users@ -P space_rb:7 -r 0";
    let outcome = parse::<pool::Create>(line).run(&context).await.unwrap();
    let request = tank.created.lock().unwrap().pop().unwrap();
    assert_eq!(
        (request.user.as_str(), request.user_group.as_str(), request.sys.as_str()),
        ("joe@", "users@", "daos_server")
    );
    assert_eq!((request.tier_bytes.as_slice(), request.ranks.as_slice()), (&[500, 0][..], &[0][..]));
    let numbers: Vec<u32> = request.properties.iter().map(|property| property.number).collect();
    assert_eq!(numbers, [3, 1]);
    assert_eq!(outcome.json["uuid"], request.uuid.as_str());

    parse::<pool::Create>("tank --size 8GiB -u a -g b").run(&context).await.unwrap();
    let request = tank.created.lock().unwrap().pop().unwrap();
    assert_eq!((request.total_bytes, request.tier_ratio.len(), request.acl.len()), (8 << 30, 0, 0));
    for bad in ["tank", "no/label -z 1G", "tank -z 1G -P label:x", "tank -z 1G -P nothing:1", "tank -z 1G -r 0 -k 1"] {
        assert_eq!(parse::<pool::Create>(bad).run(&context).await.unwrap_err().code(), Der::INVAL, "{bad}");
    }
}

/// Aim: DER codes arrive from both layers, and a server that isn't there is told with what to look at.
#[tokio::test]
async fn failures() {
    let (_tank, mut context) = start().await;
    let error = |result: Result<daos_cli::Outcome, Error>| result.unwrap_err();
    let missing = error(parse::<pool::Query>("pond").run(&context).await);
    assert!(missing.code() == Der::NONEXIST && missing.message().contains("there is no pool pond"), "{missing}");
    assert_eq!(error(parse::<pool::Query>("busy").run(&context).await).code(), Der::BUSY);
    assert_eq!(error(parse::<pool::Destroy>("pond").run(&context).await).code(), Der::NOSYS);
    context.config.hosts = vec!["127.0.0.1:1".into()];
    let unreachable = error(parse::<pool::Query>("pond").run(&context).await);
    assert!(unreachable.code() == Der::UNREACH && unreachable.message().contains("127.0.0.1:1"), "{unreachable}");
}

/// Aim: hosts that answer are shown, one that doesn't makes the command fail.
#[tokio::test]
async fn hosts() {
    use crate::cmd::storage;
    let (_tank, mut context) = start().await;
    let outcome = parse::<storage::Format>("--verbose").run(&context).await.unwrap();
    assert!(outcome.failure.is_none() && outcome.text.contains("/mnt/daos"), "{}", outcome.text);
    context.config.hosts.push("127.0.0.1:1".into());
    let outcome = parse::<storage::Scan>("-v").run(&context).await.unwrap();
    assert_eq!(outcome.failure.unwrap().code(), Der::UNREACH);
    assert!(outcome.text.contains("/mnt/daos") && outcome.text.contains("Errors:"), "{}", outcome.text);
    assert!(outcome.json["host_errors"]["127.0.0.1:1"].is_string());
}
