//! The directories of a `dev` system.
//!
//! | path | what |
//! |---|---|
//! | `lock` | locked while the system runs |
//! | `dev.json` | sizes and ports, so that a restart finds its data and, if they are free, its ports |
//! | `scm`, `data0` | the engine's tiers |
//! | `log/` | server.log, engine.log, agent.log |
//! | `run/` | dRPC sockets |
//! | `lib/` | links by soname, when running from a build tree |
//! | `daos_agent.yml`, `daos_control.yml` | configuration of agent and dmg |
//!
//! With `--dir` all of it lies there. Otherwise it lies in a directory of its own in the temporary directory, the
//! memory tier in /dev/shm if there is room, and all of it is removed at the end. What a killed system left behind is
//! removed by the next one: its lock is free.

use crate::cli::DevArgs;
use daos_common::{Der, Error, Result};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Start of the names of throw-away directories.
const PREFIX: &str = "daos-dev-";
/// Where memory can be had as files.
const MEMORY_DIR: &str = "/dev/shm";
/// A directory younger than this may still be about to be locked.
const YOUNG: Duration = Duration::from_secs(10);
/// Longest directory of sockets, so that `daos_engine_<pid>.sock` fits 107 bytes.
const SOCKET_DIR_MAX: usize = 107 - "/daos_engine_4194304.sock".len();

/// What a restart must know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// System name.
    pub name: String,
    /// Targets of the engine.
    pub targets: u32,
    /// Bytes of the memory tier.
    pub scm_bytes: u64,
    /// Bytes of the data tier.
    pub data_bytes: u64,
    /// Port of the control plane, last time.
    pub control_port: u16,
    /// Port of the fabric, last time.
    pub fabric_port: u16,
}

/// The directories; see the module.
pub struct Site {
    base: PathBuf,
    /// The engine's memory tier.
    pub scm: PathBuf,
    /// Directory of the sockets.
    pub run: PathBuf,
    /// Removed at the end.
    temporary: Vec<PathBuf>,
    /// Whether the system stays.
    pub keeps: bool,
    _locks: Vec<File>,
}

impl Site {
    /// Makes the directories, or finds them.
    ///
    /// # Errors
    /// `BUSY` when a system runs in `--dir`; what the file system says.
    pub fn open(args: &DevArgs) -> Result<Site> {
        let temp = std::env::temp_dir();
        sweep(&temp);
        sweep(Path::new(MEMORY_DIR));
        let mut locks = Vec::new();
        let mut temporary = Vec::new();
        let base = match &args.dir {
            Some(dir) => {
                std::fs::create_dir_all(dir).map_err(|error| Error::from(error).at(dir.display()))?;
                let dir = dir.canonicalize().map_err(|error| Error::from(error).at(dir.display()))?;
                locks.push(lock(&dir)?);
                dir
            }
            None => {
                let dir = make_temporary(&temp, &mut locks)?;
                temporary.push(dir.clone());
                dir
            }
        };
        let mut scm = base.join("scm");
        if args.dir.is_none() && has_room(Path::new(MEMORY_DIR), args.size) {
            let memory = make_temporary(Path::new(MEMORY_DIR), &mut locks)?;
            scm = memory.join("scm");
            temporary.push(memory);
        }
        let mut run = base.join("run");
        if run.as_os_str().len() > SOCKET_DIR_MAX {
            let short = make_temporary(Path::new("/tmp"), &mut locks)?;
            run = short.join("run");
            temporary.push(short);
        }
        for dir in [&scm, &run, &base.join("log")] {
            make_private(dir)?;
        }
        Ok(Site { base, scm, run, temporary, keeps: args.dir.is_some(), _locks: locks })
    }

