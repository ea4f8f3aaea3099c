//! Raw bindings of libfabric (1.17 and later, 2.x too), limited to what `daos-fabric` uses.
//!
//! Types and the few exported functions come from the system's headers through bindgen. Most of libfabric's calls are
//! inline functions in those headers: `shim.c` gives each one that is used a callable name (`lf_send` for `fi_send`),
//! and gives constants whose macros bindgen cannot read (`LF_MSG` for `FI_MSG`).

#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case, missing_docs)]
#![allow(clippy::all, clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
