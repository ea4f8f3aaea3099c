//! Identifiers of transactions and of the client, timestamps, rank lists from text.

use crate::{der, memory};
use daos_common::{Der, hlc};
use daos_export::export;
use daos_sys::{self as sys, d_rank_list_t, dtx_id, time_t, timespec, uuid_t};
use libc::{c_char, c_int};
use std::cell::Cell;
use std::ptr;
use uuid::Uuid;

static CLOCK: hlc::Clock = hlc::Clock::new();

thread_local! {
    /// The identity of this thread's transactions.
    static IDENTITY: Cell<Option<Uuid>> = const { Cell::new(None) };
}

fn identity() -> Uuid {
    IDENTITY.with(|cell| {
        let identity = cell.get().unwrap_or_else(Uuid::new_v4);
        cell.set(Some(identity));
        identity
    })
}

/// # Safety
/// NULL or writable.
unsafe fn put(dti: *mut dtx_id, uuid: Uuid) {
    // SAFETY: as the caller says.
    if let Some(out) = unsafe { dti.as_mut() } {
        out.dti_uuid = uuid.into_bytes();
        out.dti_hlc = CLOCK.now();
    }
}

export! { Der;
    fn daos_dti_gen_unique(dti: *mut dtx_id) {
        // SAFETY: NULL or the caller's.
        unsafe { put(dti, Uuid::new_v4()) };
    }

    fn daos_dti_gen(dti: *mut dtx_id, zero: bool) {
        // SAFETY: NULL or the caller's.
        unsafe {
            match dti.as_mut() {
                Some(out) if zero => *out = dtx_id::default(),
                _ => put(dti, identity()),
            }
        }
    }

    fn daos_dti_reset() {
        IDENTITY.with(|cell| cell.set(None));
    }

    fn daos_get_client_uuid(uuidp: *mut uuid_t) {
        // SAFETY: NULL or the caller's.
        if let Some(out) = unsafe { uuidp.as_mut() } {
            *out = identity().into_bytes();
        }
    }

    fn daos_hlc2timespec(hlc: u64, ts: *mut timespec) -> c_int {
        // SAFETY: NULL or the caller's.
        let Some(out) = (unsafe { ts.as_mut() }) else { return der(Der::INVAL) };
        let time = hlc::to_unix(hlc);
        out.tv_sec = time.as_secs() as time_t;
        out.tv_nsec = i64::from(time.subsec_nanos());
        0
    }

    fn daos_hlc2timestamp(hlc: u64, ts: *mut time_t) -> c_int {
        // SAFETY: NULL or the caller's.
        let Some(out) = (unsafe { ts.as_mut() }) else { return der(Der::INVAL) };
        *out = hlc::to_unix(hlc).as_secs() as time_t;
        0
    }

    fn daos_rank_list_parse(str_: *const c_char, sep: *const c_char) -> *mut d_rank_list_t {
        // SAFETY: NULL or C strings.
        let (Some(text), Some(separators)) = (unsafe { (memory::text(str_), memory::text(sep)) }) else {
            return ptr::null_mut();
        };
        let items = text.split(|c| separators.contains(c)).map(str::trim).filter(|item| !item.is_empty());
        let Ok(ranks) = items.map(str::parse::<u32>).collect::<Result<Vec<_>, _>>() else { return ptr::null_mut() };
        if ranks.is_empty() {
            return ptr::null_mut();
        }
        // SAFETY: a fresh list with that many ranks; libgurt's, since its functions will free it.
        unsafe {
            let list = sys::d_rank_list_alloc(ranks.len() as u32);
            if !list.is_null() {
                ptr::copy_nonoverlapping(ranks.as_ptr(), (*list).rl_ranks, ranks.len());
            }
            list
        }
    }
}
