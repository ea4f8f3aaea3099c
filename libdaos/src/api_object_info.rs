//! What can be said about an object beside its data: attributes and ranks, layout, where a key stands in a listing,
//! whether its data is sound.

use crate::anchor;
use crate::api_class::give_attributes;
use crate::api_object::view;
use crate::c::{Out, OutArray, key};
use crate::call::{Call, answer};
use crate::handles::{CONTAINERS, OBJECTS};
use daos_client::{Object, block_on, object};
use daos_common::oclass::ObjectClass;
use daos_common::oclass_registered::ClassAttributes;
use daos_common::placement::Layout;
use daos_common::{Der, ObjectId, Result};
use daos_sys::{d_rank_list_t, daos_anchor_t, daos_event_t, daos_handle_t, daos_key_t, daos_obj_attr, daos_obj_id_t};
use std::ffi::c_int;

/// Where one replica or cell is (`struct daos_shard_loc`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ShardPlace {
    rank: u32,
    target: u32,
}

/// A redundancy group (`struct daos_obj_shard`): `replicas` places follow.
#[repr(C)]
pub struct GroupPlaces {
    replicas: u32,
    places: [ShardPlace; 0],
}

/// The layout of an object (`struct daos_obj_layout`): `groups` pointers follow.
#[repr(C)]
pub struct ObjectLayout {
    version: u32,
    class: u32,
    groups: u32,
    pointers: [*mut GroupPlaces; 0],
}

/// Memory from the C library, zeroed.
fn allocate(bytes: usize) -> Result<*mut u8> {
    // SAFETY: plain allocation.
    let memory = unsafe { libc::calloc(1, bytes) };
    if memory.is_null() { Err(Der::NOMEM.err(format!("{bytes} bytes for a layout"))) } else { Ok(memory.cast()) }
}

/// Puts a layout into memory of the C library: one block for the whole, one for each group.
fn give_layout(oid: ObjectId, layout: &Layout) -> Result<*mut ObjectLayout> {
    let groups = layout.groups as usize;
    let whole: *mut ObjectLayout = allocate(size_of::<ObjectLayout>() + groups * size_of::<*mut GroupPlaces>())?.cast();
    // SAFETY: fresh zeroed memory of that size; a zeroed layout has no groups.
    let head = unsafe { &mut *whole };
    (head.version, head.class) = (layout.version, oid.class());
    for number in 0..layout.groups {
        let shards = layout.group(number);
        let group: *mut GroupPlaces = match allocate(size_of::<GroupPlaces>() + shards.len() * size_of::<ShardPlace>())
        {
            Ok(group) => group.cast(),
            Err(error) => {
                // SAFETY: what was made so far is whole.
                unsafe { free_layout(whole) };
                return Err(error);
            }
        };
        // SAFETY: fresh memory with room for the group's head and its places; `pointers` has room for all groups.
        unsafe {
            (*group).replicas = layout.group_size;
            let places: *mut ShardPlace = (&raw mut (*group).places).cast();
            for (index, shard) in shards.iter().enumerate() {
                places.add(index).write(ShardPlace { rank: shard.rank.0, target: shard.index });
            }
            let pointers: *mut *mut GroupPlaces = (&raw mut (*whole).pointers).cast();
            pointers.add(number as usize).write(group);
            (*whole).groups = number + 1;
        }
    }
    Ok(whole)
}

/// Frees what [`give_layout`] made.
///
/// # Safety
/// `layout` is NULL or from there, and nothing uses it.
unsafe fn free_layout(layout: *mut ObjectLayout) {
    if layout.is_null() {
        return;
    }
    // SAFETY: by the contract, `groups` pointers follow, each a block of its own.
    unsafe {
        let pointers: *mut *mut GroupPlaces = (&raw mut (*layout).pointers).cast();
        for index in 0..(*layout).groups as usize {
            libc::free(pointers.add(index).read().cast());
        }
        libc::free(layout.cast());
    }
}

