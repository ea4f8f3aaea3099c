//! `daos_server dev`: a whole system on one machine from nothing, as an ordinary user.
//!
//! The server runs in this process as `daos_server start` runs it, from a configuration made here; engine and agent
//! are the same programs as ever. A pool and a POSIX container are made ready. In the foreground the system runs until
//! SIGINT or SIGTERM; with a command it runs as long as the command, whose exit code it hands on.
//!
//! Nothing is waited for by time: the engine's joining is watched, the agent's socket is tried, so that the start
//! takes what the programs take.

mod children;
mod site;

use crate::cli::DevArgs;
use crate::config::{
    BdevTier, EngineConfig, LogMask, SYSTEM_NAME_MAX, ScmTier, ServerConfig, TierClass, check_log_mask,
};
use crate::engine_process::{PROGRAM as ENGINE, find_program};
use crate::instance::Instance;
use crate::mgmt::pool_size::{DATA_TARGET_MIN, SCM_TARGET_MIN};
use crate::server::{self, Server};
use crate::system::MemberState;
use crate::{log, sys};
use children::{Agent, Environment, UserCommand, end_descendants, run_tool};
use daos_common::{Der, Error, Result};
use daos_proto::drpc::AGENT_SOCKET;
use daos_proto::mgmt::{PoolCreateReq, PoolProperty, pool_property};
use site::{Settings, Site};
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Limit of the whole start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Network interface of everything.
const INTERFACE: &str = "lo";
/// Fabric provider.
const PROVIDER: &str = "ofi+tcp";
/// Size of the pool service's store, MiB: the smallest allowed.
const POOL_SERVICE_MIB: u32 = 128;
/// Size of the data tier when none is given.
const DATA_DEFAULT: u64 = 4 << 30;
/// Lines of a log shown when the start fails.
const TAIL_LINES: usize = 15;

/// Programs of the system.
struct Programs {
    agent: PathBuf,
    daos: PathBuf,
}

