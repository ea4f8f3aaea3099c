//! Pools.

use crate::attrs;
use crate::c::{Out, OutArray, give_global, take_global, text, text_array};
use crate::call::{Call, answer};
use crate::handles::POOLS;
use crate::props;
use daos_client::Pool;
use daos_common::pool_map::{ComponentState, DomainKind, PoolMap};
use daos_common::wire::pool::PoolQueryReply;
use daos_common::{Der, Rank, Result, label};
use daos_sys::{DPI_ENGINES_ENABLED, DPI_SPACE, DRS_NOT_STARTED};
use daos_sys::{d_iov_t, d_rank_list_t, d_rank_t, daos_event_t, daos_handle_t, daos_pool_cont_info, daos_pool_info_t};
use daos_sys::{daos_pool_space, daos_prop_t, daos_size_t, daos_space, daos_target_info_t};
use std::ffi::{c_char, c_int, c_uint, c_void};

/// Longest name of a system (`DAOS_SYS_NAME_MAX`).
const SYSTEM_NAME_BYTES_MAX: usize = 15;
/// Longest text that can be a label or a UUID.
const NAME_BYTES_MAX: usize = label::LABEL_BYTES_MAX;

/// The name of a pool or container, which must have the form of one.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn name(pointer: *const c_char, what: &str) -> Result<String> {
    // SAFETY: the contract of this function.
    let name = unsafe { text(pointer, NAME_BYTES_MAX, what) }?;
    label::parse_name(&name)?;
    Ok(name)
}

/// What `daos_pool_info_t` holds, from the service's answer; `bits` are those the caller asked with.
fn info_of(reply: &PoolQueryReply, bits: u64) -> daos_pool_info_t {
    let targets = &reply.map.targets;
    let out = |state| matches!(state, ComponentState::Down | ComponentState::DownOut);
    let mut info = daos_pool_info_t {
        pi_uuid: *reply.pool.as_bytes(),
        pi_ntargets: targets.len() as u32,
        pi_nnodes: reply.map.domains.iter().filter(|domain| domain.kind == DomainKind::Rank).count() as u32,
        pi_ndisabled: targets.iter().filter(|target| out(target.state)).count() as u32,
        pi_map_ver: reply.map.version,
        pi_leader: reply.leader.0,
        pi_bits: bits,
        ..daos_pool_info_t::default()
    };
    if let Some(space) = &reply.space {
        let tiers = |pick: fn(&daos_common::wire::pool::TierSpace) -> u64| space.sum.each_ref().map(pick);
        info.pi_space = daos_pool_space {
            ps_space: daos_space { s_total: tiers(|tier| tier.total), s_free: tiers(|tier| tier.free) },
            ps_free_min: space.free_min,
            ps_free_max: space.free_max,
            ps_free_mean: space.free_mean,
            ps_ntargets: space.targets,
            ps_padding: 0,
        };
    }
    info.pi_rebuild_st.__bindgen_anon_1.rs_state = DRS_NOT_STARTED as i32;
    info
}

/// Ranks with targets in service, or the others.
fn ranks_of(map: &PoolMap, enabled: bool) -> Vec<Rank> {
    let ranks = map.domains.iter().filter(|domain| domain.kind == DomainKind::Rank);
    let in_service = |state| matches!(state, ComponentState::UpIn | ComponentState::Drain | ComponentState::Up);
    ranks.filter(|domain| in_service(domain.state) == enabled).map(|domain| Rank(domain.id)).collect()
}

