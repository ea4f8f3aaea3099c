//! The command line.

use crate::config::{self, AgentConfig};
use crate::daemon;
use crate::fabric::Fabric;
use clap::{Args, Parser, Subcommand};
use daos_cli::{Outcome, Table};
use daos_common::{Der, Error, Result};
use daos_proto::control::daos_version;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

/// Daemon of client machines: tells applications where a DAOS system is and vouches for who they are.
#[derive(Parser)]
#[command(name = "daos_agent", disable_version_flag = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct Global {
    /// Keep proxy variables of the environment
    #[arg(long, global = true)]
    allow_proxy: bool,
    /// Log at debug level
    #[arg(short = 'd', long, global = true)]
    debug: bool,
    /// Print results as JSON
    #[arg(short = 'j', long, global = true)]
    json: bool,
    /// Write log lines as JSON
    #[arg(short = 'J', long, global = true)]
    json_logging: bool,
    /// Configuration file
    #[arg(short = 'o', long, value_name = "FILE")]
    config_path: Option<PathBuf>,
    /// Reach the management service without certificates
    #[arg(short = 'i', long, global = true)]
    insecure: bool,
    /// Directory of the agent's socket
    #[arg(short = 's', long = "runtime_dir", value_name = "DIR", global = true)]
    runtime_dir: Option<PathBuf>,
    /// Log file
    #[arg(short = 'l', long = "logfile", value_name = "FILE", global = true)]
    log_file: Option<PathBuf>,
}

