//! Safe Rust over the C ABI of `libdaos.so`: pools, containers, objects, arrays, attributes, access control.
//!
//! Called by `libdfs`, the `daos` tool and any Rust application; links `libdaos.so` dynamically, so handles opened
//! here and by C code in the same process are the same handles. Every call here blocks; programs that want events
//! use `daos_sys` directly.

mod acl;
mod array;
mod attrs;
mod container;
mod dfs;
mod info;
mod object;
mod pool;
mod prop;
mod values;

pub use acl::ContAccess;
pub use array::{Array, ArrayStat};
pub use container::{ContInfo, ContRef, Container};
pub use dfs::{DfsAttributes, create_posix, query_posix};
pub use info::{PoolEntry, PoolInfo, Rebuild, SystemInfo, TargetInfo, TierSpace, list_pools, system_info};
pub use object::{Anchor, Extent, FetchValue, Object, ObjectMode, UpdateValue, generate_oid};
pub use pool::{Pool, PoolRef};
pub use prop::PropList;

use daos_common::{Der, Error, Result};

/// Turns the return value of a libdaos call into a result; `what` names the call.
///
/// # Errors
/// The DER_ code that was returned.
pub fn check(rc: i32, what: &str) -> Result<()> {
    if rc == 0 {
        return Ok(());
    }
    Err(Error::new(Der::from_number(rc).unwrap_or(Der::MISC), what))
}

/// Starts the library; every `init` wants a [`fini`].
///
/// # Errors
/// What `daos_init` returns; `ALREADY` counts as success, as it does upstream.
pub fn init() -> Result<()> {
    // SAFETY: no preconditions.
    match unsafe { daos_sys::daos_init() } {
        rc if rc == Der::ALREADY.rc() => Ok(()),
        rc => check(rc, "daos_init"),
    }
}

/// Undoes one [`init`].
///
/// # Errors
/// What `daos_fini` returns.
pub fn fini() -> Result<()> {
    // SAFETY: no preconditions.
    check(unsafe { daos_sys::daos_fini() }, "daos_fini")
}
