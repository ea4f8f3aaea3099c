//! Scatter-gather lists: copies, sizes, walks.

use crate::iov::{allocate, append, data};
use crate::{der, memory};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_iov_t, d_sg_list_t, daos_sgl_idx};
use libc::{c_int, c_void, size_t};
use std::ptr;

/// The vectors of a list.
///
/// # Safety
/// A list whose array has its number of vectors.
unsafe fn vectors<'a>(sgl: *const d_sg_list_t) -> &'a [d_iov_t] {
    // SAFETY: as the caller says.
    unsafe {
        match sgl.as_ref() {
            Some(sgl) if !sgl.sg_iovs.is_null() => std::slice::from_raw_parts(sgl.sg_iovs, sgl.sg_nr as usize),
            _ => &[],
        }
    }
}

/// # Safety
/// As [`vectors`], and nobody else uses the list.
unsafe fn vectors_mut<'a>(sgl: *mut d_sg_list_t) -> &'a mut [d_iov_t] {
    // SAFETY: as the caller says.
    unsafe {
        match sgl.as_ref() {
            Some(sgl) if !sgl.sg_iovs.is_null() => std::slice::from_raw_parts_mut(sgl.sg_iovs, sgl.sg_nr as usize),
            _ => &mut [],
        }
    }
}

/// What a copy takes along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    /// Fresh vectors that point at the source's buffers.
    Pointers,
    /// Fresh vectors with empty buffers of the same sizes.
    Room,
    /// Fresh vectors and buffers with the data.
    Everything,
    /// The data, into buffers that are there.
    Data,
    /// The data of the vectors that hold output, into buffers that are there.
    Output,
}

/// # Safety
/// Lists of the caller's.
unsafe fn copy(to: *mut d_sg_list_t, from: *const d_sg_list_t, take: Take) -> Result<(), Der> {
    // SAFETY: as the caller says.
    unsafe {
        let (Some(target), Some(source)) = (to.as_mut(), from.as_ref()) else { return Err(Der::INVAL) };
        let all = vectors(from);
        let count = if take == Take::Output { (source.sg_nr_out as usize).min(all.len()) } else { all.len() };
        if take == Take::Output {
            target.sg_nr_out = source.sg_nr_out;
        }
        if count == 0 {
            return Ok(());
        }
        if matches!(take, Take::Pointers | Take::Room | Take::Everything) {
            // So that what a failure leaves can be freed.
            *target = d_sg_list_t::default();
            let fresh: *mut d_iov_t = memory::zeroed_array(all.len());
            if fresh.is_null() {
                return Err(Der::NOMEM);
            }
            *target = d_sg_list_t { sg_nr: all.len() as u32, sg_nr_out: 0, sg_iovs: fresh };
            for (iov, like) in vectors_mut(to).iter_mut().zip(all) {
                if take == Take::Pointers {
                    *iov = *like;
                } else if like.iov_buf_len > 0 {
                    allocate(iov, like.iov_buf_len, false)?;
                }
            }
        }
        if matches!(take, Take::Pointers | Take::Room) {
            return Ok(());
        }
        if all.len() > vectors(to).len() {
            return Err(Der::INVAL);
        }
        for (iov, like) in vectors_mut(to).iter_mut().zip(&all[..count]).filter(|(_, like)| like.iov_len > 0) {
            iov.iov_len = 0;
            append(iov, data(like)).map_err(|_| Der::INVAL)?;
        }
        Ok(())
    }
}

/// Frees what a copy that failed has made.
///
/// # Safety
/// A list that [`copy`] has made.
unsafe fn discard(sgl: *mut d_sg_list_t, take: Take) {
    // SAFETY: as the caller says.
    unsafe {
        if take != Take::Pointers {
            vectors(sgl).iter().for_each(|iov| memory::free(iov.iov_buf));
        }
        memory::free((*sgl).sg_iovs);
        sgl.write(d_sg_list_t::default());
    }
}

/// # Safety
/// Arrays of the caller's lists.
unsafe fn copy_all(to: *mut d_sg_list_t, to_nr: c_int, from: *const d_sg_list_t, from_nr: c_int, take: Take) -> c_int {
    let (Ok(count), true) = (usize::try_from(from_nr), from_nr <= to_nr) else { return der(Der::INVAL) };
    for at in 0..count {
        // SAFETY: as the caller says.
        unsafe {
            if let Err(code) = copy(to.add(at), from.add(at), take) {
                if !to.is_null() && !matches!(take, Take::Data | Take::Output) {
                    // A list without vectors has no copy.
                    (0..=at)
                        .filter(|made| !vectors(from.add(*made)).is_empty())
                        .for_each(|made| discard(to.add(made), take));
                }
                return der(code);
            }
        }
    }
    0
}