impl Programs {
    fn find() -> Result<Programs> {
        find_program(ENGINE)?;
        Ok(Programs { agent: find_program("daos_agent")?, daos: find_program("daos")? })
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Signals> {
        let listen = |kind| signal(kind).map_err(|error| Error::from(error).at("signal handler"));
        Ok(Signals { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => libc::SIGINT,
            _ = self.terminate.recv() => libc::SIGTERM,
        }
    }
}

/// Runs a system as `args` say.
///
/// # Errors
/// A missing program, a directory in use, or why the start failed, with the end of the logs.
pub async fn run(args: DevArgs, debug: bool) -> Result<ExitCode> {
    let begin = Instant::now();
    check(&args)?;
    let mut signals = Signals::new()?;
    let programs = Programs::find()?;
    sys::adopt_orphans();
    let site = Site::open(&args)?;
    let outcome = live(&args, debug, &programs, &site, &mut signals, begin).await;
    end_descendants().await;
    let outcome = outcome.map_err(|error| with_logs(error, &site));
    site.close();
    outcome
}

fn check(args: &DevArgs) -> Result<()> {
    if !(1..=SYSTEM_NAME_MAX).contains(&args.name.len()) {
        return Err(Der::INVAL.err(format!("--name {:?}: a system name has 1 to {SYSTEM_NAME_MAX} bytes", args.name)));
    }
    for label in [&args.pool, &args.cont] {
        daos_common::label::check_label(label)?;
    }
    check_log_mask(&args.log_mask).map_err(|reason| Der::INVAL.err(format!("--log-mask: {reason}")))?;
    let least = 2 * SCM_TARGET_MIN * u64::from(args.targets);
    if args.size < least {
        return Err(Der::INVAL.err(format!("--size: {} targets need at least {least} bytes", args.targets)));
    }
    let least = least_data(args.targets);
    if args.data_size.is_some_and(|size| size > 0 && size < least) {
        return Err(Der::INVAL
            .err(format!("--data-size: {} targets need at least {least} bytes, or 0 for no data tier", args.targets)));
    }
    Ok(())
}

/// Least size of the data tier: what a pool needs of it, and the rest that [`make_pool`] leaves.
fn least_data(targets: u32) -> u64 {
    (DATA_TARGET_MIN * u64::from(targets)).div_ceil(15) * 16
}

/// The pool's part of the data tier.
fn pool_data(data_bytes: u64) -> u64 {
    data_bytes / 16 * 15
}

/// The data tier's size when none is given: the engine reserves the whole file at once, so that it is only made where
/// there is room.
fn data_size(args: &DevArgs, site: &Site) -> u64 {
    let wanted = least_data(args.targets).max(DATA_DEFAULT);
    match args.data_size {
        Some(size) => size,
        None if site::has_room(&site.path(""), wanted) => wanted,
        None => 0,
    }
}

async fn live(
    args: &DevArgs,
    debug: bool,
    programs: &Programs,
    site: &Site,
    signals: &mut Signals,
    begin: Instant,
) -> Result<ExitCode> {
    let settings = settings(args, site)?;
    let listener = control_listener(args, &settings).await?;
    let port = listener.local_addr().map_err(|error| Error::from(error).at("control port"))?.port();
    let fabric_port = free_port(settings.fabric_port)?;
    let settings = Settings { control_port: port, fabric_port, ..settings };
    let config = configuration(&settings, site, args, debug);
    log::start(&config)?;
    write_client_files(&settings, site)?;
    let running = server::start(config, listener).await?;
    site.save(&settings)?;
    let environment = environment(args, site);
    let mut agent = match Agent::start(&programs.agent, &site.path("daos_agent.yml"), &site.log("agent.log")) {
        Ok(agent) => agent,
        Err(error) => {
            stop(running, site).await;
            return Err(error);
        }
    };
    let ready = make_ready(args, programs, &running.server, &mut agent, site, &settings, &environment);
    let outcome = tokio::select! {
        ready = tokio::time::timeout(START_LIMIT, ready) => match ready {
            Ok(ready) => ready.map(|()| None),
            Err(_) => Err(Der::TIMEDOUT.err(format!("the system wasn't up after {START_LIMIT:?}"))),
        },
        number = signals.next() => Ok(Some(signal_code(number))),
    };
    let outcome = match outcome {
        Ok(None) if args.command.is_empty() => {
            announce(args, site, &settings, &environment, begin.elapsed());
            foreground(&mut agent, signals).await
        }
        Ok(None) => {
            tracing::info!("ready after {} ms", begin.elapsed().as_millis());
            command(args, &environment, signals).await
        }
        Ok(Some(code)) => Ok(code),
        Err(error) => Err(error),
    };
    agent.stop().await;
    stop(running, site).await;
    outcome
}

async fn stop(running: server::Running, site: &Site) {
    match site.keeps {
        true => running.stop().await,
        // Its data is thrown away: nothing to write down in order.
        false => running.kill().await,
    }
}

/// The settings of the system that is here, or those asked for.
fn settings(args: &DevArgs, site: &Site) -> Result<Settings> {
    let asked = Settings {
        name: args.name.clone(),
        targets: args.targets,
        scm_bytes: args.size,
        data_bytes: data_size(args, site),
        control_port: args.port.unwrap_or(0),
        fabric_port: 0,
    };
    let Some(found) = site.settings()? else { return Ok(asked) };
    let same = (&found.name, found.targets, found.scm_bytes) == (&asked.name, asked.targets, asked.scm_bytes)
        && args.data_size.is_none_or(|size| size == found.data_bytes);
    if !same {
        eprintln!(
            "daos_server dev: the system here was made with --name {} --targets {} --size {} --data-size {}; it stays \
             so",
            found.name, found.targets, found.scm_bytes, found.data_bytes
        );
    }
    Ok(found)
}

/// The port asked for, else the one of last time, else any free one.
async fn control_listener(args: &DevArgs, settings: &Settings) -> Result<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = args.port {
        return bind(port).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                Der::BUSY.err(format!("--port {port} is taken by another program; leave it out for any free one"))
            }
            _ => Error::from(error).at(format!("--port {port}")),
        });
    }
    if let Ok(listener) = bind(settings.control_port).await {
        return Ok(listener);
    }
    bind(0).await.map_err(|error| Error::from(error).at("no free port on 127.0.0.1"))
}

