//! Object classes: names and ids, and object ids of a class.

use crate::c::{Out, OutArray, text};
use crate::call::answer;
use crate::handles::CONTAINERS;
use daos_common::oclass::{self, ObjectClass};
use daos_common::{Der, ObjectId};
use daos_sys::{daos_handle_t, daos_obj_id_t, daos_oclass_hints_t, daos_oclass_id_t, daos_otype_t};
use std::ffi::{c_char, c_int};

/// Room that a class name needs with its NUL (`MAX_OBJ_CLASS_NAME_LEN`).
const NAME_ROOM: usize = oclass::NAME_BYTES_MAX;

/// Puts a text and its NUL into an array of characters, which has room for both.
fn put_text(place: &OutArray<c_char>, text: &str) {
    let bytes = text.bytes().take(place.len().saturating_sub(1)).chain([0]);
    bytes.enumerate().for_each(|(index, byte)| place.set(index, byte as c_char));
}

daos_export::export! { Der;
    fn daos_oclass_name2id(name: *const c_char) -> c_int {
        // SAFETY: the contract of `c`.
        let name = unsafe { text(name, NAME_ROOM, "name") };
        name.and_then(|name| ObjectClass::from_name(&name)).map_or(0, |class| class.id() as c_int)
    }

    fn daos_oclass_id2name(oc_id: daos_oclass_id_t, name: *mut c_char) -> c_int {
        // SAFETY: the contract of `c`; the caller's array has `MAX_OBJ_CLASS_NAME_LEN` characters.
        let place = unsafe { OutArray::new(name, NAME_ROOM) };
        put_text(&place, &oclass::name(oc_id));
        if ObjectClass::from_id(oc_id).is_ok() { 0 } else { -1 }
    }

    fn daos_oclass_names_list(size: usize, str_: *mut c_char) -> isize {
        // SAFETY: the contract of `c`.
        let place = unsafe { OutArray::new(str_, size) };
        if place.len() == 0 {
            return Der::INVAL.rc() as isize;
        }
        let list: String = oclass::names().iter().flat_map(|name| [name.as_str(), ", "]).collect();
        place.set(0, 0);
        if list.len() >= size {
            return Der::OVERFLOW.rc() as isize;
        }
        put_text(&place, &list);
        list.len() as isize
    }

    fn daos_oclass_nr(_opts: c_int) -> c_int {
        oclass::names().len() as c_int
    }

    fn daos_obj_generate_oid2(
        coh: daos_handle_t,
        oid: *mut daos_obj_id_t,
        type_: daos_otype_t,
        cid: daos_oclass_id_t,
        hints: daos_oclass_hints_t,
        _args: u32,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(oid, "oid") };
        answer((|| {
            let (place, container) = (place?, CONTAINERS.get(coh.cookie)?);
            let user = place.get();
            let kind = u8::try_from(type_).map_err(|_| Der::INVAL.err(format!("unknown object type {type_}")))?;
            let user = ObjectId { lo: user.lo, hi: user.hi };
            let made = container.generate_oid(user, kind, cid, u32::from(hints))?;
            place.set(daos_obj_id_t { lo: made.lo, hi: made.hi });
            Ok(())
        })())
    }
}
