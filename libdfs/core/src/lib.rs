//! The DAOS file system: a POSIX name space in a container.
//!
//! Called by `libdfs.so`, the C API of `daos_fs.h`; reaches storage through the exported C symbols of `libdaos.so` alone,
//! by way of `daos_api`. Directories are objects whose dkeys are names, files are byte arrays; each module says which
//! messages its calls cost. It keeps no cache: every call sees what other clients did before it.

pub mod attr;
pub mod cont;
pub mod dir;
pub mod entry;
pub mod errno;
pub mod global;
mod hints;
pub mod io;
pub mod lookup;
pub mod mount;
pub mod names;
pub mod node;
pub mod superblock;
mod transact;
pub mod xattr;
