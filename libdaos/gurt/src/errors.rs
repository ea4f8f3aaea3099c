//! Names and descriptions of errors.

use daos_common::Der;
use daos_export::export;
use libc::{c_char, c_int};
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

type Texts = HashMap<c_int, (CString, CString)>;

/// Result number: (name, description), both for the life of the process.
fn texts() -> &'static Texts {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let c_text = |text: &str| CString::new(text).unwrap_or_default();
        (Der::ALL.iter()).map(|code| (code.rc(), (c_text(code.name()), c_text(code.description())))).collect()
    })
}

fn name(result: c_int) -> &'static CStr {
    match texts().get(&result) {
        Some((name, _)) => name,
        None if result == 0 => c"DER_SUCCESS",
        None => c"DER_UNKNOWN",
    }
}

fn description(result: c_int) -> &'static CStr {
    match texts().get(&result) {
        Some((_, description)) => description,
        None if result == 0 => c"Success",
        None => c"unknown error",
    }
}

export! { Der;
    fn d_errstr(errnum: c_int) -> *const c_char {
        name(errnum).as_ptr()
    }

    fn d_errdesc(errnum: c_int) -> *const c_char {
        description(errnum).as_ptr()
    }
}