/// `wanted` if it is free, else any port that is. It may be taken again before the engine listens; the engine then
/// ends with a message, and is started again.
fn free_port(wanted: u16) -> Result<u16> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| StdListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .map_err(|error| Error::from(error).at("no free port on 127.0.0.1"))?;
    Ok(listener.local_addr().map_err(|error| Error::from(error).at("fabric port"))?.port())
}

/// What a file would say, made in memory: sizes may be smaller than a file allows.
fn configuration(settings: &Settings, site: &Site, args: &DevArgs, debug: bool) -> ServerConfig {
    let data = BdevTier {
        class: TierClass::File,
        devices: vec![site.path("data0").display().to_string()],
        bytes: settings.data_bytes,
        roles: Vec::new(),
    };
    let engine = EngineConfig {
        targets: settings.targets,
        xs_helpers: 0,
        first_core: None,
        pinned_numa_node: None,
        modules: None,
        provider: PROVIDER.to_string(),
        fabric_iface: INTERFACE.to_string(),
        fabric_port: settings.fabric_port,
        crt_timeout_s: 0,
        disable_srx: false,
        fabric_auth_key: None,
        bypass_health_check: false,
        log_mask: args.log_mask.clone(),
        log_file: Some(site.log("engine.log")),
        env_vars: vec![format!("DAOS_MD_CAP={POOL_SERVICE_MIB}")],
        env_pass_through: ["RUST_BACKTRACE", "FI_LOG_LEVEL", "TMPDIR"].map(str::to_string).to_vec(),
        scm: ScmTier {
            class: TierClass::Ram,
            mount: site.scm.clone(),
            bytes: settings.scm_bytes,
            hugepages_disabled: true,
            devices: Vec::new(),
        },
        bdevs: if settings.data_bytes > 0 { vec![data] } else { Vec::new() },
    };
    ServerConfig {
        path: PathBuf::new(),
        name: settings.name.clone(),
        port: settings.control_port,
        control_iface: Some(INTERFACE.to_string()),
        replicas: vec![format!("127.0.0.1:{}", settings.control_port)],
        control_metadata: None,
        allow_insecure: true,
        fault_path: format!("/{}", sys::host_name()),
        provider: Some(PROVIDER.to_string()),
        core_dump_filter: 0x13,
        socket_dir: site.run.clone(),
        control_log_mask: if debug { LogMask::Debug } else { LogMask::Info },
        control_log_file: Some(site.log("server.log")),
        control_log_json: false,
        telemetry_port: 0,
        engine_auto_restart: true,
        engine_restart_min_delay_s: 1,
        client_env_vars: Vec::new(),
        crt_timeout_s: 0,
        disable_srx: false,
        system_ram_reserved_gib: 1,
        engines: vec![engine],
        auto_format: true,
        engine_program: None,
        allow_address_change: true,
    }
}

/// Configuration of agent and dmg.
fn write_client_files(settings: &Settings, site: &Site) -> Result<()> {
    let (name, port) = (&settings.name, settings.control_port);
    // Quoted: a path may hold what YAML would take for something else.
    let quote = |path: &Path| format!("{:?}", path.display().to_string());
    let agent = format!(
        "name: {name}\naccess_points: [\"127.0.0.1:{port}\"]\nport: {port}\nruntime_dir: {}\nlog_file: {}\n\
         transport_config:\n  allow_insecure: true\n{}",
        quote(&site.run),
        quote(&site.log("agent.log")),
        user_map()
    );
    let control = format!(
        "name: {name}\nport: {port}\nhostlist: [\"127.0.0.1:{port}\"]\ntransport_config:\n  allow_insecure: true\n"
    );
    for (file, text) in [("daos_agent.yml", agent), ("daos_control.yml", control)] {
        let path = site.path(file);
        std::fs::write(&path, text).map_err(|error| Error::from(error).at(path.display()))?;
    }
    Ok(())
}

