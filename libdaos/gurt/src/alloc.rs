//! `d_malloc` and its kin: the C heap, with optional callbacks that count.

use daos_export::export;
use libc::{c_char, c_void, size_t};
use std::ptr;
use std::sync::RwLock;

/// What `d_set_alloc_track_cb` registered. The argument is the caller's pointer, kept as an address.
#[derive(Clone, Copy)]
struct Tracker {
    allocated: daos_sys::d_alloc_track_cb_t,
    freed: daos_sys::d_alloc_track_cb_t,
    argument: usize,
}

static TRACKER: RwLock<Option<Tracker>> = RwLock::new(None);

fn tracker() -> Option<Tracker> {
    TRACKER.read().map_or(None, |tracker| *tracker)
}

fn usable(memory: *mut c_void) -> size_t {
    if memory.is_null() {
        return 0;
    }
    // SAFETY: the pointer came from this library's allocation functions, as the header asks.
    unsafe { libc::malloc_usable_size(memory) }
}

/// Tells the tracker of fresh memory and passes it on.
pub(crate) fn counted<T>(memory: *mut T) -> *mut T {
    if let (Some(tracker), false) = (tracker(), memory.is_null())
        && let Some(callback) = tracker.allocated
    {
        // SAFETY: the callback and its argument were registered together.
        unsafe { callback(tracker.argument as *mut c_void, usable(memory.cast())) };
    }
    memory
}

fn forget(memory: *mut c_void) {
    if let (Some(tracker), false) = (tracker(), memory.is_null())
        && let Some(callback) = tracker.freed
    {
        // SAFETY: the callback and its argument were registered together.
        unsafe { callback(tracker.argument as *mut c_void, usable(memory)) };
    }
}

/// A zeroed C array, NULL for no memory.
pub(crate) fn zeroed_array<T>(count: usize) -> *mut T {
    // SAFETY: calloc takes any numbers.
    counted(unsafe { libc::calloc(count.max(1), size_of::<T>()) }.cast())
}

/// Frees memory of this library; NULL is allowed.
pub(crate) fn free<T>(memory: *mut T) {
    forget(memory.cast());
    // SAFETY: the pointer came from this library's allocation functions, and the caller gives it up.
    unsafe { libc::free(memory.cast()) };
}

/// A C string on the C heap, NULL for no memory.
pub(crate) fn c_string(text: &str) -> *mut c_char {
    let bytes: Vec<u8> = text.bytes().filter(|b| *b != 0).collect();
    let copy: *mut u8 = zeroed_array(bytes.len() + 1);
    if !copy.is_null() {
        // SAFETY: the array has one byte more than the text.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len()) };
    }
    copy.cast()
}

/// The callbacks, held over a fork.
pub(crate) struct Held(#[allow(dead_code)] std::sync::RwLockWriteGuard<'static, Option<Tracker>>);

/// Keeps other threads from the callbacks.
pub(crate) fn hold() -> Held {
    Held(TRACKER.write().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

export! { Der;
    fn d_malloc(size: size_t) -> *mut c_void {
        // SAFETY: malloc takes any number.
        counted(unsafe { libc::malloc(size) })
    }

    fn d_calloc(nmemb: size_t, size: size_t) -> *mut c_void {
        // SAFETY: calloc takes any numbers.
        counted(unsafe { libc::calloc(nmemb, size) })
    }

    fn d_realloc(ptr: *mut c_void, size: size_t) -> *mut c_void {
        let before = usable(ptr);
        // SAFETY: the pointer came from this library's allocation functions.
        let memory = unsafe { libc::realloc(ptr, size) };
        if let (Some(Tracker { freed: Some(freed), argument, .. }), false) = (tracker(), memory.is_null()) {
            // SAFETY: the callback and its argument were registered together.
            unsafe { freed(argument as *mut c_void, before) };
        }
        counted(memory)
    }

    fn d_free(ptr: *mut c_void) {
        free(ptr);
    }

    fn d_strndup(s: *const c_char, n: size_t) -> *mut c_char {
        if s.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a string of at most n readable characters.
        counted(unsafe { libc::strndup(s, n) })
    }

    fn d_aligned_alloc(alignment: size_t, size: size_t, zero: bool) -> *mut c_void {
        if !alignment.is_power_of_two() {
            return ptr::null_mut();
        }
        // A whole number of alignments, as POSIX and strict allocators want it.
        let Some(size) = size.checked_next_multiple_of(alignment) else { return ptr::null_mut() };
        // SAFETY: aligned_alloc takes any numbers; a success has `size` bytes.
        let memory = counted(unsafe { libc::aligned_alloc(alignment, size) });
        if zero && !memory.is_null() {
            // SAFETY: as above.
            unsafe { ptr::write_bytes(memory.cast::<u8>(), 0, size) };
        }
        memory
    }

    fn d_realpath(path: *const c_char, resolved_path: *mut c_char) -> *mut c_char {
        if path.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a string, and NULL or a buffer of PATH_MAX bytes.
        let resolved = unsafe { libc::realpath(path, resolved_path) };
        if resolved_path.is_null() { counted(resolved) } else { resolved }
    }

    fn d_set_alloc_track_cb(
        alloc_cb: daos_sys::d_alloc_track_cb_t,
        free_cb: daos_sys::d_alloc_track_cb_t,
        arg: *mut c_void,
    ) {
        if let Ok(mut tracker) = TRACKER.write() {
            // Upstream's meaning: without an argument nothing is tracked.
            *tracker = (!arg.is_null()).then_some(Tracker { allocated: alloc_cb, freed: free_cb, argument: arg as usize });
        }
    }

    fn d_free_string(buf: *mut daos_sys::d_string_buffer_t) {
        // SAFETY: NULL or a buffer of the caller's that d_write_string_buffer has filled.
        if let Some(buffer) = unsafe { buf.as_mut() } {
            free(buffer.str_);
            *buffer = daos_sys::d_string_buffer_t::default();
        }
    }
}

// Functions with variable arguments are C (variadic.c): a symbol is exported only from Rust, so these are jumps.

unsafe extern "C" {
    fn gurt_asprintf();
    fn gurt_asprintf2();
    fn gurt_write_string_buffer();
}

macro_rules! jump {
    ($target:ident) => {{
        #[cfg(target_arch = "x86_64")]
        core::arch::naked_asm!("jmp {}", sym $target);
        #[cfg(target_arch = "aarch64")]
        core::arch::naked_asm!("b {}", sym $target);
    }};
}

/// # Safety
/// See the header: the arguments are those of the C prototype.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn d_asprintf() {
    jump!(gurt_asprintf)
}

/// # Safety
/// See the header: the arguments are those of the C prototype.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn d_asprintf2() {
    jump!(gurt_asprintf2)
}

/// # Safety
/// See the header: the arguments are those of the C prototype.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn d_write_string_buffer() {
    jump!(gurt_write_string_buffer)
}
