//! `libdfs.so`: a POSIX name space in a container.
//!
//! Called by C programs through `daos_fs.h` (module [`exports`]); the file system itself is `daos_dfs`.

daos_export::stubs!();

mod exports;
