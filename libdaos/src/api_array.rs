//! Arrays.

use crate::api_object::view;
use crate::c::{Length, Out, SgList, elements, give_global, take_global};
use crate::call::{Call, answer};
use crate::handles::{ARRAYS, CONTAINERS};
use daos_client::array::{Range, TYPE_ARRAY};
use daos_client::{Array, Object, object};
use daos_common::{Der, ObjectId, Result};
use daos_sys::{d_iov_t, d_sg_list_t, daos_array_iod_t, daos_array_stbuf_t, daos_event_t, daos_handle_t};
use daos_sys::{daos_obj_id_t, daos_range_t, daos_size_t};
use std::ffi::{c_int, c_uint};
use std::sync::Arc;

const GLOBAL_MAGIC: u32 = 0x3148_4144; // "DAH1"
const GLOBAL_BYTES: usize = 56;

/// The ranges of a call.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn ranges(iod: *mut daos_array_iod_t) -> Result<Vec<Range>> {
    // SAFETY: valid for reads by the contract, if it is there.
    let Some(iod) = (unsafe { iod.as_ref() }) else { return Err(crate::c::null("iod")) };
    if iod.arr_rgs.is_null() && iod.arr_nr > 0 {
        return Err(crate::c::null("arr_rgs"));
    }
    // SAFETY: the contract of this function.
    let ranges: Vec<daos_range_t> = unsafe { elements(iod.arr_rgs, iod.arr_nr as usize) };
    Ok(ranges.iter().map(|range| Range { index: range.rg_idx, cells: range.rg_len }).collect())
}

fn object(coh: daos_handle_t, oid: daos_obj_id_t, mode: u32) -> Result<Arc<Object>> {
    Object::open(&CONTAINERS.get(coh.cookie)?, ObjectId { lo: oid.lo, hi: oid.hi }, mode)
}

