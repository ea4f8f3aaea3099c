//! Open files, directories and symlinks (`dfs_obj_t`).

use crate::entry::{self, Inode, NAME_MAX, PATH_MAX, check_name};
use crate::errno::{Errno, Result};
use crate::mount::{Dfs, Ids, access_mode, new_inode};
use crate::superblock::NO_TX;
use daos_api::{Array, Object, ObjectMode};
use daos_common::{ObjectId, flags};

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    /// Its object.
    pub object: Object,
    /// Class that new entries take; 0 for the container's.
    pub class: u32,
    /// Chunk size that new files take; 0 for the container's.
    pub chunk_bytes: u64,
}

/// What a node is, with what is open for it.
#[derive(Debug)]
pub enum NodeKind {
    /// Directory.
    Directory(Directory),
    /// Regular file.
    File(Array),
    /// Symlink and its target.
    Symlink(Vec<u8>),
}

/// An open node; `dfs_obj_t` points to one.
#[derive(Debug)]
pub struct Node {
    /// Its object.
    pub oid: ObjectId,
    /// Object of the directory it was found in.
    pub parent_oid: ObjectId,
    /// Its name there.
    pub name: Vec<u8>,
    /// Type and permissions when it was opened.
    pub mode: u32,
    /// Open flags.
    pub flags: i32,
    /// What it is.
    pub kind: NodeKind,
}

/// What `dfs_open` is asked for.
#[derive(Clone, Copy, Debug)]
pub struct OpenRequest<'a> {
    /// Type and permissions.
    pub mode: u32,
    /// `O_*`.
    pub flags: i32,
    /// Class of a new object; 0 for the directory's or container's.
    pub class: u32,
    /// Chunk size of a new file; 0 for the directory's or container's.
    pub chunk_bytes: u64,
    /// Target of a new symlink.
    pub target: Option<&'a [u8]>,
    /// Who a new entry belongs to.
    pub owner: Ids,
}

impl Node {
    /// The directory, or ENOTDIR.
    ///
    /// # Errors
    /// ENOTDIR.
    pub fn directory(&self) -> Result<&Directory> {
        match &self.kind {
            NodeKind::Directory(directory) => Ok(directory),
            _ => Errno::err(libc::ENOTDIR),
        }
    }

    /// The file, or EINVAL.
    ///
    /// # Errors
    /// EINVAL.
    pub fn file(&self) -> Result<&Array> {
        match &self.kind {
            NodeKind::File(array) => Ok(array),
            _ => Errno::err(libc::EINVAL),
        }
    }

    /// Opens the object that an inode names, without a message.
    ///
    /// # Errors
    /// EINVAL: neither file, directory nor symlink.
    pub fn from_inode(
        dfs: &Dfs,
        parent: ObjectId,
        name: &[u8],
        inode: &Inode,
        target: Vec<u8>,
        open_flags: i32,
    ) -> Result<Node> {
        let mode = access_mode(open_flags)?;
        let kind = match inode.kind() {
            libc::S_IFREG => NodeKind::File(open_array(dfs, inode.oid, mode, inode.chunk_bytes)?),
            libc::S_IFDIR => NodeKind::Directory(Directory {
                object: Object::open(dfs.cont, inode.oid, mode)?,
                class: inode.class,
                chunk_bytes: inode.chunk_bytes,
            }),
            libc::S_IFLNK => NodeKind::Symlink(target),
            _ => return Errno::err(libc::EINVAL),
        };
        Ok(Node { oid: inode.oid, parent_oid: parent, name: name.to_vec(), mode: inode.mode, flags: open_flags, kind })
    }

    /// A second handle on the same node, with flags of its own.
    ///
    /// # Errors
    /// EINVAL; what opening gives.
    pub fn duplicate(&self, dfs: &Dfs, open_flags: i32) -> Result<Node> {
        let mode = access_mode(open_flags)?;
        let kind = match &self.kind {
            NodeKind::Directory(from) => NodeKind::Directory(Directory {
                object: Object::open(dfs.cont, self.oid, mode)?,
                class: from.class,
                chunk_bytes: from.chunk_bytes,
            }),
            NodeKind::File(array) => NodeKind::File(open_array(dfs, self.oid, mode, array.chunk_cells()?)?),
            NodeKind::Symlink(target) => NodeKind::Symlink(target.clone()),
        };
        Ok(Node {
            oid: self.oid,
            parent_oid: self.parent_oid,
            name: self.name.clone(),
            mode: self.mode,
            flags: open_flags,
            kind,
        })
    }
}

/// Opens, or with O_CREAT makes, an entry of `parent`. A new file costs one message, an open one.
///
/// # Errors
/// EINVAL, ENOTSUP (O_APPEND), EPERM (read-only mount), ENOENT, EEXIST, ENOTDIR, ELOOP-free: links are not followed.
pub fn open(dfs: &Dfs, parent: &Node, name: &[u8], request: OpenRequest<'_>) -> Result<(Node, Inode)> {
    if request.flags & libc::O_APPEND != 0 {
        return Errno::err(libc::ENOTSUP);
    }
    let create = request.flags & libc::O_CREAT != 0;
    if create {
        dfs.check_writable()?;
    }
    check_name(name)?;
    let directory = parent.directory()?;
    match request.mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFDIR if create => open_or_create(dfs, parent, name, request),
        kind @ (libc::S_IFREG | libc::S_IFDIR) => open_existing(dfs, parent, name, kind, request.flags),
        libc::S_IFLNK if create => {
            let target = request.target.ok_or(Errno(libc::EINVAL))?;
            create_symlink(dfs, parent, directory, name, request, target)
        }
        libc::S_IFLNK => Errno::err(if request.target.is_none() { libc::EINVAL } else { libc::ENOTSUP }),
        _ => Errno::err(libc::EINVAL),
    }
}

