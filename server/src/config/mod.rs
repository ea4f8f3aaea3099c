//! daos_server.yml: found, read strictly, checked, and completed with defaults.
//!
//! [`load`] gives a [`ServerConfig`] in which every value is final: engines hold what they inherit from the server
//! level, replica addresses have their port. `yaml` knows the shape of the file, `resolve` the rules.

mod resolve;
#[cfg(test)]
pub(crate) mod tests;
pub mod yaml;

pub use resolve::{check_log_mask, resolve};

use daos_common::{Der, Result};
use std::path::{Path, PathBuf};

/// System name when the file gives none.
pub const DEFAULT_SYSTEM: &str = "daos_server";
/// gRPC port when the file gives none.
pub const DEFAULT_PORT: u16 = 10001;
/// Longest system name, bytes.
pub const SYSTEM_NAME_MAX: usize = 15;
/// Directory of the dRPC sockets when the file gives none.
pub const DEFAULT_SOCKET_DIR: &str = "/var/run/daos_server";
/// Where the file is looked for when `-o` isn't given.
pub const DEFAULT_PATHS: [&str; 1] = ["/etc/daos/daos_server.yml"];
/// Smallest `scm_size`, GiB.
pub const SCM_SIZE_MIN_GIB: u64 = 4;

/// Verbosity of the server's own log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum LogMask {
    Disabled,
    Trace,
    Debug,
    Info,
    Notice,
    Error,
}

/// Class of a storage tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TierClass {
    /// Memory, or any directory, at `scm_mount`.
    Ram,
    /// Persistent memory: a DAX file system at `scm_mount`.
    Dcpm,
    /// NVMe through SPDK.
    Nvme,
    /// A plain file.
    File,
    /// A kernel block device.
    Kdev,
}

impl TierClass {
    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            TierClass::Ram => "ram",
            TierClass::Dcpm => "dcpm",
            TierClass::Nvme => "nvme",
            TierClass::File => "file",
            TierClass::Kdev => "kdev",
        }
    }

    /// Whether it is a tier of byte-addressable memory.
    pub fn is_scm(self) -> bool {
        matches!(self, TierClass::Ram | TierClass::Dcpm)
    }
}

/// Role of a block tier, by its bit in `role_bits`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum BdevRole {
    /// Large values.
    Data = 1,
    /// Checkpoints of metadata.
    Meta = 2,
    /// The redo log.
    Wal = 4,
}

impl BdevRole {
    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            BdevRole::Data => "data",
            BdevRole::Meta => "meta",
            BdevRole::Wal => "wal",
        }
    }
}

/// The memory tier of an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScmTier {
    /// `Ram` or `Dcpm`.
    pub class: TierClass,
    /// Where it is mounted; pools, the superblock and the system database live below.
    pub mount: PathBuf,
    /// Bytes to use; 0 means as much as there is.
    pub bytes: u64,
    /// Whether tmpfs is mounted without huge pages.
    pub hugepages_disabled: bool,
    /// The DAX device, for `Dcpm`.
    pub devices: Vec<String>,
}

/// A block tier of an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BdevTier {
    /// `Nvme`, `File` or `Kdev`.
    pub class: TierClass,
    /// Files, block devices or PCI addresses.
    pub devices: Vec<String>,
    /// Bytes of each file; 0 for devices, whose size is their own.
    pub bytes: u64,
    /// Roles, given or derived. Empty means "data" (metadata in the memory tier).
    pub roles: Vec<BdevRole>,
}

/// One engine, complete.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct EngineConfig {
    pub targets: u32,
    pub xs_helpers: u32,
    pub first_core: Option<u32>,
    pub pinned_numa_node: Option<u32>,
    pub modules: Option<String>,
    pub provider: String,
    pub fabric_iface: String,
    pub fabric_port: u16,
    pub crt_timeout_s: u32,
    pub disable_srx: bool,
    pub fabric_auth_key: Option<String>,
    pub bypass_health_check: bool,
    pub log_mask: String,
    pub log_file: Option<PathBuf>,
    pub env_vars: Vec<String>,
    pub env_pass_through: Vec<String>,
    pub scm: ScmTier,
    pub bdevs: Vec<BdevTier>,
}