/// A container's user may have no name on the machine: the agent then needs one for it.
fn user_map() -> &'static str {
    match user_name().is_some() {
        true => "",
        false => "credential_config:\n  client_user_map:\n    default:\n      user: nobody\n      group: nogroup\n",
    }
}

/// Name of the user that runs this process.
fn user_name() -> Option<String> {
    daos_proto::users::user_name(rustix::process::geteuid().as_raw()).ok().flatten()
}

/// Name of that user's group.
fn group_name() -> Option<String> {
    daos_proto::users::group_name(rustix::process::getegid().as_raw()).ok().flatten()
}

/// From started processes to a pool and a container.
async fn make_ready(
    args: &DevArgs,
    programs: &Programs,
    server: &Arc<Server>,
    agent: &mut Agent,
    site: &Site,
    settings: &Settings,
    environment: &Environment,
) -> Result<()> {
    let engine = server.instance(0)?;
    joined(engine).await?;
    make_pool(args, server, settings).await?;
    agent.answers(&site.run.join(AGENT_SOCKET)).await?;
    let made =
        run_tool(&programs.daos, &["container", "create", &args.pool, &args.cont, "--type", "POSIX"], environment)
            .await;
    match made {
        Err(error) if error.code() != Der::EXIST => Err(error),
        _ => Ok(()),
    }
}

async fn joined(engine: &Instance) -> Result<()> {
    let mut watch = engine.watch();
    let reached = watch.wait_for(|status| matches!(status.state, MemberState::Joined | MemberState::Errored)).await;
    match reached {
        Ok(status) if status.state == MemberState::Joined => Ok(()),
        Ok(status) => Err(Der::NO_SERVICE.err(format!("the engine didn't come up: {}", status.info))),
        Err(_) => Err(Der::SHUTDOWN.err("the server ended")),
    }
}

async fn make_pool(args: &DevArgs, server: &Arc<Server>, settings: &Settings) -> Result<()> {
    if server.system()?.state().pool_by_label(&args.pool).is_some() {
        return Ok(());
    }
    let user = user_name().unwrap_or_else(|| "nobody".to_string());
    let label = PoolProperty { number: 1, value: Some(pool_property::Value::Strval(args.pool.clone())) };
    let request = PoolCreateReq {
        uuid: uuid::Uuid::new_v4().to_string(),
        sys: settings.name.clone(),
        user: format!("{user}@"),
        user_group: format!("{}@", group_name().unwrap_or_else(|| "nogroup".to_string())),
        // Whoever reaches the sockets may use it.
        acl: ["A::OWNER@:rw", "A:G:GROUP@:rw", "A::EVERYONE@:rw"].map(str::to_string).to_vec(),
        properties: vec![label],
        // The rest is for the pool service and the layout of the tiers.
        tier_bytes: vec![settings.scm_bytes / 8 * 7, pool_data(settings.data_bytes)],
        ..Default::default()
    };
    let response = server.mgmt().pool_create(request).await?;
    Error::from_status(response.status, format!("creating pool {:?}", args.pool))
}

/// What programs need to use the system.
fn environment(args: &DevArgs, site: &Site) -> Environment {
    let mut list: Environment = vec![
        ("DAOS_AGENT_DRPC_DIR".into(), site.run.clone().into()),
        ("DAOS_POOL".into(), OsString::from(&args.pool)),
        ("DAOS_CONT".into(), OsString::from(&args.cont)),
        ("DAOS_CONTROL_CONFIG".into(), site.path("daos_control.yml").into()),
    ];
    let Some(bin) = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf)) else {
        return list;
    };
    list.push(("PATH".into(), prepend(&bin, "PATH")));
    if let Some(lib) = libraries(&bin, site) {
        list.push(("LD_LIBRARY_PATH".into(), prepend(&lib, "LD_LIBRARY_PATH")));
    }
    list
}

