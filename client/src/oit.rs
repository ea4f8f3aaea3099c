//! Object id tables: which objects a container had at a snapshot, each once, with a mark.
//!
//! A table is an object of the container, of a type of its own; the low 64 bits of its id are the snapshot's epoch. Each
//! object of the snapshot is an akey (its id, 16 bytes) of the dkey of its bucket (4 bytes); the value is the
//! snapshot's epoch, and behind it the mark of at most [`MARK_MAX_BYTES`], if there is one. The pool service notes the
//! table beside the snapshot when it is complete.
//!
//! It is filled by whoever creates it, from the lists of all targets at the snapshot's epoch: one message per 1,024
//! shards of a target, and one update per 64 objects of a bucket. An attempt that ended half-way is completed by the
//! next one, since every key is written the same way again.

use crate::container::Container;
use crate::context::Context;
use crate::keys::{Anchor, CONCURRENT_SHARDS, KeyList};
use crate::memory::UserMemory;
use crate::object::{OPEN_RW, Object};
use crate::rpc::Retry;
use crate::view::View;
use daos_common::hash::murmur64;
use daos_common::ids::OTYPE_OIT;
use daos_common::oclass::{ObjectClass, Redundancy};
use daos_common::placement::LAYOUT_VERSION;
use daos_common::wire::history::{ContSnapOitReply, ContSnapOitRequest, OitAction};
use daos_common::wire::object::{ListKind, Listed, ObjHeader, ObjListReply, ObjListRequest};
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Epoch, Iod, IodKind, ObjectId, Rank, Result, UnitOid, flags};
use futures_util::StreamExt;
use std::rc::Rc;
use std::sync::Arc;

/// Longest mark in bytes (`DAOS_OIT_MARKER_MAX_LEN`).
pub const MARK_MAX_BYTES: usize = 32;
/// Dkeys of a table.
const BUCKETS: u32 = 1024;
/// Bytes of a value before its mark.
const EPOCH_BYTES: usize = 8;
/// Objects in one update or fetch.
const BATCH: usize = 64;
/// Shards listed at once.
const PAGE: u32 = 1024;
/// Property number of the redundancy factor (`DAOS_PROP_CO_REDUN_FAC`).
const PROP_REDUNDANCY_FACTOR: u32 = 0x1007;

/// An object of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OitEntry {
    /// The object.
    pub oid: ObjectId,
    /// Its mark; empty without one.
    pub mark: Vec<u8>,
}

/// Where a listing goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OitAnchor {
    /// Bucket it has come to.
    pub bucket: u32,
    /// Position in its dkey; at most [`Anchor::POSITION_MAX_BYTES`].
    pub position: Vec<u8>,
}

impl OitAnchor {
    /// Nothing follows.
    pub fn is_eof(&self) -> bool {
        self.bucket >= BUCKETS
    }
}

fn bucket_of(oid: ObjectId) -> u32 {
    (murmur64(&key_of(oid), 0) % u64::from(BUCKETS)) as u32
}

fn key_of(oid: ObjectId) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&oid.lo.to_le_bytes());
    key[8..].copy_from_slice(&oid.hi.to_le_bytes());
    key
}

fn oid_of(key: &[u8]) -> Result<ObjectId> {
    let key: &[u8; 16] = key.try_into().map_err(|_| Der::DF_INVAL.err("a key of an object id table is not an id"))?;
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| key[at + byte]));
    Ok(ObjectId { lo: word(0), hi: word(8) })
}

fn iod_of(oid: ObjectId, size: u64) -> Iod {
    Iod { akey: key_of(oid).to_vec(), kind: IodKind::Single, size, recxs: Vec::new(), flags: 0 }
}

