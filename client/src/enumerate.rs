//! Enumeration of an object whole: dkeys, their akeys, and the records of what they hold, in one stream of entries.
//!
//! Each call begins with the dkey and the akey that it goes on in, so that its answer can be read by itself. Small single
//! values come with their records.

use crate::context::Context;
use crate::keys::{Anchor, KeyList};
use crate::memory::UserMemory;
use crate::object::Object;
use crate::view::View;
use daos_common::wire::object::ListedRecx;
use daos_common::{Der, Iod, IodKind, Result};
use std::rc::Rc;

/// Bytes of a record (`struct obj_enum_rec`): extent, epoch range, size, version, flags.
pub const RECORD_BYTES: u64 = 48;
/// Flag of a record: the value follows it (`RECX_INLINE`).
const INLINE: u32 = 1;
/// Largest single value that follows its record, in bytes.
const INLINE_MAX_BYTES: u64 = 1024;
/// Records in one entry.
const RECORDS_MAX: u64 = 128;
/// Room for the one key that is listed at a time; a key has at most 64 KiB.
const KEY_ROOM_BYTES: u64 = 128 * 1024;

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// A dkey.
    Dkey,
    /// An akey of the last dkey.
    Akey,
    /// The record of the last akey's single value.
    Single,
    /// Records of the last akey's extents.
    Extents,
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// The key, or the records.
    pub bytes: Vec<u8>,
}

/// Where an enumeration goes on: in which dkey, in which akey of it, at which extent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// Begins with the dkey; its end is that of the enumeration.
    pub dkey: Anchor,
    /// Begins with the akey.
    pub akey: Anchor,
    /// Begins with the extent.
    pub extent: Anchor,
}

/// What an enumeration found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enumerated {
    /// These entries.
    Entries(Vec<Entry>),
    /// The next ones need room for this many bytes, or for three entries.
    TooBig(u64),
}

/// Entries so far, and what there is room for.
struct Gathered {
    entries: Vec<Entry>,
    bytes: u64,
    limit: usize,
    room: u64,
    /// Entries that the position is behind; those after them are heads of what has not come yet.
    done: usize,
}

impl Gathered {
    fn fits(&self, bytes: u64) -> bool {
        self.entries.len() < self.limit && bytes <= self.room - self.bytes
    }

    fn push(&mut self, kind: EntryKind, bytes: Vec<u8>) {
        self.bytes += bytes.len() as u64;
        self.entries.push(Entry { kind, bytes });
    }

    /// The position has moved behind all that is here.
    fn settle(&mut self) {
        self.done = self.entries.len();
    }

    /// The next entry of so many bytes has no room.
    fn full(mut self, bytes: u64) -> Enumerated {
        if self.done == 0 {
            return Enumerated::TooBig(self.bytes + bytes);
        }
        self.entries.truncate(self.done);
        Enumerated::Entries(self.entries)
    }
}

impl Object {
    /// Goes on with an enumeration: at most `limit` entries of `room_bytes` in all. Extents come in increasing order, or
    /// `descending`.
    ///
    /// # Errors
    /// `INVAL`: a position of another object; as [`Object::list_dkeys`].
    pub async fn enumerate(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        at: &mut Position,
        limit: usize,
        room_bytes: u64,
        descending: bool,
    ) -> Result<Enumerated> {
        let view = &view.into();
        let mut found = Gathered { entries: Vec::new(), bytes: 0, limit, room: room_bytes, done: 0 };
        while !at.dkey.eof {
            let mut behind = at.dkey.clone();
            let listed = self.list_dkeys(context, view, &mut behind, 1, KEY_ROOM_BYTES).await?;
            if let Some(dkey) = one_key(listed)? {
                if !found.fits(dkey.len() as u64) {
                    return Ok(found.full(dkey.len() as u64));
                }
                found.push(EntryKind::Dkey, dkey.clone());
                if let Some(bytes) = self.in_dkey(context, view, &dkey, at, &mut found, descending).await? {
                    return Ok(found.full(bytes));
                }
            }
            *at = Position { dkey: behind, ..Position::default() };
            found.settle();
        }
        Ok(Enumerated::Entries(found.entries))
    }

