//! The life of the agent: start, serve, stop.
//!
//! | signal | effect |
//! |---|---|
//! | SIGTERM, SIGINT | stop: close what clients left open, remove the socket, exit 0 |
//! | SIGUSR1 | close every pool connection that is known |
//! | SIGUSR2 | forget cached attach information and credentials |

use crate::config::AgentConfig;
use crate::monitor::{POLL_INTERVAL, clean_up_machine, evict};
use crate::service::Service;
use daos_common::{Error, Result};
use daos_proto::drpc::{AGENT_SOCKET, Listener, serve};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long closing connections may hold up the stop.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// Every user may call: identity is per call.
const SOCKET_MODE: u32 = 0o666;

/// Runs until a signal says stop. Prints one line on standard output when it is ready.
///
/// # Errors
/// - NOTSUPPORTED: the configuration asks for certificates
/// - BUSY: an agent listens there already
/// - others: the socket can't be made
pub fn run(config: AgentConfig) -> Result<()> {
    config.check_transport()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::from(error).at("starting the runtime"))?;
    runtime.block_on(run_async(config))
}

async fn run_async(config: AgentConfig) -> Result<()> {
    std::fs::create_dir_all(&config.runtime_dir).map_err(|error| {
        let place = format!("runtime directory {} (runtime_dir, or -s)", config.runtime_dir.display());
        Error::from(error).at(place)
    })?;
    let listener = Listener::bind(config.runtime_dir.join(AGENT_SOCKET), SOCKET_MODE)?;
    let handler = |kind| signal(kind).map_err(|error| Error::from(error).at("signal handler"));
    let (mut terminate, mut interrupt) = (handler(SignalKind::terminate())?, handler(SignalKind::interrupt())?);
    let (mut flush, mut refresh) = (handler(SignalKind::user_defined1())?, handler(SignalKind::user_defined2())?);
    announce(&listener, &config);

    let service = Arc::new(Service::new(config));
    let polling = tokio::spawn(poll(Arc::clone(&service)));
    let commands = Arc::clone(&service);
    let stop = async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = flush.recv() => close_all(&commands).await,
                _ = refresh.recv() => {
                    commands.attach.clear().await;
                    commands.credentials.clear();
                    tracing::info!("caches cleared");
                }
            }
        }
    };
    serve(listener, Arc::clone(&service), stop).await?;
    polling.abort();
    if !service.config.disable_auto_evict && tokio::time::timeout(STOP_GRACE, close_all(&service)).await.is_err() {
        tracing::warn!("stopping although pool connections are still being closed");
    }
    tracing::info!("stopped");
    Ok(())
}

fn announce(listener: &Listener, config: &AgentConfig) {
    let (socket, hosts) = (listener.path().display(), config.access_points.join(","));
    tracing::info!(%socket, system = config.name, %hosts, "ready");
    // A closed standard output is no reason to stop.
    let _ = writeln!(
        std::io::stdout(),
        "daos_agent ready: system {}, management {hosts}, listening on {socket}",
        config.name
    );
}

async fn close_all(service: &Service) {
    let left = evict(service.monitor.drain(), &service.config).await;
    service.monitor.put_back(left);
}

async fn poll(service: Arc<Service>) {
    if service.config.evict_on_start {
        clean_up_machine(&service.config).await;
    }
    if service.config.disable_auto_evict {
        return;
    }
    let mut ticks = tokio::time::interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let dead = service.monitor.sweep();
        if !dead.is_empty() {
            let left = evict(dead, &service.config).await;
            service.monitor.put_back(left);
        }
    }
}
