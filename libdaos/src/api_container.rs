//! Containers.

use crate::api_pool::name;
use crate::attrs;
use crate::c::{Out, give_global, take_global, text};
use crate::call::{Call, answer};
use crate::handles::{CONTAINERS, POOLS};
use crate::props;
use daos_client::Container;
use daos_common::acl::{Acl, Principal};
use daos_common::props::{co, pack_status};
use daos_common::wire::pool::{Prop, PropValue};
use daos_common::{Der, Epoch, Result, label};
use daos_sys::{d_iov_t, d_string_t, daos_acl, daos_acl_principal_type, daos_cont_info_t, daos_event_t};
use daos_sys::{daos_handle_t, daos_prop_t, daos_size_t, uuid_t};
use std::ffi::{c_char, c_int, c_uint, c_void};
use uuid::Uuid;

const PRINCIPAL_BYTES_MAX: usize = 255;

fn info(uuid: Uuid, handles: u32, snapshots: &[Epoch], open_time: u64, modify_time: u64) -> daos_cont_info_t {
    daos_cont_info_t {
        ci_uuid: *uuid.as_bytes(),
        ci_lsnapshot: snapshots.last().copied().unwrap_or(0),
        ci_nhandles: handles,
        ci_nsnapshots: snapshots.len() as u32,
        ci_md_otime: open_time,
        ci_md_mtime: modify_time,
    }
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn create(
    poh: daos_handle_t,
    wanted: Option<Uuid>,
    label: Option<*const c_char>,
    uuid: *mut uuid_t,
    cont_prop: *mut daos_prop_t,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let pool = POOLS.get(poh.cookie)?;
        // SAFETY: the contract of this function.
        let mut props = unsafe { props::take(cont_prop) }?;
        if let Some(label) = label {
            // SAFETY: the contract of this function.
            let label = unsafe { text(label, label::LABEL_BYTES_MAX, "label") }?;
            label::check_label(&label)?;
            props.retain(|prop| prop.number != co::LABEL);
            props.push(Prop { number: co::LABEL, value: PropValue::Text(label) });
        }
        // SAFETY: the contract of this function.
        let place = unsafe { Out::optional(uuid) };
        Ok(move |context| async move {
            let created = wanted.unwrap_or_else(Uuid::new_v4);
            pool.create_container(&context, created, props).await?;
            if let Some(place) = place {
                place.set(*created.as_bytes());
            }
            Ok(())
        })
    })
}

/// `daos_cont_create` with an id of the caller's; a nil one is made up.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn create_as(
    poh: daos_handle_t,
    wanted: Uuid,
    uuid: *mut uuid_t,
    cont_prop: *mut daos_prop_t,
    ev: *mut daos_event_t,
) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { create(poh, Some(wanted).filter(|uuid| !uuid.is_nil()), None, uuid, cont_prop, ev) }
}

