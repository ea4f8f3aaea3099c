//! The server as a whole: its engines, its listeners, its part in the management service.
//!
//! [`start`] binds the two listeners (gRPC on the control port, dRPC on `daos_server.sock`), then lets each engine's
//! task run. The host that is the first of `mgmt_svc_replicas` holds the system database, from the moment the storage
//! of its engine 0 is formatted; the others ask it by gRPC.

use crate::config::ServerConfig;
use crate::ctl::Ctl;
use crate::drpc::EngineCalls;
use crate::instance::{Instance, Wanted, supervise};
use crate::mgmt::{Mgmt, events};
use crate::superblock::Superblock;
use crate::system::{FileJournal, System};
use crate::{sys, version};
use daos_common::{Der, Error, Result};
use daos_proto::control::{Component, Mgmt as MgmtClient, ask_mgmt};
use daos_proto::ctl::ctl_svc_server::CtlSvcServer;
use daos_proto::drpc::{Listener, SERVER_SOCKET};
use daos_proto::mgmt::mgmt_svc_server::MgmtSvcServer;
use daos_proto::mgmt::{GroupUpdateReq, JoinReq, JoinResp, SystemQueryReq, group_update_req};
use daos_proto::shared::{ClusterEventReq, RasEvent};
use daos_proto::srv::NotifyReadyReq;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tonic::service::interceptor::InterceptedService;

/// Limit of one question to the management service.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long joining is tried in all.
const JOIN_TOTAL: Duration = Duration::from_secs(3600);
/// Between two attempts to join.
const JOIN_PAUSE: Duration = Duration::from_secs(1);
/// After a failed update of the group map.
const GROUP_RETRY: Duration = Duration::from_millis(500);
/// How often pools that could not be destroyed at once are tried again.
const DESTROY_RETRY: Duration = Duration::from_secs(2);
/// How often a server that isn't a replica asks for the group map.
const GROUP_POLL: Duration = Duration::from_secs(2);
/// Largest gRPC message.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Most problems that stay unsaid while they repeat: a persistent failure is logged once in so many times.
const LOG_EVERY: u32 = 60;

/// The server of this host; see the module.
pub struct Server {
    /// Its configuration.
    pub config: ServerConfig,
    /// Its engines, by number.
    pub instances: Vec<Arc<Instance>>,
    /// `host:port` by which others reach it; host 0.0.0.0 when it doesn't know.
    pub address: String,
    /// Whether this host holds the system database.
    pub is_replica: bool,
    system: RwLock<Option<Arc<System>>>,
    /// At most one pool is created or destroyed at a time.
    pub(crate) pool_serial: tokio::sync::Mutex<()>,
    /// Woken when engines of this host may lack the current group map.
    group_wake: Notify,
    stopping: watch::Sender<bool>,
    event_sequence: Mutex<u64>,
}

impl Server {
    /// The system database.
    ///
    /// # Errors
    /// `NOTREPLICA` naming the host that has it; `NO_SERVICE` until the storage of engine 0 is formatted.
    pub fn system(&self) -> Result<Arc<System>> {
        if !self.is_replica {
            let leader = self.config.replicas.first().map_or("", String::as_str);
            return Err(
                Der::NOTREPLICA.err(format!("{} isn't a management service replica; ask {leader}", self.address))
            );
        }
        let system = self.system.read().unwrap_or_else(PoisonError::into_inner);
        system.clone().ok_or_else(|| {
            Der::NO_SERVICE.err(
                "the management service isn't up yet: the storage of engine 0 isn't formatted; run `dmg storage format`",
            )
        })
    }

    /// Opens the system database, if this host holds it and it isn't open.
    ///
    /// # Errors
    /// Those of [`System::open`].
    pub fn open_system(&self) -> Result<()> {
        let Some(dir) = self.config.database_dir().filter(|_| self.is_replica) else { return Ok(()) };
        let mut system = self.system.write().unwrap_or_else(PoisonError::into_inner);
        if system.is_none() {
            *system = Some(Arc::new(System::open(Box::new(FileJournal::new(&dir)?), &self.config.name)?));
            tracing::info!("management service is up; system database in {}", dir.display());
        }
        Ok(())
    }