impl Container {
    /// Makes the table of a snapshot, and notes it.
    ///
    /// # Errors
    /// `NONEXIST`: no such snapshot; `NO_PERM`: opened for reading; `NOSPACE`; as [`Container::query`].
    pub async fn create_oit(self: &Arc<Self>, context: &Rc<Context>, epoch: Epoch) -> Result<ObjectId> {
        self.oit_note(context, epoch, OitAction::Get).await?;
        let oid = self.oit_id(epoch)?;
        let table = Object::open(self, oid, OPEN_RW)?;
        let map = self.pool.map();
        let placed = map.targets.iter().filter(|target| target.is_placed() && target.state.in_service());
        let mut buckets: Vec<Vec<ObjectId>> = vec![Vec::new(); BUCKETS as usize];
        for target in placed {
            let mut anchor = Vec::new();
            let mut before = None;
            loop {
                let reply = self.list_target(context, target.rank, target.index, epoch, &anchor).await?;
                let Listed::Objects(units) = reply.entries else {
                    return Err(Der::PROTO.err("a list of objects was answered with something else"));
                };
                for oid in units.into_iter().map(|unit| unit.oid).filter(|oid| !oid.is_oit()) {
                    // Shards of one object stand together.
                    if before.replace(oid) != Some(oid) {
                        buckets[bucket_of(oid) as usize].push(oid);
                    }
                }
                self.flush(context, &table, epoch, &mut buckets, BATCH).await?;
                if reply.eof {
                    break;
                }
                anchor = reply.anchor;
            }
        }
        self.flush(context, &table, epoch, &mut buckets, 1).await?;
        self.oit_note(context, epoch, OitAction::Set(oid)).await?;
        Ok(oid)
    }

    /// Id of the table of a snapshot: as many groups as there are targets for, protected as the container demands.
    fn oit_id(&self, epoch: Epoch) -> Result<ObjectId> {
        let factor = self.number_prop(PROP_REDUNDANCY_FACTOR).unwrap_or(0);
        let copies = u16::try_from(factor.saturating_add(1)).unwrap_or(u16::MAX);
        let targets = self.pool.map().targets.iter().filter(|target| target.is_placed()).count() as u32;
        let groups = (targets / u32::from(copies)).clamp(1, BUCKETS);
        let class = ObjectClass::new(Redundancy::Replicas(copies), groups)?;
        Ok(ObjectId { lo: epoch, hi: 0 }.with_class(OTYPE_OIT, class.id()))
    }

    /// One page of the shards that a target holds at an epoch.
    async fn list_target(
        &self,
        context: &Rc<Context>,
        rank: Rank,
        index: u32,
        epoch: Epoch,
        anchor: &[u8],
    ) -> Result<ObjListReply> {
        let mut retry = Retry::new(context);
        loop {
            let version = self.pool.map_version();
            let oid = UnitOid { oid: ObjectId::default(), shard: 0, layout: LAYOUT_VERSION };
            let (pool, cont_handle) = (self.pool.uuid, self.handle);
            let header = ObjHeader { pool, cont_handle, oid, map_version: version, epoch, flags: 0 };
            let what = ListKind::Objects;
            let anchor = anchor.to_vec();
            let body = ObjListRequest { header, what, dkey: Vec::new(), anchor, limit: PAGE, room_bytes: 0 };
            let body = encode(&body)?;
            match context.send(rank, index + 1, Opcode::ObjList, body, &[], retry.remaining()).await {
                Ok(reply) => return decode(reply.message.body()),
                Err(error) => {
                    if error.code() == Der::STALE {
                        self.pool.refresh_map(context, version).await?;
                    }
                    retry.after(context, error).await?;
                }
            }
        }
    }

    /// Writes the buckets that have come to `least` objects.
    async fn flush(
        &self,
        context: &Rc<Context>,
        table: &Object,
        epoch: Epoch,
        buckets: &mut [Vec<ObjectId>],
        least: usize,
    ) -> Result<()> {
        let mut full = Vec::new();
        for (bucket, oids) in buckets.iter_mut().enumerate() {
            if oids.len() >= least {
                full.extend(std::mem::take(oids).chunks(BATCH).map(|oids| (bucket as u32, oids.to_vec())));
            }
        }
        let writes = full.into_iter().map(|(bucket, oids)| async move {
            let mut values: Vec<u8> = oids.iter().flat_map(|_| epoch.to_le_bytes()).collect();
            let iods: Vec<Iod> = oids.iter().map(|oid| iod_of(*oid, EPOCH_BYTES as u64)).collect();
            let whole = UserMemory::of_buffer(&mut values);
            let at = |index: usize| whole.slice((index * EPOCH_BYTES) as u64, EPOCH_BYTES as u64);
            let memory: Vec<UserMemory> = (0..oids.len()).map(at).collect();
            let dkey = bucket.to_le_bytes().to_vec();
            let outcome = table.update(context, View::Newest, 0, dkey, iods, &memory).await;
            drop(values);
            outcome
        });
        let mut writes = futures_util::stream::iter(writes).buffer_unordered(CONCURRENT_SHARDS);
        while let Some(outcome) = writes.next().await {
            outcome?;
        }
        Ok(())
    }

