//! Fault injection: the switch, the attributes of faults, and the decision at a place.
//!
//! Attributes come from the file that `D_FI_CONFIG` names ([`crate::fault_config`]), which also turns the switch on, or
//! from the program (`d_fault_attr_set`). Places check the switch and call `d_should_fail`; fault 0 is that of
//! allocations. Callers keep pointers to attributes, so these live until the last `d_fault_inject_fini`.

use crate::fault_config::{self, Config};
use crate::{alloc, der, environment, log};
use daos_common::Der;
use daos_export::export;
use daos_sys::d_fault_attr_t;
use libc::{c_char, c_int, c_uint};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Whether faults may be injected: read by the macros.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static d_fault_inject: AtomicU32 = AtomicU32::new(0);
/// Whether a configuration file was read.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static d_fault_config_file: AtomicU32 = AtomicU32::new(0);
/// The attribute of allocations.
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static mut d_fault_attr_mem: *mut d_fault_attr_t = ptr::null_mut();

/// The faults of the process. Attributes and texts are C memory, kept as addresses.
pub(crate) struct Faults {
    users: u32,
    seed: u32,
    attributes: BTreeMap<u32, usize>,
    /// Arguments that were replaced: somebody may still read one.
    replaced: Vec<usize>,
}

static FAULTS: Mutex<Faults> =
    Mutex::new(Faults { users: 0, seed: 0, attributes: BTreeMap::new(), replaced: Vec::new() });
static NEW_THREADS: AtomicBool = AtomicBool::new(true);

thread_local! {
    static THIS_THREAD: Cell<Option<bool>> = const { Cell::new(None) };
}

fn faults() -> MutexGuard<'static, Faults> {
    FAULTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs `action` under an attribute's own lock.
///
/// # Safety
/// An attribute of this library's that lives.
unsafe fn locked<R>(attribute: *mut d_fault_attr_t, action: impl FnOnce(&mut d_fault_attr_t) -> R) -> R {
    // SAFETY: as the caller says; the lock was initialised with the attribute.
    unsafe {
        let lock = (&raw mut (*attribute).fa_lock).cast();
        libc::pthread_spin_lock(lock);
        let result = action(&mut *attribute);
        libc::pthread_spin_unlock(lock);
        result
    }
}

impl Faults {
    fn lookup(&self, number: u32) -> *mut d_fault_attr_t {
        self.attributes.get(&number).map_or(ptr::null_mut(), |address| *address as *mut d_fault_attr_t)
    }

    /// Sets an attribute, and makes it if it is new. The argument is copied.
    ///
    /// # Safety
    /// `values.fa_argument` is NULL or a C string.
    unsafe fn set(&mut self, number: u32, values: &d_fault_attr_t) -> Result<(), Der> {
        let mut argument: *mut c_char = ptr::null_mut();
        if !values.fa_argument.is_null() {
            // SAFETY: as the caller says.
            argument = alloc::counted(unsafe { libc::strdup(values.fa_argument) });
            if argument.is_null() {
                return Err(Der::NOMEM);
            }
        }
        let mut attribute = self.lookup(number);
        if attribute.is_null() {
            attribute = alloc::zeroed_array(1);
            if attribute.is_null() {
                alloc::free(argument);
                return Err(Der::NOMEM);
            }
            // SAFETY: fresh memory.
            unsafe { libc::pthread_spin_init((&raw mut (*attribute).fa_lock).cast(), libc::PTHREAD_PROCESS_PRIVATE) };
            self.attributes.insert(number, attribute as usize);
        }
        let seed = self.seed;
        // SAFETY: an attribute of this library's.
        let old = unsafe {
            locked(attribute, |attribute| {
                let old = attribute.fa_argument;
                let lock = attribute.fa_lock;
                let fa_rand_state = [seed as u16, (seed >> 16) as u16, 0];
                *attribute =
                    d_fault_attr_t { fa_id: number, fa_lock: lock, fa_argument: argument, fa_rand_state, ..*values };
                old
            })
        };
        if !old.is_null() {
            self.replaced.push(old as usize);
        }
        Ok(())
    }

    fn take(&mut self, config: &Config) -> Result<(), Der> {
        self.seed = config.seed as u32;
        if let Some(enabled) = config.thread_default {
            NEW_THREADS.store(enabled, Ordering::Relaxed);
        }
        for fault in config.fault_config.iter().flatten() {
            let argument = fault.argument.as_deref().map(alloc::c_string).unwrap_or(ptr::null_mut());
            let values = d_fault_attr_t {
                fa_probability_x: fault.probability_x as u32,
                fa_probability_y: fault.probability_y as u32,
                fa_interval: fault.interval as u32,
                fa_max_faults: fault.max_faults as u64,
                fa_err_code: fault.err_code as i32,
                fa_argument: argument,
                ..Default::default()
            };
            // SAFETY: NULL or a C string.
            let set = unsafe { self.set(fault.id as u32, &values) };
            alloc::free(argument);
            set?;
        }
        Ok(())
    }

