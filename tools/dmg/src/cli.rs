//! The command tree.
//!
//! Commands that this version lacks are in the tree, so that help shows them and scripts get a plain answer; they
//! take any arguments and fail.

use crate::cmd::{self, acl, cont, pool, props, storage, system};
use crate::config;
use crate::context::Context;
use clap::{Args, Parser, Subcommand};
use daos_cli::Outcome;
use daos_common::{Der, Error, Result};
use daos_proto::control::expand_hosts;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Administration of a DAOS system
#[derive(Parser)]
#[command(name = "dmg", disable_version_flag = true, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Global {
    /// Keep proxy variables of the environment
    #[arg(long, global = true)]
    allow_proxy: bool,
    /// Hosts to ask instead of those of the configuration, e.g. node[1-4],nodeX:10001
    #[arg(short = 'l', long, global = true, value_name = "HOSTS")]
    host_list: Option<String>,
    /// Reach the servers without certificates
    #[arg(short = 'i', long, global = true)]
    insecure: bool,
    /// Say more about what is done
    #[arg(short = 'd', long, global = true)]
    debug: bool,
    /// Log file
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Print results as JSON
    #[arg(short = 'j', long, global = true)]
    json: bool,
    /// Write log lines as JSON
    #[arg(short = 'J', long, global = true)]
    json_logging: bool,
    /// Configuration file
    #[arg(short = 'o', long, global = true, value_name = "FILE")]
    config_path: Option<PathBuf>,
}

/// Arguments of a command that isn't available yet.
#[derive(Args)]
struct Any {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant)] // one of them, once
enum Command {
    /// Storage of the servers
    #[command(alias = "sto", subcommand)]
    Storage(Storage),
    /// The system and its members
    #[command(alias = "sys", subcommand)]
    System(System),
    /// Pools
    #[command(subcommand)]
    Pool(Pool),
    /// Containers
    #[command(alias = "cont", subcommand)]
    Container(Container),
    /// Print the version
    Version,
    /// Log masks of engines (not available yet)
    #[command(alias = "srv")]
    Server(Any),
    /// Generation of configuration files (not available yet)
    #[command(alias = "cfg")]
    Config(Any),
    /// Fabric interfaces of the servers (not available yet)
    #[command(alias = "net")]
    Network(Any),
    /// Collection of logs (not available yet)
    #[command(alias = "supp")]
    Support(Any),
    /// Metrics (not available yet)
    #[command(alias = "telem")]
    Telemetry(Any),
    /// Consistency checker (not available yet)
    Check(Any),
    /// Version of the servers (not available yet)
    ServerVersion(Any),
}

#[derive(Subcommand)]
enum Storage {
    /// Show what storage the servers have
    Scan(storage::Scan),
    /// Format the storage of the servers
    Format(storage::Format),
    /// Details of devices and usage (not available yet)
    Query(Any),
    /// Bind an NVMe device to the user-space driver (not available yet)
    NvmeRebind(Any),
    /// Add an NVMe device to an engine (not available yet)
    NvmeAddDevice(Any),
    /// Change the state of devices (not available yet)
    Set(Any),
    /// Replace a device (not available yet)
    Replace(Any),
    /// Lights of devices (not available yet)
    Led(Any),
}

