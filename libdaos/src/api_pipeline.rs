//! Pipelines: building them from C's structures, checking and running them.

use crate::akeys::{Direction, take_iod};
use crate::anchor;
use crate::api_object::view;
use crate::c::{Out, OutArray, SgList, elements, key, null};
use crate::call::{Call, answer};
use crate::handles::{CONTAINERS, OBJECTS};
use daos_client::pipeline::{Packer, PipelineFound, PipelineRun};
use daos_common::pipeline::{DataType, Filter, FilterKind, PIPELINE_VERSION, Part, PartKind, Pipeline, Program};
use daos_common::{Der, Result};
use daos_sys::{DAOS_ANCHOR_TYPE_ZERO, d_iov_t, d_sg_list_t, daos_anchor_t, daos_event_t, daos_filter_part_t};
use daos_sys::{daos_filter_t, daos_handle_t, daos_iod_t, daos_key_desc_t, daos_key_t, daos_pipeline_stats_t};
use daos_sys::{daos_pipeline_t, daos_size_t};
use std::ffi::c_int;

/// `kd_val_type` of a dkey (`OBJ_ITER_DKEY`).
const KEY_TYPE_DKEY: u32 = 2;
/// Filters of a pipeline, parts of a filter, constants of a part: more are a mistake, or a length that is none.
const COUNT_MAX: usize = 1 << 16;

/// Bytes of an iov; absent is none.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn bytes(iov: &d_iov_t) -> Vec<u8> {
    // SAFETY: valid for `iov_len` reads by the contract.
    unsafe { elements(iov.iov_buf.cast::<u8>(), iov.iov_len) }
}

/// The elements of an array of pointers, none of which may be NULL.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn pointers<T>(base: *const *mut T, count: usize, name: &str) -> Result<Vec<*mut T>> {
    if count > COUNT_MAX {
        return Err(Der::INVAL.err(format!("{count} {name}")));
    }
    if base.is_null() && count > 0 {
        return Err(null(name));
    }
    // SAFETY: the contract of this function.
    let pointers: Vec<*mut T> = unsafe { elements(base, count) };
    match pointers.iter().any(|pointer| pointer.is_null()) {
        true => Err(null(name)),
        false => Ok(pointers),
    }
}

