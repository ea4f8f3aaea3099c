//! What C hands us, and what we hand back: pointers checked once, then safe to use.
//!
//! # The contract of every exported function (`# Safety`)
//! Each pointer is NULL, or valid for what the header says it is for, from the call until it returns, or, when an
//! event is given, until the event completes. What is written to is not accessed by others meanwhile. Handles are
//! plain numbers and may be anything.

use daos_client::UserMemory;
use daos_common::{Der, Error, Result};
use daos_sys::{d_iov_t, d_sg_list_t};
use std::ffi::{CStr, c_char, c_void};

/// A place of the caller's for a result.
pub(crate) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    /// A place that must be there.
    ///
    /// # Safety
    /// The contract of this module.
    pub(crate) unsafe fn required(place: *mut T, name: &str) -> Result<Out<T>> {
        if place.is_null() { Err(null(name)) } else { Ok(Out(place)) }
    }

    /// A place that may be absent.
    ///
    /// # Safety
    /// The contract of this module.
    pub(crate) unsafe fn optional(place: *mut T) -> Option<Out<T>> {
        (!place.is_null()).then_some(Out(place))
    }

    pub(crate) fn set(&self, value: T) {
        // SAFETY: valid for writes by the contract of the constructors; C may have placed it unaligned.
        unsafe { self.0.write_unaligned(value) }
    }

    pub(crate) fn get(&self) -> T {
        // SAFETY: as in `set`, for reads of what the caller initialised.
        unsafe { self.0.read_unaligned() }
    }
}

/// An array of the caller's for results.
pub(crate) struct OutArray<T> {
    base: *mut T,
    len: usize,
}

impl<T: Copy> OutArray<T> {
    /// An array of `len` elements; absent is an array of none.
    ///
    /// # Safety
    /// The contract of this module.
    pub(crate) unsafe fn new(base: *mut T, len: usize) -> OutArray<T> {
        OutArray { base, len: if base.is_null() { 0 } else { len } }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Sets an element; those behind the end are dropped.
    pub(crate) fn set(&self, index: usize, value: T) {
        if index < self.len {
            // SAFETY: inside the array, which is valid for writes by the contract of `new`.
            unsafe { self.base.add(index).write_unaligned(value) }
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<T> {
        // SAFETY: inside the array, which is valid for reads of what the caller initialised.
        (index < self.len).then(|| unsafe { self.base.add(index).read_unaligned() })
    }
}

pub(crate) fn null(name: &str) -> Error {
    Der::INVAL.err(format!("{name} is NULL"))
}

/// The elements of an array that the caller filled; absent is none.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn elements<T: Copy>(base: *const T, len: usize) -> Vec<T> {
    // SAFETY: valid for `len` reads by the contract.
    (0..if base.is_null() { 0 } else { len }).map(|index| unsafe { base.add(index).read_unaligned() }).collect()
}

/// A text of at most `limit` bytes that must be there.
///
/// # Safety
/// The contract of this module; it ends with a NUL.
pub(crate) unsafe fn text(pointer: *const c_char, limit: usize, name: &str) -> Result<String> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: a C string by the contract.
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    if bytes.len() > limit {
        return Err(Der::INVAL.err(format!("{name} is longer than {limit} bytes")));
    }
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Der::INVAL.err(format!("{name} is not UTF-8")))
}

/// A key of the caller's: not NULL, not empty.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn key(key: *const d_iov_t, name: &str) -> Result<Vec<u8>> {
    // SAFETY: valid for reads by the contract, if it is there.
    let Some(key) = (unsafe { key.as_ref() }) else { return Err(null(name)) };
    if key.iov_buf.is_null() || key.iov_len == 0 {
        return Err(Der::INVAL.err(format!("{name} is empty")));
    }
    // SAFETY: as above.
    Ok(unsafe { elements(key.iov_buf.cast::<u8>(), key.iov_len) })
}