    /// Forgets the system database, whose storage has been formatted anew.
    pub(crate) fn close_system(&self) {
        *self.system.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The management service's operations on this host.
    pub fn mgmt(self: &Arc<Server>) -> Mgmt {
        Mgmt::new(Arc::clone(self))
    }

    /// Engine `index`.
    ///
    /// # Errors
    /// `NONEXIST` when the configuration has no such engine.
    pub fn instance(&self, index: u32) -> Result<&Arc<Instance>> {
        self.instances
            .get(index as usize)
            .ok_or_else(|| Der::NONEXIST.err(format!("engine {index} isn't in the configuration of {}", self.address)))
    }

    /// An engine of this host that serves calls, one of `preferred` ranks if there is one.
    ///
    /// # Errors
    /// `NO_SERVICE` when none does.
    pub fn any_engine(&self, preferred: &[u32]) -> Result<&Arc<Instance>> {
        let joined = || self.instances.iter().filter(|instance| instance.is_joined());
        joined()
            .find(|instance| instance.status().rank.is_some_and(|rank| preferred.contains(&rank)))
            .or_else(|| joined().next())
            .ok_or_else(|| Der::NO_SERVICE.err("no engine of the management service's host is up; try again"))
    }

    /// Has the engine join the system: here, or at the host that holds the database. Tries for an hour.
    ///
    /// # Errors
    /// A refusal, or the last failure when the hour is over.
    pub async fn join(
        self: &Arc<Server>,
        index: usize,
        superblock: &Superblock,
        ready: &NotifyReadyReq,
    ) -> Result<JoinResp> {
        let request = JoinReq {
            sys: self.config.name.clone(),
            uuid: superblock.uuid.to_string(),
            rank: superblock.rank().unwrap_or(u32::MAX),
            uri: ready.uri.clone(),
            nctxs: ready.nctxs,
            addr: self.address.clone(),
            srv_fault_domain: self.config.fault_path.clone(),
            idx: u32::try_from(index).unwrap_or(u32::MAX),
            incarnation: ready.incarnation,
            secondary_uris: ready.secondary_uris.clone(),
            secondary_nctxs: ready.secondary_nctxs.clone(),
            check_mode: ready.check_mode,
            replace: false,
        };
        let deadline = tokio::time::Instant::now() + JOIN_TOTAL;
        let mut failures = 0_u32;
        loop {
            let error = match self.join_once(&request).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let passing = matches!(
                error.code(),
                Der::UNREACH | Der::TIMEDOUT | Der::NO_SERVICE | Der::AGAIN | Der::NOTREPLICA | Der::NOTLEADER
            );
            if !passing || tokio::time::Instant::now() >= deadline {
                return Err(error.at("joining the system"));
            }
            if failures.is_multiple_of(LOG_EVERY) {
                tracing::warn!("engine {index} can't join yet: {error}");
            }
            failures += 1;
            tokio::time::sleep(JOIN_PAUSE).await;
        }
    }

    async fn join_once(self: &Arc<Server>, request: &JoinReq) -> Result<JoinResp> {
        if self.is_replica {
            return self.mgmt().join(request.clone(), None);
        }
        self.ask_leader(|mut client| {
            let request = request.clone();
            async move { client.join(request).await }
        })
        .await
    }

    /// Asks the host that holds the database.
    ///
    /// # Errors
    /// Those of [`ask_mgmt`].
    pub async fn ask_leader<T, F, Fut>(&self, ask: F) -> Result<T>
    where
        F: Fn(MgmtClient) -> Fut,
        Fut: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    {
        let leader = self.config.replicas.get(..1).unwrap_or_default();
        ask_mgmt(leader, Component::Server, ATTEMPT, ask).await
    }

    /// Says that an engine of this host may lack the group map.
    pub(crate) fn group_changed(&self) {
        self.group_wake.notify_one();
    }

    /// Logs a RAS event and delivers it to the management service.
    pub async fn raise(self: &Arc<Server>, event: RasEvent) {
        events::log(&event);
        let sequence = {
            let mut next = self.event_sequence.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next
        };
        let request = ClusterEventReq { sequence, event: Some(event) };
        let outcome = match self.is_replica {
            true => self.mgmt().cluster_event(&request).map(|_| ()),
            false => self.send_event(request).await,
        };
        if let Err(error) = outcome {
            tracing::debug!("RAS event not delivered: {error}");
        }
    }

    async fn send_event(&self, request: ClusterEventReq) -> Result<()> {
        self.ask_leader(|mut client| {
            let request = request.clone();
            async move { client.cluster_event(request).await }
        })
        .await
        .map(|_| ())
    }

    /// Reports that an engine ended unasked. Doesn't wait for the report: the restart must not. The incarnation in it
    /// tells a late report from one about the next life.
    pub(crate) fn engine_died(self: &Arc<Server>, instance: &Instance, reason: &Error) {
        let status = instance.status();
        let Some(rank) = status.rank else { return };
        let event = events::engine_died(rank, status.incarnation, instance.index, reason);
        let server = Arc::clone(self);
        tokio::spawn(async move { server.raise(event).await });
    }

    pub(crate) fn join_failed(self: &Arc<Server>, instance: &Instance, reason: &Error) {
        let event = events::join_failed(instance.index, reason);
        let server = Arc::clone(self);
        tokio::spawn(async move { server.raise(event).await });
    }

    /// Waits until the server is asked to stop.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        let _ = stopping.wait_for(|stop| *stop).await;
    }

