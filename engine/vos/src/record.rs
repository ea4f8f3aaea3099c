//! Records that trees point to, and how keys find them.
//!
//! | word | container | object | dkey | akey |
//! |---|---|---|---|---|
//! | 0 | UUID | 0 | key bytes | key bytes, kind in the top 32 bits: 0 none yet, 1 single, 2 array |
//! | 1 | UUID | punches | punches | punches |
//! | 2 | objects | dkeys | akeys | values or extents |
//! | 3 | next destroyed container | newest epoch written | 0 | record size of an array |
//!
//! The key's bytes follow the 32 bytes of a dkey's or akey's record, 32 bytes for transactions that of a container
//! (`transactions`). Punches are a tree of (epoch, seq).
//!
//! A single value is an entry (epoch, seq) → offset of a value record, 0 for a punch:
//!
//! | word | value record |
//! |---|---|
//! | 0 | bytes of the value |
//! | 1 | 0: the bytes follow; else offset on the data tier plus 1 |

use crate::arena::{Mem, UNIT, damaged, word};
use crate::store::Tier;
use crate::tree::{KeyTree, Probe, Words};
use crate::tx::{Run, Tx};
use daos_common::ids::KeyOrder;
use daos_common::{Der, Epoch, IodKind, Result, UnitOid};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

/// Bytes of a record without its key.
pub(crate) const RECORD_BYTES: u64 = 32;
/// Bytes of a value record without its value.
pub(crate) const VALUE_HEADER: u64 = 16;

/// When something was written: epochs order, and the later of two writes at one epoch counts. `seq` is the number of
/// the transaction times 65536, plus the number of the iod in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Version {
    pub(crate) epoch: Epoch,
    pub(crate) seq: u64,
}

/// A record as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) off: u64,
    pub(crate) head: u64,
    pub(crate) punches: u64,
    pub(crate) root: u64,
    pub(crate) extra: u64,
}

impl Record {
    /// Word of the punches.
    pub(crate) const PUNCHES: usize = 1;
    /// Word of the tree below.
    pub(crate) const ROOT: usize = 2;
    /// Word of record size, newest epoch, or next container.
    pub(crate) const EXTRA: usize = 3;

    /// Reads the record at `off`.
    ///
    /// # Errors
    /// `DF_INVAL`, as all functions here.
    #[inline]
    pub(crate) fn read(mem: &impl Mem, off: u64) -> Result<Record> {
        let bytes = mem.view(off, RECORD_BYTES)?;
        Ok(Record { off, head: word(bytes, 0), punches: word(bytes, 8), root: word(bytes, 16), extra: word(bytes, 24) })
    }

    /// Bytes of the key.
    pub(crate) fn key_len(&self) -> u64 {
        self.head & 0xffff_ffff
    }

    /// Kind of an akey's values.
    pub(crate) fn kind(&self) -> Option<IodKind> {
        match self.head >> 32 {
            1 => Some(IodKind::Single),
            2 => Some(IodKind::Array),
            _ => None,
        }
    }
}

/// Sets the kind of an akey.
pub(crate) fn set_kind(tx: &mut Tx<'_>, akey: &Record, kind: IodKind) -> Result<()> {
    let code: u64 = if kind == IodKind::Single { 1 } else { 2 };
    crate::tx::set_record_word(tx, akey.off, 0, akey.key_len() | code << 32)
}

/// The bytes of the key of the record at `off`.
#[inline]
pub(crate) fn key_bytes(mem: &impl Mem, off: u64) -> Result<&[u8]> {
    let len = word(mem.view(off, 8)?, 0) & 0xffff_ffff;
    mem.view(off.saturating_add(RECORD_BYTES), len)
}

/// Key of a container.
pub(crate) fn container_words(cont: Uuid) -> Words {
    let (hi, lo) = cont.as_u64_pair();
    [hi, lo, 0]
}

/// Key of an object.
pub(crate) fn object_words(oid: UnitOid) -> Words {
    [oid.oid.hi, oid.oid.lo, u64::from(oid.shard) << 16 | u64::from(oid.layout)]
}