/// Which length of an iov counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// What is in it (`iov_len`).
    Told,
    /// What is in it, for what we read; all of it when no list element tells (`iov_len` 0 of all).
    Filled,
    /// What fits in it (`iov_buf_len`), for what we write.
    Room,
}

/// A scatter-gather list of the caller's and its buffers.
#[derive(Clone, Copy)]
pub(crate) struct SgList(*mut d_sg_list_t);

impl SgList {
    /// Checks a list, which must be there.
    ///
    /// # Safety
    /// The contract of this module, for the list, its iovs and their buffers.
    pub(crate) unsafe fn new(list: *mut d_sg_list_t) -> Result<SgList> {
        // SAFETY: valid for reads by the contract, if it is there.
        let Some(sgl) = (unsafe { list.as_ref() }) else { return Err(null("scatter-gather list")) };
        if sgl.sg_nr > 0 && sgl.sg_iovs.is_null() {
            return Err(null("sg_iovs"));
        }
        let checked = SgList(list);
        if checked.iovs().any(|iov| iov.iov_buf.is_null() && iov.iov_buf_len > 0) {
            return Err(null("iov_buf of a length other than 0"));
        }
        Ok(checked)
    }

    fn iovs(self) -> impl Iterator<Item = d_iov_t> {
        // SAFETY: checked in `new`, valid by its contract.
        let list = unsafe { self.0.read_unaligned() };
        // SAFETY: as above.
        (0..list.sg_nr as usize).map(move |index| unsafe { list.sg_iovs.add(index).read_unaligned() })
    }

    /// The buffers.
    pub(crate) fn memory(self, length: Length) -> UserMemory {
        let told = match length {
            Length::Told => true,
            Length::Filled => self.iovs().any(|iov| iov.iov_len > 0),
            Length::Room => false,
        };
        let parts = self.iovs().map(|iov| (iov.iov_buf.cast::<u8>(), if told { iov.iov_len } else { iov.iov_buf_len }));
        // SAFETY: the buffers are valid by the contract of `new`, until the operation completes.
        unsafe { UserMemory::new(parts) }
    }

    /// Tells the caller how much of the buffers holds data: `bytes` from the first on.
    pub(crate) fn set_filled(self, bytes: u64) {
        // SAFETY: checked in `new`, valid by its contract.
        let list = unsafe { self.0.read_unaligned() };
        let (mut left, mut used) = (bytes, 0);
        for index in 0..list.sg_nr as usize {
            // SAFETY: as above; the caller lets us change the iovs.
            let iov = unsafe { &mut *list.sg_iovs.add(index) };
            let filled = left.min(iov.iov_buf_len as u64);
            iov.iov_len = filled as usize;
            left -= filled;
            if filled > 0 {
                used = index as u32 + 1;
            }
        }
        // SAFETY: as above.
        unsafe { (*self.0).sg_nr_out = used };
    }

    /// The buffers, each for itself.
    pub(crate) fn buffers(self) -> Vec<UserMemory> {
        // SAFETY: the buffers are valid by the contract of `new`, until the operation completes.
        self.iovs().map(|iov| unsafe { UserMemory::new([(iov.iov_buf.cast::<u8>(), iov.iov_buf_len)]) }).collect()
    }

    /// Tells the caller how much of each buffer holds data.
    pub(crate) fn set_lengths(self, lengths: impl Iterator<Item = u64>) {
        // SAFETY: checked in `new`, valid by its contract.
        let list = unsafe { self.0.read_unaligned() };
        let mut used = 0;
        for (index, length) in lengths.take(list.sg_nr as usize).enumerate() {
            // SAFETY: as above; the caller lets us change the iovs.
            unsafe { (*list.sg_iovs.add(index)).iov_len = length as usize };
            if length > 0 {
                used = index as u32 + 1;
            }
        }
        self.set_used(used);
    }

