//! Identifiers: objects, shards, ranks, targets, epochs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of data: an HLC timestamp (see [`crate::hlc`]). A read at epoch `e` sees the newest version at or below `e`.
pub type Epoch = u64;

/// The epoch that sees everything (`DAOS_EPOCH_MAX`).
pub const EPOCH_MAX: Epoch = u64::MAX;

/// Number of an engine in its system (`d_rank_t`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rank(pub u32);

impl Rank {
    /// "No rank yet" (`CRT_NO_RANK`).
    pub const NONE: Rank = Rank(u32::MAX);
}

impl fmt::Debug for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {}", self.0)
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a target within its engine, from 0.
pub type TargetIndex = u32;

/// `daos_obj_id_t`: 128 bits. `hi` holds, from the top: type (8 bits), redundancy ordinal (8), number of
/// groups (16), user bits (32); `lo` holds 64 user bits. Printed `hi.lo` in decimal, as upstream does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ObjectId {
    /// The low 64 bits.
    pub lo: u64,
    /// The high 64 bits.
    pub hi: u64,
}

/// Type of objects that list the objects of a snapshot (`DAOS_OT_OIT_V2`).
pub const OTYPE_OIT: u8 = 14;

impl ObjectId {
    /// The object type byte (`enum daos_otype_t`).
    pub fn type_byte(self) -> u8 {
        (self.hi >> 56) as u8
    }

    /// Whether it lists the objects of a snapshot (`DAOS_OT_OIT_V2`); its low 64 bits are the snapshot's epoch then.
    pub fn is_oit(self) -> bool {
        self.type_byte() == OTYPE_OIT
    }

    /// The redundancy ordinal (`OR_*`): 0 while the class is unresolved.
    pub fn redundancy(self) -> u8 {
        (self.hi >> 48) as u8
    }

    /// Number of redundancy groups; `u16::MAX` for "as many as fit".
    pub fn groups(self) -> u16 {
        (self.hi >> 32) as u16
    }

    /// The class id: ordinal in bits 24..32, group count below.
    pub fn class(self) -> u32 {
        (u32::from(self.redundancy()) << 24) | u32::from(self.groups())
    }

    /// The same user bits under another type and class.
    pub fn with_class(self, type_byte: u8, class: u32) -> ObjectId {
        let user = self.hi & 0xffff_ffff;
        let redundancy = u64::from(class >> 24);
        let groups = u64::from(class & 0xffff);
        ObjectId { lo: self.lo, hi: (u64::from(type_byte) << 56) | (redundancy << 48) | (groups << 32) | user }
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.hi, self.lo)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.hi, self.lo)
    }
}

/// One shard of an object: what a target's VOS stores objects by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct UnitOid {
    /// The object.
    pub oid: ObjectId,
    /// Number of the shard in the object's layout, from 0.
    pub shard: u32,
    /// Version of the layout algorithm that placed it.
    pub layout: u16,
}

/// How a kind of key is ordered and stored; follows from the object type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum KeyOrder {
    /// By a 128-bit hash of the key.
    Hashed,
    /// By the key as a native 64-bit integer; the key is 8 bytes.
    Integer,
    /// By the key's bytes.
    Lexical,
}

impl ObjectId {
    /// Order of this object's dkeys (`daos_otype_t`: types 2, 4, 9, 11, 12, 13 are integer; 5, 7, 10 lexical).
    pub fn dkey_order(self) -> KeyOrder {
        match self.type_byte() {
            2 | 4 | 9 | 11 | 12 | 13 => KeyOrder::Integer,
            5 | 7 | 10 => KeyOrder::Lexical,
            _ => KeyOrder::Hashed,
        }
    }

    /// Order of this object's akeys (types 3, 4 are integer; 6, 7 lexical).
    pub fn akey_order(self) -> KeyOrder {
        match self.type_byte() {
            3 | 4 => KeyOrder::Integer,
            6 | 7 => KeyOrder::Lexical,
            _ => KeyOrder::Hashed,
        }
    }
}