/// `-o` after a command. It is no global option because some commands have an `-o` of their own, which wins there.
#[derive(Args, Default)]
struct ConfigFile {
    /// Configuration file
    #[arg(short = 'o', long, value_name = "FILE")]
    config_path: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the agent (also without a command)
    Start(ConfigFile),
    /// Print the version
    Version(ConfigFile),
    /// Print the version of the servers
    ServerVersion(ConfigFile),
    /// Print what clients are told of the system
    #[command(name = "dump-attachinfo")]
    DumpAttachInfo {
        /// File to write to
        #[arg(short = 'o', long, default_value = "stdout")]
        output: String,
        /// Index of the fabric provider
        #[arg(short = 'n', long = "provider_idx", default_value_t = 0)]
        provider_index: u32,
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config_path: Option<PathBuf>,
    },
    /// Print the topology of this machine
    DumpTopology {
        /// File to write to
        #[arg(short = 'o', long, default_value = "stdout")]
        output: String,
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config_path: Option<PathBuf>,
    },
    /// Print the fabric interfaces of this machine
    NetScan {
        /// Only those that fit this provider
        #[arg(short = 'p', long)]
        provider: Option<String>,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Help for support
    Support {
        #[command(subcommand)]
        command: Support,
    },
}

#[derive(Subcommand)]
enum Support {
    /// Collect logs
    CollectLog,
}

impl Command {
    /// The configuration file named after the command.
    fn config_path(&self) -> Option<&PathBuf> {
        match self {
            Command::Start(file) | Command::Version(file) | Command::ServerVersion(file) => file.config_path.as_ref(),
            Command::NetScan { file, .. } => file.config_path.as_ref(),
            Command::DumpAttachInfo { config_path, .. } | Command::DumpTopology { config_path, .. } => {
                config_path.as_ref()
            }
            Command::Support { .. } => None,
        }
    }
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
    daos_cli::finish("daos_agent", json, execute(cli))
}

fn execute(mut cli: Cli) -> Result<Outcome> {
    let command = cli.command.unwrap_or_else(|| Command::Start(ConfigFile::default()));
    if let Some(path) = command.config_path() {
        cli.global.config_path = Some(path.clone());
    }
    match command {
        Command::Start(_) => {
            let config = configuration(&cli.global)?;
            start_log(&config, &cli.global)?;
            daemon::run(config).map(|()| Outcome::default())
        }
        Command::Version(_) => {
            let version = daos_version();
            Ok(Outcome::new(json!({ "name": "daos_agent", "version": version }), format!("DAOS Agent v{version}")))
        }
        Command::NetScan { provider, .. } => net_scan(&cli.global, provider.as_deref()),
        Command::DumpAttachInfo { output, provider_index, .. } => {
            if provider_index != 0 {
                return Err(Der::NOTSUPPORTED.err("secondary fabric providers aren't available in this version"));
            }
            dump_attach_info(&cli.global, &output)
        }
        Command::ServerVersion(_) => not_yet("server-version"),
        Command::DumpTopology { .. } => not_yet("dump-topology"),
        Command::Support { command: Support::CollectLog } => not_yet("support collect-log"),
    }
}

fn not_yet(command: &str) -> Result<Outcome> {
    Err(Der::NOTSUPPORTED.err(format!("command {command:?} is not available yet in this version")))
}

fn configuration(global: &Global) -> Result<AgentConfig> {
    let mut config = config::load(global.config_path.as_deref())?;
    config.allow_insecure |= global.insecure;
    if let Some(dir) = &global.runtime_dir {
        config.runtime_dir = dir.clone();
    }
    if let Some(file) = &global.log_file {
        config.log_file = Some(file.clone());
    }
    if global.debug {
        config.log_level = LevelFilter::DEBUG;
    }
    Ok(config)
}

fn start_log(config: &AgentConfig, global: &Global) -> Result<()> {
    if global.json_logging {
        return Err(Der::NOTSUPPORTED.err("--json-logging is not available yet in this version"));
    }
    let builder = tracing_subscriber::fmt().with_max_level(config.log_level).with_target(false).with_ansi(false);
    match &config.log_file {
        None => builder.with_writer(std::io::stderr).init(),
        Some(path) => {
            let file = std::fs::File::options().create(true).append(true).open(path);
            let file = file.map_err(|error| Error::from(error).at(format!("log file {}", path.display())))?;
            builder.with_writer(std::sync::Arc::new(file)).init();
        }
    }
    Ok(())
}

fn net_scan(global: &Global, provider: Option<&str>) -> Result<Outcome> {
    let fabric = Fabric::detect(&configuration(global)?);
    let provider = provider.unwrap_or("ofi+tcp");
    let rows: Vec<Value> = fabric
        .interfaces()
        .iter()
        .filter(|interface| interface.supports(provider))
        .map(|interface| {
            json!({
                "provider": provider,
                "device": interface.name,
                "domain": interface.domain,
                "numa_node": interface.numa_node,
                "net_dev_class": interface.class,
            })
        })
        .collect();
    let mut text = format!("Provider {provider}: {} interface(s)\n", rows.len());
    let mut table = Table::new(&["Interface", "Domain", "NUMA node"]);
    for interface in fabric.interfaces().iter().filter(|interface| interface.supports(provider)) {
        table.row([interface.name.clone(), interface.domain.clone(), interface.numa_node.to_string()]);
    }
    text.push_str(&table.render());
    Ok(Outcome::new(json!({ "Interfaces": rows }), text))
}

fn dump_attach_info(global: &Global, output: &str) -> Result<Outcome> {
    let config = configuration(global)?;
    config.check_transport()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::from(error).at("starting the runtime"))?;
    let answer = runtime.block_on(crate::attach::AttachCache::default().get(&config))?;
    let hint = answer.client_net_hint.clone().unwrap_or_default();
    let mut text = format!("# system {}, provider {}\n# rank: URI\n", config.name, hint.provider);
    for rank in &answer.rank_uris {
        text.push_str(&format!("{}: {}\n", rank.rank, rank.uri));
    }
    if output != "stdout" {
        std::fs::write(output, &text).map_err(|error| Error::from(error).at(output))?;
        text.clear();
    }
    let ranks: Vec<Value> = answer.rank_uris.iter().map(|rank| json!({ "rank": rank.rank, "uri": rank.uri })).collect();
    let response =
        json!({ "sys": config.name, "provider": hint.provider, "rank_uris": ranks, "ms_ranks": answer.ms_ranks });
    Ok(Outcome::new(response, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the documented spellings parse, globals before and after the command, and no command means start.
    #[test]
    fn command_lines() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string());
        let cli = parse("daos_agent -i -s /tmp/r -o a.yml -l /tmp/log --debug").unwrap();
        assert!(cli.command.is_none() && cli.global.insecure && cli.global.debug);
        assert_eq!(cli.global.runtime_dir.unwrap().to_str(), Some("/tmp/r"));
        assert!(matches!(parse("daos_agent start --insecure").unwrap().command, Some(Command::Start(_))));
        let after = |line: &str| {
            let path = parse(line).unwrap().command.unwrap().config_path().cloned();
            path.map(|path| path.display().to_string())
        };
        for line in ["start -o b.yml", "net-scan --config-path b.yml", "dump-attachinfo -o /tmp/f --config-path=b.yml"]
        {
            assert_eq!(after(&format!("daos_agent {line}")).as_deref(), Some("b.yml"), "{line}");
        }
        assert_eq!(after("daos_agent dump-topology -o /tmp/f"), None);
        assert!(parse("daos_agent version -j").unwrap().global.json);
        assert!(parse("daos_agent --runtime_dir=/x dump-attachinfo -o /tmp/f -n 0").is_ok());
        assert!(parse("daos_agent strat").is_err());
    }
}