fn unknown(what: &str, name: &[u8]) -> daos_common::Error {
    let shown: Vec<u8> = name.iter().copied().take(64).collect();
    Der::NOSYS.err(format!("unknown {what} \"{}\"", String::from_utf8_lossy(&shown)))
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn take_part(part: *const daos_filter_part_t) -> Result<Part> {
    // SAFETY: checked for NULL by `pointers`, valid by the contract.
    let part = unsafe { part.read_unaligned() };
    // SAFETY: the contract of this function.
    let (kind, data_type) = unsafe { (bytes(&part.part_type), bytes(&part.data_type)) };
    let kind = PartKind::from_name(&kind).ok_or_else(|| unknown("filter part", &kind))?;
    let data_type = match data_type.as_slice() {
        [] => None,
        name => Some(DataType::from_name(name).ok_or_else(|| unknown("data type", name))?),
    };
    let (mut akey, mut constants) = (Vec::new(), Vec::new());
    if kind == PartKind::Akey {
        // SAFETY: the contract of this function.
        akey = unsafe { bytes(&part.akey) };
    }
    if kind == PartKind::Const {
        if part.num_constants > COUNT_MAX || (part.num_constants > 0 && part.constant.is_null()) {
            return Err(Der::INVAL.err(format!("{} constants", part.num_constants)));
        }
        // SAFETY: the contract of this function.
        let iovs: Vec<d_iov_t> = unsafe { elements(part.constant, part.num_constants) };
        // SAFETY: the contract of this function.
        constants = iovs.iter().map(|iov| unsafe { bytes(iov) }).collect();
    }
    let (offset, len) = (part.data_offset as u64, part.data_len as u64);
    Ok(Part { kind, data_type, operands: part.num_operands, akey, constants, offset, len })
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn take_filters(base: *const *mut daos_filter_t, count: u32) -> Result<Vec<Filter>> {
    // SAFETY: the contract of this function.
    let filters = unsafe { pointers(base, count as usize, "filters") }?;
    let take = |filter: *mut daos_filter_t| {
        // SAFETY: checked for NULL, valid by the contract.
        let filter = unsafe { filter.read_unaligned() };
        // SAFETY: the contract of this function.
        let name = unsafe { bytes(&filter.filter_type) };
        let kind = FilterKind::from_name(&name).ok_or_else(|| Der::INVAL.err("unknown type of filter"))?;
        // SAFETY: the contract of this function.
        let parts = unsafe { pointers(filter.parts, filter.num_parts as usize, "parts") }?;
        // SAFETY: as above.
        let parts = parts.into_iter().map(|part| unsafe { take_part(part) }).collect::<Result<Vec<_>>>()?;
        Ok(Filter { kind, parts })
    };
    filters.into_iter().map(take).collect()
}

/// Takes in a pipeline and checks it.
///
/// # Errors
/// `INVAL`: NULLs, or parts that make no sense together; `NOSYS`: a type that does not exist.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn take_pipeline(pipeline: *const daos_pipeline_t) -> Result<Pipeline> {
    if pipeline.is_null() {
        return Err(null("pipeline"));
    }
    // SAFETY: valid by the contract.
    let given = unsafe { pipeline.read_unaligned() };
    // SAFETY: the contract of this function.
    let conditions = unsafe { take_filters(given.filters, given.num_filters) }?;
    // SAFETY: the contract of this function.
    let aggregations = unsafe { take_filters(given.aggr_filters, given.num_aggr_filters) }?;
    let pipeline = Pipeline { conditions, aggregations };
    Program::new(&pipeline)?;
    Ok(pipeline)
}

/// Appends a pointer to an array of the C library's.
///
/// # Safety
/// `array` is NULL or from `realloc`, with `count` elements.
unsafe fn append<T>(array: &mut *mut *mut T, count: &mut u32, element: *mut T) -> Result<()> {
    let room = (*count as usize).checked_add(1).and_then(|room| room.checked_mul(size_of::<*mut T>()));
    let room = room.ok_or_else(|| Der::INVAL.err("too many elements"))?;
    // SAFETY: the contract of this function.
    let grown: *mut *mut T = unsafe { libc::realloc(array.cast(), room) }.cast();
    if grown.is_null() {
        return Err(Der::NOMEM.err(format!("{room} bytes for a filter")));
    }
    // SAFETY: the new array has room for one more.
    unsafe { grown.add(*count as usize).write(element) };
    *array = grown;
    *count += 1;
    Ok(())
}

/// Frees the arrays of parts, then the array of filters.
///
/// # Safety
/// The contract of [`crate::c`]; the arrays are from [`append`].
unsafe fn free_filters(filters: &mut *mut *mut daos_filter_t, count: &mut u32) -> Result<()> {
    // SAFETY: the contract of this function.
    for filter in unsafe { pointers(*filters, *count as usize, "filters") }? {
        // SAFETY: checked for NULL, valid by the contract.
        let filter = unsafe { &mut *filter };
        // SAFETY: the array is from `realloc`; a filter that stands here twice has none any more.
        unsafe { libc::free(filter.parts.cast()) };
        (filter.parts, filter.num_parts) = (std::ptr::null_mut(), 0);
    }
    // SAFETY: as above.
    unsafe { libc::free(filters.cast()) };
    (*filters, *count) = (std::ptr::null_mut(), 0);
    Ok(())
}

const EMPTY: daos_pipeline_t = daos_pipeline_t {
    version: PIPELINE_VERSION,
    num_filters: 0,
    filters: std::ptr::null_mut(),
    num_aggr_filters: 0,
    aggr_filters: std::ptr::null_mut(),
};

/// Where the results of a run go.
struct Places {
    iods: *mut daos_iod_t,
    c_iods: Vec<daos_iod_t>,
    iods_count: Option<Out<u32>>,
    anchor: Out<daos_anchor_t>,
    records: Option<Out<u32>>,
    descriptors: OutArray<daos_key_desc_t>,
    keys: Option<SgList>,
    values: Option<SgList>,
    sizes: OutArray<daos_size_t>,
    aggregates: Option<SgList>,
    statistics: Option<Out<daos_pipeline_stats_t>>,
    one_dkey: bool,
    first_call: bool,
}

impl Places {
    /// Tells the caller what was found.
    fn give(&self, found: &PipelineFound, anchor: &daos_client::keys::Anchor, keys: &Packer, values: &Packer) {
        let columns = self.c_iods.len();
        for (row, record) in found.records.iter().enumerate() {
            let descriptor = daos_key_desc_t { kd_key_len: record.key_bytes, kd_val_type: KEY_TYPE_DKEY };
            self.descriptors.set(row, descriptor);
            let there = |size: &&u64| !self.one_dkey || **size > 0;
            for (column, size) in record.sizes.iter().filter(there).enumerate() {
                self.sizes.set(row * columns + column, *size);
            }
        }
        if let Some(list) = self.keys {
            list.set_lengths(keys.used());
        }
        if let Some(list) = self.values {
            list.set_lengths(values.used());
        }
        if let Some(records) = &self.records {
            records.set(found.records.len() as u32);
        }
        if self.one_dkey {
            self.give_akeys(found);
        }
        if let (Some(list), Some(results)) = (self.aggregates, &found.aggregates) {
            list.set_numbers(results);
        }
        if let Some(place) = &self.statistics {
            let before = if self.first_call { daos_pipeline_stats_t::default() } else { place.get() };
            place.set(daos_pipeline_stats_t {
                nr_objs: before.nr_objs,
                nr_dkeys: before.nr_dkeys.saturating_add(found.dkeys),
                nr_akeys: before.nr_akeys.saturating_add(found.akeys),
            });
        }
        self.anchor.set(anchor::give(anchor, self.anchor.get()));
    }

    /// Leaves of the descriptors those whose akeys have a value in the one record, with their sizes.
    fn give_akeys(&self, found: &PipelineFound) {
        let sizes = found.records.first().map_or(&[][..], |record| &record.sizes);
        let there = self.c_iods.iter().zip(sizes).filter(|(_, size)| **size > 0);
        let mut count = 0;
        for (iod, size) in there {
            // SAFETY: the caller's array has as many descriptors as were taken in.
            unsafe { self.iods.add(count).write_unaligned(daos_iod_t { iod_size: *size, ..*iod }) };
            count += 1;
        }
        if let Some(place) = &self.iods_count {
            place.set(count as u32);
        }
    }
}

daos_export::export! { Der;
    fn daos_pipeline_init(pipeline: *mut daos_pipeline_t) {
        // SAFETY: the contract of `c`.
        if let Some(place) = unsafe { Out::optional(pipeline) } {
            place.set(EMPTY);
        }
    }

    fn daos_filter_init(filter: *mut daos_filter_t) {
        // SAFETY: the contract of `c`.
        if let Some(place) = unsafe { Out::optional(filter) } {
            place.set(daos_filter_t::default());
        }
    }

    fn daos_pipeline_add(pipeline: *mut daos_pipeline_t, filter: *mut daos_filter_t) -> c_int {
        answer((|| {
            // SAFETY: the contract of `c`.
            let (place, given) = unsafe { (Out::required(pipeline, "pipeline")?, Out::required(filter, "filter")?) };
            // SAFETY: the contract of `c`.
            let name = unsafe { bytes(&given.get().filter_type) };
            let mut changed = place.get();
            match FilterKind::from_name(&name) {
                // SAFETY: the arrays are from here.
                Some(FilterKind::Condition) => unsafe {
                    append(&mut changed.filters, &mut changed.num_filters, filter)
                },
                // SAFETY: as above.
                Some(FilterKind::Aggregation) => unsafe {
                    append(&mut changed.aggr_filters, &mut changed.num_aggr_filters, filter)
                },
                None => Err(Der::INVAL.err("unknown type of filter")),
            }?;
            place.set(changed);
            Ok(())
        })())
    }

    fn daos_filter_add(filter: *mut daos_filter_t, part: *mut daos_filter_part_t) -> c_int {
        answer((|| {
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(filter, "filter") }?;
            if part.is_null() {
                return Err(null("part"));
            }
            let mut changed = place.get();
            // SAFETY: the array is from here.
            unsafe { append(&mut changed.parts, &mut changed.num_parts, part) }?;
            place.set(changed);
            Ok(())
        })())
    }

    fn daos_pipeline_check(pipeline: *mut daos_pipeline_t) -> c_int {
        // SAFETY: the contract of `c`.
        answer(unsafe { take_pipeline(pipeline) }.map(drop))
    }

    fn daos_pipeline_free(pipeline: *mut daos_pipeline_t) -> c_int {
        answer((|| {
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(pipeline, "pipeline") }?;
            let mut changed = place.get();
            // SAFETY: the contract of `c`; the arrays are from `daos_pipeline_add` and `daos_filter_add`.
            unsafe { free_filters(&mut changed.filters, &mut changed.num_filters) }?;
            place.set(changed);
            // SAFETY: as above.
            unsafe { free_filters(&mut changed.aggr_filters, &mut changed.num_aggr_filters) }?;
            place.set(EMPTY);
            Ok(())
        })())
    }

    fn daos_pipeline_run(
        coh: daos_handle_t,
        oh: daos_handle_t,
        pipeline: *mut daos_pipeline_t,
        th: daos_handle_t,
        flags: u64,
        dkey: *mut daos_key_t,
        nr_iods: *mut u32,
        iods: *mut daos_iod_t,
        anchor: *mut daos_anchor_t,
        nr_kds: *mut u32,
        kds: *mut daos_key_desc_t,
        sgl_keys: *mut d_sg_list_t,
        sgl_recx: *mut d_sg_list_t,
        recx_size: *mut daos_size_t,
        sgl_agg: *mut d_sg_list_t,
        stats: *mut daos_pipeline_stats_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // The object knows its container; a handle is checked if there is one.
            if coh.cookie != 0 {
                CONTAINERS.get(coh.cookie)?;
            }
            let object = OBJECTS.get(oh.cookie)?;
            // SAFETY: the contract of `c`.
            let given = unsafe { take_pipeline(pipeline) }?;
            // SAFETY: checked and valid, as it was taken in.
            let version = unsafe { (*pipeline).version };
            if version != PIPELINE_VERSION {
                return Err(Der::MISMATCH.err(format!("a pipeline of version {version}")));
            }
            // SAFETY: the contract of `c`.
            let dkey = if dkey.is_null() { None } else { Some(unsafe { key(dkey, "dkey") }?) };
            // SAFETY: the contract of `c`.
            let (iods_count, records) = unsafe { (Out::optional(nr_iods), Out::optional(nr_kds)) };
            let columns = iods_count.as_ref().map_or(0, Out::get) as usize;
            let rows = records.as_ref().map_or(0, Out::get) as usize;
            if columns > COUNT_MAX || (columns > 0 && iods.is_null()) {
                return Err(Der::INVAL.err(format!("{columns} descriptors, or none of them there")));
            }
            if dkey.is_none() && records.is_none() {
                return Err(null("nr_kds"));
            }
            if dkey.is_none() && rows > 0 && (kds.is_null() || sgl_keys.is_null()) {
                return Err(null("kds or sgl_keys"));
            }
            // SAFETY: the contract of `c`.
            let c_iods: Vec<daos_iod_t> = unsafe { elements(iods, columns) };
            // SAFETY: the contract of `c`.
            let taken = c_iods.iter().map(|iod| unsafe { take_iod(object.oid(), iod, Direction::Fetch) });
            let taken = taken.collect::<Result<Vec<_>>>()?;
            let list = |list: *mut d_sg_list_t| match list.is_null() {
                true => Ok(None),
                // SAFETY: the contract of `c`.
                false => unsafe { SgList::new(list) }.map(Some),
            };
            let aggregates = match given.aggregations.len() {
                0 => None,
                count => {
                    let list = list(sgl_agg)?.ok_or_else(|| null("sgl_agg"))?;
                    list.check_numbers(count)?;
                    Some(list)
                }
            };
            // One record at most comes of one dkey and of aggregations, without descriptors if the caller has none.
            let one_dkey = dkey.is_some();
            let limit = if one_dkey { 1 } else { rows as u32 };
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(anchor, "anchor") }?;
            let first_call = u32::from(place.get().da_type) == DAOS_ANCHOR_TYPE_ZERO;
            let places = Places {
                iods,
                c_iods,
                iods_count,
                anchor: place,
                records,
                // SAFETY: the contract of `c`; the array has `*nr_kds` elements.
                descriptors: unsafe { OutArray::new(kds, rows) },
                keys: list(sgl_keys)?,
                values: list(sgl_recx)?,
                // SAFETY: the contract of `c`; the array has `*nr_kds` times `*nr_iods` elements.
                sizes: unsafe { OutArray::new(recx_size, rows.max(limit as usize).saturating_mul(columns)) },
                aggregates,
                // SAFETY: the contract of `c`.
                statistics: unsafe { Out::optional(stats) },
                one_dkey,
                first_call,
            };
            let run = PipelineRun { pipeline: given, dkey, iods: taken, limit, flags, view: view(th)? };
            Ok(move |context| async move {
                let mut anchor = anchor::take(&places.anchor.get());
                let packer = |list: Option<SgList>| Packer::new(list.map_or_else(Vec::new, SgList::buffers));
                let (mut keys, mut values) = (packer(places.keys), packer(places.values));
                let (wanted_keys, wanted_values) =
                    (places.keys.map(|_| &mut keys), places.values.map(|_| &mut values));
                let found = object.run_pipeline(&context, &run, &mut anchor, wanted_keys, wanted_values).await?;
                places.give(&found, &anchor, &keys, &values);
                Ok(())
            })
        })
    }
}
