//! The service thread: context 0 of the engine.
//!
//! It knows the system (rank, group map), makes and deletes this rank's shares of pools ([`rank_pools`]), runs the pool
//! services whose replica is here ([`crate::pool`]), answers what daos_server asks by dRPC ([`crate::drpc`]) and asks
//! daos_server what only the management service knows ([`find`]).

pub mod broadcast;
mod debug;
pub mod find;
pub mod group;
pub mod rank_pools;

use crate::budget::Budget;
use crate::drpc::client::ServerClient;
use crate::mailbox::{Inbox, Remote, mailbox};
use crate::pool::{self, PoolService};
use crate::storage::{PoolRecord, Storage};
use crate::target::{Target, TargetReady, ping};
use crate::telemetry::{self, Counters, Gauge};
use crate::tier::DataTier;
use daos_common::hlc::Clock;
use daos_common::wire::mgmt::{GroupMapRequest, RankInfoReply, RankInfoRequest};
use daos_common::wire::{self, Opcode};
use daos_common::{Der, Error, Rank, Result};
use daos_fabric::{Endpoint, FabricConfig, Incoming, RemoteWaker, Runtime};
use daos_vos::Durability;
use futures_channel::oneshot;
use futures_util::future::LocalBoxFuture;
use group::Group;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use uuid::Uuid;

/// Requests worked on at once; more wait in the fabric.
const IN_FLIGHT_REQUESTS: u64 = 4096;

/// What the service thread is started with.
pub struct ServiceSetup {
    /// Fabric context 0.
    pub fabric: FabricConfig,
    /// Name of the system.
    pub system: String,
    /// The engine's clock.
    pub clock: Arc<Clock>,
    /// The engine's directory.
    pub storage: Storage,
    /// The data tier.
    pub tier: Option<Arc<DataTier>>,
    /// What commits survive.
    pub durability: Durability,
    /// The way to daos_server.
    pub server: ServerClient,
    /// Timeout of a request to another engine.
    pub timeout: Duration,
    /// Its counters.
    pub counters: Arc<Counters>,
    /// The metric of the rank.
    pub rank: Gauge,
}

/// What a started service thread tells.
pub struct ServiceReady {
    /// URI of context 0.
    pub uri: String,
    /// Its door.
    pub remote: Remote<Service>,
}

/// State of the service thread.
pub struct Service {
    /// Its executor.
    pub runtime: Runtime,
    /// Wakes it.
    pub home: RemoteWaker,
    /// The engine's clock.
    pub clock: Arc<Clock>,
    /// The way to daos_server.
    pub server: ServerClient,
    /// Timeout of a request to another engine.
    pub timeout: Duration,
    /// Name of the system.
    pub system: String,
    /// What commits survive.
    pub durability: Durability,
    /// Changes with every start.
    pub incarnation: u64,
    counters: Arc<Counters>,
    rank_gauge: Gauge,
    storage: Storage,
    tier: RefCell<Option<Arc<DataTier>>>,
    targets: RefCell<Vec<Remote<Target>>>,
    uris: RefCell<Vec<String>>,
    rank: Cell<Rank>,
    up: Cell<bool>,
    group: RefCell<Group>,
    records: RefCell<HashMap<Uuid, PoolRecord>>,
    pools: RefCell<HashMap<Uuid, Result<Rc<PoolService>>>>,
    /// Held while pools are made or deleted on this rank: one at a time.
    changing: futures_util::lock::Mutex<()>,
    stop: RefCell<Option<oneshot::Sender<()>>>,
}

/// The service thread, from start to stop. Tells `ready` once.
///
/// # Errors
/// What opening the endpoint says.
pub fn run(setup: ServiceSetup, ready: &SyncSender<Result<ServiceReady>>) -> Result<()> {
    let (service, inbox, stopped) = match open(setup) {
        Ok((service, remote, inbox, stopped)) => {
            let uri = service.runtime.endpoint().uri();
            service.uris.borrow_mut().push(uri.clone());
            let _ = ready.send(Ok(ServiceReady { uri, remote }));
            (service, inbox, stopped)
        }
        Err(error) => {
            let _ = ready.send(Err(error.clone()));
            return Err(error);
        }
    };
    let runtime = service.runtime.clone();
    let jobs = runtime.spawn(inbox.serve(service.clone(), runtime.clone()));
    let accepting = runtime.spawn(accept(service.clone()));
    runtime.block_on(async {
        let _ = stopped.await;
        drop(accepting);
        // What is being committed is synchronous; what waits for others ends with the process.
        runtime.sleep(Duration::from_millis(10)).await;
    });
    drop(jobs);
    service.pools.borrow_mut().clear();
    service.tier.take();
    service.storage.release();
    Ok(())
}

