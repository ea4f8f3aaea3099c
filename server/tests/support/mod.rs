//! A server in this process, with engines that only speak dRPC: their process is a shell that sleeps.

use daos_proto::Message;
use daos_proto::control::{Component, Ctl, Mgmt, connect, ctl_client, mgmt_client};
use daos_proto::drpc::{AsyncClient, AsyncHandler, Listener, Method, Module, Peer, Reply, Status, decode_body, serve};
use daos_proto::mgmt::*;
use daos_proto::srv::NotifyReadyReq;
use daos_server::config::{self, ServerConfig};
use daos_server::server::{self, Running};
use daos_server::system::MemberState;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Limit of whatever a test waits for.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What fake engines remember and how they answer.
#[derive(Default)]
pub struct Script {
    pub group: HashMap<u32, GroupUpdateReq>,
    pub calls: Vec<Method>,
    pub create_status: i32,
    pub evict_status: i32,
    pub destroy_status: i32,
    pub containers: usize,
    pub last_create: Option<PoolCreateReq>,
}

struct FakeEngine {
    index: u32,
    script: Arc<Mutex<Script>>,
}

impl AsyncHandler for FakeEngine {
    fn modules(&self) -> &[Module] {
        &[Module::Mgmt]
    }

    async fn call(&self, _peer: Peer, method: Method, body: Vec<u8>) -> Reply {
        let mut script = self.script.lock().unwrap();
        script.calls.push(method);
        Ok(match method {
            Method::SetRank | Method::SetUp | Method::PrepShutdown => DaosResp { status: 0 }.encode_to_vec(),
            Method::GroupUpdate => {
                script.group.insert(self.index, decode_body(&body)?);
                GroupUpdateResp { status: 0 }.encode_to_vec()
            }
            Method::PoolCreate => {
                let request: PoolCreateReq = decode_body(&body)?;
                let svc_reps = request.ranks[..1].to_vec();
                script.last_create = Some(request);
                PoolCreateResp { status: script.create_status, svc_ldr: svc_reps[0], svc_reps, ..Default::default() }
                    .encode_to_vec()
            }
            Method::PoolDestroy => PoolDestroyResp { status: script.destroy_status }.encode_to_vec(),
            Method::PoolEvict => PoolEvictResp { status: script.evict_status, count: 0 }.encode_to_vec(),
            Method::PoolQuery => {
                let request: PoolQueryReq = decode_body(&body)?;
                PoolQueryResp { uuid: request.id, total_targets: 2, version: 1, ..Default::default() }.encode_to_vec()
            }
            Method::PoolSetProp => PoolSetPropResp { status: 0 }.encode_to_vec(),
            Method::PoolGetAcl => AclResp { status: 0, acl: None }.encode_to_vec(),
            Method::ListContainers => {
                let containers = vec![list_cont_resp::Cont::default(); script.containers];
                ListContResp { status: 0, containers }.encode_to_vec()
            }
            _ => return Err(Status::UnknownMethod),
        })
    }
}

/// A host: a server and its fake engines.
pub struct Host {
    pub running: Running,
    pub address: String,
    pub script: Arc<Mutex<Script>>,
    fakes: Vec<JoinHandle<()>>,
}

/// The configuration of a host with `engines` engines below `dir`; the first replica is `replica`, or itself.
pub async fn configure(dir: &Path, engines: usize, replica: Option<&str>) -> (ServerConfig, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let replica = replica.map_or_else(|| format!("127.0.0.1:{port}"), str::to_string);
    let mut text = format!(
        "name: test\nport: {port}\nmgmt_svc_replicas: ['{replica}']\nprovider: ofi+tcp\nsocket_dir: {}\nfault_path: \
         /host{port}\nengine_auto_restart_min_delay: 0\ntransport_config:\n  allow_insecure: true\nengines:\n",
        dir.display()
    );
    for index in 0..engines {
        let mount = dir.join(format!("scm{index}"));
        std::fs::create_dir_all(&mount).unwrap();
        text.push_str(&format!(
            "- targets: 2\n  fabric_iface: lo\n  fabric_iface_port: {}\n  storage:\n  - {{class: ram, scm_mount: {}, \
             scm_size: 4}}\n  - {{class: file, bdev_list: [{}], bdev_size: 16}}\n",
            31000 + index,
            mount.display(),
            dir.join(format!("bdev{index}")).display()
        ));
    }
    let path = dir.join("daos_server.yml");
    std::fs::write(&path, text).unwrap();
    let mut config = config::load(&path).unwrap();
    let program = dir.join("engine.sh");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    config.engine_program = Some(program);
    config.auto_format = true;
    (config, listener)
}

impl Host {
    /// Starts it; engines report as soon as their process runs.
    pub async fn start(config: ServerConfig, listener: TcpListener) -> Host {
        let address = listener.local_addr().unwrap().to_string();
        let socket_dir = config.socket_dir.clone();
        let running = server::start(config, listener).await.unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let mut fakes = Vec::new();
        for instance in &running.server.instances {
            let index = instance.index as u32;
            let socket = socket_dir.join(format!("fake{index}.sock"));
            let drpc = Listener::bind(&socket, 0o600).unwrap();
            let fake = Arc::new(FakeEngine { index, script: Arc::clone(&script) });
            fakes.push(tokio::spawn(async move {
                let _ = serve(drpc, fake, std::future::pending()).await;
            }));
            let mut watch = instance.watch();
            let server_socket = socket_dir.join("daos_server.sock");
            fakes.push(tokio::spawn(async move {
                let mut last = None;
                loop {
                    let found = watch.wait_for(|status| status.pid.is_some() && status.pid != last).await;
                    let Some(pid) = found.ok().and_then(|status| status.pid) else { return };
                    last = Some(pid);
                    let ready = NotifyReadyReq {
                        uri: format!("ofi+tcp://127.0.0.1:{}", 40_000 + pid % 10_000),
                        nctxs: 3,
                        drpc_listener_sock: socket.display().to_string(),
                        instance_idx: index,
                        ntgts: 2,
                        incarnation: u64::from(pid),
                        ..Default::default()
                    };
                    let mut client = AsyncClient::connect(&server_socket).unwrap();
                    client.call(Method::NotifyReady, ready.encode_to_vec()).await.unwrap();
                }
            }));
        }
        Host { running, address, script, fakes }
    }

    /// Waits until every engine is in `state`.
    pub async fn wait(&self, state: MemberState) {
        for instance in &self.running.server.instances {
            let mut watch = instance.watch();
            tokio::time::timeout(LIMIT, watch.wait_for(|status| status.state == state))
                .await
                .unwrap_or_else(|_| panic!("engine {} isn't {state:?}: {:?}", instance.index, instance.status()))
                .unwrap();
        }
    }

    /// Ranks of its engines.
    pub fn ranks(&self) -> Vec<u32> {
        self.running.server.instances.iter().filter_map(|instance| instance.status().rank).collect()
    }

    pub async fn mgmt(&self) -> Mgmt {
        mgmt_client(connect(&self.address).await.unwrap(), Component::Admin)
    }

    pub async fn ctl(&self) -> Ctl {
        ctl_client(connect(&self.address).await.unwrap(), Component::Admin)
    }

    pub async fn stop(self) {
        for fake in &self.fakes {
            fake.abort();
        }
        tokio::time::timeout(LIMIT, self.running.stop()).await.expect("the server didn't stop");
    }
}

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
