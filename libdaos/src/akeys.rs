//! I/O descriptors: from `daos_iod_t` and scatter-gather lists to what the client takes, and results back.

use crate::c::{Length, SgList, elements, key, null};
use daos_client::UserMemory;
use daos_client::io::Fetched;
use daos_common::ids::KeyOrder;
use daos_common::{Der, Iod, IodKind, ObjectId, Recx, Result};
use daos_sys::{DAOS_IOD_ARRAY, DAOS_IOD_NONE, DAOS_IOD_SINGLE, DAOS_IOMF_DETAIL};
use daos_sys::{d_sg_list_t, daos_iod_t, daos_iom_t, daos_recx_t};

/// Highest index + 1: bit 63 is reserved.
const INDEX_LIMIT: u64 = 1 << 63;

/// Direction of an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the caller's memory.
    Update,
    /// Into the caller's memory.
    Fetch,
}

/// The akeys of one call, and where its results go.
pub(crate) struct Akeys {
    pub(crate) iods: Vec<Iod>,
    pub(crate) memory: Vec<UserMemory>,
    lists: Vec<Option<SgList>>,
    c_iods: *mut daos_iod_t,
    c_maps: *mut daos_iom_t,
}

impl Akeys {
    /// Takes in and checks the akeys of a call, as upstream does.
    ///
    /// # Errors
    /// `INVAL`: NULLs, empty keys, wrong key sizes, wrong or overlapping extents, data without memory; `REC2BIG`: too
    /// little memory.
    ///
    /// # Safety
    /// The contract of [`crate::c`].
    pub(crate) unsafe fn new(
        oid: ObjectId,
        count: usize,
        c_iods: *mut daos_iod_t,
        lists: *mut d_sg_list_t,
        c_maps: *mut daos_iom_t,
        direction: Direction,
    ) -> Result<Akeys> {
        if count == 0 || c_iods.is_null() {
            return Err(Der::INVAL.err("no I/O descriptor"));
        }
        let mut akeys = Akeys { iods: Vec::new(), memory: Vec::new(), lists: Vec::new(), c_iods, c_maps };
        for index in 0..count {
            // SAFETY: the caller's array of `count` descriptors.
            let c_iod = unsafe { c_iods.add(index).read_unaligned() };
            let list = match lists.is_null() {
                true => None,
                // SAFETY: the caller's array of `count` lists.
                false => Some(unsafe { SgList::new(lists.add(index)) }?),
            };
            // SAFETY: the contract of this function.
            let iod =
                unsafe { take_iod(oid, &c_iod, direction) }.map_err(|error| error.at(format_args!("iod {index}")))?;
            let length = match direction {
                Direction::Update => Length::Filled,
                Direction::Fetch => Length::Room,
            };
            let memory = list.map_or_else(UserMemory::default, |list| list.memory(length));
            check_room(&iod, list.is_some(), &memory, direction)
                .map_err(|error| error.at(format_args!("iod {index}")))?;
            akeys.iods.push(iod);
            akeys.memory.push(memory);
            akeys.lists.push(list);
        }
        Ok(akeys)
    }

    /// Tells the caller what a fetch found.
    ///
    /// # Errors
    /// `NOMEM`: for an I/O map that we allocate.
    pub(crate) fn give_results(&self, found: &[Fetched]) -> Result<()> {
        for (index, found) in found.iter().enumerate() {
            self.give_size(index, found.size);
            if let Some(list) = self.lists[index] {
                match found.size > 0 && found.covered_bytes > 0 {
                    true => list.set_filled(found.covered_bytes),
                    false => list.set_used(0),
                }
            }
            if !self.c_maps.is_null() {
                // SAFETY: the caller's array of as many maps as descriptors.
                give_map(unsafe { &mut *self.c_maps.add(index) }, &self.iods[index], found)?;
            }
        }
        Ok(())
    }

    /// Tells the caller the size of an akey's records or value.
    pub(crate) fn give_size(&self, index: usize, size: u64) {
        // SAFETY: the caller's array of descriptors, of which the size is ours to set.
        unsafe { (*self.c_iods.add(index)).iod_size = size };
    }
}