    /// Frees all attributes; nobody uses one any more.
    fn clear(&mut self) {
        for address in std::mem::take(&mut self.attributes).into_values() {
            let attribute = address as *mut d_fault_attr_t;
            // SAFETY: an attribute of this library's.
            unsafe {
                libc::pthread_spin_destroy((&raw mut (*attribute).fa_lock).cast());
                alloc::free((*attribute).fa_argument);
            }
            alloc::free(attribute);
        }
        for address in std::mem::take(&mut self.replaced) {
            alloc::free(address as *mut c_char);
        }
        self.seed = 0;
    }
}

/// Reads the configuration file.
fn configured(path: &str) -> Result<Config, Der> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        log::tell_error(&format!("fault injection is off: D_FI_CONFIG names {path}: {error}"));
        match error.kind() {
            std::io::ErrorKind::NotFound => Der::NONEXIST,
            std::io::ErrorKind::PermissionDenied => Der::NO_PERM,
            std::io::ErrorKind::OutOfMemory => Der::NOMEM,
            _ => Der::MISC,
        }
    })?;
    fault_config::parse(&text).map_err(|error| {
        log::tell_error(&format!("fault injection is off: {path}: {error}"));
        Der::INVAL
    })
}

/// Counts a hit and decides; under the attribute's lock.
fn decide(attribute: &mut d_fault_attr_t) -> bool {
    if attribute.fa_probability_x == 0 {
        return false;
    }
    if attribute.fa_max_faults != 0 && attribute.fa_num_faults >= attribute.fa_max_faults {
        return false;
    }
    attribute.fa_num_hits += 1;
    if attribute.fa_interval > 1 && !attribute.fa_num_hits.is_multiple_of(u64::from(attribute.fa_interval)) {
        return false;
    }
    let mut hit = true;
    if attribute.fa_probability_y != 0 {
        // SAFETY: an array of three.
        let chance = unsafe { libc::nrand48(attribute.fa_rand_state.as_mut_ptr()) } as u64;
        hit = chance % u64::from(attribute.fa_probability_y) < u64::from(attribute.fa_probability_x);
    }
    attribute.fa_num_faults += u64::from(hit);
    hit
}

/// Without a file there is nothing to do; with one it is read and the switch turned on.
fn initialise(faults: &mut Faults) -> Result<(), Der> {
    const VARIABLE: &CStr = c"D_FI_CONFIG";
    let Some(path) = environment::text(VARIABLE).filter(|path| !path.is_empty()) else { return Ok(()) };
    faults.take(&configured(&path)?)?;
    // SAFETY: a word that programs read; written before the switch is on.
    unsafe { d_fault_attr_mem = faults.lookup(0) };
    d_fault_config_file.store(1, Ordering::Release);
    d_fault_inject.store(1, Ordering::Release);
    Ok(())
}

/// The faults, held over a fork.
pub(crate) type Held = MutexGuard<'static, Faults>;

/// Keeps other threads from changing faults.
pub(crate) fn hold() -> Held {
    faults()
}

export! { Der;
    fn d_fault_inject_init() -> c_int {
        let mut faults = faults();
        if faults.users == 0
            && let Err(code) = initialise(&mut faults)
        {
            return der(code);
        }
        faults.users += 1;
        0
    }

    fn d_fault_inject_fini() -> c_int {
        let mut faults = faults();
        faults.users = faults.users.saturating_sub(1);
        if faults.users == 0 {
            d_fault_inject.store(0, Ordering::Release);
            d_fault_config_file.store(0, Ordering::Release);
            // SAFETY: a word that programs read when the switch is on.
            unsafe { d_fault_attr_mem = ptr::null_mut() };
            faults.clear();
        }
        0
    }

    fn d_fault_inject_enable() -> c_int {
        if d_fault_config_file.load(Ordering::Acquire) == 0 {
            return der(Der::NOSYS);
        }
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
        // SAFETY: an attribute of d_fault_attr_lookup(), which lives until the last fini.
        enabled && !fault_attr_ptr.is_null() && unsafe { locked(fault_attr_ptr, decide) }
    }

    fn d_fault_attr_set(fault_id: u32, fa_in: d_fault_attr_t) -> c_int {
        // SAFETY: NULL or a C string of the caller's.
        unsafe { faults().set(fault_id, &fa_in) }.map_or_else(der, |()| 0)
    }

    fn d_fault_attr_lookup(fault_id: u32) -> *mut d_fault_attr_t {
        faults().lookup(fault_id)
    }

    fn d_fault_attr_err_code(fault_id: c_uint) -> c_int {
        let attribute = faults().lookup(fault_id);
        if attribute.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: an attribute of this library's, which lives until the last fini.
        unsafe { locked(attribute, |attribute| attribute.fa_err_code) }
    }
}
