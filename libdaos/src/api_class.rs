//! Object classes: names and ids, attributes, registration, and object ids of a class.

use crate::anchor;
use crate::c::{Out, OutArray, text};
use crate::call::{Call, answer};
use crate::handles::CONTAINERS;
use daos_client::Container;
use daos_common::oclass::{self, GROUPS_MAX, ObjectClass, Redundancy};
use daos_common::oclass_registered::ClassAttributes;
use daos_common::props::co;
use daos_common::{Der, ObjectId, Result};
use daos_sys::{DAOS_RES_EC, DAOS_RES_REPL, daos_ec_attr, daos_rp_attr};
use daos_sys::{daos_anchor_t, daos_event_t, daos_oclass_attr, daos_oclass_list};
use daos_sys::{daos_handle_t, daos_obj_id_t, daos_oclass_hints_t, daos_oclass_id_t, daos_otype_t};
use std::ffi::{c_char, c_int};

/// Room that a class name needs with its NUL (`MAX_OBJ_CLASS_NAME_LEN`).
const NAME_ROOM: usize = oclass::NAME_BYTES_MAX;

/// Puts a text and its NUL into an array of characters, which has room for both.
fn put_text(place: &OutArray<c_char>, text: &str) {
    let bytes = text.bytes().take(place.len().saturating_sub(1)).chain([0]);
    bytes.enumerate().for_each(|(index, byte)| place.set(index, byte as c_char));
}

/// What C sees of a class's attributes.
pub(crate) fn give_attributes(container: &Container, attributes: &ClassAttributes) -> daos_oclass_attr {
    let class = attributes.class;
    let mut given = daos_oclass_attr {
        ca_schema: attributes.schema,
        ca_resil: DAOS_RES_REPL,
        ca_resil_degree: class.tolerated_failures(),
        ca_grp_nr: class.groups(),
        ..daos_oclass_attr::default()
    };
    match class.redundancy() {
        Redundancy::Replicas(replicas) => given.u.rp = daos_rp_attr { r_proto: 0, r_num: u32::from(replicas) },
        Redundancy::EveryDomain => given.u.rp = daos_rp_attr { r_proto: 0, r_num: GROUPS_MAX },
        Redundancy::Erasure { data, parity } => {
            let own = attributes.cell_bytes;
            let cell = if own > 0 { u64::from(own) } else { container.number_prop(co::EC_CELL_SZ).unwrap_or(0) };
            let e_len = u32::try_from(cell).unwrap_or(0);
            given.ca_resil = DAOS_RES_EC;
            given.u.ec = daos_ec_attr { e_k: data, e_p: parity, e_len };
        }
    }
    given
}

/// The attributes of a class that is to be registered.
fn take_attributes(given: &daos_oclass_attr) -> Result<ClassAttributes> {
    let too_many = |count: u32| Der::INVAL.err(format!("{count} replicas"));
    let (redundancy, cell) = match given.ca_resil {
        DAOS_RES_REPL => {
            // SAFETY: `ca_resil` says which member counts; both are plain numbers.
            let replicas = unsafe { given.u.rp.r_num };
            (Redundancy::Replicas(u16::try_from(replicas).map_err(|_| too_many(replicas))?), 0)
        }
        DAOS_RES_EC => {
            // SAFETY: as above.
            let coded = unsafe { given.u.ec };
            (Redundancy::Erasure { data: coded.e_k, parity: coded.e_p }, coded.e_len)
        }
        other => return Err(Der::INVAL.err(format!("unknown method of resilience {other}"))),
    };
    let attributes = ClassAttributes::new(redundancy, given.ca_grp_nr, given.ca_schema, cell)?;
    let (degree, tolerated) = (given.ca_resil_degree, attributes.class.tolerated_failures());
    if degree > tolerated {
        return Err(Der::INVAL.err(format!("class {} survives {tolerated} failures, not {degree}", attributes.class)));
    }
    Ok(attributes)
}

daos_export::export! { Der;
    fn daos_obj_register_class(
        coh: daos_handle_t,
        cid: daos_oclass_id_t,
        attr: *mut daos_oclass_attr,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let given = unsafe { Out::required(attr, "attr") }?.get();
            let (container, attributes) = (CONTAINERS.get(coh.cookie)?, take_attributes(&given)?);
            Ok(move |context| async move { container.register_class(&context, cid, attributes).await })
        })
    }

    fn daos_obj_query_class(
        coh: daos_handle_t,
        cid: daos_oclass_id_t,
        attr: *mut daos_oclass_attr,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(attr, "attr") }?;
            let container = CONTAINERS.get(coh.cookie)?;
            Ok(move |context| async move {
                let found = container.query_class(&context, cid).await?;
                place.set(give_attributes(&container, &found));
                Ok(())
            })
        })
    }

    fn daos_obj_list_class(
        coh: daos_handle_t,
        list: *mut daos_oclass_list,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (list, place) = unsafe { (Out::required(list, "list")?, Out::required(anchor, "anchor")?) };
            let (container, given) = (CONTAINERS.get(coh.cookie)?, list.get());
            let room = given.cl_nr as usize;
            if given.cl_cids.is_null() || room == 0 {
                return Err(Der::INVAL.err("no room for class ids"));
            }
            // SAFETY: the contract of `c`; the arrays have `cl_nr` elements.
            let ids = unsafe { OutArray::new(given.cl_cids, room) };
            // SAFETY: as above.
            let attributes = unsafe { OutArray::new(given.cl_cattrs, room) };
            let from = anchor::take_index(&place.get());
            Ok(move |context| async move {
                let classes = match from {
                    Some(from) => container.list_classes(&context).await?.into_iter().skip(from).collect(),
                    None => Vec::new(),
                };
                for (index, (id, found)) in classes.iter().take(room).enumerate() {
                    ids.set(index, *id);
                    attributes.set(index, give_attributes(&container, found));
                }
                let given_out = classes.len().min(room);
                list.set(daos_oclass_list { cl_nr_out: given_out as u32, ..list.get() });
                let next = (classes.len() > room).then(|| from.unwrap_or(0) + given_out);
                place.set(anchor::give_index(next, place.get()));
                Ok(())
            })
        })
    }

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
