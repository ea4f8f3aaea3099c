//! `libgurt.so`: the base library that programs of the DAOS world link beside `libdaos.so`: hash tables over intrusive
//! links, heaps, slabs, rank lists, allocation, environment, hybrid logical clock, error names, logging, fault
//! injection, telemetry.
//!
//! Called by C programs through `gurt/*.h` only; nothing of ours calls it. Its records are the caller's: memory that it
//! hands out comes from `malloc`, since callers free it with `d_free` or grow it with `d_realloc`. Documentation of the
//! functions is that of the headers.

daos_export::stubs!();

mod alloc;
mod environment;
mod errors;
mod facilities;
mod fault;
mod fault_config;
mod fork;
mod handle_hash;
mod hash_functions;
mod hash_table;
mod heap;
mod hlc;
mod list;
mod log;
mod miscellany;
mod rank_ranges;
mod ranks;
mod signals;
mod slab;
mod telemetry;
mod uuid_hash;

/// -DER_ numbers of this library's functions.
pub(crate) fn der(code: daos_common::Der) -> libc::c_int {
    code.rc()
}
