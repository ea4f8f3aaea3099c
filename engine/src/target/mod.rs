//! A target: one thread, one fabric context, one share of every pool.
//!
//! The thread owns everything it touches: the stores of its shares, the ring to the data tier, the handles it knows.
//! Requests of clients reach it directly ([`crate::object`]); the service thread reaches it through its
//! [`Remote`] for what happens to whole pools and containers.

pub mod aggregation;
pub mod handles;
pub mod history;
pub mod operations;
pub mod share;

use crate::budget::Budget;
use crate::clock;
use crate::dtx;
use crate::dtx::peers::Peers;
use crate::mailbox::{Inbox, Remote, mailbox};
use crate::service::Service;
use crate::telemetry::{self, Counters, Requests};
use crate::tier::DataTier;
use daos_blob::Ring;
use daos_common::hlc::Clock;
use daos_common::wire::Opcode;
use daos_common::wire::pool::TierSpace;
use daos_common::wire::tx::TxTarget;
use daos_common::{Der, Error, Rank, Result};
use daos_fabric::{Endpoint, FabricConfig, Incoming, Poller, RemoteWaker, Runtime};
use daos_vos::{Durability, PoolConfig, VosPool};
use futures_channel::oneshot;
use handles::Grant;
use operations::Operations;
use share::Share;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Bytes of data that requests of one target may have in flight.
const IN_FLIGHT_BYTES: u64 = 64 << 20;
/// Requests that a target works on at once; more wait in the fabric.
const IN_FLIGHT_REQUESTS: u64 = 1024;
/// Depth of the ring to the data tier.
const RING_DEPTH: u32 = 128;
/// How long a stopping thread waits for requests in progress.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// What a target thread is started with.
pub struct TargetSetup {
    /// Number within the engine.
    pub index: u32,
    /// Its fabric context; no fixed port.
    pub fabric: FabricConfig,
    /// The engine's clock.
    pub clock: Arc<Clock>,
    /// The data tier.
    pub tier: Option<Arc<DataTier>>,
    /// What commits survive.
    pub durability: Durability,
    /// Its counters.
    pub counters: Arc<Counters>,
    /// Metrics of its updates.
    pub updates: Requests,
    /// Metrics of its fetches.
    pub fetches: Requests,
    /// Age that versions reach before they are merged in the background.
    pub aggregation_gap: Duration,
}

/// What a started target thread tells.
pub struct TargetReady {
    /// URI of its context.
    pub uri: String,
    /// Its door.
    pub remote: Remote<Target>,
}

/// State of a target thread.
pub struct Target {
    /// Number within the engine.
    pub index: u32,
    /// Its executor.
    pub runtime: Runtime,
    /// The engine's clock.
    pub clock: Arc<Clock>,
    /// Its counters.
    pub counters: Arc<Counters>,
    /// Metrics of its updates.
    pub updates: Requests,
    /// Metrics of its fetches.
    pub fetches: Requests,
    /// Bounds the bytes of data in flight.
    pub budget: Rc<Budget>,
    /// Updates and punches done and under way, to recognise resends.
    pub operations: Operations,
    /// Ways to other targets.
    pub peers: Peers,
    /// Requests that wait for the outcome of a transaction.
    pub waiting: dtx::Places,
    /// Transactions under way that this target leads.
    pub leading: dtx::Places,
    home: RemoteWaker,
    requests: Rc<Budget>,
    ring: Option<Ring>,
    tier: RefCell<Option<Arc<DataTier>>>,
    durability: Durability,
    service: OnceCell<Remote<Service>>,
    rank: Cell<Rank>,
    shares: RefCell<HashMap<Uuid, Rc<Share>>>,
    stop: RefCell<Option<oneshot::Sender<()>>>,
}

/// The ring as a source of completions of the runtime.
struct RingPoller(Ring);

impl Poller for RingPoller {
    fn poll(&self) -> usize {
        self.0.poll()
    }

    fn fd(&self) -> Option<RawFd> {
        Some(self.0.fd())
    }
}

