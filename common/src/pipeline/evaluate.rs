//! Expressions, and what they say of a record.

use super::like::matches;
use super::{Class, DataType, Program};
use crate::{Der, IodKind, Recx, Result};
use std::cmp::Ordering;

/// The value of an akey in a record.
#[derive(Clone, Copy, Debug)]
pub struct AkeyValue<'a> {
    /// The akey.
    pub akey: &'a [u8],
    /// Single value or array.
    pub kind: IodKind,
    /// Bytes of the single value or of a record of the array; 0: there is none.
    pub size: u64,
    /// The extents that were read.
    pub recxs: &'a [Recx],
    /// The parts of them that hold data.
    pub present: &'a [Recx],
    /// The data: the value, or the extents one behind the other with zeros in the holes.
    pub data: &'a [u8],
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its dkey.
    pub dkey: &'a [u8],
    /// Its akeys.
    pub akeys: &'a [AkeyValue<'a>],
}

/// Where a value is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Whence {
    Dkey,
    Akey(Vec<u8>),
    Const(Vec<u8>),
}

/// A value that is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Source {
    pub(super) whence: Whence,
    pub(super) data_type: DataType,
    pub(super) offset: u64,
    pub(super) len: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Ge,
    Gt,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    BitAnd,
}

/// A value that is read or computed.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Operand {
    Source(Source),
    Computed { arithmetic: Arithmetic, both: Box<(Operand, Operand)> },
}

/// Something that holds or doesn't.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Condition {
    /// Holds if it does for one of `right`.
    Compare {
        comparison: Comparison,
        left: Operand,
        right: Vec<Operand>,
    },
    Like {
        text: Source,
        pattern: Source,
    },
    Null {
        source: Source,
        wanted: bool,
    },
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// A value; both sides of an operation are of one class, as was checked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Datum<'a> {
    Unsigned(u64),
    Signed(i64),
    Real(f64),
    Text(&'a [u8]),
}

