//! Lists of a pool's containers by conditions, and its service (`daos_pool.h`, `daos_mgmt.h`).

use crate::c::{Out, OutArray, elements, null, text_array};
use crate::call::{Call, answer};
use crate::handles::POOLS;
use daos_common::wire::pool::{Comparison, ContInfo, FILTER_PARTS_MAX, FilterKey, FilterPart};
use daos_common::{Der, Result};
use daos_sys::{PCF_COMBINE_LOGICAL_AND, PCF_COMBINE_LOGICAL_OR, PCF_FUNC_EQ, PCF_FUNC_GE, PCF_FUNC_GT, PCF_FUNC_LE};
use daos_sys::{PCF_FUNC_LT, PCF_FUNC_NE, PCF_KEY_MD_MTIME, PCF_KEY_MD_OTIME, PCF_KEY_NUM_HANDLES};
use daos_sys::{PCF_KEY_NUM_SNAPSHOTS, daos_cont_info_t, daos_event_t, daos_handle_t, daos_pool_cont_filter_part_t};
use daos_sys::{daos_pool_cont_filter_t, daos_pool_cont_info, daos_pool_cont_info2, daos_size_t};
use std::ffi::c_int;

/// The conditions of a filter, and whether one of them is enough; no filter has none.
///
/// # Safety
/// The contract of [`crate::c`], for the filter and its parts.
unsafe fn take_filter(filter: *const daos_pool_cont_filter_t) -> Result<(Vec<FilterPart>, bool)> {
    // SAFETY: valid for reads by the contract, if it is there.
    let Some(filter) = (unsafe { filter.as_ref() }) else { return Ok((Vec::new(), false)) };
    let count = filter.pcf_nparts as usize;
    if count > FILTER_PARTS_MAX || (count > 0 && filter.pcf_parts.is_null()) {
        return Err(
            Der::INVAL.err(format!("a filter of {count} parts; at most {FILTER_PARTS_MAX}, and where they are"))
        );
    }
    let any = match filter.pcf_combine_func {
        PCF_COMBINE_LOGICAL_AND => false,
        PCF_COMBINE_LOGICAL_OR => true,
        other => return Err(Der::INVAL.err(format!("a filter combined by {other}"))),
    };
    let take = |part: *mut daos_pool_cont_filter_part_t| {
        // SAFETY: valid for reads by the contract, if it is there.
        let part = unsafe { part.as_ref() }.ok_or_else(|| null("a part of the filter"))?;
        let key = match part.pcfp_key {
            PCF_KEY_MD_OTIME => FilterKey::OpenTime,
            PCF_KEY_MD_MTIME => FilterKey::ModifyTime,
            PCF_KEY_NUM_SNAPSHOTS => FilterKey::Snapshots,
            PCF_KEY_NUM_HANDLES => FilterKey::Handles,
            other => return Err(Der::INVAL.err(format!("a filter by key {other}"))),
        };
        let comparison = match part.pcfp_func {
            PCF_FUNC_EQ => Comparison::Equal,
            PCF_FUNC_NE => Comparison::Unequal,
            PCF_FUNC_LT => Comparison::Less,
            PCF_FUNC_LE => Comparison::LessOrEqual,
            PCF_FUNC_GT => Comparison::Greater,
            PCF_FUNC_GE => Comparison::GreaterOrEqual,
            other => return Err(Der::INVAL.err(format!("a filter with comparison {other}"))),
        };
        // SAFETY: both fields are plain bits, and every key is compared with a number.
        Ok(FilterPart { key, comparison, value: unsafe { part.__bindgen_anon_1.pcfp_val64 } })
    };
    // SAFETY: the contract of this function.
    let parts = unsafe { elements(filter.pcf_parts, count) };
    Ok((parts.into_iter().map(take).collect::<Result<_>>()?, any))
}

