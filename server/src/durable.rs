//! Replacing a small file so that a crash at any moment leaves the old content or the new one, whole.

use daos_common::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Replaces `path` by `content`: written beside it, synced, renamed over it, directory synced.
///
/// # Errors
/// What the file system says, with the path. The old content is still there then.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    write_and_rename(path, content).map_err(|error| Error::from(error).at(format!("writing {}", path.display())))
}

fn write_and_rename(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&new, path)?;
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}