#[derive(Subcommand)]
enum System {
    /// Show which server leads the management service
    LeaderQuery(system::LeaderQuery),
    /// Show the members of the system
    Query(system::Query),
    /// Stop engines
    Stop(system::Stop),
    /// Start engines
    Start(system::Start),
    /// List pools
    ListPools(pool::List),
    /// Set attributes of the system
    SetAttr(system::SetAttr),
    /// Show attributes of the system
    GetAttr(system::GetAttr),
    /// Remove attributes of the system
    DelAttr(system::DelAttr),
    /// Set properties of the system
    SetProp(system::SetProp),
    /// Show properties of the system
    GetProp(system::GetProp),
    /// Close the pool connections of a machine
    Cleanup(system::Cleanup),
    /// Exclude ranks (not available yet)
    Exclude(Any),
    /// Allow excluded ranks back (not available yet)
    ClearExclude(Any),
    /// Drain ranks of all pools (not available yet)
    Drain(Any),
    /// Reintegrate ranks into all pools (not available yet)
    #[command(alias = "reint")]
    Reintegrate(Any),
    /// Erase the system (not available yet)
    Erase(Any),
    /// Rebuild of all pools (not available yet)
    Rebuild(Any),
    /// Self-healing (not available yet)
    SelfHeal(Any),
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant)] // one of them, once
enum Pool {
    /// Create a pool
    Create(pool::Create),
    /// Destroy a pool
    Destroy(pool::Destroy),
    /// Close all connections to a pool
    Evict(pool::Evict),
    /// List pools
    #[command(alias = "ls")]
    List(pool::List),
    /// Show the state of a pool
    Query(pool::Query),
    /// Show the state of targets of a pool
    QueryTargets(pool::QueryTargets),
    /// Show the access control list of a pool
    GetAcl(acl::Get),
    /// Replace the access control list of a pool
    OverwriteAcl(acl::Overwrite),
    /// Add or change entries of the access control list of a pool
    UpdateAcl(acl::Update),
    /// Remove an entry of the access control list of a pool
    DeleteAcl(acl::Delete),
    /// Set properties of a pool
    SetProp(props::Set),
    /// Show properties of a pool
    GetProp(props::Get),
    /// Add ranks to a pool (not available yet)
    Extend(Any),
    /// Exclude targets from a pool (not available yet)
    Exclude(Any),
    /// Drain targets of a pool (not available yet)
    Drain(Any),
    /// Reintegrate targets into a pool (not available yet)
    #[command(alias = "reint")]
    Reintegrate(Any),
    /// Upgrade the format of a pool (not available yet)
    Upgrade(Any),
    /// Rebuild of a pool (not available yet)
    Rebuild(Any),
}

#[derive(Subcommand)]
enum Container {
    /// Change the owner of a container
    SetOwner(cont::SetOwner),
}

/// Parses the command line, does what it says, and returns the exit code: 0, or 1 for any failure.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let json = cli.global.json;
    daos_cli::finish("dmg", json, execute(cli))
}

fn execute(cli: Cli) -> Result<Outcome> {
    if let Some(name) = unavailable(&cli.command) {
        return Err(Der::NOTSUPPORTED.err(format!("command {name:?} is not available yet in this version")));
    }
    if matches!(cli.command, Command::Version) {
        return Ok(cmd::version());
    }
    if cli.global.log_file.is_some() || cli.global.json_logging {
        return Err(Der::NOTSUPPORTED.err("--log-file and --json-logging are not available yet in this version"));
    }
    let context = context(&cli.global)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::from(error).at("starting the runtime"))?;
    runtime.block_on(dispatch(&context, cli.command))
}

fn context(global: &Global) -> Result<Context> {
    let home = std::env::home_dir();
    let path = config::find(global.config_path.as_deref(), std::env::var_os(config::FILE_VARIABLE), home.as_deref());
    let mut config = config::load(path.as_deref())?;
    config.allow_insecure |= global.insecure;
    config.check_transport()?;
    if let Some(hosts) = &global.host_list {
        config.hosts =
            expand_hosts(std::slice::from_ref(hosts), config.port).map_err(|error| error.at("--host-list"))?;
    }
    if global.debug {
        let place = path.map_or("built-in defaults".into(), |path| path.display().to_string());
        eprintln!("dmg: configuration from {place}, hosts {}", config.hosts.join(","));
    }
    Ok(Context { config, quiet: global.json })
}

async fn dispatch(context: &Context, command: Command) -> Result<Outcome> {
    match command {
        Command::Storage(Storage::Scan(command)) => command.run(context).await,
        Command::Storage(Storage::Format(command)) => command.run(context).await,
        Command::System(System::LeaderQuery(command)) => command.run(context).await,
        Command::System(System::Query(command)) => command.run(context).await,
        Command::System(System::Stop(command)) => command.run(context).await,
        Command::System(System::Start(command)) => command.run(context).await,
        Command::System(System::ListPools(command)) | Command::Pool(Pool::List(command)) => command.run(context).await,
        Command::System(System::SetAttr(command)) => command.run(context).await,
        Command::System(System::GetAttr(command)) => command.run(context).await,
        Command::System(System::DelAttr(command)) => command.run(context).await,
        Command::System(System::SetProp(command)) => command.run(context).await,
        Command::System(System::GetProp(command)) => command.run(context).await,
        Command::System(System::Cleanup(command)) => command.run(context).await,
        Command::Pool(Pool::Create(command)) => command.run(context).await,
        Command::Pool(Pool::Destroy(command)) => command.run(context).await,
        Command::Pool(Pool::Evict(command)) => command.run(context).await,
        Command::Pool(Pool::Query(command)) => command.run(context).await,
        Command::Pool(Pool::QueryTargets(command)) => command.run(context).await,
        Command::Pool(Pool::GetAcl(command)) => command.run(context).await,
        Command::Pool(Pool::OverwriteAcl(command)) => command.run(context).await,
        Command::Pool(Pool::UpdateAcl(command)) => command.run(context).await,
        Command::Pool(Pool::DeleteAcl(command)) => command.run(context).await,
        Command::Pool(Pool::SetProp(command)) => command.run(context).await,
        Command::Pool(Pool::GetProp(command)) => command.run(context).await,
        Command::Container(Container::SetOwner(command)) => command.run(context).await,
        // `execute` has answered these.
        other => Err(Der::NOTSUPPORTED.err(unavailable(&other).unwrap_or("this command"))),
    }
}