daos_export::export! { Der;
    fn daos_array_create(
        coh: daos_handle_t,
        oid: daos_obj_id_t,
        th: daos_handle_t,
        cell_size: daos_size_t,
        chunk_size: daos_size_t,
        oh: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(oh, "oh") }?;
            let view = view(th)?;
            let object = object(coh, oid, object::OPEN_RW)?;
            Ok(move |context| async move {
                let array = Array::create(&context, view, object, cell_size, chunk_size).await?;
                place.set(daos_handle_t { cookie: ARRAYS.insert(array)? });
                Ok(())
            })
        })
    }

    fn daos_array_open(
        coh: daos_handle_t,
        oid: daos_obj_id_t,
        th: daos_handle_t,
        mode: c_uint,
        cell_size: *mut daos_size_t,
        chunk_size: *mut daos_size_t,
        oh: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (place, cell) = unsafe { (Out::required(oh, "oh")?, Out::required(cell_size, "cell_size")?) };
            // SAFETY: the contract of `c`.
            let chunk = unsafe { Out::required(chunk_size, "chunk_size") }?;
            let (object, view) = (object(coh, oid, mode)?, view(th)?);
            Ok(move |context| async move {
                let array = Array::open(&context, view, object).await?;
                cell.set(array.cell_bytes());
                chunk.set(array.chunk_cells());
                place.set(daos_handle_t { cookie: ARRAYS.insert(array)? });
                Ok(())
            })
        })
    }

    fn daos_array_open_with_attr(
        coh: daos_handle_t,
        oid: daos_obj_id_t,
        _th: daos_handle_t,
        mode: c_uint,
        cell_size: daos_size_t,
        chunk_size: daos_size_t,
        oh: *mut daos_handle_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, call) = unsafe { (Out::required(oh, "oh"), Call::on(ev)) };
        call.finish(|| {
            let place = place?;
            let object = object(coh, oid, mode)?;
            if object.oid().type_byte() == TYPE_ARRAY {
                return Err(Der::INVAL.err("an array that keeps its attributes is opened with daos_array_open"));
            }
            let array = Array::with_attributes(object, cell_size, chunk_size)?;
            place.set(daos_handle_t { cookie: ARRAYS.insert(array)? });
            Ok(())
        })
    }

    fn daos_array_close(oh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| ARRAYS.remove(oh.cookie).map(drop))
    }

    fn daos_array_destroy(oh: daos_handle_t, th: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move { array.object().punch(&context, view, 0).await })
        })
    }

    fn daos_array_read(
        oh: daos_handle_t,
        th: daos_handle_t,
        iod: *mut daos_array_iod_t,
        sgl: *mut d_sg_list_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (ranges, list) = unsafe { (ranges(iod)?, SgList::new(sgl)?) };
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(iod, "iod") }?;
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            let memory = list.memory(Length::Told);
            Ok(move |context| async move {
                let count = array.read(&context, view, &ranges, &memory).await?;
                place.set(daos_array_iod_t {
                    arr_nr_short_read: count.short,
                    arr_nr_read: count.read,
                    ..place.get()
                });
                Ok(())
            })
        })
    }

    fn daos_array_write(
        oh: daos_handle_t,
        th: daos_handle_t,
        iod: *mut daos_array_iod_t,
        sgl: *mut d_sg_list_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (ranges, list) = unsafe { (ranges(iod)?, SgList::new(sgl)?) };
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            let memory = list.memory(Length::Told);
            Ok(move |context| async move { array.write(&context, view, &ranges, &memory).await })
        })
    }

    fn daos_array_punch(
        oh: daos_handle_t,
        th: daos_handle_t,
        iod: *mut daos_array_iod_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let ranges = unsafe { ranges(iod) }?;
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move { array.punch(&context, view, &ranges).await })
        })
    }

    fn daos_array_get_size(
        oh: daos_handle_t,
        th: daos_handle_t,
        size: *mut daos_size_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(size, "size") }?;
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move {
                place.set(array.size(&context, view).await?);
                Ok(())
            })
        })
    }

    fn daos_array_stat(
        oh: daos_handle_t,
        th: daos_handle_t,
        stbuf: *mut daos_array_stbuf_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(stbuf, "stbuf") }?;
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move {
                let stat = array.stat(&context, view).await?;
                place.set(daos_array_stbuf_t { st_size: stat.size, st_max_epoch: stat.max_epoch });
                Ok(())
            })
        })
    }

    fn daos_array_set_size(
        oh: daos_handle_t,
        th: daos_handle_t,
        size: daos_size_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let (array, view) = (ARRAYS.get(oh.cookie)?, view(th)?);
            Ok(move |context| async move { array.set_size(&context, view, size).await })
        })
    }

    fn daos_array_get_attr(oh: daos_handle_t, chunk_size: *mut daos_size_t, cell_size: *mut daos_size_t) -> c_int {
        // SAFETY: the contract of `c`.
        let places = unsafe { (Out::required(chunk_size, "chunk_size"), Out::required(cell_size, "cell_size")) };
        answer((|| {
            let (chunk, cell, array) = (places.0?, places.1?, ARRAYS.get(oh.cookie)?);
            chunk.set(array.chunk_cells());
            cell.set(array.cell_bytes());
            Ok(())
        })())
    }

    fn daos_array_update_chunk_size(oh: daos_handle_t, chunk_size: daos_size_t) -> c_int {
        answer(ARRAYS.get(oh.cookie).and_then(|array| {
            if chunk_size == 0 {
                return Err(Der::INVAL.err("a chunk of 0 cells"));
            }
            array.set_chunk_cells(chunk_size);
            Ok(())
        }))
    }

    fn daos_array_local2global(oh: daos_handle_t, glob: *mut d_iov_t) -> c_int {
        answer(ARRAYS.get(oh.cookie).and_then(|array| {
            // SAFETY: the contract of `c`.
            unsafe { give_global(glob, &to_global(&array)) }
        }))
    }

    fn daos_array_global2local(coh: daos_handle_t, glob: d_iov_t, mode: c_uint, oh: *mut daos_handle_t) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, bytes) = unsafe { (Out::required(oh, "oh"), take_global(&glob)) };
        answer((|| {
            let (place, container) = (place?, CONTAINERS.get(coh.cookie)?);
            let array = from_global(&container, &bytes?, mode)?;
            place.set(daos_handle_t { cookie: ARRAYS.insert(array)? });
            Ok(())
        })())
    }
}

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic |
/// | 4 | 4 | mode |
/// | 8 | 16 | object id: lo, hi |
/// | 24 | 8 | cell size |
/// | 32 | 8 | chunk size |
/// | 40 | 16 | UUID of the container |
fn to_global(array: &Array) -> [u8; GLOBAL_BYTES] {
    let (object, mut bytes) = (array.object(), [0; GLOBAL_BYTES]);
    bytes[0..4].copy_from_slice(&GLOBAL_MAGIC.to_le_bytes());
    bytes[4..8].copy_from_slice(&object.mode().to_le_bytes());
    bytes[8..16].copy_from_slice(&object.oid().lo.to_le_bytes());
    bytes[16..24].copy_from_slice(&object.oid().hi.to_le_bytes());
    bytes[24..32].copy_from_slice(&array.cell_bytes().to_le_bytes());
    bytes[32..40].copy_from_slice(&array.chunk_cells().to_le_bytes());
    bytes[40..56].copy_from_slice(object.container().uuid().as_bytes());
    bytes
}

fn from_global(container: &Arc<daos_client::Container>, bytes: &[u8], mode: u32) -> Result<Arc<Array>> {
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    if bytes.len() != GLOBAL_BYTES || word(0) as u32 != GLOBAL_MAGIC {
        return Err(Der::INVAL.err("not a global handle of an array"));
    }
    if bytes[40..56] != *container.uuid().as_bytes() {
        return Err(Der::INVAL.err(format!("global handle of an array outside container {}", container.uuid())));
    }
    let mode = if mode == 0 { (word(0) >> 32) as u32 } else { mode };
    let object = Object::open(container, ObjectId { lo: word(8), hi: word(16) }, mode)?;
    Array::with_attributes(object, word(24), word(32))
}
