//! One property: `struct daos_prop_entry`, whose value is a number, a string, or a pointer to a structure, by its type.

use crate::{acl, der, memory};
use daos_common::Der;
use daos_common::props::{self, Kind};
use daos_export::export;
use daos_sys::{self as sys, d_rank_list_t, daos_prop_byteval, daos_prop_co_roots, daos_prop_entry};
use libc::{c_char, c_int, c_void, size_t};
use std::ptr;

/// What an entry's value is in C.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Number,
    Text,
    Acl,
    Roots,
    Ranks,
}

/// By the type's number; unknown types hold numbers.
pub(crate) fn value_of(number: u32) -> Value {
    match props::by_number(number).map(|info| info.kind) {
        Ok(Kind::Label | Kind::Principal) => Value::Text,
        Ok(Kind::Acl) => Value::Acl,
        Ok(Kind::Roots) => Value::Roots,
        Ok(Kind::Ranks) => Value::Ranks,
        _ => Value::Number,
    }
}

fn is_pointer(number: u32) -> bool {
    matches!(value_of(number), Value::Acl | Value::Roots | Value::Ranks)
}

/// Longest string of a property.
const TEXT_BYTES_MAX: usize = 255;

fn value_pointer(entry: &daos_prop_entry) -> *mut c_void {
    // SAFETY: every member of the union is a word.
    unsafe { entry.__bindgen_anon_1.dpe_val_ptr }
}

fn set_pointer<T>(entry: &mut daos_prop_entry, value: *mut T) {
    entry.__bindgen_anon_1.dpe_val_ptr = value.cast();
}

/// A copy of a rank list, `None` for no memory; NULL stays NULL.
///
/// # Safety
/// NULL or a list.
unsafe fn copy_ranks(list: *const d_rank_list_t) -> Option<*mut d_rank_list_t> {
    // SAFETY: as the caller says; fresh memory.
    unsafe {
        let Some(from) = list.as_ref() else { return Some(ptr::null_mut()) };
        let copy: *mut d_rank_list_t = memory::zeroed_array(1);
        let bytes = memory::bytes(from.rl_ranks, from.rl_nr as usize * size_of::<u32>());
        let ranks = memory::copy_of(bytes);
        if copy.is_null() || ranks.is_null() {
            memory::free(copy);
            memory::free(ranks);
            return None;
        }
        copy.write(d_rank_list_t { rl_ranks: ranks.cast(), rl_nr: from.rl_nr });
        Some(copy)
    }
}

/// Frees what an entry's value points at, and clears the value.
///
/// # Safety
/// The value is the C heap's, by its type.
pub(crate) unsafe fn free_value(entry: &mut daos_prop_entry) {
    let value = value_pointer(entry);
    // SAFETY: as the caller says.
    unsafe {
        match value_of(entry.dpe_type) {
            Value::Number => return,
            Value::Text | Value::Acl | Value::Roots => memory::free(value),
            Value::Ranks => {
                if let Some(list) = value.cast::<d_rank_list_t>().as_ref() {
                    memory::free(list.rl_ranks);
                    memory::free(value);
                }
            }
        }
    }
    set_pointer(entry, ptr::null_mut::<c_void>());
}

/// A copy of `from`'s value into `to`, whose own value is overwritten without being freed.
///
/// # Safety
/// `from` has a value of its type.
pub(crate) unsafe fn copy_value(from: &daos_prop_entry, to: &mut daos_prop_entry) -> Result<(), Der> {
    let value = value_pointer(from);
    if value.is_null() || value_of(from.dpe_type) == Value::Number {
        to.__bindgen_anon_1 = from.__bindgen_anon_1;
        return Ok(());
    }
    // SAFETY: as the caller says.
    let copy: *mut c_void = unsafe {
        match value_of(from.dpe_type) {
            Value::Number => value,
            Value::Text => libc::strndup(value.cast(), TEXT_BYTES_MAX).cast(),
            Value::Acl => acl::daos_acl_dup(value.cast()).cast(),
            Value::Roots => memory::copy_of(memory::bytes(value, size_of::<daos_prop_co_roots>())).cast(),
            Value::Ranks => copy_ranks(value.cast()).unwrap_or(ptr::null_mut()).cast(),
        }
    };
    if copy.is_null() {
        return Err(Der::NOMEM);
    }
    set_pointer(to, copy);
    Ok(())
}

/// Replaces the value by `fresh`, or by nothing when that is NULL.
///
/// # Safety
/// As [`free_value`].
unsafe fn replace(entry: &mut daos_prop_entry, fresh: Option<*mut c_void>) -> c_int {
    // SAFETY: as the caller says.
    unsafe { free_value(entry) };
    match fresh {
        Some(memory) if memory.is_null() => der(Der::NOMEM),
        Some(memory) => {
            set_pointer(entry, memory);
            0
        }
        None => 0,
    }
}