/// The object of a key.
pub(crate) fn object_of(words: Words) -> UnitOid {
    let oid = daos_common::ObjectId { lo: words[1], hi: words[0] };
    UnitOid { oid, shard: (words[2] >> 16) as u32, layout: words[2] as u16 }
}

fn prefix(key: &[u8]) -> (u64, u64) {
    let mut padded = [0u8; 16];
    let len = key.len().min(16);
    padded[..len].copy_from_slice(&key[..len]);
    let whole = u128::from_be_bytes(padded);
    ((whole >> 64) as u64, whole as u64)
}

/// What to look for in a tree of keys of this order. Hashed keys that collide differ in the third word, which is 0 here.
///
/// # Errors
/// `INVAL`: an empty key, one of 4 GiB, or an integer key that isn't 8 bytes.
pub(crate) fn probe(order: KeyOrder, key: &[u8]) -> Result<Probe<'_>> {
    if key.is_empty() || key.len() > u32::MAX as usize {
        return Err(Der::INVAL.err(format!("a key of {} bytes; it must have 1 to 4294967295", key.len())));
    }
    match order {
        KeyOrder::Hashed => {
            let hash = xxh3_128(key);
            Ok(Probe::exact([(hash >> 64) as u64, hash as u64, 0]))
        }
        KeyOrder::Integer => match <[u8; 8]>::try_from(key) {
            Ok(bytes) => Ok(Probe::exact([u64::from_le_bytes(bytes), 0, 0])),
            Err(_) => Err(Der::INVAL.err(format!("an integer key of {} bytes; it must have 8", key.len()))),
        },
        KeyOrder::Lexical => {
            let (hi, lo) = prefix(key);
            Ok(Probe { words: [hi, lo, 0], bytes: Some(key) })
        }
    }
}

/// Where a key is, or the third word that a new entry for it gets.
pub(crate) enum Found {
    At { off: u64 },
    Absent { collisions: u64 },
}

/// Looks for a key.
pub(crate) fn find_key(mem: &impl Mem, root: u64, order: KeyOrder, key: &[u8], probe: &Probe<'_>) -> Result<Found> {
    let mut collisions = 0;
    let Some(mut cursor) = KeyTree::seek(mem, root, probe)? else { return Ok(Found::Absent { collisions }) };
    loop {
        let entry = KeyTree::entry(mem, &cursor)?;
        if entry[0] != probe.words[0] || entry[1] != probe.words[1] {
            return Ok(Found::Absent { collisions });
        }
        if order == KeyOrder::Integer || key_bytes(mem, entry[3])? == key {
            return Ok(Found::At { off: entry[3] });
        }
        if order == KeyOrder::Lexical {
            return Ok(Found::Absent { collisions });
        }
        collisions = entry[2].wrapping_add(1);
        if !KeyTree::advance(mem, &mut cursor)? {
            return Ok(Found::Absent { collisions });
        }
    }
}

/// Finds a key's record; 0 when absent.
pub(crate) fn look_up(mem: &impl Mem, root: u64, order: KeyOrder, key: &[u8], probe: &Probe<'_>) -> Result<u64> {
    match find_key(mem, root, order, key, probe)? {
        Found::At { off } => Ok(off),
        Found::Absent { .. } => Ok(0),
    }
}

/// Finds a key's record below `parent`, making it if it is absent.
///
/// # Errors
/// `NOSPACE`.
pub(crate) fn look_up_or_make(
    tx: &mut Tx<'_>,
    parent: u64,
    order: KeyOrder,
    key: &[u8],
    probe: &Probe<'_>,
) -> Result<u64> {
    let mut root = Record::read(tx, parent)?.root;
    let collisions = match find_key(tx, root, order, key, probe)? {
        Found::At { off } => return Ok(off),
        Found::Absent { collisions } => collisions,
    };
    let off = make_record(tx, [key.len() as u64, 0, 0, 0], key)?;
    let mut words = probe.words;
    match order {
        KeyOrder::Hashed => words[2] = collisions,
        KeyOrder::Integer => {}
        KeyOrder::Lexical => words[2] = off,
    }
    let before = root;
    KeyTree::insert(tx, &mut root, &Probe { words, bytes: probe.bytes }, [words[0], words[1], words[2], off])?;
    if root != before {
        crate::tx::set_record_word(tx, parent, Record::ROOT, root)?;
    }
    Ok(off)
}

