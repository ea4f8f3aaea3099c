//! One engine of this host, from unformatted storage to a member of the system, and back.
//!
//! A task per engine runs [`supervise`]: it waits for a superblock, starts the process, takes the engine's
//! NOTIFY_READY, has it join, tells it its rank, and waits for it to end. An engine that ends unasked is reported
//! (RAS event) and started again: the first time at once, then at most once per `engine_auto_restart_min_delay`.

use crate::engine_process;
use crate::server::Server;
use crate::storage;
use crate::superblock::Superblock;
use crate::sys;
use crate::system::MemberState;
use daos_common::{Der, Error, Result};
use daos_proto::Message;
use daos_proto::drpc::{AsyncClient, Method};
use daos_proto::mgmt::{DaosResp, GroupUpdateReq, GroupUpdateResp, JoinResp, SetRankReq};
use daos_proto::srv::NotifyReadyReq;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::process::Child;
use tokio::sync::{Mutex, Notify, mpsc, watch};

/// How long an engine may take to end after SIGTERM before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit of a call to an engine that answers from memory.
const SHORT_CALL: Duration = Duration::from_secs(60);
/// Least time between two starts, whatever the configuration says.
const RESTART_FLOOR: Duration = Duration::from_millis(100);

/// What is asked of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The engine runs, and is restarted when it crashes.
    Run,
    /// The engine is stopped: SIGTERM first.
    Stop,
    /// The engine is stopped at once.
    Kill,
    /// The server ends: the engine is stopped and the task returns.
    Exit,
    /// The server ends: the engine is killed and the task returns.
    ExitNow,
}

impl Wanted {
    fn is_end(self) -> bool {
        matches!(self, Wanted::Exit | Wanted::ExitNow)
    }
}

/// What is known of an instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Its state as far as this host knows.
    pub state: MemberState,
    /// Its rank, once it has one.
    pub rank: Option<u32>,
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// The engine's dRPC socket, once it told.
    pub socket: Option<PathBuf>,
    /// Of its last start, once it told.
    pub incarnation: u64,
    /// Why it is in this state.
    pub info: String,
}

/// One engine of this host.
pub struct Instance {
    /// Its number in the configuration.
    pub index: usize,
    status: watch::Sender<Status>,
    wanted: watch::Sender<Wanted>,
    /// Woken when the storage was formatted.
    formatted: Notify,
    ready_in: mpsc::Sender<NotifyReadyReq>,
    ready_out: Mutex<mpsc::Receiver<NotifyReadyReq>>,
}

impl Instance {
    /// Engine number `index`; nothing is started yet.
    pub fn new(index: usize) -> Instance {
        let (ready_in, ready_out) = mpsc::channel(4);
        let status = Status {
            state: MemberState::Unknown,
            rank: None,
            pid: None,
            socket: None,
            incarnation: 0,
            info: String::new(),
        };
        Instance {
            index,
            status: watch::Sender::new(status),
            wanted: watch::Sender::new(Wanted::Run),
            formatted: Notify::new(),
            ready_in,
            ready_out: Mutex::new(ready_out),
        }
    }

    /// What is known of it now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Follows what is known of it.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Asks for something; the task acts on it.
    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|current| {
            let changes = *current != wanted && !current.is_end();
            if changes {
                *current = wanted;
            }
            changes
        });
    }

    /// Asks for the engine to run, also when it failed for good before.
    pub fn start(&self) {
        self.set(|status| {
            if matches!(status.state, MemberState::Errored | MemberState::Stopped) {
                status.state = MemberState::Starting;
                status.info.clear();
            }
        });
        self.want(Wanted::Run);
    }

    /// Forgets the rank: the storage has been formatted anew.
    pub fn forget(&self) {
        self.set(|status| status.rank = None);
    }

    /// Says that the storage has been formatted.
    pub fn storage_formatted(&self) {
        self.formatted.notify_one();
    }

    /// Hands the engine's NOTIFY_READY to the task.
    ///
    /// # Errors
    /// `BUSY` when it sends more of them than can be handled.
    pub fn notify_ready(&self, request: NotifyReadyReq) -> Result<()> {
        self.ready_in
            .try_send(request)
            .map_err(|_| Der::BUSY.err(format!("engine {} sent NOTIFY_READY too often", self.index)))
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(change);
    }

    fn set_state(&self, state: MemberState, info: impl Into<String>) {
        let info = info.into();
        self.set(|status| {
            status.state = state;
            status.info = info;
        });
    }

    /// Whether the engine answers calls.
    pub fn is_joined(&self) -> bool {
        self.status.borrow().state == MemberState::Joined
    }

    /// Calls the engine by dRPC.
    ///
    /// # Errors
    /// `NO_SERVICE` when it isn't up, `TIMEDOUT`, and those of [`AsyncClient::call_message`].
    pub async fn call<R: Message + Default>(
        &self,
        method: Method,
        request: &impl Message,
        limit: Duration,
    ) -> Result<R> {
        let Some(socket) = self.status.borrow().socket.clone() else {
            return Err(Der::NO_SERVICE.err(format!("engine {} of this host isn't running", self.index)));
        };
        let call = async { AsyncClient::connect(socket)?.call_message(method, request).await };
        match tokio::time::timeout(limit, call).await {
            Ok(result) => result,
            Err(_) => Err(Der::TIMEDOUT.err(format!(
                "engine {} didn't answer {method} within {} s",
                self.index,
                limit.as_secs()
            ))),
        }
    }

    /// A call whose answer is only a status.
    ///
    /// # Errors
    /// As [`Instance::call`], and the status when it isn't 0.
    pub async fn command(&self, method: Method, request: &impl Message) -> Result<()> {
        let response: DaosResp = self.call(method, request, SHORT_CALL).await?;
        Error::from_status(response.status, format!("{method} on engine {}", self.index))
    }

    /// Sends the group map.
    ///
    /// # Errors
    /// As [`Instance::command`].
    pub async fn group_update(&self, request: &GroupUpdateReq) -> Result<()> {
        let response: GroupUpdateResp = self.call(Method::GroupUpdate, request, SHORT_CALL).await?;
        Error::from_status(response.status, format!("{} on engine {}", Method::GroupUpdate, self.index))
    }
}

