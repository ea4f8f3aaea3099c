//! The log's file: opening it as the environment says, rotation by size, the rank in its name.
//!
//! | variable | meaning |
//! |---|---|
//! | `D_LOG_FILE_APPEND_PID` | not `0`: the process id is added to the name |
//! | `D_LOG_FILE_APPEND_RANK` | not `0`: the file is renamed, `.rank=N` added, once the rank is known |
//! | `D_LOG_TRUNCATE` | above 0: what was in the file goes |
//! | `D_LOG_SIZE` | bytes (units `k m g` of 1000, `K M G` of 1024) after which the file is renamed and a new one begun; at least 1 MiB, 2 GiB unless set |
//! | `D_LOG_STDERR_IN_LOG` | above 0: the process's stderr goes to the file too |
//!
//! The first file that is renamed gets the suffix `.first` and is kept, later ones `.old`.

use crate::environment;
use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io::{Result, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicI32, Ordering};

const SIZE_MIN: u64 = 1 << 20;
const SIZE_DEFAULT: u64 = 1 << 31;
/// Log files take numbers from here on, out of the way of programs that count on low ones.
const FIRST_DESCRIPTOR: i32 = 128;

/// The open file's descriptor, for handlers of signals; -1: none.
static DESCRIPTOR: AtomicI32 = AtomicI32::new(-1);

/// The open file's descriptor, or -1.
pub(crate) fn descriptor() -> i32 {
    DESCRIPTOR.load(Ordering::Acquire)
}

/// An open log file.
pub(crate) struct LogFile {
    /// `None` only while it is given up.
    file: Option<File>,
    path: String,
    bytes: u64,
    limit_bytes: u64,
    rotated: bool,
    takes_stderr: bool,
    rank_appended: bool,
}

impl Drop for LogFile {
    fn drop(&mut self) {
        DESCRIPTOR.store(-1, Ordering::Release);
    }
}

/// Whether a switch is on: set, and not to 0.
fn is_on(name: &CStr) -> bool {
    environment::text(name).is_some_and(|value| value != "0")
}

/// Whether a number is above 0.
fn is_positive(name: &CStr) -> bool {
    environment::text(name).and_then(|value| value.trim().parse::<i64>().ok()).is_some_and(|value| value > 0)
}

/// A number of bytes with a unit; 0 for what is none.
fn size_of_text(text: &str) -> u64 {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match text[digits..].chars().next() {
        Some('k') => 1000,
        Some('m') => 1000 * 1000,
        Some('g') => 1000 * 1000 * 1000,
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        _ => 1,
    };
    text[..digits].parse::<u64>().unwrap_or(0).saturating_mul(unit)
}

/// Opens a file at a high descriptor.
fn open_high(path: &str, truncate: bool) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o644).open(path)?;
    if truncate {
        file.set_len(0)?;
    }
    // SAFETY: a descriptor that is open; the new one is nobody else's.
    let high = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) };
    // Where so many are not allowed, the low one will do.
    // SAFETY: as above.
    Ok(if high < 0 { file } else { unsafe { File::from_raw_fd(high) } })
}

impl LogFile {
    /// Opens the file for appending.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn open(path: &str) -> Result<LogFile> {
        let path =
            if is_on(c"D_LOG_FILE_APPEND_PID") { format!("{path}.{}", std::process::id()) } else { path.to_owned() };
        let file = open_high(&path, is_positive(c"D_LOG_TRUNCATE"))?;
        let bytes = file.metadata()?.len();
        let limit_bytes =
            environment::text(c"D_LOG_SIZE").map_or(SIZE_DEFAULT, |text| size_of_text(&text).max(SIZE_MIN));
        let takes_stderr = is_positive(c"D_LOG_STDERR_IN_LOG");
        let opened =
            LogFile { file: Some(file), path, bytes, limit_bytes, rotated: false, takes_stderr, rank_appended: false };
        opened.publish();
        Ok(opened)
    }

    /// Makes the descriptor known, and stderr's if it is to be the same.
    fn publish(&self) {
        let descriptor = self.file.as_ref().map_or(-1, File::as_raw_fd);
        DESCRIPTOR.store(descriptor, Ordering::Release);
        if self.takes_stderr {
            // SAFETY: two descriptors; stderr keeps its number.
            unsafe { libc::dup2(descriptor, libc::STDERR_FILENO) };
        }
    }

    /// Writes a line, into a new file if this one is full.
    pub(crate) fn write(&mut self, line: &[u8]) {
        if self.takes_stderr {
            // Others write to the file too.
            self.bytes = self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(self.bytes, |data| data.len());
        }
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.limit_bytes {
            self.rotate();
        }
        // Nothing can be told about a failure to log.
        if self.file.as_mut().is_some_and(|file| file.write_all(line).is_ok()) {
            self.bytes += line.len() as u64;
        }
    }

    /// Renames the file and begins a new one. If that fails, this one goes on.
    fn rotate(&mut self) {
        let old = format!("{}.{}", self.path, if self.rotated { "old" } else { "first" });
        if std::fs::rename(&self.path, old).is_ok()
            && let Ok(file) = open_high(&self.path, false)
        {
            self.file = Some(file);
            self.rotated = true;
            self.publish();
        }
        self.bytes = 0;
    }

    /// Renames the file once the rank is known, if the environment asks for it.
    pub(crate) fn append_rank(&mut self, rank: i32) {
        if self.rank_appended || !is_on(c"D_LOG_FILE_APPEND_RANK") {
            return;
        }
        let renamed = format!("{}.rank={rank}", self.path);
        if std::fs::rename(&self.path, &renamed).is_ok() {
            self.path = renamed;
            self.rank_appended = true;
        }
    }

    /// Brings the file to its device.
    pub(crate) fn sync(&self) {
        // Nothing can be told about a failure to log.
        let _ = self.file.as_ref().map(File::sync_data);
    }

    /// Gives the descriptor up without closing it: it may be another's by now.
    pub(crate) fn abandon(mut self) {
        let _ = self.file.take().map(File::into_raw_fd);
    }
}