/// # Safety
/// As [`vectors`].
unsafe fn room(sgl: *const d_sg_list_t) -> u64 {
    // SAFETY: as the caller says.
    unsafe { vectors(sgl) }.iter().map(|iov| iov.iov_buf_len as u64).sum()
}

/// The bytes at an index, at most `wanted`, and whether the list ends with them; moves the index.
///
/// # Safety
/// As [`vectors`].
unsafe fn next(
    sgl: *const d_sg_list_t,
    buffers: bool,
    index: &mut daos_sgl_idx,
    wanted: usize,
) -> (*mut u8, usize, bool) {
    // SAFETY: as the caller says.
    let all = unsafe { vectors(sgl) };
    let Some(iov) = all.get(index.iov_idx as usize) else { return (ptr::null_mut(), 0, true) };
    let length = if buffers { iov.iov_buf_len } else { iov.iov_len };
    let offset = (index.iov_offset as usize).min(length);
    let taken = wanted.min(length - offset);
    index.iov_offset = (offset + taken) as u64;
    if offset + taken == length {
        index.iov_idx += 1;
        index.iov_offset = 0;
    }
    let at = iov.iov_buf.cast::<u8>().wrapping_add(offset);
    (at, taken, index.iov_idx as usize == all.len())
}

export! { Der;
    fn daos_sgls_copy_ptr(dst: *mut d_sg_list_t, dst_nr: c_int, src: *mut d_sg_list_t, src_nr: c_int) -> c_int {
        // SAFETY: arrays of the caller's.
        unsafe { copy_all(dst, dst_nr, src, src_nr, Take::Pointers) }
    }

    fn daos_sgls_copy_data_out(dst: *mut d_sg_list_t, dst_nr: c_int, src: *mut d_sg_list_t, src_nr: c_int) -> c_int {
        // SAFETY: arrays of the caller's.
        unsafe { copy_all(dst, dst_nr, src, src_nr, Take::Output) }
    }

    fn daos_sgls_copy_all(dst: *mut d_sg_list_t, dst_nr: c_int, src: *mut d_sg_list_t, src_nr: c_int) -> c_int {
        // SAFETY: arrays of the caller's.
        unsafe { copy_all(dst, dst_nr, src, src_nr, Take::Everything) }
    }

    fn daos_sgls_alloc(dst: *mut d_sg_list_t, src: *mut d_sg_list_t, nr: c_int) -> c_int {
        // SAFETY: arrays of the caller's.
        unsafe { copy_all(dst, nr, src, nr, Take::Room) }
    }

    fn daos_sgl_copy_data_out(dst: *mut d_sg_list_t, src: *mut d_sg_list_t) -> c_int {
        // SAFETY: lists of the caller's.
        unsafe { copy_all(dst, 1, src, 1, Take::Output) }
    }

    fn daos_sgl_copy_data(dst: *mut d_sg_list_t, src: *mut d_sg_list_t) -> c_int {
        // SAFETY: lists of the caller's.
        unsafe { copy_all(dst, 1, src, 1, Take::Data) }
    }

    fn daos_sgl_alloc_copy_data(dst: *mut d_sg_list_t, src: *mut d_sg_list_t) -> c_int {
        // SAFETY: lists of the caller's.
        unsafe { copy_all(dst, 1, src, 1, Take::Everything) }
    }

    fn daos_sgl_merge(dst: *mut d_sg_list_t, src: *mut d_sg_list_t) -> c_int {
        // SAFETY: lists of the caller's; the target's vectors are the C heap's.
        unsafe {
            let Some(target) = dst.as_mut().filter(|_| !src.is_null()) else { return der(Der::INVAL) };
            let (before, more) = (target.sg_nr as usize, vectors(src));
            if more.is_empty() {
                return 0;
            }
            let grown = libc::realloc(target.sg_iovs.cast::<c_void>(), (before + more.len()) * size_of::<d_iov_t>());
            if grown.is_null() {
                return der(Der::NOMEM);
            }
            target.sg_iovs = grown.cast();
            for (at, iov) in more.iter().enumerate() {
                let mut copy = d_iov_t::default();
                let copied = allocate(&mut copy, iov.iov_buf_len, false).and_then(|()| append(&mut copy, data(iov)));
                if let Err(code) = copied {
                    memory::free(copy.iov_buf);
                    return der(code);
                }
                target.sg_iovs.add(before + at).write(copy);
                target.sg_nr += 1;
            }
        }
        0
    }

    fn daos_sgl_data_len(sgl: *mut d_sg_list_t, out: bool) -> u64 {
        // SAFETY: NULL or a list of the caller's.
        unsafe {
            let Some(list) = sgl.as_ref() else { return 0 };
            let count = if out { list.sg_nr_out } else { list.sg_nr } as usize;
            vectors(sgl).iter().take(count).map(|iov| iov.iov_len as u64).sum()
        }
    }

    fn daos_sgl_buf_size(sgl: *mut d_sg_list_t) -> u64 {
        // SAFETY: NULL or a list of the caller's.
        unsafe { room(sgl) }
    }

    fn daos_sgls_buf_size(sgls: *mut d_sg_list_t, nr: c_int) -> u64 {
        let count = if sgls.is_null() { 0 } else { usize::try_from(nr).unwrap_or(0) };
        // SAFETY: an array of the caller's.
        (0..count).map(|at| unsafe { room(sgls.add(at)) }).sum()
    }

    fn daos_sgls_packed_size(sgls: *mut d_sg_list_t, nr: c_int, buf_size: *mut u64) -> u64 {
        let count = if sgls.is_null() { 0 } else { usize::try_from(nr).unwrap_or(0) };
        // SAFETY: an array of the caller's; NULL or writable.
        unsafe {
            let buffers: u64 = (0..count).map(|at| room(sgls.add(at))).sum();
            if !buf_size.is_null() {
                buf_size.write(buffers);
            }
            // Per list two counts of 4 bytes, per vector two lengths of 8.
            (0..count).fold(buffers, |size, at| size + 8 + vectors(sgls.add(at)).len() as u64 * 16)
        }
    }

    fn daos_sgl_buf_extend(sgl: *mut d_sg_list_t, idx: c_int, new_size: size_t) -> c_int {
        // SAFETY: NULL or a list of the caller's with buffers of the C heap.
        unsafe {
            if sgl.is_null() || (*sgl).sg_iovs.is_null() {
                return 0;
            }
            let iov = usize::try_from(idx).ok().and_then(|at| vectors_mut(sgl).get_mut(at));
            let Some(iov) = iov else { return der(Der::INVAL) };
            if iov.iov_buf_len >= new_size {
                return 0;
            }
            let grown = libc::realloc(iov.iov_buf, new_size);
            if grown.is_null() {
                return der(Der::NOMEM);
            }
            ptr::write_bytes(grown.cast::<u8>().add(iov.iov_buf_len), 0, new_size - iov.iov_buf_len);
            iov.iov_buf = grown;
            iov.iov_buf_len = new_size;
        }
        0
    }

    fn daos_sgl_get_bytes(
        sgl: *mut d_sg_list_t,
        check_buf: bool,
        idx: *mut daos_sgl_idx,
        buf_len_req: size_t,
        p_buf: *mut *mut u8,
        p_buf_len: *mut size_t,
    ) -> bool {
        // SAFETY: a list and an index of the caller's; out pointers are NULL or writable.
        unsafe {
            let Some(index) = idx.as_mut() else { return true };
            let (at, taken, end) = next(sgl, check_buf, index, buf_len_req);
            if !p_buf.is_null() {
                p_buf.write(at);
            }
            if !p_buf_len.is_null() {
                p_buf_len.write(taken);
            }
            end
        }
    }

    fn daos_sgl_processor(
        sgl: *mut d_sg_list_t,
        check_buf: bool,
        idx: *mut daos_sgl_idx,
        requested_bytes: size_t,
        process_cb: sys::daos_sgl_process_cb,
        cb_args: *mut c_void,
    ) -> c_int {
        // SAFETY: a list, an index and a callback of the caller's.
        unsafe {
            let Some(index) = idx.as_mut() else { return der(Der::INVAL) };
            let mut left = requested_bytes;
            let (mut end, mut answer) = (false, 0);
            while left > 0 && !end && answer == 0 {
                let (at, taken, last) = next(sgl, check_buf, index, left);
                left -= taken;
                end = last;
                if let (Some(process), false) = (process_cb, at.is_null()) {
                    answer = process(at, taken, cb_args);
                }
            }
            answer
        }
    }
}
