//! The C ABI as Rust sees it: types, constants and prototypes made by bindgen from `include/` (see `wrapper.h`).
//!
//! There is no link directive here, for two kinds of crate use it: those that *are* a library of the C ABI (they
//! export functions and check their signatures against the prototypes), and those that *call* one.
//!
//! # Calling a library
//! The build script also makes import libraries (`libdaos.so`, `libdaos_common.so`, `libgurt.so`, `libdfs.so`,
//! `libduns.so`) with the right symbols and sonames and no code, so that nothing waits for the real ones. They lie in
//! the folder that a direct dependent's build script gets as `DEP_DAOS_SYS_IMPORT_DIR`. A crate that makes an
//! executable or a shared library says:
//!
//! ```no_run
//! // build.rs
//! let dir = std::env::var("DEP_DAOS_SYS_IMPORT_DIR").unwrap();
//! println!("cargo:rustc-link-arg=-L{dir}"); // an argument, not a search path: cargo would put that in LD_LIBRARY_PATH
//! println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN:$ORIGIN/../lib");
//! println!("cargo:rustc-link-lib=dylib=daos");
//! ```
//!
//! (`daos_export::build::link_to` does just this.) At run time the loader finds `libdaos.so.2` beside the program, in
//! `../lib`, or by `LD_LIBRARY_PATH`; `compat-tests/stage.sh` lays the files out that way.
//!
//! Enumerations are plain integers with their enumerators as constants. Records are `Copy` and have a zeroed `Default`.
#![allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unnecessary_transmutes,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    rustdoc::all
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// The handle that stands for none.
pub const DAOS_HDL_INVAL: daos_handle_t = daos_handle_t { cookie: 0 };
/// In place of a transaction handle: the operation is a transaction of its own.
pub const DAOS_TX_NONE: daos_handle_t = DAOS_HDL_INVAL;
/// The object identifier that stands for none.
pub const DAOS_OBJ_NIL: daos_obj_id_t = daos_obj_id_t { lo: 0, hi: 0 };
/// The highest epoch: "now" for reads.
pub const DAOS_EPOCH_MAX: daos_epoch_t = u64::MAX;
/// In place of a length in `dfs_punch`: up to the end of the file.
pub const DFS_MAX_FSIZE: daos_size_t = u64::MAX;
