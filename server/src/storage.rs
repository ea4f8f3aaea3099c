//! The storage of an engine before the engine runs: is it formatted, format it, how large is it.
//!
//! Formatting prepares the memory tier's directory, leaves the device list for the engine in `daos_nvme.conf`, and
//! writes the superblock last: storage without a superblock isn't formatted. The engine lays out the data tier itself
//! when it first starts.
//!
//! `daos_nvme.conf` beside the superblock is JSON:
//! `{"tiers":[{"class":"file","devices":["/path"],"bytes":N,"roles":["data"]}]}`; `bytes` is per device.

use crate::config::{BdevTier, EngineConfig, ServerConfig, TierClass};
use crate::durable;
use crate::superblock::Superblock;
use daos_common::{Der, Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// File name of the device list.
pub const NVME_CONF: &str = "daos_nvme.conf";

/// The device list that an engine is given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct NvmeConf {
    /// Block tiers in order.
    pub tiers: Vec<NvmeConfTier>,
}

/// One block tier of [`NvmeConf`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NvmeConfTier {
    /// `file`, `kdev` or `nvme`.
    pub class: String,
    /// Paths or PCI addresses.
    pub devices: Vec<String>,
    /// Bytes of each device; 0 for its own size.
    pub bytes: u64,
    /// `data`, `meta`, `wal`.
    pub roles: Vec<String>,
}

impl NvmeConf {
    fn of(bdevs: &[BdevTier]) -> NvmeConf {
        let tier = |tier: &BdevTier| NvmeConfTier {
            class: tier.class.name().to_string(),
            devices: tier.devices.clone(),
            bytes: tier.bytes,
            roles: match tier.roles.is_empty() {
                true => vec!["data".to_string()],
                false => tier.roles.iter().map(|role| role.name().to_string()).collect(),
            },
        };
        NvmeConf { tiers: bdevs.iter().map(tier).collect() }
    }
}

/// What became of one engine's storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Formatted {
    /// Its new superblock.
    pub superblock: Superblock,
    /// What an administrator should know about it; may be empty.
    pub note: String,
}

/// Formats the storage of engine `index`.
///
/// # Errors
/// `EXIST` when it is formatted and `reformat` isn't given; `BUSY` when it holds data without being formatted;
/// otherwise what the system says.
pub fn format(config: &ServerConfig, index: usize, reformat: bool) -> Result<Formatted> {
    let (Some(engine), Some(home)) = (config.engines.get(index), config.superblock_dir(index)) else {
        return Err(Der::NONEXIST.err(format!("engine {index} isn't in the configuration")));
    };
    let mount = &engine.scm.mount;
    if Superblock::path(&home).exists() && !reformat {
        return Err(Der::EXIST.err(format!(
            "the storage of engine {index} at {} is formatted already; format again with --force (destroys the data)",
            home.display()
        )));
    }
    for device in engine.bdevs.iter().flat_map(|tier| &tier.devices) {
        check_device(device)?;
    }
    let note = prepare_mount(engine)?;
    clear(mount, reformat)?;
    if reformat {
        for device in engine.bdevs.iter().filter(|tier| tier.class == TierClass::File).flat_map(|tier| &tier.devices) {
            remove_file(Path::new(device))?;
        }
    }
    std::fs::create_dir_all(&home).map_err(|error| Error::from(error).at(home.display()))?;
    remove_file(&Superblock::path(&home))?;
    write_nvme_conf(&home, engine)?;
    let superblock = Superblock::new(&config.name);
    superblock.write(&home)?;
    Ok(Formatted { superblock, note })
}

/// The device list of an engine with block tiers, brought up to date with the configuration; `None` without.
///
/// # Errors
/// What the file system says.
pub fn write_nvme_conf(home: &Path, engine: &EngineConfig) -> Result<Option<PathBuf>> {
    if engine.bdevs.is_empty() {
        return Ok(None);
    }
    let path = home.join(NVME_CONF);
    let text = serde_json::to_vec_pretty(&NvmeConf::of(&engine.bdevs)).map_err(|e| Der::MISC.err(e.to_string()))?;
    if std::fs::read(&path).is_ok_and(|old| old == text) {
        return Ok(Some(path));
    }
    durable::replace(&path, &text)?;
    Ok(Some(path))
}

fn check_device(device: &str) -> Result<()> {
    let path = Path::new(device);
    match path.parent() {
        _ if !path.is_absolute() => Err(Der::INVAL.err(format!("bdev_list: {device} is not an absolute path"))),
        Some(dir) if dir.is_dir() => Ok(()),
        _ => Err(Der::NONEXIST.err(format!("bdev_list: the directory of {device} doesn't exist; make it"))),
    }
}

