//! Fault locations for tests: a location, a value and a count that a program sets, and the check.

use daos_export::export;
use daos_sys as sys;
use libc::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

static LOCATION: AtomicU64 = AtomicU64::new(0);
static VALUE: AtomicU64 = AtomicU64::new(0);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// How often the location may still fail; u64::MAX for always.
static LEFT: AtomicU64 = AtomicU64::new(0);

fn set_location(location: u64) {
    let is = |flag: u32| location & u64::from(flag) != 0;
    let left = if is(sys::DAOS_FAIL_ONCE) {
        1
    } else if is(sys::DAOS_FAIL_SOME) {
        COUNT.load(Ordering::Relaxed)
    } else if is(sys::DAOS_FAIL_ALWAYS) {
        u64::MAX
    } else {
        0
    };
    LEFT.store(left, Ordering::Relaxed);
    LOCATION.store(location, Ordering::Release);
}

export! { Der;
    fn daos_fail_init() -> c_int {
        0
    }

    fn daos_fail_fini() {
        set_location(0);
    }

    fn daos_fail_loc_set(id: u64) {
        set_location(id);
    }

    fn daos_fail_loc_reset() {
        set_location(0);
    }

    fn daos_fail_value_set(val: u64) {
        VALUE.store(val, Ordering::Relaxed);
    }

    fn daos_fail_value_get() -> u64 {
        VALUE.load(Ordering::Relaxed)
    }

    fn daos_fail_num_set(num: u64) {
        COUNT.store(num, Ordering::Relaxed);
    }

    fn daos_fail_check(id: u64) -> c_int {
        let location = LOCATION.load(Ordering::Acquire);
        let mask = u64::from(sys::DAOS_FAIL_MASK_LOC);
        if location == 0 || location & mask != id & mask {
            return 0;
        }
        let take = |left: u64| (left > 0).then(|| if left == u64::MAX { left } else { left - 1 });
        c_int::from(LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok())
    }

    fn daos_shard_fail_value(shards: *mut u16, nr: c_int) -> u64 {
        let count = usize::try_from(nr).unwrap_or(0);
        if shards.is_null() || !(1..=4).contains(&count) {
            return 0;
        }
        // SAFETY: an array of the caller's.
        let shards = unsafe { std::slice::from_raw_parts(shards, count) };
        shards.iter().rev().fold(0, |value, shard| value << 16 | (u64::from(*shard) + 1))
    }

    fn daos_shard_in_fail_value(shard: u16) -> bool {
        let value = VALUE.load(Ordering::Relaxed);
        (0..4).any(|at| value >> (at * 16) & 0xffff == u64::from(shard) + 1)
    }
}