/// The target thread, from start to stop. Tells `ready` once, when it serves or why it can't.
///
/// # Errors
/// What opening the endpoint or the ring says.
pub fn run(setup: TargetSetup, ready: &SyncSender<Result<TargetReady>>) -> Result<()> {
    let gap = setup.aggregation_gap;
    let (target, inbox, stopped) = match open(setup) {
        Ok((target, remote, inbox, stopped)) => {
            let uri = target.runtime.endpoint().uri();
            let _ = ready.send(Ok(TargetReady { uri, remote }));
            (target, inbox, stopped)
        }
        Err(error) => {
            let _ = ready.send(Err(error.clone()));
            return Err(error);
        }
    };
    let runtime = target.runtime.clone();
    let jobs = runtime.spawn(inbox.serve(target.clone(), runtime.clone()));
    let accepting = runtime.spawn(accept(target.clone()));
    let merging = runtime.spawn(aggregation::run(Rc::downgrade(&target), gap));
    runtime.block_on(async {
        let _ = stopped.await;
        drop(accepting);
        drop(merging);
        target.drain().await;
    });
    drop(jobs);
    target.shares.borrow_mut().clear();
    target.tier.take();
    Ok(())
}

type Opened = (Rc<Target>, Remote<Target>, Inbox<Target>, oneshot::Receiver<()>);

fn open(setup: TargetSetup) -> Result<Opened> {
    let endpoint = Endpoint::open(&setup.fabric)?;
    let runtime = Runtime::new(endpoint)?;
    let ring = match &setup.tier {
        Some(_) => {
            let ring = Ring::new(RING_DEPTH)?;
            runtime.add_poller(Rc::new(RingPoller(ring.clone())))?;
            Some(ring)
        }
        None => None,
    };
    let (remote, inbox) = mailbox(&runtime);
    let (stop, stopped) = oneshot::channel();
    let target = Rc::new(Target {
        index: setup.index,
        home: runtime.remote_waker(),
        runtime,
        clock: setup.clock,
        counters: setup.counters,
        updates: setup.updates,
        fetches: setup.fetches,
        budget: Budget::new(IN_FLIGHT_BYTES),
        operations: Operations::default(),
        peers: Peers::default(),
        waiting: dtx::Places::default(),
        leading: dtx::Places::default(),
        rank: Cell::new(Rank::NONE),
        requests: Budget::new(IN_FLIGHT_REQUESTS),
        ring,
        tier: RefCell::new(setup.tier),
        durability: setup.durability,
        service: OnceCell::new(),
        shares: RefCell::default(),
        stop: RefCell::new(Some(stop)),
    });
    Ok((target, remote, inbox, stopped))
}

/// Takes requests as long as there is room for them, each into a task of its own.
async fn accept(target: Rc<Target>) {
    let endpoint = target.runtime.endpoint().clone();
    loop {
        let held = target.requests.take(1).await;
        let incoming = endpoint.accept().await;
        let own = target.clone();
        let task = async move {
            serve(&own, incoming).await;
            drop(held);
        };
        target.runtime.spawn(task).detach();
    }
}

async fn serve(target: &Rc<Target>, incoming: Incoming) {
    match Opcode::from_number(incoming.opcode) {
        Some(Opcode::Ping) => ping(incoming),
        Some(
            opcode @ (Opcode::TxEpoch | Opcode::TxCommit | Opcode::TxPrepare | Opcode::TxDecide | Opcode::TxStatus),
        ) => dtx::serve(target, opcode, incoming).await,
        Some(opcode) => crate::object::serve(target, opcode, incoming).await,
        None => {
            telemetry::add(&target.counters.malformed, 1);
            let number = incoming.opcode;
            incoming.fail(&Der::UNREG.err(format!("no operation has the number {number}")));
        }
    }
}

/// Answers a ping: the payload comes back.
pub fn ping(incoming: Incoming) {
    let payload = incoming.message.payload().to_vec();
    incoming.reply(&[], &[&payload]);
}

impl Target {
    /// Gives the target the way to its service thread; the first call counts.
    pub fn set_service(&self, service: Remote<Service>) {
        let _ = self.service.set(service);
    }

    /// Asks the thread to stop; it ends when requests in progress are done.
    pub fn stop(&self) {
        if let Some(stop) = self.stop.borrow_mut().take() {
            let _ = stop.send(());
        }
    }

