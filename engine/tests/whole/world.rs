//! A small world around an engine: a daos_server that says yes, and a client.

use daos_common::wire::mgmt::{RankInfoReply, RankInfoRequest};
use daos_common::wire::object::ObjHeader;
use daos_common::wire::pool::{
    ContCreateRequest, ContName, ContOpenReply, ContOpenRequest, PoolConnectReply, PoolConnectRequest, Prop, PropValue,
};
use daos_common::wire::{self, Opcode};
use daos_common::{Error, ObjectId, Result, UnitOid, flags};
use daos_engine::engine::{Config, Engine};
use daos_engine::environment::Environment;
use daos_engine::watch::Event;
use daos_fabric::{Endpoint, FabricConfig, Reply, Request, Runtime};
use daos_proto::drpc::{Client, Handler, Listener, Method, Module, Peer, Server, Status};
use daos_proto::{Message, auth, mgmt, srv};
use daos_vos::Durability;
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(20);
pub const TARGETS: u32 = 2;
pub const POOL: Uuid = Uuid::from_u128(0x1234_5678_9abc_def0_1111_2222_3333_4444);

/// daos_server's part: knows one pool, believes every credential but those of "mallory@".
struct PlayedServer {
    ready: Sender<srv::NotifyReadyReq>,
}

impl Handler for PlayedServer {
    fn modules(&self) -> &[Module] {
        &[Module::Srv, Module::Sec]
    }

    fn call(&self, _: Peer, method: Method, body: &[u8]) -> std::result::Result<Vec<u8>, Status> {
        let unknown = daos_common::Der::NONEXIST.rc();
        Ok(match method {
            Method::NotifyReady => {
                let _ = self.ready.send(srv::NotifyReadyReq::decode(body).unwrap());
                Vec::new()
            }
            Method::ValidateCreds => {
                let request = auth::ValidateCredReq::decode(body).unwrap();
                let token = request.cred.and_then(|cred| cred.token);
                let user = token.as_ref().map(|token| auth::Sys::decode(token.data.as_slice()).unwrap().user);
                let status = if user.as_deref() == Some("mallory@") { daos_common::Der::NO_PERM.rc() } else { 0 };
                auth::ValidateCredResp { status, token }.encode_to_vec()
            }
            Method::PoolFindByLabel => {
                let known = srv::PoolFindByLabelReq::decode(body).unwrap().label == "tank";
                let status = if known { 0 } else { unknown };
                srv::PoolFindByLabelResp { status, uuid: POOL.to_string(), svcreps: vec![0] }.encode_to_vec()
            }
            Method::GetPoolSvc => {
                let known = srv::GetPoolSvcReq::decode(body).unwrap().uuid == POOL.to_string();
                srv::GetPoolSvcResp { status: if known { 0 } else { unknown }, svcreps: vec![0] }.encode_to_vec()
            }
            Method::ListPools => {
                let pool =
                    srv::list_pools_resp::Pool { uuid: POOL.to_string(), label: "tank".into(), svcreps: vec![0] };
                srv::ListPoolsResp { pools: vec![pool] }.encode_to_vec()
            }
            Method::ClusterEvent => Vec::new(),
            _ => return Err(Status::UnknownMethod),
        })
    }
}

/// The engine: in this process, or the program.
enum Running {
    Here(Engine),
    Program(Child),
}

/// Engine, played server and client.
pub struct World {
    pub dir: Arc<TempDir>,
    engine: Option<Running>,
    pub runtime: Runtime,
    _server: Server,
    ready: Receiver<srv::NotifyReadyReq>,
    pub uris: Vec<String>,
    listener: PathBuf,
    nvme: Option<PathBuf>,
    /// Of the next start.
    pub aggregation_gap: Duration,
}

impl World {
    /// Starts everything; the engine has rank 0 and is up.
    pub fn new() -> World {
        World::with_nvme(|_| None)
    }

    /// With a data tier, whose description `write` puts into the directory.
    pub fn with_nvme(write: impl FnOnce(&std::path::Path) -> Option<PathBuf>) -> World {
        let mut world = World::empty(write);
        world.start();
        world
    }