impl Program {
    /// Whether a record meets all conditions.
    ///
    /// # Errors
    /// `DIV_BY_ZERO`: an integer, or a real, was divided by 0.
    pub fn accepts(&self, record: &Record<'_>) -> Result<bool> {
        for condition in &self.conditions {
            if !condition.holds(record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Condition {
    fn holds(&self, record: &Record<'_>) -> Result<bool> {
        match self {
            Condition::Compare { comparison, left, right } => {
                let Some(left) = left.value(record)? else { return Ok(false) };
                for right in right {
                    if right.value(record)?.is_some_and(|right| comparison.holds(left, right)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Like { text, pattern } => Ok(match (text.value(record), pattern.value(record)) {
                (Some(Datum::Text(text)), Some(Datum::Text(pattern))) => matches(text, pattern),
                _ => false,
            }),
            Condition::Null { source, wanted } => Ok(source.bytes(record).is_none() == *wanted),
            Condition::Not(inner) => inner.holds(record).map(|holds| !holds),
            Condition::And(all) => {
                for condition in all {
                    if !condition.holds(record)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(all) => {
                for condition in all {
                    if condition.holds(record)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    pub(super) fn reads(&self, akey: &[u8]) -> bool {
        match self {
            Condition::Compare { left, right, .. } => left.reads(akey) || right.iter().any(|right| right.reads(akey)),
            Condition::Like { text, pattern } => text.reads(akey) || pattern.reads(akey),
            Condition::Null { source, .. } => source.reads(akey),
            Condition::Not(inner) => inner.reads(akey),
            Condition::And(all) | Condition::Or(all) => all.iter().any(|condition| condition.reads(akey)),
        }
    }
}

impl Comparison {
    fn holds(self, left: Datum<'_>, right: Datum<'_>) -> bool {
        let order = match (left, right) {
            (Datum::Unsigned(left), Datum::Unsigned(right)) => Some(left.cmp(&right)),
            (Datum::Signed(left), Datum::Signed(right)) => Some(left.cmp(&right)),
            // Nothing compares with NaN, except that it differs.
            (Datum::Real(left), Datum::Real(right)) => left.partial_cmp(&right),
            (Datum::Text(left), Datum::Text(right)) => Some(left.cmp(right)),
            _ => return false,
        };
        match self {
            Comparison::Eq => order == Some(Ordering::Equal),
            Comparison::Ne => order != Some(Ordering::Equal),
            Comparison::Lt => order == Some(Ordering::Less),
            Comparison::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Comparison::Gt => order == Some(Ordering::Greater),
        }
    }
}

impl Operand {
    /// Its value; `None` if one that it needs is absent.
    pub(super) fn value<'a>(&'a self, record: &Record<'a>) -> Result<Option<Datum<'a>>> {
        match self {
            Operand::Source(source) => Ok(source.value(record)),
            Operand::Computed { arithmetic, both } => {
                let (Some(left), Some(right)) = (both.0.value(record)?, both.1.value(record)?) else {
                    return Ok(None);
                };
                arithmetic.of(left, right)
            }
        }
    }

    pub(super) fn reads(&self, akey: &[u8]) -> bool {
        match self {
            Operand::Source(source) => source.reads(akey),
            Operand::Computed { both, .. } => both.0.reads(akey) || both.1.reads(akey),
        }
    }
}

impl Arithmetic {
    /// Integers wrap around.
    fn of<'a>(self, left: Datum<'a>, right: Datum<'a>) -> Result<Option<Datum<'a>>> {
        let by_zero = || Der::DIV_BY_ZERO.err("a pipeline divides by 0");
        Ok(match (left, right) {
            (Datum::Unsigned(left), Datum::Unsigned(right)) => Some(Datum::Unsigned(match self {
                Arithmetic::Add => left.wrapping_add(right),
                Arithmetic::Sub => left.wrapping_sub(right),
                Arithmetic::Mul => left.wrapping_mul(right),
                Arithmetic::Div => left.checked_div(right).ok_or_else(by_zero)?,
                Arithmetic::BitAnd => left & right,
            })),
            (Datum::Signed(left), Datum::Signed(right)) => Some(Datum::Signed(match self {
                Arithmetic::Add => left.wrapping_add(right),
                Arithmetic::Sub => left.wrapping_sub(right),
                Arithmetic::Mul => left.wrapping_mul(right),
                Arithmetic::Div if right == 0 => return Err(by_zero()),
                Arithmetic::Div => left.wrapping_div(right),
                Arithmetic::BitAnd => left & right,
            })),
            (Datum::Real(left), Datum::Real(right)) => match self {
                Arithmetic::Add => Some(Datum::Real(left + right)),
                Arithmetic::Sub => Some(Datum::Real(left - right)),
                Arithmetic::Mul => Some(Datum::Real(left * right)),
                Arithmetic::Div if right == 0.0 => return Err(by_zero()),
                Arithmetic::Div => Some(Datum::Real(left / right)),
                Arithmetic::BitAnd => None,
            },
            _ => None,
        })
    }
}

impl Source {
    pub(super) fn class(&self) -> Class {
        self.data_type.class()
    }

    pub(super) fn is_text(&self) -> bool {
        self.class() == Class::Text
    }

    fn reads(&self, akey: &[u8]) -> bool {
        matches!(&self.whence, Whence::Akey(name) if name == akey)
    }

    fn value<'a>(&'a self, record: &Record<'a>) -> Option<Datum<'a>> {
        self.datum(self.bytes(record)?)
    }

    /// Its bytes in a record; `None` when there are none.
    fn bytes<'a>(&'a self, record: &Record<'a>) -> Option<&'a [u8]> {
        match &self.whence {
            Whence::Const(bytes) => Some(bytes),
            Whence::Dkey => self.cut(record.dkey),
            Whence::Akey(name) => {
                let value = record.akeys.iter().find(|value| value.akey == name).filter(|value| value.size > 0)?;
                match value.kind {
                    IodKind::Single => self.cut(value.data),
                    IodKind::Array => self.records(value),
                }
            }
        }
    }

    /// The bytes from `offset` on, `len` of them if that is not 0.
    fn cut<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let rest = bytes.get(usize::try_from(self.offset).ok()?..).filter(|rest| !rest.is_empty())?;
        let len = if self.len == 0 { rest.len() } else { rest.len().min(usize::try_from(self.len).ok()?) };
        Some(&rest[..len])
    }

    /// The records from `offset` on, `len` of them if that is not 0, to the end of the extent that holds the first. That
    /// one must be there; holes behind it are zeros.
    fn records<'a>(&self, value: &AkeyValue<'a>) -> Option<&'a [u8]> {
        let holds = |recx: &Recx| self.offset >= recx.idx && self.offset - recx.idx < recx.nr;
        value.present.iter().find(|recx| holds(recx))?;
        let mut before = 0u64;
        let recx = value.recxs.iter().find(|recx| {
            let found = holds(recx);
            before += if found { self.offset - recx.idx } else { recx.nr };
            found
        })?;
        let rest = recx.idx + recx.nr - self.offset;
        let records = if self.len == 0 { rest } else { rest.min(self.len) };
        let from = usize::try_from(before.checked_mul(value.size)?).ok()?;
        let bytes = usize::try_from(records.checked_mul(value.size)?).ok()?;
        value.data.get(from..from.checked_add(bytes)?)
    }

    /// Bytes read as the data type says; `None` when they are too few.
    pub(super) fn datum<'a>(&self, bytes: &'a [u8]) -> Option<Datum<'a>> {
        use DataType::{Binary, CString, Real4, Real8, String};
        use DataType::{Signed1, Signed2, Signed4, Signed8, Unsigned1, Unsigned2, Unsigned4, Unsigned8};
        Some(match self.data_type {
            Unsigned1 => Datum::Unsigned(u64::from(*bytes.first()?)),
            Unsigned2 => Datum::Unsigned(u64::from(u16::from_ne_bytes(*bytes.first_chunk()?))),
            Unsigned4 => Datum::Unsigned(u64::from(u32::from_ne_bytes(*bytes.first_chunk()?))),
            Unsigned8 => Datum::Unsigned(u64::from_ne_bytes(*bytes.first_chunk()?)),
            Signed1 => Datum::Signed(i64::from(i8::from_ne_bytes(*bytes.first_chunk()?))),
            Signed2 => Datum::Signed(i64::from(i16::from_ne_bytes(*bytes.first_chunk()?))),
            Signed4 => Datum::Signed(i64::from(i32::from_ne_bytes(*bytes.first_chunk()?))),
            Signed8 => Datum::Signed(i64::from_ne_bytes(*bytes.first_chunk()?)),
            Real4 => Datum::Real(f64::from(f32::from_ne_bytes(*bytes.first_chunk()?))),
            Real8 => Datum::Real(f64::from_ne_bytes(*bytes.first_chunk()?)),
            Binary => Datum::Text(bytes),
            CString => Datum::Text(bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)),
            String => {
                let (length, text) = bytes.split_first_chunk()?;
                let length = usize::try_from(u64::from_ne_bytes(*length)).unwrap_or(usize::MAX);
                Datum::Text(&text[..length.min(text.len())])
            }
        })
    }
}
