//! Handles: the 64-bit cookies the C API gives out, and what they stand for.
//!
//! | bits | field |
//! |---|---|
//! | 0..24 | slot number + 1, so that no cookie is 0 (`DAOS_HDL_INVAL`) |
//! | 24..56 | generation of the slot, raised each time it is emptied |
//! | 56..64 | kind of handle |
//!
//! A cookie of another kind, of an emptied slot or of no slot at all finds nothing: NO_HDL. Lookups share a read lock
//! that is held for the copy of one reference count.

use crate::fork::Shared;
use daos_common::{Der, Result};
use std::marker::PhantomData;
use std::sync::Arc;

const SLOT_BITS: u32 = 24;
const SLOT_LIMIT: usize = (1 << SLOT_BITS) - 1;

struct Slot<T: ?Sized> {
    generation: u32,
    value: Option<Arc<T>>,
}

struct Slots<T: ?Sized> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

/// One kind of handle.
pub struct HandleTable<T: ?Sized> {
    kind: u8,
    name: &'static str,
    slots: Shared<Slots<T>>,
    holds: PhantomData<T>,
}

impl<T: ?Sized> HandleTable<T> {
    /// An empty table of handles of a kind (not 0); `name` is what messages call it.
    pub const fn new(kind: u8, name: &'static str) -> HandleTable<T> {
        let slots = Slots { slots: Vec::new(), free: Vec::new() };
        HandleTable { kind, name, slots: Shared::new(slots), holds: PhantomData }
    }

    /// Gives a value a cookie.
    ///
    /// # Errors
    /// `NOMEM`: 16 million handles are open.
    pub fn insert(&self, value: Arc<T>) -> Result<u64> {
        let mut table = self.slots.write();
        let index = match table.free.pop() {
            Some(index) => index as usize,
            None if table.slots.len() < SLOT_LIMIT => {
                table.slots.push(Slot { generation: 0, value: None });
                table.slots.len() - 1
            }
            None => return Err(Der::NOMEM.err(format!("too many open {} handles ({SLOT_LIMIT})", self.name))),
        };
        let slot = &mut table.slots[index];
        slot.value = Some(value);
        Ok(u64::from(self.kind) << 56 | u64::from(slot.generation) << SLOT_BITS | (index as u64 + 1))
    }

    /// The value of a cookie.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub fn get(&self, cookie: u64) -> Result<Arc<T>> {
        let table = self.slots.read();
        let found = self.split(cookie).and_then(|(index, generation)| {
            let slot = table.slots.get(index)?;
            (slot.generation == generation).then_some(slot.value.as_ref()).flatten()
        });
        found.cloned().ok_or_else(|| self.unknown(cookie))
    }

    /// Takes a cookie out of use.
    ///
    /// # Errors
    /// `NO_HDL`.
    pub fn remove(&self, cookie: u64) -> Result<Arc<T>> {
        let mut table = self.slots.write();
        let taken = self.split(cookie).and_then(|(index, generation)| {
            let slot = table.slots.get_mut(index)?;
            if slot.generation != generation {
                return None;
            }
            let value = slot.value.take()?;
            slot.generation = slot.generation.wrapping_add(1);
            table.free.push(index as u32);
            Some(value)
        });
        taken.ok_or_else(|| self.unknown(cookie))
    }

    /// Empties the table and returns what it held.
    pub fn clear(&self) -> Vec<Arc<T>> {
        let mut table = self.slots.write();
        let mut values = Vec::new();
        let table = &mut *table;
        for (index, slot) in table.slots.iter_mut().enumerate() {
            if let Some(value) = slot.value.take() {
                slot.generation = slot.generation.wrapping_add(1);
                table.free.push(index as u32);
                values.push(value);
            }
        }
        values
    }

    fn split(&self, cookie: u64) -> Option<(usize, u32)> {
        let index = (cookie as usize & SLOT_LIMIT).checked_sub(1)?;
        ((cookie >> 56) as u8 == self.kind).then_some((index, (cookie >> SLOT_BITS) as u32))
    }

    fn unknown(&self, cookie: u64) -> daos_common::Error {
        Der::NO_HDL.err(format!("{cookie:#x} is not an open {} handle", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a closed, foreign or invented cookie finds nothing, also after its slot is used again.
    #[test]
    fn stale_cookies_find_nothing() {
        let table: HandleTable<u32> = HandleTable::new(3, "test");
        let other: HandleTable<u32> = HandleTable::new(4, "other");
        let first = table.insert(Arc::new(1)).unwrap();
        assert_ne!(first, 0);
        assert_eq!(*table.get(first).unwrap(), 1);
        assert_eq!(other.get(first).unwrap_err().code(), Der::NO_HDL);
        assert_eq!(*table.remove(first).unwrap(), 1);
        assert_eq!(table.remove(first).unwrap_err().code(), Der::NO_HDL);
        let second = table.insert(Arc::new(2)).unwrap();
        assert_ne!(first, second);
        assert!(table.get(first).is_err());
        assert_eq!(*table.get(second).unwrap(), 2);
        for invented in [0, u64::MAX, 3 << 56, 77] {
            assert_eq!(table.get(invented).unwrap_err().code(), Der::NO_HDL);
        }
        assert_eq!(table.clear().len(), 1);
        assert!(table.get(second).is_err());
    }
}
