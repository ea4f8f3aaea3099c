//! Pipelines: conditions that records must meet, and aggregations over those that do (`daos_pipeline.h`).
//!
//! A record is a dkey with the akeys that a call describes. [`Pipeline`] is what the caller builds: filters of parts in
//! prefix order. [`Program`] is what it means, checked whole; it is made by both sides, the client to refuse what makes no
//! sense, the engine because it trusts nobody. [`Program::accepts`] and [`Aggregates`] evaluate it; nothing here does
//! I/O.
//!
//! Absent values follow SQL's rule: a comparison or computation with one is not true and has no value, aggregations pass
//! it over; `ISNULL` finds it. `NOT` turns "not true" into true.

mod aggregate;
mod evaluate;
mod like;
mod program;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, Aggregates};
pub use evaluate::{AkeyValue, Record};
pub use program::Program;

use serde::{Deserialize, Serialize};

/// Version of the structure (`daos_pipeline_t::version`).
pub const PIPELINE_VERSION: u64 = 1;

macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub enum $type { $($(#[$doc])* $variant,)* }

        impl $type {
            /// All of them.
            pub const ALL: &[$type] = &[$($type::$variant,)*];

            /// Its name in C.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }

            /// The one of a name, which may have a NUL behind it.
            pub fn from_name(name: &[u8]) -> Option<$type> {
                let name = name.strip_suffix(&[0]).unwrap_or(name);
                $type::ALL.iter().copied().find(|known| known.name().as_bytes() == name)
            }
        }
    };
}

names! {
    /// What a filter does.
    FilterKind {
        /// Lets records through.
        Condition = "DAOS_FILTER_CONDITION",
        /// Computes one value of all records that were let through.
        Aggregation = "DAOS_FILTER_AGGREGATION",
    }
}

names! {
    /// What a part is.
    PartKind {
        /// `==`.
        Eq = "DAOS_FILTER_FUNC_EQ",
        /// Equal to one of several constants.
        In = "DAOS_FILTER_FUNC_IN",
        /// `!=`.
        Ne = "DAOS_FILTER_FUNC_NE",
        /// `<`.
        Lt = "DAOS_FILTER_FUNC_LT",
        /// `<=`.
        Le = "DAOS_FILTER_FUNC_LE",
        /// `>=`.
        Ge = "DAOS_FILTER_FUNC_GE",
        /// `>`.
        Gt = "DAOS_FILTER_FUNC_GT",
        /// Matches a pattern of `%`, `_` and `\`.
        Like = "DAOS_FILTER_FUNC_LIKE",
        /// The akey has no value.
        IsNull = "DAOS_FILTER_FUNC_ISNULL",
        /// The akey has a value.
        IsNotNull = "DAOS_FILTER_FUNC_ISNOTNULL",
        /// `&&`.
        And = "DAOS_FILTER_FUNC_AND",
        /// `||`.
        Or = "DAOS_FILTER_FUNC_OR",
        /// `!`.
        Not = "DAOS_FILTER_FUNC_NOT",
        /// `+`.
        Add = "DAOS_FILTER_FUNC_ADD",
        /// `-`.
        Sub = "DAOS_FILTER_FUNC_SUB",
        /// `*`.
        Mul = "DAOS_FILTER_FUNC_MUL",
        /// `/`.
        Div = "DAOS_FILTER_FUNC_DIV",
        /// `&`.
        BitAnd = "DAOS_FILTER_FUNC_BITAND",
        /// Sum.
        Sum = "DAOS_FILTER_FUNC_SUM",
        /// Smallest.
        Min = "DAOS_FILTER_FUNC_MIN",
        /// Largest.
        Max = "DAOS_FILTER_FUNC_MAX",
        /// Mean.
        Avg = "DAOS_FILTER_FUNC_AVG",
        /// The dkey.
        Dkey = "DAOS_FILTER_DKEY",
        /// The value of an akey.
        Akey = "DAOS_FILTER_AKEY",
        /// Constants.
        Const = "DAOS_FILTER_CONST",
    }
}

names! {
    /// How bytes are read.
    DataType {
        /// As they are.
        Binary = "DAOS_FILTER_TYPE_BINARY",
        /// 8 bytes of length before them.
        String = "DAOS_FILTER_TYPE_STRING",
        /// Up to a NUL.
        CString = "DAOS_FILTER_TYPE_CSTRING",
        /// Unsigned integers in the machine's order, of 1,
        Unsigned1 = "DAOS_FILTER_TYPE_UINTEGER1",
        /// 2,
        Unsigned2 = "DAOS_FILTER_TYPE_UINTEGER2",
        /// 4,
        Unsigned4 = "DAOS_FILTER_TYPE_UINTEGER4",
        /// and 8 bytes.
        Unsigned8 = "DAOS_FILTER_TYPE_UINTEGER8",
        /// Signed ones of 1,
        Signed1 = "DAOS_FILTER_TYPE_INTEGER1",
        /// 2,
        Signed2 = "DAOS_FILTER_TYPE_INTEGER2",
        /// 4,
        Signed4 = "DAOS_FILTER_TYPE_INTEGER4",
        /// and 8 bytes.
        Signed8 = "DAOS_FILTER_TYPE_INTEGER8",
        /// `float`.
        Real4 = "DAOS_FILTER_TYPE_REAL4",
        /// `double`.
        Real8 = "DAOS_FILTER_TYPE_REAL8",
    }
}

/// Kinds of values that can be compared and computed with one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Unsigned integers.
    Unsigned,
    /// Signed integers.
    Signed,
    /// Floating point numbers.
    Real,
    /// Bytes.
    Text,
}

impl DataType {
    /// Its class.
    pub fn class(self) -> Class {
        use DataType::{Binary, CString, Real4, Real8, Signed1, Signed2, Signed4, Signed8, String};
        match self {
            Binary | String | CString => Class::Text,
            Signed1 | Signed2 | Signed4 | Signed8 => Class::Signed,
            Real4 | Real8 => Class::Real,
            _ => Class::Unsigned,
        }
    }
}

/// One part of a filter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// How its data is read; needed for dkey, akey and constants.
    pub data_type: Option<DataType>,
    /// How many of the parts behind it are its operands, with theirs.
    pub operands: u32,
    /// Name of the akey.
    pub akey: Vec<u8>,
    /// The constants.
    pub constants: Vec<Vec<u8>>,
    /// Where in the data of a dkey or akey it begins: bytes, or the number of a record of an array.
    pub offset: u64,
    /// How much of it counts: bytes, or records of an array; 0 for all.
    pub len: u64,
}

/// One filter: parts in prefix order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Filter {
    /// What it does.
    pub kind: FilterKind,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// A pipeline as the caller builds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Default)]
pub struct Pipeline {
    /// All must hold.
    pub conditions: Vec<Filter>,
    /// Computed of the records that pass.
    pub aggregations: Vec<Filter>,
}