    /// Without an engine yet.
    pub fn empty(write: impl FnOnce(&std::path::Path) -> Option<PathBuf>) -> World {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        for name in ["scm", "sock"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let (ready, receiver) = channel();
        let listener = Listener::bind(dir.path().join("sock/daos_server.sock"), 0o600).unwrap();
        let server = Server::start(listener, Arc::new(PlayedServer { ready }), "played-server").unwrap();
        let endpoint = Endpoint::open(&fabric()).unwrap();
        let nvme = write(dir.path());
        World {
            listener: dir.path().join("sock/engine.sock"),
            dir,
            engine: None,
            runtime: Runtime::new(endpoint).unwrap(),
            _server: server,
            ready: receiver,
            uris: Vec::new(),
            nvme,
            aggregation_gap: Duration::from_secs(20),
        }
    }

    pub fn config(&self) -> Config {
        Config {
            targets: TARGETS,
            system: "test".into(),
            storage: self.dir.path().join("scm"),
            socket_dir: self.dir.path().join("sock"),
            listener: self.listener.clone(),
            nvme: self.nvme.clone(),
            instance: 3,
            first_core: 0,
            durability: Durability::Process,
            environment: Environment { fabric: fabric(), timeout: TIMEOUT, aggregation_gap: self.aggregation_gap },
        }
    }

    /// Starts the engine in this process and does what daos_server does then.
    pub fn start(&mut self) {
        let (sender, events) = channel::<Event>();
        self.listener = self.dir.path().join("sock/engine.sock");
        let engine = Engine::start(self.config(), sender, events).unwrap();
        self.engine = Some(Running::Here(engine));
        self.welcome();
    }

    /// Starts the program `daos_engine` likewise.
    pub fn start_program(&mut self) {
        self.start_program_with("DAOS_FAULT_INJECTION", "");
    }

    /// Starts the program with one more variable in its environment.
    pub fn start_program_with(&mut self, name: &str, value: &str) {
        let mut command = self.command();
        command.env(name, value);
        command.env("D_LOG_FILE", self.dir.path().join("engine.log"));
        self.engine = Some(Running::Program(command.spawn().unwrap()));
        self.welcome();
    }

    /// The program with its flags and environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daos_engine"));
        let config = self.config();
        command.args(["-t", &TARGETS.to_string(), "-g", "test", "-I", "3", "-x", "0"]);
        command.arg("-s").arg(config.storage).arg("-d").arg(config.socket_dir);
        command.env("D_PROVIDER", "ofi+tcp").env("D_INTERFACE", "lo").env("D_LOG_MASK", "ERR");
        // As daos_server sets it for class ram.
        command.env("PMEMOBJ_CONF", "sds.at_create=0").env_remove("D_PORT");
        command
    }

    fn welcome(&mut self) {
        let ready = self.ready.recv_timeout(TIMEOUT).unwrap();
        assert_eq!((ready.nctxs, ready.ntgts, ready.instance_idx), (1 + TARGETS, TARGETS, 3));
        self.listener = ready.drpc_listener_sock.into();
        let request = mgmt::SetRankReq { rank: 0, map_version: 1, ..Default::default() };
        self.drpc::<mgmt::DaosResp>(Method::SetRank, &request);
        let member = mgmt::group_update_req::Engine { rank: 0, uri: ready.uri.clone(), incarnation: ready.incarnation };
        let request = mgmt::GroupUpdateReq { map_version: 1, engines: vec![member] };
        self.drpc::<mgmt::GroupUpdateResp>(Method::GroupUpdate, &request);
        self.drpc::<mgmt::DaosResp>(Method::SetUp, &mgmt::DaosResp::default());
        self.uris = vec![ready.uri];
        let info: RankInfoReply = self.ask(0, Opcode::RankInfo, &RankInfoRequest { system: "test".into() }).unwrap();
        assert_eq!(info.context_uris.len(), 1 + TARGETS as usize);
        self.uris = info.context_uris;
    }

    /// Stops the engine; the program by SIGTERM, and it must say that all is well.
    pub fn stop(&mut self) {
        match self.engine.take() {
            Some(Running::Here(engine)) => engine.stop(),
            Some(Running::Program(mut child)) => {
                signal(&child, Signal::TERM);
                let status = child.wait().unwrap();
                assert!(std::thread::panicking() || status.success(), "{status}");
            }
            None => {}
        }
    }

    /// Does something with the running program.
    pub fn with_program(&self, job: impl FnOnce(&Child)) {
        match &self.engine {
            Some(Running::Program(child)) => job(child),
            _ => panic!("no program runs"),
        }
    }

    /// Has the program killed (SIGKILL) after `delay`; await the answer.
    pub fn kill_after(&mut self, delay: Duration) -> JoinHandle<()> {
        let Some(Running::Program(mut child)) = self.engine.take() else { panic!("no program runs") };
        std::thread::spawn(move || {
            std::thread::sleep(delay);
            child.kill().unwrap();
            child.wait().unwrap();
        })
    }

    /// One dRPC call to the engine.
    pub fn drpc<R: Message + Default>(&self, method: Method, request: &impl Message) -> R {
        let mut client = Client::connect(&self.listener).unwrap();
        client.call_message(method, request).unwrap()
    }

    /// One request to a context, with a payload.
    pub fn send(&self, context: usize, opcode: u16, body: Vec<u8>, payload: &[&[u8]]) -> Result<Reply> {
        let endpoint = self.runtime.endpoint();
        let peer = endpoint.peer(&self.uris[context])?;
        self.runtime.block_on(endpoint.call(&peer, Request { opcode, body, payload, timeout: TIMEOUT }))
    }

