//! `libdfs.so`: a POSIX name space in a container.
//!
//! Called by C programs through `daos_fs.h` (module [`exports`]); reaches storage through the exported C symbols of
//! `libdaos.so` alone, by way of `daos_api`. Directories are objects whose dkeys are names, files are byte arrays; each
//! module says which messages its calls cost. It keeps no cache: every call sees what other clients did before it.

daos_export::stubs!();

mod attr;
mod cont;
mod dir;
mod entry;
mod errno;
mod exports;
mod global;
mod hints;
mod io;
mod lookup;
mod mount;
mod names;
mod node;
mod superblock;
mod transact;
mod xattr;
