//! Object class hints in text: `file:max,dir:single`.

use crate::errno::{Errno, Result};

const REDUNDANCY_REPLICATION: u16 = 4;
const REDUNDANCY_ERASURE: u16 = 8;
const SHARD_TINY: u16 = 32;
const SHARD_MAX: u16 = 512;

/// Hint bits (`DAOS_OCH_*`) for directories and for files.
///
/// # Errors
/// EINVAL: not `file|dir|directory:single|max`, comma separated.
pub fn parse(text: &str, redundancy_factor: u64) -> Result<(u16, u16)> {
    let (mut dir, mut file) = (0, 0);
    for pair in text.split(',') {
        let (what, value) = pair.split_once(':').ok_or(Errno(libc::EINVAL))?;
        let is_file = match what.to_ascii_lowercase().as_str() {
            "file" => true,
            "dir" | "directory" => false,
            _ => return Errno::err(libc::EINVAL),
        };
        let (spread, redundancy) = match value.to_ascii_lowercase().as_str() {
            "single" => (SHARD_TINY, REDUNDANCY_REPLICATION),
            // A directory's entries cannot be erasure coded.
            "max" => (SHARD_MAX, if is_file { REDUNDANCY_ERASURE } else { REDUNDANCY_REPLICATION }),
            _ => return Errno::err(libc::EINVAL),
        };
        let bits = if redundancy_factor == 0 { spread } else { spread | redundancy };
        if is_file { file = bits } else { dir = bits }
    }
    Ok((dir, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: both kinds parse in any case, and nonsense is refused.
    #[test]
    fn parses() {
        assert_eq!(parse("File:Max,dir:single", 0).unwrap(), (SHARD_TINY, SHARD_MAX));
        assert_eq!(parse("file:max", 1).unwrap(), (0, SHARD_MAX | REDUNDANCY_ERASURE));
        assert!(parse("file", 0).is_err());
        assert!(parse("pipe:max", 0).is_err());
    }
}