/// Sees to it that the memory tier's directory is there. The answer says how it was come by.
fn prepare_mount(engine: &EngineConfig) -> Result<String> {
    let mount = &engine.scm.mount;
    let place = || format!("scm_mount {}", mount.display());
    if is_mount_point(mount) {
        return Ok(String::new());
    }
    if engine.scm.class == TierClass::Dcpm {
        return Err(Der::NONEXIST.err(format!(
            "{}: not mounted; make an ext4 file system on {} and mount it there with -o dax",
            place(),
            engine.scm.devices.join(", ")
        )));
    }
    if mount.is_dir() {
        return Ok(format!("{} is a plain directory, not a tmpfs mount; it is used as it is", mount.display()));
    }
    std::fs::create_dir_all(mount).map_err(|error| Error::from(error).at(place()))?;
    if !rustix::process::geteuid().is_root() {
        return Ok(format!("{} was made as a plain directory: only root can mount tmpfs", mount.display()));
    }
    match mount_tmpfs(engine) {
        Ok(()) => Ok(format!("tmpfs mounted on {}", mount.display())),
        Err(error) => {
            Ok(format!("{} is used as a plain directory: tmpfs could not be mounted ({error})", mount.display()))
        }
    }
}

fn mount_tmpfs(engine: &EngineConfig) -> std::io::Result<()> {
    let huge = match engine.scm.hugepages_disabled {
        true => "never",
        false => "always",
    };
    let options = match engine.scm.bytes {
        0 => format!("huge={huge}"),
        bytes => format!("size={bytes},huge={huge}"),
    };
    let status = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
        .arg(&engine.scm.mount)
        .stderr(std::process::Stdio::null())
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(std::io::Error::other(format!("mount ended with {status}"))),
    }
}

/// Whether something is mounted exactly there.
pub fn is_mount_point(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let Ok(table) = std::fs::read_to_string("/proc/self/mountinfo") else { return false };
    table.lines().filter_map(|line| line.split(' ').nth(4)).any(|field| Path::new(&unescape(field)) == path)
}

/// Undoes the octal escapes of the mount table.
fn unescape(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

/// Removes what DAOS left in the directory; nothing else is touched.
fn clear(mount: &Path, reformat: bool) -> Result<()> {
    let entries = std::fs::read_dir(mount).map_err(|error| Error::from(error).at(mount.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = matches!(
            name.as_ref(),
            "superblock" | "superblock.new" | NVME_CONF | "control_raft" | "daos_sys" | "NEWBORNS" | "ZOMBIES"
        ) || uuid::Uuid::parse_str(&name).is_ok();
        if !ours {
            continue;
        }
        if !reformat {
            return Err(Der::BUSY.err(format!(
                "{} holds {name} from an earlier system; format with --force (destroys it), or move it away",
                mount.display()
            )));
        }
        let path = entry.path();
        let removed = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.map_err(|error| Error::from(error).at(path.display()))?;
    }
    Ok(())
}

fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::from(error).at(path.display())),
        _ => Ok(()),
    }
}

/// Size of a memory tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScmUsage {
    /// Bytes that the configuration and the file system allow.
    pub total_bytes: u64,
    /// Of those, bytes still free.
    pub available_bytes: u64,
}

/// How large the memory tier of an engine is.
///
/// # Errors
/// What the file system says.
pub fn scm_usage(engine: &EngineConfig) -> Result<ScmUsage> {
    let stat = rustix::fs::statvfs(&engine.scm.mount)
        .map_err(|error| Error::from(std::io::Error::from(error)).at(engine.scm.mount.display()))?;
    let total = stat.f_blocks.saturating_mul(stat.f_frsize);
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    Ok(match engine.scm.bytes {
        0 => ScmUsage { total_bytes: total, available_bytes: free },
        limit => ScmUsage { total_bytes: total.min(limit), available_bytes: free.min(limit) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::sample;

    /// Aim: format writes superblock and device list, refuses a second time without force, and with force removes
    /// what DAOS left and nothing else.
    #[test]
    fn format_and_reformat() {
        let dir = tempfile::tempdir().unwrap();
        let config = sample(dir.path());
        std::fs::create_dir_all(&config.engines[0].scm.mount).unwrap();
        let first = format(&config, 0, false).unwrap();
        let mount = &config.engines[0].scm.mount;
        assert_eq!(Superblock::read(mount, &config.name).unwrap(), Some(first.superblock.clone()));
        assert!(first.note.contains("plain directory"), "{}", first.note);
        let conf: NvmeConf = serde_json::from_slice(&std::fs::read(mount.join(NVME_CONF)).unwrap()).unwrap();
        assert_eq!(conf.tiers[0].class, "file");
        assert_eq!(conf.tiers[0].roles, ["data"]);

        let again = format(&config, 0, false).unwrap_err();
        assert_eq!(again.code(), Der::EXIST);
        assert!(again.message().contains("--force"), "{again}");

        let pool = mount.join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir(&pool).unwrap();
        std::fs::write(mount.join("notes.txt"), "mine").unwrap();
        let second = format(&config, 0, true).unwrap();
        assert_ne!(second.superblock.uuid, first.superblock.uuid);
        assert!(!pool.exists() && mount.join("notes.txt").exists());
    }

    /// Aim: data without a superblock isn't taken for empty storage.
    #[test]
    fn leftovers_need_force() {
        let dir = tempfile::tempdir().unwrap();
        let config = sample(dir.path());
        let mount = &config.engines[0].scm.mount;
        std::fs::create_dir_all(mount.join("control_raft")).unwrap();
        let error = format(&config, 0, false).unwrap_err();
        assert_eq!(error.code(), Der::BUSY);
        assert!(error.message().contains("control_raft"), "{error}");
    }
}
