//! Fault locations for tests: the location, value and count that a program sets, and the check, on libgurt's fault
//! attributes: one per location from a configuration file, or one per group, which `daos_fail_loc_set` sets.

use daos_export::export;
use daos_sys as sys;
use libc::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

static LOCATION: AtomicU64 = AtomicU64::new(0);
static VALUE: AtomicU64 = AtomicU64::new(0);
static COUNT: AtomicU64 = AtomicU64::new(0);

fn group(location: u64) -> u32 {
    ((location & u64::from(sys::DAOS_FAIL_GROUP_MASK)) >> sys::DAOS_FAIL_GROUP_SHIFT) as u32
}

/// How many faults a location asks for, 0 for no limit; `None` if it does not say.
fn faults_of(location: u64) -> Option<u64> {
    let is = |flag: u32| location & u64::from(flag) != 0;
    if is(sys::DAOS_FAIL_ONCE) {
        Some(1)
    } else if is(sys::DAOS_FAIL_SOME) {
        Some(COUNT.load(Ordering::Relaxed).max(1))
    } else {
        is(sys::DAOS_FAIL_ALWAYS).then_some(0)
    }
}

fn set_location(location: u64) {
    if group(location) >= sys::DAOS_FAIL_MAX_GROUP {
        return;
    }
    if let Some(max_faults) = faults_of(location) {
        let attribute = sys::d_fault_attr_t {
            fa_probability_x: 1,
            fa_probability_y: 1,
            fa_max_faults: max_faults,
            ..Default::default()
        };
        // SAFETY: a value that is copied.
        if unsafe { sys::d_fault_attr_set(group(location), attribute) } != 0 {
            return;
        }
    }
    LOCATION.store(location, Ordering::Release);
}

/// Whether the attribute with a number says that a fault is due, if there is one.
fn is_due(number: u32) -> Option<bool> {
    // SAFETY: an attribute lives until fault injection is finalised, after its users.
    unsafe {
        let attribute = sys::d_fault_attr_lookup(number);
        (!attribute.is_null()).then(|| sys::d_should_fail(attribute))
    }
}

export! { Der;
    fn daos_fail_init() -> c_int {
        // SAFETY: no argument.
        unsafe { sys::d_fault_inject_init() }
    }

    fn daos_fail_fini() {
        set_location(0);
        // SAFETY: no argument.
        unsafe { sys::d_fault_inject_fini() };
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
        // SAFETY: no argument.
        let configured = unsafe { sys::d_fault_inject_is_enabled() };
        if configured && let Some(due) = is_due((id & u64::from(sys::DAOS_FAIL_ID_MASK)) as u32) {
            return c_int::from(due);
        }
        let (location, mask) = (LOCATION.load(Ordering::Acquire), u64::from(sys::DAOS_FAIL_MASK_LOC));
        let chosen = location != 0 && location & mask == id & mask && faults_of(location).is_some();
        c_int::from(chosen && is_due(group(id)).unwrap_or(false))
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
