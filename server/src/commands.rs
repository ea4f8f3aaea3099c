//! What each command does, and the exit code it gives.

use crate::cli::{Cli, Command, NetworkCommand, StartArgs};
use crate::config::{self, LogMask, ServerConfig};
use crate::{dev, log, server, sys};
use daos_common::{Der, Error, Result};
use daos_proto::control::daos_version;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Worker threads of the runtime: the server waits, it doesn't compute.
const WORKERS: usize = 2;
/// Variables that would send gRPC through a proxy.
const PROXY_VARIABLES: [&str; 4] = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];

/// Runs a command line.
pub fn run(cli: Cli) -> ExitCode {
    // Nothing here reads them (the gRPC client knows no proxies); children get a clean environment.
    let _ = (cli.allow_proxy, PROXY_VARIABLES);
    let outcome = match &cli.command {
        Command::Start(args) => start(&cli, args).map(|()| ExitCode::SUCCESS),
        Command::Dev(args) => runtime().and_then(|runtime| {
            let code = runtime.block_on(dev::run(args.clone(), cli.debug));
            runtime.shutdown_timeout(std::time::Duration::from_millis(100));
            code
        }),
        Command::Version => {
            print_version(cli.json);
            Ok(ExitCode::SUCCESS)
        }
        Command::Network(NetworkCommand::Scan { provider, .. }) => {
            network_scan(provider.as_deref(), cli.json).map(|()| ExitCode::SUCCESS)
        }
        Command::Scm(_) => later("scm"),
        Command::Nvme(_) => later("nvme"),
        Command::Ms(_) => later("ms"),
        Command::DumpTopology(_) => later("dump-topology"),
        Command::Support(_) => later("support"),
        Command::Config(_) => later("config"),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ERROR: daos_server: {}", error.message());
        ExitCode::FAILURE
    })
}

fn later(command: &str) -> Result<ExitCode> {
    Err(Der::NOTSUPPORTED.err(format!("`{command}` is not available yet in this version")))
}

fn print_version(json: bool) {
    let version = daos_version();
    match json {
        false => println!("DAOS Control Server v{version}"),
        true => println!(
            "{{\n  \"response\": {{\n    \"name\": \"DAOS Control Server\",\n    \"version\": \"{version}\"\n  }},\n  \
             \"error\": null,\n  \"status\": 0\n}}"
        ),
    }
}

fn network_scan(provider: Option<&str>, json: bool) -> Result<()> {
    if let Some(other) = provider.filter(|provider| !matches!(*provider, "ofi+tcp" | "all")) {
        return Err(Der::NOTSUPPORTED.err(format!("provider {other:?}: the scan knows ofi+tcp only in this version")));
    }
    let list = sys::interfaces().map_err(|error| Error::from(error).at("network interfaces"))?;
    if json {
        let list: Vec<_> = list
            .iter()
            .map(|interface| serde_json::json!({"device": interface.name, "address": interface.address.to_string(), "provider": "ofi+tcp"}))
            .collect();
        let all = serde_json::json!({"response": {"interfaces": list}, "error": null, "status": 0});
        println!("{all:#}");
        return Ok(());
    }
    println!("{:<16} {:<16} Provider", "Interface", "Address");
    for interface in list {
        println!("{:<16} {:<16} ofi+tcp", interface.name, interface.address.to_string());
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Error::from(error).at("starting threads"))
}

fn start(cli: &Cli, args: &StartArgs) -> Result<()> {
    if args.ignore_config {
        return Err(Der::INVAL.err("`start` needs its configuration file; --ignore-config is for scans"));
    }
    if cli.syslog {
        return Err(Der::NOTSUPPORTED.err("--syslog is not available yet in this version; use control_log_file"));
    }
    let path = config::find(args.config.as_deref())?;
    let mut config = config::load(&path)?;
    apply(args, &mut config)?;
    if cli.debug {
        config.control_log_mask = LogMask::Debug;
    }
    config.control_log_json |= cli.json_logging;
    config.check_transport()?;
    log::start(&config)?;
    runtime()?.block_on(serve(config))
}

/// Command-line flags win over the file.
fn apply(args: &StartArgs, config: &mut ServerConfig) -> Result<()> {
    if let Some(port) = args.port {
        // A replica address that had the file's port was made from it.
        let old = format!(":{}", config.port);
        for replica in &mut config.replicas {
            if let Some(host) = replica.strip_suffix(&old) {
                *replica = format!("{host}:{port}");
            }
        }
        config.port = port;
    }
    if let Some(name) = &args.group {
        if !(1..=config::SYSTEM_NAME_MAX).contains(&name.len()) {
            return Err(
                Der::INVAL.err(format!("-g {name:?}: a system name has 1 to {} bytes", config::SYSTEM_NAME_MAX))
            );
        }
        config.name = name.clone();
    }
    if let Some(dir) = &args.socket_dir {
        config.socket_dir = dir.clone();
    }
    if let Some(mount) = &args.storage {
        match config.engines.as_mut_slice() {
            [engine] => engine.scm.mount = mount.clone(),
            engines => {
                return Err(Der::INVAL
                    .err(format!("-s names one mount point; the configuration has {} engines", engines.len())));
            }
        }
    }
    for engine in &mut config.engines {
        if let Some(targets) = args.targets {
            engine.targets = u32::from(targets.max(1));
        }
        if let Some(helpers) = args.xshelpernr {
            engine.xs_helpers = u32::from(helpers);
        }
        if let Some(core) = args.firstcore {
            engine.first_core = Some(u32::from(core));
        }
        if args.modules.is_some() {
            engine.modules = args.modules.clone();
        }
    }
    config.allow_insecure |= args.insecure;
    config.auto_format = args.auto_format;
    Ok(())
}

async fn serve(config: ServerConfig) -> Result<()> {
    let mut terminate = signals(SignalKind::terminate())?;
    let mut interrupt = signals(SignalKind::interrupt())?;
    set_core_dump_filter(config.core_dump_filter);
    if config.engines.is_empty() {
        tracing::warn!("no engines are configured: only scans work");
    }
    let listener = server::bind_control(&config).await?;
    let name = config.name.clone();
    let port = config.port;
    let running = server::start(config, listener).await?;
    tracing::info!(
        "daos_server {} (pid {}) listens on port {port}, system {name:?}",
        daos_version(),
        std::process::id()
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

fn signals(kind: SignalKind) -> Result<tokio::signal::unix::Signal> {
    signal(kind).map_err(|error| Error::from(error).at("signal handler"))
}

/// What of the address space goes into core dumps; children inherit it.
fn set_core_dump_filter(filter: u8) {
    if let Err(error) = std::fs::write("/proc/self/coredump_filter", format!("{filter:#x}")) {
        tracing::debug!("core_dump_filter not set: {error}");
    }
}