/// A new record.
pub(crate) fn make_record(tx: &mut Tx<'_>, words: [u64; 4], key: &[u8]) -> Result<u64> {
    let off = tx.alloc(RECORD_BYTES + key.len() as u64)?;
    let mut head = [0u8; RECORD_BYTES as usize];
    for (index, value) in words.into_iter().enumerate() {
        crate::arena::set_word(&mut head, index * 8, value);
    }
    tx.write_new(off, &head)?;
    if !key.is_empty() {
        tx.write_new(off + RECORD_BYTES, key)?;
    }
    Ok(off)
}

/// Frees a record and its key.
pub(crate) fn free_record(tx: &mut Tx<'_>, record: &Record, key_len: u64) {
    tx.free(record.off, RECORD_BYTES + key_len);
}

/// The object's record; 0 when absent.
pub(crate) fn find_object(mem: &impl Mem, container: u64, oid: UnitOid) -> Result<u64> {
    let words = object_words(oid);
    let root = Record::read(mem, container)?.root;
    match KeyTree::seek(mem, root, &Probe::exact(words))? {
        Some(cursor) => {
            let entry = KeyTree::entry(mem, &cursor)?;
            Ok(if entry[..3] == words { entry[3] } else { 0 })
        }
        None => Ok(0),
    }
}

/// The object's record, made if it is absent.
///
/// # Errors
/// `NOSPACE`.
pub(crate) fn find_or_make_object(tx: &mut Tx<'_>, container: u64, oid: UnitOid) -> Result<u64> {
    match find_object(tx, container, oid)? {
        0 => {
            let mut root = Record::read(tx, container)?.root;
            let off = make_record(tx, [0; 4], &[])?;
            let words = object_words(oid);
            let before = root;
            KeyTree::insert(tx, &mut root, &Probe::exact(words), [words[0], words[1], words[2], off])?;
            if root != before {
                crate::tx::set_record_word(tx, container, Record::ROOT, root)?;
            }
            Ok(off)
        }
        off => Ok(off),
    }
}

/// The newest punch at or below `epoch`, or `floor` if that is newer.
#[inline]
pub(crate) fn punched(mem: &impl Mem, record: &Record, epoch: Epoch, floor: Version) -> Result<Version> {
    if record.punches == 0 {
        return Ok(floor);
    }
    match KeyTree::seek_floor(mem, record.punches, &Probe::exact([epoch, u64::MAX, u64::MAX]))? {
        Some(cursor) => {
            let entry = KeyTree::entry(mem, &cursor)?;
            Ok(floor.max(Version { epoch: entry[0], seq: entry[1] }))
        }
        None => Ok(floor),
    }
}

/// Puts an entry (epoch, seq) → `value` into a tree of versions, in place of one at the same epoch; the value replaced.
///
/// # Errors
/// `NOSPACE`.
pub(crate) fn put_version(tx: &mut Tx<'_>, root: &mut u64, version: Version, value: u64) -> Result<Option<u64>> {
    let mut replaced = None;
    if let Some(cursor) = KeyTree::seek_floor(tx, *root, &Probe::exact([version.epoch, u64::MAX, u64::MAX]))? {
        let entry = KeyTree::entry(tx, &cursor)?;
        if entry[0] == version.epoch {
            KeyTree::remove(tx, root, &cursor)?;
            replaced = Some(entry[3]);
        }
    }
    let words = [version.epoch, version.seq, 0];
    KeyTree::insert(tx, root, &Probe::exact(words), [words[0], words[1], words[2], value])?;
    Ok(replaced)
}

/// Adds a punch to a record.
///
/// # Errors
/// `NOSPACE`.
pub(crate) fn add_punch(tx: &mut Tx<'_>, off: u64, version: Version) -> Result<()> {
    let mut root = Record::read(tx, off)?.punches;
    let before = root;
    put_version(tx, &mut root, version, 0)?;
    if root != before {
        crate::tx::set_record_word(tx, off, Record::PUNCHES, root)?;
    }
    Ok(())
}

