//! The fence of the C ABI: how a crate of ours becomes `libdaos.so`, `libdaos_common.so`, `libgurt.so`, `libdfs.so` or
//! `libduns.so`.
//!
//! One table, `compat-tests/abi/functions.tsv`, says which library exports which symbol. A cdylib crate implements
//! some of them through [`export!`]; its build script scans the sources, generates a stub for each of the others, and
//! fails when the crate exports a name that the table doesn't give to its library. So each library exports exactly the
//! table's symbols, and the list of what is missing is computed, never kept by hand.
//!
//! # How to use it
//! `Cargo.toml`:
//! ```toml
//! [dependencies]
//! daos-export.workspace = true
//! daos-sys.workspace = true
//! [build-dependencies]
//! daos-export = { workspace = true, features = ["build"] }
//! ```
//! `build.rs`:
//! ```ignore
//! fn main() {
//!     daos_export::build::cdylib("libdfs"); // stubs, soname
//!     daos_export::build::need(&["daos"]); // the other libraries of the C ABI that it needs
//! }
//! ```
//! `src/lib.rs`:
//! ```ignore
//! daos_export::stubs!();
//! ```
//! anywhere in `src/`:
//! ```ignore
//! daos_export::export! { Errno; // libdfs, libduns: a panic answers EIO. `Der`: a panic answers -DER_MISC.
//!     fn dfs_umount(dfs: *mut dfs_t) -> c_int {
//!         if dfs.is_null() {
//!             return libc::EINVAL;
//!         }
//!         ...
//!     }
//! }
//! ```
//!
//! What the macro makes of it: an exported `unsafe extern "C"` function, a compile-time check that its signature is
//! that of the header's prototype (through `daos_sys`), and a panic boundary. Its documentation is the header's.
//!
//! # Stubs
//! A stub answers "not implemented" in the way of its return type: -DER_NOSYS (ENOSYS in libdfs and libduns) for
//! `int`, NULL for pointers, `false`, 0. Data symbols are defined, zero or "not initialised" (log caches). The weak
//! aliases (`daos_pool_connect` for `daos_pool_connect2`, ...) are jumps to what they stand for.
//!
//! What this crate never does: know a type or a function of the API.

#[cfg(feature = "build")]
pub mod build;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What kind of number a library's `int` functions answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// 0 or -DER_xxx: libdaos, libdaos_common, libgurt.
    Der,
    /// 0 or a positive errno value: libdfs, libduns.
    Errno,
}

/// -DER_MISC.
const DER_MISC: i32 = -1025;
/// EIO.
const EIO: i32 = 5;

/// A return type of the C ABI, and its value when the function failed inside.
pub trait Failure {
    /// The value that tells the caller "failed".
    fn failure(convention: Convention) -> Self;
}

impl Failure for i32 {
    fn failure(convention: Convention) -> i32 {
        match convention {
            Convention::Der => DER_MISC,
            Convention::Errno => EIO,
        }
    }
}

impl Failure for isize {
    fn failure(convention: Convention) -> isize {
        -(i32::failure(convention).abs() as isize)
    }
}

impl Failure for i64 {
    fn failure(convention: Convention) -> i64 {
        -i64::from(i32::failure(convention).abs())
    }
}

impl<T> Failure for *mut T {
    fn failure(_: Convention) -> *mut T {
        std::ptr::null_mut()
    }
}

impl<T> Failure for *const T {
    fn failure(_: Convention) -> *const T {
        std::ptr::null()
    }
}

macro_rules! failure_is_default {
    ($($t:ty)*) => { $(impl Failure for $t {
        fn failure(_: Convention) -> $t {
            Default::default()
        }
    })* };
}

failure_is_default! { () bool u8 u16 u32 u64 usize f64 }

/// Runs the body of an exported function; a panic becomes that return type's failure value (the panic's message has
/// gone to stderr by then).
pub fn guard<R: Failure>(name: &str, convention: Convention, body: impl FnOnce() -> R) -> R {
    // The body's captures are raw pointers and numbers of the caller's; state of ours that a panic could leave torn
    // stands behind locks that are poisoned by it.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        eprintln!("daos: {name} failed inside; the message above is a bug report");
        R::failure(convention)
    })
}

/// Defines exported functions of the C ABI; see the crate's documentation.
#[macro_export]
macro_rules! export {
    ($convention:ident; $(
        $(#[$meta:meta])*
        fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )+) => { $(
        $(#[$meta])*
        #[unsafe(no_mangle)]
        #[allow(missing_docs, clippy::missing_safety_doc, clippy::too_many_arguments)]
        pub unsafe extern "C" fn $name($($arg: $ty),*) $(-> $ret)? {
            // The signature is the header's.
            const _: unsafe extern "C" fn($($ty),*) $(-> $ret)? = ::daos_sys::$name;
            $crate::guard(stringify!($name), $crate::Convention::$convention, move || $body)
        }
    )+ };
}

/// [`export!`] for symbols that no installed header declares: nothing checks the signature.
#[macro_export]
macro_rules! export_undeclared {
    ($convention:ident; $(
        $(#[$meta:meta])*
        fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )+) => { $(
        $(#[$meta])*
        #[unsafe(no_mangle)]
        #[allow(missing_docs, clippy::missing_safety_doc, clippy::too_many_arguments)]
        pub unsafe extern "C" fn $name($($arg: $ty),*) $(-> $ret)? {
            $crate::guard(stringify!($name), $crate::Convention::$convention, move || $body)
        }
    )+ };
}

/// Takes in the stubs that the build script generated; once, in the crate's root.
#[macro_export]
macro_rules! stubs {
    () => {
        /// Symbols that are not implemented yet, the data symbols and the weak aliases: generated.
        #[allow(missing_docs, non_upper_case_globals, clippy::undocumented_unsafe_blocks, clippy::unused_unit)]
        mod stubs {
            include!(concat!(env!("OUT_DIR"), "/stubs.rs"));
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a panic inside becomes the failure value of the return type, and a result passes unchanged.
    #[test]
    fn panics_become_failures() {
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(guard("f", Convention::Der, || -> i32 { panic!("x") }), -1025);
        assert_eq!(guard("f", Convention::Errno, || -> i32 { panic!("x") }), 5);
        assert!(guard("f", Convention::Der, || -> *mut u8 { panic!("x") }).is_null());
        assert_eq!(guard("f", Convention::Der, || 7), 7);
    }
}
