//! User attributes of pools and containers: names and values in the caller's arrays.

use crate::c::{Out, OutArray, elements, null};
use daos_client::UserMemory;
use daos_common::wire::pool::{AttrAction, AttrReply};
use daos_common::{Der, Result};
use daos_sys::DAOS_ATTR_NAME_MAX;
use std::ffi::{c_char, c_int, c_void};

/// Largest value that goes in one message.
const VALUE_BYTES_MAX: usize = 1 << 20;

/// Names in an array of the caller's.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn names(count: c_int, names: *const *const c_char) -> Result<Vec<String>> {
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || names.is_null() {
        return Err(Der::INVAL.err("no attribute names"));
    }
    // SAFETY: the contract of this function.
    let pointers: Vec<*const c_char> = unsafe { elements(names, count) };
    let take = |pointer: &*const c_char| {
        // SAFETY: the contract of this function.
        let name = unsafe { crate::c::text(*pointer, DAOS_ATTR_NAME_MAX as usize, "attribute name") }?;
        if name.is_empty() { Err(Der::INVAL.err("an attribute's name is empty")) } else { Ok(name) }
    };
    pointers.iter().map(take).collect()
}

/// What to set.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn set(
    count: c_int,
    c_names: *const *const c_char,
    values: *const *const c_void,
    sizes: *const usize,
) -> Result<AttrAction> {
    // SAFETY: the contract of this function.
    let names = unsafe { names(count, c_names) }?;
    if values.is_null() || sizes.is_null() {
        return Err(null("values or sizes"));
    }
    // SAFETY: the contract of this function; the arrays have as many elements as there are names.
    let (values, sizes) = unsafe { (elements(values, names.len()), elements(sizes, names.len())) };
    let mut pairs = Vec::with_capacity(names.len());
    for ((name, value), size) in names.into_iter().zip(values).zip(sizes) {
        if value.is_null() || size == 0 || size > VALUE_BYTES_MAX {
            return Err(Der::INVAL.err(format!("value of attribute {name:?}: {size} bytes")));
        }
        // SAFETY: as above.
        pairs.push((name, unsafe { elements(value.cast::<u8>(), size) }));
    }
    Ok(AttrAction::Set(pairs))
}

/// Where the values of attributes go.
pub(crate) struct ValuePlaces {
    buffers: OutArray<*mut c_void>,
    sizes: OutArray<usize>,
}

impl ValuePlaces {
    /// # Safety
    /// The contract of [`crate::c`].
    pub(crate) unsafe fn new(count: usize, buffers: *const *mut c_void, sizes: *mut usize) -> Result<ValuePlaces> {
        if sizes.is_null() {
            return Err(null("sizes"));
        }
        // SAFETY: the contract of this function.
        Ok(unsafe {
            ValuePlaces { buffers: OutArray::new(buffers.cast_mut(), count), sizes: OutArray::new(sizes, count) }
        })
    }

    /// Copies what fits and tells the true sizes.
    pub(crate) fn give(&self, reply: &AttrReply) {
        for (index, value) in reply.values.iter().enumerate() {
            if let (Some(buffer), Some(room)) = (self.buffers.get(index), self.sizes.get(index)) {
                // SAFETY: a buffer of that many bytes by the contract of `new`.
                unsafe { UserMemory::new([(buffer.cast::<u8>(), room)]) }.write_at(0, value);
            }
            self.sizes.set(index, value.len());
        }
    }
}

/// Where a list of names goes: packed, each with its NUL.
pub(crate) struct NamePlace {
    buffer: UserMemory,
    size: Out<usize>,
}

impl NamePlace {
    /// # Safety
    /// The contract of [`crate::c`].
    pub(crate) unsafe fn new(buffer: *mut c_char, size: *mut usize) -> Result<NamePlace> {
        // SAFETY: the contract of this function.
        let size = unsafe { Out::required(size, "size") }?;
        if size.get() > 0 && buffer.is_null() {
            return Err(null("buffer"));
        }
        // SAFETY: the contract of this function.
        Ok(NamePlace { buffer: unsafe { UserMemory::new([(buffer.cast::<u8>(), size.get())]) }, size })
    }

    /// Copies what fits and tells the size of all.
    pub(crate) fn give(&self, reply: &AttrReply) {
        let packed: Vec<u8> = reply.names.iter().flat_map(|name| name.bytes().chain([0])).collect();
        self.buffer.write_at(0, &packed);
        self.size.set(packed.len());
    }
}
