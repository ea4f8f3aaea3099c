//! Pipelines: records are read and judged where they are, and only what the caller wants of them travels.
//!
//! A record is read dkey by dkey at one epoch. Of a value that no filter reads and that is too large for the message only
//! the size is told; the caller fetches it.
//!
//! Cost: for each dkey a step in the tree and a fetch of the akeys that count. A request ends after [`SCAN_MAX`] dkeys or
//! when its answer is full, so that none holds the target for long; others get their turn in between.

use super::query::ANCHOR_MAX_BYTES;
use super::read::{Run, each_run, yield_now};
use super::{Scope, Session, check_iods, check_key, decode};
use crate::target::Target;
use crate::telemetry;
use daos_common::pipeline::{Aggregates, AkeyValue, Program, Record};
use daos_common::wire::object::{ListKind, Listed};
use daos_common::wire::pipeline::{ObjPipelineReply, ObjPipelineRequest, PipelineRecord, PipelineValue};
use daos_common::{Der, Epoch, Iod, IodKind, Recx, Result, wire};
use daos_fabric::Incoming;
use std::rc::Rc;

/// Dkeys that one request looks at.
const SCAN_MAX: u64 = 4096;
/// Dkeys after which others get their turn.
const SCAN_TURN: u64 = 32;
/// Bytes of a value that travel in the answer.
const VALUE_MAX_BYTES: u64 = 16 * 1024;
/// Bytes of keys and values after which an answer is full.
const ANSWER_BYTES: u64 = 256 * 1024;
/// Records in an answer.
const RECORDS_MAX: usize = 4096;
/// Bytes of a value that a filter reads.
const EVALUATED_MAX_BYTES: u64 = 64 << 20;
/// Room for the one dkey that is listed at a time; a key has at most 64 KiB.
const KEY_ROOM_BYTES: u64 = 128 * 1024;

/// Runs a pipeline.
pub async fn run(target: &Rc<Target>, incoming: &Incoming) -> Result<Vec<u8>> {
    let request: ObjPipelineRequest = decode(target, incoming)?;
    let program = Program::new(&request.pipeline)?;
    if !request.iods.is_empty() {
        check_iods(&request.iods)?;
    }
    if request.anchor.len() > ANCHOR_MAX_BYTES {
        return Err(Der::INVAL.err(format!("anchor of {} bytes; at most {ANCHOR_MAX_BYTES}", request.anchor.len())));
    }
    request.dkey.iter().try_for_each(|dkey| check_key("dkey", dkey))?;
    let session = Session::open(target, &request.header).await?;
    session.grant.check_read()?;
    let scope = request.dkey.as_deref().map_or(Scope::Object, Scope::Dkey);
    let (_, epoch) = session.read_epoch(target, &request.header, scope).await?;
    let aggregates = Aggregates::new(&program);
    let anchor = request.anchor.clone();
    let reply = ObjPipelineReply { records: Vec::new(), aggregates, scanned: 0, epoch, anchor, eof: false };
    let mut scan =
        Scan { target, session: &session, request: &request, program: &program, epoch, reply, answer_bytes: 0 };
    match &request.dkey {
        Some(dkey) => scan.only(dkey).await?,
        None => scan.all().await?,
    }
    telemetry::add(&target.counters.lists, 1);
    wire::encode(&scan.reply)
}

/// A run under way.
struct Scan<'a> {
    target: &'a Target,
    session: &'a Session,
    request: &'a ObjPipelineRequest,
    program: &'a Program,
    epoch: Epoch,
    reply: ObjPipelineReply,
    answer_bytes: u64,
}

/// A value as read.
struct Value {
    size: u64,
    bytes: u64,
    present: Vec<Recx>,
    /// Not read if nobody looks at it.
    data: Option<Vec<u8>>,
}