    async fn drain(&self) {
        let deadline = Instant::now() + STOP_PATIENCE;
        while self.requests.used() > 0 && Instant::now() < deadline {
            self.runtime.sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks the service thread about a container handle.
    ///
    /// # Errors
    /// `NO_HDL`: there is no such handle; what reaching the pool service says.
    pub async fn check_handle(&self, pool: Uuid, handle: Uuid) -> Result<daos_common::wire::pool::HandleCheckReply> {
        let Some(service) = self.service.get() else {
            return Err(Der::INPROGRESS.err("the engine is starting"));
        };
        service.ask(&self.home, move |service| async move { service.check_handle(pool, handle).await }).await
    }

    /// A share and what a container handle allows on it.
    ///
    /// # Errors
    /// As [`Target::share`], [`Target::check_handle`]; why the share is out of service.
    pub async fn grant(&self, pool: Uuid, handle: Uuid) -> Result<(Rc<Share>, Grant)> {
        let share = self.share(pool)?;
        share.store()?;
        let check = || async {
            let reply = self.check_handle(pool, handle).await?;
            share.learn_map_version(reply.map_version);
            share.history(reply.cont).learn(reply.history.clone());
            Ok(reply)
        };
        let grant = share.handles.grant(handle, check).await?;
        Ok((share, grant))
    }

    /// That a message for `to` is for this target.
    ///
    /// # Errors
    /// `BAD_TARGET`: it is for another; `INPROGRESS`: the engine is starting.
    pub async fn check_addressee(&self, to: TxTarget) -> Result<()> {
        if self.rank.get() == Rank::NONE {
            let Some(service) = self.service.get() else {
                return Err(Der::INPROGRESS.err("the engine is starting"));
            };
            self.rank.set(service.ask(&self.home, |service| async move { Ok(service.rank()) }).await?);
        }
        if self.rank.get() == Rank::NONE {
            return Err(Der::INPROGRESS.err("the engine has not joined the system yet"));
        }
        match to.rank == self.rank.get() && to.target == self.index {
            true => Ok(()),
            false => Err(Der::BAD_TARGET.err(format!("a message for target {} of rank {}", to.target, to.rank))),
        }
    }

    /// URIs of a rank's contexts.
    ///
    /// # Errors
    /// What the rank or reaching it says; `OOG`: it is not in the group map.
    pub async fn context_uris(&self, rank: Rank) -> Result<Vec<String>> {
        let Some(service) = self.service.get() else { return Err(Der::INPROGRESS.err("the engine is starting")) };
        service.ask(&self.home, move |service| async move { service.context_uris(rank).await }).await
    }

    /// Asks the service thread which epochs of a container are still needed.
    ///
    /// # Errors
    /// As [`Service::fetch_history`].
    pub async fn fetch_history(&self, pool: Uuid, cont: Uuid) -> Result<daos_common::wire::history::ContHistory> {
        let Some(service) = self.service.get() else {
            return Err(Der::INPROGRESS.err("the engine is starting"));
        };
        service.ask(&self.home, move |service| async move { service.fetch_history(pool, cont).await }).await
    }

    /// The shares that are in service.
    pub fn share_list(&self) -> Vec<Rc<Share>> {
        self.shares.borrow().values().filter(|share| share.store().is_ok()).cloned().collect()
    }

    /// The ring to the data tier.
    pub fn ring(&self) -> Option<&Ring> {
        self.ring.as_ref()
    }

    /// This target's share of a pool.
    ///
    /// # Errors
    /// `NONEXIST`: the pool has no share here; why the share is out of service.
    pub fn share(&self, pool: Uuid) -> Result<Rc<Share>> {
        match self.shares.borrow().get(&pool) {
            Some(share) => Ok(share.clone()),
            None => Err(Der::NONEXIST.err(format!("pool {pool} has no share on target {}", self.index))),
        }
    }

    /// Makes the store of a new share and closes it again.
    ///
    /// # Errors
    /// As [`VosPool::create`].
    pub fn create_store(&self, config: PoolConfig) -> Result<()> {
        let config = PoolConfig { durability: self.durability, ..config };
        VosPool::create(&config).map(drop).map_err(|error| error.at(config.path.display()))
    }

    /// Opens a share; one that cannot be opened stands for why. Opening one again is no error.
    ///
    /// # Errors
    /// Why it cannot be opened; only this share is out of service then.
    pub fn open_share(self: &Rc<Self>, pool: Uuid, path: PathBuf, blob_bytes: u64) -> Result<()> {
        if self.shares.borrow().get(&pool).is_some_and(|share| share.store().is_ok()) {
            return Ok(());
        }
        let opened = self.recovered_share(pool, &path, blob_bytes).map_err(|error| error.at(path.display()));
        let outcome = opened.as_ref().map(|_| ()).map_err(Error::clone);
        if let Err(error) = &outcome {
            tracing::error!("target {}: pool {pool} is out of service: {error}", self.index);
        }
        let share = opened.unwrap_or_else(|error| Rc::new(Share::new(pool, Err(error), 0)));
        self.shares.borrow_mut().insert(pool, share);
        outcome
    }

    /// A share that goes on with what an earlier run did not get to finish.
    fn recovered_share(self: &Rc<Self>, pool: Uuid, path: &Path, blob_bytes: u64) -> Result<Rc<Share>> {
        let store = self.open_store(pool, path, blob_bytes)?;
        let is_new = store.vos.newest_epoch()? == 0 && store.vos.containers()?.is_empty();
        let opened_at = if is_new { 0 } else { self.clock.now() };
        let share = Rc::new(Share::new(pool, Ok(store), opened_at));
        dtx::recovery::recover(self, &share)?;
        share::reclaim_in_background(&share, &self.runtime);
        Ok(share)
    }

    fn open_store(&self, pool: Uuid, path: &Path, blob_bytes: u64) -> Result<share::Store> {
        let vos = VosPool::open(path, self.durability)?;
        if vos.pool() != pool {
            return Err(Der::DF_INVAL.err(format!("the store belongs to pool {}, not {pool}", vos.pool())));
        }
        // Before anything is written: what a wall clock that was set back would say hides behind stored versions.
        clock::start_after(&self.clock, vos.newest_epoch()?, path)?;
        let id = daos_blob::BlobId { pool, target: self.index };
        let blob = match (self.tier.borrow().as_ref(), &self.ring) {
            (Some(tier), Some(ring)) if blob_bytes > 0 => Some(tier.device(self.index).blob(id, ring)?),
            _ if blob_bytes > 0 => {
                return Err(
                    Der::NONEXIST.err("the pool has data on the data tier, but the engine was started without (-n)")
                );
            }
            _ => None,
        };
        Ok(share::Store { vos, blob })
    }

    /// Closes a share, when requests on it are done.
    ///
    /// # Errors
    /// `BUSY`: requests on it go on for too long.
    pub async fn close_share(&self, pool: Uuid) -> Result<()> {
        let Some(share) = self.shares.borrow_mut().remove(&pool) else { return Ok(()) };
        share.revoke_all();
        let deadline = Instant::now() + STOP_PATIENCE;
        while Rc::strong_count(&share) > 1 {
            if Instant::now() > deadline {
                return Err(Der::BUSY.err(format!("target {}: requests on pool {pool} do not end", self.index)));
            }
            self.runtime.sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Space of a share: SCM, data tier.
    ///
    /// # Errors
    /// As [`Target::share`].
    pub fn space(&self, pool: Uuid) -> Result<[TierSpace; 2]> {
        let share = self.share(pool)?;
        let space = share.store()?.vos.space();
        Ok([
            TierSpace { total: space.arena_total, free: space.arena_free },
            TierSpace { total: space.blob_total, free: space.blob_free },
        ])
    }

    /// Forgets container handles.
    pub fn revoke(&self, pool: Uuid, handles: &[Uuid]) {
        if let Ok(share) = self.share(pool) {
            share.handles.revoke(handles);
        }
    }

    /// Takes note of a newer version of the pool's map.
    pub fn learn_map_version(&self, pool: Uuid, version: u32) {
        if let Ok(share) = self.share(pool) {
            share.learn_map_version(version);
        }
    }

    /// Drops this target's part of a container; its space is freed in the background.
    ///
    /// # Errors
    /// As [`Target::share`]; `BUSY`: requests on it go on for too long.
    pub async fn destroy_container(&self, pool: Uuid, cont: Uuid) -> Result<()> {
        let share = self.share(pool)?;
        share.destroy_container(cont, &self.runtime).await?;
        share::reclaim_in_background(&share, &self.runtime);
        Ok(())
    }
}