/// A single value as stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    pub(crate) off: u64,
    pub(crate) len: u64,
    /// Offset on the data tier; `None`: behind the record.
    pub(crate) blob: Option<u64>,
}

impl Value {
    /// Reads a value record.
    pub(crate) fn read(mem: &impl Mem, off: u64) -> Result<Value> {
        let bytes = mem.view(off, VALUE_HEADER)?;
        Ok(Value { off, len: word(bytes, 0), blob: word(bytes, 8).checked_sub(1) })
    }

    /// Frees the record and the value.
    pub(crate) fn free(&self, tx: &mut Tx<'_>) {
        match self.blob {
            None => tx.free(self.off, VALUE_HEADER.saturating_add(self.len)),
            Some(blob) => {
                tx.free(self.off, VALUE_HEADER);
                tx.free_run(run_of(Tier::Blob, blob, self.len));
            }
        }
    }
}

/// The run that holds `len` bytes at `off` of a tier.
pub(crate) fn run_of(tier: Tier, off: u64, len: u64) -> Run {
    Run { tier, unit: off / tier.unit(), units: len.div_ceil(tier.unit()) }
}

/// The newest version of a single value at or below `epoch` and above `floor`: its version and value, punched or not.
pub(crate) fn newest_value(mem: &impl Mem, root: u64, epoch: Epoch, floor: Version) -> Result<Option<(Version, u64)>> {
    let Some(cursor) = KeyTree::seek_floor(mem, root, &Probe::exact([epoch, u64::MAX, u64::MAX]))? else {
        return Ok(None);
    };
    let entry = KeyTree::entry(mem, &cursor)?;
    let version = Version { epoch: entry[0], seq: entry[1] };
    Ok((version > floor).then_some((version, entry[3])))
}

/// Whether an akey has data written after the last punch, at or below `epoch`.
pub(crate) fn akey_exists(mem: &impl Mem, akey: &Record, epoch: Epoch, floor: Version) -> Result<bool> {
    let floor = punched(mem, akey, epoch, floor)?;
    if akey.kind() == Some(IodKind::Array) {
        return crate::extent::any_data(mem, akey.root, epoch, floor);
    }
    let Some(mut cursor) = KeyTree::seek_floor(mem, akey.root, &Probe::exact([epoch, u64::MAX, u64::MAX]))? else {
        return Ok(false);
    };
    loop {
        let entry = KeyTree::entry(mem, &cursor)?;
        if (Version { epoch: entry[0], seq: entry[1] }) <= floor {
            return Ok(false);
        }
        if entry[3] != 0 {
            return Ok(true);
        }
        if !KeyTree::retreat(mem, &mut cursor)? {
            return Ok(false);
        }
    }
}

/// Whether any key below a record exists; `exists` says it of one.
fn any_below(mem: &impl Mem, root: u64, exists: impl Fn(&Record) -> Result<bool>) -> Result<bool> {
    let Some(mut cursor) = KeyTree::first(mem, root)? else { return Ok(false) };
    loop {
        let entry = KeyTree::entry(mem, &cursor)?;
        if exists(&Record::read(mem, entry[3])?)? {
            return Ok(true);
        }
        if !KeyTree::advance(mem, &mut cursor)? {
            return Ok(false);
        }
    }
}

/// Whether a dkey has an akey that exists.
pub(crate) fn dkey_exists(mem: &impl Mem, dkey: &Record, epoch: Epoch, floor: Version) -> Result<bool> {
    let floor = punched(mem, dkey, epoch, floor)?;
    any_below(mem, dkey.root, |akey| akey_exists(mem, akey, epoch, floor))
}

/// Whether an object has a dkey that exists.
pub(crate) fn object_exists(mem: &impl Mem, object: &Record, epoch: Epoch) -> Result<bool> {
    let floor = punched(mem, object, epoch, Version::default())?;
    any_below(mem, object.root, |dkey| dkey_exists(mem, dkey, epoch, floor))
}

/// That a record's offset is one: a multiple of the unit, not 0.
pub(crate) fn sound_offset(off: u64) -> Result<()> {
    if off == 0 || !off.is_multiple_of(UNIT) {
        return Err(damaged(format!("a record at offset {off}")));
    }
    Ok(())
}