/// Puts an object's ranks into the caller's list, ascending.
fn give_ranks(layout: &Layout, list: &Out<d_rank_list_t>) -> Result<()> {
    let mut ranks: Vec<u32> = layout.shards.iter().map(|shard| shard.rank.0).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let room = list.get();
    // SAFETY: the contract of `c`; the array has `rl_nr` elements.
    let places = unsafe { OutArray::new(room.rl_ranks, room.rl_nr as usize) };
    ranks.iter().enumerate().for_each(|(index, rank)| places.set(index, *rank));
    list.set(d_rank_list_t { rl_nr: ranks.len() as u32, ..room });
    if !room.rl_ranks.is_null() && ranks.len() > room.rl_nr as usize {
        return Err(Der::TRUNC.err(format!("{} ranks for a list of {}", ranks.len(), room.rl_nr)));
    }
    Ok(())
}

daos_export::export! { Der;
    fn daos_obj_query(
        oh: daos_handle_t,
        oa: *mut daos_obj_attr,
        ranks: *mut d_rank_list_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        let (attributes, ranks) = unsafe { (Out::optional(oa), Out::optional(ranks)) };
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.finish(|| {
            if attributes.is_none() && ranks.is_none() {
                return Err(Der::INVAL.err("nothing is asked for: neither attributes nor ranks"));
            }
            let object = OBJECTS.get(oh.cookie)?;
            let layout = object.layout()?;
            if let Some(place) = attributes {
                let mut given = place.get();
                given.oa_rank = layout.shards.first().map_or(u32::MAX, |shard| shard.rank.0);
                place.set(given);
                // SAFETY: the contract of `c`; the pointer inside is the caller's, and may be NULL.
                if let Some(inner) = unsafe { Out::optional(given.oa_oa) } {
                    let class = ObjectClass::from_id(object.oid().class())?;
                    inner.set(give_attributes(object.container(), &ClassAttributes::of(class)));
                }
            }
            ranks.map_or(Ok(()), |list| give_ranks(&layout, &list))
        })
    }

    fn daos_obj_key2anchor(
        oh: daos_handle_t,
        th: daos_handle_t,
        dkey: *mut daos_key_t,
        akey: *mut daos_key_t,
        anchor: *mut daos_anchor_t,
        ev: *mut daos_event_t,
    ) -> c_int {
        // SAFETY: the contract of `c`.
        unsafe { Call::on(ev) }.run(|| {
            let object = OBJECTS.get(oh.cookie)?;
            view(th)?;
            // SAFETY: the contract of `c`.
            let (dkey, place) = unsafe { (key(dkey, "dkey")?, Out::required(anchor, "anchor")?) };
            // SAFETY: the contract of `c`.
            let akey = if akey.is_null() { None } else { Some(unsafe { key(akey, "akey") }?) };
            Ok(move |context| async move {
                let made = object.key_anchor(&context, dkey, akey).await?;
                place.set(anchor::give(&made, daos_anchor_t::default()));
                Ok(())
            })
        })
    }

    fn daos_obj_verify(coh: daos_handle_t, oid: daos_obj_id_t, epoch: u64) -> c_int {
        answer((|| {
            let container = CONTAINERS.get(coh.cookie)?;
            let object = Object::open(&container, ObjectId { lo: oid.lo, hi: oid.hi }, object::OPEN_RO)?;
            block_on(|context| async move { object.verify(&context, epoch).await.map(drop) })
        })())
    }
}

daos_export::export_undeclared! { Der;
    fn daos_obj_layout_get(coh: daos_handle_t, oid: daos_obj_id_t, layout: *mut *mut ObjectLayout) -> c_int {
        // SAFETY: the contract of `c`.
        let place = unsafe { Out::required(layout, "layout") };
        answer((|| {
            let (place, container) = (place?, CONTAINERS.get(coh.cookie)?);
            let object = Object::open(&container, ObjectId { lo: oid.lo, hi: oid.hi }, object::OPEN_RO)?;
            place.set(give_layout(object.oid(), &*object.layout()?)?);
            Ok(())
        })())
    }

    fn daos_obj_layout_free(layout: *mut ObjectLayout) -> c_int {
        // SAFETY: the contract of `c`: NULL or from `daos_obj_layout_get`, and no longer used.
        unsafe { free_layout(layout) };
        0
    }
}
