//! Enumeration with anchors that survive changes in between.
//!
//! | first byte | anchor |
//! |---|---|
//! | `k` | the three words of the last key or object |
//! | `l` | the last lexical key, if it fits |
//! | `L` | of a longer one: its first 56 bytes, its XXH3-128, the offset of its record as a hint |
//! | `K`, `m`, `M` | as `k`, `l`, `L`, but the listing begins at the key and not behind it |
//! | `r`, `d` | extents: where to go on upwards, downwards |
//!
//! A hint is used only if a key with that beginning and hash stands there; else the keys with that beginning are
//! searched, and begun again if the key is gone.

use crate::arena::Mem;
use crate::extent::{Query, visible, visible_descending};
use crate::record::{self, RECORD_BYTES, Record, Version, newest_value, probe, punched};
use crate::store::{ContState, Inner};
use crate::tree::{Cursor, KeyTree, Probe, Words};
use crate::update::{Path, find_akey, locate};
use daos_common::ids::KeyOrder;
use daos_common::wire::object::{ListKind, Listed, ListedRecx, ObjListReply};
use daos_common::{Der, Epoch, IodKind, Recx, Result, UnitOid};
use xxhash_rust::xxh3::xxh3_128;

/// Longest anchor.
const ANCHOR_BYTES: usize = 96;
const PREFIX_BYTES: usize = 56;
/// Invisible keys that one call passes before it answers with what it has.
const PASSED_LIMIT: u32 = 8192;

/// What a list call names.
pub(crate) struct Request<'a> {
    pub(crate) oid: UnitOid,
    pub(crate) epoch: Epoch,
    pub(crate) dkey: &'a [u8],
    pub(crate) anchor: &'a [u8],
    pub(crate) limit: u32,
    pub(crate) room_bytes: u64,
}

/// Lists.
///
/// # Errors
/// As [`crate::VosCont::list`].
pub(crate) fn list(inner: &Inner, cont: &ContState, what: &ListKind, request: &Request<'_>) -> Result<ObjListReply> {
    cont.check_alive()?;
    if request.anchor.len() > ANCHOR_BYTES {
        return Err(bad_anchor());
    }
    if request.limit == 0 {
        return Err(Der::INVAL.err("a list of at most 0 entries"));
    }
    let state = inner.state.borrow();
    let mem = &state.arena;
    match what {
        ListKind::Objects => list_objects(mem, cont, request),
        ListKind::Dkeys => {
            let off = record::find_object(mem, cont.record, request.oid)?;
            if off == 0 {
                return Ok(finished(Listed::Keys(Vec::new())));
            }
            let object = Record::read(mem, off)?;
            let floor = punched(mem, &object, request.epoch, Version::default())?;
            let order = request.oid.oid.dkey_order();
            list_keys(mem, object.root, order, request, |dkey| record::dkey_exists(mem, dkey, request.epoch, floor))
        }
        ListKind::Akeys => {
            let path = locate(mem, cont, request.oid, request.dkey, request.epoch)?;
            let Some(dkey) = path.dkey else { return Ok(finished(Listed::Keys(Vec::new()))) };
            let order = request.oid.oid.akey_order();
            list_keys(mem, dkey.root, order, request, |akey| record::akey_exists(mem, akey, request.epoch, path.floor))
        }
        ListKind::Recxs { akey, kind, descending } => {
            let path = locate(mem, cont, request.oid, request.dkey, request.epoch)?;
            list_recxs(mem, &path, akey, *kind, *descending, request)
        }
    }
}

#[cold]
fn bad_anchor() -> daos_common::Error {
    Der::INVAL.err("the anchor is not from a list of this kind; begin again with an empty one")
}

fn finished(entries: Listed) -> ObjListReply {
    ObjListReply { entries, anchor: Vec::new(), eof: true, key_bytes_needed: 0 }
}

fn word_anchor(tag: u8, words: &[u64]) -> Vec<u8> {
    let mut anchor = vec![tag];
    words.iter().for_each(|word| anchor.extend_from_slice(&word.to_le_bytes()));
    anchor
}

fn anchor_words<const N: usize>(anchor: &[u8], tag: u8) -> Result<[u64; N]> {
    if anchor.len() != 1 + 8 * N || anchor[0] != tag {
        return Err(bad_anchor());
    }
    Ok(std::array::from_fn(|index| crate::arena::word(anchor, 1 + 8 * index)))
}

/// The anchor at which an ascending listing of extents begins at a record; extents that hold it are cut there.
pub fn extents_from(record: u64) -> Vec<u8> {
    word_anchor(b'r', &[record])
}

