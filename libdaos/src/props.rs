//! Properties: from `daos_prop_t` to the wire's, and back into one of the caller's.
//!
//! What is handed back is allocated with `malloc`, because `daos_prop_free` frees it.

use crate::c::{elements, give_memory, give_text, null, text};
use daos_common::props::{self, Kind, co, po};
use daos_common::wire::pool::{Prop, PropValue};
use daos_common::{Der, Rank, Result};
use daos_sys::{DAOS_PROP_ENTRIES_MAX_NR, DAOS_PROP_ENTRY_NOT_SET};
use daos_sys::{d_rank_list_t, daos_acl, daos_prop_co_roots, daos_prop_entry, daos_prop_t};

/// Longest text of a property: a principal or a label.
const TEXT_BYTES_MAX: usize = 255;
/// Longest ACL (`struct daos_acl` with its entries).
const ACL_BYTES_MAX: usize = 65536 + size_of::<daos_acl>();

/// Properties that the caller filled; an absent list is empty.
///
/// # Errors
/// `INVAL`: an unknown number or a wrong value.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn take(list: *const daos_prop_t) -> Result<Vec<Prop>> {
    // SAFETY: the contract of this function.
    unsafe { take_where(list, |_| true) }
}

/// As [`take`], of the numbers that are wanted; the others are not looked at.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn take_where(list: *const daos_prop_t, wanted: impl Fn(u32) -> bool) -> Result<Vec<Prop>> {
    // SAFETY: the contract of this function.
    let entries = unsafe { entries_of(list) }?;
    let mut taken = Vec::with_capacity(entries.len());
    let is_set = |entry: &&daos_prop_entry| u32::from(entry.dpe_flags) & DAOS_PROP_ENTRY_NOT_SET == 0;
    for entry in entries.iter().filter(is_set).filter(|entry| wanted(entry.dpe_type)) {
        // SAFETY: the contract of this function.
        taken.push(Prop { number: entry.dpe_type, value: unsafe { take_value(entry) }? });
    }
    props::validate_all(&taken)?;
    Ok(taken)
}

/// The numbers of the properties that the caller asks for; `[u32::MAX]` for all when the list has no entries.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn take_numbers(list: *const daos_prop_t) -> Result<Vec<u32>> {
    if list.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the contract of this function.
    let entries = unsafe { entries_of(list) }?;
    match entries.is_empty() {
        true => Ok(vec![u32::MAX]),
        false => Ok(entries.iter().map(|entry| entry.dpe_type).collect()),
    }
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn entries_of(list: *const daos_prop_t) -> Result<Vec<daos_prop_entry>> {
    // SAFETY: valid for reads by the contract, if it is there.
    let Some(list) = (unsafe { list.as_ref() }) else { return Ok(Vec::new()) };
    if list.dpp_nr > DAOS_PROP_ENTRIES_MAX_NR || (list.dpp_nr > 0 && list.dpp_entries.is_null()) {
        return Err(Der::INVAL.err(format!("a property list of {} entries", list.dpp_nr)));
    }
    // SAFETY: the contract of this function.
    Ok(unsafe { elements(list.dpp_entries, list.dpp_nr as usize) })
}

/// # Safety
/// The contract of [`crate::c`].
unsafe fn take_value(entry: &daos_prop_entry) -> Result<PropValue> {
    let info = props::by_number(entry.dpe_type)?;
    // SAFETY: every field of the union is plain bits; which of the pointers is meant follows from the number.
    let (number, string, pointer) =
        unsafe { (entry.__bindgen_anon_1.dpe_val, entry.__bindgen_anon_1.dpe_str, entry.__bindgen_anon_1.dpe_val_ptr) };
    match info.kind {
        // SAFETY: the contract of this function.
        Kind::Label | Kind::Principal => Ok(PropValue::Text(unsafe { text(string, TEXT_BYTES_MAX, info.key) }?)),
        // SAFETY: as above.
        Kind::Acl => Ok(PropValue::Bytes(unsafe { acl_bytes(pointer.cast()) }?)),
        Kind::Roots if pointer.is_null() => Err(null(info.key)),
        // SAFETY: as above.
        Kind::Roots => Ok(PropValue::Bytes(unsafe { elements(pointer.cast::<u8>(), size_of::<daos_prop_co_roots>()) })),
        Kind::Ranks => Err(Der::INVAL.err(format!("property {} cannot be set", info.key))),
        _ => Ok(PropValue::Number(number)),
    }
}

