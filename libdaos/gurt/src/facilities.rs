//! The data symbols of the logger, which the macros in programs read: facilities and their caches, debug bits, the
//! logger's state. A program's macros read them without a lock; every one is a word that is written whole.

use crate::stubs;
use daos_sys::{d_debug_data, d_log_xstate};
use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, AtomicU64};

/// Priorities and debug bits that a facility of this library caches verdicts for.
pub(crate) const CACHE_LENGTH: usize = 16;

/// DLOG_UNINIT, in caches: the verdict isn't known yet.
pub(crate) const UNKNOWN: i32 = i32::MIN;

/// What `d_log_check` (inline, in programs) reads. Written under the logger's lock.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static mut d_log_xst: d_log_xstate = d_log_xstate {
    tag: std::ptr::null_mut(),
    dlog_facs: std::ptr::null_mut(),
    nodename: std::ptr::null_mut(),
    fac_cnt: 0,
};

/// Masks and counts of debug bits.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static mut d_dbglog_data: d_debug_data =
    d_debug_data { dd_mask: 0, dd_prio_err: 0, dbg_bit_cnt: 0, dbg_grp_cnt: 0 };

/// The debug bits of this library (generated data symbols): names and variables, in the order of their bits.
pub(crate) fn debug_bits() -> [(&'static str, &'static AtomicU64); 7] {
    // SAFETY: words that are changed through atomics only, here and by nobody else; programs read them.
    unsafe {
        let bit = |variable: *mut [u64; 1]| AtomicU64::from_ptr(variable.cast());
        [
            ("all", bit(&raw mut stubs::DB_ALL)),
            ("any", bit(&raw mut stubs::DB_ANY)),
            ("trace", bit(&raw mut stubs::DB_TRACE)),
            ("mem", bit(&raw mut stubs::DB_MEM)),
            ("net", bit(&raw mut stubs::DB_NET)),
            ("io", bit(&raw mut stubs::DB_IO)),
            ("test", bit(&raw mut stubs::DB_TEST)),
        ]
    }
}

/// A facility: its name, number and cache of verdicts.
pub(crate) type Facility = (&'static CStr, &'static AtomicI32, *mut [i32; CACHE_LENGTH]);

/// The facilities of this library (generated data symbols).
pub(crate) fn own_facilities() -> [Facility; 5] {
    // SAFETY: words that are changed through atomics only; programs read them.
    unsafe {
        let number = |variable: *mut i32| AtomicI32::from_ptr(variable);
        [
            (c"misc", number(&raw mut stubs::d_misc_logfac), &raw mut stubs::d_misc_logfac_cache),
            (c"mem", number(&raw mut stubs::d_mem_logfac), &raw mut stubs::d_mem_logfac_cache),
            (c"swim", number(&raw mut stubs::d_swim_logfac), &raw mut stubs::d_swim_logfac_cache),
            (c"fi", number(&raw mut stubs::d_fi_logfac), &raw mut stubs::d_fi_logfac_cache),
            (c"telem", number(&raw mut stubs::d_telem_logfac), &raw mut stubs::d_telem_logfac_cache),
        ]
    }
}