    /// The group map as engines take it.
    fn group_map(system: &System) -> GroupUpdateReq {
        let state = system.state();
        let engines = state
            .group()
            .map(|member| group_update_req::Engine {
                rank: member.rank,
                uri: member.uri.clone(),
                incarnation: member.incarnation,
            })
            .collect();
        GroupUpdateReq { map_version: state.map_version, engines }
    }

    /// The group map from the host that holds the database.
    async fn fetch_group_map(&self) -> Result<GroupUpdateReq> {
        let query = SystemQueryReq { sys: self.config.name.clone(), ..Default::default() };
        let response = self
            .ask_leader(|mut client| {
                let query = query.clone();
                async move { client.system_query(query).await }
            })
            .await?;
        let engines = response
            .members
            .into_iter()
            .filter(|member| !matches!(member.state.as_str(), "awaitformat" | "excluded" | "adminexcluded"))
            .map(|member| group_update_req::Engine {
                rank: member.rank,
                uri: member.fabric_uri,
                incarnation: member.incarnation,
            })
            .collect();
        Ok(GroupUpdateReq { map_version: u32::try_from(response.data_version).unwrap_or(u32::MAX), engines })
    }
}

/// Keeps the engines of this host supplied with the group map.
async fn distribute_group_map(server: Arc<Server>) {
    // Map version and process that each engine got last.
    let mut sent: Vec<(u32, Option<u32>)> = vec![(0, None); server.instances.len()];
    let mut failures = 0_u32;
    loop {
        let joined: Vec<_> = server.instances.iter().filter(|instance| instance.is_joined()).cloned().collect();
        let outcome = match joined.is_empty() {
            true => Ok(()),
            false => send_group_map(&server, &joined, &mut sent).await,
        };
        let pause = match outcome {
            Ok(()) => {
                failures = 0;
                (!server.is_replica && !joined.is_empty()).then_some(GROUP_POLL)
            }
            Err(error) => {
                if failures.is_multiple_of(LOG_EVERY) {
                    tracing::warn!("group map not delivered: {error}");
                }
                failures += 1;
                Some(GROUP_RETRY)
            }
        };
        let system = server.system().ok();
        let map_changed = async {
            match &system {
                Some(system) => system.map_changed().await,
                None => std::future::pending().await,
            }
        };
        let timer = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = server.group_wake.notified() => {}
            () = map_changed => {}
            () = timer => {}
        }
    }
}

/// Comes back to pools that could not be destroyed at once.
async fn finish_destroying(server: Arc<Server>) {
    loop {
        tokio::time::sleep(DESTROY_RETRY).await;
        server.mgmt().finish_destroying().await;
    }
}

async fn send_group_map(
    server: &Arc<Server>,
    engines: &[Arc<Instance>],
    sent: &mut [(u32, Option<u32>)],
) -> Result<()> {
    let map = match server.is_replica {
        true => Server::group_map(&*server.system()?),
        false => server.fetch_group_map().await?,
    };
    let mut result = Ok(());
    for instance in engines {
        let mark = (map.map_version, instance.status().pid);
        let Some(last) = sent.get_mut(instance.index) else { continue };
        if *last == mark {
            continue;
        }
        match instance.group_update(&map).await {
            Ok(()) => *last = mark,
            Err(error) => result = Err(error),
        }
    }
    result
}

/// A running server.
pub struct Running {
    /// What runs.
    pub server: Arc<Server>,
    tasks: JoinSet<()>,
    engines: JoinSet<()>,
}

impl Running {
    /// Stops engines, then listeners, and waits for them.
    pub async fn stop(self) {
        self.end(Wanted::Exit).await;
    }

    /// As [`Running::stop`], but kills the engines: what they hold isn't needed any more.
    pub async fn kill(self) {
        self.end(Wanted::ExitNow).await;
    }

    async fn end(mut self, how: Wanted) {
        for instance in &self.server.instances {
            instance.want(how);
        }
        while self.engines.join_next().await.is_some() {}
        let _ = self.server.stopping.send(true);
        // Listeners end by themselves; the rest is cut off.
        let deadline = tokio::time::sleep(Duration::from_millis(500));
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                next = self.tasks.join_next() => if next.is_none() { return },
                () = &mut deadline => {
                    self.tasks.shutdown().await;
                    return;
                }
            }
        }
    }
}