impl Scan<'_> {
    /// Over one dkey.
    async fn only(&mut self, dkey: &[u8]) -> Result<()> {
        let (cont, oid) = (&self.session.cont, self.session.oid);
        let listed = cont.list(oid, self.epoch, &ListKind::Akeys, dkey, &[], 1, u64::MAX)?;
        let exists = matches!(&listed.entries, Listed::Keys(akeys) if !akeys.is_empty());
        self.reply.eof = true;
        if exists || self.request.header.flags != 0 {
            // A condition on the dkey speaks also where there is none.
            let values = self.values(dkey, self.request.header.flags).await?;
            if exists {
                self.judge(dkey, values)?;
            }
        }
        Ok(())
    }

    /// Over dkeys until the answer is full or the shard's end is reached.
    async fn all(&mut self) -> Result<()> {
        let aggregating = self.program.aggregations() > 0;
        let is_full = |scan: &Self| {
            let records = scan.reply.records.len();
            let full = records >= (scan.request.limit as usize).min(RECORDS_MAX);
            (full && !aggregating) || scan.answer_bytes >= ANSWER_BYTES || scan.reply.scanned >= SCAN_MAX
        };
        while !is_full(self) {
            let (cont, oid) = (&self.session.cont, self.session.oid);
            let listed = cont.list(oid, self.epoch, &ListKind::Dkeys, &[], &self.reply.anchor, 1, KEY_ROOM_BYTES)?;
            let Listed::Keys(dkeys) = listed.entries else {
                return Err(Der::MISC.err("the store listed something else than dkeys"));
            };
            (self.reply.anchor, self.reply.eof) = (listed.anchor, listed.eof);
            if let Some(dkey) = dkeys.first() {
                self.reply.scanned += 1;
                let values = self.values(dkey, 0).await?;
                self.judge(dkey, values)?;
                if self.reply.scanned.is_multiple_of(SCAN_TURN) {
                    yield_now().await;
                }
            }
            if self.reply.eof {
                break;
            }
        }
        Ok(())
    }

    /// Evaluates a record, and puts it into the answer if it is wanted.
    fn judge(&mut self, dkey: &[u8], values: Vec<Value>) -> Result<()> {
        let described = self.request.iods.iter().zip(&values);
        let akeys: Vec<AkeyValue<'_>> = described
            .map(|(iod, value)| AkeyValue {
                akey: &iod.akey,
                kind: iod.kind,
                size: value.size,
                recxs: &iod.recxs,
                present: &value.present,
                data: value.data.as_deref().unwrap_or(&[]),
            })
            .collect();
        let record = Record { dkey, akeys: &akeys };
        if !self.program.accepts(&record)? {
            return Ok(());
        }
        self.reply.aggregates.add(self.program, &record)?;
        if self.reply.records.len() >= self.request.limit as usize {
            return Ok(());
        }
        self.answer_bytes += dkey.len() as u64;
        let values = values.into_iter().map(|value| {
            let data = value.data.filter(|_| value.bytes <= VALUE_MAX_BYTES);
            self.answer_bytes += data.as_ref().map_or(0, |data| data.len() as u64);
            PipelineValue { size: value.size, bytes: value.bytes, data }
        });
        let values = values.collect();
        let (scanned, anchor) = (self.reply.scanned, self.reply.anchor.clone());
        self.reply.records.push(PipelineRecord { dkey: dkey.to_vec(), values, scanned, anchor });
        Ok(())
    }

    /// Reads the akeys of a dkey.
    async fn values(&self, dkey: &[u8], flags: u64) -> Result<Vec<Value>> {
        let wanted = &self.request.iods;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let any_size = |iod: &Iod| Iod { size: if iod.kind == IodKind::Single { 0 } else { iod.size }, ..iod.clone() };
        let iods: Vec<Iod> = wanted.iter().map(any_size).collect();
        let fetch = self.session.cont.fetch(self.session.oid, self.epoch, dkey, flags, &iods)?;
        let mut values = Vec::with_capacity(iods.len());
        for (index, (iod, fetched)) in wanted.iter().zip(&fetch.iods).enumerate() {
            let records = iod.recxs.iter().map(|recx| recx.nr).fold(0u64, u64::saturating_add);
            let bytes = match iod.kind {
                IodKind::Single => fetched.size,
                IodKind::Array => records.saturating_mul(fetched.size),
            };
            if iod.kind == IodKind::Single && iod.size != 0 && fetched.size > iod.size {
                return Err(Der::REC2BIG.err(format!("a value of {bytes} bytes; the descriptor has {}", iod.size)));
            }
            let evaluated = self.program.reads(&iod.akey);
            if evaluated && bytes > EVALUATED_MAX_BYTES {
                let message = format!("a filter reads a value of {bytes} bytes; at most {EVALUATED_MAX_BYTES}");
                return Err(Der::REC2BIG.err(message));
            }
            let data = match evaluated || bytes <= VALUE_MAX_BYTES {
                true => Some(self.data(&fetch, index, bytes).await?),
                false => None,
            };
            values.push(Value { size: fetched.size, bytes, present: fetched.present.clone(), data });
        }
        Ok(values)
    }

    async fn data(&self, fetch: &daos_vos::Fetch, index: usize, bytes: u64) -> Result<Vec<u8>> {
        let mut data = Vec::with_capacity(super::transfer::length(bytes)?);
        if bytes == 0 {
            return Ok(data);
        }
        each_run(self.target, self.session, fetch, index, |run| match run {
            Run::Bytes(bytes) => data.extend_from_slice(bytes),
            // No more than `bytes` in all, which fit the address space.
            Run::Hole(len) => data.resize(data.len() + len as usize, 0),
        })
        .await?;
        if data.len() as u64 != bytes {
            return Err(Der::DF_INVAL.err(format!("{} bytes are stored of a value of {bytes}", data.len())));
        }
        Ok(data)
    }
}