/// `control_metadata`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct ControlMetadata {
    pub path: PathBuf,
    pub device: Option<String>,
    pub allow_spdk_conf_override: bool,
}

/// The whole configuration of a server, complete.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct ServerConfig {
    /// The file it came from; empty for one made in memory.
    pub path: PathBuf,
    pub name: String,
    pub port: u16,
    pub control_iface: Option<String>,
    /// `host:port` of the management replicas; the first bootstraps.
    pub replicas: Vec<String>,
    pub control_metadata: Option<ControlMetadata>,
    pub allow_insecure: bool,
    pub fault_path: String,
    pub provider: Option<String>,
    pub core_dump_filter: u8,
    pub socket_dir: PathBuf,
    pub control_log_mask: LogMask,
    pub control_log_file: Option<PathBuf>,
    pub control_log_json: bool,
    pub telemetry_port: u16,
    pub engine_auto_restart: bool,
    pub engine_restart_min_delay_s: u32,
    pub client_env_vars: Vec<String>,
    pub crt_timeout_s: u32,
    pub disable_srx: bool,
    pub system_ram_reserved_gib: u64,
    pub engines: Vec<EngineConfig>,
    /// Format storage at start without being asked to (`--auto-format`).
    pub auto_format: bool,
    /// The engine's program; `None` for `daos_engine` beside this one or on PATH. Never set by a file.
    pub engine_program: Option<PathBuf>,
    /// Accept an engine that comes back on another control address. Never set by a file: a system on one machine
    /// (`daos_server dev`) picks a free port at every start.
    pub allow_address_change: bool,
}

impl ServerConfig {
    /// Refuses a configuration that asks for certificates, by saying nothing or `allow_insecure: false`.
    ///
    /// # Errors
    /// `NOTSUPPORTED` with the remedy.
    pub fn check_transport(&self) -> Result<()> {
        match self.allow_insecure {
            true => Ok(()),
            false => Err(Der::NOTSUPPORTED.err(format!(
                "{}: certificates aren't available in this version: the control plane runs only unencrypted and \
                 without authentication of components, and only if that is asked for: set `allow_insecure: true` \
                 under `transport_config:`, or start with -i",
                self.path.display()
            ))),
        }
    }

    /// Where engine `index` keeps its superblock: beside its pools, or in the control metadata directory.
    pub fn superblock_dir(&self, index: usize) -> Option<PathBuf> {
        let engine = self.engines.get(index)?;
        Some(match &self.control_metadata {
            Some(metadata) => metadata.path.join("daos_control").join(format!("engine{index}")),
            None => engine.scm.mount.clone(),
        })
    }

    /// Where the system database lives; `None` without engines.
    pub fn database_dir(&self) -> Option<PathBuf> {
        let engine = self.engines.first()?;
        Some(match &self.control_metadata {
            Some(metadata) => metadata.path.join("daos_control").join("control_raft"),
            None => engine.scm.mount.join("control_raft"),
        })
    }
}

/// The file to read: `explicit`, else the first of [`DEFAULT_PATHS`] that exists.
///
/// # Errors
/// `NONEXIST` naming the places looked at.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = explicit {
        return match path.is_file() {
            true => Ok(path.to_path_buf()),
            false => Err(Der::NONEXIST.err(format!("configuration file {} doesn't exist", path.display()))),
        };
    }
    DEFAULT_PATHS.iter().map(PathBuf::from).find(|path| path.is_file()).ok_or_else(|| {
        Der::NONEXIST.err(format!(
            "no configuration file: {} doesn't exist; write one, name another with -o FILE, or run `daos_server dev`",
            DEFAULT_PATHS.join(", ")
        ))
    })
}

/// Reads, checks and completes the file at `path`.
///
/// # Errors
/// `INVAL` naming file, line, key and what was expected; the I/O error when the file can't be read.
pub fn load(path: &Path) -> Result<ServerConfig> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| daos_common::Error::from(error).at(format!("configuration file {}", path.display())))?;
    resolve(daos_proto::yaml::parse(&text, path)?, path)
}
