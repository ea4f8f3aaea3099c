//! Path lookup: one message for each component.

use crate::attr;
use crate::entry::{self, Inode, PATH_MAX, check_name};
use crate::errno::{Errno, Result};
use crate::mount::Dfs;
use crate::node::{Node, NodeKind};
use crate::superblock::NO_TX;

/// Symlinks followed in one lookup (`DFS_MAX_RECURSION`).
const LINK_DEPTH_MAX: usize = 40;

/// A node that was looked up, and its inode.
pub struct Found {
    /// The open node.
    pub node: Node,
    /// Its inode.
    pub inode: Inode,
}

/// Looks up an absolute path under the mount's prefix.
///
/// # Errors
/// EINVAL: not absolute, too long, outside the prefix; ENOTSUP: O_APPEND; ENOENT, ELOOP, ENOTDIR.
pub fn lookup(dfs: &Dfs, path: &[u8], flags: i32) -> Result<Found> {
    if flags & libc::O_APPEND != 0 {
        return Errno::err(libc::ENOTSUP);
    }
    if path.first() != Some(&b'/') || path.len() >= PATH_MAX {
        return Errno::err(libc::EINVAL);
    }
    let prefix = dfs.prefix.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let path = path.strip_prefix(&prefix[..]).ok_or(Errno(libc::EINVAL))?;
    walk(dfs, vec![root_step(dfs)?], path, flags, 0)
}

/// Looks up one name in a directory; a symlink is followed unless O_NOFOLLOW.
///
/// # Errors
/// As [`lookup`].
pub fn lookup_in(dfs: &Dfs, parent: &Node, name: &[u8], flags: i32) -> Result<Found> {
    if flags & libc::O_APPEND != 0 {
        return Errno::err(libc::ENOTSUP);
    }
    check_name(name)?;
    walk(dfs, vec![step_of(dfs, parent)?], name, flags, 0)
}

/// Follows a symlink's target from the directory that holds the link.
///
/// # Errors
/// As [`lookup`].
pub fn follow(dfs: &Dfs, parent: &Node, target: &[u8], flags: i32) -> Result<Found> {
    walk(dfs, vec![step_of(dfs, parent)?], target, flags, 1)
}

/// One directory on the way: the node and its inode.
struct Step {
    node: Node,
    inode: Inode,
}

/// Walks `path` from the last of `trail`; `trail` are the directories from the known ancestor down.
fn walk(dfs: &Dfs, mut trail: Vec<Step>, path: &[u8], flags: i32, depth: usize) -> Result<Found> {
    if depth >= LINK_DEPTH_MAX {
        return Errno::err(libc::ELOOP);
    }
    if path.first() == Some(&b'/') {
        let at_root = trail.last().is_some_and(|step| step.node.oid == dfs.root.oid);
        if !at_root && depth == 0 {
            return Errno::err(libc::EINVAL);
        }
        trail = vec![root_step(dfs)?];
    }
    let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").peekable();
    while let Some(name) = names.next() {
        if name == b".." {
            // Above the known ancestor there is nothing to go back to.
            let at_root = trail.last().is_some_and(|step| step.node.oid == dfs.root.oid);
            if at_root || trail.len() < 2 {
                return Errno::err(if at_root { libc::ENOENT } else { libc::ENOTSUP });
            }
            trail.pop();
            continue;
        }
        let last = names.peek().is_none();
        let parent = trail.last().ok_or(Errno(libc::EIO))?;
        check_name(name)?;
        let (inode, target) =
            entry::fetch_following(&parent.node.directory()?.object, dfs.tx, name)?.ok_or(Errno(libc::ENOENT))?;
        match inode.kind() {
            libc::S_IFLNK if !last || flags & libc::O_NOFOLLOW == 0 => {
                let rest: Vec<u8> = names.flat_map(|name| [b"/", name].concat()).collect();
                let path = [&target[..], &rest].concat();
                if path.len() >= PATH_MAX {
                    return Errno::err(libc::ENAMETOOLONG);
                }
                return walk(dfs, trail, &path, flags, depth + 1);
            }
            libc::S_IFDIR => {
                let node = Node::from_inode(dfs, parent.node.oid, name, &inode, Vec::new(), flags)?;
                trail.push(Step { node, inode });
            }
            _ if !last => return Errno::err(libc::ENOTDIR),
            _ => {
                let node = Node::from_inode(dfs, parent.node.oid, name, &inode, target, flags)?;
                if let NodeKind::File(array) = &node.kind
                    && flags & libc::O_TRUNC != 0
                {
                    dfs.check_writable()?;
                    array.set_size(NO_TX, 0)?;
                }
                return Ok(Found { node, inode });
            }
        }
    }
    let step = trail.pop().ok_or(Errno(libc::EIO))?;
    let Step { mut node, mut inode } = step;
    if node.oid == dfs.root.oid {
        inode = attr::root_inode(dfs)?;
        node.mode = inode.mode;
    }
    if node.flags != flags {
        node = node.duplicate(dfs, flags)?;
    }
    Ok(Found { node, inode })
}

fn root_step(dfs: &Dfs) -> Result<Step> {
    step_of(dfs, &dfs.root)
}

fn step_of(dfs: &Dfs, node: &Node) -> Result<Step> {
    let directory = node.directory()?;
    let inode = Inode {
        mode: node.mode,
        oid: node.oid,
        class: directory.class,
        chunk_bytes: directory.chunk_bytes,
        ..Inode::default()
    };
    Ok(Step { node: node.duplicate(dfs, node.flags & !(libc::O_CREAT | libc::O_EXCL | libc::O_TRUNC))?, inode })
}
