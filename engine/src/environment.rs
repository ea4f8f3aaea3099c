//! What the environment decides: fabric, timeout, and what a commit survives.

use daos_common::{Der, Result};
use daos_fabric::FabricConfig;
use daos_vos::Durability;
use std::path::Path;
use std::time::Duration;

/// Provider when `D_PROVIDER` is not set.
const DEFAULT_PROVIDER: &str = "ofi+tcp";
/// Timeout of a request between engines when `CRT_TIMEOUT` is not set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Age of versions that are merged when `DAOS_VOS_AGG_GAP` is not set, as the original's.
const DEFAULT_AGGREGATION_GAP: Duration = Duration::from_secs(20);
/// The longest that it may say.
const AGGREGATION_GAP_MAX_SECONDS: u64 = 180;
/// File system type of tmpfs, from `linux/magic.h`.
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// The settings taken from the environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The fabric of context 0; the others take any port.
    pub fabric: FabricConfig,
    /// Timeout of a request between engines.
    pub timeout: Duration,
    /// Age that versions reach before they are merged in the background.
    pub aggregation_gap: Duration,
}

impl Environment {
    /// Reads `D_PROVIDER`, `D_INTERFACE`, `D_DOMAIN`, `D_PORT`, `CRT_TIMEOUT`, `DAOS_VOS_AGG_GAP`; empty values count as
    /// not set.
    ///
    /// # Errors
    /// `INVAL`: a number that isn't one.
    pub fn read() -> Result<Environment> {
        let port = number("D_PORT", u64::from(u16::MAX))?.map(|port| port as u16).filter(|&port| port != 0);
        let timeout = number("CRT_TIMEOUT", u64::from(u32::MAX))?.filter(|&seconds| seconds != 0);
        let gap = number("DAOS_VOS_AGG_GAP", AGGREGATION_GAP_MAX_SECONDS)?;
        Ok(Environment {
            fabric: FabricConfig {
                provider: text("D_PROVIDER").unwrap_or_else(|| DEFAULT_PROVIDER.to_owned()),
                interface: text("D_INTERFACE"),
                domain: text("D_DOMAIN"),
                port,
            },
            timeout: timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
            aggregation_gap: gap.map_or(DEFAULT_AGGREGATION_GAP, Duration::from_secs),
        })
    }
}

/// An environment variable's text, if it is set and not empty.
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// An environment variable's number, if it is set and not empty.
///
/// # Errors
/// `INVAL`: not a number, or above `max`.
pub fn number(name: &str, max: u64) -> Result<Option<u64>> {
    let Some(value) = text(name) else { return Ok(None) };
    match value.parse::<u64>() {
        Ok(number) if number <= max => Ok(Some(number)),
        _ => Err(Der::INVAL.err(format!("environment variable {name}={value}: expected a number from 0 to {max}"))),
    }
}

/// What a commit has to survive on `storage`.
///
/// The command line doesn't tell the SCM class, but daos_server sets `PMEMOBJ_CONF=sds.at_create=0` for class `ram`,
/// and tmpfs loses everything with the power anyway. All else is taken as persistent memory: the safe side.
pub fn durability(storage: &Path) -> Durability {
    let ram_class = text("PMEMOBJ_CONF").is_some_and(|conf| conf.replace(' ', "").contains("sds.at_create=0"));
    let tmpfs = rustix::fs::statfs(storage).is_ok_and(|stat| stat.f_type as u64 == TMPFS_MAGIC);
    if ram_class || tmpfs { Durability::Process } else { Durability::Power }
}
