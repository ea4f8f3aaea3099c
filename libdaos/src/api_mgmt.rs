//! What the API has of management: the system's pools, and the system itself.

use crate::c::{Out, OutArray, elements, give_memory, give_text, null, text, text_array};
use crate::call::{Call, answer};
use crate::props;
use daos_client::fork::Shared;
use daos_client::{block_on, pool, process};
use daos_common::wire::mgmt::DebugAction;
use daos_common::{Der, Rank, Result};
use daos_sys::{d_rank_t, daos_event_t, daos_mgmt_pool_info_t, daos_rank_uri, daos_size_t, daos_sys_info};
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_uchar, c_uint};
use uuid::Uuid;

const SYSTEM_NAME_BYTES_MAX: usize = 15;
const MARK_BYTES_MAX: usize = 255;

/// A C string that lasts as long as the process; the same one for the same text.
fn lasting_text(text: &str) -> Result<*mut c_char> {
    static TEXTS: Shared<BTreeMap<String, usize>> = Shared::new(BTreeMap::new());
    let mut texts = TEXTS.write();
    if let Some(address) = texts.get(text) {
        return Ok(std::ptr::with_exposed_provenance_mut(*address));
    }
    let made = give_text(text)?;
    texts.insert(text.to_owned(), made.expose_provenance());
    Ok(made)
}

/// Checks the name of a system, if one is given.
///
/// # Safety
/// The contract of [`crate::c`].
unsafe fn check_system(name: *const c_char) -> Result<()> {
    if name.is_null() {
        return Ok(());
    }
    // SAFETY: the contract of this function.
    process::system()?.check_name(&unsafe { text(name, SYSTEM_NAME_BYTES_MAX, "system name") }?)
}

