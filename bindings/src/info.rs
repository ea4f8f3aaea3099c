//! What the system and its pools tell about themselves.

use crate::{PoolRef, check};
use daos_common::{Der, Result};
use daos_sys as sys;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use uuid::Uuid;

/// How often a list that grows while it is read is read again.
const ATTEMPTS_MAX: usize = 8;

/// A pool of the system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolEntry {
    /// UUID.
    pub uuid: Uuid,
    /// Label.
    pub label: String,
    /// Ranks of its service.
    pub service_ranks: Vec<u32>,
}

/// The system, as the agent describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SystemInfo {
    /// Name.
    pub name: String,
    /// Fabric provider, e.g. `ofi+tcp`.
    pub provider: String,
    /// Socket of the agent.
    pub agent: String,
    /// Ranks with their addresses.
    pub ranks: Vec<(u32, String)>,
    /// Ranks on the hosts of the management service.
    pub management_ranks: Vec<u32>,
}

/// Space of one storage tier of a pool, bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TierSpace {
    /// All of it.
    pub total: u64,
    /// What is free.
    pub free: u64,
    /// What is free on the target with the least.
    pub min: u64,
    /// What is free on the target with the most.
    pub max: u64,
    /// What is free on a target in the mean.
    pub mean: u64,
}

/// State of a rebuild.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rebuild {
    /// 0, or a negative DER_ code of why it failed.
    pub status: i32,
    /// `DRS_*`: in progress 0, not started 1, completed 2.
    pub state: i32,
    /// Objects to rebuild.
    pub objects_total: u64,
    /// Objects rebuilt.
    pub objects: u64,
    /// Records rebuilt.
    pub records: u64,
}

/// State of a pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolInfo {
    /// UUID.
    pub uuid: Uuid,
    /// Targets, disabled ones included.
    pub targets: u32,
    /// Engines.
    pub engines: u32,
    /// Targets that don't take part.
    pub disabled_targets: u32,
    /// Version of the pool map.
    pub map_version: u32,
    /// Rank that leads its service.
    pub leader: u32,
    /// Targets that the space is of.
    pub space_targets: u32,
    /// Memory tier and data tier.
    pub tiers: [TierSpace; 2],
    /// Rebuild.
    pub rebuild: Rebuild,
    /// Ranks in use, or those that aren't: what was asked for.
    pub ranks: Vec<u32>,
}

/// State of one target of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TargetInfo {
    /// `DAOS_TS_*`: down-out 1, down 2, up 3, up-in 4, new 5, drain 6.
    pub state: u32,
    /// Total and free bytes of memory tier and data tier.
    pub tiers: [TierSpace; 2],
}

/// The pools of the system that this user can see; `system` is checked when given.
///
/// # Errors
/// `AGENT_COMM`, `UNREACH`, `INVAL`: another system than the agent's.
pub fn list_pools(system: Option<&str>) -> Result<Vec<PoolEntry>> {
    let system = c_name(system)?;
    let mut room = 32;
    for _ in 0..ATTEMPTS_MAX {
        let mut pools = vec![sys::daos_mgmt_pool_info_t::default(); room];
        let mut count = room as u64;
        // SAFETY: the array has `count` elements and lives through the call, as does the name.
        let rc =
            unsafe { sys::daos_mgmt_list_pools(pointer(&system), &mut count, pools.as_mut_ptr(), ptr::null_mut()) };
        if rc == Der::TRUNC.rc() {
            room = (count as usize).max(room * 2);
            continue;
        }
        check(rc, "daos_mgmt_list_pools")?;
        pools.truncate(count as usize);
        return Ok(pools.into_iter().map(take_entry).collect());
    }
    Err(Der::AGAIN.err("the list of pools keeps growing"))
}

fn take_entry(entry: sys::daos_mgmt_pool_info_t) -> PoolEntry {
    // SAFETY: the library gives a NUL-terminated label and a rank list (or NULL), malloc'ed for the caller.
    unsafe {
        let label = match entry.mgpi_label.is_null() {
            true => String::new(),
            false => CStr::from_ptr(entry.mgpi_label).to_string_lossy().into_owned(),
        };
        libc::free(entry.mgpi_label.cast());
        PoolEntry { uuid: Uuid::from_bytes(entry.mgpi_uuid), label, service_ranks: take_ranks(entry.mgpi_svc) }
    }
}

/// Takes a rank list of the library's and frees it.
///
/// # Safety
/// NULL, or a list that the library malloc'ed for the caller, in two pieces.
unsafe fn take_ranks(list: *mut sys::d_rank_list_t) -> Vec<u32> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: by the contract; the list has as many ranks as it says.
    unsafe {
        let (ranks, count) = ((*list).rl_ranks, (*list).rl_nr as usize);
        let taken = if ranks.is_null() { Vec::new() } else { std::slice::from_raw_parts(ranks, count).to_vec() };
        libc::free(ranks.cast());
        libc::free(list.cast());
        taken
    }
}

