//! Lists and key queries.

use super::{Scope, Session, check_key, decode};
use crate::target::Target;
use crate::telemetry;
use daos_common::wire::object::{ListKind, ObjKeyAnchorReply, ObjKeyAnchorRequest, ObjListRequest, ObjQueryKeyRequest};
use daos_common::{Der, Result, wire};
use daos_fabric::Incoming;
use std::rc::Rc;

/// Entries in one answer.
const LIMIT_MAX: u32 = 16 * 1024;
/// Bytes of keys in one answer.
const ROOM_MAX_BYTES: u64 = 128 * 1024;
/// Bytes of an anchor.
pub(super) const ANCHOR_MAX_BYTES: usize = 96;
/// `DAOS_GET_DKEY`.
const GET_DKEY: u64 = 4;
/// `DAOS_GET_AKEY`.
const GET_AKEY: u64 = 8;
/// `DAOS_GET_RECX`.
const GET_RECX: u64 = 16;
/// Every `DAOS_GET_*` bit.
const GET_ALL: u64 = 31;

/// Lists keys, extents or objects.
pub async fn list(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjListRequest = decode(target, incoming)?;
    if request.anchor.len() > ANCHOR_MAX_BYTES {
        return Err(Der::INVAL.err(format!("anchor of {} bytes; at most {ANCHOR_MAX_BYTES}", request.anchor.len())));
    }
    match &request.what {
        ListKind::Dkeys | ListKind::Objects => {}
        ListKind::Akeys => check_key("dkey", &request.dkey)?,
        ListKind::Recxs { akey, .. } => {
            check_key("dkey", &request.dkey)?;
            check_key("akey", akey)?;
        }
    }
    let session = Session::open(target, &request.header).await?;
    session.grant.check_read()?;
    let scope = match request.what {
        ListKind::Dkeys => Scope::Object,
        ListKind::Akeys | ListKind::Recxs { .. } => Scope::Dkey(&request.dkey),
        ListKind::Objects => Scope::Container,
    };
    let (epoch, _) = session.read_epoch(target, &request.header, scope).await?;
    let (limit, room) = (request.limit.clamp(1, LIMIT_MAX), request.room_bytes.min(ROOM_MAX_BYTES));
    let reply = session.cont.list(session.oid, epoch, &request.what, &request.dkey, &request.anchor, limit, room)?;
    telemetry::add(&target.counters.lists, 1);
    wire::encode(&reply)
}

/// Finds the largest or smallest keys and records.
pub async fn query_key(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjQueryKeyRequest = decode(target, incoming)?;
    if request.what & !GET_ALL != 0 {
        return Err(Der::INVAL.err(format!("unknown query bits {:#x}", request.what)));
    }
    let asks = |bit: u64| request.what & bit != 0;
    if !asks(GET_DKEY) && (asks(GET_AKEY) || asks(GET_RECX)) {
        check_key("dkey", &request.dkey)?;
    }
    if !asks(GET_AKEY) && asks(GET_RECX) {
        check_key("akey", &request.akey)?;
    }
    let session = Session::open(target, &request.header).await?;
    session.grant.check_read()?;
    let whole = request.what == 0 || asks(GET_DKEY);
    let scope = if whole { Scope::Object } else { Scope::Dkey(&request.dkey) };
    let (epoch, _) = session.read_epoch(target, &request.header, scope).await?;
    let reply = session.cont.query_key(session.oid, epoch, request.what, &request.dkey, &request.akey)?;
    telemetry::add(&target.counters.lists, 1);
    wire::encode(&reply)
}

/// Makes the anchor at which a listing begins at a key.
pub async fn key_anchor(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjKeyAnchorRequest = decode(target, incoming)?;
    check_key("dkey", &request.dkey)?;
    request.akey.iter().try_for_each(|akey| check_key("akey", akey))?;
    let session = Session::open(target, &request.header).await?;
    session.grant.check_read()?;
    let anchor = session.cont.key_anchor(session.oid, &request.dkey, request.akey.as_deref())?;
    telemetry::add(&target.counters.lists, 1);
    wire::encode(&ObjKeyAnchorReply { anchor })
}
