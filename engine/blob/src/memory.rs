//! Memory aligned for O_DIRECT, kept for reuse.
//!
//! Buffers come in powers of two from 4 KiB. A returned buffer goes on the pool's shelf of its size while the shelves
//! hold at most [`KEPT_BYTES_MAX`]; beyond that it goes back to the system.

use crate::BLOCK;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::rc::Rc;

/// Most bytes one ring's pool keeps for reuse.
pub const KEPT_BYTES_MAX: usize = 64 << 20;

/// Largest buffer worth keeping.
const KEPT_BUFFER_MAX: usize = 8 << 20;

/// One thread's shelves.
#[derive(Default)]
pub(crate) struct Pool {
    shelves: RefCell<Shelves>,
}

#[derive(Default)]
struct Shelves {
    /// By power of two above one block.
    by_size: Vec<Vec<Region>>,
    kept: usize,
}

/// Owned aligned memory, initialised.
struct Region {
    start: NonNull<u8>,
    layout: Layout,
}

impl Region {
    fn new(bytes: usize) -> Region {
        let Ok(layout) = Layout::from_size_align(bytes, BLOCK as usize) else {
            // More than the address space; no caller gets here with a length checked against a device.
            handle_alloc_error(Layout::new::<[u8; 4096]>());
        };
        // SAFETY: `layout` is not of size zero: sizes are at least one block.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        let Some(start) = start else { handle_alloc_error(layout) };
        Region { start, layout }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: `start` came from `alloc_zeroed` with this layout and is freed once, here.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// Memory aligned for O_DIRECT, from a ring's pool, returned to it on drop.
///
/// Its length is what was asked for; its capacity is a multiple of 4096. A fresh buffer's bytes are unspecified
/// (zeros or what an earlier buffer held).
pub struct Buffer {
    /// Always there until drop.
    region: Option<Region>,
    length: usize,
    pool: Rc<Pool>,
}

impl Pool {
    /// A buffer of `bytes`.
    pub(crate) fn buffer(self: &Rc<Pool>, bytes: usize) -> Buffer {
        let capacity = bytes.max(BLOCK as usize);
        let capacity = match capacity <= KEPT_BUFFER_MAX {
            true => capacity.next_power_of_two(),
            false => capacity.next_multiple_of(BLOCK as usize),
        };
        let mut shelves = self.shelves.borrow_mut();
        let kept = shelves.by_size.get_mut(shelf_of(capacity)).and_then(Vec::pop);
        let region = match kept {
            Some(region) => {
                shelves.kept -= capacity;
                region
            }
            None => Region::new(capacity),
        };
        Buffer { region: Some(region), length: bytes, pool: Rc::clone(self) }
    }

    /// Bytes on the shelves.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.shelves.borrow().kept
    }

    fn take_back(&self, region: Region) {
        let bytes = region.layout.size();
        let mut shelves = self.shelves.borrow_mut();
        if bytes > KEPT_BUFFER_MAX || shelves.kept + bytes > KEPT_BYTES_MAX {
            return;
        }
        let shelf = shelf_of(bytes);
        if shelves.by_size.len() <= shelf {
            shelves.by_size.resize_with(shelf + 1, Vec::new);
        }
        shelves.kept += bytes;
        shelves.by_size[shelf].push(region);
    }
}

fn shelf_of(capacity: usize) -> usize {
    (capacity / BLOCK as usize).trailing_zeros() as usize
}

impl Buffer {
    /// Bytes it could hold.
    pub fn capacity(&self) -> usize {
        self.region.as_ref().map_or(0, |region| region.layout.size())
    }

    /// Changes its length; bytes that come in are unspecified. Lengths above the capacity are cut to it.
    pub fn set_len(&mut self, length: usize) {
        self.length = length.min(self.capacity());
    }

    /// Makes the length a multiple of 4096, with zeros for what comes in.
    pub(crate) fn pad(&mut self) {
        let end = self.length;
        self.set_len(end.next_multiple_of(BLOCK as usize));
        self[end..].fill(0);
    }

    /// Where its memory is. Stays put however the buffer moves.
    pub(crate) fn address(&self) -> *mut u8 {
        self.region.as_ref().map_or(std::ptr::null_mut(), |region| region.start.as_ptr())
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.region {
            // SAFETY: the region is initialised memory of at least `length` bytes that this buffer alone owns. While
            // the kernel may write to it, the ring holds the buffer and gives out no reference.
            Some(region) => unsafe { std::slice::from_raw_parts(region.start.as_ptr(), self.length) },
            None => &[],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &self.region {
            // SAFETY: as for `deref`, and `&mut self` makes the borrow exclusive.
            Some(region) => unsafe { std::slice::from_raw_parts_mut(region.start.as_ptr(), self.length) },
            None => &mut [],
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(region) = self.region.take() {
            self.pool.take_back(region);
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} of {} bytes)", self.length, self.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: buffers are aligned, come back to the shelf, and the shelves stay bounded.
    #[test]
    fn reuse_and_bound() {
        let pool = Rc::new(Pool::default());
        let mut one = pool.buffer(5000);
        assert_eq!((one.len(), one.capacity(), one.address() as usize % 4096), (5000, 8192, 0));
        one.fill(7);
        one.pad();
        assert_eq!((one.len(), one[4999], one[5000], one[8191]), (8192, 7, 0, 0));
        let address = one.address();
        drop(one);
        assert_eq!(pool.kept(), 8192);
        assert_eq!(pool.buffer(8000).address(), address);
        assert_eq!((pool.buffer(0).capacity(), pool.buffer(9 << 20).capacity()), (4096, 9 << 20));
        let many: Vec<Buffer> = (0..20).map(|_| pool.buffer(8 << 20)).collect();
        drop(many);
        assert!(pool.kept() <= KEPT_BYTES_MAX);
    }
}
