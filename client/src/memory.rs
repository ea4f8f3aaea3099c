//! The caller's memory: scatter-gather lists that updates read and fetches write, in place and without a copy for
//! data that moves by RMA.
//!
//! A [`UserMemory`] is one byte string made of parts. Its contract is the C API's: from the call until its event
//! completes, the buffers stay valid; a fetch's buffers are not touched by anybody else meanwhile.
#![allow(unsafe_code)]

use daos_common::Result;
use daos_fabric::{Access, Endpoint, Exposed};

/// One part: where and how many bytes.
#[derive(Clone, Copy, Debug)]
struct Part {
    base: *mut u8,
    bytes: usize,
}

/// Memory of the application, as one byte string over parts. Empty parts are dropped.
#[derive(Clone, Debug, Default)]
pub struct UserMemory {
    parts: Vec<Part>,
}

// SAFETY: a `UserMemory` is addresses only; the contract of `UserMemory::new` makes them usable from whichever thread
// drives the operation.
unsafe impl Send for UserMemory {}

impl UserMemory {
    /// Memory made of `parts` in order.
    ///
    /// # Safety
    /// Until the operation that is given this memory completes, each part is valid for reads, and for a fetch valid
    /// for writes and not accessed by others; any thread may be the one that accesses it.
    pub unsafe fn new(parts: impl IntoIterator<Item = (*mut u8, usize)>) -> UserMemory {
        let parts = parts
            .into_iter()
            .filter(|(base, bytes)| *bytes > 0 && !base.is_null())
            .map(|(base, bytes)| Part { base, bytes })
            .collect();
        UserMemory { parts }
    }

    /// Memory over a buffer that the caller keeps alive and unmoved while the future that uses it lives.
    pub(crate) fn of_buffer(buffer: &mut [u8]) -> UserMemory {
        UserMemory { parts: vec![Part { base: buffer.as_mut_ptr(), bytes: buffer.len() }] }
    }

    /// Bytes in all.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes as u64).sum()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The bytes `from..from + len`, cut at the end of the memory.
    pub fn slice(&self, from: u64, len: u64) -> UserMemory {
        let mut parts = Vec::new();
        self.each(from, len, |base, bytes| parts.push(Part { base, bytes }));
        UserMemory { parts }
    }

    /// Appends another memory behind this one.
    pub(crate) fn extend(&mut self, other: &UserMemory) {
        self.parts.extend_from_slice(&other.parts);
    }

    /// The first `len` bytes as slices, to be copied into a message at once.
    pub(crate) fn as_slices(&self, len: u64) -> Vec<&[u8]> {
        let mut slices = Vec::with_capacity(self.parts.len());
        // SAFETY: `base..base + bytes` is inside a part, which is valid for reads by the contract of `new`.
        self.each(0, len, |base, bytes| slices.push(unsafe { std::slice::from_raw_parts(base, bytes) }));
        slices
    }

    /// Copies `data` to the byte string from `offset` on; what lies behind the end is dropped.
    pub fn write_at(&self, offset: u64, data: &[u8]) {
        let mut done = 0;
        self.each(offset, data.len() as u64, |base, bytes| {
            // SAFETY: `base..base + bytes` is inside a part, valid for writes by the contract of `new`; `data` is ours
            // and cannot overlap it.
            unsafe { std::ptr::copy_nonoverlapping(data[done..].as_ptr(), base, bytes) };
            done += bytes;
        });
    }

    /// Fills `offset..offset + len` with zero bytes.
    pub(crate) fn zero(&self, offset: u64, len: u64) {
        // SAFETY: as in `write_at`.
        self.each(offset, len, |base, bytes| unsafe { std::ptr::write_bytes(base, 0, bytes) });
    }

    /// Opens the first `len` bytes to peers until the result is dropped.
    pub(crate) fn expose(&self, endpoint: &Endpoint, len: u64, access: Access) -> Result<Exposed> {
        let mut regions = Vec::with_capacity(self.parts.len());
        self.each(0, len, |base, bytes| regions.push((base, bytes)));
        // SAFETY: the regions are parts; the contract of `new` covers the operation, which drops the result before it
        // completes.
        unsafe { endpoint.expose(&regions, access) }
    }

    /// Calls `visit` with each piece of `from..from + len`.
    fn each(&self, from: u64, len: u64, mut visit: impl FnMut(*mut u8, usize)) {
        let (mut skip, mut left) = (from, len);
        for part in &self.parts {
            if left == 0 {
                return;
            }
            let bytes = part.bytes as u64;
            if skip >= bytes {
                skip -= bytes;
                continue;
            }
            let take = (bytes - skip).min(left);
            visit(part.base.wrapping_add(skip as usize), take as usize);
            left -= take;
            skip = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: offsets run over part borders, in reads, writes and zeroing, and the end cuts.
    #[test]
    fn parts_form_one_byte_string() {
        let (mut a, mut b, mut c) = ([1u8; 3], [2u8; 5], [3u8; 2]);
        let empty: *mut u8 = std::ptr::null_mut();
        // SAFETY: the arrays outlive the memory.
        let memory =
            unsafe { UserMemory::new([(a.as_mut_ptr(), 3), (empty, 0), (b.as_mut_ptr(), 5), (c.as_mut_ptr(), 2)]) };
        assert_eq!(memory.len(), 10);
        memory.write_at(2, &[9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!((a, b, c), ([1, 1, 9], [8, 7, 6, 5, 4], [3, 2]));
        memory.zero(1, 3);
        assert_eq!(memory.as_slices(4), vec![&[1u8, 0, 0][..], &[0][..]]);
        let tail = memory.slice(7, 100);
        assert_eq!(tail.len(), 3);
        assert_eq!(tail.as_slices(3), vec![&[4u8][..], &[3, 2][..]]);
    }
}
