//! The options with which DAOS programs initialise an RPC library of the original's kind.

use daos_export::export;
use daos_sys as sys;
use libc::c_int;
use std::cell::UnsafeCell;

/// The options of the process, which programs may change further.
struct Options(UnsafeCell<sys::crt_init_options_t>);

// SAFETY: programs initialise in one thread, as the header says; nothing here keeps a reference.
unsafe impl Sync for Options {}

// SAFETY: numbers, flags and NULL pointers: zero is a valid value.
static OPTIONS: Options = Options(UnsafeCell::new(unsafe { std::mem::zeroed() }));

export! { Der;
    fn daos_crt_init_opt_get(server: bool, crt_nr: c_int) -> *mut sys::crt_init_options_t {
        let mut limit = 0;
        // SAFETY: a C string and a number.
        let given = unsafe { sys::d_getenv_uint32_t(c"DAOS_RPC_SIZE_LIMIT".as_ptr(), &mut limit) } == 0 && limit > 0;
        let bytes = if given { limit } else { sys::DAOS_RPC_SIZE };
        let options = OPTIONS.0.get();
        // SAFETY: the one place; see `Options`.
        unsafe {
            (*options).set_cio_use_sensors(server.into());
            (*options).set_cio_use_expected_size(1);
            (*options).set_cio_use_unexpected_size(1);
            (*options).cio_max_expected_size = bytes;
            (*options).cio_max_unexpected_size = bytes;
            (*options).cio_ctx_max_num = crt_nr;
        }
        options
    }
}