/// Runs engine `instance` until [`Wanted::Exit`] or [`Wanted::ExitNow`].
pub async fn supervise(server: Arc<Server>, instance: Arc<Instance>) {
    let mut wanted = instance.wanted.subscribe();
    let mut last_restart: Option<Instant> = None;
    loop {
        if !wait_until_wanted(&instance, &mut wanted).await {
            return;
        }
        let outcome = match await_storage(&server, &instance, &mut wanted).await {
            Ok(Some(superblock)) => run_engine(&server, &instance, superblock, &mut wanted).await,
            Ok(None) => continue, // asked to stop
            Err(error) => Err(error),
        };
        instance.set(|status| {
            status.pid = None;
            status.socket = None;
        });
        let reason = match outcome {
            Ok(()) => {
                instance.set_state(MemberState::Stopped, "");
                continue;
            }
            Err(error) => error,
        };
        tracing::error!("engine {}: {reason}", instance.index);
        instance.set_state(MemberState::Errored, reason.to_string());
        server.engine_died(&instance, &reason);
        if !may_restart(&server, &reason) {
            // Nothing but a request starts it again.
            instance.want(Wanted::Stop);
            continue;
        }
        let delay = restart_delay(last_restart, &server);
        if delay > RESTART_FLOOR {
            tracing::warn!(
                "engine {} ended twice in a short time: next start in {} s",
                instance.index,
                delay.as_secs()
            );
        }
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            _ = wanted.changed() => {}
        }
        last_restart = Some(Instant::now());
    }
}

/// Whether a restart could help.
fn may_restart(server: &Server, reason: &Error) -> bool {
    let hopeless =
        matches!(reason.code(), Der::NONEXIST | Der::DF_INVAL | Der::DF_INCOMPT | Der::INVAL | Der::EXCLUDED);
    server.config.engine_auto_restart && !hopeless
}

fn restart_delay(last: Option<Instant>, server: &Server) -> Duration {
    let limit = Duration::from_secs(u64::from(server.config.engine_restart_min_delay_s)).max(RESTART_FLOOR);
    match last {
        None => RESTART_FLOOR,
        Some(last) => limit.saturating_sub(last.elapsed()).max(RESTART_FLOOR),
    }
}

/// Waits until the engine is to run; `false` when the server ends.
async fn wait_until_wanted(instance: &Instance, wanted: &mut watch::Receiver<Wanted>) -> bool {
    loop {
        match *wanted.borrow_and_update() {
            Wanted::Run => return true,
            Wanted::Exit | Wanted::ExitNow => return false,
            Wanted::Stop | Wanted::Kill => {}
        }
        if instance.status.borrow().state != MemberState::Errored {
            instance.set_state(MemberState::Stopped, "");
        }
        if wanted.changed().await.is_err() {
            return false;
        }
    }
}