type Opened = (Rc<Service>, Remote<Service>, Inbox<Service>, oneshot::Receiver<()>);

fn open(setup: ServiceSetup) -> Result<Opened> {
    let endpoint = Endpoint::open(&setup.fabric)?;
    let runtime = Runtime::new(endpoint)?;
    let (remote, inbox) = mailbox(&runtime);
    let (stop, stopped) = oneshot::channel();
    let service = Service {
        home: runtime.remote_waker(),
        runtime,
        incarnation: setup.clock.now(),
        clock: setup.clock,
        server: setup.server,
        timeout: setup.timeout,
        system: setup.system,
        durability: setup.durability,
        counters: setup.counters,
        rank_gauge: setup.rank,
        storage: setup.storage,
        tier: RefCell::new(setup.tier),
        targets: RefCell::default(),
        uris: RefCell::default(),
        rank: Cell::new(Rank::NONE),
        up: Cell::new(false),
        group: RefCell::default(),
        records: RefCell::default(),
        pools: RefCell::default(),
        changing: futures_util::lock::Mutex::new(()),
        stop: RefCell::new(Some(stop)),
    };
    Ok((Rc::new(service), remote, inbox, stopped))
}

/// Takes requests as long as there is room for them, each into a task of its own.
async fn accept(service: Rc<Service>) {
    let endpoint = service.runtime.endpoint().clone();
    let requests = Budget::new(IN_FLIGHT_REQUESTS);
    loop {
        let held = requests.take(1).await;
        let incoming = endpoint.accept().await;
        let own = service.clone();
        let task = async move {
            serve(&own, incoming).await;
            drop(held);
        };
        service.runtime.spawn(task).detach();
    }
}

async fn serve(service: &Rc<Service>, incoming: Incoming) {
    if incoming.opcode == Opcode::Ping as u16 {
        return ping(incoming);
    }
    let outcome = match Opcode::from_number(incoming.opcode) {
        Some(opcode) => service.clone().execute(opcode, incoming.message.body().to_vec()).await,
        None => Err(Der::UNREG.err(format!("no operation has the number {}", incoming.opcode))),
    };
    telemetry::add(&service.counters.service_requests, 1);
    match outcome {
        Ok(body) => incoming.reply(&body, &[]),
        Err(error) => {
            telemetry::add(&service.counters.errors, 1);
            if matches!(error.code(), Der::PROTO | Der::UNREG) {
                telemetry::add(&service.counters.malformed, 1);
            }
            tracing::debug!("operation {}: {error}", incoming.opcode);
            incoming.fail(&error);
        }
    }
}

impl Service {
    /// Gives the thread its targets, by index.
    pub fn set_targets(&self, targets: Vec<TargetReady>) {
        for target in targets {
            self.uris.borrow_mut().push(target.uri);
            self.targets.borrow_mut().push(target.remote);
        }
    }

    /// URIs of the contexts.
    pub fn uris(&self) -> Vec<String> {
        self.uris.borrow().clone()
    }

    /// The rank; [`Rank::NONE`] until daos_server has told it.
    pub fn rank(&self) -> Rank {
        self.rank.get()
    }

    /// Takes the rank that the system gave this engine.
    ///
    /// # Errors
    /// `ALREADY`: it has another one.
    pub fn set_rank(&self, rank: Rank) -> Result<()> {
        let known = self.rank.get();
        if known != Rank::NONE && known != rank {
            return Err(Der::ALREADY.err(format!("this engine is rank {known}, it cannot become rank {rank}")));
        }
        self.rank.set(rank);
        self.rank_gauge.set(u64::from(rank.0));
        Ok(())
    }

    /// Opens the engine for service.
    pub fn set_up(&self) {
        self.up.set(true);
    }

