//! The few functions of Debian's libpmem (1.12) that the arena needs, as `libpmem(7)` describes them.

use std::ffi::{c_char, c_int, c_void};

unsafe extern "C" {
    /// Maps a whole file; `len` 0 and `flags` 0 for one that exists. Null and `errno` on failure.
    pub(super) fn pmem_map_file(
        path: *const c_char,
        len: usize,
        flags: c_int,
        mode: libc::mode_t,
        mapped_len: *mut usize,
        is_pmem: *mut c_int,
    ) -> *mut c_void;
    /// Undoes `pmem_map_file`.
    pub(super) fn pmem_unmap(addr: *mut c_void, len: usize) -> c_int;
    /// Starts flushing a range of persistent memory.
    pub(super) fn pmem_flush(addr: *const c_void, len: usize);
    /// Waits for the flushes.
    pub(super) fn pmem_drain();
    /// Flushes a range of any mapping; for files that are not persistent memory.
    pub(super) fn pmem_msync(addr: *const c_void, len: usize) -> c_int;
    /// The last failure of this thread, as text.
    pub(super) fn pmem_errormsg() -> *const c_char;
}
