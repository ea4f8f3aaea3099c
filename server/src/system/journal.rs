//! Where changes of the system database become durable.
//!
//! File `daos_system.json`: one line `{"schema":1,"crc64":N}`, then the state as JSON; `crc64` (CRC-64/NVME) covers
//! every byte after the first line. The file is replaced as a whole ([`crate::durable`]).

use super::state::{Change, SCHEMA_VERSION, State};
use crate::durable;
use daos_common::{Der, Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// File name of [`FileJournal`].
pub const FILE: &str = "daos_system.json";

/// Keeps the database.
pub trait Journal: Send {
    /// The state as it was left; `None` for a new system.
    ///
    /// # Errors
    /// `DF_INVAL` when what is there can't be read.
    fn load(&mut self) -> Result<Option<State>>;

    /// Makes the first state durable.
    ///
    /// # Errors
    /// What the storage says.
    fn start(&mut self, state: &State) -> Result<()>;

    /// Makes `change` durable, which leads to `after`. When it returns `Ok`, the change is not lost any more.
    ///
    /// # Errors
    /// What the storage says; the change didn't happen then.
    fn commit(&mut self, change: &Change, after: &State) -> Result<()>;
}

/// A journal in one local file.
pub struct FileJournal {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Header {
    schema: u32,
    crc64: u64,
}

impl FileJournal {
    /// In directory `dir`, which is made if it isn't there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(dir: &Path) -> Result<FileJournal> {
        std::fs::create_dir_all(dir).map_err(|error| Error::from(error).at(dir.display()))?;
        Ok(FileJournal { path: dir.join(FILE) })
    }

    fn write(&self, state: &State) -> Result<()> {
        let body = serde_json::to_vec_pretty(state).map_err(|error| Der::MISC.err(error.to_string()))?;
        let header = Header { schema: SCHEMA_VERSION, crc64: checksum(&body) };
        let mut content = serde_json::to_vec(&header).map_err(|error| Der::MISC.err(error.to_string()))?;
        content.push(b'\n');
        content.extend_from_slice(&body);
        durable::replace(&self.path, &content)
    }

    fn damaged(&self, reason: impl std::fmt::Display) -> Error {
        Der::DF_INVAL.err(format!(
            "system database {} is damaged ({reason}); restore it from a copy, or format again with --force \
             (destroys the data)",
            self.path.display()
        ))
    }
}

impl Journal for FileJournal {
    fn load(&mut self) -> Result<Option<State>> {
        let content = match std::fs::read(&self.path) {
            Ok(content) => content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from(error).at(self.path.display())),
        };
        let Some(end) = content.iter().position(|byte| *byte == b'\n') else {
            return Err(self.damaged("it has no header"));
        };
        let (header, body) = (&content[..end], &content[end + 1..]);
        let header: Header = serde_json::from_slice(header).map_err(|error| self.damaged(error))?;
        if header.schema != SCHEMA_VERSION {
            return Err(Der::DF_INCOMPT.err(format!(
                "system database {} has schema {}, this daos_server understands {SCHEMA_VERSION}",
                self.path.display(),
                header.schema
            )));
        }
        if header.crc64 != checksum(body) {
            return Err(self.damaged("the checksum doesn't match"));
        }
        serde_json::from_slice(body).map(Some).map_err(|error| self.damaged(error))
    }

    fn start(&mut self, state: &State) -> Result<()> {
        self.write(state)
    }

    fn commit(&mut self, _change: &Change, after: &State) -> Result<()> {
        self.write(after)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes)
}