/// The system, as the agent describes it; its name is checked when given.
///
/// # Errors
/// `AGENT_COMM`, `UNREACH`, `INVAL`: another system than the agent's.
pub fn system_info(system: Option<&str>) -> Result<SystemInfo> {
    let system = c_name(system)?;
    let mut info: *mut sys::daos_sys_info = ptr::null_mut();
    // SAFETY: the name and the place of the result live through the call.
    check(unsafe { sys::daos_mgmt_get_sys_info(pointer(&system), &mut info) }, "daos_mgmt_get_sys_info")?;
    // SAFETY: the call succeeded, so `info` is a filled structure with arrays of the lengths that it says, until the
    // put below.
    unsafe {
        let filled = &*info;
        let uri =
            |rank: &sys::daos_rank_uri| (rank.dru_rank, CStr::from_ptr(rank.dru_uri).to_string_lossy().into_owned());
        let ranks = elements(filled.dsi_ranks, filled.dsi_nr_ranks).iter().map(uri).collect();
        let result = SystemInfo {
            name: text(&filled.dsi_system_name),
            provider: text(&filled.dsi_fabric_provider),
            agent: text(&filled.dsi_agent_path),
            ranks,
            management_ranks: elements(filled.dsi_ms_ranks, filled.dsi_nr_ms_ranks).to_vec(),
        };
        sys::daos_mgmt_put_sys_info(info);
        Ok(result)
    }
}

/// # Safety
/// `first` is NULL or the first of `count` elements that live as long as the result is used.
unsafe fn elements<'a, T>(first: *const T, count: u32) -> &'a [T] {
    match first.is_null() {
        true => &[],
        // SAFETY: by the contract.
        false => unsafe { std::slice::from_raw_parts(first, count as usize) },
    }
}

impl PoolRef {
    /// Asks for the pool's state. `mask` has `DPI_*` bits: space 1, rebuild 2, and which ranks are wanted: those in
    /// use with bit 4, else those that aren't.
    ///
    /// # Errors
    /// `NO_HDL`, `NO_PERM`.
    pub fn query(self, mask: u64) -> Result<PoolInfo> {
        let mut info = sys::daos_pool_info_t { pi_bits: mask, ..Default::default() };
        let mut ranks: *mut sys::d_rank_list_t = ptr::null_mut();
        // SAFETY: the places of the results live through the call; no properties are asked for.
        let rc = unsafe { sys::daos_pool_query(self.raw(), &mut ranks, &mut info, ptr::null_mut(), ptr::null_mut()) };
        check(rc, "daos_pool_query")?;
        let space = &info.pi_space;
        let tier = |tier: usize| TierSpace {
            total: space.ps_space.s_total[tier],
            free: space.ps_space.s_free[tier],
            min: space.ps_free_min[tier],
            max: space.ps_free_max[tier],
            mean: space.ps_free_mean[tier],
        };
        let rebuild = &info.pi_rebuild_st;
        Ok(PoolInfo {
            uuid: Uuid::from_bytes(info.pi_uuid),
            targets: info.pi_ntargets,
            engines: info.pi_nnodes,
            disabled_targets: info.pi_ndisabled,
            map_version: info.pi_map_ver,
            leader: info.pi_leader,
            space_targets: space.ps_ntargets,
            tiers: [tier(0), tier(1)],
            rebuild: Rebuild {
                status: rebuild.rs_errno,
                // SAFETY: both members of the union are the same number.
                state: unsafe { rebuild.__bindgen_anon_1.rs_state },
                objects_total: rebuild.rs_toberb_obj_nr,
                objects: rebuild.rs_obj_nr,
                records: rebuild.rs_rec_nr,
            },
            // SAFETY: the library made the list for this caller.
            ranks: unsafe { take_ranks(ranks) },
        })
    }

    /// Asks for the state of one target.
    ///
    /// # Errors
    /// `NONEXIST`: no such target; `NO_HDL`.
    pub fn query_target(self, rank: u32, target: u32) -> Result<TargetInfo> {
        let mut info = sys::daos_target_info_t::default();
        // SAFETY: the place of the result lives through the call.
        let rc = unsafe { sys::daos_pool_query_target(self.raw(), target, rank, &mut info, ptr::null_mut()) };
        check(rc, "daos_pool_query_target")?;
        let space = &info.ta_space;
        let tier =
            |tier: usize| TierSpace { total: space.s_total[tier], free: space.s_free[tier], ..Default::default() };
        Ok(TargetInfo { state: info.ta_state, tiers: [tier(0), tier(1)] })
    }

    /// The containers of the pool: UUID and label.
    ///
    /// # Errors
    /// `NO_HDL`, `NO_PERM`.
    pub fn list_containers(self) -> Result<Vec<(Uuid, String)>> {
        let mut room = 64;
        for _ in 0..ATTEMPTS_MAX {
            let mut found = vec![sys::daos_pool_cont_info::default(); room];
            let mut count = room as u64;
            // SAFETY: the array has `count` elements and lives through the call.
            let rc = unsafe { sys::daos_pool_list_cont(self.raw(), &mut count, found.as_mut_ptr(), ptr::null_mut()) };
            if rc == Der::TRUNC.rc() {
                room = (count as usize).max(room * 2);
                continue;
            }
            check(rc, "daos_pool_list_cont")?;
            found.truncate(count as usize);
            return Ok(found.iter().map(|c| (Uuid::from_bytes(c.pci_uuid), text(&c.pci_label))).collect());
        }
        Err(Der::AGAIN.err("the list of containers keeps growing"))
    }
}

/// The text of a C array, up to its NUL.
fn text(array: &[c_char]) -> String {
    let bytes: Vec<u8> = array.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn c_name(system: Option<&str>) -> Result<Option<CString>> {
    system.map(CString::new).transpose().map_err(|_| Der::INVAL.err("system name has a NUL byte"))
}

fn pointer(name: &Option<CString>) -> *const c_char {
    name.as_ref().map_or(ptr::null(), |name| name.as_ptr())
}
