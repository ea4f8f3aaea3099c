//! The hybrid logical clock: `daos_common::hlc` has the format; this is the process's clock for C programs.

use crate::der;
use daos_common::Der;
use daos_common::hlc::{Clock, LOGICAL_MASK, MAX_OFFSET, START_UNIX_SECONDS, UNITS_PER_NS};
use daos_export::export;
use libc::{c_int, timespec};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const NS_PER_SECOND: u64 = 1_000_000_000;

static CLOCK: Clock = Clock::new();
/// How far ahead another clock may be, in clock units.
static EPSILON: AtomicU64 = AtomicU64::new(MAX_OFFSET);
/// The tracker: the latest time that was heard of.
static TRACKER: AtomicU64 = AtomicU64::new(0);

/// The wall clock, without the logical bits.
fn physical_now() -> u64 {
    let since_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    daos_common::hlc::from_unix(since_unix) & !LOGICAL_MASK
}

export! { Der;
    fn d_hlc_get() -> u64 {
        CLOCK.now()
    }

    fn d_hlc_get_msg(msg: u64, hlc_out: *mut u64, offset: *mut u64) -> c_int {
        let ahead = (msg & !LOGICAL_MASK).saturating_sub(physical_now());
        if !offset.is_null() {
            // SAFETY: not NULL, the caller's.
            unsafe { offset.write(ahead) };
        }
        if ahead > EPSILON.load(Ordering::Relaxed) {
            return der(Der::HLC_SYNC);
        }
        CLOCK.advance(msg);
        if !hlc_out.is_null() {
            // SAFETY: not NULL, the caller's.
            unsafe { hlc_out.write(CLOCK.now()) };
        }
        0
    }

    fn d_hlc2nsec(hlc: u64) -> u64 {
        hlc / UNITS_PER_NS
    }

    fn d_nsec2hlc(nsec: u64) -> u64 {
        nsec.wrapping_mul(UNITS_PER_NS)
    }

    fn d_hlc2unixnsec(hlc: u64) -> u64 {
        hlc / UNITS_PER_NS + START_UNIX_SECONDS * NS_PER_SECOND
    }

    fn d_unixnsec2hlc(unixnsec: u64) -> u64 {
        let since_start = unixnsec.checked_sub(START_UNIX_SECONDS * NS_PER_SECOND);
        since_start.and_then(|ns| ns.checked_mul(UNITS_PER_NS)).unwrap_or(0)
    }

    fn d_hlc2timespec(hlc: u64, ts: *mut daos_sys::timespec) -> c_int {
        // SAFETY: NULL or the caller's.
        let Some(out) = (unsafe { ts.cast::<timespec>().as_mut() }) else { return der(Der::INVAL) };
        let time = daos_common::hlc::to_unix(hlc);
        out.tv_sec = time.as_secs() as libc::time_t;
        out.tv_nsec = libc::c_long::from(time.subsec_nanos() as i32);
        0
    }

    fn d_timespec2hlc(ts: daos_sys::timespec, hlc: *mut u64) -> c_int {
        if hlc.is_null() {
            return der(Der::INVAL);
        }
        let seconds = (ts.tv_sec as u64).wrapping_sub(START_UNIX_SECONDS);
        let ns = seconds.wrapping_mul(NS_PER_SECOND).wrapping_add(ts.tv_nsec as u64);
        // SAFETY: not NULL, the caller's.
        unsafe { hlc.write(ns.wrapping_mul(UNITS_PER_NS)) };
        0
    }

    fn d_hlc_epsilon_set(epsilon: u64) {
        EPSILON.store(epsilon.saturating_add(LOGICAL_MASK) & !LOGICAL_MASK, Ordering::Relaxed);
    }

    fn d_hlc_epsilon_get() -> u64 {
        EPSILON.load(Ordering::Relaxed)
    }

    fn d_hlc_epsilon_get_bound(hlc: u64) -> u64 {
        hlc.saturating_add(EPSILON.load(Ordering::Relaxed)) | LOGICAL_MASK
    }

    fn d_hlc_age2sec(hlc: u64) -> u64 {
        physical_now().saturating_sub(hlc) / UNITS_PER_NS / NS_PER_SECOND
    }

    fn d_hlct_get() -> u64 {
        TRACKER.load(Ordering::Acquire)
    }

    fn d_hlct_sync(msg: u64) {
        TRACKER.fetch_max(msg, Ordering::AcqRel);
    }
}
