//! The log facilities and debug bits of the DAOS libraries, registered with libgurt's logger.
//!
//! The variables are the generated data symbols; programs' macros read them.

use crate::{der, stubs};
use daos_common::Der;
use daos_export::export;
use daos_sys as sys;
use libc::{c_char, c_int};
use std::ffi::CStr;
use std::ptr;
use std::sync::Mutex;

/// Who has initialised the logger through this library.
static USERS: Mutex<u32> = Mutex::new(0);
/// Called by the logger for its callers' thread ids: kept for the next initialisation.
static ID_CALLBACK: Mutex<sys::d_log_id_cb_t> = Mutex::new(None);

/// Flavor of log lines: process, tag, facility, year.
const FLAVOR: u32 = sys::DLOG_FLV_DEFAULT;
/// DLOG_ERR and DLOG_CRIT.
const ERROR: u64 = 0x0400_0000;
const CRITICAL: u64 = 0x0500_0000;
/// Verdicts that a facility of this library caches: 9 priorities, 7 debug bits of libgurt, 8 of this library.
const CACHE_LENGTH: c_int = 24;

macro_rules! facilities {
    ($($name:literal $number:ident $cache:ident;)*) => {
        /// Names, numbers and caches of the facilities.
        fn facilities() -> Vec<(&'static CStr, *mut c_int, *mut c_int)> {
            vec![$(($name, &raw mut stubs::$number, (&raw mut stubs::$cache).cast()),)*]
        }
    };
}

facilities! {
    c"daos" daos_daos_logfac daos_daos_logfac_cache;
    c"array" daos_array_logfac daos_array_logfac_cache;
    c"kv" daos_kv_logfac daos_kv_logfac_cache;
    c"common" daos_common_logfac daos_common_logfac_cache;
    c"tree" daos_tree_logfac daos_tree_logfac_cache;
    c"vos" daos_vos_logfac daos_vos_logfac_cache;
    c"pmdk" daos_pmdk_logfac daos_pmdk_logfac_cache;
    c"dlck" daos_dlck_logfac daos_dlck_logfac_cache;
    c"client" daos_client_logfac daos_client_logfac_cache;
    c"server" daos_server_logfac daos_server_logfac_cache;
    c"rdb" daos_rdb_logfac daos_rdb_logfac_cache;
    c"rsvc" daos_rsvc_logfac daos_rsvc_logfac_cache;
    c"pool" daos_pool_logfac daos_pool_logfac_cache;
    c"container" daos_container_logfac daos_container_logfac_cache;
    c"object" daos_object_logfac daos_object_logfac_cache;
    c"placement" daos_placement_logfac daos_placement_logfac_cache;
    c"rebuild" daos_rebuild_logfac daos_rebuild_logfac_cache;
    c"mgmt" daos_mgmt_logfac daos_mgmt_logfac_cache;
    c"bio" daos_bio_logfac daos_bio_logfac_cache;
    c"tests" daos_tests_logfac daos_tests_logfac_cache;
    c"dfs" daos_dfs_logfac daos_dfs_logfac_cache;
    c"duns" daos_duns_logfac daos_duns_logfac_cache;
    c"drpc" daos_drpc_logfac daos_drpc_logfac_cache;
    c"security" daos_security_logfac daos_security_logfac_cache;
    c"dtx" daos_dtx_logfac daos_dtx_logfac_cache;
    c"chk" daos_chk_logfac daos_chk_logfac_cache;
    c"dfuse" daos_dfuse_logfac daos_dfuse_logfac_cache;
    c"il" daos_il_logfac daos_il_logfac_cache;
    c"csum" daos_csum_logfac daos_csum_logfac_cache;
    c"pipeline" daos_pipeline_logfac daos_pipeline_logfac_cache;
    c"stack" daos_stack_logfac daos_stack_logfac_cache;
    c"ddb" daos_ddb_logfac daos_ddb_logfac_cache;
}

macro_rules! debug_bits {
    ($($name:literal $long_name:literal $variable:ident;)*) => {
        /// Short names, long names and variables of the debug bits.
        fn debug_bits() -> Vec<(&'static CStr, &'static CStr, *mut u64)> {
            vec![$(($name, $long_name, (&raw mut stubs::$variable).cast()),)*]
        }
    };
}

debug_bits! {
    c"md" c"metadata" DB_MD;
    c"pl" c"placement" DB_PL;
    c"mgmt" c"management" DB_MGMT;
    c"epc" c"epoch" DB_EPC;
    c"df" c"durable_format" DB_DF;
    c"rebuild" c"rebuild" DB_REBUILD;
    c"sec" c"security" DB_SEC;
    c"csum" c"checksum" DB_CSUM;
}

/// Numbers the facilities and debug bits.
fn register() -> c_int {
    for (name, number, cache) in facilities() {
        // SAFETY: C strings; variables that live as long as the library.
        unsafe {
            let given = sys::d_log_allocfacility(name.as_ptr(), name.as_ptr());
            if given < 0 {
                return der(Der::UNINIT);
            }
            number.write(given);
            sys::d_log_add_cache(cache, CACHE_LENGTH);
        }
    }
    for (name, long_name, variable) in debug_bits() {
        // SAFETY: C strings; variables that live as long as the library.
        let given =
            unsafe { sys::d_log_dbg_bit_alloc(variable, name.as_ptr().cast_mut(), long_name.as_ptr().cast_mut()) };
        if given < 0 {
            return der(Der::UNINIT);
        }
    }
    0
}

/// # Safety
/// `file` is NULL or a C string.
unsafe fn initialise(file: *mut c_char, mask: u64) -> c_int {
    let mut users = USERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *users > 0 {
        *users += 1;
        return 0;
    }
    let id_callback = *ID_CALLBACK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut chosen: *mut c_char = ptr::null_mut();
    // SAFETY: C strings or NULL; the copy is freed.
    unsafe {
        // The environment goes before the program's file.
        let named = sys::d_agetenv_str(&mut chosen, c"D_LOG_FILE".as_ptr()) == 0 && !chosen.is_null() && *chosen != 0;
        let target = if named { chosen } else { file };
        let tag = c"DAOS".as_ptr().cast_mut();
        let answer = sys::d_log_init_adv(tag, target, FLAVOR, mask, CRITICAL, id_callback);
        sys::d_freeenv_str(&mut chosen);
        if answer != 0 {
            return answer;
        }
        let answer = register();
        if answer != 0 {
            sys::d_log_fini();
            return answer;
        }
        sys::d_log_sync_mask();
    }
    *users = 1;
    0
}

export! { Der;
    fn daos_debug_init(logfile: *mut c_char) -> c_int {
        // SAFETY: NULL or a C string.
        unsafe { initialise(logfile, ERROR) }
    }

    fn daos_debug_init_ex(logfile: *mut c_char, logmask: sys::d_dbug_t) -> c_int {
        // SAFETY: NULL or a C string.
        unsafe { initialise(logfile, logmask) }
    }

    fn daos_debug_set_id_cb(id_cb: sys::d_log_id_cb_t) {
        *ID_CALLBACK.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = id_cb;
    }

    fn daos_debug_fini() {
        let mut users = USERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *users == 1 {
            // SAFETY: initialised above.
            unsafe { sys::d_log_fini() };
        }
        *users = users.saturating_sub(1);
    }
}
