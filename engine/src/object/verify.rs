//! Verification: reads all data of a dkey where it is, so that damage shows itself, and sums it up, so that replicas can be
//! compared without moving their data.
//!
//! The records of an array are hashed in windows of at most about [`WINDOW_BYTES`], at multiples of the window's size.
//! What extents they were written by makes no difference.
//!
//! Cost: one read of everything; a part of at most [`PART_BYTES`] a request, so that no request holds the target for long.

use super::query::ANCHOR_MAX_BYTES;
use super::read::{Run, each_run, yield_now};
use super::{Scope, Session, check_key, decode};
use crate::target::Target;
use crate::telemetry;
use daos_common::wire::object::{ListKind, Listed, ListedRecx, ObjVerifyReply, ObjVerifyRequest};
use daos_common::{Der, Epoch, Iod, IodKind, Recx, Result, wire};
use daos_fabric::Incoming;
use std::rc::Rc;
use xxhash_rust::xxh3::Xxh3;

/// Bytes of a window, unless one record is larger.
const WINDOW_BYTES: u64 = 1 << 20;
/// Bytes after which a request is answered.
const PART_BYTES: u64 = 16 << 20;
/// Other requests get their turn after so many bytes at once.
const YIELD_BYTES: u64 = 64 * 1024;
/// Room for the one akey that is listed at a time; a key has at most 64 KiB.
const KEY_ROOM_BYTES: u64 = 128 * 1024;

/// Reads a part of a dkey.
pub async fn verify(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjVerifyRequest = decode(target, incoming)?;
    check_key("dkey", &request.dkey)?;
    if request.akeys_anchor.len() > ANCHOR_MAX_BYTES {
        return Err(Der::INVAL.err(format!("anchor of {} bytes", request.akeys_anchor.len())));
    }
    let session = Session::open(target, &request.header).await?;
    session.grant.check_read()?;
    let (_, epoch) = session.read_epoch(target, &request.header, Scope::Object).await?;
    let reply = ObjVerifyReply { sum: 0, akeys: 0, bytes: 0, epoch, next: None };
    let part = Part { target, session: &session, dkey: &request.dkey, epoch, reply };
    let reply = part.read(request.akeys_anchor, request.record).await?;
    telemetry::add(&target.counters.fetches, 1);
    telemetry::add(&target.counters.bytes_read, reply.bytes);
    wire::encode(&reply)
}

/// A part under way.
struct Part<'a> {
    target: &'a Target,
    session: &'a Session,
    dkey: &'a [u8],
    epoch: Epoch,
    reply: ObjVerifyReply,
}

impl Part<'_> {
    /// Goes over akeys until the dkey or the part is done.
    async fn read(mut self, mut anchor: Vec<u8>, mut record: u64) -> Result<ObjVerifyReply> {
        loop {
            let (cont, oid) = (&self.session.cont, self.session.oid);
            let listed = cont.list(oid, self.epoch, &ListKind::Akeys, self.dkey, &anchor, 1, KEY_ROOM_BYTES)?;
            let Listed::Keys(akeys) = listed.entries else {
                return Err(Der::MISC.err("the store listed something else than akeys"));
            };
            if let Some(akey) = akeys.into_iter().next() {
                if let Some(next) = self.akey(&akey, record).await? {
                    self.reply.next = Some((anchor, next));
                    return Ok(self.reply);
                }
                self.reply.akeys += 1;
            }
            record = 0;
            if listed.eof {
                return Ok(self.reply);
            }
            anchor = listed.anchor;
            if self.reply.bytes >= PART_BYTES {
                self.reply.next = Some((anchor, 0));
                return Ok(self.reply);
            }
        }
    }

    /// Reads one akey from a record on; where to go on if the part is full before its end.
    async fn akey(&mut self, akey: &[u8], mut record: u64) -> Result<Option<u64>> {
        if self.next_extent(akey, IodKind::Single, 0)?.is_some() {
            let iod = Iod { akey: akey.to_vec(), kind: IodKind::Single, size: 0, recxs: Vec::new(), flags: 0 };
            self.hash(iod, 0).await?;
            return Ok(None);
        }
        while let Some(extent) = self.next_extent(akey, IodKind::Array, record)? {
            if self.reply.bytes >= PART_BYTES {
                return Ok(Some(record));
            }
            let records = (WINDOW_BYTES / extent.size.max(1)).max(1);
            let window = extent.recx.idx / records;
            let idx = window * records;
            let nr = records.min(u64::MAX - idx);
            let recxs = vec![Recx { idx, nr }];
            let iod = Iod { akey: akey.to_vec(), kind: IodKind::Array, size: 0, recxs, flags: 0 };
            self.hash(iod, window).await?;
            record = idx + nr;
            if record == u64::MAX {
                break;
            }
        }
        Ok(None)
    }

    /// The first extent of a kind at or behind a record.
    fn next_extent(&self, akey: &[u8], kind: IodKind, record: u64) -> Result<Option<ListedRecx>> {
        let anchor = if record == 0 { Vec::new() } else { daos_vos::extents_from(record) };
        let what = ListKind::Recxs { akey: akey.to_vec(), kind: Some(kind), descending: false };
        let (cont, oid) = (&self.session.cont, self.session.oid);
        let listed = cont.list(oid, self.epoch, &what, self.dkey, &anchor, 1, u64::MAX)?;
        let Listed::Recxs(extents) = listed.entries else {
            return Err(Der::MISC.err("the store listed something else than extents"));
        };
        Ok(extents.into_iter().next())
    }

    /// Reads what a descriptor names, and adds its hash to the sum.
    async fn hash(&mut self, iod: Iod, window: u64) -> Result<()> {
        let (dkey, kind) = (self.dkey, iod.kind);
        let iods = [iod];
        let fetch = self.session.cont.fetch(self.session.oid, self.epoch, dkey, 0, &iods)?;
        let [iod] = iods;
        let Some(fetched) = fetch.iods.first() else { return Err(Der::MISC.err("the store answered no akey")) };
        let mut hash = Xxh3::new();
        let number = |hash: &mut Xxh3, value: u64| hash.update(&value.to_le_bytes());
        number(&mut hash, dkey.len() as u64);
        hash.update(dkey);
        number(&mut hash, iod.akey.len() as u64);
        hash.update(&iod.akey);
        number(&mut hash, u64::from(kind == IodKind::Array));
        number(&mut hash, fetched.size);
        number(&mut hash, window);
        for recx in &fetched.present {
            number(&mut hash, recx.idx);
            number(&mut hash, recx.nr);
        }
        let held = self.target.budget.take(WINDOW_BYTES).await;
        let (mut bytes, mut holes) = (0u64, 0u64);
        each_run(self.target, self.session, &fetch, 0, |run| match run {
            Run::Bytes(run) => {
                hash.update(run);
                bytes += run.len() as u64;
            }
            Run::Hole(len) => holes += len,
        })
        .await?;
        drop(held);
        let records = iod.recxs.iter().map(|recx| recx.nr).sum::<u64>().max(1);
        let (found, wanted) = (bytes.saturating_add(holes), records.checked_mul(fetched.size));
        if Some(found) != wanted {
            return Err(Der::DF_INVAL.err(format!("{found} bytes are stored of a value of {wanted:?}")));
        }
        self.reply.bytes += bytes;
        self.reply.sum = self.reply.sum.wrapping_add(hash.digest128());
        if bytes >= YIELD_BYTES {
            yield_now().await;
        }
        Ok(())
    }
}