    async fn oit_note(&self, context: &Rc<Context>, epoch: Epoch, action: OitAction) -> Result<Option<ObjectId>> {
        let body = ContSnapOitRequest { pool: self.pool.uuid, cont_handle: self.handle, epoch, action };
        let reply: ContSnapOitReply = self.pool.call(context, Opcode::ContSnapOit, &body).await?;
        Ok(reply.oit)
    }

    /// Id of the table of a snapshot.
    ///
    /// # Errors
    /// `NONEXIST`: no such snapshot, or it has no table; as [`Container::query`].
    pub async fn oit(&self, context: &Rc<Context>, epoch: Epoch) -> Result<ObjectId> {
        let found = self.oit_note(context, epoch, OitAction::Get).await?;
        found.ok_or_else(|| Der::NONEXIST.err(format!("the snapshot at epoch {epoch} has no object id table")))
    }

    /// Forgets the table of a snapshot, and punches it.
    ///
    /// # Errors
    /// `NONEXIST`: no such snapshot, or it has no table; `NO_PERM`; as [`Container::query`].
    pub async fn destroy_oit(self: &Arc<Self>, context: &Rc<Context>, epoch: Epoch) -> Result<()> {
        let oid = self.oit(context, epoch).await?;
        self.oit_note(context, epoch, OitAction::Remove).await?;
        self.punch_oits(context, &[oid]).await
    }

    /// Punches tables that nothing names any more.
    ///
    /// # Errors
    /// As [`Object::punch`].
    pub async fn punch_oits(self: &Arc<Self>, context: &Rc<Context>, oids: &[ObjectId]) -> Result<()> {
        for oid in oids {
            Object::open(self, *oid, OPEN_RW)?.punch(context, View::Newest, 0).await?;
        }
        Ok(())
    }
}

impl Object {
    /// That the object is an object id table.
    ///
    /// # Errors
    /// `INVAL`.
    pub fn check_oit(&self) -> Result<()> {
        if !self.oid().is_oit() {
            return Err(Der::INVAL.err(format!("object {} is no object id table", self.oid())));
        }
        Ok(())
    }

    /// Sets the mark of an object of the table; an empty one removes it.
    ///
    /// # Errors
    /// `INVAL`: not a table, or the mark is too long; `NONEXIST`: the object is not in the table; as [`Object::update`].
    pub async fn mark_oit(&self, context: &Rc<Context>, oid: ObjectId, mark: &[u8]) -> Result<()> {
        self.check_oit()?;
        if mark.len() > MARK_MAX_BYTES {
            return Err(Der::INVAL.err(format!("a mark of {} bytes; at most {MARK_MAX_BYTES}", mark.len())));
        }
        let mut value = [&self.oid().lo.to_le_bytes(), mark].concat();
        let iods = vec![iod_of(oid, value.len() as u64)];
        let memory = [UserMemory::of_buffer(&mut value)];
        let dkey = bucket_of(oid).to_le_bytes().to_vec();
        let outcome = self.update(context, View::Newest, flags::COND_AKEY_UPDATE, dkey, iods, &memory).await;
        drop(value);
        outcome
    }

    /// Lists objects of the table from `anchor` on, which it moves: at most `limit`, and at least one unless none
    /// follows. With their marks if these are wanted.
    ///
    /// # Errors
    /// `INVAL`: not a table; as [`Object::list_akeys`].
    pub async fn list_oit(
        &self,
        context: &Rc<Context>,
        anchor: &mut OitAnchor,
        limit: usize,
        marks: bool,
    ) -> Result<Vec<OitEntry>> {
        self.check_oit()?;
        let mut found = Vec::new();
        while found.len() < limit && !anchor.is_eof() {
            // Buckets side by side; what does not fit any more is listed again by the next call.
            let from = anchor.clone();
            let count = if from.position.is_empty() { CONCURRENT_SHARDS as u32 } else { 1 };
            let room = limit - found.len();
            let lists = (from.bucket..(from.bucket + count).min(BUCKETS)).map(|bucket| {
                let position = if bucket == from.bucket { from.position.clone() } else { Vec::new() };
                self.list_bucket(context, bucket, position, room)
            });
            let mut lists = futures_util::stream::iter(lists).buffered(CONCURRENT_SHARDS);
            while let Some(listed) = lists.next().await {
                let (oids, next) = listed?;
                if oids.len() > limit - found.len() {
                    // Whole, or not yet: its position would be lost.
                    if found.is_empty() {
                        return Err(Der::PROTO.err("more keys were listed than asked for"));
                    }
                    return self.with_marks(context, found, marks).await;
                }
                found.extend(oids);
                match next {
                    Some(position) => {
                        anchor.position = position;
                        break;
                    }
                    None => *anchor = OitAnchor { bucket: anchor.bucket + 1, position: Vec::new() },
                }
                if found.len() == limit {
                    break;
                }
            }
        }
        self.with_marks(context, found, marks).await
    }

