//! Punches, listings and key queries.

use crate::context::Context;
use crate::object::{Object, Route, ShardRequest};
use crate::transaction::Transaction;
use crate::view::View;
use daos_common::ids::KeyOrder;
use daos_common::wire::object::{
    ListKind, Listed, ListedRecx, ObjKeyAnchorReply, ObjKeyAnchorRequest, ObjListReply, ObjListRequest,
    ObjPunchRequest, ObjQueryKeyReply, ObjQueryKeyRequest, ObjUpdateReply,
};
use daos_common::wire::tx::ReadScope;
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, IodKind, Recx, Result, flags};
use futures_util::StreamExt;
use std::rc::Rc;

/// Requests of one operation under way at once.
pub(crate) const CONCURRENT_SHARDS: usize = 32;

/// Ask for the largest (`DAOS_GET_MAX`).
pub const GET_MAX: u64 = 1 << 0;
/// Ask for the smallest (`DAOS_GET_MIN`).
pub const GET_MIN: u64 = 1 << 1;
/// Ask for the dkey (`DAOS_GET_DKEY`).
pub const GET_DKEY: u64 = 1 << 2;
/// Ask for the akey (`DAOS_GET_AKEY`).
pub const GET_AKEY: u64 = 1 << 3;
/// Ask for the record extent (`DAOS_GET_RECX`).
pub const GET_RECX: u64 = 1 << 4;

/// Where a listing goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Anchor {
    /// Group it has come to (dkeys only).
    pub group: u32,
    /// Do not go on to the next group (`DIOF_TO_SPEC_GROUP`).
    pub one_group: bool,
    /// Position in that group's shard; at most [`Anchor::POSITION_MAX_BYTES`].
    pub position: Vec<u8>,
    /// Nothing follows.
    pub eof: bool,
}

impl Anchor {
    /// Longest position that a target answers with.
    pub const POSITION_MAX_BYTES: usize = 96;
}

/// Keys found by a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyList {
    /// These; may be none although more follow.
    Keys(Vec<Vec<u8>>),
    /// The next key has this many bytes, more than the room.
    TooBig(u64),
}

/// Extents or single values found by a listing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecxList {
    /// In order of index.
    pub recxs: Vec<ListedRecx>,
}

impl Object {
    /// Punches the whole object. In a transaction the condition is checked now, and the punch happens at its commit.
    ///
    /// # Errors
    /// `NO_PERM`; `NONEXIST`: with `COND_PUNCH`, and nothing is there; `UNREACH`; `TIMEDOUT`; in a transaction also as
    /// `Transaction::check_change`, and `TX_RESTART`.
    pub async fn punch(&self, context: &Rc<Context>, view: impl Into<View>, flags: u64) -> Result<()> {
        self.check_writable()?;
        let view = view.into();
        if let Some(transaction) = view.of_change()? {
            transaction.check_change(self)?;
            if flags & flags::COND_PUNCH != 0 && self.is_empty(context, &view).await? {
                return Err(Der::NONEXIST.err(format!("object {} is empty", self.oid())));
            }
            return (0..self.groups())
                .try_for_each(|group| transaction.add_punch(self, Route::Group(group), Vec::new(), Vec::new()));
        }
        let punches = (0..self.groups()).map(|group| self.punch_group(context, flags, Route::Group(group), &[], &[]));
        let mut results = futures_util::stream::iter(punches).buffer_unordered(CONCURRENT_SHARDS);
        let (mut found, mut absent) = (false, None);
        while let Some(result) = results.next().await {
            match result {
                Ok(()) => found = true,
                // The condition is on the object, not on each of its shards.
                Err(error) if error.code() == Der::NONEXIST => absent = Some(error),
                Err(error) => return Err(error),
            }
        }
        match absent {
            Some(error) if !found => Err(error),
            _ => Ok(()),
        }
    }