/// Changes properties of an open container.
fn set_props(coh: daos_handle_t, call: Call, props: impl FnOnce() -> Result<Vec<Prop>>) -> c_int {
    call.run(|| {
        let (container, props) = (CONTAINERS.get(coh.cookie)?, props()?);
        Ok(move |context| async move { container.set_props(&context, props).await })
    })
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn owner_props(user: d_string_t, group: d_string_t) -> Result<Vec<Prop>> {
    let mut props = Vec::new();
    for (number, place, what) in [(co::OWNER, user, "user"), (co::OWNER_GROUP, group, "group")] {
        if !place.is_null() {
            // SAFETY: the contract of this function.
            let name = unsafe { text(place, PRINCIPAL_BYTES_MAX, what) }?;
            daos_common::acl::check_principal(&name)?;
            props.push(Prop { number, value: PropValue::Text(name) });
        }
    }
    if props.is_empty() { Err(Der::INVAL.err("neither user nor group given")) } else { Ok(props) }
}

/// Reads a container's ACL, changes it and writes it back.
fn change_acl(coh: daos_handle_t, call: Call, change: impl FnOnce() -> Result<AclChange>) -> c_int {
    call.run(|| {
        let (container, change) = (CONTAINERS.get(coh.cookie)?, change()?);
        Ok(move |context| async move {
            let now = container.query(&context).await?;
            let acl = match daos_common::props::get(&now.props, co::ACL) {
                Some(PropValue::Bytes(bytes)) => Acl::from_bytes(bytes)?,
                _ => return Err(Der::NO_PERM.err("the container's ACL may not be read")),
            };
            let bytes = change.apply(acl)?.to_bytes();
            container.set_props(&context, vec![Prop { number: co::ACL, value: PropValue::Bytes(bytes) }]).await
        })
    })
}

enum AclChange {
    Merge(Acl),
    Remove(Principal),
}

impl AclChange {
    fn apply(self, mut acl: Acl) -> Result<Acl> {
        match self {
            AclChange::Merge(other) => {
                other.entries().iter().try_for_each(|entry| acl.set(entry.clone()))?;
            }
            AclChange::Remove(principal) => acl.remove(&principal)?,
        }
        Ok(acl)
    }
}

daos_export::export! { Der;
    fn daos_cont_create2(
        poh: daos_handle_t,
        uuid: *mut uuid_t,
        cont_prop: *mut daos_prop_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { create(poh, None, None, uuid, cont_prop, ev) }
    }

    fn daos_cont_create_with_label(
        poh: daos_handle_t,
        label: *const c_char,
        cont_prop: *mut daos_prop_t,
        uuid: *mut uuid_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { create(poh, None, Some(label), uuid, cont_prop, ev) }
    }

    fn daos_cont_open2(
        poh: daos_handle_t,
        cont: *const c_char,
        flags: c_uint,
        coh: *mut daos_handle_t,
        info_place: *mut daos_cont_info_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let (place, cont) = unsafe { (Out::required(coh, "coh")?, name(cont, "container")?) };
            // SAFETY: the contract of `c`.
            let (cont, info_place) = unsafe { (label::parse_name(&cont)?, Out::optional(info_place)) };
            daos_common::acl::check_cont_open_flags(u64::from(flags))?;
            let pool = POOLS.get(poh.cookie)?;
            Ok(move |context| async move {
                let opened = Container::open(&context, &pool, cont, u64::from(flags)).await?;
                if let Some(place) = info_place {
                    let reply = opened.reply;
                    place.set(info(reply.cont, 1, &reply.snapshots, reply.open_time, reply.modify_time));
                }
                place.set(daos_handle_t { cookie: CONTAINERS.insert(opened.container)? });
                Ok(())
            })
        })
    }

    fn daos_cont_close(coh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            Ok(move |context| async move {
                container.close(&context).await?;
                CONTAINERS.remove(coh.cookie).map(drop)
            })
        })
    }

    fn daos_cont_destroy2(
        poh: daos_handle_t,
        cont: *const c_char,
        force: c_int,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            // SAFETY: the contract of `c`.
            let cont = label::parse_name(&unsafe { name(cont, "container") }?)?;
            let pool = POOLS.get(poh.cookie)?;
            Ok(move |context| async move { pool.destroy_container(&context, cont, force != 0).await })
        })
    }

    fn daos_cont_query(
        coh: daos_handle_t,
        info_place: *mut daos_cont_info_t,
        cont_prop: *mut daos_prop_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::optional(info_place) };
            // SAFETY: the contract of `c`.
            unsafe { props::take_numbers(cont_prop) }?;
            Ok(move |context| async move {
                let reply = container.query(&context).await?;
                if let Some(place) = place {
                    let (uuid, times) = (container.uuid(), (reply.open_time, reply.modify_time));
                    place.set(info(uuid, reply.handles, &reply.snapshots, times.0, times.1));
                }
                // SAFETY: the contract of `c`.
                unsafe { props::give(cont_prop, &reply.props, &[]) }
            })
        })
    }

    fn daos_cont_set_prop(coh: daos_handle_t, prop: *mut daos_prop_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        set_props(coh, unsafe { Call::on(ev) }, || {
            // SAFETY: the contract of `c`.
            let props = unsafe { props::take(prop) }?;
            if props.is_empty() { Err(Der::INVAL.err("no property to set")) } else { Ok(props) }
        })
    }

    fn daos_cont_status_clear(coh: daos_handle_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        set_props(coh, unsafe { Call::on(ev) }, || {
            let value = PropValue::Number(pack_status(daos_common::props::STATUS_HEALTHY, 0, 0));
            Ok(vec![Prop { number: co::STATUS, value }])
        })
    }

    fn daos_cont_get_acl(coh: daos_handle_t, acl_prop: *mut *mut daos_prop_t, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(acl_prop, "acl_prop") }?;
            Ok(move |context| async move {
                let mut found = container.query(&context).await?.props;
                found.retain(|prop| props::ACL_PROPS.contains(&prop.number));
                place.set(props::give_new(&found)?);
                Ok(())
            })
        })
    }

    fn daos_cont_overwrite_acl(coh: daos_handle_t, acl: *mut daos_acl, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        set_props(coh, unsafe { Call::on(ev) }, || {
            // SAFETY: the contract of `c`.
            let bytes = unsafe { props::acl_bytes(acl) }?;
            Acl::from_bytes(&bytes)?;
            Ok(vec![Prop { number: co::ACL, value: PropValue::Bytes(bytes) }])
        })
    }

    fn daos_cont_update_acl(coh: daos_handle_t, acl: *mut daos_acl, ev: *mut daos_event_t) -> c_int {
        // SAFETY: the contract of `c`.
        change_acl(coh, unsafe { Call::on(ev) }, || {
            // SAFETY: the contract of `c`.
            Ok(AclChange::Merge(Acl::from_bytes(&unsafe { props::acl_bytes(acl) }?)?))
        })
    }

    fn daos_cont_delete_acl(
        coh: daos_handle_t,
        type_: daos_acl_principal_type,
        name: d_string_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        change_acl(coh, unsafe { Call::on(ev) }, || {
            // SAFETY: the contract of `c`.
            let named = || unsafe { text(name, PRINCIPAL_BYTES_MAX, "principal") };
            Ok(AclChange::Remove(match type_ {
                daos_sys::DAOS_ACL_OWNER => Principal::Owner,
                daos_sys::DAOS_ACL_USER => Principal::User(named()?),
                daos_sys::DAOS_ACL_OWNER_GROUP => Principal::OwnerGroup,
                daos_sys::DAOS_ACL_GROUP => Principal::Group(named()?),
                daos_sys::DAOS_ACL_EVERYONE => Principal::Everyone,
                other => return Err(Der::INVAL.err(format!("unknown type of principal {other}"))),
            }))
        })
    }

    fn daos_cont_set_owner(
        coh: daos_handle_t,
        user: d_string_t,
        group: d_string_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        set_props(coh, unsafe { Call::on(ev) }, || unsafe { owner_props(user, group) })
    }

    fn daos_cont_set_owner_no_check(
        coh: daos_handle_t,
        user: d_string_t,
        group: d_string_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        set_props(coh, unsafe { Call::on(ev) }, || unsafe { owner_props(user, group) })
    }

    fn daos_cont_alloc_oids(
        coh: daos_handle_t,
        num_oids: daos_size_t,
        oid: *mut u64,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let container = CONTAINERS.get(coh.cookie)?;
            // SAFETY: the contract of `c`.
            let place = unsafe { Out::required(oid, "oid") }?;
            if num_oids == 0 {
                return Err(Der::INVAL.err("0 object numbers asked for"));
            }
            Ok(move |context| async move {
                place.set(container.alloc_oids(&context, num_oids).await?);
                Ok(())
            })
        })
    }

    fn daos_cont_local2global(coh: daos_handle_t, glob: *mut d_iov_t) -> c_int {
        // SAFETY: the contract of `c`.
        answer(CONTAINERS.get(coh.cookie).and_then(|cont| unsafe { give_global(glob, &cont.to_global()?) }))
    }

    fn daos_cont_global2local(poh: daos_handle_t, glob: d_iov_t, coh: *mut daos_handle_t) -> c_int {
        // SAFETY: the contract of `c`.
        let (place, bytes) = unsafe { (Out::required(coh, "coh"), take_global(&glob)) };
        answer((|| {
            let (place, pool) = (place?, POOLS.get(poh.cookie)?);
            let container = Container::from_global(&pool, &bytes?)?;
            place.set(daos_handle_t { cookie: CONTAINERS.insert(container)? });
            Ok(())
        })())
    }

    fn daos_cont_list_attr(
        coh: daos_handle_t,
        buffer: *mut c_char,
        size: *mut usize,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::list::<Container>(coh, buffer, size, ev) }
    }

    fn daos_cont_get_attr(
        coh: daos_handle_t,
        n: c_int,
        names: *const *const c_char,
        buffers: *const *mut c_void,
        sizes: *mut usize,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::get::<Container>(coh, n, names, buffers, sizes, ev) }
    }

    fn daos_cont_set_attr(
        coh: daos_handle_t,
        n: c_int,
        names: *const *const c_char,
        values: *const *const c_void,
        sizes: *const usize,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::set::<Container>(coh, n, names, values, sizes, ev) }
    }

    fn daos_cont_del_attr(
        coh: daos_handle_t,
        n: c_int,
        names: *const *const c_char,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { attrs::delete::<Container>(coh, n, names, ev) }
    }
}