    /// Checks that there are `count` buffers, each with room for a `double`.
    ///
    /// # Errors
    /// `INVAL`.
    pub(crate) fn check_numbers(self, count: usize) -> Result<()> {
        let wide = self.iovs().all(|iov| !iov.iov_buf.is_null() && iov.iov_buf_len >= size_of::<f64>());
        if self.iovs().count() != count || !wide {
            return Err(Der::INVAL.err(format!("results of {count} aggregations need as many buffers of 8 bytes")));
        }
        Ok(())
    }

    /// Puts a `double` into each buffer; they were checked by [`SgList::check_numbers`].
    pub(crate) fn set_numbers(self, numbers: &[f64]) {
        for (iov, number) in self.iovs().zip(numbers) {
            // SAFETY: the buffer has room for it.
            unsafe { iov.iov_buf.cast::<f64>().write_unaligned(*number) };
        }
        self.set_lengths(numbers.iter().map(|_| size_of::<f64>() as u64));
    }

    /// Tells how many of the iovs are used, leaving their lengths.
    pub(crate) fn set_used(self, iovs: u32) {
        // SAFETY: checked in `new`, valid by its contract.
        unsafe { (*self.0).sg_nr_out = iovs };
    }
}

/// Hands a global handle to the caller: without a buffer its size, else the bytes.
///
/// # Errors
/// `INVAL`: no iov; `TRUNC`: the buffer is too short, and `iov_buf_len` says how long it must be.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn give_global(glob: *mut d_iov_t, bytes: &[u8]) -> Result<()> {
    // SAFETY: valid for reads and writes by the contract, if it is there.
    let Some(glob) = (unsafe { glob.as_mut() }) else { return Err(null("glob")) };
    if !glob.iov_buf.is_null() && (glob.iov_buf_len == 0 || glob.iov_buf_len < glob.iov_len) {
        return Err(Der::INVAL.err("glob: its lengths contradict each other"));
    }
    if glob.iov_buf.is_null() {
        glob.iov_buf_len = bytes.len();
        return Ok(());
    }
    if glob.iov_buf_len < bytes.len() {
        glob.iov_buf_len = bytes.len();
        return Err(Der::TRUNC.err(format!("glob: {} bytes are needed", bytes.len())));
    }
    // SAFETY: the buffer has room for that many bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), glob.iov_buf.cast(), bytes.len()) };
    glob.iov_len = bytes.len();
    Ok(())
}

/// The bytes of a global handle.
///
/// # Safety
/// The contract of this module.
pub(crate) unsafe fn take_global(glob: &d_iov_t) -> Result<Vec<u8>> {
    if glob.iov_buf.is_null() || glob.iov_len == 0 || glob.iov_buf_len < glob.iov_len {
        return Err(Der::INVAL.err("glob: no buffer, or its lengths contradict each other"));
    }
    // SAFETY: valid for that many reads by the contract.
    Ok(unsafe { elements(glob.iov_buf.cast::<u8>(), glob.iov_len) })
}

/// Memory that the caller will free with `free()`: a copy of `bytes`, and NUL bytes behind it up to `total`.
pub(crate) fn give_memory(bytes: &[u8], total: usize) -> Result<*mut c_void> {
    // SAFETY: plain allocation.
    let memory = unsafe { libc::calloc(1, total.max(bytes.len()).max(1)) };
    if memory.is_null() {
        return Err(Der::NOMEM.err(format!("{total} bytes for a result")));
    }
    // SAFETY: fresh memory of at least that size.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory.cast(), bytes.len()) };
    Ok(memory)
}

/// A C string that the caller will free with `free()`.
pub(crate) fn give_text(text: &str) -> Result<*mut c_char> {
    Ok(give_memory(text.as_bytes(), text.len() + 1)?.cast())
}

/// A text in an array of characters of a struct: cut to fit, ends with a NUL.
pub(crate) fn text_array<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    for (place, byte) in array.iter_mut().take(N.saturating_sub(1)).zip(text.bytes()) {
        *place = byte as c_char;
    }
    array
}
