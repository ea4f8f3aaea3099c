//! Fault injection: the switches and attributes. A fault is injected only where a program has set attributes itself
//! (`d_fault_attr_set`); configuration files are not read, so the switch is off unless a program turns it on.

use crate::der;
use daos_common::Der;
use daos_export::export;
use daos_sys::d_fault_attr_t;
use libc::{c_int, c_uint};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Whether faults may be injected: read by the macros.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static d_fault_inject: AtomicU32 = AtomicU32::new(0);
/// Whether a configuration file was read: never.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static d_fault_config_file: AtomicU32 = AtomicU32::new(0);
/// The attribute of allocations.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static mut d_fault_attr_mem: *mut d_fault_attr_t = ptr::null_mut();

/// Attributes by number, leaked: callers keep pointers. As addresses, since they belong to C.
static ATTRIBUTES: Mutex<BTreeMap<u32, usize>> = Mutex::new(BTreeMap::new());
static NEW_THREADS: AtomicBool = AtomicBool::new(true);

thread_local! {
    static THIS_THREAD: Cell<Option<bool>> = const { Cell::new(None) };
}

fn lookup(number: u32) -> *mut d_fault_attr_t {
    let attributes = ATTRIBUTES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    attributes.get(&number).map_or(ptr::null_mut(), |address| *address as *mut d_fault_attr_t)
}

/// Counts a hit and decides; the attribute's lock is held.
fn decide(attribute: &mut d_fault_attr_t) -> bool {
    if attribute.fa_probability_x == 0 || attribute.fa_probability_y == 0 {
        return false;
    }
    if attribute.fa_max_faults != 0 && attribute.fa_num_faults >= attribute.fa_max_faults {
        return false;
    }
    attribute.fa_num_hits += 1;
    if attribute.fa_interval > 1 && !attribute.fa_num_hits.is_multiple_of(u64::from(attribute.fa_interval)) {
        return false;
    }
    // SAFETY: an array of three.
    let chance = unsafe { libc::nrand48(attribute.fa_rand_state.as_mut_ptr()) } as u64;
    let hit = chance % u64::from(attribute.fa_probability_y) < u64::from(attribute.fa_probability_x);
    attribute.fa_num_faults += u64::from(hit);
    hit
}

export! { Der;
    fn d_fault_inject_init() -> c_int {
        0
    }

    fn d_fault_inject_fini() -> c_int {
        d_fault_inject.store(0, Ordering::Relaxed);
        0
    }

    fn d_fault_inject_enable() -> c_int {
        d_fault_inject.store(1, Ordering::Relaxed);
        0
    }

    fn d_fault_inject_disable() -> c_int {
        d_fault_inject.store(0, Ordering::Relaxed);
        0
    }

    fn d_fault_inject_is_enabled() -> bool {
        d_fault_inject.load(Ordering::Relaxed) != 0
    }

    fn d_fault_inject_thread_enable(enabled: bool) {
        THIS_THREAD.with(|thread| thread.set(Some(enabled)));
    }

    fn d_fault_inject_thread_default_enable(enabled: bool) {
        NEW_THREADS.store(enabled, Ordering::Relaxed);
    }

    fn d_should_fail(fault_attr_ptr: *mut d_fault_attr_t) -> bool {
        let enabled = THIS_THREAD.with(Cell::get).unwrap_or_else(|| NEW_THREADS.load(Ordering::Relaxed));
        if fault_attr_ptr.is_null() || !enabled || d_fault_inject.load(Ordering::Relaxed) == 0 {
            return false;
        }
        // SAFETY: an attribute of d_fault_attr_lookup(), whose lock is initialised.
        unsafe {
            libc::pthread_spin_lock((&raw mut (*fault_attr_ptr).fa_lock).cast());
            let fails = decide(&mut *fault_attr_ptr);
            libc::pthread_spin_unlock((&raw mut (*fault_attr_ptr).fa_lock).cast());
            fails
        }
    }

    fn d_fault_attr_set(fault_id: u32, fa_in: d_fault_attr_t) -> c_int {
        let mut attributes = ATTRIBUTES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let address = match attributes.get(&fault_id) {
            Some(address) => *address,
            None => {
                let fresh: *mut d_fault_attr_t = crate::alloc::zeroed_array(1);
                if fresh.is_null() {
                    return der(Der::NOMEM);
                }
                // SAFETY: fresh memory.
                unsafe { libc::pthread_spin_init((&raw mut (*fresh).fa_lock).cast(), libc::PTHREAD_PROCESS_PRIVATE) };
                attributes.insert(fault_id, fresh as usize);
                fresh as usize
            }
        };
        let attribute = address as *mut d_fault_attr_t;
        // SAFETY: an attribute of this library's; its lock stays.
        unsafe {
            libc::pthread_spin_lock((&raw mut (*attribute).fa_lock).cast());
            let lock = (*attribute).fa_lock;
            attribute.write(d_fault_attr_t { fa_id: fault_id, fa_lock: lock, ..fa_in });
            libc::pthread_spin_unlock((&raw mut (*attribute).fa_lock).cast());
        }
        0
    }

    fn d_fault_attr_lookup(fault_id: u32) -> *mut d_fault_attr_t {
        lookup(fault_id)
    }

    fn d_fault_attr_err_code(fault_id: c_uint) -> c_int {
        // SAFETY: NULL or an attribute of this library's.
        unsafe { lookup(fault_id).as_ref() }.map_or(0, |attribute| attribute.fa_err_code)
    }
}
