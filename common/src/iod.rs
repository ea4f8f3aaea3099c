//! I/O descriptors: which akey, which kind of value, which records (`daos_iod_t`).

use crate::{Der, Result};
use serde::{Deserialize, Serialize};

/// A range of records: `nr` records from index `idx` (`daos_recx_t`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Recx {
    /// First record.
    pub idx: u64,
    /// Number of records; not 0.
    pub nr: u64,
}

/// Single value or array of records (`daos_iod_type_t`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum IodKind {
    /// One value, replaced whole.
    Single,
    /// Records of one size, addressed by extents.
    Array,
}

/// `daos_iod_t`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Iod {
    /// The akey's bytes; not empty.
    pub akey: Vec<u8>,
    /// Single value or array.
    pub kind: IodKind,
    /// Bytes of one record (array) or of the value (single). On fetch 0 is `DAOS_REC_ANY`: ask for the size.
    /// On update of a single value or of extents 0 punches.
    pub size: u64,
    /// Extents of an array; empty for a single value.
    pub recxs: Vec<Recx>,
    /// Conditional flags of this akey (`crate::flags::COND_AKEY_*`) when the call sets `COND_PER_AKEY`.
    pub flags: u64,
}

impl Iod {
    /// Bytes of data that go with this descriptor.
    ///
    /// # Errors
    /// `INVAL` when the extents' sizes overflow 64 bits.
    pub fn data_bytes(&self) -> Result<u64> {
        match self.kind {
            IodKind::Single => Ok(self.size),
            IodKind::Array => self
                .recxs
                .iter()
                .try_fold(0u64, |sum, recx| sum.checked_add(recx.nr.checked_mul(self.size)?))
                .ok_or_else(|| Der::INVAL.err("extents of the I/O descriptor overflow 64 bits")),
        }
    }
}
