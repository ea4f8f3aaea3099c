//! Largest and smallest keys and records (`daos_obj_query_key`).

use crate::arena::Mem;
use crate::extent::{Query, visible, visible_descending};
use crate::record::{self, Record, Version, punched};
use crate::store::{ContState, Inner};
use crate::tree::KeyTree;
use crate::update::{find_akey, locate};
use daos_common::ids::KeyOrder;
use daos_common::wire::object::ObjQueryKeyReply;
use daos_common::{Der, Epoch, IodKind, Recx, Result, UnitOid};

/// The largest (`DAOS_GET_MAX`).
pub const GET_MAX: u64 = 1;
/// The smallest (`DAOS_GET_MIN`).
pub const GET_MIN: u64 = 2;
/// Of the dkeys (`DAOS_GET_DKEY`).
pub const GET_DKEY: u64 = 4;
/// Of the akeys (`DAOS_GET_AKEY`).
pub const GET_AKEY: u64 = 8;
/// Of the records (`DAOS_GET_RECX`).
pub const GET_RECX: u64 = 16;

struct Ask {
    oid: UnitOid,
    epoch: Epoch,
    what: u64,
}

impl Ask {
    fn has(&self, bits: u64) -> bool {
        self.what & bits != 0
    }
}

/// Answers a query; keys that are asked for must hold what else is asked for.
///
/// # Errors
/// As [`crate::VosCont::query_key`].
pub(crate) fn query_key(
    inner: &Inner,
    cont: &ContState,
    oid: UnitOid,
    epoch: Epoch,
    what: u64,
    dkey: &[u8],
    akey: &[u8],
) -> Result<ObjQueryKeyReply> {
    cont.check_alive()?;
    let ask = Ask { oid, epoch, what };
    check(&ask)?;
    let state = inner.state.borrow();
    let mem = &state.arena;
    let mut reply = ObjQueryKeyReply { dkey: None, akey: None, recx: None, max_epoch: 0 };
    let off = record::find_object(mem, cont.record, oid)?;
    if off == 0 {
        return Ok(reply);
    }
    let object = Record::read(mem, off)?;
    reply.max_epoch = object.extra;
    if !ask.has(GET_MAX | GET_MIN) {
        return Ok(reply);
    }
    if !ask.has(GET_DKEY) {
        let path = locate(mem, cont, oid, dkey, epoch)?;
        if let Some(dkey) = path.dkey {
            in_dkey(mem, &ask, &dkey, path.floor, akey, &mut reply)?;
        }
        return Ok(reply);
    }
    let floor = punched(mem, &object, epoch, Version::default())?;
    each_key(mem, &ask, object.root, |record, key| {
        let below = punched(mem, record, epoch, floor)?;
        let found = if ask.has(GET_AKEY | GET_RECX) {
            in_dkey(mem, &ask, record, below, akey, &mut reply)?
        } else {
            record::dkey_exists(mem, record, epoch, floor)?
        };
        if found {
            reply.dkey = Some(key.to_vec());
        }
        Ok(found)
    })?;
    Ok(reply)
}

fn check(ask: &Ask) -> Result<()> {
    if ask.what == 0 {
        return Ok(());
    }
    if ask.has(GET_MAX) == ask.has(GET_MIN) {
        return Err(Der::INVAL.err("a key query asks for either the largest or the smallest"));
    }
    if !ask.has(GET_DKEY | GET_AKEY | GET_RECX) {
        return Err(Der::INVAL.err("a key query asks for dkey, akey or record"));
    }
    let integer = |asked: bool, order: KeyOrder| !asked || order == KeyOrder::Integer;
    if !integer(ask.has(GET_DKEY), ask.oid.oid.dkey_order()) || !integer(ask.has(GET_AKEY), ask.oid.oid.akey_order()) {
        return Err(Der::INVAL.err(format!("the keys of object {} are not integers", ask.oid.oid)));
    }
    Ok(())
}

/// Goes over keys in the direction asked for until `visit` is content.
fn each_key<'m, M: Mem>(
    mem: &'m M,
    ask: &Ask,
    root: u64,
    mut visit: impl FnMut(&Record, &'m [u8]) -> Result<bool>,
) -> Result<()> {
    let down = ask.has(GET_MAX);
    let mut cursor = if down { KeyTree::last(mem, root)? } else { KeyTree::first(mem, root)? };
    while let Some(at) = &mut cursor {
        let off = KeyTree::entry(mem, at)?[3];
        if visit(&Record::read(mem, off)?, record::key_bytes(mem, off)?)? {
            return Ok(());
        }
        let more = if down { KeyTree::retreat(mem, at)? } else { KeyTree::advance(mem, at)? };
        if !more {
            return Ok(());
        }
    }
    Ok(())
}

fn in_dkey(
    mem: &impl Mem,
    ask: &Ask,
    dkey: &Record,
    floor: Version,
    akey: &[u8],
    reply: &mut ObjQueryKeyReply,
) -> Result<bool> {
    if !ask.has(GET_AKEY) {
        let path = crate::update::Path { object: None, dkey: Some(*dkey), floor };
        return match find_akey(mem, &path, ask.oid, akey)? {
            Some(akey) => in_akey(mem, ask, &akey, floor, reply),
            None => Ok(false),
        };
    }
    let mut any = false;
    let mut best = None;
    each_key(mem, ask, dkey.root, |record, key| {
        let found = if ask.has(GET_RECX) {
            in_akey(mem, ask, record, floor, reply)?
        } else {
            record::akey_exists(mem, record, ask.epoch, floor)?
        };
        if found {
            any = true;
            best = Some(key.to_vec());
        }
        Ok(found)
    })?;
    reply.akey = best.or(reply.akey.take());
    Ok(any)
}

fn in_akey(mem: &impl Mem, ask: &Ask, akey: &Record, floor: Version, reply: &mut ObjQueryKeyReply) -> Result<bool> {
    if akey.kind() != Some(IodKind::Array) {
        return Ok(false);
    }
    let floor = punched(mem, akey, ask.epoch, floor)?;
    let query = Query { lo: 0, hi: u64::MAX, epoch: ask.epoch, floor, limit: 1 };
    let pieces =
        if ask.has(GET_MAX) { visible_descending(mem, akey.root, &query)? } else { visible(mem, akey.root, &query)? };
    reply.recx = pieces.first().map(|piece| Recx { idx: piece.lo, nr: piece.hi - piece.lo });
    Ok(reply.recx.is_some())
}
