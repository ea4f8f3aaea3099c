//! The command line of `daos_engine`: upstream's flags, short and long.

use clap::Parser;
use daos_common::{Der, Result};
use std::path::PathBuf;

/// Longest system name in bytes.
const GROUP_NAME_MAX_BYTES: usize = 15;
/// Longest module list in bytes.
const MODULES_MAX_BYTES: usize = 64;
/// Modules of upstream's engine and their aliases; all of them are always built in here.
const MODULES: &[&str] = &[
    "vos",
    "rdb",
    "rsvc",
    "security",
    "mgmt",
    "management",
    "dtx",
    "pool",
    "po",
    "cont",
    "container",
    "co",
    "obj",
    "object",
    "rebuild",
    "chk",
    "pipeline",
];

/// DAOS storage engine: serves its targets' shares of every pool over the fabric.
///
/// Started by daos_server. The fabric, the log and the timeouts are set by environment variables: D_PROVIDER,
/// D_INTERFACE, D_DOMAIN, D_PORT, CRT_TIMEOUT, D_LOG_MASK, D_LOG_FILE.
#[derive(Parser, Clone, Debug)]
#[command(name = "daos_engine", version, rename_all = "snake_case")]
pub struct Options {
    /// Modules to load, separated by commas (all are built in; the list is checked and otherwise ignored)
    #[arg(short = 'm', long, value_name = "LIST")]
    pub modules: Option<String>,
    /// Deprecated name of --targets
    #[arg(short = 'c', long, value_name = "N", conflicts_with = "targets")]
    pub cores: Option<u32>,
    /// Number of targets [default: number of cores]
    #[arg(short = 't', long, value_name = "N")]
    pub targets: Option<u32>,
    /// Helper threads per target (accepted; a target has no helper threads)
    #[arg(short = 'x', long, value_name = "N", default_value_t = 2)]
    pub xshelpernr: u32,
    /// First core to pin threads to
    #[arg(short = 'f', long, value_name = "N", default_value_t = 0)]
    pub firstcore: u32,
    /// System name
    #[arg(short = 'g', long, value_name = "NAME", default_value = "daos_server")]
    pub group: String,
    /// Mount point of the SCM tier
    #[arg(short = 's', long, value_name = "PATH", default_value = "/mnt/daos")]
    pub storage: PathBuf,
    /// Directory of the sockets shared with daos_server
    #[arg(short = 'd', long = "socket_dir", value_name = "PATH", default_value = "/var/run/daos_server")]
    pub socket_dir: PathBuf,
    /// Description of the bdev tiers (daos_nvme.conf) [default: no data tier]
    #[arg(short = 'n', long, value_name = "PATH")]
    pub nvme: Option<PathBuf>,
    /// Number of this engine on its host
    #[arg(short = 'I', long = "instance_idx", value_name = "N", default_value_t = 0)]
    pub instance_idx: u32,
    /// NUMA node of this engine (accepted; the kernel places memory)
    #[arg(short = 'p', long = "pinned_numa_node", value_name = "N")]
    pub pinned_numa_node: Option<u32>,
    /// Do not check the health of NVMe devices (accepted)
    #[arg(short = 'b', long = "bypass_health_chk")]
    pub bypass_health_chk: bool,
    /// Memory for NVMe, in MiB (accepted)
    #[arg(short = 'r', long = "mem_size", value_name = "MIB", default_value_t = 0)]
    pub mem_size: u64,
    /// Size of a huge page, in MiB (accepted)
    #[arg(short = 'H', long = "hugepage_size", value_name = "MIB", default_value_t = 0)]
    pub hugepage_size: u64,
    /// Number of storage tiers
    #[arg(short = 'T', long = "storage_tiers", value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..=4))]
    pub storage_tiers: u32,
    /// Start in checker mode
    #[arg(short = 'C', long = "check", alias = "checker")]
    pub check: bool,
    /// Secondary fabric contexts (accepted; one provider is served)
    #[arg(short = 'S', long = "nr_sec_ctx", value_name = "N", hide = true)]
    pub nr_sec_ctx: Option<u32>,
}

impl Options {
    /// Checks what the parser can't.
    ///
    /// # Errors
    /// `INVAL`: names the flag and what is allowed. `NOTSUPPORTED`: checker mode.
    pub fn check(&self) -> Result<()> {
        if self.group.is_empty() || self.group.len() > GROUP_NAME_MAX_BYTES {
            let message = format!("-g {:?}: a system name has 1 to {GROUP_NAME_MAX_BYTES} bytes", self.group);
            return Err(Der::INVAL.err(message));
        }
        if let Some(list) = &self.modules {
            check_modules(list)?;
        }
        if self.target_count() == 0 || self.target_count() > 1024 {
            return Err(Der::INVAL.err(format!("-t {}: an engine has 1 to 1024 targets", self.target_count())));
        }
        if self.check {
            return Err(Der::NOTSUPPORTED.err("-C: the checker is not built into this engine"));
        }
        Ok(())
    }

    /// Number of targets: the flag, or one per core.
    pub fn target_count(&self) -> u32 {
        self.targets.or(self.cores).unwrap_or_else(core_count)
    }
}

/// Cores this process may use.
pub fn core_count() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

fn check_modules(list: &str) -> Result<()> {
    if list.len() > MODULES_MAX_BYTES {
        return Err(Der::INVAL.err(format!("-m: the list has {} bytes; at most {MODULES_MAX_BYTES}", list.len())));
    }
    match list.split(',').find(|name| !MODULES.contains(&name.trim())) {
        Some(name) => Err(Der::INVAL.err(format!("-m: no module {name:?}; known are {}", MODULES.join(", ")))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the short flags that daos_server passes are understood, and the limits hold.
    #[test]
    fn short_flags_and_limits() {
        let line = "daos_engine -t 4 -x 0 -g sys -d /tmp/s -T 2 -n /tmp/n.conf -I 1 -s /mnt/d -p 0 -f 1 -b -r 0 -H 2";
        let options = Options::try_parse_from(line.split(' ')).unwrap();
        options.check().unwrap();
        assert_eq!((options.target_count(), options.instance_idx), (4, 1));
        let long = "daos_engine --targets 2 --socket_dir /a --storage_tiers 1 --xshelpernr 1 --pinned_numa_node 0";
        assert_eq!(Options::try_parse_from(long.split(' ')).unwrap().socket_dir, PathBuf::from("/a"));
        for wrong in ["-g sixteen_letters_", "-t 0", "-m vos,nothing", "-T 5", "-t x"] {
            let words = std::iter::once("daos_engine").chain(wrong.split(' '));
            assert!(Options::try_parse_from(words).map_err(|_| ()).and_then(|o| o.check().map_err(|_| ())).is_err());
        }
    }
}
