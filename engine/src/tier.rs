//! The data tier: which devices the engine has, and where each target's share of a pool is.
//!
//! `daos_nvme.conf` is JSON, written by daos_server beside the superblock:
//! `{"tiers":[{"class":"file","devices":["/path"],"bytes":N,"roles":["data"]}]}`. Classes are `file` and `kdev`; `bytes`
//! is the size of each file; without roles a tier holds data. Targets are dealt over the devices in turn.

use daos_blob::{BlobId, Device};
use daos_common::{Der, Error, Result};
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// How much of an unformatted block device is looked at before it is taken as blank.
const BLANK_CHECK_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    tiers: Vec<TierConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierConfig {
    class: String,
    devices: Vec<PathBuf>,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    roles: Vec<String>,
}

/// The devices that hold data. Shared by the engine's threads.
pub struct DataTier {
    devices: Vec<(PathBuf, Device)>,
}

impl DataTier {
    /// Whether a device of this UUID is among them.
    pub fn has_device(&self, uuid: Uuid) -> bool {
        self.devices.iter().any(|(_, device)| device.uuid() == uuid)
    }

    /// Opens the devices named in a configuration, formatting blank ones; `None` if no tier holds data.
    ///
    /// # Errors
    /// `INVAL`: the file is not such a configuration. `DF_INVAL`: a device holds something else, or is damaged.
    /// What the device layer says otherwise; the message names the device.
    pub fn open(config: &Path) -> Result<Option<DataTier>> {
        let place = config.display();
        let text = std::fs::read_to_string(config).map_err(|error| Error::from(error).at(&place))?;
        let config: Config = serde_json::from_str(&text)
            .map_err(|error| Der::INVAL.err(format!("{place}: not a description of bdev tiers: {error}")))?;
        let mut devices = Vec::new();
        for tier in config.tiers {
            if !tier.roles.is_empty() && !tier.roles.iter().any(|role| role == "data") {
                continue;
            }
            if !["file", "kdev"].contains(&tier.class.as_str()) {
                let message = format!("{place}: bdev class {:?} is not supported; use file or kdev", tier.class);
                return Err(Der::NOTSUPPORTED.err(message));
            }
            for path in tier.devices {
                let device = open_device(&path, &tier.class, tier.bytes).map_err(|error| error.at(path.display()))?;
                devices.push((path, device));
            }
        }
        Ok(if devices.is_empty() { None } else { Some(DataTier { devices }) })
    }

    /// The device of a target.
    pub fn device(&self, target: u32) -> &Device {
        &self.devices[target as usize % self.devices.len()].1
    }

    /// Makes a target's share of a pool.
    ///
    /// # Errors
    /// `NOSPACE`, `IO`: as [`Device::create_blob`], with the device named.
    pub fn create(&self, id: BlobId, bytes: u64) -> Result<()> {
        let (path, device) = &self.devices[id.target as usize % self.devices.len()];
        device.create_blob(id, bytes).map_err(|error| error.at(path.display()))
    }

    /// Deletes every share of pools that `keep` denies; failures are logged, the rest goes on.
    pub fn delete(&self, keep: impl Fn(Uuid) -> bool) {
        for (path, device) in &self.devices {
            for (id, _) in device.blobs().into_iter().filter(|(id, _)| !keep(id.pool)) {
                match device.delete_blob(id) {
                    Ok(()) => {
                        tracing::info!("{}: deleted the share of pool {} target {}", path.display(), id.pool, id.target)
                    }
                    Err(error) => tracing::error!("{}: pool {} target {}: {error}", path.display(), id.pool, id.target),
                }
            }
        }
    }
}

/// Opens a device. Only one that is certainly blank is formatted: a damaged one must not lose what can be saved.
fn open_device(path: &Path, class: &str, bytes: u64) -> Result<Device> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && class == "file" => {
            if bytes == 0 {
                return Err(Der::INVAL.err("a new device file needs a size (bdev_size)"));
            }
            tracing::info!("{}: formatting a new device file of {bytes} bytes", path.display());
            Device::format(path, bytes, false)?;
        }
        Err(error) => return Err(error.into()),
        Ok(metadata) => {
            let empty = class == "file" && metadata.len() == 0;
            if empty || is_blank(path)? {
                tracing::info!("{}: formatting a blank device", path.display());
                Device::format(path, if class == "file" { bytes.max(metadata.len()) } else { 0 }, false)?;
            }
        }
    }
    Device::open(path)
}

/// Whether the start of a device holds nothing but zeros.
fn is_blank(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(BLANK_CHECK_BYTES as u64).read_to_end(&mut start)?;
    Ok(start.iter().all(|&byte| byte == 0))
}