    async fn is_empty(&self, context: &Rc<Context>, view: &View) -> Result<bool> {
        let mut anchor = Anchor::default();
        while !anchor.eof {
            match self.list_dkeys(context, view, &mut anchor, 1, 1).await? {
                KeyList::Keys(keys) if keys.is_empty() => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Punches one dkey.
    ///
    /// # Errors
    /// As [`Object::punch`]; `INVAL`: an empty or wrongly sized key.
    pub async fn punch_dkey(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        flags: u64,
        dkey: Vec<u8>,
    ) -> Result<()> {
        self.check_writable()?;
        let view = view.into();
        let route = self.route(&dkey)?;
        if let Some(transaction) = view.of_change()? {
            transaction.check_change(self)?;
            if flags & flags::COND_PUNCH != 0 {
                let found = self.dkey_exists(context, &view, &dkey).await;
                Transaction::check_condition(found, true, "dkey")?;
            }
            return transaction.add_punch(self, route, vec![dkey], Vec::new());
        }
        self.punch_group(context, flags, route, &[dkey], &[]).await
    }

    /// Punches dkeys, several at once; in a transaction all when it commits, else each by itself.
    ///
    /// # Errors
    /// As [`Object::punch_dkey`], the first of them after all have ended; `INVAL`: no dkey.
    pub async fn punch_dkeys(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        flags: u64,
        dkeys: Vec<Vec<u8>>,
    ) -> Result<()> {
        if dkeys.is_empty() {
            return Err(Der::INVAL.err(format!("object {}: no dkey to punch", self.oid())));
        }
        let view = &view.into();
        // All keys are sound, or none is punched.
        dkeys.iter().try_for_each(|dkey| self.route(dkey).map(drop))?;
        let punches = dkeys.into_iter().map(|dkey| self.punch_dkey(context, view, flags, dkey));
        let results = futures_util::stream::iter(punches).buffer_unordered(CONCURRENT_SHARDS);
        results.collect::<Vec<_>>().await.into_iter().collect()
    }

    /// Punches akeys of a dkey.
    ///
    /// # Errors
    /// As [`Object::punch_dkey`].
    pub async fn punch_akeys(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        flags: u64,
        dkey: Vec<u8>,
        akeys: Vec<Vec<u8>>,
    ) -> Result<()> {
        self.check_writable()?;
        let view = view.into();
        if akeys.is_empty() || akeys.iter().any(Vec::is_empty) {
            return Err(Der::INVAL.err(format!("object {}: no or an empty akey to punch", self.oid())));
        }
        let route = self.route(&dkey)?;
        if let Some(transaction) = view.of_change()? {
            transaction.check_change(self)?;
            if flags & flags::COND_PUNCH != 0 {
                for akey in &akeys {
                    let found = self.akey_exists(context, &view, &dkey, akey).await;
                    Transaction::check_condition(found, true, "akey")?;
                }
            }
            return transaction.add_punch(self, route, vec![dkey], akeys);
        }
        self.punch_group(context, flags, route, &[dkey], &akeys).await
    }

    async fn punch_group(
        &self,
        context: &Rc<Context>,
        flags: u64,
        route: Route,
        dkeys: &[Vec<u8>],
        akeys: &[Vec<u8>],
    ) -> Result<()> {
        let operation = context.operation();
        let request = ShardRequest { route, opcode: Opcode::ObjPunch, flags, epoch: 0, payload: &[] };
        let encode = |header| {
            let (dkeys, akeys) = (dkeys.to_vec(), akeys.to_vec());
            encode(&ObjPunchRequest { header, operation, dkeys, akeys })
        };
        let reply = self.call_shard(context, request, encode).await?;
        let reply: ObjUpdateReply = decode(reply.message.body())?;
        self.container().see_epoch(reply.epoch);
        Ok(())
    }

    /// Lists dkeys from `anchor` on, which it moves: at most `limit` keys of at most `room_bytes` in all.
    ///
    /// # Errors
    /// `INVAL`: the anchor is not from here; `UNREACH`; `TIMEDOUT`; in a transaction also as
    /// `Transaction::begin_read`, and `TX_RESTART`.
    pub async fn list_dkeys(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        anchor: &mut Anchor,
        limit: u32,
        room_bytes: u64,
    ) -> Result<KeyList> {
        let view = view.into();
        let groups = self.groups();
        if anchor.group >= groups {
            return Err(Der::INVAL.err(format!("object {}: the anchor is of another object", self.oid())));
        }
        let (mut keys, mut room) = (Vec::new(), room_bytes);
        while !anchor.eof && (keys.len() as u32) < limit {
            let route = Route::Group(anchor.group);
            let left = limit - keys.len() as u32;
            let reply = self.list(context, &view, route, ListKind::Dkeys, Vec::new(), anchor, left, room).await?;
            if reply.key_bytes_needed > 0 {
                return Ok(match keys.is_empty() {
                    true => KeyList::TooBig(reply.key_bytes_needed),
                    false => KeyList::Keys(keys),
                });
            }
            let Listed::Keys(found) = reply.entries else { return Err(self.malformed()) };
            let more_here = !reply.eof;
            room = room.saturating_sub(found.iter().map(|key| key.len() as u64).sum());
            keys.extend(found);
            if more_here {
                anchor.position = reply.anchor;
                break;
            }
            anchor.position.clear();
            match anchor.one_group || anchor.group + 1 == groups {
                true => anchor.eof = true,
                false => anchor.group += 1,
            }
        }
        Ok(KeyList::Keys(keys))
    }

    /// Lists akeys of a dkey as [`Object::list_dkeys`] lists dkeys.
    ///
    /// # Errors
    /// As [`Object::list_dkeys`].
    pub async fn list_akeys(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        dkey: Vec<u8>,
        anchor: &mut Anchor,
        limit: u32,
        room_bytes: u64,
    ) -> Result<KeyList> {
        if anchor.eof {
            return Ok(KeyList::Keys(Vec::new()));
        }
        let route = self.route(&dkey)?;
        let reply = self.list(context, &view.into(), route, ListKind::Akeys, dkey, anchor, limit, room_bytes).await?;
        if reply.key_bytes_needed > 0 {
            return Ok(KeyList::TooBig(reply.key_bytes_needed));
        }
        let Listed::Keys(keys) = reply.entries else { return Err(self.malformed()) };
        anchor.eof = reply.eof;
        anchor.position = reply.anchor;
        Ok(KeyList::Keys(keys))
    }

    /// Lists extents of an akey, or its single value, as [`Object::list_dkeys`] lists dkeys.
    ///
    /// # Errors
    /// As [`Object::list_dkeys`].
    #[allow(clippy::too_many_arguments)]
    pub async fn list_recxs(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        dkey: Vec<u8>,
        akey: Vec<u8>,
        kind: Option<IodKind>,
        descending: bool,
        anchor: &mut Anchor,
        limit: u32,
    ) -> Result<RecxList> {
        if anchor.eof {
            return Ok(RecxList::default());
        }
        let route = self.route(&dkey)?;
        let what = ListKind::Recxs { akey, kind, descending };
        let reply = self.list(context, &view.into(), route, what, dkey, anchor, limit, u64::MAX).await?;
        let Listed::Recxs(recxs) = reply.entries else { return Err(self.malformed()) };
        anchor.eof = reply.eof;
        anchor.position = reply.anchor;
        Ok(RecxList { recxs })
    }

    /// The anchor at which a listing of dkeys (without `akey`), or of the akeys of `dkey`, begins at that key, or at the
    /// one behind it once the key is gone; at its end when there is nothing to list.
    ///
    /// # Errors
    /// `INVAL`: an empty or wrongly sized key; `UNREACH`; `TIMEDOUT`.
    pub async fn key_anchor(&self, context: &Rc<Context>, dkey: Vec<u8>, akey: Option<Vec<u8>>) -> Result<Anchor> {
        let route = self.route(&dkey)?;
        let group = match (&akey, route) {
            (None, Route::Dkey(hash)) => self.layout()?.group_of(hash),
            _ => 0,
        };
        let request = ShardRequest { route, opcode: Opcode::ObjKeyAnchor, flags: 0, epoch: 0, payload: &[] };
        let encode = |header| encode(&ObjKeyAnchorRequest { header, dkey: dkey.clone(), akey: akey.clone() });
        let reply = self.call_shard(context, request, encode).await?;
        let reply: ObjKeyAnchorReply = decode(reply.message.body())?;
        let (position, eof) = match reply.anchor {
            Some(position) if position.len() <= Anchor::POSITION_MAX_BYTES => (position, false),
            Some(_) => return Err(self.malformed()),
            // Nothing in this group, but groups behind it may have dkeys.
            None if akey.is_none() && group + 1 < self.groups() => {
                return Ok(Anchor { group: group + 1, ..Anchor::default() });
            }
            None => (Vec::new(), true),
        };
        Ok(Anchor { group, one_group: false, position, eof })
    }

    #[allow(clippy::too_many_arguments)]
    pub(crate) async fn list(
        &self,
        context: &Rc<Context>,
        view: &View,
        route: Route,
        what: ListKind,
        dkey: Vec<u8>,
        anchor: &Anchor,
        limit: u32,
        room_bytes: u64,
    ) -> Result<ObjListReply> {
        let scope = match &what {
            ListKind::Akeys => ReadScope::Dkey(dkey.clone()),
            ListKind::Recxs { akey, .. } => {
                ReadScope::Akey { dkey: dkey.clone(), akey: akey.clone(), recxs: Vec::new() }
            }
            _ => ReadScope::Object,
        };
        let reading = view.begin_read(context, self, route, [scope]).await?;
        let (flags, epoch) = (reading.flags, reading.epoch);
        let request = ShardRequest { route, opcode: Opcode::ObjList, flags, epoch, payload: &[] };
        let encode = |header| {
            let (what, dkey, anchor) = (what.clone(), dkey.clone(), anchor.position.clone());
            encode(&ObjListRequest { header, what, dkey, anchor, limit, room_bytes })
        };
        let reply = reading.end(self.call_shard(context, request, encode).await)?;
        let reply: ObjListReply = decode(reply.message.body())?;
        if reply.anchor.len() > Anchor::POSITION_MAX_BYTES {
            return Err(self.malformed());
        }
        Ok(reply)
    }

    /// Finds the largest or smallest dkey, akey or record (`what`: `GET_*` bits; 0 asks for the newest epoch only).
    /// Without `GET_DKEY` the dkey is given, without `GET_AKEY` the akey.
    ///
    /// # Errors
    /// `INVAL`: keys that are not integers are asked for, or the bits make no sense; `UNREACH`; `TIMEDOUT`.
    pub async fn query_key(
        &self,
        context: &Rc<Context>,
        view: impl Into<View>,
        what: u64,
        dkey: Vec<u8>,
        akey: Vec<u8>,
    ) -> Result<ObjQueryKeyReply> {
        let view = view.into();
        self.check_query(what)?;
        let routes: Vec<Route> = match what & GET_DKEY == 0 && !dkey.is_empty() {
            true => vec![self.route(&dkey)?],
            false => (0..self.groups()).map(Route::Group).collect(),
        };
        let queries = routes.into_iter().map(|route| self.query_group(context, &view, route, what, &dkey, &akey));
        let mut replies = futures_util::stream::iter(queries).buffer_unordered(CONCURRENT_SHARDS);
        let mut best = ObjQueryKeyReply { dkey: None, akey: None, recx: None, max_epoch: 0 };
        while let Some(reply) = replies.next().await {
            let reply = reply?;
            let max_epoch = best.max_epoch.max(reply.max_epoch);
            if is_better(&reply, &best, what) {
                best = reply;
            }
            best.max_epoch = max_epoch;
        }
        Ok(best)
    }

    async fn query_group(
        &self,
        context: &Rc<Context>,
        view: &View,
        route: Route,
        what: u64,
        dkey: &[u8],
        akey: &[u8],
    ) -> Result<ObjQueryKeyReply> {
        let scope = match what & (GET_DKEY | GET_AKEY | GET_RECX) {
            GET_RECX => ReadScope::Akey { dkey: dkey.to_vec(), akey: akey.to_vec(), recxs: Vec::new() },
            bits if bits != 0 && bits & GET_DKEY == 0 => ReadScope::Dkey(dkey.to_vec()),
            _ => ReadScope::Object,
        };
        let reading = view.begin_read(context, self, route, [scope]).await?;
        let (flags, epoch) = (reading.flags, reading.epoch);
        let request = ShardRequest { route, opcode: Opcode::ObjQueryKey, flags, epoch, payload: &[] };
        let encode = |header| encode(&ObjQueryKeyRequest { header, what, dkey: dkey.to_vec(), akey: akey.to_vec() });
        decode(reading.end(self.call_shard(context, request, encode).await)?.message.body())
    }

    fn check_query(&self, what: u64) -> Result<()> {
        let (wanted, direction) = (what & (GET_DKEY | GET_AKEY | GET_RECX), what & (GET_MIN | GET_MAX));
        if what == 0 {
            return Ok(());
        }
        let integer = (what & GET_DKEY == 0 || self.oid().dkey_order() == KeyOrder::Integer)
            && (what & GET_AKEY == 0 || self.oid().akey_order() == KeyOrder::Integer);
        if wanted == 0 || direction.count_ones() != 1 || !integer {
            return Err(Der::INVAL.err(format!("object {}: key query {what:#x} makes no sense on it", self.oid())));
        }
        Ok(())
    }

    pub(crate) fn malformed(&self) -> daos_common::Error {
        Der::PROTO.err(format!("object {}: a listing was answered with something else", self.oid()))
    }
}

/// Whether a shard's answer beats the best so far: by dkey, then akey, then extent.
fn is_better(reply: &ObjQueryKeyReply, best: &ObjQueryKeyReply, what: u64) -> bool {
    let integer = |key: &Option<Vec<u8>>| -> Option<u64> {
        key.as_deref().and_then(|key| key.try_into().ok()).map(u64::from_le_bytes)
    };
    let end = |recx: &Option<Recx>| recx.map(|recx| recx.idx);
    let rank = |reply: &ObjQueryKeyReply| {
        let dkey = if what & GET_DKEY != 0 { integer(&reply.dkey) } else { None };
        let akey = if what & GET_AKEY != 0 { integer(&reply.akey) } else { None };
        (dkey, akey, end(&reply.recx))
    };
    let found = |reply: &ObjQueryKeyReply| rank(reply) != (None, None, None);
    match (found(reply), found(best)) {
        (false, _) => false,
        (true, false) => true,
        (true, true) if what & GET_MAX != 0 => rank(reply) > rank(best),
        (true, true) => rank(reply) < rank(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(dkey: Option<u64>, idx: Option<u64>) -> ObjQueryKeyReply {
        let dkey = dkey.map(|dkey| dkey.to_le_bytes().to_vec());
        ObjQueryKeyReply { dkey, akey: None, recx: idx.map(|idx| Recx { idx, nr: 1 }), max_epoch: 0 }
    }

    /// Aim: shards without an answer never win; the largest and the smallest dkey do, as numbers and not as bytes.
    #[test]
    fn best_shard_wins() {
        let (none, small, large) = (reply(None, None), reply(Some(255), Some(9)), reply(Some(256), Some(1)));
        let (max, min) = (GET_MAX | GET_DKEY | GET_RECX, GET_MIN | GET_DKEY | GET_RECX);
        assert!(is_better(&large, &small, max) && !is_better(&small, &large, max));
        assert!(is_better(&small, &large, min) && !is_better(&large, &small, min));
        assert!(!is_better(&none, &small, min) && is_better(&small, &none, min));
    }
}