/// The name of a command that isn't available yet.
fn unavailable(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::Server(_) => "server",
        Command::Config(_) => "config",
        Command::Network(_) => "network",
        Command::Support(_) => "support",
        Command::Telemetry(_) => "telemetry",
        Command::Check(_) => "check",
        Command::ServerVersion(_) => "server-version",
        Command::Storage(Storage::Query(_)) => "storage query",
        Command::Storage(Storage::NvmeRebind(_)) => "storage nvme-rebind",
        Command::Storage(Storage::NvmeAddDevice(_)) => "storage nvme-add-device",
        Command::Storage(Storage::Set(_)) => "storage set",
        Command::Storage(Storage::Replace(_)) => "storage replace",
        Command::Storage(Storage::Led(_)) => "storage led",
        Command::System(System::Exclude(_)) => "system exclude",
        Command::System(System::ClearExclude(_)) => "system clear-exclude",
        Command::System(System::Drain(_)) => "system drain",
        Command::System(System::Reintegrate(_)) => "system reintegrate",
        Command::System(System::Erase(_)) => "system erase",
        Command::System(System::Rebuild(_)) => "system rebuild",
        Command::System(System::SelfHeal(_)) => "system self-heal",
        Command::Pool(Pool::Extend(_)) => "pool extend",
        Command::Pool(Pool::Exclude(_)) => "pool exclude",
        Command::Pool(Pool::Drain(_)) => "pool drain",
        Command::Pool(Pool::Reintegrate(_)) => "pool reintegrate",
        Command::Pool(Pool::Upgrade(_)) => "pool upgrade",
        Command::Pool(Pool::Rebuild(_)) => "pool rebuild",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> std::result::Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    /// Aim: the tree is consistent, and the documented spellings parse, with globals anywhere.
    #[test]
    fn command_lines() {
        Cli::command().debug_assert();
        for line in [
            "dmg -i storage format --force -l localhost:7",
            "dmg sto scan -v --nvme-health",
            "dmg system query -r 0,2-5 --verbose -j",
            "dmg sys stop --force --ranks=0",
            "dmg system start --rank-hosts n[1-2]",
            "dmg system leader-query -N",
            "dmg pool create --size=8GiB tank -i",
            "dmg pool create -z 50% -u joe@ -g users@ -P rd_fac:1,space_rb:0 tank",
            "dmg pool create tank -s 1GiB -n 4GiB -r [0-3] -v 3 -a acl.txt",
            "dmg pool ls -n -v",
            "dmg pool query tank --health-only --show-enabled",
            "dmg pool query-targets tank --rank 0 --target-idx 0-3",
            "dmg pool destroy tank -r -f",
            "dmg pool get-acl tank -O out -f -v",
            "dmg pool update-acl tank -e A::joe@:rw",
            "dmg pool delete-acl tank -p u:joe@",
            "dmg pool set-prop tank label:pond,reclaim:disabled",
            "dmg pool get-prop tank label,reclaim",
            "dmg cont set-owner tank home -u joe@",
            "dmg version -j",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).err().unwrap());
        }
        for line in ["dmg", "dmg pool", "dmg pool create", "dmg pool destroy", "dmg pool qeury tank", "dmg --nothing"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    /// Aim: what isn't there yet says so whatever its arguments are.
    #[test]
    fn unavailable_commands() {
        for line in ["dmg check start -n tank", "dmg pool extend tank --ranks=1", "dmg storage led check x"] {
            let error = execute(parse(line).unwrap()).unwrap_err();
            assert!(error.code() == Der::NOTSUPPORTED && error.message().contains("not available yet"), "{line}");
        }
    }
}