export! { Der;
    fn daos_prop_has_str(entry: *mut daos_prop_entry) -> bool {
        // SAFETY: NULL or an entry of the caller's.
        unsafe { entry.as_ref() }.is_some_and(|entry| value_of(entry.dpe_type) == Value::Text)
    }

    fn daos_prop_has_ptr(entry: *mut daos_prop_entry) -> bool {
        // SAFETY: NULL or an entry of the caller's.
        unsafe { entry.as_ref() }.is_some_and(|entry| is_pointer(entry.dpe_type))
    }

    fn daos_prop_has_byteval(entry: *mut daos_prop_entry) -> bool {
        // No property of this version is of that kind.
        let _ = entry;
        false
    }

    fn daos_prop_entry_copy(entry: *mut daos_prop_entry, entry_dup: *mut daos_prop_entry) -> c_int {
        // SAFETY: entries of the caller's.
        unsafe {
            let (Some(from), Some(to)) = (entry.as_ref(), entry_dup.as_mut()) else { return der(Der::INVAL) };
            free_value(to);
            to.dpe_type = from.dpe_type;
            to.dpe_flags = from.dpe_flags;
            copy_value(from, to).map_or_else(der, |()| 0)
        }
    }

    fn daos_prop_entry_set_str(entry: *mut daos_prop_entry, str_: *const c_char, len: u64) -> c_int {
        // SAFETY: an entry of the caller's, and a string of at most len characters.
        unsafe {
            match entry.as_mut().filter(|entry| value_of(entry.dpe_type) == Value::Text) {
                None => der(Der::INVAL),
                Some(entry) if str_.is_null() || len == 0 => replace(entry, None),
                Some(entry) => replace(entry, Some(libc::strndup(str_, len as usize).cast())),
            }
        }
    }

    fn daos_prop_entry_set_ptr(entry: *mut daos_prop_entry, ptr: *const c_void, size: u64) -> c_int {
        // SAFETY: an entry of the caller's, and size bytes.
        unsafe {
            match entry.as_mut().filter(|entry| is_pointer(entry.dpe_type)) {
                None => der(Der::INVAL),
                Some(entry) if ptr.is_null() || size == 0 => replace(entry, None),
                Some(entry) => replace(entry, Some(memory::copy_of(memory::bytes(ptr, size as usize)).cast())),
            }
        }
    }

    fn daos_prop_entry_set_byteval(entry: *mut daos_prop_entry, data: *const c_void, len: size_t) -> c_int {
        // No property of this version is of that kind.
        let _ = (entry, data, len);
        der(Der::INVAL)
    }

    fn daos_prop_entry_dup_ptr(
        entry_dst: *mut daos_prop_entry, entry_src: *mut daos_prop_entry, len: size_t,
    ) -> c_int {
        // SAFETY: entries of the caller's; the source's value has len bytes.
        unsafe {
            let (Some(to), Some(from)) = (entry_dst.as_mut(), entry_src.as_ref()) else { return der(Der::INVAL) };
            let copy = memory::copy_of(memory::bytes(value_pointer(from), len));
            set_pointer(to, copy);
            if copy.is_null() { der(Der::NOMEM) } else { 0 }
        }
    }

    fn daos_prop_entry_dup_byteval(entry_dst: *mut daos_prop_entry, entry_src: *mut daos_prop_entry) -> c_int {
        // SAFETY: entries of the caller's; the source's value is a byte value or NULL.
        unsafe {
            let (Some(to), Some(from)) = (entry_dst.as_mut(), entry_src.as_ref()) else { return der(Der::INVAL) };
            set_pointer(to, ptr::null_mut::<c_void>());
            let Some(value) = value_pointer(from).cast::<daos_prop_byteval>().as_ref() else { return 0 };
            if value.dpb_data.is_null() || value.dpb_len == 0 {
                return 0;
            }
            let copy: *mut daos_prop_byteval = memory::zeroed_array(1);
            let data = memory::copy_of(memory::bytes(value.dpb_data, value.dpb_len));
            if copy.is_null() || data.is_null() {
                memory::free(copy);
                memory::free(data);
                return der(Der::NOMEM);
            }
            copy.write(daos_prop_byteval { dpb_data: data.cast(), dpb_len: value.dpb_len });
            set_pointer(to, copy);
            0
        }
    }

    fn daos_prop_entry_dup_co_roots(dst: *mut daos_prop_entry, src: *mut daos_prop_entry) -> c_int {
        // SAFETY: entries of the caller's; values are NULL or struct daos_prop_co_roots.
        unsafe {
            let (Some(to), Some(from)) = (dst.as_mut(), src.as_ref()) else { return der(Der::INVAL) };
            let Some(roots) = value_pointer(from).cast::<daos_prop_co_roots>().as_ref() else { return der(Der::INVAL) };
            if value_pointer(to).is_null() {
                set_pointer(to, memory::zeroed_array::<daos_prop_co_roots>(1));
            }
            let Some(out) = value_pointer(to).cast::<daos_prop_co_roots>().as_mut() else { return der(Der::NOMEM) };
            *out = *roots;
            0
        }
    }

    fn daos_prop_entry_cmp_acl(entry1: *mut daos_prop_entry, entry2: *mut daos_prop_entry) -> c_int {
        // SAFETY: entries of the caller's whose values are NULL or lists.
        unsafe {
            let (Some(one), Some(other)) = (entry1.as_ref(), entry2.as_ref()) else { return der(Der::INVAL) };
            let list = |entry: &daos_prop_entry| acl::bytes(value_pointer(entry).cast::<sys::daos_acl>());
            if list(one) == list(other) { 0 } else { der(Der::MISMATCH) }
        }
    }
}