/// Takes in and checks one descriptor.
///
/// # Errors
/// `INVAL`, as [`Akeys::new`].
///
/// # Safety
/// The contract of [`crate::c`].
pub(crate) unsafe fn take_iod(oid: ObjectId, c_iod: &daos_iod_t, direction: Direction) -> Result<Iod> {
    // SAFETY: the contract of this function.
    let akey = unsafe { key(&c_iod.iod_name, "akey") }?;
    if oid.akey_order() == KeyOrder::Integer && akey.len() != 8 {
        return Err(Der::INVAL.err(format!("an integer akey of {} bytes", akey.len())));
    }
    // SAFETY: the contract of this function.
    let recxs: Vec<daos_recx_t> = unsafe { elements(c_iod.iod_recxs, c_iod.iod_nr as usize) };
    let (size, flags) = (c_iod.iod_size, c_iod.iod_flags);
    match c_iod.iod_type {
        DAOS_IOD_SINGLE if c_iod.iod_nr == 1 => Ok(Iod { akey, kind: IodKind::Single, size, recxs: Vec::new(), flags }),
        DAOS_IOD_ARRAY if c_iod.iod_nr > 0 && c_iod.iod_recxs.is_null() => Err(null("iod_recxs")),
        DAOS_IOD_ARRAY => {
            let recxs: Vec<Recx> = recxs.iter().map(|recx| Recx { idx: recx.rx_idx, nr: recx.rx_nr }).collect();
            check_extents(&recxs)?;
            Ok(Iod { akey, kind: IodKind::Array, size, recxs, flags })
        }
        // No value is meant, only the key: a question for its existence.
        DAOS_IOD_NONE if c_iod.iod_nr == 0 && c_iod.iod_recxs.is_null() && direction == Direction::Fetch => {
            Ok(Iod { akey, kind: IodKind::Single, size: 0, recxs: Vec::new(), flags })
        }
        other => Err(Der::INVAL.err(format!("iod_type {other} with iod_nr {}", c_iod.iod_nr))),
    }
}

/// Extents must not be empty, nor overlap, nor reach the reserved bit.
fn check_extents(recxs: &[Recx]) -> Result<()> {
    let end = |recx: &Recx| recx.idx.checked_add(recx.nr);
    if recxs.is_empty() || recxs.iter().any(|recx| recx.nr == 0 || end(recx).is_none_or(|end| end > INDEX_LIMIT)) {
        return Err(Der::INVAL.err("no extents, an empty one, or one at or behind index 2^63"));
    }
    let overlap = |sorted: &[Recx]| sorted.windows(2).any(|pair| end(&pair[0]) > Some(pair[1].idx));
    if overlap(recxs) {
        let mut sorted = recxs.to_vec();
        sorted.sort_unstable_by_key(|recx| recx.idx);
        if overlap(&sorted) {
            return Err(Der::INVAL.err("extents that overlap"));
        }
    }
    Ok(())
}

/// Data needs memory, and enough of it; a size alone, and a punch, need none.
fn check_room(iod: &Iod, has_list: bool, memory: &UserMemory, direction: Direction) -> Result<()> {
    if iod.size == 0 {
        return Ok(());
    }
    if !has_list {
        return match (iod.kind, direction) {
            (IodKind::Single, Direction::Fetch) => Ok(()),
            _ => Err(Der::INVAL.err("data to move, but no scatter-gather list")),
        };
    }
    let wanted = iod.data_bytes()?;
    if wanted > memory.len() {
        return Err(Der::REC2BIG.err(format!("{wanted} bytes of data, {} of memory", memory.len())));
    }
    Ok(())
}

/// Fills an I/O map: the lowest and highest extent that hold data, and all of them if the caller wants them.
fn give_map(map: &mut daos_iom_t, iod: &Iod, found: &Fetched) -> Result<()> {
    let c_recx = |recx: &Recx| daos_recx_t { rx_idx: recx.idx, rx_nr: recx.nr };
    let none = Recx { idx: 0, nr: 0 };
    let mut present = found.present.clone();
    present.sort_unstable_by_key(|recx| recx.idx);
    map.iom_type = match iod.kind {
        IodKind::Single => DAOS_IOD_SINGLE,
        IodKind::Array => DAOS_IOD_ARRAY,
    };
    map.iom_size = found.size;
    map.iom_recx_lo = c_recx(present.first().unwrap_or(&none));
    map.iom_recx_hi = c_recx(present.last().unwrap_or(&none));
    map.iom_nr_out = present.len() as u32;
    if map.iom_flags & DAOS_IOMF_DETAIL == 0 {
        map.iom_nr_out = 0;
        return Ok(());
    }
    if map.iom_recxs.is_null() && !present.is_empty() {
        let bytes = present.len() * size_of::<daos_recx_t>();
        map.iom_recxs = crate::c::give_memory(&[], bytes)?.cast();
        map.iom_nr = map.iom_nr_out;
    }
    for (index, recx) in present.iter().enumerate().take(map.iom_nr as usize) {
        // SAFETY: the map has room for `iom_nr` extents, its maker's or ours.
        unsafe { map.iom_recxs.add(index).write_unaligned(c_recx(recx)) };
    }
    Ok(())
}