/// The gRPC listener that the configuration asks for.
///
/// # Errors
/// `BUSY` when the port is taken; `NONEXIST` for an unknown interface.
pub async fn bind_control(config: &ServerConfig) -> Result<TcpListener> {
    let ip = match &config.control_iface {
        None => Ipv4Addr::UNSPECIFIED,
        Some(name) => interface_address(name)?,
    };
    let address = SocketAddr::new(IpAddr::V4(ip), config.port);
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Der::BUSY.err(format!(
            "control port {} is taken by another program; stop it (another daos_server?), or set another `port`",
            config.port
        )),
        _ => Error::from(error).at(format!("listening on {address}")),
    })
}

fn interface_address(name: &str) -> Result<Ipv4Addr> {
    let list = sys::interfaces().map_err(|error| Error::from(error).at("network interfaces"))?;
    let names: Vec<&str> = list.iter().map(|interface| interface.name.as_str()).collect();
    list.iter().find(|interface| interface.name == name).map(|interface| interface.address).ok_or_else(|| {
        Der::NONEXIST
            .err(format!("control_iface {name:?} isn't up with an IPv4 address; those that are: {}", names.join(", ")))
    })
}

/// Starts the server on `listener`.
///
/// # Errors
/// `NONEXIST` when `socket_dir` isn't there, `BUSY` when another server uses it, or what the system says.
pub async fn start(config: ServerConfig, listener: TcpListener) -> Result<Running> {
    let drpc_listener = bind_drpc(&config)?;
    let (is_replica, address) = place_in_system(&config).await;
    let instances = (0..config.engines.len()).map(|index| Arc::new(Instance::new(index))).collect();
    let server = Arc::new(Server {
        config,
        instances,
        address,
        is_replica,
        system: RwLock::new(None),
        pool_serial: tokio::sync::Mutex::new(()),
        group_wake: Notify::new(),
        stopping: watch::Sender::new(false),
        event_sequence: Mutex::new(0),
    });
    if server.config.replicas.len() > 1 {
        tracing::warn!(
            "the system database isn't replicated in this version: {} alone holds it",
            server.config.replicas.first().map_or("", String::as_str)
        );
    }
    let mut tasks = JoinSet::new();
    let calls = Arc::new(EngineCalls::new(Arc::clone(&server)));
    let stop = Arc::clone(&server);
    tasks.spawn(async move {
        if let Err(error) = daos_proto::drpc::serve(drpc_listener, calls, stop.stopped()).await {
            tracing::error!("dRPC listener: {error}");
        }
    });
    let grpc = Arc::clone(&server);
    tasks.spawn(async move {
        if let Err(error) = serve_grpc(grpc, listener).await {
            tracing::error!("gRPC listener: {error}");
        }
    });
    tasks.spawn(distribute_group_map(Arc::clone(&server)));
    if server.is_replica {
        tasks.spawn(finish_destroying(Arc::clone(&server)));
    }
    let mut engines = JoinSet::new();
    for instance in &server.instances {
        engines.spawn(supervise(Arc::clone(&server), Arc::clone(instance)));
    }
    Ok(Running { server, tasks, engines })
}

fn bind_drpc(config: &ServerConfig) -> Result<Listener> {
    let dir = &config.socket_dir;
    if !dir.is_dir() {
        return Err(Der::NONEXIST.err(format!("socket_dir {} doesn't exist; make it, or set another", dir.display())));
    }
    let listener = Listener::bind(dir.join(SERVER_SOCKET), 0o600)?;
    // Only now: the bind shows that no other server lives here.
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("daos_engine") && name.ends_with(".sock") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(listener)
}

/// Whether this host holds the database, and the address by which it is known.
async fn place_in_system(config: &ServerConfig) -> (bool, String) {
    for (index, replica) in config.replicas.iter().enumerate() {
        if is_own_address(replica, config.port).await {
            return (index == 0, replica.clone());
        }
    }
    (false, format!("0.0.0.0:{}", config.port))
}

/// Whether `host:port` is this host and our port: an address is ours if a socket can be bound to it.
async fn is_own_address(address: &str, port: u16) -> bool {
    let Ok(found) = tokio::net::lookup_host(address).await else {
        tracing::warn!("mgmt_svc_replicas: {address} can't be resolved");
        return false;
    };
    found.into_iter().any(|a| a.port() == port && std::net::UdpSocket::bind(SocketAddr::new(a.ip(), 0)).is_ok())
}

async fn serve_grpc(server: Arc<Server>, listener: TcpListener) -> Result<(), tonic::transport::Error> {
    let mgmt = MgmtSvcServer::new(server.mgmt())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let ctl = CtlSvcServer::new(Ctl::new(Arc::clone(&server)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .add_service(InterceptedService::new(mgmt, version::check_caller))
        .add_service(InterceptedService::new(ctl, version::check_caller))
        .serve_with_incoming_shutdown(incoming, async move { server.stopped().await })
        .await
}