daos_export::export! { Der;
    fn daos_mgmt_list_pools(
        group: *const c_char,
        npools: *mut daos_size_t,
        pools: *mut daos_mgmt_pool_info_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let count = unsafe { Out::required(npools, "npools") }?;
            if !group.is_null() {
                // SAFETY: the contract of `c`.
                process::system()?.check_name(&unsafe { text(group, SYSTEM_NAME_BYTES_MAX, "system name") }?)?;
            }
            // SAFETY: the contract of `c`.
            let places = unsafe { OutArray::new(pools, count.get() as usize) };
            Ok(move |context| async move {
                let found = pool::list_pools(&context).await?;
                count.set(found.len() as u64);
                if pools.is_null() {
                    return Ok(());
                }
                if found.len() > places.len() {
                    return Err(Der::TRUNC.err(format!("{} pools, room for {}", found.len(), places.len())));
                }
                for (index, entry) in found.iter().enumerate() {
                    places.set(index, daos_mgmt_pool_info_t {
                        mgpi_uuid: *entry.uuid.as_bytes(),
                        mgpi_label: give_text(&entry.label)?,
                        mgpi_svc: props::give_ranks(&entry.service_ranks)?,
                        mgpi_ldr: entry.service_ranks.first().map_or(u32::MAX, |rank| rank.0),
                    });
                }
                Ok(())
            })
        })
    }

    fn daos_debug_add_mark(mark: *const c_char) -> c_int {
        // SAFETY: the contract of `c`.
        let mark = unsafe { text(mark, MARK_BYTES_MAX, "mark") };
        answer(mark.and_then(|mark| {
            block_on(|context| async move { pool::debug(&context, None, DebugAction::Mark(mark)).await.map(drop) })
        }))
    }

    fn daos_debug_set_params(
        grp: *const c_char,
        rank: d_rank_t,
        key_id: c_uint,
        value: u64,
        value_extra: u64,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            unsafe { check_system(grp) }?;
            let rank = (rank != d_rank_t::MAX).then_some(Rank(rank));
            let action = DebugAction::Parameter { key: key_id, value, extra: value_extra };
            Ok(move |context| async move { pool::debug(&context, rank, action).await.map(drop) })
        })
    }

    fn daos_mgmt_get_bs_state(
        group: *const c_char,
        blobstore_uuid: *mut c_uchar,
        blobstore_state: *mut c_int,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            unsafe { check_system(group) }?;
            // SAFETY: the contract of `c`.
            let (place, bytes) = unsafe { (Out::required(blobstore_state, "blobstore_state")?, elements(blobstore_uuid, 16)) };
            let uuid = Uuid::from_slice(&bytes).map_err(|_| null("blobstore_uuid"))?;
            Ok(move |context| async move {
                let state = pool::debug(&context, None, DebugAction::Device(uuid)).await?;
                let state = state.ok_or_else(|| Der::NONEXIST.err(format!("no engine has device {uuid}")))?;
                place.set(state as c_int);
                Ok(())
            })
        })
    }

    fn daos_mgmt_get_sys_info(sys: *const c_char, info: *mut *mut daos_sys_info) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(info, "info") };
        answer((|| {
            let (place, system) = (place?, process::system()?);
            if !sys.is_null() {
                // SAFETY: the contract of `c`.
                system.check_name(&unsafe { text(sys, SYSTEM_NAME_BYTES_MAX, "system name") }?)?;
            }
            let (uris, services) = (system.rank_uris(), system.management_ranks());
            let ranks: *mut daos_rank_uri = give_memory(&[], uris.len() * size_of::<daos_rank_uri>())?.cast();
            for (index, (rank, uri)) in uris.iter().enumerate() {
                let entry = daos_rank_uri { dru_rank: rank.0, dru_uri: give_text(uri)? };
                // SAFETY: fresh memory for as many entries.
                unsafe { ranks.add(index).write(entry) };
            }
            let service_bytes: Vec<u8> = services.iter().flat_map(|rank| rank.0.to_ne_bytes()).collect();
            let filled = daos_sys_info {
                dsi_system_name: text_array(system.name()),
                dsi_fabric_provider: text_array(system.provider()),
                dsi_agent_path: text_array(&system.agent().socket().to_string_lossy()),
                dsi_nr_ranks: uris.len() as u32,
                dsi_ranks: ranks,
                dsi_nr_ms_ranks: services.len() as u32,
                dsi_ms_ranks: give_memory(&service_bytes, service_bytes.len())?.cast(),
            };
            let memory: *mut daos_sys_info = give_memory(&[], size_of::<daos_sys_info>())?.cast();
            // SAFETY: fresh memory of that size.
            unsafe { memory.write(filled) };
            place.set(memory);
            Ok(())
        })())
    }

    fn dc_mgmt_srv_version(major: *mut u32, minor: *mut u32, patch: *mut u32, tag: *mut *mut c_char) -> c_int {
        // SAFETY: the contract of `c`.
        let numbers = unsafe { [Out::required(major, "major"), Out::required(minor, "minor"), Out::required(patch, "patch")] };
        // SAFETY: the contract of `c`.
        let tag = unsafe { Out::required(tag, "tag") };
        answer((|| {
            let ([major, minor, patch], tag, system) = (numbers, tag?, process::system()?);
            let version = system.server_version().ok_or_else(|| Der::UNINIT.err("the agent told no server version"))?;
            major?.set(version.numbers[0]);
            minor?.set(version.numbers[1]);
            patch?.set(version.numbers[2]);
            tag.set(lasting_text(&version.tag)?);
            Ok(())
        })())
    }

    fn daos_mgmt_put_sys_info(info: *mut daos_sys_info) {
        // SAFETY: the contract of `c`: NULL, or made by `daos_mgmt_get_sys_info` and not yet put.
        unsafe {
            let Some(filled) = info.as_ref() else { return };
            for index in 0..filled.dsi_nr_ranks as usize {
                libc::free((*filled.dsi_ranks.add(index)).dru_uri.cast());
            }
            libc::free(filled.dsi_ranks.cast());
            libc::free(filled.dsi_ms_ranks.cast());
            libc::free(info.cast());
        }
    }
}
