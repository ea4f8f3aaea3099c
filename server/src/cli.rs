//! The command line of daos_server, with upstream's commands and flags.

use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// DAOS server: storage, engines and management of this host.
#[derive(Parser, Debug)]
#[command(name = "daos_server", disable_version_flag = true, subcommand_required = true)]
pub struct Cli {
    /// Keep proxy variables (http_proxy and so on) in the environment.
    #[arg(long, global = true)]
    pub allow_proxy: bool,
    /// Log more.
    #[arg(short = 'b', long, global = true)]
    pub debug: bool,
    /// Print JSON.
    #[arg(short = 'j', long, global = true)]
    pub json: bool,
    /// Log JSON lines.
    #[arg(short = 'J', long, global = true)]
    pub json_logging: bool,
    /// Log to syslog.
    #[arg(long, global = true)]
    pub syslog: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Start the server of this host.
    Start(StartArgs),
    /// Run a whole system on this machine: server, engine, agent, a pool and a POSIX container.
    Dev(DevArgs),
    /// Print the version.
    Version,
    /// Network of this host.
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Persistent memory (not available yet).
    Scm(Later),
    /// NVMe devices (not available yet).
    Nvme(Later),
    /// Management service (not available yet).
    Ms(Later),
    /// Print the topology of this host (not available yet).
    DumpTopology(Later),
    /// Support (not available yet).
    Support(Later),
    /// Configuration (not available yet).
    #[command(alias = "cfg")]
    Config(Later),
}

/// Commands below `network`.
#[derive(Subcommand, Debug)]
pub enum NetworkCommand {
    /// List the interfaces that engines can use.
    Scan {
        /// Don't read the configuration file.
        #[arg(long)]
        ignore_config: bool,
        /// Configuration file.
        #[arg(short = 'o', long)]
        config: Option<PathBuf>,
        /// Provider to look for.
        #[arg(short = 'p', long)]
        provider: Option<String>,
    },
}

/// A command that a later version has: whatever follows is accepted and answered with a message.
#[derive(Args, Debug)]
pub struct Later {
    /// Ignored.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<String>,
}

/// Flags of `start`. Those that a file can set too win over the file.
#[derive(Args, Debug, Default)]
pub struct StartArgs {
    /// Don't read the configuration file (scans only; refused by start).
    #[arg(long)]
    pub ignore_config: bool,
    /// Configuration file.
    #[arg(short = 'o', long)]
    pub config: Option<PathBuf>,
    /// Port of the control plane.
    #[arg(short = 'p', long)]
    pub port: Option<u16>,
    /// Mount point of the engine's memory tier.
    #[arg(short = 's', long)]
    pub storage: Option<PathBuf>,
    /// Modules of the engines.
    #[arg(short = 'm', long)]
    pub modules: Option<String>,
    /// Targets of each engine.
    #[arg(short = 't', long)]
    pub targets: Option<u16>,
    /// Helper streams of each engine.
    #[arg(short = 'x', long)]
    pub xshelpernr: Option<u16>,
    /// First core of each engine.
    #[arg(short = 'f', long)]
    pub firstcore: Option<u16>,
    /// System name.
    #[arg(short = 'g', long)]
    pub group: Option<String>,
    /// Directory of the dRPC sockets.
    #[arg(short = 'd', long = "socket_dir")]
    pub socket_dir: Option<PathBuf>,
    /// Run without encryption and authentication of components.
    #[arg(short = 'i', long)]
    pub insecure: bool,
    /// Format storage that isn't formatted.
    #[arg(long)]
    pub auto_format: bool,
}

/// Flags of `dev`.
#[derive(Args, Debug, Clone)]
pub struct DevArgs {
    /// Keep the system in this directory, and find it there again; without, everything is removed at the end.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Targets of the engine.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub targets: u32,
    /// Size of the memory tier, bytes (suffixes K, M, G, T are powers of 1024); used as it fills.
    #[arg(long, default_value = "1G", value_parser = parse_size)]
    pub size: u64,
    /// Size of the data tier, a file that is reserved at once; 0 for none [default: 4G if there is room].
    #[arg(long, value_parser = parse_size)]
    pub data_size: Option<u64>,
    /// System name.
    #[arg(long, default_value = "daos_server")]
    pub name: String,
    /// Port of the control plane; without, any free one.
    #[arg(long)]
    pub port: Option<u16>,
    /// Label of the pool that is made ready.
    #[arg(long, default_value = "dev")]
    pub pool: String,
    /// Label of the container that is made ready.
    #[arg(long, default_value = "dev")]
    pub cont: String,
    /// Verbosity of the engine's log (D_LOG_MASK).
    #[arg(long, default_value = "ERR")]
    pub log_mask: String,
    /// A command to run with the system; its exit code is handed on, and the system ends with it.
    #[arg(last = true)]
    pub command: Vec<OsString>,
}

/// Bytes of `12`, `12K`, `12M`, `12MiB`, ...
///
/// # Errors
/// Says what is expected.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_uppercase();
    let shift = match unit.trim_end_matches("IB").trim_end_matches('B') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("{text:?}: unknown unit; K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is not a size such as 512M or 4G"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("{text:?} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Aim: the tree is consistent, and upstream's spellings are understood.
    #[test]
    fn command_lines() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["daos_server", "start", "-o", "f.yml", "-i", "-t", "4", "-d", "/x"]).unwrap();
        let Command::Start(start) = cli.command else { panic!("start expected") };
        assert_eq!((start.targets, start.insecure), (Some(4), true));
        let cli = Cli::try_parse_from(["daos_server", "dev", "--size", "2G", "--", "sh", "-c", "exit 3"]).unwrap();
        let Command::Dev(dev) = cli.command else { panic!("dev expected") };
        assert_eq!((dev.size, dev.command.len()), (2 << 30, 3));
        assert!(Cli::try_parse_from(["daos_server"]).is_err());
        assert!(Cli::try_parse_from(["daos_server", "nvme", "prepare", "-p", "8"]).is_ok());
    }

    /// Aim: sizes with and without units.
    #[test]
    fn sizes() {
        assert_eq!(parse_size("512M"), Ok(512 << 20));
        assert_eq!(parse_size("4GiB"), Ok(4 << 30));
        assert_eq!(parse_size("7"), Ok(7));
        assert!(parse_size("x").is_err() && parse_size("4Q").is_err() && parse_size("99999999999T").is_err());
    }
}