    /// A file or directory of the system.
    pub fn path(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// A log file.
    pub fn log(&self, name: &str) -> PathBuf {
        self.base.join("log").join(name)
    }

    /// The settings of the system that is here, if there is one.
    ///
    /// # Errors
    /// `DF_INVAL` when the file is damaged.
    pub fn settings(&self) -> Result<Option<Settings>> {
        let path = self.path("dev.json");
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from(error).at(path.display())),
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| Der::DF_INVAL.err(format!("{} is damaged: {error}", path.display()))),
        }
    }

    /// Writes the settings.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, settings: &Settings) -> Result<()> {
        let text = serde_json::to_vec_pretty(settings).map_err(|error| Der::MISC.err(error.to_string()))?;
        crate::durable::replace(&self.path("dev.json"), &text)
    }

    /// Removes what isn't to stay.
    pub fn close(self) {
        for dir in &self.temporary {
            if let Err(error) = std::fs::remove_dir_all(dir) {
                eprintln!("daos_server dev: {} was not removed: {error}", dir.display());
            }
        }
    }
}

fn make_private(dir: &Path) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).recursive(true).create(dir) {
        Ok(()) => Ok(()),
        Err(error) => Err(Error::from(error).at(dir.display())),
    }
}

/// A new directory below `parent`, locked.
fn make_temporary(parent: &Path, locks: &mut Vec<File>) -> Result<PathBuf> {
    let pid = std::process::id();
    for attempt in 0..100_u32 {
        let dir = parent.join(format!("{PREFIX}{pid}-{attempt}"));
        match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => {
                locks.push(lock(&dir)?);
                return Ok(dir);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::from(error).at(dir.display())),
        }
    }
    Err(Der::EXIST.err(format!("no free name for a directory in {}", parent.display())))
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|error| Error::from(error).at(path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(Der::BUSY
            .err(format!("another `daos_server dev` runs in {}; stop it, or use another --dir", dir.display()))),
    }
}

/// Removes throw-away directories of systems that are gone.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_none_or(|age| age < YOUNG) {
            continue;
        }
        // One that isn't ours can't be opened for writing; it is left alone.
        let free = File::options()
            .write(true)
            .open(path.join("lock"))
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
        if free {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// Whether `bytes` fit in the file system of `dir`, with a quarter to spare.
pub fn has_room(dir: &Path, bytes: u64) -> bool {
    rustix::fs::statvfs(dir).is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) > bytes + bytes / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn args(list: &[&str]) -> DevArgs {
        match Cli::try_parse_from(["daos_server", "dev"].iter().chain(list)).unwrap().command {
            Command::Dev(args) => args,
            _ => panic!("dev expected"),
        }
    }

    /// Aim: a kept directory is locked while it is used, and its settings are found again.
    #[test]
    fn kept_directories_are_locked_and_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let args = args(&["--dir", dir.path().to_str().unwrap()]);
        let site = Site::open(&args).unwrap();
        assert_eq!(site.settings().unwrap(), None);
        let busy = Site::open(&args).err().unwrap();
        assert!(busy.code() == Der::BUSY && busy.message().contains("another `daos_server dev`"), "{busy}");
        let settings =
            Settings { name: "s".into(), targets: 1, scm_bytes: 2, data_bytes: 3, control_port: 4, fabric_port: 5 };
        site.save(&settings).unwrap();
        site.close();
        let again = Site::open(&args).unwrap();
        assert_eq!(again.settings().unwrap(), Some(settings));
        assert!(again.scm.starts_with(dir.path().canonicalize().unwrap()));
    }

    /// Aim: a throw-away system leaves nothing; socket paths stay short in deep directories.
    #[test]
    fn throw_away_directories_vanish() {
        let site = Site::open(&args(&["--size", "1M"])).unwrap();
        let (base, scm) = (site.base.clone(), site.scm.clone());
        assert!(base.is_dir() && scm.is_dir());
        site.close();
        assert!(!base.exists() && !scm.exists());

        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x".repeat(100));
        let site = Site::open(&args(&["--dir", deep.to_str().unwrap()])).unwrap();
        assert!(site.run.as_os_str().len() <= SOCKET_DIR_MAX);
        site.close();
    }
}
