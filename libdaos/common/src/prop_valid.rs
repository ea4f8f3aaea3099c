//! The rules of property lists: which types, once each, and what values programs may give. The values' rules are
//! `daos_common::props`'s.

use crate::acl;
use crate::prop_entry::{Value, value_of};
use daos_common::label::check_label;
use daos_common::props::{self, Kind};
use daos_common::wire::pool::PropValue;
use daos_export::export;
use daos_sys::{self as sys, daos_prop_entry, daos_prop_t};
use std::collections::BTreeSet;

/// Whether a program may give this value.
///
/// # Safety
/// The entry has a value of its type.
unsafe fn value_is_valid(entry: &daos_prop_entry) -> bool {
    let Ok(info) = props::by_number(entry.dpe_type) else { return false };
    // SAFETY: by the type, as the caller says.
    let value = unsafe {
        match value_of(entry.dpe_type) {
            Value::Number => PropValue::Number(entry.__bindgen_anon_1.dpe_val),
            Value::Text => match crate::memory::text(entry.__bindgen_anon_1.dpe_str) {
                // What stands for "no label" is no label that a program may give.
                Some(text) if matches!(info.kind, Kind::Label) => return check_label(text).is_ok(),
                Some(text) => PropValue::Text(text.to_owned()),
                None => return false,
            },
            Value::Acl => return acl::from_c(entry.__bindgen_anon_1.dpe_val_ptr.cast()).is_ok(),
            Value::Roots | Value::Ranks => return true,
        }
    };
    // Sizes and limits may be 0, for "the default"; anything else goes by its rule.
    matches!((info.kind, &value), (Kind::Size(..), PropValue::Number(0))) || props::validate(info, &value).is_ok()
}

/// The entries of a list.
///
/// # Safety
/// A list whose array has its number of entries.
pub(crate) unsafe fn entries<'a>(prop: *const daos_prop_t) -> &'a [daos_prop_entry] {
    // SAFETY: as the caller says.
    unsafe {
        match prop.as_ref() {
            Some(prop) if !prop.dpp_entries.is_null() && prop.dpp_nr > 0 => {
                std::slice::from_raw_parts(prop.dpp_entries, prop.dpp_nr as usize)
            }
            _ => &[],
        }
    }
}

/// # Safety
/// NULL or a list.
pub(crate) unsafe fn is_valid(prop: *const daos_prop_t, pool: bool, input: bool) -> bool {
    // SAFETY: as the caller says.
    let Some(list) = (unsafe { prop.as_ref() }) else { return false };
    if list.dpp_nr > sys::DAOS_PROP_ENTRIES_MAX_NR || (list.dpp_nr == 0) != list.dpp_entries.is_null() {
        return false;
    }
    let types = if pool {
        sys::DAOS_PROP_PO_MIN + 1..sys::DAOS_PROP_PO_MAX
    } else {
        sys::DAOS_PROP_CO_MIN + 1..sys::DAOS_PROP_CO_MAX
    };
    let mut seen = BTreeSet::new();
    // SAFETY: as the caller says.
    unsafe { entries(prop) }.iter().all(|entry| {
        // SAFETY: an entry that the program gives has a value of its type.
        types.contains(&entry.dpe_type) && seen.insert(entry.dpe_type) && (!input || unsafe { value_is_valid(entry) })
    })
}

export! { Der;
    fn daos_prop_valid(prop: *mut daos_prop_t, pool: bool, input: bool) -> bool {
        // SAFETY: NULL or a list of the caller's.
        unsafe { is_valid(prop, pool, input) }
    }
}