/// The superblock, as soon as there is one; `None` when asked to stop before.
async fn await_storage(
    server: &Arc<Server>,
    instance: &Instance,
    wanted: &mut watch::Receiver<Wanted>,
) -> Result<Option<Superblock>> {
    let config = &server.config;
    let home = config
        .superblock_dir(instance.index)
        .ok_or_else(|| Der::NONEXIST.err(format!("engine {} isn't in the configuration", instance.index)))?;
    loop {
        if let Some(superblock) = Superblock::read(&home, &config.name)? {
            if instance.index == 0 {
                server.open_system()?;
            }
            return Ok(Some(superblock));
        }
        instance.set_state(MemberState::AwaitFormat, "");
        if config.auto_format {
            let formatted = storage::format(config, instance.index, false)?;
            if !formatted.note.is_empty() {
                tracing::info!("engine {}: {}", instance.index, formatted.note);
            }
            continue;
        }
        tracing::info!("engine {}: storage isn't formatted; waiting for `dmg storage format`", instance.index);
        tokio::select! {
            () = instance.formatted.notified() => {}
            _ = wanted.changed() => return Ok(None),
        }
    }
}

/// One life of the engine's process. `Ok` when it was asked to end.
async fn run_engine(
    server: &Arc<Server>,
    instance: &Arc<Instance>,
    superblock: Superblock,
    wanted: &mut watch::Receiver<Wanted>,
) -> Result<()> {
    let config = &server.config;
    instance.set_state(MemberState::Starting, "");
    let mut ready = instance.ready_out.lock().await;
    while ready.try_recv().is_ok() {} // of an earlier process
    let nvme_conf = match (config.superblock_dir(instance.index), config.engines.get(instance.index)) {
        (Some(home), Some(engine)) => storage::write_nvme_conf(&home, engine)?,
        _ => None,
    };
    let mut child = engine_process::spawn(config, instance.index, nvme_conf.as_deref())?;
    let pid = child.id();
    // Whatever ends it: its metrics go with it.
    let _metrics = sys::EngineMetrics { instance: instance.index, pid };
    instance.set(|status| status.pid = pid);
    tracing::info!("engine {}: started, pid {}", instance.index, pid.unwrap_or(0));
    loop {
        let bring_up = async {
            match ready.recv().await {
                Some(request) => join(server, instance, &superblock, request).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|error| Error::from(error).at("waiting for the engine"))?;
                return Err(Der::IO.err(format!("daos_engine ended unasked: {status}")));
            }
            joined = bring_up => {
                if let Err(error) = joined {
                    server.join_failed(instance, &error);
                    stop_process(instance, &mut child, false).await;
                    return Err(error);
                }
            }
            _ = wanted.changed() => {
                let now = *wanted.borrow_and_update();
                if now != Wanted::Run {
                    instance.set_state(MemberState::Stopping, "");
                    let at_once = matches!(now, Wanted::Kill | Wanted::ExitNow);
                    stop_process(instance, &mut child, at_once).await;
                    return Ok(());
                }
            }
        }
    }
}

async fn stop_process(instance: &Instance, child: &mut Child, at_once: bool) {
    let Some(pid) = child.id() else { return };
    if !at_once {
        sys::signal(pid, libc::SIGTERM);
        match tokio::time::timeout(STOP_TIMEOUT, child.wait()).await {
            Ok(_) => return,
            Err(_) => tracing::warn!("engine {} didn't stop within {STOP_TIMEOUT:?}: killed", instance.index),
        }
    }
    if let Err(error) = child.kill().await {
        tracing::warn!("engine {}: kill: {error}", instance.index);
    }
}

/// From NOTIFY_READY to Joined.
async fn join(
    server: &Arc<Server>,
    instance: &Arc<Instance>,
    superblock: &Superblock,
    ready: NotifyReadyReq,
) -> Result<()> {
    tracing::debug!("engine {}: ready at {}", instance.index, ready.uri);
    instance.set(|status| {
        status.socket = Some(PathBuf::from(&ready.drpc_listener_sock));
        status.incarnation = ready.incarnation;
        status.state = MemberState::Ready;
    });
    let home = server
        .config
        .superblock_dir(instance.index)
        .ok_or_else(|| Der::NONEXIST.err(format!("engine {} isn't in the configuration", instance.index)))?;
    let mut superblock = superblock.clone();
    let response: JoinResp = server.join(instance.index, &superblock, &ready).await?;
    superblock.rank = response.rank;
    superblock.validrank = true;
    superblock.uri = ready.uri;
    superblock.hostfaultdomain = server.config.fault_path.clone();
    superblock.incarnation = ready.incarnation;
    superblock.write(&home)?;
    let set_rank =
        SetRankReq { rank: response.rank, map_version: response.map_version, daos_version: crate::version::packed() };
    instance.command(Method::SetRank, &set_rank).await?;
    instance.command(Method::SetUp, &()).await?;
    instance.set(|status| {
        status.state = MemberState::Joined;
        status.rank = Some(response.rank);
        status.info.clear();
    });
    tracing::info!("engine {}: joined system {:?} as rank {}", instance.index, server.config.name, response.rank);
    server.group_changed();
    Ok(())
}