    /// One request to a context.
    pub fn ask<Q: Serialize, R: DeserializeOwned>(&self, context: usize, opcode: Opcode, request: &Q) -> Result<R> {
        let reply = self.send(context, opcode as u16, wire::encode(request).unwrap(), &[])?;
        wire::decode(reply.body())
    }

    /// Creates the pool: owner alice@, everybody else may read.
    pub fn create_pool(&self, data_bytes: u64) {
        let label = mgmt::PoolProperty { number: 1, value: Some(mgmt::pool_property::Value::Strval("tank".into())) };
        let request = mgmt::PoolCreateReq {
            uuid: POOL.to_string(),
            user: "alice@".into(),
            user_group: "staff@".into(),
            acl: vec!["A::OWNER@:rw".into(), "A::EVERYONE@:r".into()],
            properties: vec![label],
            num_ranks: 1,
            ranks: vec![0],
            tier_bytes: vec![64 << 20, data_bytes],
            ..Default::default()
        };
        let answer: mgmt::PoolCreateResp = self.drpc(Method::PoolCreate, &request);
        assert_eq!((answer.status, answer.svc_reps), (0, vec![0]));
        // A resend finds the pool.
        let answer: mgmt::PoolCreateResp = self.drpc(Method::PoolCreate, &request);
        assert_eq!((answer.status, answer.tgt_ranks), (0, vec![0]));
    }

    pub fn connect(&self, user: &str, flags: u64) -> Result<(Uuid, PoolConnectReply)> {
        let handle = Uuid::new_v4();
        let request = PoolConnectRequest { pool: POOL, handle, flags, credential: credential(user) };
        let first: PoolConnectReply = self.ask(0, Opcode::PoolConnect, &request)?;
        let again: PoolConnectReply = self.ask(0, Opcode::PoolConnect, &request)?;
        assert_eq!(first, again, "a resent connect");
        Ok((handle, first))
    }

    pub fn create_cont(&self, handle: Uuid, label: &str) -> Result<Uuid> {
        let cont = Uuid::new_v4();
        let props = vec![Prop { number: 0x1001, value: PropValue::Text(label.into()) }];
        let request = ContCreateRequest { pool: POOL, handle, cont, props };
        self.ask::<_, ()>(0, Opcode::ContCreate, &request)?;
        self.ask::<_, ()>(0, Opcode::ContCreate, &request)?;
        Ok(cont)
    }

    pub fn open_cont(&self, handle: Uuid, label: &str, flags: u64) -> Result<(Uuid, ContOpenReply)> {
        let cont_handle = Uuid::new_v4();
        let cont = ContName::Label(label.into());
        let request = ContOpenRequest { pool: POOL, handle, cont, cont_handle, flags };
        Ok((cont_handle, self.ask(0, Opcode::ContOpen, &request)?))
    }

    /// A world with a pool, a container "box" and a handle to write to it.
    pub fn ready_to_write(
        data_bytes: u64,
        write: impl FnOnce(&std::path::Path) -> Option<PathBuf>,
    ) -> (World, Uuid, Uuid) {
        let world = World::with_nvme(write);
        let (pool_handle, cont_handle) = world.make_writable(data_bytes);
        (world, pool_handle, cont_handle)
    }

    /// Makes pool and container, and opens them: the handles.
    pub fn make_writable(&self, data_bytes: u64) -> (Uuid, Uuid) {
        self.create_pool(data_bytes);
        let (pool_handle, _) = self.connect("alice@", flags::OPEN_RW).unwrap();
        self.create_cont(pool_handle, "box").unwrap();
        let (cont_handle, _) = self.open_cont(pool_handle, "box", flags::OPEN_RW).unwrap();
        (pool_handle, cont_handle)
    }
}

/// Sends a signal to a program.
pub fn signal(child: &Child, signal: Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn fabric() -> FabricConfig {
    FabricConfig { provider: "ofi+tcp".into(), interface: Some("lo".into()), domain: None, port: None }
}

pub fn credential(user: &str) -> Vec<u8> {
    let group = format!("friends-of-{user}");
    let identity = auth::Sys {
        machinename: "host".into(),
        user: user.into(),
        group: group.clone(),
        groups: vec![group],
        ..Default::default()
    };
    let token = auth::Token { flavor: auth::Flavor::AuthSys as i32, data: identity.encode_to_vec() };
    auth::Credential { token: Some(token), verifier: None, origin: "agent".into() }.encode_to_vec()
}

/// Header of a request on object `lo` of class S1.
pub fn header(cont_handle: Uuid, lo: u64) -> ObjHeader {
    let oid = UnitOid { oid: ObjectId { lo, hi: (1 << 48) | (1 << 32) }, shard: 0, layout: 2 };
    ObjHeader { pool: POOL, cont_handle, oid, map_version: 1, epoch: 0, flags: 0 }
}

/// The code of a failure.
pub fn code<T>(outcome: Result<T, Error>) -> daos_common::Der {
    outcome.err().expect("a failure").code()
}
