//! Verification of an object: every shard reads all it has, and replicas are compared by what their data sums up to.

use crate::context::Context;
use crate::keys::Anchor;
use crate::object::{Object, Route, ShardRequest};
use daos_common::oclass::ObjectClass;
use daos_common::wire::object::{ListKind, Listed, ObjVerifyReply, ObjVerifyRequest};
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Epoch, Result};
use std::rc::Rc;

/// Dkeys that are listed at once.
const DKEYS_AT_ONCE: u32 = 512;
/// Bytes of their keys; the longest key has 64 KiB.
const DKEYS_ROOM_BYTES: u64 = 128 * 1024;
/// A key that every kind of object can have.
const ANY_KEY: [u8; 8] = [0; 8];

/// What a verification has read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Akeys, each counted once per replica.
    pub akeys: u64,
    /// Bytes of data.
    pub bytes: u64,
    /// Sum of the hashes; the same in all replicas.
    sum: u128,
}

impl Object {
    /// Reads everything that the object holds at `epoch` (0 or 2^64-1: now), on all its shards, and compares replicas.
    /// An object without data is sound.
    ///
    /// # Errors
    /// `MISMATCH`: replicas differ; `IO`, `CSUM`, `DF_INVAL`: damage that reading has found; `DATA_LOSS`: no shard of a
    /// group is in service; `UNREACH`; `TIMEDOUT`.
    pub async fn verify(&self, context: &Rc<Context>, epoch: Epoch) -> Result<Verified> {
        let epoch = match epoch {
            0 | Epoch::MAX => self.verify_part(context, Route::Group(0), 0, &ANY_KEY, (Vec::new(), 0)).await?.epoch,
            epoch => epoch,
        };
        let layout = self.layout()?;
        let replicated = !ObjectClass::from_id(self.oid().class()).is_ok_and(ObjectClass::is_erasure);
        let mut total = Verified::default();
        for group in 0..layout.groups {
            let mut first: Option<(u32, Verified)> = None;
            for place in layout.group(group).iter().filter(|place| !place.failed && !place.rebuilding) {
                let found = self.verify_shard(context, epoch, place.shard).await?;
                total.akeys += found.akeys;
                total.bytes += found.bytes;
                match first {
                    Some((shard, other)) if replicated && other != found => {
                        let (oid, second) = (self.oid(), place.shard);
                        return Err(Der::MISMATCH.err(format!("object {oid}: shards {shard} and {second} differ")));
                    }
                    _ => first = first.or(Some((place.shard, found))),
                }
            }
            if first.is_none() {
                return Err(Der::DATA_LOSS.err(format!("object {}: no shard of group {group} to verify", self.oid())));
            }
        }
        Ok(total)
    }

    async fn verify_shard(&self, context: &Rc<Context>, epoch: Epoch, shard: u32) -> Result<Verified> {
        let route = Route::Shard(shard);
        let (mut anchor, mut found) = (Anchor::default(), Verified::default());
        while !anchor.eof {
            let (what, limit) = (ListKind::Dkeys, DKEYS_AT_ONCE);
            let listed =
                self.list(context, &epoch.into(), route, what, Vec::new(), &anchor, limit, DKEYS_ROOM_BYTES).await?;
            let Listed::Keys(dkeys) = listed.entries else { return Err(self.malformed()) };
            for dkey in dkeys {
                let mut from = (Vec::new(), 0);
                loop {
                    let part = self.verify_part(context, route, epoch, &dkey, from).await?;
                    found.akeys += part.akeys;
                    found.bytes += part.bytes;
                    found.sum = found.sum.wrapping_add(part.sum);
                    match part.next {
                        Some(next) => from = next,
                        None => break,
                    }
                }
            }
            anchor.position = listed.anchor;
            anchor.eof = listed.eof;
        }
        Ok(found)
    }

    async fn verify_part(
        &self,
        context: &Rc<Context>,
        route: Route,
        epoch: Epoch,
        dkey: &[u8],
        (akeys_anchor, record): (Vec<u8>, u64),
    ) -> Result<ObjVerifyReply> {
        let request = ShardRequest { route, opcode: Opcode::ObjVerify, flags: 0, epoch, payload: &[] };
        let encode = |header| {
            let (dkey, akeys_anchor) = (dkey.to_vec(), akeys_anchor.clone());
            encode(&ObjVerifyRequest { header, dkey, akeys_anchor, record })
        };
        let reply: ObjVerifyReply = decode(self.call_shard(context, request, encode).await?.message.body())?;
        Ok(reply)
    }
}