fn prepend(dir: &Path, variable: &str) -> OsString {
    let old = std::env::var_os(variable).unwrap_or_default();
    let rest = std::env::split_paths(&old).filter(|path| !path.as_os_str().is_empty() && path != dir);
    std::env::join_paths(std::iter::once(dir.to_path_buf()).chain(rest)).unwrap_or(old)
}

/// Where the client libraries are: beside `bin` in an installation; in a build tree they lack their sonames, so that
/// links are made.
fn libraries(bin: &Path, site: &Site) -> Option<PathBuf> {
    const LINKS: [(&str, &str); 7] = [
        ("libdaos.so.2", "libdaos.so"),
        ("libdaos.so", "libdaos.so"),
        ("libgurt.so.4", "libgurt.so"),
        ("libgurt.so", "libgurt.so"),
        ("libdaos_common.so", "libdaos_common.so"),
        ("libdfs.so", "libdfs.so"),
        ("libduns.so", "libduns.so"),
    ];
    for dir in ["lib", "lib64"] {
        let installed = bin.parent().map(|prefix| prefix.join(dir))?;
        if installed.join("libdaos.so.2").exists() {
            return Some(installed);
        }
    }
    if !bin.join("libdaos.so").exists() {
        return None;
    }
    let lib = site.path("lib");
    std::fs::create_dir_all(&lib).ok()?;
    for (link, file) in LINKS {
        let place = lib.join(link);
        let _ = std::fs::remove_file(&place);
        std::os::unix::fs::symlink(bin.join(file), &place).ok()?;
    }
    Some(lib)
}

fn announce(args: &DevArgs, site: &Site, settings: &Settings, environment: &Environment, took: Duration) {
    let mut text = format!(
        "# DAOS system {:?} is up after {} ms: pool {:?}, POSIX container {:?}.\n# In another shell:\n",
        settings.name,
        took.as_millis(),
        args.pool,
        args.cont
    );
    for (name, value) in environment {
        let value = value.to_string_lossy().replace('\'', "'\\''");
        text.push_str(&format!("export {}='{value}'\n", name.to_string_lossy()));
    }
    text.push_str(&format!("# Administration: dmg -o {}\n", site.path("daos_control.yml").display()));
    text.push_str(&format!("# Logs: {}\n# Ctrl-C ends it.\n", site.path("log").display()));
    // The reader may have gone away; the system runs on.
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush());
}

async fn foreground(agent: &mut Agent, signals: &mut Signals) -> Result<ExitCode> {
    tokio::select! {
        _ = signals.next() => Ok(ExitCode::SUCCESS),
        status = agent.ended() => Err(Der::AGENT_COMM.err(format!("daos_agent ended: {status}"))),
    }
}

async fn command(args: &DevArgs, environment: &Environment, signals: &mut Signals) -> Result<ExitCode> {
    let mut command = UserCommand::start(&args.command, environment)?;
    loop {
        tokio::select! {
            code = command.wait() => return Ok(ExitCode::from(code)),
            number = signals.next() => {
                // A terminal sends Ctrl-C to the command itself, which decides what to do about it.
                use std::io::IsTerminal;
                if number == libc::SIGINT && std::io::stdin().is_terminal() {
                    continue;
                }
                command.signal(number);
                command.finish().await;
                return Ok(signal_code(number));
            }
        }
    }
}

fn signal_code(number: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + number).unwrap_or(1))
}

/// The error with the ends of the logs, which are about to vanish.
fn with_logs(error: Error, site: &Site) -> Error {
    let mut text = error.message().to_string();
    for name in ["server.log", "engine.log", "agent.log"] {
        let content = std::fs::read(site.log(name)).unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let lines: Vec<&str> = content.lines().collect();
        let tail = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        if !tail.is_empty() {
            text.push_str(&format!("\n--- {name}\n{}", tail.join("\n")));
        }
    }
    error.code().err(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the least data tier is enough for a pool, whatever the number of targets.
    #[test]
    fn the_least_data_tier_holds_a_pool() {
        for targets in 1..=64 {
            assert!(pool_data(least_data(targets)) >= DATA_TARGET_MIN * u64::from(targets), "{targets} targets");
        }
    }
}