/// The bytes of an ACL: its head and its entries.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn acl_bytes(acl: *const daos_acl) -> Result<Vec<u8>> {
    if acl.is_null() {
        return Err(null("acl"));
    }
    // SAFETY: valid for reads by the contract.
    let length = size_of::<daos_acl>() + unsafe { (&raw const (*acl).dal_len).read_unaligned() } as usize;
    if length > ACL_BYTES_MAX {
        return Err(Der::INVAL.err(format!("an ACL of {length} bytes")));
    }
    // SAFETY: as above.
    Ok(unsafe { elements(acl.cast::<u8>(), length) })
}

/// Puts values into the caller's list: into its entries, or, when it has none, into as many new ones.
///
/// # Errors
/// `NOMEM`.
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn give(list: *mut daos_prop_t, found: &[Prop], service_ranks: &[Rank]) -> Result<()> {
    // SAFETY: valid for reads and writes by the contract, if it is there.
    let Some(list) = (unsafe { list.as_mut() }) else { return Ok(()) };
    if list.dpp_nr == 0 {
        let fresh: Vec<daos_prop_entry> = found.iter().map(|prop| entry_of(prop.number)).collect();
        list.dpp_entries = give_memory(&[], std::mem::size_of_val(fresh.as_slice()))?.cast();
        for (index, entry) in fresh.iter().enumerate() {
            // SAFETY: fresh memory for as many entries.
            unsafe { list.dpp_entries.add(index).write(*entry) };
        }
        list.dpp_nr = fresh.len() as u32;
    }
    for index in 0..list.dpp_nr as usize {
        // SAFETY: the list's entries, checked when the numbers were taken.
        let entry = unsafe { &mut *list.dpp_entries.add(index) };
        if entry.dpe_type == po::SVC_LIST {
            entry.__bindgen_anon_1.dpe_val_ptr = give_ranks(service_ranks)?.cast();
            continue;
        }
        match props::get(found, entry.dpe_type) {
            Some(value) => give_value(entry, value)?,
            None => entry.dpe_flags |= DAOS_PROP_ENTRY_NOT_SET as u16,
        }
    }
    Ok(())
}

fn entry_of(number: u32) -> daos_prop_entry {
    daos_prop_entry { dpe_type: number, ..daos_prop_entry::default() }
}

fn give_value(entry: &mut daos_prop_entry, value: &PropValue) -> Result<()> {
    entry.dpe_flags &= !(DAOS_PROP_ENTRY_NOT_SET as u16);
    match value {
        PropValue::Number(number) => entry.__bindgen_anon_1.dpe_val = *number,
        PropValue::Text(text) => entry.__bindgen_anon_1.dpe_str = give_text(text)?,
        PropValue::Bytes(bytes) => entry.__bindgen_anon_1.dpe_val_ptr = give_memory(bytes, bytes.len())?,
    }
    Ok(())
}

/// A list of properties that the caller frees with `daos_prop_free`.
pub(crate) fn give_new(found: &[Prop]) -> Result<*mut daos_prop_t> {
    let list: *mut daos_prop_t = give_memory(&[], size_of::<daos_prop_t>())?.cast();
    // SAFETY: fresh, zeroed memory for a list.
    unsafe { give(list, found, &[]) }?;
    Ok(list)
}

/// A list of ranks that the caller frees with `d_rank_list_free`.
pub(crate) fn give_ranks(ranks: &[Rank]) -> Result<*mut d_rank_list_t> {
    let list: *mut d_rank_list_t = give_memory(&[], size_of::<d_rank_list_t>())?.cast();
    let bytes: Vec<u8> = ranks.iter().flat_map(|rank| rank.0.to_ne_bytes()).collect();
    let rl_ranks = give_memory(&bytes, bytes.len())?.cast();
    // SAFETY: fresh memory for a list.
    unsafe { list.write(d_rank_list_t { rl_ranks, rl_nr: ranks.len() as u32 }) };
    Ok(list)
}

/// The properties of a container's ACL and owners.
pub(crate) const ACL_PROPS: [u32; 3] = [co::ACL, co::OWNER, co::OWNER_GROUP];