    /// Asks the thread to stop.
    pub fn stop(&self) {
        if let Some(stop) = self.stop.borrow_mut().take() {
            let _ = stop.send(());
        }
    }

    /// Carries out an operation of context 0, whoever asks for it.
    pub fn execute(self: Rc<Self>, opcode: Opcode, body: Vec<u8>) -> LocalBoxFuture<'static, Result<Vec<u8>>> {
        Box::pin(async move {
            let served_early = matches!(opcode, Opcode::RankInfo | Opcode::GroupMap);
            if !served_early && !self.up.get() {
                return Err(Der::INPROGRESS.err("the engine is not up yet; daos_server has not released it"));
            }
            match opcode {
                Opcode::RankInfo => encode(self.rank_info(&wire::decode(&body)?)),
                Opcode::GroupMap => encode(self.learn_group(wire::decode(&body)?)),
                Opcode::Debug => encode(self.debug(wire::decode(&body)?).await),
                Opcode::PoolFind => encode(self.pool_find(wire::decode(&body)?).await),
                Opcode::PoolList => encode(self.pool_list(wire::decode(&body)?).await),
                Opcode::TargetCreate => encode(self.target_create(wire::decode(&body)?).await),
                Opcode::TargetDestroy => encode(self.target_destroy(wire::decode(&body)?).await),
                Opcode::MgmtForward => encode(crate::drpc::mgmt::forwarded(&self, wire::decode(&body)?).await),
                Opcode::PoolTargetQuery => encode(self.target_space(wire::decode(&body)?).await),
                Opcode::PoolHandleRevoke => encode(self.handle_revoke(wire::decode(&body)?).await),
                Opcode::ContTargetHistory => encode(self.cont_history(wire::decode(&body)?).await),
                Opcode::ContTargetDestroy => encode(self.cont_target_destroy(wire::decode(&body)?).await),
                _ => pool::execute(&self, opcode, &body).await,
            }
        })
    }

    fn rank_info(&self, request: &RankInfoRequest) -> Result<RankInfoReply> {
        if !request.system.is_empty() && request.system != self.system {
            let message = format!("this engine belongs to system {:?}, not {:?}", self.system, request.system);
            return Err(Der::INVAL.err(message));
        }
        let context_uris = self.uris.borrow().clone();
        Ok(RankInfoReply { rank: self.rank.get(), incarnation: self.incarnation, context_uris })
    }

    fn learn_group(&self, request: GroupMapRequest) -> Result<()> {
        self.group.borrow_mut().learn(request.version, request.members);
        Ok(())
    }

    /// The pool service of a pool whose replica is here.
    ///
    /// # Errors
    /// `NONEXIST`: no such pool on this rank; `NOTREPLICA`: its service is elsewhere; why it is out of service.
    pub fn pool(&self, pool: Uuid) -> Result<Rc<PoolService>> {
        match self.pools.borrow().get(&pool) {
            Some(Ok(service)) => Ok(service.clone()),
            Some(Err(error)) => Err(error.clone()),
            None => match self.records.borrow().get(&pool) {
                Some(record) => {
                    let ranks = &record.service_ranks;
                    Err(Der::NOTREPLICA.err(format!("the service of pool {pool} is on ranks {ranks:?}")))
                }
                None => Err(Der::NONEXIST.err(format!("pool {pool} is not on rank {}", self.rank.get()))),
            },
        }
    }

    /// Puts a pool service in place.
    pub fn add_pool(&self, pool: Uuid, service: Result<Rc<PoolService>>) {
        if let Err(error) = &service {
            tracing::error!("the service of pool {pool} is out of service: {error}");
        }
        self.pools.borrow_mut().insert(pool, service);
    }

    /// Pools with a service on this rank that runs.
    pub fn pool_services(&self) -> Vec<Rc<PoolService>> {
        self.pools.borrow().values().filter_map(|service| service.as_ref().ok().cloned()).collect()
    }

    /// The engine's directory.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }
}

/// Encodes an outcome.
///
/// # Errors
/// The outcome's error.
pub fn encode<T: Serialize>(outcome: Result<T, Error>) -> Result<Vec<u8>> {
    wire::encode(&outcome?)
}
