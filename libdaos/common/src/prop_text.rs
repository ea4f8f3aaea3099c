//! Container properties from text: `name:value;name:value`.

use crate::prop_entry::daos_prop_entry_set_str;
use crate::props::{daos_prop_alloc, daos_prop_free};
use crate::{der, memory};
use daos_common::Der;
use daos_common::props::{self, Settable};
use daos_common::wire::pool::PropValue;
use daos_export::export;
use daos_sys::{daos_prop_entry, daos_prop_t};
use libc::{c_char, c_int};

/// Parses one `name:value` into an entry.
///
/// # Safety
/// The entry is zeroed.
unsafe fn parse(item: &str, entry: &mut daos_prop_entry) -> Result<(), Der> {
    let (name, value) = item.split_once(':').ok_or(Der::INVAL)?;
    let info = props::by_key(props::CONTAINER, name).map_err(|error| error.code())?;
    if matches!(info.settable, Settable::Never | Settable::ByApi) {
        return Err(Der::INVAL);
    }
    entry.dpe_type = info.number;
    match props::parse_value(info, value.trim()).map_err(|error| error.code())? {
        PropValue::Number(number) => entry.__bindgen_anon_1.dpe_val = number,
        PropValue::Text(text) => {
            // SAFETY: an entry of a type that holds text, and that many characters.
            let answer = unsafe { daos_prop_entry_set_str(entry, text.as_ptr().cast(), text.len() as u64) };
            if answer != 0 {
                return Err(Der::NOMEM);
            }
        }
        PropValue::Bytes(bytes) => {
            let copy = memory::copy_of(&bytes);
            if copy.is_null() {
                return Err(Der::NOMEM);
            }
            entry.__bindgen_anon_1.dpe_val_ptr = copy.cast();
        }
    }
    Ok(())
}

export! { Der;
    fn daos_prop_from_str(str_: *const c_char, len: u64, prop: *mut *mut daos_prop_t) -> c_int {
        if str_.is_null() || len == 0 || prop.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: at most len characters of the caller's.
        let text = unsafe { memory::bytes(str_, libc::strnlen(str_, len as usize)) };
        let Ok(text) = std::str::from_utf8(text) else { return der(Der::INVAL) };
        let items: Vec<&str> = text.split(';').map(str::trim).filter(|item| !item.is_empty()).collect();
        if items.is_empty() {
            return der(Der::INVAL);
        }
        // SAFETY: a fresh list with that many zeroed entries; the out pointer isn't NULL.
        unsafe {
            let list = daos_prop_alloc(items.len() as u32);
            if list.is_null() {
                return der(Der::NOMEM);
            }
            for (at, item) in items.iter().enumerate() {
                if let Err(code) = parse(item, &mut *(*list).dpp_entries.add(at)) {
                    daos_prop_free(list);
                    return der(code);
                }
            }
            prop.write(list);
        }
        0
    }
}
