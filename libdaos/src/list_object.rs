//! `DAOS_OPC_OBJ_LIST_OBJ`: an object's keys and records in one stream. Only a task can ask for it.
//!
//! | `kd_val_type` | bytes in the buffers, `kd_key_len` of them |
//! |---|---|
//! | 2 | a dkey |
//! | 3 | an akey of the last dkey |
//! | 4 | the record of the last akey's single value; the value behind it if its flags have bit 0 |
//! | 5 | records of the last akey's extents |
//!
//! A record is upstream's: extent (index, number; 0, 1 for a single value), epochs (low, high), size in bytes, as u64; version
//! and flags, as u32.

use crate::anchor;
use crate::api_object::view;
use crate::c::{Length, Out, OutArray, SgList, null};
use crate::call::Call;
use crate::handles::OBJECTS;
use daos_client::enumerate::{EntryKind, Enumerated, Position};
use daos_common::{Der, Result};
use daos_sys::{daos_anchor_t, daos_event_t, daos_key_desc_t, daos_obj_list_obj_t};
use std::ffi::c_int;

/// Where the entries go.
struct Places {
    count: Out<u32>,
    descriptors: OutArray<daos_key_desc_t>,
    list: SgList,
    anchors: [Out<daos_anchor_t>; 3],
}

impl Places {
    fn position(&self) -> Position {
        let [dkey, akey, extent] = [0, 1, 2].map(|which: usize| anchor::take(&self.anchors[which].get()));
        Position { dkey, akey, extent }
    }

    fn give(&self, found: Enumerated, at: &Position) -> Result<()> {
        let entries = match found {
            Enumerated::Entries(entries) => entries,
            Enumerated::TooBig(bytes) => {
                self.descriptors.set(0, daos_key_desc_t { kd_key_len: bytes, kd_val_type: 0 });
                return Err(Der::KEY2BIG.err(format!("the next entries have {bytes} bytes, or are more than fit")));
            }
        };
        let (memory, mut offset) = (self.list.memory(Length::Room), 0);
        for (index, entry) in entries.iter().enumerate() {
            let kd_val_type = match entry.kind {
                EntryKind::Dkey => 2,
                EntryKind::Akey => 3,
                EntryKind::Single => 4,
                EntryKind::Extents => 5,
            };
            let kd_key_len = entry.bytes.len() as u64;
            self.descriptors.set(index, daos_key_desc_t { kd_key_len, kd_val_type });
            memory.write_at(offset, &entry.bytes);
            offset += kd_key_len;
        }
        self.list.set_filled(offset);
        self.count.set(entries.len() as u32);
        for (place, position) in self.anchors.iter().zip([&at.dkey, &at.akey, &at.extent]) {
            place.set(anchor::give(position, place.get()));
        }
        Ok(())
    }
}

/// Lists a part of an object.
///
/// # Safety
/// The contract of [`crate::c`], for what the record points to and the event.
pub(crate) unsafe fn list_object(a: &daos_obj_list_obj_t, ev: *mut daos_event_t) -> c_int {
    // SAFETY: the contract of this function.
    unsafe { Call::on(ev) }.run(|| {
        let (object, view) = (OBJECTS.get(a.oh.cookie)?, view(a.th)?);
        // SAFETY: the contract of this function.
        let (count, list) = unsafe { (Out::required(a.nr, "nr")?, SgList::new(a.sgl)?) };
        // SAFETY: the contract of this function.
        let required = |place, name| unsafe { Out::required(place, name) };
        let anchors = [
            required(a.dkey_anchor, "dkey_anchor")?,
            required(a.akey_anchor, "akey_anchor")?,
            required(a.anchor, "anchor")?,
        ];
        if a.kds.is_null() || count.get() == 0 {
            return Err(null("kds, or no room in it"));
        }
        // SAFETY: the contract of this function; the array has `*nr` elements.
        let descriptors = unsafe { OutArray::new(a.kds, count.get() as usize) };
        let (places, descending) = (Places { count, descriptors, list, anchors }, !a.incr_order);
        Ok(move |context| async move {
            let (mut at, limit) = (places.position(), places.count.get() as usize);
            let room = places.list.memory(Length::Room).len();
            let found = object.enumerate(&context, view, &mut at, limit, room, descending).await?;
            places.give(found, &at)
        })
    })
}