fn list_objects(mem: &impl Mem, cont: &ContState, request: &Request<'_>) -> Result<ObjListReply> {
    let root = Record::read(mem, cont.record)?.root;
    let mut cursor = match request.anchor {
        [] => KeyTree::first(mem, root)?,
        anchor => KeyTree::seek_above(mem, root, &Probe::exact(anchor_words(anchor, b'k')?))?,
    };
    let mut objects = Vec::new();
    let mut passed = 0;
    while let Some(at) = &mut cursor {
        let entry = KeyTree::entry(mem, at)?;
        if record::object_exists(mem, &Record::read(mem, entry[3])?, request.epoch)? {
            objects.push(record::object_of([entry[0], entry[1], entry[2]]));
        } else {
            passed += 1;
        }
        if objects.len() == request.limit as usize || passed == PASSED_LIMIT {
            let anchor = word_anchor(b'k', &entry[..3]);
            return Ok(ObjListReply { entries: Listed::Objects(objects), anchor, eof: false, key_bytes_needed: 0 });
        }
        if !KeyTree::advance(mem, at)? {
            break;
        }
    }
    Ok(finished(Listed::Objects(objects)))
}

fn key_anchor_behind(order: KeyOrder, words: Words, key: &[u8], off: u64) -> Vec<u8> {
    if order != KeyOrder::Lexical {
        return word_anchor(b'k', &words);
    }
    if key.len() < ANCHOR_BYTES {
        return [b"l", key].concat();
    }
    [b"L", &key[..PREFIX_BYTES], &xxh3_128(key).to_le_bytes(), &off.to_le_bytes()].concat()
}

/// The anchor at which a listing of dkeys, or of the akeys of `dkey`, begins at a key, or behind it once it is gone;
/// `None` when there is nothing to list.
///
/// # Errors
/// As [`crate::VosCont::key_anchor`].
pub(crate) fn key_anchor(
    inner: &Inner,
    cont: &ContState,
    oid: UnitOid,
    dkey: &[u8],
    akey: Option<&[u8]>,
) -> Result<Option<Vec<u8>>> {
    cont.check_alive()?;
    let state = inner.state.borrow();
    let mem = &state.arena;
    let path = locate(mem, cont, oid, dkey, Epoch::MAX)?;
    let (root, order, key) = match akey {
        None => match path.object {
            Some(object) => (object.root, oid.oid.dkey_order(), dkey),
            None => return Ok(None),
        },
        Some(akey) => match path.dkey {
            Some(dkey) => (dkey.root, oid.oid.akey_order(), akey),
            None => return Ok(None),
        },
    };
    let probe = probe(order, key)?;
    if order != KeyOrder::Lexical {
        return Ok(Some(word_anchor(b'K', &probe.words)));
    }
    let hint = record::look_up(mem, root, order, key, &probe)?;
    let mut anchor = key_anchor_behind(order, probe.words, key, hint);
    anchor[0] = if anchor[0] == b'l' { b'm' } else { b'M' };
    Ok(Some(anchor))
}

/// The first key behind the anchor.
fn resume(mem: &impl Mem, root: u64, order: KeyOrder, anchor: &[u8]) -> Result<Option<Cursor>> {
    match (anchor, order) {
        ([], _) => KeyTree::first(mem, root),
        ([b'l', key @ ..], KeyOrder::Lexical) => KeyTree::seek_above(mem, root, &probe(order, key)?),
        ([b'm', key @ ..], KeyOrder::Lexical) => KeyTree::seek(mem, root, &probe(order, key)?),
        ([b'L', rest @ ..], KeyOrder::Lexical) => resume_long(mem, root, rest, false),
        ([b'M', rest @ ..], KeyOrder::Lexical) => resume_long(mem, root, rest, true),
        (_, KeyOrder::Lexical) => Err(bad_anchor()),
        ([b'K', ..], _) => KeyTree::seek(mem, root, &Probe::exact(anchor_words(anchor, b'K')?)),
        (anchor, _) => KeyTree::seek_above(mem, root, &Probe::exact(anchor_words(anchor, b'k')?)),
    }
}