daos_export::export! { Der;
    fn daos_pool_connect2(
        pool: *const c_char,
        sys: *const c_char,
        flags: c_uint,
        poh: *mut daos_handle_t,
        info: *mut daos_pool_info_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (pool, place) = unsafe { (name(pool, "pool")?, Out::required(poh, "poh")?) };
            let system = match sys.is_null() {
                true => String::new(),
                // SAFETY: the contract of `c`.
                false => unsafe { text(sys, SYSTEM_NAME_BYTES_MAX, "system name") }?,
            };
            // SAFETY: the contract of `c`.
            let info = unsafe { Out::optional(info) };
            Ok(move |context| async move {
                let pool = Pool::connect(&context, &pool, &system, u64::from(flags)).await?;
                if let Some(info) = info {
                    let bits = info.get().pi_bits;
                    let reply = pool.query(&context, bits & DPI_SPACE as u64 != 0, Vec::new()).await?;
                    info.set(info_of(&reply, bits));
                }
                place.set(daos_handle_t { cookie: POOLS.insert(pool)? });
                Ok(())
            })
        })
    }

    fn daos_pool_disconnect(poh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let pool = POOLS.get(poh.cookie)?;
            Ok(move |context| async move {
                pool.disconnect(&context).await?;
                POOLS.remove(poh.cookie).map(drop)
            })
        })
    }

    fn daos_pool_local2global(poh: daos_handle_t, glob: *mut d_iov_t) -> c_int {
        // SAFETY: the contract of `c`.
        answer(POOLS.get(poh.cookie).and_then(|pool| unsafe { give_global(glob, &pool.to_global()?) }))
    }

    fn daos_pool_global2local(glob: d_iov_t, poh: *mut daos_handle_t) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, bytes) = unsafe { (Out::required(poh, "poh"), take_global(&glob)) };
        answer((|| {
            let (place, pool) = (place?, Pool::from_global(&bytes?)?);
            place.set(daos_handle_t { cookie: POOLS.insert(pool)? });
            Ok(())
        })())
    }

    fn daos_pool_query(
        poh: daos_handle_t,
        ranks: *mut *mut d_rank_list_t,
        info: *mut daos_pool_info_t,
        pool_prop: *mut daos_prop_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let pool = POOLS.get(poh.cookie)?;
            // SAFETY: the contract of `c`.
            let (info, ranks) = unsafe { (Out::optional(info), Out::optional(ranks)) };
            // SAFETY: the contract of `c`.
            let wanted = unsafe { props::take_numbers(pool_prop) }?;
            Ok(move |context| async move {
                let bits = info.as_ref().map_or(0, |info| info.get().pi_bits);
                let reply = pool.query(&context, bits & DPI_SPACE as u64 != 0, wanted).await?;
                if let Some(ranks) = ranks {
                    let enabled = info.is_some() && bits & DPI_ENGINES_ENABLED as u64 != 0;
                    ranks.set(props::give_ranks(&ranks_of(&reply.map, enabled))?);
                }
                if let Some(info) = info {
                    info.set(info_of(&reply, bits));
                }
                // SAFETY: the contract of `c`.
                unsafe { props::give(pool_prop, &reply.props, &reply.service_ranks) }
            })
        })
    }

    fn daos_pool_query_target(
        poh: daos_handle_t,
        tgt: u32,
        rank: d_rank_t,
        info: *mut daos_target_info_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let pool = POOLS.get(poh.cookie)?;
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(info, "info") }?;
            Ok(move |context| async move {
                pool.query(&context, false, Vec::new()).await?;
                let map = pool.map();
                let found = map.targets.iter().find(|target| target.rank.0 == rank && target.index == tgt);
                let found = found.ok_or_else(|| Der::NONEXIST.err(format!("no target {tgt} at rank {rank}")))?;
                let tiers = pool.target_space(&context, Rank(rank)).await?;
                let tiers = tiers.get(tgt as usize).copied().unwrap_or_default();
                place.set(daos_target_info_t {
                    ta_state: target_state(found.state),
                    ta_space: daos_space {
                        s_total: tiers.map(|tier| tier.total),
                        s_free: tiers.map(|tier| tier.free),
                    },
                    ..daos_target_info_t::default()
                });
                Ok(())
            })
        })
    }

    fn daos_pool_list_cont(
        poh: daos_handle_t,
        ncont: *mut daos_size_t,
        cbuf: *mut daos_pool_cont_info,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let pool = POOLS.get(poh.cookie)?;
            // SAFETY: the contract of `c`.
            let count = unsafe { Out::required(ncont, "ncont") }?;
            // SAFETY: the contract of `c`.
            let places = unsafe { OutArray::new(cbuf, count.get() as usize) };
            Ok(move |context| async move {
                let found = pool.list_containers(&context).await?;
                count.set(found.len() as u64);
                if cbuf.is_null() {
                    return Ok(());
                }
                if found.len() > places.len() {
                    return Err(Der::TRUNC.err(format!("{} containers, room for {}", found.len(), places.len())));
                }
                for (index, entry) in found.iter().enumerate() {
                    let (pci_uuid, pci_label) = (*entry.uuid.as_bytes(), text_array(&entry.label));
                    places.set(index, daos_pool_cont_info { pci_uuid, pci_label });
                }
                Ok(())
            })
        })
    }

    fn daos_pool_list_attr(
        poh: daos_handle_t,
        buffer: *mut c_char,
        size: *mut usize,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::list::<Pool>(poh, buffer, size, ev) }
    }

    fn daos_pool_get_attr(
        poh: daos_handle_t,
        n: c_int,
        names: *const *const c_char,
        buffers: *const *mut c_void,
        sizes: *mut usize,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::get::<Pool>(poh, n, names, buffers, sizes, ev) }
    }

    fn daos_pool_set_attr(
        poh: daos_handle_t,
        n: c_int,
        names: *const *const c_char,
        values: *const *const c_void,
        sizes: *const usize,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::set::<Pool>(poh, n, names, values, sizes, ev) }
    }

    fn daos_pool_del_attr(
        poh: daos_handle_t,
        n: c_int,
        names: *const *const c_char,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::delete::<Pool>(poh, n, names, ev) }
    }
}

fn target_state(state: ComponentState) -> u32 {
    match state {
        ComponentState::New => daos_sys::DAOS_TS_NEW,
        ComponentState::Up => daos_sys::DAOS_TS_UP,
        ComponentState::UpIn => daos_sys::DAOS_TS_UP_IN,
        ComponentState::Down => daos_sys::DAOS_TS_DOWN,
        ComponentState::DownOut => daos_sys::DAOS_TS_DOWN_OUT,
        ComponentState::Drain => daos_sys::DAOS_TS_DRAIN,
    }
}
