//! Start, watch and stop of the engine.
//!
//! Start: take the storage, open the data tier, open the fabric contexts (a thread each), open the pools, listen for
//! daos_server, tell it. What fails before that ends the process with a message; afterwards only a panic or the end of
//! a thread does.

use crate::cli::{Options, core_count};
use crate::drpc::client::ServerClient;
use crate::drpc::listener;
use crate::environment::{self, Environment};
use crate::mailbox::Remote;
use crate::service::{self, Service, ServiceReady, ServiceSetup};
use crate::storage::Storage;
use crate::target::{self, Target, TargetReady, TargetSetup};
use crate::telemetry::{Counters, Telemetry};
use crate::tier::DataTier;
use crate::watch::{Event, Signals};
use daos_common::hlc::Clock;
use daos_common::{Der, Error, Result};
use daos_fabric::FabricConfig;
use daos_proto::drpc::Server;
use daos_vos::Durability;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a stop may take before the process ends anyway.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// What an engine is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Number of targets.
    pub targets: u32,
    /// Name of the system.
    pub system: String,
    /// Directory on the SCM tier.
    pub storage: PathBuf,
    /// Directory of the sockets shared with daos_server.
    pub socket_dir: PathBuf,
    /// The engine's dRPC socket.
    pub listener: PathBuf,
    /// Description of the bdev tiers.
    pub nvme: Option<PathBuf>,
    /// Number of this engine on its host.
    pub instance: u32,
    /// First core to pin threads to.
    pub first_core: u32,
    /// What commits survive.
    pub durability: Durability,
    /// Fabric and timeouts.
    pub environment: Environment,
}

impl Config {
    /// The configuration that command line and environment make.
    ///
    /// # Errors
    /// `INVAL`: the environment.
    pub fn new(options: &Options) -> Result<Config> {
        Ok(Config {
            targets: options.target_count(),
            system: options.group.clone(),
            storage: options.storage.clone(),
            socket_dir: options.socket_dir.clone(),
            listener: listener::socket_path(&options.socket_dir),
            nvme: options.nvme.clone(),
            instance: options.instance_idx,
            first_core: options.firstcore,
            durability: environment::durability(&options.storage),
            environment: Environment::read()?,
        })
    }
}

/// Runs the engine until it is told to stop.
///
/// # Errors
/// Why it could not start, or what ended it.
pub fn run(options: &Options, signals: Signals) -> Result<()> {
    let config = Config::new(options)?;
    let (sender, events) = channel();
    signals.watch(sender.clone())?;
    let engine = Engine::start(config, sender, events)?;
    engine.serve()
}

/// A running engine.
pub struct Engine {
    events: Receiver<Event>,
    service: Remote<Service>,
    targets: Vec<Remote<Target>>,
    counters: Vec<(String, Arc<Counters>)>,
    threads: Vec<JoinHandle<()>>,
    drpc: Option<Server>,
    /// Keeps the metrics readable.
    _telemetry: Telemetry,
    /// URI of context 0.
    pub uri: String,
}

impl Engine {
    /// Starts an engine; `events` is where its threads and signals report to.
    ///
    /// # Errors
    /// Storage missing or in use, device damaged, port taken, socket directory missing, ...: the message names it.
    pub fn start(config: Config, sender: Sender<Event>, events: Receiver<Event>) -> Result<Engine> {
        let storage = Storage::open(&config.storage)?;
        let tier = match &config.nvme {
            Some(path) => DataTier::open(path)?.map(Arc::new),
            None => None,
        };
        let clock = Arc::new(Clock::new());
        let durability = config.durability;
        let (server, callers) = ServerClient::new(&config.socket_dir);
        let telemetry = Telemetry::new(config.instance, config.targets);
        let mut starter =
            Starter { sender, config: &config, telemetry: &telemetry, counters: Vec::new(), threads: Vec::new() };
        for (index, caller) in callers.into_iter().enumerate() {
            starter.spawn(format!("drpc-call-{index}"), None, move || {
                caller.run();
                Ok(())
            })?;
        }
        let counters = starter.counters("service", None);
        let setup = ServiceSetup {
            fabric: config.environment.fabric.clone(),
            system: config.system.clone(),
            clock: clock.clone(),
            storage,
            tier: tier.clone(),
            durability,
            server,
            timeout: config.environment.timeout,
            counters,
            rank: telemetry.rank(),
        };
        // First: context 0 has the fixed port, and a taken one should be found before all else.
        let ServiceReady { uri, remote: service } = starter.start("service", 0, |ready| service::run(setup, ready))?;
        let mut targets = Vec::new();
        for index in 0..config.targets {
            let name = format!("target-{index}");
            let setup = TargetSetup {
                index,
                fabric: FabricConfig { port: None, ..config.environment.fabric.clone() },
                clock: clock.clone(),
                tier: tier.clone(),
                durability,
                counters: starter.counters(&name, Some(index)),
                updates: telemetry.requests("update", index),
                fetches: telemetry.requests("fetch", index),
                aggregation_gap: config.environment.aggregation_gap,
            };
            targets.push(starter.start::<TargetReady>(&name, 1 + index, |ready| target::run(setup, ready))?);
        }
        let remotes: Vec<Remote<Target>> = targets.iter().map(|target| target.remote.clone()).collect();
        introduce(&service, targets)?;
        service.ask_blocking(|service| async move { service.open_pools().await })?;
        let (counters, threads) = (starter.counters, starter.threads);
        telemetry.serving();
        let drpc = listener::listen(&config.listener, service.clone())?;
        tell_server(&service, &config.listener, config.instance)?;
        tracing::info!("context 0 listens at {uri}; {} targets; dRPC at {}", remotes.len(), config.listener.display());
        Ok(Engine {
            events,
            service,
            targets: remotes,
            counters,
            threads,
            drpc: Some(drpc),
            _telemetry: telemetry,
            uri,
        })
    }