    /// Enumerates a dkey; the bytes of an entry that has no room.
    async fn in_dkey(
        &self,
        context: &Rc<Context>,
        view: &View,
        dkey: &[u8],
        at: &mut Position,
        found: &mut Gathered,
        descending: bool,
    ) -> Result<Option<u64>> {
        while !at.akey.eof {
            let mut behind = at.akey.clone();
            let listed = self.list_akeys(context, view, dkey.to_vec(), &mut behind, 1, KEY_ROOM_BYTES).await?;
            if let Some(akey) = one_key(listed)? {
                if !found.fits(akey.len() as u64) {
                    return Ok(Some(akey.len() as u64));
                }
                found.push(EntryKind::Akey, akey.clone());
                let keys = (dkey, akey.as_slice());
                if let Some(bytes) = self.in_akey(context, view, keys, at, found, descending).await? {
                    return Ok(Some(bytes));
                }
            }
            (at.akey, at.extent) = (behind, Anchor::default());
            found.settle();
        }
        Ok(None)
    }

    async fn in_akey(
        &self,
        context: &Rc<Context>,
        view: &View,
        (dkey, akey): (&[u8], &[u8]),
        at: &mut Position,
        found: &mut Gathered,
        descending: bool,
    ) -> Result<Option<u64>> {
        let keys = || (dkey.to_vec(), akey.to_vec());
        if at.extent == Anchor::default() {
            let ((dkey, akey), mut only) = (keys(), Anchor::default());
            let kind = Some(IodKind::Single);
            let single = self.list_recxs(context, view, dkey, akey, kind, false, &mut only, 1).await?;
            if let Some(record) = single.recxs.first() {
                let value = if record.size <= INLINE_MAX_BYTES { record.size } else { 0 };
                if !found.fits(RECORD_BYTES + value) {
                    return Ok(Some(RECORD_BYTES + value));
                }
                let mut bytes = encode(record, if value > 0 { INLINE } else { 0 });
                if value > 0 {
                    bytes.extend(self.single_value(context, view, keys(), value).await?);
                }
                found.push(EntryKind::Single, bytes);
                return Ok(None);
            }
        }
        while !at.extent.eof {
            if !found.fits(RECORD_BYTES) {
                return Ok(Some(RECORD_BYTES));
            }
            let most = ((found.room - found.bytes) / RECORD_BYTES).min(RECORDS_MAX) as u32;
            let ((dkey, akey), kind) = (keys(), Some(IodKind::Array));
            let listed = self.list_recxs(context, view, dkey, akey, kind, descending, &mut at.extent, most).await?;
            if !listed.recxs.is_empty() {
                let bytes = listed.recxs.iter().flat_map(|record| encode(record, 0)).collect();
                found.push(EntryKind::Extents, bytes);
                found.settle();
            }
        }
        Ok(None)
    }

    async fn single_value(
        &self,
        context: &Rc<Context>,
        view: &View,
        (dkey, akey): (Vec<u8>, Vec<u8>),
        size: u64,
    ) -> Result<Vec<u8>> {
        let mut value = vec![0u8; size as usize];
        let iod = Iod { akey, kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 };
        let memory = [UserMemory::of_buffer(&mut value)];
        let fetched = self.fetch(context, view, 0, dkey, vec![iod], &memory).await?;
        match fetched.first().is_some_and(|fetched| fetched.size == size) {
            true => Ok(value),
            false => Err(Der::TX_BUSY.err(format!("object {}: a value changed while it was enumerated", self.oid()))),
        }
    }
}

/// The key that was listed, if there was one.
fn one_key(listed: KeyList) -> Result<Option<Vec<u8>>> {
    match listed {
        KeyList::Keys(mut keys) => Ok(keys.pop()),
        KeyList::TooBig(bytes) => Err(Der::PROTO.err(format!("a key of {bytes} bytes"))),
    }
}

/// A record: extent, epoch range, size, version, flags.
fn encode(record: &ListedRecx, flags: u32) -> Vec<u8> {
    let words = [record.recx.idx, record.recx.nr, record.epoch, record.epoch, record.size, u64::from(flags) << 32];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
