//! I/O vectors and extents.

use crate::{der, memory};
use daos_common::Der;
use daos_export::export;
use daos_sys::{d_iov_t, daos_recx_t};
use libc::{c_int, c_void};

/// A vector's data.
///
/// # Safety
/// A vector whose buffer has its length of bytes.
pub(crate) unsafe fn data<'a>(iov: &d_iov_t) -> &'a [u8] {
    // SAFETY: as the caller says.
    unsafe { memory::bytes(iov.iov_buf, iov.iov_len) }
}

/// A fresh buffer of `size` bytes for a vector.
pub(crate) fn allocate(iov: &mut d_iov_t, size: usize, full: bool) -> Result<(), Der> {
    *iov = d_iov_t::default();
    let buffer: *mut u8 = memory::zeroed_array(size);
    if buffer.is_null() {
        return Err(Der::NOMEM);
    }
    *iov = d_iov_t { iov_buf: buffer.cast(), iov_buf_len: size, iov_len: if full { size } else { 0 } };
    Ok(())
}

/// Puts bytes behind a vector's data.
///
/// # Safety
/// A vector whose buffer has its room.
pub(crate) unsafe fn append(iov: &mut d_iov_t, bytes: &[u8]) -> Result<(), Der> {
    if bytes.len() > iov.iov_buf_len.saturating_sub(iov.iov_len) {
        return Err(Der::OVERFLOW);
    }
    // SAFETY: there is room; the caller's bytes lie elsewhere.
    unsafe { std::ptr::copy(bytes.as_ptr(), iov.iov_buf.cast::<u8>().add(iov.iov_len), bytes.len()) };
    iov.iov_len += bytes.len();
    Ok(())
}

export! { Der;
    fn daos_iov_alloc(iov: *mut d_iov_t, size: u64, set_full: bool) -> c_int {
        // SAFETY: NULL or a vector of the caller's.
        match unsafe { iov.as_mut() } {
            Some(iov) if size > 0 => allocate(iov, size as usize, set_full).map_or_else(der, |()| 0),
            _ => der(Der::INVAL),
        }
    }

    fn daos_iov_free(iov: *mut d_iov_t) {
        // SAFETY: NULL or a vector of the caller's with a buffer of the C heap.
        if let Some(iov) = unsafe { iov.as_mut() } {
            // SAFETY: as above.
            unsafe { memory::free(iov.iov_buf) };
            *iov = d_iov_t::default();
        }
    }

    fn daos_iov_copy(dst: *mut d_iov_t, src: *mut d_iov_t) -> c_int {
        // SAFETY: vectors of the caller's.
        unsafe {
            let Some(from) = src.as_ref().filter(|from| !from.iov_buf.is_null()) else { return 0 };
            let Some(to) = dst.as_mut() else { return der(Der::INVAL) };
            if from.iov_len > from.iov_buf_len {
                return der(Der::INVAL);
            }
            allocate(to, from.iov_buf_len, false).and_then(|()| append(to, data(from))).map_or_else(der, |()| 0)
        }
    }

    fn daos_iov_cmp(iov1: *mut d_iov_t, iov2: *mut d_iov_t) -> bool {
        // SAFETY: vectors of the caller's.
        unsafe {
            match (iov1.as_ref(), iov2.as_ref()) {
                (Some(one), Some(other)) => data(one) == data(other),
                _ => false,
            }
        }
    }

    fn daos_iov_append(iov: *mut d_iov_t, buf: *mut c_void, buf_len: u64) {
        // SAFETY: a vector and bytes of the caller's. What doesn't fit is a mistake of the caller's: nothing is written.
        unsafe {
            if let Some(iov) = iov.as_mut() {
                let _ = append(iov, memory::bytes(buf, buf_len as usize));
            }
        }
    }

    fn daos_recx_alloc(nr: u32) -> *mut daos_recx_t {
        memory::zeroed_array(nr as usize)
    }

    fn daos_recx_free(recx: *mut daos_recx_t) {
        // SAFETY: extents that the caller gives up.
        unsafe { memory::free(recx) };
    }
}