/// Resumes behind a long lexical key, or at it.
fn resume_long(mem: &impl Mem, root: u64, anchor: &[u8], at_key: bool) -> Result<Option<Cursor>> {
    if anchor.len() != PREFIX_BYTES + 24 {
        return Err(bad_anchor());
    }
    let (prefix, rest) = anchor.split_at(PREFIX_BYTES);
    let is_it = |key: &[u8]| key.starts_with(prefix) && xxh3_128(key).to_le_bytes() == rest[..16];
    let hint = crate::arena::word(rest, 16);
    if hint < u64::MAX - RECORD_BYTES
        && let Ok(key) = record::key_bytes(mem, hint)
        && is_it(key)
    {
        let probe = probe(KeyOrder::Lexical, key)?;
        return if at_key { KeyTree::seek(mem, root, &probe) } else { KeyTree::seek_above(mem, root, &probe) };
    }
    let begin = probe(KeyOrder::Lexical, prefix)?;
    let mut cursor = KeyTree::seek(mem, root, &begin)?;
    while let Some(at) = &mut cursor {
        let key = record::key_bytes(mem, KeyTree::entry(mem, at)?[3])?;
        if is_it(key) {
            return Ok(if at_key || KeyTree::advance(mem, at)? { cursor } else { None });
        }
        if !key.starts_with(prefix) || !KeyTree::advance(mem, at)? {
            break;
        }
    }
    KeyTree::seek(mem, root, &begin)
}

fn list_keys(
    mem: &impl Mem,
    root: u64,
    order: KeyOrder,
    request: &Request<'_>,
    exists: impl Fn(&Record) -> Result<bool>,
) -> Result<ObjListReply> {
    let mut cursor = resume(mem, root, order, request.anchor)?;
    let (mut keys, mut bytes, mut passed) = (Vec::new(), 0u64, 0);
    let mut anchor = request.anchor.to_vec();
    while let Some(at) = &mut cursor {
        let entry = KeyTree::entry(mem, at)?;
        let key = record::key_bytes(mem, entry[3])?;
        if exists(&Record::read(mem, entry[3])?)? {
            let len = key.len() as u64;
            if bytes + len > request.room_bytes {
                let needed = if keys.is_empty() { len } else { 0 };
                return Ok(ObjListReply { entries: Listed::Keys(keys), anchor, eof: false, key_bytes_needed: needed });
            }
            bytes += len;
            keys.push(key.to_vec());
        } else {
            passed += 1;
        }
        anchor = key_anchor_behind(order, [entry[0], entry[1], entry[2]], key, entry[3]);
        if keys.len() == request.limit as usize || passed == PASSED_LIMIT {
            return Ok(ObjListReply { entries: Listed::Keys(keys), anchor, eof: false, key_bytes_needed: 0 });
        }
        if !KeyTree::advance(mem, at)? {
            break;
        }
    }
    Ok(finished(Listed::Keys(keys)))
}

fn list_recxs(
    mem: &impl Mem,
    path: &Path,
    akey: &[u8],
    kind: Option<IodKind>,
    descending: bool,
    request: &Request<'_>,
) -> Result<ObjListReply> {
    let none = || finished(Listed::Recxs(Vec::new()));
    let tag = if descending { b'd' } else { b'r' };
    let from = match request.anchor {
        [] => None,
        anchor => Some(anchor_words::<1>(anchor, tag)?[0]),
    };
    let Some(akey) = find_akey(mem, path, request.oid, akey)? else { return Ok(none()) };
    let Some(stored) = akey.kind().filter(|stored| kind.is_none_or(|kind| kind == *stored)) else { return Ok(none()) };
    let floor = punched(mem, &akey, request.epoch, path.floor)?;
    if stored == IodKind::Single {
        let newest = newest_value(mem, akey.root, request.epoch, floor)?;
        let Some((version, off)) = newest.filter(|(_, off)| *off != 0) else { return Ok(none()) };
        let size = record::Value::read(mem, off)?.len;
        let only = ListedRecx { recx: Recx { idx: 0, nr: 1 }, size, epoch: version.epoch };
        return Ok(finished(Listed::Recxs(vec![only])));
    }
    let limit = request.limit as usize;
    let query = match (descending, from) {
        (false, from) => Query { lo: from.unwrap_or(0), hi: u64::MAX, epoch: request.epoch, floor, limit },
        (true, from) => Query { lo: 0, hi: from.unwrap_or(u64::MAX), epoch: request.epoch, floor, limit },
    };
    let mut pieces =
        if descending { visible_descending(mem, akey.root, &query)? } else { visible(mem, akey.root, &query)? };
    let more = pieces.len() >= limit;
    pieces.truncate(limit);
    let next = pieces.last().map_or(0, |piece| if descending { piece.lo } else { piece.hi });
    let listed = pieces.iter().map(|piece| ListedRecx {
        recx: Recx { idx: piece.lo, nr: piece.hi - piece.lo },
        size: akey.extra,
        epoch: piece.version.epoch,
    });
    let entries = Listed::Recxs(listed.collect());
    if !more || (descending && next == 0) {
        return Ok(finished(entries));
    }
    Ok(ObjListReply { entries, anchor: word_anchor(tag, &[next]), eof: false, key_bytes_needed: 0 })
}