    /// The service thread's door.
    pub fn service(&self) -> &Remote<Service> {
        &self.service
    }

    /// Waits for what happens, and stops when it must.
    ///
    /// # Errors
    /// What ended a thread.
    pub fn serve(self) -> Result<()> {
        loop {
            match self.events.recv() {
                Ok(Event::Report) => self.report(),
                Ok(Event::Stop(why)) => {
                    tracing::info!("stopping: {why}");
                    self.stop();
                    return Ok(());
                }
                Ok(Event::Ended(name, outcome)) => {
                    let error = outcome.err().unwrap_or_else(|| Der::SHUTDOWN.err("it ended by itself"));
                    // No clean stop: the other threads may depend on the one that is gone.
                    return Err(error.at(format!("thread {name} has ended")));
                }
                Err(_) => return Err(Der::SHUTDOWN.err("every thread has ended")),
            }
        }
    }

    /// Logs the counters of every thread.
    pub fn report(&self) {
        for (name, counters) in &self.counters {
            tracing::error!(target: "daos_engine::telemetry", "telemetry {name}: {counters}");
        }
    }

    /// Stops: no new calls, requests in progress end, stores are closed.
    pub fn stop(mut self) {
        drop(self.drpc.take());
        for target in &self.targets {
            // A thread that has ended needs no word.
            let _ = target.post(|target| async move { target.stop() });
        }
        let _ = self.service.post(|service| async move { service.stop() });
        let deadline = Instant::now() + STOP_PATIENCE;
        self.targets.clear();
        for thread in self.threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            while !thread.is_finished() && !name.starts_with("drpc-call") {
                if Instant::now() > deadline {
                    tracing::error!("thread {name} does not stop");
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        tracing::info!("stopped");
    }
}

/// Makes service and targets known to each other.
fn introduce(service: &Remote<Service>, targets: Vec<TargetReady>) -> Result<()> {
    for target in &targets {
        let service = service.clone();
        target.remote.post(move |target| async move { target.set_service(service) })?;
    }
    service.ask_blocking(move |service| async move {
        service.set_targets(targets);
        Ok(())
    })
}

fn tell_server(service: &Remote<Service>, listener: &Path, instance: u32) -> Result<()> {
    let listener = listener.to_owned();
    service.post(move |service| async move { service.notify_ready(&listener, instance).await })
}

/// Starts the threads.
struct Starter<'a> {
    sender: Sender<Event>,
    config: &'a Config,
    telemetry: &'a Telemetry,
    counters: Vec<(String, Arc<Counters>)>,
    threads: Vec<JoinHandle<()>>,
}

impl Starter<'_> {
    fn counters(&mut self, name: &str, target: Option<u32>) -> Arc<Counters> {
        let counters = Arc::new(self.telemetry.counters(target));
        self.counters.push((name.to_owned(), counters.clone()));
        counters
    }

    /// Starts a thread that tells when it serves.
    fn start<R: Send + 'static>(
        &mut self,
        name: &str,
        core: u32,
        body: impl FnOnce(&SyncSender<Result<R>>) -> Result<()> + Send + 'static,
    ) -> Result<R> {
        let (sender, ready) = sync_channel(1);
        self.spawn(name.to_owned(), Some(core), move || body(&sender))?;
        let none = || Err(Der::MISC.err(format!("thread {name} ended before it served")));
        ready.recv().unwrap_or_else(|_| none())
    }

    /// Starts a thread whose end, by error or panic, is an event.
    fn spawn(
        &mut self,
        name: String,
        core: Option<u32>,
        body: impl FnOnce() -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (events, own) = (self.sender.clone(), name.clone());
        let core = core.and_then(|core| self.core(core));
        let run = move || {
            if let Some(core) = core {
                pin(core);
            }
            let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
            // Without a receiver the engine is stopping.
            let _ = events.send(Event::Ended(own, outcome));
        };
        let started = std::thread::Builder::new().name(name.clone()).spawn(run);
        self.threads.push(started.map_err(|error| Error::from(error).at(format!("starting thread {name}")))?);
        Ok(())
    }

    /// The core of a thread, if there are enough for every thread to have its own.
    fn core(&self, number: u32) -> Option<usize> {
        let needed = self.config.first_core.checked_add(self.config.targets)?.checked_add(1)?;
        (needed <= core_count()).then_some((self.config.first_core + number) as usize)
    }
}

fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    if let Err(error) = sched_setaffinity(None, &set) {
        tracing::warn!("the thread cannot be pinned to core {core}: {error}");
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Der::MISC.err(format!("panic: {text}"))
}
