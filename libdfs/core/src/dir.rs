//! Reading directories.

use crate::attr::{self, Stat};
use crate::entry::{self, NAME_MAX};
use crate::errno::Result;
use crate::mount::Dfs;
use crate::node::Node;
use daos_api::Anchor;

/// Lists up to `limit` names from the anchor on; fewer only at the end. Names that vanish between listing and
/// [`read_with_stats`]'s look at them are left out.
///
/// # Errors
/// ENOTDIR; what listing gives.
pub fn read(dfs: &Dfs, node: &Node, anchor: &mut Anchor, limit: usize) -> Result<Vec<Vec<u8>>> {
    let directory = node.directory()?;
    let mut names = Vec::new();
    while !anchor.is_eof() && names.len() < limit {
        names.extend(directory.object.list_dkeys(dfs.tx, anchor, limit - names.len(), NAME_MAX)?);
    }
    Ok(names)
}

/// As [`read`], with the attributes of each entry.
///
/// # Errors
/// As [`read`].
pub fn read_with_stats(dfs: &Dfs, node: &Node, anchor: &mut Anchor, limit: usize) -> Result<Vec<(Vec<u8>, Stat)>> {
    let directory = node.directory()?;
    let mut entries = Vec::new();
    while !anchor.is_eof() && entries.len() < limit {
        for name in directory.object.list_dkeys(dfs.tx, anchor, limit - entries.len(), NAME_MAX)? {
            if let Some(inode) = entry::fetch(&directory.object, dfs.tx, &name)? {
                entries.push((name, attr::of_inode(dfs, &inode, None)?));
            }
        }
    }
    Ok(entries)
}

/// Calls `each` with up to `limit` names, listing at most `room_bytes` of names at a time; how many it was called with.
/// A non-zero return of `each` stops and is returned.
///
/// # Errors
/// As [`read`]; what `each` returned.
pub fn iterate(
    dfs: &Dfs,
    node: &Node,
    anchor: &mut Anchor,
    limit: usize,
    room_bytes: usize,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<usize> {
    let directory = node.directory()?;
    let batch = (room_bytes / NAME_MAX).clamp(1, limit.max(1));
    let mut called = 0;
    while !anchor.is_eof() && called < limit {
        for name in directory.object.list_dkeys(dfs.tx, anchor, batch.min(limit - called), NAME_MAX)? {
            each(&name)?;
            called += 1;
        }
    }
    Ok(called)
}