    /// At most `limit` objects of a bucket, and where its list goes on, if it does.
    async fn list_bucket(
        &self,
        context: &Rc<Context>,
        bucket: u32,
        position: Vec<u8>,
        limit: usize,
    ) -> Result<(Vec<ObjectId>, Option<Vec<u8>>)> {
        let dkey = bucket.to_le_bytes().to_vec();
        let mut anchor = Anchor { position, ..Anchor::default() };
        let limit = u32::try_from(limit).unwrap_or(u32::MAX).min(1024);
        let listed = self.list_akeys(context, View::Newest, dkey, &mut anchor, limit, u64::from(limit) * 16).await?;
        let KeyList::Keys(keys) = listed else {
            return Err(Der::DF_INVAL.err("a key of an object id table is not an id"));
        };
        let oids = keys.iter().map(|key| oid_of(key)).collect::<Result<Vec<ObjectId>>>()?;
        Ok((oids, (!anchor.eof).then_some(anchor.position)))
    }

    async fn with_marks(&self, context: &Rc<Context>, oids: Vec<ObjectId>, marks: bool) -> Result<Vec<OitEntry>> {
        let mut entries: Vec<OitEntry> = oids.into_iter().map(|oid| OitEntry { oid, mark: Vec::new() }).collect();
        if !marks {
            return Ok(entries);
        }
        let groups = entries.chunk_by_mut(|a, b| bucket_of(a.oid) == bucket_of(b.oid));
        let reads = groups.flat_map(|group| group.chunks_mut(BATCH)).map(|batch| self.read_marks(context, batch));
        let mut reads = futures_util::stream::iter(reads).buffer_unordered(CONCURRENT_SHARDS);
        while let Some(outcome) = reads.next().await {
            outcome?;
        }
        drop(reads);
        Ok(entries)
    }

    /// Fills in the marks of objects of one bucket.
    async fn read_marks(&self, context: &Rc<Context>, batch: &mut [OitEntry]) -> Result<()> {
        const VALUE_BYTES: usize = EPOCH_BYTES + MARK_MAX_BYTES;
        let Some(first) = batch.first() else { return Ok(()) };
        let dkey = bucket_of(first.oid).to_le_bytes().to_vec();
        let mut values = vec![0u8; batch.len() * VALUE_BYTES];
        let whole = UserMemory::of_buffer(&mut values);
        let at = |index: usize| whole.slice((index * VALUE_BYTES) as u64, VALUE_BYTES as u64);
        let memory: Vec<UserMemory> = (0..batch.len()).map(at).collect();
        let iods: Vec<Iod> = batch.iter().map(|entry| iod_of(entry.oid, 0)).collect();
        let fetched = self.fetch(context, View::Newest, 0, dkey, iods, &memory).await?;
        for (index, (entry, fetched)) in batch.iter_mut().zip(fetched).enumerate() {
            let size = usize::try_from(fetched.size).unwrap_or(0).min(VALUE_BYTES);
            let value = &values[index * VALUE_BYTES..][..size];
            entry.mark = value.get(EPOCH_BYTES..).unwrap_or_default().to_vec();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: ids go through their keys, and buckets spread.
    #[test]
    fn keys_and_buckets() {
        let oid = ObjectId { lo: 0x1122, hi: 0x3344_0000_0000 };
        assert_eq!(oid_of(&key_of(oid)).unwrap(), oid);
        assert_eq!(oid_of(b"short").unwrap_err().code(), Der::DF_INVAL);
        let used: std::collections::BTreeSet<u32> =
            (0..5000).map(|lo| bucket_of(ObjectId { lo, hi: 1 << 48 })).collect();
        assert!(used.len() > 900 && used.iter().all(|bucket| *bucket < BUCKETS), "{} buckets", used.len());
    }
}
