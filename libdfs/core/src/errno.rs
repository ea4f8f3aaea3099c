//! Errors of libdfs: positive errno values, as every `dfs_*` function returns them.

use daos_common::{Der, Error};

/// A positive errno value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

/// Result of everything in libdfs.
pub type Result<T, E = Errno> = std::result::Result<T, E>;

impl From<Error> for Errno {
    fn from(error: Error) -> Errno {
        Errno(error.code().errno())
    }
}

impl From<Der> for Errno {
    fn from(code: Der) -> Errno {
        Errno(code.errno())
    }
}

impl Errno {
    /// Shorthand for `Err(Errno(number))`.
    pub fn err<T>(number: i32) -> Result<T> {
        Err(Errno(number))
    }
}
