//! `libdaos_common.so`: helpers that programs link beside `libdaos.so`: properties, access control lists, scatter-gather
//! lists, the task scheduler, small conversions, the handle table of the process, the log facilities of the DAOS libraries.
//!
//! Called by C programs through `daos_prop.h`, `daos_security.h`, `daos/common.h` and `daos/debug.h`. What the records
//! mean, and their text forms, is in `daos_common`; here they take their C layouts, on the C heap, since callers free
//! them with `free` or `D_FREE`. Calls libgurt for handle tables and logging, and nothing else of ours. Documentation of
//! the functions is that of the headers.
//!
//! The serialisers are those of four records; the RPC library itself is none of ours.

daos_export::stubs!();

mod ace;
mod acl;
mod arrays;
mod debug;
mod fail;
mod handles;
mod identifiers;
mod iov;
mod memory;
mod principals;
mod proc;
mod profile;
mod prop_entry;
mod prop_text;
mod prop_valid;
mod props;
mod rpc_options;
mod sgl;
mod text;
mod tse;

/// -DER_ numbers of this library's functions.
pub(crate) fn der(code: daos_common::Der) -> libc::c_int {
    code.rc()
}
