//! The superblock of an engine: who it is, kept with its storage.
//!
//! A YAML file `superblock`, keys as upstream's:
//!
//! | key | type | meaning |
//! |---|---|---|
//! | version | u8 | format, 1 |
//! | uuid | text | the engine, random, made at format |
//! | system | text | name of the system it belongs to |
//! | rank | u32 | given by the first join; meaningful when `validrank` |
//! | uri | text | last fabric URI |
//! | validrank | bool | whether `rank` was given |
//! | hostfaultdomain | text | fault path at the last join |
//! | incarnation | u64 | of the last start |

use crate::durable;
use daos_common::{Der, Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// File name.
pub const FILE: &str = "superblock";
/// Format version that is written and understood.
pub const VERSION: u8 = 1;

/// An engine's identity; see the module for the format.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Superblock {
    pub version: u8,
    pub uuid: Uuid,
    pub system: String,
    #[serde(default)]
    pub rank: u32,
    #[serde(default)]
    pub uri: String,
    #[serde(default)]
    pub validrank: bool,
    #[serde(default)]
    pub hostfaultdomain: String,
    #[serde(default)]
    pub incarnation: u64,
}

impl Superblock {
    /// A fresh one for `system`, without a rank.
    pub fn new(system: &str) -> Superblock {
        Superblock {
            version: VERSION,
            uuid: Uuid::new_v4(),
            system: system.to_string(),
            rank: 0,
            uri: String::new(),
            validrank: false,
            hostfaultdomain: String::new(),
            incarnation: 0,
        }
    }

    /// The rank, if one was given.
    pub fn rank(&self) -> Option<u32> {
        self.validrank.then_some(self.rank)
    }

    /// Where the superblock of a storage directory lies.
    pub fn path(dir: &Path) -> PathBuf {
        dir.join(FILE)
    }

    /// Reads the superblock in `dir`; `None` when there is none.
    ///
    /// # Errors
    /// `DF_INVAL` for a damaged file or one of another system, `DF_INCOMPT` for another version.
    pub fn read(dir: &Path, system: &str) -> Result<Option<Superblock>> {
        let path = Superblock::path(dir);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(damaged(&path, "it is not text"));
            }
            Err(error) => return Err(Error::from(error).at(path.display())),
        };
        let superblock: Superblock = serde_saphyr::from_str(&text).map_err(|error| {
            damaged(&path, error.without_snippet().to_string().lines().next().unwrap_or("not a superblock"))
        })?;
        if superblock.version != VERSION {
            return Err(Der::DF_INCOMPT.err(format!(
                "superblock {} has version {}; this daos_server understands {VERSION}",
                path.display(),
                superblock.version
            )));
        }
        if superblock.system != system {
            return Err(Der::DF_INVAL.err(format!(
                "superblock {} belongs to system {:?}, the configuration names {system:?}; set `name`, or format again \
                 with --force (destroys the data)",
                path.display(),
                superblock.system
            )));
        }
        Ok(Some(superblock))
    }

    /// Writes it to `dir`, atomically and durably.
    ///
    /// # Errors
    /// What the file system says, with the path.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let path = Superblock::path(dir);
        let text = serde_saphyr::to_string(self)
            .map_err(|error| Der::MISC.err(format!("superblock {}: {error}", path.display())))?;
        durable::replace(&path, text.as_bytes())
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Der::DF_INVAL.err(format!(
        "superblock {} is damaged ({reason}); restore it, or format again with --force (destroys the data)",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: what is written is read back; damage, another system and another version are told apart.
    #[test]
    fn round_trip_and_damage() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Superblock::read(dir.path(), "sys").unwrap(), None);
        let mut superblock = Superblock::new("sys");
        superblock.rank = 3;
        superblock.validrank = true;
        superblock.uri = "ofi+tcp://127.0.0.1:2000".into();
        superblock.write(dir.path()).unwrap();
        assert_eq!(Superblock::read(dir.path(), "sys").unwrap(), Some(superblock.clone()));

        let other = Superblock::read(dir.path(), "other").unwrap_err();
        assert!(other.message().contains("belongs to system \"sys\""), "{other}");

        let text = std::fs::read_to_string(Superblock::path(dir.path())).unwrap();
        std::fs::write(Superblock::path(dir.path()), &text[..text.len() / 3]).unwrap();
        assert_eq!(Superblock::read(dir.path(), "sys").unwrap_err().code(), Der::DF_INVAL);
        std::fs::write(Superblock::path(dir.path()), text.replace("version: 1", "version: 9")).unwrap();
        assert_eq!(Superblock::read(dir.path(), "sys").unwrap_err().code(), Der::DF_INCOMPT);
    }
}