fn open_or_create(dfs: &Dfs, parent: &Node, name: &[u8], request: OpenRequest<'_>) -> Result<(Node, Inode)> {
    let directory = parent.directory()?;
    let kind = request.mode & libc::S_IFMT;
    let inode = if kind == libc::S_IFREG {
        let class = first_set([request.class, directory.class, dfs.attributes.file_class]);
        let mut inode = new_inode(request.mode, dfs.new_file_oid(class)?, request.owner);
        inode.chunk_bytes = first_set([request.chunk_bytes, directory.chunk_bytes, dfs.attributes.chunk_bytes]);
        inode
    } else {
        new_directory_inode(dfs, directory, request.mode, request.class, request.owner)?
    };
    match entry::insert(&directory.object, NO_TX, name, flags::COND_DKEY_INSERT, &inode, b"", &[]) {
        Ok(()) => {
            // A creator may write whatever the access bits say, as in POSIX.
            let open_flags = (request.flags & !libc::O_ACCMODE) | libc::O_RDWR;
            let mut node = Node::from_inode(dfs, parent.oid, name, &inode, Vec::new(), open_flags)?;
            node.flags = request.flags;
            Ok((node, inode))
        }
        Err(Errno(libc::EEXIST)) if request.flags & libc::O_EXCL == 0 => {
            open_existing(dfs, parent, name, kind, request.flags)
        }
        Err(error) => Err(error),
    }
}

fn open_existing(dfs: &Dfs, parent: &Node, name: &[u8], kind: u32, open_flags: i32) -> Result<(Node, Inode)> {
    let inode = entry::fetch(&parent.directory()?.object, dfs.tx, name)?.ok_or(Errno(libc::ENOENT))?;
    if inode.kind() != kind {
        return Errno::err(if kind == libc::S_IFDIR { libc::ENOTDIR } else { libc::EINVAL });
    }
    let node = Node::from_inode(dfs, parent.oid, name, &inode, Vec::new(), open_flags)?;
    if let NodeKind::File(array) = &node.kind
        && open_flags & libc::O_TRUNC != 0
    {
        dfs.check_writable()?;
        array.set_size(NO_TX, 0)?;
    }
    Ok((node, inode))
}

fn create_symlink(
    dfs: &Dfs,
    parent: &Node,
    directory: &Directory,
    name: &[u8],
    request: OpenRequest<'_>,
    target: &[u8],
) -> Result<(Node, Inode)> {
    if target.is_empty() || target.len() >= PATH_MAX {
        return Errno::err(libc::EINVAL);
    }
    // The object only identifies the link: nothing is stored in it.
    let class = first_set([request.class, directory.class, dfs.attributes.class]);
    let oid = dfs.new_directory_oid(without_erasure(dfs, class))?;
    let mut inode = new_inode(request.mode | 0o777, oid, request.owner);
    inode.link_bytes = target.len() as u64;
    entry::insert(&directory.object, NO_TX, name, flags::COND_DKEY_INSERT, &inode, target, &[])?;
    let node = Node::from_inode(dfs, parent.oid, name, &inode, target.to_vec(), request.flags)?;
    Ok((node, inode))
}

/// The inode of a new directory in `parent`, which hands down its class and chunk size.
///
/// # Errors
/// What making an object id gives.
pub fn new_directory_inode(dfs: &Dfs, parent: &Directory, mode: u32, class: u32, owner: Ids) -> Result<Inode> {
    let inherited = first_set([class, parent.class, dfs.attributes.dir_class]);
    let oid = dfs.new_directory_oid(without_erasure(dfs, inherited))?;
    let mut inode = new_inode(mode, oid, owner);
    inode.chunk_bytes = parent.chunk_bytes;
    inode.class = parent.class;
    Ok(inode)
}

/// Entries are not erasure coded: such a class becomes the container's for directories.
fn without_erasure(dfs: &Dfs, class: u32) -> u32 {
    let ordinal = class >> 24;
    if ordinal >= 32 { dfs.attributes.dir_class } else { class }
}

fn open_array(dfs: &Dfs, oid: ObjectId, mode: ObjectMode, chunk_bytes: u64) -> Result<Array> {
    let chunk = if chunk_bytes == 0 { dfs.attributes.chunk_bytes } else { chunk_bytes };
    Ok(Array::open_with_attr(dfs.cont, oid, dfs.tx, mode, 1, chunk)?)
}

fn first_set<T: Copy + PartialEq + Default>(choices: [T; 3]) -> T {
    choices.into_iter().find(|choice| *choice != T::default()).unwrap_or_default()
}

/// Copies a name into a C buffer of [`NAME_MAX`] bytes and a NUL.
pub fn name_buffer(name: &[u8]) -> [u8; NAME_MAX + 1] {
    let mut buffer = [0; NAME_MAX + 1];
    let len = name.len().min(NAME_MAX);
    buffer[..len].copy_from_slice(&name[..len]);
    buffer
}