fn info_of(found: &ContInfo) -> daos_pool_cont_info2 {
    let uuid = *found.id.uuid.as_bytes();
    daos_pool_cont_info2 {
        pci_id: daos_pool_cont_info { pci_uuid: uuid, pci_label: text_array(&found.id.label) },
        pci_cinfo: daos_cont_info_t {
            ci_uuid: uuid,
            ci_lsnapshot: found.newest_snapshot,
            ci_nhandles: found.handles,
            ci_nsnapshots: found.snapshots,
            ci_md_otime: found.open_time,
            ci_md_mtime: found.modify_time,
        },
        pci_reserved: [std::ptr::null_mut(); 2],
    }
}

daos_export::export! { Der;
    fn daos_pool_cont_filter_init(filt: *mut daos_pool_cont_filter_t, combine_func: u32) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(filt, "filt") };
        answer(place.and_then(|place| {
            if ![PCF_COMBINE_LOGICAL_AND, PCF_COMBINE_LOGICAL_OR].contains(&combine_func) {
                return Err(Der::INVAL.err(format!("a filter combined by {combine_func}")));
            }
            place.set(daos_pool_cont_filter_t {
                pcf_combine_func: combine_func,
                pcf_nparts: 0,
                pcf_parts: std::ptr::null_mut(),
            });
            Ok(())
        }))
    }

    fn daos_pool_cont_filter_add(
        filt: *mut daos_pool_cont_filter_t,
        part: *mut daos_pool_cont_filter_part_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(filt, "filt") };
        answer(place.and_then(|place| {
            if part.is_null() {
                return Err(null("part"));
            }
            let mut filter = place.get();
            let count = filter.pcf_nparts as usize;
            let bytes = (count + 1).saturating_mul(size_of::<*mut daos_pool_cont_filter_part_t>());
            // SAFETY: NULL or memory that this function allocated before, as `daos_pool_cont_filter_init` sets it up.
            let parts: *mut *mut daos_pool_cont_filter_part_t =
                unsafe { libc::realloc(filter.pcf_parts.cast(), bytes) }.cast();
            if parts.is_null() {
                return Err(Der::NOMEM.err("a part of a filter"));
            }
            // SAFETY: just allocated, with room for one more.
            unsafe { parts.add(count).write(part) };
            filter.pcf_parts = parts;
            filter.pcf_nparts += 1;
            place.set(filter);
            Ok(())
        }))
    }

    fn daos_pool_cont_filter_fini(filt: *mut daos_pool_cont_filter_t) {
        // SAFETY: the contract of `c`.
        let Some(place) = (unsafe { Out::optional(filt) }) else { return };
        let filter = place.get();
        // SAFETY: NULL or memory of `daos_pool_cont_filter_add`, not freed before: that leaves NULL.
        unsafe { libc::free(filter.pcf_parts.cast()) };
        place.set(daos_pool_cont_filter_t { pcf_nparts: 0, pcf_parts: std::ptr::null_mut(), ..filter });
    }

    fn daos_pool_filter_cont(
        poh: daos_handle_t,
        filter: *mut daos_pool_cont_filter_t,
        ncont: *mut daos_size_t,
        cbuf: *mut daos_pool_cont_info2,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let pool = POOLS.get(poh.cookie)?;
            // SAFETY: the contract of `c`.
            let (count, (parts, any)) = unsafe { (Out::required(ncont, "ncont")?, take_filter(filter)?) };
            // SAFETY: the contract of `c`.
            let places = unsafe { OutArray::new(cbuf, count.get() as usize) };
            Ok(move |context| async move {
                let found = pool.filter_containers(&context, parts, any).await?;
                let asked = count.get();
                count.set(found.len() as u64);
                if cbuf.is_null() || asked == 0 {
                    return Ok(());
                }
                if found.len() > places.len() {
                    return Err(Der::TRUNC.err(format!("{} containers, room for {}", found.len(), places.len())));
                }
                found.iter().enumerate().for_each(|(index, info)| places.set(index, info_of(info)));
                Ok(())
            })
        })
    }

    fn daos_pool_stop_svc(poh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let pool = POOLS.get(poh.cookie)?;
            Ok(move |context| async move { pool.stop_service(&context).await })
        })
    }
}
